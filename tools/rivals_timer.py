#!/usr/bin/env python3
"""Measures Leat's timing wheel against other libraries' timers, pair by pair, with
build/release/bench/leat_rivals_timer.

  tools/bench rivals timer [--json FILE] [--pairs N] [--rows REGEX]

builds what is needed and calls this. Rounds, ratios, intervals and the file are those of
tools/rivals.py. Each run begins with new timers, so that of arming includes the first touch of
memory, with all contestants. Exit status: as there.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import statistics
import sys

import rivals

Row = collections.namedtuple("Row", "name use items")
ROWS = [Row(f"{use}_{size}", use, items)
        for size, items in (("100k", 100_000), ("1m", 1_000_000), ("10m", 10_000_000))
        for use in ("arm", "cancel", "fire")]
ROWS.append(Row("rearm_1m", "rearm", 1_000_000))
OURS = "leat wheel"
DEFAULT_ROWS = ".*_1m"

# (bar, goal) of ours / theirs against the best rival. The goals are those against a rival that is
# compared by hand.
BARS = {"arm_1m": (0.2, 0.2), "cancel_1m": (0.2, 0.2), "fire_1m": (0.6, 0.6)}


class Program(rivals.Program):
    """leat_rivals_timer, which runs one kind of timers for each line that it is given."""

    def command(self, row, name, items, timed=False):
        return f"{row.use} {items} {name}\n"


def measure(program, row, pairs, scale):
    """One row of the result."""
    kinds = {kind["name"]: kind for kind in program.description["timers"]
             if row.use in kind["uses"]}
    items = max(1, round(row.items * scale))
    found = rivals.rounds(program, row, kinds, pairs, {"items": items})
    times = {name: [result["ns"] for result in results] for name, results in found.items()}
    result = {"name": row.name, "unit": "ns", "ours": statistics.median(times[OURS]),
              "algorithm": OURS, "items": items, "rivals": {},
              "notes": {name: kinds[name]["note"] for name in found if kinds[name]["note"]}}
    if row.use == "arm":
        result["bytes_per_timer"] = {OURS: found[OURS][0]["bytes"]}
    for name in found:
        if name != OURS:
            middle, low, high = rivals.interval(rivals.ratios(times[OURS], times[name]))
            result["rivals"][name] = {"value": statistics.median(times[name]),
                                      "ratio_median": middle, "ratio_low": low,
                                      "ratio_high": high}
    gave_up = set(kinds) - set(found)
    if gave_up:
        result["gave_up"] = sorted(gave_up)
    result["wrong"] = sorted(name for name, results in found.items()
                             if any(one["wrong"] for one in results))
    result["checked"] = not result["wrong"]
    return result


def machine_of(program):
    """What was measured, and on what."""
    machine = rivals.machine_of(program.description, program)
    del machine["waiting"]
    return machine


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Measures Leat's timers against others.")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there")
    parser.add_argument("--pairs", type=int, default=rivals.PAIRS_LEAST,
                        help="rounds that count")
    parser.add_argument("--rows", default=DEFAULT_ROWS, metavar="REGEX",
                        help="whole names of rows; usual: those of a million timers")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the usual items")
    parser.add_argument("--program", type=pathlib.Path,
                        default=rivals.ROOT / "build/release/bench/leat_rivals_timer")
    options = parser.parse_args(arguments)
    rivals.TIME_BARS.update(BARS)
    try:
        with Program(options.program) as program:
            result = {"group": "timer", "pairs": options.pairs, "machine": machine_of(program),
                      "rows": []}
            for row in ROWS:
                if re.fullmatch(options.rows, row.name):
                    result["rows"].append(measure(program, row, options.pairs, options.scale))
                    print(rivals.details(result["rows"][-1]) + "\n", flush=True)
        if not result["rows"]:
            raise rivals.Problem(f"no row is called {options.rows}")
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except (OSError, rivals.Problem, re.error) as problem:
        print(f"rivals: {problem}", file=sys.stderr)
        return 2
    print(rivals.summary(result["rows"]))
    if result["machine"].get("left_out"):
        print(f"not installed, and left out: {result['machine']['left_out']}")
    if options.pairs < rivals.PAIRS_LEAST:
        print(f"fewer than {rivals.PAIRS_LEAST} pairs: no result to quote")
    if result["machine"]["load_before"] > rivals.LOAD_MOST:
        print(f"the load was {os.getloadavg()[0]:.2f}: the machine was not quiet")
    return rivals.complain(result["rows"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
