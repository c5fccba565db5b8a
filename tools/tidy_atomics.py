"""The rules of tools/tidy.py about atomics: what the comments of lock-free code must say.

The labels form one graph over ring/, sched/ and engine/: each operation that is not relaxed has
its own label, and names the labels that it synchronizes with."""

import re

from tidy_source import LIBRARY, closing, rule

ATOMIC_H = "ring/atomic.h"
LABEL_LINES_ABOVE = 6  # how far a label may stand above the statement that it belongs to
TAG_LINES_ABOVE = 3    # the same for the tag of a relaxed operation

ORDERS = {"acq": "acquire", "rel": "release", "acq_rel": "acq_rel", "sc": "sc"}
MEETS = {"acquire": ("release", "acq_rel"), "release": ("acquire", "acq_rel", "sc"),
         "acq_rel": ("acquire", "release", "acq_rel"), "sc": ("sc", "release")}
SITE = re.compile(r"\batom_\w*?_(rlx|acq_rel|acq|rel|sc)\b")
LABEL = r"[a-z][a-z0-9_]*:[A-Z]"
LABELS = rf"{LABEL}(?:, {LABEL})*"
ENTRY = re.compile(rf"\b({LABEL}) (acquire|release|acq_rel|sc) -> ({LABELS})\.")
RELAXED_ENTRY = re.compile(rf"({LABEL})(?: rlx: .*)?")
EDGE = re.compile(rf"\b({LABEL}) -> ({LABELS})")
TAG = re.compile(rf"rlx: (?:single writer|statistic|not shared yet|draws a number|"
                 rf"hint, re-checked at {LABEL}|ordered by {LABEL})(?![\w:])")
FACTS = {
    "relaxed": {},
    "sc": {"Orders:": rf"Orders: (?:.+ then .+, against .+ then .+|nothing of its own; .+|"
                      rf"as {LABEL}\.)"},
    "other": {"Carries:": r"Carries: \w", "If relaxed:": r"If relaxed: \w"},
}


class Entry:
    """A label: where it stands, what it says, and whether an operation belongs to it."""

    def __init__(self, source, comment, match, text):
        self.path = source.path
        self.unit = source.path.rsplit(".", 1)[0].removesuffix("_internal")
        self.line, self.end_line, self.alone = comment.line, comment.end_line, comment.alone
        self.name = match.group(1)
        self.order = match.group(2) if match.re is ENTRY else "relaxed"
        self.partners = match.group(3).split(", ") if match.re is ENTRY else []
        self.text = text
        self.claimed = False


class Site:
    """One atomic operation and the label that belongs to it, if any."""

    def __init__(self, source, match):
        self.path = source.path
        self.line = source.line(match.start())
        self.wrapper = match.group()
        self.order = ORDERS.get(match.group(1), "relaxed")
        self.first, self.last = source.statement(match.start())
        self.entry = None

    def near(self, item, above):
        """Whether a comment or label stands on the statement's lines or directly above them."""
        if self.first <= item.line <= self.last:
            return True
        return item.alone and self.first - above <= item.end_line <= self.last

    def claim(self, entries):
        """Takes the nearest label of its order that no other operation took."""
        fitting = [entry for entry in entries if not entry.claimed and entry.order == self.order
                   and self.near(entry, LABEL_LINES_ABOVE)]
        self.entry = max(fitting, key=lambda entry: entry.end_line, default=None)
        if self.entry:
            self.entry.claimed = True


class Graph:
    """All atomic operations of the library, and the labels that they carry."""

    def __init__(self, tree):
        self.entries, self.sites, self.untagged = [], [], []
        for source in tree.library_c():
            if source.path != ATOMIC_H:
                self.read(source)
        self.names = {}
        for entry in self.entries:
            self.names.setdefault(entry.name, entry)

    def read(self, source):
        """Collects the labels of one file and gives each operation its own."""
        entries = []
        for comment in source.comments:
            matches = list(ENTRY.finditer(comment.text))
            ends = [match.start() for match in matches[1:]] + [len(comment.text)]
            entries += [Entry(source, comment, match, comment.text[match.start():end])
                        for match, end in zip(matches, ends)]
            relaxed = RELAXED_ENTRY.fullmatch(comment.text)
            if relaxed:
                entries.append(Entry(source, comment, relaxed, comment.text))
        tags = [comment for comment in source.comments if "rlx:" in comment.text]
        for match in SITE.finditer(source.code):
            site = Site(source, match)
            site.claim(entries)
            self.sites.append(site)
            if site.order == "relaxed" and not any(site.near(tag, TAG_LINES_ABOVE) for tag in tags):
                self.untagged.append(site)
        self.entries += entries


