#include "npgfast/training/algorithm.hpp"

#include <algorithm>
#include <stdexcept>

#include "npgfast/updates/policy_gradient_step.hpp"

namespace npgfast {

void record_update(MutableReals row, const UpdateReport& report) {
    row[kKl] = report.kl;
    row[kSurrogate] = report.surrogate;
    row[kGradientNorm] = report.gradient_norm;
    row[kStepSize] = report.step_size;
    row[kStatus] = static_cast<double>(report.status);
    row[kSolverIterations] = static_cast<double>(report.solver_iterations);
    row[kBacktracks] = static_cast<double>(report.backtracks);
    row[kClipFraction] = report.clip_fraction;
}

UpdateReport run_update(const TrainOptions& options, const Schedules& at, const Turn& turn, const UpdateInput& input,
                        const PpoEntries& entries, AdamState adam, const Interrupt& interrupt) {
    const Index i = turn.scheduled();
    switch (options.algorithm) {
        case Algorithm::policy_gradient:
            return policy_gradient_step(input, at.step_size[i], at.radius[i]);
        case Algorithm::natural_policy_gradient:
            return npg_step(input, {options.natural_gradient, at.step_size[i], at.max_kl[i]});
        case Algorithm::trpo:
            return trpo_step(input, {options.natural_gradient, at.max_kl[i], options.backtrack_factor,
                                     options.max_backtracks});
        case Algorithm::ppo: {
            PpoOptions ppo = options.ppo;
            ppo.clip_range = at.clip_range[i];
            ppo.learning_rate = at.learning_rate[i];
            ppo.entropy_coefficient = at.entropy_coefficient[i];
            ppo.seed = turn.seed;
            ppo.iteration = static_cast<std::uint32_t>(turn.iteration);
            return ppo_step(input, entries, ppo, adam, interrupt);
        }
        default:
            throw std::logic_error("this algorithm is tabular");
    }
}

double estimate_horizon(double batch_mass, Index batch_started, bool is_resumed, double& mass, double& n_started) {
    constexpr double kEnoughEpisodes = 32.0;
    const auto started = static_cast<double>(batch_started);
    const double kept = is_resumed ? std::max(0.0, 1.0 - started / kEnoughEpisodes) : 0.0;
    mass = batch_mass + kept * mass;
    n_started = started + kept * n_started;
    return mass / n_started;
}

}  // namespace npgfast
