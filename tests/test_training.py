"""Runs over many seeds: bit equality, continuation, ends, callbacks, interruption and what a caller can get wrong."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import npgfast as nf
from npgfast.schedules import Geometric, Linear

LAKE = nf.problems.frozen_lake(gamma=0.99)
TIMED = nf.problems.frozen_lake(gamma=1.0, horizon=30)


def make_agents(seed=7, mdp=LAKE):
    """One of each algorithm and kind of sampling, small."""
    episodes = {"mode": "sampled", "seed": seed, "n_episodes": 40}
    return [
        nf.PolicyGradient(mdp, **episodes),
        nf.NaturalPolicyGradient(mdp, step_size=0.2, damping=0.1, **episodes),
        nf.NaturalPolicyGradient(mdp, solver="cg", cg_iters=5, tau=0.01, **episodes),
        nf.SoftPolicyIteration(mdp, step_size=0.2, **episodes),
        nf.ConservativePolicyIteration(mdp, mixture=0.1, **episodes),
        nf.TRPO(mdp, damping=0.1, gae_lambda=0.9, **episodes),
        nf.TRPO(mdp, mode="sampled", seed=seed, n_steps=50, n_envs=8, state_weights="uniform"),
        nf.TRPO(mdp, mode="sampled", seed=seed, n_steps=50, n_envs=8, state_weights="geometric", baseline=None),
        nf.PPO(mdp, batch_size=64, n_epochs=2, entropy_coefficient=Linear(0.1, 0.0, 4), **episodes),
        nf.TRPO(mdp, seed=seed),
    ]


def bits(result, *, seconds=False):
    """Everything a result says, as bytes per seed; the seconds apart."""
    rows = []
    for k in range(result.n_seeds):
        history = [v[k].tobytes() for name, v in result.history.items() if seconds or name != "seconds"]
        rows.append((*history, result.policies[k].theta.tobytes()))
    return rows


@pytest.mark.parametrize("mdp", [LAKE, TIMED], ids=["discounted", "horizon"])
@pytest.mark.parametrize("index", range(10))
def test_seed_of_many_equals_single_run_for_any_number_of_threads(mdp, index):
    many = [bits(make_agents(mdp=mdp)[index].learn(4, n_seeds=64, n_threads=n_threads)) for n_threads in (1, 2, 3)]
    assert many[0] == many[1] == many[2]
    for k in (0, 1, 63):
        for n_threads in (1, 2):
            single = make_agents(seed=7 + k, mdp=mdp)[index].learn(4, n_threads=n_threads)
            assert bits(single)[0] == many[0][k]
    if make_agents()[index].mode == "sampled":
        assert many[0][0] != many[0][1]


@pytest.mark.parametrize("index", range(10))
def test_division_into_calls_and_resumption_change_nothing(index, tmp_path):
    whole = make_agents()[index].learn(7, n_seeds=3)
    seen = []
    watched = make_agents()[index].learn(7, n_seeds=3, callback=seen.append)
    assert bits(watched) == bits(whole)
    assert [progress.iteration for progress in seen] == list(range(1, 8))
    assert [progress.history["objective"][2] for progress in seen] == list(whole.history["objective"][2])

    agent = make_agents()[index]
    first = agent.learn(3, n_seeds=3)
    path = tmp_path / "agent.safetensors"
    agent.save_checkpoint(path)
    resumed = type(agent).resume(path, LAKE)
    for half in (agent, resumed):
        second = half.learn(4, n_seeds=3)
        assert [p.theta.tobytes() for p in second.policies] == [p.theta.tobytes() for p in whole.policies]
        for name in ("objective", "kl", "timesteps", "return_mean"):
            joined = np.concatenate([first.history[name], second.history[name]], axis=1)
            assert joined.tobytes() == whole.history[name].tobytes()
        assert half.iteration == 7


def test_seed_seven_today_equals_seed_seven_tomorrow():
    """The integers of a run do not depend on rounding: the actions that TRPO's uniform first policy takes."""
    agent = nf.TRPO(LAKE, mode="sampled", seed=7, n_episodes=1000)
    result = agent.learn(1)
    assert result.history["timesteps"][0, 0] == 7668.0
    assert result.history["return_mean"][0, 0] == pytest.approx(0.013, abs=0.006)


