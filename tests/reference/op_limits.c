/* op_limits.c - how much may wait in a queue, by its own limits and those of its tenant, and what
 * becomes of more; a queue is purged, drained, opened again; what it tells of itself is compared at
 * each look at all jobs. */
#include "tests/reference/submit.h"

#include <inttypes.h>

#include "engine/events.h"
#include "ring/base.h"

/* ---- what waits ------------------------------------------------------------------------------ */

static bool
waits(const struct ref_job *job)
{
    return ref_live(job) && (job->state == LEAT_JOB_PENDING || job->state == LEAT_JOB_BLOCKED ||
                             ref_waits_for_time(job));
}

struct ref_limits
ref_limits_used(const struct ref_world *world, uint32_t queue, uint32_t tenant)
{
    struct ref_limits used = {0, 0};
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool of =
            queue == REF_NONE ? world->queues[job->queue].tenant == tenant : job->queue == queue;
        bool waits_here = (job->state == LEAT_JOB_PENDING && job->counted) ||
                          (job->state == LEAT_JOB_BLOCKED && job->node.paid);
        if (of && ref_live(job) && waits_here) {
            used.jobs_max++;
            used.bytes_max += job->payload_bytes;
        }
    }
    return used;
}

/* ---- room ------------------------------------------------------------------------------------ */

void
ref_need_add(struct ref_need *need, uint32_t level, uint64_t bytes)
{
    need->jobs++;
    need->bytes += bytes;
    need->level = level > need->level ? level : need->level;
}

static uint64_t
over(uint64_t used, uint64_t amount, uint64_t most)
{
    return most == 0 || amount == 0 || used + amount <= most ? 0 : used + amount - most;
}

/* By how much it is too much. */
static struct ref_limits
lack_of(const struct ref_need *need, struct ref_limits used, const struct ref_limits *limits)
{
    const struct ref_limits lack = {over(used.jobs_max, need->jobs, limits->jobs_max),
                                    over(used.bytes_max, need->bytes, limits->bytes_max)};
    return lack;
}

static bool
some(struct ref_limits lack)
{
    return lack.jobs_max != 0 || lack.bytes_max != 0;
}

/* It is larger than its limit. */
static bool
never_fits(const struct ref_need *need, const struct ref_limits *limits)
{
    const struct ref_limits none = {0, 0};
    return some(lack_of(need, none, limits));
}

/* What all queues of a tenant need together. */
static struct ref_need
need_of(const struct ref_world *world, const struct ref_need *needs, uint32_t tenant)
{
    struct ref_need sum = {0, 0, 0};
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        if (world->queues[i].handle.bits != 0 && world->queues[i].tenant == tenant) {
            sum.jobs += needs[i].jobs;
            sum.bytes += needs[i].bytes;
        }
    }
    return sum;
}

/* Nothing is dropped for what the queues of this tenant need, or this queue. */
static bool
rejects(const struct ref_world *world, const struct ref_need *needs, uint32_t queue,
        uint32_t tenant)
{
    bool rejects = false;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        bool of = queue == REF_NONE ? world->queues[i].tenant == tenant : i == queue;
        /* Who would wait for room is who has to make it: there are no workers. */
        rejects =
            rejects || (of && needs[i].jobs != 0 && world->queues[i].full != LEAT_FULL_DROP_OLDEST);
    }
    return rejects;
}

static void
lack_less(struct ref_limits *lack, const struct ref_job *job)
{
    lack->jobs_max -= lack->jobs_max == 0 ? 0 : 1;
    lack->bytes_max -= lack->bytes_max < job->payload_bytes ? lack->bytes_max : job->payload_bytes;
}

static bool
chosen(const struct ref_room *room, uint32_t index)
{
    bool found = false;
    for (uint32_t i = 0; i < room->drops_count; i++) {
        found = found || room->drops[i] == index;
    }
    return found;
}

