"""The timers of tools/rivals.py: the timing wheel beside the timers of other libraries.

Each run has a process of its own and begins with new timers, so that of arming includes the first
touch of memory, with all contestants. Without --rows those of a million timers are measured, and
how late timers fire.
"""

import rivals_cases
from rivals_cases import Run

SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
PARTS = {"p50": 50, "p99": 99, "p999": 99.9}
RUNS = [
    *(Run(use, "wheel", items, {f"{use}_{size}": None})
      for size, items in SIZES.items() for use in ("arm", "cancel", "fire")),
    *(Run(use, "wheel", SIZES["1m"], {f"{use}_1m": None})
      for use in ("rearm", "net_timeout", "remote_arm", "remote_cancel")),
    *(Run(f"accuracy_{how}", "wheel", 1_000,
          {f"accuracy_{how}_{name}": part for name, part in PARTS.items()})
      for how in ("busy", "parked")),
]
ROWS_USUAL = r"(?!.*_(100k|10m)$).*"

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
    """The rows that are asked for, as they are measured."""
    wanted = ROWS_USUAL if options.rows == ".*" else options.rows
    yield from rivals_cases.measure_all(program, RUNS, wanted, options)
