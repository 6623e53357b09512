"""Analytic Fisher-vector products of log-linear policies on an exact batch of n = S * A rows; work in products."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from problems import random_log_linear

import npgfast as nf
from npgfast.reference import loops, vectorized

TITLE = "Fisher-vector product, log-linear (products per second)"
SCALE = 1.0
N_ACTIONS = 4


def cases() -> Iterator[tuple[str, float, dict[str, Callable[[], Any]]]]:
    """Name, work and sides of each size; the answers are checked first."""
    for n_states, n_features in ((25, 16), (250, 16), (2_500, 16), (25_000, 16), (25_000, 64)):
        policy = random_log_linear(n_states, N_ACTIONS, n_features)
        generator = np.random.default_rng(1)
        weights = np.repeat(generator.dirichlet(np.ones(n_states)), N_ACTIONS) * policy.probs().ravel()
        states, actions = np.divmod(np.arange(n_states * N_ACTIONS), N_ACTIONS)
        batch = nf.Batch(states, actions, np.zeros(states.size), weights=weights / weights.sum())
        vector = generator.normal(size=n_features)
        probs, features = policy.probs(), policy.features

        def ours(policy=policy, batch=batch, vector=vector) -> Any:
            return nf.fisher_vector_product(policy, batch, vector)

        def numpy_reference(probs=probs, batch=batch, vector=vector, features=features) -> Any:
            return vectorized.fisher_vector_product(
                probs, batch.states, batch.actions, batch.weights, vector, features=features
            )

        def python_loops(probs=probs, batch=batch, vector=vector, features=features) -> Any:
            return loops.fisher_vector_product(
                probs, batch.states, batch.actions, batch.weights, vector, features=features
            )

        np.testing.assert_allclose(ours(), numpy_reference(), rtol=1e-9, atol=1e-12)
        if n_states <= 2_500:
            np.testing.assert_allclose(python_loops(), numpy_reference(), rtol=1e-9, atol=1e-12)
        sides = {"npgfast": ours, "NumPy": numpy_reference, "Python loops": python_loops}
        yield f"n = {states.size}, {n_features} features", 1.0, sides
