#pragma once

#include <functional>
#include <vector>

#include "npgfast/geometry/fisher.hpp"
#include "npgfast/geometry/symmetric_system.hpp"

namespace npgfast {

/// How F^+ grad J is computed. `automatic` takes the closed form where there is one, else a factorisation while d is
/// small, else conjugate gradients.
enum class Solver : int { automatic = 0, pinv, cg, cholesky, regression, closed_form };

inline constexpr Index kDenseFisherLimit = 256;  ///< parameters above which products beat a factorisation

struct NaturalGradientOptions {
    Solver solver = Solver::automatic;
    Estimator estimator = Estimator::analytic;
    double damping = 0.0;      ///< relative: F + damping (tr F / d) I
    double rtol = 1e-10;       ///< of conjugate gradients
    Index max_iterations = 0;  ///< of conjugate gradients; 0: enough to converge (20 d + 100)
    /// false: residual_norm stays 0 unless conjugate gradients tell it, and costs nothing
    bool measures_residual = true;
};

struct NaturalGradient {
    std::vector<double> direction;
    Status status = Status::ok;
    /// ||(F + ridge) direction - grad J||_2 if measured; of cg to six digits or to rounding
    double residual_norm = 0.0;
    Index iterations = 0;  ///< of conjugate gradients
    Index rank = 0;        ///< numerical rank of F, where the solver finds it; else -1
};

/// The natural direction x = F^+ grad J, L included.
///
/// pinv         eigendecomposition of F, small eigenvalues dropped; by state for the tabular softmax
/// cg           conjugate gradients on Fisher products, from 0
/// cholesky     L L^T of F + ridge; `negative_curvature` if that is not positive definite
/// regression   L argmin_x sum_i w_i (A_i - x . score_i)^2, minimum norm (the compatible approximation; empirical F)
/// closed_form  tabular, analytic: row s is L (A(s,.) - mean over the allowed actions) on an exhaustive batch, and
///              L c(s,a) / (w(s) pi(a|s)), centred, on samples; a row is zero iff its state has no weight
///
/// Outputs: a finite direction; all zeros with `zero_gradient`, `negative_curvature` (cholesky) and `non_finite`.
/// Preconditions: closed_form needs a tabular policy and the analytic estimator (std::invalid_argument otherwise).
/// Cost: S*A closed form; S*A^3 tabular pinv, cholesky, regression; S*A*d^2 + d^3 dense; S*A*d per CG iteration.
/// What its parts are bound by, their headers say: fisher.hpp, symmetric_system.hpp, least_squares.hpp. The closed form
/// is one pass over the states on the calling thread, bound by memory.
/// Source: Kakade 2001, theorem 1; Agarwal, Kakade, Lee & Mahajan 2021, lemma 15 (closed form).
NaturalGradient natural_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Reals gradient,
                                 const NaturalGradientOptions& options, Team& team);

using Product = std::function<void(Reals, MutableReals)>;

/// Pseudo-inverse or Cholesky, whichever `solver` names.
SymmetricSolution solve_dense(Solver solver, Reals matrix, Reals right);

/// Conjugate gradients on the Fisher products `multiply`, into `result`.
void solve_by_products(NaturalGradient& result, Reals gradient, const Product& multiply,
                       const NaturalGradientOptions& options);

/// What is promised of a direction however it was found: finite, a status that fits it, and its residual if it is asked
/// for, which conjugate gradients have told.
void settle(NaturalGradient& result, Solver solver, bool measures_residual, Reals gradient, const Product& multiply);

}  // namespace npgfast
