"""Compiles and runs tests for tools/mutants, in three ways: with the explorer, as they are, and for
ThreadSanitizer. Objects are kept under build/mutants/ until a file that they were made of changes.

A test is linked from the objects that it needs and no others: starting with its own, the sources
that define what is still undefined. A file with its mutants has a folder of its own, which is
searched for includes before the tree; only what read that file is compiled anew, once for all of
its mutants."""

import collections
import contextlib
import hashlib
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time

import mutants_together

FLAGS = ("-std=c17", "-w", "-D_GNU_SOURCE", "-DLEAT_ALLOCATOR_JEMALLOC=0")
LIBRARIES = ("cmocka", "liburcu-bp", "liburcu-cds")
# Where they are there, as in CMakeLists.txt; a model has no need of them.
OPTIONAL = {"liblz4": "-DLEAT_LZ4=1", "libcrypto >= 3.0": "-DLEAT_CRYPTO=1",
            "liburing >= 2.2": "-DLEAT_URING=1"}
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
# What the explorer and cmocka say.
FAILED = re.compile(rb": FAILED: |\[  FAILED  \]")
MODELS = ("model", "turn")
STRESS_SECONDS = 1  # what a stress test is given; the rest of its time is a hang
SKIPPED = 77

Test = collections.namedtuple("Test", "name way path")
# Of a test: a model may be bounded to fewer preemptions than it has, None: it is not.
Step = collections.namedtuple("Step", "test preemptions")
# By the clock; of the processor; with all threads asleep.
Limits = collections.namedtuple("Limits", "seconds worked asleep")
Ran = collections.namedtuple("Ran", "passed seconds worked why said")
LOOK_SECONDS = 0.5  # how often it is asked whether a test takes too long


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


def put(path, text):
    """Writes a file, unless it is there: what was made of it stays fresh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def packages(option, root, more=()):
    """What pkg-config says of the libraries."""
    return called(["pkg-config", option, *LIBRARIES, *more], root).split()


def optional(way):
    """Those of the optional libraries that are there."""
    return [name for name in OPTIONAL if way not in MODELS and subprocess.run(
        ["pkg-config", "--exists", name], check=False, capture_output=True).returncode == 0]


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

    def __init__(self, tree, way, folder):
        self.root, self.way = tree.root, way
        self.folder = folder / way
        more = optional(way)
        self.flags = [*FLAGS, *WAYS[way], *packages("--cflags", self.root, more),
                      *(OPTIONAL[name] for name in more),
                      f'-DLEAT_SOURCE_DIRECTORY="{self.root}"',
                      "-fmacro-prefix-map=" + str(folder) + "/files/=/"]
        self.links = [*WAYS[way], *packages("--libs", self.root, more), "-lpthread", "-lm"]
        self.include = folder / "include"  # for <leat.h>, as CMakeLists.txt does it
        self.include.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (self.include / "leat.h").symlink_to(self.root / "engine" / "leat.h")
        put(self.include / "mutant.h", mutants_together.HEADER)
        put(self.folder / "mutant.c", mutants_together.SOURCE)
        self.homes = dict(self.definitions(tree))
        self.locks = collections.defaultdict(threading.Lock)
        self.lock = threading.Lock()
        self.parts = {}
        self.made_of = {}  # object, looked at in this run → the files that it was made of

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
        more = ["-include", str(self.include / "mutant.h")] if overlay else []
        includes = [f"-I{root}" for root in (*roots, ".", self.include)]
        called([compiler(), *self.flags, *more, *includes, "-MMD", "-c", str(source), "-o",
                str(target)], self.root)

    def files_of(self, target):
        """The files that an object was made of."""
        text = target.with_suffix(".d").read_text()
        return text.replace("\\\n", " ").split(":", 1)[1].split()

    def is_fresh(self, target):
        """Whether nothing changed since the object was made."""
        if not target.exists() or not target.with_suffix(".d").exists():
            return False
        made = target.stat().st_mtime_ns
        files = [self.root / name for name in self.files_of(target)]
        return all(file.exists() and file.stat().st_mtime_ns < made for file in files)

    def object_of(self, path, folder=None, overlay=None):
        """The object of a file, in a folder of its own where an overlay changes it."""
        target = (folder or self.folder) / f"{path}.o"
        with self.lock:
            lock = self.locks[target]
        with lock:
            if target not in self.made_of:
                if not self.is_fresh(target):
                    self.compile(path, target, overlay)
                self.made_of[target] = self.files_of(target)
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
        """Links a test; with an overlay, what reads the changed file is compiled with that."""
        objects = []
        for path in self.parts_of(test):
            built = self.object_of(path)
            if changed and changed in self.made_of[built]:
                built = self.object_of(path, target.parent / self.way, overlay)
            objects.append(str(built))
        if changed:
            objects.append(str(self.object_of(self.folder / "mutant.c")))
        target.parent.mkdir(parents=True, exist_ok=True)
        called([compiler(), *objects, *self.links, "-o", str(target)], self.root)
        return target


class Variant:
    """The programs that are made with the tree as it is, or with a file that has mutants in it."""

    def __init__(self, folder, path=None, text=None):
        self.folder, self.path = folder, path
        if path:
            put(folder / "tree" / path, text)
        self.programs = {}
        self.locks = collections.defaultdict(threading.Lock)
        self.lock = threading.Lock()

    def program(self, builder, test):
        """A test, linked once: the program, and a word that stands for what is in it."""
        with self.lock:
            lock = self.locks[test.name]
        with lock:
            if test.name not in self.programs:
                overlay = self.folder / "tree" if self.path else None
                program = builder.program(test, self.folder / test.name, overlay, self.path)
                self.programs[test.name] = program, hashlib.sha256(program.read_bytes()).hexdigest()
        return self.programs[test.name]


# ---- runs -----------------------------------------------------------------------------------

def killed(process):
    """Ends a test and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def activity(session):
    """(processor ticks, whether a thread could run) of the processes of a session."""
    ticks, runs = 0, False
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = name.isdigit() and pathlib.Path("/proc", name, "stat").read_text()
            if not stat or int(stat.rpartition(")")[2].split()[3]) != session:
                continue
            for task in os.listdir(f"/proc/{name}/task"):
                stat = pathlib.Path("/proc", name, "task", task, "stat").read_text()
                words = stat.rpartition(")")[2].split()
                ticks += int(words[11]) + int(words[12])
                runs = runs or words[0] in "RD"
    return ticks, runs


