/* batch_room.c - room for an all-or-none batch, see batch_room.h. */
#include "engine/batch_room.h"

#include "engine/engine_internal.h"
#include "engine/trail.h"

/* What the batch needs of one queue, or of one tenant. */
struct leat_need {
    struct leat_room *room;
    struct leat_need *tenant; /* of a queue: that of its tenant, or NULL */
    struct leat_trail *trail; /* of a queue that drops, or NULL */
    uint64_t jobs;
    uint64_t bytes;
    uint64_t lack_jobs; /* what has still to be dropped, while it is counted */
    uint64_t lack_bytes;
    uint32_t queue; /* of a tenant: one of its */
    uint32_t level; /* of the least urgent of the jobs */
    uint32_t drops; /* at most so many are dropped */
    /* What is done where it does not fit. A tenant's room is dropped for where all its queues that
     * the batch names drop; and it is waited for where none of them rejects. */
    enum leat_full_policy policy;
};

/* ---- adding up ------------------------------------------------------------------------------ */

/* Where a queue's or a tenant's need is, plus 1; while they are looked for: 1. */
struct places {
    uint32_t *queues;
    uint32_t *tenants;
};

/* The queue's tenant, by index, or queues_max: none. */
static uint32_t
tenant_of(const struct leat_engine *engine, uint32_t queue)
{
    /* rlx: ordered by options:A */
    uint32_t bits = atom_load_rlx(&engine->rooms.queues[queue].tenant);
    return bits == 0 ? engine->config.queues_max : bits - 1;
}

/* Says which queues and tenants there are. Returns how many. */
static uint32_t
places_mark(const struct leat_engine *engine, struct places places,
            const struct leat_batch_ask *asks, size_t count)
{
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!asks[i].counted || places.queues[asks[i].queue] != 0) {
            continue;
        }
        uint32_t tenant = tenant_of(engine, asks[i].queue);
        places.queues[asks[i].queue] = 1;
        found++;
        if (tenant < engine->config.queues_max && places.tenants[tenant] == 0) {
            places.tenants[tenant] = 1;
            found++;
        }
    }
    return found;
}

static void
need_begin(const struct leat_engine *engine, struct leat_need *need, uint32_t queue)
{
    need->room = &engine->rooms.queues[queue].room;
    need->queue = queue;
    need->policy = leat_room_policy(engine, queue);
    if (need->policy == LEAT_FULL_DROP_OLDEST) {
        need->trail = leat_room_trail(engine, queue);
    }
}

/* Gives each queue and tenant that is marked its need, in ascending order. */
static void
places_number(struct leat_engine *engine, struct leat_batch_room *room, struct places places)
{
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        if (places.queues[i] != 0) {
            need_begin(engine, &room->needs[room->queues], i);
            places.queues[i] = ++room->queues;
        }
    }
    room->count = room->queues;
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        if (places.tenants[i] != 0) {
            room->needs[room->count].room = &engine->tenants.rooms[i].room;
            room->needs[room->count].policy = LEAT_FULL_DROP_OLDEST;
            places.tenants[i] = ++room->count;
        }
    }
}

static void
need_add(struct leat_need *need, uint64_t jobs, uint64_t bytes)
{
    need->jobs += jobs;
    need->bytes += bytes;
}

static void
jobs_add(struct leat_batch_room *room, struct places places, const struct leat_batch_ask *ask)
{
    struct leat_need *need = &room->needs[places.queues[ask->queue] - 1];
    need_add(need, 1, ask->bytes);
    need->level = ask->level > need->level ? ask->level : need->level;
    if (need->policy != LEAT_FULL_BLOCK) {
        return;
    }
    if (ask->block_ns == 0) {
        need->policy = LEAT_FULL_REJECT;
    } else if (ask->block_ns < room->block_ns) {
        room->block_ns = ask->block_ns;
    }
}

/* Behind the jobs of all queues: adds each queue to its tenant. */
static void
tenants_add(const struct leat_engine *engine, struct leat_batch_room *room, struct places places)
{
    for (uint32_t i = 0; i < room->queues; i++) {
        struct leat_need *need = &room->needs[i];
        uint32_t tenant = tenant_of(engine, need->queue);
        if (tenant == engine->config.queues_max) {
            continue;
        }
        need->tenant = &room->needs[places.tenants[tenant] - 1];
        need->tenant->queue = need->queue;
        need_add(need->tenant, need->jobs, need->bytes);
        if (need->tenant->policy != LEAT_FULL_REJECT && need->policy != LEAT_FULL_DROP_OLDEST) {
            need->tenant->policy = need->policy;
        }
    }
}

