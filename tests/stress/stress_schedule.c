/* stress_schedule.c - schedules that are added, changed, paused, resumed, removed, listed and
 * looked at by several threads while a clock fires them, workers run their jobs, and the clock is
 * set ahead and back: no call finds anything half done, no two jobs of one schedule that forbids it
 * are there at once, a schedule that was removed or paused submits nothing more, and the numbers
 * agree with the jobs that ran.
 *
 * Each thread has schedules of its own, so that it knows what they are, and takes part in those of
 * all. The clock is a thread that looks at times of its own making. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/schedules.h"
#include "tests/support/threads.h"

#define CALLERS 3
#define OWN     8
#define COMMON  4
#define SECOND  UINT64_C(1000000000)

/* One schedule of a thread. What a handler finds in it beside itself is a fault. */
struct own {
    leat_atomic_u32 inside; /* handlers at this moment */
    leat_atomic_u64 ran;
    char name[24];
    bool there;
    uint64_t before; /* jobs of those of its name that were removed */
};

struct round {
    struct leat_engine *engine;
    struct test_memory memory;
    leat_atomic_u64 now_ns;
    leat_atomic_u32 over;
    uint64_t seed;
    leat_type type;
    struct own owns[CALLERS][OWN];
    leat_atomic_u64 common_ran;
};

static uint64_t
clock_now(enum leat_clock_kind kind, void *context)
{
    const struct round *round = context;
    return kind == LEAT_CLOCK_WALL ? atom_load_rlx(&round->now_ns) : UINT64_C(1000000000000);
}

static struct leat_outcome
own_run(struct leat_run *run, void *context)
{
    struct round *round = context;
    size_t bytes = 0;
    struct own *own = NULL;
    memcpy(&own, leat_run_payload(run, &bytes), sizeof(struct own *));
    CHECK_EQUAL(bytes, sizeof(struct own *));
    if (own == NULL) {
        (void)atom_add_rlx(&round->common_ran, 1);
        return leat_done();
    }
    uint32_t others = atom_add_acq_rel(&own->inside, 1);
    CHECK_EQUAL(others, 0);
    (void)atom_add_rlx(&own->ran, 1);
    (void)atom_sub_acq_rel(&own->inside, 1);
    return leat_done();
}

/* ---- the clock ------------------------------------------------------------------------------ */

static void
clock_run(struct round *round)
{
    struct test_prng prng = {round->seed + CALLERS};
    uint64_t deadline_ns = test_now_ns() + test_duration_ns();
    while (test_now_ns() < deadline_ns) {
        uint64_t now_ns = atom_load_rlx(&round->now_ns);
        uint32_t step = test_random_below(&prng, 100);
        if (step == 0) {
            now_ns -= test_random_below(&prng, 4000) * SECOND;
        } else if (step == 1) {
            now_ns += test_random_below(&prng, 4000) * SECOND;
        } else {
            now_ns += test_random_below(&prng, 1500) * (SECOND / 1000);
        }
        atom_store_rlx(&round->now_ns, now_ns);
        (void)leat_schedules_next(round->engine);
        CHECK_OK(leat_clock_changed(round->engine));
    }
    atom_store_rlx(&round->over, 1);
}

/* ---- the callers ---------------------------------------------------------------------------- */

struct caller {
    struct round *round;
    struct test_prng prng;
    uint32_t number;
    struct leat_schedule_info *info;
};

static struct leat_schedule
any_schedule(struct caller *caller, const struct leat_job *job)
{
    static const char *const specs[] = {"* * * * * *", "@every 3s", "*/2 * * * * *", "* 0-23 * * *",
                                        "* * * * *"};
    static const char *const zones[] = {NULL, "UTC", "Europe/Berlin", "Australia/Lord_Howe"};
    struct leat_schedule schedule = leat_schedule_default();
    schedule.spec = specs[test_random_below(&caller->prng, TEST_COUNT_OF(specs))];
    schedule.zone = zones[test_random_below(&caller->prng, TEST_COUNT_OF(zones))];
    schedule.missed = (enum leat_missed)test_random_below(&caller->prng, 3);
    schedule.overlap = (enum leat_overlap)test_random_below(&caller->prng, 2); /* no ALLOW */
    schedule.runs_max = 1 + test_random_below(&caller->prng, 5);
    schedule.job = job;
    return schedule;
}

