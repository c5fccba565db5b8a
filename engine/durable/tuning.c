/* tuning.c - queues in the log: how they were made, and what calls have set of them since then.
 *
 * As with jobs (durable.h), a record says how the queue is, not what was done: who has set
 * something takes a version, then looks at all that was ever set, and appends that. So of two
 * records the one with the higher version has what the other has, in whatever order they come into
 * the log, and no lock stands around a change: that may end jobs, which may wait for the cleaner.
 * The cleaner copies the record of the highest version that was appended, as it is.
 * Why so: docs/design/0041. */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/gates.h"
#include "engine/key_rates.h"
#include "engine/order.h"

/* ---- how it was made ------------------------------------------------------------------------- */

void
leat_durable_queue_slowly(struct leat_engine *engine, uint32_t queue)
{
    uint64_t options = leat_queue_options(engine, queue);
    const struct leat_durable_queue made = {.format = LEAT_DURABLE_FORMAT,
                                            .priority = (uint8_t)leat_queue_priority(options),
                                            .pull = (options & LEAT_QUEUE_PULL) != 0,
                                            .exact = (options & LEAT_QUEUE_EXACT) != 0};
    const char *name = leat_names_text(&engine->queues, queue);
    const struct leat_wal_entry entry = {.tag = LEAT_DURABLE_QUEUE,
                                         .head = &made,
                                         .head_bytes = sizeof(made),
                                         .data = name,
                                         .data_bytes = (uint32_t)strlen(name)};
    (void)leat_durable_append(engine->durable, &entry);
}

/* ---- what is set ----------------------------------------------------------------------------- */

/* Who sets a rate has the mutex while its jobs are called, which may append. */
static void
rates_look(struct leat_engine *engine, uint32_t queue, struct leat_durable_tuning *tuning)
{
    leat_wal_lock(&engine->durable->wal, &engine->buckets.mutex);
    tuning->rate = leat_buckets_get(engine, queue);
    tuning->key_rate = leat_key_rates_get(engine, queue);
    leat_mutex_unlock(&engine->buckets.mutex);
}

/* Its limits have a tenant; or had, and nobody has asked for the queue again so far. */
static bool
waits_for_tenant(const struct leat_engine *engine, uint32_t queue)
{
    uint64_t options = leat_queue_options(engine, queue);
    bool kept = (options & (LEAT_QUEUE_REVIVED | LEAT_QUEUE_LIMITED)) == LEAT_QUEUE_REVIVED;
    return kept || leat_room_tenant(engine, queue) != 0;
}

static struct leat_durable_tuning
look(struct leat_engine *engine, uint32_t queue)
{
    struct leat_durable_tuned *tuned = &engine->durable->tuned[queue];
    /* tuned:A acq_rel -> tuned:A.  Carries: what those have set who took versions before.
     * If relaxed: a higher version could stand for an older look. */
    uint32_t version = atom_add_acq_rel(&tuned->version, 1) + 1;
    uint64_t gate = atom_load_rlx(&leat_gate_of(engine, queue)->word); /* rlx: ordered by tuned:A */
    const uint32_t most = leat_gate_most(gate);
    const struct leat_queue_limits limits = leat_room_limits(engine, queue);
    struct leat_durable_tuning tuning = {
        .format = LEAT_DURABLE_FORMAT,
        .tuned = (uint16_t)atom_load_rlx(&tuned->tuned), /* rlx: ordered by tuned:A */
        .version = version,
        .running_max = most == LEAT_GATE_MOST ? 0 : most,
        .running_min = leat_reserves_get(engine, queue),
        .weight = leat_weight_of(engine, queue),
        .waiting_max = limits.waiting_max,
        .full = (uint32_t)limits.full,
        .waiting_bytes_max = limits.waiting_bytes_max,
        .block_ns = limits.block_ns,
    };
    tuning.flags = (gate & LEAT_GATE_PAUSED) != 0 ? LEAT_DURABLE_PAUSED : 0;
    tuning.flags |= waits_for_tenant(engine, queue) ? LEAT_DURABLE_TENANT : 0;
    rates_look(engine, queue, &tuning);
    return tuning;
}

