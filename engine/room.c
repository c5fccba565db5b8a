/* room.c - how much may wait, see room.h. */
#include "engine/room.h"

#include "engine/engine_internal.h"
#include "engine/terms.h"
#include "engine/trail.h"

#include "ring/rcu.h"

/* ---- one quota ------------------------------------------------------------------------------ */

bool
leat_quota_take(struct leat_quota *quota, uint64_t amount, bool waits)
{
    uint64_t now = atom_load_rlx(&quota->used); /* rlx: hint, re-checked at room:B */
    /* Ends: a swap fails only where another thread took or gave room, or waits for it; and once
     * more for each new limit. */
    for (;;) {
        uint64_t most = atom_load_rlx(&quota->most); /* rlx: hint, re-checked at room:B */
        bool fits = most == 0 || (now & ~LEAT_QUOTA_WAITED) + amount <= most;
        uint64_t next = fits ? now + amount : now | LEAT_QUOTA_WAITED;
        if (!fits && !waits) {
            return false;
        }
        /* room:B acquire -> room:D.  Carries: a new limit, from who called.
         * If relaxed: who is to wait could look at the old limit again, and miss its call. */
        if (!atom_cas_acq(&quota->used, &now, next)) {
            continue;
        }
        if (fits || atom_load_rlx(&quota->most) == most) { /* rlx: ordered by room:B */
            return fits;
        }
        now = next;
    }
}

/* True: the caller rings. */
static bool
quota_call(struct leat_quota *quota)
{
    /* room:D release -> room:B.  Carries: a new limit.
     * If relaxed: see room:B. */
    return (atom_and_rel(&quota->used, ~LEAT_QUOTA_WAITED) & LEAT_QUOTA_WAITED) != 0;
}

bool
leat_quota_give(struct leat_quota *quota, uint64_t amount)
{
    uint64_t before = atom_sub_rlx(&quota->used, amount); /* rlx: ordered by room:D, bell:A */
    LEAT_ASSERT((before & ~LEAT_QUOTA_WAITED) >= amount);
    return LEAT_UNLIKELY((before & LEAT_QUOTA_WAITED) != 0) && quota_call(quota);
}

void
leat_quota_force(struct leat_quota *quota, uint64_t amount)
{
    /* Behind it the job turns PENDING, and whoever takes it gives the room back. */
    (void)atom_add_rlx(&quota->used, amount); /* rlx: ordered by change:B, submit:A */
}

/* ---- what a job takes ----------------------------------------------------------------------- */

/* Of a queue and its tenant, jobs and bytes. */
#define SHARES_MAX 4

struct share {
    struct leat_quota *quota;
    uint64_t amount;
};

static struct leat_queue_room *
room_of(const struct leat_engine *engine, uint32_t queue)
{
    return &engine->rooms.queues[queue];
}

static struct leat_tenant_room *
tenant_of(const struct leat_engine *engine, uint32_t queue)
{
    /* rlx: ordered by options:A */
    const leat_tenant tenant = {atom_load_rlx(&room_of(engine, queue)->tenant)};
    return leat_tenant_room(engine, tenant);
}

uint32_t
leat_room_tenant(const struct leat_engine *engine, uint32_t queue)
{
    /* One that comes meanwhile is the queue's first. rlx: ordered by settle:A, options:A */
    return atom_load_rlx(&room_of(engine, queue)->tenant);
}

static uint32_t
shares_add(struct leat_room *room, uint64_t bytes, struct share *shares)
{
    shares[0] = (struct share){&room->jobs, 1};
    shares[1] = (struct share){&room->bytes, bytes};
    return bytes != 0 ? 2 : 1;
}

static uint32_t
shares_of(const struct leat_engine *engine, uint32_t queue, uint64_t bytes, struct share *shares)
{
    struct leat_tenant_room *tenant = tenant_of(engine, queue);
    uint32_t count = shares_add(&room_of(engine, queue)->room, bytes, shares);
    if (tenant != NULL) {
        count += shares_add(&tenant->room, bytes, shares + count);
    }
    return count;
}

static void
shares_give(struct leat_engine *engine, uint32_t queue, const struct share *shares, uint32_t count)
{
    bool waited = false;
    for (uint32_t i = 0; i < count; i++) {
        waited = leat_quota_give(shares[i].quota, shares[i].amount) || waited;
    }
    if (LEAT_UNLIKELY(waited)) {
        leat_room_ring(engine, queue);
    }
}

