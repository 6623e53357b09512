"""The form ring of validation: dtype, order, alignment, extents and ranges of what a caller hands in.

Every function takes the argument's name first and puts it into the message. Nothing is ever converted with loss, and no
input is written to: a result may be the caller's own array, so whoever keeps or changes it makes a copy.
"""

import math
import operator
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "allocation",
    "any_array",
    "boolean",
    "boolean_array",
    "choice",
    "integer",
    "integer_array",
    "place",
    "real",
    "real_array",
]

Shape = tuple[int | None, ...]

_EXACT_INTEGERS = 2**53


def place(name: str, index: Sequence[int]) -> str:
    """``name[3, 1]``, or plain ``name`` for a 0-d array.

    >>> place("actions", (3,))
    'actions[3]'
    """
    return f"{name}[{', '.join(str(int(i)) for i in index)}]" if len(index) else name


def real_array(
    name: str, value: object, shape: Shape, *, finite: bool = True, because: str = ""
) -> NDArray[np.float64]:
    """View `value` as a float64 array without loss, copying only if needed.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    value : array_like
        Booleans, integers (each exactly representable) and floats of any width, byte order, stride and alignment.
        float16 and float32 are widened; longdouble is rounded, and refused where it would overflow.
    shape : tuple of int or None
        Wanted extents; None stands for any extent of at least 1.
    finite : bool
        Whether NaN and infinities are refused.
    because : str
        Appended to a message about the shape, e.g. ``"to match transitions of shape (4, 2, 4)"``.

    Returns
    -------
    ndarray, float64
        C-contiguous, aligned, native; the caller's own memory where that already is.

    Raises
    ------
    TypeError
        For a dtype that is not real (complex, object, str, datetime, ...), a ragged list or a masked array.
    ValueError
        For a wrong shape, a value that is not finite or not representable; names the first bad index.

    Examples
    --------
    >>> real_array("rewards", [1, 2], (2,))
    array([1., 2.])
    """
    raw = any_array(name, value)
    if raw.dtype.kind not in "fiub":
        msg = f"{name}: expected an array of real numbers, got dtype {raw.dtype}"
        raise TypeError(msg)
    _check_shape(name, raw, shape, because)
    with np.errstate(over="ignore"):
        out: NDArray[np.float64] = np.require(raw, np.float64, ["C", "A"])
    if raw.dtype.kind in "iu" and raw.dtype.itemsize == 8:
        _check_exact(name, raw)
    if raw.dtype.kind == "f" and raw.dtype.itemsize > 8:
        _refuse_where(name, raw, np.isinf(out) & ~np.isinf(raw), "is beyond the range of float64")
    if finite:
        _refuse_where(name, raw, ~np.isfinite(out), "is not finite")
    return out


def integer_array(
    name: str, value: object, shape: Shape, *, low: int, high: int, because: str = ""
) -> NDArray[np.int64]:
    """View `value` as an int64 array with ``low <= x < high``.

    Parameters
    ----------
    name, value, shape, because
        As in `real_array`; the dtype must be an integer or boolean one.
    low, high : int
        Every element lies in ``[low, high)``.

    Returns
    -------
    ndarray, int64
        C-contiguous, aligned, native; the caller's own memory where that already is.

    Raises
    ------
    TypeError
        For a float or any other dtype that is not an integer one, a ragged list or a masked array.
    ValueError
        For a wrong shape or an element out of range; names the first bad index.

    Examples
    --------
    >>> integer_array("actions", [0, 3], (None,), low=0, high=4)
    array([0, 3])
    """
    raw = any_array(name, value, "integers")
    if raw.size == 0 and isinstance(value, (list, tuple)):
        raw = raw.astype(np.int64)
    if raw.dtype.kind not in "iub":
        msg = f"{name}: expected an array of integers, got dtype {raw.dtype}"
        raise TypeError(msg)
    _check_shape(name, raw, shape, because)
    if raw.size and (int(raw.min()) < low or int(raw.max()) >= high):
        _refuse_where(name, raw, (raw < low) | (raw >= high), f"outside [{low}, {high})")
    return np.require(raw, np.int64, ["C", "A"])


