#include "npgfast/sampling/sample.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/sampling/returns.hpp"

namespace npgfast {

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

Sample weigh(const TabularMdp& mdp, const Rollout& rollout, const SampleOptions& options, const Interrupt& interrupt) {
    const Index n = rollout.n_steps();
    const auto size = static_cast<std::size_t>(n);
    const bool geometric = options.state_weights == StateWeights::geometric;
    const double gamma = geometric ? 1.0 : mdp.gamma;
    const auto baseline = [&](std::int32_t state, Index time) {
        if (options.baseline.empty() || (mdp.horizon > 0 && time >= mdp.horizon)) return 0.0;
        return options.baseline[(mdp.horizon > 0 ? time * mdp.n_states : 0) + state];
    };
    Sample sample;
    sample.weights.assign(size, 1.0);
    sample.advantages.resize(size);
    sample.returns.resize(size);
    std::vector<double> rewards, values, bootstrap;  // of one environment
    std::vector<std::uint8_t> terminated, truncated;
    Index n_started = 0, n_finished = 0;
    double finished_reward = 0.0;
    for (Index e = 0; e < rollout.n_envs(); ++e) {
        const Index first = rollout.offsets[e], length = rollout.offsets[e + 1] - first;
        for (auto* column : {&rewards, &values, &bootstrap}) column->assign(static_cast<std::size_t>(length), 0.0);
        for (auto* column : {&terminated, &truncated}) column->assign(static_cast<std::size_t>(length), 0);
        double episode_reward = 0.0;
        bool is_whole = false;  // the episode began in this rollout
        for (Index t = 0; t < length; ++t) {
            if (t % kInterruptPeriod == 0) interrupt.check();
            const Index i = first + t, pair = Index{rollout.states[i]} * mdp.n_actions + rollout.actions[i];
            rewards[t] = mdp.rewards[pair];
            if (rollout.time[i] == 0) {
                is_whole = true;
                episode_reward = 0.0;
                ++n_started;
            }
            episode_reward += rewards[t];
            if (options.tau > 0.0) rewards[t] -= options.tau * options.log_probs[pair];
            values[t] = baseline(rollout.states[i], rollout.time[i]);
            terminated[t] = (rollout.flags[i] & (kTerminated | kRestarted)) != 0;
            truncated[t] = (rollout.flags[i] & kTruncated) != 0;
            if (!terminated[t] && (truncated[t] || t + 1 == length))
                bootstrap[t] = baseline(rollout.next_states[i], Index{rollout.time[i]} + 1);
            if (rollout.flags[i] && is_whole) {
                ++n_finished;
                finished_reward += episode_reward;
            }
        }
        generalized_advantages(length, {rewards.data()}, {values.data()}, {terminated.data()}, {truncated.data()},
                               {bootstrap.data()}, gamma, options.gae_lambda, {sample.advantages.data() + first});
        for (Index t = 0; t < length; ++t) sample.returns[first + t] = sample.advantages[first + t] + values[t];
    }
    if (options.state_weights == StateWeights::discounted && gamma < 1.0) {
        const std::int32_t longest = n > 0 ? *std::max_element(rollout.time.begin(), rollout.time.end()) : 0;
        std::vector<double> powers(static_cast<std::size_t>(longest) + 1, 1.0);
        for (std::size_t t = 1; t < powers.size(); ++t) powers[t] = std::pow(gamma, static_cast<double>(t));
        for (Index i = 0; i < n; ++i) sample.weights[i] = powers[rollout.time[i]];
    }
    double total = 0.0;
    for (double weight : sample.weights) total += weight;
    for (double& weight : sample.weights) weight /= total;
    sample.mass = total;
    sample.n_started = n_started;
    sample.return_mean = n_finished > 0 ? finished_reward / static_cast<double>(n_finished) : std::nan("");
    return sample;
}

}  // namespace npgfast
