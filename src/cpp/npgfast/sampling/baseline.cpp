#include "npgfast/sampling/baseline.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

void fit_table(Integers cells, Reals targets, Reals weights, MutableReals values) {
    std::vector<double> sums(values.size(), 0.0), masses(values.size(), 0.0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        sums[cells[i]] += weights[i] * targets[i];
        masses[cells[i]] += weights[i];
    }
    for (std::size_t c = 0; c < values.size(); ++c)
        if (masses[c] > 0.0) values[c] = sums[c] / masses[c];
}

Index ObservationBaseline::n_features() const {
    return 1 + powers_ + size_ + (kind_ == BaselineKind::quadratic ? size_ * (size_ + 1) / 2 : 0);
}

void ObservationBaseline::features(Reals state, const double* observation, std::int32_t time, double* row) const {
    const double u = std::min(1.0, static_cast<double>(time) * state[0]);
    const double* mean = state.data() + 1;
    const double* scale = mean + size_;
    double* z = row + 1 + powers_;
    row[0] = 1.0;
    for (Index k = 1; k <= powers_; ++k) row[k] = u * row[k - 1];
    for (Index j = 0; j < size_; ++j) z[j] = std::clamp((observation[j] - mean[j]) * scale[j], -10.0, 10.0);
    if (kind_ != BaselineKind::quadratic) return;
    double* product = z + size_;
    for (Index i = 0; i < size_; ++i)
        for (Index j = i; j < size_; ++j) *product++ = z[i] * z[j];
}

std::vector<double> ObservationBaseline::predict(Reals state, Reals observations, Integers time) const {
    std::vector<double> values(time.size(), 0.0);
    if (kind_ == BaselineKind::none) return values;
    const Index p = n_features();
    const double* coefficients = state.data() + 1 + 2 * size_;
    std::vector<double> row(static_cast<std::size_t>(p));
    for (std::size_t i = 0; i < values.size(); ++i) {
        features(state, observations.data() + static_cast<Index>(i) * size_, time[i], row.data());
        values[i] = dot(row.data(), coefficients, p);
    }
    return values;
}

void ObservationBaseline::fit(MutableReals state, Reals observations, Integers time, Reals targets) const {
    if (kind_ == BaselineKind::none || targets.empty()) return;
    const Index n = std::ssize(targets), p = n_features();
    std::vector<double> next(state.size(), 0.0);
    next[0] = 1.0 / static_cast<double>(*std::max_element(time.begin(), time.end()) + 1);
    const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> given(
        observations.data(), n, size_);
    Eigen::Map<Eigen::RowVectorXd> mean(next.data() + 1, size_), scale(next.data() + 1 + size_, size_);
    mean = given.colwise().mean();
    const Eigen::RowVectorXd spread = (given.rowwise() - mean).colwise().squaredNorm() / static_cast<double>(n);
    for (Index j = 0; j < size_; ++j) {
        const bool varies = spread[j] > 1e-24 * std::max(1.0, mean[j] * mean[j]);
        scale[j] = varies ? 1.0 / std::sqrt(spread[j]) : 0.0;
    }
    Eigen::MatrixXd rows(p, n);
    for (Index i = 0; i < n; ++i) features(next, observations.data() + i * size_, time[i], rows.col(i).data());
    Eigen::MatrixXd moment = Eigen::MatrixXd::Zero(p, p);
    moment.selfadjointView<Eigen::Lower>().rankUpdate(rows, 1.0 / static_cast<double>(n));
    moment.diagonal().array() += 1e-5;
    const Eigen::VectorXd right = rows * Eigen::Map<const Eigen::VectorXd>(targets.data(), n) / static_cast<double>(n);
    const Eigen::LDLT<Eigen::MatrixXd> factor(moment.selfadjointView<Eigen::Lower>());
    Eigen::Map<Eigen::VectorXd>(next.data() + 1 + 2 * size_, p) = factor.solve(right);
    if (all_finite(next)) std::copy(next.begin(), next.end(), state.begin());
}

}  // namespace npgfast
