"""Importing npgfast loads NumPy and the core, and nothing that only some of its functions need."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.isa_independent

# Each costs milliseconds, or seconds; npgfast imports them where they are used.
HEAVY = {
    "envpool", "gymnasium", "hashlib", "inspect", "jax", "json", "matplotlib", "pandas", "pathlib", "ray", "rich",
    "safetensors", "scipy", "subprocess", "tensorboardX", "threading", "torch", "typer", "urllib",
}  # fmt: skip
LAZY = {"npgfast.cli", "npgfast.plotting", "npgfast.reference", "npgfast.theory", "npgfast.zoo"}


def modules_after(code):
    """Names in sys.modules; the first statement is `import sys`."""
    program = f"import sys; {code}; names = list(sys.modules); import json; print(json.dumps(names))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout))


def test_import_loads_nothing_heavy_beyond_numpy():
    added = modules_after("import numpy, npgfast") - modules_after("import numpy")
    assert "npgfast" in added
    assert added & (HEAVY | LAZY | {"numpy.random"}) == set()


def test_lazy_modules_come_with_their_first_use():
    added = modules_after("import npgfast; npgfast.theory; npgfast.plotting")
    assert {"npgfast.theory", "npgfast.plotting"} <= added
    assert not {"gymnasium", "matplotlib"} & added
