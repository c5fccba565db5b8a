"""Who is held against which bar in a result of tools/rivals.py, and whether ours meets it.

The bars stand with the groups, in rivals_ring.py, _sched.py, _timer.py and _log.py. Here alone is
decided what becomes of them, for the report of a run and for PERFORMANCE.md.
"""

import collections

import rivals_log
import rivals_ring
import rivals_sched
import rivals_timer
from rivals_rounds import OURS

GROUPS = {"ring": rivals_ring, "sched": rivals_sched, "timer": rivals_timer,
          "log": rivals_log}

# A bar of a row. `rival` is the one that is hardest to beat, with its ratio and the ends of the
# ratio's interval; None where there is none.
Held = collections.namedtuple("Held", "row bar rival ratio low high")


def hardest(row, key, among):
    """Name of the rival that is hardest to beat: the one with the largest ratio."""
    others = [name for name, rival in row["rivals"].items()
              if key in rival and name in among and not name.startswith(OURS)]
    return max(others, key=lambda name: row["rivals"][name][key], default=None)


def held(group, row):
    """Each of the row's bars, with its best rival."""
    for bar in GROUPS[group].bars(row):
        ratio = bar.key or "ratio"
        name = hardest(row, f"{ratio}_median", bar.theirs)
        if name is not None:
            rival = row["rivals"][name]
            yield Held(row, bar, name, rival[f"{ratio}_median"], rival[f"{ratio}_low"],
                       rival[f"{ratio}_high"])
        elif bar.key is None:
            yield Held(row, bar, None, None, None, None)


def verdict(one):
    """Whether what is held is within the bar, and within the goal: the median counts."""
    if one.bar.ends is None:
        return "reported"
    value = one.ratio if one.bar.key else one.bar.ours
    bar, goal = one.bar.ends
    if goal is not None and value <= goal:
        return "goal met"
    return "bar met" if value <= bar else "NOT MET"
