/* store.c - an engine that works for a store: the program's own driver (store_table.c), and a feed
 * that takes leases from it, runs them by the engine's handlers, and says to the store how each one
 * ended. The feed is written against <leat.h> only, and does not know which store it has. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store_parts.h"

#define JOBS       40
#define AT_ONCE    8
#define LEASE_NS   UINT64_C(60000000000)
#define PATIENT_NS UINT64_C(20000000)

/* ---- the feed ------------------------------------------------------------------------------- */

struct feed {
    struct leat_engine *engine;
    struct leat_store store;
    struct leat_completion_queue *ends;
    leat_token tokens[AT_ONCE]; /* of what runs, by place */
    bool running[AT_ONCE];
};

/* A lease is a job of one attempt: the store counts them. */
static bool
feed_submit(struct feed *feed, const struct leat_store_lease *lease)
{
    size_t place = 0;
    struct leat_job job = leat_job_default();
    while (feed->running[place]) {
        place++;
    }
    job.type_name = lease->type_name;
    job.payload = lease->payload;
    job.payload_bytes = lease->payload_bytes;
    job.max_attempts = 1;
    job.completions = feed->ends;
    job.user = &feed->tokens[place];
    feed->tokens[place] = lease->token;
    feed->running[place] = leat_submit(feed->engine, &job, NULL) == LEAT_OK;
    return feed->running[place];
}

/* Takes as many as there are places for. */
static void
feed_take(struct feed *feed, size_t places)
{
    _Alignas(16) static unsigned char buffer[AT_ONCE * 512];
    struct leat_store_lease leases[AT_ONCE];
    const struct leat_store_take what = {places, LEASE_NS, 0, buffer, sizeof(buffer)};
    size_t count = 0;
    if (feed->store.take_batch(feed->store.context, &what, leases, &count) != LEAT_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!feed_submit(feed, &leases[i])) {
            const struct leat_store_nack back = {leases[i].token, LEAT_DELAY_OF_POLICY, "refused"};
            (void)feed->store.nack_batch(feed->store.context, &back, 1, NULL);
        }
    }
}

/* Tells the store what has ended. A lease that did not hold any more is another consumer's. */
static size_t
feed_settle(struct feed *feed)
{
    struct leat_completion ends[AT_ONCE];
    size_t count = 0;
    if (leat_completion_queue_take(feed->ends, ends, AT_ONCE, &count) != LEAT_OK) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        leat_token *token = ends[i].user;
        if (ends[i].state == LEAT_JOB_COMPLETED) {
            (void)feed->store.ack_batch(feed->store.context, token, 1, NULL);
        } else {
            const struct leat_store_nack nack = {*token, 0, leat_reason_text(ends[i].reason)};
            (void)feed->store.nack_batch(feed->store.context, &nack, 1, NULL);
        }
        feed->running[token - feed->tokens] = false;
    }
    return count;
}

/* Until the store has had nothing for a while. */
static void
feed_run(struct feed *feed)
{
    const struct timespec pause = {0, 1000000};
    size_t running = 0;
    for (uint64_t idle_ns = 0; idle_ns < PATIENT_NS; idle_ns += 1000000) {
        running = 0;
        for (size_t i = 0; i < AT_ONCE; i++) {
            running += feed->running[i] ? 1 : 0;
        }
        if (running < AT_ONCE) {
            feed_take(feed, AT_ONCE - running);
        }
        if (feed_settle(feed) != 0 || running != 0) {
            idle_ns = 0;
        }
        (void)nanosleep(&pause, NULL);
    }
}

/* ---- the program ---------------------------------------------------------------------------- */

static uint64_t
now(void *context)
{
    struct timespec time;
    (void)context;
    (void)clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct counts {
    unsigned runs[JOBS]; /* one worker, so plain */
};

/* Every third job fails in its first attempt. */
static struct leat_outcome
count(struct leat_run *run, void *context)
{
    struct counts *counts = context;
    unsigned number = 0;
    memcpy(&number, leat_run_payload(run, NULL), sizeof(number));
    counts->runs[number]++;
    return number % 3 == 0 && counts->runs[number] == 1 ? leat_retry() : leat_done();
}

static bool
fill(struct leat_store *store)
{
    bool ok = true;
    for (unsigned i = 0; i < JOBS; i++) {
        const struct leat_store_job job = {
            .type_name = "count", .payload = &i, .payload_bytes = sizeof(i), .priority = i % 2};
        ok = store->put_batch(store->context, &job, 1, NULL) == LEAT_OK && ok;
    }
    return ok;
}

int
main(void)
{
    static struct counts counts;
    struct feed feed = {.engine = NULL};
    struct leat_config config = leat_config_default();
    config.workers = 1;
    bool ok = store_table_open(now, NULL, &feed.store) == LEAT_OK && fill(&feed.store) &&
              leat_open(&config, &feed.engine, NULL) == LEAT_OK &&
              leat_type_register(feed.engine, "count", count, &counts, NULL, NULL) == LEAT_OK &&
              leat_completion_queue_create(feed.engine, AT_ONCE, &feed.ends) == LEAT_OK &&
              leat_start(feed.engine) == LEAT_OK;
    if (!ok) {
        return 1;
    }
    feed_run(&feed);
    unsigned runs = 0;
    for (unsigned i = 0; i < JOBS; i++) {
        ok = ok && counts.runs[i] == (i % 3 == 0 ? 2 : 1);
        runs += counts.runs[i];
    }
    printf("%u jobs of the store, %u attempts: %s\n", JOBS, runs, ok ? "ok" : "wrong");
    ok =
        leat_stop(feed.engine, LEAT_FOREVER) == LEAT_OK && leat_close(feed.engine) == LEAT_OK && ok;
    feed.store.close(feed.store.context);
    return ok ? 0 : 1;
}
