"""Plain Python: linear-quadratic control by long sums over time, and its optimum by value iteration.

A system is ``(A, B, Q, R, noise, initial_mean, initial_covariance)``: x' = A x + B u + w with w ~ N(0, noise),
r = -(x^T Q x + u^T R u), and x_0 Gaussian. The policy is u ~ N(-K x, diag(exp(log_std))^2). Sums run over `n_steps`:
the horizon, or so many steps that gamma^n_steps is nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from npgfast.reference.loops.policies import Array, Table

    System = tuple[Array, Array, Array, Array, Array, Array, Array]


def lqr_second_moments(system: System, gain: Array, log_std: Array, n_steps: int) -> Array:
    """E[x_t x_t^T] for t < n_steps: S' = M S M^T + N with M = A - B K and N = noise + B diag(sigma^2) B^T.

    Source: the definition; w and the policy's noise have mean 0 and do not depend on x.
    """
    start, loop, added = _start(system), _closed_loop(system, gain), _added_noise(system, log_std)
    moments = [start]
    for _ in range(n_steps - 1):
        moments.append(_plus(_product(_product(loop, moments[-1]), _transposed(loop)), added))
    return np.array(moments)


def lqr_objective(system: System, gain: Array, log_std: Array, gamma: float, n_steps: int) -> float:
    """J = -sum_t gamma^t [tr(Q S_t) + tr(R (K S_t K^T + diag(sigma^2)))].

    Source: the definition, E[x^T Q x] = tr(Q E[x x^T]).
    """
    _, _, Q, R, *_ = system
    K, spread = gain.tolist(), _diagonal([math.exp(2.0 * x) for x in log_std.tolist()])
    total, weight = 0.0, 1.0
    for moment in lqr_second_moments(system, gain, log_std, n_steps).tolist():
        action_moment = _plus(_product(_product(K, moment), _transposed(K)), spread)
        total -= weight * (_trace(_product(Q.tolist(), moment)) + _trace(_product(R.tolist(), action_moment)))
        weight *= gamma
    return total


def lqr_gradient(system: System, gain: Array, log_std: Array, gamma: float, n_steps: int) -> Array:
    """dJ / d[W.ravel(), log_std] with W = -K^T, one parameter after the other, by differentiating the moments forward.

    dS' = dM S M^T + M dS M^T + M S dM^T + dN beside S' = M S M^T + N: no value function is used.

    Source: the derivative of the definition of :func:`lqr_objective`.
    """
    A, B, Q, R, *_ = system
    n, m = B.shape
    K, loop = gain.tolist(), _closed_loop(system, gain)
    moments = lqr_second_moments(system, gain, log_std, n_steps).tolist()
    gradient = []
    for parameter in range(n * m + m):
        d_gain, d_spread = _zeros(m, n), _zeros(m, m)
        if parameter < n * m:
            i, j = divmod(parameter, m)
            d_gain[j][i] = -1.0
        else:
            j = parameter - n * m
            d_spread[j][j] = 2.0 * math.exp(2.0 * log_std[j])
        d_loop = [[-x for x in row] for row in _product(B.tolist(), d_gain)]
        d_added = _product(_product(B.tolist(), d_spread), _transposed(B.tolist()))
        d_moment, total, weight = _zeros(*A.shape), 0.0, 1.0
        for moment in moments:
            half = _product(_product(d_gain, moment), _transposed(K))
            d_action = _plus(_plus(half, _transposed(half)), _product(_product(K, d_moment), _transposed(K)))
            d_action = _plus(d_action, d_spread)
            total -= weight * (_trace(_product(Q.tolist(), d_moment)) + _trace(_product(R.tolist(), d_action)))
            half = _product(_product(d_loop, moment), _transposed(loop))
            d_moment = _plus(_product(_product(loop, d_moment), _transposed(loop)), d_added)
            d_moment = _plus(d_moment, _plus(half, _transposed(half)))
            weight *= gamma
        gradient.append(total)
    return np.array(gradient)


def lqr_fisher_matrix(system: System, gain: Array, log_std: Array, gamma: float, n_steps: int) -> Array:
    """F = sum_t gamma^t E[score score^T] / sum_t gamma^t, entry by entry.

    The score is x_i (u_j - (W^T x)_j) / sigma_j^2 for W_ij and ((u_j - (W^T x)_j) / sigma_j)^2 - 1 for log_std_j.

    Source: Kakade, "A natural policy gradient", NIPS 2001, section 3; Gaussian moments E[z^2] = 1, E[z^3] = 0 and
    E[(z^2 - 1)^2] = 2.
    """
    n, m = system[1].shape
    variance = [math.exp(2.0 * x) for x in log_std.tolist()]
    fisher, length, weight = _zeros(n * m + m, n * m + m), 0.0, 1.0
    for moment in lqr_second_moments(system, gain, log_std, n_steps).tolist():
        for i in range(n):
            for k in range(n):
                for j in range(m):
                    fisher[i * m + j][k * m + j] += weight * moment[i][k] / variance[j]
        for j in range(n * m, n * m + m):
            fisher[j][j] += weight * 2.0
        length += weight
        weight *= gamma
    return np.array(fisher) / length


def lqr_value_iteration(system: System, gamma: float, n_steps: int) -> tuple[Array, Array]:
    """Gains (n_steps, m, n) and value matrices (n_steps, n, n) of the optimum over n_steps; the first are for t = 0.

    K = (R + gamma B^T P B)^{-1} gamma B^T P A and P <- Q + gamma A^T P (A - B K), from P = 0.

    Source: Bertsekas, "Dynamic Programming and Optimal Control", vol. I, section 4.1 (discounted).
    """
    A, B, Q, R = (matrix.tolist() for matrix in system[:4])
    gains, values, after = [], [], _zeros(len(A), len(A))
    for _ in range(n_steps):
        from_action = [[gamma * x for x in row] for row in _product(_transposed(B), after)]
        gain = _solved(_plus(R, _product(from_action, B)), _product(from_action, A))
        loop = _plus(A, [[-x for x in row] for row in _product(B, gain)])
        from_state = [[gamma * x for x in row] for row in _product(_transposed(A), after)]
        after = _plus(Q, _product(from_state, loop))
        gains.append(gain)
        values.append(after)
    return np.array(gains[::-1]), np.array(values[::-1])


def _start(system: System) -> Table:
    mean, covariance = system[5].tolist(), system[6].tolist()
    return _plus(covariance, [[x * y for y in mean] for x in mean])


def _closed_loop(system: System, gain: Array) -> Table:
    steered = _product(system[1].tolist(), gain.tolist())
    return _plus(system[0].tolist(), [[-x for x in row] for row in steered])


def _added_noise(system: System, log_std: Array) -> Table:
    B, spread = system[1].tolist(), _diagonal([math.exp(2.0 * x) for x in log_std.tolist()])
    return _plus(system[4].tolist(), _product(_product(B, spread), _transposed(B)))


def _zeros(n: int, m: int) -> Table:
    return [[0.0] * m for _ in range(n)]


def _diagonal(entries: list[float]) -> Table:
    return [[x if i == j else 0.0 for j in range(len(entries))] for i, x in enumerate(entries)]


def _plus(x: Table, y: Table) -> Table:
    return [[a + b for a, b in zip(row, other, strict=True)] for row, other in zip(x, y, strict=True)]


def _product(x: Table, y: Table) -> Table:
    columns = _transposed(y)
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in x]


def _transposed(x: Table) -> Table:
    return [list(column) for column in zip(*x, strict=True)]


def _trace(x: Table) -> float:
    return sum(row[i] for i, row in enumerate(x))


def _solved(matrix: Table, right: Table) -> Table:
    """Gauss-Jordan elimination with partial pivoting."""
    size = len(matrix)
    rows = [[*row, *other] for row, other in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(size):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[size:] for row in rows]
