/* schedules.c - see schedules.h. */
#include "tests/support/schedules.h"

#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/tzif.h"

/* Calls of fire() at one time: more than any test needs. */
#define CALLS_MAX 100000

#define SECOND_NS UINT64_C(1000000000)

uint64_t
test_ns(const char *text)
{
    return (uint64_t)test_time(text) * SECOND_NS;
}

static uint64_t
clock_now(enum leat_clock_kind kind, void *context)
{
    const struct test_schedules *all = context;
    if (all->closing) {
        atom_store_rel(&all->engine->state, LEAT_ENGINE_DRAINING);
    }
    return kind == LEAT_CLOCK_WALL ? atom_load_rlx(&all->now_ns) : UINT64_C(1000000000000);
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct test_schedules *all = context;
    (void)run;
    all->ran++;
    return leat_done();
}

void
test_schedules_open(struct test_schedules *all, const struct leat_config *config, const char *now)
{
    struct leat_config own = config == NULL ? test_config() : *config;
    own.workers = 0;
    own.workers_max = LEAT_AUTO;
    *all = (struct test_schedules){.now_ns = test_ns(now), .job = leat_job_default()};
    all->info = malloc(sizeof(*all->info));
    CHECK(all->info != NULL);
    own.clock = (struct leat_clock){clock_now, all};
    all->engine = test_start(&own);
    all->job.type = test_register(all->engine, "test", job_run, all);
}

static void
check(const struct test_schedules *all)
{
    CHECK(leat_schedules_check(&all->engine->schedules, stderr));
}

void
test_schedules_close(struct test_schedules *all)
{
    check(all);
    test_run_all(all);
    test_close(all->engine);
    free(all->info);
}

struct leat_schedule
test_schedule(const struct test_schedules *all, const char *spec)
{
    struct leat_schedule schedule = leat_schedule_default();
    schedule.spec = spec;
    schedule.job = &all->job;
    return schedule;
}

void
test_schedule_add(struct test_schedules *all, const char *name,
                  const struct leat_schedule *schedule)
{
    struct leat_error error;
    enum leat_status status = leat_schedule_add(all->engine, name, schedule, &error);
    if (status != LEAT_OK) {
        test_say("leat_schedule_add: %s\n", error.text);
    }
    CHECK_STATUS(status, LEAT_OK);
}

void
test_schedules_open_with(struct test_schedules *all, const char *now, const char *spec,
                         enum leat_overlap overlap, enum leat_missed missed)
{
    test_schedules_open(all, NULL, now);
    struct leat_schedule schedule = test_schedule(all, spec);
    schedule.overlap = overlap;
    schedule.missed = missed;
    test_schedule_add(all, "s", &schedule);
}

const struct leat_schedule_info *
test_schedule_get(struct test_schedules *all, const char *name)
{
    *all->info = leat_schedule_info_default();
    CHECK_OK(leat_schedule_get(all->engine, name, all->info));
    return all->info;
}

void
test_fire_ns(struct test_schedules *all, uint64_t now_ns)
{
    uint32_t calls = 0;
    uint64_t next_ns = 0;
    atom_store_rlx(&all->now_ns, now_ns);
    do {
        CHECK_OK(leat_clock_changed(all->engine));
        next_ns = leat_schedules_next(all->engine);
        CHECK(calls++ < CALLS_MAX);
    } while (next_ns <= now_ns);
    check(all);
}

void
test_fire(struct test_schedules *all, const char *now)
{
    test_fire_ns(all, test_ns(now));
}

void
test_fire_until(struct test_schedules *all, const char *now)
{
    uint64_t end_ns = test_ns(now);
    CHECK(atom_load_rlx(&all->now_ns) <= end_ns);
    uint64_t next_ns = leat_schedules_next(all->engine);
    while (next_ns <= end_ns) {
        test_fire_ns(all,
                     next_ns > atom_load_rlx(&all->now_ns) ? next_ns : atom_load_rlx(&all->now_ns));
        next_ns = leat_schedules_next(all->engine);
    }
    test_fire_ns(all, end_ns);
}

void
test_run_all(struct test_schedules *all)
{
    size_t ran = 0;
    while (leat_run_some(all->engine, 64, &ran) == LEAT_OK) {
        /* until none waits */
    }
}
