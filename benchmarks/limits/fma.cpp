// Floating-point operations per second of independent float64 fused multiply-adds in registers (two each).

#include "probe.hpp"

#if defined(__AVX512F__)
constexpr int width = 8;
#elif defined(__AVX__)
constexpr int width = 4;
#else
constexpr int width = 2;
#endif
typedef double Lanes __attribute__((vector_size(width * sizeof(double))));

int main(int argc, char** argv) {
  const int threads = probe::threads(argc, argv);
  constexpr int chains = 12;  // more than latency times throughput, and few enough for the registers
  constexpr int steps = 10'000'000;
  const double seconds = probe::fastest(threads, [](int) {
    Lanes sum[chains] = {}, factor = Lanes{} + 0.999999, term = Lanes{} + 1e-6;
    for (Lanes& start : sum) asm volatile("" : "+x"(start));  // chains that are known to be equal would be one
    for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
      for (int chain = 0; chain < chains; ++chain) sum[chain] = sum[chain] * factor + term;
      asm volatile("" : "+x"(factor));  // keeps the loop as it is
    }
    probe::keep(sum);
  });
  probe::print({{"float64", 2.0 * width * chains * steps * threads / seconds}});
}
