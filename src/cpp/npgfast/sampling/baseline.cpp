#include "npgfast/sampling/baseline.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

#include "npgfast/base/column.hpp"
#include "npgfast/base/lanes.hpp"
#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr Index kFitGroups = 8;  // whose features, if they are few, stay in the first-level cache

/// moments(j, k) += sum z_j z_k over all lanes, k <= j, from groups (n_groups, n_rows, kGroup) of features; the number
/// of rows is a multiple of kWidth, what is above the diagonal of the moments is anything.
///
/// Tiling: two rows and kWidth columns of the moments stay in registers; three loads make four multiply-adds, which
/// bound it where the groups fit the first-level cache.
void add_moments(const double* groups, Index n_groups, Index n_rows, double* moments) {
    for (Index j = 0; j < n_rows; j += 2)
        for (Index k = 0; k <= j + 1; k += kWidth) {
            Lanes sums[2][kWidth] = {};
            for (const double* z = groups; z < groups + n_groups * n_rows * kGroup; z += n_rows * kGroup)
                for (Index lane = 0; lane < kGroup; lane += kWidth) {
                    const Lanes even = load(z + j * kGroup + lane), odd = load(z + (j + 1) * kGroup + lane);
                    for (Index c = 0; c < kWidth; ++c) {
                        const Lanes column = load(z + (k + c) * kGroup + lane);
                        sums[0][c] = multiply_add(even, column, sums[0][c]);
                        sums[1][c] = multiply_add(odd, column, sums[1][c]);
                    }
                }
            for (Index r = 0; r < 2; ++r) {
                double* const row = moments + (j + r) * n_rows + k;
                transpose(sums[r]);
                Lanes total = load(row);
                for (const Lanes& part : sums[r]) total += part;
                store(row, total);
            }
        }
}

}  // namespace

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
    // The targets are one more feature.
    const Index n_rows = (p + kWidth) / kWidth * kWidth;
    Column<double> groups = group_array(kFitGroups * n_rows);
    std::vector<double> moments(static_cast<std::size_t>(n_rows * n_rows), 0.0);
    for (Index first = 0; first < n;) {
        Index n_groups = 0;
        for (; n_groups < kFitGroups && first < n; ++n_groups, first += kGroup) {
            const Index count = std::min(kGroup, n - first);
            double* const group = groups.data() + n_groups * n_rows * kGroup;
            features(next, count, observations.data() + first * size_, time.data() + first, group);
            std::copy_n(targets.data() + first, count, group + p * kGroup);
            for (Index j = 0; count < kGroup && j <= p; ++j)
                std::fill(group + j * kGroup + count, group + (j + 1) * kGroup, 0.0);
        }
        add_moments(groups.data(), n_groups, n_rows, moments.data());
    }
    const Eigen::Map<const Eigen::MatrixXd> upper(moments.data(), n_rows, n_rows);
    Eigen::MatrixXd moment = upper.topLeftCorner(p, p).transpose() / static_cast<double>(n);
    moment.diagonal().array() += 1e-5;
    const Eigen::VectorXd right = upper.col(p).head(p) / static_cast<double>(n);
    Eigen::Map<Eigen::VectorXd>(next.data() + 1 + 2 * size_, p) = Eigen::LDLT<Eigen::MatrixXd>(moment).solve(right);
    if (all_finite(next)) std::copy(next.begin(), next.end(), state.begin());
}

}  // namespace npgfast
