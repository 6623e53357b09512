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

/// The keys of the rounds under one seed, in every lane: made once for many draws, which read them from the cache.
struct LaneKeys {
    LaneWords first[kPhiloxRounds], second[kPhiloxRounds];

    explicit LaneKeys(std::uint64_t seed) {
        for (std::uint32_t round = 0; round < kPhiloxRounds; ++round) {
            first[round] = LaneWords{} + (static_cast<std::uint32_t>(seed) + round * kPhiloxWeyl0);
            second[round] = LaneWords{} + (static_cast<std::uint32_t>(seed >> 32) + round * kPhiloxWeyl1);
        }
    }
};

/// Philox4x32-10 of n registers of counters under one key: `draw` for the lanes' environments and steps, lane by lane.
///
/// Counter words stand in the low halves of 64-bit lanes, where a multiplication leaves its high half without a
/// shuffle; what lies in the high halves is never read. A round takes five cycles of which two registers fill what one
/// leaves idle.
/// Inputs: environment and steps of each lane, each below 2^32; `block` as in `Stream`; `stream` as `philox_stream`
/// makes it. Cost: 20 multiplications and 60 other operations for kWidth draws. Source: as `philox`.
template <int n>
void draw_lanes(const LaneKeys& keys, LaneWords environment, std::uint32_t block, const LaneWords (&steps)[n],
                std::uint32_t stream, LaneDraw (&draws)[n]) {
    constexpr std::uint64_t kLow = 0xffffffff;
    LaneWords counters[n][4];
    for (int r = 0; r < n; ++r) {
        counters[r][0] = steps[r];
        counters[r][1] = environment;
        counters[r][2] = LaneWords{} + block;
        counters[r][3] = LaneWords{} + stream;
    }
    for (int round = 0; round < kPhiloxRounds; ++round)
        for (LaneWords* c : counters) {
            const LaneWords product0 = product32(c[0], kPhiloxMultiplier0),
                            product1 = product32(c[2], kPhiloxMultiplier1);
            c[0] = (product1 >> 32) ^ (c[1] ^ keys.first[round]);
            c[1] = product1;
            c[2] = (product0 >> 32) ^ (c[3] ^ keys.second[round]);
            c[3] = product0;
        }
    for (int r = 0; r < n; ++r)
        draws[r] = {(counters[r][0] & kLow) | (counters[r][1] << 32), (counters[r][2] & kLow) | (counters[r][3] << 32)};
}

/// Uniform on [0, 1) with 53 bits, as `uniform`: 2^31 + the upper 21 of them, and 1/2 + the lower 32, added exactly.
inline Lanes uniform_lanes(LaneWords word) {
    const Lanes low = doubles_of(((word >> 11) & 0xffffffff) | 0x3fe0000000000000);
    const Lanes high = doubles_of((word >> 43) | 0x41e0000000000000);
    return (high - (0x1p31 + 0.5)) + low;
}

/// Two numbers of every lane.
struct LanePair {
    Lanes first, second;
};

/// The two normals of a draw, as `Stream::normal` makes them. Source: Box & Muller 1958.
inline LanePair normal_lanes(const LaneDraw& draw) {
    const Lanes radius = sqrt_lanes(-2.0 * log_lanes(1.0 - uniform_lanes(draw.first)));
    const SineCosine turn = sine_cosine(6.28318530717958647692 * uniform_lanes(draw.second));
    return {radius * turn.cosine, radius * turn.sine};
}

}  // namespace npgfast
