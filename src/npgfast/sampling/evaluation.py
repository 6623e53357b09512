"""Returns of a policy on fresh episodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npgfast import _core, _validate
from npgfast.envs.simulated import Simulated
from npgfast.policies import Policy, SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.sampling.recording import check_policy, native_environment, open_environment, play_episodes
from npgfast.sampling.trajectories import rollout

__all__ = ["ReturnStatistics", "evaluate_policy"]

FloatArray = NDArray[np.float64]

_MOST_ENVIRONMENTS = 32
_LARGE_LOGIT = 1e4


@dataclass(frozen=True, eq=False)
class ReturnStatistics:
    """Undiscounted returns of episodes.

    Attributes
    ----------
    returns : ndarray, shape (n_episodes,)
    """

    returns: FloatArray

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def std(self) -> float:
        """Standard deviation of the returns (population)."""
        return float(self.returns.std())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; NaN for one episode."""
        n = self.returns.size
        return float(self.returns.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")

    def __repr__(self) -> str:
        return f"ReturnStatistics(mean={self.mean:.6g}, std={self.std:.6g}, n_episodes={self.returns.size})"


def evaluate_policy(
    env: object,
    policy: Policy,
    n_episodes: int = 100,
    seed: int = 0,
    deterministic: bool = True,
) -> ReturnStatistics:
    """Play whole episodes and collect their undiscounted returns.

    Parameters
    ----------
    env : Simulated, TabularMDP, Gymnasium Env or VectorEnv, EnvPool environment, id, or callable that makes an Env
        An id is made by Gymnasium, not simulated natively; `npgfast.envs.make` gives the native one.
    policy : Policy
    n_episodes : int
        Fixed in advance and divided evenly over the environments, so that short episodes are not over-represented.
    seed : int
        In [0, 2**64); the same seed plays the same episodes.
    deterministic : bool
        Take the most probable action (a Gaussian's mean) instead of drawing one.

    Returns
    -------
    ReturnStatistics

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.evaluate_policy(nf.envs.Pendulum(), nf.LinearGaussian(3, 1), n_episodes=5).returns.shape
    (5,)
    """
    n_episodes = _validate.integer("n_episodes", n_episodes, low=1, high=2**31 - 1)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    deterministic = _validate.boolean("deterministic", deterministic)
    if isinstance(env, TabularMDP):
        return _evaluate_tabular(env, policy, n_episodes, seed, deterministic=deterministic)
    opened = open_environment(env, min(n_episodes, _MOST_ENVIRONMENTS))
    linear = check_policy(opened, policy)
    if isinstance(opened, Simulated):
        environment = native_environment(opened)
        returns = _core.episode_returns(environment, linear._native, linear.theta, deterministic, n_episodes, seed)
        return ReturnStatistics(returns)
    try:
        return ReturnStatistics(play_episodes(opened, linear, n_episodes, seed, deterministic=deterministic))
    finally:
        opened.close()


def _evaluate_tabular(
    mdp: TabularMDP, policy: Policy, n_episodes: int, seed: int, *, deterministic: bool
) -> ReturnStatistics:
    if deterministic and isinstance(policy, SoftmaxPolicy):
        logits = np.full((policy.n_states, policy.n_actions), -_LARGE_LOGIT)
        logits[np.arange(policy.n_states), policy.mode()] = 0.0
        policy = TabularSoftmax(policy.n_states, policy.n_actions, logits, action_mask=policy.action_mask)
    trajectories = rollout(mdp, policy, n_episodes=n_episodes, seed=seed)
    return ReturnStatistics(trajectories.rewards.sum(axis=0))
