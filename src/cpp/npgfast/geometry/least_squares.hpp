#pragma once

#include <limits>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Eigenvalues of an n x n matrix (or pivots of a least-squares problem) below this fraction of the largest are taken
/// for the rounding of a 0. A bare n eps takes one singular Fisher block in a hundred for a regular one (measured).
inline double rank_cutoff(Index n) { return 100.0 * static_cast<double>(n) * std::numeric_limits<double>::epsilon(); }

struct LeastSquares {
    std::vector<double> solution;
    Index rank = 0;
};

/// The minimum-norm solution of min_x ||rows x - targets||^2 + ridge ||x||^2 by a complete orthogonal decomposition.
///
/// Inputs: rows (n, d) row-major, targets (n,), ridge >= 0. Output: x (d,) and the numerical rank of the rows (d if
/// ridge > 0). The normal equations are never formed, so the condition number is not squared.
/// Cost: n d^2, a column at a time over all rows that follow (Eigen does not block it): bound by memory where the rows
/// do not fit the caches. Source: Golub & Van Loan, "Matrix Computations", 4th ed., section 5.5.
LeastSquares least_squares(Reals rows, Reals targets, Index d, double ridge);

}  // namespace npgfast
