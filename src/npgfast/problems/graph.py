"""Graph searches over a kernel in CSR form: which states an episode can visit, and from which it can end."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["reachable_states", "terminating_states"]


def reachable_states(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    sources: NDArray[np.bool_],
    *,
    max_steps: int | None = None,
) -> NDArray[np.bool_]:
    """States that some action sequence reaches with positive probability.

    Parameters
    ----------
    indptr : ndarray, shape (S * A + 1,)
        Row pointers of the kernel; row ``s * A + a`` holds the successors of (s, a). Forbidden actions have empty rows.
    indices : ndarray, shape (nnz,)
        Successor states; every stored probability is positive.
    sources : ndarray, shape (S,)
        Where the search starts; sources are reached.
    max_steps : int or None
        Longest path to follow; None for no limit.

    Returns
    -------
    ndarray, shape (S,)
        True where reached. Cost O(S + nnz), one NumPy pass per step of the longest shortest path.

    Examples
    --------
    >>> reachable_states(np.array([0, 1, 2, 3]), np.array([1, 1, 0], np.int32), np.array([True, False, False]))
    array([ True,  True, False])
    """
    n_states = sources.size
    state_ptr = indptr[:: (indptr.size - 1) // n_states]
    return _search(state_ptr, indices, sources, max_steps)


def terminating_states(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], ends: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """States from which some action sequence reaches termination with positive probability.

    Parameters
    ----------
    indptr, indices
        The kernel, as in `reachable_states`.
    ends : ndarray, shape (S,)
        True where some allowed action terminates with positive probability.

    Returns
    -------
    ndarray, shape (S,)
        True where termination can be reached. Cost O(S + nnz log nnz).

    Examples
    --------
    >>> terminating_states(np.array([0, 1, 1, 2]), np.array([1, 2], np.int32), np.array([False, True, False]))
    array([ True,  True, False])
    """
    n_states = ends.size
    out_degree = np.diff(indptr[:: (indptr.size - 1) // n_states])
    predecessors = np.repeat(np.arange(n_states, dtype=np.int32), out_degree)[np.argsort(indices, kind="stable")]
    in_ptr = np.zeros(n_states + 1, np.int64)
    np.cumsum(np.bincount(indices, minlength=n_states), out=in_ptr[1:])
    return _search(in_ptr, predecessors, ends, None)


def _search(
    ptr: NDArray[np.int64], neighbours: NDArray[np.int32], sources: NDArray[np.bool_], max_steps: int | None
) -> NDArray[np.bool_]:
    found = sources.copy()
    frontier = np.flatnonzero(found)
    step = 0
    while frontier.size and (max_steps is None or step < max_steps):
        starts, counts = ptr[frontier], ptr[frontier + 1] - ptr[frontier]
        offsets = np.cumsum(counts) - counts
        positions = np.arange(int(counts.sum())) + np.repeat(starts - offsets, counts)
        candidates = neighbours[positions]
        frontier = np.unique(candidates[~found[candidates]])
        found[frontier] = True
        step += 1
    return found
