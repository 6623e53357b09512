#pragma once

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Doubles of a packed Gram matrix: see add_gram.
Index gram_size(Index m);

/// gram += sum_i c_i phi_i phi_i^T, from n rows of m features.
///
/// Inputs: phi (n, m) row-major, coefficients (n,), scratch for 8 n doubles. Output: gram, gram_size(m) doubles that
/// the first call finds at 0: the lower triangle in panels of 8 columns, each from its first row on.
/// Tiling: the rows of a panel are c_i times 8 features of row i; they stay in registers, 8 rows of i at a time, while
/// the features from the panel's on are walked, as in a projection (row_features.hpp). Give it rows that fit the
/// first-level cache. Bound by multiply-adds: n m (m + 8) / 2 of them.
/// Source: Golub & Van Loan, "Matrix Computations", 4th ed., section 1.3 (blocked symmetric updates).
void add_gram(const double* phi, Index n, Index m, const double* coefficients, double* scratch, double* gram);

/// The packed matrix as a symmetric square (m, m).
void unpack_gram(const double* gram, Index m, MutableReals square);

}  // namespace npgfast
