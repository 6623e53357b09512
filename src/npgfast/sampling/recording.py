"""Steps of environments with observations as the core takes them, played natively or through a bridge."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npgfast import _core
from npgfast.envs.bridge import Bridge, make_bridge, makes_environments
from npgfast.envs.simulated import Simulated
from npgfast.policies import LinearPolicy

__all__ = ["ObservedEnvironment", "Player", "Recording", "native_environment", "open_environment", "play_episodes"]

FloatArray = NDArray[np.float64]
# offsets, observations, actions, rewards, log_probs, time, flags, cut, cut_observations (sampling/recording.hpp)
Recording = tuple[NDArray[Any], ...]
ObservedEnvironment = Simulated | Bridge

TERMINATED, TRUNCATED = 1, 2


def native_environment(env: Simulated) -> tuple[Any, ...]:
    """What the core takes for a simulated environment."""
    kind, parameters, time_limit, horizon = env._native
    return kind, parameters, env.action_low, env.action_high, time_limit, horizon


def open_environment(env: object, n_envs: int) -> ObservedEnvironment:
    """A simulated environment as it is; a bridge to anything else, with `n_envs` if an id or a callable makes them."""
    if isinstance(env, Simulated):
        return env
    return make_bridge(env, n_envs if makes_environments(env) else None)


def check_policy(env: ObservedEnvironment, policy: object) -> LinearPolicy:
    """Raise unless the policy's observations and actions are the environment's."""
    if not isinstance(policy, LinearPolicy):
        msg = f"policy: expected a LinearSoftmax or LinearGaussian policy, got {type(policy).__name__}"
        raise TypeError(msg)
    for name in ("observation_size", "n_actions", "action_size"):
        if getattr(policy, name) != getattr(env, name):
            msg = f"policy: {name}={getattr(policy, name)}, but env has {getattr(env, name)}"
            raise ValueError(msg)
    return policy


@dataclass
class Player:
    """A bridge's environments under a policy, step by step: where they stand between two batches.

    Steps of a column are counted without the dummy steps of an autoreset, and draws are keyed by that count, so that
    every autoreset mode gives the same batch.
    """

    bridge: Bridge
    observations: FloatArray | None = None  # to act on next; None: all start afresh
    time: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def start(self, seed: int) -> None:
        """Begin an episode in every environment."""
        self.observations = self.bridge.reset(seed)
        self.time = np.zeros(self.bridge.n_envs, dtype=np.int32)

    def play(
        self,
        policy: LinearPolicy,
        *,
        n_steps: int | None = None,
        n_episodes: int | None = None,
        seed: int,
        iteration: int = 0,
    ) -> Recording:
        """Play `n_steps` steps per environment, or until each has ended its share of `n_episodes` whole episodes."""
        bridge, n_envs = self.bridge, self.bridge.n_envs
        observations = self.observations
        if observations is None:
            msg = "start the environments first"
            raise RuntimeError(msg)
        steps = np.zeros(n_envs, dtype=np.uint32)
        quota = _shares(n_episodes, n_envs) if n_episodes is not None else None
        ended_episodes = np.zeros(n_envs, dtype=np.int64)
        going = np.ones(n_envs, dtype=np.bool_) if quota is None else quota > 0
        columns: list[tuple[NDArray[Any], ...]] = []
        last = np.zeros((n_envs, bridge.observation_size))  # what each environment really reached
        cut_steps: list[tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]] = []
        while going.any() and (n_steps is None or len(columns) < n_steps):
            actions, log_probs = _core.act(policy._native, policy.theta, observations, seed, iteration, steps)
            if policy.n_actions:
                actions = actions[:, 0].astype(np.int32)
            step = bridge.step(actions if policy.n_actions == 0 else actions.astype(np.int64))
            counted = going & step.valid
            ended = step.terminated | step.truncated
            flags = np.where(step.terminated, TERMINATED, np.where(step.truncated, TRUNCATED, 0)).astype(np.uint8)
            columns.append((counted, observations, actions, step.rewards, log_probs, self.time.copy(), flags))
            cut = np.flatnonzero(counted & (flags == TRUNCATED))
            if cut.size:
                cut_steps.append((np.full(cut.size, len(columns) - 1), cut, step.final_observations[cut]))
            last[counted] = step.final_observations[counted]
            steps += counted.astype(np.uint32)
            self.time = np.where(ended, 0, self.time + step.valid).astype(np.int32)
            ended_episodes += counted & ended
            if quota is not None:
                going &= ended_episodes < quota
            observations = step.observations
        self.observations = observations
        return _recording(columns, cut_steps, last)


def _shares(n_episodes: int, n_envs: int) -> NDArray[np.int64]:
    """How many episodes each environment plays; fixed in advance, or short episodes would be over-represented."""
    return n_episodes // n_envs + (np.arange(n_envs) < n_episodes % n_envs)


def _recording(
    columns: list[tuple[NDArray[Any], ...]],
    cut_steps: list[tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]],
    last: FloatArray,
) -> Recording:
    """Rows of steps, one environment after another, without those that do not count."""
    counted, *rest = (np.stack(values, axis=1) for values in zip(*columns, strict=True))  # (N, T, ...)
    offsets = np.concatenate([[0], np.cumsum(counted.sum(axis=1))])
    observations, actions, rewards, log_probs, time, flags = (np.ascontiguousarray(values[counted]) for values in rest)
    place = np.cumsum(counted.ravel()).reshape(counted.shape) - 1  # row of (environment, step)
    cut = {int(place[e, t]): row for ts, es, rows in cut_steps for t, e, row in zip(ts, es, rows, strict=True)}
    for e in np.flatnonzero(np.diff(offsets) > 0):
        entry = int(offsets[e + 1]) - 1
        if flags[entry] == 0:
            cut[entry] = last[e]
    entries = np.array(sorted(cut), dtype=np.int64)
    cut_observations = np.array([cut[int(entry)] for entry in entries]).reshape(entries.size, observations.shape[1])
    return offsets, observations, actions, rewards, log_probs, time, flags, entries, cut_observations


def play_episodes(
    bridge: Bridge, policy: LinearPolicy, n_episodes: int, seed: int, *, deterministic: bool
) -> FloatArray:
    """Undiscounted returns of whole episodes, (n_episodes,), one environment after another."""
    observations = bridge.reset(seed)
    quota = _shares(n_episodes, bridge.n_envs)
    steps = np.zeros(bridge.n_envs, dtype=np.uint32)
    running = np.zeros(bridge.n_envs)
    returns: list[list[float]] = [[] for _ in quota]
    going = quota > 0
    while going.any():
        if deterministic:
            actions = _core.most_probable(policy._native, policy.theta, observations)
        else:
            actions, _ = _core.act(policy._native, policy.theta, observations, seed, 0, steps)
        step = bridge.step(actions if policy.n_actions == 0 else actions[:, 0].astype(np.int64))
        steps += step.valid.astype(np.uint32)
        running += step.rewards
        for e in np.flatnonzero((step.terminated | step.truncated) & going):
            returns[e].append(float(running[e]))
            going[e] = len(returns[e]) < quota[e]
        running[step.terminated | step.truncated] = 0.0
        observations = step.observations
    return np.array([value for column in returns for value in column])
