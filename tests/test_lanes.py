"""Environments that step in lanes of groups: what is played depends on no group, thread or length."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from observed_problems import CART_POLE, LQR, PENDULUM

import npgfast as nf
from npgfast import _core
from npgfast.reference import loops
from npgfast.sampling.recording import native_environment

CAR = nf.envs.MountainCar(time_limit=23)
CONTINUOUS_CAR = nf.envs.MountainCarContinuous(time_limit=23)
ACROBOT = nf.envs.Acrobot(time_limit=23)
SWINGING = nf.LinearSoftmax(4, 2, [0.3, 0, 0, 0.2, -1, 1, 0, 0.5, 0, 0.1])
WAVES = nf.features.RandomFourier(4, 7, bandwidth=1.0, seed=0)
TILES = nf.features.TileCoding(4, n_tiles=3, n_tilings=2)
CASES = {
    "cart pole": (CART_POLE, SWINGING),
    "cart pole, normalised": (
        CART_POLE,
        nf.LinearSoftmax(4, 2, SWINGING.theta, normalizer=nf.Normalizer(np.full(4, 0.01), np.full(4, 0.5))),
    ),
    "cart pole, waves": (CART_POLE, nf.LinearSoftmax(WAVES, 2, np.linspace(-1, 1, 2 * WAVES.n_features))),
    "cart pole, tiles": (
        CART_POLE,
        nf.LinearSoftmax(TILES, 2, np.linspace(-2, 2, 2 * TILES.n_features)),
    ),
    "mountain car": (CAR, nf.LinearSoftmax(nf.features.Polynomial(2, degree=2), 3, np.linspace(-3, 3, 18))),
    "acrobot": (ACROBOT, nf.LinearSoftmax(6, 3, np.linspace(-1, 1, 21))),
    "continuous car": (CONTINUOUS_CAR, nf.LinearGaussian(2, 1)),
    "pendulum": (PENDULUM, nf.LinearGaussian(3, 1, [0.1, -1, 0.2, 0, -0.5])),
    "lqr": (LQR, nf.LinearGaussian(2, 1, [-0.3, 0.2, 0.0, -0.3])),
}
cases = pytest.mark.parametrize("name", CASES)


def columns(found: nf.Trajectories, envs: slice) -> list[np.ndarray]:
    names = ("states", "actions", "rewards", "terminated", "truncated", "time", "log_probs", "next_states")
    return [getattr(found, name)[:, envs] for name in names]


@cases
def test_an_environment_plays_the_same_beside_any_others_and_on_any_thread(name):
    env, policy = CASES[name]
    whole = nf.rollout(env, policy, n_steps=37, n_envs=35, seed=5, n_threads=1)
    for n_envs in (1, 2, 7, 8, 15, 16, 17, 33):
        part = nf.rollout(env, policy, n_steps=37, n_envs=n_envs, seed=5)
        for one, other in zip(columns(part, slice(None)), columns(whole, slice(0, n_envs)), strict=True):
            assert_array_equal(one, other)
    shorter = nf.rollout(env, policy, n_steps=20, n_envs=35, seed=5)
    assert_array_equal(shorter.states, whole.states[:20])
    many = [nf.rollout(env, policy, n_steps=500, n_envs=40, seed=5, n_threads=n) for n in (1, 2, 3)]
    for other in many[1:]:
        for one, same in zip(columns(many[0], slice(None)), columns(other, slice(None)), strict=True):
            assert_array_equal(one, same)


@cases
def test_episodes_begin_as_the_steps_of_their_environments_do(name):
    env, policy = CASES[name]
    steps = nf.rollout(env, policy, n_steps=37, n_envs=19, seed=5)
    episodes = nf.rollout(env, policy, n_episodes=19, seed=5, n_threads=2)
    for e in range(19):
        length = min(37, int(episodes.valid[:, e].sum()))
        for one, other in zip(columns(episodes, slice(e, e + 1)), columns(steps, slice(e, e + 1)), strict=True):
            kept = slice(0, length - 1)  # the last of the steps is cut where the episode may go on
            assert_array_equal(one[kept], other[kept])


@cases
@pytest.mark.parametrize("deterministic", [True, False])
def test_evaluation_episodes_do_not_depend_on_their_number(name, deterministic):
    env, policy = CASES[name]
    whole = nf.evaluate_policy(env, policy, 37, 3, deterministic).returns
    for n in (1, 3, 8, 16, 17):
        assert_array_equal(nf.evaluate_policy(env, policy, n, 3, deterministic).returns, whole[:n])


@cases
def test_recorded_steps_are_those_of_the_simulator(name):
    """Each recorded action moves its state to the next one; log-probabilities are the policy's."""
    env, policy = CASES[name]
    found = nf.rollout(env, policy, n_steps=37, n_envs=19, seed=5)
    goes_on = ~(found.terminated | found.truncated)[:-1]
    flat_states = found.states.reshape(-1, env.observation_size)
    flat_actions = found.actions.reshape(-1) if env.n_actions else found.actions.reshape(-1, env.action_size)
    assert_allclose(found.log_probs.ravel(), policy.log_prob(flat_states, flat_actions), rtol=1e-12, atol=1e-12)
    if env.state_size != env.observation_size or env is LQR:
        return
    sent = found.actions if env.n_actions else np.clip(found.actions, env.action_low, env.action_high)
    moved, rewards, terminated = env.step(found.states[:-1][goes_on], sent[:-1][goes_on])
    assert_array_equal(moved, found.states[1:][goes_on])
    assert_array_equal(rewards, found.rewards[:-1][goes_on])
    assert not terminated.any()


