"""Transition kernels: every accepted form is read into one canonical CSR over rows ``s * A + a``.

Canonical means: sorted indices, duplicates summed, no stored zeros, rows of forbidden actions empty, each other row
plus its termination mass summing to 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate

__all__ = ["Entries", "Kernel", "absorb", "normalise", "read_transitions"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

MAX_STATES = 2**31 - 1
ROW_TOLERANCE = 1e-8
NEGATIVE_TOLERANCE = 1e-12


class Entries(NamedTuple):
    """Matrix entries as they were given: unordered, unsummed, unchecked."""

    n_states: int
    n_actions: int
    rows: IndexArray
    columns: IndexArray
    values: FloatArray


class Kernel(NamedTuple):
    """Canonical CSR kernel of shape (S * A, S)."""

    indptr: IndexArray
    indices: NDArray[np.int32]
    probabilities: FloatArray

    def rows(self) -> IndexArray:
        """Row of each stored entry, shape (nnz,)."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))


def read_transitions(transitions: object) -> Entries:
    """Read a dense (S, A, S) array, a sparse (S * A, S) matrix, or a list of A matrices (S, S).

    Sparse matrices are recognised by their ``tocsr`` method. A list or tuple whose items are sparse matrices or 2-d
    arrays is one matrix per action; nested lists of numbers are one (S, A, S) array.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype, shape, or broken sparse structure. Probabilities are not looked at.
    """
    if isinstance(transitions, Entries):
        return transitions
    if hasattr(transitions, "tocsr"):
        return _read_sparse(transitions)
    if isinstance(transitions, (list, tuple)) and len(transitions) and all(_is_matrix(item) for item in transitions):
        return _read_per_action(transitions)
    dense = _validate.real_array("transitions", transitions, (None, None, None), finite=False)
    n_states, n_actions, n_successors = dense.shape
    if n_successors != n_states:
        hint = ""
        if n_actions == n_successors:
            hint = f"; for {n_states} matrices of shape ({n_actions}, {n_actions}), one per action, pass a list of them"
        msg = f"transitions: expected shape (S, A, S), got {dense.shape}{hint}"
        raise ValueError(msg)
    _check_size(n_states, n_actions)
    flat = dense.reshape(n_states * n_actions, n_states)
    rows, columns = np.nonzero(flat)
    return Entries(n_states, n_actions, rows, columns, flat[rows, columns])


