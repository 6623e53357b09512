"""Exact evaluation, the optimum, and whole exact runs, on Garnet problems with 4 actions and 4 successors each."""

from functools import partial
from typing import Any

import numpy as np

from npgfast.algorithms import TRPO, NaturalPolicyGradient
from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, Kernel, Parts, agree
from npgfast.exact import evaluate, solve
from npgfast.policies import TabularSoftmax
from npgfast.problems import TabularMDP, garnet
from npgfast.reference import loops, vectorized

__all__ = ["KERNELS"]

GAMMA = 0.9
N_ITERATIONS = 5
STEP_SIZE = 0.1
MAX_KL = 0.01


def _garnet(n_states: int) -> tuple[TabularMDP, tuple[Any, ...]]:
    """A problem, and as the reference takes it."""
    mdp = garnet(n_states, 4, min(4, n_states), gamma=GAMMA, seed=1)
    return mdp, (mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon)


def _evaluate(size: int) -> Parts:
    mdp, arrays = _garnet(size)
    policy = TabularSoftmax(size, 4, np.random.default_rng(0).normal(size=(size, 4)))
    probs = policy.probs()
    names = ("objective", "values", "action_values", "advantages", "occupancy", "effective_horizon")

    def ours() -> list[Any]:
        found = evaluate(mdp, policy)
        return [getattr(found, name) for name in names]

    def theirs(reference: Any) -> list[Any]:
        found = reference.evaluate(*arrays, probs)
        return [found[name] for name in names]

    return {PYTHON: lambda: theirs(loops), NUMPY: lambda: theirs(vectorized), NPGFAST: ours}, agree(1e-8, 1e-9)


def _solve(size: int) -> Parts:
    mdp, arrays = _garnet(size)

    def ours() -> list[Any]:
        found = solve(mdp)
        return [found.objective, found.values]

    def theirs(reference: Any) -> list[Any]:
        found = reference.solve(*arrays)
        return [found["objective"], found["values"]]

    return {PYTHON: lambda: theirs(loops), NUMPY: lambda: theirs(vectorized), NPGFAST: ours}, agree(1e-8, 1e-9)


def _run(size: int, name: str, setting: float, agent: Any, **settings: float) -> Parts:
    mdp, arrays = _garnet(size)

    def ours() -> list[Any]:
        return [agent(mdp, **settings).learn(N_ITERATIONS).history["objective"][0]]

    def theirs(reference: Any) -> list[Any]:
        return [getattr(reference, name)(*arrays, N_ITERATIONS, setting)["objective"]]

    return {PYTHON: lambda: theirs(loops), NUMPY: lambda: theirs(vectorized), NPGFAST: ours}, agree(1e-6, 0.0)


SIZES = (10, 30, 100, 1_000)
RUN_SIZES = (5, 15, 100, 1_000)
POWER = 2  # dense rows: size * 4 actions * size successors

KERNELS = (
    Kernel(
        "evaluate", f"V, Q, A and occupancy of a policy on Garnet, gamma {GAMMA}", "states", SIZES, _evaluate, POWER
    ),
    Kernel("solve", f"optimal values and policy on Garnet, gamma {GAMMA}", "states", SIZES, _solve, POWER),
    Kernel(
        "npg",
        f"{N_ITERATIONS} exact iterations on Garnet (npgfast also finds the optimum)",
        "states",
        RUN_SIZES,
        partial(_run, name="train_npg_exact", setting=STEP_SIZE, agent=NaturalPolicyGradient, step_size=STEP_SIZE),
        POWER,
    ),
    Kernel(
        "trpo",
        f"{N_ITERATIONS} exact iterations on Garnet (npgfast also finds the optimum)",
        "states",
        RUN_SIZES,
        partial(_run, name="train_trpo_exact", setting=MAX_KL, agent=TRPO, max_kl=MAX_KL),
        POWER,
    ),
)
