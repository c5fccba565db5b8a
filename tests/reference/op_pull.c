/* op_pull.c - pull queues: their jobs are taken with a lease, and given back. A lease is an attempt
 * that is pending for a time. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#define LEASES_MAX   6
#define BUFFER_MAX   640 /* three of the largest payloads */
#define ALIGNMENT    16
#define LEASE_NS     (300 * REF_S) /* where none is asked for */
#define COUNT_BEFORE 77

/* ---- whose turn it is ------------------------------------------------------------------------ */

static bool
waits_here(const struct ref_world *world, const struct ref_job *job, uint32_t queue)
{
    return ref_live(job) && job->state == LEAT_JOB_PENDING && job->queue == queue &&
           !ref_expired(world, job);
}

/* Surely inside: the time of some may be over, and be found so in this call. */
static uint32_t
inside(const struct ref_world *world, uint32_t queue)
{
    uint32_t count = world->queues[queue].gate.inside;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool over = job->until.high_ns != 0 && job->until.low_ns <= ref_boot(world);
        count -=
            ref_live(job) && job->awaited && job->inside && job->queue == queue && over ? 1 : 0;
    }
    return count;
}

/* `other` waited for its parents until the call dropped an expired job, and by then it may be too
 * late: its level was looked at, or it goes before what was dropped at its own. What came free by
 * what was due as the call began is no such job. */
static bool
came_behind(const struct ref_world *world, const struct ref_job *other, const struct ref_job *job)
{
    uint32_t least = other->level < job->level ? other->level + 1 : other->level;
    bool found = false;
    for (uint32_t i = 0; other->came_late && i < REF_RECORDS; i++) {
        const struct ref_job *dropped = &world->jobs[i];
        found = found || (dropped->lived && dropped->state == LEAT_JOB_DEAD &&
                          dropped->reason == LEAT_REASON_EXPIRED && dropped->level >= least);
    }
    return found;
}

/* Level by level, and of each the one that waits in front. */
static void
check_turn(struct ref_world *world, const struct ref_job *job)
{
    const struct ref_gate *gate = &world->queues[job->queue].gate;
    if (job->state != LEAT_JOB_PENDING || ref_expired(world, job)) {
        ref_fail(world, job, "a job is leased that does not wait, or has expired");
    }
    if (ref_gate_paused(gate) || (gate->most != 0 && inside(world, job->queue) >= gate->most)) {
        ref_fail(world, job, "a job is leased, but its queue's gate is shut");
    }
    if (!ref_rates_queue_may(world, job->queue)) {
        ref_fail(world, job, "a job is leased, but its queue has no token");
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        bool first =
            other->level < job->level || (other->level == job->level && other->high < job->low);
        first = world->queues[job->queue].exact ? ref_order_before(other, job) : first;
        first = first && other->key == REF_NONE && !came_behind(world, other, job);
        if (other != job && first && waits_here(world, other, job->queue)) {
            ref_fail(world, job,
                     "a job is leased, but %" PRIx64 ", level %u, order %" PRIu64 " comes first",
                     other->id.bits, other->level, other->high);
        }
    }
}

/* ---- one lease ------------------------------------------------------------------------------- */

static void
check_lease(struct ref_world *world, struct ref_job *job, const struct leat_lease *lease)
{
    bool good = lease->token.job == job->id.bits && lease->token.attempt == job->runs &&
                lease->type.bits == world->types[job->type].handle.bits &&
                lease->priority == job->level && lease->attempt == job->attempts &&
                lease->max_attempts == ref_max_attempts(world, job);
    if (!good) {
        ref_fail(world, job,
                 "the lease says: token %" PRIu64 ", type %u, level %u, attempt %u of %u",
                 lease->token.attempt, lease->type.bits, lease->priority, lease->attempt,
                 lease->max_attempts);
    }
    bool none = lease->payload_bytes == 0;
    if (lease->payload_bytes != job->payload_bytes || none != (lease->payload == NULL) ||
        (uintptr_t)lease->payload % ALIGNMENT != 0 ||
        (!none && memcmp(lease->payload, job->payload, job->payload_bytes) != 0)) {
        ref_fail(world, job, "the payload is another one");
    }
}

static void
leased(struct ref_world *world, const struct leat_lease *lease, uint64_t lease_ns)
{
    struct ref_job *job = ref_job_of(world, lease->id);
    ref_graph_catch_up(world);
    (void)ref_reach(world, job, LEAT_JOB_PENDING);
    ref_key_look(world, job);
    if (!ref_key_may_begin(world, job)) {
        ref_fail(world, job, "a job is leased, but another one has its key");
    }
    if (!ref_key_rates_may_begin(world, job)) {
        ref_fail(world, job, "a job is leased, but its key has no token");
    }
    check_turn(world, job);
    ref_begin(world, job);
    check_lease(world, job, lease);
    ref_await(world, job, lease_ns);
    if (lease->due_in_ns != lease_ns) {
        ref_fail(world, job, "the lease holds for %" PRIu64, lease->due_in_ns);
    }
}

