"""Statements 14, 15 and 16: lower bounds on the objective after one step, on random problems."""

import numpy as np
import pytest
from test_theory_problems import N_PROBLEMS, both_kinds, random_policy, random_problem

import npgfast as nf
from npgfast import theory
from npgfast.reference import vectorized

ALL = pytest.mark.parametrize("k", range(N_PROBLEMS))


def reference_values(mdp, probs):
    fields = (mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon)
    return vectorized.evaluate(*fields, probs)


@ALL
def test_plain_steps_of_the_papers_size_never_lose(k):
    for mdp in both_kinds(k):
        policy = random_policy(mdp, k)
        check = theory.monotone_pg_step(mdp, policy)
        assert check.holds, (k, check)
        assert check.bound >= 0.0
    mdp, policy = random_problem(k), random_policy(random_problem(k), k)
    before = nf.evaluate(mdp, policy).objective
    for _ in range(5):
        gradient = nf.policy_gradient(policy, nf.exact_batch(mdp, policy))
        policy = policy.with_theta(policy.theta + (1.0 - mdp.gamma) ** 3 / 8.0 * gradient)
        after = nf.evaluate(mdp, policy).objective
        assert after >= before - 1e-12 / (1.0 - mdp.gamma)
        before = after


@ALL
def test_mixture_bound_holds(k):
    for mdp in both_kinds(k):
        old, target = random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1, 3.0)
        greedy = np.where(mdp.action_mask, nf.evaluate(mdp, old).action_values, -np.inf).argmax(axis=1)
        for goal in (target, np.eye(mdp.n_actions)[greedy]):
            for alpha in (0.01, 0.3, 1.0):
                check = theory.mixture_lower_bound(mdp, old, goal, alpha)
                assert check.holds, (k, alpha, check)


@ALL
def test_mixture_bound_is_the_papers(k):
    mdp, alpha = random_problem(k), 0.2
    old, target = random_policy(mdp, 2 * k).probs(), random_policy(mdp, 2 * k + 1).probs()
    values, gamma = reference_values(mdp, old), mdp.gamma
    mean = (target * values["advantages"]).sum(axis=1)
    surrogate = values["objective"] + alpha * values["effective_horizon"] * values["occupancy"] @ mean
    penalty = 2 * np.abs(mean).max() * gamma * alpha**2 / ((1 - gamma) * (1 - gamma * (1 - alpha)))
    check = theory.mixture_lower_bound(mdp, old, target, alpha)
    assert check.bound == pytest.approx(surrogate - penalty, rel=1e-9)
    assert check.surrogate == pytest.approx(surrogate, rel=1e-9)
    new = (1 - alpha) * old + alpha * target
    assert check.actual == pytest.approx(reference_values(mdp, new)["objective"], rel=1e-9)


@ALL
@pytest.mark.parametrize("divergence", ["total_variation", "kl"])
def test_trpo_bound_holds(k, divergence):
    for mdp in both_kinds(k):
        old = random_policy(mdp, 2 * k)
        for scale in (0.01, 0.3, 3.0):
            new = old.with_theta(old.theta + random_policy(mdp, 2 * k + 1, scale).theta)
            check = theory.trpo_lower_bound(mdp, new, old, divergence=divergence)
            assert check.holds, (k, scale, check)


@ALL
def test_trpo_bound_is_the_papers(k):
    mdp = random_problem(k)
    old, new = random_policy(mdp, 2 * k).probs(), random_policy(mdp, 2 * k + 1).probs()
    values, gamma = reference_values(mdp, old), mdp.gamma
    gain = values["effective_horizon"] * values["occupancy"] @ (new * values["advantages"]).sum(axis=1)
    epsilon = np.abs(values["advantages"]).max()
    variation = 0.5 * np.abs(new - old).sum(axis=1).max()
    kl = (old * np.log(old / new)).sum(axis=1).max()
    for name, squared in (("total_variation", variation**2), ("kl", kl)):
        check = theory.trpo_lower_bound(mdp, random_policy(mdp, 2 * k + 1), random_policy(mdp, 2 * k), divergence=name)
        penalty = 4 * epsilon * gamma * squared / (1 - gamma) ** 2
        assert check.bound == pytest.approx(values["objective"] + gain - penalty, rel=1e-8)


def test_lower_bounds_need_their_penalties():
    mixtures, trust_regions, doubled, longer = 0, 0, 0, 0
    for k in range(N_PROBLEMS):
        mdp = random_problem(k)
        old, new = random_policy(mdp, 2 * k), random_policy(mdp, 2 * k + 1)
        mixture = theory.mixture_lower_bound(mdp, old, new, 0.5)
        mixtures += mixture.actual < mixture.surrogate - 1e-6
        step = theory.trpo_lower_bound(mdp, new, old)
        trust_regions += step.actual < step.surrogate - 1e-6
        gradient = nf.policy_gradient(old, nf.exact_batch(mdp, old))
        plain = theory.monotone_pg_step(mdp, old)
        doubled += plain.actual < 2.0 * plain.bound * (1.0 - 1e-9)
        gain = nf.evaluate(mdp, old.with_theta(old.theta + 1e3 * gradient)).objective - nf.evaluate(mdp, old).objective
        longer += gain < 1e3 * gradient @ gradient / 2.0
    assert mixtures > 10
    assert trust_regions > 10
    assert doubled > 10
    assert longer > 10


def test_penalties_shrink_with_the_square_of_the_step():
    mdp = random_problem(3)
    old, new = random_policy(mdp, 6), random_policy(mdp, 7)
    large, small = (theory.mixture_lower_bound(mdp, old, new, alpha).penalty for alpha in (2e-4, 1e-4))
    assert large == pytest.approx(4.0 * small, rel=0.01)
    near, nearer = (
        theory.trpo_lower_bound(mdp, old.with_theta(old.theta + h * new.theta), old).penalty for h in (2e-4, 1e-4)
    )
    assert near == pytest.approx(4.0 * nearer, rel=0.01)
