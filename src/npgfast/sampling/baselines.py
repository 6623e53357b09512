"""Value functions that are fitted by least squares."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.features import FeatureMap

__all__ = ["LinearBaseline", "TabularBaseline"]

FloatArray = NDArray[np.float64]


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
    features : array_like, shape (n_states, d), or FeatureMap
        One row per state (per step and state, h * S + s, with a horizon); or a map of observations.
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

    def __init__(self, features: ArrayLike | FeatureMap, *, ridge: float = 0.0) -> None:
        self.feature_map = features if isinstance(features, FeatureMap) else None
        self.features: FloatArray | None = None
        if not isinstance(features, FeatureMap):
            self.features = _validate.real_array("features", features, (None, None)).copy()
        self.ridge = _validate.real("ridge", ridge, low=0.0)
        n = features.n_features if isinstance(features, FeatureMap) else np.shape(features)[1]
        self.coefficients: FloatArray = np.zeros(n)

    def _rows(self, states: ArrayLike) -> FloatArray:
        if self.feature_map is not None:
            return self.feature_map(states)
        rows = np.zeros((0, 0)) if self.features is None else self.features
        return rows[_validate.integer_array("states", states, (None,), low=0, high=len(rows))]

    def fit(self, states: ArrayLike, targets: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Fit to targets (n,) at states (n,), or observations (n, dim), by weighted least squares. Returns self."""
        rows = self._rows(states)
        because = f"one for each of {len(rows)} states"
        y = _validate.real_array("targets", targets, rows.shape[:1], because=because)
        scale = np.sqrt(_read_weights(weights, rows.shape[:1], because))
        self.coefficients, _ = _core.least_squares(np.ascontiguousarray(scale[:, None] * rows), scale * y, self.ridge)
        return self

    @property
    def values(self) -> FloatArray:
        """Values of all states: ndarray, shape (n_states,). ValueError with a feature map: observations are many."""
        if self.features is None:
            msg = "a baseline on a feature map has no table of values; use predict"
            raise ValueError(msg)
        return self.features @ self.coefficients

    def predict(self, states: ArrayLike) -> FloatArray:
        """Values of `states` (n,), or observations (n, dim): ndarray, shape (n,)."""
        return self._rows(states) @ self.coefficients
