"""The examples of every docstring run, and every public function has some."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import npgfast as nf

MODULES = [
    module.name
    for module in pkgutil.walk_packages(nf.__path__, "npgfast.")
    if "._core." not in module.name and not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.isa_independent
@pytest.mark.parametrize("name", [name for name in nf.__all__ if inspect.isfunction(getattr(nf, name))])
def test_public_functions_show_an_example(name):
    assert doctest.DocTestParser().get_examples(getattr(nf, name).__doc__)
