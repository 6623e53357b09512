"""Whatever an environment does after an episode's end, the bridge hands out the same data.

The oracle is `episodes_by_hand`: Gymnasium's own loop over one environment, with its own resets.
"""

import warnings
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from npgfast.envs.bridge import Bridge, environment_seed, make_bridge

pytestmark = [
    pytest.mark.isa_independent,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),  # of AsyncVectorEnv's workers
]

N_ENVS = 4
MODES = list(AutoresetMode)
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


# Observations


class Script(gym.Env):
    """Gives the observations and rewards of a list, one after the other, whatever is done."""

    action_space = spaces.Discrete(2)

    def __init__(self, space, observations, rewards=(), end=100):
        self.observation_space = space
        self.observations, self.rewards, self.end = observations, rewards, end

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.time = 0
        return self.observations[0], {}

    def step(self, action):  # noqa: ARG002
        self.time += 1
        reward = self.rewards[self.time - 1] if self.rewards else 0.0
        return self.observations[self.time], reward, self.time == self.end, False, {}


@pytest.mark.parametrize(
    ("space", "given", "seen"),
    [
        (spaces.Box(0, 255, (2, 2), np.uint8), np.array([[1, 2], [3, 4]], np.uint8), [1.0, 2.0, 3.0, 4.0]),
        (spaces.Box(-1, 1, ()), np.float32(0.5), [0.5]),
        (spaces.Discrete(3, start=4), 6, [0.0, 0.0, 1.0]),
        (spaces.MultiBinary([1, 2]), np.array([[0, 1]], np.int8), [0.0, 1.0]),
    ],
)
def test_observations_become_rows_of_float64(space, given, seen):
    bridge = make_bridge(lambda: Script(space, [given, given]), 2)
    assert bridge.observation_size == len(seen)
    rows = bridge.reset(0)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, [seen, seen])
    np.testing.assert_array_equal(bridge.step([0, 1]).final_observations, [seen, seen])


@pytest.mark.parametrize(
    "space",
    [
        spaces.Dict({"a": spaces.Discrete(2)}),
        spaces.Tuple([spaces.Discrete(2)]),
        spaces.MultiDiscrete([2, 2]),
        spaces.Text(3),
    ],
)
def test_other_spaces_are_refused_with_advice(space):
    with pytest.raises(TypeError, match=f"Box, Discrete or MultiBinary.*{type(space).__name__}.*FlattenObservation"):
        make_bridge(Script(space, []))
    env = Script(spaces.Discrete(2), [])
    env.action_space = space
    with pytest.raises(TypeError, match=f"Box or Discrete.*{type(space).__name__}"):
        make_bridge(env)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_name_environment_and_step(bad):
    box = spaces.Box(-np.inf, np.inf, (2,))
    fine = np.zeros(2, np.float32)
    wrong = np.array([0, bad], np.float32)

    def bridge_of(*args):
        envs = [Script(box, [fine] * 9), Script(box, *args)]
        bridge = make_bridge(SyncVectorEnv([lambda env=env: env for env in envs]))
        bridge.reset(0)
        bridge.step([0, 0])
        return bridge

    with pytest.raises(ValueError, match=r"environment 1: observation .* is not finite at step 2"):
        bridge_of([fine, fine, wrong]).step([0, 0])
    with pytest.raises(ValueError, match=r"environment 1: reward .* is not finite at step 2"):
        bridge_of([fine, fine, fine], [0.0, bad]).step([0, 0])
    with pytest.raises(ValueError, match=r"environment 0: observation .* is not finite at step 0"):
        make_bridge(Script(box, [wrong])).reset(0)


def test_final_observations_that_are_not_finite_are_found_in_same_step_mode():
    box = spaces.Box(-np.inf, np.inf, (1,))
    values = [np.zeros(1, np.float32), np.array([np.nan], np.float32)]
    vector = SyncVectorEnv([lambda: Script(box, values, end=1)], autoreset_mode=AutoresetMode.SAME_STEP)
    bridge = make_bridge(vector)
    bridge.reset(0)
    with pytest.raises(ValueError, match="environment 0: observation nan"):
        bridge.step([0])


def test_a_state_outside_its_discrete_space_is_refused():
    bridge = make_bridge(Script(spaces.Discrete(3), [0, 3]))
    bridge.reset(0)
    with pytest.raises(ValueError, match=r"environment 0: observation 3 outside \[0, 3\) at step 1"):
        bridge.step([0])


def test_arrays_handed_out_are_never_written_again():
    vector = SyncVectorEnv([ragged] * N_ENVS, copy=False)
    bridge = make_bridge(vector)
    arrays = [bridge.reset(5)]
    copies = [arrays[0].copy()]
    for t in range(40):
        step = bridge.step(actions_at(t))
        for array in vars(step).values():
            arrays.append(array)
            copies.append(array.copy())
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    seen = bridge.reset(5)
    seen[:] = 99.0  # nor does what the caller writes come back
    assert bridge.step(actions_at(0)).observations.max() < 99.0


# Vector environments of other makers


class Fake(gym.vector.VectorEnv):
    """Two environments that end in turn; `step` gives what the test wants."""

    def __init__(self, mode, result=None):
        self.num_envs = 2
        self.single_observation_space = spaces.Box(-10, 10, (1,))
        self.single_action_space = spaces.Discrete(2)
        self.metadata = {} if mode is None else {"autoreset_mode": mode}
        self.result = result or {}
        self.options = []

    def reset(self, *, seed=None, options=None):  # noqa: ARG002
        self.options.append(options)
        return np.array([[1.0], [2.0]]), {}

    def step(self, actions):  # noqa: ARG002
        standard = {
            "observations": np.array([[3.0], [4.0]]),
            "rewards": np.ones(2),
            "terminated": np.array([False, True]),
            "truncated": np.zeros(2, dtype=bool),
            "infos": {},
        }
        return tuple((standard | self.result).values())


