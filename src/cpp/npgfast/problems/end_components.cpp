#include "npgfast/problems/end_components.hpp"

#include <algorithm>

namespace npgfast {

namespace {

/// Strongly connected components over the rows marked `active`, by Tarjan's algorithm with an explicit stack.
std::int32_t strong_components(const TabularMdp& mdp, const std::vector<std::uint8_t>& active,
                               std::vector<std::int32_t>& component) {
    const Index n_states = mdp.n_states, n_actions = mdp.n_actions;
    struct Frame {
        std::int32_t state;
        Index row;
        std::int64_t edge;
    };
    std::vector<std::int32_t> order(static_cast<std::size_t>(n_states), -1), low(order), open;
    std::vector<std::uint8_t> on_stack(static_cast<std::size_t>(n_states), 0);
    std::vector<Frame> frames;
    std::int32_t n_visited = 0, n_components = 0;
    const auto enter = [&](std::int32_t s) {
        order[s] = low[s] = n_visited++;
        open.push_back(s);
        on_stack[s] = 1;
        frames.push_back({s, Index{s} * n_actions, mdp.indptr[Index{s} * n_actions]});
    };
    for (std::int32_t root = 0; root < n_states; ++root) {
        if (order[root] >= 0) continue;
        enter(root);
        while (!frames.empty()) {
            Frame& frame = frames.back();
            const Index end_row = (Index{frame.state} + 1) * n_actions;
            if (frame.row == end_row) {
                const std::int32_t s = frame.state;
                frames.pop_back();
                if (!frames.empty()) low[frames.back().state] = std::min(low[frames.back().state], low[s]);
                if (low[s] != order[s]) continue;
                std::int32_t member;
                do {
                    member = open.back();
                    open.pop_back();
                    on_stack[member] = 0;
                    component[member] = n_components;
                } while (member != s);
                ++n_components;
            } else if (!active[frame.row] || frame.edge == mdp.indptr[frame.row + 1]) {
                ++frame.row;
                if (frame.row < end_row) frame.edge = mdp.indptr[frame.row];
            } else {
                const std::int32_t next = mdp.indices[frame.edge++];
                if (order[next] < 0)
                    enter(next);
                else if (on_stack[next])
                    low[frame.state] = std::min(low[frame.state], order[next]);
            }
        }
    }
    return n_components;
}

}  // namespace

EndComponents end_components(const TabularMdp& mdp, const std::vector<std::uint8_t>& usable) {
    EndComponents result;
    result.component.assign(static_cast<std::size_t>(mdp.n_states), 0);
    result.internal.assign(static_cast<std::size_t>(mdp.n_pairs()), 0);
    for (Index row = 0; row < mdp.n_pairs(); ++row)
        result.internal[row] = usable[row] && mdp.mask[row] && mdp.termination[row] == 0.0 &&
                               mdp.indptr[row] < mdp.indptr[row + 1];
    for (bool changed = true; changed;) {
        result.n_components = strong_components(mdp, result.internal, result.component);
        changed = false;
        for (Index row = 0; row < mdp.n_pairs(); ++row) {
            if (!result.internal[row]) continue;
            const std::int32_t home = result.component[row / mdp.n_actions];
            for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k)
                if (result.component[mdp.indices[k]] != home) {
                    result.internal[row] = 0;
                    changed = true;
                    break;
                }
        }
    }
    return result;
}

}  // namespace npgfast
