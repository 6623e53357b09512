"""The clock: check the answers, then time all sides in turn."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from npgfast.benchmarking.case import NPGFAST, Case, Kernel

__all__ = ["Measurement", "Timing", "WrongAnswer", "measure", "measure_all"]

REPEATS = 7
# Seconds: a side expected to take longer for one call is not run; one that takes longer than ONCE is not repeated; and
# short calls are made in a row until they fill a SLICE.
LONGEST, ONCE, SLICE = 4.0, 0.25, 0.002


class WrongAnswer(Exception):
    """Two sides of a case give different answers."""


@dataclass(frozen=True)
class Timing:
    """Seconds per call of one side.

    Attributes
    ----------
    fastest, median : float
        Over the repeats.
    repeats : int
        1 for a side too slow to be run again after the call that gave its answer.
    calls : int
        Calls in a row that a repeat averages, where one is short.
    """

    fastest: float
    median: float
    repeats: int
    calls: int


@dataclass(frozen=True, eq=False)
class Measurement:
    """What the sides of a case took.

    Attributes
    ----------
    case : Case
    timings : dict of str to Timing or None
        By side; None for one that was not run, because it was expected to take too long.
    """

    case: Case
    timings: Mapping[str, Timing | None]

    def ratio(self, side: str) -> float | None:
        """How many times as long as npgfast a side takes, by their fastest repeats; None if it was not run."""
        theirs, ours = self.timings[side], self.timings[NPGFAST]
        return None if theirs is None or ours is None else theirs.fastest / ours.fastest


def measure(case: Case, repeats: int = REPEATS, *, skip: Sequence[str] = ()) -> Measurement:
    """Check the answers of all sides, then time the sides in turn.

    Parameters
    ----------
    case : Case
    repeats : int
        Of every side that takes at most a quarter of a second; a slower one has been timed by its first call.
    skip : sequence of str
        Sides not to run.

    Returns
    -------
    Measurement

    Raises
    ------
    WrongAnswer
        If the answers differ.
    """
    sides = {name: side for name, side in case.sides.items() if name not in skip}
    answers, first = {}, {}
    for name, side in sides.items():
        started = time.perf_counter()
        answers[name] = side()
        first[name] = time.perf_counter() - started
    try:
        case.check(answers)
    except AssertionError as error:
        msg = f"{case.kernel}, {case.size:,} {case.unit}: wrong answer: {error}"
        raise WrongAnswer(msg) from error
    del answers
    spent: dict[str, list[float]] = {name: [] for name in sides if first[name] <= ONCE}
    calls = {name: _calls_in_a_slice(case, name) for name in spent}
    for _ in range(repeats):
        for name, seconds in spent.items():
            seconds.append(_seconds(case, name, calls[name]))
    timings: dict[str, Timing | None] = dict.fromkeys(case.sides)
    for name in sides:
        timings[name] = (
            Timing(min(spent[name]), median(spent[name]), repeats, calls[name])
            if name in spent
            else Timing(first[name], first[name], 1, 1)
        )
    return Measurement(case, timings)


def measure_all(kernels: Sequence[Kernel], repeats: int = REPEATS, *, quick: bool = False) -> Iterator[Measurement]:
    """Measure kernels at all their sizes, or at the smallest.

    A side is not run where a linear cost would take it more than four seconds, judged by the size before.
    """
    for kernel in kernels:
        pace: dict[str, float] = defaultdict(float)
        for size in kernel.sizes[: 1 if quick else None]:
            case = kernel.case(size)
            too_slow = [name for name in case.sides if pace[name] * size > LONGEST]
            measurement = measure(case, repeats, skip=too_slow)
            yield measurement
            for name, timing in measurement.timings.items():
                pace[name] = float("inf") if timing is None else timing.fastest / size


def _seconds(case: Case, side: str, calls: int) -> float:
    call = case.sides[side]
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls


def _calls_in_a_slice(case: Case, side: str) -> int:
    return max(1, int(SLICE / max(_seconds(case, side, 1), 1e-9)))
