"""Statements 1, 2, 2b, 4, 6, 7 and 8: the equations of the policy gradient, on random problems."""

import numpy as np
import pytest
from test_theory_problems import N_PROBLEMS, awkward_problem, random_log_linear, random_policy, random_problem

import npgfast as nf
from npgfast import theory
from npgfast.reference import vectorized

ALL = pytest.mark.parametrize("k", range(N_PROBLEMS))
KINDS = [random_problem, awkward_problem, lambda k: awkward_problem(k, 4)]


def reference_values(mdp, probs):
    fields = (mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon)
    return vectorized.evaluate(*fields, probs)


@ALL
def test_performance_difference_holds(k):
    for kind in KINDS:
        mdp = kind(k)
        new, old = random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1)
        check = theory.performance_difference(mdp, new, old)
        assert check.holds, (k, check.discrepancy)
        assert check.discrepancy < 1e-11
        after, before = reference_values(mdp, new.probs()), reference_values(mdp, old.probs())
        assert check.left == pytest.approx(after["objective"] - before["objective"], rel=1e-8, abs=1e-11)
        d, advantages = after["occupancy"], before["advantages"]
        inner = (np.where(mdp.action_mask, new.probs(), 0.0) * advantages).sum(axis=-1)
        assert check.right == pytest.approx(after["effective_horizon"] * (d * inner).sum(), rel=1e-8, abs=1e-11)


@ALL
def test_performance_difference_between_policies_that_depend_on_time(k):
    mdp, rng = awkward_problem(k, 3), np.random.default_rng(k)
    new, old = (rng.random((3, *mdp.action_mask.shape)) * mdp.action_mask for _ in range(2))
    new, old = (table / table.sum(axis=2, keepdims=True) for table in (new, old))
    assert theory.performance_difference(mdp, new, old).discrepancy < 1e-12


def test_performance_difference_needs_the_new_occupancy():
    off = 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        new, old = random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1)
        before = nf.evaluate(mdp, old)
        wrong = before.effective_horizon * np.sum(before.occupancy[:, None] * new.probs() * before.advantages)
        check = theory.performance_difference(mdp, new, old)
        off += abs(wrong - check.left) > 1e-3 * abs(check.left)
    assert off > N_PROBLEMS - 5


@ALL
def test_gradient_equals_central_differences(k):
    for kind in KINDS:
        mdp = kind(k)
        policy = random_log_linear(mdp, k) if mdp.n_states > 20 else random_policy(mdp, k)
        check = theory.check_gradient(mdp, policy, tau=0.1 * (k % 2))
        assert check.holds, (k, check.discrepancy)


def test_gradient_of_a_tabular_policy_is_occupancy_times_probability_times_advantage():
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        policy = random_policy(mdp, k)
        values = reference_values(mdp, policy.probs())
        expected = values["effective_horizon"] * values["occupancy"][:, None] * policy.probs() * values["advantages"]
        gradient = nf.policy_gradient(policy, nf.exact_batch(mdp, policy))
        np.testing.assert_allclose(gradient, expected.ravel(), rtol=1e-9, atol=1e-13 * np.abs(expected).max())


@ALL
def test_fisher_is_the_hessian_of_kl(k):
    for kind in KINDS:
        mdp = kind(k)
        tabular = mdp.n_states * mdp.n_actions <= 10
        policy = random_policy(mdp, k) if tabular else random_log_linear(mdp, k, deficient=bool(k % 2))
        check = theory.check_fisher(mdp, policy)
        assert check.holds, (k, check.discrepancy)


@ALL
def test_trajectory_kl_is_the_weighted_one_at_gamma_1(k):
    for mdp in (awkward_problem(k, 4).replace(gamma=1.0), awkward_problem(k, 1), random_problem(k)):
        if mdp.horizon is None and not mdp.termination.any():
            continue
        finite = mdp if mdp.horizon is not None else mdp.replace(gamma=1.0)
        old, new = random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1)
        check = theory.trajectory_kl(finite, old, new)
        assert check.holds, (k, check.discrepancy)
        if mdp.horizon is None:
            assert theory.trajectory_kl(mdp, old, new).discrepancy > 1e-3


