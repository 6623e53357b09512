"""Statement 18: natural gradients on linear-quadratic control, on random systems, with negative controls."""

import numpy as np
import pytest

import npgfast as nf
from npgfast import theory
from npgfast.envs.lqr import LQR

pytestmark = pytest.mark.isa_independent

N_SYSTEMS = 60
N_ITERATIONS = 15
ALL = pytest.mark.parametrize("k", range(N_SYSTEMS))


def random_case(k):
    """A system, a stable gain, log_std and gamma."""
    rng = np.random.default_rng(k)
    n, m = 1 + k % 4, 1 + k % 3
    A = rng.standard_normal((n, n))
    A *= rng.uniform(0.3, 1.4) / np.abs(np.linalg.eigvals(A)).max()
    Q, R = rng.standard_normal((n, n)), rng.standard_normal((m, m))
    noise = 0.3 * rng.standard_normal((n, max(1, n - 1)))
    lqr = LQR(
        A,
        rng.standard_normal((n, m)),
        Q @ Q.T + 1e-3 * np.eye(n),
        (R @ R.T + 0.05 * np.eye(m)) * 10.0 ** rng.uniform(-1.0, 1.0),
        noise @ noise.T,
        initial_mean=rng.standard_normal(n),
        initial_covariance=rng.uniform(0.01, 1.0) * np.eye(n),
    )
    gamma, log_std = rng.uniform(0.5, 0.98), rng.uniform(-1.0, 0.5, m)
    best = lqr.optimal_gain(gamma)
    gain = best + 2.0 * rng.standard_normal((m, n))
    while np.abs(np.linalg.eigvals(A - lqr.B @ gain)).max() * np.sqrt(gamma) > 0.97:
        gain = (gain + best) / 2.0
    return lqr, gain, log_std, gamma


def eigenvalues(lqr, log_std, gamma, step_size):
    """Of 2 eta L sigma H_* sigma, by which a step shortens the distance to the Riccati gain."""
    spread, P = np.diag(np.exp(log_std)), lqr.optimum(gamma).value_matrix
    curvature = lqr.R + gamma * lqr.B.T @ P @ lqr.B
    return np.linalg.eigvalsh(2.0 * step_size / (1.0 - gamma) * spread @ curvature @ spread)


def run(lqr, gain, log_std, gamma, step_size, n_iterations):
    """Gains and gaps of NPG with log_std fixed, by the package's step."""
    best, gaps, gains = lqr.optimum(gamma, log_std).objective, [], [np.array(gain)]
    for _ in range(n_iterations):
        direction = lqr.natural_gradient(gains[-1], log_std, gamma)[: lqr.B.size]
        gains.append(gains[-1] - step_size * direction.reshape(lqr.B.shape).T)
        gaps.append(best - lqr.evaluate(gains[-1], log_std, gamma).objective)
    return gains, np.array(gaps)


@ALL
def test_npg_converges_at_the_predicted_rate(k):
    case = random_case(k)
    full = theory.lqr_npg_rate_bound(*case, N_ITERATIONS)
    for share in (1.0, 0.3, 0.01):
        check = theory.lqr_npg_rate_bound(*case, N_ITERATIONS, step_size=share * full.step_size)
        assert check.holds, (k, share, check.margin)
        assert 0.0 <= check.contraction < 1.0
        assert (np.diff(check.actual) <= check.slack).all()
        gains, gaps = run(*case, check.step_size, N_ITERATIONS)
        np.testing.assert_allclose(check.actual, gaps, rtol=1e-9, atol=check.slack)
        np.testing.assert_allclose(check.gain, gains[-1], rtol=1e-9, atol=1e-12)


def test_npg_converges_to_the_gain_of_riccati():
    """Wherever the rate is fast enough to see it."""
    seen = 0
    for k in range(N_SYSTEMS):
        lqr, gain, log_std, gamma = random_case(k)
        step_size = theory.lqr_npg_rate_bound(lqr, gain, log_std, gamma, 1).step_size
        slowest = eigenvalues(lqr, log_std, gamma, step_size)[0]
        if slowest > 0.05:
            gains, gaps = run(lqr, gain, log_std, gamma, step_size, int(30.0 / slowest) + 50)
            np.testing.assert_allclose(gains[-1], lqr.optimal_gain(gamma), rtol=1e-6, atol=1e-7)
            assert gaps[-1] < 1e-11 * abs(lqr.optimum(gamma, log_std).objective)
            seen += 1
    assert seen > 20


@ALL
def test_close_to_the_optimum_the_rate_is_exact(k):
    """K' - K_* = (I - 2 eta L sigma^2 H_*) (K - K_*) to first order."""
    lqr, gain, log_std, gamma = random_case(k)
    step_size = theory.lqr_npg_rate_bound(lqr, gain, log_std, gamma, 1).step_size
    best, curvature = lqr.optimal_gain(gamma), lqr.R + gamma * lqr.B.T @ lqr.optimum(gamma).value_matrix @ lqr.B
    off = 1e-6 * np.random.default_rng(k).standard_normal(best.shape)
    moved = run(lqr, best + off, log_std, gamma, step_size, 1)[0][1]
    matrix = np.eye(len(log_std)) - 2.0 * step_size / (1.0 - gamma) * np.exp(2.0 * log_std)[:, None] * curvature
    np.testing.assert_allclose(moved - best, matrix @ off, rtol=1e-3, atol=1e-4 * np.abs(off).max())


