#include "npgfast/exact/optimality_bounds.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

/// A bound on the rounding of one entry of T V.
double rounding(const Quotient& quotient, const std::vector<double>& values, double tau, Team& team) {
    std::int64_t longest = 0;
    double largest_reward = 0.0;
    for (Index row : quotient.rows) {
        if (row == kStay) continue;
        longest = std::max(longest, quotient.mdp.indptr[row + 1] - quotient.mdp.indptr[row]);
        largest_reward = std::max(largest_reward, std::abs(quotient.mdp.rewards[row]));
    }
    const double size = largest_reward + largest_magnitude(values, team) +
                        (tau > 0.0 ? tau * (2.0 + std::log(static_cast<double>(quotient.mdp.n_actions))) : 0.0);
    return kUnitRoundoff * static_cast<double>(longest + (tau > 0.0 ? 12 + quotient.mdp.n_actions : 4)) * size;
}

Bounds discounted_bounds(double gamma, const std::vector<double>& residual, double slack) {
    const auto [low, high] = std::minmax_element(residual.begin(), residual.end());
    const double reach = 1.0 / (1.0 - gamma);
    return {(std::max(-*low, 0.0) + slack) * reach, (std::max(*high, 0.0) + slack) * reach, {}};
}

/// gamma = 1: V + eps w dominates its image under T, and V - eps w is dominated by its image under the choice.
Bounds undiscounted_bounds(const Quotient& quotient, const Iterate& iterate, double tau, double slack, Team& team,
                           const Interrupt& interrupt) {
    const std::vector<double>&residual = iterate.residual, &action_values = iterate.action_values;
    Bounds bounds{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(), {}};
    const auto n_nodes = static_cast<std::size_t>(quotient.n_nodes);
    const double size = std::max(1.0, largest_magnitude(iterate.values, team));
    double error = largest_magnitude(residual, team);
    for (Index node = 0; node < quotient.n_nodes; ++node) {  // the choice's own equation, ties included
        double image = -iterate.values[node];
        for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
            const double p = iterate.row_probs[j];
            if (p > 0.0) image += p * action_values[j] - (tau > 0.0 ? tau * (p * std::log(p)) : 0.0);
        }
        error = std::max(error, std::abs(image));
    }
    const double eps = 2.0 * (error + slack);
    const double near = 1e-9 * size;
    std::vector<double> row_probs(iterate.row_probs), weights(n_nodes), best(n_nodes);
    for (Index node = 0; node < quotient.n_nodes; ++node) best[node] = iterate.values[node] + residual[node];
    const std::vector<double> ones(n_nodes, 1.0);
    for (int round = 0; round < 100; ++round) {
        const SplitMatrix kernel{choice_kernel(quotient, row_probs, team), {}};
        const double relative =
            ResolventSystem(kernel, LinearMethod::automatic, team, interrupt).solve(ones, weights);
        if (!(relative < 1e-6) || !all_finite(weights) || *std::min_element(weights.begin(), weights.end()) < 0.5)
            return bounds;
        bool holds = true, changed = false;
        for (Index node = 0; node < quotient.n_nodes; ++node) {
            const Index first = quotient.begin[node], last = quotient.begin[node + 1];
            double soft = 0.0;
            Index longest = -1;
            for (Index j = first; j < last; ++j) {
                const double growth = quotient.next(quotient.rows[j], weights) - weights[node];
                if (tau > 0.0) {
                    soft += iterate.row_probs[j] * std::expm1(eps * growth / tau);
                    continue;
                }
                const double excess = action_values[j] - iterate.values[node] + slack + eps * growth;
                if (excess <= 0.0) continue;
                holds = false;
                if (action_values[j] >= best[node] - near && growth > -0.5) longest = j;
            }
            if (tau > 0.0 && residual[node] + slack + tau * std::log1p(soft) > 0.0) holds = false;
            if (longest < 0) continue;
            std::fill(row_probs.begin() + first, row_probs.begin() + last, 0.0);
            row_probs[longest] = 1.0;
            changed = true;
        }
        if (round == 0) {
            bounds.weights = weights;
            bounds.below = eps;  // P_choice w = w - 1, so the choice's image of V - eps w is at least V - eps w
        }
        if (holds) {
            for (std::size_t node = 0; node < n_nodes; ++node)
                bounds.weights[node] = std::max(bounds.weights[node], weights[node]);
            bounds.above = eps;
            return bounds;
        }
        if (!changed) return bounds;
    }
    return bounds;
}

}  // namespace

double largest_magnitude(const std::vector<double>& x, Team& team) {
    std::atomic<double> largest{0.0};
    team.split(std::ssize(x), [&](Index first, Index last) {
        std::array<double, kLanes> lanes{};
        Index i = first;
        for (; i + kLanes <= last; i += kLanes)
            for (Index k = 0; k < kLanes; ++k) lanes[k] = std::max(lanes[k], std::abs(x[i + k]));
        for (; i < last; ++i) lanes[0] = std::max(lanes[0], std::abs(x[i]));
        const double mine = *std::max_element(lanes.begin(), lanes.end());
        double seen = largest.load();
        while (mine > seen && !largest.compare_exchange_weak(seen, mine)) {
        }
    });
    return largest;
}

Bounds optimality_bounds(const Quotient& quotient, const Iterate& iterate, double tau, Team& team,
                         const Interrupt& interrupt) {
    const double slack = rounding(quotient, iterate.values, tau, team);
    if (quotient.mdp.gamma < 1.0) return discounted_bounds(quotient.mdp.gamma, iterate.residual, slack);
    return undiscounted_bounds(quotient, iterate, tau, slack, team, interrupt);
}

}  // namespace npgfast
