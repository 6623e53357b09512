"""Optimal values that are known in closed form or from the literature, as data to test solvers and agents against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from npgfast.problems import generators
from npgfast.problems.tabular_mdp import TabularMDP

__all__ = ["KNOWN_OPTIMA", "KnownOptimum", "known_optimum"]


@dataclass(frozen=True)
class KnownOptimum:
    """What is known of the optimum of one problem.

    Parameters
    ----------
    name : str
        A function of `npgfast.problems`, or the id of a Gymnasium environment.
    settings : mapping
        Its keyword arguments.
    objective : float or None
        Optimal J from the problem's own initial distribution (with a horizon: over non-stationary policies).
    values : mapping of int to float
        Optimal V of some states (with a horizon: at time 0).
    source : str
        Where the numbers come from.
    """

    name: str
    settings: Mapping[str, Any]
    objective: float | None = None
    values: Mapping[int, float] = field(default_factory=dict)
    source: str = ""

    def problem(self) -> TabularMDP:
        """Make the problem."""
        if self.name in generators.__all__:
            mdp: TabularMDP = getattr(generators, self.name)(**self.settings)
            return mdp
        return TabularMDP.from_gymnasium(self.name, **self.settings)


_COMPUTED = "value iteration on the model in double precision, to 1e-12"
_PUTERMAN = "Puterman (1994), section 4.6.1, values at t = 1 with N = 4"


def _lake(size: str, gamma: float, horizon: int | None, objective: float, source: str = _COMPUTED) -> KnownOptimum:
    settings = {"map_name": size, "gamma": gamma, "horizon": horizon}
    return KnownOptimum("frozen_lake", settings, objective=objective, source=source)


KNOWN_OPTIMA: tuple[KnownOptimum, ...] = (
    _lake("4x4", 0.9, None, 0.068890904889),
    _lake("4x4", 0.99, None, 0.542025932000),
    _lake("4x4", 1.0, None, 14.0 / 17.0, "linear equations in rationals"),
    _lake("4x4", 1.0, 100, 0.744190287829),
    _lake("8x8", 0.9, None, 0.006411114262),
    _lake("8x8", 0.99, None, 0.414640361800),
    _lake("8x8", 1.0, None, 1.0, "there is a policy that never enters a hole"),
    _lake("8x8", 1.0, 200, 0.913220150202),
    KnownOptimum("Taxi-v4", {"gamma": 0.9}, objective=-1.263323099040, source=_COMPUTED),
    KnownOptimum("Taxi-v4", {"gamma": 0.99}, objective=6.327464314919, source=_COMPUTED),
    KnownOptimum("Taxi-v4", {"gamma": 1.0}, objective=7.93, source="mean shortest path"),
    KnownOptimum("Taxi-v4", {"gamma": 1.0, "horizon": 200}, objective=7.93, source="mean shortest path"),
    KnownOptimum("CliffWalking-v1", {"gamma": 1.0}, objective=-13.0, source="shortest path of 13 steps"),
    KnownOptimum(
        "CliffWalking-v1",
        {"gamma": 0.99},
        objective=-(1.0 - 0.99**13) / (1.0 - 0.99),
        source="shortest path of 13 steps",
    ),
    KnownOptimum(
        "forest",
        {"gamma": 0.96},
        objective=(74.6496 + 78.1056 + 82.1056) / 3.0,
        values={0: 74.6496, 1: 78.1056, 2: 82.1056},
        source="pymdptoolbox documentation, forest example; always wait",
    ),
    KnownOptimum(
        "two_state",
        {"gamma": 0.9},
        objective=0.8 * 18.0 + 0.2 * 20.0,
        values={0: 18.0, 1: 20.0},
        source="Kakade (2001); go to the second state and keep it",
    ),
    KnownOptimum(
        "sutton_barto_grid",
        {"gamma": 0.9},
        values={1: 10.0 / (1.0 - 0.9**5), 21: 0.9**4 * 10.0 / (1.0 - 0.9**5)},
        source="Sutton, Barto (2018), example 3.8: 24.4 and 16.0",
    ),
    KnownOptimum("gambler", {"goal": 100, "p_heads": 0.4}, values={25: 0.16, 50: 0.4, 75: 0.64}, source="bold play"),
    KnownOptimum("deep_sea", {"size": 10}, objective=0.99, source="Osband et al. (2020); always right"),
    KnownOptimum("deep_sea", {"size": 20, "seed": 3}, objective=0.99, source="Osband et al. (2020); always right"),
    KnownOptimum("gridworld", {"n_rows": 4, "n_columns": 6, "start": (0, 0)}, objective=-8.0, source="shortest path"),
    KnownOptimum(
        "chain",
        {"n_states": 5, "slip": 0.0, "gamma": 0.99},
        objective=10.0 * 0.99**4 / (1.0 - 0.99),
        values={4: 10.0 / (1.0 - 0.99)},
        source="Dearden et al. (1998); always forward",
    ),
    KnownOptimum(
        "inventory",
        {"gamma": 1.0, "horizon": 3},
        objective=(67.0 + 129.0 + 194.0 + 227.0) / 64.0,
        values={0: 67.0 / 16.0, 1: 129.0 / 16.0, 2: 194.0 / 16.0, 3: 227.0 / 16.0},
        source=_PUTERMAN,
    ),
)


def known_optimum(name: str, **settings: Any) -> KnownOptimum:
    """Look up what is known of a problem's optimum.

    Parameters
    ----------
    name : str
        A function of `npgfast.problems`, or the id of a Gymnasium environment.
    **settings
        Keyword arguments; an entry matches if it agrees with all of them.

    Returns
    -------
    KnownOptimum
        The first entry of `KNOWN_OPTIMA` that matches.

    Raises
    ------
    ValueError
        If none does; lists what is known under that name.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.known_optimum("two_state", gamma=0.9).values[1]
    20.0
    """
    named = [entry for entry in KNOWN_OPTIMA if entry.name == name]
    for entry in named:
        if settings.items() <= dict(entry.settings).items():
            return entry
    known = "; ".join(str(dict(entry.settings)) for entry in named) or "nothing"
    msg = f"known_optimum: no entry for {name!r} with {settings}, known under that name: {known}"
    raise ValueError(msg)
