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


@dataclass(frozen=True)
class Checked:
    """A schedule with the interval that its values must lie in; an upper end of inf lets infinite values pass."""

    name: str
    schedule: Schedule
    low: float = 0.0
    high: float = np.inf
    low_open: bool = True

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            high_open = np.isfinite(self.high)
            _validate.real(
                self.name, self.schedule, low=self.low, high=self.high, low_open=self.low_open, high_open=high_open
            )

    def values(self, first: int, n: int) -> NDArray[np.float64]:
        """The numbers of iterations first, ..., first + n - 1."""
        if not callable(self.schedule):
            return np.full(n, float(self.schedule))
        out = np.empty(n)
        for i in range(n):
            value = self.schedule(first + i)
            if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
                msg = f"{self.name}({first + i}): expected a number, got {type(value).__name__}"
                raise TypeError(msg)
            below = value <= self.low if self.low_open else value < self.low
            if np.isnan(value) or below or (np.isfinite(self.high) and value >= self.high):
                interval = f"{'(' if self.low_open else '['}{self.low:g}, {self.high:g})"
                msg = f"{self.name}({first + i})={value}: expected a number in {interval}"
                raise ValueError(msg)
            out[i] = value
        return out
