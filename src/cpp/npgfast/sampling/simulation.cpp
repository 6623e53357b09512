#include "npgfast/sampling/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"

namespace npgfast {

namespace {

constexpr Index kLongestSimulation = Index{1} << 26;

[[noreturn]] void refuse_endless_episode() {
    throw std::invalid_argument("env: an episode did not end within 2**26 steps; give n_steps or a time limit");
}

/// Plays one environment and appends its steps.
void play_environment(const Environment& environment, Actor& actor, const SimulationOptions& options, Index e,
                      double* standing, Recording& record, const Interrupt& interrupt) {
    const Simulator& simulator = environment.simulator;
    const Index size = record.observation_size, k = record.action_size;
    const Index limit = options.n_steps > 0 ? options.n_steps : kLongestSimulation;
    const auto number = static_cast<std::uint32_t>(e);
    double* state = standing + 1;
    std::vector<double> clipped(static_cast<std::size_t>(k));
    for (Index t = 0; t < limit; ++t) {
        if (t % kInterruptPeriod == 0) interrupt.check();
        const auto step = static_cast<std::uint32_t>(t);
        if (standing[0] < 0.0) {
            Stream start(options.seed, options.iteration, number, step, Purpose::start);
            simulator.start(state, start);
            standing[0] = 0.0;
        }
        const auto time = static_cast<Index>(standing[0]);
        const std::size_t row = record.observations.size(), action_row = record.actions.size();
        record.observations.resize(row + static_cast<std::size_t>(size));
        record.actions.resize(action_row + static_cast<std::size_t>(k));
        simulator.observe(state, record.observations.data() + row);
        Stream choice(options.seed, options.iteration, number, step, Purpose::step);
        double* action = record.actions.data() + action_row;
        record.log_probs.push_back(actor.draw(record.observations.data() + row, choice, action));
        Stream noise(options.seed, options.iteration, number, step, Purpose::dynamics);
        std::uint8_t flags = 0;
        record.rewards.push_back(environment.step(state, action, time, noise, clipped.data(), flags).reward);
        record.time.push_back(static_cast<std::int32_t>(time));
        record.flags.push_back(flags);
        if (flags == kTruncated || (flags == 0 && t + 1 == limit)) {
            record.cut.push_back(record.n_steps() - 1);
            record.cut_observations.resize(record.cut_observations.size() + static_cast<std::size_t>(size));
            simulator.observe(state, record.cut_observations.data() + record.cut_observations.size() - size);
        }
        standing[0] = flags ? -1.0 : static_cast<double>(time + 1);
        if (flags && options.n_steps == 0) break;
        if (options.n_steps == 0 && t + 1 == limit) refuse_endless_episode();
    }
    record.offsets.push_back(record.n_steps());
}

void append(Recording& whole, const Recording& part) {
    const Index first = whole.n_steps();
    for (auto it = part.offsets.begin() + 1; it != part.offsets.end(); ++it) whole.offsets.push_back(first + *it);
    for (Index entry : part.cut) whole.cut.push_back(first + entry);
    const auto join = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    join(whole.observations, part.observations);
    join(whole.actions, part.actions);
    join(whole.rewards, part.rewards);
    join(whole.log_probs, part.log_probs);
    join(whole.time, part.time);
    join(whole.flags, part.flags);
    join(whole.cut_observations, part.cut_observations);
}

}  // namespace

Transition Environment::step(double* state, const double* action, Index time, Stream& random, double* clipped,
                             std::uint8_t& flags) const {
    if (!action_low.empty()) {
        for (std::size_t k = 0; k < action_low.size(); ++k)
            clipped[k] = std::clamp(action[k], action_low[k], action_high[k]);
        action = clipped;
    }
    const Transition transition = simulator.step(state, action, random);
    flags = transition.terminated || time + 1 == horizon ? kTerminated : time + 1 == time_limit ? kTruncated : 0;
    return transition;
}

Recording simulate(const Environment& environment, const LinearPolicy& policy, Reals theta,
                   const SimulationOptions& options, MutableReals standing, const Interrupt& interrupt) {
    const Index n_envs = options.n_envs, width = environment.standing_size();
    const Index n_blocks = std::min<Index>(n_envs, std::max(options.n_threads, 1));
    std::vector<Recording> parts(static_cast<std::size_t>(n_blocks));
    parallel_for(n_blocks, options.n_threads, [&](Index block) {
        Recording& record = parts[block];
        record.observation_size = environment.simulator.observation_size();
        record.action_size = environment.simulator.action_size();
        const Index first = block * n_envs / n_blocks, last = (block + 1) * n_envs / n_blocks;
        if (options.n_steps > 0) {
            const auto n = static_cast<std::size_t>((last - first) * options.n_steps);
            record.observations.reserve(n * static_cast<std::size_t>(record.observation_size));
            record.actions.reserve(n * static_cast<std::size_t>(record.action_size));
            for (auto* column : {&record.rewards, &record.log_probs}) column->reserve(n);
            record.time.reserve(n);
            record.flags.reserve(n);
        }
        Actor actor(policy, theta);
        std::vector<double> fresh(static_cast<std::size_t>(width));
        for (Index e = first; e < last; ++e) {
            fresh[0] = -1.0;
            play_environment(environment, actor, options, e,
                             standing.empty() ? fresh.data() : standing.data() + e * width, record, interrupt);
        }
    });
    for (Index block = 1; block < n_blocks; ++block) append(parts[0], parts[block]);
    return std::move(parts[0]);
}

std::vector<double> episode_returns(const Environment& environment, const LinearPolicy& policy, Reals theta,
                                    bool deterministic, Index first, Index n, std::uint64_t seed,
                                    std::uint32_t iteration, const Interrupt& interrupt) {
    const Simulator& simulator = environment.simulator;
    Actor actor(policy, theta);
    std::vector<double> state(static_cast<std::size_t>(simulator.state_size())),
        observation(static_cast<std::size_t>(simulator.observation_size())),
        action(static_cast<std::size_t>(simulator.action_size())), clipped(action),
        returns(static_cast<std::size_t>(n), 0.0);
    for (Index i = 0; i < n; ++i) {
        const auto episode = static_cast<std::uint32_t>(first + i);
        Stream start(seed, iteration, episode, 0, Purpose::evaluation_start);
        simulator.start(state.data(), start);
        std::uint8_t flags = 0;
        for (Index t = 0; !flags; ++t) {
            if (t == kLongestSimulation) refuse_endless_episode();
            if (t % kInterruptPeriod == 0) interrupt.check();
            const auto step = static_cast<std::uint32_t>(t);
            simulator.observe(state.data(), observation.data());
            if (deterministic) {
                actor.mode(observation.data(), action.data());
            } else {
                Stream choice(seed, iteration, episode, step, Purpose::evaluation_action);
                actor.draw(observation.data(), choice, action.data());
            }
            Stream noise(seed, iteration, episode, step, Purpose::evaluation_dynamics);
            returns[i] += environment.step(state.data(), action.data(), t, noise, clipped.data(), flags).reward;
        }
    }
    return returns;
}

}  // namespace npgfast
