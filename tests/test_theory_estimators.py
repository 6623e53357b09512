"""Statement 19: what sampled batches promise, and that those biased by design are biased."""

import numpy as np
import pytest
from test_theory_problems import awkward_problem, random_log_linear, random_policy, random_problem

import npgfast as nf
from npgfast import theory

SMALL = [k for k in range(52) if random_problem(k).n_states < 100 and random_problem(k).gamma < 0.99]


@pytest.mark.parametrize("k", range(52))
def test_whole_episodes_are_unbiased(k):
    mdp = awkward_problem(k, (None, 5, None)[k % 3])
    if mdp.n_states > 100 or (mdp.horizon is None and mdp.gamma > 0.9):
        mdp = awkward_problem(k % 7, 5)
    policy = random_log_linear(mdp, k) if k % 4 else random_policy(mdp, k, 0.5)
    rows = (mdp.horizon, mdp.n_states) if mdp.horizon is not None else (mdp.n_states,)
    baseline = np.random.default_rng(k).standard_normal(rows) if k % 4 < 2 else None
    for state_weights in ("discounted", "geometric"):
        check = theory.z_scores(
            mdp, policy, 100, n_episodes=10, state_weights=state_weights, baseline=baseline, seed=1000 * k
        )
        assert check.holds, (k, state_weights, check.largest)


@pytest.mark.parametrize("state_weights", ["discounted", "geometric"])
def test_scores_are_standard_normal(state_weights):
    scores = []
    for k in SMALL[:20]:
        mdp = random_problem(k)
        check = theory.z_scores(
            mdp, random_log_linear(mdp, k), 60, n_episodes=4, state_weights=state_weights, seed=99 + 1000 * k
        )
        scores.append(np.concatenate([check.gradient[:1], check.fisher[:1], [check.surrogate]]))
    assert abs(np.mean(scores)) < 0.5
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.3


@pytest.mark.parametrize("gamma", [0.95, 0.99])
def test_long_discounted_problems_are_unbiased(gamma):
    mdp = nf.problems.frozen_lake(gamma=gamma)
    policy = random_policy(mdp, 1, 0.5)
    for state_weights in ("discounted", "geometric"):
        check = theory.z_scores(mdp, policy, 400, n_episodes=50, state_weights=state_weights, seed=5)
        assert check.holds, (state_weights, check.largest)


def biased(mdp, policy, **settings):
    return theory.z_scores(mdp, policy, 300, seed=11, **settings)


def test_without_gamma_to_the_t_the_gradient_is_biased():
    """The mean update of undiscounted state weights misses by far, and on some problems points elsewhere."""
    cosines, largest = [], []
    for k in range(40):
        rng = np.random.default_rng(k)
        mdp = nf.problems.garnet(8, 2, 2, gamma=0.7, seed=k, termination=0.02).replace(
            initial_distribution=np.eye(8)[int(rng.integers(8))]
        )
        policy = nf.LogLinear(rng.standard_normal((8, 2, 2)))
        if k < 6:
            largest.append(biased(mdp, policy, n_episodes=10, state_weights="uniform").largest)
        # Its expectation, exactly: visits of whole episodes, without a discount, times the discounted advantages.
        visits = nf.evaluate(mdp.replace(gamma=1.0), policy).occupancy
        weights = visits[:, None] * policy.probs() * nf.evaluate(mdp, policy).advantages
        states, actions = np.divmod(np.arange(16), 2)
        mean = policy.score(states, actions).T @ weights.ravel()
        exact = nf.policy_gradient(policy, nf.exact_batch(mdp, policy))
        cosines.append(mean @ exact / np.linalg.norm(mean) / np.linalg.norm(exact))
    assert np.median(largest) > 6.0
    assert min(cosines) < 0.0
    assert max(cosines) <= 1.0 + 1e-12


def test_cut_episodes_are_biased():
    mdp = nf.problems.frozen_lake(gamma=0.99)
    policy = random_policy(mdp, 1, 0.5)
    assert biased(mdp, policy, n_steps=8, n_envs=64).largest > 5.0


def test_gae_with_an_imperfect_baseline_is_biased_and_with_the_true_values_is_not():
    mdp = random_problem(SMALL[3])
    policy = random_policy(mdp, 3)
    values = nf.evaluate(mdp, policy).values
    wrong = np.linspace(-1.0, 1.0, mdp.n_states)
    assert biased(mdp, policy, n_episodes=50, gae_lambda=0.3, baseline=wrong).largest > 5.0
    assert biased(mdp, policy, n_episodes=50, gae_lambda=1.0, baseline=wrong).holds
    assert biased(mdp, policy, n_episodes=50, gae_lambda=0.3, baseline=values).holds


def test_the_fisher_matrix_alone_is_a_ratio_and_consistent():
    mdp = nf.problems.garnet(5, 2, 3, gamma=0.9, seed=2, termination=0.1)
    policy = random_log_linear(mdp, 2)
    exact = nf.fisher_matrix(policy, nf.exact_batch(mdp, policy))
    errors = []
    for n_episodes in (100, 10000):
        matrices = [
            nf.fisher_matrix(policy, nf.sample_batch(mdp, policy, n_episodes=n_episodes, seed=seed))
            for seed in range(8)
        ]
        errors.append(np.mean([np.linalg.norm(matrix - exact) for matrix in matrices]))
    assert errors[1] < 0.25 * errors[0]


def test_scores_repeat():
    mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    first, second = (theory.z_scores(mdp, policy, 5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.gradient, second.gradient)
    assert first.surrogate == second.surrogate
