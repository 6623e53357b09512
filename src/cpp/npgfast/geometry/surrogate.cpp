#include "npgfast/geometry/surrogate.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/geometry/kl.hpp"

namespace npgfast {

namespace {
double held_log_ratio(double new_log_prob, double old_log_prob) {
    return std::clamp(new_log_prob - old_log_prob, -kLogRatioLimit, kLogRatioLimit);
}
}  // namespace

double Surrogate::add(double new_log_prob, double old_log_prob, double weight, double advantage,
                      double effective_horizon, double clip_range) {
    const double log_ratio = held_log_ratio(new_log_prob, old_log_prob);
    const double ratio = std::exp(log_ratio);
    const double share = effective_horizon * weight * advantage;
    approx_kl += weight * exp_minus_one_minus(log_ratio);
    const bool clipped = advantage > 0.0 ? ratio > 1.0 + clip_range : advantage < 0.0 && ratio < 1.0 - clip_range;
    if (clipped) {
        value += share * (advantage > 0.0 ? 1.0 + clip_range : 1.0 - clip_range);
        clip_fraction += weight;
        return 0.0;
    }
    value += share * ratio;
    return share * ratio;
}

Surrogate surrogate(const SoftmaxPolicy& policy, const PolicyView& table, const Batch& batch, double clip_range,
                    Team& team) {
    Surrogate result;
    const Index n_actions = policy.n_actions;
    std::vector<double> coefficients(table.probs.size(), 0.0);
    for (Index i = 0; i < batch.size(); ++i) {
        if (batch.weights[i] == 0.0) continue;
        const Index pair = batch.state(i) * n_actions + batch.actions[i];
        coefficients[pair] += result.add(table.log_probs[pair], batch.log_probs[i], batch.weights[i],
                                         batch.advantages[i], batch.effective_horizon, clip_range);
    }
    result.gradient.resize(static_cast<std::size_t>(policy.n_params));
    const auto visit = [&](Index first, Index last, double* block, double*) {
        const auto start = static_cast<std::size_t>(first * n_actions);
        const auto size = static_cast<std::size_t>((last - first) * n_actions);
        std::copy_n(coefficients.begin() + first * n_actions, size, block);
        center_by_policy(table.probs.subspan(start, size), n_actions, {block, size});
    };
    RowSweep(policy.rows(), team)({}, visit, result.gradient);
    return result;
}

double ratio_minus_one(double new_log_prob, double old_log_prob) {
    return std::expm1(held_log_ratio(new_log_prob, old_log_prob));
}

}  // namespace npgfast
