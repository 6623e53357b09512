#include "npgfast/sampling/baseline.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

#include "npgfast/base/column.hpp"
#include "npgfast/base/lanes.hpp"
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

void ObservationBaseline::features(Reals state, Index n, const double* observations, const std::int32_t* time,
                                   double* rows) const {
    const double* mean = state.data() + 1;
    const double* scale = mean + size_;
    double* const z = rows + (1 + powers_) * kGroup;
    gather(observations, n, size_, z);
    std::array<double, kGroup> clock{};
    for (Index k = 0; k < n; ++k) clock[k] = std::min(1.0, static_cast<double>(time[k]) * state[0]);
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* row = rows + lane;
        store(row, all_lanes(1.0));
        for (Index k = 1; k <= powers_; ++k)
            store(row + k * kGroup, load(clock.data() + lane) * load(row + (k - 1) * kGroup));
        for (Index j = 0; j < size_; ++j)
            store(z + j * kGroup + lane,
                  clamp((load(z + j * kGroup + lane) - mean[j]) * scale[j], all_lanes(-10.0), all_lanes(10.0)));
        if (kind_ != BaselineKind::quadratic) continue;
        double* product = z + size_ * kGroup + lane;
        for (Index i = 0; i < size_; ++i)
            for (Index j = i; j < size_; ++j, product += kGroup)
                store(product, load(z + i * kGroup + lane) * load(z + j * kGroup + lane));
    }
}

std::vector<double> ObservationBaseline::predict(Reals state, Reals observations, Integers time) const {
    std::vector<double> values(time.size(), 0.0);
    if (kind_ == BaselineKind::none) return values;
    const Index p = n_features();
    const double* coefficients = state.data() + 1 + 2 * size_;
    Column<double> rows(static_cast<std::size_t>(p * kGroup));
    std::array<double, kGroup> sums;
    for (Index first = 0; first < std::ssize(values); first += kGroup) {
        const Index n = std::min(kGroup, std::ssize(values) - first);
        features(state, n, observations.data() + first * size_, time.data() + first, rows.data());
        for (Index lane = 0; lane < n; lane += kWidth) {
            Lanes sum{};
            for (Index j = 0; j < p; ++j) sum += load(rows.data() + j * kGroup + lane) * coefficients[j];
            store(sums.data() + lane, sum);
        }
        std::copy_n(sums.begin(), n, values.begin() + first);
    }
    return values;
}

void ObservationBaseline::fit(MutableReals state, Reals observations, Integers time, Reals targets) const {
    if (kind_ == BaselineKind::none || targets.empty()) return;
    const Index n = std::ssize(targets), p = n_features();
    std::vector<double> next(state.size(), 0.0);
    next[0] = 1.0 / static_cast<double>(*std::max_element(time.begin(), time.end()) + 1);
    // In this order, row after row: Eigen would add up in an order that depends on the alignment of its maps.
    double *const mean = next.data() + 1, *const scale = mean + size_;
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < size_; ++j) mean[j] += observations[i * size_ + j];
    for (Index j = 0; j < size_; ++j) mean[j] /= static_cast<double>(n);
    std::vector<double> spread(static_cast<std::size_t>(size_), 0.0);
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < size_; ++j) {
            const double distance = observations[i * size_ + j] - mean[j];
            spread[j] += distance * distance;
        }
    for (Index j = 0; j < size_; ++j) {
        const double variance = spread[j] / static_cast<double>(n);
        scale[j] = variance > 1e-24 * std::max(1.0, mean[j] * mean[j]) ? 1.0 / std::sqrt(variance) : 0.0;
    }
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows(p, n);
    Column<double> group(static_cast<std::size_t>(p * kGroup));
    for (Index first = 0; first < n; first += kGroup) {
        const Index count = std::min(kGroup, n - first);
        features(next, count, observations.data() + first * size_, time.data() + first, group.data());
        for (Index j = 0; j < p; ++j) std::copy_n(group.data() + j * kGroup, count, &rows(j, first));
    }
    Eigen::MatrixXd moment = Eigen::MatrixXd::Zero(p, p);
    moment.selfadjointView<Eigen::Lower>().rankUpdate(rows, 1.0 / static_cast<double>(n));
    moment.diagonal().array() += 1e-5;
    Eigen::VectorXd right(p);
    for (Index j = 0; j < p; ++j) right[j] = dot(&rows(j, 0), targets.data(), n) / static_cast<double>(n);
    const Eigen::LDLT<Eigen::MatrixXd> factor(moment.selfadjointView<Eigen::Lower>());
    Eigen::Map<Eigen::VectorXd>(next.data() + 1 + 2 * size_, p) = factor.solve(right);
    if (all_finite(next)) std::copy(next.begin(), next.end(), state.begin());
}

}  // namespace npgfast
