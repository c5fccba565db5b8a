/* campaign_flow.c - an engine for as long as you like, in which all that steers the flow of jobs is
 * in use at once: keys, unique keys and names; pauses, caps, rates and minimums; pull queues, whose
 * leases run out now and then; dead letters and a breaker; batches and middleware; limits, tenants,
 * purges and drains; delays, retries, snoozes, pending completions and expiry. Threads submit,
 * consume, complete, change and cancel jobs, and an operator changes everything else. The ledger
 * (tests/support/flow.h) says whether what happens may happen.
 *
 *   campaign_flow [--seconds N] [--seed S]
 *
 * Without N it is as long as a stress test. The last line says what was counted. Exit status: 0 all
 * right; 1 something was wrong; 2 it cannot run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/flow.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS  FLOW_THREADS
#define CONSUMERS   2
#define WORKERS_MAX 4
#define MAILS       128
#define OLD_MAX     64
#define BATCH_MAX   8
#define RATE_JOBS   2000
#define RATE_BURST  50
#define MS          TEST_MS
#define SECOND      (1000 * MS)
#define SECONDS_MAX 1000000

enum { QUEUE_PLAIN, QUEUE_ONE, QUEUE_CAP, QUEUE_RATE, QUEUE_DROP, QUEUE_BLOCK, QUEUE_MIN };
enum { QUEUE_PULL = 7, QUEUE_PULL_CAP = 8 };
enum { TYPE_PLAIN, TYPE_CAP, TYPE_BATCH, TYPE_BREAKER, TYPE_RATE };
enum { ROLE_COMPLETER = SUBMITTERS + CONSUMERS, ROLE_CHANGER, ROLE_OPERATOR, ROLE_REAPER, THREADS };

/* An attempt that another thread is to answer. */
struct mail {
    struct flow_attempt attempt;
    struct leat_outcome outcome;
};

struct campaign {
    struct flow flow;
    struct leat_engine *engine;
    struct test_memory memory;
    leat_tenant tenant;
    uint64_t seed;
    uint64_t begin_ns;
    uint64_t deadline_ns;
    leat_atomic_u32 submitting;
    leat_atomic_u32 quiet;    /* the operator has put all in order */
    leat_atomic_u32 finished; /* the reaper has seen the last end */
    leat_atomic_u64 around;   /* attempts that came through the middleware */
    leat_atomic_u64 handled;  /* of these, such as came to a handler */
    pthread_mutex_t mutex;
    struct mail mails[MAILS]; /* under the mutex, as the count */
    uint32_t mails_count;
};

static bool
goes_on(const struct campaign *campaign)
{
    return leat_os_monotonic_ns() < campaign->deadline_ns;
}

/* ---- handlers -------------------------------------------------------------------------------- */

/* False: there is no room. */
static bool
post(struct campaign *campaign, struct flow_attempt *attempt, struct leat_outcome outcome,
     uint64_t timeout_ns)
{
    (void)pthread_mutex_lock(&campaign->mutex);
    bool fits = campaign->mails_count < MAILS;
    if (fits) {
        uint64_t deadline = timeout_ns == 0 ? LEAT_FOREVER : leat_os_boot_ns() + timeout_ns;
        flow_outside(&campaign->flow, attempt, deadline);
        campaign->mails[campaign->mails_count++] = (struct mail){*attempt, outcome};
    }
    (void)pthread_mutex_unlock(&campaign->mutex);
    return fits;
}

