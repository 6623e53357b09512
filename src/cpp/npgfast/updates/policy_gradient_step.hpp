#pragma once

#include "npgfast/updates/update.hpp"

namespace npgfast {

/// One step of plain policy gradient, in either view of the lecture.
///
///     theta' = theta + eta grad J                        (maximiser of <g, x> - ||x||^2 / (2 eta))
///     theta' = theta + radius grad J / ||grad J||        (maximiser of <g, x> in the L2 ball)
///
/// Exactly one of `step_size` and `radius` is positive. `zero_gradient` if the predicted gain is negligible.
/// Cost: one gradient. Source: Williams 1992; Sutton et al. 1999.
UpdateReport policy_gradient_step(const UpdateInput& input, double step_size, double radius);

}  // namespace npgfast
