"""One exact iteration of every algorithm against its NumPy twin, and the statuses of updates that cannot move."""

import numpy as np
import pytest

import npgfast as nf
from npgfast.reference import loops
from npgfast.reference import vectorized as reference


def random_problem(seed, *, n_states=7, n_actions=3, horizon=None, masked=True, gamma=0.9):
    """Sparse random transitions with termination mass, an unreachable state and forbidden actions."""
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.full(n_states - 1, 0.4), size=(n_states, n_actions))
    transitions = np.concatenate([transitions, np.zeros((n_states, n_actions, 1))], axis=2)  # none enters the last
    termination = rng.uniform(0.0, 0.2, (n_states, n_actions))
    mask = rng.random((n_states, n_actions)) < 0.75 if masked else np.ones((n_states, n_actions), bool)
    mask[:, 0] = True
    initial = np.append(rng.dirichlet(np.ones(n_states - 1)), 0.0)
    return nf.TabularMDP(
        transitions * (1.0 - termination[:, :, None]),
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=initial,
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def random_policy(mdp, seed):
    rng = np.random.default_rng(seed)
    return nf.TabularSoftmax(
        mdp.n_states, mdp.n_actions, rng.normal(size=mdp.rewards.size), action_mask=mdp.action_mask
    )


def random_log_linear(mdp, seed, n_params=5):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(mdp.n_states, mdp.n_actions, n_params))
    features[:, :, -1] = features[:, :, 0]  # deficient rank
    return nf.LogLinear(features, rng.normal(size=n_params), action_mask=mdp.action_mask)


def twin(mdp, policy, tau=0.0):
    """The reference's evaluation, with advantages marginalised over time for a stationary policy."""
    values = reference.evaluate(
        mdp.dense(),
        mdp.rewards,
        mdp.termination,
        mdp.initial_distribution,
        mdp.gamma,
        mdp.horizon,
        policy.probs(),
        tau,
    )
    advantages = values["advantages"]
    if mdp.horizon is not None:
        advantages = reference.marginal_advantages(advantages, values["occupancy"])
    return advantages, values["effective_horizon"]


def one_step(agent):
    agent.learn(1)
    return agent.theta[0].reshape(agent.mdp.n_states, agent.mdp.n_actions)