static struct leat_outcome
attempt_run(struct campaign *campaign, struct leat_run *run)
{
    size_t bytes = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK(bytes >= sizeof(struct flow_label));
    struct flow_attempt attempt = {
        .id = leat_run_id(run), .token = leat_run_token(run), .deadline = LEAT_FOREVER};
    if (!flow_begin(&campaign->flow, payload, &attempt)) {
        return leat_fail();
    }
    CHECK_OK(leat_run_result(run, &attempt.id.bits, sizeof(attempt.id.bits)));
    struct test_prng prng = {campaign->seed ^ attempt.id.bits ^ attempt.token.attempt};
    struct leat_outcome outcome = flow_answer(&attempt, &prng);
    uint32_t way = test_random_below(&prng, 12);
    if (way == 0) {
        test_sleep_ns(test_random_below(&prng, 200) * UINT64_C(1000));
    }
    if (way == 1 && post(campaign, &attempt, outcome, 0)) {
        return leat_pending();
    }
    uint64_t timeout_ns = 1 + test_random_below(&prng, 4) * MS;
    if (way == 2 && post(campaign, &attempt, outcome, timeout_ns)) {
        return leat_pending_for(timeout_ns);
    }
    bool bad = leat_os_boot_ns() / (64 * MS) % 2 == 0 && !attempt.label.stays;
    if (leat_run_type(run).bits == campaign->flow.types[TYPE_BREAKER].bits && bad && way < 10) {
        outcome = leat_fail();
    }
    (void)flow_end(&campaign->flow, &attempt, outcome);
    return outcome;
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    (void)atom_add_rlx(&campaign->handled, 1);
    return attempt_run(campaign, run);
}

static void
batch_run(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    CHECK(count >= 1 && count <= BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = attempt_run(context, runs[i]);
    }
}

static struct leat_outcome
around(struct leat_run *run, struct leat_next *next, void *context)
{
    struct campaign *campaign = context;
    (void)run;
    (void)atom_add_rlx(&campaign->around, 1);
    struct leat_outcome outcome = leat_next_run(next);
    CHECK_EQUAL(leat_next_run(next).kind, outcome.kind);
    return outcome;
}

/* ---- submitters ------------------------------------------------------------------------------ */

static void
submit_many(struct campaign *campaign, uint32_t thread, struct test_prng *prng)
{
    static _Thread_local struct flow_order orders[4];
    struct leat_job jobs[4];
    leat_job_id ids[4] = {{0}, {0}, {0}, {0}};
    enum leat_status statuses[4];
    bool whole = test_random_below(prng, 2) == 0;
    size_t count = 0;
    for (uint32_t i = 0; i < 4; i++) {
        if (flow_order(&campaign->flow, &orders[count], thread, prng, whole)) {
            jobs[count] = orders[count].job;
            jobs[count].options = &orders[count].options;
            count++;
        }
    }
    enum leat_status all =
        leat_submit_batch(campaign->engine, jobs, count,
                          whole ? LEAT_BATCH_ALL_OR_NONE : LEAT_BATCH_EACH, ids, statuses);
    for (size_t i = 0; i < count; i++) {
        enum leat_status status = statuses[i];
        if (whole && all != LEAT_OK) {
            status = status == LEAT_OK ? LEAT_FULL : status;
            ids[i].bits = 0;
        }
        flow_ordered(&campaign->flow, &orders[i], status, ids[i]);
    }
}

static void
submitter(struct campaign *campaign, uint32_t thread)
{
    struct test_prng prng = {campaign->seed + thread};
    while (goes_on(campaign)) {
        struct flow_order order;
        leat_job_id id = {0};
        if (atom_load_rlx(&campaign->flow.free) < FLOW_TICKETS / 8) {
            test_sleep_ns(MS);
        } else if (test_random_below(&prng, 4) == 0) {
            submit_many(campaign, thread, &prng);
        } else if (flow_order(&campaign->flow, &order, thread, &prng, false)) {
            order.job.options = &order.options;
            enum leat_status status = leat_submit(campaign->engine, &order.job, &id);
            flow_ordered(&campaign->flow, &order, status, id);
        }
    }
    (void)atom_sub_rel(&campaign->submitting, 1);
}

/* ---- those that answer from outside ---------------------------------------------------------- */

/* A lease is released where a handler snoozes. */
static enum leat_status
answer_call(struct campaign *campaign, const struct mail *mail, bool lease)
{
    struct leat_engine *engine = campaign->engine;
    leat_token token = mail->attempt.token;
    uint64_t delay_ns = mail->outcome.delay_ns;
    if (lease && mail->outcome.kind == LEAT_OUTCOME_DONE) {
        return leat_ack(engine, token, &mail->attempt.id.bits, sizeof(uint64_t));
    }
    if (lease && mail->outcome.kind == LEAT_OUTCOME_RETRY) {
        return leat_nack(engine, token, delay_ns, "not this time");
    }
    if (lease && mail->outcome.kind == LEAT_OUTCOME_SNOOZE) {
        return leat_lease_release(engine, token);
    }
    return leat_complete(engine, token, mail->outcome, "no");
}

