"""Reads the sources of the repository for tools/tidy.py: comments, functions, statements, and the
list of the rules. C is read by a small tokenizer, not parsed; clang-format sees to it that the
source has the shape that this relies on."""

import bisect
import collections
import functools
import os
import pathlib
import re

LIBRARY = ("ring", "sched", "engine")
FOLDERS = LIBRARY + ("bench", "tests", "examples", "tools")
# Programs of a host: they see the installed header and nothing else of ours.
OUTSIDE = ("examples/", "tests/embed/consumer/")
C_SUFFIXES = (".c", ".h", ".cc", ".cpp", ".hh")
TEXT_SUFFIXES = (".py", ".sh", ".cmake")
NOT_OURS = {"build", ".git", "__pycache__"}

LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                     r"'(?:\\.|[^'\\\n])*'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
NOT_A_FUNCTION = {"__attribute__", "alignas", "_Alignas", "__typeof__", "decltype"}

RULES = {}

Comment = collections.namedtuple("Comment", "line end_line alone text")
Function = collections.namedtuple("Function", "name line end_line parameters body offset")


def rule(name):
    """Registers a rule. It yields (path, line, message) or (path, line, message, function)."""
    def register(function):
        RULES[name] = function
        return function
    return register


def blank(text):
    """Spaces of the same shape."""
    return re.sub(r"[^\n]", " ", text)


def closing(code, start, pair="{}"):
    """Offset of the bracket that closes the one at `start`, or the end of the text."""
    depth = 0
    for match in re.compile("[" + re.escape(pair) + "]").finditer(code, start):
        depth += 1 if match.group() == pair[0] else -1
        if depth == 0:
            return match.start()
    return len(code)


def opening(code, end):
    """Offset of the round bracket that the one at `end` closes."""
    depth = 0
    for i in range(end, -1, -1):
        depth += (code[i] == ")") - (code[i] == "(")
        if depth == 0:
            return i
    return 0


def split_list(text):
    """The items between commas that are not inside brackets."""
    items, depth, last = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            items.append(text[last:i])
            last = i + 1
    items.append(text[last:])
    return [item.strip() for item in items if item.strip()]


def signature(head):
    """Name and parameters of the function whose declaration is `head`; (None, None) if it is no
    function. Names in capitals are macros: TEST(name) is a function called name."""
    outside = head
    while re.search(r"\([^()]*\)", outside):
        outside = re.sub(r"\([^()]*\)", " ", outside)
    if "=" in outside or re.match(r"\s*(namespace|class|union|enum class)\b", head):
        return None, None
    offset, by_macro = 0, None
    while True:
        start = head.find("(", offset)
        if start < 0:
            return (by_macro, []) if by_macro else (None, None)
        offset = closing(head, start, "()") + 1
        inner = head[start + 1:offset - 1]
        before = re.search(r"([A-Za-z_]\w*)\s*$", head[:start])
        if before is None or before.group(1) in NOT_A_FUNCTION:
            continue
        if before.group(1).isupper():
            by_macro = by_macro or inner.strip()
            continue
        parameters = split_list(inner)
        return before.group(1), [] if parameters == ["void"] else parameters


def opens_block(code, offset, inside_block):
    """Whether the brace at `offset` opens a block and not an initializer."""
    before = code[:offset].rstrip()
    if before.endswith("{"):
        return inside_block
    if re.search(r"(\b(else|do|try)|[;}:])$", before):
        return True
    if not before.endswith(")"):
        return False
    word = re.search(r"(\w+)\s*$", before[:opening(before, len(before) - 1)])
    return word is not None and word.group(1) not in ("return", "sizeof")


def nested_blocks(body):
    """(depth, offset) of the deepest block inside a function's body; the body itself is 0."""
    deepest, stack = (0, 0), []
    for match in re.finditer(r"[{}]", body):
        if match.group() == "}":
            stack = stack[:-1]
            continue
        stack.append(not stack or opens_block(body, match.start(), stack[-1]))
        deepest = max(deepest, (sum(stack) - 1, match.start()), key=lambda found: found[0])
    return deepest


