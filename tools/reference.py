#!/usr/bin/env python3
"""Writes docs/reference.md from engine/leat.h, where every promise is.

  tools/reference.py            rewrites the file
  tools/reference.py --check    changes nothing; exit 1 if the file is not fresh

A section of the header begins with a comment of a line of dashes; what one reads there is divided
by blank lines into parts. A part is a comment, what it explains, or both: functions become a
heading, their declaration, their text and a list of its fields (Threads, Returns, ...); types and
constants are shown as they stand.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = "engine/leat.h"
REFERENCE = "docs/reference.md"
SECTION = re.compile(r"^/\* ---- (?P<title>[^\n]*?) -+(?: \*/)?$", re.M)
FIELD = re.compile(r"(?:^|(?<=\s\s)|(?<=\. ))(Threads|Progress|Allocates|Waits|Returns|Order):\s+")
FUNCTION = re.compile(r"\b(leat_\w+)\(")


# ---- reading ---------------------------------------------------------------------------------

def sections(header):
    """[(title, text)] of the header, up to its end for C++."""
    body = header[:header.rindex("#ifdef __cplusplus")]
    found = list(SECTION.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    for match, end in zip(found, ends):
        text = body[match.end():end]
        if not match.group().endswith("*/"):
            text = "/*" + text  # the section's own text is the rest of that comment
        yield match.group("title"), text


def parts(text):
    """The parts of a section: blank lines divide, but not within braces or a comment."""
    part, depth, comment = [], 0, False
    for line in text.split("\n"):
        if not line.strip() and depth == 0 and not comment:
            if part:
                yield "\n".join(part)
            part = []
            continue
        part.append(line)
        comment = line.rfind("/*") > line.rfind("*/") or (comment and "*/" not in line)
        code = re.sub(r"/\*.*?(\*/|$)|^ \*.*", "", line)
        depth += code.count("{") - code.count("}")
    if part:
        yield "\n".join(part)


def split(part):
    """(comment as plain lines, code) of a part."""
    match = re.match(r"/\*(.*?)\*/\s*", part, re.S)
    if match is None:
        return [], part
    lines = [re.sub(r"^ \*? ?", "", line).rstrip() for line in match.group(1).split("\n")]
    return lines, part[match.end():]


# ---- writing ---------------------------------------------------------------------------------

def escape(text):
    """Text of a comment as Markdown: names of the interface as code, unless they are so already."""
    pieces = text.split("`")
    for i in range(0, len(pieces), 2):
        plain = re.sub(r"([*<>|\\\[\]#])", r"\\\1", pieces[i])
        pieces[i] = re.sub(r"(?<![\w/])\w*_\w+(\(\))?", lambda name: f"`{name.group()}`", plain)
    return "`".join(pieces)


def prose(lines):
    """Paragraphs, which blank lines divide; what is indented stands as it is."""
    out, paragraph = [], []
    for line in [*lines, ""]:
        if line and not line.startswith("  "):
            paragraph.append(line.strip())
            continue
        if paragraph:
            out += [escape(" ".join(paragraph)), ""]
            paragraph = []
        if line:
            verbatim = ["    " + line, ""]
            if len(out) > 1 and out[-2].startswith("    "):
                out[-1:] = verbatim
            else:
                out += verbatim
    return out


def fields(lines):
    """(lines before the first field, [(name, text)]) of a function's comment."""
    first = next((i for i, line in enumerate(lines) if FIELD.match(line)), len(lines))
    pieces = FIELD.split("  ".join([""] + lines[first:]).strip())
    pairs = zip(pieces[1::2], pieces[2::2])
    return lines[:first], [(name, " ".join(text.split())) for name, text in pairs]


def declarations(code):
    """(a part's code, its functions): without bodies of inline ones and words of the build."""
    code = re.sub(r"\)\n\{\n.*?\n\}", ");", code, flags=re.S)
    code = re.sub(r"^static inline ", "", code, flags=re.M)
    code = re.sub(r"LEAT_API |LEAT_NODISCARD ", "", code).strip()
    bare = re.sub(r"/\*.*?\*/", "", code, flags=re.S)
    if "{" in bare or bare.startswith(("#", "typedef")):
        return code, []
    calls = re.findall(r"^[^;]*?\bleat_\w+\([^;]*?\);", bare, flags=re.M)
    return code, [re.sub(r"\s+", " ", call).strip().replace("* leat", "*leat") for call in calls]


def wrapped(call):
    """A declaration, its parameters on lines of their own where it is long."""
    if len(call) <= 100:
        return call
    head, arguments = call.split("(", 1)
    pieces, depth, piece = [], 0, ""
    for char in arguments.rsplit(")", 1)[0]:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            pieces.append(piece.strip())
            piece = ""
        else:
            piece += char
    pieces.append(piece.strip())
    return head + "(\n    " + ",\n    ".join(pieces) + ");"


def described(part):
    """A part as lines of Markdown."""
    lines, code = split(part)
    if not code.strip():
        return prose(lines)
    code, calls = declarations(code)
    if not calls:
        return [*prose(lines), "```c", code, "```", ""]
    names = [FUNCTION.search(call).group(1) for call in calls]
    text, pairs = fields(lines)
    rest = [f"- {name}: {escape(value)}" for name, value in pairs]
    return [f"### {', '.join(dict.fromkeys(names))}", "", "```c", *map(wrapped, calls), "```", "",
            *prose(text), *rest, *([""] if rest else [])]


def reference(header):
    """The whole file."""
    intro, _ = split(header)
    titles = [title for title, _ in sections(header)]
    out = ["# Reference", "", f"Made from `{HEADER}` by `tools/reference.py`.", ""]
    out += [*prose([re.sub(r"^ ?leat\.h - t", "T", line) for line in intro]), "Sections:", ""]
    for title in titles:
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        out.append(f"- [{title}](#{anchor})")
    for title, text in sections(header):
        out += ["", f"## {title}", ""]
        for part in parts(text):
            out += described(part)
        while not out[-1]:
            out.pop()
    return "\n".join(out) + "\n"


def stale(root):
    """True if the file is not what the header makes of it."""
    path = root / REFERENCE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text != reference((root / HEADER).read_text(encoding="utf-8"))


def main(arguments):
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    if options.check:
        if stale(ROOT):
            print(f"reference: {REFERENCE} is not fresh; run tools/reference.py", file=sys.stderr)
            return 1
        return 0
    text = reference((ROOT / HEADER).read_text(encoding="utf-8"))
    (ROOT / REFERENCE).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