static bool
shares_take(struct leat_engine *engine, const struct leat_room_ask *ask, const struct share *shares,
            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!leat_quota_take(shares[i].quota, shares[i].amount, ask->waits)) {
            shares_give(engine, ask->queue, shares, i);
            return false;
        }
    }
    return true;
}

/* It would fit if nothing else waited. */
static bool
shares_fit(const struct share *shares, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t most = leat_quota_most(shares[i].quota);
        if (most != 0 && shares[i].amount > most) {
            return false;
        }
    }
    return true;
}

void
leat_room_refused(const struct leat_engine *engine, uint32_t queue)
{
    struct leat_tenant_room *tenant = tenant_of(engine, queue);
    if (tenant != NULL) {
        (void)atom_add_rlx(&tenant->refused, 1); /* rlx: statistic */
    }
}

enum leat_full_policy
leat_room_policy(const struct leat_engine *engine, uint32_t queue)
{
    /* Late is safe: it is of submits that begin later. rlx: ordered by options:A */
    return (enum leat_full_policy)atom_load_rlx(&room_of(engine, queue)->full);
}

struct leat_trail *
leat_room_trail(const struct leat_engine *engine, uint32_t queue)
{
    /* trail:A acquire -> trail:B.  Carries: the empty trail.
     * If relaxed: its lock could be found as the memory was before. */
    return atom_load_acq(&room_of(engine, queue)->trail);
}

/* Ends a job of the queue that waits, for this one. False: there is none, or it is not to. */
static bool
drop_one(struct leat_engine *engine, const struct leat_room_ask *ask)
{
    return ask->drops && leat_trail_drop(engine, leat_room_trail(engine, ask->queue), ask->level);
}

enum leat_status
leat_room_take(struct leat_engine *engine, const struct leat_room_ask *ask)
{
    struct share shares[SHARES_MAX];
    uint32_t count = shares_of(engine, ask->queue, ask->bytes, shares);
    bool taken = shares_take(engine, ask, shares, count);
    /* Ends: each round drops a job that waits; who took its room instead made progress. */
    while (!taken && drop_one(engine, ask)) {
        taken = shares_take(engine, ask, shares, count);
    }
    if (taken) {
        return LEAT_OK;
    }
    leat_room_refused(engine, ask->queue);
    return ask->waits && shares_fit(shares, count) ? LEAT_TIMEOUT : LEAT_FULL;
}

void
leat_room_force(struct leat_engine *engine, uint32_t queue, uint64_t bytes)
{
    struct share shares[SHARES_MAX];
    uint32_t count = shares_of(engine, queue, bytes, shares);
    for (uint32_t i = 0; i < count; i++) {
        leat_quota_force(shares[i].quota, shares[i].amount);
    }
}

void
leat_room_give(struct leat_engine *engine, uint32_t queue, uint64_t bytes)
{
    struct share shares[SHARES_MAX];
    uint32_t count = shares_of(engine, queue, bytes, shares);
    shares_give(engine, queue, shares, count);
}

/* ---- payloads ------------------------------------------------------------------------------- */

static void
payload_quota_give(struct leat_engine *engine, uint64_t bytes)
{
    if (engine->config.payload_bytes_total_max != 0) {
        (void)leat_quota_give(&engine->rooms.payloads, bytes);
    }
}

enum leat_status
leat_room_payload_take(struct leat_engine *engine, uint64_t bytes)
{
    if (engine->config.payload_bytes_total_max != 0 &&
        !leat_quota_take(&engine->rooms.payloads, bytes, false)) {
        return LEAT_FULL;
    }
    enum leat_status status = LEAT_OK;
    if (LEAT_UNLIKELY(engine->footprint.counted)) {
        status = leat_footprint_take(engine, bytes);
        if (status != LEAT_OK) {
            payload_quota_give(engine, bytes);
        }
    }
    return status;
}

void
leat_room_payload_give(struct leat_engine *engine, uint64_t bytes)
{
    payload_quota_give(engine, bytes);
    if (LEAT_UNLIKELY(engine->footprint.counted)) {
        leat_footprint_give(engine, bytes);
    }
}

bool
leat_room_payload_limit(struct leat_engine *engine, uint64_t bytes_max)
{
    bool counted = engine->config.payload_bytes_total_max != 0;
    if (counted) {
        atom_store_rlx(&engine->rooms.payloads.most, bytes_max); /* rlx: statistic */
    }
    return counted;
}

/* ---- waiting for room ----------------------------------------------------------------------- */

