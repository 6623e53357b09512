#pragma once
// Vectors of 32-bit words: one word, or the eight of AVX2. Code written over them has the same bits with either, and
// each is compiled wherever it can run, so that the one checks the other.

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "npgfast/base/types.hpp"

namespace npgfast {

/// One word. Masks are words of all ones or all zeros.
struct ScalarLanes {
    using Vector = std::uint32_t;
    struct Triple {
        Vector first, second, third;
    };
    static constexpr Index kWidth = 1;

    static Vector splat(std::uint32_t x) { return x; }
    static Vector load(const std::uint32_t* from) { return *from; }
    static void store(std::uint32_t* to, Vector x) { *to = x; }
    /// The first three words of entry i of a table whose entries are 16 bytes at multiples of 16.
    static Triple gather(const std::uint32_t* table, Vector i) {
        const std::uint32_t* entry = table + 4 * std::size_t{i};
        return {entry[0], entry[1], entry[2]};
    }
    static Vector add(Vector x, Vector y) { return x + y; }
    static Vector both(Vector x, Vector y) { return x & y; }
    static Vector either(Vector x, Vector y) { return x | y; }
    static Vector shift_left(Vector x, int bits) { return static_cast<Vector>(std::uint64_t{x} << bits); }
    static Vector shift_right(Vector x, int bits) { return static_cast<Vector>(std::uint64_t{x} >> bits); }
    static Vector equal(Vector x, Vector y) { return x == y ? ~Vector{0} : Vector{0}; }
    /// As signed numbers.
    static Vector below(Vector x, Vector y) {
        return static_cast<std::int32_t>(x) < static_cast<std::int32_t>(y) ? ~Vector{0} : Vector{0};
    }
    /// Bits of x where the mask has ones, else of y.
    static Vector select(Vector mask, Vector x, Vector y) { return (x & mask) | (y & ~mask); }
    /// x where the mask is set, else y.
    static Vector choose(Vector mask, Vector x, Vector y) { return mask ? x : y; }
    static bool any(Vector mask) { return mask != 0; }
};

#if defined(__AVX2__)

/// Eight words. On Zen 4 sixteen (AVX-512) are no faster than twice eight.
struct Avx2Lanes {
    using Vector = __m256i;
    struct Triple {
        Vector first, second, third;
    };
    static constexpr Index kWidth = 8;

    static Vector splat(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
    static Vector load(const std::uint32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    static void store(std::uint32_t* to, Vector x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
    /// One load for each entry and a transposition: half the time of three gathers by the processor's own instruction.
    static Triple gather(const std::uint32_t* table, Vector i) {
        alignas(32) std::uint32_t twice[kWidth];
        _mm256_store_si256(reinterpret_cast<__m256i*>(twice), add(i, i));
        const auto entry = [&](int k) {
            return _mm_load_si128(reinterpret_cast<const __m128i*>(table + 2 * std::size_t{twice[k]}));
        };
        const auto pair = [&](int k) {
            return _mm256_inserti128_si256(_mm256_castsi128_si256(entry(k)), entry(k + 4), 1);
        };
        const Vector a = pair(0), b = pair(1), c = pair(2), d = pair(3);
        const Vector low_ab = _mm256_unpacklo_epi32(a, b), low_cd = _mm256_unpacklo_epi32(c, d);
        const Vector high_ab = _mm256_unpackhi_epi32(a, b), high_cd = _mm256_unpackhi_epi32(c, d);
        return {_mm256_unpacklo_epi64(low_ab, low_cd), _mm256_unpackhi_epi64(low_ab, low_cd),
                _mm256_unpacklo_epi64(high_ab, high_cd)};
    }
    static Vector add(Vector x, Vector y) { return _mm256_add_epi32(x, y); }
    static Vector both(Vector x, Vector y) { return _mm256_and_si256(x, y); }
    static Vector either(Vector x, Vector y) { return _mm256_or_si256(x, y); }
    static Vector shift_left(Vector x, int bits) { return _mm256_sll_epi32(x, _mm_cvtsi32_si128(bits)); }
    static Vector shift_right(Vector x, int bits) { return _mm256_srl_epi32(x, _mm_cvtsi32_si128(bits)); }
    static Vector equal(Vector x, Vector y) { return _mm256_cmpeq_epi32(x, y); }
    static Vector below(Vector x, Vector y) { return _mm256_cmpgt_epi32(y, x); }
    static Vector select(Vector mask, Vector x, Vector y) {
        return _mm256_or_si256(_mm256_and_si256(mask, x), _mm256_andnot_si256(mask, y));
    }
    static Vector choose(Vector mask, Vector x, Vector y) { return _mm256_blendv_epi8(y, x, mask); }
    static bool any(Vector mask) { return _mm256_testz_si256(mask, mask) == 0; }
};

using WidestLanes = Avx2Lanes;

#else

using WidestLanes = ScalarLanes;

#endif

}  // namespace npgfast
