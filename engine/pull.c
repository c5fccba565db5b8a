/* pull.c - taking jobs of pull queues, and giving them back, see pull.h. */
#include "engine/pull.h"

#include <string.h>

#include "engine/gates.h"
#include "engine/timers.h"
#include "ring/rcu.h"

/* ---- telling -------------------------------------------------------------------------------- */

void
leat_pull_tell_all(struct leat_engine *engine)
{
    for (uint32_t queue = 0; queue < engine->config.queues_max; queue++) {
        leat_pull_tell(engine, queue);
    }
}

/* ---- taking --------------------------------------------------------------------------------- */

/* What one call of leat_reserve() has come to. */
struct taking {
    struct leat_engine *engine;
    const struct leat_reserve_options *asked;
    struct leat_lease *leases;
    uint32_t count; /* taken so far */
    size_t bytes;   /* of the buffer, used so far */
    bool shut;      /* no more by now: enough, or the gate is shut */
    bool too_small; /* the buffer, for the next one */
};

/* There is room for one more job, and its payload. */
static bool
fits(struct taking *taking, size_t bytes)
{
    const struct leat_reserve_options *asked = taking->asked;
    size_t begin = leat_round_up(taking->bytes, LEAT_PAYLOAD_ALIGNMENT);
    if (taking->count == asked->max) {
        return false;
    }
    taking->too_small =
        bytes != 0 && (begin > asked->buffer_bytes || bytes > asked->buffer_bytes - begin);
    return !taking->too_small;
}

/* Where the payload goes. pre: it fits. */
static void *
place_of(struct taking *taking, size_t bytes)
{
    size_t begin = leat_round_up(taking->bytes, LEAT_PAYLOAD_ALIGNMENT);
    if (bytes == 0) {
        return NULL;
    }
    taking->bytes = begin + bytes;
    return (unsigned char *)taking->asked->buffer + begin;
}

static void
lease_fill(struct leat_lease *lease, const struct leat_run *run)
{
    lease->id = leat_run_id(run);
    lease->token = leat_run_token(run);
    lease->type = leat_run_type(run);
    lease->priority = leat_run_priority(run);
    lease->attempt = run->attempt;
    lease->max_attempts = run->max_attempts;
    lease->payload_bytes = leat_job_payload_bytes(run->record);
}

/* Of struct leat_taker: the oldest job of its list. */
static bool
take_one(void *context, uint32_t index)
{
    struct taking *taking = context;
    struct leat_engine *engine = taking->engine;
    struct leat_run run = leat_run_of(engine, index);
    taking->shut = !fits(taking, leat_job_payload_bytes(run.record)) ||
                   !leat_gates_enter_pull(engine, run.record);
    if (taking->shut) {
        return false;
    }
    if (leat_run_lease(&run)) {
        struct leat_lease *lease = &taking->leases[taking->count++];
        lease_fill(lease, &run);
        lease->payload = place_of(taking, lease->payload_bytes);
        return true;
    }
    leat_gates_leave(engine, run.record);
    leat_timers_route(engine, index);
    return true;
}

/* Of one level, as much as is wanted. False: the engine is not RUNNING. Ends: each round deals what
 * others have listed, or waits for who holds the role. */
static bool
take_level(struct taking *taking, uint32_t level)
{
    struct leat_engine *engine = taking->engine;
    const struct leat_taker taker = {take_one, taking};
    enum leat_taken taken = LEAT_TAKEN_PART;
    bool runs = true;
    while (runs && taken != LEAT_TAKEN_ALL) {
        leat_rcu_enter();
        runs = leat_engine_state_now(engine) == LEAT_ENGINE_RUNNING;
        if (runs) {
            taken = leat_lists_take(&engine->pool, level, taking->asked->queue.bits - 1, &taker);
        }
        leat_rcu_leave(&engine->domain);
        if (taken == LEAT_TAKEN_BUSY) {
            leat_os_yield();
        }
    }
    return runs;
}

/* The consumer gets the payload, and then its time begins. */
static void
lend(struct taking *taking, struct leat_lease *lease)
{
    uint32_t index = (uint32_t)(lease->id.bits & LEAT_INDEX_NONE);
    struct leat_run run = leat_run_of(taking->engine, index);
    run.number = (uint32_t)lease->token.attempt;
    run.attempt = lease->attempt;
    run.max_attempts = lease->max_attempts;
    if (lease->payload_bytes != 0) {
        memcpy(lease->payload, leat_run_payload(&run, NULL), lease->payload_bytes);
    }
    lease->due_in_ns = taking->asked->lease_ns;
    leat_run_await(&run, lease->due_in_ns);
}

/* What is due comes to the lists. With no workers nobody else may come by. */
static void
due_bring(struct leat_engine *engine)
{
    if (engine->config.workers != 0) {
        return;
    }
    leat_buckets_look(engine);
    /* Ends: a round hands out what is due by then. */
    while (leat_timers_advance(engine, 0)) {
    }
}

