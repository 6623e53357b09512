#pragma once

#include "npgfast/updates/update.hpp"

namespace npgfast {

struct NpgOptions {
    NaturalGradientOptions natural_gradient;
    double step_size = 0.0;  ///< eta, if positive: theta' = theta + eta F^+ grad J
    double max_kl = 0.0;     ///< otherwise: eta = sqrt(2 max_kl / x^T F x), F undamped
};

/// One natural policy gradient step.
///
///     x = F^+ grad J,   theta' = theta + eta x;     tabular: pi' ~ pi exp(eta L A)
///
/// With tau > 0 the advantages are regularised and eta tau L is held to at most 1.
/// `zero_gradient` if the predicted gain eta g.x is negligible; for a tabular policy on an exhaustive batch, at a fixed
/// eta, only if there is nothing to gain at any state (see update.hpp).
/// Cost: one natural gradient. Source: Kakade 2001; with tau: Cen, Cheng, Chen, Wei & Chi 2022, eq. (18).
UpdateReport npg_step(const UpdateInput& input, const NpgOptions& options);

/// The natural direction and what decides whether it is worth following; shared with TRPO.
struct Ascent {
    NaturalGradient natural;
    double gradient_norm = 0.0;
    double slope = 0.0;  ///< grad J . x
};
Ascent ascend(const UpdateInput& input, const NaturalGradientOptions& options);

/// ||x||_F = sqrt(x^T F x) of a natural direction, undamped:
/// a step sqrt(2 max_kl) / ||x||_F has that KL to second order.
double fisher_norm(const UpdateInput& input, Reals direction, const NaturalGradientOptions& options);

}  // namespace npgfast
