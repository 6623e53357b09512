#pragma once

#include "npgfast/base/interrupt.hpp"
#include "npgfast/exact/sparse_matrix.hpp"

namespace npgfast {

/// Residuals are relative to sizes of at least this: among the smallest doubles nothing has digits.
inline constexpr double kSmallestSize = 1e-290;

/// What sweeps have come to. `stalled`: a slower chain than they are good for; x is then the best so far.
struct Sweeps {
    double residual = 0.0;  ///< ||b - (I - K) x||_inf / max(||b||_inf, ||x||_inf)
    bool stalled = false;
};

/// Solves (I - K) x = b by block Gauss-Seidel sweeps with a coarse correction, from the guess in x.
///
///     x_s <- (b_s + sum_{j != s} K_sj x_j) / (1 - K_ss),    x <- x + c v   with 1^T (b - (I - K)(x + c v)) = 0
///
/// The correction removes the one slow error of a chain that mixes: constant values (v = 1), or occupancies of the
/// wrong mass (v = x). What is left shrinks with the second eigenvalue of K, in a random chain with b successors by
/// sqrt(1/b) a sweep; no polynomial of K does better there (its spectrum fills a disc), Gauss-Seidel does by half.
/// Inputs: K; `inverse_diagonal` 1 / (1 - K_ss); `row_deficits` 1 - sum_j K_sj if v = 1, empty if v = x; x a guess.
/// The sweeps end when ||b - (I - K) x||_inf is rounding; `stalled` if it shrinks by less than a quarter a sweep. With
/// n_sweeps > 0 they are a Jacobi step and so many sweeps, and `residual` is that of the guess.
/// Tiling: the rows are cut into eight blocks; a block reads x as the blocks before it have left it, and is shared by
/// the team, so that results do not depend on its size. Every few sweeps one is replaced by a Jacobi step, which
/// gives the residual and the correction; it alone reads the rare entries of K, whose sums the sweeps take from it.
/// Cost: 12 bytes of K an entry and sweep, prefetched past the caches where K is large: bound by the fills of the first
/// cache that the gathers from x ask for while x fits in the second one (1.5 ns an entry and core of a Zen 3), else by
/// the latency of the third (3 ns at 10^6 states).
/// Source: Bertsekas & Castanon 1989 (aggregation); Saad 2003, section 4.1 (block relaxation).
Sweeps sweep(const SplitMatrix& kernel, Reals inverse_diagonal, Reals row_deficits, Reals b, MutableReals x,
             int n_sweeps, Team& team, const Interrupt& interrupt);

}  // namespace npgfast
