"""Plain-Python reference of every kernel: floats, lists and loops. Conventions are those of the package docstring.

Functions take and return NumPy arrays so that they can be compared with :mod:`npgfast.reference.vectorized`, where
the shapes are documented in full; the arithmetic in between is Python's own.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Row = list[float]
Table = list[list[float]]

EPSILON = 2.0**-52
MAX_SWEEPS = 1_000_000


def philox4x32(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """Ten rounds of Philox4x32.

    Parameters
    ----------
    counter : sequence of 4 int
    key : sequence of 2 int

    Returns
    -------
    tuple of 4 int
        32-bit words.

    References
    ----------
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.
    """
    c0, c1, c2, c3 = (int(word) for word in counter)
    k0, k1 = (int(word) for word in key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 = (k0 + 0x9E3779B9) % 2**32
        k1 = (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def log_softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """log pi(a|s) = theta_sa - log sum_b exp(theta_sb), over the allowed actions; -inf where masked.

    Parameters
    ----------
    logits : ndarray, shape (S, A)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)
        Nats.

    Raises
    ------
    ValueError
        A state allows no action.

    References
    ----------
    Sutton, Barto, "Reinforcement Learning", 2018, equation 13.2.
    """
    rows: Table = np.asarray(logits, dtype=np.float64).tolist()
    result = []
    for s, row in enumerate(rows):
        allowed = [a for a in range(len(row)) if mask is None or mask[s][a]]
        if not allowed:
            msg = "mask: a state allows no action"
            raise ValueError(msg)
        largest = max(row[a] for a in allowed)
        log_sum = math.log(sum(math.exp(row[a] - largest) for a in allowed))
        logs = [-math.inf] * len(row)
        for a in allowed:
            logs[a] = row[a] - largest - log_sum
        result.append(logs)
    return np.array(result)


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
    return np.array([[math.exp(x) for x in row] for row in log_softmax(logits, mask).tolist()])


def _logits(theta: Array, features: Array | None) -> Array:
    if features is None:
        return theta
    weights: Row = theta.tolist()
    return np.array(
        [[sum(w * x for w, x in zip(weights, phi, strict=True)) for phi in row] for row in features.tolist()]
    )


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
    return softmax(_logits(theta, features), mask)


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
    return log_softmax(_logits(theta, features), mask)


def score_tabular(probs: Array, state: int, action: int) -> Array:
    """d log pi(a|s) / d theta_(s', b) = 1[s' = s] (1[b = a] - pi(b|s)).

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
    return np.array(_score(probs.tolist(), state, action, None))


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
    table, phi = probs.tolist(), features.tolist()
    return np.array([_score(table, s, a, phi) for s, a in zip(states.tolist(), actions.tolist(), strict=True)])


