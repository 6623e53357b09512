"""What is timed: one kernel at one size, by three sides that give the same answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["NPGFAST", "NUMPY", "PYTHON", "SIDES", "Case", "Kernel", "Parts", "Sides", "agree", "require"]

# The pure-Python and the NumPy baseline (npgfast.reference.loops and .vectorized), and the library itself.
PYTHON, NUMPY, NPGFAST = SIDES = ("Python", "NumPy", "npgfast")

Sides = Mapping[str, Callable[[], Any]]
Check = Callable[[Mapping[str, Any]], None]
Parts = tuple[Sides, Check]


@dataclass(frozen=True, eq=False)
class Case:
    """One kernel at one size.

    Attributes
    ----------
    kernel : str
        Its name, a key of `npgfast.benchmarking.KERNELS`.
    title : str
        What is computed.
    size : int
        How many units one call works through.
    unit : str
        What the size counts: steps, samples, states.
    sides : dict of str to callable
        "Python", "NumPy" and "npgfast": each, called without arguments, does the work once and returns its answer.
    check : callable
        Takes the answers {side: answer} of "npgfast" and of any others; AssertionError where they differ.
    """

    kernel: str
    title: str
    size: int
    unit: str
    sides: Sides
    check: Check


@dataclass(frozen=True)
class Kernel:
    """A kernel and the sizes at which it is timed.

    Attributes
    ----------
    name, title, unit : str
        As in `Case`.
    sizes : tuple of int
        Ascending, three or more.
    make : callable
        Sides and check at a size; the data that they work on are made here.
    power : int
        The baselines' time grows with this power of the size.
    """

    name: str
    title: str
    unit: str
    sizes: tuple[int, ...]
    make: Callable[[int], Parts]
    power: int = 1

    def case(self, size: int) -> Case:
        """Make the case of this size, which need not be one of `sizes`."""
        sides, check = self.make(size)
        return Case(self.name, self.title, size, self.unit, sides, check)

    def cases(self) -> Iterator[Case]:
        """Make the cases of all sizes, one after another."""
        return map(self.case, self.sizes)


def require(holds: Any, message: str) -> None:
    """Raise AssertionError unless something holds, under ``python -O`` as well."""
    if not holds:
        raise AssertionError(message)


def agree(rtol: float = 1e-9, atol: float = 1e-12) -> Check:
    """Check that the numbers or arrays of every answer equal those of npgfast."""

    def check(answers: Mapping[str, Any]) -> None:
        for side, answer in answers.items():
            for found, expected in zip(answers[NPGFAST], answer, strict=True):
                require(np.shape(found) == np.shape(expected), f"{NPGFAST} and {side} differ in shape")
                difference = np.abs(np.subtract(found, expected))
                close = np.all(difference <= atol + rtol * np.abs(expected))
                require(close, f"{NPGFAST} and {side} differ by {np.max(difference):.3g}")

    return check
