"""Plain Python: one step of each algorithm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.loops.exact import _first_greedy
from npgfast.reference.loops.geometry import (
    _combine,
    _dot,
    _listed,
    _size,
    clipped_surrogate,
    clipped_surrogate_gradient,
    conjugate_gradient,
    fisher_vector_product,
    kl_divergence,
    natural_gradient_closed_form,
    natural_gradient_pinv,
    policy_gradient,
    surrogate_improvement,
)
from npgfast.reference.loops.policies import _score, policy_log_probs, policy_probs

if TYPE_CHECKING:
    from npgfast.reference.loops.policies import Array, BoolArray, IntArray, Row


def _moved(theta: Array, direction: Array, step: float) -> Array:
    moved = [x + step * y for x, y in zip(theta.ravel().tolist(), direction.ravel().tolist(), strict=True)]
    return np.array(moved).reshape(theta.shape)


def npg_update(
    theta: Array,
    advantages: Array,
    effective_horizon: float,
    step_size: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """theta + eta F^+ grad J for the tabular softmax, in closed form.

    Parameters
    ----------
    theta, advantages : ndarray, shape (S, A)
    effective_horizon, step_size : float
    reachable : ndarray of bool, shape (S,)
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Agarwal et al. 2021, section 5.3.
    """
    direction = natural_gradient_closed_form(advantages, theta, effective_horizon, reachable, mask)
    return _moved(theta, direction, step_size)


def soft_policy_iteration_update(
    theta: Array, advantages: Array, effective_horizon: float, step_size: float, mask: BoolArray | None = None
) -> Array:
    """pi' ~ pi exp(eta L A) at every state, reachable or not: theta + eta L A on the allowed actions.

    Parameters
    ----------
    theta, advantages, effective_horizon, step_size, mask
        As in :func:`npg_update`.

    Returns
    -------
    ndarray, shape (S, A)
        Determined up to a constant per state; compare policies.

    References
    ----------
    Even-Dar, Kakade, Mansour, Mathematics of Operations Research 34(3), 2009 (Hedge at every state).
    """
    result = theta.copy()
    for s in range(theta.shape[0]):
        for a in range(theta.shape[1]):
            if mask is None or mask[s][a]:
                result[s, a] += step_size * effective_horizon * float(advantages[s, a])
    return result


def entropy_npg_update(
    theta: Array,
    advantages: Array,
    effective_horizon: float,
    step_size: float,
    tau: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """pi' ~ pi^(1 - e tau) exp(e Q_tau), e = min(eta L, 1 / tau): theta + e A_tau, centred.

    Parameters
    ----------
    theta, effective_horizon, step_size, reachable, mask
        As in :func:`npg_update`.
    advantages : ndarray, shape (S, A)
        A_tau = Q_tau - tau log pi - V_tau.
    tau : float
        Entropy coefficient, reward per nat.

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Cen, Cheng, Chen, Wei, Chi, Operations Research 70(4), 2022, section 2, arXiv:2007.06558.
    """
    total = step_size * effective_horizon
    if tau > 0 and total * tau > 1.0:
        total = 1.0 / tau
    return npg_update(theta, advantages, 1.0, total, reachable, mask)


def pg_update(theta: Array, gradient: Array, step_size: float | None = None, radius: float | None = None) -> Array:
    """theta + eta g, or the point of the L2 ball around theta that g likes best: theta + radius g / ||g||.

    Parameters
    ----------
    theta : ndarray
    gradient : ndarray, as many entries as theta
    step_size, radius : float, optional
        Exactly one of them.

    Returns
    -------
    ndarray, shape of theta

    References
    ----------
    Williams, Machine Learning 8, 1992; Nesterov, "Introductory Lectures on Convex Optimization", 2004.
    """
    if step_size is not None and radius is None:
        return _moved(theta, gradient, step_size)
    if radius is not None and step_size is None:
        norm = math.hypot(*gradient.ravel().tolist())
        return theta.copy() if norm == 0 else _moved(theta, gradient, radius / norm)
    msg = "step_size, radius: give exactly one"
    raise ValueError(msg)


def kl_step_size(quadratic_form: float, max_kl: float) -> float:
    """sqrt(2 max_kl / x^T F x), the step along x at which the quadratic model of the KL reaches max_kl.

    Parameters
    ----------
    quadratic_form : float
        x^T F x with F undamped.
    max_kl : float
        Nats.

    Returns
    -------
    float

    References
    ----------
    Schulman et al. 2015, appendix C, arXiv:1502.05477.
    """
    return math.sqrt(2.0 * max_kl / quadratic_form)


def trpo_update(
    theta: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    effective_horizon: float,
    max_kl: float,
    *,
    method: str = "pinv",
    damping: float = 0.0,
    cg_max_iters: int = 100,
    cg_rtol: float = 1e-13,
    backtrack_factor: float = 0.8,
    max_backtracks: int = 10,
    features: Array | None = None,
    mask: BoolArray | None = None,
) -> tuple[Array, dict[str, Any]]:
    """One TRPO step: x = F^+ g, step sqrt(2 max_kl / x^T F x), then backtracking on the true KL and the surrogate.

    A trial is accepted if KL(old || new) <= max_kl and L sum w (r - 1) A > 0. The old log-probabilities are those
    of theta itself.

    Parameters
    ----------
    theta : ndarray, shape (S, A), or (d,) with features
    states, actions, weights, advantages, effective_horizon
        The batch.
    max_kl : float
        Nats.
    method : {"pinv", "cg"}
    damping : float
        Relative; used for the direction, not for the step's length.
    cg_max_iters, cg_rtol
        As in :func:`.loops.conjugate_gradient`.
    backtrack_factor : float
    max_backtracks : int
        Number of trials, the full step included.
    features, mask
        As in :func:`.loops.policy_probs`.

    Returns
    -------
    theta : ndarray, shape of theta
        Unchanged unless the status is "ok".
    info : dict
        ``status`` ("ok", "zero_gradient", "line_search_failed"), ``step_size``, ``kl``, ``improvement``,
        ``backtracks``, ``direction``.

    References
    ----------
    Schulman et al. 2015, equation 14 and appendix C, arXiv:1502.05477.
    """
    batch = (states, actions, weights, advantages, effective_horizon)
    probs = policy_probs(theta, features, mask)
    gradient = policy_gradient(probs, *batch, features)

    def product(vector: Array, relative_damping: float = damping) -> Array:
        return fisher_vector_product(probs, states, actions, weights, vector, relative_damping, features)

    if method == "cg":
        direction = conjugate_gradient(product, gradient, cg_max_iters, cg_rtol)[0]
    elif method == "pinv":
        direction = natural_gradient_pinv(probs, *batch, features, damping=damping)
    else:
        msg = f"method: expected 'pinv' or 'cg', got {method!r}"
        raise ValueError(msg)
    info = {"step_size": 0.0, "kl": 0.0, "improvement": 0.0, "direction": direction}
    x: Row = direction.tolist()
    quadratic_form = _dot(x, product(direction, 0.0).tolist())
    gain = _dot(gradient.tolist(), x)
    if not quadratic_form > 0 or not kl_step_size(quadratic_form, max_kl) * gain > 1e-14:
        return theta.copy(), {**info, "status": "zero_gradient", "backtracks": 0}
    old_logs = policy_log_probs(theta, features, mask)
    old = np.array([old_logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
    for k in range(max_backtracks):
        step = kl_step_size(quadratic_form, max_kl) * backtrack_factor**k
        trial = _moved(theta, direction, step)
        new_logs = policy_log_probs(trial, features, mask)
        new = np.array([new_logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
        kl = kl_divergence(probs, policy_probs(trial, features, mask), states, weights)
        improvement = surrogate_improvement(new, old, weights, advantages, effective_horizon)
        if kl <= max_kl and improvement > 0:
            found = {"status": "ok", "step_size": step, "kl": kl, "improvement": improvement, "backtracks": k}
            return trial, {**info, **found}
    return theta.copy(), {**info, "status": "line_search_failed", "backtracks": max_backtracks}


def normalize_advantages(advantages: Array, weights: Array) -> Array:
    """(A - mean) / std with the weighted mean and population std; exact zeros if std <= 1e-12 max|A|.

    Parameters
    ----------
    advantages, weights : ndarray, shape (n,)
        Weights sum to 1; entries of weight 0 do not count in the mean, the std or the floor.

    Returns
    -------
    ndarray, shape (n,)
    """
    pairs = [(w, a) for w, a in zip(weights.tolist(), advantages.tolist(), strict=True) if w > 0]
    mean = math.fsum(w * a for w, a in pairs)
    std = math.sqrt(math.fsum(w * (a - mean) ** 2 for w, a in pairs))
    if std <= 1e-12 * max(abs(a) for _, a in pairs):
        return np.zeros(len(advantages))
    return np.array([(a - mean) / std for a in advantages.tolist()])


def entropy_gradient(probs: Array, states: IntArray, weights: Array, features: Array | None = None) -> Array:
    """Gradient of sum_i w_i H(pi(.|s_i)) = -sum_i w_i sum_a pi(a|s_i) log pi(a|s_i) score(s_i, a).

    Parameters
    ----------
    probs, states, weights, features
        As in :func:`.loops.policy_gradient`.

    Returns
    -------
    ndarray, shape (S * A,) or (d,)

    References
    ----------
    Williams, Peng, Connection Science 3(3), 1991.
    """
    table, phi = probs.tolist(), _listed(features)
    coefficients, scores = [], []
    for s, w in zip(states.tolist(), weights.tolist(), strict=True):
        for a, p in enumerate(table[s]):
            if p > 0:
                coefficients.append(-w * p * math.log(p))
                scores.append(_score(table, s, a, phi))
    return np.array(_combine(coefficients, scores, _size(probs, features)))


def ppo_update(
    theta: Array,
    states: IntArray,
    actions: IntArray,
    weights: Array,
    advantages: Array,
    log_probs_old: Array,
    *,
    n_epochs: int = 10,
    learning_rate: float = 3e-4,
    clip_range: float = 0.2,
    entropy_coef: float = 0.0,
    max_grad_norm: float | None = None,
    normalize: bool = True,
    betas: tuple[float, float] = (0.9, 0.999),
    adam_eps: float = 1e-5,
    adam_state: tuple[Array, Array, int] | None = None,
    features: Array | None = None,
    mask: BoolArray | None = None,
) -> tuple[Array, dict[str, Any]]:
    """Full-batch PPO: `n_epochs` Adam steps up (clipped surrogate) / L + entropy_coef * entropy.

    Parameters
    ----------
    theta : ndarray, shape (S, A), or (d,) with features
    states, actions, weights, advantages, log_probs_old
        The batch. L does not enter, because the loss divides by it.
    n_epochs : int
    learning_rate, clip_range, entropy_coef : float
    max_grad_norm : float, optional
        The gradient is scaled by min(1, max_grad_norm / ||g||), without any added epsilon.
    normalize : bool
        Apply :func:`normalize_advantages` first.
    betas, adam_eps
        Adam's constants.
    adam_state : (m, v, t), optional
        First and second moments (flat) and step count of an earlier iteration; default zeros.
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    theta : ndarray, shape of theta
    info : dict
        ``adam_state``, and ``value`` (divided by L), ``clip_fraction``, ``approx_kl`` at the last theta.

    References
    ----------
    Schulman et al. 2017, equations 7 and 9, arXiv:1707.06347; Kingma, Ba, ICLR 2015, algorithm 1, arXiv:1412.6980.
    """
    scaled = normalize_advantages(advantages, weights) if normalize else advantages
    m: Row = [0.0] * theta.size if adam_state is None else adam_state[0].tolist()
    v: Row = [0.0] * theta.size if adam_state is None else adam_state[1].tolist()
    t = 0 if adam_state is None else adam_state[2]
    current = theta.copy()
    for _ in range(n_epochs):
        probs = policy_probs(current, features, mask)
        rise = clipped_surrogate_gradient(
            probs, log_probs_old, states, actions, weights, scaled, 1.0, clip_range, features
        ).tolist()
        spread = entropy_gradient(probs, states, weights, features).tolist()
        gradient = [x + entropy_coef * y for x, y in zip(rise, spread, strict=True)]
        norm = math.sqrt(_dot(gradient, gradient))
        if max_grad_norm is not None and norm > max_grad_norm:
            gradient = [x * (max_grad_norm / norm) for x in gradient]
        t += 1
        m = [betas[0] * x + (1 - betas[0]) * g for x, g in zip(m, gradient, strict=True)]
        v = [betas[1] * x + (1 - betas[1]) * g * g for x, g in zip(v, gradient, strict=True)]
        step = [
            x / (1 - betas[0] ** t) / (math.sqrt(y / (1 - betas[1] ** t)) + adam_eps) for x, y in zip(m, v, strict=True)
        ]
        current = _moved(current, np.array(step), learning_rate)
    logs = policy_log_probs(current, features, mask)
    new = np.array([logs[s, a] for s, a in zip(states.tolist(), actions.tolist(), strict=True)])
    value, clip_fraction, approx_kl = clipped_surrogate(new, log_probs_old, weights, scaled, 1.0, clip_range)
    state = (np.array(m), np.array(v), t)
    return current, {"adam_state": state, "value": value, "clip_fraction": clip_fraction, "approx_kl": approx_kl}


def cpi_update(probs: Array, advantages: Array, alpha: float, mask: BoolArray | None = None) -> Array:
    """(1 - alpha) pi + alpha pi', pi' greedy for the advantages (first action on ties up to 1e-10).

    Parameters
    ----------
    probs, advantages : ndarray, shape (S, A)
    alpha : float
        In [0, 1].
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Kakade, Langford, ICML 2002, equation 4.1.
    """
    n_states, n_actions = probs.shape
    result = np.zeros((n_states, n_actions))
    for s in range(n_states):
        allowed = [a for a in range(n_actions) if mask is None or mask[s][a]]
        greedy = _first_greedy(advantages[s].tolist(), allowed)
        for a in range(n_actions):
            result[s, a] = (1 - alpha) * float(probs[s, a]) + (alpha if a == greedy else 0.0)
    return result
