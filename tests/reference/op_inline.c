/* op_inline.c - jobs that run in the call that brings them: by leat_run_inline(), or by
 * leat_submit() in an engine in inline mode. A handler that runs so may bring others. */
#include "tests/reference/submit.h"

#include <inttypes.h>

#define DEPTH_MAX    4
#define DELAY_BEFORE 77

/* One call. */
struct ref_inline {
    struct ref_inline *outer;
    struct spec *spec;
    struct ref_job *job; /* NULL: it has not begun */
    bool again;          /* an attempt failed, and there is another one */
    uint64_t low_ns;     /* what it would have waited for, between two */
    uint64_t high_ns;
};

static uint32_t
depth(const struct ref_world *world)
{
    uint32_t count = 0;
    for (const struct ref_inline *call = world->inlines; call != NULL; call = call->outer) {
        count++;
    }
    return count;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static void
job_begin(struct ref_world *world, struct ref_inline *call, leat_job_id id)
{
    if ((ref_spec_right(world, call->spec) & REF_ONE(LEAT_OK)) == 0) {
        ref_fail(world, NULL, "a job runs inline that had to be refused");
    }
    call->job = ref_spec_accept(world, call->spec, id, false);
}

bool
ref_inline_begin(struct ref_world *world, const struct leat_run *run)
{
    struct ref_inline *call = world->inlines;
    leat_job_id id = leat_run_id(run);
    if (call == NULL || (call->job != NULL && call->job->id.bits != id.bits)) {
        return false;
    }
    if (call->job == NULL) {
        job_begin(world, call, id);
    } else if (!call->again) {
        ref_fail(world, call->job, "another attempt begins inline, but it has ended");
    }
    call->again = false;
    world->current = call->job;
    ref_begin(world, call->job);
    world->coverage->begins++;
    return true;
}

void
ref_inline_again(struct ref_world *world, const uint64_t delays_ns[2])
{
    struct ref_inline *call = world->inlines;
    call->again = true;
    call->low_ns = ref_after(call->low_ns, delays_ns[0]);
    call->high_ns = ref_after(call->high_ns, delays_ns[1]);
}

/* ---- one call -------------------------------------------------------------------------------- */

/* It came to no handler. */
static void
not_begun(struct ref_world *world, struct ref_inline *call, enum leat_status got, leat_job_id id)
{
    struct spec *spec = call->spec;
    uint64_t right = ref_spec_right(world, spec);
    ref_answer(world, REF_AT_NOTHING, right, got);
    if (got != LEAT_OK) {
        return;
    }
    if (world->types[spec->type].bound) {
        ref_fail(world, NULL, "a job is to run inline, but no handler began");
    }
    call->job = ref_spec_accept(world, spec, id, false);
    call->job->inlined = false;
    ref_end(world, call->job, LEAT_JOB_DEAD, LEAT_REASON_UNKNOWN_TYPE);
}

static void
check_delay(struct ref_world *world, const struct ref_inline *call, uint64_t delay_ns)
{
    if (delay_ns < call->low_ns || delay_ns > call->high_ns) {
        ref_fail(world, call->job,
                 "it would have waited for %" PRIu64 "\n  expected: %" PRIu64 " to %" PRIu64,
                 delay_ns, call->low_ns, call->high_ns);
    }
}

static void
call_end(struct ref_world *world, struct ref_inline *call, enum leat_status got, leat_job_id id)
{
    world->inlines = call->outer;
    if (call->job == NULL) {
        not_begun(world, call, got, id);
    } else {
        ref_answer(world, ref_at(call->job), REF_ONE(LEAT_OK), got);
        if (call->again) {
            ref_fail(world, call->job, "another attempt was to begin in the call");
        }
    }
}

static void
run_inline(struct ref_world *world, struct ref_inline *call)
{
    struct leat_job_info info = leat_job_info_default();
    uint64_t delay_ns = DELAY_BEFORE;
    const struct spec *spec = call->spec;
    /* Else nobody would know the id of one that is DEAD at once. */
    bool bound = spec->type != REF_NONE && world->types[spec->type].bound;
    bool tells = !bound || ref_chance(world, 70);
    bool delays = ref_chance(world, 70);
    struct ref_entry *noted = world->noted;
    world->inlines = call;
    enum leat_status got =
        leat_run_inline(world->engine, &spec->job, tells ? &info : NULL, delays ? &delay_ns : NULL);
    world->noted = noted;
    call_end(world, call, got, info.id);
    if (delays && got == LEAT_OK) {
        check_delay(world, call, delay_ns);
    }
    if (tells && got == LEAT_OK) {
        ref_look_at_info(world, call->job, &info);
    }
    if (got != LEAT_OK && (delay_ns != DELAY_BEFORE || info.id.bits != 0)) {
        ref_fail(world, NULL, "it is told of a job that did not run");
    }
}

static void
run_submit(struct ref_world *world, struct ref_inline *call)
{
    leat_job_id id = {0};
    struct ref_entry *noted = world->noted;
    world->inlines = call;
    enum leat_status got = ref_spec_submit(world, call->spec, &id);
    world->noted = noted;
    call_end(world, call, got, id);
    if ((got == LEAT_OK ? call->job->id.bits : 0) != id.bits) {
        ref_fail(world, call->job, "the id is another one");
    }
}

static void
one(struct ref_world *world, const struct leat_run *run)
{
    struct spec spec;
    struct ref_inline call = {.outer = world->inlines, .spec = &spec};
    if (depth(world) >= DEPTH_MAX) {
        return;
    }
    ref_spec_draw(world, &spec);
    spec.inlined = true;
    spec.run = run;
    ref_note(world, spec.type, spec.queue, spec.job.priority);
    if (run != NULL || (world->config.inline_mode && ref_chance(world, 70))) {
        run_submit(world, &call);
    } else {
        run_inline(world, &call);
    }
    if (call.job != NULL && world->current == NULL) {
        ref_sync(world);
    }
}

void
ref_op_inline(struct ref_world *world)
{
    one(world, NULL);
}

void
ref_inline_submit(struct ref_world *world, const struct leat_run *run)
{
    one(world, run);
}