class Watch:
    """Whether a test takes too long: by the clock, or since all of its threads sleep."""

    def __init__(self, session, seconds, asleep):
        self.session, self.asleep = session, asleep
        self.ticks, self.since = None, time.monotonic()
        self.end = self.since + seconds

    def is_over(self):
        """Asked now and then."""
        now = time.monotonic()
        ticks, runs = activity(self.session)
        if runs or ticks != self.ticks:
            self.ticks, self.since = ticks, now
        return now > self.end or now - self.since > self.asleep


def watched(process, watch):
    """Waits for a test; ends it at its first word of failure, or when it takes too long. (failed,
    timed out, processor seconds, the last that it said)."""
    failed = late = False
    said = b""
    while not failed and not late:
        if not select.select([process.stdout], [], [], LOOK_SECONDS)[0]:
            late = watch.is_over()
            continue
        more = os.read(process.stdout.fileno(), 65536)
        if not more:
            break
        said = said[-1000:] + more
        failed = FAILED.search(said) is not None
    if failed or late:
        killed(process)
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return failed, late, usage.ru_utime + usage.ru_stime, said[-1000:].decode(errors="replace")


def run(program, step, limits, root, mutant=0):
    """Runs a step. A model never waits, so on a busy machine it searches as far as on an idle one;
    its time is the processor's."""
    command = ["prlimit", f"--cpu={int(limits.worked) + 1}", str(program)]
    environment = dict(os.environ, LEAT_TEST_SECONDS=str(STRESS_SECONDS), LEAT_TEST_SEED="1",
                       TSAN_OPTIONS="halt_on_error=1")
    environment[mutants_together.VARIABLE] = str(mutant)
    if step.preemptions is not None:
        environment["LEAT_EXPLORE_PREEMPTIONS"] = str(step.preemptions)
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=root, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    watch = Watch(process.pid, limits.seconds, limits.asleep)
    failed, timed_out, worked, said = watched(process, watch)
    ran = Ran(False, time.monotonic() - start, worked, "", said)
    status = process.returncode
    if timed_out or not failed and status in (-signal.SIGXCPU, -signal.SIGKILL):
        return ran._replace(why="time")
    if failed or status not in (0, SKIPPED):
        return ran._replace(why="failed" if failed or status > 0 else f"signal {-status}")
    return ran._replace(passed=status == 0, why="" if status == 0 else "skipped")