def _score(probs: Table, state: int, action: int, features: list[Table] | None) -> Row:
    if features is None:
        score = []
        for s, row in enumerate(probs):
            for b, p in enumerate(row):
                score.append(((1.0 if b == action else 0.0) - p) if s == state else 0.0)
        return score
    phi, row = features[state], probs[state]
    return [phi[action][k] - sum(p * phi[b][k] for b, p in enumerate(row)) for k in range(len(phi[action]))]


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
    P, rewards, termination, mu, gamma, horizon, probs, tau
        As in :func:`npgfast.reference.vectorized.evaluate`.

    Returns
    -------
    dict
        ``objective``, ``values``, ``action_values``, ``advantages``, ``occupancy``, ``effective_horizon``, as there.

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
    P, rewards, termination, mu, gamma, horizon, mask, tau
        As in :func:`npgfast.reference.vectorized.solve`.

    Returns
    -------
    dict
        ``objective``, ``values``, ``action_values``, ``actions``, ``policy``, as there.

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
        As in :func:`npgfast.reference.vectorized.evaluate`.

    Returns
    -------
    dict
        ``states``, ``actions``, ``weights``, ``advantages``, ``log_probs``, ``effective_horizon``.

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

    References
    ----------
    Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE TSE 17(9), 1991.
    """
    if np.ndim(probabilities) == 2:
        tables = [alias_table(row) for row in probabilities]
        return np.array([t for t, _ in tables]), np.array([a for _, a in tables])
    total, n = float(sum(probabilities)), len(probabilities)
    mass = [float(p) / total * n for p in probabilities]
    threshold, alias = [1.0] * n, list(range(n))
    small = [i for i in range(n) if mass[i] < 1.0]
    large = [i for i in range(n) if mass[i] >= 1.0]
    while small and large:
        poor, rich = small.pop(), large.pop()
        threshold[poor], alias[poor] = mass[poor], rich
        mass[rich] -= 1.0 - mass[poor]
        (small if mass[rich] < 1.0 else large).append(rich)
    return np.array(threshold), np.array(alias)


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
    """Simulate environments one after the other, restarting from mu after each termination.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, probs
        As in :func:`npgfast.reference.vectorized.rollout`.
    n_steps, n_envs : int
    rng : random.Random or numpy.random.Generator

    Returns
    -------
    states, actions : ndarray of int, shape (n_steps, n_envs)
    rewards : ndarray, shape (n_steps, n_envs)
        Expected reward r(s, a).
    terminated : ndarray of bool, shape (n_steps, n_envs)
    """
    n_states, n_actions = rewards.shape

    def table(weights: Row) -> tuple[list[int], Row]:
        possible = [i for i, w in enumerate(weights) if w > 0]
        return possible, list(accumulate(weights[i] for i in possible))

    def draw(entry: tuple[list[int], Row]) -> int:
        possible, cumulative = entry
        # Rounding may leave u at or above the last cumulative sum: such a draw is the last possible outcome.
        return possible[min(bisect_right(cumulative, random()), len(possible) - 1)]

    random = rng.random
    start = table(mu.tolist())
    policy = [table(row) for row in probs.tolist()]
    outcomes = [
        [table([*P[s, a].tolist(), float(termination[s, a])]) for a in range(n_actions)] for s in range(n_states)
    ]
    reward = rewards.tolist()
    columns = []
    for _ in range(n_envs):
        states, actions, gained, ended = [], [], [], []
        state = draw(start)
        for _ in range(n_steps):
            action = draw(policy[state])
            outcome = draw(outcomes[state][action])
            states.append(state)
            actions.append(action)
            gained.append(reward[state][action])
            ended.append(outcome == n_states)
            state = draw(start) if outcome == n_states else outcome
        columns.append((states, actions, gained, ended))
    s, a, r, e = ([column[k] for column in columns] for k in range(4))
    return np.array(s, dtype=np.int64).T, np.array(a, dtype=np.int64).T, np.array(r).T, np.array(e, dtype=bool).T


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
    rewards, terminated, truncated, gamma, bootstrap_values
        As in :func:`npgfast.reference.vectorized.discounted_returns`.

    Returns
    -------
    ndarray, shape (T, N)

    References
    ----------
    Sutton, Barto 2018, equation 3.9; Pardo, Tavakoli, Levdik, Kormushev, ICML 2018, section 3 (time limits).
    """
    n_steps, n_envs = rewards.shape
    returns = np.zeros((n_steps, n_envs))
    for n in range(n_envs):
        for t in reversed(range(n_steps)):
            if terminated[t, n]:
                tail = 0.0
            elif truncated[t, n] or t == n_steps - 1:
                tail = 0.0 if bootstrap_values is None else float(bootstrap_values[t, n])
            else:
                tail = float(returns[t + 1, n])
            returns[t, n] = float(rewards[t, n]) + gamma * tail
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
    rewards, values, terminated, truncated, gamma, gae_lambda, bootstrap_values
        As in :func:`npgfast.reference.vectorized.gae`.

    Returns
    -------
    advantages, returns : ndarray, shape (T, N)
        returns = advantages + values.

    References
    ----------
    Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016, equations 11-16, arXiv:1506.02438.
    """
    n_steps, n_envs = rewards.shape
    advantages = np.zeros((n_steps, n_envs))
    for n in range(n_envs):
        following = 0.0
        for t in reversed(range(n_steps)):
            ended = bool(terminated[t, n]) or bool(truncated[t, n]) or t == n_steps - 1
            if terminated[t, n]:
                next_value = 0.0
            else:
                next_value = float(bootstrap_values[t, n]) if ended else float(values[t + 1, n])
            delta = float(rewards[t, n]) + gamma * next_value - float(values[t, n])
            following = delta if ended else delta + gamma * gae_lambda * following
            advantages[t, n] = following
    return advantages, advantages + values


def gae_quadratic(
    rewards: Array,
    values: Array,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    gae_lambda: float,
    bootstrap_values: Array,
) -> tuple[Array, Array]:
    """The definition, in O(T^2): the exponentially weighted mean of the k-step advantage estimators.

    A_t = (1 - lambda) sum_(k=1)^(K-1) lambda^(k-1) A_t^(k) + lambda^(K-1) A_t^(K), with K the steps left in the
    episode or in the data and A_t^(k) = sum_(l<k) gamma^l r_(t+l) + gamma^k V(s_(t+k)) - V(s_t).

    Parameters
    ----------
    rewards, values, terminated, truncated, gamma, gae_lambda, bootstrap_values
        As in :func:`npgfast.reference.vectorized.gae`.

    Returns
    -------
    advantages, returns : ndarray, shape (T, N)

    References
    ----------
    Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016, equations 11-16, arXiv:1506.02438.
    """
    n_steps, n_envs = rewards.shape
    advantages = np.zeros((n_steps, n_envs))
    for n in range(n_envs):
        for t in range(n_steps):
            last = t
            while last < n_steps - 1 and not (terminated[last, n] or truncated[last, n]):
                last += 1
            total, collected = 0.0, 0.0
            for k in range(1, last - t + 2):
                step = t + k - 1
                collected += gamma ** (k - 1) * float(rewards[step, n])
                if step < last:
                    reached, weight = float(values[step + 1, n]), (1 - gae_lambda) * gae_lambda ** (k - 1)
                else:
                    reached = 0.0 if terminated[step, n] else float(bootstrap_values[step, n])
                    weight = gae_lambda ** (k - 1)
                total += weight * (collected + gamma**k * reached - float(values[t, n]))
            advantages[t, n] = total
    return advantages, advantages + values


def _listed(features: Array | None) -> list[Table] | None:
    return None if features is None else features.tolist()


def _combine(coefficients: Sequence[float], vectors: Sequence[Row], size: int) -> Row:
    total = [0.0] * size
    for c, vector in zip(coefficients, vectors, strict=True):
        for k, x in enumerate(vector):
            total[k] += c * x
    return total


def _size(probs: Array, features: Array | None) -> int:
    return probs.size if features is None else int(features.shape[2])


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
    probs, states, actions, weights, advantages, effective_horizon, features
        As in :func:`npgfast.reference.vectorized.policy_gradient`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1.
    """
    table, phi = probs.tolist(), _listed(features)
    scores = [_score(table, s, a, phi) for s, a in zip(states.tolist(), actions.tolist(), strict=True)]
    coefficients = [w * a for w, a in zip(weights.tolist(), advantages.tolist(), strict=True)]
    return np.array([effective_horizon * x for x in _combine(coefficients, scores, _size(probs, features))])


