#pragma once

#include <vector>

#include "npgfast/base/buffer.hpp"
#include "npgfast/sampling/sample.hpp"

namespace npgfast {

/// What the steps of a rollout say about each pair of state and action, of which a tabular batch consists.
struct PairSums {
    MutableReals state_weights;        ///< (S,) of all weights, whose sum is 1
    MutableReals pair_weights;         ///< (S*A,)
    MutableReals weighted_advantages;  ///< (S*A,) sum of weight * advantage
    MutableReals fitted;               ///< (cells,) or empty: the mean return of every cell that was visited
    double mass = 0.0;                 ///< as in Sample, like the two below
    Index n_started = 0;
    double return_mean = 0.0;
};

/// Buffers that one call leaves to the next.
struct PairSumsWorkspace {
    struct Slot;
    std::vector<Slot> slots;
    std::vector<double> powers;                   ///< gamma^t
    Buffer<double> deltas, rewards, values;       ///< by padded pair, padded pair and cell
    PairSumsWorkspace();
    ~PairSumsWorkspace();
};

/// Sums the batch that `weigh` would list, without listing it, and fits the baseline of the next one.
///
/// One pass backwards over the records, after one that only counts the times of steps, where the weights need them:
///     A_t = (r_t - V(s_t)) + [goes on] (gamma V(s_{t+1}) + gamma lambda A_{t+1}),    sums[pair] += (w, w A, 1, A)
/// Inputs: as `weigh`. Outputs: `result`, into its views; cells that were not visited keep their `fitted` (see
/// `fit_table`), which may be the baseline itself.
/// Tiling: rows of up to 32 environments; chunks of 32 rows, whose times stay in the first cache; up to eight slots of
/// sums, each of consecutive blocks, added up in their order: the bits do not depend on threads. Bound by the sums: a
/// load, an addition and a store of 32 bytes per step, 2 ns per step and core together with the look-ups on Zen 4.
void sum_pairs(const TabularMdp& mdp, const Rollout& rollout, const SampleOptions& options, int n_threads,
               PairSums& result, PairSumsWorkspace& workspace, const Interrupt& interrupt);

}  // namespace npgfast
