"""Kernels, their pure-Python and NumPy baselines, and a clock: what ``npgfast bench`` runs.

The baselines are `npgfast.reference.loops` and `npgfast.reference.vectorized`. A case holds the three sides as
callables and a check of their answers; measuring one checks first.

Examples
--------
>>> from npgfast import benchmarking
>>> case = benchmarking.KERNELS["gae"].case(1_000)
>>> case.check({name: side() for name, side in case.sides.items()})
>>> benchmarking.measure(case, repeats=5).ratio("NumPy") > 0.0
True
"""

from collections.abc import Iterable, Iterator

from npgfast.benchmarking import exact, geometry, sampling, updates
from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, SIDES, Case, Kernel
from npgfast.benchmarking.machine import environment
from npgfast.benchmarking.timing import REPEATS, Measurement, Timing, WrongAnswer, measure, measure_all

__all__ = [
    "KERNELS",
    "NPGFAST",
    "NUMPY",
    "PYTHON",
    "REPEATS",
    "SIDES",
    "Case",
    "Kernel",
    "Measurement",
    "Timing",
    "WrongAnswer",
    "cases",
    "environment",
    "measure",
    "measure_all",
]

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for stage in (sampling, geometry, updates, exact) for kernel in stage.KERNELS
}


def cases(names: Iterable[str] | None = None) -> Iterator[Case]:
    """Make the cases of the named kernels (default all) at all their sizes, one after another."""
    for name in KERNELS if names is None else names:
        yield from KERNELS[name].cases()
