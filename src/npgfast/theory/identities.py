"""Equations of the policy gradient: performance difference, gradient, Fisher matrix, trajectory KL, surrogates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.exact import Evaluation, evaluate, exact_batch
from npgfast.geometry import fisher_matrix, kl_divergence, policy_gradient
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.theory.statements import Identity, relative_distance

__all__ = [
    "check_fisher",
    "check_gradient",
    "performance_difference",
    "trajectory_kl",
]

FloatArray = NDArray[np.float64]


def _probabilities(policy: SoftmaxPolicy | ArrayLike) -> FloatArray:
    """Probabilities (S, A) or (H, S, A) of a policy that `evaluate` has accepted."""
    if isinstance(policy, SoftmaxPolicy):
        return policy.probs()
    probs = np.asarray(policy, dtype=np.float64)
    return np.asarray(probs / probs.sum(axis=-1, keepdims=True))


def _log_probabilities(policy: SoftmaxPolicy) -> FloatArray:
    states, actions = np.divmod(np.arange(policy.n_states * policy.n_actions), policy.n_actions)
    return policy.log_prob(states, actions).reshape(policy.n_states, policy.n_actions)


def _expected_advantage(weights: Evaluation, probs: FloatArray, advantages: FloatArray) -> float:
    """L E_{s~d, a~probs}[A(s, a)] with d and L of `weights`."""
    product = np.where(probs > 0.0, probs * advantages, 0.0).sum(axis=-1)
    return weights.effective_horizon * float(np.sum(weights.occupancy * product))


def performance_difference(
    mdp: TabularMDP, new: SoftmaxPolicy | ArrayLike, old: SoftmaxPolicy | ArrayLike, *, tolerance: float = 1e-10
) -> Identity:
    """Check J(new) - J(old) = L_new E_{d^new, new}[A^old].

    Parameters
    ----------
    mdp : TabularMDP
    new, old : SoftmaxPolicy or array_like
        Policies, or probabilities (S, A), or (H, S, A) with a horizon.
    tolerance : float
        Of `Identity.holds`.

    Returns
    -------
    Identity
        In reward; the discrepancy is relative to max(|J(new)|, |J(old)|).

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does.

    References
    ----------
    S. M. Kakade, J. Langford, "Approximately optimal approximate reinforcement learning", ICML 2002, lemma 6.1.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> mdp = nf.problems.two_state(gamma=0.9)
    >>> theory.performance_difference(mdp, nf.TabularSoftmax(2, 2, [1.0, 0.0, 0.0, 2.0]), nf.TabularSoftmax(2, 2)).holds
    True
    """
    after, before = evaluate(mdp, new), evaluate(mdp, old)
    left = after.objective - before.objective
    right = _expected_advantage(after, _probabilities(new), before.advantages)
    scale = max(abs(after.objective), abs(before.objective), abs(left), np.finfo(np.float64).tiny)
    return Identity(left, right, abs(left - right) / scale, tolerance)


def check_gradient(
    mdp: TabularMDP, policy: SoftmaxPolicy, *, difference: float = 1e-5, tau: float = 0.0, tolerance: float = 1e-6
) -> Identity:
    """Check the policy gradient theorem, grad J = L E_{d,pi}[A score], against central differences of J.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    difference : float
        Step of the differences, in units of theta. 2 n_params evaluations are made.
    tau : float
        Entropy bonus in reward per nat.
    tolerance : float
        Of `Identity.holds`.

    Returns
    -------
    Identity
        left: the formula; right: the differences; both (n_params,).

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does.

    References
    ----------
    R. S. Sutton, D. McAllester, S. Singh, Y. Mansour, NIPS 1999, theorem 1.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.check_gradient(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)).holds
    True
    """
    difference = _validate.real("difference", difference, low=0.0, low_open=True)
    gradient = policy_gradient(policy, exact_batch(mdp, policy, tau=tau))
    numerical = np.empty(policy.n_params)
    for i, shift in enumerate(difference * np.eye(policy.n_params)):
        ahead = evaluate(mdp, policy.with_theta(policy.theta + shift), tau=tau).objective
        behind = evaluate(mdp, policy.with_theta(policy.theta - shift), tau=tau).objective
        numerical[i] = (ahead - behind) / (2.0 * difference)
    return Identity(gradient, numerical, relative_distance(gradient, numerical), tolerance)


def check_fisher(
    mdp: TabularMDP, policy: SoftmaxPolicy, *, difference: float = 2e-3, tolerance: float = 1e-6
) -> Identity:
    """Check that F is the Hessian of the mean KL(policy || .) at the policy itself, by finite differences.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    difference : float
        Step of the differences, in units of theta; two steps are extrapolated. 4 n_params (n_params + 1) divergences
        are computed.
    tolerance : float
        Of `Identity.holds`.

    Returns
    -------
    Identity
        left: F; right: the Hessian; both (n_params, n_params), in nats.

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does.

    References
    ----------
    S. Amari, "Natural gradient works efficiently in learning", Neural Computation 10, 1998, section 2.
    S. M. Kakade, "A natural policy gradient", NIPS 2001, section 2.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.check_fisher(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)).holds
    True
    """
    difference = _validate.real("difference", difference, low=0.0, low_open=True)
    batch = exact_batch(mdp, policy)
    fisher = fisher_matrix(policy, batch)

    def divergence(shift: FloatArray) -> float:
        return kl_divergence(policy, policy.with_theta(policy.theta + shift), batch)

    def hessian(h: float) -> FloatArray:
        out, unit = np.empty((policy.n_params, policy.n_params)), h * np.eye(policy.n_params)
        for i in range(policy.n_params):
            for j in range(i + 1):
                same = divergence(unit[i] + unit[j]) + divergence(-unit[i] - unit[j])
                opposite = divergence(unit[i] - unit[j]) + divergence(unit[j] - unit[i])
                out[i, j] = out[j, i] = (same - opposite) / (4.0 * h * h)
        return out

    numerical = (4.0 * hessian(difference) - hessian(2.0 * difference)) / 3.0
    return Identity(fisher, numerical, relative_distance(fisher, numerical), tolerance)


def trajectory_kl(mdp: TabularMDP, old: SoftmaxPolicy, new: SoftmaxPolicy, *, tolerance: float = 1e-10) -> Identity:
    """Compare KL(P_old || P_new) over whole trajectories with L times the mean KL over states.

    They are equal at gamma = 1. With gamma < 1 they are not: a discounted occupancy underweights late states, and
    trajectories go on undiscounted.

    Parameters
    ----------
    mdp : TabularMDP
    old, new : SoftmaxPolicy
    tolerance : float
        Of `Identity.holds`.

    Returns
    -------
    Identity
        In nats. left: the divergence of the trajectories, by the recursion
        K_h(s) = KL(old(.|s) || new(.|s)) + sum_{a,s'} old(a|s) P(s'|s,a) K_{h+1}(s'); right: L sum_s d(s) KL(s).

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does; without a horizon, where some state cannot end.

    References
    ----------
    T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2006, theorem 2.5.3 (chain rule).
    J. A. Bagnell, J. Schneider, "Covariant policy search", IJCAI 2003, section 3.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> mdp = nf.problems.two_state(gamma=1.0, horizon=3)
    >>> theory.trajectory_kl(mdp, nf.TabularSoftmax(2, 2), nf.TabularSoftmax(2, 2, [1.0, 0.0, 0.0, 2.0])).holds
    True
    """
    batch = exact_batch(mdp, old)
    weighted = batch.effective_horizon * kl_divergence(old, new, batch)
    probs, log_old, log_new = old.probs(), _log_probabilities(old), _log_probabilities(new)
    with np.errstate(invalid="ignore"):
        divergence = np.where(probs > 0.0, probs * (log_old - log_new), 0.0).sum(axis=1)
    indptr, indices, probabilities = mdp.csr
    rows = np.repeat(np.arange(probs.size), np.diff(indptr))
    kernel = np.zeros((mdp.n_states, mdp.n_states))
    np.add.at(kernel, (rows // mdp.n_actions, indices), probs.ravel()[rows] * probabilities)
    if mdp.horizon is None:
        mdp.replace(gamma=1.0)
        cost = np.linalg.solve(np.eye(mdp.n_states) - kernel, divergence)
    else:
        cost = np.zeros(mdp.n_states)
        for _ in range(mdp.horizon):
            cost = divergence + kernel @ cost
    total = float(mdp.initial_distribution @ cost)
    return Identity(total, weighted, relative_distance(total, weighted), tolerance)
