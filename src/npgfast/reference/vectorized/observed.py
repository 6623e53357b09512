"""NumPy: features of observations, policies linear in them, their geometry, and the baseline of observations.

Policies are given as in :mod:`npgfast.reference.loops.observed`; expectations over a Gaussian's actions are taken in
closed form.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from npgfast.reference.vectorized.policies import log_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from npgfast.reference.vectorized.policies import Array, IntArray

    Actions = NDArray[np.int64] | NDArray[np.float64]


def linear_features(observations: Array, bias: bool = True) -> Array:
    """phi(x) = (x, 1), or x without `bias`.

    Twin: :func:`.loops.linear_features`.
    """
    return np.pad(observations, ((0, 0), (0, int(bias))), constant_values=1.0)


def polynomial_features(observations: Array, degree: int) -> Array:
    """All monomials of total degree at most `degree`, through their exponents.

    Source: Sutton, Barto, "Reinforcement Learning", 2018, equation 9.17. Twin: :func:`.loops.polynomial_features`.
    """
    dim = observations.shape[1]
    exponents = np.array(
        [
            np.bincount(np.array(c, dtype=np.int64), minlength=dim)
            for p in range(degree + 1)
            for c in itertools.combinations_with_replacement(range(dim), p)
        ]
    )
    result: Array = np.prod(observations[:, None, :] ** exponents, axis=2)
    return result


def fourier_features(observations: Array, order: int, low: Array, high: Array, coupled: bool = True) -> Array:
    """cos(pi c . u), u = (x - low) / (high - low), for all c in {0, ..., order}^dim, or those of one dimension each.

    Source: Konidaris, Osentoski, Thomas, AAAI 2011, equations 4 and 5. Twin: :func:`.loops.fourier_features`.
    """
    unit = (observations - low) / (high - low)
    if coupled:
        frequencies = np.indices((order + 1,) * len(low)).reshape(len(low), -1)
        return np.cos(np.pi * (unit @ frequencies))
    waves = np.cos(np.pi * unit[:, :, None] * np.arange(1, order + 1))
    return np.concatenate([np.ones((len(unit), 1)), waves.reshape(len(unit), -1)], axis=1)


def random_fourier_features(observations: Array, directions: Array, phases: Array, bandwidth: float) -> Array:
    """sin(P x / bandwidth + phase).

    Source: Rajeswaran, Lowrey, Todorov, Kakade, NIPS 2017, equation 6, arXiv:1703.02660. Twin:
    :func:`.loops.random_fourier_features`.
    """
    return np.sin(observations @ directions.T / bandwidth + phases)


def tile_features(observations: Array, low: Array, high: Array, n_tiles: int, n_tilings: int) -> Array:
    """1 in the tile of each grid that holds x, else 0; grid i is shifted by i (1, 3, 5, ...) / n_tilings modulo 1.

    Source: Sutton, Barto, "Reinforcement Learning", 2018, section 9.5.4. Twin: :func:`.loops.tile_features`.
    """
    n, dim = observations.shape
    places = (observations - low) * n_tiles / (high - low)
    result = np.zeros((n, n_tilings, *(n_tiles + 1,) * dim))
    for i in range(n_tilings):
        shift = i * np.arange(1, 2 * dim, 2) % n_tilings / n_tilings
        tiles = np.clip(np.floor(places + shift), 0, n_tiles).astype(np.int64)
        result[(np.arange(n), i, *tiles.T)] = 1.0
    return result.reshape(n, -1)


def normalized_observations(observations: Array, mean: Array, std: Array, limit: float) -> Array:
    """(x - mean) / std, held to +-limit.

    Twin: :func:`.loops.normalized_observations`.
    """
    return np.clip((observations - mean) / std, -limit, limit)


def observed_log_probs(phi: Array, actions: Actions, W: Array, log_std: Array | None = None) -> Array:
    """log pi(a_i|phi_i), nats.

    Twin: :func:`.loops.observed_log_probs`.
    """
    if log_std is None:
        chosen: Array = np.take_along_axis(log_softmax(phi @ W), actions[:, None].astype(np.int64), axis=1)[:, 0]
        return chosen
    z = (actions - phi @ W) / np.exp(log_std)
    result: Array = -0.5 * np.sum(z**2 + 2.0 * log_std + np.log(2.0 * np.pi), axis=1)
    return result


def observed_scores(phi: Array, actions: Actions, W: Array, log_std: Array | None = None) -> Array:
    """phi (x) (e_a - pi), or (phi (x) z / sigma, z^2 - 1).

    Source: Williams, Machine Learning 8, 1992, section 6. Twin: :func:`.loops.observed_scores`.
    """
    if log_std is None:
        slopes = np.eye(W.shape[1])[actions.astype(np.int64)] - np.exp(log_softmax(phi @ W))
        scores: Array = np.einsum("ij,ia->ija", phi, slopes).reshape(len(phi), -1)
        return scores
    z = (actions - phi @ W) / np.exp(log_std)
    head = np.einsum("ij,ia->ija", phi, z / np.exp(log_std)).reshape(len(phi), -1)
    return np.concatenate([head, z**2 - 1.0], axis=1)


def observed_entropies(phi: Array, W: Array, log_std: Array | None = None) -> Array:
    """Entropies, nats: -sum pi log pi, or sum log_std + k log(2 pi e) / 2.

    Twin: :func:`.loops.observed_entropies`.
    """
    if log_std is not None:
        return np.full(len(phi), np.sum(log_std + 0.5 * np.log(2.0 * np.pi * np.e)))
    log_probs = log_softmax(phi @ W)
    result: Array = -np.sum(np.exp(log_probs) * log_probs, axis=1)
    return result


def observed_kl(
    old_phi: Array,
    new_phi: Array,
    weights: Array,
    old_W: Array,
    new_W: Array,
    old_log_std: Array | None = None,
    new_log_std: Array | None = None,
) -> float:
    """sum_i w_i KL(old(.|i) || new(.|i)), nats.

    Source: Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951. Twin: :func:`.loops.observed_kl`.
    """
    old, new = old_phi @ old_W, new_phi @ new_W
    if old_log_std is None or new_log_std is None:
        logs, other = log_softmax(old), log_softmax(new)
        return float(weights @ np.sum(np.exp(logs) * (logs - other), axis=1))
    ratio = np.exp(2.0 * (old_log_std - new_log_std))
    terms = ratio - 1.0 - np.log(ratio) + ((new - old) / np.exp(new_log_std)) ** 2
    return float(0.5 * weights @ terms.sum(axis=1))


def observed_policy_gradient(
    phi: Array,
    actions: Actions,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    W: Array,
    log_std: Array | None = None,
) -> Array:
    """L sum_i w_i A_i score_i.

    Source: Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1. Twin: :func:`.loops.observed_policy_gradient`.
    """
    result: Array = effective_horizon * (weights * advantages) @ observed_scores(phi, actions, W, log_std)
    return result


def observed_surrogate_gradient(
    phi: Array,
    actions: Actions,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    old_log_probs: Array,
    clip_range: float,
    W: Array,
    log_std: Array | None = None,
) -> Array:
    """Gradient of L sum_i w_i min(r_i A_i, clip(r_i, 1 - eps, 1 + eps) A_i); eps = inf for the plain surrogate.

    Source: Schulman et al. 2015, equation 14, arXiv:1502.05477; Schulman et al. 2017, equation 7, arXiv:1707.06347.
    Twin: :func:`.loops.observed_surrogate_gradient`.
    """
    ratio = np.exp(observed_log_probs(phi, actions, W, log_std) - old_log_probs)
    kept = np.where(advantages > 0, ratio <= 1 + clip_range, (advantages == 0) | (ratio >= 1 - clip_range))
    shares = effective_horizon * weights * ratio * advantages * kept
    result: Array = shares @ observed_scores(phi, actions, W, log_std)
    return result


def observed_fisher_matrix(
    phi: Array, actions: Actions, weights: Array, W: Array, log_std: Array | None = None, estimator: str = "analytic"
) -> Array:
    """sum_i w_i phi phi^T (x) (diag(pi) - pi pi^T), or E[phi phi^T] (x) Sigma^-1 and 2 I; "empirical" from scores.

    Source: Kakade, NIPS 2001, section 2. Twin: :func:`.loops.observed_fisher_matrix`.
    """
    if estimator == "empirical":
        scores = observed_scores(phi, actions, W, log_std)
        fisher: Array = scores.T @ (weights[:, None] * scores)
        return fisher
    m, k = W.shape
    if log_std is None:
        probs = np.exp(log_softmax(phi @ W))
        blocks = np.eye(k) * probs[:, :, None] - probs[:, :, None] * probs[:, None, :]
        head: Array = np.einsum("i,ij,il,iab->jalb", weights, phi, phi, blocks, optimize=True)
        return head.reshape(m * k, m * k)
    result = np.zeros((m * k + k, m * k + k))
    result[: m * k, : m * k] = np.kron(phi.T @ (weights[:, None] * phi), np.diag(np.exp(-2.0 * log_std)))
    result[m * k :, m * k :] = 2.0 * np.eye(k)
    return result


def observed_natural_gradient_pinv(
    phi: Array,
    actions: Actions,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    W: Array,
    log_std: Array | None = None,
    estimator: str = "analytic",
    damping: float = 0.0,
    rcond: float = 1e-12,
) -> Array:
    """(F + damping (tr F / d) I)^+ grad J.

    Source: Kakade, NIPS 2001, section 2. Twin: :func:`.loops.observed_natural_gradient_pinv`.
    """
    gradient = observed_policy_gradient(phi, actions, weights, advantages, effective_horizon, W, log_std)
    fisher = observed_fisher_matrix(phi, actions, weights, W, log_std, estimator)
    fisher = fisher + damping * np.trace(fisher) / len(fisher) * np.eye(len(fisher))
    result: Array = np.linalg.pinv(fisher, rcond=rcond, hermitian=True) @ gradient
    return result


def observed_natural_gradient_closed_form(
    phi: Array,
    actions: Actions,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    W: Array,
    log_std: Array,
    rcond: float = 1e-12,
) -> Array:
    """(E[phi phi^T]^+ G Sigma, g / 2) of a Gaussian, G the gradient in W and g that in log_std.

    Source: Rajeswaran, Lowrey, Todorov, Kakade, NIPS 2017, section 3, arXiv:1703.02660. Twin:
    :func:`.loops.observed_natural_gradient_closed_form`.
    """
    gradient = observed_policy_gradient(phi, actions, weights, advantages, effective_horizon, W, log_std)
    moment = phi.T @ (weights[:, None] * phi)
    head = np.linalg.pinv(moment, rcond=rcond, hermitian=True) @ gradient[: W.size].reshape(W.shape)
    return np.concatenate([(head * np.exp(2.0 * log_std)).ravel(), 0.5 * gradient[W.size :]])


def _baseline_rows(
    observations: Array, time: IntArray, longest: int, mean: Array, scale: Array, quadratic: bool, powers: int
) -> Array:
    u = np.minimum(time / longest, 1.0)
    z = np.clip((observations - mean) * scale, -10.0, 10.0)
    left, right = np.triu_indices(z.shape[1])
    products = z[:, left] * z[:, right] if quadratic else z[:, :0]
    return np.concatenate([np.vander(u, powers + 1, increasing=True), z, products], axis=1)


def fit_observation_baseline(
    observations: Array, time: IntArray, targets: Array, quadratic: bool = False, powers: int = 3
) -> tuple[int, Array, Array, Array]:
    """Minimise mean_i (b . row_i - target_i)^2 + 1e-5 |b|^2, as one least-squares problem.

    Source: Duan, Chen, Houthooft, Schulman, Abbeel, ICML 2016, supplement; Rajeswaran et al. 2017, section 5,
    arXiv:1703.02660. Twin: :func:`.loops.fit_observation_baseline`.
    """
    n = len(targets)
    mean, std = observations.mean(axis=0), observations.std(axis=0)
    varies = std**2 > 1e-24 * np.maximum(1.0, mean**2)
    scale = np.where(varies, 1.0 / np.where(varies, std, 1.0), 0.0)
    longest = int(time.max()) + 1
    rows = _baseline_rows(observations, time, longest, mean, scale, quadratic, powers)
    p = rows.shape[1]
    stacked = np.concatenate([rows / np.sqrt(n), np.sqrt(1e-5) * np.eye(p)])
    right = np.concatenate([targets / np.sqrt(n), np.zeros(p)])
    coefficients: Array = np.asarray(np.linalg.lstsq(stacked, right, rcond=None)[0], dtype=np.float64)
    return longest, mean, scale, coefficients


def predict_observation_baseline(
    observations: Array, time: IntArray, longest: int, mean: Array, scale: Array, coefficients: Array, powers: int = 3
) -> Array:
    """Values b . row_i of :func:`fit_observation_baseline`.

    Twin: :func:`.loops.predict_observation_baseline`.
    """
    quadratic = len(coefficients) > 1 + powers + len(mean)
    result: Array = _baseline_rows(observations, time, longest, mean, scale, quadratic, powers) @ coefficients
    return result
