"""Feature maps and normalisation: parity with the reference, identities, frozen streams, hostile observations."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core, features
from npgfast.reference import loops, vectorized

BOTH = pytest.mark.parametrize("reference", [loops, vectorized], ids=["loops", "vectorized"])
SHAPES = pytest.mark.parametrize(("n", "dim"), [(1, 1), (1, 3), (9, 1), (5, 2), (17, 3)])
MAPS = [
    features.Linear(3),
    features.Linear(1, bias=False),
    features.Polynomial(3, degree=3),
    features.Fourier(2, order=3, low=(-1.0, 0.0), high=2.0),
    features.Fourier(3, order=2, coupled=False),
    features.RandomFourier(3, n_waves=7, seed=5),
    features.RandomFourier(2, n_waves=9, bandwidth=0.5, bias=False),
    features.TileCoding(2, low=-2.0, high=(1.0, 2.0), n_tiles=3, n_tilings=4),
]
ALL = pytest.mark.parametrize("phi", MAPS, ids=repr)


def draw(n: int, dim: int, scale: float = 2.0) -> np.ndarray:
    return scale * np.random.default_rng([n, dim]).normal(size=(n, dim))


def box(dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(dim)
    low = rng.normal(size=dim)
    return low, low + 1 + rng.random(dim)


@BOTH
@SHAPES
def test_linear_and_polynomial_features_match_reference(reference, n, dim):
    x = draw(n, dim)
    for bias in (True, False):
        assert_array_equal(features.Linear(dim, bias=bias)(x), reference.linear_features(x, bias))
    for degree in (1, 2, 4):
        phi = features.Polynomial(dim, degree=degree)
        assert phi.n_features == math.comb(dim + degree, degree)
        assert_allclose(phi(x), reference.polynomial_features(x, degree), rtol=1e-14)


@BOTH
@SHAPES
@pytest.mark.parametrize("coupled", [True, False])
def test_fourier_features_match_reference(reference, n, dim, coupled):
    x, (low, high) = draw(n, dim), box(dim)
    for order in (1, 3):
        phi = features.Fourier(dim, order=order, low=tuple(low), high=tuple(high), coupled=coupled)
        assert_allclose(phi(x), reference.fourier_features(x, order, low, high, coupled), rtol=0, atol=1e-13)


@BOTH
@SHAPES
@pytest.mark.parametrize("bandwidth", [None, 0.7])
def test_random_fourier_features_match_reference(reference, n, dim, bandwidth):
    """The directions and phases are drawn from NumPy's frozen generator, directions first."""
    x, random = draw(n, dim), np.random.RandomState(11)
    directions, phases = random.standard_normal((9, dim)), random.uniform(-np.pi, np.pi, 9)
    width = math.sqrt(2 * dim) if bandwidth is None else bandwidth
    got = features.RandomFourier(dim, n_waves=9, bandwidth=bandwidth, seed=11)(x)
    assert_allclose(got[:, :9], reference.random_fourier_features(x, directions, phases, width), rtol=0, atol=1e-13)
    assert_array_equal(got[:, 9:], 1)


@BOTH
@SHAPES
def test_tile_features_match_reference(reference, n, dim):
    low, high = box(dim)
    x = draw(n, dim)
    for n_tiles, n_tilings in ((1, 1), (2, 5), (4, 8)):
        phi = features.TileCoding(dim, low=tuple(low), high=tuple(high), n_tiles=n_tiles, n_tilings=n_tilings)
        assert_array_equal(phi(x), reference.tile_features(x, low, high, n_tiles, n_tilings))


def test_tiles_at_and_beyond_the_edges_of_the_box():
    phi = features.TileCoding(1, low=0.0, high=1.0, n_tiles=4, n_tilings=2)
    x = np.array([[-1e308], [-0.1], [0.0], [0.249], [0.25], [0.375], [1.0], [1.1], [1e308]])
    got = phi(x).reshape(len(x), 2, 5)
    assert_array_equal(got.sum(axis=2), 1)
    assert_array_equal(got.argmax(axis=2), [[0, 0], [0, 0], [0, 0], [0, 1], [1, 1], [1, 2], [4, 4], [4, 4], [4, 4]])


