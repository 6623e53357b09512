#include "npgfast/updates/npg.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/policy_gradient.hpp"

namespace npgfast {

namespace {

/// max_s L (soft max_a A - E_pi A) over the states with weight: how much the best action would gain anywhere.
double greedy_gain(const UpdateInput& input) {
    const Index n_actions = input.policy.n_actions;
    double largest = 0.0;
    for (Index s = 0; s < input.policy.n_states; ++s) {
        if (!(input.summary.state_weights[s] > 0.0)) continue;
        double best = -HUGE_VAL, mean = 0.0;
        for (Index pair = s * n_actions; pair < (s + 1) * n_actions; ++pair) {
            if (!input.policy.mask[pair]) continue;
            best = std::max(best, input.summary.advantages[pair]);
            mean += input.table.probs[pair] * input.summary.advantages[pair];
        }
        largest = std::max(largest, best - mean);
    }
    return input.summary.effective_horizon * largest;
}

}  // namespace

Ascent ascend(const UpdateInput& input, const NaturalGradientOptions& options) {
    const std::vector<double> gradient = policy_gradient(input.policy, input.table.probs, input.summary);
    Ascent ascent;
    ascent.gradient_norm = norm(gradient);
    ascent.natural = natural_gradient(input.policy, input.table.probs, input.summary, gradient, options);
    const Reals direction = ascent.natural.direction;
    ascent.slope = dot(gradient, direction);
    const Estimator estimator =
        options.solver == Solver::regression ? Estimator::empirical : options.estimator;
    FisherOperator fisher(input.policy, input.table.probs, input.summary, estimator, 0.0);
    ascent.curvature = fisher.quadratic(direction);
    ascent.knows_all_actions = input.policy.is_tabular() && !input.summary.advantages.empty();
    if (ascent.knows_all_actions) ascent.greedy_gain = greedy_gain(input);
    return ascent;
}

UpdateReport npg_step(const UpdateInput& input, const NpgOptions& options) {
    const Ascent ascent = ascend(input, options.natural_gradient);
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.gradient_norm = ascent.gradient_norm;
    report.solver_iterations = ascent.natural.iterations;
    report.status = ascent.natural.status;
    if (!moves_theta(report.status)) return report;

    double eta = options.step_size;
    double gain = eta * ascent.slope;
    if (eta <= 0.0) {
        gain = std::sqrt(2.0 * options.max_kl * std::max(ascent.curvature, 0.0));
        eta = std::sqrt(2.0 * options.max_kl / ascent.curvature);
    }
    if (ascent.knows_all_actions && options.step_size > 0.0) gain = ascent.greedy_gain;
    if (!(gain >= negligible_gain(input.objective))) {
        report.status = std::isnan(gain) ? Status::non_finite : Status::zero_gradient;
        return report;
    }
    if (input.tau > 0.0) eta = std::min(eta, 1.0 / (input.tau * input.summary.effective_horizon));
    take_step(input, ascent.natural.direction, eta, report);
    return report;
}

}  // namespace npgfast
