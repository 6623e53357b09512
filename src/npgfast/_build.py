"""Facts about this installation, for bug reports."""

import platform
from typing import TypedDict

import numpy as np

from npgfast import _core


class BuildInfo(TypedDict):
    """What `build_info` returns."""

    version: str
    isa: str
    available_isas: tuple[str, ...]
    compiler: str
    fp_contract: str
    eigen: str
    numpy: str
    python: str
    platform: str


def build_info() -> BuildInfo:
    """Return the facts that a bug report needs: versions, compiler, and the active instruction set.

    Returns
    -------
    dict
        ``version``, ``isa`` (the compiled variant in use), ``available_isas`` (those this machine can run),
        ``compiler``, ``fp_contract``, ``eigen``, ``numpy``, ``python``, ``platform``.

    Examples
    --------
    >>> import npgfast as nf
    >>> nf.build_info()["isa"] in nf.build_info()["available_isas"]
    True
    """
    core = _core.build_info()
    return {
        "version": core["version"],
        "isa": _core.active_isa(),
        "available_isas": _core.available_isas(),
        "compiler": core["compiler"],
        "fp_contract": core["fp_contract"],
        "eigen": core["eigen"],
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
