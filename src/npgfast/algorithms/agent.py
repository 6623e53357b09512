"""What all agents share: their problem, policy, sampling, seeds, learning, prediction and storage."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate, schedules, storage
from npgfast.envs.bridge import Bridge
from npgfast.envs.simulated import Simulated
from npgfast.exact import LARGEST_TAU, Solution, evaluate
from npgfast.policies import LinearPolicy, Policy, TabularSoftmax, _restore
from npgfast.problems import TabularMDP
from npgfast.progress import RunBar
from npgfast.schedules import Checked
from npgfast.tasks import Mode, TabularTask, observation_limit, read_task
from npgfast.threads import thread_count
from npgfast.training import Progress, Result, TrainState, advance, named_history

__all__ = ["Agent"]

Callback = Callable[[Progress], bool | None]

_ALGORITHMS = (
    "PolicyGradient",
    "NaturalPolicyGradient",
    "SoftPolicyIteration",
    "ConservativePolicyIteration",
    "TRPO",
    "PPO",
)
# What the core reads for every algorithm; each agent overrides what it uses.
_UNUSED_OPTIONS: dict[str, Any] = {
    "tau": 0.0,
    "solver": 0,
    "estimator": 0,
    "damping": 0.0,
    "rtol": 1e-10,
    "max_solver_iterations": 0,
    "backtrack_factor": 0.8,
    "max_backtracks": 0,
    "mixture": 0.0,
    "n_epochs": 1,
    "minibatch_size": 0,
    "normalize_advantages": 1,
    "max_gradient_norm": 0.0,
    "target_kl": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "reward_limit": 10.0,
}
_SCHEDULES = ("step_size", "max_kl", "radius", "clip_range", "learning_rate", "entropy_coefficient")
_DEFAULT_ITERATIONS = 100


# Settings that an algorithm need not have.
_COMMON_DEFAULTS: dict[str, Any] = {
    "baseline_data": "previous",
    "baseline_time_powers": 3,
    "baseline_lambda": 1.0,
    "center_advantages": True,
    "normalize_observations": False,
    "scale_rewards": False,
    "n_evaluation_episodes": 32,
    "evaluate_deterministically": True,
    "make_kwargs": None,
}


class Agent(ABC):
    """An algorithm with its problem, its settings and, once it has learned, its state.

    The arguments that all agents share are described in `TRPO`.
    """

    _tabular_only: ClassVar[bool] = False

    def __init__(self, env: object, policy: Policy | None, settings: dict[str, Any]) -> None:
        self._settings = settings
        settings = {**_COMMON_DEFAULTS, **settings}
        self._task = read_task(
            env,
            settings["gamma"],
            settings["n_envs"],
            settings["make_kwargs"],
            tabular_only=type(self).__name__ if self._tabular_only else None,
        )
        self._policy = self._task.policy(policy)
        self.seed = _validate.integer("seed", settings["seed"], low=0, high=2**64 - 1)
        tau = _validate.real("tau", settings.get("tau", 0.0), low=0.0, high=LARGEST_TAU)
        self._options = {
            **_UNUSED_OPTIONS,
            "algorithm": _ALGORITHMS.index(type(self).__name__),
            "is_ppo": type(self).__name__ == "PPO",
            "tau": tau,
            "gamma": self._task.gamma,
            "normalize_observations": settings["normalize_observations"],
            "scale_rewards": settings["scale_rewards"],
            "observation_limit": observation_limit(self._policy),
            "n_evaluation_episodes": _validate.integer(
                "n_evaluation_episodes", settings["n_evaluation_episodes"], low=1, high=2**31 - 1
            ),
            "evaluate_deterministically": _validate.boolean(
                "evaluate_deterministically", settings["evaluate_deterministically"]
            ),
            **self._task.options(settings),
            **self._native_options(),
        }
        self.mode: Mode = "sampled" if self._options["sampled"] else "exact"
        self._schedules = {checked.name: checked for checked in self._native_schedules()}
        self._state: TrainState | None = None
        self._optima: tuple[Solution | None, Solution | None] | None = None
        self._n_predictions = 0
        self._length: dict[str, Any] = {}
        self.result: Result | None = None

    @abstractmethod
    def _native_options(self) -> dict[str, Any]:
        """Check this algorithm's own settings and name them as the core does."""

    @abstractmethod
    def _native_schedules(self) -> list[Checked]:
        """Check this algorithm's schedules; their names are the core's."""

    @property
    def _steps_along_advantages(self) -> bool:
        """Whether an exact tabular update is pi' ~ pi exp(eta L A)."""
        return False

    @property
    def mdp(self) -> TabularMDP:
        """The tabular problem; AttributeError where the agent learns on an environment without a model."""
        if not isinstance(self._task, TabularTask):
            msg = f"{type(self).__name__} on {self._task!r} has no mdp"
            raise AttributeError(msg)  # noqa: TRY004 - hasattr has to work
        return self._task.mdp

    @property
    def env(self) -> object:
        """What the agent learns on: the TabularMDP, the simulated environment, or the bridge to another one."""
        return self._task.mdp if isinstance(self._task, TabularTask) else getattr(self._task, "env", None)

    @property
    def optimum(self) -> Solution | None:
        """The optimum of a tabular problem, solved when first asked for; None for other environments."""
        return self._solve()[0]

    def _solve(self) -> tuple[Solution | None, Solution | None]:
        if self._optima is None:
            self._optima = self._task.optima(self._options["tau"])
        return self._optima

    @property
    def theta(self) -> NDArray[np.float64]:
        """The current parameters: ndarray, shape (n_seeds, n_params)."""
        return np.array(self._policy.theta[None, :] if self._state is None else self._state.theta)

    @property
    def iteration(self) -> int:
        """Iterations done so far, by the seed that has done most."""
        return 0 if self._state is None else int(self._state.n_done.max())

    @property
    def policy(self) -> Policy:
        """The current policy of the first seed."""
        if self._state is None:
            return self._policy
        return self._task.policy_at(self._policy, self._state.theta[0], self._state.observation_moments[0])

    def learn(
        self,
        n_iterations: int | None = None,
        total_timesteps: int | None = None,
        *,
        n_seeds: int = 1,
        callback: Callback | None = None,
        progress_bar: bool = False,
        target: float | None = None,
        restart_after: int | None = None,
        keep_best: bool | None = None,
        certificates: bool = False,
        n_threads: int | None = None,
    ) -> Result:
        """Run the algorithm, for all seeds in parallel, and go on from where the agent stands.

        Seed k of the n is ``seed + k`` and equals, bit for bit, a single run with that seed, whatever the number of
        threads and however a run is divided into calls.

        Parameters
        ----------
        n_iterations : int, optional
            Updates; default 100, or as many as total_timesteps needs. An agent of `npgfast.zoo` has defaults of its own
            for this argument, total_timesteps, target, restart_after and keep_best.
        total_timesteps : int, optional
            mode="sampled" only: a seed finishes with the iteration in which its steps of this call reach it.
        n_seeds : int
            Independent runs. Once an agent has learned, it keeps their number.
        callback : callable, optional
            Called with a `Progress` after every iteration; returning False ends the run.
        progress_bar : bool
            Show a bar on standard error, if that is a terminal or a notebook. Needs rich.
        target : float, optional
            A seed finishes with the iteration in which its objective reaches it; without a model, its mean return over
            n_evaluation_episodes.
        restart_after : int, optional
            Without a model and with a target: a seed that has not reached it within so many iterations of its last
            start, or success, begins again from the first policy, on draws of its own, before the next one. Where some
            runs get stuck, this shortens the tail of the time to solve a problem (Luby, Sinclair & Zuckerman, 1993).
        keep_best : bool
            Hand out each seed's best iterate of this call instead of the last: by the exact objective, the start
            included; without a model, by the mean return over n_evaluation_episodes that teach nothing, played after
            every update and given up once a policy falls behind the best.
        certificates : bool
            Add the column bound: a theorem's bound on the gap, where one applies.
        n_threads : int, optional
            As in `rollout`.

        Returns
        -------
        Result
            Of this call; also kept as ``agent.result``.

        Raises
        ------
        TypeError, ValueError
            For wrong arguments; nothing has changed then. A schedule or callback that fails at a later iteration ends
            the run as Ctrl-C does, with its own exception.
        KeyboardInterrupt
            On Ctrl-C, within a tenth of a second (a dense factorisation in progress is finished first); the agent then
            stands, with its result, after the last iterations that were complete.
        """
        if n_iterations is None and total_timesteps is None:
            n_iterations, total_timesteps = (self._length.get(name) for name in ("n_iterations", "total_timesteps"))
        target = self._length.get("target") if target is None else target
        restart_after = self._length.get("restart_after") if restart_after is None else restart_after
        keep_best = bool(self._length.get("keep_best", False) if keep_best is None else keep_best)
        limit = None if n_iterations is None else _validate.integer("n_iterations", n_iterations, low=1, high=2**28)
        total = np.inf
        if total_timesteps is not None:
            total = float(_validate.integer("total_timesteps", total_timesteps, low=1, high=2**53))
            if self.mode == "exact":
                msg = "total_timesteps: mode='exact' takes no steps; give n_iterations"
                raise ValueError(msg)
        elif limit is None:
            limit = _DEFAULT_ITERATIONS
        n_seeds = _validate.integer("n_seeds", n_seeds, low=1, high=2**31 - 1)
        if self._state is not None and n_seeds != self._state.seeds.size:
            msg = f"n_seeds={n_seeds}: this agent has learned with {self._state.seeds.size} seeds and keeps them"
            raise ValueError(msg)
        if self.seed + n_seeds > 2**64:
            msg = f"n_seeds={n_seeds}: seed + n_seeds must stay below 2**64"
            raise ValueError(msg)
        _check_callback(callback)
        self._task.check_run(n_seeds, evaluates=keep_best or target is not None)
        options = {
            **self._options,
            "target": np.inf if target is None else _validate.real("target", target),
            "restart_after": self._read_restart(restart_after, target),
            "n_threads": thread_count(n_threads),
        }
        optimum, regularized_optimum = self._solve()
        start = self._start(n_seeds, total, keep_best=keep_best)
        bar = RunBar(limit, total, None if optimum is None else optimum.objective) if progress_bar else None

        def on_chunk(state: TrainState, chunk: NDArray[np.float64]) -> bool:
            if bar is not None:
                bar.update(chunk)
            if callback is None:
                return True
            latest, _ = named_history(chunk[:, -1], np.zeros((n_seeds, 3)), optimum, regularized_optimum)
            answer = callback(Progress(int(state.n_done.max()), state.theta.copy(), latest))
            return answer is None or bool(answer)

        with bar or nullcontext():
            state, history, initial, interruption = advance(
                partial(self._task.run, self._policy, options),
                start,
                self._schedule_values,
                limit,
                on_chunk,
                every_iteration=callback is not None,
            )
        if interruption is not None and state is start and not isinstance(interruption, KeyboardInterrupt):
            raise interruption  # most likely a wrong argument: nothing has changed
        self._state = state
        columns, before = named_history(history, initial, optimum, regularized_optimum)
        if certificates:
            columns["bound"] = self._bounds(columns, start)
        thetas, moments = (
            (state.best_theta, state.best_moments) if keep_best else (state.theta, state.observation_moments)
        )
        self.result = Result(
            algorithm=type(self).__name__,
            history=columns,
            initial=before,
            policies=tuple(
                self._task.policy_at(self._policy, theta, moment) for theta, moment in zip(thetas, moments, strict=True)
            ),
            optimum=optimum,
            regularized_optimum=regularized_optimum,
            seeds=tuple(int(seed) for seed in state.seeds),
            interrupted=interruption is not None,
            settings=dict(self._settings),
        )
        if interruption is not None:
            raise interruption
        return self.result

    def _read_restart(self, restart_after: int | None, target: float | None) -> int:
        if restart_after is None:
            return 0
        if target is None or isinstance(self._task, TabularTask):
            msg = f"restart_after={restart_after}: needs a target, and an environment without a model"
            raise ValueError(msg)
        return _validate.integer("restart_after", restart_after, low=1, high=2**28)

    def _schedule_values(self, first: int, n: int) -> dict[str, NDArray[np.float64]]:
        unused = np.zeros(n)
        return {
            name: self._schedules[name].values(first, n) if name in self._schedules else unused for name in _SCHEDULES
        }

    def _start(self, n_seeds: int, total_timesteps: float, *, keep_best: bool) -> TrainState:
        if self._state is None:
            seeds = np.uint64(self.seed) + np.arange(n_seeds, dtype=np.uint64)
            state = self._task.initial_state(self._policy, self._options, seeds)
        else:
            state = self._state
        return replace(
            state,
            best_theta=state.theta.copy() if keep_best else np.zeros((n_seeds, 0)),
            best_moments=state.observation_moments.copy() if keep_best else np.zeros((n_seeds, 0)),
            best_objective=np.full(n_seeds, -np.inf),
            finished=np.zeros(n_seeds, dtype=np.uint8),
            timestep_limit=state.timesteps + total_timesteps,
        )

    def _bounds(self, columns: dict[str, NDArray[Any]], start: TrainState) -> NDArray[np.float64]:
        """Bound on the gap by `npgfast.theory.npg_gap_bounds`, for exact steps pi' ~ pi exp(eta L A); else NaN."""
        from npgfast.theory import npg_gap_bounds

        bounds = np.full(columns["objective"].shape, np.nan)
        policy = self._policy
        if not isinstance(policy, TabularSoftmax) or not self._steps_along_advantages or self.mode != "exact":
            return bounds
        if self._options["tau"] > 0.0 or self.mdp.horizon is not None:
            return bounds
        for k, theta in enumerate(start.theta):
            # Steps are positive until one is refused; the policy, and its bound, then stay.
            steps = columns["step_size"][k]
            moved = int(np.argmin(steps > 0.0)) if not (steps > 0.0).all() else steps.size
            if moved == 0:
                continue
            first = policy.with_theta(theta)
            lengths = np.append(evaluate(self.mdp, first).effective_horizon, columns["effective_horizon"][k])
            bounds[k, :moved] = npg_gap_bounds(self.mdp, steps[:moved] * lengths[:moved], policy=first)
            stayed = ~(steps[moved:] > 0.0)
            bounds[k, moved:][np.logical_and.accumulate(stayed)] = bounds[k, moved - 1]
        return bounds

    def predict(self, observation: ArrayLike, deterministic: bool = False) -> tuple[Any, None]:
        """Choose actions with the first seed's current policy.

        Parameters
        ----------
        observation : int or array_like of int, shape (n,); or array_like of float, shape (dim,) or (n, dim)
            States of a tabular problem, or observations as the environment gives them; one, or many.
        deterministic : bool
            Take the most probable action (a Gaussian's mean) instead of drawing one.

        Returns
        -------
        action : int or ndarray of int, shape (n,); or ndarray of float, shape (action_size,) or (n, action_size)
            Continuous actions are clipped to the environment's bounds, ready for its ``step``.
        state : None
            For Gymnasium-style loops.

        Raises
        ------
        TypeError, ValueError
            For observations that the policy does not have.
        """
        policy, env = self.policy, self.env
        if isinstance(env, Bridge):
            many, is_one = env.encode(observation)
        else:
            given = np.asarray(observation)
            is_one = given.ndim == (1 if isinstance(policy, LinearPolicy) else 0)
            many = given[None] if is_one else given
        known = cast("Any", policy)
        if deterministic:
            actions = known.mode(many)
        else:
            key = np.random.SeedSequence(self.seed, spawn_key=(self._n_predictions,)).generate_state(1, np.uint64)
            actions = known.sample(many, seed=int(key[0]))
            self._n_predictions += 1
        if isinstance(env, Bridge):
            actions = env.decode(actions)
        elif isinstance(env, Simulated) and env.action_low is not None:
            actions = np.clip(actions, env.action_low, env.action_high)
        if not is_one:
            return actions, None
        return (int(actions[0]) if actions.ndim == 1 else actions[0]), None

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Write settings, policy and state to one safetensors file, replacing it atomically.

        `resume` continues from it bit for bit. The problem itself is not in it: save that with `TabularMDP.save`.

        Raises
        ------
        TypeError
            If a schedule is a plain function, which a file cannot hold; use `npgfast.schedules`.
        OSError
            If the file cannot be written; what stood there before is then unchanged.
        """
        settings = {name: _encode(name, value) for name, value in self._settings.items()}
        arrays, sizes = self._policy._fields()
        saved: dict[str, NDArray[Any]] = {f"policy.{name}": array for name, array in arrays.items()}
        if self._state is not None:
            saved.update({f"state.{name}": array for name, array in self._state.arrays().items()})
        storage.save(
            path,
            "agent",
            saved,
            {
                "class": type(self).__name__,
                "settings": settings,
                "policy": {"class": type(self._policy).__name__, **sizes},
                "has_state": self._state is not None,
                "n_predictions": self._n_predictions,
                "problem": self._task.signature,
            },
        )

    save = save_checkpoint

    @classmethod
    def resume(cls, path: str | os.PathLike[str], env: object) -> Self:
        """Rebuild an agent from `save_checkpoint`'s file and its problem.

        Raises
        ------
        CheckpointError
            If the file is damaged or is not an agent of this class.
        ValueError
            If the problem's sizes, gamma or horizon are not those of the file.

        Notes
        -----
        Simulated environments go on where they stood. What stands behind a bridge is not in the file: with n_episodes
        the run still continues bit for bit, with n_steps its environments start new episodes.
        """
        arrays, metadata = storage.load(path, "agent")
        if metadata.get("class") != cls.__name__:
            msg = f"{path}: holds an agent of class {metadata.get('class')}, not {cls.__name__}"
            raise storage.CheckpointError(msg)
        settings = {name: _decode(value) for name, value in metadata["settings"].items()}
        policy_metadata = dict(metadata["policy"])
        policy_class = policy_metadata.pop("class")
        fields = {name.removeprefix("policy."): array for name, array in arrays.items() if name.startswith("policy.")}
        agent = cls(env, _restore(policy_class, fields, policy_metadata), **settings)
        found = agent._task.signature
        if found != metadata["problem"]:
            msg = f"env: sizes, gamma and horizon are {found}, but {path} holds {metadata['problem']}"
            raise ValueError(msg)
        agent._n_predictions = metadata["n_predictions"]
        if metadata["has_state"]:
            state = {name.removeprefix("state."): a for name, a in arrays.items() if name.startswith("state.")}
            _check_state(
                path, state, agent._task.initial_state(agent._policy, agent._options, state.get("seeds", np.zeros(0)))
            )
            agent._state = TrainState(**cast("dict[str, Any]", state))
        return agent

    load = resume

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._task!r}, mode={self.mode!r}, seed={self.seed}, iteration={self.iteration})"
        )


def _check_state(path: str | os.PathLike[str], found: dict[str, NDArray[Any]], expected: TrainState) -> None:
    for name, array in expected.arrays().items():
        if name not in found:
            msg = f"{path}: state.{name} is missing"
            raise storage.CheckpointError(msg)
        if name not in ("best_theta", "best_moments") and (
            found[name].shape != array.shape or found[name].dtype != array.dtype
        ):
            msg = (
                f"{path}: state.{name} has shape {found[name].shape} and dtype {found[name].dtype}, expected "
                f"{array.shape} and {array.dtype}"
            )
            raise storage.CheckpointError(msg)


def _check_callback(callback: object) -> None:
    if callback is not None and not callable(callback):
        msg = f"callback: expected a callable, got {type(callback).__name__}"
        raise TypeError(msg)


def _encode(name: str, value: Any) -> Any:
    if isinstance(value, (schedules.Geometric, schedules.Linear)):
        return {"schedule": type(value).__name__, **asdict(value)}
    if callable(value):
        msg = f"{name}: a plain function cannot be saved; use npgfast.schedules"
        raise TypeError(msg)
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any) -> Any:
    if isinstance(value, dict) and "schedule" in value:
        fields = {name: entry for name, entry in value.items() if name != "schedule"}
        return getattr(schedules, value["schedule"])(**fields)
    return value