def _fisher_terms(
    probs: Array, states: IntArray, actions: IntArray, weights: Array, features: Array | None, estimator: str
) -> list[tuple[float, Row]]:
    """Weights and scores whose weighted outer products sum to F."""
    table, phi = probs.tolist(), _listed(features)
    terms = []
    for s, a, w in zip(states.tolist(), actions.tolist(), weights.tolist(), strict=True):
        if estimator == "analytic":
            terms += [(w * p, _score(table, s, b, phi)) for b, p in enumerate(table[s])]
        elif estimator == "empirical":
            terms.append((w, _score(table, s, a, phi)))
        else:
            msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
            raise ValueError(msg)
    return terms


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
    probs, states, actions, weights, features, estimator
        As in :func:`npgfast.reference.vectorized.fisher_matrix`.

    Returns
    -------
    ndarray, shape (S * A, S * A) or (d, d)

    References
    ----------
    Kakade, NIPS 2001, section 2; Amari, Neural Computation 10(2), 1998.
    """
    size = _size(probs, features)
    fisher = [[0.0] * size for _ in range(size)]
    for w, score in _fisher_terms(probs, states, actions, weights, features, estimator):
        for i, x in enumerate(score):
            if x != 0.0:
                for j, y in enumerate(score):
                    fisher[i][j] += w * x * y
    return np.array(fisher)


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
    """(F + damping (tr F / d) I) v = sum w score (score . v) + damping (tr F / d) v.

    Parameters
    ----------
    probs, states, actions, weights, vector, damping, features, estimator
        As in :func:`npgfast.reference.vectorized.fisher_vector_product`.

    Returns
    -------
    ndarray, shape of `vector`

    References
    ----------
    Schulman, Levine, Moritz, Jordan, Abbeel, ICML 2015, appendix C.1, arXiv:1502.05477.
    """
    v: Row = vector.tolist()
    product, trace = [0.0] * len(v), 0.0
    for w, score in _fisher_terms(probs, states, actions, weights, features, estimator):
        along = w * sum(x * y for x, y in zip(score, v, strict=True))
        trace += w * sum(x * x for x in score)
        for k, x in enumerate(score):
            product[k] += along * x
    return np.array([p + damping * trace / len(v) * x for p, x in zip(product, v, strict=True)])


def conjugate_gradient(
    matrix: Array | Callable[[Array], Array], b: Array, max_iters: int, rtol: float
) -> tuple[Array, float, int]:
    """Solve A x = b for a symmetric positive semidefinite A by conjugate gradients from 0.

    Parameters
    ----------
    matrix, b, max_iters, rtol
        As in :func:`npgfast.reference.vectorized.conjugate_gradient`.

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

    def product(v: Row) -> Row:
        if callable(matrix):
            image: Row = matrix(np.array(v)).tolist()
            return image
        return [_dot(row, v) for row in matrix.tolist()]

    x = [0.0] * len(b)
    residual: Row = b.tolist()
    direction = list(residual)
    square = _dot(residual, residual)
    target = rtol * math.sqrt(square)
    iterations = 0
    while iterations < max_iters and square > 0 and math.sqrt(square) > target:
        image = product(direction)
        curvature = _dot(direction, image)
        if not curvature > 0:
            break
        step = square / curvature
        x = [y + step * p for y, p in zip(x, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, image, strict=True)]
        previous, square = square, _dot(residual, residual)
        direction = [r + square / previous * p for r, p in zip(residual, direction, strict=True)]
        iterations += 1
    left = [y - z for y, z in zip(b.tolist(), product(x), strict=True)]
    return np.array(x), math.sqrt(_dot(left, left)), iterations


