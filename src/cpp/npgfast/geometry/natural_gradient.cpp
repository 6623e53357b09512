#include "npgfast/geometry/natural_gradient.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/conjugate_gradient.hpp"
#include "npgfast/geometry/least_squares.hpp"
#include "npgfast/geometry/symmetric_system.hpp"

namespace npgfast {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// sqrt(w) score rows and sqrt(w) mean-advantage targets of the pairs of states [first, last) that have weight.
struct RegressionProblem {
    std::vector<double> rows, targets;
};

void add_regression_row(RegressionProblem& problem, const SoftmaxPolicy& policy, Reals probs, Index state, Index action,
                        double weight, double advantage) {
    const Index n_actions = policy.n_actions, d = policy.is_tabular() ? n_actions : policy.n_params;
    const double* pi = probs.data() + state * n_actions;
    const double scale = std::sqrt(weight);
    const std::size_t start = problem.rows.size();
    problem.rows.resize(start + static_cast<std::size_t>(d), 0.0);
    double* row = problem.rows.data() + start;
    std::vector<double> coefficients(static_cast<std::size_t>(n_actions));
    for (Index b = 0; b < n_actions; ++b) coefficients[b] = scale * ((b == action ? 1.0 : 0.0) - pi[b]);
    if (policy.is_tabular())
        std::copy(coefficients.begin(), coefficients.end(), row);
    else
        policy.add_projected(state, coefficients.data(), row);
    problem.targets.push_back(scale * advantage);
}

double mean_advantage(const BatchSummary& summary, Index pair) {
    if (!summary.advantages.empty()) return summary.advantages[pair];
    const double weight = summary.pair_weights.table[pair];
    return weight > 0.0 ? summary.weighted_advantages.table[pair] / weight : 0.0;
}

/// Solves the block of each visited state by itself, in units of the state's weight so that none underflows.
void solve_by_state(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary,
                    const NaturalGradientOptions& options, double ridge, NaturalGradient& result) {
    const Index n_actions = policy.n_actions;
    std::vector<Index> allowed;
    for (Index s = 0; s < policy.n_states; ++s) {
        const double weight = summary.state_weights[s];
        if (!(weight > 0.0)) continue;
        const Index first = s * n_actions;
        const double block_ridge = ridge / weight;
        std::vector<double> shares(static_cast<std::size_t>(n_actions)), table(shares);
        allowed.clear();
        for (Index a = 0; a < n_actions; ++a) {
            if (policy.mask[first + a]) allowed.push_back(a);
            shares[a] = summary.advantages.empty() ? summary.pair_weights.table[first + a] / weight : probs[first + a];
            table[a] = shares[a] * mean_advantage(summary, first + a);
        }
        VectorXd solution;
        if (options.solver == Solver::regression) {
            RegressionProblem problem;
            for (Index a : allowed)
                if (shares[a] > 0.0)
                    add_regression_row(problem, policy, probs, s, a, shares[a], mean_advantage(summary, first + a));
            const LeastSquares fit = least_squares(problem.rows, problem.targets, n_actions, block_ridge);
            solution = Eigen::Map<const VectorXd>(fit.solution.data(), n_actions);
            result.rank += fit.rank;
        } else {
            center_by_policy(probs.subspan(first, n_actions), n_actions, table);
            MatrixXd block = MatrixXd::Zero(n_actions, n_actions);
            add_logit_fisher(options.estimator, probs.data() + first, 1.0, shares.data(), n_actions, block.data(),
                             n_actions);
            block.diagonal().array() += block_ridge;
            const auto size = static_cast<Index>(allowed.size());
            const MatrixXd reduced = block(allowed, allowed);
            const VectorXd right = Eigen::Map<const VectorXd>(table.data(), n_actions)(allowed);
            const SymmetricSolution dense =
                solve_dense(options.solver, Reals(reduced.data(), reduced.data() + reduced.size()), right);
            if (dense.status != Status::ok) {
                result.status = dense.status;
                std::fill(result.direction.begin(), result.direction.end(), 0.0);
                return;
            }
            solution = VectorXd::Zero(n_actions);
            for (Index j = 0; j < size; ++j) solution[allowed[j]] = dense.x[j];
            result.rank += dense.rank;
        }
        for (Index a : allowed) result.direction[first + a] = summary.effective_horizon * solution[a];
    }
}

/// The row of one state, which starts at 0, with a ridge; returns the rank of its block.
///
/// (D - w pi pi^T)^{-1} g with D = w diag(pi) + ridge, by Sherman and Morrison; 1 - w pi.D^{-1}pi = sum pi ridge / D
/// without cancellation.
Index solve_damped_state(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, double ridge, Index s,
                         double* row) {
    const Index n_actions = policy.n_actions, first = s * n_actions;
    const double weight = summary.state_weights[s];
    const Reals sums = summary.weighted_advantages.table;
    std::vector<double> gradient(sums.begin() + first, sums.begin() + first + n_actions);
    center_by_policy(probs.subspan(first, n_actions), n_actions, gradient);
    double slack = 0.0, projection = 0.0;
    for (Index a = 0; a < n_actions; ++a) {
        const double pi = probs[first + a], diagonal = weight * pi + ridge;
        slack += pi * (ridge / diagonal);
        projection += pi * (gradient[a] / diagonal);
    }
    Index n_allowed = 0;
    for (Index a = 0; a < n_actions; ++a) {
        if (!policy.mask[first + a]) continue;
        const double pi = probs[first + a], diagonal = weight * pi + ridge;
        row[a] =
            summary.effective_horizon * (gradient[a] / diagonal + (weight * pi / diagonal) * (projection / slack));
        ++n_allowed;
    }
    return n_allowed;
}

/// The same without a ridge.
Index solve_state(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Index s, auto n_actions,
                  double* row) {
    const Index first = s * n_actions;
    double sum = 0.0;
    Index n_allowed = 0;
    for (Index a = 0; a < n_actions; ++a) {
        const Index pair = first + a;
        if (!policy.mask[pair]) continue;
        if (!summary.advantages.empty())
            row[a] = summary.effective_horizon * summary.advantages[pair];
        else if (summary.pair_weights.table[pair] > 0.0 && probs[pair] > 0.0)
            row[a] = summary.effective_horizon *
                     (summary.weighted_advantages.table[pair] / (summary.state_weights[s] * probs[pair]));
        sum += row[a];
        ++n_allowed;
    }
    for (Index a = 0; a < n_actions; ++a)
        if (policy.mask[first + a]) row[a] -= sum / static_cast<double>(n_allowed);
    return n_allowed - 1;
}

void solve_closed_form(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, double ridge, Team& team,
                       NaturalGradient& result) {
    const auto visit = [&](Index first, Index last, double* block, double* rank) {
        with_constant(policy.n_actions, [&](auto n_actions) {
            double* row = block;
            for (Index s = first; s < last; ++s, row += n_actions)
                if (summary.state_weights[s] > 0.0)
                    *rank += static_cast<double>(ridge > 0.0
                                                     ? solve_damped_state(policy, probs, summary, ridge, s, row)
                                                     : solve_state(policy, probs, summary, s, n_actions, row));
        });
    };
    double rank = 0.0;
    RowSweep(policy.rows(), team)({}, visit, result.direction, {&rank, 1});
    result.rank = static_cast<Index>(rank);
}

Solver choose(const SoftmaxPolicy& policy, const NaturalGradientOptions& options) {
    if (options.solver != Solver::automatic) return options.solver;
    if (policy.is_tabular())
        return options.estimator == Estimator::analytic ? Solver::closed_form : Solver::pinv;
    if (policy.n_params > kDenseFisherLimit) return Solver::cg;
    return options.damping > 0.0 ? Solver::cholesky : Solver::pinv;
}

/// Whether the weights of an exhaustive batch are those of this policy, as its shortcuts assume.
bool is_on_policy(const BatchSummary& summary, Reals probs, Index n_actions) {
    for (Index s = 0; s < std::ssize(summary.state_weights); ++s) {
        const double weight = summary.state_weights[s], tolerance = 1e-9 * weight + 1e-300;
        for (Index pair = s * n_actions; pair < (s + 1) * n_actions; ++pair)
            if (std::abs(summary.pair_weights.table[pair] - weight * probs[pair]) > tolerance) return false;
    }
    return true;
}

}  // namespace

