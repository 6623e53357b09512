#include "npgfast/geometry/gaussian_model.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/least_squares.hpp"

namespace npgfast {

namespace {

/// Entries one by one, with the mean of each computed when it is visited.
class GaussianMinibatch final : public Minibatch {
public:
    GaussianMinibatch(const GaussianPolicy& policy, const RowBatch& batch, Reals theta)
        : policy_(policy), batch_(batch), theta_(theta), z_(batch.actions.size()),
          sums_(static_cast<std::size_t>(policy.n_params()), 0.0), mean_(static_cast<std::size_t>(policy.action_size)) {}

    double visit(Index entry, double weight) override {
        const Index k = policy_.action_size, m = policy_.n_features;
        const Reals log_std = policy_.log_std(theta_);
        const double* phi = policy_.features.data() + entry * m;
        std::fill(mean_.begin(), mean_.end(), 0.0);
        for (Index j = 0; j < m; ++j) axpy(phi[j], theta_.data() + j * k, mean_.data(), k);
        for (Index a = 0; a < k; ++a)
            z_[entry * k + a] = (batch_.actions[entry * k + a] - mean_[a]) * std::exp(-log_std[a]);
        weight_ += weight;
        return gaussian_log_prob(batch_.actions.data() + entry * k, mean_.data(), log_std);
    }

    void add_score(Index entry, double coefficient) override {
        const Index k = policy_.action_size, m = policy_.n_features;
        const double* phi = policy_.features.data() + entry * m;
        for (Index a = 0; a < k; ++a) {
            const double z = z_[entry * k + a];
            mean_[a] = coefficient * z;
            sums_[m * k + a] += coefficient * (z * z - 1.0);
        }
        for (Index j = 0; j < m; ++j) axpy(phi[j], mean_.data(), sums_.data() + j * k, k);
    }

