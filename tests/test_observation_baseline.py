"""The value function of observations: parity with the reference, what it spans, degenerate data; advantages."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core
from npgfast.reference import loops, vectorized

KINDS = pytest.mark.parametrize("quadratic", [False, True], ids=["linear", "quadratic"])


def data(n: int, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations of unequal scales, times of ragged episodes, targets."""
    rng = np.random.default_rng([n, dim])
    observations = 3.0 + rng.normal(size=(n, dim)) * 10.0 ** rng.integers(-3, 4, size=dim)
    time = np.concatenate([np.arange(length) for length in rng.integers(1, 9, size=n)])[:n].astype(np.int32)
    return observations, time, 5.0 + rng.normal(size=n)


def fit(observations, time, targets, quadratic, powers=3) -> np.ndarray:
    return _core.fit_baseline(1 + quadratic, powers, np.ascontiguousarray(observations), time, targets)


def predict(state, observations, time, quadratic, powers=3) -> np.ndarray:
    return _core.predict_baseline(1 + quadratic, powers, state, np.ascontiguousarray(observations), time)


@KINDS
@pytest.mark.parametrize("powers", [0, 1, 3])
@pytest.mark.parametrize(("n", "dim"), [(1, 1), (1, 3), (2, 2), (9, 1), (33, 3), (200, 2)])
def test_baseline_matches_reference(n, dim, quadratic, powers):
    observations, time, targets = data(n, dim)
    state = fit(observations, time, targets, quadratic, powers)
    probe, later = observations * 3 - 1, 2 * time
    for reference in (loops, vectorized):
        fitted = reference.fit_observation_baseline(observations, time, targets, quadratic, powers)
        longest, mean, scale, coefficients = fitted
        assert_allclose(1 / state[0], longest, rtol=1e-15)
        assert_allclose(state[1 : 1 + dim], mean, rtol=1e-12)
        assert_allclose(state[1 + dim : 1 + 2 * dim], scale, rtol=1e-10)
        assert_allclose(state[1 + 2 * dim :], coefficients, rtol=1e-6, atol=1e-7)
        expected = reference.predict_observation_baseline(probe, later, *fitted, powers)
        assert_allclose(predict(state, probe, later, quadratic, powers), expected, rtol=1e-7, atol=1e-7)


@KINDS
def test_baseline_represents_what_its_features_span(quadratic):
    rng = np.random.default_rng(1)
    observations, time = rng.normal(size=(3000, 2)), rng.integers(0, 20, size=3000).astype(np.int32)
    u = time / (time.max() + 1)
    values = 2 - 3 * observations[:, 0] + u - u**3
    values += (observations[:, 0] * observations[:, 1] - 2 * observations[:, 1] ** 2) * quadratic
    state = fit(observations, time, values, quadratic)
    fitted = predict(state, observations, time, quadratic)
    assert np.abs(fitted - values).max() < 0.03  # the ridge
    assert np.std(fitted - values) < 2e-3 * np.std(values)


@KINDS
def test_baseline_does_not_depend_on_units_or_order(quadratic):
    observations, time, targets = data(60, 3)
    plain = predict(fit(observations, time, targets, quadratic), observations, time, quadratic)
    other = observations * [1e-6, 3.0, 1e6] + [5.0, -2.0, 1e7]
    assert_allclose(predict(fit(other, time, targets, quadratic), other, time, quadratic), plain, rtol=1e-6)
    order = np.random.default_rng(0).permutation(60)
    state = fit(observations[order], time[order], targets[order], quadratic)
    assert_allclose(predict(state, observations, time, quadratic), plain, rtol=1e-9)


@KINDS
def test_observations_that_do_not_vary_are_ignored(quadratic):
    _, time, targets = data(40, 2)
    constant = np.full((40, 2), [0.1, 1e9 + 0.1])
    state = fit(constant, time, targets, quadratic)
    assert_array_equal(state[3:5], 0)
    assert np.isfinite(state).all()
    assert_array_equal(
        predict(state, constant, time, quadratic), predict(state, 1e6 * np.ones((40, 2)), time, quadratic)
    )
    one = fit(constant[:1], time[:1], np.array([7.0]), quadratic)
    assert_allclose(predict(one, constant[:1], time[:1], quadratic), 7.0, rtol=1e-4)


