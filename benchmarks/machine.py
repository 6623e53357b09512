"""The machine, the versions, and the clock of every figure that is written to benchmarks/results."""

import datetime as dt
import gc
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
SLICE = 0.05  # seconds


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def facts() -> dict[str, Any]:
    """Processor, system, versions, instruction set and date."""
    from npgfast import build_info

    info = build_info()
    return {
        "processor": _processor(),
        "processors": processors(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "isa": info["isa"],
        "compiler": info["compiler"],
        "npgfast": info["version"],
        "numpy": info["numpy"],
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def version(distribution: str) -> str | None:
    """Installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def interleaved(calls: Mapping[str, Callable[[], Any]], repeats: int = 7) -> dict[str, dict[str, float]]:
    """Seconds of each call, {"min", "median", "repeats"}: all in turn, so that a slow minute hits every side.

    Short calls are made in a row, and averaged, until they fill a SLICE.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    rows = {name: max(1, int(SLICE / max(_spent(call, 1), 1e-9))) for name, call in calls.items()}
    for _ in range(repeats):
        for name, call in calls.items():
            gc.collect()
            time.sleep(0.01)  # threads of the side before go to sleep
            seconds[name].append(_spent(call, rows[name]))
    return {name: {"min": min(s), "median": median(s), "repeats": len(s)} for name, s in seconds.items()}


def _spent(call: Callable[[], Any], times: int) -> float:
    spent = 0.0
    for _ in range(times):
        started = time.perf_counter()
        answer = call()
        spent += time.perf_counter() - started
        del answer  # not while the clock runs
    return spent / times


def write(path: Path, content: object) -> None:
    """Write JSON that a diff can show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
