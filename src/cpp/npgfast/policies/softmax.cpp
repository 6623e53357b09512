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

using Eight = Eigen::Array<double, 8, 1>;

/// Replaces x by f(x), eight at a time, so that a result does not depend on its place.
template <class Function>
void replace_all(double* x, Index n, const Function& f) {
    Index i = 0;
    for (; i + 8 <= n; i += 8) Eigen::Map<Eight>(x + i) = f(Eight(Eigen::Map<Eight>(x + i)));
    if (i == n) return;
    Eight rest = Eight::Zero();
    std::copy(x + i, x + n, rest.data());
    rest = f(rest);
    std::copy_n(rest.data(), n - i, x + i);
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

RowFeatures SoftmaxPolicy::rows() const {
    if (is_tabular()) return {nullptr, n_states, 0, n_actions, 1};
    if (n_shared_features > 0) return {features.data(), n_states, n_shared_features, n_actions, 1};
    return {features.data(), n_pairs(), n_params, 1, n_actions};
}

void log_softmax(Reals logits, Flags mask, Index n_actions, MutableReals log_probs, MutableReals probs) {
    const auto is_allowed = [&](Index i) { return mask.empty() || mask[i]; };
    const Index n_rows = ssize(logits) / n_actions;
    with_constant(n_actions, [&](auto count) {
        for (Index start = 0; start < n_rows; start += 8) {
            const Index end = std::min(start + 8, n_rows);
            for (Index row = start * count; row < end * count; row += count) {
                double largest = -kInfinity;
                for (Index i = row; i < row + count; ++i)
                    if (is_allowed(i)) largest = std::max(largest, logits[i]);
                for (Index i = row; i < row + count; ++i)
                    log_probs[i] = probs[i] = is_allowed(i) ? logits[i] - largest : -kInfinity;
            }
            replace_all(probs.data() + start * count, (end - start) * count, [](const Eight& x) { return x.exp(); });
            Eight sums = Eight::Ones();
            for (Index row = start; row < end; ++row) {
                double sum = 0.0;
                for (Index i = row * count; i < (row + 1) * count; ++i) sum += probs[i];
                sums[row - start] = sum;
            }
            const Eight log_sums = sums.log();
            for (Index row = start; row < end; ++row) {
                for (Index i = row * count; i < (row + 1) * count; ++i) {
                    log_probs[i] = is_allowed(i) ? std::max(log_probs[i] - log_sums[row - start], kLowest) : -kInfinity;
                    probs[i] /= sums[row - start];
                }
            }
        }
    });
}

void block_table(const SoftmaxPolicy& policy, Index first, Index last, double* logits, double* log_probs,
                 double* probs) {
    const Index n_actions = policy.n_actions;
    const auto start = static_cast<std::size_t>(first * n_actions);
    const auto size = static_cast<std::size_t>((last - first) * n_actions);
    if (!policy.offset.empty())
        for (std::size_t i = 0; i < size; ++i) logits[i] += policy.offset[start + i];
    const Flags mask = policy.mask.empty() ? policy.mask : policy.mask.subspan(start, size);
    log_softmax({logits, size}, mask, n_actions, {log_probs, size}, {probs, size});
}

void policy_table(const SoftmaxPolicy& policy, Reals theta, MutableReals log_probs, MutableReals probs, Team& team) {
    const auto visit = [&](Index first, Index last, double* logits, double*) {
        const Index start = first * policy.n_actions;
        block_table(policy, first, last, logits, log_probs.data() + start, probs.data() + start);
    };
    RowSweep(policy.rows(), team)(theta, visit, {});
}

PolicyTable policy_table(const SoftmaxPolicy& policy, Reals theta, Team& team) {
    const auto size = static_cast<std::size_t>(policy.n_pairs());
    PolicyTable table{std::vector<double>(size), std::vector<double>(size)};
    policy_table(policy, theta, table.log_probs, table.probs, team);
    return table;
}

void center_by_policy(Reals probs, Index n_actions, MutableReals coefficients) {
    for (Index row = 0; row < ssize(probs); row += n_actions) {
        double sum = 0.0;
        for (Index i = row; i < row + n_actions; ++i) sum += coefficients[i];
        for (Index i = row; i < row + n_actions; ++i) coefficients[i] -= probs[i] * sum;
    }
}

std::vector<double> state_entropies(const PolicyView& table, Index n_actions) {
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
