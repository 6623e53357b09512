"""Cost against size, memory peak and threads: python benchmarks/scaling.py [--only KERNEL ...] [--threads 1 2]

Every size of every kernel runs in a process of its own, which takes the median of 5 calls with each number of threads,
in turn, after it has asserted that their answers are equal bit for bit, and says by how much its resident memory rose
at its peak beyond what importing and making the inputs took. Written are benchmarks/results/scaling.json and pictures:
lines in log-log axes with the fitted slope (1 is linear cost), memory, and speed by threads.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from machine import RESULTS, facts, interleaved, processors, write

import npgfast as nf

TIME_LIMIT = 60  # seconds of one size of one kernel
REPEATS = 5
FIXED = 2e-4  # seconds

Call = Callable[[], Any]


def rollout(size: int) -> Call:
    mdp = nf.problems.frozen_lake("8x8", gamma=0.99)
    policy = nf.TabularSoftmax(64, 4, np.random.default_rng(0).normal(size=(64, 4)))
    return lambda: nf.rollout(mdp, policy, n_steps=size // 1_000, n_envs=1_000, seed=1)


def cart_pole(size: int) -> Call:
    env, policy = nf.envs.CartPole(), nf.LinearSoftmax(4, 2)
    return lambda: nf.rollout(env, policy, n_steps=size // 1_000, n_envs=1_000, seed=1)


def gae(size: int) -> Call:
    generator = np.random.default_rng(0)
    rewards, values, bootstrap = generator.normal(size=(3, size // 256, 256))
    terminated = generator.random(rewards.shape) < 0.01
    truncated = np.zeros_like(terminated)
    return lambda: nf.gae(
        rewards, values, terminated, truncated, gamma=0.99, gae_lambda=0.95, bootstrap_values=bootstrap
    )


def _linear(size: int, n_features: int, n_actions: int) -> tuple[nf.LinearSoftmax, nf.Batch, np.ndarray]:
    generator = np.random.default_rng(0)
    policy = nf.LinearSoftmax(
        nf.features.Linear(n_features, bias=False), n_actions, 0.1 * generator.normal(size=n_features * n_actions)
    )
    observations, actions = generator.normal(size=(size, n_features)), generator.integers(0, n_actions, size)
    logs = policy.log_prob(observations, actions)
    batch = nf.Batch(observations, actions, generator.normal(size=size), log_probs=logs)
    return policy, batch, generator.normal(size=policy.n_params)


def fisher_product(size: int) -> Call:
    policy, batch, vector = _linear(size, 64, 8)
    return lambda: nf.fisher_vector_product(policy, batch, vector)


def natural_gradient(size: int) -> Call:
    policy, batch, _ = _linear(size, 64, 8)
    return lambda: nf.natural_gradient(policy, batch, method="cg", rtol=1e-3)


def clipped_surrogate(size: int) -> Call:
    policy, batch, _ = _linear(size, 8, 4)
    return lambda: nf.clipped_surrogate(policy, batch)


def evaluate(size: int) -> Call:
    mdp = nf.problems.garnet(size, 4, 4, gamma=0.99, seed=1)
    probs = np.random.default_rng(0).dirichlet(np.ones(4), size=size)
    return lambda: nf.evaluate(mdp, probs)


def solve(size: int) -> Call:
    mdp = nf.problems.garnet(size, 4, 4, gamma=0.99, seed=1)
    return lambda: nf.solve(mdp)


def exact_npg(size: int) -> Call:
    mdp = nf.problems.garnet(size, 4, 4, gamma=0.99, seed=1)
    return lambda: nf.NaturalPolicyGradient(mdp, step_size=nf.schedules.Geometric(1.0, 10.0)).learn(8)


def sampled_trpo(size: int) -> Call:
    mdp = nf.problems.frozen_lake("8x8", gamma=0.99)
    return lambda: nf.TRPO(
        mdp, mode="sampled", seed=1, n_envs=100, n_steps=size // 1_000, damping=0.1, max_kl=0.002
    ).learn(10)


def ppo(size: int) -> Call:
    policy = nf.LinearSoftmax(4, 2)
    return lambda: nf.PPO(
        nf.envs.CartPole(), policy, seed=1, n_envs=10, n_steps=size // 10, batch_size=256, n_epochs=4
    ).learn(1)


def seeds(size: int) -> Call:
    return lambda: nf.TRPO(nf.envs.CartPole(), nf.LinearSoftmax(4, 2), n_envs=4, n_steps=128, damping=0.01).learn(
        10, n_seeds=size
    )


# Title, unit of the size, sizes, call.
KERNELS: dict[str, tuple[str, str, tuple[int, ...], Callable[[int], Call]]] = {
    "rollout": ("rollout, FrozenLake 8x8", "steps", (10_000, 100_000, 1_000_000, 10_000_000), rollout),
    "cart_pole": ("rollout, CartPole-v1", "steps", (10_000, 100_000, 1_000_000, 4_000_000), cart_pole),
    "gae": ("GAE, 256 environments", "steps", (25_600, 256_000, 2_560_000, 10_240_000), gae),
    "fisher_product": ("Fisher product, 64 features, 8 actions", "samples", (1_000, 10_000, 100_000), fisher_product),
    "natural_gradient": ("natural gradient by CG, as above", "samples", (1_000, 10_000, 100_000), natural_gradient),
    "clipped_surrogate": (
        "clipped surrogate, 8 features, 4 actions",
        "samples",
        (1_000, 10_000, 100_000, 1_000_000),
        clipped_surrogate,
    ),
    "ppo": ("sampled PPO iteration, 4 epochs, CartPole-v1", "samples", (1_000, 10_000, 100_000), ppo),
    "evaluate": ("exact evaluation, Garnet", "states", (1_000, 10_000, 100_000, 1_000_000), evaluate),
    "solve": ("solve, Garnet", "states", (1_000, 10_000, 100_000), solve),
    "exact_npg": ("exact NPG, 8 iterations, Garnet", "states", (1_000, 10_000, 100_000), exact_npg),
    "sampled_trpo": (
        "sampled TRPO, 10 iterations, FrozenLake",
        "steps",
        (100_000, 1_000_000, 10_000_000),
        sampled_trpo,
    ),
    "seeds": ("sampled TRPO, 10 iterations, CartPole-v1", "seeds", (1, 4, 16, 64), seeds),
}


def forget_the_peak() -> None:
    """Start the high-water mark of this process's memory again, where the system lets it."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5", encoding="ascii")


