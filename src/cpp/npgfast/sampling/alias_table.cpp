#include "npgfast/sampling/alias_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace npgfast {

namespace {

constexpr double kWhole = 0x1.0p32;

/// Integers that sum to 2^32, in the proportions of the weights.
void share_out(Reals weights, std::span<std::uint64_t> shares) {
    const auto usable = [](double weight) { return weight > 0.0 && std::isfinite(weight) ? weight : 0.0; };
    double total = 0.0;
    std::size_t last = 0;  // of the outcomes with a weight
    for (std::size_t i = 0; i < weights.size(); ++i) {
        total += usable(weights[i]);
        if (usable(weights[i]) > 0.0) last = i;
    }
    std::fill(shares.begin(), shares.end(), 0);
    double sum = 0.0;
    std::uint64_t given = 0;
    if (total > 0.0 && std::isfinite(total)) {
        for (std::size_t i = 0; i < last; ++i) {
            sum += usable(weights[i]);
            const auto reached = static_cast<std::uint64_t>(std::min(sum / total, 1.0) * kWhole + 0.5);
            shares[i] = usable(weights[i]) > 0.0 ? reached - given : 0;
            given += shares[i];
        }
    }
    shares[last] = (std::uint64_t{1} << 32) - given;
}

}  // namespace

int alias_bits(Index n_outcomes) {
    return n_outcomes > 1 ? static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n_outcomes - 1))) : 0;
}

void AliasTable::resize(Index n_rows, int row_bits) {
    bits = row_bits;
    columns.resize(static_cast<std::size_t>(n_rows) << bits);
}

void build_alias_row(Reals weights, std::span<const std::uint32_t> outcomes, int bits, AliasColumn* columns,
                     AliasScratch& scratch) {
    const std::uint64_t n_columns = std::uint64_t{1} << bits, capacity = (std::uint64_t{1} << 32) >> bits;
    const std::size_t k = weights.size();
    scratch.shares.resize(std::max<std::size_t>(n_columns, scratch.shares.size()));
    scratch.smaller.resize(scratch.shares.size());
    scratch.larger.resize(scratch.shares.size());
    const std::span<std::uint64_t> shares(scratch.shares.data(), n_columns);
    share_out(weights, shares);
    const auto outcome = [&](std::size_t column) { return outcomes[column < k ? column : 0]; };
    std::size_t n_smaller = 0, n_larger = 0;
    for (std::size_t column = n_columns; column-- > 0;) {
        if (shares[column] < capacity)
            scratch.smaller[n_smaller++] = static_cast<std::uint32_t>(column);
        else
            scratch.larger[n_larger++] = static_cast<std::uint32_t>(column);
    }
    // The shares sum to the capacity of all columns: while one has too little, another has too much.
    while (n_smaller > 0) {
        const std::size_t small = scratch.smaller[--n_smaller], large = scratch.larger[n_larger - 1];
        columns[small] = {static_cast<std::uint32_t>(shares[small]), outcome(small), outcome(large)};
        shares[large] -= capacity - shares[small];
        if (shares[large] < capacity) {
            --n_larger;
            scratch.smaller[n_smaller++] = static_cast<std::uint32_t>(large);
        }
    }
    for (; n_larger > 0; --n_larger) {
        const std::size_t full = scratch.larger[n_larger - 1];
        columns[full] = {0, outcome(full), outcome(full)};
    }
}

}  // namespace npgfast
