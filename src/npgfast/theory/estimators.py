"""What sampled batches promise, checked against exact values: z-scores of the means of many batches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.exact import exact_batch
from npgfast.geometry import fisher_vector_product, policy_gradient, surrogate
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.sampling import LinearBaseline, StateWeights, TabularBaseline, sample_batch

__all__ = ["ZScores", "z_scores"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ZScores:
    """Outcome of `z_scores`: (mean over batches - exact value) / standard error of the mean.

    Attributes
    ----------
    gradient : ndarray, shape (n_params,)
        Of the policy gradient.
    fisher : ndarray, shape (n_params,)
        Of L_hat F_hat v for a random v.
    surrogate : float
        Of the surrogate's gain at another policy, L_hat sum_i w_i (r_i - 1) A_i. (Without a baseline the returns
        estimate Q, so that the value itself is off by L E_d V, a constant that no step changes.)
    cosine : float
        Of the mean gradient with the exact one.
    n_batches : int
    """

    gradient: FloatArray
    fisher: FloatArray
    surrogate: float
    cosine: float
    n_batches: int

    @property
    def largest(self) -> float:
        """The largest absolute score of all."""
        return float(max(np.abs(self.gradient).max(), np.abs(self.fisher).max(), abs(self.surrogate)))

    @property
    def holds(self) -> bool:
        """Whether every mean lies within 4 standard errors."""
        return bool(self.largest <= 4.0)


def _scores(samples: FloatArray, exact: FloatArray) -> FloatArray:
    mean, error = samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    rounding = 1e-12 * max(1.0, float(np.abs(exact).max()))
    return np.asarray((mean - exact) / np.maximum(error, rounding))


def z_scores(
    mdp: TabularMDP,
    policy: SoftmaxPolicy,
    n_batches: int,
    *,
    n_episodes: int | None = None,
    n_steps: int | None = None,
    n_envs: int | None = None,
    state_weights: StateWeights = "discounted",
    baseline: TabularBaseline | LinearBaseline | ArrayLike | None = None,
    gae_lambda: float = 1.0,
    seed: int = 0,
) -> ZScores:
    """Compare the means of many sampled gradients, Fisher products and surrogates with the exact values.

    Whole episodes, n_episodes fixed in advance, with weights gamma^t ("discounted") or geometric restarts,
    gae_lambda = 1 and no baseline or an independent one are unbiased: scores are standard normal, about. `n_steps`
    batches, "uniform" weights and gae_lambda < 1 with an imperfect baseline are biased by design; their scores grow
    with sqrt(n_batches).

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
    n_batches : int
        At least 2; batch k has seed ``seed + k``.
    n_episodes, n_steps, n_envs, state_weights, baseline, gae_lambda
        As in `sample_batch`; n_episodes is 10 if neither it nor n_steps is given.
    seed : int

    Returns
    -------
    ZScores

    Raises
    ------
    TypeError, ValueError
        As `sample_batch` does.

    References
    ----------
    P. S. Thomas, "Bias in natural actor-critic algorithms", ICML 2014.

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> theory.z_scores(nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2), 50, n_episodes=5, seed=7).holds
    True
    """
    n_batches = _validate.integer("n_batches", n_batches, low=2)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1 - n_batches)
    if n_episodes is None and n_steps is None:
        n_episodes = 10
    rng = np.random.default_rng(seed)
    vector = rng.standard_normal(policy.n_params)
    other = policy.with_theta(policy.theta + 0.2 * rng.standard_normal(policy.n_params))
    gradients, products, values = [], [], []
    for k in range(n_batches):
        batch = sample_batch(
            mdp,
            policy,
            n_episodes=n_episodes,
            n_steps=n_steps,
            n_envs=n_envs,
            seed=seed + k,
            state_weights=state_weights,
            baseline=baseline,
            gae_lambda=gae_lambda,
            n_threads=1,
        )
        gradients.append(policy_gradient(policy, batch))
        products.append(batch.effective_horizon * fisher_vector_product(policy, batch, vector))
        values.append([surrogate(other, batch).value - surrogate(policy, batch).value])
    exact = exact_batch(mdp, policy)
    gradient = policy_gradient(policy, exact)
    mean = np.mean(gradients, axis=0)
    norms = float(np.linalg.norm(mean) * np.linalg.norm(gradient))
    value = np.array([surrogate(other, exact).value - surrogate(policy, exact).value])
    return ZScores(
        _scores(np.array(gradients), gradient),
        _scores(np.array(products), exact.effective_horizon * fisher_vector_product(policy, exact, vector)),
        float(_scores(np.array(values), value)[0]),
        float(mean @ gradient) / norms if norms > 0.0 else 0.0,
        n_batches,
    )
