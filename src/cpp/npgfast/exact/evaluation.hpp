#pragma once

#include <stdexcept>
#include <vector>

#include "npgfast/exact/linear_system.hpp"
#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

/// A policy without a value, or one whose value cannot be computed; a ValueError in Python.
struct EvaluationFailure : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// The exact value functions and occupancy of one policy. With a horizon every array has a leading time axis.
struct Evaluation {
    double objective = 0.0;          ///< mu . V, regularised when tau > 0
    double effective_horizon = 0.0;  ///< L = sum_h gamma^h Pr(alive at h)
    double residual = 0.0;           ///< the larger relative residual of the two linear systems
    std::vector<double> values, action_values, advantages, occupancy;
};

/// What is known of a policy before its evaluation.
///
/// `values` (S,), or empty: where an iterative solution starts; the closer, the faster, with the same result up to its
/// residual. With `occupancy` (S,) and effective_horizon > 0 they are those of an earlier evaluation of the same
/// policy, which is then repeated bit for bit without solving anything (its residual is given as 0).
struct Guess {
    Reals values;
    Reals occupancy = {};
    double effective_horizon = 0.0;
};

/// How many of `n_threads` pay on a problem of this size: one for each 16,000 entries of its kernel.
int team_size(const TabularMdp& mdp, int n_threads);

/// V, Q, A, d and L of a stationary or time-dependent policy.
///
///     V = r_pi + tau H_pi + gamma P_pi V,   Q = r + gamma P V,   A = Q - tau log pi - V,
///     L d = mu + gamma P_pi^T L d,          sum d = 1
///
/// Inputs: probs and log_probs (S*A,), or (H*S*A,) for a policy that depends on time; `tau` in reward units.
/// Outputs: as above; a forbidden action gets Q = V and A = 0.
/// Preconditions: log_probs = log probs. At gamma = 1 without horizon every state must reach termination under the
/// policy, else EvaluationFailure names one that does not; so does one that takes
/// over 4e10 steps to terminate, and a residual above 1e-10. Results do not depend on the size of the team.
/// Cost: two linear systems of size S (see ResolventSystem) and two passes over the kernel, states shared out over
/// the team; or 3 H sweeps over the kernel on the calling thread. Bound by memory where V fits the caches, else by its
/// latency.
/// Source: Puterman, "Markov Decision Processes", 1994, sections 6.1 and 7.1; tau: Geist, Scherrer & Pietquin 2019.
Evaluation evaluate(const TabularMdp& mdp, Reals probs, Reals log_probs, double tau, LinearMethod method, Team& team,
                    const Interrupt& interrupt, const Guess& guess = {});

/// Unregularised objective of a regularised evaluation: J = J_tau - tau L sum_s d(s) H(pi(.|s)).
double unregularized_objective(const Evaluation& evaluation, Reals probs, Reals log_probs, Index n_actions, double tau);

}  // namespace npgfast
