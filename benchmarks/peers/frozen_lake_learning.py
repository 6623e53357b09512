"""FrozenLake 8x8, slippery, gamma .99: sampled TRPO to within 3 % of the certified optimum."""

import time
from typing import Any

import numpy as np
from compare import SECONDS, row, target

import npgfast as nf

# Of the agent: the arguments of TRPO, and the most iterations that a seed gets.
SETTINGS: dict[str, Any] = {
    "max_kl": 0.002,
    "damping": 0.1,
    "n_episodes": 2000,
    "gae_lambda": 0.95,
}
ITERATIONS = 400
SEEDS, TOGETHER = 32, 64
GAPS = (0.03, 0.01)


def frozen_lake_learning(limits: dict[str, Any]) -> dict[str, Any]:
    mdp = nf.problems.frozen_lake("8x8", gamma=0.99)
    optimum = nf.solve(mdp).objective

    def agent(seed: int) -> nf.TRPO:
        return nf.TRPO(mdp, mode="sampled", seed=seed, **SETTINGS)

    agent(0).learn(2)
    seconds: dict[float, list[float]] = {gap: [] for gap in GAPS}
    steps = []
    for seed in range(SEEDS):
        for gap in GAPS:
            made = agent(seed)
            started = time.perf_counter()
            result = made.learn(ITERATIONS, target=(1.0 - gap) * optimum, n_threads=2)
            spent = time.perf_counter() - started
            arrived = nf.evaluate(mdp, result.policy).objective >= (1.0 - gap) * optimum
            seconds[gap].append(spent if arrived else np.inf)
            if gap == GAPS[0]:
                steps.append(float(result.final("timesteps")[0]))
    together = []
    for _ in range(3):
        started = time.perf_counter()
        agent(0).learn(ITERATIONS, target=(1.0 - GAPS[0]) * optimum, n_seeds=TOGETHER)
        together.append(time.perf_counter() - started)
    sides: dict[str, Any] = {}
    for gap in GAPS:
        for quantile in (50, 90):
            name = "npgfast" if gap == GAPS[0] and quantile == 50 else f"npgfast, {quantile} % of the seeds, {gap:.0%}"
            found = float(np.percentile(seconds[gap], quantile, method="inverted_cdf"))
            if np.isfinite(found):
                sides[name] = _side(found, min(seconds[gap]), SEEDS)
            else:
                arrived = int(np.isfinite(seconds[gap]).sum())
                sides[name] = {"skipped": f"{arrived} of {SEEDS} seeds arrive in {ITERATIONS} iterations"}
    sides[f"npgfast, {TOGETHER} seeds in one call"] = _side(float(np.median(together)), min(together), 3)
    alias = limits[max(limits, key=int)]["alias"]
    pace, played = max(alias.values()), float(np.median(steps))
    median = sides["npgfast"].get("value")
    settings = ", ".join(f"{name} {setting}" for name, setting in SETTINGS.items())
    return row(
        "FrozenLake 8x8, slippery: sampled TRPO to within 3 % of the optimum",
        f"{SEEDS} seeds one by one, {played:.2g} steps in the median; {settings}",
        SECONDS,
        sides,
        (played / pace, f"{played:.2g} steps of alias draws"),
        [
            target("median at most 100 ms", None if median is None else 1e3 * median, 100.0),
            target(f"{TOGETHER} seeds in one call at most 5 s", float(np.median(together)), 5.0),
        ],
    )


def _side(seconds: float, best: float, repeats: int) -> dict[str, Any]:
    return {"work": 1.0, "min": best, "median": seconds, "repeats": repeats, "value": seconds, "best": best}
