#include "npgfast/updates/trpo.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/updates/npg.hpp"

namespace npgfast {

UpdateReport trpo_step(const UpdateInput& input, const TrpoOptions& options) {
    const Ascent ascent = ascend(input, options.natural_gradient);
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.gradient_norm = ascent.gradient_norm;
    report.solver_iterations = ascent.natural.iterations;
    report.status = ascent.natural.status;
    if (!moves_theta(report.status)) return report;

    const double length = fisher_norm(input, ascent.natural.direction, options.natural_gradient);
    const double gain = std::sqrt(2.0 * options.max_kl) * length;
    if (!(gain >= negligible_gain(input.objective))) {
        report.status = std::isnan(gain) ? Status::non_finite : Status::zero_gradient;
        return report;
    }
    const Status direction_status = report.status;
    double step_size = std::sqrt(2.0 * options.max_kl) / length;
    for (report.backtracks = 0; report.backtracks <= options.max_backtracks; ++report.backtracks) {
        report.status = direction_status;
        take_step(input, ascent.natural.direction, step_size, report);
        if (moves_theta(report.status) && report.kl <= options.max_kl && report.surrogate > 0.0) return report;
        step_size *= options.backtrack_factor;
    }
    report.backtracks = options.max_backtracks;
    if (moves_theta(report.status)) report.status = Status::line_search_failed;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = report.kl = report.surrogate = 0.0;
    return report;
}

}  // namespace npgfast
