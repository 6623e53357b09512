"""``npgfast bench``: table, document, picture and exit codes."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import npgfast as nf
from npgfast import benchmarking
from npgfast.cli.app import app

pytestmark = pytest.mark.isa_independent


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_table_has_all_sides_and_ratios(cli, tmp_path):
    outcome = cli("gae", "surrogate", "--quick", "--repeats", 2)
    assert outcome.exit_code == 0, outcome.output
    for words in (f"npgfast {nf.__version__}", "thread", "NumPy", "vs Python", "8,192 steps", "500 samples", "/s"):
        assert words in outcome.stdout
    assert "All answers agree" in outcome.stdout
    assert outcome.stderr == ""
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert not list(tmp_path.iterdir())


def test_document_picture_and_file(cli, tmp_path):
    outcome = cli("gae", "--json", "--repeats", 5, "--threads", 1, "--out", "bench.json", "--plot", "bench.png")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert json.loads((tmp_path / "bench.json").read_text()) == found
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert found["environment"]["threads"] == 1
    assert {"version", "isa", "compiler", "processor", "numpy", "python", "load"} <= set(found["environment"])
    assert [row["size"] for row in found["results"]] == list(benchmarking.KERNELS["gae"].sizes)
    for row in found["results"]:
        assert (row["kernel"], row["unit"]) == ("gae", "steps")
        numpy, ours = row["sides"]["NumPy"], row["sides"]["npgfast"]
        assert 0.0 < ours["fastest"] <= ours["median"]
        assert 1 <= ours["repeats"] <= 5
        assert row["ratios"]["NumPy"] == pytest.approx(numpy["fastest"] / ours["fastest"])


def test_threads_are_given_back(cli, monkeypatch):
    monkeypatch.setenv("NPGFAST_NUM_THREADS", "2")
    assert cli("gae", "--quick", "--threads", 1, "--json").exit_code == 0
    assert os.environ["NPGFAST_NUM_THREADS"] == "2"
    monkeypatch.delenv("NPGFAST_NUM_THREADS")
    assert cli("gae", "--quick", "--threads", 1, "--json").exit_code == 0
    assert "NPGFAST_NUM_THREADS" not in os.environ


def test_wrong_answer_fails(cli, tmp_path, monkeypatch):
    from npgfast.benchmarking import sampling

    def wrong(*arguments, **options):
        advantages, returns = nf.gae(*arguments, **options)
        return advantages + 0.5, returns

    monkeypatch.setattr(sampling, "gae", wrong)
    outcome = cli("gae", "--quick", "--out", "bench.json")
    assert outcome.exit_code == 1
    assert outcome.stderr == "npgfast: error: gae, 8,192 steps: wrong answer: npgfast and Python differ by 0.5\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("nonsense: no such kernel; there are rollout,", ["nonsense"]),
        ("--repeats 0: expected at least 1", ["gae", "--repeats", 0]),
        ("n_threads=0", ["gae", "--threads", 0]),
        ("expected a name that ends in", ["gae", "--plot", "x.exe"]),
        ("--out missing/x.json: no such folder", ["gae", "--out", "missing/x.json"]),
    ],
)
def test_wrong_usage(cli, tmp_path, words, arguments):
    outcome = cli(*arguments)
    assert outcome.exit_code == 2, outcome.output
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert outcome.stdout == ""
    assert not list(tmp_path.iterdir())


def test_other_commands_do_not_import_the_baselines():
    code = "import sys, npgfast.cli.app; print([m for m in sys.modules if 'benchmarking' in m or 'reference' in m])"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout == "[]\n"
