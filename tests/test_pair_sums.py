"""The sums that training takes of a rollout equal those over the listed steps of the same rollout."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_sampling import problem, softmax

import npgfast as nf
from npgfast import _core

PROBLEMS = {
    "ending": {"gamma": 0.9},
    "endless": {"gamma": 0.8, "ending": False},
    "truncated_soon": {"gamma": 0.05, "ending": False},
    "horizon": {"gamma": 0.9, "horizon": 6},
    "horizon_endless": {"gamma": 1.0, "horizon": 4, "ending": False},
}


def both(mdp: nf.TabularMDP, n_envs: int, n_steps: int, weights: int, *, lam=0.9, baseline=None, tau=0.0, n_threads=1):
    policy = softmax(mdp)
    log_probs, probs = policy._table
    arguments = (mdp._native, probs, log_probs, n_envs, n_steps, weights, lam, baseline, tau, 11)
    return _core.sample(*arguments, n_threads), _core.sample_sums(*arguments, n_threads)


@pytest.mark.parametrize("setting", PROBLEMS.values(), ids=PROBLEMS.keys())
@pytest.mark.parametrize("weights", [0, 1, 2])
@pytest.mark.parametrize(("n_envs", "n_steps"), [(1, 700), (7, 33), (40, 64), (100, 3), (3, 0), (300, 0)])
@pytest.mark.parametrize("has_baseline", [False, True])
def test_sums_equal_those_over_the_listed_steps(setting, weights, n_envs, n_steps, has_baseline):
    mdp = problem(**setting)
    cells = mdp.n_states * (mdp.horizon or 1)
    baseline = np.random.default_rng(3).normal(size=cells) if has_baseline else None
    tau = 0.3 if has_baseline else 0.0
    listed, (state_weights, pair_weights, advantages, fitted, horizon, return_mean) = both(
        mdp, n_envs, n_steps, weights, baseline=baseline, tau=tau
    )
    states, actions, w, a, returns, time, expected_horizon, expected_mean = listed
    pair = states.astype(np.int64) * 3 + actions
    assert_allclose(pair_weights.ravel(), np.bincount(pair, w, mdp.n_states * 3), rtol=1e-11, atol=1e-15)
    assert_allclose(state_weights, pair_weights.sum(axis=1), rtol=1e-12)
    assert_allclose(advantages.ravel(), np.bincount(pair, w * a, mdp.n_states * 3), rtol=1e-9, atol=1e-12)
    assert_allclose(horizon, expected_horizon, rtol=1e-12)
    assert_allclose(return_mean, expected_mean, rtol=1e-11)
    cell = states + (time * mdp.n_states if mdp.horizon else 0)
    visits = np.bincount(cell, minlength=cells)
    means = np.bincount(cell, returns, cells) / np.maximum(visits, 1)
    start = np.zeros(cells) if baseline is None else baseline
    assert_allclose(fitted, np.where(visits > 0, means, start), rtol=1e-9, atol=1e-11)


def test_sums_have_the_same_bits_for_any_number_of_threads():
    mdp = problem()
    for n_envs, n_steps in ((400, 500), (4000, 0)):
        results = [both(mdp, n_envs, n_steps, 0, n_threads=n) for n in (1, 2, 3)]
        for listed, sums in results[1:]:
            for mine, other in ((listed, results[0][0]), (sums, results[0][1])):
                for x, y in zip(mine, other, strict=True):
                    assert_array_equal(x, y)


def test_training_uses_the_sums_of_its_rollout():
    mdp = problem()
    policy = softmax(mdp)
    for lengths, n_envs, n_steps in (({"n_episodes": 50}, 50, 0), ({"n_steps": 20, "n_envs": 9}, 9, 20)):
        agent = nf.PolicyGradient(mdp, policy, mode="sampled", step_size=0.1, seed=11, gae_lambda=1.0, **lengths)
        moved = (agent.learn(1).policy.theta - policy.theta) / 0.1
        log_probs, probs = policy._table
        states, actions, w, a, _, _, horizon, _ = _core.sample(
            mdp._native, probs, log_probs, n_envs, n_steps, 0, 1.0, None, 0.0, 11, 1
        )
        batch = nf.Batch(states, actions, a, weights=w, effective_horizon=horizon)
        assert_allclose(moved, nf.policy_gradient(policy, batch), rtol=1e-9, atol=1e-12)
