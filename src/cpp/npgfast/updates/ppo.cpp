#include "npgfast/updates/ppo.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "npgfast/base/philox.hpp"
#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/policy_gradient.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

namespace {

/// One minibatch at the current theta, by state: the states it visits, their log pi and pi, each computed once, the
/// coefficients of its scores, and the weight of each state.
class Minibatch {
public:
    Minibatch(const SoftmaxPolicy& policy, Reals theta)
        : policy_(policy), theta_(theta), weights_(static_cast<std::size_t>(policy.n_states), 0.0),
          is_visited_(static_cast<std::size_t>(policy.n_states), 0),
          coefficients_(static_cast<std::size_t>(policy.n_pairs()), 0.0), log_probs_(coefficients_),
          probs_(coefficients_), logits_(static_cast<std::size_t>(policy.n_actions)) {}

    void visit(Index state, double weight) {
        weights_[state] += weight;
        if (is_visited_[state]) return;
        is_visited_[state] = 1;
        visited_.push_back(state);
        const Index n_actions = policy_.n_actions, first = state * n_actions;
        for (Index a = 0; a < n_actions; ++a) {
            logits_[a] = policy_.is_tabular()
                             ? theta_[first + a]
                             : dot(policy_.features.data() + (first + a) * policy_.n_params, theta_.data(),
                                   policy_.n_params);
            if (!policy_.offset.empty()) logits_[a] += policy_.offset[first + a];
        }
        log_softmax(logits_, policy_.mask.subspan(first, n_actions), n_actions, row(log_probs_, state),
                    row(probs_, state));
    }
    double log_prob(Index pair) const { return log_probs_[pair]; }
    void add_score(Index pair, double coefficient) { coefficients_[pair] += coefficient; }

    /// gradient = sum of coefficient * score + entropy_coefficient * sum of weight * grad H, and forgets the minibatch.
    ///     dH(s)/dlogit(s,a) = -pi(a|s) (log pi(a|s) + H(s))
    void finish(double entropy_coefficient, MutableReals gradient) {
        const Index n_actions = policy_.n_actions, d = policy_.n_params;
        std::fill(gradient.begin(), gradient.end(), 0.0);
        for (Index state : visited_) {
            const MutableReals slope = row(coefficients_, state), log_probs = row(log_probs_, state);
            const Reals probs = row(probs_, state);
            center_by_policy(probs, n_actions, slope);
            if (entropy_coefficient != 0.0) {
                double entropy = 0.0;
                for (Index a = 0; a < n_actions; ++a)
                    if (probs[a] > 0.0) entropy -= probs[a] * log_probs[a];
                for (Index a = 0; a < n_actions; ++a)
                    if (probs[a] > 0.0)
                        slope[a] -= entropy_coefficient * weights_[state] * (probs[a] * (log_probs[a] + entropy));
            }
            for (Index a = 0; a < n_actions; ++a) {
                const Index pair = state * n_actions + a;
                if (!policy_.mask[pair]) continue;
                if (policy_.is_tabular())
                    gradient[pair] = slope[a];
                else
                    axpy(slope[a], policy_.features.data() + pair * d, gradient.data(), d);
            }
            std::fill(slope.begin(), slope.end(), 0.0);
            weights_[state] = 0.0;
            is_visited_[state] = 0;
        }
        visited_.clear();
    }

private:
    MutableReals row(std::vector<double>& table, Index state) const {
        return MutableReals(table).subspan(static_cast<std::size_t>(state * policy_.n_actions),
                                           static_cast<std::size_t>(policy_.n_actions));
    }

    const SoftmaxPolicy& policy_;
    Reals theta_;
    std::vector<Index> visited_;
    std::vector<double> weights_;
    std::vector<std::uint8_t> is_visited_;
    std::vector<double> coefficients_, log_probs_, probs_, logits_;
};

/// The order of one epoch: Fisher-Yates from the identity, keyed by (seed, iteration, epoch).
void shuffle(std::vector<Index>& order, const PpoOptions& options, Index epoch) {
    std::iota(order.begin(), order.end(), Index{0});
    for (Index i = std::ssize(order) - 1; i > 0; --i) {
        const Draw word = draw(options.seed, options.iteration, static_cast<std::uint64_t>(epoch),
                               static_cast<std::uint32_t>(i), Purpose::shuffle);
        const auto product = static_cast<unsigned __int128>(word.first) * static_cast<std::uint64_t>(i + 1);
        std::swap(order[i], order[static_cast<Index>(product >> 64)]);
    }
}

}  // namespace

std::vector<double> normalized_advantages(Reals advantages, Reals weights) {
    std::vector<double> normalized(advantages.begin(), advantages.end());
    if (normalized.size() <= 1) return normalized;
    double largest = 0.0, mean = 0.0, variance = 0.0;  // mean and variance in units of the largest
    for (std::size_t i = 0; i < normalized.size(); ++i)
        if (weights[i] > 0.0) largest = std::max(largest, std::abs(advantages[i]));
    if (largest == 0.0) return normalized;
    for (std::size_t i = 0; i < normalized.size(); ++i) {
        normalized[i] /= largest;
        mean += weights[i] * normalized[i];
    }
    for (std::size_t i = 0; i < normalized.size(); ++i)
        variance += weights[i] * ((normalized[i] - mean) * (normalized[i] - mean));
    const double spread = std::sqrt(variance);
    for (double& advantage : normalized) advantage = spread > 1e-12 ? (advantage - mean) / spread : 0.0;
    return normalized;
}

