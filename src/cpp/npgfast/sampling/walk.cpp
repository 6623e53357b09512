#include "npgfast/sampling/walk.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/word_lanes.hpp"

namespace npgfast {

namespace {

constexpr int kFusedBlockBits = 2;  // four steps
constexpr Index kWide = 8;  // environments from which on words are drawn across them, not along time

template <class L>
struct TableLanes {
    const std::uint32_t* columns;
    int bits;
    typename L::Vector rest;

    explicit TableLanes(const AliasTable& table)
        : columns(table.columns.empty() ? nullptr : &table.columns.front().threshold), bits(table.bits),
          rest(L::splat(~std::uint32_t{0} >> table.bits)) {}

    typename L::Vector draw(typename L::Vector row, typename L::Vector word) const {
        const auto column = L::either(L::shift_left(row, bits), L::shift_right(word, 32 - bits));
        const auto [threshold, below, above] = L::gather(columns, column);
        return L::choose(L::below(L::both(word, rest), threshold), below, above);
    }
};

}  // namespace

Walker::Walker(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options)
    : simulator_(simulator), policy_(policy), options_(options),
      restart_below_(static_cast<std::uint64_t>(options.restart_probability * 0x1.0p32 + 0.5)) {
    const Index horizon = simulator.mdp().horizon, longest = options.max_episode_steps;
    if (horizon > 0 && (longest == 0 || horizon <= longest)) {
        limit_ = Limit::horizon;
        limit_steps_ = static_cast<std::uint32_t>(std::min<Index>(horizon, INT32_MAX));
    } else if (longest > 0) {
        limit_ = Limit::truncation;
        limit_steps_ = static_cast<std::uint32_t>(std::min<Index>(longest, INT32_MAX));
    }
    const auto start = simulator.only_start();
    fresh_ = start && simulator.is_fused() ? simulator.format().pack(*start, 0, 0) : std::uint32_t{kTerminated};
    words_.resize(4 * kMostSteps * kBlockLanes);
    start_words_.resize(kMostSteps * kBlockLanes);
    transposed_.resize(4 * kMostSteps);
}

void Walker::draw_words(const LaneStates& lanes, Index width, Index n_blocks, Purpose purpose, std::uint32_t* words) {
    const PhiloxKey key = philox_key(options_.seed);
    const std::uint32_t stream = philox_stream(options_.iteration, purpose);
    const int steps_bits = simulator_.is_fused() ? kFusedBlockBits : 0;
    std::array<std::uint32_t, std::max(kBlockLanes, kMostSteps)> first, second;
    if (width >= kWide) {
        for (Index lane = 0; lane < width; ++lane) first[lane] = lanes.step[lane] >> steps_bits;
        for (Index block = 0; block < n_blocks; ++block) {
            philox_blocks(first.data(), lanes.environment.data(), stream, key, width, words + 4 * block * width);
            for (Index lane = 0; lane < width; ++lane) ++first[lane];
        }
        return;
    }
    for (Index lane = 0; lane < width; ++lane) {
        for (Index block = 0; block < n_blocks; ++block) {
            first[block] = (lanes.step[lane] >> steps_bits) + static_cast<std::uint32_t>(block);
            second[block] = lanes.environment[lane];
        }
        philox_blocks(first.data(), second.data(), stream, key, n_blocks, transposed_.data());
        for (Index block = 0; block < n_blocks; ++block)
            for (Index j = 0; j < 4; ++j)
                words[(4 * block + j) * width + lane] = transposed_[j * n_blocks + block];
    }
}

template <class L, int kChains, Walker::Limit kLimit, bool kDrawsStarts>
void Walker::walk_chains(LaneStates& lanes, Index lane, Index width, Index n_steps, Index first_row,
                         std::uint32_t* records, std::vector<Cut>& cuts) {
    using V = typename L::Vector;
    const RecordFormat format = simulator_.format();
    const TableLanes<L> table(policy_), starts(simulator_.starts());
    const int shift = format.state_shift();
    const V zero = L::splat(0), flag_bits = L::splat(RecordFormat::kFlags), low_bits = L::splat(format.low_mask());
    const V action_bits = L::splat(format.low_mask() & ~RecordFormat::kFlags), terminated = L::splat(kTerminated);
    [[maybe_unused]] const V limit = L::splat(limit_steps_), one = L::splat(1), truncated = L::splat(kTruncated);
    [[maybe_unused]] const V start = L::splat(fresh() & ~format.low_mask());
    V words[kChains], time[kChains];
    for (Index c = 0; c < kChains; ++c) {
        words[c] = L::load(lanes.words.data() + lane + c * L::kWidth);
        time[c] = L::load(lanes.time.data() + lane + c * L::kWidth);
    }
    for (Index t = 0; t < n_steps; ++t) {
        for (Index c = 0; c < kChains; ++c) {
            const Index at = t * width + lane + c * L::kWidth;
            V here = words[c];
            if constexpr (kDrawsStarts) {
                const V goes_on = L::equal(L::both(here, flag_bits), zero);
                if (L::any(L::equal(goes_on, zero)))
                    here = L::select(goes_on, here, starts.draw(zero, L::load(start_words_.data() + at)));
            }
            V next = table.draw(L::shift_right(here, shift), L::load(words_.data() + at));
            if constexpr (kLimit != Limit::none) {
                const V later = L::add(time[c], one);
                V hit = L::equal(later, limit);
                const V goes_on = L::equal(L::both(next, flag_bits), zero);
                if constexpr (kLimit == Limit::truncation) {
                    hit = L::both(hit, goes_on);
                    if (L::any(hit)) {
                        std::array<std::uint32_t, L::kWidth> hits, reached;
                        L::store(hits.data(), hit);
                        L::store(reached.data(), L::shift_right(next, shift));
                        for (Index k = 0; k < L::kWidth; ++k)
                            if (hits[k])
                                cuts.push_back({first_row + t, static_cast<std::int32_t>(lane + c * L::kWidth + k),
                                                static_cast<std::int32_t>(reached[k])});
                    }
                }
                const V ended = L::either(start, L::either(L::both(next, action_bits),
                                                           kLimit == Limit::horizon ? terminated : truncated));
                next = L::select(hit, ended, next);
                time[c] = L::select(L::equal(L::both(next, flag_bits), zero), later, zero);
            }
            L::store(records + at, L::select(low_bits, next, here));
            words[c] = next;
        }
    }
    for (Index c = 0; c < kChains; ++c) {
        L::store(lanes.words.data() + lane + c * L::kWidth, words[c]);
        L::store(lanes.time.data() + lane + c * L::kWidth, time[c]);
    }
}

template <Walker::Limit kLimit, bool kDrawsStarts>
void Walker::walk_fused(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                        std::vector<Cut>& cuts) {
    const auto chains = [&]<class L, int kChains>(L, std::integral_constant<int, kChains>, Index lane) {
        walk_chains<L, kChains, kLimit, kDrawsStarts>(lanes, lane, width, n_steps, first_row, records, cuts);
    };
    using Wide = WidestLanes;
    Index lane = 0;
    if constexpr (Wide::kWidth > 1) {
        const Index left = width / Wide::kWidth;  // at most four chains
        if (left == 4) chains(Wide{}, std::integral_constant<int, 4>{}, 0);
        if (left == 3) chains(Wide{}, std::integral_constant<int, 3>{}, 0);
        if (left == 2) chains(Wide{}, std::integral_constant<int, 2>{}, 0);
        if (left == 1) chains(Wide{}, std::integral_constant<int, 1>{}, 0);
        lane = left * Wide::kWidth;
    }
    for (; lane + 8 <= width; lane += 8) chains(ScalarLanes{}, std::integral_constant<int, 8>{}, lane);
    for (; lane + 4 <= width; lane += 4) chains(ScalarLanes{}, std::integral_constant<int, 4>{}, lane);
    for (; lane + 2 <= width; lane += 2) chains(ScalarLanes{}, std::integral_constant<int, 2>{}, lane);
    for (; lane < width; ++lane) chains(ScalarLanes{}, std::integral_constant<int, 1>{}, lane);
}

/// Stage by stage over the lanes, so that their look-ups in tables beyond the caches wait for memory together.
void Walker::walk_in_two_stages(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                                std::vector<Cut>& cuts) {
    const RecordFormat format = simulator_.format();
    const Index n_actions = simulator_.mdp().n_actions;
    const auto only_start = simulator_.only_start();
    std::array<Index, kBlockLanes> states, actions;
    for (Index t = 0; t < n_steps; ++t) {
        const std::uint32_t* words = words_.data() + 4 * t * width;
        std::uint32_t* row = records + t * width;
        for (Index lane = 0; lane < width; ++lane) {
            std::uint32_t here = lanes.words[lane];
            if (RecordFormat::flags(here))
                here = only_start ? format.pack(*only_start, 0, 0)
                                  : simulator_.starts().draw(0, words[3 * width + lane]);
            states[lane] = format.state(here);
        }
        for (Index lane = 0; lane < width; ++lane)
            actions[lane] = static_cast<Index>(policy_.draw(states[lane], words[lane]));
        for (Index lane = 0; lane < width; ++lane) {
            const std::uint32_t next =
                simulator_.outcome(states[lane] * n_actions + actions[lane], words[width + lane]);
            const bool ends = next == TabularSimulator::kTermination;
            std::uint32_t flags = ends ? std::uint32_t{kTerminated} : 0u;
            if (!ends && words[2 * width + lane] < restart_below_) flags = kRestarted;
            const std::uint32_t later = lanes.time[lane] + 1;
            if (limit_ == Limit::horizon && later == limit_steps_) flags = kTerminated;
            if (limit_ == Limit::truncation && later == limit_steps_ && !flags) {
                flags = kTruncated;
                cuts.push_back({first_row + t, static_cast<std::int32_t>(lane), static_cast<std::int32_t>(next)});
            }
            row[lane] = format.pack(states[lane], actions[lane], flags);
            lanes.words[lane] = format.pack(ends ? 0 : static_cast<Index>(next), actions[lane], flags);
            lanes.time[lane] = flags ? 0 : later;
        }
    }
}

void Walker::walk(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                  std::vector<Cut>& cuts) {
    const bool is_fused = simulator_.is_fused(), draws_starts = !simulator_.only_start();
    const Index n_blocks = is_fused ? (n_steps + 3) >> kFusedBlockBits : n_steps;
    draw_words(lanes, width, n_blocks, Purpose::step, words_.data());
    if (is_fused) {
        if (draws_starts) draw_words(lanes, width, n_blocks, Purpose::start, start_words_.data());
        const auto walk = [&](auto limit) {
            constexpr Limit kLimit = decltype(limit)::value;
            if (draws_starts)
                walk_fused<kLimit, true>(lanes, width, n_steps, first_row, records, cuts);
            else
                walk_fused<kLimit, false>(lanes, width, n_steps, first_row, records, cuts);
        };
        if (limit_ == Limit::none) walk(std::integral_constant<Limit, Limit::none>{});
        if (limit_ == Limit::horizon) walk(std::integral_constant<Limit, Limit::horizon>{});
        if (limit_ == Limit::truncation) walk(std::integral_constant<Limit, Limit::truncation>{});
    } else {
        walk_in_two_stages(lanes, width, n_steps, first_row, records, cuts);
    }
    for (Index lane = 0; lane < width; ++lane) lanes.step[lane] += static_cast<std::uint32_t>(n_steps);
}

}  // namespace npgfast
