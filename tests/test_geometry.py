"""Gradients, Fisher matrices and natural directions: parity with the reference, derivatives, structure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast.reference import loops, vectorized


def problem(seed, n_states, n_actions, *, gamma=0.9, horizon=None, masked=False) -> nf.TabularMDP:
    """Some states unreachable, some termination."""
    rng = np.random.default_rng([seed, n_states, n_actions])
    transitions = rng.dirichlet(np.full(n_states, 0.5), (n_states, n_actions))
    if n_states > 3:
        transitions[..., -1] = 0
    transitions /= transitions.sum(axis=2, keepdims=True)
    termination = np.where(rng.random((n_states, n_actions)) < 0.3, 0.2, 0.0)
    mask = rng.random((n_states, n_actions)) < (0.6 if masked else 1.0)
    mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    return nf.TabularMDP(
        transitions * (1 - termination[..., None]),
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=np.eye(n_states)[0],
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def policy_for(mdp: nf.TabularMDP, kind: str, seed: int = 0) -> nf.SoftmaxPolicy:
    rng = np.random.default_rng(seed)
    n_states, n_actions = mdp.n_states, mdp.n_actions
    if kind == "tabular":
        return nf.TabularSoftmax(
            n_states, n_actions, rng.normal(size=(n_states, n_actions)), action_mask=mdp.action_mask
        )
    dim = 6
    features = np.random.default_rng(1).normal(size=(n_states, n_actions, dim))
    features[..., 4:] = features[..., :2] + features[..., 2:4]  # rank 4
    return nf.LogLinear(features, 0.5 * rng.normal(size=dim), action_mask=mdp.action_mask)


MDPS = {
    "one_state_one_action": problem(0, 1, 1),
    "bandit": problem(1, 1, 5),
    "one_action": problem(2, 3, 1),
    "plain": problem(3, 5, 3),
    "masked": problem(4, 9, 4, masked=True),
    "horizon": problem(5, 4, 3, horizon=6, gamma=1.0),
    "horizon_masked": problem(6, 5, 9, horizon=3, masked=True),
}
ALL = pytest.mark.parametrize(
    ("mdp", "kind"),
    [(mdp, kind) for mdp in MDPS.values() for kind in ("tabular", "log_linear")],
    ids=[f"{name}-{kind}" for name in MDPS for kind in ("tabular", "log_linear")],
)
ESTIMATORS = pytest.mark.parametrize("estimator", ["analytic", "empirical"])
SOURCES = pytest.mark.parametrize("source", ["exact", "sampled"])


def batch_for(mdp, policy, source: str) -> nf.Batch:
    if source == "exact":
        return nf.exact_batch(mdp, policy)
    values = nf.evaluate(mdp, policy).values
    return nf.sample_batch(mdp, policy, n_episodes=15, seed=3, baseline=values)


def pairs(batch: nf.Batch) -> tuple[np.ndarray, ...]:
    return batch.states, batch.actions, batch.weights


def features_of(policy) -> np.ndarray | None:
    return policy.features if isinstance(policy, nf.LogLinear) else None


def close(left, right, rtol=1e-10) -> None:
    assert_allclose(left, right, rtol=rtol, atol=rtol * max(1e-3, np.abs(right).max(initial=0)))


@SOURCES
@ALL
def test_policy_gradient_matches_reference(mdp, kind, source):
    policy = policy_for(mdp, kind)
    batch = batch_for(mdp, policy, source)
    expected = loops.policy_gradient(
        policy.probs(), *pairs(batch), batch.advantages, batch.effective_horizon, features_of(policy)
    )
    close(nf.policy_gradient(policy, batch), expected)


@ALL
def test_policy_gradient_is_the_derivative_of_the_objective(mdp, kind):
    policy = policy_for(mdp, kind)
    for tau in (0.0, 0.4):
        gradient = nf.policy_gradient(policy, nf.exact_batch(mdp, policy, tau=tau))
        for k in range(policy.n_params):
            shift = 1e-5 * np.eye(policy.n_params)[k]
            up, down = (nf.evaluate(mdp, policy.with_theta(policy.theta + x), tau=tau) for x in (shift, -shift))
            assert_allclose((up.objective - down.objective) / 2e-5, gradient[k], rtol=1e-6, atol=1e-8)


@ESTIMATORS
@SOURCES
@ALL
def test_fisher_matrix_is_symmetric_semidefinite_and_equal_to_its_products(mdp, kind, source, estimator):
    policy = policy_for(mdp, kind)
    batch = batch_for(mdp, policy, source)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    assert_array_equal(fisher, fisher.T)
    size = max(np.trace(fisher), 1e-12)
    assert np.linalg.eigvalsh(fisher).min() >= -1e-14 * size
    close(fisher, loops.fisher_matrix(policy.probs(), *pairs(batch), features_of(policy), estimator))
    units = np.eye(policy.n_params)
    for damping in (0.0, 0.3):
        products = [nf.fisher_vector_product(policy, batch, e, estimator=estimator, damping=damping) for e in units]
        close(np.array(products), fisher + damping * np.trace(fisher) / policy.n_params * units, 1e-12)
    vector = np.random.default_rng(0).normal(size=policy.n_params)
    expected = loops.fisher_vector_product(policy.probs(), *pairs(batch), vector, 0.3, features_of(policy), estimator)
    close(nf.fisher_vector_product(policy, batch, vector, estimator=estimator, damping=0.3), expected)


@ALL
def test_estimators_of_the_fisher_matrix_agree_on_exact_batches(mdp, kind):
    policy = policy_for(mdp, kind)
    batch = nf.exact_batch(mdp, policy)
    close(*(nf.fisher_matrix(policy, batch, estimator=e) for e in ("analytic", "empirical")), 1e-12)


@ALL
def test_fisher_product_is_the_second_derivative_of_the_divergence(mdp, kind):
    policy = policy_for(mdp, kind)
    batch = nf.exact_batch(mdp, policy)
    direction = np.random.default_rng(2).normal(size=policy.n_params)
    quadratic = direction @ nf.fisher_vector_product(policy, batch, direction)
    for step in (1e-2, 1e-3, 1e-4):
        forth, back = (
            nf.kl_divergence(policy, policy.with_theta(policy.theta + t * direction), batch) for t in (step, -step)
        )
        assert_allclose((forth + back) / step**2, quadratic, rtol=20 * step**2 + 1e-7, atol=1e-14)


@ESTIMATORS
@SOURCES
@ALL
def test_natural_gradients_of_all_methods_match_reference(mdp, kind, source, estimator):
    policy = policy_for(mdp, kind)
    batch = batch_for(mdp, policy, source)
    args = (*pairs(batch), batch.advantages, batch.effective_horizon, features_of(policy))
    expected = vectorized.natural_gradient_pinv(policy.probs(), *args, estimator)
    gradient = nf.policy_gradient(policy, batch)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    methods = ["auto", "pinv", "cg"] + (["regression"] if estimator == "empirical" or source == "exact" else [])
    if kind == "tabular" and estimator == "analytic":
        methods.append("closed_form")
    outside = np.linalg.norm(gradient - fisher @ (np.linalg.pinv(fisher, rcond=1e-11) @ gradient))
    for method in methods:
        if method == "cg" and outside > 1e-12:
            continue  # no solution; conjugate gradients have nothing to converge to
        got = nf.natural_gradient(policy, batch, method=method, estimator=estimator, rtol=1e-13)
        close(got.direction, expected, 1e-8)
        assert got.status == ("ok" if np.abs(expected).max() > 0 else "zero_gradient"), (method, got)
        if method != "cg":
            assert got.rank == np.linalg.matrix_rank(fisher, tol=1e-11 * max(1e-300, np.abs(fisher).max()))
        # The regression's residual is measured against the empirical matrix.
        used = nf.fisher_matrix(policy, batch, estimator="empirical" if method == "regression" else estimator)
        assert_allclose(got.residual_norm, np.linalg.norm(used @ got.direction - gradient), atol=1e-12)
    if kind == "tabular":
        assert_array_equal(
            got.direction[~np.repeat(np.bincount(batch.states, batch.weights, mdp.n_states) > 0, mdp.n_actions)], 0
        )


@ESTIMATORS
@SOURCES
@ALL
@pytest.mark.parametrize("damping", [1e-3, 1.0])
def test_damped_natural_gradients_of_all_methods_match_reference(mdp, kind, source, estimator, damping):
    policy = policy_for(mdp, kind)
    batch = batch_for(mdp, policy, source)
    gradient = nf.policy_gradient(policy, batch)
    fisher = nf.fisher_matrix(policy, batch, estimator=estimator)
    if not fisher.any():
        return  # the ridge is relative: nothing to damp
    damped = fisher + damping * np.trace(fisher) / policy.n_params * np.eye(policy.n_params)
    expected = np.linalg.solve(damped, gradient)
    methods = ["auto", "pinv", "cg", "cholesky"] + ["closed_form"] * (kind == "tabular" and estimator == "analytic")
    methods += ["regression"] * (estimator == "empirical")
    for method in methods:
        got = nf.natural_gradient(policy, batch, method=method, estimator=estimator, damping=damping, rtol=1e-13)
        close(got.direction, expected, 1e-9)
        assert got.status == "ok"


def test_undamped_cholesky_of_a_singular_matrix_is_refused():
    for kind in ("tabular", "log_linear"):
        policy = policy_for(MDPS["plain"], kind)
        got = nf.natural_gradient(policy, nf.exact_batch(MDPS["plain"], policy), method="cholesky")
        assert got.status == "negative_curvature"
        assert_array_equal(got.direction, 0)
    rng = np.random.default_rng(0)
    policy = nf.LogLinear(rng.normal(size=(5, 3, 4)))
    got = nf.natural_gradient(policy, nf.exact_batch(MDPS["plain"], policy), method="cholesky")
    assert (got.status, got.rank) == ("ok", 4)


def test_zero_advantages_are_a_zero_gradient():
    for kind in ("tabular", "log_linear"):
        policy = policy_for(MDPS["plain"], kind)
        exact = nf.exact_batch(MDPS["plain"], policy)
        batch = nf.Batch(exact.states, exact.actions, np.zeros(len(exact)), weights=exact.weights)
        for method in ("auto", "pinv", "cg", "regression"):
            got = nf.natural_gradient(policy, batch, method=method)
            assert (got.status, got.iterations) == ("zero_gradient", 0)
            assert_array_equal(got.direction, 0)


def test_closed_form_needs_a_tabular_policy_and_the_analytic_estimator():
    for kind, estimator in (("log_linear", "analytic"), ("tabular", "empirical")):
        policy = policy_for(MDPS["plain"], kind)
        with pytest.raises(ValueError, match=r"closed_form.*tabular.*analytic"):
            nf.natural_gradient(
                policy, nf.exact_batch(MDPS["plain"], policy), method="closed_form", estimator=estimator
            )


def test_underflowing_probabilities_do_not_freeze_the_closed_form():
    mdp = MDPS["plain"]
    policy = nf.TabularSoftmax(5, 3, np.tile([0.0, 900.0, -900.0], 5))
    batch = nf.exact_batch(mdp, policy)
    result = nf.evaluate(mdp, policy)
    centred = result.effective_horizon * (result.advantages - result.advantages.mean(axis=1, keepdims=True))
    centred[~mdp.reachable] = 0
    got = nf.natural_gradient(policy, batch)
    close(got.direction, centred.ravel(), 1e-12)
    assert got.status == "ok"


@pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e100, 1e200])
@pytest.mark.parametrize("kind", ["tabular", "log_linear"])
def test_natural_gradient_scales_with_the_rewards(kind, scale):
    mdp = MDPS["plain"]
    policy = policy_for(mdp, kind)
    exact = nf.exact_batch(mdp, policy)
    scaled = nf.Batch(
        exact.states,
        exact.actions,
        exact.advantages * scale,
        weights=exact.weights,
        effective_horizon=exact.effective_horizon,
        exhaustive=True,
    )
    assert_allclose(
        nf.policy_gradient(policy, scaled) / scale, nf.policy_gradient(policy, exact), rtol=1e-10, atol=1e-14
    )
    for method in ("auto", "pinv", "cg", "regression"):
        got = nf.natural_gradient(policy, scaled, method=method)
        assert got.status == "ok", method
        close(got.direction / scale, nf.natural_gradient(policy, exact, method=method).direction, 1e-9)


def test_exhaustive_batch_of_another_policy_is_not_taken_for_its_own():
    mdp = nf.problems.garnet(12, 3, 3, gamma=0.9, seed=2)
    batch = nf.exact_batch(mdp, nf.TabularSoftmax(12, 3))
    policy = nf.TabularSoftmax(12, 3, np.random.default_rng(0).normal(size=36))
    directions = [
        nf.natural_gradient(policy, batch, method=method, rtol=1e-13).direction
        for method in ("closed_form", "pinv", "cg")
    ]
    for direction in directions[1:]:
        np.testing.assert_allclose(direction, directions[0], rtol=1e-8, atol=1e-8 * np.abs(directions[0]).max())
