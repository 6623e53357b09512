#pragma once

#include <memory>
#include <vector>

#include "npgfast/base/interrupt.hpp"
#include "npgfast/base/types.hpp"

namespace npgfast {

/// A square sparse matrix K in CSR; an entry may be listed in several pieces.
struct SparseMatrix {
    Index n = 0;
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> indices;
    std::vector<double> values;

    void multiply(Reals x, MutableReals y) const;             ///< y = K x
    void multiply_transposed(Reals x, MutableReals y) const;  ///< y = K^T x
};

enum class LinearMethod : int { automatic = 0, direct = 1, krylov = 2 };

/// The systems (I - K) x = b and (I - K)^T x = b of a discounted or absorbing Markov chain, K = gamma P_pi.
///
/// `direct` factorises (dense LU up to 128 states, sparse LU above); `krylov` runs BiCGSTAB with diagonal
/// preconditioning; `automatic` is dense LU where the chain is small, else BiCGSTAB, and for what that does not finish a
/// sparse LU up to 20,000 states, an incomplete one as preconditioner above. Every method is followed by iterative refinement on the true residual.
/// Preconditions: K >= 0 and the powers of K vanish. Cost: O(n^3) dense; O(nnz) per BiCGSTAB iteration.
/// Source: van der Vorst, "Bi-CGSTAB", SIAM J. Sci. Stat. Comput. 13 (1992); refinement: Higham 2002, chapter 12.
class ResolventSystem {
public:
    ResolventSystem(const SparseMatrix& kernel, LinearMethod method, const Interrupt& interrupt);
    ~ResolventSystem();
    ResolventSystem(const ResolventSystem&) = delete;
    ResolventSystem& operator=(const ResolventSystem&) = delete;

    /// x = (I - K)^{-1} b, or the transposed one. Returns ||b - (I - K) x||_inf / max(||b||_inf, ||x||_inf).
    double solve(Reals b, MutableReals x, bool transposed = false);

private:
    struct Factors;
    void correct(Reals residual, MutableReals correction, bool transposed);
    void precondition(const std::vector<double>& residual, std::vector<double>& result, bool transposed) const;
    bool run_bicgstab(Reals b, MutableReals x, bool transposed) const;
    void apply(Reals x, MutableReals y, bool transposed) const;

    const SparseMatrix& kernel_;
    const Interrupt& interrupt_;
    LinearMethod method_;
    std::vector<double> inverse_diagonal_;
    std::unique_ptr<Factors> factors_;
};

}  // namespace npgfast
