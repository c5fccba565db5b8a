"""Tests of the pools of tools/rivals.py, with a program of a few lines in the place of leat_rivals:
several rows of one run, percentiles, histograms, and bars of ours alone.

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

import perf_table  # noqa: E402
import rivals  # noqa: E402
import rivals_cases  # noqa: E402
import rivals_sched  # noqa: E402

# Answers each line from the table beside it, and notes the line.
FAKE = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
table = json.loads((here / "table.json").read_text())
assert sys.argv[1:] == ["sched"]
print(json.dumps(table["description"]), flush=True)
for line in sys.stdin:
    with open(here / "lines", "a") as notes:
        notes.write(line)
    row, items, name = line.strip().split(maxsplit=2)
    answer = {{"ns": table["ns"][name], "wrong": int(name == table.get("wrong"))}}
    if name in table["samples"] and row != "outside_1w":
        answer["samples"] = table["samples"][name]
    print(json.dumps(answer), flush=True)
"""


def table():
    """What the program knows."""
    def one(row, name, threads):
        return {"row": row, "name": name, "threads": threads,
                "note": "one queue" if name == "mutex pool" else ""}

    shared = ("mutex pool", "libuv")
    return {
        "description": {
            "machine": {"leat_commit": "abc1234", "cpu_model": "Xeon", "cores": "2"},
            "left_out": "glib",
            "contestants": [one(row, name, threads)
                            for row, threads in (("outside_1w", 2), ("outside_2w", 3),
                                                 ("priority", 2), ("submit_call", 2),
                                                 ("starvation", 2), ("latency_idle_1w", 2),
                                                 ("mixed_1w", 2), ("mixed_latency", 2))
                            for name in ("leat tasks", *shared)]
                           + [one("job_outside_1w", name, 2) for name in shared]},
        "ns": {"leat tasks": 30, "mutex pool": 100, "libuv": 60},
        "samples": {"leat tasks": [100, 200, 300, 2500], "mutex pool": [250_000] * 4,
                    "libuv": [1_000, 2_000, 2_000, 90_000]}}