@KINDS
def test_far_observations_and_late_times_are_held(quadratic):
    observations, time, targets = data(50, 2)
    state = fit(observations, time, targets, quadratic)
    longest = time.max() + 1
    far = np.array([[1e300, -1e300], [1e200, -1e200]])
    late = np.array([longest, 2**31 - 1], dtype=np.int32)
    values = predict(state, far, late, quadratic)
    assert np.isfinite(values).all()
    assert values[0] == values[1]


@KINDS
def test_a_fit_that_is_not_finite_changes_nothing(quadratic):
    observations, time, targets = data(9, 2)
    for bad in (np.inf, np.nan):
        broken = targets.copy()
        broken[3] = bad
        assert_array_equal(fit(observations, time, broken, quadratic), 0)
        wild = observations.copy()
        wild[2, 1] = bad
        assert_array_equal(fit(wild, time, targets, quadratic), 0)


@KINDS
@pytest.mark.parametrize("dim", [1, 3, 4, 5, 6, 7])
def test_a_fit_does_not_depend_on_where_its_numbers_lie(dim, quadratic):
    """Sums must not start where a register of the machine would."""

    def moved(array: np.ndarray, places: int) -> np.ndarray:
        buffer = np.empty(array.size + places)
        buffer[places:] = array.ravel()
        return buffer[places:].reshape(array.shape)

    observations, time, targets = data(301, dim)
    first, between = fit(observations, time, targets, quadratic), []
    for i in range(64):
        between.append(bytearray(16 * (i % 11)))  # so that the memory of the fit itself lies elsewhere, too
        assert_array_equal(fit(moved(observations, i % 8), time, moved(targets, i // 8), quadratic), first)


def test_no_baseline_has_no_state_and_predicts_zero():
    observations, time, targets = data(9, 2)
    state = _core.fit_baseline(0, 3, observations, time, targets)
    assert state.shape == (0,)
    assert_array_equal(_core.predict_baseline(0, 3, state, observations, time), 0)


def test_memory_ring_refuses_what_does_not_fit():
    observations, time, targets = data(9, 2)
    state = fit(observations, time, targets, False)
    for call in (
        lambda: _core.fit_baseline(3, 3, observations, time, targets),
        lambda: _core.fit_baseline(-1, 3, observations, time, targets),
        lambda: _core.fit_baseline(1, -1, observations, time, targets),
        lambda: _core.fit_baseline(1, 3, observations, time[:8], targets),
        lambda: _core.fit_baseline(1, 3, observations, time, targets[:8]),
        lambda: _core.fit_baseline(1, 3, observations[:0], time[:0], targets[:0]),
        lambda: _core.predict_baseline(1, 3, state[:-1], observations, time),
        lambda: _core.predict_baseline(2, 3, state, observations, time),
        lambda: _core.predict_baseline(1, 3, state, observations[:8], time),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()


@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("lengths", [{"n_steps": 60, "n_envs": 3}, {"n_episodes": 7}])
def test_advantages_of_environments_equal_the_quadratic_definition(lengths, gae_lambda):
    """Episodes of every length, terminated, truncated, or cut by the end of the data."""
    env = nf.envs.CartPole(time_limit=15)
    policy = nf.LinearSoftmax(4, 2, np.random.default_rng(2).normal(size=10))
    baseline = nf.LinearBaseline(nf.features.Polynomial(4))
    baseline.coefficients = np.random.default_rng(3).normal(size=15)
    played = nf.rollout(env, policy, **lengths, seed=4)
    assert played.terminated.any()
    assert played.truncated.any()
    batch = nf.sample_batch(env, policy, **lengths, seed=4, gae_lambda=gae_lambda, baseline=baseline, gamma=0.9)
    expected, rows = [], []
    for e in range(played.rewards.shape[1]):
        valid = played.valid[:, e]
        reached = np.where(np.isnan(played.next_states[valid, e]), 0.0, played.next_states[valid, e])
        columns = (played.rewards, baseline.predict(played.states[valid, e]), played.terminated, played.truncated)
        columns = [c[valid, e][:, None] if c.ndim == 2 else c[:, None] for c in columns]
        expected.append(loops.gae_quadratic(*columns, 0.9, gae_lambda, baseline.predict(reached)[:, None])[0][:, 0])
        rows.append(played.states[valid, e])
    assert_array_equal(batch.states, np.concatenate(rows))
    assert_allclose(batch.advantages, np.concatenate(expected), rtol=1e-10, atol=1e-10)