/* A token holds once. */
static void
check_over(struct campaign *campaign, const struct mail *mail)
{
    enum leat_status status =
        leat_complete(campaign->engine, mail->attempt.token, leat_done(), NULL);
    if (status != LEAT_STALE && status != LEAT_GONE) {
        flow_illegal(&campaign->flow, "a token that is over", mail->attempt.ticket);
    }
}

/* Answers, and again; and once more for an attempt that was answered a while ago. */
static void
answer_once(struct campaign *campaign, struct mail *mail, bool lease)
{
    static _Thread_local struct mail old[OLD_MAX];
    if (lease && mail->outcome.kind == LEAT_OUTCOME_SNOOZE) {
        mail->outcome.delay_ns = 0;
    }
    bool ours = flow_end(&campaign->flow, &mail->attempt, mail->outcome);
    enum leat_status status = LEAT_BUSY;
    /* Somebody is still inside the call for the attempt before. */
    while (status == LEAT_BUSY) {
        status = answer_call(campaign, mail, lease);
    }
    flow_answered(&campaign->flow, &mail->attempt, status);
    if (status == LEAT_OK && !ours) {
        flow_illegal(&campaign->flow, "a stale token", mail->attempt.ticket);
    }
    check_over(campaign, mail);
    struct mail *late = &old[mail->attempt.label.ticket % OLD_MAX];
    if (late->attempt.ticket != NULL) {
        check_over(campaign, late);
    }
    *late = *mail;
}

static void
completer(struct campaign *campaign)
{
    struct test_prng prng = {campaign->seed + 77};
    while (atom_load_acq(&campaign->finished) == 0) {
        struct mail mail;
        (void)pthread_mutex_lock(&campaign->mutex);
        bool found = campaign->mails_count != 0;
        if (found) {
            uint32_t number = test_random_below(&prng, campaign->mails_count);
            mail = campaign->mails[number];
            campaign->mails[number] = campaign->mails[--campaign->mails_count];
        }
        (void)pthread_mutex_unlock(&campaign->mutex);
        if (found) {
            answer_once(campaign, &mail, false);
        }
        test_sleep_ns(test_random_below(&prng, 4) * MS / 10);
    }
}

/* What a consumer does with a lease; some are answered when they may be over. */
static void
lease_use(struct campaign *campaign, const struct leat_lease *lease, uint64_t deadline,
          struct test_prng *prng)
{
    struct mail mail = {.attempt = {.id = lease->id, .token = lease->token, .deadline = deadline},
                        .outcome = leat_done()};
    CHECK(lease->payload_bytes >= sizeof(struct flow_label));
    if (!flow_begin(&campaign->flow, lease->payload, &mail.attempt)) {
        return;
    }
    mail.outcome = flow_answer(&mail.attempt, prng);
    uint32_t way = test_random_below(prng, 16);
    if (way == 0) {
        return;
    }
    if (way == 1) {
        uint64_t now = leat_os_boot_ns();
        enum leat_status status = leat_extend(campaign->engine, lease->token, 5 * MS);
        flow_answered(&campaign->flow, &mail.attempt, status);
        uint64_t longer = now + 5 * MS;
        if (status == LEAT_OK && longer > deadline) {
            mail.attempt.deadline = longer;
        }
    } else if (way == 2) {
        test_sleep_ns(test_random_below(prng, 6) * MS);
    }
    answer_once(campaign, &mail, true);
}

