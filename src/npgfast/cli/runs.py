"""``npgfast train``: one run from reading its problem to its files."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from npgfast import storage
from npgfast.algorithms import Agent
from npgfast.cli import reports
from npgfast.cli.environments import Problem, read_problem
from npgfast.cli.failures import WrongUsage, usage
from npgfast.cli.settings import CLASSES, ITERATIONS, SEEDS, Algorithm, Mode, complete, option
from npgfast.training import Progress, Result

__all__ = ["EnvironmentOptions", "Length", "Output", "train"]

_REFERENCE_SECONDS = 1.0
_REFERENCE_PAIRS = 100_000
_SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".eps", ".ps", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class EnvironmentOptions:
    """ENV and the options that shape it."""

    name: str
    gamma: float | None
    horizon: str | None
    map_name: str | None
    settings: list[str]

    def read(self) -> Problem:
        """Read the problem."""
        return read_problem(
            self.name, gamma=self.gamma, horizon=self.horizon, map_name=self.map_name, settings=self.settings
        )


@dataclass(frozen=True)
class Length:
    """How long a run goes on, and over how many seeds."""

    iterations: int | None
    timesteps: int | None
    seeds: int | None
    target: float | None
    threads: int | None
    keep_best: bool
    certificates: bool


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

    def picture(self, run: reports.Run, algorithm: str) -> Path | None:
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
        problem = environment.read()
        algorithm = algorithm or Algorithm.TRPO
        agent = _new_agent(problem, algorithm, mode or Mode.SAMPLED, seed or 0, given)
    else:
        problem, agent = _resumed(environment, resume, algorithm, mode, seed, given)
        algorithm = next(name for name, kind in CLASSES.items() if kind is type(agent))
    console = Console(quiet=output.as_json)
    console.print(problem.summary, highlight=False)
    run = _learn(problem, agent, length, resume)
    if run is None:
        console.print("interrupted before the first iteration was complete")
        return False
    _finish(run, algorithm, output, console)
    return not run.result.interrupted


def _new_agent(problem: Problem, algorithm: Algorithm, mode: Mode, seed: int, given: Mapping[str, Any]) -> Agent:
    settings = complete(algorithm, mode, problem.mdp.n_states, given)
    agent_class: Any = CLASSES[algorithm]
    with usage():
        agent: Agent = agent_class(problem.mdp, mode=mode.value, seed=seed, **settings)
    return agent


def _resumed(
    environment: EnvironmentOptions,
    path: Path,
    algorithm: Algorithm | None,
    mode: Mode | None,
    seed: int | None,
    given: Mapping[str, Any],
) -> tuple[Problem, Agent]:
    fixed = {"algo": algorithm, "mode": mode, "seed": seed, **given}
    for name, value in fixed.items():
        if value is not None:
            msg = f"--{option(name)}: stands in the checkpoint; leave it out with --resume"
            raise WrongUsage(msg)
    _, metadata = storage.load(path, "agent")
    agent_class = {kind.__name__: kind for kind in CLASSES.values()}.get(str(metadata.get("class")))
    if agent_class is None:
        msg = f"{path}: holds an agent of class {metadata.get('class')!r}, which this program does not know"
        raise storage.CheckpointError(msg)
    _, _, gamma, horizon = metadata["problem"]
    problem = EnvironmentOptions(
        environment.name,
        gamma if environment.gamma is None else environment.gamma,
        environment.horizon if environment.horizon is not None or horizon is None else str(horizon),
        environment.map_name,
        environment.settings,
    ).read()
    with usage():
        return problem, agent_class.resume(path, problem.mdp)


def _learn(problem: Problem, agent: Agent, length: Length, resume: Path | None) -> reports.Run | None:
    """Run; None if nothing was reached."""
    n_seeds = length.seeds
    if n_seeds is None:
        n_seeds = agent.theta.shape[0] if agent.iteration else SEEDS[Mode(agent.mode)]
    iterations = length.iterations
    if iterations is None and length.timesteps is None:
        iterations = ITERATIONS
    steps_before = 0.0 if agent._state is None else float(agent._state.timesteps.sum())
    before = None if resume is None else reports.earlier(resume, agent, agent.optimum)
    started = time.perf_counter()
    try:
        with usage():
            agent.learn(
                iterations,
                length.timesteps,
                n_seeds=n_seeds,
                progress_bar=True,
                target=length.target,
                keep_best=length.keep_best,
                certificates=length.certificates,
                n_threads=length.threads,
            )
    except KeyboardInterrupt:
        if agent.result is None or agent.result.n_iterations == 0:
            return None
    elapsed = time.perf_counter() - started
    if agent.result is None or agent._state is None:
        return None
    result = reports.joined(before, agent.result)
    reference = None if result.interrupted or agent.mode == "exact" else _reference(problem, agent, result)
    steps = float(agent._state.timesteps.sum()) - steps_before
    return reports.Run(problem, agent, result, reference, elapsed, steps)


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


def _finish(run: reports.Run, algorithm: Algorithm, output: Output, console: Console) -> None:
    if run.result.interrupted:
        console.print(f"interrupted; reached after {run.agent.iteration} iterations:")
    if not output.as_json:
        reports.show(run, console)
    files = {} if output.folder is None else reports.write_files(run, output.folder)
    path = output.picture(run, algorithm)
    if path is not None and not run.result.interrupted:
        try:
            reports.draw(run, path)
            files["picture"] = str(path)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != "matplotlib":
                raise
            console.print('no picture: that needs matplotlib, pip install "npgfast[plot]"', markup=False)
    for name, file in files.items():
        console.print(f"{name}: {file}", highlight=False, markup=False, soft_wrap=True)
    if output.as_json:
        reports.print_json(reports.document(run, history=output.history, files=files))
