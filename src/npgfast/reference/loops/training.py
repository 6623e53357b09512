"""Plain Python: exact NPG and TRPO from the uniform policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.loops.exact import evaluate, exact_batch, marginal_advantages, reachable_states
from npgfast.reference.loops.policies import softmax
from npgfast.reference.loops.updates import entropy_npg_update, trpo_update

if TYPE_CHECKING:
    from npgfast.reference.loops.policies import Array, BoolArray


def train_npg_exact(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    n_iterations: int,
    step_size: float,
    mask: BoolArray | None = None,
    tau: float = 0.0,
) -> dict[str, Any]:
    """Exact tabular NPG from the uniform policy with a fixed step.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon, mask, tau
        The problem, as in :func:`.loops.evaluate`; the policy is stationary.
    n_iterations : int
    step_size : float

    Returns
    -------
    dict
        ``theta`` (S, A), ``initial_objective``, ``objective`` (n_iterations,): J (J_tau if tau > 0) after each update.

    References
    ----------
    Agarwal et al. 2021, section 5.3; Cen et al. 2022, algorithm 1.
    """
    theta = np.zeros(rewards.shape)
    reached = reachable_states(P, mu, mask, horizon)
    if horizon is not None:
        reached = np.array([any(reached[h, s] for h in range(horizon)) for s in range(len(mu))])
    result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
    objectives = [result["objective"]]
    for _ in range(n_iterations):
        advantages = result["advantages"]
        if horizon is not None:
            advantages = marginal_advantages(advantages, result["occupancy"])
        theta = entropy_npg_update(theta, advantages, result["effective_horizon"], step_size, tau, reached, mask)
        result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
        objectives.append(result["objective"])
    return {"theta": theta, "initial_objective": objectives[0], "objective": np.array(objectives[1:])}


def train_trpo_exact(
    P: Array,
    rewards: Array,
    termination: Array,
    mu: Array,
    gamma: float,
    horizon: int | None,
    n_iterations: int,
    max_kl: float,
    mask: BoolArray | None = None,
    method: str = "cg",
) -> dict[str, Any]:
    """Exact tabular TRPO from the uniform policy.

    Parameters
    ----------
    P, rewards, termination, mu, gamma, horizon, mask, n_iterations
        As in :func:`train_npg_exact`.
    max_kl : float
        Nats.
    method : {"cg", "pinv"}

    Returns
    -------
    dict
        ``theta`` (S, A), ``initial_objective``, ``objective`` and ``kl`` (n_iterations,), ``status`` list of str.

    References
    ----------
    Schulman et al. 2015, section 6 and appendix C, arXiv:1502.05477.
    """
    theta = np.zeros(rewards.shape)
    problem = (P, rewards, termination, mu, gamma, horizon)
    initial = evaluate(*problem, softmax(theta, mask))["objective"]
    objectives, kls, statuses = [], [], []
    for _ in range(n_iterations):
        batch = exact_batch(*problem, softmax(theta, mask))
        theta, info = trpo_update(
            theta,
            batch["states"],
            batch["actions"],
            batch["weights"],
            batch["advantages"],
            batch["effective_horizon"],
            max_kl,
            method=method,
            mask=mask,
        )
        objectives.append(evaluate(*problem, softmax(theta, mask))["objective"])
        kls.append(info["kl"])
        statuses.append(info["status"])
    return {
        "theta": theta,
        "initial_objective": initial,
        "objective": np.array(objectives),
        "kl": np.array(kls),
        "status": statuses,
    }
