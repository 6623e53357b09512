"""One pass over the features: every number of actions and features, against the reference, and the same bits always."""

from __future__ import annotations

import os

import numpy as np
import pytest
from linear_problems import make_batch, make_policy, outputs_of, rows_of
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core, features
from npgfast.reference import vectorized

ESTIMATORS = ["analytic", "empirical"]
COLUMNS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17]  # fewer and more than the lanes of a register
KINDS = pytest.mark.parametrize("kind", ["softmax", "gaussian"])
SIZES = pytest.mark.parametrize("n", [1, 7, 1000])
WIDTHS = pytest.mark.parametrize("width", [1, 3, 8, 13, 64])


def close(left, right) -> None:
    assert_allclose(left, right, rtol=1e-10, atol=1e-12 * max(1e-3, np.abs(right).max(initial=0)))


@KINDS
@SIZES
@WIDTHS
@pytest.mark.parametrize("k", COLUMNS)
def test_passes_match_the_reference(kind, n, width, k):
    policy = make_policy(kind, width, k, features.Linear(width, bias=False), plain=True)
    policy = policy.with_theta(policy.theta / width**0.5)
    batch = make_batch(policy, n)
    rows, outputs = batch.states, outputs_of(policy)
    args = rows, batch.actions, batch.weights
    gradient = vectorized.observed_policy_gradient(*args, batch.advantages, batch.effective_horizon, *outputs)
    close(nf.policy_gradient(policy, batch), gradient)
    vector = np.random.default_rng(k).normal(size=policy.n_params)
    for estimator in ESTIMATORS if n * policy.n_params**2 < 2e7 else []:
        fisher = vectorized.observed_fisher_matrix(*args, *outputs, estimator)
        close(nf.fisher_vector_product(policy, batch, vector, estimator=estimator), fisher @ vector)
        close(nf.fisher_matrix(policy, batch, estimator=estimator), fisher)
    new = policy.with_theta(policy.theta + 0.1 * vector / width**0.5)
    (w_old, s_old), (w_new, s_new) = outputs, outputs_of(new)
    expected = vectorized.observed_kl(rows, rows, batch.weights, w_old, w_new, s_old, s_new)
    assert_allclose(nf.kl_divergence(policy, new, batch), expected, rtol=1e-9, atol=1e-14)


@WIDTHS
@pytest.mark.parametrize(("n_states", "n_actions"), [(1, 1), (3, 2), (7, 9), (300, 3)])
def test_features_of_pairs_match_the_reference(n_states, n_actions, width):
    rng = np.random.default_rng(width)
    policy = nf.LogLinear(rng.normal(size=(n_states, n_actions, width)), rng.normal(size=width) / width**0.5)
    weights = np.repeat(rng.dirichlet(np.ones(n_states)), n_actions) * policy.probs().ravel()
    states, actions = np.divmod(np.arange(weights.size), n_actions)
    batch = nf.Batch(states, actions, rng.normal(size=states.size), weights=weights / weights.sum())
    vector = rng.normal(size=width)
    args = policy.probs(), states, actions, batch.weights
    expected = vectorized.fisher_vector_product(*args, vector, features=policy.features)
    gradient = vectorized.policy_gradient(*args, batch.advantages, 1.0, policy.features)
    close(nf.policy_gradient(policy, batch), gradient)
    for estimator in ESTIMATORS:  # an exact batch: they agree
        close(nf.fisher_vector_product(policy, batch, vector, estimator=estimator), expected)
        close(nf.fisher_matrix(policy, batch, estimator=estimator) @ vector, expected)


def outcomes(policy, batch) -> list[np.ndarray]:
    """All that passes compute, with enough rows for parts of their own."""
    vector = np.cos(np.arange(policy.n_params))
    found = [nf.policy_gradient(policy, batch), nf.surrogate(policy, batch).gradient]
    for estimator in ESTIMATORS:
        found.append(nf.fisher_vector_product(policy, batch, vector, estimator=estimator, damping=0.1))
        found.append(nf.fisher_matrix(policy, batch, estimator=estimator))
        found.append(nf.natural_gradient(policy, batch, method="cg", estimator=estimator, max_iters=5).direction)
    found.append(nf.kl_divergence(policy, policy.with_theta(policy.theta + 0.01 * vector), batch))
    return [np.asarray(one) for one in found]


