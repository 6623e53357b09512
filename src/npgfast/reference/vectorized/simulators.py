"""NumPy: the classic control problems, all episodes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.vectorized.sampling import philox4x32

if TYPE_CHECKING:
    from npgfast.reference.vectorized.policies import Array, BoolArray, IntArray

    Move = tuple[Array, Array, BoolArray]

_START = 1  # the purpose of the stream that starts are drawn from
_BOUNDS = {
    "CartPole-v1": ([-0.05] * 4, [0.05] * 4),
    "MountainCar-v0": ([-0.6, 0.0], [-0.4, 0.0]),
    "MountainCarContinuous-v0": ([-0.6, 0.0], [-0.4, 0.0]),
    "Acrobot-v1": ([-0.1] * 4, [0.1] * 4),
    "Pendulum-v1": ([-np.pi, -1.0], [np.pi, 1.0]),
}


def simulator_start(name: str, n: int, seed: int) -> Array:
    """First states of n episodes; see :func:`.loops.simulator_start`."""
    low, high = (np.array(bound) for bound in _BOUNDS[name])
    words = philox4x32([[0, i, block, _START] for i in range(n) for block in range(2)], [seed % 2**32, seed // 2**32])
    bits = words[..., ::2] | words[..., 1::2] << np.uint64(32)
    uniforms = (bits >> np.uint64(11)).reshape(n, 4) * 2.0**-53
    states: Array = low + (high - low) * uniforms[:, : len(low)]
    return _single(states) if name == "Acrobot-v1" else states


def simulator_step(
    name: str, states: Array, actions: Array | IntArray, **parameters: float
) -> tuple[Array, Array, BoolArray]:
    """One step of n episodes; see :func:`.loops.simulator_step`."""
    move: Move = _STEPS[name](states.T, np.reshape(actions, len(states)), **parameters)
    return move[0].T, *move[1:]


def simulator_observe(name: str, states: Array) -> Array:
    """Observations of n states; see :func:`.loops.simulator_observe`."""
    n_angles = {"Acrobot-v1": 2, "Pendulum-v1": 1}.get(name, 0)
    angles = states[:, :n_angles]
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(len(states), 2 * n_angles)
    return np.hstack([directions, states[:, n_angles:]])


def _single(numbers: Array) -> Array:
    return numbers.astype(np.float32).astype(np.float64)


def _symmetric(a: Array | float, b: Array, d: float) -> Array:
    """Stack of the matrices ``[[a, b], [b, d]]``, shape (n, 2, 2)."""
    return np.stack(np.broadcast_arrays(a, b, b, d), axis=-1).reshape(*b.shape, 2, 2)


def _accelerations(mass: Array, *forces: Array) -> Array:
    """Solve mass q'' = forces; shape (2, n)."""
    return np.asarray(np.linalg.solve(mass, np.stack(forces, axis=-1)[..., None])[..., 0].T, dtype=np.float64)


def _step_cart_pole(state: Array, action: Array) -> Move:
    pole, half, step = 0.1, 0.5, 0.02
    _, _, angle, w = state
    sine, cosine = np.sin(angle), np.cos(angle)
    mass = _symmetric(1.0 + pole, pole * half * cosine, 4.0 / 3.0 * pole * half**2)
    forces = np.where(action == 1, 10.0, -10.0) + pole * half * w**2 * sine, 9.8 * pole * half * sine
    acceleration, angular = _accelerations(mass, *forces)
    after = state + step * np.stack([state[1], acceleration, state[3], angular])
    out = (np.abs(after[0]) > 2.4) | (np.abs(after[2]) > np.radians(12.0))
    return after, np.ones(len(out)), out


def _drive(state: Array, push: Array, goal: float, goal_velocity: float) -> tuple[Array, BoolArray]:
    x, v = state
    v = np.clip(v + push - 0.0025 * np.cos(3.0 * x), -0.07, 0.07)
    x = np.clip(x + v, -1.2, 0.6)
    v = np.where(x == -1.2, np.maximum(v, 0.0), v)
    return np.stack([x, v]), (x >= goal) & (v >= goal_velocity)


def _step_mountain_car(state: Array, action: Array, goal_velocity: float = 0.0) -> Move:
    after, at_goal = _drive(state, 0.001 * (action - 1.0), 0.5, goal_velocity)
    return after, np.full(len(at_goal), -1.0), at_goal


def _step_mountain_car_continuous(state: Array, action: Array, goal_velocity: float = 0.0) -> Move:
    after, at_goal = _drive(state, 0.0015 * np.clip(action, -1.0, 1.0), 0.45, goal_velocity)
    return _single(after), 100.0 * at_goal - 0.1 * action**2, at_goal


def _acrobot_rates(state: Array, torque: Array) -> Array:
    q1, q2, w1, w2 = state
    elbow = 0.5 * np.cos(q2)
    mass = _symmetric(3.5 + 2.0 * elbow, 1.25 + elbow, 1.25)
    # Of each link: its centre is at half a metre, and the first also carries the second at its end.
    weight = 9.8 * 0.5 * np.sin(q1 + q2)
    spin = 0.5 * np.sin(q2)
    shoulder = spin * (w2**2 + 2.0 * w1 * w2) - 9.8 * 1.5 * np.sin(q1) - weight
    return np.stack([w1, w2, *_accelerations(mass, shoulder, torque - spin * w1**2 - weight)])


def _step_acrobot(state: Array, action: Array) -> Move:
    h, torque = 0.2, action - 1.0
    k1 = _acrobot_rates(state, torque)
    k2 = _acrobot_rates(state + h / 2 * k1, torque)
    k3 = _acrobot_rates(state + h / 2 * k2, torque)
    k4 = _acrobot_rates(state + h * k3, torque)
    after = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    after[:2] -= 2 * np.pi * np.round(after[:2] / (2 * np.pi))
    limits = np.array([[4 * np.pi], [9 * np.pi]])
    after[2:] = np.clip(after[2:], -limits, limits)
    above = -np.cos(after[0]) - np.cos(after[0] + after[1]) > 1.0
    return after, np.where(above, 0.0, -1.0), above


def _step_pendulum(state: Array, action: Array, g: float = 10.0) -> Move:
    step = 0.05
    angle, w = state
    torque = np.clip(action, -2.0, 2.0)
    wrapped = np.arctan2(np.sin(angle), np.cos(angle))
    cost = wrapped**2 + 0.1 * w**2 + 0.001 * torque**2
    w = np.clip(w + step * 3.0 * (g / 2.0 * np.sin(angle) + torque), -8.0, 8.0)
    return np.stack([angle + step * w, w]), -cost, np.zeros(len(angle), dtype=bool)


_STEPS: dict[str, Any] = {
    "CartPole-v1": _step_cart_pole,
    "MountainCar-v0": _step_mountain_car,
    "MountainCarContinuous-v0": _step_mountain_car_continuous,
    "Acrobot-v1": _step_acrobot,
    "Pendulum-v1": _step_pendulum,
}
