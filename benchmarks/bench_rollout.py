"""Rollouts of FrozenLake 8x8 under a random policy, with everything that a batch needs stored; work in steps."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np
from problems import arrays, random_policy

import npgfast as nf
from npgfast.reference import loops, vectorized

TITLE = "Rollout, FrozenLake 8x8 (million steps per second)"
SCALE = 1e-6
N_ENVS = 100


def cases() -> Iterator[tuple[str, float, dict[str, Callable[[], Any]]]]:
    """Name, work and sides of each size; the answers are checked first."""
    mdp = nf.problems.frozen_lake("8x8", gamma=0.99)
    policy = random_policy(mdp.n_states, mdp.n_actions)
    problem = (*arrays(mdp), policy.probs())
    for n_steps in (100, 1_000, 10_000):

        def ours(n: int = n_steps) -> nf.Trajectories:
            return nf.rollout(mdp, policy, n_steps=n, n_envs=N_ENVS, seed=1)

        def numpy_reference(n: int = n_steps) -> Any:
            return vectorized.rollout(*problem, n, np.random.default_rng(1), N_ENVS)

        def python_loops(n: int = n_steps) -> Any:
            return loops.rollout(*problem, n, Random(1), N_ENVS)

        sides = {"npgfast": ours, "NumPy": numpy_reference, "Python loops": python_loops}
        expected = N_ENVS * _expected_endings(mdp, policy, n_steps)
        played = {"npgfast": ours().terminated, "NumPy": numpy_reference()[3]}
        if n_steps <= 1_000:
            played["Python loops"] = python_loops()[3]
        for name, ended in played.items():
            assert abs(ended.sum() - expected) < 6.0 * expected**0.5, (name, ended.sum(), expected)
        yield f"{n_steps} steps x {N_ENVS} environments", float(n_steps * N_ENVS), sides


def _expected_endings(mdp: nf.TabularMDP, policy: nf.TabularSoftmax, n_steps: int) -> float:
    """Expected number of episodes that end within n_steps of one environment."""
    probs = policy.probs()
    kernel = np.einsum("sa,sat->st", probs, mdp.dense())
    ends = np.sum(probs * mdp.termination, axis=1)
    distribution, total = mdp.initial_distribution, 0.0
    for _ in range(n_steps):
        ended = float(distribution @ ends)
        total += ended
        distribution = distribution @ kernel + ended * mdp.initial_distribution
    return total
