#pragma once

#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

struct SymmetricSolution {
    std::vector<double> x;
    Index rank = 0;
    Status status = Status::ok;
};

/// The minimum-norm solution of matrix x = right by eigendecomposition; eigenvalues below the rank cutoff are dropped.
///
/// Inputs: a symmetric (d, d) matrix, right (d,) or several right-hand sides (d, k) row-major. Output: x of that shape.
/// Cost: about 9 d^3, in Eigen, whose reduction to a tridiagonal goes column by column over the whole matrix. Source:
/// Golub & Van Loan, "Matrix Computations", 4th ed., section 8.3.
SymmetricSolution solve_pinv(Reals matrix, Reals right);

/// The solution by a Cholesky factorisation; `negative_curvature`, with x = 0, if the matrix is not positive definite
/// or a pivot is below the rank cutoff. Cost: d^3 / 3, in blocks, bound by multiply-adds. Inputs and output as above.
SymmetricSolution solve_cholesky(Reals matrix, Reals right);

}  // namespace npgfast
