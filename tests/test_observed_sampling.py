"""Rollouts and sampled batches of environments with observations: shapes, what is kept, and unbiasedness."""

from __future__ import annotations

import numpy as np
import pytest
from observed_problems import CART_POLE, LQR, PENDULUM

import npgfast as nf
from npgfast.reference.loops import sampling as loops

POLICY = nf.LinearSoftmax(4, 2, [0, 0, 0, 0, -1, 1, 0, 0.5, 0, 0])
PLAIN = nf.features.Linear(2, bias=False)
GAIN, LOG_STD = np.array([[0.3, -0.2]]), np.array([-0.3])
GAUSSIAN = nf.LinearGaussian(PLAIN, 1, LQR.to_theta(GAIN, LOG_STD))


def test_rollout_of_steps_has_its_shapes_and_starts_again_after_an_end():
    found = nf.rollout(PENDULUM, nf.LinearGaussian(3, 1), n_steps=90, n_envs=3, seed=1)
    assert found.states.shape == found.next_states.shape == (90, 3, 3)
    assert found.actions.shape == (90, 3, 1)
    assert found.valid.all()
    assert not found.terminated.any()
    assert np.flatnonzero(found.truncated[:, 0]).tolist() == [39, 79]
    assert (found.time[:, 1] == np.arange(90) % 40).all()
    kept = np.isfinite(found.next_states).all(axis=2)
    assert np.flatnonzero(kept[:, 2]).tolist() == [39, 79, 89]
    assert (np.isnan(found.next_states).any(axis=2) == ~kept).all()
    assert not np.isclose(found.next_states[39], found.states[40]).any()  # the restart is not what was reached
    np.testing.assert_allclose(
        found.log_probs.ravel(),
        nf.LinearGaussian(3, 1).log_prob(found.states.reshape(-1, 3), found.actions.reshape(-1, 1)),
        rtol=1e-12,
    )


def test_rollout_of_episodes_is_padded_below_and_regrouped():
    found = nf.rollout(CART_POLE, POLICY, n_episodes=9, seed=1)
    lengths = found.valid.sum(axis=0)
    assert found.actions.shape == found.valid.shape == (lengths.max(), 9)
    assert len(set(lengths)) > 1
    for e, n in enumerate(lengths):
        assert found.valid[:n, e].all()
        ends = found.terminated[:, e] | found.truncated[:, e]
        assert np.flatnonzero(ends).tolist() == [n - 1]
        assert found.truncated[n - 1, e] == (n == 60)
        assert np.isfinite(found.next_states[n - 1, e]).all() == found.truncated[n - 1, e]
        assert (found.time[:n, e] == np.arange(n)).all()
    grouped = nf.rollout(CART_POLE, POLICY, n_episodes=9, n_envs=2, seed=1, n_threads=3)
    for e, n in enumerate(lengths):
        first = int(lengths[e % 2 : e : 2].sum())
        assert np.array_equal(grouped.states[first : first + n, e % 2], found.states[:n, e])


@pytest.mark.parametrize("state_weights", ["uniform", "discounted"])
@pytest.mark.parametrize("lengths", [{"n_steps": 70, "n_envs": 3}, {"n_episodes": 8}], ids=["steps", "episodes"])
def test_batch_is_what_its_rollout_and_the_definitions_say(lengths, state_weights):
    """Advantages are those of the loops in the reference, in the order of environments, then time."""
    baseline = nf.LinearBaseline(nf.features.Linear(4)).fit(np.eye(4), [1.0, 2.0, -1.0, 0.5])
    given = {"seed": 3, **lengths}
    batch = nf.sample_batch(
        CART_POLE, POLICY, gae_lambda=0.9, baseline=baseline, gamma=0.95, state_weights=state_weights, tau=0.1, **given
    )
    found = nf.rollout(CART_POLE, POLICY, **given)
    steps, envs = found.valid.T.nonzero()[1], found.valid.T.nonzero()[0]
    values = np.zeros(found.valid.shape)
    values[steps, envs] = baseline.predict(found.states[steps, envs])
    bootstrap = np.zeros_like(values)
    kept = np.isfinite(found.next_states).all(axis=2) & found.valid
    bootstrap[kept] = baseline.predict(found.next_states[kept])
    assert (found.truncated <= kept).all()
    rewards = found.rewards - 0.1 * found.log_probs
    advantages, _ = loops.gae(rewards, values, found.terminated, found.truncated, 0.95, 0.9, bootstrap)
    np.testing.assert_allclose(batch.advantages, advantages[steps, envs], rtol=1e-11, atol=1e-11)
    assert np.array_equal(batch.states, found.states[steps, envs])
    assert np.array_equal(batch.actions, found.actions[steps, envs])
    weights = 0.95 ** found.time[steps, envs] if state_weights == "discounted" else np.ones(steps.size)
    np.testing.assert_allclose(batch.weights, weights / weights.sum(), rtol=1e-12)
    started = int((found.time == 0)[found.valid].sum())
    assert batch.effective_horizon == pytest.approx(weights.sum() / started, rel=1e-12)


def test_gae_is_its_definition_for_every_mix_of_flags_on_ragged_episodes():
    rng = np.random.default_rng(0)
    for n_steps, n_envs in ((1, 1), (2, 3), (17, 5), (40, 2)):
        for gamma, gae_lambda in ((0.9, 0.8), (1.0, 1.0), (0.95, 0.0), (0.0, 0.5)):
            rewards, values, bootstrap = rng.normal(size=(3, n_steps, n_envs))
            terminated, truncated = rng.random((2, n_steps, n_envs)) < 0.25  # both in one step of sixteen
            given = (rewards, values, terminated, truncated, gamma, gae_lambda, bootstrap)
            advantages, returns = nf.gae(*given[:4], gamma=gamma, gae_lambda=gae_lambda, bootstrap_values=bootstrap)
            np.testing.assert_allclose(advantages, loops.gae_quadratic(*given)[0], rtol=1e-11, atol=1e-12)
            assert np.array_equal(returns, advantages + values)


