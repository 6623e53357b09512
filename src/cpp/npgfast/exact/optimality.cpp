#include "npgfast/exact/optimality.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "npgfast/base/vector.hpp"
#include "npgfast/exact/optimality_bounds.hpp"

namespace npgfast {

namespace {

constexpr int kModifiedSweeps = 50;
constexpr int kFirstEvaluation = 4, kLongestEvaluation = 24;  // sweeps, for a policy that still gains
constexpr double kExactEvaluation = 1e-14;                    // a relative residual that is as good as none
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

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

/// T V - V per node, T with or without tau, and the action values of V.
///
/// Cost: one pass over the kernel; bound by memory and by the gathers from V.
void look_ahead(const Quotient& quotient, double tau, Iterate& iterate, Team& team) {
    iterate.action_values.resize(quotient.rows.size());
    iterate.residual.resize(iterate.values.size());
    team.split(quotient.n_nodes, [&](Index first_node, Index last_node) {
        double* action_values = iterate.action_values.data();
        for (Index node = first_node; node < last_node; ++node) {
            double best = kMinusInfinity;
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                action_values[j] = quotient.action_value(quotient.rows[j], iterate.values);
                best = std::max(best, action_values[j]);
            }
            if (tau > 0.0) best = soft_maximum(quotient, node, iterate.action_values, tau, nullptr);
            iterate.residual[node] = best - iterate.values[node];
        }
    });
}

/// Values of the distribution over rows, or of a choice of one row for each node if it is not empty, from those in
/// `iterate`; see ResolventSystem for n_sweeps. Returns the relative residual.
double evaluate_choice(const Quotient& quotient, double tau, const std::vector<Index>& choice, int n_sweeps,
                       Iterate& iterate, Team& team, const Interrupt& interrupt) {
    std::vector<double> rewards(iterate.values.size(), 0.0);
    team.split(quotient.n_nodes, [&](Index first, Index last) {
        for (Index node = first; node < last; ++node) {
            if (!choice.empty()) {
                rewards[node] = quotient.reward(quotient.rows[choice[node]]);
                continue;
            }
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                const double p = iterate.row_probs[j];
                if (p == 0.0) continue;
                rewards[node] += p * quotient.reward(quotient.rows[j]) - tau * (p * std::log(p));
            }
        }
    });
    const SplitMatrix kernel{choice.empty() ? choice_kernel(quotient, iterate.row_probs, team)
                                            : choice_kernel(quotient, choice, team),
                             {}};
    return ResolventSystem(kernel, LinearMethod::automatic, team, interrupt)
        .solve(rewards, iterate.values, false, n_sweeps);
}

/// Moves each node to its best row where that gains more than `slack`; returns whether one has moved.
bool move_to_best(const Quotient& quotient, const std::vector<double>& action_values, double slack,
                  std::vector<Index>& choice, Team& team) {
    std::atomic<bool> changed{false};
    team.split(quotient.n_nodes, [&](Index first_node, Index last_node) {
        bool moved = false;
        for (Index node = first_node; node < last_node; ++node) {
            Index best = choice[node];
            double highest = action_values[best] + slack;
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                best = action_values[j] > highest ? j : best;
                highest = std::max(highest, action_values[j]);
            }
            moved |= best != choice[node];
            choice[node] = best;
        }
        if (moved) changed = true;
    });
    return changed;
}

/// Soft policy iteration.
void iterate_soft_policies(const Quotient& quotient, double tau, Index max_iterations, Iterate& iterate, Team& team,
                           const Interrupt& interrupt) {
    double previous = std::numeric_limits<double>::infinity();
    for (; iterate.iterations < max_iterations; ++iterate.iterations) {
        interrupt.check();
        evaluate_choice(quotient, tau, {}, 0, iterate, team, interrupt);
        look_ahead(quotient, tau, iterate, team);
        const double size = std::max(1.0, largest_magnitude(iterate.values, team));
        const double error = largest_magnitude(iterate.residual, team);
        if (error <= 1e-15 * size || (error <= 1e-11 * size && error >= 0.5 * previous)) break;
        team.split(quotient.n_nodes, [&](Index first, Index last) {
            for (Index node = first; node < last; ++node)
                soft_maximum(quotient, node, iterate.action_values, tau, &iterate.row_probs);
        });
        previous = error;
    }
    iterate.iterations = std::min(iterate.iterations + 1, max_iterations);
}

