"""Softmax policies: parity with the reference, zero-mean scores, exact masks, extreme logits, files."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast.reference import loops, vectorized

SIZES = ((1, 1), (1, 3), (3, 1), (5, 2), (4, 9), (7, 17))


def random_mask(rng: np.random.Generator, n_states: int, n_actions: int) -> np.ndarray:
    mask = rng.random((n_states, n_actions)) < 0.6
    mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    return mask


def tabular(n_states: int, n_actions: int, *, masked: bool = True) -> nf.TabularSoftmax:
    rng = np.random.default_rng([n_states, n_actions])
    mask = random_mask(rng, n_states, n_actions) if masked else None
    return nf.TabularSoftmax(n_states, n_actions, 3 * rng.normal(size=(n_states, n_actions)), action_mask=mask)


def log_linear(n_states: int, n_actions: int, dim: int = 5, *, masked: bool = True) -> nf.LogLinear:
    rng = np.random.default_rng([n_states, n_actions, dim])
    features = rng.normal(size=(n_states, n_actions, dim))
    features[..., -1] = features[..., 0]  # deficient rank
    mask = random_mask(rng, n_states, n_actions) if masked else None
    offset = rng.normal(size=(n_states, n_actions))
    return nf.LogLinear(features, rng.normal(size=dim), offset=offset, action_mask=mask)


def reference_log_probs(policy: nf.SoftmaxPolicy) -> np.ndarray:
    """log pi of the reference, an offset counted as one more feature of weight 1."""
    if isinstance(policy, nf.TabularSoftmax):
        return loops.policy_log_probs(policy.theta.reshape(policy.n_states, -1), None, policy.action_mask)
    features, theta = policy.features, policy.theta
    if policy.offset is not None:
        features, theta = np.concatenate([features, policy.offset[..., None]], axis=2), np.append(theta, 1.0)
    return loops.policy_log_probs(theta, features, policy.action_mask)


def every_pair(policy: nf.SoftmaxPolicy) -> tuple[np.ndarray, np.ndarray]:
    return np.divmod(np.arange(policy.n_states * policy.n_actions), policy.n_actions)


POLICIES = [make(*size) for size in SIZES for make in (tabular, log_linear)]
ALL = pytest.mark.parametrize("policy", POLICIES, ids=repr)


@ALL
def test_probabilities_match_reference(policy):
    expected = reference_log_probs(policy)
    assert_allclose(policy.probs(), np.exp(expected), rtol=1e-13, atol=0)
    states, actions = every_pair(policy)
    assert_allclose(policy.log_prob(states, actions), expected.ravel(), rtol=1e-13, atol=1e-13)
    assert_allclose(policy.probs().sum(axis=1), 1.0, rtol=0, atol=1e-15 * policy.n_actions)
    p = np.exp(expected)
    assert_allclose(policy.entropy(), -np.sum(p * np.where(p > 0, expected, 0), axis=1), rtol=1e-12, atol=1e-13)
    assert_array_equal(policy.probs([0, 0]), policy.probs()[[0, 0]])


@ALL
def test_score_matches_reference_and_has_zero_mean(policy):
    states, actions = every_pair(policy)
    score = policy.score(states, actions)
    probs = policy.probs()
    if isinstance(policy, nf.TabularSoftmax):
        expected = np.array(
            [loops.score_tabular(probs, s, a) for s, a in zip(states.tolist(), actions.tolist(), strict=True)]
        )
        allowed = policy.action_mask.ravel()
        expected = expected * allowed  # a masked action's own logit is no parameter of anything
    else:
        expected = loops.score_log_linear(policy.features, probs, states, actions)
        allowed = policy.action_mask.ravel()
    assert_allclose(score[allowed], expected[allowed], rtol=1e-12, atol=1e-13)
    mean = np.einsum("sa,sad->sd", probs, score.reshape(policy.n_states, policy.n_actions, -1))
    assert_allclose(mean, 0.0, atol=1e-14 * max(1.0, np.abs(score).max()) * policy.n_actions)


@ALL
def test_score_is_gradient_of_log_prob(policy):
    states, actions = (x[policy.action_mask.ravel()] for x in every_pair(policy))
    score, step = policy.score(states, actions), 1e-6
    for k in range(0, policy.n_params, max(1, policy.n_params // 7)):
        shift = np.zeros(policy.n_params)
        shift[k] = step
        up, down = (policy.with_theta(policy.theta + sign * shift).log_prob(states, actions) for sign in (1, -1))
        assert_allclose((up - down) / (2 * step), score[:, k], rtol=1e-6, atol=1e-8)


def test_masked_actions_have_no_probability_and_no_gradient():
    policy = nf.TabularSoftmax(2, 3, [[1e308, 0, 1], [0, -5, 9]], action_mask=[[0, 1, 1], [1, 0, 0]])
    assert_array_equal(policy.probs()[~policy.action_mask], 0.0)
    assert_array_equal(policy.probs()[1], [1.0, 0.0, 0.0])
    assert_array_equal(policy.log_prob([0, 1], [0, 2]), [-np.inf, -np.inf])
    score = policy.score([0, 0, 1], [1, 2, 0])
    assert_array_equal(score[:, ~policy.action_mask.ravel()], 0.0)
    assert policy.entropy()[1] == 0.0


@pytest.mark.parametrize("size", [40.0, 745.0, 1e6, 1e308])
def test_extreme_logits_stay_finite(size):
    policy = nf.TabularSoftmax(3, 3, [[size, -size, 0], [size, size, -size], [-size, -size, -size]])
    probs = policy.probs()
    assert_allclose(probs, np.exp(vectorized.log_softmax(policy.theta.reshape(3, 3))), rtol=1e-13)
    assert_allclose(probs.sum(axis=1), 1.0, rtol=1e-15)
    assert_allclose(probs[2], 1 / 3, rtol=1e-15)
    assert np.isfinite(policy.entropy()).all()
    assert (policy.entropy() >= 0).all()
    assert_allclose(policy.entropy()[1:], [np.log(2), np.log(3)], rtol=1e-14)
    states, actions = every_pair(policy)
    logs = policy.log_prob(states, actions)
    assert np.isfinite(logs).all()
    assert (logs <= 0).all()
    assert np.isfinite(policy.score(states, actions)).all()
    assert_array_equal(policy.mode(), [0, 0, 0])
    assert set(policy.sample([0] * 100, seed=1).tolist()) == {0}


def test_overflowing_logits_of_features_are_an_error_that_names_the_state():
    policy = nf.LogLinear(np.array([[[0.0], [0.0]], [[1e200], [0.0]]]), [1e200])
    with pytest.raises(ValueError, match=r"theta: the logits of state 1"):
        policy.probs()


def test_log_probs_keep_their_digits_near_certainty():
    gap = 30.0
    policy = nf.TabularSoftmax(1, 2, [gap, 0.0])
    assert_allclose(policy.log_prob([0], [1])[0], -gap - np.log1p(np.exp(-gap)), rtol=1e-15)
    assert_allclose(policy.probs()[0, 1], np.exp(-gap) / (1 + np.exp(-gap)), rtol=1e-14)


def test_shifted_logits_give_the_same_policy():
    policy = tabular(5, 6)
    moved = policy.with_theta(policy.theta + np.repeat(np.arange(5.0) * 64, 6))
    assert_allclose(moved.probs(), policy.probs(), rtol=1e-12)


def test_mode_takes_the_lowest_of_ties():
    policy = nf.TabularSoftmax(2, 4, [[0, 2, 2, 1], [9, 9, 9, 9]], action_mask=[[1, 1, 1, 1], [0, 0, 1, 1]])
    assert_array_equal(policy.mode(), [1, 2])
    assert_array_equal(policy.mode([1, 0, 1]), [2, 1, 2])


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_sample_frequencies_pass_chi_square(seed):
    policy = nf.TabularSoftmax(
        3, 9, np.random.default_rng(5).normal(size=27), action_mask=np.arange(27).reshape(3, 9) % 4 > 0
    )
    n = 30_000
    probs = policy.probs()
    for s in range(3):
        counts = np.bincount(policy.sample(np.full(n, s), seed=seed), minlength=9)
        assert_array_equal(counts[probs[s] == 0], 0)
        possible = probs[s] > 0
        freedom = possible.sum() - 1
        ratio = np.sum((counts - n * probs[s])[possible] ** 2 / (n * probs[s][possible])) / freedom
        assert (np.cbrt(ratio) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom)) < 4.5  # Wilson and Hilferty


def test_sample_of_a_prefix_is_the_prefix_of_the_sample():
    policy = tabular(4, 9)
    states = np.arange(1000) % 4
    whole = policy.sample(states, seed=7)
    assert_array_equal(policy.sample(states[:37], seed=7), whole[:37])
    assert (policy.sample(states, seed=8) != whole).any()
    assert (policy.sample(states, seed=7 + 2**32) != whole).any()


def test_policies_are_immutable_and_copy_what_they_are_given():
    theta, mask = np.zeros((2, 2)), np.ones((2, 2), dtype=bool)
    features, offset, weights = np.ones((2, 2, 3)), np.zeros((2, 2)), np.zeros(3)
    policies = [
        nf.TabularSoftmax(2, 2, theta, action_mask=mask),
        nf.LogLinear(features, weights, offset=offset, action_mask=mask),
    ]
    before = pickle.dumps(policies)
    for array in (theta, mask, features, offset, weights):
        array[...] = 1 - array
    assert pickle.dumps(policies) == before
    for policy in policies:
        for array in (policy.theta, policy.action_mask, policy._table[1]):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        with pytest.raises(AttributeError, match="immutable"):
            policy.theta = np.zeros(4)
        with pytest.raises(AttributeError, match="immutable"):
            del policy.n_states
        result = policy.probs()
        result[...] = 7.0
        assert_allclose(policy.probs(), 0.5)


@ALL
def test_pickle_copy_and_files_round_trip_bit_for_bit(policy, tmp_path):
    path = tmp_path / "policy.safetensors"
    policy = policy.with_theta(policy.theta)  # with tables of this variant: others round differently
    policy.save(path)
    for other in (pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy), copy.copy(policy), nf.load_policy(path)):
        assert type(other) is type(policy)
        assert other == policy
        assert hash(other) == hash(policy)
        assert other.theta.tobytes() == policy.theta.tobytes()
        assert_array_equal(other.action_mask, policy.action_mask)
        assert other.probs().tobytes() == policy.probs().tobytes()
    assert policy != policy.with_theta(policy.theta + 1)


def test_signed_zero_and_subnormals_survive_a_file(tmp_path):
    policy = nf.TabularSoftmax(1, 3, [-0.0, 5e-324, 1e308])
    policy.save(tmp_path / "p")
    assert nf.load_policy(tmp_path / "p").theta.tobytes() == policy.theta.tobytes()


def test_damaged_policy_file_is_a_checkpoint_error(tmp_path):
    path = tmp_path / "policy.safetensors"
    nf.TabularSoftmax(1, 2, [1.0, 2.0]).save(path)
    whole = path.read_bytes()
    damaged = [whole[:k] for k in range(0, len(whole), 13)] + [whole + b"\0"]
    damaged += [whole[:k] + bytes([whole[k] ^ 4]) + whole[k + 1 :] for k in range(0, len(whole), 17)]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(nf.CheckpointError, match=r"policy\.safetensors"):
            nf.load_policy(path)
    nf.problems.two_state().save(path)
    with pytest.raises(nf.CheckpointError, match=r"holds a 'TabularMDP'"):
        nf.load_policy(path)
    with pytest.raises(OSError, match="No such file"):
        nf.load_policy(tmp_path / "absent")


def test_fifty_thousand_actions_sum_to_one():
    policy = nf.TabularSoftmax(1, 50_000, np.random.default_rng(0).normal(size=50_000))
    assert abs(policy.probs().sum() - 1) < 1e-12
    assert policy.mode()[0] == np.argmax(policy.theta)
