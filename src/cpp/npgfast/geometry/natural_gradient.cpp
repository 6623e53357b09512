#include "npgfast/geometry/natural_gradient.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/conjugate_gradient.hpp"
#include "npgfast/geometry/least_squares.hpp"

namespace npgfast {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Index kDenseFisherLimit = 256;  // above it conjugate gradients beat a factorisation for log-linear policies

struct DenseSolution {
    VectorXd x;
    Index rank = 0;
    Status status = Status::ok;
};

DenseSolution solve_pinv(const MatrixXd& fisher, const VectorXd& gradient) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(fisher);
    const VectorXd& values = eigen.eigenvalues();
    const double cutoff = rank_cutoff(fisher.rows()) * values.cwiseAbs().maxCoeff();
    DenseSolution solution;
    VectorXd coefficients = eigen.eigenvectors().transpose() * gradient;
    for (Index j = 0; j < values.size(); ++j) {
        const bool kept = values[j] > cutoff;
        coefficients[j] = kept ? coefficients[j] / values[j] : 0.0;
        solution.rank += kept;
    }
    solution.x = eigen.eigenvectors() * coefficients;
    return solution;
}

DenseSolution solve_cholesky(const MatrixXd& fisher, const VectorXd& gradient) {
    const Eigen::LLT<MatrixXd> factor(fisher);
    DenseSolution solution{VectorXd::Zero(gradient.size()), gradient.size(), Status::negative_curvature};
    if (factor.info() != Eigen::Success) return solution;
    const VectorXd pivots = factor.matrixLLT().diagonal();
    const double cutoff = rank_cutoff(fisher.rows()) * fisher.diagonal().maxCoeff();
    if (pivots.cwiseAbs2().minCoeff() <= cutoff) return solution;
    solution.x = factor.solve(gradient);
    solution.status = Status::ok;
    return solution;
}

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
    for (Index b = 0; b < n_actions; ++b) {
        const double coefficient = (b == action ? 1.0 : 0.0) - pi[b];
        if (policy.is_tabular())
            row[b] = scale * coefficient;
        else if (coefficient != 0.0)
            axpy(scale * coefficient, policy.features.data() + (state * n_actions + b) * d, row, d);
    }
    problem.targets.push_back(scale * advantage);
}

double mean_advantage(const BatchSummary& summary, Index pair) {
    if (!summary.advantages.empty()) return summary.advantages[pair];
    return summary.pair_weights[pair] > 0.0 ? summary.weighted_advantages[pair] / summary.pair_weights[pair] : 0.0;
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
            shares[a] = summary.advantages.empty() ? summary.pair_weights[first + a] / weight : probs[first + a];
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
            const DenseSolution dense =
                options.solver == Solver::cholesky ? solve_cholesky(reduced, right) : solve_pinv(reduced, right);
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

void solve_closed_form(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, double ridge,
                       NaturalGradient& result) {
    const Index n_actions = policy.n_actions;
    for (Index s = 0; s < policy.n_states; ++s) {
        const double weight = summary.state_weights[s];
        if (!(weight > 0.0)) continue;
        const Index first = s * n_actions;
        double* row = result.direction.data() + first;
        Index n_allowed = 0;
        if (ridge > 0.0) {
            // (D - w pi pi^T)^{-1} g with D = w diag(pi) + ridge, by Sherman and Morrison; 1 - w pi.D^{-1}pi = sum
            // pi ridge / D without cancellation.
            std::vector<double> gradient(summary.weighted_advantages.begin() + first,
                                         summary.weighted_advantages.begin() + first + n_actions);
            center_by_policy(probs.subspan(first, n_actions), n_actions, gradient);
            double slack = 0.0, projection = 0.0;
            for (Index a = 0; a < n_actions; ++a) {
                const double pi = probs[first + a], diagonal = weight * pi + ridge;
                slack += pi * (ridge / diagonal);
                projection += pi * (gradient[a] / diagonal);
            }
            for (Index a = 0; a < n_actions; ++a) {
                if (!policy.mask[first + a]) continue;
                const double pi = probs[first + a], diagonal = weight * pi + ridge;
                row[a] = summary.effective_horizon *
                         (gradient[a] / diagonal + (weight * pi / diagonal) * (projection / slack));
                ++n_allowed;
            }
            result.rank += n_allowed;
            continue;
        }
        double sum = 0.0;
        for (Index a = 0; a < n_actions; ++a) {
            const Index pair = first + a;
            if (!policy.mask[pair]) continue;
            if (!summary.advantages.empty())
                row[a] = summary.effective_horizon * summary.advantages[pair];
            else if (summary.pair_weights[pair] > 0.0 && probs[pair] > 0.0)
                row[a] = summary.effective_horizon * (summary.weighted_advantages[pair] / (weight * probs[pair]));
            sum += row[a];
            ++n_allowed;
        }
        for (Index a = 0; a < n_actions; ++a)
            if (policy.mask[first + a]) row[a] -= sum / static_cast<double>(n_allowed);
        result.rank += n_allowed - 1;
    }
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
    if (summary.advantages.empty()) return false;
    for (Index pair = 0; pair < std::ssize(probs); ++pair) {
        const double weight = summary.state_weights[pair / n_actions];
        if (std::abs(summary.pair_weights[pair] - weight * probs[pair]) > 1e-9 * weight + 1e-300) return false;
    }
    return true;
}

}  // namespace

