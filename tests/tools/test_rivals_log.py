"""Tests of the logs of tools/rivals.py, with a program of a few lines in the place of leat_rivals:
which rows are measured, against whom, and that a log which has lost something is named.

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
import rivals_log  # noqa: E402

NS = {"leat wal alone": 100, "leat jobs": 120, "bare disk": 90, "Redis XADD": 400,
      "beanstalkd -f0": 9_000, "beanstalkd -f50": 80, "leat jobs os": 70,
      "leat jobs dsync": 450}

# Answers each line by the name in it, and notes the line and the folder that it has for logs.
FAKE = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
table = json.loads((here / "table.json").read_text())
assert sys.argv[1:] == ["log"]
assert pathlib.Path(os.environ["TMPDIR"]).is_dir()
(here / "folder").write_text(os.environ["TMPDIR"])
print(json.dumps({{
    "machine": {{"leat_commit": "abc1234", "cpu_model": "Xeon", "cores": "2"}}, "left_out": "",
    "contestants": [{{"row": row, "name": name, "note": "", "threads": 1}}
                    for row in table["rows"] for name in table["ns"]
                    if ("depth1_" in row or name != "bare disk") and
                    (row.startswith("durable") and row.endswith("_64") or
                     not name.startswith("leat jobs "))]}}), flush=True)
for line in sys.stdin:
    with open(here / "lines", "a") as notes:
        notes.write(line)
    row, items, name = line.strip().split(maxsplit=2)
    answer = {{"ns": table["ns"][name], "wrong": int(name == table.get("wrong"))}}
    if row.startswith("durable"):
        answer["samples"] = [1_000] * 99 + [5_000_000]
    print(json.dumps(answer), flush=True)
"""


