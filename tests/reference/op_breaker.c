/* op_breaker.c - circuit breakers: attempts of a type are counted in a window; too many failures
 * shut it for a while; then probes say how it is. What a breaker tells of itself is compared at
 * each look at all jobs. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

/* ---- drawing --------------------------------------------------------------------------------- */

static enum leat_status
draw_mistake(struct ref_world *world, struct leat_breaker_options *options)
{
    switch (ref_below(world, 7)) {
    case 0:
        options->failure_percent = ref_below(world, 2) * 101;
        break;
    case 1:
        options->calls_min = ref_below(world, 2) * 1025;
        break;
    case 2:
        options->probes = ref_below(world, 2) * 1025;
        break;
    case 3:
        options->window_ns = 0;
        options->window_calls = options->calls_min - 1;
        break;
    case 4:
        options->open_ns = REF_MS - 1;
        break;
    case 5:
        options->window_ns = REF_MS - 1;
        break;
    default:
        options->open_ns = 366 * UINT64_C(86400) * REF_S + 1;
        break;
    }
    return LEAT_INVALID;
}

enum leat_status
ref_breaker_draw(struct ref_world *world, struct leat_breaker_options *options,
                 struct ref_breaker *breaker)
{
    static const uint64_t windows_ns[] = {REF_MS, 50 * REF_MS, 2 * REF_S, 60 * REF_S};
    static const uint64_t opens_ns[] = {REF_MS, 5 * REF_MS, 300 * REF_MS, 5 * REF_S};
    *options = leat_breaker_options_default();
    memset(breaker, 0, sizeof(*breaker));
    options->failure_percent = 1 + ref_below(world, 100);
    options->calls_min = 1 + ref_below(world, 6);
    options->window_calls = options->calls_min + ref_below(world, REF_CALLS - 5);
    options->window_ns = ref_chance(world, 50) ? 0 : windows_ns[ref_below(world, 4)];
    options->probes = 1 + ref_below(world, 3);
    options->open_ns = opens_ns[ref_below(world, 4)];
    if (ref_chance(world, 4)) {
        return draw_mistake(world, options);
    }
    breaker->there = ref_chance(world, 50);
    breaker->options = *options;
    breaker->state = LEAT_BREAKER_CLOSED;
    breaker->until_low = REF_NEVER;
    breaker->until_high = REF_NEVER;
    return LEAT_OK;
}

/* ---- the window ------------------------------------------------------------------------------ */

static void
window_clear(struct ref_breaker *breaker)
{
    breaker->calls = 0;
    memset(breaker->failed, 0, sizeof(breaker->failed));
    memset(breaker->slices, 0, sizeof(breaker->slices));
}

static uint64_t
slice_now(const struct ref_world *world, const struct ref_breaker *breaker)
{
    return ref_boot(world) / (breaker->options.window_ns / REF_SLICES);
}

static void
window_add(struct ref_world *world, struct ref_breaker *breaker, bool failed)
{
    if (breaker->options.window_ns != 0) {
        uint64_t number = slice_now(world, breaker);
        struct ref_slice *slice = &breaker->slices[number % REF_SLICES];
        if (slice->number != number) {
            *slice = (struct ref_slice){.number = number};
        }
        slice->calls++;
        slice->failures += failed ? 1 : 0;
        return;
    }
    if (breaker->calls == breaker->options.window_calls) {
        breaker->calls--;
        memmove(&breaker->failed[0], &breaker->failed[1], breaker->calls * sizeof(bool));
    }
    breaker->failed[breaker->calls++] = failed;
}

static void
window_count(const struct ref_world *world, const struct ref_breaker *breaker, uint32_t *calls,
             uint32_t *failures)
{
    bool timed = breaker->options.window_ns != 0;
    *calls = timed ? 0 : breaker->calls;
    *failures = 0;
    for (uint32_t i = 0; !timed && i < breaker->calls; i++) {
        *failures += breaker->failed[i] ? 1 : 0;
    }
    for (uint32_t i = 0; timed && i < REF_SLICES; i++) {
        const struct ref_slice *slice = &breaker->slices[i];
        if (slice->number + REF_SLICES > slice_now(world, breaker)) {
            *calls += slice->calls;
            *failures += slice->failures;
        }
    }
}

/* ---- states ---------------------------------------------------------------------------------- */

static void
turn_open(struct ref_world *world, uint32_t type)
{
    struct ref_breaker *breaker = &world->types[type].breaker;
    breaker->state = LEAT_BREAKER_OPEN;
    breaker->openings++;
    breaker->until_low = ref_after(ref_boot(world), breaker->options.open_ns);
    breaker->until_high = breaker->until_low;
    window_clear(breaker);
    ref_gather_shut(world, type);
    ref_met(world, REF_MET_OPENED);
}

