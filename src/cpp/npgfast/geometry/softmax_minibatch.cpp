#include "npgfast/geometry/softmax_minibatch.hpp"

#include <algorithm>
#include <limits>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

/// A log-probability, held to the lowest double, so that 0 times it is 0.
Lanes at_least_lowest(Lanes log_prob) {
    const Lanes lowest = all_lanes(std::numeric_limits<double>::lowest());
    return log_prob < lowest ? lowest : log_prob;
}

/// Entries that are rows of features.
class RowMinibatch final : public Minibatch {
public:
    RowMinibatch(const SoftmaxPolicy& policy, const Batch& batch, Reals theta)
        : policy_(policy), batch_(batch), theta_(theta),
          rows_(policy.features, policy.n_shared_features, policy.n_actions),
          shares_(static_cast<std::size_t>(policy.n_actions * kTileRows)) {}

    void evaluate(const SurrogateEntries& entries, const SurrogateOptions& options, Surrogate& result) override {
        result.value = result.clip_fraction = result.approx_kl = 0.0;
        for (Index first = 0; first < entries.size(); first += kTileRows) {
            const Index count = tile_.take(entries, first);
            actions_.fill(0.0);
            for (Index i = 0; i < count; ++i) {
                const std::uint32_t entry = entries.rows[first + i];
                actions_[i] = static_cast<double>(batch_.actions[entry]);
                states_[i] = static_cast<std::uint32_t>(batch_.state(entry));
            }
            rows_.gather(states_.data(), count);
            rows_.multiply(theta_.data());
            find_log_probs();
            tile_.compare(options, result);
            find_slopes(options.entropy_coefficient);
            rows_.add_columns();
        }
        rows_.finish(result.gradient.data());
    }

private:
    /// log_probs of the actions; columns = logits - max, shares = their exponentials, sums and log_sums of those.
    void find_log_probs() {
        for (Index i = 0; i < kTileRows; i += kWidth) {
            Lanes largest = load(rows_.column(0) + i), sum{}, chosen{};
            for (Index a = 1; a < policy_.n_actions; ++a) {
                const Lanes logit = load(rows_.column(a) + i);
                largest = logit > largest ? logit : largest;
            }
            const Lanes action = load(actions_.data() + i);
            for (Index a = 0; a < policy_.n_actions; ++a) {
                const Lanes logit = load(rows_.column(a) + i) - largest, share = exp_lanes(logit);
                store(rows_.column(a) + i, logit);
                store(share_column(a) + i, share);
                sum += share;
                chosen = action == all_lanes(static_cast<double>(a)) ? logit : chosen;
            }
            const Lanes log_sum = log_lanes(sum);
            store(sums_.data() + i, sum);
            store(log_sums_.data() + i, log_sum);
            store(tile_.log_probs.data() + i, at_least_lowest(chosen - log_sum));
        }
    }

    /// columns = the slopes of the surrogate and of the entropy in the logits.
    void find_slopes(double entropy_coefficient) {
        const Lanes zero{};
        for (Index i = 0; i < kTileRows; i += kWidth) {
            const Lanes weight = load(tile_.weights.data() + i), coefficient = load(tile_.coefficients.data() + i);
            const Lanes action = load(actions_.data() + i), log_sum = load(log_sums_.data() + i);
            const Lanes scale = 1.0 / load(sums_.data() + i), bonus = entropy_coefficient * weight;
            const LaneInts is_live = weight > zero;
            const auto log_prob = [&](Index a) { return at_least_lowest(load(rows_.column(a) + i) - log_sum); };
            Lanes entropy{};
            if (entropy_coefficient != 0.0)
                for (Index a = 0; a < policy_.n_actions; ++a)
                    entropy -= load(share_column(a) + i) * scale * log_prob(a);
            for (Index a = 0; a < policy_.n_actions; ++a) {
                const Lanes prob = load(share_column(a) + i) * scale;
                Lanes slope = (action == all_lanes(static_cast<double>(a)) ? coefficient : zero) - coefficient * prob;
                if (entropy_coefficient != 0.0) slope -= bonus * (prob * (log_prob(a) + entropy));
                store(rows_.column(a) + i, is_live ? slope : zero);
            }
        }
    }

