"""Trust region policy optimisation."""

from typing import Any, Literal

from npgfast import _validate
from npgfast.algorithms.agent import Agent
from npgfast.algorithms.arguments import Baseline, Mode, given_settings, solver_options
from npgfast.geometry import Estimator, Method
from npgfast.policies import Policy
from npgfast.sampling import StateWeights
from npgfast.schedules import Checked, Schedule

__all__ = ["TRPO"]


class TRPO(Agent):
    """Trust region policy optimisation.

    x = F^+ grad J, beta = sqrt(2 max_kl / x^T F x), then theta' = theta + beta rho^k x for the first k that keeps the
    true KL(old || new) within max_kl and improves the surrogate.

    Parameters
    ----------
    env : TabularMDP, Simulated, Gymnasium id or environment, EnvPool environment, or callable that makes an Env
        Where there is a model (``P``), it is read by `TabularMDP.from_gymnasium`. An id that `npgfast.envs` has is
        simulated natively; every other environment is stepped through its own vectorised interface.
    policy : Policy, optional
        Start; default the uniform tabular softmax with the problem's action mask, or, on observations, a
        `LinearSoftmax` or `LinearGaussian` on the observation itself.
    mode : {"exact", "sampled"}, optional
        Batches from the model, or from rollouts. Default "exact" for a tabular problem; others are sampled.
    seed : int
        In [0, 2**64).
    max_kl : float or callable
        Trust region in nats, > 0; a constant or a schedule. The quadratic model is (1/2) x^T F x <= max_kl.
    tau : float
        Entropy bonus in reward per nat.
    solver, estimator, damping, rtol
        As method, estimator, damping and rtol in `natural_gradient`; damping is relative.
    cg_iters : int, optional
        Budget of conjugate gradients; default enough to converge.
    backtrack_factor : float
        rho, in (0, 1).
    max_backtracks : int
        Largest k.
    gamma : float, optional
        Discount for an environment that is not a TabularMDP; default 0.99.
    n_episodes : int, optional
        mode="sampled": whole episodes per iteration; default 100 on a tabular problem.
    n_steps, n_envs : int, optional
        mode="sampled": instead, steps per environment and iteration, and environments (default 16, on observations 16
        of 128 steps); environments go on where the last iteration left them. Cut episodes bias the estimates.
    gae_lambda : float, optional
        In [0, 1]; default 1 on a tabular problem, 0.97 on observations.
    state_weights : {"discounted", "geometric", "uniform"}, optional
        As in `sample_batch`; default "discounted" on a tabular problem, "uniform" on observations.
    baseline : {"auto", "tabular", "linear", "quadratic"} or None
        Value function, fitted on the batch before the one that it corrects. "tabular": one per state (per step and
        state, with a horizon). On observations, ridge regression on the standardised observation, with all products of
        two if "quadratic", and the first powers of the time within the episode. "auto": "tabular", or "quadratic".
    baseline_data : {"previous", "current"}
        Which batch the baseline is fitted to: the one before, or the very batch that it then corrects. "current" biases
        the estimate and learns faster on environments with observations, where alone it is allowed.
    baseline_time_powers : int
        Powers of the time within the episode among its inputs on observations; 0 for a value that does not depend on
        it.
    baseline_lambda : float
        In [0, 1]: what it is fitted to on observations, from one-step targets (0) to discounted returns (1).
    center_advantages : bool
        On observations, subtract the mean advantage of the batch, a constant baseline: much less variance for a bias of
        the order of one sample in the batch.
    normalize_observations : bool
        Standardise observations by their running mean and deviation, clipped to +-10; fixed within an iteration, and
        part of the policy.
    scale_rewards : bool
        Divide rewards by the running deviation of the discounted reward to date, clipped to +-10; what is reported
        stays unscaled.
    n_evaluation_episodes : int
        Without a model: episodes over which `learn` compares iterates for keep_best and target.
    evaluate_deterministically : bool
        Whether they are played with the most probable action, as they are handed out to be used.
    make_kwargs : dict, optional
        Passed to ``gymnasium.make`` or `npgfast.envs.make`; only with an id.

    References
    ----------
    J. Schulman, S. Levine, P. Moritz, M. Jordan, P. Abbeel, "Trust region policy optimization", ICML 2015,
    arXiv:1502.05477, appendix C.

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.TRPO(nf.problems.frozen_lake(gamma=0.99), max_kl=0.1)
    >>> bool(agent.learn(50).final("gap")[0] < 1e-3)
    True
    """

    def __init__(
        self,
        env: object,
        policy: Policy | None = None,
        *,
        mode: Mode | None = None,
        seed: int = 0,
        max_kl: Schedule = 0.01,
        tau: float = 0.0,
        solver: Method = "auto",
        estimator: Estimator = "analytic",
        damping: float = 0.0,
        cg_iters: int | None = None,
        rtol: float = 1e-10,
        backtrack_factor: float = 0.8,
        max_backtracks: int = 20,
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
        return {
            **solver_options(given),
            "backtrack_factor": _validate.real(
                "backtrack_factor", given["backtrack_factor"], low=0.0, low_open=True, high=1.0, high_open=True
            ),
            "max_backtracks": _validate.integer("max_backtracks", given["max_backtracks"], low=0, high=10_000),
        }

    def _native_schedules(self) -> list[Checked]:
        return [Checked("max_kl", self._settings["max_kl"])]
