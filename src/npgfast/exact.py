"""Exact evaluation and solution of tabular problems, from the model."""

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.batch import Batch
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.problems.graph import reachable_states
from npgfast.threads import thread_count

__all__ = ["Evaluation", "Solution", "evaluate", "exact_batch", "solve"]

FloatArray = NDArray[np.float64]

_LINEAR_METHODS = ("auto", "direct", "krylov")
_OPTIMALITY_METHODS = ("auto", "policy_iteration", "modified_policy_iteration", "value_iteration")
_SMALLEST_WEIGHT = 5e-324
LARGEST_TAU = 1e100  # keeps regularised values far from overflow


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Exact values of a policy; with a horizon every array has a leading time axis H.

    Attributes
    ----------
    objective : float
        mu . V; regularised when ``tau > 0``.
    values, action_values, advantages : ndarray, shapes (S,), (S, A), (S, A)
        V, Q and A = Q - tau log pi - V, in units of reward. A masked action has Q = V and A = 0.
    occupancy : ndarray, shape (S,)
        Discounted distribution of the states visited while the episode is alive; sums to 1 over all axes.
    effective_horizon : float
        L = sum_h gamma^h Pr(alive at h), in steps.
    residual : float
        The larger relative residual, ||b - M x||_inf / max(||b||_inf, ||x||_inf), of the two linear systems; 0 with a
        horizon.
    """

    objective: float
    values: FloatArray
    action_values: FloatArray
    advantages: FloatArray
    occupancy: FloatArray
    effective_horizon: float
    residual: float


@dataclass(frozen=True, eq=False)
class Solution:
    """The optimum of a problem with certified bounds; with a horizon every array has a leading time axis H.

    Attributes
    ----------
    objective : float
        mu . V; regularised when ``tau > 0``.
    values, action_values : ndarray, shapes (S,), (S, A)
        V* and Q*, in units of reward; Q* of a masked action is -inf.
    actions : ndarray of int, shape (S,)
        An optimal action of each state (with ``tau > 0`` the most probable one).
    lower, upper : float
        Certified: lower <= J* <= upper, rounding included. At gamma = 1 the upper bound is +inf where an end
        component offers a positive reward.
    iterations : int
    converged : bool
        Whether ``upper - lower <= tol * max(1, |objective|)``.
    """

    objective: float
    values: FloatArray
    action_values: FloatArray
    actions: NDArray[np.int64]
    lower: float
    upper: float
    iterations: int
    converged: bool


def _check_problem(mdp: object) -> TabularMDP:
    if not isinstance(mdp, TabularMDP):
        msg = f"mdp: expected a TabularMDP, got {type(mdp).__name__}"
        raise TypeError(msg)
    return mdp


def _check_policy(mdp: TabularMDP, policy: object) -> SoftmaxPolicy:
    if not isinstance(policy, SoftmaxPolicy):
        msg = f"policy: expected a TabularSoftmax or LogLinear policy, got {type(policy).__name__}"
        raise TypeError(msg)
    if (policy.n_states, policy.n_actions) != (mdp.n_states, mdp.n_actions):
        msg = (
            f"policy: {policy.n_states} states and {policy.n_actions} actions, but mdp has {mdp.n_states} and "
            f"{mdp.n_actions}"
        )
        raise ValueError(msg)
    wrong = np.argwhere(policy.action_mask & ~mdp.action_mask)
    if wrong.size:
        s, a = wrong[0]
        msg = f"policy.action_mask[{s}, {a}] allows an action that mdp.action_mask forbids; give the policy mdp's mask"
        raise ValueError(msg)
    return policy


def _policy_tables(mdp: TabularMDP, policy: SoftmaxPolicy | ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Log-probabilities and probabilities, (S, A) or (H, S, A)."""
    if isinstance(policy, SoftmaxPolicy):
        return _check_policy(mdp, policy)._table
    shape: tuple[int, ...] = (mdp.n_states, mdp.n_actions)
    given = _validate.any_array("policy", policy)
    if given.ndim == 3:
        if mdp.horizon is None:
            msg = "policy: expected probabilities (S, A); (H, S, A) needs an mdp with a horizon"
            raise ValueError(msg)
        shape = (mdp.horizon, *shape)
    probs = _validate.real_array("policy", given, shape, because="to match mdp")
    tolerance = max(1e-8, mdp.n_actions * np.finfo(np.float64).eps)
    if (probs < 0.0).any():
        index = tuple(np.argwhere(probs < 0.0)[0])
        msg = f"{_validate.place('policy', index)}={probs[index]} is negative"
        raise ValueError(msg)
    sums = probs.sum(axis=-1)
    if (np.abs(sums - 1.0) > tolerance).any():
        index = tuple(np.argwhere(np.abs(sums - 1.0) > tolerance)[0])
        msg = f"{_validate.place('policy', index)} sums to {sums[index]}, allowed 1 +- {tolerance:g}"
        raise ValueError(msg)
    forbidden = np.broadcast_to(~mdp.action_mask, shape) & (probs > 0.0)
    if forbidden.any():
        index = tuple(np.argwhere(forbidden)[0])
        msg = f"{_validate.place('policy', index)}={probs[index]}: the action is masked and must have probability 0"
        raise ValueError(msg)
    probs = probs / sums[..., None]
    with np.errstate(divide="ignore"):
        return np.log(probs), probs


