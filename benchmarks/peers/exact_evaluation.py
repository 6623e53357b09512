"""Exact evaluation (V, Q, A and d) of a stochastic policy on a Garnet problem of a million states."""

from collections.abc import Callable
from typing import Any

import numpy as np
from compare import SECONDS, Side, compare, row, target, times

import npgfast as nf

STATES, ACTIONS, SUCCESSORS, GAMMA = 1_000_000, 4, 4, 0.99
RESIDUAL = 1e-10  # ||r - (I - gamma P) V|| <= RESIDUAL ||r||, of both systems
SWEEP = 12 * SUCCESSORS + 8  # bytes of one row of the kernel: values, columns, row pointer


def exact_evaluation(limits: dict[str, Any]) -> dict[str, Any]:
    mdp = nf.problems.garnet(STATES, ACTIONS, SUCCESSORS, gamma=GAMMA, seed=1)
    probs = np.random.default_rng(0).dirichlet(np.ones(ACTIONS), size=STATES)
    kernel, system, rewards = None, None, np.sum(probs * mdp.rewards, axis=1)

    def matrices() -> tuple[Any, Any]:
        """P as SciPy's (S*A, S), and I - gamma P_pi."""
        nonlocal kernel, system
        if system is None:
            from scipy import sparse

            indptr, indices, values = mdp.csr
            kernel = sparse.csr_array((values, indices, indptr), shape=(STATES * ACTIONS, STATES))
            rows = np.repeat(np.arange(STATES), ACTIONS)
            average = sparse.csr_array((probs.ravel(), (rows, np.arange(rows.size))), shape=(STATES, rows.size))
            system = (sparse.identity(STATES, format="csr") - GAMMA * (average @ kernel)).tocsr()
        return kernel, system

    def npgfast() -> Callable[[], Any]:
        def call() -> Any:
            found = nf.evaluate(mdp, probs)
            return found.values, found.occupancy * found.effective_horizon

        return call

    def with_scipy(for_values: str, for_occupancy: str) -> Callable[[], Any]:
        from scipy.sparse import linalg

        solver, transposed_solver = getattr(linalg, for_values), getattr(linalg, for_occupancy)
        transitions, matrix = matrices()
        transposed = matrix.T.tocsr()

        def call() -> Any:
            found, code = solver(matrix, rewards, rtol=RESIDUAL, atol=0.0)
            visits, transposed_code = transposed_solver(transposed, mdp.initial_distribution, rtol=RESIDUAL, atol=0.0)
            assert (code, transposed_code) == (0, 0)
            action_values = mdp.rewards + GAMMA * (transitions @ found).reshape(STATES, ACTIONS)
            return found, visits, action_values, action_values - found[:, None]

        return call

    def check(name: str, answer: Any) -> None:
        matrix = matrices()[1]
        for operator, right, solution in (
            (matrix, rewards, answer[0]),
            (matrix.T, mdp.initial_distribution, answer[1]),
        ):
            residual = np.linalg.norm(right - operator @ solution) / np.linalg.norm(right)
            assert residual <= 2.0 * RESIDUAL, (name, residual)

    sides = compare(
        [
            Side("npgfast", npgfast),
            # bicgstab breaks down on the transposed system (code -10)
            Side("SciPy bicgstab, gmres for d", lambda: with_scipy("bicgstab", "gmres"), ("scipy",)),
            Side("SciPy gmres", lambda: with_scipy("gmres", "gmres"), ("scipy",)),
        ],
        SECONDS,
        check,
        5,
    )
    sides["SciPy spsolve"] = {"skipped": "fill-in: needs more memory than there is at this size"}
    read = limits[max(limits, key=int)]["bandwidth"]["read"]
    sweep = STATES * ACTIONS * SWEEP / read
    return row(
        "Exact evaluation of a stochastic policy: V, Q, A, d",
        f"Garnet, {STATES:,} states, {ACTIONS} actions, {SUCCESSORS} successors, gamma {GAMMA}, residual {RESIDUAL:g}",
        SECONDS,
        sides,
        (sweep, f"one reading of the kernel, {STATES * ACTIONS * SWEEP / 1e6:.0f} MB; a solve needs several"),
        [
            target(
                "at most 0.5 x SciPy's best Krylov method",
                _inverse(times(sides, "SciPy bicgstab, gmres for d", "SciPy gmres")),
                0.5,
            )
        ],
    )


def _inverse(ratio: float | None) -> float | None:
    return None if ratio is None else 1.0 / ratio
