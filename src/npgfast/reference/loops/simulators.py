"""Plain Python: the classic control problems, from the Lagrange equations of their mechanics."""

from __future__ import annotations

import math
from struct import pack, unpack
from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.loops.sampling import philox4x32

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from npgfast.reference.loops.policies import Array, BoolArray, IntArray

    Move = tuple[list[float], float, bool]

_START = 1  # the purpose of the stream that starts are drawn from


def simulator_start(name: str, n: int, seed: int) -> Array:
    """First states of n episodes.

    Parameters
    ----------
    name : str
        Gymnasium's id.
    n, seed : int
        Episode i draws from the words of Philox at counter (0, i, block, purpose) and key seed.

    Returns
    -------
    ndarray, shape (n, state_size)
    """
    return np.array([_start(name, _uniforms(seed, episode)) for episode in range(n)])


def simulator_step(
    name: str, states: Array, actions: Array | IntArray, **parameters: float
) -> tuple[Array, Array, BoolArray]:
    """One step of n episodes.

    Parameters
    ----------
    name : str
        Gymnasium's id.
    states : ndarray, shape (n, state_size)
    actions : ndarray of int, shape (n,), or of float, shape (n, 1)
    **parameters
        ``goal_velocity`` of the mountain cars, ``g`` of the pendulum.

    Returns
    -------
    next_states : ndarray, shape (n, state_size)
    rewards : ndarray, shape (n,)
    terminated : ndarray of bool, shape (n,)

    References
    ----------
    Barto, Sutton, Anderson, IEEE Transactions on Systems, Man, and Cybernetics 13(5), 1983; Moore, PhD thesis,
    Cambridge, 1990; Spong, "The swing up control problem for the Acrobot", IEEE Control Systems 15(1), 1995, equations
    1 and 2, whose first angle is measured from the horizontal.
    """
    step = _STEPS[name]
    moves = [
        step([float(x) for x in state], float(np.ravel(action)[0]), **parameters)
        for state, action in zip(states, actions, strict=True)
    ]
    return np.array([m[0] for m in moves]), np.array([m[1] for m in moves]), np.array([m[2] for m in moves])


def simulator_observe(name: str, states: Array) -> Array:
    """Observations of n states.

    Parameters
    ----------
    name : str
        Gymnasium's id.
    states : ndarray, shape (n, state_size)

    Returns
    -------
    ndarray, shape (n, observation_size)
    """
    n_angles = {"Acrobot-v1": 2, "Pendulum-v1": 1}.get(name, 0)
    rows = []
    for state in states.tolist():
        directions = [f(angle) for angle in state[:n_angles] for f in (math.cos, math.sin)]
        rows.append(directions + state[n_angles:])
    return np.array(rows)


