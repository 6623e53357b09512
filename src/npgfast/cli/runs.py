"""``npgfast train``: one run from reading its environment to its files."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from npgfast import storage
from npgfast.algorithms import Agent
from npgfast.cli import reports
from npgfast.cli.environments import EnvironmentOptions, ObservedEnvironment, Problem
from npgfast.cli.failures import WrongUsage, usage
from npgfast.cli.features import with_features
from npgfast.cli.gaps import TabularRun
from npgfast.cli.reports import Run
from npgfast.cli.returns import EPISODES, ObservedRun, evaluations
from npgfast.cli.settings import (
    CLASSES,
    ITERATIONS,
    OBSERVED_SEEDS,
    SEEDS,
    Algorithm,
    Mode,
    chosen,
    complete,
    option,
)
from npgfast.training import Progress, Result

__all__ = ["Length", "Output", "train"]

_REFERENCE_SECONDS = 1.0
_REFERENCE_PAIRS = 100_000
_SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".eps", ".ps", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Length:
    """How long a run goes on, and over how many seeds; None stands for not given."""

    iterations: int | None
    timesteps: int | None
    seeds: int | None
    target: float | None
    restart_after: int | None
    keep_best: bool | None
    certificates: bool
    threads: int | None

    def arguments(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of `Agent.learn`: those given, and for the others what is known to work."""
        given = {
            "n_iterations": self.iterations,
            "total_timesteps": self.timesteps,
            "target": self.target,
            "restart_after": self.restart_after,
            "keep_best": self.keep_best,
        }
        own = {name: value for name, value in given.items() if value is not None}
        lengths = ("n_iterations", "total_timesteps")
        is_given = any(name in own for name in lengths)
        return {**{name: value for name, value in known.items() if not (is_given and name in lengths)}, **own}


@dataclass(frozen=True)
class Output:
    """What a run shows and writes."""

    folder: Path | None
    plot: Path | None
    no_plot: bool
    as_json: bool
    history: bool

    def check(self) -> None:
        """Make the output folder, and find out now what could not be written later."""
        if self.history and not self.as_json:
            msg = "--json-history: only with --json"
            raise WrongUsage(msg)
        if self.plot is not None:
            if self.no_plot:
                msg = "--plot and --no-plot exclude each other"
                raise WrongUsage(msg)
            check_picture(self.plot)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def picture(self, run: Run, algorithm: str) -> Path | None:
        """Where to draw, if at all."""
        if self.plot is not None:
            return self.plot
        if self.no_plot or (self.as_json and self.folder is None):
            return None
        return (self.folder or Path()) / reports.picture_name(run, algorithm)


def check_picture(path: Path) -> None:
    """Find out now whether a picture could be written."""
    import matplotlib.figure  # noqa: F401

    if path.suffix.lower() not in _SUFFIXES:
        msg = f"--plot {path}: expected a name that ends in one of {', '.join(_SUFFIXES)}"
        raise WrongUsage(msg)
    if not path.absolute().parent.is_dir():
        msg = f"--plot {path}: no such folder"
        raise WrongUsage(msg)


def train(
    environment: EnvironmentOptions,
    algorithm: Algorithm | None,
    mode: Mode | None,
    seed: int | None,
    given: Mapping[str, Any],
    length: Length,
    output: Output,
    resume: Path | None,
) -> bool:
    """Run, show and write; returns whether the run was completed (not interrupted)."""
    output.check()
    if resume is None:
        found = environment.read()
        if isinstance(found, Problem):
            agent = _tabular_agent(found, algorithm or Algorithm.TRPO, mode or Mode.SAMPLED, seed or 0, given)
        else:
            settings = {"mode": None if mode is None else mode.value, "gamma": environment.gamma, **given}
            agent = _observed_agent(found, algorithm, seed or 0, settings)
    else:
        found, agent = _resumed(environment, resume, algorithm, mode, seed, given)
    known = {"n_iterations": ITERATIONS}
    if isinstance(found, ObservedEnvironment):
        # Before the class is looked at: the zoo has lengths of its own for what it chooses.
        known = _zoo_length(found.name, algorithm if resume is None else _name(agent)) or known
    console = Console(quiet=output.as_json)
    console.print(found.summary, highlight=False, soft_wrap=True)
    run = _learn(found, agent, length, known, resume)
    if run is None:
        console.print("interrupted before the first iteration was complete")
        return False
    _finish(run, output, console)
    return not run.interrupted


