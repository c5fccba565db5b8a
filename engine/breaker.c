/* breaker.c - circuit breakers, see breaker.h. */
#include "engine/breaker.h"

#include <string.h>

#include "engine/events.h"
#include "engine/timers.h"

/* ---- options -------------------------------------------------------------------------------- */

static struct leat_breaker_options
defaults(void)
{
    struct leat_breaker_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.failure_percent = 50;
    options.calls_min = 10;
    options.window_calls = 100;
    options.open_ns = UINT64_C(30) * 1000000000;
    options.probes = 1;
    return options;
}

void
leat_breaker_options_init(struct leat_breaker_options *options, size_t size)
{
    struct leat_breaker_options ours = defaults();
    leat_struct_init(options, size, &ours, sizeof(ours));
}

enum leat_status
leat_breaker_check(struct leat_breaker_options *known, const struct leat_breaker_options *given,
                   struct leat_error *error)
{
    *known = defaults();
    enum leat_status status = leat_struct_read(known, sizeof(*known), given);
    if (status != LEAT_OK) {
        return leat_struct_refuse(given, status, "leat_breaker_options_default", error);
    }
    const bool counted = known->window_ns == 0; /* else window_calls says nothing */
    const struct leat_range_of ranges[] = {
        {"failure_percent", known->failure_percent, 1, 100, "must be 1 to 100"},
        {"calls_min", known->calls_min, 1, LEAT_BREAKER_CALLS_MAX, "must be 1 to 1 024"},
        {"probes", known->probes, 1, LEAT_BREAKER_CALLS_MAX, "must be 1 to 1 024"},
        {"open_ns", known->open_ns, LEAT_TIMEOUT_NS_MIN, LEAT_TIMEOUT_NS_MAX,
         "must be 1 ms to 366 days"},
        {"window_calls", counted ? known->window_calls : known->calls_min, known->calls_min,
         LEAT_BREAKER_CALLS_MAX, "must be calls_min to 1 024"},
        {"window_ns", counted ? LEAT_TIMEOUT_NS_MIN : known->window_ns, LEAT_TIMEOUT_NS_MIN,
         LEAT_TIMEOUT_NS_MAX, "must be 0, or 1 ms to 366 days"},
    };
    return leat_ranges_check(ranges, sizeof(ranges) / sizeof(ranges[0]), error);
}

/* ---- the window ----------------------------------------------------------------------------- */

static void
window_clear(struct leat_breaker *breaker)
{
    memset(breaker->failed, 0, sizeof(breaker->failed));
    memset(breaker->slices, 0, sizeof(breaker->slices));
    breaker->calls = 0;
    breaker->failures = 0;
    breaker->place = 0;
}

/* The last window_calls. */
static void
window_add_call(struct leat_breaker *breaker, bool failed)
{
    uint64_t *bits = &breaker->failed[breaker->place / 64];
    uint64_t bit = UINT64_C(1) << breaker->place % 64;
    if (breaker->calls == breaker->options.window_calls) {
        breaker->calls--;
        breaker->failures -= (*bits & bit) != 0 ? 1 : 0;
    }
    *bits = failed ? *bits | bit : *bits & ~bit;
    breaker->place = (breaker->place + 1) % breaker->options.window_calls;
}

/* Those of window_ns: the slices that are not older. */
static void
window_go_on(struct leat_breaker *breaker, uint64_t now_ns)
{
    uint64_t number = now_ns / (breaker->options.window_ns / LEAT_BREAKER_SLICES);
    for (uint32_t i = 0; i < LEAT_BREAKER_SLICES && breaker->slice < number; i++) {
        struct leat_breaker_slice *oldest =
            &breaker->slices[(breaker->slice + 1) % LEAT_BREAKER_SLICES];
        breaker->calls -= oldest->calls;
        breaker->failures -= oldest->failures;
        memset(oldest, 0, sizeof(*oldest));
        breaker->slice++;
    }
    breaker->slice = number;
}

static void
window_add(struct leat_breaker *breaker, bool failed, uint64_t now_ns)
{
    if (breaker->options.window_ns == 0) {
        window_add_call(breaker, failed);
    } else {
        window_go_on(breaker, now_ns);
        struct leat_breaker_slice *slice = &breaker->slices[breaker->slice % LEAT_BREAKER_SLICES];
        slice->calls++;
        slice->failures += failed ? 1 : 0;
    }
    breaker->calls++;
    breaker->failures += failed ? 1 : 0;
}

/* ---- states; all under the mutex ------------------------------------------------------------ */

static enum leat_breaker_state
state_of(const struct leat_breaker *breaker)
{
    return (enum leat_breaker_state)atom_load_rlx(&breaker->state); /* rlx: statistic */
}

static uint32_t
list_of(const struct leat_breaker *breaker)
{
    return leat_gates_list(breaker->engine, breaker->type);
}

