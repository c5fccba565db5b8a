#!/usr/bin/env python3
"""Writes the tables of PERFORMANCE.md from result files, so that no number is typed by hand.

  tools/perf_table.py [FILE...]            rewrites the blocks in place (default PERFORMANCE.md)
  tools/perf_table.py --check [FILE...]    changes nothing; exit 1 if a block is not fresh

A block stands between two lines; what is between them is replaced:

  <!-- gen:bench file=bench/results/CPU-CORES/DATE-COMMIT.json filter=BM_ring -->
  <!-- /gen:bench -->

  gen:bench   a result of Google Benchmark. `filter` is a regular expression on names.
  gen:rows    a paired comparison with other libraries: {"group","pairs","machine","rows"}.
  gen:tails   of gen:rows, percentiles of single operations.
  gen:cost    what each feature costs a job, of tools/cost.py.
  gen:knobs   what each knob buys, of tools/knobs.py.
  gen:histogram  of gen:rows, the rows that have samples of single operations: what part of them is
              not longer than so much.

`file` is a path from the root of the repository.
"""

import argparse
import difflib
import json
import pathlib
import re
import shlex
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^<!-- gen:(?P<name>[\w-]+)(?P<arguments>[^\n]*?) -->\n(?P<body>.*?)"
                   r"^<!-- /gen:(?P=name) -->$", re.M | re.S)
MARKER = re.compile(r"^<!-- (/?)gen:", re.M)
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
# What Google Benchmark puts into every row; every other number of a row is one of our counters.
ROW_FIELDS = {"name", "family_index", "per_family_instance_index", "run_name", "run_type",
              "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time",
              "time_unit", "items_per_second", "bytes_per_second", "label", "aggregate_name",
              "aggregate_unit", "error_occurred", "error_message"}


class Problem(Exception):
    """A block, a file or a field that cannot be used; the text says which."""


def number(value):
    """Three digits or all those before the point: 0.37, 4.71, 35.2, 1 240 000."""
    if value is None:
        return "–"
    if abs(value) < 0.01:
        return f"{value:.2g}"
    if abs(value) < 100:
        return f"{value:.{2 if abs(value) < 10 else 1}f}"
    return f"{value:,.0f}".replace(",", " ")


