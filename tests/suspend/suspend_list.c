/* suspend_list.c - who lists and counts jobs, under the suspension test, see suspend.h. It stops for
 * ever at each step of a page, also where it has a hold on a job to look at its tag; others submit
 * and run as many jobs as they like. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define RECORDS (4 * HOST_SLOTS)
#define HOUR_NS UINT64_C(3600000000000)
#define PAGE    8 /* records: enough that it comes to each kind */

/* ---- operations ------------------------------------------------------------------------------ */

/* The same two jobs come each time, first: they have the first records. */
static bool
list(struct host *host, struct leat_job_query query)
{
    leat_job_id ids[PAGE];
    size_t count = 0;
    query.look_max = PAGE;
    CHECK_OK(leat_job_list(host->engine, &query, ids, PAGE, &count));
    CHECK(count >= 1);
    return ids[0].bits == host->ids[SUSPEND_OTHER].bits;
}

static bool
list_plain(void *subject, uint32_t who)
{
    struct leat_job_query query = leat_job_query_default();
    (void)who;
    query.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED);
    return list(subject, query);
}

static bool
list_tagged(void *subject, uint32_t who)
{
    struct leat_job_query query = leat_job_query_default();
    (void)who;
    query.tag = "red";
    return list(subject, query);
}

static bool
count(void *subject, uint32_t who)
{
    const struct host *host = subject;
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {0, 0, {0}};
    (void)who;
    query.look_max = PAGE;
    CHECK_OK(leat_job_count(host->engine, &query, &tally, 1));
    return tally.jobs >= 2;
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
bring_two(struct host *host)
{
    const char *tag = "red";
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    job.type = host->uncounted;
    job.delay_ns = HOUR_NS;
    job.options = &options;
    options.tags = &tag;
    options.tags_count = 1;
    CHECK_OK(leat_submit(host->engine, &job, &host->ids[SUSPEND_OTHER]));
    job.options = NULL;
    CHECK_OK(leat_submit(host->engine, &job, &host->ids[SUSPEND_OTHER_SECOND]));
}

static void
busy(void *subject)
{
    struct host *host = subject;
    bring_two(host);
    host_arrange(host, host->workers, false);
}

static void
asleep(void *subject)
{
    bring_two(subject);
    host_arrange(subject, 0, false);
}

static void
destroy(void *subject)
{
    struct host *host = subject;
    CHECK_OK(leat_cancel(host->engine, host->ids[SUSPEND_OTHER]));
    CHECK_OK(leat_cancel(host->engine, host->ids[SUSPEND_OTHER_SECOND]));
    host_destroy(subject);
}

/* ---- subject --------------------------------------------------------------------------------- */

static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};

#define LISTS(title, function)                                                                     \
    {                                                                                              \
        .name = (title), .capacity = HOST_SLOTS, .budget = 15, .context = &two,                    \
        .create = host_create, .settled = host_settled, .destroy = destroy,                        \
        .operations = {HOST_POSTS,                                                                 \
                       HOST_SUBMITS,                                                               \
                       HOST_TASKS_RAN,                                                             \
                       HOST_JOBS_RAN,                                                              \
                       {.name = (title), .run = (function)}},                                      \
        .situations = {{"busy", busy, 0, 0}, {"asleep", asleep, 0, 0}},                            \
    }

static const struct suspend_subject subjects[] = {
    LISTS("list", list_plain),
    LISTS("list by tag", list_tagged),
    LISTS("count", count),
};

static void
who_lists_holds_up_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(subjects); i++) {
        CHECK(suspend_run(&subjects[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lists_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
