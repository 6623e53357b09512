#include "npgfast/geometry/surrogate.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/lane_math.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/policies/row_features.hpp"

namespace npgfast {

namespace {

/// exp(x) - 1 - x without cancellation, given exp(x).
Lanes exp_minus_one_minus(Lanes x, Lanes exp_x) {
    return magnitude(x) <= 0.34 ? x * x * exp_tail(x) : (exp_x - 1.0) - x;
}

}  // namespace

Index SurrogateTile::take(Reals all_weights, Reals all_advantages, Reals all_log_probs, Index first) {
    const Index count = std::min(kTileRows, std::ssize(all_weights) - first);
    const auto fill = [&](Column& column, Reals values) {
        std::copy_n(values.data() + first, count, column.data());
        std::fill(column.begin() + count, column.end(), 0.0);
    };
    fill(weights, all_weights);
    fill(advantages, all_advantages);
    fill(old_log_probs, all_log_probs);
    return count;
}

void SurrogateTile::compare(const SurrogateOptions& options, Surrogate& sum) {
    const Lanes zero{}, limit = all_lanes(kLogRatioLimit);
    const Lanes highest = all_lanes(1.0 + options.clip_range), lowest = all_lanes(1.0 - options.clip_range);
    Lanes value{}, clipped_weight{}, divergence{};
    for (Index i = 0; i < kTileRows; i += kWidth) {
        const Lanes weight = load(weights.data() + i), advantage = load(advantages.data() + i);
        const Lanes log_ratio = clamp(load(log_probs.data() + i) - load(old_log_probs.data() + i), -limit, limit);
        const Lanes ratio = exp_lanes(log_ratio);
        const LaneInts is_live = weight > zero, is_high = (advantage > zero) & (ratio > highest);
        const LaneInts is_clipped = (is_high | ((advantage < zero) & (ratio < lowest))) & is_live;
        const Lanes share = options.effective_horizon * weight * advantage;
        const Lanes slope = is_live ? share * ratio : zero;
        store(coefficients.data() + i, is_clipped ? zero : slope);
        value += is_clipped ? share * (is_high ? highest : lowest) : slope;
        clipped_weight += is_clipped ? weight : zero;
        divergence += is_live ? weight * exp_minus_one_minus(log_ratio, ratio) : zero;
    }
    sum.value += sum_of(value);
    sum.clip_fraction += sum_of(clipped_weight);
    sum.approx_kl += sum_of(divergence);
}

Surrogate surrogate(const SoftmaxPolicy& policy, const PolicyView& table, const Batch& batch, double clip_range,
                    Team& team) {
    Surrogate result;
    const Index n_actions = policy.n_actions;
    std::vector<double> coefficients(table.probs.size(), 0.0);
    const SurrogateOptions options{clip_range, batch.effective_horizon};
    SurrogateTile tile;
    for (Index first = 0; first < batch.size(); first += kTileRows) {
        const Index count = tile.take(batch.weights, batch.advantages, batch.log_probs, first);
        const auto pair = [&](Index i) { return batch.state(first + i) * n_actions + batch.actions[first + i]; };
        tile.log_probs = tile.old_log_probs;
        for (Index i = 0; i < count; ++i) tile.log_probs[i] = table.log_probs[pair(i)];
        tile.compare(options, result);
        for (Index i = 0; i < count; ++i) coefficients[pair(i)] += tile.coefficients[i];
    }
    result.gradient.resize(static_cast<std::size_t>(policy.n_params));
    const auto visit = [&](Index first, Index last, double* block, double*) {
        const auto start = static_cast<std::size_t>(first * n_actions);
        const auto size = static_cast<std::size_t>((last - first) * n_actions);
        std::copy_n(coefficients.begin() + first * n_actions, size, block);
        center_by_policy(table.probs.subspan(start, size), n_actions, {block, size});
    };
    RowSweep(policy.rows(), team)({}, visit, result.gradient);
    return result;
}

double ratio_minus_one(double new_log_prob, double old_log_prob) {
    return exp_minus_one(std::clamp(new_log_prob - old_log_prob, -kLogRatioLimit, kLogRatioLimit));
}

}  // namespace npgfast
