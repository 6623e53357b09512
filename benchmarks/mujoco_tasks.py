"""MuJoCo tasks by TRPO with the zoo's linear and random-Fourier policies: curves as data, and a picture.

python benchmarks/mujoco_tasks.py [--seeds 3] [--envs Swimmer-v5 Hopper-v5] [--out benchmarks/results/mujoco]

Trains on EnvPool where it is installed, else on Gymnasium's vectorised environments; the returns are those of the
policies that ``keep_best`` hands out, over 50 fresh episodes in Gymnasium's own environment. Needs npgfast[mujoco].
"""

import argparse
import importlib.util
import json
import time
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np

import npgfast as nf
from npgfast import zoo

TARGETS = {"Swimmer-v5": 340.0, "Hopper-v5": 3000.0}
EPISODES = 50


def environment(name: str, n_envs: int) -> object:
    """An EnvPool of one thread, or the id for Gymnasium."""
    if importlib.util.find_spec("envpool") is None:
        return name
    import envpool

    return envpool.make(name, env_type="gymnasium", num_envs=n_envs, num_threads=1, seed=0)


def train(name: str, seed: int) -> dict[str, object]:
    """One run of the zoo's agent, and its judgement."""
    settings = zoo.ZOO[name].settings
    agent = zoo.make(name, seed=seed, env=environment(name, settings["n_envs"]))
    wall, cpu = time.perf_counter(), time.process_time()
    result = agent.learn()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    judged = {
        "deterministic": nf.evaluate_policy(name, result.policy, EPISODES, seed=10**6 + seed),
        "stochastic": nf.evaluate_policy(name, result.policy, EPISODES, seed=10**6 + seed, deterministic=False),
    }
    return {
        "environment": name,
        "seed": seed,
        "engine": type(agent.env).__name__ if importlib.util.find_spec("envpool") is None else "EnvPool",
        "steps": float(result.final("timesteps")[0]),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        **{kind: {"mean": r.mean, "std": r.std, "standard_error": r.standard_error} for kind, r in judged.items()},
        "curve": {
            column: np.round(result.history[column][0], 3).tolist()
            for column in ("timesteps", "return_mean", "evaluation", "kl", "entropy", "explained_variance")
        },
    }


def draw(runs: list[dict[str, object]], path: Path) -> None:
    """Return of the mean policy against steps, one panel for each environment."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(run["environment"] for run in runs))
    fig, axes = plt.subplots(1, len(names), figsize=(5.0 * len(names), 3.6), squeeze=False, layout="constrained")
    for ax, name in zip(axes[0], names, strict=True):
        for run in (run for run in runs if run["environment"] == name):
            curve = run["curve"]
            steps = np.array(curve["timesteps"]) / 1e6
            (line,) = ax.plot(steps, curve["evaluation"], lw=1.3, label=f"seed {run['seed']}")
            ax.plot(steps, curve["return_mean"], lw=0.8, ls=":", color=line.get_color())
        ax.axhline(TARGETS[name], color="0.4", lw=0.8, ls="--")
        ax.set(title=name, xlabel="million steps", ylabel="return")
        ax.legend(loc="upper left", title="mean policy; dotted: while learning", fontsize=8, title_fontsize=8)
    fig.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--envs", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "mujoco")
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # Gymnasium's on the precision of EnvPool's boxes
    given.out.parent.mkdir(parents=True, exist_ok=True)
    runs: list[dict[str, object]] = []
    for name in given.envs:
        for seed in range(given.seeds):
            run = train(name, seed)
            runs.append(run)
            print(
                f"{name} seed {seed}: {run['deterministic']['mean']:.0f} +- {run['deterministic']['std']:.0f} (mean "
                f"policy), {run['stochastic']['mean']:.0f} (drawing), {run['steps']:.3g} steps, "
                f"{run['wall_seconds']:.0f} s, {run['cpu_seconds']:.0f} s of CPU",
                flush=True,
            )
            given.out.with_suffix(".json").write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
        medians = [
            np.median([run[kind]["mean"] for run in runs if run["environment"] == name])
            for kind in ("deterministic", "stochastic")
        ]
        print(f"{name}: median {medians[0]:.0f} (mean policy), {medians[1]:.0f} (drawing); target {TARGETS[name]:.0f}")
    draw(runs, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