enum leat_status
leat_batch_room_init(struct leat_engine *engine, struct leat_batch_room *room,
                     const struct leat_batch_ask *asks, size_t count)
{
    size_t first = 0;
    while (first < count && !asks[first].counted) {
        first++;
    }
    *room = (struct leat_batch_room){.block_ns = LEAT_FOREVER};
    if (first == count) {
        return LEAT_OK;
    }
    size_t bytes = sizeof(uint32_t) * 2 * engine->config.queues_max;
    uint32_t *memory = leat_memory_take(&engine->memory, bytes);
    if (memory == NULL) {
        return LEAT_NO_MEMORY;
    }
    const struct places places = {memory, memory + engine->config.queues_max};
    uint32_t found = places_mark(engine, places, asks, count);
    room->needs = leat_memory_take(&engine->memory, sizeof(*room->needs) * found);
    if (room->needs != NULL) {
        places_number(engine, room, places);
        for (size_t i = first; i < count; i++) {
            if (asks[i].counted) {
                jobs_add(room, places, &asks[i]);
            }
        }
        tenants_add(engine, room, places);
        LEAT_ASSERT(room->count == found);
    }
    leat_memory_give(&engine->memory, memory, bytes);
    return room->needs == NULL ? LEAT_NO_MEMORY : LEAT_OK;
}

void
leat_batch_room_fini(struct leat_engine *engine, struct leat_batch_room *room)
{
    if (room->needs != NULL) {
        leat_memory_give(&engine->memory, room->needs, sizeof(*room->needs) * room->count);
        room->needs = NULL;
    }
}

/* ---- one need ------------------------------------------------------------------------------- */

/* How much is too much of it, with `amount` more. A hint: others take and give. */
static uint64_t
over(const struct leat_quota *quota, uint64_t amount)
{
    uint64_t most = leat_quota_most(quota);
    uint64_t used = leat_quota_used(quota) + amount;
    return most == 0 || used <= most ? 0 : used - most;
}

static bool
fits(const struct leat_need *need)
{
    return over(&need->room->jobs, need->jobs) == 0 &&
           (need->bytes == 0 || over(&need->room->bytes, need->bytes) == 0);
}

/* It is larger than its limit. */
static bool
never_fits(const struct leat_need *need)
{
    uint64_t jobs_max = leat_quota_most(&need->room->jobs);
    uint64_t bytes_max = leat_quota_most(&need->room->bytes);
    return (jobs_max != 0 && need->jobs > jobs_max) || (bytes_max != 0 && need->bytes > bytes_max);
}

static void
give(struct leat_engine *engine, const struct leat_need *need)
{
    bool waited = leat_quota_give(&need->room->jobs, need->jobs);
    waited = (need->bytes != 0 && leat_quota_give(&need->room->bytes, need->bytes)) || waited;
    if (waited) {
        leat_room_ring(engine, need->queue);
    }
}

/* Begins with what does not fit, as it seems: the other one would be taken in vain. */
static bool
take(struct leat_engine *engine, const struct leat_need *need)
{
    bool waits = need->policy == LEAT_FULL_BLOCK;
    bool turned = need->bytes != 0 && over(&need->room->bytes, need->bytes) != 0;
    struct leat_quota *first = turned ? &need->room->bytes : &need->room->jobs;
    struct leat_quota *second = turned ? &need->room->jobs : &need->room->bytes;
    uint64_t first_amount = turned ? need->bytes : need->jobs;
    uint64_t second_amount = turned ? need->jobs : need->bytes;
    if (!leat_quota_take(first, first_amount, waits)) {
        return false;
    }
    if (second_amount == 0 || leat_quota_take(second, second_amount, waits)) {
        return true;
    }
    if (leat_quota_give(first, first_amount)) {
        leat_room_ring(engine, need->queue);
    }
    return false;
}

static bool
drops(const struct leat_need *need)
{
    return need->policy == LEAT_FULL_DROP_OLDEST;
}

/* ---- where nothing is dropped --------------------------------------------------------------- */

/* Of the first `count` needs. */
static void
give_all(struct leat_engine *engine, const struct leat_batch_room *room, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!drops(&room->needs[i])) {
            give(engine, &room->needs[i]);
        }
    }
}

