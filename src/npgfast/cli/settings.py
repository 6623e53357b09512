"""Which algorithm a run uses, and with which settings where none are given."""

import inspect
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from npgfast import schedules
from npgfast.algorithms import (
    PPO,
    TRPO,
    Agent,
    ConservativePolicyIteration,
    NaturalPolicyGradient,
    PolicyGradient,
    SoftPolicyIteration,
)
from npgfast.cli.failures import WrongUsage

__all__ = ["CLASSES", "DEFAULTS", "KERNELS", "Algorithm", "Mode", "chosen", "complete"]


class Algorithm(StrEnum):
    """Values of ``--algo``."""

    PG = "pg"
    NPG = "npg"
    SPI = "spi"
    CPI = "cpi"
    TRPO = "trpo"
    PPO = "ppo"


class Mode(StrEnum):
    """Values of ``--mode``."""

    EXACT = "exact"
    SAMPLED = "sampled"


CLASSES: Mapping[Algorithm, type[Agent]] = {
    Algorithm.PG: PolicyGradient,
    Algorithm.NPG: NaturalPolicyGradient,
    Algorithm.SPI: SoftPolicyIteration,
    Algorithm.CPI: ConservativePolicyIteration,
    Algorithm.TRPO: TRPO,
    Algorithm.PPO: PPO,
}

# Names of what `npgfast bench` times, here so that no other command imports the baselines.
KERNELS = (
    "rollout", "cartpole", "gae", "fisher", "fisher-log-linear", "natural-gradient", "surrogate", "ppo", "evaluate",
    "solve", "npg", "trpo",
)  # fmt: skip

SMALL = 32
ITERATIONS = 100
SEEDS = {Mode.EXACT: 1, Mode.SAMPLED: 32}
OBSERVED_SEEDS = {"native": 16, "bridged": 1}

DEFAULTS = (
    f"Defaults of tabular problems: {ITERATIONS} iterations; {SEEDS[Mode.SAMPLED]} seeds from samples, 1 exactly. "
    f"From samples, up to {SMALL} states: 1000 whole episodes per iteration and max-kl 0.01; more states: 2000 and "
    "0.005; gae-lambda 0.95; damping 0.1 (relative) for trpo and npg. npg, which has no line search, lets max-kl fall "
    "by 5 % per iteration; spi: step-size 0.3; pg: radius 0.3; cpi: mixture 0.05; ppo: 200 episodes. "
    "In exact mode: max-kl 0.01 for trpo and npg; spi: step-size 1; pg: radius 1; cpi: mixture 0.5. "
    "Environments with observations: what `npgfast zoo` lists; others those of the library's classes, with normalised "
    f"observations where Gymnasium steps them. {OBSERVED_SEEDS['native']} seeds where npgfast simulates the "
    f"environment itself, else {OBSERVED_SEEDS['bridged']}."
)


def complete(algorithm: Algorithm, mode: Mode, n_states: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the agent: those given, and the defaults for the others.

    Parameters
    ----------
    algorithm, mode
    n_states : int
    given : mapping
        Arguments of the agent's class by name; None stands for not given.

    Raises
    ------
    WrongUsage
        If the algorithm has no such setting.
    """
    own = chosen(CLASSES[algorithm], given)
    settings = {**_defaults(algorithm, mode, n_states, own), **own}
    accepted = inspect.signature(CLASSES[algorithm]).parameters
    return {name: value for name, value in settings.items() if name in accepted}


def chosen(agent_class: type[Agent], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that were given, each one checked to be one of the algorithm's."""
    own = {name: value for name, value in given.items() if value is not None}
    for name in own:
        if name not in inspect.signature(agent_class).parameters:
            algorithm = next(name for name, kind in CLASSES.items() if kind is agent_class)
            msg = f"--{option(name)}: {algorithm} has no such setting"
            raise WrongUsage(msg)
    if own.get("baseline") == "none":
        own["baseline"] = None
    return own


def option(name: str) -> str:
    """Spelling of a setting on the command line."""
    return name.removeprefix("n_").replace("_", "-")


def _defaults(algorithm: Algorithm, mode: Mode, n_states: int, own: Mapping[str, Any]) -> dict[str, Any]:
    small = n_states <= SMALL
    sampled = mode is Mode.SAMPLED
    defaults: dict[str, Any] = {}
    if sampled:
        defaults["gae_lambda"] = 0.95
        if "n_steps" not in own:
            defaults["n_episodes"] = 200 if algorithm is Algorithm.PPO else 1000 if small else 2000
    if algorithm in (Algorithm.TRPO, Algorithm.NPG):
        max_kl = 0.01 if small or not sampled else 0.005
        decays = algorithm is Algorithm.NPG and sampled
        defaults["max_kl"] = schedules.Geometric(max_kl, 0.95) if decays else max_kl
        defaults["damping"] = 0.1 if sampled else 0.0
    elif algorithm is Algorithm.SPI:
        defaults["step_size"] = 0.3 if sampled else 1.0
    elif algorithm is Algorithm.PG and "step_size" not in own:
        defaults["radius"] = 0.3 if sampled else 1.0
    elif algorithm is Algorithm.CPI:
        defaults["mixture"] = 0.05 if sampled else 0.5
    return defaults