/* Why nothing can be taken now, if so. Counted as a change from LEAT_OK on. */
static enum leat_status
round_begin(struct leat_engine *engine)
{
    enum leat_status status = LEAT_CLOSED;
    leat_rcu_enter();
    switch (leat_engine_state_now(engine)) {
    case LEAT_ENGINE_RUNNING:
        leat_change_begins(engine);
        status = LEAT_OK;
        break;
    case LEAT_ENGINE_OPEN:
        status = LEAT_WRONG_STATE;
        break;
    case LEAT_ENGINE_DRAINING:
    case LEAT_ENGINE_STOPPING:
    case LEAT_ENGINE_STOPPED:
        break;
    }
    leat_rcu_leave(&engine->domain);
    return status;
}

/* Takes what there is. LEAT_EMPTY: nothing. */
static enum leat_status
take_round(struct taking *taking)
{
    struct leat_engine *engine = taking->engine;
    enum leat_status status = round_begin(engine);
    if (status != LEAT_OK) {
        return status;
    }
    bool runs = true;
    due_bring(engine);
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS && runs && !taking->shut; level++) {
        runs = take_level(taking, level);
    }
    for (uint32_t i = 0; i < taking->count; i++) {
        lend(taking, &taking->leases[i]);
    }
    leat_change_ends(engine);
    if (taking->count != 0) {
        return LEAT_OK;
    }
    status = taking->too_small ? LEAT_FULL : LEAT_EMPTY;
    return runs ? status : LEAT_CLOSED;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static enum leat_status
take_or_wait(struct taking *taking)
{
    struct leat_engine *engine = taking->engine;
    struct leat_takers *takers = &engine->pool.queues[taking->asked->queue.bits - 1].takers;
    uint64_t timeout_ns = taking->asked->timeout_ns;
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    for (;;) {
        uint32_t news = leat_takers_look(takers);
        taking->shut = false;
        enum leat_status status = take_round(taking);
        if (status != LEAT_EMPTY || timeout_ns == 0) {
            return status;
        }
        if (leat_engine_within(engine)) {
            return LEAT_DEADLOCK;
        }
        uint64_t now_ns = leat_os_monotonic_ns();
        if (now_ns >= deadline_ns) {
            return LEAT_TIMEOUT;
        }
        /* What comes due is no event where there is no worker that brings it. */
        uint64_t look_ns = engine->config.workers == 0 ? now_ns + LEAT_LENT_LOOK_NS : UINT64_MAX;
        leat_takers_wait(takers, news, look_ns < deadline_ns ? look_ns : deadline_ns);
    }
}

static enum leat_status
reserve_read(const struct leat_engine *engine, const struct leat_reserve_options *given,
             struct leat_reserve_options *asked)
{
    *asked = leat_reserve_options_default();
    enum leat_status status = leat_struct_read(asked, sizeof(*asked), given);
    if (status != LEAT_OK) {
        return status;
    }
    if (asked->max == 0 || (asked->buffer == NULL && asked->buffer_bytes != 0) ||
        (uintptr_t)asked->buffer % LEAT_PAYLOAD_ALIGNMENT != 0) {
        return LEAT_INVALID;
    }
    if (!leat_registry_queue_there(engine, asked->queue.bits - 1)) {
        return LEAT_NOT_FOUND;
    }
    asked->lease_ns = asked->lease_ns == 0 ? LEAT_LEASE_NS_DEFAULT : asked->lease_ns;
    return leat_queue_pulls(engine, asked->queue.bits - 1) ? LEAT_OK : LEAT_WRONG_STATE;
}

enum leat_status
leat_reserve(struct leat_engine *engine, const struct leat_reserve_options *options,
             struct leat_lease *leases, size_t *count)
{
    enum leat_status status = leat_engine_check(engine);
    struct leat_reserve_options asked;
    if (status == LEAT_OK && (options == NULL || leases == NULL || count == NULL)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = reserve_read(engine, options, &asked);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_takers *takers = &engine->pool.queues[asked.queue.bits - 1].takers;
    struct taking taking = {.engine = engine, .asked = &asked, .leases = leases};
    leat_takers_enter(takers, &engine->pool.anchor);
    status = take_or_wait(&taking);
    leat_takers_leave(takers);
    if (status == LEAT_OK) {
        *count = taking.count;
    }
    return status;
}

/* ---- giving back ---------------------------------------------------------------------------- */

enum leat_status
leat_ack(struct leat_engine *engine, leat_token token, const void *result, size_t result_bytes)
{
    struct leat_answer answer = leat_answer_default();
    answer.result = result;
    answer.result_bytes = result_bytes;
    return leat_complete_with(engine, token, &answer);
}

enum leat_status
leat_nack(struct leat_engine *engine, leat_token token, uint64_t delay_ns, const char *error)
{
    return leat_complete(engine, token, leat_retry_in(delay_ns), error);
}

enum leat_status
leat_extend(struct leat_engine *engine, leat_token token, uint64_t lease_ns)
{
    uint64_t ns = lease_ns == 0 ? LEAT_LEASE_NS_DEFAULT : lease_ns;
    return leat_pending_extend(engine, token, ns);
}

enum leat_status
leat_lease_release(struct leat_engine *engine, leat_token token)
{
    return leat_complete(engine, token, leat_snooze(0), NULL);
}
