"""Measure what this machine can do: python benchmarks/limits/run.py [--threads 1 2] [--out FILE]

Compiles the probes in this folder for this processor, with $CXX or c++, and runs each (20 s in all). Written are rates
per second, in one table per number of threads, to benchmarks/results/limits.json.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import RESULTS, facts, processors, write  # noqa: E402

PROBES = ("bandwidth", "fma", "gather", "alias", "cart_pole")
# A probe asks what this very machine can do, so it alone is compiled for it; nothing of the package is.
FLAGS = ("-std=c++20", "-O3", "-march=native", "-ffp-contract=fast", "-pthread")


def compiled(name: str, folder: Path) -> Path:
    """Compile one probe."""
    program = folder / name
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    subprocess.run([*compiler, *FLAGS, str(HERE / f"{name}.cpp"), "-o", str(program)], check=True)
    return program


def measure(counts: list[int]) -> dict[str, dict[str, dict[str, float]]]:
    """Rates per second by number of threads, probe and kind of work."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {name: compiled(name, Path(folder)) for name in PROBES}
        rates: dict[str, dict[str, dict[str, float]]] = {}
        for threads in counts:
            rates[str(threads)] = {
                name: json.loads(
                    subprocess.run([str(program), str(threads)], check=True, stdout=subprocess.PIPE).stdout
                )
                for name, program in programs.items()
            }
        return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, processors()}))
    parser.add_argument("--out", type=Path, default=RESULTS / "limits.json")
    given = parser.parse_args()
    rates = measure(given.threads)
    write(given.out, {"machine": facts(), "rates": rates})
    print(f"{'rate per second':30}" + "".join(f"{count:>7} threads" for count in rates))
    for probe, kinds in next(iter(rates.values())).items():
        for kind in kinds:
            print(f"{probe + ', ' + kind:30}" + "".join(f"{rates[count][probe][kind]:15.3g}" for count in rates))


if __name__ == "__main__":
    main()
