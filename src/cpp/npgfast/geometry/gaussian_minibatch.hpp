#pragma once

#include <memory>

#include "npgfast/geometry/surrogate.hpp"
#include "npgfast/policies/gaussian.hpp"

namespace npgfast {

/// Minibatches under a Gaussian policy. With z = (a - mu) / sigma an entry adds
///
///     (phi_i (x) c_i z / sigma,   c_i (z^2 - 1) + beta w_i)
///
/// with the coefficients c of the surrogate and the entropy coefficient beta.
/// Tile by tile of kTileRows entries, vectorised across them, like those of a softmax policy on rows.
/// Inputs: the policy, actions (n, k) and theta (d,), read at each evaluation; they must outlive the minibatches.
/// Cost of an entry: m (2 k + 1) and 2 exponentials, which bound it as there. Source: Williams 1992, section 6;
/// Schulman et al. 2017, eq. (7).
std::unique_ptr<Minibatch> gaussian_minibatch(const GaussianPolicy& policy, Reals actions, Reals theta);

}  // namespace npgfast
