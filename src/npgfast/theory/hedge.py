"""Soft policy iteration as Hedge at every state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.exact import evaluate
from npgfast.policies import TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.rates import _ROUNDING, _start, _without_horizon
from npgfast.theory.statements import UpperBound

__all__ = ["HedgeRegret", "hedge_regret"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HedgeRegret(UpperBound):
    """Regret of Hedge at every state: `actual` and `bound` have shape (S,), in reward.

    Attributes
    ----------
    policy : TabularSoftmax
        The last iterate.
    """

    policy: TabularSoftmax


def hedge_regret(mdp: TabularMDP, step_size: float, n_iterations: int) -> HedgeRegret:
    """Run soft policy iteration and bound its regret at every state, as Hedge on the gains L A_t.

    max_a sum_t [L A_t(s, a) - <pi_t, L A_t>] <= log A / eta + eta sum_t (L range A_t(s, .))^2 / 8; the best action in
    hindsight does at least as well as pi*.

    Parameters
    ----------
    mdp : TabularMDP
        Without a horizon; for one, give mdp.with_time().
    step_size : float
        eta > 0, L not included: pi' ~ pi exp(eta L A), from the uniform policy.
    n_iterations : int

    Returns
    -------
    HedgeRegret
        log A is that of the number of allowed actions.

    Raises
    ------
    TypeError, ValueError
        For a horizon; for a step_size that is not positive.

    References
    ----------
    N. Cesa-Bianchi, G. Lugosi, "Prediction, Learning, and Games", 2006, theorem 2.2. E. Even-Dar, S. M. Kakade,
    Y. Mansour, "Online Markov decision processes", Math. Oper. Res. 34(3), 2009.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.hedge_regret(nf.problems.two_state(gamma=0.9), 0.05, 20).holds
    True
    """
    eta = _validate.real("step_size", step_size, low=0.0, low_open=True)
    policy, allowed = _start(_without_horizon(mdp), None), mdp.action_mask
    gains, paid, squares = np.zeros(allowed.shape), np.zeros(mdp.n_states), np.zeros(mdp.n_states)
    for _ in range(_validate.integer("n_iterations", n_iterations, low=1)):
        now = evaluate(mdp, policy)
        gain = now.effective_horizon * np.where(allowed, now.advantages, 0.0)
        paid += (policy.probs() * gain).sum(axis=1)
        highest, lowest = np.where(allowed, gain, -np.inf).max(axis=1), np.where(allowed, gain, np.inf).min(axis=1)
        squares += (highest - lowest) ** 2
        gains += gain
        policy = policy.with_theta(policy.theta + eta * gain.ravel())
    regret = np.where(allowed, gains, -np.inf).max(axis=1) - paid
    bound = np.log(allowed.sum(axis=1)) / eta + eta * squares / 8.0
    return HedgeRegret(regret, bound, _ROUNDING * max(1.0, float(np.abs(gains).max())), policy)
