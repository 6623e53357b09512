"""Rates of natural policy gradients for log-linear policies."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.batch import Batch
from npgfast.exact import evaluate, exact_batch
from npgfast.geometry import (
    natural_gradient,
)
from npgfast.policies import LogLinear
from npgfast.problems import TabularMDP
from npgfast.theory.rates import _optimum, _slack, _without_horizon
from npgfast.theory.statements import UpperBound

__all__ = ["LogLinearRateBound", "log_linear_rate_bound"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LogLinearRateBound(UpperBound):
    """Outcome of `log_linear_rate_bound`: `actual` is min_{t<T} (J* - J_t).

    Attributes
    ----------
    optimisation, drift, approximation : float
        Terms of the bound in reward: the start's divergence, eta B^2 W^2 / 2, and the mean error err_t.
    """

    optimisation: float
    drift: float
    approximation: float


def log_linear_rate_bound(
    mdp: TabularMDP,
    policy: LogLinear,
    step_size: float,
    n_iterations: int,
    *,
    direction: Callable[[LogLinear, Batch], ArrayLike] | None = None,
) -> LogLinearRateBound:
    """Run NPG, or any other directions w_t, on a log-linear policy and bound the best gap.

    min_{t<T} (J* - J_t) <= L* [log A + sum eta_t^2 B^2 W^2 / 2 + sum eta_t err_t] / sum eta_t with
    theta_{t+1} = theta_t + eta_t w_t, eta_t = step_size L(pi_t), B = max |phi|, W = max |w_t| and
    err_t = E_{d*,pi*}[A_t - w_t^T score_t]. Where nothing terminates eta_t is constant, L* = 1/(1 - gamma), and this is
    the paper's [log A / (eta T) + eta B^2 W^2 / 2 + mean err_t] / (1 - gamma).

    Parameters
    ----------
    mdp : TabularMDP
        Without a horizon; for one, give mdp.with_time().
    policy : LogLinear
        pi_0; log A is E_{d*} KL(pi* || pi_0), which is log A from theta = 0.
    step_size : float
        Positive, L not included.
    n_iterations : int
        T.
    direction : callable, optional
        w_t of shape (n_params,) from the policy and its exact batch. Default F^+ grad J / L, for which theta moves by
        step_size * F^+ grad J.

    Returns
    -------
    LogLinearRateBound
        In reward.

    Raises
    ------
    TypeError, ValueError
        For a horizon; for a policy that is not log-linear; for a step_size that is not positive.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, JMLR 22(98), 2021, lemma 34 (NPG regret lemma) and theorem 20.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> policy = nf.LogLinear([[[1.0], [0.0]], [[1.0], [0.0]]])
    >>> theory.log_linear_rate_bound(nf.problems.two_state(gamma=0.9), policy, 0.01, 10).holds
    True
    """
    policy = _log_linear(policy)
    base = _validate.real("step_size", step_size, low=0.0, low_open=True)
    optimum = _optimum(_without_horizon(mdp))
    states, d_star = np.arange(mdp.n_states), optimum.evaluation.occupancy
    horizon = optimum.evaluation.effective_horizon
    radius = float(np.linalg.norm(policy.features[policy.action_mask], axis=1).max())
    start, gaps, etas, norms, errors = policy, [], [], [], []
    for _ in range(_validate.integer("n_iterations", n_iterations, low=1)):
        batch, now = exact_batch(mdp, policy), evaluate(mdp, policy)
        eta = base * now.effective_horizon
        if direction is None:
            w = natural_gradient(policy, batch).direction / now.effective_horizon
        else:
            w = _validate.real_array("direction(policy, batch)", direction(policy, batch), (policy.n_params,))
        chosen = now.advantages[states, optimum.actions] - policy.score(states, optimum.actions) @ w
        gaps.append(optimum.objective - now.objective)
        etas.append(eta)
        norms.append(float(np.linalg.norm(w)))
        errors.append(float(d_star @ chosen))
        policy = policy.with_theta(policy.theta + eta * w)
    eta_t = np.array(etas)
    share = horizon / eta_t.sum()
    optimisation = share * optimum.divergence(start)
    drift = share * float(np.sum(eta_t**2)) * (radius * max(norms)) ** 2 / 2.0
    approximation = share * float(eta_t @ np.array(errors))
    bound = optimisation + drift + approximation
    return LogLinearRateBound(min(gaps), bound, _slack(mdp, optimum), optimisation, drift, approximation)


def _log_linear(policy: object) -> LogLinear:
    if not isinstance(policy, LogLinear):
        msg = f"policy: expected a LogLinear policy, got {type(policy).__name__}"
        raise TypeError(msg)
    return policy