def _name(agent: Agent) -> Algorithm:
    return next(name for name, kind in CLASSES.items() if kind is type(agent))


def _tabular_agent(problem: Problem, algorithm: Algorithm, mode: Mode, seed: int, given: Mapping[str, Any]) -> Agent:
    if given["features"] is not None:
        msg = f"--features: {problem.name} is tabular and has no observations"
        raise WrongUsage(msg)
    settings = complete(algorithm, mode, problem.mdp.n_states, {k: v for k, v in given.items() if k != "features"})
    agent_class: Any = CLASSES[algorithm]
    with usage():
        agent: Agent = agent_class(problem.mdp, mode=mode.value, seed=seed, **settings)
    return agent


def _zoo_length(name: str, algorithm: Algorithm | None) -> dict[str, Any] | None:
    """How long the zoo learns; None for what it does not have."""
    from npgfast import zoo

    with suppress(ValueError):
        return dict(zoo.length(name, None if algorithm is None else algorithm.value))
    return None


def _observed_agent(
    environment: ObservedEnvironment, algorithm: Algorithm | None, seed: int, given: Mapping[str, Any]
) -> Agent:
    """The zoo's agent where it has one, with the settings that were given instead of its own."""
    from npgfast import zoo

    agent_class: Any = CLASSES[algorithm or Algorithm.TRPO]
    if agent_class._tabular_only:
        msg = f"--algo {algorithm}: needs a tabular problem, and {environment.name} has no model"
        raise WrongUsage(msg)
    make: Callable[..., Agent]
    if _zoo_length(environment.name, algorithm) is not None:
        make = partial(zoo.make, environment.name, None if algorithm is None else algorithm.value, seed=seed)
    else:
        make = partial(agent_class, environment.name, seed=seed, normalize_observations=not environment.is_native)
    if environment.settings:
        make = partial(make, make_kwargs=dict(environment.settings))
    with usage():
        agent = make()
        own = chosen(type(agent), {name: value for name, value in given.items() if name != "features"})
        for one, others in {"n_steps": ("n_episodes",), "n_episodes": ("n_steps", "n_envs")}.items():
            if one in own:
                own = {**dict.fromkeys(others), **own}
        if given["features"] is not None:
            first: Any = agent.policy
            own["policy"] = with_features(first, given["features"])
            own.setdefault("normalize_observations", True)
        return make(**own) if own else agent


def _resumed(
    environment: EnvironmentOptions,
    path: Path,
    algorithm: Algorithm | None,
    mode: Mode | None,
    seed: int | None,
    given: Mapping[str, Any],
) -> tuple[Problem | ObservedEnvironment, Agent]:
    fixed = {"algo": algorithm, "mode": mode, "seed": seed, **given}
    for name, value in fixed.items():
        _refuse_with_resume(name, value)
    _, metadata = storage.load(path, "agent")
    agent_class = {kind.__name__: kind for kind in CLASSES.values()}.get(str(metadata.get("class")))
    if agent_class is None:
        msg = f"{path}: holds an agent of class {metadata.get('class')!r}, which this program does not know"
        raise storage.CheckpointError(msg)
    *_, gamma, horizon = metadata["problem"]
    found = environment.read()
    if isinstance(found, ObservedEnvironment):
        for name, value in {"gamma": environment.gamma, "set": environment.settings or None}.items():
            _refuse_with_resume(name, value)
        with usage():
            return found, agent_class.resume(path, found.name)
    problem = replace(
        environment,
        gamma=gamma if environment.gamma is None else environment.gamma,
        horizon=environment.horizon if environment.horizon is not None or horizon is None else str(horizon),
    ).read_problem()
    with usage():
        return problem, agent_class.resume(path, problem.mdp)


