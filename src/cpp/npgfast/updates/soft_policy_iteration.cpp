#include "npgfast/updates/soft_policy_iteration.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr double kSmallestLogit = -1e4;  // stands for the logarithm of 0 in theta, which must stay finite

/// The best action of a state and what it gains over the policy; pair -1 where samples say nothing.
struct Best {
    Index pair = -1;
    double gain = 0.0;
};

Best best_action(const SoftmaxModel& model, Reals advantages, Index state) {
    const BatchSummary& summary = model.summary;
    const bool is_sampled = summary.advantages.empty();
    Best best;
    double mean = 0.0, mass = 0.0;
    for (Index pair = state * model.policy.n_actions; pair < (state + 1) * model.policy.n_actions; ++pair) {
        const double share = is_sampled ? summary.pair_weights.table[pair] : model.table.probs[pair];
        if (!model.policy.mask[pair] || (is_sampled && share == 0.0)) continue;
        if (best.pair < 0 || advantages[pair] > advantages[best.pair]) best.pair = pair;
        mean += share * advantages[pair];
        mass += share;
    }
    if (best.pair >= 0) best.gain = advantages[best.pair] - mean / mass;
    return best;
}

UpdateReport start_report(const SoftmaxModel& model, const UpdateInput& input, Reals advantages) {
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.gradient_norm = norm(model.gradient());
    double gain = 0.0;
    for (Index s = 0; s < model.policy.n_states; ++s) gain = std::max(gain, best_action(model, advantages, s).gain);
    if (!all_finite(advantages))
        report.status = Status::non_finite;
    else if (model.summary.effective_horizon * gain < negligible_gain(input.objective))
        report.status = Status::zero_gradient;
    return report;
}

}  // namespace

UpdateReport soft_policy_iteration_step(const SoftmaxModel& model, const UpdateInput& input, Reals advantages,
                                        double step_size) {
    UpdateReport report = start_report(model, input, advantages);
    if (!moves_theta(report.status)) return report;
    const double horizon = model.summary.effective_horizon;
    double eta = step_size;
    if (input.tau > 0.0) eta = std::min(eta, 1.0 / (input.tau * horizon));
    std::vector<double> direction(advantages.begin(), advantages.end());
    for (std::size_t i = 0; i < direction.size(); ++i)
        direction[i] = model.policy.mask[i] ? horizon * direction[i] : 0.0;
    take_step(input, direction, eta, report);
    return report;
}

UpdateReport conservative_policy_iteration_step(const SoftmaxModel& model, const UpdateInput& input, Reals advantages,
                                                double mixture, double gamma, Index horizon) {
    UpdateReport report = start_report(model, input, advantages);
    if (!moves_theta(report.status)) return report;
    const Index n_states = model.policy.n_states;
    std::vector<Index> greedy(static_cast<std::size_t>(n_states));
    double expected_gain = 0.0, largest = 0.0;
    const double negligible = negligible_gain(input.objective) / model.summary.effective_horizon;
    for (Index s = 0; s < n_states; ++s) {
        const Best best = best_action(model, advantages, s);
        greedy[s] = best.gain > negligible ? best.pair : -1;  // a state without anything to gain stays
        expected_gain += model.summary.state_weights[s] * best.gain;
        largest = std::max(largest, best.gain);
    }
    double alpha = mixture;
    if (alpha <= 0.0) {
        const double rate = gamma < 1.0 ? 1.0 - gamma : 1.0 / static_cast<double>(horizon);
        alpha = gamma > 0.0 ? std::min(1.0, rate * expected_gain / (4.0 * gamma * largest)) : 1.0;
    }
    for (Index pair = 0; pair < model.policy.n_pairs(); ++pair) {
        const Index chosen = greedy[pair / model.policy.n_actions];
        if (!model.policy.mask[pair] || chosen < 0) continue;
        const double kept = (1.0 - alpha) * model.table.probs[pair];
        const double mass = pair == chosen ? kept + alpha : kept;
        report.theta[pair] = mass > 0.0 ? std::log(mass) : kSmallestLogit;
    }
    const Move move = model.move(report.theta);
    report.kl = move.kl;
    report.surrogate = move.gain;
    report.step_size = alpha;
    return report;
}

}  // namespace npgfast
