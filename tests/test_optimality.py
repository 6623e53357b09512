"""Optimal control: value iteration, brute force, certified bounds, end components, ties, horizons, entropy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast.reference import loops, vectorized

METHODS = ("auto", "policy_iteration", "modified_policy_iteration", "value_iteration")
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


def problem(seed, n_states, n_actions, *, gamma=0.9, horizon=None, ending=False, masked=False):
    rng = np.random.default_rng([seed, n_states, n_actions])
    transitions = rng.dirichlet(np.full(n_states, 0.3), (n_states, n_actions))
    termination = rng.uniform(0.05, 0.5, (n_states, n_actions)) if ending else np.zeros((n_states, n_actions))
    mask = rng.random((n_states, n_actions)) < (0.6 if masked else 1.0)
    mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    return nf.TabularMDP(
        transitions * (1 - termination[..., None]),
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=rng.dirichlet(np.ones(n_states)),
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def arrays(mdp: nf.TabularMDP) -> tuple:
    return mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon


def one_hot(mdp: nf.TabularMDP, actions: np.ndarray) -> np.ndarray:
    return np.eye(mdp.n_actions)[actions]


def loop_or_end(*rewards: float, gamma: float = 1.0) -> nf.TabularMDP:
    """One state: action 0 stays, action 1 ends."""
    return nf.TabularMDP([[[1.0], [0.0]]], [list(rewards)], termination=[[0.0, 1.0]], gamma=gamma)


CASES = {
    "one_state_one_action": problem(0, 1, 1),
    "bandit": problem(1, 1, 5, gamma=0.5),
    "myopic": problem(2, 6, 3, gamma=0.0, masked=True),
    "discounted": problem(3, 9, 4, gamma=0.9, masked=True),
    "long": problem(4, 5, 3, gamma=0.99),
    "episodic": problem(5, 11, 3, gamma=1.0, ending=True, masked=True),
    "episodic_discounted": problem(6, 17, 5, gamma=0.95, ending=True),
    "horizon_one": problem(7, 4, 3, horizon=1, masked=True),
    "horizon_seven": problem(8, 9, 3, gamma=1.0, horizon=7, ending=True, masked=True),
}
ALL = pytest.mark.parametrize("mdp", CASES.values(), ids=CASES.keys())


@EVERY_METHOD
@pytest.mark.parametrize("tau", [0.0, 0.5])
@ALL
def test_solution_matches_reference(mdp, tau, method):
    got = nf.solve(mdp, method=method, tau=tau)
    reference = loops if mdp.gamma < 0.99 else vectorized
    expected = reference.solve(*arrays(mdp), mdp.action_mask, tau)
    scale = max(1.0, np.abs(expected["values"]).max())
    assert got.converged
    assert got.lower <= got.objective <= got.upper
    assert got.upper - got.lower <= 1e-10 * max(1, abs(got.objective))
    slack = 1e-12 * scale
    assert got.lower - slack <= expected["objective"] <= got.upper + slack  # the reference rounds too
    assert_allclose(got.values, expected["values"], atol=1e-9 * scale)
    masked = np.broadcast_to(~mdp.action_mask, got.action_values.shape)
    assert_allclose(got.action_values[~masked], expected["action_values"][~masked], atol=1e-9 * scale)
    assert_array_equal(got.action_values[masked], -np.inf)
    if tau == 0:
        achieved = nf.evaluate(mdp, one_hot(mdp, got.actions))
        assert_allclose(achieved.values, got.values, atol=1e-9 * scale)
        assert_allclose(got.action_values.max(axis=-1), got.values, atol=1e-9 * scale)
    else:
        peak = got.action_values.max(axis=-1, keepdims=True)
        soft = peak[..., 0] + tau * np.log(np.exp((got.action_values - peak) / tau).sum(axis=-1))
        assert_allclose(soft, got.values, atol=1e-9 * scale)
        assert_array_equal(got.actions, got.action_values.argmax(axis=-1))


@EVERY_METHOD
@pytest.mark.parametrize("seed", range(6))
def test_no_deterministic_policy_beats_the_solution(seed, method):
    gamma = (0.5, 0.95, 1.0)[seed % 3]
    mdp = problem(seed, 4, 3, gamma=gamma, ending=gamma == 1.0, masked=seed % 2 == 0)
    allowed = [np.flatnonzero(row) for row in mdp.action_mask]
    best = max(nf.evaluate(mdp, one_hot(mdp, np.array(a))).objective for a in itertools.product(*allowed))
    assert_allclose(nf.solve(mdp, method=method).objective, best, rtol=1e-12, atol=1e-12)


def deterministic_graph(rng: np.random.Generator, n_states: int, n_actions: int) -> nf.TabularMDP | None:
    """A graph of sure moves with rewards in {-1, 0} on the way and any on ending, at gamma = 1."""
    target = rng.integers(n_states + 1, size=(n_states, n_actions))
    transitions = np.eye(n_states + 1)[target][..., :n_states]
    ends = target == n_states
    rewards = np.where(ends, rng.integers(-2, 3, ends.shape), -rng.integers(0, 2, ends.shape)).astype(float)
    try:
        return nf.TabularMDP(transitions, rewards, termination=ends.astype(float), gamma=1.0)
    except ValueError:
        return None  # a state that cannot end


def total_reward(mdp: nf.TabularMDP, actions: tuple[int, ...], start: int) -> float:
    """Undiscounted reward of a sure walk; -inf for a cycle that costs, 0 for a free one."""
    kernel, state, seen, total = mdp.dense(), start, {}, 0.0
    while state not in seen:
        seen[state] = total
        total += mdp.rewards[state, actions[state]]
        if mdp.termination[state, actions[state]] > 0:
            return total
        state = int(kernel[state, actions[state]].argmax())
    return -np.inf if total < seen[state] else total


@EVERY_METHOD
def test_bounds_hold_on_graphs_with_free_loops(method):
    rng, n_tried = np.random.default_rng(11), 0
    while n_tried < 60:
        mdp = deterministic_graph(rng, 4, 2)
        if mdp is None:
            continue
        n_tried += 1
        best = [
            max(total_reward(mdp, a, s) for a in itertools.product(range(2), repeat=4)) for s in range(mdp.n_states)
        ]
        got = nf.solve(mdp, method=method)
        early = nf.solve(mdp, method=method, max_iterations=1)
        for solution in (early, got):
            assert solution.lower <= np.mean(best) <= solution.upper
        assert got.converged
        assert_allclose(got.values, best, atol=1e-12)
        for s in range(4):
            assert total_reward(mdp, tuple(got.actions.tolist()), s) == pytest.approx(best[s], abs=1e-12)


@pytest.mark.parametrize(
    ("map_name", "gamma", "optimum"),
    [
        ("4x4", 0.9, 0.068890904889),
        ("4x4", 0.99, 0.542025932),
        ("4x4", 1.0, 14 / 17),
        ("8x8", 0.9, 0.006411114262),
        ("8x8", 0.99, 0.4146403618),
        ("8x8", 1.0, 1.0),
    ],
)
@EVERY_METHOD
def test_frozen_lake_has_its_known_optimum(map_name, gamma, optimum, method):
    mdp = nf.problems.frozen_lake(map_name, gamma=gamma)
    got = nf.solve(mdp, method=method)
    assert got.lower - 1e-11 <= optimum <= got.upper + 1e-11
    assert_allclose(got.objective, optimum, atol=1e-9 if method == "auto" else 1e-7)
    if method == "auto":
        assert got.converged
        assert np.isfinite(got.upper)
        achieved = nf.evaluate(mdp, one_hot(mdp, got.actions)).objective if gamma < 1 else got.lower
        assert_allclose(achieved, optimum, atol=1e-9)


@EVERY_METHOD
def test_free_loop_next_to_a_costly_exit_is_worth_nothing(method):
    got = nf.solve(loop_or_end(0.0, -3.0), method=method)
    assert (got.objective, got.lower <= 0 <= got.upper, got.converged) == (0.0, True, True)
    assert_array_equal(got.actions, [0])
    # A chain: 0 -> 1 at a cost, 1 and 2 form a free loop, 2 ends with reward 5.
    transitions = np.zeros((3, 2, 3))
    transitions[0, :, 1] = transitions[1, :, 2] = transitions[2, 0, 1] = 1
    rewards = [[-1, -1], [0, 0], [0, 5]]
    chain = nf.TabularMDP(transitions, rewards, termination=[[0, 0], [0, 0], [0, 1]], gamma=1.0)
    got = nf.solve(chain, method=method)
    assert_allclose(got.values, [4, 5, 5], atol=1e-12)
    assert got.converged
    assert_allclose(nf.evaluate(chain, one_hot(chain, got.actions)).values, [4, 5, 5], atol=1e-12)


@EVERY_METHOD
def test_loop_with_positive_reward_has_no_upper_bound(method):
    got = nf.solve(loop_or_end(1.0, 0.0), method=method, max_iterations=50)
    assert got.upper == np.inf
    assert not got.converged
    assert not np.isnan(got.lower)


@EVERY_METHOD
def test_loop_with_a_cost_is_left(method):
    got = nf.solve(loop_or_end(-0.25, -3.0), method=method)
    assert_allclose([got.objective, got.lower, got.upper], -3, rtol=1e-12)
    assert_array_equal(got.actions, [1])
    cliff = nf.TabularMDP.from_gymnasium("CliffWalking-v1", gamma=1.0)
    got = nf.solve(cliff, method=method)
    assert_allclose(got.objective, -13, rtol=1e-10)
    assert got.lower <= -13 + 1e-12
    assert got.upper >= -13 - 1e-12
    assert got.converged
    assert_allclose(nf.evaluate(cliff, one_hot(cliff, got.actions)).objective, -13, rtol=1e-10)


@EVERY_METHOD
def test_iteration_limit_is_admitted_with_valid_bounds(method):
    mdp = problem(12, 30, 4, gamma=0.99)
    optimum = nf.solve(mdp).objective
    for limit in (1, 2, 3):
        got = nf.solve(mdp, method=method, max_iterations=limit)
        assert got.iterations <= limit
        assert got.lower <= optimum <= got.upper
        assert got.converged == (got.upper - got.lower <= 1e-10 * max(1, abs(got.objective)))
    assert not nf.solve(mdp, method=method, max_iterations=1).converged


@EVERY_METHOD
def test_ties_do_not_cycle(method):
    rng = np.random.default_rng(0)
    row = rng.dirichlet(np.ones(20), 20)
    transitions = np.repeat(row[:, None], 5, axis=1)  # all actions alike, up to rounding of the rewards
    rewards = np.repeat(rng.normal(size=(20, 1)), 5, axis=1) * (1 + 1e-16 * rng.normal(size=(20, 5)))
    got = nf.solve(nf.TabularMDP(transitions, rewards, gamma=0.999), method=method)
    assert got.converged
    expected = np.linalg.solve(np.eye(20) - 0.999 * row, rewards[:, 0])
    assert_allclose(got.values, expected, rtol=1e-9)
    if method in ("auto", "policy_iteration"):
        assert got.iterations <= 3


def test_soft_optimum_at_gamma_one_has_its_closed_form():
    got = nf.solve(loop_or_end(-1.0, 0.0), tau=1.0)
    exact = -np.log1p(-np.exp(-1.0))
    assert got.lower <= exact <= got.upper
    assert_allclose(got.objective, exact, rtol=1e-12)
    assert got.converged
    free = nf.solve(loop_or_end(0.0, 0.0), tau=1.0, max_iterations=60)  # staying pays entropy for ever
    assert free.upper == np.inf
    assert not free.converged


@pytest.mark.parametrize("tau", [1e-6, 1e-3, 0.1])
def test_soft_optimum_exceeds_the_optimum_by_at_most_the_entropy(tau):
    mdp = CASES["discounted"]
    hard, soft = nf.solve(mdp), nf.solve(mdp, tau=tau)
    gap = soft.values - hard.values
    assert (gap >= -1e-12).all()
    assert (gap <= tau * np.log(mdp.n_actions) / (1 - mdp.gamma) + 1e-12).all()
    logits = np.where(mdp.action_mask, soft.action_values, 0) / tau
    policy = nf.TabularSoftmax(mdp.n_states, mdp.n_actions, logits, action_mask=mdp.action_mask)
    assert_allclose(nf.evaluate(mdp, policy, tau=tau).values, soft.values, rtol=1e-9, atol=1e-10)


def test_horizon_solution_is_that_of_the_problem_with_time():
    mdp = CASES["horizon_seven"]
    left, right = nf.solve(mdp, tau=0.2), nf.solve(mdp.with_time(), tau=0.2)
    assert_allclose(left.values.ravel(), right.values, rtol=1e-11, atol=1e-12)
    assert_array_equal(left.actions.ravel(), right.actions)
    assert_allclose(nf.solve(nf.problems.frozen_lake("4x4", gamma=1.0, horizon=100)).objective, 0.744190287829)


def test_known_optima_lie_between_the_bounds():
    for known in nf.problems.KNOWN_OPTIMA:
        if known.objective is None or not known.name.islower():
            continue
        got = nf.solve(known.problem())
        assert got.lower - 1e-9 <= known.objective <= got.upper + 1e-9, known
