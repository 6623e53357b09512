"""Problems: known optima are met, random ones have the law they promise, and equal seeds give equal problems."""

import inspect
import re

import numpy as np
import pytest

from npgfast import problems
from npgfast.problems import KNOWN_OPTIMA, generators, known_optimum

pytestmark = pytest.mark.isa_independent


def optimal_values(mdp):
    kernel, values = mdp.dense(), np.zeros(mdp.n_states)
    rewards = np.where(mdp.action_mask, mdp.rewards, -np.inf)
    for _ in range(mdp.horizon or 100_000):
        new = np.max(rewards + mdp.gamma * kernel @ values, axis=1)
        if mdp.horizon is None and np.max(np.abs(new - values)) < 1e-14 * max(1.0, np.abs(new).max()):
            break
        values = new
    return values


@pytest.mark.parametrize("entry", KNOWN_OPTIMA, ids=lambda entry: f"{entry.name}-{dict(entry.settings)}")
def test_known_optima_are_met(entry):
    mdp = entry.problem()
    values = optimal_values(mdp)
    if entry.objective is not None:
        assert mdp.initial_distribution @ values == pytest.approx(entry.objective, rel=1e-9, abs=1e-9)
    for s, value in entry.values.items():
        assert values[s] == pytest.approx(value, rel=1e-9)
    assert entry.objective is not None or entry.values
    assert entry.source


def test_known_optimum_finds_by_settings():
    assert known_optimum("frozen_lake", map_name="8x8", gamma=1.0, horizon=200).objective == 0.913220150202
    with pytest.raises(ValueError, match=re.escape("no entry for 'forest' with {'gamma': 0.5}, known")):
        known_optimum("forest", gamma=0.5)
    with pytest.raises(ValueError, match="nothing"):
        known_optimum("no_such_problem")


MAKERS = {
    "garnet": lambda **k: problems.garnet(11, 3, 4, **{"gamma": 0.9, "seed": 5} | k),
    "random_dense": lambda **k: problems.random_dense(11, 3, **{"gamma": 0.9, "seed": 5} | k),
    "gridworld": lambda **k: problems.gridworld(4, 5, walls=[(1, 1), (2, 3)], slip=0.2, **k),
    "frozen_lake": problems.frozen_lake,
    "chain": problems.chain,
    "river_swim": problems.river_swim,
    "forest": problems.forest,
    "two_state": problems.two_state,
    "deep_sea": problems.deep_sea,
    "inventory": problems.inventory,
    "sutton_barto_grid": problems.sutton_barto_grid,
    "gambler": lambda **k: problems.gambler(20, **k),
}


@pytest.mark.parametrize("name", generators.__all__)
def test_every_problem_takes_an_objective_and_repeats(name):
    mdp = MAKERS[name](gamma=0.5, horizon=3)
    assert (mdp.gamma, mdp.horizon) == (0.5, 3)
    assert mdp == MAKERS[name](gamma=0.5, horizon=3)
    sums = mdp.dense().sum(2) + mdp.termination
    np.testing.assert_allclose(sums[mdp.action_mask], 1.0, rtol=0, atol=1e-14)
    assert name in problems.__all__


@pytest.mark.parametrize("name", generators.__all__)
def test_every_problem_is_documented_with_its_source_and_an_example(name):
    text = inspect.getdoc(getattr(generators, name))
    headings = {"Parameters\n", "Returns\n", "References\n", "Examples\n"} - (
        {"References\n"} if name == "random_dense" else set()
    )
    assert all(heading in text for heading in headings)


@pytest.mark.parametrize("branching", [1, 3, 20])
def test_garnet_has_its_branching_and_termination(branching):
    mdp = problems.garnet(20, 3, branching, gamma=0.9, seed=1, termination=0.25)
    indptr, indices, _ = mdp.csr
    assert set(np.diff(indptr)) == {branching}
    for start in indptr[:-1]:
        assert len(set(indices[start : start + branching])) == branching
    np.testing.assert_array_equal(mdp.termination, 0.25)
    assert mdp.rewards.min() >= 0.0
    assert mdp.rewards.max() < 1.0
    assert problems.garnet(20, 3, branching, gamma=0.9, seed=2, termination=0.25) != mdp


def test_garnet_successors_are_uniform():
    _, indices, _ = problems.garnet(10, 2000, 3, gamma=0.9, seed=0).csr
    counts = np.bincount(indices, minlength=10)
    expected = indices.size / 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # chi-square, 9 degrees, p = .001


