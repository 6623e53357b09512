#pragma once

#include <vector>

#include "npgfast/exact/evaluation.hpp"
#include "npgfast/policies/softmax.hpp"

namespace npgfast {

/// A weighted set of state-action pairs: the one object that exact and sampled algorithms share.
///
/// All arrays (n,), weights >= 0 with sum 1. `states` is empty where entry i is at state i: the states are the rows of
/// a batch of observations. `log_probs` under the policy that chose the actions, or empty.
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

    Index size() const { return std::ssize(actions); }
    Index state(Index entry) const { return states.empty() ? entry : Index{states[entry]}; }
};

/// A number for each state-action pair: a table (S*A,), or, where every state has one entry, that entry's action (S,)
/// and its number, a product of one or two factors (S,).
struct PairNumbers {
    Reals table;
    Integers actions;
    Reals numbers, factors;

    /// visit(action, number) for the actions of a state that may have a number other than 0.
    template <class Visit>
    void for_each(Index state, Index n_actions, const Visit& visit) const {
        if (actions.empty())
            for (Index a = 0; a < n_actions; ++a) visit(a, table[state * n_actions + a]);
        else
            visit(Index{actions[state]}, factors.empty() ? numbers[state] : numbers[state] * factors[state]);
    }
};

/// What the gradient, the Fisher matrix and the regression need of a batch, by state and by state-action pair. It views
/// the batch where every state has one entry, and sums of its own elsewhere.
struct BatchSummary {
    Reals state_weights;              ///< (S,) sum of the weights of a state
    PairNumbers pair_weights;         ///< sum of the weights of a pair
    PairNumbers weighted_advantages;  ///< sum of weight * advantage
    std::vector<double> advantages;   ///< (S*A,) mean advantage of a pair, if exhaustive; else empty
    double effective_horizon = 1.0;

    BatchSummary() = default;
    BatchSummary(BatchSummary&&) = default;
    BatchSummary& operator=(BatchSummary&&) = default;

    /// Makes and views sums (S,), (S*A,), (S*A,), all 0.
    void allocate(Index n_states, Index n_actions);

    std::vector<double> state_sums, pair_sums, advantage_sums;
};

/// Sums a batch over its entries, in their order; the batch must outlive the summary. Cost: n + S*A, or none; on the
/// calling thread, as the order fixes the sums, and bound by additions in places that the entries choose.
BatchSummary summarize(const Batch& batch, Index n_states, Index n_actions);

/// The summary of the exhaustive batch of an evaluation, without listing it. `reachable` (S,). Cost: H*S*A; without
/// horizon one pass over the pairs, shared by the team and bound by memory.
BatchSummary summarize(const Evaluation& evaluation, Reals probs, Flags reachable, Index n_actions, Team& team);

/// The smallest weight of a reachable state: an occupancy that underflows still says that the state can be visited.
inline constexpr double kSmallestWeight = 5e-324;

}  // namespace npgfast
