"""The three kinds of statement that a check returns: an identity, an upper bound, a lower bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Identity", "LowerBound", "UpperBound", "relative_distance"]

FloatArray = NDArray[np.float64]


def relative_distance(x: FloatArray | float, y: FloatArray | float) -> float:
    """Compute ||x - y||_2 / max(||x||_2, ||y||_2), 0 where both vanish."""
    left, right = np.ravel(x), np.ravel(y)
    scale = max(float(np.linalg.norm(left)), float(np.linalg.norm(right)))
    return float(np.linalg.norm(left - right)) / scale if scale > 0.0 else 0.0


@dataclass(frozen=True, eq=False)
class Identity:
    """Two sides of an equation, computed apart.

    Attributes
    ----------
    left, right : float or ndarray
    discrepancy : float
        Distance of the two sides, relative to the larger one unless the check says otherwise.
    tolerance : float
        What `holds` allows; not a part of the theorem.
    """

    left: FloatArray | float
    right: FloatArray | float
    discrepancy: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether ``discrepancy <= tolerance``."""
        return bool(self.discrepancy <= self.tolerance)


@dataclass(frozen=True, eq=False)
class UpperBound:
    """A quantity and what a theorem says it does not exceed.

    Attributes
    ----------
    actual, bound : float or ndarray
        Of equal shapes.
    slack : float
        Rounding error of `actual`, in its unit.
    """

    actual: FloatArray | float
    bound: FloatArray | float
    slack: float

    @property
    def margin(self) -> float:
        """The smallest ``bound - actual``."""
        return float(np.min(np.subtract(self.bound, self.actual)))

    @property
    def holds(self) -> bool:
        """Whether ``actual <= bound + slack`` everywhere."""
        return bool(np.all(np.less_equal(self.actual, np.add(self.bound, self.slack))))


@dataclass(frozen=True, eq=False)
class LowerBound:
    """A quantity and what a theorem says it does not fall below.

    Attributes
    ----------
    actual, bound : float or ndarray
        Of equal shapes.
    slack : float
        Rounding error of `actual`, in its unit.
    """

    actual: FloatArray | float
    bound: FloatArray | float
    slack: float

    @property
    def margin(self) -> float:
        """The smallest ``actual - bound``."""
        return float(np.min(np.subtract(self.actual, self.bound)))

    @property
    def holds(self) -> bool:
        """Whether ``actual >= bound - slack`` everywhere."""
        return bool(np.all(np.greater_equal(self.actual, np.subtract(self.bound, self.slack))))
