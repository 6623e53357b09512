"""The clock: check the answers, then time all sides in turn."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, Case, Kernel

__all__ = ["Measurement", "Timing", "WrongAnswer", "measure", "measure_all"]

REPEATS = 7
# Seconds: a baseline expected to take longer for one call is not run; the repeats of a side may take so long together;
# and short calls are made in a row until they fill a slice.
LONGEST, BUDGET, SLICE = 2.0, 0.6, 0.002
TICK = 1e-9  # what a clock that has not moved is taken for


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
        Fewer for a slow side.
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
        Of each side, after a first call that gives its answer and is not timed; fewer where one takes more than a
        tenth of a second. Of pure Python, which needs no warm-up, the first call is the timing if it takes much longer.
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
        first[name] = max(time.perf_counter() - started, TICK)
    try:
        case.check(answers)
    except AssertionError as error:
        msg = f"{case.kernel}, {case.size:,} {case.unit}: wrong answer: {error}"
        raise WrongAnswer(msg) from error
    del answers
    rounds = {name: min(repeats, max(name != PYTHON, int(BUDGET / first[name]))) for name in sides}
    calls = {name: _calls_in_a_slice(case, name) if rounds[name] == repeats else 1 for name in sides}
    spent: dict[str, list[float]] = {name: [] if rounds[name] else [first[name]] for name in sides}
    for k in range(repeats):
        for name in sides:
            if k < rounds[name]:
                spent[name].append(_seconds(case, name, calls[name]))
    timings: dict[str, Timing | None] = dict.fromkeys(case.sides)
    timings |= {name: Timing(min(s), median(s), len(s), calls[name]) for name, s in spent.items()}
    return Measurement(case, timings)


def measure_all(kernels: Sequence[Kernel], repeats: int = REPEATS, *, quick: bool = False) -> Iterator[Measurement]:
    """Measure kernels at all their sizes, or at the smallest.

    A baseline is not run where it should take more than two seconds, judged by the size before.
    """
    for kernel in kernels:
        pace: dict[str, float] = defaultdict(float)
        for size in kernel.sizes[: 1 if quick else None]:
            case = kernel.case(size)
            too_slow = [name for name in (PYTHON, NUMPY) if pace[name] * size**kernel.power > LONGEST]
            measurement = measure(case, repeats, skip=too_slow)
            yield measurement
            for name, timing in measurement.timings.items():
                pace[name] = float("inf") if timing is None else timing.fastest / size**kernel.power


def _seconds(case: Case, side: str, calls: int) -> float:
    call = case.sides[side]
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return max(time.perf_counter() - started, TICK) / calls


def _calls_in_a_slice(case: Case, side: str) -> int:
    return max(1, int(SLICE / _seconds(case, side, 1)))
