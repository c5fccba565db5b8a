#!/usr/bin/env python3
"""Measures Leat against other libraries, pair by pair, with build/release/bench/leat_rivals.

  tools/bench rivals ring [--json FILE] [--pairs N] [--rows REGEX] [--instructions]

builds what is needed and calls this. Only the group `ring` is there.

In each round every contestant of a row runs once, for the same number of items, in an order that
is shuffled by a fixed seed; the first round does not count. A ratio is ours / theirs of one round,
so that below 1 Leat is ahead; shown are the median of the ratios and a 95 % interval of it, by
bootstrap. Where there are more threads than CPUs, single calls are timed in more rounds.

All wait alike when a ring is full or empty: a number of pauses, and where threads share CPUs a
yield from the second refusal on. Some also wait inside a call, which is theirs to do.

The file is what `gen:rows` of tools/perf_table.py reads. Exit status: 0 measured, whatever came
out; 1 an item was lost, doubled or out of order, or a rival's run did not end; 2 cannot run.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import re
import select
import statistics
import subprocess
import sys
import tempfile

import perf_table

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = "leat "
PAIRS_LEAST = 30       # fewer say little; the tool says so
LOAD_MOST = 0.5        # with more, something else ran on the machine; the tool says so
RESAMPLES = 4000       # of the bootstrap: the interval's ends move by less than they are shown with
SEED = 20261127
RUN_SECONDS_MAX = 20   # of one run, which takes milliseconds: it does not end
INSTRUCTION_ITEMS = (2000, 22000)  # two runs, of which the difference counts

# The numbers of items give about 5 to 30 ms for most contestants.
Row = collections.namedtuple("Row", "name producers consumers batch use ours items")
ROWS = [
    Row("solo", 1, 0, False, "many", "packed", 512_000),
    Row("1p1c", 1, 1, False, "many", "packed", 256_000),
    Row("1p1c_batch32", 1, 1, True, "batched", "packed", 1_024_000),
    Row("2p2c", 2, 2, False, "many", "packed", 256_000),
    Row("2p2c_batch32", 2, 2, True, "batched", "packed", 1_024_000),
    Row("4p4c", 4, 4, False, "many", "packed", 256_000),
    Row("spsc", 1, 1, False, "spsc", "spsc", 512_000),
]

# (bar, goal) of ours / theirs against the best rival: of the time per item, and, where threads
# share CPUs, of the p99.9 of one call.
TIME_BARS = {"solo": (1.6, 1.15), "1p1c": (0.9, 0.7), "1p1c_batch32": (0.7, 0.4)}
TAIL_BARS = (1.0, 0.5)


class Problem(Exception):
    """Why it cannot be measured."""


class NoAnswer(Problem):
    """A run did not end."""


# ---- the program -----------------------------------------------------------------------------

class Program:
    """leat_rivals, which runs one ring for each line that it is given."""

    def __init__(self, path, pauses=None):
        self.path = str(path)
        self.start()
        self.pauses = self.description["pauses"] if pauses is None else pauses

    def start(self):
        """Starts it, or starts it again."""
        try:
            self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise Problem(f"{self.path}: {error.strerror}") from error
        self.description = self.answer()

    def stop(self):
        """Ends it, whatever it is at."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def answer(self):
        """The next line of the program."""
        if not select.select([self.process.stdout], [], [], RUN_SECONDS_MAX)[0]:
            raise NoAnswer(f"no answer for {RUN_SECONDS_MAX} seconds")
        line = self.process.stdout.readline()
        if not line:
            raise Problem(f"the program ended with status {self.process.wait()}")
        return json.loads(line)

    def command(self, row, name, items, timed=False):
        """The line that asks for one run."""
        return (f"{row.producers} {row.consumers} {int(row.batch)} {int(timed)} {self.pauses} "
                f"{items} {name}\n")

    def run(self, row, name, items, timed=False):
        """One run."""
        try:
            self.process.stdin.write(self.command(row, name, items, timed))
            self.process.stdin.flush()
            return self.answer()
        except (Problem, OSError) as error:
            kind = NoAnswer if isinstance(error, NoAnswer) else Problem
            raise kind(f"{row.name}, {name}: {error}") from error


def instructions(program, row, name):
    """Instructions per item, counted by callgrind: how many more a longer run takes."""
    totals = []
    for items in INSTRUCTION_ITEMS:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "out"
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", program.path],
                input=program.command(row, name, items), capture_output=True, text=True,
                check=False)
            if done.returncode != 0:
                raise Problem(f"valgrind, {name}: {done.stderr[-500:]}")
            totals.append(int(re.search(r"^totals: (\d+)", file.read_text(), re.M).group(1)))
    return (totals[1] - totals[0]) / (INSTRUCTION_ITEMS[1] - INSTRUCTION_ITEMS[0])


