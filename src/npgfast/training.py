"""Runs of an algorithm over many seeds: their state, their history and their result."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from npgfast import storage
from npgfast.exact import Solution
from npgfast.policies import Policy
from npgfast.status import Status

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["HISTORY", "Progress", "Result", "TrainState", "advance"]

FloatArray = NDArray[np.float64]

# The columns of the core's history, in its order (training/train.hpp).
HISTORY = (
    "objective",
    "regularized_objective",
    "return_mean",
    "evaluation",
    "entropy",
    "kl",
    "surrogate",
    "gradient_norm",
    "step_size",
    "status",
    "timesteps",
    "effective_horizon",
    "explained_variance",
    "solver_iterations",
    "backtracks",
    "clip_fraction",
    "seconds",
)
_TIMESTEPS, _SECONDS = HISTORY.index("timesteps"), HISTORY.index("seconds")
_STATUS_NAMES = np.array([*map(str, Status), ""])  # the last one: of a seed that has finished
_CHUNK_SECONDS = 0.1
_CHUNK_ITERATIONS = 4  # at least, after the first call: each one copies the state and looks at the policy once more
_CHUNK_GROWTH = 16  # from one call to the next, at most: the second one solves many a small problem


@dataclass(frozen=True, eq=False)
class TrainState:
    """Everything that one iteration hands to the next, one row per seed; a run continued from it continues bit for bit.

    Attributes
    ----------
    seeds : ndarray of uint64, shape (n_seeds,)
    theta, best_theta : ndarray, shape (n_seeds, n_params)
        best_theta has no columns unless the best iterate is kept.
    adam_first, adam_second : ndarray, shape (n_seeds, n_params) for PPO, else no columns
    baseline : ndarray, shape (n_seeds, S), or (n_seeds, H*S), or no columns; on observations the fitted value function
    environments : ndarray of int32, shape (n_seeds, n_envs, 2)
        State (-1: about to start) and time of each environment that is resumed. Of simulated environments float64,
        shape (n_seeds, n_envs, 1 + state_size): time (-1: about to start) and state.
    observation_moments, best_moments : ndarray, shape (n_seeds, 1 + 2 * dim), or no columns
        Count, means and summed squared deviations of the observations, where the policy normalises them; those of
        best_theta.
    return_moments : ndarray, shape (n_seeds, 3), or no columns
        The same of the discounted reward to date, where rewards are scaled by its deviation.
    returns : ndarray, shape (n_seeds, n_envs, 2)
        Reward to date of the episode that each environment is in, plain and discounted.
    mass, n_started : ndarray, shape (n_seeds,)
        The sum of the discounts and the episodes started, whose ratio estimates L: of the last batch, and as far as
        that started fewer than 32 episodes, of those before it.
    n_done : ndarray of int, shape (n_seeds,)
        Iterations done; they key the random numbers and the schedules.
    started_at : ndarray of int, shape (n_seeds,)
        Iterations done at the last start, or when the target was last reached: restarts are counted from there.
    """

    seeds: NDArray[np.uint64]
    theta: FloatArray
    best_theta: FloatArray
    best_objective: FloatArray
    adam_first: FloatArray
    adam_second: FloatArray
    adam_steps: FloatArray
    baseline: FloatArray
    environments: NDArray[Any]
    timesteps: FloatArray
    timestep_limit: FloatArray
    mass: FloatArray
    n_started: FloatArray
    seconds: FloatArray
    finished: NDArray[np.uint8]
    n_done: NDArray[np.int64]
    started_at: NDArray[np.int64]
    observation_moments: FloatArray
    best_moments: FloatArray
    return_moments: FloatArray
    returns: FloatArray

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Copies of the arrays, by name."""
        return {name: value.copy() for name, value in vars(self).items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True, eq=False)
