"""Plain Python: random words, tables to draw from, rollouts, returns and GAE."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from npgfast.reference.loops.policies import Array, BoolArray, IntArray, Row


def philox4x32(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """Ten rounds of Philox4x32.

    Parameters
    ----------
    counter : sequence of 4 int
        32-bit counter words.
    key : sequence of 2 int
        32-bit key words.

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
        As in :func:`.loops.evaluate`, without horizon. Sampling does not discount: gamma is there so that the problem's
        arrays can be passed as they are.
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
    rewards, terminated, truncated, gamma, bootstrap_values
        As in :func:`discounted_returns`.
    values : ndarray, shape (T, N)
    gae_lambda : float

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
        As in :func:`gae`.

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