UpdateReport ppo_step(const UpdateInput& input, const Batch& batch, const PpoOptions& options, AdamState adam,
                      const Interrupt& interrupt) {
    const SoftmaxPolicy& policy = input.policy;
    const Index n = batch.size(), n_actions = policy.n_actions, d = policy.n_params;
    const Index minibatch = options.minibatch_size > 0 ? std::min(options.minibatch_size, n) : n;
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = options.learning_rate;
    report.gradient_norm = norm(policy_gradient(policy, input.table.probs, input.summary));

    const std::vector<double> advantages =
        options.normalize_advantages ? normalized_advantages(batch.advantages, batch.weights)
                                     : std::vector<double>(batch.advantages.begin(), batch.advantages.end());
    const std::vector<double> old_first(adam.first.begin(), adam.first.end());
    const std::vector<double> old_second(adam.second.begin(), adam.second.end());
    const double old_n_steps = adam.n_steps;
    const auto restore = [&](Status status) {
        report.theta.assign(input.theta.begin(), input.theta.end());
        std::copy(old_first.begin(), old_first.end(), adam.first.begin());
        std::copy(old_second.begin(), old_second.end(), adam.second.begin());
        adam.n_steps = old_n_steps;
        report.status = status;
        report.step_size = report.kl = report.surrogate = report.clip_fraction = 0.0;
    };

    if (options.entropy_coefficient == 0.0 && nothing_to_gain(input)) {
        restore(Status::zero_gradient);
        return report;
    }
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), Index{0});
    std::vector<double> gradient(static_cast<std::size_t>(d));
    Minibatch current(policy, report.theta);
    double clip_fraction = 0.0;
    Index n_minibatches = 0;
    bool stopped = false;
    for (Index epoch = 0; epoch < options.n_epochs && !stopped; ++epoch) {
        if (minibatch < n) shuffle(order, options, epoch);
        for (Index begin = 0; begin < n; begin += minibatch) {
            const Index end = std::min(n, begin + minibatch);
            const double scale = static_cast<double>(n) / static_cast<double>(end - begin);
            double approx_kl = 0.0, clipped_weight = 0.0;
            for (Index k = begin; k < end; ++k) {
                if (k % kInterruptPeriod == 0) interrupt.check();
                const Index i = order[k], pair = Index{batch.states[i]} * n_actions + batch.actions[i];
                const double weight = scale * batch.weights[i], advantage = advantages[i];
                if (weight == 0.0) continue;
                current.visit(batch.states[i], weight);
                const double log_ratio = std::clamp(current.log_prob(pair) - batch.log_probs[i], -700.0, 700.0);
                const double ratio = std::exp(log_ratio);
                approx_kl += weight * ((ratio - 1.0) - log_ratio);
                const bool clipped = advantage > 0.0 ? ratio > 1.0 + options.clip_range
                                                     : advantage < 0.0 && ratio < 1.0 - options.clip_range;
                if (clipped)
                    clipped_weight += weight;
                else
                    current.add_score(pair, weight * (ratio * advantage));
            }
            current.finish(options.entropy_coefficient, gradient);
            if (options.target_kl > 0.0 && approx_kl > 1.5 * options.target_kl) {
                stopped = true;
                break;
            }
            const double gradient_norm = norm(gradient);
            if (!std::isfinite(gradient_norm)) {
                restore(Status::non_finite);
                return report;
            }
            if (n_minibatches == 0 && minibatch == n && gradient_norm == 0.0) {
                restore(Status::zero_gradient);
                return report;
            }
            const double shrink = options.max_gradient_norm > 0.0 && gradient_norm > options.max_gradient_norm
                                      ? options.max_gradient_norm / gradient_norm
                                      : 1.0;
            adam.n_steps += 1.0;
            const double correction1 = 1.0 - std::pow(options.adam_beta1, adam.n_steps);
            const double correction2 = 1.0 - std::pow(options.adam_beta2, adam.n_steps);
            for (Index j = 0; j < d; ++j) {
                const double slope = shrink * gradient[j];
                adam.first[j] = options.adam_beta1 * adam.first[j] + (1.0 - options.adam_beta1) * slope;
                adam.second[j] = options.adam_beta2 * adam.second[j] + (1.0 - options.adam_beta2) * (slope * slope);
                report.theta[j] += options.learning_rate * (adam.first[j] / correction1) /
                                   (std::sqrt(adam.second[j] / correction2) + options.adam_epsilon);
            }
            clip_fraction += clipped_weight;
            ++n_minibatches;
        }
    }
    const PolicyTable next = policy_table(policy, report.theta);
    if (!all_finite(report.theta) || !all_finite(next.probs)) {
        restore(Status::non_finite);
        return report;
    }
    report.kl = mean_kl(input.table, next, input.summary.state_weights, n_actions);
    if (!std::isfinite(report.kl)) {
        restore(Status::kl_infinite);
        return report;
    }
    if (std::equal(report.theta.begin(), report.theta.end(), input.theta.begin())) {
        restore(Status::zero_gradient);
        return report;
    }
    report.surrogate = surrogate_gain(input.summary, input.table, next);
    report.clip_fraction = n_minibatches > 0 ? clip_fraction / static_cast<double>(n_minibatches) : 0.0;
    return report;
}

}  // namespace npgfast
