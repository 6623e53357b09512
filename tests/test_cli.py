"""The command line: what people and scripts see, exit codes, files, interruption and resumption."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import npgfast as nf
from npgfast import storage
from npgfast.cli.app import app

SMALL = ("--iterations", "4", "--episodes", "20", "--seeds", "3")
# What the runs compute is tested elsewhere, on every variant.
pytestmark = pytest.mark.isa_independent


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


def npgfast(*arguments, **options):
    command = [sys.executable, "-m", "npgfast", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_train_shows_a_table_and_writes_a_picture(cli, tmp_path):
    outcome = cli("train", "FrozenLake-v1", *SMALL)
    assert outcome.exit_code == 0, outcome.output
    for words in (
        "16 states",
        "TRPO from samples, 3 seeds",
        "objective J",
        "interquartile",
        "0.542025932",
        "per second",
    ):
        assert words in outcome.stdout
    assert "exact, for reference" in outcome.stdout
    assert "npgfast-FrozenLake-v1-trpo.png" in outcome.stdout
    assert is_png(tmp_path / "npgfast-FrozenLake-v1-trpo.png")
    assert [path.name for path in tmp_path.iterdir()] == ["npgfast-FrozenLake-v1-trpo.png"]


def test_train_json_is_one_document(cli, tmp_path):
    outcome = cli("train", "FrozenLake-v1", *SMALL, "--json", "--json-history", "--seed", 5)
    assert outcome.exit_code == 0, outcome.output
    report = json.loads(outcome.stdout)
    assert report["seeds"] == [5, 6, 7]
    assert report["environment"] == {
        "name": "FrozenLake-v1",
        "n_states": 16,
        "n_actions": 4,
        "gamma": 0.99,
        "horizon": None,
    }
    assert report["settings"]["max_kl"] == 0.01
    assert report["optimum"]["lower"] <= report["optimum"]["objective"] <= report["optimum"]["upper"]
    mdp = nf.TabularMDP.from_gymnasium("FrozenLake-v1", gamma=0.99)
    agent = nf.TRPO(mdp, mode="sampled", seed=5, n_episodes=20, damping=0.1, gae_lambda=0.95)
    result = agent.learn(4, n_seeds=3)
    assert report["final"]["objective"] == result.final("objective").tolist()
    np.testing.assert_array_equal(report["history"]["gap"], result.history["gap"])
    assert report["steps"] == result.final("timesteps").sum()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("algorithm", ["pg", "npg", "spi", "cpi", "trpo", "ppo"])
@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_train_runs_every_algorithm(cli, algorithm, mode):
    length = SMALL if mode == "sampled" else ("--iterations", "4")
    outcome = cli("train", "FrozenLake-v1", "--algo", algorithm, "--mode", mode, *length, "--json")
    assert outcome.exit_code == 0, outcome.output
    report = json.loads(outcome.stdout)
    assert report["mode"] == mode
    assert report["median"]["objective"] > report["initial_objective"][0] or mode == "sampled"


def test_train_passes_settings_to_the_environment(cli, tmp_path):
    mdp = nf.problems.frozen_lake(gamma=0.9)
    mdp.save(tmp_path / "lake.safetensors")
    from_file = json.loads(cli("solve", tmp_path / "lake.safetensors", "--json").stdout)
    from_id = json.loads(cli("solve", "FrozenLake-v1", "--gamma", 0.9, "--json").stdout)
    assert from_file["objective"] == from_id["objective"] == pytest.approx(0.068890904889)
    dry = json.loads(cli("solve", "FrozenLake-v1", "--set", "is_slippery=false", "--json").stdout)
    assert dry["objective"] == pytest.approx(0.99**5)
    large = json.loads(cli("solve", "FrozenLake-v1", "--map-name", "8x8", "--json").stdout)
    assert large["objective"] == pytest.approx(0.4146403618)
    timed = json.loads(cli("solve", "FrozenLake-v1", "--gamma", 1, "--horizon", "time_limit", "--json").stdout)
    assert timed["objective"] == pytest.approx(0.744190287829)


def test_out_holds_everything_and_resume_continues_bit_for_bit(cli, tmp_path):
    shape = ("--episodes", "20", "--seeds", "3", "--seed", "2")
    assert cli("train", "FrozenLake-v1", *shape, "--iterations", 6, "--out", "whole").exit_code == 0
    assert cli("train", "FrozenLake-v1", *shape, "--iterations", 2, "--out", "part").exit_code == 0
    outcome = cli(
        "train", "FrozenLake-v1", "--resume", "part/checkpoint.safetensors", "--iterations", 4, "--out", "part"
    )
    assert outcome.exit_code == 0, outcome.output
    whole, part = tmp_path / "whole", tmp_path / "part"
    names = {path.name for path in part.iterdir()}
    picture = "npgfast-FrozenLake-v1-trpo.png"
    assert names == {
        "result.safetensors",
        "policy.safetensors",
        "checkpoint.safetensors",
        "history.csv",
        picture,
    }
    assert is_png(part / picture)
    assert nf.load_policy(part / "policy.safetensors") == nf.load_policy(whole / "policy.safetensors")
    states = [storage.load(folder / "checkpoint.safetensors", "agent")[0] for folder in (whole, part)]
    for name, array in states[0].items():
        if name != "state.seconds":
            np.testing.assert_array_equal(array, states[1][name], err_msg=name)
    rows = []
    for folder in (whole, part):
        with (folder / "history.csv").open() as file:
            rows.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert len(rows[0]) == 18
    assert rows[0] == rows[1]


def test_resume_refuses_settings_that_the_checkpoint_holds(cli):
    assert cli("train", "FrozenLake-v1", *SMALL, "--out", "run", "--no-plot").exit_code == 0
    outcome = cli("train", "FrozenLake-v1", "--resume", "run/checkpoint.safetensors", "--max-kl", 0.1)
    assert outcome.exit_code == 2
    assert "--max-kl: stands in the checkpoint" in outcome.stderr


def test_evaluate_agrees_with_the_library(cli, tmp_path):
    mdp = nf.problems.frozen_lake(gamma=0.99)
    policy = nf.TRPO(mdp, max_kl=0.1).learn(5).policy
    policy.save(tmp_path / "policy.safetensors")
    outcome = cli("evaluate", "policy.safetensors", "FrozenLake-v1", "--json")
    assert outcome.exit_code == 0, outcome.output
    report = json.loads(outcome.stdout)
    assert report["objective"] == pytest.approx(nf.evaluate(mdp, policy).objective, rel=1e-13)
    assert report["gap"] == pytest.approx(report["optimum"]["objective"] - report["objective"])
    shown = cli("evaluate", "policy.safetensors", "FrozenLake-v1", "--deterministic").stdout
    assert "% of |J*|" in shown


def test_solve_shows_bounds_and_draws_the_policy(cli, tmp_path):
    outcome = cli("solve", "CliffWalking-v1", "--plot", "cliff.png")
    assert outcome.exit_code == 0, outcome.output
    assert "certified lower bound" in outcome.stdout
    assert is_png(tmp_path / "cliff.png")


def test_info_lists_what_a_bug_report_needs(cli):
    report = json.loads(cli("info", "--json").stdout)
    assert report["version"] == nf.__version__
    assert report["isa"] in report["available_isas"]
    assert {"numpy", "gymnasium", "threads", "compiler"} <= set(report)
    assert nf.__version__ in cli("info").stdout


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, "not an environment of Gymnasium", ["train", "Nowhere-v1"]),
        (2, "expected observations in a Box", ["train", "Blackjack-v1"]),
        (2, "gamma=2", ["train", "FrozenLake-v1", "--gamma", "2"]),
        (2, "n_seeds=0", ["train", "FrozenLake-v1", "--seeds", "0"]),
        (2, "max_kl=-1", ["train", "FrozenLake-v1", "--max-kl", "-1"]),
        (2, "--max-kl: spi has no such setting", ["train", "FrozenLake-v1", "--algo", "spi", "--max-kl", "1"]),
        (2, "No such option", ["train", "FrozenLake-v1", "--no-such-thing"]),
        (2, "map_name='9x9'", ["train", "FrozenLake-v1", "--map-name", "9x9"]),
        (2, "expected key=value", ["train", "FrozenLake-v1", "--set", "slippery"]),
        (2, "--horizon soon", ["solve", "FrozenLake-v1", "--horizon", "soon"]),
        (2, "no such folder", ["train", "FrozenLake-v1", "--plot", "missing/x.png"]),
        (2, "expected a name that ends in", ["train", "FrozenLake-v1", "--plot", "x.exe"]),
        (2, "only with --json", ["train", "FrozenLake-v1", "--json-history"]),
        (2, "exact' takes no steps", ["train", "FrozenLake-v1", "--mode", "exact", "--timesteps", "9"]),
        (2, "has no grid", ["solve", "Taxi-v4", "--plot", "x.png"]),
        (1, "No such file", ["train", "missing.safetensors"]),
        (1, "damaged", ["solve", "broken.safetensors"]),
        (1, "No such file", ["evaluate", "missing.safetensors", "FrozenLake-v1"]),
        (1, "No such file", ["train", "FrozenLake-v1", "--resume", "missing.safetensors"]),
        (1, "broken.safetensors", ["train", "FrozenLake-v1", "--out", "broken.safetensors"]),
    ],
)
def test_bad_input_gets_one_line_and_its_exit_code(cli, tmp_path, code, words, arguments):
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    outcome = cli(*arguments)
    assert outcome.exit_code == code, outcome.output
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output
    if "npgfast: " in outcome.stderr:
        assert outcome.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["broken.safetensors"]


def test_unconverged_solution_fails(cli, monkeypatch):
    from npgfast.cli import app as module

    solution = nf.solve(nf.problems.frozen_lake(gamma=0.99), method="value_iteration", max_iterations=2)
    assert not solution.converged
    monkeypatch.setattr(module, "solve_exactly", lambda *_, **__: solution)
    assert cli("solve", "FrozenLake-v1").exit_code == 1


def test_missing_matplotlib_is_a_hint_by_default_and_a_failure_on_request(cli, tmp_path, monkeypatch):
    for name in [*sys.modules, "matplotlib"]:
        if name.split(".")[0] == "matplotlib":
            monkeypatch.setitem(sys.modules, name, None)
    outcome = cli("train", "FrozenLake-v1", *SMALL)
    assert outcome.exit_code == 0, outcome.output
    assert 'pip install "npgfast[plot]"' in outcome.stdout
    outcome = cli("train", "FrozenLake-v1", *SMALL, "--plot", "x.png")
    assert outcome.exit_code == 1
    assert "matplotlib" in outcome.stderr
    assert not list(tmp_path.iterdir())


def test_missing_typer_is_named():
    code = "import sys; sys.modules['typer'] = None; from npgfast.cli import main; main()"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 1
    assert outcome.stderr == 'npgfast: the command line needs typer: pip install "npgfast[cli]"\n'


def test_module_is_the_same_program_and_respects_no_color(tmp_path):
    coloured = {**os.environ, "FORCE_COLOR": "1"}
    assert "\x1b[" in npgfast("info", cwd=tmp_path, env=coloured).stdout
    plain = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"}
    assert "\x1b[3" not in npgfast("info", cwd=tmp_path, env=plain).stdout
    outcome = npgfast("train", "FrozenLake-v1", "--seeds", "0", cwd=tmp_path)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("npgfast: error: n_seeds=0")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a single process")
@pytest.mark.parametrize(
    ("env", "summary", "row"),
    [("FrozenLake-v1", "16 states", "objective J"), ("Acrobot-v1", "6 observations", "return of the last 10")],
)
def test_ctrl_c_ends_within_a_second_and_shows_what_was_reached(tmp_path, env, summary, row):
    command = [
        sys.executable,
        "-u",
        "-m",
        "npgfast",
        "train",
        env,
        "--iterations",
        "1000000",
        "--out",
        "run",
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert summary in process.stdout.readline()
        time.sleep(1.0)
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        seconds = time.perf_counter() - sent
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert stderr == "npgfast: interrupted\n"
    assert "interrupted; reached after" in stdout
    assert row in stdout
    assert seconds < 1.0
    assert nf.TRPO.resume(tmp_path / "run" / "checkpoint.safetensors", env).iteration
