#include "npgfast/sampling/rollout.hpp"

#include <algorithm>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/philox.hpp"

namespace npgfast {

namespace {

constexpr Index kLongestEpisode = Index{1} << 26;

/// Writes the steps of one environment into a growing record or a slice of known length.
struct StepRecord {
    std::int32_t state, action, next_state, time;
    std::uint8_t flags;
};

template <class Emit>
void play(const TabularSimulator& simulator, std::span<const AliasColumn> policy, const RolloutOptions& options,
          std::uint64_t environment, EnvironmentState& standing, const Interrupt& interrupt, Emit&& emit) {
    const TabularMdp& mdp = simulator.mdp();
    const Index n_actions = mdp.n_actions;
    const Index step_limit = options.n_steps > 0 ? options.n_steps : kLongestEpisode;
    const double restart_probability = options.restart_probability;
    std::int32_t state = standing.state, time = standing.time;
    for (Index t = 0; t < step_limit; ++t) {
        if (t % kInterruptPeriod == 0) interrupt.check();
        const auto step = static_cast<std::uint32_t>(t);
        if (state < 0) {
            state = simulator.start(
                draw(options.seed, options.iteration, environment, step, Purpose::start).first);
            time = 0;
        }
        const Draw word = draw(options.seed, options.iteration, environment, step, Purpose::step);
        const std::int32_t action = draw_alias(policy.data() + state * n_actions, n_actions, word.first);
        const std::int32_t next = simulator.step(state * n_actions + action, word.second);
        std::uint8_t flags = 0;
        if (next < 0 || time + 1 == mdp.horizon) flags = kTerminated;
        else if (restart_probability > 0.0 &&
                 uniform(draw(options.seed, options.iteration, environment, step, Purpose::restart).first) <
                     restart_probability)
            flags = kRestarted;
        else if (time + 1 == options.max_episode_steps)
            flags = kTruncated;
        emit(StepRecord{state, action, flags & kTerminated ? -1 : next, time, flags});
        ++time;
        state = flags ? -1 : next;
        if (flags && options.n_steps == 0) return;
    }
    if (options.n_steps == 0)
        throw std::invalid_argument("policy: an episode did not end within 2**26 steps; give n_steps, a horizon or "
                                    "gamma < 1");
    standing = {state, time};
}

}  // namespace

TabularSimulator::TabularSimulator(const TabularMdp& mdp) : mdp_(mdp) {
    std::vector<std::int32_t> scratch, outcomes;
    std::vector<double> probabilities;
    offsets_.push_back(0);
    for (Index pair = 0; pair < mdp.n_pairs(); ++pair) {
        outcomes.assign(mdp.indices.begin() + mdp.indptr[pair], mdp.indices.begin() + mdp.indptr[pair + 1]);
        probabilities.assign(mdp.probabilities.begin() + mdp.indptr[pair],
                             mdp.probabilities.begin() + mdp.indptr[pair + 1]);
        if (mdp.termination[pair] > 0.0) {
            outcomes.push_back(-1);
            probabilities.push_back(mdp.termination[pair]);
        }
        const std::size_t first = columns_.size();
        columns_.resize(first + outcomes.size());
        if (!outcomes.empty())
            build_alias_row(probabilities, outcomes, std::span(columns_).subspan(first), scratch);
        offsets_.push_back(static_cast<std::int64_t>(columns_.size()));
    }
    outcomes.resize(static_cast<std::size_t>(mdp.n_states));
    for (Index s = 0; s < mdp.n_states; ++s) outcomes[s] = static_cast<std::int32_t>(s);
    start_.resize(outcomes.size());
    build_alias_row(mdp.initial, outcomes, start_, scratch);
}

std::vector<AliasColumn> policy_alias_table(Reals probs, Index n_actions) {
    std::vector<AliasColumn> table(probs.size());
    std::vector<std::int32_t> actions(static_cast<std::size_t>(n_actions)), scratch;
    for (Index a = 0; a < n_actions; ++a) actions[a] = static_cast<std::int32_t>(a);
    for (Index first = 0; first < std::ssize(probs); first += n_actions)
        build_alias_row(probs.subspan(first, n_actions), actions,
                        std::span(table).subspan(first, n_actions), scratch);
    return table;
}

std::vector<std::int32_t> sample_actions(std::span<const AliasColumn> policy, Index n_actions, Integers states,
                                         std::uint64_t seed) {
    std::vector<std::int32_t> actions(states.size());
    for (std::size_t i = 0; i < states.size(); ++i)
        actions[i] = draw_alias(policy.data() + Index{states[i]} * n_actions, n_actions,
                                draw(seed, 0, i, 0, Purpose::action).first);
    return actions;
}

Rollout rollout(const TabularSimulator& simulator, std::span<const AliasColumn> policy, const RolloutOptions& options,
                std::span<EnvironmentState> environments, const Interrupt& interrupt) {
    const Index n_envs = options.n_envs;
    Rollout result;
    result.offsets.assign(static_cast<std::size_t>(n_envs) + 1, 0);
    const auto resize = [&](std::size_t size) {
        result.states.resize(size);
        result.actions.resize(size);
        result.next_states.resize(size);
        result.time.resize(size);
        result.flags.resize(size);
    };
    const auto write = [&](std::size_t at, const StepRecord& record) {
        result.states[at] = record.state;
        result.actions[at] = record.action;
        result.next_states[at] = record.next_state;
        result.time[at] = record.time;
        result.flags[at] = record.flags;
    };
    constexpr Index kBlock = 64;  // environments per task
    const Index n_blocks = (n_envs + kBlock - 1) / kBlock;
    if (options.n_steps > 0) {
        resize(static_cast<std::size_t>(n_envs * options.n_steps));
        for (Index e = 0; e <= n_envs; ++e) result.offsets[e] = e * options.n_steps;
        parallel_for(n_blocks, options.n_threads, [&](Index block) {
            for (Index e = block * kBlock; e < std::min(n_envs, (block + 1) * kBlock); ++e) {
                EnvironmentState fresh;
                auto at = static_cast<std::size_t>(result.offsets[e]);
                play(simulator, policy, options, static_cast<std::uint64_t>(e),
                     environments.empty() ? fresh : environments[e], interrupt,
                     [&](const StepRecord& record) { write(at++, record); });
            }
        });
        return result;
    }
    std::vector<std::vector<StepRecord>> records(static_cast<std::size_t>(n_blocks));
    parallel_for(n_blocks, options.n_threads, [&](Index block) {
        for (Index e = block * kBlock; e < std::min(n_envs, (block + 1) * kBlock); ++e) {
            EnvironmentState fresh;
            const std::size_t before = records[block].size();
            play(simulator, policy, options, static_cast<std::uint64_t>(e), fresh,
                 interrupt, [&](const StepRecord& record) { records[block].push_back(record); });
            result.offsets[e + 1] = static_cast<Index>(records[block].size() - before);
        }
    });
    for (Index e = 0; e < n_envs; ++e) result.offsets[e + 1] += result.offsets[e];
    resize(static_cast<std::size_t>(result.offsets[n_envs]));
    std::size_t at = 0;
    for (auto& block : records) {
        for (const StepRecord& record : block) write(at++, record);
        block = {};
    }
    return result;
}

}  // namespace npgfast
