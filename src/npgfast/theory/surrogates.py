"""What steps on the linear model and on the surrogates are: two views of a gradient step, clipping."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.batch import Batch
from npgfast.exact import exact_batch
from npgfast.geometry import clipped_surrogate, policy_gradient, surrogate
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.theory.statements import relative_distance

__all__ = ["GradientStepViews", "SurrogateCheck", "check_surrogate", "gradient_step_views"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SurrogateCheck:
    """Outcome of `check_surrogate`.

    Attributes
    ----------
    gradient_discrepancy, clipped_gradient_discrepancy : float
        Relative distance of the gradients of both surrogates at the old policy from the policy gradient.
    value, clipped_value : float
        Of both surrogates at the new policy, in reward.
    clip_fraction : float
        Weight of the samples whose gradient is zeroed at the new policy.
    mismatched : int
        Samples whose own clipped gradient is not what the rule says: 0 if (A > 0, r > 1 + eps) or (A < 0, r < 1 - eps),
        else the unclipped one.
    tolerance : float
        What `holds` allows of the discrepancies.
    """

    gradient_discrepancy: float
    clipped_gradient_discrepancy: float
    value: float
    clipped_value: float
    clip_fraction: float
    mismatched: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether all of it is as the theory says."""
        worst = max(self.gradient_discrepancy, self.clipped_gradient_discrepancy)
        slack = 1e-12 * max(abs(self.value), abs(self.clipped_value))
        return bool(worst <= self.tolerance and self.clipped_value <= self.value + slack and self.mismatched == 0)


def check_surrogate(
    mdp: TabularMDP,
    old: SoftmaxPolicy,
    new: SoftmaxPolicy,
    *,
    clip_range: float = 0.2,
    tolerance: float = 1e-10,
) -> SurrogateCheck:
    """Check the surrogate and PPO's clipped surrogate: gradients at the old policy, order, and where clipping zeroes.

    Parameters
    ----------
    mdp : TabularMDP
    old, new : SoftmaxPolicy
        Of the same kind and size.
    clip_range : float
        eps, in (0, 1).
    tolerance : float
        Of `SurrogateCheck.holds`.

    Returns
    -------
    SurrogateCheck

    Raises
    ------
    TypeError, ValueError
        As `evaluate` and `clipped_surrogate` do.

    References
    ----------
    J. Schulman et al., 2015, arXiv:1502.05477, eq. (4); J. Schulman et al., 2017, arXiv:1707.06347, eq. (7).

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> mdp, old = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> theory.check_surrogate(mdp, old, old.with_theta([1.0, 0.0, 0.0, 2.0])).holds
    True
    """
    batch = exact_batch(mdp, old)
    gradient = policy_gradient(old, batch)
    plain, clipped = surrogate(new, batch), clipped_surrogate(new, batch, clip_range=clip_range)
    ratios = (new.probs() / np.where(old.probs() > 0.0, old.probs(), 1.0))[batch.states, batch.actions]
    gone = np.where(batch.advantages > 0.0, ratios > 1.0 + clip_range, ratios < 1.0 - clip_range)
    mismatched = 0
    for i in np.flatnonzero(batch.weights * np.abs(batch.advantages) > 0.0):
        one = slice(i, i + 1)
        alone = Batch(
            batch.states[one],
            batch.actions[one],
            batch.advantages[one],
            log_probs=None if batch.log_probs is None else batch.log_probs[one],
        )
        expected = np.zeros(new.n_params) if gone[i] else surrogate(new, alone).gradient
        found = clipped_surrogate(new, alone, clip_range=clip_range).gradient
        mismatched += relative_distance(found, expected) > tolerance
    return SurrogateCheck(
        relative_distance(surrogate(old, batch).gradient, gradient),
        relative_distance(clipped_surrogate(old, batch, clip_range=clip_range).gradient, gradient),
        plain.value,
        clipped.value,
        clipped.clip_fraction,
        mismatched,
        tolerance,
    )


@dataclass(frozen=True, eq=False)
class GradientStepViews:
    """Outcome of `gradient_step_views`.

    Attributes
    ----------
    regularized_step, constrained_step : ndarray, shape (n_params,)
        eta g, and (radius / ||g||) g with radius = eta ||g||.
    discrepancy : float
        Relative distance of the two.
    regularized_gain, regularized_rival : float
        <g, x> - ||x||^2 / (2 eta) of the step, and the largest one among random rivals.
    constrained_gain, constrained_rival : float
        <g, x> of the step, and the largest one among random rivals in the ball.
    """

    regularized_step: FloatArray
    constrained_step: FloatArray
    discrepancy: float
    regularized_gain: float
    regularized_rival: float
    constrained_gain: float
    constrained_rival: float

    @property
    def holds(self) -> bool:
        """Whether both views give the same step, and no rival beats it."""
        slack = 1e-12 * abs(self.constrained_gain)
        return bool(
            self.discrepancy <= 1e-12
            and self.regularized_rival <= self.regularized_gain + slack
            and self.constrained_rival <= self.constrained_gain + slack
        )


def gradient_step_views(
    mdp: TabularMDP, policy: SoftmaxPolicy, step_size: float, *, n_rivals: int = 1000, seed: int = 0
) -> GradientStepViews:
    """Check the two views of a plain gradient step: the L2-regularised linear model and the L2 ball.

    argmax_x <g, x> - ||x||^2 / (2 eta) is eta g; argmax <g, x> over ||x|| <= radius is (radius / ||g||) g. With
    radius = eta ||g|| they are the same step.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    step_size : float
        eta, positive.
    n_rivals : int
        Random steps, at all distances from the optimal one, that must not do better.
    seed : int
        Of the rivals.

    Returns
    -------
    GradientStepViews

    Raises
    ------
    TypeError, ValueError
        As `evaluate` does; for a step_size or n_rivals that is not positive.

    References
    ----------
    Y. Nesterov, "Introductory Lectures on Convex Optimization", 2004, section 1.2.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.gradient_step_views(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 0.5).holds
    True
    """
    eta = _validate.real("step_size", step_size, low=0.0, low_open=True)
    rng = np.random.default_rng(_validate.integer("seed", seed, low=0))
    rivals = rng.standard_normal((_validate.integer("n_rivals", n_rivals, low=1), policy.n_params))
    rivals /= np.linalg.norm(rivals, axis=1, keepdims=True)
    gradient = policy_gradient(policy, exact_batch(mdp, policy))
    norm = float(np.linalg.norm(gradient))
    radius = eta * norm
    free = eta * gradient
    bound = free if norm == 0.0 else radius / norm * gradient
    near = free + radius * rng.uniform(0.0, 2.0, (len(rivals), 1)) * rivals
    inside = bound + radius * 10.0 ** rng.uniform(-6.0, 1.0, (len(rivals), 1)) * rivals
    inside *= np.minimum(1.0, radius / np.maximum(np.linalg.norm(inside, axis=1, keepdims=True), 1e-300))

    def regularized(x: FloatArray) -> FloatArray:
        return np.asarray(x @ gradient - np.sum(x * x, axis=-1) / (2.0 * eta))

    return GradientStepViews(
        free,
        bound,
        relative_distance(free, bound),
        float(regularized(free)),
        float(regularized(near).max()),
        float(bound @ gradient),
        float((inside @ gradient).max()),
    )