static struct leat_gate *
gate_of(const struct leat_breaker *breaker)
{
    return leat_gate_of(breaker->engine, list_of(breaker));
}

static void
due_at(struct leat_breaker *breaker, uint64_t until_ns)
{
    struct leat_engine *engine = breaker->engine;
    breaker->until_ns = until_ns;
    if (leat_sweep_bring(&engine->breakers.due, until_ns)) {
        leat_clocks_changed(&engine->clocks);
    }
}

static uint64_t
open_until(const struct leat_breaker *breaker, uint64_t now_ns)
{
    return leat_timers_after(now_ns, breaker->options.open_ns);
}

static void
tell(const struct leat_breaker *breaker, enum leat_event_kind kind)
{
    const struct leat_event event = {
        .kind = kind, .type = {breaker->type + 1}, .worker = LEAT_WORKER_NONE};
    leat_events_put(breaker->engine, event);
}

static void
turn_open(struct leat_breaker *breaker, uint64_t now_ns)
{
    atom_store_rlx(&breaker->state, LEAT_BREAKER_OPEN); /* rlx: statistic */
    leat_gate_break(gate_of(breaker));
    breaker->openings++;
    tell(breaker, LEAT_EVENT_BREAKER_OPENED);
    window_clear(breaker);
    due_at(breaker, open_until(breaker, now_ns));
}

/* The next three return the levels to call. */
static uint32_t
turn_closed(struct leat_breaker *breaker)
{
    atom_store_rlx(&breaker->state, LEAT_BREAKER_CLOSED); /* rlx: statistic */
    tell(breaker, LEAT_EVENT_BREAKER_CLOSED);
    window_clear(breaker);
    due_at(breaker, LEAT_TIME_NEVER);
    return leat_gate_mend(gate_of(breaker));
}

/* Its time is over: it was open, or its probes came to nothing. */
static uint32_t
try_again(struct leat_breaker *breaker)
{
    if (state_of(breaker) == LEAT_BREAKER_OPEN) {
        breaker->successes = 0;
    }
    atom_store_rlx(&breaker->state, LEAT_BREAKER_HALF_OPEN); /* rlx: statistic */
    breaker->tickets = breaker->options.probes - breaker->successes;
    due_at(breaker, LEAT_TIME_NEVER); /* until one begins */
    return leat_gate_mend(gate_of(breaker));
}

/* It was told by an attempt that was a probe, or was none. */
static uint32_t
count(struct leat_breaker *breaker, bool probe, bool failed, uint64_t now_ns)
{
    const struct leat_breaker_options *options = &breaker->options;
    switch (state_of(breaker)) {
    case LEAT_BREAKER_CLOSED:
        window_add(breaker, failed, now_ns);
        if (breaker->calls >= options->calls_min &&
            (uint64_t)breaker->failures * 100 >=
                (uint64_t)breaker->calls * options->failure_percent) {
            turn_open(breaker, now_ns);
        }
        break;
    case LEAT_BREAKER_OPEN:
        break; /* it had begun before */
    case LEAT_BREAKER_HALF_OPEN:
        if (probe && failed) {
            turn_open(breaker, now_ns);
        } else if (probe && ++breaker->successes == options->probes) {
            return turn_closed(breaker);
        }
        break;
    }
    return 0;
}

/* ---- attempts ------------------------------------------------------------------------------- */