class Case(unittest.TestCase):
    """A folder with the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.program = self.root / "program"
        self.program.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
        self.program.chmod(0o755)
        self.file = self.root / "r.json"
        self.write(table())

    def write(self, data):
        (self.root / "table.json").write_text(json.dumps(data), encoding="utf-8")

    def command(self, *arguments):
        """(exit status, text on both streams)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = rivals.main(["sched", "--program", str(self.program), "--json",
                                  str(self.file), "--pairs", "3", *arguments])
        return status, out.getvalue()

    def rows(self, names, *arguments):
        """name → row of the result."""
        status, output = self.command("--rows", names, *arguments)
        self.assertEqual(status, 0, output)
        data = json.loads(self.file.read_text(encoding="utf-8"))
        return {row["name"]: row for row in data["rows"]}

    def test_a_row_without_samples(self):
        row = self.rows("outside_1w")["outside_1w"]
        self.assertEqual((row["ours"], row["algorithm"], row["unit"]), (30, "tasks", "ns"))
        self.assertEqual(row["rivals"]["libuv"],
                         {"value": 60, "ratio_median": 0.5, "ratio_low": 0.5, "ratio_high": 0.5})
        self.assertEqual(row["notes"], {"mutex pool": "one queue"})
        self.assertNotIn("p999_ns", row)
        self.assertNotIn("oversubscribed", row)
        lines = (self.root / "lines").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(lines), 4 * 3)
        self.assertIn("outside_1w 40000 mutex pool", lines)

    def test_more_threads_than_cpus(self):
        self.assertTrue(self.rows("outside_2w", "--scale", "0.5")["outside_2w"]["oversubscribed"])
        self.assertIn("outside_2w 20000 libuv", (self.root / "lines").read_text(encoding="utf-8"))

    def test_two_rows_of_one_run(self):
        rows = self.rows("priority_.*")
        self.assertEqual(sorted(rows), ["priority_p50", "priority_p99"])
        self.assertEqual(rows["priority_p50"]["ours"], 200)
        self.assertEqual(rows["priority_p99"]["ours"], 2500)
        self.assertEqual(rows["priority_p99"]["rivals"]["mutex pool"]["ratio_median"], 0.01)
        self.assertEqual(rows["priority_p99"]["p9999_ns"],
                         {"tasks": 2500, "mutex pool": 250_000, "libuv": 90_000})
        self.assertEqual(rows["priority_p99"]["samples"]["libuv"], 12)
        self.assertEqual(rows["priority_p50"]["histogram_ns"]["tasks"],
                         [[100, 3], [200, 3], [300, 3], [3000, 3]])
        self.assertEqual(len((self.root / "lines").read_text(encoding="utf-8").splitlines()), 12)
        self.assertEqual(sorted(self.rows("priority_p99")), ["priority_p99"])

    def test_bars_of_ours_alone(self):
        _, output = self.command("--rows", "priority_p99|submit_call_p50|outside_1w")
        lines = output.splitlines()
        self.assertTrue(any(line.startswith("| priority_p99 | time | 2 500 | libuv | 90 000 |")
                            and line.endswith("| 3 000 ns | – | bar met |") for line in lines),
                        output)
        self.assertTrue(any(line.startswith("| submit_call_p50 | time | 200 |")
                            and line.endswith("| 60.0 ns | 30.0 ns | NOT MET |") for line in lines))
        self.assertTrue(any(line.startswith("| outside_1w | time | 30.0 | libuv | 60.0 | 0.50 |")
                            and line.endswith("| 0.60 × | 0.30 × | bar met |") for line in lines))

    def test_a_bar_of_all_rounds_together(self):
        self.rows("starvation_.*")
        data = json.loads(self.file.read_text(encoding="utf-8"))
        text = perf_table.bars_table(data, {}, "r.json")
        self.assertIn("| starvation_p99 | all p99.9 | itself | 1 000 000 ns | – | 2 500 ns | – | "
                      "bar |", text)
        self.assertNotIn("starvation_p50", text)
        data["rows"][1]["p999_ns"]["tasks"] = 1_000_001
        self.assertIn("| 1 000 001 ns | – | NO |", perf_table.bars_table(data, {}, "r.json"))
        del data["rows"][1]["p999_ns"]
        with self.assertRaisesRegex(perf_table.Problem, "starvation_p99 has no field 'p999_ns'"):
            perf_table.bars_table(data, {}, "r.json")

    def test_one_worker_has_the_bars_of_two(self):
        for what in ("busy", "idle"):
            for part in ("p50", "p99"):
                self.assertEqual(rivals_sched.RATIO_BARS[f"latency_{what}_1w_{part}"],
                                 rivals_sched.RATIO_BARS[f"latency_{what}_{part}"])
        self.rows("latency_idle_1w_p99|mixed_.*")
        data = json.loads(self.file.read_text(encoding="utf-8"))
        lines = perf_table.bars_table(data, {}, "r.json").splitlines()
        self.assertEqual(lines[4:], ["| latency_idle_1w_p99 | time | libuv | 1.05 × | 0.90 × | "
                                     "0.03 × | 0.03 – 0.03 | goal |"])
        self.assertEqual([row["name"] for row in data["rows"]],
                         ["latency_idle_1w_p99", "mixed_1w", "mixed_latency_p50",
                          "mixed_latency_p99"])

    def test_a_row_without_ours(self):
        status, output = self.command("--rows", "job_outside_1w|outside_1w")
        self.assertEqual(status, 0)
        self.assertIn("job_outside_1w: there is no leat jobs", output)

    def test_a_lost_job(self):
        self.write({**table(), "wrong": "libuv"})
        status, output = self.command("--rows", "outside_1w")
        self.assertEqual(status, 1)
        self.assertIn("libuv in outside_1w", output)

    def test_the_file_is_what_perf_table_reads(self):
        self.rows("priority_p99|outside_2w")
        data = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertEqual(data["group"], "sched")
        text = perf_table.rows_table(data, {}, "r.json")
        self.assertIn("| priority_p99 | **tasks** | ns | 2 500 |", text)
        self.assertIn(" | 2 500 | yes; oversubscribed |", text)
        text = perf_table.histogram_table(data, {"filter": "priority"}, "r.json")
        self.assertIn("| priority_p99 | **tasks** | 12 | 75.0 | 100.0 | 100.0 | 100.0 | 100.0 |",
                      text)
        self.assertIn("| priority_p99 | libuv | 12 | 25.0 | 75.0 | 75.0 | 100.0 | 100.0 |", text)
        with self.assertRaises(perf_table.Problem):
            perf_table.histogram_table(data, {"filter": "outside"}, "r.json")

    def test_percentiles_are_samples(self):
        values = list(range(1, 101))
        self.assertEqual([rivals_cases.percentile(values, part) for part in (1, 50, 99, 99.9, 100)],
                         [1, 50, 99, 100, 100])
        self.assertEqual(rivals_cases.percentile([7], 50), 7)

    def test_a_histogram_counts_its_ends_in(self):
        self.assertEqual(rivals_cases.histogram([0, 100, 101, 1000, 10 ** 12]),
                         [[100, 2], [200, 1], [1000, 1], [rivals_cases.STEPS[-1], 1]])


if __name__ == "__main__":
    unittest.main()
