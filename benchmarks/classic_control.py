"""Classic control by the zoo's agents, judged over fresh episodes in Gymnasium's own environments, beside SB3.

python benchmarks/classic_control.py [--cartpole-seeds 100] [--seeds 10] [--out benchmarks/results/classic_control.json]

Asserts the scores, then prints them. The figures of Stable-Baselines3 are those that benchmarks/peers measured
(peers/results, one seed on a quiet machine), and the single runs that rl-baselines3-zoo publishes.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import gymnasium
import numpy as np

import npgfast as nf
from npgfast import zoo

TARGETS = {
    "CartPole-v1": 495.0,
    "Acrobot-v1": -90.0,
    "MountainCarContinuous-v0": 92.0,
    "Pendulum-v1": -250.0,
    "MountainCar-v0": -120.0,
}
PUBLISHED = {  # rl-baselines3-zoo, benchmark.md: TRPO and PPO, with the steps that they took
    "CartPole-v1": "500 / 500 (1e5 / 1e5)",
    "Acrobot-v1": "-83.1 / -73.5 (1e5 / 1e6)",
    "MountainCarContinuous-v0": "92.5 / 88.3 (5e4 / 2e4)",
    "Pendulum-v1": "-174.6 / -172.2 (1e5 / 1e5)",
    "MountainCar-v0": "-107.3 / -110.4 (1e5 / 1e6)",
}
EPISODES = 100
PEERS = Path(__file__).parent / "peers" / "results"


def judge(name: str, policy: nf.Policy, seed: int) -> float:
    """Mean return of the mean policy over fresh episodes in Gymnasium's environment."""
    if name == "CartPole-v1":  # Gymnasium's own vectorised one
        env = gymnasium.make_vec(name, EPISODES, vectorization_mode="vector_entry_point")
        return nf.evaluate_policy(env, policy, EPISODES, seed=seed).mean
    return nf.evaluate_policy(name, policy, EPISODES, seed=seed).mean


def measure(name: str, n_seeds: int) -> dict[str, object]:
    """All seeds in one call, then each alone for its own time, then the judgement."""
    zoo.make(name).learn(2, target=1e9)  # the first call loads what a process loads once
    started, cpu = time.perf_counter(), time.process_time()
    result = zoo.make(name).learn(n_seeds=n_seeds)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    alone = []
    for seed in range(min(n_seeds, 100)):
        agent = zoo.make(name, seed=seed)
        started = time.perf_counter()
        single = agent.learn(n_threads=1)
        alone.append(time.perf_counter() - started)
        assert np.array_equal(single.policy.theta, result.policies[seed].theta)
    scores = np.array([judge(name, policy, 10**6 + seed) for seed, policy in enumerate(result.policies)])
    return {
        "environment": name,
        "seeds": n_seeds,
        "scores": np.round(scores, 2).tolist(),
        "steps": result.final("timesteps").tolist(),
        "wall_all": wall,
        "cpu_all": cpu,
        "seconds_alone": alone,
    }


def peer(name: str, algorithm: str) -> str:
    """Score (and CPU seconds) of one peer's run, measured by benchmarks/peers/classic_control.py."""
    path = PEERS / "classic_control_sb3_seed0.json"
    if not path.exists():
        return "not measured"
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
        if run["environment"] == name and run["algorithm"] == algorithm:
            return f"{run['mean_return']:.1f} ({run['cpu_seconds']:.0f} s)"
    return "not measured"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cartpole-seeds", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name, target in TARGETS.items():
        run = measure(name, given.cartpole_seeds if name == "CartPole-v1" else given.seeds)
        rows.append(run)
        scores, steps = np.array(run["scores"]), np.array(run["steps"])
        alone = 1e3 * np.array(run["seconds_alone"])
        assert np.median(scores) >= target, (name, scores)
        if name == "CartPole-v1":
            assert (scores >= target).all(), np.sort(scores)[:5]
        print(f"{name}: {(scores >= target).sum()} of {scores.size} seeds >= {target:g}")
        print(f"    return: median {np.median(scores):.1f}, worst {scores.min():.1f}, best {scores.max():.1f}")
        print(f"    steps of a seed: median {np.median(steps):.3g}, largest {steps.max():.3g}")
        print(
            f"    time of a seed alone: median {np.median(alone):.2f} ms, 99 % {np.percentile(alone, 99):.2f} ms; "
            f"all in one call {run['wall_all']:.2f} s ({run['cpu_all']:.2f} s of CPU)"
        )
        print(
            f"    SB3 here: TRPO {peer(name, 'trpo')}, PPO {peer(name, 'ppo')}; its zoo: {PUBLISHED[name]}", flush=True
        )
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
