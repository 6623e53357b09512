"""The page of results of the benchmarks says what the figures beside it say."""

import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "benchmarks" / "page.py"

pytestmark = pytest.mark.isa_independent


@pytest.mark.skipif(not PAGE.exists(), reason="the benchmarks are not beside the tests")
def test_page_of_results_is_what_its_figures_say():
    done = subprocess.run([sys.executable, str(PAGE), "--check"], check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
