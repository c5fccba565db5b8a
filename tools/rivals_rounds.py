"""Runs contestants in turn, and what is made of their runs: for tools/rivals.py.

In each round every contestant of a row runs once, in an order that is shuffled by a fixed seed; the
first round does not count. A ratio is ours / theirs of one round.
"""

import collections
import json
import os
import random
import select
import statistics
import subprocess
import sys

OURS = "leat "
RESAMPLES = 4000       # of the bootstrap: the interval's ends move by less than they are shown with
SEED = 20261127
RUN_SECONDS_MAX = 60   # of one run: ten million timers in a tree take half of it

# What is held against a bar, or only reported where `ends` is None; else they are (bar, goal), of
# which the goal may be None. With `key`, the name of a ratio, they are of ours / theirs against the
# best of `theirs`, name → value; without it of `ours` itself, in `unit`.
Bar = collections.namedtuple("Bar", "what key ends ours theirs unit", defaults=("ns",))


class Problem(Exception):
    """Why it cannot be measured."""


class NoAnswer(Problem):
    """A run did not end."""


# ---- the program -----------------------------------------------------------------------------

class Program:
    """leat_rivals, which runs one contestant of a group for each line that it is given."""

    def __init__(self, path, group, environment):
        self.words = [str(path), group]
        self.environment = {**os.environ, **environment}
        self.start()

    def start(self):
        """Starts it, or starts it again."""
        try:
            self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, text=True,
                                            stdout=subprocess.PIPE, env=self.environment)
        except OSError as error:
            raise Problem(f"{self.words[0]}: {error.strerror}") from error
        self.description = self.answer()

    def stop(self):
        """Ends it, whatever it is at."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def answer(self):
        """The next line of the program."""
        if not select.select([self.process.stdout], [], [], RUN_SECONDS_MAX)[0]:
            raise NoAnswer(f"no answer for {RUN_SECONDS_MAX} seconds")
        line = self.process.stdout.readline()
        if not line:
            raise Problem(f"the program ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, line, what):
        """One run, which `line` asks for; `what` it is."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.answer()
        except (Problem, OSError) as error:
            kind = NoAnswer if isinstance(error, NoAnswer) else Problem
            raise kind(f"{what}: {error}") from error


# ---- rounds ----------------------------------------------------------------------------------

def rounds(program, row, names, count, line):
    """name → the results of `count` rounds. `line` is a function of the name. A rival whose run
    does not end is named, and is in no further round and not in the results."""
    shuffler = random.Random(f"{SEED} {row}")
    found = {name: [] for name in names}
    for number in range(count + 1):
        order = list(found)
        shuffler.shuffle(order)
        for name in order:
            try:
                result = program.run(line(name), f"{row}, {name}")
            except NoAnswer as problem:
                program.stop()
                if name.startswith(OURS):
                    raise
                print(f"rivals: {problem}", file=sys.stderr)
                del found[name]
                program.start()
                continue
            if number > 0:
                found[name].append(result)
    return found


def interval(values):
    """(median, low, high): the 95 % interval of the median, by bootstrap."""
    sampler = random.Random(SEED)
    medians = sorted(statistics.median(sampler.choices(values, k=len(values)))
                     for _ in range(RESAMPLES))
    return (statistics.median(values), medians[int(0.025 * RESAMPLES)],
            medians[int(0.975 * RESAMPLES) - 1])


def ratios(ours, theirs):
    """Ours / theirs, round by round; what took no time at all counts as the clock's least step."""
    return [max(a, 1e-3) / max(b, 1e-3) for a, b in zip(ours, theirs)]


def compared(times, ours):
    """name → value and ratio, with its interval, of each of `times` but ours: name → by round."""
    result = {}
    for name in times:
        if name != ours:
            middle, low, high = interval(ratios(times[ours], times[name]))
            result[name] = {"value": statistics.median(times[name]), "ratio_median": middle,
                            "ratio_low": low, "ratio_high": high}
    return result


def plain(name, ours):
    """A name as it stands in the result: ours by its algorithm alone."""
    return name.removeprefix(OURS) if name == ours else name


def judge(result, wrong, gave_up):
    """Adds who had how many `wrong` items, by name, and whose runs did not end."""
    if gave_up:
        result["gave_up"] = sorted(gave_up)
    result["wrong"] = sorted(name for name, count in wrong.items() if count != 0)
    result["checked"] = not result["wrong"]
    return result
