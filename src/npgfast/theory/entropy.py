"""Entropy regularisation: linear rate, and its bias."""

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.exact import evaluate, solve
from npgfast.policies import SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.identities import _log_probabilities
from npgfast.theory.rates import _ROUNDING, RateBound, _discounted, _iterate, _start
from npgfast.theory.statements import UpperBound
from npgfast.theory.views import _tabular

__all__ = ["entropy_bias_bound", "entropy_regularized_rate_bound"]

FloatArray = NDArray[np.float64]


def entropy_regularized_rate_bound(
    mdp: TabularMDP,
    tau: float,
    step_size: float,
    n_iterations: int,
    *,
    policy: TabularSoftmax | None = None,
) -> RateBound:
    """Run entropy-regularised NPG and bound its error, |Q*_tau - Q_{t+1}| <= C1 gamma (1 - eta tau)^t.

    pi' ~ pi^{1 - eta tau / (1 - gamma)} exp(eta Q_tau / (1 - gamma)), and
    C1 = |Q*_tau - Q_0| + 2 tau (1 - eta tau / (1 - gamma)) |log pi*_tau - log pi_0|, in sup norms over the reachable
    states and allowed actions.

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    tau : float
        Positive, in reward per nat.
    step_size : float
        eta, in (0, (1 - gamma) / tau]. Where nothing terminates, the package's own.
    n_iterations : int
        T; entry t is the error after t + 1 updates.
    policy : TabularSoftmax, optional
        pi_0; default uniform.

    Returns
    -------
    RateBound
        In reward.

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or a tau or step_size out of range.

    References
    ----------
    S. Cen, C. Cheng, Y. Chen, Y. Wei, Y. Chi, "Fast global convergence of natural policy gradient methods with entropy
    regularization", Oper. Res. 70(4), 2022, theorem 1, arXiv:2007.06558.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.entropy_regularized_rate_bound(nf.problems.two_state(gamma=0.9), 0.1, 0.5, 20).holds
    True
    """
    mdp = _discounted(mdp)
    tau = _validate.real("tau", tau, low=0.0, low_open=True)
    longest = (1.0 - mdp.gamma) / tau
    eta = _validate.real("step_size", step_size, low=0.0, low_open=True, high=longest * (1.0 + 1e-12))
    start, solution = _start(mdp, policy), solve(mdp, tau=tau, tol=1e-13)
    kept = np.where(mdp.reachable[:, None], start.action_mask, False)
    log_optimal = (solution.action_values - solution.values[:, None]) / tau

    def error(now: SoftmaxPolicy) -> float:
        difference = solution.action_values[kept] - evaluate(mdp, now, tau=tau).action_values[kept]
        return float(np.abs(difference).max())

    distance = float(np.abs(log_optimal[kept] - _log_probabilities(start)[kept]).max())
    constant = error(start) + 2.0 * tau * max(0.0, 1.0 - eta / longest) * distance
    errors, steps, last = [], [], start
    exponent = min(eta / (1.0 - mdp.gamma), 1.0 / tau)
    for now, step in _iterate(mdp, start, n_iterations, lambda _: exponent, tau=tau):
        last = _tabular(now)
        errors.append(error(last))
        steps.append(step)
    bounds: FloatArray = constant * mdp.gamma * np.power(max(0.0, 1.0 - eta * tau), np.arange(n_iterations))
    slack = _ROUNDING * max(1.0, float(np.abs(solution.action_values[kept]).max())) / (1.0 - mdp.gamma)
    return RateBound(np.array(errors), bounds, slack, last, np.array(steps))


def entropy_bias_bound(mdp: TabularMDP, tau: float) -> UpperBound:
    """Check 0 <= V*_tau - V* <= tau log A / (1 - gamma) in every state.

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    tau : float
        Positive, in reward per nat.

    Returns
    -------
    UpperBound
        actual: V*_tau - V*, shape (S,), in reward, nonnegative within `slack`.

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or a tau that is not positive.

    References
    ----------
    S. Cen, C. Cheng, Y. Chen, Y. Wei, Y. Chi, Oper. Res. 70(4), 2022, section 2.1, eq. (9).

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.entropy_bias_bound(nf.problems.two_state(gamma=0.9), 0.1).holds
    True
    """
    tau = _validate.real("tau", tau, low=0.0, low_open=True)
    soft, hard = solve(_discounted(mdp), tau=tau), solve(mdp)
    bound = tau * np.log(mdp.n_actions) / (1.0 - mdp.gamma)
    slack = 1e-10 * max(1.0, float(np.abs(soft.values).max()))
    return UpperBound(soft.values - hard.values, np.full(mdp.n_states, bound), slack)
