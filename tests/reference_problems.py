"""Random problems on which the tests of the oracle run, and the agreement of its two implementations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from npgfast.reference import loops, vectorized

BOTH = pytest.mark.parametrize("reference", [loops, vectorized], ids=["loops", "vectorized"])


@dataclass(frozen=True)
class Problem:
    """A random problem, a policy on it and features for it."""

    arrays: tuple[Any, ...]
    mask: np.ndarray | None
    theta: np.ndarray
    features: np.ndarray

    def objective(self, theta: np.ndarray, features: np.ndarray | None = None, tau: float = 0.0) -> float:
        probs = vectorized.policy_probs(theta, features, self.mask)
        return float(vectorized.evaluate(*self.arrays, probs, tau)["objective"])


def make_problem(seed, n_states, n_actions, *, gamma=0.9, horizon=None, ending=False, masked=False) -> Problem:
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.full(n_states, 0.5), (n_states, n_actions))
    termination = rng.uniform(0.05, 0.5, (n_states, n_actions)) if ending else np.zeros((n_states, n_actions))
    transitions *= 1 - termination[:, :, None]
    mask = None
    if masked:
        mask = rng.random((n_states, n_actions)) < 0.6
        mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    arrays = (
        transitions,
        rng.normal(size=(n_states, n_actions)),
        termination,
        rng.dirichlet(np.ones(n_states)),
        gamma,
        horizon,
    )
    dim = max(1, n_states * n_actions // 3)
    return Problem(arrays, mask, rng.normal(size=(n_states, n_actions)), rng.normal(size=(n_states, n_actions, dim)))


CASES = {
    "one_state_one_action": make_problem(0, 1, 1),
    "bandit": make_problem(1, 1, 3, gamma=0.5),
    "one_action": make_problem(2, 3, 1, ending=True),
    "discounted": make_problem(3, 5, 3),
    "masked": make_problem(4, 6, 4, gamma=0.8, masked=True),
    "episodic": make_problem(5, 4, 3, gamma=1.0, ending=True),
    "episodic_masked": make_problem(6, 5, 3, gamma=0.95, ending=True, masked=True),
    "horizon": make_problem(7, 4, 3, gamma=1.0, horizon=5),
    "horizon_one": make_problem(8, 3, 2, gamma=0.9, horizon=1, masked=True),
    "horizon_ending": make_problem(9, 3, 3, gamma=0.9, horizon=7, ending=True, masked=True),
}

ALL = pytest.mark.parametrize("problem", CASES.values(), ids=CASES.keys())


def same(left: Any, right: Any, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            same(left[key], right[key], rtol, atol)
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for x, y in zip(left, right, strict=True):
            same(x, y, rtol, atol)
    elif isinstance(left, (str, list)):
        assert left == right
    else:
        assert np.shape(left) == np.shape(right)
        assert_allclose(left, right, rtol=rtol, atol=atol)


def agree(name: str, *args: Any, rtol: float = 1e-9, atol: float = 1e-10, **kwargs: Any) -> Any:
    """Assert that loops and NumPy give the same, and return it."""
    result = getattr(vectorized, name)(*args, **kwargs)
    same(getattr(loops, name)(*args, **kwargs), result, rtol, atol)
    return result


def central_difference(function, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    gradient = np.zeros(theta.size)
    for k in range(theta.size):
        shift = np.zeros(theta.size)
        shift[k] = step
        shift = shift.reshape(theta.shape)
        gradient[k] = (function(theta + shift) - function(theta - shift)) / (2 * step)
    return gradient


def batch_of(problem: Problem, probs: np.ndarray, tau: float = 0.0) -> dict[str, Any]:
    return vectorized.exact_batch(*problem.arrays, probs, tau)


def pairs_of(batch: dict[str, Any]) -> tuple[Any, ...]:
    return batch["states"], batch["actions"], batch["weights"]


def full(batch: dict[str, Any]) -> tuple[Any, ...]:
    return (*pairs_of(batch), batch["advantages"], batch["effective_horizon"])


def uniform(problem: Problem) -> np.ndarray:
    return vectorized.softmax(np.zeros_like(problem.theta), problem.mask)
