#include "npgfast/exact/quotient.hpp"

#include <algorithm>

namespace npgfast {

Quotient make_quotient(const TabularMdp& mdp, const EndComponents& components) {
    Quotient quotient{mdp, components.component, {}, {}, components.n_components};
    const auto n_nodes = static_cast<std::size_t>(quotient.n_nodes);
    quotient.is_identity = true;
    for (Index s = 0; s < mdp.n_states; ++s) quotient.is_identity &= quotient.node_of[s] == s;
    std::vector<std::uint8_t> can_stay(n_nodes, 0);
    quotient.begin.assign(n_nodes + 1, 0);
    for (Index row = 0; row < mdp.n_pairs(); ++row) {
        if (!mdp.mask[row]) continue;
        const std::int32_t node = quotient.node_of[row / mdp.n_actions];
        if (components.internal[row])
            can_stay[node] = 1;
        else
            ++quotient.begin[node + 1];
    }
    for (std::size_t node = 0; node < n_nodes; ++node)
        quotient.begin[node + 1] += quotient.begin[node] + can_stay[node];
    quotient.rows.assign(static_cast<std::size_t>(quotient.begin.back()), kStay);
    std::vector<Index> cursor(quotient.begin.begin(), quotient.begin.end() - 1);
    for (Index row = 0; row < mdp.n_pairs(); ++row)
        if (mdp.mask[row] && !components.internal[row])
            quotient.rows[cursor[quotient.node_of[row / mdp.n_actions]]++] = row;
    return quotient;
}

SparseMatrix choice_kernel(const Quotient& quotient, const std::vector<double>& row_probs, Team& team) {
    const Integers column_of = quotient.is_identity ? Integers() : Integers(quotient.node_of);
    return mix_rows(quotient.mdp, quotient.n_nodes, column_of, team, [&](Index node, const auto& take) {
        for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j)
            if (quotient.rows[j] != kStay && row_probs[j] != 0.0) take(quotient.rows[j], row_probs[j]);
    });
}

SparseMatrix choice_kernel(const Quotient& quotient, const std::vector<Index>& choice, Team& team) {
    const Integers column_of = quotient.is_identity ? Integers() : Integers(quotient.node_of);
    return mix_rows(quotient.mdp, quotient.n_nodes, column_of, team, [&](Index node, const auto& take) {
        const Index row = quotient.rows[choice[node]];
        if (row != kStay) take(row, 1.0);
    });
}

std::vector<Index> proper_choice(const Quotient& quotient) {
    const TabularMdp& mdp = quotient.mdp;
    const auto n_nodes = static_cast<std::size_t>(quotient.n_nodes);
    std::vector<Index> choice(n_nodes, -1), frontier, begin(n_nodes + 1, 0);
    const auto each_entry = [&](const auto& visit) {  // visit(node, j, successor) in a fixed order
        for (Index node = 0; node < quotient.n_nodes; ++node)
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                const Index row = quotient.rows[j];
                if (row == kStay) continue;
                for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k)
                    visit(node, j, quotient.node_of[mdp.indices[k]]);
            }
    };
    each_entry([&](Index, Index, std::int32_t successor) { ++begin[successor + 1]; });
    for (std::size_t node = 0; node < n_nodes; ++node) begin[node + 1] += begin[node];
    std::vector<Index> cursor(begin.begin(), begin.end() - 1), rows(static_cast<std::size_t>(begin.back()));
    std::vector<std::int32_t> sources(rows.size());
    each_entry([&](Index node, Index j, std::int32_t successor) {
        const Index place = cursor[successor]++;
        sources[place] = static_cast<std::int32_t>(node);
        rows[place] = j;
    });
    for (Index node = 0; node < quotient.n_nodes; ++node)
        for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j)
            if (choice[node] < 0 && (quotient.rows[j] == kStay || mdp.termination[quotient.rows[j]] > 0.0)) {
                choice[node] = j;
                frontier.push_back(node);
            }
    while (!frontier.empty()) {
        const Index node = frontier.back();
        frontier.pop_back();
        for (Index place = begin[node]; place < begin[node + 1]; ++place)
            if (choice[sources[place]] < 0) {
                choice[sources[place]] = rows[place];
                frontier.push_back(sources[place]);
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
