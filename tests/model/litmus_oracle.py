#!/usr/bin/env python3
"""Compares the explorer with the definition of C++20's memory model, on random small programs.

  litmus_oracle.py MODEL_LITMUS [--programs N] [--seed S]     compares outcome sets
  litmus_oracle.py --table                                    judges the verdicts of litmus_table.c

The explorer is a machine with views. Here the same programs (see litmus.h; without plain data and
conditions) are judged as the standard does: all candidate executions are enumerated, each a choice
of where every read reads from and of a modification order per word, and those that keep the axioms
are kept. Of C++20's executions the explorer leaves out, and says so:
  - load buffering: sequenced-before and reads-from together have a cycle;
  - those in which the total order S of sc operations contradicts these two taken together.
So its outcomes must be exactly those of executions with neither."""

import argparse
import functools
import itertools
import operator
import pathlib
import random
import re
import subprocess
import sys

ACQUIRE = ("acq", "ar", "sc")
RELEASE = ("rel", "ar", "sc")
REGISTER_FREE = 9  # what a register is until it is set, see litmus.h


# ---- relations: a list of bit sets, one for each event --------------------------------------

def closure(relation):
    """Transitive closure."""
    result = list(relation)
    for middle in range(len(result)):
        reached = result[middle]
        for i, row in enumerate(result):
            if row >> middle & 1:
                result[i] |= reached
    return result


def union(*relations):
    return [functools.reduce(operator.or_, rows) for rows in zip(*relations)]


def is_acyclic(relation):
    return not any(row >> i & 1 for i, row in enumerate(closure(relation)))


def members(row):
    i = 0
    while row:
        if row & 1:
            yield i
        row >>= 1
        i += 1


def compose(first, second):
    return [functools.reduce(operator.or_, (second[i] for i in members(row)), 0) for row in first]


# ---- programs -------------------------------------------------------------------------------

class Event:
    """One operation. kind: W store, R load, U read-modify-write, C compare-and-swap, F fence, I
    initial value."""

    def __init__(self, thread, text):
        self.thread, self.word, self.register = thread, "", ""
        self.order = self.failure = "rlx"
        if text[0] == "F":
            self.kind, self.order = "F", text[2:]
            return
        target, rest = text.split("=", 1)
        if "/" in rest:
            rest, self.failure = rest.split("/")
        if "." in rest:
            rest, self.order = rest.split(".")
        if target >= "s":
            self.kind, self.word, self.operand = "W", target, int(rest)
            return
        self.register, self.word, operation = target, rest[0], rest[1:2]
        self.kind = {"": "R", "+": "U", ":": "U", "?": "C"}[operation]
        if operation == "?":
            expected, operand = rest[2:].split(">")
            self.expected, self.operand = int(expected), int(operand)
        elif operation:
            self.adds, self.operand = operation == "+", int(rest[2:])

    def written(self, seen):
        """What the event writes when it reads `seen`; None: nothing."""
        if self.kind == "U":
            return seen + self.operand if self.adds else self.operand
        return self.operand if self.kind == "C" and seen == self.expected else None


class Program:
    """Events of all threads, with an initial write to each word behind them."""

    def __init__(self, threads):
        self.events = [Event(i, text) for i, line in enumerate(threads) for text in line.split()]
        self.count = len(self.events)
        self.words = sorted({event.word for event in self.events if event.word})
        for word in self.words:
            initial = Event(-1, f"{word}=0")
            initial.kind = "I"
            self.events.append(initial)
        everything = (1 << self.count) - 1
        self.before = [everything if event.kind == "I" else 0 for event in self.events]
        for i, j in itertools.combinations(range(self.count), 2):
            if self.events[i].thread == self.events[j].thread:
                self.before[i] |= 1 << j
        self.reads = [i for i in range(self.count) if self.events[i].kind in "RUC"]

    def sources(self, read):
        """Events that a read may read from, if they write."""
        return [i for i, event in enumerate(self.events)
                if event.kind in "WUCI" and event.word == self.events[read].word and i != read]