void
leat_batch_room_give(struct leat_engine *engine, const struct leat_batch_room *room)
{
    give_all(engine, room, room->count);
}

/* Takes all that are not dropped for; or none, and returns the one that did not fit, which will be
 * called if it waits. It looks first: what is taken in vain is in others' way, and calls them. */
static const struct leat_need *
take_all(struct leat_engine *engine, const struct leat_batch_room *room)
{
    uint32_t i = 0;
    while (i < room->count && (drops(&room->needs[i]) || fits(&room->needs[i]))) {
        i++;
    }
    if (i < room->count) {
        const struct leat_need *need = &room->needs[i];
        if (!take(engine, need)) {
            return need;
        }
        give(engine, need); /* room came in between */
    }
    for (i = 0; i < room->count; i++) {
        if (!drops(&room->needs[i]) && !take(engine, &room->needs[i])) {
            give_all(engine, room, i);
            return &room->needs[i];
        }
    }
    return NULL;
}

static bool
takes_work(struct leat_engine *engine, const struct leat_batch_room *room)
{
    bool takes = leat_engine_accepts(engine);
    for (uint32_t i = 0; takes && i < room->queues; i++) {
        takes = leat_room_takes_work(engine, room->needs[i].queue);
    }
    return takes;
}

/* One for which it is of no use to wait; or NULL. */
static const struct leat_need *
hopeless(const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->count; i++) {
        const struct leat_need *need = &room->needs[i];
        if (never_fits(need) || (need->policy == LEAT_FULL_REJECT && !fits(need))) {
            return need;
        }
    }
    return NULL;
}

enum leat_status
leat_batch_room_take(struct leat_engine *engine, const struct leat_batch_room *room,
                     uint64_t deadline_ns)
{
    uint64_t own_ns = leat_os_deadline_ns(room->block_ns);
    uint64_t until_ns = own_ns < deadline_ns ? own_ns : deadline_ns;
    uint32_t bell = LEAT_BELLS; /* none */
    uint32_t event = 0;
    /* Ends: at the latest at the deadline. In a round without a sleep it turns to another bell, as
     * what it would have waited for by the one before has come. */
    while (room->count != 0) {
        if (!takes_work(engine, room)) {
            return LEAT_CLOSED;
        }
        const struct leat_need *refuses = hopeless(room);
        const struct leat_need *lacks = refuses != NULL ? refuses : take_all(engine, room);
        if (lacks == NULL) {
            return LEAT_OK;
        }
        leat_room_refused(engine, lacks->queue);
        if (refuses != NULL || lacks->policy != LEAT_FULL_BLOCK) {
            return LEAT_FULL;
        }
        if (leat_os_monotonic_ns() >= until_ns) {
            return LEAT_TIMEOUT;
        }
        if (bell == leat_room_bell(engine, lacks->queue)) {
            leat_os_futex_wait(&engine->bells[bell].count, event, until_ns);
        }
        bell = leat_room_bell(engine, lacks->queue);
        event = leat_room_listen(engine, bell);
    }
    return LEAT_OK;
}

/* ---- where others are dropped --------------------------------------------------------------- */

static void
lack_less(struct leat_need *need, const struct leat_stand *stand)
{
    need->lack_jobs -= need->lack_jobs == 0 ? 0 : 1;
    need->lack_bytes -= need->lack_bytes < stand->bytes ? need->lack_bytes : stand->bytes;
}

static bool
lacks_something(const struct leat_need *need)
{
    return need->lack_jobs != 0 || need->lack_bytes != 0;
}

/* Counts how many of the queue's jobs have to go, the oldest first. pre: its trail's lock. */
static void
count_drops(const struct leat_engine *engine, struct leat_need *need)
{
    struct leat_trail_look look = {.rows = LEAT_PRIORITY_LEVELS};
    struct leat_stand stand;
    need->drops = 0;
    while ((lacks_something(need) || (need->tenant != NULL && lacks_something(need->tenant))) &&
           need->trail != NULL &&
           leat_trail_next(engine, need->trail, need->level, &look, &stand)) {
        need->drops++;
        if (stand.counted) {
            lack_less(need, &stand);
        }
        if (stand.counted && need->tenant != NULL) {
            lack_less(need->tenant, &stand);
        }
    }
}

/* Enough can be dropped for what the batch has taken of these needs, or, with `ahead`, would take.
 * pre: the locks of all their trails. */
