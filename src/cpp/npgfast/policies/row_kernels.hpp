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

/// out = Phi W for n rows of features and a panel of 1 to 8 columns.
///
/// Inputs: phi (n, width) row-major; packed (width, lanes) row-major, 64-byte aligned, the columns of W and zeros; `stride`
/// >= columns, the distance of rows in `out`; `is_alone`, whether the features are met by this product only, which then
/// prefetches all that comes next and not a half. Output: out (n, columns); a row's bits depend on that row alone.
/// Tiling: see row_features.hpp. Cost: n * width * lanes multiply-adds.
void lift_rows(const double* phi, Index n, Index width, Index columns, const double* packed, double* out, Index stride,
               bool is_alone);

/// packed += Phi^T rows, the adjoint: rows (n, columns) at `stride`, added row after row; padding gets zeros.
void project_rows(const double* phi, Index n, Index width, Index columns, const double* rows, Index stride,
                  double* packed, bool is_alone);

}  // namespace npgfast
