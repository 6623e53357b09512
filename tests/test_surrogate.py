"""Surrogates and divergences: parity with the reference, derivatives, sixty digits, masks."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose

import npgfast as nf
from npgfast.reference import loops


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
SOURCES = pytest.mark.parametrize("source", ["exact", "sampled"])


def batch_for(mdp, policy, source: str) -> nf.Batch:
    if source == "exact":
        return nf.exact_batch(mdp, policy)
    values = nf.evaluate(mdp, policy).values
    return nf.sample_batch(mdp, policy, n_episodes=15, seed=3, baseline=values)


def features_of(policy) -> np.ndarray | None:
    return policy.features if isinstance(policy, nf.LogLinear) else None


def close(left, right, rtol=1e-10) -> None:
    assert_allclose(left, right, rtol=rtol, atol=rtol * max(1e-3, np.abs(right).max(initial=0)))


@SOURCES
@ALL
def test_surrogates_match_reference(mdp, kind, source):
    policy, new = policy_for(mdp, kind), policy_for(mdp, kind, 5)
    batch = batch_for(mdp, policy, source)
    used = batch.weights > 0
    s, a = batch.states[used], batch.actions[used]
    terms = (batch.log_probs[used], batch.weights[used], batch.advantages[used], batch.effective_horizon)
    logs, place = new.log_prob(s, a), (terms[0], s, a, *terms[1:])
    got = nf.surrogate(new, batch)
    assert_allclose(got.value, loops.surrogate(logs, *terms), rtol=1e-11, atol=1e-13)
    close(got.gradient, loops.surrogate_gradient(new.probs(), *place, features_of(new)))
    for clip_range in (0.05, 0.2, 0.9):
        clipped = nf.clipped_surrogate(new, batch, clip_range=clip_range)
        value, fraction, approx_kl = loops.clipped_surrogate(logs, *terms, clip_range)
        assert_allclose([clipped.value, clipped.clip_fraction], [value, fraction], rtol=1e-11, atol=1e-12)
        assert_allclose(clipped.approx_kl, approx_kl, rtol=1e-10, atol=1e-15)
        close(clipped.gradient, loops.clipped_surrogate_gradient(new.probs(), *place, clip_range, features_of(new)))
        assert clipped.value <= got.value + 1e-12
    for surrogate in (nf.surrogate(policy, batch), nf.clipped_surrogate(policy, batch)):
        close(surrogate.gradient, nf.policy_gradient(policy, batch), 1e-12)


@ALL
def test_surrogate_gradients_are_derivatives(mdp, kind):
    policy, new = policy_for(mdp, kind), policy_for(mdp, kind, 5)
    batch = batch_for(mdp, policy, "sampled")
    for function in (nf.surrogate, nf.clipped_surrogate):
        gradient = function(new, batch).gradient
        for k in range(new.n_params):
            shift = 1e-6 * np.eye(new.n_params)[k]
            up, down = (function(new.with_theta(new.theta + x), batch).value for x in (shift, -shift))
            assert_allclose((up - down) / 2e-6, gradient[k], rtol=1e-6, atol=1e-7)


@SOURCES
@ALL
def test_divergence_matches_reference(mdp, kind, source):
    policy, new = policy_for(mdp, kind), policy_for(mdp, kind, 5)
    batch = batch_for(mdp, policy, source)
    expected = loops.kl_divergence(policy.probs(), new.probs(), batch.states, batch.weights)
    assert_allclose(nf.kl_divergence(policy, new, batch), expected, rtol=1e-11, atol=1e-14)
    assert nf.kl_divergence(policy, policy, batch) == 0.0


def exact_divergence(old: list[float], new: list[float]) -> float:
    """KL of two softmax rows in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        rows = [[Decimal(x) for x in row] for row in (old, new)]
        totals = [sum(x.exp() for x in row).ln() for row in rows]
        logs = [[x - total for x in row] for row, total in zip(rows, totals, strict=True)]
        return float(sum(p.exp() * (p - q) for p, q in zip(*logs, strict=True)))


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-5, 1e-7, 1e-9])
def test_divergence_of_nearly_equal_policies_keeps_its_digits(step):
    rng = np.random.default_rng(0)
    batch = nf.Batch([0], [0], [0.0])
    for scale in (1.0, 10.0):
        old = scale * rng.normal(size=5)
        new = old + step * rng.normal(size=5)
        got = nf.kl_divergence(nf.TabularSoftmax(1, 5, old), nf.TabularSoftmax(1, 5, new), batch)
        # A log-probability carries an error of some ulps of the largest logit, which meets a log-ratio of size `step`.
        assert_allclose(got, exact_divergence(old.tolist(), new.tolist()), rtol=1e-11 + 64 * scale * 2.0**-52 / step)


