/* op_dead.c - jobs that failed: their attempts are told, dead letters are listed, brought back and
 * deleted, one or all. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SENTINEL 77

/* ---- which letters there are ----------------------------------------------------------------- */

enum letter { LETTER_NONE, LETTER_MAYBE, LETTER_THERE };

/* pre: the job was just looked at. What is not kept for its submitter is there as a letter only. */
static enum letter
letter_of(const struct ref_world *world, const struct ref_job *job)
{
    if (job->id.bits == 0 || job->gone || job->state != LEAT_JOB_DEAD || job->unlisted ||
        world->config.dead_max == 0) {
        return LETTER_NONE;
    }
    bool in_time = world->ends_dead - job->ends < world->config.dead_max;
    bool stays = job->kept || ref_pinned(job);
    return !job->zombie && (!stays || in_time) ? LETTER_THERE : LETTER_MAYBE;
}

static bool
is_letter(const struct ref_world *world, const struct ref_job *job)
{
    return letter_of(world, job) != LETTER_NONE;
}

static struct ref_target
target_of(struct ref_world *world)
{
    return ref_chance(world, 75) ? ref_target_of(world, is_letter) : ref_target(world);
}

/* ---- queries --------------------------------------------------------------------------------- */

struct wanted {
    struct leat_dead_query query;
    bool each; /* no query is given */
    uint32_t type;
    uint32_t queue;
};

static void
draw_query(struct ref_world *world, struct wanted *wanted)
{
    static const enum leat_reason reasons[] = {LEAT_REASON_FAILED, LEAT_REASON_ATTEMPTS,
                                               LEAT_REASON_EXPIRED, LEAT_REASON_TIMEOUT};
    wanted->query = leat_dead_query_default();
    wanted->each = ref_chance(world, 30);
    wanted->type = REF_NONE;
    wanted->queue = REF_NONE;
    uint32_t type = ref_below(world, REF_TYPES);
    uint32_t queue = ref_below(world, REF_QUEUES);
    if (!wanted->each && ref_chance(world, 30) && world->types[type].handle.bits != 0) {
        wanted->type = type;
        wanted->query.type = world->types[type].handle;
    }
    if (!wanted->each && ref_chance(world, 30) && world->queues[queue].handle.bits != 0) {
        wanted->queue = queue;
        wanted->query.queue = world->queues[queue].handle;
    }
    if (!wanted->each && ref_chance(world, 40)) {
        wanted->query.reason = reasons[ref_below(world, 4)];
    }
}

static bool
meant(const struct wanted *wanted, const struct ref_job *job)
{
    return (wanted->type == REF_NONE || wanted->type == job->type) &&
           (wanted->queue == REF_NONE || wanted->queue == job->queue) &&
           (wanted->query.reason == LEAT_REASON_NONE || wanted->query.reason == job->reason);
}

/* How many letters are meant: surely, and at most. */
static void
count_meant(const struct ref_world *world, const struct wanted *wanted, uint32_t *least,
            uint32_t *most)
{
    *least = 0;
    *most = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        enum letter letter =
            wanted == NULL || meant(wanted, job) ? letter_of(world, job) : LETTER_NONE;
        *least += letter == LETTER_THERE ? 1 : 0;
        *most += letter != LETTER_NONE ? 1 : 0;
    }
}

