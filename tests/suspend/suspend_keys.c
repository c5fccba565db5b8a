/* suspend_keys.c - jobs with a key, under the suspension test, see suspend.h. Who stops for ever
 * while it submits or cancels one, also while it answers for its stripe (engine/keys.h), holds up
 * no job that has none; nor does one whose key has a rate (engine/key_rates.h). One thread alone
 * deals with keys; the job that has the key stands in a queue that is paused, or is taken from it
 * by who admits there. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define RECORDS (4 * HOST_SLOTS)

static leat_queue
paused(const struct host *host)
{
    leat_queue queue = {0};
    if (leat_queue_find(host->engine, "paused", &queue) != LEAT_OK) {
        CHECK_OK(leat_queue_create(host->engine, "paused", NULL, &queue));
    }
    return queue;
}

static enum leat_status
submit(struct host *host, leat_queue queue, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.key = "key";
    options.key_bytes = 3;
    job.type = host->uncounted;
    job.queue = queue;
    job.options = &options;
    return leat_submit(host->engine, &job, id);
}

static leat_job_id
bring(struct host *host, leat_queue queue)
{
    leat_job_id id = {0};
    CHECK_OK(submit(host, queue, &id));
    return id;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Who is let go at last may find the engine full of what the others left to run. */
static bool
submit_keyed(void *subject, uint32_t who)
{
    if (who == SUSPEND_FROZEN) {
        leat_job_id id = {0};
        enum leat_status status = submit(subject, (leat_queue){0}, &id);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
    }
    return true;
}

static bool
cancel_keyed(void *subject, uint32_t who)
{
    struct host *host = subject;
    if (who == SUSPEND_FROZEN) {
        CHECK_OK(leat_cancel(host->engine, host->ids[who]));
    }
    return true;
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
key_free(void *subject)
{
    struct host *host = subject;
    CHECK_OK(leat_queue_pause(host->engine, paused(host)));
    host_arrange(host, host->workers, false);
}

static void
key_taken(void *subject)
{
    struct host *host = subject;
    key_free(subject);
    host->ids[SUSPEND_FROZEN] = bring(host, paused(host));
}

/* It is let through by a bucket that it makes, and whose timer the end of its attempt sets. */
static void
key_rated(void *subject)
{
    struct host *host = subject;
    leat_queue queue = {0};
    CHECK_OK(leat_queue_find(host->engine, "default", &queue));
    CHECK_OK(leat_queue_set_key_rate(host->engine, queue, leat_rate_of(1, 1000000000, 1)));
    key_free(subject);
}

/* Behind the one that is cancelled one stands in line, and goes on to run. */
static void
line_of_two(void *subject)
{
    struct host *host = subject;
    key_taken(subject);
    (void)bring(host, paused(host));
}

/* In line, behind one that stays. */
static void
last_in_line(void *subject)
{
    struct host *host = subject;
    line_of_two(subject);
    host->ids[SUSPEND_FROZEN] = bring(host, paused(host));
}

static void
destroy(void *subject)
{
    struct host *host = subject;
    CHECK_OK(leat_queue_resume(host->engine, paused(host)));
    host_destroy(subject);
}

/* ---- subjects -------------------------------------------------------------------------------- */

static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};

#define ENGINE                                                                                     \
    .capacity = HOST_SLOTS, .budget = 15, .context = &two, .create = host_create,                  \
    .settled = host_settled, .destroy = destroy

static const struct suspend_subject submitting = {
    .name = "keys: submit",
    ENGINE,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "submit with a key",
                    .run = submit_keyed,
                    .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"free", key_free, 0, 0},
                   {"taken", key_taken, 0, 0},
                   {"has a rate", key_rated, 0, 0}},
};

static const struct suspend_subject cancelling = {
    .name = "keys: cancel",
    ENGINE,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "cancel with a key",
                    .run = cancel_keyed,
                    .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"has the key", line_of_two, 0, 0}, {"in line", last_in_line, 0, 0}},
};

static void
plain_jobs_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&submitting));
    CHECK(suspend_run(&cancelling));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_jobs_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