/* Queues of one tenant share a bell, since they share its room. */
uint32_t
leat_room_bell(const struct leat_engine *engine, uint32_t queue)
{
    /* rlx: ordered by options:A */
    uint32_t tenant = atom_load_rlx(&room_of(engine, queue)->tenant);
    return (tenant != 0 ? tenant : queue) % LEAT_BELLS;
}

void
leat_room_ring(struct leat_engine *engine, uint32_t queue)
{
    leat_job_ring_bell(engine, leat_room_bell(engine, queue), LEAT_WORD_HOLD);
}

void
leat_room_ring_tenant(struct leat_engine *engine, leat_tenant tenant)
{
    leat_job_ring_bell(engine, tenant.bits % LEAT_BELLS, LEAT_WORD_HOLD);
}

uint64_t
leat_room_block_ns(const struct leat_engine *engine, const struct leat_job *job, uint32_t queue)
{
    struct leat_job_options room;
    const struct leat_job_options *options = leat_terms_read(job->options, &room);
    if (leat_room_policy(engine, queue) != LEAT_FULL_BLOCK || engine->config.workers == 0 ||
        leat_engine_within(engine)) {
        return 0;
    }
    /* rlx: ordered by options:A */
    return options->block_ns != 0 ? options->block_ns
                                  : atom_load_rlx(&room_of(engine, queue)->block_ns);
}

bool
leat_room_takes_work(struct leat_engine *engine, uint32_t queue)
{
    leat_rcu_enter();
    bool takes =
        leat_engine_accepts(engine) && leat_queue_open(engine, leat_queue_options(engine, queue));
    leat_rcu_leave(&engine->domain);
    return takes;
}

uint32_t
leat_room_listen(const struct leat_engine *engine, uint32_t bell)
{
    /* asleep:A acquire -> bell:A.  Carries: the room that was given, or that the queue is closed;
     * read before both.
     * If relaxed: the bell could be read behind them, and the submit sleep on. */
    return atom_load_acq(&engine->bells[bell].count);
}

static enum leat_status
wait_until(struct leat_engine *engine, uint32_t queue, uint64_t deadline_ns,
           const struct leat_job *given, leat_job_id *id)
{
    uint32_t bell = leat_room_bell(engine, queue);
    for (;;) {
        uint32_t event = leat_room_listen(engine, bell);
        if (!leat_room_takes_work(engine, queue)) {
            return LEAT_CLOSED;
        }
        enum leat_status status = leat_submit_once(engine, given, LEAT_ROOM_WAITS, id);
        if (status != LEAT_TIMEOUT || leat_os_monotonic_ns() >= deadline_ns) {
            return status;
        }
        uint64_t until_ns = deadline_ns;
        if (engine->footprint.counted) {
            /* Nobody rings for memory, and what rang meanwhile may be the room that this one gave
             * back. */
            until_ns = leat_footprint_again(deadline_ns);
            event = leat_room_listen(engine, bell);
        }
        leat_os_futex_wait(&engine->bells[bell].count, event, until_ns);
    }
}

/* The queue's oldest jobs have payloads of so many bytes that would come back. */
static bool
may_drop(const struct leat_engine *engine, struct leat_trail *trail, uint32_t level,
         uint64_t wanted)
{
    struct leat_trail_look look = {.rows = LEAT_PRIORITY_LEVELS};
    struct leat_stand stand;
    uint64_t bytes = 0;
    leat_mutex_lock(&trail->mutex);
    for (uint32_t i = 0; i < LEAT_FOOTPRINT_DROPS && bytes < wanted; i++) {
        if (!leat_trail_next(engine, trail, level, &look, &stand)) {
            break;
        }
        bytes += leat_payload_allocated(engine, stand.bytes) ? stand.bytes : 0;
    }
    leat_mutex_unlock(&trail->mutex);
    return bytes >= wanted;
}

/* The queue drops: where memory is what is short, its oldest jobs go, one by one, until there is
 * enough; none, where all that may be would not do. */
static enum leat_status
drop_for(struct leat_engine *engine, const struct leat_job *job, uint32_t queue, leat_job_id *id)
{
    struct leat_trail *trail = leat_room_trail(engine, queue);
    const uint64_t options = leat_queue_options(engine, queue);
    const uint32_t level =
        job->priority == LEAT_PRIORITY_OF_QUEUE ? leat_queue_priority(options) : job->priority;
    enum leat_status status = leat_submit_once(engine, job, LEAT_ROOM_DROPS, id);
    if (status == LEAT_TIMEOUT && trail != NULL &&
        may_drop(engine, trail, level, leat_footprint_lacks(engine, job->payload_bytes))) {
        for (uint32_t i = 0; i < LEAT_FOOTPRINT_DROPS && status == LEAT_TIMEOUT; i++) {
            if (!leat_trail_drop(engine, trail, level)) {
                break;
            }
            status = leat_submit_once(engine, job, LEAT_ROOM_DROPS, id);
        }
    }
    return status == LEAT_TIMEOUT ? LEAT_FULL : status;
}

