/* handler.c - what handlers do. Each begin is judged: was it this job's turn? Then the handler
 * looks at its run, calls the engine, and draws what it answers. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)

/* ---- whose turn it is ------------------------------------------------------------------------ */

static bool
reorders(const struct ref_world *world, const struct ref_job *job, const struct ref_job *other)
{
    bool any = false;
    for (uint32_t i = 0; i < ref_parts_count; i++) {
        any = any || (ref_parts[i].reorders != NULL && ref_parts[i].reorders(world, job, other));
    }
    return any;
}

/* A job that surely came first, and that nothing holds back. */
static bool
comes_first(const struct ref_world *world, const struct ref_job *job, const struct ref_job *other)
{
    bool waits = ref_live(other) && other->state == LEAT_JOB_PENDING && other != job;
    if (!waits || ref_gather_reorders(world, job, other) || ref_expired(world, other) ||
        !world->types[other->type].bound || world->queues[other->queue].pull) {
        return false;
    }
    if (other->queue == job->queue && world->queues[job->queue].exact) {
        return ref_order_first(world, job, other);
    }
    if (other->level == job->level && other->queue == job->queue) {
        return other->high < job->low && !reorders(world, job, other);
    }
    /* Lists are looked at in parts, so an order of levels is promised to what is in the ring. */
    bool strict =
        world->config.starvation_picks == 0 && other->high <= world->synced && !world->places;
    /* What is gathered comes in the order in which it was. */
    strict = strict && !ref_gather_takes(world, job);
    return strict && other->key == REF_NONE && other->level < job->level &&
           !world->queues[other->queue].gate.used && !world->types[other->type].gate.used &&
           ref_present(world) <= world->config.ring_slots;
}

static void
check_turn(struct ref_world *world, const struct ref_job *job)
{
    bool state = world->state == LEAT_ENGINE_RUNNING || world->state == LEAT_ENGINE_DRAINING;
    if (!state || !world->running) {
        ref_fail(world, job, "a handler begins, but nothing runs");
    }
    if (job->state != LEAT_JOB_PENDING) {
        ref_fail(world, job, "a handler begins, but the job does not wait");
    }
    if (ref_expired(world, job)) {
        ref_fail(world, job, "a handler begins, but the job has expired");
    }
    for (uint32_t i = 0; i < ref_parts_count; i++) {
        if (ref_parts[i].may_begin != NULL && !ref_parts[i].may_begin(world, job)) {
            ref_fail(world, job, "a handler begins, but %s hold it", ref_parts[i].name);
        }
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        if (comes_first(world, job, other)) {
            ref_fail(world, job,
                     "a handler begins, but %" PRIx64 " of queue %u, level %u, order %" PRIu64
                     " comes first",
                     other->id.bits, other->queue, other->level, other->high);
        }
    }
}

/* Its time is over, or that of its batch. */
static bool
is_late(const struct ref_world *world, const struct ref_job *job)
{
    return job->timed_out || ref_gather_timed_out(world, job);
}

/* ---- its run --------------------------------------------------------------------------------- */

static void
check_run(struct ref_world *world, struct ref_job *job, struct leat_run *run)
{
    size_t bytes = 0;
    const void *payload = leat_run_payload(run, &bytes);
    bool good = leat_run_engine(run) == world->engine && leat_run_id(run).bits == job->id.bits &&
                leat_run_type(run).bits == world->types[job->type].handle.bits &&
                leat_run_queue(run).bits == world->queues[job->queue].handle.bits &&
                leat_run_priority(run) == job->level && leat_run_attempt(run) == job->attempts &&
                leat_run_max_attempts(run) == ref_max_attempts(world, job) &&
                leat_run_worker(run) == (job->inlined ? LEAT_WORKER_NONE : 0) &&
                leat_run_cancelled(run) == (job->cancel || is_late(world, job));
    good =
        good && leat_run_token(run).job == job->id.bits && leat_run_token(run).attempt == job->runs;
    if (!good) {
        ref_fail(world, job,
                 "the run says: type %u, queue %u, level %u, attempt %u of %u, token %" PRIu64,
                 leat_run_type(run).bits, leat_run_queue(run).bits, leat_run_priority(run),
                 leat_run_attempt(run), leat_run_max_attempts(run), leat_run_token(run).attempt);
    }
    ref_labels_check_run(world, job, run);
    ref_graph_check_run(world, job, run);
    if (bytes != job->payload_bytes || (bytes == 0) != (payload == NULL) ||
        (bytes != 0 && memcmp(payload, job->payload, bytes) != 0)) {
        ref_fail(world, job, "the payload is another one");
    }
}

static void
expect_ok(struct ref_world *world, const struct ref_job *job, enum leat_status status,
          const char *what)
{
    if (status != LEAT_OK) {
        ref_fail(world, job, "%s: %s", what, leat_status_text(status));
    }
}