def resident_peak() -> int:
    """Largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def measure(name: str, size: int, threads: list[int]) -> dict[str, Any]:
    """Seconds by threads, and the rise of the memory peak, in this process."""
    make = KERNELS[name][3]
    make(KERNELS[name][2][0])()  # what a process loads once
    call = make(size)
    forget_the_peak()
    before = resident_peak()
    started = time.perf_counter()
    os.environ["NPGFAST_NUM_THREADS"] = str(threads[-1])
    result = call()
    spent, peak = time.perf_counter() - started, resident_peak()
    answer = digest(result)
    del result

    def on(count: int) -> Call:
        def run() -> Any:
            os.environ["NPGFAST_NUM_THREADS"] = str(count)
            return call()

        return run

    calls = {str(count): on(count) for count in threads}
    for count, other in calls.items():
        assert digest(other()) == answer, f"{name}, {size}: {count} threads give another answer"
    timings = interleaved(calls, REPEATS if spent < 2.0 else 1)
    return {"size": size, "seconds": timings, "peak_bytes": max(0, peak - before)}


def digest(answer: Any) -> str:
    """Of all numbers in an answer, but for seconds."""
    found = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, np.ndarray):
            found.update(np.ascontiguousarray(part).tobytes())
        elif isinstance(part, float | int | str):
            found.update(repr(part).encode())
        elif isinstance(part, tuple | list):
            for entry in part:
                add(entry)
        elif isinstance(part, nf.Result):
            add(part.history["objective"])
            for policy in part.policies:
                add(policy.theta)
        elif dataclasses.is_dataclass(part):
            for field in dataclasses.fields(part):
                add(getattr(part, field.name))

    add(answer)
    return found.hexdigest()


def measured_apart(name: str, size: int, threads: list[int]) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--only", name, "--size", str(size), "--threads", *map(str, threads)]
    try:
        done = subprocess.run(command, check=True, timeout=TIME_LIMIT, stdout=subprocess.PIPE)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        return {"size": size, "error": f"{type(error).__name__}: {error}"[:200]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def slope(points: list[dict[str, Any]], threads: str) -> float | None:
    """Exponent of the cost, fitted to the sizes that take longer than a call as such; None with fewer than two."""
    used = [(p["size"], p["seconds"][threads]["median"]) for p in points if "seconds" in p]
    long = [(size, seconds) for size, seconds in used if seconds > FIXED]
    used = long if len(long) > 1 else used
    if len(used) < 2:
        return None
    sizes, seconds = np.log(np.array(used).T)
    return float(np.polyfit(sizes, seconds, 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(KERNELS), metavar="KERNEL", help="measure these alone")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, processors()}))
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=RESULTS / "scaling.json")
    given = parser.parse_args()
    if given.size is not None:
        print(json.dumps(measure(given.only[0], given.size, given.threads)))
        return
    report: dict[str, Any] = {"kernels": {}}
    if given.out.exists():
        report = json.loads(given.out.read_text(encoding="utf-8"))
    report["machine"] = facts()
    for name in given.only or KERNELS:
        title, unit, sizes, _ = KERNELS[name]
        points = [measured_apart(name, size, given.threads) for size in sizes]
        slopes = {threads: slope(points, threads) for threads in map(str, given.threads)}
        report["kernels"][name] = {"title": title, "unit": unit, "points": points, "slopes": slopes}
        report["kernels"] = {known: report["kernels"][known] for known in KERNELS if known in report["kernels"]}
        write(given.out, report)
        print(f"{title} ({unit}); slopes {slopes}")
        for point in points:
            if "error" in point:
                print(f"    {point['size']:>12,} {point['error']}")
                continue
            spent = "".join(f"{1e3 * t['median']:12.3f} ms" for t in point["seconds"].values())
            print(f"    {point['size']:>12,}{spent}{point['peak_bytes'] / 1e6:12.1f} MB")
        sys.stdout.flush()
    from pictures import draw_memory, draw_scaling, draw_threads

    stem = given.out.with_suffix("")
    draw_scaling(report, stem.with_suffix(".png"))
    draw_memory(report, stem.with_name(stem.name + "_memory.png"))
    draw_threads(report, stem.with_name(stem.name + "_threads.png"))


if __name__ == "__main__":
    main()
