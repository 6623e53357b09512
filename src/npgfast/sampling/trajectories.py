"""Rollouts: steps of many environments in arrays."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from npgfast import _core, _validate
from npgfast.envs.simulated import Simulated
from npgfast.exact import _check_policy
from npgfast.policies import LinearPolicy, Policy
from npgfast.problems import TabularMDP
from npgfast.sampling.recording import (
    TERMINATED,
    TRUNCATED,
    Player,
    Recording,
    check_policy,
    native_environment,
    open_environment,
)
from npgfast.threads import thread_count

__all__ = ["Trajectories", "rollout"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_PARALLEL_EPISODES = 32


@dataclass(frozen=True, eq=False)
class _Steps:
    """The steps of a tabular rollout in 4 bytes each, and what their attributes are read from."""

    compact: tuple[NDArray[np.uint32], IntArray, IntArray, int]
    columns: int
    tables: dict[str, FloatArray]  # (S, A): those attributes that a pair of state and action determines
    n_threads: int

    def decode(self, name: str) -> NDArray[Any]:
        return _core.decode(self.compact, self.columns, name, self.tables.get(name), self.n_threads)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Steps of N environments, in arrays of shape (T, N).

    A rollout of a TabularMDP keeps 4 bytes per step and makes each array when it is first asked for.

    Attributes
    ----------
    states : ndarray of int, or of float, shape (T, N, dim)
        States of a TabularMDP, or observations.
    actions : ndarray of int, or of float, shape (T, N, action_size)
        As the policy drew them, unclipped.
    rewards : ndarray
        What the environment gave; of a TabularMDP the expected immediate rewards r(s, a), as the model has them.
    terminated : ndarray of bool
        The problem ended the episode, by its termination mass or its horizon; the value after it is 0.
    truncated : ndarray of bool
        The episode was cut although it goes on.
    time : ndarray of int
        Step within its episode, from 0.
    log_probs : ndarray
        Of the actions, in nats.
    next_states : ndarray of int, or of float, shape (T, N, dim)
        The state that the step really reached, kept apart from the restart that may follow; -1 where terminated.
        Observations are kept only where a value is bootstrapped from them, where truncated and not terminated and at an
        environment's last step; elsewhere NaN.
    valid : ndarray of bool
        False only for the padding below whole episodes of unequal length.
    """

    states: NDArray[Any]
    actions: NDArray[Any]
    rewards: FloatArray
    terminated: BoolArray
    truncated: BoolArray
    time: IntArray
    log_probs: FloatArray
    next_states: NDArray[Any]
    valid: BoolArray

    @classmethod
    def _of(cls, steps: _Steps) -> Self:
        trajectories = cls.__new__(cls)
        trajectories.__dict__["_steps"] = steps
        return trajectories

    def __getattr__(self, name: str) -> NDArray[Any]:
        # Only asked for what is not there yet.
        if name not in type(self).__dataclass_fields__ or "_steps" not in self.__dict__:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        values: NDArray[Any] = self.__dict__["_steps"].decode(name)
        self.__dict__[name] = values
        return values


def _read_lengths(n_steps: int | None, n_episodes: int | None, n_envs: int | None) -> tuple[int, int, int]:
    """(environments or episodes, steps per environment or 0, columns)."""
    if (n_steps is None) == (n_episodes is None):
        msg = f"n_steps, n_episodes: give exactly one, got n_steps={n_steps} and n_episodes={n_episodes}"
        raise ValueError(msg)
    if n_steps is not None:
        steps = _validate.integer("n_steps", n_steps, low=1, high=2**31 - 2)
        envs = 1 if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
        _validate.allocation("n_steps * n_envs", steps, envs, itemsize=4)
        return envs, steps, envs
    episodes = _validate.integer("n_episodes", n_episodes, low=1, high=2**31 - 1)
    columns = episodes if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
    return episodes, 0, min(columns, episodes)


def rollout(
    env: object,
    policy: Policy,
    *,
    n_steps: int | None = None,
    n_episodes: int | None = None,
    n_envs: int | None = None,
    seed: int,
    n_threads: int | None = None,
) -> Trajectories:
    """Play a problem under a policy in many environments at once.

    Parameters
    ----------
    env : TabularMDP, Simulated, Gymnasium Env or VectorEnv, EnvPool environment, id, or callable that makes an Env
        An id is made by Gymnasium; `npgfast.envs.make` gives the native environment of that name.
    policy : Policy
    n_steps : int, optional
        Steps of each environment; an episode that ends is followed by the next one.
    n_episodes : int, optional
        Whole episodes, instead of n_steps. On a TabularMDP with gamma < 1 an episode is truncated once its discounted
        rest weighs less than 1e-16 of it; at gamma = 1 it runs until it ends.
    n_envs : int, optional
        Columns N of the result. Default 1 with n_steps; with n_episodes one column per episode, or per environment of
        one that is not simulated, of which at most 32 are made. Episode e stands in column e % n_envs.
    seed : int
        In [0, 2**64). A draw is a function of the seed, the environment (or episode) and the step alone.
    n_threads : int, optional
        Default NPGFAST_NUM_THREADS, else OMP_NUM_THREADS, else the processors this process may use. It does not change
        the result.

    Returns
    -------
    Trajectories

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit; for both or neither of n_steps and n_episodes.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp = nf.problems.two_state(gamma=0.9)
    >>> nf.rollout(mdp, nf.TabularSoftmax(2, 2), n_steps=8, n_envs=4, seed=7).states.shape
    (8, 4)
    """
    envs, steps, columns = _read_lengths(n_steps, n_episodes, n_envs)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    if not isinstance(env, TabularMDP):
        opened, _, recording = record(env, policy, n_steps, n_episodes, n_envs, seed, n_threads)
        if not isinstance(opened, Simulated):
            columns = len(recording[0]) - 1
        return _observed(recording, columns)
    mdp = env
    tabular = _check_policy(mdp, policy)
    log_probs, probs = tabular._table
    threads = thread_count(n_threads)
    compact = _core.rollout(mdp._native, probs, envs, steps, seed, threads)
    return Trajectories._of(_Steps(compact, columns, {"rewards": mdp.rewards, "log_probs": log_probs}, threads))


