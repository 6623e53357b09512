#pragma once

#include "npgfast/updates/update.hpp"

namespace npgfast {

struct TrpoOptions {
    NaturalGradientOptions natural_gradient;
    double max_kl = 0.01;
    double backtrack_factor = 0.8;
    Index max_backtracks = 20;
};

/// One trust-region step.
///
///     x = F^+ grad J,  beta = sqrt(2 max_kl / x^T F x),  theta' = theta + beta rho^k x
///
/// with the first k = 0, 1, ..., max_backtracks for which KL(old || new) <= max_kl and L sum w (r - 1) A > 0, both of
/// the true policies. The quadratic model of the divergence is (1/2) x^T F x, F undamped.
/// `line_search_failed` if no k will do: theta is bitwise the old one and the reported KL is 0.
/// Cost: one natural gradient, then S*A exps per try. Source: Schulman et al. 2015 (TRPO), appendix C.
UpdateReport trpo_step(const UpdateInput& input, const TrpoOptions& options);

}  // namespace npgfast