class Logs(unittest.TestCase):
    """A folder with the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        program = self.root / "program"
        program.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        self.table = {"rows": [run.name for run in rivals_log.RUNS],
                      "ns": {name: ns for name, ns in NS.items() if name != "leat jobs"}}
        self.others = {name for name in NS if name.startswith("leat jobs ")}

    def rows(self, *arguments, status=0):
        """name → row of the result."""
        (self.root / "table.json").write_text(json.dumps(self.table), encoding="utf-8")
        out = io.StringIO()
        file = self.root / "r.json"
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            found = rivals.main(["log", "--program", str(self.root / "program"), "--json",
                                 str(file), "--pairs", "6", *arguments])
        self.output = out.getvalue()
        self.assertEqual(found, status, self.output)
        self.result = json.loads(file.read_text(encoding="utf-8"))
        return {row["name"]: row for row in self.result["rows"]}

    def line(self, start):
        return next(line for line in self.output.splitlines() if line.startswith(start))

    def test_rows(self):
        rows = self.rows()
        self.assertEqual(sorted(rows),
                         sorted([f"durable_depth{depth}_{bytes}" for depth in (1, 100, 4096)
                                 for bytes in ("0", "64", "1k", "16k")] +
                                [f"recovery_{bytes}" for bytes in ("64", "1k", "16k")]))
        self.assertNotIn("pairs", rows["durable_depth1_64"])
        self.assertEqual(rows["durable_depth1_1k"]["pairs"], 5)
        self.assertEqual(rows["durable_depth100_64"]["p99_ns"]["Redis XADD"], 1_000)
        self.assertEqual(rows["durable_depth100_64"]["p999_ns"]["Redis XADD"], 5_000_000)

    def test_a_run_has_not_too_many_bytes(self):
        self.rows("--rows", "durable_depth4096_.*")
        lines = (self.root / "lines").read_text(encoding="utf-8").splitlines()
        self.assertIn("durable_depth4096_64 131072 Redis XADD", lines)
        self.assertIn("durable_depth4096_16k 16384 Redis XADD", lines)

    def test_the_log_alone_is_held_against_no_bar(self):
        self.rows("--rows", ".*_64")
        line = self.line("| durable_depth1_64 | time | 100 | bare disk | 90.0")
        self.assertTrue(line.endswith("| 1.11 | 1.11 – 1.11 | – | – | reported |"))
        self.line("| durable_depth100_64 | time | 100 | beanstalkd -f0 | 9 000 |")
        self.assertNotIn("met", self.output.lower())
        with self.assertRaisesRegex(perf_table.Problem, "no row with a bar matches"):
            perf_table.bars_table(self.result, {}, "file")

    def test_jobs_are(self):
        self.table["ns"] = NS
        rows = self.rows("--rows", ".*_64")
        self.assertEqual(rows["durable_depth1_64"]["algorithm"], "jobs")
        self.assertEqual(rows["durable_depth1_64"]["rivals"]["leat wal alone"]["value"], 100)
        self.assertEqual(rows["durable_depth1_64"]["rivals"]["leat jobs dsync"]["value"], 450)
        self.assertLessEqual(self.others, set(rows["durable_depth4096_64"]["rivals"]))
        self.assertFalse(self.others & set(rows["recovery_64"]["rivals"]))
        for start, end in (
                ("| durable_depth1_64 | time | 120 | bare disk |", "NOT MET |"),
                ("| durable_depth100_64 | time | 120 | Redis XADD |", "goal met |"),
                ("| durable_depth100_64 | time | 120 | bean", "| bar met |"),
                ("| durable_depth4096_64 | time | 120 |", "goal met |"),
                ("| recovery_64 | time | 120 |", "goal met |")):
            self.assertTrue(self.line(start).endswith(end), self.output)
        text = perf_table.bars_table(self.result, {}, "file")
        for line in ("| durable_depth1_64 | time | bare disk | 1.20 × | 1.05 × | 1.33 × | "
                     "1.33 – 1.33 | NO |",
                     "| durable_depth100_64 | time | beanstalkd -f0 | 0.02 × | – | 0.01 × | "
                     "0.01 – 0.01 | bar |",
                     "| recovery_64 | time | itself | 500 ns | 200 ns | 120 ns | – | goal |"):
            self.assertIn(line, text)
        self.assertEqual(text.count("durable_depth4096_64"), 1)

    def test_who_promises_less_is_no_best_rival(self):
        rows = self.rows("--rows", "durable_depth4096_64")
        self.assertEqual(rows["durable_depth4096_64"]["rivals"]["beanstalkd -f50"]["value"], 80)
        self.assertEqual(rows["durable_depth4096_64"]["rivals"]["leat jobs os"]["value"], 70)
        self.assertIn("| durable_depth4096_64 | time | 100 | Redis XADD | 400 |", self.output)

    def test_what_was_lost_is_named(self):
        self.table["wrong"] = "Redis XADD"
        rows = self.rows("--rows", "recovery_64", status=1)
        self.assertEqual(rows["recovery_64"]["wrong"], ["Redis XADD"])
        self.assertIn("lost, doubled or out of order: Redis XADD in recovery_64", self.output)

    def test_the_folder_of_logs(self):
        self.rows("--rows", "recovery_64")
        folder = pathlib.Path((self.root / "folder").read_text(encoding="utf-8"))
        self.assertEqual(folder.parent, self.root.resolve())
        self.assertFalse(folder.exists())
        other = self.root / "other"
        other.mkdir()
        self.rows("--rows", "recovery_64", "--directory", str(other))
        folder = pathlib.Path((self.root / "folder").read_text(encoding="utf-8"))
        self.assertEqual(folder.parent, other)

    def test_the_disk(self):
        mounts = ["/dev/vda / ext4 rw 0 0", "tmpfs /var tmpfs rw 0 0", "/dev/vdb /va xfs rw 0 0"]
        self.assertEqual(rivals_log.disk_of("/var/lib", mounts), "tmpfs on tmpfs")
        self.assertEqual(rivals_log.disk_of("/var", mounts), "tmpfs on tmpfs")
        self.assertEqual(rivals_log.disk_of("/variant", mounts), "ext4 on /dev/vda")
        self.assertEqual(rivals_log.disk_of("/variant", []), "unknown")

    def test_table_of_percentiles(self):
        self.rows("--rows", "durable_depth1_64|recovery_64")
        text = perf_table.tails_table(self.result, {}, "file")
        self.assertIn("| row | who | samples | p50 µs | p99 µs | p99.9 µs | p99.99 µs | max µs |",
                      text)
        self.assertIn("| durable_depth1_64 | bare disk | 600 | 1.00 | 1.00 | 5 000 |", text)
        self.assertLess(text.index("**wal alone**"), text.index("bare disk"))
        with self.assertRaisesRegex(perf_table.Problem, "no row with samples matches 'recovery'"):
            perf_table.tails_table(self.result, {"filter": "recovery"}, "file")


if __name__ == "__main__":
    unittest.main()
