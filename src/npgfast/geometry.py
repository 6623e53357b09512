"""Gradients, Fisher matrices, natural directions, surrogates and divergences of a policy over a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.batch import Batch
from npgfast.policies import LinearPolicy, Policy, SoftmaxPolicy
from npgfast.status import Status
from npgfast.threads import thread_count

__all__ = [
    "CGResult",
    "ClippedSurrogate",
    "NaturalGradient",
    "Surrogate",
    "clipped_surrogate",
    "conjugate_gradient",
    "fisher_matrix",
    "fisher_vector_product",
    "kl_divergence",
    "natural_gradient",
    "policy_gradient",
    "surrogate",
]

FloatArray = NDArray[np.float64]
Estimator = Literal["analytic", "empirical"]
Method = Literal["auto", "pinv", "cg", "cholesky", "regression", "closed_form"]

ESTIMATORS = ("analytic", "empirical")
METHODS = ("auto", "pinv", "cg", "cholesky", "regression", "closed_form")


class _LinearOperator(Protocol):
    def matvec(self, x: FloatArray, /) -> ArrayLike: ...


@dataclass(frozen=True, eq=False)
class CGResult:
    """Outcome of `conjugate_gradient`.

    Attributes
    ----------
    x : ndarray, shape (d,)
        Always finite.
    residual_norm : float
        ||b - A x||_2, recomputed at the end.
    iterations : int
    status : Status
        ok, cg_max_iterations, zero_gradient (b = 0), negative_curvature, or non_finite.
    """

    x: FloatArray
    residual_norm: float
    iterations: int
    status: Status


@dataclass(frozen=True, eq=False)
class NaturalGradient:
    """Outcome of `natural_gradient`.

    Attributes
    ----------
    direction : ndarray, shape (n_params,)
        F^+ grad J, with L; zeros unless the status is ok or cg_max_iterations.
    status : Status
    residual_norm : float
        ||(F + ridge) direction - grad J||_2, for the Fisher matrix of the estimator used; where conjugate gradients use
        up their iterations, to six digits.
    iterations : int
        Of conjugate gradients, else 0.
    rank : int
        Numerical rank of the (damped) Fisher matrix where the method finds it, else -1.
    """

    direction: FloatArray
    status: Status
    residual_norm: float
    iterations: int
    rank: int


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Value, in reward and with L, and gradient, shape (n_params,), of the importance-sampled surrogate."""

    value: float
    gradient: FloatArray


@dataclass(frozen=True, eq=False)
class ClippedSurrogate:
    """Value and gradient, with L, of PPO's clipped surrogate.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (n_params,)
    clip_fraction : float
        Weight of the samples whose gradient is zeroed: (A > 0, r > 1 + eps) or (A < 0, r < 1 - eps).
    approx_kl : float
        sum w (r - 1 - log r), in nats.
    """

    value: float
    gradient: FloatArray
    clip_fraction: float
    approx_kl: float


def _check(policy: object, batch: object) -> tuple[Policy, Batch]:
    if not isinstance(policy, Policy):
        msg = (
            "policy: expected a TabularSoftmax, LogLinear, LinearSoftmax or LinearGaussian policy, got "
            f"{type(policy).__name__}"
        )
        raise TypeError(msg)
    if not isinstance(batch, Batch):
        msg = f"batch: expected a Batch, got {type(batch).__name__}"
        raise TypeError(msg)
    return policy, batch


def policy_gradient(policy: Policy, batch: Batch) -> FloatArray:
    """Compute the policy gradient L sum_i w_i A_i score(s_i, a_i).

    Parameters
    ----------
    policy : Policy
    batch : Batch
        An exact batch gives grad J itself.

    Returns
    -------
    ndarray, shape (n_params,)
        In reward per unit of theta.

    Raises
    ------
    TypeError, ValueError
        For a batch that does not fit the policy.

    References
    ----------
    R. S. Sutton et al., NIPS 1999, theorem 1.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.policy_gradient(policy, nf.exact_batch(mdp, policy)).shape
    (4,)
    """
    policy, batch = _check(policy, batch)
    return _core.policy_gradient(*policy._on(batch), thread_count())


