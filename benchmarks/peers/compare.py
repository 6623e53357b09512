"""One row of the comparison: several sides do the same work, are checked against each other, and are timed in turn."""

import importlib.util
import time
import traceback
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from machine import interleaved

from npgfast import _core

REPEATS = 7
ONCE = 6.0  # seconds; a side that takes longer for one call is timed by one run


@dataclass(frozen=True)
class Side:
    """One way to do the work.

    `prepare` imports the package, compiles what it compiles, and returns the call that is timed. `work` is what one
    call does, in the row's unit; peers that are slow do less of the same.
    """

    name: str
    prepare: Callable[[], Callable[[], Any]]
    needs: tuple[str, ...] = ()
    work: float = 1.0


@dataclass(frozen=True)
class Unit:
    """How seconds are shown: as a rate (work / seconds * scale) or as a duration (seconds / work * scale)."""

    name: str
    scale: float
    is_rate: bool = False

    def of(self, seconds: float, work: float) -> float:
        return self.scale * (work / seconds if self.is_rate else seconds / work)


MILLION_STEPS = Unit("M steps/s", 1e-6, is_rate=True)
MILLISECONDS = Unit("ms", 1e3)
SECONDS = Unit("s", 1.0)


def compare(
    sides: list[Side], unit: Unit, check: Callable[[str, Any], None], repeats: int = REPEATS
) -> dict[str, dict[str, Any]]:
    """Figures of every side: {"min", "median", "repeats", "value"}, or why there are none: {"skipped"} or {"error"}.

    `check` takes the name and the answer of a side, in the order given, and raises where it is wrong. "value" is the
    median in the row's unit.
    """
    figures: dict[str, dict[str, Any]] = {}
    calls: dict[str, Callable[[], Any]] = {}
    slow: dict[str, Callable[[], Any]] = {}
    for side in sides:
        missing = [module for module in side.needs if importlib.util.find_spec(module) is None]
        if missing:
            figures[side.name] = {"skipped": f"{', '.join(missing)} not installed"}
            continue
        try:
            call = side.prepare()
            spent, answer = _timed(call)
            check(side.name, answer)
            del answer
            if spent < 2.0 * ONCE:  # else the warm-up has to do
                spent, _ = _timed(call)
        except Exception as error:  # noqa: BLE001 - one peer that fails does not stop the others
            traceback.print_exc()
            figures[side.name] = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]}
            continue
        figures[side.name] = {"work": side.work}
        if spent > ONCE:
            slow[side.name] = call
            figures[side.name] |= {"min": spent, "median": spent, "repeats": 1}
        else:
            calls[side.name] = call
    for name, seconds in interleaved(calls, repeats).items():
        figures[name] |= seconds
    for figure in figures.values():
        if "median" in figure:
            figure["value"] = unit.of(figure["median"], figure["work"])
            figure["best"] = unit.of(figure["min"], figure["work"])
    return figures


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = call()
    return time.perf_counter() - started, answer


def row(
    title: str,
    size: str,
    unit: Unit,
    sides: dict[str, dict[str, Any]],
    limit: tuple[float, str] | None,
    targets: list[dict[str, Any]],
    **more: Any,
) -> dict[str, Any]:
    """What is written for a row; `limit` is in the row's unit, with the way it was reckoned."""
    return {
        "title": title,
        "size": size,
        "unit": unit.name,
        "is_rate": unit.is_rate,
        "sides": sides,
        "limit": None if limit is None else {"value": limit[0], "how": limit[1]},
        "targets": targets,
        **more,
    }


def target(text: str, value: float | None, goal: float, *, at_least: bool = False) -> dict[str, Any]:
    """A target and whether it was met; None: nothing to judge it by."""
    met = None if value is None else bool(value >= goal if at_least else value <= goal)
    return {"text": text, "value": value, "goal": goal, "met": met}


def core_arguments(name: str, call: Callable[[], Any]) -> list[Any]:
    """What a public call hands to a function of the core, so that the function can be timed alone."""
    kept: list[list[Any]] = []
    original = getattr(_core, name)

    def keep(*arguments: Any) -> Any:
        kept.append(deepcopy(list(arguments)))
        return original(*arguments)

    setattr(_core, name, keep)
    try:
        call()
    finally:
        setattr(_core, name, original)
    return kept[0]


def value(sides: dict[str, dict[str, Any]], name: str) -> float | None:
    """Median of a side in the row's unit, if it was measured."""
    found: float | None = sides.get(name, {}).get("value")
    return found


def times(sides: dict[str, dict[str, Any]], *peers: str, side: str = "npgfast") -> float | None:
    """How many times as long as npgfast the fastest of these peers takes for the same work, by medians."""
    paces = [sides[p]["median"] / sides[p]["work"] for p in peers if "median" in sides.get(p, {})]
    ours = sides.get(side, {})
    return min(paces) / (ours["median"] / ours["work"]) if paces and "median" in ours else None
