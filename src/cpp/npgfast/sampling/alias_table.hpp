#pragma once

#include <cstdint>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// One column of an alias table: outcome `own` below the threshold, `other` from it on.
struct AliasColumn {
    std::uint64_t threshold;  ///< of 2^64
    std::int32_t own;
    std::int32_t other;
};

/// Builds the alias table of one distribution.
///
/// Inputs: probabilities (k,) summing to 1 up to rounding, outcomes (k,). Output: k columns, in `columns`.
/// An outcome of probability 0 is never drawn. Cost: O(k), no allocation beyond `scratch`.
/// Source: Walker 1977; Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
void build_alias_row(Reals probabilities, Integers outcomes, std::span<AliasColumn> columns,
                     std::vector<std::int32_t>& scratch);

/// One draw from k columns: the high half of word * k picks the column, the low half meets its threshold.
inline std::int32_t draw_alias(const AliasColumn* columns, Index k, std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(word) * static_cast<std::uint64_t>(k);
    const AliasColumn& column = columns[static_cast<std::uint64_t>(product >> 64)];
    return static_cast<std::uint64_t>(product) < column.threshold ? column.own : column.other;
}

}  // namespace npgfast
