"""Which problem a command is about: a Gymnasium id or the file of a saved `TabularMDP`."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npgfast.cli.failures import WrongUsage, usage
from npgfast.plotting import LEFT_DOWN_RIGHT_UP
from npgfast.problems import TabularMDP

__all__ = ["Grid", "Problem", "read_problem"]

DEFAULT_GAMMA = 0.99
_UP_RIGHT_DOWN_LEFT = ((-1, 0), (0, 1), (1, 0), (0, -1))
Horizon = int | Literal["time_limit"] | None


@dataclass(frozen=True)
class Grid:
    """How the states of a problem lie on a grid; the fields are arguments of `npgfast.plotting.plot_policy`."""

    cells: tuple[str, ...]
    moves: Sequence[tuple[int, int]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.cells), len(self.cells[0])


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem with the name by which it was asked for."""

    name: str
    mdp: TabularMDP
    grid: Grid | None = None

    @property
    def summary(self) -> str:
        """Sizes and objective in words."""
        mdp = self.mdp
        limit = "" if mdp.horizon is None else f", horizon {mdp.horizon}"
        return f"{self.name}: {mdp.n_states} states, {mdp.n_actions} actions, gamma {mdp.gamma:g}{limit}"


def read_problem(
    name: str, *, gamma: float | None, horizon: str | None, map_name: str | None, settings: Sequence[str]
) -> Problem:
    """Read a problem as the command line names it.

    Parameters
    ----------
    name : str
        A Gymnasium id, or the path of a file that `TabularMDP.save` wrote.
    gamma : float, optional
        Default 0.99, or that of the file.
    horizon : str, optional
        Digits or "time_limit"; default none, or that of the file.
    map_name : str, optional
        Passed to ``gymnasium.make``.
    settings : sequence of str
        ``key=value``, passed to ``gymnasium.make``; values are read as Python literals where they are some.

    Raises
    ------
    WrongUsage
        For what cannot be used.
    CheckpointError, OSError
        For a file that cannot be read.
    """
    limit = _read_horizon(horizon)
    options = _read_settings(settings)
    if map_name is not None:
        options["map_name"] = map_name
    path = Path(name)
    if path.exists() or path.suffix == ".safetensors":
        if options:
            msg = f"--map-name and --set are for Gymnasium ids; {name} is a file"
            raise WrongUsage(msg)
        return _from_file(path, gamma, limit)
    return _from_gymnasium(name, DEFAULT_GAMMA if gamma is None else gamma, limit, options)


def _from_file(path: Path, gamma: float | None, horizon: Horizon) -> Problem:
    if horizon == "time_limit":
        msg = f"--horizon time_limit is for Gymnasium ids; {path} is a file"
        raise WrongUsage(msg)
    mdp = TabularMDP.load(path)
    with usage():
        if gamma is not None:
            mdp = mdp.replace(gamma=gamma)
        if horizon is not None:
            mdp = mdp.replace(horizon=horizon)
    return Problem(path.stem, mdp)


def _from_gymnasium(name: str, gamma: float, horizon: Horizon, options: Mapping[str, Any]) -> Problem:
    import gymnasium

    try:
        env: gymnasium.Env[Any, Any] = gymnasium.make(name, **options)
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        msg = f"{name}: no such file, and not an environment of Gymnasium ({error})"
        raise WrongUsage(msg) from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        msg = f"{name} cannot be made with {given or 'its defaults'}: {error!r}"
        raise WrongUsage(msg) from error
    try:
        with usage():
            mdp = TabularMDP.from_gymnasium(env, gamma=gamma, horizon=horizon)
        grid = _grid(env.unwrapped, mdp)
    finally:
        env.close()
    label = f"{name} {options['map_name']}" if "map_name" in options else name
    return Problem(label, mdp, grid)


def _grid(model: Any, mdp: TabularMDP) -> Grid | None:
    """The map of FrozenLake and CliffWalking."""
    kind = type(model).__name__
    if kind == "FrozenLakeEnv":
        letters = np.asarray(model.desc).astype(str)
        return Grid(tuple("".join(row) for row in letters), LEFT_DOWN_RIGHT_UP)
    if kind == "CliffWalkingEnv" and mdp.n_states == 48:
        return Grid(("F" * 12,) * 3 + ("S" + "C" * 10 + "G",), _UP_RIGHT_DOWN_LEFT)
    return None


def _read_horizon(horizon: str | None) -> Horizon:
    if horizon is None or horizon == "time_limit":
        return None if horizon is None else "time_limit"
    try:
        return int(horizon)
    except ValueError as error:
        msg = f"--horizon {horizon}: expected a number of steps or 'time_limit'"
        raise WrongUsage(msg) from error


def _read_settings(settings: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.isidentifier():
            msg = f"--set {setting}: expected key=value"
            raise WrongUsage(msg)
        if value.lower() in ("true", "false"):
            options[key] = value.lower() == "true"
            continue
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            options[key] = value
    return options