def test_random_fourier_stream_is_frozen():
    """A saved policy holds the seed and not the waves, so that these numbers may never change."""
    got = features.RandomFourier(3, n_waves=4, seed=1)([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]])
    expected = [
        [-0.8584004504831445, 0.9344851465072165, 0.318877421437124, 0.5747272598438241, 1.0],
        [-0.7720606736879136, -0.9473027700507853, 0.9496004513478512, 0.19809929159558132, 1.0],
    ]
    assert_allclose(got, expected, rtol=0, atol=1e-14)


def test_random_fourier_features_approximate_the_gaussian_kernel():
    """2 E[sin(P x / b + phase) sin(P y / b + phase)] = exp(-|x - y|^2 / (2 b^2)), Rahimi and Recht 2007."""
    phi = features.RandomFourier(2, n_waves=50_000, bandwidth=1.5, seed=3, bias=False)
    rows = phi([[0.0, 0.0], [1.0, 0.5], [-2.0, 1.0]])
    distances = ((np.array([[0.0, 0.0], [1.0, 0.5], [-2.0, 1.0]])[:, None] - [[0, 0], [1, 0.5], [-2, 1]]) ** 2).sum(2)
    assert_allclose(2 / phi.n_features * rows @ rows.T, np.exp(-distances / (2 * 1.5**2)), atol=0.02)


def test_fourier_features_are_orthogonal_on_the_unit_cube():
    grid = (np.arange(16) + 0.5) / 16
    x = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    rows = features.Fourier(2, order=3, low=0.0, high=1.0, coupled=False)(x)
    gram = rows.T @ rows / len(x)
    assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-13)


@ALL
def test_features_have_their_number_and_do_not_depend_on_their_neighbours(phi):
    x = draw(13, phi.dim)
    rows = phi(x)
    assert (rows.shape, rows.dtype) == ((13, phi.n_features), np.float64)
    for i in range(13):
        assert_array_equal(phi(x[i : i + 1]), rows[i : i + 1])
    assert_array_equal(phi(np.asfortranarray(x)), rows)
    assert_array_equal(phi(x.astype(np.float32)), phi(x.astype(np.float32).astype(np.float64)))


@ALL
def test_maps_are_values(phi):
    for twin in (copy.deepcopy(phi), pickle.loads(pickle.dumps(phi)), phi._replace(), eval(repr(phi), vars(features))):
        assert (twin, hash(twin)) == (phi, hash(phi))
        assert_array_equal(twin(draw(3, phi.dim)), phi(draw(3, phi.dim)))
    with pytest.raises(AttributeError):
        phi.dim = 7
    for i, one in enumerate(MAPS):
        for j, two in enumerate(MAPS):
            assert (one == two) is (i == j)


@ALL
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_observations_that_are_not_numbers_are_named(phi, bad):
    x = np.zeros((3, phi.dim))
    x[2, -1] = bad
    with pytest.raises(ValueError, match=rf"observations\[2, {phi.dim - 1}\]={bad}"):
        phi(x)
    rows = _core.feature_rows((*phi._native, None, None, 1.0, 0, 1, 0.0, 0.0), x, 1)  # as an environment may give them
    assert rows.shape == (3, phi.n_features)


@ALL
def test_observations_of_a_wrong_shape_are_named(phi):
    for wrong in (np.zeros(phi.dim), np.zeros((2, phi.dim + 1)), np.zeros((0, phi.dim)), np.zeros((1, 1, phi.dim))):
        with pytest.raises(ValueError, match=r"observations: expected 2-d shape"):
            phi(wrong)
    with pytest.raises(TypeError, match="observations: "):
        phi(np.zeros((1, phi.dim), dtype=complex))


