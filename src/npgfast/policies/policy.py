"""What every policy is: an immutable value with flat parameters that can be compared, hashed, pickled and saved."""

import os
from abc import ABC, abstractmethod
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import storage

__all__ = ["Policy"]

FloatArray = NDArray[np.float64]


def freeze(array: NDArray[Any], given: object) -> NDArray[Any]:
    """A read-only array that shares no memory with what the caller gave."""
    own = array.copy() if np.may_share_memory(array, np.asarray(given)) else array
    own.flags.writeable = False
    return own


class Policy(ABC):
    """A policy with flat parameters `theta`, an immutable value.

    The kinds are `TabularSoftmax` and `LogLinear` on finitely many states, `LinearSoftmax` and `LinearGaussian` on
    observations.
    """

    theta: FloatArray

    @property
    def n_params(self) -> int:
        """Number of parameters, the length of `theta`."""
        return int(self.theta.size)

    @abstractmethod
    def with_theta(self, theta: ArrayLike) -> Self:
        """Return the same policy at another theta, shape (n_params,)."""

    @abstractmethod
    def _fields(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays, and values as JSON has them, that rebuild the policy."""

    @abstractmethod
    def _on(self, batch: Any) -> tuple[tuple[Any, ...], tuple[FloatArray, FloatArray] | None, tuple[Any, ...]]:
        """What the core's geometry takes: the policy, its tables or None, and the batch, checked against the policy."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy to a safetensors file, replacing it atomically; `load_policy` reads it back.

        Raises
        ------
        OSError
            If the file cannot be written; what stood there before is then unchanged.
        """
        arrays, sizes = self._fields()
        storage.save(path, "policy", arrays, {"class": type(self).__name__, **sizes})

    def __reduce__(self) -> tuple[Any, ...]:
        from npgfast.policies import _restore

        return _restore, (type(self).__name__, *self._fields())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"{type(self).__name__} is immutable; use with_theta()"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Policy):
            return NotImplemented
        mine, theirs = self._fields(), other._fields()
        return (
            mine[1] == theirs[1]
            and mine[0].keys() == theirs[0].keys()
            and all(np.array_equal(array, theirs[0][name]) for name, array in mine[0].items())
        )

    def __hash__(self) -> int:
        return hash((type(self), (self.theta + 0.0).tobytes()))  # -0.0 equals 0.0

    def _assign(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)