def evaluate(
    mdp: TabularMDP,
    policy: SoftmaxPolicy | ArrayLike,
    *,
    tau: float = 0.0,
    method: Literal["auto", "direct", "krylov"] = "auto",
    n_threads: int | None = None,
) -> Evaluation:
    """Evaluate a policy exactly.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy or array_like
        A policy, or probabilities (S, A), or (H, S, A) for a policy that depends on time.
    tau : float
        Entropy bonus in reward per nat; V, Q and A are then the regularised ones.
    method : {"auto", "direct", "krylov"}
        How (I - gamma P_pi) V = r and its transpose are solved without a horizon: LU factors, BiCGSTAB, or what suits
        size and chain (Gauss-Seidel sweeps on large chains that mix). All go on until the residual stops falling.
    n_threads : int, optional
        As in `rollout`; the result does not depend on it.

    Returns
    -------
    Evaluation

    Raises
    ------
    TypeError, ValueError
        For a policy that does not fit the problem; at gamma = 1, for one that never ends from some state, named; for a
        chain so ill-conditioned that the residual stays above 1e-10.

    References
    ----------
    M. L. Puterman, "Markov Decision Processes", 1994, chapters 4, 6 and 7.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp = nf.problems.two_state(gamma=0.9)
    >>> nf.evaluate(mdp, nf.TabularSoftmax(2, 2)).occupancy.sum().round(12)
    np.float64(1.0)
    """
    mdp = _check_problem(mdp)
    tau = _validate.real("tau", tau, low=0.0, high=LARGEST_TAU)
    _validate.allocation("values over the horizon", mdp.horizon or 1, mdp.n_states, mdp.n_actions)
    code = _LINEAR_METHODS.index(_validate.choice("method", method, _LINEAR_METHODS))
    log_probs, probs = _policy_tables(mdp, policy)
    return Evaluation(*_core.evaluate(mdp._native, probs, log_probs, tau, code, thread_count(n_threads)))


def solve(
    mdp: TabularMDP,
    *,
    method: Literal["auto", "policy_iteration", "modified_policy_iteration", "value_iteration"] = "auto",
    tol: float = 1e-10,
    tau: float = 0.0,
    max_iterations: int = 100_000,
    n_threads: int | None = None,
) -> Solution:
    """Find the optimum of a problem, with certified bounds on its objective.

    Parameters
    ----------
    mdp : TabularMDP
        With a horizon the optimum is non-stationary and found by backward induction.
    method : str
        "auto" is policy iteration (soft policy iteration with ``tau``).
    tol : float
        Width of the certificate, relative to max(1, |objective|), that counts as converged.
    tau : float
        Entropy bonus in reward per nat.
    max_iterations : int
        A method that reaches it returns its last iterate, with bounds that say how good it is.
    n_threads : int, optional
        As in `rollout`; the result does not depend on it.

    Returns
    -------
    Solution

    References
    ----------
    M. L. Puterman, "Markov Decision Processes", 1994, sections 6.3-6.6; J. MacQueen, J. Math. Anal. Appl. 14, 1966
    (bounds); D. P. Bertsekas, J. N. Tsitsiklis, Math. Oper. Res. 16, 1991 (gamma = 1).

    Examples
    --------
    >>> import npgfast as nf
    >>> solution = nf.solve(nf.problems.two_state(gamma=0.9))
    >>> solution.values.round(9), solution.converged
    (array([18., 20.]), True)
    """
    mdp = _check_problem(mdp)
    tau = _validate.real("tau", tau, low=0.0, high=LARGEST_TAU)
    tol = _validate.real("tol", tol, low=0.0, low_open=True)
    max_iterations = _validate.integer("max_iterations", max_iterations, low=1)
    _validate.allocation("values over the horizon", mdp.horizon or 1, mdp.n_states, mdp.n_actions)
    code = _OPTIMALITY_METHODS.index(_validate.choice("method", method, _OPTIMALITY_METHODS))
    objective, values, action_values, actions, lower, upper, iterations, converged = _core.solve(
        mdp._native, tau, tol, code, max_iterations, thread_count(n_threads)
    )
    return Solution(objective, values, action_values, actions.astype(np.int64), lower, upper, iterations, converged)


