/* op_middleware.c - functions around handlers: in which order an attempt goes through them, what
 * they see of its outcome, and what they make of it; and how long an attempt has yet. */
#include "tests/reference/reference.h"

#include <inttypes.h>

#define LINKS_MAX 32

/* ---- an attempt ------------------------------------------------------------------------------ */

/* Those that are added from now on it may pass or not. */
void
ref_chain_begin(struct ref_world *world)
{
    struct ref_job *job = world->current;
    job->chain_passed = 0;
    job->chain_all = world->chained;
    job->chain_own = world->types[job->type].chained;
    job->chain_typed = 0;
}

void
ref_chain_end(struct ref_world *world)
{
    const struct ref_job *job = world->current;
    if (job->chain_passed < job->chain_all || job->chain_typed < job->chain_own) {
        ref_fail(world, job, "it came to its handler through %u and %u functions of %u and %u",
                 job->chain_passed, job->chain_typed, job->chain_all, job->chain_own);
    }
}

/* Those of all types come first, each in its turn. */
static void
pass(struct ref_world *world, const struct ref_link *link)
{
    struct ref_job *job = world->current;
    bool of_all = link->type == REF_NONE;
    uint32_t *passed = of_all ? &job->chain_passed : &job->chain_typed;
    bool good = link->number == *passed && (of_all || link->type == job->type) &&
                (of_all ? job->chain_typed == 0 : job->chain_passed >= job->chain_all);
    if (!good) {
        ref_fail(world, job, "function %u of type %u is called behind %u and %u", link->number,
                 link->type, job->chain_passed, job->chain_typed);
    }
    (*passed)++;
}

static bool
same(struct leat_outcome a, struct leat_outcome b)
{
    return a.kind == b.kind && a.delay_ns == b.delay_ns;
}

/* Goes on, most often; and answers what came of it, or something else. */
static struct leat_outcome
around(struct ref_world *world, struct leat_next *next)
{
    const struct ref_job *job = world->current;
    if (ref_chance(world, 6)) {
        return ref_answer_draw(world);
    }
    struct leat_outcome outcome = leat_next_run(next);
    if (world->current != job) {
        ref_fail(world, job, "what is behind it has ended the attempt");
    }
    if (ref_chance(world, 10) && !same(leat_next_run(next), outcome)) {
        ref_fail(world, job, "the second call answers something else");
    }
    return ref_chance(world, 6) ? ref_answer_draw(world) : outcome;
}

static struct leat_outcome
middleware(struct leat_run *run, struct leat_next *next, void *context)
{
    const struct ref_link *link = context;
    struct ref_world *world = link->world;
    struct ref_job *outer = world->current;
    bool first = ref_attempt_enter(world, run);
    pass(world, link);
    struct leat_outcome outcome = around(world, next);
    if (first) {
        ref_attempt_leave(world, outcome, outer);
    }
    return outcome;
}

/* ---- operations ------------------------------------------------------------------------------ */

void
ref_op_middleware(struct ref_world *world)
{
    bool of_all = ref_chance(world, 40);
    bool bad = ref_chance(world, 5);
    uint32_t type = ref_below(world, REF_TYPES);
    if (world->links_count == REF_LINKS) {
        return;
    }
    struct ref_type *of = &world->types[type];
    uint32_t *count = of_all ? &world->chained : &of->chained;
    struct ref_link *link = &world->links[world->links_count];
    *link = (struct ref_link){world, of_all ? REF_NONE : type, *count};
    enum leat_status right = *count >= LINKS_MAX ? LEAT_FULL : LEAT_OK;
    right = !of_all && of->batch_most != 0 ? LEAT_UNSUPPORTED : right;
    right = !of_all && !of->bound ? LEAT_NOT_FOUND : right;
    right = bad ? LEAT_INVALID : right;
    leat_middleware function = bad ? NULL : middleware;
    ref_note(world, link->type, *count, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               of_all ? leat_middleware_add(world->engine, function, link)
                      : leat_type_middleware_add(world->engine, of->handle, function, link));
    if (right == LEAT_OK) {
        world->links_count++;
        (*count)++;
    }
}

/* ---- how long it has yet --------------------------------------------------------------------- */

void
ref_deadline_check(struct ref_world *world, struct ref_job *job, struct leat_run *run)
{
    uint64_t now_ns = ref_monotonic(world);
    /* Those of a batch have the time of the one that has most. */
    const struct ref_job *of = job->batched ? world->watched : job;
    uint64_t timeout_ns =
        of->timeout_ns == LEAT_TIMEOUT_OF_TYPE ? world->types[of->type].timeout_ns : of->timeout_ns;
    bool none = timeout_ns == 0 || job->inlined;
    if (!job->asked) {
        job->asked = true;
        job->asked_ns = now_ns;
    }
    uint64_t passed_ns = now_ns - job->asked_ns;
    uint64_t right = passed_ns < timeout_ns && !of->timed_out ? timeout_ns - passed_ns : 0;
    right = none ? LEAT_FOREVER : right;
    uint64_t got = leat_run_deadline(run);
    if (got != right) {
        ref_fail(world, job, "it has %" PRIu64 " yet\n  expected: %" PRIu64, got, right);
    }
}
