"""Trust region policy optimisation."""

from typing import Any

from npgfast import _validate
from npgfast.algorithms.agent import Agent, Mode
from npgfast.algorithms.arguments import given_settings, solver_options
from npgfast.geometry import Estimator, Method
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.sampling import StateWeights
from npgfast.schedules import Checked, Schedule

__all__ = ["TRPO"]


class TRPO(Agent):
    """Trust region policy optimisation.

    x = F^+ grad J, beta = sqrt(2 max_kl / x^T F x), then theta' = theta + beta rho^k x for the first k that keeps the
    true KL(old || new) within max_kl and improves the surrogate.

    Parameters
    ----------
    env : TabularMDP, Gymnasium environment or id
        What is not a TabularMDP is read by `TabularMDP.from_gymnasium`.
    policy : SoftmaxPolicy, optional
        Start; default the uniform tabular softmax with the problem's action mask.
    mode : {"exact", "sampled"}
        Batches from the model, or from rollouts.
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
        mode="sampled": whole episodes per iteration; default 100.
    n_steps, n_envs : int, optional
        mode="sampled": instead, steps per environment and iteration, and environments (default 16); environments go
        on where the last iteration left them. Cut episodes bias the estimates.
    gae_lambda : float
        In [0, 1].
    state_weights : {"discounted", "geometric", "uniform"}
        As in `sample_batch`.
    baseline : {"tabular", None}
        A value per state (per step and state, with a horizon), fitted on the batch before the one that it corrects.

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
        env: TabularMDP | object,
        policy: SoftmaxPolicy | None = None,
        *,
        mode: Mode = "exact",
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
        gae_lambda: float = 1.0,
        state_weights: StateWeights = "discounted",
        baseline: str | None = "tabular",
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
