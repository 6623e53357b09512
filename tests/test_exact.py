"""Exact evaluation and exact batches: parity with the reference, occupancy flow, closed forms, relabelling."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import npgfast as nf
from npgfast.reference import loops, vectorized

FIELDS = ("objective", "values", "action_values", "advantages", "occupancy", "effective_horizon")


def problem(seed, n_states, n_actions, *, gamma=0.9, horizon=None, ending=False, masked=False, sparse=False):
    """A random TabularMDP; `sparse` leaves states unreachable."""
    rng = np.random.default_rng([seed, n_states, n_actions])
    transitions = rng.dirichlet(np.full(n_states, 0.3), (n_states, n_actions))
    mu = rng.dirichlet(np.ones(n_states))
    if sparse:
        keep = rng.random(transitions.shape) < 2.0 / n_states
        keep[..., 0] |= ~keep.any(axis=2)
        transitions = np.where(keep, transitions + 0.1, 0)
        transitions[..., n_states - 1] = 0  # the last state is never entered
        transitions[..., 0] += 0.1
        transitions /= transitions.sum(axis=2, keepdims=True)
        mu = np.eye(n_states)[0]
    termination = rng.uniform(0.05, 0.5, (n_states, n_actions)) if ending else np.zeros((n_states, n_actions))
    mask = rng.random((n_states, n_actions)) < (0.6 if masked else 1.0)
    mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    return nf.TabularMDP(
        transitions * (1 - termination[..., None]),
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=mu,
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def arrays(mdp: nf.TabularMDP) -> tuple:
    """What the reference takes."""
    return mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon


def random_policy(mdp: nf.TabularMDP, seed: int = 0, scale: float = 1.0) -> nf.TabularSoftmax:
    theta = scale * np.random.default_rng(seed).normal(size=(mdp.n_states, mdp.n_actions))
    return nf.TabularSoftmax(mdp.n_states, mdp.n_actions, theta, action_mask=mdp.action_mask)


CASES = {
    "one_state_one_action": problem(0, 1, 1),
    "bandit": problem(1, 1, 5, gamma=0.5),
    "one_action": problem(2, 3, 1, ending=True, gamma=1.0),
    "myopic": problem(3, 6, 3, gamma=0.0),
    "half": problem(4, 9, 4, gamma=0.5, masked=True),
    "long": problem(5, 7, 3, gamma=0.99, sparse=True, masked=True),
    "episodic": problem(6, 10, 3, gamma=1.0, ending=True, masked=True),
    "episodic_discounted": problem(7, 17, 5, gamma=0.99, ending=True, sparse=True),
    "horizon_one": problem(8, 4, 3, gamma=0.9, horizon=1, masked=True),
    "horizon_two": problem(9, 4, 3, gamma=1.0, horizon=2, sparse=True),
    "horizon_seven": problem(10, 9, 3, gamma=0.95, horizon=7, ending=True, masked=True, sparse=True),
    "horizon_myopic": problem(11, 3, 2, gamma=0.0, horizon=3),
}
ALL = pytest.mark.parametrize("mdp", CASES.values(), ids=CASES.keys())
TAUS = pytest.mark.parametrize("tau", [0.0, 0.7])


def assert_same_evaluation(mdp, got: nf.Evaluation, expected: dict, rtol=1e-10, atol=1e-11) -> None:
    for name in FIELDS:
        left, right = getattr(got, name), expected[name]
        if name in ("action_values", "advantages"):
            left, right = left[..., mdp.action_mask], right[..., mdp.action_mask]
        assert_allclose(left, right, rtol=rtol, atol=atol * max(1, np.abs(right).max()), err_msg=name)


@TAUS
@ALL
def test_evaluation_matches_reference(mdp, tau):
    policy = random_policy(mdp)
    reference = loops if mdp.gamma < 0.99 else vectorized
    expected = reference.evaluate(*arrays(mdp), policy.probs(), tau)
    for given in (policy, policy.probs()):
        assert_same_evaluation(mdp, nf.evaluate(mdp, given, tau=tau), expected)


@TAUS
@ALL
def test_identities_of_values_hold(mdp, tau):
    policy = random_policy(mdp, 1, 3.0)
    result, probs = nf.evaluate(mdp, policy, tau=tau), policy.probs()
    scale = max(1.0, np.abs(result.values).max())
    logs = np.log(np.where(probs > 0, probs, 1.0))
    assert_allclose(np.sum(probs * (result.action_values - tau * logs), axis=-1), result.values, atol=1e-12 * scale)
    assert_allclose(np.sum(probs * result.advantages, axis=-1), 0.0, atol=1e-12 * scale)
    masked = np.broadcast_to(~mdp.action_mask, result.advantages.shape)
    assert_array_equal(result.advantages[masked], 0.0)
    assert_array_equal(result.action_values[masked], np.broadcast_to(result.values[..., None], masked.shape)[masked])
    start = result.values if mdp.horizon is None else result.values[0]
    assert_allclose(result.objective, mdp.initial_distribution @ start, rtol=1e-14, atol=1e-14)
    reward = np.sum(probs * (mdp.rewards - tau * logs), axis=1)
    mass = result.occupancy if mdp.horizon is None else result.occupancy.sum(axis=0)
    assert_allclose(result.effective_horizon * (mass @ reward), result.objective, rtol=1e-11, atol=1e-11 * scale)


@ALL
def test_occupancy_obeys_its_flow(mdp):
    policy = random_policy(mdp, 2)
    result = nf.evaluate(mdp, policy)
    flow = np.einsum("sa,sat->st", policy.probs(), mdp.dense())
    visits = result.effective_horizon * result.occupancy
    assert abs(result.occupancy.sum() - 1) < 1e-12
    assert (result.occupancy >= 0).all()
    if mdp.horizon is None:
        assert_allclose(visits, mdp.initial_distribution + mdp.gamma * visits @ flow, rtol=1e-11, atol=1e-13)
        if not mdp.termination.any():
            assert_allclose(result.effective_horizon, 1 / (1 - mdp.gamma), rtol=1e-11)
    else:
        assert_allclose(visits[0], mdp.initial_distribution, rtol=1e-13)
        assert_allclose(visits[1:], mdp.gamma * visits[:-1] @ flow, rtol=1e-12, atol=1e-15)
    reachable = vectorized.reachable_states(mdp.dense(), mdp.initial_distribution, mdp.action_mask, mdp.horizon)
    assert_array_equal(result.occupancy[~reachable], 0.0)


@pytest.mark.parametrize("name", ["half", "long", "episodic", "episodic_discounted"])
@pytest.mark.parametrize("method", ["direct", "krylov", "auto"])
def test_methods_agree_and_report_the_true_residual(name, method):
    mdp = CASES[name]
    policy = random_policy(mdp)
    result = nf.evaluate(mdp, policy, method=method)
    assert_same_evaluation(mdp, result, vectorized.evaluate(*arrays(mdp), policy.probs()))
    matrix = np.eye(mdp.n_states) - mdp.gamma * np.einsum("sa,sat->st", policy.probs(), mdp.dense())
    visits = result.effective_horizon * result.occupancy
    true = 0.0
    for a, b, x in (
        (matrix, np.sum(policy.probs() * mdp.rewards, axis=1), result.values),
        (matrix.T, mdp.initial_distribution, visits),
    ):
        true = max(true, np.abs(b - a @ x).max() / max(np.abs(b).max(), np.abs(x).max()))
    assert result.residual < 1e-13
    assert abs(true - result.residual) < 1e-15  # a few units of rounding of the test's own residual


def test_large_sparse_chains_agree_between_methods():
    mdp = nf.problems.garnet(700, 3, 4, gamma=0.995, seed=3)
    policy = random_policy(mdp)
    direct, krylov = (nf.evaluate(mdp, policy, method=method) for method in ("direct", "krylov"))
    assert max(direct.residual, krylov.residual) < 1e-13
    assert_allclose(krylov.values, direct.values, rtol=1e-10, atol=1e-10)
    assert_allclose(krylov.occupancy, direct.occupancy, rtol=1e-8, atol=1e-14)
    expected = vectorized.evaluate(*arrays(mdp), policy.probs())
    assert_same_evaluation(mdp, direct, expected, rtol=1e-9)


@pytest.mark.parametrize("gamma", [1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize("method", ["direct", "krylov", "auto"])
def test_discounts_near_one_keep_the_bellman_residual_small(gamma, method):
    mdp = problem(20, 9, 3).replace(gamma=gamma)
    policy = random_policy(mdp)
    result = nf.evaluate(mdp, policy, method=method)
    backup = np.sum(policy.probs() * result.action_values, axis=1)
    assert np.abs(backup - result.values).max() <= 1e-9 * np.abs(result.values).max()
    assert result.residual <= 1e-9
    assert_allclose(result.effective_horizon, 1 / (1 - gamma), rtol=1e-6)
    stationary = np.linalg.matrix_power(np.einsum("sa,sat->st", policy.probs(), mdp.dense()), 4096)[0]
    assert_allclose(result.occupancy, stationary, rtol=1e-4)


def test_constant_reward_is_worth_its_geometric_sum():
    for gamma in (0.0, 0.5, 0.99, 1 - 1e-9):
        mdp = nf.TabularMDP(np.roll(np.eye(5), 1, axis=1)[:, None, :], np.ones((5, 1)), gamma=gamma)
        result = nf.evaluate(mdp, np.ones((5, 1)))
        condition = 2 / (1 - gamma)  # of I - gamma P in the largest norm
        assert_allclose(result.values, 1 / (1 - gamma), rtol=max(1e-12, 2.0**-52 * condition))


@pytest.mark.parametrize("horizon", [1, 2, 7])
@TAUS
def test_policies_that_depend_on_time_match_reference(horizon, tau):
    mdp = problem(30, 5, 3, gamma=0.9, horizon=horizon, ending=True)
    probs = np.random.default_rng(0).dirichlet(np.ones(3), (horizon, 5))
    assert_same_evaluation(mdp, nf.evaluate(mdp, probs, tau=tau), loops.evaluate(*arrays(mdp), probs, tau))


@pytest.mark.parametrize("name", ["horizon_one", "horizon_two", "horizon_seven"])
def test_with_time_is_the_same_problem(name):
    mdp = CASES[name]
    policy = random_policy(mdp)
    timed, n_times = mdp.with_time(), mdp.horizon
    repeated = nf.TabularSoftmax(
        timed.n_states, mdp.n_actions, np.tile(policy.theta, n_times), action_mask=timed.action_mask
    )
    left, right = nf.evaluate(mdp, policy, tau=0.3), nf.evaluate(timed, repeated, tau=0.3)
    for field in FIELDS:
        assert_allclose(np.ravel(getattr(left, field)), np.ravel(getattr(right, field)), rtol=1e-12, atol=1e-13)
    one, two = nf.exact_batch(mdp, policy), nf.exact_batch(timed, repeated)
    assert_allclose(one.weights, two.weights, rtol=1e-12)
    assert_array_equal(two.states % mdp.n_states, one.states)
    assert_array_equal(two.actions, one.actions)


def test_policy_that_never_ends_is_an_error_that_names_a_state():
    # 0 goes on to 1; 1 ends or stays; state 2 ends.
    transitions = np.zeros((3, 2, 3))
    transitions[0, :, 1] = transitions[1, 0, 1] = 1
    mdp = nf.TabularMDP(transitions, np.zeros((3, 2)) - 1, termination=[[0, 0], [0, 1], [1, 1]], gamma=1.0)
    for policy in (nf.TabularSoftmax(3, 2, [[0, 0], [1e4, -1e4], [0, 0]]), [[0.5, 0.5], [1, 0], [1, 0]]):
        with pytest.raises(ValueError, match=r"policy: from state [01] it never terminates"):
            nf.evaluate(mdp, policy)
    assert_allclose(nf.evaluate(mdp, [[0.5, 0.5], [0.75, 0.25], [1, 0]]).values, [-5, -4, -1], rtol=1e-13)


@ALL
def test_relabelling_states_and_actions_permutes_everything(mdp):
    rng = np.random.default_rng(3)
    s, a = rng.permutation(mdp.n_states), rng.permutation(mdp.n_actions)
    other = nf.TabularMDP(
        mdp.dense()[s][:, a][:, :, s],
        mdp.rewards[s][:, a],
        initial_distribution=mdp.initial_distribution[s],
        termination=mdp.termination[s][:, a],
        action_mask=mdp.action_mask[s][:, a],
        gamma=mdp.gamma,
        horizon=mdp.horizon,
    )
    probs = random_policy(mdp).probs()
    left, right = nf.evaluate(mdp, probs), nf.evaluate(other, probs[s][:, a])
    assert_allclose(right.values, left.values[..., s], rtol=1e-12, atol=1e-12)
    assert_allclose(right.advantages, left.advantages[..., s, :][..., a], rtol=1e-11, atol=1e-12)
    assert_allclose(right.occupancy, left.occupancy[..., s], rtol=1e-12, atol=1e-14)


@TAUS
@ALL
def test_exact_batch_lists_every_pair_with_its_weight(mdp, tau):
    policy = random_policy(mdp)
    batch = nf.exact_batch(mdp, policy, tau=tau)
    expected = vectorized.exact_batch(*arrays(mdp), policy.probs(), tau)
    for name in ("states", "actions"):
        assert_array_equal(getattr(batch, name), expected[name])
    allowed = np.tile(mdp.action_mask.ravel(), mdp.horizon or 1)
    assert_allclose(batch.weights, expected["weights"], rtol=1e-10, atol=1e-13)
    assert_array_equal(batch.weights[~allowed], 0.0)
    assert_allclose(batch.advantages[allowed], expected["advantages"][allowed], rtol=1e-9, atol=1e-10)
    assert_allclose(batch.log_probs, expected["log_probs"], rtol=1e-12)
    assert_allclose(batch.effective_horizon, expected["effective_horizon"], rtol=1e-10)
    reachable = vectorized.reachable_states(mdp.dense(), mdp.initial_distribution, mdp.action_mask, mdp.horizon)
    if mdp.gamma > 0:
        assert_array_equal(batch.weights > 0, np.repeat(reachable.ravel(), mdp.n_actions) & allowed)
    assert batch.exhaustive
    assert abs(batch.weights.sum() - 1) < 1e-12


def test_underflowing_weights_of_reachable_pairs_stay_positive():
    mdp = nf.problems.chain(40, gamma=0.5)
    policy = nf.TabularSoftmax(40, 2, np.tile([0.0, 900.0], 40))
    batch = nf.exact_batch(mdp, policy)
    assert (policy.probs() == 0).any()
    weights = batch.weights.reshape(40, 2)
    assert (weights[mdp.reachable] >= 5e-324).all()
    assert (weights == 5e-324).any()
    assert np.isfinite(batch.advantages).all()
    assert np.isfinite(batch.log_probs).all()


def test_every_horizon_row_that_can_be_visited_has_weight():
    mdp = CASES["horizon_seven"]
    for h, s in itertools.product(range(7), range(mdp.n_states)):
        row = nf.exact_batch(mdp, random_policy(mdp, scale=2000.0)).weights.reshape(7, mdp.n_states, -1)[h, s]
        layers = vectorized.reachable_states(mdp.dense(), mdp.initial_distribution, mdp.action_mask, 7)
        assert_array_equal(row > 0, mdp.action_mask[s] & layers[h, s])


@pytest.mark.parametrize("n_states", [20_000, 25_000])
def test_long_random_walk_is_evaluated_or_refused_at_gamma_one(n_states):
    """Expected time to leave the interval, V(i) = (i + 1)(n - i) for steps to either side: condition number n^2."""
    rows = np.arange(n_states)
    left = sparse.csr_matrix((np.ones(n_states - 1), (rows[1:], rows[:-1])), shape=(n_states, n_states))
    walk = 0.5 * (left + left.T)
    termination = np.zeros((n_states, 1))
    termination[[0, -1], 0] = 0.5
    mdp = nf.TabularMDP(walk.tocsr(), np.ones((n_states, 1)), termination=termination, gamma=1.0)
    expected = (rows + 1.0) * (n_states - rows)
    np.testing.assert_allclose(nf.evaluate(mdp, nf.TabularSoftmax(n_states, 1)).values, expected, rtol=1e-6)


@pytest.mark.parametrize(("n_states", "p"), [(80, 0.4), (100, 0.4), (100, 0.3), (40, 0.3)])
@pytest.mark.parametrize("method", ["auto", "krylov"])
def test_policy_that_hardly_ever_ends_is_refused_at_gamma_one(n_states, p, method):
    """A drift away from the only exit: the time to reach it grows as ((1-p)/p)^n, beyond what float64 resolves."""
    transitions = np.zeros((n_states, 1, n_states))
    rows = np.arange(n_states)
    transitions[rows[1:], 0, rows[:-1]] = p
    transitions[rows, 0, np.minimum(rows + 1, n_states - 1)] += 1.0 - p
    termination = np.zeros((n_states, 1))
    termination[0, 0] = p
    mdp = nf.TabularMDP(transitions, -np.ones((n_states, 1)), termination=termination, gamma=1.0)
    with pytest.raises(ValueError, match="4e10 steps"):
        nf.evaluate(mdp, nf.TabularSoftmax(n_states, 1), method=method)
