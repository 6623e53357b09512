"""What all agents share: their problem, policy, sampling, seeds, learning, prediction and storage."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate, schedules, storage
from npgfast.exact import LARGEST_TAU, Solution, _check_policy, _reachable, evaluate, solve
from npgfast.policies import SoftmaxPolicy, TabularSoftmax, _restore
from npgfast.problems import TabularMDP
from npgfast.progress import RunBar
from npgfast.sampling import STATE_WEIGHTS
from npgfast.schedules import Checked
from npgfast.threads import thread_count
from npgfast.training import Progress, Result, TrainState, advance, initial_state, named_history

__all__ = ["Agent"]

Callback = Callable[[Progress], bool | None]
Mode = Literal["exact", "sampled"]

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
    "normalize_advantages": True,
    "max_gradient_norm": 0.0,
    "target_kl": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
}
_SCHEDULES = ("step_size", "max_kl", "radius", "clip_range", "learning_rate", "entropy_coefficient")
_DEFAULT_ITERATIONS = 100
_DEFAULT_EPISODES = 100


class Agent(ABC):
    """An algorithm with its problem, its settings and, once it has learned, its state.

    The arguments that all agents share are described in `TRPO`.
    """

    _tabular_only: ClassVar[bool] = False

    def __init__(
        self,
        env: TabularMDP | object,
        policy: SoftmaxPolicy | None,
        settings: dict[str, Any],
    ) -> None:
        self._settings = settings
        self.mdp = _read_problem(env, settings["gamma"])
        if policy is None:
            policy = TabularSoftmax(self.mdp.n_states, self.mdp.n_actions, action_mask=self.mdp.action_mask)
        self._policy = _check_policy(self.mdp, policy)
        if self._tabular_only and not isinstance(policy, TabularSoftmax):
            msg = f"policy: {type(self).__name__} needs a TabularSoftmax, got {type(policy).__name__}"
            raise TypeError(msg)
        self.mode: Mode = cast("Mode", _validate.choice("mode", settings["mode"], ("exact", "sampled")))
        self.seed = _validate.integer("seed", settings["seed"], low=0, high=2**64 - 1)
        tau = _validate.real("tau", settings.get("tau", 0.0), low=0.0, high=LARGEST_TAU)
        self._options = {**_UNUSED_OPTIONS, "tau": tau, **self._sampling_options(), **self._native_options()}
        self._schedules = {checked.name: checked for checked in self._native_schedules()}
        self._state: TrainState | None = None
        self._optima: tuple[Solution, Solution] | None = None
        self._n_predictions = 0
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

    def _sampling_options(self) -> dict[str, Any]:
        given = self._settings
        n_steps, n_episodes, n_envs = given["n_steps"], given["n_episodes"], given["n_envs"]
        if self.mode == "exact":
            for name in ("n_steps", "n_episodes", "n_envs"):
                if given[name] is not None:
                    msg = f"{name}={given[name]}: only mode='sampled' has it"
                    raise ValueError(msg)
        if n_steps is not None and n_episodes is not None:
            msg = f"n_steps, n_episodes: give at most one, got {n_steps} and {n_episodes}"
            raise ValueError(msg)
        if n_steps is None and n_envs is not None:
            msg = f"n_envs={n_envs}: give n_steps as well; with n_episodes every episode is its own environment"
            raise ValueError(msg)
        envs, steps = _DEFAULT_EPISODES, 0
        if n_episodes is not None:
            envs = _validate.integer("n_episodes", n_episodes, low=1, high=2**31 - 1)
        elif n_steps is not None:
            envs = 16 if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
            steps = _validate.integer("n_steps", n_steps, low=1, high=2**31 - 2)
            _validate.allocation("n_steps * n_envs", steps, envs, itemsize=64)
        weights = _validate.choice("state_weights", given["state_weights"], STATE_WEIGHTS)
        baseline = given["baseline"]
        if baseline is not None and not (isinstance(baseline, str) and baseline == "tabular"):
            msg = f"baseline={baseline!r}: expected 'tabular' or None"
            raise ValueError(msg)
        return {
            "algorithm": _ALGORITHMS.index(type(self).__name__),
            "is_ppo": type(self).__name__ == "PPO",
            "sampled": self.mode == "sampled",
            "n_envs": envs,
            "n_steps": steps,
            "state_weights": STATE_WEIGHTS.index(weights),
            "gae_lambda": _validate.real("gae_lambda", given["gae_lambda"], low=0.0, high=1.0),
            "use_baseline": baseline == "tabular",
        }

    @property
    def optimum(self) -> Solution:
        """The optimum of the problem, solved when first asked for."""
        return self._solve()[0]

    def _solve(self) -> tuple[Solution, Solution]:
        if self._optima is None:
            optimum = solve(self.mdp)
            tau = self._options["tau"]
            self._optima = (optimum, solve(self.mdp, tau=tau) if tau > 0.0 else optimum)
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
    def policy(self) -> SoftmaxPolicy:
        """The current policy of the first seed."""
        return self._policy if self._state is None else self._policy.with_theta(self._state.theta[0])

    def learn(
        self,
        n_iterations: int | None = None,
        total_timesteps: int | None = None,
        *,
        n_seeds: int = 1,
        callback: Callback | None = None,
        progress_bar: bool = False,
        target: float | None = None,
        keep_best: bool = False,
        certificates: bool = False,
        n_threads: int | None = None,
    ) -> Result:
        """Run the algorithm, for all seeds in parallel, and go on from where the agent stands.

        Seed k of the n is ``seed + k`` and equals, bit for bit, a single run with that seed, whatever the number of
        threads and however a run is divided into calls.

        Parameters
        ----------
        n_iterations : int, optional
            Updates; default 100, or as many as total_timesteps needs.
        total_timesteps : int, optional
            mode="sampled" only: a seed finishes with the iteration in which its steps of this call reach it.
        n_seeds : int
            Independent runs. Once an agent has learned, it keeps their number.
        callback : callable, optional
            Called with a `Progress` after every iteration; returning False ends the run.
        progress_bar : bool
            Show a bar on standard error, if that is a terminal or a notebook. Needs rich.
        target : float, optional
            A seed finishes with the iteration in which its objective reaches it.
        keep_best : bool
            Hand out each seed's best iterate of this call, its start included, by the exact objective, instead of the
            last.
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
        options = {
            **self._options,
            "target": np.inf if target is None else _validate.real("target", target),
            "n_threads": thread_count(n_threads),
        }
        optimum, regularized_optimum = self._solve()
        start = self._start(n_seeds, total, keep_best=keep_best)
        bar = RunBar(limit, total, optimum.objective) if progress_bar else None

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
                self.mdp,
                self._policy,
                _reachable(self.mdp, self._policy),
                start,
                options,
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
        thetas = state.best_theta if keep_best else state.theta
        self.result = Result(
            algorithm=type(self).__name__,
            history=columns,
            initial=before,
            policies=tuple(self._policy.with_theta(theta) for theta in thetas),
            optimum=optimum,
            regularized_optimum=regularized_optimum,
            seeds=tuple(int(seed) for seed in state.seeds),
            interrupted=interruption is not None,
            settings=dict(self._settings),
        )
        if interruption is not None:
            raise interruption
        return self.result

    def _schedule_values(self, first: int, n: int) -> dict[str, NDArray[np.float64]]:
        unused = np.zeros(n)
        return {
            name: self._schedules[name].values(first, n) if name in self._schedules else unused for name in _SCHEDULES
        }

    def _start(self, n_seeds: int, total_timesteps: float, *, keep_best: bool) -> TrainState:
        if self._state is None:
            seeds = np.uint64(self.seed) + np.arange(n_seeds, dtype=np.uint64)
            state = initial_state(self._policy, self.mdp, self._options, seeds)
        else:
            state = self._state
        return replace(
            state,
            best_theta=state.theta.copy() if keep_best else np.zeros((n_seeds, 0)),
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

    def predict(self, observation: int | NDArray[np.integer], deterministic: bool = False) -> tuple[Any, None]:
        """Choose actions with the first seed's current policy.

        Parameters
        ----------
        observation : int or array_like of int, shape (n,)
            States.
        deterministic : bool
            Take the most probable action instead of drawing one.

        Returns
        -------
        action : int or ndarray of int, shape (n,)
        state : None
            For Gymnasium-style loops.

        Raises
        ------
        TypeError, ValueError
            For observations that are not states.
        """
        states = np.atleast_1d(np.asarray(observation))
        policy = self.policy
        if deterministic:
            actions = policy.mode(states)
        else:
            key = np.random.SeedSequence(self.seed, spawn_key=(self._n_predictions,)).generate_state(1, np.uint64)
            actions = policy.sample(states, seed=int(key[0]))
            self._n_predictions += 1
        return (int(actions[0]) if np.ndim(observation) == 0 else actions), None

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
                "problem": [self.mdp.n_states, self.mdp.n_actions, self.mdp.gamma, self.mdp.horizon],
            },
        )

    save = save_checkpoint

    @classmethod
    def resume(cls, path: str | os.PathLike[str], env: TabularMDP | object) -> Self:
        """Rebuild an agent from `save_checkpoint`'s file and its problem.

        Raises
        ------
        CheckpointError
            If the file is damaged or is not an agent of this class.
        ValueError
            If the problem's sizes, gamma or horizon are not those of the file.
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
        mdp = agent.mdp
        found = [mdp.n_states, mdp.n_actions, mdp.gamma, mdp.horizon]
        if found != metadata["problem"]:
            msg = f"env: (n_states, n_actions, gamma, horizon) = {found}, but {path} holds {metadata['problem']}"
            raise ValueError(msg)
        agent._n_predictions = metadata["n_predictions"]
        if metadata["has_state"]:
            state = {name.removeprefix("state."): a for name, a in arrays.items() if name.startswith("state.")}
            _check_state(
                path, state, initial_state(agent._policy, mdp, agent._options, state.get("seeds", np.zeros(0)))
            )
            agent._state = TrainState(**cast("dict[str, Any]", state))
        return agent

    load = resume

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mdp!r}, mode={self.mode!r}, seed={self.seed}, iteration={self.iteration})"


def _read_problem(env: object, gamma: float | None) -> TabularMDP:
    if not isinstance(env, TabularMDP):
        discount = 0.99 if gamma is None else _validate.real("gamma", gamma, low=0.0, high=1.0)
        return TabularMDP.from_gymnasium(cast("Any", env), gamma=discount)
    if gamma is not None and gamma != env.gamma:
        msg = f"gamma={gamma}: the problem has gamma={env.gamma}; change it with mdp.replace(gamma=...)"
        raise ValueError(msg)
    return env


def _check_state(path: str | os.PathLike[str], found: dict[str, NDArray[Any]], expected: TrainState) -> None:
    for name, array in expected.arrays().items():
        if name not in found:
            msg = f"{path}: state.{name} is missing"
            raise storage.CheckpointError(msg)
        if name != "best_theta" and (found[name].shape != array.shape or found[name].dtype != array.dtype):
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
