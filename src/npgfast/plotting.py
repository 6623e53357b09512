"""Pictures of runs and policies; needs matplotlib, imported when a picture is first drawn.

Everything is drawn on `matplotlib.figure.Figure` objects: neither pyplot nor any backend or global setting is touched.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.exact import evaluate
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.training import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LEFT_DOWN_RIGHT_UP", "interquartile_mean", "plot_learning_curves", "plot_policy"]

FloatArray = NDArray[np.float64]
XAxis = Literal["timesteps", "iteration"]
YAxis = Literal["gap", "return_mean", "evaluation"]

# Moves (rows down, columns right) of the actions of FrozenLake and of `npgfast.problems.gridworld`.
LEFT_DOWN_RIGHT_UP = ((0, -1), (1, 0), (0, 1), (-1, 0))

# Okabe and Ito's colours, which people with any colour vision can tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Cells that are drawn full and without arrows: holes, the cliff, the goal.
_FILLED = {"H": "#37474F", "C": "#37474F", "G": "#F0C000"}
_RETURNS = {
    "return_mean": "mean return of the episodes of an iteration",
    "evaluation": "mean return of the best policy so far",
}
_GRID_POINTS = 200
_FEW = 10
_ROUNDING = 1e-12


def interquartile_mean(values: ArrayLike) -> FloatArray:
    """Mean over the first axis without its lowest and highest quarter (both rounded down).

    Parameters
    ----------
    values : array_like, shape (n, ...)

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021,
    arXiv:2108.13264, section 4.3.

    Examples
    --------
    >>> float(interquartile_mean([0.0, 1.0, 3.0, 100.0]))
    2.0
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    cut = ordered.shape[0] // 4
    return np.asarray(np.mean(ordered[cut : ordered.shape[0] - cut], axis=0))