def test_garnet_may_be_undiscounted_if_it_ends():
    assert problems.garnet(5, 2, 2, gamma=1.0, seed=0, termination=0.1).gamma == 1.0
    with pytest.raises(ValueError, match="gamma=1 without horizon"):
        problems.garnet(5, 2, 2, gamma=1.0, seed=0)


def test_random_dense_rows_are_uniform_on_the_simplex():
    mdp = problems.random_dense(4, 20_000, gamma=0.9, seed=0)
    rows = mdp.dense().reshape(-1, 4)
    np.testing.assert_allclose(rows.mean(0), 0.25, atol=0.003)
    np.testing.assert_allclose(rows.var(0), 3 / 80, rtol=0.03)


def test_gridworld_moves_as_told():
    mdp = problems.gridworld(3, 3, walls=[(1, 1)], goals={(2, 2): 5.0, (0, 2): -3.0}, slip=0.2, start=(0, 0))
    kernel = mdp.dense()
    assert kernel[0, 2, 1] == pytest.approx(0.8)
    assert kernel[0, 2, 3] == pytest.approx(0.1)
    assert kernel[0, 2, 0] == pytest.approx(0.1)
    assert kernel[3, 2, 3] == pytest.approx(0.8), "the wall stops"
    assert mdp.termination[1, 2] == pytest.approx(0.8)
    assert mdp.rewards[1, 2] == pytest.approx(-1.0 - 0.8 * 3.0)
    assert mdp.rewards[7, 2] == pytest.approx(-1.0 + 0.8 * 5.0)
    np.testing.assert_array_equal(mdp.termination[[2, 4, 8]], 1.0)
    assert not mdp.reachable[[2, 4, 8]].any()


def test_gridworld_refuses_enclosed_cells_at_gamma_one():
    with pytest.raises(ValueError, match="state s=0 cannot"):
        problems.gridworld(3, 3, walls=[(0, 1), (1, 0)])


def test_deep_sea_pays_one_path_only():
    mdp = problems.deep_sea(4, seed=1)
    s, paid = 0, 0.0
    for step in range(4):
        row, below = mdp.dense()[s], 4 * min(step + 1, 3) + min(step + 1, 3)
        right = int(np.argmax(mdp.rewards[s])) if step == 3 else int(np.argmax(row[:, below]))
        paid += mdp.rewards[s, right]
        s = below
    assert paid == pytest.approx(0.99)
    assert mdp.termination[12:].all()


def test_inventory_masks_orders_beyond_the_capacity():
    mdp = problems.inventory()
    expected = [[0, -1, -2, -5], [5, 0, -3, 0], [6, -1, 0, 0], [5, 0, 0, 0]]
    np.testing.assert_allclose(mdp.rewards, expected, atol=1e-14)
    np.testing.assert_array_equal(mdp.action_mask, np.add.outer(np.arange(4), np.arange(4)) <= 3)
    np.testing.assert_allclose(mdp.dense()[1, 1], [0.25, 0.5, 0.25, 0.0])


def test_river_swim_has_the_numbers_of_the_paper():
    mdp = problems.river_swim()
    np.testing.assert_allclose(mdp.dense()[2, 1], [0, 0.1, 0.6, 0.3, 0, 0])
    np.testing.assert_allclose(mdp.dense()[0, 1], [0.7, 0.3, 0, 0, 0, 0])
    assert mdp.rewards[5, 1] == pytest.approx(3000.0)
    assert mdp.rewards[0, 0] == 5.0
    assert mdp.initial_distribution.tolist() == [0, 0.5, 0.5, 0, 0, 0]


def test_chain_slips():
    mdp = problems.chain()
    np.testing.assert_allclose(mdp.rewards[4], [0.8 * 10 + 0.2 * 2, 0.2 * 10 + 0.8 * 2])
    np.testing.assert_allclose(mdp.dense()[1, 0], [0.2, 0, 0.8, 0, 0])


