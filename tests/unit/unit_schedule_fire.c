/* unit_schedule_fire.c - when schedules submit jobs: at their moments and not before; what each
 * policy does with moments that are missed and with jobs that have not ended; submits that are
 * refused; engines that drain and start again. What clocks and zones do to them is in
 * unit_schedule_clock.c. After each look I1 to I4 of engine/schedule.h are checked. */
#include <stdio.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/schedules.h"
#include "tests/support/threads.h"

#define DAY "2026-01-05 " /* a Monday */

static uint64_t
runs(struct test_schedules *all)
{
    return test_schedule_get(all, "s")->runs;
}

static uint64_t
missed(struct test_schedules *all)
{
    return test_schedule_get(all, "s")->runs_missed;
}

/* ---- moments -------------------------------------------------------------------------------- */

static void
at_its_moments(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_SKIP);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:01:00"));
    CHECK_EQUAL(test_schedule_get(&all, "s")->next_unix_ns, test_ns(DAY "12:01:00"));
    test_fire_ns(&all, test_ns(DAY "12:01:00") - 1);
    CHECK_EQUAL(runs(&all), 0);
    CHECK_EQUAL(test_schedule_get(&all, "s")->last_job.bits, 0);
    /* Asked for a later time than the clock shows: it was set back meanwhile. */
    (void)leat_schedules_look(all.engine, test_ns(DAY "12:01:00"));
    CHECK_EQUAL(runs(&all), 0);
    test_fire(&all, DAY "12:01:00");
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK_EQUAL(info->runs, 1);
    CHECK_EQUAL(info->last_unix_ns, test_ns(DAY "12:01:00"));
    CHECK_EQUAL(info->next_unix_ns, test_ns(DAY "12:02:00"));
    CHECK_EQUAL(test_get(all.engine, info->last_job).state, LEAT_JOB_PENDING);
    test_fire_ns(&all, test_ns(DAY "12:01:00") + 1);
    CHECK_EQUAL(runs(&all), 1);
    test_fire_until(&all, DAY "12:30:59");
    CHECK_EQUAL(runs(&all), 30);
    CHECK_EQUAL(missed(&all), 0);
    test_run_all(&all);
    CHECK_EQUAL(all.ran, 30);
    test_schedules_close(&all);
}

static void
intervals(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:07", "@every 10s", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:00:10"));
    /* A call that comes late does not move those behind it. */
    test_fire(&all, DAY "12:00:14");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:00:20"));
    CHECK_EQUAL(runs(&all), 1);
    test_schedules_close(&all);
}

/* More than one call serves, and schedules of all kinds beside each other. */
static void
many_at_once(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_config config = test_config();
    char name[16];
    config.jobs_max = 4096;
    test_schedules_open(&all, &config, DAY "12:00:30");
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    for (uint32_t i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i * 7919 % 300);
        schedule.spec = i % 3 == 0 ? "* * * * *" : i % 3 == 1 ? "*/2 * * * *" : "0 0 * * *";
        test_schedule_add(&all, name, &schedule);
    }
    test_fire(&all, DAY "12:02:00");
    CHECK_EQUAL(test_statistics(all.engine).jobs_submitted, 200);
    test_fire(&all, DAY "12:03:00");
    CHECK_EQUAL(test_statistics(all.engine).jobs_submitted, 300);
    test_schedules_close(&all);
}

/* ---- missed moments ------------------------------------------------------------------------- */

static void
a_little_late_is_on_time(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "11:00:30", "0 * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_SKIP);
    test_fire_ns(&all, test_ns(DAY "12:01:00") - 1);
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(missed(&all), 0);
    test_fire(&all, DAY "13:01:00");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(missed(&all), 1);
    test_schedules_close(&all);
}

static void
missed_one(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "*/10 * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    test_fire(&all, DAY "12:58:00");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(missed(&all), 4);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:00:00"));
    test_schedules_close(&all);
}

