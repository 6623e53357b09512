#include "npgfast/exact/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr double kResidualLimit = 1e-10;
constexpr double kRareAction = 1e-9;  // a probability that sweeps between two residuals need not know of
constexpr double kLongestTime = 4e10;  // steps; beyond it rounding leaves fewer than five digits of a value

/// -pi log pi without the 0 * inf of an impossible action.
double entropy_term(double prob, double log_prob) { return prob > 0.0 ? -prob * log_prob : 0.0; }

/// gamma P_pi, the actions that are hardly ever taken apart if there are many of them.
SplitMatrix policy_kernel(const TabularMdp& mdp, Reals probs, Team& team) {
    const auto mix = [&](double low, double high) {
        return mix_rows(mdp, mdp.n_states, {}, team, [&, low, high](Index s, const auto& take) {
            for (Index row = s * mdp.n_actions; row < (s + 1) * mdp.n_actions; ++row)
                if (probs[row] > low && probs[row] <= high) take(row, probs[row]);
        });
    };
    Index n_rare = 0;
    for (double prob : probs) n_rare += prob > 0.0 && prob <= kRareAction;
    if (n_rare < mdp.n_pairs() / 4) return {mix(0.0, HUGE_VAL), {}};
    return {mix(kRareAction, HUGE_VAL), mix(0.0, kRareAction)};
}

/// At gamma = 1: a state from which the policy never terminates, or -1.
Index never_ending_state(const TabularMdp& mdp, const SplitMatrix& kernel, Reals probs) {
    const Index n = kernel.n();
    std::vector<Index> count(static_cast<std::size_t>(n) + 1, 0), frontier;
    for (Index s = 0; s < n; ++s)
        kernel.each_entry(s, [&](std::int32_t next, double) { ++count[static_cast<std::size_t>(next) + 1]; });
    for (Index s = 0; s < n; ++s) count[s + 1] += count[s];
    std::vector<Index> cursor(count.begin(), count.end() - 1), sources(static_cast<std::size_t>(kernel.n_entries()));
    for (Index s = 0; s < n; ++s)
        kernel.each_entry(s, [&](std::int32_t next, double value) {
            if (value > 0.0) sources[cursor[next]++] = s;
        });
    std::vector<std::uint8_t> ends(static_cast<std::size_t>(n), 0);
    for (Index row = 0; row < mdp.n_pairs(); ++row) {
        const Index s = row / mdp.n_actions;
        if (!ends[s] && probs[row] * mdp.termination[row] > 0.0) {
            ends[s] = 1;
            frontier.push_back(s);
        }
    }
    while (!frontier.empty()) {
        const Index s = frontier.back();
        frontier.pop_back();
        for (Index k = count[s]; k < cursor[s]; ++k)
            if (!ends[sources[k]]) {
                ends[sources[k]] = 1;
                frontier.push_back(sources[k]);
            }
    }
    const auto found = std::find(ends.begin(), ends.end(), 0);
    return found == ends.end() ? -1 : found - ends.begin();
}

/// Q(row) and A(row) of all actions of one state; returns nothing, writes n_actions entries of each.
void action_values_of(const TabularMdp& mdp, Index s, const double* next_values, double value, const double* log_probs,
                      double tau, double* action_values, double* advantages) {
    for (Index a = 0; a < mdp.n_actions; ++a) {
        const Index row = s * mdp.n_actions + a;
        if (!mdp.mask[row]) {
            action_values[a] = value;
            advantages[a] = 0.0;
            continue;
        }
        action_values[a] = mdp.rewards[row] + mdp.gamma * mdp.expected_next(row, next_values);
        advantages[a] = action_values[a] - value;
        if (tau > 0.0) advantages[a] -= tau * std::max(log_probs[a], -1e300);
    }
}

/// r_pi, with the entropy bonus.
std::vector<double> policy_rewards(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau, Team& team) {
    std::vector<double> rewards(static_cast<std::size_t>(mdp.n_states), 0.0);
    team.split(mdp.n_states, [&](Index first, Index last) {
        for (Index s = first; s < last; ++s)
            for (Index row = s * mdp.n_actions; row < (s + 1) * mdp.n_actions; ++row) {
                if (probs[row] == 0.0) continue;
                rewards[s] += probs[row] * mdp.rewards[row];
                if (tau > 0.0) rewards[s] += tau * entropy_term(probs[row], log_probs[row]);
            }
    });
    return rewards;
}

/// V, d and L.
void solve_policy(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau, LinearMethod method, Team& team,
                  const Interrupt& interrupt, Reals start, Evaluation& result) {
    const auto n_states = static_cast<std::size_t>(mdp.n_states);
    const SplitMatrix kernel = policy_kernel(mdp, probs, team);
    if (mdp.gamma == 1.0) {
        const Index state = never_ending_state(mdp, kernel, probs);
        if (state >= 0)
            throw EvaluationFailure("policy: from state " + std::to_string(state) +
                                        " it never terminates, so its value at gamma=1 is not defined; give gamma < 1, "
                                        "a horizon, or a policy that ends");
    }
    result.values.assign(n_states, 0.0);
    std::copy(start.begin(), start.end(), result.values.begin());
    result.occupancy.assign(mdp.initial.begin(), mdp.initial.end());
    ResolventSystem system(kernel, method, team, interrupt);
    const double value_residual = system.solve(policy_rewards(mdp, probs, log_probs, tau, team), result.values);
    if (mdp.gamma == 1.0) {
        // (I - K)^{-1} is nonnegative, so its norm, and with it the condition number,
        // is the longest time to termination.
        std::vector<double> time(n_states, 0.0);
        system.solve(std::vector<double>(n_states, 1.0), time);
        const auto [shortest, longest] = std::minmax_element(time.begin(), time.end());
        if (!(*shortest > 0.5 && *longest < kLongestTime))
            throw EvaluationFailure("policy: from state " + std::to_string(longest - time.begin()) +
                                    " it takes over 4e10 steps to terminate, and its value at gamma=1 is lost in "
                                    "rounding");
    }
    const double occupancy_residual = system.solve(mdp.initial, result.occupancy, true);
    result.residual = std::max(value_residual, occupancy_residual);
    if (!(result.residual <= kResidualLimit))
        throw EvaluationFailure("policy: its value could not be computed, the chain is too ill-conditioned (the "
                                "relative residual of its linear system stays above 1e-10)");
    for (double& mass : result.occupancy) {
        mass = std::max(mass, 0.0);
        result.effective_horizon += mass;
    }
    for (double& mass : result.occupancy) mass /= result.effective_horizon;
}

