"""Environments by their id."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from npgfast import _validate
from npgfast.envs.classic_control import Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum
from npgfast.envs.lqr import LQR

if TYPE_CHECKING:
    from npgfast.envs.simulated import Simulated

__all__ = ["NAMESPACE", "NATIVE", "make"]

NAMESPACE: Final = "npgfast/"
NATIVE: Final[dict[str, type[Simulated]]] = {
    kind.name: kind for kind in (CartPole, MountainCar, MountainCarContinuous, Acrobot, Pendulum, LQR)
}
DOUBLE_INTEGRATOR: Final[dict[str, Any]] = {
    "A": ((1.0, 0.1), (0.0, 1.0)),
    "B": ((0.0,), (0.1,)),
    "Q": ((1.0, 0.0), (0.0, 0.1)),
    "R": ((0.1,),),
    "time_limit": 200,
}


def make(id: str, **settings: Any) -> Simulated:
    """Make the native environment of an id.

    Parameters
    ----------
    id : str
        Gymnasium's id, e.g. ``"CartPole-v1"``, or the same under ``npgfast/``.
    **settings
        Arguments of the environment's class. "LQR-v0" without any is a double integrator over 200 steps.

    Returns
    -------
    Simulated

    Raises
    ------
    TypeError
        If the id is not a string, or for a setting that the environment does not have.
    ValueError
        For an id that has no native environment.

    Examples
    --------
    >>> from npgfast import envs
    >>> envs.make("Pendulum-v1", g=9.81)
    Pendulum(time_limit=200, g=9.81)
    """
    if settings == {} and _without_namespace(id) == LQR.name:
        settings = DOUBLE_INTEGRATOR
    kind = NATIVE[_validate.choice("id", _without_namespace(id), tuple(NATIVE))]
    allowed = list(inspect.signature(kind).parameters)
    for name in settings:
        if name not in allowed:
            msg = f"{name}: not a setting of {kind.name}, which has {', '.join(allowed)}"
            raise TypeError(msg)
    return kind(**settings)


def _without_namespace(name: object) -> object:
    return name.removeprefix(NAMESPACE) if isinstance(name, str) else name
