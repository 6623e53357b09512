// Memory bandwidth in bytes per second, over arrays too large for any cache: reading, and copying (bytes read + written).

#include <cstddef>
#include <cstring>
#include <memory>

#include "probe.hpp"

int main(int argc, char** argv) {
  const int threads = probe::threads(argc, argv);
  constexpr std::size_t n = std::size_t{1} << 24;  // doubles of each array of each thread: 128 MiB
  std::vector<std::unique_ptr<double[]>> from(threads), to(threads);
  for (int t = 0; t < threads; ++t) {
    from[t] = std::make_unique<double[]>(n);
    to[t] = std::make_unique<double[]>(n);
  }
  const double read = probe::fastest(threads, [&](int t) {
    typedef double Lanes __attribute__((vector_size(64)));
    const auto* x = reinterpret_cast<const Lanes*>(from[t].get() + 8 - reinterpret_cast<std::size_t>(from[t].get()) / 8 % 8);
    Lanes sum[4] = {};
    for (std::size_t i = 0; i + 8 < n / 8; i += 4)
      for (int j = 0; j < 4; ++j) sum[j] += x[i + j];
    probe::keep(sum);
  });
  const double copy = probe::fastest(threads, [&](int t) {
    std::memcpy(to[t].get(), from[t].get(), n * sizeof(double));
    probe::keep(*to[t].get());
  });
  const double bytes = static_cast<double>(n) * sizeof(double) * threads;
  probe::print({{"read", bytes / read}, {"copy", 2.0 * bytes / copy}});
}
