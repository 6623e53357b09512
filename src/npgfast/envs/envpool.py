"""EnvPool's environments behind the calls of a Gymnasium vector environment."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_envpool(env: Any) -> bool:
    """Whether a class of EnvPool's is among the ancestors; EnvPool itself is not imported."""
    return any(cls.__module__.partition(".")[0] == "envpool" for cls in type(env).__mro__)


class EnvPool:
    """A pool with autoreset disabled, as a Gymnasium vector environment would have it.

    EnvPool's seeds are fixed when a pool is made, so that every seeded reset makes a new pool like the given one.
    """

    def __init__(self, pool: Any, n_envs: int | None) -> None:
        if pool.is_async:
            msg = "env: expected an EnvPool environment in synchronous mode (batch_size equal to num_envs)"
            raise ValueError(msg)
        if not hasattr(pool, "single_observation_space"):
            msg = "env: expected EnvPool >= 1.2 with env_type='gymnasium'"
            raise TypeError(msg)
        if pool.config["max_num_players"] != 1:
            msg = "env: expected an EnvPool environment with one player"
            raise ValueError(msg)
        self.num_envs = pool.num_envs if n_envs is None else n_envs
        self.single_observation_space = pool.single_observation_space
        self.single_action_space = pool.single_action_space
        self.metadata = {"autoreset_mode": "DISABLED"}
        limit = pool.config.get("max_episode_steps")
        self.spec = SimpleNamespace(id=type(pool).__name__, max_episode_steps=limit, kwargs={})
        self.pool = pool

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset all environments, in a new pool if a seed is given, or those of ``options["reset_mask"]``."""
        if seed is not None:
            spec = self.pool.spec
            sizes = dict.fromkeys(("num_envs", "batch_size"), self.num_envs)
            given: dict[str, Any] = {"seed": seed, "env_seed": [], **sizes}
            known = {name: value for name, value in given.items() if name in spec.config._fields}
            self.pool = type(self.pool)(type(spec)(spec.config._replace(**known)))
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=np.bool_))
        rows, info = self.pool.reset(np.flatnonzero(mask).astype(np.int32))
        observations = np.zeros((self.num_envs, *rows.shape[1:]), dtype=rows.dtype)
        observations[info["env_id"]] = rows
        return observations, info

    def step(self, actions: NDArray[Any]) -> Any:
        """Step all environments."""
        return self.pool.step(actions)

    def close(self) -> None:
        """Nothing to do: a pool ends its threads when it is collected."""
