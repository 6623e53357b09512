"""Rollouts of FrozenLake 8x8 under a random tabular policy, with resets: states, actions, rewards, endings stored."""

from collections.abc import Callable
from typing import Any

import numpy as np
from compare import MILLION_STEPS, Side, compare, row, target, times, value

import npgfast as nf

ENVS, STEPS, MORE_STEPS = 1_024, 1_000, 10_000  # of npgfast; slower sides play fewer steps
GOALS = {"x86-64-v4": 1000.0}  # million steps per second; any other instruction set: OTHERWISE
OTHERWISE = 400.0
MDP = nf.problems.frozen_lake("8x8", gamma=0.99)
POLICY = nf.TabularSoftmax(64, 4, np.random.default_rng(0).normal(size=(64, 4)))


def expected_endings(n_steps: int, *, reset_takes_a_step: bool) -> tuple[float, float]:
    """Mean and variance bound of the episodes that end within n_steps of one environment."""
    probs = POLICY.probs()
    kernel = np.einsum("sa,sat->st", probs, MDP.dense())
    ends = np.sum(probs * MDP.termination, axis=1)
    now, waiting, total = MDP.initial_distribution, 0.0, 0.0
    for _ in range(n_steps):
        ended = float(now @ ends)
        total += ended
        starting = waiting if reset_takes_a_step else ended
        now = now @ kernel + starting * MDP.initial_distribution
        waiting = ended
    return total, total


def two_stage_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cumulative probabilities of actions (S, A) and of successors (S, A, K), successors, and which of them end."""
    n_states, n_actions = POLICY.n_states, POLICY.n_actions
    width = 4
    probs, successors = np.zeros((n_states, n_actions, width)), np.zeros((n_states, n_actions, width), dtype=np.int32)
    ends = np.zeros((n_states, n_actions, width), dtype=bool)
    dense = MDP.dense()
    start = int(np.argmax(MDP.initial_distribution))
    for s in range(n_states):
        for a in range(n_actions):
            reached = np.flatnonzero(dense[s, a])
            probs[s, a, : reached.size], successors[s, a, : reached.size] = dense[s, a, reached], reached
            probs[s, a, reached.size] = MDP.termination[s, a]
            successors[s, a, reached.size :], ends[s, a, reached.size :] = start, True
    actions = np.cumsum(POLICY.probs(), axis=1)
    cumulative = np.cumsum(probs, axis=2)
    actions[:, -1], cumulative[:, :, -1] = 2.0, 2.0  # never passed
    return actions, cumulative, successors, ends


def npgfast(envs: int = ENVS, steps: int = STEPS) -> Callable[[], Any]:
    return lambda: nf.rollout(MDP, POLICY, n_steps=steps, n_envs=envs, seed=1)


def npgfast_unpacked() -> Callable[[], Any]:
    """With the arrays of a batch made as well: a rollout keeps 4 bytes per step until it is asked for them."""

    def call() -> Any:
        played = nf.rollout(MDP, POLICY, n_steps=STEPS, n_envs=ENVS, seed=1)
        return played.states, played.actions, played.rewards, played.terminated

    return call


def with_gymnasium() -> Callable[[], Any]:
    import gymnasium

    n_envs, n_steps = 100, 100
    env = gymnasium.make_vec(
        "FrozenLake-v1",
        n_envs,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP},
        map_name="8x8",
        max_episode_steps=10**9,
    )
    return _stepped(lambda: env.reset(seed=1)[0], env.step, n_envs, n_steps)


def with_envpool() -> Callable[[], Any]:
    import envpool

    n_envs, n_steps = 100, 2_000
    env = envpool.make_gymnasium(
        "FrozenLake8x8-v1", num_envs=n_envs, num_threads=2, seed=1, size=8, max_episode_steps=2**30
    )
    return _stepped(lambda: env.reset()[0], env.step, n_envs, n_steps)


def _stepped(reset: Callable[[], Any], step: Callable[[Any], Any], n_envs: int, n_steps: int) -> Callable[[], Any]:
    """A loop over step, with NumPy's draws of the actions of all environments at once."""
    cumulative = np.cumsum(POLICY.probs(), axis=1)
    cumulative[:, -1] = 2.0
    generator = np.random.default_rng(1)

    def call() -> Any:
        states, actions = np.empty((2, n_steps, n_envs), dtype=np.int32)
        rewards, terminated = np.empty((n_steps, n_envs)), np.empty((n_steps, n_envs), dtype=bool)
        at = reset()
        for t in range(n_steps):
            states[t] = at
            actions[t] = (generator.random((n_envs, 1)) > cumulative[at]).sum(axis=1)
            at, rewards[t], terminated[t], _, _ = step(actions[t])
        return terminated

    return call


