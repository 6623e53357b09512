"""PPO's epochs of minibatches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npgfast.algorithms import PPO
from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, Kernel, Parts, agree
from npgfast.policies import TabularSoftmax
from npgfast.problems import frozen_lake
from npgfast.reference import loops, vectorized
from npgfast.sampling import sample_batch

__all__ = ["KERNELS"]

MINIBATCH = 256
N_ENVS = 100
LEARNING_RATE = 0.03


def _ppo(size: int) -> Parts:
    """One iteration of sampled PPO; npgfast samples the batch within it, the baselines are given that batch."""
    mdp = frozen_lake("4x4", gamma=0.99)
    start = np.random.default_rng(0).normal(size=(mdp.n_states, mdp.n_actions))
    policy = TabularSoftmax(mdp.n_states, mdp.n_actions, start)
    n_steps = max(1, size // N_ENVS)
    batch = sample_batch(mdp, policy, n_steps=n_steps, n_envs=N_ENVS, seed=1)
    old_log_probs = np.asarray(batch.log_probs)
    parts = minibatches(len(batch), seed=1)

    def theirs(reference: Any) -> list[Any]:
        advantages = reference.normalize_advantages(batch.advantages, batch.weights)
        theta, adam = start, None
        for part in parts:
            theta, info = reference.ppo_update(
                theta,
                batch.states[part],
                batch.actions[part],
                batch.weights[part] * len(batch) / part.size,
                advantages[part],
                old_log_probs[part],
                learning_rate=LEARNING_RATE,
                n_epochs=1,
                adam_eps=1e-7,
                normalize=False,
                adam_state=adam,
            )
            adam = info["adam_state"]
        return [theta.ravel()]

    def ours() -> list[Any]:
        agent = PPO(
            mdp,
            policy,
            mode="sampled",
            learning_rate=LEARNING_RATE,
            n_epochs=1,
            batch_size=MINIBATCH,
            adam_epsilon=1e-7,
            seed=1,
            n_steps=n_steps,
            n_envs=N_ENVS,
        )
        agent.learn(1)
        return [agent.theta[0]]

    return {PYTHON: lambda: theirs(loops), NUMPY: lambda: theirs(vectorized), NPGFAST: ours}, agree(atol=1e-9)


def minibatches(n: int, seed: int) -> list[NDArray[np.int64]]:
    """The minibatches of the first epoch: Fisher-Yates from the last place down, by the draws of the core."""
    counters = np.zeros((n, 4), dtype=np.uint64)
    counters[:, 0], counters[:, 3] = np.arange(n), 3
    words = iter(vectorized.philox4x32(counters, [seed, 0]).ravel().tolist())
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j, rest = divmod(next(words) * (i + 1), 2**32)
        while rest < 2**32 % (i + 1):
            j, rest = divmod(next(words) * (i + 1), 2**32)
        order[i], order[j] = order[j], order[i]
    return [np.array(order[k : k + MINIBATCH]) for k in range(0, n, MINIBATCH)]


KERNELS = (
    Kernel(
        "ppo",
        f"epoch of minibatches of {MINIBATCH} on FrozenLake (npgfast also samples them)",
        "samples",
        (300, 3_000, 30_000),
        _ppo,
    ),
)