def _dot(x: Row, y: Row) -> float:
    return sum(a * b for a, b in zip(x, y, strict=True))


def _least_squares(columns: list[Row], b: Row, rcond: float) -> Row:
    """Shortest minimiser of ||M x - b||, M given by its columns, by one-sided Jacobi rotations (Hestenes 1958)."""
    size = len(columns)
    images = [list(column) for column in columns]
    rotation = [[1.0 if i == j else 0.0 for i in range(size)] for j in range(size)]
    scale = sum(_dot(c, c) for c in images)
    for _ in range(60):
        rotated = False
        for p in range(size - 1):
            for q in range(p + 1, size):
                alpha, beta = _dot(images[p], images[p]), _dot(images[q], images[q])
                gamma = _dot(images[p], images[q])
                if abs(gamma) <= 1e-16 * math.sqrt(alpha * beta) or abs(gamma) <= 1e-34 * scale:
                    continue
                rotated = True
                zeta = (beta - alpha) / (2.0 * gamma)
                tangent = math.copysign(1.0, zeta) / (abs(zeta) + math.hypot(1.0, zeta))
                cosine = 1.0 / math.hypot(1.0, tangent)
                sine = cosine * tangent
                for table in (images, rotation):
                    left, right = table[p], table[q]
                    table[p] = [cosine * x - sine * y for x, y in zip(left, right, strict=True)]
                    table[q] = [sine * x + cosine * y for x, y in zip(left, right, strict=True)]
        if not rotated:
            break
    squares = [_dot(c, c) for c in images]
    cutoff = (rcond * math.sqrt(max(squares))) ** 2
    coefficients = [_dot(c, b) / x if x > cutoff else 0.0 for c, x in zip(images, squares, strict=True)]
    return _combine(coefficients, rotation, size)


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
    """(F + damping (tr F / d) I)^+ grad J by a singular value decomposition with Jacobi rotations.

    Parameters
    ----------
    probs, states, actions, weights, advantages, effective_horizon, features, estimator, damping, rcond
        As in :func:`npgfast.reference.vectorized.natural_gradient_pinv`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, section 2; Agarwal et al. 2021, section 5.3.
    """
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features).tolist()
    fisher: Table = fisher_matrix(probs, states, actions, weights, features, estimator).tolist()
    trace = sum(fisher[k][k] for k in range(len(fisher)))
    for k in range(len(fisher)):
        fisher[k][k] += damping * trace / len(gradient)
    return np.array(_least_squares(fisher, gradient, rcond))


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
    probs, states, actions, weights, advantages, effective_horizon, features, rcond
        As in :func:`npgfast.reference.vectorized.natural_gradient_regression`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, theorem 1; Agarwal et al. 2021, section 6.1.
    """
    table, phi = probs.tolist(), _listed(features)
    scale = [math.sqrt(w) for w in weights.tolist()]
    rows = [
        [c * x for x in _score(table, s, a, phi)]
        for c, s, a in zip(scale, states.tolist(), actions.tolist(), strict=True)
    ]
    columns = [[row[k] for row in rows] for k in range(_size(probs, features))]
    labels = [c * a for c, a in zip(scale, advantages.tolist(), strict=True)]
    return np.array([effective_horizon * x for x in _least_squares(columns, labels, rcond)])


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
    advantages, probs, effective_horizon, reachable, mask
        As in :func:`npgfast.reference.vectorized.natural_gradient_closed_form`.

    Returns
    -------
    ndarray, shape (S * A,)

    References
    ----------
    Agarwal et al. 2021, section 5.3 (NPG as soft policy iteration).
    """
    n_states, n_actions = probs.shape
    direction = []
    for s in range(n_states):
        allowed = [a for a in range(n_actions) if mask is None or mask[s][a]]
        mean = sum(float(advantages[s, a]) for a in allowed) / len(allowed)
        for a in range(n_actions):
            moves = a in allowed and bool(reachable[s])
            direction.append(effective_horizon * (float(advantages[s, a]) - mean) if moves else 0.0)
    return np.array(direction)


