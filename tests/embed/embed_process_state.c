/* embed_process_state.c - what belongs to the whole process stays the host's: umask, locale, time
 * zone, environment, working directory, rounding, limits, the name of the main thread, the number
 * of threads after close. errno has no say in what the library does. Nothing is printed, whatever
 * goes wrong. */
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/process.h"
#include "tests/support/threads.h"

#define TEXT_BYTES 256

struct process {
    mode_t mask;
    char locale[TEXT_BYTES];
    char zone[TEXT_BYTES];
    char directory[TEXT_BYTES];
    char name[16];
    char **environment;
    uint32_t variables;
    int rounding;
    struct rlimit limits[RLIM_NLIMITS];
    uint32_t threads;
};

/* Only while no other thread looks at any of it. NOLINTBEGIN(concurrency-mt-unsafe) */
static void
read_process(struct process *now)
{
    memset(now, 0, sizeof(*now));
    now->mask = umask(0);
    (void)umask(now->mask);
    (void)snprintf(now->locale, sizeof(now->locale), "%s", setlocale(LC_ALL, NULL));
    const char *zone = getenv("TZ");
    (void)snprintf(now->zone, sizeof(now->zone), "%s/%s", zone == NULL ? "" : zone, tzname[0]);
    CHECK(getcwd(now->directory, sizeof(now->directory)) != NULL);
    CHECK(pthread_getname_np(pthread_self(), now->name, sizeof(now->name)) == 0);
    now->environment = environ;
    while (environ[now->variables] != NULL) {
        now->variables++;
    }
    now->rounding = fegetround();
    for (uint32_t i = 0; i < RLIM_NLIMITS; i++) {
        CHECK(getrlimit((__rlimit_resource_t)i, &now->limits[i]) == 0);
    }
    now->threads = test_thread_count();
}
/* NOLINTEND(concurrency-mt-unsafe) */

static struct leat_outcome
answers(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_error(run, "an error text"));
    CHECK_OK(leat_run_result(run, "result", 6));
    errno = ENOTTY;
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_fail();
}

static struct leat_outcome
wrong(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_outcome_of((enum leat_outcome_kind)77, 0);
}

/* A life with everything that can go wrong without an abort. */
static void
live(void)
{
    static const char payload[70000];
    struct leat_config config = test_config();
    struct leat_engine *engine = NULL;
    struct leat_job job = leat_job_default();
    config.jobs_max = 1;
    errno = EINTR;
    CHECK_STATUS(leat_open(&config, &engine, NULL), LEAT_INVALID);
    config = test_config();
    config.workers = 2;
    errno = ENOMEM;
    engine = test_open(&config);
    (void)test_register(engine, "answers", answers, NULL);
    (void)test_register(engine, "wrong", wrong, NULL);
    CHECK_STATUS(leat_type_register(engine, "wrong", wrong, NULL, NULL, NULL), LEAT_EXISTS);
    errno = EAGAIN;
    CHECK_OK(leat_start(engine));
    static const char *const types[] = {"answers", "wrong", "unknown"};
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; i < 300; i++) {
        job.type_name = types[i % 3];
        errno = (int)(i % 130);
        enum leat_status status = leat_submit(engine, &job, NULL);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
    }
    job.type_name = "not a name";
    CHECK_STATUS(leat_submit(engine, &job, NULL), LEAT_INVALID);
    errno = EINTR;
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    errno = EINTR;
    CHECK_STATUS(leat_close(engine), LEAT_WRONG_STATE);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

static void
nothing_changes(void **state)
{
    (void)state;
    static struct process before;
    static struct process after;
    /* Values that no default would put back by chance. The host does so before it has threads.
     * NOLINTBEGIN(concurrency-mt-unsafe) */
    CHECK(setenv("TZ", "Pacific/Kiritimati", 1) == 0);
    tzset();
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    /* NOLINTEND(concurrency-mt-unsafe) */
    (void)umask(0137);
    CHECK(fesetround(FE_UPWARD) == 0);
    live(); /* what libc and liburcu set up once for the process */
    read_process(&before);
    live();
    read_process(&after);
    CHECK_EQUAL(after.mask, before.mask);
    CHECK_TEXT(after.locale, before.locale);
    CHECK_TEXT(after.zone, before.zone);
    CHECK_TEXT(after.directory, before.directory);
    CHECK_TEXT(after.name, before.name);
    CHECK(after.environment == before.environment);
    CHECK_EQUAL(after.variables, before.variables);
    CHECK(after.rounding == before.rounding);
    CHECK(memcmp(after.limits, before.limits, sizeof(after.limits)) == 0);
    CHECK_EQUAL(after.threads, before.threads);
    CHECK(fesetround(FE_TONEAREST) == 0);
}

static void
live_and_print(void *argument)
{
    int descriptor = fileno((FILE *)argument);
    CHECK(dup2(descriptor, STDOUT_FILENO) >= 0);
    CHECK(dup2(descriptor, STDERR_FILENO) >= 0);
    live();
}

/* A child whose outputs are a file lives the same life, and the file stays empty. */
static void
nothing_is_printed(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    struct stat status;
    CHECK(file != NULL);
    test_child(live_and_print, file);
    CHECK(fstat(fileno(file), &status) == 0);
    CHECK_EQUAL(status.st_size, 0);
    (void)fclose(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: it forks, and no thread may be there yet. */
        cmocka_unit_test(nothing_is_printed),
        cmocka_unit_test(nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
