"""NumPy reference of every kernel. Conventions are those of the package docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

PHILOX_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
PHILOX_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)


def philox4x32(counter: Any, key: Any) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32, one block per row.

    Parameters
    ----------
    counter : array_like of int, shape (n, 4)
        32-bit counter words.
    key : array_like of int, shape (n, 2) or (2,)
        32-bit key words.

    Returns
    -------
    ndarray of uint64, shape (n, 4)
        32-bit output words.

    References
    ----------
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.
    """
    words = np.asarray(counter, dtype=np.uint64)
    keys = np.broadcast_to(np.asarray(key, dtype=np.uint64), (words.shape[0], 2))
    c0, c1, c2, c3 = words.T
    k0, k1 = keys.T
    for _ in range(10):
        product0 = PHILOX_MULTIPLIERS[0] * c0
        product1 = PHILOX_MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> WORD_BITS) ^ c1 ^ k0,
            product1 & LOW_WORD,
            (product0 >> WORD_BITS) ^ c3 ^ k1,
            product0 & LOW_WORD,
        )
        k0 = (k0 + PHILOX_WEYL[0]) & LOW_WORD
        k1 = (k1 + PHILOX_WEYL[1]) & LOW_WORD
    return np.stack([c0, c1, c2, c3], axis=1)


