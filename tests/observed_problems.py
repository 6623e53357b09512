"""Small agents and environments with observations that several test files share."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import npgfast as nf
from npgfast.schedules import Linear

CART_POLE = nf.envs.CartPole(time_limit=60)
PENDULUM = nf.envs.Pendulum(time_limit=40)
LQR = nf.envs.LQR([[0.9, 0.2], [0.0, 0.8]], [[0.1], [0.5]], np.eye(2), [[0.3]], 0.05 * np.eye(2), horizon=12)

# Steps that cut episodes, so that environments stand in the middle of one between two iterations.
CUT = {"n_steps": 25, "n_envs": 3}
EVERYTHING = {"normalize_observations": True, "scale_rewards": True}


def make_agents(seed: int = 3) -> dict[str, nf.TRPO]:
    """Every algorithm, on discrete and continuous actions, with every kind of sampling."""
    return {
        "pg discrete steps": nf.PolicyGradient(CART_POLE, seed=seed, step_size=0.05, **CUT),
        "pg continuous episodes": nf.PolicyGradient(PENDULUM, seed=seed, radius=0.1, n_episodes=4, baseline="linear"),
        "npg discrete episodes": nf.NaturalPolicyGradient(
            CART_POLE, seed=seed, n_episodes=4, state_weights="discounted"
        ),
        "npg continuous steps": nf.NaturalPolicyGradient(LQR, seed=seed, max_kl=0.02, damping=0.01, **CUT),
        "trpo discrete steps": nf.TRPO(CART_POLE, seed=seed, tau=0.01, **EVERYTHING, **CUT),
        "trpo continuous steps": nf.TRPO(
            PENDULUM, seed=seed, gae_lambda=0.9, baseline_data="current", **EVERYTHING, **CUT
        ),
        "trpo continuous episodes": nf.TRPO(LQR, seed=seed, n_episodes=5, gamma=1.0, baseline=None),
        "ppo discrete steps": nf.PPO(CART_POLE, seed=seed, batch_size=16, n_epochs=2, **EVERYTHING, **CUT),
        "ppo continuous episodes": nf.PPO(
            PENDULUM,
            seed=seed,
            n_episodes=3,
            entropy_coefficient=Linear(0.1, 0.0, 4),
            max_gradient_norm=0.5,
            n_epochs=2,
        ),
    }


def bits(result: nf.Result, columns: slice = slice(None)) -> list[tuple[bytes, ...]]:
    """What a result says, without the seconds, as bytes per seed."""
    return [
        (
            *(v[k, columns].tobytes() for name, v in result.history.items() if name != "seconds"),
            policy_bits(result.policies[k]),
        )
        for k in range(result.n_seeds)
    ]


def policy_bits(policy: nf.LinearSoftmax) -> bytes:
    """Theta and normalisation of a policy."""
    normalizer = policy.normalizer
    moments = [] if normalizer is None else [normalizer.mean, normalizer.std, normalizer.count, normalizer.limit]
    return policy.theta.tobytes() + b"".join(np.asarray(part).tobytes() for part in moments)


class Told(gym.Env):
    """Ends at random, now and then at its limit, and writes down what it was asked.

    The observation is (draw, time, episode), each below 1.
    """

    observation_space = spaces.Box(-1.0, 1.0, (3,), np.float64)
    limit = 6

    def __init__(self, action_space: spaces.Space | None = None) -> None:
        self.action_space = action_space or spaces.Discrete(3)
        self.asked: list[object] = []
        self.episode = 0

    def _observe(self) -> np.ndarray:
        return np.array([self.np_random.random(), self.time / 10, self.episode / 1000])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.asked.append(("reset", seed))
        self.time, self.episode = 0, self.episode + 1 if seed is None else 0
        self.length = int(self.np_random.integers(1, 9))
        return self._observe(), {}

    def step(self, action):
        self.asked.append(np.array(action).tolist())
        self.time += 1
        ends = self.time >= self.length
        reward = float(self.np_random.normal() + (np.ravel(action)[0] == 1))
        return self._observe(), reward, ends, self.time >= self.limit and not ends, {}


def told(continuous: bool = False) -> Told:
    """A `Told` with discrete or with bounded continuous actions."""
    return Told(spaces.Box(-0.5, 0.5, (2,), np.float64) if continuous else None)
