"""Tests of tools/features: what it says of a page that is right, and of each way in which one can
be wrong; and what becomes of tests that pass, fail, are skipped or are not there.

Run: python3 -m unittest discover tests/tools
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOADER = importlib.machinery.SourceFileLoader("features", str(ROOT / "tools" / "features"))
features = importlib.util.module_from_spec(importlib.util.spec_from_loader("features", LOADER))
LOADER.exec_module(features)

HEADER = """
/* leat_spoken() is only spoken of, as is leat_a.spoken. */
enum leat_kind { LEAT_KIND_ONE = 1, /* LEAT_KIND_TWO */ };
struct leat_a {
    int x; /* spoken */
};
struct leat_b {
    int y;
};
LEAT_API int
leat_add(int one);
"""
TESTS = """
add_test(passes "/bin/true")
add_test(fails "/bin/false")
add_test(skips "/bin/sh" "-c" "exit 77")
set_tests_properties(skips PROPERTIES SKIP_RETURN_CODE 77)
add_test(missing "/nowhere/at-all")
"""


def row(name="A1", state="built", interface="`leat_add()`", tests="`passes`"):
    """A row of a page."""
    return f"| {name} | what | {state} | {interface} | {tests} | `not read` |\n"


def faults_of(page):
    """What is wrong with a page."""
    return features.faults(features.rows_of(page), features.Header(HEADER), {"passes", "fails"})


class Pages(unittest.TestCase):
    def test_right(self):
        names = "`leat_add()`, `leat_a.x`, `LEAT_KIND_ONE`, `leat_b`"
        self.assertEqual(faults_of(row(interface=names)
                                   + row("A2", "in part") + row("A3", "needs the log")
                                   + row("A4", "in work", "", "") + row("A5", "not yet", "", "")
                                   + row("B1", tests="`passes`, `fails`")), [])

    def test_names_that_are_not_there(self):
        for name in ("leat_sub()", "leat_spoken()", "leat_a.y", "leat_a.spoken", "leat_c.x",
                     "LEAT_KIND_TWO", "leat_ad()", "leat_kin"):
            with self.subTest(name):
                self.assertEqual(faults_of(row(interface=f"`leat_b`, `{name}`")),
                                 [f"A1: not in a header: {name}"])

    def test_tests_that_are_not_there(self):
        self.assertEqual(faults_of(row(tests="`passes`, `pass`")), ["A1: no such test: pass"])
        self.assertEqual(faults_of(row(state="not yet", tests="`later`")),
                         ["A1: no such test: later"])

    def test_rows_that_prove_nothing(self):
        for state in ("built", "in part", "needs the log"):
            for bad in (row(state=state, tests=""), row(state=state, interface="")):
                self.assertEqual(faults_of(bad), [f"A1: {state}, and names no function or no test"])
        self.assertEqual(faults_of(row(state="done")), ["A1: no such state: 'done'"])

    def test_rows_that_are_missing(self):
        self.assertEqual(faults_of(""), ["there are no rows"])
        self.assertEqual(faults_of(row("A2")), ["A2: is not in its place"])
        self.assertEqual(faults_of(row("A1") + row("A3")), ["A3: is not in its place"])
        self.assertEqual(faults_of(row("A1") + row("A1")), ["A1: is not in its place"])


class Runs(unittest.TestCase):
    """The command as a whole, with a build of four tests and the real header."""

    def run_it(self, page, *arguments, configured=True):
        """(exit status, what it printed)"""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "page.md").write_text(page, encoding="utf-8")
            if configured:
                (folder / "CTestTestfile.cmake").write_text(TESTS, encoding="utf-8")
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                status = features.main(["--build", name, "--page", str(folder / "page.md"),
                                        *arguments])
            self.assertFalse((folder / "Testing").exists())
            return status, out.getvalue()

    def page(self, *rows):
        """A page of rows that differ in state and tests."""
        return "".join(row(f"A{number}", state, "`leat_open()`", tests)
                       for number, (state, tests) in enumerate(rows, 1))

    def test_check(self):
        self.assertEqual(self.run_it(self.page(("built", "`fails`"))), (0, ""))
        status, out = self.run_it(self.page(("built", "`nobody`")), "--run")
        self.assertEqual((status, out), (1, "features: A1: no such test: nobody\n"))

    def test_green_and_not_yet(self):
        page = self.page(("built", "`passes`, `skips`"), ("in part", "`passes`"), ("not yet", ""))
        status, out = self.run_it(page, "--run")
        self.assertEqual(out.split("\n")[-2], "1 rows green, 2 not yet")
        self.assertEqual([line.split(" what")[0].split(maxsplit=1) for line in out.split("\n")[:3]],
                         [["A1", "green         "], ["A2", "in part       "],
                          ["A3", "not yet       "]])
        self.assertEqual(status, 0)

    def test_red(self):
        for state, tests in (("built", "`passes`, `fails`"), ("built", "`missing`"),
                             ("built", "`skips`"), ("in work", "`fails`")):
            with self.subTest(tests):
                status, out = self.run_it(self.page(("built", "`passes`"), (state, tests)), "--run")
                self.assertIn("A2   red", out)
                self.assertTrue(out.endswith("1 rows red\n1 rows green, 0 not yet\n"))
                self.assertEqual(status, 1)

    def test_some_rows(self):
        page = self.page(("built", "`passes`"), ("built", "`fails`")) + row(
            "B1", interface="`leat_open()`")
        self.assertEqual(self.run_it(page, "--run", "A1", "B")[0], 0)
        self.assertEqual(self.run_it(page, "--run", "A")[0], 1)
        self.assertEqual(self.run_it(page, "--run", "C"), (1, "features: no such row: C\n"))

    def test_without_a_build(self):
        status, out = self.run_it(row(), configured=False)
        self.assertEqual(status, 2)
        self.assertIn("is not configured", out)


if __name__ == "__main__":
    unittest.main()