const char *
ref_error_text(struct ref_world *world)
{
    static const char *const texts[] = {
        "no route to host", "",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"};
    return texts[ref_below(world, 3)];
}

static void
act_payload(struct ref_job *job, struct leat_run *run)
{
    unsigned char *payload = leat_run_payload(run, NULL);
    if (payload != NULL) {
        payload[job->payload_bytes - 1]++;
        job->payload[job->payload_bytes - 1]++;
    }
}

static void
act_result(struct ref_world *world, struct ref_job *job, struct leat_run *run)
{
    unsigned char bytes[REF_RESULT_MAX];
    size_t count = ref_below(world, REF_RESULT_MAX + 1);
    memset(bytes, (int)(job->runs & 0xff), sizeof(bytes));
    expect_ok(world, job, leat_run_result(run, bytes, count), "leat_run_result");
    ref_result_set(world, job, bytes, count);
}

/* One thing that a handler may do. */
static void
act(struct ref_world *world, struct ref_job *job, struct leat_run *run)
{
    const char *text = NULL;
    uint32_t percent = 0;
    switch (ref_below(world, 9)) {
    case 0:
        act_payload(job, run);
        break;
    case 1:
        act_result(world, job, run);
        break;
    case 2:
        text = ref_chance(world, 80) ? ref_error_text(world) : NULL;
        expect_ok(world, job, leat_run_error(run, text), "leat_run_error");
        (void)snprintf(job->error, sizeof(job->error), "%s", text == NULL ? "" : text);
        break;
    case 3:
        percent = ref_below(world, 101);
        expect_ok(world, job, leat_run_progress(run, percent, NULL), "leat_run_progress");
        job->progress = percent;
        break;
    case 4:
        ref_deadline_check(world, job, run);
        break;
    default:
        ref_sync(world);
        ref_run_nested(world);
        break;
    }
    if (leat_run_cancelled(run) != (job->cancel || is_late(world, job))) {
        ref_fail(world, job, "leat_run_cancelled() is wrong: timed out %d", job->timed_out);
    }
}

/* ---- its answer ------------------------------------------------------------------------------ */

struct leat_outcome
ref_outcome(struct ref_world *world)
{
    uint32_t way = ref_below(world, 100);
    if (way < 50) {
        return leat_done();
    }
    if (way < 65) {
        return leat_retry();
    }
    if (way < 75) {
        return leat_retry_in(ref_delay(world));
    }
    return way < 85 ? leat_fail() : leat_snooze(ref_delay(world));
}

struct leat_outcome
ref_answer_draw(struct ref_world *world)
{
    uint32_t way = ref_below(world, 100);
    if (way < 10) {
        return leat_pending();
    }
    if (way < 20) {
        return leat_pending_for(ref_delay(world));
    }
    if (way < 22) {
        return leat_outcome_of((enum leat_outcome_kind)77, 0);
    }
    return ref_outcome(world);
}

struct ref_job *
ref_job_of(struct ref_world *world, leat_job_id id)
{
    struct ref_job *job = &world->jobs[(id.bits & INDEX_MASK) % REF_RECORDS];
    if (job->id.bits != id.bits) {
        ref_fail(world, NULL, "%" PRIx64 " is no job that the model knows", id.bits);
    }
    return job;
}

/* An attempt whose time is over may have ended in this run, and made way for this one. */
static void
look_at_awaited(struct ref_world *world)
{
    bool over = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        over = over || (ref_live(job) && job->awaited && job->until.high_ns != 0 &&
                        job->until.low_ns <= ref_boot(world));
    }
    if (over) {
        ref_sync(world); /* what died may have taken the place of others */
    }
}

void
ref_turn(struct ref_world *world, struct ref_job *job)
{
    world->current = job;
    ref_graph_catch_up(world);
    (void)ref_reach(world, job, LEAT_JOB_PENDING);
    look_at_awaited(world);
    ref_breakers_check(world);
    ref_key_look(world, job);
    check_turn(world, job);
    ref_begin(world, job);
    world->coverage->begins++;
}

static void
attempt_begin(struct ref_world *world, struct leat_run *run)
{
    struct ref_job *job = ref_job_of(world, leat_run_id(run));
    ref_turn(world, job);
    world->watched = job;
    world->run_begins++;
}

bool
ref_attempt_enter(struct ref_world *world, struct leat_run *run)
{
    struct ref_job *job = world->current;
    ref_schedules_settle(world);
    if (job != NULL && job->handled && job->id.bits == leat_run_id(run).bits) {
        return false;
    }
    if (!ref_inline_begin(world, run)) {
        attempt_begin(world, run);
    }
    world->current->handled = true;
    ref_chain_begin(world);
    return true;
}

void
ref_attempt_leave(struct ref_world *world, struct leat_outcome outcome, struct ref_job *outer)
{
    struct ref_job *job = world->current;
    ref_note(world, job->id.bits, (uint64_t)outcome.kind, outcome.delay_ns);
    world->noted->name = "handler answers";
    world->noted->status = LEAT_OK;
    if (job == world->watched) {
        world->watched = NULL;
    }
    if (outcome.kind == LEAT_OUTCOME_PENDING) {
        ref_await(world, job, outcome.delay_ns);
    } else {
        job->late = false;
        ref_settle(world, job, outcome);
    }
    job->handled = false;
    world->current = outer;
}

struct leat_outcome
ref_handle(struct ref_world *world, struct leat_run *run)
{
    struct ref_job *job = world->current;
    const struct leat_run *outer = world->run;
    check_run(world, job, run);
    world->run = run;
    uint32_t acts = ref_chance(world, 40) ? 1 + ref_below(world, 3) : 0;
    for (uint32_t i = 0; i < acts; i++) {
        act(world, job, run);
    }
    world->run = outer;
    return ref_answer_draw(world);
}

struct leat_outcome
ref_handler(struct leat_run *run, void *context)
{
    struct ref_world *world = context;
    struct ref_job *outer = world->current;
    bool first = ref_attempt_enter(world, run);
    ref_chain_end(world);
    struct leat_outcome outcome = ref_handle(world, run);
    if (first) {
        ref_attempt_leave(world, outcome, outer);
    }
    return outcome;
}
