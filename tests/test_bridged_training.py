"""Agents, rollouts and evaluations on anybody's environments: the modes of autoreset, seeds, continuation, EnvPool."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from observed_problems import bits, policy_bits, told

import npgfast as nf
from npgfast.envs.bridge import environment_seed

MODES = list(AutoresetMode)
LENGTHS = {"steps": {"n_steps": 30}, "episodes": {"n_episodes": 11}}
FIELDS = ("states", "actions", "rewards", "terminated", "truncated", "time", "log_probs", "next_states", "valid")
COPIES = 4
DISCRETE = nf.LinearSoftmax(3, 3, np.linspace(-1.0, 1.0, 12))
CONTINUOUS = nf.LinearGaussian(3, 2, initial_log_std=-0.5)
EVERYTHING = {"normalize_observations": True, "scale_rewards": True}


class Told(gym.vector.VectorWrapper):
    """A wrapper hides that its environments can be reset alone, so that dummy steps follow."""


def vector(mode, continuous=False):
    return SyncVectorEnv([lambda: told(continuous)] * COPIES, autoreset_mode=mode)


def asked(env):
    """What the environments were asked, up to the last step: what is reset after it differs between the modes."""
    logs = [list(single.asked) for single in env.unwrapped.envs]
    for log in logs:
        while isinstance(log[-1], tuple):
            log.pop()
    return logs


def seen(trajectories):
    return [getattr(trajectories, name).tobytes() for name in FIELDS]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
def test_every_autoreset_mode_gives_the_same_batch_and_the_same_update(lengths, continuous):
    policy = CONTINUOUS if continuous else DISCRETE
    rollouts, thetas, logs = [], [], []
    for mode in MODES:
        env = vector(mode, continuous)
        rollouts.append(seen(nf.rollout(env, policy, **LENGTHS[lengths], seed=5)))
        logs.append(asked(env))
        agent = nf.TRPO(vector(mode, continuous), policy, **LENGTHS[lengths], **EVERYTHING, seed=5)
        agent.learn(3)
        thetas.append(policy_bits(agent.policy))
        logs[-1].append(asked(agent.env._env))
    assert rollouts[0] == rollouts[1] == rollouts[2]
    assert thetas[0] == thetas[1] == thetas[2]
    assert logs[0] == logs[1] == logs[2]


def test_dummy_steps_of_an_autoreset_leave_no_trace():
    with_dummies = Told(vector(AutoresetMode.NEXT_STEP))
    episodes = nf.rollout(with_dummies, DISCRETE, n_episodes=11, seed=5)
    assert seen(episodes) == seen(nf.rollout(vector(AutoresetMode.DISABLED), DISCRETE, n_episodes=11, seed=5))
    few = nf.rollout(with_dummies, DISCRETE, n_steps=30, seed=5)
    many = nf.rollout(vector(AutoresetMode.DISABLED), DISCRETE, n_steps=30, seed=5)
    assert few.valid.shape[0] < 30  # the steps that only reset are not counted
    for e in range(COPIES):
        n = int(few.valid[:, e].sum())
        for name in ("states", "actions", "rewards", "time", "log_probs"):
            assert getattr(few, name)[:n, e].tobytes() == getattr(many, name)[:n, e].tobytes()
    agents = [
        nf.TRPO(env, DISCRETE, n_episodes=11) for env in (Told(vector(AutoresetMode.NEXT_STEP)), vector(MODES[2]))
    ]
    assert bits(agents[0].learn(3)) == bits(agents[1].learn(3))
    agent = nf.TRPO(with_dummies, n_steps=1)
    assert (agent.learn(40).history["status"] != "non_finite").all()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_rollout_is_what_a_loop_over_single_environments_sees(lengths):
    trajectories = nf.rollout(vector(AutoresetMode.SAME_STEP, continuous=True), CONTINUOUS, **LENGTHS[lengths], seed=9)
    assert trajectories.actions.max() > 0.5
    for e in range(COPIES):
        env = told(continuous=True)
        observation, _ = env.reset(seed=environment_seed(9, e))
        n, time = int(trajectories.valid[:, e].sum()), 0
        for t in range(n):
            action = trajectories.actions[t, e]
            assert np.array_equal(trajectories.states[t, e], observation)
            assert trajectories.time[t, e] == time
            observation, reward, terminated, truncated, _ = env.step(np.clip(action, -0.5, 0.5))
            assert trajectories.rewards[t, e] == reward
            assert (trajectories.terminated[t, e], trajectories.truncated[t, e]) == (terminated, truncated)
            bootstrapped = (truncated or t == n - 1) and not terminated
            assert np.array_equal(trajectories.next_states[t, e], observation if bootstrapped else [np.nan] * 3, True)
            time += 1
            if terminated or truncated:
                observation, time = env.reset()[0], 0
        log_probs = CONTINUOUS.log_prob(trajectories.states[:n, e], trajectories.actions[:n, e])
        np.testing.assert_allclose(trajectories.log_probs[:n, e], log_probs, rtol=1e-12)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_seed_of_many_equals_single_run_and_calls_may_be_divided(lengths):
    def make(seed=3):
        return nf.PPO(told, seed=seed, n_envs=2, n_epochs=2, batch_size=8, **LENGTHS[lengths], **EVERYTHING)

    whole = make().learn(5, n_seeds=3)
    for k in range(3):
        assert bits(make(3 + k).learn(5))[0] == bits(whole)[k]
    assert len(set(bits(whole))) == 3
    divided = make()
    for n in (2, 1, 2):
        divided.learn(n, n_seeds=3, callback=lambda _: True)
    assert [policy_bits(p) for p in divided.result.policies] == [policy_bits(p) for p in whole.policies]


def test_checkpoint_with_episodes_continues_bit_for_bit(tmp_path):
    def make():
        return nf.PPO(told, n_envs=2, n_episodes=6, n_epochs=2, **EVERYTHING)

    whole = make().learn(5, n_seeds=2)
    agent = make()
    agent.learn(2, n_seeds=2)
    agent.save_checkpoint(tmp_path / "a")
    assert bits(nf.PPO.resume(tmp_path / "a", told).learn(3, n_seeds=2)) == bits(whole, slice(2, None))


def test_checkpoint_with_steps_goes_on_with_new_episodes(tmp_path):
    """SB3#1526, #1643: a resumed run must not play the episodes of its beginning again."""
    agent = nf.TRPO(told, n_envs=2, n_steps=20)
    agent.learn(2)
    agent.save_checkpoint(tmp_path / "a")
    resumed = nf.TRPO.resume(tmp_path / "a", told)
    assert np.array_equal(resumed.theta, agent.theta)
    resumed.learn(1)
    first, again = ([single.asked[0] for single in a.env._env.envs] for a in (agent, resumed))
    assert not set(first) & set(again)
    other = nf.TRPO.resume(tmp_path / "a", told)
    assert np.array_equal(other.learn(1).policy.theta, resumed.theta[0])