def test_trajectory_kl_is_that_of_all_trajectories():
    mdp = nf.problems.garnet(3, 2, 2, gamma=1.0, seed=3, termination=0.2, horizon=3)
    old, new, kernel = random_policy(mdp, 0), random_policy(mdp, 1), mdp.dense()
    total, mass = 0.0, 0.0

    def extend(h, s, probability, ratio):
        nonlocal total, mass
        for a in range(2):
            chance = probability * old.probs()[s, a]
            log_ratio = ratio + np.log(old.probs()[s, a] / new.probs()[s, a])
            ends = mdp.termination[s, a] if h < 2 else 1.0
            total += chance * ends * log_ratio
            mass += chance * ends
            for following in range(3) if h < 2 else ():
                extend(h + 1, following, chance * kernel[s, a, following], log_ratio)

    for s in range(3):
        extend(0, s, mdp.initial_distribution[s], 0.0)
    assert mass == pytest.approx(1.0, rel=1e-12)
    assert theory.trajectory_kl(mdp, old, new).left == pytest.approx(total, rel=1e-12)


def test_trajectory_kl_differs_with_a_discount_and_needs_an_end():
    mdp = nf.problems.random_dense(4, 3, gamma=0.9, seed=1, horizon=5)
    old, new = random_policy(mdp, 0), random_policy(mdp, 1)
    assert theory.trajectory_kl(mdp, old, new).discrepancy > 0.05
    with pytest.raises(ValueError, match="give gamma < 1, a horizon, or termination"):
        theory.trajectory_kl(mdp.replace(horizon=None), old, new)


@ALL
def test_npg_is_soft_policy_iteration_on_reachable_states(k):
    raw, moved = 0, 0
    for kind in KINDS:
        mdp = kind(k)
        check = theory.soft_policy_iteration_view(mdp, random_policy(mdp, k), 0.7)
        assert check.holds, (k, check)
        raw += check.raw_discrepancy > 1e-3
        moved += check.soft_unreachable > 1e-6
    assert raw
    assert moved or mdp.reachable.all() or mdp.action_mask[~mdp.reachable].sum(axis=1).max() == 1


@ALL
def test_two_views_of_a_gradient_step(k):
    mdp = awkward_problem(k, (None, 4)[k % 2])
    policy = random_policy(mdp, k)
    check = theory.gradient_step_views(mdp, policy, 10.0 ** (k % 5 - 2), n_rivals=100, seed=k)
    assert check.holds, (k, check)
    assert check.regularized_rival < check.regularized_gain or not check.regularized_step.any()
    gradient = nf.policy_gradient(policy, nf.exact_batch(mdp, policy))
    np.testing.assert_allclose(check.regularized_step, 10.0 ** (k % 5 - 2) * gradient, rtol=1e-14)


def surrogate_pair(k):
    mdp = awkward_problem(k, (None, 2)[k % 2])
    if mdp.n_states > 20:
        return mdp, random_log_linear(mdp, k), random_log_linear(mdp, k, scale=0.5)
    return mdp, random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1)


@ALL
def test_surrogates_have_the_policy_gradient_and_clip_where_they_should(k):
    check = theory.check_surrogate(*surrogate_pair(k), clip_range=0.1 + 0.2 * (k % 3))
    assert check.holds, (k, check)


def test_surrogate_checks_met_clipped_samples():
    checks = [theory.check_surrogate(*surrogate_pair(k)) for k in range(N_PROBLEMS)]
    clipped = [check for check in checks if check.clip_fraction > 0.0]
    assert len(clipped) > 0.75 * N_PROBLEMS
    assert all(check.clipped_value < check.value for check in clipped)


@ALL
def test_surrogate_value_equals_the_expected_advantage(k):
    mdp, old, new = surrogate_pair(k)
    values = reference_values(mdp, old.probs())
    inner = (np.where(mdp.action_mask, new.probs(), 0.0) * values["advantages"]).sum(axis=-1)
    expected = values["effective_horizon"] * (values["occupancy"] * inner).sum()
    assert theory.check_surrogate(mdp, old, new).value == pytest.approx(expected, rel=1e-9, abs=1e-12)
