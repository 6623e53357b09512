"""``npgfast evaluate``: exactly on a tabular problem, by playing episodes on observations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from npgfast.cli.environments import EnvironmentOptions, ObservedEnvironment, Problem
from npgfast.cli.failures import WrongUsage, usage
from npgfast.cli.reports import solution_document, statistics_document
from npgfast.exact import evaluate as evaluate_exactly
from npgfast.exact import solve
from npgfast.policies import Policy, SoftmaxPolicy
from npgfast.sampling import evaluate_policy

__all__ = ["Report", "evaluate"]


@dataclass(frozen=True)
class Report:
    """What there is to say about a policy: rows for people, a document for scripts."""

    title: str
    rows: Mapping[str, str]
    document: Mapping[str, Any]


def evaluate(
    policy: Policy,
    environment: EnvironmentOptions,
    tau: float,
    episodes: int | None,
    seed: int | None,
    deterministic: bool | None,
) -> Report:
    """Evaluate a policy; None stands for an option that was not given."""
    found = environment.read()
    if isinstance(found, Problem):
        for name, value in {"episodes": episodes, "seed": seed}.items():
            if value is not None:
                msg = f"--{name}: {found.name} is tabular and evaluated exactly"
                raise WrongUsage(msg)
        return _exactly(found, policy, tau, deterministic=bool(deterministic))
    if environment.gamma is not None or tau != 0.0:
        msg = f"--gamma, --tau: {found.name} is evaluated by the plain reward of its episodes"
        raise WrongUsage(msg)
    n = 100 if episodes is None else episodes
    return _by_playing(found, policy, n, seed or 0, deterministic=deterministic is not False)


def _exactly(problem: Problem, policy: Policy, tau: float, *, deterministic: bool) -> Report:
    if not isinstance(policy, SoftmaxPolicy):
        msg = f"{problem.name} is tabular, but the policy is a {type(policy).__name__}"
        raise WrongUsage(msg)
    with usage():
        table = np.eye(policy.n_actions)[policy.mode()] if deterministic else policy
        evaluation = evaluate_exactly(problem.mdp, table, tau=tau)
    optimum = solve(problem.mdp, tau=tau)
    gap = optimum.objective - evaluation.objective
    entropy = 0.0
    if not deterministic:
        occupancy = evaluation.occupancy.reshape(-1, problem.mdp.n_states).sum(axis=0)
        entropy = float(occupancy @ policy.entropy())
    share = "" if optimum.objective == 0.0 else f"  ({100.0 * gap / abs(optimum.objective):.4g} % of |J*|)"
    rows = {
        "objective J": f"{evaluation.objective:.12g}",
        "optimum J*": f"{optimum.objective:.12g}",
        "gap": f"{gap:.6g}{share}",
        "effective horizon": f"{evaluation.effective_horizon:.6g} steps",
        "mean entropy": f"{entropy:.6g} nats",
    }
    document = {
        "environment": problem.name,
        "objective": evaluation.objective,
        "gap": gap,
        "effective_horizon": evaluation.effective_horizon,
        "entropy": entropy,
        "optimum": solution_document(optimum),
    }
    return Report(problem.summary, rows, document)


def _by_playing(
    environment: ObservedEnvironment, policy: Policy, episodes: int, seed: int, *, deterministic: bool
) -> Report:
    own = environment.own
    with usage():
        statistics = evaluate_policy(
            environment.env if own is None else own, policy, episodes, seed, deterministic=deterministic
        )
    document = {
        "environment": environment.name,
        "simulator": "npgfast" if own is None else "gymnasium",
        "n_episodes": episodes,
        "seed": seed,
        "deterministic": deterministic,
        **statistics_document(statistics),
    }
    actions = "most probable" if deterministic else "drawn"
    returns = statistics.returns
    rows = {
        "mean return": f"{statistics.mean:.6g} \N{PLUS-MINUS SIGN} {statistics.standard_error:.2g}",
        "standard deviation": f"{statistics.std:.6g}",
        "lowest and highest": f"{returns.min():.6g}, {returns.max():.6g}",
    }
    simulator = "npgfast's" if own is None else "Gymnasium's"
    title = f"{environment.name}, {simulator} environment: {episodes} episodes, {actions} actions"
    return Report(title, rows, document)
