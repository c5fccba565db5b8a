/* op_wait.c - many jobs are waited for at once, in all ways: which of them have ended, and what is
 * told of each. Nobody works meanwhile, so what has not ended by then does not. */
#include "tests/reference/reference.h"

#include <string.h>

#define MANY        8
#define WHICH_NONE  77
#define STATUS_NONE LEAT_BUSY
#define TIMEOUT_NS  5000 /* some looks at the system's clock, see time.c */

struct call {
    struct leat_wait_set set;
    struct ref_target targets[MANY];
    leat_job_id ids[MANY];
    enum leat_status statuses[MANY];
    struct leat_job_info infos[MANY];
    size_t which;
};

/* ---- drawing --------------------------------------------------------------------------------- */

static void
draw(struct ref_world *world, struct call *call)
{
    memset(call, 0, sizeof(*call));
    call->set = leat_wait_set_default();
    call->set.ids = call->ids;
    call->set.count = 1 + ref_below(world, MANY);
    call->set.mode = ref_chance(world, 50) ? LEAT_WAIT_ALL : LEAT_WAIT_ANY;
    for (size_t i = 0; i < call->set.count; i++) {
        bool again = i != 0 && ref_chance(world, 10);
        call->targets[i] = again ? call->targets[i - 1] : ref_target(world);
        call->ids[i] = call->targets[i].id;
    }
    call->set.statuses = ref_chance(world, 70) ? call->statuses : NULL;
    call->set.infos = ref_chance(world, 70) ? call->infos : NULL;
    /* A handler that runs inline outside of all others must not sleep. */
    bool sleeps = world->current == NULL || world->watched != NULL;
    call->set.timeout_ns = sleeps && ref_chance(world, 30) ? TIMEOUT_NS : 0;
    for (size_t i = 0; i < MANY; i++) {
        call->statuses[i] = STATUS_NONE;
        call->infos[i] = leat_job_info_default();
        call->infos[i].progress = WHICH_NONE;
    }
    call->which = WHICH_NONE;
}

/* Now and then something is wrong with it. */
static enum leat_status
spoil(struct ref_world *world, struct call *call)
{
    if (!ref_chance(world, 5)) {
        return LEAT_OK;
    }
    switch (ref_below(world, 5)) {
    case 0:
        call->set.count = 0;
        break;
    case 1:
        call->set.count = LEAT_WAIT_MANY_MAX + 1;
        break;
    case 2:
        call->set.ids = NULL;
        break;
    case 3:
        call->set.mode = (enum leat_wait_mode)2;
        break;
    default:
        call->set.version++;
        return LEAT_UNSUPPORTED;
    }
    return LEAT_INVALID;
}

/* ---- what is right --------------------------------------------------------------------------- */

static bool
has_ended(const struct ref_target *target)
{
    return target->job == NULL || ref_final(target->job);
}

/* The first that has ended, or has not; their number: none. */
static size_t
first_of(const struct call *call, bool ended)
{
    size_t at = 0;
    while (at < call->set.count && has_ended(&call->targets[at]) != ended) {
        at++;
    }
    return at;
}

/* The first that was never given out; their number: none. */
static size_t
unknown(const struct call *call)
{
    size_t at = 0;
    while (at < call->set.count &&
           (call->targets[at].job != NULL || call->targets[at].missing != LEAT_NOT_FOUND)) {
        at++;
    }
    return at;
}

static enum leat_status
judge(const struct ref_world *world, const struct call *call, size_t *which)
{
    bool any = call->set.mode == LEAT_WAIT_ANY;
    *which = unknown(call);
    if (*which != call->set.count) {
        return LEAT_NOT_FOUND;
    }
    *which = first_of(call, any);
    if (any ? *which != call->set.count : *which == call->set.count) {
        return LEAT_OK;
    }
    if (world->state == LEAT_ENGINE_STOPPED) {
        return LEAT_CLOSED;
    }
    return call->set.timeout_ns != 0 && world->current != NULL ? LEAT_DEADLOCK : LEAT_TIMEOUT;
}

static void
check_one(struct ref_world *world, const struct call *call, size_t at, bool told)
{
    const struct ref_target *target = &call->targets[at];
    const struct leat_job_info *info = &call->infos[at];
    enum leat_status status = has_ended(target) ? LEAT_OK : LEAT_TIMEOUT;
    status = target->job == NULL ? LEAT_GONE : status;
    status = told && call->set.statuses != NULL ? status : STATUS_NONE;
    bool informed = told && call->set.infos != NULL;
    if (call->statuses[at] != status) {
        ref_fail(world, target->job, "statuses[%zu] is: %s\n  expected: %s", at,
                 leat_status_text(call->statuses[at]), leat_status_text(status));
    }
    if (!informed && info->progress != WHICH_NONE) {
        ref_fail(world, target->job, "infos[%zu] is filled", at);
    }
    if (informed && target->job != NULL) {
        ref_look_at_info(world, target->job, info);
    } else if (informed && (info->id.bits != target->id.bits || info->type.bits != 0)) {
        ref_fail(world, NULL, "infos[%zu] says more of one that is gone than its id", at);
    }
}

void
ref_op_wait_many(struct ref_world *world)
{
    static struct call call; /* too much for a stack */
    size_t which = 0;
    draw(world, &call);
    size_t count = call.set.count;
    enum leat_status right = judge(world, &call, &which);
    enum leat_status shape = spoil(world, &call);
    right = shape == LEAT_OK ? right : shape;
    bool asks = ref_chance(world, 80);
    ref_note(world, call.ids[0].bits, count, call.set.mode);
    enum leat_status got = leat_wait_many(world->engine, &call.set, asks ? &call.which : NULL);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right), got);
    bool told = got == LEAT_OK || got == LEAT_TIMEOUT;
    bool points = asks && (told || got == LEAT_NOT_FOUND);
    if (call.which != (points ? which : WHICH_NONE)) {
        ref_fail(world, NULL, "*which is %zu\n  expected: %zu", call.which,
                 points ? which : WHICH_NONE);
    }
    for (size_t i = 0; i < count; i++) {
        check_one(world, &call, i, told);
    }
}
