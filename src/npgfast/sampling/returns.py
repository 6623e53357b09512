"""Returns and advantages of recorded steps."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.threads import thread_count

__all__ = ["discounted_returns", "gae"]

FloatArray = NDArray[np.float64]


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
    r = _validate.real_array("rewards", rewards, (None, None), finite=False)
    done, cut, because = _flags(r, terminated, truncated)
    bootstrap = None
    if bootstrap_values is not None:
        bootstrap = _validate.real_array("bootstrap_values", bootstrap_values, r.shape, finite=False, because=because)
    gamma = _validate.real("gamma", gamma, low=0.0, high=1.0)
    returns, is_finite = _core.discounted_returns(
        r, done.view(np.uint8), cut.view(np.uint8), bootstrap, gamma, thread_count()
    )
    if not is_finite:
        _refuse_infinite({"rewards": r}, bootstrap, done, cut)
    return returns


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
    r = _validate.real_array("rewards", rewards, (None, None), finite=False)
    done, cut, because = _flags(r, terminated, truncated)
    v = _validate.real_array("values", values, r.shape, finite=False, because=because)
    bootstrap = _validate.real_array("bootstrap_values", bootstrap_values, r.shape, finite=False, because=because)
    gamma = _validate.real("gamma", gamma, low=0.0, high=1.0)
    gae_lambda = _validate.real("gae_lambda", gae_lambda, low=0.0, high=1.0)
    advantages, returns, is_finite = _core.gae(
        r, v, done.view(np.uint8), cut.view(np.uint8), bootstrap, gamma, gae_lambda, thread_count()
    )
    if not is_finite:
        _refuse_infinite({"rewards": r, "values": v}, bootstrap, done, cut)
    return advantages, returns


def _flags(
    rewards: FloatArray, terminated: ArrayLike, truncated: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    because = f"to match rewards of shape {rewards.shape}"
    done = _validate.boolean_array("terminated", terminated, rewards.shape, because=because)
    cut = _validate.boolean_array("truncated", truncated, rewards.shape, because=because)
    return done, cut, because


def _refuse_infinite(
    read: dict[str, FloatArray],
    bootstrap: FloatArray | None,
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
) -> None:
    """Name the first input that is not finite. What is read enters a result: finite ones need no look."""
    for name, array in read.items():
        _validate.real_array(name, array, (None, None))
    if bootstrap is None:
        return
    counts = truncated.copy()
    counts[-1] = True
    bad = np.argwhere(counts & ~terminated & ~np.isfinite(bootstrap))
    if bad.size:
        msg = f"{_validate.place('bootstrap_values', bad[0])}={bootstrap[tuple(bad[0])]} is not finite"
        raise ValueError(msg)
