#include "npgfast/sampling/alias_table.hpp"

#include <algorithm>
#include <numeric>

namespace npgfast {

namespace {

using Share = long double;  // an outcome may give parts of its share away thousands of times

std::uint64_t to_threshold(Share share) {
    if (share <= 0) return 0;
    if (share >= 1) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(share * 0x1.0p64L);
}

}  // namespace

void build_alias_row(Reals probabilities, Integers outcomes, std::span<AliasColumn> columns,
                     std::vector<std::int32_t>& scratch) {
    const Index k = std::ssize(probabilities);
    const Share total = std::accumulate(probabilities.begin(), probabilities.end(), Share{0});
    std::vector<Share> share(static_cast<std::size_t>(k));
    scratch.resize(static_cast<std::size_t>(k));
    // Columns below the mean fill the front of `scratch`, the others its back.
    Index n_small = 0, large_begin = k;
    for (Index i = 0; i < k; ++i) {
        share[i] = static_cast<Share>(probabilities[i]) / total * static_cast<Share>(k);
        if (share[i] < 1)
            scratch[n_small++] = static_cast<std::int32_t>(i);
        else
            scratch[--large_begin] = static_cast<std::int32_t>(i);
    }
    const Index heaviest = std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
    while (n_small > 0 && large_begin < k) {
        const Index small = scratch[--n_small], large = scratch[large_begin];
        columns[small] = {to_threshold(share[small]), outcomes[small], outcomes[large]};
        share[large] = (share[large] + share[small]) - 1;
        if (share[large] < 1) {
            ++large_begin;
            scratch[n_small++] = static_cast<std::int32_t>(large);
        }
    }
    // What rounding left over is full, but for an impossible outcome, which gives way to the likeliest.
    const auto fill = [&](Index i) {
        const bool possible = probabilities[i] > 0.0;
        columns[i] = {~std::uint64_t{0}, outcomes[possible ? i : heaviest], outcomes[possible ? i : heaviest]};
    };
    while (n_small > 0) fill(scratch[--n_small]);
    for (; large_begin < k; ++large_begin) fill(scratch[large_begin]);
}

}  // namespace npgfast