void
ref_letters(const struct ref_world *world, uint32_t *least, uint32_t *most)
{
    count_meant(world, NULL, least, most);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* One that is listed: it is meant, and none before it surely died behind it. */
static struct ref_job *
check_listed(struct ref_world *world, const struct wanted *wanted, const leat_job_id *ids,
             size_t at)
{
    struct ref_job *job = ref_job_of(world, ids[at]);
    if (letter_of(world, job) == LETTER_NONE || !meant(wanted, job)) {
        ref_fail(world, job, "a job is listed that is no dead letter, or not meant");
    }
    for (size_t i = 0; i < at; i++) {
        const struct ref_job *before = ref_job_of(world, ids[i]);
        if (before == job || before->died_low > job->died_high) {
            ref_fail(world, job, "it is listed behind %" PRIx64 ", or twice", before->id.bits);
        }
    }
    return job;
}

/* All that are meant, in parts as long as `capacity`. */
void
ref_op_dead_list(struct ref_world *world)
{
    static leat_job_id ids[REF_RECORDS]; /* too much for a stack */
    struct wanted wanted;
    size_t listed = 0;
    size_t count = 0;
    size_t capacity = ref_chance(world, 50) ? REF_RECORDS : 1 + ref_below(world, 4);
    ref_sync(world);
    draw_query(world, &wanted);
    do {
        size_t room = REF_RECORDS - listed < capacity ? REF_RECORDS - listed : capacity;
        ref_note(world, room, wanted.query.reason, listed);
        ref_answer(world, REF_AT_NOTHING, REF_ONE(room == 0 ? LEAT_INVALID : LEAT_OK),
                   leat_dead_list(world->engine, &wanted.query, &ids[listed], room, &count));
        listed += count;
    } while (count == capacity && listed < REF_RECORDS);
    for (size_t i = 0; i < listed; i++) {
        ref_graph_landed(world, check_listed(world, &wanted, ids, i));
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool found = false;
        for (size_t j = 0; j < listed; j++) {
            found = found || ids[j].bits == job->id.bits;
        }
        if (!found && meant(&wanted, job) && letter_of(world, job) == LETTER_THERE) {
            ref_fail(world, job, "a dead letter is not listed");
        }
        if (!found && meant(&wanted, job) && is_letter(world, job) && !job->zombie) {
            ref_graph_forsaken(world, job);
        }
    }
}

/* ---- one ------------------------------------------------------------------------------------- */

static struct leat_when
draw_when(struct ref_world *world, enum leat_status *shape)
{
    struct leat_when when = leat_when_now();
    uint32_t way = ref_below(world, 10);
    *shape = LEAT_OK;
    if (way < 3) {
        when = leat_when_in(ref_delay(world));
    } else if (way < 5) {
        when = leat_when_at(ref_wall_draw(world));
    } else if (way == 5 && ref_chance(world, 30)) {
        when.delay_ns = 1;
        when.run_at_ns = 1;
        *shape = LEAT_INVALID;
    }
    return when;
}

static uint64_t
one_right(const struct ref_world *world, const struct ref_target *target, enum leat_status there)
{
    if (target->job == NULL) {
        return REF_ONE(target->missing);
    }
    enum letter letter = letter_of(world, target->job);
    bool on_its_way = target->job->state == LEAT_JOB_DEAD && target->job->zombie;
    uint64_t right = letter == LETTER_NONE ? REF_ONE(LEAT_WRONG_STATE) : REF_ONE(there);
    right |= on_its_way ? REF_ONE(LEAT_BUSY) : 0;
    bool stays = target->job->kept || ref_pinned(target->job);
    right |= letter == LETTER_MAYBE && stays ? REF_ONE(LEAT_WRONG_STATE) : 0;
    return right;
}

/* What an answer says of a letter that may have been there. */
static void
one_learn(struct ref_world *world, struct ref_job *job, enum leat_status got)
{
    bool there = got == LEAT_OK || got == LEAT_CLOSED || got == LEAT_EXISTS;
    if (job == NULL || job->state != LEAT_JOB_DEAD) {
        return;
    }
    if (there) {
        ref_graph_landed(world, job);
    }
    if (got == LEAT_WRONG_STATE && !job->unlisted) {
        ref_graph_forsaken(world, job);
    }
}

static void
revive(struct ref_world *world, struct ref_job *job, struct leat_when when)
{
    job->attempts = 0;
    job->trail = 0;
    job->progress = 0;
    job->cancel = false;
    job->expires_ns = REF_NEVER;
    job->completions = REF_NONE;
    ref_labels_renew(world, job);
    job->reason = LEAT_REASON_NONE;
    world->counts.brought_back++;
    if (when.delay_ns == 0 && when.run_at_ns <= ref_wall(world)) {
        ref_wait_in_line(world, job);
        return;
    }
    job->state = LEAT_JOB_SCHEDULED;
    job->since_ns = ref_boot(world);
    job->moved = false;
    job->front = false; /* it may have died with a lease given back */
    job->due.wall = when.delay_ns == 0;
    job->due.low_ns = job->due.wall ? when.run_at_ns : ref_after(ref_boot(world), when.delay_ns);
    job->due.high_ns = job->due.low_ns;
}

/* What becomes of a letter that is there. */
static enum leat_status
retry_right(struct ref_world *world, const struct ref_job *job)
{
    if (job == NULL) {
        return LEAT_OK;
    }
    ref_labels_look(world, job->type, &job->labels);
    if (!ref_labels_free(world, job)) {
        return LEAT_EXISTS;
    }
    return ref_accepts(world) ? LEAT_OK : LEAT_CLOSED;
}

void
ref_op_dead_retry(struct ref_world *world)
{
    enum leat_status shape = LEAT_OK;
    struct ref_target target = target_of(world);
    struct leat_when when = draw_when(world, &shape);
    enum leat_status there = retry_right(world, target.job);
    uint64_t right = one_right(world, &target, there);
    right = shape == LEAT_OK ? right : REF_ONE(shape);
    ref_note(world, target.id.bits, when.delay_ns, when.run_at_ns);
    enum leat_status got = leat_dead_retry(world->engine, target.id, when);
    ref_answer(world, target.at, right, got);
    one_learn(world, target.job, got);
    if (got == LEAT_OK) {
        revive(world, target.job, when);
        ref_look(world, target.job);
    } else if (got == LEAT_CLOSED) {
        ref_labels_loosen(world, &target.job->labels);
    }
}

void
ref_op_dead_delete(struct ref_world *world)
{
    struct ref_target target = target_of(world);
    uint64_t right = one_right(world, &target, LEAT_OK);
    ref_note(world, target.id.bits, 0, 0);
    enum leat_status got = leat_dead_delete(world->engine, target.id);
    ref_answer(world, target.at, right, got);
    one_learn(world, target.job, got);
    if (got == LEAT_OK) {
        ref_graph_forsaken(world, target.job);
        ref_look(world, target.job);
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Which letters are there is told by a list; so it is known what the call comes to. Returns how
 * many are meant; they are in the order of the list. */
static uint32_t
listed_now(struct ref_world *world, const struct wanted *wanted, struct ref_job **jobs)
{
    static leat_job_id ids[REF_RECORDS]; /* too much for a stack */
    struct leat_dead_query query = wanted->query;
    size_t count = 0;
    uint32_t least = 0;
    uint32_t most = 0;
    ref_sync(world);
    if (leat_dead_list(world->engine, &query, ids, REF_RECORDS, &count) != LEAT_OK) {
        ref_fail(world, NULL, "leat_dead_list() fails");
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i] = check_listed(world, wanted, ids, i);
    }
    count_meant(world, wanted, &least, &most);
    if (count < least || count > most) {
        ref_fail(world, NULL, "%zu letters are listed\n  expected: %u to %u", count, least, most);
    }
    return (uint32_t)count;
}

void
ref_op_dead_retry_all(struct ref_world *world)
{
    static struct ref_job *jobs[REF_RECORDS]; /* too much for a stack */
    struct wanted wanted;
    enum leat_status shape = LEAT_OK;
    size_t count = SENTINEL;
    draw_query(world, &wanted);
    struct leat_when when = draw_when(world, &shape);
    uint32_t there = listed_now(world, &wanted, jobs);
    enum leat_status right = LEAT_OK;
    for (uint32_t i = 0; i < there && right != LEAT_CLOSED; i++) {
        right = retry_right(world, jobs[i]); /* those whose names are taken stay */
    }
    right = right == LEAT_EXISTS ? LEAT_OK : right;
    right = shape == LEAT_OK ? right : shape;
    ref_note(world, when.delay_ns, when.run_at_ns, there);
    ref_answer(
        world, REF_AT_NOTHING, REF_ONE(right),
        leat_dead_retry_all(world->engine, wanted.each ? NULL : &wanted.query, when, &count));
    uint32_t back = 0;
    for (uint32_t i = 0; i < there && shape == LEAT_OK; i++) {
        ref_graph_landed(world, jobs[i]);
        if (right == LEAT_CLOSED) {
            ref_labels_loosen(world, &jobs[i]->labels);
        } else if (ref_labels_free(world, jobs[i])) {
            revive(world, jobs[i], when);
            back++;
        }
    }
    ref_sync(world);
    if (count != (right == LEAT_OK ? back : SENTINEL)) {
        ref_fail(world, NULL, "%zu letters are brought back\n  expected: %u", count, back);
    }
}

void
ref_op_dead_delete_all(struct ref_world *world)
{
    static struct ref_job *jobs[REF_RECORDS]; /* too much for a stack */
    struct wanted wanted;
    size_t count = SENTINEL;
    draw_query(world, &wanted);
    uint32_t there = listed_now(world, &wanted, jobs);
    ref_note(world, wanted.query.reason, there, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK),
               leat_dead_delete_all(world->engine, wanted.each ? NULL : &wanted.query, &count));
    if (count != there) {
        ref_fail(world, NULL, "%zu letters are deleted\n  expected: %u", count, there);
    }
    for (uint32_t i = 0; i < there; i++) {
        ref_graph_landed(world, jobs[i]);
        ref_graph_forsaken(world, jobs[i]);
    }
    ref_sync(world);
}

/* ---- payloads -------------------------------------------------------------------------------- */

void
ref_op_dead_payload(struct ref_world *world)
{
    unsigned char buffer[REF_PAYLOAD_MAX];
    size_t bytes = SENTINEL;
    size_t capacity = ref_chance(world, 70) ? sizeof(buffer) : ref_below(world, sizeof(buffer));
    struct ref_target target = target_of(world);
    const struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = job->payload_bytes <= capacity ? LEAT_OK : LEAT_FULL;
        right = job->state == LEAT_JOB_DEAD ? right : LEAT_WRONG_STATE;
    }
    ref_note(world, target.id.bits, capacity, 0);
    ref_answer(world, target.at, REF_ONE(right),
               leat_job_payload(world->engine, target.id, buffer, capacity, &bytes));
    bool sized = right == LEAT_OK || right == LEAT_FULL;
    if (bytes != (job != NULL && sized ? job->payload_bytes : SENTINEL) ||
        (job != NULL && right == LEAT_OK && memcmp(buffer, job->payload, bytes) != 0)) {
        ref_fail(world, job, "the payload has %zu bytes, or others", bytes);
    }
}