/* The least urgent one that was submitted first; REF_NONE: none. */
static uint32_t
oldest(const struct ref_world *world, uint32_t queue, uint32_t level, const struct ref_room *room)
{
    uint32_t found = REF_NONE;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        const struct ref_job *best = found == REF_NONE ? NULL : &world->jobs[found];
        bool may = ref_live(job) && job->state == LEAT_JOB_PENDING && job->queue == queue &&
                   job->trail != 0 && job->level >= level && !chosen(room, i);
        bool first = best == NULL || job->level > best->level ||
                     (job->level == best->level && job->trail < best->trail);
        found = may && first ? i : found;
    }
    return found;
}

/* Chooses of one queue, as long as it or its tenant lacks something. */
static void
choose(const struct ref_world *world, const struct ref_need *need, uint32_t queue,
       struct ref_limits lacks[2], struct ref_room *room)
{
    uint32_t index = 0;
    while ((some(lacks[0]) || some(lacks[1])) && index != REF_NONE) {
        index = oldest(world, queue, need->level, room);
        if (index != REF_NONE) {
            room->drops[room->drops_count++] = index;
            lack_less(&lacks[0], &world->jobs[index]);
            lack_less(&lacks[1], &world->jobs[index]);
        }
    }
}

/* The queues in the order in which they were created: of a tenant's, the first ones drop. */
static void
choose_all(const struct ref_world *world, const struct ref_need *needs, struct ref_limits *lacks,
           struct ref_room *room)
{
    uint32_t before = 0;
    for (uint32_t round = 0; round < REF_QUEUES; round++) {
        uint32_t next = REF_NONE;
        for (uint32_t i = 0; i < REF_QUEUES; i++) {
            uint32_t bits = world->queues[i].handle.bits;
            bool nearer = next == REF_NONE || bits < world->queues[next].handle.bits;
            next = bits > before && nearer ? i : next;
        }
        if (next == REF_NONE) {
            return;
        }
        const struct ref_queue *queue = &world->queues[next];
        before = queue->handle.bits;
        struct ref_limits none = {0, 0};
        struct ref_limits *tenant =
            queue->tenant == REF_NONE ? &none : &lacks[REF_QUEUES + queue->tenant];
        struct ref_limits two[2] = {lacks[next], *tenant};
        if (needs[next].jobs != 0 && queue->full == LEAT_FULL_DROP_OLDEST) {
            choose(world, &needs[next], next, two, room);
            lacks[next] = two[0];
            *tenant = two[1];
        }
    }
}

/* One queue, or one tenant. False: there is no room, and none can be made. */
static bool
look(const struct ref_world *world, const struct ref_need *needs, uint32_t number,
     struct ref_limits *lack)
{
    bool of_queue = number < REF_QUEUES;
    uint32_t queue = of_queue ? number : REF_NONE;
    uint32_t tenant = number - REF_QUEUES;
    const struct ref_limits *limits =
        of_queue ? &world->queues[queue].limits : &world->tenants[tenant].limits;
    struct ref_need need = of_queue ? needs[queue] : need_of(world, needs, tenant);
    *lack = lack_of(&need, ref_limits_used(world, queue, tenant), limits);
    return !never_fits(&need, limits) && (!some(*lack) || !rejects(world, needs, queue, tenant));
}

struct ref_room
ref_room(const struct ref_world *world, const struct ref_need *needs)
{
    struct ref_limits lacks[REF_QUEUES + REF_TENANTS];
    struct ref_room room = {.there = true};
    for (uint32_t i = 0; i < REF_QUEUES + REF_TENANTS; i++) {
        room.there = look(world, needs, i, &lacks[i]) && room.there;
    }
    if (!room.there) {
        return room;
    }
    choose_all(world, needs, lacks, &room);
    for (uint32_t i = 0; i < REF_QUEUES + REF_TENANTS; i++) {
        room.there = room.there && !some(lacks[i]);
    }
    room.dropping = !room.there;
    return room;
}

