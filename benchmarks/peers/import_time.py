"""What `import npgfast` costs beyond `import numpy`, in fresh processes."""

import compileall
import subprocess
import sys
from pathlib import Path
from typing import Any

from compare import MILLISECONDS, Side, compare, row, target, value

import npgfast

REPEATS = 11


def import_time(_: dict[str, Any]) -> dict[str, Any]:
    compileall.compile_dir(Path(npgfast.__file__).parent, quiet=1)  # as pip does

    def importing(statement: str) -> Any:
        return lambda: lambda: subprocess.run([sys.executable, "-c", statement], check=True)

    sides = compare(
        [
            Side("npgfast", importing("import numpy, npgfast")),
            Side("numpy", importing("import numpy")),
            Side("gymnasium", importing("import numpy, gymnasium"), ("gymnasium",)),
            Side("jax", importing("import numpy, jax"), ("jax",)),
            Side("torch", importing("import numpy, torch"), ("torch",)),
        ],
        MILLISECONDS,
        lambda *_: None,
        REPEATS,
    )
    ours, numpy = value(sides, "npgfast"), value(sides, "numpy")
    beyond = ours - numpy if ours is not None and numpy is not None else None
    return row(
        "import npgfast",
        "whole processes: python -c 'import numpy, ...'",
        MILLISECONDS,
        sides,
        None if numpy is None else (numpy, "NumPy's own import"),
        [target("at most 60 ms beyond NumPy", beyond, 60.0)],
    )