static void
turn_half_open(struct ref_world *world, struct ref_breaker *breaker)
{
    breaker->state = LEAT_BREAKER_HALF_OPEN;
    breaker->half_open_ns = breaker->until_low;
    breaker->successes = 0;
    breaker->tickets_low = breaker->options.probes;
    breaker->tickets_high = breaker->options.probes;
    breaker->until_low = REF_NEVER;
    breaker->until_high = REF_NEVER;
    ref_met(world, REF_MET_HALF_OPEN);
}

static void
turn_closed(struct ref_world *world, struct ref_breaker *breaker)
{
    breaker->state = LEAT_BREAKER_CLOSED;
    breaker->until_low = REF_NEVER;
    breaker->until_high = REF_NEVER;
    window_clear(breaker);
    ref_met(world, REF_MET_CLOSED);
}

static bool
may_be_due(const struct ref_world *world, const struct ref_breaker *breaker)
{
    return breaker->until_low <= ref_boot(world);
}

static bool
surely_due(const struct ref_world *world, const struct ref_breaker *breaker)
{
    uint64_t slack_ns = UINT64_C(1) << world->config.timer_tick_log2;
    return breaker->until_high != REF_NEVER && breaker->until_high + slack_ns <= ref_boot(world);
}

/* ---- what it tells --------------------------------------------------------------------------- */

static struct leat_breaker_info
ask(struct ref_world *world, uint32_t type)
{
    struct leat_breaker_info info = leat_breaker_info_default();
    if (leat_breaker_get(world->engine, world->types[type].handle, &info) != LEAT_OK) {
        ref_fail(world, NULL, "leat_breaker_get() fails for type %u", type);
    }
    return info;
}

static void
compare(struct ref_world *world, uint32_t type, const struct leat_breaker_info *got)
{
    struct ref_breaker *breaker = &world->types[type].breaker;
    uint32_t calls = 0;
    uint32_t failures = 0;
    uint64_t now_ns = ref_boot(world);
    uint64_t left_ns = 0;
    if (breaker->state == LEAT_BREAKER_OPEN && got->state == LEAT_BREAKER_HALF_OPEN &&
        may_be_due(world, breaker)) {
        turn_half_open(world, breaker);
    }
    if (breaker->state == LEAT_BREAKER_OPEN && breaker->until_low > now_ns) {
        left_ns = breaker->until_low - now_ns;
    }
    window_count(world, breaker, &calls, &failures);
    bool closed = breaker->state == LEAT_BREAKER_CLOSED;
    if (got->state != breaker->state || got->openings != breaker->openings ||
        got->open_in_ns != left_ns ||
        (closed && (got->calls != calls || got->failures != failures))) {
        ref_fail(world, NULL,
                 "the breaker of type %u: state %u, %u calls, %u failures, %" PRIu64
                 " openings, open in %" PRIu64 "\n  expected: state %u, %u calls, %u failures, "
                 "%" PRIu64 " openings, open in %" PRIu64,
                 type, (unsigned)got->state, got->calls, got->failures, got->openings,
                 got->open_in_ns, (unsigned)breaker->state, calls, failures, breaker->openings,
                 left_ns);
    }
}

void
ref_breakers_check(struct ref_world *world)
{
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        struct ref_breaker *breaker = &world->types[i].breaker;
        if (!breaker->there) {
            continue;
        }
        struct leat_breaker_info info = ask(world, i);
        compare(world, i, &info);
        /* A job that was given a ticket, and did not begin then, has put this off. */
        if (world->running && breaker->state == LEAT_BREAKER_HALF_OPEN &&
            breaker->tickets_high != 0 && breaker->until_high != REF_NEVER) {
            breaker->until_high = ref_after(ref_boot(world), breaker->options.open_ns);
        }
    }
}

void
ref_breakers_check_due(struct ref_world *world, uint64_t delay_ns)
{
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        const struct ref_breaker *breaker = &world->types[i].breaker;
        bool waits = breaker->there && breaker->state == LEAT_BREAKER_OPEN;
        if (waits && ref_after(ref_boot(world), delay_ns) > breaker->until_high &&
            breaker->until_high > ref_boot(world)) {
            ref_fail(world, NULL,
                     "leat_next_due() says %" PRIu64 ", but the breaker of type %u is open until "
                     "%" PRIu64,
                     delay_ns, i, breaker->until_high - ref_boot(world));
        }
    }
}

