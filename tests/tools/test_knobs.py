"""Tests of tools/knobs.py and knobs_build.py, with a program of a few lines in the place of
leat_knobs: ratios are against the default of the same round, a value that the system refuses is
left out and named, pieces are put together, and a macro's other value is found by what is compiled.

Run: python3 -m unittest discover tests/tools
"""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import knobs  # noqa: E402
import knobs_build  # noqa: E402
import perf_table  # noqa: E402
from rivals_rounds import Problem  # noqa: E402

FAKE = """#!{python}
import pathlib, sys
folder = pathlib.Path(__file__).parent
words = sys.argv[1:]
if words == ["--list"]:
    print("knob_spin_ns\\tspin_ns\\tnear\\tfrom submit to start\\t0\\t50us\\t1ms\\trestart")
    print("knob_pinning\\tpinning\\tjobs\\ta job\\t\\tone\\tnone\\trestart")
    print("knob_scheduling\\tscheduling\\tidle\\ta start\\t\\tinherit\\tfifo\\trestart")
elif words == ["--compiler"]:
    print("gcc 12.2.0")
elif words == ["--check"]:
    sys.exit((folder / "broken").exists())
else:
    with open(folder / "runs", "a") as notes:
        notes.write(" ".join(words) + "\\n")
    if words[-1] == "fifo":
        sys.exit(77)
    if "knob_pinning" in words and (folder / "fails").exists():
        sys.exit("it fell")
    print({{"0": 400.0, "1ms": 50.0}}.get(words[-1], 100.0))
"""

HEADER = """/* limits.h */
#define LEAT_CLAIM_MAX 16
#ifndef LEAT_JOIN_ROUNDS /* a model does not look */
#    define LEAT_JOIN_ROUNDS 64
#endif
#define LEAT_SWEEP_NS UINT64_C(1000) /* so often */
"""


class Case(unittest.TestCase):
    """A folder with the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.program = self.root / "program"
        self.program.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
        self.program.chmod(0o755)
        self.file = self.root / "result.json"

    def command(self, *arguments):
        """(exit status, text on both streams)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = knobs.main(["--program", str(self.program), *arguments])
        return status, out.getvalue()

    def measured(self, *arguments):
        """Rows by their names."""
        status, output = self.command("--rounds", "3", "--json", str(self.file), *arguments)
        self.assertEqual(status, 0, output)
        return {row["name"]: row for row in json.loads(self.file.read_text("utf-8"))["rows"]}

    def runs(self):
        """What the program was asked for."""
        return (self.root / "runs").read_text("utf-8").splitlines()


class Measure(Case):
    """Runs and results."""

    def test_ratios_are_value_by_default(self):
        values = self.measured("--only", "spin")["knob_spin_ns"]["values"]
        self.assertEqual([one["value"] for one in values], ["0", "default", "1ms"])
        self.assertEqual([one["ratio_median"] for one in values], [4.0, 1.0, 0.5])
        self.assertEqual([one["ns"] for one in values], [400.0, 100.0, 50.0])

    def test_each_value_runs_once_a_round(self):
        self.measured("--only", "spin")
        runs = [run for run in self.runs() if not run.startswith("--few")]
        self.assertEqual(len(runs), 4 * 3)
        for first in range(0, 12, 3):
            self.assertEqual(sorted(runs[first:first + 3]),
                             ["knob_spin_ns", "knob_spin_ns 0", "knob_spin_ns 1ms"])

    def test_one_side_only(self):
        values = self.measured("--only", "pinning")["knob_pinning"]["values"]
        self.assertEqual([one["value"] for one in values], ["default", "none"])

    def test_what_is_refused_is_named_and_not_measured(self):
        values = self.measured("--only", "scheduling")["knob_scheduling"]["values"]
        self.assertEqual([one["value"] for one in values if one.get("refused")], ["fifo"])
        self.assertNotIn("knob_scheduling fifo", self.runs())

    def test_pieces_are_put_together_in_order(self):
        self.measured("--only", "pinning")
        rows = self.measured("--only", "spin", "--add")
        self.assertEqual(list(rows), ["knob_spin_ns", "knob_pinning"])

    def test_without_add_the_file_is_new(self):
        self.measured("--only", "pinning")
        self.assertEqual(list(self.measured("--only", "spin")), ["knob_spin_ns"])

    def test_pieces_of_another_commit_or_count_are_refused(self):
        self.measured("--only", "pinning")
        self.assertEqual(self.command("--rounds", "4", "--json", str(self.file), "--add")[0], 1)
        data = json.loads(self.file.read_text("utf-8"))
        data["machine"]["commit"] = "other"
        self.file.write_text(json.dumps(data), encoding="utf-8")
        status, output = self.command("--rounds", "3", "--json", str(self.file), "--add")
        self.assertEqual(status, 1)
        self.assertIn("another commit", output)
        self.assertEqual(json.loads(self.file.read_text("utf-8")), data)

    def test_a_run_that_fails_is_said(self):
        (self.root / "fails").touch()
        status, output = self.command("--rounds", "3")
        self.assertEqual(status, 1)
        self.assertIn("knob_pinning, default: it fell", output)

    def test_no_row_of_that_name(self):
        status, output = self.command("--only", "nothing")
        self.assertEqual(status, 1)
        self.assertIn("no row", output)

    def test_no_program(self):
        self.program.unlink()
        self.assertEqual(self.command()[0], 2)


