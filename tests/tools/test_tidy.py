"""Tests of tools/tidy.py: every rule meets samples that break it and samples that keep it. A rule
without both is a failure here, so no rule can be one that never speaks.

Run: python3 -m unittest discover tests/tools
"""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import tidy  # noqa: E402
import tidy_source  # noqa: E402

NOTE = "TO" + "DO"  # not written as one word: this file is checked as well


def guarded(path, body):
    """A header with the guard that its path asks for."""
    guard = path.replace("/", "_").replace(".", "_").upper()
    return f"#ifndef {guard}\n#define {guard}\n{body}\n#endif\n"


def function(body, head="static void run(int n)"):
    """A file with one function."""
    return f"{head}\n{{\n{body}\n}}\n"


LABEL_A = "/* push:A release -> pop:A.  Carries: the item.\n * If relaxed: it is not seen. */\n"
LABEL_B = "/* pop:A acquire -> push:A.  Carries: the item.\n * If relaxed: it is not seen. */\n"
STORE = "atom_store_rel(&word, 1);"
LOAD = "x = atom_load_acq(&word);"
PAIR = function(LABEL_A + STORE + "\n" + LABEL_B + LOAD)
SC = ("/* sleep:A sc -> sleep:A.  Orders: {} */\n", "atom_fence_sc(&anchor);")

STATUS_H = ("enum leat_status {\n    LEAT_OK = 0,\n    LEAT_FULL, /* no room */\n"
            "    LEAT_STATUS_COUNT\n};\n")
API_H = ("/* Opens.\n * Returns: LEAT_OK. */\nLEAT_API int leat_open(const char *name,\n"
         "                   int flags);\nLEAT_API int leat_close(void);\n")
LEAT_H = "#define LEAT_API\nLEAT_API int leat_a(void);\nLEAT_API int leat_b(void);\n"
BENCH = ('{"context": {}, "benchmarks": [{"name": "BM_a", "time_unit": "ns", "real_time": 4.0}]}')