static void
consumer(struct campaign *campaign, uint32_t number)
{
    struct test_prng prng = {campaign->seed + 50 + number};
    static _Thread_local _Alignas(16) unsigned char buffer[4096];
    while (atom_load_acq(&campaign->finished) == 0) {
        struct leat_lease leases[4];
        size_t count = 0;
        uint32_t pick = test_random_below(&prng, 2) == 0 ? QUEUE_PULL : QUEUE_PULL_CAP;
        struct leat_reserve_options options = leat_reserve_options_default();
        options.queue = campaign->flow.queues[pick].handle;
        options.max = 1 + test_random_below(&prng, 4);
        options.lease_ns = (1 + test_random_below(&prng, 8)) * MS;
        options.timeout_ns = test_random_below(&prng, 2) * MS;
        options.buffer = buffer;
        options.buffer_bytes = sizeof(buffer);
        uint64_t deadline = leat_os_boot_ns() + options.lease_ns;
        enum leat_status status = leat_reserve(campaign->engine, &options, leases, &count);
        flow_expect(&campaign->flow, status, options.timeout_ns == 0 ? LEAT_EMPTY : LEAT_TIMEOUT,
                    "reserve");
        for (size_t i = 0; status == LEAT_OK && i < count; i++) {
            lease_use(campaign, &leases[i], deadline, &prng);
        }
        if (status != LEAT_OK) {
            test_sleep_ns(MS / 5);
        }
    }
}

/* ---- those that change things ---------------------------------------------------------------- */

static void
changer(struct campaign *campaign)
{
    struct test_prng prng = {campaign->seed + 60};
    while (goes_on(campaign)) {
        uint32_t serial = 0;
        uint32_t number = test_random_below(&prng, FLOW_TICKETS);
        struct flow_ticket *ticket = &campaign->flow.tickets[number];
        leat_job_id id = flow_pick(&campaign->flow, number, &serial);
        uint64_t delay_ns = test_random_below(&prng, 4) * MS;
        uint32_t way = test_random_below(&prng, 8);
        if (id.bits == 0) {
            continue;
        }
        if (way < 2) {
            atom_store_rel(&ticket->tried, serial);
            if (leat_cancel(campaign->engine, id) == LEAT_OK) {
                atom_store_rel(&ticket->cancelled, serial);
            }
        } else if (way < 5) {
            atom_store_rel(&ticket->changed, serial);
            (void)!leat_reschedule(campaign->engine, id, leat_when_in(delay_ns));
        } else {
            uint32_t level = test_random_below(&prng, leat_priority_levels());
            (void)!leat_priority_set(campaign->engine, id, level);
        }
        test_sleep_ns(50000);
    }
}

static void
operator_pause(struct flow_queue *queue, struct campaign *campaign, uint64_t time_ns)
{
    flow_expect(&campaign->flow, leat_queue_pause(campaign->engine, queue->handle), LEAT_OK,
                "pause");
    atom_store_rel(&queue->late, 0);
    (void)atom_add_acq_rel(&queue->paused, 1);
    test_sleep_ns(time_ns);
    (void)atom_add_acq_rel(&queue->paused, 1);
    flow_expect(&campaign->flow, leat_queue_resume(campaign->engine, queue->handle), LEAT_OK,
                "resume");
}

static void
operator_drain(struct flow_queue *queue, struct campaign *campaign, uint64_t time_ns)
{
    enum leat_status status = leat_queue_drain(campaign->engine, queue->handle, time_ns);
    flow_expect(&campaign->flow, status, LEAT_TIMEOUT, "drain");
    (void)atom_add_acq_rel(&queue->closed, 1);
    test_sleep_ns(time_ns / 4);
    (void)atom_add_acq_rel(&queue->closed, 1);
    flow_expect(&campaign->flow, leat_queue_reopen(campaign->engine, queue->handle), LEAT_OK,
                "reopen");
}

