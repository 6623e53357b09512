"""Settings that are known to work, one entry for each environment and algorithm: `make` an agent, and let it `learn()`.

>>> from npgfast import zoo
>>> agent = zoo.make("CartPole-v1", seed=1)
>>> float(agent.learn(n_seeds=4).final("evaluation").min())
500.0
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from npgfast import features
from npgfast.algorithms import PPO, TRPO, Agent, NaturalPolicyGradient
from npgfast.envs import MountainCar
from npgfast.policies import LinearGaussian, LinearSoftmax, Policy

__all__ = ["ZOO", "Entry", "length", "make", "names", "table"]

_ALGORITHMS: Final[dict[str, type[Agent]]] = {"trpo": TRPO, "npg": NaturalPolicyGradient, "ppo": PPO}


@dataclass(frozen=True, eq=False)
class Entry:
    """How an environment is learned.

    Attributes
    ----------
    policy : Policy
        To start from.
    settings : mapping
        Arguments of the agent besides environment, policy and seed.
    length : mapping
        Arguments of its `learn`.
    env : object, optional
        What is trained on, where that is not the environment of the id.
    """

    policy: Policy
    settings: Mapping[str, Any]
    length: Mapping[str, Any]
    env: Any = None
    algorithms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_PENDULUM = features.Fourier(3, order=3, low=(-1.0, -1.0, -8.0), high=(1.0, 1.0, 8.0))
_MOUNTAIN = features.Fourier(2, order=3, low=(-1.2, -0.07), high=(0.6, 0.07))
_MUJOCO: Final = {
    "normalize_observations": True,
    "baseline_time_powers": 0,
    "gamma": 0.995,
    "gae_lambda": 0.97,
    "damping": 0.1,
}

# The first algorithm of an entry is its default; what it says goes before the settings that all share.
ZOO: Final[dict[str, Entry]] = {
    "CartPole-v1": Entry(
        LinearSoftmax(4, n_actions=2),
        {
            "gamma": 0.97,
            "gae_lambda": 0.97,
            "n_envs": 4,
            "n_steps": 128,
            "baseline_data": "current",
            "center_advantages": False,
        },
        {"n_iterations": 5000, "target": 500.0, "restart_after": 6, "keep_best": True},
        algorithms={
            "trpo": {"max_kl": 0.05, "damping": 0.01, "baseline_lambda": 0.97},
            "npg": {"max_kl": 0.05, "damping": 0.01, "baseline_lambda": 0.97},
            "ppo": {"learning_rate": 0.05, "batch_size": 128, "n_epochs": 4},
        },
    ),
    "Acrobot-v1": Entry(
        LinearSoftmax(6, n_actions=3),
        {
            "gamma": 0.995,
            "gae_lambda": 0.95,
            "n_envs": 16,
            "n_steps": 128,
            "baseline_data": "current",
            "center_advantages": False,
        },
        {"total_timesteps": 300_000, "keep_best": True},
        algorithms={
            "trpo": {"max_kl": 0.05, "damping": 0.1, "baseline_lambda": 0.95},
            "npg": {"max_kl": 0.05, "damping": 0.1, "baseline_lambda": 0.95},
            "ppo": {"learning_rate": 0.02, "batch_size": 256, "n_epochs": 4},
        },
    ),
    "MountainCar-v0": Entry(
        LinearSoftmax(_MOUNTAIN, n_actions=3),
        {
            "gamma": 0.995,
            "gae_lambda": 0.99,
            "n_envs": 16,
            "n_steps": 1000,
            "baseline_data": "current",
            "center_advantages": False,
        },
        {"total_timesteps": 1_600_000, "keep_best": True},
        env=MountainCar(time_limit=2000),
        algorithms={
            "trpo": {"max_kl": 0.01, "damping": 0.01, "baseline_lambda": 0.99},
            "npg": {"max_kl": 0.01, "damping": 0.01, "baseline_lambda": 0.99},
        },
    ),
    "MountainCarContinuous-v0": Entry(
        LinearGaussian(_MOUNTAIN, 1, initial_log_std=0.5, log_std_bounds=(-3.0, 2.0)),
        {
            "gamma": 0.995,
            "gae_lambda": 0.99,
            "n_envs": 16,
            "n_steps": 500,
            "baseline_data": "current",
            "center_advantages": False,
        },
        {"total_timesteps": 400_000, "keep_best": True},
        algorithms={
            "trpo": {"max_kl": 0.01, "damping": 0.1, "baseline_lambda": 0.99},
            "npg": {"max_kl": 0.01, "damping": 0.1, "baseline_lambda": 0.99},
        },
    ),
    "Pendulum-v1": Entry(
        LinearGaussian(_PENDULUM, 1, initial_log_std=0.5, log_std_bounds=(-3.0, 2.0)),
        {
            "gamma": 0.95,
            "gae_lambda": 0.97,
            "n_envs": 16,
            "n_steps": 200,
            "baseline_data": "current",
            "center_advantages": False,
        },
        {"total_timesteps": 400_000, "keep_best": True},
        algorithms={
            "trpo": {"max_kl": 0.01, "damping": 0.001, "baseline_lambda": 0.97},
            "npg": {"max_kl": 0.01, "damping": 0.001, "baseline_lambda": 0.97},
        },
    ),
    "Swimmer-v5": Entry(
        LinearGaussian(8, 2, log_std_bounds=(-2.0, 2.0)),
        {**_MUJOCO, "n_envs": 10, "n_steps": 1000, "n_evaluation_episodes": 10},
        {"total_timesteps": 400_000, "keep_best": True},
        algorithms={"trpo": {"max_kl": 0.05}, "npg": {"max_kl": 0.05}},
    ),
    "Hopper-v5": Entry(
        LinearGaussian(features.RandomFourier(11, 250, bandwidth=4.35), 3, log_std_bounds=(-2.0, 2.0)),
        {**_MUJOCO, "n_envs": 32, "n_steps": 625, "n_evaluation_episodes": 10},
        {"total_timesteps": 3_000_000, "keep_best": True},
        algorithms={"trpo": {"max_kl": 0.03}, "npg": {"max_kl": 0.03}},
    ),
}


def names() -> tuple[str, ...]:
    """Ids of the environments that the zoo has."""
    return tuple(ZOO)


def _entry(env_id: str, algo: str | None) -> tuple[Entry, str]:
    name = str(env_id).removeprefix("npgfast/")
    if name not in ZOO:
        msg = f"env_id={env_id!r}: the zoo has {', '.join(ZOO)}"
        raise ValueError(msg)
    entry = ZOO[name]
    chosen = next(iter(entry.algorithms)) if algo is None else algo
    if chosen not in entry.algorithms:
        msg = f"algo={algo!r}: for {name} the zoo has {', '.join(entry.algorithms)}"
        raise ValueError(msg)
    return entry, chosen


def make(env_id: str, algo: str | None = None, seed: int = 0, *, env: Any = None, **overrides: Any) -> Agent:
    """Make an agent with settings that are known to work.

    Parameters
    ----------
    env_id : str
        One of `names`.
    algo : {"trpo", "npg", "ppo"}, optional
        Default the entry's first, as `table` shows it.
    seed : int
    env : object, optional
        To train on instead of what the agent makes of the id: an EnvPool environment of the same task, say.
    **overrides
        Arguments of the agent's class, policy among them, in place of the zoo's.

    Returns
    -------
    Agent
        Its ``learn()`` needs no length, and takes target, restart_after and keep_best from the zoo as well.

    Raises
    ------
    ValueError
        For an environment or algorithm that the zoo does not have.

    Examples
    --------
    >>> from npgfast import zoo
    >>> zoo.make("Pendulum-v1", "npg", damping=0.01)
    NaturalPolicyGradient(Pendulum(time_limit=200, g=10.0), mode='sampled', seed=0, iteration=0)
    """
    entry, chosen = _entry(env_id, algo)
    settings = {**entry.settings, **entry.algorithms[chosen], "policy": entry.policy, **overrides}
    if env is not None and hasattr(env, "num_envs") and "n_envs" not in overrides:
        settings["n_envs"] = None
    known: Any = _ALGORITHMS[chosen]
    agent: Agent = known(env or entry.env or env_id, seed=seed, **settings)
    agent._length = dict(entry.length)
    return agent


def length(env_id: str, algo: str | None = None) -> dict[str, Any]:
    """Arguments that the agent's ``learn`` takes from the zoo."""
    return dict(_entry(env_id, algo)[0].length)


def table() -> str:
    """All entries as text: environment, algorithms, policy, settings and length."""
    lines = []
    for name, entry in ZOO.items():
        policy = entry.policy
        lines.append(f"{name}: {policy!r}" + ("" if entry.env is None else f", trained on {entry.env!r}"))
        lines.append("    " + _words(entry.settings))
        lines += [f"    {algo}: {_words(settings)}" for algo, settings in entry.algorithms.items()]
        lines.append(f"    learn: {_words(entry.length)}")
    return "\n".join(lines)


def _words(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())
