"""Tests of tools/perf_table.py: medians and ranges come from the repetitions, blocks are replaced
and nothing else, and what cannot be used is said and never guessed.

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

CONTEXT = {"date": "2026-11-23T10:00:00+00:00", "num_cpus": 2, "cpu_model": "Xeon",
           "governor": "performance", "cores": "2", "leat_commit": "abc1234",
           "leat_flags": "-O2 -g", "leat_compiler": "gcc 12.2.0"}


def run(name, repetition, **fields):
    """One row as Google Benchmark writes it."""
    row = {"name": name, "run_name": name, "run_type": "iteration", "repetitions": 3,
           "repetition_index": repetition, "threads": 1, "iterations": 1000, "real_time": 4.0,
           "cpu_time": 4.0, "time_unit": "us"}
    return {**row, **fields}


def bench_result():
    """Three repetitions of two benchmarks, an aggregate row, and one that failed."""
    rows = [run("BM_ring_push/1024", i, items_per_second=rate, failed_cas=cas)
            for i, (rate, cas) in enumerate(((50e6, 0.5), (20e6, 0.25), (25e6, 1.0)))]
    rows.append({**rows[0], "run_type": "aggregate", "aggregate_name": "median",
                 "items_per_second": 1.0})
    rows += [run("BM_wake/threads:4", i, real_time=time, threads=4, label="parked | cold")
             for i, time in enumerate((1.5, 2.5, 70.0))]
    rows.append(run("BM_broken", 0, error_occurred=True, error_message="ring is full"))
    return {"context": dict(CONTEXT), "benchmarks": rows}


def rows_result():
    """A paired comparison with two rivals."""
    return {"group": "ring", "pairs": 30, "machine": {"cpu_model": "Xeon", "cores": 2, "x": {}},
            "rows": [{"name": "1p1c", "unit": "ns", "ours": 27.4, "algorithm": "packed",
                      "rivals": {"rte_ring": {"value": 33.0, "ratio_median": 0.83,
                                              "ratio_low": 0.8, "ratio_high": 0.871},
                                 "ck": {"value": 37, "ratio_median": 0.741, "ratio_low": 0.7,
                                        "ratio_high": 0.79}},
                      "p999_ns": {"ours": 1200, "rte_ring": 98000}, "checked": True},
                     {"name": "solo", "unit": "ns", "ours": 24, "algorithm": "packed",
                      "rivals": {}, "p999_ns": {}, "checked": False}]}


class Case(unittest.TestCase):
    """A folder with result files and a page."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.page = self.root / "PERFORMANCE.md"
        self.write("b.json", bench_result())
        self.write("r.json", rows_result())

    def write(self, name, data):
        (self.root / name).write_text(json.dumps(data), encoding="utf-8")

    def command(self, *arguments):
        """(exit status, text on both streams)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = perf_table.main(["--root", str(self.root), *arguments])
        return status, out.getvalue()

    def generated(self, marker):
        """Lines of the block that the marker gives."""
        name = marker.split()[0]
        self.page.write_text(f"<!-- gen:{marker} -->\n<!-- /gen:{name} -->\n", encoding="utf-8")
        status, output = self.command()
        self.assertEqual((status, output), (0, ""))
        lines = self.page.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[-1], f"<!-- /gen:{name} -->")
        return [line for line in lines[1:-1] if line]


class Bench(Case):
    """Results of Google Benchmark."""

    def test_median_and_range_of_the_repetitions(self):
        lines = self.generated("bench file=b.json")
        self.assertEqual(lines[0], "Xeon · cores 2 · governor performance · commit abc1234 · "
                                   "compiler gcc 12.2.0 · flags `-O2 -g` · "
                                   "date 2026-11-23T10:00:00+00:00 · repetitions 1–3")
        self.assertEqual(lines[3:], [
            "| BM_broken | – | – | – | failed: ring is full |",
            "| BM_ring_push/1024 | 40.0 | 20.0 – 50.0 | 25.0 M | failed_cas 0.50 |",
            "| BM_wake/threads:4 | 2 500 | 1 500 – 70 000 | – | parked \\| cold; oversubscribed |"])

    def test_filter(self):
        lines = self.generated("bench file=b.json filter=^BM_ring")
        self.assertEqual(len(lines), 4)
        self.assertIn("repetitions 3", lines[0])

    def test_cores_bound_the_word_oversubscribed(self):
        result = bench_result()
        result["context"]["cores"] = "4"
        self.write("b.json", result)
        self.assertNotIn("oversubscribed", "".join(self.generated("bench file=b.json")))

    def test_what_cannot_be_used_is_said(self):
        result = bench_result()
        result["benchmarks"][4]["time_unit"] = "fortnight"
        self.write("unit.json", result)
        self.write("empty.json", {"context": CONTEXT})
        (self.root / "text.json").write_text("no", encoding="utf-8")
        for marker, message in (("bench file=none.json", "No such file"),
                                ("bench file=text.json", "Expecting value"),
                                ("bench file=empty.json", "no field 'benchmarks'"),
                                ("bench file=unit.json", "unknown time unit 'fortnight'"),
                                ("bench file=b.json filter=BM_none", "no benchmark matches"),
                                ("bench file=b.json sort=name", "does not know sort"),
                                ("bench", "has no file="), ("chart file=b.json", "no generator")):
            with self.subTest(marker=marker):
                name = marker.split()[0]
                text = f"x\n<!-- gen:{marker} -->\nold\n<!-- /gen:{name} -->\n"
                self.page.write_text(text, encoding="utf-8")
                status, output = self.command()
                self.assertEqual(status, 2)
                self.assertIn("line 2: ", output)
                self.assertIn(message, output)
                self.assertEqual(self.page.read_text(encoding="utf-8"), text)
                self.assertEqual(self.command("--check")[0], 1)


class Rows(Case):
    """Paired comparisons."""

    def test_rows(self):
        lines = self.generated("rows file=r.json")
        self.assertEqual(lines[0], "group ring · pairs 30 · cpu model Xeon · cores 2")
        self.assertEqual(lines[3:], [
            "| 1p1c | **packed** | ns | 27.4 |  |  | 1 200 | yes |",
            "| 1p1c | ck | ns | 37.0 | 0.74 | 0.70 – 0.79 | – |  |",
            "| 1p1c | rte_ring | ns | 33.0 | 0.83 | 0.80 – 0.87 | 98 000 |  |",
            "| solo | **packed** | ns | 24.0 |  |  | – | NO |"])

    def test_who_did_not_end_and_what_is_known_of_whom(self):
        result = rows_result()
        result["rows"][0].update(gave_up=["xenium"], notes={"packed": "4-byte items", "ck": "one"})
        result["rows"][1]["notes"] = {"packed": "4-byte items", "ck": "two"}
        result["rows"].append({**result["rows"][1], "name": "spsc"})
        self.write("r.json", result)
        lines = self.generated("rows file=r.json")
        self.assertEqual(lines[6], "| 1p1c | xenium | ns | – | – | – | – | did not end |")
        self.assertEqual(lines[9:], ["- ck: two", "- ck in 1p1c: one", "- packed: 4-byte items"])

    def test_a_bar_and_who_is_held_against_it(self):
        result = rows_result()
        result["rows"][0].update(gave_up=["xenium"], wrong=["rte_ring"])
        self.write("r.json", result)
        lines = self.generated("bars file=r.json")
        self.assertEqual(lines, [
            "pairs 30 · cpu model Xeon · cores 2",
            "| row | what | held against | bar | goal | ours | interval | met |",
            "|---|---|---|---:|---:|---:|---:|---|",
            "| 1p1c | time | rte_ring (has lost items or their order; did not end: xenium) | "
            "0.90 × | 0.70 × | 0.83 × | 0.80 – 0.87 | bar |"])
        result["group"] = "rung"
        self.write("r.json", result)
        self.assertEqual(self.command()[0], 2)

    def test_a_machine_that_was_not_quiet(self):
        for load, start in ((0.5, ""), (5.89, "**not quiet: load 5.89 before** · ")):
            result = rows_result()
            result["machine"]["load_before"] = load
            self.write("r.json", result)
            for name, head in (("rows", "group ring"), ("bars", "pairs 30")):
                line = self.generated(f"{name} file=r.json")[0]
                self.assertTrue(line.startswith(start + head), line)
        self.assertEqual(self.generated("rows file=r.json")[0].count("5.89"), 1)
        result = bench_result()
        result["context"]["load_avg"] = [1.897, 0, 0]
        self.write("b.json", result)
        self.assertTrue(self.generated("bench file=b.json")[0].startswith(
            "**not quiet: load 1.9 before** · Xeon · "))

    def test_a_field_that_is_missing_is_named(self):
        result = rows_result()
        del result["rows"][0]["rivals"]["ck"]["ratio_high"]
        self.write("r.json", result)
        self.page.write_text("<!-- gen:rows file=r.json -->\n<!-- /gen:rows -->\n",
                             encoding="utf-8")
        status, output = self.command()
        self.assertEqual(status, 2)
        self.assertIn("r.json: 1p1c has no field 'ratio_high'", output)


class Blocks(Case):
    """What is replaced, and what is checked."""

    TEXT = ("# Numbers\n<!-- gen:bench file=b.json filter=ring -->\n<!-- /gen:bench -->\n"
            "notes 1.5\n<!-- gen:rows file=r.json -->\nold\n<!-- /gen:rows -->\n"
            "<!-- a comment -->\n")

    def test_only_blocks_change_and_once(self):
        self.page.write_text(self.TEXT, encoding="utf-8")
        self.assertEqual(self.command()[0], 0)
        text = self.page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(self.TEXT.split("<!-- /gen")[0] + "\nXeon"))
        self.assertIn("\n\n<!-- /gen:bench -->\nnotes 1.5\n<!-- gen:rows", text)
        self.assertTrue(text.endswith("\n\n<!-- /gen:rows -->\n<!-- a comment -->\n"))
        self.assertNotIn("old", text)
        self.assertEqual(self.command(), (0, ""))
        self.assertEqual(self.page.read_text(encoding="utf-8"), text)

    def test_check_sees_a_typed_number_and_a_new_result(self):
        self.page.write_text(self.TEXT, encoding="utf-8")
        self.assertEqual(self.command("--check")[0], 1)
        self.command()
        self.assertEqual(self.command("--check"), (0, ""))
        fresh = self.page.read_text(encoding="utf-8")
        self.page.write_text(fresh.replace("| 40.0 |", "| 39.0 |"), encoding="utf-8")
        status, output = self.command("--check")
        self.assertEqual(status, 1)
        self.assertIn("PERFORMANCE.md:2: block bench is not fresh: - | BM_ring_push", output)
        self.page.write_text(fresh, encoding="utf-8")
        result = rows_result()
        result["pairs"] = 31
        self.write("r.json", result)
        self.assertIn("block rows is not fresh", self.command("--check")[1])

    def test_marker_without_its_end(self):
        for text in ("<!-- gen:bench file=b.json -->\n", "x\n<!-- /gen:bench -->\n",
                     "<!-- gen:bench file=b.json -->\n<!-- /gen:rows -->\n"):
            with self.subTest(text=text):
                self.page.write_text(text, encoding="utf-8")
                self.assertEqual(self.command("--check")[0], 1)
                self.assertEqual(self.command()[0], 2)
                self.assertEqual(self.page.read_text(encoding="utf-8"), text)

    def test_another_file_and_none(self):
        self.assertEqual(self.command()[0], 2)
        other = self.root / "OTHER.md"
        other.write_text(self.TEXT, encoding="utf-8")
        self.assertEqual(self.command(str(other))[0], 0)
        self.assertNotIn("old", other.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