# rule → (line of a fault, or None where the rule is kept; path → text).
SAMPLES = {
    "include-direction": [
        (1, {"ring/a.c": '#include "sched/b.h"\n'}),
        (2, {"sched/a.c": '#include "ring/a.h"\n#include "engine/b.h"\n'}),
        (1, {"engine/a.c": '#include "tests/support/check.h"\n'}),
        (1, {"tests/unit/a.c": '#include "bench/kernels/ring.h"\n'}),
        (None, {"engine/a.c": '#include "ring/a.h"\n#include "sched/b.h"\n#include <stdio.h>\n'}),
        (None, {"sched/a.c": '/* #include "engine/a.h" */\n#include "ring/a.h"\n'}),
        (None, {"tests/unit/a.c": '#include "engine/a.h"\n#include "tests/support/check.h"\n'}),
    ],
    "include-root": [
        (1, {"ring/a.c": '#include "a.h"\n', "ring/a.h": "\n"}),
        (1, {"examples/a.c": '#include <engine/leat.h>\n'}),
        (None, {"ring/a.c": '#include "ring/a.h"\n', "ring/a.h": "\n"}),
        (None, {"examples/a.c": '#include "a.h"\n#include <leat.h>\n', "examples/a.h": "\n"}),
    ],
    "ring-flat": [
        (1, {"ring/mpmc.h": '#include "ring/slab.h"\n'}),
        (None, {"ring/mpmc.c": '#include "ring/mpmc.h"\n#include "ring/atomic.h"\n'}),
        (None, {"ring/os_linux.c": '#include "ring/os.h"\n', "sched/a.c": '#include "ring/b.h"\n'}),
    ],
    "include-guard": [
        (1, {"ring/mpmc.h": "#ifndef MPMC_H\n#define MPMC_H\n#endif\n"}),
        (1, {"ring/mpmc.h": "#pragma once\n"}),
        (None, {"ring/mpmc.h": guarded("ring/mpmc.h", "/* */")}),
        (None, {"engine/leat.h": "/* text */\n" + guarded("leat.h", "int x;")}),
        (None, {"examples/a_parts.h": guarded("a_parts.h", "int x;")}),
    ],
    "header-alone": [
        (1, {"ring/a.h": "uint32_t count(void);\n"}),
        (1, {"engine/leat.h": "int class(int new);\n"}),
        (1, {"engine/leat.h": "static int unused(int x) { int y; return x; }\n"}),
        (None, {"ring/a.h": "#include <stdint.h>\nuint32_t count(void);\n"}),
        (None, {"engine/leat.h": "int leat_open(int mode);\n"}),
    ],
    "dead-file": [
        (1, {"ring/a.h": "int x;\n"}),
        (1, {"ring/a.c": "int x;\n", "CMakeLists.txt": "add_library(l sched/*.c ring/b.c)\n"}),
        (None, {"ring/a.h": "int x;\n", "tests/unit/a.c": '#include "ring/a.h"\n'}),
        (None, {"ring/a.c": "int x;\n", "CMakeLists.txt": "file(GLOB s ring/*.c)\n"}),
        (None, {"ring/a.c": "int x;\n", "ring/CMakeLists.txt": "add_library(r a.c)\n"}),
    ],
    "atomic-only": [
        (1, {"sched/a.c": "#include <stdatomic.h>\n"}),
        (1, {"sched/a.c": "_Atomic int x;\n"}),
        (1, {"tests/unit/a.c": "int y = atomic_load(&x);\n"}),
        (1, {"engine/a.c": "__sync_synchronize();\n"}),
        (1, {"engine/a.c": "atomic_thread_fence(memory_order_seq_cst);\n"}),
        (1, {"engine/a.c": "cmm_smp_mb();\n"}),
        (None, {"ring/atomic.h": "#include <stdatomic.h>\n_Atomic int x;\n"}),
        (None, {"sched/a.c": '/* _Atomic */ leat_atomic_u64 x; char *s = "atomic_load";\n'}),
        (None, {"examples/a.c": "__atomic_store_n(&x, 1, __ATOMIC_RELAXED);\n"}),
    ],
    "order-in-name": [
        (1, {"ring/atomic.h": "#define atom_load(word) load(word)\n"}),
        (2, {"ring/atomic.h": "\n" + function("", "static inline void atom_fence(void)")}),
        (None, {"ring/atomic.h": "#define atom_cas_acq_rel(w) x(w)\n#define atom_init(w) y(w)\n"
                                 + function("", "static inline void atom_fence_sc(void)")}),
    ],
    "volatile": [
        (1, {"ring/a.c": "volatile int x;\n"}),
        (1, {"tests/unit/a.c": "int *volatile x;\n"}),
        (None, {"ring/a.c": '__asm__ volatile("isb");\nasm volatile("");\n'}),
        (None, {"tools/a.c": "static volatile sig_atomic_t stopped;\n"}),
    ],
    "label-present": [
        (3, {"ring/a.c": function(STORE)}),
        (5, {"ring/a.c": function("/* The item is\n * published. */\n" + STORE)}),
        (6, {"ring/a.c": function(LABEL_A + STORE + "\n" + STORE)}),      # one label, two sites
        (12, {"ring/a.c": function(LABEL_A + "a();\n" * 7 + STORE)}),     # too far above
        (5, {"ring/a.c": function(LABEL_A + LOAD)}),                      # of another order
        (3, {"ring/a.c": function(LABEL_A + "a();")}),                    # label without a site
        (3, {"ring/a.c": function(SC[1])}),
        (None, {"ring/a.c": PAIR}),
        (None, {"ring/a.c": function(LABEL_A + "if (a &&\n    b &&\n    " + STORE + ") {\n}")}),
        (None, {"ring/a.c": function(STORE + " /* push:A release -> pop:A. */")}),
        (None, {"ring/atomic.h": "#define atom_x_rel(w) y(w)\n", "tests/a.c": function(STORE)}),
        (None, {"ring/a.c": function(SC[0].format("a") + SC[1])}),
    ],
    "label-unique": [
        (6, {"ring/a.c": function((LABEL_A + STORE + "\n") * 2)}),
        (3, {"ring/a.c": PAIR, "ring/b.c": PAIR.replace("pop:A", "push:B")
             .replace("push:A acquire", "push:C acquire")}),
        (3, {"ring/a.c": PAIR, "sched/b.c": PAIR.replace(":A", ":C")}),   # same name, other file
        (None, {"ring/a.c": PAIR, "ring/b.c": PAIR.replace("push", "put").replace("pop", "get")}),
        (None, {"ring/a.c": PAIR, "ring/a.h": PAIR.replace(":A", ":C"),
                "ring/a_internal.h": PAIR.replace(":A", ":E")}),
    ],
    "label-paired": [
        (6, {"ring/a.c": PAIR.replace("release -> pop:A", "release -> push:A")}),
        (3, {"ring/a.c": PAIR.replace("pop:A acquire", "pop:A release")
             .replace("x = atom_load_acq(&word);", STORE)}),
        (3, {"ring/a.c": PAIR.replace("push:A release", "push:A sc").replace("_rel(", "_sc(")}),
        (None, {"ring/a.c": PAIR}),
        (None, {"ring/a.c": function(LABEL_A + STORE), "ring/b.c": function(LABEL_B + LOAD)}),
    ],
    "label-facts": [
        (3, {"ring/a.c": PAIR.replace("Carries:", "", 1)}),
        (6, {"ring/a.c": PAIR.replace("If relaxed: it is not seen. */\nx", "*/\nx")}),
        (3, {"ring/a.c": function("".join(SC).format("everything."))}),
        (3, {"ring/a.c": function("".join(SC).format("set then read."))}),
        (None, {"ring/a.c": PAIR}),
        (None, {"ring/a.c": function("".join(SC).format("set then read,\n * against put then "
                                                        "look."))}),
        (None, {"ring/a.c": function("".join(SC).format("nothing of its own; one kind."))}),
        (None, {"ring/a.c": function("".join(SC).format("as sleep:A."))}),
    ],
    "label-mentioned": [
        (3, {"ring/a.c": function(LABEL_A + STORE)}),
        (3, {"ring/a.c": function("x = atom_load_rlx(&y); /* rlx: ordered by push:A */")}),
        (1, {"ring/a.c": "/* see push:B */\n" + PAIR}),
        (1, {"ring/a.c": "/* Edges  pop:A -> pop:A */\n" + PAIR}),
        (None, {"ring/a.c": "/* Edges  push:A -> pop:A   the item; not Push:A, I1: A */\n" + PAIR}),
    ],
    "relaxed-tag": [
        (3, {"ring/a.c": function("x = atom_load_rlx(&y);")}),
        (4, {"ring/a.c": function("x = atom_load_rlx(&y); /* rlx: statistic */\n"
                                  "x = atom_load_rlx(&y);")}),
        (3, {"ring/a.c": function("x = atom_load_rlx(&y); /* rlx: it is fast */")}),
        (3, {"ring/a.c": function("x = atom_load_rlx(&y); /* rlx: hint */")}),
        (8, {"ring/a.c": function("/* rlx: statistic */\n" + "a();\n" * 4
                                  + "x = atom_load_rlx(&y);")}),
        (None, {"ring/a.c": PAIR + function("x = atom_load_rlx(&y); /* rlx: ordered by push:A */\n"
                                            "/* rlx: hint, re-checked at pop:A */\n"
                                            "if (atom_load_rlx(&y)) {\n}\n"
                                            "for (atom_store_rlx(&y, 1);;) { /* rlx: single "
                                            "writer */\n}\n"
                                            "z(atom_load_rlx(&y)); /* rlx: not shared yet */")}),
        (None, {"ring/a.c": function("/* take:A */\nx = atom_cas_rlx(&y); /* rlx: statistic */\n"
                                     "x = atom_load_rlx(&y); /* rlx: hint, re-checked at "
                                     "take:A */")}),
    ],
    "field-letter": [
        (3, {"ring/a.h": "struct s {\n    leat_atomic_u64 a; /* S */\n    int b; /* n */\n};\n"}),
        (2, {"ring/a.c": "struct __attribute__((packed)) s {\n    leat_atomic_u64 a;\n};\n"}),
        (4, {"ring/a.h": "struct s {\n    leat_atomic_u64 a; /* S */\n    struct {\n"
                         "        int c;\n    } d;\n};\n"}),
        (None, {"ring/a.h": "struct s {\n    leat_atomic_u64 *a, *b; /* S: bits */\n"
                            "    /* I the length,\n     * in slots */\n    int c;\n"
                            "    void (*f)(int a,\n              int b); /* O */\n};\n"
                            "struct plain {\n    leat_atomic_u64 *x;\n};\n"}),
        (None, {"ring/a.c": function("leat_atomic_u64 *x;\nreturn;", "static struct s *f(void)")}),
    ],
    "line-length": [
        (2, {"ring/a.c": "\n/* " + "x" * 98 + "\n*/\n"}),
        (1, {"tools/run": "#!/bin/sh" + " " * 95 + "x\n"}),
        (None, {"ring/a.c": "/*" + "x" * 96 + "*/\n", "README.md": "x" * 200 + "\n"}),
    ],
    "white-space": [
        (1, {"ring/a.c": "\tint x;\n"}),
        (1, {"ring/a.c": "int x; \n"}),
        (2, {"ring/a.c": "int x;\n\n"}),
        (1, {"ring/a.c": "int x;"}),
        (None, {"ring/a.c": "int x;\n"}),
    ],
    "todo": [
        (1, {"ring/a.c": f"/* {NOTE}: faster */\n"}),
        (1, {"tools/a.py": f"# {NOTE} (later)\n"}),
        (None, {"ring/a.c": f"/* {NOTE} (#12): faster; {NOTE}S are counted */\n"}),
    ],
    "merge-marker": [
        (1, {"docs/a.md": "<" * 7 + " HEAD\n"}),
        (2, {"bench/results/a.json": "{\n" + "=" * 7 + "\n}\n"}),
        (2, {".ci/run": "a\n" + ">" * 7 + " branch\n"}),
        (3, {"LICENSE": "\n\n" + "|" * 7 + " 1234567\r\n"}),
        (None, {"README.md": "======\n========\n" + " " + "<" * 7 + "\n" + ">" * 7 + "x\n",
                "build/a.md": "<" * 7 + " HEAD\n"}),
    ],
    "file-length": [
        (801, {"ring/a.c": "int x;\n" * 801}),
        (None, {"ring/a.c": "int x;\n" * 800}),
        (None, {"engine/leat.h": "int x;\n" * 801}),
    ],
    "function-length": [
        (2, {"ring/a.c": "\n" + function("    a();\n" * 67 + "    b();")}),
        (2, {"ring/a.c": "\n" + function("    a();\n" * 66 + "    b();", "void\nrun(int n)")}),
        (None, {"ring/a.c": "\n" + function("    a();\n" * 66 + "    b();") * 2}),
    ],
    "nesting": [
        (6, {"ring/a.c": function("if (a) {\nfor (;;) {\nwhile (b) {\ndo {\n} while (0);\n}}}")}),
        (4, {"ring/a.c": function("if (a) {\n} else if (b) { for (;;) { switch (c) { case 1: {\n"
                                  "} } } }")}),
        (None, {"ring/a.c": function("if (a) {\nfor (;;) {\nwhile (b) {\n"
                                     "struct s x = {.a = {{1}, 2}};\n"
                                     "f((struct s){.b = (struct t){0}});\n"
                                     "return (struct s){{{0}}};\n}\n}\n} else if (b) {\n}")}),
    ],
    "parameters": [
        (1, {"ring/a.c": function("", "void f(int a, int b, int c, int d, int e, int g)")}),
        (None, {"ring/a.c": function("", "void f(int a, int b, void (*c)(int, int), int d, int e)")
                + function("", "int g(void)")}),
    ],
    "recursion": [
        (3, {"ring/a.c": function("    run(n - 1);")}),
        (None, {"ring/a.c": function("    table->run(n);\n    rerun(n);\n    /* run(n) */")}),
    ],
    "stack-size": [
        (3, {"ring/a.c": function("    char *p = alloca(n);")}),
        (3, {"ring/a.c": function("    char buffer[n + 1];")}),
        (3, {"ring/a.c": function("    struct pair pairs[count][2];")}),
        (None, {"ring/a.c": function("    char a[TEXT_MAX + 1], b;\n    char c[sizeof(struct x)];\n"
                                     "    return a[n];\n    x = y[n];\n    int z[] = {1};")}),
    ],
    "printing": [
        (3, {"engine/a.c": function('    printf("x");')}),
        (3, {"engine/a.c": function('    fprintf(why, "x");')}),
        (3, {"engine/a.c": function('    fprintf(stderr, "x");',
                                    "bool leat_x_check(struct x *x, FILE *why)")}),
        (None, {"engine/a.c": function('    (void)snprintf(text, 3, "x");') + function(
            '    fprintf(why, "x");', "bool leat_x_check(struct x *x, FILE *why)")}),
        (None, {"tools/a.c": function('    printf("x");')}),
    ],
    "allocation": [
        (3, {"engine/a.c": function("    x = malloc(3);")}),
        (3, {"sched/a.c": function("    dallocx(x, 0);")}),
        (None, {"ring/memory.c": function("    x = malloc(3);"),
                "engine/a.c": function("    leat_memory_free(x);\n    table->free(x);"),
                "tests/a.c": function("    free(x);")}),
    ],
    "typedef-t": [
        (1, {"ring/a.h": "typedef struct { int x; } ring_t;\n"}),
        (1, {"ring/a.h": "typedef int (*handler_t)(int x);\n"}),
        (None, {"ring/a.h": "typedef uint64_t leat_bits;\ntypedef struct leat_id {\n    uint64_t b;"
                            "\n} leat_id;\n"}),
    ],
    "public-comment": [
        (4, {"engine/leat.h": "/* Text. */\nint x;\n\nLEAT_API int leat_open(void);\n"}),
        (None, {"engine/leat.h": API_H}),
    ],
    "public-defined": [
        (5, {"engine/leat.h": API_H,
             "engine/a.c": function("", "int\nleat_open(const char *name, int flags)")}),
        (None, {"engine/leat.h": API_H,
                "engine/a.c": function("", "int\nleat_open(const char *name, int flags)")
                + function("", "int leat_close(void)")}),
    ],
    "status-text": [
        (3, {"engine/leat.h": STATUS_H, "engine/status.c": '[LEAT_OK] = "no error",\n'}),
        (2, {"engine/leat.h": STATUS_H, "engine/status.c": '[LEAT_OK] = "",\n[LEAT_FULL] = "f"'}),
        (None, {"engine/leat.h": STATUS_H, "engine/status.c":
                'case LEAT_OK:\n    return "no error";\n[LEAT_FULL] = "full",\n'}),
    ],
    "design-page": [
        (1, {"ring/a.c": "/* see docs/design/0007 */\n"}),
        (1, {"README.md": "see docs/status.md\n"}),
        (1, {"docs/design/0001-layers.md": "# docs/design/0001-layers.md\n"}),
        (2, {"docs/design/0001-layers.md": "[next](\n0002-x.md) docs/design/0001\n",
             "README.md": "\n(0002-x.md) docs/design/0001-layers.md\n"}),
        (None, {"ring/a.c": "/* see docs/design/0001 */\n", "docs/design/0001-layers.md": "# L\n"}),
        (None, {"CONTRIBUTING.md": "docs/design/NNNN-title.md\n"}),
    ],
    "document-link": [
        (2, {"README.md": "# T\n[x](docs/none.md#part)\n"}),
        (None, {"README.md": "[x](docs/a.md#p) [y](https://a.b/c) [z](#t) `[q](none)`\n"
                             "```\n[r](none)\n```\n", "docs/a.md": "[x](../README.md)\n"}),
    ],
    "generated-fresh": [
        (1, {"PERFORMANCE.md": "<!-- gen:bench file=none.json -->\n<!-- /gen:bench -->\n"}),
        (2, {"PERFORMANCE.md": "\n<!-- gen:bench file=r.json -->\nold\n<!-- /gen:bench -->\n",
             "r.json": BENCH}),
        (None, {"PERFORMANCE.md": "# No block\n"}),
    ],
}