/* leat_schedule_info_default() would be on the stack. */
static void
info_begin(struct leat_schedule_info *info)
{
    memset(info, 0, sizeof(*info));
    info->size = (uint32_t)sizeof(*info);
    info->version = LEAT_STRUCT_VERSION;
}

static uint64_t
runs_of(struct caller *caller, const struct own *own)
{
    info_begin(caller->info);
    CHECK_OK(leat_schedule_get(caller->round->engine, own->name, caller->info));
    return caller->info->runs;
}

static bool
own_rests(void *argument)
{
    const struct own *own = argument;
    uint64_t ran = atom_load_rlx(&own->ran);
    CHECK(ran <= own->before);
    return ran == own->before;
}

/* One call on a schedule that nobody else calls. */
static void
own_call(struct caller *caller, struct own *own)
{
    struct leat_engine *engine = caller->round->engine;
    struct leat_job job = leat_job_default();
    struct leat_error error;
    job.type = caller->round->type;
    job.payload = &own;
    job.payload_bytes = sizeof(struct own *);
    struct leat_schedule schedule = any_schedule(caller, &job);
    if (!own->there) {
        CHECK_OK(leat_schedule_add(engine, own->name, &schedule, &error));
        own->there = true;
        return;
    }
    CHECK_STATUS(leat_schedule_add(engine, own->name, &schedule, &error), LEAT_EXISTS);
    switch (test_random_below(&caller->prng, 8)) {
    case 0: {
        CHECK_OK(leat_schedule_pause(engine, own->name));
        uint64_t runs = runs_of(caller, own);
        test_sleep_ns(TEST_MS / 10);
        CHECK_EQUAL(runs_of(caller, own), runs);
        break;
    }
    case 1:
        CHECK_OK(leat_schedule_pause(engine, own->name));
        own->before += runs_of(caller, own);
        CHECK_OK(leat_schedule_remove(engine, own->name));
        own->there = false;
        /* The next one of this name does not know of the last job of this one. */
        CHECK(test_until(own_rests, own));
        break;
    case 2:
    case 3:
        CHECK_OK(leat_schedule_change(engine, own->name, &schedule, &error));
        break;
    default:
        CHECK_OK(leat_schedule_resume(engine, own->name));
        (void)runs_of(caller, own);
        CHECK(caller->info->owed <= caller->info->runs_max);
        break;
    }
}

/* One call on a schedule that all may call at this moment. */
static void
common_call(struct caller *caller)
{
    struct leat_engine *engine = caller->round->engine;
    struct leat_job job = leat_job_default();
    struct own *none = NULL;
    char name[24];
    size_t count = 0;
    uint64_t moments[4];
    job.type = caller->round->type;
    job.payload = &none;
    job.payload_bytes = sizeof(struct own *);
    struct leat_schedule schedule = any_schedule(caller, &job);
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    (void)snprintf(name, sizeof(name), "common-%u", test_random_below(&caller->prng, COMMON));
    enum leat_status status = LEAT_OK;
    switch (test_random_below(&caller->prng, 6)) {
    case 0:
        status = leat_schedule_add(engine, name, &schedule, NULL);
        status = status == LEAT_EXISTS ? LEAT_OK : status;
        break;
    case 1:
        status = leat_schedule_remove(engine, name);
        break;
    case 2:
        status = leat_schedule_change(engine, name, &schedule, NULL);
        break;
    case 3:
        status = leat_schedule_pause(engine, name);
        break;
    case 4:
        status = leat_schedule_resume(engine, name);
        break;
    default:
        status = leat_schedule_next(engine, name, moments, TEST_COUNT_OF(moments), &count);
        CHECK(status != LEAT_OK || count == TEST_COUNT_OF(moments));
        break;
    }
    if (status != LEAT_OK) {
        CHECK_STATUS(status, LEAT_NOT_FOUND);
    }
}

