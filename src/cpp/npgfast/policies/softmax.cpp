#include "npgfast/policies/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<double>::lowest();
}  // namespace

void SoftmaxPolicy::lift(Reals vector, MutableReals table) const {
    if (is_tabular()) {
        for (Index i = 0; i < n_pairs(); ++i) table[i] = mask[i] ? vector[i] : 0.0;
        return;
    }
    for (Index i = 0; i < n_pairs(); ++i)
        table[i] = mask[i] ? dot(features.data() + i * n_params, vector.data(), n_params) : 0.0;
}

void SoftmaxPolicy::project(Reals table, MutableReals vector) const {
    if (is_tabular()) {
        for (Index i = 0; i < n_pairs(); ++i) vector[i] = mask[i] ? table[i] : 0.0;
        return;
    }
    std::fill(vector.begin(), vector.end(), 0.0);
    for (Index i = 0; i < n_pairs(); ++i)
        if (mask[i] && table[i] != 0.0) axpy(table[i], features.data() + i * n_params, vector.data(), n_params);
}

void log_softmax(Reals logits, Flags mask, Index n_actions, MutableReals log_probs, MutableReals probs) {
    for (Index row = 0; row < ssize(logits); row += n_actions) {
        double largest = -kInfinity;
        for (Index i = row; i < row + n_actions; ++i)
            if (mask[i]) largest = std::max(largest, logits[i]);
        double sum = 0.0;
        for (Index i = row; i < row + n_actions; ++i) {
            probs[i] = mask[i] ? std::exp(logits[i] - largest) : 0.0;
            sum += probs[i];
        }
        const double log_sum = std::log(sum);
        for (Index i = row; i < row + n_actions; ++i) {
            log_probs[i] = mask[i] ? std::max((logits[i] - largest) - log_sum, kLowest) : -kInfinity;
            probs[i] /= sum;
        }
    }
}

PolicyTable policy_table(const SoftmaxPolicy& policy, Reals theta) {
    const auto size = static_cast<std::size_t>(policy.n_pairs());
    std::vector<double> logits(size);
    policy.lift(theta, logits);
    if (!policy.offset.empty())
        for (std::size_t i = 0; i < size; ++i) logits[i] += policy.offset[i];
    PolicyTable table{std::vector<double>(size), std::vector<double>(size)};
    log_softmax(logits, policy.mask, policy.n_actions, table.log_probs, table.probs);
    return table;
}

void center_by_policy(Reals probs, Index n_actions, MutableReals coefficients) {
    for (Index row = 0; row < ssize(probs); row += n_actions) {
        double sum = 0.0;
        for (Index i = row; i < row + n_actions; ++i) sum += coefficients[i];
        for (Index i = row; i < row + n_actions; ++i) coefficients[i] -= probs[i] * sum;
    }
}

std::vector<double> state_entropies(const PolicyTable& table, Index n_actions) {
    std::vector<double> entropies(table.probs.size() / static_cast<std::size_t>(n_actions), 0.0);
    for (Index i = 0; i < ssize(table.probs); ++i)
        if (table.probs[i] > 0.0) entropies[i / n_actions] -= table.probs[i] * table.log_probs[i];
    return entropies;
}

void scores(const SoftmaxPolicy& policy, Reals probs, Integers states, Integers actions, MutableReals result) {
    std::fill(result.begin(), result.end(), 0.0);
    const Index n_actions = policy.n_actions, d = policy.n_params;
    for (Index i = 0; i < std::ssize(states); ++i) {
        const Index first = Index{states[i]} * n_actions;
        double* row = result.data() + i * d;
        for (Index a = 0; a < n_actions; ++a) {
            const double coefficient = (a == actions[i] ? 1.0 : 0.0) - probs[first + a];
            if (!policy.mask[first + a] || coefficient == 0.0) continue;
            if (policy.is_tabular())
                row[first + a] = coefficient;
            else
                axpy(coefficient, policy.features.data() + (first + a) * d, row, d);
        }
    }
}

}  // namespace npgfast
