"""Native simulators: step-equal to Gymnasium and to the reference, first states, identities of mechanics, bad input."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ks_2samp

from npgfast import _core, envs
from npgfast.reference import loops, vectorized

# Of each state variable: the range to draw from, which reaches beyond what episodes visit, and edges to hit exactly.
TURN = 2 * np.pi
RANGES = {
    "CartPole-v1": (
        ((-2.5, 2.5), (2.4, -2.4, np.nextafter(2.4, 3))),
        ((-4.0, 4.0), (0.0,)),
        ((-0.22, 0.22), (0.2094395102393195, -0.2094395102393195)),
        ((-4.0, 4.0), (0.0,)),
    ),
    "MountainCar-v0": (((-1.2, 0.6), (-1.2, 0.6, 0.5, -1.19)), ((-0.07, 0.07), (0.07, -0.07, 0.0))),
    "MountainCarContinuous-v0": (((-1.2, 0.6), (-1.2, 0.6, 0.45, -1.19)), ((-0.07, 0.07), (0.07, -0.07, 0.0))),
    "Acrobot-v1": (
        ((-np.pi, np.pi), (np.pi, -np.pi, 0.0)),
        ((-np.pi, np.pi), (np.pi, -np.pi, 0.0)),
        ((-2 * TURN, 2 * TURN), (2 * TURN, -2 * TURN)),
        ((-4.5 * TURN, 4.5 * TURN), (4.5 * TURN, -4.5 * TURN)),
    ),
    "Pendulum-v1": (((-20.0, 20.0), (np.pi, -np.pi, 0.0, 3 * np.pi)), ((-8.0, 8.0), (8.0, -8.0))),
}
every_id = pytest.mark.parametrize("id", RANGES)


def transitions(id: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """States and actions, each number of them an edge with probability 0.2."""
    rng = np.random.default_rng(len(id))
    columns = [
        np.where(rng.random(n) < 0.2, rng.choice(edges, n), rng.uniform(*bounds, n)) for bounds, edges in RANGES[id]
    ]
    env = envs.make(id)
    if env.n_actions:
        return np.stack(columns, axis=1), rng.integers(env.n_actions, size=n)
    actions = rng.uniform(2 * env.action_low, 2 * env.action_high, (n, 1))
    edges = rng.choice(np.append(env.action_low, env.action_high), (n, 1))
    return np.stack(columns, axis=1), np.where(rng.random((n, 1)) < 0.2, edges, actions)


def gymnasium_steps(id: str, states: np.ndarray, actions: np.ndarray, **settings: float) -> tuple[np.ndarray, ...]:
    """What Gymnasium's environment makes of float64 states and actions."""
    env = gymnasium.make(id, **settings).unwrapped
    env.reset(seed=0)
    found: tuple[list, ...] = ([], [], [], [])
    for state, action in zip(states, actions, strict=True):
        env.state = state.copy()
        env.steps_beyond_terminated = None
        observation, reward, terminated, _, _ = env.step(action)
        for column, value in zip(found, (env.state, reward, terminated, observation), strict=True):
            column.append(np.array(value))
    return tuple(np.array(column) for column in found)


@every_id
def test_step_equals_gymnasium(id):
    states, actions = transitions(id, 4000)
    env = envs.make(id)
    next_states, rewards, terminated = env.step(states, actions)
    wanted = gymnasium_steps(id, states, actions)
    assert_allclose(next_states, wanted[0], rtol=1e-12, atol=1e-12)
    assert_allclose(rewards, wanted[1], rtol=1e-12, atol=1e-12)
    assert_array_equal(terminated, wanted[2])
    assert_allclose(env.observe(next_states), wanted[3], rtol=1e-6, atol=1e-6)
    assert id == "Pendulum-v1" or 0 < terminated.sum() < len(states)


