"""Geometry of linear policies: parity with the reference, derivatives, every solver, degenerate batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from linear_problems import ALL, KINDS, derivative, make_batch, make_policy, outputs_of, rows_of
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import features
from npgfast.reference import loops, vectorized

ESTIMATORS = pytest.mark.parametrize("estimator", ["analytic", "empirical"])
DAMPINGS = pytest.mark.parametrize("damping", [0.0, 1e-3, 1.0])


def close(left, right, rtol=1e-10) -> None:
    assert_allclose(left, right, rtol=rtol, atol=rtol * max(1e-3, np.abs(right).max(initial=0)))


def arguments(reference, policy, batch) -> tuple:
    rows = rows_of(reference, policy, batch.states)
    return rows, batch.actions, batch.weights, batch.advantages, batch.effective_horizon


@ALL
def test_policy_gradient_matches_reference(kind, n, dim, k):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    for reference in (loops, vectorized):
        expected = reference.observed_policy_gradient(*arguments(reference, policy, batch), *outputs_of(policy))
        close(nf.policy_gradient(policy, batch), expected)


@ALL
@pytest.mark.parametrize("clip_range", [None, 0.2])
def test_surrogates_match_reference_and_their_derivatives(kind, n, dim, k, clip_range):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    eps = math.inf if clip_range is None else clip_range

    def value(theta):
        new = policy.with_theta(theta)
        return (nf.surrogate(new, batch) if clip_range is None else nf.clipped_surrogate(new, batch)).value

    got = nf.surrogate(policy, batch) if clip_range is None else nf.clipped_surrogate(policy, batch)
    log_probs = policy.log_prob(batch.states, batch.actions)
    for reference in (loops, vectorized):
        args = arguments(reference, policy, batch)
        close(got.gradient, reference.observed_surrogate_gradient(*args, batch.log_probs, eps, *outputs_of(policy)))
        common = (log_probs, batch.log_probs, batch.weights, batch.advantages, batch.effective_horizon)
        if clip_range is None:
            close(got.value, reference.surrogate(*common))
        else:
            close([got.value, got.clip_fraction, got.approx_kl], reference.clipped_surrogate(*common, eps))
    assert_allclose(derivative(value, policy.theta), got.gradient, rtol=1e-6, atol=1e-6)
    if clip_range is None:
        here = nf.Batch(
            batch.states,
            batch.actions,
            batch.advantages,
            log_probs=log_probs,
            effective_horizon=batch.effective_horizon,
        )
        close(nf.surrogate(policy, here).gradient, nf.policy_gradient(policy, here))


@ESTIMATORS
@ALL
def test_fisher_matrix_matches_reference_and_its_products(kind, n, dim, k, estimator):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    for reference in (loops, vectorized) if n * k < 100 else (vectorized,):
        rows = rows_of(reference, policy, batch.states)
        args = (rows, batch.actions, batch.weights, *outputs_of(policy), estimator)
        close(fisher, reference.observed_fisher_matrix(*args))
    assert_array_equal(fisher, fisher.T)
    assert np.linalg.eigvalsh(fisher).min() >= -1e-14 * np.trace(fisher)
    units = np.eye(policy.n_params)
    for damping in (0.0, 0.3):
        products = [nf.fisher_vector_product(policy, batch, e, estimator=estimator, damping=damping) for e in units]
        close(np.array(products), fisher + damping * np.trace(fisher) / policy.n_params * units, 1e-12)


@ALL
def test_fisher_matrix_is_the_hessian_of_the_divergence(kind, n, dim, k):
    """Both directions of the divergence have it, and its gradient vanishes."""
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    direction = np.random.default_rng(2).normal(size=policy.n_params)
    quadratic = direction @ nf.fisher_vector_product(policy, batch, direction)
    for step in (1e-2, 1e-3, 1e-4):
        ends = [policy.with_theta(policy.theta + t * direction) for t in (step, -step)]
        forward = sum(nf.kl_divergence(policy, end, batch) for end in ends)
        backward = sum(nf.kl_divergence(end, policy, batch) for end in ends)
        assert_allclose([forward / step**2, backward / step**2], quadratic, rtol=100 * step**2 + 1e-7, atol=1e-13)


@ALL
def test_divergence_matches_reference_with_different_normalisers(kind, n, dim, k):
    old = make_policy(kind, dim, k)
    batch = make_batch(old, n)
    moved = old.with_theta(old.theta + 0.1 * np.random.default_rng(1).normal(size=old.n_params))
    scaled = moved.with_normalizer(nf.Normalizer(np.full(dim, 0.2), np.full(dim, 1.5), limit=1.0))
    for new in (moved, scaled, moved.with_normalizer(None)):
        got = nf.kl_divergence(old, new, batch)
        for reference in (loops, vectorized):
            rows = [rows_of(reference, policy, batch.states) for policy in (old, new)]
            (w_old, s_old), (w_new, s_new) = outputs_of(old), outputs_of(new)
            expected = reference.observed_kl(*rows, batch.weights, w_old, w_new, s_old, s_new)
            assert_allclose(got, expected, rtol=1e-9, atol=1e-14)
        assert got >= 0.0
    assert nf.kl_divergence(old, old, batch) == 0.0


@KINDS
def test_small_divergences_keep_their_digits(kind):
    policy = make_policy(kind, 3, 2)
    batch = make_batch(policy, 13)
    direction = np.random.default_rng(2).normal(size=policy.n_params)
    quadratic = direction @ nf.fisher_vector_product(policy, batch, direction)
    near = policy.with_theta(policy.theta + 1e-6 * direction)
    assert_allclose(nf.kl_divergence(policy, near, batch), 0.5e-12 * quadratic, rtol=1e-4)


@ESTIMATORS
@DAMPINGS
@ALL
def test_natural_gradients_of_all_methods_match_reference(kind, n, dim, k, estimator, damping):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    args = (*arguments(vectorized, policy, batch), *outputs_of(policy))
    expected = vectorized.observed_natural_gradient_pinv(*args, estimator, damping)
    gradient = nf.policy_gradient(policy, batch)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    fisher += damping * np.trace(fisher) / policy.n_params * np.eye(policy.n_params)
    scale = max(1e-300, np.abs(fisher).max())
    rank = np.linalg.matrix_rank(fisher, tol=1e-11 * scale)
    methods = ["auto", "pinv"]
    outside = np.linalg.norm(gradient - fisher @ (np.linalg.pinv(fisher, rcond=1e-11) @ gradient))
    methods += ["cg"] * bool(outside < 1e-12)  # else conjugate gradients have nothing to converge to
    methods += ["cholesky"] * bool(rank == policy.n_params)
    methods += ["regression"] * (estimator == "empirical")
    methods += ["closed_form"] * (kind == "gaussian" and estimator == "analytic")
    eigenvalues = np.linalg.eigvalsh(fisher)
    condition = eigenvalues.max() / max(eigenvalues[eigenvalues > 1e-11 * scale].min(initial=np.inf), 1e-300)
    for method in methods:
        got = nf.natural_gradient(policy, batch, method=method, estimator=estimator, damping=damping, rtol=1e-14)
        close(got.direction, expected, 1e-9 + 1e-14 * min(condition, 1e10))
        assert got.status == ("ok" if np.abs(expected).max() > 0 else "zero_gradient"), method
        if method != "cg":
            assert got.rank == rank, method
        assert_allclose(got.residual_norm, np.linalg.norm(fisher @ got.direction - gradient), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("n", "dim", "k"), [(1, 1, 1), (9, 2, 1), (13, 3, 3)])
def test_gaussian_closed_form_matches_its_reference(n, dim, k):
    policy = make_policy("gaussian", dim, k)
    batch = make_batch(policy, n)
    got = nf.natural_gradient(policy, batch, method="closed_form").direction
    for reference in (loops, vectorized):
        args = (*arguments(reference, policy, batch), *outputs_of(policy))
        close(got, reference.observed_natural_gradient_closed_form(*args), 1e-8)
        close(got, reference.observed_natural_gradient_pinv(*args), 1e-8)


@KINDS
@pytest.mark.parametrize("n", [1, 2, 17])
def test_batches_of_one_observation_are_solved(kind, n):
    """One sample, or many of the same observation: features of rank one."""
    policy = make_policy(kind, 3, 2)
    batch = make_batch(policy, n, same=True)
    gradient = nf.policy_gradient(policy, batch)
    for method in ("auto", "pinv", "cg"):
        got = nf.natural_gradient(policy, batch, method=method)
        assert got.status == "ok"
        assert got.residual_norm <= 1e-9 * np.linalg.norm(gradient)
    direction = got.direction[: 4 * 2].reshape(4, 2)
    row = policy.features(batch.states[:1])[0]
    close(direction - np.outer(row, row @ direction) / (row @ row), 0 * direction)
    undamped = nf.natural_gradient(policy, batch, method="cholesky")
    assert undamped.status == "negative_curvature"
    assert_array_equal(undamped.direction, 0)
    empirical = nf.natural_gradient(policy, batch, method="regression")
    assert np.isfinite(empirical.direction).all()


@KINDS
def test_repeated_features_share_the_direction(kind):
    """Features of deficient rank: the direction of least norm moves the policy as without the copy."""
    plain = make_policy(kind, 2, 3, plain=True)
    k, bias = 3, plain.theta[6:9]
    head = plain.theta[:6].reshape(2, 3)
    tail = plain.theta[9:]
    theta = np.concatenate([0.5 * head.ravel(), 0.5 * head.ravel(), bias, tail])
    twice = type(plain)(features.Linear(4), k, theta)
    batch = make_batch(plain, 30)
    doubled = nf.Batch(
        np.tile(batch.states, 2), batch.actions, batch.advantages, weights=batch.weights, effective_horizon=2.5
    )
    for method in ("auto", "pinv", "cg"):
        one = nf.natural_gradient(plain, batch, method=method, rtol=1e-13).direction
        two = nf.natural_gradient(twice, doubled, method=method, rtol=1e-13).direction
        assert_allclose(two[:6], two[6:12], rtol=1e-7, atol=1e-9)
        assert_allclose(two[:6] + two[6:12], one[:6], rtol=1e-7, atol=1e-8)
        assert_allclose(two[12:], one[6:], rtol=1e-7, atol=1e-8)


@KINDS
@pytest.mark.parametrize("method", ["auto", "pinv", "cg", "regression"])
def test_natural_step_does_not_depend_on_linear_coordinates_of_the_features(kind, method):
    """Scaled observations, weights scaled back: the same policy before and after the step; a gradient step differs."""
    scale = np.array([0.1, 5.0])
    plain = make_policy(kind, 2, 3, plain=True)
    twin = plain.with_normalizer(nf.Normalizer([0.4, -1.0], scale, limit=100.0))
    weights, log_std = outputs_of(plain)
    mixed = np.vstack([scale[:, None] * weights[:2], weights[2:] + np.array([[0.4, -1.0]]) @ weights[:2]])
    twin = twin.with_theta(np.append(mixed, [] if log_std is None else log_std))
    batch = make_batch(plain, 60)
    assert_allclose(nf.kl_divergence(plain, twin, batch), 0, atol=1e-13)
    after = [
        p.with_theta(p.theta + 0.05 * nf.natural_gradient(p, batch, method=method, rtol=1e-14).direction)
        for p in (plain, twin)
    ]
    assert_allclose(nf.kl_divergence(*after, batch), 0, atol=1e-12)
    after = [p.with_theta(p.theta + 0.05 * nf.policy_gradient(p, batch)) for p in (plain, twin)]
    assert nf.kl_divergence(*after, batch) > 1e-6


@ESTIMATORS
def test_log_std_is_part_of_the_natural_gradient(estimator):
    """Its block of F is 2 I, so that the direction is half of the gradient; openai/baselines#262 left it out."""
    policy = make_policy("gaussian", 2, 2)
    batch = make_batch(policy, 4000, weights=np.full(4000, 1 / 4000))
    gradient = nf.policy_gradient(policy, batch)[-2:]
    assert np.abs(gradient).min() > 1e-4
    got = nf.natural_gradient(policy, batch, estimator=estimator).direction[-2:]
    if estimator == "analytic":
        assert_allclose(got, 0.5 * gradient, rtol=1e-14)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    assert_allclose(fisher[-2:, -2:], 2 * np.eye(2), atol=0.3 if estimator == "empirical" else 0)
    assert_allclose(fisher[:-2, -2:], 0, atol=0.5 if estimator == "empirical" else 0)


