#pragma once

#include <vector>

#include "npgfast/base/column.hpp"
#include "npgfast/base/parallel.hpp"
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

    /// phi of n observations (n, D), into (n, m). Cost: that of n evaluations of the map, a group at a time; 64 groups
    /// are a task of the team.
    void feature_rows(Reals observations, MutableReals rows, Team& team) const;
};

/// Chooses actions for one group of observations after another at a fixed theta; holds the scratch that this takes.
/// What it refers to must outlive it.
///
/// Up to four outputs of a register of lanes are summed in registers over the features; those of a group stay in the
/// first-level cache. Bound by arithmetic: exponentials and logarithm with few features, multiply-adds with many.
///
/// Observations are (D, kGroup), actions (action_size, kGroup), a discrete one as its number; n lanes are in use.
class Actor {
public:
    Actor(const LinearPolicy& policy, Reals theta);

    /// Random numbers that an action takes: one uniform of a softmax, a normal for each component of a Gaussian.
    Index n_numbers() const { return policy_.is_gaussian() ? policy_.action_size : 1; }
    /// Those of n_steps steps, (n_steps, n_numbers, kGroup).
    void take_numbers(Index n, const GroupStream& random, Index n_steps, double* numbers) const;

    /// Draws actions from the policy by numbers (n_numbers, kGroup). A softmax compares its uniform, times the sum of
    /// the exponentials, with their partial sums; a Gaussian adds its normals. Output, besides actions: log_probs and
    /// sums (kGroup,), of which `complete` makes log-probabilities. Cost per lane: m outputs, A exps.
    void draw(Index n, const double* observations, const double* numbers, double* actions, double* log_probs,
              double* sums);

    /// log_probs (n_steps, kGroup) in nats from what `draw` has left of each step: those of a softmax lack the
    /// logarithm of its sum, which no step waits for. Cost per lane and step: one log.
    void complete(Index n, Index n_steps, const double* sums, double* log_probs) const;

    /// The most probable actions, ties to the lowest; the means of a Gaussian.
    void mode(Index n, const double* observations, double* actions);

private:
    void evaluate(Index n, const double* observations);
    void choose(Index n, const double* uniforms, double* actions, double* log_probs, double* sums);
    void choose_of_two(Index n, const double* uniforms, double* actions, double* log_probs, double* sums);
    void add_normals(Index n, const double* normals, double* actions, double* log_probs);

    const LinearPolicy& policy_;
    Reals weights_, log_std_;
    std::vector<double> sigma_, precision_;
    Column<double> normalized_, features_, outputs_, shares_;
};

/// Actions (n, action_size) drawn for n observations (n, D), and their log-probabilities (n,): row e from the stream of
/// (seed; iteration, e, steps[e], step).
void act(const LinearPolicy& policy, Reals theta, Reals observations, std::uint64_t seed, std::uint32_t iteration,
         std::span<const std::uint32_t> steps, MutableReals actions, MutableReals log_probs);

/// The most probable actions (n, action_size) for n observations (n, D).
void act_by_mode(const LinearPolicy& policy, Reals theta, Reals observations, MutableReals actions);

}  // namespace npgfast