def fisher_vector_product(
    policy: Policy,
    batch: Batch,
    vector: ArrayLike,
    *,
    damping: float = 0.0,
    estimator: Estimator = "analytic",
) -> FloatArray:
    """Multiply a vector by the Fisher matrix without forming it.

    Parameters
    ----------
    policy : Policy
    batch : Batch
        Only states, actions and weights are read.
    vector : array_like, shape (n_params,)
    damping : float
        Relative: the matrix is F + damping * (tr F / n_params) * I.
    estimator : {"analytic", "empirical"}
        Sum over all actions in closed form, or over the actions of the batch. On an exact batch they agree.

    Returns
    -------
    ndarray, shape (n_params,)

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit the policy.

    References
    ----------
    S. M. Kakade, "A natural policy gradient", NIPS 2001, eq. (2); J. Schulman et al., arXiv:1502.05477, appendix C.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.fisher_vector_product(policy, nf.exact_batch(mdp, policy), [1.0, 1.0, 0.0, 0.0])
    array([0., 0., 0., 0.])
    """
    policy, batch = _check(policy, batch)
    v = _validate.real_array("vector", vector, (policy.n_params,), because="to match policy")
    damping = _validate.real("damping", damping, low=0.0)
    code = ESTIMATORS.index(_validate.choice("estimator", estimator, ESTIMATORS))
    return _core.fisher_vector_product(*policy._on(batch), v, code, damping, thread_count())


def fisher_matrix(policy: Policy, batch: Batch, *, estimator: Estimator = "analytic") -> FloatArray:
    """Form the Fisher matrix E_{s~d} E_{a~pi}[score score^T].

    Parameters
    ----------
    policy : Policy
    batch : Batch
    estimator : {"analytic", "empirical"}

    Returns
    -------
    ndarray, shape (n_params, n_params)
        Symmetric positive semidefinite; singular for every tabular softmax.

    Raises
    ------
    TypeError, ValueError
        For a batch that does not fit the policy.
    MemoryError
        If n_params**2 numbers do not fit.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.fisher_matrix(policy, nf.exact_batch(mdp, policy))[0]
    array([ 0.1325, -0.1325,  0.    ,  0.    ])
    """
    policy, batch = _check(policy, batch)
    _validate.allocation("fisher_matrix", policy.n_params, policy.n_params)
    code = ESTIMATORS.index(_validate.choice("estimator", estimator, ESTIMATORS))
    return _core.fisher_matrix(*policy._on(batch), code, thread_count())


def conjugate_gradient(
    operator: Callable[[FloatArray], ArrayLike] | ArrayLike | _LinearOperator,
    b: ArrayLike,
    *,
    max_iters: int | None = None,
    rtol: float = 1e-10,
    x0: ArrayLike | None = None,
) -> CGResult:
    """Solve A x = b for a symmetric positive semidefinite A by conjugate gradients.

    Parameters
    ----------
    operator : callable, array_like of shape (d, d), or SciPy LinearOperator
        Computes A v for v of shape (d,).
    b : array_like, shape (d,)
    max_iters : int, optional
        Default 10 d.
    rtol : float
        Stops when the norm of the residual is at most ``rtol * ||b||``.
    x0 : array_like, shape (d,), optional
        Default 0, from which x stays in the range of a singular A.

    Returns
    -------
    CGResult

    Raises
    ------
    TypeError, ValueError
        For wrong shapes, values that are not finite, an operator that returns the wrong shape; exceptions of the
        operator pass through.

    References
    ----------
    M. R. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49, 1952; J. Nocedal, S. J. Wright, "Numerical
    Optimization", 2006, algorithm 5.2.

    Examples
    --------
    >>> import npgfast as nf
    >>> result = nf.conjugate_gradient([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0])
    >>> result.x, result.status == "ok"
    (array([1., 1.]), True)
    """
    right = _validate.real_array("b", b, (None,)).copy()  # the operator may change what the caller gave
    start = np.zeros_like(right)
    if x0 is not None:
        start = _validate.real_array("x0", x0, right.shape, because="to match b")
    limit = 10 * right.size if max_iters is None else _validate.integer("max_iters", max_iters, low=0)
    rtol = _validate.real("rtol", rtol, low=0.0)
    apply: Callable[[FloatArray], ArrayLike]
    if hasattr(operator, "matvec"):
        apply = operator.matvec
    elif callable(operator):
        apply = operator
    else:
        matrix = _validate.real_array("operator", operator, (right.size, right.size), because="to match b")
        apply = matrix.dot

    def multiply(v: FloatArray) -> FloatArray:
        return _validate.real_array("operator(v)", apply(v), right.shape, finite=False, because="to match b")

    x, residual_norm, iterations, status = _core.conjugate_gradient(multiply, right, start, limit, rtol)
    return CGResult(x, residual_norm, iterations, Status._of(status))


