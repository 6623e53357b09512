#include "npgfast/exact/optimality.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "npgfast/base/vector.hpp"
#include "npgfast/exact/quotient.hpp"

namespace npgfast {

namespace {

constexpr double kUnitRoundoff = 1.1102230246251565e-16;
constexpr int kModifiedSweeps = 50;
constexpr double kEvaluationShare = 0.1;    // of a policy's gain, to which its values are computed
constexpr double kExactEvaluation = 1e-14;  // a relative residual that is as good as none
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// The iterate of every method: node values, and the choice (or, with tau, the distribution over rows) behind them.
struct Iterate {
    std::vector<double> values;
    std::vector<double> row_probs;  // over quotient.rows; one-hot for tau = 0
    Index iterations = 0;
};

double largest_magnitude(const std::vector<double>& values) {
    double largest = 0.0;
    for (double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

/// tau log sum exp(q / tau) of a node's rows; also the softmax over them.
double soft_maximum(const Quotient& quotient, Index node, const std::vector<double>& action_values, double tau,
                    std::vector<double>* row_probs) {
    const Index first = quotient.begin[node], last = quotient.begin[node + 1];
    const double best = *std::max_element(action_values.begin() + first, action_values.begin() + last);
    double sum = 0.0;
    for (Index j = first; j < last; ++j) sum += std::exp((action_values[j] - best) / tau);
    if (row_probs)
        for (Index j = first; j < last; ++j) (*row_probs)[j] = std::exp((action_values[j] - best) / tau) / sum;
    return best + tau * std::log(sum);
}

/// (T V - V) per node, T with or without tau, and the action values of V.
std::vector<double> bellman_residual(const Quotient& quotient, const std::vector<double>& values, double tau,
                                     std::vector<double>& action_values, Team& team) {
    action_values.resize(quotient.rows.size());
    std::vector<double> residual(values.size());
    team.split(quotient.n_nodes, [&](Index first_node, Index last_node) {
        for (Index node = first_node; node < last_node; ++node) {
            const Index first = quotient.begin[node], last = quotient.begin[node + 1];
            for (Index j = first; j < last; ++j) action_values[j] = quotient.action_value(quotient.rows[j], values);
            const double image = tau > 0.0
                                     ? soft_maximum(quotient, node, action_values, tau, nullptr)
                                     : *std::max_element(action_values.begin() + first, action_values.begin() + last);
            residual[node] = image - values[node];
        }
    });
    return residual;
}

/// Values of the choice from those in `iterate`; sweeps end at the residual `target`. Returns the relative one reached.
double evaluate_choice(const Quotient& quotient, double tau, double target, Iterate& iterate, Team& team,
                       const Interrupt& interrupt) {
    std::vector<double> rewards(iterate.values.size(), 0.0);
    team.split(quotient.n_nodes, [&](Index first, Index last) {
        for (Index node = first; node < last; ++node)
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                const double p = iterate.row_probs[j];
                if (p == 0.0) continue;
                rewards[node] += p * quotient.reward(quotient.rows[j]);
                if (tau > 0.0) rewards[node] -= tau * (p * std::log(p));
            }
    });
    const SplitMatrix kernel{choice_kernel(quotient, iterate.row_probs, team), {}};
    return ResolventSystem(kernel, LinearMethod::automatic, team, interrupt).solve(rewards, iterate.values, false, target);
}

/// Moves each node to its best row where that gains more than `slack`; returns whether one has moved.
bool move_to_best(const Quotient& quotient, const std::vector<double>& action_values, double slack,
                  std::vector<double>& row_probs, Team& team) {
    std::atomic<bool> changed{false};
    team.split(quotient.n_nodes, [&](Index first_node, Index last_node) {
        bool moved = false;
        for (Index node = first_node; node < last_node; ++node) {
            const Index first = quotient.begin[node], last = quotient.begin[node + 1];
            const Index current =
                std::max_element(row_probs.begin() + first, row_probs.begin() + last) - row_probs.begin();
            const Index best =
                std::max_element(action_values.begin() + first, action_values.begin() + last) - action_values.begin();
            if (action_values[best] <= action_values[current] + slack) continue;
            row_probs[current] = 0.0;
            row_probs[best] = 1.0;
            moved = true;
        }
        if (moved) changed = true;
    });
    return changed;
}

/// Policy iteration. While policies still gain, their values need not be better than a share of the last gain; a share
/// that does not halve the gain is cut down, so that in the end the iteration is that of exact values.
void iterate_policies(const Quotient& quotient, double tau, Index max_iterations, Iterate& iterate, Team& team,
                      const Interrupt& interrupt) {
    std::vector<double> action_values;
    double previous = std::numeric_limits<double>::infinity(), share = kEvaluationShare, target = 0.0;
    if (tau == 0.0) target = share * largest_magnitude(bellman_residual(quotient, iterate.values, tau, action_values, team));
    for (; iterate.iterations < max_iterations; ++iterate.iterations) {
        interrupt.check();
        const double reached = evaluate_choice(quotient, tau, target, iterate, team, interrupt);
        const std::vector<double> residual = bellman_residual(quotient, iterate.values, tau, action_values, team);
        const double size = std::max(1.0, largest_magnitude(iterate.values));
        const double error = largest_magnitude(residual);
        const bool is_exact = target == 0.0 || reached <= kExactEvaluation;
        if (tau > 0.0) {
            if (error <= 1e-15 * size || (is_exact && error <= 1e-11 * size && error >= 0.5 * previous)) break;
            team.split(quotient.n_nodes, [&](Index first, Index last) {
                for (Index node = first; node < last; ++node)
                    soft_maximum(quotient, node, action_values, tau, &iterate.row_probs);
            });
        } else if (!move_to_best(quotient, action_values, 1e-13 * size, iterate.row_probs, team)) {
            if (is_exact) break;
            target = 0.0;
            continue;
        }
        if (error > 0.5 * previous) share *= kEvaluationShare;
        previous = error;
        target = error > 1e-12 * size ? share * error : 0.0;
    }
    iterate.iterations = std::min(iterate.iterations + 1, max_iterations);
}

void iterate_values(const Quotient& quotient, double tau, double tol, int n_sweeps, Index max_iterations,
                    Iterate& iterate, Team& team, const Interrupt& interrupt) {
    std::vector<double> action_values, next(iterate.values.size());
    double previous = std::numeric_limits<double>::infinity();
    int stagnant = 0;
    for (; iterate.iterations < max_iterations; ++iterate.iterations) {
        interrupt.check();
        const std::vector<double> residual = bellman_residual(quotient, iterate.values, tau, action_values, team);
        for (Index node = 0; node < quotient.n_nodes; ++node) {
            iterate.values[node] += residual[node];
            if (tau > 0.0) {
                soft_maximum(quotient, node, action_values, tau, &iterate.row_probs);
                continue;
            }
            const Index first = quotient.begin[node], last = quotient.begin[node + 1];
            std::fill(iterate.row_probs.begin() + first, iterate.row_probs.begin() + last, 0.0);
            iterate.row_probs[std::max_element(action_values.begin() + first, action_values.begin() + last) -
                              action_values.begin()] = 1.0;
        }
        const double error = largest_magnitude(residual);
        const double size = std::max(1.0, largest_magnitude(iterate.values));
        stagnant = error < previous ? 0 : stagnant + 1;
        previous = std::min(previous, error);
        const double discount_left = std::max(1.0 - quotient.mdp.gamma, 1e-12);
        if (error <= 0.01 * tol * discount_left * size || stagnant > 100) break;
        for (int sweep = 0; sweep < n_sweeps; ++sweep) {
            for (Index node = 0; node < quotient.n_nodes; ++node) {
                next[node] = 0.0;
                for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                    const double p = iterate.row_probs[j];
                    if (p == 0.0) continue;
                    next[node] += p * quotient.action_value(quotient.rows[j], iterate.values);
                    if (tau > 0.0) next[node] -= tau * (p * std::log(p));
                }
            }
            std::swap(next, iterate.values);
        }
    }
    iterate.iterations = std::min(iterate.iterations + 1, max_iterations);
}

/// A bound on the rounding of one entry of T V.
double rounding(const Quotient& quotient, const std::vector<double>& values, double tau) {
    std::int64_t longest = 0;
    double largest_reward = 0.0;
    for (Index row : quotient.rows) {
        if (row == kStay) continue;
        longest = std::max(longest, quotient.mdp.indptr[row + 1] - quotient.mdp.indptr[row]);
        largest_reward = std::max(largest_reward, std::abs(quotient.mdp.rewards[row]));
    }
    const double size = largest_reward + largest_magnitude(values) +
                        (tau > 0.0 ? tau * (2.0 + std::log(static_cast<double>(quotient.mdp.n_actions))) : 0.0);
    return kUnitRoundoff * static_cast<double>(longest + (tau > 0.0 ? 12 + quotient.mdp.n_actions : 4)) * size;
}

struct Bounds {
    double below = 0.0, above = 0.0;  // V - below <= V* <= V + above, times `weights` if there are any
    std::vector<double> weights;
};

Bounds discounted_bounds(double gamma, const std::vector<double>& residual, double slack) {
    const auto [low, high] = std::minmax_element(residual.begin(), residual.end());
    const double reach = 1.0 / (1.0 - gamma);
    return {(std::max(-*low, 0.0) + slack) * reach, (std::max(*high, 0.0) + slack) * reach, {}};
}

/// gamma = 1: V + eps w dominates its image under T, and V - eps w is dominated by its image under the choice.
Bounds undiscounted_bounds(const Quotient& quotient, const Iterate& iterate, const std::vector<double>& residual,
                           const std::vector<double>& action_values, double tau, double slack, Team& team,
                           const Interrupt& interrupt) {
    Bounds bounds{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(), {}};
    const auto n_nodes = static_cast<std::size_t>(quotient.n_nodes);
    const double size = std::max(1.0, largest_magnitude(iterate.values));
    double error = largest_magnitude(residual);
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

Optimum solve_horizon(const TabularMdp& mdp, double tau, const Interrupt& interrupt) {
    const Index n_states = mdp.n_states, n_pairs = mdp.n_pairs();
    Optimum result;
    result.values.resize(static_cast<std::size_t>(mdp.horizon * n_states));
    result.action_values.resize(static_cast<std::size_t>(mdp.horizon * n_pairs));
    result.actions.resize(result.values.size());
    const std::vector<double> end(static_cast<std::size_t>(n_states), 0.0);
    const double* next_values = end.data();
    double largest = 0.0;
    for (Index h = mdp.horizon - 1; h >= 0; --h) {
        interrupt.check();
        double* q = result.action_values.data() + h * n_pairs;
        for (Index s = 0; s < n_states; ++s) {
            double best = kMinusInfinity;
            Index best_action = 0;
            for (Index a = 0; a < mdp.n_actions; ++a) {
                const Index row = s * mdp.n_actions + a;
                q[row] = mdp.mask[row] ? mdp.rewards[row] + mdp.gamma * mdp.expected_next(row, next_values)
                                       : kMinusInfinity;
                if (q[row] > best) {
                    best = q[row];
                    best_action = a;
                }
            }
            double value = best;
            if (tau > 0.0) {
                double sum = 0.0;
                for (Index a = 0; a < mdp.n_actions; ++a) sum += std::exp((q[s * mdp.n_actions + a] - best) / tau);
                value += tau * std::log(sum);
            }
            largest = std::max(largest, std::abs(value));
            result.values[h * n_states + s] = value;
            result.actions[h * n_states + s] = static_cast<std::int32_t>(best_action);
        }
        next_values = result.values.data() + h * n_states;
    }
    result.objective = dot(mdp.initial.data(), next_values, n_states);
    std::int64_t longest = 0;
    for (Index row = 0; row < n_pairs; ++row) {
        longest = std::max(longest, mdp.indptr[row + 1] - mdp.indptr[row]);
        largest = std::max(largest, std::abs(mdp.rewards[row]));
    }
    const double slack = kUnitRoundoff * static_cast<double>(mdp.horizon * (longest + 16) + n_states) *
                         (2.0 * largest + tau * (2.0 + std::log(static_cast<double>(mdp.n_actions))));
    result.lower = result.objective - slack;
    result.upper = result.objective + slack;
    result.iterations = mdp.horizon;
    return result;
}

}  // namespace

Optimum solve(const TabularMdp& mdp, double tau, double tol, OptimalityMethod method, Index max_iterations,
              Team& team, const Interrupt& interrupt) {
    Optimum result;
    if (mdp.horizon > 0) {
        result = solve_horizon(mdp, tau, interrupt);
        result.converged = result.upper - result.lower <= tol * std::max(1.0, std::abs(result.objective));
        return result;
    }
    EndComponents components;
    bool unbounded = false;
    if (mdp.gamma == 1.0 && tau == 0.0) {
        std::vector<std::uint8_t> usable(static_cast<std::size_t>(mdp.n_pairs()), 1);
        const EndComponents all = end_components(mdp, usable);
        for (Index row = 0; row < mdp.n_pairs(); ++row) {
            unbounded |= all.internal[row] && mdp.rewards[row] > 0.0;
            usable[row] = mdp.rewards[row] == 0.0;
        }
        components = end_components(mdp, usable);
    } else {
        components.component.resize(static_cast<std::size_t>(mdp.n_states));
        std::iota(components.component.begin(), components.component.end(), 0);
        components.internal.assign(static_cast<std::size_t>(mdp.n_pairs()), 0);
        components.n_components = static_cast<std::int32_t>(mdp.n_states);
    }
    const Quotient quotient = make_quotient(mdp, components);

    Iterate iterate;
    iterate.values.assign(static_cast<std::size_t>(quotient.n_nodes), 0.0);
    iterate.row_probs.assign(quotient.rows.size(), 0.0);
    if (tau > 0.0) {
        for (Index node = 0; node < quotient.n_nodes; ++node)
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j)
                iterate.row_probs[j] = 1.0 / static_cast<double>(quotient.begin[node + 1] - quotient.begin[node]);
    } else if (std::none_of(mdp.termination.begin(), mdp.termination.end(), [](double mass) { return mass > 0.0; })) {
        std::vector<double> rewards;
        bellman_residual(quotient, std::vector<double>(iterate.values), 0.0, rewards, team);
        for (Index node = 0; node < quotient.n_nodes; ++node) iterate.row_probs[quotient.begin[node]] = 1.0;
        move_to_best(quotient, rewards, 0.0, iterate.row_probs, team);
    } else {
        for (Index j : proper_choice(quotient)) iterate.row_probs[j] = 1.0;
    }
    if (method == OptimalityMethod::automatic || method == OptimalityMethod::policy_iteration)
        iterate_policies(quotient, tau, max_iterations, iterate, team, interrupt);
    else
        iterate_values(quotient, tau, tol, method == OptimalityMethod::value_iteration ? 0 : kModifiedSweeps,
                       max_iterations, iterate, team, interrupt);

