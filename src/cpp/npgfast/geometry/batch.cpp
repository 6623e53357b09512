#include "npgfast/geometry/batch.hpp"

#include <algorithm>

namespace npgfast {

namespace {

/// The factor by which the weights of a state are multiplied before they meet an advantage, so that the mean of a state
/// whose occupancy is near the smallest double keeps its digits.
double lift(double state_weight) { return state_weight < 1e-200 ? 0x1.0p+500 : 1.0; }

/// Means over the rows of an exhaustive batch: sum_row d(row) A(row, a) / sum_row d(row), for each state.
void add_row(BatchSummary& summary, Index state, Index n_actions, double row_weight, const double* advantages) {
    for (Index a = 0; a < n_actions; ++a) summary.advantages[state * n_actions + a] += row_weight * advantages[a];
}

void divide_by_state_weights(BatchSummary& summary, Index n_actions) {
    for (Index i = 0; i < std::ssize(summary.advantages); ++i) {
        const double weight = summary.state_weights[i / n_actions];
        summary.advantages[i] = weight > 0.0 ? summary.advantages[i] / (lift(weight) * weight) : 0.0;
    }
}

}  // namespace

void BatchSummary::allocate(Index n_states, Index n_actions) {
    const auto n_pairs = static_cast<std::size_t>(n_states * n_actions);
    state_sums.assign(static_cast<std::size_t>(n_states), 0.0);
    pair_sums.assign(n_pairs, 0.0);
    advantage_sums.assign(n_pairs, 0.0);
    state_weights = state_sums;
    pair_weights = {pair_sums, {}, {}, {}};
    weighted_advantages = {advantage_sums, {}, {}, {}};
}

BatchSummary summarize(const Batch& batch, Index n_states, Index n_actions) {
    BatchSummary summary;
    summary.effective_horizon = batch.effective_horizon;
    if (batch.states.empty()) {
        summary.state_weights = batch.weights;
        summary.pair_weights = {{}, batch.actions, batch.weights, {}};
        summary.weighted_advantages = {{}, batch.actions, batch.weights, batch.advantages};
        return summary;
    }
    summary.allocate(n_states, n_actions);
    for (Index i = 0; i < batch.size(); ++i) {
        const Index pair = Index{batch.states[i]} * n_actions + batch.actions[i];
        summary.state_sums[batch.states[i]] += batch.weights[i];
        summary.pair_sums[pair] += batch.weights[i];
        summary.advantage_sums[pair] += batch.weights[i] * batch.advantages[i];
    }
    if (!batch.exhaustive) return summary;
    summary.advantages.assign(summary.pair_sums.size(), 0.0);
    for (Index first = 0; first < batch.size(); first += n_actions) {
        const Index s = batch.states[first];
        double row_weight = 0.0;
        for (Index i = first; i < first + n_actions; ++i) row_weight += batch.weights[i];
        add_row(summary, s, n_actions, lift(summary.state_weights[s]) * row_weight, batch.advantages.data() + first);
    }
    divide_by_state_weights(summary, n_actions);
    return summary;
}

BatchSummary summarize(const Evaluation& evaluation, Reals probs, Flags reachable, Index n_actions, Team& team) {
    const Index n_states = std::ssize(reachable);
    BatchSummary summary;
    summary.allocate(n_states, n_actions);
    summary.advantages.assign(probs.size(), 0.0);
    summary.effective_horizon = evaluation.effective_horizon;
    if (std::ssize(evaluation.occupancy) == n_states) {
        team.split(n_states, [&](Index first, Index last) {
            for (Index s = first; s < last; ++s) {
                if (!reachable[s]) continue;
                const double weight = std::max(evaluation.occupancy[s], kSmallestWeight);
                summary.state_sums[s] = weight;
                for (Index pair = s * n_actions; pair < (s + 1) * n_actions; ++pair) {
                    const double advantage = evaluation.advantages[pair];
                    summary.advantages[pair] = advantage;
                    summary.pair_sums[pair] = probs[pair] * weight;
                    summary.advantage_sums[pair] = summary.pair_sums[pair] * advantage;
                }
            }
        });
        return summary;
    }
    for (Index row = 0; row < std::ssize(evaluation.occupancy); ++row) {
        const Index s = row % n_states;
        if (reachable[s]) summary.state_sums[s] += std::max(evaluation.occupancy[row], kSmallestWeight);
    }
    for (Index row = 0; row < std::ssize(evaluation.occupancy); ++row) {
        const Index s = row % n_states;
        if (reachable[s])
            add_row(summary, s, n_actions,
                    lift(summary.state_weights[s]) * std::max(evaluation.occupancy[row], kSmallestWeight),
                    evaluation.advantages.data() + row * n_actions);
    }
    divide_by_state_weights(summary, n_actions);
    for (Index pair = 0; pair < std::ssize(probs); ++pair) {
        summary.pair_sums[pair] = probs[pair] * summary.state_weights[pair / n_actions];
        summary.advantage_sums[pair] = summary.pair_sums[pair] * summary.advantages[pair];
    }
    return summary;
}

}  // namespace npgfast