def test_evaluation_does_not_touch_what_is_learned():
    plain = nf.TRPO(told, n_envs=2, n_steps=20)
    plain.learn(5)
    for n in (1, 9):
        agent = nf.TRPO(told, n_envs=2, n_steps=20, n_evaluation_episodes=n)
        result = agent.learn(5, keep_best=True)
        assert np.array_equal(agent.theta, plain.theta)
        assert asked(agent.env._env) == asked(plain.env._env)
        assert np.isfinite(result.history["evaluation"]).all()


def test_keep_best_target_steps_and_restarts_end_as_they_should():
    best = nf.TRPO(told, n_envs=2, n_steps=20, n_evaluation_episodes=6, max_kl=0.1, seed=1)
    thetas = []
    result = best.learn(8, keep_best=True, callback=lambda progress: thetas.append(progress.theta[0]))
    assert np.array_equal(result.policy.theta, thetas[int(np.argmax(result.history["evaluation"][0]))])
    goal = float(np.max(result.history["evaluation"]))
    reached = nf.TRPO(told, n_envs=2, n_steps=20, n_evaluation_episodes=6, max_kl=0.1, seed=1).learn(8, target=goal)
    assert reached.n_iterations == 1 + int(np.argmax(result.history["evaluation"][0]))
    steps = nf.TRPO(told, n_envs=2, n_steps=20).learn(total_timesteps=90).history["timesteps"][0]
    assert steps.tolist() == [40.0, 80.0, 120.0]
    agent = nf.TRPO(told, n_envs=2, n_steps=20)
    again = agent.learn(5, target=1e9, restart_after=2)
    entropies = again.history["entropy"][0]
    np.testing.assert_allclose(entropies[[0, 2, 4]], np.log(3.0), rtol=1e-14)
    assert (entropies[[1, 3]] < np.log(3.0) - 1e-9).all()
    resets = [entry for entry in agent.env._env.envs[0].asked if isinstance(entry, tuple) and entry[1] is not None]
    assert len(set(resets)) == len(resets) == 3
    assert not np.array_equal(again.policy.theta, np.zeros(12))


