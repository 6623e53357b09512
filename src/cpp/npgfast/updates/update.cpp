#include "npgfast/updates/update.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

double negligible_gain(double objective) { return 1e-14 * std::max(1.0, std::abs(objective)); }

bool nothing_to_gain(const UpdateInput& input) {
    if (input.summary.advantages.empty()) return false;
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
    return input.summary.effective_horizon * largest < negligible_gain(input.objective);
}

void take_step(const UpdateInput& input, Reals direction, double step_size, UpdateReport& report) {
    report.theta.assign(input.theta.begin(), input.theta.end());
    axpy(step_size, direction.data(), report.theta.data(), std::ssize(report.theta));
    Status failure = Status::ok;
    if (!all_finite(report.theta)) {
        failure = Status::non_finite;
    } else {
        const PolicyTable next = policy_table(input.policy, report.theta);
        report.kl = mean_kl(input.table, next, input.summary.state_weights, input.policy.n_actions);
        report.surrogate = surrogate_gain(input.summary, input.table, next);
        if (!all_finite(next.probs) || std::isnan(report.kl)) failure = Status::non_finite;
        else if (std::isinf(report.kl)) failure = Status::kl_infinite;
    }
    report.step_size = step_size;
    if (failure == Status::ok && std::equal(report.theta.begin(), report.theta.end(), input.theta.begin()))
        failure = Status::zero_gradient;  // the step is lost in the rounding of theta
    if (failure == Status::ok) return;
    report.status = failure;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = report.kl = report.surrogate = 0.0;
}

}  // namespace npgfast