/* Its bytes in the log count as live from the first one on. */
static void
noted(struct leat_durable *durable, uint32_t queue, uint32_t version, size_t bytes)
{
    leat_atomic_u32 *highest = &durable->tuned[queue].noted;
    uint32_t now = atom_load_rlx(highest); /* rlx: hint, re-checked at tuned:B */
    bool first = false;
    /* Ends: a swap fails only where another one has noted. */
    do {
        first = now == 0;
        /* tuned:B release -> tuned:C.  Carries: that the record is in the log's ring.
         * If relaxed: the cleaner could let go of the one before, and not wait for this one. */
    } while ((int32_t)(version - now) > 0 && !atom_cas_rel(highest, &now, version));
    if (first) {
        uint32_t size = (uint32_t)leat_bytes_size(bytes);
        (void)atom_add_rlx(&durable->live_bytes, size); /* rlx: statistic */
    }
}

static void
note(struct leat_engine *engine, uint32_t queue)
{
    const char *name = leat_names_text(&engine->queues, queue);
    const struct leat_durable_tuning tuning = look(engine, queue);
    const struct leat_wal_entry entry = {.tag = LEAT_DURABLE_TUNING,
                                         .head = &tuning,
                                         .head_bytes = sizeof(tuning),
                                         .data = name,
                                         .data_bytes = (uint32_t)strlen(name)};
    if (leat_durable_append_as(engine->durable, &entry, NULL, LEAT_WAL_FIRST) == LEAT_OK) {
        noted(engine->durable, queue, tuning.version, sizeof(tuning) + entry.data_bytes);
    }
}

enum leat_status
leat_durable_tuned_slowly(struct leat_engine *engine, uint32_t queue, enum leat_tuned what)
{
    struct leat_durable *durable = engine->durable;
    /* rlx: ordered by tuned:A */
    (void)atom_or_rlx(&durable->tuned[queue].tuned, (uint32_t)what);
    if (!durable->closing) {
        leat_durable_pace(durable);
        note(engine, queue);
    }
    return leat_durable_settle(engine, LEAT_OK);
}

uint32_t
leat_durable_tuned_by_calls_slowly(const struct leat_engine *engine, uint32_t queue)
{
    const struct leat_durable_tuned *tuned = engine->durable->tuned;
    return tuned == NULL ? 0 : atom_load_rlx(&tuned[queue].tuned); /* rlx: statistic */
}

/* ---- reading --------------------------------------------------------------------------------- */

