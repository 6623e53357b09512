#pragma once

#include "npgfast/geometry/softmax_model.hpp"
#include "npgfast/updates/update.hpp"

namespace npgfast {

/// One step of soft policy iteration: Hedge at every state, tabular policies.
///
///     pi'(a|s) ~ pi(a|s) exp(eta L A(s,a))
///
/// Inputs: the model that `input` refers to; advantages (S*A,) of every state, also of those that cannot be reached,
/// which move as well.
/// With tau > 0 the advantages are regularised and eta tau L is held to at most 1.
/// `zero_gradient` if no state's best action gains more than a negligible amount over its mean.
/// Cost: S*A. Source: Even-Dar, Kakade & Mansour 2009; Freund & Schapire 1997 (Hedge).
UpdateReport soft_policy_iteration_step(const SoftmaxModel& model, const UpdateInput& input, Reals advantages,
                                        double step_size);

/// One step of conservative policy iteration: a mixture with the greedy policy, tabular policies.
///
///     pi' = (1 - alpha) pi + alpha greedy(A),   alpha = min(1, (1-gamma) E_d[A(s, greedy)] / (4 gamma eps)),
///     eps = max_s |E_greedy A|
///
/// `mixture` > 0 fixes alpha; 0 takes the value above, with 1 - gamma replaced by 1/H if `horizon` > 0 and gamma = 1.
/// theta becomes log pi' in the states where some action gains; on samples, some action that was tried. Reports alpha
/// as step_size. `zero_gradient` as for soft policy iteration.
/// Cost: S*A. Source: Kakade & Langford 2002, theorem 4.1 and corollary 7.
UpdateReport conservative_policy_iteration_step(const SoftmaxModel& model, const UpdateInput& input, Reals advantages,
                                                double mixture, double gamma, Index horizon);

}  // namespace npgfast
