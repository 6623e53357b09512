"""The oracle's exact evaluation and optimality: occupancy flow, known optima, and failures named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_problems import ALL, BOTH, CASES, agree, make_problem

from npgfast.reference import loops, vectorized

pytestmark = pytest.mark.isa_independent


@ALL
@pytest.mark.parametrize("tau", [0.0, 0.3])
def test_evaluate_and_batch_agree(problem, tau):
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = agree("evaluate", *problem.arrays, probs, tau)
    batch = agree("exact_batch", *problem.arrays, probs, tau)
    assert_allclose(result["occupancy"].sum(), 1.0, rtol=1e-12)
    assert_allclose(batch["weights"].sum(), 1.0, rtol=1e-12)
    centred = (np.broadcast_to(probs, result["advantages"].shape) * result["advantages"]).sum(axis=-1)
    assert_allclose(centred, 0.0, atol=1e-11)
    _, rewards, _, _, gamma, horizon = problem.arrays
    rate = (
        batch["weights"] * (rewards - tau * np.log(np.maximum(probs, 1e-300)))[batch["states"], batch["actions"]]
    ).sum()
    assert_allclose(result["objective"], batch["effective_horizon"] * rate, rtol=1e-10, atol=1e-11)
    if horizon is None and not problem.arrays[2].any():
        assert_allclose(result["effective_horizon"], 1 / (1 - gamma), rtol=1e-10)
    if horizon is not None:
        agree("marginal_advantages", result["advantages"], result["occupancy"])


def test_evaluate_nonstationary_policy():
    problem = CASES["horizon_ending"]
    horizon = problem.arrays[5]
    logits = np.random.default_rng(2).normal(size=(horizon, *problem.theta.shape))
    probs = np.stack([vectorized.softmax(x, problem.mask) for x in logits])
    for tau in (0.0, 0.5):
        agree("evaluate", *problem.arrays, probs, tau)
        agree("exact_batch", *problem.arrays, probs, tau)


@ALL
def test_occupancy_flow(problem):
    transitions, _, _, mu, gamma, horizon = problem.arrays
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = vectorized.evaluate(*problem.arrays, probs)
    visits = result["occupancy"] * result["effective_horizon"]
    flow = gamma * np.einsum("...s,sa,sat->...t", visits, probs, transitions)
    if horizon is None:
        assert_allclose(visits, mu + flow, rtol=1e-10)
    else:
        assert_allclose(visits, np.concatenate([mu[None], flow[:-1]]), rtol=1e-12)


@BOTH
def test_constant_reward_chain(reference):
    transitions = np.eye(3)[[1, 2, 2]][:, None, :]
    chain = (transitions, np.ones((3, 1)), np.zeros((3, 1)), np.eye(3)[0])
    for gamma in (0.0, 0.5, 0.99):
        result = reference.evaluate(*chain, gamma, None, np.ones((3, 1)))
        assert_allclose(result["values"], 1 / (1 - gamma), rtol=1e-11)
        assert_allclose(result["advantages"], 0.0, atol=1e-10)


@BOTH
def test_gamma_one_names_a_state_that_never_ends(reference):
    transitions = np.zeros((2, 2, 2))
    transitions[0, 0, 1] = transitions[1, 0, 1] = transitions[0, 1, 1] = 1.0
    termination = np.array([[0.0, 0.0], [0.0, 1.0]])
    arrays = (transitions, np.ones((2, 2)), termination, np.array([1.0, 0.0]), 1.0, None)
    forever = np.array([[1.0, 0.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="state 0 never ends"):
        reference.evaluate(*arrays, forever)
    with pytest.raises(ValueError, match="never ends"):
        reference.solve(*arrays, mask=np.array([[True, True], [True, False]]))
    assert_allclose(reference.evaluate(*arrays, np.full((2, 2), 0.5))["values"], [3.0, 2.0], rtol=1e-12)


def test_reachable_states():
    transitions = np.zeros((4, 2, 4))
    transitions[0, 0, 1] = transitions[0, 1, 2] = transitions[1, :, 0] = transitions[2, :, 3] = transitions[3, :, 3] = 1
    mu = np.array([1.0, 0, 0, 0])
    assert agree("reachable_states", transitions, mu).tolist() == [True] * 4
    mask = np.array([[True, False]] + [[True, True]] * 3)
    assert agree("reachable_states", transitions, mu, mask).tolist() == [True, True, False, False]
    layers = agree("reachable_states", transitions, mu, None, 3)
    assert layers.tolist() == [[True, False, False, False], [False, True, True, False], [True, False, False, True]]


@ALL
def test_performance_difference(problem):
    other = vectorized.softmax(-problem.theta, problem.mask)
    probs = vectorized.softmax(problem.theta, problem.mask)
    new, old = (vectorized.evaluate(*problem.arrays, p) for p in (other, probs))
    gain = new["effective_horizon"] * (new["occupancy"][..., None] * other * old["advantages"]).sum()
    assert_allclose(new["objective"] - old["objective"], gain, atol=1e-10)


@ALL
@pytest.mark.parametrize("tau", [0.0, 0.2])
def test_solve_agrees_and_is_optimal(problem, tau):
    optimum = agree("solve", *problem.arrays, problem.mask, tau, rtol=1e-8, atol=1e-9)
    achieved = vectorized.evaluate(*problem.arrays, optimum["policy"], tau)
    assert_allclose(achieved["values"], optimum["values"], rtol=1e-9, atol=1e-9)
    for seed in range(5):
        logits = np.random.default_rng(seed).normal(size=problem.theta.shape) * 3
        other = vectorized.evaluate(*problem.arrays, vectorized.softmax(logits, problem.mask), tau)
        assert other["objective"] <= optimum["objective"] + 1e-10


def test_solve_equals_enumeration():
    problem = make_problem(10, 3, 3, gamma=0.9)
    policies = itertools.product(range(3), repeat=3)
    best = max(vectorized.evaluate(*problem.arrays, np.eye(3)[list(p)])["objective"] for p in policies)
    assert_allclose(vectorized.solve(*problem.arrays)["objective"], best, rtol=1e-12)


def two_state():
    transitions = np.zeros((2, 2, 2))
    transitions[0, 0, 0] = transitions[0, 1, 1] = transitions[1, 0, 1] = transitions[1, 1, 0] = 1.0
    return transitions, np.array([[1.0, 0.0], [2.0, 0.0]]), np.zeros((2, 2)), np.array([0.8, 0.2])


def test_two_state_optimum():
    assert_allclose(agree("solve", *two_state(), 0.9, None)["values"], [18.0, 20.0], rtol=1e-12)


def test_forest_optimum():
    transitions = np.zeros((3, 2, 3))
    transitions[:, 0, 0], transitions[:, 1, 0] = 0.1, 1.0
    transitions[[0, 1, 2], 0, [1, 2, 2]] += 0.9
    rewards = np.array([[0.0, 0.0], [0.0, 1.0], [4.0, 2.0]])
    optimum = agree("solve", transitions, rewards, np.zeros((3, 2)), np.full(3, 1 / 3), 0.96, None)
    assert_allclose(optimum["values"], [74.6496, 78.1056, 82.1056], atol=5e-5)


def test_sutton_barto_gridworld_optimum():
    transitions, rewards = np.zeros((25, 4, 25)), np.zeros((25, 4))
    for cell, (action, (down, right)) in itertools.product(range(25), enumerate([(0, -1), (1, 0), (0, 1), (-1, 0)])):
        row, column = cell // 5 + down, cell % 5 + right
        inside = 0 <= row < 5 and 0 <= column < 5
        target, rewards[cell, action] = (5 * row + column, 0.0) if inside else (cell, -1.0)
        if cell in (1, 3):
            target, rewards[cell, action] = (21, 10.0) if cell == 1 else (13, 5.0)
        transitions[cell, action, target] = 1.0
    optimum = agree("solve", transitions, rewards, np.zeros((25, 4)), np.full(25, 0.04), 0.9, None)
    assert_allclose(optimum["values"][1], 10 / (1 - 0.9**5), rtol=1e-11)


def test_gambler_optimum():
    transitions, rewards = np.zeros((99, 50, 99)), np.zeros((99, 50))
    termination, mask = np.zeros((99, 50)), np.zeros((99, 50), dtype=bool)
    for capital in range(1, 100):
        for stake in range(1, min(capital, 100 - capital) + 1):
            pair = (capital - 1, stake - 1)
            mask[pair] = True
            for chance, money in ((0.4, capital + stake), (0.6, capital - stake)):
                if 0 < money < 100:
                    transitions[*pair, money - 1] += chance
                else:
                    termination[pair] += chance
                    rewards[pair] += chance * (money == 100)
    values = vectorized.solve(transitions, rewards, termination, np.full(99, 1 / 99), 1.0, None, mask)["values"]
    assert_allclose(values[[24, 49]], [0.16, 0.4], rtol=1e-10)


def frozen_lake():
    """FrozenLake 4x4, slippery; entering a hole (H) or the goal (G) terminates."""
    tiles = "SFFFFHFHFFFHHFFG"
    transitions, rewards, termination = np.zeros((16, 4, 16)), np.zeros((16, 4)), np.zeros((16, 4))
    moves = [(0, -1), (1, 0), (0, 1), (-1, 0)]
    for cell, action, slip in itertools.product(range(16), range(4), (-1, 0, 1)):
        if tiles[cell] in "HG":
            termination[cell, action] = 1.0
            continue
        down, right = moves[(action + slip) % 4]
        target = 4 * min(max(cell // 4 + down, 0), 3) + min(max(cell % 4 + right, 0), 3)
        rewards[cell, action] += (tiles[target] == "G") / 3
        if tiles[target] in "HG":
            termination[cell, action] += 1 / 3
        else:
            transitions[cell, action, target] += 1 / 3
    return transitions, rewards, termination, np.eye(16)[0]


@pytest.mark.parametrize(
    ("gamma", "horizon", "expected"),
    [(0.9, None, 0.068890904889), (0.99, None, 0.542025932000), (1.0, None, 14 / 17), (1.0, 100, 0.744190287829)],
)
def test_frozen_lake_optimum(gamma, horizon, expected):
    optimum = vectorized.solve(*frozen_lake(), gamma, horizon)
    assert_allclose(optimum["objective"], expected, atol=2e-12)
    assert_allclose(loops.solve(*frozen_lake(), gamma, horizon)["values"], optimum["values"], atol=1e-11)


@BOTH
def test_frozen_lake_uniform_policy(reference):
    result = reference.evaluate(*frozen_lake(), 0.99, None, np.full((16, 4), 0.25))
    assert_allclose(result["objective"], 0.012356137325, atol=1e-12)