static void
missed_skip(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "*/10 * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_SKIP);
    test_fire(&all, DAY "12:58:00");
    CHECK_EQUAL(runs(&all), 0);
    CHECK_EQUAL(missed(&all), 5);
    /* The last of several is on time. */
    test_fire(&all, DAY "13:30:10");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(missed(&all), 8);
    test_schedules_close(&all);
}

static void
missed_all(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "*/10 * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ALL);
    test_fire(&all, DAY "12:58:00");
    CHECK_EQUAL(runs(&all), 5);
    CHECK_EQUAL(missed(&all), 0);
    test_schedules_close(&all);
}

/* Up to runs_max; and of a gap with more than any number of moments it comes back at once. */
static void
missed_all_is_bounded(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, DAY "12:00:30");
    struct leat_schedule schedule = test_schedule(&all, "* * * * * *");
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    schedule.missed = LEAT_MISSED_ALL;
    for (uint32_t i = 0; i < 3; i++) {
        static const uint32_t seconds[] = {9, 10, 11};
        schedule.runs_max = 10;
        test_schedule_add(&all, "s", &schedule);
        test_fire_ns(&all, atom_load_rlx(&all.now_ns) + seconds[i] * UINT64_C(1000000000));
        CHECK_EQUAL(runs(&all), i == 0 ? 9 : 10);
        CHECK_EQUAL(missed(&all), i == 2 ? 1 : 0);
        CHECK_OK(leat_schedule_remove(all.engine, "s"));
    }
    test_schedule_add(&all, "s", &schedule);
    test_fire(&all, "2056-01-01 00:00:00");
    CHECK_EQUAL(runs(&all), 10);
    CHECK_EQUAL(missed(&all), 990);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns("2056-01-01 00:00:01"));
    test_schedules_close(&all);
}

/* From the moment that the caller knows of. */
static void
since(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, DAY "12:00:30");
    struct leat_schedule schedule = test_schedule(&all, "0 * * * *");
    schedule.missed = LEAT_MISSED_ALL;
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    schedule.since_unix_ns = test_ns(DAY "09:00:00");
    test_schedule_add(&all, "s", &schedule);
    CHECK(leat_schedules_next(all.engine) <= atom_load_rlx(&all.now_ns));
    test_fire(&all, DAY "12:00:30");
    CHECK_EQUAL(runs(&all), 3);
    schedule.since_unix_ns = test_ns(DAY "18:00:00");
    CHECK_OK(leat_schedule_change(all.engine, "s", &schedule, NULL));
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:00:00"));
    test_schedules_close(&all);
}

/* ---- jobs that have not ended --------------------------------------------------------------- */

static void
overlap_skip(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_SKIP, LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "12:04:30");
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK_EQUAL(info->runs, 1);
    CHECK_EQUAL(info->runs_overlapped, 3);
    CHECK_EQUAL(info->runs_missed, 0);
    test_run_all(&all);
    test_fire_until(&all, DAY "12:05:00");
    CHECK_EQUAL(runs(&all), 2);
    /* A job that was cancelled has ended. */
    CHECK_OK(leat_cancel(all.engine, test_schedule_get(&all, "s")->last_job));
    test_fire_until(&all, DAY "12:06:00");
    CHECK_EQUAL(runs(&all), 3);
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs_overlapped, 3);
    test_schedules_close(&all);
}

/* Nothing is kept of ended jobs: that the record is gone says that the job has ended. */
static void
overlap_of_a_job_that_is_gone(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_config config = test_config();
    config.retained_max = 0;
    test_schedules_open(&all, &config, DAY "12:00:30");
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    test_schedule_add(&all, "s", &schedule);
    for (uint32_t i = 1; i <= 5; i++) {
        test_fire_ns(&all, test_ns(DAY "12:00:00") + i * UINT64_C(60000000000));
        CHECK_EQUAL(runs(&all), i);
        test_run_all(&all);
        struct leat_job_info info = leat_job_info_default();
        CHECK_STATUS(leat_get(all.engine, test_schedule_get(&all, "s")->last_job, &info),
                     LEAT_GONE);
    }
    test_schedules_close(&all);
}

