"""Linear-quadratic control: optimum, values, gradients and Fisher matrices in closed form."""

import copy
import pickle
import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are
from scipy.optimize import brentq

from npgfast.envs.lqr import LQR
from npgfast.reference.loops import linear_quadratic as twin

pytestmark = pytest.mark.isa_independent

SIZES = [(n, m) for n in (1, 2, 4) for m in (1, 2, 3)]
ALL = pytest.mark.parametrize("k", range(2 * len(SIZES)))
HORIZONS = pytest.mark.parametrize("horizon", [None, 1, 7], ids=["endless", "1", "7"])
GAMMA = 0.9
ENOUGH = 500  # 0.9^500 is 1e-23


def random_matrices(k):
    """A, B, Q, R, noise, initial mean and covariance; Q and noise singular for odd k, A unstable for two in three."""
    rng = np.random.default_rng(k)
    n, m = SIZES[k % len(SIZES)]
    A = rng.standard_normal((n, n))
    A *= (0.7, 1.0, 1.2)[k % 3] / np.abs(np.linalg.eigvals(A)).max()
    rank = max(1, n - k % 2)
    factors = [rng.standard_normal((n, size)) for size in (rank, rank, n)]
    Q, noise, covariance = (factor @ factor.T for factor in factors)
    R = rng.standard_normal((m, m))
    return A, rng.standard_normal((n, m)), Q, R @ R.T + 0.3 * np.eye(m), noise, rng.standard_normal(n), covariance


def random_lqr(k, horizon=None):
    A, B, Q, R, noise, mean, covariance = random_matrices(k)
    return LQR(A, B, Q, R, noise, horizon, initial_mean=mean, initial_covariance=covariance)


def random_policy(k, scale=0.1):
    """A stable gain off the optimum, and log_std."""
    rng, problem = np.random.default_rng(1000 + k), random_lqr(k)
    best = problem.optimal_gain(GAMMA)
    gain = best + scale * rng.standard_normal(best.shape) * max(1.0, np.abs(best).max())
    while np.abs(np.linalg.eigvals(problem.A - problem.B @ gain)).max() * np.sqrt(GAMMA) > 0.95:
        gain = (gain + best) / 2.0
    return gain, rng.uniform(-1.0, 0.5, best.shape[0])


def steps_of(horizon):
    return ENOUGH if horizon is None else horizon


@ALL
@pytest.mark.parametrize("gamma", [0.3, 0.9, 1.0])
def test_optimum_is_that_of_scipy(k, gamma):
    problem, root = random_lqr(k), np.sqrt(gamma)
    A, B = root * problem.A, root * problem.B
    P = solve_discrete_are(A, B, problem.Q, problem.R)
    np.testing.assert_allclose(
        problem.optimal_gain(gamma), np.linalg.solve(problem.R + B.T @ P @ B, B.T @ P @ A), rtol=1e-7, atol=1e-9
    )
    if gamma < 1.0:
        best = problem.optimum(gamma)
        np.testing.assert_allclose(best.value_matrix, P, rtol=1e-7, atol=1e-9 * np.abs(P).max())
        assert best.residual < 1e-12