V, T = ValueError, TypeError
REFUSED = {
    "dim_zero": (lambda: features.Linear(0), V, "dim=0"),
    "dim_float": (lambda: features.Linear(2.0), T, "dim: "),
    "bias_integer": (lambda: features.Linear(2, bias=1), T, "bias: expected a bool"),
    "bias_text": (lambda: features.RandomFourier(2, bias="no"), T, "bias: expected a bool"),
    "coupled_text": (lambda: features.Fourier(2, coupled="no"), T, "coupled: expected a bool"),
    "degree_zero": (lambda: features.Polynomial(2, degree=0), V, "degree=0"),
    "degree_large": (lambda: features.Polynomial(2, degree=65), V, "degree=65"),
    "order_zero": (lambda: features.Fourier(2, order=0), V, "order=0"),
    "waves_zero": (lambda: features.RandomFourier(2, n_waves=0), V, "n_waves=0"),
    "bandwidth_zero": (lambda: features.RandomFourier(2, bandwidth=0.0), V, "bandwidth=0"),
    "bandwidth_nan": (lambda: features.RandomFourier(2, bandwidth=np.nan), V, "bandwidth=nan"),
    "seed_negative": (lambda: features.RandomFourier(2, seed=-1), V, "seed=-1"),
    "seed_large": (lambda: features.RandomFourier(2, seed=2**32), V, "seed=4294967296"),
    "box_reversed": (lambda: features.TileCoding(2, low=(0.0, 1.0), high=1.0), V, r"low\[1\] is not below high\[1\]"),
    "box_short": (lambda: features.TileCoding(2, low=(0.0,)), V, r"low: .*\(2,\)"),
    "box_nan": (lambda: features.Fourier(1, low=np.nan), V, "low=nan"),
    "box_narrow": (lambda: features.TileCoding(1, low=0.0, high=1e-320), V, r"high\[0\] - low\[0\]"),
    "box_wide": (lambda: features.TileCoding(1, low=-1.7e308, high=1.7e308), V, r"high\[0\] - low\[0\]"),
    "tiles_zero": (lambda: features.TileCoding(1, n_tiles=0), V, "n_tiles=0"),
    "too_many_tiles": (lambda: features.TileCoding(9, n_tiles=8), V, "features"),
    "endless_tiles": (lambda: features.TileCoding(2**31 - 1), V, "features"),
    "too_many_monomials": (lambda: features.Polynomial(1000, degree=3), V, "167668501 features"),
    "endless_monomials": (lambda: features.Polynomial(2**31 - 1, degree=64), V, r"2\*\*63 features"),
    "endless_waves": (lambda: features.Fourier(2**31 - 1, order=10_000), V, r"2\*\*63 features"),
}


@pytest.mark.isa_independent
@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_maps_that_make_no_sense_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@BOTH
@pytest.mark.parametrize("limit", [0.5, 10.0])
def test_normalised_features_match_reference(reference, limit):
    x, rng = draw(17, 3), np.random.default_rng(1)
    mean, std = rng.normal(size=3), 0.1 + rng.random(3)
    policy = nf.LinearSoftmax(3, 2, normalizer=nf.Normalizer(mean, std, limit=limit))
    expected = reference.linear_features(reference.normalized_observations(x, mean, std, limit))
    assert_allclose(policy.features(x), expected, rtol=1e-13, atol=1e-15)
    assert np.abs(policy.features(x)[:, :3]).max() == limit


def test_normaliser_keeps_what_it_is_given_and_refuses_the_rest():
    mean = np.array([1.0, 2.0])
    normalizer = nf.Normalizer(mean, [1.0, 2.0], count=5.0, limit=3.0)
    mean[0] = 7.0
    assert_array_equal(normalizer.mean, [1, 2])
    assert not normalizer.mean.flags.writeable
    with pytest.raises(AttributeError):
        normalizer.limit = 2.0
    tiny = np.nextafter(np.finfo(np.float64).tiny, 0)
    for arguments, message in (
        (([0.0], [0.0]), r"std\[0\]=0"),
        (([0.0, 0.0], [1.0, -1.0]), r"std\[1\]=-1"),
        (([0.0], [tiny]), r"std\[0\]="),
        (([0.0], [np.nan]), r"std\[0\]=nan"),
        (([0.0], [1.0, 1.0]), r"std: .*to match mean"),
        (([0.0], [1.0], -1.0), "count=-1"),
        (([0.0], [1.0], 1.0, 0.0), "limit=0"),
    ):
        with pytest.raises(ValueError, match=message):
            nf.Normalizer(*arguments)


def test_running_moments_survive_the_way_into_a_normaliser_and_back():
    x = draw(50, 3)
    moments = np.concatenate([[50.0], x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).sum(axis=0)])
    normalizer = nf.Normalizer._from_moments(moments, 10.0)
    assert_allclose(normalizer.std, np.sqrt(x.var(axis=0) + 1e-8), rtol=1e-14)
    assert_allclose(normalizer._moments(), moments, rtol=1e-12)
    assert nf.Normalizer._from_moments(np.zeros(7), 10.0) is None