static void
overlap_queue(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_QUEUE,
                             LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "12:04:30");
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK_EQUAL(info->runs, 1);
    CHECK_EQUAL(info->owed, 3);
    CHECK_EQUAL(info->runs_overlapped + info->runs_missed, 0);
    /* It looks for the end of the job again within a second, and submits one after the other. */
    for (uint32_t i = 2; i <= 4; i++) {
        test_run_all(&all);
        uint64_t next_ns = leat_schedules_next(all.engine);
        CHECK(next_ns <= atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_AGAIN_NS_MAX);
        test_fire_ns(&all, next_ns);
        CHECK_EQUAL(runs(&all), i);
        CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 4 - i);
    }
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:05:00"));
    test_schedules_close(&all);
}

static void
overlap_queue_is_bounded(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, DAY "12:00:30");
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    schedule.overlap = LEAT_OVERLAP_QUEUE;
    schedule.runs_max = 2;
    test_schedule_add(&all, "s", &schedule);
    test_fire_until(&all, DAY "12:03:30");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 2);
    CHECK_EQUAL(missed(&all), 0);
    test_fire_until(&all, DAY "12:05:30");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 2);
    CHECK_EQUAL(missed(&all), 2);
    test_schedules_close(&all);
}

/* While it waits it does not look more often than it waited. */
static void
overlap_queue_looks_rarely(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "0 * * * *", LEAT_OVERLAP_QUEUE,
                             LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "14:00:00");
    uint64_t pause_ns = LEAT_SCHEDULE_AGAIN_NS_MIN;
    for (uint32_t i = 0; i < 12; i++) {
        uint64_t next_ns = leat_schedules_next(all.engine);
        CHECK_EQUAL(next_ns - atom_load_rlx(&all.now_ns), pause_ns);
        test_fire_ns(&all, next_ns);
        pause_ns =
            pause_ns < LEAT_SCHEDULE_AGAIN_NS_MAX / 2 ? pause_ns * 2 : LEAT_SCHEDULE_AGAIN_NS_MAX;
    }
    CHECK_EQUAL(pause_ns, LEAT_SCHEDULE_AGAIN_NS_MAX);
    /* The next time it begins anew. */
    test_run_all(&all);
    test_fire_until(&all, DAY "15:00:00");
    CHECK_EQUAL(runs(&all), 2);
    CHECK_EQUAL(leat_schedules_next(all.engine),
                atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_AGAIN_NS_MIN);
    test_schedules_close(&all);
}

static void
overlap_allow(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "12:04:30");
    CHECK_EQUAL(runs(&all), 4);
    CHECK_EQUAL(test_statistics(all.engine).jobs_waiting, 4);
    test_schedules_close(&all);
}

/* What is made up for goes one after the other, and is no overlap; a moment that comes meanwhile
 * is. */
static void
missed_all_overlap_skip(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "*/10 * * * *", LEAT_OVERLAP_SKIP,
                             LEAT_MISSED_ALL);
    test_fire(&all, DAY "12:59:59");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 4);
    test_fire_until(&all, DAY "13:00:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs_overlapped, 1);
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 4);
    for (uint32_t i = 2; i <= 5; i++) {
        test_run_all(&all);
        test_fire_ns(&all, leat_schedules_next(all.engine));
        CHECK_EQUAL(runs(&all), i);
    }
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 0);
    test_schedules_close(&all);
}

/* ---- submits that are refused --------------------------------------------------------------- */

/* A queue with room for one job that waits, and that one is there. */
static leat_job_id
open_full(struct test_schedules *all, const char *spec, enum leat_missed missed_policy)
{
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    test_schedules_open(all, NULL, DAY "12:00:30");
    options.waiting_max = 1;
    CHECK_OK(leat_queue_create(all->engine, "narrow", &options, &all->job.queue));
    job.type = all->job.type;
    job.queue = all->job.queue;
    CHECK_OK(leat_submit(all->engine, &job, &id));
    struct leat_schedule schedule = test_schedule(all, spec);
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    schedule.missed = missed_policy;
    test_schedule_add(all, "s", &schedule);
    return id;
}

