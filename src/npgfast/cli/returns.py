"""Reports of runs on environments with observations, where returns are all that is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from npgfast import plotting
from npgfast.cli.environments import ObservedEnvironment
from npgfast.cli.reports import Run, effort, interval, quartiles, statistics_document, statuses
from npgfast.sampling import ReturnStatistics, evaluate_policy
from npgfast.training import Result

__all__ = ["Evaluations", "ObservedRun", "evaluations"]

EPISODES = 100
_LAST = 10
_SEED = 2**62  # keeps these episodes apart from those that taught or chose a policy


@dataclass(frozen=True)
class Evaluations:
    """Returns of the policies that a run hands out, on fresh episodes.

    Attributes
    ----------
    seeds : tuple of ReturnStatistics
        One for each seed, where the run took place.
    own : ReturnStatistics or None
        Of the first seed in Gymnasium's own environment, where that is another one.
    """

    seeds: tuple[ReturnStatistics, ...]
    own: ReturnStatistics | None

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean return of each seed."""
        return np.array([one.mean for one in self.seeds])


def evaluations(environment: ObservedEnvironment, result: Result) -> Evaluations:
    """Play the policies of a result, as the run itself has compared them."""
    deterministic = bool(result.settings["evaluate_deterministically"])

    def play(env: object, k: int) -> ReturnStatistics:
        return evaluate_policy(env, result.policies[k], EPISODES, _SEED + result.seeds[k], deterministic)

    native, own = environment.is_native, environment.own
    where = environment.env if native else own
    return Evaluations(
        tuple(play(where, k) for k in range(result.n_seeds)), play(own, 0) if native and own is not None else None
    )


