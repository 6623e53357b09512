"""What every run shows and writes: a table for people, JSON for scripts, files for later."""

import csv
import io
import json
import math
import os
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from npgfast import storage
from npgfast.algorithms import Agent
from npgfast.exact import Solution
from npgfast.sampling import ReturnStatistics
from npgfast.status import Status
from npgfast.training import Result

__all__ = ["Run", "print_json", "print_table", "write_files"]


@dataclass(frozen=True, eq=False)
class Run(ABC):
    """A finished (or interrupted) run with what there is to say about it.

    Attributes
    ----------
    result : Result
        Of the whole run, a resumed part and what came before it included where that is known.
    elapsed : float
        Seconds of this call.
    steps : float
        Steps that all seeds together took in this call.
    """

    agent: Agent
    result: Result
    elapsed: float
    steps: float

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the environment."""

    @property
    @abstractmethod
    def best(self) -> int:
        """Index of the seed whose policy is saved."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Algorithm and length in words."""

    @abstractmethod
    def show(self, console: Console) -> None:
        """Print the table of the run."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The environment, and what else this kind of run adds to its document."""

    @abstractmethod
    def draw(self, path: Path) -> None:
        """Write the picture of the run."""

    @property
    def sampled(self) -> bool:
        """Whether the run took steps."""
        return self.agent.mode == "sampled"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.result.interrupted

    @property
    def is_drawable(self) -> bool:
        """Whether there is a picture of it."""
        return not self.interrupted

    @property
    def seeds(self) -> str:
        """Number of seeds in words."""
        return f"{self.result.n_seeds} seed{'s' if self.result.n_seeds > 1 else ''}"

    def document(self, *, history: bool, files: Mapping[str, str]) -> dict[str, Any]:
        """Everything about the run, as plain values."""
        result = self.result
        facts = self.facts()
        out: dict[str, Any] = {
            "environment": facts.pop("environment"),
            "algorithm": result.algorithm,
            "mode": self.agent.mode,
            "settings": {name: _setting(value) for name, value in result.settings.items()},
            "seeds": list(result.seeds),
            "n_iterations": result.n_iterations,
            "interrupted": self.interrupted,
            "statuses": {
                str(name): int(np.sum(result.history["status"] == str(name)))
                for name in Status
                if np.any(result.history["status"] == str(name))
            },
            "elapsed_seconds": self.elapsed,
            "files": dict(files),
            **facts,
        }
        if self.sampled:
            out["steps"] = self.steps
            out["steps_per_second"] = self.steps / self.elapsed if self.elapsed > 0.0 else None
        if history:
            out["history"] = dict(result.history)
        return out


def effort(run: Run) -> dict[str, str]:
    """Rows on the steps that a run took, and how fast."""
    if not run.sampled:
        return {}
    rows = {
        "environment steps per seed": f"{np.median(run.result.final('timesteps')):,.0f}",
        "environment steps in this call": f"{run.steps:,.0f}",
    }
    if run.elapsed > 0.0:
        rows["environment steps per second"] = _rate(run.steps / run.elapsed)
    return rows


def _rate(steps: float) -> str:
    return f"{steps / 1e6:,.1f} million" if steps >= 1e5 else f"{steps:,.0f}"


def quartiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Lower and upper quartile."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(low), float(high)


def interval(values: NDArray[np.float64], shown: Callable[[float], str]) -> str:
    """The interquartile range in words."""
    low, high = quartiles(values)
    return "" if values.size == 1 else f"{shown(low)} to {shown(high)}"


def statuses(result: Result) -> list[str]:
    """The share of updates of each status, in words."""
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


def solution_document(solution: Solution) -> dict[str, Any]:
    """The scalars of a solution."""
    names = ("objective", "lower", "upper", "iterations", "converged")
    return {name: getattr(solution, name) for name in names}


def statistics_document(statistics: ReturnStatistics) -> dict[str, Any]:
    """Returns of episodes as plain values."""
    names = ("mean", "std", "standard_error")
    returns = statistics.returns
    return {**{name: getattr(statistics, name) for name in names}, "min": returns.min(), "max": returns.max()}


def _setting(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"schedule": type(value).__name__, **asdict(value)}
    return value


def print_json(value: Mapping[str, Any]) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json_text(value))


def json_text(value: Mapping[str, Any]) -> str:
    """One JSON document; what is not finite becomes null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False) + "\n"


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
    write_text(paths["history"], _history_csv(run.result))
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


def write_text(path: Path, text: str) -> None:
    """Write a text file at once, or not at all."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def picture_name(run: Run, algorithm: str) -> str:
    """Name of the picture that a run draws unless told otherwise."""
    return f"npgfast-{re.sub(r'[^A-Za-z0-9._-]+', '-', run.name)}-{algorithm}.png"


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


def earlier(checkpoint: Path, agent: Agent, optimum: Solution | None) -> Result | None:
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