@pytest.mark.parametrize("n", [1, 15, 16, 17, 33])
def test_rows_step_the_same_in_any_company(n):
    rng = np.random.default_rng(0)
    for env in (CART_POLE, CAR, CONTINUOUS_CAR, ACROBOT, PENDULUM, LQR):
        states = rng.uniform(-0.5, 0.5, (40, env.state_size))
        actions = rng.integers(env.n_actions, size=40) if env.n_actions else rng.normal(size=(40, env.action_size))
        whole = env.step(states, actions, seed=3, time=9)
        for one, other in zip(env.step(states[:n], actions[:n], seed=3, time=9), whole, strict=True):
            assert_array_equal(one, other[:n])
        assert_array_equal(env.observe(states[:n]), env.observe(states)[:n])


@cases
def test_time_counts_from_the_last_end(name):
    env, policy = CASES[name]
    found = nf.rollout(env, policy, n_steps=101, n_envs=19, seed=5)
    time = np.zeros(19, dtype=int)
    for t in range(101):
        assert_array_equal(found.time[t], time)
        time = np.where(found.terminated[t] | found.truncated[t], 0, time + 1)
    assert not (found.terminated & found.truncated).any()


@pytest.mark.parametrize("n_steps", [1000, 1001])  # rows that are aligned for writes past the caches, and that are not
def test_large_recordings_hold_what_small_ones_do(n_steps):
    large = nf.rollout(CART_POLE, SWINGING, n_steps=n_steps, n_envs=300, seed=5)
    for first in (0, 200):
        for one, other in zip(
            columns(large, slice(first, first + 20)),
            columns(nf.rollout(CART_POLE, SWINGING, n_steps=n_steps, n_envs=first + 20, seed=5), slice(first, None)),
            strict=True,
        ):
            assert_array_equal(one, other)


SEED = 2**40 + 7


