"""Statements 9b, 10, 11, 12 and 13: convergence rates, on random problems, with negative controls."""

import numpy as np
import pytest
from test_theory_problems import (
    N_PROBLEMS,
    awkward_problem,
    both_kinds,
    random_log_linear,
    random_policy,
    random_problem,
)

import npgfast as nf
from npgfast import theory
from npgfast.reference import vectorized

ALL = pytest.mark.parametrize("k", range(N_PROBLEMS))
STEPS = (0.03, 30.0)


def fields(mdp):
    return mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon


def length(mdp):
    return 10 if mdp.n_states < 100 else 4


@ALL
def test_npg_rate_holds_with_the_packages_steps(k):
    for mdp in both_kinds(k):
        for step_size in STEPS:
            check = theory.npg_rate_bound(mdp, step_size, length(mdp))
            assert check.holds, (k, step_size, check.margin)
            assert (np.diff(check.actual) <= check.slack).all()
            np.testing.assert_allclose(theory.npg_gap_bounds(mdp, check.steps), check.bound, rtol=1e-12)


@ALL
def test_npg_rate_holds_as_printed(k):
    """J* - J_T <= log A / (eta T) + 1 / ((1 - gamma)^2 T) for pi' ~ pi exp(eta A / (1 - gamma)), rewards in [0, 1]."""
    mdp = random_problem(k)
    for step_size in STEPS:
        check = theory.npg_rate_bound(mdp, step_size, length(mdp), scaling="discount")
        assert check.holds, (k, step_size, check.margin)
        counts = np.arange(1, length(mdp) + 1)
        printed = np.log(mdp.n_actions) / (step_size * counts) + 1.0 / ((1.0 - mdp.gamma) ** 2 * counts)
        assert (check.actual <= printed).all()
        assert (check.bound <= printed * (1.0 + 1e-12)).all()
        np.testing.assert_allclose(check.steps, step_size / (1.0 - mdp.gamma), rtol=1e-12)
        if not mdp.termination.any():
            own = theory.npg_rate_bound(mdp, step_size, length(mdp))
            np.testing.assert_allclose(own.actual, check.actual, rtol=1e-6, atol=1e-11)
            assert (own.bound <= check.bound * (1.0 + 1e-12)).all()


@ALL
def test_npg_rate_holds_from_any_start_and_with_time_in_the_state(k):
    mdp = awkward_problem(k)
    assert theory.npg_rate_bound(mdp, 0.3, length(mdp), policy=random_policy(mdp, k, 2.0)).holds
    assert theory.npg_rate_bound(mdp, 0.3, length(mdp), policy=random_policy(mdp, k, 2.0), scaling="discount").holds
    timed = awkward_problem(k % 7, 4).with_time()
    for gamma in (timed.gamma, 1.0):
        assert theory.npg_rate_bound(timed.replace(gamma=gamma), STEPS[k % 2], 10).holds


@ALL
def test_npg_run_equals_the_reference(k):
    mdp = random_problem(k)
    if mdp.n_states > 100:
        return
    theta, best = np.zeros(mdp.action_mask.shape), vectorized.solve(*fields(mdp))["objective"]
    gaps = []
    for _ in range(10):
        values = vectorized.evaluate(*fields(mdp), vectorized.policy_probs(theta))
        theta = vectorized.npg_update(
            theta, values["advantages"], values["effective_horizon"], 0.3, np.ones(mdp.n_states, dtype=bool)
        )
        gaps.append(best - vectorized.evaluate(*fields(mdp), vectorized.policy_probs(theta))["objective"])
    check = theory.npg_rate_bound(mdp, 0.3, 10)
    np.testing.assert_allclose(check.actual, gaps, rtol=0, atol=1e-10)
    np.testing.assert_allclose(check.policy.probs(), vectorized.policy_probs(theta), rtol=0, atol=1e-9)


def test_npg_rate_needs_each_of_its_terms():
    without_start, without_drift = 0, 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        if mdp.n_states > 100:
            continue
        counts = np.arange(1, length(mdp) + 1)
        slow = theory.npg_rate_bound(mdp, 1e-3, length(mdp), scaling="discount")
        without_start += (slow.actual > 1.0 / ((1.0 - mdp.gamma) ** 2 * counts)).any()
        fast = theory.npg_rate_bound(mdp, 1e6, length(mdp), scaling="discount")
        without_drift += (fast.actual > np.log(mdp.n_actions) / (1e6 * counts)).any()
    assert without_start > 5
    assert without_drift > 10


