"""NumPy: exact evaluation, optimality and the exact batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.vectorized.policies import softmax

if TYPE_CHECKING:
    from npgfast.reference.vectorized.policies import Array, BoolArray, IntArray


def _can_reach(edges: BoolArray, targets: BoolArray) -> BoolArray:
    reached = targets.copy()
    for _ in range(len(targets)):
        reached |= (edges & reached).any(axis=1)
    return reached


def _require_proper(kernel: Array, ending: Array) -> None:
    ends = _can_reach(kernel > 0, ending > 0)
    if not ends.all():
        msg = f"gamma=1 needs termination from every state: state {int(np.argmin(ends))} never ends"
        raise ValueError(msg)


def reachable_states(P: Array, mu: Array, mask: BoolArray | None = None, horizon: int | None = None) -> BoolArray:
    """States that allowed actions can reach from mu, by graph search.

    Twin: :func:`.loops.reachable_states`.
    """
    allowed = np.ones(P.shape[:2], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    edges = ((P > 0) & allowed[:, :, None]).any(axis=1)
    if horizon is None:
        return _can_reach(edges.T, mu > 0)
    rows = [mu > 0]
    for _ in range(horizon - 1):
        rows.append((edges & rows[-1][:, None]).any(axis=0))
    return np.stack(rows)


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

    Source: Puterman, "Markov Decision Processes", 1994, theorem 6.1.1 and section 4.2; Cen, Cheng, Chen, Wei, Chi,
    Operations Research 70(4), 2022, section 2 (regularised values), arXiv:2007.06558. Twin: :func:`.loops.evaluate`.
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

    Twin: :func:`.loops.marginal_advantages`.
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

    At gamma = 1 the optimum is over the policies that end; a best policy that never ends is a ValueError.

    Source: Howard, "Dynamic Programming and Markov Processes", 1960; Puterman 1994, sections 4.5, 6.4 and 7.2; Cen et
    al. 2022, section 2 (soft policy improvement). Twin: :func:`.loops.solve`.
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

    Source: Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1 (the expectation that the batch lists). Twin:
    :func:`.loops.exact_batch`.
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
