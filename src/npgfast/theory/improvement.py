"""Lower bounds on the objective after one step: plain gradient, mixture of policies, trust region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.exact import Evaluation, evaluate, exact_batch
from npgfast.geometry import policy_gradient
from npgfast.policies import SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.identities import _expected_advantage, _log_probabilities, _probabilities
from npgfast.theory.rates import _ROUNDING, _discounted, _reward_spread
from npgfast.theory.statements import LowerBound
from npgfast.theory.views import _tabular

__all__ = ["PenalizedBound", "mixture_lower_bound", "monotone_pg_step", "trpo_lower_bound"]

FloatArray = NDArray[np.float64]


def monotone_pg_step(mdp: TabularMDP, policy: TabularSoftmax) -> LowerBound:
    """Check that the plain gradient step eta = (1 - gamma)^3 / (8 R) gains at least eta ||grad J||^2 / 2.

    J is 8 R / (1 - gamma)^3 - smooth in the tabular softmax's theta, so that J never decreases.

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    policy : TabularSoftmax

    Returns
    -------
    LowerBound
        On J_{t+1} - J_t, in reward. R is the length of the interval of rewards (0 included where episodes end); the
        paper has rewards in [0, 1] and R = 1.

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or a policy that is not tabular.

    References
    ----------
    J. Mei, C. Xiao, C. Szepesvari, D. Schuurmans, "On the global convergence rates of softmax policy gradient
    methods", ICML 2020, lemma 7 and theorem 4, arXiv:2005.06392.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.monotone_pg_step(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)).holds
    True
    """
    policy, before = _tabular(policy), evaluate(_discounted(mdp), policy)
    gradient = policy_gradient(policy, exact_batch(mdp, policy))
    spread = _reward_spread(mdp)
    step = (1.0 - mdp.gamma) ** 3 / (8.0 * spread) if spread > 0.0 else 0.0
    after = evaluate(mdp, policy.with_theta(policy.theta + step * gradient))
    slack = _rounding(mdp, before)
    return LowerBound(after.objective - before.objective, step * float(gradient @ gradient) / 2.0, slack)


def _rounding(mdp: TabularMDP, evaluation: Evaluation) -> float:
    return _ROUNDING * max(1.0, float(np.abs(mdp.rewards).max())) * max(1.0, evaluation.effective_horizon)


@dataclass(frozen=True, eq=False)
class PenalizedBound(LowerBound):
    """Lower bound on J(new), surrogate less penalty, in reward.

    Attributes
    ----------
    surrogate : float
        L_pi(new) = J(pi) + L E_{d^pi} E_new[A^pi].
    penalty : float
    """

    surrogate: float
    penalty: float


def mixture_lower_bound(
    mdp: TabularMDP, policy: SoftmaxPolicy | ArrayLike, target: SoftmaxPolicy | ArrayLike, alpha: float
) -> PenalizedBound:
    """Check conservative policy iteration's bound for new = (1 - alpha) policy + alpha target.

    J(new) >= L_pi(new) - 2 eps gamma alpha^2 / ((1 - gamma)(1 - gamma (1 - alpha))), eps = max_s |E_target A^pi|.

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    policy, target : SoftmaxPolicy or array_like, shape (S, A)
    alpha : float
        In [0, 1].

    Returns
    -------
    PenalizedBound

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or policies that do not fit.

    References
    ----------
    S. M. Kakade, J. Langford, "Approximately optimal approximate reinforcement learning", ICML 2002, theorem 4.1.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> old, new = nf.TabularSoftmax(2, 2), nf.TabularSoftmax(2, 2, [1.0, 0.0, 0.0, 2.0])
    >>> theory.mixture_lower_bound(nf.problems.two_state(gamma=0.9), old, new, 0.1).holds
    True
    """
    alpha = _validate.real("alpha", alpha, low=0.0, high=1.0)
    before = evaluate(_discounted(mdp), policy)
    evaluate(mdp, target)
    old, goal = _probabilities(policy), _probabilities(target)
    new = (1.0 - alpha) * old + alpha * goal
    shift = np.abs((goal * before.advantages).sum(axis=1))[mdp.reachable].max()
    gamma = mdp.gamma
    penalty = 2.0 * float(shift) * gamma * alpha**2 / ((1.0 - gamma) * (1.0 - gamma * (1.0 - alpha)))
    value = before.objective + _expected_advantage(before, new, before.advantages)
    return PenalizedBound(evaluate(mdp, new).objective, value - penalty, _rounding(mdp, before), value, penalty)


def trpo_lower_bound(
    mdp: TabularMDP, new: SoftmaxPolicy, old: SoftmaxPolicy, *, divergence: str = "total_variation"
) -> PenalizedBound:
    """Check TRPO's bound, J(new) >= L_old(new) - 4 eps gamma alpha^2 / (1 - gamma)^2.

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    new, old : SoftmaxPolicy
    divergence : {"total_variation", "kl"}
        alpha = max_s TV(old, new), or alpha^2 replaced by max_s KL(old || new). eps = max |A^old|.

    Returns
    -------
    PenalizedBound

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or policies that do not fit.

    References
    ----------
    J. Schulman, S. Levine, P. Moritz, M. Jordan, P. Abbeel, "Trust region policy optimization", ICML 2015, theorem 1
    and eq. (9), arXiv:1502.05477.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> old, new = nf.TabularSoftmax(2, 2), nf.TabularSoftmax(2, 2, [0.1, 0.0, 0.0, 0.2])
    >>> theory.trpo_lower_bound(nf.problems.two_state(gamma=0.9), new, old).holds
    True
    """
    kind = _validate.choice("divergence", divergence, ("total_variation", "kl"))
    before, after = evaluate(_discounted(mdp), old), evaluate(mdp, new)
    p, q, rows = old.probs(), new.probs(), mdp.reachable
    if kind == "kl":
        with np.errstate(invalid="ignore"):
            terms = np.where(p > 0.0, p * (_log_probabilities(old) - _log_probabilities(new)), 0.0)
        squared = float(terms.sum(axis=1)[rows].max())
    else:
        squared = float((np.abs(p - q).sum(axis=1) / 2.0)[rows].max()) ** 2
    largest = float(np.abs(before.advantages[rows]).max())
    penalty = 4.0 * largest * mdp.gamma * squared / (1.0 - mdp.gamma) ** 2
    value = before.objective + _expected_advantage(before, q, before.advantages)
    return PenalizedBound(after.objective, value - penalty, _rounding(mdp, before), value, penalty)
