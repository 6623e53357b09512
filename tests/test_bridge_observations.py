"""What the bridge makes of observations, and of vector environments of other makers."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from ragged_environments import N_ENVS, actions_at, by_hand, collect, ragged

from npgfast.envs.bridge import make_bridge

pytestmark = [
    pytest.mark.isa_independent,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),  # of AsyncVectorEnv's workers
]


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
