"""Chains too large for a factorisation: sweeps, Krylov iterations, and what they must not depend on."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg

import npgfast as nf


def chain(n, gamma, rows, *, termination=None):
    """One action; rows is a list of (source, successor, probability)."""
    source, successor, probability = (np.array(column) for column in zip(*rows, strict=True))
    kernel = sp.csr_matrix((probability.astype(float), (source, successor)), shape=(n, n))
    rewards = np.random.default_rng(0).normal(size=(n, 1))
    return nf.TabularMDP(kernel, rewards, gamma=gamma, termination=termination)


def corridor(n, gamma):
    return chain(
        n, gamma, [(s, s + d, 0.5) for s in range(1, n - 1) for d in (-1, 1)] + [(0, 1, 1.0), (n - 1, n - 2, 1)]
    )


def cycles(n, gamma):
    return chain(n, gamma, [(s, s ^ 1, 1.0) for s in range(n)])


def ring(n, gamma):
    return chain(n, gamma, [(s, (s + 1) % n, 1.0) for s in range(n)])


def islands(n, gamma):
    """Four chains that mix and never meet."""
    rng, size = np.random.default_rng(1), n // 4
    return chain(
        n, gamma, [(s, s // size * size + int(j), 0.25) for s in range(n) for j in rng.choice(size, 4, replace=False)]
    )


def absorbing(n, gamma):
    return chain(n, gamma, [(s, s, 0.5) for s in range(n)] + [(s, n - 1, 0.5) for s in range(n)])


def ending(n, gamma):
    rng = np.random.default_rng(2)
    rows = [(s, int(j), 0.24) for s in range(n) for j in rng.choice(n, 4, replace=False)]
    return chain(n, gamma, rows, termination=np.full((n, 1), 0.04))


def walk_out(n, gamma):
    """Only the far end terminates."""
    termination = np.zeros((n, 1))
    termination[-1] = 1.0
    return chain(n, gamma, [(s, s + 1, 1.0) for s in range(n - 1)], termination=termination)


CASES = [
    (make, n, gamma)
    for make in (corridor, cycles, ring, islands, absorbing, ending)
    for n in ((132, 500) if make in (islands, ending) else (132, 3000))
    for gamma in (0.0, 0.99, 0.9999)
] + [(ending, 500, 1.0), (walk_out, 1000, 1.0), (walk_out, 129, 0.5)]


@pytest.mark.parametrize(("make", "n", "gamma"), CASES)
def test_evaluation_solves_the_linear_systems_of_slow_and_odd_chains(make, n, gamma):
    mdp = make(n, gamma)
    found = nf.evaluate(mdp, np.ones((n, 1)))
    indptr, indices, probabilities = mdp.csr
    system = sp.identity(n) - gamma * sp.csr_matrix((probabilities, indices, indptr), shape=(n, n))
    values = scipy.sparse.linalg.spsolve(system.tocsc(), mdp.rewards[:, 0])
    visits = scipy.sparse.linalg.spsolve(system.T.tocsc(), mdp.initial_distribution)
    assert found.residual <= 1e-13
    size = np.abs(values).max()
    np.testing.assert_allclose(found.values, values, rtol=0, atol=1e-14 * size * visits.sum() * 10)
    np.testing.assert_allclose(found.occupancy, visits / visits.sum(), rtol=0, atol=1e-11)
    assert found.effective_horizon == pytest.approx(visits.sum(), rel=1e-10)


@pytest.mark.parametrize("n_states", [129, 1000, 30_011])
def test_evaluation_of_a_garnet_satisfies_its_equations(n_states):
    mdp = nf.problems.garnet(n_states, 3, 5, gamma=0.99, seed=3)
    policy = np.random.default_rng(4).dirichlet(np.ones(3), size=n_states)
    found = nf.evaluate(mdp, policy)
    indptr, indices, probabilities = mdp.csr
    kernel = sp.csr_matrix((probabilities, indices, indptr), shape=(3 * n_states, n_states))
    values = found.values
    q = mdp.rewards + 0.99 * (kernel @ values).reshape(n_states, 3)
    np.testing.assert_allclose(found.action_values, q, rtol=1e-13)
    np.testing.assert_allclose((policy * q).sum(1), values, rtol=0, atol=2e-14 * np.abs(values).max())
    visits = found.occupancy * found.effective_horizon
    flow = mdp.initial_distribution + 0.99 * kernel.T @ (visits[:, None] * policy).reshape(-1)
    np.testing.assert_allclose(flow, visits, rtol=0, atol=1e-14 * visits.max())
    assert found.effective_horizon == pytest.approx(100.0, rel=1e-12)
    assert found.objective == pytest.approx(visits @ (policy * mdp.rewards).sum(1), rel=1e-12)


def nearly_deterministic(mdp, decades):
    """One action of each state nearly always, the others with probabilities of 1 down to 10^-decades."""
    rng, shape = np.random.default_rng(6), (mdp.n_states, mdp.n_actions)
    policy = 10.0 ** (-decades * rng.random(shape))
    policy[np.arange(mdp.n_states), rng.integers(mdp.n_actions, size=mdp.n_states)] = 1.0
    return policy / policy.sum(axis=1, keepdims=True)


def visits_entry_by_entry(mdp, policy):
    """Sums of nonnegative terms: every entry to rounding, however small it is."""
    n, rows = mdp.n_states, mdp.n_states * mdp.n_actions
    indptr, indices, probabilities = mdp.csr
    average = sp.csr_matrix((policy.ravel(), (np.arange(rows) // mdp.n_actions, np.arange(rows))), shape=(n, rows))
    kernel = mdp.gamma * (average @ sp.csr_matrix((probabilities, indices, indptr), shape=(rows, n)))
    backward, reached = kernel.T.tocsr(), mdp.initial_distribution.copy()
    visits = reached.copy()
    for _ in range(3000):
        reached = backward @ reached
        visits += reached
    return visits


@pytest.mark.parametrize(("n_states", "branching", "decades"), [(200, 1, 15), (600, 1, 60), (2000, 2, 200)])
@pytest.mark.parametrize("starts_at_one", [True, False])
def test_occupancies_of_hardly_ever_taken_actions_are_right_entry_by_entry(n_states, branching, decades, starts_at_one):
    mdp = nf.problems.garnet(n_states, 3, branching, gamma=0.99, seed=3)
    if starts_at_one:
        mdp = mdp.replace(initial_distribution=np.eye(n_states)[0])
    policy = nearly_deterministic(mdp, decades)
    visits = visits_entry_by_entry(mdp, policy)
    assert not starts_at_one or visits[visits > 0.0].min() < 1e-10
    found = nf.evaluate(mdp, policy)
    assert found.residual <= 1e-14
    np.testing.assert_allclose(found.occupancy * found.effective_horizon, visits, rtol=1e-11, atol=0.0)
    value = visits @ (policy * mdp.rewards).sum(axis=1)
    assert found.objective == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("method", ["direct", "krylov"])
def test_every_method_takes_a_policy_with_hardly_ever_taken_actions(method):
    mdp = nf.problems.garnet(300, 3, 3, gamma=0.99, seed=3)
    policy = nearly_deterministic(mdp, 40)
    found, other = nf.evaluate(mdp, policy), nf.evaluate(mdp, policy, method=method)
    np.testing.assert_allclose(found.values, other.values, rtol=1e-10)
    np.testing.assert_allclose(found.occupancy, other.occupancy, rtol=0, atol=1e-12)


def test_a_policy_that_ends_by_a_hardly_ever_taken_action_is_refused_only_where_it_never_does():
    n = 200
    rows = [(2 * s + a, (s + 1) % n, 1.0) for s in range(n) for a in (0, 1) if (s, a) != (n - 1, 1)]
    row, column, one = (np.array(x) for x in zip(*rows, strict=True))
    kernel = sp.csr_matrix((one, (row, column)), shape=(2 * n, n))
    termination = np.zeros((n, 2))
    termination[-1, 1] = 1.0
    mdp = nf.TabularMDP(kernel, -np.ones((n, 2)), gamma=1.0, termination=termination)
    for prob, time in ((1e-5, 2e7), (1e-13, None), (0.0, None)):
        policy = np.tile([1.0 - prob, prob], (n, 1))
        if time is None:
            with pytest.raises(ValueError, match="terminate"):
                nf.evaluate(mdp, policy)
        else:
            assert nf.evaluate(mdp, policy).values[0] == pytest.approx(-time, rel=1e-4)


def test_the_flow_into_a_state_that_all_others_lead_to():
    n = 100_000
    mdp = chain(n, 0.9, [(s, s // 2, 0.5) for s in range(n)] + [(s, n - 7, 0.5) for s in range(n)])
    found = nf.evaluate(mdp, np.ones((n, 1)))
    indptr, indices, probabilities = mdp.csr
    visits = found.occupancy * found.effective_horizon
    kernel = sp.csr_matrix((probabilities, indices, indptr), shape=(n, n))
    np.testing.assert_allclose(mdp.initial_distribution + 0.9 * kernel.T @ visits, visits, rtol=1e-9)


def test_results_do_not_depend_on_threads():
    mdp = nf.problems.garnet(20_000, 4, 4, gamma=0.99, seed=5)
    policy = np.random.default_rng(6).dirichlet(np.ones(4), size=mdp.n_states)
    rare = nearly_deterministic(mdp, 100)
    for call in (
        lambda n: nf.evaluate(mdp, policy, n_threads=n),
        lambda n: nf.evaluate(mdp, rare, n_threads=n),
        lambda n: nf.solve(mdp, n_threads=n),
    ):
        first, *others = (vars(call(n)) for n in (1, 2, 5))
        for other in others:
            for name, value in first.items():
                np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_policy_iteration_of_a_slow_chain_is_certified():
    n = 1500
    rows = [(2 * s + a, min(max(s + 2 * a - 1, 0), n - 1), 1.0) for s in range(n) for a in (0, 1)]
    row, column, one = (np.array(x) for x in zip(*rows, strict=True))
    mdp = nf.TabularMDP(
        sp.csr_matrix((one, (row, column)), shape=(2 * n, n)),
        np.random.default_rng(0).uniform(size=(n, 2)),
        gamma=0.9999,
    )
    found = nf.solve(mdp)
    assert found.converged
    assert found.lower <= nf.evaluate(mdp, np.eye(2)[found.actions]).objective <= found.upper


def test_policy_iteration_at_gamma_1_of_a_large_chain_is_certified():
    mdp = nf.problems.garnet(2000, 3, 3, gamma=1.0, seed=7, termination=0.02)
    found = nf.solve(mdp)
    assert found.converged
    np.testing.assert_allclose(found.action_values.max(1), found.values, rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_policy_iteration_agrees_with_value_iteration_on_a_large_garnet(gamma):
    mdp = nf.problems.garnet(3001, 3, 3, gamma=gamma, seed=7)
    found = nf.solve(mdp)
    other = nf.solve(mdp, method="modified_policy_iteration")
    assert found.converged
    assert found.lower <= other.upper
    assert other.lower <= found.upper
    np.testing.assert_allclose(found.values, other.values, rtol=1e-9)
    np.testing.assert_allclose(found.action_values.max(1), found.values, rtol=1e-12)


def test_exact_runs_do_not_depend_on_how_they_are_divided():
    mdp = nf.problems.garnet(700, 3, 3, gamma=0.99, seed=8)

    def agent():
        return nf.NaturalPolicyGradient(mdp, step_size=nf.schedules.Geometric(0.1, 2.0))

    whole, parts, watched = agent(), agent(), agent()
    history = whole.learn(7, n_threads=1).history
    before = parts.learn(4).history["objective"]
    after = parts.learn(3, n_threads=2).history["objective"]
    np.testing.assert_array_equal(history["objective"], np.hstack([before, after]))
    seen = watched.learn(7, callback=lambda _: None).history
    for name in ("objective", "entropy", "kl", "gradient_norm", "effective_horizon"):
        np.testing.assert_array_equal(history[name], seen[name], err_msg=name)
