"""Reports of runs on tabular problems, whose optimum is known: objectives and their gaps."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console
from rich.table import Table

from npgfast import plotting
from npgfast.cli.environments import Problem
from npgfast.cli.reports import Run, effort, interval, quartiles, solution_document, statuses
from npgfast.exact import Solution
from npgfast.training import Result

__all__ = ["TabularRun"]

LEVELS = (3.0, 1.0)
_SAMPLED_FLOOR, _EXACT_FLOOR = 0.1, 1e-8


@dataclass(frozen=True, eq=False)
class TabularRun(Run):
    """A run on a tabular problem.

    Attributes
    ----------
    reference : Result or None
        Of the same algorithm in exact mode.
    """

    problem: Problem
    reference: Result | None

    @property
    def name(self) -> str:
        """See `Run.name`."""
        return self.problem.name

    @property
    def best(self) -> int:
        """Index of the seed with the highest final objective."""
        return int(np.argmax(self.result.final("objective")))

    @property
    def title(self) -> str:
        """See `Run.title`."""
        how = "from samples" if self.sampled else "exact"
        return f"{self.result.algorithm} {how}, {self.seeds}, {self.result.n_iterations} iterations"

    @property
    def optimum(self) -> Solution:
        """Of the problem without an entropy bonus."""
        return cast("Solution", self.result.optimum)

    def show(self, console: Console) -> None:
        """See `Run.show`."""
        result, optimum = self.result, self.optimum
        runs = [("exact" if not self.sampled else "from samples", result)]
        if self.reference is not None:
            runs.append(("exact, for reference", self.reference))
        table = Table(show_edge=False, pad_edge=False)
        table.add_column(self.name, no_wrap=True)
        for name, _ in runs:
            table.add_column(name, justify="right", no_wrap=True)

        def row(name: str, cells: Iterable[str]) -> None:
            table.add_row(name, *cells)

        row("objective J, median over seeds", (f"{np.median(one.final('objective')):.6g}" for _, one in runs))
        if result.n_seeds > 1:
            row("  interquartile range", (interval(one.final("objective"), "{:.6g}".format) for _, one in runs))
        row("optimum J*", [f"{optimum.objective:.10g}"])
        row("  certified", [f"{_width(optimum)}"])
        if optimum.objective != 0.0:
            gaps = [100.0 * one.final("gap") / abs(optimum.objective) for _, one in runs]
            row("gap to the optimum, % of |J*|", (_percent(np.median(gap)) for gap in gaps))
        else:
            gaps = [one.final("gap") for _, one in runs]
            row("gap to the optimum", (f"{np.median(gap):.3g}" for gap in gaps))
        if result.n_seeds > 1:
            row("  interquartile range", (interval(gap, _percent) for gap in gaps))
        row("iterations", (str(one.n_iterations) for _, one in runs))
        row("seconds", [f"{self.elapsed:.2f}", *(f"{one.final('seconds').sum():.3f}" for _, one in runs[1:])])
        for name, cell in effort(self).items():
            row(name, [cell])
        row("updates by status", ("\n".join(statuses(one)) for _, one in runs))
        console.print(self.title, style="bold", highlight=False)
        console.print(table)

    def facts(self) -> dict[str, Any]:
        """See `Run.facts`."""
        result, mdp = self.result, self.problem.mdp
        objectives, gap = result.final("objective"), result.final("gap")
        scale = abs(self.optimum.objective)
        names = ("objective", "gap", "status") + (("timesteps",) if self.sampled else ())
        out: dict[str, Any] = {
            "environment": {
                "name": self.name,
                "n_states": mdp.n_states,
                "n_actions": mdp.n_actions,
                "gamma": mdp.gamma,
                "horizon": mdp.horizon,
            },
            "optimum": solution_document(self.optimum),
            "initial_objective": result.initial["objective"],
            "final": {name: result.final(name) for name in names},
            "median": {
                "objective": np.median(objectives),
                "objective_quartiles": quartiles(objectives),
                "gap": np.median(gap),
                "gap_percent": 100.0 * np.median(gap) / scale if scale > 0.0 else None,
                "gap_percent_quartiles": [100.0 * q / scale for q in quartiles(gap)] if scale > 0.0 else None,
            },
        }
        if self.reference is not None:
            out["exact_reference"] = {
                "objective": self.reference.final("objective")[0],
                "gap": self.reference.final("gap")[0],
                "n_iterations": self.reference.n_iterations,
            }
        return out

    def draw(self, path: Path) -> None:
        """Write learning curves, and the best seed's policy where the states lie on a grid."""
        from matplotlib.figure import Figure

        result, grid = self.result, self.problem.grid
        policy: Any = result.policies[self.best]
        drawn = grid is not None and self.problem.mdp.horizon is None and grid.shape[1] <= 16
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
        relative = self.optimum.objective != 0.0
        curves = {result.algorithm + (" from samples" if self.sampled else ", exact"): result}
        if self.reference is not None:
            curves[f"exact {result.algorithm}, at the same iteration"] = self.reference
        plotting.plot_learning_curves(
            curves,
            ax=left,
            relative=relative,
            floor=(_SAMPLED_FLOOR if self.sampled else _EXACT_FLOOR) if relative else None,
            levels=LEVELS if relative else (),
            title="Distance from the optimum",
        )
        if grid is not None and right:
            plotting.plot_policy(
                self.problem.mdp,
                policy,
                shape=grid.shape,
                moves=grid.moves,
                cells=grid.cells,
                ax=right[0],
                title="Policy"
                + (f" of the best of {result.n_seeds} seeds" if result.n_seeds > 1 else "")
                + " (arrow length: probability)",
            )
        fig.suptitle(f"{self.name} (\N{GREEK SMALL LETTER GAMMA} = {self.problem.mdp.gamma:g}): {self.title}")
        fig.savefig(path, dpi=150)


def _percent(value: float) -> str:
    return "0.0000" if abs(value) < 5e-5 else f"{value:.4f}" if abs(value) < 1.0 else f"{value:.2f}"


def _width(optimum: Solution) -> str:
    below, above = optimum.objective - optimum.lower, optimum.upper - optimum.objective
    if not math.isfinite(above):
        return "from below only"
    return f"\N{PLUS-MINUS SIGN} {max(below, above):.1e}"
