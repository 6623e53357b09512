"""Whatever an environment does after an episode's end, the bridge hands out the same data.

The oracle is `by_hand`: Gymnasium's own loop over one environment, with its own resets.
"""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from ragged_environments import LIMIT, N_ENVS, Ragged, actions_at, asked, by_hand, collect, ragged

from npgfast.envs.bridge import Bridge, environment_seed, make_bridge

pytestmark = [
    pytest.mark.isa_independent,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),  # of AsyncVectorEnv's workers
]

MODES = list(AutoresetMode)


@pytest.fixture
def vector(request):
    kind, mode = request.param
    cls = {"sync": SyncVectorEnv, "async": AsyncVectorEnv}[kind]
    env = cls([ragged] * N_ENVS, autoreset_mode=mode)
    yield env
    env.close()


def every(*kinds):
    params = [(kind, mode) for kind in kinds for mode in MODES]
    return pytest.mark.parametrize("vector", params, indirect=True, ids=lambda p: f"{p[0]}-{p[1].name}")


@every("sync", "async")
def test_every_mode_gives_what_a_loop_over_single_environments_gives(vector):
    rows, log = by_hand(ragged)
    bridge = make_bridge(vector)
    assert collect(bridge) == rows
    assert asked(vector) == log
    kinds = {(row[2], row[3]) for env in rows for row in env}
    assert kinds == {(False, False), (True, False), (False, True), (True, True)}  # the test has every case in it
    assert any(row[0][1] == 0 and row[2] for env in rows for row in env)  # an episode of length 1, too


def test_a_single_environment_and_a_callable_give_the_same():
    rows, log = by_hand(ragged)
    env = ragged()
    bridge = make_bridge(env)
    assert collect(bridge) == rows[:1]
    assert env.unwrapped.asked == log[0]
    assert collect(make_bridge(ragged, N_ENVS)) == rows


def test_final_observation_is_kept_where_the_environment_reuses_its_buffer():
    env = gym.wrappers.TimeLimit(Ragged(), LIMIT)
    assert collect(make_bridge(env)) == by_hand(ragged)[0][:1]


class Dummy(gym.vector.VectorWrapper):
    """A wrapper hides whether masked resets are understood, so that NEXT_STEP needs its dummy steps."""


def test_dummy_steps_are_marked_and_leave_the_valid_data_alone():
    vector = SyncVectorEnv([ragged] * N_ENVS)
    bridge = make_bridge(Dummy(vector))
    counters = np.zeros(N_ENVS, dtype=int)
    observations, rows = bridge.reset(5), [[] for _ in range(N_ENVS)]
    previous = np.zeros(N_ENVS, dtype=bool)
    for _ in range(80):
        step = bridge.step(np.array([actions_at(c)[e] for e, c in enumerate(counters)]))
        counters += step.valid
        np.testing.assert_array_equal(step.valid, ~previous)
        ended = step.terminated | step.truncated
        previous = ended & (not ended.all())
        for e in np.flatnonzero(step.valid):
            flags = (bool(step.terminated[e]), bool(step.truncated[e]))
            rows[e].append((tuple(observations[e]), step.rewards[e], *flags, tuple(step.final_observations[e])))
        observations = step.observations
    expected, log = by_hand(ragged)
    assert rows == [expected[e][: len(rows[e])] for e in range(N_ENVS)]
    assert all(made == log[e][: len(made)] for e, made in enumerate(asked(vector)))
    assert all(40 < len(row) < 80 for row in rows)


def test_reset_in_the_middle_starts_afresh():
    for env in (SyncVectorEnv([ragged] * N_ENVS), Dummy(SyncVectorEnv([ragged] * N_ENVS))):
        bridge = make_bridge(env)
        collect(bridge, seed=1, n_steps=33)
        first = bridge.reset(5)
        np.testing.assert_array_equal(first[:, [0, 3]], make_bridge(ragged, N_ENVS).reset(5)[:, [0, 3]])
        assert bridge.step(actions_at(0)).valid.all()