def test_exception_in_an_environment_takes_the_whole_call_back():
    class Failing(type(told())):
        fails = False

        def step(self, action):
            if Failing.fails and len(self.asked) > 100:
                raise KeyboardInterrupt
            return super().step(action)

    agent = nf.TRPO(Failing, n_envs=2, n_steps=20)
    agent.learn(2)
    before = agent.theta
    Failing.fails = True
    with pytest.raises(KeyboardInterrupt):
        agent.learn(50)
    assert agent.result.interrupted
    assert agent.iteration == 2 + agent.result.n_iterations < 10
    assert agent.result.n_iterations > 0 or np.array_equal(agent.theta, before)
    Failing.fails = False
    assert (agent.learn(3).history["status"] == "ok").all()


def test_a_single_environment_is_one_of_a_callable_and_stays_open():
    single = told()
    agent = nf.TRPO(single, n_steps=20)
    agent.learn(3)
    other = nf.TRPO(told, n_steps=20, n_envs=1)
    other.learn(3)
    assert np.array_equal(agent.theta, other.theta)
    assert single.asked == other.env._env.envs[0].asked
    for settings in ({"n_seeds": 2}, {"keep_best": True}, {"target": 1.0}):
        alone = nf.TRPO(told(), n_steps=20)
        with pytest.raises(ValueError, match="env: several seeds"):
            alone.learn(2, **settings)
        assert alone.env._env.envs[0].unwrapped.asked == []
    assert nf.rollout(single, DISCRETE, n_episodes=5, seed=0).valid.shape[1] == 1
    assert nf.evaluate_policy(single, DISCRETE, 5).returns.shape == (5,)
    with pytest.raises(ValueError, match="n_envs=3"):
        nf.rollout(single, DISCRETE, n_steps=5, n_envs=3, seed=0)


def test_evaluation_plays_a_fixed_share_of_the_episodes_in_every_environment():
    """Counting the first episodes to end, wherever they do, over-represents the short ones."""
    for deterministic in (True, False):
        found = nf.evaluate_policy(lambda: told(True), CONTINUOUS, 70, seed=4, deterministic=deterministic).returns
        if not deterministic:
            continue
        expected = []
        for e in range(32):
            env = told(continuous=True)
            for episode in range(3 if e < 70 % 32 else 2):
                env.reset(seed=environment_seed(4, e) if episode == 0 else None)
                rewards, ended = [], False
                while not ended:
                    _, reward, terminated, truncated, _ = env.step(np.zeros(2))
                    rewards.append(reward)
                    ended = terminated or truncated
                expected.append(sum(rewards))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("policy", [nf.LinearSoftmax(4, 2), nf.LinearSoftmax(4, 2, [0, 0, 0, 0, -1, 1, 0, 0.5, 0, 0])])
def test_native_and_bridged_environments_have_the_same_returns(policy):
    native = nf.evaluate_policy(nf.envs.CartPole(), policy, 800, deterministic=False)
    makers = [lambda: nf.envs.CartPole().to_gymnasium(), "CartPole-v1", gym.make_vec("CartPole-v1", num_envs=20)]
    for seed, env in enumerate(makers):
        bridged = nf.evaluate_policy(env, policy, 300, seed=seed, deterministic=False)
        spread = np.hypot(native.standard_error, bridged.standard_error)
        assert abs(native.mean - bridged.mean) < 4.5 * spread


def test_native_and_bridged_runs_learn_the_same():
    lqr = nf.envs.LQR([[0.9]], [[0.5]], [[1.0]], [[0.1]], [[0.01]], time_limit=20)
    policy = nf.LinearGaussian(nf.features.Linear(1, bias=False), 1, initial_log_std=-1.0)
    settings = {"n_episodes": 32, "max_kl": 0.05, "baseline_data": "current"}
    gains = [
        [p.theta[0] for p in nf.TRPO(env, policy, **settings).learn(8, n_seeds=3).policies]
        for env in (lqr, lqr.to_gymnasium)
    ]
    assert np.mean(gains[0]) < -0.3
    assert abs(np.mean(gains[0]) - np.mean(gains[1])) < 4.5 * np.hypot(*np.std(gains, axis=1, ddof=1)) / np.sqrt(3)


