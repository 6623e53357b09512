"""Models read from Gymnasium equal what the environment does, and the optimum they have is the published one."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import MAPS, generate_random_map

from npgfast.problems import TabularMDP, frozen_lake, known_optimum

pytestmark = pytest.mark.isa_independent


def optimal_values(mdp):
    kernel, values = mdp.dense(), np.zeros(mdp.n_states)
    rewards = np.where(mdp.action_mask, mdp.rewards, -np.inf)
    for _ in range(mdp.horizon or 100_000):
        new = np.max(rewards + mdp.gamma * kernel @ values, axis=1)
        if mdp.horizon is None and np.max(np.abs(new - values)) < 1e-14:
            break
        values = new
    return values


def objective(mdp):
    return float(mdp.initial_distribution @ optimal_values(mdp))


@pytest.mark.parametrize(
    ("gamma", "horizon"), [(0.9, None), (0.99, None), (1.0, None), (1.0, 200)], ids=["0.9", "0.99", "1", "H=200"]
)
def test_taxi_has_the_published_optimum(gamma, horizon):
    settings = {"gamma": gamma} if horizon is None else {"gamma": gamma, "horizon": horizon}
    mdp = TabularMDP.from_gymnasium("Taxi-v4", **settings)
    assert objective(mdp) == pytest.approx(known_optimum("Taxi-v4", **settings).objective, abs=1e-9)


def test_taxi_time_limit_is_200_and_no_action_is_masked():
    mdp = TabularMDP.from_gymnasium("Taxi-v4", horizon="time_limit")
    assert mdp.horizon == 200
    assert mdp.action_mask.all()


@pytest.mark.parametrize(("gamma", "value"), [(1.0, -13.0), (0.99, -(1 - 0.99**13) / 0.01)])
def test_cliff_walking_takes_thirteen_steps(gamma, value):
    assert objective(TabularMDP.from_gymnasium("CliffWalking-v1", gamma=gamma)) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        ("FrozenLake-v1", {}),
        ("FrozenLake-v1", {"is_slippery": False}),
        ("FrozenLake-v1", {"success_rate": 0.7, "reward_schedule": (10, -5, -1)}),
        ("FrozenLake8x8-v1", {}),
        ("CliffWalking-v1", {}),
        ("CliffWalkingSlippery-v1", {}),
        ("Taxi-v4", {}),
        ("Taxi-v4", {"is_rainy": True}),
    ],
)
def test_model_equals_the_table_of_the_environment(env_id, settings):
    env = gymnasium.make(env_id, **settings)
    mdp = TabularMDP.from_gymnasium(env, gamma=0.9)
    table = env.unwrapped.P
    kernel = np.zeros((mdp.n_states, mdp.n_actions, mdp.n_states))
    termination, rewards = np.zeros((2, mdp.n_states, mdp.n_actions))
    for s, row in table.items():
        for a, outcomes in row.items():
            for p, successor, reward, terminated in outcomes:
                rewards[s, a] += p * reward
                if terminated:
                    termination[s, a] += p
                else:
                    kernel[s, a, successor] += p
    np.testing.assert_allclose(mdp.dense(), kernel, rtol=0, atol=1e-15)
    np.testing.assert_allclose(mdp.termination, termination, rtol=0, atol=1e-15)
    np.testing.assert_allclose(mdp.rewards, rewards, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(mdp.initial_distribution, env.unwrapped.initial_state_distrib)
    assert env.reset(seed=0)[0] in range(mdp.n_states), "an environment that was handed in stays open"
    env.close()


@pytest.mark.parametrize("map_name", ["4x4", "8x8"])
@pytest.mark.parametrize("slippery", [True, False])
def test_frozen_lake_equals_the_model_of_gymnasium(map_name, slippery):
    theirs = TabularMDP.from_gymnasium("FrozenLake-v1", gamma=0.99, map_name=map_name, is_slippery=slippery)
    assert frozen_lake(map_name, slippery=slippery, gamma=0.99) == theirs
    assert frozen_lake(MAPS[map_name], slippery=slippery, gamma=0.99) == theirs


def test_frozen_lake_equals_the_model_of_gymnasium_on_other_maps():
    for seed in range(5):
        desc = generate_random_map(size=6, seed=seed)
        theirs = TabularMDP.from_gymnasium("FrozenLake-v1", gamma=0.9, desc=desc, success_rate=0.5)
        assert frozen_lake(desc, gamma=0.9, success_rate=0.5) == theirs


def test_time_limit_is_that_of_the_environment():
    assert TabularMDP.from_gymnasium("FrozenLake8x8-v1", horizon="time_limit").horizon == 200
    assert TabularMDP.from_gymnasium("FrozenLake-v1", horizon="time_limit", map_name="8x8").horizon == 100
    env = gymnasium.make("FrozenLake-v1", max_episode_steps=7)
    assert TabularMDP.from_gymnasium(env, horizon="time_limit").horizon == 7
    with pytest.raises(ValueError, match="no max_episode_steps"):
        TabularMDP.from_gymnasium("CliffWalking-v1", horizon="time_limit")
    with pytest.raises(ValueError, match="horizon='time', expected one of 'time_limit'"):
        TabularMDP.from_gymnasium("CliffWalking-v1", horizon="time")


def test_hidden_state_is_announced():
    with pytest.warns(UserWarning, match="fickle_passenger") as record:
        TabularMDP.from_gymnasium("Taxi-v4", fickle_passenger=True)
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TabularMDP.from_gymnasium("Taxi-v4")


class Toy(gymnasium.Env):
    def __init__(self, table, initial=(1.0, 0.0)):
        self.P, self.initial_state_distrib = table, np.array(initial)
        self.observation_space, self.action_space = gymnasium.spaces.Discrete(2), gymnasium.spaces.Discrete(1)


def test_repeated_successors_are_summed():
    mdp = TabularMDP.from_gymnasium(Toy({0: {0: [(0.25, 1, 4.0, False), (0.5, 1, 0.0, False), (0.25, 1, 8.0, True)]},
                                         1: {0: [(np.float64(1.0), np.int64(1), 0, np.True_)]}}))  # fmt: skip
    np.testing.assert_array_equal(mdp.dense()[:, 0], [[0.0, 0.75], [0.0, 0.0]])
    np.testing.assert_array_equal(mdp.termination, [[0.25], [1.0]])
    np.testing.assert_array_equal(mdp.rewards, [[3.0], [0.0]])


GOOD_ROW = {0: [(1.0, 0, 0.0, True)]}


@pytest.mark.parametrize(
    ("table", "initial", "error", "words"),
    [
        ({0: GOOD_ROW, 1: {}}, (1, 0), ValueError, r"P\[1\]\[0\] is missing"),
        ({0: GOOD_ROW}, (1, 0), ValueError, r"P\[1\]\[0\] is missing"),
        ({0: GOOD_ROW, 1: {0: []}}, (1, 0), ValueError, r"P\[1\]\[0\]: probabilities sum to 0"),
        ({0: GOOD_ROW, 1: {0: [(0.9, 0, 0.0, True)]}}, (1, 0), ValueError, r"P\[1\]\[0\]: probabilities sum to 0.9"),
        ({0: GOOD_ROW, 1: {0: [(-1.0, 0, 0.0, True)]}}, (1, 0), ValueError, r"P\[1\]\[0\]\[0\] probability=-1"),
        ({0: GOOD_ROW, 1: {0: [(1.0, 2, 0.0, True)]}}, (1, 0), ValueError, r"P\[1\]\[0\]\[0\] next state=2 outside"),
        ({0: GOOD_ROW, 1: {0: [(1.0, 0.5, 0.0, True)]}}, (1, 0), TypeError, r"P\[1\]\[0\]\[0\] next state"),
        ({0: GOOD_ROW, 1: {0: [(1.0, 0, np.nan, True)]}}, (1, 0), ValueError, r"P\[1\]\[0\]\[0\] reward=nan"),
        ({0: GOOD_ROW, 1: GOOD_ROW}, (0.5, 0.4), ValueError, "initial_distribution sums to 0.9"),
    ],
)
def test_broken_tables_are_refused(table, initial, error, words):
    with pytest.raises(error, match=words):
        TabularMDP.from_gymnasium(Toy(table, initial))


def test_environments_without_a_model_are_refused():
    with pytest.raises(ValueError, match="BlackjackEnv has no 'P'"):
        TabularMDP.from_gymnasium("Blackjack-v1")
    with pytest.raises(TypeError, match="env_or_id: expected a Gymnasium environment or its id, got int"):
        TabularMDP.from_gymnasium(3)
    with pytest.raises(TypeError, match="is_slippery given with an environment"):
        TabularMDP.from_gymnasium(gymnasium.make("FrozenLake-v1"), is_slippery=False)
    with pytest.raises(gymnasium.error.Error):
        TabularMDP.from_gymnasium("NoSuchLake-v1")


def test_environments_made_here_are_closed(monkeypatch):
    closed = []
    monkeypatch.setattr(gymnasium.Wrapper, "close", lambda self: closed.append(self))  # noqa: PLW0108 (a method must bind)
    TabularMDP.from_gymnasium("FrozenLake-v1")
    with pytest.raises(ValueError, match="gamma"):
        TabularMDP.from_gymnasium("FrozenLake-v1", gamma=2.0)
    assert len(closed) >= 2
