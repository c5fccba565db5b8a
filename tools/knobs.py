#!/usr/bin/env python3
"""Measures what each knob that matters to speed buys, with build/release/bench/leat_knobs.

  tools/bench knobs [--json FILE] [--rounds N] [--only REGEX] [--add]

builds what is needed and calls this. A row runs the work that its knob moves, with the lowest value
that somebody would set, the default, and the highest: in each round each of them once, in a process
of its own, in an order that is shuffled by a fixed seed; the first round does not count. A ratio
is that of a round, value / default, so that above 1 the value makes it slower; shown are the median
of the ratios and a 95 % interval of it, by bootstrap. A knob of the build has a program for each
value.

Exit status: 0 measured, whatever came out; 1: a run failed, or (--smoke) the rows are not those
that the knobs name; 2: cannot run.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import knobs_build
import perf_table
from cost import cpu
from rivals_rounds import RUN_SECONDS_MAX, SEED, Problem, interval, ratios, rounds

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT = "default"
BUILD = "build"
REFUSED = 77  # exit status where the system does not allow what a value asks for

Row = collections.namedtuple("Row", "name knob work text low default high changes")


class Programs:
    """Stands for the one program of tools/rivals.py: here each run is a process."""

    def run(self, words, what):
        """Nanoseconds of one run."""
        found = self.tried(words, what)
        if found is None:
            raise Problem(f"{what}: the system refuses it")
        return found

    @staticmethod
    def tried(words, what):
        """The same; None where the system refuses."""
        try:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  check=False, timeout=RUN_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            raise Problem(f"{what}: no answer for {RUN_SECONDS_MAX} seconds") from error
        if done.returncode == REFUSED:
            return None
        if done.returncode != 0:
            raise Problem(f"{what}: {done.stderr.strip() or done.returncode}")
        return float(done.stdout)


def called(words):
    """Output of the program, which must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Problem(done.stderr.strip() or f"{words[0]} ended with {done.returncode}")
    return done.stdout


def rows_of(program, only):
    """The rows whose names have `only` in them."""
    rows = [Row(*line.split("\t")) for line in called([program, "--list"]).splitlines()]
    return [row for row in rows if re.search(only, row.name)]


def words_of(row, value, program, builds, few=False):
    """The command of a run with this value."""
    if value == DEFAULT or row.changes != BUILD:
        wanted = [] if value == DEFAULT else [value]
    else:
        program, wanted = builds.variant(row.knob, value), []
    return [program, *(["--few"] if few else []), row.name, *wanted]


def measure(row, options, builds):
    """A row of the result."""
    programs = Programs()
    commands = {value: words_of(row, value, options.program, builds)
                for value in filter(None, (row.low, DEFAULT, row.high))}
    refused = [value for value, words in commands.items()
               if programs.tried([words[0], "--few", *words[1:]], f"{row.name}, {value}") is None]
    commands = {value: words for value, words in commands.items() if value not in refused}
    times = rounds(programs, row.name, commands, options.rounds, commands.get)
    values = [{"value": value, "refused": True} for value in refused]
    for value in commands:
        middle, low, high = interval(ratios(times[value], times[DEFAULT]))
        values.append({"value": value, "ns": statistics.median(times[value]),
                       "ratio_median": middle, "ratio_low": low, "ratio_high": high})
    order = [row.low, DEFAULT, row.high]
    values.sort(key=lambda one: order.index(one["value"]))
    return {"name": row.name, "knob": row.knob, "work": row.work, "text": row.text,
            "changes": row.changes, "default": row.default, "values": values}


def machine_of(options):
    """What was measured, on what."""
    return {"commit": os.environ.get("LEAT_COMMIT", ""), "flags": "-O2 -g",
            "compiler": called([options.program, "--compiler"]).strip(), "cpu": cpu(),
            "cores": os.cpu_count(), "seed": SEED, "load_before": round(os.getloadavg()[0], 2),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def kept_of(options, machine):
    """The rows of the file that this run adds to: of the same commit, or none."""
    if not options.add or not options.json or not options.json.exists():
        return []
    before = json.loads(options.json.read_text(encoding="utf-8"))
    for name in ("commit", "compiler", "cpu", "cores"):
        if before["machine"][name] != machine[name]:
            raise Problem(f"{options.json} is of another {name}: {before['machine'][name]}")
    if before["rounds"] != options.rounds:
        raise Problem(f"{options.json} is of {before['rounds']} rounds")
    machine["load_before"] = max(machine["load_before"], before["machine"]["load_before"])
    return before["rows"]


def compare(options):
    """Measures and writes; returns the result."""
    machine = machine_of(options)
    kept = {row["name"]: row for row in kept_of(options, machine)}
    wanted = rows_of(options.program, options.only)
    if not wanted:
        raise Problem(f"no row is called {options.only}")
    builds = knobs_build.Builds(ROOT, options.program) if any(
        row.changes == BUILD for row in wanted) else None
    for row in wanted:  # none is compiled while others are timed
        for value in filter(None, (row.low, row.high)):
            words_of(row, value, options.program, builds)
    if options.build:
        return None
    machine["load_before"] = max(machine["load_before"], round(os.getloadavg()[0], 2))
    result = {"group": "knobs", "rounds": options.rounds, "machine": machine}
    for row in wanted:
        kept[row.name] = measure(row, options, builds)
        order = [one.name for one in rows_of(options.program, "")]
        result["rows"] = sorted((one for one in kept.values() if one["name"] in order),
                                key=lambda one: order.index(one["name"]))
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return {**result, "rows": [kept[row.name] for row in wanted]}


def smoke(program):
    """Runs a little of each work, with each value that needs no program of its own."""
    called([program, "--check"])
    done = set()
    for row in rows_of(program, ""):
        values = [DEFAULT] if row.changes == BUILD else filter(None, (row.low, row.high))
        for value in values:
            if (row.work, value) not in done or row.changes != BUILD:
                Programs.tried(words_of(row, value, program, None, few=True),
                               f"{row.name}, {value}")
            done.add((row.work, value))


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Measures what each knob buys.")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there")
    parser.add_argument("--rounds", type=int, default=15, help="that count")
    parser.add_argument("--only", default="", metavar="REGEX", help="in the names of rows")
    parser.add_argument("--add", action="store_true", help="to the rows that FILE has")
    parser.add_argument("--build", action="store_true", help="only build what will be run")
    parser.add_argument("--smoke", action="store_true", help="only show that each row runs")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bench/leat_knobs")
    options = parser.parse_args(arguments)
    try:
        if options.smoke:
            smoke(options.program)
            return 0
        result = compare(options)
    except (OSError, re.error, ValueError, KeyError) as problem:
        print(f"knobs: {problem}", file=sys.stderr)
        return 2
    except Problem as problem:
        print(f"knobs: {problem}", file=sys.stderr)
        return 1
    if result is None:
        return 0
    print(perf_table.knobs_table(result, {}, "the result"))
    if perf_table.not_quiet(result["machine"]):
        print(perf_table.not_quiet(result["machine"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
