"""Tests of tools/mutants: what is made of small samples of lock-free code and what is left alone,
and that the program tells a test that notices from one that does not.

Run: python3 -m unittest discover tests/tools
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import mutants_source  # noqa: E402
import mutants_together  # noqa: E402
import tidy_source  # noqa: E402
from tidy_source import Tree  # noqa: E402

LOADER = importlib.machinery.SourceFileLoader("mutants", str(ROOT / "tools" / "mutants"))
mutants = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", LOADER))
LOADER.exec_module(mutants)

ATOMIC_H = """
#define atom_load_rlx(word) atomic_load_explicit((word), memory_order_relaxed)
#define atom_load_acq(word) atomic_load_explicit((word), memory_order_acquire)
#define atom_load_sc(word) atomic_load_explicit((word), memory_order_seq_cst)
#define atom_store_rel(word, value) atomic_store_explicit((word), (value), memory_order_release)
#define atom_or_sc(word, bits)  atomic_fetch_or_explicit((word), (bits), memory_order_seq_cst)
#define atom_cas_rel(word, expected, value)                                    \\
    atomic_compare_exchange_strong_explicit((word), (expected), (value),       \\
                                            memory_order_release,              \\
                                            memory_order_relaxed)
#define atom_cas_acq_rel(word, expected, value)                                \\
    atomic_compare_exchange_strong_explicit((word), (expected), (value),       \\
                                            memory_order_acq_rel,              \\
                                            memory_order_acquire)
