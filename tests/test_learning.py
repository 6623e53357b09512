"""Every algorithm reaches the optimum of the classic problems, exactly and from samples."""

import numpy as np
import pytest

import npgfast as nf
from npgfast.schedules import Geometric, Linear

PROBLEMS = {
    "FrozenLake 4x4": ("FrozenLake-v1", {}),
    "FrozenLake 8x8": ("FrozenLake-v1", {"map_name": "8x8"}),
    "Taxi": ("Taxi-v4", {}),
    "CliffWalking": ("CliffWalking-v1", {}),
}


def problem(name):
    env, settings = PROBLEMS[name]
    return nf.TabularMDP.from_gymnasium(env, gamma=0.99, **settings)


# Clipping keeps exact PPO from leaving CliffWalking's safe path once it is certain of it; a fading entropy bonus does
# not let it become certain too early.
CLIFF_PPO = {"learning_rate": 0.1, "entropy_coefficient": Linear(0.3, 0.0, 300)}

EXACT = {
    "NPG": lambda mdp, _: nf.NaturalPolicyGradient(mdp, step_size=Geometric(0.1, 1.1)),
    "KL-normalised NPG": lambda mdp, _: nf.NaturalPolicyGradient(mdp, max_kl=0.05),
    "SPI": lambda mdp, _: nf.SoftPolicyIteration(mdp, step_size=Geometric(0.1, 1.1)),
    "CPI": lambda mdp, _: nf.ConservativePolicyIteration(mdp, mixture=0.1),
    "TRPO": lambda mdp, _: nf.TRPO(mdp),
    "PPO": lambda mdp, name: nf.PPO(mdp, **(CLIFF_PPO if name == "CliffWalking" else {})),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("algorithm", EXACT)
def test_exact_algorithm_reaches_the_optimum(algorithm, name):
    mdp = problem(name)
    agent = EXACT[algorithm](mdp, name)
    result = agent.learn(400 if algorithm == "PPO" else 300)
    objective = nf.evaluate(mdp, result.policy).objective
    assert result.optimum.converged
    assert 0.0 - 1e-10 <= result.optimum.objective - objective <= 1e-3 * abs(result.optimum.objective)


@pytest.mark.parametrize("step_size", [0.02, 1.0, 100.0, 1e6])
@pytest.mark.parametrize("name", PROBLEMS)
def test_exact_npg_with_any_step_goes_on_to_rounding(name, step_size):
    """Rows whose probability or occupancy has underflowed keep moving: a plain F^+ grad J sticks at a gap of 88."""
    agent = nf.NaturalPolicyGradient(problem(name), step_size=step_size)
    result = agent.learn(30_000, target=agent.optimum.objective - 1e-9)
    assert result.final("gap")[0] <= 1e-9


def test_exact_npg_leaves_a_policy_that_has_given_up_the_good_action():
    mdp = problem("FrozenLake 4x4")
    bad = nf.solve(
        nf.TabularMDP(
            mdp.dense(),
            -mdp.rewards,
            termination=mdp.termination,
            gamma=mdp.gamma,
            initial_distribution=mdp.initial_distribution,
        )
    ).actions
    theta = np.zeros((16, 4))
    theta[np.arange(16), bad] = 1000.0
    result = nf.NaturalPolicyGradient(mdp, nf.TabularSoftmax(16, 4, theta), step_size=1.0).learn(30_000)
    assert result.final("gap")[0] <= 1e-9


def test_exact_log_linear_npg_reaches_the_optimum_with_full_features():
    mdp = problem("FrozenLake 4x4")
    rng = np.random.default_rng(0)
    policy = nf.LogLinear(rng.normal(size=(16, 4, 64)))
    for agent in (nf.NaturalPolicyGradient(mdp, policy, step_size=1.0), nf.TRPO(mdp, policy)):
        assert agent.learn(300).final("gap")[0] <= 1e-3 * agent.optimum.objective


def test_horizon_optimum_is_reached_on_the_problem_with_time():
    mdp = nf.problems.frozen_lake(gamma=1.0, horizon=20)
    optimum = nf.solve(mdp).objective
    result = nf.TRPO(mdp.with_time(), max_kl=0.1).learn(60)
    assert nf.solve(mdp.with_time()).objective == pytest.approx(optimum, abs=1e-12)
    assert optimum - result.final("objective")[0] <= 1e-3 * optimum
    stationary = nf.TRPO(mdp, max_kl=0.01).learn(100).final("objective")[0]
    assert stationary < optimum - 1e-3


SAMPLED_4X4 = {
    "NPG": (
        lambda mdp: nf.NaturalPolicyGradient(
            mdp, mode="sampled", step_size=Linear(1.0, 0.0, 60), damping=0.5, n_episodes=1000, gae_lambda=0.95
        ),
        60,
    ),
    "TRPO": (
        lambda mdp: nf.TRPO(mdp, mode="sampled", max_kl=0.01, damping=0.1, n_episodes=1000, gae_lambda=0.95),
        60,
    ),
    "PPO": (
        lambda mdp: nf.PPO(
            mdp, mode="sampled", n_episodes=500, learning_rate=0.01, n_epochs=4, batch_size=1000, gae_lambda=0.95
        ),
        100,
    ),
}


@pytest.mark.parametrize("algorithm", SAMPLED_4X4)
def test_sampled_algorithm_comes_within_three_percent_on_the_small_lake(algorithm, record_property):
    make, n_iterations = SAMPLED_4X4[algorithm]
    mdp = problem("FrozenLake 4x4")
    result = make(mdp).learn(n_iterations, n_seeds=32)
    gaps = [1.0 - nf.evaluate(mdp, policy).objective / result.optimum.objective for policy in result.policies]
    record_property("median_gap", float(np.median(gaps)))
    assert np.median(gaps) <= 0.03


SAMPLED_8X8 = {
    "NPG": lambda mdp: nf.NaturalPolicyGradient(
        mdp, mode="sampled", step_size=1.0, damping=0.1, n_episodes=4000, gae_lambda=0.95
    ),
    "TRPO": lambda mdp: nf.TRPO(mdp, mode="sampled", max_kl=0.002, damping=0.1, n_episodes=2000, gae_lambda=0.95),
    "PPO": lambda mdp: nf.PPO(
        mdp, mode="sampled", n_episodes=4000, learning_rate=0.01, n_epochs=4, batch_size=20_000, gae_lambda=0.95
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", SAMPLED_8X8)
def test_sampled_algorithm_comes_within_three_percent_on_the_large_lake(algorithm, record_property):
    """In at most 5e7 steps; the objective is exact and that of the last iterate."""
    mdp = problem("FrozenLake 8x8")
    result = SAMPLED_8X8[algorithm](mdp).learn(total_timesteps=30_000_000, n_seeds=8)
    gaps = [1.0 - nf.evaluate(mdp, policy).objective / result.optimum.objective for policy in result.policies]
    record_property("median_gap", float(np.median(gaps)))
    assert result.final("timesteps").max() <= 5e7
    assert np.median(gaps) <= 0.03
