"""What a sample can promise: means over many small batches against exact values, and biases that show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import npgfast as nf
from npgfast.reference import vectorized

WORST, JOINT, BIASED = 4.5, 4.5, 8.0


def problem(*, gamma: float, horizon: int | None = None, ending: bool = False) -> nf.TabularMDP:
    rng = np.random.default_rng(5)
    transitions = rng.dirichlet(np.full(4, 0.4), (4, 3))
    termination = np.where(np.arange(3) == 1, 0.4, 0.15) * np.ones((4, 3)) if ending else np.zeros((4, 3))
    mask = np.ones((4, 3), dtype=bool)
    mask[2, 0] = False
    return nf.TabularMDP(
        transitions * (1 - termination[..., None]),
        rng.normal(size=(4, 3)) + 0.5,
        initial_distribution=[0.7, 0.1, 0.2, 0.0],
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def policies(mdp: nf.TabularMDP, *, linear: bool = False) -> tuple[nf.SoftmaxPolicy, nf.SoftmaxPolicy]:
    """The policy that collects, and another at which the surrogate is taken."""
    rng = np.random.default_rng(1)
    if linear:
        features = rng.normal(size=(4, 3, 3))
        return tuple(nf.LogLinear(features, 0.7 * rng.normal(size=3), action_mask=mdp.action_mask) for _ in range(2))
    theta = 0.7 * rng.normal(size=(2, 4, 3))
    return tuple(nf.TabularSoftmax(4, 3, logits, action_mask=mdp.action_mask) for logits in theta)


@dataclass(frozen=True)
class Study:
    """Estimates (n_batches, d) of one quantity, and its exact value (d,)."""

    estimates: np.ndarray
    exact: np.ndarray

    def z_scores(self) -> np.ndarray:
        """Of the mean of every component; 0 where nothing is random and the mean is exact."""
        error = self.estimates.mean(axis=0) - self.exact
        spread = self.estimates.std(axis=0, ddof=1) / np.sqrt(len(self.estimates))
        error[np.abs(error) < 1e-12] = 0
        return error / np.where(spread > 1e-13, spread, 1e-13)

    def joint_z_score(self) -> float:
        """Hotelling's statistic over the components, through Wilson and Hilferty's cube root."""
        error = self.estimates.mean(axis=0) - self.exact
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(self.estimates.T)))
        kept = values > 1e-9 * values[-1]
        freedom = kept.sum()
        ratio = len(self.estimates) * np.sum((vectors[:, kept].T @ error) ** 2 / values[kept]) / freedom
        return float((np.cbrt(ratio) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom)))


def arrays(mdp: nf.TabularMDP) -> tuple:
    return mdp.dense(), mdp.rewards, mdp.termination, mdp.initial_distribution, mdp.gamma, mdp.horizon


def run(mdp, *, n_batches, linear=False, baseline=None, tau=0.0, **settings) -> dict[str, Study]:
    """Estimate gradient, Fisher products and surrogates over many batches; the exact values are the reference's."""
    old, new = policies(mdp, linear=linear)
    vector = np.random.default_rng(2).normal(size=old.n_params)
    found = {name: [] for name in ("gradient", "analytic", "empirical", "surrogate", "surrogate_gradient")}
    for seed in range(n_batches):
        batch = nf.sample_batch(mdp, old, seed=1000 + seed, baseline=baseline, tau=tau, n_threads=1, **settings)
        found["gradient"].append(nf.policy_gradient(old, batch))
        for estimator in ("analytic", "empirical"):
            product = nf.fisher_vector_product(old, batch, vector, estimator=estimator)
            found[estimator].append(batch.effective_horizon * product)
        moved = nf.surrogate(new, batch)
        found["surrogate"].append([moved.value])
        found["surrogate_gradient"].append(moved.gradient)
    features = old.features if linear else None
    true = vectorized.exact_batch(*arrays(mdp), old.probs(), tau)
    pairs, w, horizon = (true["states"], true["actions"]), true["weights"], true["effective_horizon"]
    used = w > 0
    logs = np.where(used, true["log_probs"], 0.0)
    q = vectorized.evaluate(*arrays(mdp), old.probs(), tau)["action_values"].reshape(-1) - tau * logs
    if baseline is not None:
        q = q - np.repeat(np.ravel(baseline), 3)
    exact = {
        "gradient": vectorized.policy_gradient(old.probs(), *pairs, w, true["advantages"], horizon, features),
        "surrogate": [horizon * np.sum((w * np.exp(new.log_prob(*pairs) - logs) * q)[used])],
        "surrogate_gradient": vectorized.surrogate_gradient(new.probs(), logs, *pairs, w, q, horizon, features),
    }
    product = vectorized.fisher_vector_product(old.probs(), *pairs, w, vector, 0.0, features)
    exact["analytic"] = exact["empirical"] = horizon * product
    return {name: Study(np.array(found[name]), np.array(exact[name])) for name in found}


def assert_unbiased(studies: dict[str, Study]) -> None:
    for name, study in studies.items():
        z = study.z_scores()
        assert np.abs(z).max() <= WORST, (name, z)
        if study.estimates.std() > 1e-12:
            assert study.joint_z_score() <= JOINT, name


