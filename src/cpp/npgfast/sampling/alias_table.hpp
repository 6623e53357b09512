#pragma once

#include <cstdint>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// One outcome below the threshold and one from it on: a whole entry of 16 bytes, never in two lines of the cache.
struct alignas(16) AliasColumn {
    std::uint32_t threshold = 0;  ///< of 2^(32 - bits)
    std::uint32_t below = 0, above = 0;

    std::uint32_t draw(std::uint32_t word, int bits) const {
        return (word & (~std::uint32_t{0} >> bits)) < threshold ? below : above;
    }
};

/// Alias tables of many distributions over 32-bit outcomes, in rows of 2^bits columns.
///
/// A draw is one 32-bit word: its high `bits` pick a column, the others meet the column's threshold, and one of two
/// outcomes is taken.
struct AliasTable {
    int bits = 0;                      ///< <= 31
    std::vector<AliasColumn> columns;  ///< (rows << bits,)

    void resize(Index n_rows, int row_bits);
    AliasColumn* row(Index i) { return columns.data() + (i << bits); }

    std::uint32_t draw(Index row, std::uint32_t word) const {
        const auto column = static_cast<std::size_t>((std::uint64_t{static_cast<std::size_t>(row)} << bits) |
                                                     ((std::uint64_t{word} << bits) >> 32));
        return columns[column].draw(word, bits);
    }
};

/// Alias tables in rows of different lengths, each as in `AliasTable`.
struct RaggedAliasTable {
    std::vector<std::uint64_t> rows;  ///< first column * 32 + bits
    std::vector<AliasColumn> columns;

    std::uint32_t draw(Index row, std::uint32_t word) const {
        const std::uint64_t place = rows[static_cast<std::size_t>(row)];
        const int bits = static_cast<int>(place & 31);
        return columns[static_cast<std::size_t>((place >> 5) + ((std::uint64_t{word} << bits) >> 32))].draw(word, bits);
    }
};

/// What `build_alias_row` works in; kept over many rows, it allocates once.
struct AliasScratch {
    std::vector<std::uint64_t> shares;
    std::vector<std::uint32_t> smaller, larger;
};

/// The bits of a row for n outcomes: the smallest with n <= 2^bits.
int alias_bits(Index n_outcomes);

/// Builds one row.
///
/// Inputs: weights (k,), k <= 2^bits, outcomes (k,). Output: 2^bits columns.
/// The probabilities are rounded to multiples of 2^-32 whose partial sums are those of the weights to within 2^-33;
/// each then has its probability to within 2^-32, exactly as the integers say, and weights of 0 have none. Weights that
/// are no distribution (negative, not finite, all 0) count as 0, and if nothing is left the first outcome is certain.
/// Cost: 2^bits, no allocation beyond `scratch`; one column after another, bound by their branches and divisions.
/// Source: Walker 1977; Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
void build_alias_row(Reals weights, std::span<const std::uint32_t> outcomes, int bits, AliasColumn* columns,
                     AliasScratch& scratch);

}  // namespace npgfast
