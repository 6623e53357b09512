#pragma once
// A register of doubles, and one of 64-bit integers or masks (all bits, or none), as wide as the instruction set has
// them. Arithmetic on lanes is that of IEEE doubles, lane by lane: what is computed for an episode has the same bits in
// whatever lane it stands. A group of episodes (group.hpp) is a few registers, whose latencies overlap.
// Not for the bindings, which are compiled for another instruction set.

#include <cstring>
#include <utility>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "npgfast/base/group.hpp"

namespace npgfast {

#if defined(__AVX512F__)
#define NPGFAST_LANE_BYTES 64
#elif defined(__AVX2__)
#define NPGFAST_LANE_BYTES 32
#else
#define NPGFAST_LANE_BYTES 16
#endif

typedef double Lanes __attribute__((vector_size(NPGFAST_LANE_BYTES)));
typedef std::int64_t LaneInts __attribute__((vector_size(NPGFAST_LANE_BYTES)));
typedef std::uint64_t LaneWords __attribute__((vector_size(NPGFAST_LANE_BYTES)));

inline constexpr Index kWidth = NPGFAST_LANE_BYTES / 8;
static_assert(kGroup % kWidth == 0);

inline Lanes load(const double* from) {
    Lanes x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
inline void store(double* to, Lanes x) { std::memcpy(to, &x, sizeof x); }
/// The same past the caches, where the processor can; `to` is aligned as a register is.
inline void stream(double* to, Lanes x) {
#if defined(__AVX512F__)
    _mm512_stream_pd(to, (__m512d)x);
#elif defined(__AVX2__)
    _mm256_stream_pd(to, (__m256d)x);
#elif defined(__SSE2__)
    _mm_stream_pd(to, (__m128d)x);
#else
    store(to, x);
#endif
}
inline LaneInts load(const std::int64_t* from) {
    LaneInts x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
inline void store(std::int64_t* to, LaneInts x) { std::memcpy(to, &x, sizeof x); }

/// The same number in every lane.
inline Lanes all_lanes(double x) { return x - Lanes{}; }

/// The sum over the lanes, from the first to the last.
inline double sum_of(Lanes x) {
    double numbers[kWidth], sum = 0.0;
    store(numbers, x);
    for (double number : numbers) sum += number;
    return sum;
}

/// Bits reinterpreted, not converted.
inline LaneWords words_of(Lanes x) { return (LaneWords)x; }
inline Lanes doubles_of(LaneWords x) { return (Lanes)x; }

inline Lanes magnitude(Lanes x) { return doubles_of(words_of(x) & 0x7fffffffffffffff); }

/// x y + z, rounded once where the instruction set can.
inline Lanes multiply_add(Lanes x, Lanes y, Lanes z) {
#if defined(__AVX512F__)
    return (Lanes)_mm512_fmadd_pd((__m512d)x, (__m512d)y, (__m512d)z);
#elif defined(__AVX2__) && defined(__FMA__)
    return (Lanes)_mm256_fmadd_pd((__m256d)x, (__m256d)y, (__m256d)z);
#else
    return x * y + z;
#endif
}
inline Lanes multiply_add(Lanes x, double y, Lanes z) { return multiply_add(x, all_lanes(y), z); }
inline Lanes multiply_add(Lanes x, Lanes y, double z) { return multiply_add(x, y, all_lanes(z)); }
inline Lanes multiply_add(Lanes x, double y, double z) { return multiply_add(x, all_lanes(y), all_lanes(z)); }

/// x held to [low, high]; NaN stays.
inline Lanes clamp(Lanes x, Lanes low, Lanes high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

/// Bit k is set where lane k of a mask is.
inline unsigned bits_of(LaneInts mask) {
#if defined(__AVX512DQ__)
    return _mm512_movepi64_mask((__m512i)mask);
#elif defined(__AVX2__) && !defined(__AVX512F__)
    return static_cast<unsigned>(_mm256_movemask_pd((__m256d)mask));
#elif defined(__SSE2__) && !defined(__AVX512F__)
    return static_cast<unsigned>(_mm_movemask_pd((__m128d)mask));
#else
    unsigned bits = 0;
    for (Index k = 0; k < kWidth; ++k) bits |= (mask[k] < 0 ? 1u : 0u) << k;
    return bits;
#endif
}

inline bool any(LaneInts mask) { return bits_of(mask) != 0; }

/// Where a mask is set, f of the lane's number instead of what is there: for what is rare, one lane after another.
template <class Function>
Lanes replace_lanes(Lanes x, LaneInts mask, const Function& f) {
    double numbers[kWidth];
    store(numbers, x);
    for (unsigned rest = bits_of(mask), k = 0; rest != 0; rest >>= 1, ++k)
        if (rest & 1) numbers[k] = f(k);
    return load(numbers);
}

/// Lanes `from` of two registers one after the other.
template <int... from>
Lanes shuffle(Lanes x, Lanes y) {
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
    return __builtin_shufflevector(x, y, from...);
#else
    return __builtin_shuffle(x, y, LaneInts{from...});  // GCC before 12
#endif
}

/// The stage of distance d of `transpose`.
template <int d, int... k>
void exchange(Lanes* x, std::integer_sequence<int, k...>) {
    if constexpr (d < kWidth)
        for (Index i = 0; i < kWidth; ++i) {
            if (i & d) continue;
            const Lanes low = x[i], high = x[i + d];
            x[i] = shuffle<((k & d) ? int{kWidth} + k - d : k)...>(low, high);
            x[i + d] = shuffle<((k & d) ? int{kWidth} + k : k + d)...>(low, high);
        }
}

/// Transposes kWidth registers in place: lane j of register i becomes lane i of register j.
///
/// In log2(kWidth) stages, of which the one of distance d exchanges the bits of d
/// in the numbers of registers and lanes.
inline void transpose(Lanes* x) {
    constexpr std::make_integer_sequence<int, kWidth> lanes;
    exchange<4>(x, lanes);
    exchange<2>(x, lanes);
    exchange<1>(x, lanes);
}

}  // namespace npgfast
