"""Numbers from the literature and from exact arithmetic, and the traps that others fell into."""

import warnings

import numpy as np
import pytest

import npgfast as nf

LAKES = [
    ("4x4", 0.9, None, 0.068890904889),
    ("4x4", 0.99, None, 0.542025932000),
    ("4x4", 1.0, None, 14.0 / 17.0),
    ("4x4", 1.0, 100, 0.744190287829),
    ("8x8", 0.9, None, 0.006411114262),
    ("8x8", 0.99, None, 0.414640361800),
    ("8x8", 1.0, None, 1.0),
    ("8x8", 1.0, 200, 0.913220150202),
]
TAXI = [(0.9, None, -1.263323099040), (0.99, None, 6.327464314919), (1.0, None, 7.93), (1.0, 200, 7.93)]


def assert_solved(mdp, objective):
    solution = nf.solve(mdp)
    assert solution.converged
    assert solution.objective == pytest.approx(objective, rel=0, abs=1e-9)
    assert solution.lower <= solution.objective + 1e-12
    assert solution.lower - 1e-12 <= objective + 1e-9
    assert objective - 1e-9 <= solution.upper + 1e-12
    value = nf.evaluate(mdp, np.eye(mdp.n_actions)[solution.actions]).objective
    assert value == pytest.approx(objective, rel=0, abs=1e-9)


@pytest.mark.parametrize(("size", "gamma", "horizon", "objective"), LAKES)
def test_frozen_lake(size, gamma, horizon, objective):
    ours = nf.problems.frozen_lake(size, gamma=gamma, horizon=horizon)
    theirs = nf.TabularMDP.from_gymnasium("FrozenLake-v1", map_name=size, gamma=gamma, horizon=horizon)
    assert_solved(ours, objective)
    assert_solved(theirs, objective)


@pytest.mark.parametrize(("gamma", "horizon", "objective"), TAXI)
def test_taxi(gamma, horizon, objective):
    assert_solved(nf.TabularMDP.from_gymnasium("Taxi-v4", gamma=gamma, horizon=horizon), objective)


def test_uniform_policy_on_frozen_lake():
    uniform = nf.evaluate(nf.problems.frozen_lake(gamma=0.99), nf.TabularSoftmax(16, 4))
    assert uniform.objective == pytest.approx(0.012356137325, rel=0, abs=1e-9)


def test_forest_grid_two_state_and_gambler():
    np.testing.assert_allclose(
        nf.solve(nf.problems.forest(gamma=0.96)).values, [74.6496, 78.1056, 82.1056], rtol=0, atol=1e-9
    )
    grid = nf.solve(nf.problems.sutton_barto_grid(gamma=0.9))
    assert grid.values[1] == pytest.approx(10.0 / (1.0 - 0.9**5), rel=0, abs=1e-9)
    np.testing.assert_allclose(nf.solve(nf.problems.two_state(gamma=0.9)).values, [18.0, 20.0], rtol=0, atol=1e-9)
    gambler = nf.solve(nf.problems.gambler(p_heads=0.4))
    np.testing.assert_allclose(gambler.values[[25, 50]], [0.16, 0.4], rtol=0, atol=1e-9)
    assert gambler.converged


@pytest.mark.parametrize("method", ["policy_iteration", "modified_policy_iteration", "value_iteration"])
def test_every_method_finds_the_values(method):
    for mdp, objective in (
        (nf.problems.frozen_lake(gamma=0.99), 0.542025932000),
        (nf.problems.frozen_lake("8x8", gamma=0.9), 0.006411114262),
        (nf.problems.forest(gamma=0.96), (74.6496 + 78.1056 + 82.1056) / 3.0),
    ):
        solution = nf.solve(mdp, method=method)
        assert solution.converged
        assert solution.objective == pytest.approx(objective, rel=0, abs=1e-9)


def test_time_limits_of_frozen_lake():
    by_map = nf.TabularMDP.from_gymnasium("FrozenLake-v1", map_name="8x8", horizon="time_limit")
    assert by_map.horizon == 100
    assert nf.TabularMDP.from_gymnasium("FrozenLake8x8-v1", horizon="time_limit").horizon == 200


def test_best_stationary_policy_under_a_horizon_is_worse_than_the_optimum():
    """FrozenLake 8x8 at H = 100: natural gradients and policy search agree on .986 of the non-stationary optimum."""
    mdp = nf.problems.frozen_lake("8x8", gamma=1.0, horizon=100)
    optimum, policy = nf.solve(mdp).objective, nf.TabularSoftmax(64, 4)
    for _ in range(120):
        policy = policy.with_theta(policy.theta + nf.natural_gradient(policy, nf.exact_batch(mdp, policy)).direction)
    assert nf.evaluate(mdp, policy).objective / optimum == pytest.approx(0.986, abs=0.0005)
    actions = nf.solve(mdp.replace(gamma=0.98, horizon=None)).actions
    best = nf.evaluate(mdp, np.eye(4)[actions]).objective
    for s in range(64):
        for a in range(4):
            trial = actions.copy()
            trial[s] = a
            assert nf.evaluate(mdp, np.eye(4)[trial]).objective <= best + 1e-12
    assert best / optimum == pytest.approx(0.986, abs=0.0005)