@dataclass(frozen=True, eq=False)
class ObservedRun(Run):
    """A run on an environment with observations.

    Attributes
    ----------
    evaluations : Evaluations or None
        None if the run was interrupted.
    target : float or None
        Mean return that ends a seed.
    """

    environment: ObservedEnvironment
    evaluations: Evaluations | None
    target: float | None

    @property
    def name(self) -> str:
        """See `Run.name`."""
        return self.environment.name

    @property
    def best(self) -> int:
        """Index of the seed with the highest return: of its policy, or else of its last iterations."""
        means = self.last_returns if self.evaluations is None else self.evaluations.means
        return int(np.argmax(np.where(np.isnan(means), -np.inf, means)))

    @property
    def title(self) -> str:
        """See `Run.title`."""
        return f"{self.result.algorithm}, {self.seeds}, {self.result.n_iterations} iterations"

    @property
    def interrupted(self) -> bool:
        """See `Run.interrupted`."""
        return self.evaluations is None

    @property
    def is_drawable(self) -> bool:
        """Also, some episode must have ended."""
        return not self.interrupted and not np.isnan(self.last_returns).all()

    @property
    def last_returns(self) -> NDArray[np.float64]:
        """Mean return of each seed over its last iterations, NaN where no episode has ended."""
        means = []
        for values in self.result.history["return_mean"]:
            known = values[~np.isnan(values)][-_LAST:]
            means.append(known.mean() if known.size else np.nan)
        return np.array(means)

    @property
    def n_reached(self) -> int:
        """Seeds that have reached the target."""
        reached = self.result.history["evaluation"] >= (np.inf if self.target is None else self.target)
        return int(reached.any(axis=1).sum())

    def show(self, console: Console) -> None:
        """See `Run.show`."""
        policy: Any = self.result.policy
        normalised = "" if policy.normalizer is None else ", normalised"
        rows = [
            ("policy", f"{type(policy).__name__}, {policy.n_params} parameters"),
            ("features", type(policy.feature_map).__name__ + normalised),
            ("discount gamma", f"{self.agent._task.gamma:g}"),
            *_spread(f"return of the last {_LAST} iterations", self.last_returns),
        ]
        if self.evaluations is not None:
            means, own = self.evaluations.means, self.evaluations.own
            rows += _spread(f"return of the policy, {EPISODES} episodes", means)
            if means.size > 1:
                rows.append(("  worst seed", f"{means.min():.6g}"))
            if own is not None:
                first = f" (seed {self.result.seeds[0]})" if means.size > 1 else ""
                error = f"{own.mean:.6g} \N{PLUS-MINUS SIGN} {own.standard_error:.2g}"
                rows.append((f"  in Gymnasium's environment{first}", error))
        if self.target is not None:
            rows.append((f"reached {self.target:g}", f"{self.n_reached} of {self.seeds}"))
        rows += [
            ("iterations", str(self.result.n_iterations)),
            ("seconds", f"{self.elapsed:.2f}"),
            *effort(self).items(),
            ("updates by status", "\n".join(statuses(self.result))),
        ]
        table = Table(show_edge=False, pad_edge=False)
        table.add_column(self.name, no_wrap=True)
        table.add_column(self.result.algorithm, justify="right")
        for name, cell in rows:
            table.add_row(name, cell)
        console.print(self.title, style="bold", highlight=False)
        console.print(table)

    def facts(self) -> dict[str, Any]:
        """See `Run.facts`."""
        result, env, last = self.result, self.environment.env, self.last_returns
        policy: Any = result.policy
        known = last[~np.isnan(last)]
        out: dict[str, Any] = {
            "environment": {
                "name": self.name,
                "observation_size": env.observation_size,
                "n_actions": env.n_actions,
                "action_size": env.action_size,
                "time_limit": env.time_limit,
                "native": self.environment.is_native,
                "gamma": self.agent._task.gamma,
            },
            "policy": {
                "class": type(policy).__name__,
                "feature_map": policy.feature_map._description(),
                "normalizes_observations": policy.normalizer is not None,
                "n_params": policy.n_params,
            },
            "target": self.target,
            "n_reached": None if self.target is None else self.n_reached,
            "final": {
                "return_mean": last,
                **{name: result.final(name) for name in ("status", "timesteps")},
            },
            "median": {
                "return_mean": np.median(known) if known.size else None,
                "return_mean_quartiles": quartiles(known) if known.size else None,
            },
            "evaluation": None,
        }
        if self.evaluations is not None:
            means, own = self.evaluations.means, self.evaluations.own
            out["evaluation"] = {
                "deterministic": result.settings["evaluate_deterministically"],
                "n_episodes": EPISODES,
                "means": means,
                "median": np.median(means),
                "worst": means.min(),
                "gymnasium": None if own is None else statistics_document(own),
            }
        return out

    def draw(self, path: Path) -> None:
        """Write the learning curve, and beside it that of the best policy so far where policies were compared."""
        from matplotlib.figure import Figure

        compared = not np.isnan(self.result.history["evaluation"]).all()
        fig = Figure(figsize=(12.0, 5.0) if compared else (7.5, 5.0), layout="constrained")
        left, *right = np.atleast_1d(fig.subplots(1, 1 + compared, sharex=True, sharey=True))
        plotting.plot_learning_curves(self.result, ax=left, y="return_mean", title="While learning")
        if compared:
            levels = () if self.target is None else (self.target,)
            plotting.plot_learning_curves(
                self.result, ax=right[0], y="evaluation", levels=levels, title="Best policy so far"
            )
        fig.suptitle(f"{self.name} (\N{GREEK SMALL LETTER GAMMA} = {self.agent._task.gamma:g}): {self.title}")
        fig.savefig(path, dpi=150)


def _spread(name: str, values: NDArray[np.float64]) -> list[tuple[str, str]]:
    """Rows on a number of every seed."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return [(name, "no episode has ended")]
    if values.size == 1:
        return [(name, f"{known[0]:.6g}")]
    shown = "{:.6g}".format
    return [(f"{name}, median", shown(np.median(known))), ("  interquartile range", interval(known, shown))]
