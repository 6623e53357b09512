"""Policies on observations whose logits, or means, are linear in features of the observation."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.features import FeatureMap, Linear
from npgfast.policies.policy import Policy, freeze
from npgfast.threads import thread_count

if TYPE_CHECKING:
    from npgfast.batch import Batch

__all__ = ["LinearGaussian", "LinearPolicy", "LinearSoftmax", "Normalizer"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_VARIANCE_FLOOR = 1e-8
_SMALLEST_STD = float(np.finfo(np.float64).tiny)  # its reciprocal is finite


@dataclass(frozen=True, eq=False)
class Normalizer:
    """Normalisation of observations: clip((o - mean) / std, -limit, limit), part of the policy that uses it.

    Parameters
    ----------
    mean, std : array_like, shape (dim,)
        In units of the observation; std > 0.
    count : float
        Observations behind them; an agent that goes on learning gives them that weight.
    limit : float
        Where normalised observations are clipped, > 0.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes or values.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.Normalizer([1.0], [2.0]).mean
    array([1.])
    """

    mean: FloatArray
    std: FloatArray
    count: float = 1.0
    limit: float = 10.0

    def __post_init__(self) -> None:
        mean = freeze(_validate.real_array("mean", self.mean, (None,)), self.mean)
        std = freeze(_validate.real_array("std", self.std, mean.shape, because="to match mean"), self.std)
        small = np.flatnonzero(~(std >= _SMALLEST_STD))
        if small.size:
            i = int(small[0])
            msg = f"std[{i}]={std[i]}: expected a positive number, at least {_SMALLEST_STD}"
            raise ValueError(msg)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "std", std)
        object.__setattr__(self, "count", _validate.real("count", self.count, low=0.0))
        object.__setattr__(self, "limit", _validate.real("limit", self.limit, low=0.0, low_open=True))

    @classmethod
    def _from_moments(cls, moments: FloatArray, limit: float) -> "Normalizer | None":
        """Of the core's running moments: count, means, sums of squared deviations."""
        dim = (moments.size - 1) // 2
        if moments.size == 0 or moments[0] == 0.0:
            return None
        variance = moments[1 + dim :] / moments[0]
        return cls(moments[1 : 1 + dim], np.sqrt(variance + _VARIANCE_FLOOR), float(moments[0]), limit)

    def _moments(self) -> FloatArray:
        squares = np.maximum(self.std**2 - _VARIANCE_FLOOR, 0.0) * self.count
        return np.concatenate([[self.count], self.mean, squares])


