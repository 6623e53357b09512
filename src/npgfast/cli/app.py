"""The commands and their options."""

import importlib.metadata
import math
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
import typer
from rich.console import Console

from npgfast import build_info, load_policy
from npgfast.cli import evaluations, reports, runs
from npgfast.cli.environments import EnvironmentOptions
from npgfast.cli.failures import FAILED, WrongUsage, reported, usage
from npgfast.cli.features import FORMS
from npgfast.cli.settings import DEFAULTS, KERNELS, Algorithm, Mode
from npgfast.exact import solve as solve_exactly
from npgfast.plotting import plot_policy
from npgfast.threads import thread_count

__all__ = ["app"]

app = typer.Typer(
    help="Natural policy gradients, TRPO and PPO, from samples or, on tabular Markov decision processes, exactly.",
    epilog="Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Environment = Annotated[
    str,
    typer.Argument(
        metavar="ENV", help="Id (FrozenLake-v1, CartPole-v1, Hopper-v5, ...) or file of a saved TabularMDP."
    ),
]
Gamma = Annotated[
    float | None, typer.Option(help="Discount in [0, 1].  [default: 0.99, or that of the file or the zoo]")
]
Horizon = Annotated[
    str | None, typer.Option(metavar="STEPS|time_limit", help="Tabular: steps of the objective.  [default: no limit]")
]
MapName = Annotated[str | None, typer.Option(help="FrozenLake's map: 4x4 or 8x8.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Passed to gymnasium.make.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output, and nothing else.")]


