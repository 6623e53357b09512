#include "npgfast/geometry/gaussian_minibatch.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/lanes.hpp"

namespace npgfast {

namespace {

class GaussianMinibatch final : public Minibatch {
public:
    GaussianMinibatch(const GaussianPolicy& policy, Reals actions, Reals theta)
        : policy_(policy), all_actions_(actions), theta_(theta),
          rows_(policy.features, policy.n_features, policy.action_size),
          actions_(static_cast<std::size_t>(policy.action_size * kTileRows)),
          precision_(static_cast<std::size_t>(policy.action_size)) {}

    void evaluate(const SurrogateEntries& entries, const SurrogateOptions& options, Surrogate& result) override {
        const Index k = policy_.action_size, m = policy_.n_features;
        const Reals log_std = policy_.log_std(theta_);
        for (Index a = 0; a < k; ++a) precision_[a] = std::exp(-log_std[a]);
        constant_ = gaussian_log_prob(theta_.data(), theta_.data(), log_std);  // of an action at the mean
        double* const slope_of_log_std = result.gradient.data() + m * k;
        std::fill_n(slope_of_log_std, k, 0.0);
        result.value = result.clip_fraction = result.approx_kl = 0.0;
        double total = 0.0;
        for (Index first = 0; first < entries.size(); first += kTileRows) {
            const Index count = tile_.take(entries, first);
            const std::uint32_t* rows = entries.rows.data() + first;
            std::fill(actions_.begin(), actions_.end(), 0.0);
            for (Index i = 0; i < count; ++i)
                for (Index a = 0; a < k; ++a) actions_[a * kTileRows + i] = all_actions_[Index{rows[i]} * k + a];
            rows_.gather(rows, count);
            rows_.multiply(theta_.data());
            find_log_probs();
            tile_.compare(options, result);
            find_slopes(slope_of_log_std);
            rows_.add_columns();
            for (Index i = 0; i < count; ++i) total += tile_.weights[i];
        }
        rows_.finish(result.gradient.data());
        for (Index j = 0; j < m; ++j)
            for (Index a = 0; a < k; ++a) result.gradient[j * k + a] *= precision_[a];
        for (Index a = 0; a < k; ++a) slope_of_log_std[a] += options.entropy_coefficient * total;  // dH/dlog_std = 1
    }

private:
    /// log_probs of the actions; columns = z.
    void find_log_probs() {
        for (Index i = 0; i < kTileRows; i += kWidth) {
            Lanes log_prob = all_lanes(constant_);
            for (Index a = 0; a < policy_.action_size; ++a) {
                const Lanes z = (load(actions_.data() + a * kTileRows + i) - load(rows_.column(a) + i)) * precision_[a];
                store(rows_.column(a) + i, z);
                log_prob -= 0.5 * (z * z);
            }
            store(tile_.log_probs.data() + i, log_prob);
        }
    }

    /// columns = c z; adds the slopes of log_std.
    void find_slopes(double* slope_of_log_std) {
        const Lanes zero{};
        for (Index a = 0; a < policy_.action_size; ++a) {
            Lanes sum{};
            for (Index i = 0; i < kTileRows; i += kWidth) {
                const Lanes coefficient = load(tile_.coefficients.data() + i), z = load(rows_.column(a) + i);
                const LaneInts is_idle = coefficient == zero;
                const Lanes slope = is_idle ? zero : coefficient * z;
                store(rows_.column(a) + i, slope);
                sum += is_idle ? zero : slope * z - coefficient;
            }
            slope_of_log_std[a] += sum_of(sum);
        }
    }

    const GaussianPolicy& policy_;
    Reals all_actions_, theta_;
    RowTile rows_;
    SurrogateTile tile_;
    std::vector<double> actions_;    ///< (k, kTileRows)
    std::vector<double> precision_;  ///< (k,)
    double constant_ = 0.0;
};

}  // namespace

std::unique_ptr<Minibatch> gaussian_minibatch(const GaussianPolicy& policy, Reals actions, Reals theta) {
    return std::make_unique<GaussianMinibatch>(policy, actions, theta);
}

}  // namespace npgfast