class Candidate:
    """A program with a source for each read. `valid` if the values work out and hb is acyclic."""

    def __init__(self, program, sources):
        self.program, self.sources = program, sources
        self.size = len(program.events)
        self.reads_from = [0] * self.size
        for read, source in sources.items():
            self.reads_from[source] |= 1 << read
        self.causes = union(program.before, self.reads_from)
        self.valid = is_acyclic(self.causes) and self.find_values()
        if self.valid:
            self.find_orders()
            self.happens_before = closure(union(program.before, self.synchronizes()))
            self.valid = is_acyclic(self.happens_before)

    def find_values(self):
        events = self.program.events
        self.seen = {}
        self.written = {i: 0 if event.kind == "I" else event.operand
                        for i, event in enumerate(events) if event.kind in "WI"}
        left = set(self.sources)
        while left:
            ready = [read for read in left if self.sources[read] not in left]
            for read in ready:
                if self.sources[read] not in self.written:
                    return False  # of a swap that failed
                self.seen[read] = self.written[self.sources[read]]
                value = events[read].written(self.seen[read])
                if value is not None:
                    self.written[read] = value
                left.discard(read)
        return True

    def find_orders(self):
        self.orders = [event.failure if event.kind == "C" and i not in self.written else event.order
                       for i, event in enumerate(self.program.events)]
        self.fences = [i for i, event in enumerate(self.program.events) if event.kind == "F"]
        self.updates = {i for i in self.seen if i in self.written}

    def synchronizes(self):
        before = self.program.before
        result = [0] * self.size
        for write in self.written:
            sequence = {write}
            for _ in self.updates:  # only read-modify-writes continue a release sequence
                sequence |= {i for i in self.updates if self.sources[i] in sequence}
            heads = [i for i in self.fences if self.orders[i] in RELEASE and before[i] >> write & 1]
            if self.orders[write] in RELEASE and self.program.events[write].kind != "I":
                heads.append(write)
            readers = [i for i, source in self.sources.items() if source in sequence]
            tails = [i for i in readers if self.orders[i] in ACQUIRE]
            tails += [i for i in self.fences if self.orders[i] in ACQUIRE
                      and any(before[read] >> i & 1 for read in readers)]
            for head, tail in itertools.product(heads, tails):
                if head != tail:
                    result[head] |= 1 << tail
        return result

    def modification_orders(self):
        """Each way to order the writes of all words: (relation, final values)."""
        events = self.program.events
        per_word = []
        for i in range(self.program.count, self.size):
            writes = [j for j in self.written if events[j].word == events[i].word and j != i]
            per_word.append([(i, *rest) for rest in itertools.permutations(writes)])
        for orders in itertools.product(*per_word):
            follows = {b: a for order in orders for a, b in itertools.pairwise(order)}
            if all(follows[i] == self.sources[i] for i in self.updates):
                relation = [0] * self.size
                for order in orders:
                    for a, b in itertools.combinations(order, 2):
                        relation[a] |= 1 << b
                yield relation, {events[order[0]].word: self.written[order[-1]] for order in orders}

    def coherence(self, modification):
        """Coherence-ordered-before, or None if it contradicts happens-before."""
        from_reads = [0] * self.size
        for read, source in self.sources.items():
            from_reads[read] = modification[source] & ~(1 << read)
        order = closure(union(self.reads_from, modification, from_reads))
        for a, row in enumerate(order):
            if row >> a & 1 or any(self.happens_before[b] >> a & 1 for b in members(row)):
                return None
        return order

    def has_total_order(self, coherence, strongly_before):
        """Whether S exists: [atomics.order]/4, with what precedes what beside it given."""
        total = {i for i in range(self.program.count) if self.orders[i] == "sc"}
        fences = [i for i in self.fences if i in total]
        mask = sum(1 << i for i in total)
        relation = [strongly_before[i] & mask if i in total else 0 for i in range(self.size)]
        happens = self.happens_before
        for a, row in enumerate(coherence):
            starts = [i for i in fences if happens[i] >> a & 1] + ([a] if a in total else [])
            for b in members(row) if starts else ():
                ends = [i for i in fences if happens[b] >> i & 1] + ([b] if b in total else [])
                for i, j in itertools.product(starts, ends):
                    relation[i] |= 1 << j
        return is_acyclic(relation)

    def strongly_before(self):
        """C++20's strongly-happens-before, as far as it matters between sc operations."""
        before = self.program.before
        total = sum(1 << i for i in range(self.program.count) if self.orders[i] == "sc")
        between = [row & total if total >> i & 1 else 0
                   for i, row in enumerate(self.synchronizes())]
        around = compose(compose(before, self.happens_before), before)
        return closure(union(before, between, around))


def outcomes(threads, left_out):
    """Outcomes of a program as sorted (name, value) pairs. left_out: those of the executions too
    that the explorer leaves out because of S."""
    program = Program(threads)
    found = set()
    for choice in itertools.product(*(program.sources(read) for read in program.reads)):
        candidate = Candidate(program, dict(zip(program.reads, choice)))
        if not candidate.valid:
            continue
        earlier = candidate.strongly_before() if left_out else closure(candidate.causes)
        registers = [(program.events[i].register, value) for i, value in candidate.seen.items()]
        for modification, finals in candidate.modification_orders():
            outcome = tuple(sorted(registers + list(finals.items())))
            if outcome in found:
                continue
            coherence = candidate.coherence(modification)
            if coherence is not None and candidate.has_total_order(coherence, earlier):
                found.add(outcome)
    return found


