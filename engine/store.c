/* store.c - the pull queue of an engine behind the table of a store. */
#include "engine/engine_internal.h"

struct queue_store {
    struct leat_engine *engine;
    leat_queue queue;
};

/* What a function answers to a batch, and says of each part. */
struct answer {
    enum leat_status first; /* that is not LEAT_OK */
    enum leat_status *statuses;
};

static void
answer_add(struct answer *answer, size_t i, enum leat_status status)
{
    if (answer->statuses != NULL) {
        answer->statuses[i] = status;
    }
    if (answer->first == LEAT_OK) {
        answer->first = status;
    }
}

/* Their parameters are those of struct leat_store: NOLINTBEGIN(readability-non-const-parameter) */

static enum leat_status
put_batch(void *context, const struct leat_store_job *jobs, size_t count,
          enum leat_status *statuses)
{
    const struct queue_store *store = context;
    struct answer answer = {LEAT_OK, statuses};
    for (size_t i = 0; i < count; i++) {
        struct leat_job job = leat_job_default();
        job.type_name = jobs[i].type_name;
        job.queue = store->queue;
        job.payload = jobs[i].payload;
        job.payload_bytes = jobs[i].payload_bytes;
        job.delay_ns = jobs[i].delay_ns;
        job.priority = jobs[i].priority;
        job.max_attempts = jobs[i].max_attempts;
        answer_add(&answer, i, leat_submit(store->engine, &job, NULL));
    }
    return answer.first;
}

static void
lease_fill(const struct queue_store *store, const struct leat_lease *from,
           struct leat_store_lease *lease)
{
    lease->token = from->token;
    lease->payload = from->payload;
    lease->payload_bytes = from->payload_bytes;
    lease->attempt = from->attempt;
    lease->max_attempts = from->max_attempts;
    enum leat_status status = leat_type_name(store->engine, from->type, &lease->type_name);
    LEAT_ASSERT(status == LEAT_OK);
}

/* At most so many in one call: they stand on the stack. */
#define TAKE_MAX 16

static enum leat_status
take_batch(void *context, const struct leat_store_take *what, struct leat_store_lease *leases,
           size_t *count)
{
    const struct queue_store *store = context;
    struct leat_lease taken[TAKE_MAX];
    struct leat_reserve_options options = leat_reserve_options_default();
    options.queue = store->queue;
    options.max = what->max < TAKE_MAX ? (uint32_t)what->max : TAKE_MAX;
    options.lease_ns = what->lease_ns;
    options.timeout_ns = what->timeout_ns;
    options.buffer = what->buffer;
    options.buffer_bytes = what->buffer_bytes;
    size_t some = 0;
    enum leat_status status = leat_reserve(store->engine, &options, taken, &some);
    if (status != LEAT_OK) {
        return status;
    }
    for (size_t i = 0; i < some; i++) {
        lease_fill(store, &taken[i], &leases[i]);
    }
    *count = some;
    return LEAT_OK;
}

static enum leat_status
ack_batch(void *context, const leat_token *tokens, size_t count, enum leat_status *statuses)
{
    const struct queue_store *store = context;
    struct answer answer = {LEAT_OK, statuses};
    for (size_t i = 0; i < count; i++) {
        answer_add(&answer, i, leat_ack(store->engine, tokens[i], NULL, 0));
    }
    return answer.first;
}

static enum leat_status
nack_batch(void *context, const struct leat_store_nack *nacks, size_t count,
           enum leat_status *statuses)
{
    const struct queue_store *store = context;
    struct answer answer = {LEAT_OK, statuses};
    for (size_t i = 0; i < count; i++) {
        const struct leat_store_nack *nack = &nacks[i];
        answer_add(&answer, i, leat_nack(store->engine, nack->token, nack->delay_ns, nack->error));
    }
    return answer.first;
}

static enum leat_status
extend_batch(void *context, const leat_token *tokens, size_t count, uint64_t lease_ns,
             enum leat_status *statuses)
{
    const struct queue_store *store = context;
    struct answer answer = {LEAT_OK, statuses};
    for (size_t i = 0; i < count; i++) {
        answer_add(&answer, i, leat_extend(store->engine, tokens[i], lease_ns));
    }
    return answer.first;
}

/* NOLINTEND(readability-non-const-parameter) */

static void
close_store(void *context)
{
    struct queue_store *store = context;
    leat_memory_give(&store->engine->memory, store, sizeof(*store));
}

enum leat_status
leat_queue_store(struct leat_engine *engine, leat_queue queue, struct leat_store *store)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (store == NULL) {
        return LEAT_INVALID;
    }
    if (!leat_registry_queue_there(engine, queue.bits - 1)) {
        return LEAT_NOT_FOUND;
    }
    if (!leat_queue_pulls(engine, queue.bits - 1)) {
        return LEAT_WRONG_STATE;
    }
    struct queue_store *made = leat_memory_take(&engine->memory, sizeof(*made));
    if (made == NULL) {
        return LEAT_NO_MEMORY;
    }
    made->engine = engine;
    made->queue = queue;
    *store = (struct leat_store){.put_batch = put_batch,
                                 .take_batch = take_batch,
                                 .ack_batch = ack_batch,
                                 .nack_batch = nack_batch,
                                 .extend_batch = extend_batch,
                                 .close = close_store,
                                 .context = made};
    return LEAT_OK;
}