static uint64_t
now_of(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

static struct leat_breaker *
breaker_of(const struct leat_engine *engine, const struct leat_job_record *record)
{
    const struct leat_binding *binding = leat_binding_of(engine, leat_job_type(record));
    return binding == NULL ? NULL : binding->breaker;
}

bool
leat_breaker_begin(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_breaker *breaker = breaker_of(engine, record);
    if (breaker == NULL || state_of(breaker) == LEAT_BREAKER_CLOSED) {
        return true;
    }
    leat_mutex_lock(&breaker->mutex);
    /* Where it has closed meanwhile, the job comes again by its list. */
    bool may = state_of(breaker) == LEAT_BREAKER_HALF_OPEN && breaker->tickets != 0;
    if (may) {
        record->admitted |= LEAT_ADMITTED_PROBE;
        breaker->tickets--;
        due_at(breaker, open_until(breaker, now_of(engine)));
        if (breaker->tickets == 0) {
            leat_gate_break(gate_of(breaker));
        }
    }
    leat_mutex_unlock(&breaker->mutex);
    return may;
}

void
leat_breaker_ticket_give(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_breaker *breaker = breaker_of(engine, record);
    uint32_t levels = 0;
    record->admitted &= (uint16_t)~LEAT_ADMITTED_PROBE;
    leat_mutex_lock(&breaker->mutex);
    uint32_t most = breaker->options.probes - breaker->successes;
    if (state_of(breaker) == LEAT_BREAKER_HALF_OPEN && breaker->tickets < most) {
        breaker->tickets++;
        levels = leat_gate_mend(gate_of(breaker));
    }
    leat_mutex_unlock(&breaker->mutex);
    leat_gates_call(engine, list_of(breaker), levels);
}

void
leat_breaker_count(const struct leat_run *run, bool failed)
{
    struct leat_breaker *breaker = run->breaker;
    struct leat_engine *engine = breaker->engine;
    /* One that was cancelled says nothing about its type. rlx: statistic */
    if (failed && (atom_load_rlx(run->word) & LEAT_WORD_CANCEL) != 0) {
        return;
    }
    uint64_t now_ns = now_of(engine);
    leat_mutex_lock(&breaker->mutex);
    uint32_t levels = count(breaker, run->probe, failed, now_ns);
    leat_mutex_unlock(&breaker->mutex);
    leat_gates_call(engine, list_of(breaker), levels);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void
look(struct leat_breaker *breaker, uint64_t now_ns)
{
    uint32_t levels = 0;
    leat_mutex_lock(&breaker->mutex);
    if (now_ns >= breaker->until_ns) {
        levels = try_again(breaker);
    } else {
        due_at(breaker, breaker->until_ns);
    }
    leat_mutex_unlock(&breaker->mutex);
    leat_gates_call(breaker->engine, list_of(breaker), levels);
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    return atom_load_rlx(&engine->breakers.due.next_ns); /* rlx: statistic */
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    if (now_ns < source_next(engine)) {
        return source_next(engine);
    }
    leat_sweep_begin(&engine->breakers.due);
    /* listed:A acquire -> listed:B.  Carries: the breakers.
     * If relaxed: one could be found half made. */
    struct leat_breaker *breaker = atom_load_acq(&engine->breakers.first);
    while (breaker != NULL) {
        look(breaker, now_ns);
        breaker = breaker->next;
    }
    return source_next(engine);
}

struct leat_clock_source
leat_breakers_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- the host ------------------------------------------------------------------------------- */

enum leat_status
leat_breaker_get(struct leat_engine *engine, leat_type type, struct leat_breaker_info *info)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (info == NULL) {
        return LEAT_INVALID;
    }
    /* 0 - 1 is beyond every capacity. */
    bool there = leat_names_text(&engine->types, type.bits - 1) != NULL;
    const struct leat_binding *binding = there ? leat_binding_of(engine, type.bits - 1) : NULL;
    struct leat_breaker *breaker = binding == NULL ? NULL : binding->breaker;
    if (breaker == NULL) {
        return LEAT_NOT_FOUND;
    }
    struct leat_breaker_info filled = leat_breaker_info_default();
    uint64_t now_ns = now_of(engine);
    leat_mutex_lock(&breaker->mutex);
    if (breaker->options.window_ns != 0) {
        window_go_on(breaker, now_ns);
    }
    filled.state = state_of(breaker);
    filled.calls = breaker->calls;
    filled.failures = breaker->failures;
    filled.openings = breaker->openings;
    if (filled.state == LEAT_BREAKER_OPEN && breaker->until_ns > now_ns) {
        filled.open_in_ns = breaker->until_ns - now_ns;
    }
    leat_mutex_unlock(&breaker->mutex);
    return leat_struct_write(info, &filled, sizeof(filled));
}

/* ---- init and fini -------------------------------------------------------------------------- */

void
leat_breakers_init(struct leat_engine *engine)
{
    leat_sweep_init(&engine->breakers.due);
}

struct leat_breaker *
leat_breaker_make(struct leat_engine *engine, const struct leat_breaker_options *options)
{
    struct leat_breaker *breaker = leat_memory_take(&engine->memory, sizeof(*breaker));
    if (breaker != NULL) {
        breaker->engine = engine;
        enum leat_status status = leat_breaker_check(&breaker->options, options, NULL);
        LEAT_ASSERT(status == LEAT_OK);
        breaker->until_ns = LEAT_TIME_NEVER;
        atom_init(&breaker->state, LEAT_BREAKER_CLOSED);
        leat_mutex_init(&breaker->mutex);
    }
    return breaker;
}

void
leat_breaker_free(struct leat_engine *engine, struct leat_breaker *breaker)
{
    if (breaker != NULL) {
        leat_mutex_fini(&breaker->mutex);
        leat_memory_give(&engine->memory, breaker, sizeof(*breaker));
    }
}

void
leat_breaker_stand(struct leat_breaker *breaker)
{
    struct leat_engine *engine = breaker->engine;
    leat_middleware_lock(engine);
    breaker->next = atom_load_rlx(&engine->breakers.first); /* rlx: single writer */
    /* listed:B release -> listed:A.  Carries: see listed:A.
     * If relaxed: see listed:A. */
    atom_store_rel(&engine->breakers.first, (void *)breaker);
    leat_middleware_unlock(engine);
    leat_gate_use(gate_of(breaker));
    leat_gates_settle(engine);
}
