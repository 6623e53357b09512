"""NumPy: exact NPG and TRPO from the uniform policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npgfast.reference.vectorized.exact import evaluate, exact_batch, marginal_advantages, reachable_states
from npgfast.reference.vectorized.policies import softmax
from npgfast.reference.vectorized.updates import entropy_npg_update, trpo_update

if TYPE_CHECKING:
    from npgfast.reference.vectorized.policies import Array, BoolArray


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

    Source: Agarwal et al. 2021, section 5.3; Cen et al. 2022, algorithm 1. Twin: :func:`.loops.train_npg_exact`.
    """
    theta = np.zeros(rewards.shape)
    reachable = reachable_states(P, mu, mask, horizon)
    if horizon is not None:
        reachable = np.asarray(reachable.any(axis=0))
    objectives = []
    for _ in range(n_iterations):
        result = evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)
        objectives.append(result["objective"])
        advantages = result["advantages"]
        if horizon is not None:
            advantages = marginal_advantages(advantages, result["occupancy"])
        theta = entropy_npg_update(theta, advantages, result["effective_horizon"], step_size, tau, reachable, mask)
    objectives.append(evaluate(P, rewards, termination, mu, gamma, horizon, softmax(theta, mask), tau)["objective"])
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

    Source: Schulman et al. 2015, section 6 and appendix C, arXiv:1502.05477. Twin: :func:`.loops.train_trpo_exact`.
    """
    theta = np.zeros(rewards.shape)
    problem = (P, rewards, termination, mu, gamma, horizon)
    objectives = [evaluate(*problem, softmax(theta, mask))["objective"]]
    kls: list[float] = []
    statuses: list[str] = []
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
        "initial_objective": objectives[0],
        "objective": np.array(objectives[1:]),
        "kl": np.array(kls),
        "status": statuses,
    }