def test_ids_are_simulated_where_they_can_be_and_models_are_read():
    assert isinstance(nf.TRPO("CartPole-v1").env, nf.envs.CartPole)
    assert isinstance(nf.TRPO("npgfast/Pendulum-v1", make_kwargs={"g": 9.0}).env, nf.envs.Pendulum)
    assert nf.TRPO("FrozenLake-v1", gamma=0.9).mode == "exact"
    bridged = nf.TRPO(lambda: gym.make("CartPole-v1"))
    assert (bridged.mode, bridged.env.n_envs) == ("sampled", 16)
    assert nf.TRPO(gym.make_vec("CartPole-v1", num_envs=3), n_steps=10).learn(1).final("timesteps")[0] == 30.0


def test_a_class_is_a_callable_like_any_other():
    found = nf.TRPO(type(told()), n_steps=10)
    assert found.env.n_envs == 16
    assert bits(found.learn(2, n_seeds=2)) == bits(nf.TRPO(told, n_steps=10).learn(2, n_seeds=2))
    assert nf.rollout(type(told()), DISCRETE, n_episodes=4, seed=0).valid.shape[1] == 4


def test_predictions_are_clipped_to_the_bounds_behind_a_bridge():
    agent = nf.TRPO(lambda: told(True), CONTINUOUS, n_envs=2, n_steps=5)
    actions = agent.predict(np.zeros((50, 3)))[0]
    assert actions.shape == (50, 2)
    assert (actions.min(), actions.max()) == (-0.5, 0.5)


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")  # EnvPool's spaces
def test_envpool_learns_by_seeds_of_its_own():
    envpool = pytest.importorskip("envpool")
    if not hasattr(envpool, "make_gymnasium"):
        pytest.skip("needs EnvPool's Gymnasium interface")

    def make(seed=0):
        pool = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=3)
        return nf.TRPO(pool, seed=seed, n_steps=20)

    both = make().learn(3, n_seeds=2)
    assert [bits(make(k).learn(3))[0] for k in range(2)] == bits(both)
    pool = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=3)
    policy = nf.LinearSoftmax(4, 2)
    first, second = (nf.rollout(pool, policy, n_episodes=7, seed=2) for _ in range(2))
    assert seen(first) == seen(second)
    assert first.valid.shape[1] == 3
    native = nf.evaluate_policy(nf.envs.CartPole(), policy, 500, deterministic=False)
    pooled = nf.evaluate_policy(pool, policy, 200, deterministic=False)
    assert abs(native.mean - pooled.mean) < 4.5 * np.hypot(native.standard_error, pooled.standard_error)
    assert (make().learn(3, keep_best=True).history["status"] == "ok").all()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_normaliser_with_a_limit_acts_and_learns_with_it(lengths):
    """The first step of PPO sees ratios of exactly 1 only if both have the same policy in mind."""
    policy = DISCRETE.with_normalizer(nf.Normalizer([0.3, 0.1, 0.0], [0.2, 0.1, 0.1], limit=0.5))
    agent = nf.PPO(
        told, policy, n_envs=2, learning_rate=1e-12, n_epochs=1, normalize_observations=True, **LENGTHS[lengths]
    )
    result = agent.learn(4)
    assert np.abs(result.history["kl"]).max() < 1e-9
    assert result.policy.normalizer.limit == 0.5


class Counting(gym.Env):
    """Observations 5, 6, 7, and actions 2, 3: neither counted from 0."""

    observation_space = gym.spaces.Discrete(3, start=5)
    action_space = gym.spaces.Discrete(2, start=2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        return 5, {}

    def step(self, action):
        assert action in (2, 3)
        return 5 + int(self.np_random.integers(3)), float(action == 3), False, bool(self.np_random.random() < 0.1), {}


@pytest.mark.isa_independent
def test_predict_speaks_the_environments_own_numbers():
    agent = nf.TRPO(Counting, n_envs=4, n_steps=50)
    agent.learn(5)
    assert agent.predict(6, deterministic=True) == (3, None)
    assert agent.predict(np.array([5, 7]), deterministic=True)[0].tolist() == [3, 3]
    with pytest.raises(ValueError, match=r"observation 8 outside \[5, 8\)"):
        agent.predict(8)


@pytest.mark.isa_independent
def test_a_bridge_can_be_handed_on():
    bridge = nf.envs.bridge.make_bridge("CartPole-v1", 3)
    agent = nf.TRPO(bridge, n_steps=20)
    agent.learn(1)
    assert nf.evaluate_policy(agent.env, agent.policy, 3).returns.shape == (3,)
    agent.learn(1)
