#pragma once

#include "npgfast/sampling/baseline.hpp"
#include "npgfast/sampling/sample.hpp"
#include "npgfast/updates/npg.hpp"
#include "npgfast/updates/ppo.hpp"
#include "npgfast/updates/trpo.hpp"

namespace npgfast {

enum class Algorithm : int {
    policy_gradient = 0,
    natural_policy_gradient,
    soft_policy_iteration,
    conservative_policy_iteration,
    trpo,
    ppo,
};

/// What stays the same over a run. Fields that an algorithm or a kind of problem does not use are ignored.
struct TrainOptions {
    Algorithm algorithm = Algorithm::trpo;
    bool sampled = false;
    double tau = 0.0;
    NaturalGradientOptions natural_gradient;
    double backtrack_factor = 0.8;
    Index max_backtracks = 20;
    double mixture = 0.0;
    PpoOptions ppo;  // its learning_rate, clip_range, entropy_coefficient, seed and iteration are set per iteration
    // sampling
    Index n_envs = 1;   ///< environments; with n_steps = 0, episodes
    Index n_steps = 0;  ///< per environment and iteration; 0: whole episodes
    StateWeights state_weights = StateWeights::discounted;
    double gae_lambda = 1.0;
    bool use_baseline = true;
    // sampling of environments with observations
    double gamma = 1.0;
    BaselineKind baseline = BaselineKind::none;
    Index baseline_time_powers = 3;
    double baseline_lambda = 1.0;      ///< of the returns that the baseline is fitted to
    bool centers_advantages = true;    ///< subtracts their weighted mean, a constant baseline of the same batch
    bool fits_baseline_first = false;  ///< on the batch that it then corrects, which biases, instead of the one before
    double observation_limit = 10.0;  ///< of normalised observations
    double reward_limit = 10.0;       ///< of scaled rewards
    Index restart_after = 0;  ///< iterations without reaching the target after which a seed starts again; 0: never
    Index n_evaluation_episodes = 0;
    bool evaluate_deterministically = true;
    // the end of a run
    double target = 0.0;  ///< stop a seed whose objective reaches it; +inf: never
    int n_threads = 1;
};

/// One number per iteration, from `first_iteration` on. Those that an algorithm does not use are ignored.
struct Schedules {
    Reals step_size;
    Reals max_kl;
    Reals radius;
    Reals clip_range;
    Reals learning_rate;
    Reals entropy_coefficient;
};

/// The columns of the history, in this order (npgfast.training names them).
enum HistoryColumn : int {
    kObjective = 0,
    kRegularizedObjective,
    kReturnMean,
    kEvaluation,
    kEntropy,
    kKl,
    kSurrogate,
    kGradientNorm,
    kStepSize,
    kStatus,
    kTimesteps,
    kEffectiveHorizon,
    kExplainedVariance,
    kSolverIterations,
    kBacktracks,
    kClipFraction,
    kSeconds,
    kHistoryColumns,
};

/// Fills in the columns that are read off the report of an update.
void record_update(MutableReals row, const UpdateReport& report);

/// Seed and number of an iteration: the key of its draws and schedules, which start at `first_iteration`.
struct Turn {
    std::uint64_t seed = 0;
    Index iteration = 0;
    Index first_iteration = 0;

    Index scheduled() const { return iteration - first_iteration; }
};

/// One update by any algorithm that works on every kind of policy; soft and conservative policy iteration, which are
/// tabular, are the caller's. `entries` and `adam` are PPO's.
/// Errors: std::logic_error for the tabular algorithms.
UpdateReport run_update(const TrainOptions& options, const Schedules& schedules, const Turn& turn,
                        const UpdateInput& input, const PpoEntries& entries, AdamState adam,
                        const Interrupt& interrupt);

/// A resumed rollout may start few episodes or none. Its estimate of L is the sum of the weights over the episodes
/// started, and what is missing of 32 of those comes from earlier ones: `mass` and `n_started` are carried on.
double estimate_horizon(double batch_mass, Index batch_started, bool is_resumed, double& mass, double& n_started);

}  // namespace npgfast
