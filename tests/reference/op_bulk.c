/* op_bulk.c - jobs submitted in chunks. Who is told behind each chunk judges it, calls the engine
 * now and then, and moves the clock to the very nanosecond from which on the next chunk has its
 * tokens, or behind the time of the call: a chunk that comes too late sleeps for ever, and the test
 * with it. */
#include "tests/reference/submit.h"

#include <inttypes.h>
#include <string.h>

struct bulk {
    struct ref_world *world;
    struct leat_bulk given;
    struct leat_job jobs[REF_BATCH];
    leat_job_id ids[REF_BATCH];
    enum leat_status statuses[REF_BATCH];
    uint32_t count;
    uint32_t operation;
    uint32_t next; /* the first one that was not tried */
    uint64_t done;
    uint64_t refused;
    enum leat_status first; /* that says that a job was not taken */
    enum leat_status rest;  /* of those that are not tried; LEAT_OK: all are */
    /* The bucket, in parts of a token, of which there are per_ns; and when it was so. */
    uint64_t parts;
    uint64_t parts_ns;
    uint64_t until_ns; /* REF_NEVER: no time */
};

static struct bulk bulk; /* too much for a stack */

/* ---- one chunk ------------------------------------------------------------------------------- */

/* The jobs of a bulk: of one at a time. */
static struct spec bulk_specs[REF_BATCH]; /* too much for a stack */

static void
look(struct ref_world *world, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        ref_labels_look(world, bulk_specs[i].type, &bulk_specs[i].labels);
    }
}

static void
judge_one(struct ref_world *world, uint32_t index, enum leat_status got, leat_job_id id)
{
    struct spec *spec = &bulk_specs[index];
    ref_note(world, id.bits, spec->queue, spec->job.priority);
    ref_answer(world, REF_AT_NOTHING, ref_spec_right_for(world, spec, got), got);
    ref_spec_answered(world, spec, got, id);
}

/* Of a chunk that was refused each job has its own fault, or LEAT_SKIPPED; or all have the fault of
 * the chunk. */
static void
judge_all(struct ref_world *world, uint32_t first, uint32_t count, const struct ref_told *told)
{
    enum leat_status statuses[REF_BATCH];
    enum leat_status got = LEAT_OK;
    bool beside = false; /* some are not to blame */
    bool alike = true;   /* each has its own fault, which may be the same */
    for (uint32_t i = 0; i < count; i++) {
        enum leat_status status = told->statuses[first + i];
        beside = beside || status == LEAT_SKIPPED;
        got = got == LEAT_OK && status != LEAT_SKIPPED ? status : got;
        alike = alike && ref_batch_right(world, &bulk_specs[first + i]) == status;
    }
    bool lacks = got == LEAT_FULL || got == LEAT_CLOSED; /* nobody is to blame for that */
    bool own = beside || alike || (count == 1 && !lacks);
    for (uint32_t i = 0; i < count; i++) {
        enum leat_status status = told->statuses[first + i];
        statuses[i] = own && status != LEAT_SKIPPED ? status : LEAT_OK;
    }
    ref_note(world, told->ids[first].bits, first, count);
    ref_batch_judge(world, &bulk_specs[first], count, got,
                    &(struct ref_told){.ids = &told->ids[first], .statuses = statuses});
}

/* ---- the rate -------------------------------------------------------------------------------- */

static uint64_t
burst(void)
{
    const struct leat_rate *rate = &bulk.given.rate;
    return rate->burst == 0 ? rate->jobs : rate->burst;
}

static uint64_t
parts_now(void)
{
    const struct leat_rate *rate = &bulk.given.rate;
    uint64_t most = burst() * rate->per_ns;
    uint64_t elapsed_ns = ref_monotonic(bulk.world) - bulk.parts_ns;
    uint64_t to_full_ns = (most - bulk.parts + rate->jobs - 1) / rate->jobs;
    return elapsed_ns >= to_full_ns ? most : bulk.parts + elapsed_ns * rate->jobs;
}

/* In how long there are so many tokens. */
static uint64_t
due_in(uint32_t count)
{
    const struct leat_rate *rate = &bulk.given.rate;
    if (rate->jobs == 0) {
        return 0;
    }
    uint64_t lack = count * rate->per_ns;
    lack = lack > parts_now() ? lack - parts_now() : 0;
    return (lack + rate->jobs - 1) / rate->jobs;
}

static void
take(uint32_t count)
{
    if (bulk.given.rate.jobs != 0) {
        bulk.parts = parts_now() - count * bulk.given.rate.per_ns;
        bulk.parts_ns = ref_monotonic(bulk.world);
    }
}

