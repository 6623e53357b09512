"""How far and how fast each algorithm learns the classic problems, to the optimum that `solve` certifies.

python benchmarks/learning.py [exact] [small] [large]
"""

import sys
import time
from collections.abc import Callable

import numpy as np

import npgfast as nf
from npgfast.schedules import Geometric, Linear

PROBLEMS = {
    "FrozenLake 4x4": ("FrozenLake-v1", {}),
    "FrozenLake 8x8": ("FrozenLake-v1", {"map_name": "8x8"}),
    "Taxi": ("Taxi-v4", {}),
    "CliffWalking": ("CliffWalking-v1", {}),
}
CLIFF_PPO = {"learning_rate": 0.1, "entropy_coefficient": Linear(0.3, 0.0, 300)}
EXACT = {
    "NPG, geometric step": lambda mdp, _: nf.NaturalPolicyGradient(mdp, step_size=Geometric(0.1, 1.1)),
    "SPI, geometric step": lambda mdp, _: nf.SoftPolicyIteration(mdp, step_size=Geometric(0.1, 1.1)),
    "TRPO": lambda mdp, _: nf.TRPO(mdp),
    "PPO": lambda mdp, name: nf.PPO(mdp, **(CLIFF_PPO if name == "CliffWalking" else {})),
}
SAMPLED = {"mode": "sampled", "gae_lambda": 0.95}
SMALL = {
    "NPG": lambda mdp: nf.NaturalPolicyGradient(
        mdp, step_size=Linear(1.0, 0.0, 60), damping=0.5, n_episodes=1000, **SAMPLED
    ),
    "TRPO": lambda mdp: nf.TRPO(mdp, max_kl=0.01, damping=0.1, n_episodes=1000, **SAMPLED),
}
SMALL_PPO = {
    "PPO": lambda mdp: nf.PPO(mdp, n_episodes=500, learning_rate=0.01, n_epochs=4, batch_size=1000, **SAMPLED),
}
LARGE = {
    "NPG": lambda mdp: nf.NaturalPolicyGradient(mdp, step_size=1.0, damping=0.1, n_episodes=4000, **SAMPLED),
    "TRPO": lambda mdp: nf.TRPO(mdp, max_kl=0.002, damping=0.1, n_episodes=2000, **SAMPLED),
    "PPO": lambda mdp: nf.PPO(mdp, n_episodes=4000, learning_rate=0.01, n_epochs=4, batch_size=20_000, **SAMPLED),
}


def load(name: str) -> nf.TabularMDP:
    env, settings = PROBLEMS[name]
    return nf.TabularMDP.from_gymnasium(env, gamma=0.99, **settings)


def exact() -> None:
    print("exact, gap of the last iterate <= 1e-3 |J*|")
    print(f"{'problem':16}{'algorithm':22}{'J*':>14}{'final gap':>12}{'iterations to 1e-3':>20}{'seconds':>10}")
    for name in PROBLEMS:
        mdp = load(name)
        for label, make in EXACT.items():
            agent = make(mdp, name)
            best = abs(agent.optimum.objective)
            started = time.perf_counter()
            result = agent.learn(400)
            seconds = time.perf_counter() - started
            gaps = result.history["gap"][0]
            assert gaps[-1] <= 1e-3 * best
            reached = 1 + int(np.argmax(gaps <= 1e-3 * best))
            print(
                f"{name:16}{label:22}{result.optimum.objective:14.9f}{gaps[-1]:12.1e}{reached:20d}{seconds:10.3f}",
                flush=True,
            )


def sampled(name: str, agents: dict[str, Callable], n_seeds: int, **length: int) -> None:
    print(f"\nfrom samples, {name}, {n_seeds} seeds in one call, median gap of the last iterate <= 3 %")
    print(f"{'algorithm':12}{'median gap':>12}{'worst':>10}{'steps to 3 %, median':>22}{'steps':>12}{'seconds':>10}")
    mdp = load(name)
    for label, make in agents.items():
        agent = make(mdp)
        started = time.perf_counter()
        result = agent.learn(n_seeds=n_seeds, **length)
        seconds = time.perf_counter() - started
        best = result.optimum.objective
        gaps = np.array([1.0 - nf.evaluate(mdp, policy).objective / best for policy in result.policies])
        assert np.median(gaps) <= 0.03
        within = result.history["gap"] <= 0.03 * best
        steps = np.where(
            within.any(axis=1), np.nanmin(np.where(within, result.history["timesteps"], np.inf), 1), np.inf
        )
        taken = result.final("timesteps")
        print(
            f"{label:12}{np.median(gaps):12.2%}{gaps.max():10.2%}{np.median(steps):22.2e}{taken.max():12.2e}{seconds:10.2f}",
            flush=True,
        )


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["exact", "small", "large"]
    info = nf.build_info()
    print(f"npgfast {info['version']}, {info['isa']}, {nf.threads.thread_count()} threads, {info['platform']}\n")
    if "exact" in wanted:
        exact()
    if "small" in wanted:
        sampled("FrozenLake 4x4", SMALL, 32, n_iterations=60)
        sampled("FrozenLake 4x4", SMALL_PPO, 32, n_iterations=100)
    if "large" in wanted:
        sampled("FrozenLake 8x8", LARGE, 8, total_timesteps=30_000_000)