@KINDS
def test_zero_advantages_are_a_zero_gradient(kind):
    policy = make_policy(kind, 2, 2)
    filled = make_batch(policy, 9)
    batch = nf.Batch(filled.states, filled.actions, np.zeros(9), weights=filled.weights)
    for method in ("auto", "pinv", "cg", "regression"):
        got = nf.natural_gradient(policy, batch, method=method)
        assert (got.status, got.iterations) == ("zero_gradient", 0)
        assert_array_equal(got.direction, 0)


@KINDS
def test_entries_without_weight_change_nothing(kind):
    policy = make_policy(kind, 2, 2)
    batch = make_batch(policy, 9)
    far = np.vstack([batch.states, [[40.0, -40.0]]])
    more = nf.Batch(
        far,
        np.concatenate([batch.actions, batch.actions[:1]]),
        np.append(batch.advantages, 1e6),
        weights=np.append(batch.weights, 0.0),
        log_probs=np.append(batch.log_probs, -np.inf),
        effective_horizon=batch.effective_horizon,
    )
    for function in (nf.policy_gradient, nf.fisher_matrix):
        assert_allclose(function(policy, more), function(policy, batch), rtol=1e-12, atol=1e-14)
    for one, two in ((nf.surrogate(policy, b).gradient, nf.surrogate(policy, b).value) for b in (batch, more)):
        assert_allclose(one, nf.surrogate(policy, batch).gradient, rtol=1e-12, atol=1e-14)
        assert_allclose(two, nf.surrogate(policy, batch).value, rtol=1e-12)
    for method in ("auto", "regression"):
        got = [nf.natural_gradient(policy, b, method=method).direction for b in (batch, more)]
        assert_allclose(got[0], got[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("damping", [0.0, 1e-3])
def test_conjugate_gradients_tell_the_residual_however_many_iterations_they_have(damping):
    """Early, while the recurrence's is exact to rounding, and late, when it has drifted from the truth."""
    policy = make_policy("softmax", 6, 3, features.Linear(6, bias=False), plain=True)
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(400, 6)) * 10.0 ** -np.arange(6)
    batch = nf.Batch(observations, rng.integers(3, size=400), rng.normal(size=400))
    fisher = nf.fisher_matrix(policy, batch)
    fisher += damping * np.trace(fisher) / len(fisher) * np.eye(len(fisher))
    gradient = nf.policy_gradient(policy, batch)
    for budget in (1, 2, 5, 10, 30, 100, 300):
        found = nf.natural_gradient(policy, batch, method="cg", damping=damping, rtol=0.0, max_iters=budget)
        rounding = 1e-15 * np.linalg.norm(np.abs(fisher) @ np.abs(found.direction))
        residual = np.linalg.norm(fisher @ found.direction - gradient)
        assert_allclose(found.residual_norm, residual, rtol=1e-6, atol=10 * rounding)
