"""Equations of matrices that linear-quadratic control solves, and the checks of its symmetric ones."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate

FloatArray = NDArray[np.float64]

_MAX_DOUBLINGS: Final = 64
_EPSILON: Final = float(np.finfo(np.float64).eps)


def symmetrised(matrix: FloatArray) -> FloatArray:
    return (matrix + matrix.T) / 2.0


def read_symmetric(name: str, value: ArrayLike, size: int, because: str, *, definite: bool = False) -> FloatArray:
    matrix = _validate.real_array(name, value, (size, size), because=because)
    crooked = np.argwhere(np.abs(matrix - matrix.T) > 1e-12 * np.abs(matrix).max())
    if crooked.size:
        i, j = crooked[0]
        msg = f"{name}[{i}, {j}]={matrix[i, j]} and {name}[{j}, {i}]={matrix[j, i]}: expected a symmetric matrix"
        raise ValueError(msg)
    matrix = matrix / 2.0 + matrix.T / 2.0
    eigenvalues = np.linalg.eigvalsh(matrix)
    if definite and not is_definite(matrix):
        msg = f"{name}: smallest eigenvalue {eigenvalues[0]:.6g}, expected a positive definite matrix"
        raise ValueError(msg)
    if eigenvalues[0] < -1e-12 * np.abs(eigenvalues).max():
        msg = f"{name}: smallest eigenvalue {eigenvalues[0]:.6g}, expected a positive semidefinite matrix"
        raise ValueError(msg)
    return matrix


def is_definite(matrix: FloatArray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def lower_factor(covariance: FloatArray) -> FloatArray:
    """Lower triangular L with L L^T = covariance, which may be singular, and a diagonal that is not negative."""
    if is_definite(covariance):
        return np.asarray(np.linalg.cholesky(covariance), np.float64)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    upper = np.linalg.qr((vectors * np.sqrt(np.maximum(eigenvalues, 0.0))).T, mode="r")
    signs = np.where(np.diag(upper) < 0.0, -1.0, 1.0)
    factor: FloatArray = np.tril((signs[:, None] * upper).T)
    return factor


def sum_of_powers(F: FloatArray, C: FloatArray) -> FloatArray:
    """Sum F^k C (F^T)^k over k >= 0, which solves X = C + F X F^T, by doubling the number of terms."""
    total = C
    for _ in range(_MAX_DOUBLINGS):
        total = symmetrised(total + F @ total @ F.T)
        F = F @ F
        if float(np.vdot(F, F)) <= _EPSILON**2:
            return total
    msg = f"gain: sqrt(gamma) (A - B K) does not settle in 2^{_MAX_DOUBLINGS} steps"
    raise ValueError(msg)


def riccati(A: FloatArray, B: FloatArray, Q: FloatArray, R: FloatArray) -> FloatArray:
    """Smallest solution of P = Q + A^T P (I + B R^{-1} B^T P)^{-1} A; see `LQR.optimum`."""
    n = A.shape[0]
    F, G, P = A, B @ np.linalg.solve(R, B.T), Q
    with np.errstate(all="ignore"):
        for _ in range(_MAX_DOUBLINGS):
            both = np.linalg.solve(np.eye(n) + G @ P, np.hstack([F, G]))
            gain = symmetrised(F.T @ P @ both[:, :n])
            G = symmetrised(G + F @ both[:, n:] @ F.T)
            F, P = F @ both[:, :n], P + gain
            if not np.isfinite(P).all():
                break
            if (np.abs(np.diag(gain)) <= 4.0 * _EPSILON * np.diag(P)).all():
                return P
    msg = "A, B: no gain has a finite cost, since none makes sqrt(gamma) (A - B K) stable (not stabilisable)"
    raise ValueError(msg)


def range_basis(moment: FloatArray) -> FloatArray:
    """Orthonormal basis (n, r) of the range, found from the correlations so that units do not matter."""
    n = moment.shape[0]
    scale = np.sqrt(np.maximum(np.diag(moment), 0.0))
    safe = np.where(scale > 0.0, scale, 1.0)
    eigenvalues, vectors = np.linalg.eigh(moment / np.outer(safe, safe))
    kept = eigenvalues > n * 64.0 * _EPSILON
    if kept.all():
        return np.eye(n)
    return np.linalg.qr(scale[:, None] * vectors[:, kept])[0]
