"""Tests for pytest-benchmark out of the cases of npgfast.benchmarking."""

from collections.abc import Callable
from typing import Any

import pytest

from npgfast.benchmarking import KERNELS, NPGFAST, PYTHON, SIDES

ROUNDS, BASELINE_ROUNDS = 7, 3


def suite(name: str, larger: tuple[int, ...] = ()) -> Callable[..., None]:
    """A test of one kernel: at each size each side is checked against npgfast, then timed.

    `larger` are sizes beyond those of the case, for npgfast alone; the pure-Python side gets the smallest.
    """
    kernel = KERNELS[name]
    sized = [
        (size, side)
        for size in kernel.sizes + larger
        for side in SIDES
        if (side != PYTHON or size == kernel.sizes[0]) and (side == NPGFAST or size not in larger)
    ]

    @pytest.mark.parametrize(("size", "side"), sized, ids=[f"{size}-{side}" for size, side in sized])
    def test(benchmark: Any, size: int, side: str) -> None:
        case = kernel.case(size)
        case.check({name: case.sides[name]() for name in dict.fromkeys((NPGFAST, side))})
        benchmark.group = f"{name}, {size:,} {kernel.unit}"
        benchmark.extra_info |= {"kernel": name, "size": size, "side": side}
        benchmark.pedantic(case.sides[side], rounds=ROUNDS if side == NPGFAST else BASELINE_ROUNDS, warmup_rounds=1)

    return test