/// Policy iteration from a choice. While policies still gain, their evaluation is a few sweeps, twice as many after
/// each time that the gain has not halved, until in the end the iteration is that of exact values. At gamma = 1 it is
/// so from the start: a policy that improves on inexact values may not end.
void iterate_policies(const Quotient& quotient, Index max_iterations, std::vector<Index> choice, Iterate& iterate,
                      Team& team, const Interrupt& interrupt) {
    double previous = std::numeric_limits<double>::infinity();
    int n_sweeps = quotient.mdp.gamma < 1.0 ? kFirstEvaluation : 0;
    for (; iterate.iterations < max_iterations; ++iterate.iterations) {
        interrupt.check();
        const double reached = evaluate_choice(quotient, 0.0, choice, n_sweeps, iterate, team, interrupt);
        look_ahead(quotient, 0.0, iterate, team);
        const double size = std::max(1.0, largest_magnitude(iterate.values, team));
        if (!move_to_best(quotient, iterate.action_values, 1e-13 * size, choice, team)) {
            if (n_sweeps == 0 || reached <= kExactEvaluation) break;
            n_sweeps = 0;
            continue;
        }
        const double error = largest_magnitude(iterate.residual, team);
        if (error > 0.5 * previous) n_sweeps *= 2;
        if (n_sweeps > kLongestEvaluation || error <= 1e-12 * size) n_sweeps = 0;
        previous = error;
    }
    iterate.iterations = std::min(iterate.iterations + 1, max_iterations);
    std::fill(iterate.row_probs.begin(), iterate.row_probs.end(), 0.0);
    for (Index j : choice) iterate.row_probs[j] = 1.0;
}

void iterate_values(const Quotient& quotient, double tau, double tol, int n_sweeps, Index max_iterations,
                    Iterate& iterate, Team& team, const Interrupt& interrupt) {
    std::vector<double> next(iterate.values.size());
    const std::vector<double>& action_values = iterate.action_values;
    double previous = std::numeric_limits<double>::infinity();
    int stagnant = 0;
    for (; iterate.iterations < max_iterations; ++iterate.iterations) {
        interrupt.check();
        look_ahead(quotient, tau, iterate, team);
        team.split(quotient.n_nodes, [&](Index begin, Index end) {
            for (Index node = begin; node < end; ++node) {
                iterate.values[node] += iterate.residual[node];
                if (tau > 0.0) {
                    soft_maximum(quotient, node, action_values, tau, &iterate.row_probs);
                    continue;
                }
                const Index first = quotient.begin[node], last = quotient.begin[node + 1];
                std::fill(iterate.row_probs.begin() + first, iterate.row_probs.begin() + last, 0.0);
                iterate.row_probs[std::max_element(action_values.begin() + first, action_values.begin() + last) -
                                  action_values.begin()] = 1.0;
            }
        });
        const double error = largest_magnitude(iterate.residual, team);
        const double size = std::max(1.0, largest_magnitude(iterate.values, team));
        stagnant = error < previous ? 0 : stagnant + 1;
        previous = std::min(previous, error);
        const double discount_left = std::max(1.0 - quotient.mdp.gamma, 1e-12);
        if (error <= 0.01 * tol * discount_left * size || stagnant > 100) break;
        for (int sweep = 0; sweep < n_sweeps; ++sweep) {
            team.split(quotient.n_nodes, [&](Index begin, Index end) {
                for (Index node = begin; node < end; ++node) {
                    next[node] = 0.0;
                    for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j) {
                        const double p = iterate.row_probs[j];
                        if (p == 0.0) continue;
                        next[node] += p * quotient.action_value(quotient.rows[j], iterate.values);
                        if (tau > 0.0) next[node] -= tau * (p * std::log(p));
                    }
                }
            });
            std::swap(next, iterate.values);
        }
    }
    iterate.iterations = std::min(iterate.iterations + 1, max_iterations);
    look_ahead(quotient, tau, iterate, team);
}

