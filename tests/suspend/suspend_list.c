/* suspend_list.c - who lists and counts jobs, under the suspension test, see suspend.h. It stops
 * for ever at each step of a page, also where it has a hold on a job to look at its tag; others
 * submit and run as many jobs as they like. And one that stops for a while at each step, in which
 * the record that it looks at changes hands: it does not take the one job for the other. */
#include <string.h>

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

/* ---- a record changes hands ------------------------------------------------------------------ */

struct hands {
    struct leat_engine *engine;
    leat_type first;  /* of the job that has the record at first */
    leat_type second; /* of the one that is asked for, and has it then */
    leat_job_id id;   /* of the first one */
    struct freeze freeze;
    uint64_t step;
    bool stands;
    leat_job_id listed[HOST_SLOTS];
    size_t count;
};

static void
list_second(void *argument)
{
    struct hands *hands = argument;
    struct leat_job_query query = leat_job_query_default();
    query.type = hands->second;
    CHECK_OK(leat_job_list(hands->engine, &query, hands->listed, HOST_SLOTS, &hands->count));
}

static struct leat_outcome
first_run(struct leat_run *run, void *context)
{
    struct hands *hands = context;
    hands->id = leat_run_id(run);
    hands->stands = freeze_to(&hands->freeze, hands->step);
    return leat_done();
}

/* True: there was such a step. */
static bool
change_hands(struct hands *hands, uint64_t step)
{
    struct leat_config config = test_config();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    bool again = false;
    config.jobs_max = HOST_SLOTS;
    config.retained_max = 0;
    memset(hands, 0, sizeof(*hands));
    hands->step = step;
    hands->engine = test_open(&config);
    hands->first = test_register(hands->engine, "first", first_run, hands);
    hands->second = test_register(hands->engine, "second", first_run, hands);
    freeze_start(&hands->freeze, list_second, hands);
    job.type = hands->first;
    CHECK_OK(leat_run_inline(hands->engine, &job, NULL, NULL));
    job.type = hands->second;
    while (leat_submit(hands->engine, &job, &id) == LEAT_OK) {
        again = again || (uint32_t)id.bits << 6 == (uint32_t)hands->id.bits << 6;
    }
    CHECK(again);
    freeze_let_go(&hands->freeze);
    freeze_join(&hands->freeze);
    for (size_t i = 0; i < hands->count; i++) {
        CHECK(hands->listed[i].bits != hands->id.bits);
    }
    test_close(hands->engine);
    return hands->stands;
}

static void
a_record_changes_hands(void **state)
{
    (void)state;
    static struct hands hands;
    uint64_t steps = 1;
    while (change_hands(&hands, steps)) {
        steps++;
    }
    CHECK(steps > 3); /* the word, the type, and the word again */
    test_say("a record changes hands: %lu steps\n", (unsigned long)steps - 1);
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
        cmocka_unit_test(a_record_changes_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
