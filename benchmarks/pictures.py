"""The pictures of the page of results."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

OURS, OTHERS, LIMIT = "#1f5fa8", "#b9c2cc", "#c4452d"
SHADES = ("#7fb0e0", "#1f5fa8", "#f0a13a", "#c4452d", "#5a3d8a")


def _panels(count: int, columns: int, width: float, height: float) -> tuple[Any, list[Any]]:
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False)
    flat = list(axes.ravel())
    for axis in flat[count:]:
        axis.axis("off")
    for axis in flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, flat


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def draw_peers(report: dict[str, Any], path: Path) -> None:
    """A panel for each row: bars of npgfast and its peers in the row's unit, log axis, and a line for the limit."""
    rows = [row for row in report["rows"].values() if any("value" in side for side in row.get("sides", {}).values())]
    figure, axes = _panels(len(rows), 2, 7.0, 2.6)
    for axis, row in zip(axes, rows, strict=False):
        sides = [(name, side["value"]) for name, side in row["sides"].items() if "value" in side][::-1]
        names, values = [name for name, _ in sides], [found for _, found in sides]
        edges = [*values, row["limit"]["value"]] if row["limit"] else values
        low, high = min(edges) / 2.5, max(edges) * 6.0
        axis.barh(
            names,
            np.array(values) - low,
            left=low,
            height=0.7,
            color=[OURS if n == "npgfast" else SHADES[0] if n.startswith("npgfast") else OTHERS for n in names],
        )
        for y, found in enumerate(values):
            axis.text(found * 1.06, y, f"{found:,.3g}" if found < 1000 else f"{found:,.0f}", va="center", fontsize=8)
        if row["limit"]:
            axis.axvline(row["limit"]["value"], color=LIMIT, linestyle="--", linewidth=1.2)
            at = axis.get_xaxis_transform()  # above the panel, whatever the number of bars
            axis.text(row["limit"]["value"], 1.01, "limit", color=LIMIT, fontsize=8, ha="center", transform=at)
        axis.set_xscale("log")
        axis.set_xlim(low, high)
        better = "more is better" if row["is_rate"] else "less is better"
        axis.set_xlabel(f"{row['unit']} ({better})", fontsize=8)
        axis.set_title(row["title"], fontsize=9, loc="left", pad=14)
    _save(figure, path)


def _measured(kernel: dict[str, Any]) -> list[dict[str, Any]]:
    return [point for point in kernel["points"] if "seconds" in point]


def draw_scaling(report: dict[str, Any], path: Path) -> None:
    """Seconds against size of every kernel, one line for each number of threads, with the fitted slope."""
    kernels = [kernel for kernel in report["kernels"].values() if _measured(kernel)]
    figure, axes = _panels(len(kernels), 3, 4.4, 3.1)
    for axis, kernel in zip(axes, kernels, strict=False):
        points = _measured(kernel)
        sizes = np.array([point["size"] for point in points], dtype=float)
        counts = list(points[0]["seconds"])
        for shade, count in zip(SHADES, counts, strict=False):
            seconds = [point["seconds"][count]["median"] for point in points]
            fitted = kernel["slopes"].get(count)
            label = f"{count} thread{'s' if count != '1' else ''}"
            axis.plot(sizes, seconds, "o-", color=shade, markersize=4, label=label + _slope(fitted))
        first = points[-1]["seconds"][counts[0]]["median"]
        axis.plot(sizes, first * sizes / sizes[-1], ":", color="0.6", linewidth=1.0, label="linear")
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel(kernel["unit"], fontsize=8)
        axis.set_ylabel("seconds", fontsize=8)
        axis.set_title(kernel["title"], fontsize=9, loc="left")
        axis.legend(fontsize=7, frameon=False)
    _save(figure, path)


def _slope(fitted: float | None) -> str:
    return "" if fitted is None else f", slope {fitted:.2f}"


def draw_memory(report: dict[str, Any], path: Path) -> None:
    """Rise of the memory peak against size."""
    figure, axes = _panels(1, 1, 8.0, 4.6)
    colours = plt.get_cmap("tab20")
    for k, kernel in enumerate(report["kernels"].values()):
        points = [point for point in _measured(kernel) if point["peak_bytes"] > 0]
        if points:
            sizes, megabytes = [p["size"] for p in points], [p["peak_bytes"] / 1e6 for p in points]
            label = f"{kernel['title']} ({kernel['unit']})"
            axes[0].plot(sizes, megabytes, "o-", color=colours(k), markersize=4, label=label)
    axes[0].set_xscale("log")
    axes[0].set_yscale("log")
    axes[0].set_xlabel("size")
    axes[0].set_ylabel("MB beyond the inputs")
    axes[0].legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes[0].set_title("Memory peak of one call, its result included", fontsize=10, loc="left")
    _save(figure, path)


def draw_threads(report: dict[str, Any], path: Path) -> None:
    """Speed by threads at the largest size, relative to one thread."""
    kernels = [(k, _measured(k)[-1]) for k in report["kernels"].values() if _measured(k)]
    counts = list(kernels[0][1]["seconds"])
    figure, axes = _panels(1, 1, 8.0, 0.4 * len(kernels) + 1.4)
    names = [f"{kernel['title']}, {point['size']:,} {kernel['unit']}" for kernel, point in kernels][::-1]
    places, height = np.arange(len(names)), 0.8 / max(1, len(counts) - 1)
    for k, count in enumerate(counts[1:]):
        gains = [point["seconds"]["1"]["median"] / point["seconds"][count]["median"] for _, point in kernels][::-1]
        offset = (k - (len(counts) - 2) / 2) * height
        axes[0].barh(places + offset, gains, height, color=SHADES[(k + 1) % len(SHADES)], label=f"{count} threads")
        for place, gain in zip(places, gains, strict=True):
            axes[0].text(gain + 0.02, place + offset, f"{gain:.2f}", va="center", fontsize=8)
    axes[0].axvline(1.0, color="0.4", linewidth=0.8)
    axes[0].set_yticks(places, names)
    axes[0].set_xlabel("times as fast as with one thread")
    axes[0].legend(fontsize=8, frameon=False)
    _save(figure, path)
