/* fault_threads.c - the system gives the first, second, third … worker no thread: leat_start() says
 * so, stops those that it had started, and leaves the engine as it was, so that it can be started
 * when there are threads again. The refusals are real ones: stacks that do not fit the address
 * space, and the limit on the number of threads of an unprivileged user. Each case is a child
 * process, since limits are for ever. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/process.h"
#include "tests/support/threads.h"

#define WORKERS 8

static leat_atomic_u32 started;
static leat_atomic_u32 stopping;
static leat_atomic_u32 runs;

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    (void)engine;
    (void)worker;
    (void)context;
    (void)atom_add_rlx(&started, 1);
}

static void
hook_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    (void)engine;
    (void)worker;
    (void)context;
    (void)atom_add_rlx(&stopping, 1);
}

static struct leat_outcome
counted(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    (void)atom_add_rlx(&runs, 1);
    return leat_done();
}

static struct leat_config
config_of(void)
{
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.worker_started = hook_started;
    config.worker_stopping = hook_stopping;
    config.worker_stack_bytes = 64 << 20;
    return config;
}

/* ---- address space -------------------------------------------------------------------------- */

static void
limit_address_space(size_t bytes)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : (rlim_t)bytes;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void
refuse_after(struct leat_engine *engine, uint32_t workers)
{
    const size_t stack = 64 << 20;
    uint32_t before = test_thread_count();
    enum leat_engine_state state = test_state(engine);
    limit_address_space(test_address_space() + workers * stack + stack / 2);
    enum leat_status status = leat_start(engine);
    limit_address_space(0);
    CHECK(status == LEAT_REFUSED || status == LEAT_NO_MEMORY);
    /* As it was, and whoever had started has ended. */
    CHECK_EQUAL(test_state(engine), state);
    CHECK_EQUAL(atom_load_rlx(&started), atom_load_rlx(&stopping));
    CHECK(test_thread_count() <= before);
    test_engine_check(engine);
}

/* Stacks that a thread left are kept by libc for the next one: each case has its own process. */
static void
refuse_stacks(void *argument)
{
    const uint32_t *workers = argument;
    struct leat_config config = config_of();
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "counted", counted, NULL);
    for (uint32_t i = 0; i < 20; i++) {
        (void)test_submit(engine, type);
    }
    refuse_after(engine, *workers);
    CHECK(atom_load_rlx(&started) <= WORKERS - 1);
    /* Open as before: more work is taken. */
    (void)test_submit(engine, type);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&runs), 21);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&started), atom_load_rlx(&stopping));
    test_close(engine);
}

static void
no_address_space(void **state)
{
    (void)state;
    if (test_sanitized()) {
        skip();
    }
    for (uint32_t workers = 0; workers < WORKERS; workers++) {
        test_child(refuse_stacks, &workers);
    }
}

/* ---- the limit on threads ------------------------------------------------------------------- */

/* A thread that was joined is counted for a moment yet. */
static bool
alone(void *argument)
{
    (void)argument;
    return test_thread_count() == 1;
}

static void
limit_threads(rlim_t count)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);
    limit.rlim_cur = count;
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

/* A user id that nobody has, so that its threads are ours alone. */
static void
refuse_threads(void *argument)
{
    (void)argument;
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);
    CHECK(setresuid(1234567, 1234567, 1234567) == 0);
    struct leat_config config = config_of();
    config.worker_stack_bytes = 0;
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "counted", counted, NULL);
    for (uint32_t round = 0; round < WORKERS; round++) {
        (void)test_submit(engine, type);
        limit_threads(test_thread_count() + round);
        CHECK_STATUS(leat_start(engine), LEAT_REFUSED);
        CHECK_EQUAL(test_state(engine), LEAT_ENGINE_OPEN);
        CHECK_EQUAL(atom_load_rlx(&started), atom_load_rlx(&stopping));
        CHECK(test_until(alone, NULL));
    }
    limit_threads(limit.rlim_max);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&runs), WORKERS);
    /* And after a stop it is the stopped state that is kept. */
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    limit_threads(2);
    CHECK_STATUS(leat_start(engine), LEAT_REFUSED);
    CHECK_EQUAL(test_state(engine), LEAT_ENGINE_STOPPED);
    limit_threads(limit.rlim_max);
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

static void
no_threads(void **state)
{
    (void)state;
    /* Root may have as many as it likes, and alone may become someone else. ThreadSanitizer has a
     * thread of its own and ends the process when it gets none. */
    if (getuid() != 0 || LEAT_THREAD_SANITIZER) {
        skip();
    }
    test_child(refuse_threads, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_address_space),
        cmocka_unit_test(no_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
