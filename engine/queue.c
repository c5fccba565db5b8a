/* queue.c - what the engine adds to the waiting lists of the pool: what the lists ask of a job. */
#include "engine/gates.h"
#include "engine/order.h"
#include "engine/terms.h"
#include "engine/timers.h"

/* ---- who leaves without being taken --------------------------------------------------------- */

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    const struct leat_stand stand = {.type = leat_job_type(record),
                                     .queue = leat_job_queue(record),
                                     .level = leat_job_level(record),
                                     .bytes = leat_job_payload_bytes(record),
                                     .counted = leat_job_counted(record)};
    return stand;
}

/* Its queue's, its type's, and where there are gates of its tenant and for places. */
#define LISTS_OF_JOB 5

/* The lists where it may wait, its queue's first; returns how many. */
static uint32_t
lists_of(struct leat_engine *engine, struct leat_stand stand, uint32_t lists[LISTS_OF_JOB])
{
    uint32_t count = 0;
    lists[count++] = stand.queue;
    lists[count++] = leat_gates_list(engine, stand.type);
    if (leat_gates_any(engine)) {
        lists[count++] = leat_places_list_queue(engine, stand.queue);
        lists[count++] = leat_places_list_type(engine, stand.type);
        uint32_t tenant = leat_room_tenant(engine, stand.queue);
        if (tenant != 0) {
            lists[count++] = leat_gates_list_tenant(engine, tenant - 1);
        }
    }
    return count;
}

void
leat_queue_left(struct leat_engine *engine, struct leat_stand stand)
{
    if (stand.counted) {
        leat_room_give(engine, stand.queue, stand.bytes);
    }
    /* In one of those behind its queue's it may be ahead of others, which wait for its place. */
    bool ahead = leat_order_exact(engine, stand.queue);
    uint32_t lists[LISTS_OF_JOB];
    uint32_t count = lists_of(engine, stand, lists);
    for (uint32_t i = 0; i < count; i++) {
        leat_lists_cancelled(&engine->pool, stand.level, lists[i]);
        if (LEAT_UNLIKELY(ahead) && i > 0) {
            leat_lists_sweep(&engine->pool, stand.level, lists[i]);
        }
    }
}

/* ---- what the lists ask --------------------------------------------------------------------- */

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    const struct leat_engine *engine = context;
    return &leat_job_record(engine, index)->link_next;
}

static uint32_t
queue_of(void *context, uint32_t index)
{
    const struct leat_engine *engine = context;
    return leat_job_queue(leat_job_record(engine, index));
}

/* As a worker ends one that it takes: with the number of a new attempt, which no token fits. False:
 * it was cancelled meanwhile, or changed. */
static bool
expire(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    uint32_t attempts = atom_load_rlx(&record->attempts); /* rlx: single writer */
    const struct leat_change take = {
        .from = LEAT_PHASE_PENDING,
        .to = LEAT_PHASE_RUNNING,
        .set = leat_word_attempt(attempts + 1),
        .clear = LEAT_WORD_LINKED | LEAT_WORD_ATTEMPT,
    };
    struct leat_ending expired = {LEAT_PHASE_DEAD, LEAT_REASON_EXPIRED, NULL, false};
    uint64_t before = 0;
    uint64_t after = 0;
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &take, &before, &after)) {
        return false;
    }
    if (leat_job_counted(record)) {
        leat_room_give(engine, leat_job_queue(record), leat_job_payload_bytes(record));
    }
    leat_gates_leave(engine, leat_job_record(engine, index)); /* its place ahead, if it has one */
    expired.late = atom_load_rlx(&record->late) != 0;         /* rlx: single writer */
    (void)leat_job_end(engine, index, expired);
    return true;
}

static bool
drop(void *context, uint32_t index)
{
    struct leat_engine *engine = context;
    /* rlx: ordered by let_go:A */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    if (LEAT_LIKELY(leat_word_phase(word) == LEAT_PHASE_PENDING)) {
        const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
        if (LEAT_LIKELY(extra == NULL) || !leat_terms_expired(engine, extra)) {
            return false;
        }
        if (expire(engine, index)) {
            return true;
        }
    }
    leat_gates_leave(engine, leat_job_record(engine, index));
    leat_timers_route(engine, index);
    return true;
}

struct leat_lists_ops
leat_queue_lists(struct leat_engine *engine)
{
    struct leat_lists_ops ops = {
        .link = link_of,
        .queue = queue_of,
        .drop = drop,
        .context = engine,
        .enter = leat_gates_enter,
        .leave = leat_gates_undo,
        .returned = leat_gates_returned,
        .node = leat_order_node,
        .before = leat_order_before,
    };
    return ops;
}
