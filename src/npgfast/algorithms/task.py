"""What an agent learns on: a tabular problem, a simulated environment, or anybody's environment behind a bridge."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from npgfast import _core, _validate
from npgfast.envs.bridge import Bridge, _is_envpool, make_bridge, makes_environments
from npgfast.envs.named import NATIVE, make_native
from npgfast.envs.simulated import Simulated
from npgfast.exact import Solution, _check_policy, _reachable, solve
from npgfast.policies import (
    LinearGaussian,
    LinearPolicy,
    LinearSoftmax,
    Normalizer,
    Policy,
    SoftmaxPolicy,
    TabularSoftmax,
)
from npgfast.problems import TabularMDP
from npgfast.sampling import STATE_WEIGHTS
from npgfast.sampling.recording import Player, check_policy, native_environment, play_episodes
from npgfast.training import HISTORY, TrainState, initial_state

__all__ = ["BridgedTask", "Mode", "SimulatedTask", "TabularTask", "Task", "observation_limit", "read_task"]

FloatArray = NDArray[np.float64]
Mode = Literal["exact", "sampled"]
Arrays = dict[str, NDArray[Any]]

BASELINES = ("linear", "quadratic")  # of observations, after the core's 0 for none
_DEFAULT_EPISODES = 100
_DEFAULT_ENVS = 16
_DEFAULT_STEPS = 128
_EVALUATION_SEED = 2**63  # keeps the episodes that choose a policy apart from those that teach it


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


class TabularTask(Task):
    """A tabular problem, exactly from the model or sampled from it."""

    def __init__(self, mdp: TabularMDP, *, tabular_only: str | None) -> None:
        self.mdp = mdp
        self.gamma = mdp.gamma
        self._tabular_only = tabular_only
        self._reachable: NDArray[np.bool_] | None = None

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
        envs, steps = _lengths(n_steps, n_episodes, n_envs, _DEFAULT_EPISODES)
        if settings["baseline_data"] != "previous":
            msg = f"baseline_data={settings['baseline_data']!r}: expected 'previous' on a tabular problem"
            raise ValueError(msg)
        baseline = settings["baseline"]
        if baseline is not None and not _is_one_of(baseline, ("auto", "tabular")):
            msg = f"baseline={baseline!r}: expected 'tabular', 'auto' or None on a tabular problem"
            raise ValueError(msg)
        return {
            "sampled": mode == "sampled",
            "n_envs": envs,
            "n_steps": steps,
            "state_weights": _state_weights(settings["state_weights"], "discounted", STATE_WEIGHTS),
            "gae_lambda": _gae_lambda(settings["gae_lambda"], 1.0),
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
        return _core.train(self.mdp._native, tabular._native, reachable, dict(options), schedules, first, n, arrays)

    def optima(self, tau: float) -> tuple[Solution | None, Solution | None]:
        """See `Task.optima`."""
        optimum = solve(self.mdp)
        return optimum, solve(self.mdp, tau=tau) if tau > 0.0 else optimum

    @property
    def signature(self) -> list[Any]:
        """See `Task.signature`."""
        return [self.mdp.n_states, self.mdp.n_actions, self.mdp.gamma, self.mdp.horizon]

    def __repr__(self) -> str:
        return repr(self.mdp)


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
        if baseline is not None and not _is_one_of(baseline, ("auto", *BASELINES)):
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
            "state_weights": _state_weights(settings["state_weights"], "uniform", ("discounted", "uniform")),
            "gae_lambda": _gae_lambda(settings["gae_lambda"], 0.97),
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
            envs = _DEFAULT_ENVS if n_envs is None else n_envs
            return _lengths(_DEFAULT_STEPS if n_steps is None else n_steps, None, envs, 0)
        if n_envs is not None:
            msg = f"n_envs={n_envs}: with n_episodes every episode is its own environment"
            raise ValueError(msg)
        return _lengths(n_steps, n_episodes, None, 0)

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
        self._can_copy = makes_envs or _is_envpool(given)
        default = _DEFAULT_ENVS if makes_envs else None
        self.env = make_bridge(given, default if n_envs is None else n_envs, **make_kwargs)
        self._players: dict[int, Player] = {}
        self._evaluation: Bridge | None = None

    def _lengths(self, n_steps: object, n_episodes: object, n_envs: object) -> tuple[int, int]:  # noqa: ARG002
        if n_episodes is None:
            return _lengths(_DEFAULT_STEPS if n_steps is None else n_steps, None, self.env.n_envs, 0)
        _lengths(n_steps, n_episodes, None, 0)
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


def observation_limit(policy: Policy) -> float:
    """Where a policy that normalises its observations clips them."""
    normalizer = policy.normalizer if isinstance(policy, LinearPolicy) else None
    return Normalizer.limit if normalizer is None else normalizer.limit


def _first_moments(policy: LinearPolicy) -> FloatArray:
    """The running moments of the observations before the first batch."""
    return np.zeros(1 + 2 * policy.observation_size) if policy.normalizer is None else policy.normalizer._moments()


def _start_seed(seed: int, iteration: int) -> int:
    """Seed of the episodes that begin with an iteration."""
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])


def _lengths(n_steps: Any, n_episodes: Any, n_envs: Any, default_episodes: int) -> tuple[int, int]:
    """(environments or episodes, steps per environment or 0)."""
    if n_steps is not None and n_episodes is not None:
        msg = f"n_steps, n_episodes: give at most one, got {n_steps} and {n_episodes}"
        raise ValueError(msg)
    if n_steps is None:
        episodes = default_episodes if n_episodes is None else n_episodes
        return _validate.integer("n_episodes", episodes, low=1, high=2**31 - 1), 0
    envs = _DEFAULT_ENVS if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
    steps = _validate.integer("n_steps", n_steps, low=1, high=2**31 - 2)
    _validate.allocation("n_steps * n_envs", steps, envs, itemsize=64)
    return envs, steps


def _is_one_of(given: object, allowed: tuple[str, ...]) -> bool:
    return isinstance(given, str) and given in allowed


def _state_weights(given: object, default: str, allowed: tuple[str, ...]) -> int:
    weights = default if given is None else _validate.choice("state_weights", given, allowed)
    return STATE_WEIGHTS.index(weights)


def _gae_lambda(given: object, default: float) -> float:
    return default if given is None else _validate.real("gae_lambda", given, low=0.0, high=1.0)


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
