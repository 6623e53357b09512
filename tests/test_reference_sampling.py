"""The oracle's random words, tables, rollouts, returns and GAE: known answers, frequencies, definitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference_problems import BOTH, agree, make_problem, same

from npgfast.reference import loops, vectorized

pytestmark = pytest.mark.isa_independent


@BOTH
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(reference, counter, key, expected):
    block = reference.philox4x32([counter], key)[0] if reference is vectorized else reference.philox4x32(counter, key)
    assert [int(word) for word in block] == expected


def test_philox_loops_equal_vectorized_on_random_blocks():
    rng = np.random.default_rng(0)
    counters, keys = rng.integers(2**32, size=(50, 4)), rng.integers(2**32, size=(50, 2))
    blocks = vectorized.philox4x32(counters, keys)
    assert [loops.philox4x32(c, k) for c, k in zip(counters, keys, strict=True)] == [tuple(b) for b in blocks.tolist()]


@BOTH
def test_alias_table_distribution(reference):
    rng = np.random.default_rng(4)
    rows = [[1.0], [0.0, 1.0], [0.25] * 4, [0.0, 0.0, 0.3, 0.7], rng.dirichlet(np.full(9, 0.2)), [1e-300, 1.0 - 1e-16]]
    for row in map(np.array, rows):
        threshold, alias = reference.alias_table(row)
        n = len(row)
        implied = np.bincount(alias, 1 - threshold, minlength=n) / n + threshold / n
        assert_allclose(implied, row / row.sum(), atol=1e-15)
        assert not ((row == 0) & (threshold > 0)).any()
    table = rng.dirichlet(np.ones(5), 3)
    threshold, alias = reference.alias_table(table)
    for k in range(3):
        same((threshold[k], alias[k]), reference.alias_table(table[k]))


@BOTH
def test_rollout_frequencies_match_model(reference):
    problem = make_problem(11, 3, 2, ending=True, masked=True)
    transitions, rewards, termination, mu, gamma, _ = problem.arrays
    probs = vectorized.softmax(problem.theta, problem.mask)
    n_steps, n_envs = 4000, 8
    states, actions, gained, ended = reference.rollout(
        transitions, rewards, termination, mu, gamma, probs, n_steps, np.random.default_rng(5), n_envs
    )
    assert states.shape == actions.shape == gained.shape == ended.shape == (n_steps, n_envs)
    assert (probs[states, actions] > 0).all()
    assert_array_equal(gained, rewards[states, actions])
    counts = np.zeros((3, 2, 4))
    followed = np.where(ended[:-1], 3, states[1:])
    np.add.at(counts, (states[:-1], actions[:-1], followed), 1)
    visits = counts.sum(axis=2, keepdims=True)
    expected = np.concatenate([transitions, termination[:, :, None]], axis=2) * visits
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected) + 1).all()
    starts = np.bincount(states[1:][ended[:-1]], minlength=3)
    assert (np.abs(starts - mu * ended[:-1].sum()) <= 5 * np.sqrt(mu * ended[:-1].sum()) + 1).all()


def column(*entries: float) -> np.ndarray:
    return np.array(entries, dtype=float)[:, None]


def flags(*entries: int) -> np.ndarray:
    return np.array(entries, dtype=bool)[:, None]


ESTIMATORS = pytest.mark.parametrize(
    "estimator", [loops.gae, loops.gae_quadratic, vectorized.gae], ids=["loops", "quadratic", "vectorized"]
)


@ESTIMATORS
@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_gae_terminated_last_step_has_no_next_value(estimator, gae_lambda):
    rewards, values = column(1, 1, 1), column(2, 2, 2)
    advantages, returns = estimator(rewards, values, flags(0, 0, 1), flags(0, 0, 0), 0.9, gae_lambda, column(7, 7, 7))
    assert_allclose(advantages[-1], -1.0)
    assert_allclose(returns, advantages + values)


@ESTIMATORS
def test_gae_truncated_bootstraps_and_cuts(estimator):
    unread = np.nan
    advantages, _ = estimator(
        column(1, 2, 3), column(4, 5, 6), flags(0, 0, 0), flags(0, 1, 0), 0.5, 1.0, column(unread, 10, 20)
    )
    assert_allclose(advantages[:, 0], [1 + 0.5 * 2 + 0.25 * 10 - 4, 2 + 0.5 * 10 - 5, 3 + 0.5 * 20 - 6])


@ESTIMATORS
def test_gae_terminated_wins_over_truncated(estimator):
    advantages, _ = estimator(column(1, 1), column(2, 3), flags(1, 1), flags(1, 1), 0.9, 0.9, column(50, np.nan))
    assert_allclose(advantages[:, 0], [-1.0, -2.0])


@ESTIMATORS
def test_gae_rollout_end_bootstraps(estimator):
    advantages, _ = estimator(column(1, 1), column(2, 3), flags(0, 0), flags(0, 0), 0.5, 1.0, column(np.nan, 8))
    assert_allclose(advantages[:, 0], [1 + 0.5 * 1 + 0.25 * 8 - 2, 1 + 0.5 * 8 - 3])


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("gae_lambda", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (20, 2)])
def test_gae_and_returns_agree_with_definitions(gamma, gae_lambda, shape):
    rng = np.random.default_rng(3)
    rewards, values, bootstrap = rng.normal(size=(3, *shape))
    terminated, truncated = rng.random((2, *shape)) < 0.2
    args = (rewards, values, terminated, truncated, gamma, gae_lambda, bootstrap)
    advantages, returns = agree("gae", *args)
    assert_allclose(loops.gae_quadratic(*args), (advantages, returns), atol=1e-12)
    discounted = agree("discounted_returns", rewards, terminated, truncated, gamma, bootstrap)
    agree("discounted_returns", rewards, terminated, truncated, gamma)
    if gae_lambda == 1.0:
        assert_allclose(returns, discounted, atol=1e-12)
    if gae_lambda == 0.0:
        cut = truncated.copy()
        cut[-1] = True
        reached = np.where(cut, bootstrap, np.roll(values, -1, axis=0))
        assert_allclose(returns, rewards + gamma * np.where(terminated, 0.0, reached), atol=1e-12)


@BOTH
def test_discounted_returns_constant_reward(reference):
    rewards, off = np.ones((200, 2)), np.zeros((200, 2), dtype=bool)
    returns = reference.discounted_returns(rewards, off, off, 0.9, np.full((200, 2), 10.0))
    assert_allclose(returns, 10.0, rtol=1e-12)
