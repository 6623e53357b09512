"""What an optimiser met, as a typed word."""

from enum import StrEnum

__all__ = ["Status"]


class Status(StrEnum):
    """Outcome of a solver or of one update; equal to its own name as a string.

    ``OK`` means that theta moved as designed; ``CG_MAX_ITERATIONS`` that it moved along the direction which conjugate
    gradients had reached when their budget ended. On every other status theta is bitwise unchanged.

    >>> Status.OK == "ok"
    True
    >>> Status.LINE_SEARCH_FAILED.moves_theta
    False
    """

    OK = "ok"
    ZERO_GRADIENT = "zero_gradient"
    CG_MAX_ITERATIONS = "cg_max_iterations"
    NEGATIVE_CURVATURE = "negative_curvature"
    LINE_SEARCH_FAILED = "line_search_failed"
    KL_INFINITE = "kl_infinite"
    NON_FINITE = "non_finite"

    @property
    def moves_theta(self) -> bool:
        """Whether an update with this status changes theta."""
        return self in (Status.OK, Status.CG_MAX_ITERATIONS)

    @classmethod
    def _of(cls, code: int) -> "Status":
        return _BY_CODE[code]


_BY_CODE = tuple(Status)
