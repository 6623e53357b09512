#pragma once

#include <vector>

#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// Linear-quadratic control: a linear system with Gaussian noise and a quadratic cost, observed fully, never ending.
///
///     x_0 = mean + L_0 z,   r = -(x^T Q x + u^T R u),   x' = A x + B u + L z,   z ~ N(0, I)
///
/// Inputs: parameters [n, m, A (n, n), B (n, m), Q (n, n), R (m, m), L (n, n), mean (n,), L_0 (n, n)], row-major; L and
///     L_0 are lower triangular (what lies above their diagonals is not read). x is (n,), u (m,).
/// Preconditions: 1 <= n <= max_state_size, 1 <= m; the reward is that of (x, u), before the move.
/// Errors: std::invalid_argument unless there are as many parameters as n and m ask for.
/// Cost: n^2 + n m + m^2 multiplications and n normals a step, in this order: z_0, ..., z_{n-1}; no allocation. An
/// entry of a matrix is read once for a register of lanes.
/// Source: Fazel, Ge, Kakade & Mesbahi, "Global convergence of policy gradient methods for the linear quadratic
/// regulator", ICML 2018, section 2, with noise.
class Lqr final : public Simulator {
public:
    static constexpr Index max_state_size = 256;  ///< a successor is built on the stack

    explicit Lqr(Reals parameters);

    Index state_size() const override { return n_; }
    Index observation_size() const override { return n_; }
    Index n_actions() const override { return 0; }
    Index action_size() const override { return m_; }
    Index noise_size() const override { return n_; }

    void start(double* state, Stream& random) const override;
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;
    void observe(Index n, const double* states, double* observations) const override;

private:
    Index n_ = 0, m_ = 0;
    std::vector<double> A_, B_, Q_, R_, L_, mean_, L0_;
};

}  // namespace npgfast
