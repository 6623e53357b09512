"""Feature maps of observations: the inputs of linear policies, evaluated in C++."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _core, _validate
from npgfast.threads import thread_count

__all__ = ["FeatureMap", "Fourier", "Linear", "Polynomial", "RandomFourier", "TileCoding"]

FloatArray = NDArray[np.float64]
Numbers = float | tuple[float, ...]

_MOST_FEATURES = 2**24
_NARROWEST = 1e-300  # a box whose width has a finite reciprocal, with room for numbers of tiles and frequencies
_SPARE = (None, None, 1.0, 0, 1, 0.0, 0.0)  # what the core's policy tuple has besides its feature map


@dataclass(frozen=True)
class FeatureMap:
    """A map phi from observations, shape (dim,), to features, shape (n_features,); an immutable value.

    Call it on observations of shape (n, dim) to get features of shape (n, n_features). Policies evaluate it inside the
    compiled core, on observations that they have normalised if they do so.
    """

    _kind: ClassVar[int]

    dim: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", _validate.integer("dim", self.dim, low=1, high=2**31 - 1))

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        """Integers and reals of src/cpp/npgfast/policies/features.hpp, and the number of features."""
        raise NotImplementedError

    @property
    def n_features(self) -> int:
        """Number of features m."""
        return self._tables[2]

    @cached_property
    def _native(self) -> tuple[int, NDArray[np.int32], FloatArray, int, int]:
        integers, reals, n_features = self._tables
        return self._kind, integers, reals, self.dim, n_features

    def __call__(self, observations: ArrayLike) -> FloatArray:
        """Features of `observations`, shape (n, dim): ndarray, shape (n, n_features)."""
        given = _validate.real_array("observations", observations, (None, self.dim))
        return _core.feature_rows((*self._native, *_SPARE), given, thread_count())

    def _description(self) -> dict[str, Any]:
        """What rebuilds the map, as JSON can hold it."""
        return {"class": type(self).__name__, **asdict(self)}

    @staticmethod
    def _from_description(description: Mapping[str, Any]) -> "FeatureMap":
        classes: dict[str, Callable[..., FeatureMap]] = {
            kind.__name__: kind for kind in (Linear, Polynomial, Fourier, RandomFourier, TileCoding)
        }
        settings = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in description.items()
            if name != "class"
        }
        return classes[description["class"]](**settings)

    def _replace(self, **changes: Any) -> Self:
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return type(self)(**{**own, **changes})


@dataclass(frozen=True)
class Linear(FeatureMap):
    """The observation itself, and a constant.

    Parameters
    ----------
    dim : int
        Numbers in an observation.
    bias : bool
        Whether a feature 1 follows.

    Examples
    --------
    >>> from npgfast import features
    >>> features.Linear(2)([[3.0, 4.0]])
    array([[3., 4., 1.]])
    """

    _kind: ClassVar[int] = 0

    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_bool("bias", self.bias)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        return np.array([self.bias], dtype=np.int32), np.empty(0), self.dim + self.bias


@dataclass(frozen=True)
class Polynomial(FeatureMap):
    """All monomials of the observation up to a total degree, the constant included.

    Parameters
    ----------
    dim : int
        Numbers in an observation.
    degree : int
        Largest total degree, at least 1. There are (dim + degree choose degree) features, by ascending degree.

    References
    ----------
    R. S. Sutton, A. G. Barto, "Reinforcement Learning", 2018, section 9.5.1.

    Examples
    --------
    >>> from npgfast import features
    >>> features.Polynomial(2, degree=2)([[3.0, 4.0]])
    array([[ 1.,  3.,  4.,  9., 12., 16.]])
    """

    _kind: ClassVar[int] = 1

    degree: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "degree", _validate.integer("degree", self.degree, low=1, high=64))
        _check_size(math.comb(self.dim + self.degree, self.degree))

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        place: dict[tuple[int, ...], int] = {(): 0}
        parents, variables = [], []
        for degree in range(1, self.degree + 1):
            for monomial in itertools.combinations_with_replacement(range(self.dim), degree):
                parents.append(place[monomial[:-1]])
                variables.append(monomial[-1])
                place[monomial] = len(place)
        return np.array(parents + variables, dtype=np.int32), np.empty(0), len(place)


@dataclass(frozen=True)
class Fourier(FeatureMap):
    """The Fourier cosine basis cos(pi c . x), x the observation scaled to the unit cube, c in {0, ..., order}^dim.

    Parameters
    ----------
    dim : int
        Numbers in an observation.
    order : int
        Largest frequency, at least 1.
    low, high : float or tuple of float, length dim
        What is scaled to 0 and to 1; low < high. The default suits normalised observations.
    coupled : bool
        All (order + 1)**dim frequency vectors; otherwise only those of one dimension each, dim * order + 1.

    References
    ----------
    G. Konidaris, S. Osentoski, P. Thomas, "Value function approximation in reinforcement learning using the Fourier
    basis", AAAI 2011.

    Examples
    --------
    >>> from npgfast import features
    >>> features.Fourier(1, order=2, low=0.0, high=1.0)([[1.0]]).round(12)
    array([[ 1., -1.,  1.]])
    """

    _kind: ClassVar[int] = 2

    order: int = 3
    low: Numbers = -3.0
    high: Numbers = 3.0
    coupled: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "order", _validate.integer("order", self.order, low=1, high=10_000))
        _check_bool("coupled", self.coupled)
        _check_size(_capped_power(self.order + 1, self.dim) if self.coupled else self.dim * self.order + 1)
        _check_box(self)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        if self.coupled:
            frequencies = np.array(list(itertools.product(range(self.order + 1), repeat=self.dim)), dtype=np.float64)
        else:
            steps = np.arange(1.0, self.order + 1)
            blocks = np.kron(np.eye(self.dim), steps[:, None])
            frequencies = np.vstack([np.zeros((1, self.dim)), blocks])
        low, high = np.broadcast_to(self.low, self.dim), np.broadcast_to(self.high, self.dim)
        slopes = np.pi * frequencies / (high - low)
        offsets = 0.5 * np.pi - slopes @ low
        return np.zeros(1, dtype=np.int32), np.concatenate([slopes.ravel(), offsets]), len(frequencies)


@dataclass(frozen=True)
class RandomFourier(FeatureMap):
    """Random Fourier features sin(P . x / bandwidth + phase), P ~ N(0, 1), phase ~ U(-pi, pi), and a constant.

    The policies of Rajeswaran et al. that they call RBF.

    Parameters
    ----------
    dim : int
        Numbers in an observation.
    n_waves : int
        Random features; with the constant there is one more.
    bandwidth : float, optional
        Length over which features change; default sqrt(2 dim), the typical distance of two standardised observations.
    seed : int
        Of P and the phases, in [0, 2**32).
    bias : bool
        Whether the constant 1 follows.

    References
    ----------
    A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS 2007; A. Rajeswaran, K. Lowrey,
    E. Todorov, S. Kakade, "Towards generalization and simplicity in continuous control", NIPS 2017, arXiv:1703.02660,
    eq. (6).

    Examples
    --------
    >>> from npgfast import features
    >>> features.RandomFourier(4, n_waves=100, seed=1).n_features
    101
    """

    _kind: ClassVar[int] = 2

    n_waves: int = 100
    bandwidth: float | None = None
    seed: int = 0
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        n_waves = _validate.integer("n_waves", self.n_waves, low=1, high=_MOST_FEATURES)
        object.__setattr__(self, "n_waves", n_waves)
        if self.bandwidth is not None:
            bandwidth = _validate.real("bandwidth", self.bandwidth, low=0.0, low_open=True)
            object.__setattr__(self, "bandwidth", bandwidth)
        object.__setattr__(self, "seed", _validate.integer("seed", self.seed, low=0, high=2**32 - 1))
        _check_bool("bias", self.bias)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        # The stream of RandomState never changes, which a policy that is read from a file relies on.
        random = np.random.RandomState(self.seed)
        bandwidth = np.sqrt(2.0 * self.dim) if self.bandwidth is None else self.bandwidth
        slopes = random.standard_normal((self.n_waves, self.dim)) / bandwidth
        phases = random.uniform(-np.pi, np.pi, self.n_waves)
        reals = np.concatenate([slopes.ravel(), phases])
        return np.array([self.bias], dtype=np.int32), reals, self.n_waves + self.bias


@dataclass(frozen=True)
class TileCoding(FeatureMap):
    """Tile coding: shifted grids over a box; in each grid the feature of the tile that holds the observation is 1.

    Parameters
    ----------
    dim : int
        Numbers in an observation.
    low, high : float or tuple of float, length dim
        The box, low < high; observations outside belong to the outermost tiles.
    n_tiles : int
        Tiles along each side of the box; each grid has one more, as it is shifted.
    n_tilings : int
        Grids; grid i is shifted by i (1, 3, 5, ...) / n_tilings of a tile, modulo 1.

    References
    ----------
    R. S. Sutton, A. G. Barto, "Reinforcement Learning", 2018, section 9.5.4.

    Examples
    --------
    >>> from npgfast import features
    >>> features.TileCoding(1, low=0.0, high=1.0, n_tiles=2, n_tilings=1)([[0.7]])
    array([[0., 1., 0.]])
    """

    _kind: ClassVar[int] = 3

    low: Numbers = -3.0
    high: Numbers = 3.0
    n_tiles: int = 8
    n_tilings: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("n_tiles", "n_tilings"):
            object.__setattr__(self, name, _validate.integer(name, getattr(self, name), low=1, high=2**16))
        _check_size(self.n_tilings * _capped_power(self.n_tiles + 1, self.dim))
        _check_box(self)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int32], FloatArray, int]:
        low, high = np.broadcast_to(self.low, self.dim), np.broadcast_to(self.high, self.dim)
        shifts = np.outer(np.arange(self.n_tilings), 2 * np.arange(self.dim) + 1) % self.n_tilings / self.n_tilings
        integers = np.array([self.n_tilings] + [self.n_tiles + 1] * self.dim, dtype=np.int32)
        reals = np.concatenate([low, self.n_tiles / (high - low), shifts.ravel()])
        return integers, reals, self.n_tilings * (self.n_tiles + 1) ** self.dim


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        msg = f"{name}: expected a bool, got {value!r}"
        raise TypeError(msg)


def _capped_power(base: int, exponent: int) -> int:
    """base**exponent for a base of at least 2, or more than any map may have where that is too large to compute."""
    power: int = base ** min(exponent, _MOST_FEATURES.bit_length())
    return power


def _check_size(n: int) -> None:
    if n > _MOST_FEATURES:
        amount = str(n) if n < 2**63 else "2**63"
        msg = f"the map would have {amount} features or more, allowed are {_MOST_FEATURES}"
        raise ValueError(msg)


def _check_box(features: Fourier | TileCoding) -> None:
    """Keep low and high as floats or tuples, which hash and compare, after checking them."""
    for name in ("low", "high"):
        given = getattr(features, name)
        if np.ndim(given) == 0:
            value: Numbers = _validate.real(name, given)
        else:
            array = _validate.real_array(name, given, (features.dim,), because="one for each number of an observation")
            value = tuple(float(entry) for entry in array)
        object.__setattr__(features, name, value)
    low, high = (np.broadcast_to(value, features.dim) for value in (features.low, features.high))
    wrong = np.flatnonzero(~(low < high))
    if wrong.size:
        msg = f"low[{wrong[0]}] is not below high[{wrong[0]}]"
        raise ValueError(msg)
    with np.errstate(over="ignore"):
        width = high - low
    wrong = np.flatnonzero(~((width > _NARROWEST) & (width < np.inf)))
    if wrong.size:
        msg = f"high[{wrong[0]}] - low[{wrong[0]}] = {width[wrong[0]]} outside ({_NARROWEST}, inf)"
        raise ValueError(msg)