bool
ref_room_there(const struct ref_world *world, const struct ref_need *needs)
{
    return ref_room(world, needs).there;
}

static bool
was_dropped(struct ref_world *world, uint32_t index)
{
    leat_events_drain(world->engine);
    return world->ends[index].id.bits == world->jobs[index].id.bits &&
           world->ends[index].reason == LEAT_REASON_DROPPED;
}

/* Who of the queue is to be dropped next; REF_NONE: there is not too much any more, or nobody. */
static uint32_t
next_drop(const struct ref_world *world, const struct ref_need *needs, uint32_t queue)
{
    static const struct ref_room none = {.there = true};
    uint32_t tenant = world->queues[queue].tenant;
    struct ref_limits lacks[2] = {{0, 0}, {0, 0}};
    (void)look(world, needs, queue, &lacks[0]);
    if (tenant != REF_NONE) {
        (void)look(world, needs, REF_QUEUES + tenant, &lacks[1]);
    }
    return some(lacks[0]) || some(lacks[1]) ? oldest(world, queue, needs[queue].level, &none)
                                            : REF_NONE;
}

/* One of the queue, where there is too much yet: others that waited for the last one may have ended
 * with it, and made room, too; or gone on, and taken some. So may those have that waited for a
 * letter, at any time: they are asked where the engine dropped nobody more. False: that was all. */
static bool
drop(struct ref_world *world, const struct ref_need *needs, uint32_t queue)
{
    uint32_t index = next_drop(world, needs, queue);
    if (index != REF_NONE && !was_dropped(world, index)) {
        ref_graph_catch_up(world);
        index = next_drop(world, needs, queue);
    }
    if (index == REF_NONE) {
        return false;
    }
    struct ref_job *job = &world->jobs[index];
    world->queues[queue].dropped++;
    job->zombie = true;
    ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_DROPPED);
    return true;
}

void
ref_room_make(struct ref_world *world, const struct ref_need *needs, bool alone)
{
    struct ref_room room = ref_room(world, needs);
    if (!room.there) {
        ref_fail(world, NULL, "a job was taken in, but there is no room");
    }
    for (uint32_t i = 0; i < room.drops_count; i++) {
        uint32_t queue = world->jobs[room.drops[i]].queue;
        bool more = drop(world, needs, queue);
        while (more && alone) {
            more = drop(world, needs, queue); /* ends: each is one that waits */
        }
    }
}

/* What is dropped has children: one that goes on may take the room, so that the job is refused. */
bool
ref_room_loose(const struct ref_world *world, const struct ref_need *needs)
{
    const struct ref_room room = ref_room(world, needs);
    bool loose = false;
    for (uint32_t i = 0; room.there && i < room.drops_count; i++) {
        loose = loose || world->jobs[room.drops[i]].node.uses != 0;
    }
    return loose;
}

/* The engine says whether it came to that, and of whom: it goes on until none is left. */
bool
ref_room_lost(struct ref_world *world, const struct ref_need *needs)
{
    static const struct ref_room none = {.there = true};
    const struct ref_room room = ref_room(world, needs);
    bool lost = false;
    if (!ref_room_loose(world, needs)) {
        return false;
    }
    uint32_t index = room.drops[0];
    uint32_t queue = world->jobs[index].queue;
    while (index != REF_NONE && was_dropped(world, index) && drop(world, needs, queue)) {
        lost = true;
        index = oldest(world, queue, needs[queue].level, &none);
    }
    return lost;
}

