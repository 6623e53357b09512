"""Plain Python: exact evaluation, optimality and the exact batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from npgfast.reference.loops.policies import Array, BoolArray, Row, Table

EPSILON = 2.0**-52
MAX_SWEEPS = 1_000_000


def _can_reach(successors: list[set[int]], targets: set[int]) -> set[int]:
    predecessors: list[set[int]] = [set() for _ in successors]
    for s, nexts in enumerate(successors):
        for t in nexts:
            predecessors[t].add(s)
    reached, frontier = set(targets), list(targets)
    while frontier:
        for s in predecessors[frontier.pop()]:
            if s not in reached:
                reached.add(s)
                frontier.append(s)
    return reached


def _require_ending(successors: list[set[int]], ending: set[int]) -> None:
    stuck = set(range(len(successors))) - _can_reach(successors, ending)
    if stuck:
        msg = f"gamma=1 needs termination from every state: state {min(stuck)} never ends"
        raise ValueError(msg)


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
    n_states, n_actions, _ = P.shape

    def successors(s: int) -> set[int]:
        allowed = [a for a in range(n_actions) if mask is None or mask[s][a]]
        return {t for a in allowed for t in range(n_states) if P[s, a, t] > 0}

    layer = {s for s in range(n_states) if mu[s] > 0}
    if horizon is None:
        seen = set(layer)
        while layer:
            layer = {t for s in layer for t in successors(s)} - seen
            seen |= layer
        return np.array([s in seen for s in range(n_states)])
    layers = [layer]
    for _ in range(horizon - 1):
        layers.append({t for s in layers[-1] for t in successors(s)})
    return np.array([[s in layer for s in range(n_states)] for layer in layers])


def _action_values(P: list[Table], rewards: Table, gamma: float, values: Row) -> Table:
    return [
        [
            r + gamma * sum(p * v for p, v in zip(row, values, strict=True))
            for r, row in zip(rewards[s], P[s], strict=True)
        ]
        for s in range(len(rewards))
    ]


def _iterate(operator: Callable[[Row], Row], values: Row) -> Row:
    """Fixed point of a contraction, up to four units in the last place of the largest value."""
    for _ in range(MAX_SWEEPS):
        new = operator(values)
        change = max(abs(x - y) for x, y in zip(new, values, strict=True))
        values = new
        if change <= 4 * EPSILON * max(abs(x) for x in values):
            return values
    msg = "the Bellman iteration did not converge"
    raise RuntimeError(msg)


def _tau_log(tau: float, p: float) -> float:
    return tau * math.log(p) if p > 0 else 0.0


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
    """Values, advantages and occupancy of a policy, by iterating V <- sum_a pi (r - tau log pi + gamma P V).

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
    Puterman, "Markov Decision Processes", 1994, sections 4.2 and 6.3; Cen, Cheng, Chen, Wei, Chi, Operations Research
    70(4), 2022, section 2 (regularised values), arXiv:2007.06558.
    """
    kernel: list[Table] = P.tolist()
    reward: Table = rewards.tolist()
    n_states, n_actions = rewards.shape

    def values_of(q: Table, policy: Table) -> Row:
        return [sum(p * (x - _tau_log(tau, p)) for p, x in zip(policy[s], q[s], strict=True)) for s in range(n_states)]

    def forward(mass: Row, policy: Table) -> Row:
        new = [0.0] * n_states
        for s in range(n_states):
            for a in range(n_actions):
                flow = gamma * mass[s] * policy[s][a]
                if flow > 0:
                    for t, p in enumerate(kernel[s][a]):
                        new[t] += flow * p
        return new

    def advantages_of(q: Table, v: Row, policy: Table) -> Table:
        return [[q[s][a] - _tau_log(tau, policy[s][a]) - v[s] for a in range(n_actions)] for s in range(n_states)]

    if horizon is None:
        policy: Table = probs.tolist()
        if gamma == 1.0:
            pairs = [[a for a in range(n_actions) if policy[s][a] > 0] for s in range(n_states)]
            nexts = [{t for a in pairs[s] for t in range(n_states) if P[s, a, t] > 0} for s in range(n_states)]
            _require_ending(nexts, {s for s in range(n_states) if any(termination[s, a] > 0 for a in pairs[s])})
        values = _iterate(lambda v: values_of(_action_values(kernel, reward, gamma, v), policy), [0.0] * n_states)
        q = _action_values(kernel, reward, gamma, values)
        visits, alive = [0.0] * n_states, list(map(float, mu))
        for _ in range(MAX_SWEEPS):
            if sum(alive) <= 1e-18 * sum(visits):
                break
            visits = [x + y for x, y in zip(visits, alive, strict=True)]
            alive = forward(alive, policy)
        else:
            msg = "the occupancy iteration did not converge"
            raise RuntimeError(msg)
        effective_horizon = sum(visits)
        occupancy = np.array(visits) / effective_horizon
        return {
            "objective": sum(m * v for m, v in zip(mu.tolist(), values, strict=True)),
            "values": np.array(values),
            "action_values": np.array(q),
            "advantages": np.array(advantages_of(q, values, policy)),
            "occupancy": occupancy,
            "effective_horizon": effective_horizon,
        }

    policies: list[Table] = probs.tolist() if probs.ndim == 3 else [probs.tolist()] * horizon
    values = [0.0] * n_states
    all_values: list[Row] = []
    all_q: list[Table] = []
    all_advantages: list[Table] = []
    for h in reversed(range(horizon)):
        q = _action_values(kernel, reward, gamma, values)
        values = values_of(q, policies[h])
        all_values.insert(0, values)
        all_q.insert(0, q)
        all_advantages.insert(0, advantages_of(q, values, policies[h]))
    mass = [list(map(float, mu))]
    for h in range(horizon - 1):
        mass.append(forward(mass[-1], policies[h]))
    effective_horizon = sum(sum(row) for row in mass)
    return {
        "objective": sum(m * v for m, v in zip(mu.tolist(), all_values[0], strict=True)),
        "values": np.array(all_values),
        "action_values": np.array(all_q),
        "advantages": np.array(all_advantages),
        "occupancy": np.array(mass) / effective_horizon,
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
    n_steps, n_states, n_actions = advantages.shape
    result = np.zeros((n_states, n_actions))
    for s in range(n_states):
        weight = sum(float(occupancy[h, s]) for h in range(n_steps))
        if weight > 0:
            for a in range(n_actions):
                result[s, a] = sum(float(occupancy[h, s] * advantages[h, s, a]) for h in range(n_steps)) / weight
    return result


def _first_greedy(q: Row, allowed: list[int]) -> int:
    best = max(q[a] for a in allowed)
    return next(a for a in allowed if q[a] >= best - 1e-10 * max(1.0, abs(best)))


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
    """Optimal values and policy: value iteration from 0, soft for tau > 0, or backward induction.

    V <- max_a (r + gamma P V), or V <- tau log sum_a exp((r + gamma P V) / tau).

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
        gamma = 1 without horizon and a state that cannot end.

    Notes
    -----
    At gamma = 1 a loop without reward is worth 0 here, also where ending costs something.

    References
    ----------
    Bellman, "Dynamic Programming", 1957; Puterman 1994, sections 4.5, 6.3 and 7.2; Cen et al. 2022, section 2.
    """
    kernel: list[Table] = P.tolist()
    reward: Table = rewards.tolist()
    n_states, n_actions = rewards.shape
    allowed = [[a for a in range(n_actions) if mask is None or mask[s][a]] for s in range(n_states)]

    def best(q: Table) -> Row:
        values = []
        for s in range(n_states):
            largest = max(q[s][a] for a in allowed[s])
            if tau > 0:
                largest += tau * math.log(sum(math.exp((q[s][a] - largest) / tau) for a in allowed[s]))
            values.append(largest)
        return values

    def policy_of(q: Table) -> Table:
        policy = []
        for s in range(n_states):
            if tau > 0:
                largest = max(q[s][a] for a in allowed[s])
                odds = [math.exp((q[s][a] - largest) / tau) if a in allowed[s] else 0.0 for a in range(n_actions)]
                policy.append([x / sum(odds) for x in odds])
            else:
                greedy = _first_greedy(q[s], allowed[s])
                policy.append([1.0 if a == greedy else 0.0 for a in range(n_actions)])
        return policy

    def actions_of(q: Table) -> list[int]:
        return [_first_greedy(q[s], allowed[s]) for s in range(n_states)]

    if horizon is None:
        if gamma == 1.0:
            nexts = [{t for a in allowed[s] for t in range(n_states) if P[s, a, t] > 0} for s in range(n_states)]
            _require_ending(nexts, {s for s in range(n_states) if any(termination[s, a] > 0 for a in allowed[s])})
        values = _iterate(lambda v: best(_action_values(kernel, reward, gamma, v)), [0.0] * n_states)
        q = _action_values(kernel, reward, gamma, values)
        return {
            "objective": sum(m * v for m, v in zip(mu.tolist(), values, strict=True)),
            "values": np.array(values),
            "action_values": np.array(q),
            "actions": np.array(actions_of(q)),
            "policy": np.array(policy_of(q)),
        }
    values = [0.0] * n_states
    steps = []
    for _ in range(horizon):
        q = _action_values(kernel, reward, gamma, values)
        values = best(q)
        steps.append((values, q))
    steps.reverse()
    return {
        "objective": sum(m * v for m, v in zip(mu.tolist(), values, strict=True)),
        "values": np.array([v for v, _ in steps]),
        "action_values": np.array([q for _, q in steps]),
        "actions": np.array([actions_of(q) for _, q in steps]),
        "policy": np.array([policy_of(q) for _, q in steps]),
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
    n_states, n_actions = rewards.shape
    states, actions, weights, advantages, log_probs = [], [], [], [], []
    for h in range(horizon or 1):
        policy = probs[h] if probs.ndim == 3 else probs
        occupancy = result["occupancy"] if horizon is None else result["occupancy"][h]
        table = result["advantages"] if horizon is None else result["advantages"][h]
        for s in range(n_states):
            for a in range(n_actions):
                p = float(policy[s, a])
                states.append(s)
                actions.append(a)
                weights.append(float(occupancy[s]) * p)
                advantages.append(float(table[s, a]))
                log_probs.append(math.log(p) if p > 0 else -math.inf)
    return {
        "states": np.array(states),
        "actions": np.array(actions),
        "weights": np.array(weights),
        "advantages": np.array(advantages),
        "log_probs": np.array(log_probs),
        "effective_horizon": result["effective_horizon"],
    }
