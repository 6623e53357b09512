"""The command line on environments with observations: what it makes of the zoo, options, files and plays."""

import csv
import json
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from typer.testing import CliRunner

import npgfast as nf
from npgfast import storage
from npgfast.cli.app import app

# What the runs compute is tested elsewhere, on every variant.
pytestmark = pytest.mark.isa_independent

SHORT = ("--iterations", "3", "--seeds", "2", "--steps", "64", "--envs", "2")
BRIDGED = "BridgedCartPole-v0"
RECIPE = {"gamma": 0.97, "max_kl": 0.05, "damping": 0.01, "n_envs": 4, "n_steps": 128, "baseline_data": "current"}


def make(env_id, algo=None, seed=0, **overrides):
    assert (env_id, algo) in (("CartPole-v1", None), ("CartPole-v1", "trpo"))
    return nf.TRPO(env_id, seed=seed, **{**RECIPE, **overrides})


def length(env_id, algo=None):
    if env_id != "CartPole-v1" or algo not in (None, "trpo"):
        msg = "the zoo has CartPole-v1"
        raise ValueError(msg)
    return {"n_iterations": 200, "target": 500.0, "restart_after": 6, "keep_best": True}


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    zoo = SimpleNamespace(make=make, length=length, table=lambda: "CartPole-v1 trpo")
    monkeypatch.setattr(nf, "zoo", zoo, raising=False)

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def bridged():
    entry = "gymnasium.envs.classic_control.cartpole:CartPoleEnv"
    gymnasium.register(BRIDGED, entry_point=entry, max_episode_steps=50)
    yield BRIDGED
    del gymnasium.registry[BRIDGED]


def report_of(outcome):
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def test_train_shows_a_table_and_writes_a_picture(cli, tmp_path):
    outcome = cli("train", "CartPole-v1")
    assert outcome.exit_code == 0, outcome.output
    for words in (
        "4 observations, 2 actions, at most 500 steps per episode, simulated natively",
        "TRPO, 16 seeds",
        "LinearSoftmax, 10 parameters",
        "return of the policy, 100 episodes, median",
        "worst seed",
        "in Gymnasium's environment (seed 0)",
        "16 of 16 seeds",
        "per second",
        "npgfast-CartPole-v1-trpo.png",
    ):
        assert words in outcome.stdout
    (picture,) = tmp_path.iterdir()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_train_uses_the_zoo_and_overrides_it(cli, tmp_path):
    report = report_of(
        cli("train", "CartPole-v1", "--json", "--json-history", "--seed", 5, "--seeds", 3, "--max-kl", 0.02)
    )
    agent = make("CartPole-v1", seed=5, max_kl=0.02)
    result = agent.learn(**length("CartPole-v1"), n_seeds=3)
    assert report["settings"]["max_kl"] == 0.02
    assert report["environment"]["gamma"] == 0.97
    assert report["target"] == 500.0
    assert report["seeds"] == [5, 6, 7]
    np.testing.assert_array_equal(np.array(report["history"]["return_mean"], float), result.history["return_mean"])
    played = [
        nf.evaluate_policy(nf.envs.CartPole(), one, 100, seed=2**62 + 5 + k) for k, one in enumerate(result.policies)
    ]
    assert report["evaluation"]["means"] == [one.mean for one in played]
    own = nf.evaluate_policy("CartPole-v1", result.policy, 100, seed=2**62 + 5)
    assert report["evaluation"]["gymnasium"]["mean"] == own.mean
    assert not list(tmp_path.iterdir())


def test_length_of_the_command_line_replaces_that_of_the_zoo(cli):
    report = report_of(
        cli("train", "CartPole-v1", "--json", "--timesteps", 600, "--target", 1e9, "--seeds", 2, "--episodes", 3)
    )
    assert report["target"] == 1e9
    assert report["n_reached"] == 0
    assert report["settings"]["n_episodes"] == 3
    assert report["settings"]["n_steps"] is None
    assert min(report["final"]["timesteps"]) >= 600


