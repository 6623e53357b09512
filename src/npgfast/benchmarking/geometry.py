"""Fisher-vector products, natural gradients and the clipped surrogate."""

from functools import partial
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npgfast.batch import Batch
from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, Kernel, Parts, agree
from npgfast.features import Linear
from npgfast.geometry import clipped_surrogate, fisher_vector_product, natural_gradient
from npgfast.policies import LinearSoftmax, LogLinear
from npgfast.reference import loops, vectorized

__all__ = ["KERNELS"]

FloatArray = NDArray[np.float64]


def _observed(n: int, n_features: int, n_actions: int) -> tuple[LinearSoftmax, Batch, FloatArray]:
    """A softmax policy linear in the observation, a batch of the policy before an update, and the weights W."""
    generator = np.random.default_rng(5)
    observations = generator.normal(size=(n, n_features))
    old, step = (scale * generator.normal(size=(n_features, n_actions)) / n_features**0.5 for scale in (1.0, 0.2))
    actions = generator.integers(n_actions, size=n)
    batch = Batch(
        observations,
        actions,
        generator.normal(size=n),
        weights=generator.dirichlet(np.ones(n)),
        log_probs=vectorized.observed_log_probs(observations, actions, old),
        effective_horizon=10.0,
    )
    weights = old + step
    return LinearSoftmax(Linear(n_features, bias=False), n_actions, weights.ravel()), batch, weights


def _listed(n: int, n_features: int, n_actions: int) -> tuple[LogLinear, Batch]:
    """A log-linear policy and a batch that lists all of its n pairs of a state and an action."""
    generator = np.random.default_rng(0)
    n_states = max(1, n // n_actions)
    features = generator.normal(size=(n_states, n_actions, n_features))
    policy = LogLinear(features, 0.3 * generator.normal(size=n_features))
    weights = np.repeat(generator.dirichlet(np.ones(n_states)), n_actions) * policy.probs().ravel()
    states, actions = np.divmod(np.arange(n_states * n_actions), n_actions)
    return policy, Batch(states, actions, generator.normal(size=states.size), weights=weights / weights.sum())


def _linear_fisher(size: int) -> Parts:
    """Products as in a solve, the probabilities known: npgfast keeps them with the batch, the others are given them."""
    policy, batch, weights = _observed(size, 64, 8)
    vector = np.random.default_rng(6).normal(size=policy.n_params)
    arrays = (batch.states, vectorized.softmax(batch.states @ weights), batch.weights, vector.reshape(weights.shape))
    sides = {
        PYTHON: lambda: [_python_fisher_product(*arrays)],
        NUMPY: lambda: [_numpy_fisher_product(*arrays)],
        NPGFAST: lambda: [fisher_vector_product(policy, batch, vector)],
    }
    return sides, agree()


def _numpy_fisher_product(phi: FloatArray, probs: FloatArray, shares: FloatArray, vector: FloatArray) -> FloatArray:
    """sum_i w_i phi_i (x) (diag(p_i) - p_i p_i^T) V^T phi_i, as two matrix products."""
    slopes = phi @ vector
    slopes -= np.sum(probs * slopes, axis=1, keepdims=True)
    slopes *= probs
    slopes *= shares[:, None]
    result: FloatArray = phi.T @ slopes
    return result.ravel()


def _python_fisher_product(phi: FloatArray, probs: FloatArray, shares: FloatArray, vector: FloatArray) -> FloatArray:
    """As :func:`_numpy_fisher_product`, in plain Python."""
    directions = vector.T.tolist()
    total = [[0.0] * phi.shape[1] for _ in directions]
    for row, p, share in zip(phi.tolist(), probs.tolist(), shares.tolist(), strict=True):
        slopes = [sum(map(mul, row, direction)) for direction in directions]
        mean = sum(map(mul, p, slopes))
        for a, slope in enumerate(slopes):
            c = share * p[a] * (slope - mean)
            total[a] = [x + c * f for x, f in zip(total[a], row, strict=True)]
    return np.array(total).T.ravel()


def _log_linear_fisher(size: int) -> Parts:
    policy, batch = _listed(size, 16, 4)
    vector = np.random.default_rng(1).normal(size=policy.n_params)
    arrays = (policy.probs(), batch.states, batch.actions, batch.weights, vector)
    sides = {
        PYTHON: lambda: [loops.fisher_vector_product(*arrays, features=policy.features)],
        NUMPY: lambda: [vectorized.fisher_vector_product(*arrays, features=policy.features)],
        NPGFAST: lambda: [fisher_vector_product(policy, batch, vector)],
    }
    return sides, agree()


def _natural_gradient(size: int) -> Parts:
    policy, batch = _listed(size, 16, 4)

    def solved(reference: Any) -> list[FloatArray]:
        probs, pairs = policy.probs(), (batch.states, batch.actions, batch.weights)
        gradient = reference.policy_gradient(probs, *pairs, batch.advantages, batch.effective_horizon, policy.features)
        product = partial(reference.fisher_vector_product, probs, *pairs, features=policy.features)
        return [reference.conjugate_gradient(product, gradient, 10 * policy.n_params, 1e-10)[0]]

    sides = {
        PYTHON: lambda: solved(loops),
        NUMPY: lambda: solved(vectorized),
        NPGFAST: lambda: [natural_gradient(policy, batch, method="cg", rtol=1e-10).direction],
    }
    return sides, agree(rtol=1e-6, atol=1e-8)


def _clipped_surrogate(size: int) -> Parts:
    policy, batch, weights = _observed(size, 8, 4)
    old_log_probs = batch.log_probs

    def assembled(reference: Any) -> tuple[Any, ...]:
        pairs, rest = (batch.states, batch.actions), (batch.weights, batch.advantages, batch.effective_horizon)
        gradient = reference.observed_surrogate_gradient(*pairs, *rest, old_log_probs, 0.2, weights)
        log_probs = reference.observed_log_probs(*pairs, weights)
        value, clip_fraction, kl = reference.clipped_surrogate(log_probs, old_log_probs, *rest, 0.2)
        return value, gradient, clip_fraction, kl

    def ours() -> tuple[Any, ...]:
        found = clipped_surrogate(policy.with_theta(weights.ravel()), batch, clip_range=0.2)  # nothing of it is kept
        return found.value, found.gradient, found.clip_fraction, found.approx_kl

    return {PYTHON: lambda: assembled(loops), NUMPY: lambda: assembled(vectorized), NPGFAST: ours}, agree()


KERNELS = (
    Kernel(
        "fisher",
        "Fisher-vector product, linear softmax, 64 features, 8 actions",
        "samples",
        (100, 1_000, 10_000, 100_000),
        _linear_fisher,
    ),
    Kernel(
        "fisher-log-linear",
        "Fisher-vector product, 16 features, 4 actions",
        "samples",
        (100, 1_000, 10_000, 100_000),
        _log_linear_fisher,
    ),
    Kernel(
        "natural-gradient",
        "by conjugate gradients, log-linear, 16 features, 4 actions",
        "samples",
        (100, 1_000, 10_000, 100_000),
        _natural_gradient,
    ),
    Kernel(
        "surrogate",
        "clipped, with gradient, linear softmax, 8 features, 4 actions",
        "samples",
        (500, 5_000, 50_000),
        _clipped_surrogate,
    ),
)
