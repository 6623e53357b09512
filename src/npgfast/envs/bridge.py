"""Anybody's environments in one lockstep protocol: Gymnasium's single and vector ones, and EnvPool's.

Vector environments differ in what they do after an episode's end. Gymnasium knows three modes: the reset takes the
place of the next step (NEXT_STEP), happens within the same step (SAME_STEP), or is left to the caller (DISABLED).
`Bridge` turns each of them into the same data: the observation that a step really reached and the observation to act
on next are two different arrays, and ``terminated`` and ``truncated`` are never merged.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.envs.envpool import EnvPool, is_envpool

__all__ = ["Bridge", "BridgeStep", "environment_seed", "make_bridge", "makes_environments"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_INT32_MAX = 2**31 - 1


def environment_seed(seed: int, environment: int = 0) -> int:
    """Seed of one environment: 30 hashed bits of `seed`, plus the environment's index.

    Environments of one run never share a seed, and runs with neighbouring seeds have unrelated ones. Counting up from
    the first is also what Gymnasium's vector environments and EnvPool do with a single integer.

    Parameters
    ----------
    seed : int
        In [0, 2**64 - 1].
    environment : int
        In [0, 2**30 - 1].

    Returns
    -------
    int
        In [0, 2**31 - 2], so that it fits a signed 32-bit integer.

    Raises
    ------
    TypeError, ValueError
        For anything but integers in these intervals.

    Examples
    --------
    >>> from npgfast.envs.bridge import environment_seed
    >>> environment_seed(0, 3) - environment_seed(0, 0)
    3
    """
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    environment = _validate.integer("environment", environment, low=0, high=2**30 - 1)
    return int(np.random.SeedSequence(seed).generate_state(1)[0] >> 2) + environment


@dataclass(frozen=True)
class BridgeStep:
    """What one step of all environments brought. The arrays belong to the caller.

    Parameters
    ----------
    observations : ndarray, shape (n_envs, observation_size)
        What to act on next: after an episode's end, the first observation of the next episode. Only where the next
        step will be a dummy (see `valid`) it is still the last observation of the episode.
    rewards : ndarray, shape (n_envs,)
    terminated, truncated : ndarray of bool, shape (n_envs,)
        As the environment reports them; both may be true.
    final_observations : ndarray, shape (n_envs, observation_size)
        The observation that this step really reached, before any reset: what to bootstrap from.
    valid : ndarray of bool, shape (n_envs,)
        False where the environment ignored its action and began the next episode instead. Such a dummy step has reward
        0 and no flags, and is to be dropped.
    """

    observations: FloatArray
    rewards: FloatArray
    terminated: BoolArray
    truncated: BoolArray
    final_observations: FloatArray
    valid: BoolArray


class Bridge:
    """A vector environment in lockstep; `make_bridge` makes one of anything else.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        In any autoreset mode. Ended environments are reset at once where the environment can do that: in DISABLED
        mode, in NEXT_STEP mode if it is a `SyncVectorEnv` or `AsyncVectorEnv` of Gymnasium 1.1 or later without
        wrappers, and whenever all of them end together. Otherwise a dummy step follows.
        In SAME_STEP mode its environments must not reuse the memory of their observations: Gymnasium resets them
        before it copies the final one.
    owned : bool
        Whether `close` closes `env`.

    Attributes
    ----------
    n_envs, observation_size, action_size : int
        action_size is 1 for discrete actions.
    n_actions : int
        0 if actions are continuous.
    action_low, action_high : ndarray, shape (action_size,), or None
        Bounds of continuous actions, -inf and inf where there are none.
    spec_id : str
        The registered id if known, otherwise the name of the class.
    time_limit : int or None
        Steps after which an episode is truncated, where known.

    Raises
    ------
    TypeError
        For spaces other than Box, Discrete and MultiBinary observations, and Box and Discrete actions.
    ValueError
        For an unknown autoreset mode, or a vector environment that cannot be reset or seeded reliably.

    Examples
    --------
    >>> from npgfast.envs.bridge import make_bridge
    >>> bridge = make_bridge("CartPole-v1", n_envs=3)
    >>> bridge.reset(seed=7).shape, bridge.step([0, 1, 1]).rewards
    ((3, 4), array([1., 1., 1.]))
    """

    n_envs: int
    observation_size: int
    n_actions: int
    action_size: int
    action_low: FloatArray | None
    action_high: FloatArray | None
    spec_id: str
    time_limit: int | None

    def __init__(self, env: Any, *, owned: bool = False) -> None:
        self._env = env
        self._owned = owned
        self.n_envs = int(env.num_envs)
        self._read_observation_space(env.single_observation_space)
        self._read_action_space(env.single_action_space)
        self._mode, self._masked = _read_autoreset(env)
        self.spec_id, self.time_limit = _read_spec(env)
        self._steps = 0
        self._started = False
        self._pending = np.zeros(self.n_envs, dtype=np.bool_)

    def _read_observation_space(self, space: Any) -> None:
        from gymnasium import spaces

        if not isinstance(space, (spaces.Box, spaces.Discrete, spaces.MultiBinary)):
            msg = (
                f"env: expected observations in a Box, Discrete or MultiBinary space, got {type(space).__name__}; "
                "gymnasium.wrappers.FlattenObservation makes a Box of most others"
            )
            raise TypeError(msg)
        self._observation_shape = tuple(space.shape or ())
        self._categories: range | None = None
        self.observation_size = math.prod(self._observation_shape)
        if isinstance(space, spaces.Discrete):
            self._categories = range(int(space.start), int(space.start + space.n))
            self.observation_size = int(space.n)

    def _read_action_space(self, space: Any) -> None:
        from gymnasium import spaces

        if not isinstance(space, (spaces.Box, spaces.Discrete)):
            msg = f"env: expected actions in a Box or Discrete space, got {type(space).__name__}"
            raise TypeError(msg)
        self._action_dtype: np.dtype[Any] = np.dtype(space.dtype)
        shape = tuple(space.shape or ())
        self._action_shape = (self.n_envs, *shape)
        self.action_size = math.prod(shape)
        self.action_low = self.action_high = None
        self.n_actions = 0
        if isinstance(space, spaces.Discrete):
            self.n_actions = int(space.n)
            self._first_action = int(space.start)
            return
        self.action_low = space.low.reshape(-1).astype(np.float64)
        self.action_high = space.high.reshape(-1).astype(np.float64)
        largest = float(np.finfo(self._action_dtype).max) if self._action_dtype.kind == "f" else np.inf
        self._clip_low = np.maximum(self.action_low, -largest)
        self._clip_high = np.minimum(self.action_high, largest)

    def reset(self, seed: int) -> FloatArray:
        """Start an episode in every environment.

        Parameters
        ----------
        seed : int
            In [0, 2**64 - 1]. Environment e is seeded with ``environment_seed(seed, e)``; a vector environment that
            keeps one generator for all its environments is seeded with ``environment_seed(seed)``.

        Returns
        -------
        ndarray, shape (n_envs, observation_size)

        Raises
        ------
        TypeError, ValueError
            For a bad seed, or observations that are not finite or of a wrong shape.
        """
        observations, _ = self._env.reset(seed=environment_seed(seed))
        self._steps = 0
        self._pending = np.zeros(self.n_envs, dtype=np.bool_)
        self._started = True
        return self._flatten(observations)

    def step(self, actions: ArrayLike) -> BridgeStep:
        """Act once in every environment.

        Parameters
        ----------
        actions : array_like, shape (n_envs,) of int in [0, n_actions), or (n_envs, action_size) of float
            Continuous actions may lie outside the bounds: the environment gets them clipped, the array is left alone.

        Returns
        -------
        BridgeStep

        Raises
        ------
        RuntimeError
            Before the first `reset`.
        TypeError, ValueError
            For bad actions; for observations or rewards that are not finite or of a wrong shape; for an episode that
            ended in SAME_STEP mode without its final observation.
        """
        if not self._started:
            msg = "reset the environments before the first step"
            raise RuntimeError(msg)
        observations, rewards, terminated, truncated, infos = self._env.step(self._actions(actions))
        self._steps += 1
        valid = ~self._pending
        step = BridgeStep(
            observations=self._flatten(observations),
            rewards=np.where(valid, self._per_environment("rewards", rewards, np.float64), 0.0),
            terminated=valid & self._per_environment("terminated", terminated, np.bool_),
            truncated=valid & self._per_environment("truncated", truncated, np.bool_),
            final_observations=np.empty((self.n_envs, self.observation_size)),
            valid=valid,
        )
        self._check_finite("reward", step.rewards[:, None], range(self.n_envs))
        step.final_observations[:] = step.observations
        ended = step.terminated | step.truncated
        self._pending = np.zeros(self.n_envs, dtype=np.bool_)
        if ended.any():
            self._end_episodes(step, ended, infos)
        return step

    def close(self) -> None:
        """Close what the bridge itself made; an environment handed in by the caller stays open."""
        if self._owned:
            self._env.close()

    def _lend(self) -> Self:
        """The same bridge, whose `close` closes nothing."""
        lent = copy.copy(self)
        lent._owned = False
        return lent

    def encode(self, observation: ArrayLike) -> tuple[FloatArray, bool]:
        """Read one observation of the environment, or many: rows (n, observation_size), and whether it was one.

        Raises
        ------
        ValueError
            For a wrong shape, or numbers that are not finite or not in the space.
        """
        given = np.asarray(observation)
        is_one = given.ndim == len(self._observation_shape)
        many = given[None] if is_one else given
        return self._flatten(many, range(len(many))), is_one

    def decode(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Actions of a policy, (n,) or (n, action_size), as the environment has them: its own numbers, or clipped."""
        if self.n_actions:
            return actions + self._first_action
        clipped: FloatArray = np.clip(actions, self.action_low, self.action_high)
        return clipped

    def _end_episodes(self, step: BridgeStep, ended: BoolArray, infos: dict[str, Any]) -> None:
        if self._mode == "SAME_STEP":
            step.final_observations[ended] = self._final_observations(ended, infos)
        elif self._mode == "UNDECLARED" and ("final_obs" in infos or "final_observation" in infos):
            msg = "env: it seems to reset in SAME_STEP mode; declare this in env.metadata['autoreset_mode']"
            raise ValueError(msg)
        elif self._masked or ended.all():
            # A complete reset is the same, and is understood by those that know no mask.
            options = None if ended.all() else {"reset_mask": ended.copy()}
            first, _ = self._env.reset(options=options)
            step.observations[ended] = self._flatten(first)[ended]
        else:
            self._pending = ended

    def _final_observations(self, ended: BoolArray, infos: dict[str, Any]) -> FloatArray:
        name = "final_obs" if "final_obs" in infos else "final_observation"
        stored: Any = infos.get(name)
        present = infos.get(f"_{name}", ended)
        environments = np.flatnonzero(ended)
        for e in environments:
            if stored is None or not present[e] or stored[e] is None:
                msg = (
                    f"environment {e} ended its episode at step {self._steps} in SAME_STEP mode, but "
                    "info['final_obs'] does not hold its last observation"
                )
                raise ValueError(msg)
        return self._flatten([stored[e] for e in environments], environments)

    def _actions(self, actions: ArrayLike) -> NDArray[Any]:
        """Actions as the environment wants them, in an array of their own."""
        if self.n_actions:
            numbers = _validate.integer_array("actions", actions, (self.n_envs,), low=0, high=self.n_actions)
            return (numbers + self._first_action).astype(self._action_dtype, copy=False)
        given = _validate.real_array("actions", actions, (self.n_envs, self.action_size))
        clipped = np.minimum(np.maximum(given, self._clip_low), self._clip_high)
        if self._action_dtype.kind != "f":
            clipped = np.rint(clipped)
        return clipped.astype(self._action_dtype, copy=False).reshape(self._action_shape)

    def _flatten(self, observations: Any, environments: Any = None) -> FloatArray:
        """Observations of some environments, by default all of them, as rows of float64: checked, and a copy."""
        environments = range(self.n_envs) if environments is None else environments
        raw = np.asarray(observations)
        expected = (len(environments), *self._observation_shape)
        if raw.shape != expected:
            msg = f"observations: expected shape {expected} from the environment, got {raw.shape} at step {self._steps}"
            raise ValueError(msg)
        if self._categories is not None:
            return self._one_hot(raw, self._categories, environments)
        rows = np.array(raw.reshape(len(environments), -1), dtype=np.float64, order="C")
        self._check_finite("observation", rows, environments)
        return rows

    def _one_hot(self, raw: NDArray[Any], categories: range, environments: Any) -> FloatArray:
        number = raw.astype(np.int64) - categories.start
        for k in np.flatnonzero((number < 0) | (number >= len(categories))):
            allowed = f"[{categories.start}, {categories.stop})"
            msg = f"environment {environments[k]}: observation {raw[k]} outside {allowed} at step {self._steps}"
            raise ValueError(msg)
        rows = np.zeros((len(number), len(categories)))
        rows[np.arange(len(number)), number] = 1.0
        return rows

    def _per_environment(self, name: str, value: Any, dtype: type) -> NDArray[Any]:
        raw = np.asarray(value)
        if raw.shape != (self.n_envs,):
            msg = f"{name}: expected shape ({self.n_envs},) from the environment, got {raw.shape} at step {self._steps}"
            raise ValueError(msg)
        return raw.astype(dtype, copy=False)

    def _check_finite(self, what: str, rows: FloatArray, environments: Any) -> None:
        if np.isfinite(rows).all():
            return
        k, i = np.argwhere(~np.isfinite(rows))[0]
        msg = f"environment {environments[k]}: {what} {rows[k, i]} is not finite at step {self._steps}"
        raise ValueError(msg)