def test_gymnasium_1_0_has_no_masks_and_no_name_for_its_mode():
    """A mask would be ignored there, and all environments reset: Gymnasium 1.0.0's SyncVectorEnv.reset."""

    class Old(SyncVectorEnv):
        def __init__(self, makers):
            super().__init__(makers)
            del self.metadata["autoreset_mode"]
            self.mode = self.__dict__.pop("autoreset_mode")

        def reset(self, *, seed=None, options=None):
            assert not options
            return super().reset(seed=seed)

        def step(self, actions):
            self.autoreset_mode = self.mode
            try:
                return super().step(actions)
            finally:
                del self.autoreset_mode

    expected, _ = by_hand(ragged)
    single = collect(make_bridge(Old([ragged])))
    assert single == expected[:1]  # whenever all have ended no dummy step is needed
    bridge = make_bridge(Old([ragged] * N_ENVS))
    bridge.reset(5)
    valid = np.array([bridge.step(actions_at(t)).valid for t in range(80)])
    assert not valid.all()


# Seeds


def test_seeds_differ_between_environments_and_repeat():
    """CleanRL PR#238 gave all environments the same seed."""
    bridge = make_bridge(ragged, N_ENVS)
    first = bridge.reset(3)
    assert len(set(first[:, 0])) == N_ENVS
    np.testing.assert_array_equal(bridge.reset(3)[:, 0], first[:, 0])
    assert not np.isin(bridge.reset(4)[:, 0], first[:, 0]).any()


def test_seeds_are_a_pure_function_that_fits_31_bits():
    seeds = {environment_seed(seed, e) for seed in range(200) for e in range(64)}
    assert len(seeds) == 200 * 64  # runs with neighbouring seeds share no environment
    assert 0 <= min(seeds) <= max(seeds) < 2**31
    assert environment_seed(7, 5) == int(np.random.SeedSequence(7).generate_state(1)[0]) // 4 + 5
    assert environment_seed(2**64 - 1, 2**30 - 1) < 2**31
    for bad in (-1, 2**64):
        with pytest.raises(ValueError, match="seed"):
            environment_seed(bad)
    with pytest.raises(TypeError, match="seed"):
        make_bridge(ragged).reset(1.5)


def test_global_random_state_is_untouched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    collect(make_bridge(ragged, N_ENVS), n_steps=20)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# Actions


@every("sync", "async")
def test_actions_are_clipped_on_the_way_and_the_callers_stay(vector):
    """SB3#1431: the action sent is clipped, the one that the policy took is not."""
    space = spaces.Box(np.float32([[-1.0, 0.0]]), np.float32([[1.0, 0.5]]))
    vector = type(vector)([lambda: ragged(space)] * 2, autoreset_mode=vector.autoreset_mode)
    try:
        bridge = make_bridge(vector)
        assert (bridge.n_actions, bridge.action_size) == (0, 2)
        np.testing.assert_array_equal(bridge.action_low, [-1.0, 0.0])
        np.testing.assert_array_equal(bridge.action_high, [1.0, 0.5])
        bridge.reset(0)
        given = np.array([[5.0, -3.0], [0.25, 9.0]])
        kept = given.copy()
        bridge.step(given)
        np.testing.assert_array_equal(given, kept)
        assert [log[1] for log in asked(vector)] == [("step", [[1.0, 0.0]]), ("step", [[0.25, 0.5]])]
    finally:
        vector.close()


def test_unbounded_actions_stay_finite_in_the_dtype_of_the_environment():
    space = spaces.Box(-np.inf, np.inf, (1,), dtype=np.float32)
    env = ragged(space)
    bridge = make_bridge(env)
    bridge.reset(0)
    bridge.step([[1e300]])
    assert env.unwrapped.asked[1] == ("step", [float(np.finfo(np.float32).max)])
    assert bridge.action_high == [np.inf]


def test_integer_boxes_get_the_nearest_integer():
    env = ragged(spaces.Box(0, 10, (2,), dtype=np.int16))
    bridge = make_bridge(env)
    bridge.reset(0)
    bridge.step([[2.7, 99.0]])
    assert env.unwrapped.asked[1] == ("step", [3, 10])


def test_discrete_actions_are_shifted_by_start():
    env = ragged(spaces.Discrete(3, start=5))
    bridge = make_bridge(env)
    assert (bridge.n_actions, bridge.action_size, bridge.action_low) == (3, 1, None)
    bridge.reset(2)
    bridge.step([2])
    assert env.unwrapped.asked[1] == ("step", 7)


