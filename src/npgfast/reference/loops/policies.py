"""Plain Python: tabular softmax and log-linear policies, and their scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Row = list[float]
Table = list[list[float]]


def log_softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """log pi(a|s) = theta_sa - log sum_b exp(theta_sb), over the allowed actions; -inf where masked.

    Parameters
    ----------
    logits : ndarray, shape (S, A)
        Any finite values; differences beyond the largest double become -inf.
    mask : ndarray of bool, shape (S, A), optional
        True where the action is allowed.

    Returns
    -------
    ndarray, shape (S, A)
        Log-probabilities, nats.

    Raises
    ------
    ValueError
        A state allows no action.

    References
    ----------
    Sutton, Barto, "Reinforcement Learning", 2018, equation 13.2.
    """
    rows: Table = np.asarray(logits, dtype=np.float64).tolist()
    result = []
    for s, row in enumerate(rows):
        allowed = [a for a in range(len(row)) if mask is None or mask[s][a]]
        if not allowed:
            msg = "mask: a state allows no action"
            raise ValueError(msg)
        largest = max(row[a] for a in allowed)
        log_sum = math.log(sum(math.exp(row[a] - largest) for a in allowed))
        logs = [-math.inf] * len(row)
        for a in allowed:
            logs[a] = row[a] - largest - log_sum
        result.append(logs)
    return np.array(result)


def softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """pi(a|s), the exponential of :func:`log_softmax`; exactly 0 where masked.

    Parameters
    ----------
    logits, mask
        As in :func:`log_softmax`.

    Returns
    -------
    ndarray, shape (S, A)
    """
    return np.array([[math.exp(x) for x in row] for row in log_softmax(logits, mask).tolist()])


def _logits(theta: Array, features: Array | None) -> Array:
    if features is None:
        return theta
    weights: Row = theta.tolist()
    return np.array(
        [[sum(w * x for w, x in zip(weights, phi, strict=True)) for phi in row] for row in features.tolist()]
    )


def policy_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Probabilities of the tabular softmax (theta (S, A)) or of the log-linear policy (theta (d,)).

    Parameters
    ----------
    theta : ndarray, shape (S, A) or (d,)
    features : ndarray, shape (S, A, d), optional
    mask : ndarray of bool, shape (S, A), optional

    Returns
    -------
    ndarray, shape (S, A)

    References
    ----------
    Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, sections 5 (softmax) and 6 (log-linear).
    """
    return softmax(_logits(theta, features), mask)


def policy_log_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Log-probabilities of the policies of :func:`policy_probs`, nats; -inf where masked.

    Parameters
    ----------
    theta, features, mask
        As in :func:`policy_probs`.

    Returns
    -------
    ndarray, shape (S, A)
    """
    return log_softmax(_logits(theta, features), mask)


def score_tabular(probs: Array, state: int, action: int) -> Array:
    """d log pi(a|s) / d theta_(s', b) = 1[s' = s] (1[b = a] - pi(b|s)).

    Parameters
    ----------
    probs : ndarray, shape (S, A)
    state, action : int

    Returns
    -------
    ndarray, shape (S * A,)

    References
    ----------
    Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, appendix C (derivatives of the softmax).
    """
    return np.array(_score(probs.tolist(), state, action, None))


def score_log_linear(features: Array, probs: Array, states: IntArray, actions: IntArray) -> Array:
    """d log pi(a|s) / d theta = phi(s, a) - sum_b pi(b|s) phi(s, b).

    Parameters
    ----------
    features : ndarray, shape (S, A, d)
    probs : ndarray, shape (S, A)
    states, actions : ndarray of int, shape (n,)

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    Kakade, "A natural policy gradient", NIPS 2001, section 3 (compatible features).
    """
    table, phi = probs.tolist(), features.tolist()
    return np.array([_score(table, s, a, phi) for s, a in zip(states.tolist(), actions.tolist(), strict=True)])


def _score(probs: Table, state: int, action: int, features: list[Table] | None) -> Row:
    if features is None:
        score = []
        for s, row in enumerate(probs):
            for b, p in enumerate(row):
                score.append(((1.0 if b == action else 0.0) - p) if s == state else 0.0)
        return score
    phi, row = features[state], probs[state]
    return [phi[action][k] - sum(p * phi[b][k] for b, p in enumerate(row)) for k in range(len(phi[action]))]
