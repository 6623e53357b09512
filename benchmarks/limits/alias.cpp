// Steps per second of Markov chains on 64 states with 16 outcomes each, drawn from alias tables in L1, one 4-byte store
// per step into a buffer that stays in cache: 8 interleaved chains of scalars, and 4 x 16 chains in the lanes of AVX-512.
// A step is one random number, one gather of (threshold, alias), one gather of the successor, one store.

#include <cstdint>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "probe.hpp"

namespace {

constexpr int n_states = 64, outcomes = 16, steps = 2'000'000, rows = 64;  // the buffer holds 64 rows of steps

struct Tables {
  std::vector<std::uint32_t> entry, next;  // threshold in the upper 16 bits, alias below; successor of each outcome
  Tables() : entry(n_states * outcomes), next(entry.size()) {
    std::uint64_t state = 1;
    for (std::size_t i = 0; i < entry.size(); ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      entry[i] = static_cast<std::uint32_t>(state >> 32 & 0xffff0000u) | static_cast<std::uint32_t>(state >> 40 & 15u);
      next[i] = static_cast<std::uint32_t>((state >> 50) % n_states);
    }
  }
};

double scalar(int threads, const Tables& tables) {
  constexpr int chains = 8;
  const double seconds = probe::fastest(threads, [&](int thread) {
    std::uint32_t state[chains] = {}, random[chains];
    for (int c = 0; c < chains; ++c) random[c] = 1u + static_cast<std::uint32_t>(thread * chains + c);
    std::vector<std::uint32_t> out(rows * chains);
    const std::uint32_t* entry = tables.entry.data();
    const std::uint32_t* next = tables.next.data();
    for (int step = 0; step < steps; ++step) {
      std::uint32_t* row = out.data() + step % rows * chains;
#pragma GCC unroll 8
      for (int c = 0; c < chains; ++c) {
        random[c] = random[c] * 747796405u + 2891336453u;
        const std::uint32_t column = random[c] >> 28, base = state[c] * outcomes;
        const std::uint32_t found = entry[base + column];
        const std::uint32_t own = -static_cast<std::uint32_t>((random[c] << 4 >> 16) < found >> 16);  // no branch
        const std::uint32_t chosen = (column & own) | (found & 0xffffu & ~own);
        state[c] = next[base + chosen];
        row[c] = base + chosen;
      }
    }
    probe::keep(*out.data());
  });
  return static_cast<double>(steps) * chains * threads / seconds;
}

#if defined(__AVX512F__)
double lanes(int threads, const Tables& tables) {
  constexpr int vectors = 4;
  const double seconds = probe::fastest(threads, [&](int thread) {
    __m512i state[vectors], random[vectors];
    for (int v = 0; v < vectors; ++v) {
      alignas(64) std::uint32_t start[16];
      for (int lane = 0; lane < 16; ++lane) start[lane] = 1u + 977u * static_cast<std::uint32_t>(64 * thread + 16 * v + lane);
      random[v] = _mm512_load_si512(start);
      state[v] = _mm512_setzero_si512();
    }
    std::vector<std::uint32_t> out(rows * vectors * 16);
    const __m512i factor = _mm512_set1_epi32(747796405), term = _mm512_set1_epi32(-1403630843);
    for (int step = 0; step < steps / 8; ++step) {
      std::uint32_t* row = out.data() + step % rows * vectors * 16;
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        random[v] = _mm512_add_epi32(_mm512_mullo_epi32(random[v], factor), term);
        const __m512i base = _mm512_slli_epi32(state[v], 4), column = _mm512_srli_epi32(random[v], 28);
        const __m512i found = _mm512_i32gather_epi32(_mm512_add_epi32(base, column), tables.entry.data(), 4);
        const __m512i draw = _mm512_srli_epi32(_mm512_slli_epi32(random[v], 4), 16);
        const __mmask16 own = _mm512_cmplt_epu32_mask(draw, _mm512_srli_epi32(found, 16));
        const __m512i other = _mm512_and_si512(found, _mm512_set1_epi32(0xffff));
        const __m512i slot = _mm512_add_epi32(base, _mm512_mask_mov_epi32(other, own, column));
        state[v] = _mm512_i32gather_epi32(slot, tables.next.data(), 4);
        _mm512_storeu_si512(row + 16 * v, slot);
      }
    }
    probe::keep(*out.data());
  });
  return static_cast<double>(steps / 8) * vectors * 16 * threads / seconds;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const int threads = probe::threads(argc, argv);
  const Tables tables;
#if defined(__AVX512F__)
  probe::print({{"scalar chains", scalar(threads, tables)}, {"AVX-512 lanes", lanes(threads, tables)}});
#else
  probe::print({{"scalar chains", scalar(threads, tables)}});
#endif
}
