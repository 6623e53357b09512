"""Generalised advantage estimation, T=2048, N=256."""

from typing import Any

import numpy as np
from compare import MILLISECONDS, Side, compare, row, target, times, value

import npgfast as nf
from npgfast.reference import vectorized

T, N = 2048, 256
GAMMA, LAMBDA = 0.99, 0.95
BYTES = 8 + 8 + 1 + 1 + 8 + 8  # of one entry: rewards, values and two flags are read, advantages and returns written


def gae(limits: dict[str, Any]) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    rewards, values = generator.normal(size=(2, T, N))
    terminated, truncated = generator.random((T, N)) < 0.01, np.zeros((T, N), dtype=bool)
    bootstrap = np.zeros((T, N))
    bootstrap[-1] = generator.normal(size=N)
    expected = vectorized.gae(rewards, values, terminated, truncated, GAMMA, LAMBDA, bootstrap)

    def npgfast() -> Any:
        return lambda: nf.gae(
            rewards, values, terminated, truncated, gamma=GAMMA, gae_lambda=LAMBDA, bootstrap_values=bootstrap
        )

    def with_numpy() -> Any:
        return lambda: vectorized.gae(rewards, values, terminated, truncated, GAMMA, LAMBDA, bootstrap)

    def with_numba() -> Any:
        import numba

        @numba.njit
        def run(rewards: Any, values: Any, terminated: Any, last: Any) -> Any:
            advantages, returns = np.empty_like(rewards), np.empty_like(rewards)
            running, following = np.zeros(rewards.shape[1]), last.copy()
            for t in range(rewards.shape[0] - 1, -1, -1):
                for e in range(rewards.shape[1]):
                    goes_on = 1.0 - terminated[t, e]
                    delta = rewards[t, e] + GAMMA * following[e] * goes_on - values[t, e]
                    running[e] = delta + GAMMA * LAMBDA * goes_on * running[e]
                    following[e] = values[t, e]
                    advantages[t, e] = running[e]
                    returns[t, e] = running[e] + values[t, e]
            return advantages, returns

        return lambda: run(rewards, values, terminated, bootstrap[-1])

    def with_jax() -> Any:
        import jax

        jax.config.update("jax_enable_x64", val=True)

        @jax.jit
        def run(rewards: Any, values: Any, terminated: Any, last: Any) -> Any:
            def step(carry: Any, at: Any) -> Any:
                running, following = carry
                reward, val, end = at
                goes_on = 1.0 - end
                running = reward + GAMMA * following * goes_on - val + GAMMA * LAMBDA * goes_on * running
                return (running, val), running

            start = (jax.numpy.zeros(N), last)
            _, advantages = jax.lax.scan(step, start, (rewards, values, terminated), reverse=True)
            return advantages, advantages + values

        arrays = [jax.numpy.asarray(x) for x in (rewards, values, terminated.astype(float), bootstrap[-1])]
        return lambda: jax.block_until_ready(run(*arrays))

    def with_rlox() -> Any:
        import rlox

        flat = [np.ascontiguousarray(x.T).ravel() for x in (rewards, values, terminated.astype(float))]

        def call() -> Any:
            found = rlox.compute_gae_batched(*flat, bootstrap[-1].copy(), T, GAMMA, LAMBDA)
            return [x.reshape(N, T).T for x in found]

        return call

    def check(name: str, answer: Any) -> None:
        for found, right in zip(answer, expected, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9, err_msg=name)

    sides = compare(
        [
            Side("npgfast", npgfast),
            Side("NumPy over environments", with_numpy),
            Side("Numba loop", with_numba, ("numba",)),
            Side("JAX scan", with_jax, ("jax",)),
            Side("rlox (Rust)", with_rlox, ("rlox",)),
        ],
        MILLISECONDS,
        check,
    )
    copy = max(rates["bandwidth"]["copy"] for rates in limits.values())
    ours = value(sides, "npgfast")
    share = None if ours is None else BYTES * T * N / (1e-3 * ours) / copy
    return row(
        "GAE",
        f"T = {T}, N = {N}, float64",
        MILLISECONDS,
        sides,
        (1e3 * BYTES * T * N / copy, f"{BYTES} bytes per entry at the copy bandwidth of {copy / 1e9:.1f} GB/s"),
        [target("at least 0.5 of the copy bandwidth", share, 0.5, at_least=True)],
        speedup=times(sides, "NumPy over environments", "Numba loop", "JAX scan", "rlox (Rust)"),
    )
