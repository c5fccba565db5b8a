/* embed_fork.c - a process that has an engine forks: in the child every call answers LEAT_FORKED,
 * at once and without a lock, whatever the other threads were doing; close frees nothing there, and
 * no engine can be opened; exec and _exit work. The parent goes on as if nothing had been. A child
 * of a process that has closed its engines opens one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

/* A child that hangs is ended by its alarm. */
#define CHILD_SECONDS 20

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate;
    leat_type held;
    leat_type noise;
    leat_job_id id;
    leat_token token;
    leat_atomic_u32 stop;
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_done();
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
nothing(void *argument)
{
    (void)argument;
}

/* ---- in the child --------------------------------------------------------------------------- */

/* No cmocka there: a fault is told by the exit status. */
static uint32_t faults;

static void
expect(enum leat_status got, const char *call)
{
    if (got != LEAT_FORKED) {
        test_say("child: %s: %s\n", call, leat_status_text(got));
        faults++;
    }
}

#define EXPECT_FORKED(call) expect((call), #call)

static void
lifecycle_calls(struct leat_engine *engine)
{
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    uint64_t delay_ns = 0;
    struct leat_statistics sum = leat_statistics_default();
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    struct leat_config config = leat_config_default();
    struct leat_engine *other = NULL;
    struct leat_error error;
    EXPECT_FORKED(leat_open(NULL, &other, &error));
    EXPECT_FORKED(error.status);
    config.workers = 257; /* not even looked at */
    EXPECT_FORKED(leat_open(&config, &other, NULL));
    faults += other != NULL || strstr(error.text, "forked") == NULL ? 1 : 0;
    EXPECT_FORKED(leat_start(engine));
    EXPECT_FORKED(leat_drain(engine, LEAT_FOREVER));
    EXPECT_FORKED(leat_stop(engine, LEAT_FOREVER));
    EXPECT_FORKED(leat_state(engine, &state));
    EXPECT_FORKED(leat_thread_attach(engine));
    EXPECT_FORKED(leat_run_some(engine, 1, NULL));
    EXPECT_FORKED(leat_next_due(engine, &delay_ns));
    EXPECT_FORKED(leat_statistics_get(engine, &sum));
    EXPECT_FORKED(leat_worker_statistics_get(engine, 0, &worker));
    EXPECT_FORKED(leat_close(engine));
}

static void
work_calls(struct fixture *fixture)
{
    struct leat_engine *engine = fixture->engine;
    struct leat_job job = leat_job_default();
    struct leat_bulk batch = leat_bulk_default();
    struct leat_job_info info = leat_job_info_default();
    const struct leat_task task = {nothing, NULL};
    struct leat_wait_set set = leat_wait_set_default();
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {7, 7, {7}};
    enum leat_status status = LEAT_OK;
    leat_job_id id = {7};
    size_t count = 7;
    job.type = fixture->noise;
    EXPECT_FORKED(leat_post(engine, 0, nothing, NULL));
    EXPECT_FORKED(leat_post_batch(engine, 0, &task, 1, &count));
    EXPECT_FORKED(leat_post_to(engine, 0, 0, &task));
    EXPECT_FORKED(leat_submit(engine, &job, &id));
    EXPECT_FORKED(leat_job_check(engine, &job, NULL));
    job.type_name = "new-in-the-child";
    job.type.bits = 0;
    EXPECT_FORKED(leat_submit(engine, &job, &id));
    EXPECT_FORKED(leat_submit_batch(engine, &job, 1, LEAT_BATCH_EACH, &id, &status));
    EXPECT_FORKED(leat_submit_batch(engine, &job, 1, LEAT_BATCH_ALL_OR_NONE, &id, &status));
    batch.jobs = &job;
    batch.count = 1;
    batch.ids = &id;
    EXPECT_FORKED(leat_submit_bulk(engine, &batch));
    EXPECT_FORKED(leat_get(engine, fixture->id, &info));
    EXPECT_FORKED(leat_wait(engine, fixture->id, LEAT_FOREVER, &info));
    EXPECT_FORKED(leat_wait_many(engine, &set, &count));
    EXPECT_FORKED(leat_job_list(engine, &query, &id, 1, &count));
    EXPECT_FORKED(leat_job_count(engine, &query, &tally, 1));
    EXPECT_FORKED(leat_result(engine, fixture->id, NULL, 0, &count));
    EXPECT_FORKED(leat_release(engine, fixture->id));
    EXPECT_FORKED(leat_cancel(engine, fixture->id));
    EXPECT_FORKED(leat_reschedule(engine, fixture->id, leat_when_now()));
    EXPECT_FORKED(leat_priority_set(engine, fixture->id, 0));
    EXPECT_FORKED(leat_complete(engine, fixture->token, leat_done(), NULL));
    EXPECT_FORKED(leat_pending_extend(engine, fixture->token, 1));
    faults += id.bits != 7 || count != 7 || status != LEAT_OK ? 1 : 0;
}