SymmetricSolution solve_dense(Solver solver, Reals matrix, Reals right) {
    return solver == Solver::cholesky ? solve_cholesky(matrix, right) : solve_pinv(matrix, right);
}

void solve_by_products(NaturalGradient& result, Reals gradient, const Product& multiply,
                       const NaturalGradientOptions& options) {
    const Index budget = options.max_iterations > 0 ? options.max_iterations : 20 * std::ssize(gradient) + 100;
    constexpr double kProductError = 1e-12;  // sums of 1e5 rows in parts; 1e-14 is usual
    const CgOutcome outcome =
        conjugate_gradient(multiply, gradient, result.direction, budget, options.rtol, kProductError);
    result.status = outcome.status;
    result.iterations = outcome.iterations;
    result.residual_norm = outcome.residual_norm;
    result.rank = -1;
    if (moves_theta(result.status)) return;
    std::fill(result.direction.begin(), result.direction.end(), 0.0);
    result.residual_norm = norm(gradient);
}

void settle(NaturalGradient& result, Solver solver, bool measures_residual, Reals gradient, const Product& multiply) {
    if (!all_finite(result.direction)) {
        std::fill(result.direction.begin(), result.direction.end(), 0.0);
        result.status = Status::non_finite;
    }
    if (result.status == Status::ok && norm(result.direction) == 0.0) result.status = Status::zero_gradient;
    if (solver == Solver::cg || !measures_residual) return;
    std::vector<double> image(result.direction.size());
    multiply(result.direction, image);
    for (std::size_t j = 0; j < image.size(); ++j) image[j] -= gradient[j];
    result.residual_norm = norm(image);
}

