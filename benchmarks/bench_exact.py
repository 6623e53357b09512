"""Whole exact runs of 10 iterations on Garnet problems, as a user calls them (npgfast also solves for the optimum)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from problems import arrays

import npgfast as nf
from npgfast.reference import loops, vectorized

TITLE = "Exact runs of 10 iterations on Garnet problems, 4 actions, gamma 0.9 (runs per second)"
SCALE = 1.0
N_ITERATIONS = 10


def cases() -> Iterator[tuple[str, float, dict[str, Callable[[], Any]]]]:
    """Name, work and sides of each size; the answers are checked first."""
    for n_states in (8, 32, 128, 512):
        mdp = nf.problems.garnet(n_states, 4, 4, gamma=0.9, seed=1)
        problem = (*arrays(mdp), None, N_ITERATIONS)

        def npg(mdp=mdp) -> nf.Result:
            return nf.NaturalPolicyGradient(mdp, step_size=0.1).learn(N_ITERATIONS)

        def trpo(mdp=mdp) -> nf.Result:
            return nf.TRPO(mdp, max_kl=0.01).learn(N_ITERATIONS)

        runs = {
            "NPG": (npg, "train_npg_exact", 0.1),
            "TRPO": (trpo, "train_trpo_exact", 0.01),
        }
        for name, (ours, function, setting) in runs.items():

            def numpy_reference(function=function, problem=problem, setting=setting) -> Any:
                return getattr(vectorized, function)(*problem, setting)

            def python_loops(function=function, problem=problem, setting=setting) -> Any:
                return getattr(loops, function)(*problem, setting)

            sides = {"npgfast": ours, "NumPy": numpy_reference}
            found = ours().history["objective"][0]
            np.testing.assert_allclose(found, numpy_reference()["objective"], rtol=1e-6)
            if n_states <= 32:
                np.testing.assert_allclose(found, python_loops()["objective"], rtol=1e-6)
                sides["Python loops"] = python_loops
            yield f"{name}, {n_states} states", 1.0, sides
