// Random reads per second of float64 values from tables that fit in L1, in L2, and in neither, as a sparse sweep does
// them: the indices are read in order, four sums hide the latency.

#include <cstddef>
#include <cstdint>

#include "probe.hpp"

namespace {

double rate(int threads, std::size_t size) {
  constexpr std::size_t n = std::size_t{1} << 22;
  std::vector<double> table(size, 1.0);
  std::vector<std::int32_t> indices(n);
  std::uint64_t state = 1;
  for (auto& index : indices) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    index = static_cast<std::int32_t>((state >> 33) % size);
  }
  const double seconds = probe::fastest(threads, [&](int) {
    double sum[4] = {};
    for (std::size_t i = 0; i < n; i += 4)
      for (std::size_t j = 0; j < 4; ++j) sum[j] += table[indices[i + j]];
    probe::keep(sum);
  });
  return static_cast<double>(n) * threads / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = probe::threads(argc, argv);
  probe::print({{"16 kB", rate(threads, 2'000)}, {"800 kB", rate(threads, 100'000)}, {"8 MB", rate(threads, 1'000'000)}});
}
