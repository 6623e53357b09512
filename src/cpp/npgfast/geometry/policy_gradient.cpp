#include "npgfast/geometry/policy_gradient.hpp"

#include "npgfast/base/vector.hpp"

namespace npgfast {

std::vector<double> policy_gradient(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary, Team& team) {
    std::vector<double> gradient(static_cast<std::size_t>(policy.n_params));
    const auto visit = [&](Index first, Index last, double* block, double*) {
        with_constant(policy.n_actions, [&](auto n_actions) {
            double* row = block;
            for (Index s = first; s < last; ++s, row += n_actions) {
                const double* pi = probs.data() + s * n_actions;
                double total = 0.0;
                summary.weighted_advantages.for_each(s, n_actions, [&](Index a, double sum) {
                    row[a] = summary.effective_horizon * sum;
                    total += row[a];
                });
                for (Index a = 0; a < n_actions; ++a) row[a] -= pi[a] * total;
            }
        });
    };
    RowSweep(policy.rows(), team)({}, visit, gradient);
    return gradient;
}

}  // namespace npgfast
