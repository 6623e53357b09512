#pragma once
// Episodes that step together: a group of up to kGroup of them, each in a lane of its own. An array of a group is
// (size, kGroup) row-major: row i holds number i of every episode. What a group computes for one lane does not depend
// on the others; lanes beyond those in use hold numbers that nobody reads.

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

/// The numbers that a group takes at its steps; lane k is environment first_environment + k.
///
/// Two steps share their blocks: number j of steps 2i and 2i + 1 is made of the first and the second word of block j
/// (as `Stream` counts them) of (seed; iteration, environment, 2i, purpose), or is the first and the second of the
/// normals that Box and Muller make of the two. The rows are those of n_steps consecutive steps, of which steps[k] is
/// the first of lane k: one step, or an even one and those after it. Cost: half a Philox block a number, a whole one if
/// n_steps = 1; a register of lanes at a time, bound by arithmetic.
struct GroupStream {
    std::uint64_t seed = 0;
    std::uint32_t iteration = 0;
    std::uint32_t first_environment = 0;
    const std::int64_t* steps = nullptr;  ///< (kGroup,), each in [0, 2^32)
    Purpose purpose = Purpose::step;

    /// A uniform on [0, 1) for each of n lanes and n_steps steps, (n_steps, kGroup).
    void uniforms(Index n, Index n_steps, double* rows) const;
    /// `count` standard normals for each, (n_steps, count, kGroup).
    void normals(Index n, Index n_steps, Index count, double* rows) const;
};

}  // namespace npgfast
