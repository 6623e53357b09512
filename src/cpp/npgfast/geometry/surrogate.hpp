#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "npgfast/geometry/batch.hpp"
#include "npgfast/geometry/row_tile.hpp"

namespace npgfast {

/// Log-ratios are held to +-700, so that their exponential is finite and never 0 * inf.
inline constexpr double kLogRatioLimit = 700.0;

struct Surrogate {
    double value = 0.0;
    std::vector<double> gradient;
    double clip_fraction = 0.0;  ///< weight of the samples whose gradient is zeroed
    double approx_kl = 0.0;      ///< sum_i w_i (r_i - 1 - log r_i)
};

struct SurrogateOptions {
    double clip_range = 0.2;           ///< infinity: the plain surrogate
    double effective_horizon = 1.0;    ///< L; PPO leaves it out
    double entropy_coefficient = 0.0;  ///< adds c sum_i w_i grad H(pi(.|s_i)) to the gradient
};

/// Entries that a surrogate sums over, each (n,): the i-th is entry rows[i] of the batch that a policy is on.
struct SurrogateEntries {
    std::span<const std::uint32_t> rows;
    Reals weights;
    Reals advantages;
    Reals log_probs;  ///< of the policy that chose the actions

    Index size() const { return std::ssize(rows); }
};

/// Up to kTileRows entries on their way through the surrogate: their log-probabilities at the new theta in, the
/// coefficients of their scores out. Entries that it lacks have no weight.
struct SurrogateTile {
    using Column = std::array<double, kTileRows>;

    /// Takes entries from the `first` on; returns how many.
    Index take(Reals all_weights, Reals all_advantages, Reals all_log_probs, Index first);
    Index take(const SurrogateEntries& entries, Index first) {
        return take(entries.weights, entries.advantages, entries.log_probs, first);
    }

    /// For each entry, with r = exp(log_probs - old_log_probs):
    ///
    ///     value += L w min(r A, clip(r, 1 - eps, 1 + eps) A),   coefficient = L w r A, or 0 where that is clipped:
    ///     (A > 0, r > 1 + eps) or (A < 0, r < 1 - eps)
    ///
    /// Entries without weight count for nothing, whatever else they hold. Adds to all of `sum` but its gradient.
    /// Source: Schulman et al. 2017 (PPO), eq. (7), with L.
    void compare(const SurrogateOptions& options, Surrogate& sum);

    alignas(64) Column weights, advantages, old_log_probs, log_probs, coefficients;
};

/// L sum_i w_i r_i A_i and its gradient L sum_i w_i r_i A_i score_i, r_i = pi(a_i|s_i) / exp(log_probs_i).
///
/// With a finite `clip_range` eps, the clipped one: L sum_i w_i min(r_i A_i, clip(r_i, 1-eps, 1+eps) A_i); a sample's
/// gradient vanishes iff (A > 0, r > 1+eps) or (A < 0, r < 1-eps). Pass infinity for the unclipped surrogate.
/// Inputs: the policy and its table at the new theta; a batch with log_probs, finite wherever weight > 0.
/// Outputs: value in reward, gradient (d,). Cost: n + S*A*d, in tiles of kTileRows entries and one pass over the
/// features (row_features.hpp). Bound by that pass, or without features by the exponential and the look-ups of an
/// entry.
/// Source: Schulman et al. 2015 (TRPO), eq. (14); Schulman et al. 2017 (PPO), eq. (7), with L.
Surrogate surrogate(const SoftmaxPolicy& policy, const PolicyView& table, const Batch& batch, double clip_range,
                    Team& team);

/// exp(new - old) - 1 of two log-probabilities: what the predicted gain L sum w (r - 1) A is made of, without
/// cancellation, so that a small gain keeps its sign.
double ratio_minus_one(double new_log_prob, double old_log_prob);

/// One minibatch of entries after another, at a theta that moves between them: PPO's view of a policy on a batch.
class Minibatch {
public:
    virtual ~Minibatch() = default;
    /// The clipped surrogate of these entries at the current theta; its gradient (d,) is of the size it needs already.
    virtual void evaluate(const SurrogateEntries& entries, const SurrogateOptions& options, Surrogate& result) = 0;
};

}  // namespace npgfast
