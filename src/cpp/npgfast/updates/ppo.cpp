#include "npgfast/updates/ppo.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "npgfast/base/philox.hpp"
#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

/// Uniform 32-bit words, four from each Philox block.
class Words {
public:
    Words(const PpoOptions& options, Index epoch) : options_(options), epoch_(static_cast<std::uint64_t>(epoch)) {}

    /// Uniform on 0, ..., range - 1, exactly. Source: Lemire 2019, "Fast random integer generation in an interval".
    std::uint32_t below(std::uint32_t range) {
        std::uint64_t product = std::uint64_t{next()} * range;
        if (static_cast<std::uint32_t>(product) < range) {
            const std::uint32_t threshold = (0u - range) % range;
            while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * range;
        }
        return static_cast<std::uint32_t>(product >> 32);
    }

private:
    std::uint32_t next() {
        if (n_left_ == 0) {
            words_ = draw(options_.seed, options_.iteration, epoch_, block_++, Purpose::shuffle);
            n_left_ = 4;
        }
        const std::uint64_t pair = n_left_ > 2 ? words_.first : words_.second;
        return static_cast<std::uint32_t>(n_left_-- % 2 == 0 ? pair : pair >> 32);
    }

    const PpoOptions& options_;
    std::uint64_t epoch_;
    std::uint32_t block_ = 0;
    int n_left_ = 0;
    Draw words_{};
};

/// The order of one epoch: Fisher-Yates from the identity, keyed by (seed, iteration, epoch).
void shuffle(std::vector<std::uint32_t>& order, const PpoOptions& options, Index epoch) {
    Words words(options, epoch);
    std::iota(order.begin(), order.end(), 0u);
    for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[words.below(static_cast<std::uint32_t>(i))]);
}

/// values = (values - mean) / std under the weights; see ppo_step.
void normalize(Reals weights, MutableReals values) {
    if (values.size() <= 1) return;
    double largest = 0.0, total = 0.0, mean = 0.0, variance = 0.0;  // mean and variance in units of the largest
    for (std::size_t i = 0; i < values.size(); ++i) {
        total += weights[i];
        if (weights[i] > 0.0) largest = std::max(largest, std::abs(values[i]));
    }
    if (largest == 0.0) return;
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] /= largest;
        mean += weights[i] * values[i];
    }
    mean /= total;
    for (std::size_t i = 0; i < values.size(); ++i) variance += weights[i] * ((values[i] - mean) * (values[i] - mean));
    const double spread = std::sqrt(variance / total);
    for (double& value : values) value = spread > 1e-12 ? (value - mean) / spread : 0.0;
}

/// The columns that a minibatch reads, side by side, so that an entry taken out of order costs one cache line.
struct Entry {
    double weight, advantage, log_prob;
};

/// The entries of one minibatch in its order.
struct Gathered {
    explicit Gathered(Index size) : weights(static_cast<std::size_t>(size)), advantages(weights), log_probs(weights) {}

    SurrogateEntries take(const std::vector<Entry>& entries, std::span<const std::uint32_t> rows, double scale) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Entry& entry = entries[rows[i]];
            weights[i] = scale * entry.weight;
            advantages[i] = entry.advantage;
            log_probs[i] = entry.log_prob;
        }
        return {rows, Reals(weights).first(rows.size()), Reals(advantages).first(rows.size()),
                Reals(log_probs).first(rows.size())};
    }

    std::vector<double> weights, advantages, log_probs;
};

/// One ascending step of Adam on `gradient`, scaled by `shrink`.
void adam_step(const PpoOptions& options, Reals gradient, double shrink, AdamState& adam, MutableReals theta) {
    adam.n_steps += 1.0;
    const double correction1 = 1.0 - std::pow(options.adam_beta1, adam.n_steps);
    const double correction2 = 1.0 - std::pow(options.adam_beta2, adam.n_steps);
    for (std::size_t j = 0; j < theta.size(); ++j) {
        const double slope = shrink * gradient[j];
        adam.first[j] = options.adam_beta1 * adam.first[j] + (1.0 - options.adam_beta1) * slope;
        adam.second[j] = options.adam_beta2 * adam.second[j] + (1.0 - options.adam_beta2) * (slope * slope);
        theta[j] += options.learning_rate * (adam.first[j] / correction1) /
                    (std::sqrt(adam.second[j] / correction2) + options.adam_epsilon);
    }
}

}  // namespace

UpdateReport ppo_step(const UpdateInput& input, const PpoEntries& entries, const PpoOptions& options, AdamState adam,
                      const Interrupt& interrupt) {
    const Index n = std::ssize(entries.weights), d = std::ssize(input.theta);
    const Index minibatch = options.minibatch_size > 0 ? std::min(options.minibatch_size, n) : n;
    if (n > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("PPO: more than 2^32 - 1 entries");
    UpdateReport report;
    report.theta.assign(input.theta.begin(), input.theta.end());
    report.step_size = options.learning_rate;
    report.gradient_norm = norm(input.model.gradient());

    std::vector<double> advantages(entries.advantages.begin(), entries.advantages.end());
    const bool is_whole = minibatch == n;
    const bool normalizes_parts = options.normalize == Normalize::minibatch && !is_whole;
    if (options.normalize != Normalize::none && !normalizes_parts) normalize(entries.weights, advantages);
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
    std::vector<std::uint32_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0u);
    std::vector<Entry> scattered;
    scattered.reserve(is_whole ? 0 : static_cast<std::size_t>(n));
    for (Index i = 0; !is_whole && i < n; ++i)
        scattered.push_back({entries.weights[i], advantages[i], entries.log_probs[i]});
    Gathered gathered(is_whole ? 0 : minibatch);
    Surrogate surrogate;
    surrogate.gradient.resize(static_cast<std::size_t>(d));
    const MutableReals gradient(surrogate.gradient);
    const std::unique_ptr<Minibatch> current = input.model.minibatch(report.theta);
    const SurrogateOptions surrogate_options{options.clip_range, 1.0, options.entropy_coefficient};
    double clip_fraction = 0.0;
    Index n_minibatches = 0;
    bool stopped = false;
    for (Index epoch = 0; epoch < options.n_epochs && !stopped; ++epoch) {
        if (!is_whole) shuffle(order, options, epoch);
        for (Index begin = 0; begin < n; begin += minibatch) {
            const Index end = std::min(n, begin + minibatch);
            interrupt.check();
            const std::span<const std::uint32_t> rows(order.data() + begin, static_cast<std::size_t>(end - begin));
            SurrogateEntries part{rows, entries.weights, advantages, entries.log_probs};
            if (!is_whole)
                part = gathered.take(scattered, rows, static_cast<double>(n) / static_cast<double>(end - begin));
            if (normalizes_parts) normalize(part.weights, MutableReals(gathered.advantages).first(rows.size()));
            current->evaluate(part, surrogate_options, surrogate);
            if (options.target_kl > 0.0 && surrogate.approx_kl > 1.5 * options.target_kl) {
                stopped = true;
                break;
            }
            const double gradient_norm = norm(gradient);
            if (!std::isfinite(gradient_norm)) {
                restore(Status::non_finite);
                return report;
            }
            if (n_minibatches == 0 && is_whole && gradient_norm == 0.0) {
                restore(Status::zero_gradient);
                return report;
            }
            const double shrink = options.max_gradient_norm > 0.0 && gradient_norm > options.max_gradient_norm
                                      ? options.max_gradient_norm / gradient_norm
                                      : 1.0;
            adam_step(options, gradient, shrink, adam, report.theta);
            input.model.confine(report.theta);
            clip_fraction += surrogate.clip_fraction;
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
