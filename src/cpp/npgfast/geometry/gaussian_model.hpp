#pragma once

#include "npgfast/geometry/local_model.hpp"
#include "npgfast/policies/gaussian.hpp"

namespace npgfast {

/// A batch of rows under a Gaussian policy: entry i has the policy's features of row i. Arrays (n,), actions (n, k).
struct RowBatch {
    Reals actions;
    Reals weights;     ///< >= 0 with sum 1
    Reals advantages;
    Reals log_probs;   ///< of the policy that chose the actions, or empty
    double effective_horizon = 1.0;
};

/// A Gaussian policy on a batch of rows. With z = (a - mu) / sigma:
///
///     grad J  = L (Phi^T [w A z / sigma],  sum w A (z^2 - 1))
///     F       = E_w[phi phi^T] (x) Sigma^-1  and  2 I for log_std                       (analytic)
///     F       = sum_i w_i score_i score_i^T                                             (empirical)
///
/// The analytic system is solved exactly through one factorisation of E_w[phi phi^T] (closed_form; with damping one for
/// each action dimension), which `automatic` takes; the other solvers form F, multiply by it, or regress as for softmax
/// policies. Products, gradients and moves are passes over the features as for those (row_features.hpp), on the
/// caller's team. What it refers to must outlive it.
/// Cost: n*m*k a gradient or product; n*m^2 + m^3 the closed form; n*d^2 + d^3 the dense solvers.
/// Source: Williams 1992 (scores); Kakade 2001; Rajeswaran, Lowrey, Todorov & Kakade 2017, section 3.
class GaussianModel final : public LocalModel {
public:
    GaussianModel(const GaussianPolicy& policy, Reals theta, const RowBatch& batch, Team& team);

    std::vector<double> gradient() const override;
    NaturalGradient natural_gradient(Reals gradient, const NaturalGradientOptions& options) const override;
    double fisher_quadratic(Reals direction, Estimator estimator) const override;
    void confine(MutableReals theta) const override { policy_.confine(theta); }
    Move move(MutableReals theta) const override;
    std::unique_ptr<Minibatch> minibatch(Reals theta) const override;
    double effective_horizon() const override { return batch_.effective_horizon; }

    void fisher_product(Reals vector, Estimator estimator, double damping, MutableReals result) const override;
    std::vector<double> fisher_matrix(Estimator estimator) const override;
    Surrogate surrogate(double clip_range) const override;

private:
    /// result = (F + ridge I) vector.
    void multiply(Estimator estimator, double ridge, Reals vector, MutableReals result) const;
    /// damping tr F / d
    double ridge(Estimator estimator, double damping) const;
    std::vector<double> second_moment() const;
    void solve_closed_form(Reals gradient, double ridge, NaturalGradient& result) const;
    std::vector<double> weighted_score_sum(Reals coefficients) const;
    /// tail . (z^2 - 1) + sum_a row_a z_a / sigma_a: what a vector with this tail makes of a row of Phi W.
    double score_product(Index i, const double* row, Reals tail) const;
    /// row_a = coefficient z_a / sigma_a; totals_a += coefficient (z_a^2 - 1): the two parts of a score.
    void set_score(Index i, double coefficient, double* row, double* totals) const;

    const GaussianPolicy& policy_;
    Reals theta_;
    const RowBatch& batch_;
    Team& team_;
    std::vector<double> z_;          ///< (n, k)
    std::vector<double> precision_;  ///< (k,) 1 / sigma
};

}  // namespace npgfast
