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
    std::vector<double> rewards(size), values(size, 0.0), bootstrap(size, 0.0);
    std::vector<std::uint8_t> terminated(size), truncated(size);
    Index n_started = 0, n_finished = 0;
    double finished_reward = 0.0;
    for (Index e = 0; e < rollout.n_envs(); ++e) {
        interrupt.check();
        double episode_reward = 0.0;
        for (Index i = rollout.offsets[e]; i < rollout.offsets[e + 1]; ++i) {
            const Index pair = Index{rollout.states[i]} * mdp.n_actions + rollout.actions[i];
            rewards[i] = mdp.rewards[pair];
            episode_reward += rewards[i];
            if (options.tau > 0.0) rewards[i] -= options.tau * options.log_probs[pair];
            values[i] = baseline(rollout.states[i], rollout.time[i]);
            terminated[i] = (rollout.flags[i] & (kTerminated | kRestarted)) != 0;
            truncated[i] = (rollout.flags[i] & kTruncated) != 0;
            if (!terminated[i] && (truncated[i] || i + 1 == rollout.offsets[e + 1]))
                bootstrap[i] = baseline(rollout.next_states[i], Index{rollout.time[i]} + 1);
            n_started += rollout.time[i] == 0;
            if (rollout.flags[i]) {
                ++n_finished;
                finished_reward += episode_reward;
                episode_reward = 0.0;
            }
        }
        const Index first = rollout.offsets[e];
        generalized_advantages(rollout.offsets[e + 1] - first, {rewards.data() + first}, {values.data() + first},
                               {terminated.data() + first}, {truncated.data() + first}, {bootstrap.data() + first},
                               gamma, options.gae_lambda, {sample.advantages.data() + first});
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
    sample.effective_horizon = total / static_cast<double>(std::max<Index>(n_started, 1));
    sample.return_mean = n_finished > 0 ? finished_reward / static_cast<double>(n_finished) : std::nan("");
    sample.returns.resize(size);
    for (std::size_t i = 0; i < size; ++i) sample.returns[i] = sample.advantages[i] + values[i];
    return sample;
}

}  // namespace npgfast
