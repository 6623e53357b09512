"""NumPy: one step of each algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.vectorized.exact import _greedy
from npgfast.reference.vectorized.geometry import (
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
from npgfast.reference.vectorized.policies import _from_logits, policy_log_probs, policy_probs

if TYPE_CHECKING:
    from npgfast.reference.vectorized.policies import Array, BoolArray, IntArray


def npg_update(
    theta: Array,
    advantages: Array,
    effective_horizon: float,
    step_size: float,
    reachable: BoolArray,
    mask: BoolArray | None = None,
) -> Array:
    """theta + eta F^+ grad J for the tabular softmax, in closed form.

    Source: Agarwal et al. 2021, section 5.3. Twin: :func:`.loops.npg_update`.
    """
    direction = natural_gradient_closed_form(advantages, theta, effective_horizon, reachable, mask)
    return theta + step_size * direction.reshape(theta.shape)


def soft_policy_iteration_update(
    theta: Array, advantages: Array, effective_horizon: float, step_size: float, mask: BoolArray | None = None
) -> Array:
    """pi' ~ pi exp(eta L A) at every state, reachable or not: theta + eta L A on the allowed actions.

    Source: Even-Dar, Kakade, Mansour, Mathematics of Operations Research 34(3), 2009 (Hedge at every state). Twin:
    :func:`.loops.soft_policy_iteration_update`.
    """
    allowed = np.ones(theta.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    return theta + step_size * effective_horizon * np.where(allowed, advantages, 0.0)


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

    Source: Cen, Cheng, Chen, Wei, Chi, Operations Research 70(4), 2022, section 2, arXiv:2007.06558. Twin:
    :func:`.loops.entropy_npg_update`.
    """
    total = step_size * effective_horizon
    if tau > 0:
        total = min(total, 1.0 / tau)
    return npg_update(theta, advantages, 1.0, total, reachable, mask)


def pg_update(theta: Array, gradient: Array, step_size: float | None = None, radius: float | None = None) -> Array:
    """theta + eta g, or the point of the L2 ball around theta that g likes best: theta + radius g / ||g||.

    Source: Williams, Machine Learning 8, 1992; Nesterov, "Introductory Lectures on Convex Optimization", 2004. Twin:
    :func:`.loops.pg_update`.
    """
    if (step_size is None) == (radius is None):
        msg = "step_size, radius: give exactly one"
        raise ValueError(msg)
    if step_size is not None:
        return theta + step_size * gradient.reshape(theta.shape)
    norm = float(np.linalg.norm(gradient))
    return theta.copy() if norm == 0 or radius is None else theta + radius / norm * gradient.reshape(theta.shape)


