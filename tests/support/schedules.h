/* schedules.h - an engine whose schedules are fired by the test, at times of its own. It has no
 * workers: jobs run when the test says so. */
#ifndef TESTS_SUPPORT_SCHEDULES_H
#define TESTS_SUPPORT_SCHEDULES_H

#include "engine/leat.h"
#include "ring/atomic.h"

struct test_schedules {
    struct leat_engine *engine;
    leat_atomic_u64 now_ns; /* what the clock on the wall shows; the log's thread looks, too */
    uint64_t ran;           /* handlers */
    bool closing;           /* the engine is drained by who asks for the time */
    struct leat_job job;
    struct leat_schedule_info *info; /* too large for the stack of a test */
};

/* "2025-03-30 02:00:00" UTC, in nanoseconds. */
uint64_t test_ns(const char *text);

/* `config` NULL: test_config(). The clock shows `now`. */
void test_schedules_open(struct test_schedules *all, const struct leat_config *config,
                         const char *now);
/* The same with one schedule, "s". */
void test_schedules_open_with(struct test_schedules *all, const char *now, const char *spec,
                              enum leat_overlap overlap, enum leat_missed missed);
/* Checks and closes. */
void test_schedules_close(struct test_schedules *all);

/* A schedule of this expression with the job of the fixture, in UTC. */
struct leat_schedule test_schedule(const struct test_schedules *all, const char *spec);
void test_schedule_add(struct test_schedules *all, const char *name,
                       const struct leat_schedule *schedule);
/* Returns borrowed until the next call. */
const struct leat_schedule_info *test_schedule_get(struct test_schedules *all, const char *name);

/* Sets the clock, and fires as often as the schedules want; then they are checked. */
void test_fire(struct test_schedules *all, const char *now);
void test_fire_ns(struct test_schedules *all, uint64_t now_ns);
/* The same at each moment up to `now` at which they want it, as a clock does. */
void test_fire_until(struct test_schedules *all, const char *now);
/* Runs all jobs that wait. */
void test_run_all(struct test_schedules *all);

#endif