def _ratio_terms(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array
) -> list[tuple[float, float, float]]:
    """(weight, log-ratio, advantage) of the samples of positive weight."""
    listed = zip(weights.tolist(), log_probs_new.tolist(), log_probs_old.tolist(), advantages.tolist(), strict=True)
    return [(w, new - old, a) for w, new, old, a in listed if w != 0]


def surrogate(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i r_i A_i, r = pi_new / pi_old.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages, effective_horizon
        As in :func:`npgfast.reference.vectorized.surrogate`.

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    terms = _ratio_terms(log_probs_new, log_probs_old, weights, advantages)
    return effective_horizon * sum(w * math.exp(x) * a for w, x, a in terms)


def surrogate_improvement(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i (r_i - 1) A_i, through expm1.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages, effective_horizon
        As in :func:`npgfast.reference.vectorized.surrogate`.

    Returns
    -------
    float
    """
    terms = _ratio_terms(log_probs_new, log_probs_old, weights, advantages)
    return effective_horizon * sum(w * math.expm1(x) * a for w, x, a in terms)


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
    probs_new, log_probs_old, states, actions, weights, advantages, effective_horizon, features
        As in :func:`npgfast.reference.vectorized.surrogate_gradient`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    return clipped_surrogate_gradient(
        probs_new, log_probs_old, states, actions, weights, advantages, effective_horizon, math.inf, features
    )


def _is_clipped(ratio: float, advantage: float, clip_range: float) -> bool:
    return (advantage > 0 and ratio > 1 + clip_range) or (advantage < 0 and ratio < 1 - clip_range)


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
    log_probs_new, log_probs_old, weights, advantages, effective_horizon, clip_range
        As in :func:`npgfast.reference.vectorized.clipped_surrogate`.

    Returns
    -------
    value, clip_fraction, approx_kl : float

    References
    ----------
    Schulman, Wolski, Dhariwal, Radford, Klimov 2017, equation 7, arXiv:1707.06347.
    """
    value, clip_fraction, approx_kl = 0.0, 0.0, 0.0
    for w, log_ratio, a in _ratio_terms(log_probs_new, log_probs_old, weights, advantages):
        ratio = math.exp(log_ratio)
        value += w * min(ratio * a, min(max(ratio, 1 - clip_range), 1 + clip_range) * a)
        clip_fraction += w if _is_clipped(ratio, a, clip_range) else 0.0
        approx_kl += w * (math.expm1(log_ratio) - log_ratio)
    return effective_horizon * value, clip_fraction, approx_kl


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
    probs_new, log_probs_old, states, actions, weights, advantages, effective_horizon, clip_range, features
        As in :func:`npgfast.reference.vectorized.clipped_surrogate_gradient`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2017, equation 7, arXiv:1707.06347.
    """
    table, phi = probs_new.tolist(), _listed(features)
    coefficients, scores = [], []
    for s, a, w, old, advantage in zip(
        states.tolist(), actions.tolist(), weights.tolist(), log_probs_old.tolist(), advantages.tolist(), strict=False
    ):
        if w == 0:
            continue
        ratio = table[s][a] / math.exp(old)
        if not _is_clipped(ratio, advantage, clip_range):
            coefficients.append(effective_horizon * w * ratio * advantage)
            scores.append(_score(table, s, a, phi))
    return np.array(_combine(coefficients, scores, _size(probs_new, features)))


def kl_divergence(probs_old: Array, probs_new: Array, states: IntArray, weights: Array) -> float:
    """sum_i w_i KL(old(.|s_i) || new(.|s_i)), nats; inf if an action in use becomes impossible.

    Parameters
    ----------
    probs_old, probs_new, states, weights
        As in :func:`npgfast.reference.vectorized.kl_divergence`.

    Returns
    -------
    float

    References
    ----------
    Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951; Schulman et al. 2015, equation 12.
    """
    old: Table = probs_old.tolist()
    new: Table = probs_new.tolist()
    total = 0.0
    for s, w in zip(states.tolist(), weights.tolist(), strict=True):
        for p, q in zip(old[s], new[s], strict=True):
            if w > 0 and p > 0:
                total += w * p * (math.log(p) - math.log(q)) if q > 0 else math.inf
    return total


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
    theta, advantages, effective_horizon, step_size, reachable, mask
        As in :func:`npgfast.reference.vectorized.npg_update`.

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Agarwal et al. 2021, section 5.3.
    """
    direction = natural_gradient_closed_form(advantages, theta, effective_horizon, reachable, mask)
    return _moved(theta, direction, step_size)


def _moved(theta: Array, direction: Array, step: float) -> Array:
    moved = [x + step * y for x, y in zip(theta.ravel().tolist(), direction.ravel().tolist(), strict=True)]
    return np.array(moved).reshape(theta.shape)


def soft_policy_iteration_update(
    theta: Array, advantages: Array, effective_horizon: float, step_size: float, mask: BoolArray | None = None
) -> Array:
    """pi' ~ pi exp(eta L A) at every state, reachable or not: theta + eta L A on the allowed actions.

    Parameters
    ----------
    theta, advantages, effective_horizon, step_size, mask
        As in :func:`npgfast.reference.vectorized.soft_policy_iteration_update`.

    Returns
    -------
    ndarray, shape (S, A)
        Determined up to a constant per state; compare policies.

    References
    ----------
    Even-Dar, Kakade, Mansour, Mathematics of Operations Research 34(3), 2009 (Hedge at every state).
    """
    result = theta.copy()
    for s in range(theta.shape[0]):
        for a in range(theta.shape[1]):
            if mask is None or mask[s][a]:
                result[s, a] += step_size * effective_horizon * float(advantages[s, a])
    return result


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
    theta, advantages, effective_horizon, step_size, tau, reachable, mask
        As in :func:`npgfast.reference.vectorized.entropy_npg_update`.

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Cen, Cheng, Chen, Wei, Chi, Operations Research 70(4), 2022, section 2, arXiv:2007.06558.
    """
    total = step_size * effective_horizon
    if tau > 0 and total * tau > 1.0:
        total = 1.0 / tau
    return npg_update(theta, advantages, 1.0, total, reachable, mask)


def pg_update(theta: Array, gradient: Array, step_size: float | None = None, radius: float | None = None) -> Array:
    """theta + eta g, or the point of the L2 ball around theta that g likes best: theta + radius g / ||g||.

    Parameters
    ----------
    theta, gradient, step_size, radius
        As in :func:`npgfast.reference.vectorized.pg_update`.

    Returns
    -------
    ndarray, shape of theta

    References
    ----------
    Williams, Machine Learning 8, 1992; Nesterov, "Introductory Lectures on Convex Optimization", 2004.
    """
    if step_size is not None and radius is None:
        return _moved(theta, gradient, step_size)
    if radius is not None and step_size is None:
        norm = math.hypot(*gradient.ravel().tolist())
        return theta.copy() if norm == 0 else _moved(theta, gradient, radius / norm)
    msg = "step_size, radius: give exactly one"
    raise ValueError(msg)


def kl_step_size(quadratic_form: float, max_kl: float) -> float:
    """sqrt(2 max_kl / x^T F x), the step along x at which the quadratic model of the KL reaches max_kl.

    Parameters
    ----------
    quadratic_form, max_kl : float

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, appendix C, arXiv:1502.05477.
    """
    return math.sqrt(2.0 * max_kl / quadratic_form)


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

    Parameters
    ----------
    theta, states, actions, weights, advantages, effective_horizon, max_kl, method, damping, cg_max_iters, cg_rtol, \
backtrack_factor, max_backtracks, features, mask
        As in :func:`npgfast.reference.vectorized.trpo_update`.

    Returns
    -------
    theta : ndarray, shape of theta
    info : dict
        ``status``, ``step_size``, ``kl``, ``improvement``, ``backtracks``, ``direction``, as there.

    References
    ----------
    Schulman et al. 2015, equation 14 and appendix C, arXiv:1502.05477.
    """
    batch = (states, actions, weights, advantages, effective_horizon)
    probs = policy_probs(theta, features, mask)
    gradient = policy_gradient(probs, *batch, features)

    def product(vector: Array, relative_damping: float = damping) -> Array:
        return fisher_vector_product(probs, states, actions, weights, vector, relative_damping, features)

    if method == "cg":
        direction = conjugate_gradient(product, gradient, cg_max_iters, cg_rtol)[0]
    elif method == "pinv":
        direction = natural_gradient_pinv(probs, *batch, features, damping=damping)
    else:
        msg = f"method: expected 'pinv' or 'cg', got {method!r}"
        raise ValueError(msg)
    info = {"step_size": 0.0, "kl": 0.0, "improvement": 0.0, "direction": direction}
    x: Row = direction.tolist()
    quadratic_form = _dot(x, product(direction, 0.0).tolist())
    gain = _dot(gradient.tolist(), x)
    if not quadratic_form > 0 or not kl_step_size(quadratic_form, max_kl) * gain > 1e-14:
        return theta.copy(), {**info, "status": "zero_gradient", "backtracks": 0}
    old_logs = policy_log_probs(theta, features, mask)
    old = np.array([old_logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
    for k in range(max_backtracks):
        step = kl_step_size(quadratic_form, max_kl) * backtrack_factor**k
        trial = _moved(theta, direction, step)
        new_logs = policy_log_probs(trial, features, mask)
        new = np.array([new_logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
        kl = kl_divergence(probs, policy_probs(trial, features, mask), states, weights)
        improvement = surrogate_improvement(new, old, weights, advantages, effective_horizon)
        if kl <= max_kl and improvement > 0:
            found = {"status": "ok", "step_size": step, "kl": kl, "improvement": improvement, "backtracks": k}
            return trial, {**info, **found}
    return theta.copy(), {**info, "status": "line_search_failed", "backtracks": max_backtracks}


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
    pairs = [(w, a) for w, a in zip(weights.tolist(), advantages.tolist(), strict=True) if w > 0]
    mean = math.fsum(w * a for w, a in pairs)
    std = math.sqrt(math.fsum(w * (a - mean) ** 2 for w, a in pairs))
    if std <= 1e-12 * max(abs(a) for _, a in pairs):
        return np.zeros(len(advantages))
    return np.array([(a - mean) / std for a in advantages.tolist()])


def entropy_gradient(probs: Array, states: IntArray, weights: Array, features: Array | None = None) -> Array:
    """Gradient of sum_i w_i H(pi(.|s_i)) = -sum_i w_i sum_a pi(a|s_i) log pi(a|s_i) score(s_i, a).

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
    table, phi = probs.tolist(), _listed(features)
    coefficients, scores = [], []
    for s, w in zip(states.tolist(), weights.tolist(), strict=True):
        for a, p in enumerate(table[s]):
            if p > 0:
                coefficients.append(-w * p * math.log(p))
                scores.append(_score(table, s, a, phi))
    return np.array(_combine(coefficients, scores, _size(probs, features)))


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
    theta, states, actions, weights, advantages, log_probs_old, n_epochs, learning_rate, clip_range, entropy_coef, \
max_grad_norm, normalize, betas, adam_eps, adam_state, features, mask
        As in :func:`npgfast.reference.vectorized.ppo_update`.

    Returns
    -------
    theta : ndarray, shape of theta
    info : dict
        ``adam_state``, ``value``, ``clip_fraction``, ``approx_kl``, as there.

    References
    ----------
    Schulman et al. 2017, equations 7 and 9, arXiv:1707.06347; Kingma, Ba, ICLR 2015, algorithm 1, arXiv:1412.6980.
    """
    scaled = normalize_advantages(advantages, weights) if normalize else advantages
    m: Row = [0.0] * theta.size if adam_state is None else adam_state[0].tolist()
    v: Row = [0.0] * theta.size if adam_state is None else adam_state[1].tolist()
    t = 0 if adam_state is None else adam_state[2]
    current = theta.copy()
    for _ in range(n_epochs):
        probs = policy_probs(current, features, mask)
        rise = clipped_surrogate_gradient(
            probs, log_probs_old, states, actions, weights, scaled, 1.0, clip_range, features
        ).tolist()
        spread = entropy_gradient(probs, states, weights, features).tolist()
        gradient = [x + entropy_coef * y for x, y in zip(rise, spread, strict=True)]
        norm = math.sqrt(_dot(gradient, gradient))
        if max_grad_norm is not None and norm > max_grad_norm:
            gradient = [x * (max_grad_norm / norm) for x in gradient]
        t += 1
        m = [betas[0] * x + (1 - betas[0]) * g for x, g in zip(m, gradient, strict=True)]
        v = [betas[1] * x + (1 - betas[1]) * g * g for x, g in zip(v, gradient, strict=True)]
        step = [
            x / (1 - betas[0] ** t) / (math.sqrt(y / (1 - betas[1] ** t)) + adam_eps) for x, y in zip(m, v, strict=True)
        ]
        current = _moved(current, np.array(step), learning_rate)
    logs = policy_log_probs(current, features, mask)
    new = np.array([logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
    value, clip_fraction, approx_kl = clipped_surrogate(new, log_probs_old, weights, scaled, 1.0, clip_range)
    state = (np.array(m), np.array(v), t)
    return current, {"adam_state": state, "value": value, "clip_fraction": clip_fraction, "approx_kl": approx_kl}


def cpi_update(probs: Array, advantages: Array, alpha: float, mask: BoolArray | None = None) -> Array:
    """(1 - alpha) pi + alpha pi', pi' greedy for the advantages (first action on ties up to 1e-10).

    Parameters
    ----------
    probs, advantages, alpha, mask
        As in :func:`npgfast.reference.vectorized.cpi_update`.

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Kakade, Langford, ICML 2002, equation 4.1.
    """
    n_states, n_actions = probs.shape
    result = np.zeros((n_states, n_actions))
    for s in range(n_states):
        allowed = [a for a in range(n_actions) if mask is None or mask[s][a]]
        greedy = _first_greedy(advantages[s].tolist(), allowed)
        for a in range(n_actions):
            result[s, a] = (1 - alpha) * float(probs[s, a]) + (alpha if a == greedy else 0.0)
    return result


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
    P, rewards, termination, mu, gamma, horizon, n_iterations, step_size, mask, tau
        As in :func:`npgfast.reference.vectorized.train_npg_exact`.

    Returns
    -------
    dict
        ``theta``, ``initial_objective``, ``objective``, as there.

    References
    ----------
    Agarwal et al. 2021, section 5.3; Cen et al. 2022, algorithm 1.
    """
    theta = np.zeros(rewards.shape)
    reached = reachable_states(P, mu, mask, horizon)
    if horizon is not None:
        reached = np.array([any(reached[h, s] for h in range(horizon)) for s in range(len(mu))])
    result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
    objectives = [result["objective"]]
    for _ in range(n_iterations):
        advantages = result["advantages"]
        if horizon is not None:
            advantages = marginal_advantages(advantages, result["occupancy"])
        theta = entropy_npg_update(theta, advantages, result["effective_horizon"], step_size, tau, reached, mask)
        result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
        objectives.append(result["objective"])
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
    P, rewards, termination, mu, gamma, horizon, n_iterations, max_kl, mask, method
        As in :func:`npgfast.reference.vectorized.train_trpo_exact`.

    Returns
    -------
    dict
        ``theta``, ``initial_objective``, ``objective``, ``kl``, ``status``, as there.

    References
    ----------
    Schulman et al. 2015, section 6 and appendix C, arXiv:1502.05477.
    """
    theta = np.zeros(rewards.shape)
    problem = (P, rewards, termination, mu, gamma, horizon)
    initial = evaluate(*problem, softmax(theta, mask))["objective"]
    objectives, kls, statuses = [], [], []
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
        "initial_objective": initial,
        "objective": np.array(objectives),
        "kl": np.array(kls),
        "status": statuses,
    }
