#include "npgfast/updates/policy_gradient_step.hpp"

#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

UpdateReport policy_gradient_step(const UpdateInput& input, double step_size, double radius) {
    const std::vector<double> gradient = input.model.gradient();
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.gradient_norm = norm(gradient);
    const double eta = radius > 0.0 ? radius / report.gradient_norm : step_size;
    if (!std::isfinite(report.gradient_norm)) {
        report.status = Status::non_finite;
    } else if (report.gradient_norm == 0.0 ||
               eta * report.gradient_norm * report.gradient_norm < negligible_gain(input.objective)) {
        report.status = Status::zero_gradient;
    } else {
        take_step(input, gradient, eta, report);
    }
    return report;
}

}  // namespace npgfast
