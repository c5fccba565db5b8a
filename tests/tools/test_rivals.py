"""Tests of tools/rivals.py, with a program of a few lines in the place of leat_rivals: who runs how
often and in which order, that ratios are those of one round, and that what is lost is said.

Run: python3 -m unittest discover tests/tools
"""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import perf_table  # noqa: E402
import rivals  # noqa: E402
import rivals_bars  # noqa: E402
import rivals_rounds  # noqa: E402

# Answers each line from the tables that the test writes beside it, and notes the line. The n-th run
# of a ring takes its n-th time, from the start again after the last.
FAKE = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
table = json.loads((here / "table.json").read_text())
print(json.dumps(table["description"]), flush=True)
runs = {{}}
for line in sys.stdin:
    with open(here / "lines", "a") as notes:
        notes.write(line)
    words = line.split(maxsplit=6)
    name, timed = words[6].strip(), words[3] == "1"
    times = table["ns"][name]
    number = runs[name, timed] = runs.get((name, timed), -1) + 1
    if name == table.get("dies"):
        sys.exit(3)
    if name == table.get("hangs") or timed and name == table.get("hangs_timed"):
        continue
    tail = {{"p50": 1, "p99": 2, "p999": table["tails"].get(name, 3), "max": 4}}
    answer = {{"ns": times[number % len(times)], "wrong": int(name == table.get("wrong"))}}
    if timed:
        answer.update(call=tail, done=tail)
    print(json.dumps(answer), flush=True)
