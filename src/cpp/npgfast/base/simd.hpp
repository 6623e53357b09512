#pragma once
// Short vectors of doubles: the widest that the instruction set of this variant has, and the narrower ones.
// Only what the kernels over rows and pairs need; arithmetic on them is the compiler's vector extension.

#include <cstring>
#include <utility>

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace npgfast {

/// Doubles in the widest register.
#if defined(__AVX512F__)
inline constexpr int kSimdWidth = 8;
#elif defined(__AVX__)
inline constexpr int kSimdWidth = 4;
#else
inline constexpr int kSimdWidth = 2;
#endif

template <int N>
struct PacketOf {
    using type __attribute__((vector_size(8 * N))) = double;
};
template <>
struct PacketOf<1> {
    using type = double;
};

/// N doubles, N = 1, 2, 4 or 8, at most kSimdWidth.
template <int N>
using Packet = typename PacketOf<N>::type;

template <int N>
Packet<N> load(const double* from) {
    Packet<N> packet;
    std::memcpy(&packet, from, sizeof packet);
    return packet;
}

template <int N>
void store(double* to, Packet<N> packet) {
    std::memcpy(to, &packet, sizeof packet);
}

/// N times x.
template <int N>
Packet<N> broadcast(double x) {
    return x - Packet<N>{};
}

/// a * b + c, rounded once where the instruction set can do that, twice elsewhere.
template <int N>
Packet<N> multiply_add(Packet<N> a, Packet<N> b, Packet<N> c) {
#if defined(__FMA__)
    if constexpr (N == 1) return __builtin_fma(a, b, c);
    if constexpr (N == 2) return _mm_fmadd_pd(a, b, c);
    if constexpr (N == 4) return _mm256_fmadd_pd(a, b, c);
#if defined(__AVX512F__)
    if constexpr (N == 8) return _mm512_fmadd_pd(a, b, c);
#endif
#else
    return a * b + c;
#endif
}

template <int N, int kDistance, int... k>
Packet<N> add_exchanged(Packet<N> x, std::integer_sequence<int, k...>) {
    return x + __builtin_shufflevector(x, x, (k ^ kDistance)...);
}

/// The sum of the lanes, halves first, in every lane.
template <int N>
Packet<N> sum_of_lanes(Packet<N> x) {
    constexpr std::make_integer_sequence<int, N> lanes;
    if constexpr (N >= 8) x = add_exchanged<N, 4>(x, lanes);
    if constexpr (N >= 4) x = add_exchanged<N, 2>(x, lanes);
    if constexpr (N >= 2) x = add_exchanged<N, 1>(x, lanes);
    return x;
}

/// Asks for the cache line at `address`, which need not be valid, to be brought as far as the second-level cache.
inline void prefetch(const double* address) { __builtin_prefetch(address, 0, 1); }

}  // namespace npgfast
