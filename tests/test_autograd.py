"""Linear policies against automatic differentiation in PyTorch, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
from linear_problems import ALL, make_batch, make_policy
from numpy.testing import assert_allclose

import npgfast as nf

torch = pytest.importorskip("torch")


def tensor(values):
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def distribution(policy: nf.LinearPolicy, observations: np.ndarray, theta):
    """The policy as a distribution of PyTorch, from its own features and a theta that may require gradients."""
    rows = tensor(policy.features(observations))
    k = policy.n_actions or policy.action_size
    outputs = rows @ theta[: rows.shape[1] * k].reshape(-1, k)
    if policy.n_actions:
        return torch.distributions.Categorical(logits=outputs)
    return torch.distributions.Independent(torch.distributions.Normal(outputs, theta[-k:].exp()), 1)


@ALL
def test_gradients_of_the_surrogate_are_those_of_autograd(kind, n, dim, k):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    theta = tensor(policy.theta).requires_grad_()
    log_probs = distribution(policy, batch.states, theta).log_prob(tensor(batch.actions))
    assert_allclose(policy.log_prob(batch.states, batch.actions), log_probs.detach(), rtol=1e-12, atol=1e-12)
    shares = batch.effective_horizon * tensor(batch.weights)
    ratio, advantages = (log_probs - tensor(batch.log_probs)).exp(), tensor(batch.advantages)
    clipped = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    for values, got in (
        (log_probs * advantages, nf.policy_gradient(policy, batch)),
        (ratio * advantages, nf.surrogate(policy, batch).gradient),
        (clipped, nf.clipped_surrogate(policy, batch).gradient),
    ):
        (expected,) = torch.autograd.grad((shares * values).sum(), theta, retain_graph=True)
        assert_allclose(got, expected, rtol=1e-10, atol=1e-11)


@ALL
def test_fisher_products_are_double_backwards_of_the_divergence(kind, n, dim, k):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    rng = np.random.default_rng(1)
    theta, vector = tensor(policy.theta).requires_grad_(), rng.normal(size=policy.n_params)
    old = distribution(policy, batch.states, theta.detach())
    divergence = torch.distributions.kl_divergence(old, distribution(policy, batch.states, theta))
    (gradient,) = torch.autograd.grad(tensor(batch.weights) @ divergence, theta, create_graph=True)
    assert_allclose(gradient.detach(), 0, atol=1e-13)
    (expected,) = torch.autograd.grad(gradient @ tensor(vector), theta)
    assert_allclose(nf.fisher_vector_product(policy, batch, vector), expected, rtol=1e-10, atol=1e-11)
    assert_allclose(nf.fisher_matrix(policy, batch) @ vector, expected, rtol=1e-10, atol=1e-11)


@ALL
def test_divergences_and_entropies_are_those_of_torch(kind, n, dim, k):
    policy = make_policy(kind, dim, k)
    batch = make_batch(policy, n)
    new = policy.with_theta(policy.theta + 0.3 * np.random.default_rng(2).normal(size=policy.n_params))
    new = new.with_normalizer(nf.Normalizer(np.full(dim, 0.1), np.full(dim, 2.0)))
    old, other = (distribution(p, batch.states, tensor(p.theta)) for p in (policy, new))
    assert_allclose(policy.entropy(batch.states), old.entropy(), rtol=1e-12, atol=1e-13)
    expected = tensor(batch.weights) @ torch.distributions.kl_divergence(old, other)
    assert_allclose(nf.kl_divergence(policy, new, batch), expected, rtol=1e-10, atol=1e-12)