def boolean_array(name: str, value: object, shape: Shape, *, because: str = "") -> NDArray[np.bool_]:
    """View `value` as a boolean array; integers are accepted when each is 0 or 1.

    Parameters
    ----------
    name, value, shape, because
        As in `real_array`.

    Returns
    -------
    ndarray, bool
        C-contiguous; the caller's own memory where that already is.

    Raises
    ------
    TypeError
        For any dtype but booleans and integers, a ragged list or a masked array.
    ValueError
        For a wrong shape, or an integer other than 0 and 1; names the first bad index.

    Examples
    --------
    >>> boolean_array("action_mask", [[1, 0]], (None, 2))
    array([[ True, False]])
    """
    raw = any_array(name, value, "booleans")
    if raw.dtype.kind not in "biu":
        msg = f"{name}: expected an array of booleans, got dtype {raw.dtype}"
        raise TypeError(msg)
    _check_shape(name, raw, shape, because)
    if raw.dtype.kind != "b":
        _refuse_where(name, raw, (raw != 0) & (raw != 1), "is neither 0 nor 1")
    return np.require(raw, np.bool_, ["C", "A"])


def real(
    name: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Read one finite real number inside an interval.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    value : int, float, NumPy scalar or 0-d array
        NaN, infinities and booleans are always refused.
    low, high : float
        The interval; each end belongs to it unless `low_open` or `high_open`.

    Raises
    ------
    TypeError
        For anything that is not a real number, bool included.
    ValueError
        For a number outside the interval, not finite, or not representable.

    Examples
    --------
    >>> real("gamma", 0.9, low=0, high=1)
    0.9
    """
    if isinstance(value, (bool, np.bool_)) or getattr(getattr(value, "dtype", None), "kind", "") == "b":
        msg = f"{name}: expected a real number, got {_describe(value)}"
        raise TypeError(msg)
    number = float(value) if type(value) is float else _real_scalar(name, value)
    too_low = number <= low if low_open else number < low
    too_high = number >= high if high_open else number > high
    if not math.isfinite(number) or too_low or too_high:
        left = "(" if low_open or math.isinf(low) else "["
        right = ")" if high_open or math.isinf(high) else "]"
        msg = f"{name}={_number(number)} outside {left}{_number(low)}, {_number(high)}{right}"
        raise ValueError(msg)
    return number


def integer(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Read one integer with ``low <= value <= high`` (no upper limit if None).

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    value : int, NumPy integer or 0-d integer array
        Floats (3.0 included) and booleans are refused.
    low, high : int
        Both ends belong to the interval.

    Raises
    ------
    TypeError
        For anything that is not an integer.
    ValueError
        For an integer outside the interval.

    Examples
    --------
    >>> integer("horizon", 100, low=1)
    100
    """
    if isinstance(value, (bool, np.bool_, np.ma.MaskedArray)):
        msg = f"{name}: expected an integer, got {_describe(value)}"
        raise TypeError(msg)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        msg = f"{name}: expected an integer, got {_describe(value)}"
        raise TypeError(msg) from None
    if number < low or (high is not None and number > high):
        allowed = f"[{low}, {high}]" if high is not None else f"[{low}, inf)"
        msg = f"{name}={number} outside {allowed}"
        raise ValueError(msg)
    return number


def boolean(name: str, value: object) -> bool:
    """Return `value` if it is a bool; TypeError for anything else, 0 and 1 included.

    >>> boolean("deterministic", True)
    True
    """
    if not isinstance(value, bool):
        msg = f"{name}: expected a bool, got {value!r}"
        raise TypeError(msg)
    return value


def choice(name: str, value: object, options: Sequence[str]) -> str:
    """Read one of a few words.

    Raises
    ------
    TypeError
        For anything but a string.
    ValueError
        For a string that is not one of `options`.

    Examples
    --------
    >>> choice("mode", "exact", ("exact", "sampled"))
    'exact'
    """
    allowed = ", ".join(repr(option) for option in options)
    if not isinstance(value, str):
        msg = f"{name}: expected one of {allowed}, got {_describe(value)}"
        raise TypeError(msg)
    if value not in options:
        msg = f"{name}={value!r}, expected one of {allowed}"
        raise ValueError(msg)
    return str(value)


def allocation(what: str, *extents: int, itemsize: int = 8) -> int:
    """Bytes of an array of these extents, checked before the array is made.

    Parameters
    ----------
    what : str
        What is about to be allocated, for messages.
    *extents : int
        The extents; the product is taken without overflow.
    itemsize : int
        Bytes per element.

    Raises
    ------
    ValueError
        If the number of bytes does not fit 63 bits.
    MemoryError
        If it exceeds the memory that the machine can give.

    Examples
    --------
    >>> allocation("transitions", 10, 4, 10)
    3200
    """
    n_bytes = math.prod(int(extent) for extent in extents) * itemsize
    formula = " * ".join(str(int(extent)) for extent in extents) + f" * {itemsize} = {n_bytes} bytes"
    if n_bytes >= 2**63:
        msg = f"{what}: {formula} is more than an array can hold (2**63 - 1)"
        raise ValueError(msg)
    if n_bytes > 2**20 and n_bytes > _available_bytes():
        msg = f"{what}: {formula}, available are {_available_bytes()}"
        raise MemoryError(msg)
    return n_bytes


def any_array(name: str, value: object, wanted: str = "real numbers") -> NDArray[Any]:
    """View `value` as an array of whatever dtype it has; for callers that must know the number of dimensions first.

    Raises
    ------
    TypeError
        For a masked array or a ragged list. What the object's own ``__array__`` raises propagates.
    """
    if _is_masked(value):
        msg = f"{name}: expected an array of {wanted}, got a masked array (its mask would be lost)"
        raise TypeError(msg)
    try:
        return np.asarray(value)
    except ValueError as error:
        if isinstance(value, (list, tuple)) and "inhomogeneous" in str(error):
            msg = f"{name}: expected an array of {wanted}, got a ragged list"
            raise TypeError(msg) from None
        raise


def _is_masked(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_is_masked(item) for item in value)
    return isinstance(value, np.ma.MaskedArray)


def _check_shape(name: str, raw: NDArray[Any], shape: Shape, because: str) -> None:
    fits = raw.ndim == len(shape) and all(
        got == want if want is not None else got > 0 for got, want in zip(raw.shape, shape, strict=True)
    )
    if not fits:
        words = ["any >= 1" if want is None else str(want) for want in shape]
        expected = "(" + ", ".join(words) + ("," if len(words) == 1 else "") + ")"
        reason = f" {because}" if because else ""
        msg = f"{name}: expected {len(shape)}-d shape {expected}{reason}, got {raw.ndim}-d shape {raw.shape}"
        raise ValueError(msg)


def _check_exact(name: str, raw: NDArray[Any]) -> None:
    big = (raw > _EXACT_INTEGERS) | (raw < -_EXACT_INTEGERS)
    for index in np.argwhere(big):
        number = int(raw[tuple(index)])
        if int(float(number)) != number:
            msg = f"{place(name, index.tolist())}={number} is not exactly representable as float64"
            raise ValueError(msg)


def _refuse_where(name: str, raw: NDArray[Any], bad: NDArray[np.bool_], reason: str) -> None:
    if bad.any():
        index = np.unravel_index(int(np.argmax(bad)), bad.shape) if bad.ndim else ()
        msg = f"{place(name, [int(i) for i in index])}={raw[index]!s} {reason}"
        raise ValueError(msg)


def _real_scalar(name: str, value: object) -> float:
    if isinstance(value, (str, bytes)) or value is None:
        msg = f"{name}: expected a real number, got {_describe(value)}"
        raise TypeError(msg)
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            msg = f"{name} is beyond the range of float64, got an integer of that size"
            raise ValueError(msg) from None
    return float(real_array(name, value, (), finite=False))


def _number(number: float) -> str:
    return str(int(number)) if abs(number) < 1e15 and number == math.trunc(number) else str(number)


def _describe(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text}" if len(text) <= 40 else type(value).__name__


def _available_bytes() -> int:
    from pathlib import Path

    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError, IndexError):
        return 2**62