@ALL
def test_npg_rate_implies_the_one_with_norms(k):
    """1 - 2 eta mu sigma_min(R) / |Sigma_*| where K' = K - 2 eta E: for sigma = 1 and eta = step_size L."""
    lqr, gain, log_std, gamma = random_case(k)
    log_std = np.zeros_like(log_std)
    check = theory.lqr_npg_rate_bound(lqr, gain, log_std, gamma, N_ITERATIONS)
    entering = lqr.initial_covariance + np.outer(lqr.initial_mean, lqr.initial_mean)
    entering = entering + gamma / (1.0 - gamma) * (lqr.noise + lqr.B @ lqr.B.T)
    total = lqr.evaluate(lqr.optimal_gain(gamma), log_std, gamma).second_moment
    share = np.linalg.eigvalsh(entering)[0] / np.linalg.norm(total, 2)
    printed = 1.0 - 2.0 * check.step_size / (1.0 - gamma) * share * np.linalg.eigvalsh(lqr.R)[0]
    assert check.contraction <= printed < 1.0


@ALL
def test_the_gradient_dominates_the_gap(k):
    lqr, gain, log_std, gamma = random_case(k)
    check = theory.lqr_gradient_domination(lqr, gain, log_std, gamma)
    assert check.holds, (k, check.actual, check.bound)
    assert check.actual[1] == check.bound[0] > 0.0
    at_best = theory.lqr_gradient_domination(lqr, lqr.optimal_gain(gamma), log_std, gamma)
    assert at_best.holds
    assert at_best.bound[1] <= 1e-9 * check.bound[1]


def test_npg_rate_needs_each_of_its_factors():
    """The bound fails without beta, with the largest eigenvalue for the smallest, four times as fast, or without L."""
    without_beta, largest, faster, without_length = 0, 0, 0, 0
    counts = np.arange(1, N_ITERATIONS + 1)
    for k in range(4 * N_SYSTEMS):
        lqr, gain, log_std, gamma = random_case(k)
        check = theory.lqr_npg_rate_bound(lqr, gain, log_std, gamma, N_ITERATIONS)
        first = lqr.optimum(gamma, log_std).objective - lqr.evaluate(gain, log_std, gamma).objective
        rates = eigenvalues(lqr, log_std, gamma, check.step_size)
        beta = (1.0 - check.contraction) / rates[0]

        def fails(rate, actual=check.actual, first=first, slack=check.slack):
            return bool((actual > first * np.maximum(0.0, 1.0 - rate) ** counts + slack).any())

        assert not fails(beta * rates[0])
        without_beta += fails(rates[0])
        largest += fails(beta * rates[-1])
        faster += fails(4.0 * beta * rates[0])
        if k < N_SYSTEMS:
            shorter = run(lqr, gain, log_std, gamma, check.step_size * (1.0 - gamma), N_ITERATIONS)[1]
            without_length += fails(beta * rates[0], shorter)
    assert without_beta > 1
    assert largest > 30
    assert faster > 20
    assert without_length > 3


def test_domination_needs_its_matrices():
    """Sigma_K for what enters, or what enters for Sigma_*, does not bound the gap."""
    lower, upper = 0, 0
    for k in range(N_SYSTEMS):
        lqr, gain, log_std, gamma = random_case(k)
        check = theory.lqr_gradient_domination(lqr, gain, log_std, gamma)
        evaluation = lqr.evaluate(gain, log_std, gamma)
        curvature = lqr.R + gamma * lqr.B.T @ evaluation.value_matrix @ lqr.B
        error = curvature @ gain - gamma * lqr.B.T @ evaluation.value_matrix @ lqr.A
        weight = error.T @ np.linalg.solve(curvature, error)
        lower += np.trace(evaluation.second_moment @ weight) > check.actual[1]
        upper += check.actual[0] < check.actual[1]
    assert lower > 20
    assert upper > 20


def test_steps_beyond_the_limit_can_lose():
    """With more than twice the step that is allowed the gain leaves the optimum, however close it starts."""
    lost = 0
    for k in range(N_SYSTEMS):
        lqr, _, log_std, gamma = random_case(k)
        best = lqr.optimal_gain(gamma)
        step_size = theory.lqr_npg_rate_bound(lqr, best, log_std, gamma, 1).step_size
        off = 1e-6 * np.random.default_rng(k).standard_normal(best.shape)
        gains, _ = run(lqr, best + off, log_std, gamma, 2.2 * step_size, 40)
        lost += np.linalg.norm(gains[-1] - best) > 100.0 * np.linalg.norm(off)
        with pytest.raises(ValueError, match="beyond which the statement is silent"):
            theory.lqr_npg_rate_bound(lqr, best, log_std, gamma, 1, step_size=1.01 * step_size)
    assert lost > N_SYSTEMS // 2


def test_wrong_arguments_are_named():
    lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
    for check in (theory.lqr_gradient_domination, lambda *args: theory.lqr_npg_rate_bound(*args, 5)):
        with pytest.raises(TypeError, match="lqr: expected an LQR, got TabularMDP"):
            check(nf.problems.two_state(gamma=0.9), [[0.5]], [0.0], 0.9)
        with pytest.raises(ValueError, match="lqr: horizon=5, expected None"):
            check(LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], horizon=5), [[0.5]], [0.0], 0.9)
        with pytest.raises(ValueError, match="gamma=1 outside"):
            check(lqr, [[0.5]], [0.0], 1.0)
        with pytest.raises(ValueError, match="gain: A - B K has spectral radius 2"):
            check(lqr, [[3.0]], [0.0], 0.9)
    with pytest.raises(ValueError, match="n_iterations=0"):
        theory.lqr_npg_rate_bound(lqr, [[0.5]], [0.0], 0.9, 0)
    still = LQR(np.diag([0.5, 0.9]), [[1.0], [0.0]], np.eye(2), [[1.0]], initial_covariance=np.diag([1.0, 0.0]))
    with pytest.raises(ValueError, match="leave out a direction of the state"):
        theory.lqr_npg_rate_bound(still, [[0.1, 0.0]], [0.0], 0.9, 5)