/* ---- reserving ------------------------------------------------------------------------------- */

static size_t
round_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* It took less than it might have: then nothing waits, or the next one's payload is too large. */
static void
check_rest(struct ref_world *world, uint32_t queue, size_t room, bool full)
{
    const struct ref_gate *gate = &world->queues[queue].gate;
    const struct ref_job *waits = NULL;
    bool large = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (waits_here(world, job, queue)) {
            bool late = job->came_late || ref_key_waits(world, job);
            waits = late || ref_key_rates_hold(world, job) ? waits : job;
            large = large || job->payload_bytes > room;
        }
    }
    if (full && !large) {
        ref_fail(world, waits, "no payload is too large");
    }
    bool open = !ref_gate_paused(gate) && (gate->most == 0 || gate->inside < gate->most) &&
                ref_rates_queue_must(world, queue);
    if (waits != NULL && open && !large) {
        ref_fail(world, waits, "there was room for a lease, and this job waits");
    }
}

static uint64_t
reserve_right(const struct ref_world *world, uint32_t queue, uint32_t most)
{
    if (most == 0) {
        return REF_ONE(LEAT_INVALID);
    }
    if (queue == REF_NONE) {
        return REF_ONE(LEAT_NOT_FOUND);
    }
    if (!world->queues[queue].pull || world->state == LEAT_ENGINE_OPEN) {
        return REF_ONE(LEAT_WRONG_STATE);
    }
    bool runs = world->state == LEAT_ENGINE_RUNNING;
    return runs ? REF_ONE(LEAT_OK) | REF_ONE(LEAT_EMPTY) | REF_ONE(LEAT_FULL)
                : REF_ONE(LEAT_CLOSED);
}

static uint32_t
draw_queue(struct ref_world *world, struct leat_reserve_options *options)
{
    uint32_t first = ref_below(world, REF_QUEUES);
    bool any = ref_chance(world, 8);
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        uint32_t queue = (first + i) % REF_QUEUES;
        if (world->queues[queue].handle.bits != 0 && (any || world->queues[queue].pull)) {
            options->queue = world->queues[queue].handle;
            return queue;
        }
    }
    options->queue.bits = ref_chance(world, 50) ? 0 : 9999;
    return REF_NONE;
}

/* What came of it. pre: the model says that it runs. */
static void
reserved(struct ref_world *world, const struct leat_reserve_options *options, uint32_t queue,
         const struct leat_lease *leases, size_t count)
{
    uint64_t lease_ns = options->lease_ns == 0 ? LEASE_NS : options->lease_ns;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        /* Some of them may have been leased before, until now. */
        (void)ref_reach(world, ref_job_of(world, leases[i].id), LEAT_JOB_PENDING);
    }
    for (size_t i = 0; i < count; i++) {
        used = leases[i].payload_bytes == 0 ? used : round_up(used) + leases[i].payload_bytes;
        leased(world, &leases[i], lease_ns);
    }
    ref_sync(world);
    if (count > options->max || used > options->buffer_bytes) {
        ref_fail(world, NULL, "%zu leases, %zu bytes", count, used);
    }
    if (count < options->max) {
        size_t begin = round_up(used);
        size_t room = options->buffer_bytes > begin ? options->buffer_bytes - begin : 0;
        check_rest(world, queue, room, false);
    }
}

/* Who stands behind another one of its key, or behind its parents, before the call may come to its
 * list within it, by the end of a job that the call comes by and drops; and then its level may have
 * been looked at already. */
static void
note_late(struct ref_world *world, uint32_t queue)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool here = job->queue == queue && ref_live(job);
        job->lived = ref_live(job);
        job->came_late = here && (job->state == LEAT_JOB_BLOCKED || ref_key_waits(world, job));
    }
}

