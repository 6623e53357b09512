#pragma once

#include <array>
#include <cstdint>

namespace npgfast {

/// Philox4x32-10: ten rounds of a keyed bijection on 128-bit counters; a draw is a pure function of (counter, key).
///
///     (c0, c1, c2, c3) -> (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)),  k += (W0, W1)
///
/// Inputs: four 32-bit counter words, two 32-bit key words. Output: four uniform 32-bit words.
/// Cost: 20 multiplications, no state. Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011, section 3.3; known answers from Random123.
using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

/// What a draw is for; the last word of the counter keeps the streams of one step apart.
enum class Purpose : std::uint32_t { step = 0, start = 1, restart = 2, shuffle = 3, action = 4 };

/// Two uniform 64-bit words for (seed; iteration, environment, step, purpose).
/// `iteration` and `purpose` share a word: 2^28 iterations of 16 purposes.
struct Draw {
    std::uint64_t first, second;
};

inline Draw draw(std::uint64_t seed, std::uint32_t iteration, std::uint64_t environment, std::uint32_t step,
                 Purpose purpose) {
    const PhiloxCounter word =
        philox({step, static_cast<std::uint32_t>(environment), static_cast<std::uint32_t>(environment >> 32),
                (iteration << 4) | static_cast<std::uint32_t>(purpose)},
               {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return {std::uint64_t{word[0]} | (std::uint64_t{word[1]} << 32),
            std::uint64_t{word[2]} | (std::uint64_t{word[3]} << 32)};
}

/// Uniform on [0, 1) with 53 bits.
inline double uniform(std::uint64_t word) { return static_cast<double>(word >> 11) * 0x1.0p-53; }

}  // namespace npgfast
