"""Tests of tools/reference.py: what becomes of the parts of a header.

Run: python3 -m unittest discover tests/tools
"""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import reference  # noqa: E402

END = "\n#ifdef __cplusplus\n}\n#endif\n"


def made(body):
    """The sections that are made of a header's body."""
    return reference.reference("/* leat.h - the rest. */\n" + body + END).split("\n\n## ", 1)[1]


class Parts(unittest.TestCase):
    def test_function(self):
        text = made("/* ---- a b ------ */\n\n"
                    "/* Adds `one` to the other: leat_add(), LEAT_OK.\n"
                    " * Threads:  any.      Progress: lock-free.\n"
                    " * Returns:  LEAT_OK;\n *           LEAT_FULL.  */\n"
                    "LEAT_API LEAT_NODISCARD int leat_add(int *one,\n   int other);\n")
        self.assertEqual(text.split("\n"), [
            "a b", "", "### leat_add", "", "```c", "int leat_add(int *one, int other);", "```", "",
            "Adds `one` to the other: `leat_add()`, `LEAT_OK`.", "",
            "- Threads: any.", "- Progress: lock-free.", "- Returns: `LEAT_OK`; `LEAT_FULL`.", ""])

    def test_two_functions_of_one_comment(self):
        text = made("/* ---- a ---- */\n\n/* Both. */\nint leat_a(void);\nint leat_b(void);\n")
        self.assertIn("### leat_a, leat_b\n", text)

    def test_inline_function_has_no_body(self):
        text = made("/* ---- a ---- */\n\nstatic inline int\nleat_a(void)\n{\n    return 1;\n}\n")
        self.assertIn("```c\nint leat_a(void);\n```", text)
        self.assertNotIn("return", text)

    def test_types_stand_as_they_are(self):
        code = ("struct leat_a {\n    int x; /* see leat_b(); */\n\n"
                "    void (*leat_c)(int y);\n};")
        text = made(f"/* ---- a ---- */\n\n/* It is. */\n{code}\n")
        self.assertIn(f"It is.\n\n```c\n{code}\n```", text)
        self.assertNotIn("###", text)

    def test_text_of_a_section(self):
        text = made("/* ---- a ----\n *\n * One\n * two.\n *\n *     as it stands\n */\n")
        self.assertEqual(text, "a\n\nOne two.\n\n        as it stands\n")

    def test_long_declaration_is_wrapped(self):
        arguments = ", ".join(f"unsigned long long number_{i}" for i in range(5))
        text = made(f"/* ---- a ---- */\n\nint leat_a({arguments}, int (*f)(int, int));\n")
        self.assertIn("int leat_a(\n    unsigned long long number_0,\n", text)
        self.assertIn("    int (*f)(int, int));\n", text)


class Whole(unittest.TestCase):
    def test_every_function_of_the_header_is_there(self):
        header = (ROOT / reference.HEADER).read_text(encoding="utf-8")
        text = reference.reference(header)
        names = set(reference.FUNCTION.findall("\n".join(
            line for line in header.split("\n") if line.startswith("LEAT_API"))))
        self.assertGreater(len(names), 80)
        headings = ", ".join(line for line in text.split("\n") if line.startswith("### "))
        self.assertEqual([name for name in sorted(names) if name not in headings], [])


if __name__ == "__main__":
    unittest.main()
