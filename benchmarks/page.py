"""Write the page of results: python benchmarks/page.py [--check]

From limits.json, peers.json, scaling.json and notes.toml in benchmarks/results: README.md there, and its pictures.
--check writes nothing and fails if the page is not what these files say.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from machine import RESULTS


def read(name: str) -> dict[str, Any]:
    """A file of results, or nothing."""
    path = RESULTS / name
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def digits(number: float | None) -> str:
    """Three significant digits."""
    if number is None:
        return ""
    if number >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |"]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]


def machine(about: dict[str, Any]) -> str:
    return (
        f"{about['processors']} processors of {about['processor']}, {about['system']}, instruction set {about['isa']}, "
        f"{about['compiler']}, Python {about['python']}, NumPy {about['numpy']}, "
        f"npgfast {about['npgfast']}, {about['date']}"
    )


def verdict(target: dict[str, Any]) -> str:
    word = {True: "met", False: "**missed**", None: "not judged"}[target["met"]]
    found = "" if target["value"] is None else f" ({digits(target['value'])})"
    return f"{target['text']}: {word}{found}"


def summary(rows: dict[str, dict[str, Any]]) -> list[str]:
    """One line for every row: best peer, limit, npgfast, ratio, targets."""
    lines = []
    for row in rows.values():
        if "error" in row:
            lines.append([row["title"], "", "", row["error"], "", ""])
            continue
        sides = {name: side for name, side in row["sides"].items() if "value" in side}
        peers = {name: side for name, side in sides.items() if not name.startswith("npgfast")}
        ours = sides.get("npgfast")
        fastest = min(peers, key=lambda name: peers[name]["median"] / peers[name]["work"], default=None)
        best = f"{fastest} {digits(peers[fastest]['value'])}" if fastest else ""
        ratio = ""
        if ours and fastest:
            ratio = digits(peers[fastest]["median"] / peers[fastest]["work"] / ours["median"] * ours["work"])
        lines.append(
            [
                f"{row['title']}, {row['unit']}",
                best,
                digits(row["limit"]["value"]) if row["limit"] else "",
                digits(ours["value"]) if ours else "",
                ratio,
                "; ".join(map(verdict, row["targets"])),
            ]
        )
    return table(["work", "fastest peer", "limit, probed", "npgfast", "times as fast as that peer", "targets"], lines)


def details(name: str, row: dict[str, Any], notes: dict[str, str]) -> list[str]:
    """All sides of a row, and what the notes say of it."""
    if "error" in row:
        return [f"### {row['title']}", "", f"Not measured: {row['error']}.", ""]
    lines = []
    ours = row["sides"].get("npgfast", {})
    for side, found in row["sides"].items():
        if "value" not in found:
            lines.append([side, found.get("skipped") or found.get("error", ""), "", "", ""])
            continue
        ratio = ""
        if "median" in ours and side != "npgfast":
            ratio = digits(found["median"] / found["work"] / ours["median"] * ours["work"])
        lines.append([side, digits(found["value"]), digits(found["best"]), str(found["repeats"]), ratio])
    if row["limit"]:
        lines.append([f"limit: {row['limit']['how']}", digits(row["limit"]["value"]), "", "", ""])
    text = [
        f"### {row['title']}",
        "",
        f"{row['size']}; {row['unit']}. `python benchmarks/peers/run.py --only {name}`",
        "",
    ]
    text += [*table(["", "median", "best", "repeats", "time, npgfast = 1"], lines), ""]
    text += [f"- {verdict(target)}" for target in row["targets"]]
    if name in notes:
        text += ["", notes[name].strip()]
    return [*text, ""]


def limits_table(limits: dict[str, Any]) -> list[str]:
    rates = limits["rates"]
    counts = list(rates)
    lines = [
        [f"{probe}: {kind}", *(f"{rates[count][probe][kind]:.3g}" for count in counts)]
        for probe, kinds in rates[counts[0]].items()
        for kind in kinds
    ]
    return table(["per second", *(f"{count} thread{'s' if count != '1' else ''}" for count in counts)], lines)


def scaling_table(scaling: dict[str, Any]) -> list[str]:
    lines, counts = [], []
    for kernel in scaling["kernels"].values():
        points = [point for point in kernel["points"] if "seconds" in point]
        if not points:
            continue
        last, counts = points[-1], list(points[-1]["seconds"])
        slopes = " / ".join("" if s is None else f"{s:.2f}" for s in kernel["slopes"].values())
        spent = [1e3 * last["seconds"][count]["median"] for count in counts]
        lines.append(
            [
                kernel["title"],
                f"{points[0]['size']:,} to {last['size']:,} {kernel['unit']}",
                slopes,
                *map(digits, spent),
                digits(spent[0] / spent[-1]),
                digits(last["peak_bytes"] / 1e6),
            ]
        )
    headers = [f"ms, {count} thread{'s' if count != '1' else ''}" for count in counts]
    return table(["kernel", "sizes", "slopes", *headers, "gain", "MB at its peak"], lines)


def page() -> str:
    """The page as Markdown."""
    limits, peers, scaling = (read(f"{name}.json") for name in ("limits", "peers", "scaling"))
    notes_path = RESULTS / "notes.toml"
    notes = tomllib.loads(notes_path.read_text(encoding="utf-8")) if notes_path.exists() else {}
    text = ["# Results", "", "Written by `python benchmarks/page.py` from the JSON files beside it; do not edit.", ""]
    if peers:
        machines = dict.fromkeys(machine(row["machine"]) for row in peers["rows"].values())
        about = next(iter(peers["rows"].values()))["machine"]
        versions = ", ".join(f"{peer} {found}" for peer, found in about["peers"].items() if found)
        absent = [peer for peer, found in about["peers"].items() if not found]
        text += [f"Machine: {'; '.join(machines)}.", "", f"Peers: {versions}."]
        text += [f"Not installed: {', '.join(absent)}."] if absent else []
        text += [
            "",
            "Every figure is a median over calls made in turn with the other sides, after the answers were checked.",
            "",
        ]
        text += ["## Beside peers and limits", "", *summary(peers["rows"]), "", "![bars](peers.png)", ""]
        for name, row in peers["rows"].items():
            text += details(name, row, notes)
    if scaling:
        text += ["## Cost against size", "", f"Machine: {machine(scaling['machine'])}.", ""]
        text += [
            "Slopes are those in log-log axes, 1 for linear cost. The memory peak is that of one call, result included."
        ]
        text += ["All numbers of threads gave the same bits.", "", *scaling_table(scaling), ""]
        text += [
            "![cost against size](scaling.png)",
            "",
            "![memory](scaling_memory.png)",
            "",
            "![threads](scaling_threads.png)",
            "",
        ]
        text += [notes["scaling"].strip(), ""] if "scaling" in notes else []
    if limits:
        text += [
            "## Limits of the machine",
            "",
            f"`python benchmarks/limits/run.py`, {machine(limits['machine'])}.",
            "",
        ]
        text += [*limits_table(limits), ""]
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    written, path = page(), RESULTS / "README.md"
    if given.check:
        if not path.exists() or path.read_text(encoding="utf-8") != written:
            sys.exit(f"{path} is not what the files beside it say: python benchmarks/page.py")
        return
    path.write_text(written, encoding="utf-8")
    from pictures import draw_memory, draw_peers, draw_scaling, draw_threads

    if peers := read("peers.json"):
        draw_peers(peers, RESULTS / "peers.png")
    if scaling := read("scaling.json"):
        draw_scaling(scaling, RESULTS / "scaling.png")
        draw_memory(scaling, RESULTS / "scaling_memory.png")
        draw_threads(scaling, RESULTS / "scaling_threads.png")
    print(path)


if __name__ == "__main__":
    main()
