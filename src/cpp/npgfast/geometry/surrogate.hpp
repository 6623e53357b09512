#pragma once

#include <vector>

#include "npgfast/geometry/batch.hpp"

namespace npgfast {

/// Log-ratios are held to +-700, so that their exponential is finite and never 0 * inf.
inline constexpr double kLogRatioLimit = 700.0;

struct Surrogate {
    double value = 0.0;
    std::vector<double> gradient;
    double clip_fraction = 0.0;  ///< weight of the samples whose gradient is zeroed
    double approx_kl = 0.0;      ///< sum_i w_i (r_i - 1 - log r_i)

    /// Adds one entry to all but the gradient; returns the coefficient of its score there.
    double add(double new_log_prob, double old_log_prob, double weight, double advantage, double effective_horizon,
               double clip_range);
};

/// L sum_i w_i r_i A_i and its gradient L sum_i w_i r_i A_i score_i, r_i = pi(a_i|s_i) / exp(log_probs_i).
///
/// With a finite `clip_range` eps, the clipped one: L sum_i w_i min(r_i A_i, clip(r_i, 1-eps, 1+eps) A_i); a sample's
/// gradient vanishes iff (A > 0, r > 1+eps) or (A < 0, r < 1-eps). Pass infinity for the unclipped surrogate.
/// Inputs: the policy and its table at the new theta; a batch with log_probs, finite wherever weight > 0.
/// Outputs: value in reward, gradient (d,). Cost: n + S*A*d.
/// Source: Schulman et al. 2015 (TRPO), eq. (14); Schulman et al. 2017 (PPO), eq. (7), with L.
Surrogate surrogate(const SoftmaxPolicy& policy, const PolicyView& table, const Batch& batch, double clip_range,
                    Team& team);

/// exp(new - old) - 1 of two log-probabilities: what the predicted gain L sum w (r - 1) A is made of, through expm1, so
/// that a small gain keeps its sign.
double ratio_minus_one(double new_log_prob, double old_log_prob);

}  // namespace npgfast
