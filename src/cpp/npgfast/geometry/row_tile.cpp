#include "npgfast/geometry/row_tile.hpp"

#include <algorithm>

#include "npgfast/base/lanes.hpp"
#include "npgfast/base/simd.hpp"

namespace npgfast {

namespace {

constexpr Index kStride = kTileRows + 8;  // of the columns of features: no two in one set of the cache

/// outputs a, ..., a + kOutputs - 1 of kVectors vectors of rows, accumulated in registers.
template <Index kOutputs, Index kVectors>
void multiply_block(const double* cells, Index n_features, const double* weights, Index n_outputs, double* columns) {
    Lanes sums[kOutputs][kVectors];
    for (auto& row : sums)
        for (Lanes& sum : row) sum = Lanes{};
    for (Index j = 0; j < n_features; ++j) {
        Lanes x[kVectors];
        for (Index v = 0; v < kVectors; ++v) x[v] = load(cells + j * kStride + v * kWidth);
        for (Index a = 0; a < kOutputs; ++a) {
            const Lanes w = all_lanes(weights[j * n_outputs + a]);
            for (Index v = 0; v < kVectors; ++v) sums[a][v] = multiply_add<kWidth>(x[v], w, sums[a][v]);
        }
    }
    for (Index a = 0; a < kOutputs; ++a)
        for (Index v = 0; v < kVectors; ++v) store(columns + a * kTileRows + v * kWidth, sums[a][v]);
}

/// The sums of kFeatures features and kOutputs outputs.
template <Index kFeatures, Index kOutputs>
void add_block(const double* cells, const double* columns, Index n_outputs, double* sums) {
    Lanes block[kFeatures][kOutputs];
    for (Index j = 0; j < kFeatures; ++j)
        for (Index a = 0; a < kOutputs; ++a) block[j][a] = load(sums + (j * n_outputs + a) * kWidth);
    for (Index i = 0; i < kTileRows; i += kWidth) {
        Lanes slope[kOutputs];
        for (Index a = 0; a < kOutputs; ++a) slope[a] = load(columns + a * kTileRows + i);
        for (Index j = 0; j < kFeatures; ++j) {
            const Lanes x = load(cells + j * kStride + i);
            for (Index a = 0; a < kOutputs; ++a) block[j][a] = multiply_add<kWidth>(x, slope[a], block[j][a]);
        }
    }
    for (Index j = 0; j < kFeatures; ++j)
        for (Index a = 0; a < kOutputs; ++a) store(sums + (j * n_outputs + a) * kWidth, block[j][a]);
}

template <Index kOutputs>
void add_features(const double* cells, const double* columns, Index n_features, Index n_outputs, double* sums) {
    Index j = 0;
    for (; j + 2 <= n_features; j += 2)
        add_block<2, kOutputs>(cells + j * kStride, columns, n_outputs, sums + j * n_outputs * kWidth);
    if (j < n_features)
        add_block<1, kOutputs>(cells + j * kStride, columns, n_outputs, sums + j * n_outputs * kWidth);
}

}  // namespace

RowTile::RowTile(Reals features, Index n_features, Index n_outputs)
    : features_(features), n_features_(n_features), n_outputs_(n_outputs),
      cells_(static_cast<std::size_t>(n_features * kStride), 0.0),
      columns_(static_cast<std::size_t>(n_outputs * kTileRows), 0.0),
      sums_(static_cast<std::size_t>(n_features * n_outputs * kWidth), 0.0) {}

void RowTile::gather(const std::uint32_t* rows, Index count) {
    const double* const features = features_.data();
    const Index m = n_features_;
    double* const cells = cells_.data();
    // Rows in any order miss the caches: ask for all of them before the first one is waited for.
    for (Index i = 0; i < count; ++i)
        for (Index j = 0; j < std::min<Index>(m, 16); j += 8) prefetch(features + Index{rows[i]} * m + j);
    for (Index i = 0; i < count; ++i) {
        const double* phi = features + Index{rows[i]} * m;
        for (Index j = 0; j < m; ++j) cells[j * kStride + i] = phi[j];
    }
    for (Index j = 0; count < kTileRows && j < m; ++j)
        std::fill(cells + j * kStride + count, cells + j * kStride + kTileRows, 0.0);
}

void RowTile::multiply(const double* weights) {
    Index a = 0;
    const auto each = [&]<Index kOutputs>() {
        for (Index i = 0; i < kTileRows; i += 2 * kWidth)
            multiply_block<kOutputs, 2>(cells_.data() + i, n_features_, weights + a, n_outputs_, column(a) + i);
        a += kOutputs;
    };
    while (a + 4 <= n_outputs_) each.template operator()<4>();
    if (a + 2 <= n_outputs_) each.template operator()<2>();
    if (a < n_outputs_) each.template operator()<1>();
}

void RowTile::add_columns() {
    Index a = 0;
    const auto each = [&]<Index kOutputs>() {
        add_features<kOutputs>(cells_.data(), column(a), n_features_, n_outputs_, sums_.data() + a * kWidth);
        a += kOutputs;
    };
    while (a + 4 <= n_outputs_) each.template operator()<4>();
    if (a + 2 <= n_outputs_) each.template operator()<2>();
    if (a < n_outputs_) each.template operator()<1>();
}

void RowTile::finish(double* gradient) {
    for (Index j = 0; j < n_features_ * n_outputs_; ++j)
        gradient[j] = sum_of(load(sums_.data() + j * kWidth));
    std::fill(sums_.begin(), sums_.end(), 0.0);
}

}  // namespace npgfast
