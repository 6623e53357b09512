"""What a run shows and writes: tables for people, JSON for scripts, files for later."""

import csv
import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from npgfast import plotting, storage
from npgfast.algorithms import Agent
from npgfast.cli.environments import Problem
from npgfast.exact import Solution
from npgfast.status import Status
from npgfast.training import Result

__all__ = ["Run", "document", "draw", "print_json", "print_table", "show", "write_files"]

LEVELS = (3.0, 1.0)
_SAMPLED_FLOOR, _EXACT_FLOOR = 0.1, 1e-8


@dataclass(frozen=True, eq=False)
class Run:
    """A finished (or interrupted) run with what there is to say about it.

    Attributes
    ----------
    result : Result
        Of the whole run, a resumed part and what came before it included where that is known.
    reference : Result or None
        Of the same algorithm in exact mode.
    elapsed : float
        Seconds of this call.
    steps : float
        Steps that all seeds together took in this call.
    """

    problem: Problem
    agent: Agent
    result: Result
    reference: Result | None
    elapsed: float
    steps: float

    @property
    def sampled(self) -> bool:
        """Whether the run took steps."""
        return self.agent.mode == "sampled"

    @property
    def best(self) -> int:
        """Index of the seed with the highest final objective."""
        return int(np.argmax(self.result.final("objective")))

    @property
    def title(self) -> str:
        """Algorithm, mode and length in words."""
        result = self.result
        many = f"{result.n_seeds} seed{'s' if result.n_seeds > 1 else ''}"
        how = "from samples" if self.sampled else "exact"
        return f"{result.algorithm} {how}, {many}, {result.n_iterations} iterations"


def show(run: Run, console: Console) -> None:
    """Print the table of a run."""
    result, optimum = run.result, run.result.optimum
    runs = [("exact" if not run.sampled else "from samples", result)]
    if run.reference is not None:
        runs.append(("exact, for reference", run.reference))
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(run.problem.name, no_wrap=True)
    for name, _ in runs:
        table.add_column(name, justify="right", no_wrap=True)

    def row(name: str, cells: Iterable[str]) -> None:
        table.add_row(name, *cells)

    row("objective J, median over seeds", (f"{np.median(one.final('objective')):.6g}" for _, one in runs))
    if result.n_seeds > 1:
        row("  interquartile range", (_range(one.final("objective"), "{:.6g}".format) for _, one in runs))
    row("optimum J*", [f"{optimum.objective:.10g}"])
    row("  certified", [f"{_width(optimum)}"])
    if optimum.objective != 0.0:
        gaps = [100.0 * one.final("gap") / abs(optimum.objective) for _, one in runs]
        row("gap to the optimum, % of |J*|", (_percent(np.median(gap)) for gap in gaps))
    else:
        gaps = [one.final("gap") for _, one in runs]
        row("gap to the optimum", (f"{np.median(gap):.3g}" for gap in gaps))
    if result.n_seeds > 1:
        row("  interquartile range", (_range(gap, _percent) for gap in gaps))
    row("iterations", (str(one.n_iterations) for _, one in runs))
    if run.sampled:
        row("environment steps per seed", [f"{np.median(result.final('timesteps')):,.0f}"])
        row("environment steps in this call", [f"{run.steps:,.0f}"])
    row("seconds", [f"{run.elapsed:.2f}", *(f"{one.final('seconds').sum():.3f}" for _, one in runs[1:])])
    if run.sampled and run.elapsed > 0.0:
        row("environment steps per second", [f"{run.steps / run.elapsed / 1e6:,.1f} million"])
    row("updates by status", ("\n".join(_statuses(one)) for _, one in runs))
    console.print(run.title, style="bold", highlight=False)
    console.print(table)


def _quartiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(low), float(high)


def _range(values: NDArray[np.float64], shown: Callable[[float], str]) -> str:
    low, high = _quartiles(values)
    return "" if values.size == 1 else f"{shown(low)} to {shown(high)}"


def _percent(value: float) -> str:
    return "0.0000" if abs(value) < 5e-5 else f"{value:.4f}" if abs(value) < 1.0 else f"{value:.2f}"


