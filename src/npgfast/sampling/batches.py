"""Batches estimated from rollouts."""

import itertools
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.batch import Batch
from npgfast.exact import _check_policy
from npgfast.policies import Policy
from npgfast.problems import TabularMDP
from npgfast.sampling.baselines import LinearBaseline, TabularBaseline
from npgfast.sampling.recording import TERMINATED, TRUNCATED, Recording
from npgfast.sampling.trajectories import _read_lengths, record
from npgfast.threads import thread_count

__all__ = ["STATE_WEIGHTS", "StateWeights", "sample_batch"]

FloatArray = NDArray[np.float64]
StateWeights = Literal["discounted", "geometric", "uniform"]

STATE_WEIGHTS = ("discounted", "geometric", "uniform")


def sample_batch(
    env: object,
    policy: Policy,
    *,
    n_steps: int | None = None,
    n_episodes: int | None = None,
    n_envs: int | None = None,
    seed: int,
    gae_lambda: float = 1.0,
    baseline: TabularBaseline | LinearBaseline | ArrayLike | None = None,
    state_weights: StateWeights | None = None,
    gamma: float | None = None,
    tau: float = 0.0,
    n_threads: int | None = None,
) -> Batch:
    """Estimate a batch from rollouts.

    Unbiased for the gradient, for effective_horizon times the Fisher product, and for the surrogate: whole episodes
    (``n_episodes``), gae_lambda = 1, no baseline or one fitted on other data, state_weights "discounted" or
    "geometric". Normalised averages (the Fisher matrix alone, KL) are ratios of estimates, and natural directions are
    nonlinear in them: consistent, not unbiased. Biased by design: ``n_steps`` batches, which cut episodes;
    state_weights "uniform"; gae_lambda < 1 with an imperfect baseline.

    Parameters
    ----------
    env
        As in `rollout`.
    policy : Policy
    n_steps, n_episodes, n_envs, seed, n_threads
        As in `rollout`; every episode starts afresh from the initial distribution.
    gae_lambda : float
        In [0, 1].
    baseline : TabularBaseline, LinearBaseline or array_like, optional
        Values (S,), or (H, S) with a horizon; on observations a LinearBaseline of a feature map. Default none. It is
        used as given, so fit it on other data than it corrects, or the estimate is biased.
    state_weights : {"discounted", "geometric", "uniform"}, optional
        Default "discounted" for a TabularMDP, else "uniform"; "geometric" needs a TabularMDP.
        "discounted": weights proportional to gamma^time, L = sum of gamma^time per episode. "geometric": every step
        ends its episode with probability 1 - gamma, weights are equal, L = steps per episode; of low variance for long
        horizons. "uniform": equal weights, L = steps per episode started.
    gamma : float, optional
        Discount in [0, 1] of an environment that is not a TabularMDP; default 0.99.
    tau : float
        Entropy bonus in reward per nat; the advantages estimate A_tau.

    Returns
    -------
    Batch
        One entry per step, in the order of environments (episodes), then time.

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit.

    References
    ----------
    P. S. Thomas, "Bias in natural actor-critic algorithms", ICML 2014, on discounted and uniform weights.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp = nf.problems.two_state(gamma=0.9)
    >>> batch = nf.sample_batch(mdp, nf.TabularSoftmax(2, 2), n_episodes=10, seed=7, state_weights="geometric")
    >>> float(batch.weights.sum().round(12))
    1.0
    """
    envs, steps, _ = _read_lengths(n_steps, n_episodes, n_envs)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    gae_lambda = _validate.real("gae_lambda", gae_lambda, low=0.0, high=1.0)
    tau = _validate.real("tau", tau, low=0.0)
    is_tabular = isinstance(env, TabularMDP)
    weighting = ("discounted" if is_tabular else "uniform") if state_weights is None else state_weights
    code = STATE_WEIGHTS.index(_validate.choice("state_weights", weighting, STATE_WEIGHTS))
    if not isinstance(env, TabularMDP):
        if weighting == "geometric":
            msg = "state_weights='geometric' restarts at random and needs a TabularMDP"
            raise ValueError(msg)
        discount = 0.99 if gamma is None else _validate.real("gamma", gamma, low=0.0, high=1.0)
        if baseline is not None and not (isinstance(baseline, LinearBaseline) and baseline.feature_map is not None):
            msg = "baseline: expected None or a LinearBaseline of a feature map, as env has observations"
            raise TypeError(msg)
        _, linear, recording = record(env, policy, n_steps, n_episodes, n_envs, seed, n_threads)
        return _estimate(recording, linear.n_actions == 0, discount, gae_lambda, baseline, weighting, tau)
    if gamma is not None and gamma != env.gamma:
        msg = f"gamma={gamma}: the problem has gamma={env.gamma}; change it with mdp.replace(gamma=...)"
        raise ValueError(msg)
    mdp = env
    tabular = _check_policy(mdp, policy)
    cells = mdp.n_states * (1 if mdp.horizon is None else mdp.horizon)
    values = None
    if baseline is not None:
        given = baseline.values if isinstance(baseline, (TabularBaseline, LinearBaseline)) else baseline
        flat = _validate.any_array("baseline", given)
        if flat.ndim == 2 and mdp.horizon is not None:
            flat = _validate.real_array("baseline", flat, (mdp.horizon, mdp.n_states)).reshape(-1)
        values = _validate.real_array("baseline", flat, (cells,), because="to match env")
    log_probs, probs = tabular._table
    states, actions, weights, advantages, _, _, effective_horizon, _ = _core.sample(
        mdp._native, probs, log_probs, envs, steps, code, gae_lambda, values, tau, seed, thread_count(n_threads)
    )
    return Batch(
        states.astype(np.int64),
        actions.astype(np.int64),
        advantages,
        weights=weights,
        log_probs=log_probs[states, actions],
        effective_horizon=effective_horizon,
    )


def _estimate(
    recording: Recording,
    is_continuous: bool,
    gamma: float,
    gae_lambda: float,
    baseline: LinearBaseline | None,
    weighting: str,
    tau: float,
) -> Batch:
    """The batch of recorded steps, one environment after another."""
    offsets, observations, actions, rewards, log_probs, time, flags, cut, cut_observations = recording
    values, bootstrap = np.zeros_like(rewards), np.zeros_like(rewards)
    if baseline is not None:
        values = baseline.predict(observations)
        if cut.size:
            bootstrap[cut] = baseline.predict(cut_observations)
    rewards = rewards - tau * log_probs
    advantages = np.empty_like(rewards)
    terminated, truncated = ((flags & flag) > 0 for flag in (TERMINATED, TRUNCATED))
    for first, end in itertools.pairwise(offsets):
        if first == end:
            continue
        column = slice(first, end)
        estimates, _, _ = _core.gae(
            rewards[column, None],
            values[column, None],
            terminated.view(np.uint8)[column, None],
            truncated.view(np.uint8)[column, None],
            bootstrap[column, None],
            gamma,
            gae_lambda,
            1,
        )
        advantages[column] = estimates[:, 0]
    weights = gamma ** time.astype(np.float64) if weighting == "discounted" else np.ones_like(rewards)
    mass = float(weights.sum())
    return Batch(
        observations,
        actions if is_continuous else actions.astype(np.int64),
        advantages,
        weights=weights / mass,
        log_probs=log_probs,
        effective_horizon=mass / max(int((time == 0).sum()), 1),
    )
