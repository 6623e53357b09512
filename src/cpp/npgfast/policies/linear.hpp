#pragma once

#include <vector>

#include "npgfast/base/philox.hpp"
#include "npgfast/policies/features.hpp"

namespace npgfast {

/// A policy on observations whose outputs are linear in features of them, W^T phi(o): the logits of a softmax over
/// `n_actions`, or, with n_actions = 0, the mean of a Gaussian with standard deviations exp(log_std).
///
/// theta = W (m, outputs) row-major, then log_std (action_size,) for a Gaussian. On a batch of rows of features it is a
/// SoftmaxPolicy with shared features, or a GaussianPolicy.
struct LinearPolicy {
    FeatureMap features;
    Normalizer normalizer;
    Index n_actions = 0;
    Index action_size = 1;  ///< numbers in an action
    double log_std_min = 0.0, log_std_max = 0.0;

    bool is_gaussian() const { return n_actions == 0; }
    Index n_outputs() const { return is_gaussian() ? action_size : n_actions; }
    Index n_params() const { return features.n_features * n_outputs() + (is_gaussian() ? action_size : 0); }

    /// phi of n observations (n, D), into (n, m). Cost: that of n evaluations of the map.
    void feature_rows(Reals observations, MutableReals rows, int n_threads) const;
    std::vector<double> feature_rows(Reals observations) const;
};

/// Chooses actions for one observation after another at a fixed theta; holds the scratch that this takes.
/// What it refers to must outlive it.
class Actor {
public:
    Actor(const LinearPolicy& policy, Reals theta);

    /// Draws an action (action_size,) from the policy; returns its log-probability in nats.
    double draw(const double* observation, Stream& random, double* action);

    /// The most probable action, ties to the lowest; the mean of a Gaussian.
    void mode(const double* observation, double* action);

private:
    void evaluate(const double* observation);

    const LinearPolicy& policy_;
    Reals weights_, log_std_;
    std::vector<double> sigma_, normalized_, features_, outputs_;
};

}  // namespace npgfast
