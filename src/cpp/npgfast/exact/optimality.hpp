#pragma once

#include <vector>

#include "npgfast/exact/linear_system.hpp"
#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

enum class OptimalityMethod : int { automatic = 0, policy_iteration, modified_policy_iteration, value_iteration };

struct Optimum {
    double objective = 0.0;  ///< mu . V
    double lower = 0.0;      ///< certified: lower <= J* <= upper, rounding included
    double upper = 0.0;
    Index iterations = 0;
    bool converged = false;  ///< upper - lower <= tol max(1, |objective|)
    std::vector<double> values, action_values;
    std::vector<std::int32_t> actions;
};

/// The optimal value functions and actions, with certified bounds on the optimal objective.
///
///     V(s) = max_a Q(s,a)   or, with tau > 0,   V(s) = tau log sum_a exp(Q(s,a) / tau);    Q = r + gamma P V
///
/// Without horizon: policy iteration (Newton's method on the equation above; soft policy iteration with tau > 0), or
/// sweeps of V <- max_a Q with 50 (modified) or 0 (value iteration) evaluations of the greedy policy between them.
/// Ties keep the current action, so policy iteration cannot cycle; in large problems with gamma < 1 a policy that still
/// gains is evaluated by a few sweeps only, the last one to rounding. With a horizon: backward induction, all arrays
/// with a leading time axis.
/// Bounds. gamma < 1: if d = TV - V, V* lies within TV + gamma/(1-gamma) [min(d,0), max(d,0)], widened by the
/// rounding of T. gamma = 1: end components whose rewards are all 0 are collapsed; then U = V + eps w with w the
/// longest time to termination under near-optimal actions satisfies TU <= U, which is checked row by row and bounds
/// every policy that ends; if an end component offers a positive reward, or no such w is found, upper is +inf.
/// Outputs: Q of a forbidden action is -inf. Cost: a few linear systems, or nnz per sweep. Sweeps are
/// shared out over the team by states; bound as sweeps.hpp says.
/// Source: Puterman 1994, sections 6.3-6.6; MacQueen 1966 (bounds); Bertsekas & Tsitsiklis 1991 (gamma = 1).
Optimum solve(const TabularMdp& mdp, double tau, double tol, OptimalityMethod method, Index max_iterations,
              Team& team, const Interrupt& interrupt);

}  // namespace npgfast