def uniforms(steps: np.ndarray) -> np.ndarray:
    """The two that Philox gives environment e at steps[e] and its neighbour, under SEED, by the reference; (n, 2)."""
    words = [
        loops.philox4x32((step - step % 2, e, 0, 0), (SEED % 2**32, SEED // 2**32))
        for e, step in enumerate(steps.tolist())
    ]
    return np.array([[((w[j] | w[j + 1] << 32) >> 11) * 2.0**-53 for j in (0, 2)] for w in words])


@pytest.mark.parametrize("odd", [0, 1])
def test_actions_are_drawn_from_the_reference_generator(odd):
    policy = nf.LinearSoftmax(1, 3, [0.5, -1.0, 0.25, 0.1, 0.0, -0.2])
    observations = np.linspace(-2, 2, 4000)[:, None]
    steps = 2 * np.arange(4000, dtype=np.uint32) + np.uint32(odd)
    actions, log_probs = _core.act(policy._native, policy.theta, observations, SEED, 0, steps)
    probs = policy.probs(observations)
    wanted = (uniforms(steps)[:, odd, None] >= np.cumsum(probs, axis=1)).sum(axis=1)
    assert_array_equal(actions[:, 0], wanted)
    assert_allclose(log_probs, np.log(probs[np.arange(4000), wanted]), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("odd", [0, 1])
def test_gaussian_actions_are_those_of_box_and_muller(odd):
    policy = nf.LinearGaussian(1, 1, [0.0, 0.0, 0.0])
    steps = 2 * np.arange(100, dtype=np.uint32) + np.uint32(odd)
    actions, _ = _core.act(policy._native, policy.theta, np.zeros((100, 1)), SEED, 0, steps)
    first, second = uniforms(steps).T
    turn = np.sin if odd else np.cos
    assert_allclose(actions[:, 0], np.sqrt(-2 * np.log(1 - first)) * turn(2 * np.pi * second), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [nf.LinearSoftmax, nf.LinearGaussian])
def test_actions_of_a_rollout_are_those_of_its_steps(kind):
    """Numbers drawn for many steps at once are those drawn for one."""
    env = CART_POLE if kind is nf.LinearSoftmax else LQR
    policy = SWINGING if env is CART_POLE else CASES["lqr"][1]
    found = nf.rollout(env, policy, n_steps=21, n_envs=18, seed=SEED)
    for t in range(21):
        steps = np.full(18, t, dtype=np.uint32)
        actions, log_probs = _core.act(
            policy._native, policy.theta, np.ascontiguousarray(found.states[t]), SEED, 0, steps
        )
        assert_array_equal(actions.reshape(found.actions[t].shape), found.actions[t])
        assert_array_equal(log_probs, found.log_probs[t])


def test_elementary_functions_are_accurate_to_rounding():
    """Sine and cosine by the pendulum's observation, exponential and logarithm by a softmax of two actions."""
    angles = np.concatenate(
        [np.linspace(-0.8, 0.8, 4001), np.linspace(-400, 400, 4001), 10.0 ** np.linspace(0, 300, 500), [0.0, 1e-300]]
    )
    seen = PENDULUM.observe(np.stack([angles, np.zeros_like(angles)], axis=1))
    for got, wanted in ((seen[:, 0], np.cos(angles)), (seen[:, 1], np.sin(angles))):
        assert (np.abs(got - wanted) <= 3 * np.spacing(np.abs(wanted))).all()
    logits = np.concatenate([-(10.0 ** np.linspace(-12, 2.8, 5000)), [0.0, -5e-324]])
    policy = nf.LinearSoftmax(nf.features.Linear(1, bias=False), 2, [1.0, 0.0])
    actions, log_probs = _core.act(
        policy._native, policy.theta, logits[:, None], 1, 0, np.zeros(logits.size, dtype=np.uint32)
    )
    total = np.log1p(np.exp(logits.astype(np.longdouble)))
    wanted = np.where(actions[:, 0] == 0, logits - total, -total)
    assert_allclose(log_probs, wanted.astype(np.float64), rtol=4e-16, atol=3e-16)
    assert_allclose(log_probs, wanted.astype(np.float64), rtol=1.2e-15, atol=1e-307)


def test_numbers_that_are_not_finite_stay_in_their_lane():
    odd = [np.nan, np.inf, -np.inf, 1e308]
    states = np.zeros((20, 4))
    states[[2, 5, 9, 17]] = np.array(odd)[:, None]
    fine = np.setdiff1d(np.arange(20), [2, 5, 9, 17])
    moved = _core.simulator_step(0, np.empty(0), states, np.ones((20, 1)), 0, 0)
    alone = _core.simulator_step(0, np.empty(0), states[fine], np.ones((fine.size, 1)), 0, 0)
    assert_array_equal(moved[0][fine], alone[0])
    assert native_environment(CART_POLE)[0] == 0
