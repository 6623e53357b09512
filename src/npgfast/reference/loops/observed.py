"""Plain Python: features of observations, policies linear in them, their geometry, and the baseline of observations.

A policy is given on rows of features ``phi`` (n, m) by ``W`` (m, k) and ``log_std``: None for a softmax over k actions
with logits W^T phi, else (k,) for a Gaussian with mean W^T phi and standard deviations exp(log_std). ``actions`` are
int (n,), or float (n, k). theta lists W row by row, then log_std. Expectations over actions are taken by their
definition: over all discrete actions, or by the Gauss-Hermite rule of three nodes in each dimension, exact for
polynomials of degree 5, whereas log-densities have degree 2 and products of two scores 4.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from npgfast.reference.loops.geometry import _least_squares

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from npgfast.reference.loops.policies import Array, IntArray, Row, Table

    Actions = NDArray[np.int64] | NDArray[np.float64]
    Choice = int | Row

_NODES = ((-math.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (math.sqrt(3.0), 1.0 / 6.0))


def linear_features(observations: Array, bias: bool = True) -> Array:
    """phi(x) = (x, 1), or x without `bias`.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    bias : bool

    Returns
    -------
    ndarray, shape (n, dim + bias)
    """
    return np.array([[*x, 1.0] if bias else x for x in observations.tolist()])


def polynomial_features(observations: Array, degree: int) -> Array:
    """All products of at most `degree` entries of x, repetitions allowed, by ascending degree.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    degree : int

    Returns
    -------
    ndarray, shape (n, (dim + degree choose degree))

    References
    ----------
    Sutton, Barto, "Reinforcement Learning", 2018, equation 9.17 (with a bound on the total degree).
    """
    return np.array(
        [
            [math.prod(c) for p in range(degree + 1) for c in itertools.combinations_with_replacement(x, p)]
            for x in observations.tolist()
        ]
    )


def fourier_features(observations: Array, order: int, low: Array, high: Array, coupled: bool = True) -> Array:
    """cos(pi c . u), u = (x - low) / (high - low), for all c in {0, ..., order}^dim, or those of one dimension each.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    order : int
    low, high : ndarray, shape (dim,)
    coupled : bool

    Returns
    -------
    ndarray, shape (n, (order + 1)**dim) or (n, dim * order + 1)

    References
    ----------
    Konidaris, Osentoski, Thomas, AAAI 2011, equations 4 and 5.
    """
    dim = len(low)
    frequencies = [list(c) for c in itertools.product(range(order + 1), repeat=dim)]
    if not coupled:
        frequencies = [[0] * dim]
        for j in range(dim):
            frequencies += [[c if i == j else 0 for i in range(dim)] for c in range(1, order + 1)]
    rows = []
    for x in observations.tolist():
        unit = [(x[j] - float(low[j])) / (float(high[j]) - float(low[j])) for j in range(dim)]
        rows.append([math.cos(math.pi * sum(c * u for c, u in zip(f, unit, strict=True))) for f in frequencies])
    return np.array(rows)


def random_fourier_features(observations: Array, directions: Array, phases: Array, bandwidth: float) -> Array:
    """sin(P x / bandwidth + phase).

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    directions : ndarray, shape (m, dim)
        P.
    phases : ndarray, shape (m,)
    bandwidth : float

    Returns
    -------
    ndarray, shape (n, m)

    References
    ----------
    Rajeswaran, Lowrey, Todorov, Kakade, NIPS 2017, equation 6, arXiv:1703.02660.
    """
    waves = list(zip(directions.tolist(), phases.tolist(), strict=True))
    return np.array(
        [
            [math.sin(sum(p * y for p, y in zip(row, x, strict=True)) / bandwidth + phase) for row, phase in waves]
            for x in observations.tolist()
        ]
    )


def tile_features(observations: Array, low: Array, high: Array, n_tiles: int, n_tilings: int) -> Array:
    """1 in the tile of each grid that holds x, else 0; grid i is shifted by i (1, 3, 5, ...) / n_tilings modulo 1.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    low, high : ndarray, shape (dim,)
    n_tiles, n_tilings : int

    Returns
    -------
    ndarray, shape (n, n_tilings * (n_tiles + 1)**dim)

    References
    ----------
    Sutton, Barto, "Reinforcement Learning", 2018, section 9.5.4.
    """
    dim = len(low)
    rows = []
    for x in observations.tolist():
        row: Row = []
        for i in range(n_tilings):
            held = []
            for j in range(dim):
                shift = (i * (2 * j + 1) % n_tilings) / n_tilings
                place = (x[j] - float(low[j])) * n_tiles / (float(high[j]) - float(low[j])) + shift
                held.append(min(max(math.floor(place), 0), n_tiles))
            row += [float(list(t) == held) for t in itertools.product(range(n_tiles + 1), repeat=dim)]
        rows.append(row)
    return np.array(rows)


def normalized_observations(observations: Array, mean: Array, std: Array, limit: float) -> Array:
    """(x - mean) / std, held to +-limit.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    mean, std : ndarray, shape (dim,)
    limit : float

    Returns
    -------
    ndarray, shape (n, dim)
    """
    columns = list(zip(mean.tolist(), std.tolist(), strict=True))
    return np.array(
        [
            [min(max((y - m) / s, -limit), limit) for y, (m, s) in zip(x, columns, strict=True)]
            for x in observations.tolist()
        ]
    )


def _outputs(phi: Row, W: Table) -> Row:
    return [sum(f * row[a] for f, row in zip(phi, W, strict=True)) for a in range(len(W[0]))]


def _log_probs(outputs: Row) -> Row:
    largest = max(outputs)
    log_sum = math.log(sum(math.exp(x - largest) for x in outputs))
    return [x - largest - log_sum for x in outputs]


def _log_prob(phi: Row, action: Choice, W: Table, log_std: Row | None) -> float:
    outputs = _outputs(phi, W)
    if log_std is None or isinstance(action, int):
        return _log_probs(outputs)[int(action)]  # type: ignore[arg-type]
    return sum(
        -((a - mean) ** 2) / (2.0 * math.exp(2.0 * s)) - s - 0.5 * math.log(2.0 * math.pi)
        for a, mean, s in zip(action, outputs, log_std, strict=True)
    )


def _score(phi: Row, action: Choice, W: Table, log_std: Row | None) -> Row:
    outputs = _outputs(phi, W)
    if log_std is None or isinstance(action, int):
        slopes = [(1.0 if a == action else 0.0) - math.exp(p) for a, p in enumerate(_log_probs(outputs))]
        return [f * g for f in phi for g in slopes]
    gaps = [a - mean for a, mean in zip(action, outputs, strict=True)]
    slopes = [gap / math.exp(2.0 * s) for gap, s in zip(gaps, log_std, strict=True)]
    tail = [gap**2 / math.exp(2.0 * s) - 1.0 for gap, s in zip(gaps, log_std, strict=True)]
    return [f * g for f in phi for g in slopes] + tail


def _choices(phi: Row, W: Table, log_std: Row | None) -> Iterator[tuple[Choice, float]]:
    """Actions and their shares, over which expectations are sums."""
    outputs = _outputs(phi, W)
    if log_std is None:
        yield from ((a, math.exp(p)) for a, p in enumerate(_log_probs(outputs)))
        return
    for nodes in itertools.product(_NODES, repeat=len(log_std)):
        action = [mean + math.exp(s) * z for mean, s, (z, _) in zip(outputs, log_std, nodes, strict=True)]
        yield action, math.prod(share for _, share in nodes)


def _plain(log_std: Array | None) -> Row | None:
    return None if log_std is None else log_std.tolist()


def observed_log_probs(phi: Array, actions: Actions, W: Array, log_std: Array | None = None) -> Array:
    """log pi(a_i|phi_i), nats.

    Parameters
    ----------
    phi : ndarray, shape (n, m)
    actions : ndarray of int, shape (n,), or of float, shape (n, k)
    W : ndarray, shape (m, k)
    log_std : ndarray, shape (k,), optional
        Of a Gaussian.

    Returns
    -------
    ndarray, shape (n,)
    """
    pairs = zip(phi.tolist(), actions.tolist(), strict=True)
    return np.array([_log_prob(f, a, W.tolist(), _plain(log_std)) for f, a in pairs])


def observed_scores(phi: Array, actions: Actions, W: Array, log_std: Array | None = None) -> Array:
    """d log pi(a_i|phi_i) / d theta.

    Parameters
    ----------
    phi, actions, W, log_std
        As in :func:`observed_log_probs`.

    Returns
    -------
    ndarray, shape (n, d)
        d = m k, and k more for a Gaussian.

    References
    ----------
    Williams, Machine Learning 8, 1992, section 6.
    """
    pairs = zip(phi.tolist(), actions.tolist(), strict=True)
    return np.array([_score(f, a, W.tolist(), _plain(log_std)) for f, a in pairs])


def observed_entropies(phi: Array, W: Array, log_std: Array | None = None) -> Array:
    """-E_a log pi(a|phi_i), nats.

    Parameters
    ----------
    phi, W, log_std
        As in :func:`observed_log_probs`.

    Returns
    -------
    ndarray, shape (n,)
    """
    table, tail = W.tolist(), _plain(log_std)
    return np.array([-sum(p * _log_prob(f, a, table, tail) for a, p in _choices(f, table, tail)) for f in phi.tolist()])


def observed_kl(
    old_phi: Array,
    new_phi: Array,
    weights: Array,
    old_W: Array,
    new_W: Array,
    old_log_std: Array | None = None,
    new_log_std: Array | None = None,
) -> float:
    """sum_i w_i E_(a ~ old)[log old(a|i) - log new(a|i)], nats.

    Parameters
    ----------
    old_phi, new_phi : ndarray, shape (n, m)
        Features that the two policies see; they may have different normalisations.
    weights : ndarray, shape (n,)
    old_W, new_W, old_log_std, new_log_std
        As in :func:`observed_log_probs`.

    Returns
    -------
    float

    References
    ----------
    Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951.
    """
    total = 0.0
    old, new = (old_W.tolist(), _plain(old_log_std)), (new_W.tolist(), _plain(new_log_std))
    for f, g, w in zip(old_phi.tolist(), new_phi.tolist(), weights.tolist(), strict=True):
        total += w * sum(p * (_log_prob(f, a, *old) - _log_prob(g, a, *new)) for a, p in _choices(f, *old))
    return total


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

    Parameters
    ----------
    phi, actions, W, log_std
        As in :func:`observed_log_probs`.
    weights, advantages : ndarray, shape (n,)
    effective_horizon : float

    Returns
    -------
    ndarray, shape (d,)

    References
    ----------
    Sutton, McAllester, Singh, Mansour, NIPS 1999, theorem 1.
    """
    logs = observed_log_probs(phi, actions, W, log_std)
    return observed_surrogate_gradient(phi, actions, weights, advantages, effective_horizon, logs, math.inf, W, log_std)


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

    Parameters
    ----------
    phi, actions, weights, advantages, effective_horizon, W, log_std
        As in :func:`observed_policy_gradient`.
    old_log_probs : ndarray, shape (n,)
    clip_range : float

    Returns
    -------
    ndarray, shape (d,)

    References
    ----------
    Schulman et al. 2015, equation 14, arXiv:1502.05477; Schulman et al. 2017, equation 7, arXiv:1707.06347.
    """
    new_log_probs = observed_log_probs(phi, actions, W, log_std).tolist()
    scores = observed_scores(phi, actions, W, log_std).tolist()
    total = [0.0] * len(scores[0])
    columns = (scores, weights.tolist(), advantages.tolist(), new_log_probs, old_log_probs.tolist())
    for score, w, advantage, new, old in zip(*columns, strict=True):
        ratio = math.exp(new - old)
        if (advantage > 0 and ratio > 1 + clip_range) or (advantage < 0 and ratio < 1 - clip_range):
            continue
        total = [t + effective_horizon * w * ratio * advantage * x for t, x in zip(total, score, strict=True)]
    return np.array(total)


def observed_fisher_matrix(
    phi: Array, actions: Actions, weights: Array, W: Array, log_std: Array | None = None, estimator: str = "analytic"
) -> Array:
    """sum_i w_i E_(a ~ pi(.|phi_i))[score score^T], or with the batch's own actions ("empirical").

    Parameters
    ----------
    phi, actions, weights, W, log_std
        As in :func:`observed_policy_gradient`.
    estimator : {"analytic", "empirical"}

    Returns
    -------
    ndarray, shape (d, d)

    References
    ----------
    Kakade, NIPS 2001, section 2.
    """
    table, tail = W.tolist(), _plain(log_std)
    d = len(table) * len(table[0]) + len(tail or [])
    fisher = [[0.0] * d for _ in range(d)]
    for f, a, w in zip(phi.tolist(), actions.tolist(), weights.tolist(), strict=True):
        for action, share in _choices(f, table, tail) if estimator == "analytic" else [(a, 1.0)]:
            score = _score(f, action, table, tail)
            for i in range(d):
                for j in range(d):
                    fisher[i][j] += w * share * score[i] * score[j]
    return np.array(fisher)


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

    Parameters
    ----------
    phi, actions, weights, advantages, effective_horizon, W, log_std
        As in :func:`observed_policy_gradient`.
    estimator : {"analytic", "empirical"}
    damping, rcond : float
        Eigenvalues below rcond times the largest count as 0.

    Returns
    -------
    ndarray, shape (d,)

    References
    ----------
    Kakade, NIPS 2001, section 2.
    """
    gradient = observed_policy_gradient(phi, actions, weights, advantages, effective_horizon, W, log_std).tolist()
    fisher = observed_fisher_matrix(phi, actions, weights, W, log_std, estimator).tolist()
    trace = sum(fisher[j][j] for j in range(len(fisher)))
    for j in range(len(fisher)):
        fisher[j][j] += damping * trace / len(fisher)
    return np.array(_least_squares(fisher, gradient, rcond))


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
    """A Gaussian's natural gradient from the blocks of F: E[phi phi^T] / sigma_a^2 for column a of W, 2 for log_std.

    Parameters
    ----------
    phi, actions, weights, advantages, effective_horizon, W, log_std
        As in :func:`observed_policy_gradient`.
    rcond : float

    Returns
    -------
    ndarray, shape (d,)

    References
    ----------
    Rajeswaran, Lowrey, Todorov, Kakade, NIPS 2017, section 3, arXiv:1703.02660.
    """
    gradient = observed_policy_gradient(phi, actions, weights, advantages, effective_horizon, W, log_std).tolist()
    m, k = W.shape
    rows = list(zip(phi.tolist(), weights.tolist(), strict=True))
    moment = [[sum(w * f[i] * f[j] for f, w in rows) for i in range(m)] for j in range(m)]
    direction = [0.0] * (m * k) + [g / 2.0 for g in gradient[m * k :]]
    for a in range(k):
        variance = math.exp(2.0 * float(log_std[a]))
        side = [gradient[j * k + a] for j in range(m)]
        for j, x in enumerate(_least_squares(moment, side, rcond)):
            direction[j * k + a] = variance * x
    return np.array(direction)


