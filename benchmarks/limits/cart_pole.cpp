// Steps per second of CartPole's dynamics under a logistic policy in float64 lanes: short polynomials for sine, cosine
// and the exponential (12 digits), resets by selection, and seven stores per step into a buffer that stays in cache.

#include <cstdint>

#include "probe.hpp"

#if defined(__AVX512F__)
constexpr int width = 8;
#elif defined(__AVX__)
constexpr int width = 4;
#else
constexpr int width = 2;
#endif
typedef double Lanes __attribute__((vector_size(width * 8)));
typedef std::int64_t Ints __attribute__((vector_size(width * 8)));
typedef std::uint64_t Bits __attribute__((vector_size(width * 8)));

namespace {

constexpr double inverse[] = {1, 1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880};

/// 1 - square / 2! + ..., or with first = 1 the sine over its angle; for angles below a quarter.
inline Lanes series(Lanes square, int first) {
  Lanes sum = Lanes{} + inverse[first + 8];
  for (int k = first + 6; k >= first; k -= 2) sum = inverse[k] - square * sum;
  return sum;
}

/// e^z for |z| < 700: 2^whole by the exponent, the rest by its series.
inline Lanes exponential(Lanes z) {
  const Lanes shift = Lanes{} + 0x1.8p52;
  const Lanes shifted = z * 1.4426950408889634 + shift, rest = (z - (shifted - shift) * 0.6931471805599453) * 0.25;
  Lanes power = Lanes{} + inverse[8];
  for (int k = 7; k >= 0; --k) power = inverse[k] + rest * power;
  power *= power, power *= power;
  return power * Lanes((Bits(shifted) + 1023) << 52);
}

inline Lanes uniform(Bits bits) { return Lanes((bits >> 12) | 0x3ff0000000000000u) - 1.0; }

}  // namespace

int main(int argc, char** argv) {
  const int threads = probe::threads(argc, argv);
  constexpr int steps = 200'000, vectors = 4, rows = 32;
  const double seconds = probe::fastest(threads, [](int thread) {
    Lanes x[vectors] = {}, speed[vectors] = {}, angle[vectors] = {}, spin[vectors] = {};
    Bits random[vectors];
    for (int k = 0; k < vectors; ++k)
      for (int lane = 0; lane < width; ++lane)
        random[k][lane] = 1u + 977u * static_cast<std::uint64_t>(width * (vectors * thread + k) + lane);
    std::vector<double> out(rows * vectors * width * 7);
    for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 4
      for (int k = 0; k < vectors; ++k) {
        random[k] = random[k] * 6364136223846793005u + 1442695040888963407u;
        const Lanes logit = 0.1 * x[k] + 0.5 * speed[k] + 3.0 * angle[k] + 2.0 * spin[k];
        const Lanes odds = exponential(-logit), draw = uniform(random[k]);
        const Lanes force = draw * (1.0 + odds) < 1.0 ? Lanes{} + 10.0 : Lanes{} - 10.0;
        const Lanes square = angle[k] * angle[k], sine = angle[k] * series(square, 1), cosine = series(square, 0);
        const Lanes push = (force + 0.05 * spin[k] * spin[k] * sine) * (1.0 / 1.1);
        const Lanes twist = (9.8 * sine - cosine * push) / (2.0 / 3 - 0.05 / 1.1 * cosine * cosine);
        const Lanes thrust = push - 0.05 / 1.1 * twist * cosine;
        double* row = out.data() + (step % rows * vectors + k) * width * 7;
        const auto store = [&](int column, Lanes value) { __builtin_memcpy(row + column * width, &value, sizeof value); };
        store(0, x[k]), store(1, speed[k]), store(2, angle[k]), store(3, spin[k]), store(4, force), store(5, odds);
        x[k] += 0.02 * speed[k], speed[k] += 0.02 * thrust, angle[k] += 0.02 * spin[k], spin[k] += 0.02 * twist;
        const Ints over = (x[k] < -2.4) | (x[k] > 2.4) | (angle[k] < -0.2095) | (angle[k] > 0.2095);
        store(6, Lanes(over));
        const Lanes fresh = 0.1 * draw - 0.05;
        x[k] = over ? fresh : x[k], speed[k] = over ? -fresh : speed[k];
        angle[k] = over ? fresh : angle[k], spin[k] = over ? -fresh : spin[k];
      }
    }
    probe::keep(*out.data());
  });
  probe::print({{"float64 lanes", static_cast<double>(steps) * vectors * width * threads / seconds}});
}