def _width(optimum: Solution) -> str:
    below, above = optimum.objective - optimum.lower, optimum.upper - optimum.objective
    if not math.isfinite(above):
        return "from below only"
    return f"\N{PLUS-MINUS SIGN} {max(below, above):.1e}"


def _statuses(result: Result) -> list[str]:
    status = result.history["status"]
    total = int(np.sum(status != ""))
    counts = [(str(name), int(np.sum(status == str(name)))) for name in Status]
    return [f"{name} {100.0 * n / total:.3g} %" for name, n in counts if n]


def print_table(console: Console, title: str, rows: Mapping[str, str]) -> None:
    """Print names with values."""
    table = Table(show_edge=False, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="left")
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(title, style="bold", highlight=False, markup=False)
    console.print(table)


def document(run: Run, *, history: bool, files: Mapping[str, str]) -> dict[str, Any]:
    """Everything about a run, as plain values."""
    result, mdp = run.result, run.problem.mdp
    gap = result.final("gap")
    scale = abs(result.optimum.objective)
    names = ("objective", "gap", "status") + (("timesteps",) if run.sampled else ())
    out: dict[str, Any] = {
        "environment": {
            "name": run.problem.name,
            "n_states": mdp.n_states,
            "n_actions": mdp.n_actions,
            "gamma": mdp.gamma,
            "horizon": mdp.horizon,
        },
        "algorithm": result.algorithm,
        "mode": run.agent.mode,
        "settings": {name: _setting(value) for name, value in result.settings.items()},
        "seeds": list(result.seeds),
        "n_iterations": result.n_iterations,
        "interrupted": result.interrupted,
        "optimum": solution_document(result.optimum),
        "initial_objective": result.initial["objective"],
        "final": {name: result.final(name) for name in names},
        "median": {
            "objective": np.median(result.final("objective")),
            "objective_quartiles": _quartiles(result.final("objective")),
            "gap": np.median(gap),
            "gap_percent": 100.0 * np.median(gap) / scale if scale > 0.0 else None,
            "gap_percent_quartiles": [100.0 * q / scale for q in _quartiles(gap)] if scale > 0.0 else None,
        },
        "statuses": {
            str(name): int(np.sum(result.history["status"] == str(name)))
            for name in Status
            if np.any(result.history["status"] == str(name))
        },
        "elapsed_seconds": run.elapsed,
        "files": dict(files),
    }
    if run.sampled:
        out["steps"] = run.steps
        out["steps_per_second"] = run.steps / run.elapsed if run.elapsed > 0.0 else None
    if run.reference is not None:
        out["exact_reference"] = {
            "objective": run.reference.final("objective")[0],
            "gap": run.reference.final("gap")[0],
            "n_iterations": run.reference.n_iterations,
        }
    if history:
        out["history"] = dict(result.history)
    return out


def solution_document(solution: Solution) -> dict[str, Any]:
    """The scalars of a solution."""
    names = ("objective", "lower", "upper", "iterations", "converged")
    return {name: getattr(solution, name) for name in names}


def _setting(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"schedule": type(value).__name__, **asdict(value)}
    return value


