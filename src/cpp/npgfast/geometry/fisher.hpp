#pragma once

#include <optional>
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
/// With U = features v, an analytic product is features^T [w(s) pi (U - pi.U)]: one pass over the features, which are
/// read from memory once (row_features.hpp says how the pass is tiled); no score is formed. `damping` is relative: the
/// operator is F + damping (tr F / d) I.
/// Preconditions: the referenced policy, probabilities, summary and team outlive it.
/// Cost: 4 S m A flops per product with m shared features (4 S A d with features of pairs, S A tabular). With m = 64,
/// A = 8 the arithmetic is the bound, below A = 4 the memory. The dense matrix takes S m (m + 8) A (A - 1) / 2 flops
/// with shared features, S A d (d + 8) with features of pairs: gram.hpp says how.
/// Source: Kakade, "A natural policy gradient", NIPS 2001, eq. (2); Schulman et al. 2015 (TRPO), appendix C.
class FisherOperator {
public:
    FisherOperator(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Estimator estimator,
                   double damping, Team& team);

    Index size() const { return policy_.n_params; }
    double ridge();                          ///< damping tr F / d; at no cost after `dense`
    double trace();                          ///< tr F, undamped
    void multiply(Reals vector, MutableReals result);
    /// vector^T F vector without the ridge; never negative.
    double quadratic(Reals vector);
    /// The dense matrix, (d, d), with the ridge.
    std::vector<double> dense();

private:
    void keep_weighted(Index state, Index n_actions, double* row) const;
    void add_blocks(MutableReals fisher) const;
    void add_shared(MutableReals fisher);
    void add_centered(MutableReals fisher);
    double state_trace(Index state, const double* probs, std::vector<double>& mean) const;

    const SoftmaxPolicy& policy_;
    Reals probs_;
    const BatchSummary& summary_;
    Estimator estimator_;
    double damping_;
    std::optional<double> ridge_;
    RowSweep sweep_;
};

/// Adds the (A, A) block sum over one state of w E[(e_a - pi)(e_a - pi)^T] to a row-major matrix of `stride` columns.
void add_logit_fisher(Estimator estimator, const double* probs, double state_weight, const double* pair_weights,
                      Index n_actions, double* block, Index stride);

}  // namespace npgfast
