#include "npgfast/policies/softmax.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<double>::lowest();

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> row_major(Reals values, Index rows, Index columns) {
    return {values.data(), rows, columns};
}

}  // namespace

void SoftmaxPolicy::lift_state(Reals vector, Index state, double* row) const {
    const Index first = state * n_actions;
    if (is_tabular()) {
        std::copy_n(vector.data() + first, n_actions, row);
    } else if (n_shared_features > 0) {
        const double* phi = features.data() + state * n_shared_features;
        std::fill_n(row, n_actions, 0.0);
        for (Index j = 0; j < n_shared_features; ++j) axpy(phi[j], vector.data() + j * n_actions, row, n_actions);
        return;
    } else {
        for (Index a = 0; a < n_actions; ++a)
            row[a] = dot(features.data() + (first + a) * n_params, vector.data(), n_params);
    }
    for (Index a = 0; a < n_actions; ++a)
        if (!mask[first + a]) row[a] = 0.0;
}

void SoftmaxPolicy::add_projected(Index state, const double* row, double* vector) const {
    const Index first = state * n_actions;
    if (n_shared_features > 0) {
        const double* phi = features.data() + state * n_shared_features;
        for (Index j = 0; j < n_shared_features; ++j) axpy(phi[j], row, vector + j * n_actions, n_actions);
        return;
    }
    for (Index a = 0; a < n_actions; ++a) {
        if (!mask[first + a] || row[a] == 0.0) continue;
        if (is_tabular())
            vector[first + a] += row[a];
        else
            axpy(row[a], features.data() + (first + a) * n_params, vector, n_params);
    }
}

void SoftmaxPolicy::lift(Reals vector, MutableReals table) const {
    if (n_shared_features > 0) {
        Eigen::Map<RowMajor>(table.data(), n_states, n_actions).noalias() =
            row_major(features, n_states, n_shared_features) * row_major(vector, n_shared_features, n_actions);
        return;
    }
    for (Index s = 0; s < n_states; ++s) lift_state(vector, s, table.data() + s * n_actions);
}

void SoftmaxPolicy::project(Reals table, MutableReals vector) const {
    if (n_shared_features > 0) {
        Eigen::Map<RowMajor>(vector.data(), n_shared_features, n_actions).noalias() =
            row_major(features, n_states, n_shared_features).transpose() * row_major(table, n_states, n_actions);
        return;
    }
    std::fill(vector.begin(), vector.end(), 0.0);
    for (Index s = 0; s < n_states; ++s) add_projected(s, table.data() + s * n_actions, vector.data());
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
    const Index n_actions = policy.n_actions;
    std::vector<double> row(static_cast<std::size_t>(n_actions));
    for (Index i = 0; i < std::ssize(states); ++i) {
        for (Index a = 0; a < n_actions; ++a)
            row[a] = (a == actions[i] ? 1.0 : 0.0) - probs[Index{states[i]} * n_actions + a];
        policy.add_projected(states[i], row.data(), result.data() + i * policy.n_params);
    }
}

}  // namespace npgfast
