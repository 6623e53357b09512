"""The size of a natural step: the boundary of a trust region, and the limit of large steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.exact import exact_batch
from npgfast.geometry import fisher_vector_product, kl_divergence, natural_gradient, policy_gradient, surrogate
from npgfast.policies import LogLinear, SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.theory.statements import UpperBound

__all__ = ["GreedyLimit", "TrustRegion", "compatible_greedy_limit", "trust_region_multiplier"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrustRegion:
    """Outcome of `trust_region_multiplier`.

    Attributes
    ----------
    step : ndarray, shape (n_params,)
        sqrt(2 max_kl / g^T F^+ g) F^+ g, the maximiser of <g, x> subject to (1/2) x^T F x <= max_kl.
    multiplier : float
        sqrt(g^T F^+ g / (2 max_kl)), in reward per nat.
    stationarity : float
        ||g - multiplier F step|| / ||g||.
    quadratic : float
        (1/2) step^T F step, in nats.
    kl : float
        The true mean KL(old || new) of the whole step; kl / quadratic -> 1 as max_kl -> 0.
    accepted_scale, accepted_kl, accepted_gain : float
        First of 1, 1/2, 1/4, ... whose step keeps the true KL within max_kl and improves the surrogate; its KL in nats
        and the gain of the surrogate in reward. Scale 0 if there is none.
    max_kl, tolerance : float
        The bound, and what `holds` allows.
    """

    step: FloatArray
    multiplier: float
    stationarity: float
    quadratic: float
    kl: float
    accepted_scale: float
    accepted_kl: float
    accepted_gain: float
    max_kl: float
    tolerance: float

    @property
    def kl_ratio(self) -> float:
        """True KL over its quadratic model."""
        return self.kl / self.quadratic

    @property
    def holds(self) -> bool:
        """Whether the step solves the Lagrangian, meets the constraint, and an accepted one keeps its promises."""
        worst = max(self.stationarity, abs(self.quadratic / self.max_kl - 1.0))
        accepted = self.accepted_scale > 0.0 and self.accepted_kl <= self.max_kl and self.accepted_gain > 0.0
        return bool(worst <= self.tolerance and accepted)


def trust_region_multiplier(
    mdp: TabularMDP, policy: SoftmaxPolicy, max_kl: float = 0.01, *, tolerance: float = 1e-8
) -> TrustRegion:
    """Check TRPO's step: it solves the Lagrangian of the quadratic model, and a line search accepts part of it.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
        With a nonzero gradient.
    max_kl : float
        delta, in nats.
    tolerance : float
        Of `TrustRegion.holds`.

    Returns
    -------
    TrustRegion

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does; for a policy whose gradient is zero.

    References
    ----------
    J. Schulman, S. Levine, P. Moritz, M. Jordan, P. Abbeel, "Trust region policy optimization", ICML 2015,
    arXiv:1502.05477, appendix C.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.trust_region_multiplier(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 1e-3).holds
    True
    """
    delta = _validate.real("max_kl", max_kl, low=0.0, low_open=True)
    batch = exact_batch(mdp, policy)
    gradient, direction = policy_gradient(policy, batch), natural_gradient(policy, batch, rtol=1e-13).direction
    form = float(gradient @ direction)
    if not form > 0.0:
        msg = "policy: the gradient is zero, there is no step to the boundary of the trust region"
        raise ValueError(msg)
    multiplier = float(np.sqrt(form / (2.0 * delta)))
    step = direction / multiplier
    product = fisher_vector_product(policy, batch, step)
    base = surrogate(policy, batch).value
    scale, accepted = 1.0, (0.0, 0.0, 0.0)
    while scale > 1e-12:
        new = policy.with_theta(policy.theta + scale * step)
        kl, gain = kl_divergence(policy, new, batch), surrogate(new, batch).value - base
        if kl <= delta and gain > 0.0:
            accepted = (scale, kl, gain)
            break
        scale /= 2.0
    return TrustRegion(
        step,
        multiplier,
        float(np.linalg.norm(gradient - multiplier * product) / np.linalg.norm(gradient)),
        0.5 * float(step @ product),
        kl_divergence(policy, policy.with_theta(policy.theta + step), batch),
        *accepted,
        delta,
        tolerance,
    )


@dataclass(frozen=True, eq=False)
class GreedyLimit(UpperBound):
    """Outcome of `compatible_greedy_limit`: `actual` is the probability off the greedy action, shape (S,).

    Attributes
    ----------
    actions : ndarray of int, shape (S,)
        argmax_a w^T phi(s, a), ties to the lowest.
    margins : ndarray, shape (S,)
        By how much it leads, in the unit of theta; 0 for ties, inf where one action is allowed.
    """

    actions: NDArray[np.int64]
    margins: FloatArray


def compatible_greedy_limit(mdp: TabularMDP, policy: SoftmaxPolicy, step_size: float) -> GreedyLimit:
    """Check that NPG with a large step is greedy on the compatible approximation w^T phi, w = F^+ grad J.

    The probability off the greedy action is at most (1 - pi_g) / pi_g exp(-eta margin), with pi_g that of the greedy
    action before the step; it vanishes as eta grows wherever the margin is positive. For a tabular policy the greedy
    action is policy iteration's.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    step_size : float
        eta, L not included.

    Returns
    -------
    GreedyLimit
        holds: the inequality in every state.

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does.

    References
    ----------
    S. M. Kakade, "A natural policy gradient", NIPS 2001, theorem 3.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.compatible_greedy_limit(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 100.0).actions
    array([0, 0])
    """
    eta = _validate.real("step_size", step_size, low=0.0)
    direction = natural_gradient(policy, exact_batch(mdp, policy)).direction
    shape = (policy.n_states, policy.n_actions)
    table = policy.features @ direction if isinstance(policy, LogLinear) else direction.reshape(shape)
    table = np.where(policy.action_mask, table, -np.inf)
    actions, rows = np.argmax(table, axis=1), np.arange(policy.n_states)
    best = table[rows, actions]
    others = table.copy()
    others[rows, actions] = -np.inf
    margins = best - others.max(axis=1)
    before = policy.probs()
    after = policy.with_theta(policy.theta + eta * direction).probs()
    for probs in (before, after):
        probs[rows, actions] = 0.0
    greedy = policy.probs()[rows, actions]
    odds = before.sum(axis=1) / np.maximum(greedy, np.finfo(np.float64).tiny)
    bound = odds * np.exp(-eta * np.where(np.isfinite(margins), margins, 0.0))
    return GreedyLimit(after.sum(axis=1), bound, 1e-14, actions, margins)