class Smoke(Case):
    """That each row runs."""

    def test_all_values_run(self):
        self.assertEqual(self.command("--smoke"), (0, ""))
        self.assertEqual(self.runs(), ["--few knob_spin_ns 0", "--few knob_spin_ns 1ms",
                                       "--few knob_pinning none", "--few knob_scheduling fifo"])

    def test_names_that_differ_are_a_fault(self):
        (self.root / "broken").touch()
        self.assertEqual(self.command("--smoke")[0], 1)

    def test_a_fault_of_a_row(self):
        (self.root / "fails").touch()
        status, output = self.command("--smoke")
        self.assertEqual(status, 1)
        self.assertIn("knob_pinning, none", output)


class Table(Case):
    """gen:knobs"""

    def test_lines(self):
        self.measured()
        text = perf_table.knobs_table(json.loads(self.file.read_text("utf-8")), {}, "r.json")
        self.assertIn("rounds 3", text)
        self.assertIn("| knob_spin_ns | near: from submit to start | 0 | 400 | 4.00 | "
                      "4.00 – 4.00 | slower |", text)
        self.assertIn("| knob_spin_ns | near: from submit to start | **50us** | 100 "
                      "|  |  |  |", text)
        self.assertIn("| knob_spin_ns | near: from submit to start | 1ms | 50.0 | 0.50 | "
                      "0.50 – 0.50 | faster |", text)
        self.assertIn("| knob_pinning | jobs: a job | none | 100 | 1.00 | 1.00 – 1.00 | – |", text)
        self.assertIn("| knob_scheduling | idle: a start | fifo | – | – | – | refused by the "
                      "system |", text)

    def test_filter(self):
        self.measured()
        data = json.loads(self.file.read_text("utf-8"))
        self.assertNotIn("pinning", perf_table.knobs_table(data, {"filter": "spin"}, "r.json"))
        with self.assertRaises(perf_table.Problem):
            perf_table.knobs_table(data, {"filter": "none"}, "r.json")


class Build(unittest.TestCase):
    """Other values of macros."""

    def test_defined(self):
        text = knobs_build.defined(HEADER, "LEAT_CLAIM_MAX", "1")
        self.assertEqual(text, HEADER.replace("MAX 16", "MAX 1"))
        text = knobs_build.defined(HEADER, "LEAT_JOIN_ROUNDS", "7")
        self.assertEqual(text, HEADER.replace("ROUNDS 64", "ROUNDS 7"))
        text = knobs_build.defined(HEADER, "LEAT_SWEEP_NS", "5")
        self.assertEqual(text, HEADER.replace("UINT64_C(1000)", "5"))
        self.assertIsNone(knobs_build.defined(HEADER, "LEAT_CLAIM", "1"))

    def test_linking(self):
        words = knobs_build.linking(": && cc a/own.o a/rest.o -o bench/x libleat_core.a -lm && :",
                                    "new", ["lib.o"], {"a/own.o": "b.o"})
        self.assertEqual(words, ["cc", "b.o", "a/rest.o", "-o", "new", "lib.o", "libleat_core.a",
                                 "-lm"])

    def test_preprocessing(self):
        self.assertEqual(knobs_build.preprocessing(["cc", "-DX", "-o", "a.o", "-c", "a.c"]),
                         ["cc", "-DX", "a.c", "-E", "-P", "-dU"])

    def test_a_failed_command_is_said(self):
        with self.assertRaises(Problem):
            knobs_build.called(["false"], ".")


if __name__ == "__main__":
    unittest.main()
