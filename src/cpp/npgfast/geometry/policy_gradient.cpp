#include "npgfast/geometry/policy_gradient.hpp"

namespace npgfast {

std::vector<double> policy_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary) {
    std::vector<double> table(summary.weighted_advantages);
    for (double& coefficient : table) coefficient *= summary.effective_horizon;
    center_by_policy(probs, policy.n_actions, table);
    std::vector<double> gradient(static_cast<std::size_t>(policy.n_params));
    policy.project(table, gradient);
    return gradient;
}

}  // namespace npgfast
