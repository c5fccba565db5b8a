#!/usr/bin/env python3
"""Builds bugs into a copy of the code, one at a time, and looks whether the tests that are named
beside each notice it: tests/campaign bugs.

  tools/seeded_bugs.py                   all of them
  tools/seeded_bugs.py --list            only names them
  tools/seeded_bugs.py --only 'sync'     those whose name fits
  tools/seeded_bugs.py --quick           those that a unit test notices: seconds
  tools/seeded_bugs.py --brief           says nothing of those that are noticed at once

They are in tests/bugs/*.txt:

  == a name of the bug
  tests: unit_wal fault_wal              one of these must fail, crash or hang
  file: engine/wal/threads.c
       context, as in a diff
  -    lines that go
  +    lines that come

The lines with a blank or a minus in front must stand in the file, once: where they do not, the bug
is out of date, which is a fault. Where threads race, a run may miss what the next one sees: a bug
is not noticed when it fails no run of three (--runs). Where the system refuses what a test needs,
such as io_uring, the test skips that, and a bug that it then does not notice is not judged.

Prints a line for each bug, those that are not noticed once more, and last `killed K / T`, with the
number of those that were not judged, if any. Exit status: 0; 1: one is not noticed, or out of date;
2: cannot run.
"""

import argparse
import collections
import concurrent.futures
import itertools
import pathlib
import re
import shutil
import sys
import threading
import time

import mutants_build
from tidy_source import Tree

ROOT = pathlib.Path(__file__).resolve().parents[1]
KILLED, NOT_JUDGED, LIVES = range(3)
HEAD = re.compile(r"^== (.+)\ntests: (.+)\nfile: (\S+)\n((?:[ +-].*\n)+)$")


class Bug:
    """One bug; what comes into a copy of its file."""

    def __init__(self, name, tests, path, lines):
        self.name, self.tests, self.path = name, tests, path
        self.old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
        self.new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")

    def fits(self, text):
        """Whether its lines stand in the file, once."""
        return self.old != self.new and ("\n" + text).count("\n" + self.old) == 1

    def applied(self, text):
        """The file with the bug in it."""
        return ("\n" + text).replace("\n" + self.old, "\n" + self.new)[1:]


def bugs_of(text, where):
    """The bugs of one file."""
    for part in re.split(r"\n(?=== )", "\n" + text)[1:]:
        head = HEAD.match(part.rstrip("\n") + "\n")
        if head is None:
            raise mutants_build.CannotRun(f"{where}: cannot read\n{part}")
        yield Bug(head[1], head[2].split(), head[3], head[4].splitlines())


def all_bugs(root):
    """The bugs of all files."""
    bugs = [bug for path in sorted((root / "tests" / "bugs").glob("*.txt"))
            for bug in bugs_of(path.read_text(encoding="utf-8"), path.name)]
    names = [bug.name for bug in bugs]
    for name in names:
        if names.count(name) != 1:
            raise mutants_build.CannotRun(f"two bugs are called {name}")
    return bugs


def skips(ran):
    """Whether a test passed, but left out what the system refuses: cmocka counts that last."""
    return ran.why == "skipped" or ran.passed and "SKIPPED TEST(S)" in ran.said


class Bench:
    """Builds and runs, several bugs at a time."""

    def __init__(self, root, folder, seconds, runs):
        self.root, self.folder, self.seconds, self.runs = root, folder, seconds, runs
        tree = Tree(root)
        self.builders = {way: mutants_build.Builder(tree, way, folder)
                         for way in mutants_build.WAYS}
        self.locks, self.lock, self.took = {}, threading.Lock(), {}

    def time_of(self, test):
        """How long a test takes without a bug; it must pass."""
        with self.lock:
            lock = self.locks.setdefault(test.name, threading.Lock())
        with lock:
            if test.name not in self.took:
                program = self.builders[test.way].program(test, self.folder / "base" / test.name)
                for _ in range(self.runs):
                    ran = self.run(program, test, 120)
                    if ran.passed or ran.why == "skipped":
                        break
                else:
                    raise mutants_build.CannotRun(f"{test.name} without a bug: {ran.why}")
                self.took[test.name] = ran.seconds
        return self.took[test.name]

    def run(self, program, test, seconds):
        """Runs a test whole."""
        limits = mutants_build.Limits(seconds, seconds, seconds)
        return mutants_build.run(program, mutants_build.Step(test, None), limits, self.folder)

    def verdict(self, bug, number):
        """(what became of it, by what or why)."""
        text = (self.root / bug.path).read_text(encoding="utf-8")
        if not bug.fits(text):
            return LIVES, "OUT OF DATE: its lines do not stand in the file once"
        tests = [mutants_build.test_of(self.root, name) for name in bug.tests]
        if None in tests:
            return LIVES, f"OUT OF DATE: there is no {bug.tests[tests.index(None)]}"
        folder = self.folder / "trials" / str(number)
        trial = mutants_build.Variant(folder, bug.path, bug.applied(text))
        skipped = set()
        try:
            for turn, test in itertools.product(range(1, self.runs + 1), tests):
                program, _ = trial.program(self.builders[test.way], test)
                ran = self.run(program, test, max(self.seconds, 4 * self.time_of(test)))
                if skips(ran):
                    skipped.add(test.name)
                elif not ran.passed:
                    again = f" in run {turn}" if turn > 1 else ""
                    return KILLED, f"killed by {test.name} ({ran.why}){again}"
        except mutants_build.BuildError as error:
            return LIVES, f"OUT OF DATE: it does not compile\n{error}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if skipped:
            return NOT_JUDGED, "not judged: skipped here, at least in part: " + ", ".join(skipped)
        return LIVES, "NOT NOTICED by " + ", ".join(bug.tests)


def main(words=None):
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true", help="name the bugs and do nothing")
    parser.add_argument("--only", metavar="REGEX", default="", help="those whose name fits")
    parser.add_argument("--quick", action="store_true", help="those that a unit test notices")
    parser.add_argument("--brief", action="store_true",
                        help="a line only for those that are not noticed in the first run")
    parser.add_argument("--jobs", type=int, default=2, help="bugs at a time (2)")
    parser.add_argument("--seconds", type=float, default=10, help="time of a test, at least (10)")
    parser.add_argument("--runs", type=int, default=3,
                        help="runs of a bug's tests in which one must notice it (3): where threads "
                        "race, one run may miss what the next one sees")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "bugs",
                        help="for what is built (build/bugs)")
    options = parser.parse_args(words)
    start = time.monotonic()
    came_to = collections.defaultdict(list)
    try:
        bugs = [bug for bug in all_bugs(ROOT) if re.search(options.only, bug.name) and
                (not options.quick or bug.tests[0].startswith("unit_"))]
        if options.list:
            print("\n".join(bug.name for bug in bugs))
            return 0
        bench = Bench(ROOT, options.folder.resolve(), options.seconds, options.runs)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for bug, (end, text) in zip(bugs, pool.map(bench.verdict, bugs, range(len(bugs)))):
                came_to[end].append(f"{bug.name}: {text}")
                if not options.brief or end != KILLED or " in run " in text:
                    print(came_to[end][-1], flush=True)
    except mutants_build.CannotRun as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{time.monotonic() - start:.0f} s", *came_to[LIVES], sep="\n")
    open_ends = len(came_to[NOT_JUDGED])
    print(f"killed {len(came_to[KILLED])} / {len(bugs)}" +
          (f", not judged {open_ends}" if open_ends else ""))
    return 1 if came_to[LIVES] else 0


if __name__ == "__main__":
    sys.exit(main())
