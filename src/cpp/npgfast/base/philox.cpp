#include "npgfast/base/philox.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace npgfast {

namespace {

#if defined(__AVX512F__)

struct SixteenBlocks {
    using Vector = __m512i;
    static constexpr Index kWidth = 16;
    static constexpr __mmask8 kAll = 0xFF;
    static Vector load(const std::uint32_t* from) { return _mm512_loadu_si512(from); }
    static void store(std::uint32_t* to, Vector x) { _mm512_storeu_si512(to, x); }
    static Vector splat(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
    // The masked forms, with all lanes: GCC 12 warns of its own undefined vectors in the plain ones.
    static Vector multiply(Vector x, Vector y) { return _mm512_maskz_mul_epu32(kAll, x, y); }
    static Vector high(Vector x) { return _mm512_maskz_srli_epi64(kAll, x, 32); }
    static Vector exclusive(Vector x, Vector y, Vector z) { return _mm512_ternarylogic_epi64(x, y, z, 0x96); }
    static Vector join(Vector even, Vector odd) {
        return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_maskz_slli_epi64(kAll, odd, 32));
    }
};

#endif

#if defined(__AVX2__)

/// Both words of the key in every round; in memory, from where they are spread at no cost to the arithmetic units.
using RoundKeys = std::array<std::uint32_t, 2 * kPhiloxRounds>;

struct EightBlocks {
    using Vector = __m256i;
    static constexpr Index kWidth = 8;
    static Vector load(const std::uint32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    static void store(std::uint32_t* to, Vector x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
    static Vector splat(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
    static Vector multiply(Vector x, Vector y) { return _mm256_mul_epu32(x, y); }
    static Vector high(Vector x) { return _mm256_srli_epi64(x, 32); }
    /// The last one is what takes longest to come.
    static Vector exclusive(Vector x, Vector y, Vector z) { return _mm256_xor_si256(_mm256_xor_si256(x, y), z); }
    static Vector join(Vector even, Vector odd) { return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA); }
};

/// kRegisters * kWidth blocks: the counters at even and at odd places, each in the low half of a 64-bit lane, where it
/// multiplies. A round of one register waits for its multiplications, which those of another fill.
template <class L, int kRegisters>
[[gnu::noinline]] void philox_lanes(const std::uint32_t* first, const std::uint32_t* second, std::uint32_t fourth,
                                    const RoundKeys& keys, std::uint32_t* words, Index stride) {
    using V = typename L::Vector;
    const V m0 = L::splat(kPhiloxMultiplier0), m1 = L::splat(kPhiloxMultiplier1);
    V counters[2 * kRegisters][4];
    for (int r = 0; r < kRegisters; ++r) {
        V(&even)[4] = counters[2 * r], (&odd)[4] = counters[2 * r + 1];
        even[0] = L::load(first + r * L::kWidth);
        even[1] = L::load(second + r * L::kWidth);
        even[2] = L::splat(0);
        even[3] = L::splat(fourth);
        for (int j = 0; j < 4; ++j) odd[j] = L::high(even[j]);
    }
#pragma GCC unroll 10
    for (int round = 0; round < kPhiloxRounds; ++round) {
        const V k0 = L::splat(keys[2 * round]), k1 = L::splat(keys[2 * round + 1]);
#pragma GCC unroll 4
        for (auto& c : counters) {
            const V product0 = L::multiply(m0, c[0]), product1 = L::multiply(m1, c[2]);
            c[0] = L::exclusive(c[1], k0, L::high(product1));
            c[2] = L::exclusive(c[3], k1, L::high(product0));
            c[1] = product1;
            c[3] = product0;
        }
    }
    for (int r = 0; r < kRegisters; ++r)
        for (int j = 0; j < 4; ++j)
            L::store(words + j * stride + r * L::kWidth, L::join(counters[2 * r][j], counters[2 * r + 1][j]));
}

/// As many blocks as registers take; the first that is left.
template <class L, int kRegisters>
Index philox_registers(const std::uint32_t* first, const std::uint32_t* second, std::uint32_t fourth,
                       const RoundKeys& keys, Index i, Index n, std::uint32_t* words) {
    for (; i + kRegisters * L::kWidth <= n; i += kRegisters * L::kWidth)
        philox_lanes<L, kRegisters>(first + i, second + i, fourth, keys, words + i, n);
    return i;
}

#endif

}  // namespace

void philox_blocks(const std::uint32_t* first, const std::uint32_t* second, std::uint32_t fourth, PhiloxKey key,
                   Index n, std::uint32_t* words) {
    Index i = 0;
#if defined(__AVX2__)
    RoundKeys keys;
    for (std::uint32_t round = 0; round < kPhiloxRounds; ++round) {
        keys[2 * round] = key[0] + round * kPhiloxWeyl0;
        keys[2 * round + 1] = key[1] + round * kPhiloxWeyl1;
    }
#endif
#if defined(__AVX512F__)
    i = philox_registers<SixteenBlocks, 2>(first, second, fourth, keys, i, n, words);
    i = philox_registers<SixteenBlocks, 1>(first, second, fourth, keys, i, n, words);
#elif defined(__AVX2__)
    i = philox_registers<EightBlocks, 2>(first, second, fourth, keys, i, n, words);
#endif
#if defined(__AVX2__)
    i = philox_registers<EightBlocks, 1>(first, second, fourth, keys, i, n, words);
#endif
    for (; i < n; ++i) {
        const PhiloxCounter block = philox({first[i], second[i], 0, fourth}, key);
        for (Index j = 0; j < 4; ++j) words[j * n + i] = block[j];
    }
}

}  // namespace npgfast
