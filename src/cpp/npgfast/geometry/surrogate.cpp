#include "npgfast/geometry/surrogate.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/geometry/kl.hpp"

namespace npgfast {

namespace {
constexpr double kLogRatioLimit = 700.0;

double held_log_ratio(double new_log_prob, double old_log_prob) {
    return std::clamp(new_log_prob - old_log_prob, -kLogRatioLimit, kLogRatioLimit);
}
}  // namespace

double importance_ratio(double new_log_prob, double old_log_prob) {
    return std::exp(held_log_ratio(new_log_prob, old_log_prob));
}

Surrogate surrogate(const SoftmaxPolicy& policy, const PolicyTable& table, const Batch& batch, double clip_range) {
    Surrogate result;
    std::vector<double> coefficients(table.probs.size(), 0.0);
    for (Index i = 0; i < batch.size(); ++i) {
        if (batch.weights[i] == 0.0) continue;
        const Index pair = Index{batch.states[i]} * policy.n_actions + batch.actions[i];
        const double log_ratio = held_log_ratio(table.log_probs[pair], batch.log_probs[i]);
        const double ratio = std::exp(log_ratio), advantage = batch.advantages[i];
        const double share = batch.effective_horizon * batch.weights[i] * advantage;
        const bool clipped = advantage > 0.0 ? ratio > 1.0 + clip_range : advantage < 0.0 && ratio < 1.0 - clip_range;
        if (clipped) {
            result.value += share * (advantage > 0.0 ? 1.0 + clip_range : 1.0 - clip_range);
            result.clip_fraction += batch.weights[i];
        } else {
            result.value += share * ratio;
            coefficients[pair] += share * ratio;
        }
        result.approx_kl += batch.weights[i] * exp_minus_one_minus(log_ratio);
    }
    center_by_policy(table.probs, policy.n_actions, coefficients);
    result.gradient.resize(static_cast<std::size_t>(policy.n_params));
    policy.project(coefficients, result.gradient);
    return result;
}

double surrogate_gain(const BatchSummary& summary, const PolicyTable& old_table, const PolicyTable& new_table) {
    double gain = 0.0;
    for (std::size_t i = 0; i < summary.weighted_advantages.size(); ++i)
        if (summary.weighted_advantages[i] != 0.0)
            gain += summary.weighted_advantages[i] *
                    std::expm1(held_log_ratio(new_table.log_probs[i], old_table.log_probs[i]));
    return summary.effective_horizon * gain;
}

}  // namespace npgfast
