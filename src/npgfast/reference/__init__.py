"""Reference implementations written from the papers' equations: honest, slow, and independent of the compiled core.

`loops` computes with plain Python floats and explicit loops, `vectorized` with NumPy. Both define the same
function names with the same signatures, take and return NumPy arrays, and choose different algorithms where there
is a choice (Bellman iteration against a linear solve, one-sided Jacobi rotations against LAPACK), so that their
agreement means something. They are oracles for tests and baselines for benchmarks, never a fallback.

Conventions
-----------
``P`` is (S, A, S) with rows summing to ``1 - termination[s, a]``; ``rewards`` (S, A); ``mask`` (S, A) of bool, True
where the action is allowed, or None; ``mu`` (S,); ``horizon`` a number of steps or None; ``probs`` (S, A), or
(H, S, A) for a non-stationary policy. A batch is ``states``, ``actions``, ``weights`` (summing to 1), ``advantages``
and ``effective_horizon``, as in :func:`loops.exact_batch`. Policies are tabular softmax (``theta`` of shape
(S, A)) or, where ``features`` of shape (S, A, d) is given, log-linear (``theta`` of shape (d,)).
"""

from . import loops, vectorized

__all__ = ["loops", "vectorized"]