def test_total_timesteps_finish_each_seed_by_itself():
    agent = nf.TRPO(LAKE, mode="sampled", n_episodes=30)
    result = agent.learn(total_timesteps=2000, n_seeds=5)
    steps = result.history["timesteps"]
    for k in range(5):
        done = int(np.sum(~np.isnan(steps[k])))
        assert steps[k, done - 1] >= 2000 > (steps[k, done - 2] if done > 1 else 0)
        assert (result.history["status"][k, done:] == "").all()
        alone = nf.TRPO(LAKE, mode="sampled", n_episodes=30, seed=k).learn(total_timesteps=2000)
        assert alone.policies[0].theta.tobytes() == result.policies[k].theta.tobytes()
    assert (result.final("timesteps") >= 2000).all()


def test_target_ends_a_seed_that_reaches_it():
    result = nf.TRPO(LAKE, max_kl=0.1).learn(50, target=0.5)
    objectives = result.history["objective"][0]
    assert objectives[-1] >= 0.5
    assert (objectives[:-1] < 0.5).all()
    assert result.n_iterations < 50


def test_keep_best_hands_out_the_best_iterate():
    agent = nf.NaturalPolicyGradient(LAKE, mode="sampled", max_kl=0.05, n_episodes=50)
    result = agent.learn(40, n_seeds=4, keep_best=True)
    best = np.maximum(result.history["objective"].max(axis=1), result.initial["objective"])
    found = [nf.evaluate(LAKE, policy).objective for policy in result.policies]
    np.testing.assert_allclose(found, best, rtol=1e-12)
    assert (best > result.final("objective")).any()


def test_history_is_what_the_policies_say():
    agent = nf.TRPO(LAKE, tau=0.01, max_kl=0.05)
    seen = []
    result = agent.learn(5, callback=lambda progress: seen.append(agent_policy(agent, progress)))
    for k, policy in enumerate(seen):
        plain, regularized = nf.evaluate(LAKE, policy), nf.evaluate(LAKE, policy, tau=0.01)
        assert result.history["objective"][0, k] == pytest.approx(plain.objective, abs=1e-13)
        assert result.history["regularized_objective"][0, k] == pytest.approx(regularized.objective, abs=1e-13)
        assert result.history["entropy"][0, k] == pytest.approx(plain.occupancy @ policy.entropy(), abs=1e-12)
        assert result.history["effective_horizon"][0, k] == pytest.approx(plain.effective_horizon, rel=1e-12)
    np.testing.assert_allclose(
        result.history["gap"], nf.solve(LAKE).objective - result.history["objective"], rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(
        result.history["regularized_gap"],
        nf.solve(LAKE, tau=0.01).objective - result.history["regularized_objective"],
        rtol=0,
        atol=1e-13,
    )
    assert result.initial["objective"][0] == pytest.approx(0.012356137325, abs=1e-11)


def agent_policy(agent, progress):
    return agent.policy.with_theta(progress.theta[0])


def test_callback_ends_a_run_by_false_and_leaves_a_whole_agent_when_it_raises():
    agent = nf.TRPO(LAKE)
    assert agent.learn(20, callback=lambda progress: progress.iteration < 3).n_iterations == 3

    def fail(progress):
        if progress.iteration == 5:
            message = "enough"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="enough"):
        agent.learn(20, callback=fail)
    assert agent.iteration == 5
    assert agent.result.interrupted
    agent.learn(2)
    other = nf.TRPO(LAKE)
    other.learn(7)
    assert other.theta.tobytes() == agent.theta.tobytes()


