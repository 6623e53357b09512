"""The zoo: its entries work, learn without a length, and reach the scores that they are there for."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import npgfast as nf
from npgfast import zoo

NATIVE = [name for name in zoo.names() if name in nf.envs.NATIVE]
SCORES = {"Acrobot-v1": -90.0, "MountainCarContinuous-v0": 92.0, "Pendulum-v1": -250.0, "MountainCar-v0": -120.0}


def test_cartpole_is_solved_by_all_of_100_seeds_in_one_call():
    result = zoo.make("CartPole-v1").learn(n_seeds=100)
    assert (result.final("evaluation") == 500.0).all()
    native = nf.envs.CartPole()
    judged = np.array([nf.evaluate_policy(native, policy, 100, seed=10**6).mean for policy in result.policies])
    assert (judged >= 495.0).all(), np.sort(judged)[:5]
    # Gymnasium's own environment agrees, for those that are hardest to judge.
    for k in np.argsort(judged)[:3]:
        env = gymnasium.make_vec("CartPole-v1", 100, vectorization_mode="vector_entry_point")
        assert nf.evaluate_policy(env, result.policies[k], 100, seed=int(k)).mean >= 495.0


@pytest.mark.parametrize("algo", ["trpo", "npg", "ppo"])
def test_cartpole_is_solved_by_every_algorithm(algo):
    assert (zoo.make("CartPole-v1", algo, seed=5).learn(n_seeds=4).final("evaluation") == 500.0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORES)
def test_classic_control_reaches_its_score_in_gymnasium(name):
    result = zoo.make(name).learn(n_seeds=10)
    scores = [nf.evaluate_policy(name, policy, 100, seed=10**6 + k).mean for k, policy in enumerate(result.policies)]
    assert np.median(scores) >= SCORES[name], np.sort(scores)


@pytest.mark.parametrize(("name", "algo"), [(name, algo) for name in NATIVE for algo in zoo.ZOO[name].algorithms])
def test_every_entry_learns(name, algo):
    agent = zoo.make(name, algo, seed=3)
    result = agent.learn(3, n_seeds=2)
    assert set(result.history["status"][~np.isnan(result.history["timesteps"])]) == {"ok"}  # some reach their target
    assert agent.seed == 3
    assert np.isfinite(result.history["evaluation"][:, 0]).all()  # keep_best is the zoo's


def test_learn_takes_what_is_not_given_from_the_zoo():
    agent = zoo.make("CartPole-v1")
    assert zoo.length("CartPole-v1")["target"] == 500.0
    assert agent.learn(2, target=20.0).final("evaluation")[0] >= 20.0
    result = zoo.make("Pendulum-v1").learn(total_timesteps=3200, keep_best=False)
    assert result.final("timesteps")[0] == 3200.0
    assert np.isnan(result.history["evaluation"]).all()


def test_overrides_go_before_the_zoo():
    agent = zoo.make("npgfast/Pendulum-v1", max_kl=0.5, n_envs=2)
    assert agent._settings["max_kl"] == 0.5
    assert agent.theta.shape == (1, zoo.ZOO["Pendulum-v1"].policy.n_params)
    assert agent.learn(1).final("timesteps")[0] == 400.0


@pytest.mark.isa_independent
def test_table_shows_every_entry():
    text = zoo.table()
    assert all(name in text for name in zoo.names())
    assert "restart_after=6" in text


@pytest.mark.isa_independent
def test_what_the_zoo_does_not_have_is_named():
    with pytest.raises(ValueError, match=r"env_id='Humanoid-v5': the zoo has CartPole-v1, "):
        zoo.make("Humanoid-v5")
    with pytest.raises(ValueError, match=r"algo='spi': for CartPole-v1 the zoo has trpo, npg, ppo"):
        zoo.length("CartPole-v1", "spi")
    with pytest.raises(ValueError, match="env_id=3"):
        zoo.make(3)
