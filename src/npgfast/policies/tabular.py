"""Softmax policies over finitely many states: tabular and log-linear, in log-space, with exact action masks."""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.policies.policy import Policy, freeze
from npgfast.threads import thread_count

if TYPE_CHECKING:
    from npgfast.batch import Batch

__all__ = ["LogLinear", "SoftmaxPolicy", "TabularSoftmax"]

FloatArray = NDArray[np.float64]
NativePolicy = tuple[FloatArray | None, FloatArray | None, NDArray[np.uint8]]


def _read_mask(action_mask: ArrayLike | None, n_states: int, n_actions: int) -> NDArray[np.bool_]:
    if action_mask is None:
        mask = np.ones((n_states, n_actions), dtype=np.bool_)
        mask.flags.writeable = False
        return mask
    mask = _validate.boolean_array("action_mask", action_mask, (n_states, n_actions))
    closed = np.flatnonzero(~mask.any(axis=1))
    if closed.size:
        msg = f"action_mask[{closed[0]}] allows no action; every state needs at least one"
        raise ValueError(msg)
    return freeze(mask, action_mask)


class SoftmaxPolicy(Policy):
    """A policy pi(a|s) ~ exp(logit(s, a)) over finitely many states, an immutable value.

    The two kinds are `TabularSoftmax` and `LogLinear`. Everything is computed from log-probabilities; masked actions
    have probability exactly 0 and log-probability -inf, and no gradient.
    """

    n_states: int
    n_actions: int
    action_mask: NDArray[np.bool_]

    @property
    @abstractmethod
    def _native(self) -> NativePolicy:
        """What the core takes: features or None, offset or None, mask."""

    def _on(self, batch: "Batch") -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        return self._native, self._table, batch._native(self)

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Log-probabilities and probabilities, each (S, A) and read-only."""
        log_probs, probs = _core.policy_table(self._native, self.theta, thread_count())
        if not np.isfinite(probs).all():
            state = int(np.flatnonzero(~np.isfinite(probs).all(axis=1))[0])
            msg = f"theta: the logits of state {state} overflow; features times theta must stay below 1.8e308"
            raise ValueError(msg)
        log_probs.flags.writeable = False
        probs.flags.writeable = False
        return log_probs, probs

    def _all_or(self, states: ArrayLike | None) -> NDArray[np.int64]:
        return np.arange(self.n_states) if states is None else self._states(states)

    def _states(self, states: ArrayLike) -> NDArray[np.int64]:
        return _validate.integer_array("states", states, (None,), low=0, high=self.n_states)

    def _pairs(self, states: ArrayLike, actions: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        checked = self._states(states)
        return checked, _validate.integer_array(
            "actions", actions, checked.shape, low=0, high=self.n_actions, because="one for each of states"
        )

    def probs(self, states: ArrayLike | None = None) -> FloatArray:
        """Action probabilities of `states` (n,), or of all states: ndarray, shape (n, A); rows sum to 1."""
        probs: FloatArray = self._table[1][self._all_or(states)]
        return probs

    def log_prob(self, states: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Log-probabilities of pairs in nats: ndarray, shape (n,); -inf where an action is masked."""
        log_probs: FloatArray = self._table[0][self._pairs(states, actions)]
        return log_probs

    def score(self, states: ArrayLike, actions: ArrayLike) -> FloatArray:
        """Gradients of the log-probabilities of pairs with respect to theta.

        Parameters
        ----------
        states, actions : array_like of int, shape (n,)

        Returns
        -------
        ndarray, shape (n, n_params)
            phi(s, a) - E_pi phi(s, .); for a tabular policy phi is the unit vector of (s, a).

        Raises
        ------
        TypeError, ValueError
            For indices that are not integers or out of range.

        References
        ----------
        R. S. Sutton, D. McAllester, S. Singh, Y. Mansour, "Policy gradient methods for reinforcement learning with
        function approximation", NIPS 1999, section 3.

        Examples
        --------
        >>> import npgfast as nf
        >>> policy = nf.TabularSoftmax(1, 2)
        >>> policy.score([0], [1])
        array([[-0.5,  0.5]])
        """
        s, a = self._pairs(states, actions)
        return _core.scores(self._native, self._table[1], s.astype(np.int32), a.astype(np.int32))

    def entropy(self, states: ArrayLike | None = None) -> FloatArray:
        """Entropy of the action distributions in nats: ndarray, shape (n,)."""
        log_probs, probs = (table[self._all_or(states)] for table in self._table)
        entropy: FloatArray = -np.sum(probs * np.where(probs > 0.0, log_probs, 0.0), axis=1)
        return entropy

    def sample(self, states: ArrayLike, *, seed: int) -> NDArray[np.int64]:
        """Draw one action for each of `states`.

        Parameters
        ----------
        states : array_like of int, shape (n,)
        seed : int
            In [0, 2**64). Draw i is a function of the seed, i and the distribution of states[i] alone.

        Returns
        -------
        ndarray of int, shape (n,)

        Examples
        --------
        >>> import npgfast as nf
        >>> policy = nf.TabularSoftmax(2, 3)
        >>> policy.sample([0, 1, 1], seed=7).shape
        (3,)
        """
        s = self._states(states)
        checked = _validate.integer("seed", seed, low=0, high=2**64 - 1)
        actions = _core.sample_actions(self._table[1], s.astype(np.int32), checked)
        return actions.astype(np.int64)

    def mode(self, states: ArrayLike | None = None) -> NDArray[np.int64]:
        """Most probable action of each state, ties to the lowest: ndarray of int, shape (n,)."""
        actions: NDArray[np.int64] = np.argmax(self.probs(states), axis=1)
        return actions

    def __hash__(self) -> int:
        return hash((type(self), self.n_states, self.n_actions, (self.theta + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n_states={self.n_states}, n_actions={self.n_actions}, n_params={self.n_params})"


class TabularSoftmax(SoftmaxPolicy):
    """The tabular softmax pi(a|s) ~ exp(theta[s, a]).

    Parameters
    ----------
    n_states, n_actions : int
        Sizes S and A.
    theta : array_like, shape (S*A,) or (S, A), optional
        Logits; default zeros, the uniform policy. Kept flat, in the order (s, a).
    action_mask : array_like of bool, shape (S, A), optional
        True where an action is allowed; default everywhere.

    Raises
    ------
    TypeError, ValueError
        For sizes below 1, a wrong shape, a theta that is not finite, a state without an allowed action.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, "On the theory of policy gradient methods: optimality,
    approximation, and distribution shift", JMLR 22(98), 2021, section 2.

    Examples
    --------
    >>> import npgfast as nf
    >>> policy = nf.TabularSoftmax(3, 2)
    >>> policy.probs()[0]
    array([0.5, 0.5])
    """

    def __init__(
        self,
        n_states: int,
        n_actions: int,
        theta: ArrayLike | None = None,
        *,
        action_mask: ArrayLike | None = None,
    ) -> None:
        n_states = _validate.integer("n_states", n_states, low=1, high=2**31 - 1)
        n_actions = _validate.integer("n_actions", n_actions, low=1, high=2**31 - 1)
        _validate.allocation("theta", n_states, n_actions)
        mask = _read_mask(action_mask, n_states, n_actions)
        if theta is None:
            logits = np.zeros(n_states * n_actions)
            logits.flags.writeable = False
        else:
            given = _validate.any_array("theta", theta)
            shape = (n_states, n_actions) if given.ndim == 2 else (n_states * n_actions,)
            logits = freeze(_validate.real_array("theta", given, shape).reshape(-1), theta)
        self._assign(n_states=n_states, n_actions=n_actions, theta=logits, action_mask=mask)

    @property
    def _native(self) -> NativePolicy:
        return None, None, self.action_mask.view(np.uint8)

    def with_theta(self, theta: ArrayLike) -> Self:
        """Return the same policy at another theta, shape (S*A,) or (S, A)."""
        other = type(self)(self.n_states, self.n_actions, theta)
        other._assign(action_mask=self.action_mask)
        return other

    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
        sizes = {"n_states": self.n_states, "n_actions": self.n_actions}
        return {"theta": self.theta, "action_mask": self.action_mask}, sizes


class LogLinear(SoftmaxPolicy):
    """The log-linear softmax pi(a|s) ~ exp(theta . phi(s, a) + offset[s, a]).

    Parameters
    ----------
    features : array_like, shape (S, A, d)
        phi(s, a); may be of deficient rank.
    theta : array_like, shape (d,), optional
        Default zeros.
    offset : array_like, shape (S, A), optional
        Fixed logits added to the linear ones; default none.
    action_mask : array_like of bool, shape (S, A), optional
        True where an action is allowed; default everywhere.

    Raises
    ------
    TypeError, ValueError
        For wrong shapes, values that are not finite, a state without an allowed action.

    References
    ----------
    A. Agarwal, S. M. Kakade, J. D. Lee, G. Mahajan, JMLR 22(98), 2021, section 6.

    Examples
    --------
    >>> import numpy as np, npgfast as nf
    >>> policy = nf.LogLinear(np.eye(4).reshape(2, 2, 4))
    >>> policy.n_params, policy.probs([1])[0]
    (4, array([0.5, 0.5]))
    """

    features: FloatArray
    offset: FloatArray | None

    def __init__(
        self,
        features: ArrayLike,
        theta: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        action_mask: ArrayLike | None = None,
    ) -> None:
        phi = freeze(_validate.real_array("features", features, (None, None, None)), features)
        n_states, n_actions, n_params = phi.shape
        because = f"to match features of shape {phi.shape}"
        mask = _read_mask(action_mask, n_states, n_actions)
        if theta is None:
            weights = np.zeros(n_params)
            weights.flags.writeable = False
        else:
            weights = freeze(_validate.real_array("theta", theta, (n_params,), because=because), theta)
        logits = None
        if offset is not None:
            logits = freeze(_validate.real_array("offset", offset, (n_states, n_actions), because=because), offset)
        self._assign(
            n_states=n_states, n_actions=n_actions, theta=weights, action_mask=mask, features=phi, offset=logits
        )

    @property
    def _native(self) -> NativePolicy:
        return self.features, self.offset, self.action_mask.view(np.uint8)

    def with_theta(self, theta: ArrayLike) -> Self:
        """Return the same policy at another theta, shape (d,); features, offset and mask are shared."""
        other = object.__new__(type(self))
        weights = _validate.real_array("theta", theta, (self.n_params,), because="to match the policy")
        other._assign(
            n_states=self.n_states,
            n_actions=self.n_actions,
            theta=freeze(weights, theta),
            action_mask=self.action_mask,
            features=self.features,
            offset=self.offset,
        )
        return other

    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
        arrays = {"features": self.features, "theta": self.theta, "action_mask": self.action_mask}
        if self.offset is not None:
            arrays["offset"] = self.offset
        return arrays, {}