PROBLEMS = [(seed, horizon) for seed in range(4) for horizon in (None, 5)]


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
def test_npg_step_equals_reference(seed, horizon):
    mdp = random_problem(seed, horizon=horizon)
    policy = random_policy(mdp, seed)
    advantages, length = twin(mdp, policy)
    expected = reference.npg_update(
        policy.theta.reshape(mdp.rewards.shape), advantages, length, 0.3, mdp.reachable, mdp.action_mask
    )
    theta = one_step(nf.NaturalPolicyGradient(mdp, policy, step_size=0.3))
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-10)
    assert not mdp.reachable[-1]
    assert theta[-1].tobytes() == policy.theta.reshape(theta.shape)[-1].tobytes()


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
def test_entropy_regularized_npg_step_equals_reference(seed, horizon):
    mdp = random_problem(seed, horizon=horizon)
    policy = random_policy(mdp, seed)
    for step_size in (0.1, 100.0):  # the second is clamped at eta tau L = 1
        advantages, length = twin(mdp, policy, tau=0.2)
        expected = reference.entropy_npg_update(
            policy.theta.reshape(mdp.rewards.shape), advantages, length, step_size, 0.2, mdp.reachable, mdp.action_mask
        )
        agent = nf.NaturalPolicyGradient(mdp, policy, step_size=step_size, tau=0.2)
        np.testing.assert_allclose(one_step(agent), expected, rtol=0, atol=1e-9)
        assert agent.result.history["step_size"][0, 0] <= 1.0 / (0.2 * length) * (1 + 1e-12)


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
def test_soft_policy_iteration_step_equals_reference_and_moves_unreachable_states(seed, horizon):
    mdp = random_problem(seed, horizon=horizon)
    policy = random_policy(mdp, seed)
    advantages, length = twin(mdp, policy)
    shape = mdp.rewards.shape
    expected = reference.softmax(
        reference.soft_policy_iteration_update(policy.theta.reshape(shape), advantages, length, 0.3, mdp.action_mask),
        mdp.action_mask,
    )
    agent = nf.SoftPolicyIteration(mdp, policy, step_size=0.3)
    agent.learn(1)
    reachable = mdp.reachable
    np.testing.assert_allclose(agent.policy.probs()[reachable], expected[reachable], rtol=0, atol=1e-11)
    if mdp.action_mask[-1].sum() > 1:
        assert not np.allclose(agent.policy.probs()[-1], policy.probs()[-1])


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
def test_policy_gradient_steps_equal_reference_in_both_views(seed, horizon):
    mdp = random_problem(seed, horizon=horizon)
    for policy in (random_policy(mdp, seed), random_log_linear(mdp, seed)):
        gradient = nf.policy_gradient(policy, nf.exact_batch(mdp, policy))
        fixed, ball = nf.PolicyGradient(mdp, policy, step_size=0.7), nf.PolicyGradient(mdp, policy, radius=0.7)
        fixed.learn(1)
        ball.learn(1)
        np.testing.assert_allclose(
            fixed.theta[0], reference.pg_update(policy.theta, gradient, step_size=0.7), rtol=0, atol=1e-12
        )
        np.testing.assert_allclose(
            ball.theta[0], reference.pg_update(policy.theta, gradient, radius=0.7), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
@pytest.mark.parametrize("solver", ["auto", "pinv", "cg"])
def test_trpo_step_equals_reference_and_keeps_its_trust_region(seed, horizon, solver):
    mdp = random_problem(seed, horizon=horizon)
    for policy in (random_policy(mdp, seed), random_log_linear(mdp, seed)):
        batch = nf.exact_batch(mdp, policy)
        features = policy.features if isinstance(policy, nf.LogLinear) else None
        theta = policy.theta if features is not None else policy.theta.reshape(mdp.rewards.shape)
        for max_kl in (0.01, 2.0):
            expected, info = reference.trpo_update(
                theta,
                batch.states,
                batch.actions,
                batch.weights,
                batch.advantages,
                batch.effective_horizon,
                max_kl,
                max_backtracks=21,
                features=features,
                mask=mdp.action_mask,
            )
            agent = nf.TRPO(mdp, policy, max_kl=max_kl, solver=solver, rtol=1e-13)
            result = agent.learn(1)
            assert result.history["status"][0, 0] == info["status"] == "ok"
            assert result.history["backtracks"][0, 0] == info["backtracks"]
            np.testing.assert_allclose(agent.theta[0], expected.reshape(-1), rtol=0, atol=1e-7)
            kl = nf.kl_divergence(policy, agent.policy, batch)
            assert kl <= max_kl
            assert result.history["kl"][0, 0] == pytest.approx(kl, rel=1e-10)
            gain = nf.surrogate(agent.policy, batch).value - nf.surrogate(policy, batch).value
            assert gain > 0
            assert result.history["surrogate"][0, 0] == pytest.approx(gain, rel=1e-8)


@pytest.mark.parametrize(("seed", "horizon"), PROBLEMS)
def test_ppo_iterations_equal_reference(seed, horizon):
    mdp = random_problem(seed, horizon=horizon)
    for policy in (random_policy(mdp, seed), random_log_linear(mdp, seed)):
        features = policy.features if isinstance(policy, nf.LogLinear) else None
        settings = {"learning_rate": 0.03, "clip_range": 0.1, "n_epochs": 7, "max_gradient_norm": 0.05}
        agent = nf.PPO(mdp, policy, entropy_coefficient=0.02, adam_epsilon=1e-7, **settings)
        settings["max_grad_norm"] = settings.pop("max_gradient_norm")
        adam, current = None, policy
        for _ in range(3):
            batch = nf.exact_batch(mdp, current)
            theta = current.theta if features is not None else current.theta.reshape(mdp.rewards.shape)
            expected, info = reference.ppo_update(
                theta,
                batch.states,
                batch.actions,
                batch.weights,
                batch.advantages,
                batch.log_probs,
                entropy_coef=0.02,
                adam_eps=1e-7,
                adam_state=adam,
                features=features,
                mask=mdp.action_mask,
                **settings,
            )
            adam = info["adam_state"]
            agent.learn(1)
            np.testing.assert_allclose(agent.theta[0], expected.reshape(-1), rtol=0, atol=1e-9)
            current = agent.policy


@pytest.mark.parametrize("seed", range(4))
def test_conservative_step_equals_reference(seed):
    mdp = random_problem(seed)
    policy = random_policy(mdp, seed)
    advantages, _ = twin(mdp, policy)
    agent = nf.ConservativePolicyIteration(mdp, policy, mixture=0.3)
    agent.learn(1)
    expected = reference.cpi_update(policy.probs(), advantages, 0.3, mdp.action_mask)
    np.testing.assert_allclose(agent.policy.probs(), expected, rtol=0, atol=1e-12)


def test_conservative_step_default_is_the_papers():
    mdp = random_problem(3)
    policy = random_policy(mdp, 3)
    evaluation = nf.evaluate(mdp, policy)
    greedy = np.where(mdp.action_mask, evaluation.advantages, -np.inf).max(axis=1)
    alpha = (1 - mdp.gamma) * (evaluation.occupancy @ greedy) / (4 * mdp.gamma * greedy.max())
    result = nf.ConservativePolicyIteration(mdp, policy).learn(1)
    assert result.history["step_size"][0, 0] == pytest.approx(alpha, rel=1e-9)


def make_agents(mdp, policy=None):
    return [
        nf.PolicyGradient(mdp, policy),
        nf.PolicyGradient(mdp, policy, radius=0.1),
        nf.NaturalPolicyGradient(mdp, policy),
        nf.NaturalPolicyGradient(mdp, policy, step_size=1.0),
        nf.NaturalPolicyGradient(mdp, policy, solver="cg"),
        nf.SoftPolicyIteration(mdp, policy),
        nf.ConservativePolicyIteration(mdp, policy, mixture=0.5),
        nf.TRPO(mdp, policy),
        nf.TRPO(mdp, policy, solver="cg"),
        nf.PPO(mdp, policy),
    ]


def assert_unmoved(agent, status):
    before = agent.theta.tobytes()
    result = agent.learn(2)
    assert (result.history["status"] == status).all(), (agent, result.history["status"])
    assert agent.theta.tobytes() == before, agent
    assert (result.history["kl"] == 0.0).all()


def test_zero_gradient_when_there_is_one_action():
    rng = np.random.default_rng(0)
    mdp = nf.TabularMDP(rng.dirichlet(np.ones(4), (4, 1)), rng.normal(size=(4, 1)), gamma=0.9)
    for agent in make_agents(mdp):
        assert_unmoved(agent, "zero_gradient")


def test_zero_gradient_when_all_actions_are_alike():
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.dirichlet(np.ones(5), (5, 1)), 3, axis=1)
    mdp = nf.TabularMDP(rows, rng.normal(size=5), gamma=0.95)
    policy = nf.TabularSoftmax(5, 3, rng.normal(size=15))
    for agent in make_agents(mdp, policy):
        assert_unmoved(agent, "zero_gradient")