@pytest.mark.parametrize(
    ("id", "settings"),
    [
        ("MountainCar-v0", {"goal_velocity": 0.03}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.03}),
        ("Pendulum-v1", {"g": 3.7}),
    ],
)
def test_settings_are_those_of_gymnasium(id, settings):
    states, actions = transitions(id, 1000)
    got = envs.make(id, **settings).step(states, actions)
    for one, other in zip(got, gymnasium_steps(id, states, actions, **settings)[:3], strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    for one, other in zip(got, loops.simulator_step(id, states, actions, **settings), strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    assert any((one != other).any() for one, other in zip(got, envs.make(id).step(states, actions), strict=True))


@every_id
@pytest.mark.parametrize("seed", range(3))
def test_episode_equals_gymnasium(id, seed):
    theirs = gymnasium.make(id)
    ours = envs.make(id).to_gymnasium()
    theirs.reset(seed=seed)
    ours.reset(seed=seed)
    state = np.array(theirs.unwrapped.state, np.float64)
    ours.unwrapped.state = state.copy()
    rng = np.random.default_rng(seed)
    n_actions = ours.unwrapped.simulated.n_actions
    ended, steps = False, 0
    while not ended:
        action = rng.integers(n_actions) if n_actions else rng.uniform(-2.5, 2.5, 1)
        # Gymnasium's continuous car keeps a float32 state, with which NumPy 2 computes in float32, and NumPy 1 did not.
        theirs.unwrapped.state = np.array(theirs.unwrapped.state, np.float64)
        wanted, got = theirs.step(action), ours.step(action)
        assert_allclose(got[0], wanted[0], rtol=1e-6, atol=1e-6)
        assert_allclose(ours.unwrapped.state, theirs.unwrapped.state, rtol=1e-9, atol=1e-9)
        assert_allclose(got[1], wanted[1], rtol=1e-9, atol=1e-9)
        assert got[2:4] == wanted[2:4]
        ended, steps = wanted[2] or wanted[3], steps + 1
    assert steps > 8


def test_continuous_car_stays_near_gymnasium_in_single_precision():
    theirs, ours = gymnasium.make("MountainCarContinuous-v0"), envs.MountainCarContinuous().to_gymnasium()
    theirs.reset(seed=5)
    ours.reset()
    ours.unwrapped.state = theirs.unwrapped.state.copy()
    rng = np.random.default_rng(5)
    for _ in range(999):
        action = rng.uniform(-1, 1, 1).astype(np.float32)
        assert_allclose(ours.step(action)[0], theirs.step(action)[0], rtol=0, atol=1e-5)


@every_id
@pytest.mark.parametrize("twin", [loops, vectorized])
def test_step_and_observation_match_reference(id, twin):
    states, actions = transitions(id, 1000)
    env = envs.make(id)
    got, wanted = env.step(states, actions), twin.simulator_step(id, states, actions)
    difference = got[0] - wanted[0]
    if id == "Acrobot-v1":  # -pi and pi are one angle, and each is an edge of the states
        difference[:, :2] -= TURN * np.round(difference[:, :2] / TURN)
    assert_allclose(difference, 0, atol=1e-11)
    assert_allclose(got[1], wanted[1], rtol=1e-12, atol=1e-12)
    assert_array_equal(got[2], wanted[2])
    assert_allclose(env.observe(states), twin.simulator_observe(id, states), rtol=1e-14, atol=1e-14)


@every_id
@pytest.mark.parametrize("twin", [loops, vectorized])
@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_start_matches_reference(id, twin, seed):
    assert_allclose(envs.make(id).start(37, seed=seed), twin.simulator_start(id, 37, seed), rtol=1e-15, atol=1e-15)


@every_id
def test_start_is_distributed_as_gymnasium_resets(id):
    env = gymnasium.make(id).unwrapped
    theirs = []
    for seed in range(2000):
        env.reset(seed=seed)
        theirs.append(np.array(env.state, np.float64))
    theirs = np.array(theirs)
    ours = envs.make(id).start(20_000, seed=3)
    bounds = {"C": 0.05, "A": 0.1, "P": np.array([np.pi, 1.0]), "M": np.array([0.1, 0.0])}[id[0]]
    middle = np.array([-0.5, 0.0]) if id[0] == "M" else 0.0
    # Acrobot's starts are in single precision, in which the bound itself is rounded.
    assert (np.abs(ours - middle) <= np.float32(bounds) * (1 + 1e-7)).all()
    error = np.broadcast_to(bounds / np.sqrt(3) / np.sqrt(len(ours)), ours.shape[1:])
    assert (np.abs(ours.mean(axis=0) - middle) <= 4 * error + 1e-15).all()
    for one, other in zip(ours.T, theirs.T, strict=True):
        assert ks_2samp(one, other).pvalue > 1e-3
    varying = ours[:, ours.std(axis=0) > 0]
    correlations = np.atleast_2d(np.corrcoef(varying.T)) - np.eye(varying.shape[1])
    assert np.abs(correlations).max() < 0.03
    assert_array_equal(ours == ours.astype(np.float32), np.broadcast_to(id[0] == "A" or ours == 0, ours.shape))


@every_id
def test_starts_are_a_prefix_and_seeds_differ(id):
    env = envs.make(id)
    assert_array_equal(env.start(5, seed=7), env.start(9, seed=7)[:5])
    assert (env.start(5, seed=7)[:, 0] != env.start(5, seed=8)[:, 0]).all()


@every_id
def test_step_leaves_its_arguments_alone(id):
    states, actions = transitions(id, 3)
    before = states.copy(), actions.copy()
    envs.make(id).step(states, actions)
    assert_array_equal(states, before[0])
    assert_array_equal(actions, before[1])


def test_cart_pole_is_symmetric_under_reflection():
    states, actions = transitions("CartPole-v1", 500)
    env = envs.CartPole()
    one, other = env.step(states, actions), env.step(-states, 1 - actions)
    assert_array_equal(one[0], -other[0])
    assert_array_equal(one[2], other[2])


def test_pendulum_is_symmetric_under_reflection_and_a_turn():
    states, actions = transitions("Pendulum-v1", 500)
    env = envs.Pendulum()
    one, other = env.step(states, actions), env.step(-states, -actions)
    assert_array_equal(one[0], -other[0])
    assert_allclose(one[1], other[1], rtol=1e-12)
    turned = env.step(states + np.array([TURN, 0.0]), actions)
    assert_allclose(turned[0] - np.array([TURN, 0.0]), one[0], atol=1e-13)
    assert_allclose(env.observe(turned[0]), env.observe(one[0]), atol=1e-13)


def path(env: envs.Simulated, state: list[float], actions: np.ndarray) -> np.ndarray:
    """States that one episode visits, its ends ignored."""
    states = [np.array([state])]
    for action in actions:
        states.append(env.step(states[-1], action[None])[0])
    return np.concatenate(states)


@pytest.mark.parametrize("g", [1.0, 9.81])
def test_pendulum_swings_with_the_period_of_semi_implicit_euler(g):
    h, n = 0.05, 4000
    angles = path(envs.Pendulum(g=g), [np.pi - 1e-5, 0.0], np.zeros((n, 1)))[:, 0] - np.pi
    # Eliminating the velocity leaves the leapfrog recurrence, of which this is the frequency for small angles.
    step = np.arccos(1 - 1.5 * g * h**2 / 2)
    assert_allclose(angles, -1e-5 * np.cos(step * (np.arange(n + 1) + 0.5)) / np.cos(step / 2), atol=1e-9)


def test_mountain_car_conserves_its_energy_without_a_push():
    states = path(envs.MountainCar(), [-0.9, 0.0], np.ones(1000, np.int64))
    energy = states[:, 1] ** 2 / 2 + 0.0025 * np.sin(3 * states[:, 0]) / 3
    depth = energy[0] + 0.0025 / 3
    assert np.ptp(energy) < 0.1 * depth  # semi-implicit Euler: it oscillates and does not drift
    assert abs(energy[-200:].mean() - energy[:200].mean()) < 1e-3 * depth


def acrobot_energy(states: np.ndarray) -> np.ndarray:
    """Kinetic and potential energy from the positions and velocities of the links' centres."""
    q1, q2, w1, w2 = states.T
    x1, x2 = 0.5 * w1, np.stack([w1 * np.cos(q1), w1 * np.sin(q1)])
    x2 = x2 + 0.5 * (w1 + w2) * np.stack([np.cos(q1 + q2), np.sin(q1 + q2)])
    kinetic = 0.5 * (x1**2 + (x2**2).sum(axis=0) + w1**2 + (w1 + w2) ** 2)
    return kinetic - 9.8 * (0.5 * np.cos(q1) + np.cos(q1) + 0.5 * np.cos(q1 + q2))


def test_acrobot_conserves_its_energy_without_torque():
    states = path(envs.Acrobot(), [0.6, -0.4, 0.0, 0.0], np.ones(100, np.int64))
    energy = acrobot_energy(states)
    assert abs(energy[-1] - energy[0]) < 0.03 * (energy[0] + 2 * 9.8)
    # Torque times the elbow's angle is the work done, to the order of a short sum.
    pushed = path(envs.Acrobot(), [0.1, -0.1, 0.0, 0.0], np.full(3, 2))
    assert_allclose(np.ptp(acrobot_energy(pushed)), pushed[-1, 1] - pushed[0, 1], rtol=1e-3)


def test_acrobot_is_linearised_by_the_runge_kutta_polynomial():
    mass = np.array([[4.5, 1.75], [1.75, 1.25]])
    stiffness = 9.8 * np.array([[2.0, 0.5], [0.5, 0.5]])
    rates = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.linalg.solve(mass, stiffness), np.zeros((2, 2))]])
    term, polynomial = np.eye(4), np.eye(4)
    for k in range(1, 5):
        term = term @ rates * (0.2 / k)
        polynomial = polynomial + term
    nudges = 1e-5 * np.eye(4)
    rest = np.ones(4, np.int64)
    ahead, behind = (envs.Acrobot().step(sign * nudges, rest)[0] for sign in (1, -1))
    assert_allclose((ahead - behind).T / 2e-5, polynomial, atol=1e-9)