@pytest.mark.parametrize("name", ["final_obs", "final_observation"])
@pytest.mark.parametrize("masked", [True, False])
def test_same_step_mode_reads_the_final_observation_by_both_names(name, masked):
    infos = {name: np.array([None, np.array([7.0])], dtype=object)}
    if masked:
        infos[f"_{name}"] = np.array([False, True])
    bridge = make_bridge(Fake(AutoresetMode.SAME_STEP, {"infos": infos}))
    bridge.reset(0)
    step = bridge.step([0, 0])
    np.testing.assert_array_equal(step.final_observations, [[3.0], [7.0]])
    np.testing.assert_array_equal(step.observations, [[3.0], [4.0]])


@pytest.mark.parametrize(
    "infos",
    [
        {},
        {"final_obs": np.array([None, None])},
        {"final_obs": np.zeros((2, 1)), "_final_obs": np.array([True, False])},
    ],
)
def test_same_step_mode_never_bootstraps_from_a_reset_observation(infos):
    """Gymnasium 1.0 dropped final_observation (CleanRL#499); a reset observation must not take its place."""
    bridge = make_bridge(Fake(AutoresetMode.SAME_STEP, {"infos": infos}))
    bridge.reset(0)
    with pytest.raises(ValueError, match=r"environment 1 ended its episode at step 1 .* info\['final_obs'\]"):
        bridge.step([0, 0])


def test_disabled_mode_resets_the_ended_ones_only():
    env = Fake(AutoresetMode.DISABLED)
    bridge = make_bridge(env)
    bridge.reset(0)
    step = bridge.step([0, 0])
    assert [list(option["reset_mask"]) for option in env.options[1:]] == [[False, True]]
    np.testing.assert_array_equal(step.observations, [[3.0], [2.0]])
    np.testing.assert_array_equal(step.final_observations, [[3.0], [4.0]])


def test_an_undeclared_mode_that_looks_like_same_step_is_an_error():
    bridge = make_bridge(Fake(None, {"infos": {"final_observation": np.array([None, np.zeros(1)], dtype=object)}}))
    bridge.reset(0)
    with pytest.raises(ValueError, match="autoreset_mode"):
        bridge.step([0, 0])
    with pytest.raises(ValueError, match="AutoresetMode"):
        make_bridge(Fake("whenever"))


@pytest.mark.parametrize(
    ("result", "match"),
    [
        ({"observations": np.zeros((2, 2))}, r"observations: expected shape \(2, 1\).*\(2, 2\) at step 1"),
        ({"rewards": np.zeros((2, 1))}, r"rewards: expected shape \(2,\)"),
        ({"terminated": np.array(False)}, r"terminated: expected shape \(2,\)"),
        ({"truncated": np.zeros(3)}, r"truncated: expected shape \(2,\)"),
    ],
)
def test_wrong_shapes_are_refused(result, match):
    bridge = make_bridge(Fake(AutoresetMode.DISABLED, result))
    bridge.reset(0)
    with pytest.raises(ValueError, match=match):
        bridge.step([0, 0])


def test_async_workers_that_forget_to_cancel_an_autoreset_are_refused():
    """Gymnasium's worker clears its flag in a reset only if memory is shared."""
    vector = AsyncVectorEnv([ragged], shared_memory=False)
    try:
        with pytest.raises(ValueError, match="shared_memory"):
            make_bridge(vector)
    finally:
        vector.close()
    vector = AsyncVectorEnv([ragged] * N_ENVS, shared_memory=False, autoreset_mode=AutoresetMode.DISABLED)
    try:
        assert collect(make_bridge(vector)) == by_hand(ragged)[0]
    finally:
        vector.close()


def test_a_vector_environment_with_one_generator_works_with_dummy_steps():
    env = gym.make_vec("CartPole-v1", num_envs=3, vectorization_mode="vector_entry_point")
    bridge = make_bridge(env)
    first = bridge.reset(1)
    np.testing.assert_array_equal(bridge.reset(1), first)
    steps = [bridge.step(np.array([1, 0, t % 2])) for t in range(60)]
    valid = np.array([step.valid for step in steps])
    ended = np.array([step.terminated for step in steps])
    np.testing.assert_array_equal(valid[1:], ~ended[:-1])
    assert all(abs(step.final_observations[step.terminated][:, 2]).min(initial=1) > 0.2 for step in steps)


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


# EnvPool


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
        make_bridge(Dummy(make_pool(num_envs=2)))
    with pytest.raises(TypeError, match="env_type='gymnasium'"):
        make_bridge(make_pool(env_type="dm", num_envs=2))


def test_envpool_is_made_with_as_many_environments_as_are_asked_for(make_pool):
    bridge = make_bridge(make_pool(num_envs=2), 3)
    assert bridge.n_envs == 3
    assert bridge.reset(seed=1).shape == (3, bridge.observation_size)
    assert bridge.step(np.zeros(3, dtype=np.int64)).rewards.shape == (3,)


def test_the_constructor_takes_anything_that_speaks_the_protocol_of_a_vector_environment():
    env = SimpleNamespace(
        num_envs=1,
        single_observation_space=spaces.Discrete(2),
        single_action_space=spaces.Discrete(2),
        metadata={"autoreset_mode": "DISABLED"},
        spec=None,
    )
    assert Bridge(env).observation_size == 2
