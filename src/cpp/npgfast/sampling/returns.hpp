#pragma once

#include "npgfast/base/types.hpp"

namespace npgfast {

/// T steps of N environments, each array (T, N) row-major; `values` and `bootstrap` may be null, for zeros.
struct Steps {
    Index n_steps = 0;
    Index n_envs = 1;
    const double* rewards = nullptr;
    const double* values = nullptr;
    const std::uint8_t* terminated = nullptr;
    const std::uint8_t* truncated = nullptr;
    const double* bootstrap = nullptr;
};

/// Generalised advantage estimates, and the returns that they are of.
///
///     delta_t = r_t + gamma V(next_t) - V(s_t),   A_t = delta_t + gamma lambda A_{t+1},   R_t = A_t + V(s_t)
///
/// V(next_t) is 0 where terminated (which wins over truncated), bootstrap[t] where truncated or t = T-1, else
/// values[t+1]; the sum A is cut where terminated or truncated. Rewards are only read; lambda = 1 and values = 0 give
/// discounted returns.
/// Inputs: the steps; bootstrap is read only where the rule says. Outputs: advantages (T, N), returns (T, N) or null;
/// neither may alias an input. Returns whether all advantages are finite: if not, some input that was read is not, or
/// they overflow.
/// Cost: one pass backwards over the rows, 34 bytes an entry, bound by memory. Eight environments are looked at
/// together: where none of their flags is set, which is nearly always, the row is one vector expression. A tile of
/// columns keeps its A_{t+1} in the L1 cache; tiles are the tasks of the threads, and no result depends on their
/// number. Large outputs are written past the caches. Source: Schulman, Moritz, Levine, Jordan & Abbeel 2016, eq. (16).
bool generalized_advantages(const Steps& steps, double gamma, double lambda, int n_threads, double* advantages,
                            double* returns);

/// The same for the steps of one environment.
inline bool generalized_advantages(Index n_steps, const double* rewards, const double* values,
                                   const std::uint8_t* terminated, const std::uint8_t* truncated,
                                   const double* bootstrap, double gamma, double lambda, double* advantages) {
    return generalized_advantages({n_steps, 1, rewards, values, terminated, truncated, bootstrap}, gamma, lambda, 1,
                                  advantages, nullptr);
}

}  // namespace npgfast
