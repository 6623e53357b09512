#pragma once
// Elementary functions of lanes, without branches on what is in a lane unless all of them take the rare one. Below
// 1 ulp of error (sine and cosine of what is not small: 3 ulp), as measured in the tests; every lane has the same bits
// as any other with the same argument.

#include <cmath>

#include "npgfast/base/lanes.hpp"

namespace npgfast {

/// The nearest integer of |x| < 2^51, in the low bits of the sum and as a number.
struct Rounded {
    LaneWords bits;
    Lanes value;
};

inline Rounded nearest_integer(Lanes x) {
    constexpr double kShift = 0x1.8p52;
    const Lanes sum = x + kShift;
    return {words_of(sum), sum - kShift};
}

/// 2^n of an integer -1022 <= n <= 1023.
inline Lanes power_of_two(Lanes n) {
    return doubles_of((nearest_integer(n).bits << 52) + (std::uint64_t{1023} << 52));
}

/// (e^r - 1 - r) / r^2 of |r| <= log(2) / 2, to 2.3e-15: the polynomial of degree 9 that gives e^r the least relative
/// error (4e-18). Its terms are summed in pairs (Estrin), which keeps the chain of dependent operations short.
inline Lanes exp_tail(Lanes r) {
    const Lanes r2 = r * r, r4 = r2 * r2;
    const Lanes q01 = multiply_add(r, 0.16666666666666413, 0.5000000000000011),
                q23 = multiply_add(r, 0.008333333333494338, 0.041666666666530267),
                q45 = multiply_add(r, 0.0001984126950676886, 0.0013888888943597668),
                q67 = multiply_add(r, 2.755758627707866e-06, 2.4801493136214137e-05),
                q89 = multiply_add(r, 2.5000068634942936e-08, 2.763023390977338e-07);
    const Lanes q49 = multiply_add(r4, q89, multiply_add(r2, q67, q45));
    return multiply_add(r4, q49, multiply_add(r2, q23, q01));
}

/// x = n log 2 + rest, |rest| <= log(2) / 2, and e^rest. log 2 is taken in two parts,
/// of which n times the first is exact.
struct ReducedExp {
    Rounded n;
    Lanes exp_of_rest;
};

inline ReducedExp reduced_exp(Lanes x) {
    constexpr double kInverseLog2 = 1.44269504088896338700, kLog2High = 6.93147180369123816490e-01,
                     kLog2Low = 1.90821492927058770002e-10;
    const Rounded n = nearest_integer(x * kInverseLog2);
    const Lanes r = multiply_add(n.value, -kLog2Low, multiply_add(n.value, -kLog2High, x));
    return {n, 1.0 + multiply_add(r * r, exp_tail(r), r)};
}

/// e^x, 0 and inf beyond the range of doubles. 2^n is applied in two halves, so that subnormal results round once.
inline Lanes exp_lanes(Lanes x) {
    const auto [n, exp_of_rest] = reduced_exp(clamp(x, all_lanes(-746.0), all_lanes(710.0)));
    const Lanes half = nearest_integer(n.value * 0.5).value;
    return exp_of_rest * power_of_two(half) * power_of_two(n.value - half);
}

/// e^x of x <= 0, and 0 below -708, where e^x is less than 3.4e-308. n goes into the exponent as it is.
inline Lanes exp_negative_lanes(Lanes x) {
    const auto [n, exp_of_rest] = reduced_exp(x);
    const Lanes power = doubles_of(words_of(exp_of_rest) + (n.bits << 52));
    return x < -708.0 ? Lanes{} : power;
}

/// log(1 + x) of 0 <= x <= 1, with the same relative error near 0.
///
///     log(1 + x) = 2 artanh s,  s = x / (2 + x) <= 1/3,   artanh s = s + s^3 q(s^2)
///
/// with the q of degree 9 that has the least relative error (2e-18).
inline Lanes log1p_lanes(Lanes x) {
    const Lanes s = x / (2.0 + x), z = s * s, z2 = z * z, z4 = z2 * z2, twice = s + s;
    const Lanes q01 = multiply_add(z, 0.20000000000077559, 0.33333333333333154),
                q23 = multiply_add(z, 0.11111111976830597, 0.1428571427405887),
                q45 = multiply_add(z, 0.07693274201135161, 0.09090872239298596),
                q67 = multiply_add(z, 0.060524729279472944, 0.0665056062864064),
                q89 = multiply_add(z, 0.08504882223546655, 0.04172483665361032);
    const Lanes q49 = multiply_add(z4, q89, multiply_add(z2, q67, q45));
    const Lanes q = multiply_add(z4, q49, multiply_add(z2, q23, q01));
    return multiply_add(twice * z, q, twice);
}

/// log x of a positive normal number; NaN stays.
///
///     x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2);  s = f / (2 + f);  log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2))
///
/// Source: the coefficients of R are those of Sun's fdlibm, e_log.c (error below 2^-58).
inline Lanes log_lanes(Lanes x) {
    constexpr std::uint64_t kRootHalf = 0x3fe6a09e00000000, kOne = 0x3ff0000000000000, kMantissa = 0x000fffffffffffff;
    const LaneWords shifted = words_of(x) + (kOne - kRootHalf);
    const Lanes k = doubles_of((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1023.0);
    const Lanes f = doubles_of((shifted & kMantissa) + kRootHalf) - 1.0;
    const Lanes s = f / (2.0 + f), z = s * s, w = z * z, half_square = 0.5 * f * f;
    const Lanes even =
        w * multiply_add(w, multiply_add(w, 1.531383769920937332e-01, 2.222219843214978396e-01),
                         3.999999999940941908e-01);
    const Lanes odd_3 = multiply_add(w, 1.479819860511658591e-01, 1.818357216161805012e-01);
    const Lanes odd = z * multiply_add(w, multiply_add(w, odd_3, 2.857142874366239149e-01), 6.666666666666735130e-01);
    const Lanes rest = multiply_add(s, half_square + (even + odd), k * 1.90821492927058770002e-10);
    return multiply_add(k, 6.93147180369123816490e-01, f - (half_square - rest)) + (x - x);
}

struct SineCosine {
    Lanes sine, cosine;
};

/// sin r and cos r of |r| <= pi / 4. Source: Sun's fdlibm, k_sin.c and k_cos.c (error of the polynomials below 2^-58).
inline SineCosine sine_cosine_near_zero(Lanes r) {
    const Lanes z = r * r, w = z * z;
    const Lanes s_low = multiply_add(z, -1.98412698298579493134e-04, 8.33333333332248946124e-03);
    const Lanes s_high = multiply_add(z, -2.50507602534068634195e-08, 2.75573137070700676789e-06);
    const Lanes s = multiply_add(w, multiply_add(w, 1.58969099521155010221e-10, s_high), s_low);
    const Lanes c_low = multiply_add(z, -1.38888888888741095749e-03, 4.16666666666666019037e-02);
    const Lanes c_mid = multiply_add(z, -2.75573143513906633035e-07, 2.48015872894767294178e-05);
    const Lanes c_high = multiply_add(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09);
    const Lanes c = multiply_add(w, multiply_add(w, c_high, c_mid), c_low);
    const Lanes half = 0.5 * z, large = 1.0 - half;
    return {multiply_add(z * r, multiply_add(z, s, -1.66666666666666324348e-01), r),
            large + multiply_add(w, c, (1.0 - large) - half)};
}

/// sin x and cos x.
///
///     x = n pi / 2 + r, |r| <= pi / 4, and n mod 4 says which of +-sin r, +-cos r each of them is
///
/// pi / 2 is taken in three parts of 33 bits, so that n times a part is exact while |x| <= 1e6; lanes beyond that, or
/// not finite, go to the C library one by one. If no lane leaves [-pi/4, pi/4], n is 0 and nothing is reduced.
inline SineCosine sine_cosine(Lanes x) {
    const Lanes size = magnitude(x);
    if (!any(~(size <= 0.785))) return sine_cosine_near_zero(x);
    const Rounded n = nearest_integer(x * 0.63661977236758134308);
    const Lanes r = multiply_add(n.value, -2.02226624871116645580e-21,
                                 multiply_add(n.value, -6.07710050630396597660e-11,
                                              multiply_add(n.value, -1.57079632673412561417e+00, x)));
    const SineCosine near = sine_cosine_near_zero(r);
    const LaneInts is_odd = (LaneInts)(n.bits << 63) < 0;
    const LaneWords sign_of_sine = (n.bits >> 1) << 63, sign_of_cosine = ((n.bits + 1) >> 1) << 63;
    SineCosine result{doubles_of(words_of(is_odd ? near.cosine : near.sine) ^ sign_of_sine),
                      doubles_of(words_of(is_odd ? near.sine : near.cosine) ^ sign_of_cosine)};
    const LaneInts is_far = ~(size <= 1e6);
    if (any(is_far)) {
        result.sine = replace_lanes(result.sine, is_far, [&](unsigned k) { return std::sin(x[k]); });
        result.cosine = replace_lanes(result.cosine, is_far, [&](unsigned k) { return std::cos(x[k]); });
    }
    return result;
}

/// Square root; correctly rounded.
inline Lanes sqrt_lanes(Lanes x) {
#if defined(__AVX512F__)
    return (Lanes)_mm512_maskz_sqrt_pd(0xff, (__m512d)x);
#elif defined(__AVX2__)
    return (Lanes)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
    return (Lanes)_mm_sqrt_pd((__m128d)x);
#else
    for (Index k = 0; k < kWidth; ++k) x[k] = std::sqrt(x[k]);
    return x;
#endif
}

}  // namespace npgfast