static void
refused_is_repeated(void **state)
{
    (void)state;
    struct test_schedules all;
    leat_job_id id = open_full(&all, "0 * * * *", LEAT_MISSED_SKIP);
    test_fire(&all, DAY "13:00:00");
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK_EQUAL(info->runs, 0);
    CHECK_EQUAL(info->owed, 1);
    CHECK_EQUAL(info->refusals, 1);
    CHECK_STATUS(info->refusal_status, LEAT_FULL);
    CHECK_EQUAL(leat_schedules_next(all.engine),
                atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_AGAIN_NS_MIN);
    /* Later than a minute, too: its moment was on time. */
    test_fire_until(&all, DAY "13:10:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 1);
    CHECK(test_schedule_get(&all, "s")->refusals >= 600);
    CHECK_OK(leat_cancel(all.engine, id));
    test_fire_until(&all, DAY "13:10:01");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 0);
    CHECK_EQUAL(missed(&all), 0);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "14:00:00"));
    test_schedules_close(&all);
}

/* Until the next moment has come: then it is missed, as the policy says. */
static void
refused_until_the_next_moment(void **state)
{
    (void)state;
    static const enum leat_missed policies[] = {LEAT_MISSED_ONE, LEAT_MISSED_SKIP, LEAT_MISSED_ALL};
    for (size_t i = 0; i < TEST_COUNT_OF(policies); i++) {
        struct test_schedules all;
        leat_job_id id = open_full(&all, "* * * * *", policies[i]);
        bool every = policies[i] == LEAT_MISSED_ALL;
        test_fire_until(&all, DAY "12:03:30");
        CHECK_EQUAL(test_schedule_get(&all, "s")->owed, every ? 3 : 1);
        CHECK_EQUAL(missed(&all), every ? 0 : 2);
        CHECK_OK(leat_cancel(all.engine, id));
        for (uint32_t run = 0; run < 3; run++) {
            test_fire_ns(&all, atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_AGAIN_NS_MAX);
            test_run_all(&all);
        }
        CHECK_EQUAL(runs(&all), every ? 3 : 1);
        test_schedules_close(&all);
    }
}

/* What waits to be submitted does not wait for the old time. */
static void
set_back_while_it_waits(void **state)
{
    (void)state;
    struct test_schedules all;
    leat_job_id id = open_full(&all, "0 13 * * *", LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "13:00:10");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 1);
    CHECK_OK(leat_cancel(all.engine, id));
    test_fire(&all, DAY "12:00:30");
    CHECK_EQUAL(runs(&all), 1);
    test_schedules_close(&all);
}

/* ---- engines that drain and start ----------------------------------------------------------- */

static void
only_while_running(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_QUEUE,
                             LEAT_MISSED_ONE);
    test_fire_until(&all, DAY "12:02:30");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 1);
    CHECK_OK(leat_drain(all.engine, LEAT_FOREVER));
    CHECK_EQUAL(leat_schedules_next(all.engine), LEAT_FOREVER);
    test_fire(&all, DAY "12:10:00");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_OK(leat_stop(all.engine, LEAT_FOREVER));
    CHECK_EQUAL(leat_schedules_next(all.engine), LEAT_FOREVER);
    CHECK_OK(leat_start(all.engine));
    CHECK(leat_schedules_next(all.engine) <= test_ns(DAY "12:30:00"));
    test_fire(&all, DAY "12:30:10");
    /* The one that waited, and then one for the 28 that were missed. */
    CHECK_EQUAL(runs(&all), 2);
    CHECK_EQUAL(missed(&all), 27);
    test_run_all(&all);
    test_fire_ns(&all, leat_schedules_next(all.engine));
    CHECK_EQUAL(runs(&all), 3);
    test_schedules_close(&all);
}