/* A tenant counts those of all its queues, also where the limit is the queue's. */
void
ref_room_refused(struct ref_world *world, const struct ref_need *needs, bool surely)
{
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        uint32_t number = world->queues[i].tenant;
        if (needs[i].jobs == 0 || number == REF_NONE) {
            continue;
        }
        struct ref_limits lacks[2];
        (void)look(world, needs, i, &lacks[0]);
        (void)look(world, needs, REF_QUEUES + number, &lacks[1]);
        bool refused = some(lacks[0]) || some(lacks[1]);
        world->tenants[number].refused_high += refused ? 1 : 0;
        world->tenants[number].refused_low += refused && surely ? 1 : 0;
    }
}

void
ref_room_entered(struct ref_world *world, struct ref_job *job)
{
    bool drops = world->queues[job->queue].full == LEAT_FULL_DROP_OLDEST;
    job->trail = drops && job->counted ? ++world->trail : 0;
}

bool
ref_queue_open(const struct ref_world *world, uint32_t queue)
{
    return !world->queues[queue].closed || world->watched != NULL;
}

/* ---- drawing --------------------------------------------------------------------------------- */

void
ref_limits_draw(struct ref_world *world, struct ref_limits *limits)
{
    limits->jobs_max = ref_chance(world, 50) ? 0 : 1 + ref_below(world, 12);
    limits->bytes_max = ref_chance(world, 65) ? 0 : 1 + ref_below(world, 600);
}

struct ref_queue
ref_queue_draw(struct ref_world *world, struct leat_queue_options *options)
{
    struct ref_queue queue = {.tenant = REF_NONE};
    ref_limits_draw(world, &queue.limits);
    queue.full = (enum leat_full_policy)ref_below(world, 3);
    queue.block_ns = ref_chance(world, 50) ? LEAT_FOREVER : ref_delay(world);
    if (ref_chance(world, 60)) {
        queue.tenant = ref_tenant_draw(world, &options->tenant);
    }
    options->waiting_max = (uint32_t)queue.limits.jobs_max;
    options->waiting_bytes_max = queue.limits.bytes_max;
    options->full = queue.full;
    options->block_ns = queue.block_ns;
    queue.counts =
        queue.limits.jobs_max != 0 || queue.limits.bytes_max != 0 || queue.tenant != REF_NONE;
    return queue;
}

/* ---- limits ---------------------------------------------------------------------------------- */

void
ref_op_queue_limits(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct ref_limits drawn;
    bool bad = ref_chance(world, 3);
    ref_limits_draw(world, &drawn);
    limits.waiting_max = (uint32_t)drawn.jobs_max;
    limits.waiting_bytes_max = drawn.bytes_max;
    limits.full = (enum leat_full_policy)(bad ? 3 : ref_below(world, 3));
    limits.block_ns = ref_delay(world);
    enum leat_status right = bad ? LEAT_INVALID : LEAT_OK;
    right = queue == REF_NONE ? LEAT_NOT_FOUND : right;
    ref_note(world, queue, drawn.jobs_max, drawn.bytes_max);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_limits(world->engine, handle, &limits));
    if (right == LEAT_OK) {
        struct ref_queue *of = &world->queues[queue];
        of->limits = drawn;
        of->full = limits.full;
        of->block_ns = limits.block_ns;
        of->counts = of->counts || drawn.jobs_max != 0 || drawn.bytes_max != 0;
    }
}

/* ---- purge and drain ------------------------------------------------------------------------- */

/* Those of the queue that wait end, record by record. `queue`: REF_NONE: of all. */
static size_t
purged(struct ref_world *world, uint32_t queue)
{
    size_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool of = queue == REF_NONE || job->queue == queue;
        if (of && waits(job) && !ref_graph_ended_before(world, job)) {
            job->zombie = true;
            ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
            count++;
        }
    }
    return count;
}

static void
purge_check(struct ref_world *world, size_t count, size_t right)
{
    if (count != right) {
        ref_fail(world, NULL, "%zu jobs were purged\n  expected: %zu", count, right);
    }
    ref_sync(world);
}