def test_zero_gradient_in_sampled_mode_without_reward():
    rng = np.random.default_rng(2)
    mdp = nf.TabularMDP(rng.dirichlet(np.ones(4), (4, 2)) * 0.8, np.zeros((4, 2)), termination=np.full((4, 2), 0.2))
    for algorithm in (nf.PolicyGradient, nf.NaturalPolicyGradient, nf.SoftPolicyIteration, nf.TRPO, nf.PPO):
        assert_unmoved(algorithm(mdp, mode="sampled", n_episodes=5), "zero_gradient")


def test_failed_line_search_leaves_theta_and_reports_zero_kl():
    mdp = random_problem(5, masked=False)
    policy = random_policy(mdp, 5)  # the full step leaves the trust region, the next one does not
    assert_unmoved(nf.TRPO(mdp, policy, max_kl=0.5, max_backtracks=0), "line_search_failed")
    assert nf.TRPO(mdp, policy, max_kl=0.5, max_backtracks=1).learn(1).history["status"][0, 0] == "ok"


def test_singular_fisher_under_cholesky_has_its_status():
    mdp = random_problem(6)
    for algorithm in (nf.NaturalPolicyGradient, nf.TRPO):
        assert_unmoved(algorithm(mdp, solver="cholesky"), "negative_curvature")
        assert algorithm(mdp, solver="cholesky", damping=1e-3).learn(1).history["status"][0, 0] == "ok"


def test_short_conjugate_gradient_budget_moves_and_says_so():
    mdp = random_problem(7)
    agent = nf.TRPO(mdp, random_policy(mdp, 7), solver="cg", cg_iters=1)
    before = agent.theta
    assert agent.learn(1).history["status"][0, 0] == "cg_max_iterations"
    assert not np.array_equal(agent.theta, before)


@pytest.mark.parametrize("step_size", [np.inf, 1e308])
def test_step_beyond_all_numbers_is_non_finite_and_leaves_theta(step_size):
    mdp = random_problem(8)
    policy = random_policy(mdp, 8)
    for algorithm in (nf.PolicyGradient, nf.NaturalPolicyGradient, nf.SoftPolicyIteration):
        assert_unmoved(algorithm(mdp, policy, step_size=lambda _: 8.0 * step_size), "non_finite")


