#!/usr/bin/env python3
"""Checks the rules of CONTRIBUTING.md that a program can check.

  tools/tidy.py                     reads the sources; symbols are not looked at
  tools/tidy.py --list              says what the rules are
  tools/tidy.py --core build/release/libleat_core.a --library build/release/libleat.so \\
                --library build/release/libleat.a

Prints `file:line: rule: message` for each fault. Exit status: 0 none, 1 some, 2 cannot run.
Here are the rules about layers, size, symbols and documents; tidy_atomics.py has those about
atomics, tidy_source.py reads the sources.
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys

import perf_table
import reference
import tidy_atomics  # registers its rules
from tidy_source import FOLDERS, LIBRARY, RULES, Tree, blank, nested_blocks, rule, signature

COLUMNS_MAX = 100
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
NESTED_BLOCKS_MAX = 3
PARAMETERS_MAX = 5

# What a folder of the library may include, beside system headers. Leaf folders may include all
# three, and themselves.
MAY_INCLUDE = {"ring": {"ring"}, "sched": {"ring", "sched"}, "engine": set(LIBRARY)}
# The headers of ring/ that its structures may include; a structure never includes another one.
RING_BASE = {"base", "atomic", "os", "limits", "memory", "slot"}
# mpmc.h is no structure: it names the one that is used.
RING_CHOICE = {"mpmc": {"packed", "turn", "ticket", "scq"}}

# (rule, file or function): why it need not keep the rule. One that is not needed is a fault.
EXEMPT = {
    ("file-length", "engine/leat.h"): "the public interface is one file for the embedder",
    ("atomic-only", "tests/support/freeze.c"): "does what ring/atomic.h calls with LEAT_MODEL",
    ("atomic-only", "bench/rivals/ring_atomic_queue.cc"): "the library it measures is called so",
    ("allocation", "engine/types/memory.c"): "a library of its own, which sees <leat.h> only",
    ("include-direction", "tests/unit/unit_store.c"): "tests the driver of an example",
    ("recursion", "fib"): "what the benchmark is: the plain recursion, and each call a task",
    ("recursion", "skynet"): "the same",
    ("recursion", "tree_for"): "the same",
    ("parameters", "leat_type_register"): "an option struct, and four things of different types",
    ("parameters", "leat_type_register_batch"): "the same",
    ("parameters", "leat_types_add"): "as leat_type_register, for a kind",
    ("parameters", "leat_submit_batch"): "an array in, two arrays out, of one length",
}

# Thread-local variables: why they are not state of an engine.
THREAD_LOCAL = {"current_worker": "tells whether, and for whom, the calling thread is a worker",
                "mine": "what the calling thread waits for, once it answers for a change"}

# Writable words at file scope: why they are not state of an engine.
WRITABLE = {"open_engines": "a forked child is told by it that its parent has engines"}

# Members of libleat_core.a that are not compiled from our sources.
FOREIGN_MEMBERS = {"leat_jemalloc.o": "Debian's jemalloc, reduced to its own functions"}

# Names that sanitizers, coverage, probes and assemblers put into objects.
INSTRUMENT = re.compile(r"__(asan|odr_asan|tsan|ubsan|sancov|gcov)|_\.stapsdt\.base$|\.L|\$")

# What the build defines for the library's own sources, in the setting with the most code.
COMPILE_DEFINITIONS = ("-D_GNU_SOURCE", "-DLEAT_PRIORITY_LEVELS=8", "-DLEAT_SLOW_CHECKS=1",
                       "-DLEAT_ALLOCATOR_JEMALLOC=0")


# ---- layers ---------------------------------------------------------------------------------

@rule("include-direction")
def include_direction(tree):
    """ring/ includes ring/; sched/ adds sched/; engine/ all three; nothing includes a leaf folder
    but that folder itself."""
    for source in tree.c():
        allowed = MAY_INCLUDE.get(source.folder, set(LIBRARY) | {source.folder})
        for line, name in source.includes:
            folder = name.strip('"').split("/")[0]
            if name[0] == '"' and folder in FOLDERS and folder not in allowed:
                yield source.path, line, f"{source.folder}/ must not include {name}"


@rule("include-root")
def include_root(tree):
    """A quoted include is written from the root of the repository and exists; a program of a host
    (examples/) includes <leat.h> and its own neighbours."""
    for source in tree.c():
        folder = pathlib.PurePosixPath(source.path).parent if source.is_outside else ""
        for line, name in source.includes:
            path = name.strip('"<>')
            if name[0] == '"' and not (tree.root / folder / path).is_file():
                yield source.path, line, f"{name} is no path from {folder or 'the root'}"
            if source.is_outside and path.split("/")[0] in FOLDERS:
                yield source.path, line, f"{name} is not there for a program of a host"


@rule("ring-flat")
def ring_flat(tree):
    """A structure in ring/ includes only the base headers of ring/, never another structure."""
    for source in tree.c("ring"):
        own = pathlib.PurePosixPath(source.path).stem.split("_")[0]
        for line, name in source.includes:
            stem = pathlib.PurePosixPath(name.strip('"')).stem
            may = RING_BASE | {own} | RING_CHOICE.get(own, set())
            if name.startswith('"ring/') and stem not in may:
                yield source.path, line, f"{name} is neither its own nor a base header"


@rule("include-guard")
def include_guard(tree):
    """A header is guarded by a macro named after its path: ring/mpmc.h by RING_MPMC_H. Without its
    folder in engine/leat.h and in programs of a host (examples/)."""
    for source in tree.c():
        if source.path.endswith((".h", ".hh")):
            alone = source.is_outside or source.path == "engine/leat.h"
            name = source.path.rsplit("/", 1)[1] if alone else source.path
            guard = re.sub(r"\W", "_", name).upper()
            if not re.match(rf"\s*#ifndef {guard}\n#define {guard}\n", source.code):
                yield source.path, 1, f"does not begin with #ifndef {guard} and #define {guard}"


def compilations(tree):
    """(path, name of the setting, command) of everything that header_alone compiles."""
    urcu = []
    if shutil.which("pkg-config"):
        urcu = subprocess.run(["pkg-config", "--cflags", "liburcu-bp"], capture_output=True,
                              text=True, check=False).stdout.split()
    # After the system's folders: engine/limits.h is not <limits.h>.
    include = ["-I", str(tree.root), "-idirafter", str(tree.root / "engine")]
    for source in tree.c():
        if source.path == "engine/leat.h":
            for compiler in ("gcc", "g++", "clang", "clang++"):
                language, standard = ("c++", "c++17") if "++" in compiler else ("c", "c11")
                if shutil.which(compiler):
                    yield source.path, f"{compiler} {standard}", [
                        compiler, "-x", language, f"-std={standard}", *include, "-Wall", "-Wextra",
                        "-Wpedantic", "-Werror"]
        if source.path.endswith(".h"):
            definitions = [] if source.is_outside else COMPILE_DEFINITIONS
            yield source.path, "gcc c17", ["gcc", "-x", "c", "-std=c17", *include, *definitions,
                                           *urcu]


@rule("header-alone")
def header_alone(tree):
    """Every header compiles alone as C17; the public one also as C11 and C++17, with gcc and
    clang, all warnings errors, without any definition."""
    def compile_one(job):
        return job, subprocess.run([*job[2], "-fsyntax-only", "-"], input=f'#include "{job[0]}"\n',
                                   cwd=tree.root, capture_output=True, text=True, check=False)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for (path, setting, _), done in pool.map(compile_one, compilations(tree)):
            if done.returncode != 0:
                reason = re.search(r"error: .*", done.stderr)
                yield path, 1, (f"does not compile alone ({setting}): "
                                f"{reason.group() if reason else done.stderr.strip()[:200]}")


@rule("dead-file")
def dead_file(tree):
    """Every header of the library is included by another file, every source is in the build."""
    included = {name.strip('"') for source in tree.c() for _, name in source.includes}
    patterns = {str(pathlib.PurePosixPath(path).parent / token)
                for path, text in tree.texts("CMakeLists.txt").items()
                for token in re.findall(r"[\w./*+-]+", text)}
    for source in tree.library_c():
        if source.path.endswith(".h"):
            if source.path not in included and source.path != "engine/leat.h":
                yield source.path, 1, "nothing includes it"
        elif not any(fnmatch.fnmatch(source.path, pattern) for pattern in patterns):
            yield source.path, 1, "no CMakeLists.txt names it"


# ---- text and size --------------------------------------------------------------------------

@rule("line-length")
def line_length(tree):
    """No line is longer than 100 columns."""
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield source.path, number, f"{len(line)} columns"


@rule("white-space")
def white_space(tree):
    """No tabs, no blanks at the end of a line, one newline at the end of a file."""
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            if "\t" in line:
                yield source.path, number, "tab"
            if line != line.rstrip():
                yield source.path, number, "blank at the end of the line"
        if source.text and not re.search(r"[^\n]\n\Z", source.text):
            yield source.path, source.text.count("\n") or 1, "does not end in exactly one newline"


@rule("todo")
def todo(tree):
    """A note of work to do names its issue: (#12) behind it."""
    words = "TO" "DO|FIX" "ME|XX" "X"
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            if re.search(rf"\b(?:{words})\b(?!\s*\(#\d+\))", line):
                yield source.path, number, "note without an issue number"


@rule("merge-marker")
def merge_marker(tree):
    """No file, of whatever kind, has the markers of a merge that was not finished."""
    for path, text in tree.texts("*").items():
        for match in re.finditer(r"^(?:<{7}|\|{7}|={7}|>{7})(?:[ \r].*)?$", text, re.M):
            yield path, text.count("\n", 0, match.start()) + 1, "marker of a merge"


@rule("file-length")
def file_length(tree):
    """A file has at most 800 lines."""
    for source in tree.sources:
        if len(source.lines) - 1 > FILE_LINES_MAX:
            yield source.path, FILE_LINES_MAX + 1, f"{len(source.lines) - 1} lines"


@rule("function-length")
def function_length(tree):
    """A function has at most 70 lines, from its first line to its closing brace."""
    for source in tree.c():
        for function in source.functions:
            lines = function.end_line - function.line + 1
            if lines > FUNCTION_LINES_MAX:
                yield (source.path, function.line, f"{function.name} has {lines} lines",
                       function.name)


@rule("nesting")
def nesting(tree):
    """At most 3 blocks are nested inside a function's body."""
    for source in tree.c():
        for function in source.functions:
            depth, offset = nested_blocks(function.body)
            if depth > NESTED_BLOCKS_MAX:
                yield (source.path, source.line(function.offset + offset),
                       f"{depth} nested blocks in {function.name}", function.name)


@rule("parameters")
def parameters(tree):
    """A function has at most 5 parameters."""
    for source in tree.c():
        for function in source.functions:
            if len(function.parameters) > PARAMETERS_MAX:
                yield (source.path, function.line,
                       f"{function.name} has {len(function.parameters)} parameters", function.name)


# ---- what the code may not do ---------------------------------------------------------------

@rule("recursion")
def recursion(tree):
    """No function calls itself."""
    for source in tree.c():
        for function in source.functions:
            for match in re.finditer(rf"(?<![\w.>]){function.name}\s*\(", function.body):
                yield (source.path, source.line(function.offset + match.start()),
                       f"{function.name} calls itself", function.name)


@rule("stack-size")
def stack_size(tree):
    """No alloca and no array of variable length."""
    declaration = re.compile(r"^[ \t]+(?:(?:const|static|struct|enum|unsigned|signed)[ \t]+)*"
                             r"(?!return|else|goto|case|delete)[A-Za-z_]\w*"
                             r"(?:[ \t]+|[ \t]*\*+[ \t]*)\w+((?:\[[^\]]*\])+)[ \t]*(?:[;=,]|$)",
                             re.M)
    for source in tree.c():
        for line, _ in source.find(r"\b(?:__builtin_)?alloca\b"):
            yield source.path, line, "alloca"
        for function in source.functions:
            for match in declaration.finditer(function.body):
                size = re.sub(r"sizeof\s*(\w+|\((?:[^()]|\([^()]*\))*\))|\d[\w']*", "",
                              match.group(1))
                if re.search(r"\b[a-z]\w*\b", size):
                    yield (source.path, source.line(function.offset + match.start(1)),
                           f"the length {match.group(1)} is not constant", function.name)


@rule("printing")
def printing(tree):
    """The library prints nothing; functions x_check(…, FILE *) write to their stream."""
    streams = r"\b(printf|vprintf|puts|putchar|perror|stdout|stderr)\b"
    writes = r"\b(v?fprintf|fputs|fputc|putc|fwrite)\b"
    for source in tree.library_c():
        for line, match in source.find(streams):
            yield source.path, line, f"{match.group()} in the library"
        for line, match in source.find(writes):
            function = source.function_at(line)
            if not (function and function.name.endswith("_check")
                    and any("FILE *" in parameter for parameter in function.parameters)):
                yield source.path, line, f"{match.group()} outside a function x_check(…, FILE *)"


@rule("allocation")
def allocation(tree):
    """In the library only ring/memory.c calls an allocator."""
    names = (r"malloc|calloc|realloc|reallocarray|free|strn?dup|v?asprintf|aligned_alloc|"
             r"posix_memalign|(?:je_)?(?:m|r|x|s|sd|d)allocx")
    for source in tree.library_c():
        if source.path != "ring/memory.c":
            for line, match in source.find(rf"(?<![\w.>])({names})\s*\("):
                yield source.path, line, f"{match.group(1)} outside ring/memory.c"


@rule("typedef-t")
def typedef_t(tree):
    """No type of ours is named with _t at the end."""
    for source in tree.c():
        for line, match in source.find(r"\btypedef\b[^;{}]*(?:\{[^{}]*\})?[^;{}]*;"):
            name = re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*(?:\[[^\]]*\]\s*)*;$", match.group())
            if name and (name.group(1) or name.group(2)).endswith("_t"):
                yield source.path, line, f"typedef {name.group(1) or name.group(2)}"