# ---- rounds ----------------------------------------------------------------------------------

def rounds(program, row, names, count, options):
    """name → the results of `count` rounds. `options` are items and timed of Program.run(). A rival
    whose run does not end is named, and is in no further round and not in the results."""
    shuffler = random.Random(f"{SEED} {row.name}")
    found = {name: [] for name in names}
    for number in range(count + 1):
        order = list(found)
        shuffler.shuffle(order)
        for name in order:
            try:
                result = program.run(row, name, **options)
            except NoAnswer as problem:
                program.stop()
                if name.startswith(OURS):
                    raise
                print(f"rivals: {problem}", file=sys.stderr)
                del found[name]
                program.start()
                continue
            if number > 0:
                found[name].append(result)
    return found


def interval(values):
    """(median, low, high): the 95 % interval of the median, by bootstrap."""
    sampler = random.Random(SEED)
    medians = sorted(statistics.median(sampler.choices(values, k=len(values)))
                     for _ in range(RESAMPLES))
    return (statistics.median(values), medians[int(0.025 * RESAMPLES)],
            medians[int(0.975 * RESAMPLES) - 1])


def ratios(ours, theirs):
    """Ours / theirs, round by round; what took no time at all counts as the clock's least step."""
    return [max(a, 1e-3) / max(b, 1e-3) for a, b in zip(ours, theirs)]


def medians(found, *keys):
    """name → median over the rounds of one number of the results."""
    def pick(result):
        for key in keys:
            result = result[key]
        return result

    return {name: statistics.median(pick(result) for result in results)
            for name, results in found.items()}


def contestants(program, row, oversubscribed):
    """name → facts of those that can run in a row. Empty if ours is not among them."""
    rings = {ring["name"]: ring for ring in program.description["rings"]
             if row.use in ring["uses"]
             and not (oversubscribed and "uncrowded" in ring["uses"])}
    return rings if OURS + row.ours in rings else {}


def measure(program, row, pairs, scale):
    """One row of the result, or None if ours is not there."""
    oversubscribed = row.producers + row.consumers > int(program.description["machine"]["cores"])
    rings = contestants(program, row, oversubscribed)
    if not rings:
        return None
    unit = program.description["items_unit"]
    items = max(1, round(row.items * scale / unit)) * unit
    found = rounds(program, row, rings, pairs, {"items": items})
    gave_up = set(rings) - set(found)
    rings = {name: rings[name] for name in found}
    ours = OURS + row.ours
    times = {name: [result["ns"] for result in results] for name, results in found.items()}
    locked = "locked_batch" if row.batch else "locked_single"
    result = {
        "name": row.name, "unit": "ns", "ours": statistics.median(times[ours]),
        "algorithm": row.ours, "items": items, "rivals": {},
        "bytes_per_slot": named(rings, ours, "bytes_per_slot"),
        "locked_per_item": named(rings, ours, locked),
        "capacity": named(rings, ours, "capacity"),
        "notes": {name: note for name, note in named(rings, ours, "note").items() if note},
    }
    for name in rings:
        if name != ours:
            middle, low, high = interval(ratios(times[ours], times[name]))
            result["rivals"][name] = {"value": statistics.median(times[name]),
                                      "ratio_median": middle, "ratio_low": low,
                                      "ratio_high": high}
    wrong = {name: sum(run["wrong"] for run in results) for name, results in found.items()}
    if oversubscribed:
        result["oversubscribed"] = True
        tails = rounds(program, row, rings, pairs, {"items": items, "timed": True})
        gave_up |= set(rings) - set(tails)
        for name, count in add_tails(row, result, tails).items():
            wrong[name] = wrong.get(name, 0) + count
    if gave_up:
        result["gave_up"] = sorted(gave_up)
    result["wrong"] = sorted(name for name, count in wrong.items() if count != 0)
    result["checked"] = not result["wrong"]
    return result


def named(rings, ours, fact):
    """name → fact, with ours under the name of its algorithm."""
    return {plain(name, ours): facts[fact] for name, facts in rings.items()}


def plain(name, ours):
    """A name as it stands in the result: ours by its algorithm alone."""
    return name.removeprefix(OURS) if name == ours else name


def add_tails(row, result, found):
    """Adds the times of single calls; returns how many items were wrong, by name."""
    ours = OURS + row.ours
    for key, path in (("p999_ns", ("call", "p999")), ("max_ns", ("call", "max")),
                      ("p999_done_ns", ("done", "p999"))):
        result[key] = {plain(name, ours): value
                       for name, value in medians(found, *path).items()}
    tails = {name: [one["call"]["p999"] for one in results] for name, results in found.items()}
    for name in tails.keys() - {ours}:
        middle, low, high = interval(ratios(tails[ours], tails[name]))
        result["rivals"][name].update(p999_ratio_median=middle, p999_ratio_low=low,
                                      p999_ratio_high=high)
    return {name: sum(one["wrong"] for one in results) for name, results in found.items()}