/* ---- attempts -------------------------------------------------------------------------------- */

/* An attempt ends: those from the first failure on are told. */
void
ref_attempt_note(struct ref_world *world, struct ref_job *job, enum leat_outcome_kind outcome)
{
    bool failed = outcome == LEAT_OUTCOME_RETRY || outcome == LEAT_OUTCOME_FAIL;
    ref_breaker_ended(world, job, failed);
    if (job->told == 0 && !failed) {
        return;
    }
    struct ref_attempt *attempt = &job->attempts_told[job->told % LEAT_ATTEMPTS_KEPT];
    job->told++;
    attempt->attempt = job->attempts;
    attempt->inside = job->handled && !job->inlined; /* else no worker has */
    attempt->outcome = outcome;
    attempt->timed_out = job->timed_out || job->tardy;
    attempt->ended_known = !world->by_itself;
    attempt->ended_ns = ref_wall(world);
    (void)snprintf(attempt->error, sizeof(attempt->error), "%s",
                   job->late ? job->late_error : job->error);
}

/* Jobs of which more is told than is kept come first. */
static bool
is_told(const struct ref_world *world, const struct ref_job *job)
{
    bool many = world->step % 2 == 0;
    return !job->gone && job->told > (many ? LEAT_ATTEMPTS_KEPT : 0);
}