UNBIASED = {
    "whole_episodes": ({"gamma": 0.9, "ending": True}, {"n_episodes": 8}),
    "whole_episodes_undiscounted": ({"gamma": 1.0, "ending": True}, {"n_episodes": 8}),
    "one_episode": ({"gamma": 0.9, "ending": True}, {"n_episodes": 1}),
    "cut_when_negligible": ({"gamma": 0.5}, {"n_episodes": 4}),
    "geometric": ({"gamma": 0.9}, {"n_episodes": 8, "state_weights": "geometric"}),
    "geometric_ending": ({"gamma": 0.9, "ending": True}, {"n_episodes": 8, "state_weights": "geometric"}),
    "geometric_myopic": ({"gamma": 0.0}, {"n_episodes": 8, "state_weights": "geometric"}),
    "horizon": ({"gamma": 0.9, "horizon": 5}, {"n_episodes": 6}),
    "horizon_undiscounted_ending": ({"gamma": 1.0, "horizon": 4, "ending": True}, {"n_episodes": 6}),
    "horizon_geometric": ({"gamma": 0.8, "horizon": 5}, {"n_episodes": 8, "state_weights": "geometric"}),
    "uniform_undiscounted": ({"gamma": 1.0, "ending": True}, {"n_episodes": 8, "state_weights": "uniform"}),
    "log_linear": ({"gamma": 0.9, "ending": True}, {"n_episodes": 8, "linear": True}),
    "entropy": ({"gamma": 0.9, "ending": True}, {"n_episodes": 8, "tau": 0.5}),
    "entropy_geometric": ({"gamma": 0.9}, {"n_episodes": 8, "tau": 0.5, "state_weights": "geometric"}),
}


@pytest.mark.parametrize(("setting", "sampling"), UNBIASED.values(), ids=UNBIASED.keys())
def test_estimates_are_unbiased_over_whole_episodes(setting, sampling):
    assert_unbiased(run(problem(**setting), n_batches=1000, **sampling))


@pytest.mark.parametrize("weights", ["discounted", "geometric"])
@pytest.mark.parametrize("horizon", [None, 4])
def test_independent_baseline_leaves_estimates_unbiased_and_lowers_the_variance(weights, horizon):
    mdp = problem(gamma=0.9, ending=True, horizon=horizon)
    values = nf.evaluate(mdp, policies(mdp)[0]).values + 0.1
    settings = {"n_batches": 600, "n_episodes": 8, "state_weights": weights}
    with_baseline, without = run(mdp, baseline=values, **settings), run(mdp, **settings)
    assert_unbiased(with_baseline)
    spread, plain = (s["gradient"].estimates.var(axis=0).sum() for s in (with_baseline, without))
    assert spread < plain


@pytest.mark.parametrize("horizon", [None, 4])
def test_exact_baseline_keeps_short_lambdas_unbiased(horizon):
    mdp = problem(gamma=0.9, ending=True, horizon=horizon)
    values = nf.evaluate(mdp, policies(mdp)[0]).values
    assert_unbiased(run(mdp, baseline=values, n_batches=600, n_episodes=8, gae_lambda=0.3))


def test_baseline_objects_and_their_values_mean_the_same():
    mdp = problem(gamma=0.9, ending=True)
    policy, values = policies(mdp)[0], np.array([1.0, -2.0, 0.5, 3.0])
    given = (nf.TabularBaseline(4, values), nf.LinearBaseline(np.eye(4)).fit(range(4), values), values)
    batches = [nf.sample_batch(mdp, policy, n_episodes=20, seed=1, baseline=b) for b in given]
    for batch in batches[1:]:
        np.testing.assert_allclose(batch.advantages, batches[0].advantages, rtol=1e-12, atol=1e-12)


def worst(studies: dict[str, Study]) -> float:
    return max(np.abs(study.z_scores()).max() for study in studies.values())


def test_batches_that_cut_episodes_are_biased():
    mdp = problem(gamma=0.9, ending=True)
    assert np.abs(run(mdp, n_batches=1000, n_steps=4, n_envs=8)["gradient"].z_scores()).max() > BIASED


def test_uniform_state_weights_are_biased():
    studies = run(problem(gamma=0.8, ending=True), n_batches=1000, n_episodes=32, state_weights="uniform")
    for name in ("gradient", "analytic", "empirical"):
        assert np.abs(studies[name].z_scores()).max() > BIASED


def test_short_lambda_with_a_wrong_baseline_is_biased():
    mdp = problem(gamma=0.9, ending=True)
    wrong = run(mdp, baseline=np.array([3.0, -3.0, 0.0, 5.0]), n_batches=600, n_episodes=16, gae_lambda=0.0)
    assert np.abs(wrong["gradient"].z_scores()).max() > BIASED


def test_mean_of_the_effective_horizon_is_exact():
    for setting, sampling in UNBIASED.values():
        mdp = problem(**setting)
        policy = policies(mdp)[0]
        exact = nf.evaluate(mdp, policy).effective_horizon
        kept = {k: v for k, v in sampling.items() if k == "state_weights"}
        lengths = [nf.sample_batch(mdp, policy, seed=s, n_episodes=200, **kept).effective_horizon for s in range(30)]
        error = np.mean(lengths) - exact
        assert abs(error) < 4.5 * np.std(lengths, ddof=1) / np.sqrt(30) + 1e-12


def test_large_sample_approaches_the_exact_direction():
    mdp = problem(gamma=0.9, ending=True)
    policy = policies(mdp)[0]
    exact = nf.natural_gradient(policy, nf.exact_batch(mdp, policy)).direction
    values = nf.evaluate(mdp, policy).values
    batch = nf.sample_batch(mdp, policy, n_episodes=200_000, seed=1, baseline=values)
    for method, estimator in (("closed_form", "analytic"), ("regression", "empirical"), ("cg", "analytic")):
        sampled = nf.natural_gradient(policy, batch, method=method, estimator=estimator).direction
        assert np.linalg.norm(sampled - exact) < 0.03 * np.linalg.norm(exact)