def test_non_finite_learning_rate_restores_ppo_and_its_moments():
    mdp = random_problem(9)
    agent = nf.PPO(mdp, random_policy(mdp, 9), learning_rate=lambda k: np.inf if k == 1 else 0.05)
    agent.learn(1)
    moments, theta = agent._state.adam_first.tobytes(), agent.theta.tobytes()
    assert agent.learn(1).history["status"][0, 0] == "non_finite"
    assert (agent._state.adam_first.tobytes(), agent.theta.tobytes()) == (moments, theta)
    assert agent.learn(1).history["status"][0, 0] == "ok"


def test_step_to_an_improper_policy_is_taken_back_at_gamma_one():
    """Staying pays 1 a step, so that a huge step makes the policy stay for ever, which has no value."""
    mdp = nf.TabularMDP([[[1.0], [0.0]]], [[1.0, 0.0]], termination=[[0.0, 1.0]])
    for algorithm in (nf.NaturalPolicyGradient, nf.SoftPolicyIteration):
        assert_unmoved(algorithm(mdp, step_size=1e6), "non_finite")


def test_ppo_restores_adam_when_the_new_policy_has_no_value():
    mdp = nf.TabularMDP([[[1.0], [0.0]]], [[1.0, 0.0]], termination=[[0.0, 1.0]])
    agent = nf.PPO(mdp, learning_rate=1e4)
    assert_unmoved(agent, "non_finite")
    assert not agent._state.adam_first.any()
    assert not agent._state.adam_steps.any()


def shuffled(n, seed, iteration, epoch):
    """Fisher-Yates with the draws that the core documents, written from Philox alone."""
    words = (word for block in range(n) for word in loops.philox4x32((block, epoch, 0, iteration << 4 | 3), (seed, 0)))
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j, low = divmod(next(words) * (i + 1), 2**32)
        while low < 2**32 % (i + 1):
            j, low = divmod(next(words) * (i + 1), 2**32)
        order[i], order[j] = order[j], order[i]
    return order


@pytest.mark.parametrize("horizon", [None, 5])
def test_sampled_updates_equal_reference_on_the_same_batch(horizon):
    """The first iteration's batch is sample_batch's with the same seed."""
    mdp = random_problem(11, horizon=horizon)
    policy = random_policy(mdp, 11)
    batch = nf.sample_batch(mdp, policy, n_episodes=50, seed=5)
    arrays = (batch.states, batch.actions, batch.weights, batch.advantages)
    theta = policy.theta.reshape(mdp.rewards.shape)
    sampled = {"mode": "sampled", "seed": 5, "n_episodes": 50}

    agent = nf.TRPO(mdp, policy, damping=0.1, solver="pinv", **sampled)
    agent.learn(1)
    expected, info = reference.trpo_update(
        theta, *arrays, batch.effective_horizon, 0.01, damping=0.1, max_backtracks=21, mask=mdp.action_mask
    )
    assert info["status"] == "ok"
    np.testing.assert_allclose(agent.theta[0], expected.reshape(-1), rtol=0, atol=1e-8)

    agent = nf.PPO(mdp, policy, learning_rate=0.03, n_epochs=3, adam_epsilon=1e-7, **sampled)
    agent.learn(1)
    expected, _ = reference.ppo_update(
        theta, *arrays, batch.log_probs, learning_rate=0.03, n_epochs=3, adam_eps=1e-7, mask=mdp.action_mask
    )
    np.testing.assert_allclose(agent.theta[0], expected.reshape(-1), rtol=0, atol=1e-9)


def test_ppo_minibatches_equal_reference_and_use_every_sample_once_an_epoch():
    mdp = random_problem(12)
    policy = random_policy(mdp, 12)
    batch = nf.sample_batch(mdp, policy, n_episodes=30, seed=5)
    n, size = len(batch), 32
    assert n % size
    advantages = reference.normalize_advantages(batch.advantages, batch.weights)
    theta, adam = policy.theta.reshape(mdp.rewards.shape), None
    for epoch in range(2):
        order = np.array(shuffled(n, 5, 0, epoch))
        assert sorted(order) == list(range(n))
        for begin in range(0, n, size):
            part = order[begin : begin + size]
            theta, info = reference.ppo_update(
                theta,
                batch.states[part],
                batch.actions[part],
                batch.weights[part] * n / part.size,
                advantages[part],
                batch.log_probs[part],
                learning_rate=0.03,
                n_epochs=1,
                entropy_coef=0.01,
                adam_eps=1e-7,
                normalize=False,
                adam_state=adam,
                mask=mdp.action_mask,
            )
            adam = info["adam_state"]
    agent = nf.PPO(
        mdp,
        policy,
        mode="sampled",
        seed=5,
        n_episodes=30,
        learning_rate=0.03,
        n_epochs=2,
        batch_size=size,
        entropy_coefficient=0.01,
        adam_epsilon=1e-7,
    )
    agent.learn(1)
    np.testing.assert_allclose(agent.theta[0], theta.reshape(-1), rtol=0, atol=1e-9)


