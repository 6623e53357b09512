#pragma once
// Writes past the caches, with a portable twin.

#include <algorithm>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Doubles in a stretch of memory that vector loops take at a time; two registers or more for short vectors.
inline constexpr Index kStretch = 8;

/// Whether `stream` may write there.
inline bool is_streamable(const double* to) { return reinterpret_cast<std::uintptr_t>(to) % 16 == 0; }

/// to[0..8) = from[0..8), past the caches where the processor can: large results that are only written neither displace
/// what is being read nor are read themselves before they are overwritten. `finish_streams` makes them visible.
inline void stream(const double* from, double* to) {
#if defined(__SSE2__)
    for (Index k = 0; k < kStretch; k += 2) _mm_stream_pd(to + k, _mm_loadu_pd(from + k));
#else
    std::copy_n(from, kStretch, to);
#endif
}

inline void finish_streams() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace npgfast
