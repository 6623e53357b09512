"""The memory ring on observations: every argument of the core, corrupted in every way, may raise and never crashes."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

import npgfast as nf
from npgfast import _core
from npgfast.sampling.recording import native_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

# A large number in one of these is only a long or a large computation.
COUNTS = {"n_epochs", "max_backtracks", "max_solver_iterations", "n_evaluation_episodes", "n_threads"}
NUMBERS: tuple[Any, ...] = (-1, 0, 3, 99, 2**40, 2**62, -(2**63), float("nan"), float("inf"), -1.5, None, "x", [1])
ENDLESS = {"train_simulated[0][4]", "train_simulated[0][5]", "episode_returns[0][4]"}  # time limit and horizon
BROKEN = RuntimeError, TypeError, ValueError, IndexError, KeyError, MemoryError, OverflowError


def broken_arrays(array: np.ndarray) -> Iterator[Any]:
    """Arrays of a wrong size, layout, kind or content."""
    yield from (None, 3, "x", [], array.tolist(), np.zeros(0), np.zeros((0, 0)), np.zeros(3, object))
    yield from (array[:-1], np.concatenate([array, array]), array[None], array.ravel(), array[..., None])
    yield from (np.repeat(array, 2, axis=-1)[..., ::2], np.asfortranarray(array), array.astype(">f8"))
    yield from (array.astype(kind) for kind in (np.float32, np.float64, np.int64, np.int32, np.uint8, complex))
    fills = [-1, 1, 2**31 - 1, -(2**31)] if array.dtype.kind == "i" else [0, 1, 3, 200]
    if array.dtype.kind == "f":
        fills = [np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0, -1.0, 1e-320, 0.5, 7.0]
    for fill in fills:
        yield np.full_like(array, fill)
    locked = array.copy()
    locked.flags.writeable = False
    yield locked


def corruptions(value: Any, name: str) -> Iterator[Any]:
    """Copies of nested arguments, each broken in one place."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from ({**value, key: broken} for broken in corruptions(entry, key))
            yield {other: kept for other, kept in value.items() if other != key}
        yield from (None, {})
    elif isinstance(value, tuple):
        for k, entry in enumerate(value):
            yield from ((*value[:k], broken, *value[k + 1 :]) for broken in corruptions(entry, f"{name}[{k}]"))
        yield from (None, (), value[:-1], (*value, 0), value[::-1])
    elif isinstance(value, np.ndarray):
        yield from broken_arrays(value)
    elif value is None:
        yield from (np.zeros(1), 3, ())
    else:
        allowed = range(-1, 100) if name in COUNTS else (-1, 3, 99) if name in ENDLESS else NUMBERS
        yield from (n for n in NUMBERS if n in allowed or not isinstance(n, int))


