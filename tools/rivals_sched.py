"""The pools of tools/rivals.py: which rows there are, and what is asked of the program for them.

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

# `rows` is name → percentile, or None: the time per item. The numbers of items give about 5 to 30
# ms for most contestants, but for those that wait for the clock.
Run = collections.namedtuple("Run", "name ours items rows histogram", defaults=(False,))
RUNS = [
    Run("outside_1w", "tasks", 40_000, {"outside_1w": None}),
    Run("outside_2w", "tasks", 40_000, {"outside_2w": None}),
    Run("outside_4p_2w", "tasks", 40_000, {"outside_4p_2w": None}),
    Run("outside_4x", "tasks", 20_000, {"outside_4x": None}),
    Run("outside_batch32_1w", "tasks", 64_000, {"outside_batch32_1w": None}),
    Run("job_outside_1w", "jobs", 40_000, {"job_outside_1w": None}),
    Run("submit_call", "tasks", 5_000, {"submit_call_p50": 50, "submit_call_p999": 99.9}),
    Run("latency_busy", "tasks", 3_000, {"latency_busy_p50": 50, "latency_busy_p99": 99}),
    Run("latency_busy_1w", "tasks", 3_000, {"latency_busy_1w_p50": 50,
                                            "latency_busy_1w_p99": 99}),
    Run("latency_idle", "tasks", 100, {"latency_idle_p50": 50, "latency_idle_p99": 99}),
    Run("latency_idle_1w", "tasks", 100, {"latency_idle_1w_p50": 50, "latency_idle_1w_p99": 99}),
    Run("mixed_2w", "tasks", 1_000, {"mixed_2w": None}),
    Run("mixed_4x", "tasks", 1_000, {"mixed_4x": None}),
    Run("priority", "tasks", 100, {"priority_p50": 50, "priority_p99": 99}, True),
    Run("starvation", "tasks", 5, {"starvation_p50": 50, "starvation_p99": 99}, True),
]

# (bar, goal) of ours / theirs against the best rival.
RATIO_BARS = {
    "outside_1w": (0.6, 0.3), "outside_2w": (0.6, 0.3), "outside_batch32_1w": (0.2, 0.1),
    "job_outside_1w": (1.0, 0.5),
    "latency_busy_p50": (1.3, 1.0), "latency_busy_p99": (1.3, 1.0),
    "latency_idle_p50": (1.05, 0.9), "latency_idle_p99": (1.05, 0.9),
}
# (bar, goal) of ours itself, in nanoseconds.
OWN_BARS = {"submit_call_p50": (60, 30), "submit_call_p999": (1_000, None),
            "priority_p99": (3_000, None)}


def bars(row):
    """What is held against a bar: (what, key of its ratio, bar and goal, ours, name → value)."""
    values = {name: rival["value"] for name, rival in row["rivals"].items()}
    if row["name"] in OWN_BARS:
        yield "ours", None, OWN_BARS[row["name"]], row["ours"], values
    else:
        yield "time", "ratio", RATIO_BARS.get(row["name"]), row["ours"], values


def facts(_program, _options):
    """How it was measured."""
    return {}


def percentile(ordered, part):
    """The least value that at least `part` % do not exceed."""
    rank = -(-len(ordered) * round(part * 100) // 10_000)
    return ordered[max(rank, 1) - 1]


def histogram(ordered):
    """[[upper end, number of samples], …] of the steps that have any."""
    counts = collections.Counter(bisect.bisect_left(STEPS, value) for value in ordered)
    return [[STEPS[min(step, len(STEPS) - 1)], count] for step, count in sorted(counts.items())]


def measure_all(program, options):
    """Rows of the result, as they are measured."""
    for run in RUNS:
        wanted = [name for name in run.rows if re.fullmatch(options.rows, name)]
        if wanted:
            yield from measure(program, run, wanted, options)


def measure(program, run, wanted, options):
    """The rows that one run gives; none if ours is not there."""
    there = {one["name"]: one for one in program.description["contestants"]
             if one["row"] == run.name}
    ours = OURS + run.ours
    if ours not in there:
        print(f"rivals: {run.name}: there is no {ours}", file=sys.stderr)
        return
    items = max(1, round(run.items * options.scale))
    found = rounds(program, run.name, there, options.pairs,
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
                      if there[who]["note"]}, **beside}
        if there[ours]["threads"] > int(program.description["machine"]["cores"]):
            result["oversubscribed"] = True
        yield judge(result, wrong, set(there) - set(found))


def value_of(result, part):
    """The value of one run."""
    return result["ns"] if part is None else percentile(sorted(result["samples"]), part)


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
