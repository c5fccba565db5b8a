#!/usr/bin/env python3
"""Writes the tables of PERFORMANCE.md from result files, so that no number is typed by hand.

  tools/perf_table.py [FILE...]            rewrites the blocks in place (default PERFORMANCE.md)
  tools/perf_table.py --check [FILE...]    changes nothing; exit 1 if a block is not fresh

A block stands between two lines; what is between them is replaced:

  <!-- gen:bench file=bench/results/CPU-CORES/DATE-COMMIT.json filter=BM_ring -->
  <!-- /gen:bench -->

  gen:bench   a result of Google Benchmark. `filter` is a regular expression on names.
  gen:rows    a paired comparison with other libraries: {"group","pairs","machine","rows"}.
  gen:bars    of gen:rows, the rows that are held against a bar, and whether ours meets it.
  gen:facts   of gen:rows, what each contestant has beside its times, such as bytes per item.
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

import rivals_bars

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^<!-- gen:(?P<name>[\w-]+)(?P<arguments>[^\n]*?) -->\n(?P<body>.*?)"
                   r"^<!-- /gen:(?P=name) -->$", re.M | re.S)
MARKER = re.compile(r"^<!-- (/?)gen:", re.M)
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
LOAD_MOST = 0.5  # before a run; with more, something else ran on the machine
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
        return re.fullmatch(r"[-–≤≥\d. ]*( ?([GMk×]|ns))?", cell) is not None

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


def not_quiet(machine):
    """Says so where something else ran before; else nothing."""
    load = machine.get("load_before", 0)
    return f"not quiet: load {load} before" if load > LOAD_MOST else ""


def machine_facts(machine, *others):
    """What is known of a run, joined; that the machine was not quiet stands in front."""
    loud = not_quiet(machine)
    shown = [(name.replace("_", " "), value) for name, value in machine.items()
             if isinstance(value, (str, int, float)) and not (loud and name == "load_before")]
    return facts([("", loud and f"**{loud}**"), *others, *shown])


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
    loud = not_quiet({"load_before": round((context.get("load_avg") or [0])[0], 2)})
    head = facts([("", loud and f"**{loud}**"),
                  ("", context.get("cpu_model")), ("cores", cores or None),
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

def rows_of(data, arguments, where, key=None):
    """The rows that match, and have the key if one is asked for."""
    found = [row for row in field(data, "rows", where)
             if re.search(arguments.get("filter", ""), field(row, "name", where))
             and (key is None or key in row)]
    if not found:
        having = f" with {key}" if key else ""
        raise Problem(f"{where}: no row{having} matches {arguments.get('filter', '')!r}")
    return found


def pairs_head(data, where):
    """What was compared, and on what."""
    return machine_facts(field(data, "machine", where), ("group", field(data, "group", where)),
                         ("pairs", field(data, "pairs", where)))


def row_lines(row, where):
    """Ours, the others, and those of which no run ended."""
    spot = f"{where}: {row['name']}"
    name, unit = row["name"], field(row, "unit", spot)
    tails = row.get("p999_ns", {})
    checked = "yes" if row.get("checked") else ": ".join(
        ["NO", *filter(None, [", ".join(row.get("wrong", ()))])])
    own = row.get("algorithm", "")
    crowd = "; oversubscribed" if row.get("oversubscribed") else ""
    crowd += f"; {row['pairs']} pairs" if "pairs" in row else ""
    lines = [[name, f"**{own or 'ours'}**", unit, number(field(row, "ours", spot)), "", "",
              number(tails.get("ours", tails.get(own))), checked + crowd]]
    rivals = field(row, "rivals", spot)
    gave_up = row.get("gave_up", ())
    for rival in sorted({*rivals, *gave_up}):
        if rival not in rivals:
            lines.append([name, rival, unit, "–", "–", "–", "–", "did not end"])
            continue
        values = rivals[rival]
        spread = (f"{number(field(values, 'ratio_low', spot))} – "
                  f"{number(field(values, 'ratio_high', spot))}")
        lines.append([name, rival, unit, number(field(values, "value", spot)),
                      number(field(values, "ratio_median", spot)), spread,
                      number(tails.get(rival)),
                      "did not end where single calls are timed" if rival in gave_up else ""])
    return lines


def notes_of(rows):
    """What a reader of the rows should know of who is in them: the note of most of their rows, then
    others, with theirs."""
    notes = {}
    for row in rows:
        for who, note in row.get("notes", {}).items():
            notes.setdefault(who, {}).setdefault(note, []).append(row["name"])
    lines = []
    for who, found in sorted(notes.items()):
        first, *others = sorted(found.items(), key=lambda item: -len(item[1]))
        lines.append(f"- {who}: {first[0]}")
        lines += [f"- {who} in {', '.join(names)}: {note}" for note, names in others]
    return "\n".join(lines)


def rows_table(data, arguments, where):
    """Table of one paired comparison: ours beside each other library."""
    rows = rows_of(data, arguments, where)
    headings = ["row", "who", "unit", "per operation", "ours / theirs (median)", "interval",
                "p99.9 ns", "checked"]
    parts = [pairs_head(data, where),
             table(headings, [line for row in rows for line in row_lines(row, where)]),
             notes_of(rows)]
    return "\n\n".join(filter(None, parts))


def in_unit(bar, value):
    """A value that is held against a bar, with its unit."""
    return "–" if value is None else f"{number(value)} {'×' if bar.key else bar.unit}".strip()


def ends_of(bar):
    """Bar and goal."""
    return [in_unit(bar, end) for end in bar.ends or (None, None)]


# Of what is known of a run, what a short table says of it.
HEAD = ("commit", "cpu_model", "cores", "date", "load_before", "scale")
MET = {"goal met": "goal", "bar met": "bar", "NOT MET": "NO"}


def bars_table(data, arguments, where):
    """Table of the rows that have a bar: against whom, and whether ours meets it."""
    group = field(data, "group", where)
    if group not in rivals_bars.GROUPS:
        raise Problem(f"{where}: there is no group {group!r}")
    lines = []
    for row in rows_of(data, arguments, where):
        try:
            judged = [one for one in rivals_bars.held(group, row) if one.bar.ends]
        except KeyError as error:
            raise Problem(f"{where}: {row['name']} has no field {error}") from error
        for one in judged:
            ratio = [in_unit(one.bar, one.ratio),
                     f"{number(one.low)} – {number(one.high)}"] if one.bar.key else [
                         in_unit(one.bar, one.bar.ours), "–"]
            crowd = " *" if row.get("oversubscribed") else ""
            lines.append([row["name"] + crowd, one.bar.what, against(row, one),
                          *ends_of(one.bar), *ratio, MET[rivals_bars.verdict(one)]])
    if not lines:
        raise Problem(f"{where}: no row with a bar matches {arguments.get('filter', '')!r}")
    machine = field(data, "machine", where)
    head = machine_facts({key: machine[key] for key in HEAD if key in machine},
                         ("pairs", field(data, "pairs", where)))
    return head + "\n\n" + table(
        ["row", "what", "held against", "bar", "goal", "ours", "interval", "met"], lines)


def against(row, one):
    """Whom ours is held against, and what to know of that."""
    if not one.bar.key:
        return "itself"
    marks = ["has lost items or their order"] if one.rival in row.get("wrong", ()) else []
    gave_up = ", ".join(row.get("gave_up", ()))
    marks += [f"did not end: {gave_up}"] if gave_up else []
    return one.rival + (f" ({'; '.join(marks)})" if marks else "")


# What an answer may have beside times, by contestant.
FACTS = {"bytes_per_slot": "bytes per slot", "locked_per_item": "locked operations per item",
         "instructions": "instructions per item", "bytes_per_timer": "bytes per timer",
         "bytes_own": "of them by arming", "call_ns": "the call, ns",
         "nodes_most": "timers of a step, at most"}


def facts_table(data, arguments, where):
    """Table of what each contestant has beside its times."""
    rows = [row for row in rows_of(data, arguments, where) if not FACTS.keys().isdisjoint(row)]
    keys = [key for key in FACTS if any(key in row for row in rows)]
    if not rows:
        raise Problem(f"{where}: no row with facts matches {arguments.get('filter', '')!r}")
    lines = []
    for row in rows:
        own = field(row, "algorithm", f"{where}: {row['name']}")
        there = {who for key in keys for who in row.get(key, {})}
        for who in sorted(there, key=lambda name: (name != own, name)):
            lines.append([row["name"], f"**{who}**" if who == own else who,
                          *(number(row.get(key, {}).get(who)) for key in keys)])
    return table(["row", "who", *(FACTS[key] for key in keys)], lines)


TAILS = {"p50_ns": "p50", "p99_ns": "p99", "p999_ns": "p99.9", "p9999_ns": "p99.99",
         "max_ns": "max"}


def tails_table(data, arguments, where):
    """Table of the percentiles of one paired comparison, over the samples of all rounds."""
    lines = []
    for row in rows_of(data, arguments, where, "samples"):
        own = field(row, "algorithm", f"{where}: {row['name']}")
        for who, count in sorted(row["samples"].items(), key=lambda item: (item[0] != own, item)):
            lines.append([row["name"], f"**{who}**" if who == own else who, number(count),
                          *(number(row[key][who] / 1e3) for key in TAILS)])
    return table(["row", "who", "samples", *(f"{title} µs" for title in TAILS.values())], lines)


# Upper ends of the columns, in nanoseconds.
SPANS = {"≤ 1 µs": 1_000, "≤ 3 µs": 3_000, "≤ 10 µs": 10_000, "≤ 100 µs": 100_000,
         "≤ 1 ms": 1_000_000}


def histogram_table(data, arguments, where):
    """Table of the histograms of one paired comparison, in percent of the samples."""
    lines = []
    for row in rows_of(data, arguments, where, "histogram_ns"):
        own = field(row, "algorithm", f"{where}: {row['name']}")
        for who, steps in sorted(row["histogram_ns"].items(),
                                 key=lambda item: (item[0] != own, item[0])):
            total = sum(count for _, count in steps)
            shares = [sum(count for end, count in steps if end <= span) / total
                      for span in SPANS.values()]
            lines.append([row["name"], f"**{who}**" if who == own else who,
                          f"{total:,}".replace(",", " "),
                          *(f"{100 * share:.1f}" for share in shares)])
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
    head = machine_facts(field(data, "machine", where), ("rounds", data.get("rounds")))
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
    head = machine_facts(field(data, "machine", where), ("rounds", data.get("rounds")))
    return head + "\n\n" + table(["row", "work, of which the ns are", "value", "ns",
                                  "value / default", "interval", "so it is"], lines)


# ---- blocks ----------------------------------------------------------------------------------

GENERATORS = {"bench": bench, "rows": rows_table, "bars": bars_table, "facts": facts_table,
              "histogram": histogram_table, "tails": tails_table, "cost": cost_table,
              "knobs": knobs_table}


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
