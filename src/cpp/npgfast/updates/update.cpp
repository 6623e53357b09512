#include "npgfast/updates/update.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

double negligible_gain(double objective) { return 1e-14 * std::max(1.0, std::abs(objective)); }

bool nothing_to_gain(const UpdateInput& input) {
    return !input.model.gains(negligible_gain(input.objective) / input.model.effective_horizon());
}

void judge(const UpdateInput& input, UpdateReport& report) {
    Status failure = Status::ok;
    if (!all_finite(report.theta)) {
        failure = Status::non_finite;
    } else {
        const Move move = input.model.move(report.theta);
        report.kl = move.kl;
        report.surrogate = move.gain;
        if (!move.is_finite || std::isnan(move.kl)) failure = Status::non_finite;
        else if (std::isinf(move.kl)) failure = Status::kl_infinite;
    }
    if (failure == Status::ok && std::equal(report.theta.begin(), report.theta.end(), input.theta.begin()))
        failure = Status::zero_gradient;  // the step is lost in the rounding of theta, or in its bounds
    if (failure == Status::ok) return;
    report.status = failure;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = report.kl = report.surrogate = 0.0;
}

void take_step(const UpdateInput& input, Reals direction, double step_size, UpdateReport& report) {
    report.theta.assign(input.theta.begin(), input.theta.end());
    axpy(step_size, direction.data(), report.theta.data(), std::ssize(report.theta));
    report.step_size = step_size;
    judge(input, report);
}

}  // namespace npgfast