    double* share_column(Index a) { return shares_.data() + a * kTileRows; }

    const SoftmaxPolicy& policy_;
    const Batch& batch_;
    Reals theta_;
    RowTile rows_;
    SurrogateTile tile_;
    alignas(64) SurrogateTile::Column actions_, sums_, log_sums_;
    std::array<std::uint32_t, kTileRows> states_;
    std::vector<double> shares_;
};

/// Entries by state: the states that are visited, their log pi and pi, each computed once, the coefficients of their
/// scores, and the weight of each state.
class StateMinibatch final : public Minibatch {
public:
    StateMinibatch(const SoftmaxPolicy& policy, const Batch& batch, Reals theta)
        : policy_(policy), batch_(batch), theta_(theta), weights_(static_cast<std::size_t>(policy.n_states), 0.0),
          is_visited_(static_cast<std::size_t>(policy.n_states), 0),
          coefficients_(static_cast<std::size_t>(policy.n_pairs()), 0.0), log_probs_(coefficients_),
          probs_(coefficients_), logits_(static_cast<std::size_t>(policy.n_actions)) {}

    void evaluate(const SurrogateEntries& entries, const SurrogateOptions& options, Surrogate& result) override {
        result.value = result.clip_fraction = result.approx_kl = 0.0;
        for (Index first = 0; first < entries.size(); first += kTileRows) {
            const Index count = tile_.take(entries, first);
            tile_.log_probs = tile_.old_log_probs;
            for (Index i = 0; i < count; ++i) {
                const std::uint32_t entry = entries.rows[first + i];
                if (tile_.weights[i] == 0.0) continue;
                visit(batch_.state(entry), tile_.weights[i]);
                tile_.log_probs[i] = log_probs_[pair(entry)];
            }
            tile_.compare(options, result);
            for (Index i = 0; i < count; ++i) coefficients_[pair(entries.rows[first + i])] += tile_.coefficients[i];
        }
        std::fill(result.gradient.begin(), result.gradient.end(), 0.0);
        for (Index state : visited_) add_state(state, options.entropy_coefficient, result.gradient);
        visited_.clear();
    }

private:
    Index pair(std::uint32_t entry) const {
        return batch_.state(entry) * policy_.n_actions + batch_.actions[entry];
    }

    void visit(Index state, double weight) {
        weights_[state] += weight;
        if (is_visited_[state]) return;
        const Index n_actions = policy_.n_actions, first = state * n_actions;
        is_visited_[state] = 1;
        visited_.push_back(state);
        policy_.lift_state(theta_, state, logits_.data());
        block_table(policy_, state, state + 1, logits_.data(), log_probs_.data() + first, probs_.data() + first);
    }

    /// Adds what belongs to a state, and forgets it.
    void add_state(Index state, double entropy_coefficient, MutableReals gradient) {
        const Index n_actions = policy_.n_actions;
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
        policy_.add_projected(state, slope.data(), gradient.data());
        std::fill(slope.begin(), slope.end(), 0.0);
        weights_[state] = 0.0;
        is_visited_[state] = 0;
    }

    MutableReals row(std::vector<double>& values, Index state) const {
        return MutableReals(values).subspan(static_cast<std::size_t>(state * policy_.n_actions),
                                            static_cast<std::size_t>(policy_.n_actions));
    }

    const SoftmaxPolicy& policy_;
    const Batch& batch_;
    Reals theta_;
    SurrogateTile tile_;
    std::vector<Index> visited_;
    std::vector<double> weights_;
    std::vector<std::uint8_t> is_visited_;
    std::vector<double> coefficients_, log_probs_, probs_, logits_;
};

}  // namespace

std::unique_ptr<Minibatch> softmax_minibatch(const SoftmaxPolicy& policy, const Batch& batch, Reals theta) {
    if (policy.n_shared_features > 0) return std::make_unique<RowMinibatch>(policy, batch, theta);
    return std::make_unique<StateMinibatch>(policy, batch, theta);
}

}  // namespace npgfast
