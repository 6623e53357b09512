#include "npgfast/policies/softmax.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "npgfast/base/lane_math.hpp"
#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<double>::lowest();

constexpr Index kRowsTogether = 32;  // whole registers, whose latencies overlap, and few enough to stay in the cache

/// Replaces x by f(x), a register at a time; a result does not depend on its place.
template <class Function>
void replace_all(double* x, Index n, const Function& f) {
    Index i = 0;
    for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
        const Lanes y = f(load(x + i)), z = f(load(x + i + kWidth));
        store(x + i, y);
        store(x + i + kWidth, z);
    }
    for (; i + kWidth <= n; i += kWidth) store(x + i, f(load(x + i)));
    if (i == n) return;
    double rest[kWidth] = {};
    std::copy(x + i, x + n, rest);
    store(rest, f(load(rest)));
    std::copy_n(rest, n - i, x + i);
}

/// log_softmax of up to kRowsTogether rows; `mask` null where every action is allowed.
template <class Size>
void log_softmax_rows(const double* logits, const std::uint8_t* mask, Index n_rows, Size n_actions, double* log_probs,
                      double* probs) {
    const Index size = n_rows * n_actions;
    const auto shift = [&](const auto& is_allowed) {
        for (Index row = 0; row < size; row += n_actions) {
            double largest = -kInfinity;
            for (Index i = row; i < row + n_actions; ++i)
                if (is_allowed(i)) largest = std::max(largest, logits[i]);
            for (Index i = row; i < row + n_actions; ++i)
                log_probs[i] = probs[i] = is_allowed(i) ? logits[i] - largest : -kInfinity;
        }
    };
    if (mask)
        shift([&](Index i) { return mask[i] != 0; });
    else
        shift([](Index) { return true; });
    replace_all(probs, size, [](Lanes x) { return exp_lanes(x); });
    double sums[kRowsTogether], log_sums[kRowsTogether];
    std::fill_n(sums, kRowsTogether, 1.0);
    for (Index row = 0; row < n_rows; ++row) {
        double sum = 0.0;
        for (Index i = row * n_actions; i < (row + 1) * n_actions; ++i) sum += probs[i];
        sums[row] = sum;
    }
    std::copy_n(sums, kRowsTogether, log_sums);
    replace_all(log_sums, kRowsTogether, [](Lanes x) { return log_lanes(x); });
    for (Index row = 0; row < n_rows; ++row) {
        const double sum = sums[row], log_sum = log_sums[row];
        for (Index i = row * n_actions; i < (row + 1) * n_actions; ++i) probs[i] /= sum;
        for (Index i = row * n_actions; i < (row + 1) * n_actions; ++i)
            log_probs[i] = std::max(log_probs[i] - log_sum, kLowest);
    }
    for (Index i = 0; mask && i < size; ++i)
        if (!mask[i]) log_probs[i] = -kInfinity;
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
    const Index n_rows = ssize(logits) / n_actions;
    with_constant(n_actions, [&](auto count) {
        for (Index start = 0; start < n_rows; start += kRowsTogether) {
            const Index n = std::min(kRowsTogether, n_rows - start), first = start * count;
            const std::uint8_t* allowed = mask.empty() ? nullptr : mask.data() + first;
            if (allowed && !std::memchr(allowed, 0, static_cast<std::size_t>(n * count))) allowed = nullptr;
            log_softmax_rows(logits.data() + first, allowed, n, count, log_probs.data() + first, probs.data() + first);
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
    RowSweep(policy.rows(), team, kSoftmaxWork)(theta, visit, {});
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
