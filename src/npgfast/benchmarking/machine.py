"""What measurements depend on."""

import os
import platform
from pathlib import Path
from typing import Any

from npgfast._build import build_info
from npgfast.threads import thread_count

__all__ = ["environment"]


def environment() -> dict[str, Any]:
    """Name versions, instruction set, threads, compiler and processor.

    Returns
    -------
    dict
        ``version``, ``isa``, ``threads`` and ``compiler`` of npgfast; ``processor``, ``numpy``, ``python`` and
        ``platform``; ``load``, the processes that wanted a processor in the last minute, where the system tells.

    Examples
    --------
    >>> environment()["threads"] >= 1
    True
    """
    facts = build_info()
    return {
        "version": facts["version"],
        "isa": facts["isa"],
        "threads": thread_count(),
        "compiler": facts["compiler"],
        "processor": _processor(),
        "numpy": facts["numpy"],
        "python": facts["python"],
        "platform": facts["platform"],
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "unknown processor"
