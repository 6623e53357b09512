"""The compiled core: one variant, chosen for this processor, behind one set of functions.

The core is compiled once for each instruction set, each time into an extension module of its own. Importing this
package loads the best one that is both installed and supported here, or the one that the environment variable
``NPGFAST_ISA`` names. Call the functions by attribute, ``_core.function(...)``, so that `activate` reaches you.
"""

import os
from importlib import import_module
from importlib.util import find_spec

from npgfast._core._cpu import supported_isas

_FOLDERS = {
    "baseline": "baseline",
    "x86-64-v2": "x86_64_v2",
    "x86-64-v3": "x86_64_v3",
    "x86-64-v4": "x86_64_v4",
}  # from the weakest to the strongest

_active = ""


def available_isas():
    """Variants installed and supported by this processor, from the weakest to the strongest."""
    return tuple(isa for isa in supported_isas() if _is_installed(isa))


def active_isa():
    """Name of the variant whose functions this module holds."""
    return _active


def activate(isa):
    """Put the functions of variant ``isa`` into this module.

    It is meant for tests and comparisons; do not call it while another thread computes.

    Raises
    ------
    ValueError
        If there is no variant of that name.
    ImportError
        If this machine cannot run it or this installation does not have it.
    """
    global _active
    if isa not in _FOLDERS:
        msg = f"unknown instruction set {isa!r}; known: {', '.join(_FOLDERS)}"
        raise ValueError(msg)
    if isa not in available_isas():
        reason = "not installed" if isa in supported_isas() else "not supported by this processor"
        msg = f"instruction set {isa!r} is {reason}; available: {', '.join(available_isas()) or 'none'}"
        raise ImportError(msg)
    implementation = import_module(f"{__name__}.{_FOLDERS[isa]}._impl")
    globals().update({name: f for name, f in vars(implementation).items() if not name.startswith("_")})
    _active = isa


def _is_installed(isa):
    try:
        return find_spec(f"{__name__}.{_FOLDERS[isa]}._impl") is not None
    except ModuleNotFoundError:  # no such folder
        return False


def _choose():
    if "NPGFAST_ISA" in os.environ:
        return os.environ["NPGFAST_ISA"]
    available = available_isas()
    if not available:
        supported = ", ".join(supported_isas()) or "none of " + ", ".join(_FOLDERS)
        msg = f"no variant of npgfast installed here can run on this processor, which supports {supported}"
        raise ImportError(msg)
    return available[-1]


activate(_choose())
