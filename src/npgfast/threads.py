"""How many threads a call may use."""

import os

from npgfast import _validate

__all__ = ["thread_count"]


def thread_count(n_threads: int | None = None) -> int:
    """Resolve ``n_threads``: the argument, else NPGFAST_NUM_THREADS, else OMP_NUM_THREADS, else the processors at hand.

    Raises
    ------
    TypeError, ValueError
        If the argument or the variable is not a positive integer.

    Examples
    --------
    >>> thread_count(2)
    2
    """
    if n_threads is not None:
        return _validate.integer("n_threads", n_threads, low=1, high=4096)
    for variable in ("NPGFAST_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()
        if not text:
            continue
        if not text.isdecimal() or int(text) < 1:
            msg = f"{variable}={text!r}: expected a positive integer"
            raise ValueError(msg)
        return min(int(text), 4096)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
