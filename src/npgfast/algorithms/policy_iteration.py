"""Soft and conservative policy iteration: updates of every state of a tabular policy."""

from typing import Any

from npgfast import _validate
from npgfast.algorithms.agent import Agent
from npgfast.algorithms.arguments import Mode, given_settings
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.sampling import StateWeights
from npgfast.schedules import Checked, Schedule

__all__ = ["ConservativePolicyIteration", "SoftPolicyIteration"]


class SoftPolicyIteration(Agent):
    """Soft policy iteration, Hedge at every state: pi' ~ pi exp(eta L A). Tabular policies.

    Unlike the natural gradient it moves states that cannot be reached as well (in exact mode; samples say nothing of
    states that they do not visit).

    Parameters
    ----------
    env, policy, mode, seed, gamma, and all from n_steps on
        As in `TRPO`.
    step_size : float or callable
        eta > 0, a constant or a schedule.
    tau : float
        Entropy bonus in reward per nat. eta tau L is held to at most 1.

    References
    ----------
    E. Even-Dar, S. M. Kakade, Y. Mansour, "Online Markov decision processes", Math. Oper. Res. 34, 2009.

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.SoftPolicyIteration(nf.problems.two_state(gamma=0.9), step_size=0.1)
    >>> bool(agent.learn(20).final("gap")[0] < 1e-3)
    True
    """

    _tabular_only = True
    _steps_along_advantages = True

    def __init__(
        self,
        env: TabularMDP | object,
        policy: SoftmaxPolicy | None = None,
        *,
        mode: Mode | None = None,
        seed: int = 0,
        step_size: Schedule = 1.0,
        tau: float = 0.0,
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
        return {}

    def _native_schedules(self) -> list[Checked]:
        return [Checked("step_size", self._settings["step_size"])]


class ConservativePolicyIteration(Agent):
    """Conservative policy iteration: pi' = (1 - alpha) pi + alpha greedy(A). Tabular policies.

    Parameters
    ----------
    env, policy, mode, seed, gamma, and all from n_steps on
        As in `TRPO`.
    mixture : float, optional
        alpha in (0, 1]. Default: the step that the paper's improvement bound allows,
        (1 - gamma) E_d[A(s, greedy)] / (4 gamma eps) with eps = max_s |E_greedy A|, and 1/H in place of 1 - gamma at
        gamma = 1 with a horizon. Stands in the history as step_size.

    Raises
    ------
    ValueError
        At gamma = 1 without a horizon, where the default is not defined.

    References
    ----------
    S. M. Kakade, J. Langford, "Approximately optimal approximate reinforcement learning", ICML 2002, theorem 4.1.

    Examples
    --------
    >>> import npgfast as nf
    >>> agent = nf.ConservativePolicyIteration(nf.problems.two_state(gamma=0.9), mixture=0.5)
    >>> bool(agent.learn(30).final("gap")[0] < 1e-3)
    True
    """

    _tabular_only = True

    def __init__(
        self,
        env: TabularMDP | object,
        policy: SoftmaxPolicy | None = None,
        *,
        mode: Mode | None = None,
        seed: int = 0,
        mixture: float | None = None,
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
        mixture = self._settings["mixture"]
        if mixture is not None:
            return {"mixture": _validate.real("mixture", mixture, low=0.0, low_open=True, high=1.0)}
        if self.mdp.gamma == 1.0 and self.mdp.horizon is None:
            msg = "mixture: at gamma=1 without a horizon the paper's step is not defined; give a mixture in (0, 1]"
            raise ValueError(msg)
        return {"mixture": 0.0}

    def _native_schedules(self) -> list[Checked]:
        return []
