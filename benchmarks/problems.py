"""Problems, sizes and the clock that the benchmarks share."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

import npgfast as nf

REPEATS = 7
LONGEST = 2.0  # seconds; a side that takes longer for one call is not timed at that size


@dataclass(frozen=True)
class Timing:
    """Seconds of one side: the fastest call and the median."""

    fastest: float
    median: float


def interleaved(sides: Mapping[str, Callable[[], Any]]) -> dict[str, Timing | None]:
    """Time all sides in turn, after one call each that warms up; None for a side that is too slow for this size."""
    seconds: dict[str, list[float]] = {}
    for name, call in sides.items():
        started = time.perf_counter()
        call()
        if time.perf_counter() - started <= LONGEST:
            seconds[name] = []
    for _ in range(REPEATS):
        for name, spent in seconds.items():
            started = time.perf_counter()
            sides[name]()
            spent.append(time.perf_counter() - started)
    return {name: Timing(min(seconds[name]), median(seconds[name])) if name in seconds else None for name in sides}


def arrays(mdp: nf.TabularMDP) -> tuple[Any, ...]:
    """A problem as the reference takes it: P, rewards, termination, mu, gamma."""
    return mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma


def random_policy(n_states: int, n_actions: int, seed: int = 0) -> nf.TabularSoftmax:
    """A tabular policy with standard normal logits."""
    return nf.TabularSoftmax(n_states, n_actions, np.random.default_rng(seed).normal(size=(n_states, n_actions)))


def random_log_linear(n_states: int, n_actions: int, n_features: int, seed: int = 0) -> nf.LogLinear:
    """A log-linear policy with standard normal features and small weights."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(n_states, n_actions, n_features))
    return nf.LogLinear(features, 0.3 * generator.normal(size=n_features))
