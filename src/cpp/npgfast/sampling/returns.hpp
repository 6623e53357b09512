#pragma once

#include "npgfast/base/types.hpp"

namespace npgfast {

/// A column of a (T, N) array, or a contiguous run: element t is data[t * stride].
template <class T>
struct Strided {
    T* data = nullptr;
    Index stride = 1;
    T& operator[](Index t) const { return data[t * stride]; }
};

/// Generalised advantage estimates of one environment's T steps.
///
///     delta_t = r_t + gamma V(next_t) - V(s_t),   A_t = delta_t + gamma lambda A_{t+1}
///
/// V(next_t) is 0 where terminated (which wins over truncated), bootstrap[t] where truncated or t = T-1, else
/// values[t+1]; the sum A is cut where terminated or truncated. Rewards are only read; lambda = 1 and values = 0 give
/// discounted returns.
/// Inputs: T steps each; bootstrap is read only where the rule says. Outputs: advantages (T).
/// Cost: one pass. Source: Schulman, Moritz, Levine, Jordan & Abbeel 2016, eq. (16).
void generalized_advantages(Index n_steps, Strided<const double> rewards, Strided<const double> values,
                            Strided<const std::uint8_t> terminated, Strided<const std::uint8_t> truncated,
                            Strided<const double> bootstrap, double gamma, double lambda, Strided<double> advantages);

}  // namespace npgfast