LEAT_INLINE void
atom_fence_sc(leat_atomic_u64 *anchor)
{
    (void)anchor;
}
"""
CAS = "atomic_compare_exchange_strong_explicit"

# Body of `bool take(…)` → what is made of it: name of the change → the statement afterwards.
ORDERS = {
    "x = atom_load_acq(&a);": {
        "atom_load_acq acquire => relaxed":
            "x = (atomic_load_explicit((&a), memory_order_relaxed));"},
    "x = atom_load_sc(&a->b[i]);": {
        "atom_load_sc sc => acquire":
            "x = (atomic_load_explicit((&a->b[i]), memory_order_acquire));"},
    "/* a:A release -> a:B.  Carries: x. */\n    atom_store_rel(&a, f(x, 1));": {
        "a:A release => relaxed":
            "(atomic_store_explicit((&a), (f(x, 1)), memory_order_relaxed));"},
    "(void)atom_or_sc(&a, 1);": {
        "atom_or_sc sc => acq_rel":
            "(void)(atomic_fetch_or_explicit((&a), (1), memory_order_acq_rel));"},
    "(void)atom_cas_rel(&a, &b, c);": {
        "atom_cas_rel release => relaxed":
            f"(void)({CAS}((&a), (&b), (c), memory_order_relaxed, memory_order_relaxed));"},
    "(void)atom_cas_acq_rel(&a, &b, c);": {
        "atom_cas_acq_rel acq_rel => acquire":
            f"(void)({CAS}((&a), (&b), (c), memory_order_acquire, memory_order_acquire));",
        "atom_cas_acq_rel acq_rel => release":
            f"(void)({CAS}((&a), (&b), (c), memory_order_release, memory_order_acquire));",
        "atom_cas_acq_rel failure acquire => relaxed":
            f"(void)({CAS}((&a), (&b), (c), memory_order_acq_rel, memory_order_relaxed));"},
    "atom_fence_sc(&a);": {"atom_fence_sc sc => none": "(void)0;"},
    "x = atom_load_rlx(&a);": {},
}

CONDITIONS = {
    "if (a == b) {\n    }": {
        "a == b => true": "if (((void)(a == b), 1)) {\n    }",
        "a == b => false": "if (((void)(a == b), 0)) {\n    }"},
    "while (a < b) {\n    }": {
        "a < b => true": "while (((void)(a < b), 1)) {\n    }",
        "a < b => false": "while (((void)(a < b), 0)) {\n    }",
        "a < b => <=": "while (a <= b) {\n    }"},
    "for (i = 0; i <= n; i++) {\n    }": {
        "i <= n => false": "for (i = 0; ((void)(i <= n), 0); i++) {\n    }",
        "i <= n => <": "for (i = 0; i < n; i++) {\n    }"},
    "if (LEAT_LIKELY(a && g(b, c))) {\n    }": {
        "a => true": "if (LEAT_LIKELY(((void)(a), 1) && g(b, c))) {\n    }",
        "g(b, c) => true": "if (LEAT_LIKELY(a && ((void)(g(b, c)), 1))) {\n    }",
        "LEAT_LIKELY(a && g(b, c)) => false":
            "if (((void)(LEAT_LIKELY(a && g(b, c))), 0)) {\n    }"},
    "if (a || !(b && c)) {\n    }": {
        "a => false": "if (((void)(a), 0) || !(b && c)) {\n    }",
        "!(b && c) => false": "if (a || ((void)(!(b && c)), 0)) {\n    }",
        "b => true": "if (a || !(((void)(b), 1) && c)) {\n    }",
        "c => true": "if (a || !(b && ((void)(c), 1))) {\n    }",
        "a || !(b && c) => true": "if (((void)(a || !(b && c)), 1)) {\n    }"},
    "return a->b >= c;": {
        "a->b >= c => true": "return ((void)(a->b >= c), 1);",
        "a->b >= c => false": "return ((void)(a->b >= c), 0);",
        "a->b >= c => >": "return a->b > c;"},
    "x = f(1, a > b ? c << 1 : d >> 1);": {
        "a > b => true": "x = f(1, ((void)(a > b), 1) ? c << 1 : d >> 1);",
        "a > b => false": "x = f(1, ((void)(a > b), 0) ? c << 1 : d >> 1);",
        "a > b => >=": "x = f(1, a >= b ? c << 1 : d >> 1);"},
    "x = a > b + 1 ? b + 1 : a;": {
        "a > b + 1 => true": "x = ((void)(a > b + 1), 1) ? b + 1 : a;",
        "a > b + 1 => false": "x = ((void)(a > b + 1), 0) ? b + 1 : a;"},
    "bool x = f(a);": {
        "f(a) => true": "bool x = ((void)(f(a)), 1);",
        "f(a) => false": "bool x = ((void)(f(a)), 0);"},
    "*x = a != 0;": {
        "a != 0 => true": "*x = ((void)(a != 0), 1);",
        "a != 0 => false": "*x = ((void)(a != 0), 0);"},
    "for (;;) {\n    }\n    while (true) {\n    }": {},
    "LEAT_ASSERT(a < b);\n    LEAT_DCHECK(a && b);": {},
    "x = a->b << 2;\n    bool y = false;\n    return true;": {},
}


class Sample:
    """A tree in a temporary folder."""

    def __init__(self, files):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name).resolve()
        for path, text in {"ring/atomic.h": ATOMIC_H, **files}.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def mutants(self):
        """All mutants of the tree."""
        return mutants_source.mutants_of(Tree(self.root))


def function(body, name="take", kind="static bool"):
    """A function of the two layouts."""
    return f"{kind}\n{name}(int n)\n{{\n    {body}\n}}\n"


class Made(unittest.TestCase):
    """What is made."""

    def changes(self, body, before=""):
        """name of the change → the body afterwards."""
        text = function(before + body)
        with Sample({"ring/a.c": text}) as sample:
            made = {}
            for mutant in sample.mutants():
                prefix = "ring/a.c take: "
                self.assertTrue(mutant.identity.startswith(prefix), mutant.identity)
                start = len(function(before, "take")) - len("\n}\n")
                end = len(mutant.applied(text)) - len("\n}\n")
                made[mutant.identity[len(prefix):]] = mutant.applied(text)[start:end]
            return made

    def test_orders(self):
        for body, wanted in ORDERS.items():
            with self.subTest(body=body):
                lead = len(body) - len(body.split("\n    ")[-1])
                made = {name: text[lead:] for name, text in self.changes(body).items()}
                self.assertEqual(made, wanted)

    def test_conditions(self):
        for body, wanted in CONDITIONS.items():
            with self.subTest(body=body):
                self.assertEqual(self.changes(body, "atom_load_rlx(&z); "), wanted)

    def test_same_text_is_numbered(self):
        with Sample({"ring/a.c": function("x = atom_load_acq(&a);\n    y = atom_load_acq(&b);")}
                    ) as sample:
            self.assertEqual([mutant.identity.split(" => ")[1] for mutant in sample.mutants()],
                             ["relaxed", "relaxed #2"])

    def test_names_do_not_move_with_lines(self):
        body = "if (atom_load_acq(&a) < 1) {\n    }"
        with Sample({"ring/a.c": function(body)}) as here:
            moved = "\n\n" + function("x(a <\n        b);\n    " + body)
            with Sample({"ring/a.c": moved}) as there:
                names = {mutant.identity for mutant in there.mutants()}
                self.assertLessEqual({mutant.identity for mutant in here.mutants()}, names)


class Together(unittest.TestCase):
    """All mutants of a file in one text."""

    def test_pieces_inside_of_others(self):
        text = function("if (a <= f(b) && c) {\n    } /* atom_load_rlx(&z) */\n    "
                        "x = atom_load_acq(&d);")
        with Sample({"ring/a.c": text}) as sample:
            found = sample.mutants()
        whole, numbers, left = mutants_together.together(text, found)
        self.assertEqual((len(numbers), left), (len(found), []))
        self.assertEqual(sorted(numbers.values()), list(range(1, len(found) + 1)))
        self.assertEqual(whole.count("\n"), text.count("\n"))
        for mutant in found:
            with self.subTest(mutant=mutant.identity):
                self.assertEqual(chosen(whole, numbers[mutant.identity]),
                                 chosen(mutant.applied(text), 0))
        self.assertEqual(chosen(whole, 0), chosen(text, 0))

    def test_pieces_that_overlap(self):
        spans = [(0, 4), (2, 6), (2, 3)]
        found = [mutants_source.Mutant("a", "f", str(span), "0", *span, "0") for span in spans]
        text, numbers, left = mutants_together.together("abcdefgh", found)
        self.assertEqual(left, [found[1]])
        self.assertEqual(chosen(text, numbers[found[0].identity]), "0efgh")
        self.assertEqual(chosen(text, numbers[found[2].identity]), "ab0defgh")


def chosen(text, number):
    """What a text comes to where that mutant holds; without blanks, `!!` and brackets."""
    choice = re.compile(r"\(LEAT_MUTANT\((\d+)\) \? ")
    match = choice.search(text)
    while match:
        end = tidy_source.closing(text, match.start(), "()")
        first = tidy_source.closing(text, match.end(), "()") + 1
        if int(match.group(1)) == number:
            text = text[:match.start()] + text[match.end():first] + text[end + 1:]
        else:
            text = text[:match.start()] + "(" + text[first + len(" : "):end] + ")" + text[end + 1:]
        match = choice.search(text)
    return re.sub(r"[\s()]|!!", "", text)


class Where(unittest.TestCase):
    """In which functions."""

    def places(self, files):
        """Of the mutants of a tree."""
        with Sample(files) as sample:
            return {f"{mutant.path} {mutant.function}" for mutant in sample.mutants()}

    def test_functions_that_reach_an_operation(self):
        load = "x = atom_load_rlx(&a); /* rlx: single writer */\n    "
        text = (function(load + "if (x) {\n    }", "a")
                + function("if (a(1)) {\n    }", "b") + function("if (b(1)) {\n    }", "c")
                + function("if (n) {\n    }", "d"))
        self.assertEqual(self.places({"ring/x.c": text}),
                         {"ring/x.c a", "ring/x.c b", "ring/x.c c"})

    def test_quiet_functions_are_left_alone(self):
        text = (function("if (atom_load_rlx(&a)) { /* rlx: statistic */\n    }", "a")
                + function("/* rlx: not shared yet */\n    if (atom_load_rlx(&a)) {\n    }", "b")
                + function("atom_init(&a, 0);\n    if (n) {\n    }", "x_init")
                + function("if (c(1)) {\n    }", "x_check")
                + function("if (atom_load_acq(&a)) {\n    }", "c"))
        self.assertEqual(self.places({"ring/x.c": text}), {"ring/x.c c"})

    def test_functions_of_which_only_orders_count(self):
        text = function("if (atom_load_acq(&a)) {\n    }", "leat_pool_start")
        with Sample({"sched/x.c": text}) as sample:
            self.assertEqual([mutant.orders for mutant in sample.mutants()], [True])

    def test_functions_of_other_files(self):
        files = {"ring/x.h": function("return atom_load_acq(&a);", "leat_x"),
                 "sched/y.c": function("if (leat_x(1)) {\n    }", "y"),
                 "engine/z.c": function("if (leat_x(1)) {\n    }", "z"),
                 "ring/os_linux.c": function("if (leat_x(1)) {\n    }", "o")}
        self.assertEqual(self.places(files), {"ring/x.h leat_x", "sched/y.c y"})

    def test_functions_of_one_name(self):
        files = {"ring/x.c": function("return atom_load_acq(&a);", "leat_x"),
                 "ring/y.c": function("if (leat_x(1)) {\n    }", "leat_y", "bool")
                 + function("if (take(1)) {\n    }", "y"),
                 "ring/z.c": function("return leat_y(1);", "take")}
        self.assertEqual(self.places(files), {"ring/x.c leat_x"})


PROGRAM = """#include "ring/cell.h"
#include <cmocka.h>
int
main(void)
{
    return test();
}
"""
CELL_H = """#ifndef RING_CELL_H
#define RING_CELL_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdatomic.h>
#define atom_load_rlx(word) atomic_load_explicit((word), memory_order_relaxed)
int test(void);
bool take(int n);
#endif
"""
CELL_C = '#include "ring/cell.h"\n_Atomic int a;\n' + function(
    "int x = atom_load_rlx(&a);\n    return x == n && x < 1;", "take", "bool")
TEST_C = '#include "ring/cell.h"\n' + function("return take(0) ? 0 : 1;", "test", "int").replace(
    "int n", "void")


@unittest.skipUnless(shutil.which("gcc") and shutil.which("pkg-config") and not subprocess.run(
    ["pkg-config", "--exists", "cmocka", "liburcu-bp"], check=False).returncode, "no compiler")
class Command(unittest.TestCase):
    """The program, with a structure and a test of its own."""

    FILES = {"ring/cell.h": CELL_H, "ring/cell.c": CELL_C, "tests/unit/unit_cell.c": PROGRAM,
             "tests/support/test.c": TEST_C, "engine/leat.h": ""}

    def run_mutants(self, arguments, *options, files=None):
        """(exit status, lines)"""
        with Sample({**self.FILES, **(files or {}), "tests/mutants.md": arguments}) as sample:
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), \
                    mock.patch.object(mutants, "ROOT", sample.root):
                status = mutants.main(["--folder", str(sample.root / "build"), *options])
            return status, out.getvalue().splitlines()

    def test_killed_and_survived(self):
        status, lines = self.run_mutants("")
        self.assertEqual(status, 1)
        found = dict(line.split(": ", 2)[1:] for line in lines if line.startswith("ring/cell.c"))
        self.assertEqual(found["x == n && x < 1 => false"], "killed by unit_cell (failed)")
        self.assertEqual(found["x < 1 => true"], "SURVIVED, NOT ARGUED")
        self.assertEqual(lines[-1], "killed 1 / 4, argued 0")

    def test_arguments(self):
        row = "| `ring/cell.c take: {}` | never so |\n"
        rows = [row.format(name) for name in ("x == n => true", "x < 1 => true", "x < 1 => <=")]
        self.assertEqual(self.run_mutants("".join(rows))[0], 0)
        for more in ("x == n && x < 1 => false", "y => true"):
            status, lines = self.run_mutants("".join(rows) + row.format(more))
            self.assertEqual(status, 1)
            self.assertTrue(any(more in line for line in lines if line.startswith("fault:")), lines)

    def test_selection(self):
        status, lines = self.run_mutants("", "--only", "=> false")
        self.assertEqual((status, lines[-1]), (0, "killed 1 / 1, argued 0"))
        self.assertEqual(len(self.run_mutants("", "--list")[1]), 4)
        self.assertEqual(len(self.run_mutants("", "--list", "--sample", "2")[1]), 2)

    def test_one_that_hangs(self):
        for wait in ("", "sleep(1000);"):
            test = TEST_C.replace("return take(0) ? 0 : 1;",
                                  f"while (!take(0)) {{\n    {wait}\n    }}\n    return 0;")
            files = {"tests/support/test.c": "#include <unistd.h>\n" + test}
            status, lines = self.run_mutants("", "--only", "=> false", files=files)
            self.assertEqual((status, lines[-1]), (0, "killed 1 / 1, argued 0"))
            self.assertIn("killed by unit_cell (time)", lines[0])

    def test_what_killed_last_goes_first(self):
        other = PROGRAM.replace("return test();", "return test() + 0;")
        files = {"tests/unit/unit_later.c": other, "tests/mutants.md": ""}
        with Sample({**self.FILES, **files}) as sample, \
                contextlib.redirect_stdout(io.StringIO()) as out, \
                mock.patch.object(mutants, "ROOT", sample.root), \
                mock.patch.object(mutants, "TESTS", [("ring/cell", ("unit_cell", "unit_later"))]):
            options = ["--folder", str(sample.root / "build"), "--only", "=> false"]
            self.assertEqual(mutants.main(options), 0)
            path = sample.root / "build" / "memory.json"
            known = json.loads(path.read_text())
            self.assertIn("ring/cell.c take: x == n && x < 1 => false", known)
            known["ring/cell.c take: x == n && x < 1 => false"] = "unit_later"
            path.write_text(json.dumps(known))
            self.assertEqual(mutants.main(options), 0)
        self.assertIn("killed by unit_later (failed)", out.getvalue())

    def test_a_test_that_fails_at_once(self):
        files = {"tests/support/test.c": TEST_C.replace("? 0 : 1", "? 1 : 0")}
        self.assertEqual(self.run_mutants("", files=files)[0], 2)

    def test_rows(self):
        text = "| mutant | why |\n|---|---|\n| `a \\|\\| b` | c |\n"
        self.assertEqual(mutants.arguments_of(text), {"a || b": "c"})


if __name__ == "__main__":
    unittest.main()
