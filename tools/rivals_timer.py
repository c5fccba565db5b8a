"""The group `timer` of tools/rivals.py: the timing wheel beside the timers of other libraries.

Each run begins with new timers, so that of arming includes the first touch of memory, with all
contestants. Without --rows those of a million timers are measured.
"""

import collections
import re
import statistics

from rivals_rounds import compared, judge, rounds

PROGRAM = "leat_rivals_timer"
Row = collections.namedtuple("Row", "name use items")
ROWS = [Row(f"{use}_{size}", use, items)
        for size, items in (("100k", 100_000), ("1m", 1_000_000), ("10m", 10_000_000))
        for use in ("arm", "cancel", "fire")]
ROWS.append(Row("rearm_1m", "rearm", 1_000_000))
WHEEL = "leat wheel"
ROWS_USUAL = ".*_1m"

# (bar, goal) of ours / theirs against the best rival. The goals are those against a rival that is
# compared by hand.
BARS = {"arm_1m": (0.2, 0.2), "cancel_1m": (0.2, 0.2), "fire_1m": (0.6, 0.6)}


def bars(row):
    """What is held against a bar: (what, key of its ratio, bar and goal, name → value)."""
    values = {name: rival["value"] for name, rival in row["rivals"].items()}
    yield "time", "ratio", BARS.get(row["name"]), row["ours"], values


def facts(_program, _options):
    """How it was measured."""
    return {}


def measure_all(program, options):
    """The rows that are asked for, one by one."""
    wanted = ROWS_USUAL if options.rows == ".*" else options.rows
    for row in ROWS:
        if re.fullmatch(wanted, row.name):
            yield measure(program, row, options)


def measure(program, row, options):
    """One row of the result."""
    kinds = {kind["name"]: kind for kind in program.description["timers"]
             if row.use in kind["uses"]}
    items = max(1, round(row.items * options.scale))
    found = rounds(program, row.name, kinds, options.pairs,
                   lambda name: f"{row.use} {items} {name}")
    times = {name: [result["ns"] for result in results] for name, results in found.items()}
    result = {"name": row.name, "unit": "ns", "ours": statistics.median(times[WHEEL]),
              "algorithm": WHEEL, "items": items, "rivals": compared(times, WHEEL),
              "notes": {name: kinds[name]["note"] for name in found if kinds[name]["note"]}}
    if row.use == "arm":
        result["bytes_per_timer"] = {WHEEL: found[WHEEL][0]["bytes"]}
    wrong = {name: sum(one["wrong"] for one in results) for name, results in found.items()}
    judge(result, wrong, set(kinds) - set(found))
    return result
