"""Numbers that change over a run: a constant, or a function of the iteration."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate

__all__ = ["Geometric", "Linear", "Schedule"]

Schedule = float | Callable[[int], float]


@dataclass(frozen=True)
class Geometric:
    """initial * ratio**k at iteration k = 0, 1, ...

    Exact natural policy gradients with such steps converge linearly (Xiao, JMLR 23(282), 2022).

    >>> Geometric(1.0, 2.0)(3)
    8.0
    """

    initial: float
    ratio: float

    def __post_init__(self) -> None:
        _validate.real("initial", self.initial, low=0.0, low_open=True)
        _validate.real("ratio", self.ratio, low=0.0, low_open=True)

    def __call__(self, iteration: int) -> float:
        with np.errstate(over="ignore"):
            return float(np.float64(self.initial) * np.float64(self.ratio) ** iteration)


@dataclass(frozen=True)
class Linear:
    """From initial to final over n_iterations, then final.

    >>> Linear(1.0, 0.0, 4)(1), Linear(1.0, 0.0, 4)(9)
    (0.75, 0.0)
    """

    initial: float
    final: float
    n_iterations: int

    def __post_init__(self) -> None:
        _validate.real("initial", self.initial)
        _validate.real("final", self.final)
        _validate.integer("n_iterations", self.n_iterations, low=1)

    def __call__(self, iteration: int) -> float:
        share = min(iteration / self.n_iterations, 1.0)
        return self.initial + share * (self.final - self.initial)


def check(name: str, value: Schedule, *, low: float, low_open: bool = False, high: float = np.inf) -> Schedule:
    """Check a schedule's constant, or that it is callable; what a callable returns is checked by `values`."""
    if callable(value):
        return value
    return _validate.real(name, value, low=low, low_open=low_open, high=high)


def values(name: str, schedule: Schedule, first: int, n: int) -> NDArray[np.float64]:
    """The schedule at iterations first, ..., first + n - 1; infinite values pass, for the optimiser to report."""
    if not callable(schedule):
        return np.full(n, float(schedule))
    out = np.empty(n)
    for i in range(n):
        value = schedule(first + i)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            msg = f"{name}({first + i}): expected a number, got {type(value).__name__}"
            raise TypeError(msg)
        if np.isnan(value) or value < 0.0:
            msg = f"{name}({first + i})={value}: expected a nonnegative number"
            raise ValueError(msg)
        out[i] = value
    return out
