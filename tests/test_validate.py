"""The form ring: what is accepted keeps every bit, what is refused names the argument, the place and the value."""

import fractions
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npgfast import _validate

pytestmark = pytest.mark.isa_independent

PLAIN = np.arange(24.0).reshape(4, 6) / 7.0


def misaligned(values):
    buffer = np.zeros(values.nbytes + 1, np.uint8)[1:]
    view = buffer.view(values.dtype).reshape(values.shape)
    view[...] = values
    assert not view.flags.aligned
    return view


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(misaligned(PLAIN), id="misaligned"),
        pytest.param(PLAIN.astype(">f8"), id="big-endian"),
        pytest.param(np.asfortranarray(PLAIN), id="fortran"),
        pytest.param(PLAIN[::-1][::-1], id="reversed-twice"),
        pytest.param(np.repeat(PLAIN, 3, axis=1)[:, ::3], id="strided"),
        pytest.param(PLAIN.T.copy().T, id="transposed"),
        pytest.param(PLAIN.tolist(), id="lists"),
        pytest.param(PLAIN.astype(np.longdouble), id="longdouble"),
        pytest.param(PLAIN.view(np.recarray), id="subclass"),
    ],
)
def test_real_array_keeps_every_bit(value):
    out = _validate.real_array("x", value, (4, None))
    assert type(out) is np.ndarray
    assert out.dtype == np.float64
    assert out.dtype.isnative
    assert out.flags.c_contiguous
    assert out.flags.aligned
    assert out.tobytes() == PLAIN.tobytes()


def test_real_array_copies_only_if_needed():
    frozen = PLAIN.copy()
    frozen.flags.writeable = False
    assert np.shares_memory(_validate.real_array("x", frozen, (None, None)), frozen)


def test_real_array_accepts_broadcast_read_only_and_memmap(tmp_path):
    broadcast = np.broadcast_to(np.array([1.0, 2.0]), (3, 2))
    np.testing.assert_array_equal(_validate.real_array("x", broadcast, (3, 2)), broadcast)
    PLAIN.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.float64, "r", shape=PLAIN.shape)
    assert type(_validate.real_array("x", mapped, (4, 6))) is np.ndarray


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint16, np.int32, np.int64, np.uint64, np.bool_])
def test_real_array_widens_without_loss(dtype):
    np.testing.assert_array_equal(_validate.real_array("x", np.array([0, 1], dtype), (2,)), [0.0, 1.0])


def test_real_array_accepts_extreme_numbers():
    extreme = np.array([-0.0, 5e-324, 1.7e308, -1.7e308])
    assert _validate.real_array("x", extreme, (4,)).tobytes() == extreme.tobytes()
    assert _validate.real_array("x", [2**54, -(2**53)], (2,)).tolist() == [2.0**54, -(2.0**53)]
    assert np.isnan(_validate.real_array("x", [np.nan], (1,), finite=False)[0])


class Lies:
    def __array__(self, dtype=None, copy=None):
        message = "no array today"
        raise RuntimeError(message)


class LiesWithValueError:
    def __array__(self, dtype=None, copy=None):
        message = "my own words"
        raise ValueError(message)


