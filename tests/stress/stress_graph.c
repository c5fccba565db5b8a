/* stress_graph.c - threads that submit jobs with up to three parents among their last ones, by all
 * policies, while workers run them, some fail, some are cancelled, and some submit children of
 * their own; all are members of a cohort. A job runs behind its parents, and sees what they wrote
 * without a lock; once, or not at all, as its parents and their policy say, which is computed at
 * the end from what failed and what was cancelled. The cohort's callbacks come once, and last.
 * Holds I1 to I4 of engine/graph.h at the end. */
#include "engine/graph.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#if LEAT_THREAD_SANITIZER
#    define JOBS 6000
#else
#    define JOBS 30000
#endif
#define ALL     (SUBMITTERS * JOBS)
#define PARENTS 3
#define BACK    8 /* so far back are parents */
#define WORKERS 3
#define NOBODY  UINT32_MAX

struct ticket {
    uint32_t parents[PARENTS]; /* plain: before its submit */
    uint32_t count;
    enum leat_parent_policy policy;
    bool gone;               /* its submit was refused: a parent was gone */
    enum leat_status cancel; /* plain: its submitter's */
    leat_atomic_u32 runs;
    uint32_t mark; /* plain: its handler's */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type callback;
    leat_job_id cohort;
    uint64_t seed;
    leat_atomic_u32 calls[3];
    leat_atomic_u32 children; /* that handlers submitted, and that ran */
    leat_atomic_u32 asked;
    struct ticket tickets[ALL];
};

static bool
fails(uint32_t number)
{
    return number * 2654435761U >> 16 % 32 == 0 || number % 61 == 7;
}

static bool
submits(uint32_t number)
{
    return number % 16 == 5;
}

static void
child_submit(struct fixture *fixture, const struct leat_run *run)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    const leat_job_id self = leat_run_id(run);
    uint32_t nobody = NOBODY;
    options.parents = &self;
    options.parents_count = 1;
    options.parent_policy = LEAT_PARENT_IGNORE;
    options.cohort = leat_run_cohort(run);
    job.options = &options;
    job.type = fixture->type;
    job.payload = &nobody;
    job.payload_bytes = sizeof(nobody);
    (void)atom_add_rlx(&fixture->asked, 1);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    if (number == NOBODY) {
        (void)atom_add_rlx(&fixture->children, 1);
        return leat_done();
    }
    struct ticket *ticket = &fixture->tickets[number];
    CHECK_EQUAL(atom_add_rlx(&ticket->runs, 1), 0);
    CHECK_EQUAL(leat_run_parents(attempt, NULL, 0), ticket->count);
    for (uint32_t i = 0; i < ticket->count; i++) {
        uint32_t parent = ticket->parents[i];
        uint32_t ran = atom_load_rlx(&fixture->tickets[parent].runs);
        CHECK(ran == 1 || ticket->policy == LEAT_PARENT_IGNORE);
        CHECK(ran == 0 || fixture->tickets[parent].mark == parent + 1);
        CHECK(ticket->policy == LEAT_PARENT_IGNORE || !fails(parent));
    }
    ticket->mark = number + 1;
    if (submits(number)) {
        child_submit(fixture, attempt);
    }
    return fails(number) ? leat_fail() : leat_done();
}