void
ref_op_purge(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    size_t count = SIZE_MAX;
    bool there = queue != REF_NONE;
    ref_sync(world);
    ref_note(world, queue, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(there ? LEAT_OK : LEAT_NOT_FOUND),
               leat_queue_purge(world->engine, handle, &count));
    purge_check(world, count, there ? purged(world, queue) : SIZE_MAX);
}

void
ref_op_purge_all(struct ref_world *world)
{
    size_t count = SIZE_MAX;
    bool asks = ref_chance(world, 80);
    ref_sync(world);
    ref_note(world, asks, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK),
               leat_purge_all(world->engine, asks ? &count : NULL));
    size_t right = purged(world, REF_NONE);
    purge_check(world, count, asks ? right : SIZE_MAX);
}

/* Whether the drain of a queue has to wait for the job: it waits for a worker, or runs, or its time
 * has surely come. */
static bool
is_busy(const struct ref_world *world, const struct ref_job *job)
{
    bool due = ref_waits_for_time(job) && ref_due_surely(world, job) && !job->moved;
    return due || job->state == LEAT_JOB_PENDING || job->state == LEAT_JOB_RUNNING;
}

/* What the drain brings, before it looks. */
static bool
may_change(const struct ref_world *world, const struct ref_job *job)
{
    bool due = ref_waits_for_time(job) && ref_due_now(world, job);
    due = due || (waits(job) && ref_expired(world, job));
    return due || (job->awaited && job->until.high_ns != 0 && job->until.low_ns <= ref_boot(world));
}

static const struct ref_job *
busy(const struct ref_world *world, uint32_t queue, bool *maybe)
{
    const struct ref_job *found = NULL;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (ref_live(job) && job->queue == queue) {
            bool changes = may_change(world, job);
            *maybe = *maybe || changes;
            found = is_busy(world, job) && !changes ? job : found;
        }
    }
    return found;
}

static uint64_t
drain_right(const struct ref_world *world, uint32_t queue, uint64_t timeout_ns)
{
    bool runs = world->state == LEAT_ENGINE_RUNNING || world->state == LEAT_ENGINE_DRAINING;
    if (queue == REF_NONE) {
        return REF_ONE(LEAT_NOT_FOUND);
    }
    if (world->current != NULL) {
        return REF_ONE(LEAT_DEADLOCK);
    }
    if (!runs) {
        return REF_ONE(LEAT_WRONG_STATE);
    }
    if (timeout_ns == 0) {
        bool maybe = false;
        bool surely = busy(world, queue, &maybe) != NULL;
        return (surely || maybe ? REF_ONE(LEAT_TIMEOUT) : 0) | (surely ? 0 : REF_ONE(LEAT_OK));
    }
    return REF_ONE(LEAT_OK) | REF_ONE(LEAT_TIMEOUT);
}

static void
drained(struct ref_world *world, uint32_t queue, enum leat_status got)
{
    struct ref_queue *of = &world->queues[queue];
    const struct ref_job *job = NULL;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        job = ref_live(other) && other->queue == queue && is_busy(world, other) ? other : job;
    }
    if ((job != NULL) != (got == LEAT_TIMEOUT)) {
        ref_fail(world, job, "the drain answered: %s", leat_status_text(got));
    }
    if (got == LEAT_TIMEOUT) {
        ref_gate_shake(world, &of->gate);
        of->gate.used = true;
        of->gate.paused = true;
    }
}

