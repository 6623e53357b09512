#pragma once
// Vector kernels with a fixed order of summation: eight interleaved accumulators, whatever the alignment or the
// instruction set, so that a sum has the same bits on every thread and in every variant. They are one pass each, bound
// by memory where the vectors do not fit the caches.

#include <array>
#include <cmath>
#include <type_traits>

#include "npgfast/base/types.hpp"

namespace npgfast {

inline constexpr Index kLanes = 8;

inline double dot(const double* x, const double* y, Index n) {
    std::array<double, kLanes> lanes{};
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (Index k = 0; k < kLanes; ++k) lanes[k] += x[i + k] * y[i + k];
    for (Index k = 0; i + k < n; ++k) lanes[k] += x[i + k] * y[i + k];
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

inline double dot(Reals x, Reals y) { return dot(x.data(), y.data(), ssize(x)); }

/// Euclidean norm, scaled so that neither large nor small entries overflow or vanish.
inline double norm(Reals x) {
    double largest = 0.0;
    for (double value : x) largest = std::isnan(value) ? value : std::fmax(largest, std::abs(value));
    if (!(largest > 0.0) || std::isinf(largest)) return largest;
    if (largest > 1e-140 && largest < 1e140) return std::sqrt(dot(x, x));
    double sum = 0.0;
    for (double value : x) sum += (value / largest) * (value / largest);
    return largest * std::sqrt(sum);
}

/// y += scale * x
inline void axpy(double scale, const double* x, double* y, Index n) {
    for (Index i = 0; i < n; ++i) y[i] += scale * x[i];
}

/// f(n), with n as a compile-time constant from 1 to 8, so that loops over a few actions unroll.
template <class Function>
void with_constant(Index n, const Function& f) {
    switch (n) {
        case 1: return f(std::integral_constant<Index, 1>{});
        case 2: return f(std::integral_constant<Index, 2>{});
        case 3: return f(std::integral_constant<Index, 3>{});
        case 4: return f(std::integral_constant<Index, 4>{});
        case 5: return f(std::integral_constant<Index, 5>{});
        case 6: return f(std::integral_constant<Index, 6>{});
        case 7: return f(std::integral_constant<Index, 7>{});
        case 8: return f(std::integral_constant<Index, 8>{});
        default: return f(n);
    }
}

inline bool all_finite(Reals x) {
    for (double value : x)
        if (!std::isfinite(value)) return false;
    return true;
}

}  // namespace npgfast