@pytest.mark.parametrize("horizon", [3, 7])
def test_time_in_the_state_reaches_the_optimum_under_a_horizon(horizon):
    mdp = nf.problems.frozen_lake(gamma=1.0, horizon=2 * horizon)
    timed = mdp.with_time()
    policy = nf.TabularSoftmax(timed.n_states, 4)
    optimum = nf.solve(mdp).objective
    assert nf.solve(timed).objective == pytest.approx(optimum, rel=0, abs=1e-12)
    for _ in range(60):
        step = nf.natural_gradient(policy, nf.exact_batch(timed, policy)).direction
        policy = policy.with_theta(policy.theta + 1e3 * step)
    assert optimum - nf.evaluate(timed, policy).objective < 1e-9


@pytest.mark.parametrize("step_size", [0.01, 1e3])
def test_exact_npg_keeps_moving_until_the_gap_is_closed(step_size):
    """No row of the direction freezes because its occupancy or its probabilities underflow."""
    mdp = nf.TabularMDP.from_gymnasium("CliffWalking-v1", gamma=0.99)
    policy, optimum = nf.TabularSoftmax(mdp.n_states, mdp.n_actions), nf.solve(mdp).objective
    for _ in range(1600):
        policy = policy.with_theta(
            policy.theta + step_size * nf.natural_gradient(policy, nf.exact_batch(mdp, policy)).direction
        )
    assert abs(optimum - nf.evaluate(mdp, policy).objective) < 1e-9


def taxi_without_termination(gamma):
    import gymnasium

    table = gymnasium.make("Taxi-v4").unwrapped.P
    kernel, rewards = np.zeros((500, 6, 500)), np.zeros((500, 6))
    for s, actions in table.items():
        for a, outcomes in actions.items():
            for chance, following, reward, _ in outcomes:
                kernel[s, a, following] += chance
                rewards[s, a] += chance * reward
    start = nf.TabularMDP.from_gymnasium("Taxi-v4", gamma=gamma).initial_distribution
    return nf.TabularMDP(kernel, rewards, initial_distribution=start, gamma=gamma)


def test_ignoring_terminated_would_be_seen():
    assert nf.solve(taxi_without_termination(0.99)).objective == pytest.approx(835.04, abs=0.01)


def test_duplicate_successors_are_summed():
    theirs = nf.TabularMDP.from_gymnasium("FrozenLake-v1", gamma=0.9)
    np.testing.assert_allclose(theirs.dense().sum(axis=2) + theirs.termination, 1.0, rtol=0, atol=1e-15)
    # Left at the start: left and up both stay, down moves on.
    assert theirs.dense()[0, 0, 0] == pytest.approx(2.0 / 3.0, rel=1e-15)
    assert theirs.dense()[0, 0, 4] == pytest.approx(1.0 / 3.0, rel=1e-15)


def test_fickle_passenger_warns():
    with pytest.warns(UserWarning, match="fickle_passenger"):
        nf.TabularMDP.from_gymnasium("Taxi-v4", gamma=0.9, fickle_passenger=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nf.TabularMDP.from_gymnasium("Taxi-v4", gamma=0.9)


def test_row_sums_have_a_tolerance_and_are_renormalised_in_a_copy():
    kernel = np.array([[[0.3 + 9e-9, 0.7]], [[0.5, 0.5]]])
    given = kernel.copy()
    mdp = nf.TabularMDP(kernel, [1.0, 0.0], gamma=0.9)
    np.testing.assert_array_equal(kernel, given)
    np.testing.assert_allclose(mdp.dense().sum(axis=2), 1.0, rtol=0, atol=1e-15)
    with pytest.raises(ValueError, match="s=0, a=0"):
        nf.TabularMDP(kernel + np.array([[[2e-8, 0.0]], [[0.0, 0.0]]]), [1.0, 0.0], gamma=0.9)


def test_policy_iteration_does_not_cycle_on_ties():
    same = nf.problems.random_dense(30, 1, gamma=0.95, seed=4)
    kernel = np.repeat(same.dense(), 4, axis=1)
    tied = nf.TabularMDP(kernel, np.repeat(same.rewards, 4, axis=1), gamma=0.95)
    solution = nf.solve(tied, method="policy_iteration", max_iterations=50)
    assert solution.converged
    assert solution.iterations < 50
    assert solution.objective == pytest.approx(nf.solve(same).objective, rel=1e-12)


@pytest.mark.parametrize("method", ["modified_policy_iteration", "value_iteration"])
def test_stopping_does_not_return_shifted_values(method):
    """A span criterion stops before the constant part of the values has converged."""
    kernel = np.full((3, 2, 3), 1.0 / 3.0)
    mdp = nf.TabularMDP(kernel, np.array([[1.0, 0.0], [1.0, 0.5], [1.0, 0.2]]), gamma=0.99)
    np.testing.assert_allclose(nf.solve(mdp, method=method).values, 100.0, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", ["modified_policy_iteration", "value_iteration"])
def test_a_method_that_hits_its_limit_says_so(method):
    solution = nf.solve(nf.problems.frozen_lake("8x8", gamma=0.99), method=method, max_iterations=2)
    assert not solution.converged
    assert solution.iterations <= 2
    assert solution.lower <= 0.414640361800 <= solution.upper