def _uniforms(seed: int, episode: int) -> Iterator[float]:
    block = 0
    while True:
        words = philox4x32((0, episode, block, _START), (seed % 2**32, seed // 2**32))
        for low, high in (words[:2], words[2:]):
            yield (low + high * 2**32) // 2**11 / 2**53
        block += 1


def _start(name: str, uniforms: Iterator[float]) -> list[float]:
    def between(low: float, high: float) -> float:
        return low + (high - low) * next(uniforms)

    if name == "CartPole-v1":
        return [between(-0.05, 0.05) for _ in range(4)]
    if name == "Acrobot-v1":
        return [_single(between(-0.1, 0.1)) for _ in range(4)]
    if name == "Pendulum-v1":
        return [between(-math.pi, math.pi), between(-1.0, 1.0)]
    return [between(-0.6, -0.4), 0.0]


def _single(number: float) -> float:
    rounded: float = unpack("f", pack("f", number))[0]
    return rounded


def _clip(number: float, low: float, high: float) -> float:
    return max(low, min(number, high))


def _solve_pair(a: float, b: float, c: float, d: float, right: Sequence[float]) -> tuple[float, float]:
    """Solve ``[[a, b], [c, d]] x = right`` by Cramer's rule."""
    determinant = a * d - b * c
    return (right[0] * d - b * right[1]) / determinant, (a * right[1] - c * right[0]) / determinant


def _step_cart_pole(state: list[float], action: float) -> Move:
    cart, pole, half, gravity, step = 1.0, 0.1, 0.5, 9.8, 0.02
    x, v, angle, w = state
    force = 10.0 if action == 1 else -10.0
    coupling = pole * half * math.cos(angle)
    inertia = pole * half * half * 4.0 / 3.0  # of a rod of length 2 * half about its end
    acceleration, angular = _solve_pair(
        cart + pole,
        coupling,
        coupling,
        inertia,
        (force + pole * half * w * w * math.sin(angle), pole * gravity * half * math.sin(angle)),
    )
    after = [x + step * v, v + step * acceleration, angle + step * w, w + step * angular]
    return after, 1.0, not (-2.4 <= after[0] <= 2.4 and abs(math.degrees(after[2])) <= 12.0)


def _drive(state: list[float], push: float, goal: float, goal_velocity: float) -> tuple[list[float], bool]:
    x, v = state
    v = _clip(v + push - 0.0025 * math.cos(3.0 * x), -0.07, 0.07)
    x = _clip(x + v, -1.2, 0.6)
    if x == -1.2 and v < 0.0:
        v = 0.0
    return [x, v], x >= goal and v >= goal_velocity


def _step_mountain_car(state: list[float], action: float, goal_velocity: float = 0.0) -> Move:
    after, at_goal = _drive(state, 0.001 * (action - 1.0), 0.5, goal_velocity)
    return after, -1.0, at_goal


def _step_mountain_car_continuous(state: list[float], action: float, goal_velocity: float = 0.0) -> Move:
    after, at_goal = _drive(state, 0.0015 * _clip(action, -1.0, 1.0), 0.45, goal_velocity)
    return [_single(x) for x in after], 100.0 * at_goal - 0.1 * action**2, at_goal


def _acrobot_rates(state: Sequence[float], torque: float) -> list[float]:
    gravity, length, centre, inertia = 9.8, 1.0, 0.5, 1.0  # both links weigh 1
    q1, q2, w1, w2 = state
    shear = length * centre * math.sin(q2)
    m11 = centre**2 + length**2 + centre**2 + 2.0 * length * centre * math.cos(q2) + 2.0 * inertia
    m12 = centre**2 + length * centre * math.cos(q2) + inertia
    m22 = centre**2 + inertia
    weight2 = centre * gravity * math.sin(q1 + q2)
    weight1 = (centre + length) * gravity * math.sin(q1) + weight2
    right = (shear * w2 * w2 + 2.0 * shear * w1 * w2 - weight1, torque - shear * w1 * w1 - weight2)
    return [w1, w2, *_solve_pair(m11, m12, m12, m22, right)]


def _step_acrobot(state: list[float], action: float) -> Move:
    h, torque = 0.2, action - 1.0

    def moved(rates: list[float], time: float) -> list[float]:
        return [x + time * rate for x, rate in zip(state, rates, strict=True)]

    k1 = _acrobot_rates(state, torque)
    k2 = _acrobot_rates(moved(k1, h / 2), torque)
    k3 = _acrobot_rates(moved(k2, h / 2), torque)
    k4 = _acrobot_rates(moved(k3, h), torque)
    mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)]
    q1, q2, w1, w2 = moved(mean, h)
    q1, q2 = (math.remainder(q, 2 * math.pi) for q in (q1, q2))
    w1, w2 = _clip(w1, -4 * math.pi, 4 * math.pi), _clip(w2, -9 * math.pi, 9 * math.pi)
    height = -math.cos(q1) - math.cos(q1 + q2)
    return [q1, q2, w1, w2], -1.0 if height <= 1.0 else 0.0, height > 1.0


def _step_pendulum(state: list[float], action: float, g: float = 10.0) -> Move:
    mass, length, step = 1.0, 1.0, 0.05
    angle, w = state
    torque = _clip(action, -2.0, 2.0)
    cost = math.remainder(angle, 2 * math.pi) ** 2 + 0.1 * w**2 + 0.001 * torque**2
    inertia = mass * length**2 / 3.0
    w = _clip(w + step * (mass * g * length / 2.0 * math.sin(angle) + torque) / inertia, -8.0, 8.0)
    return [angle + step * w, w], -cost, False


_STEPS: dict[str, Any] = {
    "CartPole-v1": _step_cart_pole,
    "MountainCar-v0": _step_mountain_car,
    "MountainCarContinuous-v0": _step_mountain_car_continuous,
    "Acrobot-v1": _step_acrobot,
    "Pendulum-v1": _step_pendulum,
}