def record(
    env: object,
    policy: object,
    n_steps: int | None,
    n_episodes: int | None,
    n_envs: int | None,
    seed: int,
    n_threads: int | None,
) -> tuple[object, LinearPolicy, Recording]:
    """Play an environment with observations; the lengths have been checked."""
    width = n_envs if n_envs is not None or n_episodes is None else min(n_episodes, _PARALLEL_EPISODES)
    opened = open_environment(env, width or 1)
    linear = check_policy(opened, policy)
    if isinstance(opened, Simulated):
        n = (n_envs or 1) if n_episodes is None else n_episodes
        environment, threads = native_environment(opened), thread_count(n_threads)
        return opened, linear, _core.simulate(environment, linear._native, linear.theta, n, n_steps or 0, seed, threads)
    if n_envs is not None and opened.n_envs != n_envs:
        msg = f"n_envs={n_envs}, but env has {opened.n_envs} environments"
        raise ValueError(msg)
    try:
        player = Player(opened)
        player.start(seed)
        return opened, linear, player.play(linear, n_steps=n_steps, n_episodes=n_episodes, seed=seed)
    finally:
        opened.close()


class _ObservedTrajectories(Trajectories):
    """Of observations. Their `next_states`, which are mostly NaN, are made when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name != "next_states" or "_cut" not in self.__dict__:
            raise AttributeError(name)
        place, cut, cut_observations = self.__dict__["_cut"]
        reached = np.full((place.n_entries, cut_observations.shape[1]), np.nan)
        reached[cut] = cut_observations
        self.__dict__["next_states"] = placed = place(reached, np.float64)
        return placed


def _observed(recording: Recording, columns: int) -> Trajectories:
    offsets, observations, actions, rewards, log_probs, time, flags, cut, cut_observations = recording
    place = _Places(offsets, columns)
    flags = place(flags, np.uint8)
    trajectories = object.__new__(_ObservedTrajectories)
    trajectories.__dict__.update(
        states=place(observations, np.float64),
        actions=place(actions, actions.dtype.type),
        rewards=place(rewards, np.float64),
        terminated=(flags & TERMINATED).view(np.bool_),
        truncated=(flags >> (TRUNCATED - 1)).view(np.bool_),
        time=place(time, np.int32),
        log_probs=place(log_probs, np.float64),
        valid=np.broadcast_to(np.True_, flags.shape)
        if place.is_regular
        else place(np.ones(rewards.size, dtype=np.bool_), np.bool_),
        _cut=(place, cut, cut_observations),
    )
    return trajectories


class _Places:
    """Where the entries of environments, one after another, stand in (T, N): environment e in column e % N.

    Where every environment has a column of its own and the same steps, what is placed is a view of the entries.
    """

    def __init__(self, offsets: IntArray, columns: int) -> None:
        lengths = np.diff(offsets)
        envs = lengths.size
        self.n_entries = int(offsets[-1])
        self.is_regular = columns == envs and bool((lengths == lengths[0]).all())
        self._shape: tuple[int, ...] = (int(lengths[0]), envs)
        if self.is_regular:
            return
        starts = np.concatenate([np.cumsum(lengths[c::columns]) - lengths[c::columns] for c in range(columns)])
        first_row = np.empty(envs, dtype=np.int64)
        first_row[np.concatenate([np.arange(c, envs, columns) for c in range(columns)])] = starts
        row, episode = _positions(offsets, envs)
        self._row, self._column = row + first_row[episode], episode % columns
        self._shape = (int(self._row.max()) + 1, columns)

    def __call__(self, values: NDArray[Any], dtype: type) -> NDArray[Any]:
        rest = values.shape[1:]
        if self.is_regular:
            steps, envs = self._shape
            return values.reshape(envs, steps, *rest).swapaxes(0, 1).astype(dtype, copy=False)
        out: NDArray[Any] = np.zeros((*self._shape, *rest), dtype=dtype)
        out[self._row, self._column] = values
        return out


def _positions(offsets: IntArray, envs: int) -> tuple[IntArray, IntArray]:
    """Step within its environment, and environment, of every entry."""
    environment = np.repeat(np.arange(envs), np.diff(offsets))
    return np.arange(int(offsets[-1])) - offsets[environment], environment