    /// dH/dlog_std = 1 in each dimension
    void finish(double entropy_coefficient, MutableReals gradient) override {
        const Index k = policy_.action_size, m = policy_.n_features;
        const Reals log_std = policy_.log_std(theta_);
        for (Index j = 0; j < m; ++j)
            for (Index a = 0; a < k; ++a) gradient[j * k + a] = sums_[j * k + a] * std::exp(-log_std[a]);
        for (Index a = 0; a < k; ++a) gradient[m * k + a] = sums_[m * k + a] + entropy_coefficient * weight_;
        std::fill(sums_.begin(), sums_.end(), 0.0);
        weight_ = 0.0;
    }

private:
    const GaussianPolicy& policy_;
    const RowBatch& batch_;
    Reals theta_;
    std::vector<double> z_, sums_, mean_;
    double weight_ = 0.0;
};

}  // namespace

GaussianModel::GaussianModel(const GaussianPolicy& policy, Reals theta, const RowBatch& batch)
    : policy_(policy), theta_(theta), batch_(batch), z_(standardized_actions(policy, theta, batch.actions)) {
    for (double entry : policy.log_std(theta)) precision_.push_back(std::exp(-entry));
}

/// sum_i coefficient_i score_i
std::vector<double> GaussianModel::weighted_score_sum(Reals coefficients) const {
    const Index k = policy_.action_size, m = policy_.n_features;
    std::vector<double> rows(z_.size()), result(static_cast<std::size_t>(policy_.n_params()), 0.0);
    for (Index i = 0; i < policy_.n_rows; ++i) {
        for (Index a = 0; a < k; ++a) {
            const double z = z_[i * k + a];
            rows[i * k + a] = coefficients[i] * (z * precision_[a]);
            result[m * k + a] += coefficients[i] * (z * z - 1.0);
        }
    }
    policy_.project(rows, result);
    return result;
}

/// vector . score_i of each row
std::vector<double> GaussianModel::score_products(Reals vector) const {
    const Index k = policy_.action_size;
    const std::vector<double> rows = policy_.means(vector);
    const Reals tail = policy_.log_std(vector);
    std::vector<double> result(static_cast<std::size_t>(policy_.n_rows), 0.0);
    for (Index i = 0; i < policy_.n_rows; ++i)
        for (Index a = 0; a < k; ++a) {
            const double z = z_[i * k + a];
            result[i] += rows[i * k + a] * (z * precision_[a]) + tail[a] * (z * z - 1.0);
        }
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
    const Index k = policy_.action_size, m = policy_.n_features;
    if (estimator == Estimator::empirical) {
        std::vector<double> products = score_products(vector);
        for (std::size_t i = 0; i < products.size(); ++i) products[i] *= batch_.weights[i];
        const std::vector<double> sum = weighted_score_sum(products);
        std::copy(sum.begin(), sum.end(), result.begin());
    } else {
        std::vector<double> rows = policy_.means(vector);
        for (Index i = 0; i < policy_.n_rows; ++i)
            for (Index a = 0; a < k; ++a) rows[i * k + a] *= batch_.weights[i] * (precision_[a] * precision_[a]);
        policy_.project(rows, result);
        for (Index a = 0; a < k; ++a) result[m * k + a] = 2.0 * vector[m * k + a];
    }
    for (std::size_t j = 0; j < vector.size(); ++j) result[j] += ridge * vector[j];
}

double GaussianModel::fisher_quadratic(Reals direction, Estimator estimator) const {
    const Index k = policy_.action_size;
    double sum = 0.0;
    if (estimator == Estimator::empirical) {
        const std::vector<double> products = score_products(direction);
        for (std::size_t i = 0; i < products.size(); ++i) sum += batch_.weights[i] * (products[i] * products[i]);
        return sum;
    }
    const std::vector<double> rows = policy_.means(direction);
    for (Index i = 0; i < policy_.n_rows; ++i)
        for (Index a = 0; a < k; ++a) {
            const double shift = rows[i * k + a] * precision_[a];
            sum += batch_.weights[i] * (shift * shift);
        }
    for (double entry : policy_.log_std(direction)) sum += 2.0 * (entry * entry);
    return sum;
}

/// E_w[phi phi^T], (m, m)
std::vector<double> GaussianModel::second_moment() const {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Index m = policy_.n_features;
    const Eigen::Map<const RowMajor> phi(policy_.features.data(), policy_.n_rows, m);
    const Eigen::Map<const Eigen::VectorXd> weights(batch_.weights.data(), policy_.n_rows);
    std::vector<double> result(static_cast<std::size_t>(m * m), 0.0);
    Eigen::Map<Eigen::MatrixXd> moment(result.data(), m, m);
    const RowMajor scaled = weights.cwiseSqrt().asDiagonal() * phi;
    moment.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
    moment.triangularView<Eigen::StrictlyUpper>() = moment.transpose();
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
    for (Index i = 0; i < policy_.n_rows; ++i)
        for (Index j = 0; j < d; ++j) scores[i * d + j] *= std::sqrt(batch_.weights[i]);
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const RowMajor> rows(scores.data(), policy_.n_rows, d);
    Eigen::Map<Eigen::MatrixXd> matrix(result.data(), d, d);
    matrix.selfadjointView<Eigen::Lower>().rankUpdate(rows.transpose());
    matrix.triangularView<Eigen::StrictlyUpper>() = matrix.transpose();
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
    settle(result, options.solver, gradient, product);
    return result;
}

Move GaussianModel::move(MutableReals theta) const {
    policy_.confine(theta);
    Move result;
    const std::vector<double> next = standardized_actions(policy_, theta, batch_.actions);
    const Index k = policy_.action_size;
    const Reals old_log_std = policy_.log_std(theta_), new_log_std = policy_.log_std(theta);
    double gain = 0.0;
    for (Index i = 0; i < policy_.n_rows; ++i) {
        double log_ratio = 0.0;
        for (Index a = 0; a < k; ++a) {
            const double before = z_[i * k + a], after = next[i * k + a];
            log_ratio += (old_log_std[a] - new_log_std[a]) + 0.5 * ((before - after) * (before + after));
        }
        result.is_finite = result.is_finite && std::isfinite(log_ratio);
        gain += batch_.weights[i] * batch_.advantages[i] * std::expm1(std::clamp(log_ratio, -kLogRatioLimit, kLogRatioLimit));
    }
    result.gain = batch_.effective_horizon * gain;
    std::vector<double> change(theta.begin(), theta.end());
    axpy(-1.0, theta_.data(), change.data(), std::ssize(change));
    result.kl = mean_kl(policy_.means(change), old_log_std, new_log_std, batch_.weights);
    return result;
}

std::unique_ptr<Minibatch> GaussianModel::minibatch(Reals theta) const {
    return std::make_unique<GaussianMinibatch>(policy_, batch_, theta);
}

Surrogate GaussianModel::surrogate(double clip_range) const {
    Surrogate result;
    const Index k = policy_.action_size;
    const std::vector<double> means = policy_.means(theta_);
    std::vector<double> coefficients(batch_.weights.size(), 0.0);
    for (Index i = 0; i < policy_.n_rows; ++i) {
        const double log_prob =
            gaussian_log_prob(batch_.actions.data() + i * k, means.data() + i * k, policy_.log_std(theta_));
        coefficients[i] = result.add(log_prob, batch_.log_probs[i], batch_.weights[i], batch_.advantages[i],
                                     batch_.effective_horizon, clip_range);
    }
    result.gradient = weighted_score_sum(coefficients);
    return result;
}

}  // namespace npgfast
