/* unit_trace.c - the flight recorder of an engine, as leat_trace_write() gives it: the format, by
 * trace_check.py; that each attempt is there, with its outcome, also one that is running; parks,
 * steals, timers and retries; which attempts are recorded in which mode, also when it is changed;
 * what is not put together, as nothing was recorded between; the last ones stay; and what is
 * refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "engine/trace.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/source.h"
#include "tests/support/threads.h"

/* ---- writing and looking -------------------------------------------------------------------- */

static bool
to_file(const char *text, size_t bytes, void *context)
{
    return fwrite(text, 1, bytes, context) == bytes;
}

/* What trace_check.py says of a trace, with these counts. */
static bool
fits(struct leat_engine *engine, const char *counts)
{
    char path[] = "/tmp/leat_trace_XXXXXX";
    char command[1024];
    int descriptor = mkstemp(path);
    CHECK(descriptor >= 0);
    FILE *stream = fdopen(descriptor, "w");
    CHECK(stream != NULL);
    CHECK_OK(leat_trace_write(engine, to_file, stream));
    CHECK(fclose(stream) == 0);
    char *script = test_source_read("tests/support/trace_check.py");
    (void)snprintf(command, sizeof(command), "python3 - %s %s", path, counts);
    FILE *python = popen(command, "w"); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
    CHECK(python != NULL);
    CHECK(fputs(script, python) >= 0);
    free(script);
    bool well = pclose(python) == 0;
    CHECK(unlink(path) == 0);
    return well;
}

/* ---- what there is -------------------------------------------------------------------------- */

static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    (void)context;
    const char *payload = leat_run_payload(run, NULL);
    if (payload == NULL) {
        return leat_done();
    }
    switch (payload[0]) {
    case 'f':
        return leat_fail();
    case 'r': /* once */
        return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
    default:
        return leat_done();
    }
}

static void
submit(struct leat_engine *engine, leat_type type, const char *payload, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.payload = payload;
    job.payload_bytes = strlen(payload);
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(engine, &job, NULL));
}

static void
each_attempt_is_there(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 2;
    config.trace = LEAT_TRACE_FULL;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    for (uint32_t i = 0; i < 5; i++) {
        submit(engine, type, "d", 0);
        submit(engine, type, "f", 0);
        submit(engine, type, "r", 0);
    }
    submit(engine, type, "d", 2000000);
    while (test_statistics(engine).jobs_completed < 11) {
        leat_os_yield();
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK(fits(engine, "t=21 wait=16 outcome:done=11 outcome:fail=5 outcome:retry=5 retry=5 "
                       "timers=1+ parked=1+ threads=2"));
    CHECK(!fits(engine, "t=20 2>/dev/null"));
    test_close(engine);
}

/* The batch of a stuck worker is taken by the other. */
static struct leat_outcome
first_waits(struct leat_run *run, void *context)
{
    leat_atomic_u32 *count = context;
    bool first = atom_add_acq_rel(count, 1) == 0;
    while (first && atom_load_acq(count) < 12) {
        leat_os_yield();
    }
    (void)run;
    return leat_done();
}

static void
steals_are_there(void **state)
{
    (void)state;
    leat_atomic_u32 count;
    atom_init(&count, 0);
    struct leat_config config = test_config();
    config.workers = 2;
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "s", first_waits, &count);
    struct leat_job jobs[12];
    for (uint32_t i = 0; i < 12; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = type;
    }
    CHECK_OK(leat_submit_batch(engine, jobs, 12, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK(fits(engine, "steal=1+ outcome:done=12 wait=12"));
    test_finish(engine);
}

/* ---- one that runs, and modes ---------------------------------------------------------------- */

struct gate {
    leat_atomic_u32 inside;
    leat_atomic_u32 open;
};

static struct leat_outcome
waits(struct leat_run *run, void *context)
{
    (void)run;
    struct gate *gate = context;
    atom_store_rel(&gate->inside, 1);
    while (atom_load_acq(&gate->open) == 0) {
        leat_os_yield();
    }
    return leat_done();
}

static void
one_that_runs_is_there(void **state)
{
    (void)state;
    struct gate gate;
    atom_init(&gate.inside, 0);
    atom_init(&gate.open, 0);
    struct leat_config config = test_config();
    struct leat_engine *engine = test_start(&config);
    submit(engine, test_register(engine, "w", waits, &gate), "", 0);
    while (atom_load_acq(&gate.inside) == 0) {
        leat_os_yield();
    }
    CHECK(fits(engine, "w=1 outcome:running=1"));
    atom_store_rel(&gate.open, 1);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK(fits(engine, "w=1 outcome:done=1"));
    test_close(engine);
}

/* Of `jobs` jobs by one lent thread: whether so many attempts are recorded. */
static bool
records(struct leat_engine *engine, leat_type type, uint32_t jobs, const char *counts)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < jobs; i++) {
        submit(engine, type, "d", 0);
        CHECK_OK(leat_run_some(engine, 1, &ran));
    }
    return fits(engine, counts);
}