/* The engine closes while schedules are served: what they owe is still there at the next start. */
static void
closed_under_way(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "* * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    atom_store_rlx(&all.now_ns, test_ns(DAY "12:01:00"));
    all.closing = true;
    CHECK_EQUAL(leat_schedules_look(all.engine, atom_load_rlx(&all.now_ns)), LEAT_FOREVER);
    all.closing = false;
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 1);
    CHECK_EQUAL(test_schedule_get(&all, "s")->refusals, 0);
    atom_store_rel(&all.engine->state, LEAT_ENGINE_RUNNING);
    test_fire(&all, DAY "12:01:00");
    CHECK_EQUAL(runs(&all), 1);
    test_schedules_close(&all);
}

/* ---- by the system's clock ------------------------------------------------------------------ */

struct system_clock {
    struct leat_engine *engine;
    leat_atomic_u64 ran;
    leat_atomic_u64 first_ns; /* when the first one ran, by the wall clock */
};

static struct leat_outcome
on_time_run(struct leat_run *run, void *context)
{
    struct system_clock *system = context;
    (void)run;
    uint64_t now_ns = leat_os_wall_ns();
    if (atom_load_rlx(&system->ran) == 0) {
        atom_store_rlx(&system->first_ns, now_ns);
    }
    (void)atom_add_rlx(&system->ran, 1);
    return leat_done();
}

static bool
two_ran(void *argument)
{
    struct system_clock *system = argument;
    uint64_t delay_ns = 0;
    if (leat_run_some(system->engine, 8, NULL) == LEAT_EMPTY) {
        /* A thread that is lent asks when to come back. */
        CHECK_OK(leat_next_due(system->engine, &delay_ns));
        CHECK(delay_ns <= 1000000000);
    }
    return atom_load_rlx(&system->ran) >= 2;
}

/* Workers are woken by the thread of the clocks; a host that lends threads asks. */
static void
by_the_systems_clock(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers <= 1; workers++) {
        struct leat_config config = test_config();
        struct leat_job job = leat_job_default();
        struct leat_schedule schedule = leat_schedule_default();
        struct system_clock system = {0};
        config.workers = workers;
        system.engine = test_start(&config);
        job.type = test_register(system.engine, "on-time", on_time_run, &system);
        schedule.spec = "* * * * * *";
        schedule.job = &job;
        /* The second that has begun is not a moment any more. */
        uint64_t first_ns = (leat_os_wall_ns() / 1000000000 + 1) * 1000000000;
        CHECK_OK(leat_schedule_add(system.engine, "s", &schedule, NULL));
        CHECK(test_until(two_ran, &system));
        CHECK(atom_load_rlx(&system.first_ns) >= first_ns);
        CHECK_OK(leat_schedule_remove(system.engine, "s"));
        test_finish(system.engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_its_moments),
        cmocka_unit_test(intervals),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(a_little_late_is_on_time),
        cmocka_unit_test(missed_one),
        cmocka_unit_test(missed_skip),
        cmocka_unit_test(missed_all),
        cmocka_unit_test(missed_all_is_bounded),
        cmocka_unit_test(since),
        cmocka_unit_test(overlap_skip),
        cmocka_unit_test(overlap_of_a_job_that_is_gone),
        cmocka_unit_test(overlap_queue),
        cmocka_unit_test(overlap_queue_is_bounded),
        cmocka_unit_test(overlap_queue_looks_rarely),
        cmocka_unit_test(overlap_allow),
        cmocka_unit_test(missed_all_overlap_skip),
        cmocka_unit_test(refused_is_repeated),
        cmocka_unit_test(refused_until_the_next_moment),
        cmocka_unit_test(set_back_while_it_waits),
        cmocka_unit_test(only_while_running),
        cmocka_unit_test(closed_under_way),
        cmocka_unit_test(by_the_systems_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
