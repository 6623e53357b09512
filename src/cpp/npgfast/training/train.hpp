#pragma once

#include "npgfast/training/algorithm.hpp"

namespace npgfast {

/// Everything that one iteration hands to the next, one row per seed; a run continued from it continues bit for bit.
struct TrainState {
    Index n_seeds = 0;
    std::span<const std::uint64_t> seeds;    ///< (n_seeds,)
    MutableReals theta;                      ///< (n_seeds, d)
    MutableReals best_theta;                 ///< (n_seeds, d) the theta of best_objective, or empty
    MutableReals best_objective;             ///< (n_seeds,)
    MutableReals adam_first, adam_second;    ///< (n_seeds, d), or empty without PPO
    MutableReals adam_steps;                 ///< (n_seeds,)
    MutableReals baseline;                   ///< (n_seeds, S) or (n_seeds, H*S), or empty
    std::span<EnvironmentState> environments;  ///< (n_seeds, n_envs), or empty with whole episodes
    MutableReals timesteps;                  ///< (n_seeds,) taken so far
    Reals timestep_limit;                    ///< (n_seeds,) a seed that has taken so many has finished; +inf: never
    MutableReals mass, n_started;            ///< (n_seeds,) of the last rollouts; L_hat = mass / n_started
    std::span<std::uint8_t> finished;        ///< (n_seeds,)
    std::span<std::int64_t> n_done;          ///< (n_seeds,) iterations so far; they key the draws and the schedules
};

/// What saves work without changing a bit of the outcome: for problems without horizon, or empty.
struct Memory {
    MutableReals theta;              ///< (n_seeds, d) the last policy that was evaluated; NaN: none
    MutableReals values, occupancy;  ///< (n_seeds, S) its V and d
    MutableReals effective_horizon;  ///< (n_seeds,) its L
};

/// Runs `n_iterations` of an algorithm for every seed, seeds in parallel.
///
/// Each iteration gathers a batch (exactly from the model, or by a rollout keyed by (seed, iteration)), summarises it,
/// updates theta, and evaluates the new policy exactly. A seed never depends on another, nor on the number of threads
/// or on how iterations are divided into calls. Seeds are the tasks of the threads; where there are more threads than
/// seeds, each seed has several for its rollouts, passes over features and evaluations.
/// Inputs: reachable (S,) from mu through the policy's actions; `start_values` (S,), or empty, where iterative
/// evaluations start (the optimum is closest to what is yet to come), the same in every call of a run; schedules from
/// `first_iteration` <= all n_done on, long enough for n_iterations more of each seed.
/// Outputs: `state` advanced; `memory` of its policies; history (n_seeds, n_iterations, kHistoryColumns), NaN after a
/// seed has finished; initial (n_seeds, 3): objective, regularised objective and entropy before the first of these
/// iterations. An update that makes the policy improper or its value infinite is taken back with `non_finite`.
/// Errors: Interrupted; EvaluationFailure if the first policy has no value. `state` is then unspecified.
void train(const TabularMdp& mdp, const SoftmaxPolicy& policy, Flags reachable, const TrainOptions& options,
           const Schedules& schedules, Index first_iteration, Index n_iterations, TrainState state,
           Reals start_values, const Memory& memory, MutableReals history, MutableReals initial,
           const Interrupt& interrupt);

}  // namespace npgfast
