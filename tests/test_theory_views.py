"""Statements 3, 5, 9 and 17: views of the natural gradient, on random problems."""

import numpy as np
import pytest
from test_theory_problems import N_PROBLEMS, awkward_problem, random_log_linear, random_policy, random_problem

import npgfast as nf
from npgfast import theory
from npgfast.reference import vectorized

ALL = pytest.mark.parametrize("k", range(N_PROBLEMS))
PROBLEMS = {
    "plain": random_problem,
    "unreachable and masked": awkward_problem,
    "horizon": lambda k: awkward_problem(k, 4),
    "time in the state": lambda k: awkward_problem(k % 7, 3).with_time(),
}


def policies(mdp, k):
    small = mdp.n_states <= 50
    yield random_policy(mdp, k)
    yield random_log_linear(mdp, k)
    yield random_log_linear(mdp, k, deficient=True)
    if small:
        shape = (*mdp.action_mask.shape, mdp.action_mask.size)
        yield nf.LogLinear(np.eye(shape[-1]).reshape(shape), action_mask=mdp.action_mask)


@pytest.mark.parametrize("kind", PROBLEMS)
@ALL
def test_views_agree(k, kind):
    mdp = PROBLEMS[kind](k)
    for policy in policies(mdp, k):
        check = theory.check_views(mdp, policy)
        if check.smallest_weight < 1e-6:
            continue
        assert check.holds, (k, check.discrepancies, check.range_residual)
        assert len(check.discrepancies) == (6 if isinstance(policy, nf.TabularSoftmax) else 3)


def test_most_problems_meet_the_condition_of_the_agreement():
    for kind in PROBLEMS.values():
        weights = [theory.check_views(kind(k), random_policy(kind(k), k)).smallest_weight for k in range(N_PROBLEMS)]
        assert np.mean(np.array(weights) >= 1e-6) > 0.9


@ALL
def test_the_entropy_regularised_views_agree(k):
    mdp = awkward_problem(k)
    check = theory.check_views(mdp, random_policy(mdp, k), tau=0.3)
    assert check.holds, (k, check.discrepancies)


@ALL
def test_regression_view_is_the_natural_direction(k):
    for kind in ("unreachable and masked", "horizon"):
        mdp = PROBLEMS[kind](k)
        for policy in policies(mdp, k) if mdp.n_states <= 50 else [random_log_linear(mdp, k, deficient=True)]:
            check = theory.regression_view(mdp, policy)
            assert check.holds, (k, kind, check.discrepancy, check.orthogonality)
            exact = isinstance(policy, nf.TabularSoftmax) and mdp.horizon is None
            assert not exact or check.residual < 1e-24 * np.abs(mdp.rewards).max() ** 2 / (1.0 - mdp.gamma) ** 2


@ALL
def test_direction_equals_the_reference(k):
    mdp = awkward_problem(k)
    policy = random_policy(mdp, k)
    fields = (mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, None)
    values = vectorized.evaluate(*fields, policy.probs())
    allowed = mdp.action_mask & mdp.reachable[:, None]
    table = np.where(allowed, values["advantages"], 0.0)
    table -= np.where(allowed, table.sum(axis=1, keepdims=True) / np.maximum(allowed.sum(axis=1), 1)[:, None], 0.0)
    for name, direction in theory.check_views(mdp, policy).directions.items():
        expected = values["effective_horizon"] * table.ravel()
        np.testing.assert_allclose(direction, expected, rtol=0, atol=1e-9 * np.abs(expected).max(), err_msg=name)


@pytest.mark.parametrize("kind", PROBLEMS)
@ALL
def test_npg_step_does_not_depend_on_coordinates_and_pg_does(k, kind):
    mdp, rng = PROBLEMS[kind](k), np.random.default_rng(k)
    visible = 0
    for policy in (random_log_linear(mdp, k), random_log_linear(mdp, k, deficient=True), random_policy(mdp, k)):
        if policy.n_params > 60:
            continue
        matrix, shift = rng.standard_normal((policy.n_params,) * 2), rng.standard_normal(policy.n_params)
        check = theory.check_reparametrization(mdp, policy, matrix, shift, step_size=0.3)
        assert check.holds, (k, kind, check)
        assert not (check.nonsingular and isinstance(policy, nf.TabularSoftmax))
        visible += check.pg_policy_discrepancy > 1e-4
    # A half of the smallest problems allow one action per state: then no step changes anything.
    assert visible or mdp.action_mask[mdp.reachable].sum(axis=1).max() == 1


