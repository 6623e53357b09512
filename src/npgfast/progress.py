"""A progress bar for runs; needs rich, imported when a bar is first shown."""

from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from npgfast.training import HISTORY

__all__ = ["RunBar"]


class RunBar:
    """Iterations (or steps) done and the median gap (or return), on standard error; silent where that is no terminal.

    Parameters
    ----------
    n_iterations : int or None
        Length of the run; None if it is counted in steps.
    total_timesteps : float
        Steps of the run, if so.
    optimum : float or None
        Objective that the gap is taken to; None to show the mean return instead.
    """

    def __init__(self, n_iterations: int | None, total_timesteps: float, optimum: float | None) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError as error:
            msg = "progress_bar=True needs rich: pip install 'npgfast[cli]'"
            raise ImportError(msg) from error
        unit = "steps" if n_iterations is None else "iterations"
        console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit + "  " + ("return" if optimum is None else "gap") + " {task.fields[gap]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        total = int(total_timesteps) if n_iterations is None else n_iterations
        self._task = self._bar.add_task("", total=total, gap="-")
        self._counts_steps = n_iterations is None
        self._optimum = optimum

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, chunk: NDArray[np.float64]) -> None:
        """Show a chunk of history, shape (n_seeds, n, len(HISTORY))."""
        going = ~np.isnan(chunk[:, -1, HISTORY.index("timesteps")])
        if self._optimum is None:
            returns = chunk[:, :, HISTORY.index("return_mean")]
            if not np.isnan(returns).all():
                self._bar.update(self._task, gap=f"{np.nanmedian(returns):.4g}")
        elif going.any():
            gap = self._optimum - float(np.median(chunk[going, -1, HISTORY.index("objective")]))
            self._bar.update(self._task, gap=f"{gap:.2e}")
        if self._counts_steps:
            if going.any():
                steps = chunk[going, -1, HISTORY.index("timesteps")]
                self._bar.update(self._task, completed=int(steps.min()))
        else:
            self._bar.advance(self._task, chunk.shape[1])