class LinearPolicy(Policy):
    """A policy on observations, shape (n, dim), with outputs W^T phi(observation).

    The kinds are `LinearSoftmax` and `LinearGaussian`.
    """

    feature_map: FeatureMap
    normalizer: Normalizer | None
    n_actions: int
    action_size: int

    @property
    def observation_size(self) -> int:
        """Numbers in an observation."""
        return self.feature_map.dim

    @property
    @abstractmethod
    def _log_std_bounds(self) -> tuple[float, float]:
        """Interval of log_std."""

    @cached_property
    def _native(self) -> tuple[Any, ...]:
        normalizer = self.normalizer
        mean = None if normalizer is None else normalizer.mean
        scale = None if normalizer is None else 1.0 / normalizer.std
        limit = 1.0 if normalizer is None else normalizer.limit
        return (
            *self.feature_map._native,
            *(mean, scale, limit),
            *(self.n_actions, self.action_size, *self._log_std_bounds),
        )

    @property
    def _n_outputs(self) -> int:
        return self.n_actions or self.action_size

    @property
    def _weights(self) -> FloatArray:
        m = self.feature_map.n_features
        return self.theta[: m * self._n_outputs].reshape(m, self._n_outputs)

    def _read(self, theta: ArrayLike | None, default: FloatArray) -> FloatArray:
        if theta is None:
            default.flags.writeable = False
            return default
        because = "to match the feature map and the actions"
        return freeze(_validate.real_array("theta", theta, default.shape, because=because), theta)

    def _observations(self, observations: ArrayLike) -> FloatArray:
        return _validate.real_array("observations", observations, (None, self.observation_size))

    def features(self, observations: ArrayLike) -> FloatArray:
        """phi of `observations` (n, dim), normalised if the policy does that: ndarray, shape (n, n_features)."""
        return _core.feature_rows(self._native, self._observations(observations), thread_count())

    def _outputs(self, observations: ArrayLike) -> FloatArray:
        outputs: FloatArray = self.features(observations) @ self._weights
        return outputs

    @abstractmethod
    def _actions(self, actions: ArrayLike, n: int) -> NDArray[Any]:
        """Check n actions."""

    @abstractmethod
    def _cast(self, actions: FloatArray) -> NDArray[Any]:
        """Actions (n, action_size) of the core as this policy hands them out."""

    @abstractmethod
    def log_prob(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Log-probabilities, or log-densities, of pairs in nats: ndarray, shape (n,)."""

    @abstractmethod
    def score(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Gradients of `log_prob` with respect to theta: ndarray, shape (n, n_params).

        References
        ----------
        R. J. Williams, Machine Learning 8, 1992, section 6.
        """

    @abstractmethod
    def entropy(self, observations: ArrayLike) -> FloatArray:
        """Entropy of the action distributions in nats: ndarray, shape (n,)."""

    @abstractmethod
    def _divergence(self, new: "LinearPolicy", batch: "Batch") -> float:
        """Mean KL(self || new) in nats."""

    def sample(self, observations: ArrayLike, *, seed: int) -> NDArray[Any]:
        """Draw one action for each observation.

        Parameters
        ----------
        observations : array_like, shape (n, dim)
        seed : int
            In [0, 2**64). Draw i is a function of the seed, i and observations[i] alone.

        Returns
        -------
        ndarray
            Of int, shape (n,), for a softmax; of float, shape (n, action_size), for a Gaussian: unclipped.
        """
        given = self._observations(observations)
        checked = _validate.integer("seed", seed, low=0, high=2**64 - 1)
        actions, _ = _core.act(self._native, self.theta, given, checked, 0, np.zeros(len(given), dtype=np.uint32))
        return self._cast(actions)

    def mode(self, observations: ArrayLike) -> NDArray[Any]:
        """Most probable action of each observation, ties to the lowest; the mean of a Gaussian. Shapes as `sample`."""
        return self._cast(_core.most_probable(self._native, self.theta, self._observations(observations)))

    def _with(self, **changes: Any) -> Self:
        """The same policy with some attributes changed."""
        other = object.__new__(type(self))
        own = {name: value for name, value in vars(self).items() if name != "_native"}
        other._assign(**{**own, **changes})
        return other

    def with_theta(self, theta: ArrayLike) -> Self:
        """Return the same policy at another theta, shape (n_params,)."""
        values = _validate.real_array("theta", theta, self.theta.shape, because="to match the policy")
        return self._with(theta=freeze(values, theta))

    def with_normalizer(self, normalizer: Normalizer | None) -> Self:
        """Return the same policy with another normalisation of its observations."""
        return self._with(normalizer=_check_normalizer(normalizer, self.feature_map))

    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays: dict[str, NDArray[Any]] = {"theta": self.theta}
        values: dict[str, Any] = {"feature_map": self.feature_map._description()}
        if self.normalizer is not None:
            arrays["normalizer.mean"] = self.normalizer.mean
            arrays["normalizer.std"] = self.normalizer.std
            values["normalizer"] = {"count": self.normalizer.count, "limit": self.normalizer.limit}
        return arrays, values

    def _on(self, batch: "Batch") -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        if batch.observations is None:
            msg = f"batch.states: {type(self).__name__} needs observations of shape (n, {self.observation_size})"
            raise ValueError(msg)
        return batch._keep("_met", (self,), lambda: self._meet(batch))

    @abstractmethod
    def _meet(self, batch: "Batch") -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        """As `_on`, which keeps it with a batch of observations until the batch meets another policy."""

    def _features_of(self, batch: "Batch") -> FloatArray:
        """Features of a batch's observations, kept for policies with the same map and normaliser."""
        phi = self.feature_map
        if isinstance(phi, Linear) and not phi.bias and self.normalizer is None:
            return self._observations(batch.states)
        return batch._keep("_features", (phi, self.normalizer), lambda: self.features(batch.states))

    def __repr__(self) -> str:
        n, kind = self._n_outputs, "n_actions" if self.n_actions else "action_size"
        return f"{type(self).__name__}({self.feature_map!r}, {kind}={n}, n_params={self.n_params})"


class LinearSoftmax(LinearPolicy):
    """A softmax over discrete actions, pi(a|o) ~ exp(W_a . phi(o)).

    Parameters
    ----------
    feature_map : FeatureMap or int
        phi; an integer d stands for `npgfast.features.Linear(d)`.
    n_actions : int
    theta : array_like, shape (n_features * n_actions,), optional
        W, shape (n_features, n_actions), in C order; default zeros, the uniform policy.
    normalizer : Normalizer, optional
        Of the observations; default none.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes and values.

    References
    ----------
    A. Rajeswaran, K. Lowrey, E. Todorov, S. Kakade, NIPS 2017, arXiv:1703.02660, section 4 (linear policies).

    Examples
    --------
    >>> import npgfast as nf
    >>> policy = nf.LinearSoftmax(4, n_actions=2)
    >>> policy.probs([[0.1, 0.0, -0.2, 0.3]])
    array([[0.5, 0.5]])
    """

    def __init__(
        self,
        feature_map: FeatureMap | int,
        n_actions: int,
        theta: ArrayLike | None = None,
        *,
        normalizer: Normalizer | None = None,
    ) -> None:
        phi = _check_map(feature_map)
        n_actions = _validate.integer("n_actions", n_actions, low=1, high=2**31 - 1)
        _validate.allocation("theta", phi.n_features, n_actions)
        self._assign(
            feature_map=phi,
            n_actions=n_actions,
            action_size=1,
            normalizer=_check_normalizer(normalizer, phi),
            theta=self._read(theta, np.zeros(phi.n_features * n_actions)),
        )

    @property
    def _log_std_bounds(self) -> tuple[float, float]:
        return 0.0, 0.0

    def _actions(self, actions: ArrayLike, n: int) -> IntArray:
        return _validate.integer_array(
            "actions", actions, (n,), low=0, high=self.n_actions, because="one for each observation"
        )

    def _cast(self, actions: FloatArray) -> IntArray:
        return actions[:, 0].astype(np.int64)

    def _tables(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-probabilities and probabilities, (n, n_actions), of rows of features."""
        log_probs, probs = _core.policy_table((features, None, self.n_actions), self.theta, thread_count())
        if not np.isfinite(probs).all():
            row = int(np.flatnonzero(~np.isfinite(probs).all(axis=1))[0])
            msg = f"theta: the logits of observations[{row}] overflow; features times theta must stay below 1.8e308"
            raise ValueError(msg)
        return log_probs, probs

    def probs(self, observations: ArrayLike) -> FloatArray:
        """Action probabilities of `observations` (n, dim): ndarray, shape (n, n_actions); rows sum to 1."""
        return self._tables(self.features(observations))[1]

    def log_prob(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Log-probabilities of pairs in nats: ndarray, shape (n,)."""
        features = self.features(observations)
        chosen: FloatArray = self._tables(features)[0][np.arange(len(features)), self._actions(actions, len(features))]
        return chosen

    def score(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Gradients of `log_prob` with respect to theta, phi (x) (e_a - pi): ndarray, shape (n, n_params).

        References
        ----------
        R. J. Williams, Machine Learning 8, 1992, section 6.
        """
        features = self.features(observations)
        n = len(features)
        chosen = self._actions(actions, n).astype(np.int32)
        probs = self._tables(features)[1]
        return _core.scores((features, None, self.n_actions), probs, np.arange(n, dtype=np.int32), chosen)

    def entropy(self, observations: ArrayLike) -> FloatArray:
        """Entropy of the action distributions in nats: ndarray, shape (n,)."""
        log_probs, probs = self._tables(self.features(observations))
        entropy: FloatArray = -np.sum(probs * log_probs, axis=1)
        return entropy

    def _divergence(self, new: LinearPolicy, batch: "Batch") -> float:
        other = cast("LinearSoftmax", new)
        if new.feature_map is self.feature_map and new.normalizer is self.normalizer:
            return _core.divergence(*self._on(batch), new.theta, thread_count())
        old_tables, new_tables = (policy._tables(policy._features_of(batch)) for policy in (self, other))
        return _core.mean_kl(old_tables, new_tables, batch.weights)

    def _meet(self, batch: "Batch") -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        actions = self._actions(batch.actions, len(batch)).astype(np.int32)
        features = self._features_of(batch)
        return (
            (features, None, self.n_actions),
            self._tables(features),
            (None, actions, *batch._columns(), False),
        )

    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, values = super()._fields()
        return arrays, {**values, "n_actions": self.n_actions}


class LinearGaussian(LinearPolicy):
    """A Gaussian over continuous actions, a ~ N(W^T phi(o), diag(exp(2 log_std))); log_std is the same everywhere.

    The policy knows no bounds of the actions: what it draws is what it learns from. Where an environment has bounds,
    actions are clipped on their way to it, and nowhere else.

    Parameters
    ----------
    feature_map : FeatureMap or int
        phi; an integer d stands for `npgfast.features.Linear(d)`.
    action_dim : int
        Numbers in an action.
    theta : array_like, shape (n_features * action_dim + action_dim,), optional
        W, shape (n_features, action_dim), in C order, then log_std; default zeros, then initial_log_std.
    initial_log_std : float or array_like, shape (action_dim,)
        Logarithm of the standard deviations, in units of the action; read where theta is not given.
    log_std_bounds : (float, float) or None
        Interval that updates keep log_std in; None for no bounds.
    normalizer : Normalizer, optional
        Of the observations; default none.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes and values.

    References
    ----------
    R. J. Williams, Machine Learning 8, 1992, section 6; A. Rajeswaran, K. Lowrey, E. Todorov, S. Kakade, NIPS 2017,
    arXiv:1703.02660, section 4.

    Examples
    --------
    >>> import npgfast as nf
    >>> policy = nf.LinearGaussian(3, action_dim=1, initial_log_std=-0.5)
    >>> policy.mode([[1.0, 0.0, 0.5]])
    array([[0.]])
    """

    log_std_bounds: tuple[float, float] | None

    def __init__(
        self,
        feature_map: FeatureMap | int,
        action_dim: int,
        theta: ArrayLike | None = None,
        initial_log_std: float | ArrayLike = 0.0,
        *,
        log_std_bounds: tuple[float, float] | None = (-5.0, 2.0),
        normalizer: Normalizer | None = None,
    ) -> None:
        phi = _check_map(feature_map)
        size = _validate.integer("action_dim", action_dim, low=1, high=2**31 - 1)
        _validate.allocation("theta", phi.n_features + 1, size)
        bounds = None if log_std_bounds is None else _check_bounds(log_std_bounds)
        if np.ndim(initial_log_std) == 0:
            log_std = np.full(size, _validate.real("initial_log_std", initial_log_std))
        else:
            log_std = _validate.real_array("initial_log_std", initial_log_std, (size,))
        self._assign(
            feature_map=phi,
            n_actions=0,
            action_size=size,
            log_std_bounds=bounds,
            normalizer=_check_normalizer(normalizer, phi),
            theta=self._read(theta, np.concatenate([np.zeros(phi.n_features * size), log_std])),
        )
        self._check_log_std()

    def _check_log_std(self) -> None:
        low, high = self._log_std_bounds
        outside = np.flatnonzero((self.log_std < low) | (self.log_std > high))
        if outside.size:
            i = int(outside[0])
            msg = f"log_std[{i}]={self.log_std[i]} outside log_std_bounds {[low, high]}"
            raise ValueError(msg)

    def with_theta(self, theta: ArrayLike) -> Self:
        """Return the same policy at another theta, shape (n_params,); ValueError if its log_std leaves the bounds."""
        other = super().with_theta(theta)
        other._check_log_std()
        return other

    @property
    def _log_std_bounds(self) -> tuple[float, float]:
        return (-np.inf, np.inf) if self.log_std_bounds is None else self.log_std_bounds

    @property
    def log_std(self) -> FloatArray:
        """Logarithms of the standard deviations: ndarray, shape (action_dim,)."""
        return self.theta[-self.action_size :]

    def _actions(self, actions: ArrayLike, n: int) -> FloatArray:
        return _validate.real_array("actions", actions, (n, self.action_size), because="one for each observation")

    def _cast(self, actions: FloatArray) -> FloatArray:
        return actions

    def log_prob(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Log-densities of pairs in nats: ndarray, shape (n,)."""
        features = self.features(observations)
        return _core.gaussian_log_probs(features, self.theta, self._actions(actions, len(features)))

    def score(self, observations: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Gradients of `log_prob` with respect to theta: ndarray, shape (n, n_params).

        (phi (x) z / sigma, z^2 - 1) with z = (a - W^T phi) / sigma.

        References
        ----------
        R. J. Williams, Machine Learning 8, 1992, section 6.
        """
        features = self.features(observations)
        return _core.gaussian_scores(features, self.theta, self._actions(actions, len(features)))

    def entropy(self, observations: ArrayLike) -> FloatArray:
        """Differential entropy of the action distributions in nats: ndarray, shape (n,)."""
        n = len(self._observations(observations))
        return np.full(n, float(np.sum(self.log_std)) + 0.5 * self.action_size * (1.0 + np.log(2.0 * np.pi)))

    def _divergence(self, new: LinearPolicy, batch: "Batch") -> float:
        shifts = new._features_of(batch) @ new._weights - self._features_of(batch) @ self._weights
        last = new.theta[-self.action_size :]
        return _core.gaussian_kl(np.ascontiguousarray(shifts), self.log_std.copy(), last.copy(), batch.weights)

    def _meet(self, batch: "Batch") -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        return (
            (self._features_of(batch), self.theta, *self._log_std_bounds),
            None,
            (None, self._actions(batch.actions, len(batch)), *batch._columns(), False),
        )

    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, values = super()._fields()
        bounds = None if self.log_std_bounds is None else list(self.log_std_bounds)
        return arrays, {**values, "action_dim": self.action_size, "log_std_bounds": bounds}


def _check_map(feature_map: object) -> FeatureMap:
    if isinstance(feature_map, FeatureMap):
        return feature_map
    if isinstance(feature_map, (int, np.integer)) and not isinstance(feature_map, bool):
        return Linear(int(feature_map))
    msg = f"feature_map: expected one of npgfast.features or a number of dimensions, got {type(feature_map).__name__}"
    raise TypeError(msg)


def _check_normalizer(normalizer: object, feature_map: FeatureMap) -> Normalizer | None:
    if normalizer is None:
        return None
    if not isinstance(normalizer, Normalizer):
        msg = f"normalizer: expected a Normalizer or None, got {type(normalizer).__name__}"
        raise TypeError(msg)
    if normalizer.mean.size != feature_map.dim:
        msg = f"normalizer: {normalizer.mean.size} dimensions, but the observations have {feature_map.dim}"
        raise ValueError(msg)
    return normalizer


def _check_bounds(bounds: object) -> tuple[float, float]:
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        msg = f"log_std_bounds: expected two numbers or None, got {bounds!r}"
        raise TypeError(msg)
    low = _validate.real("log_std_bounds[0]", bounds[0])
    return low, _validate.real("log_std_bounds[1]", bounds[1], low=low)


def restore(
    kind: type[LinearSoftmax] | type[LinearGaussian], arrays: dict[str, NDArray[Any]], values: dict[str, Any]
) -> LinearPolicy:
    """Rebuild a policy from its `_fields`."""
    settings = dict(values)
    settings["feature_map"] = FeatureMap._from_description(settings["feature_map"])
    if settings.get("log_std_bounds") is not None:
        settings["log_std_bounds"] = tuple(settings["log_std_bounds"])
    if "normalizer" in settings:
        mean, std = arrays["normalizer.mean"], arrays["normalizer.std"]
        settings["normalizer"] = Normalizer(mean, std, **settings["normalizer"])
    return kind(theta=arrays["theta"], **settings)
