#pragma once

#include <vector>

#include "npgfast/base/interrupt.hpp"
#include "npgfast/problems/tabular_mdp.hpp"
#include "npgfast/sampling/alias_table.hpp"
#include "npgfast/sampling/recording.hpp"

namespace npgfast {

/// Alias tables of an MDP's kernel and start; built once for a problem.
class TabularSimulator {
public:
    explicit TabularSimulator(const TabularMdp& mdp);

    std::int32_t start(std::uint64_t word) const {
        return draw_alias(start_.data(), std::ssize(start_), word);
    }
    /// The successor of pair s * n_actions + a, or -1 for termination.
    std::int32_t step(Index pair, std::uint64_t word) const {
        return draw_alias(columns_.data() + offsets_[pair], offsets_[pair + 1] - offsets_[pair], word);
    }
    const TabularMdp& mdp() const { return mdp_; }

private:
    TabularMdp mdp_;
    std::vector<AliasColumn> columns_, start_;
    std::vector<std::int64_t> offsets_;
};

/// Alias tables (S*A) of a stationary policy; rebuilt for every update.
std::vector<AliasColumn> policy_alias_table(Reals probs, Index n_actions);

/// One action for each of n states; action i is a function of (seed, i) and the state's distribution alone.
std::vector<std::int32_t> sample_actions(std::span<const AliasColumn> policy, Index n_actions, Integers states,
                                         std::uint64_t seed);

struct RolloutOptions {
    Index n_envs = 1;             ///< with n_episodes: the number of episodes, each its own environment
    Index n_steps = 0;            ///< per environment; 0: one whole episode per environment
    Index max_episode_steps = 0;  ///< an episode that reaches it is truncated; 0: never
    double restart_probability = 0.0;
    std::uint64_t seed = 0;
    std::uint32_t iteration = 0;
    int n_threads = 1;
};

/// The steps of every environment one after another; environment e owns [offsets[e], offsets[e+1]).
struct Rollout {
    std::vector<Index> offsets;
    std::vector<std::int32_t> states, actions, next_states, time;
    std::vector<std::uint8_t> flags;

    Index n_envs() const { return std::ssize(offsets) - 1; }
    Index n_steps() const { return std::ssize(states); }
};

/// Where an environment stands between two rollouts: state -1 before its first episode.
struct EnvironmentState {
    std::int32_t state = -1;
    std::int32_t time = 0;
};

/// Plays a tabular MDP under a policy in many environments.
///
/// Per step: one Philox block for (seed; iteration, environment, step), two alias draws, no branch on the past of other
/// environments; so the result depends on nothing else, threads included. An environment whose episode ends starts the
/// next one in the same call (n_steps > 0) or stops (n_steps = 0).
/// Inputs: the simulator, the policy's alias tables, options; `environments` (n_envs,) or empty for fresh starts, read
/// and, with n_steps, advanced. Outputs: states s_t, actions a_t, the state each step reached (-1 after termination),
/// the time of s_t within its episode, flags.
/// Preconditions: with n_steps = 0 every episode ends with probability 1.
/// Cost: about 25 ns per step and core. Errors: std::invalid_argument if a whole episode exceeds 2^26 steps.
/// Source: Salmon et al. 2011 (counter-based streams); Walker 1977 (alias draws).
Rollout rollout(const TabularSimulator& simulator, std::span<const AliasColumn> policy, const RolloutOptions& options,
                std::span<EnvironmentState> environments, const Interrupt& interrupt);

}  // namespace npgfast
