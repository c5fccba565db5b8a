#!/usr/bin/env python3
"""Measures what each feature costs a job, with build/release/bench/leat_cost.

  tools/bench cost [--json FILE] [--rounds N] [--cases REGEX] [--items N]

builds what is needed and calls this. In each round every case runs once, in an order that is
shuffled by a fixed seed; the first round does not count. Shown are the median of the nanoseconds,
and of the differences to the bare job of the same round; and instructions for each, which valgrind
counts: those of a longer run less those of a shorter one.

Exit status: 0; 1: a case did not run everything; 2: cannot run.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys

import perf_table

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED = 1
BARE = "job"
SHORT, LONG = 20 * 512, 120 * 512  # items whose instructions are counted
TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.M)


class Problem(Exception):
    """What cannot be measured."""


def run(command):
    """The output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def instructions_of(program, case, items):
    """All instructions of one run."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/stdout",
                           program, case, str(items)], capture_output=True, text=True, check=False)
    found = TOTAL.search(done.stdout)
    if done.returncode != 0 or found is None:
        raise Problem(f"valgrind of {case}: {done.stderr.strip()[-200:]}")
    return int(found[1])


def measure(options):
    """The result: machine and rows."""
    listed = [line.split("\t") for line in run([options.program, "--list"]).splitlines()]
    cases = [name for name, _ in listed if name == BARE or re.fullmatch(options.cases, name)]
    shuffle = random.Random(SEED)
    machine = {"compiler": run([options.program, "--compiler"]).strip(),
               "commit": os.environ.get("LEAT_COMMIT", ""), "cores": os.cpu_count(),
               "cpu": cpu(), "flags": "-O2 -g", "seed": SEED,
               "load_before": round(os.getloadavg()[0], 2),
               "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}
    times = {name: [] for name in cases}
    for number in range(options.rounds + 1):
        for name in shuffle.sample(cases, len(cases)):
            value = float(run([options.program, name, str(options.items)]))
            if number > 0:
                times[name].append(value)
    rows = []
    for name, text in listed:
        if name in times:
            more = [own - bare for own, bare in zip(times[name], times[BARE])]
            count = (instructions_of(options.program, name, LONG) -
                     instructions_of(options.program, name, SHORT)) / (LONG - SHORT)
            rows.append({"name": name, "text": text, "ns": statistics.median(times[name]),
                         "more_ns": statistics.median(more), "instructions": count})
    return {"group": "cost", "rounds": options.rounds, "machine": machine, "rows": rows}


def cpu():
    """The processor's name, as the system has it."""
    names = re.findall(r"^model name\s*: (.*)$",
                       pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return names[0] if names else "unknown"


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Measures what each feature costs.")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there")
    parser.add_argument("--rounds", type=int, default=30, help="that count")
    parser.add_argument("--items", type=int, default=100000, help="of one run")
    parser.add_argument("--cases", default=".*", metavar="REGEX", help="whole names")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bench/leat_cost")
    parser.add_argument("--smoke", action="store_true", help="only show that each case runs")
    options = parser.parse_args(arguments)
    try:
        if options.smoke:
            for line in run([options.program, "--list"]).splitlines():
                run([options.program, line.split("\t")[0], "1000"])
            return 0
        result = measure(options)
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except (OSError, Problem, re.error, ValueError) as problem:
        print(f"cost: {problem}", file=sys.stderr)
        return 2
    print(perf_table.cost_table(result, {}, "the result"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