def graph_of(tree):
    """The graph of a tree, read once."""
    if not hasattr(tree, "graph"):
        tree.graph = Graph(tree)
    return tree.graph


@rule("atomic-only")
def atomic_only(tree):
    """Atomic types, operations, orders and fences are used only in ring/atomic.h, which alone
    includes <stdatomic.h>; programs of a host (examples/) have their own."""
    pattern = (r"\b(?:_Atomic|ATOMIC_\w+|u?atomic_\w+|__atomic_\w+|__sync_\w+|memory_order_\w+|"
               r"(?:cmm|CMM)_\w+)\b|<stdatomic\.h>")
    for source in tree.c():
        if source.path != ATOMIC_H and not source.is_outside:
            for line, match in source.find(pattern):
                yield source.path, line, f"{match.group()} outside {ATOMIC_H}"


@rule("order-in-name")
def order_in_name(tree):
    """Every operation in ring/atomic.h has its order at the end of its name: _rlx, _acq, _rel,
    _acq_rel or _sc; only atom_init() and atom_count() have none."""
    source = tree.by_path.get(ATOMIC_H)
    if source is None:
        return
    names = [(source.line(match.start()), match.group(1))
             for match in re.finditer(r"^[ \t]*#[ \t]*define (atom_\w+)", source.code, re.M)]
    names += [(function.line, function.name) for function in source.functions]
    for line, name in names:
        if not SITE.fullmatch(name) and name not in ("atom_init", "atom_count"):
            yield source.path, line, f"{name} does not end in its order"


@rule("volatile")
def no_volatile(tree):
    """No volatile but in `asm volatile` and `volatile sig_atomic_t`: it orders nothing."""
    for source in tree.c():
        for line, match in source.find(r"((?:__asm__|asm)\s+)?\b(?:__)?volatile(?:__)?\b"
                                       r"(\s+sig_atomic_t)?"):
            if not match.group(1) and not match.group(2) and not source.is_outside:
                yield source.path, line, "volatile orders nothing between threads"


@rule("label-present")
def label_present(tree):
    """Every operation that is not relaxed has a label of its order directly above it, within 6
    lines: `name:LETTER order -> partner:LETTER, partner:LETTER.`; every label has its operation."""
    graph = graph_of(tree)
    for site in graph.sites:
        if site.entry is None and site.order != "relaxed":
            yield site.path, site.line, (f"{site.wrapper} has no label `name:LETTER {site.order} "
                                         "-> partner:LETTER.` of its own")
    for entry in graph.entries:
        if not entry.claimed:
            yield entry.path, entry.line, (f"label {entry.name} ({entry.order}) belongs to no "
                                           "operation below it")


@rule("label-unique")
def label_unique(tree):
    """A label stands once in the library, and the name before the colon in one file (x.h, x.c and
    x_internal.h count as one)."""
    units, seen = {}, {}
    for entry in graph_of(tree).entries:
        name = entry.name.split(":")[0]
        first = seen.setdefault(entry.name, entry)
        if first is not entry:
            yield entry.path, entry.line, (f"label {entry.name} also stands at "
                                           f"{first.path}:{first.line}")
        elif units.setdefault(name, entry.unit) != entry.unit:
            yield entry.path, entry.line, f"label name {name} belongs to {units[name]}"


