"""Plain and natural policy gradients."""

from typing import Any, Literal

from npgfast.algorithms.agent import Agent
from npgfast.algorithms.arguments import Baseline, Mode, given_settings, solver_options
from npgfast.geometry import Estimator, Method
from npgfast.policies import Policy
from npgfast.sampling import StateWeights
from npgfast.schedules import Checked, Schedule

__all__ = ["NaturalPolicyGradient", "PolicyGradient"]


class PolicyGradient(Agent):
    """Plain policy gradient, in both views of it.

    With `step_size`: theta' = theta + eta grad J, the maximiser of <g, x> - ||x||^2 / (2 eta). With `radius`:
    theta' = theta + radius grad J / ||grad J||, the maximiser of <g, x> in an L2 ball.

    Parameters
    ----------
    env, policy, mode, seed, tau, gamma, and all from n_steps on
        As in `TRPO`.
    step_size : float or callable
        eta > 0, a constant or a schedule. Ignored if `radius` is given.
    radius : float or callable, optional
        Length of every step, > 0.

    References
    ----------
    R. J. Williams, Machine Learning 8, 1992; R. S. Sutton et al., NIPS 1999.

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.PolicyGradient(nf.problems.two_state(gamma=0.9), step_size=0.1)
    >>> bool(agent.learn(10).final("gap")[0] < agent.result.initial["gap"][0])
    True
    """

    def __init__(
        self,
        env: object,
        policy: Policy | None = None,
        *,
        mode: Mode | None = None,
        seed: int = 0,
        step_size: Schedule = 1.0,
        radius: Schedule | None = None,
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
        return {}

    def _native_schedules(self) -> list[Checked]:
        given = self._settings
        name = "step_size" if given["radius"] is None else "radius"
        return [Checked(name, given[name])]


class NaturalPolicyGradient(Agent):
    """Natural policy gradient theta' = theta + eta F^+ grad J.

    Parameters
    ----------
    env, policy, mode, seed, gamma, and all from n_steps on
        As in `TRPO`.
    step_size : float or callable, optional
        eta > 0, a constant or a schedule such as `npgfast.schedules.Geometric`; it multiplies the direction, which
        includes L, so that tabular policies become pi exp(eta L A).
    max_kl : float or callable
        In nats, > 0. Without `step_size`, eta = sqrt(2 max_kl / x^T F x): the KL-normalised step.
    tau : float
        Entropy bonus in reward per nat. eta tau L is held to at most 1, as step_size in the history shows.
    solver, estimator, damping, cg_iters, rtol
        As in `TRPO`.

    References
    ----------
    S. M. Kakade, "A natural policy gradient", NIPS 2001; S. Cen et al., Oper. Res. 70, 2022 (tau); L. Xiao, JMLR
    23(282), 2022 (growing steps).

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.NaturalPolicyGradient(nf.problems.frozen_lake(gamma=0.99), step_size=1.0)
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
        step_size: Schedule | None = None,
        max_kl: Schedule = 0.01,
        tau: float = 0.0,
        solver: Method = "auto",
        estimator: Estimator = "analytic",
        damping: float = 0.0,
        cg_iters: int | None = None,
        rtol: float = 1e-10,
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
        return solver_options(self._settings)

    def _native_schedules(self) -> list[Checked]:
        given = self._settings
        name = "max_kl" if given["step_size"] is None else "step_size"
        return [Checked(name, given[name])]

    @property
    def _steps_along_advantages(self) -> bool:
        given = self._settings
        return given["damping"] == 0.0 and given["solver"] in ("auto", "closed_form")
