#pragma once

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Columns that one call multiplies.
inline constexpr Index kPanel = 8;

/// The lanes that a panel of `columns` is padded to: the next power of two.
inline constexpr Index panel_lanes(Index columns) {
    Index lanes = 1;
    while (lanes < columns) lanes *= 2;
    return lanes;
}

/// How much of the features that follow is fetched while these are worked on: nothing, or all of it, or half, because
/// the other product of the same pass fetches the other half.
enum class Prefetch { none, half, all };

/// out = Phi W for n rows of features and a panel of 1 to 8 columns.
///
/// Inputs: phi (n, width) row-major; packed (width, lanes) row-major, the columns of W and zeros; `stride` >= columns,
/// the distance of rows in `out`. Output: out (n, columns); a row's bits depend on that row alone.
/// Tiling: see row_features.hpp. Cost: n * width * lanes multiply-adds.
void lift_rows(const double* phi, Index n, Index width, Index columns, const double* packed, double* out, Index stride,
               Prefetch prefetch);

/// packed += Phi^T rows, the adjoint: phi (n, width) at `phi_stride`, rows (n, columns) at `stride`, added row
/// after row; the padding gets zeros.
void project_rows(const double* phi, Index n, Index width, Index phi_stride, Index columns, const double* rows,
                  Index stride, double* packed, Prefetch prefetch);

}  // namespace npgfast