def natural_gradient(
    policy: Policy,
    batch: Batch,
    *,
    method: Method = "auto",
    estimator: Estimator = "analytic",
    damping: float = 0.0,
    rtol: float = 1e-10,
    max_iters: int | None = None,
) -> NaturalGradient:
    """Compute the natural direction F^+ grad J, L included.

    Parameters
    ----------
    policy : Policy
    batch : Batch
    method : {"auto", "pinv", "cg", "cholesky", "regression", "closed_form"}
        "pinv" by eigendecomposition (state by state for a tabular policy); "cg" from Fisher products; "cholesky" of
        F + ridge, which needs damping where F is singular (status negative_curvature otherwise); "regression" solves
        the compatible least-squares problem by an orthogonal decomposition, never the normal equations, and is the
        empirical Fisher's direction; "closed_form" is L times the centred advantage, tabular and analytic only.
        "auto" takes the closed form where there is one, else a factorisation up to 256 parameters, else "cg".
    estimator : {"analytic", "empirical"}
    damping : float
        Relative: F + damping * (tr F / n_params) * I.
    rtol : float
        Of conjugate gradients.
    max_iters : int, optional
        Of conjugate gradients, at least 1; default 20 n_params + 100.

    Returns
    -------
    NaturalGradient

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit the policy; for "closed_form" without a tabular policy and the analytic
        estimator.

    Notes
    -----
    All methods agree for the same estimator, and on exact batches for both. On a sampled batch without a baseline the
    regression fits noise of the size of the returns: give its labels a baseline.

    References
    ----------
    S. M. Kakade, NIPS 2001, theorem 1; A. Agarwal et al., JMLR 22(98), 2021, lemma 15.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.natural_gradient(policy, nf.exact_batch(mdp, policy)).status == "ok"
    True
    """
    policy, batch = _check(policy, batch)
    method_code = METHODS.index(_validate.choice("method", method, METHODS))
    estimator_code = ESTIMATORS.index(_validate.choice("estimator", estimator, ESTIMATORS))
    damping = _validate.real("damping", damping, low=0.0)
    rtol = _validate.real("rtol", rtol, low=0.0)
    budget = 0 if max_iters is None else _validate.integer("max_iters", max_iters, low=1, high=2**62)
    direction, status, residual_norm, iterations, rank = _core.natural_gradient(
        *policy._on(batch), method_code, estimator_code, damping, rtol, budget, thread_count()
    )
    return NaturalGradient(direction, Status._of(status), residual_norm, iterations, rank)


def _surrogate(policy: Policy, batch: Batch, clip_range: float) -> tuple[float, FloatArray, float, float]:
    policy, batch = _check(policy, batch)
    if batch.log_probs is None:
        msg = "batch.log_probs: a surrogate needs the log-probabilities under the old policy, got None"
        raise ValueError(msg)
    return _core.surrogate(*policy._on(batch), clip_range, thread_count())


