"""Gymnasium's classic control: the same dynamics, rewards, ends and first states, simulated in the compiled core."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from npgfast import _validate
from npgfast.envs.simulated import Bound, FloatArray, Simulated

__all__ = ["Acrobot", "CartPole", "MountainCar", "MountainCarContinuous", "Pendulum"]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class CartPole(Simulated):
    """CartPole-v1: keep a pole upright by pushing its cart left (0) or right (1).

    State and observation are position (m), velocity (m/s), angle from upright (rad) and angular velocity (rad/s). The
    reward is 1 a step. An episode terminates beyond 2.4 m or 12 degrees.

    Parameters
    ----------
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    References
    ----------
    Barto, A. G., Sutton, R. S. & Anderson, C. W. (1983), IEEE Transactions on Systems, Man, and Cybernetics 13(5).
    Florian, R. V. (2007), Correct equations for the dynamics of the cart-pole system; without friction.

    Examples
    --------
    >>> from npgfast.envs import CartPole
    >>> CartPole().step([[0.0, 0.0, 0.0, 0.0]], [1])[1]
    array([1.])
    """

    name: ClassVar[str] = "CartPole-v1"
    _kind: ClassVar[int] = 0
    _observation_high: ClassVar[Bound] = (4.8, math.inf, math.radians(24), math.inf)
    _observation_low: ClassVar[Bound] = (-4.8, -math.inf, -math.radians(24), -math.inf)

    time_limit: int | None = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class _Mountain(Simulated):
    """The fields of both mountain cars."""

    _observation_high: ClassVar[Bound] = (0.6, 0.07)
    _observation_low: ClassVar[Bound] = (-1.2, -0.07)

    goal_velocity: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "goal_velocity", _validate.real("goal_velocity", self.goal_velocity))

    @property
    def _parameters(self) -> FloatArray:
        return np.array([self.goal_velocity])


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class MountainCar(_Mountain):
    """MountainCar-v0: drive a weak car over a hill by pushing left (0), not at all (1) or right (2).

    State and observation are position and velocity per step. The reward is -1 a step. An episode terminates at
    position 0.5.

    Parameters
    ----------
    goal_velocity : float
        Least velocity at which the goal counts as reached.
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    References
    ----------
    Moore, A. W. (1990), Efficient memory-based learning for robot control, PhD thesis, University of Cambridge.
    Sutton, R. S. & Barto, A. G. (2018), Reinforcement Learning, example 10.1.

    Examples
    --------
    >>> from npgfast.envs import MountainCar
    >>> MountainCar().step([[0.49, 0.03]], [2])[2]
    array([ True])
    """

    name: ClassVar[str] = "MountainCar-v0"
    _kind: ClassVar[int] = 1

    time_limit: int | None = 200


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class MountainCarContinuous(_Mountain):
    """MountainCarContinuous-v0: drive a weak car over a hill with a push of any strength in [-1, 1].

    State and observation are position and velocity per step; as in Gymnasium, the state after a step is rounded to
    single precision. The reward is -0.1 times the squared action (unclipped), and 100 at the goal. An episode
    terminates at position 0.45.

    Parameters
    ----------
    goal_velocity : float
        Least velocity at which the goal counts as reached.
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    Notes
    -----
    The arithmetic before the rounding is in double precision. Gymnasium's is too when its state and action are float64;
    in single precision it may differ by one unit in the last place of float32.

    References
    ----------
    Moore, A. W. (1990), Efficient memory-based learning for robot control, PhD thesis, University of Cambridge.

    Examples
    --------
    >>> from npgfast.envs import MountainCarContinuous
    >>> MountainCarContinuous().step([[0.44, 0.03]], [[1.0]])[1]
    array([99.9])
    """

    name: ClassVar[str] = "MountainCarContinuous-v0"
    _kind: ClassVar[int] = 2
    _action_bound: ClassVar[float] = 1.0

    time_limit: int | None = 999


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Acrobot(Simulated):
    """Acrobot-v1: swing the tip of two hanging links above a line, with torque -1 (0), 0 (1) or 1 (2) between them.

    The state is the angle of the first link from hanging, that of the second from the first (rad), and their
    velocities (rad/s). The observation is the cosine and sine of each angle, and the velocities. The reward is -1 a
    step, 0 for the last one. An episode terminates when the tip is 1 m above the joint.

    Parameters
    ----------
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    References
    ----------
    Sutton, R. S. & Barto, A. G. (1998), Reinforcement Learning, section 11.3.

    Examples
    --------
    >>> from npgfast.envs import Acrobot
    >>> Acrobot().observe([[0.0, 0.0, 0.0, 0.0]])
    array([[1., 0., 1., 0., 0., 0.]])
    """

    name: ClassVar[str] = "Acrobot-v1"
    _kind: ClassVar[int] = 3
    _observation_high: ClassVar[Bound] = (1.0, 1.0, 1.0, 1.0, 4 * math.pi, 9 * math.pi)
    _observation_low: ClassVar[Bound] = (-1.0, -1.0, -1.0, -1.0, -4 * math.pi, -9 * math.pi)

    time_limit: int | None = 500


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Pendulum(Simulated):
    """Pendulum-v1: swing up a rod and hold it with a torque in [-2, 2] N m.

    The state is the angle from upright (rad), which is not wrapped, and its velocity (rad/s). The observation is the
    angle's cosine and sine, and the velocity. The reward is -(angle^2 + 0.1 velocity^2 + 0.001 torque^2) with the angle
    in [-pi, pi). An episode never terminates.

    Parameters
    ----------
    g : float
        Gravity in m/s^2.
    time_limit : int, optional
        Steps after which an episode is truncated; None for no limit.

    Examples
    --------
    >>> from npgfast.envs import Pendulum
    >>> Pendulum(g=9.81).step([[0.0, 0.0]], [[0.0]])[0]
    array([[0., 0.]])
    """

    name: ClassVar[str] = "Pendulum-v1"
    _kind: ClassVar[int] = 4
    _action_bound: ClassVar[float] = 2.0
    _observation_high: ClassVar[Bound] = (1.0, 1.0, 8.0)
    _observation_low: ClassVar[Bound] = (-1.0, -1.0, -8.0)

    g: float = 10.0
    time_limit: int | None = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "g", _validate.real("g", self.g))

    @property
    def _parameters(self) -> FloatArray:
        return np.array([self.g])
