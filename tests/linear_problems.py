"""Random linear policies on observations and batches for them, on which their tests run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import npgfast as nf
from npgfast import features

# kind, observations, their dimension, outputs; sizes include 1 and are no multiples of the SIMD width
SIZES = [
    ("softmax", 1, 1, 1),
    ("softmax", 1, 2, 3),
    ("softmax", 9, 1, 1),
    ("softmax", 7, 3, 2),
    ("softmax", 13, 2, 9),
    ("softmax", 40, 2, 3),
    ("gaussian", 1, 1, 1),
    ("gaussian", 1, 2, 2),
    ("gaussian", 9, 2, 1),
    ("gaussian", 13, 3, 3),
    ("gaussian", 40, 2, 2),
]
ALL = pytest.mark.parametrize(("kind", "n", "dim", "k"), SIZES)
KINDS = pytest.mark.parametrize("kind", ["softmax", "gaussian"])


def make_policy(kind: str, dim: int, k: int, phi: features.FeatureMap | None = None, *, plain=False) -> nf.LinearPolicy:
    """A policy at a random theta, normalising its observations unless `plain`."""
    rng = np.random.default_rng([dim, k])
    phi = features.Linear(dim) if phi is None else phi
    normalizer = None if plain else nf.Normalizer(rng.normal(size=dim), 0.5 + rng.random(dim), limit=2.0)
    weights = rng.normal(size=phi.n_features * k)
    if kind == "softmax":
        return nf.LinearSoftmax(phi, k, weights, normalizer=normalizer)
    return nf.LinearGaussian(phi, k, np.append(weights, rng.uniform(-1.0, 0.5, k)), normalizer=normalizer)


def make_batch(policy: nf.LinearPolicy, n: int, *, same=False, seed: int = 0, **changes: Any) -> nf.Batch:
    """Actions of the policy, random advantages and weights; with `same` all observations are one."""
    rng = np.random.default_rng([seed, n, policy.observation_size])
    observations = 1.5 * rng.normal(size=(n, policy.observation_size))
    if same:
        observations[:] = observations[0]
    actions = policy.sample(observations, seed=seed)
    fields = {
        "weights": rng.dirichlet(np.ones(n)),
        "log_probs": policy.log_prob(observations, actions) + rng.normal(size=n) * 0.3,
        "effective_horizon": 2.5,
    }
    fields["log_probs"] = np.minimum(fields["log_probs"], 0.0 if policy.n_actions else np.inf)
    return nf.Batch(observations, actions, rng.normal(size=n), **{**fields, **changes})


def outputs_of(policy: nf.LinearPolicy) -> tuple[np.ndarray, np.ndarray | None]:
    """W and log_std as the reference takes them."""
    k = policy.n_actions or policy.action_size
    m = policy.feature_map.n_features
    return policy.theta[: m * k].reshape(m, k), None if policy.n_actions else policy.theta[m * k :]


def rows_of(reference, policy: nf.LinearPolicy, observations: np.ndarray) -> np.ndarray:
    """The reference's features of a policy on `features.Linear`."""
    if policy.normalizer is not None:
        given = policy.normalizer
        observations = reference.normalized_observations(observations, given.mean, given.std, given.limit)
    return reference.linear_features(observations, policy.feature_map.bias)


def derivative(function, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences, shape (d, ...)."""
    shifts = step * np.eye(theta.size)
    return np.array([(function(theta + s) - function(theta - s)) / (2 * step) for s in shifts])