def test_npg_rate_with_termination_is_not_printed_with_the_effective_horizon():
    """L in place of 1/(1 - gamma) in the bound: what the printed form must not be read as."""
    mdp = nf.TabularMDP(
        [[[0.999], [0.0]]], [[0.1, 0.2]], termination=[[0.001, 1.0]], initial_distribution=[1.0], gamma=0.999
    )
    first = nf.evaluate(mdp, nf.TabularSoftmax(1, 2)).effective_horizon
    check = theory.npg_rate_bound(mdp, 0.01, 10)
    assert check.holds
    counts = np.arange(1, 11)
    assert (check.actual > np.log(2) / (0.01 * counts) + first**2 / counts).any()


@ALL
def test_every_npg_step_improves_by_its_bound(k):
    for mdp in both_kinds(k):
        for step_size in STEPS:
            check = theory.npg_improvement_bound(mdp, random_policy(mdp, k), step_size)
            assert check.holds, (k, step_size, check.margin)
            assert check.bound >= 0.0 or abs(check.bound) < check.slack
    mdp, policy = random_problem(k), random_policy(random_problem(k), k)
    values = vectorized.evaluate(*fields(mdp), policy.probs())
    if not mdp.termination.any():
        log_z = np.log((policy.probs() * np.exp(0.01 * values["advantages"] / (1.0 - mdp.gamma))).sum(axis=1))
        printed = (1.0 - mdp.gamma) / 0.01 * mdp.initial_distribution @ log_z
        assert theory.npg_improvement_bound(mdp, policy, 0.01).bound == pytest.approx(printed, rel=1e-6, abs=1e-12)


def test_improvement_bound_is_not_far_from_the_gain():
    longer = 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        policy = random_policy(mdp, k)
        check = theory.npg_improvement_bound(mdp, policy, 1e6)
        effective = nf.evaluate(mdp, policy).effective_horizon
        longer += check.actual < 2.0 * effective * check.bound
    assert longer > 20


@ALL
def test_log_linear_rate_holds(k):
    mdp = random_problem(k)
    for policy in (random_log_linear(mdp, k, scale=0.0), random_log_linear(mdp, k, deficient=True)):
        for step_size in (0.01, 1.0):
            check = theory.log_linear_rate_bound(mdp, policy, step_size, length(mdp))
            assert check.holds, (k, step_size, check)
            total = check.optimisation + check.drift + check.approximation
            assert check.bound == pytest.approx(total, rel=1e-12)


@ALL
def test_log_linear_rate_holds_for_any_directions(k):
    mdp, rng = awkward_problem(k), np.random.default_rng(k)
    policy = random_log_linear(mdp, k)
    check = theory.log_linear_rate_bound(
        mdp, policy, 0.1, length(mdp), direction=lambda policy, _: rng.standard_normal(policy.n_params)
    )
    assert check.holds, (k, check)


@ALL
def test_log_linear_rate_implies_the_printed_one(k):
    mdp = random_problem(k)
    if mdp.n_states > 100:
        return
    policy, n_iterations, step_size = random_log_linear(mdp, k, scale=0.0), 10, 0.02
    eta, optimum = step_size / (1.0 - mdp.gamma), nf.solve(mdp)
    star = np.eye(mdp.n_actions)[optimum.actions]
    d_star, norms, errors, gaps = vectorized.evaluate(*fields(mdp), star)["occupancy"], [], [], []
    for _ in range(n_iterations):
        values = vectorized.evaluate(*fields(mdp), policy.probs())
        centred = policy.features - np.einsum("sa,sad->sd", policy.probs(), policy.features)[:, None, :]
        scale = np.sqrt(values["occupancy"][:, None] * policy.probs())
        rows = (scale[:, :, None] * centred).reshape(-1, policy.n_params)
        w = np.linalg.lstsq(rows, (scale * values["advantages"]).ravel(), rcond=1e-10)[0]
        errors.append(np.sum(d_star[:, None] * star * (values["advantages"] - centred @ w)))
        norms.append(np.linalg.norm(w))
        gaps.append(optimum.objective - values["objective"])
        policy = policy.with_theta(policy.theta + eta * w)
    radius = np.linalg.norm(policy.features, axis=2).max()
    printed = np.log(mdp.n_actions) / (eta * n_iterations) + eta * (radius * max(norms)) ** 2 / 2.0 + np.mean(errors)
    assert min(gaps) <= printed / (1.0 - mdp.gamma)
    if not mdp.termination.any():
        check = theory.log_linear_rate_bound(mdp, random_log_linear(mdp, k, scale=0.0), step_size, n_iterations)
        assert check.actual == pytest.approx(min(gaps), rel=1e-7)
        assert check.bound == pytest.approx(printed / (1.0 - mdp.gamma), rel=1e-7)


