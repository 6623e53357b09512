"""NumPy: tabular softmax and log-linear policies, and their scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def log_softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """log pi(a|s) = theta_sa - log sum_b exp(theta_sb), over the allowed actions; -inf where masked.

    Source: Sutton, Barto, "Reinforcement Learning", 2018, equation 13.2. Twin: :func:`.loops.log_softmax`.
    """
    allowed = np.ones(np.shape(logits), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    masked = np.where(allowed, logits, -np.inf)
    largest = masked.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        msg = "mask: a state allows no action"
        raise ValueError(msg)
    with np.errstate(over="ignore"):
        shifted = masked - largest
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def softmax(logits: Array, mask: BoolArray | None = None) -> Array:
    """pi(a|s), the exponential of :func:`log_softmax`; exactly 0 where masked.

    Twin: :func:`.loops.softmax`.
    """
    result: Array = np.exp(log_softmax(logits, mask))
    return result


def policy_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Probabilities of the tabular softmax (theta (S, A)) or of the log-linear policy (theta (d,)).

    Source: Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, sections 5 (softmax) and 6 (log-linear). Twin:
    :func:`.loops.policy_probs`.
    """
    return np.exp(policy_log_probs(theta, features, mask))


def policy_log_probs(theta: Array, features: Array | None = None, mask: BoolArray | None = None) -> Array:
    """Log-probabilities of the policies of :func:`policy_probs`, nats; -inf where masked.

    Twin: :func:`.loops.policy_log_probs`.
    """
    return log_softmax(theta if features is None else features @ theta, mask)


def score_tabular(probs: Array, state: int, action: int) -> Array:
    """d log pi(a|s) / d theta = e_(s,a) - pi(.|s) on row s, 0 elsewhere.

    Source: Agarwal, Kakade, Lee, Mahajan, JMLR 22(98), 2021, appendix C (derivatives of the softmax). Twin:
    :func:`.loops.score_tabular`.
    """
    score = np.zeros_like(probs)
    score[state] = -probs[state]
    score[state, action] += 1.0
    return score.ravel()


def score_log_linear(features: Array, probs: Array, states: IntArray, actions: IntArray) -> Array:
    """d log pi(a|s) / d theta = phi(s, a) - sum_b pi(b|s) phi(s, b).

    Source: Kakade, "A natural policy gradient", NIPS 2001, section 3 (compatible features). Twin:
    :func:`.loops.score_log_linear`.
    """
    mean = np.einsum("sa,sad->sd", probs, features)
    result: Array = features[states, actions] - mean[states]
    return result


def _scores(probs: Array, states: IntArray, actions: IntArray, features: Array | None) -> Array:
    if features is not None:
        return score_log_linear(features, probs, states, actions)
    n, (n_states, n_actions) = len(states), probs.shape
    scores = np.zeros((n, n_states, n_actions))
    scores[np.arange(n), states] = -probs[states]
    scores[np.arange(n), states, actions] += 1.0
    return scores.reshape(n, -1)


def _weighted_score(
    probs: Array, states: IntArray, actions: IntArray, coefficients: Array, features: Array | None
) -> Array:
    """sum_i c_i score(s_i, a_i), through the gradient with respect to the logits."""
    logits_gradient = np.zeros_like(probs)
    np.add.at(logits_gradient, (states, actions), coefficients)
    logits_gradient -= logits_gradient.sum(axis=1, keepdims=True) * probs
    return _from_logits(logits_gradient, features)


def _from_logits(logits_gradient: Array, features: Array | None) -> Array:
    if features is None:
        return logits_gradient.ravel()
    result: Array = np.einsum("sa,sad->d", logits_gradient, features)
    return result
