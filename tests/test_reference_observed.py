"""The oracle's linear policies on observations: expectations against closed forms, derivatives, least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_problems import agree, central_difference

from npgfast.reference import vectorized

pytestmark = pytest.mark.isa_independent

SIZES = pytest.mark.parametrize(("n", "m", "k"), [(1, 1, 1), (1, 2, 3), (4, 3, 1), (9, 2, 2), (5, 3, 3)])
KINDS = pytest.mark.parametrize("gaussian", [False, True], ids=["softmax", "gaussian"])


def problem(n: int, m: int, k: int, gaussian: bool):
    """Rows of features, actions, weights and advantages; W, and log_std or None."""
    rng = np.random.default_rng([n, m, k])
    actions = rng.normal(size=(n, k)) if gaussian else rng.integers(k, size=n)
    pairs = (rng.normal(size=(n, m)), actions, rng.dirichlet(np.ones(n)), rng.normal(size=n), 1.7)
    return pairs, (rng.normal(size=(m, k)), rng.uniform(-0.5, 0.5, k) if gaussian else None)


def split(theta: np.ndarray, output):
    W, log_std = output
    return theta[: W.size].reshape(W.shape), None if log_std is None else theta[W.size :]


def flat(output) -> np.ndarray:
    return np.concatenate([output[0].ravel(), [] if output[1] is None else output[1]])


@KINDS
@SIZES
def test_the_two_agree(n, m, k, gaussian):
    pairs, output = problem(n, m, k, gaussian)
    phi, actions, weights, _, _ = pairs
    agree("observed_entropies", phi, *output)
    for estimator in ("analytic", "empirical"):
        agree("observed_fisher_matrix", phi, actions, weights, *output, estimator)
        agree("observed_natural_gradient_pinv", *pairs, *output, estimator, 0.1)
    agree("observed_natural_gradient_pinv", *pairs, *output, rtol=1e-6, atol=1e-8)
    if gaussian:
        closed = agree("observed_natural_gradient_closed_form", *pairs, *output, rtol=1e-6, atol=1e-8)
        assert_allclose(closed, vectorized.observed_natural_gradient_pinv(*pairs, *output), rtol=1e-6, atol=1e-8)


@KINDS
@SIZES
def test_derivatives(n, m, k, gaussian):
    pairs, output = problem(n, m, k, gaussian)
    phi, actions, weights, advantages, length = pairs
    theta = flat(output)
    old = agree("observed_log_probs", phi, actions, *output) + 0.1
    scores = agree("observed_scores", phi, actions, *output)
    for i in range(n):
        numeric = central_difference(
            lambda t, i=i: vectorized.observed_log_probs(phi[i : i + 1], actions[i : i + 1], *split(t, output))[0],
            theta,
        )
        assert_allclose(scores[i], numeric, rtol=1e-7, atol=1e-8)
    gradient = agree("observed_policy_gradient", *pairs, *output)
    assert_allclose(gradient, length * (weights * advantages) @ scores, rtol=1e-12, atol=1e-14)
    for eps in (math.inf, 0.2):

        def value(t, eps=eps):
            new = vectorized.observed_log_probs(phi, actions, *split(t, output))
            common = (new, old, weights, advantages, length)
            return vectorized.surrogate(*common) if eps == math.inf else vectorized.clipped_surrogate(*common, eps)[0]

        got = agree("observed_surrogate_gradient", *pairs, old, eps, *output)
        assert_allclose(got, central_difference(value, theta), rtol=1e-6, atol=1e-8)


@KINDS
@SIZES
def test_the_fisher_matrix_is_the_hessian_of_the_divergence(n, m, k, gaussian):
    (phi, actions, weights, _, _), output = problem(n, m, k, gaussian)
    theta = flat(output)
    direction = np.random.default_rng(0).normal(size=theta.size)

    def kl(t):
        W, log_std = split(theta + t * direction, output)
        return agree("observed_kl", phi, phi, weights, output[0], W, output[1], log_std)

    fisher = vectorized.observed_fisher_matrix(phi, actions, weights, *output)
    assert_allclose((kl(1e-3) + kl(-1e-3)) / 1e-6, direction @ fisher @ direction, rtol=1e-3, atol=1e-8)
    agree("observed_kl", phi, 2 * phi - 1, weights, output[0], output[0], output[1], output[1])


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize(("n", "dim"), [(1, 1), (7, 2), (30, 3)])
def test_the_baseline_is_the_minimum_of_its_loss(n, dim, quadratic):
    rng = np.random.default_rng([n, dim])
    observations, time, targets = rng.normal(size=(n, dim)), rng.integers(0, 5, size=n), rng.normal(size=n)
    fit = agree("fit_observation_baseline", observations, time, targets, quadratic, rtol=1e-7, atol=1e-8)
    agree("predict_observation_baseline", 20 * observations, 3 * time, *fit)

    def loss(b):
        errors = vectorized.predict_observation_baseline(observations, time, *fit[:3], b) - targets
        return np.mean(errors**2) + 1e-5 * b @ b

    assert_allclose(central_difference(loss, fit[3]), 0, atol=1e-8)
