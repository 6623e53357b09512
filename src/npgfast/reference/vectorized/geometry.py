"""NumPy: policy gradient, Fisher information, least squares, natural gradients, surrogates and KL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from npgfast.reference.vectorized.policies import _from_logits, _scores, _weighted_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from npgfast.reference.vectorized.policies import Array, BoolArray, IntArray


def policy_gradient(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
) -> Array:
    """grad J = L sum_i w_i A_i score(s_i, a_i).

    Source: Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1. Twin: :func:`.loops.policy_gradient`.
    """
    return effective_horizon * _weighted_score(probs, states, actions, weights * advantages, features)


def fisher_matrix(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    features: Array | None = None,
    estimator: str = "analytic",
) -> Array:
    """F = sum_i w_i E_(a ~ pi(.|s_i))[score score^T], or with the batch's own actions ("empirical").

    Source: Kakade, NIPS 2001, section 2; Amari, Neural Computation 10(2), 1998. Twin: :func:`.loops.fisher_matrix`.
    """
    n_states, n_actions = probs.shape
    if estimator == "empirical":
        scores = _scores(probs, states, actions, features)
        result: Array = scores.T @ (weights[:, None] * scores)
        return result
    if estimator != "analytic":
        msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
        raise ValueError(msg)
    state_weights = np.bincount(states, weights, minlength=n_states)
    blocks = state_weights[:, None, None] * (
        np.eye(n_actions) * probs[:, :, None] - probs[:, :, None] * probs[:, None, :]
    )
    if features is None:
        fisher = np.zeros((n_states, n_actions, n_states, n_actions))
        fisher[np.arange(n_states), :, np.arange(n_states), :] = blocks
        return fisher.reshape(n_states * n_actions, -1)
    projected: Array = np.einsum("sad,sab,sbe->de", features, blocks, features, optimize=True)
    return projected


def fisher_vector_product(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    vector: Array,
    damping: float = 0.0,
    features: Array | None = None,
    estimator: str = "analytic",
) -> Array:
    """(F + damping (tr F / d) I) v without forming F.

    Source: Schulman, Levine, Moritz, Jordan, Abbeel, ICML 2015, appendix C.1, arXiv:1502.05477. Twin:
    :func:`.loops.fisher_vector_product`.
    """
    if features is None:
        logits_vector = vector.reshape(probs.shape)
        squares = 1.0 - 2.0 * probs + (probs**2).sum(axis=1, keepdims=True)
    else:
        logits_vector = features @ vector
        squares = ((features - np.einsum("sa,sad->sd", probs, features)[:, None, :]) ** 2).sum(axis=2)
    centred = logits_vector - (probs * logits_vector).sum(axis=1, keepdims=True)
    state_weights = np.bincount(states, weights, minlength=len(probs))
    if estimator == "empirical":
        product = _weighted_score(probs, states, actions, weights * centred[states, actions], features)
        trace = float(weights @ squares[states, actions])
    elif estimator == "analytic":
        product = _from_logits(state_weights[:, None] * probs * centred, features)
        trace = float(state_weights @ (probs * squares).sum(axis=1))
    else:
        msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
        raise ValueError(msg)
    return product + damping * trace / len(vector) * vector


def conjugate_gradient(
    matrix: Array | Callable[[Array], Array], b: Array, max_iters: int, rtol: float
) -> tuple[Array, float, int]:
    """Solve A x = b for a symmetric positive semidefinite A by conjugate gradients from 0.

    Source: Hestenes, Stiefel, Journal of Research of the NBS 49(6), 1952, equations 3:1. Twin:
    :func:`.loops.conjugate_gradient`.
    """
    product = matrix if callable(matrix) else lambda v: matrix @ v
    x: Array = np.zeros_like(b)
    residual: Array = b.copy()
    direction: Array = b.copy()
    square = float(residual @ residual)
    target = rtol * float(np.linalg.norm(b))
    iterations = 0
    while iterations < max_iters and square > 0 and np.sqrt(square) > target:
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 0:
            break
        step = square / curvature
        x = x + step * direction
        residual = residual - step * image
        previous, square = square, float(residual @ residual)
        direction = residual + square / previous * direction
        iterations += 1
    return x, float(np.linalg.norm(b - product(x))), iterations


def natural_gradient_pinv(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
    estimator: str = "analytic",
    damping: float = 0.0,
    rcond: float = 1e-12,
) -> Array:
    """(F + damping (tr F / d) I)^+ grad J by the Moore-Penrose inverse.

    Source: Kakade, NIPS 2001, section 2; Agarwal et al. 2021, section 5.3. Twin: :func:`.loops.natural_gradient_pinv`.
    """
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features)
    fisher = fisher_matrix(probs, states, actions, weights, features, estimator)
    fisher = fisher + damping * np.trace(fisher) / len(fisher) * np.eye(len(fisher))
    result: Array = np.linalg.pinv(fisher, rcond=rcond, hermitian=True) @ gradient
    return result


def natural_gradient_regression(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
    rcond: float = 1e-9,
) -> Array:
    """L w*, with w* the shortest minimiser of sum_i w_i (A_i - w^T score_i)^2.

    Source: Kakade, NIPS 2001, theorem 1; Agarwal et al. 2021, section 6.1. Twin:
    :func:`.loops.natural_gradient_regression`.
    """
    scale = np.sqrt(weights)
    scores = _scores(probs, states, actions, features)
    solution = np.asarray(
        np.linalg.lstsq(scale[:, None] * scores, scale * advantages, rcond=rcond)[0], dtype=np.float64
    )
    return effective_horizon * solution


def natural_gradient_closed_form(
    advantages: Array,
    probs: Array,
    effective_horizon: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """F^+ grad J of the tabular softmax: L (A(s, a) - its mean over the allowed actions), 0 where unreachable.

    Source: Agarwal et al. 2021, section 5.3 (NPG as soft policy iteration). Twin:
    :func:`.loops.natural_gradient_closed_form`.
    """
    allowed = np.ones(probs.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    mean = np.where(allowed, advantages, 0.0).sum(axis=1, keepdims=True) / allowed.sum(axis=1, keepdims=True)
    direction = np.where(allowed & reachable[:, None], advantages - mean, 0.0)
    result: Array = effective_horizon * direction.ravel()
    return result


def _ratio_terms(log_probs_new: Array, log_probs_old: Array, weights: Array) -> tuple[BoolArray, Array]:
    used = np.asarray(weights != 0)
    return used, log_probs_new[used] - log_probs_old[used]


def surrogate(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i r_i A_i, r = pi_new / pi_old.

    Source: Schulman et al. 2015, equation 14, arXiv:1502.05477. Twin: :func:`.loops.surrogate`.
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    return effective_horizon * float(np.sum(weights[used] * np.exp(log_ratio) * advantages[used]))


def surrogate_improvement(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i (r_i - 1) A_i, through expm1.

    Twin: :func:`.loops.surrogate_improvement`.
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    return effective_horizon * float(np.sum(weights[used] * np.expm1(log_ratio) * advantages[used]))


def surrogate_gradient(
    probs_new: Array,
    log_probs_old: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    features: Array | None = None,
) -> Array:
    """Gradient of :func:`surrogate` in the parameters of the new policy: L sum_i w_i r_i A_i score_i.

    Source: Schulman et al. 2015, equation 14, arXiv:1502.05477. Twin: :func:`.loops.surrogate_gradient`.
    """
    used = weights != 0
    s, a = states[used], actions[used]
    coefficients = weights[used] * probs_new[s, a] * np.exp(-log_probs_old[used]) * advantages[used]
    return effective_horizon * _weighted_score(probs_new, s, a, coefficients, features)


def _is_clipped(ratio: Array, advantages: Array, clip_range: float) -> BoolArray:
    clipped: BoolArray = ((advantages > 0) & (ratio > 1 + clip_range)) | ((advantages < 0) & (ratio < 1 - clip_range))
    return clipped


def clipped_surrogate(
    log_probs_new: Array,
    log_probs_old: Array,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    clip_range: float,
) -> tuple[float, float, float]:
    """L sum_i w_i min(r_i A_i, clip(r_i, 1 - eps, 1 + eps) A_i).

    Source: Schulman, Wolski, Dhariwal, Radford, Klimov 2017, equation 7, arXiv:1707.06347. Twin:
    :func:`.loops.clipped_surrogate`.
    """
    used, log_ratio = _ratio_terms(log_probs_new, log_probs_old, weights)
    ratio, w, a = np.exp(log_ratio), weights[used], advantages[used]
    value = float(np.sum(w * np.minimum(ratio * a, np.clip(ratio, 1 - clip_range, 1 + clip_range) * a)))
    clip_fraction = float(np.sum(w * _is_clipped(ratio, a, clip_range)))
    return effective_horizon * value, clip_fraction, float(np.sum(w * (np.expm1(log_ratio) - log_ratio)))


def clipped_surrogate_gradient(
    probs_new: Array,
    log_probs_old: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    clip_range: float,
    features: Array | None = None,
) -> Array:
    """Gradient of :func:`clipped_surrogate`: that of the surrogate without the samples that are clipped.

    Source: Schulman et al. 2017, equation 7, arXiv:1707.06347. Twin: :func:`.loops.clipped_surrogate_gradient`.
    """
    used = weights != 0
    s, a, old, w, adv = states[used], actions[used], log_probs_old[used], weights[used], advantages[used]
    ratio = probs_new[s, a] * np.exp(-old)
    kept = ~_is_clipped(ratio, adv, clip_range)
    coefficients = (w * ratio * adv)[kept]
    return effective_horizon * _weighted_score(probs_new, s[kept], a[kept], coefficients, features)


def kl_divergence(probs_old: Array, probs_new: Array, states: IntArray, weights: Array) -> float:
    """sum_i w_i KL(old(.|s_i) || new(.|s_i)), nats; inf if an action in use becomes impossible.

    Source: Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951; Schulman et al. 2015, equation 12. Twin:
    :func:`.loops.kl_divergence`.
    """
    state_weights = np.bincount(states, weights, minlength=len(probs_old))[:, None]
    used = (state_weights * probs_old) > 0
    if np.any(probs_new[used] == 0):
        return float("inf")
    old, new = np.where(used, probs_old, 1.0), np.where(used, probs_new, 1.0)
    return float(np.sum(np.where(used, state_weights * probs_old, 0.0) * (np.log(old) - np.log(new))))
