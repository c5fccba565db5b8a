/* completion.c - completion queues, see completion.h. */
#include "engine/completion.h"

#include <inttypes.h>

#include "ring/rcu.h"

/* The record's number: 1 + the queue's above the slot's. */
LEAT_STATIC((UINT64_C(1) + LEAT_COMPLETION_QUEUES_MAX) << LEAT_RING_SLOTS_LOG2_MAX <= UINT32_MAX,
            "a queue and a slot fit the record's number");

/* ---- a job's slot --------------------------------------------------------------------------- */

static struct leat_completion_queue *
queue_of(const struct leat_engine *engine, uint32_t completion)
{
    uint32_t number = leat_completion_number(completion);
    /* Set before any job could name it. rlx: ordered by submit:A */
    return atom_load_rlx(&engine->completions[number]);
}

static uint32_t
slot_of(uint32_t completion)
{
    return completion & (LEAT_COMPLETION_SLOTS_MAX - 1);
}

/* There are fewer slots than the ring has places, so it has room. Ends: a ring that blocks may say
 * full while a thread is in the middle of a pop. */
static void
put(struct leat_mpmc *ring, uint32_t slot)
{
    while (LEAT_UNLIKELY(!leat_mpmc_push(ring, slot))) {
        leat_os_yield();
    }
}

enum leat_status
leat_completion_reserve(struct leat_completion_queue *queue, void *user, uint32_t *completion)
{
    uint32_t slot = 0;
    if (!leat_mpmc_pop(&queue->free, &slot)) {
        return LEAT_FULL;
    }
    queue->slots[slot].user = user;
    *completion = (queue->number + 1) << LEAT_RING_SLOTS_LOG2_MAX | slot;
    return LEAT_OK;
}

void
leat_completion_release(const struct leat_engine *engine, uint32_t completion)
{
    if (LEAT_UNLIKELY(completion != 0)) {
        put(&queue_of(engine, completion)->free, slot_of(completion));
    }
}

void
leat_completion_deliver(struct leat_engine *engine, uint32_t completion,
                        struct leat_completion_end end)
{
    uint32_t slot = slot_of(completion);
    /* From the push on the host may have taken it and destroy the queue: that waits for us. */
    leat_rcu_enter();
    struct leat_completion_queue *queue = queue_of(engine, completion);
    struct leat_completion *what = &queue->slots[slot];
    what->id = end.id;
    what->state = (enum leat_job_state)end.phase;
    what->reason = end.reason;
    what->kind = end.kind;
    what->status = end.status;
    put(&queue->ready, slot);
    leat_doorbell_ring(&queue->doorbell);
    leat_rcu_leave(&engine->domain);
}

/* ---- the host's side ------------------------------------------------------------------------ */

static enum leat_status
queue_check(const struct leat_completion_queue *queue)
{
    return queue == NULL ? LEAT_INVALID : leat_engine_check(queue->engine);
}

enum leat_status
leat_completion_queue_descriptor(struct leat_completion_queue *queue, int *descriptor)
{
    enum leat_status status = queue_check(queue);
    if (status == LEAT_OK && descriptor == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        *descriptor = queue->doorbell.descriptor;
    }
    return status;
}

enum leat_status
leat_completion_queue_take(struct leat_completion_queue *queue, struct leat_completion *items,
                           size_t capacity, size_t *taken)
{
    enum leat_status status = queue_check(queue);
    if (status != LEAT_OK) {
        return status;
    }
    if (items == NULL || capacity == 0 || taken == NULL) {
        return LEAT_INVALID;
    }
    uint32_t slot = 0;
    size_t count = 0;
    while (count < capacity && leat_mpmc_pop(&queue->ready, &slot)) {
        items[count++] = queue->slots[slot];
        put(&queue->free, slot);
    }
    if (count < capacity) {
        leat_doorbell_listen(&queue->doorbell);
        if (leat_mpmc_ready(&queue->ready)) {
            leat_doorbell_ring(&queue->doorbell);
        }
    }
    if (count == 0) {
        return LEAT_EMPTY;
    }
    *taken = count;
    return LEAT_OK;
}

/* ---- create and destroy --------------------------------------------------------------------- */

/* The queue, the memory of its rings and its slots, one behind the other. */
struct layout {
    uint32_t slots_log2;
    size_t ready;
    size_t free;
    size_t slots;
    size_t bytes;
};

static struct layout
layout_of(uint32_t slots)
{
    struct layout layout = {.slots_log2 = leat_log2_up(slots)};
    if (layout.slots_log2 < LEAT_RING_SLOTS_LOG2_MIN) {
        layout.slots_log2 = LEAT_RING_SLOTS_LOG2_MIN;
    }
    size_t ring = leat_round_up(leat_mpmc_bytes(layout.slots_log2), LEAT_LINE_BYTES);
    layout.ready = leat_round_up(sizeof(struct leat_completion_queue), LEAT_LINE_BYTES);
    layout.free = layout.ready + ring;
    layout.slots = layout.free + ring;
    layout.bytes = layout.slots + sizeof(struct leat_completion) * slots;
    return layout;
}

