#include "npgfast/updates/ppo.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "npgfast/base/philox.hpp"
#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

namespace {

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
    double largest = 0.0, total = 0.0, mean = 0.0, variance = 0.0;  // mean and variance in units of the largest
    for (std::size_t i = 0; i < normalized.size(); ++i) {
        total += weights[i];
        if (weights[i] > 0.0) largest = std::max(largest, std::abs(advantages[i]));
    }
    if (largest == 0.0) return normalized;
    for (std::size_t i = 0; i < normalized.size(); ++i) {
        normalized[i] /= largest;
        mean += weights[i] * normalized[i];
    }
    mean /= total;
    for (std::size_t i = 0; i < normalized.size(); ++i)
        variance += weights[i] * ((normalized[i] - mean) * (normalized[i] - mean));
    const double spread = std::sqrt(variance / total);
    for (double& advantage : normalized) advantage = spread > 1e-12 ? (advantage - mean) / spread : 0.0;
    return normalized;
}

UpdateReport ppo_step(const UpdateInput& input, const PpoEntries& entries, const PpoOptions& options, AdamState adam,
                      const Interrupt& interrupt) {
    const Index n = std::ssize(entries.weights), d = std::ssize(input.theta);
    const Index minibatch = options.minibatch_size > 0 ? std::min(options.minibatch_size, n) : n;
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = options.learning_rate;
    report.gradient_norm = norm(input.model.gradient());

    std::vector<double> advantages = options.normalize == Normalize::batch
                                         ? normalized_advantages(entries.advantages, entries.weights)
                                         : std::vector<double>(entries.advantages.begin(), entries.advantages.end());
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
    const std::unique_ptr<Minibatch> current = input.model.minibatch(report.theta);
    const auto normalize_minibatch = [&](Index begin, Index end) {
        std::vector<double> given, weights;
        for (Index k = begin; k < end; ++k) {
            given.push_back(entries.advantages[order[k]]);
            weights.push_back(entries.weights[order[k]]);
        }
        const std::vector<double> normalized = normalized_advantages(given, weights);
        for (Index k = begin; k < end; ++k) advantages[order[k]] = normalized[k - begin];
    };
    double clip_fraction = 0.0;
    Index n_minibatches = 0;
    bool stopped = false;
    for (Index epoch = 0; epoch < options.n_epochs && !stopped; ++epoch) {
        if (minibatch < n) shuffle(order, options, epoch);
        for (Index begin = 0; begin < n; begin += minibatch) {
            const Index end = std::min(n, begin + minibatch);
            const double scale = static_cast<double>(n) / static_cast<double>(end - begin);
            if (options.normalize == Normalize::minibatch) normalize_minibatch(begin, end);
            double approx_kl = 0.0, clipped_weight = 0.0;
            for (Index k = begin; k < end; ++k) {
                if (k % kInterruptPeriod == 0) interrupt.check();
                const Index i = order[k];
                const double weight = scale * entries.weights[i], advantage = advantages[i];
                if (weight == 0.0) continue;
                const double log_ratio = std::clamp(current->visit(i, weight) - entries.log_probs[i], -kLogRatioLimit,
                                                    kLogRatioLimit);
                const double ratio = std::exp(log_ratio);
                approx_kl += weight * ((ratio - 1.0) - log_ratio);
                const bool clipped = advantage > 0.0 ? ratio > 1.0 + options.clip_range
                                                     : advantage < 0.0 && ratio < 1.0 - options.clip_range;
                if (clipped)
                    clipped_weight += weight;
                else
                    current->add_score(i, weight * (ratio * advantage));
            }
            current->finish(options.entropy_coefficient, gradient);
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
            input.model.confine(report.theta);
            clip_fraction += clipped_weight;
            ++n_minibatches;
        }
    }
    judge(input, report);
    if (!moves_theta(report.status)) {
        restore(report.status);
        return report;
    }
    report.clip_fraction = n_minibatches > 0 ? clip_fraction / static_cast<double>(n_minibatches) : 0.0;
    return report;
}

}  // namespace npgfast
