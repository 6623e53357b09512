"""The random problems on which the theorems are asserted, and what they cover."""

import functools

import numpy as np
import pytest

from npgfast import LogLinear, TabularMDP, TabularSoftmax, problems

N_PROBLEMS = 52
GAMMAS = (0.5, 0.9, 0.95, 0.99)


@functools.cache
def random_problem(k):
    """Problem k of the paper's kind: rewards in [0, 1], no horizon, every other one with termination."""
    rng = np.random.default_rng([1, k])
    n_states, n_actions = int(rng.integers(2, 13)), int(rng.integers(2, 7))
    if k % 17 == 5:
        n_states, n_actions = 200, 2 + k % 5
    settings = {"gamma": GAMMAS[k % 4], "seed": k, "termination": 0.1 if k // 4 % 2 else 0.0}
    if k % 3:
        return problems.garnet(n_states, n_actions, min(3, n_states), **settings)
    return problems.random_dense(n_states, n_actions, **settings)


@functools.cache
def awkward_problem(k, horizon=None):
    """Masks, a half of the states unreachable, termination here and there, rewards of both signs."""
    rng = np.random.default_rng([2, k])
    n_states, n_actions = int(rng.integers(2, 11)), int(rng.integers(2, 7))
    if k % 25 == 7:
        n_states, n_actions = 200, 6
    half = (n_states + 1) // 2
    ends = np.where(rng.random((n_states, n_actions)) < 0.3, rng.random((n_states, n_actions)), 0.0) * (k % 2)
    kernel = rng.standard_exponential((n_states, n_actions, n_states))
    kernel[:half, :, half:] = 0.0
    kernel *= ((1.0 - ends) / kernel.sum(axis=2))[:, :, None]
    mask = rng.random((n_states, n_actions)) < 0.7
    mask[np.arange(n_states), rng.integers(0, n_actions, n_states)] = True
    start = np.zeros(n_states)
    start[:half] = rng.dirichlet(np.ones(half))
    return TabularMDP(
        kernel,
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=start,
        termination=ends,
        action_mask=mask,
        gamma=GAMMAS[k % 4],
        horizon=horizon,
    )


def both_kinds(k):
    """Problem k of the paper's kind, and every other time an awkward one."""
    return [random_problem(k)] + [awkward_problem(k)] * (k % 2)


def random_policy(mdp, k, scale=1.0):
    rng = np.random.default_rng([3, k])
    theta = scale * rng.standard_normal(mdp.action_mask.shape)
    return TabularSoftmax(mdp.n_states, mdp.n_actions, theta, action_mask=mdp.action_mask)


def random_log_linear(mdp, k, *, deficient=False, scale=0.3):
    """Log-linear policy with 2 to 7 parameters; `deficient` features span fewer dimensions."""
    rng = np.random.default_rng([4, k])
    n_params = int(rng.integers(2, 8))
    rank = int(rng.integers(1, n_params)) if deficient else n_params
    features = rng.standard_normal((*mdp.action_mask.shape, rank)) @ rng.standard_normal((rank, n_params))
    theta = scale * rng.standard_normal(n_params)
    return LogLinear(features / np.sqrt(rank), theta, action_mask=mdp.action_mask)


@pytest.mark.isa_independent
def test_problems_cover_what_the_theorems_are_about():
    plain = [random_problem(k) for k in range(N_PROBLEMS)]
    assert {mdp.gamma for mdp in plain} == set(GAMMAS)
    assert max(mdp.n_states for mdp in plain) == 200
    assert {mdp.n_actions for mdp in plain} == {2, 3, 4, 5, 6}
    assert 20 < sum(bool(mdp.termination.any()) for mdp in plain) < 32
    assert all(0.0 <= mdp.rewards.min() <= mdp.rewards.max() <= 1.0 for mdp in plain)
    awkward = [awkward_problem(k) for k in range(N_PROBLEMS)]
    assert sum(not mdp.reachable.all() for mdp in awkward) > 45
    assert sum(not mdp.action_mask.all() for mdp in awkward) > 45
    assert sum(bool(mdp.termination.any()) for mdp in awkward) > 20
