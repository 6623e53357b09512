"""What a command is about: a tabular problem, by its id or file, or an environment with observations, by its id."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npgfast.cli.failures import WrongUsage, usage
from npgfast.envs import NATIVE, Simulated
from npgfast.envs import make as make_native
from npgfast.envs.bridge import Bridge, make_bridge
from npgfast.plotting import LEFT_DOWN_RIGHT_UP
from npgfast.problems import TabularMDP

__all__ = ["EnvironmentOptions", "Grid", "ObservedEnvironment", "Problem"]

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
    """A tabular problem with the name by which it was asked for."""

    name: str
    mdp: TabularMDP
    grid: Grid | None = None

    @property
    def summary(self) -> str:
        """Sizes and objective in words."""
        mdp = self.mdp
        limit = "" if mdp.horizon is None else f", horizon {mdp.horizon}"
        return f"{self.name}: {mdp.n_states} states, {mdp.n_actions} actions, gamma {mdp.gamma:g}{limit}"


@dataclass(frozen=True, eq=False)
class ObservedEnvironment:
    """An environment with observations and without a model.

    Attributes
    ----------
    name : str
        The id by which it was asked for.
    env : Simulated or Bridge
        Its sizes; a bridge is closed already.
    settings : mapping
        For ``gymnasium.make`` or `npgfast.envs.make`.
    """

    name: str
    env: Simulated | Bridge
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_native(self) -> bool:
        """Whether it is simulated natively."""
        return isinstance(self.env, Simulated)

    @property
    def own(self) -> Any:
        """Gymnasium's own environment, as `npgfast.evaluate_policy` takes it; None where Gymnasium has none."""
        import gymnasium

        if self.is_native and (self.settings or self.name not in gymnasium.registry):
            return None
        settings = dict(self.settings)
        return partial(gymnasium.make, self.name, **settings) if settings else self.name

    @property
    def summary(self) -> str:
        """Sizes in words."""
        env = self.env
        many = "s" if env.action_size > 1 else ""
        actions = f"{env.n_actions} actions" if env.n_actions else f"{env.action_size} continuous action{many}"
        limit = "" if env.time_limit is None else f", at most {env.time_limit} steps per episode"
        where = "simulated natively" if self.is_native else "stepped by Gymnasium"
        return f"{self.name}: {env.observation_size} observations, {actions}{limit}, {where}"


@dataclass(frozen=True)
class EnvironmentOptions:
    """ENV and the options that shape it.

    Attributes
    ----------
    name : str
        An id, or the path of a file that `TabularMDP.save` wrote.
    gamma : float or None
        Default for a tabular problem 0.99, or that of the file.
    horizon : str or None
        Digits or "time_limit"; default none, or that of the file.
    map_name : str or None
        Passed to ``gymnasium.make``.
    settings : list of str
        ``key=value``, passed to ``gymnasium.make``; values are read as Python literals where they are some.
    """

    name: str
    gamma: float | None
    horizon: str | None
    map_name: str | None
    settings: list[str]

    def read(self) -> Problem | ObservedEnvironment:
        """Read what the options say.

        Raises
        ------
        WrongUsage
            For what cannot be used.
        CheckpointError, OSError
            For a file that cannot be read.
        """
        horizon = _read_horizon(self.horizon)
        options = _read_settings(self.settings)
        if self.map_name is not None:
            options["map_name"] = self.map_name
        path = Path(self.name)
        if path.exists() or path.suffix == ".safetensors":
            if options:
                msg = f"--map-name and --set are for ids; {self.name} is a file"
                raise WrongUsage(msg)
            return _from_file(path, self.gamma, horizon)
        if self.name.removeprefix("npgfast/") in NATIVE:
            with usage():
                found: Problem | ObservedEnvironment = ObservedEnvironment(
                    self.name, make_native(self.name, **options), options
                )
        else:
            found = _from_gymnasium(self.name, DEFAULT_GAMMA if self.gamma is None else self.gamma, horizon, options)
        if isinstance(found, ObservedEnvironment) and horizon is not None:
            msg = f"--horizon: {self.name} has no model; its episodes end by its own time limit"
            raise WrongUsage(msg)
        return found

    def read_problem(self) -> Problem:
        """Read a tabular problem; anything else is wrong usage."""
        found = self.read()
        if isinstance(found, ObservedEnvironment):
            msg = f"{self.name} has no model, so that it can be learned on but not solved: npgfast train {self.name}"
            raise WrongUsage(msg)
        return found


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


def _from_gymnasium(
    name: str, gamma: float, horizon: Horizon, options: Mapping[str, Any]
) -> Problem | ObservedEnvironment:
    import gymnasium

    try:
        env: gymnasium.Env[Any, Any] = gymnasium.make(name, **options)
    except gymnasium.error.DependencyNotInstalled as error:
        msg = f"{name} cannot be made: {error}"
        raise WrongUsage(msg) from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        msg = f"{name}: no such file, and not an environment of Gymnasium ({error})"
        raise WrongUsage(msg) from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        msg = f"{name} cannot be made with {given or 'its defaults'}: {error!r}"
        raise WrongUsage(msg) from error
    try:
        with usage():
            if not hasattr(env.unwrapped, "P"):
                return ObservedEnvironment(name, make_bridge(env), options)
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