static struct leat_outcome
call_back(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t which = *(const uint32_t *)leat_run_payload(attempt, NULL);
    CHECK_EQUAL(atom_add_rlx(&fixture->calls[which], 1), 0);
    return leat_done();
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    leat_job_id *ids = calloc(JOBS, sizeof(*ids));
    CHECK(ids != NULL);
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        struct ticket *ticket = &fixture->tickets[number];
        struct leat_job job = leat_job_default();
        struct leat_job_options options = leat_job_options_default();
        leat_job_id parents[PARENTS];
        uint32_t most = test_random_below(&prng, PARENTS + 1);
        for (uint32_t j = 0; j < most; j++) {
            uint32_t back = 1 + test_random_below(&prng, BACK);
            if (back <= i && ids[i - back].bits != 0) {
                ticket->parents[ticket->count] = number - back;
                parents[ticket->count++] = ids[i - back];
            }
        }
        ticket->policy = (enum leat_parent_policy)test_random_below(&prng, 3);
        options.parents = parents;
        options.parents_count = ticket->count;
        options.parent_policy = ticket->policy;
        options.cohort = fixture->cohort;
        job.options = &options;
        job.type = fixture->type;
        job.payload = &number;
        job.payload_bytes = sizeof(number);
        job.priority = test_random_below(&prng, LEAT_PRIORITY_LEVELS);
        job.delay_ns = test_random_below(&prng, 64) == 0 ? TEST_MS : 0;
        enum leat_status status = leat_submit(fixture->engine, &job, &ids[i]);
        ticket->gone = status == LEAT_GONE;
        CHECK(status == LEAT_OK || (status == LEAT_GONE && ticket->count != 0));
        if (test_random_below(&prng, 16) == 0) {
            uint32_t back = test_random_below(&prng, BACK);
            if (back <= i && ids[i - back].bits != 0) {
                enum leat_status *cancel = &fixture->tickets[number - back].cancel;
                status = leat_cancel(fixture->engine, ids[i - back]);
                *cancel = *cancel == LEAT_OK ? *cancel : status;
            }
        }
    }
    free(ids);
}

static void
thread(void *shared, uint32_t number)
{
    submitter(shared, number);
}

static void
setup(struct fixture *fixture)
{
    struct leat_config config = test_config();
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_job jobs[3];
    static const uint32_t numbers[3] = {0, 1, 2};
    config.workers = WORKERS;
    config.jobs_max = 2 * ALL;
    config.retained_max = 64;
    config.dead_max = 0; /* so nobody waits for the dead */
    fixture->seed = test_seed("stress_graph");
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    fixture->callback = test_register(fixture->engine, "c", call_back, fixture);
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->callback;
        jobs[i].payload = &numbers[i];
        jobs[i].payload_bytes = sizeof(uint32_t);
    }
    options.on_success = &jobs[0];
    options.on_complete = &jobs[1];
    options.on_death = &jobs[2];
    options.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(fixture->engine, &options, &fixture->cohort));
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->tickets[i].cancel = LEAT_ENDED;
    }
}

/* What must have become of each, parents first. */
static void
check_all(const struct fixture *fixture)
{
    bool *completed = calloc(ALL, sizeof(*completed));
    CHECK(completed != NULL);
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        bool goes = !ticket->gone && ticket->cancel != LEAT_OK;
        for (uint32_t j = 0; j < ticket->count; j++) {
            goes = goes && (ticket->policy == LEAT_PARENT_IGNORE || completed[ticket->parents[j]]);
        }
        CHECK_EQUAL(atom_load_rlx(&ticket->runs), goes ? 1 : 0);
        completed[i] = goes && !fails(i);
    }
    free(completed);
}

static void
graphs(void **unused)
{
    (void)unused;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK(fixture != NULL);
    setup(fixture);
    test_threads_run(SUBMITTERS, thread, fixture);
    CHECK_EQUAL(atom_load_rlx(&fixture->calls[1]), 0);
    CHECK_OK(leat_cohort_close(fixture->engine, fixture->cohort));
    (void)test_wait(fixture->engine, fixture->cohort);
    CHECK_OK(leat_cohort_get(fixture->engine, fixture->cohort, &info));
    CHECK_EQUAL(info.total, info.completed + info.dead + info.cancelled);
    CHECK(info.total > ALL / 2);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_all(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->children), atom_load_rlx(&fixture->asked));
    CHECK_EQUAL(atom_load_rlx(&fixture->calls[0]), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->calls[1]), 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->calls[2]), 1);
    CHECK_OK(leat_release(fixture->engine, fixture->cohort));
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