NaturalGradient natural_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& given_summary,
                                 Reals gradient, const NaturalGradientOptions& given) {
    BatchSummary without_advantages;
    if (!given_summary.advantages.empty() && !is_on_policy(given_summary, probs, policy.n_actions)) {
        without_advantages = given_summary;
        without_advantages.advantages.clear();
    }
    const BatchSummary& summary = without_advantages.state_weights.empty() ? given_summary : without_advantages;
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
    FisherOperator fisher(policy, probs, summary, options.estimator, options.damping);
    if (options.solver == Solver::closed_form) {
        solve_closed_form(policy, probs, summary, fisher.ridge(), result);
    } else if (options.solver == Solver::cg) {
        const Index budget = options.max_iterations > 0 ? options.max_iterations : 20 * d + 100;
        const CgOutcome outcome =
            conjugate_gradient([&](Reals v, MutableReals out) { fisher.multiply(v, out); }, gradient, result.direction,
                               budget, options.rtol);
        result.status = outcome.status;
        result.iterations = outcome.iterations;
        result.rank = -1;
        if (!moves_theta(result.status)) std::fill(result.direction.begin(), result.direction.end(), 0.0);
    } else if (policy.is_tabular()) {
        solve_by_state(policy, probs, summary, options, fisher.ridge(), result);
    } else if (options.solver == Solver::regression) {
        RegressionProblem problem;
        for (Index pair = 0; pair < policy.n_pairs(); ++pair)
            if (summary.pair_weights[pair] > 0.0)
                add_regression_row(problem, policy, probs, pair / policy.n_actions, pair % policy.n_actions,
                                   summary.pair_weights[pair], mean_advantage(summary, pair));
        const LeastSquares fit = least_squares(problem.rows, problem.targets, d, fisher.ridge());
        result.rank = fit.rank;
        for (Index j = 0; j < d; ++j) result.direction[j] = summary.effective_horizon * fit.solution[j];
    } else {
        const std::vector<double> dense = fisher.dense();
        const MatrixXd matrix = Eigen::Map<const MatrixXd>(dense.data(), d, d);
        const VectorXd right = Eigen::Map<const VectorXd>(gradient.data(), d);
        const DenseSolution solution =
            options.solver == Solver::cholesky ? solve_cholesky(matrix, right) : solve_pinv(matrix, right);
        result.status = solution.status;
        result.rank = solution.rank;
        for (Index j = 0; j < d; ++j) result.direction[j] = solution.x[j];
    }
    if (!all_finite(result.direction)) {
        std::fill(result.direction.begin(), result.direction.end(), 0.0);
        result.status = Status::non_finite;
    }
    if (result.status == Status::ok && norm(result.direction) == 0.0) result.status = Status::zero_gradient;
    std::vector<double> image(static_cast<std::size_t>(d));
    fisher.multiply(result.direction, image);
    for (Index j = 0; j < d; ++j) image[j] -= gradient[j];
    result.residual_norm = norm(image);
    return result;
}

}  // namespace npgfast
