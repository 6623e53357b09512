#pragma once

#include "npgfast/geometry/local_model.hpp"

namespace npgfast {

/// A softmax policy on a summarised batch. What it refers to must outlive it; `entries` is for minibatches and
/// surrogates only. Its passes over the features share the caller's team, so that a solve starts its threads once.
class SoftmaxModel final : public LocalModel {
public:
    SoftmaxModel(const SoftmaxPolicy& policy, const PolicyView& table, const BatchSummary& summary,
                 const Batch* entries, Team& team)
        : policy(policy), table(table), summary(summary), entries_(entries), team_(team) {}

    std::vector<double> gradient() const override;
    NaturalGradient natural_gradient(Reals gradient, const NaturalGradientOptions& options) const override;
    void fisher_product(Reals vector, Estimator estimator, double damping, MutableReals result) const override;
    std::vector<double> fisher_matrix(Estimator estimator) const override;
    double fisher_quadratic(Reals direction, Estimator estimator) const override;
    Move move(MutableReals theta) const override;
    std::unique_ptr<Minibatch> minibatch(Reals theta) const override;
    Surrogate surrogate(double clip_range) const override;
    double effective_horizon() const override { return summary.effective_horizon; }
    bool knows_all_advantages() const override { return policy.is_tabular() && !summary.advantages.empty(); }
    bool gains(double least) const override;

    const SoftmaxPolicy& policy;
    const PolicyView table;
    const BatchSummary& summary;

private:
    const Batch* entries_;
    Team& team_;
};

}  // namespace npgfast
