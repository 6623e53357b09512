"""Batches of observations: what they accept and refuse, policies that do not fit, nearly certain and bounded ones."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from linear_problems import KINDS, make_batch, make_policy
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf

V, T = ValueError, TypeError
X = np.array([[0.5, -1.0], [1.0, 2.0], [0.0, 0.3]])
DISCRETE = nf.Batch(X, [0, 1, 1], [1.0, -1.0, 0.5], log_probs=[-0.7] * 3)
CONTINUOUS = nf.Batch(X, [[0.1], [0.2], [-3.0]], [1.0, -1.0, 0.5], log_probs=[4.0] * 3)
STATES = nf.Batch([0, 1], [0, 1], [1.0, -1.0], log_probs=[-0.7] * 2)
SOFTMAX, GAUSSIAN, TABULAR = nf.LinearSoftmax(2, 2), nf.LinearGaussian(2, 1), nf.TabularSoftmax(2, 2)
FUNCTIONS = {
    "gradient": nf.policy_gradient,
    "product": lambda p, b: nf.fisher_vector_product(p, b, np.zeros(p.n_params)),
    "matrix": nf.fisher_matrix,
    "natural": nf.natural_gradient,
    "surrogate": nf.surrogate,
    "clipped": nf.clipped_surrogate,
}
MISFITS = {
    "softmax_states": (SOFTMAX, STATES, V, r"batch.states: LinearSoftmax needs observations of shape \(n, 2\)"),
    "gaussian_states": (GAUSSIAN, STATES, V, r"batch.states: LinearGaussian needs observations of shape \(n, 2\)"),
    "tabular_observations": (TABULAR, DISCRETE, V, "batch.states: TabularSoftmax needs states"),
    "log_linear": (nf.LogLinear(np.ones((2, 2, 1))), DISCRETE, V, "batch.states: LogLinear needs states"),
    "softmax_continuous": (SOFTMAX, CONTINUOUS, T, "actions: expected an array of integers"),
    "gaussian_discrete": (GAUSSIAN, DISCRETE, V, "actions: expected 2-d"),
    "gaussian_wide": (nf.LinearGaussian(2, 2), CONTINUOUS, V, r"actions: .*\(3, 2\).*\(3, 1\)"),
    "few_actions": (nf.LinearSoftmax(2, 1), DISCRETE, V, r"actions\[1\]=1 outside \[0, 1\)"),
    "dimension": (nf.LinearSoftmax(3, 2), DISCRETE, V, r"observations: .*3.*\(3, 2\)"),
}


@pytest.mark.isa_independent
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize(("policy", "batch", "error", "message"), MISFITS.values(), ids=MISFITS)
def test_policies_that_do_not_fit_the_batch_are_named(function, policy, batch, error, message):
    with pytest.raises(error, match=message):
        function(policy, batch)


BAD = {
    "nan": (lambda: nf.Batch([[0.0], [np.nan]], [0, 1], [1.0, 1.0]), V, r"states\[1, 0\]=nan"),
    "three_dimensions": (lambda: nf.Batch(np.zeros((2, 1, 1)), [0, 1], [1.0, 1.0]), T, "states: "),
    "empty": (lambda: nf.Batch(np.zeros((0, 2)), [], []), V, "empty batch"),
    "no_columns": (lambda: nf.Batch(np.zeros((2, 0)), [0, 1], [1.0, 1.0]), V, "empty batch"),
    "actions_short": (lambda: nf.Batch(X, [0, 1], [1.0] * 3), V, r"actions: .*to match states of shape \(3, 2\)"),
    "actions_rows": (lambda: nf.Batch(X, [[0.0], [1.0]], [1.0] * 3), V, "actions: .*to match states"),
    "actions_nan": (lambda: nf.Batch(X, [[0.0], [np.nan], [0.0]], [1.0] * 3), V, r"actions\[1, 0\]=nan"),
    "actions_negative": (lambda: nf.Batch(X, [0, -1, 0], [1.0] * 3), V, r"actions\[1\]=-1"),
    "actions_flat_floats": (lambda: nf.Batch(X, [0.0, 1.0, 0.0], [1.0] * 3), T, "actions: "),
    "states_with_rows": (lambda: nf.Batch([0, 1], [[0.0], [1.0]], [1.0, 1.0]), T, "actions: "),
    "advantages": (lambda: nf.Batch(X, [0, 1, 0], [1.0, np.inf, 0.0]), V, r"advantages\[1\]=inf"),
    "weights": (lambda: nf.Batch(X, [0, 1, 0], [1.0] * 3, weights=[0.5, 0.6, -0.1]), V, r"weights\[2\]=-0.1"),
    "log_probs": (lambda: nf.Batch(X, [0, 1, 0], [1.0] * 3, log_probs=[0.0, 0.1, 0.0]), V, r"log_probs\[1\]=0.1"),
    "densities": (lambda: nf.Batch(X, np.zeros((3, 1)), [1.0] * 3, log_probs=[9, np.inf, 0]), V, r"log_probs\[1\]=inf"),
    "exhaustive": (lambda: nf.Batch(X, [0, 1, 0], [1.0] * 3, exhaustive=True), V, "exhaustive: "),
    "no_log_probs": (lambda: nf.surrogate(SOFTMAX, nf.Batch(X, [0, 1, 0], [1.0] * 3)), V, "batch.log_probs: "),
    "closed_form": (lambda: nf.natural_gradient(SOFTMAX, DISCRETE, method="closed_form"), V, "closed_form"),
    "empirical_closed_form": (
        lambda: nf.natural_gradient(GAUSSIAN, CONTINUOUS, method="closed_form", estimator="empirical"),
        V,
        "closed_form.*analytic",
    ),
    "vector": (lambda: nf.fisher_vector_product(SOFTMAX, DISCRETE, np.zeros(5)), V, "vector: .*to match policy"),
    "kl_kinds": (lambda: nf.kl_divergence(SOFTMAX, GAUSSIAN, DISCRETE), T, "new: LinearGaussian"),
    "kl_tabular": (lambda: nf.kl_divergence(TABULAR, SOFTMAX, STATES), T, "new: LinearSoftmax"),
    "kl_tabular_new": (lambda: nf.kl_divergence(SOFTMAX, TABULAR, DISCRETE), T, "new: TabularSoftmax"),
    "kl_sizes": (lambda: nf.kl_divergence(SOFTMAX, nf.LinearSoftmax(2, 3), DISCRETE), V, r"new: .*\(2, 3, 1\)"),
    "kl_states": (lambda: nf.kl_divergence(SOFTMAX, SOFTMAX, STATES), V, "batch.states: expected observations"),
    "kl_dimension": (
        lambda: nf.kl_divergence(nf.LinearSoftmax(3, 2), nf.LinearSoftmax(3, 2), DISCRETE),
        V,
        r"batch.states: .*\(n, 3\), got \(3, 2\)",
    ),
}


@pytest.mark.isa_independent
@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=BAD)
def test_batches_that_make_no_sense_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("batch", [DISCRETE, CONTINUOUS], ids=["discrete", "continuous"])
def test_batches_survive_pickling_and_share_nothing(batch):
    states = batch.states.copy()
    own = nf.Batch(states, batch.actions, batch.advantages)
    states[:] = 9
    assert_array_equal(own.states, batch.states)
    assert_array_equal(own.observations, own.states)
    assert not own.states.flags.writeable
    twin = pickle.loads(pickle.dumps(batch))
    for name in ("states", "actions", "advantages", "weights", "log_probs"):
        assert_array_equal(getattr(twin, name), getattr(batch, name))
        assert getattr(twin, name).dtype == getattr(batch, name).dtype
    assert STATES.observations is None


def test_divergences_may_compare_different_features():
    """The policies need the same observations and actions, not the same features."""
    old = make_policy("softmax", 2, 2, plain=True)
    rows = nf.features.Polynomial(2)
    theta = np.zeros((6, 2))
    theta[[1, 2, 0]] = old.theta.reshape(3, 2)
    new = nf.LinearSoftmax(rows, 2, theta.ravel())
    assert_allclose(nf.kl_divergence(old, new, DISCRETE), 0, atol=1e-15)


@pytest.mark.parametrize("certainty", [5.0, 20.0, 30.0])
@pytest.mark.parametrize("estimator", ["analytic", "empirical"])
def test_fisher_matrix_of_a_nearly_certain_policy_keeps_its_digits(certainty, estimator):
    """Multiplied out, 1 - 2 pi + pi^2 has no digit left once 1 - pi is below 1e-8."""
    policy = nf.LinearSoftmax(nf.features.Linear(1, bias=False), 2, [certainty, 0.0])
    batch = nf.Batch([[1.0]], [0], [1.0])
    rest = 1 / (1 + np.exp(certainty))
    share = rest * (1 - rest) if estimator == "analytic" else rest**2
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    known = 1e-12 if estimator == "analytic" else 4e-16 / rest + 1e-12  # 1 - pi_0 is as exact as pi_0
    assert_allclose(fisher, share * np.array([[1, -1], [-1, 1]]), rtol=known)
    assert np.linalg.eigvalsh(fisher).min() >= -1e-14 * np.trace(fisher)
    damped = nf.fisher_vector_product(policy, batch, [1.0, 1.0], estimator=estimator, damping=0.5)
    assert_allclose(damped, 0.25 * np.trace(fisher), rtol=1e-6, atol=1e-15 * share)


@pytest.mark.parametrize("damping", [0.0, 0.1])
@pytest.mark.parametrize("estimator", ["analytic", "empirical"])
def test_a_policy_without_choice_has_a_zero_gradient(damping, estimator):
    for policy, batch in (
        (nf.LinearSoftmax(2, 1, [1.0, 2.0, 3.0]), nf.Batch(X, [0, 0, 0], [1.0, 2.0, 3.0])),
        (nf.LogLinear(np.ones((2, 2, 3))), STATES),
    ):
        got = nf.natural_gradient(policy, batch, damping=damping, estimator=estimator)
        assert got.status == "zero_gradient"
        assert_array_equal(got.direction, 0)


@KINDS
def test_single_samples_update_without_nan(kind):
    """Normalising the advantage of one sample, or the variance of one observation, made NaN in SB3 (#265, #440)."""
    policy = make_policy(kind, 2, 2)
    batch = make_batch(policy, 1)
    direction = nf.natural_gradient(policy, batch, damping=0.1).direction
    moved = policy.with_theta(policy.theta + 1e-3 * direction)
    assert nf.kl_divergence(policy, moved, batch) > 0
    assert nf.surrogate(moved, batch).value > nf.surrogate(policy, batch).value


@pytest.mark.parametrize("algorithm", [nf.TRPO, nf.NaturalPolicyGradient, nf.PPO, nf.PolicyGradient])
@pytest.mark.parametrize("bounds", [(-0.05, 0.05), (0.0, 0.0)])
def test_updates_keep_log_std_inside_its_bounds(algorithm, bounds):
    policy = nf.LinearGaussian(3, 1, log_std_bounds=bounds)
    settings = {"n_steps": 64, "n_envs": 2, "seed": 1}
    step = {"step_size": 0.5} if algorithm is nf.PolicyGradient else {}
    result = algorithm(nf.envs.Pendulum(), policy, **settings, **step).learn(n_iterations=8)
    assert bounds[0] <= result.policy.log_std[0] <= bounds[1]
    assert (result.policy.theta[:-1] != 0).any()
    assert np.isfinite(result.policy.theta).all()