def kl_step_size(quadratic_form: float, max_kl: float) -> float:
    """sqrt(2 max_kl / x^T F x), the step along x at which the quadratic model of the KL reaches max_kl.

    Source: Schulman et al. 2015, appendix C, arXiv:1502.05477. Twin: :func:`.loops.kl_step_size`.
    """
    return float(np.sqrt(2.0 * max_kl / quadratic_form))


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

    Source: Schulman et al. 2015, equation 14 and appendix C, arXiv:1502.05477. Twin: :func:`.loops.trpo_update`.
    """
    probs = policy_probs(theta, features, mask)
    gradient = policy_gradient(probs, states, actions, weights, advantages, effective_horizon, features)

    def product(vector: Array, relative_damping: float = damping) -> Array:
        return fisher_vector_product(probs, states, actions, weights, vector, relative_damping, features)

    if method == "cg":
        direction = conjugate_gradient(product, gradient, cg_max_iters, cg_rtol)[0]
    elif method == "pinv":
        direction = natural_gradient_pinv(
            probs, states, actions, weights, advantages, effective_horizon, features, damping=damping
        )
    else:
        msg = f"method: expected 'pinv' or 'cg', got {method!r}"
        raise ValueError(msg)
    info = {"status": "zero_gradient", "step_size": 0.0, "kl": 0.0, "improvement": 0.0, "backtracks": 0}
    quadratic_form = float(direction @ product(direction, 0.0))
    if not quadratic_form > 0 or not np.sqrt(2 * max_kl / quadratic_form) * (gradient @ direction) > 1e-14:
        return theta.copy(), {**info, "direction": direction}
    step = kl_step_size(quadratic_form, max_kl)
    old_log_probs = policy_log_probs(theta, features, mask)[states, actions]
    for k in range(max_backtracks):
        trial = theta + step * direction.reshape(theta.shape)
        new = policy_probs(trial, features, mask)
        new_log_probs = policy_log_probs(trial, features, mask)[states, actions]
        kl = kl_divergence(probs, new, states, weights)
        improvement = surrogate_improvement(new_log_probs, old_log_probs, weights, advantages, effective_horizon)
        if kl <= max_kl and improvement > 0:
            found = {"status": "ok", "step_size": step, "kl": kl, "improvement": improvement, "backtracks": k}
            return trial, {**found, "direction": direction}
        step *= backtrack_factor
    return theta.copy(), {**info, "status": "line_search_failed", "backtracks": max_backtracks, "direction": direction}


def normalize_advantages(advantages: Array, weights: Array) -> Array:
    """(A - mean) / std with the weighted mean and population std; exact zeros if std <= 1e-12 max|A|.

    Twin: :func:`.loops.normalize_advantages`.
    """
    used = weights > 0
    mean = float(np.sum(weights[used] * advantages[used]))
    std = float(np.sqrt(np.sum(weights[used] * (advantages[used] - mean) ** 2)))
    if std <= 1e-12 * float(np.abs(advantages[used]).max()):
        return np.zeros_like(advantages)
    return (advantages - mean) / std


def entropy_gradient(probs: Array, states: IntArray, weights: Array, features: Array | None = None) -> Array:
    """Gradient of sum_i w_i H(pi(.|s_i)): -sum_a pi (log pi + H) in the logits.

    Source: Williams, Peng, Connection Science 3(3), 1991. Twin: :func:`.loops.entropy_gradient`.
    """
    logs = np.log(np.where(probs > 0, probs, 1.0))
    entropy = -(probs * logs).sum(axis=1, keepdims=True)
    state_weights = np.bincount(states, weights, minlength=len(probs))[:, None]
    return _from_logits(-state_weights * probs * (logs + entropy), features)


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

    Source: Schulman et al. 2017, equations 7 and 9, arXiv:1707.06347; Kingma, Ba, ICLR 2015, algorithm 1,
    arXiv:1412.6980. Twin: :func:`.loops.ppo_update`.
    """
    scaled = normalize_advantages(advantages, weights) if normalize else advantages
    m, v, t = adam_state if adam_state is not None else (np.zeros(theta.size), np.zeros(theta.size), 0)
    current = theta.copy()
    for _ in range(n_epochs):
        probs = policy_probs(current, features, mask)
        gradient = clipped_surrogate_gradient(
            probs, log_probs_old, states, actions, weights, scaled, 1.0, clip_range, features
        ) + entropy_coef * entropy_gradient(probs, states, weights, features)
        norm = float(np.linalg.norm(gradient))
        if max_grad_norm is not None and norm > max_grad_norm:
            gradient = gradient * (max_grad_norm / norm)
        t += 1
        m = betas[0] * m + (1 - betas[0]) * gradient
        v = betas[1] * v + (1 - betas[1]) * gradient**2
        step = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + adam_eps)
        current = current + learning_rate * step.reshape(theta.shape)
    new_log_probs = policy_log_probs(current, features, mask)[states, actions]
    value, clip_fraction, approx_kl = clipped_surrogate(new_log_probs, log_probs_old, weights, scaled, 1.0, clip_range)
    info = {"adam_state": (m, v, t), "value": value, "clip_fraction": clip_fraction, "approx_kl": approx_kl}
    return current, info


def cpi_update(probs: Array, advantages: Array, alpha: float, mask: BoolArray | None = None) -> Array:
    """(1 - alpha) pi + alpha pi', pi' greedy for the advantages (first action on ties up to 1e-10).

    Source: Kakade, Langford, ICML 2002, equation 4.1. Twin: :func:`.loops.cpi_update`.
    """
    allowed = np.ones(probs.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    return (1 - alpha) * probs + alpha * np.eye(probs.shape[1])[_greedy(advantages, allowed)]
