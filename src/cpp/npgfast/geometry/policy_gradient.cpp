#include "npgfast/geometry/policy_gradient.hpp"

namespace npgfast {

std::vector<double> policy_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Team& team) {
    const Index n_actions = policy.n_actions;
    std::vector<double> gradient(static_cast<std::size_t>(policy.n_params));
    const auto visit = [&](Index first, Index last, double* block, double*) {
        for (Index s = first; s < last; ++s, block += n_actions) {
            summary.weighted_advantages.for_each(
                s, n_actions, [&](Index a, double sum) { block[a] = summary.effective_horizon * sum; });
            center_by_policy(probs.subspan(static_cast<std::size_t>(s * n_actions), static_cast<std::size_t>(n_actions)),
                             n_actions, {block, static_cast<std::size_t>(n_actions)});
        }
    };
    RowSweep(policy.rows(), team)({}, visit, gradient);
    return gradient;
}

}  // namespace npgfast