"""


def ring(name, *uses):
    """One ring of a description."""
    return {"name": name, "uses": uses, "capacity": 1024, "bytes_per_slot": 8, "locked_single": 2,
            "locked_batch": 0.1, "note": "unbounded" if name == "ck" else ""}


def table():
    """What the program knows: two of ours and three others."""
    return {"description": {
        "machine": {"leat_commit": "abc1234", "cpu_model": "Xeon", "cores": "2"}, "left_out": "tbb",
        "pauses": 32, "items_unit": 256,
        "rings": [ring("leat packed", "many", "batched"), ring("leat turn", "many", "batched"),
                  ring("ck", "many", "batched"), ring("rte", "many", "batched"),
                  ring("optimist", "many", "uncrowded")]},
            "ns": {"leat packed": [90, 10, 20, 60], "leat turn": [5], "ck": [1, 20, 40, 40],
                   "rte": [40], "optimist": [30]},
            "tails": {"leat packed": 100, "ck": 400, "rte": 200}}


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
            status = rivals.main(["ring", "--program", str(self.program), "--json", str(self.file),
                                  *arguments])
        return status, out.getvalue()

    def row(self, name, *arguments):
        """One row of the result of three pairs."""
        status, output = self.command("--rows", name, "--pairs", "3", *arguments)
        self.assertEqual(status, 0, output)
        return json.loads(self.file.read_text(encoding="utf-8"))["rows"][0]

    def lines(self):
        return (self.root / "lines").read_text(encoding="utf-8").splitlines()


class Rounds(Case):
    """Who runs, and when."""

    def test_each_once_a_round_and_the_first_round_does_not_count(self):
        row = self.row("solo")
        self.assertEqual(row["ours"], 20)
        self.assertEqual(row["rivals"]["ck"]["value"], 40)
        names = [line.split(maxsplit=6)[6] for line in self.lines()]
        self.assertEqual(len(names), 4 * 5)
        for start in range(0, 20, 5):
            self.assertEqual(sorted(names[start:start + 5]), sorted(table()["ns"]))
        self.assertGreater(len({tuple(names[start:start + 5]) for start in range(0, 20, 5)}), 1)

    def test_the_order_is_the_same_every_time(self):
        self.row("solo")
        first = self.lines()
        self.row("solo")
        self.assertEqual(self.lines(), first + first)

    def test_how_many_items_is_said_where_it_is_not_the_usual_number(self):
        def machine():
            return json.loads(self.file.read_text(encoding="utf-8"))["machine"]
        self.row("solo")
        self.assertNotIn("scale", machine())
        self.row("solo", "--scale", "2.5")
        self.assertEqual(machine()["scale"], 2.5)
        data = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertIn(" · scale 2.5", perf_table.rows_table(data, {}, "r.json").split("\n")[0])

    def test_what_is_asked_for(self):
        self.row("1p1c_batch32", "--scale", "0.001", "--pauses", "7")
        self.assertIn("1 1 1 0 7 1024 ck", self.lines())
        self.row("4p4c")
        self.assertIn("4 4 0 1 32 256000 ck", self.lines())

    def test_a_row_without_ours_is_named_and_left_out(self):
        status, output = self.command("--rows", "solo|spsc", "--pairs", "1")
        self.assertEqual(status, 0)
        self.assertIn("spsc: there is no leat spsc", output)
        self.assertNotIn("spsc", self.file.read_text(encoding="utf-8"))


class Results(Case):
    """What is made of the runs."""

    def test_ratios_are_those_of_one_round(self):
        ck = self.row("solo")["rivals"]["ck"]
        # 10 / 20, 20 / 40, 60 / 40; the medians of both alone would give the same, 20 / 40.
        self.assertEqual((ck["ratio_median"], ck["ratio_low"], ck["ratio_high"]), (0.5, 0.5, 1.5))
        self.assertEqual(rivals_rounds.ratios([10, 20, 60], [60, 20, 10]), [10 / 60, 1, 6])

    def test_the_interval_closes_in_on_the_median(self):
        few = [0.8, 1.0, 1.2] * 2
        many = [0.8, 1.0, 1.2] + [1.0] * 30
        self.assertEqual(rivals_rounds.interval(many), (1.0, 1.0, 1.0))
        middle, low, high = rivals_rounds.interval(few)
        self.assertTrue(low < middle < high)

    def test_single_calls_only_where_threads_share_cpus(self):
        solo, crowd = self.row("solo"), self.row("2p2c")
        self.assertNotIn("oversubscribed", solo)
        self.assertNotIn("p999_ns", solo)
        self.assertIn("optimist", solo["rivals"])
        self.assertTrue(crowd["oversubscribed"])
        self.assertEqual(crowd["p999_ns"], {"packed": 100, "leat turn": 3, "ck": 400, "rte": 200})
        self.assertEqual(crowd["rivals"]["rte"]["p999_ratio_median"], 0.5)
        self.assertNotIn("optimist", crowd["rivals"])

    def test_facts_of_the_rings(self):
        solo, batch = self.row("solo"), self.row("1p1c_batch32")
        self.assertEqual(solo["locked_per_item"]["packed"], 2)
        self.assertEqual(batch["locked_per_item"]["ck"], 0.1)
        self.assertEqual(solo["bytes_per_slot"]["leat turn"], 8)
        self.assertEqual(solo["notes"], {"ck": "unbounded"})

    def test_the_file_is_what_perf_table_reads(self):
        self.command("--pairs", "2")
        data = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertEqual((data["group"], data["pairs"]), ("ring", 2))
        self.assertEqual(data["machine"]["commit"], "abc1234")
        text = perf_table.rows_table(data, {"filter": "2p2c$"}, "r.json")
        self.assertIn("| 2p2c | **packed** | ns | ", text)
        self.assertIn(" | 100 | yes; oversubscribed |", text)
        self.assertTrue(text.endswith("\n\n- ck: unbounded"))
        text = perf_table.facts_table(data, {"filter": "solo|1p1c_batch32"}, "r.json")
        self.assertEqual(text.split("\n")[:4], [
            "| row | who | bytes per slot | locked operations per item |", "|---|---|---:|---:|",
            "| solo | **packed** | 8.00 | 2.00 |", "| solo | ck | 8.00 | 2.00 |"])
        self.assertIn("| 1p1c_batch32 | ck | 8.00 | 0.10 |", text)

    def test_the_summary_has_the_best_rival_that_is_not_ours(self):
        _, output = self.command("--rows", "2p2c|solo", "--pairs", "3")
        lines = output.splitlines()
        self.assertTrue(any(line.startswith("| solo | time | 20.0 | optimist | 30.0 | 0.67 |")
                            and line.endswith("| 1.60 × | 1.15 × | goal met |") for line in lines))
        self.assertTrue(any(line.startswith("| 2p2c * | p99.9 | 100 | rte | 200 | 0.50 |")
                            and line.endswith("| 1.00 × | 0.50 × | goal met |") for line in lines))
        self.assertIn("left out: tbb", output)
        self.assertIn("fewer than 30 pairs", output)

    def test_bars_include_their_ends(self):
        for key in ("ratio", None):
            for value, ends, result in (
                    (0.5, (1.0, 0.5), "goal met"), (0.51, (1.0, 0.5), "bar met"),
                    (1.0, (1.0, 0.5), "bar met"), (1.0, (1.0, None), "bar met"),
                    (1.01, (1.0, 0.5), "NOT MET"), (9.0, None, "reported")):
                ours, ratio = (99, value) if key else (value, 99)
                bar = rivals_rounds.Bar("time", key, ends, ours, {})
                one = rivals_bars.Held({}, bar, "ck", ratio, 0, 0)
                self.assertEqual(rivals_bars.verdict(one), result)


class Failures(Case):
    """What goes wrong is said."""

    def test_a_lost_item(self):
        self.write({**table(), "wrong": "ck"})
        status, output = self.command("--rows", "solo", "--pairs", "1")
        self.assertEqual(status, 1)
        self.assertIn("out of order: ck in solo", output)
        self.assertIs(json.loads(self.file.read_text(encoding="utf-8"))["rows"][0]["checked"],
                      False)

    def test_a_program_that_dies(self):
        self.write({**table(), "dies": "rte"})
        status, output = self.command("--rows", "solo", "--pairs", "1")
        self.assertEqual(status, 2)
        self.assertIn("solo, rte: the program ended with status 3", output)
        self.assertFalse(self.file.exists())

    def test_a_rival_whose_run_does_not_end_is_named_and_the_others_go_on(self):
        self.write({**table(), "hangs": "rte"})
        with unittest.mock.patch.object(rivals_rounds, "RUN_SECONDS_MAX", 1):
            status, output = self.command("--rows", "2p2c", "--pairs", "2")
        self.assertEqual(status, 1)
        self.assertIn("2p2c, rte: no answer", output)
        self.assertIn("not in the figures: rte in 2p2c", output)
        row = json.loads(self.file.read_text(encoding="utf-8"))["rows"][0]
        self.assertEqual(sorted(row["rivals"]), ["ck", "leat turn"])
        data = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertIn("| 2p2c | rte | ns | – | – | – | – | did not end |",
                      perf_table.rows_table(data, {}, "r.json"))
        self.assertIn("| 2p2c * | p99.9 | ck (did not end: rte) | 1.00 × | 0.50 × | 0.25 × | "
                      "0.25 – 0.25 | goal |", perf_table.bars_table(data, {}, "r.json"))
        self.assertEqual(sum("rte" in line for line in self.lines()), 1)

    def test_one_that_hangs_with_the_clock_alone(self):
        self.write({**table(), "hangs_timed": "rte"})
        with unittest.mock.patch.object(rivals_rounds, "RUN_SECONDS_MAX", 1):
            status, _ = self.command("--rows", "2p2c", "--pairs", "2")
        self.assertEqual(status, 1)
        row = json.loads(self.file.read_text(encoding="utf-8"))["rows"][0]
        self.assertEqual(row["gave_up"], ["rte"])
        self.assertEqual(row["rivals"]["rte"]["value"], 40)
        self.assertNotIn("rte", row["p999_ns"])
        data = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertRegex(perf_table.rows_table(data, {}, "r.json"),
                         r"\| 2p2c \| rte \| ns \| 40.0 \| .* \| – \| did not end where single")

    def test_ours_that_does_not_end(self):
        self.write({**table(), "hangs": "leat turn"})
        with unittest.mock.patch.object(rivals_rounds, "RUN_SECONDS_MAX", 1):
            status, output = self.command("--rows", "solo", "--pairs", "1")
        self.assertEqual(status, 2)
        self.assertIn("solo, leat turn: no answer", output)

    def test_nothing_to_do(self):
        self.assertEqual(self.command("--rows", "none")[0], 2)
        self.assertEqual(self.command("--rows", "(")[0], 2)
        self.program = self.root / "none"
        self.assertEqual(self.command()[0], 2)


if __name__ == "__main__":
    unittest.main()