# ---- report ----------------------------------------------------------------------------------

def hardest(row, key):
    """Name of the rival that is hardest to beat: the one with the largest ratio."""
    others = [name for name, rival in row["rivals"].items()
              if key in rival and not name.startswith(OURS)]
    return max(others, key=lambda name: row["rivals"][name][key], default=None)


def verdict(ratio, bars):
    """Whether a ratio is within the bar, and within the goal."""
    if bars is None:
        return "reported"
    bar, goal = bars
    return "goal met" if ratio <= goal else "bar met" if ratio <= bar else "NOT MET"


def summary(rows):
    """Per row, and per bar of it, the best rival and how far ours is from it."""
    number = perf_table.number
    lines = []
    for row in rows:
        kinds = [("time", "ratio", TIME_BARS.get(row["name"]), row["ours"],
                  {name: rival["value"] for name, rival in row["rivals"].items()})]
        if row.get("oversubscribed"):
            kinds.append(("p99.9", "p999_ratio", TAIL_BARS, row["p999_ns"][row["algorithm"]],
                          row["p999_ns"]))
        for what, key, bars, ours, theirs in kinds:
            name = hardest(row, f"{key}_median")
            if name is None:
                continue
            rival = row["rivals"][name]
            spread = f"{number(rival[key + '_low'])} – {number(rival[key + '_high'])}"
            lines.append([row["name"] + (" *" if row.get("oversubscribed") else ""), what,
                          number(ours), name, number(theirs[name]),
                          number(rival[f"{key}_median"]), spread,
                          *(map(number, bars) if bars else ("–", "–")),
                          verdict(rival[f"{key}_median"], bars)])
    return perf_table.table(["row", "what", "ours ns", "best rival", "theirs ns", "ours / theirs",
                             "interval", "bar", "goal", "result"], lines)


COLUMNS = {"p999_ns": "p99.9 of a call", "max_ns": "max", "p999_done_ns": "p99.9 with waiting",
           "instructions": "instructions", "locked_per_item": "locked",
           "bytes_per_slot": "bytes per slot"}


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
    return f"{head}\n\n" + perf_table.table(
        ["who", "ns", "ours / theirs", "interval", *(COLUMNS[key] for key in columns), "note"],
        lines)


def machine_of(description, program):
    """What was measured, on what, and how."""
    machine = {name.removeprefix("leat_"): value
               for name, value in description["machine"].items()}
    machine["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    machine["load_before"] = round(os.getloadavg()[0], 2)
    machine["seed"] = SEED
    machine["waiting"] = (f"{program.pauses} pauses; where oversubscribed, a yield from the second "
                          "refusal on")
    if description["left_out"]:
        machine["left_out"] = description["left_out"]
    return machine


def compare(options):
    """Measures; returns the result."""
    with Program(options.program, options.pauses) as program:
        result = {"group": "ring", "pairs": options.pairs,
                  "machine": machine_of(program.description, program), "rows": []}
        for row in ROWS:
            if not re.fullmatch(options.rows, row.name):
                continue
            measured = measure(program, row, options.pairs, options.scale)
            if measured is None:
                print(f"rivals: {row.name}: there is no {OURS}{row.ours}", file=sys.stderr)
                continue
            if options.instructions and row.name == "solo":
                measured["instructions"] = {
                    plain(name, OURS + row.ours): instructions(program, row, name)
                    for name in contestants(program, row, False)}
            print(details(measured) + "\n", flush=True)
            result["rows"].append(measured)
    return result


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Measures Leat against other libraries.")
    parser.add_argument("group", choices=["ring"], help="what is measured")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there")
    parser.add_argument("--pairs", type=int, default=PAIRS_LEAST, help="rounds that count")
    parser.add_argument("--rows", default=".*", metavar="REGEX", help="whole names of rows")
    parser.add_argument("--instructions", action="store_true",
                        help="count the instructions of `solo` with valgrind, too")
    parser.add_argument("--pauses", type=int, help="in front of another try, instead of the usual")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the usual items")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bench/leat_rivals", help="leat_rivals")
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
    print(summary(result["rows"]))
    print("\n* oversubscribed: more threads than CPUs")
    if result["machine"].get("left_out"):
        print(f"not installed, and left out: {result['machine']['left_out']}")
    if options.pairs < PAIRS_LEAST:
        print(f"fewer than {PAIRS_LEAST} pairs: no result to quote")
    if result["machine"]["load_before"] > LOAD_MOST:
        print(f"the load was {result['machine']['load_before']} before: the machine was not quiet")
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
