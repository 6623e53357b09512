"""Rollouts, returns, advantages and sampled batches of tabular problems."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.batch import Batch
from npgfast.exact import _check_policy, _check_problem
from npgfast.policies import SoftmaxPolicy
from npgfast.problems import TabularMDP
from npgfast.threads import thread_count

__all__ = [
    "LinearBaseline",
    "TabularBaseline",
    "Trajectories",
    "discounted_returns",
    "gae",
    "rollout",
    "sample_batch",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
StateWeights = Literal["discounted", "geometric", "uniform"]

STATE_WEIGHTS = ("discounted", "geometric", "uniform")
_TERMINATED, _TRUNCATED = 1, 2


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Steps of N environments, in arrays of shape (T, N).

    Attributes
    ----------
    states, actions : ndarray of int
    rewards : ndarray
        Expected immediate rewards r(s, a), as the model has them.
    terminated : ndarray of bool
        The problem ended the episode, by its termination mass or its horizon; the value after it is 0.
    truncated : ndarray of bool
        The episode was cut although it goes on.
    time : ndarray of int
        Step within its episode, from 0.
    log_probs : ndarray
        Of the actions, in nats.
    next_states : ndarray of int
        The state that the step really reached, kept apart from the restart that may follow; -1 where terminated.
    valid : ndarray of bool
        False only for the padding below whole episodes of unequal length.
    """

    states: IntArray
    actions: IntArray
    rewards: FloatArray
    terminated: BoolArray
    truncated: BoolArray
    time: IntArray
    log_probs: FloatArray
    next_states: IntArray
    valid: BoolArray


def _read_lengths(n_steps: int | None, n_episodes: int | None, n_envs: int | None) -> tuple[int, int, int]:
    """(environments or episodes, steps per environment or 0, columns)."""
    if (n_steps is None) == (n_episodes is None):
        msg = f"n_steps, n_episodes: give exactly one, got n_steps={n_steps} and n_episodes={n_episodes}"
        raise ValueError(msg)
    if n_steps is not None:
        steps = _validate.integer("n_steps", n_steps, low=1, high=2**31 - 2)
        envs = 1 if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
        _validate.allocation("n_steps * n_envs", steps, envs, itemsize=24)
        return envs, steps, envs
    episodes = _validate.integer("n_episodes", n_episodes, low=1, high=2**31 - 1)
    columns = episodes if n_envs is None else _validate.integer("n_envs", n_envs, low=1, high=2**31 - 1)
    return episodes, 0, min(columns, episodes)