# ---- symbols --------------------------------------------------------------------------------

Symbol = collections.namedtuple("Symbol", "member name kind section")


def symbols(path, dynamic=False):
    """Defined symbols of an archive or a shared library."""
    command = ["nm", "--defined-only", "--format=sysv", *(["-D"] if dynamic else []), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"tidy: {done.stderr.strip()}")
    member, found = path.name, []
    for line in done.stdout.split("\n"):
        heading = re.match(r"(?:Symbols|Undefined symbols) from .*?\[(.*)\]:", line)
        member = heading.group(1) if heading else member
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name" and not INSTRUMENT.match(fields[0]):
            found.append(Symbol(member, fields[0].split("@")[0], fields[2], fields[6]))
    return [symbol for symbol in found if symbol.member not in FOREIGN_MEMBERS]


def relative(tree, path):
    """A path for messages."""
    full = path.resolve()
    return str(full.relative_to(tree.root)) if full.is_relative_to(tree.root) else str(path)


def declared(tree):
    """name → (line, text) of the functions that engine/leat.h marks with LEAT_API."""
    source = tree.by_path.get("engine/leat.h")
    found = {}
    for match in re.finditer(r"^LEAT_API\b([^;{]*);", source.flat if source else "", re.M):
        name = signature(match.group(1))[0]
        if name:
            found[name] = (source.line(match.start()), source.line(match.end()))
    return found


