"""What every natively simulated environment is: sizes, bounds, a time limit, and three functions of many episodes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["Simulated"]

FloatArray = NDArray[np.float64]
Bound = float | tuple[float, ...]

_MAX_STEPS: Final = 2**31 - 1
_MAX_EPISODES: Final = 2**32 - 1
_MAX_SEED: Final = 2**64 - 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """The base of the native environments: an immutable value that holds parameters and never the state of an episode.

    A subclass is a dataclass whose fields are its parameters. It names itself, its kind in the core and its bounds, and
    gives the parameters that the core takes as `_parameters`. Equality is by value.

    Parameters
    ----------
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    Attributes
    ----------
    name : str
        Gymnasium's id, or the one that this package registers there.
    horizon : int or None
        Steps after which an episode terminates; None for the environments that end otherwise.
    """

    name: ClassVar[str]
    _kind: ClassVar[int]
    _action_bound: ClassVar[float] = math.inf
    _observation_low: ClassVar[Bound] = -math.inf
    _observation_high: ClassVar[Bound] = math.inf

    time_limit: int | None = None
    horizon: int | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("time_limit", "horizon"):
            steps = getattr(self, name)
            if steps is not None:
                object.__setattr__(self, name, _validate.integer(name, steps, low=1, high=_MAX_STEPS))

    @property
    def _parameters(self) -> FloatArray:
        """The flat parameters of the simulator; see its header in the core."""
        return np.empty(0)

    @cached_property
    def _native(self) -> tuple[int, FloatArray, int, int]:
        """(kind, parameters, time limit, horizon) as the compiled core takes them; 0 stands for no limit."""
        return self._kind, self._parameters, self.time_limit or 0, self.horizon or 0

    @cached_property
    def _sizes(self) -> tuple[int, int, int, int]:
        return _core.simulator_sizes(*self._native[:2])

    @property
    def state_size(self) -> int:
        """Numbers in the state of an episode."""
        return self._sizes[0]

    @property
    def observation_size(self) -> int:
        """Numbers in an observation."""
        return self._sizes[1]

    @property
    def n_actions(self) -> int:
        """Number of discrete actions; 0 if actions are continuous."""
        return self._sizes[2]

    @property
    def action_size(self) -> int:
        """Numbers in an action; 1 if actions are discrete."""
        return self._sizes[3]

    @property
    def action_low(self) -> FloatArray | None:
        """ndarray, shape (action_size,): least continuous action, -inf where unbounded; None if discrete."""
        return None if self.n_actions else np.full(self.action_size, -self._action_bound)

    @property
    def action_high(self) -> FloatArray | None:
        """ndarray, shape (action_size,): greatest continuous action, inf where unbounded; None if discrete."""
        return None if self.n_actions else np.full(self.action_size, self._action_bound)

    @property
    def observation_low(self) -> FloatArray:
        """ndarray, shape (observation_size,): lower bounds of Gymnasium's observation space."""
        return np.full(self.observation_size, self._observation_low)

    @property
    def observation_high(self) -> FloatArray:
        """ndarray, shape (observation_size,): upper bounds of Gymnasium's observation space."""
        return np.full(self.observation_size, self._observation_high)

    def start(self, n: int, *, seed: int) -> FloatArray:
        """Draw the first states of n episodes.

        Parameters
        ----------
        n : int
            At least 1.
        seed : int
            In [0, 2**64). The start of episode i is a function of the seed and i alone.

        Returns
        -------
        ndarray, shape (n, state_size)

        Raises
        ------
        TypeError, ValueError
            For arguments that are not such integers.

        Examples
        --------
        >>> from npgfast.envs import CartPole
        >>> CartPole().start(3, seed=7).shape
        (3, 4)
        """
        n = _validate.integer("n", n, low=1, high=_MAX_EPISODES)
        seed = _validate.integer("seed", seed, low=0, high=_MAX_SEED)
        _validate.allocation("states (n * state_size)", n, self.state_size)
        return _core.simulator_start(*self._native[:2], n, seed)

    def step(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int = 0, time: int = 0
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Move n episodes by one step; time limit and horizon are not looked at.

        Parameters
        ----------
        states : array_like, shape (n, state_size)
        actions : array_like
            Of integers, shape (n,), if actions are discrete; else of reals, shape (n, action_size). Where Gymnasium's
            environment clips actions, so does this one; a reward that depends on the action sees the unclipped one
            where Gymnasium's does.
        seed, time : int, optional
            Of the noise, which is a function of them and of the row; deterministic environments do not look at them.
            In [0, 2**64) and [0, 2**31).

        Returns
        -------
        next_states : ndarray, shape (n, state_size)
        rewards : ndarray, shape (n,)
        terminated : ndarray of bool, shape (n,)

        Raises
        ------
        TypeError, ValueError
            For wrong shapes, numbers that are not finite, an action out of range.

        Examples
        --------
        >>> from npgfast.envs import MountainCar
        >>> MountainCar().step([[-1.2, -0.01]], [0])
        (array([[-1.2,  0. ]]), array([-1.]), array([False]))
        """
        states = self._read_states(states)
        because = f"to match states of shape {states.shape}"
        if self.n_actions:
            chosen = _validate.integer_array(
                "actions", actions, states.shape[:1], low=0, high=self.n_actions, because=because
            )
            moves = chosen[:, None].astype(np.float64)
        else:
            moves = _validate.real_array("actions", actions, (len(states), self.action_size), because=because)
        seed = _validate.integer("seed", seed, low=0, high=_MAX_SEED)
        time = _validate.integer("time", time, low=0, high=_MAX_STEPS)
        next_states, rewards, terminated = _core.simulator_step(*self._native[:2], states, moves, seed, time)
        return next_states, rewards, terminated.view(np.bool_)

    def observe(self, states: ArrayLike) -> FloatArray:
        """Observations of n states.

        Parameters
        ----------
        states : array_like, shape (n, state_size)

        Returns
        -------
        ndarray, shape (n, observation_size)
            In double precision; Gymnasium's environments round them to float32.

        Raises
        ------
        TypeError, ValueError
            For a wrong shape or numbers that are not finite.

        Examples
        --------
        >>> from npgfast.envs import Pendulum
        >>> Pendulum().observe([[0.0, 2.0]])
        array([[1., 0., 2.]])
        """
        return _core.simulator_observe(*self._native[:2], self._read_states(states))

    def to_gymnasium(self, render_mode: None = None) -> Env[NDArray[np.float32], Any]:
        """Make a Gymnasium environment of this simulator, wrapped as ``gymnasium.make`` does, the time limit included.

        Parameters
        ----------
        render_mode : None
            There is nothing to render.

        Returns
        -------
        gymnasium.Env

        Raises
        ------
        ValueError
            For a render mode other than None.

        Examples
        --------
        >>> from npgfast.envs import CartPole
        >>> CartPole(time_limit=10).to_gymnasium().spec.max_episode_steps
        10
        """
        from npgfast.envs.gymnasium_envs import to_gymnasium

        return to_gymnasium(self, render_mode)

    def _read_states(self, states: ArrayLike) -> FloatArray:
        return _validate.real_array("states", states, (None, self.state_size))

    def _key(self) -> tuple[Any, ...]:
        kind, parameters, *limits = self._native
        return (kind, *limits, *parameters.tolist())

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Simulated) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())