static void
clock_pass(uint64_t ns)
{
    struct ref_world *world = bulk.world;
    if (ns != 0) {
        (void)atom_add_acq_rel(&world->clock.wall, ns);
        (void)atom_add_acq_rel(&world->clock.boot, ns);
        ref_schedules_expect(world);
        if (leat_clock_changed(world->engine) != LEAT_OK) {
            ref_fail(world, NULL, "leat_clock_changed() fails");
        }
        ref_schedules_settle(world);
        ref_watch(world);
        ref_sync(world);
    }
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static uint32_t
chunk_count(void)
{
    size_t chunk = bulk.given.chunk;
    uint64_t at_once = burst();
    chunk = chunk == 0 && at_once != 0 && at_once < bulk.count ? at_once : chunk;
    chunk = chunk == 0 ? bulk.count : chunk;
    return bulk.count - bulk.next < chunk ? bulk.count - bulk.next : (uint32_t)chunk;
}

static bool
taken(enum leat_status status)
{
    return status == LEAT_OK || status == LEAT_JOINED;
}

/* What came of the jobs that were tried by now. */
static void
judge(void)
{
    struct ref_world *world = bulk.world;
    uint32_t count = chunk_count();
    uint32_t end = bulk.next + count;
    bool all = bulk.given.mode == LEAT_BATCH_ALL_OR_NONE;
    uint32_t operation = world->operation;
    world->operation = bulk.operation;
    take(count);
    if (all) {
        judge_all(world, bulk.next, count,
                  &(struct ref_told){.ids = bulk.ids, .statuses = bulk.statuses});
    }
    for (; bulk.next < end; bulk.next++) {
        enum leat_status status = bulk.statuses[bulk.next];
        if (!all) {
            judge_one(world, bulk.next, status, bulk.ids[bulk.next]);
        }
        bulk.done += taken(status) ? 1 : 0;
        bulk.refused += taken(status) ? 0 : 1;
        /* Of a chunk that has none of its own, it is that of the first one to blame. */
        bool blames = !taken(status) && status != LEAT_SKIPPED;
        bulk.first = bulk.first == LEAT_OK && blames ? status : bulk.first;
        if (bulk.given.stop_at_error && bulk.first != LEAT_OK && !all) {
            bulk.next++;
            break;
        }
    }
    if (bulk.given.stop_at_error && bulk.first != LEAT_OK) {
        bulk.rest = LEAT_SKIPPED;
    }
    world->operation = operation;
}

/* Sees to it that the next chunk comes at once, or never. */
static void
prepare(void)
{
    struct ref_world *world = bulk.world;
    uint32_t count = chunk_count();
    uint64_t due_ns = due_in(count);
    bool timed = bulk.until_ns != REF_NEVER;
    if (timed && ref_chance(world, 20)) {
        uint64_t left_ns = bulk.until_ns - ref_monotonic(world);
        clock_pass(ref_monotonic(world) > bulk.until_ns ? 0 : left_ns + 1);
    } else if (due_ns != 0 && timed && ref_monotonic(world) + due_ns - 1 >= bulk.until_ns) {
        clock_pass(due_ns - 1); /* it must not come yet, and the time is over */
    } else {
        clock_pass(due_ns);
    }
    if (timed && ref_monotonic(world) >= bulk.until_ns) {
        bulk.rest = LEAT_TIMEOUT;
    }
    look(world, bulk.next, count);
}

static bool
progress(const struct leat_bulk_progress *told, void *context)
{
    struct ref_world *world = bulk.world;
    if (bulk.rest != LEAT_OK || bulk.next == bulk.count) {
        ref_fail(world, NULL, "a progress behind the last chunk");
    }
    judge();
    if (context != &bulk || told->done != bulk.done || told->refused != bulk.refused ||
        told->total != bulk.count || told->size != sizeof(*told)) {
        ref_fail(world, NULL,
                 "the progress says %zu done and %zu refused of %zu\n  expected: "
                 "%" PRIu64 " and %" PRIu64 " of %u",
                 told->done, told->refused, told->total, bulk.done, bulk.refused, bulk.count);
    }
    if (ref_chance(world, 15)) {
        ref_sync(world);
        ref_run_nested(world);
    }
    bool goes_on = !ref_chance(world, 8);
    if (!goes_on) {
        bulk.rest = LEAT_SKIPPED;
    }
    if (bulk.rest == LEAT_OK && bulk.next < bulk.count) {
        prepare();
    }
    return goes_on;
}

/* ---- one call -------------------------------------------------------------------------------- */

static void
draw_rate(struct ref_world *world)
{
    static const uint64_t per_ns[] = {REF_MS, 7 * REF_MS, 333, REF_S};
    struct leat_bulk *given = &bulk.given;
    given->rate.jobs = 1 + ref_below(world, 4);
    given->rate.per_ns = per_ns[ref_below(world, 4)];
    given->rate.burst = ref_below(world, 6);
    given->progress = progress;
    if (given->chunk > burst()) {
        given->chunk = burst();
    }
    if (given->mode == LEAT_BATCH_ALL_OR_NONE && given->chunk == 0) {
        given->chunk = burst();
    }
}

static void
draw(struct ref_world *world, enum leat_batch_mode mode)
{
    struct leat_bulk *given = &bulk.given;
    memset(&bulk, 0, sizeof(bulk));
    bulk.world = world;
    bulk.operation = world->operation;
    bulk.until_ns = REF_NEVER;
    *given = leat_bulk_default();
    bulk.count = ref_batch_draw(world, bulk_specs, bulk.jobs, mode == LEAT_BATCH_ALL_OR_NONE);
    given->jobs = bulk.jobs;
    given->count = bulk.count;
    given->ids = bulk.ids;
    given->statuses = bulk.statuses;
    given->mode = mode;
    given->chunk = ref_below(world, 8);
    given->stop_at_error = ref_chance(world, 40);
    given->progress = ref_chance(world, 70) ? progress : NULL;
    given->context = &bulk;
    if (ref_chance(world, 40)) {
        draw_rate(world);
    }
    if (ref_chance(world, 30)) {
        given->timeout_ns = 1 + ref_delay(world);
    }
}

/* What is wrong with it, most often nothing. */
static enum leat_status
spoil(struct ref_world *world)
{
    struct leat_bulk *given = &bulk.given;
    if (!ref_chance(world, 5)) {
        bool rated = given->rate.jobs != 0;
        return rated && world->watched != NULL ? LEAT_WRONG_STATE : LEAT_OK;
    }
    given->rate = leat_rate_of(2, REF_MS, 4);
    given->chunk = 3;
    switch (ref_below(world, 5)) {
    case 0:
        given->mode = (enum leat_batch_mode)2;
        break;
    case 1:
        given->jobs = NULL;
        given->count = 1;
        break;
    case 2:
        given->chunk = 5;
        break;
    case 3:
        given->rate.jobs = given->rate.per_ns + 1;
        break;
    default:
        given->mode = LEAT_BATCH_ALL_OR_NONE;
        given->chunk = 0;
        given->count = 5;
        break;
    }
    return LEAT_INVALID;
}

/* Those that were not tried, and those that nobody was told of. */
static void
judge_rest(void)
{
    while (bulk.given.progress == NULL && bulk.next < bulk.count && bulk.rest == LEAT_OK) {
        judge();
    }
    if (bulk.next < bulk.count && bulk.rest == LEAT_OK) {
        ref_fail(bulk.world, NULL, "%u of %u jobs were tried", bulk.next, bulk.count);
    }
    for (uint32_t i = bulk.next; i < bulk.count; i++) {
        bulk.first = bulk.first == LEAT_OK ? bulk.rest : bulk.first;
        if (bulk.statuses[i] != bulk.rest || bulk.ids[i].bits != 0) {
            ref_fail(bulk.world, NULL, "job %u was not tried, and is: %s\n  expected: %s", i,
                     leat_status_text(bulk.statuses[i]), leat_status_text(bulk.rest));
        }
    }
}

static void
bulk_run(struct ref_world *world, enum leat_batch_mode mode)
{
    if (world->bulk || world->config.inline_mode) {
        return; /* its jobs are those of the one that is at work */
    }
    draw(world, mode);
    enum leat_status wrong = spoil(world);
    ref_note(world, bulk.count, bulk.given.chunk, bulk.given.rate.jobs);
    struct ref_entry *noted = world->noted;
    world->bulk = true;
    bulk.parts = burst() * bulk.given.rate.per_ns;
    bulk.parts_ns = ref_monotonic(world);
    if (bulk.given.timeout_ns != 0) {
        bulk.until_ns = ref_after(ref_monotonic(world), bulk.given.timeout_ns);
    }
    enum leat_status got = leat_submit_bulk(world->engine, &bulk.given);
    noted->status = (int)got;
    if (wrong == LEAT_OK) {
        judge_rest();
    }
    world->bulk = false;
    world->noted = noted;
    ref_answer(world, LEAT_JOB_PENDING, REF_ONE(wrong == LEAT_OK ? bulk.first : wrong), got);
}

void
ref_op_bulk_each(struct ref_world *world)
{
    bulk_run(world, LEAT_BATCH_EACH);
}

void
ref_op_bulk_all(struct ref_world *world)
{
    bulk_run(world, LEAT_BATCH_ALL_OR_NONE);
}
