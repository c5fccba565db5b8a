/* queue.c - what the engine adds to the waiting lists of the pool: the limit of a queue, and what
 * the lists ask of a job. */
#include "engine/gates.h"
#include "engine/order.h"
#include "engine/terms.h"
#include "engine/timers.h"

/* ---- the limit: jobs of the queue in phase PENDING ------------------------------------------- */

bool
leat_queue_room_take(struct leat_engine *engine, uint32_t queue, uint32_t most)
{
    leat_atomic_u32 *count = &engine->pool.queues[queue].count;
    /* room:A acquire -> room:C.  Carries: nothing but the number itself.
     * If relaxed: nothing changes. */
    uint32_t now = atom_load_acq(count);
    /* Ends: a swap fails only where another thread took or gave room. */
    while (now < most) {
        /* room:B acq_rel -> room:C.  Carries: as room:A.
         * If relaxed: as room:A. */
        if (atom_cas_acq_rel(count, &now, now + 1)) {
            return true;
        }
    }
    return false;
}

void
leat_queue_room_give(struct leat_engine *engine, uint32_t queue)
{
    /* room:C release -> room:A, room:B.  Carries: as room:A.
     * If relaxed: as room:A. */
    uint32_t before = atom_sub_rel(&engine->pool.queues[queue].count, 1);
    LEAT_ASSERT(before != 0);
}

void
leat_queue_room_force(struct leat_engine *engine, uint32_t queue)
{
    /* Behind it the job turns PENDING, and whoever takes it gives the room back. */
    (void)atom_add_rlx(&engine->pool.queues[queue].count, 1); /* rlx: ordered by change:B */
}

/* ---- who leaves without being taken --------------------------------------------------------- */

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    const struct leat_stand stand = {.type = leat_job_type(record),
                                     .queue = leat_job_queue(record),
                                     .level = leat_job_level(record),
                                     .counted = leat_job_counted(record)};
    return stand;
}

void
leat_queue_left(struct leat_engine *engine, struct leat_stand stand)
{
    if (stand.counted) {
        leat_queue_room_give(engine, stand.queue);
    }
    leat_lists_cancelled(&engine->pool, stand.level, stand.queue);
    leat_lists_cancelled(&engine->pool, stand.level, leat_gates_list(engine, stand.type));
    if (leat_gates_any(engine)) {
        leat_lists_cancelled(&engine->pool, stand.level, leat_places_list(engine, stand.type));
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
        leat_queue_room_give(engine, leat_job_queue(record));
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
