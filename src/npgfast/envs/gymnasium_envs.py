"""The native simulators as Gymnasium environments. Importing this module registers them as ``npgfast/CartPole-v1`` etc.

>>> import gymnasium
>>> import npgfast.envs.gymnasium_envs
>>> gymnasium.make("npgfast/CartPole-v1").spec.max_episode_steps
500

``gymnasium.make("npgfast.envs.gymnasium_envs:npgfast/CartPole-v1")`` does both.
"""

from __future__ import annotations

from typing import Any, ClassVar, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from npgfast.envs.named import NAMESPACE, NATIVE, make_native
from npgfast.envs.simulated import Simulated

__all__ = ["SimulatedEnv", "make_env", "to_gymnasium"]

Observation = NDArray[np.float32]


class SimulatedEnv(gymnasium.Env[Observation, Any]):
    """One episode of a native simulator, with the spaces of Gymnasium's own environment.

    The time limit is not applied here but by ``gymnasium.make``; the end of a horizon is termination.

    Parameters
    ----------
    simulated : Simulated
    render_mode : None
        There is nothing to render.

    Attributes
    ----------
    state : ndarray, shape (state_size,)
        In double precision; None before the first reset.

    Raises
    ------
    TypeError
        For anything but a native environment.
    ValueError
        For a render mode other than None.

    Examples
    --------
    >>> from npgfast.envs import CartPole
    >>> SimulatedEnv(CartPole()).reset(seed=7)[0].shape
    (4,)
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, simulated: Simulated, render_mode: None = None) -> None:
        self.simulated = _check(simulated, render_mode)
        self.state: NDArray[np.float64] | None = None
        self._seed = self._time = 0
        self.observation_space = _box(simulated.observation_low, simulated.observation_high)
        self.action_space = _action_space(simulated)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; there are no options."""
        super().reset(seed=seed)
        if options:
            msg = f"options: expected none, got {', '.join(map(str, options))}"
            raise ValueError(msg)
        self._seed = int(self.np_random.integers(2**64, dtype=np.uint64))
        self._time = 0
        self.state = self.simulated.start(1, seed=self._seed)[0]
        return self._observation(self.state), {}

    def step(self, action: Any) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Move by one action; it is refused if it does not have the shape of the action space or is not finite."""
        if self.state is None:
            msg = "call reset before step"
            raise gymnasium.error.ResetNeeded(msg)
        states, rewards, terminated = self.simulated.step(
            self.state[None], np.asarray(action)[None], seed=self._seed, time=self._time
        )
        self.state = states[0]
        self._time += 1
        ends = bool(terminated[0]) or self._time == self.simulated.horizon
        return self._observation(self.state), float(rewards[0]), ends, False, {}

    def _observation(self, state: NDArray[np.float64]) -> Observation:
        observation: Observation = self.simulated.observe(state[None])[0].astype(np.float32)
        return observation


def make_env(name: str, render_mode: None = None, **settings: Any) -> SimulatedEnv:
    """Make the registered environment of that name; the time limit is a matter of ``gymnasium.make``."""
    return SimulatedEnv(make_native(name, **settings), render_mode)


def to_gymnasium(simulated: Simulated, render_mode: None = None) -> gymnasium.Env[Observation, Any]:
    """See `Simulated.to_gymnasium`."""
    spec = EnvSpec(
        id=NAMESPACE + simulated.name,
        entry_point=f"{__name__}:{SimulatedEnv.__name__}",
        max_episode_steps=simulated.time_limit,
        kwargs={"simulated": simulated},
    )
    return gymnasium.make(spec, render_mode=render_mode)


def _check(simulated: object, render_mode: object) -> Simulated:
    if not isinstance(simulated, Simulated):
        msg = f"simulated: expected an environment of npgfast.envs, got {type(simulated).__name__}"
        raise TypeError(msg)
    if render_mode is not None:
        msg = f"render_mode={render_mode!r}, expected None: there is nothing to render"
        raise ValueError(msg)
    return simulated


def _action_space(simulated: Simulated) -> spaces.Space[Any]:
    low, high = simulated.action_low, simulated.action_high
    if low is None or high is None:
        return spaces.Discrete(simulated.n_actions)
    return _box(low, high)


def _box(low: NDArray[np.float64], high: NDArray[np.float64]) -> spaces.Space[Any]:
    return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


for _name in NATIVE:
    gymnasium.register(
        id=NAMESPACE + _name,
        entry_point=f"{__name__}:{make_env.__name__}",
        max_episode_steps=make_native(_name).time_limit,
        kwargs={"name": _name},
    )