static void
modes_say_what_is_recorded(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.sample_interval = 1000000;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    /* The first one is timed, by its hash. */
    CHECK(records(engine, type, 20, "t=1"));
    CHECK_OK(leat_knob_change(engine, "trace", "full", NULL));
    CHECK(records(engine, type, 20, "t=21"));
    CHECK_OK(leat_knob_change(engine, "trace", "off", NULL));
    CHECK(records(engine, type, 20, "t=21"));
    CHECK_OK(leat_knob_change(engine, "sample_interval", "1", NULL));
    CHECK(records(engine, type, 20, "t=21"));
    CHECK_OK(leat_knob_change(engine, "trace", "sampling", NULL));
    CHECK(records(engine, type, 20, "t=41"));
    CHECK_OK(leat_knob_change(engine, "sample_interval", "1000000", NULL));
    CHECK_OK(leat_knob_change(engine, "trace", "full", NULL));
    CHECK_OK(leat_knob_change(engine, "sample_interval", "999999", NULL));
    CHECK(records(engine, type, 20, "t=61"));
    CHECK_STATUS(leat_knob_change(engine, "trace", "some", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_knob_change(engine, "trace_records", "64", NULL), LEAT_WRONG_STATE);
    test_close(engine);
}

/* What a worker does beside its jobs is recorded where anything is. */
static void
off_is_off_for_timers(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.trace = LEAT_TRACE_OFF;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        size_t ran = 0;
        submit(engine, type, "d", 2 * TEST_MS);
        while (ran == 0) {
            test_sleep_ns(TEST_MS);
            enum leat_status status = leat_run_some(engine, 1, &ran);
            CHECK(status == LEAT_OK || status == LEAT_EMPTY);
        }
        CHECK(fits(engine, i == 0 ? "timers=0" : "timers=1+"));
        CHECK_OK(leat_knob_change(engine, "trace", "full", NULL));
    }
    test_close(engine);
}

/* Its first attempt ends while nothing is recorded. */
static struct leat_outcome
off_meanwhile(struct leat_run *run, void *context)
{
    (void)context;
    if (leat_run_attempt(run) != 1) {
        return leat_done();
    }
    leat_trace_set_mode(leat_run_engine(run), LEAT_TRACE_OFF);
    return leat_retry();
}

/* What began before a time at which nothing was recorded is not put together with what ends behind
 * it, and is not running yet. */