static void
schedule_calls(struct leat_engine *engine)
{
    static struct leat_schedule_info info; /* too large for the stack */
    struct leat_job job = leat_job_default();
    struct leat_schedule schedule = leat_schedule_default();
    struct leat_error error;
    uint64_t moment_ns = 7;
    size_t count = 7;
    job.type_name = "child";
    schedule.spec = "* * * * *";
    schedule.job = &job;
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    EXPECT_FORKED(leat_schedule_add(engine, "child", &schedule, &error));
    EXPECT_FORKED(error.status);
    EXPECT_FORKED(leat_schedule_change(engine, "child", &schedule, NULL));
    EXPECT_FORKED(leat_schedule_remove(engine, "child"));
    EXPECT_FORKED(leat_schedule_pause(engine, "child"));
    EXPECT_FORKED(leat_schedule_resume(engine, "child"));
    EXPECT_FORKED(leat_schedule_get(engine, "child", &info));
    EXPECT_FORKED(leat_schedule_list(engine, NULL, &info, 1, &count));
    EXPECT_FORKED(leat_schedule_next(engine, "child", &moment_ns, 1, &count));
    faults += moment_ns != 7 || count != 7 ? 1 : 0;
}

static void
name_calls(struct leat_engine *engine)
{
    leat_type type = {1};
    leat_queue queue = {1};
    const char *name = NULL;
    struct leat_group group;
    struct leat_completion_queue *completions = NULL;
    const struct leat_range range = {0, 1, 0};
    EXPECT_FORKED(leat_type_register(engine, "child", done, NULL, NULL, &type));
    EXPECT_FORKED(leat_type_find(engine, "held", &type));
    EXPECT_FORKED(leat_type_name(engine, type, &name));
    EXPECT_FORKED(leat_queue_create(engine, "child", NULL, &queue));
    EXPECT_FORKED(leat_queue_find(engine, "default", &queue));
    EXPECT_FORKED(leat_queue_name(engine, queue, &name));
    EXPECT_FORKED(leat_queue_pause(engine, queue));
    EXPECT_FORKED(leat_queue_resume(engine, queue));
    EXPECT_FORKED(leat_group_init(&group, engine));
    EXPECT_FORKED(leat_parallel_for(engine, &range, NULL, NULL));
    EXPECT_FORKED(leat_completion_queue_create(engine, 64, &completions));
}

static void
child(struct fixture *fixture)
{
    (void)alarm(CHILD_SECONDS);
    faults = 0;
    uint64_t before_ns = test_now_ns();
    for (uint32_t round = 0; round < 3; round++) {
        lifecycle_calls(fixture->engine);
        work_calls(fixture);
        schedule_calls(fixture->engine);
        name_calls(fixture->engine);
    }
    if (test_now_ns() - before_ns > UINT64_C(5000000000)) {
        test_say("child: it took seconds\n");
        faults++;
    }
    _exit(faults == 0 ? 0 : 1);
}