void
ref_op_queue_drain(struct ref_world *world)
{
    static const uint64_t timeouts_ns[] = {0, 0, 200000, 3000000};
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    uint64_t timeout_ns = timeouts_ns[ref_below(world, 4)];
    if (world->current != NULL && world->watched == NULL) {
        return; /* a handler that runs inline outside of all others must not */
    }
    if (ref_schedules_due(world)) {
        ref_clock_pass(world, 0, false); /* so that it is known when they fire */
    }
    ref_sync(world);
    uint64_t right = drain_right(world, queue, timeout_ns);
    bool may = (right & (REF_ONE(LEAT_OK) | REF_ONE(LEAT_TIMEOUT))) != 0;
    ref_note(world, queue, timeout_ns, 0);
    struct ref_entry *noted = world->noted;
    if (may) {
        world->queues[queue].closed = true;
        ref_run_begin(world);
    }
    enum leat_status got = leat_queue_drain(world->engine, handle, timeout_ns);
    world->noted = noted;
    ref_answer(world, REF_AT_NOTHING, right, got);
    if (may) {
        world->queues[queue].gate.paused = world->queues[queue].gate.paused || got == LEAT_TIMEOUT;
        ref_sync(world);
        world->running = false;
        drained(world, queue, got);
    }
}

void
ref_op_queue_reopen(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    ref_note(world, queue, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(queue == REF_NONE ? LEAT_NOT_FOUND : LEAT_OK),
               leat_queue_reopen(world->engine, handle));
    if (queue != REF_NONE) {
        world->queues[queue].closed = false;
        world->queues[queue].gate.paused = false;
    }
}

/* ---- what a queue tells ---------------------------------------------------------------------- */

static struct leat_queue_info
info_right(const struct ref_world *world, uint32_t queue)
{
    struct leat_queue_info info = leat_queue_info_default();
    const struct ref_queue *of = &world->queues[queue];
    info.priority = of->priority;
    info.running_max = of->gate.most;
    info.waiting_max = (uint32_t)of->limits.jobs_max;
    info.waiting_bytes_max = of->limits.bytes_max;
    info.full = of->full;
    info.block_ns = of->block_ns;
    info.tenant.bits = of->tenant == REF_NONE ? 0 : world->tenants[of->tenant].handle.bits;
    info.paused = ref_gate_paused(&of->gate);
    info.draining = of->closed;
    info.dropped = of->dropped;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (ref_live(job) && job->queue == queue) {
            info.waiting += job->state == LEAT_JOB_PENDING ? 1 : 0;
            info.waiting_bytes += job->state == LEAT_JOB_PENDING ? job->payload_bytes : 0;
            info.scheduled += job->state == LEAT_JOB_SCHEDULED ? 1 : 0;
            info.retrying += job->state == LEAT_JOB_RETRYING ? 1 : 0;
            info.running += job->state == LEAT_JOB_RUNNING ? 1 : 0;
        }
    }
    return info;
}

static void
info_check(struct ref_world *world, uint32_t queue)
{
    struct leat_queue_info got = leat_queue_info_default();
    struct leat_queue_info right = info_right(world, queue);
    if (leat_queue_get_info(world->engine, world->queues[queue].handle, &got) != LEAT_OK) {
        ref_fail(world, NULL, "leat_queue_get_info() fails");
    }
    const uint64_t numbers[][2] = {{got.priority, right.priority},
                                   {got.running_max, right.running_max},
                                   {got.waiting_max, right.waiting_max},
                                   {got.waiting_bytes_max, right.waiting_bytes_max},
                                   {got.full, right.full},
                                   {got.block_ns, right.block_ns},
                                   {got.tenant.bits, right.tenant.bits},
                                   {got.paused, right.paused},
                                   {got.draining, right.draining},
                                   {got.dropped, right.dropped},
                                   {got.waiting, right.waiting},
                                   {got.waiting_bytes, right.waiting_bytes},
                                   {got.scheduled, right.scheduled},
                                   {got.retrying, right.retrying},
                                   {got.running, right.running}};
    for (uint32_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i][0] != numbers[i][1]) {
            ref_fail(world, NULL,
                     "queue %u: number %u that it tells is %" PRIu64 "\n  expected: %" PRIu64,
                     queue, i, numbers[i][0], numbers[i][1]);
        }
    }
}

void
ref_limits_check(struct ref_world *world)
{
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        if (world->queues[i].handle.bits != 0) {
            info_check(world, i);
        }
    }
}