def test_two_state_stalls_the_plain_gradient_and_not_the_natural_one():
    mdp = problems.two_state()
    objectives = {}
    for natural in (False, True):
        theta = np.log([[0.9, 0.1], [0.1, 0.9]])
        for _ in range(100):
            policy = np.exp(theta - theta.max(axis=1, keepdims=True))
            policy /= policy.sum(axis=1, keepdims=True)
            kernel = np.einsum("sa,sat->st", policy, mdp.dense())
            values = np.linalg.solve(np.eye(2) - 0.9 * kernel, (policy * mdp.rewards).sum(axis=1))
            visits = np.linalg.solve(np.eye(2) - 0.9 * kernel.T, mdp.initial_distribution)
            advantages = mdp.rewards + 0.9 * mdp.dense() @ values - values[:, None]
            theta = theta + 0.1 * (advantages if natural else visits[:, None] * policy * advantages)
        objectives[natural] = mdp.initial_distribution @ values
    assert objectives[False] < 10.0
    assert objectives[True] > 18.0


def test_gambler_stakes_what_there_is():
    mdp = problems.gambler(10)
    assert mdp.action_mask.sum(axis=1).tolist() == [1, 1, 2, 3, 4, 5, 4, 3, 2, 1, 1]
    assert mdp.termination[0, 0] == mdp.termination[10, 0] == 1.0
    assert mdp.rewards[6, 3] == pytest.approx(0.4)


BAD = {
    "garnet-branching": (lambda: problems.garnet(3, 2, 4, gamma=0.9, seed=0), ValueError, "branching=4 outside [1, 3]"),
    "garnet-states": (lambda: problems.garnet(0, 2, 1, gamma=0.9, seed=0), ValueError, "n_states=0 outside [1, inf)"),
    "garnet-seed": (lambda: problems.garnet(3, 2, 1, gamma=0.9, seed=-1), ValueError, "seed=-1 outside [0, inf)"),
    "garnet-seed-float": (
        lambda: problems.garnet(3, 2, 1, gamma=0.9, seed=1.0),
        TypeError,
        "seed: expected an integer",
    ),
    "garnet-size": (lambda: problems.garnet(2**20, 2**20, 4, gamma=0.9, seed=0), MemoryError, "garnet"),
    "dense-size": (lambda: problems.random_dense(2**20, 4, gamma=0.9, seed=0), MemoryError, "random_dense"),
    "dense-actions": (lambda: problems.random_dense(2, True, gamma=0.9, seed=0), TypeError, "n_actions: expected"),
    "grid-wall": (
        lambda: problems.gridworld(2, 2, walls=[(2, 0)]),
        ValueError,
        "walls: row of (2, 0)=2 outside [0, 1]",
    ),
    "grid-start": (lambda: problems.gridworld(2, 2, start=(1, 1)), ValueError, "start=(1, 1): expected a cell that is"),
    "grid-full": (lambda: problems.gridworld(1, 1), ValueError, "start=None"),
    "grid-slip": (lambda: problems.gridworld(2, 2, slip=1.5), ValueError, "slip=1.5 outside [0, 1]"),
    "lake-name": (lambda: problems.frozen_lake("5x5"), ValueError, "map_name='5x5', expected one of '4x4', '8x8'"),
    "lake-letter": (lambda: problems.frozen_lake(["SX"]), ValueError, "map_name: expected letters S, F, H, G"),
    "lake-start": (lambda: problems.frozen_lake(["FG"]), ValueError, "at least one S"),
    "lake-rows": (lambda: problems.frozen_lake(["SF", "G"]), ValueError, "rows of equal length, got lengths [2, 1]"),
    "lake-empty": (lambda: problems.frozen_lake([]), ValueError, "rows of equal length"),
    "forest-fire": (lambda: problems.forest(fire=-0.1), ValueError, "fire=-0.1 outside [0, 1]"),
    "river-length": (lambda: problems.river_swim(2), ValueError, "n_states=2 outside [3, inf)"),
    "sea-size": (lambda: problems.deep_sea(0), ValueError, "size=0 outside [1, inf)"),
    "gambler-goal": (lambda: problems.gambler(1), ValueError, "goal=1 outside [2, inf)"),
    "demand": (lambda: problems.inventory(demand=[0.5, 0.4]), ValueError, "transitions[s=0, a=0]"),
    "gamma": (lambda: problems.chain(gamma=1.0), ValueError, "gamma=1 without horizon"),
}


@pytest.mark.parametrize(("make", "error", "words"), BAD.values(), ids=BAD)
def test_bad_arguments_are_named(make, error, words):
    with pytest.raises(error, match=re.escape(words)):
        make()


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    problems.garnet(4, 2, 2, gamma=0.9, seed=0)
    problems.random_dense(4, 2, gamma=0.9, seed=0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
