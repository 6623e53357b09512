"""The picture of measurements: time against size, one panel per kernel; needs matplotlib."""

import math
import re
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from npgfast.benchmarking.case import NPGFAST, NUMPY, PYTHON, SIDES
from npgfast.benchmarking.report import amount, duration, times
from npgfast.benchmarking.timing import Measurement
from npgfast.plotting import _COLOURS, _figure_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot"]

_STYLES: dict[str, dict[str, Any]] = {
    PYTHON: {"color": _COLOURS[1], "marker": "s", "linewidth": 1.2, "markersize": 4.5},
    NUMPY: {"color": _COLOURS[4], "marker": "D", "linewidth": 1.2, "markersize": 4.5},
    NPGFAST: {"color": _COLOURS[0], "marker": "o", "linewidth": 2.2, "markersize": 6.0},
}
_COLUMNS = 4
_CAPTION = "Numbers in the panels: how many times as fast npgfast is at that size"


def plot(measurements: Sequence[Measurement], *, caption: str | None = None) -> "tuple[Figure, list[Axes]]":
    """Draw the fastest time of a call against the size, on logarithmic axes, in one panel per kernel.

    Parameters
    ----------
    measurements : sequence of Measurement
        Those of a kernel one after another, as `measure_all` gives them.
    caption : str, optional
        Written below: where they were taken.

    Returns
    -------
    fig, axes : matplotlib Figure and list of Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    panels = [list(group) for _, group in groupby(measurements, key=lambda m: m.case.kernel)]
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    fig = _figure_class()(figsize=(max(5.0, 3.2 * columns), 2.9 * rows + 0.9), layout="constrained")
    axes = [fig.add_subplot(rows, columns, k + 1) for k in range(len(panels))]
    for ax, panel in zip(axes, panels, strict=True):
        _draw(ax, panel)
    for ax in axes[::columns]:
        ax.set_ylabel("time of one call")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(SIDES), frameon=False)
    below = "\n".join(textwrap.wrap(caption or "", 75 * columns))
    fig.supxlabel(f"{_CAPTION}\n{below}".rstrip(), fontsize=8, color="0.35")
    return fig, axes


def _draw(ax: "Axes", panel: Sequence[Measurement]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for side in SIDES:
        at = [(m.case.size, timing.fastest) for m in panel if (timing := m.timings[side]) is not None]
        ax.plot([size for size, _ in at], [seconds for _, seconds in at], label=side, **_STYLES[side])
        ratios = [ratio for m in panel if (ratio := m.ratio(side)) is not None]
        if side != NPGFAST and ratios:
            place: dict[str, Any] = {"xytext": (0, 5 if ratios[-1] >= 1.0 else -13), "textcoords": "offset points"}
            ax.annotate(times(ratios[-1]), at[-1], ha="center", fontsize=8, color="0.2", **place)
    case = panel[0].case
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.margins(x=0.12, y=0.16)
    lines = textwrap.wrap(case.title, 42)
    ax.set_title(case.kernel, fontsize=10, fontweight="bold", pad=6.0 + 11.0 * len(lines))
    place = {"xycoords": "axes fraction", "xytext": (0, 4), "textcoords": "offset points"}
    ax.annotate("\n".join(lines), (0.5, 1.0), ha="center", va="bottom", fontsize=8, **place)
    ax.set_xlabel(case.unit, fontsize=9)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _round(amount(value))))
    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_major_locator(LogLocator(numticks=7))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _round(duration(value))))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    ax.tick_params(labelsize=8)
    ax.grid(visible=True, which="major", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _round(text: str) -> str:
    """A number with its unit, without zeros after the point."""
    return re.sub(r"\.0+(?!\d)", "", text)
