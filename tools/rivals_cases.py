"""Groups of tools/rivals.py of which each row has contestants of its own, each run in a process of
its own: what is asked of the program for them, and what is made of the answers.

One run can give several rows: percentiles of the same samples. The value of a row is that of a
round; the percentiles beside it are those of the samples of all rounds together.
"""

import bisect
import collections
import re
import statistics
import sys

from rivals_rounds import OURS, compared, judge, plain, rounds

# Percentiles that stand beside a row, by the name that they have there.
PERCENTILES = {"p50_ns": 50, "p90_ns": 90, "p99_ns": 99, "p999_ns": 99.9, "p9999_ns": 99.99,
               "max_ns": 100}

# Upper ends of the steps of a histogram.
STEPS = sorted(digit * 10 ** power for digit in (1, 2, 3, 5) for power in range(2, 10))

# What else an answer may have, as it stands beside a row: a figure of each contestant.
FACTS = ("bytes_per_timer", "bytes_own", "call_ns", "nodes_most")

# `name` is what the program calls it, `ours` whom of ours the others are held against. `rows` is
# name → percentile, or None: the time per item. Of a run that takes long there are `pairs` rounds
# at most, which the row says, and `only` these rivals; None: all.
Run = collections.namedtuple("Run", "name ours items rows histogram pairs only",
                             defaults=(False, sys.maxsize, None))


def percentile(ordered, part):
    """The least value that at least `part` % do not exceed."""
    rank = -(-len(ordered) * round(part * 100) // 10_000)
    return ordered[max(rank, 1) - 1]


def histogram(ordered):
    """[[upper end, number of samples], …] of the steps that have any."""
    counts = collections.Counter(bisect.bisect_left(STEPS, value) for value in ordered)
    return [[STEPS[min(step, len(STEPS) - 1)], count] for step, count in sorted(counts.items())]


def measure_all(program, runs, wanted, options):
    """Rows of the result whose whole names match `wanted`, as they are measured."""
    for run in runs:
        names = [name for name in run.rows if re.fullmatch(wanted, name)]
        if names:
            yield from measure(program, run, names, options)


def measure(program, run, wanted, options):
    """The rows that one run gives; none if ours is not there."""
    there = {one["name"]: one for one in program.description["contestants"]
             if one["row"] == run.name}
    ours = OURS + run.ours
    if run.only is not None:
        there = {name: one for name, one in there.items() if name in (ours, *run.only)}
    if ours not in there:
        print(f"rivals: {run.name}: there is no {ours}", file=sys.stderr)
        return
    items = max(1, round(run.items * options.scale))
    pairs = min(options.pairs, run.pairs)
    found = rounds(program, run.name, there, pairs,
                   lambda name: f"{run.name} {items} {name}")
    wrong = {name: sum(one["wrong"] for one in results) for name, results in found.items()}
    beside = samples_of(found, ours, run.histogram)
    for name in wanted:
        part = run.rows[name]
        times = {who: [value_of(one, part) for one in results] for who, results in found.items()}
        result = {
            "name": name, "unit": "ns", "ours": statistics.median(times[ours]),
            "algorithm": run.ours, "items": items, "rivals": compared(times, ours),
            "notes": {plain(who, ours): there[who]["note"] for who in found
                      if there[who]["note"]}, **facts_of(found, ours), **beside}
        if pairs < options.pairs:
            result["pairs"] = pairs
        if there[ours]["threads"] > int(program.description["machine"]["cores"]):
            result["oversubscribed"] = True
        yield judge(result, wrong, set(there) - set(found))


def value_of(result, part):
    """The value of one run."""
    return result["ns"] if part is None else percentile(sorted(result["samples"]), part)


def facts_of(found, ours):
    """fact → name → median over the rounds, of those that have it."""
    facts = {}
    for key in FACTS:
        values = {plain(name, ours): statistics.median(one[key] for one in results)
                  for name, results in found.items() if results and key in results[0]}
        if values:
            facts[key] = values
    return facts


def samples_of(found, ours, with_histogram):
    """What the samples of all rounds say, by name; nothing if there are none."""
    if not any("samples" in result for results in found.values() for result in results):
        return {}
    ordered = {plain(name, ours): sorted(value for result in results for value in result["samples"])
               for name, results in found.items()}
    beside = {key: {name: percentile(values, part) for name, values in ordered.items()}
              for key, part in PERCENTILES.items()}
    beside["samples"] = {name: len(values) for name, values in ordered.items()}
    if with_histogram:
        beside["histogram_ns"] = {name: histogram(values) for name, values in ordered.items()}
    return beside
