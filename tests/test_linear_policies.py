"""Linear policies on observations: parity with the reference, scores, draws, values that can be stored."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from linear_problems import ALL, KINDS, derivative, make_batch, make_policy, outputs_of, rows_of
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core, features
from npgfast.reference import loops, vectorized

BOTH = pytest.mark.parametrize("reference", [loops, vectorized], ids=["loops", "vectorized"])


@BOTH
@ALL
def test_log_probs_scores_and_entropies_match_reference(reference, kind, n, dim, k):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    pairs, output = (batch.states, batch.actions), outputs_of(policy)
    rows = rows_of(reference, policy, batch.states)
    assert_allclose(policy.log_prob(*pairs), reference.observed_log_probs(rows, batch.actions, *output), atol=1e-12)
    assert_allclose(policy.score(*pairs), reference.observed_scores(rows, batch.actions, *output), atol=1e-12)
    assert_allclose(policy.entropy(batch.states), reference.observed_entropies(rows, *output), atol=1e-12)
    if kind == "softmax":
        assert_allclose(policy.probs(batch.states).sum(axis=1), 1, rtol=1e-14)


@ALL
def test_score_is_the_derivative_of_log_prob(kind, n, dim, k):
    policy = make_policy(kind, dim, k, features.RandomFourier(dim, n_waves=5))
    pairs = make_batch(policy, n).states, make_batch(policy, n).actions
    numeric = derivative(lambda theta: policy.with_theta(theta).log_prob(*pairs), policy.theta)
    assert_allclose(policy.score(*pairs), numeric.T, rtol=1e-7, atol=1e-7)


def test_mean_score_is_zero():
    policy = make_policy("softmax", 3, 5)
    x = make_batch(policy, 7).states
    scores = [policy.score(x, np.full(7, a)) * policy.probs(x)[:, a : a + 1] for a in range(5)]
    assert_allclose(np.sum(scores, axis=0), 0, atol=1e-14)
    policy = make_policy("gaussian", 3, 1)
    nodes, shares = np.polynomial.hermite_e.hermegauss(5)
    scores = [
        policy.score(x, policy.mode(x) + np.exp(policy.log_std) * z) * w for z, w in zip(nodes, shares, strict=True)
    ]
    assert_allclose(np.sum(scores, axis=0), 0, atol=1e-12)


@KINDS
@pytest.mark.parametrize("phi", [features.Linear(2), features.Polynomial(2, degree=3), features.TileCoding(2)])
def test_actions_are_drawn_from_the_policy(kind, phi):
    policy = make_policy(kind, 2, 3, phi)
    x = np.tile([[0.3, -0.2]], (40_000, 1))
    actions = policy.sample(x, seed=5)
    assert_array_equal(actions, policy.sample(x, seed=5))
    assert_array_equal(actions[:7], policy.sample(x[:7], seed=5))
    assert (actions != policy.sample(x, seed=6)).any()
    if kind == "softmax":
        probs = policy.probs(x[:1])[0]
        assert_allclose(np.bincount(actions, minlength=3) / len(x), probs, atol=0.012)
        assert policy.mode(x[:1]) == probs.argmax()
        return
    mean, std = outputs_of(policy)[0].T @ policy.features(x[:1])[0], np.exp(policy.log_std)
    assert_allclose(policy.mode(x[:1])[0], mean, rtol=1e-13)
    assert_allclose(((actions - mean) / std).mean(axis=0), 0, atol=0.025)
    assert_allclose(np.cov(((actions - mean) / std).T), np.eye(3), atol=0.04)


@KINDS
def test_log_probs_of_drawn_actions_are_those_of_the_policy(kind):
    policy = make_policy(kind, 3, 2, features.RandomFourier(3, n_waves=9))
    x = make_batch(policy, 33).states
    drawn, log_probs = _core.act(policy._native, policy.theta, x, 3, 0, np.zeros(33, dtype=np.uint32))
    assert_array_equal(policy._cast(drawn), policy.sample(x, seed=3))
    assert_allclose(log_probs, policy.log_prob(x, policy._cast(drawn)), rtol=1e-12, atol=1e-13)


def test_ties_of_the_mode_go_to_the_lowest_action():
    assert_array_equal(nf.LinearSoftmax(2, 5).mode(np.ones((3, 2))), 0)


def test_extreme_logits_give_certain_actions_and_overflow_is_named():
    policy = nf.LinearSoftmax(1, 2, [800.0, -800.0, 0.0, 0.0])
    x = [[1.0], [-1.0]]
    assert_array_equal(policy.probs(x), np.eye(2))
    assert_allclose(policy.log_prob(x, [1, 0]), -1600)
    assert_array_equal(policy.entropy(x), 0)
    wild = nf.LinearSoftmax(1, 2, [1e308, -1e308, 0.0, 0.0])
    for call in (wild.probs, wild.entropy, lambda o: wild.log_prob(o, [0, 0]), lambda o: wild.score(o, [0, 0])):
        with pytest.raises(ValueError, match=r"theta: the logits of observations\[1\] overflow"):
            call([[0.0], [1e10]])


def variants() -> list[nf.LinearPolicy]:
    scaled = nf.Normalizer([1.0, 2.0], [0.5, 3.0], count=7.0, limit=4.0)
    return [
        nf.LinearSoftmax(2, 3),
        nf.LinearSoftmax(2, 3, np.arange(9.0)),
        nf.LinearSoftmax(2, 3, np.arange(9.0), normalizer=scaled),
        nf.LinearSoftmax(features.Polynomial(2), 3, np.arange(18.0), normalizer=scaled),
        nf.LinearSoftmax(features.Fourier(2, order=1, low=(-1.0, -2.0)), 3),
        nf.LinearSoftmax(features.RandomFourier(2, n_waves=3, seed=9), 3),
        nf.LinearSoftmax(features.TileCoding(2, n_tiles=2, n_tilings=2), 3),
        nf.LinearGaussian(2, 2),
        nf.LinearGaussian(2, 2, np.arange(8.0) / 8, normalizer=scaled),
        nf.LinearGaussian(2, 2, initial_log_std=[-1.0, 0.5]),
        nf.LinearGaussian(2, 2, initial_log_std=7.0, log_std_bounds=None),
        nf.LinearGaussian(2, 2, log_std_bounds=(-1.0, 1.0)),
    ]


def test_policies_are_values(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 2))
    for i, policy in enumerate(variants()):
        policy.save(tmp_path / "policy.safetensors")
        restored = nf.load_policy(tmp_path / "policy.safetensors")
        for twin in (restored, copy.copy(policy), copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
            assert (twin, hash(twin), repr(twin)) == (policy, hash(policy), repr(policy))
            assert_array_equal(twin.mode(x), policy.mode(x))
            assert_array_equal(twin.features(x), policy.features(x))
            assert twin._log_std_bounds == policy._log_std_bounds
        assert [policy == other for other in variants()] == [i == j for j in range(len(variants()))]


def test_equal_policies_have_equal_hashes():
    for left, right in (
        (nf.LinearSoftmax(1, 2, [0.0, -0.0, 1.0, 2.0]), nf.LinearSoftmax(1, 2, [-0.0, 0.0, 1.0, 2.0])),
        (nf.TabularSoftmax(1, 2, [0.0, -0.0]), nf.TabularSoftmax(1, 2)),
    ):
        assert (left, hash(left)) == (right, hash(right))


@KINDS
def test_policies_are_immutable_and_share_nothing(kind):
    theta = make_policy(kind, 2, 2).theta.copy()
    policy = make_policy(kind, 2, 2).with_theta(theta)
    theta[:] = 9
    assert (policy.theta != 9).any()
    with pytest.raises(ValueError, match="read-only"):
        policy.theta[0] = 1
    for name in ("theta", "normalizer", "new"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(policy, name, None)
    policy.features(np.zeros((1, 2)))  # which keeps what the core takes
    other = policy.with_normalizer(None)
    assert other.normalizer is None
    assert_array_equal(other.features([[1.0, 2.0]]), [[1, 2, 1]])
    assert_array_equal(policy.with_normalizer(policy.normalizer).features([[1.0, 2.0]]), policy.features([[1.0, 2.0]]))


def test_log_std_stays_inside_its_bounds():
    policy = nf.LinearGaussian(1, 2, log_std_bounds=(-1.0, 1.0))
    theta = policy.theta.copy()
    theta[-1] = 1.5
    for make in (policy.with_theta, lambda t: nf.LinearGaussian(1, 2, t, log_std_bounds=(-1.0, 1.0))):
        with pytest.raises(ValueError, match=r"log_std\[1\]=1.5 outside log_std_bounds \[-1.0, 1.0\]"):
            make(theta)
    assert nf.LinearGaussian(1, 2, log_std_bounds=None).with_theta(theta).log_std[1] == 1.5


V, T = ValueError, TypeError
NAN = [0.0, np.nan, 0.0, 0.0]
SCALED = nf.Normalizer([0.0], [1.0])
SOFTMAX, GAUSSIAN = nf.LinearSoftmax(1, 2), nf.LinearGaussian(1, 2)
ONE = [[0.0]]
REFUSED = {
    "map": (lambda: nf.LinearSoftmax("linear", 2), T, "feature_map: expected one of npgfast.features"),
    "map_bool": (lambda: nf.LinearSoftmax(True, 2), T, "feature_map: "),
    "actions_zero": (lambda: nf.LinearSoftmax(1, 0), V, "n_actions=0"),
    "action_dim": (lambda: nf.LinearGaussian(1, 0), V, "action_dim=0"),
    "theta_short": (lambda: nf.LinearSoftmax(1, 2, [0.0]), V, r"theta: .*\(4,\).*to match the feature map"),
    "theta_nan": (lambda: nf.LinearSoftmax(1, 2, NAN), V, r"theta\[1\]=nan"),
    "with_theta_nan": (lambda: SOFTMAX.with_theta(NAN), V, r"theta\[1\]=nan"),
    "with_theta_short": (lambda: SOFTMAX.with_theta([0.0]), V, r"theta: .*to match the policy"),
    "normalizer": (lambda: nf.LinearSoftmax(1, 2, normalizer=3), T, "normalizer: expected a Normalizer"),
    "normalizer_size": (lambda: nf.LinearSoftmax(2, 2, normalizer=SCALED), V, "normalizer: 1 dimensions, .* have 2"),
    "log_std": (lambda: nf.LinearGaussian(1, 1, initial_log_std=3.0), V, r"log_std\[0\]=3.0 outside log_std_bounds"),
    "log_std_nan": (lambda: nf.LinearGaussian(1, 1, initial_log_std=np.nan), V, "initial_log_std=nan"),
    "log_std_size": (lambda: nf.LinearGaussian(1, 1, initial_log_std=[0.0, 0.0]), V, "initial_log_std: "),
    "bounds": (lambda: nf.LinearGaussian(1, 1, log_std_bounds=3), T, "log_std_bounds: expected two numbers"),
    "bounds_order": (lambda: nf.LinearGaussian(1, 1, log_std_bounds=(1.0, 0.0)), V, r"log_std_bounds\[1\]"),
    "observation_nan": (lambda: SOFTMAX.probs([[0.0], [np.nan]]), V, r"observations\[1, 0\]=nan"),
    "observation_flat": (lambda: SOFTMAX.mode([0.0]), V, "observations: expected 2-d"),
    "observation_wide": (lambda: GAUSSIAN.entropy([[0.0, 1.0]]), V, r"observations: .*\(1, 2\)"),
    "action_large": (lambda: SOFTMAX.log_prob(ONE, [2]), V, r"actions\[0\]=2 outside \[0, 2\)"),
    "action_float": (lambda: SOFTMAX.score(ONE, [0.0]), T, "actions: expected an array of integers"),
    "action_count": (lambda: SOFTMAX.score(ONE, [0, 1]), V, "actions: .*one for each observation"),
    "action_flat": (lambda: GAUSSIAN.log_prob(ONE, [0.0]), V, "actions: expected 2-d"),
    "action_wide": (lambda: GAUSSIAN.score(ONE, [[0.0]]), V, r"actions: .*\(1, 2\)"),
    "action_nan": (lambda: GAUSSIAN.log_prob(ONE, [[0.0, np.nan]]), V, r"actions\[0, 1\]=nan"),
    "seed": (lambda: GAUSSIAN.sample(ONE, seed=-1), V, "seed=-1"),
}


@pytest.mark.isa_independent
@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_make_no_sense_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    from npgfast import storage

    path = tmp_path / "policy.safetensors"
    settings = {"class": "LinearSoftmax", "n_actions": 2, "feature_map": {"class": "Linear", "dim": 1, "bias": True}}
    for wrong in (
        {**settings, "feature_map": {"class": "Cubic", "dim": 1}},
        {**settings, "feature_map": {"class": "Linear", "dim": 1, "extra": 1}},
        {**settings, "n_actions": 3},
        {**settings, "normalizer": {"count": 1.0, "limit": 10.0}},
        {key: value for key, value in settings.items() if key != "feature_map"},
    ):
        storage.save(path, "policy", {"theta": np.zeros(4)}, wrong)
        with pytest.raises(nf.CheckpointError, match="not a policy"):
            nf.load_policy(path)
    storage.save(path, "policy", {"theta": np.zeros(4)}, settings)
    assert nf.load_policy(path) == nf.LinearSoftmax(1, 2)