@ALL
def test_optimum_is_that_of_value_iteration(k):
    problem = random_lqr(k)
    best = problem.optimum(GAMMA)
    gains, values = twin.lqr_value_iteration(random_matrices(k), GAMMA, ENOUGH)
    np.testing.assert_allclose(best.gain, gains[0], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(best.value_matrix, values[0], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(
        best.objective,
        twin.lqr_objective(random_matrices(k), best.gain, np.full(problem.action_size, -300.0), GAMMA, ENOUGH),
        rtol=1e-10,
    )


@ALL
def test_optimum_with_a_horizon_is_that_of_value_iteration(k):
    best = random_lqr(k, horizon=7).optimum(GAMMA)
    gains, values = twin.lqr_value_iteration(random_matrices(k), GAMMA, 7)
    np.testing.assert_allclose(best.gain, gains, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(best.value_matrix, values, rtol=1e-10, atol=1e-10)
    assert not best.gain[-1].any()
    assert best.constant.shape == (7,)


@ALL
def test_noise_of_the_policy_costs_but_does_not_move_the_optimum(k):
    problem, (_, log_std) = random_lqr(k), random_policy(k)
    best, noisy = problem.optimum(GAMMA), problem.optimum(GAMMA, log_std)
    np.testing.assert_array_equal(best.gain, noisy.gain)
    assert noisy.objective < best.objective
    np.testing.assert_allclose(noisy.objective, problem.evaluate(best.gain, log_std, GAMMA).objective, rtol=1e-11)
    np.testing.assert_allclose(best.objective, problem.evaluate(best.gain, None, GAMMA).objective, rtol=1e-11)
    gradient = problem.gradient(best.gain, log_std, GAMMA)[: problem.B.size]
    other = problem.gradient(random_policy(k)[0], log_std, GAMMA)[: problem.B.size]
    assert np.abs(gradient).max() < 1e-8 * np.abs(other).max()


@ALL
@HORIZONS
def test_evaluation_is_that_of_the_reference(k, horizon):
    problem, system, policy = random_lqr(k, horizon), random_matrices(k), random_policy(k)
    evaluation, steps = problem.evaluate(*policy, GAMMA), steps_of(horizon)
    np.testing.assert_allclose(evaluation.objective, twin.lqr_objective(system, *policy, GAMMA, steps), rtol=1e-10)
    discounts = GAMMA ** np.arange(steps)
    moments = twin.lqr_second_moments(system, *policy, steps)
    expected = np.einsum("h,hij->ij", discounts, moments)
    np.testing.assert_allclose(evaluation.second_moment, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())
    assert evaluation.effective_horizon == pytest.approx(discounts.sum(), rel=1e-12)
    assert evaluation.residual < 1e-11


@ALL
@HORIZONS
def test_value_function_satisfies_its_equation_at_any_state(k, horizon):
    """V(x) = E[r + gamma V'(x')] at random x, with the moments of x' written out."""
    problem, (gain, log_std) = random_lqr(k, horizon), random_policy(k)
    evaluation, x = problem.evaluate(gain, log_std, GAMMA), np.random.default_rng(k).standard_normal(problem.A.shape[0])
    values = evaluation.value_matrix if horizon else evaluation.value_matrix[None]
    constants = np.atleast_1d(evaluation.constant)
    spread = np.diag(np.exp(2.0 * log_std))
    mean, noise = (problem.A - problem.B @ gain) @ x, problem.noise + problem.B @ spread @ problem.B.T
    cost = x @ (problem.Q + gain.T @ problem.R @ gain) @ x + np.trace(problem.R @ spread)
    for h in range(values.shape[0]):
        after, constant = (values[h], constants[h]) if horizon is None else (np.zeros_like(values[0]), 0.0)
        if horizon and h + 1 < horizon:
            after, constant = values[h + 1], constants[h + 1]
        then = mean @ after @ mean + np.trace(after @ noise) + constant
        np.testing.assert_allclose(x @ values[h] @ x + constants[h], cost + GAMMA * then, rtol=1e-10)


@ALL
@HORIZONS
def test_gradient_is_that_of_the_reference_and_of_differences(k, horizon):
    problem, policy, steps = random_lqr(k, horizon), random_policy(k), min(steps_of(horizon), 300)
    gradient = problem.gradient(*policy, GAMMA)
    scale = np.abs(gradient).max()
    expected = twin.lqr_gradient(random_matrices(k), *policy, GAMMA, steps)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-9 * scale)
    theta, width, differences = problem.to_theta(*policy), 1e-5, []
    for unit in np.eye(theta.size):
        ends = [
            problem.evaluate(*problem.from_theta(theta + sign * width * unit), GAMMA).objective for sign in (1.0, -1.0)
        ]
        differences.append((ends[0] - ends[1]) / (2.0 * width))
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-6 * scale)


@ALL
@HORIZONS
def test_natural_gradient_is_the_pseudo_inverse_times_the_gradient(k, horizon):
    problem, policy = random_lqr(k, horizon), random_policy(k)
    fisher = problem.fisher(*policy, GAMMA)
    expected = twin.lqr_fisher_matrix(random_matrices(k), *policy, GAMMA, steps_of(horizon))
    np.testing.assert_allclose(fisher, expected, rtol=1e-9, atol=1e-10 * np.abs(fisher).max())
    np.testing.assert_array_equal(fisher, fisher.T)
    natural = problem.natural_gradient(*policy, GAMMA)
    np.testing.assert_allclose(
        natural,
        np.linalg.pinv(fisher, rcond=1e-13) @ problem.gradient(*policy, GAMMA),
        rtol=1e-6,
        atol=1e-7 * np.abs(natural).max(),
    )


def test_natural_gradient_leaves_alone_what_is_never_visited():
    """A start on a line that the system keeps, with actions along it: F is singular."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    A, line = turn @ np.diag([0.9, 0.5, 0.8]) @ turn.T, turn[:, :1]
    for horizon in (None, 4):
        problem = LQR(A, line, np.eye(3), [[1.0]], None, horizon, initial_covariance=line @ line.T)
        gain, log_std = 0.2 * line.T, np.array([-0.5])
        fisher, natural = problem.fisher(gain, log_std, GAMMA), problem.natural_gradient(gain, log_std, GAMMA)
        assert np.linalg.matrix_rank(fisher, tol=1e-10) == 2
        pseudo = np.linalg.pinv(fisher, rcond=1e-10)
        np.testing.assert_allclose(natural, pseudo @ problem.gradient(gain, log_std, GAMMA), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(turn[:, 1:].T @ natural[:3], 0.0, atol=1e-12)


def test_natural_gradient_does_not_depend_on_units():
    """States measured in units of 1e-9: K moves in its own unit, and nothing counts as not visited."""
    A, B, Q, R = np.array([[0.9, 0.3], [0.1, 0.8]]), np.array([[1.0], [0.5]]), np.eye(2), np.eye(1)
    units = np.diag([1.0, 1e-9])
    back = np.linalg.inv(units)
    for horizon in (None, 3):
        plain = LQR(A, B, Q, R, horizon=horizon)
        scaled = LQR(units @ A @ back, units @ B, back @ Q @ back, R, horizon=horizon, initial_covariance=units**2)
        gain, log_std = np.array([[0.2, 0.1]]), np.array([0.0])
        expected = plain.natural_gradient(gain, log_std, GAMMA)
        natural = scaled.natural_gradient(gain @ back, log_std, GAMMA)
        np.testing.assert_allclose(natural * [1.0, 1e-9, 1.0], expected, rtol=1e-9)


@pytest.mark.parametrize("k", [0, 4, 8, 17])
@HORIZONS
def test_objective_is_that_of_a_simulation(k, horizon):
    problem, (gain, log_std) = random_lqr(k, horizon), random_policy(k, 0.05)
    rng, n_episodes, steps = np.random.default_rng(7), 20_000, 200 if horizon is None else horizon
    _, parameters, _, _ = problem._native
    n, m = problem.B.shape
    offset = 2 + n * n + n * m + n * n + m * m
    noise = parameters[offset : offset + n * n].reshape(n, n)
    start = parameters[offset + n * n + n :].reshape(n, n)
    x = problem.initial_mean + rng.standard_normal((n_episodes, n)) @ start.T
    returns = np.zeros(n_episodes)
    for t in range(steps):
        u = -x @ gain.T + np.exp(log_std) * rng.standard_normal((n_episodes, m))
        returns -= GAMMA**t * (((x @ problem.Q) * x).sum(axis=1) + ((u @ problem.R) * u).sum(axis=1))
        x = x @ problem.A.T + u @ problem.B.T + rng.standard_normal((n_episodes, n)) @ noise.T
    error = returns.mean() - problem.evaluate(gain, log_std, GAMMA).objective
    assert abs(error) <= 4.5 * returns.std() / np.sqrt(n_episodes)


def test_best_stationary_gain_of_a_short_horizon_is_not_that_of_riccati():
    riccati = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]]).optimal_gain(0.95)[0, 0]

    def best_stationary(horizon):
        problem = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], horizon=horizon)
        gain = brentq(lambda k: problem.gradient([[k]], [0.0], 0.95)[0], 0.0, 1.0, xtol=1e-14)
        costs = [-problem.evaluate([[k]], [0.0], 0.95).objective for k in (gain, riccati)]
        assert -problem.optimum(0.95, [0.0]).objective < costs[0] < costs[1]
        return gain

    assert best_stationary(5) / riccati == pytest.approx(1.0 - 0.109, abs=5e-4)
    assert best_stationary(50) / riccati == pytest.approx(1.0, abs=0.01)


@ALL
def test_a_long_horizon_is_no_horizon(k):
    problem, policy = random_lqr(k, ENOUGH), random_policy(k)
    endless = random_lqr(k)
    np.testing.assert_allclose(problem.optimal_gain(GAMMA)[0], endless.optimal_gain(GAMMA), rtol=1e-9, atol=1e-10)
    for name in ("gradient", "fisher", "natural_gradient"):
        long, short = (getattr(p, name)(*policy, GAMMA) for p in (problem, endless))
        np.testing.assert_allclose(long, short, rtol=1e-7, atol=1e-8 * np.abs(short).max(), err_msg=name)


@pytest.mark.parametrize("size", [30, 256])
def test_large_systems_are_solved(size):
    rng = np.random.default_rng(size)
    A = rng.standard_normal((size, size)) * 1.1 / np.sqrt(size)
    problem = LQR(A, rng.standard_normal((size, 5)), np.eye(size), np.eye(5), noise=np.eye(size))
    best = problem.optimum(0.95, np.zeros(5))
    assert best.residual < 1e-12
    assert problem.evaluate(best.gain, np.zeros(5), 0.95).objective == pytest.approx(best.objective, rel=1e-9)


def test_hard_systems_are_solved_or_refused():
    almost = LQR([[1.0]], [[1e-4]], [[1.0]], [[1.0]])
    assert almost.optimum(1.0).residual < 1e-9
    cheap = LQR([[3.0, 1.0], [0.0, 2.0]], [[0.0], [1.0]], np.eye(2), [[1e-10]])
    assert cheap.optimum(0.99).residual < 1e-9
    weak = LQR(np.diag([0.5, 3.0]), np.eye(2), np.diag([1.0, 1e-20]), np.eye(2))
    np.testing.assert_allclose(weak.optimum(1.0).value_matrix[1, 1], 8.0, rtol=1e-9)
    with pytest.raises(ValueError, match="no gain has a finite cost"):
        LQR([[1.1, 0.0], [0.0, 0.5]], [[0.0], [1.0]], np.eye(2), [[1.0]]).optimal_gain(1.0)
    with pytest.raises(ValueError, match="no gain has a finite cost"):
        LQR([[1.0]], [[0.0]], [[1.0]], [[1.0]]).optimal_gain(1.0)
    assert LQR([[1.1]], [[0.0]], [[1.0]], [[1.0]]).optimal_gain(0.8) == 0.0
    with pytest.raises(ValueError, match=r"an unstable mode costs nothing.* spectral radius 2, .*=1\.05409"):
        LQR([[2.0]], [[1.0]], [[0.0]], [[1.0]]).optimum(0.9)


def test_unstable_gains_are_refused_and_named():
    problem, policy = LQR([[2.0]], [[1.0]], [[1.0]], [[1.0]]), ([[0.5]], [0.0])
    for method in (problem.evaluate, problem.gradient, problem.fisher, problem.natural_gradient):
        with pytest.raises(ValueError, match=r"gain: A - B K has spectral radius 1\.5, expected less than .*=1\.05409"):
            method(*policy, 0.9)
        assert method(*policy, 0.4) is not None
    finite = LQR([[2.0]], [[1.0]], [[1.0]], [[1.0]], horizon=20)
    assert finite.evaluate(*policy, 1.0).objective < -1e6
    endless = LQR([[1e20]], [[1.0]], [[1.0]], [[1.0]], horizon=20)
    with pytest.raises(ValueError, match="horizon=20: the values over so many steps exceed"):
        endless.gradient(*policy, 1.0)


def test_without_discount_only_what_makes_no_noise_has_a_value():
    quiet = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    assert quiet.optimum(1.0).objective == pytest.approx(-golden, rel=1e-12)
    assert quiet.evaluate([[0.5]], None, 1.0).objective == pytest.approx(-1.25 / 0.75, rel=1e-12)
    assert quiet.evaluate([[0.5]], None, 1.0).effective_horizon == np.inf
    with pytest.raises(ValueError, match="log_std: noise costs without end at gamma=1"):
        quiet.gradient([[0.5]], [0.0], 1.0)
    noisy = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], noise=[[1.0]])
    assert noisy.optimal_gain(1.0) == pytest.approx(golden - 1.0)
    with pytest.raises(ValueError, match="noise: noise costs without end at gamma=1"):
        noisy.optimum(1.0)


@ALL
def test_a_policy_iteration_is_a_gauss_newton_step_and_converges_quadratically(k):
    """K - H^-1 E is greedy for P_K (Hewer 1971), and off by gamma H^-1 B^T (P_K - P_*) (A - B K_*): the gap is squared.

    The natural direction has E, and J* - J(K) = tr(Sigma_K (K - K_*)^T H_* (K - K_*)).
    """
    problem, (gain, log_std) = random_lqr(k), random_policy(k)
    best, B, gaps = problem.optimum(GAMMA, log_std), problem.B, []
    factor = 2.0 * np.exp(2.0 * log_std)[:, None] / (1.0 - GAMMA)
    curvature = problem.R + GAMMA * B.T @ best.value_matrix @ B
    for _ in range(6):
        evaluation = problem.evaluate(gain, log_std, GAMMA)
        gaps.append(best.objective - evaluation.objective)
        off = gain - best.gain
        expected = np.trace(evaluation.second_moment @ off.T @ curvature @ off)
        np.testing.assert_allclose(gaps[-1], expected, rtol=1e-7, atol=1e-12 * abs(evaluation.objective))
        error = problem.natural_gradient(gain, log_std, GAMMA)[: B.size].reshape(B.shape).T / factor
        current = problem.R + GAMMA * B.T @ evaluation.value_matrix @ B
        greedy = np.linalg.solve(current, GAMMA * B.T @ evaluation.value_matrix @ problem.A)
        gain = gain - np.linalg.solve(current, error)
        np.testing.assert_allclose(gain, greedy, rtol=1e-8, atol=1e-9)
        excess = evaluation.value_matrix - best.value_matrix
        predicted = GAMMA * np.linalg.solve(current, B.T @ excess @ (problem.A - B @ best.gain))
        np.testing.assert_allclose(greedy - best.gain, predicted, rtol=1e-7, atol=1e-9)
    assert gaps[-1] < 1e-11 * abs(best.objective)
    assert all(after <= before + 1e-11 * abs(best.objective) for before, after in pairwise(gaps))


def test_theta_is_row_major_with_minus_the_transposed_gain():
    problem = random_lqr(5)
    n, m = problem.B.shape
    gain, log_std = np.arange(float(n * m)).reshape(m, n), np.arange(float(m))
    theta = problem.to_theta(gain, log_std)
    np.testing.assert_array_equal(theta[: n * m].reshape(n, m), -gain.T)
    np.testing.assert_array_equal(theta[n * m :], log_std)
    for found, given in zip(problem.from_theta(theta), (gain, log_std), strict=True):
        np.testing.assert_array_equal(found, given)


@ALL
def test_what_the_simulator_gets(k):
    problem = LQR(*random_matrices(k)[:5], horizon=9, initial_mean=random_matrices(k)[5], time_limit=4)
    kind, parameters, time_limit, horizon = problem._native
    assert (kind, time_limit, horizon) == (5, 4, 9)
    n, m = problem.B.shape
    assert tuple(parameters[:2]) == (n, m)
    parts = np.split(parameters[2:], np.cumsum([n * n, n * m, n * n, m * m, n * n, n]))
    for part, matrix in zip(parts[:4], (problem.A, problem.B, problem.Q, problem.R), strict=True):
        np.testing.assert_array_equal(part, matrix.ravel())
    np.testing.assert_array_equal(parts[5], problem.initial_mean)
    for part, covariance in ((parts[4], problem.noise), (parts[6], problem.initial_covariance)):
        factor = part.reshape(n, n)
        assert not np.triu(factor, 1).any()
        np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-13 * max(1.0, np.abs(covariance).max()))


def test_it_is_an_immutable_value():
    problem = random_lqr(3, horizon=4)
    with pytest.raises(ValueError, match="read-only"):
        problem.A[0, 0] = 1.0
    given = np.eye(2)
    kept = LQR(given, np.ones((2, 1)), given, [[1.0]])
    given[0, 0] = 5.0
    assert kept.A[0, 0] == kept.Q[0, 0] == 1.0
    for twin_value in (pickle.loads(pickle.dumps(problem)), copy.deepcopy(problem)):
        np.testing.assert_array_equal(twin_value._native[1], problem._native[1])
        assert twin_value._native[2:] == problem._native[2:]
        assert not twin_value.Q.flags.writeable
    assert (problem.observation_size, problem.n_actions, problem.action_size) == (*problem.A.shape[:1], 0, 1)
    assert np.isinf(problem.action_high).all()


GOOD = {"A": np.eye(2), "B": np.ones((2, 1)), "Q": np.eye(2), "R": np.eye(1)}
BAD = [
    ("A", np.ones((2, 3)), ValueError, "A: expected 2-d shape (2, 2), got 2-d shape (2, 3)"),
    ("A", np.eye(257), ValueError, "A: 257 states, allowed at most 256"),
    ("A", [[np.nan, 0.0], [0.0, 1.0]], ValueError, "A[0, 0]=nan is not finite"),
    ("A", [[1j, 0.0], [0.0, 1.0]], TypeError, "A: expected an array of real numbers, got dtype complex128"),
    ("B", np.ones((3, 1)), ValueError, "B: expected 2-d shape (2, any >= 1) to match A with n=2, got 2-d shape (3, 1)"),
    ("B", np.ones(2), ValueError, "B: expected 2-d"),
    ("Q", np.eye(3), ValueError, "Q: expected 2-d shape (2, 2) to match A with n=2"),
    ("Q", [[1.0, 0.5], [0.0, 1.0]], ValueError, "Q[0, 1]=0.5 and Q[1, 0]=0.0: expected a symmetric matrix"),
    ("Q", np.diag([1.0, -0.5]), ValueError, "Q: smallest eigenvalue -0.5, expected a positive semidefinite matrix"),
    ("R", [[0.0]], ValueError, "R: smallest eigenvalue 0, expected a positive definite matrix"),
    ("R", np.eye(2), ValueError, "R: expected 2-d shape (1, 1) to match B with m=1"),
    ("noise", -np.eye(2), ValueError, "noise: smallest eigenvalue -1, expected a positive semidefinite matrix"),
    ("initial_mean", np.zeros(3), ValueError, "initial_mean: expected 1-d shape (2,)"),
    ("initial_covariance", [[1.0, 2.0], [2.0, 1.0]], ValueError, "initial_covariance: smallest eigenvalue -1"),
    ("horizon", 0, ValueError, "horizon=0 outside [1, 2147483647]"),
    ("horizon", 5.0, TypeError, "horizon: expected an integer, got float 5.0"),
    ("time_limit", -1, ValueError, "time_limit=-1 outside"),
]


@pytest.mark.parametrize(("name", "value", "error", "message"), BAD, ids=[f"{n}{i}" for i, (n, *_) in enumerate(BAD)])
def test_bad_systems_are_named(name, value, error, message):
    with pytest.raises(error, match=re.escape(message)):
        LQR(**{**GOOD, name: value})


def test_bad_policies_are_named():
    problem = LQR(**GOOD)
    with pytest.raises(ValueError, match=re.escape("gain: expected 2-d shape (1, 2) to match B with n=2 and m=1")):
        problem.evaluate(np.ones((2, 1)), [0.0], 0.9)
    with pytest.raises(ValueError, match=re.escape("log_std: expected 1-d shape (1,)")):
        problem.evaluate([[0.5, 0.5]], [0.0, 0.0], 0.9)
    with pytest.raises(ValueError, match=re.escape("log_std[0]=400.0 outside [-300, 300]")):
        problem.gradient([[0.5, 0.5]], [400.0], 0.9)
    with pytest.raises(TypeError, match="log_std"):
        problem.gradient([[0.5, 0.5]], None, 0.9)
    for gamma in (0.0, 1.5):
        with pytest.raises(ValueError, match=re.escape("outside (0, 1]")):
            problem.optimal_gain(gamma)
    with pytest.raises(ValueError, match=re.escape("theta: expected 1-d shape (3,) for n=2 and m=1")):
        problem.from_theta([0.0])


def test_cost_of_a_singular_noise_is_that_of_its_directions():
    noise = np.outer([1.0, 2.0], [1.0, 2.0])
    problem = LQR(0.5 * np.eye(2), np.eye(2), np.eye(2), np.eye(2), noise, initial_covariance=np.zeros((2, 2)))
    best = problem.optimum(GAMMA)
    expected = GAMMA / (1.0 - GAMMA) * np.trace(best.value_matrix @ noise)
    assert best.objective == pytest.approx(-expected, rel=1e-12)
    assert np.linalg.matrix_rank(problem.evaluate(best.gain, None, GAMMA).second_moment, tol=1e-12) == 1
