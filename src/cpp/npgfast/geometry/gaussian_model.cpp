#include "npgfast/geometry/gaussian_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/gaussian_minibatch.hpp"
#include "npgfast/geometry/gram.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/least_squares.hpp"

namespace npgfast {

GaussianModel::GaussianModel(const GaussianPolicy& policy, Reals theta, const RowBatch& batch, Team& team)
    : policy_(policy), theta_(theta), batch_(batch), team_(team),
      z_(standardized_actions(policy, theta, batch.actions, team)) {
    for (double entry : policy.log_std(theta)) precision_.push_back(std::exp(-entry));
}

double GaussianModel::score_product(Index i, const double* row, Reals tail) const {
    const double* z = z_.data() + i * policy_.action_size;
    double sum = 0.0;
    for (std::size_t a = 0; a < tail.size(); ++a)
        sum += row[a] * (z[a] * precision_[a]) + tail[a] * (z[a] * z[a] - 1.0);
    return sum;
}

void GaussianModel::set_score(Index i, double coefficient, double* row, double* totals) const {
    const double* z = z_.data() + i * policy_.action_size;
    for (std::size_t a = 0; a < precision_.size(); ++a) {
        row[a] = coefficient * (z[a] * precision_[a]);
        totals[a] += coefficient * (z[a] * z[a] - 1.0);
    }
}

/// sum_i coefficient_i score_i
std::vector<double> GaussianModel::weighted_score_sum(Reals coefficients) const {
    const Index k = policy_.action_size, n_weights = policy_.n_features * k;
    std::vector<double> result(static_cast<std::size_t>(policy_.n_params()), 0.0);
    const auto visit = [&](Index first, Index last, double* row, double* totals) {
        for (Index i = first; i < last; ++i, row += k) set_score(i, coefficients[i], row, totals);
    };
    RowSweep(policy_.rows(), team_)({}, visit, {result.data(), static_cast<std::size_t>(n_weights)},
                                    {result.data() + n_weights, static_cast<std::size_t>(k)});
    return result;
}

std::vector<double> GaussianModel::gradient() const {
    std::vector<double> coefficients(batch_.weights.size());
    for (std::size_t i = 0; i < coefficients.size(); ++i)
        coefficients[i] = batch_.effective_horizon * batch_.weights[i] * batch_.advantages[i];
    return weighted_score_sum(coefficients);
}

void GaussianModel::fisher_product(Reals vector, Estimator estimator, double damping, MutableReals result) const {
    multiply(estimator, ridge(estimator, damping), vector, result);
}

void GaussianModel::multiply(Estimator estimator, double ridge, Reals vector, MutableReals result) const {
    const Index k = policy_.action_size;
    const Reals tail = policy_.log_std(vector);
    const auto visit = [&](Index first, Index last, double* row, double* totals) {
        for (Index i = first; i < last; ++i, row += k) {
            const double weight = batch_.weights[i];
            if (estimator == Estimator::empirical)
                set_score(i, weight * score_product(i, row, tail), row, totals);
            else
                for (Index a = 0; a < k; ++a) row[a] *= weight * (precision_[a] * precision_[a]);
        }
    };
    const std::size_t n_weights = policy_.weights(vector).size();
    RowSweep(policy_.rows(), team_)(policy_.weights(vector), visit, result.first(n_weights), result.subspan(n_weights));
    if (estimator == Estimator::analytic)
        for (Index a = 0; a < k; ++a) result[n_weights + static_cast<std::size_t>(a)] = 2.0 * tail[a];
    for (std::size_t j = 0; j < vector.size(); ++j) result[j] += ridge * vector[j];
}

double GaussianModel::fisher_quadratic(Reals direction, Estimator estimator) const {
    const Index k = policy_.action_size;
    const Reals tail = policy_.log_std(direction);
    const auto visit = [&](Index first, Index last, double* row, double* total) {
        for (Index i = first; i < last; ++i, row += k) {
            double squares = 0.0;
            if (estimator == Estimator::empirical) {
                const double product = score_product(i, row, tail);
                squares = product * product;
            } else {
                for (Index a = 0; a < k; ++a) squares += (row[a] * precision_[a]) * (row[a] * precision_[a]);
            }
            *total += batch_.weights[i] * squares;
        }
    };
    double sum = 0.0;
    RowSweep(policy_.rows(), team_)(policy_.weights(direction), visit, {}, {&sum, 1});
    if (estimator == Estimator::analytic)
        for (double entry : tail) sum += 2.0 * (entry * entry);
    return sum;
}

/// E_w[phi phi^T], (m, m)
std::vector<double> GaussianModel::second_moment() const {
    const Index m = policy_.n_features;
    const auto visit = [&](Index first, Index last, double*, double* gram) {
        std::vector<double> scratch(static_cast<std::size_t>(8 * (last - first)));
        add_gram(policy_.features.data() + first * m, last - first, m, batch_.weights.data() + first, scratch.data(),
                 gram);
    };
    std::vector<double> gram(static_cast<std::size_t>(gram_size(m))), result(static_cast<std::size_t>(m * m));
    RowSweep(policy_.rows(), team_)({}, visit, {}, gram);
    unpack_gram(gram.data(), m, result);
    return result;
}

double GaussianModel::ridge(Estimator estimator, double damping) const {
    if (!(damping > 0.0)) return 0.0;
    const Index k = policy_.action_size, m = policy_.n_features;
    double trace = estimator == Estimator::analytic ? 2.0 * static_cast<double>(k) : 0.0;
    for (Index i = 0; i < policy_.n_rows; ++i) {
        const double* phi = policy_.features.data() + i * m;
        double squared_scale = 0.0, tail = 0.0;
        for (Index a = 0; a < k; ++a) {
            const double z = estimator == Estimator::analytic ? 1.0 : z_[i * k + a];
            squared_scale += (z * precision_[a]) * (z * precision_[a]);
            if (estimator == Estimator::empirical) tail += (z * z - 1.0) * (z * z - 1.0);
        }
        trace += batch_.weights[i] * (dot(phi, phi, m) * squared_scale + tail);
    }
    return damping * trace / static_cast<double>(policy_.n_params());
}

std::vector<double> GaussianModel::fisher_matrix(Estimator estimator) const {
    const Index k = policy_.action_size, m = policy_.n_features, d = policy_.n_params();
    std::vector<double> result(static_cast<std::size_t>(d * d), 0.0);
    if (estimator == Estimator::analytic) {
        const std::vector<double> moment = second_moment();
        for (Index i = 0; i < m; ++i)
            for (Index j = 0; j < m; ++j)
                for (Index a = 0; a < k; ++a)
                    result[(i * k + a) * d + (j * k + a)] = moment[i * m + j] * (precision_[a] * precision_[a]);
        for (Index j = m * k; j < d; ++j) result[j * d + j] = 2.0;
        return result;
    }
    std::vector<double> scores(static_cast<std::size_t>(policy_.n_rows * d));
    gaussian_scores(policy_, theta_, batch_.actions, scores);
    const auto visit = [&](Index first, Index last, double*, double* gram) {
        std::vector<double> scratch(static_cast<std::size_t>(8 * (last - first)));
        add_gram(scores.data() + first * d, last - first, d, batch_.weights.data() + first, scratch.data(), gram);
    };
    std::vector<double> gram(static_cast<std::size_t>(gram_size(d)));
    RowSweep({scores.data(), policy_.n_rows, d, 1, 1}, team_)({}, visit, {}, gram);
    unpack_gram(gram.data(), d, result);
    return result;
}

void GaussianModel::solve_closed_form(Reals gradient, double ridge, NaturalGradient& result) const {
    const Index k = policy_.action_size, m = policy_.n_features;
    const std::vector<double> moment = second_moment();
    const Reals head = gradient.first(static_cast<std::size_t>(m * k));
    for (Index a = 0; a < k; ++a) result.direction[m * k + a] = gradient[m * k + a] / (2.0 + ridge);
    const auto take = [&](const SymmetricSolution& solution, Index first, Index n_sides) {
        for (Index j = 0; j < m; ++j)
            for (Index a = 0; a < n_sides; ++a) {
                const double sigma = 1.0 / precision_[first + a];
                result.direction[j * k + first + a] = sigma * sigma * solution.x[j * n_sides + a];
            }
    };
    if (ridge == 0.0) {
        SymmetricSolution solution = solve_cholesky(moment, head);
        if (solution.status != Status::ok) solution = solve_pinv(moment, head);
        take(solution, 0, k);
        result.rank = k * solution.rank + k;
        return;
    }
    // (M / sigma^2 + ridge I) x = g, as sigma^2 (M + ridge sigma^2 I)^-1 g
    for (Index a = 0; a < k; ++a) {
        std::vector<double> damped(moment), side(static_cast<std::size_t>(m));
        for (Index j = 0; j < m; ++j) {
            damped[j * m + j] += ridge / (precision_[a] * precision_[a]);
            side[j] = head[j * k + a];
        }
        SymmetricSolution solution = solve_cholesky(damped, side);
        if (solution.status != Status::ok) solution = solve_pinv(damped, side);
        take(solution, a, 1);
        result.rank += solution.rank + 1;
    }
}

NaturalGradient GaussianModel::natural_gradient(Reals gradient, const NaturalGradientOptions& given) const {
    NaturalGradientOptions options = given;
    const Index d = policy_.n_params();
    if (options.solver == Solver::automatic)
        options.solver = options.estimator == Estimator::analytic ? Solver::closed_form
                         : d > kDenseFisherLimit                  ? Solver::cg
                         : options.damping > 0.0                  ? Solver::cholesky
                                                                  : Solver::pinv;
    if (options.solver == Solver::closed_form && options.estimator != Estimator::analytic)
        throw std::invalid_argument("method='closed_form' needs estimator='analytic'");
    if (options.solver == Solver::regression) options.estimator = Estimator::empirical;
    NaturalGradient result;
    result.direction.assign(static_cast<std::size_t>(d), 0.0);
    if (!all_finite(gradient)) {
        result.status = Status::non_finite;
        return result;
    }
    const double extra = ridge(options.estimator, options.damping);
    const Product product = [&](Reals v, MutableReals out) { multiply(options.estimator, extra, v, out); };
    if (options.solver == Solver::closed_form) {
        solve_closed_form(gradient, extra, result);
    } else if (options.solver == Solver::cg) {
        solve_by_products(result, gradient, product, options);
    } else if (options.solver == Solver::regression) {
        std::vector<double> rows(static_cast<std::size_t>(policy_.n_rows * d)), targets(batch_.weights.size());
        gaussian_scores(policy_, theta_, batch_.actions, rows);
        for (Index i = 0; i < policy_.n_rows; ++i) {
            const double scale = std::sqrt(batch_.weights[i]);
            for (Index j = 0; j < d; ++j) rows[i * d + j] *= scale;
            targets[i] = scale * batch_.advantages[i];
        }
        const LeastSquares fit = least_squares(rows, targets, d, extra);
        result.rank = fit.rank;
        for (Index j = 0; j < d; ++j) result.direction[j] = batch_.effective_horizon * fit.solution[j];
    } else {
        std::vector<double> matrix = fisher_matrix(options.estimator);
        for (Index j = 0; j < d; ++j) matrix[j * d + j] += extra;
        SymmetricSolution solution = solve_dense(options.solver, matrix, gradient);
        result.status = solution.status;
        result.rank = solution.rank;
        result.direction = std::move(solution.x);
    }
    settle(result, options.solver, options.measures_residual, gradient, product);
    return result;
}

/// One pass on the change of theta: the new mean is the old one and its shift.
Move GaussianModel::move(MutableReals theta) const {
    policy_.confine(theta);
    const Index k = policy_.action_size;
    const Reals old_log_std = policy_.log_std(theta_), new_log_std = policy_.log_std(theta);
    std::vector<double> change(theta.begin(), theta.end()), sigma_ratio, new_precision;
    axpy(-1.0, theta_.data(), change.data(), std::ssize(change));
    for (Index a = 0; a < k; ++a) {
        sigma_ratio.push_back(std::exp(old_log_std[a] - new_log_std[a]));
        new_precision.push_back(std::exp(-new_log_std[a]));
    }
    const auto visit = [&](Index first, Index last, double* row, double* totals) {
        for (Index i = first; i < last; ++i, row += k) {
            double log_ratio = 0.0, squares = 0.0;
            for (Index a = 0; a < k; ++a) {
                const double shift = row[a] * new_precision[a];
                const double before = z_[i * k + a], after = before * sigma_ratio[a] - shift;
                log_ratio += (old_log_std[a] - new_log_std[a]) + 0.5 * ((before - after) * (before + after));
                squares += shift * shift;
            }
            totals[0] += batch_.weights[i] * batch_.advantages[i] * ratio_minus_one(log_ratio, 0.0);
            totals[1] += batch_.weights[i];
            totals[2] += 0.5 * batch_.weights[i] * squares;
            totals[3] += std::isfinite(log_ratio) ? 0.0 : 1.0;
        }
    };
    double totals[4];
    RowSweep(policy_.rows(), team_)(policy_.weights(change), visit, {}, totals);
    double kl = totals[2];
    for (Index a = 0; a < k; ++a)
        kl += 0.5 * totals[1] * exp_minus_one_minus(-2.0 * (new_log_std[a] - old_log_std[a]));
    return {kl, batch_.effective_horizon * totals[0], totals[3] == 0.0};
}

std::unique_ptr<Minibatch> GaussianModel::minibatch(Reals theta) const {
    return gaussian_minibatch(policy_, batch_.actions, theta);
}

Surrogate GaussianModel::surrogate(double clip_range) const {
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(policy_.n_rows));
    std::iota(rows.begin(), rows.end(), 0u);
    Surrogate result;
    result.gradient.resize(static_cast<std::size_t>(policy_.n_params()));
    minibatch(theta_)->evaluate({rows, batch_.weights, batch_.advantages, batch_.log_probs},
                                {clip_range, batch_.effective_horizon}, result);
    return result;
}

}  // namespace npgfast
