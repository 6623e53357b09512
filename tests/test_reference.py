"""The oracle as a whole: two implementations of the same functions, in the same stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from npgfast.reference import loops, vectorized

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.isa_independent


def homes(module: ModuleType) -> dict[str, str]:
    """Public functions of a package, each with the stage that defines it."""
    return {name: getattr(module, name).__module__.removeprefix(f"{module.__name__}.") for name in module.__all__}


def defined(module: ModuleType) -> set[str]:
    """Names without underscore that the stages of a package define, exported or not."""
    found = set()
    for stage in set(homes(module).values()):
        home = getattr(module, stage)
        functions = {n for n, f in vars(home).items() if getattr(f, "__module__", "") == home.__name__ and callable(f)}
        found |= {name for name in functions if not name.startswith("_")}
    return found


def test_modules_define_the_same_functions():
    assert homes(vectorized) | {"gae_quadratic": "sampling"} == homes(loops)
    assert defined(vectorized) == set(vectorized.__all__)
    assert defined(loops) == set(loops.__all__)
