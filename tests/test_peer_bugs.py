"""Bugs that other libraries had, or have, on environments with observations; each test names the report."""

from __future__ import annotations

import itertools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from observed_problems import CART_POLE, CUT, LQR, PENDULUM, policy_bits, told

import npgfast as nf
from npgfast import _core
from npgfast.envs.bridge import make_bridge
from npgfast.reference.loops import sampling as loops
from npgfast.sampling.recording import TERMINATED, TRUNCATED, Player
from npgfast.tasks.bridged import _start_seed

LEARNERS = {
    "pg": lambda env, **settings: nf.PolicyGradient(env, step_size=0.01, **settings),
    "npg": nf.NaturalPolicyGradient,
    "npg cg": lambda env, **settings: nf.NaturalPolicyGradient(env, solver="cg", **settings),
    "trpo": nf.TRPO,
    "ppo": nf.PPO,
}
every_learner = pytest.mark.parametrize("learner", LEARNERS)


class Paid(gym.Env):
    """One number is observed, and every step pays what the class says."""

    observation_space = spaces.Box(-2.0, 2.0, (1,), np.float64)
    action_space = spaces.Discrete(2)
    pays = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.time = 0
        return self.np_random.uniform(-1, 1, 1), {}

    def step(self, action):
        self.time += 1
        return self.np_random.uniform(-1, 1, 1), self.reward(action), False, self.time == 5, {}

    def reward(self, action):  # noqa: ARG002
        return self.pays


class PaidATenth(Paid):
    pays = 0.1


class PaidByWidth(Paid):
    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)

    def reward(self, action):
        return float(abs(action[0]))


def replay(agent, iteration, n_envs):
    """The batch of an iteration with whole episodes, by the definitions, and what else the history says of it."""
    policy = agent.policy
    player = Player(make_bridge(told, n_envs))
    player.start(_start_seed(agent.seed, iteration))
    recorded = player.play(policy, n_episodes=12, seed=agent.seed, iteration=iteration)
    offsets, observations, actions, rewards, log_probs, time, flags, cut, cut_observations = recorded
    baseline = agent._options["observation_baseline"], agent._options["baseline_time_powers"], agent._state.baseline[0]
    values = _core.predict_baseline(*baseline, observations, time)
    bootstrap = np.zeros_like(values)
    bootstrap[cut] = _core.predict_baseline(*baseline, cut_observations, time[cut] + 1)
    terminated, truncated = (flags & TERMINATED) > 0, (flags & TRUNCATED) > 0
    assert terminated.any()
    assert truncated.any()

    def estimate(gae_lambda):
        advantages = np.empty_like(values)
        for first, end in itertools.pairwise(offsets):
            columns = (x[first:end, None] for x in (rewards, values, terminated, truncated))
            advantages[first:end] = loops.gae(*columns, 0.95, gae_lambda, bootstrap[first:end, None])[0][:, 0]
        return advantages

    advantages, unexplained = estimate(0.9), estimate(0.7)
    if agent._settings["center_advantages"]:
        advantages -= advantages.mean()
    batch = nf.Batch(
        observations, actions.astype(int), advantages, log_probs=log_probs, effective_horizon=len(rewards) / 12
    )
    said = {
        "return_mean": rewards.sum() / 12,
        "explained_variance": 1.0 - unexplained.var() / (unexplained + values).var(),
        "effective_horizon": len(rewards) / 12,
        "timesteps": agent._state.timesteps[0] + len(rewards),
        "entropy": policy.entropy(observations).mean(),
    }
    return batch, said


@pytest.mark.parametrize("centers", [False, True])
def test_an_iteration_is_its_definition_truncation_included(centers):
    """SB3#633, #1864, cleanrl#198 (truncation taken for termination), tianshou#869 (termination bootstrapped),
    PufferLib (one flat array over all environments), mjrl (V of the state before the last), spinningup#211 (KL before
    the step).
    """
    settings = {"n_envs": 3, "n_episodes": 12, "gamma": 0.95, "gae_lambda": 0.9, "baseline_lambda": 0.7, "seed": 5}
    first = nf.LinearSoftmax(3, 3, np.linspace(-1, 1, 12))
    agent = nf.PolicyGradient(told, first, step_size=0.3, center_advantages=centers, **settings)
    agent.learn(2)
    old = agent.policy
    batch, said = replay(agent, 2, 3)
    result = agent.learn(1)
    np.testing.assert_allclose(agent.theta[0], old.theta + 0.3 * nf.policy_gradient(old, batch), rtol=1e-9, atol=1e-12)
    for name, value in said.items():
        assert result.final(name)[0] == pytest.approx(value, rel=1e-9), name
    assert result.final("kl")[0] == pytest.approx(nf.kl_divergence(old, result.policy, batch), rel=1e-6)
    assert result.final("kl")[0] > 0.0
    assert result.final("surrogate")[0] == pytest.approx(
        nf.surrogate(result.policy, batch).value - nf.surrogate(old, batch).value, rel=1e-6
    )


