"""The oracle's gradients and geometry: derivatives by differences, products by matrices, views that agree."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference_problems import ALL, BOTH, agree, batch_of, central_difference, full, pairs_of, same

from npgfast.reference import vectorized

pytestmark = pytest.mark.isa_independent


@ALL
@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_policy_gradient_by_central_differences(problem, tau):
    probs = vectorized.softmax(problem.theta, problem.mask)
    gradient = agree("policy_gradient", probs, *full(batch_of(problem, probs, tau)))
    assert_allclose(gradient, central_difference(lambda x: problem.objective(x, None, tau), problem.theta), atol=1e-6)
    theta = np.random.default_rng(6).normal(size=problem.features.shape[2])
    probs = vectorized.policy_probs(theta, problem.features, problem.mask)
    gradient = agree("policy_gradient", probs, *full(batch_of(problem, probs, tau)), problem.features)
    expected = central_difference(lambda x: problem.objective(x, problem.features, tau), theta)
    assert_allclose(gradient, expected, atol=1e-6)


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_fisher_is_hessian_of_kl(problem, linear):
    features = problem.features if linear else None
    theta = np.random.default_rng(7).normal(size=problem.features.shape[2]) if linear else problem.theta
    probs = vectorized.policy_probs(theta, features, problem.mask)
    batch = batch_of(problem, probs)
    pairs = pairs_of(batch)
    fisher = agree("fisher_matrix", probs, *pairs, features)
    assert_allclose(agree("fisher_matrix", probs, *pairs, features, "empirical"), fisher, atol=1e-12)
    assert_allclose(fisher, fisher.T, atol=1e-15)
    assert np.linalg.eigvalsh(fisher).min() >= -1e-14

    def kl(shift):
        moved = vectorized.policy_probs(theta + shift.reshape(theta.shape), features, problem.mask)
        return vectorized.kl_divergence(probs, moved, batch["states"], batch["weights"])

    vector = np.random.default_rng(8).normal(size=theta.size)
    unit, h = np.eye(theta.size), 1e-3
    hessian_product = [
        sum(a * b * kl(h * (a * unit[k] + b * vector)) for a in (-1, 1) for b in (-1, 1)) / (4 * h * h)
        for k in range(theta.size)
    ]
    product = agree("fisher_vector_product", probs, *pairs, vector, 0.0, features)
    assert_allclose(product, hessian_product, atol=2e-5)
    assert_allclose(product, fisher @ vector, atol=1e-12)
    agree("kl_divergence", probs, vectorized.policy_probs(theta + 0.1, features, problem.mask), *pairs[::2])


@ALL
@pytest.mark.parametrize("estimator", ["analytic", "empirical"])
def test_fisher_products_on_sampled_batches(problem, estimator):
    rng = np.random.default_rng(9)
    probs = vectorized.softmax(problem.theta, problem.mask)
    states = rng.integers(len(probs), size=13)
    actions = np.array([rng.choice(probs.shape[1], p=probs[s]) for s in states])
    weights = rng.dirichlet(np.ones(13))
    for features in (None, problem.features):
        fisher = agree("fisher_matrix", probs, states, actions, weights, features, estimator)
        vector = rng.normal(size=len(fisher))
        for damping in (0.0, 0.1):
            product = agree(
                "fisher_vector_product", probs, states, actions, weights, vector, damping, features, estimator
            )
            assert_allclose(product, fisher @ vector + damping * np.trace(fisher) / len(fisher) * vector, atol=1e-12)


def test_conjugate_gradient_solves_and_counts():
    rng = np.random.default_rng(10)
    for size in (1, 3, 9):
        root = rng.normal(size=(size, size))
        matrix, b = root @ root.T + np.eye(size), rng.normal(size=size)
        x, residual_norm, iterations = agree("conjugate_gradient", matrix, b, 10 * size, 1e-12)
        assert_allclose(x, np.linalg.solve(matrix, b), rtol=1e-9, atol=1e-11)
        assert residual_norm <= 1e-11 * np.linalg.norm(b)
        assert iterations <= 2 * size
        same(vectorized.conjugate_gradient(lambda v, m=matrix: m @ v, b, 10 * size, 1e-12)[0], x)
        assert agree("conjugate_gradient", matrix, b, 0, 1e-12)[2] == 0


@BOTH
def test_conjugate_gradient_zero_and_indefinite(reference):
    assert_array_equal(reference.conjugate_gradient(np.eye(2), np.zeros(2), 5, 1e-10)[0], 0.0)
    x, residual_norm, iterations = reference.conjugate_gradient(-np.eye(2), np.ones(2), 5, 1e-10)
    assert_array_equal(x, 0.0)
    assert iterations == 0
    assert_allclose(residual_norm, np.sqrt(2))


@ALL
def test_natural_gradient_views_agree(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    batch = batch_of(problem, probs)
    result = vectorized.evaluate(*problem.arrays, probs)
    tight = {"rtol": 1e-7, "atol": 1e-8}
    direction = agree("natural_gradient_pinv", probs, *full(batch), **tight)
    advantages = result["advantages"]
    if problem.arrays[5] is None:
        regression = agree("natural_gradient_regression", probs, *full(batch), **tight)
        assert_allclose(regression, direction, **tight)
    else:
        advantages = agree("marginal_advantages", advantages, result["occupancy"])
        assert_allclose(vectorized.natural_gradient_regression(probs, *full(batch)), direction, **tight)
    reachable = np.ones(len(probs), dtype=bool)
    args = (advantages, probs, batch["effective_horizon"], reachable, problem.mask)
    assert_allclose(agree("natural_gradient_closed_form", *args), direction, **tight)
    gradient = vectorized.policy_gradient(probs, *full(batch))

    def product(vector):
        return vectorized.fisher_vector_product(probs, *pairs_of(batch), vector)

    assert_allclose(vectorized.conjugate_gradient(product, gradient, 200, 1e-13)[0], direction, **tight)
    linear = agree("natural_gradient_pinv", probs, *full(batch), problem.features, **tight)
    assert_allclose(
        agree("natural_gradient_regression", probs, *full(batch), problem.features, **tight), linear, **tight
    )
    damped = agree("natural_gradient_pinv", probs, *full(batch), None, "analytic", 0.1, **tight)
    assert_allclose(vectorized.fisher_vector_product(probs, *pairs_of(batch), damped, 0.1), gradient, atol=1e-10)


def test_closed_form_moves_rare_states_and_not_unreachable_ones():
    advantages = np.array([[1.0, -1.0], [2.0, 0.0], [5.0, 5.0]])
    probs = np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    direction = agree("natural_gradient_closed_form", advantages, probs, 10.0, np.array([True, False, True]))
    assert_array_equal(direction, [10.0, -10.0, 0.0, 0.0, 0.0, 0.0])


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_surrogate_gradients_by_central_differences(problem, linear):
    features = problem.features if linear else None
    rng = np.random.default_rng(12)
    old_theta = rng.normal(size=problem.features.shape[2]) if linear else problem.theta
    theta = old_theta + 0.3 * rng.normal(size=old_theta.shape)
    old, new = (vectorized.policy_probs(x, features, problem.mask) for x in (old_theta, theta))
    batch = batch_of(problem, old)
    states, actions, weights, advantages, length = full(batch)
    old_log_probs = batch["log_probs"]

    def logs(x):
        return vectorized.policy_log_probs(x, features, problem.mask)[states, actions]

    scalars = (weights, advantages, length)
    value = agree("surrogate", logs(theta), old_log_probs, *scalars)
    same(
        agree("surrogate_improvement", logs(theta), old_log_probs, *scalars),
        value - vectorized.surrogate(logs(old_theta), old_log_probs, *scalars),
    )
    gradient = agree("surrogate_gradient", new, old_log_probs, states, actions, *scalars, features)
    expected = central_difference(lambda x: vectorized.surrogate(logs(x), old_log_probs, *scalars), theta)
    assert_allclose(gradient, expected, atol=1e-6)
    clipped, fraction, approx_kl = agree("clipped_surrogate", logs(theta), old_log_probs, *scalars, 0.2)
    assert clipped <= value + 1e-12
    assert 0 <= fraction <= 1
    assert approx_kl >= -1e-15
    gradient = agree("clipped_surrogate_gradient", new, old_log_probs, states, actions, *scalars, 0.2, features)
    expected = central_difference(
        lambda x: vectorized.clipped_surrogate(logs(x), old_log_probs, *scalars, 0.2)[0], theta, 1e-6
    )
    assert_allclose(gradient, expected, atol=1e-6)
    at_old = vectorized.policy_gradient(old, *full(batch), features)
    assert_allclose(
        vectorized.surrogate_gradient(old, old_log_probs, states, actions, *scalars, features), at_old, atol=1e-11
    )
    same(vectorized.clipped_surrogate_gradient(old, old_log_probs, states, actions, *scalars, 0.2, features), at_old)


def test_clipping_rule_by_sample():
    ratios, advantages = np.array([1.3, 1.3, 0.7, 0.7, 1.0]), np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    weights, zeros = np.full(5, 0.2), np.zeros(5)
    value, fraction, approx_kl = agree("clipped_surrogate", np.log(ratios), zeros, weights, advantages, 2.0, 0.2)
    assert_allclose(value, 2.0 * 0.2 * (1.2 - 1.3 + 0.7 - 0.8 + 1.0))
    assert_allclose(fraction, 0.4)
    assert_allclose(approx_kl, 0.2 * (ratios - 1 - np.log(ratios)).sum())


@BOTH
def test_kl_is_infinite_when_support_is_lost(reference):
    states, weights = np.array([0, 1]), np.array([0.5, 0.5])
    old, new = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    assert reference.kl_divergence(old, new, states, weights) == np.inf
    assert_allclose(reference.kl_divergence(old, new, states, np.array([0.0, 1.0])), np.log(2))
