"""Compiles and runs tests for tools/mutants, in three ways: with the explorer, as they are, and for
ThreadSanitizer. Objects are kept under build/mutants/ until a file that they were made of changes.

A test is linked from the objects that it needs and no others: starting with its own, the sources
that define what is still undefined. A mutant has its changed file in a folder of its own, which is
searched for includes before the tree; only what read that file is compiled anew."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

FLAGS = ("-std=c17", "-w", "-D_GNU_SOURCE", "-DLEAT_ALLOCATOR_JEMALLOC=0")
LIBRARIES = ("cmocka", "liburcu-bp", "liburcu-cds")
# As in CMakeLists.txt.
MODEL = ("-O2", "-DLEAT_MODEL=1", "-DLEAT_PRIORITY_LEVELS=1", "-DLEAT_LOCAL_SLOTS_LOG2=2",
         "-DLEAT_SPAWN_SLOTS_LOG2=1", "-DLEAT_JOIN_ROUNDS=0", "-DLEAT_STOLEN_REST_NS=0",
         "-DLEAT_SLAB_UNIT_LOG2=1", "-DLEAT_SLAB_RUN=1",
         "-DLEAT_ADMIT_MOVES=1", "-DLEAT_ADMIT_EVERY=1", "-DLEAT_WHEEL_SLOTS_LOG2=1",
         "-DLEAT_WHEEL_BLOCK_LOG2=2")
WAYS = {
    "model": MODEL,
    # The slots of the default ring are sequentially consistent, which hides what others leave out.
    "turn": (*MODEL, "-DLEAT_RING=2"),
    # An index beyond its array is noticed as such.
    "plain": ("-O1", "-fsanitize=bounds", "-fsanitize-undefined-trap-on-error"),
    "tsan": ("-O1", "-fsanitize=thread"),
}
FAILED = re.compile(rb": FAILED: ")
MODELS = ("model", "turn")
STRESS_SECONDS = 1  # what a stress test is given; the rest of its time is a hang
SKIPPED = 77

Test = collections.namedtuple("Test", "name way path")
Ran = collections.namedtuple("Ran", "passed seconds why")


class BuildError(Exception):
    """A compiler or linker said no."""


class CannotRun(Exception):
    """A test does not even pass without a mutant."""


def compiler():
    """The explorer switches stacks in a way that is tested with gcc."""
    return os.environ.get("CC", "gcc")


def called(command, root):
    """Output of a command that must succeed."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def packages(option, root):
    """What pkg-config says of the libraries."""
    return called(["pkg-config", option, *LIBRARIES], root).split()


def test_of(root, name):
    """The test of a name, in the way in which its kind is run, or in the one behind a dot in the
    name; None if there is none."""
    stem, _, way = name.partition(".")
    kind = stem.split("_")[0]
    path = f"tests/{kind}/{stem}.c"
    way = way or {"model": "model", "stress": "tsan"}.get(kind, "plain")
    return Test(name, way, path) if (pathlib.Path(root) / path).exists() else None


