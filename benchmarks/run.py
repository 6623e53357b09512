"""Run the benchmarks: ``python benchmarks/run.py [rollout] [fisher] [exact]``."""

import importlib
import sys
from pathlib import Path

from problems import REPEATS, interleaved

import npgfast as nf
from npgfast.threads import thread_count

STEMS = ("rollout", "fisher", "exact")


def _processor() -> str:
    """Name of the processor, where the system tells."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"


def main() -> None:
    """Check and time what is asked for, and print one table each."""
    chosen = sys.argv[1:] or list(STEMS)
    unknown = set(chosen) - set(STEMS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(STEMS)}")
    info = nf.build_info()
    print(f"npgfast {info['version']}, {info['isa']}, {thread_count(None)} threads, {info['compiler']}, {_processor()}")
    print(
        f"NumPy {info['numpy']}, Python {info['python']}; rates by the fastest (median) of {REPEATS} interleaved calls"
    )
    for stem in chosen:
        bench = importlib.import_module(f"bench_{stem}")
        print(f"\n{bench.TITLE}")
        for name, work, sides in bench.cases():
            print(f"  {name}")
            timings = interleaved(sides)
            ours = timings["npgfast"]
            for side, timing in timings.items():
                if timing is None:
                    print(f"    {side:<13} more than 2 s per call")
                    continue
                fastest, median = (bench.SCALE * work / seconds for seconds in (timing.fastest, timing.median))
                ratio = f"{timing.fastest / ours.fastest:10.1f} times as long" if ours and side != "npgfast" else ""
                print(f"    {side:<13} {fastest:12.4g} ({median:.4g}){ratio}")


if __name__ == "__main__":
    main()
