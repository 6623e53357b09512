#include "npgfast/training/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/gaussian_model.hpp"
#include "npgfast/geometry/softmax_model.hpp"
#include "npgfast/sampling/returns.hpp"

namespace npgfast {

void RunningMoments::add(Reals rows) {
    if (values.empty() || rows.empty()) return;
    const Index d = size(), n = std::ssize(rows) / d;
    const auto added = static_cast<double>(n);
    const double before = values[0], total = before + added;
    std::vector<double> next(values.begin(), values.end());
    for (Index j = 0; j < d; ++j) {
        double mean = 0.0, squares = 0.0;
        for (Index i = 0; i < n; ++i) mean += rows[i * d + j];
        mean /= added;
        for (Index i = 0; i < n; ++i) squares += (rows[i * d + j] - mean) * (rows[i * d + j] - mean);
        const double shift = mean - values[1 + j];
        next[1 + j] += shift * (added / total);
        next[1 + d + j] += squares + shift * shift * (before * added / total);
    }
    next[0] = total;
    if (all_finite(next)) std::copy(next.begin(), next.end(), values.begin());
}

double RunningMoments::variance(Index j) const {
    return values[0] > 0.0 ? values[1 + size() + j] / values[0] : 1.0;
}

LinearPolicy normalized_policy(const LinearPolicy& policy, const RunningMoments& moments, double limit,
                               std::vector<double>& scratch) {
    LinearPolicy result = policy;
    if (moments.values.empty() || moments.values[0] == 0.0) return result;
    const Index d = moments.size();
    scratch.resize(static_cast<std::size_t>(2 * d));
    for (Index j = 0; j < d; ++j) {
        scratch[j] = moments.values[1 + j];
        scratch[d + j] = 1.0 / std::sqrt(moments.variance(j) + 1e-8);
    }
    const Reals view(scratch);
    result.normalizer = {view.first(static_cast<std::size_t>(d)), view.last(static_cast<std::size_t>(d)), limit};
    return result;
}

void start_again(Learner& learner, const Origin& origin) {
    std::copy(origin.theta.begin(), origin.theta.end(), learner.theta.begin());
    std::copy(origin.moments.begin(), origin.moments.end(), learner.observations.values.begin());
    for (const MutableReals& forgotten : {learner.adam_first, learner.adam_second, learner.baseline,
                                          learner.discounted_return.values, learner.returns})
        std::fill(forgotten.begin(), forgotten.end(), 0.0);
    learner.adam_steps = learner.mass = learner.n_started = 0.0;
}

namespace {

/// The columns of the batch that are computed from a recording.
struct Estimates {
    std::vector<double> rewards, weights, discounted_returns, bootstrap;
    std::vector<std::uint8_t> terminated, truncated;
    std::vector<double> values, unexplained, targets, advantages;  // by the baseline
    double mass = 0.0;
    Index n_started = 0;
    double return_mean = 0.0;
    double explained_variance = 0.0;
};

double variance(Reals values) {
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double sum = 0.0;
    for (double value : values) sum += (value - mean) * (value - mean);
    return sum / n;
}

/// Advantages with TD(lambda) errors of the batch's values.
std::vector<double> advantages_of(const Estimates& batch, const TrainOptions& options, const Recording& recording,
                                  double lambda) {
    std::vector<double> advantages(batch.values.size());
    for (Index e = 0; e < recording.n_envs(); ++e) {
        const Index first = recording.offsets[e], length = recording.offsets[e + 1] - first;
        generalized_advantages(length, batch.rewards.data() + first, batch.values.data() + first,
                               batch.terminated.data() + first, batch.truncated.data() + first,
                               batch.bootstrap.data() + first, options.gamma, lambda, advantages.data() + first);
    }
    return advantages;
}

/// Values by the baseline, what it does not explain, and the targets of its next fit.
void set_values(Estimates& batch, const ObservationBaseline& baseline, const TrainOptions& options,
                const Recording& recording, const Learner& learner) {
    batch.values = baseline.predict(learner.baseline, recording.observations, recording.time);
    std::vector<std::int32_t> next_time;
    for (Index entry : recording.cut) next_time.push_back(recording.time[entry] + 1);
    const std::vector<double> next = baseline.predict(learner.baseline, recording.cut_observations, next_time);
    for (std::size_t c = 0; c < next.size(); ++c) batch.bootstrap[recording.cut[c]] = next[c];
    batch.unexplained = batch.targets = advantages_of(batch, options, recording, options.baseline_lambda);
    for (std::size_t i = 0; i < batch.targets.size(); ++i) batch.targets[i] += batch.values[i];
}

/// Advantages, and how much of the targets the baseline explained.
void set_advantages(Estimates& batch, const TrainOptions& options, const Recording& recording) {
    const double unexplained = variance(batch.unexplained), spread = variance(batch.targets);
    batch.explained_variance = spread > 0.0 ? 1.0 - unexplained / spread : 0.0;
    batch.advantages = options.gae_lambda == options.baseline_lambda
                           ? std::move(batch.unexplained)
                           : advantages_of(batch, options, recording, options.gae_lambda);
    if (!options.centers_advantages) return;
    const double mean = dot(batch.weights, batch.advantages);
    for (double& advantage : batch.advantages) advantage -= mean;
}

/// Rewards as they are learned from, returns, ends and weights.
Estimates estimate(const TrainOptions& options, const Recording& recording, Learner& learner) {
    const Index n = recording.n_steps();
    Estimates result;
    result.rewards.assign(recording.rewards.begin(), recording.rewards.end());
    const RunningMoments& scale = learner.discounted_return;
    const bool is_scaled = !scale.values.empty();
    const double unit = is_scaled && scale.values[0] > 0.0 ? 1.0 / std::sqrt(scale.variance(0) + 1e-8) : 0.0;
    double finished_return = 0.0;
    Index n_finished = 0;
    for (Index e = 0; e < recording.n_envs(); ++e) {
        double* so_far = learner.returns.data() + 2 * e;
        for (Index i = recording.offsets[e]; i < recording.offsets[e + 1]; ++i) {
            double& reward = result.rewards[i];
            if (recording.time[i] == 0) {
                so_far[0] = so_far[1] = 0.0;
                ++result.n_started;
            }
            so_far[0] += reward;
            so_far[1] = options.gamma * so_far[1] + reward;
            if (is_scaled) result.discounted_returns.push_back(so_far[1]);
            if (unit > 0.0) reward = std::clamp(reward * unit, -options.reward_limit, options.reward_limit);
            if (options.tau > 0.0) reward -= options.tau * recording.log_probs[i];
            if (recording.flags[i]) {
                finished_return += so_far[0];
                ++n_finished;
            }
        }
    }
    result.return_mean = n_finished > 0 ? finished_return / static_cast<double>(n_finished) : std::nan("");
    result.bootstrap.resize(static_cast<std::size_t>(n), 0.0);
    result.terminated.resize(static_cast<std::size_t>(n));
    result.truncated.resize(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) {
        result.terminated[i] = (recording.flags[i] & kTerminated) != 0;
        result.truncated[i] = recording.flags[i] == kTruncated;
    }
    result.weights.assign(static_cast<std::size_t>(n), 1.0);
    if (options.state_weights == StateWeights::discounted)
        for (Index i = 0; i < n; ++i)
            result.weights[i] = std::pow(options.gamma, static_cast<double>(recording.time[i]));
    result.mass = std::accumulate(result.weights.begin(), result.weights.end(), 0.0);
    for (double& weight : result.weights) weight /= result.mass;
    return result;
}

}  // namespace

Lesson improve(const LinearPolicy& given_policy, const TrainOptions& options, const Schedules& schedules,
               const Turn& turn, const Recording& recording, Learner& learner, Team& team, const Interrupt& interrupt) {
    const Index n = recording.n_steps();
    learner.timesteps += static_cast<double>(n);
    if (!all_finite(recording.observations) || !all_finite(recording.rewards) || !all_finite(recording.actions)) {
        Lesson lesson;
        lesson.report.status = Status::non_finite;
        lesson.return_mean = lesson.entropy = lesson.effective_horizon = lesson.explained_variance = std::nan("");
        return lesson;
    }
    const ObservationBaseline baseline(options.baseline, given_policy.features.observation_size,
                                       options.baseline_time_powers);
    // A policy that does not look at its features yet (W = 0) can take its first normalisation from its first batch.
    LinearPolicy policy = given_policy;
    std::vector<double> scratch;
    const Reals weights =
        learner.theta.first(static_cast<std::size_t>(policy.features.n_features * policy.n_outputs()));
    const bool sets_moments = !learner.observations.values.empty() && learner.observations.values[0] == 0.0 &&
                              std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0.0; });
    if (sets_moments) {
        learner.observations.add(recording.observations);
        policy = normalized_policy(given_policy, learner.observations, options.observation_limit, scratch);
    }
    Estimates batch = estimate(options, recording, learner);
    set_values(batch, baseline, options, recording, learner);
    baseline.fit(learner.baseline, recording.observations, recording.time, batch.targets);
    if (options.fits_baseline_first) set_values(batch, baseline, options, recording, learner);
    set_advantages(batch, options, recording);
    Lesson lesson;
    lesson.return_mean = batch.return_mean;
    lesson.explained_variance = batch.explained_variance;
    lesson.effective_horizon =
        estimate_horizon(batch.mass, batch.n_started, options.n_steps > 0, learner.mass, learner.n_started);

    std::vector<double> features(static_cast<std::size_t>(n * policy.features.n_features));
    policy.feature_rows(recording.observations, features, team);
    const AdamState adam{learner.adam_first, learner.adam_second, learner.adam_steps};
    const auto update = [&](const LocalModel& model) {
        const double objective = std::isnan(batch.return_mean) ? 0.0 : batch.return_mean;
        lesson.report = run_update(options, schedules, turn, {model, learner.theta, objective, options.tau},
                                   {batch.weights, batch.advantages, recording.log_probs}, adam, interrupt);
    };
    if (policy.is_gaussian()) {
        const GaussianPolicy gaussian{n,        policy.features.n_features, policy.action_size,
                                      features, policy.log_std_min,         policy.log_std_max};
        const RowBatch rows{recording.actions, batch.weights, batch.advantages, recording.log_probs,
                            lesson.effective_horizon};
        lesson.entropy = gaussian_entropy(gaussian.log_std(learner.theta));
        update(GaussianModel(gaussian, learner.theta, rows, team));
    } else {
        const Index n_actions = policy.n_actions;
        const SoftmaxPolicy softmax{n, n_actions, policy.n_params(), features, {}, {}, policy.features.n_features};
        const Batch entries{{}, recording.choices, batch.weights, batch.advantages, recording.log_probs,
                            lesson.effective_horizon, false};
        PolicyTable table{std::vector<double>(static_cast<std::size_t>(n * n_actions)), {}};
        table.probs.resize(table.log_probs.size());
        policy_table(softmax, learner.theta, table.log_probs, table.probs, team);
        const BatchSummary summary = summarize(entries, n, n_actions);
        const std::vector<double> entropies = state_entropies(table, n_actions);
        lesson.entropy = dot(batch.weights, entropies);
        update(SoftmaxModel(softmax, table, summary, &entries, team));
    }
    if (moves_theta(lesson.report.status))
        std::copy(lesson.report.theta.begin(), lesson.report.theta.end(), learner.theta.begin());
    if (!sets_moments) learner.observations.add(recording.observations);
    learner.discounted_return.add(batch.discounted_returns);
    return lesson;
}

}  // namespace npgfast