static void
operator_gates(struct campaign *campaign, struct test_prng *prng)
{
    struct leat_engine *engine = campaign->engine;
    struct flow_queue *queues = campaign->flow.queues;
    uint32_t cap = 1 + test_random_below(prng, 3);
    struct leat_rate rate = leat_rate_of(RATE_JOBS, SECOND, RATE_BURST);
    struct leat_rate other = leat_rate_of(1000 + test_random_below(prng, 20000), SECOND, 0);
    uint32_t least = test_random_below(prng, 2);
    leat_queue capped = queues[QUEUE_CAP].handle;
    leat_queue pulled = queues[QUEUE_PULL_CAP].handle;
    leat_type type = campaign->flow.types[TYPE_RATE];
    flow_expect(&campaign->flow, leat_queue_set_running_max(engine, capped, cap), LEAT_OK,
                "queue cap");
    flow_expect(&campaign->flow, leat_queue_set_running_max(engine, pulled, cap), LEAT_OK,
                "pull cap");
    flow_expect(&campaign->flow,
                leat_type_set_running_max(engine, campaign->flow.types[TYPE_CAP], cap), LEAT_OK,
                "type cap");
    flow_expect(&campaign->flow, leat_queue_set_rate(engine, queues[QUEUE_RATE].handle, rate),
                LEAT_OK, "rate");
    flow_expect(&campaign->flow, leat_type_set_rate(engine, type, other), LEAT_OK, "type rate");
    flow_expect(&campaign->flow,
                leat_queue_set_running_min(engine, queues[QUEUE_MIN].handle, least), LEAT_FULL,
                "queue minimum");
    flow_expect(&campaign->flow,
                leat_type_set_running_min(engine, campaign->flow.types[TYPE_PLAIN], cap % 2),
                LEAT_FULL, "type minimum");
    flow_expect(&campaign->flow, leat_workers_set(engine, 1 + cap), LEAT_FULL, "workers");
}

static void
operator_limits(struct campaign *campaign, struct test_prng *prng)
{
    struct leat_tenant_options tenant = leat_tenant_options_default();
    for (uint32_t i = QUEUE_DROP; i <= QUEUE_BLOCK; i++) {
        struct leat_queue_limits limits = leat_queue_limits_default();
        limits.waiting_max = 1 + test_random_below(prng, 6);
        limits.waiting_bytes_max = test_random_below(prng, 2) * UINT64_C(4000);
        limits.full = i == QUEUE_DROP ? LEAT_FULL_DROP_OLDEST : LEAT_FULL_BLOCK;
        limits.block_ns = test_random_below(prng, 3) * MS;
        leat_queue queue = campaign->flow.queues[i].handle;
        flow_expect(&campaign->flow, leat_queue_set_limits(campaign->engine, queue, &limits),
                    LEAT_OK, "limit");
    }
    tenant.jobs_max = 4 + test_random_below(prng, 8);
    tenant.bytes_max = test_random_below(prng, 2) * UINT64_C(8000);
    flow_expect(&campaign->flow,
                leat_tenant_set_limits(campaign->engine, campaign->tenant, &tenant), LEAT_OK,
                "tenant");
}

/* Brings a letter back. Its completion may not have been taken yet. */
static void
revive(struct campaign *campaign, leat_job_id id, struct leat_when when)
{
    unsigned char payload[FLOW_PAYLOAD];
    struct flow_label label;
    size_t bytes = 0;
    if (leat_job_payload(campaign->engine, id, payload, sizeof(payload), &bytes) == LEAT_OK) {
        memcpy(&label, payload, sizeof(label));
        atom_store_rel(&campaign->flow.tickets[label.ticket].changed, label.serial);
        atom_store_rel(&campaign->flow.tickets[label.ticket].revived, label.serial);
        (void)!leat_dead_retry(campaign->engine, id, when);
    }
}

static void
revive_all(struct campaign *campaign, const struct leat_dead_query *query, struct leat_when when)
{
    atom_store_rel(&campaign->flow.revived_until, LEAT_FOREVER);
    enum leat_status status = leat_dead_retry_all(campaign->engine, query, when, NULL);
    flow_expect(&campaign->flow, status, LEAT_OK, "leat_dead_retry_all");
    atom_store_rel(&campaign->flow.revived_until, leat_os_boot_ns() + 5 * SECOND);
}

