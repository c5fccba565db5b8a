"""Builds leat_knobs with another value of a macro, for tools/knobs.py.

Of the files that a build of leat_knobs compiled only those are compiled anew that use the macro, as
gcc says, and linked before the library, so that they stand for its own ones. A macro that
CMake gives is given otherwise; one of a limits.h comes from a copy of it in a folder that is
searched before the tree."""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess

from rivals_rounds import Problem

LIMITS = ("ring/limits.h", "sched/limits.h", "engine/limits.h")
TARGETS = ("CMakeFiles/leat_objects.dir/", "CMakeFiles/leat_knobs.dir/")
LIBRARY = "libleat_core.a"
DEFINED = re.compile(r"^#define (\w+)", re.M)


def called(words, folder):
    """Output of a command that must succeed."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"{shlex.join(map(str, words))}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def defined(text, macro, value):
    """The text of a header with another value of a macro; None if it does not define it."""
    found = re.compile(rf"^(#[ ]*define {macro}[ ]+)\S.*?(?=[ ]*(?:/\*.*)?$)", re.M)
    return found.sub(lambda match: match[1] + value, text) if found.search(text) else None


def preprocessing(words):
    """The command that shows which macros a compilation uses."""
    kept = [word for word in words if word != "-c"]
    at = kept.index("-o")
    return [*kept[:at], *kept[at + 2:], "-E", "-P", "-dU"]


def linking(command, program, library_objects, own_objects):
    """The words of a link of another program. `own_objects`: those that stand for others, by their
    names; `library_objects` go before the library."""
    words = [own_objects.get(word, word) for word in shlex.split(command)
             if word not in (":", "&&")]
    words[words.index("-o") + 1] = str(program)
    at = words.index(LIBRARY)
    return [*words[:at], *library_objects, *words[at:]]


class Builds:
    """Programs beside the one at `program`, in the build's folder knobs/."""

    def __init__(self, root, program):
        self.root = root
        self.program = program.resolve()
        self.folder = self.program.parent.parent
        listed = json.loads((self.folder / "compile_commands.json").read_text(encoding="utf-8"))
        words = [shlex.split(one["command"]) for one in listed]
        self.commands = {one[one.index("-o") + 1]: one for one in words
                         if one[one.index("-o") + 1].startswith(TARGETS)}
        self.launcher = shlex.split(os.environ.get("CMAKE_C_COMPILER_LAUNCHER", ""))
        self.link = called(["ninja", "-t", "commands", "-s", f"bench/{self.program.name}"],
                           self.folder).strip().splitlines()[-1]
        self.used = {}
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())

    def given(self, macro, value, include):
        """What turns the words of a compilation into those with the value."""
        if any(word.startswith(f"-D{macro}=") for word in next(iter(self.commands.values()))):
            return lambda words: [f"-D{macro}={value}" if word.startswith(f"-D{macro}=") else word
                                  for word in words]
        for path in LIMITS:
            text = defined((self.root / path).read_text(encoding="utf-8"), macro, value)
            if text is not None:
                (include / path).parent.mkdir(parents=True, exist_ok=True)
                (include / path).write_text(text, encoding="utf-8")
                # Before the tree, which is the first -I.
                first = f"-I{self.root}"
                return lambda words: [part for word in words for part in
                                      ((f"-I{include}", word) if word == first else (word,))]
        raise Problem(f"no limits.h defines {macro}")

    def uses(self, words):
        """The macros that a compilation uses."""
        return set(DEFINED.findall(called(preprocessing(words), self.folder)))

    def variant(self, macro, value):
        """The program with this value."""
        folder = self.folder / "knobs" / f"{macro}-{value}"
        made = folder / "made"
        stamp = str(self.program.stat().st_mtime_ns)
        program = folder / self.program.name
        if made.exists() and made.read_text(encoding="utf-8") == stamp:
            return program
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        given = self.given(macro, value, folder / "include")
        if not self.used:
            self.used = dict(zip(self.commands, self.pool.map(self.uses, self.commands.values())))
        changed = [output for output in self.used if macro in self.used[output]]
        objects = {output: str(folder / output.replace("/", "_")) for output in changed}
        for done in [self.pool.submit(self.compile, given(self.commands[output]), objects[output])
                     for output in changed]:
            done.result()
        library = [objects[output] for output in changed if output.startswith(TARGETS[0])]
        own = {output: objects[output] for output in changed if output.startswith(TARGETS[1])}
        called(linking(self.link, program, library, own), self.folder)
        made.write_text(stamp, encoding="utf-8")
        return program

    def compile(self, words, output):
        """One object."""
        words = list(words)
        words[words.index("-o") + 1] = output
        # No warnings: of an unusual value they are of no use.
        called([*self.launcher, *words, "-w"], self.folder)