class Builder:
    """Objects and programs of one tree, in one way."""

    def __init__(self, tree, way, folder, defines=()):
        self.root, self.way = tree.root, way
        self.folder = folder / way
        self.flags = [*FLAGS, *WAYS[way], *defines, *packages("--cflags", self.root),
                      f'-DLEAT_SOURCE_DIRECTORY="{self.root}"',
                      "-fmacro-prefix-map=" + str(folder) + "/trials/=/"]
        self.links = [*WAYS[way], *packages("--libs", self.root), "-lpthread", "-lm"]
        self.include = folder / "include"  # for <leat.h>, as CMakeLists.txt does it
        self.include.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (self.include / "leat.h").symlink_to(self.root / "engine" / "leat.h")
        self.homes = dict(self.definitions(tree))
        self.locks = collections.defaultdict(threading.Lock)
        self.lock = threading.Lock()
        self.parts = {}

    def definitions(self, tree):
        """(function, file) of what the tests of this way can be linked with."""
        for source in tree.c("ring", "sched", "engine", "tests"):
            explores = source.path.startswith("tests/support/explore")
            freezes = source.path.startswith("tests/support/freeze")
            if self.way in MODELS:
                fits = explores or source.folder in ("ring", "sched")
                fits = fits and source.path != "ring/os_linux.c"
            else:
                fits = not explores and not freezes and (source.folder != "tests"
                                         or source.path.startswith("tests/support/"))
            if fits and source.path.endswith(".c"):
                for function in source.functions:
                    yield function.name, source.path

    def compile(self, path, target, overlay=None):
        """Compiles a file of the tree, or of the overlay where that has it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        roots = [overlay] if overlay else []
        source = overlay / path if overlay and (overlay / path).exists() else path
        includes = [f"-I{root}" for root in (*roots, ".", self.include)]
        called([compiler(), *self.flags, *includes, "-MMD", "-c", str(source), "-o", str(target)],
               self.root)

    def read(self, target):
        """The files that an object was made of."""
        text = target.with_suffix(".d").read_text()
        return text.replace("\\\n", " ").split(":", 1)[1].split()

    def is_fresh(self, target):
        """Whether nothing changed since the object was made."""
        if not target.exists() or not target.with_suffix(".d").exists():
            return False
        made = target.stat().st_mtime_ns
        files = [self.root / name for name in self.read(target)]
        return all(file.exists() and file.stat().st_mtime_ns < made for file in files)

    def object_of(self, path):
        """The unchanged object of a file."""
        target = self.folder / f"{path}.o"
        with self.lock:
            lock = self.locks[path]
        with lock:
            if not self.is_fresh(target):
                self.compile(path, target)
        return target

    def symbols(self, target):
        """(defined, undefined) of an object."""
        defined, undefined = set(), set()
        for line in called(["nm", "-g", "-P", str(target)], self.root).splitlines():
            name, kind = line.split()[:2]
            (undefined if kind == "U" else defined).add(name)
        return defined, undefined

    def parts_of(self, test):
        """The sources that a test is linked from, its own first."""
        with self.lock:
            lock = self.locks[test.name]
        with lock:
            if test.name not in self.parts:
                paths, defined, wanted = [], set(), set()
                more = {test.path}
                while more:
                    path = more.pop()
                    paths.append(path)
                    has, lacks = self.symbols(self.object_of(path))
                    defined, wanted = defined | has, wanted | lacks
                    more |= {self.homes[name] for name in wanted - defined if name in self.homes}
                    more -= set(paths)
                self.parts[test.name] = paths
        return self.parts[test.name]

    def program(self, test, target, overlay=None, changed=None):
        """Links a test; with an overlay, what read the changed file is compiled again."""
        objects = []
        for path in self.parts_of(test):
            built = self.object_of(path)
            if changed and changed in self.read(built):
                built = target.parent / self.way / f"{path}.o"
                if not built.exists():
                    self.compile(path, built, overlay)
            objects.append(str(built))
        target.parent.mkdir(parents=True, exist_ok=True)
        called([compiler(), *objects, *self.links, "-o", str(target)], self.root)
        return target


# ---- runs -----------------------------------------------------------------------------------

def killed(process):
    """Ends a test and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def watched(process, seconds):
    """Waits for a test; ends it at its first word of failure. (failed, timed out, processor
    seconds)."""
    late = threading.Event()
    timer = threading.Timer(seconds, lambda: (late.set(), killed(process)))
    timer.start()
    failed = False
    for line in process.stdout:
        if FAILED.search(line):
            failed = True
            killed(process)
            break
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return failed, late.is_set() and not failed, usage.ru_utime + usage.ru_stime


def run(program, test, seconds, root):
    """Runs a test. `seconds` bound its time. That of a model is the processor's: it never waits,
    and on a busy machine it searches as far as on an idle one."""
    models = test.way in MODELS
    command = [str(program)]
    if models:
        command = ["prlimit", f"--cpu={int(seconds) + 1}", "stdbuf", "-oL", *command]
    environment = dict(os.environ, LEAT_TEST_SECONDS=str(STRESS_SECONDS), LEAT_TEST_SEED="1",
                       TSAN_OPTIONS="halt_on_error=1")
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=root, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    failed, timed_out, worked = watched(process, seconds * (100 if models else 1))
    took = worked if models else time.monotonic() - start
    status = process.returncode
    if timed_out or models and not failed and status in (-signal.SIGXCPU, -signal.SIGKILL):
        return Ran(False, took, "time")
    if failed or status not in (0, SKIPPED):
        return Ran(False, took, "failed" if failed or status > 0 else f"signal {-status}")
    return Ran(status == 0, took, "" if status == 0 else "skipped")


class Trial:
    """The scratch folder of one mutant: the changed file, and the programs made with it."""

    def __init__(self, folder, mutant, text):
        self.folder, self.mutant = folder, mutant
        shutil.rmtree(folder, ignore_errors=True)
        path = folder / "tree" / mutant.path
        path.parent.mkdir(parents=True)
        path.write_text(mutant.applied(text))

    def program(self, builder, test):
        """The test with the mutant in it."""
        return builder.program(test, self.folder / test.name, self.folder / "tree",
                               self.mutant.path)

    def close(self):
        """Removes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