static void
operator_dead(struct campaign *campaign, struct test_prng *prng)
{
    struct leat_dead_query query = leat_dead_query_default();
    struct leat_when when = leat_when_in(test_random_below(prng, 2) * MS);
    leat_job_id ids[8];
    size_t count = 0;
    flow_expect(&campaign->flow, leat_dead_list(campaign->engine, &query, ids, 8, &count), LEAT_OK,
                "leat_dead_list");
    for (size_t i = 0; i < count; i++) {
        struct leat_attempt_info infos[2];
        size_t attempts = 0;
        infos[0] = leat_attempt_info_default();
        (void)!leat_job_attempts(campaign->engine, ids[i], infos, TEST_COUNT_OF(infos), &attempts);
        if (test_random_below(prng, 2) == 0) {
            (void)!leat_dead_delete(campaign->engine, ids[i]);
        } else {
            revive(campaign, ids[i], when);
        }
    }
    query = leat_dead_query_default();
    query.queue = campaign->flow.queues[FLOW_REVIVED].handle;
    if (test_random_below(prng, 32) == 0) {
        revive_all(campaign, &query, when);
    }
}

/* All that holds jobs up goes. */
static void
operator_ends(struct campaign *campaign)
{
    struct leat_engine *engine = campaign->engine;
    leat_queue queue = campaign->flow.queues[QUEUE_MIN].handle;
    leat_type plain = campaign->flow.types[TYPE_PLAIN];
    flow_expect(&campaign->flow, leat_queue_set_running_min(engine, queue, 0), LEAT_OK,
                "queue minimum");
    flow_expect(&campaign->flow, leat_type_set_running_min(engine, plain, 0), LEAT_OK,
                "type minimum");
    flow_expect(&campaign->flow, leat_workers_set(engine, WORKERS_MAX), LEAT_OK, "workers");
    atom_store_rel(&campaign->quiet, 1);
}

static void
operator_works(struct campaign *campaign)
{
    struct test_prng prng = {campaign->seed + 70};
    while (goes_on(campaign)) {
        struct flow_queue *queue = &campaign->flow.queues[test_random_below(&prng, FLOW_QUEUES)];
        struct leat_queue_info info = leat_queue_info_default();
        uint64_t time_ns = test_random_below(&prng, 8) * MS;
        /* Now and then so long that what begins all the same is more than what is late. */
        uint64_t pause_ns = test_random_below(&prng, 4) == 0 ? 16 * time_ns : time_ns;
        switch (test_random_below(&prng, 8)) {
        case 0:
            operator_pause(queue, campaign, pause_ns);
            break;
        case 1:
            operator_drain(queue, campaign, time_ns);
            break;
        case 2:
            operator_gates(campaign, &prng);
            break;
        case 3:
            operator_limits(campaign, &prng);
            break;
        case 4:
            operator_dead(campaign, &prng);
            break;
        case 5:
            flow_expect(&campaign->flow,
                        leat_queue_get_info(campaign->engine, queue->handle, &info), LEAT_OK,
                        "info");
            break;
        case 6:
            if (test_random_below(&prng, 8) == 0) {
                (void)atom_add_acq_rel(&queue->purges, 1);
                flow_expect(&campaign->flow,
                            leat_queue_purge(campaign->engine, queue->handle, NULL), LEAT_OK,
                            "purge");
            }
            break;
        default:
            test_sleep_ns(time_ns);
        }
    }
    operator_ends(campaign);
}

static void
reaper(struct campaign *campaign)
{
    uint64_t patience_ns = campaign->deadline_ns + TEST_PATIENCE_NS;
    uint32_t number = 0;
    while (atom_load_rlx(&campaign->flow.free) != FLOW_TICKETS || goes_on(campaign) ||
           atom_load_acq(&campaign->submitting) != 0 || atom_load_acq(&campaign->quiet) == 0) {
        struct leat_completion items[32];
        size_t taken = 0;
        enum leat_status status =
            leat_completion_queue_take(campaign->flow.ends, items, TEST_COUNT_OF(items), &taken);
        flow_expect(&campaign->flow, status, LEAT_EMPTY, "take");
        for (size_t i = 0; status == LEAT_OK && i < taken; i++) {
            flow_reap(&campaign->flow, &items[i]);
        }
        for (uint32_t i = 0; i < 64; i++) {
            flow_bury(&campaign->flow, number++ % FLOW_TICKETS);
        }
        if (atom_load_acq(&campaign->quiet) != 0 && number % FLOW_TICKETS == 0) {
            (void)!leat_dead_delete_all(campaign->engine, NULL, NULL);
        }
        if (leat_os_monotonic_ns() > patience_ns) {
            break;
        }
        if (status != LEAT_OK) {
            test_sleep_ns(MS / 10);
        }
    }
    atom_store_rel(&campaign->finished, 1);
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number < SUBMITTERS + CONSUMERS) {
        consumer(shared, number);
    } else if (number == ROLE_COMPLETER) {
        completer(shared);
    } else if (number == ROLE_CHANGER) {
        changer(shared);
    } else if (number == ROLE_OPERATOR) {
        operator_works(shared);
    } else {
        reaper(shared);
    }
}