@rule("symbol-prefix")
def symbol_prefix(tree):
    """Every symbol of the library that is not static begins with leat_ (needs --core)."""
    for path in tree.core:
        for symbol in symbols(path):
            if symbol.kind.isupper() and not symbol.name.startswith("leat_"):
                yield relative(tree, path), 0, f"{symbol.member} defines {symbol.name}"


@rule("symbol-export")
def symbol_export(tree):
    """libleat.so and libleat.a export exactly what engine/leat.h declares (needs --library)."""
    for path in tree.library:
        shared = ".so" in path.name
        names = {symbol.name for symbol in symbols(path, shared)
                 if symbol.kind.isupper() and symbol.kind != "A"}
        for name in sorted(names - set(declared(tree))):
            yield relative(tree, path), 0, f"exports {name}, which engine/leat.h does not declare"
        for name in sorted(set(declared(tree)) - names):
            yield relative(tree, path), 0, f"does not export {name}"


@rule("mutable-state")
def mutable_state(tree):
    """The library has no writable memory at file scope, and no thread-local, but the listed ones
    (needs --core)."""
    for path in tree.core:
        for symbol in symbols(path):
            writable = re.match(r"\.data(?!\.rel\.ro)|\.bss|\*COM\*", symbol.section)
            local = re.match(r"\.t(data|bss)", symbol.section)
            listed = symbol.name in (WRITABLE if writable else THREAD_LOCAL)
            if (writable or local) and not listed:
                yield relative(tree, path), 0, (f"{symbol.member} has {symbol.name} in "
                                                f"{symbol.section}")