@pytest.mark.parametrize("kind", ["softmax", "gaussian", "log_linear", "tabular"])
def test_no_bit_depends_on_the_number_of_threads(kind, monkeypatch):
    rng = np.random.default_rng(3)
    if kind in ("softmax", "gaussian"):
        policy = make_policy(kind, 12, 5)
        batch = make_batch(policy, 60_011)
    else:
        shape = (70_007, 5, 12) if kind == "log_linear" else (41, 7)
        policy = nf.LogLinear(rng.normal(size=shape)) if kind == "log_linear" else nf.TabularSoftmax(*shape)
        policy = policy.with_theta(rng.normal(size=policy.n_params))
        states, actions = rng.integers(policy.n_states, size=9000), rng.integers(policy.n_actions, size=9000)
        batch = nf.Batch(states, actions, rng.normal(size=9000), log_probs=policy.log_prob(states, actions))
    monkeypatch.setenv("NPGFAST_NUM_THREADS", "1")
    alone = outcomes(policy, batch)
    for n_threads in ("2", "3", "7"):
        monkeypatch.setenv("NPGFAST_NUM_THREADS", n_threads)
        for one, other in zip(alone, outcomes(policy.with_theta(policy.theta), batch), strict=True):
            assert_array_equal(one, other)


@pytest.mark.parametrize("n_actions", [1, 2, 3, 8, 18])
def test_tables_are_the_same_on_any_number_of_threads_and_those_of_each_row(n_actions):
    n_states = 200_003 // n_actions
    logits = 30.0 * np.random.default_rng(0).normal(size=(n_states, n_actions))
    mask = np.ones((n_states, n_actions), np.uint8)
    mask[::5, 1:] = 0
    policy = (None, None, mask)
    alone = _core.policy_table(policy, logits.ravel(), 1)
    for n_threads in (2, 3):
        for one, other in zip(alone, _core.policy_table(policy, logits.ravel(), n_threads), strict=True):
            assert_array_equal(one, other)
    for row in (0, 1, 31, 32, 33, n_states - 2, n_states - 1):
        for one, whole in zip(_core.log_softmax(logits[[row]], mask[[row]]), alone, strict=True):
            assert_array_equal(one[0], whole[row])
    expected = np.where(mask, logits, -np.inf)
    expected -= expected.max(axis=1, keepdims=True)
    expected -= np.log(np.exp(expected).sum(axis=1, keepdims=True))
    assert_allclose(alone[0], expected, rtol=1e-14, atol=1e-15)
    assert_allclose(alone[1], np.exp(expected), rtol=2e-14)


def test_a_row_has_the_same_bits_wherever_it_stands():
    policy = make_policy("softmax", 5, 3)
    observations = np.random.default_rng(0).normal(size=(50, 5))
    together = policy.probs(observations)
    for i in (0, 7, 8, 31, 49):
        assert_array_equal(policy.probs(observations[i : i + 1])[0], together[i])


def test_a_batch_keeps_features_and_tables_apart():
    """What a batch keeps of one policy is never given to another."""
    policy = make_policy("softmax", 3, 2)
    batch = make_batch(policy, 30)
    scaled, plain = policy.with_theta(2 * policy.theta), policy.with_normalizer(None)
    for one in (policy, scaled, plain, policy, scaled):
        fresh = nf.Batch(batch.states, batch.actions, batch.advantages, weights=batch.weights, effective_horizon=2.5)
        assert_array_equal(nf.policy_gradient(one, batch), nf.policy_gradient(one, fresh))
        args = rows_of(vectorized, one, batch.states), batch.actions, batch.weights, batch.advantages, 2.5
        close(nf.policy_gradient(one, batch), vectorized.observed_policy_gradient(*args, *outputs_of(one)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_threads_work_in_a_process_forked_after_their_use(monkeypatch):
    monkeypatch.setenv("NPGFAST_NUM_THREADS", "2")
    policy = make_policy("softmax", 12, 5)
    batch = make_batch(policy, 60_000)
    expected = nf.policy_gradient(policy, batch)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(nf.policy_gradient(policy, batch), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
