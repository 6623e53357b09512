"""PPO's minibatches on observations against a NumPy twin made of the reference's observed surrogates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core
from npgfast.reference import vectorized as reference

OPTIONS = {
    "clip_range": 0.2,
    "learning_rate": 0.03,
    "entropy_coefficient": 0.01,
    "max_gradient_norm": 0.1,
    "target_kl": 0.0,
    "n_epochs": 2,
    "minibatch_size": 0,
    "normalize_advantages": 0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-7,
    "seed": 7,
    "iteration": 3,
}


def problem(n, kind, *, dim=7, n_outputs=4):
    """A policy, and a batch that a policy nearby collected; some entries have no weight."""
    rng = np.random.default_rng([n, dim, n_outputs])
    phi = nf.features.Linear(dim)
    size = phi.n_features * n_outputs
    if kind == "softmax":
        policy = nf.LinearSoftmax(phi, n_outputs, rng.normal(size=size))
        actions = rng.integers(n_outputs, size=n)
    else:
        policy = nf.LinearGaussian(phi, n_outputs, np.concatenate([rng.normal(size=size), np.full(n_outputs, -0.3)]))
        actions = rng.normal(size=(n, n_outputs))
    observations, weights = rng.normal(size=(n, dim)), rng.random(n)
    weights[1::5] = 0.0
    log_probs = policy.log_prob(observations, actions) + 0.3 * rng.normal(size=n)
    if kind == "softmax":
        log_probs = np.minimum(log_probs, -1e-3)
    return policy, nf.Batch(
        observations, actions, rng.normal(size=n), weights=weights / weights.sum(), log_probs=log_probs
    )


def native_update(policy, batch, options):
    moments = np.zeros(policy.n_params), np.zeros(policy.n_params)
    return _core.ppo_update(*policy._on(batch), policy.theta.copy(), *moments, 0.0, options, 1)


def shuffled(n, options, epoch):
    """The order that the core documents, from Philox alone."""
    counters = np.zeros((n, 4), dtype=np.uint64)
    counters[:, 0], counters[:, 1], counters[:, 3] = np.arange(n), epoch, options["iteration"] << 4 | 3
    words = iter(reference.philox4x32(counters, [options["seed"], 0]).ravel().tolist())
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j, rest = divmod(next(words) * (i + 1), 2**32)
        while rest < 2**32 % (i + 1):
            j, rest = divmod(next(words) * (i + 1), 2**32)
        order[[i, j]] = order[[j, i]]
    return order


def twin(policy, batch, options):
    """Epochs of minibatches in NumPy."""
    phi, is_softmax, n = policy.features(batch.observations), policy.n_actions > 0, len(batch)
    size, shape = options["minibatch_size"] or n, (phi.shape[1], policy.n_actions or policy.action_size)
    theta, first, second, t = policy.theta.copy(), 0.0, 0.0, 0
    advantages = np.array(batch.advantages)
    if options["normalize_advantages"] == 1:
        advantages = reference.normalize_advantages(advantages, batch.weights)
    for epoch in range(options["n_epochs"]):
        order = shuffled(n, options, epoch) if size < n else np.arange(n)
        for part in np.split(order, range(size, n, size)):
            w, A, x = batch.weights[part] * n / part.size, advantages[part], phi[part]
            if options["normalize_advantages"] == 2 and part.size > 1:
                A = reference.normalize_advantages(A, w / w.sum())
            W, log_std = theta[: np.prod(shape)].reshape(shape), None if is_softmax else theta[np.prod(shape) :]
            g = reference.observed_surrogate_gradient(
                x, batch.actions[part], w, A, 1.0, batch.log_probs[part], options["clip_range"], W, log_std
            )
            if is_softmax:
                logs = reference.log_softmax(x @ W)
                entropy = -np.sum(np.exp(logs) * logs, axis=1, keepdims=True)
                bonus = (x.T @ (-w[:, None] * np.exp(logs) * (logs + entropy))).ravel()
            else:
                bonus = np.concatenate([np.zeros(np.prod(shape)), np.full(shape[1], w.sum())])
            g = g + options["entropy_coefficient"] * bonus
            g = g * min(1.0, options["max_gradient_norm"] / max(np.linalg.norm(g), 1e-300))
            t += 1
            first = options["adam_beta1"] * first + (1 - options["adam_beta1"]) * g
            second = options["adam_beta2"] * second + (1 - options["adam_beta2"]) * g**2
            scaled = first / (1 - options["adam_beta1"] ** t)
            root = np.sqrt(second / (1 - options["adam_beta2"] ** t))
            theta = theta + options["learning_rate"] * scaled / (root + options["adam_epsilon"])
    return theta


@pytest.mark.parametrize("kind", ["softmax", "gaussian"])
@pytest.mark.parametrize("n_outputs", [1, 3, 4, 7])
@pytest.mark.parametrize(("n", "size"), [(2, 1), (63, 0), (130, 0), (321, 64), (1000, 100), (257, 256)])
def test_minibatches_equal_their_numpy_twin(n, size, n_outputs, kind):
    policy, batch = problem(n, kind, n_outputs=n_outputs)
    for normalize in (0, 1, 2):
        if n == 2 and normalize:
            continue  # one entry has all the weight
        options = {**OPTIONS, "minibatch_size": size, "normalize_advantages": normalize}
        if n_outputs == 1 and kind == "softmax":
            assert_array_equal(native_update(policy, batch, options)[0], policy.theta)  # nothing to choose
            continue
        theta, status, n_steps, *_ = native_update(policy, batch, options)
        assert status == 0
        assert n_steps == 2 * -(-n // (size or n))
        assert_allclose(theta, twin(policy, batch, options), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["softmax", "gaussian"])
@pytest.mark.parametrize("n", [1, 64, 203])
def test_clipped_surrogate_equals_reference(n, kind):
    policy, batch = problem(n, kind)
    phi, shape = policy.features(batch.observations), (8, 4)
    W, log_std = policy.theta[:32].reshape(shape), None if kind == "softmax" else policy.theta[32:]
    for clip_range in (0.05, 0.2):
        got = nf.clipped_surrogate(policy, batch, clip_range=clip_range)
        expected = reference.observed_surrogate_gradient(
            phi, batch.actions, batch.weights, batch.advantages, 1.0, batch.log_probs, clip_range, W, log_std
        )
        assert_allclose(got.gradient, expected, rtol=1e-11, atol=1e-12)
        ratio = np.exp(reference.observed_log_probs(phi, batch.actions, W, log_std) - batch.log_probs)
        assert_allclose(got.approx_kl, batch.weights @ (ratio - 1 - np.log(ratio)), rtol=1e-10, atol=1e-14)


def test_what_is_not_finite_leaves_theta_and_moments_alone():
    policy, batch = problem(300, "softmax")
    features, tables, native = policy._on(batch)
    theta, moments = np.full(policy.n_params, np.nan), (np.ones(policy.n_params), np.ones(policy.n_params))
    result = _core.ppo_update(features, tables, native, theta, *moments, 5.0, {**OPTIONS, "minibatch_size": 64}, 1)
    assert nf.Status(list(nf.Status)[result[1]]) == "non_finite"
    assert result[2] == 5.0
    assert (moments[0] == 1.0).all()
    assert (moments[1] == 1.0).all()


def test_bits_do_not_depend_on_where_the_moments_lie_in_memory():
    policy, batch = problem(300, "softmax", n_outputs=3)
    results = set()
    for k in range(8):
        moments = [np.zeros(policy.n_params + 8)[k : k + policy.n_params] for _ in range(2)]
        options = {**OPTIONS, "minibatch_size": 64, "n_epochs": 5}
        results.add(_core.ppo_update(*policy._on(batch), policy.theta, *moments, 0.0, options, 1)[0].tobytes())
    assert len(results) == 1
