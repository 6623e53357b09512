"""Tabular problems as tasks."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from npgfast import _core, _validate
from npgfast.exact import Solution, _check_policy, _reachable, solve
from npgfast.policies import Policy, SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.sampling import STATE_WEIGHTS
from npgfast.tasks.task import (
    Arrays,
    FloatArray,
    Task,
    is_one_of,
    read_gae_lambda,
    read_lengths,
    read_state_weights,
)
from npgfast.training import TrainState, initial_state

__all__ = ["TabularTask"]

_DEFAULT_EPISODES = 100
_DIRECT_STATES = 128  # up to so many an evaluation is a factorisation, which knows no better start

Memory = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


class TabularTask(Task):
    """A tabular problem, exactly from the model or sampled from it."""

    def __init__(self, mdp: TabularMDP, *, tabular_only: str | None) -> None:
        self.mdp = mdp
        self.gamma = mdp.gamma
        self._tabular_only = tabular_only
        self._reachable: NDArray[np.bool_] | None = None
        self._start_values = np.empty(0)
        self._memory: Memory | None = None

    def policy(self, policy: object | None) -> SoftmaxPolicy:
        """See `Task.policy`."""
        mdp = self.mdp
        if policy is None:
            return TabularSoftmax(mdp.n_states, mdp.n_actions, action_mask=mdp.action_mask)
        checked = _check_policy(mdp, policy)
        if self._tabular_only is not None and not isinstance(policy, TabularSoftmax):
            msg = f"policy: {self._tabular_only} needs a TabularSoftmax, got {type(policy).__name__}"
            raise TypeError(msg)
        return checked

    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task.options`."""
        mode = _validate.choice("mode", settings["mode"] or "exact", ("exact", "sampled"))
        n_steps, n_episodes, n_envs = (settings[name] for name in ("n_steps", "n_episodes", "n_envs"))
        if mode == "exact":
            for name in ("n_steps", "n_episodes", "n_envs"):
                if settings[name] is not None:
                    msg = f"{name}={settings[name]}: only mode='sampled' has it"
                    raise ValueError(msg)
        for name in ("normalize_observations", "scale_rewards"):
            if settings[name]:
                msg = f"{name}: a tabular problem has no observations to normalise and no rewards to scale"
                raise ValueError(msg)
        if n_steps is None and n_envs is not None:
            msg = f"n_envs={n_envs}: give n_steps as well; with n_episodes every episode is its own environment"
            raise ValueError(msg)
        envs, steps = read_lengths(n_steps, n_episodes, n_envs, _DEFAULT_EPISODES)
        if settings["baseline_data"] != "previous":
            msg = f"baseline_data={settings['baseline_data']!r}: expected 'previous' on a tabular problem"
            raise ValueError(msg)
        baseline = settings["baseline"]
        if baseline is not None and not is_one_of(baseline, ("auto", "tabular")):
            msg = f"baseline={baseline!r}: expected 'tabular', 'auto' or None on a tabular problem"
            raise ValueError(msg)
        return {
            "sampled": mode == "sampled",
            "n_envs": envs,
            "n_steps": steps,
            "state_weights": read_state_weights(settings["state_weights"], "discounted", STATE_WEIGHTS),
            "gae_lambda": read_gae_lambda(settings["gae_lambda"], 1.0),
            "use_baseline": baseline is not None,
            "observation_baseline": 0,
            "fits_baseline_first": False,
            "centers_advantages": False,
            "baseline_lambda": 1.0,
            "baseline_time_powers": 0,
        }

    def initial_state(self, policy: Policy, options: Mapping[str, Any], seeds: NDArray[np.uint64]) -> TrainState:
        """See `Task.initial_state`."""
        sampled = bool(options["sampled"])
        environments = np.zeros((options["n_envs"] if sampled and options["n_steps"] > 0 else 0, 2), dtype=np.int32)
        environments[:, 0] = -1
        return initial_state(
            policy.theta,
            seeds,
            n_moments=policy.n_params if options["is_ppo"] else 0,
            baseline=self.mdp.n_states * (self.mdp.horizon or 1) if sampled and options["use_baseline"] else 0,
            environments=environments,
        )

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
        tabular = cast("SoftmaxPolicy", policy)
        if self._reachable is None:
            self._reachable = _reachable(self.mdp, tabular)
        reachable = self._reachable.view(np.uint8)
        memory = self._recall(*arrays["theta"].shape)
        outcome = _core.train(
            self.mdp._native,
            tabular._native,
            reachable,
            dict(options),
            schedules,
            first,
            n,
            arrays,
            self._start_values,
            memory,
        )
        self._memory = memory  # of a run that was not interrupted
        return outcome

    def _recall(self, n_seeds: int, n_params: int) -> Memory:
        """The last evaluated policies of all seeds, to be overwritten; what it holds changes no bit of a run."""
        n_states = self.mdp.n_states
        if self.mdp.horizon is not None or n_states <= _DIRECT_STATES:
            return np.empty((0, n_params)), np.empty((0, n_states)), np.empty((0, n_states)), np.empty(0)
        if self._memory is not None and self._memory[0].shape == (n_seeds, n_params):
            theta, values, occupancy, horizons = self._memory
            return theta.copy(), values.copy(), occupancy.copy(), horizons.copy()
        shape = (n_seeds, n_states)
        return np.full((n_seeds, n_params), np.nan), np.zeros(shape), np.zeros(shape), np.zeros(n_seeds)

    def optima(self, tau: float) -> tuple[Solution | None, Solution | None]:
        """See `Task.optima`."""
        optimum = solve(self.mdp)
        regularized = solve(self.mdp, tau=tau) if tau > 0.0 else optimum
        if self.mdp.horizon is None and self.mdp.n_states > _DIRECT_STATES:
            self._start_values = regularized.values
        return optimum, regularized

    @property
    def signature(self) -> list[Any]:
        """See `Task.signature`."""
        return [self.mdp.n_states, self.mdp.n_actions, self.mdp.gamma, self.mdp.horizon]

    def __repr__(self) -> str:
        return repr(self.mdp)
