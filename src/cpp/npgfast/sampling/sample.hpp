#pragma once

#include <vector>

#include "npgfast/sampling/rollout.hpp"

namespace npgfast {

/// How the steps of a rollout are weighted against the discounted occupancy.
enum class StateWeights : int {
    discounted = 0,  ///< gamma^time; unbiased over whole episodes
    geometric = 1,   ///< equal, with restarts of probability 1 - gamma; unbiased over whole episodes
    uniform = 2,     ///< equal, no restarts: the deep-RL habit, biased for gamma < 1
};

struct SampleOptions {
    StateWeights state_weights = StateWeights::discounted;
    double gae_lambda = 1.0;
    Reals baseline;   ///< (S,), or (H, S) indexed by time with a horizon; empty: none
    double tau = 0.0;  ///< adds -tau log pi(a|s) to each reward
    Reals log_probs;  ///< (S*A,), read if tau > 0
};

/// What a rollout says about its policy: the entries of a batch, and returns to fit the next baseline to.
struct Sample {
    std::vector<std::int32_t> states, actions, time;  ///< (n,), environment after environment
    std::vector<double> weights;     ///< sum 1
    std::vector<double> advantages;  ///< reward
    std::vector<double> returns;     ///< advantages + baseline: targets of the next fit
    double mass = 0.0;               ///< sum of gamma^time, or the number of steps
    Index n_started = 0;             ///< episodes; L_hat = mass / n_started
    double return_mean = 0.0;        ///< undiscounted reward per episode that began and ended here, NaN if none did
};

/// Weights, advantages and effective horizon of a rollout. With tau > 0 the advantages estimate A_tau.
///
/// With geometric restarts the process itself discounts, so rewards are summed without gamma up to the restart.
/// Episodes cut by the end of a rollout or truncated bootstrap with the baseline (0 without one): that biases, whole
/// episodes do not. Cost: two passes over the steps of an environment; 32 environments are a task. 36
/// bytes are written per step.
/// Source: Sutton et al. 1999 (discounted weights); Schulman et al. 2016 (advantages); Thomas 2014 on the bias of
/// `uniform`.
Sample weigh(const TabularMdp& mdp, const Rollout& rollout, const SampleOptions& options, int n_threads,
             const Interrupt& interrupt);

/// The step after which a discounted episode may be cut: gamma^t / (1 - gamma) < 1e-16, or 0 (never) at gamma = 1.
Index negligible_time(double gamma);

/// How a batch with these weights is played: restarts for `geometric`; otherwise whole episodes, and episodes whose
/// weights fade, end at the negligible time.
RolloutOptions rollout_for(const TabularMdp& mdp, StateWeights state_weights, Index n_envs, Index n_steps);

}  // namespace npgfast
