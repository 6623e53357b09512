#pragma once

#include <vector>

#include "npgfast/exact/linear_system.hpp"
#include "npgfast/problems/end_components.hpp"

namespace npgfast {

/// The choice of a collapsed component to remain inside for ever, at no reward.
inline constexpr Index kStay = -1;

/// An MDP with end components collapsed: node n owns the rows rows[begin[n]] .. rows[begin[n+1]-1], each a pair
/// s * n_actions + a of one of its states, or kStay.
struct Quotient {
    const TabularMdp& mdp;
    std::vector<std::int32_t> node_of;  // (S,)
    std::vector<Index> begin, rows;
    Index n_nodes = 0;
    bool is_identity = false;  // every node is the state of its number

    double next(Index row, const std::vector<double>& values) const {
        if (row == kStay) return 0.0;
        if (is_identity) return mdp.expected_next(row, values.data());
        double sum = 0.0;
        for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k)
            sum += mdp.probabilities[k] * values[node_of[mdp.indices[k]]];
        return sum;
    }
    double reward(Index row) const { return row == kStay ? 0.0 : mdp.rewards[row]; }
    double action_value(Index row, const std::vector<double>& values) const {
        return reward(row) + mdp.gamma * next(row, values);
    }
};

/// Collapses the given components; rows that are internal to one become its choice to stay.
Quotient make_quotient(const TabularMdp& mdp, const EndComponents& components);

/// gamma P between the nodes under a distribution over the rows of each: row_probs (rows,). Cost: as mix_rows.
SparseMatrix choice_kernel(const Quotient& quotient, const std::vector<double>& row_probs, Team& team);

/// The same under one row of each node: choice (n_nodes,) of indices into quotient.rows.
SparseMatrix choice_kernel(const Quotient& quotient, const std::vector<Index>& choice, Team& team);

/// Choices that end with probability 1: from the terminating rows backwards, each node takes a row that reaches a
/// node already reached. Nodes that never do (there are none at gamma = 1) keep their first row. Cost: three passes
/// over the entries on the calling thread, bound by the latency of the nodes that they name.
std::vector<Index> proper_choice(const Quotient& quotient);

/// Actions (S,) of the states from the likeliest row of each node: inside a collapsed component every state heads, by
/// internal rows, for the state that owns it.
std::vector<std::int32_t> state_actions(const Quotient& quotient, const EndComponents& components,
                                        const std::vector<double>& row_probs);

}  // namespace npgfast
