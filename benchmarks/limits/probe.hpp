#pragma once
// What the probes share: run a piece of work on all threads at once, and print rates as JSON.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

namespace probe {

constexpr int repeats = 5;

/// Keeps the compiler from dropping a result.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Fastest of `repeats` runs, in seconds, of work(thread) on all threads at once, after one run that warms up.
template <class Work>
double fastest(int threads, Work work) {
  double best = 1e300;
  for (int repeat = 0; repeat <= repeats; ++repeat) {
    std::atomic<int> ready{0};
    std::vector<std::thread> others;
    const auto together = [&](int thread) {
      for (++ready; ready.load() < threads;) {
      }
      work(thread);
    };
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(together, thread);
    while (ready.load() < threads - 1) {
    }
    const auto started = std::chrono::steady_clock::now();
    together(0);
    for (auto& other : others) other.join();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
    if (repeat > 0 && spent.count() < best) best = spent.count();
  }
  return best;
}

/// Prints {"name": rate, ...}.
inline void print(const std::vector<std::pair<const char*, double>>& rates) {
  const char* before = "{";
  for (const auto& [name, rate] : rates) {
    std::printf("%s\"%s\": %.6g", before, name, rate);
    before = ", ";
  }
  std::printf("}\n");
}

/// Number of threads: the first argument, default 1.
inline int threads(int argc, char** argv) { return argc > 1 ? std::atoi(argv[1]) : 1; }

}  // namespace probe
