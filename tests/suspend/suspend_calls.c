/* suspend_calls.c - calls that look at one job, or change it, under the suspension test, see
 * suspend.h: leat_get(), leat_result() and what else is read of a job, leat_release(),
 * leat_reschedule(), leat_priority_set(), leat_pending_extend(), and leat_queue_resume(). One
 * thread stops for ever at each step; others do the same call for the same job and for jobs of
 * their own, and bring and run what they like. Who changes a job that is being changed by one that
 * stands may be told LEAT_BUSY, at once. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define RECORDS (4 * HOST_SLOTS)
#define HOUR_NS UINT64_C(3600000000000)

static leat_token tokens[SUSPEND_WHO_COUNT];

/* ---- what is there --------------------------------------------------------------------------- */

/* A job for each thread; that of the first one that may stand has a name, and a tag. */
static void
bring_all(struct host *host, uint64_t delay_ns, uint32_t flags)
{
    const char *tag = "red";
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    options.name = "named";
    options.tags = &tag;
    options.tags_count = 1;
    job.type = host->uncounted;
    job.priority = LEAT_PRIORITY_NORMAL;
    job.delay_ns = delay_ns;
    job.flags = flags;
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        job.options = who == SUSPEND_FROZEN ? &options : NULL;
        CHECK_OK(leat_submit(host->engine, &job, &host->ids[who]));
    }
}

static void
all_busy(struct host *host)
{
    host_arrange(host, host->workers, false);
}

static void
in_ring(void *subject)
{
    all_busy(subject);
    bring_all(subject, 0, 0);
}

static void
in_list(void *subject)
{
    all_busy(subject);
    host_fill(subject);
    bring_all(subject, 0, 0);
}

static void
in_wheel(void *subject)
{
    bring_all(subject, HOUR_NS, 0);
    all_busy(subject);
}

static void
in_wheel_asleep(void *subject)
{
    bring_all(subject, HOUR_NS, 0);
    host_arrange(subject, 0, false);
}

static void
kept_in_wheel(void *subject)
{
    bring_all(subject, HOUR_NS, LEAT_JOB_KEEP_RESULT);
    all_busy(subject);
}

static void
kept_and_ended(void *subject)
{
    struct host *host = subject;
    bring_all(host, 0, LEAT_JOB_KEEP_RESULT);
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        CHECK_OK(leat_wait(host->engine, host->ids[who], LEAT_FOREVER, NULL));
    }
    all_busy(host);
}

/* Jobs that are gone by now, or end here. */
static void
end_all(void *subject)
{
    struct host *host = subject;
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        CHECK(leat_cancel(host->engine, host->ids[who]) != LEAT_INVALID);
    }
    host_destroy(subject);
}

/* ---- leases ---------------------------------------------------------------------------------- */

static void
leased(void *subject)
{
    struct host *host = subject;
    leat_queue queue = {0};
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_reserve_options asks = leat_reserve_options_default();
    options.pull = true;
    options.priority = LEAT_PRIORITY_LOW;
    CHECK_OK(leat_queue_create(host->engine, "pulled", &options, &queue));
    asks.queue = queue;
    asks.max = 1;
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        struct leat_job job = leat_job_default();
        struct leat_lease lease;
        size_t count = 0;
        job.type = host->uncounted;
        job.queue = queue;
        CHECK_OK(leat_submit(host->engine, &job, NULL));
        CHECK_OK(leat_reserve(host->engine, &asks, &lease, &count));
        tokens[who] = lease.token;
    }
    all_busy(host);
}

static void
end_leases(void *subject)
{
    struct host *host = subject;
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        CHECK_OK(leat_ack(host->engine, tokens[who], NULL, 0));
    }
    host_destroy(subject);
}

/* ---- a queue that is paused ------------------------------------------------------------------ */

static void
paused(void *subject)
{
    struct host *host = subject;
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(host->engine, "paused", NULL, &queue));
    CHECK_OK(leat_queue_pause(host->engine, queue));
    for (uint32_t who = 0; who < SUSPEND_WHO_COUNT; who++) {
        struct leat_job job = leat_job_default();
        job.type = host->uncounted;
        job.queue = queue;
        CHECK_OK(leat_submit(host->engine, &job, NULL));
    }
    all_busy(host);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void
go_on(struct host *host, uint32_t who)
{
    if (host_counts(who)) {
        test_gate_open(&host->busy_gate);
    }
}

/* Whether a call for everybody's job was answered, be it that somebody is at it, or that it runs,
 * has ended, or is gone. */
static bool
is_answer(enum leat_status status)
{
    return status == LEAT_OK || status == LEAT_BUSY || status == LEAT_ENDED ||
           status == LEAT_WRONG_STATE || status == LEAT_GONE || status == LEAT_NOT_FOUND;
}

/* The job of the first one that stands is everybody's. */
static bool
get(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_job_info info = leat_job_info_default();
    go_on(host, who);
    enum leat_status status = leat_get(host->engine, host->ids[SUSPEND_FROZEN], &info);
    CHECK(is_answer(status));
    return true;
}