/* ---- the part -------------------------------------------------------------------------------- */

/* That of its type, if it heeds it: jobs that are leased do not. */
static const struct ref_breaker *
breaker_of(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_breaker *breaker = &world->types[job->type].breaker;
    return breaker->there && !world->queues[job->queue].pull ? breaker : NULL;
}

/* pre: what breakers tell was looked at in this begin. */
bool
ref_breaker_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_breaker *breaker = breaker_of(world, job);
    if (breaker == NULL || breaker->state == LEAT_BREAKER_CLOSED) {
        return true;
    }
    return breaker->state == LEAT_BREAKER_HALF_OPEN &&
           (breaker->tickets_high != 0 || may_be_due(world, breaker));
}

bool
ref_breaker_holds(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_breaker *breaker = breaker_of(world, job);
    if (breaker == NULL || breaker->state == LEAT_BREAKER_CLOSED || surely_due(world, breaker)) {
        return false;
    }
    return breaker->state == LEAT_BREAKER_OPEN || breaker->tickets_low == 0;
}

void
ref_breaker_begun(struct ref_world *world, struct ref_job *job)
{
    struct ref_breaker *breaker = &world->types[job->type].breaker;
    job->probe = breaker_of(world, job) != NULL && breaker->state == LEAT_BREAKER_HALF_OPEN;
    if (!job->probe) {
        return;
    }
    if (may_be_due(world, breaker)) {
        /* Those that came to nothing were replaced, maybe before others succeeded; and of them some
         * may begin yet, that had to wait. Behind that as many may begin as have to succeed yet. */
        uint32_t most = breaker->options.probes - breaker->successes;
        breaker->tickets_low = breaker->tickets_low < most ? breaker->tickets_low : most;
        breaker->tickets_high += breaker->options.probes;
    }
    breaker->tickets_high--;
    breaker->tickets_low -= breaker->tickets_low == 0 ? 0 : 1;
    breaker->until_high = ref_after(ref_boot(world), breaker->options.open_ns);
    breaker->until_low = breaker->until_high;
    if (ref_gather_takes(world, job)) {
        /* It had its ticket from when it was gathered on. */
        breaker->until_low = ref_after(breaker->half_open_ns, breaker->options.open_ns);
    }
    ref_met(world, REF_MET_PROBE);
}

/* ---- the end of an attempt ------------------------------------------------------------------- */

/* It was found to be over, and whether before its breaker let probes run the engine says. */
static bool
came_behind(struct ref_world *world, uint32_t type)
{
    const struct ref_breaker *breaker = &world->types[type].breaker;
    return world->by_itself && may_be_due(world, breaker) &&
           ask(world, type).openings > breaker->openings;
}

void
ref_breaker_ended(struct ref_world *world, const struct ref_job *job, bool failed)
{
    struct ref_breaker *breaker = &world->types[job->type].breaker;
    uint32_t calls = 0;
    uint32_t failures = 0;
    if (breaker_of(world, job) == NULL || job->inlined || (failed && job->cancel)) {
        return;
    }
    if (breaker->state == LEAT_BREAKER_OPEN && job->probe && came_behind(world, job->type)) {
        turn_half_open(world, breaker);
    }
    if (breaker->state == LEAT_BREAKER_CLOSED) {
        window_add(world, breaker, failed);
        window_count(world, breaker, &calls, &failures);
        if (calls >= breaker->options.calls_min &&
            failures * 100 >= calls * breaker->options.failure_percent) {
            turn_open(world, job->type);
        }
    } else if (breaker->state == LEAT_BREAKER_HALF_OPEN && job->probe && failed) {
        ref_met(world, REF_MET_REOPENED);
        turn_open(world, job->type);
    } else if (breaker->state == LEAT_BREAKER_HALF_OPEN && job->probe &&
               ++breaker->successes == breaker->options.probes) {
        turn_closed(world, breaker);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

void
ref_op_breaker_get(struct ref_world *world)
{
    struct leat_breaker_info info = leat_breaker_info_default();
    uint32_t type = ref_below(world, REF_TYPES);
    leat_type handle = world->types[type].handle;
    bool there = world->types[type].breaker.there;
    if (handle.bits == 0 && ref_chance(world, 50)) {
        handle.bits = 9999;
    }
    ref_sync(world);
    ref_note(world, type, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(there ? LEAT_OK : LEAT_NOT_FOUND),
               leat_breaker_get(world->engine, handle, &info));
    if (there) {
        compare(world, type, &info);
    }
}
