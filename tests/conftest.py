"""Every test runs once for each compiled variant that this machine can run."""

import pytest

from npgfast import _core


def pytest_generate_tests(metafunc):
    if not metafunc.definition.get_closest_marker("isa_independent"):
        metafunc.parametrize("isa", _core.available_isas(), indirect=True)


@pytest.fixture(autouse=True)
def isa(request):
    """Name of the variant under test; the one that was active before is active again afterwards."""
    before = _core.active_isa()
    _core.activate(getattr(request, "param", before))
    yield _core.active_isa()
    _core.activate(before)
