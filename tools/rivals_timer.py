"""The timers of tools/rivals.py: the timing wheel beside the timers of other libraries.

Each run has a process of its own and begins with new timers, so that of arming includes the first
touch of what it takes; nodes that a caller brings are there before. All contestants ask for huge
pages. Rows that take long have fewer pairs, and those of ten million timers fewer rivals.
"""

import rivals_cases
from rivals_cases import Run
from rivals_rounds import Bar

ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

SIZES = {"100k": 100_000, "1m": 1_000_000}
MANY = 10_000_000
# Of so many, the rivals that are best with a million.
MANY_RIVALS = {"arm": ("std::priority_queue",), "cancel": ("glib", "libevent"),
               "fire": ("std::multimap", "std::priority_queue")}
PARTS = {"p50": 50, "p99": 99, "p999": 99.9}
RUNS = [
    *(Run(use, "wheel", items, {f"{use}_{size}": None})
      for size, items in SIZES.items() for use in MANY_RIVALS),
    *(Run(use, "wheel", MANY, {f"{use}_10m": None}, pairs=2, only=only)
      for use, only in MANY_RIVALS.items()),
    Run("steps", "wheel", MANY, {"steps_10m": 100}, pairs=2),
    *(Run(use, "wheel", SIZES["1m"], {f"{use}_1m": None}, pairs=5)
      for use in ("rearm", "net_timeout", "remote_arm", "remote_cancel")),
    *(Run(f"accuracy_{how}", "wheel", 1_000,
          {f"accuracy_{how}_{name}": part for name, part in PARTS.items()}, pairs=15)
      for how in ("busy", "parked")),
]

# (bar, goal) of ours / theirs against the best rival. The goals are those against a rival that is
# compared by hand.
BARS = {"arm_1m": (0.2, 0.2), "cancel_1m": (0.2, 0.2), "fire_1m": (0.6, 0.6)}

# A tick of the contestant "leat wheel", by which its timers may be late.
TICK_NS = 2 ** 20
# Beside a tick: of a thread that looks at the clock all the time; and of one that sleeps, beside
# one that sleeps for each deadline, by their names in the row.
BUSY_NS = 50_000
PARKED_TIMES = 1.1
BARE = "bare wait"
# Of a step: (bar, goal) in nanoseconds of CPU time, and in timers.
STEP_BARS = ((1_000_000, None), (1_024, None))


def bars(row):
    """What is held against a bar."""
    values = {name: rival["value"] for name, rival in row["rivals"].items()}
    late = row.get("p999_ns", {})
    if row["name"].startswith("steps"):
        yield Bar("longest step", None, STEP_BARS[0], row["max_ns"]["wheel"], values)
        yield Bar("timers of a step", None, STEP_BARS[1], row["nodes_most"]["wheel"], values, "")
    elif row["name"] == "accuracy_busy_p999":
        yield Bar("all p99.9", None, (TICK_NS + BUSY_NS, None), late["wheel"], late)
    elif row["name"] == "accuracy_parked_p999" and BARE in late:
        bar = TICK_NS + PARKED_TIMES * row["p99_ns"][BARE]
        yield Bar("all p99.9", None, (bar, None), late["wheel"], late)
    else:
        yield Bar("time", "ratio", BARS.get(row["name"]), row["ours"], values)


def facts(_program, _options):
    """How it was measured."""
    return {"pages": "huge, where the system has any"}


def measure_all(program, options):
    """The rows that are asked for, as they are measured."""
    yield from rivals_cases.measure_all(program, RUNS, options.rows, options)
