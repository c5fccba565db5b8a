"""Tests of tools/seeded_bugs.py: how bugs are read and built in, and that each one that is kept
still fits the code and names tests that exist.

Run: python3 -m unittest discover tests/tools
"""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import mutants_build  # noqa: E402
import seeded_bugs  # noqa: E402

TEXT = """== one
tests: unit_a fault_b
file: engine/a.c
     context
-    old
+    new
+    more

== two
tests: unit_a
file: engine/b.c
-    only
"""


class Reading(unittest.TestCase):
    """What a file of bugs says."""

    def test_fields(self):
        """Names, tests, files."""
        one, two = seeded_bugs.bugs_of(TEXT, "x")
        self.assertEqual((one.name, one.tests, one.path), ("one", ["unit_a", "fault_b"],
                                                           "engine/a.c"))
        self.assertEqual((two.old, two.new), ("    only\n", ""))

    def test_built_in(self):
        """Whole lines change, once."""
        one, two = seeded_bugs.bugs_of(TEXT, "x")
        code = "a\n    context\n    old\nb\n"
        self.assertTrue(one.fits(code))
        self.assertEqual(one.applied(code), "a\n    context\n    new\n    more\nb\n")
        self.assertFalse(one.fits(code + code))
        self.assertFalse(two.fits("    only one\n"))
        self.assertEqual(two.applied("    only\n"), "")

    def test_unreadable(self):
        """A part that is no bug is refused."""
        for wrong in ("== one\n", "== one\ntests: a\nfile: b\n", TEXT.replace("-    only", "only")):
            with self.assertRaises(mutants_build.CannotRun):
                list(seeded_bugs.bugs_of(wrong, "x"))


class Judging(unittest.TestCase):
    """What the end of a test says of a bug."""

    def test_skips(self):
        """One that left something out says nothing by passing; a failure is one all the same."""
        def ran(passed, why, said):
            return mutants_build.Ran(passed, 1, 1, why, said)
        self.assertTrue(seeded_bugs.skips(ran(True, "", "\n 9 SKIPPED TEST(S)\n")))
        self.assertTrue(seeded_bugs.skips(ran(False, "skipped", "")))
        self.assertFalse(seeded_bugs.skips(ran(True, "", "[  PASSED  ] 9 test(s).")))
        self.assertFalse(seeded_bugs.skips(ran(False, "failed", "\n 9 SKIPPED TEST(S)\n")))


class Kept(unittest.TestCase):
    """The bugs of tests/bugs/."""

    def test_up_to_date(self):
        """Each fits its file and has its tests."""
        for bug in seeded_bugs.all_bugs(ROOT):
            with self.subTest(bug.name):
                self.assertTrue(bug.fits((ROOT / bug.path).read_text(encoding="utf-8")))
                for name in bug.tests:
                    self.assertIsNotNone(mutants_build.test_of(ROOT, name))


if __name__ == "__main__":
    unittest.main()