def test_step_lost_in_rounding_is_not_ok():
    mdp = random_problem(13, masked=False)
    policy = nf.TabularSoftmax(7, 3, np.full(21, 1e20))
    for agent in make_agents(mdp, policy):
        if not isinstance(agent, nf.ConservativePolicyIteration):  # its theta is log pi'
            assert_unmoved(agent, "zero_gradient")


def test_huge_rewards_do_not_overflow_a_step():
    mdp = random_problem(14, masked=False)
    huge = nf.TabularMDP(
        mdp.dense(), mdp.rewards * 1e160, termination=mdp.termination, gamma=mdp.gamma,
        initial_distribution=mdp.initial_distribution,
    )  # fmt: skip
    for settings in ({"max_kl": 0.01}, {"max_kl": 0.01, "solver": "pinv"}):
        for algorithm in (nf.TRPO, nf.NaturalPolicyGradient):
            expected = algorithm(mdp, **settings).learn(1).policy.theta
            result = algorithm(huge, **settings).learn(1)
            assert result.history["status"][0, 0] == "ok"
            np.testing.assert_allclose(result.policy.theta, expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        nf.PPO(huge).learn(1).policy.theta, nf.PPO(mdp).learn(1).policy.theta, rtol=1e-8, atol=1e-12
    )


def test_conjugate_gradients_come_close_to_the_optimum_and_then_say_why_they_stop():
    """Near a deterministic policy F is singular to working precision; CG then refuses instead of following noise."""
    mdp = nf.problems.frozen_lake(gamma=0.99)
    result = nf.NaturalPolicyGradient(mdp, step_size=1.0, solver="cg").learn(300)
    assert result.final("gap")[0] <= 1e-5
    assert (np.diff(result.history["objective"][0]) >= -1e-12).all()
    assert set(result.history["status"][0, -100:]) <= {"negative_curvature", "zero_gradient", "ok"}


def test_sampled_conservative_step_leaves_states_it_has_not_seen():
    mdp = nf.problems.garnet(200, 4, 2, gamma=0.9, seed=0, termination=0.3)
    agent = nf.ConservativePolicyIteration(mdp, mode="sampled", n_episodes=50, mixture=0.2, seed=3)
    agent.learn(1)
    seen = np.unique(nf.sample_batch(mdp, nf.TabularSoftmax(200, 4), n_episodes=50, seed=3).states)
    moved = np.flatnonzero(agent.theta[0].reshape(200, 4).any(axis=1))
    assert moved.size
    assert set(moved) < set(seen)
    assert seen.size < 200


def test_certificates_are_given_only_where_they_hold():
    mdp = nf.problems.garnet(20, 4, 3, gamma=0.9, seed=0)
    for settings in ({"damping": 1e4}, {"solver": "cg"}, {"solver": "cholesky", "damping": 1.0}):
        result = nf.NaturalPolicyGradient(mdp, step_size=10.0, **settings).learn(3, certificates=True)
        assert np.isnan(result.history["bound"]).all()


def test_mask_of_the_policy_decides_what_can_be_reached():
    mdp = nf.TabularMDP(
        [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 1]], [[1, 0, 0], [1, 0, 0]]],
        [[0, 1], [1, 2], [0, 3]],
        initial_distribution=[1, 0, 0],
        gamma=0.9,
    )
    policy = nf.TabularSoftmax(3, 2, action_mask=[[False, True], [True, True], [True, True]])
    batch = nf.exact_batch(mdp, policy)
    assert not batch.weights.reshape(3, 2)[1].any()
    assert not nf.natural_gradient(policy, batch).direction.reshape(3, 2)[1].any()
    agent = nf.NaturalPolicyGradient(mdp, policy, step_size=1.0)
    agent.learn(2)
    assert not agent.theta[0].reshape(3, 2)[1].any()
