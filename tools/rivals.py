#!/usr/bin/env python3
"""Measures Leat against other libraries, pair by pair, with build/release/bench/leat_rivals.

  tools/bench rivals ring|sched|timer|log [--json FILE] [--pairs N] [--rows REGEX] [--instructions]

builds what is needed and calls this. The groups are in rivals_ring.py, _sched.py, _timer.py and
_log.py, what their bars are held against in rivals_bars.py.

In each round every contestant of a row runs once, for the same number of items, in an order that
is shuffled by a fixed seed; the first round does not count. A ratio is ours / theirs of one round,
so that below 1 Leat is ahead; shown are the median of the ratios and a 95 % interval of it, by
bootstrap.

The file is what `gen:rows` of tools/perf_table.py reads. Exit status: 0 measured, whatever came
out; 1 an item was lost, doubled or out of order, or a rival's run did not end; 2 cannot run.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import sys
import tempfile

import perf_table
from rivals_bars import GROUPS, held, verdict
from rivals_rounds import SEED, Problem, Program

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAIRS_LEAST = 30       # fewer say little; the tool says so


# ---- report ----------------------------------------------------------------------------------

def summary(group, rows):
    """Per row, and per bar of it, the best rival and how far ours is from it."""
    number = perf_table.number
    lines = []
    for row in rows:
        for one in held(group, row):
            bar = one.bar
            shown = ["–", "–", "–", "–"] if one.rival is None else [
                one.rival, number(bar.theirs[one.rival]), number(one.ratio),
                f"{number(one.low)} – {number(one.high)}"]
            lines.append([row["name"] + (" *" if row.get("oversubscribed") else ""), bar.what,
                          number(bar.ours), *shown,
                          *perf_table.ends_of(bar), verdict(one)])
    return perf_table.table(["row", "what", "ours ns", "best rival", "theirs ns", "ours / theirs",
                             "interval", "bar", "goal", "result"], lines)


COLUMNS = {"p50_ns": "p50", "p99_ns": "p99", "p999_ns": "p99.9", "p9999_ns": "p99.99",
           "max_ns": "max", "samples": "samples", "p999_done_ns": "p99.9 with waiting",
           **perf_table.FACTS}


def details(row):
    """Everybody in one row, the fastest first."""
    number = perf_table.number
    columns = [key for key in COLUMNS if key in row]
    lines = []
    entries = {row["algorithm"]: {"value": row["ours"]}, **row["rivals"]}
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["value"]):
        is_ours = name == row["algorithm"]
        ratio, spread = ("", "") if is_ours else (
            number(entry["ratio_median"]),
            f"{number(entry['ratio_low'])} – {number(entry['ratio_high'])}")
        lines.append([f"**{name}**" if is_ours else name, number(entry["value"]), ratio, spread,
                      *(number(row[key].get(name)) for key in columns), row["notes"].get(name, "")])
    head = row["name"] + (" (oversubscribed)" if row.get("oversubscribed") else "")
    head += f" ({row['pairs']} pairs)" if "pairs" in row else ""
    return f"{head}\n\n" + perf_table.table(
        ["who", "ns", "ours / theirs", "interval", *(COLUMNS[key] for key in columns), "note"],
        lines)


def machine_of(program, options):
    """What was measured, on what, and how."""
    machine = {name.removeprefix("leat_"): value
               for name, value in program.description["machine"].items()}
    machine["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    machine["load_before"] = round(os.getloadavg()[0], 2)
    machine["seed"] = SEED
    if options.scale != 1:
        machine["scale"] = options.scale
    machine.update(GROUPS[options.group].facts(program, options))
    if program.description["left_out"]:
        machine["left_out"] = program.description["left_out"]
    return machine


def compare(options):
    """Measures; returns the result."""
    options.directory = options.directory or options.program.resolve().parent
    environment = getattr(GROUPS[options.group], "ENVIRONMENT", {})
    with (tempfile.TemporaryDirectory(prefix="leat-", dir=options.directory) as folder,
          Program(options.program, options.group, {**environment, "TMPDIR": folder}) as program):
        result = {"group": options.group, "pairs": options.pairs,
                  "machine": machine_of(program, options), "rows": []}
        for measured in GROUPS[options.group].measure_all(program, options):
            print(details(measured) + "\n", flush=True)
            result["rows"].append(measured)
    return result


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Measures Leat against other libraries.")
    parser.add_argument("group", choices=list(GROUPS), help="what is measured")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there")
    parser.add_argument("--pairs", type=int, default=PAIRS_LEAST, help="rounds that count")
    parser.add_argument("--rows", default=".*", metavar="REGEX", help="whole names of rows")
    parser.add_argument("--instructions", action="store_true",
                        help="count the instructions of `solo` with valgrind, too")
    parser.add_argument("--pauses", type=int, help="in front of another try, instead of the usual")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the usual items")
    parser.add_argument("--directory", type=pathlib.Path,
                        help="on whose disk logs are; else the program's")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bench/leat_rivals")
    options = parser.parse_args(arguments)
    try:
        result = compare(options)
        if not result["rows"]:
            raise Problem(f"no row is called {options.rows}")
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except (OSError, Problem, re.error) as problem:
        print(f"rivals: {problem}", file=sys.stderr)
        return 2
    print(summary(options.group, result["rows"]))
    print("\n* oversubscribed: more threads than CPUs")
    fewer = [f"{row['name']} ({row['pairs']})" for row in result["rows"] if "pairs" in row]
    if fewer:
        print(f"fewer pairs, as they take long: {', '.join(fewer)}")
    if result["machine"].get("left_out"):
        print(f"not installed, and left out: {result['machine']['left_out']}")
    if options.pairs < PAIRS_LEAST:
        print(f"fewer than {PAIRS_LEAST} pairs: no result to quote")
    if perf_table.not_quiet(result["machine"]):
        print(perf_table.not_quiet(result["machine"]))
    return complain(result["rows"])


def complain(rows):
    """Says what was not in order; returns the exit status."""
    unchecked = [f"{name} in {row['name']}" for row in rows for name in row["wrong"]]
    gave_up = [f"{name} in {row['name']}" for row in rows for name in row.get("gave_up", ())]
    if unchecked:
        print(f"rivals: items were lost, doubled or out of order: {', '.join(unchecked)}",
              file=sys.stderr)
    if gave_up:
        print(f"rivals: did not end, and are not in the figures: {', '.join(gave_up)}",
              file=sys.stderr)
    return 1 if unchecked or gave_up else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
