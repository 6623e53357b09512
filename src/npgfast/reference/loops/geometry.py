"""Plain Python: policy gradient, Fisher information, least squares, natural gradients, surrogates and KL."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from npgfast.reference.loops.policies import _score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from npgfast.reference.loops.policies import Array, BoolArray, IntArray, Row, Table


def _listed(features: Array | None) -> list[Table] | None:
    return None if features is None else features.tolist()


def _combine(coefficients: Sequence[float], vectors: Sequence[Row], size: int) -> Row:
    total = [0.0] * size
    for c, vector in zip(coefficients, vectors, strict=True):
        for k, x in enumerate(vector):
            total[k] += c * x
    return total


def _size(probs: Array, features: Array | None) -> int:
    return probs.size if features is None else int(features.shape[2])


def _dot(x: Row, y: Row) -> float:
    return sum(a * b for a, b in zip(x, y, strict=True))


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

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    states, actions : ndarray of int, shape (n,)
    weights, advantages : ndarray, shape (n,)
    effective_horizon : float
        L.
    features : ndarray, shape (S, A, d), optional

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1.
    """
    table, phi = probs.tolist(), _listed(features)
    scores = [_score(table, s, a, phi) for s, a in zip(states.tolist(), actions.tolist(), strict=True)]
    coefficients = [w * a for w, a in zip(weights.tolist(), advantages.tolist(), strict=True)]
    return np.array([effective_horizon * x for x in _combine(coefficients, scores, _size(probs, features))])


def _fisher_terms(
    probs: Array, states: IntArray, actions: IntArray, weights: Array, features: Array | None, estimator: str
) -> list[tuple[float, Row]]:
    """Weights and scores whose weighted outer products sum to F."""
    table, phi = probs.tolist(), _listed(features)
    terms = []
    for s, a, w in zip(states.tolist(), actions.tolist(), weights.tolist(), strict=True):
        if estimator == "analytic":
            terms += [(w * p, _score(table, s, b, phi)) for b, p in enumerate(table[s])]
        elif estimator == "empirical":
            terms.append((w, _score(table, s, a, phi)))
        else:
            msg = f"estimator: expected 'analytic' or 'empirical', got {estimator!r}"
            raise ValueError(msg)
    return terms


def fisher_matrix(
    probs: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    features: Array | None = None,
    estimator: str = "analytic",
) -> Array:
    """F = sum_i w_i E_(a ~ pi(.|s_i))[score score^T], or with the batch's own actions ("empirical").

    Parameters
    ----------
    probs, states, actions, weights, features
        As in :func:`policy_gradient`.
    estimator : {"analytic", "empirical"}

    Returns
    -------
    ndarray, shape (S * A, S * A) or (d, d)

    References
    ----------
    Kakade, NIPS 2001, section 2; Amari, Neural Computation 10(2), 1998.
    """
    size = _size(probs, features)
    fisher = [[0.0] * size for _ in range(size)]
    for w, score in _fisher_terms(probs, states, actions, weights, features, estimator):
        for i, x in enumerate(score):
            if x != 0.0:
                for j, y in enumerate(score):
                    fisher[i][j] += w * x * y
    return np.array(fisher)


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
    """(F + damping (tr F / d) I) v = sum w score (score . v) + damping (tr F / d) v.

    Parameters
    ----------
    probs, states, actions, weights, features, estimator
        As in :func:`fisher_matrix`.
    vector : ndarray, shape (S * A,) or (d,)
    damping : float
        Relative to the mean eigenvalue.

    Returns
    -------
    ndarray, shape of `vector`

    References
    ----------
    Schulman, Levine, Moritz, Jordan, Abbeel, ICML 2015, appendix C.1, arXiv:1502.05477.
    """
    v: Row = vector.tolist()
    product, trace = [0.0] * len(v), 0.0
    for w, score in _fisher_terms(probs, states, actions, weights, features, estimator):
        along = w * sum(x * y for x, y in zip(score, v, strict=True))
        trace += w * sum(x * x for x in score)
        for k, x in enumerate(score):
            product[k] += along * x
    return np.array([p + damping * trace / len(v) * x for p, x in zip(product, v, strict=True)])


def conjugate_gradient(
    matrix: Array | Callable[[Array], Array], b: Array, max_iters: int, rtol: float
) -> tuple[Array, float, int]:
    """Solve A x = b for a symmetric positive semidefinite A by conjugate gradients from 0.

    Parameters
    ----------
    matrix : ndarray, shape (d, d), or callable
        A, or the function v -> A v.
    b : ndarray, shape (d,)
    max_iters : int
    rtol : float
        Stop when the residual's norm is at most rtol times that of b.

    Returns
    -------
    x : ndarray, shape (d,)
    residual_norm : float
        ||b - A x||, recomputed.
    iterations : int

    References
    ----------
    Hestenes, Stiefel, Journal of Research of the NBS 49(6), 1952, equations 3:1.
    """

    def product(v: Row) -> Row:
        if callable(matrix):
            image: Row = matrix(np.array(v)).tolist()
            return image
        return [_dot(row, v) for row in matrix.tolist()]

    x = [0.0] * len(b)
    residual: Row = b.tolist()
    direction = list(residual)
    square = _dot(residual, residual)
    target = rtol * math.sqrt(square)
    iterations = 0
    while iterations < max_iters and square > 0 and math.sqrt(square) > target:
        image = product(direction)
        curvature = _dot(direction, image)
        if not curvature > 0:
            break
        step = square / curvature
        x = [y + step * p for y, p in zip(x, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, image, strict=True)]
        previous, square = square, _dot(residual, residual)
        direction = [r + square / previous * p for r, p in zip(residual, direction, strict=True)]
        iterations += 1
    left = [y - z for y, z in zip(b.tolist(), product(x), strict=True)]
    return np.array(x), math.sqrt(_dot(left, left)), iterations


