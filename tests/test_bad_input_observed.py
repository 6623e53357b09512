"""Wrong arguments of agents and samplers on observations, environments that misbehave, simulations that diverge."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from observed_problems import CART_POLE, CUT, LQR, PENDULUM, Told, policy_bits, told

import npgfast as nf

V, T = ValueError, TypeError
SOFTMAX, GAUSSIAN = nf.LinearSoftmax(4, 2), nf.LinearGaussian(3, 1)
ENDLESS = nf.envs.LQR(0.5 * np.eye(2), np.eye(2), np.eye(2), np.eye(2))
STATES = nf.LinearBaseline(np.eye(4))
MAPPED = nf.LinearBaseline(nf.features.Linear(4))


def trpo(env=CART_POLE, policy=None, **settings):
    return nf.TRPO(env, policy, **settings)


def sample(env=CART_POLE, policy=SOFTMAX, **settings):
    return nf.sample_batch(env, policy, **{"n_steps": 3, "seed": 0, **settings})


CALLS = {
    "lengths_both": (lambda: trpo(n_steps=3, n_episodes=3), V, "n_steps, n_episodes: .*3 and 3"),
    "lengths_bridged": (lambda: trpo(told, n_steps=3, n_episodes=3), V, "n_steps, n_episodes: "),
    "episodes_envs": (lambda: trpo(n_episodes=3, n_envs=2), V, "n_envs=2"),
    "steps_zero": (lambda: trpo(n_steps=0), V, "n_steps"),
    "steps_bool": (lambda: trpo(n_steps=True), T, "n_steps"),
    "steps_float": (lambda: trpo(told, n_steps=3.0), T, "n_steps"),
    "episodes_zero": (lambda: trpo(told, n_episodes=0), V, "n_episodes"),
    "envs_zero": (lambda: trpo(told, n_envs=0), V, "n_envs"),
    "envs_other": (lambda: trpo(gym.make_vec("CartPole-v1", num_envs=3), n_envs=2), V, "n_envs=2.*3"),
    "memory": (lambda: trpo(n_steps=2**31 - 2, n_envs=2**31 - 1), (V, MemoryError), "n_steps"),
    "endless_episodes": (lambda: trpo(ENDLESS, n_episodes=3), V, "n_episodes=3: .*time limit"),
    "endless_target": (lambda: trpo(ENDLESS, **CUT).learn(1, target=0.0), V, "target, keep_best: .*time limit"),
    "endless_best": (lambda: trpo(ENDLESS, **CUT).learn(1, keep_best=True), V, "target, keep_best: .*time limit"),
    "baseline_tabular": (lambda: trpo(baseline="tabular"), V, "baseline='tabular'"),
    "baseline_array": (lambda: trpo(baseline=np.zeros(3)), V, "baseline=array"),
    "baseline_object": (lambda: trpo(baseline=MAPPED), V, "baseline=<"),
    "baseline_data": (lambda: trpo(baseline_data="next"), V, "baseline_data='next'"),
    "weights": (lambda: trpo(state_weights="geometric"), V, "state_weights='geometric'"),
    "exact": (lambda: trpo(mode="exact"), V, "mode='exact' needs a TabularMDP"),
    "mode": (lambda: trpo(mode="both"), V, "mode='both'"),
    "gamma": (lambda: trpo(gamma=1.5), V, "gamma=1.5"),
    "gae_lambda": (lambda: trpo(gae_lambda=-0.5), V, "gae_lambda=-0.5"),
    "normalize": (lambda: trpo(normalize_observations=1), T, "normalize_observations: .*bool"),
    "scale": (lambda: trpo(told, scale_rewards="yes"), T, "scale_rewards: .*bool"),
    "evaluation_episodes": (lambda: trpo(n_evaluation_episodes=0), V, "n_evaluation_episodes"),
    "evaluation_kind": (lambda: trpo(evaluate_deterministically=1), T, "evaluate_deterministically: .*bool"),
    "kwargs_env": (lambda: trpo(make_kwargs={"time_limit": 3}), T, "make_kwargs: time_limit"),
    "kwargs_callable": (lambda: trpo(told, make_kwargs={"x": 3}), T, "make_kwargs: x"),
    "kwargs_kind": (lambda: trpo("CartPole-v1", make_kwargs=[3]), T, "make_kwargs: expected a dict"),
    "kwargs_unknown": (lambda: trpo("CartPole-v1", make_kwargs={"g": 3}), T, "g: not a setting of CartPole-v1"),
    "id": (lambda: trpo("Nothing-v0"), (V, gym.error.Error), "Nothing"),
    "env_kind": (lambda: trpo(3.5), T, "env: "),
    "env_none": (lambda: trpo(None), T, "env: "),
    "policy_kind": (lambda: trpo(policy=nf.TabularSoftmax(4, 2)), T, "policy: expected a LinearSoftmax"),
    "policy_size": (lambda: trpo(policy=nf.LinearSoftmax(3, 2)), V, "policy: observation_size=3, but env has 4"),
    "policy_actions": (lambda: trpo(policy=nf.LinearSoftmax(4, 3)), V, "policy: n_actions=3, but env has 2"),
    "policy_gaussian": (lambda: trpo(policy=nf.LinearGaussian(4, 1)), V, "policy: n_actions=0, but env has 2"),
    "policy_action_size": (lambda: trpo(PENDULUM, nf.LinearGaussian(3, 2)), V, "policy: action_size=2, but env has 1"),
    "policy_of_model": (lambda: nf.TRPO(nf.problems.frozen_lake(gamma=0.9), SOFTMAX), T, "policy: "),
    "restart_target": (lambda: trpo().learn(1, restart_after=3), V, "restart_after=3: needs a target"),
    "restart_zero": (lambda: trpo().learn(1, target=1.0, restart_after=0), V, "restart_after"),
    "restart_model": (
        lambda: nf.TRPO(nf.problems.frozen_lake(gamma=0.9)).learn(1, target=1.0, restart_after=3),
        V,
        "restart_after=3: .*without a model",
    ),
    "mdp": (lambda: trpo().mdp, AttributeError, "has no mdp"),
    "rollout_both": (lambda: nf.rollout(CART_POLE, SOFTMAX, n_steps=2, n_episodes=2, seed=0), V, "n_steps, n_episodes"),
    "rollout_none": (lambda: nf.rollout(CART_POLE, SOFTMAX, seed=0), V, "n_steps, n_episodes"),
    "rollout_policy": (lambda: nf.rollout(CART_POLE, GAUSSIAN, n_steps=2, seed=0), V, "policy: observation_size=3"),
    "rollout_tabular": (lambda: nf.rollout(CART_POLE, nf.TabularSoftmax(4, 2), n_steps=2, seed=0), T, "policy: "),
    "rollout_env": (lambda: nf.rollout(object(), SOFTMAX, n_steps=2, seed=0), T, "env: "),
    "rollout_envs": (
        lambda: nf.rollout(gym.make_vec("CartPole-v1", num_envs=3), SOFTMAX, n_steps=2, n_envs=2, seed=0),
        V,
        "n_envs=2, but env has 3",
    ),
    "sample_weights": (lambda: sample(state_weights="geometric"), V, "state_weights='geometric'"),
    "sample_baseline": (lambda: sample(baseline=STATES), T, "baseline: expected None or a LinearBaseline of a feature"),
    "sample_table": (lambda: sample(baseline=nf.TabularBaseline(4)), T, "baseline: "),
    "sample_array": (lambda: sample(baseline=np.zeros(4)), T, "baseline: "),
    "sample_map": (lambda: sample(PENDULUM, GAUSSIAN, baseline=MAPPED), V, "observations"),
    "sample_gamma": (lambda: sample(gamma=-0.1), V, "gamma=-0.1"),
    "sample_tau": (lambda: sample(tau=-1.0), V, "tau=-1"),
    "evaluate_policy": (lambda: nf.evaluate_policy(CART_POLE, GAUSSIAN), V, "policy: observation_size=3"),
    "evaluate_count": (lambda: nf.evaluate_policy(CART_POLE, SOFTMAX, 0), V, "n_episodes"),
    "evaluate_seed": (lambda: nf.evaluate_policy(CART_POLE, SOFTMAX, 1, -1), V, "seed"),
    "evaluate_kind": (lambda: nf.evaluate_policy(CART_POLE, SOFTMAX, 1, 0, 1), T, "deterministic: expected a bool"),
    "geometry_tabular": (lambda: nf.policy_gradient(nf.TabularSoftmax(4, 2), sample()), (T, V), "batch|states"),
    "geometry_kind": (lambda: nf.policy_gradient(GAUSSIAN, sample()), (T, V), "actions|observations"),
    "geometry_states": (
        lambda: nf.fisher_matrix(SOFTMAX, nf.Batch([0], [0], [1.0])),
        V,
        "batch.states: .*observations",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_wrong_argument_is_named(name):
    call, error, message = CALLS[name]
    with pytest.raises(error, match=message):
        call()


class Broken(Told):
    """Hands out one bad number after so many steps of all environments together."""

    what, after, steps = "observation", 50, 0

    def step(self, action):
        Broken.steps += 1
        observation, reward, *rest = super().step(action)
        if Broken.steps == self.after:
            observation, reward = (
                (observation * np.nan, reward) if self.what == "observation" else (observation, np.inf)
            )
        return observation, reward, *rest


@pytest.mark.parametrize("what", ["observation", "reward"])
@pytest.mark.parametrize("lengths", [{"n_steps": 10}, {"n_episodes": 6}], ids=["steps", "episodes"])
def test_number_that_is_not_finite_names_environment_and_step_and_changes_nothing(what, lengths, monkeypatch):
    monkeypatch.setattr(Broken, "what", what)
    monkeypatch.setattr(Broken, "steps", 0)
    monkeypatch.setattr(Broken, "after", 10**9)
    agent = nf.TRPO(Broken, n_envs=2, normalize_observations=True, **lengths)
    agent.learn(2)
    before = {name: array.tobytes() for name, array in agent._state.arrays().items()}
    result, policy = agent.result, policy_bits(agent.policy)
    monkeypatch.setattr(Broken, "after", Broken.steps + 5)
    with pytest.raises(ValueError, match=rf"environment [01]: {what} (nan|inf) is not finite at step \d+"):
        agent.learn(1)
    assert {name: array.tobytes() for name, array in agent._state.arrays().items()} == before
    assert (agent.result, policy_bits(agent.policy)) == (result, policy)
    assert np.isin(agent.learn(2).history["status"], ["ok", "zero_gradient"]).all()
    for call in (
        lambda: nf.rollout(Broken, agent.policy, n_steps=9, n_envs=2, seed=0),
        lambda: nf.evaluate_policy(Broken, agent.policy, 9),
    ):
        monkeypatch.setattr(Broken, "after", Broken.steps + 5)
        with pytest.raises(ValueError, match="is not finite at step"):
            call()


@pytest.mark.parametrize("learner", [nf.PolicyGradient, nf.NaturalPolicyGradient, nf.TRPO, nf.PPO])
def test_simulation_that_diverges_is_called_so_and_learning_goes_on(learner):
    """Twice as far with every step: beyond the largest double after a thousand, squared after half as many."""
    wild = nf.envs.LQR(2 * np.eye(2), np.eye(2), np.eye(2), np.eye(2))
    agent = learner(wild, n_steps=700, n_envs=2, normalize_observations=True, scale_rewards=True)
    before = agent.theta.tobytes()
    result = agent.learn(3)
    assert (result.history["status"] == "non_finite").all()
    assert agent.theta.tobytes() == before
    assert result.history["timesteps"][0].tolist() == [1400.0, 2800.0, 4200.0]
    for name in ("kl", "surrogate", "step_size"):
        assert (result.history[name] == 0.0).all()
    for n_steps in (300, 500, 505, 511):  # large, but finite as numbers, or as squares
        agent = learner(wild, n_steps=n_steps, n_envs=2, normalize_observations=True, scale_rewards=True)
        history = agent.learn(6).history
        assert np.isfinite(agent.theta).all()
        assert np.isfinite(agent._state.observation_moments).all()
        assert np.isfinite(agent._state.return_moments).all()
        assert np.isfinite(agent._state.baseline).all()
        assert np.isfinite(history["timesteps"]).all()
    settled = learner(LQR, **CUT)
    assert (settled.learn(2).history["status"] == "ok").all()


def test_samplers_do_not_hide_a_divergence():
    wild = nf.envs.LQR([[3.0]], [[1.0]], [[1.0]], [[1.0]], time_limit=2000)
    policy = nf.LinearGaussian(1, 1)
    with pytest.raises(ValueError, match="finite"):
        nf.sample_batch(wild, policy, n_episodes=1, seed=0)
    assert not np.isfinite(nf.evaluate_policy(wild, policy, 2).mean)
    agent = nf.TRPO(wild, n_episodes=2)
    result = agent.learn(2, keep_best=True)
    assert np.isnan(result.history["evaluation"]).all() or (result.history["evaluation"] == -np.inf).all()
    assert np.array_equal(result.policy.theta, agent.theta[0])
