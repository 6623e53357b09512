#include "npgfast/sampling/sample.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/parallel.hpp"
#include "npgfast/sampling/returns.hpp"

namespace npgfast {

namespace {

/// Sums over some environments.
struct EpisodeSums {
    double mass = 0.0, finished_reward = 0.0;
    Index n_started = 0, n_finished = 0;

    void add(const EpisodeSums& other) {
        mass += other.mass;
        finished_reward += other.finished_reward;
        n_started += other.n_started;
        n_finished += other.n_finished;
    }
    double return_mean() const {
        return n_finished > 0 ? finished_reward / static_cast<double>(n_finished) : std::nan("");
    }
};

/// gamma^t for the times that a rollout may hold.
std::vector<double> discount_powers(double gamma, const Rollout& rollout) {
    if (gamma >= 1.0) return {1.0};
    Index longest = 0;
    for (const Track& track : rollout.tracks) longest = std::max(longest, track.first_time + track.length);
    std::vector<double> powers(static_cast<std::size_t>(std::min(longest, negligible_time(gamma))) + 1, 1.0);
    for (std::size_t t = 1; t < powers.size(); ++t) powers[t] = std::pow(gamma, static_cast<double>(t));
    return powers;
}

}  // namespace

Index negligible_time(double gamma) {
    if (gamma >= 1.0) return 0;
    if (gamma <= 0.0) return 1;
    return static_cast<Index>(std::ceil(std::log(1e-16 * (1.0 - gamma)) / std::log(gamma)));
}

RolloutOptions rollout_for(const TabularMdp& mdp, StateWeights state_weights, Index n_envs, Index n_steps) {
    RolloutOptions options;
    options.n_envs = n_envs;
    options.n_steps = n_steps;
    if (state_weights == StateWeights::geometric)
        options.restart_probability = 1.0 - mdp.gamma;
    else if (state_weights == StateWeights::discounted || n_steps == 0)
        options.max_episode_steps = negligible_time(mdp.gamma);
    return options;
}

Sample weigh(const TabularMdp& mdp, const Rollout& rollout, const SampleOptions& options, int n_threads,
             const Interrupt& interrupt) {
    const bool geometric = options.state_weights == StateWeights::geometric;
    const double gamma = geometric ? 1.0 : mdp.gamma;
    const auto baseline = [&](std::int32_t state, Index time) {
        if (options.baseline.empty() || (mdp.horizon > 0 && time >= mdp.horizon)) return 0.0;
        return options.baseline[(mdp.horizon > 0 ? time * mdp.n_states : 0) + state];
    };
    Sample sample;
    const auto size = static_cast<std::size_t>(rollout.n_steps);
    for (auto* column : {&sample.states, &sample.actions, &sample.time}) column->resize(size);
    for (auto* column : {&sample.weights, &sample.advantages, &sample.returns}) column->resize(size);
    const Index n_envs = rollout.n_envs();
    std::vector<Index> offsets{0};
    for (const Track& track : rollout.tracks) offsets.push_back(offsets.back() + track.length);
    const std::vector<double> powers =
        options.state_weights == StateWeights::discounted ? discount_powers(gamma, rollout) : std::vector<double>{1.0};
    const auto n_powers = std::ssize(powers);

    constexpr Index kSummedTogether = 32;  // environments whose sums are added up first, whatever the threads
    const Index n_groups = (n_envs + kSummedTogether - 1) / kSummedTogether;
    std::vector<EpisodeSums> sums(static_cast<std::size_t>(n_groups));
    parallel_for(n_groups, n_threads, [&](Index group) {
        EpisodeSums& sum = sums[static_cast<std::size_t>(group)];
        std::vector<double> rewards, values, bootstrap;  // of one environment
        std::vector<std::uint8_t> terminated, truncated;
        for (Index e = group * kSummedTogether; e < std::min(n_envs, (group + 1) * kSummedTogether); ++e) {
            const Track& track = rollout.tracks[static_cast<std::size_t>(e)];
            const Index first = offsets[static_cast<std::size_t>(e)], length = track.length;
            for (auto* column : {&rewards, &values, &bootstrap}) column->assign(static_cast<std::size_t>(length), 0.0);
            for (auto* column : {&terminated, &truncated}) column->assign(static_cast<std::size_t>(length), 0);
            double episode_reward = 0.0;
            bool is_whole = false;  // the episode began in this rollout
            std::int32_t time = track.first_time;
            auto cut = track.cuts.begin();
            for (Index t = 0; t < length; ++t) {
                if (t % kInterruptPeriod == 0) interrupt.check();
                const std::uint32_t record = track[t];
                const std::int32_t state = rollout.format.state(record), action = rollout.format.action(record);
                const std::uint8_t flags = RecordFormat::flags(record);
                const Index i = first + t, pair = Index{state} * mdp.n_actions + action;
                sample.states[i] = state;
                sample.actions[i] = action;
                sample.time[i] = time;
                sample.weights[i] = powers[std::min<Index>(time, n_powers - 1)];
                sum.mass += sample.weights[i];
                rewards[t] = mdp.rewards[pair];
                if (time == 0) {
                    is_whole = true;
                    episode_reward = 0.0;
                    ++sum.n_started;
                }
                episode_reward += rewards[t];
                if (options.tau > 0.0) rewards[t] -= options.tau * options.log_probs[pair];
                values[t] = baseline(state, time);
                terminated[t] = (flags & (kTerminated | kRestarted)) != 0;
                truncated[t] = (flags & kTruncated) != 0;
                const bool is_cut = cut != track.cuts.end() && cut->row == t;
                if (is_cut)
                    bootstrap[t] = baseline((cut++)->state, Index{time} + 1);
                else if (!terminated[t] && t + 1 == length)
                    bootstrap[t] = baseline(track.last_state, Index{time} + 1);
                if (flags && is_whole) {
                    ++sum.n_finished;
                    sum.finished_reward += episode_reward;
                }
                time = flags ? 0 : time + 1;
            }
            generalized_advantages(length, rewards.data(), values.data(), terminated.data(), truncated.data(),
                                   bootstrap.data(), gamma, options.gae_lambda, sample.advantages.data() + first);
            for (Index t = 0; t < length; ++t) sample.returns[first + t] = sample.advantages[first + t] + values[t];
        }
    });
    EpisodeSums total;
    for (const EpisodeSums& sum : sums) total.add(sum);
    for (double& weight : sample.weights) weight /= total.mass;
    sample.mass = total.mass;
    sample.n_started = total.n_started;
    sample.return_mean = total.return_mean();
    return sample;
}

}  // namespace npgfast