/* All own schedules are in a list, in the order of their names. */
static void
list_all(struct caller *caller)
{
    struct leat_engine *engine = caller->round->engine;
    char before[sizeof(caller->info->name)] = "";
    size_t count = 1;
    uint32_t own = 0;
    for (;;) {
        info_begin(caller->info);
        CHECK_OK(
            leat_schedule_list(engine, before[0] == '\0' ? NULL : before, caller->info, 1, &count));
        if (count == 0) {
            break;
        }
        CHECK(strcmp(before, caller->info->name) < 0);
        memcpy(before, caller->info->name, sizeof(before));
        own += strncmp(before, caller->round->owns[caller->number][0].name, 3) == 0;
    }
    for (uint32_t i = 0; i < OWN; i++) {
        own -= caller->round->owns[caller->number][i].there;
    }
    CHECK_EQUAL(own, 0);
}

static void
thread_run(void *shared, uint32_t number)
{
    struct round *round = shared;
    if (number == CALLERS) {
        clock_run(round);
        return;
    }
    struct caller caller = {.round = round, .prng = {round->seed + number}, .number = number};
    caller.info = malloc(sizeof(*caller.info));
    CHECK(caller.info != NULL);
    while (atom_load_rlx(&round->over) == 0) {
        own_call(&caller, &round->owns[number][test_random_below(&caller.prng, OWN)]);
        common_call(&caller);
        if (test_random_below(&caller.prng, 32) == 0) {
            list_all(&caller);
        }
    }
    free(caller.info);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void
check_own(struct round *round, struct own *own, struct leat_schedule_info *info)
{
    uint64_t runs = own->before;
    if (own->there) {
        info_begin(info);
        CHECK_OK(leat_schedule_get(round->engine, own->name, info));
        runs += info->runs;
    }
    CHECK_EQUAL(atom_load_rlx(&own->ran), runs);
}

static void
schedules_under_load(void **state)
{
    (void)state;
    struct round *round = calloc(1, sizeof(*round));
    struct leat_schedule_info *info = malloc(sizeof(*info));
    struct leat_config config = test_config();
    CHECK(round != NULL);
    CHECK(info != NULL);
    test_memory_init(&round->memory);
    config.allocator = test_memory_allocator(&round->memory);
    config.workers = 2;
    config.jobs_max = 64; /* so few that some submits are refused */
    config.retained_max = 0;
    config.clock = (struct leat_clock){clock_now, round};
    round->seed = test_seed("stress_schedule");
    atom_init(&round->now_ns, test_ns("2026-03-28 12:00:00"));
    for (uint32_t i = 0; i < CALLERS * OWN; i++) {
        struct own *own = &round->owns[i / OWN][i % OWN];
        (void)snprintf(own->name, sizeof(own->name), "t%u.%u", i / OWN, i % OWN);
    }
    round->engine = test_start(&config);
    round->type = test_register(round->engine, "own", own_run, round);
    test_threads_run(CALLERS + 1, thread_run, round);
    CHECK_OK(leat_drain(round->engine, LEAT_FOREVER));
    CHECK(leat_schedules_check(&round->engine->schedules, stderr));
    uint64_t ran = atom_load_rlx(&round->common_ran);
    for (uint32_t i = 0; i < CALLERS * OWN; i++) {
        check_own(round, &round->owns[i / OWN][i % OWN], info);
        ran += atom_load_rlx(&round->owns[i / OWN][i % OWN].ran);
    }
    CHECK_EQUAL(test_statistics(round->engine).jobs_completed, ran);
    CHECK(ran > 0);
    test_say("stress_schedule: %lu jobs\n", (unsigned long)ran);
    test_close(round->engine);
    CHECK_EQUAL(test_memory_blocks(&round->memory), 0);
    free(info);
    free(round);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