def _refuse_with_resume(name: str, value: object) -> None:
    if value is not None:
        msg = f"--{option(name)}: stands in the checkpoint; leave it out with --resume"
        raise WrongUsage(msg)


def _n_seeds(found: Problem | ObservedEnvironment, agent: Agent) -> int:
    if agent.iteration:
        return int(agent.theta.shape[0])
    if isinstance(found, Problem):
        return SEEDS[Mode(agent.mode)]
    return OBSERVED_SEEDS["native" if found.is_native else "bridged"]


def _learn(
    found: Problem | ObservedEnvironment,
    agent: Agent,
    length: Length,
    known: Mapping[str, Any],
    resume: Path | None,
) -> Run | None:
    """Run; None if nothing was reached."""
    n_seeds = _n_seeds(found, agent) if length.seeds is None else length.seeds
    arguments = length.arguments(known)
    steps_before = 0.0 if agent._state is None else float(agent._state.timesteps.sum())
    before = None if resume is None else reports.earlier(resume, agent, agent.optimum)
    started = time.perf_counter()
    try:
        with usage():
            agent.learn(
                n_seeds=n_seeds,
                progress_bar=True,
                certificates=length.certificates,
                n_threads=length.threads,
                **arguments,
            )
    except KeyboardInterrupt:
        if agent.result is None or agent.result.n_iterations == 0:
            return None
    elapsed = time.perf_counter() - started
    if agent.result is None or agent._state is None:
        return None
    result = reports.joined(before, agent.result)
    steps = float(agent._state.timesteps.sum()) - steps_before
    if isinstance(found, Problem):
        reference = None if result.interrupted or agent.mode == "exact" else _reference(found, agent, result)
        return TabularRun(agent, result, elapsed, steps, found, reference)
    played = None
    if not result.interrupted:
        with suppress(KeyboardInterrupt), Console(stderr=True).status(f"playing {EPISODES} episodes"):
            played = evaluations(found, result)
    return ObservedRun(agent, result, elapsed, steps, found, played, arguments.get("target"))


def _reference(problem: Problem, agent: Agent, result: Result) -> Result | None:
    """The same algorithm and trust region in exact mode, if that takes no more than about a second."""
    if problem.mdp.n_states * problem.mdp.n_actions > _REFERENCE_PAIRS:
        return None
    sampling = ("mode", "seed", "n_steps", "n_episodes", "n_envs", "gae_lambda", "state_weights", "baseline", "damping")
    settings = {name: value for name, value in agent._settings.items() if name not in (*sampling, "batch_size")}
    ends = time.perf_counter() + _REFERENCE_SECONDS

    def in_time(_: Progress) -> bool:
        return time.perf_counter() < ends

    agent_class: Any = type(agent)
    exact: Agent = agent_class(problem.mdp, agent._policy, mode="exact", **settings)
    return exact.learn(result.n_iterations, callback=in_time)


def _finish(run: Run, output: Output, console: Console) -> None:
    if run.result.interrupted:
        console.print(f"interrupted; reached after {run.agent.iteration} iterations:")
    if not output.as_json:
        run.show(console)
    files = {} if output.folder is None else reports.write_files(run, output.folder)
    path = output.picture(run, _name(run.agent))
    if path is not None and run.is_drawable:
        try:
            run.draw(path)
            files["picture"] = str(path)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != "matplotlib":
                raise
            console.print('no picture: that needs matplotlib, pip install "npgfast[plot]"', markup=False)
    for name, file in files.items():
        console.print(f"{name}: {file}", highlight=False, markup=False, soft_wrap=True)
    if output.as_json:
        reports.print_json(run.document(history=output.history, files=files))
