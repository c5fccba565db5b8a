"""All mutants of a file in one text, for tools/mutants: which of them holds, the environment says
when the program starts. So a file is compiled once, and not once for each mutant.

Where a mutant replaces a piece of text, `(LEAT_MUTANT(7) ? (its text) : (the text as it was))`
stands instead; in the last part there are those of the mutants inside of it. Mutants whose pieces
overlap without one being inside the other are left for a text of their own."""

VARIABLE = "LEAT_MUTANT"  # in the environment: a number, or nothing
HEADER = """extern volatile unsigned leat_mutant;
#define LEAT_MUTANT(number) (leat_mutant == (number))
"""
# Volatile: kept in a register it would give models other stacks, and so more states.
SOURCE = f"""#include <stdlib.h>
volatile unsigned leat_mutant;
__attribute__((constructor)) static void
leat_mutant_read(void)
{{
    const char *text = getenv("{VARIABLE}");
    leat_mutant = text == NULL ? 0 : (unsigned)strtoul(text, NULL, 10);
}}
"""


class Piece:
    """A span of the text, the numbers and mutants that replace it, and the pieces inside."""

    def __init__(self, span):
        self.span = span
        self.mutants = []
        self.inside = []


def one_line(text):
    """So that the lines behind it keep their numbers."""
    return " ".join(text.split())


def written(text, piece):
    """What stands in the place of a piece."""
    start, end = piece.span
    choices = "".join(f"LEAT_MUTANT({number}) ? ({one_line(mutant.replacement(text))}) : "
                      for number, mutant in piece.mutants)
    holds = "!!" if any(mutant.decides for _, mutant in piece.mutants) else ""
    return f"({choices}{holds}({filled(text, piece.inside, start, end)}))"


def filled(text, pieces, start, end):
    """The text of a span with its pieces replaced."""
    out, at = [], start
    for piece in pieces:
        out += [text[at:piece.span[0]], written(text, piece)]
        at = piece.span[1]
    return "".join([*out, text[at:end]])


def together(text, mutants):
    """(the text with as many of the mutants as fit, identity → number, those that do not fit)."""
    whole = Piece((0, len(text)))
    stack, numbers, left = [whole], {}, []
    for mutant in sorted(mutants, key=lambda mutant: (mutant.span[0], -mutant.span[1])):
        start, end = mutant.span
        while start >= stack[-1].span[1]:
            stack.pop()
        if end > stack[-1].span[1]:
            left.append(mutant)
            continue
        if stack[-1] is whole or stack[-1].span != (start, end):
            stack.append(Piece((start, end)))
            stack[-2].inside.append(stack[-1])
        numbers[mutant.identity] = len(numbers) + 1
        stack[-1].mutants.append((len(numbers), mutant))
    return filled(text, whole.inside, 0, len(text)), numbers, left
