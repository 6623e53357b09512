#pragma once

#include "npgfast/policies/softmax.hpp"

namespace npgfast {

/// exp(x) - 1 without cancellation.
double exp_minus_one(double x);

/// exp(x) - 1 - x >= 0 without cancellation: the price of a log-ratio x, for KL divergences and their estimate.
double exp_minus_one_minus(double x);

/// Kullback-Leibler divergence KL(old || new) in nats of one state's distributions, each (A,).
///
///     sum_a pi_old [(r - 1) - log r],   r = pi_new / pi_old
///
/// (equal to the textbook sum as probabilities sum to 1, and accurate when old and new are close).
/// Output: >= 0, +inf where new forbids what old does. Cost: an exponential an action. Source: Kullback & Leibler 1951.
double divergence(const double* old_log_probs, const double* old_probs, const double* new_log_probs,
                  const double* new_probs, Index n_actions);

/// Its mean over states with weights (S,), for two policy tables. State after state on the calling thread, bound by the
/// exponential of each action.
double mean_kl(const PolicyView& old_table, const PolicyView& new_table, Reals state_weights, Index n_actions);

/// The same for Gaussian policies with diagonal covariances that do not depend on the state.
///
///     sum_i w_i sum_k [delta_k + expm1(-2 delta_k) / 2 + shift_ik^2 / (2 sigma_new,k^2)]
///
/// with delta = log_std_new - log_std_old; without cancellation when old and new are close.
/// Inputs: shifts = new means - old means (n, k), log_stds (k,), weights (n,). Cost: n*k, k passes with a
/// stride of k.
double mean_kl(Reals shifts, Reals old_log_std, Reals new_log_std, Reals weights);

}  // namespace npgfast
