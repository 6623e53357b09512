#pragma once

#include "npgfast/training/learner.hpp"

namespace npgfast {

/// The learners of all seeds, one row per seed, and what a run keeps beside them; a run continued from it continues bit
/// for bit.
struct SimulatedState {
    Index n_seeds = 0;
    std::span<const std::uint64_t> seeds;         ///< (n_seeds,)
    MutableReals theta, adam_first, adam_second;  ///< (n_seeds, d); the last two without columns unless PPO
    MutableReals adam_steps;                      ///< (n_seeds,)
    MutableReals baseline;                        ///< (n_seeds, ...), as all below
    MutableReals observation_moments, return_moments;
    MutableReals returns;
    MutableReals environments;                    ///< (n_seeds, n_envs, standing_size), or empty with whole episodes
    MutableReals best_theta, best_moments;        ///< of best_objective; without columns unless it is kept
    MutableReals best_objective;                  ///< (n_seeds,) mean return of the evaluation episodes
    MutableReals timesteps, mass, n_started;      ///< (n_seeds,)
    Reals timestep_limit;                         ///< (n_seeds,)
    std::span<std::uint8_t> finished;             ///< (n_seeds,)
    std::span<std::int64_t> n_done;               ///< (n_seeds,)
    std::span<std::int64_t> started_at;           ///< (n_seeds,) iteration of the last start, or success
};

/// The learner of seed k.
Learner learner_of(const SimulatedState& state, Index k);

/// Writes one row of the history.
void record_lesson(MutableReals row, const Lesson& lesson, double evaluation, double timesteps, double seconds);

/// Runs `n_iterations` of an algorithm on a simulated environment for every seed, seeds in parallel.
///
/// Each iteration plays a batch, improves the policy from it (see learner.hpp) and, if the best iterate is kept or
/// a target is set, compares the new policy with the best: it plays evaluation episodes in rounds of 1, 1, 2, 4,
/// ... up to n_evaluation_episodes, and gives up after a round that leaves its mean below the best one's. Policies
/// are compared on the same episodes. A seed that has not reached the target within restart_after iterations of its
/// last start begins again at `origin` before the next one: the time to solve a problem can have a tail so heavy
/// that this shortens it. Seeds share the threads as in train.hpp; an iteration costs its simulation, its
/// improvement and its evaluation episodes.
/// Inputs: schedules from `first_iteration` on, as in train.hpp.
/// Outputs: `state` advanced; history (n_seeds, n_iterations, kHistoryColumns), NaN where there is nothing to say and
/// after a seed has finished. A seed finishes when its evaluation reaches the target, or its steps their limit.
/// Source: Luby, Sinclair & Zuckerman 1993 (restarts); Maron & Moore 1994 (racing).
/// Errors: Interrupted; std::invalid_argument for an endless episode. `state` is then unspecified.
void train_simulated(const Environment& environment, const LinearPolicy& policy, const TrainOptions& options,
                     const Schedules& schedules, const Origin& origin, Index first_iteration, Index n_iterations,
                     const SimulatedState& state, MutableReals history, const Interrupt& interrupt);

}  // namespace npgfast