# rule → (fault or None, header, source of the library).
ARCHIVES = {
    "symbol-prefix": [
        (True, "", "int helper(void);\nint helper(void) { return 1; }\n"),
        (None, "", "static int helper(void) { return 1; }\nint leat_a(void);\n"
                   "int leat_a(void) { return helper(); }\n"),
    ],
    "symbol-export": [
        (True, LEAT_H, "int leat_a(void) { return 1; }\n"),
        (True, LEAT_H, "int leat_a(void) { return 1; }\nint leat_b(void) { return 1; }\n"
                       "int leat_inner(void) { return 1; }\n"),
        (None, LEAT_H, "int leat_a(void) { return 1; }\nint leat_b(void) { return 1; }\n"
                       "__attribute__((visibility(\"hidden\"))) int leat_inner(void);\n"),
    ],
    "mutable-state": [
        (True, "", "static int calls;\nint leat_a(void) { return ++calls; }\n"),
        (True, "", "int leat_limit = 3;\n"),
        (True, "", "int leat_a(void) { static int calls = 7; return ++calls; }\n"),
        (True, "", "static _Thread_local int depth;\nint leat_a(void) { return ++depth; }\n"),
        (True, "", "static int current_worker;\nint leat_a(void) { return ++current_worker; }\n"),
        (True, "", "__attribute__((common)) int leat_shared_word;\n"),
        (True, "", "static _Thread_local int open_engines;\n"
                   "int leat_a(void) { return ++open_engines; }\n"),
        (None, "", "static int open_engines;\nint leat_a(void) { return ++open_engines; }\n"),
        (None, "", "static _Thread_local int current_worker;\n"
                   "int leat_a(void) { return ++current_worker; }\n"),
        (None, "", "static const int primes[] = {2, 3};\nextern const int *const leat_p[2];\n"
                   "const int *const leat_p[2] = {primes, 0};\n"),
    ],
}