void
ref_op_reserve(struct ref_world *world)
{
    static _Alignas(ALIGNMENT) unsigned char buffer[BUFFER_MAX];
    struct leat_lease leases[LEASES_MAX];
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = COUNT_BEFORE;
    uint32_t queue = draw_queue(world, &options);
    options.max = ref_chance(world, 50) ? 1 : ref_below(world, LEASES_MAX + 1);
    options.lease_ns = ref_delay(world);
    options.buffer_bytes = ref_chance(world, 60) ? BUFFER_MAX : ref_below(world, BUFFER_MAX);
    options.buffer = options.buffer_bytes == 0 ? NULL : buffer;
    uint64_t right = reserve_right(world, queue, options.max);
    bool runs = (right & REF_ONE(LEAT_EMPTY)) != 0;
    bool nested = world->running;
    note_late(world, queue);
    ref_note(world, queue, options.max, options.buffer_bytes);
    if (!nested && runs) {
        ref_run_begin(world); /* it brings what is due, too */
    }
    enum leat_status got = leat_reserve(world->engine, &options, leases, &count);
    if ((count != COUNT_BEFORE) != (got == LEAT_OK) || count == 0) {
        ref_fail(world, NULL, "%s, and %zu leases", leat_status_text(got), count);
    }
    world->noted->values[0] = got == LEAT_OK ? leases[0].id.bits : queue;
    struct ref_entry *noted = world->noted;
    if (runs) {
        reserved(world, &options, queue, leases, got == LEAT_OK ? count : 0);
        if (got == LEAT_FULL) {
            check_rest(world, queue, options.buffer_bytes, true);
        }
    }
    world->running = nested;
    world->noted = noted;
    ref_answer(world, REF_AT_NOTHING, right, got);
}

/* ---- giving back ----------------------------------------------------------------------------- */

/* Half of them leases; the others are attempts that handlers left pending. */
static bool
is_leased(const struct ref_world *world, const struct ref_job *job)
{
    return ref_live(job) && job->awaited && world->queues[job->queue].pull;
}

static struct ref_target
target_of(struct ref_world *world)
{
    return ref_chance(world, 60) ? ref_target_of(world, is_leased) : ref_complete_target(world);
}

void
ref_op_ack(struct ref_world *world)
{
    unsigned char result[REF_RESULT_MAX];
    struct ref_target target = target_of(world);
    struct ref_job *job = target.job;
    leat_token token = ref_token_of(world, &target);
    size_t bytes = ref_chance(world, 50) ? 0 : ref_below(world, REF_RESULT_MAX + 1);
    bool bad = ref_chance(world, 3);
    enum leat_status right = ref_complete_right(&target, token);
    memset(result, (int)(token.attempt & 0xff), sizeof(result));
    enum ref_keeps keeps = job == NULL || bytes == 0 ? REF_KEEPS_NOT : ref_keeps(world, job);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is right has a job */
    bool early = right == LEAT_OK && job->handled; /* its handler has not answered */
    uint64_t rights = REF_ONE(early && keeps == REF_KEEPS ? LEAT_WRONG_STATE : right);
    rights |= early && keeps == REF_KEEPS_MAYBE ? REF_ONE(LEAT_WRONG_STATE) : 0;
    rights = bad ? REF_ONE(LEAT_INVALID) : rights;
    ref_note(world, target.id.bits, token.attempt, bytes);
    enum leat_status got = leat_ack(world->engine, token, bad ? NULL : result,
                                    bad ? world->config.payload_bytes_max + 1 : bytes);
    ref_answer(world, target.at, rights, got);
    if (got != LEAT_OK) {
        return;
    }
    if (bytes != 0 && !early) {
        ref_result_set(world, job, result, bytes);
    }
    ref_completed(world, job, leat_done(), NULL);
}

void
ref_op_nack(struct ref_world *world)
{
    struct ref_target target = target_of(world);
    leat_token token = ref_token_of(world, &target);
    uint64_t delay_ns = ref_chance(world, 50) ? LEAT_DELAY_OF_POLICY : ref_delay(world);
    const char *error = ref_chance(world, 50) ? ref_error_text(world) : NULL;
    enum leat_status right = ref_complete_right(&target, token);
    ref_note(world, target.id.bits, token.attempt, delay_ns);
    ref_answer(world, target.at, REF_ONE(right), leat_nack(world->engine, token, delay_ns, error));
    if (right == LEAT_OK) {
        ref_completed(world, target.job, leat_retry_in(delay_ns), error);
    }
}

void
ref_op_lease_release(struct ref_world *world)
{
    struct ref_target target = target_of(world);
    leat_token token = ref_token_of(world, &target);
    enum leat_status right = ref_complete_right(&target, token);
    ref_note(world, target.id.bits, token.attempt, 0);
    ref_answer(world, target.at, REF_ONE(right), leat_lease_release(world->engine, token));
    if (right == LEAT_OK) {
        ref_completed(world, target.job, leat_snooze(0), NULL);
    }
}

void
ref_op_lease_extend(struct ref_world *world)
{
    struct ref_target target = target_of(world);
    leat_token token = ref_token_of(world, &target);
    uint64_t lease_ns = ref_delay(world);
    enum leat_status right = ref_extend_right(&target, token);
    ref_note(world, target.id.bits, token.attempt, lease_ns);
    ref_answer(world, target.at, REF_ONE(right), leat_extend(world->engine, token, lease_ns));
    if (right == LEAT_OK) {
        ref_extended(world, target.job, lease_ns == 0 ? LEASE_NS : lease_ns);
    }
}
