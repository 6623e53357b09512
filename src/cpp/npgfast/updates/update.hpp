#pragma once

#include <vector>

#include "npgfast/geometry/local_model.hpp"

namespace npgfast {

/// What an update starts from: theta, the batch as the policy at theta sees it, and the objective, whose size says what
/// gain is too small to count.
struct UpdateInput {
    const LocalModel& model;
    Reals theta;
    double objective = 0.0;
    double tau = 0.0;
};

/// What an update did. `theta` is the new one, bitwise the old one unless `moves_theta(status)`.
struct UpdateReport {
    std::vector<double> theta;
    Status status = Status::ok;
    double step_size = 0.0;
    double gradient_norm = 0.0;  ///< Euclidean norm of grad J
    double kl = 0.0;             ///< KL(old || new), nats, weighted as the batch is
    double surrogate = 0.0;      ///< predicted gain L sum w (r - 1) A
    double clip_fraction = 0.0;  ///< PPO: mean over its minibatches
    Index solver_iterations = 0;
    Index backtracks = 0;
};

/// A gain below this is no gain: 1e-14 max(1, |J|).
double negligible_gain(double objective);

/// Whether no action of any reachable state gains: L max_s (max_a A - E_pi A) is negligible. Known on exhaustive
/// batches only; false on others. Unlike the gradient it does not fade with the probability of the good action.
bool nothing_to_gain(const UpdateInput& input);

/// Fills in KL and surrogate of the theta that the report has moved to, inside the policy's bounds, and takes the step
/// back with `non_finite` if theta or the new policy is not finite, with `kl_infinite` if the new policy forbids what
/// the old one does, with `zero_gradient` if theta is the old one.
void judge(const UpdateInput& input, UpdateReport& report);

/// Moves theta along `direction` by `step_size` and judges that.
void take_step(const UpdateInput& input, Reals direction, double step_size, UpdateReport& report);

}  // namespace npgfast
