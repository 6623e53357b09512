"""Stable-Baselines3 PPO and sb3-contrib TRPO on classic control: seconds of training, and the return reached.

python benchmarks/peers/classic_control.py [--envs ENV ...] [--algos ppo trpo] [--seeds N] [--linear [actor]] [--full]
                                           [--out FILE]

Settings are those of rl-baselines3-zoo (hyperparams/ppo.yml and trpo.yml), with its number of steps but at most 100,000
unless --full is given. --linear leaves out the two hidden layers of 64 units, `--linear actor` only those of the actor;
the zoo tuned neither. Timed is `learn` alone, on one thread: by the clock, and as CPU time of the process, which other
load raises too, if less. The deterministic policy that training ends with then plays 100 new episodes in Gymnasium,
from the same 100 starts in every run. FILE is written again after every run.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np

MODULES = {"ppo": ("stable_baselines3", "PPO"), "trpo": ("sb3_contrib", "TRPO")}
DISTRIBUTIONS = ("stable-baselines3", "sb3-contrib", "torch", "gymnasium", "numpy")
NET_ARCH = {"mlp": [64, 64], "linear": [], "linear actor": {"pi": [], "vf": [64, 64]}}
MOST_STEPS = 100_000
N_EPISODES = 100
FIRST_EVALUATION_SEED = 1_000_000


def falling(value: float) -> Callable[[float], float]:
    return lambda remaining: value * remaining


# (environment, algorithm): steps, environments, whether VecNormalize is used, arguments of the algorithm
ZOO = {
    ("CartPole-v1", "ppo"): (
        100_000,
        8,
        False,
        {
            "n_steps": 32,
            "batch_size": 256,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "n_epochs": 20,
            "learning_rate": falling(0.001),
            "clip_range": falling(0.2),
        },
    ),
    ("CartPole-v1", "trpo"): (
        100_000,
        2,
        False,
        {"n_steps": 512, "batch_size": 512, "cg_damping": 1e-3, "gae_lambda": 0.98, "n_critic_updates": 20},
    ),
    ("Acrobot-v1", "ppo"): (1_000_000, 16, True, {"n_steps": 256, "gae_lambda": 0.94, "n_epochs": 4}),
    ("Acrobot-v1", "trpo"): (100_000, 2, True, {"n_steps": 1024}),
    ("MountainCarContinuous-v0", "ppo"): (
        20_000,
        1,
        True,
        {
            "n_steps": 8,
            "batch_size": 256,
            "gamma": 0.9999,
            "learning_rate": 7.77e-5,
            "ent_coef": 0.00429,
            "clip_range": 0.1,
            "gae_lambda": 0.9,
            "max_grad_norm": 5,
            "vf_coef": 0.19,
            "use_sde": True,
            "policy_kwargs": {"log_std_init": -3.29, "ortho_init": False},
        },
    ),
    ("MountainCarContinuous-v0", "trpo"): (50_000, 2, True, {"use_sde": True, "sde_sample_freq": 4}),
    ("Pendulum-v1", "ppo"): (
        100_000,
        4,
        False,
        {"n_steps": 1024, "gamma": 0.9, "learning_rate": 1e-3, "use_sde": True, "sde_sample_freq": 4},
    ),
    ("Pendulum-v1", "trpo"): (
        100_000,
        2,
        False,
        {"n_steps": 1024, "gamma": 0.9, "n_critic_updates": 15, "use_sde": True, "sde_sample_freq": 4},
    ),
    ("MountainCar-v0", "ppo"): (1_000_000, 16, True, {"n_steps": 16, "gae_lambda": 0.98, "n_epochs": 4}),
    ("MountainCar-v0", "trpo"): (100_000, 2, True, {"n_steps": 1024, "n_critic_updates": 20}),
}
ENVS = tuple(dict.fromkeys(env for env, _ in ZOO))


def train(env: str, algo: str, seed: int, steps: int, policy: str) -> tuple:
    """The trained model, the map it needs on observations, and wall and CPU seconds of `learn`."""
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    module, name = MODULES[algo]
    _, n_envs, normalized, settings = ZOO[env, algo]
    venv = make_vec_env(env, n_envs, seed=seed)
    if normalized:
        venv = VecNormalize(venv, gamma=settings.get("gamma", 0.99))
    policy_kwargs = settings.get("policy_kwargs", {}) | {"net_arch": NET_ARCH[policy]}
    settings = settings | {"policy_kwargs": policy_kwargs, "seed": seed, "device": "cpu"}
    model = getattr(importlib.import_module(module), name)("MlpPolicy", venv, **settings)
    wall, cpu = time.perf_counter(), time.process_time()
    model.learn(steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return model, venv.normalize_obs if normalized else np.asarray, wall, cpu


def evaluate(model: object, normalize: Callable, env: str) -> np.ndarray:
    """Returns of the deterministic policy, one episode in each of N_EPISODES environments."""
    envs = [gym.make(env) for _ in range(N_EPISODES)]
    observations = np.stack([e.reset(seed=FIRST_EVALUATION_SEED + i)[0] for i, e in enumerate(envs)])
    returns = np.zeros(N_EPISODES)
    running = list(range(N_EPISODES))
    while running:
        actions, _ = model.predict(normalize(observations[running]), deterministic=True)
        still = []
        for i, action in zip(running, actions, strict=True):
            observations[i], reward, terminated, truncated, _ = envs[i].step(action)
            returns[i] += reward
            if not (terminated or truncated):
                still.append(i)
        running = still
    return returns


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--envs", nargs="+", choices=ENVS, default=ENVS)
    parser.add_argument("--algos", nargs="+", choices=tuple(MODULES), default=tuple(MODULES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--linear", nargs="?", choices=("both", "actor"), const="both")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    algos = []
    for algo in options.algos:
        missing = [m for m in dict.fromkeys(("stable_baselines3", MODULES[algo][0])) if not importlib.util.find_spec(m)]
        if missing:
            print(f"skipped {algo}: {', '.join(missing)} not installed")
        else:
            algos.append(algo)
    if not algos:
        return

    import torch

    torch.set_num_threads(1)
    for algo in algos:
        train("CartPole-v1", algo, seed=0, steps=1, policy="mlp")  # what is imported lazily is not timed below

    policy = {None: "mlp", "both": "linear", "actor": "linear actor"}[options.linear]
    installed = [d for d in DISTRIBUTIONS if importlib.util.find_spec(d.replace("-", "_"))]
    versions = {"python": platform.python_version()} | {d: importlib.metadata.version(d) for d in installed}
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    report = {"versions": versions, "machine": machine, "threads": 1, "runs": []}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"policy: {policy}, 1 thread\n")
    columns = f"{'seed':>5}{'steps':>9}{'of':>9}{'seconds':>9}{'CPU':>8}{'mean':>9}{'std':>8}"
    print(f"{'environment':26}{'algorithm':10}{columns}")
    for seed in range(options.seeds):
        for env in options.envs:
            for algo in algos:
                zoo_steps = ZOO[env, algo][0]
                steps = zoo_steps if options.full else min(zoo_steps, MOST_STEPS)
                model, normalize, wall, cpu = train(env, algo, seed, steps, policy)
                returns = evaluate(model, normalize, env)
                run = {
                    "environment": env,
                    "algorithm": algo,
                    "policy": policy,
                    "seed": seed,
                    "steps": model.num_timesteps,
                    "zoo_steps": zoo_steps,
                    "seconds": round(wall, 3),
                    "cpu_seconds": round(cpu, 3),
                    "mean_return": round(float(returns.mean()), 3),
                    "std_return": round(float(returns.std()), 3),
                }
                report["runs"].append(run)
                print(
                    f"{env:26}{algo:10}{seed:5d}{run['steps']:9d}{zoo_steps:9d}{wall:9.1f}{cpu:8.1f}"
                    f"{run['mean_return']:9.1f}{run['std_return']:8.1f}",
                    flush=True,
                )
                if options.out:
                    options.out.parent.mkdir(parents=True, exist_ok=True)
                    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
