"""Rollouts and advantages."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, Kernel, Parts, Sides, agree, require
from npgfast.envs import CartPole
from npgfast.features import Linear
from npgfast.policies import LinearSoftmax, TabularSoftmax
from npgfast.problems import TabularMDP, frozen_lake
from npgfast.reference import loops, vectorized
from npgfast.sampling import Trajectories, gae, rollout

__all__ = ["KERNELS"]

FloatArray = NDArray[np.float64]

N_ENVS = 1_000
CART_POLE = "CartPole-v1"
TIME_LIMIT = 500


def _frozen_lake(size: int) -> Parts:
    mdp = frozen_lake("8x8", gamma=0.99)
    logits = np.random.default_rng(0).normal(size=(mdp.n_states, mdp.n_actions))
    policy = TabularSoftmax(mdp.n_states, mdp.n_actions, logits)
    n_steps = max(1, size // N_ENVS)
    arrays = (mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, policy.probs(), n_steps)
    expected = N_ENVS * _expected_endings(mdp, policy.probs(), n_steps)

    def check(answers: Mapping[str, Any]) -> None:
        kernel = mdp.dense()
        for side, answer in answers.items():
            states, actions, rewards, ended = _fields(answer)[:4]
            require(np.array_equal(rewards, mdp.rewards[states, actions]), f"{side}: rewards of other steps")
            possible = kernel[states[:-1], actions[:-1], states[1:]] > 0.0
            require(np.all(possible | ended[:-1]), f"{side}: a step that the model does not allow")
            found = int(ended.sum())
            near = abs(found - expected) < 6.0 * expected**0.5 + 1.0
            require(near, f"{side}: {found:,} endings where {expected:,.0f} are expected")

    sides: Sides = {
        PYTHON: lambda: loops.rollout(*arrays, Random(1), N_ENVS),
        NUMPY: lambda: vectorized.rollout(*arrays, np.random.default_rng(1), N_ENVS),
        NPGFAST: partial(rollout, mdp, policy, n_steps=n_steps, n_envs=N_ENVS, seed=1),
    }
    return sides, check


def _fields(answer: Any) -> tuple[Any, ...]:
    if isinstance(answer, Trajectories):
        names = ("states", "actions", "rewards", "terminated", "truncated", "log_probs")
        return tuple(np.asarray(getattr(answer, name)) for name in names)
    return tuple(answer)


def _expected_endings(mdp: TabularMDP, probs: FloatArray, n_steps: int) -> float:
    """Expected number of episodes that end within n_steps of one environment."""
    kernel = np.einsum("sa,sat->st", probs, mdp.dense())
    ends = np.sum(probs * mdp.termination, axis=1)
    distribution, total = mdp.initial_distribution, 0.0
    for _ in range(n_steps):
        ended = float(distribution @ ends)
        total += ended
        distribution = distribution @ kernel + ended * mdp.initial_distribution
    return total


def _cart_pole(size: int) -> Parts:
    weights = 0.3 * np.random.default_rng(2).normal(size=(5, 2))
    env, policy = CartPole(), LinearSoftmax(Linear(4), 2, weights.ravel())
    n_steps = max(1, size // N_ENVS)

    def check(answers: Mapping[str, Any]) -> None:
        for side, answer in answers.items():
            _check_balancing(side, weights, *(field[:1_000] for field in _fields(answer)))

    sides: Sides = {
        PYTHON: lambda: _balance(loops, weights, n_steps, np.random.default_rng(1)),
        NUMPY: lambda: _balance(vectorized, weights, n_steps, np.random.default_rng(1)),
        NPGFAST: partial(rollout, env, policy, n_steps=n_steps, n_envs=N_ENVS, seed=1),
    }
    return sides, check


def _balance(reference: Any, weights: FloatArray, n_steps: int, rng: np.random.Generator) -> tuple[Any, ...]:
    """CartPole in N_ENVS environments side by side, by the simulator and the policy of a reference."""
    observations = np.empty((n_steps, N_ENVS, 4))
    actions = np.empty((n_steps, N_ENVS), dtype=np.int64)
    rewards, log_probs = np.empty((n_steps, N_ENVS)), np.empty((n_steps, N_ENVS))
    terminated, truncated = np.zeros((n_steps, N_ENVS), dtype=bool), np.zeros((n_steps, N_ENVS), dtype=bool)
    states, time = rng.uniform(-0.05, 0.05, (N_ENVS, 4)), np.zeros(N_ENVS, dtype=np.int64)
    to_the_right = np.ones(N_ENVS, dtype=np.int64)
    for t in range(n_steps):
        observations[t] = reference.simulator_observe(CART_POLE, states)
        log_right = reference.observed_log_probs(reference.linear_features(observations[t]), to_the_right, weights)
        right = np.exp(log_right)
        actions[t] = rng.random(N_ENVS) < right
        log_probs[t] = np.where(actions[t] == 1, log_right, np.log1p(-right))
        states, rewards[t], terminated[t] = reference.simulator_step(CART_POLE, states, actions[t])
        time += 1
        truncated[t] = (time == TIME_LIMIT) & ~terminated[t]
        ended = terminated[t] | truncated[t]
        states[ended] = rng.uniform(-0.05, 0.05, (int(ended.sum()), 4))
        time[ended] = 0
    return observations, actions, rewards, terminated, truncated, log_probs


def _check_balancing(
    side: str,
    weights: FloatArray,
    observations: FloatArray,
    actions: NDArray[np.int64],
    rewards: FloatArray,
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    log_probs: FloatArray,
) -> None:
    """Play every step again from the observation before it."""
    before, taken = observations.reshape(-1, 4), actions.reshape(-1)
    after, gained, fell = vectorized.simulator_step(CART_POLE, before, taken)
    require(np.array_equal(terminated.reshape(-1), fell), f"{side}: falls where the pole stands, or the reverse")
    require(np.array_equal(rewards.reshape(-1), gained), f"{side}: other rewards")
    goes_on = ~(terminated | truncated)[:-1]
    found, expected = observations[1:], after.reshape(observations.shape)[:-1]
    require(np.allclose(found[goes_on], expected[goes_on], rtol=1e-9, atol=1e-12), f"{side}: other observations")
    require(np.all(np.abs(found[~goes_on]) <= 0.05), f"{side}: a start that is none")
    phi = vectorized.linear_features(before)
    logs = vectorized.observed_log_probs(phi, taken, weights)
    require(np.allclose(log_probs.reshape(-1), logs, rtol=1e-9, atol=1e-12), f"{side}: other log-probabilities")
    right = np.exp(vectorized.observed_log_probs(phi, np.ones_like(taken), weights))
    excess, spread = float(np.sum(taken - right)), float(np.sum(right * (1.0 - right)))
    require(abs(excess) < 6.0 * spread**0.5 + 1.0, f"{side}: {excess:+,.0f} pushes to the right too many")


def _gae(size: int) -> Parts:
    n_steps = min(2048, size)
    shape = (n_steps, max(1, size // n_steps))
    generator = np.random.default_rng(3)
    rewards, values, bootstrap = (generator.normal(size=shape) for _ in range(3))
    terminated, truncated = generator.random(shape) < 0.01, generator.random(shape) < 0.002
    arrays = (rewards, values, terminated, truncated, 0.99, 0.95, bootstrap)
    sides: Sides = {
        PYTHON: lambda: loops.gae(*arrays),
        NUMPY: lambda: vectorized.gae(*arrays),
        NPGFAST: partial(
            gae, rewards, values, terminated, truncated, gamma=0.99, gae_lambda=0.95, bootstrap_values=bootstrap
        ),
    }
    return sides, agree()


KERNELS = (
    Kernel(
        "rollout",
        f"FrozenLake 8x8, tabular policy, {N_ENVS:,} environments",
        "steps",
        (10_000, 100_000, 1_000_000),
        _frozen_lake,
    ),
    Kernel(
        "cartpole",
        f"rollout of CartPole-v1, linear softmax policy, {N_ENVS:,} environments",
        "steps",
        (2_000, 20_000, 200_000, 2_000_000),
        _cart_pole,
    ),
    Kernel(
        "gae",
        "generalised advantages, cut where episodes end",
        "steps",
        (8_192, 65_536, 524_288),
        _gae,
    ),
)