def interrupted_run(make, arguments):
    """Seconds from an alarm to the exception that ends the run, and the agent it leaves."""
    agent = make()

    def handler(_signum, _frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    sent = time.perf_counter() + 0.2
    try:
        with pytest.raises(KeyboardInterrupt):
            agent.learn(**arguments)
        return time.perf_counter() - sent, agent
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


LONG_RUNS = {
    "one long iteration": (
        lambda: nf.TRPO(LAKE, mode="sampled", n_steps=4_000_000, n_envs=32),
        {"n_iterations": 1},
    ),
    "many seeds": (lambda: nf.TRPO(LAKE, mode="sampled", n_episodes=1000), {"n_iterations": 10_000, "n_seeds": 64}),
    "exact": (lambda: nf.PPO(nf.problems.garnet(3000, 4, 3, gamma=0.99, seed=0)), {"n_iterations": 10_000}),
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
@pytest.mark.parametrize("kind", LONG_RUNS)
def test_interrupt_arrives_within_a_tenth_of_a_second_and_leaves_a_valid_agent(kind):
    make, arguments = LONG_RUNS[kind]
    latency = np.inf
    for _ in range(5):  # the machine may be busy with something else once
        seconds, agent = interrupted_run(make, arguments)
        latency = min(latency, seconds)
        if latency <= 0.1:
            break
    assert latency <= 0.1
    result = agent.result
    assert result.interrupted
    assert result.n_iterations == agent.iteration
    assert np.isfinite(agent.theta).all()
    if agent.iteration:
        again = make().learn(agent.iteration, n_seeds=arguments.get("n_seeds", 1))
        assert again.policies[-1].theta.tobytes() == result.policies[-1].theta.tobytes()


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, [1, 7]), (0.06, [1, 4, 3])])
def test_what_ctrl_c_can_lose_is_an_iteration_then_four_or_a_tenth_of_a_second(seconds, expected, monkeypatch):
    agent = nf.NaturalPolicyGradient(LAKE)
    run, lengths = agent._task.run, []

    def slow_run(*arguments):
        lengths.append(arguments[4])
        time.sleep(seconds * arguments[4])
        return run(*arguments)

    monkeypatch.setattr(agent._task, "run", slow_run)
    agent.learn(8)
    assert lengths == expected


