#pragma once

#include <vector>

#include "npgfast/geometry/batch.hpp"

namespace npgfast {

/// How the inner expectation of F is taken: over all actions in closed form, or over the actions of the batch.
enum class Estimator : int { analytic = 0, empirical = 1 };

/// The Fisher matrix of a softmax policy as an operator.
///
///     F = sum_s w(s) E_{a~pi(.|s)}[score score^T]      (analytic)
///     F = sum_i w_i score(s_i,a_i) score(s_i,a_i)^T    (empirical)
///
/// With U = features v, an analytic product is features^T [w(s) pi (U - pi.U)]: the features are read twice, no score
/// is formed. `damping` is relative: the operator is F + damping (tr F / d) I.
/// Preconditions: the referenced policy, probabilities and summary outlive it.
/// Cost: S*A*d per product (S*A tabular); S*A*d^2 for the dense matrix.
/// Source: Kakade, "A natural policy gradient", NIPS 2001, eq. (2); Schulman et al. 2015 (TRPO), appendix C.
class FisherOperator {
public:
    FisherOperator(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Estimator estimator,
                   double damping);

    Index size() const { return policy_.n_params; }
    double ridge() const { return ridge_; }  ///< damping tr F / d
    double trace() const;                    ///< tr F, undamped
    void multiply(Reals vector, MutableReals result);
    /// vector^T F vector without the ridge; never negative.
    double quadratic(Reals vector);
    /// The dense matrix, (d, d), with the ridge.
    std::vector<double> dense() const;

private:
    const SoftmaxPolicy& policy_;
    Reals probs_;
    const BatchSummary& summary_;
    Estimator estimator_;
    double ridge_ = 0.0;
    std::vector<double> table_;
};

/// Adds the (A, A) block sum over one state of w E[(e_a - pi)(e_a - pi)^T] to a row-major matrix of `stride` columns.
void add_logit_fisher(Estimator estimator, const double* probs, double state_weight, const double* pair_weights,
                      Index n_actions, double* block, Index stride);

}  // namespace npgfast