def rollout(
    env: TabularMDP,
    policy: SoftmaxPolicy,
    *,
    n_steps: int | None = None,
    n_episodes: int | None = None,
    n_envs: int | None = None,
    seed: int,
    n_threads: int | None = None,
) -> Trajectories:
    """Play a problem under a policy in many environments at once.

    Parameters
    ----------
    env : TabularMDP
    policy : SoftmaxPolicy
    n_steps : int, optional
        Steps of each environment; an episode that ends is followed by the next one.
    n_episodes : int, optional
        Whole episodes, instead of n_steps. With gamma < 1 an episode is truncated once its discounted rest weighs less
        than 1e-16 of it; at gamma = 1 it runs until it ends.
    n_envs : int, optional
        Columns N of the result. Default 1 with n_steps; with n_episodes one column per episode. Episode e stands in
        column e % n_envs.
    seed : int
        In [0, 2**64). A draw is a function of the seed, the environment (or episode) and the step alone.
    n_threads : int, optional
        Default NPGFAST_NUM_THREADS, else OMP_NUM_THREADS, else the processors this process may use. It does not change
        the result.

    Returns
    -------
    Trajectories

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit; for both or neither of n_steps and n_episodes.

    Examples
    --------
    >>> import npgfast as nf
    >>> mdp = nf.problems.two_state(gamma=0.9)
    >>> nf.rollout(mdp, nf.TabularSoftmax(2, 2), n_steps=8, n_envs=4, seed=7).states.shape
    (8, 4)
    """
    mdp = _check_problem(env)
    policy = _check_policy(mdp, policy)
    envs, steps, columns = _read_lengths(n_steps, n_episodes, n_envs)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    log_probs, probs = policy._table
    offsets, states, actions, next_states, time, flags = _core.rollout(
        mdp._native, probs, envs, steps, seed, thread_count(n_threads)
    )
    if steps == 0:
        lengths = np.diff(offsets)
        starts = np.concatenate([np.cumsum(lengths[c::columns]) - lengths[c::columns] for c in range(columns)])
        order = np.concatenate([np.arange(c, envs, columns) for c in range(columns)])
        first_row = np.empty(envs, dtype=np.int64)
        first_row[order] = starts
        row, episode = _positions(offsets, envs)
        row = row + first_row[episode]
        column = episode % columns
        shape = (int(row.max()) + 1, columns)

    def place(values: NDArray[Any], dtype: type) -> NDArray[Any]:
        if steps > 0:
            return np.ascontiguousarray(values.reshape(envs, steps).T, dtype=dtype)
        out: NDArray[Any] = np.zeros(shape, dtype=dtype)
        out[row, column] = values
        return out

    return Trajectories(
        states=place(states, np.int64),
        actions=place(actions, np.int64),
        rewards=place(mdp.rewards[states, actions], np.float64),
        terminated=place((flags & _TERMINATED) > 0, np.bool_),
        truncated=place((flags & _TRUNCATED) > 0, np.bool_),
        time=place(time, np.int64),
        log_probs=place(log_probs[states, actions], np.float64),
        next_states=place(next_states, np.int64),
        valid=place(np.ones(states.size, dtype=np.bool_), np.bool_),
    )


def _positions(offsets: IntArray, envs: int) -> tuple[IntArray, IntArray]:
    """Step within its environment, and environment, of every entry."""
    environment = np.repeat(np.arange(envs), np.diff(offsets))
    return np.arange(int(offsets[-1])) - offsets[environment], environment


def discounted_returns(
    rewards: ArrayLike,
    terminated: ArrayLike,
    truncated: ArrayLike,
    *,
    gamma: float,
    bootstrap_values: ArrayLike | None = None,
) -> FloatArray:
    """Sum discounted rewards to the end of each episode.

    Parameters
    ----------
    rewards, terminated, truncated : array_like, shape (T, N)
    gamma : float
        In [0, 1].
    bootstrap_values : array_like, shape (T, N), optional
        Value of the state that step t really reached; read only where truncated (and not terminated) or in the last
        row. Default 0.

    Returns
    -------
    ndarray, shape (T, N)

    Raises
    ------
    TypeError, ValueError
        For wrong shapes or values.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.discounted_returns([[1.0], [1.0]], [[False], [True]], [[False], [False]], gamma=0.5)
    array([[1.5],
           [1. ]])
    """
    r = _validate.real_array("rewards", rewards, (None, None))
    if bootstrap_values is None:
        bootstrap_values = np.zeros_like(r)
    advantages, _ = gae(
        r,
        np.zeros_like(r),
        terminated,
        truncated,
        gamma=gamma,
        gae_lambda=1.0,
        bootstrap_values=bootstrap_values,
    )
    return advantages