def test_acrobot_wraps_angles_however_large():
    env = envs.Acrobot()
    turned = env.step([[TURN * 7 + 0.5, -TURN * 9 - 0.5, 0.0, 0.0]], [1])[0]
    assert_allclose(turned, env.step([[0.5, -0.5, 0.0, 0.0]], [1])[0], atol=1e-12)
    assert np.isfinite(env.step([[1e300, -1e300, 0.0, 0.0]], [1])[0]).all()


NONE, ONE = np.empty(0), np.ones(1)
RAW = {
    "kind_high": lambda: _core.simulator_sizes(6, NONE),
    "kind_low": lambda: _core.simulator_sizes(-1, NONE),
    "kind_huge": lambda: _core.simulator_sizes(2**40, NONE),
    "parameters_short": lambda: _core.simulator_sizes(4, NONE),
    "parameters_long": lambda: _core.simulator_sizes(0, ONE),
    "parameters_2d": lambda: _core.simulator_sizes(4, ONE[None]),
    "parameters_float32": lambda: _core.simulator_sizes(4, ONE.astype("f4")),
    "parameters_none": lambda: _core.simulator_sizes(4, None),
    "n_negative": lambda: _core.simulator_start(0, NONE, -1, 0),
    "n_huge": lambda: _core.simulator_start(0, NONE, 2**62, 0),
    "seed_negative": lambda: _core.simulator_start(0, NONE, 1, -1),
    "states_narrow": lambda: _core.simulator_step(0, NONE, np.zeros((2, 3)), np.zeros((2, 1)), 0, 0),
    "states_1d": lambda: _core.simulator_step(0, NONE, np.zeros(4), np.zeros((1, 1)), 0, 0),
    "states_fortran": lambda: _core.simulator_step(0, NONE, np.zeros((2, 4), order="F"), np.zeros((2, 1)), 0, 0),
    "actions_short": lambda: _core.simulator_step(0, NONE, np.zeros((2, 4)), np.zeros((1, 1)), 0, 0),
    "actions_wide": lambda: _core.simulator_step(4, ONE, np.zeros((2, 2)), np.zeros((2, 2)), 0, 0),
    "actions_int64": lambda: _core.simulator_step(0, NONE, np.zeros((1, 4)), np.zeros((1, 1), np.int64), 0, 0),
    "actions_high": lambda: _core.simulator_step(0, NONE, np.zeros((1, 4)), np.full((1, 1), 2.0), 0, 0),
    "actions_low": lambda: _core.simulator_step(3, NONE, np.zeros((1, 4)), np.full((1, 1), -1.0), 0, 0),
    "actions_between": lambda: _core.simulator_step(3, NONE, np.zeros((1, 4)), np.full((1, 1), 0.5), 0, 0),
    "actions_nan": lambda: _core.simulator_step(0, NONE, np.zeros((1, 4)), np.full((1, 1), np.nan), 0, 0),
    "actions_huge": lambda: _core.simulator_step(0, NONE, np.zeros((1, 4)), np.full((1, 1), 1e300), 0, 0),
    "step_negative": lambda: _core.simulator_step(0, NONE, np.zeros((1, 4)), np.zeros((1, 1)), 0, -1),
    "observe_narrow": lambda: _core.simulator_observe(3, NONE, np.zeros((2, 3))),
}


@pytest.mark.parametrize("name", RAW)
def test_core_refuses_what_does_not_fit(name):
    with pytest.raises((TypeError, ValueError, IndexError)):
        RAW[name]()


@every_id
def test_core_survives_numbers_that_are_not_finite(id):
    env = envs.make(id)
    kind, parameters, *_ = env._native
    for odd in (np.nan, np.inf, -np.inf, 1e308):
        states = np.full((2, env.state_size), odd)
        actions = np.zeros((2, 1)) if env.n_actions else np.full((2, 1), odd)
        assert _core.simulator_step(kind, parameters, states, actions, 0, 0)[0].shape == states.shape
        assert _core.simulator_observe(kind, parameters, states).shape == (2, env.observation_size)
    for array in _core.simulator_step(kind, parameters, np.empty((0, env.state_size)), np.empty((0, 1)), 0, 0):
        assert len(array) == 0
