"""Views of the natural gradient: solvers, regression, soft policy iteration, new parameters, trust region, greed."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.batch import Batch
from npgfast.exact import evaluate, exact_batch
from npgfast.geometry import (
    Method,
    natural_gradient,
    policy_gradient,
)
from npgfast.policies import SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.statements import relative_distance

__all__ = [
    "RegressionView",
    "SoftPolicyIterationView",
    "Views",
    "check_views",
    "regression_view",
    "soft_policy_iteration_view",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Views:
    """Outcome of `check_views`.

    Attributes
    ----------
    directions : dict of str to ndarray, shape (n_params,)
        F^+ grad J by each method.
    discrepancies : dict of (str, str) to float
        Relative distance of each pair.
    range_residual : float
        Part of the conjugate-gradient direction that lies outside range(F), relative; conjugate gradients from 0 stay
        inside although F is singular.
    smallest_weight : float
        min d(s) pi(a|s) over reachable states and allowed actions. The agreement is meant where it is at least 1e-6.
    tolerance : float
        What `holds` allows of the discrepancies.
    """

    directions: dict[str, FloatArray]
    discrepancies: dict[tuple[str, str], float]
    range_residual: float
    smallest_weight: float
    tolerance: float

    @property
    def largest(self) -> float:
        """The largest pairwise discrepancy."""
        return max(self.discrepancies.values())

    @property
    def holds(self) -> bool:
        """Whether every pair agrees and conjugate gradients stayed in range(F)."""
        return bool(max(self.largest, self.range_residual) <= self.tolerance)


def check_views(mdp: TabularMDP, policy: SoftmaxPolicy, *, tau: float = 0.0, tolerance: float = 1e-8) -> Views:
    """Compute the NPG direction by pseudo-inverse, regression, conjugate gradients and (tabular) in closed form.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    tau : float
        Entropy bonus in reward per nat.
    tolerance : float
        Of `Views.holds`. With rarely visited pairs, d(s) pi(a|s) < 1e-6, the problem itself is ill-conditioned.

    Returns
    -------
    Views

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does.

    References
    ----------
    S. M. Kakade, "A natural policy gradient", NIPS 2001, theorem 1. A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan,
    JMLR 22(98), 2021, lemma 15.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.check_views(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)).largest < 1e-12
    True
    """
    batch = exact_batch(mdp, policy, tau=tau)
    methods: list[Method] = ["pinv", "regression", "cg"]
    if isinstance(policy, TabularSoftmax):
        methods.append("closed_form")
    directions: dict[str, FloatArray] = {
        name: natural_gradient(policy, batch, method=name, rtol=1e-13).direction for name in methods
    }
    discrepancies: dict[tuple[str, str], float] = {
        (first, second): relative_distance(directions[first], directions[second])
        for first, second in combinations(methods, 2)
    }
    smallest = float(batch.weights[batch.weights > 0.0].min())
    residual = relative_distance(_in_range(policy, batch, directions["cg"]), directions["cg"])
    return Views(directions, discrepancies, residual, smallest, tolerance)


def _in_range(policy: SoftmaxPolicy, batch: Batch, x: FloatArray) -> FloatArray:
    """Projection of x onto the span of the scores, which is the range of F."""
    if isinstance(policy, TabularSoftmax):
        visited = np.bincount(batch.states, batch.weights, policy.n_states) > 0.0
        table = np.where(visited[:, None] & policy.action_mask, x.reshape(policy.action_mask.shape), 0.0)
        mean = table.sum(axis=1, keepdims=True) / policy.action_mask.sum(axis=1, keepdims=True)
        return np.asarray(np.where(visited[:, None] & policy.action_mask, table - mean, 0.0).ravel())
    scores = np.sqrt(batch.weights)[:, None] * policy.score(batch.states, batch.actions)
    basis, singular, _ = np.linalg.svd(scores.T, full_matrices=False)
    basis = basis[:, singular > 1e-10 * singular[0]]
    return np.asarray(basis @ (basis.T @ x))


@dataclass(frozen=True, eq=False)
class RegressionView:
    """Outcome of `regression_view`.

    Attributes
    ----------
    weights : ndarray, shape (n_params,)
        w*, of minimum norm, in reward per unit of theta.
    direction : ndarray, shape (n_params,)
        F^+ grad J by the pseudo-inverse.
    discrepancy : float
        Relative distance of L w* from it.
    residual : float
        E_{d,pi}(A - w*^T score)^2, in squared reward; 0 for a tabular policy.
    orthogonality : float
        ||E_{d,pi}[(A - w*^T score) score]||, relative to ||E[A score]||.
    tolerance : float
        What `holds` allows of `discrepancy` and `orthogonality`.
    """

    weights: FloatArray
    direction: FloatArray
    discrepancy: float
    residual: float
    orthogonality: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether L w* is the natural direction and the residual is orthogonal to the scores."""
        return bool(max(self.discrepancy, self.orthogonality) <= self.tolerance)


