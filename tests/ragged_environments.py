"""Environments whose episodes are ragged, and two ways to play them: by a bridge, and by hand."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from npgfast.envs.bridge import environment_seed

N_ENVS = 4
LIMIT = 7


class Ragged(gym.Env):
    """Terminates at random, sometimes at once, sometimes exactly at the limit; tells what it was asked.

    The observation is (draw, steps in the episode, episodes so far, first component of the last action), in one buffer
    that is overwritten again and again.
    """

    observation_space = spaces.Box(-np.inf, np.inf, (4,))

    def __init__(self, action_space=None, box=None):
        self.action_space = action_space or spaces.Discrete(3, start=-1)
        self.observation_space = box or self.observation_space
        self.asked, self.episode, self.buffer, self.closed = [], 0, np.zeros(4, np.float32), False

    def observe(self, action):
        self.buffer[:] = self.np_random.random(), self.time, self.episode, np.ravel(action)[0]
        return self.buffer

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.asked.append(("reset", seed))
        self.time, self.episode = 0, self.episode + 1
        self.length = int(self.np_random.integers(1, 11))
        return self.observe(0), {}

    def step(self, action):
        assert self.time < self.length, "stepped after the end"
        self.asked.append(("step", np.array(action).tolist()))
        self.time += 1
        return self.observe(action), float(self.np_random.random()), self.time == self.length, False, {}

    def close(self):
        self.closed = True


class Copied(gym.ObservationWrapper):
    """In SAME_STEP mode SyncVectorEnv itself needs environments that do not reuse their observation."""

    def observation(self, observation):
        return observation.copy()


def ragged(action_space=None):
    return gym.wrappers.TimeLimit(Copied(Ragged(action_space)), LIMIT)


def actions_at(t, n_envs=N_ENVS):
    return np.array([(t * 7 + e * 3 + t // 4) % 3 for e in range(n_envs)])


def collect(bridge, seed=5, n_steps=80, actions=actions_at):
    """For each environment the valid transitions (observation, reward, flags, reached observation)."""
    observations = bridge.reset(seed)
    rows = [[] for _ in range(bridge.n_envs)]
    for t in range(n_steps):
        step = bridge.step(actions(t)[: bridge.n_envs])
        assert not (step.terminated | step.truncated)[~step.valid].any()
        assert not step.rewards[~step.valid].any()
        going = ~(step.terminated | step.truncated)
        np.testing.assert_array_equal(step.observations[going], step.final_observations[going])
        for e in np.flatnonzero(step.valid):
            flags = (bool(step.terminated[e]), bool(step.truncated[e]))
            rows[e].append((tuple(observations[e]), step.rewards[e], *flags, tuple(step.final_observations[e])))
        observations = step.observations
    return rows


def by_hand(make, seed=5, n_steps=80, actions=actions_at, n_envs=N_ENVS):
    rows, asked = [], []
    for e in range(n_envs):
        env = make()
        observation, _ = env.reset(seed=environment_seed(seed, e))
        observation, rows_e = observation.astype(float), []
        for t in range(n_steps):
            new, reward, terminated, truncated, _ = env.step(actions(t)[e] - 1)
            new = new.astype(float)
            rows_e.append((tuple(observation), reward, terminated, truncated, tuple(new)))
            observation = env.reset()[0].astype(float) if terminated or truncated else new
        rows.append(rows_e)
        asked.append(env.unwrapped.asked)
    return rows, asked


def asked(vector):
    return [list(log) for log in vector.get_attr("asked")]
