#!/usr/bin/env python3
"""Checks the metrics of an engine, and those who ask for them.

  metrics_check.py OPENMETRICS PROMETHEUS MONITORING

The first is read by the OpenMetrics parser of prometheus_client, the second by its parser of the
text format; both must have the same samples but for those that change with time. Each histogram's
buckets must grow and end with its count. Each metric that MONITORING/alerts.yml and dashboard.json
name must be one of the samples. Exit status: 0; 1: a fault; 2: cannot run.
"""

import collections
import json
import pathlib
import re
import sys

from prometheus_client.openmetrics import parser as open_parser
from prometheus_client import parser as plain_parser

# Samples whose values depend on when they are taken, or on the threads' luck.
MOVES = re.compile(r"seconds|worker|steals")
NAME = re.compile(r"\bleat_\w+")


def samples_of(families):
    """(name, labels) -> value, of all samples."""
    samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            if key in samples:
                raise ValueError(f"{key} comes twice")
            samples[key] = sample.value
    return samples


def histograms_check(samples):
    """Faults of buckets."""
    buckets = collections.defaultdict(list)
    for (name, labels), value in samples.items():
        if name.endswith("_bucket"):
            rest = tuple(label for label in labels if label[0] != "le")
            buckets[name, rest].append((float(dict(labels)["le"]), value))
    for (name, rest), bounds in buckets.items():
        values = [value for _, value in sorted(bounds)]
        count = samples[name.replace("_bucket", "_count"), rest]
        if values != sorted(values) or values[-1] != count:
            yield f"{name}{dict(rest)}: {values}, count {count}"
    if not buckets:
        yield "no histogram"


def expressions_of(folder):
    """(where, PromQL) of the rules and the dashboard."""
    for number, line in enumerate((folder / "alerts.yml").read_text().splitlines(), 1):
        yield f"alerts.yml:{number}", line
    dashboard = json.loads((folder / "dashboard.json").read_text())
    panels = dashboard["panels"]
    for panel in panels:
        for target in panel.get("targets", []):
            yield f"dashboard.json: {panel['title']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if isinstance(variable.get("query"), str):
            yield f"dashboard.json: ${variable['name']}", variable["query"]


def faults(opened, plain, folder):
    """All that is wrong."""
    yield from histograms_check(opened)
    if opened.keys() != plain.keys():
        yield f"only one format has {sorted(opened.keys() ^ plain.keys())[:5]}"
    for key in opened.keys() & plain.keys():
        if not MOVES.search(key[0]) and opened[key] != plain[key]:
            yield f"{key} is {opened[key]} and {plain[key]}"
    names = {name for name, _ in opened}
    asked = 0
    for where, text in expressions_of(folder):
        for name in NAME.findall(text):
            asked += 1
            if name not in names:
                yield f"{where}: {name} is not exported"
    if asked < 20:
        yield f"only {asked} metrics are asked for"
    if opened["leat_type_jobs_ended_total", (("state", "dead"), ("type", "mail/bounce"))] != 100:
        yield "wrong number of dead jobs"


def main(arguments):
    """See above."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    opened, plain, folder = map(pathlib.Path, arguments)
    try:
        found = list(faults(
            samples_of(open_parser.text_string_to_metric_families(opened.read_text())),
            samples_of(plain_parser.text_string_to_metric_families(plain.read_text())), folder))
    except (ValueError, KeyError) as error:
        found = [f"{type(error).__name__}: {error}"]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