class Sample:
    """A tree in a temporary folder."""

    def __init__(self, files, core=None):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name).resolve()
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")
        self.archives = {"core": [self.archive(core)], "library": [
            self.archive(core), self.shared(core)]} if core is not None else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def compile(self, core, *options):
        """Runs gcc over a source of the library."""
        subprocess.run(["gcc", "-x", "c", "-O1", "-fPIC", "-o", str(self.root / options[-1]),
                        *options[:-1], "-"], input=core, text=True, check=True)
        return self.root / options[-1]

    def archive(self, core):
        """libleat_core.a, or a static library in which hidden symbols are local."""
        member = self.compile(core, "-c", "x.c.o")
        subprocess.run(["ar", "rcs", str(self.root / "libx.a"), str(member)], check=True)
        return self.root / "libx.a"

    def shared(self, core):
        """libleat.so."""
        return self.compile(core, "-shared", "libx.so")

    def faults(self, *rules):
        """(path, line, rule, message) of the rules."""
        tree = tidy.Tree(self.root, **self.archives)
        return tidy.run(tree, rules or None)[0]


class Rules(unittest.TestCase):
    """Each rule by its samples."""

    def test_every_rule_has_samples(self):
        samples = {**SAMPLES, **ARCHIVES}
        self.assertEqual(set(tidy.RULES), set(samples))
        for name, cases in samples.items():
            self.assertTrue(any(case[0] for case in cases), f"{name} has no failing sample")
            self.assertTrue(any(not case[0] for case in cases), f"{name} has no passing sample")

    def test_samples(self):
        for name, cases in SAMPLES.items():
            for i, (line, files) in enumerate(cases):
                with self.subTest(rule=name, sample=i), Sample(files) as sample:
                    faults = sample.faults(name)
                    if line is None:
                        self.assertEqual(faults, [])
                    else:
                        self.assertIn(line, [fault[1] for fault in faults], faults)

    def test_archives(self):
        for name, cases in ARCHIVES.items():
            for i, (fault, header, source) in enumerate(cases):
                with self.subTest(rule=name, sample=i):
                    with Sample({"engine/leat.h": header}, source) as sample:
                        self.assertEqual(bool(sample.faults(name)), bool(fault),
                                         sample.faults(name))

    def test_generated_block_that_is_fresh(self):
        text = "<!-- gen:bench file=r.json -->\n<!-- /gen:bench -->\n"
        with Sample({"r.json": BENCH, "PERFORMANCE.md": text}) as sample:
            fresh = tidy.perf_table.rewrite(sample.root, text)
            (sample.root / "PERFORMANCE.md").write_text(fresh, encoding="utf-8")
            self.assertEqual(sample.faults("generated-fresh"), [])


    def test_reference_that_is_fresh(self):
        header = "/* ---- a ---- */\n\nint leat_a(void);\n\n#ifdef __cplusplus\n"
        files = {"engine/leat.h": header, "docs/reference.md": tidy.reference.reference(header)}
        with Sample(files) as sample:
            self.assertEqual(sample.faults("generated-fresh"), [])
        with Sample({**files, "docs/reference.md": "# Reference\n"}) as sample:
            self.assertEqual([fault[0] for fault in sample.faults("generated-fresh")],
                             ["docs/reference.md"])