enum leat_status
leat_room_wait(struct leat_engine *engine, const struct leat_job *given, uint64_t deadline_ns,
               leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    uint32_t queue = 0;
    if (leat_struct_read(&job, sizeof(job), given) != LEAT_OK ||
        leat_registry_queue(engine, &job, &queue) != LEAT_OK) {
        return LEAT_FULL;
    }
    if (engine->footprint.counted && leat_room_policy(engine, queue) == LEAT_FULL_DROP_OLDEST) {
        return drop_for(engine, &job, queue, id);
    }
    uint64_t block_ns = leat_room_block_ns(engine, &job, queue);
    if (block_ns == 0) {
        return LEAT_FULL;
    }
    uint64_t own_ns = leat_os_deadline_ns(block_ns);
    return wait_until(engine, queue, own_ns < deadline_ns ? own_ns : deadline_ns, given, id);
}

/* ---- options of a queue --------------------------------------------------------------------- */

void
leat_room_entered(struct leat_engine *engine, const struct leat_room_entry *entry, leat_job_id id)
{
    struct leat_trail *trail = leat_room_trail(engine, entry->queue);
    if ((entry->options & LEAT_QUEUE_CLOSED) != 0) {
        /* within:A release -> within:B.  Carries: the job, behind which it is counted.
         * If relaxed: a drain could pass by the job and see the count of before. */
        (void)atom_add_rel(&room_of(engine, entry->queue)->within, 1);
    }
    if (entry->waits && (entry->options & LEAT_QUEUE_LIMITED) != 0 && trail != NULL &&
        leat_room_policy(engine, entry->queue) == LEAT_FULL_DROP_OLDEST) {
        leat_trail_add(engine, trail, entry->level, id);
    }
}

uint64_t
leat_room_within(const struct leat_engine *engine, uint32_t queue)
{
    /* within:B acquire -> within:A.  Carries: the job that was counted.
     * If relaxed: see within:A. */
    return atom_load_acq(&room_of(engine, queue)->within);
}

void
leat_room_close(struct leat_engine *engine, uint32_t queue)
{
    /* rlx: ordered by bell:A, and by the grace period */
    (void)atom_or_rlx(&engine->pool.queues[queue].options, LEAT_QUEUE_CLOSED);
    leat_rcu_wait(&engine->domain);
    leat_room_ring(engine, queue);
}

void
leat_room_reopen(struct leat_engine *engine, uint32_t queue)
{
    /* Late is safe: a submit that is refused was before this. rlx: statistic */
    (void)atom_and_rlx(&engine->pool.queues[queue].options, ~LEAT_QUEUE_CLOSED);
}

/* ---- limits --------------------------------------------------------------------------------- */

enum leat_status
leat_room_check(const struct leat_engine *engine, const struct leat_queue_limits *limits,
                leat_tenant tenant)
{
    if ((unsigned)limits->full > LEAT_FULL_DROP_OLDEST) {
        return LEAT_INVALID;
    }
    return tenant.bits == 0 || leat_tenant_room(engine, tenant) != NULL ? LEAT_OK : LEAT_NOT_FOUND;
}

bool
leat_room_limit(struct leat_room *room, uint64_t jobs_max, uint64_t bytes_max)
{
    atom_store_rlx(&room->jobs.most, jobs_max);   /* rlx: ordered by room:D, limit:A */
    atom_store_rlx(&room->bytes.most, bytes_max); /* rlx: ordered by room:D, limit:A */
    bool waited = quota_call(&room->jobs);
    return quota_call(&room->bytes) || waited;
}

/* The queue has a trail from now on. False: no memory. */
static bool
trail_make(struct leat_engine *engine, struct leat_queue_room *room)
{
    void *none = NULL;
    struct leat_trail *trail = leat_trail_create(engine);
    /* trail:B release -> trail:A.  Carries: see trail:A.
     * If relaxed: see trail:A. */
    if (trail != NULL && !atom_cas_rel(&room->trail, &none, (void *)trail)) {
        leat_trail_destroy(engine, trail);
    }
    return trail != NULL;
}

