#pragma once

#include <vector>

#include "npgfast/geometry/batch.hpp"

namespace npgfast {

/// The policy gradient of a summarised batch, (d,).
///
///     grad J = L sum_i w_i A_i score(s_i, a_i) = L features^T (c - pi sum_b c),   c(s,a) = sum_{i in (s,a)} w_i A_i
///
/// Inputs: the policy and its probabilities (S*A,), the summary. Output: gradient in reward per unit of theta, with L.
/// Cost: S*A*d (S*A for the tabular softmax): the features are read once (row_features.hpp says how the pass is tiled).
/// Source: Sutton, McAllester, Singh & Mansour, "Policy gradient methods", NIPS 1999, theorem 1.
std::vector<double> policy_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Team& team);

}  // namespace npgfast