/* What is read of a job beside its state, each with a hold of its own. */
static bool
look(void *subject, uint32_t who)
{
    struct host *host = subject;
    leat_job_id id = host->ids[SUSPEND_FROZEN];
    struct leat_tag tags[1];
    uint32_t count = 0;
    char text[LEAT_JOB_NAME_BYTES_MAX + 1];
    go_on(host, who);
    CHECK(is_answer(leat_result(host->engine, id, text, sizeof(text), NULL)));
    CHECK(is_answer(leat_job_payload(host->engine, id, text, sizeof(text), NULL)));
    CHECK(is_answer(leat_job_name(host->engine, id, text, sizeof(text))));
    CHECK(is_answer(leat_job_tags(host->engine, id, tags, 1, &count)));
    return true;
}

/* The others: of jobs that they bring. */
static bool
release(void *subject, uint32_t who)
{
    struct host *host = subject;
    leat_job_id id = host->ids[who];
    struct leat_job job = leat_job_default();
    job.type = host->uncounted;
    job.flags = LEAT_JOB_KEEP_RESULT;
    go_on(host, who);
    if (host_counts(who) && leat_submit(host->engine, &job, &id) != LEAT_OK) {
        return false;
    }
    CHECK_OK(leat_release(host->engine, id));
    return true;
}

static bool
reschedule(void *subject, uint32_t who)
{
    struct host *host = subject;
    const struct leat_when later = leat_when_in(2 * HOUR_NS);
    if (!host_counts(who)) {
        return is_answer(leat_reschedule(host->engine, host->ids[SUSPEND_FROZEN], later));
    }
    CHECK(is_answer(leat_reschedule(host->engine, host->ids[SUSPEND_FROZEN], later)));
    enum leat_status status = leat_reschedule(host->engine, host->ids[who], later);
    CHECK(is_answer(status));
    go_on(host, who);
    return status != LEAT_BUSY;
}

static bool
priority_set(void *subject, uint32_t who)
{
    struct host *host = subject;
    uint32_t priority = who % 2 == 0 ? LEAT_PRIORITY_LOW : LEAT_PRIORITY_HIGH;
    if (!host_counts(who)) {
        return is_answer(leat_priority_set(host->engine, host->ids[SUSPEND_FROZEN], priority));
    }
    CHECK(is_answer(leat_priority_set(host->engine, host->ids[SUSPEND_FROZEN], priority)));
    enum leat_status status = leat_priority_set(host->engine, host->ids[who], priority);
    CHECK(is_answer(status));
    go_on(host, who);
    return status != LEAT_BUSY;
}

static bool
extend(void *subject, uint32_t who)
{
    struct host *host = subject;
    go_on(host, who);
    CHECK_OK(leat_pending_extend(host->engine, tokens[SUSPEND_FROZEN], HOUR_NS));
    return !host_counts(who) || leat_pending_extend(host->engine, tokens[who], HOUR_NS) == LEAT_OK;
}

static bool
resume(void *subject, uint32_t who)
{
    struct host *host = subject;
    leat_queue queue = {0};
    CHECK_OK(leat_queue_find(host->engine, "paused", &queue));
    go_on(host, who);
    CHECK_OK(leat_queue_resume(host->engine, queue));
    return true;
}

/* ---- subjects -------------------------------------------------------------------------------- */

static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};

#define CALL(title, function)                                                                      \
    .name = "calls", .capacity = HOST_SLOTS / 4, .budget = 30, .context = &two,                    \
    .create = host_create, .settled = host_settled,                                                \
    .operations = {HOST_POSTS,                                                                     \
                   HOST_SUBMITS,                                                                   \
                   HOST_TASKS_RAN,                                                                 \
                   HOST_JOBS_RAN,                                                                  \
                   {.name = (title), .run = (function), .blocks = {HOST_RING_BLOCKS}}}

#define CHANGED                                                                                    \
    .destroy = end_all, .situations = {{"scheduled", in_wheel, 0, 0},                              \
                                       {"scheduled, asleep", in_wheel_asleep, 0, 0},               \
                                       {"in the ring", in_ring, 0, 0},                             \
                                       {"listed", in_list, 0, 0}}

#define KEPT                                                                                       \
    .destroy = end_all,                                                                            \
    .situations = {{"scheduled", kept_in_wheel, 0, 0}, {"ended", kept_and_ended, 0, 0}}

static const struct suspend_subject subjects[] = {
    {CALL("get", get), CHANGED},
    {CALL("look", look), KEPT},
    {CALL("release", release), KEPT},
    {CALL("reschedule", reschedule), CHANGED},
    {CALL("priority", priority_set), CHANGED},
    {CALL("extend", extend), .destroy = end_leases, .situations = {{"leased", leased, 0, 0}}},
    {CALL("resume", resume), .destroy = host_destroy, .situations = {{"paused", paused, 0, 0}}},
};

static void
who_asks_for_a_job_holds_up_nobody(void **state)
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
        cmocka_unit_test(who_asks_for_a_job_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