class Progress:
    """What a callback sees after an iteration.

    Attributes
    ----------
    iteration : int
        Iterations done by the agent so far.
    theta : ndarray, shape (n_seeds, n_params)
    history : dict of str to ndarray, shape (n_seeds,)
        The latest values; NaN (status "") for a seed that has finished.
    """

    iteration: int
    theta: FloatArray
    history: dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome of `learn`.

    Attributes
    ----------
    algorithm : str
    history : dict of str to ndarray, shape (n_seeds, n_iterations)
        Column k is after the (k+1)-th update: objective (J), regularized_objective (J_tau), gap and regularized_gap to
        the optimum (NaN where its certificate is wider than 1e-6), return_mean (the undiscounted reward per episode
        that began and ended in the batch, NaN if none did; in exact mode the objective before the update), evaluation
        (mean return of the new policy over evaluation episodes, where it was compared with the best), entropy
        (nats), kl (nats, of the step), surrogate (its predicted gain), gradient_norm, step_size, status (names of
        `Status`), timesteps, effective_horizon, explained_variance (of the returns, by the
        baseline), solver_iterations, backtracks, clip_fraction, seconds (of computation
        for that seed). NaN, and status "", after a seed has finished. What is known only from a model is NaN on
        environments with observations. With certificates also bound, a theorem's bound on the gap where one applies,
        else NaN.
    initial : dict of str to ndarray, shape (n_seeds,)
        objective, regularized_objective, entropy, gap, regularized_gap before the first update.
    policies : tuple of Policy
        The last iterate of each seed, or its best with ``keep_best``.
    optimum, regularized_optimum : Solution or None
        Of the problem without and with ``tau``; the same object where tau is 0. None without a model.
    seeds : tuple of int
    interrupted : bool
        Whether Ctrl-C, or an exception of the callback, ended the run.
    settings : mapping
        The agent's arguments.
    """

    algorithm: str
    history: dict[str, NDArray[Any]]
    initial: dict[str, FloatArray]
    policies: tuple[Policy, ...]
    optimum: Solution | None
    regularized_optimum: Solution | None
    seeds: tuple[int, ...]
    interrupted: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The policy of the first seed."""
        return self.policies[0]

    @property
    def n_seeds(self) -> int:
        """Number of seeds."""
        return len(self.seeds)

    @property
    def n_iterations(self) -> int:
        """Iterations of the longest run."""
        return int(self.history["timesteps"].shape[1])

    def final(self, name: str) -> NDArray[Any]:
        """Last value of a history column for each seed, at that seed's own last iteration: ndarray, shape (n_seeds,).

        Without any iteration it is the initial value.
        """
        done = np.sum(~np.isnan(self.history["timesteps"]), axis=1)
        if self.n_iterations == 0:
            return self.initial[name]
        last = self.history[name][np.arange(self.n_seeds), np.maximum(done - 1, 0)]
        return np.where(done > 0, last, self.initial[name]) if name in self.initial else last

    def to_pandas(self) -> "pd.DataFrame":
        """The history as a tidy data frame: one row per seed and iteration (counted from 1). Needs pandas."""
        import pandas as pd

        n = self.n_iterations
        frame = {
            "algorithm": np.repeat(self.algorithm, self.n_seeds * n),
            "seed": np.repeat(np.array(self.seeds, dtype=np.uint64), n),
            "iteration": np.tile(np.arange(1, n + 1), self.n_seeds),
        }
        frame.update({name: values.reshape(-1) for name, values in self.history.items()})
        table = pd.DataFrame(frame)
        return table[~table["timesteps"].isna()].reset_index(drop=True)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "tuple[Figure, Axes]":
        """Draw the gap to the optimum, or returns; see `npgfast.plotting.plot_learning_curves`."""
        from npgfast.plotting import plot_learning_curves

        return plot_learning_curves(self, ax=ax, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write history, initial values and thetas to a safetensors file, replacing it atomically."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, values in self.history.items():
            arrays[f"history.{name}"] = _status_codes(values) if name == "status" else values
        arrays.update({f"initial.{name}": values for name, values in self.initial.items()})
        arrays["theta"] = np.stack([policy.theta for policy in self.policies])
        arrays["seeds"] = np.array(self.seeds, dtype=np.uint64)
        storage.save(
            path,
            "result",
            arrays,
            {
                "algorithm": self.algorithm,
                "optimum": None if self.optimum is None else self.optimum.objective,
                "interrupted": self.interrupted,
            },
        )


def _status_codes(names: NDArray[Any]) -> NDArray[np.int8]:
    codes = np.full(names.shape, -1, dtype=np.int8)
    for code, status in enumerate(Status):
        codes[names == str(status)] = code
    return codes


def initial_state(
    theta: FloatArray,
    seeds: NDArray[np.uint64],
    *,
    n_moments: int,
    baseline: int,
    environments: NDArray[Any],
    n_envs: int = 0,
    observation_moments: FloatArray | None = None,
    scales_rewards: bool = False,
) -> TrainState:
    """Return the state before the first iteration, from the sizes of its arrays for one seed.

    Parameters
    ----------
    theta : ndarray, shape (n_params,)
    seeds : ndarray of uint64, shape (n_seeds,)
    n_moments : int
        Of Adam: n_params or 0.
    baseline : int
        Numbers in the baseline.
    environments : ndarray, shape (n_envs or 0, ...)
        Where the environments of a seed stand.
    n_envs : int
        Environments whose rewards to date are kept.
    observation_moments : ndarray, shape (1 + 2 * dim,), optional
        Where observations are normalised.
    scales_rewards : bool
    """
    n = seeds.size
    moments = np.empty(0) if observation_moments is None else observation_moments
    return TrainState(
        seeds=seeds,
        theta=np.tile(theta, (n, 1)),
        best_theta=np.zeros((n, 0)),
        best_objective=np.full(n, -np.inf),
        adam_first=np.zeros((n, n_moments)),
        adam_second=np.zeros((n, n_moments)),
        adam_steps=np.zeros(n),
        baseline=np.zeros((n, baseline)),
        environments=np.tile(environments, (n,) + (1,) * environments.ndim),
        timesteps=np.zeros(n),
        timestep_limit=np.full(n, np.inf),
        mass=np.zeros(n),
        n_started=np.zeros(n),
        seconds=np.zeros(n),
        finished=np.zeros(n, dtype=np.uint8),
        n_done=np.zeros(n, dtype=np.int64),
        started_at=np.zeros(n, dtype=np.int64),
        observation_moments=np.tile(moments, (n, 1)),
        best_moments=np.zeros((n, 0)),
        return_moments=np.zeros((n, 3 if scales_rewards else 0)),
        returns=np.zeros((n, n_envs, 2)),
    )


Run = Callable[[dict[str, FloatArray], int, int, dict[str, NDArray[Any]]], tuple[FloatArray, FloatArray]]


def advance(
    run: Run,
    state: TrainState,
    schedules: Callable[[int, int], dict[str, FloatArray]],
    n_iterations: int | None,
    on_chunk: Callable[[TrainState, FloatArray], bool] | None,
    *,
    every_iteration: bool,
) -> tuple[TrainState, FloatArray, FloatArray, BaseException | None]:
    """Run up to `n_iterations` more iterations: one, then in calls of about a tenth of a second or four.

    A call either completes or, when a signal handler raises, has no effect at all. How the iterations are divided into
    calls does not change a bit of the outcome.

    Parameters
    ----------
    run : callable
        ``run(schedules, first, n, arrays)`` does n iterations for every seed, in place of the arrays of the state, with
        schedules from iteration `first` on; returns their history and the initial values.
    state : TrainState
    schedules : callable
        Values of the schedules from an iteration on, for a number of iterations.
    n_iterations : int or None
    on_chunk : callable
        Called after every call with the state and its part of the history; False ends the run.
    every_iteration : bool
        One iteration a call.

    Returns
    -------
    state : TrainState
    history : ndarray, shape (n_seeds, n, len(HISTORY))
        n is the number of iterations of the longest run.
    initial : ndarray, shape (n_seeds, 3)
    interruption : BaseException or None
        What a signal handler, or the callback, raised.
    """
    done, size = 0, 1
    parts: list[FloatArray] = []
    initial = np.full((state.seeds.size, 3), np.nan)
    interruption: BaseException | None = None
    while (n_iterations is None or done < n_iterations) and not state.finished.all():
        n = size if n_iterations is None else min(size, n_iterations - done)
        arrays = state.arrays()
        seconds = arrays.pop("seconds")
        going = state.n_done[state.finished == 0]
        first, last = int(going.min()), int(going.max()) + n
        started = time.perf_counter()
        try:
            values = schedules(first, last - first)
        except Exception as error:  # noqa: BLE001 - raised again by the caller, if its iteration is reached
            if n == 1:
                interruption = error
                break
            size = 1
            continue
        try:
            chunk, before = run(values, first, n, arrays)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller, once the agent is whole
            interruption = error
            break
        elapsed = time.perf_counter() - started
        if not parts:
            initial = before
        chunk[:, :, _SECONDS] += seconds[:, None]
        seconds = np.fmax(seconds, np.fmax.reduce(chunk[:, :, _SECONDS], axis=1))
        state = replace(state, seconds=seconds, **arrays)
        parts.append(chunk)
        done += n
        if not every_iteration:
            size = min(_CHUNK_GROWTH * size, max(_CHUNK_ITERATIONS, int(_CHUNK_SECONDS * n / max(elapsed, 1e-9))))
        try:
            if on_chunk is not None and not on_chunk(state, chunk):
                break
        except BaseException as error:  # noqa: BLE001 - raised again by the caller, once the agent is whole
            interruption = error
            break
    history = np.concatenate(parts, axis=1) if parts else np.empty((state.seeds.size, 0, len(HISTORY)))
    is_done = ~np.isnan(history[:, :, _TIMESTEPS]).all(axis=0)
    return state, history[:, : int(is_done.sum())], initial, interruption


def _known(optimum: Solution | None) -> float:
    """The optimal objective, or NaN if there is none or its certificate is wider than 1e-6."""
    if optimum is None:
        return float("nan")
    width = optimum.upper - optimum.lower
    return optimum.objective if width <= 1e-6 * max(1.0, abs(optimum.objective)) else float("nan")


def named_history(
    history: FloatArray, initial: FloatArray, optimum: Solution | None, regularized_optimum: Solution | None
) -> tuple[dict[str, NDArray[Any]], dict[str, FloatArray]]:
    """Name the columns of the core's history, and add the gaps."""
    columns: dict[str, NDArray[Any]] = dict(zip(HISTORY, np.moveaxis(history, -1, 0).copy(), strict=True))
    codes = columns["status"]
    columns["status"] = _STATUS_NAMES[np.where(np.isnan(codes), len(Status), codes).astype(int)]
    before = {"objective": initial[:, 0], "regularized_objective": initial[:, 1], "entropy": initial[:, 2]}
    for values in (columns, before):
        values["gap"] = _known(optimum) - values["objective"]
        values["regularized_gap"] = _known(regularized_optimum) - values["regularized_objective"]
    return columns, before
