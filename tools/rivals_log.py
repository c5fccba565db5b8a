"""The logs of tools/rivals.py: how soon an entry is acknowledged, with 1, 100 or 4 096 on their
way, and how soon all are there again after a crash; beside other queues on the same disk.

Each run has a folder and a process of its own. It puts entries in for a quarter of a second, or
until there are so many of them, ends as in a crash, and opens again: what was acknowledged must be
there.
Rows of 64 bytes have all pairs; others, and those of a recovery, a few. Of our own log there are
there also its weaker mode and its other ways of writing, as contestants.
"""

import os

import rivals_cases
from rivals_cases import Run
from rivals_rounds import OURS, Bar

# What is held against the others: durable jobs, where the program has them; else the log alone.
JOBS = "jobs"
WAL = "wal alone"

PAYLOADS = {"64": 64, "0": 0, "1k": 1024, "16k": 16384}
# Entries of a run at most, by depth.
DEPTHS = {1: 2_000, 100: 30_000, 4096: 131_072}
BYTES_MOST = 256 << 20  # of the payloads of one run
# Entries to be read again; of 64 bytes so many that opening a file is nothing beside them.
RECOVERED = {"64": 200_000, "1k": 20_000, "16k": 4_000}
# Of rows that are not the ones to look at first, and of those that take long.
PAIRS_FEW = 5
PAIRS_RECOVERY = 3


def run_of(name, items, payload, **pairs):
    """One row of its own run."""
    items = min(items, BYTES_MOST // max(PAYLOADS[payload], 1))
    return Run(f"{name}_{payload}", WAL, items, {f"{name}_{payload}": None}, **pairs)


RUNS = [*(run_of(f"durable_depth{depth}", items, payload,
                 **{} if payload == "64" else {"pairs": PAIRS_FEW})
          for payload in PAYLOADS for depth, items in DEPTHS.items()),
        *(run_of("recovery", items, payload, pairs=PAIRS_RECOVERY)
          for payload, items in RECOVERED.items())]

# Row → rival → (bar, goal) of ours / theirs.
RATIO_BARS = {"durable_depth1_64": {"bare disk": (1.2, 1.05)},
              "durable_depth100_64": {"Redis XADD": (0.5, 0.3), "beanstalkd -f0": (0.02, None)}}
# (bar, goal) of ours itself, in nanoseconds.
OWN_BARS = {"durable_depth4096_64": (1_000, 500), "recovery_64": (500, 200)}
# They acknowledge what a crash of the machine can take.
WEAKER = ("beanstalkd -f50", OURS + "jobs os")


def bars(row):
    """What is held against a bar. The log alone is not: it has less to do than jobs."""
    is_jobs = row["algorithm"] == JOBS
    values = {name: rival["value"] for name, rival in row["rivals"].items() if name not in WEAKER}
    for rival, ends in RATIO_BARS.get(row["name"], {}).items():
        if rival in values:
            yield Bar("time", "ratio", ends if is_jobs else None, row["ours"],
                      {rival: values[rival]})
    own = OWN_BARS.get(row["name"])
    if own and is_jobs:
        yield Bar("time", None, own, row["ours"], values)
    else:
        yield Bar("time", "ratio", None, row["ours"], values)


def disk_of(directory, mounts):
    """File system and device of a directory, of the lines of /proc/mounts."""
    there = os.path.realpath(directory)
    found = ("", "unknown")
    for line in mounts:
        device, place, system = line.split()[:3]
        inside = there == place or there.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(found[0]):
            found = (place, f"{system} on {device}")
    return found[1]


def facts(_program, options):
    """How it was measured."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return {"disk": disk_of(options.directory, mounts)}


def measure_all(program, options):
    """The rows that are asked for, as they are measured."""
    has_jobs = any(one["name"] == OURS + JOBS for one in program.description["contestants"])
    runs = [run._replace(ours=JOBS if has_jobs else WAL) for run in RUNS]
    yield from rivals_cases.measure_all(program, runs, options.rows, options)