static bool
enough(const struct leat_engine *engine, const struct leat_batch_room *room, bool ahead)
{
    bool all = true;
    for (uint32_t i = 0; i < room->count; i++) {
        struct leat_need *need = &room->needs[i];
        uint64_t bytes = ahead ? need->bytes : 0;
        bool of_bytes = drops(need) && need->bytes != 0;
        need->lack_jobs = drops(need) ? over(&need->room->jobs, ahead ? need->jobs : 0) : 0;
        need->lack_bytes = of_bytes ? over(&need->room->bytes, bytes) : 0;
    }
    for (uint32_t i = 0; i < room->queues; i++) {
        if (drops(&room->needs[i])) {
            count_drops(engine, &room->needs[i]);
        }
    }
    for (uint32_t i = 0; i < room->count; i++) {
        all = all && !lacks_something(&room->needs[i]);
    }
    return all;
}

/* Whatever the limits. */
static void
force_all(const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->count; i++) {
        const struct leat_need *need = &room->needs[i];
        if (drops(need)) {
            leat_quota_force(&need->room->jobs, need->jobs);
            leat_quota_force(&need->room->bytes, need->bytes);
        }
    }
}

static void
unforce_all(struct leat_engine *engine, const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->count; i++) {
        if (drops(&room->needs[i])) {
            give(engine, &room->needs[i]);
        }
    }
}

/* In ascending order, so that two batches do not wait for each other. */
static void
lock_all(const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->queues; i++) {
        if (room->needs[i].trail != NULL) {
            leat_mutex_lock(&room->needs[i].trail->mutex);
        }
    }
}

static void
unlock_all(const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->queues; i++) {
        if (room->needs[i].trail != NULL) {
            leat_mutex_unlock(&room->needs[i].trail->mutex);
        }
    }
}

static bool
too_many(const struct leat_need *need)
{
    return drops(need) && (over(&need->room->jobs, 0) != 0 ||
                           (need->bytes != 0 && over(&need->room->bytes, 0) != 0));
}

/* Whoever drops, begins or cancels one of those that were counted makes the room that it was
 * counted for; so there are never more to be dropped, and none where there is room already. */
static void
drop_all(struct leat_engine *engine, const struct leat_batch_room *room)
{
    for (uint32_t i = 0; i < room->queues; i++) {
        const struct leat_need *need = &room->needs[i];
        uint32_t left = need->drops;
        while (left > 0 && (too_many(need) || (need->tenant != NULL && too_many(need->tenant))) &&
               leat_trail_drop(engine, need->trail, need->level)) {
            left--;
        }
    }
}

bool
leat_batch_room_drops(struct leat_engine *engine, const struct leat_room_ask *ask)
{
    struct leat_need needs[2] = {{.room = NULL}, {.room = NULL}};
    struct leat_batch_room room = {.needs = needs, .queues = 1, .count = 1};
    uint32_t tenant = tenant_of(engine, ask->queue);
    need_begin(engine, &needs[0], ask->queue);
    need_add(&needs[0], 1, ask->bytes);
    needs[0].level = ask->level;
    if (tenant < engine->config.queues_max) {
        needs[1] = needs[0];
        needs[1].room = &engine->tenants.rooms[tenant].room;
        needs[0].tenant = &needs[1];
        room.count = 2;
    }
    if (!drops(&needs[0])) {
        return false;
    }
    lock_all(&room);
    bool may = enough(engine, &room, true);
    unlock_all(&room);
    return may;
}

void
leat_batch_room_unclaim(struct leat_engine *engine, const struct leat_batch_room *room)
{
    unforce_all(engine, room);
}

bool
leat_batch_room_claim(struct leat_engine *engine, const struct leat_batch_room *room)
{
    bool any = false;
    for (uint32_t i = 0; i < room->count && !any; i++) {
        any = drops(&room->needs[i]);
    }
    if (!any) {
        return true;
    }
    lock_all(room);
    /* The look ahead keeps others from dropping in vain, for what could not be taken. Behind it
     * others may have taken room, so it is counted again. */
    bool claimed = enough(engine, room, true);
    if (claimed) {
        force_all(room);
        claimed = enough(engine, room, false);
        if (!claimed) {
            unforce_all(engine, room);
        }
    }
    unlock_all(room);
    if (claimed) {
        drop_all(engine, room);
    }
    return claimed;
}
