#include "npgfast/geometry/kl.hpp"

#include <cmath>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

constexpr double kNearZero = 0.34;

}  // namespace

double exp_minus_one(double x) {
    const Lanes lanes = all_lanes(x);
    return std::abs(x) <= kNearZero ? x + x * x * exp_tail(lanes)[0] : exp_lanes(lanes)[0] - 1.0;
}

double exp_minus_one_minus(double x) {
    const Lanes lanes = all_lanes(x);
    return std::abs(x) <= kNearZero ? x * x * exp_tail(lanes)[0] : (exp_lanes(lanes)[0] - 1.0) - x;
}

double divergence(const double* old_log_probs, const double* old_probs, const double* new_log_probs,
                  const double* new_probs, Index n_actions) {
    double sum = 0.0;
    for (Index a = 0; a < n_actions; ++a) {
        const double log_ratio = new_log_probs[a] - old_log_probs[a];
        if (old_probs[a] == 0.0)
            sum += new_probs[a];  // so that the (r - 1) terms sum to 0
        else if (std::abs(log_ratio) < 1.0)
            sum += old_probs[a] * exp_minus_one_minus(log_ratio);
        else
            sum += (new_probs[a] - old_probs[a]) - old_probs[a] * log_ratio;
    }
    return sum;
}

double mean_kl(const PolicyView& old_table, const PolicyView& new_table, Reals state_weights, Index n_actions) {
    double sum = 0.0;
    for (Index s = 0; s < std::ssize(state_weights); ++s) {
        if (!(state_weights[s] > 0.0)) continue;
        const Index i = s * n_actions;
        sum += state_weights[s] * divergence(old_table.log_probs.data() + i, old_table.probs.data() + i,
                                             new_table.log_probs.data() + i, new_table.probs.data() + i, n_actions);
    }
    return sum;
}

double mean_kl(Reals shifts, Reals old_log_std, Reals new_log_std, Reals weights) {
    const Index k = std::ssize(new_log_std), n = std::ssize(weights);
    double total = 0.0;
    for (double weight : weights) total += weight;
    double sum = 0.0;
    for (Index a = 0; a < k; ++a) {
        const double precision = std::exp(-new_log_std[a]);
        double squares = 0.0;
        for (Index i = 0; i < n; ++i) {
            const double shift = shifts[i * k + a] * precision;
            squares += weights[i] * (shift * shift);
        }
        sum += 0.5 * (squares + total * exp_minus_one_minus(-2.0 * (new_log_std[a] - old_log_std[a])));
    }
    return sum;
}

}  // namespace npgfast