def _bootstrap_band(
    values: FloatArray, confidence: float, n_resamples: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Percentile interval of the interquartile mean over the first axis, each of shape values.shape[1:]."""
    generator = np.random.default_rng(seed)
    n = values.shape[0]
    means = np.stack([interquartile_mean(values[generator.integers(n, size=n)]) for _ in range(n_resamples)])
    low, high = np.quantile(means, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0)
    return low, high


def _held(history: FloatArray) -> FloatArray:
    """Fill what comes after a seed has finished with its last value."""
    filled = history.copy()
    for k in range(1, filled.shape[1]):
        gone = np.isnan(filled[:, k])
        filled[gone, k] = filled[gone, k - 1]
    return filled


def _gaps(result: Result, x: XAxis, borrowed: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Positions (n,) and gaps (n_seeds, n), the initial one included."""
    gaps = _held(np.column_stack([result.initial["gap"], result.history["gap"]]))
    if x == "iteration":
        return np.arange(gaps.shape[1], dtype=np.float64), gaps
    if not _takes_steps(result):
        if borrowed is None:
            return np.arange(gaps.shape[1], dtype=np.float64), gaps
        n = min(borrowed.size, gaps.shape[1])
        return borrowed[:n], gaps[:, :n]
    steps = _held(np.column_stack([np.zeros(result.n_seeds), result.history["timesteps"]]))
    at = np.linspace(0.0, float(np.median(steps[:, -1])), _GRID_POINTS)
    return at, np.stack([np.interp(at, *pair) for pair in zip(steps, gaps, strict=True)])


def _returns(label: str, result: Result, x: XAxis, y: YAxis) -> tuple[FloatArray, FloatArray]:
    """Positions (n,) and returns (n_seeds, n), from where every seed has one to where the last seed has finished.

    An iteration without a value keeps the last one; a seed without any is left out.
    """
    values = _held(result.history[y])
    if y == "evaluation":
        values = np.fmax.accumulate(values, axis=1)
    iterations = np.broadcast_to(np.arange(1.0, values.shape[1] + 1.0), values.shape)
    positions = iterations if x == "iteration" else result.history["timesteps"]
    kept = ~np.isnan(values) & ~np.isnan(result.history["timesteps"])
    curves = [(positions[k, kept[k]], values[k, kept[k]]) for k in range(result.n_seeds) if kept[k].any()]
    if not curves:
        msg = f"y={y!r}: {label!r} has no values of it"
        raise ValueError(msg)
    first, last = max(at[0] for at, _ in curves), max(at[-1] for at, _ in curves)
    at = np.arange(first, last + 1.0) if x == "iteration" else np.linspace(first, last, _GRID_POINTS)
    return at, np.stack([np.interp(at, *curve) for curve in curves])


def _takes_steps(result: Result) -> bool:
    return bool(np.any(result.history["timesteps"] > 0.0))


def plot_learning_curves(
    results: Result | Mapping[str, Result],
    *,
    ax: "Axes | None" = None,
    x: XAxis | None = None,
    y: YAxis | None = None,
    relative: bool = False,
    floor: float | None = None,
    levels: Sequence[float] = (),
    individual: bool | None = None,
    confidence: float = 0.95,
    n_resamples: int = 500,
    seed: int = 0,
    title: str | None = None,
) -> "tuple[Figure, Axes]":
    """Draw the gap to the optimum on a log axis, or returns: interquartile mean over seeds with a bootstrap band.

    Parameters
    ----------
    results : Result, or mapping of str to Result
        One curve each, named by the keys.
    ax : matplotlib Axes, optional
        Where to draw; default a figure of its own.
    x : {"timesteps", "iteration"}, optional
        Default "timesteps" if any result has taken steps. An exact result takes none: beside sampled ones it is drawn
        at the steps that the first of those had taken, in the median, after as many iterations.
    y : {"gap", "return_mean", "evaluation"}, optional
        "return_mean": of the episodes of every iteration; "evaluation": the best so far of the policies that were
        compared, where they were. Default "gap", or "return_mean" if any result has no optimum.
    relative : bool
        Draw 100 gap / |J*| in percent instead of the gap in units of the objective.
    floor : float, optional
        In units of the axis. Smaller gaps, and negative ones, which rounding makes, are drawn at it. Default 1e-12
        max(1, |J*|), rounded up to a power of ten.
    levels : sequence of float
        In units of the axis, marked by dashed lines: gaps, or returns such as a target.
    individual : bool, optional
        Draw each seed's curve as a thin line; default if there are at most 10.
    confidence : float
        Of the band, in (0, 1).
    n_resamples : int
        Bootstrap resamples of the seeds.
    seed : int
        Of the bootstrap's own generator.
    title : str, optional

    Returns
    -------
    fig, ax : matplotlib Figure and Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError, ValueError
        For arguments that do not fit; ``relative`` where the optimum is 0, or with returns.

    References
    ----------
    R. Agarwal et al., NeurIPS 2021, arXiv:2108.13264 (interquartile means with bootstrap bands).

    Examples
    --------
    >>> import npgfast as nf
    >>> result = nf.TRPO(nf.problems.two_state(gamma=0.9)).learn(5)
    >>> fig, ax = plot_learning_curves(result)
    >>> ax.get_yscale(), ax.get_xlabel()
    ('log', 'iteration')
    """
    named = _named(results)
    x = _read_x(x, named)
    y = _read_y(y, named)
    confidence = _validate.real("confidence", confidence, low=0.0, high=1.0, low_open=True, high_open=True)
    n_resamples = _validate.integer("n_resamples", n_resamples, low=2)
    seed = _validate.integer("seed", seed, low=0)
    if y == "gap":
        optima = {label: _optimum(label, result) for label, result in named.items()}
        scales = {label: _scale(label, optima[label]) if relative else 1.0 for label in named}
        if floor is None:
            size = max(max(1.0, abs(optima[label])) * scales[label] for label in named)
            floor = 10.0 ** np.ceil(np.log10(_ROUNDING * size))
        floor = _validate.real("floor", floor, low=0.0, low_open=True)
        borrowed = _median_steps(named.values()) if x == "timesteps" else None
    elif relative or floor is not None:
        msg = f"relative, floor: only y='gap' has them, not y={y!r}"
        raise ValueError(msg)
    fig, ax = _axes(ax, (7.0, 4.5))
    lowest = -np.inf if floor is None else floor
    on_floor = False
    widest = 0.0
    for colour, (label, result) in zip(_cycle(len(named)), named.items(), strict=True):
        if y == "gap":
            at, values = _gaps(result, x, borrowed)
            values = values * scales[label]
        else:
            at, values = _returns(label, result, x, y)
        middle = interquartile_mean(values)
        on_floor |= bool(np.any(middle < lowest))
        widest = max(widest, float(at[-1]))
        if individual is True or (individual is None and 1 < len(values) <= _FEW):
            ax.plot(at, np.maximum(values, lowest).T, color=colour, alpha=0.3, linewidth=0.7)
        if len(values) > 1:
            low, high = _bootstrap_band(values, confidence, n_resamples, seed)
            ax.fill_between(
                at, np.maximum(low, lowest), np.maximum(high, lowest), color=colour, alpha=0.25, linewidth=0
            )
        name = _label(label, len(values), confidence)
        ax.plot(at, np.maximum(middle, lowest), color=colour, linewidth=1.8, label=name)
        if y == "gap":
            _draw_bound(ax, result, at, scales[label], colour, label)
    if y == "gap":
        ax.set_yscale("log")
    ax.margins(x=0.02)
    if floor is not None and on_floor:
        _mark_floor(ax, floor)
    for level in levels:
        ax.axhline(level, color="0.25", linewidth=0.9, linestyle="--")
        ax.annotate(
            f"{_number(level)}{' %' if relative else ''}",
            (1.0, level),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color="0.25",
        )
    _name_x_axis(ax, x, widest)
    if floor is not None:
        _name_gap_axis(ax, floor if on_floor else 0.0, relative=relative)
    else:
        ax.set_ylabel(_RETURNS[y])
    ax.grid(visible=True, which="major", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if title is not None:
        ax.set_title(title)
    ax.legend(frameon=False, fontsize=9)
    return fig, ax


def _named(results: object) -> dict[str, Result]:
    if isinstance(results, Result):
        return {results.algorithm: results}
    if not isinstance(results, Mapping):
        msg = f"results: expected a Result or a mapping of names to Results, got {type(results).__name__}"
        raise TypeError(msg)
    if not results:
        msg = "results: empty, expected at least one Result"
        raise ValueError(msg)
    for label, result in results.items():
        if not isinstance(result, Result):
            msg = f"results[{label!r}]: expected a Result, got {type(result).__name__}"
            raise TypeError(msg)
    return {str(label): result for label, result in results.items()}


def _read_x(x: XAxis | None, named: Mapping[str, Result]) -> XAxis:
    if x is None:
        return "timesteps" if any(map(_takes_steps, named.values())) else "iteration"
    _validate.choice("x", x, ("timesteps", "iteration"))
    if x == "timesteps" and not any(map(_takes_steps, named.values())):
        msg = "x='timesteps': no result has taken steps; use x='iteration'"
        raise ValueError(msg)
    return x


def _read_y(y: YAxis | None, named: Mapping[str, Result]) -> YAxis:
    if y is None:
        return "return_mean" if any(result.optimum is None for result in named.values()) else "gap"
    _validate.choice("y", y, ("gap", "return_mean", "evaluation"))
    return y


def _optimum(label: str, result: Result) -> float:
    if result.optimum is None:
        msg = f"y='gap': {label!r} has no optimum; use y='return_mean'"
        raise ValueError(msg)
    return result.optimum.objective


def _scale(label: str, optimum: float) -> float:
    if optimum == 0.0:
        msg = f"relative=True: the optimum of {label!r} is 0"
        raise ValueError(msg)
    return 100.0 / abs(optimum)


def _median_steps(results: Iterable[Result]) -> FloatArray | None:
    for result in results:
        if _takes_steps(result):
            steps = _held(np.column_stack([np.zeros(result.n_seeds), result.history["timesteps"]]))
            return np.asarray(np.median(steps, axis=0))
    return None


def _label(label: str, n_seeds: int, confidence: float) -> str:
    return label if n_seeds == 1 else f"{label}: interquartile mean of {n_seeds} seeds, {100 * confidence:g} % band"


def _draw_bound(ax: "Axes", result: Result, at: FloatArray, scale: float, colour: str, label: str) -> None:
    if "bound" not in result.history or not np.isfinite(result.history["bound"]).any() or at.size < 2:
        return
    bounds = np.where(np.isnan(result.history["bound"]), np.inf, result.history["bound"])
    median = np.median(bounds, axis=0) * scale
    n = min(at.size - 1, median.size)
    positions = at[1 : n + 1] if not _takes_steps(result) else np.linspace(at[1], at[-1], n)
    kept = np.isfinite(median[:n])
    ax.plot(positions[kept], median[:n][kept], color=colour, linestyle="--", label=f"{label}: bound")


def _mark_floor(ax: "Axes", floor: float) -> None:
    """Let the axis end at the floor, with ticks that are whole decades above it."""
    decades = int(np.log10(max(ax.get_ylim()[1] / floor, 1.0)) + 1e-9)
    stride = 1 + decades // 8
    ax.set_yticks([floor * 10.0**k for k in range(0, decades + 1, stride)])
    ax.set_ylim(bottom=floor / 10.0 ** (0.03 * max(decades, 1)))
    ax.axhline(floor, color="0.6", linewidth=0.8, zorder=0)


def _name_x_axis(ax: "Axes", x: XAxis, widest: float) -> None:
    from matplotlib.ticker import FuncFormatter

    if x == "iteration":
        ax.set_xlabel("iteration")
        return
    ax.set_xlabel("environment steps per seed")
    unit, suffix = (1e6, " M") if widest >= 2e6 else (1e3, " k") if widest >= 2e3 else (1.0, "")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}{suffix if value else ''}"))


def _name_gap_axis(ax: "Axes", floor: float, *, relative: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    name = "100 (J* \N{MINUS SIGN} J) / |J*|  [%]" if relative else "J* \N{MINUS SIGN} J  [reward]"
    ax.set_ylabel(f"gap to the optimum, {name}")
    if floor == 0.0:
        bottom, top = ax.get_ylim()
        ax.yaxis.set_major_locator(LogLocator(numticks=8, subs=(1.0,) if top > 50.0 * bottom else (1.0, 2.0, 5.0)))

    def label(value: float, _: int) -> str:
        return f"\N{LESS-THAN OR EQUAL TO} {_number(value)}" if value < 1.001 * floor else _number(value)

    ax.yaxis.set_major_formatter(FuncFormatter(label))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _number(value: float) -> str:
    return f"{value:.6g}" if value == 0.0 or 1e-4 <= abs(value) < 1e6 else f"{value:.0e}"


def _cycle(n: int) -> list[str]:
    return [_COLOURS[k % len(_COLOURS)] for k in range(n)]


def _axes(ax: "Axes | None", size: tuple[float, float]) -> "tuple[Figure, Axes]":
    if ax is not None:
        fig: Any = ax.get_figure(root=True)
        return fig, ax
    figure_class = _figure_class()
    fig = figure_class(figsize=size, layout="constrained")
    return fig, fig.add_subplot()


def _figure_class() -> "type[Figure]":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "pictures need matplotlib: pip install 'npgfast[plot]'"
        raise ImportError(msg) from error
    return Figure


def plot_policy(
    problem: TabularMDP | tuple[int, int],
    policy: SoftmaxPolicy | ArrayLike,
    *,
    shape: tuple[int, int] | None = None,
    moves: Sequence[tuple[int, int]] = LEFT_DOWN_RIGHT_UP,
    cells: Sequence[str] | None = None,
    values: ArrayLike | None = None,
    ax: "Axes | None" = None,
    title: str | None = None,
) -> "tuple[Figure, Axes]":
    """Draw a policy on a grid: one arrow per action, as long as its probability, on cells coloured by value.

    Parameters
    ----------
    problem : TabularMDP, or (rows, columns)
        State s stands in row s // columns. A problem also gives the values of the policy.
    policy : SoftmaxPolicy, or array_like of shape (S, A)
        A policy or probabilities.
    shape : (int, int), optional
        Rows and columns of a problem; default a square.
    moves : sequence of (int, int)
        Rows down and columns right of each action; default left, down, right, up.
    cells : sequence of str, optional
        The map, one string per row, as FrozenLake's: "H" (hole), "C" (cliff) and "G" (goal) get no arrow; all letters
        but "F" are written.
    values : array_like, shape (S,), optional
        Colours the cells; default those of a problem under the policy.
    ax : matplotlib Axes, optional
        Where to draw; default a figure of its own.
    title : str, optional

    Returns
    -------
    fig, ax : matplotlib Figure and Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError, ValueError
        For sizes that do not fit.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp = nf.problems.frozen_lake(gamma=0.99)
    >>> fig, ax = plot_policy(mdp, nf.TabularSoftmax(16, 4), cells=("SFFF", "FHFH", "FFFH", "HFFG"))
    >>> ax.get_aspect()
    1.0
    """
    mdp = problem if isinstance(problem, TabularMDP) else None
    rows, columns = _read_shape(problem, shape)
    n_states = rows * columns
    probs = policy.probs() if isinstance(policy, SoftmaxPolicy) else policy
    table = _validate.real_array("policy", probs, (n_states, len(moves)), because="to match the grid and moves")
    letters = _read_cells(cells, rows, columns)
    ends = np.array([letter in _FILLED for row in letters for letter in row])
    if values is not None:
        height = _validate.real_array("values", values, (n_states,), because="to match the grid")
    elif mdp is not None and mdp.horizon is None:
        height = evaluate(mdp, table).values
    else:
        height = None
    width = 0.75 * columns + (1.2 if height is not None else 0.3)
    fig, ax = _axes(ax, (max(3.0, width), max(2.5, 0.75 * rows + 0.6)))
    if height is not None:
        from matplotlib.colors import LinearSegmentedColormap

        pale = LinearSegmentedColormap.from_list("pale", ["#FBFDFF", "#BBDDF2", "#62A8D9"])
        image = ax.imshow(np.ma.masked_array(height, ends).reshape(rows, columns), cmap=pale)
        wide = columns > 1.5 * rows
        bar = fig.colorbar(image, ax=ax, shrink=0.8, location="bottom" if wide else "right")
        bar.set_label("value of the state [discounted reward]", fontsize=9)
        bar.ax.tick_params(labelsize=8)
    _draw_cells(ax, letters, rows, columns)
    _draw_arrows(ax, table, ends, columns, np.asarray(moves, dtype=np.float64))
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    if title is not None:
        ax.set_title(title)
    return fig, ax


def _read_shape(problem: TabularMDP | tuple[int, int], shape: tuple[int, int] | None) -> tuple[int, int]:
    if not isinstance(problem, TabularMDP):
        if shape is not None:
            msg = f"shape={shape}: the first argument is a shape already"
            raise ValueError(msg)
        rows, columns = problem
        return _validate.integer("rows", rows, low=1), _validate.integer("columns", columns, low=1)
    if shape is None:
        side = int(np.sqrt(problem.n_states) + 0.5)
        shape = (side, side)
    rows, columns = shape
    if rows * columns != problem.n_states:
        msg = f"shape={shape}: the problem has {problem.n_states} states; give shape=(rows, columns)"
        raise ValueError(msg)
    return rows, columns


def _read_cells(cells: Sequence[str] | None, rows: int, columns: int) -> list[str]:
    if cells is None:
        return ["F" * columns] * rows
    if len(cells) != rows or any(len(row) != columns for row in cells):
        msg = f"cells: expected {rows} strings of length {columns}"
        raise ValueError(msg)
    return list(cells)


def _draw_cells(ax: "Axes", letters: Sequence[str], rows: int, columns: int) -> None:
    from matplotlib.patches import Rectangle

    for row in range(rows):
        for column in range(columns):
            letter = letters[row][column]
            ax.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1.0,
                    1.0,
                    facecolor=_FILLED.get(letter, "none"),
                    edgecolor="0.55",
                    linewidth=0.8,
                )
            )
            if letter in _FILLED:
                colour = "black" if letter == "G" else "white"
                ax.text(column, row, letter, ha="center", va="center", color=colour, fontweight="bold")
            elif letter != "F":
                ax.text(column - 0.44, row - 0.42, letter, ha="left", va="top", fontsize=8, fontweight="bold")


def _draw_arrows(ax: "Axes", probs: FloatArray, ends: NDArray[np.bool_], columns: int, moves: FloatArray) -> None:
    shown = (probs >= 0.05) & ~ends[:, None]
    states, actions = np.nonzero(shown)
    lengths = 0.42 * probs[states, actions]
    ax.quiver(
        states % columns,
        states // columns,
        moves[actions, 1] * lengths,
        moves[actions, 0] * lengths,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        units="xy",
        width=0.05,
        headwidth=4.0,
        headlength=4.0,
        headaxislength=3.5,
        minlength=0.1,
        color="black",
        zorder=3,
    )