def _least_squares(columns: list[Row], b: Row, rcond: float) -> Row:
    """Shortest minimiser of ||M x - b||, M given by its columns, by one-sided Jacobi rotations (Hestenes 1958)."""
    size = len(columns)
    images = [list(column) for column in columns]
    rotation = [[1.0 if i == j else 0.0 for i in range(size)] for j in range(size)]
    scale = sum(_dot(c, c) for c in images)
    for _ in range(60):
        rotated = False
        for p in range(size - 1):
            for q in range(p + 1, size):
                alpha, beta = _dot(images[p], images[p]), _dot(images[q], images[q])
                gamma = _dot(images[p], images[q])
                if abs(gamma) <= 1e-16 * math.sqrt(alpha * beta) or abs(gamma) <= 1e-34 * scale:
                    continue
                rotated = True
                zeta = (beta - alpha) / (2.0 * gamma)
                tangent = math.copysign(1.0, zeta) / (abs(zeta) + math.hypot(1.0, zeta))
                cosine = 1.0 / math.hypot(1.0, tangent)
                sine = cosine * tangent
                for table in (images, rotation):
                    left, right = table[p], table[q]
                    table[p] = [cosine * x - sine * y for x, y in zip(left, right, strict=True)]
                    table[q] = [sine * x + cosine * y for x, y in zip(left, right, strict=True)]
        if not rotated:
            break
    squares = [_dot(c, c) for c in images]
    cutoff = (rcond * math.sqrt(max(squares))) ** 2
    coefficients = [_dot(c, b) / x if x > cutoff else 0.0 for c, x in zip(images, squares, strict=True)]
    return _combine(coefficients, rotation, size)


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
    """(F + damping (tr F / d) I)^+ grad J by a singular value decomposition with Jacobi rotations.

    Parameters
    ----------
    probs, states, actions, weights, advantages, effective_horizon, features
        As in :func:`policy_gradient`.
    estimator : {"analytic", "empirical"}
    damping : float
    rcond : float
        Eigenvalues below rcond times the largest count as 0.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, section 2; Agarwal et al. 2021, section 5.3.
    """
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features).tolist()
    fisher: Table = fisher_matrix(probs, states, actions, weights, features, estimator).tolist()
    trace = sum(fisher[k][k] for k in range(len(fisher)))
    for k in range(len(fisher)):
        fisher[k][k] += damping * trace / len(gradient)
    return np.array(_least_squares(fisher, gradient, rcond))


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

    Parameters
    ----------
    probs, states, actions, weights, advantages, effective_horizon, features
        As in :func:`policy_gradient`.
    rcond : float
        Singular values of sqrt(w) score below rcond times the largest count as 0.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Kakade, NIPS 2001, theorem 1; Agarwal et al. 2021, section 6.1.
    """
    table, phi = probs.tolist(), _listed(features)
    scale = [math.sqrt(w) for w in weights.tolist()]
    rows = [
        [c * x for x in _score(table, s, a, phi)]
        for c, s, a in zip(scale, states.tolist(), actions.tolist(), strict=True)
    ]
    columns = [[row[k] for row in rows] for k in range(_size(probs, features))]
    labels = [c * a for c, a in zip(scale, advantages.tolist(), strict=True)]
    return np.array([effective_horizon * x for x in _least_squares(columns, labels, rcond)])


def natural_gradient_closed_form(
    advantages: Array,
    probs: Array,
    effective_horizon: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """F^+ grad J of the tabular softmax: L (A(s, a) - its mean over the allowed actions), 0 where unreachable.

    Parameters
    ----------
    advantages : ndarray, shape (S, A)
    probs : ndarray, shape (S, A)
        Only its shape matters: the direction does not depend on how often an action is taken.
    effective_horizon : float
    reachable : ndarray of bool, shape (S,)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S * A,)

    References
    ----------
    Agarwal et al. 2021, section 5.3 (NPG as soft policy iteration).
    """
    n_states, n_actions = probs.shape
    direction = []
    for s in range(n_states):
        allowed = [a for a in range(n_actions) if mask is None or mask[s][a]]
        mean = sum(float(advantages[s, a]) for a in allowed) / len(allowed)
        for a in range(n_actions):
            moves = a in allowed and bool(reachable[s])
            direction.append(effective_horizon * (float(advantages[s, a]) - mean) if moves else 0.0)
    return np.array(direction)


def _ratio_terms(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array
) -> list[tuple[float, float, float]]:
    """(weight, log-ratio, advantage) of the samples of positive weight."""
    listed = zip(weights.tolist(), log_probs_new.tolist(), log_probs_old.tolist(), advantages.tolist(), strict=True)
    return [(w, new - old, a) for w, new, old, a in listed if w != 0]


def surrogate(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i r_i A_i, r = pi_new / pi_old.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages : ndarray, shape (n,)
        Entries of weight 0 are not read.
    effective_horizon : float

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    terms = _ratio_terms(log_probs_new, log_probs_old, weights, advantages)
    return effective_horizon * sum(w * math.exp(x) * a for w, x, a in terms)


def surrogate_improvement(
    log_probs_new: Array, log_probs_old: Array, weights: Array, advantages: Array, effective_horizon: float
) -> float:
    """L sum_i w_i (r_i - 1) A_i, through expm1.

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages, effective_horizon
        As in :func:`surrogate`.

    Returns
    -------
    float
    """
    terms = _ratio_terms(log_probs_new, log_probs_old, weights, advantages)
    return effective_horizon * sum(w * math.expm1(x) * a for w, x, a in terms)


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

    Parameters
    ----------
    probs_new : ndarray, shape (S, A)
    log_probs_old : ndarray, shape (n,)
    states, actions, weights, advantages, effective_horizon, features
        As in :func:`policy_gradient`; entries of weight 0 are not read.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477.
    """
    return clipped_surrogate_gradient(
        probs_new, log_probs_old, states, actions, weights, advantages, effective_horizon, math.inf, features
    )


