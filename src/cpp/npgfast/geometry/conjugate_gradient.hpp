#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "npgfast/base/vector.hpp"

namespace npgfast {

struct CgOutcome {
    double residual_norm = 0.0;  ///< ||b - operator x||_2
    Index iterations = 0;
    Status status = Status::ok;
};

/// Conjugate gradients for a symmetric positive semidefinite operator.
///
///     alpha = r.r / p.Ap,  x += alpha p,  r -= alpha Ap,  p = r + (r'.r' / r.r) p
///
/// Inputs: `apply(v, out)` computes out = A v; b (d,); x (d,) holds the start and receives the solution; stops when
/// the true residual is at most rtol ||b||, or as small as rounding allows (1e-15 ||A|| ||x||), or after
/// `max_iterations`. A start of 0 keeps x in the range of a singular A. `product_error` bounds
/// ||computed A v - A v|| / (||A|| ||v||), as far as the caller knows.
/// Outputs: x is always finite. Status `ok`; `zero_gradient` if b = 0 (x = 0, no product); `cg_max_iterations`, also if
/// the true residual stops falling before that; `negative_curvature` if p.Ap <= 0, be it by rounding (x is the last
/// iterate before it); `non_finite` if b or a product is not finite. The residual that is reported is computed from x;
/// if the iterations run out, the recurrence's may stand for it, but only while the rounding that can have parted the
/// two is a millionth of it: sum_k product_error ||A|| ||x_k|| + eps ||r_k||.
/// Cost: one product per iteration, which is the bound, one for a start other than 0 and one for the residual where it
/// is computed; the rest is 5 passes over vectors of length d on the calling thread.
/// Source: Hestenes & Stiefel 1952; Nocedal & Wright, "Numerical Optimization", algorithm 5.2; van der Vorst & Ye,
/// "Residual replacement strategies for Krylov subspace iterative methods", SIAM J. Sci. Comput. 22, 2000.
template <class Operator>
CgOutcome conjugate_gradient(Operator&& apply, Reals b, MutableReals x, Index max_iterations, double rtol,
                             double product_error = HUGE_VAL) {
    const std::size_t d = b.size();
    CgOutcome outcome;
    const double b_norm = norm(b);
    if (!std::isfinite(b_norm)) {
        std::fill(x.begin(), x.end(), 0.0);
        outcome.status = Status::non_finite;
        outcome.residual_norm = b_norm;
        return outcome;
    }
    if (b_norm == 0.0) {
        std::fill(x.begin(), x.end(), 0.0);
        outcome.status = Status::zero_gradient;
        return outcome;
    }
    // The system is solved for b / ||b||, so that squares of a small gradient do not underflow.
    std::vector<double> residual(d), image(d);
    for (double& entry : x) entry /= b_norm;
    double drift = 0.0;  // at most, of `residual` from b - A x
    const auto true_residual = [&] {
        drift = 0.0;
        apply(Reals(x), MutableReals(image));
        for (std::size_t i = 0; i < d; ++i) residual[i] = b[i] / b_norm - image[i];
    };
    if (norm(x) > 0.0)
        true_residual();
    else
        for (std::size_t i = 0; i < d; ++i) residual[i] = b[i] / b_norm;
    std::vector<double> direction(residual);
    double rho = dot(residual, residual);
    double largest_curvature = 0.0;  // of unit directions: a lower estimate of ||A||
    double restart_residual = HUGE_VAL;
    const auto is_solved = [&] {
        constexpr double kWorkingPrecision = 1e-15;
        return std::sqrt(rho) <= std::max(rtol, kWorkingPrecision * largest_curvature * norm(x));
    };
    outcome.status = Status::cg_max_iterations;
    while (true) {
        if (is_solved()) {
            // The recurrence may have drifted: what counts is the residual itself, from which the search goes on.
            true_residual();
            rho = dot(residual, residual);
            if (is_solved()) outcome.status = Status::ok;
            if (outcome.status == Status::ok || !(std::sqrt(rho) < 0.5 * restart_residual)) break;
            restart_residual = std::sqrt(rho);
            direction = residual;
        }
        if (outcome.iterations >= max_iterations) break;
        apply(Reals(direction), MutableReals(image));
        const double curvature = dot(direction, image);
        if (!std::isfinite(curvature) || !std::isfinite(rho)) {
            outcome.status = Status::non_finite;
            break;
        }
        if (curvature <= 0.0) {
            outcome.status = Status::negative_curvature;
            break;
        }
        largest_curvature = std::max(largest_curvature, curvature / dot(direction, direction));
        const double alpha = rho / curvature;
        axpy(alpha, direction.data(), x.data(), static_cast<Index>(d));
        axpy(-alpha, image.data(), residual.data(), static_cast<Index>(d));
        const double next_rho = dot(residual, residual);
        drift += product_error * largest_curvature * norm(x) + 0x1.0p-52 * std::sqrt(next_rho);
        for (std::size_t i = 0; i < d; ++i) direction[i] = residual[i] + (next_rho / rho) * direction[i];
        rho = next_rho;
        ++outcome.iterations;
    }
    if (!(drift <= 1e-6 * std::sqrt(rho))) true_residual();
    outcome.residual_norm = b_norm * norm(residual);
    for (double& entry : x) entry *= b_norm;
    if (!all_finite(x)) {
        std::fill(x.begin(), x.end(), 0.0);
        outcome.residual_norm = b_norm;
        outcome.status = Status::non_finite;
    }
    return outcome;
}

}  // namespace npgfast