def z_scores(estimates, exact):
    """Of the means; 0 where nothing is random and the mean is exact."""
    estimates, exact = np.array(estimates).reshape(len(estimates), -1), np.ravel(exact)
    error = estimates.mean(axis=0) - exact
    error[np.abs(error) < 1e-10 * np.maximum(1.0, np.abs(exact))] = 0.0
    return error / np.maximum(np.sqrt(estimates.var(axis=0, ddof=1) / len(estimates)), 1e-12)


def gradient_and_fisher(env, gamma, n_batches, **settings):
    gradients, fishers, lengths = [], [], []
    for seed in range(n_batches):
        batch = nf.sample_batch(env, GAUSSIAN, n_episodes=8, gamma=gamma, seed=seed, **settings)
        gradients.append(nf.policy_gradient(GAUSSIAN, batch))
        fishers.append(batch.effective_horizon * nf.fisher_matrix(GAUSSIAN, batch))
        lengths.append(batch.effective_horizon)
    return np.array(gradients), np.array(fishers), np.array(lengths)


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_gradient_and_fisher_of_whole_episodes_are_unbiased_with_a_horizon(gamma):
    """Against the closed forms of linear-quadratic control; with every default that could bias them set off."""
    gradients, fishers, lengths = gradient_and_fisher(LQR, gamma, 1000, state_weights="discounted")
    exact = LQR.evaluate(GAIN, LOG_STD, gamma)
    np.testing.assert_allclose(lengths, exact.effective_horizon, rtol=1e-12)
    assert np.abs(z_scores(gradients, LQR.gradient(GAIN, LOG_STD, gamma))).max() < 4.5
    assert np.abs(z_scores(fishers, exact.effective_horizon * LQR.fisher(GAIN, LOG_STD, gamma))).max() < 4.5


def test_gradient_is_unbiased_without_a_horizon_under_a_long_time_limit():
    endless = nf.envs.LQR(LQR.A, LQR.B, LQR.Q, LQR.R, LQR.noise, time_limit=120)
    gamma = 0.8  # what lies beyond the limit weighs 1e-12
    gradients, fishers, lengths = gradient_and_fisher(endless, gamma, 500, state_weights="discounted")
    assert np.abs(z_scores(gradients, endless.gradient(GAIN, LOG_STD, gamma))).max() < 4.5
    np.testing.assert_allclose(lengths, 1.0 / (1.0 - gamma), rtol=1e-10)
    assert np.abs(z_scores(fishers, endless.fisher(GAIN, LOG_STD, gamma) / (1.0 - gamma))).max() < 4.5


def test_an_independent_baseline_keeps_the_gradient_unbiased_and_quiet():
    quadratic = nf.features.Polynomial(2, degree=2)
    first = nf.rollout(LQR, GAUSSIAN, n_episodes=200, seed=10**6)
    returns = nf.discounted_returns(first.rewards, first.terminated, first.truncated, gamma=1.0)
    baseline = nf.LinearBaseline(quadratic).fit(first.states.reshape(-1, 2), returns.ravel())
    settings = {"state_weights": "discounted"}
    plain = gradient_and_fisher(LQR, 1.0, 400, **settings)[0]
    with_baseline = gradient_and_fisher(LQR, 1.0, 400, baseline=baseline, **settings)[0]
    exact = LQR.gradient(GAIN, LOG_STD, 1.0)
    assert np.abs(z_scores(with_baseline, exact)).max() < 4.5
    assert (with_baseline.std(axis=0) < 0.8 * plain.std(axis=0)).all()


def test_uniform_weights_are_biased_as_documented():
    gradients = gradient_and_fisher(LQR, 0.7, 600, state_weights="uniform")[0]
    assert np.abs(z_scores(gradients, LQR.gradient(GAIN, LOG_STD, 0.7))).max() > 8.0


@pytest.mark.parametrize("env", [CART_POLE, PENDULUM, LQR, nf.envs.MountainCar(time_limit=9)], ids=repr)
@pytest.mark.parametrize("deterministic", [False, True])
def test_evaluation_is_reproducible_and_one_return_per_episode(env, deterministic):
    features = env.observation_size
    policy = (
        nf.LinearSoftmax(features, env.n_actions) if env.n_actions else nf.LinearGaussian(features, env.action_size)
    )
    first, again = (nf.evaluate_policy(env, policy, 40, 7, deterministic) for _ in range(2))
    assert np.array_equal(first.returns, again.returns)
    assert first.returns.shape == (40,)
    fewer = nf.evaluate_policy(env, policy, 11, 7, deterministic)
    assert np.array_equal(fewer.returns, first.returns[:11])
    assert not np.array_equal(
        first.returns, nf.evaluate_policy(env, policy, 40, 8, deterministic).returns
    ) or isinstance(env, nf.envs.MountainCar)
    assert first.mean == first.returns.mean()


def test_evaluation_of_a_model_and_of_its_environment_agree():
    lqr = nf.envs.LQR([[0.9]], [[0.5]], [[1.0]], [[0.1]], [[0.01]], horizon=10)
    policy = nf.LinearGaussian(nf.features.Linear(1, bias=False), 1, lqr.to_theta([[0.4]], [-0.5]))
    for deterministic, log_std in ((True, None), (False, [-0.5])):
        found = nf.evaluate_policy(lqr, policy, 4000, deterministic=deterministic)
        exact = lqr.evaluate([[0.4]], log_std, 1.0).objective
        assert abs(found.mean - exact) < 4.5 * found.standard_error