/* ---- all together ---------------------------------------------------------------------------- */

static void
setup_queues(struct campaign *campaign)
{
    static const char *const names[FLOW_QUEUES] = {"plain", "one",   "cap",  "rate",    "drop",
                                                   "block", "least", "pull", "pull-cap"};
    CHECK_OK(leat_tenant_create(campaign->engine, "tenant", NULL, &campaign->tenant));
    for (uint32_t i = 0; i < FLOW_QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        struct flow_queue *queue = &campaign->flow.queues[i];
        options.pull = i >= QUEUE_PULL;
        if (i == QUEUE_DROP || i == QUEUE_BLOCK) {
            options.tenant = campaign->tenant;
            options.waiting_max = 4; /* from the start: what came before is not dropped */
            options.full = i == QUEUE_DROP ? LEAT_FULL_DROP_OLDEST : LEAT_FULL_BLOCK;
            options.block_ns = MS;
        }
        /* Those with limits are slow, so that they are reached. */
        bool one = i == QUEUE_ONE || i == QUEUE_DROP || i == QUEUE_BLOCK;
        queue->most = one ? 1 : i == QUEUE_CAP ? 3 : 0;
        options.running_max = queue->most;
        if (i == QUEUE_RATE) {
            options.rate = leat_rate_of(RATE_JOBS, SECOND, RATE_BURST);
        }
        CHECK_OK(leat_queue_create(campaign->engine, names[i], &options, &queue->handle));
    }
}

static void
setup_types(struct campaign *campaign)
{
    static const char *const names[FLOW_TYPES] = {"plain", "cap", "batch", "breaker", "rate"};
    struct leat_retry_policy retry = leat_retry_fixed(MS / 4);
    struct leat_breaker_options breaker = leat_breaker_options_default();
    breaker.open_ns = 4 * MS;
    breaker.window_calls = 20;
    for (uint32_t i = 0; i < FLOW_TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        options.retry = &retry;
        options.running_max = i == TYPE_CAP ? 3 : 0;
        options.breaker = i == TYPE_BREAKER ? &breaker : NULL;
        options.timeout_ns = 0;
        leat_type *type = &campaign->flow.types[i];
        if (i == TYPE_BATCH) {
            options.batch_max = BATCH_MAX;
            options.batch_delay_ns = MS;
            CHECK_OK(leat_type_register_batch(campaign->engine, names[i], batch_run, campaign,
                                              &options, type));
            continue;
        }
        CHECK_OK(leat_type_register(campaign->engine, names[i], job_run, campaign, &options, type));
        if (i == TYPE_PLAIN) {
            CHECK_OK(leat_type_middleware_add(campaign->engine, *type, around, campaign));
        }
    }
}

static struct campaign *
setup(uint64_t seconds, uint64_t seed)
{
    struct campaign *campaign = calloc(1, sizeof(*campaign));
    CHECK(campaign != NULL);
    test_memory_init(&campaign->memory);
    struct leat_config config = test_config();
    config.workers = 2;
    config.workers_max = WORKERS_MAX;
    config.jobs_max = 2 * FLOW_TICKETS;
    config.retained_max = 0;
    config.dead_max = 100;
    config.timer_tick_log2 = 16;
    config.allocator = test_memory_allocator(&campaign->memory);
    flow_init(&campaign->flow);
    campaign->seed = seed;
    campaign->engine = test_start(&config);
    campaign->flow.engine = campaign->engine;
    setup_queues(campaign);
    setup_types(campaign);
    CHECK_OK(leat_completion_queue_create(campaign->engine, FLOW_TICKETS, &campaign->flow.ends));
    (void)pthread_mutex_init(&campaign->mutex, NULL);
    atom_init(&campaign->submitting, SUBMITTERS);
    campaign->begin_ns = leat_os_monotonic_ns();
    campaign->deadline_ns = campaign->begin_ns + seconds * SECOND;
    return campaign;
}

