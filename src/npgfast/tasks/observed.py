"""Environments with observations as tasks, and those that are simulated in the core."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from npgfast import _core, _validate
from npgfast.envs.bridge import Bridge
from npgfast.envs.simulated import Simulated
from npgfast.policies import LinearGaussian, LinearPolicy, LinearSoftmax, Normalizer, Policy
from npgfast.sampling.recording import check_policy, native_environment
from npgfast.tasks.task import (
    DEFAULT_ENVS,
    Arrays,
    FloatArray,
    Task,
    is_one_of,
    read_gae_lambda,
    read_lengths,
    read_state_weights,
)
from npgfast.training import TrainState, initial_state

__all__ = ["ObservedTask", "SimulatedTask", "observation_limit"]

BASELINES = ("linear", "quadratic")  # after the core's 0 for none
DEFAULT_STEPS = 128


class ObservedTask(Task):
    """An environment with observations and no model."""

    env: Simulated | Bridge

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma

    def policy(self, policy: object | None) -> LinearPolicy:
        """See `Task.policy`."""
        env = self.env
        if policy is None:
            if env.n_actions:
                return LinearSoftmax(env.observation_size, env.n_actions)
            return LinearGaussian(env.observation_size, env.action_size)
        return check_policy(env, policy)

    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task.options`."""
        if settings["mode"] == "exact":
            msg = "mode='exact' needs a TabularMDP: this environment has no model"
            raise ValueError(msg)
        _validate.choice("mode", settings["mode"] or "sampled", ("exact", "sampled"))
        n_steps, n_episodes, n_envs = (settings[name] for name in ("n_steps", "n_episodes", "n_envs"))
        envs, steps = self._lengths(n_steps, n_episodes, n_envs)
        baseline = settings["baseline"]
        if baseline is not None and not is_one_of(baseline, ("auto", *BASELINES)):
            msg = f"baseline={baseline!r}: expected 'linear', 'quadratic', 'auto' or None on observations"
            raise ValueError(msg)
        if baseline == "auto":
            baseline = "quadratic"
        data = _validate.choice("baseline_data", settings["baseline_data"], ("previous", "current"))
        for name in ("center_advantages", "normalize_observations", "scale_rewards"):
            if not isinstance(settings[name], bool):
                msg = f"{name}: expected a bool, got {settings[name]!r}"
                raise TypeError(msg)
        return {
            "sampled": True,
            "n_envs": envs,
            "n_steps": steps,
            "state_weights": read_state_weights(settings["state_weights"], "uniform", ("discounted", "uniform")),
            "gae_lambda": read_gae_lambda(settings["gae_lambda"], 0.97),
            "use_baseline": baseline is not None,
            "observation_baseline": 0 if baseline is None else 1 + BASELINES.index(baseline),
            "fits_baseline_first": data == "current",
            "centers_advantages": settings["center_advantages"],
            "baseline_lambda": _validate.real("baseline_lambda", settings["baseline_lambda"], low=0.0, high=1.0),
            "baseline_time_powers": _validate.integer(
                "baseline_time_powers", settings["baseline_time_powers"], low=0, high=64
            ),
        }

    def _lengths(self, n_steps: object, n_episodes: object, n_envs: object) -> tuple[int, int]:
        if n_episodes is None:
            envs = DEFAULT_ENVS if n_envs is None else n_envs
            return read_lengths(DEFAULT_STEPS if n_steps is None else n_steps, None, envs, 0)
        if n_envs is not None:
            msg = f"n_envs={n_envs}: with n_episodes every episode is its own environment"
            raise ValueError(msg)
        return read_lengths(n_steps, n_episodes, None, 0)

    def _environments(self, options: Mapping[str, Any]) -> FloatArray:  # noqa: ARG002
        return np.zeros((0, 0))

    def initial_state(self, policy: Policy, options: Mapping[str, Any], seeds: NDArray[np.uint64]) -> TrainState:
        """See `Task.initial_state`."""
        linear = cast("LinearPolicy", policy)
        dim = linear.observation_size
        kind = options["observation_baseline"]
        n_features = 1 + options["baseline_time_powers"] + dim + (dim * (dim + 1) // 2 if kind == 2 else 0)
        return initial_state(
            policy.theta,
            seeds,
            n_moments=policy.n_params if options["is_ppo"] else 0,
            baseline=1 + 2 * dim + n_features if kind else 0,
            environments=self._environments(options),
            n_envs=options["n_envs"],
            observation_moments=_first_moments(linear) if options["normalize_observations"] else None,
            scales_rewards=options["scale_rewards"],
        )

    def _origin(self, policy: Policy, arrays: Arrays) -> tuple[FloatArray, FloatArray]:
        """Where a seed starts again."""
        is_normalized = arrays["observation_moments"].size > 0
        return policy.theta, _first_moments(cast("LinearPolicy", policy)) if is_normalized else np.empty(0)

    def policy_at(self, policy: Policy, theta: FloatArray, moments: FloatArray) -> Policy:
        """See `Task.policy_at`."""
        linear = cast("LinearPolicy", policy)
        if moments.size:
            linear = linear.with_normalizer(Normalizer._from_moments(moments, observation_limit(linear)))
        return linear.with_theta(theta)

    @property
    def signature(self) -> list[Any]:
        """See `Task.signature`."""
        return [self.env.observation_size, self.env.n_actions, self.env.action_size, self.gamma]


class SimulatedTask(ObservedTask):
    """An environment of `npgfast.envs`: everything happens in the core."""

    env: Simulated

    def __init__(self, env: Simulated, gamma: float) -> None:
        super().__init__(gamma)
        self.env = env

    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task.options`."""
        options = super().options(settings)
        if options["n_steps"] == 0 and self.env.time_limit is None and self.env.horizon is None:
            msg = f"n_episodes={settings['n_episodes']}: env has no time limit or horizon; give n_steps instead"
            raise ValueError(msg)
        return options

    def check_run(self, n_seeds: int, *, evaluates: bool) -> None:  # noqa: ARG002
        """See `Task.check_run`."""
        if evaluates and self.env.time_limit is None and self.env.horizon is None:
            msg = "target, keep_best: they play whole episodes, but env has no time limit or horizon"
            raise ValueError(msg)

    def _environments(self, options: Mapping[str, Any]) -> FloatArray:
        environments = np.zeros((options["n_envs"] if options["n_steps"] > 0 else 0, 1 + self.env.state_size))
        environments[:, 0] = -1.0
        return environments

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
        native = cast("LinearPolicy", policy)._native
        history = _core.train_simulated(
            native_environment(self.env),
            native,
            dict(options),
            schedules,
            self._origin(policy, arrays),
            first,
            n,
            arrays,
        )
        return history, np.full((len(history), 3), np.nan)

    def __repr__(self) -> str:
        return repr(self.env)


def observation_limit(policy: Policy) -> float:
    """Where a policy that normalises its observations clips them."""
    normalizer = policy.normalizer if isinstance(policy, LinearPolicy) else None
    return Normalizer.limit if normalizer is None else normalizer.limit


def _first_moments(policy: LinearPolicy) -> FloatArray:
    """The running moments of the observations before the first batch."""
    return np.zeros(1 + 2 * policy.observation_size) if policy.normalizer is None else policy.normalizer._moments()