@pytest.mark.parametrize("gap", [30.0, 700.0, 740.0, 2000.0])
def test_divergence_between_nearly_certain_policies_is_finite(gap):
    batch = nf.Batch([0], [0], [0.0])
    certain, fair, other = ([0.0, -gap], [0.0, 0.0], [-gap, 0.0])
    for old, new in ((certain, fair), (fair, certain), (certain, other)):
        got = nf.kl_divergence(nf.TabularSoftmax(1, 2, old), nf.TabularSoftmax(1, 2, new), batch)
        assert_allclose(got, exact_divergence(old, new), rtol=1e-12)


def test_divergence_is_infinite_where_the_new_policy_masks_what_the_old_one_does():
    batch = nf.Batch([0, 1], [0, 0], [0.0, 0.0], weights=[1.0, 0.0])
    open_, shut = nf.TabularSoftmax(2, 2), nf.TabularSoftmax(2, 2, action_mask=[[1, 0], [1, 1]])
    assert nf.kl_divergence(open_, shut, batch) == np.inf
    assert_allclose(nf.kl_divergence(shut, open_, batch), np.log(2), rtol=1e-15)
    unvisited = nf.TabularSoftmax(2, 2, action_mask=[[1, 1], [1, 0]])
    assert nf.kl_divergence(open_, unvisited, batch) == 0.0


def test_ratios_decide_what_is_clipped():
    old = nf.TabularSoftmax(1, 2)
    new = nf.TabularSoftmax(1, 2, [np.log(3.0), 0.0])  # probabilities 3/4 and 1/4, ratios 3/2 and 1/2
    for action, advantage, zeroed in (
        (0, 1.0, True),
        (0, -1.0, False),
        (1, 1.0, False),
        (1, -1.0, True),
        (0, 0.0, False),
    ):
        batch = nf.Batch([0], [action], [advantage], log_probs=old.log_prob([0], [action]), effective_horizon=4.0)
        got, plain = nf.clipped_surrogate(new, batch, clip_range=0.2), nf.surrogate(new, batch)
        assert got.clip_fraction == float(zeroed)
        ratio = (1.5, 0.5)[action]
        assert_allclose(plain.value, 4 * ratio * advantage, rtol=1e-14)
        if zeroed:
            assert not got.gradient.any()
            assert_allclose(got.value, 4 * (1.2 if advantage > 0 else 0.8) * advantage, rtol=1e-14)
        else:
            assert_allclose(got.gradient, plain.gradient, rtol=1e-14)
            assert_allclose(got.value, plain.value, rtol=1e-14)
        assert_allclose(got.approx_kl, ratio - 1 - np.log(ratio), rtol=1e-12)


def test_huge_log_ratios_stay_finite():
    new = nf.TabularSoftmax(1, 2, [0.0, -800.0])
    for action, old in ((1, -1e-3), (0, -800.0)):
        for advantage in (1.0, -1.0, 0.0):
            batch = nf.Batch([0], [action], [advantage], log_probs=[old])
            got = nf.clipped_surrogate(new, batch)
            assert np.isfinite([got.value, got.clip_fraction]).all()
            assert np.isfinite(got.gradient).all()
            assert not np.isnan(got.approx_kl)


def test_surrogate_without_log_probs_is_an_error():
    batch = nf.Batch([0], [1], [1.0])
    for function in (nf.surrogate, nf.clipped_surrogate):
        with pytest.raises(ValueError, match=r"batch\.log_probs"):
            function(nf.TabularSoftmax(1, 2), batch)
