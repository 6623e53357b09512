"""npgfast beside its peers and the limits of the machine: python benchmarks/peers/run.py [--only ROW ...] [--list]

Every row runs in a process of its own: each side is checked, warmed up, and timed in turn with the others. Medians of 7
calls are shown; a side that takes more than 6 s is run once. Peers that are not installed are skipped by name, and a
failure of one is recorded. Figures go to benchmarks/results/peers.json; with --only they replace those of the rows
named. benchmarks/results/limits.json is measured first, if it is not there or with --limits.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from machine import RESULTS, facts, version, write  # noqa: E402

ROWS = {
    "tabular_rollouts": "tabular_rollouts",
    "cart_pole_rollouts": "cart_pole_rollouts",
    "fisher_product": "fisher",
    "conjugate_gradient": "fisher",
    "ppo_epoch": "ppo_epoch",
    "gae": "gae",
    "cart_pole_learning": "cart_pole_learning",
    "frozen_lake_learning": "frozen_lake_learning",
    "exact_evaluation": "exact_evaluation",
    "exact_optimum": "exact_optimum",
    "import_time": "import_time",
}
PEERS = (
    "gymnasium", "envpool", "numba", "jax", "gymnax", "torch", "stable-baselines3", "sb3-contrib", "rlox", "scipy",
    "mdpsolver", "quantecon",
)  # fmt: skip
TIME_LIMIT = 300  # seconds of one row


def measured(name: str, limits: dict[str, Any]) -> dict[str, Any]:
    """Measure a row in this process."""
    module = importlib.import_module(ROWS[name])
    found: dict[str, Any] = getattr(module, name)(limits)
    return found


def measured_apart(name: str) -> dict[str, Any]:
    """Measure a row in another process, which may crash."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "row.json"
        command = [sys.executable, str(HERE / "run.py"), "--row", name, "--out", str(out)]
        try:
            code = subprocess.run(command, check=False, timeout=TIME_LIMIT).returncode
        except subprocess.TimeoutExpired:
            return {"title": name, "error": f"took more than {TIME_LIMIT} s"}
        if not out.exists():
            return {"title": name, "error": f"ended with code {code} before it was measured"}
        row: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return row


def shown(number: float | None) -> str:
    """Three digits."""
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def print_row(row: dict[str, Any]) -> None:
    """One row as text."""
    if "error" in row:
        print(f"\n{row['title']}: {row['error']}")
        return
    print(f"\n{row['title']}\n  {row['size']}; {row['unit']}, median (best) and time relative to npgfast")
    ours = row["sides"].get("npgfast", {})
    for name, side in row["sides"].items():
        if "median" not in side:
            print(f"    {name:34} {side.get('skipped') or side.get('error')}")
            continue
        ratio = ""
        if "median" in ours and name != "npgfast":
            ratio = f"{side['median'] / side['work'] / ours['median'] * ours['work']:10.3g} x"
        once = " (one run)" if side["repeats"] == 1 else f" ({shown(side['best'])})"
        print(f"    {name:34} {shown(side['value']):>10}{once:12}{ratio}")
    if row["limit"]:
        print(f"    {'limit':34} {shown(row['limit']['value']):>10}  {row['limit']['how']}")
    for target in row["targets"]:
        verdict = {True: "met", False: "MISSED", None: "not judged"}[target["met"]]
        print(f"    target {target['text']}: {shown(target['value'])}, {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(ROWS), metavar="ROW", help="measure these rows alone")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    parser.add_argument("--limits", action="store_true", help="measure the limits again")
    parser.add_argument("--out", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--row", choices=tuple(ROWS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    limits_path = RESULTS / "limits.json"
    if given.list:
        print("\n".join(ROWS))
        return
    if given.row:
        limits = json.loads(limits_path.read_text(encoding="utf-8"))["rates"]
        try:
            found = measured(given.row, limits)
        except Exception as error:  # noqa: BLE001 - recorded, and the next row goes on
            traceback.print_exc()
            found = {"title": given.row, "error": f"{type(error).__name__}: {error}"[:300]}
        write(given.out, found)
        return
    if given.limits or not limits_path.exists():
        subprocess.run([sys.executable, str(HERE.parent / "limits" / "run.py")], check=True)
    report: dict[str, Any] = {"rows": {}}
    if given.out.exists():
        report = json.loads(given.out.read_text(encoding="utf-8"))
    about = facts()
    about["peers"] = {peer: version(peer) for peer in PEERS}
    print(", ".join(f"{key} {fact}" for key, fact in about.items() if key != "peers"))
    print(", ".join(f"{peer} {found or 'not installed'}" for peer, found in about["peers"].items()))
    for name in given.only or ROWS:
        started = time.perf_counter()
        row = measured_apart(name)
        row["seconds"] = round(time.perf_counter() - started, 1)
        row["machine"] = about
        report["rows"][name] = row
        report["rows"] = {known: report["rows"][known] for known in ROWS if known in report["rows"]}
        write(given.out, report)
        print_row(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
