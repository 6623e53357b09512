"""Agents on simulated environments: bit equality, continuation, ends, interruption, history."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from observed_problems import CART_POLE, CUT, EVERYTHING, LQR, PENDULUM, bits, make_agents, policy_bits

import npgfast as nf

KINDS = list(make_agents())
# The agents whose state has parts of its own: normalisation, scaling, Adam, a baseline fitted to its own batch.
STATEFUL = [name for name in KINDS if name.endswith("steps")]


@pytest.mark.parametrize("kind", KINDS)
def test_seed_of_many_equals_single_run_for_any_number_of_threads(kind):
    many = [bits(make_agents()[kind].learn(4, n_seeds=5, n_threads=n_threads)) for n_threads in (1, 2, 3)]
    assert many[0] == many[1] == many[2]
    assert len(set(many[0])) == 5
    for k in (0, 4):
        for n_threads in (1, 4):  # with fewer seeds than threads, the environments share those
            assert bits(make_agents(seed=3 + k)[kind].learn(4, n_threads=n_threads))[0] == many[0][k]


@pytest.mark.parametrize("kind", KINDS)
def test_division_into_calls_and_resumption_change_nothing(kind, tmp_path):
    whole = make_agents()[kind].learn(7, n_seeds=2)
    assert bits(make_agents()[kind].learn(7, n_seeds=2, callback=lambda _: True)) == bits(whole)
    agent = make_agents()[kind]
    agent.learn(3, n_seeds=2)
    agent.save_checkpoint(tmp_path / "agent")
    resumed = type(agent).resume(tmp_path / "agent", agent.env)
    for half in (agent, resumed):
        second = half.learn(4, n_seeds=2)
        for one, other in zip(bits(second), bits(whole, slice(3, None)), strict=True):
            assert one == other
        assert half.iteration == 7
    assert {name: a.tobytes() for name, a in agent._state.arrays().items() if name != "seconds"} == {
        name: a.tobytes() for name, a in resumed._state.arrays().items() if name != "seconds"
    }


def test_environments_stand_in_the_middle_of_an_episode_between_calls():
    agent = nf.TRPO(PENDULUM, **CUT)
    agent.learn(1)
    assert (agent._state.environments[0, :, 0] == 25).all()
    agent.learn(1)
    assert (agent._state.environments[0, :, 0] == 10).all()
    agent = nf.TRPO(PENDULUM, n_steps=40)
    agent.learn(1)
    assert (agent._state.environments[0, :, 0] == -1).all()


@pytest.mark.parametrize("kind", STATEFUL)
def test_evaluation_does_not_touch_what_is_learned(kind):
    plain = make_agents()[kind].learn(6, n_seeds=2)
    for settings in ({"keep_best": True}, {"target": 1e9}):
        for n in (1, 7):
            agent = make_agents()[kind]
            agent = type(agent)(agent.env, **{**agent._settings, "n_evaluation_episodes": n})
            result = agent.learn(6, n_seeds=2, **settings)
            assert np.array_equal(agent.theta, [p.theta for p in plain.policies])
            for name, values in result.history.items():
                if name not in ("evaluation", "seconds"):
                    assert values.tobytes() == plain.history[name].tobytes()


@pytest.mark.parametrize("normalize", [False, True])
def test_keep_best_hands_out_the_best_iterate(normalize):
    """Its evaluation is reproduced by the policy that is handed out, normalisation included."""
    settings = {"n_steps": 60, "n_envs": 4, "max_kl": 0.1, "n_evaluation_episodes": 5, "seed": 2}
    agent = nf.TRPO(CART_POLE, **settings, normalize_observations=normalize)
    result = agent.learn(12, n_seeds=3, keep_best=True)
    for k in range(3):
        best = np.nanmax(result.history["evaluation"][k])
        again = nf.evaluate_policy(CART_POLE, result.policies[k], 5, seed=2 + k, deterministic=True)
        assert again.mean == pytest.approx(best, rel=1e-14)
    last = agent._task.policy_at(agent._policy, agent._state.theta[0], agent._state.observation_moments[0])
    assert policy_bits(agent.policy) == policy_bits(last)
    assert agent.learn(1, n_seeds=3).n_iterations == 1


def test_evaluations_are_those_of_every_policy_or_given_up_behind_the_best():
    agent = nf.TRPO(
        CART_POLE, n_steps=60, n_envs=4, max_kl=0.1, n_evaluation_episodes=4, evaluate_deterministically=False
    )
    seen = []
    result = agent.learn(25, keep_best=True, callback=lambda progress: seen.append(progress.theta[0]))
    best = -np.inf
    for theta, evaluation in zip(seen, result.history["evaluation"][0], strict=True):
        mean = nf.evaluate_policy(CART_POLE, agent.policy.with_theta(theta), 4, deterministic=False).mean
        assert np.isnan(evaluation) or evaluation == pytest.approx(mean, rel=1e-14)
        assert not np.isnan(evaluation) or best > -np.inf
        best = np.fmax(best, evaluation)
    assert best > result.history["evaluation"][0, 0]


def test_target_ends_each_seed_by_itself():
    def make(seed):
        return nf.TRPO(CART_POLE, seed=seed, n_steps=60, n_envs=8, max_kl=0.1, n_evaluation_episodes=4)

    result = make(0).learn(60, n_seeds=4, target=55.0)
    done = np.sum(~np.isnan(result.history["timesteps"]), axis=1)
    assert len(set(done)) > 1
    assert (result.final("evaluation") >= 55.0).all()
    for k in range(4):
        assert not (result.history["evaluation"][k, : done[k] - 1] >= 55.0).any()
        assert (result.history["status"][k, done[k] :] == "").all()
        alone = make(k).learn(60, target=55.0)
        assert (alone.n_iterations, policy_bits(alone.policy)) == (done[k], policy_bits(result.policies[k]))


def test_restart_begins_from_the_first_policy_on_draws_of_its_own():
    def make():
        return nf.PPO(CART_POLE, n_epochs=1, **CUT, **EVERYTHING)

    first = make().learn(3, target=1e9)
    agent = make()
    result = agent.learn(7, target=1e9, restart_after=3)
    for name in ("kl", "status"):
        assert (result.history[name][0, :3] == first.history[name][0]).all()
    np.testing.assert_allclose(result.history["entropy"][0, [0, 3, 6]], np.log(2.0), rtol=1e-14)
    assert (result.history["entropy"][0, [1, 2, 4, 5]] < np.log(2.0) - 1e-9).all()
    assert result.history["kl"][0, 0] != result.history["kl"][0, 3]
    assert agent._state.started_at[0] == 6
    assert (np.diff(result.history["timesteps"][0]) == 75).all()
    divided = make()
    for n in (2, 1, 4):
        divided.learn(n, target=1e9, restart_after=3)
    assert policy_bits(divided.policy) == policy_bits(result.policy)


def test_restart_never_takes_back_what_is_handed_out():
    start = nf.TRPO(CART_POLE, **CUT).theta
    for settings in ({"target": 1e9, "restart_after": 2}, {"target": 1.0, "restart_after": 1}):
        agent = nf.TRPO(CART_POLE, **CUT)
        result = agent.learn(2, **settings)
        assert not np.array_equal(result.policy.theta, start[0])
    learned = agent.theta  # the target was reached: the next call goes on from it
    agent.learn(1, target=1e9, restart_after=1)
    other = nf.TRPO(CART_POLE, **CUT)
    other.learn(1)
    assert np.array_equal(other.theta, learned)
    other.learn(1)
    assert np.array_equal(agent.theta, other.theta)


def test_total_timesteps_finish_each_seed_by_itself():
    agent = nf.TRPO(CART_POLE, n_episodes=6)
    first = agent.learn(total_timesteps=500, n_seeds=3).history["timesteps"]
    for k in range(3):
        steps = first[k][~np.isnan(first[k])]
        assert steps[-1] >= 500 > (steps[-2] if steps.size > 1 else 0)
    assert (agent.learn(total_timesteps=500, n_seeds=3).final("timesteps") >= 500 + np.nanmax(first, axis=1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_history_has_its_shapes_and_says_nothing_where_nothing_is_known(kind):
    result = make_agents()[kind].learn(5, n_seeds=2)
    assert all(values.shape == (2, 5) for values in result.history.values())
    assert all(values.shape == (2,) for values in result.initial.values())
    for name in ("objective", "regularized_objective", "gap", "regularized_gap", "evaluation"):
        assert np.isnan(result.history[name]).all()
    for name in ("kl", "entropy", "timesteps", "effective_horizon", "explained_variance", "gradient_norm", "seconds"):
        assert np.isfinite(result.history[name]).all(), name
    assert (result.history["status"] == "ok").all()
    assert (result.history["kl"] > 0.0).all()
    assert (np.diff(result.history["timesteps"], axis=1) > 0).all()
    assert (result.optimum, result.regularized_optimum) == (None, None)
    assert np.isnan(result.final("return_mean")).sum() == np.isnan(result.history["return_mean"][:, -1]).sum()
    assert np.isnan(nf.TRPO(PENDULUM, n_steps=5).learn(2).history["return_mean"]).all()
    if "episodes" in kind:
        assert np.isfinite(result.history["return_mean"]).all()


@pytest.mark.parametrize("make", [nf.SoftPolicyIteration, nf.ConservativePolicyIteration])
@pytest.mark.parametrize("env", [CART_POLE, LQR, "CartPole-v1", "MountainCarContinuous-v0"], ids=repr)
def test_tabular_algorithms_refuse_environments_without_a_model(make, env):
    with pytest.raises(TypeError, match=f"env: {make.__name__} needs a tabular problem"):
        make(env)


def test_predict_is_reproducible_clipped_and_shaped():
    agents = [nf.TRPO(PENDULUM, nf.LinearGaussian(3, 1, initial_log_std=2.0), seed=4) for _ in range(2)]
    one, many = np.zeros(3), np.zeros((50, 3))
    draws = [[agent.predict(one)[0] for _ in range(20)] for agent in agents]
    assert np.array_equal(draws[0], draws[1])
    assert draws[0][0].shape == (1,)
    assert len(np.unique(draws[0])) > 5
    actions, state = agents[0].predict(many)
    assert (actions.shape, state) == ((50, 1), None)
    assert np.abs(actions).max() == 2.0
    assert agents[0].predict(many, deterministic=True)[0].tolist() == np.zeros((50, 1)).tolist()
    cart = nf.TRPO(CART_POLE)
    assert isinstance(cart.predict(np.zeros(4))[0], int)
    assert cart.predict(np.zeros((7, 4)))[0].shape == (7,)
    for wrong in (0, np.zeros(3), np.zeros((2, 3)), [[np.nan] * 4], "left"):
        with pytest.raises((TypeError, ValueError), match="observations"):
            cart.predict(wrong)


def test_saved_agents_predict_what_they_would_have_predicted(tmp_path):
    agent = nf.TRPO(CART_POLE, **CUT, **EVERYTHING)
    agent.learn(2)
    agent.predict(np.zeros(4))
    agent.save(tmp_path / "a")
    again = nf.TRPO.load(tmp_path / "a", env=CART_POLE)
    observations = np.random.default_rng(0).normal(size=(100, 4))
    assert np.array_equal(agent.predict(observations)[0], again.predict(observations)[0])
    assert policy_bits(agent.policy) == policy_bits(again.policy)
    for wrong in (PENDULUM, LQR):
        with pytest.raises(ValueError, match=r"env: |policy: "):
            nf.TRPO.load(tmp_path / "a", env=wrong)
    with pytest.raises(ValueError, match=r"gamma|env"):
        nf.TRPO.load(tmp_path / "a", env=nf.envs.MountainCar())


def test_result_is_a_table_a_file_and_a_value(tmp_path):
    pandas = pytest.importorskip("pandas")
    result = nf.TRPO(CART_POLE, n_episodes=3).learn(total_timesteps=200, n_seeds=3)
    table = result.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert len(table) == int(np.sum(~np.isnan(result.history["timesteps"])))
    assert table.groupby("seed")["timesteps"].last().tolist() == result.final("timesteps").tolist()
    result.save(tmp_path / "result")
    arrays, metadata = nf.storage.load(tmp_path / "result", "result")
    assert arrays["history.kl"].tobytes() == result.history["kl"].tobytes()
    assert arrays["theta"].tobytes() == np.array([p.theta for p in result.policies]).tobytes()
    assert (metadata["optimum"], metadata["algorithm"]) == (None, "TRPO")
    assert bits(pickle.loads(pickle.dumps(result))) == bits(result)


def test_callback_that_raises_leaves_a_whole_agent():
    def fail(progress):
        if progress.iteration == 3:
            raise KeyboardInterrupt

    for kind in STATEFUL:
        agent = make_agents()[kind]
        with pytest.raises(KeyboardInterrupt):
            agent.learn(10, n_seeds=2, callback=fail)
        assert agent.result.interrupted
        assert agent.iteration == agent.result.n_iterations == 3
        agent.learn(2, n_seeds=2)
        assert np.array_equal(agent.theta, [p.theta for p in make_agents()[kind].learn(5, n_seeds=2).policies])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_interrupt_in_the_core_leaves_a_whole_agent():
    def handler(_signum, _frame):
        raise KeyboardInterrupt

    agent = nf.TRPO(nf.envs.Pendulum(), n_steps=400, n_envs=16)
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            agent.learn(10**6, n_seeds=4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert agent.iteration == agent.result.n_iterations
    if agent.iteration:
        again = nf.TRPO(nf.envs.Pendulum(), n_steps=400, n_envs=16).learn(agent.iteration, n_seeds=4)
        assert [policy_bits(p) for p in again.policies] == [policy_bits(p) for p in agent.result.policies]


@pytest.mark.isa_independent
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("env", ['"CartPole-v1"', 'lambda: gymnasium.make("CartPole-v1")'], ids=["native", "bridged"])
def test_ctrl_c_in_a_script_is_a_keyboard_interrupt(env):
    script = textwrap.dedent(
        f"""
        import gymnasium, npgfast as nf
        agent = nf.TRPO({env}, n_steps=50)
        agent.learn(1)
        print("ready", flush=True)
        try:
            agent.learn(10**6)
        except KeyboardInterrupt:
            print("stopped", agent.iteration > 1, agent.result.interrupted, flush=True)
            agent.learn(1)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "stopped True True\n"
    assert process.returncode == 0