def log_softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """log pi(a|s) = theta_sa - log sum_b exp(theta_sb), over the allowed actions; -inf where masked.

    Parameters
    ----------
    logits : ndarray, shape (S, A)
        Any finite values; differences beyond the largest double become -inf.
    mask : ndarray of bool, shape (S, A), optional
        True where the action is allowed.

    Returns
    -------
    ndarray, shape (S, A)
        Log-probabilities, nats.

    Raises
    ------
    ValueError
        A state allows no action.

    References
    ----------
    Sutton, Barto, "Reinforcement Learning", 2018, equation 13.2.
    """
    allowed = np.ones(np.shape(logits), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    masked = np.where(allowed, logits, -np.inf)
    largest = masked.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        msg = "mask: a state allows no action"
        raise ValueError(msg)
    with np.errstate(over="ignore"):
        shifted = masked - largest
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """pi(a|s), the exponential of :func:`log_softmax`; exactly 0 where masked.

    Parameters
    ----------
    logits : ndarray, shape (S, A)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)
    """
    result: Array = np.exp(log_softmax(logits, mask))
    return result


def policy_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Probabilities of the tabular softmax (theta (S, A)) or of the log-linear policy (theta (d,)).

    Parameters
    ----------
    theta : ndarray, shape (S, A) or (d,)
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, sections 5 (softmax) and 6 (log-linear).
    """
    return np.exp(policy_log_probs(theta, features, mask))


def policy_log_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Log-probabilities of the policies of :func:`policy_probs`, nats; -inf where masked.

    Parameters
    ----------
    theta : ndarray, shape (S, A) or (d,)
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)
    """
    return log_softmax(theta if features is None else features @ theta, mask)


def score_tabular(probs: Array, state: int, action: int) -> Array:
    """d log pi(a|s) / d theta = e_(s,a) - pi(.|s) on row s, 0 elsewhere.

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    state, action : int

    Returns
    -------
    ndarray, shape (S * A,)

    References
    ----------
    Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, appendix C (derivatives of the softmax).
    """
    score = np.zeros_like(probs)
    score[state] = -probs[state]
    score[state, action] += 1.0
    return score.ravel()


def score_log_linear(features: Array, probs: Array, states: IntArray, actions: IntArray) -> Array:
    """d log pi(a|s) / d theta = phi(s, a) - sum_b pi(b|s) phi(s, b).

    Parameters
    ----------
    features : ndarray, shape (S, A, d)
    probs : ndarray, shape (S, A)
    states, actions : ndarray of int, shape (n,)

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    Kakade, "A natural policy gradient", NIPS 2001, section 3 (compatible features).
    """
    mean = np.einsum("sa,sad->sd", probs, features)
    result: Array = features[states, actions] - mean[states]
    return result


def _scores(probs: Array, states: IntArray, actions: IntArray, features: Array | None) -> Array:
    if features is not None:
        return score_log_linear(features, probs, states, actions)
    n, (n_states, n_actions) = len(states), probs.shape
    scores = np.zeros((n, n_states, n_actions))
    scores[np.arange(n), states] = -probs[states]
    scores[np.arange(n), states, actions] += 1.0
    return scores.reshape(n, -1)


def _weighted_score(
    probs: Array, states: IntArray, actions: IntArray, coefficients: Array, features: Array | None
) -> Array:
    """sum_i c_i score(s_i, a_i), through the gradient with respect to the logits."""
    logits_gradient = np.zeros_like(probs)
    np.add.at(logits_gradient, (states, actions), coefficients)
    logits_gradient -= logits_gradient.sum(axis=1, keepdims=True) * probs
    return _from_logits(logits_gradient, features)


def _from_logits(logits_gradient: Array, features: Array | None) -> Array:
    if features is None:
        return logits_gradient.ravel()
    result: Array = np.einsum("sa,sad->d", logits_gradient, features)
    return result


def _can_reach(edges: BoolArray, targets: BoolArray) -> BoolArray:
    reached = targets.copy()
    for _ in range(len(targets)):
        reached |= (edges & reached).any(axis=1)
    return reached


def reachable_states(P: Array, mu: Array, mask: BoolArray | None = None, horizon: int | None = None) -> BoolArray:
    """States that allowed actions can reach from mu, by graph search.

    Parameters
    ----------
    P : ndarray, shape (S, A, S)
    mu : ndarray, shape (S,)
    mask : ndarray of bool, shape (S, A), optional
    horizon : int, optional

    Returns
    -------
    ndarray of bool, shape (S,), or (H, S) with a horizon
        With a horizon, row h holds the states possible at step h.
    """
    allowed = np.ones(P.shape[:2], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    edges = ((P > 0) & allowed[:, :, None]).any(axis=1)
    if horizon is None:
        return _can_reach(edges.T, mu > 0)
    rows = [mu > 0]
    for _ in range(horizon - 1):
        rows.append((edges & rows[-1][:, None]).any(axis=0))
    return np.stack(rows)


def _require_proper(kernel: Array, ending: Array) -> None:
    ends = _can_reach(kernel > 0, ending > 0)
    if not ends.all():
        msg = f"gamma=1 needs termination from every state: state {int(np.argmin(ends))} never ends"
        raise ValueError(msg)


def evaluate(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    probs: Array,
    tau: float = 0.0,
) -> dict[str, Any]:
    """Values, advantages and occupancy of a policy, from the model, by dense linear solves.

    V = (I - gamma P_pi)^-1 r_pi, Q = r + gamma P V, A = Q - tau log pi - V, d ~ (I - gamma P_pi^T)^-1 mu, with
    r_pi = sum_a pi (r - tau log pi). With a horizon the same by recursion, from V_H = 0.

    Parameters
    ----------
    P : ndarray, shape (S, A, S)
    rewards, termination : ndarray, shape (S, A)
        Expected reward per step; probability that the step ends the episode.
    mu : ndarray, shape (S,)
    gamma : float
        In [0, 1]; 1 without a horizon only if the policy ends from every state.
    horizon : int or None
    probs : ndarray, shape (S, A) or (H, S, A)
    tau : float
        Entropy coefficient, reward per nat.

    Returns
    -------
    dict
        ``objective`` float; ``values`` (S,), ``action_values`` and ``advantages`` (S, A), ``occupancy`` (S,), all
        with a leading axis H if there is a horizon; ``effective_horizon`` = sum_h gamma^h Pr(alive at h). The
        occupancy sums to 1 over all its axes. Where pi(a|s) = 0 the term tau log pi is taken as 0.

    Raises
    ------
    ValueError
        gamma = 1 without horizon and a state from which the policy never ends.

    References
    ----------
    Puterman, "Markov Decision Processes", 1994, theorem 6.1.1 and section 4.2; Cen, Cheng, Chen, Wei, Chi, Operations
    Research 70(4), 2022, section 2 (regularised values), arXiv:2007.06558.
    """
    tau_log = tau * np.log(np.where(probs > 0, probs, 1.0))
    n_states = P.shape[0]
    if horizon is None:
        kernel = np.einsum("sa,sat->st", probs, P)
        if gamma == 1.0:
            _require_proper(kernel, (probs * termination).sum(axis=1))
        system = np.eye(n_states) - gamma * kernel
        values = np.linalg.solve(system, (probs * (rewards - tau_log)).sum(axis=1))
        visits = np.linalg.solve(system.T, mu)
        action_values = rewards + gamma * P @ values
        advantages = action_values - tau_log - values[:, None]
        objective = float(mu @ values)
    else:
        policy = np.broadcast_to(probs, (horizon, *rewards.shape))
        tau_log = np.broadcast_to(tau_log, policy.shape)
        values = np.zeros((horizon + 1, n_states))
        action_values = np.zeros(policy.shape)
        visits = np.zeros((horizon, n_states))
        for h in reversed(range(horizon)):
            action_values[h] = rewards + gamma * P @ values[h + 1]
            values[h] = (policy[h] * (action_values[h] - tau_log[h])).sum(axis=1)
        visits[0] = mu
        for h in range(horizon - 1):
            visits[h + 1] = gamma * np.einsum("s,sa,sat->t", visits[h], policy[h], P)
        values = values[:horizon]
        advantages = action_values - tau_log - values[:, :, None]
        objective = float(mu @ values[0])
    effective_horizon = float(visits.sum())
    return {
        "objective": objective,
        "values": values,
        "action_values": action_values,
        "advantages": advantages,
        "occupancy": visits / effective_horizon,
        "effective_horizon": effective_horizon,
    }


def marginal_advantages(advantages: Array, occupancy: Array) -> Array:
    """Advantages of a stationary policy under a horizon, averaged over time: sum_h d(h, s) A_h(s, a) / sum_h d(h, s).

    Parameters
    ----------
    advantages : ndarray, shape (H, S, A)
    occupancy : ndarray, shape (H, S)

    Returns
    -------
    ndarray, shape (S, A)
        0 in the rows of states that are never visited.
    """
    state_weights = occupancy.sum(axis=0)
    total = np.einsum("hs,hsa->sa", occupancy, advantages)
    result: Array = np.divide(total, state_weights[:, None], out=np.zeros_like(total), where=state_weights[:, None] > 0)
    return result


def _greedy(action_values: Array, allowed: BoolArray) -> IntArray:
    candidates = np.where(allowed, action_values, -np.inf)
    best = candidates.max(axis=-1, keepdims=True)
    actions: IntArray = np.argmax(candidates >= best - 1e-10 * np.maximum(1.0, np.abs(best)), axis=-1)
    return actions


def _ending_actions(P: Array, termination: Array, allowed: BoolArray) -> IntArray:
    """An action per state that may end the episode or come one step closer to ending it."""
    n_states = P.shape[0]
    actions = np.zeros(n_states, dtype=np.int64)
    ends = np.zeros(n_states, dtype=bool)
    for _ in range(n_states):
        progress = ((termination > 0) | (P[:, :, ends] > 0).any(axis=2)) & allowed
        new = ~ends & progress.any(axis=1)
        actions[new] = progress[new].argmax(axis=1)
        ends |= new
    if not ends.all():
        msg = f"gamma=1 needs termination from every state: state {int(np.argmin(ends))} never ends"
        raise ValueError(msg)
    return actions


def solve(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    mask: BoolArray | None = None,
    tau: float = 0.0,
) -> dict[str, Any]:
    """Optimal values and policy: Howard's policy iteration, its soft version for tau > 0, or backward induction.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon
        As in :func:`evaluate`.
    mask : ndarray of bool, shape (S, A), optional
    tau : float
        Entropy coefficient, reward per nat.

    Returns
    -------
    dict
        ``objective`` (regularised if tau > 0), ``values`` (S,), ``action_values`` (S, A) = r + gamma P V, also for
        masked actions, ``actions`` (S,) the first greedy action up to 1e-10, ``policy`` (S, A); a leading axis H if
        there is a horizon.

    Raises
    ------
    ValueError
        gamma = 1 without horizon, and a state that cannot end or whose best policy never ends.

    Notes
    -----
    At gamma = 1 the optimum is over the policies that end.

    References
    ----------
    Howard, "Dynamic Programming and Markov Processes", 1960; Puterman 1994, sections 4.5, 6.4 and 7.2; Cen et al.
    2022, section 2 (soft policy improvement).
    """
    allowed = np.ones(rewards.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)

    def improve(action_values: Array) -> tuple[Array, Array]:
        if tau > 0:
            policy = softmax(action_values / tau, allowed)
            logs = np.log(np.where(policy > 0, policy, 1.0))
            return policy, (policy * (action_values - tau * logs)).sum(axis=1)
        policy = np.eye(rewards.shape[1])[_greedy(action_values, allowed)]
        return policy, np.where(allowed, action_values, -np.inf).max(axis=1)

    if horizon is not None:
        n_states, n_actions = rewards.shape
        values = np.zeros((horizon + 1, n_states))
        q = np.zeros((horizon, n_states, n_actions))
        policy = np.zeros_like(q)
        for h in reversed(range(horizon)):
            q[h] = rewards + gamma * P @ values[h + 1]
            policy[h], values[h] = improve(q[h])
        return {
            "objective": float(mu @ values[0]),
            "values": values[:horizon],
            "action_values": q,
            "actions": _greedy(q, allowed),
            "policy": policy,
        }

    if tau > 0:
        policy = allowed / allowed.sum(axis=1, keepdims=True)
        previous = np.full(len(mu), -np.inf)
        for _ in range(1000):
            result = evaluate(P, rewards, termination, mu, gamma, None, policy, tau)
            policy, _ = improve(result["action_values"])
            if np.max(result["values"] - previous) <= 1e-14 * max(1.0, float(np.abs(result["values"]).max())):
                break
            previous = result["values"]
        else:
            msg = "soft policy iteration did not converge"
            raise RuntimeError(msg)
    else:
        actions = _ending_actions(P, termination, allowed) if gamma == 1.0 else allowed.argmax(axis=1)
        for _ in range(1000):
            policy = np.eye(rewards.shape[1])[actions]
            result = evaluate(P, rewards, termination, mu, gamma, None, policy)
            candidates = np.where(allowed, result["action_values"], -np.inf)
            best = candidates.max(axis=1)
            better = best > candidates[np.arange(len(mu)), actions] + 1e-12 * np.maximum(1.0, np.abs(best))
            if not better.any():
                break
            actions = np.where(better, candidates.argmax(axis=1), actions)
        else:
            msg = "policy iteration did not converge"
            raise RuntimeError(msg)
        policy = np.eye(rewards.shape[1])[_greedy(result["action_values"], allowed)]
    return {
        "objective": result["objective"],
        "values": result["values"],
        "action_values": result["action_values"],
        "actions": _greedy(result["action_values"], allowed),
        "policy": policy,
    }


def exact_batch(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    probs: Array,
    tau: float = 0.0,
) -> dict[str, Any]:
    """Every (s, a), or (h, s, a), with weight d(s) pi(a|s) and its true advantage.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon, probs, tau
        As in :func:`evaluate`.

    Returns
    -------
    dict
        ``states``, ``actions``, ``weights`` (summing to 1), ``advantages``, ``log_probs`` (-inf where pi = 0, with
        weight 0), each of shape (S * A,) or (H * S * A,), last index fastest; ``effective_horizon``.

    References
    ----------
    Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1 (the expectation that the batch lists).
    """
    result = evaluate(P, rewards, termination, mu, gamma, horizon, probs, tau)
    shape = rewards.shape if horizon is None else (horizon, *rewards.shape)
    policy = np.broadcast_to(probs, shape)
    with np.errstate(divide="ignore"):
        log_probs = np.log(policy)
    n_states, n_actions = rewards.shape
    return {
        "states": np.broadcast_to(np.arange(n_states)[:, None], shape).ravel(),
        "actions": np.broadcast_to(np.arange(n_actions), shape).ravel(),
        "weights": (result["occupancy"][..., None] * policy).ravel(),
        "advantages": result["advantages"].ravel(),
        "log_probs": log_probs.ravel(),
        "effective_horizon": result["effective_horizon"],
    }


def alias_table(probabilities: Array) -> tuple[Array, IntArray]:
    """Tables for a draw in constant time: column i uniformly, then i if u < threshold[i], else alias[i].

    Parameters
    ----------
    probabilities : ndarray, shape (n,) or (m, n)
        Non-negative rows summing to 1.

    Returns
    -------
    threshold : ndarray, same shape
    alias : ndarray of int, same shape

    Notes
    -----
    Walker's original rule, the poorest column filled by the richest, for all rows at once; Vose's two lists in the
    loops version fill other columns, with the same distribution.

    References
    ----------
    Walker, ACM Transactions on Mathematical Software 3(3), 1977; Vose, IEEE TSE 17(9), 1991.
    """
    rows = np.atleast_2d(np.asarray(probabilities, dtype=np.float64))
    m, n = rows.shape
    mass = rows / rows.sum(axis=1, keepdims=True) * n
    threshold = np.ones((m, n))
    alias = np.tile(np.arange(n), (m, 1))
    open_columns = np.ones((m, n), dtype=bool)
    index = np.arange(m)
    for _ in range(n - 1):
        poor = np.where(open_columns, mass, np.inf).argmin(axis=1)
        open_columns[index, poor] = False
        rich = np.where(open_columns, mass, -np.inf).argmax(axis=1)
        filled = np.minimum(mass[index, poor], 1.0)
        threshold[index, poor] = filled
        alias[index, poor] = rich
        mass[index, rich] -= 1.0 - filled
    shape = np.shape(probabilities)
    return threshold.reshape(shape), alias.reshape(shape)


def rollout(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,  # noqa: ARG001
    probs: Array,
    n_steps: int,
    rng: Any,
    n_envs: int = 1,
) -> tuple[IntArray, IntArray, Array, BoolArray]:
    """Simulate `n_envs` environments side by side, restarting from mu after each termination.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, probs
        As in :func:`evaluate`, without horizon. Sampling does not discount: gamma is there so that the problem's
        arrays can be passed as they are.
    n_steps, n_envs : int
    rng : numpy.random.Generator

    Returns
    -------
    states, actions : ndarray of int, shape (n_steps, n_envs)
    rewards : ndarray, shape (n_steps, n_envs)
        Expected reward r(s, a).
    terminated : ndarray of bool, shape (n_steps, n_envs)
    """
    n_states, n_actions = rewards.shape
    outcomes = np.concatenate([P, termination[:, :, None]], axis=2)
    policy_cdf, outcome_cdf, start_cdf = probs.cumsum(axis=1), outcomes.cumsum(axis=2), mu.cumsum()
    # Rounding may leave u at or above the last cumulative sum: such a draw is the last outcome that is possible.
    last_action = n_actions - 1 - (probs[:, ::-1] > 0).argmax(axis=1)
    last_outcome = n_states - (outcomes[:, :, ::-1] > 0).argmax(axis=2)
    last_start = n_states - 1 - int((mu[::-1] > 0).argmax())

    def restart(n: int) -> IntArray:
        drawn: IntArray = np.minimum(np.searchsorted(start_cdf, rng.random(n), side="right"), last_start)
        return drawn

    states = np.zeros((n_steps, n_envs), dtype=np.int64)
    actions = np.zeros((n_steps, n_envs), dtype=np.int64)
    terminated = np.zeros((n_steps, n_envs), dtype=bool)
    state = restart(n_envs)
    for t in range(n_steps):
        action = np.minimum((policy_cdf[state] <= rng.random(n_envs)[:, None]).sum(axis=1), last_action[state])
        drawn = (outcome_cdf[state, action] <= rng.random(n_envs)[:, None]).sum(axis=1)
        outcome = np.minimum(drawn, last_outcome[state, action])
        states[t], actions[t], terminated[t] = state, action, outcome == n_states
        state = np.where(terminated[t], 0, outcome)
        state[terminated[t]] = restart(int(terminated[t].sum()))
    return states, actions, rewards[states, actions], terminated


def discounted_returns(
    rewards: Array,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    bootstrap_values: Array | None = None,
) -> Array:
    """R_t = r_t + gamma R_(t+1), cut at the end of an episode and bootstrapped where time, not the task, ended it.

    Parameters
    ----------
    rewards : ndarray, shape (T, N)
    terminated, truncated : ndarray of bool, shape (T, N)
        terminated wins where both are set.
    gamma : float
    bootstrap_values : ndarray, shape (T, N), optional
        V of the state that step t really reached; read only where truncated or in the last row. Default 0.

    Returns
    -------
    ndarray, shape (T, N)

    References
    ----------
    Sutton, Barto 2018, equation 3.9; Pardo, Tavakoli, Levdik, Kormushev, ICML 2018, section 3 (time limits).
    """
    returns = np.zeros_like(rewards)
    running = np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        cut = truncated[t] if t < len(rewards) - 1 else np.ones_like(truncated[t])
        tail = running if bootstrap_values is None else bootstrap_values[t]
        tail = np.where(cut, 0.0 if bootstrap_values is None else tail, running)
        running = rewards[t] + gamma * np.where(terminated[t], 0.0, tail)
        returns[t] = running
    return returns


def gae(
    rewards: Array,
    values: Array,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    gae_lambda: float,
    bootstrap_values: Array,
) -> tuple[Array, Array]:
    """A_t = delta_t + gamma lambda A_(t+1), delta_t = r_t + gamma V(s_(t+1)) - V(s_t), cut where an episode ends.

    Parameters
    ----------
    rewards, values : ndarray, shape (T, N)
    terminated, truncated : ndarray of bool, shape (T, N)
        terminated wins where both are set.
    gamma, gae_lambda : float
    bootstrap_values : ndarray, shape (T, N)
        V of the state that step t really reached; read only where truncated or in the last row.

    Returns
    -------
    advantages, returns : ndarray, shape (T, N)
        returns = advantages + values.

    References
    ----------
    Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016, equations 11-16, arXiv:1506.02438.
    """
    last = np.zeros(rewards.shape, dtype=bool)
    last[-1] = True
    following = np.concatenate([values[1:], values[-1:]])
    next_values = np.where(terminated, 0.0, np.where(truncated | last, bootstrap_values, following))
    deltas = rewards + gamma * next_values - values
    carry = gamma * gae_lambda * ~(terminated | truncated | last)
    advantages = np.zeros_like(deltas)
    running = np.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        running = deltas[t] + carry[t] * running
        advantages[t] = running
    return advantages, advantages + values


def policy_gradient(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
) -> Array:
    """grad J = L sum_i w_i A_i score(s_i, a_i).

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    states, actions : ndarray of int, shape (n,)
    weights, advantages : ndarray, shape (n,)
    effective_horizon : float
        L.
    features : ndarray, shape (S, A, d), optional

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1.
    """
    return effective_horizon * _weighted_score(probs, states, actions, weights * advantages, features)


def fisher_matrix(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    features: Array | None = None,
    estimator: str = "analytic",
) -> Array:
    """F = sum_i w_i E_(a ~ pi(.|s_i))[score score^T], or with the batch's own actions ("empirical").

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    states, actions : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)
    features : ndarray, shape (S, A, d), optional
    estimator : {"analytic", "empirical"}

    Returns
    -------
    ndarray, shape (S * A, S * A) or (d, d)

    References
    ----------
    Kakade, NIPS 2001, section 2; Amari, Neural Computation 10(2), 1998.
    """
    n_states, n_actions = probs.shape
    if estimator == "empirical":
        scores = _scores(probs, states, actions, features)
        result: Array = scores.T @ (weights[:, None] * scores)
        return result
    if estimator != "analytic":
        msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
        raise ValueError(msg)
    state_weights = np.bincount(states, weights, minlength=n_states)
    blocks = state_weights[:, None, None] * (
        np.eye(n_actions) * probs[:, :, None] - probs[:, :, None] * probs[:, None, :]
    )
    if features is None:
        fisher = np.zeros((n_states, n_actions, n_states, n_actions))
        fisher[np.arange(n_states), :, np.arange(n_states), :] = blocks
        return fisher.reshape(n_states * n_actions, -1)
    projected: Array = np.einsum("sad,sab,sbe->de", features, blocks, features, optimize=True)
    return projected


def fisher_vector_product(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    vector: Array,
    damping: float = 0.0,
    features: Array | None = None,
    estimator: str = "analytic",
) -> Array:
    """(F + damping (tr F / d) I) v without forming F.

    Parameters
    ----------
    probs, states, actions, weights, features, estimator
        As in :func:`fisher_matrix`.
    vector : ndarray, shape (S * A,) or (d,)
    damping : float
        Relative to the mean eigenvalue.

    Returns
    -------
    ndarray, shape of `vector`

    References
    ----------
    Schulman, Levine, Moritz, Jordan, Abbeel, ICML 2015, appendix C.1, arXiv:1502.05477.
    """
    if features is None:
        logits_vector = vector.reshape(probs.shape)
        squares = 1.0 - 2.0 * probs + (probs**2).sum(axis=1, keepdims=True)
    else:
        logits_vector = features @ vector
        squares = ((features - np.einsum("sa,sad->sd", probs, features)[:, None, :]) ** 2).sum(axis=2)
    centred = logits_vector - (probs * logits_vector).sum(axis=1, keepdims=True)
    state_weights = np.bincount(states, weights, minlength=len(probs))
    if estimator == "empirical":
        product = _weighted_score(probs, states, actions, weights * centred[states, actions], features)
        trace = float(weights @ squares[states, actions])
    elif estimator == "analytic":
        product = _from_logits(state_weights[:, None] * probs * centred, features)
        trace = float(state_weights @ (probs * squares).sum(axis=1))
    else:
        msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
        raise ValueError(msg)
    return product + damping * trace / len(vector) * vector


def conjugate_gradient(
    matrix: Array | Callable[[Array], Array], b: Array, max_iters: int, rtol: float
) -> tuple[Array, float, int]:
    """Solve A x = b for a symmetric positive semidefinite A by conjugate gradients from 0.

    Parameters
    ----------
    matrix : ndarray, shape (d, d), or callable
        A, or the function v -> A v.
    b : ndarray, shape (d,)
    max_iters : int
    rtol : float
        Stop when the residual's norm is at most rtol times that of b.

    Returns
    -------
    x : ndarray, shape (d,)
    residual_norm : float
        ||b - A x||, recomputed.
    iterations : int

    References
    ----------
    Hestenes, Stiefel, Journal of Research of the NBS 49(6), 1952, equations 3:1.
    """
    product = matrix if callable(matrix) else lambda v: matrix @ v
    x: Array = np.zeros_like(b)
    residual: Array = b.copy()
    direction: Array = b.copy()
    square = float(residual @ residual)
    target = rtol * float(np.linalg.norm(b))
    iterations = 0
    while iterations < max_iters and square > 0 and np.sqrt(square) > target:
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 0:
            break
        step = square / curvature
        x = x + step * direction
        residual = residual - step * image
        previous, square = square, float(residual @ residual)
        direction = residual + square / previous * direction
        iterations += 1
    return x, float(np.linalg.norm(b - product(x))), iterations


def natural_gradient_pinv(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
    estimator: str = "analytic",
    damping: float = 0.0,
    rcond: float = 1e-12,
) -> Array:
    """(F + damping (tr F / d) I)^+ grad J by the Moore-Penrose inverse.

    Parameters
    ----------
    probs, states, actions, weights, advantages, effective_horizon, features
        As in :func:`policy_gradient`.
    estimator : {"analytic", "empirical"}
    damping : float
    rcond : float
        Eigenvalues below rcond times the largest count as 0.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, section 2; Agarwal et al. 2021, section 5.3.
    """
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features)
    fisher = fisher_matrix(probs, states, actions, weights, features, estimator)
    fisher = fisher + damping * np.trace(fisher) / len(fisher) * np.eye(len(fisher))
    result: Array = np.linalg.pinv(fisher, rcond=rcond, hermitian=True) @ gradient
    return result


def natural_gradient_regression(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
    rcond: float = 1e-9,
) -> Array:
    """L w*, with w* the shortest minimiser of sum_i w_i (A_i - w^T score_i)^2.

    Parameters
    ----------
    probs, states, actions, weights, advantages, effective_horizon, features
        As in :func:`policy_gradient`.
    rcond : float
        Singular values of sqrt(w) score below rcond times the largest count as 0.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, theorem 1; Agarwal et al. 2021, section 6.1.
    """
    scale = np.sqrt(weights)
    scores = _scores(probs, states, actions, features)
    solution = np.asarray(
        np.linalg.lstsq(scale[:, None] * scores, scale * advantages, rcond=rcond)[0], dtype=np.float64
    )
    return effective_horizon * solution


def natural_gradient_closed_form(
    advantages: Array,
    probs: Array,
    effective_horizon: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """F^+ grad J of the tabular softmax: L (A(s, a) - its mean over the allowed actions), 0 where unreachable.

    Parameters
    ----------
    advantages : ndarray, shape (S, A)
    probs : ndarray, shape (S, A)
        Only its shape matters: the direction does not depend on how often an action is taken.
    effective_horizon : float
    reachable : ndarray of bool, shape (S,)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S * A,)

    References
    ----------
    Agarwal et al. 2021, section 5.3 (NPG as soft policy iteration).
    """
    allowed = np.ones(probs.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    mean = np.where(allowed, advantages, 0.0).sum(axis=1, keepdims=True) / allowed.sum(axis=1, keepdims=True)
    direction = np.where(allowed & reachable[:, None], advantages - mean, 0.0)
    result: Array = effective_horizon * direction.ravel()
    return result


def _ratio_terms(log_probs_new: Array, log_probs_old: Array, weights: Array) -> tuple[BoolArray, Array]:
    used = np.asarray(weights != 0)
    return used, log_probs_new[used] - log_probs_old[used]


def surrogate(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i r_i A_i, r = pi_new / pi_old.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages : ndarray, shape (n,)
        Entries of weight 0 are not read.
    effective_horizon : float

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    return effective_horizon * float(np.sum(weights[used] * np.exp(log_ratio) * advantages[used]))


def surrogate_improvement(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i (r_i - 1) A_i, through expm1; arguments of :func:`surrogate`.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages : ndarray, shape (n,)
    effective_horizon : float

    Returns
    -------
    float
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    return effective_horizon * float(np.sum(weights[used] * np.expm1(log_ratio) * advantages[used]))


def surrogate_gradient(
    probs_new: Array,
    log_probs_old: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
) -> Array:
    """Gradient of :func:`surrogate` in the parameters of the new policy: L sum_i w_i r_i A_i score_i.

    Parameters
    ----------
    probs_new : ndarray, shape (S, A)
    log_probs_old, weights, advantages : ndarray, shape (n,)
    states, actions : ndarray of int, shape (n,)
    effective_horizon : float
    features : ndarray, shape (S, A, d), optional

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    used = weights != 0
    s, a = states[used], actions[used]
    coefficients = weights[used] * probs_new[s, a] * np.exp(-log_probs_old[used]) * advantages[used]
    return effective_horizon * _weighted_score(probs_new, s, a, coefficients, features)


def _is_clipped(ratio: Array, advantages: Array, clip_range: float) -> BoolArray:
    clipped: BoolArray = ((advantages > 0) & (ratio > 1 + clip_range)) | ((advantages < 0) & (ratio < 1 - clip_range))
    return clipped


def clipped_surrogate(
    log_probs_new: Array,
    log_probs_old: Array,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    clip_range: float,
) -> tuple[float, float, float]:
    """L sum_i w_i min(r_i A_i, clip(r_i, 1 - eps, 1 + eps) A_i).

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages : ndarray, shape (n,)
        Entries of weight 0 are not read.
    effective_horizon, clip_range : float

    Returns
    -------
    value : float
    clip_fraction : float
        Weight of the samples with (A > 0, r > 1 + eps) or (A < 0, r < 1 - eps).
    approx_kl : float
        sum w (r - 1 - log r), nats.

    References
    ----------
    Schulman, Wolski, Dhariwal, Radford, Klimov 2017, equation 7, arXiv:1707.06347.
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    ratio, w, a = np.exp(log_ratio), weights[used], advantages[used]
    value = float(np.sum(w * np.minimum(ratio * a, np.clip(ratio, 1 - clip_range, 1 + clip_range) * a)))
    clip_fraction = float(np.sum(w * _is_clipped(ratio, a, clip_range)))
    return effective_horizon * value, clip_fraction, float(np.sum(w * (np.expm1(log_ratio) - log_ratio)))


def clipped_surrogate_gradient(
    probs_new: Array,
    log_probs_old: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    clip_range: float,
    features: Array | None = None,
) -> Array:
    """Gradient of :func:`clipped_surrogate`: that of the surrogate without the samples that are clipped.

    Parameters
    ----------
    probs_new : ndarray, shape (S, A)
    log_probs_old, weights, advantages : ndarray, shape (n,)
    states, actions : ndarray of int, shape (n,)
    effective_horizon, clip_range : float
    features : ndarray, shape (S, A, d), optional

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2017, equation 7, arXiv:1707.06347.
    """
    used = weights != 0
    s, a, old, w, adv = states[used], actions[used], log_probs_old[used], weights[used], advantages[used]
    ratio = probs_new[s, a] * np.exp(-old)
    kept = ~_is_clipped(ratio, adv, clip_range)
    coefficients = (w * ratio * adv)[kept]
    return effective_horizon * _weighted_score(probs_new, s[kept], a[kept], coefficients, features)


def kl_divergence(probs_old: Array, probs_new: Array, states: IntArray, weights: Array) -> float:
    """sum_i w_i KL(old(.|s_i) || new(.|s_i)), nats; inf if an action in use becomes impossible.

    Parameters
    ----------
    probs_old, probs_new : ndarray, shape (S, A)
    states : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)

    Returns
    -------
    float

    References
    ----------
    Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951; Schulman et al. 2015, equation 12.
    """
    state_weights = np.bincount(states, weights, minlength=len(probs_old))[:, None]
    used = (state_weights * probs_old) > 0
    if np.any(probs_new[used] == 0):
        return float("inf")
    old, new = np.where(used, probs_old, 1.0), np.where(used, probs_new, 1.0)
    return float(np.sum(np.where(used, state_weights * probs_old, 0.0) * (np.log(old) - np.log(new))))


def npg_update(
    theta: Array,
    advantages: Array,
    effective_horizon: float,
    step_size: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """theta + eta F^+ grad J for the tabular softmax, in closed form.

    Parameters
    ----------
    theta, advantages : ndarray, shape (S, A)
    effective_horizon, step_size : float
    reachable : ndarray of bool, shape (S,)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Agarwal et al. 2021, section 5.3.
    """
    direction = natural_gradient_closed_form(advantages, theta, effective_horizon, reachable, mask)
    return theta + step_size * direction.reshape(theta.shape)


def soft_policy_iteration_update(
    theta: Array, advantages: Array, effective_horizon: float, step_size: float, mask: BoolArray | None = None
) -> Array:
    """pi' ~ pi exp(eta L A) at every state, reachable or not: theta + eta L A on the allowed actions.

    Parameters
    ----------
    theta, advantages : ndarray, shape (S, A)
    effective_horizon, step_size : float
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)
        Determined up to a constant per state; compare policies.

    References
    ----------
    Even-Dar, Kakade, Mansour, Mathematics of Operations Research 34(3), 2009 (Hedge at every state).
    """
    allowed = np.ones(theta.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    return theta + step_size * effective_horizon * np.where(allowed, advantages, 0.0)


def entropy_npg_update(
    theta: Array,
    advantages: Array,
    effective_horizon: float,
    step_size: float,
    tau: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """pi' ~ pi^(1 - e tau) exp(e Q_tau), e = min(eta L, 1 / tau): theta + e A_tau, centred.

    Parameters
    ----------
    theta : ndarray, shape (S, A)
    advantages : ndarray, shape (S, A)
        A_tau = Q_tau - tau log pi - V_tau.
    effective_horizon, step_size, tau : float
    reachable : ndarray of bool, shape (S,)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Cen, Cheng, Chen, Wei, Chi, Operations Research 70(4), 2022, section 2, arXiv:2007.06558.
    """
    total = step_size * effective_horizon
    if tau > 0:
        total = min(total, 1.0 / tau)
    return npg_update(theta, advantages, 1.0, total, reachable, mask)


def pg_update(theta: Array, gradient: Array, step_size: float | None = None, radius: float | None = None) -> Array:
    """theta + eta g, or the point of the L2 ball around theta that g likes best: theta + radius g / ||g||.

    Parameters
    ----------
    theta : ndarray
    gradient : ndarray, as many entries as theta
    step_size, radius : float, optional
        Exactly one of them.

    Returns
    -------
    ndarray, shape of theta

    References
    ----------
    Williams, Machine Learning 8, 1992; Nesterov, "Introductory Lectures on Convex Optimization", 2004.
    """
    if (step_size is None) == (radius is None):
        msg = "step_size, radius: give exactly one"
        raise ValueError(msg)
    if step_size is not None:
        return theta + step_size * gradient.reshape(theta.shape)
    norm = float(np.linalg.norm(gradient))
    return theta.copy() if norm == 0 or radius is None else theta + radius / norm * gradient.reshape(theta.shape)


def kl_step_size(quadratic_form: float, max_kl: float) -> float:
    """sqrt(2 max_kl / x^T F x), the step along x at which the quadratic model of the KL reaches max_kl.

    Parameters
    ----------
    quadratic_form : float
        x^T F x with F undamped.
    max_kl : float
        Nats.

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, appendix C, arXiv:1502.05477.
    """
    return float(np.sqrt(2.0 * max_kl / quadratic_form))


def trpo_update(
    theta: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    max_kl: float,
    *,
    method: str = "pinv",
    damping: float = 0.0,
    cg_max_iters: int = 100,
    cg_rtol: float = 1e-13,
    backtrack_factor: float = 0.8,
    max_backtracks: int = 10,
    features: Array | None = None,
    mask: BoolArray | None = None,
) -> tuple[Array, dict[str, Any]]:
    """One TRPO step: x = F^+ g, step sqrt(2 max_kl / x^T F x), then backtracking on the true KL and the surrogate.

    A trial is accepted if KL(old || new) <= max_kl and L sum w (r - 1) A > 0. The old log-probabilities are those
    of theta itself.

    Parameters
    ----------
    theta : ndarray, shape (S, A), or (d,) with features
    states, actions, weights, advantages, effective_horizon
        The batch.
    max_kl : float
        Nats.
    method : {"pinv", "cg"}
    damping : float
        Relative; used for the direction, not for the step's length.
    cg_max_iters : int
    cg_rtol : float
    backtrack_factor : float
    max_backtracks : int
        Number of trials, the full step included.
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    theta : ndarray, shape of theta
        Unchanged unless the status is "ok".
    info : dict
        ``status`` ("ok", "zero_gradient", "line_search_failed"), ``step_size``, ``kl``, ``improvement``,
        ``backtracks``, ``direction``.

    References
    ----------
    Schulman et al. 2015, equation 14 and appendix C, arXiv:1502.05477.
    """
    probs = policy_probs(theta, features, mask)
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features)

    def product(vector: Array, relative_damping: float = damping) -> Array:
        return fisher_vector_product(probs, states, actions, weights, vector, relative_damping, features)

    if method == "cg":
        direction = conjugate_gradient(product, gradient, cg_max_iters, cg_rtol)[0]
    elif method == "pinv":
        direction = natural_gradient_pinv(
            probs, states, actions, weights, advantages, effective_horizon, features, damping=damping
        )
    else:
        msg = f"method: expected 'pinv' or 'cg', got {method!r}"
        raise ValueError(msg)
    info = {"status": "zero_gradient", "step_size": 0.0, "kl": 0.0, "improvement": 0.0, "backtracks": 0}
    quadratic_form = float(direction @ product(direction, 0.0))
    if not quadratic_form > 0 or not np.sqrt(2 * max_kl / quadratic_form) * (gradient @ direction) > 1e-14:
        return theta.copy(), {**info, "direction": direction}
    step = kl_step_size(quadratic_form, max_kl)
    old_log_probs = policy_log_probs(theta, features, mask)[states, actions]
    for k in range(max_backtracks):
        trial = theta + step * direction.reshape(theta.shape)
        new = policy_probs(trial, features, mask)
        new_log_probs = policy_log_probs(trial, features, mask)[states, actions]
        kl = kl_divergence(probs, new, states, weights)
        improvement = surrogate_improvement(new_log_probs, old_log_probs, weights, advantages, effective_horizon)
        if kl <= max_kl and improvement > 0:
            found = {"status": "ok", "step_size": step, "kl": kl, "improvement": improvement, "backtracks": k}
            return trial, {**found, "direction": direction}
        step *= backtrack_factor
    return theta.copy(), {**info, "status": "line_search_failed", "backtracks": max_backtracks, "direction": direction}


def normalize_advantages(advantages: Array, weights: Array) -> Array:
    """(A - mean) / std with the weighted mean and population std; exact zeros if std <= 1e-12 max|A|.

    Parameters
    ----------
    advantages, weights : ndarray, shape (n,)
        Weights sum to 1; entries of weight 0 do not count in the mean, the std or the floor.

    Returns
    -------
    ndarray, shape (n,)
    """
    used = weights > 0
    mean = float(np.sum(weights[used] * advantages[used]))
    std = float(np.sqrt(np.sum(weights[used] * (advantages[used] - mean) ** 2)))
    if std <= 1e-12 * float(np.abs(advantages[used]).max()):
        return np.zeros_like(advantages)
    return (advantages - mean) / std


def entropy_gradient(probs: Array, states: IntArray, weights: Array, features: Array | None = None) -> Array:
    """Gradient of sum_i w_i H(pi(.|s_i)): -sum_a pi (log pi + H) in the logits.

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    states : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)
    features : ndarray, shape (S, A, d), optional

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Williams, Peng, Connection Science 3(3), 1991.
    """
    logs = np.log(np.where(probs > 0, probs, 1.0))
    entropy = -(probs * logs).sum(axis=1, keepdims=True)
    state_weights = np.bincount(states, weights, minlength=len(probs))[:, None]
    return _from_logits(-state_weights * probs * (logs + entropy), features)


def ppo_update(
    theta: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    log_probs_old: Array,
    *,
    n_epochs: int = 10,
    learning_rate: float = 3e-4,
    clip_range: float = 0.2,
    entropy_coef: float = 0.0,
    max_grad_norm: float | None = None,
    normalize: bool = True,
    betas: tuple[float, float] = (0.9, 0.999),
    adam_eps: float = 1e-5,
    adam_state: tuple[Array, Array, int] | None = None,
    features: Array | None = None,
    mask: BoolArray | None = None,
) -> tuple[Array, dict[str, Any]]:
    """Full-batch PPO: `n_epochs` Adam steps up (clipped surrogate) / L + entropy_coef * entropy.

    Parameters
    ----------
    theta : ndarray, shape (S, A), or (d,) with features
    states, actions, weights, advantages, log_probs_old
        The batch. L does not enter, because the loss divides by it.
    n_epochs : int
    learning_rate, clip_range, entropy_coef : float
    max_grad_norm : float, optional
        The gradient is scaled by min(1, max_grad_norm / ||g||), without any added epsilon.
    normalize : bool
        Apply :func:`normalize_advantages` first.
    betas, adam_eps
        Adam's constants.
    adam_state : (m, v, t), optional
        First and second moments (flat) and step count of an earlier iteration; default zeros.
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    theta : ndarray, shape of theta
    info : dict
        ``adam_state``, and ``value`` (divided by L), ``clip_fraction``, ``approx_kl`` at the last theta.

    References
    ----------
    Schulman et al. 2017, equations 7 and 9, arXiv:1707.06347; Kingma, Ba, ICLR 2015, algorithm 1, arXiv:1412.6980.
    """
    scaled = normalize_advantages(advantages, weights) if normalize else advantages
    m, v, t = adam_state if adam_state is not None else (np.zeros(theta.size), np.zeros(theta.size), 0)
    current = theta.copy()
    for _ in range(n_epochs):
        probs = policy_probs(current, features, mask)
        gradient = clipped_surrogate_gradient(
            probs, log_probs_old, states, actions, weights, scaled, 1.0, clip_range, features
        ) + entropy_coef * entropy_gradient(probs, states, weights, features)
        norm = float(np.linalg.norm(gradient))
        if max_grad_norm is not None and norm > max_grad_norm:
            gradient = gradient * (max_grad_norm / norm)
        t += 1
        m = betas[0] * m + (1 - betas[0]) * gradient
        v = betas[1] * v + (1 - betas[1]) * gradient**2
        step = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + adam_eps)
        current = current + learning_rate * step.reshape(theta.shape)
    new_log_probs = policy_log_probs(current, features, mask)[states, actions]
    value, clip_fraction, approx_kl = clipped_surrogate(new_log_probs, log_probs_old, weights, scaled, 1.0, clip_range)
    info = {"adam_state": (m, v, t), "value": value, "clip_fraction": clip_fraction, "approx_kl": approx_kl}
    return current, info


def cpi_update(probs: Array, advantages: Array, alpha: float, mask: BoolArray | None = None) -> Array:
    """(1 - alpha) pi + alpha pi', pi' greedy for the advantages (first action on ties up to 1e-10).

    Parameters
    ----------
    probs, advantages : ndarray, shape (S, A)
    alpha : float
        In [0, 1].
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Kakade, Langford, ICML 2002, equation 4.1.
    """
    allowed = np.ones(probs.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    return (1 - alpha) * probs + alpha * np.eye(probs.shape[1])[_greedy(advantages, allowed)]


def train_npg_exact(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    n_iterations: int,
    step_size: float,
    mask: BoolArray | None = None,
    tau: float = 0.0,
) -> dict[str, Any]:
    """Exact tabular NPG from the uniform policy with a fixed step.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon, mask, tau
        The problem, as in :func:`evaluate`; the policy is stationary.
    n_iterations : int
    step_size : float

    Returns
    -------
    dict
        ``theta`` (S, A), ``initial_objective``, ``objective`` (n_iterations,): J (J_tau if tau > 0) after each update.

    References
    ----------
    Agarwal et al. 2021, section 5.3; Cen et al. 2022, algorithm 1.
    """
    theta = np.zeros(rewards.shape)
    reachable = reachable_states(P, mu, mask, horizon)
    if horizon is not None:
        reachable = np.asarray(reachable.any(axis=0))
    objectives = []
    for _ in range(n_iterations):
        result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
        objectives.append(result["objective"])
        advantages = result["advantages"]
        if horizon is not None:
            advantages = marginal_advantages(advantages, result["occupancy"])
        theta = entropy_npg_update(theta, advantages, result["effective_horizon"], step_size, tau, reachable, mask)
    objectives.append(evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)["objective"])
    return {"theta": theta, "initial_objective": objectives[0], "objective": np.array(objectives[1:])}


def train_trpo_exact(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    n_iterations: int,
    max_kl: float,
    mask: BoolArray | None = None,
    method: str = "cg",
) -> dict[str, Any]:
    """Exact tabular TRPO from the uniform policy.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon, mask
        The problem, as in :func:`evaluate`; the policy is stationary.
    n_iterations : int
    max_kl : float
        Nats.
    method : {"cg", "pinv"}

    Returns
    -------
    dict
        ``theta`` (S, A), ``initial_objective``, ``objective`` and ``kl`` (n_iterations,), ``status`` list of str.

    References
    ----------
    Schulman et al. 2015, section 6 and appendix C, arXiv:1502.05477.
    """
    theta = np.zeros(rewards.shape)
    problem = (P, rewards, termination, mu, gamma, horizon)
    objectives = [evaluate(*problem, softmax(theta, mask))["objective"]]
    kls: list[float] = []
    statuses: list[str] = []
    for _ in range(n_iterations):
        batch = exact_batch(*problem, softmax(theta, mask))
        theta, info = trpo_update(
            theta,
            batch["states"],
            batch["actions"],
            batch["weights"],
            batch["advantages"],
            batch["effective_horizon"],
            max_kl,
            method=method,
            mask=mask,
        )
        objectives.append(evaluate(*problem, softmax(theta, mask))["objective"])
        kls.append(info["kl"])
        statuses.append(info["status"])
    return {
        "theta": theta,
        "initial_objective": objectives[0],
        "objective": np.array(objectives[1:]),
        "kl": np.array(kls),
        "status": statuses,
    }