static bool
same_attempt(const struct ref_attempt *right, const struct leat_attempt_info *got)
{
    return got->attempt == right->attempt && got->outcome == right->outcome &&
           got->worker == (right->inside ? 0 : LEAT_WORKER_OUTSIDE) &&
           got->timed_out == right->timed_out && strcmp(got->error, right->error) == 0 &&
           (!right->ended_known || got->ended_unix_ns == right->ended_ns);
}

void
ref_op_attempts(struct ref_world *world)
{
    static struct leat_attempt_info infos[LEAT_ATTEMPTS_KEPT + 1]; /* too much for a stack */
    size_t capacity = ref_chance(world, 70) ? LEAT_ATTEMPTS_KEPT + 1 : ref_below(world, 5);
    size_t count = SENTINEL;
    struct ref_target target =
        ref_chance(world, 80) ? ref_target_of(world, is_told) : ref_target(world);
    const struct ref_job *job = target.job;
    enum leat_status right = job == NULL ? target.missing : LEAT_OK;
    infos[0] = leat_attempt_info_default();
    ref_note(world, target.id.bits, capacity, 0);
    ref_answer(world, target.at, REF_ONE(capacity == 0 ? LEAT_INVALID : right),
               leat_job_attempts(world->engine, target.id, infos, capacity, &count));
    if (capacity == 0 || job == NULL || right != LEAT_OK) {
        return;
    }
    uint32_t kept = job->told < LEAT_ATTEMPTS_KEPT ? job->told : LEAT_ATTEMPTS_KEPT;
    kept = kept < capacity ? kept : (uint32_t)capacity;
    if (count != kept) {
        ref_fail(world, job, "%zu attempts are told\n  expected: %u", count, kept);
    }
    for (uint32_t i = 0; i < kept; i++) {
        const struct ref_attempt *attempt =
            &job->attempts_told[(job->told - kept + i) % LEAT_ATTEMPTS_KEPT];
        if (!same_attempt(attempt, &infos[i])) {
            ref_fail(world, job,
                     "told %u of %u: attempt %u, worker %u, outcome %u, timed out %d, \"%s\", "
                     "ended %" PRIu64 "\n  expected: attempt %u, inside %d, outcome %u, timed out "
                     "%d, \"%s\", ended %" PRIu64,
                     i, kept, infos[i].attempt, infos[i].worker, infos[i].outcome,
                     infos[i].timed_out, infos[i].error, infos[i].ended_unix_ns, attempt->attempt,
                     attempt->inside, attempt->outcome, attempt->timed_out, attempt->error,
                     attempt->ended_ns);
        }
    }
}
