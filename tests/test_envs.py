"""The environments as values, by their id, and as Gymnasium environments."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.testing import assert_array_equal

import npgfast as nf
from npgfast import envs
from npgfast.envs import gymnasium_envs

IDS = ("CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1")
VALUES = (
    envs.CartPole(),
    envs.CartPole(time_limit=None),
    envs.MountainCar(),
    envs.MountainCar(goal_velocity=0.02),
    envs.MountainCarContinuous(),
    envs.MountainCarContinuous(time_limit=10),
    envs.Acrobot(),
    envs.Pendulum(),
    envs.Pendulum(g=9.81),
)
every_id = pytest.mark.parametrize("id", IDS)


@pytest.mark.isa_independent
def test_importing_npgfast_does_not_import_gymnasium():
    code = "import sys, npgfast.envs; sys.exit('gymnasium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@every_id
def test_facts_are_those_of_gymnasium(id):
    env, theirs = envs.make(id), gymnasium.make(id)
    assert env.name == id
    assert env.time_limit == theirs.spec.max_episode_steps
    assert env.horizon is None
    assert (env.observation_size,) == theirs.observation_space.shape
    assert_array_equal(env.observation_low.astype(np.float32), theirs.observation_space.low)
    assert_array_equal(env.observation_high.astype(np.float32), theirs.observation_space.high)
    if isinstance(theirs.action_space, gymnasium.spaces.Discrete):
        assert (env.n_actions, env.action_size) == (theirs.action_space.n, 1)
        assert env.action_low is None
        assert env.action_high is None
    else:
        assert (env.n_actions, env.action_size) == (0, *theirs.action_space.shape)
        assert_array_equal(env.action_low, theirs.action_space.low)
        assert_array_equal(env.action_high, theirs.action_space.high)


def test_values_are_equal_by_what_they_hold():
    for i, one in enumerate(VALUES):
        for j, other in enumerate(VALUES):
            assert (one == other) == (i == j)
    assert len(set(VALUES)) == len(VALUES)
    assert envs.Pendulum(g=10) == envs.Pendulum()
    assert hash(envs.Pendulum(g=10)) == hash(envs.Pendulum())
    assert envs.CartPole() != "CartPole-v1"


@pytest.mark.parametrize("env", VALUES, ids=repr)
def test_values_survive_pickle_copy_and_repr(env):
    env.start(1, seed=0)
    for again in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env), eval(repr(env), vars(envs))):
        assert again == env
        assert type(again) is type(env)
        assert_array_equal(again.start(3, seed=1), env.start(3, seed=1))


def test_values_are_immutable():
    with pytest.raises(AttributeError, match="g"):
        envs.Pendulum().g = 1.0


@every_id
def test_make_reads_both_forms_of_an_id(id):
    assert envs.make(id) == envs.make(f"npgfast/{id}") == nf.envs.make(id)
    assert envs.make(id, time_limit=7).time_limit == 7


BAD = {
    "unknown id": (lambda: envs.make("Nothing-v5"), gymnasium.error.NameNotFound, "Nothing"),
    "id of another kind": (lambda: envs.make(3), TypeError, "id: expected a string, got int 3"),
    "unknown setting": (lambda: envs.make("Pendulum-v1", m=1), TypeError, "m: not a setting of Pendulum-v1, which has"),
    "time_limit zero": (lambda: envs.CartPole(time_limit=0), ValueError, r"time_limit=0 outside \[1, "),
    "time_limit float": (lambda: envs.CartPole(time_limit=5.0), TypeError, "time_limit: expected an integer"),
    "g infinite": (lambda: envs.Pendulum(g=np.inf), ValueError, "g=inf outside"),
    "g word": (lambda: envs.Pendulum(g="10"), TypeError, "g: expected a real number"),
    "goal_velocity nan": (lambda: envs.MountainCar(goal_velocity=np.nan), ValueError, "goal_velocity=nan outside"),
    "n zero": (lambda: envs.CartPole().start(0, seed=0), ValueError, r"n=0 outside \[1, "),
    "n huge": (lambda: envs.CartPole().start(2**40, seed=0), ValueError, "n=1099511627776 outside"),
    "seed negative": (lambda: envs.CartPole().start(1, seed=-1), ValueError, "seed=-1 outside"),
    "states flat": (lambda: envs.CartPole().step(np.zeros(4), [0]), ValueError, r"states: expected 2-d shape"),
    "states empty": (lambda: envs.CartPole().observe(np.zeros((0, 4))), ValueError, r"states: expected 2-d shape"),
    "states wide": (lambda: envs.Pendulum().observe(np.zeros((1, 3))), ValueError, r"\(any >= 1, 2\).*\(1, 3\)"),
    "states nan": (
        lambda: envs.Acrobot().observe([[0, 0, np.nan, 0]]),
        ValueError,
        r"states\[0, 2\]=nan is not finite",
    ),
    "states complex": (lambda: envs.Pendulum().observe(np.zeros((1, 2), complex)), TypeError, "states: .* complex"),
    "action out of range": (
        lambda: envs.CartPole().step(np.zeros((2, 4)), [0, 2]),
        ValueError,
        r"actions\[1\]=2 outside",
    ),
    "action of reals": (lambda: envs.CartPole().step(np.zeros((1, 4)), [0.0]), TypeError, "actions: .* integers"),
    "actions too few": (lambda: envs.CartPole().step(np.zeros((2, 4)), [0]), ValueError, r"actions: .*match states"),
    "actions flat": (lambda: envs.Pendulum().step(np.zeros((1, 2)), [0.0]), ValueError, r"actions: expected 2-d"),
    "action infinite": (lambda: envs.Pendulum().step([[0, 0]], [[np.inf]]), ValueError, r"actions\[0, 0\]=inf"),
    "time negative": (lambda: envs.Pendulum().step([[0, 0]], [[0]], time=-1), ValueError, "time=-1 outside"),
    "render_mode": (lambda: gymnasium_envs.SimulatedEnv(envs.CartPole(), "human"), ValueError, "render_mode='human', "),
    "simulated": (lambda: gymnasium_envs.SimulatedEnv("CartPole-v1"), TypeError, "simulated: expected .* got str"),
    "options": (
        lambda: gymnasium_envs.SimulatedEnv(envs.CartPole()).reset(options={"low": 0}),
        ValueError,
        "options: expected none, got low",
    ),
    "step before reset": (
        lambda: gymnasium_envs.SimulatedEnv(envs.CartPole()).step(0),
        gymnasium.error.ResetNeeded,
        "call reset",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_named(name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()


def test_state_of_an_environment_survives_a_refused_action():
    env = gymnasium_envs.SimulatedEnv(envs.CartPole())
    env.reset(seed=0)
    before = env.state.copy()
    for action in (2, 0.5, [0, 1]):
        with pytest.raises((TypeError, ValueError), match="actions"):
            env.step(action)
    assert_array_equal(env.state, before)


@every_id
def test_registered_environment_passes_the_check(id):
    env = gymnasium.make(f"npgfast/{id}").unwrapped
    with warnings.catch_warnings():
        # Gymnasium's checker says this of its own spaces, which these equal: the velocities of CartPole have no bound,
        # the torque of Pendulum is in [-2, 2].
        warnings.filterwarnings("ignore", ".*observation space (minimum|maximum) value is -?infinity")
        warnings.filterwarnings("ignore", ".*recommend using a symmetric and normalized space")
        check_env(env)


@every_id
def test_registered_environment_is_gymnasium_s(id):
    ours, theirs = gymnasium.make(f"npgfast/{id}"), gymnasium.make(id)
    assert ours.spec.max_episode_steps == theirs.spec.max_episode_steps
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    first, _ = ours.reset(seed=1)
    second, _ = ours.reset(seed=2)
    again, _ = ours.reset(seed=1)
    assert_array_equal(first, again)
    assert (first != second).any()


def test_settings_reach_the_registered_environment():
    env = gymnasium.make("npgfast/Pendulum-v1", g=3.0, max_episode_steps=5)
    assert env.unwrapped.simulated.g == 3.0
    env.reset(seed=0)
    assert [env.step(env.action_space.sample())[3] for _ in range(5)] == [False] * 4 + [True]
    assert env.spec.make().unwrapped.simulated == env.unwrapped.simulated
    with pytest.raises(TypeError, match="m: not a setting"):
        gymnasium.make("npgfast/Pendulum-v1", m=3.0)


def test_to_gymnasium_keeps_the_value_and_its_time_limit():
    for env in VALUES:
        made = env.to_gymnasium()
        assert made.unwrapped.simulated == env
        assert made.spec.id == f"npgfast/{env.name}"
        assert made.spec.max_episode_steps == env.time_limit
        assert made.spec.make().unwrapped.simulated == env
    made = envs.MountainCarContinuous(time_limit=3).to_gymnasium()
    made.reset()
    assert [made.step(np.zeros(1))[3] for _ in range(3)] == [False, False, True]


def test_end_of_a_horizon_terminates():
    env = gymnasium_envs.SimulatedEnv(envs.Pendulum())
    object.__setattr__(env.simulated, "horizon", 2)
    for _ in range(2):
        env.reset()
        assert [env.step(np.zeros(1))[2] for _ in range(2)] == [False, True]


def test_id_with_its_module_registers_by_itself():
    code = "import gymnasium; print(gymnasium.make('npgfast.envs.gymnasium_envs:npgfast/CartPole-v1').spec.id)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "npgfast/CartPole-v1", done.stderr


def test_vector_of_registered_environments_steps():
    vector = gymnasium.make_vec("npgfast/CartPole-v1", num_envs=3, vectorization_mode="sync")
    observations, _ = vector.reset(seed=0)
    assert observations.shape == (3, 4)
    assert len(np.unique(observations[:, 0])) == 3
    vector.close()


def test_make_bridges_what_is_not_simulated():
    bridge = envs.make("FrozenLake-v1", n_envs=2)
    assert (bridge.n_envs, bridge.n_actions, bridge.time_limit) == (2, 4, 100)
    bridge.close()
    with pytest.raises(ValueError, match="n_envs=2: CartPole-v1 is simulated natively"):
        envs.make("CartPole-v1", n_envs=2)
