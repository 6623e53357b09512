"""NumPy: random words, tables to draw from, rollouts, returns and GAE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from npgfast.reference.vectorized.policies import Array, BoolArray, IntArray

PHILOX_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
PHILOX_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)


def philox4x32(counter: Any, key: Any) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32, one block per row: (n, 4) counters and (n, 2) or (2,) keys give (n, 4) uint64 words.

    Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3. Twin:
    :func:`.loops.philox4x32`.
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


def alias_table(probabilities: Array) -> tuple[Array, IntArray]:
    """Tables for a draw in constant time: column i uniformly, then i if u < threshold[i], else alias[i].

    Walker's original rule, the poorest column filled by the richest, for all rows at once; Vose's two lists in the
    loops version fill other columns, with the same distribution.

    Source: Walker, ACM Transactions on Mathematical Software 3(3), 1977; Vose, IEEE TSE 17(9), 1991. Twin:
    :func:`.loops.alias_table`.
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
    """Simulate `n_envs` environments side by side, restarting from mu after each termination; `rng` is a NumPy one.

    Twin: :func:`.loops.rollout`.
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

    Source: Sutton, Barto 2018, equation 3.9; Pardo, Tavakoli, Levdik, Kormushev, ICML 2018, section 3 (time limits).
    Twin: :func:`.loops.discounted_returns`.
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

    Source: Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016, equations 11-16, arXiv:1506.02438. Twin:
    :func:`.loops.gae`.
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
