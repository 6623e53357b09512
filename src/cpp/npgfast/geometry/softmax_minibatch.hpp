#pragma once

#include <memory>

#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

/// Minibatches under a softmax policy. With f = grad log pi in the logits, f_a = [a = a_i] - pi(a), an entry adds
///
///     phi(s_i, .)^T (c_i f + beta w_i h),    h_a = dH/dlogit_a = -pi(a) (log pi(a) + H)
///
/// with the coefficients c of the surrogate and the entropy coefficient beta.
/// Policies with features of rows (n_shared_features > 0) go tile by tile of kTileRows entries, vectorised across them:
/// copy, logits, log-softmax, ratio and gradient never leave the L1 cache. The others collect coefficients by state, so
/// that each state that is visited has one log-softmax and one projection.
/// Inputs: the policy, its batch and theta (d,), read at each evaluation; they must outlive the minibatches.
/// Cost of an entry: m (2 A + 1) and A + 2 exponentials; or that of its state: A d and A exponentials. Bound by
/// arithmetic: exponentials with few features, the copy and the two products of a tile with many.
/// Source: Schulman et al. 2017 (PPO), eq. (7) and (9); Williams & Peng 1991 (entropy).
std::unique_ptr<Minibatch> softmax_minibatch(const SoftmaxPolicy& policy, const Batch& batch, Reals theta);

}  // namespace npgfast
