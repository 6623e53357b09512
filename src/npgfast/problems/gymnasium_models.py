"""Models of tabular Gymnasium environments: their ``P`` and ``initial_state_distrib`` as a `TabularMDP`."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from npgfast import _validate
from npgfast.problems.kernel import ROW_TOLERANCE
from npgfast.problems.outcomes import Outcome, mdp_from_outcomes
from npgfast.problems.tabular_mdp import TabularMDP

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["from_gymnasium"]


def from_gymnasium(
    env_or_id: "str | Env[Any, Any]",
    *,
    gamma: float = 1.0,
    horizon: int | Literal["time_limit"] | None = None,
    **make_kwargs: Any,
) -> TabularMDP:
    """Read the model of a tabular environment; see `TabularMDP.from_gymnasium`."""
    if not isinstance(env_or_id, str):
        if make_kwargs:
            msg = f"from_gymnasium: {', '.join(make_kwargs)} given with an environment, allowed only with an id"
            raise TypeError(msg)
        return _read_model(env_or_id, gamma, horizon)
    import gymnasium

    env: Env[Any, Any] = gymnasium.make(env_or_id, **make_kwargs)
    try:
        return _read_model(env, gamma, horizon)
    finally:
        env.close()


def _read_model(env: "Env[Any, Any]", gamma: float, horizon: int | Literal["time_limit"] | None) -> TabularMDP:
    model: Any = getattr(env, "unwrapped", None)
    if model is None:
        msg = f"env_or_id: expected a Gymnasium environment or its id, got {type(env).__name__}"
        raise TypeError(msg)
    for attribute in ("P", "initial_state_distrib"):
        if not hasattr(model, attribute):
            msg = (
                f"env_or_id: {type(model).__name__} has no {attribute!r}, expected a tabular model such as that of "
                "FrozenLake, Taxi or CliffWalking"
            )
            raise ValueError(msg)
    if getattr(model, "fickle_passenger", False):
        warnings.warn(
            "fickle_passenger depends on a hidden state that P does not hold: the model is that of a passenger who "
            "does not change destination",
            UserWarning,
            stacklevel=4,
        )
    n_states, n_actions = int(model.observation_space.n), int(model.action_space.n)
    return mdp_from_outcomes(
        n_states,
        n_actions,
        _outcomes(model.P, n_states, n_actions),
        initial_distribution=model.initial_state_distrib,
        gamma=gamma,
        horizon=_time_limit(env, horizon) if isinstance(horizon, str) else horizon,
    )


def _outcomes(table: Any, n_states: int, n_actions: int) -> Iterator[Outcome]:
    for s in range(n_states):
        for a in range(n_actions):
            try:
                listed = list(table[s][a])
            except (KeyError, IndexError):
                msg = f"P[{s}][{a}] is missing, expected every state below {n_states} and action below {n_actions}"
                raise ValueError(msg) from None
            total = 0.0
            for k, (chance, successor, reward, terminated) in enumerate(listed):
                name = f"P[{s}][{a}][{k}]"
                probability = _validate.real(f"{name} probability", chance, low=0.0)
                total += probability
                yield (
                    s,
                    a,
                    probability,
                    _validate.integer(f"{name} next state", successor, low=0, high=n_states - 1),
                    _validate.real(f"{name} reward", reward),
                    bool(terminated),
                )
            if not abs(total - 1.0) <= max(ROW_TOLERANCE, n_states * np.finfo(np.float64).eps):
                msg = f"P[{s}][{a}]: probabilities sum to {total:.12g}, allowed 1 +- {ROW_TOLERANCE:.3g}"
                raise ValueError(msg)


def _time_limit(env: "Env[Any, Any]", word: str) -> int:
    _validate.choice("horizon", word, ("time_limit",))
    limit = getattr(env.spec, "max_episode_steps", None)
    if limit is None:
        msg = "horizon='time_limit': the environment has no max_episode_steps, give a number of steps or None"
        raise ValueError(msg)
    return int(limit)
