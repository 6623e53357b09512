"""A catalogue of wrong arguments, each with its named error; layouts that must not matter; the memory ring."""

from __future__ import annotations

import numpy as np
import pytest

import npgfast as nf

MDP = nf.problems.garnet(3, 2, 2, gamma=0.9, seed=0, termination=0.1)
TIMED = MDP.replace(horizon=4)
PI = nf.TabularSoftmax(3, 2, [0.0, 1, 2, 3, 4, 5])
OTHER = nf.TabularSoftmax(4, 2)
BATCH = nf.exact_batch(MDP, PI)
SMALL = nf.Batch([0, 1], [0, 1], [1.0, -1.0])
TWO = np.zeros((2, 2))
NO = np.zeros((2, 2), dtype=bool)
MASKED = np.ma.masked_array(np.zeros(6), mask=[0, 1, 0, 0, 0, 0])


def gae(**changes):
    arguments = {"rewards": TWO, "values": TWO, "terminated": NO, "truncated": NO, "bootstrap_values": TWO}
    return nf.gae(**{**arguments, "gamma": 0.9, "gae_lambda": 0.9, **changes})


def rollout(**changes):
    return nf.rollout(**{"env": MDP, "policy": PI, "n_steps": 3, "seed": 0, **changes})


def sample(**changes):
    return nf.sample_batch(**{"env": MDP, "policy": PI, "n_episodes": 3, "seed": 0, **changes})


def tabular(theta, **kwargs):
    return nf.TabularSoftmax(3, 2, theta, **kwargs)


V, T = ValueError, TypeError
# Bad arrays of real numbers of shape (6,): what is wrong with them shows for every argument that takes such an array.
REALS = {
    "complex": (np.zeros(6, complex), T, "{}: .*complex128"),
    "object": (np.zeros(6, object), T, "{}: .*object"),
    "text": (["1"] * 6, T, "{}: "),
    "bytes": (np.array([b"1"] * 6), T, "{}: "),
    "dates": (np.zeros(6, "M8[D]"), T, "{}: .*datetime"),
    "structured": (np.zeros(6, "f8,f8"), T, "{}: "),
    "masked": (MASKED, T, "{}: .*masked"),
    "list_of_masked": ([MASKED], T, "{}: .*masked"),
    "ragged": ([[1.0], [1.0, 2.0]], T, "{}: .*ragged"),
    "nan": (np.array([0, 0, 0, np.nan, 0, 0]), V, r"{}\[3\]=nan"),
    "infinite": (np.array([0, 0, -np.inf, 0, 0, 0]), V, r"{}\[2\]=-inf"),
    "long_double": (np.array([0, np.longdouble("1e4000")] + [0] * 4, np.longdouble), V, r"{}\[1\]=1e\+4000"),
    "half_infinite": (np.array([0, np.inf, 0, 0, 0, 0], np.float16), V, r"{}\[1\]=inf"),
    "big_integers": (np.array([2**53 + 1] + [0] * 5), V, r"{}\[0\]=9007199254740993"),
    "short": (np.zeros(5), V, r"{}: .*\(6,\).*\(5,\)"),
    "empty": (np.zeros(0), V, r"{}: .*\(0,\)"),
    "scalar": (1.0, V, "{}: "),
    "five_dimensions": (np.zeros((6, 1, 1, 1, 1)), V, "{}: .*5-d"),
}
TAKERS = {
    "theta": tabular,
    "vector": lambda v: nf.fisher_vector_product(PI, BATCH, v),
    "advantages": lambda v: nf.Batch(np.zeros(6, int), np.zeros(6, int), v),
    "weights": lambda v: nf.Batch(np.zeros(6, int), np.zeros(6, int), np.zeros(6), weights=v),
    "x0": lambda v: nf.conjugate_gradient(np.eye(6), np.ones(6), x0=v),
    "values": lambda v: nf.TabularBaseline(6, v),
    "targets": lambda v: nf.TabularBaseline(6).fit(np.arange(6), v),
}


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("fault", REALS)
def test_bad_real_arrays_are_named(taker, fault):
    value, error, text = REALS[fault]
    with pytest.raises(error, match=text.format(taker)):
        TAKERS[taker](value)


INTEGERS = {
    "negative": ([0, 0, -1], V, r"{}\[2\]=-1 outside \[0, "),
    "too_large": ([0, 99, 0], V, r"{}\[1\]=99 outside \[0, "),
    "above_31_bits": (np.array([0, 2**31, 0]), V, rf"{{}}\[1\]={2**31} outside"),
    "above_32_bits": (np.array([0, 2**40, 0]), V, rf"{{}}\[1\]={2**40} outside"),
    "unsigned": (np.array([2**64 - 1, 0, 0], np.uint64), V, rf"{{}}\[0\]={2**64 - 1} outside"),
    "float": (np.array([0.0, 1.7, 0]), T, "{}: .*integers.*float64"),
    "whole_float": (np.zeros(3), T, "{}: .*float64"),
    "nan": (np.array([0, np.nan, 0]), T, "{}: .*float64"),
    "none": (None, T, "{}: "),
    "masked": (np.ma.masked_array([0, 1, 0], mask=[0, 1, 0]), T, "{}: .*masked"),
    "two_dimensions": (np.zeros((3, 1), int), V, "{}: .*2-d"),
    "ragged": ([[0], [0, 1]], T, "{}: .*ragged"),
}
INDEXERS = {
    "states": PI.probs,
    "states ": lambda x: PI.sample(x, seed=0),
    "states  ": lambda x: nf.TabularBaseline(4).fit(x, np.zeros(3)),
    "states   ": lambda x: nf.LinearBaseline(np.eye(4)).predict(x),
    "actions": lambda x: PI.log_prob([0, 1, 2], x),
    "actions ": lambda x: PI.score([0, 1, 2], x),
    "batch.actions": lambda x: nf.policy_gradient(PI, nf.Batch([0, 1, 2], x, np.zeros(3))),
    "batch.states": lambda x: nf.fisher_matrix(PI, nf.Batch(x, [0, 1, 1], np.zeros(3))),
}


