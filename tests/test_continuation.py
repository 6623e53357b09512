"""What a run leaves to the next call: seeds that finished early, resumed environments, settings and their values."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import npgfast as nf
from npgfast.schedules import Linear

LAKE = nf.problems.frozen_lake(gamma=0.99)


def test_seeds_that_finished_at_different_iterations_go_on_as_single_runs():
    settings = {"mode": "sampled", "n_episodes": 30, "damping": 0.1, "max_kl": Linear(0.05, 0.01, 60)}
    together = nf.TRPO(LAKE, seed=4, **settings)
    first = together.learn(200, target=0.2, n_seeds=4)
    done = np.sum(~np.isnan(first.history["objective"]), axis=1)
    assert len(set(done)) > 1
    watched = nf.TRPO(LAKE, seed=4, **settings)
    watched.learn(200, target=0.2, n_seeds=4, callback=lambda _: True)
    assert watched.iteration == together.iteration == done.max()
    second, again = together.learn(5, n_seeds=4), watched.learn(5, n_seeds=4)
    for k in range(4):
        alone = nf.TRPO(LAKE, seed=4 + k, **settings)
        alone.learn(200, target=0.2)
        assert alone.iteration == done[k]
        theta = alone.learn(5).policy.theta.tobytes()
        assert theta == second.policies[k].theta.tobytes() == again.policies[k].theta.tobytes()


def test_total_timesteps_count_within_a_call():
    agent = nf.TRPO(LAKE, mode="sampled", n_episodes=20)
    first = agent.learn(total_timesteps=1000).final("timesteps")[0]
    second = agent.learn(total_timesteps=1000).final("timesteps")[0]
    assert first >= 1000
    assert second >= first + 1000


@pytest.mark.parametrize("state_weights", ["discounted", "uniform", "geometric"])
def test_resumed_rollouts_keep_a_sound_effective_horizon(state_weights):
    """Nothing terminates, so hardly any batch starts an episode of its own: L is estimated over the run."""
    mdp = nf.problems.garnet(20, 4, 3, gamma=0.9, seed=0)
    agent = nf.PolicyGradient(
        mdp, mode="sampled", n_steps=16, n_envs=32, state_weights=state_weights, step_size=1e-9, baseline=None
    )
    norms = agent.learn(80).history["gradient_norm"][0]
    exact = np.linalg.norm(nf.policy_gradient(agent.policy, nf.exact_batch(mdp, agent.policy)))
    assert (agent.result.history["status"] == "ok").all()
    if state_weights == "uniform":  # biased by design: L is the number of steps per start
        assert np.isfinite(norms).all()
    else:
        assert np.median(norms) < 10 * exact
        assert np.median(norms) > 0.1 * exact


def test_callback_may_answer_with_a_numpy_bool():
    result = nf.TRPO(LAKE).learn(20, callback=lambda progress: progress.history["gap"].max() > 0.3)
    assert result.history["gap"][0, -1] <= 0.3
    assert result.n_iterations < 20


def test_numpy_scalars_are_settings_that_can_be_saved(tmp_path):
    agent = nf.TRPO(LAKE, seed=np.int64(3), max_kl=np.float32(0.01))
    agent.save_checkpoint(tmp_path / "a")
    assert nf.TRPO.resume(tmp_path / "a", LAKE).learn(3).policy == agent.learn(3).policy


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nf.PPO(LAKE, clip_range=lambda _: 5.0), "clip_range"),
        (lambda: nf.TRPO(LAKE, max_kl=lambda _: 0.0), "max_kl"),
        (lambda: nf.PPO(LAKE, entropy_coefficient=lambda _: -1.0), "entropy_coefficient"),
    ],
    ids=["clip_range", "max_kl", "entropy_coefficient"],
)
def test_schedule_out_of_range_is_named_and_changes_nothing(make, name):
    agent = make()
    before = agent.theta.tobytes()
    with pytest.raises(ValueError, match=rf"{name}\(0\)"):
        agent.learn(2)
    assert agent.theta.tobytes() == before
    assert agent.iteration == 0


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"normalize_advantages": "no"}, TypeError),
        ({"baseline": np.zeros(3)}, ValueError),
        ({"tau": 1e200}, ValueError),
    ],
    ids=["normalize_advantages", "baseline", "tau"],
)
def test_setting_of_the_wrong_kind_is_named(settings, error):
    with pytest.raises(error, match=next(iter(settings))):
        nf.PPO(LAKE, **settings)


def test_gap_is_unknown_where_the_optimum_is():
    """At gamma=1 with a large bonus the regularised optimum is infinite."""
    mdp = LAKE.replace(gamma=1.0)
    agent = nf.TRPO(mdp, tau=0.1)
    result = agent.learn(1)
    assert not result.regularized_optimum.converged
    assert np.isnan(result.history["regularized_gap"]).all()
    assert np.isfinite(result.history["gap"]).all()


def test_policies_of_many_seeds_share_their_features():
    policy = nf.LogLinear(np.random.default_rng(0).normal(size=(16, 4, 3)))
    result = nf.TRPO(LAKE, policy).learn(2, n_seeds=3)
    assert all(p.features is policy.features for p in result.policies)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_any_exception_of_a_signal_handler_leaves_a_whole_agent():
    class Stop(Exception):
        pass

    def handler(_signum, _frame):
        raise Stop

    agent = nf.TRPO(LAKE, mode="sampled", n_episodes=200)
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(Stop):
            agent.learn(10**6)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert agent.iteration == agent.result.n_iterations > 0


@pytest.mark.isa_independent
def test_interpreter_may_exit_while_a_daemon_thread_learns():
    script = textwrap.dedent(
        """
        import threading, time
        import npgfast as nf
        agent = nf.TRPO(nf.problems.frozen_lake(gamma=0.99), mode="sampled", n_episodes=5000)
        threading.Thread(target=agent.learn, args=(10**6,), kwargs={"n_seeds": 4}, daemon=True).start()
        time.sleep(0.5)
        """
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (process.returncode, process.stderr) == (0, "")


def test_failing_schedule_ends_a_run_at_its_own_iteration():
    agent = nf.NaturalPolicyGradient(LAKE, step_size=lambda k: 0.1 if k < 50 else -1.0)
    with pytest.raises(ValueError, match=r"step_size\(50\)"):
        agent.learn(100)
    assert agent.iteration == agent.result.n_iterations == 50

    steps = [1.0] * 14  # as many as the run needs
    exact = nf.NaturalPolicyGradient(LAKE, step_size=1.0).learn(1000, target=0.5)
    listed = nf.NaturalPolicyGradient(LAKE, step_size=lambda k: steps[k]).learn(1000, target=0.5)
    assert listed.n_iterations == exact.n_iterations <= 14
    assert listed.policy == exact.policy


def test_schedules_are_read_for_the_seeds_that_go_on():
    asked = []

    def step(k):
        asked.append(k)
        return 1e-2

    agent = nf.NaturalPolicyGradient(LAKE, mode="sampled", n_episodes=2, step_size=step)
    agent.learn(300, n_seeds=4, target=0.02, callback=lambda _: True)
    assert len(asked) <= 2 * 300


def test_keep_best_is_about_one_call():
    agent = nf.PPO(LAKE, mode="sampled", n_episodes=50, learning_rate=0.5)
    agent.learn(30, n_seeds=2, keep_best=True)
    result = agent.learn(5, n_seeds=2, keep_best=True)
    best = np.maximum(result.initial["objective"], result.history["objective"].max(axis=1))
    np.testing.assert_allclose([nf.evaluate(LAKE, policy).objective for policy in result.policies], best, rtol=1e-12)


def test_checkpoint_without_an_array_is_refused_by_name(tmp_path):
    agent = nf.TRPO(LAKE)
    agent.learn(1)
    agent.save_checkpoint(tmp_path / "a")
    arrays, metadata = nf.storage.load(tmp_path / "a", "agent")
    settings = {name: value for name, value in metadata.items() if name not in ("kind", "version")}
    missing = {name: array for name, array in arrays.items() if name != "state.mass"}
    nf.storage.save(tmp_path / "b", "agent", missing, settings)
    with pytest.raises(nf.CheckpointError, match=r"state\.mass is missing"):
        nf.TRPO.resume(tmp_path / "b", LAKE)
    nf.storage.save(tmp_path / "c", "agent", {**arrays, "state.theta": np.zeros((1, 3))}, settings)
    with pytest.raises(nf.CheckpointError, match=r"state\.theta has shape"):
        nf.TRPO.resume(tmp_path / "c", LAKE)


def test_return_mean_is_of_whole_episodes_and_l_of_the_batch_that_has_enough():
    chain = nf.TabularMDP(np.eye(10, k=1)[:, None, :], -np.ones(10), termination=np.eye(10)[:, -1:],
                          initial_distribution=np.eye(10)[0], gamma=0.9)  # fmt: skip
    agent = nf.TRPO(chain, mode="sampled", n_steps=205, n_envs=8)
    seen = [agent.learn(1).history["return_mean"][0, 0] for _ in range(4)]
    assert seen == [-10.0] * 4
    exact = nf.evaluate(chain, agent.policy).effective_horizon
    assert agent._state.mass[0] / agent._state.n_started[0] == pytest.approx(exact, rel=0.05)


@pytest.mark.isa_independent
def test_calls_while_the_interpreter_finalizes_return():
    script = textwrap.dedent(
        """
        import npgfast as nf
        agent = nf.NaturalPolicyGradient(nf.problems.frozen_lake(gamma=0.99), step_size=1.0)
        agent.learn(2)
        class Last:
            def __init__(self): self.agent = agent
            def __del__(self): self.agent.learn(3); print("done", flush=True)
        last = Last()
        """
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (process.returncode, process.stdout) == (0, "done\n")