def normalise(entries: Entries, action_mask: BoolArray, termination: FloatArray | None) -> tuple[Kernel, FloatArray]:
    """Sum duplicates, check every allowed row and make it sum to 1.

    Parameters
    ----------
    entries : Entries
        What `read_transitions` gave.
    action_mask : ndarray, shape (S, A)
        Rows of forbidden actions are dropped unread.
    termination : ndarray, shape (S, A), or None
        Probability of ending; None for zeros.

    Returns
    -------
    kernel : Kernel
        Canonical kernel.
    termination : ndarray, shape (S, A)
        Normalised with the rows; 0 for forbidden actions.

    Raises
    ------
    ValueError
        For an entry below -1e-12, or a row that with its termination is further from 1 than max(1e-8, S * eps).
    """
    n_states, n_actions = entries.n_states, entries.n_actions
    n_rows = n_states * n_actions
    allowed = action_mask.ravel()
    kernel = _canonical(entries, allowed)
    rows = kernel.rows()
    values = kernel.probabilities
    bad = ~(np.isfinite(values) & (values >= -NEGATIVE_TOLERANCE))
    if bad.any():
        k = int(np.argmax(bad))
        s, a = divmod(int(rows[k]), n_actions)
        msg = f"transitions[s={s}, a={a}, s'={kernel.indices[k]}]={values[k]}, allowed a probability >= 0"
        raise ValueError(msg)
    ends = np.zeros(n_rows)
    if termination is not None:
        ends[allowed] = termination.ravel()[allowed]
        bad = ~(np.isfinite(ends) & (ends >= -NEGATIVE_TOLERANCE))
        if bad.any():
            s, a = divmod(int(np.argmax(bad)), n_actions)
            msg = f"termination[s={s}, a={a}]={ends[s * n_actions + a]}, allowed a probability in [0, 1]"
            raise ValueError(msg)
        np.maximum(ends, 0.0, out=ends)
    values = np.maximum(values, 0.0)
    sums = np.bincount(rows, weights=values, minlength=n_rows) + ends
    tolerance = max(ROW_TOLERANCE, n_states * np.finfo(np.float64).eps)
    bad = allowed & ~(np.abs(sums - 1.0) <= tolerance)
    if bad.any():
        row = int(np.argmax(bad))
        s, a = divmod(row, n_actions)
        plus = f" + termination[s={s}, a={a}]" if termination is not None else ""
        hint = "; if the rest ends the episode, give termination" if termination is None and sums[row] < 1 else ""
        msg = (
            f"transitions[s={s}, a={a}]{plus} sums to {sums[row]:.12g} (error {abs(sums[row] - 1):.3g}), "
            f"allowed 1 +- {tolerance:.3g}{hint}"
        )
        raise ValueError(msg)
    # Rows that are off by rounding only keep their bits, so that a canonical kernel is a fixed point.
    rounding = (np.diff(kernel.indptr) + 1) * np.finfo(np.float64).eps
    scale = np.where(allowed & (np.abs(sums - 1.0) > rounding), sums, 1.0)
    keep = values > 0.0
    rows = rows[keep]
    kernel = Kernel(_pointers(rows, n_rows), kernel.indices[keep], values[keep] / scale[rows])
    return kernel, (ends / scale).reshape(n_states, n_actions)


