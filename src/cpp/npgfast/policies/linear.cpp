#include "npgfast/policies/linear.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/vector.hpp"
#include "npgfast/policies/gaussian.hpp"

namespace npgfast {

void LinearPolicy::feature_rows(Reals observations, MutableReals rows, int n_threads) const {
    constexpr Index kRows = 1024;  // of a task
    const Index size = features.observation_size, n = std::ssize(observations) / size, m = features.n_features;
    const Index n_tasks = (n + kRows - 1) / kRows;
    parallel_for(n_tasks, n_tasks < 4 ? 1 : n_threads, [&](Index task) {
        std::vector<double> normalized(static_cast<std::size_t>(size));
        for (Index i = task * kRows; i < std::min(n, (task + 1) * kRows); ++i) {
            normalizer.apply(observations.data() + i * size, normalized.data(), size);
            features.evaluate(normalized.data(), rows.data() + i * m);
        }
    });
}

std::vector<double> LinearPolicy::feature_rows(Reals observations) const {
    const Index n = std::ssize(observations) / features.observation_size;
    std::vector<double> rows(static_cast<std::size_t>(n * features.n_features));
    feature_rows(observations, rows, 1);
    return rows;
}

Actor::Actor(const LinearPolicy& policy, Reals theta)
    : policy_(policy), weights_(theta),
      log_std_(theta.last(static_cast<std::size_t>(policy.is_gaussian() ? policy.action_size : 0))),
      normalized_(static_cast<std::size_t>(policy.features.observation_size)),
      features_(static_cast<std::size_t>(policy.features.n_features)),
      outputs_(static_cast<std::size_t>(policy.n_outputs())) {
    for (double entry : log_std_) sigma_.push_back(std::exp(entry));
}

void Actor::evaluate(const double* observation) {
    const Index n_outputs = policy_.n_outputs();
    policy_.normalizer.apply(observation, normalized_.data(), policy_.features.observation_size);
    policy_.features.evaluate(normalized_.data(), features_.data());
    std::fill(outputs_.begin(), outputs_.end(), 0.0);
    for (Index j = 0; j < policy_.features.n_features; ++j)
        if (features_[j] != 0.0) axpy(features_[j], weights_.data() + j * n_outputs, outputs_.data(), n_outputs);
}

double Actor::draw(const double* observation, Stream& random, double* action) {
    evaluate(observation);
    if (policy_.is_gaussian()) {
        for (Index k = 0; k < policy_.action_size; ++k) action[k] = outputs_[k] + sigma_[k] * random.normal();
        return gaussian_log_prob(action, outputs_.data(), log_std_);
    }
    const double largest = *std::max_element(outputs_.begin(), outputs_.end());
    double sum = 0.0;
    for (double output : outputs_) sum += std::exp(output - largest);
    double rest = random.uniform() * sum;
    std::size_t chosen = 0;
    for (std::size_t a = 0; a < outputs_.size(); ++a) {
        const double share = std::exp(outputs_[a] - largest);
        if (share > 0.0) chosen = a;  // what rounding leaves beyond the sum goes to the last possible action
        if (rest < share) break;
        rest -= share;
    }
    action[0] = static_cast<double>(chosen);
    return (outputs_[chosen] - largest) - std::log(sum);
}

void Actor::mode(const double* observation, double* action) {
    evaluate(observation);
    if (policy_.is_gaussian())
        std::copy(outputs_.begin(), outputs_.end(), action);
    else
        action[0] = static_cast<double>(std::max_element(outputs_.begin(), outputs_.end()) - outputs_.begin());
}

}  // namespace npgfast