def make_bridge(env: Any, n_envs: int | None = None, **make_kwargs: Any) -> Bridge:
    """Make a bridge to any environment.

    Parameters
    ----------
    env : str, gymnasium.Env, gymnasium.vector.VectorEnv, EnvPool environment, callable or Bridge
        An id is made by ``gymnasium.make_vec``, a callable without arguments is called once for each environment.
        EnvPool must be made with ``env_type="gymnasium"`` (or its synonym ``"gym"``); it serves as the model of pools
        that the bridge makes with its own seeds, and is never stepped itself. Where an EnvPool episode reaches its
        time limit, EnvPool reports ``truncated`` only, even if it terminates in the same step.
    n_envs : int, optional
        For an id or a callable, default 1; of EnvPool, default as in the given pool. Otherwise the environment decides,
        and a different number is an error.
    **make_kwargs
        For an id only: arguments of ``gymnasium.make_vec``; ``vectorization_mode`` is "sync" by default.

    Returns
    -------
    Bridge

    Raises
    ------
    TypeError, ValueError
        For an environment that has no bridge, or arguments that do not fit it.

    Examples
    --------
    >>> import gymnasium as gym
    >>> from npgfast.envs.bridge import make_bridge
    >>> bridge = make_bridge(lambda: gym.make("Pendulum-v1", g=9.81), n_envs=2)
    >>> bridge.n_envs, bridge.action_high, bridge.time_limit
    (2, array([2.]), 200)
    """
    import gymnasium as gym

    if isinstance(env, Bridge):
        return env._lend()
    if n_envs is not None:
        n_envs = _validate.integer("n_envs", n_envs, low=1, high=2**30)
    if isinstance(env, str):
        make_kwargs.setdefault("vectorization_mode", "sync")
        return Bridge(gym.make_vec(env, num_envs=n_envs or 1, **make_kwargs), owned=True)
    if make_kwargs:
        msg = f"make_kwargs: {', '.join(make_kwargs)} can be given with an environment's id only"
        raise TypeError(msg)
    if is_envpool(env):
        return Bridge(EnvPool(env, n_envs), owned=True)
    if is_envpool(getattr(env, "unwrapped", env)):
        msg = "env: an EnvPool environment in a wrapper cannot be seeded, hand in the pool itself"
        raise ValueError(msg)
    if isinstance(env, gym.vector.VectorEnv):
        bridge = Bridge(env)
    elif isinstance(env, gym.Env):
        bridge = Bridge(_borrow(env))
    elif callable(env):
        return Bridge(_call(env, n_envs or 1), owned=True)
    else:
        msg = (
            "env: expected an environment's id, a Gymnasium Env or VectorEnv, an EnvPool environment or a callable "
            f"that makes an Env, got {type(env).__name__}"
        )
        raise TypeError(msg)
    if n_envs not in {None, bridge.n_envs}:
        msg = f"n_envs={n_envs}, but env has {bridge.n_envs}"
        raise ValueError(msg)
    return bridge


