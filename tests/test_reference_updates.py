"""The oracle's updates: closed forms, promises kept, failures that change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference_problems import ALL, CASES, agree, batch_of, central_difference, full, make_problem, pairs_of

from npgfast.reference import loops, vectorized

pytestmark = pytest.mark.isa_independent


@ALL
def test_npg_and_soft_policy_iteration_give_the_same_policy(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = vectorized.evaluate(*problem.arrays, probs)
    advantages = result["advantages"]
    if problem.arrays[5] is not None:
        advantages = vectorized.marginal_advantages(advantages, result["occupancy"])
    length = result["effective_horizon"]
    reachable = np.ones(len(probs), dtype=bool)
    npg = agree("npg_update", problem.theta, advantages, length, 0.3, reachable, problem.mask)
    soft = agree("soft_policy_iteration_update", problem.theta, advantages, length, 0.3, problem.mask)
    weights = probs * np.exp(0.3 * length * advantages)
    expected = weights / weights.sum(axis=1, keepdims=True)
    assert_allclose(vectorized.softmax(npg, problem.mask), expected, atol=1e-12)
    assert_allclose(vectorized.softmax(soft, problem.mask), expected, atol=1e-12)


def test_entropy_npg_is_the_multiplicative_update():
    problem, tau = CASES["masked"], 0.3
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = vectorized.evaluate(*problem.arrays, probs, tau)
    reachable = np.ones(len(probs), dtype=bool)
    for step in (0.1, 100.0):
        total = min(step * result["effective_horizon"], 1 / tau)
        args = (problem.theta, result["advantages"], result["effective_horizon"], step, tau, reachable, problem.mask)
        new = vectorized.softmax(agree("entropy_npg_update", *args), problem.mask)
        weights = probs ** (1 - total * tau) * np.exp(total * (result["action_values"] - result["values"][:, None]))
        weights *= problem.mask
        assert_allclose(new, weights / weights.sum(axis=1, keepdims=True), atol=1e-12)


def test_pg_update_steps():
    theta, gradient = np.zeros((2, 2)), np.array([3.0, 0.0, 0.0, 4.0])
    assert_allclose(agree("pg_update", theta, gradient, 0.1), [[0.3, 0.0], [0.0, 0.4]])
    assert_allclose(agree("pg_update", theta, gradient, radius=0.1), [[0.06, 0.0], [0.0, 0.08]])
    assert_array_equal(agree("pg_update", theta, np.zeros(4), radius=0.1), theta)
    for reference in (loops, vectorized):
        with pytest.raises(ValueError, match="exactly one"):
            reference.pg_update(theta, gradient)


@ALL
@pytest.mark.parametrize("method", ["pinv", "cg"])
@pytest.mark.parametrize("linear", [False, True])
def test_trpo_update_keeps_its_promises(problem, method, linear):
    features = problem.features if linear else None
    theta = np.random.default_rng(13).normal(size=problem.features.shape[2]) if linear else problem.theta
    probs = vectorized.policy_probs(theta, features, problem.mask)
    batch = batch_of(problem, probs)
    options = {"method": method, "features": features, "mask": problem.mask}
    new_theta, info = agree("trpo_update", theta, *full(batch), 0.01, **options, rtol=1e-5, atol=1e-7)
    if (probs.max(axis=1) == 1.0).all():
        assert info["status"] == "zero_gradient"
        assert_array_equal(new_theta, theta)
        return
    assert info["status"] == "ok"
    new = vectorized.policy_probs(new_theta, features, problem.mask)
    assert vectorized.kl_divergence(probs, new, batch["states"], batch["weights"]) <= 0.01
    assert info["improvement"] > 0
    _, tiny = vectorized.trpo_update(theta, *full(batch), 1e-8, **options)
    fisher = vectorized.fisher_matrix(probs, *pairs_of(batch), features)
    step = tiny["step_size"] * tiny["direction"]
    assert_allclose(tiny["kl"], 0.5 * step @ fisher @ step, rtol=1e-2)
    assert_allclose(0.5 * step @ fisher @ step, 1e-8 * 0.8 ** (2 * tiny["backtracks"]), rtol=1e-6)


def test_trpo_failed_line_search_leaves_theta():
    problem = CASES["discounted"]
    batch = batch_of(problem, vectorized.softmax(problem.theta))
    new_theta, info = agree("trpo_update", problem.theta, *full(batch), 0.01, max_backtracks=0)
    assert info["status"] == "line_search_failed"
    assert info["kl"] == 0.0
    assert_array_equal(new_theta, problem.theta)


@ALL
def test_entropy_gradient_by_central_differences(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    states, _, weights = pairs_of(batch_of(problem, probs))

    def entropy(theta):
        p = vectorized.softmax(theta, problem.mask)
        return float(weights @ -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)[states])

    assert_allclose(
        agree("entropy_gradient", probs, states, weights), central_difference(entropy, problem.theta), atol=1e-8
    )
    agree("entropy_gradient", probs, states, weights, problem.features)


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_ppo_update_agrees(problem, linear):
    features = problem.features if linear else None
    theta = np.zeros(problem.features.shape[2]) if linear else problem.theta
    batch = batch_of(problem, vectorized.policy_probs(theta, features, problem.mask))
    args = (*full(batch)[:4], batch["log_probs"])
    options = {"learning_rate": 0.05, "entropy_coef": 0.01, "max_grad_norm": 0.5, "features": features}
    new_theta, info = agree("ppo_update", theta, *args, n_epochs=6, mask=problem.mask, **options, rtol=1e-7, atol=1e-8)
    half, state = vectorized.ppo_update(theta, *args, n_epochs=3, mask=problem.mask, **options)
    resumed, _ = vectorized.ppo_update(
        half, *args, n_epochs=3, mask=problem.mask, adam_state=state["adam_state"], **options
    )
    assert_array_equal(resumed, new_theta)
    assert info["value"] >= -1e-12


def test_ppo_first_adam_step_is_the_sign_of_the_gradient():
    problem = CASES["discounted"]
    batch = batch_of(problem, vectorized.softmax(problem.theta))
    args = (*full(batch)[:4], batch["log_probs"])
    moved, _ = vectorized.ppo_update(problem.theta, *args, n_epochs=1, learning_rate=0.01, adam_eps=0.0)
    gradient = vectorized.policy_gradient(vectorized.softmax(problem.theta), *full(batch))
    assert_allclose((moved - problem.theta).ravel(), 0.01 * np.sign(gradient), rtol=1e-10)


def test_normalize_advantages():
    rng = np.random.default_rng(14)
    advantages, weights = rng.normal(size=20) * 5 + 3, rng.dirichlet(np.ones(20))
    normalized = agree("normalize_advantages", advantages, weights)
    assert_allclose([weights @ normalized, weights @ normalized**2], [0.0, 1.0], atol=1e-12)
    for constant in (np.full(20, 0.1), np.full(20, 1e8 + 1e-9), np.zeros(20), np.full(1, 3.0)):
        equal = np.full(len(constant), 1 / len(constant))
        assert_array_equal(agree("normalize_advantages", constant, equal), 0.0)


def test_cpi_update_and_its_bound():
    problem = make_problem(15, 5, 3, gamma=0.8)
    probs = vectorized.softmax(problem.theta)
    old = vectorized.evaluate(*problem.arrays, probs)
    greedy = agree("cpi_update", probs, old["advantages"], 1.0)
    assert_array_equal(greedy.sum(axis=1), 1.0)
    gain = np.abs((greedy * old["advantages"]).sum(axis=1)).max()
    for alpha in (0.01, 0.1, 0.5):
        new = agree("cpi_update", probs, old["advantages"], alpha)
        surrogate = old["effective_horizon"] * (old["occupancy"][:, None] * new * old["advantages"]).sum()
        bound = old["objective"] + surrogate - 2 * gain * 0.8 * alpha**2 / (0.2 * (1 - 0.8 * (1 - alpha)))
        assert vectorized.evaluate(*problem.arrays, new)["objective"] >= bound - 1e-12
