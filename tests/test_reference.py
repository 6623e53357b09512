"""The oracle is itself checked: loops against NumPy, derivatives by differences, and closed forms."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from npgfast.reference import loops, vectorized

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.isa_independent

BOTH = pytest.mark.parametrize("reference", [loops, vectorized], ids=["loops", "vectorized"])


@dataclass(frozen=True)
class Problem:
    """A random problem, a policy on it and features for it."""

    arrays: tuple[Any, ...]
    mask: np.ndarray | None
    theta: np.ndarray
    features: np.ndarray

    def objective(self, theta: np.ndarray, features: np.ndarray | None = None, tau: float = 0.0) -> float:
        probs = vectorized.policy_probs(theta, features, self.mask)
        return float(vectorized.evaluate(*self.arrays, probs, tau)["objective"])


def make_problem(seed, n_states, n_actions, *, gamma=0.9, horizon=None, ending=False, masked=False) -> Problem:
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.full(n_states, 0.5), (n_states, n_actions))
    termination = rng.uniform(0.05, 0.5, (n_states, n_actions)) if ending else np.zeros((n_states, n_actions))
    transitions *= 1 - termination[:, :, None]
    mask = None
    if masked:
        mask = rng.random((n_states, n_actions)) < 0.6
        mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    arrays = (
        transitions,
        rng.normal(size=(n_states, n_actions)),
        termination,
        rng.dirichlet(np.ones(n_states)),
        gamma,
        horizon,
    )
    dim = max(1, n_states * n_actions // 3)
    return Problem(arrays, mask, rng.normal(size=(n_states, n_actions)), rng.normal(size=(n_states, n_actions, dim)))


CASES = {
    "one_state_one_action": make_problem(0, 1, 1),
    "bandit": make_problem(1, 1, 3, gamma=0.5),
    "one_action": make_problem(2, 3, 1, ending=True),
    "discounted": make_problem(3, 5, 3),
    "masked": make_problem(4, 6, 4, gamma=0.8, masked=True),
    "episodic": make_problem(5, 4, 3, gamma=1.0, ending=True),
    "episodic_masked": make_problem(6, 5, 3, gamma=0.95, ending=True, masked=True),
    "horizon": make_problem(7, 4, 3, gamma=1.0, horizon=5),
    "horizon_one": make_problem(8, 3, 2, gamma=0.9, horizon=1, masked=True),
    "horizon_ending": make_problem(9, 3, 3, gamma=0.9, horizon=7, ending=True, masked=True),
}
ALL = pytest.mark.parametrize("problem", CASES.values(), ids=CASES.keys())


def same(left: Any, right: Any, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            same(left[key], right[key], rtol, atol)
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for x, y in zip(left, right, strict=True):
            same(x, y, rtol, atol)
    elif isinstance(left, (str, list)):
        assert left == right
    else:
        assert np.shape(left) == np.shape(right)
        assert_allclose(left, right, rtol=rtol, atol=atol)


def agree(name: str, *args: Any, rtol: float = 1e-9, atol: float = 1e-10, **kwargs: Any) -> Any:
    """Assert that loops and NumPy give the same, and return it."""
    result = getattr(vectorized, name)(*args, **kwargs)
    same(getattr(loops, name)(*args, **kwargs), result, rtol, atol)
    return result


def central_difference(function, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    gradient = np.zeros(theta.size)
    for k in range(theta.size):
        shift = np.zeros(theta.size)
        shift[k] = step
        shift = shift.reshape(theta.shape)
        gradient[k] = (function(theta + shift) - function(theta - shift)) / (2 * step)
    return gradient


def batch_of(problem: Problem, probs: np.ndarray, tau: float = 0.0) -> dict[str, Any]:
    return vectorized.exact_batch(*problem.arrays, probs, tau)


def pairs_of(batch: dict[str, Any]) -> tuple[Any, ...]:
    return batch["states"], batch["actions"], batch["weights"]


def full(batch: dict[str, Any]) -> tuple[Any, ...]:
    return (*pairs_of(batch), batch["advantages"], batch["effective_horizon"])


def uniform(problem: Problem) -> np.ndarray:
    return vectorized.softmax(np.zeros_like(problem.theta), problem.mask)


# The same functions in both modules.


def public(module: ModuleType) -> set[str]:
    return {n for n, f in vars(module).items() if callable(f) and getattr(f, "__module__", "") == module.__name__}


def test_modules_define_the_same_functions():
    names = {name for name in public(vectorized) if not name.startswith("_")}
    assert names | {"gae_quadratic"} == {name for name in public(loops) if not name.startswith("_")}


# Philox.


@BOTH
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(reference, counter, key, expected):
    block = reference.philox4x32([counter], key)[0] if reference is vectorized else reference.philox4x32(counter, key)
    assert [int(word) for word in block] == expected


def test_philox_loops_equal_vectorized_on_random_blocks():
    rng = np.random.default_rng(0)
    counters, keys = rng.integers(2**32, size=(50, 4)), rng.integers(2**32, size=(50, 2))
    blocks = vectorized.philox4x32(counters, keys)
    assert [loops.philox4x32(c, k) for c, k in zip(counters, keys, strict=True)] == [tuple(b) for b in blocks.tolist()]


# Policies.


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


# Exact evaluation.


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


# Optimality.


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


# Returns and advantages.


def column(*entries: float) -> np.ndarray:
    return np.array(entries, dtype=float)[:, None]


def flags(*entries: int) -> np.ndarray:
    return np.array(entries, dtype=bool)[:, None]


ESTIMATORS = pytest.mark.parametrize(
    "estimator", [loops.gae, loops.gae_quadratic, vectorized.gae], ids=["loops", "quadratic", "vectorized"]
)


@ESTIMATORS
@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_gae_terminated_last_step_has_no_next_value(estimator, gae_lambda):
    rewards, values = column(1, 1, 1), column(2, 2, 2)
    advantages, returns = estimator(rewards, values, flags(0, 0, 1), flags(0, 0, 0), 0.9, gae_lambda, column(7, 7, 7))
    assert_allclose(advantages[-1], -1.0)
    assert_allclose(returns, advantages + values)


@ESTIMATORS
def test_gae_truncated_bootstraps_and_cuts(estimator):
    unread = np.nan
    advantages, _ = estimator(
        column(1, 2, 3), column(4, 5, 6), flags(0, 0, 0), flags(0, 1, 0), 0.5, 1.0, column(unread, 10, 20)
    )
    assert_allclose(advantages[:, 0], [1 + 0.5 * 2 + 0.25 * 10 - 4, 2 + 0.5 * 10 - 5, 3 + 0.5 * 20 - 6])


@ESTIMATORS
def test_gae_terminated_wins_over_truncated(estimator):
    advantages, _ = estimator(column(1, 1), column(2, 3), flags(1, 1), flags(1, 1), 0.9, 0.9, column(50, np.nan))
    assert_allclose(advantages[:, 0], [-1.0, -2.0])


@ESTIMATORS
def test_gae_rollout_end_bootstraps(estimator):
    advantages, _ = estimator(column(1, 1), column(2, 3), flags(0, 0), flags(0, 0), 0.5, 1.0, column(np.nan, 8))
    assert_allclose(advantages[:, 0], [1 + 0.5 * 1 + 0.25 * 8 - 2, 1 + 0.5 * 8 - 3])


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("gae_lambda", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (20, 2)])
def test_gae_and_returns_agree_with_definitions(gamma, gae_lambda, shape):
    rng = np.random.default_rng(3)
    rewards, values, bootstrap = rng.normal(size=(3, *shape))
    terminated, truncated = rng.random((2, *shape)) < 0.2
    args = (rewards, values, terminated, truncated, gamma, gae_lambda, bootstrap)
    advantages, returns = agree("gae", *args)
    assert_allclose(loops.gae_quadratic(*args), (advantages, returns), atol=1e-12)
    discounted = agree("discounted_returns", rewards, terminated, truncated, gamma, bootstrap)
    agree("discounted_returns", rewards, terminated, truncated, gamma)
    if gae_lambda == 1.0:
        assert_allclose(returns, discounted, atol=1e-12)
    if gae_lambda == 0.0:
        cut = truncated.copy()
        cut[-1] = True
        reached = np.where(cut, bootstrap, np.roll(values, -1, axis=0))
        assert_allclose(returns, rewards + gamma * np.where(terminated, 0.0, reached), atol=1e-12)


@BOTH
def test_discounted_returns_constant_reward(reference):
    rewards, off = np.ones((200, 2)), np.zeros((200, 2), dtype=bool)
    returns = reference.discounted_returns(rewards, off, off, 0.9, np.full((200, 2), 10.0))
    assert_allclose(returns, 10.0, rtol=1e-12)


# Sampling.


@BOTH
def test_alias_table_distribution(reference):
    rng = np.random.default_rng(4)
    rows = [[1.0], [0.0, 1.0], [0.25] * 4, [0.0, 0.0, 0.3, 0.7], rng.dirichlet(np.full(9, 0.2)), [1e-300, 1.0 - 1e-16]]
    for row in map(np.array, rows):
        threshold, alias = reference.alias_table(row)
        n = len(row)
        implied = np.bincount(alias, 1 - threshold, minlength=n) / n + threshold / n
        assert_allclose(implied, row / row.sum(), atol=1e-15)
        assert not ((row == 0) & (threshold > 0)).any()
    table = rng.dirichlet(np.ones(5), 3)
    threshold, alias = reference.alias_table(table)
    for k in range(3):
        same((threshold[k], alias[k]), reference.alias_table(table[k]))


@BOTH
def test_rollout_frequencies_match_model(reference):
    problem = make_problem(11, 3, 2, ending=True, masked=True)
    transitions, rewards, termination, mu, gamma, _ = problem.arrays
    probs = vectorized.softmax(problem.theta, problem.mask)
    n_steps, n_envs = 4000, 8
    states, actions, gained, ended = reference.rollout(
        transitions, rewards, termination, mu, gamma, probs, n_steps, np.random.default_rng(5), n_envs
    )
    assert states.shape == actions.shape == gained.shape == ended.shape == (n_steps, n_envs)
    assert (probs[states, actions] > 0).all()
    assert_array_equal(gained, rewards[states, actions])
    counts = np.zeros((3, 2, 4))
    followed = np.where(ended[:-1], 3, states[1:])
    np.add.at(counts, (states[:-1], actions[:-1], followed), 1)
    visits = counts.sum(axis=2, keepdims=True)
    expected = np.concatenate([transitions, termination[:, :, None]], axis=2) * visits
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected) + 1).all()
    starts = np.bincount(states[1:][ended[:-1]], minlength=3)
    assert (np.abs(starts - mu * ended[:-1].sum()) <= 5 * np.sqrt(mu * ended[:-1].sum()) + 1).all()


# Gradients and geometry.


@ALL
@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_policy_gradient_by_central_differences(problem, tau):
    probs = vectorized.softmax(problem.theta, problem.mask)
    gradient = agree("policy_gradient", probs, *full(batch_of(problem, probs, tau)))
    assert_allclose(gradient, central_difference(lambda x: problem.objective(x, None, tau), problem.theta), atol=1e-6)
    theta = np.random.default_rng(6).normal(size=problem.features.shape[2])
    probs = vectorized.policy_probs(theta, problem.features, problem.mask)
    gradient = agree("policy_gradient", probs, *full(batch_of(problem, probs, tau)), problem.features)
    expected = central_difference(lambda x: problem.objective(x, problem.features, tau), theta)
    assert_allclose(gradient, expected, atol=1e-6)


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_fisher_is_hessian_of_kl(problem, linear):
    features = problem.features if linear else None
    theta = np.random.default_rng(7).normal(size=problem.features.shape[2]) if linear else problem.theta
    probs = vectorized.policy_probs(theta, features, problem.mask)
    batch = batch_of(problem, probs)
    pairs = pairs_of(batch)
    fisher = agree("fisher_matrix", probs, *pairs, features)
    assert_allclose(agree("fisher_matrix", probs, *pairs, features, "empirical"), fisher, atol=1e-12)
    assert_allclose(fisher, fisher.T, atol=1e-15)
    assert np.linalg.eigvalsh(fisher).min() >= -1e-14

    def kl(shift):
        moved = vectorized.policy_probs(theta + shift.reshape(theta.shape), features, problem.mask)
        return vectorized.kl_divergence(probs, moved, batch["states"], batch["weights"])

    vector = np.random.default_rng(8).normal(size=theta.size)
    unit, h = np.eye(theta.size), 1e-3
    hessian_product = [
        sum(a * b * kl(h * (a * unit[k] + b * vector)) for a in (-1, 1) for b in (-1, 1)) / (4 * h * h)
        for k in range(theta.size)
    ]
    product = agree("fisher_vector_product", probs, *pairs, vector, 0.0, features)
    assert_allclose(product, hessian_product, atol=2e-5)
    assert_allclose(product, fisher @ vector, atol=1e-12)
    agree("kl_divergence", probs, vectorized.policy_probs(theta + 0.1, features, problem.mask), *pairs[::2])


@ALL
@pytest.mark.parametrize("estimator", ["analytic", "empirical"])
def test_fisher_products_on_sampled_batches(problem, estimator):
    rng = np.random.default_rng(9)
    probs = vectorized.softmax(problem.theta, problem.mask)
    states = rng.integers(len(probs), size=13)
    actions = np.array([rng.choice(probs.shape[1], p=probs[s]) for s in states])
    weights = rng.dirichlet(np.ones(13))
    for features in (None, problem.features):
        fisher = agree("fisher_matrix", probs, states, actions, weights, features, estimator)
        vector = rng.normal(size=len(fisher))
        for damping in (0.0, 0.1):
            product = agree(
                "fisher_vector_product", probs, states, actions, weights, vector, damping, features, estimator
            )
            assert_allclose(product, fisher @ vector + damping * np.trace(fisher) / len(fisher) * vector, atol=1e-12)


def test_conjugate_gradient_solves_and_counts():
    rng = np.random.default_rng(10)
    for size in (1, 3, 9):
        root = rng.normal(size=(size, size))
        matrix, b = root @ root.T + np.eye(size), rng.normal(size=size)
        x, residual_norm, iterations = agree("conjugate_gradient", matrix, b, 10 * size, 1e-12)
        assert_allclose(x, np.linalg.solve(matrix, b), rtol=1e-9, atol=1e-11)
        assert residual_norm <= 1e-11 * np.linalg.norm(b)
        assert iterations <= 2 * size
        same(vectorized.conjugate_gradient(lambda v, m=matrix: m @ v, b, 10 * size, 1e-12)[0], x)
        assert agree("conjugate_gradient", matrix, b, 0, 1e-12)[2] == 0


@BOTH
def test_conjugate_gradient_zero_and_indefinite(reference):
    assert_array_equal(reference.conjugate_gradient(np.eye(2), np.zeros(2), 5, 1e-10)[0], 0.0)
    x, residual_norm, iterations = reference.conjugate_gradient(-np.eye(2), np.ones(2), 5, 1e-10)
    assert_array_equal(x, 0.0)
    assert iterations == 0
    assert_allclose(residual_norm, np.sqrt(2))


@ALL
def test_natural_gradient_views_agree(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    batch = batch_of(problem, probs)
    result = vectorized.evaluate(*problem.arrays, probs)
    tight = {"rtol": 1e-7, "atol": 1e-8}
    direction = agree("natural_gradient_pinv", probs, *full(batch), **tight)
    advantages = result["advantages"]
    if problem.arrays[5] is None:
        regression = agree("natural_gradient_regression", probs, *full(batch), **tight)
        assert_allclose(regression, direction, **tight)
    else:
        advantages = agree("marginal_advantages", advantages, result["occupancy"])
        assert_allclose(vectorized.natural_gradient_regression(probs, *full(batch)), direction, **tight)
    reachable = np.ones(len(probs), dtype=bool)
    args = (advantages, probs, batch["effective_horizon"], reachable, problem.mask)
    assert_allclose(agree("natural_gradient_closed_form", *args), direction, **tight)
    gradient = vectorized.policy_gradient(probs, *full(batch))

    def product(vector):
        return vectorized.fisher_vector_product(probs, *pairs_of(batch), vector)

    assert_allclose(vectorized.conjugate_gradient(product, gradient, 200, 1e-13)[0], direction, **tight)
    linear = agree("natural_gradient_pinv", probs, *full(batch), problem.features, **tight)
    assert_allclose(
        agree("natural_gradient_regression", probs, *full(batch), problem.features, **tight), linear, **tight
    )
    damped = agree("natural_gradient_pinv", probs, *full(batch), None, "analytic", 0.1, **tight)
    assert_allclose(vectorized.fisher_vector_product(probs, *pairs_of(batch), damped, 0.1), gradient, atol=1e-10)


def test_closed_form_moves_rare_states_and_not_unreachable_ones():
    advantages = np.array([[1.0, -1.0], [2.0, 0.0], [5.0, 5.0]])
    probs = np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    direction = agree("natural_gradient_closed_form", advantages, probs, 10.0, np.array([True, False, True]))
    assert_array_equal(direction, [10.0, -10.0, 0.0, 0.0, 0.0, 0.0])


@ALL
def test_performance_difference(problem):
    other = vectorized.softmax(-problem.theta, problem.mask)
    probs = vectorized.softmax(problem.theta, problem.mask)
    new, old = (vectorized.evaluate(*problem.arrays, p) for p in (other, probs))
    gain = new["effective_horizon"] * (new["occupancy"][..., None] * other * old["advantages"]).sum()
    assert_allclose(new["objective"] - old["objective"], gain, atol=1e-10)


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_surrogate_gradients_by_central_differences(problem, linear):
    features = problem.features if linear else None
    rng = np.random.default_rng(12)
    old_theta = rng.normal(size=problem.features.shape[2]) if linear else problem.theta
    theta = old_theta + 0.3 * rng.normal(size=old_theta.shape)
    old, new = (vectorized.policy_probs(x, features, problem.mask) for x in (old_theta, theta))
    batch = batch_of(problem, old)
    states, actions, weights, advantages, length = full(batch)
    old_log_probs = batch["log_probs"]

    def logs(x):
        return vectorized.policy_log_probs(x, features, problem.mask)[states, actions]

    scalars = (weights, advantages, length)
    value = agree("surrogate", logs(theta), old_log_probs, *scalars)
    same(
        agree("surrogate_improvement", logs(theta), old_log_probs, *scalars),
        value - vectorized.surrogate(logs(old_theta), old_log_probs, *scalars),
    )
    gradient = agree("surrogate_gradient", new, old_log_probs, states, actions, *scalars, features)
    expected = central_difference(lambda x: vectorized.surrogate(logs(x), old_log_probs, *scalars), theta)
    assert_allclose(gradient, expected, atol=1e-6)
    clipped, fraction, approx_kl = agree("clipped_surrogate", logs(theta), old_log_probs, *scalars, 0.2)
    assert clipped <= value + 1e-12
    assert 0 <= fraction <= 1
    assert approx_kl >= -1e-15
    gradient = agree("clipped_surrogate_gradient", new, old_log_probs, states, actions, *scalars, 0.2, features)
    expected = central_difference(
        lambda x: vectorized.clipped_surrogate(logs(x), old_log_probs, *scalars, 0.2)[0], theta, 1e-6
    )
    assert_allclose(gradient, expected, atol=1e-6)
    at_old = vectorized.policy_gradient(old, *full(batch), features)
    assert_allclose(
        vectorized.surrogate_gradient(old, old_log_probs, states, actions, *scalars, features), at_old, atol=1e-11
    )
    same(vectorized.clipped_surrogate_gradient(old, old_log_probs, states, actions, *scalars, 0.2, features), at_old)


def test_clipping_rule_by_sample():
    ratios, advantages = np.array([1.3, 1.3, 0.7, 0.7, 1.0]), np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    weights, zeros = np.full(5, 0.2), np.zeros(5)
    value, fraction, approx_kl = agree("clipped_surrogate", np.log(ratios), zeros, weights, advantages, 2.0, 0.2)
    assert_allclose(value, 2.0 * 0.2 * (1.2 - 1.3 + 0.7 - 0.8 + 1.0))
    assert_allclose(fraction, 0.4)
    assert_allclose(approx_kl, 0.2 * (ratios - 1 - np.log(ratios)).sum())


@BOTH
def test_kl_is_infinite_when_support_is_lost(reference):
    states, weights = np.array([0, 1]), np.array([0.5, 0.5])
    old, new = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    assert reference.kl_divergence(old, new, states, weights) == np.inf
    assert_allclose(reference.kl_divergence(old, new, states, np.array([0.0, 1.0])), np.log(2))


@ALL
def test_entropy_gradient_by_central_differences(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    states, _, weights = pairs_of(batch_of(problem, probs))

    def entropy(theta):
        p = vectorized.softmax(theta, problem.mask)
        return float(weights @ -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)[states])

    assert_allclose(
        agree("entropy_gradient", probs, states, weights), central_difference(entropy, problem.theta), atol=1e-8
    )
    agree("entropy_gradient", probs, states, weights, problem.features)


# Updates.


@ALL
def test_npg_and_soft_policy_iteration_give_the_same_policy(problem):
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = vectorized.evaluate(*problem.arrays, probs)
    advantages = result["advantages"]
    if problem.arrays[5] is not None:
        advantages = vectorized.marginal_advantages(advantages, result["occupancy"])
    length = result["effective_horizon"]
    reachable = np.ones(len(probs), dtype=bool)
    npg = agree("npg_update", problem.theta, advantages, length, 0.3, reachable, problem.mask)
    soft = agree("soft_policy_iteration_update", problem.theta, advantages, length, 0.3, problem.mask)
    weights = probs * np.exp(0.3 * length * advantages)
    expected = weights / weights.sum(axis=1, keepdims=True)
    assert_allclose(vectorized.softmax(npg, problem.mask), expected, atol=1e-12)
    assert_allclose(vectorized.softmax(soft, problem.mask), expected, atol=1e-12)


def test_entropy_npg_is_the_multiplicative_update():
    problem, tau = CASES["masked"], 0.3
    probs = vectorized.softmax(problem.theta, problem.mask)
    result = vectorized.evaluate(*problem.arrays, probs, tau)
    reachable = np.ones(len(probs), dtype=bool)
    for step in (0.1, 100.0):
        total = min(step * result["effective_horizon"], 1 / tau)
        args = (problem.theta, result["advantages"], result["effective_horizon"], step, tau, reachable, problem.mask)
        new = vectorized.softmax(agree("entropy_npg_update", *args), problem.mask)
        weights = probs ** (1 - total * tau) * np.exp(total * (result["action_values"] - result["values"][:, None]))
        weights *= problem.mask
        assert_allclose(new, weights / weights.sum(axis=1, keepdims=True), atol=1e-12)


def test_pg_update_steps():
    theta, gradient = np.zeros((2, 2)), np.array([3.0, 0.0, 0.0, 4.0])
    assert_allclose(agree("pg_update", theta, gradient, 0.1), [[0.3, 0.0], [0.0, 0.4]])
    assert_allclose(agree("pg_update", theta, gradient, radius=0.1), [[0.06, 0.0], [0.0, 0.08]])
    assert_array_equal(agree("pg_update", theta, np.zeros(4), radius=0.1), theta)
    for reference in (loops, vectorized):
        with pytest.raises(ValueError, match="exactly one"):
            reference.pg_update(theta, gradient)


@ALL
@pytest.mark.parametrize("method", ["pinv", "cg"])
@pytest.mark.parametrize("linear", [False, True])
def test_trpo_update_keeps_its_promises(problem, method, linear):
    features = problem.features if linear else None
    theta = np.random.default_rng(13).normal(size=problem.features.shape[2]) if linear else problem.theta
    probs = vectorized.policy_probs(theta, features, problem.mask)
    batch = batch_of(problem, probs)
    options = {"method": method, "features": features, "mask": problem.mask}
    new_theta, info = agree("trpo_update", theta, *full(batch), 0.01, **options, rtol=1e-5, atol=1e-7)
    if (probs.max(axis=1) == 1.0).all():
        assert info["status"] == "zero_gradient"
        assert_array_equal(new_theta, theta)
        return
    assert info["status"] == "ok"
    new = vectorized.policy_probs(new_theta, features, problem.mask)
    assert vectorized.kl_divergence(probs, new, batch["states"], batch["weights"]) <= 0.01
    assert info["improvement"] > 0
    _, tiny = vectorized.trpo_update(theta, *full(batch), 1e-8, **options)
    fisher = vectorized.fisher_matrix(probs, *pairs_of(batch), features)
    step = tiny["step_size"] * tiny["direction"]
    assert_allclose(tiny["kl"], 0.5 * step @ fisher @ step, rtol=1e-2)
    assert_allclose(0.5 * step @ fisher @ step, 1e-8 * 0.8 ** (2 * tiny["backtracks"]), rtol=1e-6)


def test_trpo_failed_line_search_leaves_theta():
    problem = CASES["discounted"]
    batch = batch_of(problem, vectorized.softmax(problem.theta))
    new_theta, info = agree("trpo_update", problem.theta, *full(batch), 0.01, max_backtracks=0)
    assert info["status"] == "line_search_failed"
    assert info["kl"] == 0.0
    assert_array_equal(new_theta, problem.theta)


@ALL
@pytest.mark.parametrize("linear", [False, True])
def test_ppo_update_agrees(problem, linear):
    features = problem.features if linear else None
    theta = np.zeros(problem.features.shape[2]) if linear else problem.theta
    batch = batch_of(problem, vectorized.policy_probs(theta, features, problem.mask))
    args = (*full(batch)[:4], batch["log_probs"])
    options = {"learning_rate": 0.05, "entropy_coef": 0.01, "max_grad_norm": 0.5, "features": features}
    new_theta, info = agree("ppo_update", theta, *args, n_epochs=6, mask=problem.mask, **options, rtol=1e-7, atol=1e-8)
    half, state = vectorized.ppo_update(theta, *args, n_epochs=3, mask=problem.mask, **options)
    resumed, _ = vectorized.ppo_update(
        half, *args, n_epochs=3, mask=problem.mask, adam_state=state["adam_state"], **options
    )
    assert_array_equal(resumed, new_theta)
    assert info["value"] >= -1e-12


def test_ppo_first_adam_step_is_the_sign_of_the_gradient():
    problem = CASES["discounted"]
    batch = batch_of(problem, vectorized.softmax(problem.theta))
    args = (*full(batch)[:4], batch["log_probs"])
    moved, _ = vectorized.ppo_update(problem.theta, *args, n_epochs=1, learning_rate=0.01, adam_eps=0.0)
    gradient = vectorized.policy_gradient(vectorized.softmax(problem.theta), *full(batch))
    assert_allclose((moved - problem.theta).ravel(), 0.01 * np.sign(gradient), rtol=1e-10)


def test_normalize_advantages():
    rng = np.random.default_rng(14)
    advantages, weights = rng.normal(size=20) * 5 + 3, rng.dirichlet(np.ones(20))
    normalized = agree("normalize_advantages", advantages, weights)
    assert_allclose([weights @ normalized, weights @ normalized**2], [0.0, 1.0], atol=1e-12)
    for constant in (np.full(20, 0.1), np.full(20, 1e8 + 1e-9), np.zeros(20), np.full(1, 3.0)):
        equal = np.full(len(constant), 1 / len(constant))
        assert_array_equal(agree("normalize_advantages", constant, equal), 0.0)


def test_cpi_update_and_its_bound():
    problem = make_problem(15, 5, 3, gamma=0.8)
    probs = vectorized.softmax(problem.theta)
    old = vectorized.evaluate(*problem.arrays, probs)
    greedy = agree("cpi_update", probs, old["advantages"], 1.0)
    assert_array_equal(greedy.sum(axis=1), 1.0)
    gain = np.abs((greedy * old["advantages"]).sum(axis=1)).max()
    for alpha in (0.01, 0.1, 0.5):
        new = agree("cpi_update", probs, old["advantages"], alpha)
        surrogate = old["effective_horizon"] * (old["occupancy"][:, None] * new * old["advantages"]).sum()
        bound = old["objective"] + surrogate - 2 * gain * 0.8 * alpha**2 / (0.2 * (1 - 0.8 * (1 - alpha)))
        assert vectorized.evaluate(*problem.arrays, new)["objective"] >= bound - 1e-12


# Training.


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
