"""Returns, generalised advantages and baselines: the quadratic definition, closed forms, least squares."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core
from npgfast.reference import loops
from npgfast.reference import vectorized as reference


def ragged(seed: int, n_steps: int, n_envs: int, density: float = 0.2) -> dict[str, np.ndarray]:
    """Random rewards, values and flags, some of them both terminated and truncated."""
    rng = np.random.default_rng([seed, n_steps, n_envs])
    return {
        "rewards": rng.normal(size=(n_steps, n_envs)),
        "values": rng.normal(size=(n_steps, n_envs)),
        "terminated": rng.random((n_steps, n_envs)) < density,
        "truncated": rng.random((n_steps, n_envs)) < density,
        "bootstrap_values": rng.normal(size=(n_steps, n_envs)),
    }


def columns(*values: list[float]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(value)[:, None] for value in values)


@pytest.mark.parametrize(("n_steps", "n_envs"), [(1, 1), (1, 9), (2, 1), (13, 7), (40, 3)])
@pytest.mark.parametrize(("gamma", "gae_lambda"), [(0.0, 0.5), (1.0, 1.0), (0.9, 0.0), (0.99, 0.95), (1.0, 0.0)])
def test_gae_equals_its_quadratic_definition(n_steps, n_envs, gamma, gae_lambda):
    for density in (0.0, 0.2, 1.0):
        data = ragged(1, n_steps, n_envs, density)
        advantages, returns = nf.gae(**data, gamma=gamma, gae_lambda=gae_lambda)
        expected, _ = loops.gae_quadratic(**data, gamma=gamma, gae_lambda=gae_lambda)
        assert_allclose(advantages, expected, rtol=1e-12, atol=1e-12)
        assert_array_equal(returns, advantages + data["values"])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("bootstrapped", [True, False])
def test_discounted_returns_match_reference(gamma, bootstrapped):
    data = ragged(2, 33, 5)
    args = (data["rewards"], data["terminated"], data["truncated"])
    bootstrap = data["bootstrap_values"] if bootstrapped else None
    got = nf.discounted_returns(*args, gamma=gamma, bootstrap_values=bootstrap)
    assert_allclose(got, loops.discounted_returns(*args, gamma, bootstrap), rtol=1e-12, atol=1e-13)


def test_last_advantage_of_a_terminated_episode_is_minus_one():
    r, v, no = columns([1.0, 1, 1], [2.0, 2, 2], [False] * 3)
    end = np.array([[False], [False], [True]])
    advantages, _ = nf.gae(r, v, end, no, gamma=0.9, gae_lambda=0.9, bootstrap_values=v + 100)
    assert advantages[-1, 0] == -1.0


def test_truncation_bootstraps_and_cuts_the_recursion():
    r, v, no = columns([1.0, 10, 100], [0.0, 0, 0], [False] * 3)
    cut = np.array([[True], [False], [False]])
    advantages, _ = nf.gae(r, v, no, cut, gamma=0.5, gae_lambda=1.0, bootstrap_values=np.full((3, 1), 8.0))
    assert_array_equal(advantages[:, 0], [1 + 4, 10 + 50 + 2, 100 + 4])


def test_termination_wins_over_truncation():
    data = ragged(3, 20, 4)
    both = data["terminated"] & data["truncated"]
    assert both.any()
    plain = {**data, "truncated": data["truncated"] & ~both}
    for one, two in zip(
        nf.gae(**data, gamma=0.9, gae_lambda=0.8), nf.gae(**plain, gamma=0.9, gae_lambda=0.8), strict=True
    ):
        assert_array_equal(one, two)


def test_nothing_leaks_between_environments_or_episodes():
    data = ragged(4, 25, 6)
    whole, _ = nf.gae(**data, gamma=0.95, gae_lambda=0.9)
    for e in range(6):
        alone, _ = nf.gae(**{k: v[:, e : e + 1] for k, v in data.items()}, gamma=0.95, gae_lambda=0.9)
        assert_array_equal(alone[:, 0], whole[:, e])
    ends = np.flatnonzero(data["terminated"][:, 0] | data["truncated"][:, 0])
    first = int(ends[0]) + 1
    changed = {k: v.copy() for k, v in data.items()}
    for name in ("rewards", "values", "bootstrap_values"):
        changed[name][first:] += 50.0
    after, _ = nf.gae(**changed, gamma=0.95, gae_lambda=0.9)
    assert_array_equal(after[:first, 0], whole[:first, 0])


def test_bootstrap_values_are_read_only_where_they_count():
    data = ragged(5, 12, 5)
    read = data["truncated"].copy()
    read[-1] = True
    read &= ~data["terminated"]
    sparse = {**data, "bootstrap_values": np.where(read, data["bootstrap_values"], np.nan)}
    for one, two in zip(
        nf.gae(**data, gamma=0.9, gae_lambda=0.9), nf.gae(**sparse, gamma=0.9, gae_lambda=0.9), strict=True
    ):
        assert_array_equal(one, two)
    t, n = np.argwhere(read)[0]
    sparse["bootstrap_values"][t, n] = np.inf
    with pytest.raises(ValueError, match=rf"bootstrap_values\[{t}, {n}\]=inf is not finite"):
        nf.gae(**sparse, gamma=0.9, gae_lambda=0.9)


def test_extremes_of_lambda_have_their_closed_forms():
    data = ragged(6, 30, 3)
    data["terminated"][:] = data["truncated"][:] = False
    r, v, last = data["rewards"], data["values"], data["bootstrap_values"][-1]
    following = np.vstack([v[1:], last[None]])
    one_step, _ = nf.gae(**data, gamma=0.9, gae_lambda=0.0)
    assert_allclose(one_step, r + 0.9 * following - v, rtol=1e-13, atol=1e-13)
    _, returns = nf.gae(**data, gamma=1.0, gae_lambda=1.0)
    assert_allclose(returns, r[::-1].cumsum(axis=0)[::-1] + last, rtol=1e-12, atol=1e-12)
    shifted, _ = nf.gae(**data, gamma=0.0, gae_lambda=1.0)
    assert_allclose(shifted, r - v, rtol=1e-15)


def test_constant_rewards_sum_to_the_geometric_series():
    r = np.ones((4000, 1))
    no = np.zeros_like(r, dtype=bool)
    assert_allclose(nf.discounted_returns(r, no, no, gamma=0.99)[0], 100.0, atol=1e-9)


def test_exact_values_make_advantages_of_the_mean_zero():
    mdp = nf.problems.garnet(6, 3, 2, gamma=0.9, seed=1, termination=0.2)
    policy = nf.TabularSoftmax(6, 3)
    exact = nf.evaluate(mdp, policy)
    played = nf.rollout(mdp, policy, n_steps=4000, n_envs=5, seed=1)
    following = np.where(played.terminated, 0, exact.values[played.next_states])
    advantages, _ = nf.gae(
        played.rewards,
        exact.values[played.states],
        played.terminated,
        played.truncated,
        gamma=0.9,
        gae_lambda=0.0,
        bootstrap_values=following,
    )
    counts = np.bincount(played.states.ravel() * 3 + played.actions.ravel(), minlength=18)
    sums = np.bincount((played.states * 3 + played.actions).ravel(), weights=advantages.ravel(), minlength=18)
    spread = advantages.std() / np.sqrt(counts)
    assert (np.abs(sums / counts - exact.advantages.ravel()) < 6 * spread + 1e-12).all()


def test_inputs_are_never_edited():
    data = ragged(7, 9, 2)
    before = {k: v.tobytes() for k, v in data.items()}
    nf.gae(**data, gamma=0.9, gae_lambda=0.9)
    nf.discounted_returns(data["rewards"], data["terminated"], data["truncated"], gamma=0.9)
    assert before == {k: v.tobytes() for k, v in data.items()}


@pytest.mark.parametrize("rank", [1, 3, 8])
@pytest.mark.parametrize("n", [1, 5, 60])
def test_linear_baseline_is_the_least_squares_solution_of_minimum_norm(rank, n):
    rng = np.random.default_rng([rank, n])
    features = rng.normal(size=(20, rank)) @ rng.normal(size=(rank, 8))
    states, targets, weights = rng.integers(20, size=n), rng.normal(size=n), rng.random(n)
    weights[: n // 3] = 0
    root = np.sqrt(weights)
    expected = np.linalg.lstsq(root[:, None] * features[states], root * targets, rcond=1e-12)[0]
    baseline = nf.LinearBaseline(features).fit(states, targets, weights)
    assert_allclose(baseline.coefficients, expected, rtol=1e-9, atol=1e-10)
    assert_allclose(baseline.predict([3, 3, 0]), (features @ expected)[[3, 3, 0]], rtol=1e-8, atol=1e-9)
    assert_allclose(baseline.values, features @ baseline.coefficients, rtol=1e-14, atol=1e-14)
    residual = root * (targets - features[states] @ baseline.coefficients)
    assert_allclose((root[:, None] * features[states]).T @ residual, 0, atol=1e-10)


def test_ridge_shrinks_as_its_normal_equations_say():
    rng = np.random.default_rng(0)
    features, states, targets = rng.normal(size=(10, 4)), rng.integers(10, size=30), rng.normal(size=30)
    rows = features[states]
    expected = np.linalg.solve(rows.T @ rows + 0.3 * np.eye(4), rows.T @ targets)
    assert_allclose(nf.LinearBaseline(features, ridge=0.3).fit(states, targets).coefficients, expected, rtol=1e-11)


def test_ill_conditioned_features_keep_their_digits():
    rng = np.random.default_rng(0)
    features = np.vander(np.linspace(0, 1, 40), 8)  # condition 1e6, squared 1e12
    truth = rng.normal(size=8)
    baseline = nf.LinearBaseline(features).fit(np.arange(40), features @ truth)
    assert_allclose(baseline.coefficients, truth, rtol=1e-7)


def test_least_squares_reports_the_rank():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 9))
    solution, rank = _core.least_squares(rows, rng.normal(size=30), 0.0)
    assert rank == 3
    assert solution.shape == (9,)


def test_tabular_baseline_is_the_weighted_mean_and_keeps_the_rest():
    baseline = nf.TabularBaseline(4, [9.0, 9, 9, 9]).fit([0, 0, 2, 3], [1.0, 3.0, 5.0, 7.0], [1.0, 3.0, 2.0, 0.0])
    assert_array_equal(baseline.values, [2.5, 9, 5, 9])
    assert_array_equal(baseline.predict([2, 0]), [5, 2.5])


@pytest.mark.parametrize("n_envs", [1, 7, 8, 64, 257, 514, 1100])
@pytest.mark.parametrize("n_steps", [1, 130])
def test_estimates_have_the_same_bits_alone_and_on_every_number_of_threads(n_steps, n_envs):
    """Sizes on both sides of a vector, of a tile, and of what is written past the caches."""
    data = ragged(8, n_steps, n_envs, 0.02)
    flags = tuple(data[name].view(np.uint8) for name in ("terminated", "truncated"))
    arrays = (data["rewards"], data["values"], *flags, data["bootstrap_values"])
    results = [_core.gae(*arrays, 0.95, 0.9, n_threads) for n_threads in (1, 2, 3, 16)]
    for advantages, returns, is_finite in results:
        assert is_finite
        assert_array_equal(advantages, results[0][0])
        assert_array_equal(returns, advantages + data["values"])
    for e in {0, n_envs // 2, n_envs - 1}:
        one = _core.gae(*(array[:, [e]] for array in arrays), 0.95, 0.9, 1)
        assert_array_equal(one[0][:, 0], results[0][0][:, e])
    some = {0, n_envs // 2, n_envs - 1}
    expected = reference.gae(
        **{name: array[:, sorted(some)] for name, array in data.items()}, gamma=0.95, gae_lambda=0.9
    )
    assert_allclose(results[0][0][:, sorted(some)], expected[0], rtol=1e-12, atol=1e-12)
    plain = [_core.discounted_returns(arrays[0], *flags, None, 0.95, n) for n in (1, 5)]
    assert_array_equal(plain[0][0], plain[1][0])
    zero = np.zeros_like(arrays[0])
    assert_array_equal(plain[0][0], _core.gae(arrays[0], zero, *flags, zero, 0.95, 1.0, 1)[0])


@pytest.mark.parametrize("n_envs", [3, 600])
def test_what_is_not_finite_is_found_wherever_it_is(n_envs):
    data = ragged(9, 250, n_envs, 0.02)
    data["terminated"][-1, n_envs // 2] = False
    for name in ("rewards", "values", "bootstrap_values"):
        for value in (np.nan, np.inf):
            for gamma in (0.0, 0.9):
                broken = {**data, name: data[name].copy()}
                broken[name][-1, n_envs // 2] = value
                with pytest.raises(ValueError, match=rf"{name}\[249, {n_envs // 2}\]={value} is not finite"):
                    nf.gae(**broken, gamma=gamma, gae_lambda=0.5)
    huge = np.full((3, n_envs), 1e308)
    no = np.zeros((3, n_envs), dtype=bool)
    assert np.isinf(nf.discounted_returns(huge, no, no, gamma=1.0)[0]).all()  # finite inputs, whose sum overflows
