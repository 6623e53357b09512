"""Conjugate gradients: against dense solvers, typed statuses, true residuals, hostile operators, extreme scales."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast.reference import loops


def semidefinite(size: int, rank: int, seed: int = 0, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng([size, rank, seed])
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0][:, :rank]
    matrix = (basis * 10.0 ** rng.uniform(-spread, 0, rank)) @ basis.T
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 33])
def test_solution_equals_that_of_a_dense_solver(size):
    matrix, b = semidefinite(size, size), np.random.default_rng(1).normal(size=size)
    got = nf.conjugate_gradient(matrix, b, rtol=1e-13)
    assert got.status == "ok"
    assert_allclose(got.x, np.linalg.solve(matrix, b), rtol=1e-9, atol=1e-11)
    assert_allclose(got.x, loops.conjugate_gradient(matrix, b, 10 * size, 1e-13)[0], rtol=1e-9, atol=1e-11)
    assert got.residual_norm <= 1e-12 * np.linalg.norm(b)


@pytest.mark.parametrize("rank", [1, 5, 12])
def test_start_of_zero_stays_in_the_range_of_a_singular_matrix(rank):
    matrix = semidefinite(20, rank)
    b = matrix @ np.random.default_rng(0).normal(size=20)
    got = nf.conjugate_gradient(matrix, b, rtol=1e-12)
    assert got.status == "ok"
    assert got.iterations <= rank + 8
    assert_allclose(got.x, np.linalg.pinv(matrix, rcond=1e-12) @ b, rtol=1e-8, atol=1e-10)


def test_operators_of_every_kind_give_the_same_bits():
    linalg = pytest.importorskip("scipy.sparse.linalg")
    matrix, b = semidefinite(9, 9), np.arange(9.0)
    kinds = (
        matrix,
        lambda v: matrix @ v,
        linalg.aslinearoperator(matrix),
        matrix.tolist(),
        lambda v: (matrix @ v).tolist(),
    )
    results = [nf.conjugate_gradient(kind, b) for kind in kinds]
    for result in results[1:]:
        assert_allclose(result.x, results[0].x, rtol=1e-12, atol=1e-13)
        assert result.status == results[0].status


def test_zero_right_hand_side_needs_no_product():
    def operator(_):
        raise AssertionError

    got = nf.conjugate_gradient(operator, np.zeros(3), x0=np.ones(3))
    assert (got.status, got.iterations, got.residual_norm) == ("zero_gradient", 0, 0.0)
    assert_array_equal(got.x, 0)


def test_indefinite_matrices_are_recognised():
    got = nf.conjugate_gradient(np.diag([1.0, -1.0]), [1.0, 2.0])
    assert (got.status, got.iterations) == ("negative_curvature", 0)
    assert_array_equal(got.x, 0)
    got = nf.conjugate_gradient(np.diag([4.0, 1.0, -1.0]), [1.0, 1.0, 0.1])
    assert got.status == "negative_curvature"
    assert got.iterations >= 1
    assert np.isfinite(got.x).all()
    assert_allclose(got.residual_norm, np.linalg.norm([1, 1, 0.1] - np.array([4, 1, -1]) * got.x), rtol=1e-12)
    assert nf.conjugate_gradient(np.zeros((2, 2)), [1.0, 0.0]).status == "negative_curvature"


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_iteration_limit_is_a_status_with_the_true_residual(limit):
    matrix, b = semidefinite(30, 30, spread=4.0), np.random.default_rng(0).normal(size=30)
    got = nf.conjugate_gradient(matrix, b, max_iters=limit)
    assert (got.status, got.iterations) == ("cg_max_iterations", limit)
    assert_allclose(got.residual_norm, np.linalg.norm(b - matrix @ got.x), rtol=1e-12)
    assert_allclose(got.x, loops.conjugate_gradient(matrix, b, limit, 1e-10)[0], rtol=1e-10, atol=1e-13)


def test_residual_is_recomputed_and_not_the_recurrence():
    matrix = np.vander(np.linspace(0.1, 1, 12), 12)
    matrix = matrix.T @ matrix  # so ill-conditioned that the recurrence drifts from the truth
    b = np.random.default_rng(0).normal(size=12)
    got = nf.conjugate_gradient(matrix, b, max_iters=200, rtol=1e-12)
    rounding = 24 * 2.0**-52 * np.linalg.norm(np.abs(matrix) @ np.abs(got.x))  # of two sums of twelve products
    assert_allclose(got.residual_norm, np.linalg.norm(b - matrix @ got.x), atol=rounding)
    if got.status == "ok":
        assert got.residual_norm <= 1e-6 * np.linalg.norm(b)


def test_products_that_are_not_finite_are_a_status():
    for bad in (np.nan, np.inf, -np.inf):
        got = nf.conjugate_gradient(lambda v, bad=bad: np.where(v == 0, 0, bad), [1.0, 2.0])
        assert got.status == "non_finite"
        assert np.isfinite(got.x).all()
    calls = []

    def spoiled(v):
        calls.append(v)
        return np.array([1.0, 2, 3]) * v if len(calls) < 3 else np.full(3, np.nan)

    got = nf.conjugate_gradient(spoiled, [1.0, 1.0, 1.0])
    assert got.status == "non_finite"
    assert np.isfinite(got.x).all()
    assert got.iterations == 2


def test_overflowing_solution_is_a_status():
    got = nf.conjugate_gradient(np.eye(2) * 1e-200, [1e200, 0.0])
    assert got.status == "non_finite"
    assert np.isfinite(got.x).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-160, 1e160, 1e200, 1e300])
def test_solution_scales_with_the_right_hand_side(scale):
    matrix, b = semidefinite(9, 9), np.random.default_rng(0).normal(size=9)
    plain, scaled = nf.conjugate_gradient(matrix, b), nf.conjugate_gradient(matrix, b * scale)
    assert scaled.status == "ok"
    assert scaled.iterations == plain.iterations
    assert_allclose(scaled.x / scale, plain.x, rtol=1e-9)
    assert scaled.residual_norm <= 1e-9 * np.linalg.norm(b) * scale


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_operators_of_extreme_size_are_solved(scale):
    matrix, b = semidefinite(9, 9), np.random.default_rng(0).normal(size=9)
    got = nf.conjugate_gradient(matrix * scale, b)
    assert got.status == "ok"
    assert_allclose(got.x * scale, np.linalg.solve(matrix, b), rtol=1e-7)


def test_start_is_used_and_left_alone():
    matrix, b = semidefinite(9, 9), np.random.default_rng(0).normal(size=9)
    exact = np.linalg.solve(matrix, b)
    start = exact.copy()
    got = nf.conjugate_gradient(matrix, b, x0=start)
    assert (got.status, got.iterations) == ("ok", 0)
    assert_allclose(got.x, exact, rtol=1e-13)
    got = nf.conjugate_gradient(matrix, b, x0=np.ones(9), rtol=1e-12)
    assert_allclose(got.x, exact, rtol=1e-8)
    assert_array_equal(start, exact)
    # With a singular matrix the part of the start outside the range stays.
    singular = np.diag([1.0, 2.0, 0.0])
    assert_allclose(nf.conjugate_gradient(singular, [1.0, 2.0, 0.0], x0=[5.0, 5.0, 5.0]).x, [1, 1, 5], rtol=1e-12)


class OperatorError(Exception):
    """Raised by an operator of a test."""


def test_exceptions_of_the_operator_pass_through():
    def operator(_):
        raise OperatorError

    with pytest.raises(OperatorError):
        nf.conjugate_gradient(operator, [1.0])


def test_operator_of_a_wrong_shape_or_kind_is_an_error():
    for result in (np.ones(3), np.ones((2, 1)), 1.0):
        with pytest.raises(ValueError, match=r"operator\(v\)"):
            nf.conjugate_gradient(lambda _, result=result: result, [1.0, 2.0])
    for result in (None, ["a", "b"], np.ones(2) * 1j):
        with pytest.raises(TypeError, match=r"operator\(v\)"):
            nf.conjugate_gradient(lambda _, result=result: result, [1.0, 2.0])


def test_operator_may_keep_and_change_what_it_is_given():
    matrix, b = semidefinite(8, 8), np.arange(1.0, 9)

    def destructive(v):
        image = matrix @ v
        v[...] = np.nan
        return image

    assert_array_equal(nf.conjugate_gradient(destructive, b).x, nf.conjugate_gradient(lambda v: matrix @ v, b).x)
    kept = []
    nf.conjugate_gradient(lambda v: kept.append(v) or matrix @ v, b)
    copies = [v.copy() for v in kept]
    nf.conjugate_gradient(lambda v: matrix @ v, b)
    for one, two in zip(kept, copies, strict=True):
        assert_array_equal(one, two)


def test_zero_tolerance_ends_without_false_alarm():
    matrix, b = semidefinite(6, 6), np.random.default_rng(0).normal(size=6)
    got = nf.conjugate_gradient(matrix, b, rtol=0.0)
    assert got.status in ("ok", "cg_max_iterations")
    assert_allclose(got.x, np.linalg.solve(matrix, b), rtol=1e-11)
