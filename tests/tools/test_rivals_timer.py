"""Tests of the timers of tools/rivals.py, with a program of a few lines in the place of
leat_rivals: which rows are measured, figures beside a row, and how late timers are.

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

# Answers each line by the name in it, and notes the line.
FAKE = """#!{python}
import json, os, pathlib, sys
assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
assert sys.argv[1:] == ["timer"]
one = lambda row, name: {{"row": row, "name": name, "note": "", "threads": 1}}
print(json.dumps({{
    "machine": {{"leat_commit": "abc1234", "cpu_model": "Xeon", "cores": "2"}}, "left_out": "",
    "contestants": [one("steps", "leat wheel")] +
                   [one(row, name)
                    for row in ("arm", "fire", "remote_arm", "accuracy_busy", "accuracy_parked")
                    for name in ("leat wheel", "libuv", "std::priority_queue")] +
                   [one("accuracy_parked", "bare wait")]}}), flush=True)
for line in sys.stdin:
    with open(pathlib.Path(__file__).parent / "lines", "a") as notes:
        notes.write(line)
    row, items, name = line.strip().split(maxsplit=2)
    ns = 10 if name == "leat wheel" else 40
    answer = {{"ns": ns, "wrong": 0}}
    if row == "arm":
        answer.update(bytes_per_timer=7 * ns, bytes_own=ns)
    if row == "remote_arm":
        answer.update(call_ns=ns / 2)
    if row == "steps":
        answer.update(nodes_most=1025, samples=[999_000])
    if row.startswith("accuracy"):
        answer["samples"] = [ns] * 998 + [100_000 * ns] * 2
    print(json.dumps(answer), flush=True)
"""


class Timers(unittest.TestCase):
    """A folder with the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        program = self.root / "program"
        program.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)

    def rows(self, *arguments):
        """name → row of the result."""
        out = io.StringIO()
        file = self.root / "r.json"
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = rivals.main(["timer", "--program", str(self.root / "program"), "--json",
                                  str(file), "--pairs", "2", *arguments])
        self.assertEqual(status, 0, out.getvalue())
        self.output = out.getvalue()
        self.result = json.loads(file.read_text(encoding="utf-8"))
        return {row["name"]: row for row in self.result["rows"]}

    def lines(self):
        return set((self.root / "lines").read_text(encoding="utf-8").splitlines())

    def test_all_rows(self):
        rows = self.rows()
        self.assertEqual(sorted(rows),
                         [*(f"accuracy_{how}_{part}" for how in ("busy", "parked")
                            for part in ("p50", "p99", "p999")),
                          "arm_100k", "arm_10m", "arm_1m", "fire_100k", "fire_10m", "fire_1m",
                          "remote_arm_1m", "steps_10m"])
        self.assertIn("rearm: there is no leat wheel", self.output)

    def test_of_ten_million_only_some_rivals(self):
        rows = self.rows("--rows", "arm_1.*")
        self.assertEqual(list(rows["arm_10m"]["rivals"]), ["std::priority_queue"])
        self.assertIn("arm 100000 libuv", self.lines())
        self.assertNotIn("arm 10000000 libuv", self.lines())

    def test_fewer_pairs_where_a_row_takes_long(self):
        rows = self.rows("--rows", "arm_1.*", "--pairs", "3")
        self.assertEqual(rows["arm_10m"]["pairs"], 2)
        self.assertNotIn("pairs", rows["arm_1m"])
        self.assertIn("arm_10m (2 pairs)", self.output)
        self.assertIn("fewer pairs, as they take long: arm_10m (2)", self.output)

    def test_figures_beside_a_row(self):
        rows = self.rows("--rows", "arm_1m|remote_arm_1m|fire_1m")
        self.assertEqual(rows["arm_1m"]["bytes_per_timer"],
                         {"wheel": 70, "libuv": 280, "std::priority_queue": 280})
        self.assertEqual(rows["arm_1m"]["bytes_own"]["wheel"], 10)
        self.assertEqual(rows["remote_arm_1m"]["call_ns"]["wheel"], 5)
        self.assertNotIn("call_ns", rows["fire_1m"])
        self.assertIn("bytes per timer", self.output)

    def test_tables_of_a_page(self):
        self.rows("--rows", "arm_1m|steps_10m|remote_arm_1m|fire_1m")
        text = perf_table.facts_table(self.result, {}, "r.json")
        self.assertIn("| row | who | bytes per timer | of them by arming | the call, ns | "
                      "timers of a step, at most |", text)
        self.assertIn("| arm_1m | **wheel** | 70.0 | 10.0 | – | – |\n"
                      "| arm_1m | libuv | 280 | 40.0 | – | – |", text)
        self.assertIn("| steps_10m | **wheel** | – | – | – | 1 025 |", text)
        self.assertNotIn("fire_1m", text)
        with self.assertRaisesRegex(perf_table.Problem, "no row with facts matches 'fire'"):
            perf_table.facts_table(self.result, {"filter": "fire"}, "r.json")
        text = perf_table.bars_table(self.result, {}, "r.json")
        self.assertIn("| arm_1m | time | libuv | 0.20 × | 0.20 × | 0.25 × | 0.25 – 0.25 | "
                      "NO |", text)
        self.assertIn("| steps_10m | longest step | itself | 1 000 000 ns | – | 999 000 ns | – | "
                      "bar |", text)
        self.assertIn("| steps_10m | timers of a step | itself | 1 024 | – | 1 025 | – | "
                      "NO |", text)
        self.assertNotIn("remote", text)

    def test_bars(self):
        self.rows("--rows", "arm_1m|fire_1m|remote_arm_1m")
        lines = self.output.splitlines()
        for name, end in (("arm_1m", "NOT MET |"), ("fire_1m", "goal met |"),
                          ("remote_arm_1m", "reported |")):
            self.assertTrue(any(line.startswith(f"| {name} | time | 10.0 | libuv | 40.0 | 0.25 |")
                                and line.endswith(end) for line in lines), self.output)

    def test_how_late_is_told_by_percentiles(self):
        rows = self.rows("--rows", "accuracy_parked_.*")
        self.assertEqual(rows["accuracy_parked_p50"]["ours"], 10)
        self.assertEqual(rows["accuracy_parked_p999"]["ours"], 1_000_000)
        self.assertEqual(rows["accuracy_parked_p999"]["rivals"]["libuv"]["value"], 4_000_000)
        self.assertIn("accuracy_parked 1000 libuv", self.lines())

    def line(self, start):
        return next(line for line in self.output.splitlines() if line.startswith(start))

    def test_how_late_is_held_against_a_tick(self):
        self.rows("--rows", "accuracy_.*_p999")
        tick = 2 ** 20
        busy = self.line("| accuracy_busy_p999 | all p99.9 | ")
        self.assertIn(f"| {perf_table.number(tick + 50_000)} ns |", busy)
        self.assertTrue(busy.endswith("bar met |"), busy)
        # The bare wait's p99 is 40 ns.
        parked = self.line("| accuracy_parked_p999 | all p99.9 | ")
        self.assertIn(f"| {perf_table.number(tick + 1.1 * 40)} ns |", parked)

    def test_the_longest_step(self):
        rows = self.rows("--rows", "steps_10m")
        self.assertEqual(rows["steps_10m"]["rivals"], {})
        self.assertTrue(self.line("| steps_10m | longest step |").endswith("| bar met |"))
        self.assertTrue(self.line("| steps_10m | timers of a step |").endswith("| NOT MET |"))


if __name__ == "__main__":
    unittest.main()