@pytest.mark.parametrize(
    ("actions", "error", "match"),
    [
        ([3], ValueError, r"actions\[0\]=3"),
        ([0, 1], ValueError, "shape"),
        ([0.5], TypeError, "integers"),
    ],
)
def test_bad_discrete_actions_are_refused(actions, error, match):
    bridge = make_bridge(ragged)
    bridge.reset(0)
    with pytest.raises(error, match=match):
        bridge.step(actions)


def test_bad_continuous_actions_are_refused():
    bridge = make_bridge(ragged(spaces.Box(-1, 1, (2,))))
    with pytest.raises(RuntimeError, match="reset"):
        bridge.step([[0.0, 0.0]])
    bridge.reset(0)
    with pytest.raises(ValueError, match=r"actions\[0, 1\]=nan"):
        bridge.step([[0.0, np.nan]])
    with pytest.raises(ValueError, match="shape"):
        bridge.step([0.0, 0.0])


# The factory


def test_ids_are_made_and_closed_by_the_bridge():
    bridge = make_bridge("Pendulum-v1", n_envs=2, g=5.0, max_episode_steps=9)
    assert (bridge.n_envs, bridge.spec_id, bridge.time_limit) == (2, "Pendulum-v1", 9)
    assert bridge._env.envs[0].unwrapped.g == 5.0
    bridge.reset(0)
    flags = [bridge.step([[0.0], [0.0]]) for _ in range(9)]
    assert flags[-1].truncated.all()
    assert not flags[-1].terminated.any()
    bridge.close()
    assert bridge._env.closed


def test_time_limit_and_id_are_read_where_they_are_known():
    single = make_bridge(gym.make("CartPole-v1", max_episode_steps=17))
    assert (single.n_envs, single.spec_id, single.time_limit) == (1, "CartPole-v1", 17)
    assert make_bridge("CartPole-v1", vectorization_mode="vector_entry_point").time_limit == 500
    assert make_bridge(ragged).spec_id == "Ragged"
    assert make_bridge(ragged).time_limit is None
    assert make_bridge("CartPole-v1", max_episode_steps=-1).time_limit is None
    vector = gym.make_vec("CartPole-v1", num_envs=1, vectorization_mode="async", max_episode_steps=11)
    assert (make_bridge(vector).spec_id, make_bridge(vector).time_limit) == ("CartPole-v1", 11)
    vector.close()


def test_only_what_the_bridge_made_is_closed():
    env, vector = ragged(), SyncVectorEnv([ragged])
    for given in (env, vector):
        bridge = make_bridge(given)
        bridge.close()
        assert not bridge._env.closed
    make_bridge(env)._env.close()  # as some versions of Gymnasium do when a vector environment is collected
    assert not env.unwrapped.closed
    made = []
    make_bridge(lambda: made.append(ragged()) or made[-1], 2).close()
    assert all(env.unwrapped.closed for env in made)


def test_the_factory_refuses_what_it_cannot_bridge():
    env = ragged()
    with pytest.raises(ValueError, match="n_envs=3, but env has 1"):
        make_bridge(env, 3)
    with pytest.raises(ValueError, match="same environment twice"):
        make_bridge(lambda: env, 2)
    with pytest.raises(TypeError, match="makes a Gymnasium Env, got int"):
        make_bridge(lambda: 3)
    with pytest.raises(TypeError, match=r"env: expected an environment's id.*got int"):
        make_bridge(3)
    with pytest.raises(TypeError, match="make_kwargs: g"):
        make_bridge(ragged, g=1)
    with pytest.raises(ValueError, match="n_envs=0"):
        make_bridge(ragged, 0)


def test_the_constructor_takes_anything_that_speaks_the_protocol_of_a_vector_environment():
    env = SimpleNamespace(
        num_envs=1,
        single_observation_space=spaces.Discrete(2),
        single_action_space=spaces.Discrete(2),
        metadata={"autoreset_mode": "DISABLED"},
        spec=None,
    )
    assert Bridge(env).observation_size == 2
