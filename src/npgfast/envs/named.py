"""Environments by their id."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from npgfast.envs.bridge import Bridge, make_bridge
from npgfast.envs.classic_control import Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum
from npgfast.envs.lqr import LQR

if TYPE_CHECKING:
    from npgfast.envs.simulated import Simulated

__all__ = ["NAMESPACE", "NATIVE", "make", "make_native"]

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


def make(id: str, *, n_envs: int | None = None, **settings: Any) -> Simulated | Bridge:
    """Make an environment by its id: simulated natively where there is one, else Gymnasium's behind a `Bridge`.

    Parameters
    ----------
    id : str
        Gymnasium's id, e.g. ``"CartPole-v1"``, or that of a native environment under ``npgfast/``.
    n_envs : int, optional
        Environments of a bridge, default 1; a native environment holds no episodes and has no number of them.
    **settings
        Arguments of the native environment's class, or of ``gymnasium.make_vec``. "LQR-v0" without any is a double
        integrator over 200 steps.

    Returns
    -------
    Simulated or Bridge

    Raises
    ------
    TypeError
        If the id is not a string, or for a setting that the environment does not have.
    ValueError
        For n_envs with a native environment.
    gymnasium.error.Error
        For an id that nobody has.

    Examples
    --------
    >>> from npgfast import envs
    >>> envs.make("Pendulum-v1", g=9.81)
    Pendulum(time_limit=200, g=9.81)
    """
    given: object = id
    if not isinstance(given, str):
        msg = f"id: expected a string, got {type(given).__name__} {given!r}"
        raise TypeError(msg)
    if id.removeprefix(NAMESPACE) not in NATIVE:
        return make_bridge(id, n_envs, **settings)
    if n_envs is not None:
        msg = (
            f"n_envs={n_envs}: {id} is simulated natively, and is played in as many environments as each call asks for"
        )
        raise ValueError(msg)
    return make_native(id, **settings)


def make_native(id: str, **settings: Any) -> Simulated:
    """Make the native environment of an id that has one."""
    name = id.removeprefix(NAMESPACE)
    if not settings and name == LQR.name:
        settings = DOUBLE_INTEGRATOR
    kind = NATIVE[name]
    allowed = list(inspect.signature(kind).parameters)
    for setting in settings:
        if setting not in allowed:
            msg = f"{setting}: not a setting of {kind.name}, which has {', '.join(allowed)}"
            raise TypeError(msg)
    return kind(**settings)