def test_parameters_agree_only_where_fisher_is_nonsingular():
    singular, nonsingular = [], []
    for k in range(N_PROBLEMS):
        mdp, rng = random_problem(k), np.random.default_rng(k)
        for deficient in (False, True):
            policy = random_log_linear(mdp, k, deficient=deficient)
            matrix, shift = rng.standard_normal((policy.n_params,) * 2), rng.standard_normal(policy.n_params)
            check = theory.check_reparametrization(mdp, policy, matrix, shift, step_size=0.3)
            (nonsingular if check.nonsingular else singular).append(check)
    assert len(nonsingular) >= 40
    assert len(singular) >= N_PROBLEMS
    assert max(check.parameter_discrepancy for check in nonsingular) < 1e-8
    assert np.median([check.parameter_discrepancy for check in singular]) > 1e-3
    assert max(check.policy_discrepancy for check in singular + nonsingular) < 1e-9
    assert np.median([check.pg_policy_discrepancy for check in singular + nonsingular]) > 1e-3
    assert np.median([check.pg_parameter_discrepancy for check in nonsingular]) > 1e-3


def test_the_transposed_inverse_is_meant():
    """Features M^-1 phi, as the lecture prints, are other policies as soon as M is not symmetric."""
    mdp = random_problem(1)
    policy, rng = random_log_linear(mdp, 1), np.random.default_rng(0)
    matrix = rng.standard_normal((policy.n_params,) * 2)
    good = policy.features @ np.linalg.inv(matrix)
    bad = policy.features @ np.linalg.inv(matrix).T
    theta = matrix @ policy.theta
    np.testing.assert_allclose(nf.LogLinear(good, theta).probs(), policy.probs(), rtol=1e-12)
    assert np.abs(nf.LogLinear(bad, theta).probs() - policy.probs()).max() > 1e-2


@ALL
def test_trust_region_step_solves_the_lagrangian(k):
    mdp = awkward_problem(k, (None, 4)[k % 2])
    if mdp.action_mask[mdp.reachable].sum(axis=1).max() == 1:
        return
    policy = random_policy(mdp, k) if k % 3 else random_log_linear(mdp, k, deficient=True)
    ratios = []
    for max_kl in (1e-2, 1e-4, 1e-6, 1e-8):
        check = theory.trust_region_multiplier(mdp, policy, max_kl)
        assert check.holds, (k, max_kl, check)
        assert check.accepted_kl <= max_kl
        ratios.append(abs(check.kl_ratio - 1.0))
    # The error of the quadratic model is of the order of the step, sqrt(max_kl).
    assert ratios[2] < 0.2 * ratios[1] + 1e-6
    assert ratios[3] < 0.2 * ratios[2] + 1e-6
    if policy.n_params > 60:
        return
    batch = nf.exact_batch(mdp, policy)
    gradient, fisher = nf.policy_gradient(policy, batch), nf.fisher_matrix(policy, batch)
    form = gradient @ np.linalg.pinv(fisher, rcond=1e-12, hermitian=True) @ gradient
    assert check.multiplier == pytest.approx(np.sqrt(form / 2e-8), rel=1e-6)


@ALL
def test_large_steps_are_greedy_on_the_compatible_approximation(k):
    mdp = awkward_problem(k, (None, 4)[k % 2])
    for policy in (random_policy(mdp, k), random_log_linear(mdp, k)):
        masses = []
        for step in (0.0, 1.0, 100.0, 1e4):
            check = theory.compatible_greedy_limit(mdp, policy, step)
            assert check.holds, (k, step, check.margin)
            masses.append(check.actual)
        clear = mdp.reachable & (check.margins > 1e-2)
        assert (masses[-1][clear] < 1e-12).all()
    if mdp.horizon is None:
        values = np.where(mdp.action_mask, nf.evaluate(mdp, random_policy(mdp, k)).action_values, -np.inf)
        tabular = theory.compatible_greedy_limit(mdp, random_policy(mdp, k), 1.0)
        clear = mdp.reachable & (tabular.margins > 1e-9)
        np.testing.assert_array_equal(tabular.actions[clear], values.argmax(axis=1)[clear])


def test_plain_gradient_stalls_where_kakade_says_and_npg_does_not():
    """The first state is kept and the second left: the gradient weighs the second by how rarely it is visited."""
    mdp = nf.problems.two_state(gamma=0.9)
    plain = natural = nf.TabularSoftmax(2, 2, [[4.0, 0.0], [0.0, 4.0]])
    optimum = nf.solve(mdp).objective
    for _ in range(100):
        plain = plain.with_theta(plain.theta + nf.policy_gradient(plain, nf.exact_batch(mdp, plain)))
        step = nf.natural_gradient(natural, nf.exact_batch(mdp, natural)).direction
        natural = natural.with_theta(natural.theta + step)
    assert optimum - nf.evaluate(mdp, natural).objective < 1e-9 * optimum
    assert nf.evaluate(mdp, plain).objective == pytest.approx(10.0, rel=0.03)