def makes_environments(env: object) -> bool:
    """Whether an environment is an id or a callable, a class included, of which there can be as many as one likes."""
    return isinstance(env, (str, type)) or not hasattr(env, "step")


def _borrow(env: Any) -> Any:
    """A vector environment of one given environment, which it leaves open, also when it is collected."""
    import gymnasium as gym

    class Borrowed(gym.Wrapper[Any, Any, Any, Any]):
        def close(self) -> None:
            """Left to whoever made the environment."""

    return gym.vector.SyncVectorEnv([lambda: Borrowed(env)])


def _call(make: Callable[[], Any], n_envs: int) -> Any:
    import gymnasium as gym

    envs: list[Any] = []

    def checked() -> Any:
        env = make()
        if not isinstance(env, gym.Env) or is_envpool(env):
            msg = f"env: expected a callable that makes a Gymnasium Env, got {type(env).__name__} from it"
            raise TypeError(msg)
        if any(env is other for other in envs):
            msg = "env: the callable returned the same environment twice"
            raise ValueError(msg)
        envs.append(env)
        return env

    return gym.vector.SyncVectorEnv([checked] * n_envs)


def _read_autoreset(env: Any) -> tuple[str, bool]:
    """The autoreset mode, and whether ended environments can be reset alone before the next step."""
    import gymnasium as gym

    given = env.metadata.get("autoreset_mode", "UNDECLARED")  # as in Gymnasium 1.0, which knows NEXT_STEP only
    mode = str(getattr(given, "name", given))
    if mode not in {"NEXT_STEP", "SAME_STEP", "DISABLED", "UNDECLARED"}:
        msg = f"env: expected a gymnasium.vector.AutoresetMode in metadata['autoreset_mode'], got {given!r}"
        raise ValueError(msg)
    if mode in {"SAME_STEP", "DISABLED"}:
        return mode, mode == "DISABLED"
    unwrapped = getattr(env, "unwrapped", env)
    if isinstance(unwrapped, gym.vector.AsyncVectorEnv) and not unwrapped.shared_memory:
        # Its workers forget to cancel a pending autoreset, so that an episode just begun would begin a second time.
        msg = "env: AsyncVectorEnv in NEXT_STEP mode needs shared_memory=True, or another autoreset_mode"
        raise ValueError(msg)
    knows_mask = isinstance(env, (gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv))
    return mode, knows_mask and hasattr(env, "autoreset_mode")


def _read_spec(env: Any) -> tuple[str, int | None]:
    """Id and time limit; a single environment's spec knows the limit that it was really made with."""
    unwrapped = getattr(env, "unwrapped", env)
    inner = getattr(unwrapped, "envs", None)
    spec = (inner[0].spec if inner else None) or env.spec
    if spec is None:
        return type(inner[0].unwrapped if inner else unwrapped).__name__, None
    limit = spec.max_episode_steps if inner else spec.kwargs.get("max_episode_steps", spec.max_episode_steps)
    return str(spec.id), None if limit in {None, -1, _INT32_MAX} else int(limit)