@pytest.mark.parametrize("indexer", INDEXERS)
@pytest.mark.parametrize("fault", INTEGERS)
def test_bad_indices_are_named(indexer, fault):
    if fault == "none" and indexer in ("states", "states "):
        return  # None stands for all states of a policy
    value, error, text = INTEGERS[fault]
    name = indexer.strip()
    built_first = name.startswith("batch.") and fault != "too_large"  # a Batch refuses the rest itself
    with pytest.raises(
        error, match=text.format(name.removeprefix("batch.") if built_first else name.replace(".", r"\."))
    ):
        INDEXERS[indexer](value)


def numbers(low: float, high: float) -> tuple:
    """Values outside [low, high], and things that are no numbers."""
    return (
        (low - 0.1, V),
        (high + 0.1, V),
        (np.nan, V),
        (np.inf, V),
        ("1", T),
        (None, T),
        (True, T),
        (1j, T),
        ([0.5], V),
    )


SCALARS = [
    (name, value, error, call)
    for name, call, values in (
        ("tau", lambda x: nf.evaluate(MDP, PI, tau=x), numbers(0, np.inf)),
        ("tau", lambda x: nf.solve(MDP, tau=x), numbers(0, np.inf)),
        ("tau", lambda x: sample(tau=x), numbers(0, np.inf)),
        ("tol", lambda x: nf.solve(MDP, tol=x), (*numbers(0, np.inf), (0.0, V))),
        ("gamma", lambda x: gae(gamma=x), numbers(0, 1)),
        ("gae_lambda", lambda x: gae(gae_lambda=x), numbers(0, 1)),
        ("gae_lambda", lambda x: sample(gae_lambda=x), numbers(0, 1)),
        ("damping", lambda x: nf.natural_gradient(PI, BATCH, damping=x), numbers(0, np.inf)),
        ("damping", lambda x: nf.fisher_vector_product(PI, BATCH, np.zeros(6), damping=x), numbers(0, np.inf)),
        ("rtol", lambda x: nf.conjugate_gradient(np.eye(2), [1.0, 1], rtol=x), numbers(0, np.inf)),
        ("clip_range", lambda x: nf.clipped_surrogate(PI, BATCH, clip_range=x), (*numbers(0, 1), (0, V), (1, V))),
        ("effective_horizon", lambda x: nf.Batch([0], [0], [0.0], effective_horizon=x), (*numbers(0, np.inf), (0, V))),
        ("ridge", lambda x: nf.LinearBaseline(np.eye(2), ridge=x), numbers(0, np.inf)),
    )
    for value, error in values
]


@pytest.mark.parametrize(
    ("name", "value", "error", "call"), SCALARS, ids=[f"{i}-{n}={v}" for i, (n, v, *_) in enumerate(SCALARS)]
)
def test_bad_numbers_are_named(name, value, error, call):
    with pytest.raises(error, match=f"^{name}"):
        call(value)


COUNTS = [
    (name, call, allowed)
    for name, call, allowed in (
        ("n_states", lambda x: nf.TabularSoftmax(x, 2), ()),
        ("n_actions", lambda x: nf.TabularSoftmax(2, x), ()),
        ("n_states", nf.TabularBaseline, ()),
        ("seed", lambda x: PI.sample([0], seed=x), (0,)),
        ("seed", lambda x: rollout(seed=x), (0,)),
        ("seed", lambda x: sample(seed=x), (0,)),
        ("n_steps", lambda x: rollout(n_steps=x), ()),
        ("n_envs", lambda x: rollout(n_envs=x), ()),
        ("n_episodes", lambda x: rollout(n_steps=None, n_episodes=x), ()),
        ("n_threads", lambda x: rollout(n_threads=x), ()),
        ("max_iterations", lambda x: nf.solve(MDP, max_iterations=x), ()),
        ("max_iters", lambda x: nf.conjugate_gradient(np.eye(2), [1.0, 1], max_iters=x), (0,)),
    )
]


@pytest.mark.parametrize(("name", "call", "allowed"), COUNTS, ids=[f"{i}-{n}" for i, (n, *_) in enumerate(COUNTS)])
@pytest.mark.parametrize("value", [True, -1, 0, 1e3, np.float64(3.0), "3", 2**64, [1]], ids=repr)
def test_bad_counts_are_named(name, call, allowed, value):
    if value is not True and value in (*allowed, 2**64 if name.startswith("max_") else None):
        return
    with pytest.raises((TypeError, ValueError), match=f"^{name}"):
        call(value)
