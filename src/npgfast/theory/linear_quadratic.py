"""Linear-quadratic control: natural gradient steps contract the gap, and the gradient dominates it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.envs.lqr import LQR, LQREvaluation
from npgfast.theory.statements import UpperBound

__all__ = ["LQRRateBound", "lqr_gradient_domination", "lqr_npg_rate_bound"]

FloatArray = NDArray[np.float64]

_ROUNDING = 1e-12
_SINGULAR = 1e-13


@dataclass(frozen=True, eq=False)
class LQRRateBound(UpperBound):
    """Gaps of a run and their bound: `actual` and `bound` have shape (T,), entry t after t + 1 updates.

    Attributes
    ----------
    gain : ndarray, shape (m, n)
        The last iterate.
    step_size : float
        eta, the package's own: theta moves by eta F^+ grad J.
    contraction : float
        Factor in [0, 1) by which the bound falls with each update.
    """

    gain: FloatArray
    step_size: float
    contraction: float


@dataclass(frozen=True, eq=False)
class _Noisy:
    """A discounted problem with the noise of a policy, and its optimum."""

    lqr: LQR
    log_std: FloatArray
    gamma: float
    gain: FloatArray
    evaluation: LQREvaluation

    def curvature(self, evaluation: LQREvaluation) -> FloatArray:
        """H = R + gamma B^T P B."""
        B = self.lqr.B
        return self.lqr.R + self.gamma * B.T @ evaluation.value_matrix @ B

    def entering(self) -> FloatArray:
        """E[x_0 x_0^T] and the discounted noise: what every Sigma_K is at least."""
        lqr, length = self.lqr, self.evaluation.effective_horizon
        noise = lqr.noise + (lqr.B * np.exp(2.0 * self.log_std)) @ lqr.B.T
        start = lqr.initial_covariance + np.outer(lqr.initial_mean, lqr.initial_mean)
        return start + self.gamma * length * noise

    def gap(self, evaluation: LQREvaluation) -> float:
        return self.evaluation.objective - evaluation.objective


def _noisy(lqr: object, log_std: ArrayLike, gamma: float) -> _Noisy:
    if not isinstance(lqr, LQR):
        msg = f"lqr: expected an LQR, got {type(lqr).__name__}"
        raise TypeError(msg)
    if lqr.horizon is not None:
        msg = f"lqr: horizon={lqr.horizon}, expected None; with a horizon the best stationary gain has no closed form"
        raise ValueError(msg)
    gamma = _validate.real("gamma", gamma, low=0.0, high=1.0, low_open=True, high_open=True)
    deviations = _validate.real_array("log_std", log_std, (lqr.action_size,))
    gain = lqr.optimal_gain(gamma)
    return _Noisy(lqr, deviations, gamma, gain, lqr.evaluate(gain, deviations, gamma))


def lqr_npg_rate_bound(
    lqr: LQR,
    gain: ArrayLike,
    log_std: ArrayLike,
    gamma: float,
    n_iterations: int,
    *,
    step_size: float | None = None,
) -> LQRRateBound:
    """Run exact NPG on the gain, sigma fixed, and bound its gap, J* - J_T <= (1 - beta lambda)^T (J* - J_0).

    lambda is the smallest eigenvalue of 2 eta L sigma H_* sigma, H_* = R + gamma B^T P_* B; beta is the largest number
    with E[x_0 x_0^T] + gamma L (noise + B sigma^2 B^T) >= beta Sigma_*. J* is the best objective with this sigma.

    Parameters
    ----------
    lqr : LQR
        Without a horizon.
    gain : array_like, shape (m, n)
        K_0, with gamma rho(A - B K_0)^2 < 1.
    log_std : array_like, shape (m,)
        log sigma; held fixed.
    gamma : float
        Discount in (0, 1).
    n_iterations : int
        T.
    step_size : float, optional
        eta, at most 1 / lambda_max(2 L sigma H_0 sigma) with the H of K_0; that one if None.

    Returns
    -------
    LQRRateBound
        In reward.

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, a gain that is not stable, a step_size out of range; where start and noise leave out
        a direction of the state, for which there is no rate.

    Notes
    -----
    The step is K' = K - D E_K with D = 2 eta L diag(sigma^2). The cost of K' less that of K is tr(Sigma_K' X) with
    X = E^T (D H D - 2 D) E, whatever the start, and H <= D^{-1} makes X <= -E^T D E. So P_K falls, hence H too, and
    the next step is short enough as well; with Q positive definite P_K also shows K' to be stable. The cost falls by
    tr(Sigma_K' E^T D E) >= beta tr(Sigma_* E^T D E) >= beta lambda tr(Sigma_* E^T H^{-1} E), and the last trace is at
    least the gap (`lqr_gradient_domination`). In norms, as in the paper, D = 2 c I gives the factor
    1 - 2 c mu sigma_min(R) / |Sigma_*|, which is weaker: H_* >= R and beta >= mu / |Sigma_*|, where mu is the smallest
    eigenvalue of what enters. The paper's problem, without discount and noise, is that of sqrt(gamma) A,
    sqrt(gamma) B and a start whose second moment is what enters.

    References
    ----------
    M. Fazel, R. Ge, S. M. Kakade, M. Mesbahi, "Global convergence of policy gradient methods for the linear quadratic
    regulator", ICML 2018, arXiv:1801.05039, theorem 7 (natural policy gradient).

    Examples
    --------
    >>> from npgfast import envs, theory
    >>> lqr = envs.LQR([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], [[1.0, 0.0], [0.0, 0.1]], [[0.1]])
    >>> theory.lqr_npg_rate_bound(lqr, [[1.0, 1.0]], [0.0], 0.9, 20).holds
    True
    """
    problem = _noisy(lqr, log_std, gamma)
    n_iterations = _validate.integer("n_iterations", n_iterations, low=1)
    current = lqr.evaluate(gain, problem.log_std, gamma)
    spread = np.exp(problem.log_std)
    unit = 2.0 * current.effective_horizon * np.outer(spread, spread)
    largest = 1.0 / float(np.linalg.eigvalsh(unit * problem.curvature(current))[-1])
    eta = largest if step_size is None else _validate.real("step_size", step_size, low=0.0, low_open=True)
    if eta > largest * (1.0 + _ROUNDING):
        msg = f"step_size={eta} outside (0, {largest}], beyond which the statement is silent"
        raise ValueError(msg)
    slowest = eta * float(np.linalg.eigvalsh(unit * problem.curvature(problem.evaluation))[0])
    contraction = max(0.0, 1.0 - _share_entering(problem) * slowest)
    first, gaps = problem.gap(current), []
    theta, frozen = lqr.to_theta(gain, problem.log_std), np.ones(lqr.B.size + lqr.action_size)
    frozen[lqr.B.size :] = 0.0
    for _ in range(n_iterations):
        direction = lqr.natural_gradient(lqr.from_theta(theta)[0], problem.log_std, gamma)
        theta = theta + eta * frozen * direction
        gaps.append(problem.gap(lqr.evaluate(lqr.from_theta(theta)[0], problem.log_std, gamma)))
    bounds: FloatArray = first * np.power(contraction, np.arange(1, n_iterations + 1))
    slack = _ROUNDING * abs(current.objective)
    return LQRRateBound(np.array(gaps), bounds, slack, lqr.from_theta(theta)[0], eta, contraction)


def lqr_gradient_domination(lqr: LQR, gain: ArrayLike, log_std: ArrayLike, gamma: float) -> UpperBound:
    """Bound the gap of a gain by its gradient from both sides.

    tr(S E^T H^{-1} E) <= J* - J(K) <= tr(Sigma_* E^T H^{-1} E), with E = E_K of which the gradient is -2 E_K Sigma_K,
    H = R + gamma B^T P_K B and S = E[x_0 x_0^T] + gamma L (noise + B sigma^2 B^T): a gain without gradient is optimal.

    Parameters
    ----------
    lqr : LQR
        Without a horizon.
    gain : array_like, shape (m, n)
        K, with gamma rho(A - B K)^2 < 1.
    log_std : array_like, shape (m,)
        log sigma; J* is the best objective with this sigma.
    gamma : float
        Discount in (0, 1).

    Returns
    -------
    UpperBound
        In reward; `actual` is (lower bound, gap) and `bound` (gap, upper bound).

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, a gain that is not stable.

    References
    ----------
    M. Fazel, R. Ge, S. M. Kakade, M. Mesbahi, ICML 2018, arXiv:1801.05039, section 3 (gradient domination), before
    the norms are taken.

    Examples
    --------
    >>> from npgfast import envs, theory
    >>> lqr = envs.LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
    >>> theory.lqr_gradient_domination(lqr, [[0.2]], [0.0], 0.9).holds
    True
    """
    problem = _noisy(lqr, log_std, gamma)
    current = lqr.evaluate(gain, problem.log_std, gamma)
    K, curvature = lqr.from_theta(lqr.to_theta(gain, problem.log_std))[0], problem.curvature(current)
    error = curvature @ K - gamma * lqr.B.T @ current.value_matrix @ lqr.A
    weight = error.T @ np.linalg.solve(curvature, error)
    gap = problem.gap(current)
    lower, upper = (float(np.vdot(moment, weight)) for moment in (problem.entering(), problem.evaluation.second_moment))
    return UpperBound(np.array([lower, gap]), np.array([gap, upper]), _ROUNDING * abs(current.objective))


def _share_entering(problem: _Noisy) -> float:
    """The largest beta with entering >= beta Sigma_*."""
    entering, total = problem.entering(), problem.evaluation.second_moment
    scale = np.sqrt(np.diag(total))
    if scale.all():
        units = np.outer(scale, scale)
        eigenvalues, vectors = np.linalg.eigh(total / units)
        if eigenvalues[0] > _SINGULAR:
            whitening = vectors / np.sqrt(eigenvalues)
            share = float(np.linalg.eigvalsh(whitening.T @ (entering / units) @ whitening)[0])
            if share > _SINGULAR:
                return min(share, 1.0)
    msg = "lqr: start and noise leave out a direction of the state, so that the statement has no rate"
    raise ValueError(msg)
