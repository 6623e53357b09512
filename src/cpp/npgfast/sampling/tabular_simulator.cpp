#include "npgfast/sampling/tabular_simulator.hpp"

#include <algorithm>

#include "npgfast/base/philox.hpp"

namespace npgfast {

namespace {

constexpr Index kLargestFusedTable = Index{1} << 19;  // columns of 16 bytes

/// Outcomes of a pair; one that leads nowhere, which only a forbidden action does, terminates.
Index count_outcomes(const TabularMdp& mdp, Index pair) {
    const Index n_successors = mdp.indptr[pair + 1] - mdp.indptr[pair];
    return n_successors + (mdp.termination[pair] > 0.0 || n_successors == 0 ? 1 : 0);
}

}  // namespace

TabularSimulator::TabularSimulator(const TabularMdp& mdp, double restart_probability)
    : mdp_(mdp), format_(RecordFormat::of(mdp.n_states, mdp.n_actions)), restart_probability_(restart_probability) {
    Index widest = 1;
    for (Index s = 0; s < mdp.n_states; ++s) {
        Index width = 0;
        for (Index a = 0; a < mdp.n_actions; ++a)
            width += count_outcomes(mdp, s * mdp.n_actions + a) + (restart_probability_ > 0.0 ? 1 : 0);
        widest = std::max(widest, width);
    }
    fused_bits_ = alias_bits(widest);
    is_fused_ = mdp.n_states <= (kLargestFusedTable >> std::min(fused_bits_, 31));
    build_starts();
    if (!is_fused_) build_outcomes();
}

void TabularSimulator::build_starts() {
    Index n_possible = 0;
    std::int32_t start = 0;
    for (Index s = 0; s < mdp_.n_states; ++s) {
        if (!(mdp_.initial[s] > 0.0)) continue;
        ++n_possible;
        start = static_cast<std::int32_t>(s);
    }
    if (n_possible <= 1) {
        only_start_ = start;
        return;
    }
    std::vector<double> weights;
    std::vector<std::uint32_t> records;
    for (Index s = 0; s < mdp_.n_states; ++s) {
        if (!(mdp_.initial[s] > 0.0)) continue;
        weights.push_back(mdp_.initial[s]);
        records.push_back(format_.pack(s, 0, 0));
    }
    AliasScratch scratch;
    starts_.resize(1, alias_bits(n_possible));
    build_alias_row(weights, records, starts_.bits, starts_.row(0), scratch);
}

void TabularSimulator::build_outcomes() {
    AliasScratch scratch;
    std::vector<double> weights;
    std::vector<std::uint32_t> states;
    for (Index pair = 0; pair < mdp_.n_pairs(); ++pair) {
        const auto first = static_cast<std::ptrdiff_t>(mdp_.indptr[pair]);
        const auto end = static_cast<std::ptrdiff_t>(mdp_.indptr[pair + 1]);
        weights.assign(mdp_.probabilities.begin() + first, mdp_.probabilities.begin() + end);
        states.assign(mdp_.indices.begin() + first, mdp_.indices.begin() + end);
        if (mdp_.termination[pair] > 0.0 || weights.empty()) {
            weights.push_back(weights.empty() ? 1.0 : mdp_.termination[pair]);
            states.push_back(kTermination);
        }
        const int bits = alias_bits(std::ssize(weights));
        const std::size_t column = outcomes_.columns.size();
        outcomes_.rows.push_back((static_cast<std::uint64_t>(column) << 5) | static_cast<std::uint64_t>(bits));
        outcomes_.columns.resize(column + (std::size_t{1} << bits));
        build_alias_row(weights, states, bits, outcomes_.columns.data() + column, scratch);
    }
}

void TabularSimulator::prepare(Reals probs, AliasTable& table, AliasScratch& scratch) const {
    if (is_fused_)
        prepare_fused(probs, table, scratch);
    else
        build_policy_table(probs, mdp_.n_actions, table, scratch);
}

void TabularSimulator::prepare_fused(Reals probs, AliasTable& table, AliasScratch& scratch) const {
    const Index n_actions = mdp_.n_actions;
    table.resize(mdp_.n_states, fused_bits_);
    std::vector<double> weights;
    std::vector<std::uint32_t> records;
    const Index restart = only_start_.value_or(0);
    const double goes_on = 1.0 - restart_probability_;
    for (Index s = 0; s < mdp_.n_states; ++s) {
        weights.clear();
        records.clear();
        const auto add = [&](double weight, std::uint32_t record) {
            weights.push_back(weight);
            records.push_back(record);
        };
        for (Index a = 0; a < n_actions; ++a) {
            const Index pair = s * n_actions + a;
            const double prob = probs[static_cast<std::size_t>(pair)];
            if (!(prob > 0.0)) continue;
            double terminates = mdp_.termination[pair];
            if (mdp_.indptr[pair] == mdp_.indptr[pair + 1]) terminates = 1.0;
            for (auto k = mdp_.indptr[pair]; k < mdp_.indptr[pair + 1]; ++k)
                add(prob * mdp_.probabilities[k] * goes_on, format_.pack(mdp_.indices[k], a, 0));
            if (terminates > 0.0) add(prob * terminates, format_.pack(restart, a, kTerminated));
            if (restart_probability_ > 0.0 && terminates < 1.0)
                add(prob * (1.0 - terminates) * restart_probability_, format_.pack(restart, a, kRestarted));
        }
        if (weights.empty()) add(1.0, format_.pack(restart, 0, kTerminated));
        build_alias_row(weights, records, fused_bits_, table.row(s), scratch);
    }
}

void build_policy_table(Reals probs, Index n_actions, AliasTable& table, AliasScratch& scratch) {
    const auto width = static_cast<std::size_t>(n_actions), n_states = probs.size() / std::max<std::size_t>(width, 1);
    std::vector<std::uint32_t> actions(width);
    for (std::size_t a = 0; a < width; ++a) actions[a] = static_cast<std::uint32_t>(a);
    table.resize(static_cast<Index>(n_states), alias_bits(n_actions));
    for (std::size_t s = 0; s < n_states; ++s)
        build_alias_row(probs.subspan(s * width, width), actions, table.bits, table.row(static_cast<Index>(s)),
                        scratch);
}

std::vector<std::int32_t> sample_actions(const AliasTable& policy, Integers states, std::uint64_t seed) {
    std::vector<std::int32_t> actions(states.size());
    for (std::size_t i = 0; i < states.size(); ++i)
        actions[i] = static_cast<std::int32_t>(
            policy.draw(states[i], static_cast<std::uint32_t>(draw(seed, 0, i, 0, Purpose::action).first)));
    return actions;
}

}  // namespace npgfast