def _is_clipped(ratio: float, advantage: float, clip_range: float) -> bool:
    return (advantage > 0 and ratio > 1 + clip_range) or (advantage < 0 and ratio < 1 - clip_range)


def clipped_surrogate(
    log_probs_new: Array,
    log_probs_old: Array,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    clip_range: float,
) -> tuple[float, float, float]:
    """L sum_i w_i min(r_i A_i, clip(r_i, 1 - eps, 1 + eps) A_i).

    Parameters
    ----------
    log_probs_new, log_probs_old, weights, advantages, effective_horizon
        As in :func:`surrogate`.
    clip_range : float

    Returns
    -------
    value : float
    clip_fraction : float
        Weight of the samples with (A > 0, r > 1 + eps) or (A < 0, r < 1 - eps).
    approx_kl : float
        sum w (r - 1 - log r), nats.

    References
    ----------
    Schulman, Wolski, Dhariwal, Radford, Klimov 2017, equation 7, arXiv:1707.06347.
    """
    value, clip_fraction, approx_kl = 0.0, 0.0, 0.0
    for w, log_ratio, a in _ratio_terms(log_probs_new, log_probs_old, weights, advantages):
        ratio = math.exp(log_ratio)
        value += w * min(ratio * a, min(max(ratio, 1 - clip_range), 1 + clip_range) * a)
        clip_fraction += w if _is_clipped(ratio, a, clip_range) else 0.0
        approx_kl += w * (math.expm1(log_ratio) - log_ratio)
    return effective_horizon * value, clip_fraction, approx_kl


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

    Parameters
    ----------
    probs_new, log_probs_old, states, actions, weights, advantages, effective_horizon, features
        As in :func:`surrogate_gradient`.
    clip_range : float

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Schulman et al. 2017, equation 7, arXiv:1707.06347.
    """
    table, phi = probs_new.tolist(), _listed(features)
    coefficients, scores = [], []
    for s, a, w, old, advantage in zip(
        states.tolist(), actions.tolist(), weights.tolist(), log_probs_old.tolist(), advantages.tolist(), strict=False
    ):
        if w == 0:
            continue
        ratio = table[s][a] / math.exp(old)
        if not _is_clipped(ratio, advantage, clip_range):
            coefficients.append(effective_horizon * w * ratio * advantage)
            scores.append(_score(table, s, a, phi))
    return np.array(_combine(coefficients, scores, _size(probs_new, features)))


def kl_divergence(probs_old: Array, probs_new: Array, states: IntArray, weights: Array) -> float:
    """sum_i w_i KL(old(.|s_i) || new(.|s_i)), nats; inf if an action in use becomes impossible.

    Parameters
    ----------
    probs_old, probs_new : ndarray, shape (S, A)
    states : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)

    Returns
    -------
    float

    References
    ----------
    Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951; Schulman et al. 2015, equation 12.
    """
    old: Table = probs_old.tolist()
    new: Table = probs_new.tolist()
    total = 0.0
    for s, w in zip(states.tolist(), weights.tolist(), strict=True):
        for p, q in zip(old[s], new[s], strict=True):
            if w > 0 and p > 0:
                total += w * p * (math.log(p) - math.log(q)) if q > 0 else math.inf
    return total