BAD_REAL = {
    "complex": (np.array([1 + 2j, 0]), TypeError, "x: expected an array of real numbers, got dtype complex128"),
    "object": (np.array([1.0, None], object), TypeError, "dtype object"),
    "none": (None, TypeError, "dtype object"),
    "nested-none": ([None, 1.0], TypeError, "dtype object"),
    "text": (["1.5", "2"], TypeError, "x: expected"),
    "datetime": (np.array(["2020-01-01"] * 2, "M8[D]"), TypeError, "datetime64"),
    "timedelta": (np.array([1, 2], "m8[s]"), TypeError, "timedelta64"),
    "bytes": (np.array([b"1", b"2"]), TypeError, "x: expected"),
    "structured": (np.zeros(2, [("a", "f8")]), TypeError, "x: expected"),
    "ragged": ([[1.0], [1.0, 2.0]], TypeError, "ragged list"),
    "masked": (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError, "masked array"),
    "masked-no-mask": (np.ma.array([1.0, 2.0]), TypeError, "masked array"),
    "masked-in-list": ([np.ma.array([1.0], mask=[1]), np.array([2.0])], TypeError, "masked array"),
    "masked-constant": ([1.0, np.ma.masked], TypeError, "masked array"),
    "dict": ({0: 1.0}, TypeError, "dtype object"),
    "nan": ([0.0, np.nan], ValueError, "x[1]=nan is not finite"),
    "inf": ([-np.inf, 0.0], ValueError, "x[0]=-inf is not finite"),
    "inexact-integer": (np.array([0, 2**53 + 1]), ValueError, "x[1]=9007199254740993 is not exactly"),
    "inexact-unsigned": (np.array([0, 2**64 - 1], np.uint64), ValueError, "x[1]=18446744073709551615 is not"),
    "too-long": ([0.0, 0.0, 0.0], ValueError, "x: expected 1-d shape (2,), got 1-d shape (3,)"),
    "too-deep": (np.zeros((2, 1, 1, 1, 1)), ValueError, "got 5-d shape (2, 1, 1, 1, 1)"),
    "scalar": (1.0, ValueError, "got 0-d shape ()"),
    "empty": ([], ValueError, "got 1-d shape (0,)"),
    "raises": (Lies(), RuntimeError, "no array today"),
    "raises-value-error": (LiesWithValueError(), ValueError, "my own words"),
}

if np.finfo(np.longdouble).maxexp > np.finfo(np.float64).maxexp:
    BAD_REAL["longdouble-overflow"] = (np.array([0, np.longdouble("1e4000")]), ValueError, "x[1]=1e+4000 is beyond")


@pytest.mark.parametrize(("value", "error", "words"), BAD_REAL.values(), ids=BAD_REAL)
def test_real_array_refuses(value, error, words):
    with pytest.raises(error, match=re.escape(words)):
        _validate.real_array("x", value, (2,))


def test_real_array_refuses_an_empty_axis_where_any_extent_is_allowed():
    with pytest.raises(
        ValueError, match=re.escape("x: expected 2-d shape (any >= 1, 3) to match y, got 2-d shape (0, 3)")
    ):
        _validate.real_array("x", np.zeros((0, 3)), (None, 3), because="to match y")


BAD_INTEGERS = {
    "large": (np.array([0, 0, 0, 2**40]), ValueError, "actions[3]=1099511627776 outside [0, 4)"),
    "int32-limit": ([2**31], ValueError, "actions[0]=2147483648 outside [0, 4)"),
    "negative": ([0, -1], ValueError, "actions[1]=-1 outside [0, 4)"),
    "limit": ([4], ValueError, "actions[0]=4 outside [0, 4)"),
    "unsigned-max": (np.array([2**64 - 1], np.uint64), ValueError, "actions[0]=18446744073709551615 outside"),
    "float": ([1.7], TypeError, "actions: expected an array of integers, got dtype float64"),
    "whole-float": (np.array([1.0]), TypeError, "dtype float64"),
    "nan": ([np.nan], TypeError, "dtype float64"),
    "object": (np.array([2**70], object), TypeError, "dtype object"),
    "complex": (np.array([1j]), TypeError, "dtype complex128"),
    "masked": (np.ma.array([1], mask=[1]), TypeError, "masked array"),
    "text": (["1"], TypeError, "actions: expected"),
    "empty": ([], ValueError, "got 1-d shape (0,)"),
    "shape": ([[1]], ValueError, "got 2-d shape (1, 1)"),
}


@pytest.mark.parametrize(("value", "error", "words"), BAD_INTEGERS.values(), ids=BAD_INTEGERS)
def test_integer_array_refuses(value, error, words):
    with pytest.raises(error, match=re.escape(words)):
        _validate.integer_array("actions", value, (None,), low=0, high=4)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, ">i4", np.uint64, np.bool_])
def test_integer_array_accepts_every_integer_dtype(dtype):
    out = _validate.integer_array("a", np.array([0, 1], dtype)[::-1], (2,), low=0, high=2)
    assert out.dtype == np.int64
    assert out.tolist() == [1, 0]


