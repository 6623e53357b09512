#pragma once

#include <vector>

#include "npgfast/exact/evaluation.hpp"
#include "npgfast/policies/softmax.hpp"

namespace npgfast {

/// A weighted set of state-action pairs: the one object that exact and sampled algorithms share.
///
/// All arrays (n,), weights >= 0 with sum 1. `log_probs` under the policy that chose the actions, or empty.
/// `exhaustive`: the entries list every action of row after row of states, (h,) s, a, and weights[i] > 0 iff the state
/// can be reached; then the advantages are known for actions that the policy has all but given up.
struct Batch {
    Integers states;
    Integers actions;
    Reals weights;
    Reals advantages;
    Reals log_probs;
    double effective_horizon = 1.0;
    bool exhaustive = false;

    Index size() const { return std::ssize(states); }
};

/// What the gradient, the Fisher matrix and the regression need of a batch, by state and by state-action pair.
struct BatchSummary {
    std::vector<double> state_weights;        ///< (S,)    sum of the weights of a state
    std::vector<double> pair_weights;         ///< (S*A,)  sum of the weights of a pair
    std::vector<double> weighted_advantages;  ///< (S*A,)  sum of weight * advantage
    std::vector<double> advantages;           ///< (S*A,)  mean advantage of a pair, if exhaustive; else empty
    double effective_horizon = 1.0;
};

/// Sums a batch over its entries, in their order. Cost: n + S*A.
BatchSummary summarize(const Batch& batch, Index n_states, Index n_actions);

/// The summary of the exhaustive batch of an evaluation, without listing it. `reachable` (S,). Cost: H*S*A.
BatchSummary summarize(const Evaluation& evaluation, Reals probs, Flags reachable, Index n_actions);

/// The smallest weight of a reachable state: an occupancy that underflows still says that the state can be visited.
inline constexpr double kSmallestWeight = 5e-324;

}  // namespace npgfast
