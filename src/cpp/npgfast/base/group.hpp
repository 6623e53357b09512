#pragma once
// Episodes that step together: a group of up to kGroup of them, each in a lane of its own. An array of a group is
// (size, kGroup) row-major: row i holds number i of every episode. What a group computes for one lane does not depend on
// the others; lanes beyond those in use hold numbers that nobody reads.

#include "npgfast/base/column.hpp"
#include "npgfast/base/philox.hpp"
#include "npgfast/base/types.hpp"

namespace npgfast {

inline constexpr Index kGroup = 16;

/// Zeros, (n_rows, kGroup).
inline Column<double> group_array(Index n_rows) {
    return Column<double>(static_cast<std::size_t>(n_rows * kGroup), 0.0);
}

/// Rows (n, size) of n <= kGroup episodes into a group (size, kGroup), 0 in the other lanes. Cost: a load and a store a
/// number, one by one.
void gather(const double* rows, Index n, Index size, double* group);

/// The reverse.
void scatter(const double* group, Index n, Index size, double* rows);

/// The streams of a group: lane k draws what a `Stream` of (seed, iteration, first_environment + k, steps[k], purpose)
/// would, to the rounding of the normals' logarithm, sine and cosine. A register of lanes at a time; bound by
/// arithmetic.
struct GroupStream {
    std::uint64_t seed = 0;
    std::uint32_t iteration = 0;
    std::uint32_t first_environment = 0;
    const std::int64_t* steps = nullptr;  ///< (kGroup,), each in [0, 2^32)
    Purpose purpose = Purpose::step;

    /// The first uniform of n lanes, (kGroup,). Cost: one Philox block a lane.
    void uniform(Index n, double* row) const;
    /// The first `count` normals of n lanes, (count, kGroup). Cost: half a Philox block a number.
    void normals(Index n, Index count, double* rows) const;
};

}  // namespace npgfast
