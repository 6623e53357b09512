#include "npgfast/geometry/softmax_model.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/policy_gradient.hpp"
#include "npgfast/geometry/softmax_minibatch.hpp"

namespace npgfast {

std::vector<double> SoftmaxModel::gradient() const { return policy_gradient(policy, table.probs, summary, team_); }

NaturalGradient SoftmaxModel::natural_gradient(Reals gradient, const NaturalGradientOptions& options) const {
    return npgfast::natural_gradient(policy, table.probs, summary, gradient, options, team_);
}

void SoftmaxModel::fisher_product(Reals vector, Estimator estimator, double damping, MutableReals result) const {
    FisherOperator(policy, table.probs, summary, estimator, damping, team_).multiply(vector, result);
}

std::vector<double> SoftmaxModel::fisher_matrix(Estimator estimator) const {
    return FisherOperator(policy, table.probs, summary, estimator, 0.0, team_).dense();
}

double SoftmaxModel::fisher_quadratic(Reals direction, Estimator estimator) const {
    return FisherOperator(policy, table.probs, summary, estimator, 0.0, team_).quadratic(direction);
}

/// One pass: the new tables exist a block at a time.
Move SoftmaxModel::move(MutableReals theta) const {
    const Index n_actions = policy.n_actions;
    const auto visit = [&](Index first, Index last, double* logits, double* totals) {
        const Index size = (last - first) * n_actions;
        std::vector<double> log_probs(static_cast<std::size_t>(size)), probs(log_probs);
        block_table(policy, first, last, logits, log_probs.data(), probs.data());
        for (Index s = first; s < last; ++s) {
            const double *new_log_probs = log_probs.data() + (s - first) * n_actions,
                         *old_log_probs = table.log_probs.data() + s * n_actions;
            if (summary.state_weights[s] > 0.0)
                totals[0] += summary.state_weights[s] *
                             divergence(old_log_probs, table.probs.data() + s * n_actions, new_log_probs,
                                        probs.data() + (s - first) * n_actions, n_actions);
            summary.weighted_advantages.for_each(s, n_actions, [&](Index a, double sum) {
                if (sum != 0.0) totals[1] += sum * ratio_minus_one(new_log_probs[a], old_log_probs[a]);
            });
        }
        totals[2] += all_finite(probs) ? 0.0 : 1.0;
    };
    double totals[3];
    RowSweep(policy.rows(), team_, kSoftmaxWork)(theta, visit, {}, totals);
    return {totals[0], summary.effective_horizon * totals[1], totals[2] == 0.0};
}

std::unique_ptr<Minibatch> SoftmaxModel::minibatch(Reals theta) const {
    return softmax_minibatch(policy, *entries_, theta);
}

Surrogate SoftmaxModel::surrogate(double clip_range) const {
    return npgfast::surrogate(policy, table, *entries_, clip_range, team_);
}

bool SoftmaxModel::gains(double least) const {
    if (summary.advantages.empty() || least <= 0.0) return true;
    const Index n_actions = policy.n_actions;
    for (Index s = 0; s < policy.n_states; ++s) {
        if (!(summary.state_weights[s] > 0.0)) continue;
        double best = -HUGE_VAL, mean = 0.0;
        for (Index pair = s * n_actions; pair < (s + 1) * n_actions; ++pair) {
            if (!policy.mask[pair]) continue;
            best = std::max(best, summary.advantages[pair]);
            mean += table.probs[pair] * summary.advantages[pair];
        }
        if (best - mean >= least) return true;
    }
    return false;
}

}  // namespace npgfast
