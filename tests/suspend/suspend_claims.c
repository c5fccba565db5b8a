/* suspend_claims.c - unique keys, names and leases under the suspension test, see suspend.h. Who
 * stops for ever while it submits a job with a unique key and a name, brings a job to a pull queue,
 * takes it, or gives its lease back, holds up no job without, and no other key or lease; but who
 * takes jobs out of the list of a pull queue holds up what is listed at the level where it is. */
#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define RECORDS (4 * HOST_SLOTS)

/* ---- unique keys and names ------------------------------------------------------------------- */

/* Of those that the others bring in a trial. One that is brought where LEAT_TABLE_REMOVED were let
 * go of waits for a grace period, and so for a frozen submit. */
#define CLAIMS_MOST 100

static leat_atomic_u32 number;

static bool
submit_claiming(void *subject, uint32_t who)
{
    struct host *host = subject;
    char text[32];
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    uint32_t own = atom_add_rlx(&number, 1); /* rlx: statistic */
    if (host_counts(who) && own >= CLAIMS_MOST) {
        return true;
    }
    (void)snprintf(text, sizeof(text), "%u", own);
    options.unique_key = text;
    options.unique_key_bytes = strlen(text);
    options.name = who == SUSPEND_FROZEN || who == SUSPEND_FROZEN_SECOND ? text : NULL;
    job.type = host->uncounted;
    job.options = &options;
    enum leat_status status = leat_submit(host->engine, &job, NULL);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    return status == LEAT_OK;
}

/* ---- leases ---------------------------------------------------------------------------------- */

static leat_token tokens[SUSPEND_WHO_COUNT];

static leat_queue
pulled(const struct host *host)
{
    leat_queue queue = {0};
    struct leat_queue_options options = leat_queue_options_default();
    options.pull = true;
    options.priority = LEAT_PRIORITY_LOW;
    if (leat_queue_find(host->engine, "pulled", &queue) != LEAT_OK) {
        CHECK_OK(leat_queue_create(host->engine, "pulled", &options, &queue));
    }
    return queue;
}

static bool
submit_pulled(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_job job = leat_job_default();
    (void)who;
    job.type = host->uncounted;
    job.queue = pulled(host);
    return leat_submit(host->engine, &job, NULL) == LEAT_OK;
}

static bool
reserve(struct host *host, uint32_t who)
{
    struct leat_reserve_options asks = leat_reserve_options_default();
    struct leat_lease lease;
    size_t count = 0;
    asks.queue = pulled(host);
    asks.max = 1;
    if (leat_reserve(host->engine, &asks, &lease, &count) != LEAT_OK) {
        return false;
    }
    tokens[who] = lease.token;
    return true;
}

/* The others: some job, from a submit to its end. */
static bool
through(void *subject, uint32_t who)
{
    struct host *host = subject;
    return submit_pulled(host, who) && reserve(host, who) &&
           leat_ack(host->engine, tokens[who], NULL, 0) == LEAT_OK;
}

/* Those who may be frozen; the others have nothing to do here. */
static bool
bring(void *subject, uint32_t who)
{
    return host_counts(who) || submit_pulled(subject, who);
}

static bool
give_back(void *subject, uint32_t who)
{
    struct host *host = subject;
    return host_counts(who) || leat_ack(host->engine, tokens[who], NULL, 0) == LEAT_OK;
}

static bool
give_up(void *subject, uint32_t who)
{
    struct host *host = subject;
    return host_counts(who) || leat_nack(host->engine, tokens[who], 0, NULL) == LEAT_OK;
}

static bool
take(void *subject, uint32_t who)
{
    return host_counts(who) || reserve(subject, who);
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
busy(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers, false);
}

static void
claims(void *subject)
{
    atom_store_rlx(&number, 0); /* rlx: statistic */
    busy(subject);
}

static void
leased(void *subject)
{
    busy(subject);
    for (uint32_t who = SUSPEND_FROZEN; who <= SUSPEND_FROZEN_SECOND; who++) {
        CHECK(submit_pulled(subject, who));
        CHECK(reserve(subject, who));
    }
}

static void
listed(void *subject)
{
    busy(subject);
    memset(tokens, 0, sizeof(tokens));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(submit_pulled(subject, SUSPEND_FROZEN));
    }
}

/* A drain waits for leases. */
static void
end_leases(void *subject)
{
    struct host *host = subject;
    for (uint32_t who = SUSPEND_FROZEN; who <= SUSPEND_FROZEN_SECOND; who++) {
        (void)(leat_ack(host->engine, tokens[who], NULL, 0) == LEAT_OK);
    }
    host_destroy(subject);
}

/* ---- subjects -------------------------------------------------------------------------------- */

static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};

#define ENGINE(places)                                                                             \
    .capacity = (places), .budget = 15, .context = &two, .create = host_create,                    \
    .settled = host_settled

static const struct suspend_subject claiming = {
    .name = "unique key, name",
    ENGINE(HOST_SLOTS / 8),
    .destroy = host_destroy,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "submit", .run = submit_claiming, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"busy", claims, 0, 0}},
};

static const struct suspend_subject returning = {
    .name = "leases",
    ENGINE(HOST_SLOTS / 4),
    .destroy = end_leases,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   {.name = "through", .run = through, .witness = true},
                   {.name = "submit", .run = bring, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "ack", .run = give_back, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "nack", .run = give_up, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"leased", leased, 0, 0}},
};

/* It comes by each level, and so holds up what is listed there: jobs, not tasks. */
static const struct suspend_subject taking = {
    .name = "leases, tasks",
    ENGINE(HOST_SLOTS / 4),
    .destroy = end_leases,
    .operations = {HOST_POSTS,
                   HOST_TASKS_RAN,
                   {.name = "reserve", .run = take, .owner = true, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"listed", listed, 0, 0}},
};

static void
claims_and_leases_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&claiming));
    CHECK(suspend_run(&returning));
    CHECK(suspend_run(&taking));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_and_leases_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
