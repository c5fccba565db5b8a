"""Makes the mutants of tools/mutants: reads the lock-free code of ring/, sched/ and some of engine/
and yields each with the piece of text that it changes. What is made and what is left out stands in
tools/mutants.

An order is weakened by writing out the macro of ring/atomic.h with the weaker order, so the header
need not have the weaker operation."""

import collections
import dataclasses
import re

import tidy_atomics
from tidy_source import closing, split_list

FOLDERS = ("ring", "sched")
# Of engine/: files that are mutated.
CHECKED = tuple(f"engine/{name}"
                for name in ("book.c", "breaker.c", "cohort.c", "completion.c", "crowd.h",
                             "gather.c", "key_rates.c", "keys.c", "pull.c", "room.c", "table.c",
                             "tenants.c", "trail.c", "unique.c"))
# Not structures: the operations themselves, and the system below them.
LEFT_OUT = ("ring/atomic.h", "ring/os.h", "ring/os_linux.c", "ring/memory.c", "ring/rcu.h")
# Conditions and comparisons in these are left alone.
ORDERS_ONLY = ("leat_pool_start", "leat_pool_wait_empty", "spin", "any_ready")

WEAKER = {
    "load": {"seq_cst": ["acquire"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release"], "release": ["relaxed"]},
    "change": {"seq_cst": ["acq_rel"], "acq_rel": ["acquire", "release"],
               "acquire": ["relaxed"], "release": ["relaxed"]},
    "failure": {"seq_cst": ["acquire"], "acquire": ["relaxed"]},
}
SHIFTED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

QUIET_NAME = "_check"  # may call what others share, and does it alone
QUIET_TAG = re.compile(r"rlx: (?:statistic|not shared yet)")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(atom_\w+)\(([^)]*)\)((?:[^\n]*\\\n)*[^\n]*)", re.M)
ORDER = re.compile(r"\bmemory_order_(\w+)")
COMPARISON = re.compile(r"->|<<=?|>>=?|[<>=!]=|[<>]")
LOGIC = r"[<>=!]=|\|\||&&|(?<![<>-])[<>](?![<>])"
CONSTANT = re.compile(r"(?:true|false|[01]|)")
WRAPPED = re.compile(r"!?\s*(?:LEAT_(?:UN)?LIKELY\s*)?\(")
BRACKET = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
RETURN = re.compile(r"\s*(?:return\b)?")
SET = re.compile(r"(\breturn\b|\bbool\s+\w+\s*=(?!=))|\b[\w.>\[\]-]+\s+=(?!=)")
ASSERTION = re.compile(r"\bLEAT_(?:ASSERT|DCHECK|STATIC)\s*\(")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file. Two mutants never have the same identity."""
    path: str
    function: str
    what: str    # a label, or the text of a condition
    change: str  # what becomes of it
    start: int   # the piece of text that is replaced
    end: int
    text: str
    orders: bool = False
    whole: tuple = None    # of a comparison: where it begins and ends
    decides: bool = False  # a condition: it is only asked whether it holds
    number: int = 1

    @property
    def identity(self):
        """Its name in lists and in tests/mutants.md: nothing of it moves with the lines above."""
        name = f"{self.path} {self.function}: {self.what} => {self.change}"
        return name if self.number == 1 else f"{name} #{self.number}"

    @property
    def span(self):
        """The expression that is replaced."""
        return self.whole or (self.start, self.end)

    def replacement(self, text):
        """What stands in the place of the span."""
        start, end = self.span
        return text[start:self.start] + self.text + text[self.end:end]

    def applied(self, text):
        """The file with the change."""
        start, end = self.span
        return text[:start] + self.replacement(text) + text[end:]


# ---- what is lock-free ----------------------------------------------------------------------

def read(tree):
    """The files whose functions are looked at."""
    return [*tree.c(*FOLDERS), *(source for source in tree.c("engine")
            if source.path in CHECKED)]


def structures(tree):
    """The files that are mutated."""
    return [source for source in read(tree) if source.path not in LEFT_OUT]


def is_shared(source, site, comments):
    """Whether other threads meet this operation: not if it is a statistic or not shared yet."""
    tags = [comment for comment in comments if site.near(comment, tidy_atomics.TAG_LINES_ABOVE)]
    quiet = tags and all(QUIET_TAG.search(comment.text) for comment in tags)
    return site.order != "relaxed" or not quiet


def head_of(source, function):
    """What stands before its body."""
    return source.flat[source.starts[function.line - 1]:function.offset]


def is_static(source, function):
    """Whether other files may have a function of that name. What a header has is for all."""
    return source.path.endswith(".c") and "static" in head_of(source, function).split()


def lock_free(tree):
    """(path, function) of each function that has an operation of its own that other threads meet,
    or calls one that has; one that is static is called in its file alone."""
    found, calls, homes = set(), {}, {}
    for source in read(tree):
        tags = [comment for comment in source.comments if "rlx:" in comment.text]
        for function in source.functions:
            place = source.path, function.name
            if not is_static(source, function):
                homes.setdefault(function.name, place)
            calls[place] = set(re.findall(r"\b(\w+)\s*\(", function.body))
        if source.path == tidy_atomics.ATOMIC_H:
            continue
        for match in tidy_atomics.SITE.finditer(source.flat):
            function = source.function_at(source.line(match.start()))
            site = tidy_atomics.Site(source, match)
            if function and is_shared(source, site, tags):
                found.add((source.path, function.name))
    quiet = {place for place in calls if place[1].endswith(QUIET_NAME)}
    found -= quiet
    while True:
        more = {place for place, names in calls.items() if place not in found | quiet
                and any(found & {(place[0], name), homes.get(name)} for name in names)}
        if not more:
            return found
        found |= more


# ---- orders ---------------------------------------------------------------------------------

def operations(atomic_h):
    """name → (parameters, body) of the macros of ring/atomic.h."""
    return {match.group(1): (split_list(match.group(2)), match.group(3).replace("\\\n", " "))
            for match in DEFINE.finditer(atomic_h.code)}


def written_out(operation, arguments):
    """The text that the preprocessor makes of a call."""
    parameters, body = operation
    values = dict(zip(parameters, arguments))
    body = re.sub(r"\b\w+\b", lambda match: values.get(match.group(), match.group()), body)
    return " ".join(body.split())


def kind_of(body):
    """Which row of WEAKER."""
    kind = re.search(r"atomic_(load|store)_explicit", body)
    return kind.group(1) if kind else "change"


def weaker_calls(operation, arguments):
    """(what of it, weaker order, text) for each order of a call that can be weaker by one step."""
    text = written_out(operation, arguments)
    orders = list(ORDER.finditer(text))
    for i, match in enumerate(orders):
        kind = "failure" if i == 1 else kind_of(operation[1])
        for weaker in WEAKER[kind].get(match.group(1), []):
            changed = text[:match.start(1)] + weaker + text[match.end(1):]
            yield "failure " if i == 1 else "", match.group(1), weaker, changed


def order_mutants(source, sites, known):
    """Each ordered operation, weakened. `sites` are those of the file, in its order."""
    for match, site in zip(tidy_atomics.SITE.finditer(source.code), sites):
        if site.order == "relaxed":
            continue
        function = source.function_at(site.line)
        place = source.path, function.name if function else "-"
        label = site.entry.name if site.entry else site.wrapper
        end = closing(source.code, match.end(), "()") + 1
        if "fence" in site.wrapper:
            yield Mutant(*place, f"{label} {site.order}", "none", match.start(), end, "(void)0",
                         True)
            continue
        arguments = split_list(source.code[match.end() + 1:end - 1])
        for what, before, weaker, text in weaker_calls(known[site.wrapper], arguments):
            before = before.replace("seq_cst", "sc")
            yield Mutant(*place, f"{label} {what}{before}", weaker, match.start(), end, f"({text})",
                         True)


# ---- conditions -----------------------------------------------------------------------------

def trimmed(code, start, end):
    """The span without blanks at its ends."""
    text = code[start:end]
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


def peeled(code, start, end):
    """The span inside brackets, LEAT_LIKELY() and a negation of it all."""
    start, end = trimmed(code, start, end)
    while True:
        match = WRAPPED.match(code, start, end)
        if not match or closing(code, match.end() - 1, "()") != end - 1:
            return start, end
        start, end = trimmed(code, match.end(), end - 1)


def top_level(code, start, end, pattern):
    """Matches of the pattern in the span that stand in no bracket, as spans."""
    flat, inside = None, code[start:end]
    while flat != inside:
        flat, inside = inside, BRACKET.sub(lambda match: "_" * len(match.group()), inside)
    return [(start + match.start(), start + match.end()) for match in re.finditer(pattern, flat)]


def operands(code, start, end):
    """(operator, spans) of a condition; the operator is None if it has only one operand."""
    for operator in ("||", "&&"):
        found = top_level(code, start, end, re.escape(operator))
        if found:
            starts = [start] + [after for _, after in found]
            ends = [before for before, _ in found] + [end]
            return operator, list(zip(starts, ends))
    return None, []


def dropped(code, start, end):
    """(span, value): each operand of the condition so that it does not count, and theirs."""
    operator, spans = operands(code, *peeled(code, start, end))
    for span in spans:
        yield trimmed(code, *span), operator == "&&"
        yield from dropped(code, *span)


def forced(code, start, end):
    """(span, value): a condition that always holds, one that never does, and its operands dropped.
    `a && b` that always holds says no more than its operands dropped, so it is left out."""
    whole = trimmed(code, start, end)
    if CONSTANT.fullmatch(code[whole[0]:whole[1]]):
        return
    operator, _ = operands(code, *peeled(code, start, end))
    for value in (True, False):
        if operator is None or value == (operator == "||"):
            yield whole, value
    yield from dropped(code, start, end)


def ends_expression(code, place, step, stops):
    """Whether an expression that is walked through ends at a character outside brackets."""
    char = code[place]
    if char == "=":
        return code[place - 1] not in "=!<>" and code[place + 1] != "="
    return char in stops or char in "&|" and "&&" in stops and code[place + step] == char


def expression_end(code, place, step, stops):
    """From `place` to the left or right (step -1, 1): the first character behind the expression."""
    depth, inward = 0, ")]" if step < 0 else "(["
    while True:
        depth += 1 if code[place] in inward else -1 if code[place] in "()[]" else 0
        if depth < 0 or depth == 0 and ends_expression(code, place, step, stops):
            return place
        place += step


def returns_bool(source, function):
    """Whether the function's head says so."""
    return re.search(rf"\bbool\s+{function.name}\s*\(", head_of(source, function)) is not None


def conditions(source, function):
    """(span, whether it may also hold always) of what decides something in a function."""
    code, first = source.flat, function.offset
    last = closing(code, first)
    for match in re.compile(r"\b(if|while|for)\s*\(").finditer(code, first, last):
        span = match.end(), closing(code, match.end() - 1, "()")
        if match.group(1) == "for":
            (_, start), (end, _) = top_level(code, *span, ";")
            span = start, end
        yield span, match.group(1) != "for"
    for match in re.compile(r"\?").finditer(code, first, last):
        start = expression_end(code, match.start() - 1, -1, ";{},?:") + 1
        yield (RETURN.match(code, start).end(), match.start()), True
    for match in SET.finditer(code, first, last):
        if match.group() == "return" and not returns_bool(source, function):
            continue
        span = match.end(), code.index(";", match.end())
        decides = match.group(1) or top_level(code, *span, LOGIC)
        if decides and not top_level(code, *span, r"\?"):
            yield span, True


def condition_mutants(source, function):
    """Each condition of a function, forced."""
    for span, may_hold in conditions(source, function):
        whole = trimmed(source.flat, *span)
        for part, value in forced(source.flat, *span):
            if value and part == whole and not may_hold:
                continue
            text = f"((void)({source.text[part[0]:part[1]]}), {int(value)})"
            yield Mutant(source.path, function.name, shown(source.flat, *part),
                         str(value).lower(), *part, text, decides=True)


def is_least(code, start, match, end):
    """Whether a comparison is that of `a < b ? a : b`, where equal sides make no difference."""
    if code[end] != "?":
        return False
    middle = expression_end(code, end + 1, 1, ":;")
    last = expression_end(code, middle + 1, 1, ",;?:")
    sides = {shown(code, start, match.start()), shown(code, match.end(), end)}
    return sides == {shown(code, end + 1, middle), shown(code, middle + 1, last)}


def comparison_mutants(source, function):
    """Each comparison of a function, moved by one."""
    code = source.flat
    for match in COMPARISON.finditer(code, function.offset, closing(code, function.offset)):
        if match.group() in SHIFTED:
            start = expression_end(code, match.start() - 1, -1, ";{},?:&&") + 1
            end = expression_end(code, match.end(), 1, ";{},?:&&")
            start = RETURN.match(code, start).end()
            if is_least(code, start, match, end):
                continue
            yield Mutant(source.path, function.name, shown(code, start, end),
                         SHIFTED[match.group()], *match.span(), SHIFTED[match.group()],
                         whole=trimmed(code, start, end))


def shown(code, start, end):
    """The text of a span on one line."""
    return " ".join(code[start:end].split())


# ---- all ------------------------------------------------------------------------------------

def is_asserted(source, mutant):
    """Whether the change stands inside an assertion."""
    return any(match.start() < mutant.start < closing(source.flat, match.end() - 1, "()")
               for match in ASSERTION.finditer(source.flat))


def numbered(mutants):
    """In the order of their places, each once; those of one name get numbers."""
    seen = collections.Counter()
    for mutant in sorted(set(mutants), key=lambda mutant: (mutant.path, mutant.start, mutant.end,
                                                           mutant.change)):
        seen[mutant.identity] += 1
        yield dataclasses.replace(mutant, number=seen[mutant.identity])


def mutants_of(tree):
    """All mutants of a tree."""
    known = operations(tree.by_path[tidy_atomics.ATOMIC_H])
    sites = tidy_atomics.graph_of(tree).sites
    wanted = lock_free(tree)
    found = []
    for source in structures(tree):
        ours = [site for site in sites if site.path == source.path]
        found += order_mutants(source, ours, known)
        for function in source.functions:
            if (source.path, function.name) in wanted and function.name not in ORDERS_ONLY:
                found += [mutant for mutant in (*condition_mutants(source, function),
                                                *comparison_mutants(source, function))
                          if not is_asserted(source, mutant)]
    return list(numbered(found))
