#pragma once

#include "npgfast/base/lane_math.hpp"
#include "npgfast/base/philox.hpp"

namespace npgfast {

/// Products of the low 32 bits of each lane by a 32-bit number.
inline LaneWords product32(LaneWords x, std::uint64_t y) {
#if defined(__AVX512F__)
    return (LaneWords)_mm512_maskz_mul_epu32(0xff, (__m512i)x, _mm512_set1_epi64(static_cast<long long>(y)));
#elif defined(__AVX2__)
    return (LaneWords)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(static_cast<long long>(y)));
#elif defined(__SSE2__)
    return (LaneWords)_mm_mul_epu32((__m128i)x, _mm_set1_epi64x(static_cast<long long>(y)));
#else
    return (x & 0xffffffff) * y;
#endif
}

/// The two 64-bit words of `draw` in every lane.
struct LaneDraw {
    LaneWords first, second;
};

/// Philox4x32-10 of one register of counters under one key: `draw` for the lanes' environments and steps, lane by lane.
///
/// Counter words stand in the low halves of 64-bit lanes, where a multiplication leaves its high half without a shuffle;
/// what lies in the high halves is never read. Inputs: environment and step of each lane, each below 2^32; `block` as in
/// `Stream`. Cost: 20 multiplications and 60 other operations for kWidth draws.
/// Source: as `philox`.
inline LaneDraw draw_lanes(std::uint64_t seed, std::uint32_t iteration, LaneWords environment, std::uint32_t block,
                           LaneWords step, Purpose purpose) {
    constexpr std::uint64_t kLow = 0xffffffff;
    LaneWords c0 = step, c1 = environment, c2 = LaneWords{} + block,
              c3 = LaneWords{} + ((iteration << 4) | static_cast<std::uint32_t>(purpose));
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const LaneWords product0 = product32(c0, 0xD2511F53u), product1 = product32(c2, 0xCD9E8D57u);
        c0 = (product1 >> 32) ^ c1 ^ std::uint64_t{k0};
        c1 = product1;
        c2 = (product0 >> 32) ^ c3 ^ std::uint64_t{k1};
        c3 = product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {(c0 & kLow) | (c1 << 32), (c2 & kLow) | (c3 << 32)};
}

/// Uniform on [0, 1) with 53 bits, as `uniform`: the upper 21 and the lower 32 bits, put together exactly.
inline Lanes uniform_lanes(LaneWords word) {
    const Lanes low = doubles_of(((word >> 11) & 0xffffffff) | 0x4330000000000000) - 0x1p52;
    const Lanes high = doubles_of((word >> 43) | 0x4330000000000000) - 0x1p52;
    return (high * 0x1p32 + low) * 0x1p-53;
}

/// The two normals of a draw, as `Stream::normal` makes them. Source: Box & Muller 1958.
struct LaneNormals {
    Lanes first, second;
};

inline LaneNormals normal_lanes(const LaneDraw& draw) {
    const Lanes radius = sqrt_lanes(-2.0 * log_lanes(1.0 - uniform_lanes(draw.first)));
    const SineCosine turn = sine_cosine(6.28318530717958647692 * uniform_lanes(draw.second));
    return {radius * turn.cosine, radius * turn.sine};
}

}  // namespace npgfast