Evaluation evaluate_stationary(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau, LinearMethod method,
                               Team& team, const Interrupt& interrupt, const Guess& guess) {
    Evaluation result;
    if (guess.effective_horizon > 0.0) {
        result.values.assign(guess.values.begin(), guess.values.end());
        result.occupancy.assign(guess.occupancy.begin(), guess.occupancy.end());
        result.effective_horizon = guess.effective_horizon;
    } else {
        solve_policy(mdp, probs, log_probs, tau, method, team, interrupt, guess.values, result);
    }
    result.action_values.resize(static_cast<std::size_t>(mdp.n_pairs()));
    result.advantages.resize(result.action_values.size());
    result.objective = dot(mdp.initial, result.values);
    team.split(mdp.n_states, [&](Index first_state, Index last_state) {
        for (Index s = first_state; s < last_state; ++s) {
            const Index first = s * mdp.n_actions;
            action_values_of(mdp, s, result.values.data(), result.values[s], log_probs.data() + first, tau,
                             result.action_values.data() + first, result.advantages.data() + first);
        }
    });
    return result;
}

Evaluation evaluate_horizon(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau,
                            const Interrupt& interrupt) {
    const Index n_states = mdp.n_states, n_pairs = mdp.n_pairs();
    const Index stride = ssize(probs) == n_pairs ? 0 : n_pairs;  // 0: the same policy at every step
    Evaluation result;
    result.values.resize(static_cast<std::size_t>(mdp.horizon * n_states));
    result.occupancy.assign(static_cast<std::size_t>(mdp.horizon * n_states), 0.0);
    result.action_values.resize(static_cast<std::size_t>(mdp.horizon * n_pairs));
    result.advantages.resize(static_cast<std::size_t>(mdp.horizon * n_pairs));
    const std::vector<double> end(static_cast<std::size_t>(n_states), 0.0);
    const double* next_values = end.data();
    for (Index h = mdp.horizon - 1; h >= 0; --h) {
        interrupt.check();
        for (Index s = 0; s < n_states; ++s) {
            const Index first = s * mdp.n_actions;
            const double* row_probs = probs.data() + h * stride + first;
            const double* row_log_probs = log_probs.data() + h * stride + first;
            double value = 0.0;
            for (Index a = 0; a < mdp.n_actions; ++a) {
                if (row_probs[a] == 0.0) continue;
                value += row_probs[a] *
                         (mdp.rewards[first + a] + mdp.gamma * mdp.expected_next(first + a, next_values));
                if (tau > 0.0) value += tau * entropy_term(row_probs[a], row_log_probs[a]);
            }
            result.values[h * n_states + s] = value;
            action_values_of(mdp, s, next_values, value, row_log_probs, tau,
                             result.action_values.data() + h * n_pairs + first,
                             result.advantages.data() + h * n_pairs + first);
        }
        next_values = result.values.data() + h * n_states;
    }
    result.objective = dot(mdp.initial.data(), result.values.data(), n_states);

    std::copy(mdp.initial.begin(), mdp.initial.end(), result.occupancy.begin());
    for (Index h = 0; h + 1 < mdp.horizon; ++h) {
        interrupt.check();
        double* next = result.occupancy.data() + (h + 1) * n_states;
        for (Index row = 0; row < n_pairs; ++row) {
            const double mass = result.occupancy[h * n_states + row / mdp.n_actions] * probs[h * stride + row];
            if (mass == 0.0) continue;
            for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k)
                next[mdp.indices[k]] += mdp.gamma * mass * mdp.probabilities[k];
        }
    }
    for (double mass : result.occupancy) result.effective_horizon += mass;
    for (double& mass : result.occupancy) mass /= result.effective_horizon;
    return result;
}

}  // namespace

int team_size(const TabularMdp& mdp, int n_threads) {
    return static_cast<int>(std::clamp<Index>(std::ssize(mdp.indices) / 16000, 1, std::max(n_threads, 1)));
}

Evaluation evaluate(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau, LinearMethod method, Team& team,
                    const Interrupt& interrupt, const Guess& guess) {
    return mdp.horizon > 0 ? evaluate_horizon(mdp, probs, log_probs, tau, interrupt)
                           : evaluate_stationary(mdp, probs, log_probs, tau, method, team, interrupt, guess);
}

double unregularized_objective(const Evaluation& evaluation, Reals probs, Reals log_probs, Index n_actions,
                               double tau) {
    if (tau == 0.0) return evaluation.objective;
    double bonus = 0.0;
    const Index n_pairs = ssize(probs);
    for (Index i = 0; i < ssize(evaluation.action_values); ++i)
        bonus += evaluation.occupancy[i / n_actions] * entropy_term(probs[i % n_pairs], log_probs[i % n_pairs]);
    return evaluation.objective - tau * evaluation.effective_horizon * bonus;
}

}  // namespace npgfast
