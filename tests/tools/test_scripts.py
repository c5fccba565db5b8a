"""Tests of the scripts that a newcomer meets first: --help says the head of the script and does
nothing; tools/run does not drop a word; tools/packages says what is missing where it cannot install
it.

Run: python3 -m unittest discover tests/tools
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534


def head_of(script):
    lines = (ROOT / "tools" / script).read_text(encoding="utf-8").splitlines()[1:]
    head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("# "))]
    return "".join(line[2:] + "\n" for line in head)


def bare(directory, names):
    """A directory with these commands, each of which leaves a trace and fails."""
    for name in names:
        path = pathlib.Path(directory) / name
        path.write_text(f'#!/bin/bash\n: >>"{directory}/called"\nexit 1\n', encoding="utf-8")
        path.chmod(0o755)


class Help(unittest.TestCase):
    def test_is_the_head_and_nothing_is_done(self):
        for script in ("test", "run", "bench"):
            for flag in ("--help", "-h"):
                with self.subTest(script=script, flag=flag), \
                        tempfile.TemporaryDirectory() as directory:
                    bare(directory, ("cmake", "apt-get", "dpkg-query", "ctest", "sudo"))
                    path = directory + os.pathsep + os.environ["PATH"]
                    result = subprocess.run(
                        [ROOT / "tools" / script, flag], env={"PATH": path}, check=False,
                        capture_output=True, text=True, timeout=60)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    self.assertEqual(result.stdout, head_of(script))
                    self.assertFalse((pathlib.Path(directory) / "called").exists())


class Run(unittest.TestCase):
    def test_refuses_more_than_one_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            bare(directory, ("cmake", "apt-get", "dpkg-query", "sudo"))
            path = directory + os.pathsep + os.environ["PATH"]
            result = subprocess.run(
                [ROOT / "tools" / "run", "/usr", "--threads"], env={"PATH": path}, check=False,
                capture_output=True, text=True, timeout=60)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertEqual(result.stderr,
                             "tools/run: one directory at most: --threads is too much\n")
            self.assertFalse((pathlib.Path(directory) / "called").exists())


class Packages(unittest.TestCase):
    def run_bare(self, directory, kind):
        """As a user, with no sudo and nothing installed; the script comes by standard input, as
        the user may not be allowed to read the tree."""
        os.chmod(directory, 0o755)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(ROOT / "tools" / "packages", encoding="utf-8") as script:
            return subprocess.run(
                ["/bin/bash", "-s", kind], stdin=script, env={"PATH": directory}, cwd="/",
                check=False, capture_output=True, text=True, timeout=60, **user)

    def test_without_sudo_it_says_what_to_install(self):
        with tempfile.TemporaryDirectory() as directory:
            bare(directory, ("dpkg-query",))
            result = self.run_bare(directory, "run")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(
            result.stderr,
            r"\Amissing, and there is no sudo; as root: apt-get install --no-install-recommends "
            r"g\+\+ cmake [^\n]*systemtap-sdt-dev\n\Z")


if __name__ == "__main__":
    unittest.main()
