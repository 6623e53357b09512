"""The optimum of a Garnet problem of 100,000 states, to a gap of 1e-8: by `solve`, by exact NPG, by the peers."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from compare import SECONDS, Side, compare, row, target, times

import npgfast as nf

STATES, ACTIONS, SUCCESSORS, GAMMA = 100_000, 4, 4, 0.99
GAP = 1e-8
STEPS = nf.schedules.Geometric(1e4, 10.0)  # of NPG
MOST_ITERATIONS = 25
SWEEPS = 50  # of the partial evaluations of modified policy iteration
NPG = "npgfast, exact NPG"


def exact_optimum(limits: dict[str, Any]) -> dict[str, Any]:
    mdp = nf.problems.garnet(STATES, ACTIONS, SUCCESSORS, gamma=GAMMA, seed=1)
    optimum = nf.solve(mdp, tol=1e-12).objective

    def npgfast() -> Callable[[], Any]:
        return lambda: nf.solve(mdp, tol=GAP).actions

    def natural_gradients() -> Callable[[], Any]:
        gaps = nf.NaturalPolicyGradient(mdp, step_size=STEPS).learn(MOST_ITERATIONS).history["gap"][0]
        needed = 1 + int(np.flatnonzero(gaps <= GAP)[0])
        return lambda: nf.NaturalPolicyGradient(mdp, step_size=STEPS).learn(needed).policy

    def kernel() -> Any:
        from scipy import sparse

        indptr, indices, values = mdp.csr
        return sparse.csr_array((values, indices, indptr), shape=(STATES * ACTIONS, STATES))

    def with_scipy() -> Callable[[], Any]:
        transitions, first = kernel(), ACTIONS * np.arange(STATES)

        def call() -> Any:
            values = np.zeros(STATES)
            while True:
                action_values = mdp.rewards + GAMMA * (transitions @ values).reshape(STATES, ACTIONS)
                actions = action_values.argmax(axis=1)
                improved = action_values.max(axis=1)
                change = improved - values
                if GAMMA / (1.0 - GAMMA) * (change.max() - change.min()) <= GAP:  # MacQueen's bounds
                    return actions
                values = improved
                chosen, rewards = transitions[first + actions], mdp.rewards.ravel()[first + actions]
                for _ in range(SWEEPS):
                    values = rewards + GAMMA * (chosen @ values)

        return call

    def with_quantecon(method: str) -> Callable[[], Any]:
        from quantecon.markov import DiscreteDP
        from scipy import sparse

        states, actions = np.divmod(np.arange(STATES * ACTIONS), ACTIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = DiscreteDP(mdp.rewards.ravel(), sparse.csr_matrix(kernel()), GAMMA, states, actions)
            problem.solve(method=method, epsilon=1.0, k=SWEEPS)  # compiles
        return lambda: problem.solve(method=method, epsilon=GAP, k=SWEEPS, max_iter=100_000).sigma

    def with_mdpsolver(algorithm: str) -> Callable[[], Any]:
        import mdpsolver

        indptr, indices, values = mdp.csr
        columns = [x.reshape(ACTIONS, -1).tolist() for x in np.split(indices, indptr[ACTIONS:-1:ACTIONS])]
        probs = [x.reshape(ACTIONS, -1).tolist() for x in np.split(values, indptr[ACTIONS:-1:ACTIONS])]
        model = mdpsolver.model()
        model.mdp(discount=GAMMA, rewards=mdp.rewards.tolist(), tranMatProbs=probs, tranMatColumns=columns)

        start = [0.0] * STATES  # without it a second call starts where the first one ended

        def call() -> Any:
            model.solve(algorithm=algorithm, tolerance=GAP, parIterLim=SWEEPS, initValueVector=start)
            return model

        return call

    def check(name: str, answer: Any) -> None:
        """The policy's own objective, whatever the side says of it."""
        if name.startswith("mdpsolver"):
            answer = np.array(answer.getPolicy())
        policy = answer if name == NPG else np.eye(ACTIONS)[answer]
        gap = optimum - nf.evaluate(mdp, policy).objective
        assert gap <= GAP * max(1.0, abs(optimum)), (name, gap)

    sides = compare(
        [
            Side("npgfast", npgfast),
            Side(NPG, natural_gradients),
            Side("SciPy-written MPI", with_scipy, ("scipy",)),
            Side("quantecon MPI", lambda: with_quantecon("modified_policy_iteration"), ("quantecon",)),
            Side("mdpsolver MPI", lambda: with_mdpsolver("mpi"), ("mdpsolver",)),
            Side("mdpsolver VI", lambda: with_mdpsolver("vi"), ("mdpsolver",)),
            Side("quantecon VI", lambda: with_quantecon("value_iteration"), ("quantecon",)),
        ],
        SECONDS,
        check,
        5,
    )
    read = limits[max(limits, key=int)]["bandwidth"]["read"]
    sweep = STATES * ACTIONS * (12 * SUCCESSORS + 8)
    peers = ("SciPy-written MPI", "quantecon MPI", "mdpsolver MPI", "mdpsolver VI", "quantecon VI")
    solve, npg = times(sides, *peers), times(sides, *peers, side=NPG)
    return row(
        "Optimum to a gap of 1e-8: solve, and exact NPG with a growing step",
        f"Garnet, {STATES:,} states, {ACTIONS} actions, {SUCCESSORS} successors, gamma {GAMMA}",
        SECONDS,
        sides,
        (
            sweep / read,
            f"one sweep over the kernel, {sweep / 1e6:.0f} MB; a solution needs a hundred, much of it in L3",
        ),
        [
            target("solve at most 0.5 x the fastest peer", None if solve is None else 1.0 / solve, 0.5),
            target("exact NPG at most 1 x the fastest peer", None if npg is None else 1.0 / npg, 1.0),
        ],
    )
