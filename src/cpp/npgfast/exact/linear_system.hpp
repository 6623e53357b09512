#pragma once

#include <memory>
#include <vector>

#include "npgfast/exact/sweeps.hpp"

namespace npgfast {

enum class LinearMethod : int { automatic = 0, direct = 1, krylov = 2 };

/// The systems (I - K) x = b and (I - K)^T x = b of a discounted or absorbing Markov chain, K = gamma P_pi.
///
/// `direct` factorises (dense LU up to 128 states, sparse LU above); `krylov` runs BiCGSTAB with diagonal
/// preconditioning; `automatic` is dense LU where the chain is small, else Gauss-Seidel sweeps, BiCGSTAB from where
/// those stall, and for what that does not finish a sparse LU up to 20,000 states, an incomplete one as preconditioner
/// above. Every method ends with the true residual; all but the sweeps refine on it.
/// Results do not depend on the size of the team.
/// Preconditions: K >= 0 and the powers of K vanish; the matrix and the team outlive the system.
/// Cost: O(n^3) dense; O(nnz) per sweep or BiCGSTAB iteration, rows shared out over the team, bound as sweeps.hpp says;
/// K^T is made when it is first needed. Factorisations and what is solved with them stay on the calling thread.
/// Source: van der Vorst, "Bi-CGSTAB", SIAM J. Sci. Stat. Comput. 13 (1992); refinement: Higham 2002, chapter 12.
class ResolventSystem {
public:
    ResolventSystem(const SplitMatrix& kernel, LinearMethod method, Team& team, const Interrupt& interrupt);
    ~ResolventSystem();
    ResolventSystem(const ResolventSystem&) = delete;
    ResolventSystem& operator=(const ResolventSystem&) = delete;

    /// x = (I - K)^{-1} b, or the transposed one, from the guess in x. With n_sweeps > 0, sweeps (if it comes to
    /// sweeps) end after so many, and the residual is that of the guess.
    /// Returns ||b - (I - K) x||_inf / max(||b||_inf, ||x||_inf).
    double solve(Reals b, MutableReals x, bool transposed = false, int n_sweeps = 0);

private:
    struct Factors;
    double refine(Reals b, MutableReals x, bool transposed);
    void correct(Reals residual, MutableReals correction, bool transposed);
    bool run_bicgstab(Reals b, MutableReals x, bool transposed);
    const SplitMatrix& oriented(bool transposed);

    const SplitMatrix& kernel_;
    Team& team_;
    const Interrupt& interrupt_;
    LinearMethod method_;
    Buffer<double> inverse_diagonal_, row_deficits_;
    SplitMatrix transposed_;
    BlockSums sums_;
    std::unique_ptr<Factors> factors_;
};

}  // namespace npgfast