@pytest.mark.isa_independent
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_in_a_script_is_a_keyboard_interrupt():
    script = textwrap.dedent(
        """
        import npgfast as nf
        agent = nf.TRPO(nf.problems.frozen_lake(gamma=0.99), mode="sampled", n_episodes=2000)
        print("ready", flush=True)
        try:
            agent.learn(10**6, n_seeds=8)
        except KeyboardInterrupt:
            print("stopped", agent.iteration > 0, agent.result.interrupted, flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.7)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "stopped True True\n"


def test_result_to_pandas_final_and_save(tmp_path):
    pandas = pytest.importorskip("pandas")
    result = nf.TRPO(LAKE, mode="sampled", n_episodes=20).learn(total_timesteps=600, n_seeds=3)
    table = result.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert len(table) == int(np.sum(~np.isnan(result.history["objective"])))
    last = table.groupby("seed")["objective"].last().to_numpy()
    assert last.tobytes() == result.final("objective").tobytes()
    result.save(tmp_path / "result.safetensors")
    arrays, metadata = nf.storage.load(tmp_path / "result.safetensors", "result")
    assert arrays["history.objective"].tobytes() == result.history["objective"].tobytes()
    assert metadata["algorithm"] == "TRPO"


def test_schedules_reach_the_updates_and_survive_a_checkpoint(tmp_path):
    agent = nf.NaturalPolicyGradient(LAKE, step_size=Geometric(0.1, 2.0))
    agent.learn(2)
    agent.save_checkpoint(tmp_path / "a")
    again = nf.NaturalPolicyGradient.load(tmp_path / "a", env=LAKE)
    np.testing.assert_allclose(again.learn(2).history["step_size"][0], [0.4, 0.8])
    with pytest.raises(TypeError, match="step_size: a plain function"):
        nf.NaturalPolicyGradient(LAKE, step_size=lambda k: 1.0 + k).save_checkpoint(tmp_path / "b")


def test_resume_refuses_what_does_not_fit(tmp_path):
    nf.TRPO(LAKE).save_checkpoint(tmp_path / "a")
    with pytest.raises(nf.CheckpointError, match="TRPO, not PPO"):
        nf.PPO.resume(tmp_path / "a", LAKE)
    with pytest.raises(ValueError, match="gamma"):
        nf.TRPO.resume(tmp_path / "a", LAKE.replace(gamma=0.9))
    with pytest.raises(ValueError, match="states"):
        nf.TRPO.resume(tmp_path / "a", nf.problems.two_state(gamma=0.99))


def test_predict_is_reproducible_and_follows_the_policy():
    agents = [nf.TRPO(LAKE, seed=3) for _ in range(2)]
    draws = [[agent.predict(14)[0] for _ in range(200)] for agent in agents]
    assert draws[0] == draws[1]
    assert set(draws[0]) == {0, 1, 2, 3}
    agents[0].learn(30)
    greedy, state = agents[0].predict(np.arange(16), deterministic=True)
    assert state is None
    np.testing.assert_array_equal(greedy, agents[0].policy.mode())


def test_policies_and_results_are_values():
    result = nf.TRPO(LAKE).learn(2)
    again = pickle.loads(pickle.dumps(result))
    assert again.policy == result.policy
    agent = pickle.loads(pickle.dumps(nf.TRPO(LAKE)))
    assert agent.learn(2).policy == result.policy


BAD_ARGUMENTS = [
    (lambda: nf.TRPO(3.5), (TypeError, ValueError), "env"),
    (lambda: nf.TRPO(LAKE, nf.TabularSoftmax(3, 4)), ValueError, "policy"),
    (lambda: nf.TRPO(LAKE, gamma=0.5), ValueError, "gamma"),
    (lambda: nf.TRPO(LAKE, mode="both"), ValueError, "mode"),
    (lambda: nf.TRPO(LAKE, seed=-1), ValueError, "seed"),
    (lambda: nf.TRPO(LAKE, seed=True), TypeError, "seed"),
    (lambda: nf.TRPO(LAKE, seed=2**64), ValueError, "seed"),
    (lambda: nf.TRPO(LAKE, max_kl=0.0), ValueError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl=-1.0), ValueError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl=float("nan")), ValueError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl=float("inf")), ValueError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl="big"), TypeError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl=lambda _: float("nan")).learn(1), ValueError, "max_kl"),
    (lambda: nf.TRPO(LAKE, max_kl=lambda _: "x").learn(1), TypeError, "max_kl"),
    (lambda: nf.TRPO(LAKE, backtrack_factor=1.0), ValueError, "backtrack_factor"),
    (lambda: nf.TRPO(LAKE, max_backtracks=-1), ValueError, "max_backtracks"),
    (lambda: nf.TRPO(LAKE, solver="magic"), ValueError, "solver"),
    (lambda: nf.TRPO(LAKE, damping=-0.1), ValueError, "damping"),
    (lambda: nf.TRPO(LAKE, cg_iters=0), ValueError, "cg_iters"),
    (lambda: nf.TRPO(LAKE, tau=-1.0), ValueError, "tau"),
    (lambda: nf.TRPO(LAKE, n_episodes=3), ValueError, "n_episodes"),
    (lambda: nf.TRPO(LAKE, mode="sampled", n_episodes=0), ValueError, "n_episodes"),
    (lambda: nf.TRPO(LAKE, mode="sampled", n_episodes=3, n_steps=3), ValueError, "n_steps"),
    (lambda: nf.TRPO(LAKE, mode="sampled", n_envs=3), ValueError, "n_envs"),
    (lambda: nf.TRPO(LAKE, mode="sampled", gae_lambda=1.5), ValueError, "gae_lambda"),
    (lambda: nf.TRPO(LAKE, mode="sampled", state_weights="flat"), ValueError, "state_weights"),
    (lambda: nf.TRPO(LAKE, mode="sampled", baseline="neural"), ValueError, "baseline"),
    (lambda: nf.PPO(LAKE, clip_range=0.0), ValueError, "clip_range"),
    (lambda: nf.PPO(LAKE, clip_range=1.0), ValueError, "clip_range"),
    (lambda: nf.PPO(LAKE, n_epochs=0), ValueError, "n_epochs"),
    (lambda: nf.PPO(LAKE, n_epochs=1e3), TypeError, "n_epochs"),
    (lambda: nf.PPO(LAKE, batch_size=8), ValueError, "batch_size"),
    (lambda: nf.PPO(LAKE, mode="sampled", batch_size=0), ValueError, "batch_size"),
    (lambda: nf.PPO(LAKE, learning_rate=0.0), ValueError, "learning_rate"),
    (lambda: nf.PPO(LAKE, entropy_coefficient=-1.0), ValueError, "entropy_coefficient"),
    (lambda: nf.PPO(LAKE, adam_betas=(0.9, 1.0)), ValueError, "adam_betas"),
    (lambda: nf.PPO(LAKE, adam_betas=0.9), TypeError, "adam_betas"),
    (lambda: nf.ConservativePolicyIteration(LAKE, mixture=1.5), ValueError, "mixture"),
    (lambda: nf.ConservativePolicyIteration(LAKE.replace(gamma=1.0)), ValueError, "mixture"),
    (lambda: nf.SoftPolicyIteration(LAKE, step_size=0.0), ValueError, "step_size"),
    (lambda: nf.SoftPolicyIteration(LAKE, nf.LogLinear(np.ones((16, 4, 2)))), TypeError, "policy"),
    (lambda: nf.NaturalPolicyGradient(LAKE, nf.LogLinear(np.ones((16, 4, 2))), solver="closed_form").learn(1),
     ValueError, "closed_form"),
    (lambda: nf.TRPO(LAKE).learn(0), ValueError, "n_iterations"),
    (lambda: nf.TRPO(LAKE).learn(2.0), TypeError, "n_iterations"),
    (lambda: nf.TRPO(LAKE).learn(2**63), ValueError, "n_iterations"),
    (lambda: nf.TRPO(LAKE).learn(2, n_seeds=0), ValueError, "n_seeds"),
    (lambda: nf.TRPO(LAKE, seed=2**64 - 2).learn(2, n_seeds=4), ValueError, "n_seeds"),
    (lambda: nf.TRPO(LAKE).learn(total_timesteps=100), ValueError, "total_timesteps"),
    (lambda: nf.TRPO(LAKE).learn(2, callback=3), TypeError, "callback"),
    (lambda: nf.TRPO(LAKE).learn(2, target=float("nan")), ValueError, "target"),
    (lambda: nf.TRPO(LAKE).learn(2, n_threads=0), ValueError, "n_threads"),
]  # fmt: skip


@pytest.mark.parametrize("row", range(len(BAD_ARGUMENTS)))
def test_bad_argument_is_named(row):
    call, error, name = BAD_ARGUMENTS[row]
    with pytest.raises(error, match=name):
        call()


def test_learning_with_another_number_of_seeds_is_refused_and_changes_nothing():
    agent = nf.TRPO(LAKE)
    agent.learn(2, n_seeds=2)
    before = agent.theta.tobytes()
    with pytest.raises(ValueError, match="n_seeds=3"):
        agent.learn(2, n_seeds=3)
    assert agent.theta.tobytes() == before


@pytest.mark.isa_independent
def test_thread_count_follows_argument_then_environment(monkeypatch):
    from npgfast.threads import thread_count

    monkeypatch.delenv("NPGFAST_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert thread_count() == 3
    monkeypatch.setenv("NPGFAST_NUM_THREADS", "5")
    assert thread_count() == 5
    assert thread_count(1) == 1
    monkeypatch.setenv("NPGFAST_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="NPGFAST_NUM_THREADS"):
        thread_count()


@pytest.mark.parametrize("make", [
    lambda mdp: nf.NaturalPolicyGradient(mdp, step_size=0.5),
    lambda mdp: nf.NaturalPolicyGradient(mdp, max_kl=0.01),
    lambda mdp: nf.SoftPolicyIteration(mdp, step_size=Geometric(0.1, 1.2)),
], ids=["fixed", "kl", "geometric"])  # fmt: skip
def test_certificates_bound_the_gap(make):
    for mdp in (LAKE, nf.problems.garnet(40, 3, 4, gamma=0.9, seed=1)):
        result = make(mdp).learn(80, certificates=True)
        gap, bound = result.history["gap"][0], result.history["bound"][0]
        assert np.isfinite(bound).all()
        assert (gap <= bound + 1e-12).all()
    assert np.isnan(nf.TRPO(LAKE).learn(3, certificates=True).history["bound"]).all()
    assert "bound" not in nf.TRPO(LAKE).learn(3).history
