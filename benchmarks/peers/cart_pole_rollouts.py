"""Rollouts of CartPole-v1 under a linear softmax policy: observations, actions, rewards, endings, log-probs stored."""

from collections.abc import Callable
from typing import Any

import numpy as np
from compare import MILLION_STEPS, Side, compare, row, target, times, value

import npgfast as nf

ENVS, STEPS = 1_024, 1_000
GOAL = 150.0  # million steps per second
W = 0.1 * np.random.default_rng(0).normal(size=(4, 2))
POLICY = nf.LinearSoftmax(nf.features.Linear(4, bias=False), 2, W.ravel())


def npgfast(envs: int = ENVS, steps: int = STEPS) -> Callable[[], Any]:
    env = nf.envs.CartPole()

    return lambda: nf.rollout(env, POLICY, n_steps=steps, n_envs=envs, seed=1)


def _stepped(reset: Callable[[], Any], step: Callable[[Any], Any], n_envs: int, n_steps: int) -> Callable[[], Any]:
    """A loop over step, with NumPy's draws of the actions of all environments at once."""
    generator = np.random.default_rng(1)

    def call() -> Any:
        observations = np.empty((n_steps, n_envs, 4))
        actions = np.empty((n_steps, n_envs), dtype=np.int64)
        rewards, log_probs = np.empty((2, n_steps, n_envs))
        ended = np.empty((n_steps, n_envs), dtype=bool)
        at = reset()
        for t in range(n_steps):
            observations[t] = at
            logits = at @ W
            right = 1.0 / (1.0 + np.exp(logits[:, 0] - logits[:, 1]))
            actions[t] = generator.random(n_envs) < right
            log_probs[t] = np.log(np.where(actions[t], right, 1.0 - right))
            at, rewards[t], terminated, truncated, _ = step(actions[t])
            ended[t] = terminated | truncated
        return ended

    return call


def with_gymnasium() -> Callable[[], Any]:
    import gymnasium

    env = gymnasium.make_vec("CartPole-v1", 1_000, vectorization_mode="vector_entry_point")
    return _stepped(lambda: env.reset(seed=1)[0], env.step, 1_000, 500)


def with_envpool() -> Callable[[], Any]:
    import envpool

    env = envpool.make_gymnasium("CartPole-v1", num_envs=100, num_threads=2, seed=1)
    return _stepped(lambda: env.reset()[0], env.step, 100, 2_000)


def with_rlox() -> Callable[[], Any]:
    """Stepping alone, under actions drawn beforehand: no policy, and nothing stored but the endings."""
    import rlox

    n_envs, n_steps = 100, 2_000
    env = rlox.VecEnv(n_envs, 1, "CartPole-v1")
    actions = np.random.default_rng(1).integers(0, 2, (n_steps, n_envs)).astype(np.uint32)

    def call() -> Any:
        ended = np.empty((n_steps, n_envs), dtype=bool)
        env.reset_all()
        for t in range(n_steps):
            found = env.step_all(actions[t])
            ended[t] = np.asarray(found["terminated"]) | np.asarray(found["truncated"])
        return ended

    return call


def with_gymnax() -> Callable[[], Any]:
    import gymnax
    import jax
    import jax.numpy as jnp

    n_envs, n_steps = 1_000, 1_000
    env, params = gymnax.make("CartPole-v1")
    weights = jnp.asarray(W, jnp.float32)

    def one(key: Any) -> Any:
        def step(carry: Any, key: Any) -> Any:
            observation, state = carry
            draw, move = jax.random.split(key)
            log_probs = jax.nn.log_softmax(observation @ weights)
            action = jax.random.categorical(draw, log_probs)
            # gymnax 1.0 returns (observation, state, reward, terminated, truncated, info), 0.0 (..., done, info)
            following, state, reward, *ended = env.step(move, state, action, params)
            over = ended[0] | ended[1] if len(ended) == 3 else ended[0]
            return (following, state), (observation, action, reward, over, log_probs[action])

        start, rest = jax.random.split(key)
        return jax.lax.scan(step, env.reset(start, params), jax.random.split(rest, n_steps))[1]

    @jax.jit
    def run(key: Any) -> Any:
        return jax.vmap(one)(jax.random.split(key, n_envs))

    return lambda: np.asarray(jax.block_until_ready(run(jax.random.key(1)))[3]).T


RESET_TAKES_A_STEP = ("EnvPool", "Gymnasium, vectorised in NumPy")
LENGTHS: dict[str, float] = {}


def check(name: str, answer: Any) -> None:
    """Episodes are as long as npgfast's, to six standard deviations (of 0.55 of an episode) and the cut at the end."""
    ended = answer.terminated | answer.truncated if isinstance(answer, nf.Trajectories) else answer
    episodes = int(ended.sum())
    resets = int(ended[:-1].sum()) if name in RESET_TAKES_A_STEP else 0
    LENGTHS[name] = (ended.size - resets) / episodes
    length = LENGTHS["npgfast"]
    assert abs(LENGTHS[name] / length - 1.0) < 6.0 * 0.55 / episodes**0.5 + 0.02, (name, LENGTHS[name], length)


def cart_pole_rollouts(limits: dict[str, Any]) -> dict[str, Any]:
    sides = compare(
        [
            Side("npgfast", npgfast, work=ENVS * STEPS),
            Side("Gymnasium, vectorised in NumPy", with_gymnasium, ("gymnasium",), 1_000 * 500),
            Side("EnvPool", with_envpool, ("envpool",), 100 * 2_000),
            Side("rlox (Rust), stepping alone", with_rlox, ("rlox",), 100 * 2_000),
            Side("gymnax", with_gymnax, ("gymnax", "jax"), 1_000 * 1_000),
        ],
        MILLION_STEPS,
        check,
    )
    most = limits[max(limits, key=int)]["cart_pole"]["float64 lanes"]
    return row(
        "CartPole-v1 rollouts, linear softmax policy, everything stored",
        f"{STEPS:,} steps of {ENVS:,} environments",
        MILLION_STEPS,
        sides,
        (1e-6 * most, "dynamics and policy in float64 lanes, seven stores per step into cache"),
        [
            target(f"at least {GOAL:g} M steps/s", value(sides, "npgfast"), GOAL, at_least=True),
            target("at least 15 x gymnax", times(sides, "gymnax"), 15.0, at_least=True),
        ],
    )