static void
queue_unmap(struct leat_completion_queue *queue)
{
    struct leat_engine *engine = queue->engine;
    const size_t bytes = queue->bytes;
    leat_doorbell_fini(&queue->doorbell);
    leat_os_unmap(queue, bytes);
    leat_footprint_give(engine, bytes);
}

static enum leat_os_result
queue_map(struct leat_engine *engine, uint32_t slots, struct leat_completion_queue **mapped)
{
    const struct layout layout = layout_of(slots);
    if (!leat_footprint_call_takes(engine, layout.bytes)) {
        return LEAT_OS_NO_MEMORY;
    }
    struct leat_completion_queue *queue = leat_os_map(layout.bytes);
    if (queue == NULL) {
        leat_footprint_give(engine, layout.bytes);
        return LEAT_OS_NO_MEMORY;
    }
    const struct leat_pool_config pool = leat_config_pool(&engine->config);
    enum leat_os_result result = leat_pool_prepare(&pool, queue, layout.bytes);
    if (result == LEAT_OS_OK) {
        result = leat_doorbell_init(&queue->doorbell);
    }
    if (result != LEAT_OS_OK) {
        leat_os_unmap(queue, layout.bytes);
        leat_footprint_give(engine, layout.bytes);
        return result;
    }
    unsigned char *base = (unsigned char *)queue;
    const struct leat_ring_config ready = {.slots_log2 = layout.slots_log2,
                                           .memory = base + layout.ready};
    const struct leat_ring_config free = {.slots_log2 = layout.slots_log2,
                                          .memory = base + layout.free};
    leat_mpmc_init(&queue->ready, &ready);
    leat_mpmc_init(&queue->free, &free);
    queue->engine = engine;
    queue->bytes = layout.bytes;
    queue->slots_count = slots;
    queue->slots = (struct leat_completion *)(void *)(base + layout.slots);
    for (uint32_t slot = 0; slot < slots; slot++) {
        put(&queue->free, slot);
    }
    *mapped = queue;
    return LEAT_OS_OK;
}

/* Gives the queue a number. False: there are as many as there may be. */
static bool
queue_enter(struct leat_engine *engine, struct leat_completion_queue *queue)
{
    for (uint32_t number = 0; number < LEAT_COMPLETION_QUEUES_MAX; number++) {
        void *none = NULL;
        queue->number = number;
        /* The host carries the queue to those who use it. rlx: ordered by submit:A */
        if (atom_cas_rlx(&engine->completions[number], &none, (void *)queue)) {
            return true;
        }
    }
    return false;
}

enum leat_status
leat_completion_queue_create(struct leat_engine *engine, uint32_t slots,
                             struct leat_completion_queue **queue)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (slots == 0 || slots > LEAT_COMPLETION_SLOTS_MAX || queue == NULL) {
        return LEAT_INVALID;
    }
    struct leat_completion_queue *created = NULL;
    enum leat_os_result result = queue_map(engine, slots, &created);
    if (result != LEAT_OS_OK) {
        return leat_status_of(result);
    }
    if (!queue_enter(engine, created)) {
        queue_unmap(created);
        return LEAT_FULL;
    }
    *queue = created;
    return LEAT_OK;
}

enum leat_status
leat_completion_queue_destroy(struct leat_completion_queue *queue)
{
    enum leat_status status = queue_check(queue);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_engine *engine = queue->engine;
    /* `free` rests, by the contract; ends of jobs move slots to `ready`. */
    if (leat_mpmc_count(&queue->free) + leat_mpmc_count(&queue->ready) < queue->slots_count) {
        return LEAT_BUSY;
    }
    /* Who has delivered the last one may still be at the doorbell. */
    leat_rcu_wait(&engine->domain);
    atom_store_rlx(&engine->completions[queue->number],
                   (void *)NULL); /* rlx: ordered by submit:A */
    queue_unmap(queue);
    return LEAT_OK;
}

void
leat_completions_fini(struct leat_engine *engine)
{
    for (uint32_t number = 0; number < LEAT_COMPLETION_QUEUES_MAX; number++) {
        /* rlx: single writer */
        struct leat_completion_queue *queue = atom_load_rlx(&engine->completions[number]);
        if (queue != NULL) {
            queue_unmap(queue);
        }
    }
}

/* ---- checks --------------------------------------------------------------------------------- */

bool
leat_completion_check(const struct leat_completion_queue *queue, uint32_t reserved, FILE *why)
{
    uint64_t free = leat_mpmc_count(&queue->free);
    uint64_t ready = leat_mpmc_count(&queue->ready);
    bool good = leat_mpmc_check(&queue->free, why) && leat_mpmc_check(&queue->ready, why);
    if (free + ready + reserved != queue->slots_count) {
        good = false;
        if (why != NULL) {
            (void)fprintf(why, "completion: I1: %" PRIu64 " free, %" PRIu64 " ready, %u of jobs\n",
                          free, ready, reserved);
        }
    }
    return good;
}
