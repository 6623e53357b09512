"""A batch: a weighted set of state-action pairs, the one object that exact and sampled algorithms share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.policies import SoftmaxPolicy

__all__ = ["Batch"]

FloatArray = NDArray[np.float64]
_Kept = TypeVar("_Kept")


@dataclass(frozen=True, eq=False)
class Batch:
    """A weighted set of state-action pairs, or observation-action pairs, with their advantages.

    Parameters
    ----------
    states : array_like of int, shape (n,), or of float, shape (n, dim)
        States, or observations.
    actions : array_like of int, shape (n,), or of float, shape (n, action_size)
        Numbers of discrete actions, or, on observations, continuous ones as the policy drew them, unclipped.
    advantages : array_like, shape (n,)
        In units of reward; not multiplied by the effective horizon.
    weights : array_like, shape (n,), optional
        Nonnegative, summing to 1 within 1e-9; default 1/n each.
    log_probs : array_like, shape (n,), optional
        Log-probabilities in nats under the policy that chose the actions; finite wherever the weight is positive.
        Only surrogates need them.
    effective_horizon : float
        L, the expected discounted length of an episode; gradients and surrogates are multiplied by it.
    exhaustive : bool
        The entries list every action of every row of states, (h,) s, a, and a weight is positive iff its state can be
        reached; `exact_batch` sets it. It lets the closed-form natural gradient use the advantages of actions whose
        probability has underflowed.

    Raises
    ------
    TypeError, ValueError
        For an empty batch, unequal lengths, values that are not finite, weights that do not sum to 1.

    Examples
    --------
    >>> import npgfast as nf
    >>> batch = nf.Batch([0, 0, 1], [0, 1, 1], [1.0, -1.0, 0.5])
    >>> batch.weights
    array([0.33333333, 0.33333333, 0.33333333])
    """

    states: NDArray[Any]
    actions: NDArray[Any]
    advantages: FloatArray
    weights: FloatArray
    log_probs: FloatArray | None
    effective_horizon: float
    exhaustive: bool

    def __init__(
        self,
        states: ArrayLike,
        actions: ArrayLike,
        advantages: ArrayLike,
        *,
        weights: ArrayLike | None = None,
        log_probs: ArrayLike | None = None,
        effective_horizon: float = 1.0,
        exhaustive: bool = False,
    ) -> None:
        s, a = _read_pairs(states, actions)
        n = len(s)
        because = f"to match states of shape {s.shape}"
        adv = _validate.real_array("advantages", advantages, (n,), because=because)
        if weights is None:
            w = np.full(n, 1.0 / n)
        else:
            w = _validate.real_array("weights", weights, (n,), because=because)
            if (w < 0.0).any():
                i = int(np.flatnonzero(w < 0.0)[0])
                msg = f"weights[{i}]={w[i]} is negative"
                raise ValueError(msg)
            if abs(float(w.sum()) - 1.0) > 1e-9:
                msg = f"weights sum to {float(w.sum())!r}, allowed 1 +- 1e-9"
                raise ValueError(msg)
        lp = None
        if log_probs is not None:
            lp = _validate.real_array("log_probs", log_probs, (n,), finite=False, because=because)
            too_large = (lp > 1e-9) & (a.ndim == 1)  # a density may exceed 1
            bad = np.flatnonzero((~np.isfinite(lp) | too_large) & ((w > 0.0) | np.isnan(lp)))
            if bad.size:
                msg = f"log_probs[{bad[0]}]={lp[bad[0]]}: expected the finite logarithm of a probability"
                raise ValueError(msg)
        horizon = _validate.real("effective_horizon", effective_horizon, low=0.0, low_open=True)
        for name, value, given in (
            ("states", s, states),
            ("actions", a, actions),
            ("advantages", adv, advantages),
            ("weights", w, weights),
            ("log_probs", lp, log_probs),
        ):
            object.__setattr__(self, name, None if value is None else _own(value, given))
        object.__setattr__(self, "effective_horizon", horizon)
        object.__setattr__(self, "exhaustive", bool(exhaustive))
        if self.exhaustive and self.observations is not None:
            msg = "exhaustive: a batch of observations cannot list all states"
            raise ValueError(msg)

    def __len__(self) -> int:
        return int(self.states.shape[0])

    @property
    def observations(self) -> FloatArray | None:
        """The states where they are observations, ndarray of shape (n, dim), else None."""
        return self.states if self.states.ndim == 2 else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (
            self.states,
            self.actions,
            self.advantages,
            self.weights,
            self.log_probs,
            self.effective_horizon,
            self.exhaustive,
        )

    @staticmethod
    def _check_listing(states: NDArray[np.int64], actions: NDArray[np.int64], n_actions: int) -> None:
        """An exhaustive batch lists the actions 0, 1, ... of one state after another."""
        n_rows = states.size // n_actions
        expected = np.repeat(states[::n_actions][:n_rows], n_actions)
        listed = states.size == n_rows * n_actions and np.array_equal(states, expected)
        if not listed or not np.array_equal(actions, np.tile(np.arange(n_actions), n_rows)):
            msg = f"batch.exhaustive: the entries do not list all {n_actions} actions of one state after another"
            raise ValueError(msg)

    def _columns(self) -> tuple[Any, ...]:
        """What follows states and actions in the core's batch, but for exhaustive."""
        return self.weights, self.advantages, self.log_probs, self.effective_horizon

    def _keep(self, name: str, keys: tuple[object, ...], compute: Callable[[], _Kept]) -> _Kept:
        """compute(), kept for the next call with the same name and keys: a batch and what it meets are immutable."""
        known, value = self.__dict__.get(name, (None, None))
        if known is None or any(one is not other for one, other in zip(known, keys, strict=True)):
            value = compute()
            object.__setattr__(self, name, (keys, value))
        return cast("_Kept", value)

    def _native(self, policy: SoftmaxPolicy) -> tuple[Any, ...]:
        """What the core takes, after checking the indices against the policy; kept for policies that share a mask."""
        return self._keep("_checked", (policy.action_mask,), lambda: self._check(policy))

    def _check(self, policy: SoftmaxPolicy) -> tuple[Any, ...]:
        if self.observations is not None:
            msg = f"batch.states: {type(policy).__name__} needs states of shape (n,), got a 2-d array of observations"
            raise ValueError(msg)
        s = _validate.integer_array("batch.states", self.states, (None,), low=0, high=policy.n_states)
        a = _validate.integer_array("batch.actions", self.actions, (None,), low=0, high=policy.n_actions)
        masked = np.flatnonzero(~policy.action_mask[s, a] & (self.weights > 0.0))
        if masked.size:
            i = int(masked[0])
            msg = f"batch.actions[{i}]={a[i]} is masked in state {s[i]}"
            raise ValueError(msg)
        if self.exhaustive:
            self._check_listing(s, a, policy.n_actions)
        return (
            s.astype(np.int32),
            a.astype(np.int32),
            *self._columns(),
            self.exhaustive,
        )


