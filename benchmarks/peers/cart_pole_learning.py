"""CartPole-v1 from scratch to a mean return of 495 over 100 episodes, by the zoo's agent."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from compare import SECONDS, row, target

import npgfast as nf

SEEDS, ALL = 100, 256
SOLVED, EPISODES = 495.0, 100
NAME = "CartPole-v1"
PEERS = Path(__file__).resolve().parent / "results" / "classic_control_sb3_seed0.json"


def cart_pole_learning(_: dict[str, Any]) -> dict[str, Any]:
    nf.zoo.make(NAME).learn(2, target=1e9)  # the first call loads what a process loads once
    alone, solved, steps = [], 0, []
    env = nf.envs.CartPole()
    for seed in range(SEEDS):
        agent = nf.zoo.make(NAME, seed=seed)
        started = time.perf_counter()
        result = agent.learn(n_threads=1)
        alone.append(time.perf_counter() - started)
        returns = nf.evaluate_policy(env, result.policy, EPISODES, seed=10**6 + seed)
        solved += returns.mean >= SOLVED
        steps.append(float(result.final("timesteps")[0]))
    together = []
    for _repeat in range(5):
        started = time.perf_counter()
        nf.zoo.make(NAME).learn(n_seeds=ALL)
        together.append(time.perf_counter() - started)
    median, last = float(np.median(alone)), float(np.percentile(alone, 99))
    sides: dict[str, Any] = {
        "npgfast": _side(median, min(alone), SEEDS),
        "npgfast, 99 % of the seeds": _side(last, last, SEEDS),
        f"npgfast, {ALL} seeds in one call": _side(float(np.median(together)), min(together), len(together)),
    }
    for algorithm, title in (("ppo", "SB3 PPO"), ("trpo", "sb3-contrib TRPO")):
        sides |= _peer(algorithm, title)
    return row(
        f"CartPole-v1 from scratch to a mean return of {SOLVED:g} over {EPISODES} episodes",
        f"{SEEDS} seeds one by one on one thread, {np.median(steps):,.0f} steps in the median; peers: one run each",
        SECONDS,
        sides,
        None,
        [
            target("median at most 2 ms", 1e3 * median, 2.0),
            target("99 % at most 50 ms", 1e3 * last, 50.0),
            target(f"{SEEDS} of {SEEDS} seeds solved", float(solved), float(SEEDS), at_least=True),
            target(f"{ALL} seeds in one call at most 1 s", float(np.median(together)), 1.0),
        ],
    )


def _side(seconds: float, best: float, repeats: int) -> dict[str, Any]:
    return {"work": 1.0, "min": best, "median": seconds, "repeats": repeats, "value": seconds, "best": best}


def _peer(algorithm: str, title: str) -> dict[str, Any]:
    """Train a peer once, as classic_control.py does it, with the settings of its own zoo."""
    try:
        import torch
        from classic_control import evaluate, train

        torch.set_num_threads(1)
        train(NAME, algorithm, seed=0, steps=1, policy="mlp")  # what is imported lazily
        model, normalize, seconds, _ = train(NAME, algorithm, 0, 100_000, "mlp")
    except ImportError as error:
        return {title: {"skipped": f"{error.name} not installed"}}
    reached = evaluate(model, normalize, NAME).mean()
    return {f"{title}, 100,000 steps (return {reached:.0f})": _side(seconds, seconds, 1)}