@app.command(epilog=DEFAULTS)
def train(
    env: Environment,
    algo: Annotated[Algorithm | None, typer.Option(help="Algorithm.  [default: trpo, or what the zoo has]")] = None,
    mode: Annotated[Mode | None, typer.Option(help="From samples, or from the model.  [default: sampled]")] = None,
    gamma: Gamma = None,
    horizon: Horizon = None,
    map_name: MapName = None,
    set_: Set = None,
    iterations: Annotated[int | None, typer.Option(help="Updates (with --resume: more of them).")] = None,
    timesteps: Annotated[int | None, typer.Option(help="End each seed once it has taken so many steps.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Independent runs, with seeds SEED, SEED + 1, ...")] = None,
    seed: Annotated[int | None, typer.Option(help="First seed.  [default: 0]")] = None,
    max_kl: Annotated[float | None, typer.Option(help="trpo, npg: trust region in nats.")] = None,
    step_size: Annotated[float | None, typer.Option(help="pg, npg, spi: eta.")] = None,
    radius: Annotated[float | None, typer.Option(help="pg: length of every step.")] = None,
    mixture: Annotated[float | None, typer.Option(help="cpi: share of the greedy policy.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="ppo: Adam's.")] = None,
    clip_range: Annotated[float | None, typer.Option(help="ppo.")] = None,
    epochs: Annotated[int | None, typer.Option(help="ppo: passes over a batch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="ppo, from samples: samples of a minibatch.")] = None,
    entropy_coefficient: Annotated[float | None, typer.Option(help="ppo: weight of the entropy bonus.")] = None,
    target_kl: Annotated[float | None, typer.Option(help="ppo: end an iteration's epochs beyond it.")] = None,
    tau: Annotated[float | None, typer.Option(help="pg, npg, spi, trpo, ppo: entropy bonus in reward per nat.")] = None,
    damping: Annotated[float | None, typer.Option(help="trpo, npg: of the Fisher matrix, relative.")] = None,
    cg_iters: Annotated[int | None, typer.Option(help="trpo, npg: budget of conjugate gradients.")] = None,
    solver: Annotated[str | None, typer.Option(help="trpo, npg: auto, pinv, cg, cholesky or regression.")] = None,
    episodes: Annotated[int | None, typer.Option(help="From samples: whole episodes per iteration.")] = None,
    steps: Annotated[int | None, typer.Option(help="From samples, instead: steps per environment.")] = None,
    envs: Annotated[int | None, typer.Option(help="With --steps: environments.")] = None,
    gae_lambda: Annotated[float | None, typer.Option(help="From samples: in [0, 1].")] = None,
    state_weights: Annotated[
        str | None,
        typer.Option(
            help="From samples: discounted, geometric or uniform.  [default: discounted; uniform on observations]"
        ),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="From samples: auto, none, tabular, or on observations linear or quadratic.")
    ] = None,
    baseline_data: Annotated[
        str | None, typer.Option(help="On observations: fit the baseline to the previous or to the current batch.")
    ] = None,
    normalize_observations: Annotated[
        bool | None,
        typer.Option("--normalize-observations/--no-normalize-observations", help="By running mean and deviation."),
    ] = None,
    scale_rewards: Annotated[
        bool | None,
        typer.Option("--scale-rewards/--no-scale-rewards", help="By the running deviation of the discounted return."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="FEATURES",
            help=f"Policy on features of observations, which are then normalised: {FORMS}.  [default: linear]",
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(help="End each seed once its objective, on observations its mean return, reaches this."),
    ] = None,
    restart_after: Annotated[
        int | None, typer.Option(help="On observations: begin a seed again that misses the target for so many updates.")
    ] = None,
    keep_best: Annotated[
        bool | None, typer.Option("--keep-best/--keep-last", help="Which iterate to save.  [default: the last]")
    ] = None,
    certificates: Annotated[
        bool, typer.Option("--certificates", help="Record and draw a theorem's bound on the gap, where one applies.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="[default: the processors that this process may use]")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write result, policy, checkpoint, history and picture there.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Picture.  [default: npgfast-ENV-ALGO.png]")] = None,
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw none.")] = False,
    as_json: Json = False,
    json_history: Annotated[bool, typer.Option("--json-history", help="Put the history into it as well.")] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="Go on from a checkpoint that --out has written.")
    ] = None,
) -> None:
    """Train a policy and compare it with the optimum, or play it where none is known."""
    given = {
        "max_kl": max_kl,
        "step_size": step_size,
        "radius": radius,
        "mixture": mixture,
        "learning_rate": learning_rate,
        "clip_range": clip_range,
        "n_epochs": epochs,
        "batch_size": batch_size,
        "entropy_coefficient": entropy_coefficient,
        "target_kl": target_kl,
        "tau": tau,
        "damping": damping,
        "cg_iters": cg_iters,
        "solver": solver,
        "n_episodes": episodes,
        "n_steps": steps,
        "n_envs": envs,
        "gae_lambda": gae_lambda,
        "state_weights": state_weights,
        "baseline": baseline,
        "baseline_data": baseline_data,
        "normalize_observations": normalize_observations,
        "scale_rewards": scale_rewards,
        "features": features,
    }
    with reported():
        completed = runs.train(
            EnvironmentOptions(env, gamma, horizon, map_name, set_ or []),
            algo,
            mode,
            seed,
            given,
            runs.Length(iterations, timesteps, seeds, target, restart_after, keep_best, certificates, threads),
            runs.Output(out, plot, no_plot, as_json, json_history),
            resume,
        )
        if not completed:
            raise KeyboardInterrupt


@app.command()
def solve(
    env: Environment,
    gamma: Gamma = None,
    horizon: Horizon = None,
    map_name: MapName = None,
    set_: Set = None,
    method: Annotated[
        str, typer.Option(help="auto, policy_iteration, modified_policy_iteration or value_iteration.")
    ] = "auto",
    tol: Annotated[float, typer.Option(help="Width of the certificate, relative to max(1, |J*|).")] = 1e-10,
    tau: Annotated[float, typer.Option(help="Entropy bonus in reward per nat.")] = 0.0,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture of the optimal policy (FrozenLake, CliffWalking).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the optimum, with certified bounds; fails if it has not converged."""
    with reported():
        problem = EnvironmentOptions(env, gamma, horizon, map_name, set_ or []).read_problem()
        drawable = problem.grid is not None and problem.mdp.horizon is None and tau == 0.0
        if plot is not None:
            runs.check_picture(plot)
            if not drawable:
                msg = f"--plot: {problem.name} has no grid with one action per cell to draw"
                raise WrongUsage(msg)
        with usage():
            chosen = cast("Literal['auto', 'policy_iteration', 'modified_policy_iteration', 'value_iteration']", method)
            solution = solve_exactly(problem.mdp, method=chosen, tol=tol, tau=tau)
        if plot is not None and problem.grid is not None:
            grid = problem.grid
            fig, _ = plot_policy(
                problem.mdp,
                np.eye(problem.mdp.n_actions)[solution.actions],
                shape=grid.shape,
                moves=grid.moves,
                cells=grid.cells,
                title=f"{problem.name}: an optimal policy",
            )
            fig.savefig(plot, dpi=150)
        if as_json:
            scalars = reports.solution_document(solution)
            reports.print_json(
                {"environment": problem.name, **scalars, "values": solution.values, "actions": solution.actions}
            )
        else:
            console = Console()
            above = f"{solution.upper:.15g}" if math.isfinite(solution.upper) else "none"
            rows = {
                "optimum J*": f"{solution.objective:.12g}",
                "certified lower bound": f"{solution.lower:.15g}",
                "certified upper bound": above,
                "iterations": str(solution.iterations),
                "converged": "yes" if solution.converged else "no",
            }
            reports.print_table(console, problem.summary, rows)
            if plot is not None:
                console.print(f"picture: {plot}", highlight=False, markup=False, soft_wrap=True)
        if not solution.converged:
            raise typer.Exit(FAILED)


@app.command()
def evaluate(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="File of a saved policy.")],
    env: Environment,
    gamma: Gamma = None,
    horizon: Horizon = None,
    map_name: MapName = None,
    set_: Set = None,
    tau: Annotated[float, typer.Option(help="Entropy bonus in reward per nat.")] = 0.0,
    episodes: Annotated[int | None, typer.Option(help="On observations: episodes to play.  [default: 100]")] = None,
    seed: Annotated[int | None, typer.Option(help="On observations: of the episodes.  [default: 0]")] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            "--deterministic/--stochastic",
            help="Take its most probable actions, or draw them.  [default: draw them; on observations the former]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a policy: exactly, compared with the optimum, or on observations by playing episodes."""
    with reported():
        environment = EnvironmentOptions(env, gamma, horizon, map_name, set_ or [])
        report = evaluations.evaluate(load_policy(policy), environment, tau, episodes, seed, deterministic)
        if as_json:
            reports.print_json({"policy": str(policy), **report.document})
        else:
            reports.print_table(Console(), report.title, report.rows)


@app.command(epilog=f"Kernels: {', '.join(KERNELS)}.")
def bench(
    kernels: Annotated[list[str] | None, typer.Argument(metavar="KERNEL", help="What to time.  [default: all]")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only the smallest size of each.")] = False,
    repeats: Annotated[int, typer.Option(help="Repeats of each side.")] = 7,
    threads: Annotated[
        int | None, typer.Option(help="Of npgfast.  [default: the processors that this process may use]")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Picture of time against size.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the JSON document there as well.")] = None,
    as_json: Json = False,
) -> None:
    """Time npgfast against pure Python and NumPy on this machine, within a minute; fails if their answers differ."""
    with reported():
        from npgfast.cli import benchmarks

        benchmarks.bench(kernels or [], repeats, threads, benchmarks.Output(out, plot, as_json), quick=quick)


@app.command()
def zoo() -> None:
    """List the environments for which settings are known that solve them."""
    with reported():
        from npgfast import zoo as known

        typer.echo(known.table())


@app.command()
def info(as_json: Json = False) -> None:
    """Show versions, instruction set and threads, for bug reports."""
    with reported():
        facts = dict(build_info())
        facts["threads"] = thread_count(None)
        for package in ("gymnasium", "safetensors", "typer", "rich", "matplotlib", "scipy", "pandas"):
            try:
                facts[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                facts[package] = None
        if as_json:
            reports.print_json(facts)
            return
        shown = {
            name: ", ".join(value) if isinstance(value, tuple) else "not installed" if value is None else str(value)
            for name, value in facts.items()
        }
        reports.print_table(Console(), "npgfast", shown)
