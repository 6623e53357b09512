#include "npgfast/exact/quotient.hpp"

#include <algorithm>

namespace npgfast {

Quotient make_quotient(const TabularMdp& mdp, const EndComponents& components) {
    Quotient quotient{mdp, components.component, {}, {}, components.n_components};
    const auto n_nodes = static_cast<std::size_t>(quotient.n_nodes);
    std::vector<std::vector<Index>> rows(n_nodes);
    std::vector<std::uint8_t> can_stay(n_nodes, 0);
    for (Index row = 0; row < mdp.n_pairs(); ++row) {
        if (!mdp.mask[row]) continue;
        const std::int32_t node = quotient.node_of[row / mdp.n_actions];
        if (components.internal[row])
            can_stay[node] = 1;
        else
            rows[node].push_back(row);
    }
    quotient.begin.push_back(0);
    for (std::size_t node = 0; node < n_nodes; ++node) {
        quotient.rows.insert(quotient.rows.end(), rows[node].begin(), rows[node].end());
        if (can_stay[node]) quotient.rows.push_back(kStay);
        quotient.begin.push_back(std::ssize(quotient.rows));
    }
    return quotient;
}

SparseMatrix choice_kernel(const Quotient& quotient, const std::vector<double>& row_probs) {
    SparseMatrix kernel;
    kernel.n = quotient.n_nodes;
    for (Index node = 0; node < kernel.n; ++node) {
        for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
            const Index row = quotient.rows[j];
            if (row == kStay || row_probs[j] == 0.0) continue;
            for (auto k = quotient.mdp.indptr[row]; k < quotient.mdp.indptr[row + 1]; ++k) {
                kernel.indices.push_back(quotient.node_of[quotient.mdp.indices[k]]);
                kernel.values.push_back(quotient.mdp.gamma * (row_probs[j] * quotient.mdp.probabilities[k]));
            }
        }
        kernel.indptr.push_back(std::ssize(kernel.indices));
    }
    return kernel;
}

std::vector<Index> proper_choice(const Quotient& quotient) {
    const TabularMdp& mdp = quotient.mdp;
    std::vector<Index> choice(static_cast<std::size_t>(quotient.n_nodes), -1), frontier;
    std::vector<std::vector<std::pair<std::int32_t, Index>>> sources(choice.size());
    for (Index node = 0; node < quotient.n_nodes; ++node)
        for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
            const Index row = quotient.rows[j];
            if (choice[node] < 0 && (row == kStay || mdp.termination[row] > 0.0)) {
                choice[node] = j;
                frontier.push_back(node);
            }
            if (row == kStay) continue;
            for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k)
                sources[quotient.node_of[mdp.indices[k]]].emplace_back(static_cast<std::int32_t>(node), j);
        }
    while (!frontier.empty()) {
        const Index node = frontier.back();
        frontier.pop_back();
        for (const auto& [source, j] : sources[node])
            if (choice[source] < 0) {
                choice[source] = j;
                frontier.push_back(source);
            }
    }
    for (Index node = 0; node < quotient.n_nodes; ++node)
        if (choice[node] < 0) choice[node] = quotient.begin[node];
    return choice;
}

std::vector<std::int32_t> state_actions(const Quotient& quotient, const EndComponents& components,
                                        const std::vector<double>& row_probs) {
    const TabularMdp& mdp = quotient.mdp;
    std::vector<std::int32_t> actions(static_cast<std::size_t>(mdp.n_states), -1);
    std::vector<std::uint8_t> stays(static_cast<std::size_t>(quotient.n_nodes), 0);
    for (Index node = 0; node < quotient.n_nodes; ++node) {
        const Index chosen = std::max_element(row_probs.begin() + quotient.begin[node],
                                              row_probs.begin() + quotient.begin[node + 1]) -
                             row_probs.begin();
        const Index row = quotient.rows[chosen];
        if (row == kStay)
            stays[node] = 1;
        else
            actions[row / mdp.n_actions] = static_cast<std::int32_t>(row % mdp.n_actions);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (Index row = 0; row < mdp.n_pairs(); ++row) {
            const Index s = row / mdp.n_actions;
            if (actions[s] >= 0 || !components.internal[row]) continue;
            bool heads_there = stays[quotient.node_of[s]];
            for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k) heads_there |= actions[mdp.indices[k]] >= 0;
            if (!heads_there) continue;
            actions[s] = static_cast<std::int32_t>(row % mdp.n_actions);
            changed = true;
        }
    }
    return actions;
}

}  // namespace npgfast