    std::vector<double> action_values;
    const std::vector<double> residual = bellman_residual(quotient, iterate.values, tau, action_values, team);
    const double slack = rounding(quotient, iterate.values, tau);
    const Bounds bounds = mdp.gamma < 1.0 ? discounted_bounds(mdp.gamma, residual, slack)
                                          : undiscounted_bounds(quotient, iterate, residual, action_values, tau, slack,
                                                                team, interrupt);
    result.iterations = iterate.iterations;
    result.values.resize(static_cast<std::size_t>(mdp.n_states));
    double weight = 0.0;
    for (Index s = 0; s < mdp.n_states; ++s) {
        result.values[s] = iterate.values[quotient.node_of[s]];
        weight += mdp.initial[s] * (bounds.weights.empty() ? 1.0 : bounds.weights[quotient.node_of[s]]);
    }
    result.objective = dot(mdp.initial, result.values);
    const double summation = kUnitRoundoff * static_cast<double>(mdp.n_states) * largest_magnitude(result.values);
    result.lower = result.objective - bounds.below * weight - summation;
    result.upper = unbounded ? std::numeric_limits<double>::infinity()
                             : result.objective + bounds.above * weight + summation;
    result.converged = result.upper - result.lower <= tol * std::max(1.0, std::abs(result.objective));
    result.action_values.resize(static_cast<std::size_t>(mdp.n_pairs()));
    team.split(mdp.n_pairs(), [&](Index first, Index last) {
        for (Index row = first; row < last; ++row)
            result.action_values[row] =
                mdp.mask[row] ? mdp.rewards[row] + mdp.gamma * mdp.expected_next(row, result.values.data())
                              : kMinusInfinity;
    });
    result.actions = state_actions(quotient, components, iterate.row_probs);
    return result;
}

}  // namespace npgfast
