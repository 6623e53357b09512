#include "npgfast/updates/soft_policy_iteration.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/policy_gradient.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

namespace {

constexpr double kSmallestLogit = -1e4;  // stands for the logarithm of 0 in theta, which must stay finite

/// The best action of a state and what it gains over the policy; pair -1 where samples say nothing.
struct Best {
    Index pair = -1;
    double gain = 0.0;
};

Best best_action(const UpdateInput& input, Reals advantages, Index state) {
    const BatchSummary& summary = input.summary;
    const bool is_sampled = summary.advantages.empty();
    Best best;
    double mean = 0.0, mass = 0.0;
    for (Index pair = state * input.policy.n_actions; pair < (state + 1) * input.policy.n_actions; ++pair) {
        const double share = is_sampled ? summary.pair_weights[pair] : input.table.probs[pair];
        if (!input.policy.mask[pair] || (is_sampled && share == 0.0)) continue;
        if (best.pair < 0 || advantages[pair] > advantages[best.pair]) best.pair = pair;
        mean += share * advantages[pair];
        mass += share;
    }
    if (best.pair >= 0) best.gain = advantages[best.pair] - mean / mass;
    return best;
}

UpdateReport start_report(const UpdateInput& input, Reals advantages) {
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.gradient_norm = norm(policy_gradient(input.policy, input.table.probs, input.summary));
    double gain = 0.0;
    for (Index s = 0; s < input.policy.n_states; ++s) gain = std::max(gain, best_action(input, advantages, s).gain);
    if (!all_finite(advantages))
        report.status = Status::non_finite;
    else if (input.summary.effective_horizon * gain < negligible_gain(input.objective))
        report.status = Status::zero_gradient;
    return report;
}

}  // namespace

UpdateReport soft_policy_iteration_step(const UpdateInput& input, Reals advantages, double step_size) {
    UpdateReport report = start_report(input, advantages);
    if (!moves_theta(report.status)) return report;
    const double horizon = input.summary.effective_horizon;
    double eta = step_size;
    if (input.tau > 0.0) eta = std::min(eta, 1.0 / (input.tau * horizon));
    std::vector<double> direction(advantages.begin(), advantages.end());
    for (std::size_t i = 0; i < direction.size(); ++i) direction[i] = input.policy.mask[i] ? horizon * direction[i] : 0.0;
    take_step(input, direction, eta, report);
    return report;
}

UpdateReport conservative_policy_iteration_step(const UpdateInput& input, Reals advantages, double mixture,
                                                double gamma, Index horizon) {
    UpdateReport report = start_report(input, advantages);
    if (!moves_theta(report.status)) return report;
    const Index n_states = input.policy.n_states;
    std::vector<Index> greedy(static_cast<std::size_t>(n_states));
    double expected_gain = 0.0, largest = 0.0;
    const double negligible = negligible_gain(input.objective) / input.summary.effective_horizon;
    for (Index s = 0; s < n_states; ++s) {
        const Best best = best_action(input, advantages, s);
        greedy[s] = best.gain > negligible ? best.pair : -1;  // a state without anything to gain stays
        expected_gain += input.summary.state_weights[s] * best.gain;
        largest = std::max(largest, best.gain);
    }
    double alpha = mixture;
    if (alpha <= 0.0) {
        const double rate = gamma < 1.0 ? 1.0 - gamma : 1.0 / static_cast<double>(horizon);
        alpha = gamma > 0.0 ? std::min(1.0, rate * expected_gain / (4.0 * gamma * largest)) : 1.0;
    }
    for (Index pair = 0; pair < input.policy.n_pairs(); ++pair) {
        const Index chosen = greedy[pair / input.policy.n_actions];
        if (!input.policy.mask[pair] || chosen < 0) continue;
        const double kept = (1.0 - alpha) * input.table.probs[pair];
        const double mass = pair == chosen ? kept + alpha : kept;
        report.theta[pair] = mass > 0.0 ? std::log(mass) : kSmallestLogit;
    }
    const PolicyTable next = policy_table(input.policy, report.theta);
    report.kl = mean_kl(input.table, next, input.summary.state_weights, input.policy.n_actions);
    report.surrogate = surrogate_gain(input.summary, input.table, next);
    report.step_size = alpha;
    return report;
}

}  // namespace npgfast