def regression_view(mdp: TabularMDP, policy: SoftmaxPolicy, *, tolerance: float = 1e-8) -> RegressionView:
    """Check that w* = argmin E_{d,pi}(A - w^T score)^2, of minimum norm, gives F^+ grad J = L w*.

    The least-squares problem is solved here by NumPy's singular value decomposition of the weighted scores, an
    (n, n_params) array.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    tolerance : float
        Of `RegressionView.holds`.

    Returns
    -------
    RegressionView

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does.

    References
    ----------
    S. M. Kakade, NIPS 2001, theorem 1 (compatible function approximation).

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.regression_view(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)).holds
    True
    """
    batch = exact_batch(mdp, policy)
    scale = np.sqrt(batch.weights)
    scores = policy.score(batch.states, batch.actions)
    solution = np.linalg.lstsq(scale[:, None] * scores, scale * batch.advantages, rcond=1e-10)[0]
    weights: FloatArray = np.asarray(solution, dtype=np.float64)
    direction = natural_gradient(policy, batch, method="pinv").direction
    errors = batch.advantages - scores @ weights
    gradient = policy_gradient(policy, batch) / batch.effective_horizon
    left = scores.T @ (batch.weights * errors)
    norm = float(np.linalg.norm(gradient))
    return RegressionView(
        weights,
        direction,
        relative_distance(batch.effective_horizon * weights, direction),
        float(batch.weights @ errors**2),
        float(np.linalg.norm(left)) / norm if norm > 0.0 else 0.0,
        tolerance,
    )


@dataclass(frozen=True, eq=False)
class SoftPolicyIterationView:
    """Outcome of `soft_policy_iteration_view`.

    Attributes
    ----------
    centred_discrepancy : float
        Relative distance of F^+ grad J from L (A - row mean), on reachable states.
    raw_discrepancy : float
        The same from L A itself: not 0, only the policies agree.
    policy_discrepancy : float
        Largest difference of the two policies after the step, on reachable states.
    npg_unreachable, soft_unreachable : float
        Largest change of a probability on unreachable states: 0 for F^+, while soft policy iteration moves them too.
    tolerance : float
        What `holds` allows.
    """

    centred_discrepancy: float
    raw_discrepancy: float
    policy_discrepancy: float
    npg_unreachable: float
    soft_unreachable: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the two are the same step on reachable states, and F^+ leaves the others alone."""
        worst = max(self.centred_discrepancy, self.policy_discrepancy)
        return bool(worst <= self.tolerance and self.npg_unreachable == 0.0)


def soft_policy_iteration_view(
    mdp: TabularMDP, policy: TabularSoftmax, step_size: float, *, tolerance: float = 1e-10
) -> SoftPolicyIterationView:
    """Check that a tabular NPG step is soft policy iteration, pi' ~ pi exp(eta L A), on the reachable states.

    With a horizon and a stationary policy A is the mean of A_h over the steps at which the state is visited.

    Parameters
    ----------
    mdp : TabularMDP
    policy : TabularSoftmax
    step_size : float
        eta, L not included.
    tolerance : float
        Of `SoftPolicyIterationView.holds`.

    Returns
    -------
    SoftPolicyIterationView

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does; for a policy that is not tabular.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, JMLR 22(98), 2021, lemma 15. E. Even-Dar, S. M. Kakade,
    Y. Mansour, "Online Markov decision processes", Math. Oper. Res. 34(3), 2009.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.soft_policy_iteration_view(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 0.1).holds
    True
    """
    policy = _tabular(policy)
    eta = _validate.real("step_size", step_size)
    evaluation, shape = evaluate(mdp, policy), policy.action_mask.shape
    direction = natural_gradient(policy, exact_batch(mdp, policy)).direction.reshape(shape)
    advantages, allowed, visited = evaluation.advantages, policy.action_mask, mdp.reachable
    if mdp.horizon is not None:
        mass = np.maximum(evaluation.occupancy.sum(axis=0), np.finfo(np.float64).tiny)
        advantages = np.einsum("hs,hsa->sa", evaluation.occupancy, advantages) / mass[:, None]
    raw = evaluation.effective_horizon * np.where(allowed, advantages, 0.0)
    centred = np.where(allowed, raw - raw.sum(axis=1, keepdims=True) / allowed.sum(axis=1, keepdims=True), 0.0)
    before = policy.probs()
    natural = policy.with_theta(policy.theta.reshape(shape) + eta * direction).probs()
    soft = policy.with_theta(policy.theta.reshape(shape) + eta * raw).probs()

    def change(table: FloatArray, rows: BoolArray) -> float:
        return float(np.abs(table[rows]).max(initial=0.0))

    return SoftPolicyIterationView(
        relative_distance(direction[visited], centred[visited]),
        relative_distance(direction[visited], raw[visited]),
        change(natural - soft, visited),
        change(natural - before, ~visited),
        change(soft - before, ~visited),
        tolerance,
    )


def _tabular(policy: object) -> TabularSoftmax:
    if not isinstance(policy, TabularSoftmax):
        msg = f"policy: expected a TabularSoftmax policy, got {type(policy).__name__}"
        raise TypeError(msg)
    return policy
