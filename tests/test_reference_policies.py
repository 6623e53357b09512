"""The oracle's policies: log-softmax at its extremes, and scores by differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference_problems import ALL, BOTH, agree, central_difference

from npgfast.reference import vectorized

pytestmark = pytest.mark.isa_independent


@BOTH
@pytest.mark.parametrize("largest", [0.0, 40.0, 745.0, 1e308])
def test_log_softmax_extreme_logits(reference, largest):
    logits = np.array([[largest, -largest, 0.0]])
    probs = reference.softmax(logits)
    assert_allclose(probs.sum(), 1.0, rtol=1e-15)
    assert not np.isnan(reference.log_softmax(logits)).any()
    if largest == 1e308:
        assert_array_equal(probs, [[1.0, 0.0, 0.0]])


@BOTH
def test_log_softmax_mask(reference):
    mask = np.array([[True, False, True], [False, True, False]])
    logs = reference.log_softmax(np.array([[1.0, 5.0, 1.0], [3.0, -1e308, 2.0]]), mask)
    assert_allclose(logs, [[-np.log(2), -np.inf, -np.log(2)], [-np.inf, 0.0, -np.inf]], rtol=1e-15)
    with pytest.raises(ValueError, match="no action"):
        reference.log_softmax(np.zeros((2, 2)), np.array([[True, True], [False, False]]))


@ALL
def test_score_is_gradient_of_log_prob_and_has_zero_mean(problem):
    theta = np.random.default_rng(1).normal(size=problem.features.shape[2])
    cases = [(problem.theta, None), (theta, problem.features)]
    for parameters, features in cases:
        probs = agree("policy_probs", parameters, features, problem.mask)
        mean = np.zeros((len(probs), parameters.size))
        for s, a in zip(*np.nonzero(probs), strict=True):
            if features is None:
                score = agree("score_tabular", probs, s, a)
            else:
                score = agree("score_log_linear", features, probs, np.array([s]), np.array([a]))[0]
            expected = central_difference(
                lambda x, s=s, a=a, f=features: vectorized.policy_log_probs(x, f, problem.mask)[s, a], parameters
            )
            assert_allclose(score, expected, atol=1e-8)
            mean[s] += probs[s, a] * score
        assert_allclose(mean, 0.0, atol=1e-13)
