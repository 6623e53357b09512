#include "npgfast/sampling/returns.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/stream.hpp"

namespace npgfast {

namespace {

constexpr Index kWidestTile = 512;          // columns
constexpr Index kStreamedEntries = 1 << 17;  // outputs of more entries than this leave the caches anyway
constexpr Index kEntriesOfAThread = 1 << 16;  // about 50 microseconds

struct Discount {
    double gamma, decay;  // decay = gamma lambda

    double advantage(double reward, double value, double next_value, double next_advantage) const {
        return (reward + gamma * next_value - value) + decay * next_advantage;
    }
};

constexpr std::array<double, kWidestTile> kZeros{};

/// One row of a tile of columns: pointers to its first entry.
struct Row {
    Row(const Steps& steps, Index t, Index first)
        : start(t * steps.n_envs + first), is_last(t == steps.n_steps - 1), rewards(steps.rewards + start),
          values(steps.values ? steps.values + start : kZeros.data()),
          next_values(steps.values && !is_last ? values + steps.n_envs : values),
          bootstrap(steps.bootstrap ? steps.bootstrap + start : kZeros.data()),
          terminated(steps.terminated + start), truncated(steps.truncated + start) {}

    bool is_cut(Index j) const { return terminated[j] || truncated[j] || is_last; }
    /// V(next) of a step that is cut.
    double final_value(Index j) const { return terminated[j] ? 0.0 : bootstrap[j]; }

    Index start;
    bool is_last;
    const double *rewards, *values, *next_values, *bootstrap;
    const std::uint8_t *terminated, *truncated;
};

/// carried[j] (A_{t+1} before, A_t after) of the columns of a row where nothing is cut.
void carry_on(const Row& row, Index width, const Discount& discount, double* __restrict carried) {
    const double* __restrict rewards = row.rewards;
    const double* __restrict values = row.values;
    const double* __restrict next_values = row.next_values;
    for (Index j = 0; j < width; ++j)
        carried[j] = discount.advantage(rewards[j], values[j], next_values[j], carried[j]);
}

/// carried[j] where something is cut; eight flags at a time, as few are set.
void carry_cuts(const Row& row, Index width, const Discount& discount, double* carried) {
    const auto cut = [&](Index j) {
        carried[j] = discount.advantage(row.rewards[j], row.values[j], row.final_value(j), 0.0);
    };
    Index j = 0;
    for (; j + kStretch <= width && !row.is_last; j += kStretch) {
        std::uint64_t ends, cuts;
        std::memcpy(&ends, row.terminated + j, sizeof ends);
        std::memcpy(&cuts, row.truncated + j, sizeof cuts);
        if ((ends | cuts) == 0) [[likely]]
            continue;
        for (Index k = j; k < j + kStretch; ++k)
            if (row.is_cut(k)) cut(k);
    }
    for (; j < width; ++j)
        if (row.is_cut(j)) cut(j);
}

/// sums = carried + values; whether all of carried is finite.
bool add_values(const Row& row, Index width, const double* __restrict carried, double* __restrict sums) {
    constexpr std::uint64_t kExponent = 0x7FF0000000000000u;
    const double* __restrict values = row.values;
    std::uint64_t n_infinite = 0;
    for (Index j = 0; j < width; ++j) {
        sums[j] = carried[j] + values[j];
        n_infinite |= (std::bit_cast<std::uint64_t>(carried[j]) & kExponent) == kExponent ? 1u : 0u;
    }
    return n_infinite == 0;
}

void write(const double* from, Index width, bool streams, double* to) {
    Index j = 0;
    if (streams)
        for (; j + kStretch <= width; j += kStretch) stream(from + j, to + j);
    std::copy_n(from + j, width - j, to + j);
}

bool fill_tile(const Steps& steps, Index first, Index width, const Discount& discount, bool streams, double* advantages,
               double* returns) {
    std::array<double, kWidestTile> carried{}, sums;
    bool is_finite = true;
    for (Index t = steps.n_steps - 1; t >= 0; --t) {
        const Row row(steps, t, first);
        carry_on(row, width, discount, carried.data());
        carry_cuts(row, width, discount, carried.data());
        is_finite &= add_values(row, width, carried.data(), sums.data());
        write(carried.data(), width, streams, advantages + row.start);
        if (returns) write(sums.data(), width, streams, returns + row.start);
    }
    if (streams) finish_streams();
    return is_finite;
}

/// One environment by itself, where there are too few for vectors.
bool fill_column(const Steps& steps, Index column, const Discount& discount, double* advantages, double* returns) {
    bool is_finite = true;
    double carried = 0.0;
    for (Index t = steps.n_steps - 1; t >= 0; --t) {
        const Row row(steps, t, column);
        const bool is_cut = row.is_cut(0);
        carried = discount.advantage(row.rewards[0], row.values[0], is_cut ? row.final_value(0) : row.next_values[0],
                                     is_cut ? 0.0 : carried);
        is_finite &= std::isfinite(carried);
        advantages[row.start] = carried;
        if (returns) returns[row.start] = carried + row.values[0];
    }
    return is_finite;
}

}  // namespace

bool generalized_advantages(const Steps& steps, double gamma, double lambda, int n_threads, double* advantages,
                            double* returns) {
    const Index n = steps.n_steps * steps.n_envs;
    const Discount discount{gamma, gamma * lambda};
    const bool streams = n > kStreamedEntries && steps.n_envs % 2 == 0 && is_streamable(advantages) &&
                         (!returns || is_streamable(returns));
    const Index n_shares = std::clamp<Index>(n / kEntriesOfAThread, 1, n_threads);
    const Index share = std::max<Index>((steps.n_envs + n_shares - 1) / n_shares, 1);
    const Index width = std::min((share + kStretch - 1) / kStretch * kStretch, kWidestTile);
    std::atomic<bool> is_finite{true};
    parallel_for((steps.n_envs + width - 1) / width, static_cast<int>(n_shares), [&](Index tile) {
        const Index first = tile * width, last = std::min(first + width, steps.n_envs);
        bool is_clean = true;
        if (last - first >= kStretch)
            is_clean = fill_tile(steps, first, last - first, discount, streams, advantages, returns);
        else
            for (Index column = first; column < last; ++column)
                is_clean &= fill_column(steps, column, discount, advantages, returns);
        if (!is_clean) is_finite = false;
    });
    return is_finite;
}

}  // namespace npgfast
