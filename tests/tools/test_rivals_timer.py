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

import rivals  # noqa: E402

# Answers each line by the name in it, and notes the line.
FAKE = """#!{python}
import json, pathlib, sys
assert sys.argv[1:] == ["timer"]
one = lambda row, name: {{"row": row, "name": name, "note": "", "threads": 1}}
print(json.dumps({{
    "machine": {{"leat_commit": "abc1234", "cpu_model": "Xeon", "cores": "2"}}, "left_out": "",
    "contestants": [one(row, name) for row in ("arm", "fire", "remote_arm", "accuracy_parked")
                    for name in ("leat wheel", "libuv")]}}), flush=True)
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
    if row == "accuracy_parked":
        answer["samples"] = [ns] * 998 + [100 * ns] * 2
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
        return {row["name"]: row for row in json.loads(file.read_text(encoding="utf-8"))["rows"]}

    def lines(self):
        return set((self.root / "lines").read_text(encoding="utf-8").splitlines())

    def test_the_usual_rows_have_a_million_timers(self):
        rows = self.rows()
        self.assertEqual(sorted(rows), ["accuracy_parked_p50", "accuracy_parked_p99",
                                        "accuracy_parked_p999", "arm_1m", "fire_1m",
                                        "remote_arm_1m"])
        self.assertIn("arm 1000000 libuv", self.lines())
        self.assertNotIn("arm 100000 libuv", self.lines())
        self.assertIn("rearm: there is no leat wheel", self.output)

    def test_other_sizes_where_they_are_asked_for(self):
        self.assertEqual(sorted(self.rows("--rows", "(arm|fire)_10+[km]")),
                         ["arm_100k", "arm_10m", "fire_100k", "fire_10m"])
        self.assertLessEqual({"arm 10000000 libuv", "fire 100000 leat wheel"}, self.lines())

    def test_figures_beside_a_row(self):
        rows = self.rows("--rows", "arm_1m|remote_arm_1m|fire_1m")
        self.assertEqual(rows["arm_1m"]["bytes_per_timer"], {"wheel": 70, "libuv": 280})
        self.assertEqual(rows["arm_1m"]["bytes_own"], {"wheel": 10, "libuv": 40})
        self.assertEqual(rows["remote_arm_1m"]["call_ns"], {"wheel": 5, "libuv": 20})
        self.assertNotIn("call_ns", rows["fire_1m"])
        self.assertIn("bytes per timer", self.output)

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
        self.assertEqual(rows["accuracy_parked_p999"]["ours"], 1000)
        self.assertEqual(rows["accuracy_parked_p999"]["rivals"]["libuv"]["value"], 4000)
        self.assertIn("accuracy_parked 1000 libuv", self.lines())


if __name__ == "__main__":
    unittest.main()