@every_learner
def test_a_batch_of_one(learner):
    """SB3#265, #325, #440, #1028: the standard deviation of one number."""
    for env in (CART_POLE, PENDULUM, LQR):
        agent = LEARNERS[learner](env, n_steps=1, n_envs=1, normalize_observations=True, scale_rewards=True)
        result = agent.learn(20)
        assert np.isfinite(agent.theta).all()
        assert np.isfinite(agent._state.observation_moments).all()
        assert not (result.history["status"] == "non_finite").any()


def test_a_last_minibatch_of_one():
    for normalize in (True, "minibatch", False):
        agent = nf.PPO(CART_POLE, n_steps=9, n_envs=1, batch_size=4, normalize_advantages=normalize)
        assert (agent.learn(10).history["status"] == "ok").all()
        assert np.isfinite(agent.theta).all()


@every_learner
def test_zero_gradient_changes_nothing_and_is_called_so(learner):
    """hill-a#496: diagnostics of a step that was not taken."""
    policy = nf.LinearSoftmax(1, 2, [0.5, -0.5, 0.1, 0.0])
    agent = LEARNERS[learner](Paid, policy=policy, n_steps=20, n_envs=2)
    result = agent.learn(3)
    assert (result.history["status"] == "zero_gradient").all()
    assert agent.theta.tobytes() == policy.theta.tobytes()
    for name in ("kl", "surrogate", "step_size"):
        assert (result.history[name] == 0.0).all()
    assert np.isfinite(result.history["entropy"]).all()


@every_learner
def test_constant_advantages(learner):
    """tianshou#1298, hill-a#722, #723: a division by a standard deviation of 0, or of rounding."""
    agent = LEARNERS[learner](PaidATenth, n_steps=20, n_envs=2, baseline=None, gae_lambda=0.0)
    result = agent.learn(5)
    assert np.isfinite(agent.theta).all()
    if learner == "ppo":  # which centres and scales them: to exactly 0
        assert (result.history["status"] == "zero_gradient").all()
        assert not agent.theta.any()


def test_log_std_stays_between_its_bounds_and_is_part_of_the_step():
    """SB3#1593, pat-coady/trpo#21 (it drifts to NaN); openai/baselines#262 (left out of the natural gradient)."""
    agent = nf.TRPO(PaidByWidth, n_steps=20, n_envs=4, max_kl=0.3, seed=4)
    result = agent.learn(60)
    assert agent.theta[0, -1] == 2.0
    assert np.isfinite(agent.theta).all()
    assert np.isfinite(result.history["kl"]).all()
    for learner in LEARNERS.values():
        agent = learner(LQR, n_episodes=20)
        agent.learn(1)
        assert agent.theta[0, -1] != 0.0
    batch = nf.sample_batch(LQR, agent.policy, n_episodes=3, seed=0)
    assert nf.fisher_matrix(agent.policy, batch)[-1, -1] == pytest.approx(2.0, rel=1e-12)


def test_actions_are_stored_as_drawn_and_clipped_for_the_environment_only():
    """SB3#1431, cleanrl#240, tianshou#312."""
    policy = nf.LinearGaussian(3, 1, initial_log_std=1.5)
    found = nf.rollout(PENDULUM, policy, n_steps=200, seed=0)
    actions, observations = found.actions[:, 0], found.states[:, 0]
    assert np.abs(actions).max() > 4.0
    np.testing.assert_allclose(found.log_probs[:, 0], policy.log_prob(observations, actions), rtol=1e-12)
    angles = np.arctan2(observations[:, 1], observations[:, 0])
    states = np.stack([angles, observations[:, 2]], axis=1)
    np.testing.assert_allclose(
        found.rewards[:, 0], PENDULUM.step(states, np.clip(actions, -2, 2))[1], rtol=1e-9, atol=1e-12
    )