# ---- the public interface -------------------------------------------------------------------

@rule("public-comment")
def public_comment(tree):
    """Every declaration with LEAT_API has a block comment directly above it, or above the group
    that it stands in."""
    source = tree.by_path.get("engine/leat.h")
    if source is None:
        return
    ends = {comment.end_line for comment in source.comments if comment.alone}
    for name, (first, last) in sorted(declared(tree).items(), key=lambda item: item[1]):
        if first - 1 not in ends:
            yield source.path, first, f"{name} has no comment"
        else:
            ends.add(last)


@rule("public-defined")
def public_defined(tree):
    """Every declaration with LEAT_API has its definition in engine/."""
    defined = {function.name for source in tree.c("engine") for function in source.functions}
    for name, (line, _) in declared(tree).items():
        if name not in defined:
            yield "engine/leat.h", line, f"{name} is not defined in engine/"


@rule("status-text")
def status_text(tree):
    """Every constant of enum leat_status has its text in engine/status.c."""
    source = tree.by_path.get("engine/leat.h")
    match = re.search(r"enum leat_status \{([^}]*)\}", source.code) if source else None
    if match is None:
        return
    texts = tree.by_path["engine/status.c"].text if "engine/status.c" in tree.by_path else ""
    for constant in re.finditer(r"\bLEAT_[A-Z_]+\b", match.group(1)):
        name = constant.group()
        if name != "LEAT_STATUS_COUNT" and not re.search(
                rf'(\[{name}\]\s*=\s*|case {name}:\s*return\s+|\b{name},\s*)"[^"]', texts):
            yield source.path, source.line(match.start(1) + constant.start()), f"{name} has no text"


