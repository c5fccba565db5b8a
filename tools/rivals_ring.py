"""The rings of tools/rivals.py: which rows there are, and what is asked of the program for them.

All wait alike when a ring is full or empty: a number of pauses, and where threads share CPUs a
yield from the second refusal on. Some also wait inside a call, which is theirs to do. Where there
are more threads than CPUs, single calls are timed in more rounds.
"""

import collections
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from rivals_rounds import OURS, Bar, Problem, compared, interval, judge, plain, ratios, rounds

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


def bars(row):
    """What is held against a bar."""
    values = {name: rival["value"] for name, rival in row["rivals"].items()}
    yield Bar("time", "ratio", TIME_BARS.get(row["name"]), row["ours"], values)
    if row.get("oversubscribed"):
        yield Bar("p99.9", "p999_ratio", TAIL_BARS, row["p999_ns"][row["algorithm"]],
                  row["p999_ns"])


def pauses(program, options):
    """Before another try."""
    return program.description["pauses"] if options.pauses is None else options.pauses


def facts(program, options):
    """How it was measured."""
    return {"waiting": (f"{pauses(program, options)} pauses; where oversubscribed, a yield from "
                        "the second refusal on")}


def instructions(program, line, name):
    """Instructions per item, counted by callgrind: how many more a longer run takes."""
    totals = []
    for items in INSTRUCTION_ITEMS:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "out"
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *program.words],
                input=line(name, items=items) + "\n", capture_output=True, text=True,
                check=False)
            if done.returncode != 0:
                raise Problem(f"valgrind, {name}: {done.stderr[-500:]}")
            totals.append(int(re.search(r"^totals: (\d+)", file.read_text(), re.M).group(1)))
    return (totals[1] - totals[0]) / (INSTRUCTION_ITEMS[1] - INSTRUCTION_ITEMS[0])


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


def measure_all(program, options):
    """Rows of the result, as they are measured; None for one in which there is none of ours."""
    for row in ROWS:
        if re.fullmatch(options.rows, row.name):
            measured = measure(program, row, options)
            if measured is None:
                print(f"rivals: {row.name}: there is no {OURS}{row.ours}", file=sys.stderr)
            else:
                yield measured


def measure(program, row, options):
    """One row of the result, or None if ours is not there."""
    oversubscribed = row.producers + row.consumers > int(program.description["machine"]["cores"])
    rings = contestants(program, row, oversubscribed)
    if not rings:
        return None
    unit = program.description["items_unit"]
    wanted = max(1, round(row.items * options.scale / unit)) * unit

    def line(name, timed=False, items=wanted):
        return (f"{row.producers} {row.consumers} {int(row.batch)} {int(timed)} "
                f"{pauses(program, options)} {items} {name}")

    found = rounds(program, row.name, rings, options.pairs, line)
    gave_up = set(rings) - set(found)
    rings = {name: rings[name] for name in found}
    ours = OURS + row.ours
    times = {name: [result["ns"] for result in results] for name, results in found.items()}
    locked = "locked_batch" if row.batch else "locked_single"
    result = {
        "name": row.name, "unit": "ns", "ours": statistics.median(times[ours]),
        "algorithm": row.ours, "items": wanted, "rivals": compared(times, ours),
        "bytes_per_slot": named(rings, ours, "bytes_per_slot"),
        "locked_per_item": named(rings, ours, locked),
        "capacity": named(rings, ours, "capacity"),
        "notes": {name: note for name, note in named(rings, ours, "note").items() if note},
    }
    wrong = {name: sum(run["wrong"] for run in results) for name, results in found.items()}
    if oversubscribed:
        result["oversubscribed"] = True
        tails = rounds(program, row.name, rings, options.pairs,
                       lambda name: line(name, timed=True))
        gave_up |= set(rings) - set(tails)
        for name, count in add_tails(row, result, tails).items():
            wrong[name] = wrong.get(name, 0) + count
    elif options.instructions and row.name == "solo":
        result["instructions"] = {plain(name, ours): instructions(program, line, name)
                                  for name in rings}
    return judge(result, wrong, gave_up)


def named(rings, ours, fact):
    """name → fact, with ours under the name of its algorithm."""
    return {plain(name, ours): facts[fact] for name, facts in rings.items()}


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