@pytest.mark.parametrize("algorithm", ["pg", "npg", "trpo", "ppo"])
def test_train_runs_every_algorithm_without_the_zoo(cli, algorithm):
    report = report_of(cli("train", "Pendulum-v1", "--algo", algorithm, *SHORT, "--json"))
    assert report["n_iterations"] == 3
    assert report["environment"]["native"]
    assert report["settings"]["normalize_observations"] is False
    assert report["evaluation"]["worst"] <= report["evaluation"]["median"] < 0.0


def test_bridged_environments_are_normalised_and_learn_one_seed(cli, bridged):
    report = report_of(cli("train", bridged, "--iterations", 2, "--steps", 32, "--envs", 2, "--json"))
    assert report["seeds"] == [0]
    assert report["settings"]["normalize_observations"] is True
    assert report["policy"]["normalizes_observations"] is True
    assert not report["environment"]["native"]
    assert report["evaluation"]["gymnasium"] is None
    assert 0.0 < report["evaluation"]["median"] <= 50.0
    plain = report_of(
        cli(
            "train",
            bridged,
            "--iterations",
            1,
            "--no-normalize-observations",
            "--set",
            "sutton_barto_reward=true",
            "--json",
        )
    )
    assert plain["settings"]["normalize_observations"] is False
    assert plain["settings"]["make_kwargs"] == {"sutton_barto_reward": True}
    assert plain["evaluation"]["median"] <= 0.0


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("linear", nf.features.Linear(4)),
        ("polynomial:2", nf.features.Polynomial(4, degree=2)),
        ("fourier:3", nf.features.Fourier(4, order=3)),
        ("rff:25", nf.features.RandomFourier(4, n_waves=25)),
        ("tiles:2x3", nf.features.TileCoding(4, n_tiles=2, n_tilings=3)),
    ],
)
def test_features_make_the_policy(cli, tmp_path, text, features):
    outcome = cli("train", "CartPole-v1", *SHORT, "--features", text, "--out", "run", "--no-plot")
    assert outcome.exit_code == 0, outcome.output
    policy = nf.load_policy(tmp_path / "run" / "policy.safetensors")
    assert policy.feature_map == features
    assert policy.normalizer is not None


def test_features_keep_the_deviation_of_the_policy(cli):
    report = report_of(cli("train", "Pendulum-v1", *SHORT, "--features", "fourier:1", "--scale-rewards", "--json"))
    assert report["policy"]["n_params"] == 8 + 1
    assert report["settings"]["scale_rewards"] is True


def test_out_holds_everything_and_resume_continues_bit_for_bit(cli, tmp_path):
    shape = ("--steps", "250", "--envs", "2", "--seeds", "3", "--seed", "2")
    assert cli("train", "Pendulum-v1", *shape, "--iterations", 6, "--out", "whole").exit_code == 0
    assert cli("train", "Pendulum-v1", *shape, "--iterations", 2, "--out", "part").exit_code == 0
    outcome = cli("train", "Pendulum-v1", "--resume", "part/checkpoint.safetensors", "--iterations", 4, "--out", "part")
    assert outcome.exit_code == 0, outcome.output
    assert {path.suffix for path in (tmp_path / "part").iterdir()} >= {".safetensors", ".csv"}
    states = [storage.load(tmp_path / name / "checkpoint.safetensors", "agent")[0] for name in ("whole", "part")]
    for name, array in states[0].items():
        if name != "state.seconds":
            np.testing.assert_array_equal(array, states[1][name], err_msg=name)
    rows = []
    for name in ("whole", "part"):
        with (tmp_path / name / "history.csv").open() as file:
            rows.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert len(rows[0]) == 18
    assert rows[0] == rows[1]
    outcome = cli("train", "Pendulum-v1", "--resume", "part/checkpoint.safetensors", "--gamma", 0.5)
    assert outcome.exit_code == 2
    assert "--gamma: stands in the checkpoint" in outcome.stderr