enum leat_status
leat_durable_tuning_read(struct leat_durable_named *named, const struct leat_wal_record *record)
{
    size_t head = sizeof(named->tuning);
    if (record->bytes <= head || record->bytes - head > LEAT_NAME_BYTES_MAX) {
        return LEAT_CORRUPT;
    }
    memcpy(&named->tuning, record->data, head);
    if (named->tuning.format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    memset(named->name, 0, sizeof(named->name));
    memcpy(named->name, record->data + head, record->bytes - head);
    return leat_name_valid(named->name) ? LEAT_OK : LEAT_CORRUPT;
}

/* ---- back ------------------------------------------------------------------------------------ */

static bool
has(const struct leat_durable_tuning *tuning, enum leat_tuned what)
{
    return (tuning->tuned & (uint32_t)what) != 0;
}

/* What this build cannot have. */
static bool
is_valid(const struct leat_durable_tuning *tuning)
{
    return tuning->running_max <= LEAT_RUNNING_MAX && leat_rate_valid(&tuning->rate) &&
           (!has(tuning, LEAT_TUNED_WEIGHT) || leat_weight_valid(tuning->weight));
}

/* With a tenant they wait for who brings it. */
static enum leat_status
limits_revive(struct leat_engine *engine, uint32_t queue, const struct leat_durable_tuning *tuning)
{
    const leat_tenant none = {0};
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = tuning->waiting_max;
    limits.full = (enum leat_full_policy)tuning->full;
    limits.waiting_bytes_max = tuning->waiting_bytes_max;
    limits.block_ns = tuning->block_ns;
    enum leat_status status = leat_room_check(engine, &limits, none);
    if (status != LEAT_OK) {
        return status;
    }
    return (tuning->flags & LEAT_DURABLE_TENANT) != 0 ? leat_room_keep(engine, queue, &limits)
                                                      : leat_room_set(engine, queue, &limits, none);
}

/* In front of its jobs, of which none runs yet. */
static enum leat_status
gates_revive(struct leat_engine *engine, uint32_t queue, const struct leat_durable_tuning *tuning)
{
    enum leat_status status = LEAT_OK;
    if (has(tuning, LEAT_TUNED_PAUSE) && (tuning->flags & LEAT_DURABLE_PAUSED) != 0) {
        leat_gates_pause(engine, queue);
    }
    if (has(tuning, LEAT_TUNED_RUNNING_MAX)) {
        leat_gates_cap(engine, queue, tuning->running_max);
    }
    if (has(tuning, LEAT_TUNED_RATE)) {
        leat_gates_rate(engine, queue, &tuning->rate);
    }
    if (has(tuning, LEAT_TUNED_WEIGHT)) {
        leat_order_weigh(engine, queue, tuning->weight);
    }
    if (has(tuning, LEAT_TUNED_KEY_RATE)) {
        status = leat_key_rates_set(engine, queue, &tuning->key_rate);
    }
    return status;
}

enum leat_status
leat_durable_tuning_revive(struct leat_engine *engine, uint32_t queue,
                           const struct leat_durable_tuning *tuning)
{
    struct leat_durable_tuned *tuned = &engine->durable->tuned[queue];
    uint32_t what = tuning->tuned;
    enum leat_status status = is_valid(tuning) ? gates_revive(engine, queue, tuning) : LEAT_INVALID;
    if (status == LEAT_OK && has(tuning, LEAT_TUNED_LIMITS)) {
        status = limits_revive(engine, queue, tuning);
    }
    /* There may be fewer workers now: then its options may say one. */
    if (status == LEAT_OK && has(tuning, LEAT_TUNED_RUNNING_MIN) &&
        leat_reserves_set(engine, queue, tuning->running_min) != LEAT_OK) {
        what &= ~(uint32_t)LEAT_TUNED_RUNNING_MIN;
    }
    if (status != LEAT_OK) {
        return status;
    }
    atom_store_rlx(&tuned->tuned, what);              /* rlx: not shared yet */
    atom_store_rlx(&tuned->version, tuning->version); /* rlx: not shared yet */
    noted(engine->durable, queue, tuning->version,
          sizeof(*tuning) + strlen(leat_names_text(&engine->queues, queue)));
    return LEAT_OK;
}

/* ---- cleaning -------------------------------------------------------------------------------- */

bool
leat_durable_tuning_latest(struct leat_engine *engine, const struct leat_wal_record *record)
{
    struct leat_durable_named named;
    if (leat_durable_tuning_read(&named, record) != LEAT_OK) {
        return false;
    }
    uint32_t queue = leat_names_find(&engine->queues, named.name);
    LEAT_ASSERT(queue != LEAT_NAME_NONE);
    /* tuned:C acquire -> tuned:B.  Carries: see tuned:B.
     * If relaxed: see tuned:B. */
    uint32_t highest = atom_load_acq(&engine->durable->tuned[queue].noted);
    return (int32_t)(named.tuning.version - highest) >= 0;
}

/* ---- init and fini --------------------------------------------------------------------------- */

bool
leat_durable_tuning_init(struct leat_durable *durable, uint32_t queues)
{
    durable->tuned = leat_memory_take(&durable->memory, sizeof(*durable->tuned) * queues);
    durable->tuned_count = queues;
    return durable->tuned != NULL;
}

void
leat_durable_tuning_fini(struct leat_durable *durable)
{
    leat_memory_give(&durable->memory, durable->tuned,
                     sizeof(*durable->tuned) * durable->tuned_count);
    durable->tuned = NULL;
}
