/* unit_tick.c - waking by the clock: what is posted and submitted runs, though no submit wakes
 * anybody; without work nobody is woken; and a thread that may make no system call can post and
 * submit. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define TICK_NS UINT64_C(1000000)
#define ITEMS   100
#define SKIPPED 77
#define REFUSED 3

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_atomic_u32 tasks;
    leat_atomic_u32 jobs;
    leat_atomic_u32 refused; /* calls that were not LEAT_OK */
    leat_atomic_u32 ready;
};

static void
task(void *argument)
{
    struct fixture *fixture = argument;
    (void)atom_add_rlx(&fixture->tasks, 1);
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    (void)atom_add_rlx(&fixture->jobs, 1);
    return leat_done();
}

static void
open_engine(struct fixture *fixture)
{
    struct leat_config config = test_config();
    config.workers = 2;
    config.spin_ns = 0; /* they sleep at once */
    config.tick_ns = TICK_NS;
    config.ring_slots = 1024; /* nobody takes anything before the tick */
    config.tasks_max = 1024;
    config.jobs_max = 1024;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "count", handler, fixture);
}

static void
bring(struct fixture *fixture)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.payload = "0123456789abcdef0123456789abcdef";
    job.payload_bytes = 32;
    for (uint32_t i = 0; i < ITEMS; i++) {
        enum leat_status posted = leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, task, fixture);
        enum leat_status submitted = leat_submit(fixture->engine, &job, NULL);
        bool refused = posted != LEAT_OK || submitted != LEAT_OK;
        (void)atom_add_rlx(&fixture->refused, refused ? 1 : 0);
    }
}

static bool
all_ran(void *argument)
{
    const struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->tasks) == ITEMS && atom_load_rlx(&fixture->jobs) == ITEMS;
}

static void
everything_runs(void **state)
{
    (void)state;
    struct fixture fixture = {.engine = NULL};
    open_engine(&fixture);
    for (uint32_t round = 1; round <= 3; round++) {
        bring(&fixture);
        CHECK(test_until(all_ran, &fixture));
        atom_store_rlx(&fixture.tasks, 0);
        atom_store_rlx(&fixture.jobs, 0);
        test_sleep_ns(2 * TICK_NS);
    }
    CHECK_EQUAL(atom_load_rlx(&fixture.refused), 0);
    test_finish(fixture.engine);
}

static void
one_alone_runs(void **state)
{
    (void)state;
    struct fixture fixture = {.engine = NULL};
    open_engine(&fixture);
    for (uint32_t round = 1; round <= 10; round++) {
        test_sleep_ns(2 * TICK_NS);
        CHECK_EQUAL(leat_post(fixture.engine, 0, task, &fixture), LEAT_OK);
        while (atom_load_rlx(&fixture.tasks) != round) { /* ends by the tick */
            test_sleep_ns(TICK_NS / 10);
        }
    }
    test_finish(fixture.engine);
}

static bool
all_asleep(void *argument)
{
    const struct fixture *fixture = argument;
    return test_statistics(fixture->engine).workers_parked == 2;
}

/* A tick that finds no work lets the sleepers sleep. */
static void
nobody_is_woken_for_nothing(void **state)
{
    (void)state;
    struct fixture fixture = {.engine = NULL};
    open_engine(&fixture);
    CHECK(test_until(all_asleep, &fixture));
    uint64_t wakes = test_statistics(fixture.engine).wakes;
    test_sleep_ns(20 * TICK_NS);
    CHECK_EQUAL(test_statistics(fixture.engine).wakes, wakes);
    CHECK(all_asleep(&fixture));
    test_finish(fixture.engine);
}

/* From now on each system call of this thread kills the process. False: not on this system. */
static bool
calls_forbid(void)
{
    struct sock_filter kill[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    struct sock_fprog program = {.len = 1, .filter = kill};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* It cannot even end, so it stays. */
static void
without_system_calls(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    (void)number;
    bring(fixture); /* the first uses of everything */
    if (!calls_forbid()) {
        _exit(SKIPPED);
    }
    atom_store_rlx(&fixture->ready, 1);
    bring(fixture);
    atom_store_rlx(&fixture->ready, 2);
    for (;;) { /* the process ends it */
        leat_pause();
    }
}

static void
child(void)
{
    struct fixture fixture = {.engine = NULL};
    open_engine(&fixture);
    static struct test_threads threads;
    test_threads_start(&threads, 1, without_system_calls, &fixture);
    while (atom_load_rlx(&fixture.ready) != 2) { /* ends, or the thread is killed, and we with it */
        test_sleep_ns(TICK_NS / 10);
    }
    while (atom_load_rlx(&fixture.tasks) != 2 * ITEMS ||
           atom_load_rlx(&fixture.jobs) != 2 * ITEMS) { /* ends by the tick */
        test_sleep_ns(TICK_NS / 10);
    }
    _exit(atom_load_rlx(&fixture.refused) == 0 ? 0 : REFUSED);
}

static void
no_system_call(void **state)
{
    (void)state;
    if (test_sanitized()) {
        return; /* a sanitizer makes calls of its own */
    }
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        child();
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED) {
        (void)fprintf(stderr, "unit_tick: no seccomp here, not shown\n");
        return;
    }
    CHECK_EQUAL(WEXITSTATUS(status), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_runs),
        cmocka_unit_test(one_alone_runs),
        cmocka_unit_test(nobody_is_woken_for_nothing),
        cmocka_unit_test(no_system_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