/// The end components that optimal values do not distinguish, at gamma = 1 those whose rewards are all 0; else each
/// state by itself. `unbounded`: whether one offers a positive reward.
EndComponents collapsible(const TabularMdp& mdp, double tau, bool& unbounded) {
    if (mdp.gamma == 1.0 && tau == 0.0) {
        std::vector<std::uint8_t> usable(static_cast<std::size_t>(mdp.n_pairs()), 1);
        const EndComponents all = end_components(mdp, usable);
        for (Index row = 0; row < mdp.n_pairs(); ++row) {
            unbounded |= all.internal[row] && mdp.rewards[row] > 0.0;
            usable[row] = mdp.rewards[row] == 0.0;
        }
        return end_components(mdp, usable);
    }
    EndComponents each;
    each.component.resize(static_cast<std::size_t>(mdp.n_states));
    std::iota(each.component.begin(), each.component.end(), 0);
    each.internal.assign(static_cast<std::size_t>(mdp.n_pairs()), 0);
    each.n_components = static_cast<std::int32_t>(mdp.n_states);
    return each;
}

/// Where policy iteration starts: the highest reward, or where something terminates, a choice that ends.
std::vector<Index> first_choice(const Quotient& quotient, Team& team) {
    const Reals termination = quotient.mdp.termination;
    if (std::any_of(termination.begin(), termination.end(), [](double mass) { return mass > 0.0; }))
        return proper_choice(quotient);
    std::vector<double> rewards(quotient.rows.size());
    for (std::size_t j = 0; j < rewards.size(); ++j) rewards[j] = quotient.reward(quotient.rows[j]);
    std::vector<Index> choice(quotient.begin.begin(), quotient.begin.end() - 1);
    move_to_best(quotient, rewards, 0.0, choice, team);
    return choice;
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
    bool unbounded = false;
    const EndComponents components = collapsible(mdp, tau, unbounded);
    const Quotient quotient = make_quotient(mdp, components);

    Iterate iterate;
    iterate.values.assign(static_cast<std::size_t>(quotient.n_nodes), 0.0);
    iterate.row_probs.assign(quotient.rows.size(), 0.0);
    if (tau > 0.0)
        for (Index node = 0; node < quotient.n_nodes; ++node)
            for (Index j = quotient.begin[node]; j < quotient.begin[node + 1]; ++j)
                iterate.row_probs[j] = 1.0 / static_cast<double>(quotient.begin[node + 1] - quotient.begin[node]);
    if (method != OptimalityMethod::automatic && method != OptimalityMethod::policy_iteration)
        iterate_values(quotient, tau, tol, method == OptimalityMethod::value_iteration ? 0 : kModifiedSweeps,
                       max_iterations, iterate, team, interrupt);
    else if (tau > 0.0)
        iterate_soft_policies(quotient, tau, max_iterations, iterate, team, interrupt);
    else
        iterate_policies(quotient, max_iterations, first_choice(quotient, team), iterate, team, interrupt);

    const Bounds bounds = optimality_bounds(quotient, iterate, tau, team, interrupt);
    result.iterations = iterate.iterations;
    result.values.resize(static_cast<std::size_t>(mdp.n_states));
    double weight = 0.0;
    for (Index s = 0; s < mdp.n_states; ++s) {
        result.values[s] = iterate.values[quotient.node_of[s]];
        weight += mdp.initial[s] * (bounds.weights.empty() ? 1.0 : bounds.weights[quotient.node_of[s]]);
    }
    result.objective = dot(mdp.initial, result.values);
    const double summation = kUnitRoundoff * static_cast<double>(mdp.n_states) * largest_magnitude(result.values, team);
    result.lower = result.objective - bounds.below * weight - summation;
    result.upper = unbounded ? std::numeric_limits<double>::infinity()
                             : result.objective + bounds.above * weight + summation;
    result.converged = result.upper - result.lower <= tol * std::max(1.0, std::abs(result.objective));
    result.action_values.assign(static_cast<std::size_t>(mdp.n_pairs()), kMinusInfinity);
    if (mdp.gamma < 1.0)  // nothing is collapsed
        for (std::size_t j = 0; j < quotient.rows.size(); ++j)
            result.action_values[quotient.rows[j]] = iterate.action_values[j];
    else
        team.split(mdp.n_pairs(), [&](Index first, Index last) {
            for (Index row = first; row < last; ++row)
                if (mdp.mask[row])
                    result.action_values[row] =
                        mdp.rewards[row] + mdp.gamma * mdp.expected_next(row, result.values.data());
        });
    result.actions = state_actions(quotient, components, iterate.row_probs);
    return result;
}

}  // namespace npgfast
