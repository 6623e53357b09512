"""What an agent learns on: a tabular problem, a simulated environment, or anybody's environment behind a bridge."""

from collections.abc import Mapping
from typing import Any, cast

from npgfast import _validate
from npgfast.envs.named import NATIVE, make_native
from npgfast.envs.simulated import Simulated
from npgfast.problems import TabularMDP
from npgfast.tasks.bridged import BridgedTask
from npgfast.tasks.observed import SimulatedTask, observation_limit
from npgfast.tasks.tabular import TabularTask
from npgfast.tasks.task import Mode, Task

__all__ = ["Mode", "TabularTask", "Task", "observation_limit", "read_task"]


def read_task(
    env: object,
    gamma: float | None,
    n_envs: int | None,
    make_kwargs: object,
    *,
    tabular_only: str | None,
) -> Task:
    """The task of whatever was given as an environment.

    Parameters
    ----------
    env
        A TabularMDP; a Simulated; a Gymnasium id or environment: read as a TabularMDP where it has a model, simulated
        natively where `npgfast.envs` has it by that id, and otherwise bridged, as are vector environments, callables
        and EnvPool's.
    gamma : float, optional
        Default 0.99; a TabularMDP has its own.
    n_envs : int, optional
        Environments of a bridge.
    make_kwargs : mapping, optional
        For ``gymnasium.make`` or `npgfast.envs.make`; only with an id.
    tabular_only : str, optional
        Name of the algorithm, if it needs a tabular problem.
    """
    if make_kwargs is not None and not isinstance(make_kwargs, Mapping):
        msg = f"make_kwargs: expected a dict, got {type(make_kwargs).__name__}"
        raise TypeError(msg)
    if make_kwargs and not isinstance(env, str):
        msg = f"make_kwargs: {', '.join(make_kwargs)} can be given with an environment's id only"
        raise TypeError(msg)
    if isinstance(env, TabularMDP):
        if gamma is not None and gamma != env.gamma:
            msg = f"gamma={gamma}: the problem has gamma={env.gamma}; change it with mdp.replace(gamma=...)"
            raise ValueError(msg)
        return TabularTask(env, tabular_only=tabular_only)
    discount = 0.99 if gamma is None else _validate.real("gamma", gamma, low=0.0, high=1.0)
    settings = dict(make_kwargs or {})
    if not isinstance(env, Simulated) and (isinstance(env, str) or not hasattr(env, "num_envs")):
        name = env.removeprefix("npgfast/") if isinstance(env, str) else None
        if name in NATIVE and tabular_only is None:
            env = make_native(name, **settings)
        elif not callable(env) and _has_model(env, settings):
            mdp = TabularMDP.from_gymnasium(cast("Any", env), gamma=discount, **settings)
            return TabularTask(mdp, tabular_only=tabular_only)
    if tabular_only is not None:
        msg = f"env: {tabular_only} needs a tabular problem, and this environment has no model"
        raise TypeError(msg)
    if isinstance(env, Simulated):
        return SimulatedTask(env, discount)
    return BridgedTask(env, discount, n_envs, settings)


def _has_model(env: object, settings: Mapping[str, Any]) -> bool:
    """Whether an environment, or the one of an id, has the transition table P."""
    if not isinstance(env, str):
        return hasattr(getattr(env, "unwrapped", None), "P")
    import gymnasium

    made = gymnasium.make(env, **settings)
    try:
        return hasattr(made.unwrapped, "P")
    finally:
        made.close()
