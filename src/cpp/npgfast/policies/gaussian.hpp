#pragma once

#include <vector>

#include "npgfast/policies/row_features.hpp"

namespace npgfast {

/// A linear-Gaussian policy on the rows of a batch: a ~ N(W^T phi, diag(exp(2 log_std))).
///
/// `features` (n, m) row-major. theta = (W (m, k) row-major, log_std (k,)); d = m k + k. The standard deviation does
/// not depend on the state. log_std is kept inside [log_std_min, log_std_max] by `confine`, after every step.
struct GaussianPolicy {
    Index n_rows = 0;
    Index n_features = 0;
    Index action_size = 0;
    Reals features;
    double log_std_min = -1e300;
    double log_std_max = 1e300;

    Index n_params() const { return (n_features + 1) * action_size; }
    Reals log_std(Reals theta) const { return theta.last(static_cast<std::size_t>(action_size)); }

    /// Clamps the log_std of theta.
    void confine(MutableReals theta) const;

    RowFeatures rows() const { return {features.data(), n_rows, n_features, action_size, 1}; }
    /// W of theta, (m, k).
    Reals weights(Reals theta) const { return theta.first(static_cast<std::size_t>(n_features * action_size)); }

    /// means = features W, (n, k), in one pass over the features (row_features.hpp).
    std::vector<double> means(Reals theta, Team& team) const;
};

/// log N(a; mean, exp(2 log_std)) of one action, in nats.
///
///     sum_k [-(a_k - mu_k)^2 / (2 sigma_k^2) - log_std_k - log(2 pi) / 2]
double gaussian_log_prob(const double* action, const double* mean, Reals log_std);

/// Differential entropy in nats: sum_k log_std_k + k (1 + log 2 pi) / 2.
double gaussian_entropy(Reals log_std);

/// (a - mu) / sigma for n rows, (n, k). Cost: the means, and k passes over them with a stride of k.
std::vector<double> standardized_actions(const GaussianPolicy& policy, Reals theta, Reals actions, Team& team);

/// score_i = (phi_i (x) z_i / sigma, z_i^2 - 1), z = (a - mu) / sigma, of n pairs, into (n, d). Cost: n*d, row after
/// row on the calling thread, bound by the writing of them.
/// Source: Williams 1992, section 6.
void gaussian_scores(const GaussianPolicy& policy, Reals theta, Reals actions, MutableReals result);

}  // namespace npgfast
