#include "npgfast/policies/gaussian.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace npgfast {

namespace {
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> matrix(Reals values, Index rows, Index columns) {
    return {values.data(), rows, columns};
}
}  // namespace

void GaussianPolicy::confine(MutableReals theta) const {
    for (double& entry : theta.last(static_cast<std::size_t>(action_size)))
        entry = std::clamp(entry, log_std_min, log_std_max);
}

std::vector<double> GaussianPolicy::means(Reals theta) const {
    std::vector<double> result(static_cast<std::size_t>(n_rows * action_size));
    Eigen::Map<RowMajor>(result.data(), n_rows, action_size).noalias() =
        matrix(features, n_rows, n_features) * matrix(theta, n_features, action_size);
    return result;
}

void GaussianPolicy::project(Reals rows, MutableReals vector) const {
    Eigen::Map<RowMajor>(vector.data(), n_features, action_size).noalias() =
        matrix(features, n_rows, n_features).transpose() * matrix(rows, n_rows, action_size);
}

double gaussian_log_prob(const double* action, const double* mean, Reals log_std) {
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    double sum = 0.0;
    for (std::size_t k = 0; k < log_std.size(); ++k) {
        const double z = (action[k] - mean[k]) * std::exp(-log_std[k]);
        sum -= 0.5 * z * z + log_std[k] + kHalfLogTwoPi;
    }
    return sum;
}

double gaussian_entropy(Reals log_std) {
    double sum = 0.0;
    for (double entry : log_std) sum += entry + 0.5 * (1.0 + std::log(2.0 * std::numbers::pi));
    return sum;
}

std::vector<double> standardized_actions(const GaussianPolicy& policy, Reals theta, Reals actions) {
    std::vector<double> z = policy.means(theta);
    const Reals log_std = policy.log_std(theta);
    for (Index j = 0; j < policy.action_size; ++j) {
        const double precision = std::exp(-log_std[j]);
        for (Index i = j; i < std::ssize(z); i += policy.action_size) z[i] = (actions[i] - z[i]) * precision;
    }
    return z;
}

void gaussian_scores(const GaussianPolicy& policy, Reals theta, Reals actions, MutableReals result) {
    const Index k = policy.action_size, m = policy.n_features, d = policy.n_params();
    const std::vector<double> z = standardized_actions(policy, theta, actions);
    const Reals log_std = policy.log_std(theta);
    for (Index i = 0; i < policy.n_rows; ++i) {
        double* row = result.data() + i * d;
        for (Index j = 0; j < m; ++j)
            for (Index a = 0; a < k; ++a)
                row[j * k + a] = policy.features[i * m + j] * (z[i * k + a] * std::exp(-log_std[a]));
        for (Index a = 0; a < k; ++a) row[m * k + a] = z[i * k + a] * z[i * k + a] - 1.0;
    }
}

}  // namespace npgfast
