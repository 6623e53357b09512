"""The problem as an agent sees it, and the settings that every kind of problem reads in the same way."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.exact import Solution
from npgfast.policies import Policy
from npgfast.sampling import STATE_WEIGHTS
from npgfast.training import TrainState

__all__ = ["Mode", "Task", "is_one_of", "read_gae_lambda", "read_lengths", "read_state_weights"]

FloatArray = NDArray[np.float64]
Mode = Literal["exact", "sampled"]
Arrays = dict[str, NDArray[Any]]

DEFAULT_ENVS = 16


class Task(ABC):
    """A problem as an agent sees it: the policy it takes by default, and how iterations on it are run."""

    gamma: float

    @abstractmethod
    def policy(self, policy: object | None) -> Policy:
        """The policy to start from, checked; a default for None."""

    @abstractmethod
    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Check mode and sampling settings, and name them as the core does."""

    @abstractmethod
    def initial_state(self, policy: Policy, options: Mapping[str, Any], seeds: NDArray[np.uint64]) -> TrainState:
        """The state before the first iteration."""

    @abstractmethod
    def run(
        self,
        policy: Policy,
        options: Mapping[str, Any],
        schedules: dict[str, FloatArray],
        first: int,
        n: int,
        arrays: Arrays,
    ) -> tuple[FloatArray, FloatArray]:
        """Do n iterations for every seed, in place; see `npgfast.training.advance`."""

    def check_run(self, n_seeds: int, *, evaluates: bool) -> None:  # noqa: B027
        """Raise if the problem cannot be run for so many seeds, or iterates not be compared on whole episodes."""

    def optima(self, tau: float) -> tuple[Solution | None, Solution | None]:  # noqa: ARG002
        """The optimum without and with an entropy bonus, where there is a model."""
        return None, None

    def policy_at(self, policy: Policy, theta: FloatArray, moments: FloatArray) -> Policy:  # noqa: ARG002
        """The policy of one row of a state."""
        return policy.with_theta(theta)

    @property
    @abstractmethod
    def signature(self) -> list[Any]:
        """What a checkpoint must find again."""


def read_lengths(n_steps: Any, n_episodes: Any, n_envs: Any, default_episodes: int) -> tuple[int, int]:
    """(environments or episodes, steps per environment or 0)."""
    if n_steps is not None and n_episodes is not None:
        msg = f"n_steps, n_episodes: give at most one, got {n_steps} and {n_episodes}"
        raise ValueError(msg)
    if n_steps is None:
        episodes = default_episodes if n_episodes is None else n_episodes
        return _validate.integer("n_episodes", episodes, low=1, high=2**31 - 1), 0
    envs = DEFAULT_ENVS if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
    steps = _validate.integer("n_steps", n_steps, low=1, high=2**31 - 2)
    _validate.allocation("n_steps * n_envs", steps, envs, itemsize=64)
    return envs, steps


def is_one_of(given: object, allowed: tuple[str, ...]) -> bool:
    return isinstance(given, str) and given in allowed


def read_state_weights(given: object, default: str, allowed: tuple[str, ...]) -> int:
    weights = default if given is None else _validate.choice("state_weights", given, allowed)
    return STATE_WEIGHTS.index(weights)


def read_gae_lambda(given: object, default: float) -> float:
    return default if given is None else _validate.real("gae_lambda", given, low=0.0, high=1.0)
