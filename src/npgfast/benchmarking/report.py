"""Measurements in words and as plain values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from npgfast.benchmarking.case import NPGFAST
from npgfast.benchmarking.timing import Measurement

__all__ = ["amount", "document", "duration", "times"]


def duration(seconds: float) -> str:
    """Write a time with its unit.

    Examples
    --------
    >>> duration(0.01234), duration(2e-7), duration(75.0)
    ('12.3 ms', '200 ns', '75.0 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.9995 * size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds * 1e9)} ns"


def amount(number: float) -> str:
    """Write a large number with the letter of its scale.

    Examples
    --------
    >>> amount(1.234e7), amount(999.0)
    ('12.3 M', '999')
    """
    for letter, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{_three_digits(number / size)} {letter}"
    return _three_digits(number)


def times(ratio: float) -> str:
    """Write a ratio.

    Examples
    --------
    >>> times(1234.5), times(12.34), times(0.5)
    ('1,234x', '12x', '0.5x')
    """
    return f"{ratio:,.0f}x" if ratio >= 9.95 else f"{ratio:.1f}x" if ratio >= 0.095 else f"{ratio:.2g}x"


def _three_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 99.95 else f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def document(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Plain values of every measurement.

    Returns
    -------
    list of dict
        ``kernel``, ``title``, ``size``, ``unit``; ``sides``: for each of them ``fastest`` and ``median`` (seconds per
        call), ``repeats`` and ``calls``, as in `Timing`, or None if it was not run; ``ratios``: how many times as long
        as npgfast each baseline takes, or None.
    """
    return [
        {
            "kernel": m.case.kernel,
            "title": m.case.title,
            "size": m.case.size,
            "unit": m.case.unit,
            "sides": {side: None if timing is None else asdict(timing) for side, timing in m.timings.items()},
            "ratios": {side: m.ratio(side) for side in m.timings if side != NPGFAST},
        }
        for m in measurements
    ]