def test_log_linear_rate_needs_each_of_its_terms():
    missing = np.zeros(3, dtype=int)
    for k in range(20):
        mdp = random_problem(k)
        if mdp.n_states > 100:
            continue
        for step_size in (1e-4, 0.1, 100.0):
            check = theory.log_linear_rate_bound(mdp, random_log_linear(mdp, k, scale=0.0), step_size, length(mdp))
            terms = np.array([check.optimisation, check.drift, check.approximation])
            missing += check.actual > check.bound - terms
        away = theory.log_linear_rate_bound(
            mdp,
            random_log_linear(mdp, k, scale=0.0),
            1.0,
            length(mdp),
            direction=lambda policy, batch: -20.0 * nf.natural_gradient(policy, batch).direction,
        )
        assert away.holds
        rest = away.bound - np.array([away.optimisation, away.drift, away.approximation])
        missing += away.actual > rest
    assert missing[0] > 0
    assert missing[2] > 0


@ALL
def test_entropy_regularized_rate_holds(k):
    for mdp in both_kinds(k):
        tau = (0.01, 0.1, 1.0)[k % 3]
        for share in (0.1, 1.0):
            check = theory.entropy_regularized_rate_bound(mdp, tau, share * (1.0 - mdp.gamma) / tau, length(mdp))
            assert check.holds, (k, share, check.margin)


def test_entropy_regularized_rate_is_not_twice_as_fast():
    """With eta = (1 - gamma) / (2 tau) the error does not fall by (1 - eta tau)^2 per step everywhere."""
    violated = 0
    for k in range(20):
        mdp = random_problem(k)
        if mdp.n_states > 100:
            continue
        check = theory.entropy_regularized_rate_bound(mdp, 1.0, 0.05 * (1.0 - mdp.gamma), 60)
        rate = 1.0 - 0.05 * (1.0 - mdp.gamma)
        violated += (check.actual > check.bound * rate ** (60.0 * np.arange(60)) + check.slack).any()
    assert violated > 5


@ALL
def test_entropy_bias_is_bounded(k):
    for mdp in both_kinds(k):
        for tau in (0.01, 1.0):
            check = theory.entropy_bias_bound(mdp, tau)
            assert check.holds
            assert (check.actual >= -check.slack).all()


@ALL
def test_constant_step_rate_holds(k):
    for mdp in both_kinds(k):
        for step_size in STEPS:
            check = theory.constant_step_rate_bound(mdp, step_size, length(mdp), policy=random_policy(mdp, k))
            assert check.holds, (k, step_size, check.margin)


def test_constant_step_rate_needs_each_of_its_terms_and_is_the_printed_one():
    without_start, without_drift = 0, 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        if mdp.n_states > 100:
            continue
        counts = np.arange(2, length(mdp) + 2)
        slow = theory.constant_step_rate_bound(mdp, 1e-3, length(mdp))
        printed = (np.log(mdp.n_actions) / 1e-3 + 1.0 / (1.0 - mdp.gamma) ** 2) / counts
        assert (slow.bound <= printed * (1.0 + 1e-12)).all()
        without_start += (slow.actual > 1.0 / (1.0 - mdp.gamma) ** 2 / counts).any()
        fast = theory.constant_step_rate_bound(mdp, 1e6, length(mdp))
        without_drift += (fast.actual > np.log(mdp.n_actions) / (1e6 * counts)).any()
    assert without_start > 5
    assert without_drift > 10


@ALL
def test_hedge_regret_is_bounded_at_every_state(k):
    for mdp in both_kinds(k):
        for step_size in (1e-3, 10.0):
            check = theory.hedge_regret(mdp, step_size, length(mdp))
            assert check.holds, (k, step_size, check.margin)


def test_hedge_regret_needs_each_of_its_terms():
    without_start, without_drift = 0, 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        if mdp.n_states > 100:
            continue
        slow, fast = (theory.hedge_regret(mdp, step_size, length(mdp)) for step_size in (1e-4, 1e3))
        gains = np.log(mdp.n_actions) / np.array([1e-4, 1e3])
        without_start += (slow.actual > slow.bound - gains[0]).any()
        without_drift += (fast.actual > gains[1]).any()
    assert without_start > 40
    assert without_drift > 40
