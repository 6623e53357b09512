"""``npgfast bench``: the kernels against their baselines, as a table, JSON and a picture."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from npgfast import benchmarking
from npgfast.benchmarking import NPGFAST, NUMPY, PYTHON, Kernel, Measurement
from npgfast.benchmarking.report import amount, document, duration, times
from npgfast.cli import reports
from npgfast.cli.failures import WrongUsage, usage
from npgfast.cli.runs import check_picture
from npgfast.threads import thread_count

__all__ = ["Output", "bench"]

_THREADS = "NPGFAST_NUM_THREADS"
_BUSY = 1.5  # load; a run of this command leaves about 1 behind


@dataclass(frozen=True)
class Output:
    """What the command shows and writes."""

    out: Path | None
    plot: Path | None
    as_json: bool

    def check(self) -> None:
        """Find out now whether the files could be written."""
        if self.plot is not None:
            check_picture(self.plot)
        if self.out is not None and not self.out.absolute().parent.is_dir():
            msg = f"--out {self.out}: no such folder"
            raise WrongUsage(msg)


def bench(names: Sequence[str], repeats: int, threads: int | None, output: Output, *, quick: bool) -> None:
    """Check and time the named kernels, or all, and show each when it is done."""
    output.check()
    kernels = [_kernel(name) for name in dict.fromkeys(names or benchmarking.KERNELS)]
    if repeats < 1:
        msg = f"--repeats {repeats}: expected at least 1"
        raise WrongUsage(msg)
    console = Console(quiet=output.as_json)
    with _npgfast_threads(threads):
        facts = benchmarking.environment()
        console.print(_heading(facts), highlight=False, markup=False)
        if (facts["load"] or 0.0) > _BUSY:
            text = f"this machine is busy (load {facts['load']:.1f}): the times will be off, NumPy's most of all"
            console.print(text, style="yellow", highlight=False)
        console.print(_explanation(repeats), highlight=False)
        console.print(_table((), header=True))
        started = time.perf_counter()
        found: list[Measurement] = []
        for k, kernel in enumerate(kernels, start=1):
            with _announced(f"{k} of {len(kernels)}: {kernel.name} ..."):
                measured = list(benchmarking.measure_all([kernel], repeats, quick=quick))
            found += measured
            console.print(Text.assemble((kernel.name, "bold"), f"  {kernel.title}"))
            console.print(_table(measured))
        elapsed = time.perf_counter() - started
    report = {"environment": facts, "elapsed_seconds": elapsed, "results": document(found)}
    if not output.as_json:
        console.print(f"\n{_summary(found, elapsed)}", highlight=False, markup=False)
    if output.out is not None:
        reports.write_text(output.out, reports.json_text(report))
        console.print(f"results: {output.out}", highlight=False, markup=False, soft_wrap=True)
    if output.plot is not None:
        from npgfast.benchmarking.picture import plot

        fig, _ = plot(found, caption=_heading(facts).replace("\n", " "))
        fig.savefig(output.plot, dpi=150)
        console.print(f"picture: {output.plot}", highlight=False, markup=False, soft_wrap=True)
    if output.as_json:
        reports.print_json(report)


def _kernel(name: str) -> Kernel:
    kernel = benchmarking.KERNELS.get(name)
    if kernel is None:
        msg = f"{name}: no such kernel; there are {', '.join(benchmarking.KERNELS)}"
        raise WrongUsage(msg)
    return kernel


@contextmanager
def _npgfast_threads(threads: int | None) -> Iterator[None]:
    """Let every call of npgfast use so many threads."""
    before = os.environ.get(_THREADS)
    try:
        if threads is not None:
            with usage():
                os.environ[_THREADS] = str(thread_count(threads))
        yield
    finally:
        if before is None:
            os.environ.pop(_THREADS, None)
        else:
            os.environ[_THREADS] = before


@contextmanager
def _announced(text: str) -> Iterator[None]:
    """Show a line on standard error meanwhile, if that is a terminal; still, for a moving one would cost time."""
    if not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(text)
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r" + " " * len(text) + "\r")
        sys.stderr.flush()


def _heading(facts: Mapping[str, Any]) -> str:
    threads = f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    ours = f"npgfast {facts['version']} ({facts['isa']}, {threads}, {facts['compiler']})"
    return f"{ours}, NumPy {facts['numpy']}, Python {facts['python']}\non {facts['processor']}"


def _explanation(repeats: int) -> str:
    calls = f"{repeats} calls" if repeats > 1 else "1 call"
    return (
        f"Fastest of {calls} in turn, fewer of what is slow; answers are compared first.\n"
        "vs: how many times as fast npgfast is; rate: that of npgfast.\n"
    )


def _table(measured: Sequence[Measurement], *, header: bool = False) -> Table:
    """Rows of a kernel; tables of different kernels have the same columns."""
    table = Table(box=None, show_header=header, pad_edge=False, header_style="")
    columns = (("", 15), (PYTHON, 8), (NUMPY, 8), (NPGFAST, 8), (f"vs {PYTHON}", 10), (f"vs {NUMPY}", 9), ("rate", 9))
    for name, width in columns:
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for m in measured:
        seconds = [None if timing is None else timing.fastest for timing in m.timings.values()]
        ours = m.timings[NPGFAST]
        table.add_row(
            f"{m.case.size:,} {m.case.unit}",
            *("not run" if s is None else duration(s) for s in seconds),
            *(_coloured(m.ratio(side)) for side in (PYTHON, NUMPY)),
            "" if ours is None else f"{amount(m.case.size / ours.fastest)}/s",
        )
    return table


def _coloured(ratio: float | None) -> Text:
    if ratio is None:
        return Text("")
    return Text(times(ratio), style="green" if ratio >= 1.0 else "red")


def _summary(found: Sequence[Measurement], elapsed: float) -> str:
    lines = []
    for side in (PYTHON, NUMPY):
        largest = {m.case.kernel: ratio for m in found if (ratio := m.ratio(side)) is not None}
        values = sorted(largest.values())
        spread = f"{times(values[0])} to {times(values[-1])}, median " if len(values) > 1 else ""
        lines.append(f"npgfast vs {side}, at the largest sizes run: {spread}{times(median(values))}")
    return "\n".join([*lines, f"All answers agree. {duration(elapsed)} in all."])
