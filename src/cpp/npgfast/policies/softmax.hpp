#pragma once

#include <vector>

#include "npgfast/policies/row_features.hpp"
#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

/// A softmax policy over finitely many states: logits = features theta + offset, pi = softmax over the allowed actions.
///
/// The features come in three kinds: none for the tabular softmax, whose features are the identity (d = S*A); phi(s,a)
/// (S*A, d) row-major; or phi(s) (S, m), shared by the actions, each of which has its own column of theta = W (m, A),
/// d = m A. The states of the last kind are the rows of a batch of observations, where every action is allowed.
/// `offset` (S*A,) or empty. `mask` (S*A,), 1 where the action is allowed; it may be empty where features are shared.
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

    /// The features as a matrix whose groups are the states.
    RowFeatures rows() const;
};

/// The two tables every formula reads: log pi(a|s), -inf where forbidden, and pi(a|s), exactly 0 there.
struct PolicyTable {
    std::vector<double> log_probs;
    std::vector<double> probs;
};

/// The same, as a view.
struct PolicyView {
    PolicyView() = default;
    PolicyView(const PolicyTable& table) : log_probs(table.log_probs), probs(table.probs) {}
    PolicyView(Reals log_probs, Reals probs) : log_probs(log_probs), probs(probs) {}

    Reals log_probs, probs;
};

/// Log-softmax of each row over its allowed actions.
///
///     log pi(a|s) = l(s,a) - max l(s,.) - log sum_b exp(l(s,b) - max l(s,.))
///
/// Inputs: logits (rows * n_actions), mask of the same size, or empty: every action is allowed. Outputs: log_probs,
/// probs of that size (may not alias). A row's bits depend on that row alone.
/// Preconditions: every row allows an action; logits finite. Safe up to logits of +-1e308: a difference that overflows
/// is a probability of 0, and its logarithm is the lowest finite double, never -inf.
/// Tiling: 32 rows pass through the steps together, a register of numbers at a time (lane_math.hpp). Bound by
/// arithmetic: one exp per action and one log per row, 3 to 4 ns an action in all on one core of Zen 3 with AVX2.
void log_softmax(Reals logits, Flags mask, Index n_actions, MutableReals log_probs, MutableReals probs);

/// The multiply-adds that take as long as an entry of the tables, for passes that make some (see RowSweep).
inline constexpr Index kSoftmaxWork = 50;

/// The policy's tables at `theta` (d,), into log_probs and probs (S*A,). Cost: S*A*d for features, S*A for the tabular
/// softmax. One pass over the features (row_features.hpp); the logits of a block never leave the first-level cache.
void policy_table(const SoftmaxPolicy& policy, Reals theta, MutableReals log_probs, MutableReals probs, Team& team);
PolicyTable policy_table(const SoftmaxPolicy& policy, Reals theta, Team& team);

/// The rows of the tables at states [first, last), from their logits without the offset, which the call adds to them.
void block_table(const SoftmaxPolicy& policy, Index first, Index last, double* logits, double* log_probs,
                 double* probs);

/// The logit gradient that belongs to coefficients c(s,a) on the scores:
///
///     G(s,a) = c(s,a) - pi(a|s) sum_b c(s,b),    so that  sum c(s,a) score(s,a) = features^T G
///
/// `coefficients` (S*A,) is replaced by G. Cost: S*A.
/// Source: score(s,a) = phi(s,a) - E_pi phi(s,.), Sutton, McAllester, Singh & Mansour 2000, section 3.
void center_by_policy(Reals probs, Index n_actions, MutableReals coefficients);

/// Entropy of each state's distribution in nats, (S,). 0 log 0 = 0.
std::vector<double> state_entropies(const PolicyView& table, Index n_actions);

/// score(s_i, a_i) = phi(s_i, a_i) - E_pi phi(s_i, .) for n pairs, into (n, d). Cost: n*A*d (n*d if shared),
/// pair after pair on the calling thread; with shared features bound by the writing of them.
/// Source: Sutton et al. 1999, section 3.
void scores(const SoftmaxPolicy& policy, Reals probs, Integers states, Integers actions, MutableReals result);

}  // namespace npgfast