def _baseline_row(
    observation: Row, time: int, longest: int, mean: Row, scale: Row, quadratic: bool, powers: int
) -> Row:
    u = min(1.0, time / longest)
    z = [min(max((x - m) * s, -10.0), 10.0) for x, m, s in zip(observation, mean, scale, strict=True)]
    products = [z[i] * z[j] for i in range(len(z)) for j in range(i, len(z))] if quadratic else []
    return [*(u**k for k in range(powers + 1)), *z, *products]


def fit_observation_baseline(
    observations: Array, time: IntArray, targets: Array, quadratic: bool = False, powers: int = 3
) -> tuple[int, Array, Array, Array]:
    """Minimise mean_i (b . row_i - target_i)^2 + 1e-5 |b|^2, row = (1, ..., u^powers, z and, if quadratic, z_i z_j).

    z is the observation standardised by mean and (population) standard deviation, 0 where it does not vary, held to
    +-10; u is the time in units of the longest episode.

    Parameters
    ----------
    observations : ndarray, shape (n, dim)
    time : ndarray of int, shape (n,)
        Step within its episode.
    targets : ndarray, shape (n,)
    quadratic : bool
    powers : int

    Returns
    -------
    longest : int
        Steps of the longest episode.
    mean, scale : ndarray, shape (dim,)
        scale is 1 / standard deviation, or 0.
    coefficients : ndarray, shape (p,)

    References
    ----------
    Duan, Chen, Houthooft, Schulman, Abbeel, ICML 2016, supplement; Rajeswaran et al. 2017, section 5,
    arXiv:1703.02660.
    """
    n, dim = observations.shape
    rows: Table = observations.tolist()
    mean = [sum(x[j] for x in rows) / n for j in range(dim)]
    variance = [sum((x[j] - mean[j]) ** 2 for x in rows) / n for j in range(dim)]
    scale = [1.0 / math.sqrt(v) if v > 1e-24 * max(1.0, m * m) else 0.0 for v, m in zip(variance, mean, strict=True)]
    longest = max(time.tolist()) + 1
    pairs = zip(rows, time.tolist(), strict=True)
    design = [_baseline_row(x, t, longest, mean, scale, quadratic, powers) for x, t in pairs]
    p = len(design[0])
    moment = [[sum(r[i] * r[j] for r in design) / n + (1e-5 if i == j else 0.0) for i in range(p)] for j in range(p)]
    right = [sum(r[i] * y for r, y in zip(design, targets.tolist(), strict=True)) / n for i in range(p)]
    return longest, np.array(mean), np.array(scale), np.array(_least_squares(moment, right, 0.0))


def predict_observation_baseline(
    observations: Array, time: IntArray, longest: int, mean: Array, scale: Array, coefficients: Array, powers: int = 3
) -> Array:
    """Values b . row_i of :func:`fit_observation_baseline`; times beyond the longest count as the longest.

    Parameters
    ----------
    observations, time, longest, mean, scale, coefficients, powers
        As there; quadratic features are used if there are coefficients for them.

    Returns
    -------
    ndarray, shape (n,)
    """
    b: Row = coefficients.tolist()
    settings = (longest, mean.tolist(), scale.tolist(), len(b) > 1 + powers + len(mean), powers)
    pairs = zip(observations.tolist(), time.tolist(), strict=True)
    return np.array([sum(c * x for c, x in zip(b, _baseline_row(o, t, *settings), strict=True)) for o, t in pairs])
