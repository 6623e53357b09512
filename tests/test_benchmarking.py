"""The benchmarks' cases and clock: answers that agree, answers that do not, and what is timed how often."""

import dataclasses
import io
from types import SimpleNamespace

import numpy as np
import pytest

from npgfast import Trajectories, benchmarking
from npgfast.benchmarking import NPGFAST, NUMPY, PYTHON, Case, Kernel, picture, timing
from npgfast.cli.settings import KERNELS

# What the kernels compute is tested elsewhere, on every variant.
pytestmark = pytest.mark.isa_independent


def case_of(sides, size=1, check=lambda _: None):
    return Case("idle", "doing nothing", size, "steps", sides, check)


def kernel_of(make, sizes=(1, 10, 100), power=1):
    return Kernel("idle", "doing nothing", "steps", sizes, make, power)


def altered(answer):
    """An answer that is wrong in its first part."""
    if isinstance(answer, Trajectories):
        return dataclasses.replace(answer, states=np.roll(answer.states, 1, axis=0))
    return [np.asarray(answer[0]) + 0.01, *answer[1:]]


def test_command_line_names_the_kernels():
    assert tuple(benchmarking.KERNELS) == KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_check_accepts_all_sides_and_notices_a_wrong_answer(name):
    kernel = benchmarking.KERNELS[name]
    assert len(kernel.sizes) >= 3
    assert list(kernel.sizes) == sorted(set(kernel.sizes))
    case = kernel.case(kernel.sizes[0])
    answers = {side: case.sides[side]() for side in (PYTHON, NUMPY, NPGFAST)}
    assert list(case.sides) == list(answers)
    case.check(answers)
    with pytest.raises(AssertionError, match=NPGFAST):
        case.check({**answers, NPGFAST: altered(answers[NPGFAST])})


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("name", KERNELS)
def test_cases_can_be_made_at_any_size(name, size):
    case = benchmarking.KERNELS[name].case(size)
    case.check({side: case.sides[side]() for side in (NUMPY, NPGFAST)})


def test_cases_are_those_of_all_sizes():
    sizes = [(case.kernel, case.size) for case in benchmarking.cases(["gae", "solve"])]
    assert sizes == [(name, size) for name in ("gae", "solve") for size in benchmarking.KERNELS[name].sizes]


@pytest.fixture
def takes(monkeypatch):
    """Make a side that takes so many seconds by a clock of its own, and counts its calls."""
    now, calls = [0.0], []
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def make(seconds, side):
        def call():
            calls.append(side)
            now[0] += seconds

        return call

    make.calls = calls
    return make


def test_sides_take_turns_after_one_call_each(takes):
    sides = {side: takes(0.003, side) for side in (PYTHON, NUMPY, NPGFAST)}
    measured = benchmarking.measure(case_of(sides), 5)
    turn = [PYTHON, NUMPY, NPGFAST]
    assert takes.calls == turn + turn + 5 * turn  # the answers, how long a call is, the repeats
    assert [t.repeats for t in measured.timings.values()] == [5, 5, 5]


def test_ratio_is_of_the_fastest_calls(takes):
    sides = {PYTHON: takes(0.03, PYTHON), NUMPY: takes(0.01, NUMPY), NPGFAST: takes(2.0**-15, NPGFAST)}
    measured = benchmarking.measure(case_of(sides), 3)
    theirs = measured.timings[NUMPY]
    assert (theirs.fastest, theirs.median, theirs.repeats) == (pytest.approx(0.01), pytest.approx(0.01), 3)
    assert measured.timings[NPGFAST].calls == 65  # so many fill two milliseconds
    assert measured.ratio(NUMPY) == pytest.approx(0.01 * 2**15)
    assert measured.ratio(PYTHON) == pytest.approx(0.03 * 2**15)


def test_slow_sides_are_repeated_less_and_python_not_at_all(takes):
    sides = {PYTHON: takes(0.8, PYTHON), NUMPY: takes(0.8, NUMPY), NPGFAST: takes(0.25, NPGFAST)}
    measured = benchmarking.measure(case_of(sides), 7)
    assert [takes.calls.count(side) for side in sides] == [1, 2, 3]
    assert [measured.timings[side].repeats for side in sides] == [1, 1, 2]
    assert measured.timings[PYTHON].fastest == pytest.approx(0.8)


def test_baselines_that_would_take_too_long_are_not_run(takes):
    def make(size):
        sides = {PYTHON: takes(0.2 * size, PYTHON), NUMPY: takes(0.01, NUMPY), NPGFAST: takes(9.0 * size, NPGFAST)}
        return sides, lambda _: None

    linear = list(benchmarking.measure_all([kernel_of(make)], 1))
    assert [m.timings[PYTHON] is None for m in linear] == [False, False, True]
    assert linear[2].ratio(PYTHON) is None
    assert all(m.timings[side] is not None for m in linear for side in (NUMPY, NPGFAST))
    square = list(benchmarking.measure_all([kernel_of(make, power=2)], 1))
    assert [m.timings[PYTHON] is None for m in square] == [False, True, True]
    assert len(list(benchmarking.measure_all([kernel_of(make)], 1, quick=True))) == 1


def test_wrong_answer_says_where():
    sides = {PYTHON: lambda: [1.0], NUMPY: lambda: [1.0], NPGFAST: lambda: [1.5]}
    case = case_of(sides, 1_000, benchmarking.KERNELS["solve"].case(2).check)
    with pytest.raises(benchmarking.WrongAnswer, match=r"^idle, 1,000 steps: wrong answer: npgfast and .* by 0\.5$"):
        benchmarking.measure(case)


@pytest.mark.parametrize("wrong", [[np.nan, 1.0], [1.0], [[1.0, 1.0]]])
def test_agreement_is_in_shape_and_in_numbers(wrong):
    check = benchmarking.KERNELS["fisher"].case(1).check
    check({NPGFAST: [np.ones(2)], NUMPY: [np.ones(2)]})
    with pytest.raises(AssertionError):
        check({NPGFAST: [np.array(wrong)], NUMPY: [np.ones(2)]})


def test_picture_has_one_panel_per_kernel():
    kernels = [benchmarking.KERNELS[name] for name in ("gae", "surrogate")]
    measured = [benchmarking.measure(kernel.case(size), 1) for kernel in kernels for size in (50, 500)]
    measured.append(benchmarking.measure(kernels[1].case(5_000), 1, skip=[PYTHON]))
    fig, axes = picture.plot(measured, caption="here")
    assert [len(ax.lines) for ax in axes] == [3, 3]
    assert [len(line.get_xdata()) for line in axes[1].lines] == [2, 3, 3]
    assert axes[0].get_xscale() == axes[0].get_yscale() == "log"
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    assert len(buffer.getvalue()) > 10_000
