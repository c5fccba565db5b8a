/* stress_types.c - commands under all that may end them: a cancel that races the exit, and many
 * short ones among cancels, timeouts, and stops of the engine and of the types. Each job ends
 * once, by something that it may have ended by; no child is left, as a zombie or alive, and no
 * descriptor, and no record of a job. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "tests/support/ready.h"

#define RACES     100u
#define WAVES     5u
#define WAVE_JOBS 200u
#define KINDS     5u

static struct test_ready ready;
static char marker[64]; /* seconds that no other process sleeps for */

static uint32_t
descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    uint32_t count = 0;
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        count++;
    }
    (void)closedir(directory);
    return count;
}

static bool
nobody_left(void *argument)
{
    char line[128];
    (void)argument;
    (void)snprintf(line, sizeof(line), "! pgrep -f '^sleep %s' >/dev/null", marker);
    return system(line) == 0; /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

/* Neither children nor what they have started. */
static void
check_alone(void)
{
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK(test_until(nobody_left, NULL));
}

/* But for what is kept of jobs that have ended. */
static bool
no_record_left(void *argument)
{
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {.jobs = 0};
    size_t count = 0;
    (void)argument;
    query.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED) | LEAT_STATE_MASK(LEAT_JOB_BLOCKED) |
                   LEAT_STATE_MASK(LEAT_JOB_PENDING) | LEAT_STATE_MASK(LEAT_JOB_RUNNING) |
                   LEAT_STATE_MASK(LEAT_JOB_RETRYING) | LEAT_STATE_MASK(LEAT_JOB_DEAD);
    CHECK_OK(leat_dead_delete_all(ready.engine, NULL, &count));
    do {
        CHECK_OK(leat_job_count(ready.engine, &query, &tally, 1));
    } while (query.more);
    return tally.jobs == 0;
}

static void
end(void)
{
    CHECK(test_until(no_record_left, NULL));
    test_ready_end(&ready);
}

static void
setup(void)
{
    struct leat_command_options options = leat_command_options_default();
    struct leat_type_options type = test_ready_type();
    (void)snprintf(marker, sizeof(marker), "2%06ld", (long)getpid() % 1000000);
    test_ready_start(&ready);
    type.max_attempts = 1;
    type.running_max = 32;
    options.type = &type;
    options.grace_ns = 20 * TEST_MS;
    CHECK_OK(leat_command_register(ready.types, "command", &options, &ready.type));
}

static leat_job_id
submit(const char *line, uint64_t timeout_ns)
{
    const char *const argv[] = {line, marker, NULL};
    struct leat_command command = leat_command_default();
    command.argv = argv;
    command.flags = LEAT_COMMAND_SHELL;
    CHECK_OK(leat_command_encode(&command, ready.payload, sizeof(ready.payload), &ready.bytes));
    return test_ready_submit(&ready, timeout_ns);
}

static void
cancel(leat_job_id id)
{
    enum leat_status status = leat_cancel(ready.engine, id);
    CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED);
}

static struct leat_job_info
wait_for(leat_job_id id)
{
    struct leat_job_info info = test_wait(ready.engine, id);
    CHECK_OK(leat_release(ready.engine, id));
    return info;
}

static void
a_cancel_races_the_exit(void **state)
{
    uint32_t cancelled = 0;
    (void)state;
    setup();
    for (uint32_t i = 0; i < RACES; i++) {
        leat_job_id id = submit("sleep 0.01; exit 0", LEAT_TIMEOUT_OF_TYPE);
        test_sleep_ns((i % 50) * TEST_MS / 2);
        cancel(id);
        enum leat_job_state end = wait_for(id).state;
        CHECK(end == LEAT_JOB_COMPLETED || end == LEAT_JOB_CANCELLED);
        cancelled += end == LEAT_JOB_CANCELLED ? 1 : 0;
    }
    CHECK(cancelled != 0);
    struct leat_statistics sum = test_statistics(ready.engine);
    CHECK_EQUAL(sum.jobs_cancelled, cancelled);
    CHECK_EQUAL(sum.jobs_completed, RACES - cancelled);
    check_alone();
    end();
}

/* By its number: ends itself, leaves one behind, has to be cancelled, out of time, deaf to TERM. */
static const char *const lines[KINDS] = {
    "exit 0",
    "sleep $1 & exit 0",
    "exec sleep $1",
    "exec sleep $1",
    "trap '' TERM; while :; do sleep $1; done",
};

static void
check_end(uint32_t kind, const struct leat_job_info *info)
{
    switch (kind) {
    case 0:
    case 1:
        CHECK_EQUAL(info->state, LEAT_JOB_COMPLETED);
        break;
    case 2:
        CHECK_EQUAL(info->state, LEAT_JOB_CANCELLED);
        break;
    default:
        CHECK_EQUAL(info->state, LEAT_JOB_DEAD);
        CHECK_EQUAL(info->reason, LEAT_REASON_TIMEOUT);
        CHECK_TEXT(info->error, "timed out after 30 ms");
        break;
    }
}

static void
wave(uint32_t number)
{
    static leat_job_id ids[WAVE_JOBS];
    for (uint32_t i = 0; i < WAVE_JOBS; i++) {
        ids[i] = submit(lines[i % KINDS], i % KINDS > 2 ? 30 * TEST_MS : LEAT_TIMEOUT_OF_TYPE);
    }
    if (number % 2 != 0) {
        /* What is pending ends meanwhile. */
        CHECK_OK(leat_stop(ready.engine, LEAT_FOREVER));
        CHECK_OK(leat_start(ready.engine));
    }
    for (uint32_t i = 2; i < WAVE_JOBS; i += KINDS) {
        cancel(ids[i]);
    }
    for (uint32_t i = 0; i < WAVE_JOBS; i++) {
        struct leat_job_info info = wait_for(ids[i]);
        check_end(i % KINDS, &info);
    }
}

static void
many_end_once(void **state)
{
    (void)state;
    setup();
    for (uint32_t i = 0; i < WAVES; i++) {
        wave(i);
    }
    struct leat_statistics sum = test_statistics(ready.engine);
    uint64_t each = (uint64_t)WAVES * WAVE_JOBS / KINDS;
    CHECK_EQUAL(sum.jobs_completed, 2 * each);
    CHECK_EQUAL(sum.jobs_cancelled, each);
    CHECK_EQUAL(sum.jobs_dead, 2 * each);
    check_alone();
    end();
}

static void
a_stop_among_them_leaves_none(void **state)
{
    static leat_job_id ids[WAVE_JOBS];
    (void)state;
    setup();
    for (uint32_t i = 0; i < WAVE_JOBS; i++) {
        ids[i] = submit(lines[i % KINDS], LEAT_TIMEOUT_OF_TYPE);
    }
    CHECK_OK(leat_types_stop(ready.types));
    check_alone();
    for (uint32_t i = 0; i < WAVE_JOBS; i++) {
        cancel(ids[i]);
        enum leat_job_state end = wait_for(ids[i]).state;
        CHECK(end == LEAT_JOB_COMPLETED || end == LEAT_JOB_CANCELLED);
    }
    struct leat_statistics sum = test_statistics(ready.engine);
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled, WAVE_JOBS);
    check_alone();
    end();
}

static void
no_descriptor_is_left(void **state)
{
    (void)state;
    setup();
    test_ready_end(&ready); /* what libraries open for good, they have now */
    uint32_t before = descriptors();
    a_cancel_races_the_exit(NULL);
    many_end_once(NULL);
    a_stop_among_them_leaves_none(NULL);
    CHECK_EQUAL(descriptors(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_descriptor_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