NaturalGradient natural_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& given_summary,
                                 Reals gradient, const NaturalGradientOptions& given, Team& team) {
    BatchSummary without_advantages;
    const bool is_off_policy =
        !given_summary.advantages.empty() && !is_on_policy(given_summary, probs, policy.n_actions);
    if (is_off_policy) {
        without_advantages.state_weights = given_summary.state_weights;
        without_advantages.pair_weights = given_summary.pair_weights;
        without_advantages.weighted_advantages = given_summary.weighted_advantages;
        without_advantages.effective_horizon = given_summary.effective_horizon;
    }
    const BatchSummary& summary = is_off_policy ? without_advantages : given_summary;
    NaturalGradientOptions options = given;
    options.solver = choose(policy, given);
    if (options.solver == Solver::closed_form &&
        (!policy.is_tabular() || options.estimator != Estimator::analytic))
        throw std::invalid_argument("method='closed_form' needs a tabular policy and estimator='analytic'");
    if (options.solver == Solver::regression) options.estimator = Estimator::empirical;

    const Index d = policy.n_params;
    NaturalGradient result;
    result.direction.assign(static_cast<std::size_t>(d), 0.0);
    if (!all_finite(gradient)) {
        result.status = Status::non_finite;
        return result;
    }
    FisherOperator fisher(policy, probs, summary, options.estimator, options.damping, team);
    const bool is_factored =
        !policy.is_tabular() && options.solver != Solver::cg && options.solver != Solver::regression;
    const std::vector<double> matrix = is_factored ? fisher.dense() : std::vector<double>();
    if (given.solver == Solver::automatic && options.solver == Solver::cholesky && fisher.ridge() == 0.0)
        options.solver = Solver::pinv;  // F = 0 has no relative damping
    const auto multiply = [&](Reals v, MutableReals out) { fisher.multiply(v, out); };
    if (options.solver == Solver::closed_form) {
        solve_closed_form(policy, probs, summary, fisher.ridge(), team, result);
    } else if (options.solver == Solver::cg) {
        solve_by_products(result, gradient, multiply, options);
    } else if (policy.is_tabular()) {
        solve_by_state(policy, probs, summary, options, fisher.ridge(), result);
    } else if (options.solver == Solver::regression) {
        RegressionProblem problem;
        for (Index s = 0; s < policy.n_states; ++s)
            summary.pair_weights.for_each(s, policy.n_actions, [&](Index a, double weight) {
                if (!(weight > 0.0)) return;
                const Reals row_advantages = summary.weighted_advantages.factors;
                add_regression_row(problem, policy, probs, s, a, weight,
                                   row_advantages.empty() ? mean_advantage(summary, s * policy.n_actions + a)
                                                          : row_advantages[s]);
            });
        const LeastSquares fit = least_squares(problem.rows, problem.targets, d, fisher.ridge());
        result.rank = fit.rank;
        for (Index j = 0; j < d; ++j) result.direction[j] = summary.effective_horizon * fit.solution[j];
    } else {
        SymmetricSolution solution = solve_dense(options.solver, matrix, gradient);
        result.status = solution.status;
        result.rank = solution.rank;
        result.direction = std::move(solution.x);
    }
    settle(result, options.solver, options.measures_residual, gradient, multiply);
    return result;
}

}  // namespace npgfast
