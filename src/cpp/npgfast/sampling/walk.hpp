#pragma once

#include <array>
#include <vector>

#include "npgfast/base/buffer.hpp"
#include "npgfast/base/philox.hpp"
#include "npgfast/sampling/tabular_simulator.hpp"

namespace npgfast {

/// Environments that are played side by side.
inline constexpr Index kBlockLanes = 32;

/// Where up to 32 environments stand. `words` hold the record of the last step with the state that it led to in place
/// of its own; flags say that the next step starts an episode. Places beyond the last environment play on unseen.
struct LaneStates {
    alignas(64) std::array<std::uint32_t, kBlockLanes> words{};
    alignas(64) std::array<std::uint32_t, kBlockLanes> time{};  ///< kept only where an episode has a limit
    alignas(64) std::array<std::uint32_t, kBlockLanes> environment{};
    alignas(64) std::array<std::uint32_t, kBlockLanes> step{};  ///< of the draws; a multiple of 4 in fused walks
};

/// Plays a tabular problem, a few steps of up to 32 environments at a time.
///
/// Fused, a step takes one word, four steps one Philox block of (seed; iteration, environment, step / 4): its high bits
/// pick the column of the state's row, the rest meets the threshold, and the outcome replaces action and flags of the
/// record and is the next state. Where episodes start in one state, the outcomes that end one lead there; else a start
/// is drawn, with words of its own, by those lanes that need it.
/// In two stages, a step takes the four words of a block: action, successor, restart and start.
/// Tiling: 4 x 8 lanes with AVX2. A step loads one entry of 16 bytes, which holds the threshold and both outcomes, and
/// takes 1.2 ns on one core of Zen 3, of which half are the multiplications of Philox and half the loads and shuffles
/// that bring the entries of eight lanes together. 8 interleaved scalar chains elsewhere and for fewer than 8
/// environments, bound by latency (6 ns for one alone).
class Walker {
public:
    Walker(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options);

    /// The word of an environment that starts an episode next.
    std::uint32_t fresh() const { return fresh_; }
    /// Steps that one call plays: at most.
    static constexpr Index kMostSteps = 64;

    /// Plays n_steps <= kMostSteps (from a multiple of 4) of `width` environments, a multiple of 8 or below it; appends
    /// truncated steps to `cuts`, rows counting from `first_row`. Outputs: records (n_steps, width), lanes.
    void walk(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
              std::vector<Cut>& cuts);

    enum class Limit { none, horizon, truncation };

private:
    void draw_words(const LaneStates& lanes, Index width, Index n_blocks, Purpose purpose, std::uint32_t* words);
    template <Limit kLimit, bool kDrawsStarts>
    void walk_fused(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                    std::vector<Cut>& cuts);
    template <class L, int kChains, Limit kLimit, bool kDrawsStarts>
    void walk_chains(LaneStates& lanes, Index lane, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                     std::vector<Cut>& cuts);
    void walk_in_two_stages(LaneStates& lanes, Index width, Index n_steps, Index first_row, std::uint32_t* records,
                            std::vector<Cut>& cuts);

    const TabularSimulator& simulator_;
    const AliasTable& policy_;
    const RolloutOptions& options_;
    std::uint32_t fresh_ = 0;
    Limit limit_ = Limit::none;
    std::uint32_t limit_steps_ = 0;
    std::uint64_t restart_below_ = 0;
    Buffer<std::uint32_t> words_, start_words_, transposed_;
};

}  // namespace npgfast
