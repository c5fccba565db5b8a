/* suspend_graphs.c - jobs that wait for others, and cohorts, under the suspension test, see
 * suspend.h. One thread stops for ever at each step of submitting a chain, or of opening a cohort,
 * bringing a member, looking at it and closing it; or a worker does, as it ends a parent and a
 * member. The others do the same with jobs of their own, and all of those run; what waits for what
 * the frozen one has in its hand waits with it. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define RECORDS (4 * HOST_SLOTS)

/* Jobs of a chain. */
#define CHAIN 2

/* ---- operations ------------------------------------------------------------------------------ */

static void
go_on(struct host *host, uint32_t who)
{
    if (host_counts(who)) {
        test_gate_open(&host->busy_gate);
    }
}

static struct leat_job
job_of(const struct host *host, uint32_t who)
{
    struct leat_job job = leat_job_default();
    job.type = host_counts(who) ? host->counted : host->uncounted;
    job.priority = LEAT_PRIORITY_NORMAL;
    return job;
}

static bool
submit_chain(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_job jobs[CHAIN];
    for (size_t i = 0; i < CHAIN; i++) {
        jobs[i] = job_of(host, who);
    }
    go_on(host, who);
    enum leat_status status = leat_submit_chain(host->engine, jobs, CHAIN, NULL);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    bool taken = status == LEAT_OK;
    (void)atom_add_rlx(&host->jobs.accepted, taken && host_counts(who) ? CHAIN : 0);
    return taken;
}

static bool
through_cohort(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_job job = job_of(host, who);
    struct leat_job_options options = leat_job_options_default();
    struct leat_cohort_info info = leat_cohort_info_default();
    go_on(host, who);
    enum leat_status status = leat_cohort_open(host->engine, NULL, &options.cohort);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    if (status != LEAT_OK) {
        return false;
    }
    job.options = &options;
    status = leat_submit(host->engine, &job, NULL);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    bool taken = status == LEAT_OK;
    (void)atom_add_rlx(&host->jobs.accepted, taken && host_counts(who) ? 1 : 0);
    CHECK_OK(leat_cohort_get(host->engine, options.cohort, &info));
    CHECK_OK(leat_cohort_close(host->engine, options.cohort));
    return taken;
}

/* ---- a worker that ends a parent ------------------------------------------------------------- */

static struct leat_outcome
parent_run(struct leat_run *run, void *context)
{
    (void)run;
    host_task_next(context);
    return leat_done();
}

/* A worker is in the handler of a job for which another one waits, and which is a cohort's. */
static void
ends(void *subject)
{
    struct host *host = subject;
    struct leat_job job = job_of(host, SUSPEND_FROZEN);
    struct leat_job_options options = leat_job_options_default();
    leat_job_id cohort = {0};
    leat_job_id parent = {0};
    CHECK_OK(leat_cohort_open(host->engine, NULL, &cohort));
    options.cohort = cohort;
    job.options = &options;
    job.type = test_register(host->engine, "parent", parent_run, host);
    CHECK_OK(leat_submit(host->engine, &job, &parent));
    test_gate_arrivals(&host->next_gate, 1);
    options.cohort.bits = 0;
    options.parents = &parent;
    options.parents_count = 1;
    job.type = host->uncounted;
    CHECK_OK(leat_submit(host->engine, &job, NULL));
    CHECK_OK(leat_cohort_close(host->engine, cohort));
    for (uint32_t i = 0; i + 1 < host->workers; i++) {
        host_hold(host, host_task_busy, &host->busy_gate);
    }
}

/* Its type has a name of its own: the first one takes a mutex. */
static void
first_cohort(struct host *host)
{
    leat_job_id cohort = {0};
    CHECK_OK(leat_cohort_open(host->engine, NULL, &cohort));
    CHECK_OK(leat_cohort_close(host->engine, cohort));
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
all_busy(void *subject)
{
    struct host *host = subject;
    first_cohort(host);
    host_arrange(host, host->workers, false);
}

static void
one_asleep(void *subject)
{
    struct host *host = subject;
    first_cohort(host);
    host_arrange(host, host->workers - 1, false);
}

/* ---- subjects -------------------------------------------------------------------------------- */

/* One of them goes on where a worker stops: if it sleeps just then, a waker that stops in front of
 * its system call is LATE, see 0006. */
static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};

#define ENGINE                                                                                     \
    .capacity = HOST_SLOTS / CHAIN, .budget = 40, .context = &two, .create = host_create,          \
    .destroy = host_destroy, .settled = host_settled

static const struct suspend_subject bringing = {
    .name = "graphs",
    ENGINE,
    .operations = {{.name = "chain", .run = submit_chain, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "cohort", .run = through_cohort, .blocks = {HOST_RING_BLOCKS}},
                   HOST_POSTS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN},
    .situations = {{"busy", all_busy, 0, 0}, {"one asleep", one_asleep, 0, 0}},
};

static const struct suspend_subject ending = {
    .name = "graphs, 1 of 2",
    ENGINE,
    .operations = {{.name = "chain", .run = submit_chain, .witness = true},
                   {.name = "cohort", .run = through_cohort, .witness = true},
                   HOST_POSTS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "end",
                    .begin = host_begin,
                    .blocks = {HOST_RING_BLOCKS},
                    .late_or_not = {HOST_WAKING}}},
    .situations = {{"a parent", ends, 0, 1}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
who_brings_a_graph_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&bringing));
}

static void
who_ends_a_parent_holds_up_its_children(void **state)
{
    (void)state;
    CHECK(suspend_run(&ending));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_brings_a_graph_holds_up_nobody),
        cmocka_unit_test(who_ends_a_parent_holds_up_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