def surrogate(policy: Policy, batch: Batch) -> Surrogate:
    """Compute the surrogate L sum_i w_i r_i A_i with r_i = pi(a_i|s_i) / exp(batch.log_probs[i]), and its gradient.

    At the policy that collected the batch its gradient is the policy gradient.

    Parameters
    ----------
    policy : Policy
        The new policy.
    batch : Batch
        With log_probs of the old one.

    Returns
    -------
    Surrogate

    Raises
    ------
    TypeError, ValueError
        For a batch without log_probs or one that does not fit the policy.

    References
    ----------
    J. Schulman et al., "Trust region policy optimization", 2015, arXiv:1502.05477, eq. (14).

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> abs(nf.surrogate(policy, nf.exact_batch(mdp, policy)).value) < 1e-12
    True
    """
    value, gradient, _, _ = _surrogate(policy, batch, np.inf)
    return Surrogate(value, gradient)


def clipped_surrogate(policy: Policy, batch: Batch, *, clip_range: float = 0.2) -> ClippedSurrogate:
    """Compute PPO's clipped surrogate L sum_i w_i min(r_i A_i, clip(r_i, 1-eps, 1+eps) A_i), and its gradient.

    Parameters
    ----------
    policy : Policy
        The new policy.
    batch : Batch
        With log_probs of the old one.
    clip_range : float
        eps, in (0, 1).

    Returns
    -------
    ClippedSurrogate

    Raises
    ------
    TypeError, ValueError
        For a batch without log_probs, one that does not fit the policy, or a clip_range outside (0, 1).

    References
    ----------
    J. Schulman et al., "Proximal policy optimization algorithms", 2017, arXiv:1707.06347, eq. (7).

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.clipped_surrogate(policy, nf.exact_batch(mdp, policy)).clip_fraction
    0.0
    """
    clip_range = _validate.real("clip_range", clip_range, low=0.0, high=1.0, low_open=True, high_open=True)
    return ClippedSurrogate(*_surrogate(policy, batch, clip_range))


def kl_divergence(old: Policy, new: Policy, batch: Batch) -> float:
    """Compute the mean KL(old || new) in nats over the batch's states, weighted as the batch is.

    Implementations disagree on the direction and on the weights; here it is the divergence of the new policy from the
    old one, with the batch's own weights.

    Parameters
    ----------
    old, new : Policy
    batch : Batch

    Returns
    -------
    float
        Nonnegative; +inf where `new` masks what `old` does.

    Raises
    ------
    TypeError, ValueError
        For policies or a batch that do not fit each other.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    >>> nf.kl_divergence(policy, policy, nf.exact_batch(mdp, policy))
    0.0
    """
    old, batch = _check(old, batch)
    new, batch = _check(new, batch)
    if isinstance(old, LinearPolicy):
        return _observed_divergence(old, new, batch)
    if not isinstance(old, SoftmaxPolicy) or not isinstance(new, SoftmaxPolicy):
        msg = f"new: {type(new).__name__}, which is not comparable with a {type(old).__name__}"
        raise TypeError(msg)
    if batch.observations is not None:
        msg = f"batch.states: {type(old).__name__} needs states of shape (n,), got a 2-d array of observations"
        raise ValueError(msg)
    if (old.n_states, old.n_actions) != (new.n_states, new.n_actions):
        msg = f"new: {new.n_states} states and {new.n_actions} actions, but old has {old.n_states} and {old.n_actions}"
        raise ValueError(msg)
    states = _validate.integer_array("batch.states", batch.states, (None,), low=0, high=old.n_states)
    state_weights: FloatArray = np.bincount(states, weights=batch.weights, minlength=old.n_states).astype(np.float64)
    return _core.mean_kl(old._table, new._table, state_weights)


def _observed_divergence(old: LinearPolicy, new: Policy, batch: Batch) -> float:
    if type(new) is not type(old) or not isinstance(new, LinearPolicy):
        msg = f"new: {type(new).__name__}, which is not comparable with a {type(old).__name__}"
        raise TypeError(msg)
    sizes = [(policy.observation_size, policy.n_actions, policy.action_size) for policy in (old, new)]
    if sizes[0] != sizes[1]:
        msg = f"new: (observation_size, n_actions, action_size) = {sizes[1]}, but old has {sizes[0]}"
        raise ValueError(msg)
    if batch.observations is None or batch.observations.shape[1] != old.observation_size:
        msg = f"batch.states: expected observations of shape (n, {old.observation_size}), got {batch.states.shape}"
        raise ValueError(msg)
    return old._divergence(new, batch)
