"""Looks through a trace: that it is JSON in the trace event format, sorted, that slices of a thread
are inside each other, that each wait begins and ends once; and counts what is in it.

Usage: trace_check.py FILE NAME=COUNT...    each count exact, or at least with a + behind it

NAME is a slice's or moment's name, or outcome:NAME, or wait, threads.
"""

import collections
import json
import sys


def main(path, wanted):
    """Exit status: 0 where all holds."""
    with open(path, encoding="utf-8") as stream:
        trace = json.load(stream)
    counts = collections.Counter()
    names = {}
    last = 0
    waits = {}
    open_slices = collections.defaultdict(list)
    for event in trace["traceEvents"]:
        phase = event["ph"]
        assert event["pid"] == 1
        if phase == "M":
            names[event["tid"]] = event["args"]["name"]
            continue
        assert event["ts"] >= last, f"not sorted: {event}"
        assert names[event["tid"]] == f"worker {event['tid'] - 1}"
        last = event["ts"]
        if phase == "X":
            assert event["dur"] >= 0
            stack = open_slices[event["tid"]]
            end = event["ts"] + event["dur"]
            while stack and stack[-1] <= event["ts"] + 0.0005:
                stack.pop()
            assert not stack or end <= stack[-1] + 0.0005, f"slices cross: {event}"
            stack.append(end)
            counts[event["name"]] += 1
            if event["cat"] == "job":
                assert event["args"]["attempt"] >= 1
                assert int(event["args"]["job"]) > 0
                counts["outcome:" + event["args"]["outcome"]] += 1
        elif phase == "b":
            assert event["id"] not in waits
            waits[event["id"]] = event["name"]
            counts["wait"] += 1
        elif phase == "e":
            assert waits.pop(event["id"]) == event["name"]
        else:
            assert phase == "i"
            assert event["s"] == "t"
            counts[event["name"]] += 1
    assert not waits
    assert names.pop(0) == "leat"
    counts["threads"] = len(names)
    for item in wanted:
        name, count = item.rsplit("=", 1)
        least = count.endswith("+")
        count = int(count.rstrip("+"))
        assert counts[name] == count or (least and counts[name] > count), \
            f"{counts[name]} of {name}, not {item}: {dict(counts)}"
    return 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
