"""The tabular Markov decision process: an immutable value that every exact and sampled method takes."""

from __future__ import annotations

import math
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate, storage
from npgfast.problems import kernel as _kernel
from npgfast.problems.graph import reachable_states, terminating_states
from npgfast.problems.kernel import Kernel

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["TabularMDP"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Native = tuple[
    NDArray[np.int64],
    NDArray[np.int32],
    FloatArray,
    FloatArray,
    FloatArray,
    FloatArray,
    NDArray[np.uint8],
    float,
    int,
]

_KIND: Final = "TabularMDP"
_MAX_HORIZON: Final = 2**31 - 1
_KEEP: Final = object()


@final
class TabularMDP:
    """A finite Markov decision process with discount, optional horizon, termination and action masks.

    Immutable: arrays are read-only copies, and equality is by value. Row (s, a) of the kernel holds the probabilities
    of going on in s'; what is missing to 1 is `termination`, the probability that the episode ends with this step.
    Values after termination are 0.

    A zero-reward absorbing state (every allowed action stays with probability 1 and reward 0) counts as termination:
    the probability of moving into it becomes termination mass of (s, a), its own rows become termination 1, so that an
    episode that starts there lasts one step. Its value is 0 either way.

    Parameters
    ----------
    transitions : array_like, shape (S, A, S); sparse matrix, shape (S * A, S); or list of A matrices, shape (S, S)
        Probabilities P(s' | s, a). In the sparse form row ``s * A + a`` belongs to (s, a); any object with ``tocsr`` is
        read that way. A list or tuple of 2-d arrays or sparse matrices holds one matrix per action. Duplicates are
        summed, explicit zeros dropped, entries in [-1e-12, 0) taken as 0. Each row plus its termination sums to 1
        within max(1e-8, S * eps); the internal copy is then divided by that sum, unless only rounding is off.
    rewards : array_like, shape (S,), (S, A) or (S, A, S)
        Reward per step. (S, A) is the expected immediate reward, what is paid on termination included. (S, A, S) is
        averaged over the successors that do not end the episode.
    initial_distribution : array_like, shape (S,), optional
        Probabilities of the first state; uniform over all S states if None.
    termination : array_like, shape (S, A), optional
        Probability that (s, a) ends the episode; zeros if None (it is never inferred from rows that fall short).
    termination_rewards : array_like, shape (S, A), optional
        Reward paid when (s, a) ends the episode; only with rewards (S, A, S), and required there if any termination is
        positive.
    action_mask : array_like of bool, shape (S, A), optional
        True where the action is allowed; all if None. What the other arguments say of forbidden actions is not read.
    gamma : float
        Discount in [0, 1]. gamma = 1 without horizon requires that from every state allowed actions can reach
        termination with positive probability.
    horizon : int, optional
        Number of steps H of the objective; None for no limit.

    Attributes
    ----------
    n_states, n_actions : int
        S and A.
    gamma : float
        Discount.
    horizon : int or None
        Steps of the objective.
    rewards : ndarray, shape (S, A)
        Expected immediate rewards; 0 for forbidden actions.
    initial_distribution : ndarray, shape (S,)
        Sums to 1.
    termination : ndarray, shape (S, A)
        Probability that the step ends the episode; 0 for forbidden actions.
    action_mask : ndarray of bool, shape (S, A)
        True where allowed.

    Raises
    ------
    TypeError
        For arguments of a wrong kind (complex, object, masked arrays, ...).
    ValueError
        For wrong shapes, rows that do not sum to 1, numbers that are not finite, a state without an allowed action,
        gamma = 1 where some state never ends, or values that could overflow: 4 max|r| L must be representable.

    References
    ----------
    Puterman, M. L. (1994), Markov Decision Processes, chapter 2.

    Examples
    --------
    >>> from npgfast.problems import TabularMDP
    >>> mdp = TabularMDP([[[0.0, 1.0]], [[0.5, 0.5]]], [1.0, 0.0], gamma=0.9)
    >>> mdp.dense()[1, 0]
    array([0.5, 0.5])
    """

    n_states: int
    n_actions: int
    gamma: float
    horizon: int | None
    rewards: FloatArray
    initial_distribution: FloatArray
    termination: FloatArray
    action_mask: BoolArray
    _kernel: Kernel

    def __init__(
        self,
        transitions: Any,
        rewards: ArrayLike,
        *,
        initial_distribution: ArrayLike | None = None,
        termination: ArrayLike | None = None,
        termination_rewards: ArrayLike | None = None,
        action_mask: ArrayLike | None = None,
        gamma: float = 1.0,
        horizon: int | None = None,
    ) -> None:
        entries = _kernel.read_transitions(transitions)
        shape = (entries.n_states, entries.n_actions)
        because = f"to match transitions with S={shape[0]} and A={shape[1]}"
        mask = _read_mask(action_mask, shape, because)
        ends = None
        if termination is not None:
            ends = _validate.real_array("termination", termination, shape, finite=False, because=because)
        kernel, stops = _kernel.normalise(entries, mask, ends)
        expected = _read_rewards(rewards, termination_rewards, kernel, stops, mask, because)
        kernel, stops = _kernel.absorb(kernel, stops, expected, mask)
        mu = _read_distribution(initial_distribution, shape[0], because)
        self._assign(kernel, stops, expected, mu, mask, *_read_objective(gamma, horizon))
        self._check_objective()

    def _assign(
        self,
        kernel: Kernel,
        termination: FloatArray,
        rewards: FloatArray,
        initial_distribution: FloatArray,
        action_mask: BoolArray,
        gamma: float,
        horizon: int | None,
    ) -> None:
        for array in (*kernel, termination, rewards, initial_distribution, action_mask):
            array.setflags(write=False)
        vars(self).update(
            n_states=action_mask.shape[0],
            n_actions=action_mask.shape[1],
            gamma=gamma,
            horizon=horizon,
            rewards=rewards,
            initial_distribution=initial_distribution,
            termination=termination,
            action_mask=action_mask,
            _kernel=kernel,
        )

    @classmethod
    def _restore(cls, *fields: Any) -> TabularMDP:
        """Rebuild from the fields of an instance, bit for bit and unchecked."""
        mdp = object.__new__(cls)
        mdp._assign(Kernel(*fields[:3]), *fields[3:])
        return mdp

    def _fields(self) -> tuple[Any, ...]:
        arrays = (self.termination, self.rewards, self.initial_distribution, self.action_mask)
        return (*self._kernel, *arrays, self.gamma, self.horizon)

    def _check_objective(self) -> None:
        if self.gamma == 1.0 and self.horizon is None:
            ends = np.any(self.termination > 0.0, axis=1)
            able = terminating_states(self._kernel.indptr, self._kernel.indices, ends)
            if not able.all():
                msg = (
                    "gamma=1 without horizon needs termination that every state can reach; state "
                    f"s={int(np.argmin(able))} cannot: give gamma < 1, a horizon, or termination"
                )
                raise ValueError(msg)
        steps = math.inf if self.gamma == 1.0 else 1.0 / (1.0 - self.gamma)
        if self.horizon is not None:
            steps = min(steps, float(self.horizon))
        elif self.gamma == 1.0:
            steps = 1.0
        largest = float(np.max(np.abs(self.rewards)))
        if largest > np.finfo(np.float64).max / 4.0 / steps:
            row = int(np.argmax(np.abs(self.rewards)))
            s, a = divmod(row, self.n_actions)
            msg = (
                f"rewards[s={s}, a={a}]={self.rewards[s, a]}: the value bound 4 * {largest:.3g} * {steps:.3g} steps "
                f"exceeds {np.finfo(np.float64).max:.3g}"
            )
            raise ValueError(msg)

    @property
    def csr(self) -> tuple[NDArray[np.int64], NDArray[np.int32], FloatArray]:
        """Kernel in CSR form: indptr (S * A + 1,), indices (nnz,) and probabilities (nnz,); row ``s * A + a``.

        Rows sum to 1 - termination; indices ascend within a row; every stored probability is positive.
        """
        return self._kernel.indptr, self._kernel.indices, self._kernel.probabilities

    @cached_property
    def reachable(self) -> BoolArray:
        """ndarray of bool, shape (S,): states that allowed actions can visit from the initial distribution.

        A graph search, so that no probability underflows. It follows as many steps as the objective looks at:
        horizon - 1, none at gamma = 0, else without limit.
        """
        limit = 0 if self.gamma == 0.0 else None if self.horizon is None else self.horizon - 1
        found = reachable_states(
            self._kernel.indptr, self._kernel.indices, self.initial_distribution > 0.0, max_steps=limit
        )
        found.setflags(write=False)
        return found

    @cached_property
    def _native(self) -> Native:
        """The fields as the compiled core takes them; horizon 0 stands for none."""
        return (
            *self.csr,
            self.termination,
            self.rewards,
            self.initial_distribution,
            self.action_mask.view(np.uint8),
            self.gamma,
            self.horizon or 0,
        )

    def dense(self) -> FloatArray:
        """Kernel as a new array, shape (S, A, S); rows sum to 1 - termination.

        Raises
        ------
        ValueError, MemoryError
            If it would be larger than an array or the machine's memory can be; raised before anything is allocated.
        """
        shape = (self.n_states, self.n_actions, self.n_states)
        _validate.allocation("dense transitions (S * A * S)", *shape)
        out = np.zeros((self.n_states * self.n_actions, self.n_states))
        out[self._kernel.rows(), self._kernel.indices] = self._kernel.probabilities
        return out.reshape(shape)

    def with_time(self) -> TabularMDP:
        """The same problem with time in the state: H * S states, index ``h * S + s``, and no horizon.

        The last step terminates. A stationary policy of the result is a non-stationary one of this problem.

        Returns
        -------
        TabularMDP
            gamma unchanged, initial states at h = 0, action mask repeated.

        Raises
        ------
        ValueError
            Without a horizon, or when H * S exceeds 2**31 - 1.
        MemoryError
            If the result would exceed the memory that the machine can give.

        Examples
        --------
        >>> from npgfast import problems
        >>> problems.two_state(gamma=0.9, horizon=3).with_time().n_states
        6
        """
        if self.horizon is None:
            msg = "with_time: horizon=None, expected a problem with a horizon (see replace)"
            raise ValueError(msg)
        n_times, n_states, n_actions = self.horizon, self.n_states, self.n_actions
        if n_times * n_states > _kernel.MAX_STATES:
            msg = f"with_time: H * S = {n_times * n_states} states, allowed at most {_kernel.MAX_STATES}"
            raise ValueError(msg)
        indptr, indices, probabilities = self.csr
        _validate.allocation("with_time", n_times, 12 * indices.size + 25 * n_states * n_actions, itemsize=1)
        moves = n_times - 1
        successors = np.arange(1, n_times, dtype=np.int64)[:, None] * n_states + indices[None, :]
        starts = np.arange(moves, dtype=np.int64)[:, None] * indices.size + indptr[None, :-1]
        tail = np.full(n_states * n_actions + 1, moves * indices.size, np.int64)
        kernel = Kernel(
            np.concatenate([starts.ravel(), tail]),
            successors.ravel().astype(np.int32),
            np.tile(probabilities, moves),
        )
        termination = np.concatenate([np.tile(self.termination, (moves, 1)), self.action_mask.astype(np.float64)])
        mu = np.zeros(n_times * n_states)
        mu[:n_states] = self.initial_distribution
        rewards, mask = np.tile(self.rewards, (n_times, 1)), np.tile(self.action_mask, (n_times, 1))
        return TabularMDP._restore(*kernel, termination, rewards, mu, mask, self.gamma, None)

    def replace(self, *, gamma: Any = _KEEP, horizon: Any = _KEEP, initial_distribution: Any = _KEEP) -> TabularMDP:
        """A copy with another objective; what is not given stays as it is.

        Parameters
        ----------
        gamma : float
            Discount in [0, 1].
        horizon : int or None
            Steps of the objective, None for no limit.
        initial_distribution : array_like, shape (S,), or None
            None for uniform.

        Raises
        ------
        TypeError, ValueError
            As the constructor.
        """
        new_gamma, new_horizon = _read_objective(
            self.gamma if gamma is _KEEP else gamma, self.horizon if horizon is _KEEP else horizon
        )
        mu = self.initial_distribution
        if initial_distribution is not _KEEP:
            mu = _read_distribution(initial_distribution, self.n_states, f"to match n_states={self.n_states}")
        mdp = TabularMDP._restore(
            *self._kernel, self.termination, self.rewards, mu, self.action_mask, new_gamma, new_horizon
        )
        mdp._check_objective()
        return mdp

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a safetensors file, atomically.

        Raises
        ------
        OSError
            As the file system has it; an older file at `path` is then intact.
        """
        names = ("indptr", "indices", "probabilities", "termination", "rewards", "initial_distribution")
        arrays: dict[str, NDArray[Any]] = dict(zip(names, self._fields()[:6], strict=True))
        arrays["action_mask"] = self.action_mask.view(np.uint8)
        storage.save(path, _KIND, arrays, {"gamma": self.gamma, "horizon": self.horizon})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TabularMDP:
        """Read what `save` wrote; the result equals the saved one bit for bit.

        Raises
        ------
        npgfast.storage.CheckpointError
            If the file is not a whole file of that kind.
        OSError
            If it cannot be read.
        """
        arrays, metadata = storage.load(path, _KIND)
        try:
            mdp = cls._restore(
                *(arrays[name] for name in ("indptr", "indices", "probabilities", "termination", "rewards")),
                arrays["initial_distribution"],
                _validate.boolean_array("action_mask", arrays["action_mask"], (None, None)),
                metadata["gamma"],
                metadata["horizon"],
            )
            _check_restored(mdp)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            msg = f"{os.fspath(path)}: not a valid TabularMDP: {error!r}"
            raise storage.CheckpointError(msg) from error
        return mdp

    @classmethod
    def from_gymnasium(
        cls,
        env_or_id: str | Env[Any, Any],
        *,
        gamma: float = 1.0,
        horizon: int | Literal["time_limit"] | None = None,
        **make_kwargs: Any,
    ) -> TabularMDP:
        """Read the model of a tabular Gymnasium environment (its ``P`` and ``initial_state_distrib``).

        Parameters
        ----------
        env_or_id : Env or str
            FrozenLake, Taxi, CliffWalking, their variants, or any environment whose unwrapped form has
            ``P[s][a] = [(probability, s', reward, terminated), ...]``. An id is made and closed here.
        gamma : float
            Discount in [0, 1].
        horizon : int, None or "time_limit"
            Steps of the objective; "time_limit" takes the environment's own ``max_episode_steps``.
        **make_kwargs
            Passed to ``gymnasium.make``; only with an id.

        Returns
        -------
        TabularMDP
            Repeated successors are summed, ``terminated`` becomes termination mass, rewards are expectations. Taxi's
            ``info["action_mask"]`` is not applied: the masked actions are legal no-ops of the model.

        Warns
        -----
        UserWarning
            For Taxi's ``fickle_passenger``, which depends on a hidden state that ``P`` does not hold.

        Raises
        ------
        TypeError, ValueError
            If there is no ``P``, an action is missing, probabilities of an action do not sum to 1 (naming state and
            action), or "time_limit" is asked of an environment without one.

        Examples
        --------
        >>> from npgfast.problems import TabularMDP
        >>> TabularMDP.from_gymnasium("FrozenLake-v1", gamma=0.99).n_states
        16
        """
        from npgfast.problems.gymnasium_models import from_gymnasium

        return from_gymnasium(env_or_id, gamma=gamma, horizon=horizon, **make_kwargs)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"TabularMDP is immutable, cannot set {name!r}; use replace()"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"TabularMDP is immutable, cannot delete {name!r}"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = self._fields()
        return TabularMDP._restore, (*fields[:3], *fields[3:])

    def __copy__(self) -> TabularMDP:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TabularMDP:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TabularMDP):
            return NotImplemented
        return all(np.array_equal(mine, theirs) for mine, theirs in zip(self._fields(), other._fields(), strict=True))

    def __hash__(self) -> int:
        return hash((self.n_states, self.n_actions, self._kernel.indices.size, self.gamma, self.horizon))

    def __repr__(self) -> str:
        return (
            f"TabularMDP(n_states={self.n_states}, n_actions={self.n_actions}, nnz={self._kernel.indices.size}, "
            f"gamma={self.gamma}, horizon={self.horizon})"
        )


def _read_mask(action_mask: ArrayLike | None, shape: tuple[int, int], because: str) -> BoolArray:
    if action_mask is None:
        return np.ones(shape, np.bool_)
    mask = _validate.boolean_array("action_mask", action_mask, shape, because=because).copy()
    blocked = ~mask.any(axis=1)
    if blocked.any():
        msg = f"action_mask[s={int(np.argmax(blocked))}] allows no action, expected at least one"
        raise ValueError(msg)
    return mask


def _read_rewards(
    rewards: ArrayLike,
    termination_rewards: ArrayLike | None,
    kernel: Kernel,
    termination: FloatArray,
    mask: BoolArray,
    because: str,
) -> FloatArray:
    n_states, n_actions = mask.shape
    raw = _validate.any_array("rewards", rewards)
    shapes: dict[int, tuple[int, ...]] = {1: (n_states,), 3: (n_states, n_actions, n_states)}
    given = _validate.real_array("rewards", raw, shapes.get(raw.ndim, mask.shape), finite=False, because=because)
    if raw.ndim < 3 and termination_rewards is not None:
        msg = "termination_rewards: only with rewards of shape (S, A, S); (S, A) includes them"
        raise ValueError(msg)
    if raw.ndim == 1:
        given = np.repeat(given[:, None], n_actions, axis=1)
    _check_finite("rewards", given, mask)
    if raw.ndim < 3:
        return np.where(mask, given, 0.0)
    flat = given.reshape(n_states * n_actions, n_states)
    rows = kernel.rows()
    parts = kernel.probabilities * flat[rows, kernel.indices]
    expected: FloatArray = np.bincount(rows, weights=parts, minlength=mask.size).astype(np.float64)
    expected = expected.reshape(mask.shape)
    if termination_rewards is not None:
        final = _validate.real_array(
            "termination_rewards", termination_rewards, mask.shape, finite=False, because=because
        )
        _check_finite("termination_rewards", final, mask)
        expected = expected + termination * np.where(mask, final, 0.0)
    elif np.any(termination > 0.0):
        s, a = divmod(int(np.argmax(termination > 0.0)), n_actions)
        msg = f"termination_rewards: required with rewards (S, A, S), as termination[s={s}, a={a}]={termination[s, a]}"
        raise ValueError(msg)
    _check_finite("rewards", expected, mask)
    return np.where(mask, expected, 0.0)


def _check_finite(name: str, values: FloatArray, mask: BoolArray) -> None:
    bad = ~np.isfinite(values) & (mask if values.ndim == 2 else mask[:, :, None])
    if bad.any():
        index = tuple(np.argwhere(bad)[0].tolist())
        where = ", ".join(f"{label}={i}" for label, i in zip(("s", "a", "s'"), index, strict=False))
        msg = f"{name}[{where}]={values[index]} is not finite"
        raise ValueError(msg)


def _read_distribution(value: ArrayLike | None, n_states: int, because: str) -> FloatArray:
    name = "initial_distribution"
    if value is None:
        return np.full(n_states, 1.0 / n_states)
    mu = _validate.real_array(name, value, (n_states,), because=because)
    bad = mu < -_kernel.NEGATIVE_TOLERANCE
    if bad.any():
        s = int(np.argmax(bad))
        msg = f"{name}[s={s}]={mu[s]}, allowed a probability >= 0"
        raise ValueError(msg)
    mu = np.maximum(mu, 0.0)
    total = float(mu.sum())
    tolerance = max(_kernel.ROW_TOLERANCE, n_states * np.finfo(np.float64).eps)
    if not abs(total - 1.0) <= tolerance:
        msg = f"{name} sums to {total:.12g} (error {abs(total - 1):.3g}), allowed 1 +- {tolerance:.3g}"
        raise ValueError(msg)
    return mu / total if abs(total - 1.0) > n_states * np.finfo(np.float64).eps else mu


def _read_objective(gamma: object, horizon: object) -> tuple[float, int | None]:
    discount = _validate.real("gamma", gamma, low=0.0, high=1.0)
    return discount, None if horizon is None else _validate.integer("horizon", horizon, low=1, high=_MAX_HORIZON)


def _check_restored(mdp: TabularMDP) -> None:
    """Check the invariants that the constructor establishes, without changing a bit."""
    n_states, n_actions = mdp.action_mask.shape
    shape, (indptr, indices, probabilities) = mdp.action_mask.shape, mdp.csr
    _validate.integer_array("indptr", indptr, (n_states * n_actions + 1,), low=0, high=indices.size + 1)
    _validate.integer_array("indices", indices, (indices.size,), low=0, high=n_states)
    _validate.real_array("probabilities", probabilities, (indices.size,))
    if indptr[0] != 0 or indptr[-1] != indices.size or np.any(np.diff(indptr) < 0):
        msg = "indptr is not a row pointer"
        raise ValueError(msg)
    wanted = (np.int64, np.int32, *4 * (np.float64,))
    if any(array.dtype != dtype for array, dtype in zip(mdp._fields(), wanted, strict=False)):
        msg = "wrong dtypes"
        raise TypeError(msg)
    rows = np.repeat(np.arange(n_states * n_actions), np.diff(indptr))
    entries = _kernel.Entries(n_states, n_actions, rows, indices.astype(np.int64), probabilities)
    _validate.real_array("termination", mdp.termination, shape)
    _validate.real_array("rewards", mdp.rewards, shape)
    mask = _read_mask(mdp.action_mask, shape, "")
    kernel, _ = _kernel.normalise(entries, mask, mdp.termination)
    if kernel.indices.size != indices.size or not np.array_equal(kernel.indices, indices):
        msg = "the kernel is not canonical"
        raise ValueError(msg)
    _read_distribution(mdp.initial_distribution, n_states, "")
    if (mdp.gamma, mdp.horizon) != _read_objective(mdp.gamma, mdp.horizon):
        msg = "gamma or horizon"
        raise ValueError(msg)
    mdp._check_objective()