# ---- the explorer ---------------------------------------------------------------------------

def normal(outcome):
    """As model_litmus prints it: one digit, without what is as at the start."""
    start = {True: REGISTER_FREE, False: 0}
    return tuple(sorted((name, value % 10) for name, value in outcome
                        if value % 10 != start[name < "s"]))


def explored(binary, threads):
    done = subprocess.run([binary, *threads], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if "states" not in line]
    pairs = [[pair.split("=") for pair in line.split()] for line in lines]
    return {tuple(sorted((name, int(value)) for name, value in line)) for line in pairs}


def random_program(rng):
    """Two or three threads with four to seven operations in all."""
    count = rng.choice((2, 2, 3))
    words = "xy" if rng.random() < 0.7 else "xyz"
    registers, values = iter("abcd"), {word: iter(range(1, 9)) for word in words}
    style = rng.choice(("any", "sc", "fences"))
    threads = [[] for _ in range(count)]

    def order(*choices):
        return ".sc" if style == "sc" and rng.random() < 0.6 else rng.choice(choices)

    for i in range(rng.randint(4, 7)):
        thread = threads[i] if i < count else rng.choice(threads)
        word, kind = rng.choice(words), rng.random()
        register = next(registers, None) if kind > 0.4 else None
        if rng.random() < (0.35 if style == "fences" else 0.12):
            thread.append("F." + rng.choice(("sc", "sc", "sc", "ar", "acq", "rel")))
        elif register is None:
            thread.append(f"{word}={next(values[word])}" + order("", "", ".rel", ".sc"))
        elif kind < 0.75:
            thread.append(f"{register}={word}" + order("", "", ".acq", ".sc"))
        elif kind < 0.85:
            thread.append(f"{register}={word}+4" + order("", ".acq", ".rel", ".ar", ".sc"))
        elif kind < 0.9:
            thread.append(f"{register}={word}:{next(values[word])}"
                          + order("", ".acq", ".rel", ".ar", ".sc"))
        else:
            thread.append(f"{register}={word}?{rng.choice((0, 1, 1, 2))}>{next(values[word])}"
                          + order(".rlx", ".acq", ".rel", ".ar", ".sc")
                          + "/" + rng.choice(("rlx", "acq", "sc")))
    return [" ".join(thread) for thread in threads]


def compare(binary, seed, programs):
    """Number of programs on which the explorer and the definition differ."""
    rng = random.Random(seed)
    wrong = total = 0
    for _ in range(programs):
        threads = random_program(rng)
        expected = {normal(outcome) for outcome in outcomes(threads, False)}
        seen = explored(binary, threads)
        total += len(expected)
        if seen != expected:
            wrong += 1
            print(f"{threads}: missing {expected - seen}, wrong {seen - expected}")
    print(f"seed {seed}: {programs} programs with {total} outcomes, {wrong} differ")
    return wrong


# ---- the table ------------------------------------------------------------------------------

def judge_table():
    """Number of verdicts in litmus_table.c that the definition does not share."""
    text = (pathlib.Path(__file__).parent / "litmus_table.c").read_text(encoding="utf-8")
    wrong = count = 0
    rows = re.findall(r'\{"([^"]+)",\s*\{("[^}]+")\},\s*"([^"]*)",\s*(\w+)\}', text)
    for name, threads, outcome, verdict in rows:
        threads = re.findall(r'"([^"]*)"', threads)
        wanted = {(pair[0], int(pair[2:])) for pair in outcome.split()}
        if verdict == "RACE" or re.search(r"[?][a-j]|\b[pq]\b|=[a-j]\b", " ".join(threads)):
            continue  # conditions, plain data and data dependencies are not judged here
        count += 1
        explorable, any_at_all = (any(wanted <= set(found) for found in outcomes(threads, left_out))
                                  for left_out in (False, True))
        says = "ALLOWED" if explorable else "UNSEEN" if any_at_all else "FORBIDDEN"
        if says != verdict and not (verdict == "UNSEEN" and name.startswith("LB")):
            wrong += 1
            print(f"{name}: {verdict} in the table, {says} by the definition")
    print(f"{count} of {len(rows)} verdicts judged, {wrong} differ")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", help="model_litmus")
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    wrong = judge_table() if arguments.table else 0
    if arguments.binary:
        wrong += compare(arguments.binary, arguments.seed, arguments.programs)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