static enum leat_status
keep(struct leat_engine *engine, uint32_t queue, const struct leat_queue_limits *limits,
     bool *waited)
{
    struct leat_queue_room *room = room_of(engine, queue);
    const bool drops = limits->full == LEAT_FULL_DROP_OLDEST;
    if (drops && leat_room_trail(engine, queue) == NULL && !trail_make(engine, room)) {
        return LEAT_NO_MEMORY;
    }
    atom_store_rlx(&room->block_ns, limits->block_ns);   /* rlx: ordered by limit:A */
    atom_store_rlx(&room->full, (uint32_t)limits->full); /* rlx: ordered by limit:A */
    *waited = leat_room_limit(&room->room, limits->waiting_max, limits->waiting_bytes_max);
    return LEAT_OK;
}

enum leat_status
leat_room_set(struct leat_engine *engine, uint32_t queue, const struct leat_queue_limits *limits,
              leat_tenant tenant)
{
    struct leat_queue_room *room = room_of(engine, queue);
    /* One that drops where memory is short knows its oldest jobs from then on. */
    bool drops = limits->full == LEAT_FULL_DROP_OLDEST && engine->footprint.counted;
    bool limited = limits->waiting_max != 0 || limits->waiting_bytes_max != 0 || drops;
    bool waited = false;
    enum leat_status status = keep(engine, queue, limits, &waited);
    if (status != LEAT_OK) {
        return status;
    }
    if (tenant.bits != 0) {
        /* rlx: statistic */
        (void)atom_add_rlx(&leat_tenant_room(engine, tenant)->queues, 1);
        atom_store_rlx(&room->tenant, tenant.bits); /* rlx: ordered by limit:A */
    }
    if (limited || tenant.bits != 0) {
        /* limit:A release -> options:A.  Carries: limits, tenant and trail.
         * If relaxed: a submit could count for no tenant, and be given back to one. */
        (void)atom_or_rel(&engine->pool.queues[queue].options, LEAT_QUEUE_LIMITED);
    }
    if (waited) {
        leat_room_ring(engine, queue);
    }
    return LEAT_OK;
}

enum leat_status
leat_room_keep(struct leat_engine *engine, uint32_t queue, const struct leat_queue_limits *limits)
{
    bool waited = false;
    return keep(engine, queue, limits, &waited);
}

struct leat_queue_limits
leat_room_limits(const struct leat_engine *engine, uint32_t queue)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_queue_info info;
    leat_room_tell(engine, queue, &info);
    limits.waiting_max = info.waiting_max;
    limits.full = info.full;
    limits.waiting_bytes_max = info.waiting_bytes_max;
    limits.block_ns = info.block_ns;
    return limits;
}

void
leat_room_tell(const struct leat_engine *engine, uint32_t queue, struct leat_queue_info *info)
{
    const struct leat_queue_room *room = room_of(engine, queue);
    const struct leat_trail *trail = leat_room_trail(engine, queue);
    info->waiting_max = (uint32_t)leat_quota_most(&room->room.jobs);
    info->waiting_bytes_max = leat_quota_most(&room->room.bytes);
    info->full = leat_room_policy(engine, queue);
    info->block_ns = atom_load_rlx(&room->block_ns);                    /* rlx: statistic */
    info->tenant.bits = atom_load_rlx(&room->tenant);                   /* rlx: statistic */
    info->dropped = trail == NULL ? 0 : atom_load_rlx(&trail->dropped); /* rlx: statistic */
}

/* ---- init and fini -------------------------------------------------------------------------- */

size_t
leat_rooms_bytes(const struct leat_config *concrete)
{
    return sizeof(struct leat_queue_room) * concrete->queues_max;
}

bool
leat_rooms_init(struct leat_engine *engine)
{
    struct leat_rooms *rooms = &engine->rooms;
    rooms->bytes = leat_rooms_bytes(&engine->config);
    rooms->queues = leat_os_map(rooms->bytes);
    /* rlx: not shared yet */
    atom_store_rlx(&rooms->payloads.most, engine->config.payload_bytes_total_max);
    return rooms->queues != NULL;
}

void
leat_rooms_fini(struct leat_engine *engine)
{
    struct leat_rooms *rooms = &engine->rooms;
    for (uint32_t i = 0; rooms->queues != NULL && i < engine->config.queues_max; i++) {
        void *trail = atom_load_rlx(&rooms->queues[i].trail); /* rlx: single writer */
        leat_trail_destroy(engine, trail);
    }
    leat_os_unmap(rooms->queues, rooms->bytes);
}