def print_json(value: Mapping[str, Any]) -> None:
    """Write one JSON document to standard output; what is not finite becomes null."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def write_files(run: Run, folder: Path) -> dict[str, str]:
    """Write result, policy, checkpoint and history into a folder; return their paths by name."""
    paths = {
        "result": folder / "result.safetensors",
        "policy": folder / "policy.safetensors",
        "checkpoint": folder / "checkpoint.safetensors",
        "history": folder / "history.csv",
    }
    run.result.save(paths["result"])
    run.result.policies[run.best].save(paths["policy"])
    run.agent.save_checkpoint(paths["checkpoint"])
    _write_text(paths["history"], _history_csv(run.result))
    return {name: str(path) for name, path in paths.items()}


def _history_csv(result: Result) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(result.history)
    writer.writerow(["algorithm", "seed", "iteration", *names])
    for row, seed in enumerate(result.seeds):
        for k in range(result.n_iterations):
            values = [result.history[name][row, k] for name in names]
            if result.history["status"][row, k]:
                plain = [value.item() for value in values]
                writer.writerow(
                    [
                        result.algorithm,
                        seed,
                        k + 1,
                        *("" if isinstance(v, float) and math.isnan(v) else v for v in plain),
                    ]
                )
    return text.getvalue()


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def picture_name(run: Run, algorithm: str) -> str:
    """Name of the picture that a run draws unless told otherwise."""
    return f"npgfast-{re.sub(r'[^A-Za-z0-9._-]+', '-', run.problem.name)}-{algorithm}.png"


def draw(run: Run, path: Path) -> None:
    """Write the picture of a run: learning curves, and the best seed's policy where the states lie on a grid."""
    from matplotlib.figure import Figure

    result, grid = run.result, run.problem.grid
    drawn = grid is not None and run.problem.mdp.horizon is None and grid.shape[1] <= 16
    wide = grid is not None and grid.shape[1] > 1.5 * grid.shape[0]
    if drawn and wide:
        fig = Figure(figsize=(8.0, 8.5), layout="constrained")
        left, *right = fig.subplots(2, 1, height_ratios=(5, 3))
    elif drawn:
        fig = Figure(figsize=(12.0, 5.0), layout="constrained")
        left, *right = fig.subplots(1, 2, width_ratios=(7, 5))
    else:
        fig = Figure(figsize=(7.5, 5.0), layout="constrained")
        left, right = fig.subplots(), []
    relative = result.optimum.objective != 0.0
    curves = {result.algorithm + (" from samples" if run.sampled else ", exact"): result}
    if run.reference is not None:
        curves[f"exact {result.algorithm}, at the same iteration"] = run.reference
    plotting.plot_learning_curves(
        curves,
        ax=left,
        relative=relative,
        floor=(_SAMPLED_FLOOR if run.sampled else _EXACT_FLOOR) if relative else None,
        levels=LEVELS if relative else (),
        title="Distance from the optimum",
    )
    if grid is not None and right:
        plotting.plot_policy(
            run.problem.mdp,
            result.policies[run.best],
            shape=grid.shape,
            moves=grid.moves,
            cells=grid.cells,
            ax=right[0],
            title="Policy"
            + (f" of the best of {result.n_seeds} seeds" if result.n_seeds > 1 else "")
            + " (arrow length: probability)",
        )
    fig.suptitle(f"{run.problem.name} (\N{GREEK SMALL LETTER GAMMA} = {run.problem.mdp.gamma:g}): {run.title}")
    fig.savefig(path, dpi=150)


def joined(before: Result | None, after: Result) -> Result:
    """One result of a run and its continuation."""
    if before is None:
        return after
    n_seeds = after.n_seeds
    kept = [np.concatenate([one.history["status"] != "" for one in (before, after)], axis=1)[k] for k in range(n_seeds)]
    longest = max(int(row.sum()) for row in kept)
    history: dict[str, NDArray[Any]] = {}
    for name, values in after.history.items():
        old = before.history.get(name, np.full(before.history["status"].shape, np.nan))
        whole = np.concatenate([old, values], axis=1)
        out = np.full((n_seeds, longest), "" if name == "status" else np.nan, dtype=whole.dtype)
        for k, row in enumerate(kept):
            out[k, : row.sum()] = whole[k, row]
        history[name] = out
    return replace(after, history=history, initial=before.initial)


def earlier(checkpoint: Path, agent: Agent, optimum: Solution) -> Result | None:
    """What the result file beside a checkpoint says of the run before it; None where there is none that fits."""
    path = checkpoint.with_name("result.safetensors")
    if not path.is_file() or agent.iteration == 0:
        return None
    try:
        arrays, metadata = storage.load(path, "result")
    except storage.CheckpointError:
        return None
    columns = {name.removeprefix("history."): a for name, a in arrays.items() if name.startswith("history.")}
    if metadata.get("algorithm") != type(agent).__name__ or columns["status"].shape[1] != agent.iteration:
        return None
    names = np.array([*map(str, Status), ""])
    columns["status"] = names[columns["status"]]
    seeds = tuple(int(seed) for seed in arrays["seeds"])
    if agent.theta.shape[0] != len(seeds) or seeds[0] != agent.seed:
        return None
    return Result(
        algorithm=metadata["algorithm"],
        history=columns,
        initial={name.removeprefix("initial."): a for name, a in arrays.items() if name.startswith("initial.")},
        policies=(),
        optimum=optimum,
        regularized_optimum=optimum,
        seeds=seeds,
    )