def with_numba(*, parallel: bool) -> Callable[[], Any]:
    import numba

    tables = two_stage_tables()
    envs, steps = 1_000, 5_000 if parallel else 2_000

    @numba.njit(parallel=parallel)
    def run(action_sums: Any, sums: Any, successors: Any, ends: Any, rewards_of: Any, n_envs: int, n_steps: int) -> Any:
        states, actions = np.empty((n_envs, n_steps), np.int32), np.empty((n_envs, n_steps), np.int32)
        rewards, terminated = np.empty((n_envs, n_steps)), np.empty((n_envs, n_steps), np.bool_)
        for env in numba.prange(n_envs):
            state = 0
            for t in range(n_steps):
                draw, action = np.random.random(), 0  # noqa: NPY002 - Numba's own generator
                while draw > action_sums[state, action]:
                    action += 1
                draw, k = np.random.random(), 0  # noqa: NPY002
                while draw > sums[state, action, k]:
                    k += 1
                states[env, t], actions[env, t] = state, action
                rewards[env, t], terminated[env, t] = rewards_of[state, action], ends[state, action, k]
                state = successors[state, action, k]
        return states, actions, rewards, terminated

    return lambda: run(*tables, MDP.rewards, envs, steps)[3].T


def with_jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    n_envs, n_steps = 1_000, 2_000
    action_sums, sums, successors, ends = (jnp.asarray(table) for table in two_stage_tables())
    rewards_of = jnp.asarray(MDP.rewards)

    def step(state: Any, key: Any) -> Any:
        draws = jax.random.uniform(key, (2, n_envs))
        action = jnp.sum(draws[0][:, None] > action_sums[state], axis=1)
        k = jnp.sum(draws[1][:, None] > sums[state, action], axis=1)
        kept = state, action.astype(jnp.int32), rewards_of[state, action], ends[state, action, k]
        return successors[state, action, k], kept

    @jax.jit
    def run(key: Any) -> Any:
        return jax.lax.scan(step, jnp.zeros(n_envs, jnp.int32), jax.random.split(key, n_steps))[1]

    return lambda: np.asarray(jax.block_until_ready(run(jax.random.key(1)))[3])


def check(name: str, answer: Any) -> None:
    """As many episodes end as the model says, to six standard deviations."""
    terminated = answer[3] if isinstance(answer, tuple) else getattr(answer, "terminated", answer)
    n_steps, n_envs = terminated.shape
    mean, variance = expected_endings(n_steps, reset_takes_a_step=name == "EnvPool")
    excess = float(terminated.sum()) - n_envs * mean
    assert abs(excess) < 6.0 * (n_envs * variance) ** 0.5, (name, terminated.sum(), n_envs * mean)


def tabular_rollouts(limits: dict[str, Any]) -> dict[str, Any]:
    for envs, steps in ((1, 100), (1_000, 100), (1_000, 1_000)):  # smaller than what is timed, the same answer
        check("npgfast", npgfast(envs, steps)())
    sides = compare(
        [
            Side("npgfast", npgfast, work=ENVS * STEPS),
            Side("npgfast, unpacked to four arrays", npgfast_unpacked, work=ENVS * STEPS),
            Side(f"npgfast, {MORE_STEPS:,} steps", lambda: npgfast(steps=MORE_STEPS), work=ENVS * MORE_STEPS),
            Side("Gymnasium SyncVectorEnv", with_gymnasium, ("gymnasium",), 100 * 100),
            Side("EnvPool", with_envpool, ("envpool",), 100 * 2_000),
            Side("JAX scan", with_jax, ("jax",), 1_000 * 2_000),
            Side("Numba loop", lambda: with_numba(parallel=False), ("numba",), 1_000 * 2_000),
            Side("Numba loop, parallel", lambda: with_numba(parallel=True), ("numba",), 1_000 * 5_000),
        ],
        MILLION_STEPS,
        check,
    )
    most = limits[max(limits, key=int)]["alias"]
    kind = max(most, key=most.__getitem__)
    goal = GOALS.get(nf.build_info()["isa"], OTHERWISE)
    return row(
        "Tabular rollouts, FrozenLake 8x8 with resets",
        f"{STEPS:,} steps of {ENVS:,} environments",
        MILLION_STEPS,
        sides,
        (1e-6 * most[kind], f"alias draws in {kind}, tables in L1, one 4-byte store per step"),
        [
            target(f"at least {goal:g} M steps/s", value(sides, "npgfast"), goal, at_least=True),
            target("at least 30 x the Numba loop", times(sides, "Numba loop"), 30.0, at_least=True),
        ],
    )
