#pragma once

#include <vector>

#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

/// A softmax policy over finitely many states: logits = features theta + offset, pi = softmax over the allowed actions.
///
/// The features come in three kinds: none for the tabular softmax, whose features are the identity (d = S*A); phi(s,a)
/// (S*A, d) row-major; or phi(s) (S, m), shared by the actions, each of which has its own column of theta = W (m, A),
/// d = m A. The states of the last kind are the rows of a batch of observations, where every action is allowed.
/// `offset` (S*A,) or empty. `mask` (S*A,), 1 where the action is allowed.
struct SoftmaxPolicy {
    Index n_states = 0;
    Index n_actions = 0;
    Index n_params = 0;
    Reals features;
    Reals offset;
    Flags mask;
    Index n_shared_features = 0;  ///< m, or 0 for the other kinds

    Index n_pairs() const { return n_states * n_actions; }
    bool is_tabular() const { return features.empty(); }

    /// row (A,) = the logits of one state without the offset.
    void lift_state(Reals vector, Index state, double* row) const;

    /// vector += features(s)^T row.
    void add_projected(Index state, const double* row, double* vector) const;

    /// table = features vector (S*A,); the offset is left out. Forbidden actions get 0.
    void lift(Reals vector, MutableReals table) const;

    /// vector = features^T table (d,), the adjoint of `lift`.
    void project(Reals table, MutableReals vector) const;
};

/// The two tables every formula reads: log pi(a|s), -inf where forbidden, and pi(a|s), exactly 0 there.
struct PolicyTable {
    std::vector<double> log_probs;
    std::vector<double> probs;
};

/// Log-softmax of each row over its allowed actions.
///
///     log pi(a|s) = l(s,a) - max l(s,.) - log sum_b exp(l(s,b) - max l(s,.))
///
/// Inputs: logits (rows * n_actions), mask of the same size. Outputs: log_probs, probs of that size (may not alias).
/// Preconditions: every row allows an action; logits finite. Safe up to logits of +-1e308: a difference that overflows
/// is a probability of 0, and its logarithm is the lowest finite double, never -inf.
/// Cost: one exp per allowed action, one log per row.
void log_softmax(Reals logits, Flags mask, Index n_actions, MutableReals log_probs, MutableReals probs);

/// The policy's tables at `theta` (d,). Cost: S*A*d for features, S*A for the tabular softmax.
PolicyTable policy_table(const SoftmaxPolicy& policy, Reals theta);

/// The logit gradient that belongs to coefficients c(s,a) on the scores:
///
///     G(s,a) = c(s,a) - pi(a|s) sum_b c(s,b),    so that  sum c(s,a) score(s,a) = features^T G
///
/// `coefficients` (S*A,) is replaced by G. Cost: S*A.
/// Source: score(s,a) = phi(s,a) - E_pi phi(s,.), Sutton, McAllester, Singh & Mansour 2000, section 3.
void center_by_policy(Reals probs, Index n_actions, MutableReals coefficients);

/// Entropy of each state's distribution in nats, (S,). 0 log 0 = 0.
std::vector<double> state_entropies(const PolicyTable& table, Index n_actions);

/// score(s_i, a_i) = phi(s_i, a_i) - E_pi phi(s_i, .) for n pairs, into (n, d). Cost: n*A*d (n*d if shared).
/// Source: Sutton et al. 1999, section 3.
void scores(const SoftmaxPolicy& policy, Reals probs, Integers states, Integers actions, MutableReals result);

}  // namespace npgfast
