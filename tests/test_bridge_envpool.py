"""EnvPool in the bridge."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from ragged_environments import collect

from npgfast.envs.bridge import environment_seed, make_bridge

pytestmark = pytest.mark.isa_independent


@pytest.fixture
def make_pool():
    envpool = pytest.importorskip("envpool")

    def make(env_id="CartPole-v1", env_type="gymnasium", **kwargs):
        return envpool.make(env_id, env_type=env_type, **kwargs)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*precision lowered", category=UserWarning)
        yield make


@pytest.mark.parametrize("env_type", ["gymnasium", "gym"])
def test_envpool_ends_as_gymnasium_does(make_pool, env_type):
    """The flags, and the observation to bootstrap from (envpool#194): physics from the observations themselves."""
    limit = 12
    bridge = make_bridge(make_pool(env_type=env_type, num_envs=3, max_episode_steps=limit))
    assert (bridge.n_envs, bridge.n_actions, bridge.time_limit) == (3, 2, limit)
    rows = collect(bridge, n_steps=100, actions=lambda t: np.array([1, t % 2, (t // 2) % 2]))
    single = gym.make("CartPole-v1").unwrapped
    single.reset(seed=0)
    seen = set()
    for e, env_rows in enumerate(rows):
        assert len(env_rows) == 100  # no dummy steps
        time = 0
        for t, (before, reward, terminated, truncated, reached) in enumerate(env_rows):
            single.state, single.steps_beyond_terminated = np.array(before), None
            expected, _, fell, *_ = single.step(int([1, t % 2, (t // 2) % 2][e]))
            np.testing.assert_allclose(reached, expected, atol=1e-5)
            time = time + 1
            assert truncated == (time == limit)
            assert terminated == (fell and not truncated)
            assert reward == 1.0
            seen.add((terminated, truncated))
            if terminated or truncated:
                time = 0
                assert t == 99 or max(np.abs(env_rows[t + 1][0])) <= 0.05
    assert seen == {(False, False), (True, False), (False, True)}


def test_envpool_seeds_differ_and_repeat(make_pool):
    """A pool's seeds are fixed when it is made: the caller's pool is a model, and is left alone."""
    pool = make_pool(num_envs=4, seed=3)
    bridge = make_bridge(pool)
    first = bridge.reset(9)
    assert len(np.unique(first, axis=0)) == 4
    bridge.step([0, 0, 0, 0])
    np.testing.assert_array_equal(bridge.reset(9), first)
    np.testing.assert_array_equal(make_bridge(make_pool(num_envs=4, seed=[1, 2, 3, 4])).reset(9), first)
    assert not np.isin(bridge.reset(10), first).any()
    for e in range(4):
        alone = make_pool(num_envs=1, seed=environment_seed(9, e))
        np.testing.assert_array_equal(alone.reset()[0][0], first[e].astype(np.float32))
    bridge.close()
    assert pool.reset()[0].shape == (4, 4)


def test_envpool_resets_at_once_what_it_would_have_reset_at_the_next_step(make_pool):
    """Against EnvPool's own autoreset: the same episodes, but without its dummy steps."""

    def alternate(t):
        return np.array([t % 2, 1, 0, (t // 3) % 2])

    bridge = make_bridge(make_pool(num_envs=4, max_episode_steps=11))
    pool = make_pool(num_envs=4, max_episode_steps=11, seed=environment_seed(2))
    first, _ = pool.reset()
    rows = [[(first[e], None, None, None)] for e in range(4)]
    ours = [[(row, None, None, None)] for row in bridge.reset(2)]
    held = np.zeros(4, dtype=bool)
    counts = np.zeros(4, dtype=int)
    for _ in range(120):
        actions = np.array([alternate(counts[e])[e] for e in range(4)])
        observations, rewards, terminated, truncated, info = pool.step(actions)
        assert (info["elapsed_step"][held] == 0).all()
        assert not rewards[held].any()
        for e in range(4):
            rows[e].append((observations[e], rewards[e], terminated[e], truncated[e]))
        counts += ~held
        held = terminated | truncated
    for t in range(90):
        step = bridge.step(alternate(t))
        assert step.valid.all()
        for e in range(4):
            ours[e].append((step.final_observations[e], step.rewards[e], step.terminated[e], step.truncated[e]))
            if step.terminated[e] or step.truncated[e]:
                ours[e].append((step.observations[e], 0.0, False, False))
    for mine, theirs in zip(ours, rows, strict=True):
        for (x, *a), (y, *b) in zip(mine[:90], theirs[:90], strict=True):
            np.testing.assert_array_equal(x, y)
            assert a == b


@pytest.mark.parametrize("env_id", ["Pendulum-v1", "FrozenLake-v1", "CliffWalking-v0"])
def test_envpool_spaces_and_limits(make_pool, env_id):
    bridge = make_bridge(make_pool(env_id, num_envs=2))
    shape = {"Pendulum-v1": (3, 0, 1, 200), "FrozenLake-v1": (16, 4, 1, 100), "CliffWalking-v0": (48, 4, 1, None)}
    assert (bridge.observation_size, bridge.n_actions, bridge.action_size, bridge.time_limit) == shape[env_id]
    bridge.reset(1)
    actions = [0, 1] if bridge.n_actions else [[50.0], [2.0]]
    step = bridge.step(actions)
    if env_id == "Pendulum-v1":
        twin = make_bridge(make_pool(env_id, num_envs=2))
        twin.reset(1)
        np.testing.assert_array_equal(twin.step([[2.0], [2.0]]).rewards, step.rewards)


def test_envpool_in_asynchronous_mode_or_in_a_wrapper_is_refused(make_pool):
    with pytest.raises(ValueError, match="synchronous"):
        make_bridge(make_pool(num_envs=4, batch_size=2))
    with pytest.raises(ValueError, match="wrapper"):
        make_bridge(gym.vector.VectorWrapper(make_pool(num_envs=2)))
    with pytest.raises(TypeError, match="env_type='gymnasium'"):
        make_bridge(make_pool(env_type="dm", num_envs=2))


def test_envpool_is_made_with_as_many_environments_as_are_asked_for(make_pool):
    bridge = make_bridge(make_pool(num_envs=2), 3)
    assert bridge.n_envs == 3
    assert bridge.reset(seed=1).shape == (3, bridge.observation_size)
    assert bridge.step(np.zeros(3, dtype=np.int64)).rewards.shape == (3,)