def gae(
    rewards: ArrayLike,
    values: ArrayLike,
    terminated: ArrayLike,
    truncated: ArrayLike,
    *,
    gamma: float,
    gae_lambda: float,
    bootstrap_values: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Estimate advantages by generalised advantage estimation.

    Parameters
    ----------
    rewards, values, terminated, truncated : array_like, shape (T, N)
        values[t] is V of the state in which step t acts. Where a step is both, terminated wins.
    gamma, gae_lambda : float
        In [0, 1]. With gae_lambda < 1 and an imperfect value function the estimate is biased by design.
    bootstrap_values : array_like, shape (T, N)
        Value of the state that step t really reached; read only where truncated (and not terminated) or in the last
        row.

    Returns
    -------
    advantages, returns : ndarray, shape (T, N)
        returns = advantages + values. Rewards are never edited.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes or values.

    References
    ----------
    J. Schulman et al., "High-dimensional continuous control using generalized advantage estimation", 2016,
    arXiv:1506.02438, eq. (16).

    Examples
    --------
    >>> import npgfast as nf
    >>> no = [[False], [False]]
    >>> nf.gae([[1.0], [1.0]], [[0.0], [0.0]], no, no, gamma=1.0, gae_lambda=1.0, bootstrap_values=[[9.0], [3.0]])[0]
    array([[5.],
           [4.]])
    """
    r = _validate.real_array("rewards", rewards, (None, None))
    because = f"to match rewards of shape {r.shape}"
    v = _validate.real_array("values", values, r.shape, because=because)
    done = _validate.boolean_array("terminated", terminated, r.shape, because=because)
    cut = _validate.boolean_array("truncated", truncated, r.shape, because=because)
    bootstrap = _validate.real_array("bootstrap_values", bootstrap_values, r.shape, finite=False, because=because)
    read = cut.copy()
    read[-1] = True
    bad = np.argwhere(read & ~done & ~np.isfinite(bootstrap))
    if bad.size:
        msg = f"{_validate.place('bootstrap_values', bad[0])}={bootstrap[tuple(bad[0])]} is not finite"
        raise ValueError(msg)
    gamma = _validate.real("gamma", gamma, low=0.0, high=1.0)
    gae_lambda = _validate.real("gae_lambda", gae_lambda, low=0.0, high=1.0)
    advantages = _core.gae(r, v, done.view(np.uint8), cut.view(np.uint8), bootstrap, gamma, gae_lambda)
    return advantages, advantages + v


def _read_weights(weights: ArrayLike | None, shape: tuple[int, ...], because: str) -> FloatArray:
    if weights is None:
        return np.ones(shape)
    w = _validate.real_array("weights", weights, shape, because=because)
    if (w < 0.0).any():
        i = int(np.flatnonzero(w < 0.0)[0])
        msg = f"weights[{i}]={w[i]} is negative"
        raise ValueError(msg)
    return w


class TabularBaseline:
    """A value function with one number per state (per step and state, with a horizon).

    Parameters
    ----------
    n_states : int
        S, or H * S with a horizon, indexed h * S + s.
    values : array_like, shape (n_states,), optional
        Default zeros.

    Raises
    ------
    TypeError, ValueError
        For wrong sizes or values.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.TabularBaseline(3).fit([0, 0, 2], [1.0, 3.0, 5.0]).values
    array([2., 0., 5.])
    """

    def __init__(self, n_states: int, values: ArrayLike | None = None) -> None:
        n_states = _validate.integer("n_states", n_states, low=1, high=2**31 - 1)
        self.values: FloatArray = (
            np.zeros(n_states) if values is None else _validate.real_array("values", values, (n_states,)).copy()
        )

    def fit(self, states: ArrayLike, targets: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Set each visited state's value to the weighted mean of its targets; others keep theirs. Returns self."""
        s = _validate.integer_array("states", states, (None,), low=0, high=self.values.size)
        because = f"to match states of shape {s.shape}"
        y = _validate.real_array("targets", targets, s.shape, because=because)
        w = _read_weights(weights, s.shape, because)
        self.values = _core.fit_table(s.astype(np.int32), y, w, self.values)
        return self

    def predict(self, states: ArrayLike) -> FloatArray:
        """Values of `states` (n,): ndarray, shape (n,)."""
        return self.values[_validate.integer_array("states", states, (None,), low=0, high=self.values.size)]


class LinearBaseline:
    """A value function linear in given features, fitted by an orthogonal decomposition, never the normal equations.

    Parameters
    ----------
    features : array_like, shape (n_states, d)
        One row per state (per step and state, h * S + s, with a horizon).
    ridge : float
        Weight of ||coefficients||^2 in the least-squares problem. With 0 the solution of minimum norm is taken.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes or values.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 2013, section 5.5.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.LinearBaseline([[1.0, 0.0], [1.0, 1.0]]).fit([0, 1], [2.0, 5.0]).coefficients.round(12)
    array([2., 3.])
    """

    def __init__(self, features: ArrayLike, *, ridge: float = 0.0) -> None:
        self.features: FloatArray = _validate.real_array("features", features, (None, None)).copy()
        self.ridge = _validate.real("ridge", ridge, low=0.0)
        self.coefficients: FloatArray = np.zeros(self.features.shape[1])

    def fit(self, states: ArrayLike, targets: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Fit the coefficients to targets (n,) at states (n,) by weighted least squares. Returns self."""
        s = _validate.integer_array("states", states, (None,), low=0, high=self.features.shape[0])
        because = f"to match states of shape {s.shape}"
        y = _validate.real_array("targets", targets, s.shape, because=because)
        scale = np.sqrt(_read_weights(weights, s.shape, because))
        rows = np.ascontiguousarray(scale[:, None] * self.features[s])
        self.coefficients, _ = _core.least_squares(rows, scale * y, self.ridge)
        return self

    @property
    def values(self) -> FloatArray:
        """Values of all states: ndarray, shape (n_states,)."""
        return self.features @ self.coefficients

    def predict(self, states: ArrayLike) -> FloatArray:
        """Values of `states` (n,): ndarray, shape (n,)."""
        s = _validate.integer_array("states", states, (None,), low=0, high=self.features.shape[0])
        return self.features[s] @ self.coefficients


def sample_batch(
    env: TabularMDP,
    policy: SoftmaxPolicy,
    *,
    n_steps: int | None = None,
    n_episodes: int | None = None,
    n_envs: int | None = None,
    seed: int,
    gae_lambda: float = 1.0,
    baseline: TabularBaseline | LinearBaseline | ArrayLike | None = None,
    state_weights: StateWeights = "discounted",
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
    env : TabularMDP
    policy : SoftmaxPolicy
    n_steps, n_episodes, n_envs, seed, n_threads
        As in `rollout`; every episode starts afresh from the initial distribution.
    gae_lambda : float
        In [0, 1].
    baseline : TabularBaseline, LinearBaseline or array_like, optional
        Values (S,), or (H, S) with a horizon. Default none. It is used as given, so fit it on other data than it
        corrects, or the estimate is biased.
    state_weights : {"discounted", "geometric", "uniform"}
        "discounted": weights proportional to gamma^time, L = sum of gamma^time per episode. "geometric": every step
        ends its episode with probability 1 - gamma, weights are equal, L = steps per episode; of low variance for long
        horizons. "uniform": equal weights, L = steps per episode started.
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
    mdp = _check_problem(env)
    policy = _check_policy(mdp, policy)
    envs, steps, _ = _read_lengths(n_steps, n_episodes, n_envs)
    seed = _validate.integer("seed", seed, low=0, high=2**64 - 1)
    gae_lambda = _validate.real("gae_lambda", gae_lambda, low=0.0, high=1.0)
    tau = _validate.real("tau", tau, low=0.0)
    code = STATE_WEIGHTS.index(_validate.choice("state_weights", state_weights, STATE_WEIGHTS))
    cells = mdp.n_states * (1 if mdp.horizon is None else mdp.horizon)
    values = None
    if baseline is not None:
        given = baseline.values if isinstance(baseline, (TabularBaseline, LinearBaseline)) else baseline
        flat = _validate.any_array("baseline", given)
        if flat.ndim == 2 and mdp.horizon is not None:
            flat = _validate.real_array("baseline", flat, (mdp.horizon, mdp.n_states)).reshape(-1)
        values = _validate.real_array("baseline", flat, (cells,), because="to match env")
    log_probs, probs = policy._table
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
