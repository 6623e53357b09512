#pragma once

#include <cstdint>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// A view of a finite Markov decision process.
///
/// The kernel is CSR over the rows s * n_actions + a: `indptr` (S*A + 1), `indices` and `probabilities` (nnz), without
/// explicit zeros. Row (s, a) plus `termination[s, a]` sums to 1; rows of forbidden actions are empty.
/// `rewards` (S, A) are expected immediate rewards, `initial` (S,) is mu, `mask` (S, A) is 1 where an action is
/// allowed. `gamma` in [0, 1]; `horizon` >= 1, or 0 for none.
/// Preconditions (checked in Python at construction): every state allows an action; gamma < 1, or a horizon, or
/// termination can be reached from everywhere.
struct TabularMdp {
    Index n_states = 0;
    Index n_actions = 0;
    std::span<const std::int64_t> indptr;
    Integers indices;
    Reals probabilities;
    Reals termination;
    Reals rewards;
    Reals initial;
    Flags mask;
    double gamma = 1.0;
    Index horizon = 0;

    Index n_pairs() const { return n_states * n_actions; }

    /// sum_s' P(s'|row) values(s')
    double expected_next(Index row, const double* values) const {
        double sum = 0.0;
        for (auto k = indptr[row]; k < indptr[row + 1]; ++k) sum += probabilities[k] * values[indices[k]];
        return sum;
    }
};

}  // namespace npgfast