class Reading(unittest.TestCase):
    """What the rules rely on in tidy_source.py."""

    def source(self, text, path="ring/a.c"):
        return tidy_source.Source(path, text)

    def test_literals_are_not_code(self):
        source = self.source('a("/* no */ \\" x"); // b\n/* c\n */ d(\'"\', R"(e)");\n')
        self.assertEqual(source.code.split(), ["a(", ");", "d(", ",", ");"])
        self.assertEqual([(comment.line, comment.end_line, comment.alone, comment.text)
                          for comment in source.comments],
                         [(1, 1, False, "b"), (2, 3, True, "c")])

    def test_functions_of_both_layouts(self):
        text = ("#define F(x) \\\n    { x }\nstatic const int t[] = {\n    1,\n};\n"
                "LEAT_API enum x *\nfirst(const struct y *y, int (*f)(int, int))\n{\n    a();\n}\n"
                "struct s __attribute__((cold)) second(void)\n{\n}\nTEST(third)\n{\n}\n"
                "namespace\n{\nvoid\nfourth(benchmark::State &state)\n{\n}\n}\n")
        found = [(function.name, function.line, function.end_line, len(function.parameters))
                 for function in self.source(text, "bench/a.cc").functions]
        self.assertEqual(found, [("first", 6, 10, 2), ("second", 11, 13, 0), ("third", 14, 16, 0),
                                 ("fourth", 19, 22, 1)])

    def test_statements(self):
        text = "f();\n\nfor (i = 0; i < n; i++) {\n    x =\n        y;\n} while (z);\n#if A\nw;\n"
        source = self.source(text)
        found = [source.statement(text.index(word)) for word in ("f", "n;", "y", "z", "A", "w;")]
        self.assertEqual(found, [(1, 1), (3, 3), (4, 5), (6, 6), (7, 7), (8, 8)])

    def test_only_sources_are_read(self):
        with Sample({"ring/a.c": "", "ring/build/b.c": "", "tools/c": "#!/bin/sh\n", "tools/d": "d",
                     "tests/build_e.py": "", "docs/f.c": "", "tests/g.txt": ""}) as sample:
            paths = [source.path for source in tidy.Tree(sample.root).sources]
            self.assertEqual(paths, ["ring/a.c", "tests/build_e.py", "tools/c"])


