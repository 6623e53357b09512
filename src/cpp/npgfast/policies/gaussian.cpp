#include "npgfast/policies/gaussian.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace npgfast {

void GaussianPolicy::confine(MutableReals theta) const {
    for (double& entry : theta.last(static_cast<std::size_t>(action_size)))
        entry = std::clamp(entry, log_std_min, log_std_max);
}

std::vector<double> GaussianPolicy::means(Reals theta, Team& team) const {
    std::vector<double> result(static_cast<std::size_t>(n_rows * action_size));
    const auto visit = [&](Index first, Index last, double* block, double*) {
        std::copy_n(block, (last - first) * action_size, result.data() + first * action_size);
    };
    RowSweep(rows(), team)(weights(theta), visit, {});
    return result;
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

std::vector<double> standardized_actions(const GaussianPolicy& policy, Reals theta, Reals actions, Team& team) {
    std::vector<double> z = policy.means(theta, team);
    const Reals log_std = policy.log_std(theta);
    for (Index j = 0; j < policy.action_size; ++j) {
        const double precision = std::exp(-log_std[j]);
        for (Index i = j; i < std::ssize(z); i += policy.action_size) z[i] = (actions[i] - z[i]) * precision;
    }
    return z;
}

void gaussian_scores(const GaussianPolicy& policy, Reals theta, Reals actions, MutableReals result) {
    const Index k = policy.action_size, m = policy.n_features, d = policy.n_params();
    Team team(1);
    const std::vector<double> z = standardized_actions(policy, theta, actions, team);
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