def exact_batch(mdp: TabularMDP, policy: SoftmaxPolicy, *, tau: float = 0.0) -> Batch:
    """List every state-action pair with its exact weight and advantage.

    Entry (s, a), or (h, s, a) with a horizon, has weight d(s) pi(a|s), the true advantage and log pi(a|s). An
    allowed action of a state that can be reached always has a positive weight: 5e-324 where the product underflows.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    tau : float
        Entropy bonus in reward per nat.

    Returns
    -------
    Batch
        With S*A entries (H*S*A with a horizon), `exhaustive`.

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does.

    Examples
    --------
    >>> import npgfast as nf
    >>> batch = nf.exact_batch(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2))
    >>> batch.weights.reshape(2, 2).sum(axis=1)
    array([0.53, 0.47])
    """
    mdp = _check_problem(mdp)
    policy = _check_policy(mdp, policy)
    evaluation = evaluate(mdp, policy, tau=tau)
    log_probs, probs = policy._table
    rows = 1 if mdp.horizon is None else mdp.horizon
    occupancy = evaluation.occupancy.reshape(rows, mdp.n_states)
    weights = occupancy[:, :, None] * probs
    possible = _reachable_rows(mdp, policy, rows)[:, :, None] & policy.action_mask
    weights = np.where(possible, np.maximum(weights, _SMALLEST_WEIGHT), 0.0)
    states, actions = np.divmod(np.arange(mdp.n_states * mdp.n_actions), mdp.n_actions)
    return Batch(
        np.tile(states, rows),
        np.tile(actions, rows),
        evaluation.advantages.reshape(-1),
        weights=weights.reshape(-1),
        log_probs=np.tile(log_probs.reshape(-1), rows),
        effective_horizon=evaluation.effective_horizon,
        exhaustive=True,
    )


def _reachable(mdp: TabularMDP, policy: SoftmaxPolicy) -> NDArray[np.bool_]:
    """Which states can be visited through the actions that the policy's mask allows, (S,)."""
    if np.array_equal(policy.action_mask, mdp.action_mask):
        return mdp.reachable
    rows = 1 if mdp.horizon is None else mdp.horizon
    return cast("NDArray[np.bool_]", _reachable_rows(mdp, policy, rows).any(axis=0))


def _reachable_rows(mdp: TabularMDP, policy: SoftmaxPolicy, rows: int) -> NDArray[np.bool_]:
    """Which states can be visited (at step h, with a horizon) through the policy's actions, (rows, S)."""
    indptr, indices, _ = mdp.csr
    pair = np.repeat(np.arange(mdp.n_states * mdp.n_actions), np.diff(indptr))
    taken = policy.action_mask.reshape(-1)[pair]
    source, successor = pair[taken] // mdp.n_actions, indices[taken]
    now = mdp.initial_distribution > 0.0
    if mdp.gamma == 0.0:
        return np.concatenate([now[None, :], np.zeros((rows - 1, mdp.n_states), dtype=np.bool_)])
    reachable = np.zeros((rows, mdp.n_states), dtype=np.bool_)
    reachable[0] = now
    if mdp.horizon is not None:
        for h in range(1, rows):
            reachable[h, successor[reachable[h - 1][source]]] = True
        return reachable
    if np.array_equal(policy.action_mask, mdp.action_mask):
        return mdp.reachable[None, :]
    counts = np.bincount(pair[taken], minlength=mdp.n_states * mdp.n_actions)
    kept_indptr = np.concatenate([[0], np.cumsum(counts)])
    return reachable_states(kept_indptr, successor, now)[None, :]
