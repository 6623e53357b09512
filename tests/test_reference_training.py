"""The oracle's training loops: agreement and proven rates."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_problems import CASES, agree, make_problem, uniform

from npgfast.reference import vectorized

pytestmark = pytest.mark.isa_independent


@pytest.mark.parametrize("name", ["bandit", "discounted", "masked", "episodic", "horizon", "horizon_ending"])
def test_training_loops_agree(name):
    problem = CASES[name]
    for tau in (0.0, 0.2):
        result = agree("train_npg_exact", *problem.arrays, 3, 0.1, problem.mask, tau, rtol=1e-7)
        history = np.array([result["initial_objective"], *result["objective"]])
        if tau == 0.0 or problem.arrays[5] is None:
            assert (np.diff(history) >= -1e-10).all()
        start = vectorized.evaluate(*problem.arrays, uniform(problem), tau)["objective"]
        assert_allclose(history[0], start, rtol=1e-12)
    result = agree("train_trpo_exact", *problem.arrays, 2, 0.01, problem.mask, rtol=1e-5, atol=1e-7)
    assert set(result["status"]) <= {"ok", "zero_gradient"}
    assert (result["kl"] <= 0.01).all()


def test_npg_rate():
    for seed, eta in itertools.product(range(3), (0.1, 1.0)):
        base = make_problem(20 + seed, 6, 3, gamma=0.8)
        rewards = np.random.default_rng(seed).random((6, 3))
        arrays = (base.arrays[0], rewards, *base.arrays[2:])
        optimum = vectorized.solve(*arrays)["objective"]
        objective = vectorized.train_npg_exact(*arrays, 40, eta)["objective"]
        iteration = np.arange(1, 41)
        assert (optimum - objective <= np.log(3) / (eta * iteration) + 1 / (0.2**2 * iteration)).all()


def test_entropy_npg_linear_rate():
    tau, gamma, eta = 0.1, 0.8, 0.5
    base = make_problem(30, 5, 3, gamma=gamma)
    optimum = vectorized.solve(*base.arrays, tau=tau)
    start = vectorized.evaluate(*base.arrays, np.full((5, 3), 1 / 3), tau)
    policy_gap = np.abs(np.log(optimum["policy"]) + np.log(3)).max()
    scale = np.abs(optimum["action_values"] - start["action_values"]).max()
    scale += 2 * tau * (1 - eta * tau / (1 - gamma)) * policy_gap
    theta, reachable = np.zeros((5, 3)), np.ones(5, dtype=bool)
    for t in range(30):
        result = vectorized.evaluate(*base.arrays, vectorized.softmax(theta), tau)
        if t:
            gap = np.abs(optimum["action_values"] - result["action_values"]).max()
            assert gap <= scale * gamma * (1 - eta * tau) ** (t - 1) + 1e-10
        theta = vectorized.entropy_npg_update(theta, result["advantages"], 1 / (1 - gamma), eta, tau, reachable)