@rule("label-paired")
def label_paired(tree):
    """The partners that a label names name it back and are of the other side: acquire meets
    release, acq_rel meets each of these, sc meets sc, and as an acquire a release."""
    graph = graph_of(tree)
    for entry in graph.entries:
        for partner in entry.partners:
            other = graph.names.get(partner)
            if other is None:
                continue  # label_mentioned() reports it
            if entry.name not in other.partners:
                yield entry.path, entry.line, (f"partner {partner} of {entry.name} does not name "
                                               f"it back ({other.path}:{other.line})")
            elif other.order not in MEETS[entry.order]:
                yield entry.path, entry.line, (f"{entry.order} {entry.name} cannot meet "
                                               f"{other.order} {partner}")


@rule("label-facts")
def label_facts(tree):
    """A label says `Carries:` what it makes visible and `If relaxed:` what would go wrong. That of
    a sequentially consistent operation says `Orders:` STORE then LOAD, against STORE then LOAD;
    or `nothing of its own; REASON`; or `as LABEL.`"""
    for entry in graph_of(tree).entries:
        for fact, pattern in FACTS.get(entry.order, FACTS["other"]).items():
            if not re.search(pattern, entry.text):
                yield entry.path, entry.line, f"label {entry.name} lacks `{fact}` or its form"


@rule("label-mentioned")
def label_mentioned(tree):
    """Every label that a comment of the library mentions, as a partner, in a tag or in a sentence,
    exists; an edge `a:A -> b:B` is one that the
    labels state."""
    graph = graph_of(tree)
    for source in tree.library_c():
        for comment in source.comments:
            for name in sorted(set(re.findall(rf"\b{LABEL}\b", comment.text))):
                if name not in graph.names:
                    yield source.path, comment.line, f"there is no label {name}"
            for match in EDGE.finditer(comment.text):
                entry = graph.names.get(match.group(1))
                for partner in match.group(2).split(", "):
                    if entry and partner in graph.names and partner not in entry.partners:
                        yield source.path, comment.line, (f"{entry.name} does not name {partner} "
                                                          "as its partner")


@rule("relaxed-tag")
def relaxed_tag(tree):
    """Every relaxed operation carries, on its line or within 3 lines above, one of: rlx: single
    writer; rlx: statistic; rlx: not shared yet; rlx: draws a number; rlx: hint, re-checked at
    LABEL; rlx: ordered by LABEL."""
    for site in graph_of(tree).untagged:
        yield site.path, site.line, f"{site.wrapper} has no tag"
    for source in tree.library_c():
        for comment in source.comments:
            for piece in re.findall(r"rlx:[^.;]*", comment.text):
                if not TAG.match(piece):
                    yield source.path, comment.line, f"`{piece}` is no tag of the list"


def atomic_structs(source):
    """(offset, body) of each outermost struct or union with an atomic field."""
    done = 0
    for match in re.finditer(r"\b(?:struct|union)\b(?:\s+__attribute__\s*\(\(.*?\)\)|\s+\w+)*\s*\{",
                             source.flat):
        if match.start() >= done:
            done = closing(source.flat, match.end() - 1)
            body = source.flat[match.end():done]
            if re.search(r"\bleat_atomic_\w+\s+\w", body):
                yield match.end(), body


@rule("field-letter")
def field_letter(tree):
    """In a struct of the library with an atomic field, a comment beside each field begins with its
    letter: I O W S Q or T."""
    for source in tree.c(*LIBRARY):
        letters = [comment for comment in source.comments
                   if re.match(r"[IOWSQT](?:[ :]|$)", comment.text)]
        for offset, body in atomic_structs(source):
            for field in re.finditer(r"[^;{}]+;", body):
                text = " ".join(field.group().split())
                of_nested = body[:field.start()].endswith("}")
                if of_nested or re.match(r"(LEAT_STATIC|_?[Ss]tatic_assert)\b", text):
                    continue
                lead = len(field.group()) - len(field.group().lstrip())
                first = source.line(offset + field.start() + lead)
                last = source.line(offset + field.end() - 1)
                if not any(first <= comment.line <= last
                           or comment.alone and comment.end_line == first - 1
                           for comment in letters):
                    yield source.path, first, f"field `{text}` has no letter"
