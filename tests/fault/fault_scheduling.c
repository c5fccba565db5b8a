/* fault_scheduling.c - real-time priority of workers: they have it, and nobody else does; where the
 * system refuses it, leat_open() refuses, and its text says which right or limit is missing; where
 * it refuses later, leat_start() does, and the engine stays as it was. Each case is a child
 * process, since limits and users are for ever. */
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS  2
#define PRIORITY 7

static leat_atomic_u32 started;

struct wanted {
    int policy;
    int priority;
};

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    const struct wanted *wanted = context;
    struct sched_param param;
    (void)engine;
    (void)worker;
    CHECK(sched_getparam(0, &param) == 0);
    CHECK_EQUAL(sched_getscheduler(0), wanted->policy);
    CHECK_EQUAL(param.sched_priority, wanted->priority);
    (void)atom_add_rlx(&started, 1);
}

static struct leat_config
config_of(enum leat_scheduling scheduling, uint32_t priority)
{
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.scheduling = scheduling;
    config.scheduling_priority = priority;
    return config;
}

/* ---- where it is permitted ------------------------------------------------------------------- */

static bool
permitted(void)
{
    struct leat_config config = config_of(LEAT_SCHEDULING_FIFO, PRIORITY);
    struct leat_engine *engine = NULL;
    enum leat_status status = leat_open(&config, &engine, NULL);
    CHECK(status == LEAT_OK || status == LEAT_REFUSED);
    CHECK_OK(leat_close(engine));
    return status == LEAT_OK;
}

static void
run_with(enum leat_scheduling scheduling, struct wanted wanted)
{
    struct leat_config config = config_of(scheduling, (uint32_t)wanted.priority);
    config.worker_started = hook_started;
    config.hook_context = &wanted;
    atom_store_rlx(&started, 0);
    struct leat_engine *engine = test_start(&config);
    test_finish(engine);
    CHECK_EQUAL(atom_load_rlx(&started), WORKERS);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
}

static void
workers_have_it(void **state)
{
    (void)state;
    run_with(LEAT_SCHEDULING_INHERIT, (struct wanted){SCHED_OTHER, 0});
    if (!permitted()) {
        skip();
    }
    run_with(LEAT_SCHEDULING_FIFO, (struct wanted){SCHED_FIFO, 1});
    run_with(LEAT_SCHEDULING_FIFO, (struct wanted){SCHED_FIFO, 99});
    run_with(LEAT_SCHEDULING_ROUND_ROBIN, (struct wanted){SCHED_RR, PRIORITY});
}

/* ---- where it is not ------------------------------------------------------------------------- */

/* A user without CAP_SYS_NICE. False: this limit may not be raised, also not by root. */
static bool
become_nobody(rlim_t priority)
{
    const struct rlimit limit = {priority, priority};
    if (setrlimit(RLIMIT_RTPRIO, &limit) != 0) {
        return false;
    }
    CHECK(getuid() != 0 || setuid(65534) == 0);
    return true;
}

static void
must_refuse(uint32_t priority, const char *limit)
{
    struct leat_config config = config_of(LEAT_SCHEDULING_ROUND_ROBIN, priority);
    struct leat_engine *engine = NULL;
    struct leat_error error;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_REFUSED);
    CHECK_STATUS(error.status, LEAT_REFUSED);
    CHECK_TEXT(error.field, "scheduling");
    CHECK(strstr(error.text, "CAP_SYS_NICE") != NULL);
    CHECK(strstr(error.text, limit) != NULL);
    CHECK(engine == NULL);
    CHECK_STATUS(leat_open(&config, &engine, NULL), LEAT_REFUSED);
    /* It is not the configuration that is wrong, and with lent threads it says nothing. */
    CHECK_OK(leat_config_check(&config, NULL));
    config.workers = 0;
    test_close(test_open(&config));
}

static void
without_any_right(void *argument)
{
    (void)argument;
    CHECK(become_nobody(0));
    must_refuse(1, "RLIMIT_RTPRIO of at least 1, which is 0");
}

static void
with_a_limit(void *argument)
{
    bool *may = argument;
    if (!become_nobody(PRIORITY)) {
        return;
    }
    must_refuse(PRIORITY + 1, "RLIMIT_RTPRIO of at least 8, which is 7");
    if (*may) {
        struct leat_config config = config_of(LEAT_SCHEDULING_FIFO, PRIORITY);
        test_finish(test_start(&config));
    }
}

static void
refused(void **state)
{
    (void)state;
    bool may = permitted();
    test_child(without_any_right, NULL);
    if (getuid() == 0) {
        test_child(with_a_limit, &may);
    }
}

/* What was permitted at open is refused later: at a start, and for another worker, when the engine
 * goes on with those that it has. */
static void
lose_the_right(void *argument)
{
    const bool *running = argument;
    struct leat_config config = config_of(LEAT_SCHEDULING_FIFO, PRIORITY);
    config.workers_max = WORKERS + 1;
    struct leat_engine *engine = *running ? test_start(&config) : test_open(&config);
    CHECK(setuid(65534) == 0);
    if (*running) {
        CHECK_STATUS(leat_workers_set(engine, WORKERS + 1), LEAT_REFUSED);
        CHECK_EQUAL(test_statistics(engine).workers_active, WORKERS);
        CHECK_EQUAL(test_state(engine), LEAT_ENGINE_RUNNING);
        test_finish(engine);
        return;
    }
    CHECK_STATUS(leat_start(engine), LEAT_REFUSED);
    CHECK_EQUAL(test_state(engine), LEAT_ENGINE_OPEN);
    test_close(engine);
}

static void
refused_later(void **state)
{
    (void)state;
    bool running = false;
    if (getuid() != 0 || !permitted()) {
        skip();
    }
    test_child(lose_the_right, &running);
    running = true;
    test_child(lose_the_right, &running);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_have_it),
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