def test_boolean_array_accepts_zeros_and_ones_only():
    assert _validate.boolean_array("m", np.array([1, 0], np.int8), (2,)).tolist() == [True, False]
    with pytest.raises(ValueError, match=re.escape("m[1]=2 is neither 0 nor 1")):
        _validate.boolean_array("m", [1, 2], (2,))
    with pytest.raises(TypeError, match="m: expected an array of booleans, got dtype float64"):
        _validate.boolean_array("m", [1.0, 0.0], (2,))


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int8(1), np.array(1.0), np.longdouble(1)])
def test_real_accepts(value):
    out = _validate.real("gamma", value, low=0.0, high=1.0)
    assert type(out) is float
    assert out == 1.0


BAD_SCALARS = {
    "bool": (True, TypeError, "gamma: expected a real number, got bool True"),
    "numpy-bool": (np.True_, TypeError, "gamma: expected a real number"),
    "bool-0d": (np.array(True), TypeError, "gamma: expected a real number"),
    "text": ("0.5", TypeError, "gamma: expected a real number, got str '0.5'"),
    "none": (None, TypeError, "gamma: expected a real number"),
    "complex": (1j, TypeError, "gamma: expected"),
    "fraction": (fractions.Fraction(1, 2), TypeError, "gamma: expected"),
    "list": ([0.5], ValueError, "got 1-d shape (1,)"),
    "nan": (np.nan, ValueError, "gamma=nan outside [0, 1)"),
    "inf": (np.inf, ValueError, "gamma=inf outside [0, 1)"),
    "low": (-0.25, ValueError, "gamma=-0.25 outside [0, 1)"),
    "open-end": (1.0, ValueError, "gamma=1 outside [0, 1)"),
    "huge": (10**400, ValueError, "gamma is beyond the range of float64"),
}


@pytest.mark.parametrize(("value", "error", "words"), BAD_SCALARS.values(), ids=BAD_SCALARS)
def test_real_refuses(value, error, words):
    with pytest.raises(error, match=re.escape(words)):
        _validate.real("gamma", value, low=0.0, high=1.0, high_open=True)


def test_real_refuses_infinity_without_limits():
    with pytest.raises(ValueError, match=re.escape("x=inf outside (-inf, inf)")):
        _validate.real("x", np.inf)
    with pytest.raises(ValueError, match=re.escape("x=0 outside (0, inf)")):
        _validate.real("x", 0.0, low=0.0, low_open=True)


@pytest.mark.parametrize("value", [True, np.True_, 1e3, np.float64(3.0), "3", None, np.array([3]), np.ma.array(3)])
def test_integer_refuses_other_kinds(value):
    with pytest.raises(TypeError, match="n_iters: expected an integer, got "):
        _validate.integer("n_iters", value, low=1)


def test_integer_names_the_interval():
    assert _validate.integer("n", np.uint8(3), low=1, high=3) == 3
    assert _validate.integer("n", 2**70, low=1) == 2**70
    with pytest.raises(ValueError, match=re.escape("n=0 outside [1, inf)")):
        _validate.integer("n", 0, low=1)
    with pytest.raises(ValueError, match=re.escape(f"n={2**63} outside [1, 3]")):
        _validate.integer("n", 2**63, low=1, high=3)


def test_choice_lists_the_options():
    assert _validate.choice("mode", "exact", ("exact", "sampled")) == "exact"
    with pytest.raises(ValueError, match="mode='x', expected one of 'exact', 'sampled'"):
        _validate.choice("mode", "x", ("exact", "sampled"))
    with pytest.raises(TypeError, match="mode: expected one of 'exact'"):
        _validate.choice("mode", 1, ("exact",))


def test_allocation_is_checked_before_it_is_made():
    assert _validate.allocation("x", 65536, 65536, itemsize=1) == 2**32
    with pytest.raises(ValueError, match="bytes is more than an array can hold"):
        _validate.allocation("x", 2**31, 2**31, 2**31)
    with pytest.raises(MemoryError, match=r"x: .* bytes, available are"):
        _validate.allocation("x", 2**31, 2**20)


@given(hnp.arrays(st.sampled_from([np.float64, np.float32, np.int32, np.uint8]), st.tuples(st.integers(1, 4))))
def test_real_array_never_changes_its_input(array):
    before = array.tobytes()
    try:
        _validate.real_array("x", array, (None,))
    except ValueError:
        assert not np.isfinite(array).all()
    assert array.tobytes() == before
