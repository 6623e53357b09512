"""Linear-quadratic control: an environment whose optimum, gradient and natural gradient have closed forms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.envs.matrix_equations import lower_factor, range_basis, read_symmetric, riccati, sum_of_powers, symmetrised
from npgfast.envs.simulated import Simulated

__all__ = ["LQR", "LQREvaluation", "LQROptimum"]

FloatArray = NDArray[np.float64]

_MAX_STATES: Final = 256
_MAX_STEPS: Final = 2**31 - 1
_MAX_LOG_STD: Final = 300.0
_NEWTON_STEPS: Final = 2
_ACCURACY: Final = 1e-8


@dataclass(frozen=True, eq=False)
class LQREvaluation:
    """Exact values of the policy u ~ N(-K x, diag(sigma^2)); V(x) = -(x^T P x + c).

    Attributes
    ----------
    objective : float
        J = E[sum_t gamma^t r_t], in reward.
    value_matrix : ndarray, shape (n, n), or (H, n, n) with a horizon
        P_K.
    constant : ndarray, shape (), or (H,) with a horizon
        c, the cost of the noise of system and policy.
    second_moment : ndarray, shape (n, n)
        Sigma_K = sum_t gamma^t E[x_t x_t^T], not normalised.
    effective_horizon : float
        L = sum_t gamma^t, in steps.
    residual : float
        Relative distance of the objective computed from P_K and from Sigma_K.
    """

    objective: float
    value_matrix: FloatArray
    constant: FloatArray
    second_moment: FloatArray
    effective_horizon: float
    residual: float


@dataclass(frozen=True, eq=False)
class LQROptimum:
    """The best policy that the problem has, linear and, with a horizon, different at every step.

    Attributes
    ----------
    gain : ndarray, shape (m, n), or (H, m, n) with a horizon
        K*, the policy being u = -K* x plus the noise that was asked for.
    value_matrix : ndarray, shape (n, n), or (H, n, n) with a horizon
        P*, solving the Riccati equation; V*(x) = -(x^T P* x + c).
    constant : ndarray, shape (), or (H,) with a horizon
        c, the cost of the noise of system and policy.
    objective : float
        J*, in reward.
    residual : float
        Largest error in the Riccati equation, relative to the largest entry of P*; 0 with a horizon.
    """

    gain: FloatArray
    value_matrix: FloatArray
    constant: FloatArray
    objective: float
    residual: float


@dataclass(frozen=True, eq=False)
class _Path:
    """What a gain makes of time: T = H entries, or one that stands for all steps together without a horizon."""

    values: FloatArray  # P_h, (T, n, n)
    moments: FloatArray  # gamma^h E[x_h x_h^T], (T, n, n)
    errors: FloatArray  # E_h = (R + gamma B^T P_{h+1} B) K - gamma B^T P_{h+1} A, (T, m, n)
    curvatures: FloatArray  # R + gamma B^T P_{h+1} B, (T, m, m)
    discounts: FloatArray  # gamma^h, (T,)


@final
class LQR(Simulated):
    """The linear system x' = A x + B u + w with reward r = -(x^T Q x + u^T R u), observed fully, never ending.

    Immutable: arrays are read-only copies. Besides being an environment to sample from, it knows its optimum and, for
    the policy u ~ N(W^T x, diag(sigma^2)) with W = -K^T and sigma = exp(log_std), the exact objective, gradient, Fisher
    matrix and natural gradient in theta = [W.ravel(), log_std], where W is (n, m). With a horizon H the end is
    termination (value 0) and that policy is stationary. Every method costs O(n^3) operations times H, or times the
    logarithm of the time the system takes to settle.

    Parameters
    ----------
    A : array_like, shape (n, n)
        What the state becomes; n <= 256.
    B : array_like, shape (n, m)
        What an action does to the state.
    Q : array_like, shape (n, n)
        Cost of the state, in reward; symmetric positive semidefinite.
    R : array_like, shape (m, m)
        Cost of the action, in reward; symmetric positive definite.
    noise : array_like, shape (n, n), optional
        Covariance of w, which is Gaussian; symmetric positive semidefinite. No noise if None.
    horizon : int, optional
        Steps of the objective; None for no limit.
    initial_mean : array_like, shape (n,), optional
        Of the Gaussian first state; zeros if None.
    initial_covariance : array_like, shape (n, n), optional
        Of the first state; symmetric positive semidefinite. The identity if None.
    time_limit : int, optional
        Steps after which sampled episodes are truncated. It is no part of the objective.

    Attributes
    ----------
    A, B, Q, R, noise, initial_mean, initial_covariance : ndarray
    horizon, time_limit : int or None

    Raises
    ------
    TypeError, ValueError
        For arrays of wrong kinds, shapes or symmetry, entries that are not finite, a matrix that is not (semi)definite.

    References
    ----------
    M. Fazel, R. Ge, S. M. Kakade, M. Mesbahi, "Global convergence of policy gradient methods for the linear quadratic
    regulator", ICML 2018, arXiv:1801.05039.

    Examples
    --------
    >>> from npgfast.envs.lqr import LQR
    >>> lqr = LQR([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], Q=[[1.0, 0.0], [0.0, 0.1]], R=[[0.1]])
    >>> lqr.optimal_gain(0.99).round(3)
    array([[2.645, 2.556]])
    """

    name: ClassVar[str] = "LQR-v0"
    _kind: ClassVar[int] = 5

    A: FloatArray
    B: FloatArray
    Q: FloatArray
    R: FloatArray
    noise: FloatArray
    initial_mean: FloatArray
    initial_covariance: FloatArray

    def __init__(
        self,
        A: ArrayLike,
        B: ArrayLike,
        Q: ArrayLike,
        R: ArrayLike,
        noise: ArrayLike | None = None,
        horizon: int | None = None,
        *,
        initial_mean: ArrayLike | None = None,
        initial_covariance: ArrayLike | None = None,
        time_limit: int | None = None,
    ) -> None:
        n = _validate.real_array("A", A, (None, None)).shape[0]
        if n > _MAX_STATES:
            msg = f"A: {n} states, allowed at most {_MAX_STATES}"
            raise ValueError(msg)
        states = f"to match A with n={n}"
        transition = _validate.real_array("A", A, (n, n)).copy()
        control = _validate.real_array("B", B, (n, None), because=states).copy()
        m = control.shape[1]
        zeros, mean = np.zeros((n, n)), np.zeros(n)
        matrices = {
            "A": transition,
            "B": control,
            "Q": read_symmetric("Q", Q, n, states),
            "R": read_symmetric("R", R, m, f"to match B with m={m}", definite=True),
            "noise": zeros if noise is None else read_symmetric("noise", noise, n, states),
            "initial_mean": mean
            if initial_mean is None
            else _validate.real_array("initial_mean", initial_mean, (n,), because=states).copy(),
            "initial_covariance": np.eye(n)
            if initial_covariance is None
            else read_symmetric("initial_covariance", initial_covariance, n, states),
        }
        horizon = None if horizon is None else _validate.integer("horizon", horizon, low=1, high=_MAX_STEPS)
        time_limit = None if time_limit is None else _validate.integer("time_limit", time_limit, low=1, high=_MAX_STEPS)
        factors = {name: lower_factor(matrices[name]) for name in ("noise", "initial_covariance")}
        parameters = np.concatenate(
            [[float(n), float(m)], *(np.ravel(factors.get(name, matrix)) for name, matrix in matrices.items())]
        )
        for array in (*matrices.values(), parameters):
            array.setflags(write=False)
        vars(self).update(
            matrices,
            time_limit=time_limit,
            horizon=horizon,
            _native=(self._kind, parameters, time_limit or 0, horizon or 0),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        mean, covariance = self.initial_mean, self.initial_covariance
        return _restore, (
            *(self.A, self.B, self.Q, self.R, self.noise, self.horizon),
            *(mean, covariance, self.time_limit),
        )

    def to_theta(self, gain: ArrayLike, log_std: ArrayLike) -> FloatArray:
        """Write gain and log_std as the policy's parameters [W.ravel(), log_std], W = -K^T.

        Parameters
        ----------
        gain : array_like, shape (m, n)
        log_std : array_like, shape (m,)

        Returns
        -------
        ndarray, shape (n * m + m,)

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[0.5, 0.0], [0.0, 0.5]], [[1.0], [1.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0]])
        >>> lqr.to_theta([[1.0, 2.0]], [0.5])
        array([-1. , -2. ,  0.5])
        """
        K, log_std = self._read_gain(gain), self._read_log_std(log_std)
        return np.concatenate([-K.T.ravel(), log_std])

    def from_theta(self, theta: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Read gain (m, n) and log_std (m,) from a policy's parameters; the inverse of `to_theta`.

        Parameters
        ----------
        theta : array_like, shape (n * m + m,)

        Returns
        -------
        gain : ndarray, shape (m, n)
        log_std : ndarray, shape (m,)

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[0.5]], [[1.0]], [[1.0]], [[1.0]])
        >>> lqr.from_theta([-0.25, 0.5])
        (array([[0.25]]), array([0.5]))
        """
        n, m = self.B.shape
        theta = _validate.real_array("theta", theta, (n * m + m,), because=f"for n={n} and m={m}")
        return -theta[: n * m].reshape(n, m).T, self._read_log_std(theta[n * m :].copy())

    def optimal_gain(self, gamma: float) -> FloatArray:
        """Find the best gain: that of the Riccati equation, or by backward recursion those of the H steps.

        Parameters
        ----------
        gamma : float
            Discount in (0, 1].

        Returns
        -------
        ndarray, shape (m, n), or (H, m, n) with a horizon
            K*, for u = -K* x.

        Raises
        ------
        ValueError
            As `optimum`; noise is allowed at gamma = 1, where this gain is the best one for the average cost.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
        >>> lqr.optimal_gain(1.0).round(6)  # the golden ratio less 1
        array([[0.618034]])
        """
        gamma = _read_gamma(gamma)
        return self._stationary(gamma)[0] if self.horizon is None else self._recursion(gamma)[0]

    def optimum(self, gamma: float, log_std: ArrayLike | None = None) -> LQROptimum:
        """Solve the problem: the best gain does not depend on any noise, the best objective does.

        Parameters
        ----------
        gamma : float
            Discount in (0, 1].
        log_std : array_like, shape (m,), optional
            Noise of the policy; None for the deterministic policy, the best of all.

        Returns
        -------
        LQROptimum

        Raises
        ------
        ValueError
            Without a horizon: if no gain gives a finite cost ((A, B) is not stabilisable), if the best one leaves
            gamma rho(A - B K)^2 >= 1 (an unstable mode costs nothing), for any noise at gamma = 1.

        Notes
        -----
        P = Q + gamma A^T P A - gamma^2 A^T P B (R + gamma B^T P B)^{-1} B^T P A and
        K = (R + gamma B^T P B)^{-1} gamma B^T P A, which is the undiscounted problem of sqrt(gamma) A, sqrt(gamma) B.
        The structure-preserving doubling algorithm turns the value of 2^k steps into that of 2^(k+1), at O(n^3) each;
        two Newton steps (policy iterations) remove its rounding errors.

        References
        ----------
        E. K.-W. Chu, H.-Y. Fan, W.-W. Lin, C.-S. Wang, "Structure-preserving algorithms for periodic discrete-time
        algebraic Riccati equations", Int. J. Control 77, 2004. G. A. Hewer, "An iterative technique for the computation
        of the steady state gains for the discrete optimal regulator", IEEE Trans. Autom. Control 16, 1971.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> best = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], noise=[[1.0]]).optimum(0.9)
        >>> best.gain.round(4), round(best.objective, 4)
        (array([[0.5884]]), -15.884)
        """
        gamma = _read_gamma(gamma)
        variance = self._read_variance(log_std)
        self._check_noise(variance, gamma)
        gain, values = self._stationary(gamma) if self.horizon is None else self._recursion(gamma)
        residual = 0.0
        if self.horizon is None:
            closed = self._bellman(gain, values, gamma)
            residual = float(np.abs(closed - values).max() / max(float(np.abs(values).max()), math.ulp(0.0)))
            if not residual <= _ACCURACY:
                msg = f"the Riccati equation is too ill-conditioned: relative residual {residual:.3g}"
                raise ValueError(msg)
        constant = self._constants(values, variance, gamma)
        return LQROptimum(gain, values, constant, self._objective(values, constant), residual)

    def evaluate(self, gain: ArrayLike, log_std: ArrayLike | None, gamma: float) -> LQREvaluation:
        """Evaluate the policy u ~ N(-K x, diag(exp(log_std))^2) exactly.

        Parameters
        ----------
        gain : array_like, shape (m, n)
            K.
        log_std : array_like, shape (m,), or None
            None for the deterministic policy.
        gamma : float
            Discount in (0, 1].

        Returns
        -------
        LQREvaluation

        Raises
        ------
        ValueError
            Without a horizon: for a gain with gamma rho(A - B K)^2 >= 1, rho being the spectral radius, and for any
            noise at gamma = 1. With one: for values beyond the range of numbers.

        Notes
        -----
        P = Q + K^T R K + gamma M^T P M with M = A - B K, and c = tr(R S) + gamma tr(P N) + gamma c with
        S = diag(sigma^2) and N = noise + B S B^T. The Lyapunov equations are solved by doubling, O(n^3) a step.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
        >>> round(lqr.evaluate([[0.5]], [-1.0], 0.9).objective, 6)
        -4.9308
        """
        K, gamma, variance = self._read_gain(gain), _read_gamma(gamma), self._read_variance(log_std)
        return self._evaluation(self._path(K, variance, gamma), K, variance, gamma)

    def gradient(self, gain: ArrayLike, log_std: ArrayLike, gamma: float) -> FloatArray:
        """Compute grad J in theta = [W.ravel(), log_std], W = -K^T.

        Parameters
        ----------
        gain, log_std, gamma
            As for `evaluate`; a deterministic policy has no score, so log_std is needed.

        Returns
        -------
        ndarray, shape (n * m + m,)
            In reward per unit of theta.

        Raises
        ------
        ValueError
            As `evaluate`.

        Notes
        -----
        dJ/dW = 2 Sigma_K E_K^T with E_K = (R + gamma B^T P_K B) K - gamma B^T P_K A, and dJ/dlog_std =
        -2 L sigma^2 diag(R + gamma B^T P_K B). With a horizon both are sums over steps, with P_{h+1} in E_h.

        References
        ----------
        M. Fazel et al. 2018, lemma 1.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
        >>> lqr.gradient(lqr.optimal_gain(0.9), [0.0], 0.9).round(6) + 0.0
        array([  0.     , -48.59126])
        """
        K, gamma, variance = self._read_gain(gain), _read_gamma(gamma), self._read_variance(self._read_log_std(log_std))
        path = self._path(K, variance, gamma)
        return self._flat(2.0 * _moment_errors(path), -2.0 * variance * _noise_costs(path))

    def fisher(self, gain: ArrayLike, log_std: ArrayLike, gamma: float) -> FloatArray:
        """Compute the Fisher matrix of theta = [W.ravel(), log_std] under the discounted distribution of states.

        Parameters
        ----------
        gain, log_std, gamma
            As for `gradient`.

        Returns
        -------
        ndarray, shape (n * m + m, n * m + m)
            (Sigma_K / L) kron diag(sigma^-2) for W, 2 I for log_std, 0 between them.

        Raises
        ------
        ValueError
            As `evaluate`.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], horizon=1, initial_covariance=[[4.0]])
        >>> lqr.fisher([[0.5]], [0.0], 0.9)
        array([[4., 0.],
               [0., 2.]])
        """
        K, gamma, variance = self._read_gain(gain), _read_gamma(gamma), self._read_variance(self._read_log_std(log_std))
        path = self._path(K, variance, gamma)
        size, m = K.size, variance.size
        fisher = np.zeros((size + m, size + m))
        fisher[:size, :size] = np.kron(path.moments.sum(axis=0) / path.discounts.sum(), np.diag(1.0 / variance))
        fisher[size:, size:] = 2.0 * np.eye(m)
        return fisher

    def natural_gradient(self, gain: ArrayLike, log_std: ArrayLike, gamma: float) -> FloatArray:
        """Compute F^+ grad J in closed form, L included.

        Parameters
        ----------
        gain, log_std, gamma
            As for `gradient`.

        Returns
        -------
        ndarray, shape (n * m + m,)
            2 L E_K^T diag(sigma^2) for W, so that K moves along -2 L diag(sigma^2) E_K, and
            -L sigma^2 diag(R + gamma B^T P_K B) for log_std. With a horizon E_K^T is the average Sigma_K^+ sum_h
            gamma^h E[x_h x_h^T] E_h^T.

        Raises
        ------
        ValueError
            As `evaluate`.

        Notes
        -----
        Where some directions of the state are never visited, Sigma_K is singular and F^+ leaves them alone: the
        rows of W are projected onto the range of Sigma_K (correlations below n * 1e-14 count as 0).

        References
        ----------
        S. M. Kakade, "A natural policy gradient", NIPS 2001. M. Fazel et al. 2018, section 3.2.

        Examples
        --------
        >>> from npgfast.envs.lqr import LQR
        >>> lqr = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]])
        >>> lqr.natural_gradient([[0.5]], [0.0], 0.9).round(6)
        array([ -4.516129, -24.516129])
        """
        K, gamma, variance = self._read_gain(gain), _read_gamma(gamma), self._read_variance(self._read_log_std(log_std))
        path = self._path(K, variance, gamma)
        moment, length = path.moments.sum(axis=0), float(path.discounts.sum())
        visited = range_basis(moment)
        if self.horizon is None:
            mean_error = visited @ visited.T @ path.errors[0].T
        else:
            inner = visited.T @ moment @ visited
            mean_error = visited @ np.linalg.solve(inner, visited.T @ _moment_errors(path))
        return self._flat(2.0 * length * mean_error * variance, -variance * _noise_costs(path))

    def _read_gain(self, gain: ArrayLike) -> FloatArray:
        n, m = self.B.shape
        return _validate.real_array("gain", gain, (m, n), because=f"to match B with n={n} and m={m}")

    def _read_log_std(self, log_std: ArrayLike) -> FloatArray:
        m = self.action_size
        log_std = _validate.real_array("log_std", log_std, (m,), because=f"to match B with m={m}")
        beyond = np.flatnonzero(np.abs(log_std) > _MAX_LOG_STD)
        if beyond.size:
            msg = f"log_std[{beyond[0]}]={log_std[beyond[0]]} outside [-{_MAX_LOG_STD:g}, {_MAX_LOG_STD:g}]"
            raise ValueError(msg)
        return log_std

    def _read_variance(self, log_std: ArrayLike | None) -> FloatArray:
        if log_std is None:
            return np.zeros(self.action_size)
        variance: FloatArray = np.exp(2.0 * self._read_log_std(log_std))
        return variance

    def _check_noise(self, variance: FloatArray, gamma: float) -> None:
        if gamma == 1.0 and self.horizon is None and (variance.any() or self.noise.any()):
            what = "log_std" if variance.any() else "noise"
            msg = f"{what}: noise costs without end at gamma=1 without horizon; give gamma < 1 or a horizon"
            raise ValueError(msg)

    def _total_noise(self, variance: FloatArray) -> FloatArray:
        return self.noise + (self.B * variance) @ self.B.T

    def _first_moment(self) -> FloatArray:
        """E[x_0 x_0^T]."""
        return self.initial_covariance + np.outer(self.initial_mean, self.initial_mean)

    def _curvature(self, values: FloatArray, gamma: float) -> FloatArray:
        """R + gamma B^T P B."""
        return self.R + gamma * self.B.T @ values @ self.B

    def _greedy(self, values: FloatArray, gamma: float) -> FloatArray:
        """The gain that is best for one step if P values what comes after."""
        gain = np.linalg.solve(self._curvature(values, gamma), gamma * self.B.T @ values @ self.A)
        return np.asarray(gain, np.float64)

    def _stage_cost(self, gain: FloatArray) -> FloatArray:
        return symmetrised(self.Q + gain.T @ self.R @ gain)

    def _bellman(self, gain: FloatArray, values: FloatArray, gamma: float) -> FloatArray:
        """Q + K^T R K + gamma M^T P M, one step of the gain before what P values."""
        closed = self.A - self.B @ gain
        return symmetrised(self._stage_cost(gain) + gamma * closed.T @ values @ closed)

    def _check_stable(self, gain: FloatArray, gamma: float, name: str) -> None:
        radius = float(np.abs(np.linalg.eigvals(self.A - self.B @ gain)).max())
        if not radius * math.sqrt(gamma) < 1.0:
            msg = (
                f"{name}: A - B K has spectral radius {radius:.6g}, expected less than 1/sqrt(gamma)="
                f"{1.0 / math.sqrt(gamma):.6g} without a horizon"
            )
            raise ValueError(msg)

    def _stationary(self, gamma: float) -> tuple[FloatArray, FloatArray]:
        """K* and P*."""
        root = math.sqrt(gamma)
        values = riccati(root * self.A, root * self.B, self.Q, self.R)
        for _ in range(_NEWTON_STEPS):
            gain = self._greedy(values, gamma)
            self._check_stable(gain, gamma, "Q: an unstable mode costs nothing, so that the optimal")
            values = sum_of_powers(root * (self.A - self.B @ gain).T, self._stage_cost(gain))
        return self._greedy(values, gamma), values

    def _recursion(self, gamma: float) -> tuple[FloatArray, FloatArray]:
        """K*_h and P*_h."""
        n, m = self.B.shape
        steps = self.horizon or 0
        _validate.allocation("values over the horizon", steps, n, n + m)
        gains, values = np.empty((steps, m, n)), np.empty((steps, n, n))
        after = np.zeros((n, n))
        with np.errstate(over="ignore", invalid="ignore"):
            for h in reversed(range(steps)):
                gains[h] = self._greedy(after, gamma)
                values[h] = after = self._bellman(gains[h], after, gamma)
        self._check_range(values)
        return gains, values

    def _path(self, gain: FloatArray, variance: FloatArray, gamma: float) -> _Path:
        self._check_noise(variance, gamma)
        if self.horizon is None:
            return self._endless_path(gain, variance, gamma)
        n, m = self.B.shape
        steps = self.horizon
        _validate.allocation("values over the horizon", steps, 3 * n + m, n + m)
        values, moments = np.zeros((steps + 1, n, n)), np.empty((steps, n, n))
        closed, noise, moment = self.A - self.B @ gain, self._total_noise(variance), self._first_moment()
        discounts = gamma ** np.arange(steps, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            for h in reversed(range(steps)):
                values[h] = self._bellman(gain, values[h + 1], gamma)
            for h in range(steps):
                moments[h] = discounts[h] * moment
                moment = symmetrised(closed @ moment @ closed.T + noise)
            curvatures = self.R + gamma * self.B.T @ values[1:] @ self.B
            errors = curvatures @ gain - gamma * self.B.T @ values[1:] @ self.A
        self._check_range(values, moments, errors, curvatures)
        return _Path(values[:-1], moments, errors, curvatures, discounts)

    def _check_range(self, *arrays: FloatArray) -> None:
        if not all(np.isfinite(array).all() for array in arrays):
            msg = f"horizon={self.horizon}: the values over so many steps exceed {np.finfo(np.float64).max:.3g}"
            raise ValueError(msg)

    def _endless_path(self, gain: FloatArray, variance: FloatArray, gamma: float) -> _Path:
        self._check_stable(gain, gamma, "gain")
        loop = math.sqrt(gamma) * (self.A - self.B @ gain)
        values = sum_of_powers(loop.T, self._stage_cost(gain))
        length = math.inf if gamma == 1.0 else 1.0 / (1.0 - gamma)
        entering = self._first_moment()
        if gamma < 1.0:
            entering = entering + gamma * length * self._total_noise(variance)
        curvature = self._curvature(values, gamma)
        error = curvature @ gain - gamma * self.B.T @ values @ self.A
        moment = sum_of_powers(loop, entering)
        return _Path(values[None], moment[None], error[None], curvature[None], np.array([length]))

    def _constants(self, values: FloatArray, variance: FloatArray, gamma: float) -> FloatArray:
        """c from P: (n, n) to (), or (H, n, n) to (H,)."""
        action_cost = float(np.diag(self.R) @ variance)
        noise_cost = gamma * np.einsum("...ij,ij->...", values, self._total_noise(variance))
        if self.horizon is None:
            total = action_cost + float(noise_cost)
            return np.array(total / (1.0 - gamma) if total else 0.0)
        constants, after, noise_after = np.empty(self.horizon), 0.0, 0.0
        for h in reversed(range(self.horizon)):
            after = action_cost + noise_after + gamma * after
            constants[h], noise_after = after, float(noise_cost[h])
        return constants

    def _objective(self, values: FloatArray, constant: FloatArray) -> float:
        first = values if self.horizon is None else values[0]
        cost = float(np.vdot(first, self._first_moment())) + float(constant.flat[0])
        self._check_range(np.array(cost))
        return 0.0 - cost

    def _evaluation(self, path: _Path, gain: FloatArray, variance: FloatArray, gamma: float) -> LQREvaluation:
        values = path.values[0] if self.horizon is None else path.values
        constant = self._constants(values, variance, gamma)
        objective = self._objective(values, constant)
        moment, length = path.moments.sum(axis=0), float(path.discounts.sum())
        action_cost = float(np.diag(self.R) @ variance)
        cost = float(np.vdot(self._stage_cost(gain), moment)) + (length * action_cost if action_cost else 0.0)
        residual = abs(cost + objective) / max(cost, -objective, math.ulp(0.0))
        if not residual <= _ACCURACY:
            msg = f"gain: the evaluation is too ill-conditioned: relative residual {residual:.3g}"
            raise ValueError(msg)
        return LQREvaluation(objective, values, constant, moment, length, residual)

    def _flat(self, weights: FloatArray, log_std: FloatArray) -> FloatArray:
        theta = np.concatenate([weights.ravel(), log_std])
        self._check_range(theta)
        return theta


def _restore(*fields: Any) -> LQR:
    *positional, mean, covariance, time_limit = fields
    return LQR(*positional, initial_mean=mean, initial_covariance=covariance, time_limit=time_limit)


def _read_gamma(gamma: float) -> float:
    return _validate.real("gamma", gamma, low=0.0, high=1.0, low_open=True)


def _moment_errors(path: _Path) -> FloatArray:
    """sum_h gamma^h E[x_h x_h^T] E_h^T, (n, m)."""
    total: FloatArray = np.einsum("hij,hkj->ik", path.moments, path.errors)
    return total


def _noise_costs(path: _Path) -> FloatArray:
    """sum_h gamma^h diag(R + gamma B^T P_{h+1} B), (m,)."""
    total: FloatArray = path.discounts @ np.diagonal(path.curvatures, axis1=1, axis2=2)
    return total
