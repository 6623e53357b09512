#pragma once

#include <cstdint>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Rows of a tile. A tile of 8 features and 4 outputs takes 8 kB, a quarter of an L1 cache.
inline constexpr Index kTileRows = 64;

/// A few rows of features phi (m,), in any order, side by side: what is linear in them, vectorised across the rows.
///
///     outputs(a)[i] = sum_j phi_i,j W_j,a,        gradient_j,a = sum_i phi_i,j columns(a)[i]
///
/// The rows of a tile are copied into columns, feature by feature. Products keep 8 vectors of sums in
/// registers; the sums of the gradient stay vectors until `finish`, so that their order depends on the order of
/// the rows alone. Rows that a tile lacks are zeros. Cost: m (2 k + 1) a row, of which the copy (m single
/// stores) is the larger part for k <= 2.
class RowTile {
public:
    /// features (n, m) row-major; k outputs. They must outlive the tile.
    RowTile(Reals features, Index n_features, Index n_outputs);

    /// Takes up to kTileRows rows.
    void gather(const std::uint32_t* rows, Index count);
    /// columns = outputs at W (m, k) row-major.
    void multiply(const double* weights);
    /// gradient sums += features x columns.
    void add_columns();
    /// gradient (m, k) = the sums, which start again from zero.
    void finish(double* gradient);

    double* column(Index a) { return columns_.data() + a * kTileRows; }

private:
    Reals features_;
    Index n_features_, n_outputs_;
    std::vector<double> cells_;    ///< (m, kStride): feature by feature
    std::vector<double> columns_;  ///< (k, kTileRows)
    std::vector<double> sums_;     ///< (m, k) of lanes
};

}  // namespace npgfast