# ---- documents ------------------------------------------------------------------------------

@rule("design-page")
def design_page(tree):
    """A page under docs/ that code or a document mentions exists; every design page is mentioned
    by something else."""
    documents = tree.texts("*.md")
    pages = {path for path in documents if path.startswith("docs/")}
    texts = {source.path: source.text for source in tree.sources} | documents
    mentioned = set()
    for path, text in texts.items():
        if path.startswith("tests/tools/"):
            continue
        for match in re.finditer(r"docs/design/\d{4}[\w-]*(?:\.md)?|docs/(?!design/)[\w/-]+\.md|"
                                 r"(?<=\()(?:design/)?\d{4}-[\w-]+\.md", text):
            name = re.sub(r"^(docs/)?(design/)?(?=\d{4})", "docs/design/", match.group())
            fitting = {page for page in pages if page == name or page.startswith(name + "-")
                       or page == name + ".md"}
            if not fitting:
                yield path, text.count("\n", 0, match.start()) + 1, f"there is no {name}"
            mentioned |= fitting - {path}
    for page in sorted(pages - mentioned):
        if page.startswith("docs/design/"):
            yield page, 1, "nothing mentions it"


@rule("document-link")
def document_link(tree):
    """A relative link in a document leads to a file."""
    for path, text in tree.texts("*.md").items():
        plain = re.sub(r"^```.*?^```|`[^`\n]*`", lambda match: blank(match.group()), text,
                       flags=re.S | re.M)
        for match in re.finditer(r"\]\(([^)#\s]+)[^)]*\)", plain):
            target = match.group(1)
            if not re.match(r"[a-z]+:", target):
                if not ((tree.root / path).parent / target).exists():
                    yield path, text.count("\n", 0, match.start()) + 1, f"{target} does not exist"


@rule("generated-fresh")
def generated_fresh(tree):
    """PERFORMANCE.md's generated blocks and docs/reference.md are what their tools write."""
    path = tree.root / "PERFORMANCE.md"
    if path.is_file():
        for line, message in perf_table.stale_blocks(tree.root, tree.read(path)):
            yield "PERFORMANCE.md", line, message
    if (tree.root / reference.REFERENCE).is_file() and reference.stale(tree.root):
        yield reference.REFERENCE, 1, "is not fresh; run tools/reference.py"


# ---- running --------------------------------------------------------------------------------

def run(tree, names=None):
    """(faults, used exemptions): all rules, or the named ones, over a tree."""
    faults, used = [], set()
    for name in names or RULES:
        for path, line, message, *subject in RULES[name](tree):
            keys = {(name, key) for key in (path, *subject) if (name, key) in EXEMPT}
            used |= keys
            if not keys:
                faults.append((path, line, name, message))
    return sorted(faults), used


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description="Checks the rules of CONTRIBUTING.md.")
    parser.add_argument("--list", action="store_true", help="print the rules")
    parser.add_argument("--core", action="append", default=[], metavar="ARCHIVE",
                        help="libleat_core.a, for the rules about symbols")
    parser.add_argument("--library", action="append", default=[], metavar="FILE",
                        help="libleat.so or libleat.a, for what is exported")
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent,
                        type=pathlib.Path, help="another tree")
    options = parser.parse_args(arguments)
    if options.list:
        for name, function in RULES.items():
            print(f"{name:18} {' '.join(function.__doc__.split())}")
        return 0
    for path in [*options.core, *options.library]:
        if not pathlib.Path(path).is_file():
            print(f"tidy: {path} is no file", file=sys.stderr)
            return 2
    tree = Tree(options.root.resolve(), options.core, options.library)
    faults, used = run(tree)
    faults += [("tools/tidy.py", 0, "exempt", f"{key[0]} no longer needs {key[1]}")
               for key in EXEMPT if key not in used]
    for path, line, name, message in faults:
        print(f"{path}:{line}: {name}: {message}")
    for option, given in (("--core", options.core), ("--library", options.library)):
        if not given:
            print(f"tidy: without {option} its rules about symbols were not checked",
                  file=sys.stderr)
    print(f"tidy: {len(tree.sources)} files, {len(RULES)} rules, {len(faults)} faults",
          file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
