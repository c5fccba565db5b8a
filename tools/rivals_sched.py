"""The pools of tools/rivals.py: which rows there are, and what is asked of the program for them."""

import rivals_cases
from rivals_cases import Run
from rivals_rounds import Bar

# Fork and join: row → what of ours does it. A million items is fib(29), and trees of six levels.
FORKS = {"spawn_local": "groups", "fib": "groups", "skynet": "groups", "tree_for": "parallel_for"}

# The numbers of items give about 5 to 30 ms for most contestants, but for those that wait for the
# clock.
RUNS = [
    Run("outside_1w", "tasks", 40_000, {"outside_1w": None}),
    Run("outside_2w", "tasks", 40_000, {"outside_2w": None}),
    Run("outside_4p_2w", "tasks", 40_000, {"outside_4p_2w": None}),
    Run("outside_4x", "tasks", 20_000, {"outside_4x": None}),
    Run("outside_batch32_1w", "tasks", 64_000, {"outside_batch32_1w": None}),
    Run("job_outside_1w", "jobs", 40_000, {"job_outside_1w": None}),
    Run("submit_call", "tasks", 5_000, {"submit_call_p50": 50, "submit_call_p999": 99.9}),
    Run("latency_busy", "tasks", 3_000, {"latency_busy_p50": 50, "latency_busy_p99": 99}),
    Run("latency_busy_1w", "tasks", 3_000, {"latency_busy_1w_p50": 50,
                                            "latency_busy_1w_p99": 99}),
    Run("latency_idle", "tasks", 100, {"latency_idle_p50": 50, "latency_idle_p99": 99}),
    Run("latency_idle_1w", "tasks", 100, {"latency_idle_1w_p50": 50, "latency_idle_1w_p99": 99}),
    Run("mixed_1w", "tasks", 1_000, {"mixed_1w": None}),
    Run("mixed_2w", "tasks", 1_000, {"mixed_2w": None}),
    Run("mixed_4x", "tasks", 1_000, {"mixed_4x": None}),
    Run("mixed_latency", "tasks", 1_000, {"mixed_latency_p50": 50, "mixed_latency_p99": 99}),
    Run("priority", "tasks", 1_000, {"priority_p50": 50, "priority_p99": 99}, True),
    # Of these, a run gives those samples into which no gap of the machine fell.
    Run("priority_calm", "tasks", 1_000, {"priority_calm_p99": 99}, True),
    Run("starvation", "tasks", 40, {"starvation_p50": 50, "starvation_p99": 99}, True),
    *(Run(f"{fork}_{workers}w", ours, 1_000_000, {f"{fork}_{workers}w": None})
      for fork, ours in FORKS.items() for workers in (1, 2)),
]

# (bar, goal) of ours / theirs against the best rival.
RATIO_BARS = {
    "outside_1w": (0.6, 0.3), "outside_2w": (0.6, 0.3), "outside_batch32_1w": (0.2, 0.1),
    "job_outside_1w": (1.0, 0.5),
    **{f"latency_busy{workers}_{part}": (1.3, 1.0)
       for workers in ("", "_1w") for part in ("p50", "p99")},
    **{f"latency_idle{workers}_{part}": (1.05, 0.9)
       for workers in ("", "_1w") for part in ("p50", "p99")},
    **{f"{fork}_{workers}w": (0.6, 0.3) for fork in FORKS for workers in (1, 2)},
}
# (bar, goal) of ours itself, in nanoseconds.
OWN_BARS = {"submit_call_p50": (60, 30), "submit_call_p999": (1_000, None),
            "priority_p99": (3_000, None)}
# The same of the p99.9 of all rounds. Starvation: one of 61 picks begins at another level, of which
# there are eight; the jobs in front take 1 us each: so each level is served after 488 us. Twice
# that is the bar.
ALL_BARS = {"starvation_p99": (1_000_000, None)}


def bars(row):
    """What is held against a bar."""
    values = {name: rival["value"] for name, rival in row["rivals"].items()}
    if row["name"] in OWN_BARS:
        yield Bar("time", None, OWN_BARS[row["name"]], row["ours"], values)
    elif row["name"] in ALL_BARS:
        late = row["p999_ns"]
        yield Bar("all p99.9", None, ALL_BARS[row["name"]], late[row["algorithm"]], late)
    else:
        yield Bar("time", "ratio", RATIO_BARS.get(row["name"]), row["ours"], values)


def facts(_program, _options):
    """How it was measured."""
    return {}


def measure_all(program, options):
    """Rows of the result, as they are measured."""
    yield from rivals_cases.measure_all(program, RUNS, options.rows, options)