static void
an_end_is_of_its_round(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.trace = LEAT_TRACE_FULL;
    struct leat_engine *engine = test_start(&config);
    submit(engine, test_register(engine, "o", off_meanwhile, NULL), "", 0);
    CHECK_OK(leat_run_some(engine, 1, NULL));
    CHECK(fits(engine, "o=0 wait=1 outcome:running=0"));
    leat_trace_set_mode(engine, LEAT_TRACE_FULL);
    CHECK(fits(engine, "o=0 wait=1 outcome:running=0"));
    CHECK_OK(leat_run_some(engine, 1, NULL));
    CHECK(fits(engine, "o=1 wait=1 outcome:done=1 retry=0"));
    for (uint32_t i = 0; i < 2 * LEAT_TRACE_ROUNDS; i++) {
        leat_trace_set_mode(engine, LEAT_TRACE_OFF);
        leat_trace_set_mode(engine, LEAT_TRACE_SAMPLING);
        CHECK(leat_trace_round(&engine->pool.workers[0]) != 0);
    }
    leat_type type = test_register(engine, "t", by_payload, NULL);
    CHECK(records(engine, type, 3, "t=3"));
    test_close(engine);
}

/* A wait that ends in the moment in which it begins begins first. */
static void
a_wait_without_length(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.trace = LEAT_TRACE_FULL;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    uint64_t now_ns = leat_os_monotonic_ns();
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t what = leat_trace_what(LEAT_TRACE_RUN_BEGIN, 1, type.bits - 1, 0);
        uint64_t end = leat_trace_what(LEAT_TRACE_RUN_END, LEAT_OUTCOME_DONE, 0, 0);
        struct leat_worker *worker = &engine->pool.workers[0];
        leat_trace_put(worker, (struct leat_flight_record){{now_ns, what, i, now_ns}});
        leat_trace_put(worker, (struct leat_flight_record){{now_ns, end, i, now_ns}});
    }
    CHECK(fits(engine, "t=20 wait=20 outcome:done=20"));
    test_close(engine);
}

/* 64 records, of which the last 63 are there: 31 attempts, and an end without a begin. */
static void
the_last_ones_stay(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.trace_records = 64;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    CHECK(records(engine, type, 31, "t=31 wait=31"));
    CHECK(records(engine, type, 1, "t=31 wait=31"));
    CHECK(records(engine, type, 100, "t=31 wait=31 outcome:done=31"));
    test_close(engine);
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* Takes so many pieces. */
static bool
to_nobody(const char *text, size_t bytes, void *context)
{
    uint32_t *pieces = context;
    CHECK(text != NULL);
    CHECK(bytes > 0);
    return (*pieces)-- != 0;
}

static void
what_is_refused(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    config.trace = LEAT_TRACE_FULL;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    CHECK(records(engine, type, 20, "t=20"));
    for (uint32_t pieces = 0; pieces < 3; pieces++) {
        uint32_t left = pieces;
        CHECK_STATUS(leat_trace_write(engine, to_nobody, &left), LEAT_REFUSED);
        CHECK_EQUAL(left, UINT32_MAX); /* it was not asked again */
    }
    CHECK_STATUS(leat_trace_write(engine, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_trace_write(NULL, to_nobody, NULL), LEAT_INVALID);
    test_close(engine);
    config.trace_records = 0;
    engine = test_start(&config);
    CHECK_STATUS(leat_trace_write(engine, to_nobody, NULL), LEAT_WRONG_STATE);
    CHECK_OK(leat_knob_change(engine, "trace", "full", NULL));
    type = test_register(engine, "t", by_payload, NULL);
    submit(engine, type, "d", 0);
    size_t ran = 0;
    CHECK_OK(leat_run_some(engine, 1, &ran));
    test_close(engine);
}

int
main(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    if (system("python3 -c pass >/dev/null 2>&1") != 0) {
        test_say("no python3\n");
        return TEST_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attempt_is_there),  cmocka_unit_test(steals_are_there),
        cmocka_unit_test(one_that_runs_is_there), cmocka_unit_test(modes_say_what_is_recorded),
        cmocka_unit_test(off_is_off_for_timers),  cmocka_unit_test(the_last_ones_stay),
        cmocka_unit_test(an_end_is_of_its_round), cmocka_unit_test(a_wait_without_length),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