def rate(value):
    """Operations per second: 28.4 M, 950 k."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{number(value / factor)} {unit}"
    return number(value)


def table(headings, rows):
    """A Markdown table; columns after the first whose cells are all numbers go to the right."""
    def is_number(cell):
        return re.fullmatch(r"[-–≤≥\d. ]*( ?[GMk×])?", cell) is not None

    right = [i > 0 and all(is_number(row[i]) for row in rows) for i in range(len(headings))]
    lines = ["| " + " | ".join(headings) + " |",
             "|" + "|".join("---:" if side else "---" for side in right) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def field(data, key, where):
    """A field that must be there."""
    if not isinstance(data, dict) or key not in data:
        raise Problem(f"{where} has no field {key!r}")
    return data[key]


def facts(pairs):
    """`name value` for what is known, joined."""
    return " · ".join(f"{name} {value}".strip() for name, value in pairs if value not in ("", None))


# ---- Google Benchmark ------------------------------------------------------------------------

def nanoseconds(row, where):
    """Time per operation of one repetition: per item where items are counted."""
    items = row.get("items_per_second")
    if items:
        return 1e9 / items
    unit = field(row, "time_unit", where)
    if unit not in NANOSECONDS:
        raise Problem(f"{where}: unknown time unit {unit!r}")
    return field(row, "real_time", where) * NANOSECONDS[unit]


def bench_notes(rows, cores):
    """Labels, the medians of counters, and whether there were more threads than cores."""
    notes = []
    for row in rows:
        if row.get("label") and row["label"] not in notes:
            notes.append(row["label"])
    if cores and rows[0].get("threads", 1) > cores and "oversubscribed" not in " ".join(notes):
        notes.append("oversubscribed")
    for name in rows[0]:
        if name not in ROW_FIELDS and isinstance(rows[0][name], (int, float)):
            values = [row[name] for row in rows if isinstance(row.get(name), (int, float))]
            notes.append(f"{name} {number(statistics.median(values))}")
    return "; ".join(notes)


def bench(data, arguments, where):
    """Table of one Google Benchmark result: median and range over its repetitions."""
    context = field(data, "context", where)
    cores = int(context.get("cores") or context.get("num_cpus") or 0)
    runs = {}
    for row in field(data, "benchmarks", where):
        if row.get("run_type", "iteration") != "iteration":
            continue
        name = row.get("run_name") or field(row, "name", where)
        if re.search(arguments.get("filter", ""), name):
            runs.setdefault(name, []).append(row)
    if not runs:
        raise Problem(f"{where}: no benchmark matches {arguments.get('filter', '')!r}")
    lines = []
    for name, rows in sorted(runs.items()):
        failed = [row for row in rows if row.get("error_occurred")]
        if failed:
            lines.append([name, "–", "–", "–", f"failed: {failed[0].get('error_message', '')}"])
            continue
        times = [nanoseconds(row, f"{where}: {name}") for row in rows]
        items = [row["items_per_second"] for row in rows if row.get("items_per_second")]
        lines.append([name, number(statistics.median(times)),
                      f"{number(min(times))} – {number(max(times))}",
                      rate(statistics.median(items)) if len(items) == len(rows) else "–",
                      bench_notes(rows, cores)])
    counts = sorted({len(rows) for rows in runs.values()})
    repetitions = "–".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    head = facts([("", context.get("cpu_model")), ("cores", cores or None),
                  ("governor", context.get("governor")), ("commit", context.get("leat_commit")),
                  ("compiler", context.get("leat_compiler")),
                  ("flags", code(context, "leat_flags")), ("date", context.get("date")),
                  ("repetitions", repetitions)])
    return head + "\n\n" + table(["benchmark", "ns per operation (median)", "min – max", "items/s",
                                  "notes"], lines)


def code(data, key):
    """A value in backticks, or nothing."""
    return f"`{data[key]}`" if data.get(key) else None


# ---- paired comparisons ----------------------------------------------------------------------

def rows_table(data, arguments, where):
    """Table of one paired comparison: ours beside each other library."""
    lines = []
    for row in field(data, "rows", where):
        name = field(row, "name", where)
        if not re.search(arguments.get("filter", ""), name):
            continue
        spot = f"{where}: {name}"
        unit = field(row, "unit", spot)
        tails = row.get("p999_ns", {})
        checked = "yes" if row.get("checked") else ": ".join(
            ["NO", *filter(None, [", ".join(row.get("wrong", ()))])])
        own = row.get("algorithm", "")
        crowd = "; oversubscribed" if row.get("oversubscribed") else ""
        crowd += f"; {row['pairs']} pairs" if "pairs" in row else ""
        lines.append([name, f"**{own or 'ours'}**", unit, number(field(row, "ours", spot)), "", "",
                      number(tails.get("ours", tails.get(own))), checked + crowd])
        for rival, values in sorted(field(row, "rivals", spot).items()):
            spread = (f"{number(field(values, 'ratio_low', spot))} – "
                      f"{number(field(values, 'ratio_high', spot))}")
            lines.append([name, rival, unit, number(field(values, "value", spot)),
                          number(field(values, "ratio_median", spot)), spread,
                          number(tails.get(rival)), ""])
    if not lines:
        raise Problem(f"{where}: no row matches {arguments.get('filter', '')!r}")
    machine = field(data, "machine", where)
    shown = [(name.replace("_", " "), value) for name, value in machine.items()
             if isinstance(value, (str, int, float))]
    head = facts([("group", field(data, "group", where)), ("pairs", field(data, "pairs", where)),
                  *shown])
    headings = ["row", "who", "unit", "per operation", "ours / theirs (median)", "interval",
                "p99.9 ns", "checked"]
    return head + "\n\n" + table(headings, lines)


TAILS = {"p50_ns": "p50", "p99_ns": "p99", "p999_ns": "p99.9", "p9999_ns": "p99.99",
         "max_ns": "max"}


def tails_table(data, arguments, where):
    """Table of the percentiles of one paired comparison, over the samples of all rounds."""
    lines = []
    for row in field(data, "rows", where):
        name = field(row, "name", where)
        if not re.search(arguments.get("filter", ""), name) or "samples" not in row:
            continue
        own = field(row, "algorithm", f"{where}: {name}")
        for who, count in sorted(row["samples"].items(), key=lambda item: (item[0] != own, item)):
            lines.append([name, f"**{who}**" if who == own else who, number(count),
                          *(number(row[key][who] / 1e3) for key in TAILS)])
    if not lines:
        raise Problem(f"{where}: no row with samples matches {arguments.get('filter', '')!r}")
    return table(["row", "who", "samples", *(f"{title} µs" for title in TAILS.values())], lines)


# Upper ends of the columns, in nanoseconds.
SPANS = {"≤ 1 µs": 1_000, "≤ 3 µs": 3_000, "≤ 10 µs": 10_000, "≤ 100 µs": 100_000,
         "≤ 1 ms": 1_000_000}


def histogram_table(data, arguments, where):
    """Table of the histograms of one paired comparison, in percent of the samples."""
    lines = []
    for row in field(data, "rows", where):
        name = field(row, "name", where)
        if not re.search(arguments.get("filter", ""), name) or "histogram_ns" not in row:
            continue
        own = field(row, "algorithm", f"{where}: {name}")
        for who, steps in sorted(row["histogram_ns"].items(), key=lambda item: item[0] != own):
            total = sum(count for _, count in steps)
            shares = [sum(count for end, count in steps if end <= span) / total
                      for span in SPANS.values()]
            lines.append([name, f"**{who}**" if who == own else who, f"{total:,}".replace(",", " "),
                          *(f"{100 * share:.1f}" for share in shares)])
    if not lines:
        raise Problem(f"{where}: no row with a histogram matches {arguments.get('filter', '')!r}")
    return table(["row", "who", "samples", *(f"{span}, %" for span in SPANS)], lines)


def cost_table(data, arguments, where):
    """Table of what each feature costs a job."""
    lines = []
    rows = field(data, "rows", where)
    bare = {row["name"]: row for row in rows}["job"]
    for row in rows:
        name = field(row, "name", where)
        if not re.search(arguments.get("filter", ""), name):
            continue
        counted = row["instructions"]
        lines.append([name, row["text"], number(row["ns"]), f"{row['more_ns']:+.1f}",
                      f"{counted:.1f}", f"{counted - bare['instructions']:+.1f}"])
    machine = field(data, "machine", where)
    head = facts([(name.replace("_", " "), value) for name, value in machine.items()] +
                 [("rounds", data.get("rounds"))])
    return head + "\n\n" + table(["case", "what", "ns", "more than a job", "instructions", "more"],
                                   lines)


def moved(entry):
    """What a value does, where the interval leaves no doubt."""
    if entry["ratio_low"] > 1:
        return "slower"
    return "faster" if entry["ratio_high"] < 1 else "–"


def knobs_table(data, arguments, where):
    """Table of what the values of knobs do to a work."""
    lines = []
    for row in field(data, "rows", where):
        name = field(row, "name", where)
        if not re.search(arguments.get("filter", ""), name):
            continue
        for entry in field(row, "values", f"{where}: {name}"):
            usual = entry["value"] == "default"
            value = f"**{row['default'] or 'none'}**" if usual else entry["value"]
            head = [name, f"{row['work']}: {row['text']}", value]
            if entry.get("refused"):
                lines.append([*head, "–", "–", "–", "refused by the system"])
            elif usual:
                lines.append([*head, number(entry["ns"]), "", "", ""])
            else:
                spread = f"{number(entry['ratio_low'])} – {number(entry['ratio_high'])}"
                lines.append([*head, number(entry["ns"]), number(entry["ratio_median"]), spread,
                              moved(entry)])
    if not lines:
        raise Problem(f"{where}: no row matches {arguments.get('filter', '')!r}")
    machine = field(data, "machine", where)
    head = facts([(name.replace("_", " "), value) for name, value in machine.items()] +
                 [("rounds", data.get("rounds"))])
    return head + "\n\n" + table(["row", "work, of which the ns are", "value", "ns",
                                  "value / default", "interval", "so it is"], lines)


# ---- blocks ----------------------------------------------------------------------------------

GENERATORS = {"bench": bench, "rows": rows_table, "histogram": histogram_table,
              "tails": tails_table, "cost": cost_table, "knobs": knobs_table}


def generate(root, name, text):
    """The body of one block, for the name and the arguments of its marker."""
    if name not in GENERATORS:
        raise Problem(f"there is no generator {name!r}")
    arguments = dict(word.partition("=")[::2] for word in shlex.split(text))
    unknown = set(arguments) - {"file", "filter"}
    if unknown:
        raise Problem(f"gen:{name} does not know {', '.join(sorted(unknown))}")
    path = arguments.get("file")
    if not path:
        raise Problem(f"gen:{name} has no file=")
    try:
        data = json.loads((root / path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Problem(f"{path}: {error}") from error
    return f"\n{GENERATORS[name](data, arguments, path)}\n\n"


def blocks(root, text):
    """(match, line, new body or None, problem or None) of every block."""
    matches = list(BLOCK.finditer(text))
    if 2 * len(matches) != len(MARKER.findall(text)):
        inside = [range(match.start(), match.end()) for match in matches]
        for marker in MARKER.finditer(text):
            if not any(marker.start() in span for span in inside):
                line = text.count("\n", 0, marker.start()) + 1
                yield None, line, None, "marker without its other end"
    for match in matches:
        line = text.count("\n", 0, match.start()) + 1
        try:
            yield match, line, generate(root, match["name"], match["arguments"]), None
        except Problem as problem:
            yield match, line, None, str(problem)


def stale_blocks(root, text):
    """(line, message) of every block that is not what its result file gives."""
    for match, line, body, problem in blocks(root, text):
        if problem:
            yield line, problem
        elif match["body"] != body:
            changed = [change for change in difflib.ndiff(match["body"].split("\n"),
                                                          body.split("\n"))
                       if change[0] in "+-" and change[1:].strip()]
            yield line, f"block {match['name']} is not fresh: {changed[0] if changed else 'blanks'}"


def rewrite(root, text):
    """The text with all blocks made new."""
    pieces, last = [], 0
    for match, line, body, problem in blocks(root, text):
        if problem:
            raise Problem(f"line {line}: {problem}")
        pieces += [text[last:match.start("body")], body]
        last = match.end("body")
    return "".join(pieces) + text[last:]


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Writes the tables of PERFORMANCE.md.")
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="where file= begins")
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args(arguments)
    status = 0
    for path in options.files or [options.root / "PERFORMANCE.md"]:
        try:
            text = path.read_text(encoding="utf-8")
            if options.check:
                for line, message in stale_blocks(options.root, text):
                    print(f"{path}:{line}: {message}")
                    status = 1
            else:
                new = rewrite(options.root, text)
                if new != text:
                    path.write_text(new, encoding="utf-8")
        except (OSError, Problem) as problem:
            print(f"perf_table: {path}: {problem}", file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