def learning(agent: nf.TRPO) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Valid arguments of what runs an agent on a simulated environment."""
    env, policy = native_environment(agent.env), agent.policy
    state = agent._start(2, np.inf, keep_best=True).arrays()
    state.pop("seconds")
    options = {**agent._options, "target": np.inf, "restart_after": 0, "n_threads": 1, "n_evaluation_episodes": 2}
    schedules = agent._schedule_values(0, 2)
    origin = agent._task._origin(policy, state)
    yield "train_simulated", (env, policy._native, options, schedules, origin, 0, 2, state)
    recording = _core.simulate(env, policy._native, policy.theta, options["n_envs"], options["n_steps"], 1, 1)
    yield "improve", (policy._native, options, schedules, 0, 1, recording, state)


def calls() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Valid arguments of every function of the core that takes observations."""
    cart, pendulum = nf.envs.CartPole(time_limit=8), nf.envs.Pendulum(time_limit=6)
    lqr = nf.envs.LQR([[0.5]], [[1.0]], [[1.0]], [[1.0]], [[0.1]], horizon=4)
    fourier = nf.features.RandomFourier(3, 5, bandwidth=1.0, seed=0)
    normalizer = nf.Normalizer(np.zeros(3), np.ones(3))
    settings: dict[str, Any] = {"n_steps": 4, "n_envs": 2, "normalize_observations": True, "scale_rewards": True}
    yield from learning(nf.TRPO(cart, **settings))
    yield from learning(nf.PPO(pendulum, batch_size=3, n_epochs=2, **settings))
    yield from learning(nf.NaturalPolicyGradient(lqr, solver="regression", estimator="empirical", n_episodes=3))
    gaussian, softmax = nf.LinearGaussian(fourier, 1, normalizer=normalizer), nf.LinearSoftmax(4, 2)
    tiles = nf.LinearSoftmax(nf.features.TileCoding(4, n_tiles=3, n_tilings=2), 2)
    steps = np.zeros(3, np.uint32)
    for env, policy in ((cart, softmax), (cart, tiles), (pendulum, gaussian)):
        observations = np.ones((3, policy.observation_size))
        yield "feature_rows", (policy._native, observations, 2)
        yield "act", (policy._native, policy.theta, observations, 1, 2, steps)
        yield "most_probable", (policy._native, policy.theta, observations)
        yield "simulate", (native_environment(env), policy._native, policy.theta, 3, 5, 7, 2)
        yield "episode_returns", (native_environment(env), policy._native, policy.theta, False, 3, 7)
        batch = nf.sample_batch(env, policy, n_steps=6, seed=0)
        arguments = policy._on(batch)
        yield "policy_gradient", (*arguments, 2)
        yield "fisher_vector_product", (*arguments, np.ones(policy.n_params), 0, 0.0, 2)
        yield "fisher_matrix", (*arguments, 0, 2)
        yield "natural_gradient", (*arguments, 0, 0, 0.0, 1e-10, 0, 2)
        yield "surrogate", (*arguments, 0.2, 2)
        yield "divergence", (*arguments, policy.theta, 2)
    time, targets = np.arange(5, dtype=np.int32), np.arange(5.0)
    observations = np.ones((5, 2))
    for kind in (1, 2):
        state = _core.fit_baseline(kind, 3, observations, time, targets)
        yield "fit_baseline", (kind, 3, observations, time, targets)
        yield "predict_baseline", (kind, 3, state, observations, time)
    yield "gaussian_kl", (np.ones((5, 2)), np.zeros(2), np.zeros(2), np.ones(5))
    yield "gaussian_scores", (observations, np.zeros(3), np.ones((5, 1)))
    yield "gaussian_log_probs", (observations, np.zeros(3), np.ones((5, 1)))


def call_everything() -> None:
    """Print each function before its calls, and what it did unless it raised one of the promised errors."""
    n_calls = 0
    for name, arguments in calls():
        function = getattr(_core, name)
        function(*copy.deepcopy(arguments))
        for k, broken in enumerate(corruptions(arguments, name)):
            if not isinstance(broken, tuple):
                continue
            sys.stdout.write(f"{name} {k}\n")
            sys.stdout.flush()
            n_calls += 1
            try:
                function(*copy.deepcopy(broken))
            except BROKEN:
                continue
            except Exception as error:  # noqa: BLE001 (any other kind is what this looks for)
                sys.stdout.write(f"FAULT: {name} {k}: {error!r:.100}\n")
    sys.stdout.write(f"done {n_calls}\n")


def test_no_corrupted_argument_crashes_the_core(isa):
    # A process of its own: what this looks for would take the whole test run with it.
    done = subprocess.run([sys.executable, __file__, isa], capture_output=True, text=True, check=False, timeout=120)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"signal {-done.returncode} after {lines[-1:]}\n{done.stderr[-2000:]}"
    faults = [line for line in lines if line.startswith("FAULT")]
    assert not faults, "\n".join(faults)
    assert lines[-1].startswith("done ")
    assert int(lines[-1].split()[1]) > 5000


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # what wants more gets a MemoryError
    _core.activate(sys.argv[1])
    call_everything()