def test_failed_line_search_keeps_theta_and_reports_no_divergence():
    """tianshou#1287: parameters and KL of the rejected step were kept and logged."""
    statuses = set()
    for seed in range(10):
        agent = nf.TRPO(CART_POLE, seed=seed, n_episodes=2, max_kl=2.0, max_backtracks=0)
        for _ in range(5):
            before = agent.theta.tobytes()
            result = agent.learn(1)
            status = result.final("status")[0]
            statuses.add(status)
            if status == "line_search_failed":
                assert agent.theta.tobytes() == before
                assert (result.final("kl")[0], result.final("step_size")[0]) == (0.0, 0.0)
            else:
                assert result.final("kl")[0] <= 2.0
    assert "line_search_failed" in statuses


@every_learner
def test_no_curvature(learner):
    """sb3-contrib#38, tensorforce#26, boyu-ai/Hands-on-RL#108: the Fisher matrix of a deterministic policy is 0."""
    policy = nf.LinearSoftmax(4, 2, [0, 0, 0, 0, 0, 0, 0, 0, 1e5, -1e5])
    agent = LEARNERS[learner](CART_POLE, policy=policy)
    result = agent.learn(2)
    assert agent.theta.tobytes() == policy.theta.tobytes()
    assert set(result.history["status"][0]) <= {"zero_gradient", "negative_curvature"}
    assert np.isfinite(result.history["kl"]).all()


def test_environments_of_a_run_have_seeds_of_their_own():
    """cleanrl PR#238: every environment played the same episodes."""
    policy = nf.LinearSoftmax(4, 2)
    for env in (CART_POLE, lambda: gym.make("CartPole-v1")):
        starts = [nf.rollout(env, policy, n_steps=1, n_envs=8, seed=seed).states[0] for seed in range(8)]
        assert len(np.unique(np.concatenate(starts), axis=0)) == 64


def test_total_timesteps_smaller_than_a_batch_train_one_and_overshoot_as_documented():
    """CleanRL trains nothing; SB3#1150: steps beyond what was asked for."""
    for env in (CART_POLE, told):
        agent = nf.TRPO(env, n_steps=30, n_envs=2)
        result = agent.learn(total_timesteps=1)
        assert (result.n_iterations, result.final("timesteps")[0]) == (1, 60.0)
        assert agent.theta.any()
        assert agent.learn(total_timesteps=61).final("timesteps")[0] == 180.0


def test_rewards_are_never_edited():
    """SB3 adds gamma V to the reward of a truncated step; what is reported here is what the environment paid."""
    plain = nf.TRPO(PENDULUM, n_episodes=4).learn(1).final("return_mean")
    scaled = nf.TRPO(PENDULUM, n_episodes=4, scale_rewards=True, tau=0.1, baseline_data="current")
    assert scaled.learn(1).final("return_mean") == plain
    found = nf.rollout(CART_POLE, nf.LinearSoftmax(4, 2), n_steps=500, seed=0)
    assert (found.rewards == 1.0).all()
    standing = nf.TRPO(PENDULUM, n_steps=25, n_envs=1)  # episodes of 40 steps, each over two batches
    returns = standing.learn(4).history["return_mean"][0]
    assert np.isnan(returns).tolist() == [True, False, True, False]


def test_a_normaliser_belongs_to_the_policy_and_not_to_the_run(tmp_path):
    """rl-baselines3-zoo#278: one VecNormalize for all checkpoints of a run."""
    agent = nf.TRPO(CART_POLE, normalize_observations=True, **CUT)
    agent.learn(2)
    early = agent.policy
    before = nf.evaluate_policy(CART_POLE, early, 20).returns
    early.save(tmp_path / "early")
    agent.learn(20)
    assert not np.array_equal(agent.policy.normalizer.mean, early.normalizer.mean)
    loaded = nf.load_policy(tmp_path / "early")
    assert policy_bits(loaded) == policy_bits(early)
    assert np.array_equal(nf.evaluate_policy(CART_POLE, loaded, 20).returns, before)
    goes_on = nf.TRPO(CART_POLE, loaded, normalize_observations=True, **CUT)
    goes_on.learn(1)
    assert goes_on.policy.normalizer.count == early.normalizer.count + 75


def test_resumed_runs_do_not_replay(tmp_path):
    """SB3#326, #1526, #1643: loading seeded the generators again (simulated; behind a bridge see its own tests)."""
    agent = nf.TRPO(CART_POLE, n_episodes=4)
    first = agent.learn(1).final("timesteps")[0]
    agent.save(tmp_path / "a")
    again = nf.TRPO.load(tmp_path / "a", env=CART_POLE)
    assert np.array_equal(again.learn(1).policy.theta, agent.learn(1).policy.theta)
    assert again.result.final("timesteps")[0] != 2 * first