/* What the engine counted is what the ledger has. */
static void
check_counts(struct campaign *campaign)
{
    struct flow *flow = &campaign->flow;
    struct leat_statistics sum = test_statistics(campaign->engine);
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&flow->submitted));
    CHECK(sum.jobs_completed >= atom_load_rlx(&flow->completed));
    CHECK(sum.jobs_dead >= atom_load_rlx(&flow->dead));
    CHECK(sum.jobs_cancelled >= atom_load_rlx(&flow->cancelled));
    CHECK_EQUAL(sum.jobs_submitted + sum.dead_retried,
                sum.jobs_completed + sum.jobs_dead + sum.jobs_cancelled);
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_scheduled + sum.jobs_retrying + sum.jobs_running, 0);
    CHECK_EQUAL(sum.dead_letters, 0);
    CHECK(sum.jobs_run >= atom_load_rlx(&flow->begun));
    for (uint32_t i = 0; i < FLOW_QUEUES; i++) {
        struct leat_queue_info info = leat_queue_info_default();
        const struct flow_queue *queue = &flow->queues[i];
        CHECK_OK(leat_queue_get_info(campaign->engine, queue->handle, &info));
        CHECK_EQUAL(info.waiting + info.waiting_bytes + info.scheduled, 0);
        CHECK_EQUAL(info.retrying + info.running, 0);
        CHECK_EQUAL(info.dropped, atom_load_rlx(&queue->dropped));
        CHECK(!info.paused && !info.draining);
    }
    struct leat_tenant_info tenant = leat_tenant_info_default();
    CHECK_OK(leat_tenant_get(campaign->engine, campaign->tenant, &tenant));
    CHECK_EQUAL(tenant.jobs + tenant.bytes, 0);
    CHECK_EQUAL(tenant.queues, 2);
    uint64_t time_ms = (leat_os_monotonic_ns() - campaign->begin_ns) / MS + 1000;
    CHECK(atom_load_rlx(&flow->queues[QUEUE_RATE].begun) <=
          RATE_BURST + time_ms * RATE_JOBS / 1000);
}

static int
run(uint64_t seconds, uint64_t seed)
{
    struct campaign *campaign = setup(seconds, seed);
    struct flow *flow = &campaign->flow;
    test_threads_run(THREADS, thread, campaign);
    uint64_t lost = FLOW_TICKETS - atom_load_rlx(&flow->free);
    uint64_t twice = atom_load_rlx(&flow->twice);
    uint64_t keys = atom_load_rlx(&flow->key_twice);
    uint64_t illegal = atom_load_rlx(&flow->illegal);
    if (lost == 0) {
        check_counts(campaign);
        CHECK_OK(leat_completion_queue_destroy(campaign->flow.ends));
        test_finish(campaign->engine);
        CHECK_EQUAL(test_memory_blocks(&campaign->memory), 0);
    }
    printf("flow: %" PRIu64 " jobs, %" PRIu64 " cancelled, %" PRIu64 " lost, %" PRIu64
           " twice, %" PRIu64 " of one key at once, %" PRIu64 " illegal, %.1f s, seed %" PRIu64
           "\n",
           atom_load_rlx(&flow->submitted), atom_load_rlx(&flow->cancelled), lost, twice, keys,
           illegal, (double)(leat_os_monotonic_ns() - campaign->begin_ns) / 1e9, seed);
    free(lost == 0 ? campaign : NULL);
    return lost + twice + keys + illegal == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_flow", "seconds", 2, 0, SECONDS_MAX};
    uint64_t seconds = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &seconds, &seed);
    return run(seconds, seed);
}
