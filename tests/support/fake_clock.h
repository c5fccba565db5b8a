/* fake_clock.h - clocks that a test moves by hand. */
#ifndef TESTS_SUPPORT_FAKE_CLOCK_H
#define TESTS_SUPPORT_FAKE_CLOCK_H

#include "engine/leat.h"
#include "ring/atomic.h"

/* Times in nanoseconds; MONOTONIC is what BOOT is without `suspended`. */
struct test_clock {
    leat_atomic_u64 boot;
    leat_atomic_u64 wall;
    leat_atomic_u64 suspended;
};

/* BOOT at 1 000 s, WALL in 2026. */
void test_clock_init(struct test_clock *clock);
struct leat_clock test_clock_of(struct test_clock *clock);

/* All clocks go on, and the engine is told. */
void test_clock_pass(struct test_clock *clock, struct leat_engine *engine, uint64_t ns);
/* The same without MONOTONIC: the machine was suspended. */
void test_clock_suspend(struct test_clock *clock, struct leat_engine *engine, uint64_t ns);
/* The wall clock is set: by so much ahead, or back. */
void test_clock_step(struct test_clock *clock, struct leat_engine *engine, int64_t ns);

#endif