class Command(unittest.TestCase):
    """The command line."""

    def run_tidy(self, *arguments):
        """(exit status, lines on standard output)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = tidy.main([str(argument) for argument in arguments])
        return status, out.getvalue().splitlines()

    def test_list_explains_every_rule(self):
        status, lines = self.run_tidy("--list")
        self.assertEqual(status, 0)
        self.assertEqual([line.split()[0] for line in lines], list(tidy.RULES))
        self.assertTrue(all(len(line.split()) > 4 for line in lines))

    @mock.patch.dict(tidy.EXEMPT, clear=True)
    def test_exit_status_and_form(self):
        with Sample({"ring/a.c": "/* a */\nint x;\t\n", "CMakeLists.txt": "ring/*.c"}) as sample:
            status, lines = self.run_tidy("--root", sample.root)
            self.assertEqual((status, lines[0]), (1, "ring/a.c:2: white-space: blank at the end "
                                                     "of the line"))
            (sample.root / "ring/a.c").write_text("int x;\n", encoding="utf-8")
            self.assertEqual(self.run_tidy("--root", sample.root), (0, []))
            self.assertEqual(self.run_tidy("--root", sample.root, "--core", "none.a")[0], 2)

    def test_exemptions(self):
        files = {"ring/a.c": function("", "void f(int a, int b, int c, int d, int e, int g)"),
                 "CMakeLists.txt": "ring/*.c"}
        key = ("parameters", "f")
        with Sample(files) as sample, mock.patch.dict(tidy.EXEMPT, {key: "why"}, clear=True):
            self.assertEqual(self.run_tidy("--root", sample.root), (0, []))
            (sample.root / "ring/a.c").write_text("int x;\n", encoding="utf-8")
            status, lines = self.run_tidy("--root", sample.root)
            self.assertEqual((status, len(lines)), (1, 1))
            self.assertIn("exempt", lines[0])


if __name__ == "__main__":
    unittest.main()
