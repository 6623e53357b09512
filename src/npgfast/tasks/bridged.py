"""Anybody's environments as tasks."""

import time
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from npgfast import _core
from npgfast.envs.bridge import Bridge, make_bridge, makes_environments
from npgfast.envs.envpool import is_envpool
from npgfast.policies import LinearPolicy, Policy
from npgfast.sampling.recording import Player, play_episodes
from npgfast.tasks.observed import DEFAULT_STEPS, ObservedTask
from npgfast.tasks.task import DEFAULT_ENVS, Arrays, FloatArray, read_lengths
from npgfast.training import HISTORY

__all__ = ["BridgedTask"]

_EVALUATION_SEED = 2**63  # keeps the episodes that choose a policy apart from those that teach it


class BridgedTask(ObservedTask):
    """Anybody's environment: Python calls its vectorised step, the core does the rest.

    Each seed has environments of its own. With n_steps they go on from one batch to the next, also over several calls
    of `learn`, but a checkpoint does not hold them; with n_episodes every iteration starts them afresh, seeded by seed
    and iteration, so that a run can be resumed bit for bit.
    """

    env: Bridge

    def __init__(self, given: object, gamma: float, n_envs: int | None, make_kwargs: Mapping[str, Any]) -> None:
        super().__init__(gamma)
        self._given = given
        self._make_kwargs = dict(make_kwargs)
        makes_envs = makes_environments(given)
        self._can_copy = makes_envs or is_envpool(given)
        default = DEFAULT_ENVS if makes_envs else None
        self.env = make_bridge(given, default if n_envs is None else n_envs, **make_kwargs)
        self._players: dict[int, Player] = {}
        self._evaluation: Bridge | None = None

    def _lengths(self, n_steps: object, n_episodes: object, n_envs: object) -> tuple[int, int]:  # noqa: ARG002
        if n_episodes is None:
            return read_lengths(DEFAULT_STEPS if n_steps is None else n_steps, None, self.env.n_envs, 0)
        read_lengths(n_steps, n_episodes, None, 0)
        return self.env.n_envs, 0

    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task.options`."""
        self._n_episodes = settings["n_episodes"]
        return super().options(settings)

    def check_run(self, n_seeds: int, *, evaluates: bool) -> None:
        """See `Task.check_run`."""
        if (n_seeds > 1 or evaluates) and not self._can_copy:
            msg = (
                "env: several seeds, keep_best and target need environments of their own; give an id or a callable "
                "that makes an environment instead of one that is already made"
            )
            raise ValueError(msg)

    def _copy(self, n_envs: int) -> Bridge:
        return make_bridge(self._given, n_envs, **self._make_kwargs)

    def _player(self, k: int, seed: int, *, is_fresh: bool) -> Player:
        if k not in self._players:
            self._players[k] = Player(self.env if k == 0 else self._copy(self.env.n_envs))
        player = self._players[k]
        if is_fresh or player.observations is None:
            player.start(seed)
        return player

    def run(
        self,
        policy: Policy,
        options: Mapping[str, Any],
        schedules: dict[str, FloatArray],
        first: int,
        n: int,
        arrays: Arrays,
    ) -> tuple[FloatArray, FloatArray]:
        """See `Task.run`."""
        n_seeds = arrays["seeds"].size
        history = np.full((n_seeds, n, len(HISTORY)), np.nan)
        try:
            for k in range(n_seeds):
                started = time.perf_counter()
                for i in range(n):
                    if arrays["finished"][k]:
                        break
                    history[k, i] = self._iterate(cast("LinearPolicy", policy), options, schedules, first, k, arrays)
                    history[k, i, HISTORY.index("seconds")] = time.perf_counter() - started
        except BaseException:
            for player in self._players.values():  # what they have played since is taken back
                player.observations = None
            raise
        return history, np.full((n_seeds, 3), np.nan)

    def _iterate(
        self,
        policy: LinearPolicy,
        options: Mapping[str, Any],
        schedules: dict[str, FloatArray],
        first: int,
        k: int,
        arrays: Arrays,
    ) -> FloatArray:
        seed, iteration = int(arrays["seeds"][k]), int(arrays["n_done"][k])
        whole = options["n_steps"] == 0
        if 0 < options["restart_after"] <= iteration - arrays["started_at"][k]:
            self._start_again(policy, k, arrays)
        acting = cast("LinearPolicy", self.policy_at(policy, arrays["theta"][k], arrays["observation_moments"][k]))
        recording = self._player(k, _start_seed(seed, iteration), is_fresh=whole).play(
            acting,
            n_steps=None if whole else options["n_steps"],
            n_episodes=self._n_episodes if whole else None,
            seed=seed,
            iteration=iteration,
        )
        row = _core.improve(policy._native, dict(options), schedules, first, k, recording, arrays)
        evaluation = np.nan
        if arrays["best_theta"].size or options["target"] < np.inf:
            evaluation = self._evaluate(policy, options, k, arrays)
            row[HISTORY.index("evaluation")] = evaluation
        if evaluation >= options["target"]:
            arrays["started_at"][k] = arrays["n_done"][k]  # what succeeded does not start again
        reached = arrays["timesteps"][k] >= arrays["timestep_limit"][k]
        arrays["finished"][k] = evaluation >= options["target"] or reached
        return row

    def _start_again(self, policy: LinearPolicy, k: int, arrays: Arrays) -> None:
        """Forget what a seed has learned; as the core's start_again."""
        arrays["theta"][k], arrays["observation_moments"][k] = self._origin(policy, arrays)
        for name in ("adam_first", "adam_second", "adam_steps", "baseline", "return_moments", "returns"):
            arrays[name][k] = 0.0
        arrays["mass"][k] = arrays["n_started"][k] = 0.0
        arrays["started_at"][k] = arrays["n_done"][k]
        if k in self._players:
            self._players[k].observations = None

    def _evaluate(self, policy: LinearPolicy, options: Mapping[str, Any], k: int, arrays: Arrays) -> float:
        if self._evaluation is None:
            self._evaluation = self._copy(min(self.env.n_envs, options["n_evaluation_episodes"]))
        candidate = cast("LinearPolicy", self.policy_at(policy, arrays["theta"][k], arrays["observation_moments"][k]))
        returns = play_episodes(
            self._evaluation,
            candidate,
            options["n_evaluation_episodes"],
            (int(arrays["seeds"][k]) + _EVALUATION_SEED) % 2**64,
            deterministic=options["evaluate_deterministically"],
        )
        mean = float(returns.mean())
        if mean > arrays["best_objective"][k]:
            arrays["best_objective"][k] = mean
            if arrays["best_theta"].size:
                arrays["best_theta"][k] = arrays["theta"][k]
                arrays["best_moments"][k] = arrays["observation_moments"][k]
        return mean

    def __repr__(self) -> str:
        return f"{self.env.spec_id} x {self.env.n_envs}"


def _start_seed(seed: int, iteration: int) -> int:
    """Seed of the episodes that begin with an iteration."""
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])