static void
expect_exit(pid_t pid, int want)
{
    int how = 0;
    CHECK(pid > 0);
    CHECK(waitpid(pid, &how, 0) == pid);
    CHECK(WIFEXITED(how));
    CHECK_EQUAL(WEXITSTATUS(how), want);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = 2;
    test_gate_init(&fixture->gate);
    fixture->engine = test_open(&config);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    fixture->noise = test_register(fixture->engine, "noise", done, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

/* One job is in its handler, one waits, when the process forks. */
static void
every_call_answers(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    fixture->id = test_submit_kept(fixture->engine, fixture->held);
    test_gate_arrivals(&fixture->gate, 1);
    pid_t pid = fork();
    if (pid == 0) {
        child(fixture);
    }
    expect_exit(pid, 0);
    test_gate_open(&fixture->gate);
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).state, LEAT_JOB_COMPLETED);
    (void)test_submit(fixture->engine, fixture->noise);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 2);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    teardown(fixture);
}

static void
in_every_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t step = 0; step < 4; step++) {
        pid_t pid = fork();
        if (pid == 0) {
            child(fixture);
        }
        expect_exit(pid, 0);
        if (step == 0) {
            CHECK_OK(leat_start(fixture->engine));
        } else if (step == 1) {
            CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        } else if (step == 2) {
            CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        }
    }
    CHECK_OK(leat_start(fixture->engine));
    teardown(fixture);
}

static void
make_noise(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    uint32_t count = 0;
    while (atom_load_rlx(&fixture->stop) == 0) {
        struct leat_job job = leat_job_default();
        char name[32];
        (void)snprintf(name, sizeof(name), "n%u.%u", number, count % 20);
        job.type_name = name;
        enum leat_status status = leat_submit(fixture->engine, &job, NULL);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        count++;
    }
}

/* Threads are in the middle of everything when the process forks: locks may be held for ever in
 * the child, and must not matter. */
static void
in_the_middle_of_everything(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    CHECK_OK(leat_start(fixture->engine));
    fixture->id = test_submit_kept(fixture->engine, fixture->noise);
    test_threads_start(threads, 2, make_noise, fixture);
    for (uint32_t i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            child(fixture);
        }
        expect_exit(pid, 0);
    }
    atom_store_rlx(&fixture->stop, 1);
    test_threads_join(threads);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    free(threads);
    teardown(fixture);
}

static void
exec_works(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", "exit 23", (char *)NULL);
        _exit(1);
    }
    expect_exit(pid, 23);
    teardown(fixture);
}

/* An engine of its own runs a job. */
static void
child_alone(void)
{
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    fixture->id = test_submit_kept(fixture->engine, fixture->noise);
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    teardown(fixture);
}

static void
behind_the_last_close(void **state)
{
    (void)state;
    struct fixture *first = setup();
    struct fixture *second = setup();
    struct leat_config config = test_config();
    struct leat_engine *other = NULL;
    config.workers = 257;
    CHECK_STATUS(leat_open(&config, &other, NULL), LEAT_INVALID); /* it does not count */
    teardown(first);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(leat_open(NULL, &other, NULL) == LEAT_FORKED ? 0 : 1); /* one is open */
    }
    expect_exit(pid, 0);
    teardown(second);
    pid = fork();
    if (pid == 0) {
        (void)alarm(CHILD_SECONDS);
        child_alone();
        pid_t grandchild = fork();
        if (grandchild == 0) {
            child_alone();
            _exit(0);
        }
        int how = 0;
        CHECK(waitpid(grandchild, &how, 0) == grandchild);
        _exit(how == 0 ? 0 : 1);
    }
    expect_exit(pid, 0);
    child_alone();
}

/* From inside a handler, as a host may well do. */
static struct leat_outcome
forks_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(CHILD_SECONDS);
        EXPECT_FORKED(leat_stop(leat_run_engine(run), LEAT_FOREVER));
        EXPECT_FORKED(leat_post(leat_run_engine(run), 0, nothing, NULL));
        EXPECT_FORKED(leat_close(leat_run_engine(run)));
        _exit(faults == 0 ? 0 : 1);
    }
    expect_exit(pid, 0);
    (void)test_submit(leat_run_engine(run), fixture->noise);
    return leat_done();
}

static void
from_a_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_type type = test_register(fixture->engine, "forks", forks_run, fixture);
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, type);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 2);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_answers),          cmocka_unit_test(in_every_state),
        cmocka_unit_test(in_the_middle_of_everything), cmocka_unit_test(exec_works),
        cmocka_unit_test(behind_the_last_close),       cmocka_unit_test(from_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