class Source:
    """One file: its text, and for C its code without comments and literals."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.folder = path.split("/")[0]
        self.is_c = path.endswith(C_SUFFIXES)
        self.is_outside = path.startswith(OUTSIDE)
        self.starts = [0] + [match.end() for match in re.finditer("\n", text)]

    def line(self, offset):
        """Number of the line, from 1."""
        return bisect.bisect_right(self.starts, offset)

    @functools.cached_property
    def code(self):
        """The text with comments and literals replaced by spaces."""
        return LITERAL.sub(lambda match: blank(match.group()), self.text)

    @functools.cached_property
    def flat(self):
        """The code without preprocessor lines."""
        return DIRECTIVE.sub(lambda match: blank(match.group()), self.code)

    @functools.cached_property
    def comments(self):
        """All comments; `alone` if no code stands before it on its line."""
        found = []
        for match in LITERAL.finditer(self.text):
            if match.group()[:2] not in ("/*", "//"):
                continue
            line, end_line = self.line(match.start()), self.line(match.end() - 1)
            before = self.code[self.starts[line - 1]:match.start()]
            text = re.sub(r"^\s*/?[/*]+/?|\s*\*+/$", " ", match.group(), flags=re.M)
            found.append(Comment(line, end_line, not before.strip(), " ".join(text.split())))
        return found

    @functools.cached_property
    def includes(self):
        """(line, '"quoted/path.h"' or '<system.h>')."""
        found = []
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*("[^"]*"|<[^>]*>)', self.text, re.M):
            if self.code[match.start():match.start(1)].strip():
                found.append((self.line(match.start()), match.group(1)))
        return found

    @functools.cached_property
    def functions(self):
        """Definitions: the brace that opens the body stands in column 0."""
        found = []
        for match in re.finditer(r"^\{", self.flat, re.M):
            start = max(self.flat.rfind(char, 0, match.start()) for char in ";{}") + 1
            head = self.flat[start:match.start()]
            name, parameters = signature(head)
            if name is None:
                continue
            end = closing(self.flat, match.start())
            first = start + len(head) - len(head.lstrip())
            found.append(Function(name, self.line(first), self.line(end), parameters,
                                  self.flat[match.start():end + 1], match.start()))
        return found

    def function_at(self, line):
        """The function whose definition covers the line, or None."""
        for function in self.functions:
            if function.line <= line <= function.end_line:
                return function
        return None

    @functools.cached_property
    def bounds(self):
        """Offsets where statements end; a preprocessor directive is one statement."""
        found, depth, columns = [0], 0, set(self.starts)
        for match in re.finditer(DIRECTIVE.pattern + r"|[(){};]", self.code, re.M):
            token = match.group()
            if "#" in token:
                found += [match.start(), match.end()]
            elif token in "()":
                depth = max(0, depth + (1 if token == "(" else -1))
            else:
                if token == "}" and match.start() in columns:
                    depth = 0
                if depth == 0:
                    found.append(match.end())
        return found + [len(self.code) + 1]

    def statement(self, offset):
        """First and last line of the statement around the offset."""
        i = bisect.bisect_right(self.bounds, offset)
        piece = self.code[self.bounds[i - 1]:self.bounds[i]]
        start = self.bounds[i - 1] + len(piece) - len(piece.lstrip())
        return self.line(start), self.line(self.bounds[i] - 1)

    def find(self, pattern):
        """(line, match) of a pattern in the code."""
        for match in re.finditer(pattern, self.code):
            yield self.line(match.start()), match


class Tree:
    """All sources under a root, and the archives given on the command line."""

    def __init__(self, root, core=(), library=()):
        self.root = pathlib.Path(root)
        self.core = [pathlib.Path(path) for path in core]
        self.library = [pathlib.Path(path) for path in library]
        self.sources = [Source(path.relative_to(self.root).as_posix(), self.read(path))
                        for path in self.files()
                        if path.relative_to(self.root).parts[0] in FOLDERS and is_source(path)]
        self.by_path = {source.path: source for source in self.sources}

    def files(self):
        """Every file that is not built. What is built may change meanwhile, and is not entered."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NOT_OURS]
            found += [pathlib.Path(folder, name) for name in names if name not in NOT_OURS]
        yield from sorted(path for path in found if path.is_file())

    @staticmethod
    def read(path):
        """Text of a file; bytes that are not UTF-8 come out as replacement characters."""
        return path.read_text(encoding="utf-8", errors="replace")

    def c(self, *folders):
        """C sources of the folders, or of all."""
        return [source for source in self.sources
                if source.is_c and source.folder in (folders or FOLDERS)]

    def library_c(self):
        """C sources of ring/, sched/ and engine/."""
        return self.c(*LIBRARY)

    def texts(self, pattern):
        """path → text of the files whose names fit."""
        return {path.relative_to(self.root).as_posix(): self.read(path)
                for path in self.files() if path.match(pattern)}


def is_source(path):
    """C, C++, Python, shell, CMake, or a script without a suffix."""
    if path.suffix:
        return path.suffix in C_SUFFIXES + TEXT_SUFFIXES or path.name == "CMakeLists.txt"
    with open(path, "rb") as stream:
        return stream.read(2) == b"#!"
