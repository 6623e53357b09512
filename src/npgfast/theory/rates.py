"""Convergence rates of natural policy gradients, next to the gaps that exact runs have.

`step_size` is the package's own everywhere: theta moves by step_size * F^+ grad J, which for a tabular policy is
pi' ~ pi exp(step_size L(pi) A). Without termination L = 1/(1 - gamma) and that is the papers' iteration. With
termination L(pi) is shorter and changes along the run; then `scaling="discount"` runs the papers' own iteration, with
1/(1 - gamma) in place of L(pi), for which their bounds hold as printed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.batch import Batch
from npgfast.exact import Evaluation, evaluate, exact_batch, solve
from npgfast.geometry import natural_gradient
from npgfast.policies import SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.identities import _log_probabilities
from npgfast.theory.statements import LowerBound, UpperBound
from npgfast.theory.views import _tabular

__all__ = [
    "RateBound",
    "constant_step_rate_bound",
    "npg_gap_bounds",
    "npg_improvement_bound",
    "npg_rate_bound",
]

FloatArray = NDArray[np.float64]
Scaling = Literal["effective_horizon", "discount"]

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class RateBound(UpperBound):
    """Gaps of a run and their bound: `actual` and `bound` have shape (T,), entry t after t + 1 updates.

    Attributes
    ----------
    policy : SoftmaxPolicy
        The last iterate.
    steps : ndarray, shape (T,)
        Exponents a_t in pi' ~ pi exp(a_t A), in 1/reward: step_size * L(pi_t), or step_size / (1 - gamma).
    """

    policy: SoftmaxPolicy
    steps: FloatArray


@dataclass(frozen=True, eq=False)
class _Optimum:
    objective: float
    values: FloatArray
    evaluation: Evaluation
    actions: NDArray[np.int64]

    def divergence(self, policy: SoftmaxPolicy) -> float:
        """E_{d*} KL(pi* || policy) in nats."""
        chosen = policy.log_prob(np.arange(policy.n_states), self.actions)
        visited = self.evaluation.occupancy > 0.0
        return float(-(self.evaluation.occupancy[visited] @ chosen[visited]))


def _without_horizon(mdp: TabularMDP) -> TabularMDP:
    if mdp.horizon is not None:
        msg = f"mdp: horizon={mdp.horizon}, expected None; the statement is about mdp.with_time()"
        raise ValueError(msg)
    return mdp


def _discounted(mdp: TabularMDP) -> TabularMDP:
    if _without_horizon(mdp).gamma == 1.0:
        msg = "mdp: gamma=1, expected gamma < 1; the bound has 1/(1 - gamma)"
        raise ValueError(msg)
    return mdp


def _optimum(mdp: TabularMDP) -> _Optimum:
    solution = solve(mdp)
    probs = np.zeros(mdp.action_mask.shape)
    probs[np.arange(mdp.n_states), solution.actions] = 1.0
    return _Optimum(solution.objective, solution.values, evaluate(mdp, probs), solution.actions)


def _start(mdp: TabularMDP, policy: TabularSoftmax | None) -> TabularSoftmax:
    if policy is None:
        return TabularSoftmax(mdp.n_states, mdp.n_actions, action_mask=mdp.action_mask)
    return _tabular(policy)


def _reward_spread(mdp: TabularMDP) -> float:
    """Length of the interval of rewards, with the 0 that follows termination."""
    rewards = mdp.rewards[mdp.action_mask]
    ends = bool(np.any(mdp.termination > 0.0))
    return float(rewards.max(initial=0.0 if ends else -np.inf) - rewards.min(initial=0.0 if ends else np.inf))


def _slack(mdp: TabularMDP, optimum: _Optimum) -> float:
    return _ROUNDING * max(1.0, float(np.abs(mdp.rewards).max())) * max(1.0, optimum.evaluation.effective_horizon)


def _iterate(
    mdp: TabularMDP, policy: SoftmaxPolicy, n_iterations: int, exponent: Callable[[Batch], float], *, tau: float = 0.0
) -> Iterator[tuple[SoftmaxPolicy, float]]:
    """Natural steps theta + a_t F^+ grad J / L, each with its a_t."""
    for _ in range(_validate.integer("n_iterations", n_iterations, low=1)):
        batch = exact_batch(mdp, policy, tau=tau)
        step = exponent(batch)
        direction = natural_gradient(policy, batch).direction
        policy = policy.with_theta(policy.theta + step / batch.effective_horizon * direction)
        yield policy, step


def npg_gap_bounds(mdp: TabularMDP, steps: ArrayLike, *, policy: TabularSoftmax | None = None) -> FloatArray:
    """Bound the gaps of exact tabular NPG with steps pi' ~ pi exp(a_t A): no run is made.

    J* - J_T <= L* [E_{d*} KL(pi* || pi_0) + max_t a_t E_{d*}(V* - V_0)] / sum_{t<T} a_t.

    Parameters
    ----------
    mdp : TabularMDP
        Without a horizon; for one, give mdp.with_time().
    steps : array_like, shape (T,)
        a_t = step_size L(pi_t), positive, in 1/reward.
    policy : TabularSoftmax, optional
        pi_0; default uniform over the allowed actions, for which the divergence is at most log A.

    Returns
    -------
    ndarray, shape (T,)
        In reward; entry t bounds the gap after t + 1 updates.

    Raises
    ------
    TypeError, ValueError
        For a horizon; for steps that are not positive.

    Notes
    -----
    Hedge at every state gives a_t E_{d*,pi*} A_t = E_{d*}[KL_t - KL_{t+1} + log Z_t], and log Z_t is at most
    a_t (V_{t+1} - V_t) state by state; the performance difference lemma and J_t increasing do the rest. Without
    termination it implies the bound of Agarwal et al., and it needs neither a range of rewards nor gamma < 1.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, JMLR 22(98), 2021, theorem 16 (its proof).

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.npg_gap_bounds(nf.problems.two_state(gamma=0.9), [1.0, 1.0, 1.0]).shape
    (3,)
    """
    a = _validate.real_array("steps", steps, (None,))
    if not (a > 0.0).all():
        msg = f"steps[{int(np.argmin(a > 0.0))}]={a.min()}: expected positive numbers"
        raise ValueError(msg)
    optimum = _optimum(_without_horizon(mdp))
    start = _start(mdp, policy)
    return _gap_bounds(mdp, optimum, start, a)


def _gap_bounds(mdp: TabularMDP, optimum: _Optimum, start: TabularSoftmax, a: FloatArray) -> FloatArray:
    before = evaluate(mdp, start).values
    slope = float(optimum.evaluation.occupancy @ (optimum.values - before))
    total = optimum.divergence(start) + np.maximum.accumulate(a) * slope
    return optimum.evaluation.effective_horizon * total / np.cumsum(a)


def npg_rate_bound(
    mdp: TabularMDP,
    step_size: float,
    n_iterations: int,
    *,
    policy: TabularSoftmax | None = None,
    scaling: Scaling = "effective_horizon",
) -> RateBound:
    """Run exact tabular NPG and bound its gap, J* - J_T <= log A / (eta T) + R / ((1 - gamma)^2 T).

    Parameters
    ----------
    mdp : TabularMDP
        Without a horizon; for one, give mdp.with_time().
    step_size : float
        eta > 0, any.
    n_iterations : int
        T.
    policy : TabularSoftmax, optional
        pi_0; default uniform. log A is E_{d*} KL(pi* || pi_0), which is log A from the uniform policy.
    scaling : {"effective_horizon", "discount"}
        "effective_horizon": pi' ~ pi exp(eta L(pi) A), the package's step, with the bound of `npg_gap_bounds`.
        "discount": pi' ~ pi exp(eta A / (1 - gamma)), with the bound above; the same run where nothing terminates.

    Returns
    -------
    RateBound
        In reward. R is the length of the interval of rewards (0 included where episodes end); the paper has rewards
        in [0, 1] and R = 1.

    Raises
    ------
    TypeError, ValueError
        For a horizon; for gamma = 1 with scaling="discount"; for a step_size that is not positive.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, "On the theory of policy gradient methods: optimality,
    approximation, and distribution shift", JMLR 22(98), 2021, theorem 16.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.npg_rate_bound(nf.problems.two_state(gamma=0.9), 0.1, 20).holds
    True
    """
    eta = _validate.real("step_size", step_size, low=0.0, low_open=True)
    paper = _validate.choice("scaling", scaling, ("effective_horizon", "discount")) == "discount"
    start, optimum = _start(mdp, policy), _optimum(_discounted(mdp) if paper else _without_horizon(mdp))
    last, gaps, steps = _run_gaps(mdp, start, optimum, n_iterations, eta, paper=paper)
    if paper:
        constant = optimum.divergence(start) / eta + _reward_spread(mdp) / (1.0 - mdp.gamma) ** 2
        bounds = constant / np.arange(1, n_iterations + 1)
    else:
        bounds = _gap_bounds(mdp, optimum, start, steps)
    return RateBound(gaps, bounds, _slack(mdp, optimum), last, steps)


def _run_gaps(
    mdp: TabularMDP, start: SoftmaxPolicy, optimum: _Optimum, n_iterations: int, eta: float, *, paper: bool
) -> tuple[SoftmaxPolicy, FloatArray, FloatArray]:
    """Last policy, gaps (T,) after each update, and exponents (T,)."""

    def exponent(batch: Batch) -> float:
        return eta / (1.0 - mdp.gamma) if paper else eta * batch.effective_horizon

    gaps, steps, last = [], [], start
    for last, step in _iterate(mdp, start, n_iterations, exponent):
        gaps.append(optimum.objective - evaluate(mdp, last).objective)
        steps.append(step)
    return last, np.array(gaps), np.array(steps)


def npg_improvement_bound(mdp: TabularMDP, policy: TabularSoftmax, step_size: float) -> LowerBound:
    """Check J_{t+1} - J_t >= E_mu log Z_t / (eta L) >= 0 for one exact tabular NPG step of any size.

    Parameters
    ----------
    mdp : TabularMDP
        Without a horizon; for one, give mdp.with_time().
    policy : TabularSoftmax
        pi_t.
    step_size : float
        eta > 0, L not included: pi_{t+1} ~ pi_t exp(eta L A_t), Z_t(s) = sum_a pi_t(a|s) exp(eta L A_t(s, a)).

    Returns
    -------
    LowerBound
        In reward. Where nothing terminates the bound is the paper's ((1 - gamma) / eta) E_mu log Z_t.

    Raises
    ------
    TypeError, ValueError
        For a horizon; for a policy that is not tabular; for a step_size that is not positive.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, JMLR 22(98), 2021, lemma 17.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.npg_improvement_bound(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 10.0).holds
    True
    """
    eta = _validate.real("step_size", step_size, low=0.0, low_open=True)
    policy, before = _tabular(policy), evaluate(_without_horizon(mdp), policy)
    direction = natural_gradient(policy, exact_batch(mdp, policy)).direction
    after = evaluate(mdp, policy.with_theta(policy.theta + eta * direction)).objective
    step = eta * before.effective_horizon
    logits = _log_probabilities(policy) + step * before.advantages
    highest = logits.max(axis=1)
    log_z = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    slack = _ROUNDING * max(1.0, float(np.abs(mdp.rewards).max())) * max(1.0, before.effective_horizon)
    return LowerBound(after - before.objective, float(mdp.initial_distribution @ log_z) / step, slack)


def constant_step_rate_bound(
    mdp: TabularMDP, step_size: float, n_iterations: int, *, policy: TabularSoftmax | None = None
) -> RateBound:
    """Run policy mirror descent with a constant step and bound its gap after k updates.

    pi' ~ pi exp(eta Q): J* - J_k <= [D0 / (eta (1 - gamma)) + R / (1 - gamma)^2] / (k + 1) with
    D0 = E_{d*} KL(pi* || pi_0).

    Parameters
    ----------
    mdp : TabularMDP
        With gamma < 1 and without a horizon.
    step_size : float
        Positive; the paper's eta is step_size / (1 - gamma), so that where nothing terminates the run is the package's
        own.
    n_iterations : int
        k runs from 1 to this.
    policy : TabularSoftmax, optional
        pi_0; default uniform.

    Returns
    -------
    RateBound
        In reward. R is as in `npg_rate_bound`.

    Raises
    ------
    TypeError, ValueError
        For a horizon, gamma = 1, or a step_size that is not positive.

    References
    ----------
    L. Xiao, "On the convergence rates of policy gradient methods", JMLR 23(282), 2022, theorem 7.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.constant_step_rate_bound(nf.problems.two_state(gamma=0.9), 0.1, 20).holds
    True
    """
    base = _validate.real("step_size", step_size, low=0.0, low_open=True)
    start, optimum = _start(mdp, policy), _optimum(_discounted(mdp))
    last, gaps, steps = _run_gaps(mdp, start, optimum, n_iterations, base, paper=True)
    constant = optimum.divergence(start) / base + _reward_spread(mdp) / (1.0 - mdp.gamma) ** 2
    return RateBound(gaps, constant / np.arange(2, n_iterations + 2), _slack(mdp, optimum), last, steps)
