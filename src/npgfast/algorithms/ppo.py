"""Proximal policy optimisation."""

from typing import Any, Literal

from npgfast import _validate
from npgfast.algorithms.agent import Agent
from npgfast.algorithms.arguments import Baseline, Mode, given_settings
from npgfast.policies import Policy
from npgfast.sampling import StateWeights
from npgfast.schedules import Checked, Schedule
from npgfast.tasks import TabularTask

__all__ = ["PPO"]


class PPO(Agent):
    """Proximal policy optimisation: epochs of Adam on the clipped surrogate, without L, plus an entropy bonus.

    Parameters
    ----------
    env, policy, mode, seed, gamma, and all from n_steps on
        As in `TRPO`.
    learning_rate : float or callable
        Of Adam, > 0; a constant or a schedule. Larger than in deep RL: the parameters are logits.
    clip_range : float or callable
        In (0, 1); a constant or a schedule.
    n_epochs : int
        Passes over a batch.
    batch_size : int, optional
        Samples of a minibatch, each used once per epoch; default the whole batch. mode="sampled" only.
    entropy_coefficient : float or callable
        Weight of the mean entropy (nats), >= 0; a constant or a schedule. It shapes the updates, not the objective.
    max_gradient_norm : float, optional
        Clip the gradient's Euclidean norm; None: never.
    target_kl : float, optional
        End an iteration's epochs once its estimated KL passes 1.5 times this.
    normalize_advantages : bool or "minibatch"
        Centre the advantages and divide by their weighted standard deviation: over the batch, or over each minibatch
        (a minibatch of one is left alone).
    adam_betas : (float, float)
    adam_epsilon : float
    tau : float
        Entropy bonus in reward per nat, part of the objective and of the advantages.

    Notes
    -----
    The value function is a least-squares fit (see `baseline` in `TRPO`), so that there is no value loss, no clipping of
    it and no coefficient to weigh it by. The other details that matter in deep PPO are arguments here:
    ``normalize_observations`` and ``scale_rewards`` (both clipped to +-10), ``normalize_advantages="minibatch"``,
    schedules for ``learning_rate`` and ``clip_range``, ``adam_epsilon``, ``max_gradient_norm`` (of the whole gradient),
    and ``target_kl`` (1.5 times it ends the epochs, tested before the step that would follow).

    References
    ----------
    J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov, "Proximal policy optimization algorithms", 2017,
    arXiv:1707.06347, eq. (7) and (9); D. P. Kingma, J. Ba, ICLR 2015 (Adam).

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.PPO(nf.problems.frozen_lake(gamma=0.99))
    >>> bool(agent.learn(200).final("gap")[0] < 1e-2)
    True
    """

    def __init__(
        self,
        env: object,
        policy: Policy | None = None,
        *,
        mode: Mode | None = None,
        seed: int = 0,
        learning_rate: Schedule = 0.05,
        clip_range: Schedule = 0.2,
        n_epochs: int = 10,
        batch_size: int | None = None,
        entropy_coefficient: Schedule = 0.0,
        max_gradient_norm: float | None = None,
        target_kl: float | None = None,
        normalize_advantages: bool | Literal["minibatch"] = True,
        adam_betas: tuple[float, float] = (0.9, 0.999),
        adam_epsilon: float = 1e-12,
        tau: float = 0.0,
        gamma: float | None = None,
        n_steps: int | None = None,
        n_episodes: int | None = None,
        n_envs: int | None = None,
        gae_lambda: float | None = None,
        state_weights: StateWeights | None = None,
        baseline: Baseline | None = "auto",
        baseline_data: Literal["previous", "current"] = "previous",
        baseline_time_powers: int = 3,
        baseline_lambda: float = 1.0,
        center_advantages: bool = True,
        normalize_observations: bool = False,
        scale_rewards: bool = False,
        n_evaluation_episodes: int = 32,
        evaluate_deterministically: bool = True,
        make_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(env, policy, given_settings(locals()))

    def _native_options(self) -> dict[str, Any]:
        given = self._settings
        batch_size = given["batch_size"]
        if batch_size is not None and isinstance(self._task, TabularTask) and given["mode"] != "sampled":
            msg = f"batch_size={batch_size}: exact PPO uses the whole batch; only mode='sampled' has minibatches"
            raise ValueError(msg)
        betas = given["adam_betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            msg = f"adam_betas: expected two numbers, got {betas!r}"
            raise TypeError(msg)

        normalize = given["normalize_advantages"]
        if not isinstance(normalize, bool) and not (isinstance(normalize, str) and normalize == "minibatch"):
            msg = f"normalize_advantages: expected a bool or 'minibatch', got {normalize!r}"
            raise TypeError(msg)

        def positive_or_none(name: str) -> float:
            value = given[name]
            return 0.0 if value is None else _validate.real(name, value, low=0.0, low_open=True)

        return {
            "n_epochs": _validate.integer("n_epochs", given["n_epochs"], low=1),
            "minibatch_size": 0 if batch_size is None else _validate.integer("batch_size", batch_size, low=1),
            "normalize_advantages": 2 if normalize == "minibatch" else int(normalize),
            "max_gradient_norm": positive_or_none("max_gradient_norm"),
            "target_kl": positive_or_none("target_kl"),
            "adam_beta1": _validate.real("adam_betas[0]", betas[0], low=0.0, high=1.0, high_open=True),
            "adam_beta2": _validate.real("adam_betas[1]", betas[1], low=0.0, high=1.0, high_open=True),
            "adam_epsilon": _validate.real("adam_epsilon", given["adam_epsilon"], low=0.0, low_open=True),
        }

    def _native_schedules(self) -> list[Checked]:
        given = self._settings
        return [
            Checked("clip_range", given["clip_range"], high=1.0),
            Checked("learning_rate", given["learning_rate"]),
            Checked("entropy_coefficient", given["entropy_coefficient"], low_open=False),
        ]
