#pragma once

#include "npgfast/sampling/simulation.hpp"
#include "npgfast/training/algorithm.hpp"

namespace npgfast {

/// Running mean and sum of squared deviations of vectors, in one flat array: count, means (D,), sums (D,).
/// Rows whose moments overflow (those of a simulation that diverges) are left out.
/// Source: Chan, Golub & LeVeque 1983 (merging batches).
struct RunningMoments {
    MutableReals values;  ///< (1 + 2 D,), or empty: none are kept

    Index size() const { return (std::ssize(values) - 1) / 2; }
    void add(Reals rows);
    double variance(Index j) const;  ///< population variance; 1 before any row
};

/// Everything that one iteration hands to the next, for one seed of an environment with observations.
struct Learner {
    MutableReals theta;                    ///< (d,)
    MutableReals adam_first, adam_second;  ///< (d,), or empty without PPO
    double& adam_steps;
    MutableReals baseline;             ///< (ObservationBaseline::state_size,)
    RunningMoments observations;       ///< of all observations; kept if they are normalised
    RunningMoments discounted_return;  ///< of the discounted rewards to date; kept if rewards are scaled
    MutableReals returns;              ///< (n_envs, 2) of the episode so far: undiscounted, discounted and unscaled
    double& timesteps;
    double& mass;
    double& n_started;
};

/// Where a learner starts: theta (d,), and moments of the observations (1 + 2 D,) or none.
struct Origin {
    Reals theta;
    Reals moments;
};

/// Forgets all that has been learned. Timesteps go on.
void start_again(Learner& learner, const Origin& origin);

/// What an iteration did, besides its update.
struct Lesson {
    UpdateReport report;
    double return_mean = 0.0;  ///< undiscounted, over the episodes that ended in the batch; NaN if none did
    double effective_horizon = 0.0;
    double entropy = 0.0;             ///< mean over the batch, nats, before the update
    double explained_variance = 0.0;  ///< 1 - Var(returns - baseline) / Var(returns)
};

/// The policy as the learner has it: with the normalisation that its moments say. `scratch` holds that, (2 D,).
LinearPolicy normalized_policy(const LinearPolicy& policy, const RunningMoments& moments, double limit,
                               std::vector<double>& scratch);

/// One iteration from a recorded batch.
///
///     rewards (scaled) -> baseline values -> GAE, weights -> features -> update -> next baseline, next moments
///
/// The baseline was fitted to the batch before, unless options.fits_baseline_first, and normalisation and scaling were
/// fixed by the batches before, so that the batch has one policy and is not corrected by itself; only the very first
/// normalisation is taken from its own batch, while W = 0. Rewards are scaled by 1 / std of the discounted reward to
/// date and held to +-reward_limit.
/// Inputs: the policy with its normalisation, as it acted; the recording. Output: the learner advanced, but theta only
/// if the status moves it. A recording that is not finite (a diverged simulation) is `non_finite` and teaches nothing.
/// Cost: that of the update, and n (m D + p^2).
/// Source: Schulman et al. 2016 (advantages); Duan et al. 2016 (baselines); Engstrom et al. 2020 (scaling).
Lesson improve(const LinearPolicy& given_policy, const TrainOptions& options, const Schedules& schedules,
               const Turn& turn, const Recording& recording, Learner& learner, Team& team, const Interrupt& interrupt);

}  // namespace npgfast