def _read_pairs(states: ArrayLike, actions: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    given = _validate.any_array("states", states)
    if given.size == 0:
        msg = "states: expected at least one entry, got an empty batch"
        raise ValueError(msg)
    if given.ndim != 2:
        s = _validate.integer_array("states", given if given.ndim == 1 else states, (None,), low=0, high=2**31 - 1)
        because = f"to match states of shape {s.shape}"
        return s, _validate.integer_array("actions", actions, s.shape, low=0, high=2**31 - 1, because=because)
    observations = _validate.real_array("states", given, (None, None))
    because = f"to match states of shape {observations.shape}"
    if _validate.any_array("actions", actions).ndim == 2:
        return observations, _validate.real_array("actions", actions, (len(observations), None), because=because)
    n = observations.shape[:1]
    return observations, _validate.integer_array("actions", actions, n, low=0, high=2**31 - 1, because=because)


def _own(array: NDArray[Any], given: object) -> NDArray[Any]:
    """A read-only array that shares no memory with what the caller gave."""
    own = array.copy() if isinstance(given, np.ndarray) and np.may_share_memory(array, given) else array
    own.flags.writeable = False
    return own


def _restore(
    states: ArrayLike,
    actions: ArrayLike,
    advantages: ArrayLike,
    weights: ArrayLike,
    log_probs: ArrayLike | None,
    effective_horizon: float,
    exhaustive: bool,
) -> Batch:
    return Batch(
        states,
        actions,
        advantages,
        weights=weights,
        log_probs=log_probs,
        effective_horizon=effective_horizon,
        exhaustive=exhaustive,
    )