def test_a_run_without_a_whole_episode_has_no_picture(cli, tmp_path):
    outcome = cli("train", "MountainCarContinuous-v0", "--iterations", 1, "--steps", 8, "--seeds", 2)
    assert outcome.exit_code == 0, outcome.output
    assert "no episode has ended" in outcome.stdout
    assert not list(tmp_path.iterdir())


def test_evaluate_agrees_with_the_library(cli, tmp_path):
    policy = nf.TRPO(nf.envs.CartPole(), n_envs=2, n_steps=64).learn(3).policy
    policy.save(tmp_path / "policy.safetensors")
    report = report_of(cli("evaluate", "policy.safetensors", "CartPole-v1", "--json"))
    played = nf.evaluate_policy("CartPole-v1", policy)
    assert report["simulator"] == "gymnasium"
    assert (report["mean"], report["std"]) == (played.mean, played.std)
    assert (report["min"], report["max"]) == (played.returns.min(), played.returns.max())
    report = report_of(
        cli("evaluate", "policy.safetensors", "CartPole-v1", "--stochastic", "--episodes", 7, "--seed", 3, "--json")
    )
    played = nf.evaluate_policy("CartPole-v1", policy, 7, seed=3, deterministic=False)
    assert (report["mean"], report["standard_error"]) == (played.mean, played.standard_error)
    shown = cli("evaluate", "policy.safetensors", "CartPole-v1", "--episodes", 5).stdout
    assert "Gymnasium's environment: 5 episodes, most probable actions" in shown
    assert "lowest and highest" in shown


def test_evaluate_plays_natively_what_gymnasium_does_not_have(cli, tmp_path):
    nf.LinearGaussian(2, 1).save(tmp_path / "policy.safetensors")
    report = report_of(cli("evaluate", "policy.safetensors", "LQR-v0", "--json"))
    assert report["simulator"] == "npgfast"


def test_zoo_prints_its_table(cli):
    outcome = cli("zoo")
    assert outcome.exit_code == 0
    assert outcome.stdout == "CartPole-v1 trpo\n"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("has no model, so that it can be learned on but not solved", ["solve", "CartPole-v1"]),
        ("--algo spi: needs a tabular problem", ["train", "CartPole-v1", "--algo", "spi"]),
        ("mode='exact' needs a TabularMDP", ["train", "CartPole-v1", "--mode", "exact"]),
        ("--learning-rate: trpo has no such setting", ["train", "CartPole-v1", "--learning-rate", "1"]),
        ("--horizon: CartPole-v1 has no model", ["train", "CartPole-v1", "--horizon", "9"]),
        ("g: not a setting of CartPole-v1", ["train", "CartPole-v1", "--set", "g=9"]),
        ("--features waves: expected linear", ["train", "CartPole-v1", "--features", "waves"]),
        ("--features rff:x: expected linear", ["train", "CartPole-v1", "--features", "rff:x"]),
        ("baseline='best'", ["train", "CartPole-v1", "--baseline", "best"]),
        ("restart_after=3: needs a target", ["train", "Acrobot-v1", "--restart-after", "3"]),
        ("FrozenLake-v1 is tabular and has no obs", ["train", "FrozenLake-v1", "--features", "linear"]),
        ("a tabular problem has no observations", ["train", "FrozenLake-v1", "--normalize-observations"]),
        ("observation_size=3, but env has 4", ["evaluate", "policy.safetensors", "CartPole-v1"]),
        ("the policy is a LinearGaussian", ["evaluate", "policy.safetensors", "FrozenLake-v1"]),
        ("plain reward of its episodes", ["evaluate", "policy.safetensors", "Pendulum-v1", "--gamma", "0.9"]),
        ("evaluated exactly", ["evaluate", "policy.safetensors", "FrozenLake-v1", "--episodes", "9"]),
        ("n_episodes=0", ["evaluate", "policy.safetensors", "Pendulum-v1", "--episodes", "0"]),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(cli, tmp_path, words, arguments):
    nf.LinearGaussian(3, 1).save(tmp_path / "policy.safetensors")
    outcome = cli(*arguments)
    assert outcome.exit_code == 2, outcome.output
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["policy.safetensors"]
