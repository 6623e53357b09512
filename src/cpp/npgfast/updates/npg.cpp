#include "npgfast/updates/npg.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

Ascent ascend(const UpdateInput& input, const NaturalGradientOptions& given) {
    NaturalGradientOptions options = given;
    options.measures_residual = false;
    const std::vector<double> gradient = input.model.gradient();
    Ascent ascent;
    ascent.gradient_norm = norm(gradient);
    if (nothing_to_gain(input)) {
        ascent.natural.status = Status::zero_gradient;  // what is left of the gradient is rounding
        return ascent;
    }
    ascent.natural = input.model.natural_gradient(gradient, options);
    ascent.slope = dot(gradient, ascent.natural.direction);
    return ascent;
}

double fisher_norm(const UpdateInput& input, Reals direction, const NaturalGradientOptions& options) {
    const Estimator estimator =
        options.solver == Solver::regression ? Estimator::empirical : options.estimator;
    // From x / max|x|, so that no square overflows.
    double largest = 0.0;
    for (double entry : direction) largest = std::max(largest, std::abs(entry));
    std::vector<double> scaled(direction.begin(), direction.end());
    for (double& entry : scaled) entry /= largest > 0.0 ? largest : 1.0;
    return largest * std::sqrt(input.model.fisher_quadratic(scaled, estimator));
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
        const double length = fisher_norm(input, ascent.natural.direction, options.natural_gradient);
        gain = std::sqrt(2.0 * options.max_kl) * length;
        eta = std::sqrt(2.0 * options.max_kl) / length;
    }
    // A state whose good action has lost all its probability adds nothing to the slope and must keep moving: where the
    // direction knows the advantages of every action, `nothing_to_gain` has decided.
    const bool decided = options.step_size > 0.0 && input.model.knows_all_advantages();
    if (!decided && !(gain >= negligible_gain(input.objective))) {
        report.status = std::isnan(gain) ? Status::non_finite : Status::zero_gradient;
        return report;
    }
    if (input.tau > 0.0) eta = std::min(eta, 1.0 / (input.tau * input.model.effective_horizon()));
    take_step(input, ascent.natural.direction, eta, report);
    return report;
}

}  // namespace npgfast
