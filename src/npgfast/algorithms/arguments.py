"""Arguments that several algorithms read in the same way."""

from typing import Any, Literal

from npgfast import _validate
from npgfast.geometry import ESTIMATORS, METHODS
from npgfast.tasks import Mode

__all__ = ["Baseline", "Mode", "given_settings", "solver_options"]

Baseline = Literal["auto", "tabular", "linear", "quadratic"]


def given_settings(arguments: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of an agent's constructor, from its ``locals()``."""
    return {name: value for name, value in arguments.items() if name not in ("self", "env", "policy", "__class__")}


def solver_options(settings: dict[str, Any]) -> dict[str, Any]:
    """Check how an algorithm computes its natural direction, and name that as the core does."""
    cg_iters = settings["cg_iters"]
    return {
        "solver": METHODS.index(_validate.choice("solver", settings["solver"], METHODS)),
        "estimator": ESTIMATORS.index(_validate.choice("estimator", settings["estimator"], ESTIMATORS)),
        "damping": _validate.real("damping", settings["damping"], low=0.0),
        "rtol": _validate.real("rtol", settings["rtol"], low=0.0),
        "max_solver_iterations": 0 if cg_iters is None else _validate.integer("cg_iters", cg_iters, low=1),
    }