def absorb(
    kernel: Kernel, termination: FloatArray, rewards: FloatArray, action_mask: BoolArray
) -> tuple[Kernel, FloatArray]:
    """Turn zero-reward absorbing states into termination.

    A state is absorbing when every allowed action stays with probability 1 and reward 0. The probability of moving into
    such a state becomes termination mass, and its own rows become termination 1, so that an episode that starts there
    lasts one step.
    """
    n_states, n_actions = action_mask.shape
    rows = kernel.rows()
    stays = np.zeros(n_states * n_actions, np.bool_)
    stays[rows[(kernel.indices == rows // n_actions) & (kernel.probabilities == 1.0)]] = True
    idle = stays.reshape(n_states, n_actions) & (rewards == 0.0)
    absorbing = np.all(idle | ~action_mask, axis=1)
    if not absorbing.any():
        return kernel, termination
    into = absorbing[kernel.indices]
    mass = np.bincount(rows[into], weights=kernel.probabilities[into], minlength=termination.size)
    termination = termination + mass.reshape(termination.shape)
    keep = ~into
    rows = rows[keep]
    emptied = (np.bincount(rows, minlength=termination.size) == 0).reshape(termination.shape)
    termination[emptied & action_mask] = 1.0
    return Kernel(_pointers(rows, termination.size), kernel.indices[keep], kernel.probabilities[keep]), termination


def _is_matrix(item: object) -> bool:
    return hasattr(item, "tocsr") or (isinstance(item, np.ndarray) and item.ndim == 2)


def _read_sparse(matrix: Any) -> Entries:
    shape = tuple(int(extent) for extent in matrix.shape)
    if len(shape) != 2 or 0 in shape or shape[0] % shape[1]:
        msg = f"transitions: expected a sparse matrix of shape (S * A, S), got {shape}"
        raise ValueError(msg)
    n_states, n_actions = shape[1], shape[0] // shape[1]
    _check_size(n_states, n_actions)
    rows, columns, values = _sparse_entries("transitions", matrix)
    return Entries(n_states, n_actions, rows, columns, values)


def _read_per_action(matrices: list[Any] | tuple[Any, ...]) -> Entries:
    n_actions, n_states = len(matrices), int(matrices[0].shape[0])
    parts = []
    for a, matrix in enumerate(matrices):
        shape = tuple(int(extent) for extent in matrix.shape)
        if shape != (n_states, n_states) or n_states == 0:
            msg = f"transitions[{a}]: expected shape ({n_states}, {n_states}), got {shape}"
            raise ValueError(msg)
        if hasattr(matrix, "tocsr"):
            rows, columns, values = _sparse_entries(f"transitions[{a}]", matrix)
        else:
            dense = _validate.real_array(f"transitions[{a}]", matrix, shape, finite=False)
            rows, columns = np.nonzero(dense)
            values = dense[rows, columns]
        parts.append((rows * n_actions + a, columns, values))
    _check_size(n_states, n_actions)
    rows, columns, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Entries(n_states, n_actions, rows, columns, values)


def _sparse_entries(name: str, matrix: Any) -> tuple[IndexArray, IndexArray, FloatArray]:
    _check_structure(name, matrix)
    csr = matrix.tocsr()
    _check_structure(name, csr)
    indptr = np.asarray(csr.indptr, np.int64)
    nnz = int(indptr[-1])
    values = _validate.real_array(f"{name}.data", csr.data[:nnz], (nnz,), finite=False)
    return np.repeat(np.arange(indptr.size - 1), np.diff(indptr)), np.asarray(csr.indices[:nnz], np.int64), values


def _check_structure(name: str, matrix: Any) -> None:
    """Check compressed formats before anything (SciPy included) follows their indices."""
    layout = getattr(matrix, "format", None)
    if layout not in ("csr", "csc", "bsr"):
        return
    major, minor = (int(extent) for extent in matrix.shape)
    if layout == "csc":
        major, minor = minor, major
    elif layout == "bsr":
        major, minor = major // matrix.blocksize[0], minor // matrix.blocksize[1]
    indptr, stored = np.asarray(matrix.indptr), len(matrix.indices)
    if indptr.shape != (major + 1,) or indptr.dtype.kind != "i":
        msg = f"{name}.indptr: expected {major + 1} integers, got shape {indptr.shape} of {indptr.dtype}"
        raise ValueError(msg)
    falls = np.flatnonzero(np.diff(indptr) < 0)
    if indptr[0] != 0 or falls.size or indptr[-1] > min(stored, len(matrix.data)):
        k = 0 if indptr[0] != 0 else int(falls[0]) + 1 if falls.size else major
        msg = f"{name}.indptr[{k}]={indptr[k]}, allowed a non-decreasing sequence from 0 to at most {stored}"
        raise ValueError(msg)
    nnz = int(indptr[-1])
    _validate.integer_array(f"{name}.indices", matrix.indices[:nnz], (nnz,), low=0, high=minor)


def _check_size(n_states: int, n_actions: int) -> None:
    if n_states > MAX_STATES:
        msg = f"transitions: {n_states} states, allowed at most {MAX_STATES}"
        raise ValueError(msg)
    _validate.allocation("transitions (S * A rows)", n_states, n_actions)


def _canonical(entries: Entries, allowed: BoolArray) -> Kernel:
    rows, columns, values = entries.rows, entries.columns, entries.values
    if not allowed.all():
        keep = allowed[rows]
        rows, columns, values = rows[keep], columns[keep], values[keep]
    ascending = (rows[1:] > rows[:-1]) | ((rows[1:] == rows[:-1]) & (columns[1:] > columns[:-1]))
    if not ascending.all():
        order = np.lexsort((columns, rows))
        rows, columns, values = rows[order], columns[order], values[order]
        first = np.ones(rows.size, np.bool_)
        first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        starts = np.flatnonzero(first)
        rows, columns, values = rows[starts], columns[starts], np.add.reduceat(values, starts)
    return Kernel(_pointers(rows, allowed.size), columns.astype(np.int32), values)


def _pointers(rows: IndexArray, n_rows: int) -> IndexArray:
    indptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
    return indptr
