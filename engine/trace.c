/* trace.c - what is recorded of an engine, and writing it in the JSON format that Chrome's tracing
 * and Perfetto read: begin and end are put together to slices, each with its time and duration; all
 * is sorted by time. See trace.h. */
#include "engine/trace.h"

#include <stdio.h>
#include <string.h>

#include "engine/out.h"

/* ---- what is recorded ----------------------------------------------------------------------- */

/* Where all attempts are recorded, all jobs are timed. */
static void
settle(struct leat_engine *engine)
{
    struct leat_tracing *tracing = &engine->tracing;
    bool all = tracing->mode == LEAT_TRACE_FULL && engine->pool.config.flight_slots_log2 != 0;
    uint64_t below = leat_sample_below(all ? 1 : tracing->interval);
    atom_store_rlx(&engine->sample_below, below);        /* rlx: statistic */
    bool on = atom_load_rlx(&engine->pool.tracing) != 0; /* rlx: single writer */
    if (!on && tracing->mode != LEAT_TRACE_OFF) {
        tracing->round = tracing->round % LEAT_TRACE_ROUNDS + 1;
    }
    /* rlx: statistic */
    atom_store_rlx(&engine->pool.tracing, tracing->mode != LEAT_TRACE_OFF ? tracing->round : 0);
}

void
leat_trace_set_mode(struct leat_engine *engine, enum leat_trace_mode mode)
{
    engine->tracing.mode = mode;
    settle(engine);
}

void
leat_trace_set_interval(struct leat_engine *engine, uint32_t interval)
{
    engine->tracing.interval = interval;
    settle(engine);
}

void
leat_trace_init(struct leat_engine *engine)
{
    engine->tracing.interval = engine->config.sample_interval;
    leat_trace_set_mode(engine, engine->config.trace);
}

void
leat_trace_run_begin(const struct leat_run *run, uint64_t start_ns)
{
    const struct leat_job_record *record = run->record;
    uint64_t what = leat_trace_what(LEAT_TRACE_RUN_BEGIN, run->attempt, leat_job_type(record),
                                    leat_job_queue(record));
    uint64_t submit_ns = atom_load_rlx(&record->submit_ns); /* rlx: ordered by submit:A */
    leat_trace_put(run->worker, (struct leat_flight_record){{start_ns, what, run->id, submit_ns}});
}

void
leat_trace_run_end(const struct leat_run *run, uint64_t start_ns, uint64_t end_ns,
                   enum leat_outcome_kind outcome)
{
    uint64_t what = leat_trace_what(LEAT_TRACE_RUN_END, (uint32_t)outcome, 0, 0);
    leat_trace_put(run->worker, (struct leat_flight_record){{end_ns, what, run->id, start_ns}});
}

/* ---- from records to events ----------------------------------------------------------------- */

enum event_kind {
    EVENT_RUN = 1, /* slices */
    EVENT_PARKED,
    EVENT_TIMERS,
    EVENT_WAIT_BEGIN, /* of a job that is timed: from its submit to its first attempt */
    EVENT_WAIT_END,
    EVENT_STEAL, /* moments */
    EVENT_RETRY
};

#define OUTCOME_NONE 0 /* it runs yet */

struct event {
    uint64_t time_ns;
    uint64_t duration_ns;
    uint64_t what; /* of the record that begins it */
    uint64_t job;
    uint8_t kind;
    uint8_t outcome; /* of EVENT_RUN; enum leat_outcome_kind */
    uint16_t place;
};

/* A begin of a job makes two events of its wait and one of its run; its end one of a retry. */
#define EVENTS_PER_RECORD 3

struct events {
    struct event *first;
    size_t count;
    size_t capacity;
    uint64_t now_ns;
    uint64_t round; /* that it is now; 0: off */
};

static struct event *
event_add(struct events *events, enum event_kind kind, uint64_t time_ns, uint32_t place)
{
    LEAT_ASSERT(events->count < events->capacity);
    struct event *event = &events->first[events->count++];
    memset(event, 0, sizeof(*event));
    event->kind = (uint8_t)kind;
    event->time_ns = time_ns;
    event->place = (uint16_t)place;
    return event;
}

/* Records of one place, as they were copied. */
struct tail {
    const struct leat_flight_record *first;
    uint64_t count;
    uint32_t place;
};

static uint64_t
round_of(const uint64_t *words)
{
    return words[LEAT_TRACE_WHAT] >> LEAT_TRACE_ROUND_SHIFT;
}

/* The record that ends what records[from] begins; NULL: it has not ended yet. False: it ended while
 * nothing was recorded, or may have. */
static bool
end_find(const struct events *events, const struct tail *tail, uint64_t from,
         enum leat_trace_kind kind, const struct leat_flight_record **end)
{
    const uint64_t *begun = tail->first[from].words;
    *end = NULL;
    for (uint64_t i = from + 1; i < tail->count; i++) {
        const uint64_t *words = tail->first[i].words;
        if ((words[LEAT_TRACE_WHAT] & LEAT_TRACE_KIND) == (uint64_t)kind &&
            words[LEAT_TRACE_SUBJECT] == begun[LEAT_TRACE_SUBJECT] &&
            round_of(words) == round_of(begun)) {
            *end = &tail->first[i];
            return true;
        }
    }
    return round_of(begun) == events->round;
}

/* What has not ended by now lasts until now. */
static struct event *
slice_add(struct events *events, const struct tail *tail, uint64_t from, enum event_kind kind,
          const struct leat_flight_record *end)
{
    const uint64_t *words = tail->first[from].words;
    struct event *event = event_add(events, kind, words[LEAT_TRACE_TIME], tail->place);
    uint64_t end_ns = end == NULL ? events->now_ns : end->words[LEAT_TRACE_TIME];
    event->duration_ns = end_ns > event->time_ns ? end_ns - event->time_ns : 0;
    event->what = words[LEAT_TRACE_WHAT];
    event->job = words[LEAT_TRACE_SUBJECT];
    return event;
}

static void
run_add(struct events *events, const struct tail *tail, uint64_t from)
{
    const uint64_t *words = tail->first[from].words;
    const struct leat_flight_record *end = NULL;
    uint64_t submit_ns = words[LEAT_TRACE_MORE];
    if (leat_trace_field(words[LEAT_TRACE_WHAT], 0) == 1) {
        struct event *begin = event_add(events, EVENT_WAIT_BEGIN, submit_ns, tail->place);
        begin->what = words[LEAT_TRACE_WHAT];
        begin->job = words[LEAT_TRACE_SUBJECT];
        struct event *over = event_add(events, EVENT_WAIT_END, words[LEAT_TRACE_TIME], tail->place);
        over->what = begin->what;
        over->job = begin->job;
    }
    if (!end_find(events, tail, from, LEAT_TRACE_RUN_END, &end)) {
        return;
    }
    struct event *run = slice_add(events, tail, from, EVENT_RUN, end);
    run->outcome =
        end == NULL ? OUTCOME_NONE : (uint8_t)leat_trace_field(end->words[LEAT_TRACE_WHAT], 0);
    if (run->outcome == LEAT_OUTCOME_RETRY) {
        struct event *retry =
            event_add(events, EVENT_RETRY, end->words[LEAT_TRACE_TIME], tail->place);
        retry->what = run->what;
        retry->job = run->job;
    }
}

static void
rest_add(struct events *events, const struct tail *tail, uint64_t from, enum event_kind kind)
{
    const struct leat_flight_record *end = NULL;
    bool parked = kind == EVENT_PARKED;
    if (end_find(events, tail, from, parked ? LEAT_TRACE_WAKE : LEAT_TRACE_TIMERS_END, &end)) {
        (void)slice_add(events, tail, from, kind, end);
    }
}

/* An end whose begin has been overwritten says nothing. */
static void
tail_add(struct events *events, const struct tail *tail)
{
    for (uint64_t i = 0; i < tail->count; i++) {
        const uint64_t *words = tail->first[i].words;
        switch ((enum leat_trace_kind)(words[LEAT_TRACE_WHAT] & LEAT_TRACE_KIND)) {
        case LEAT_TRACE_RUN_BEGIN:
            run_add(events, tail, i);
            break;
        case LEAT_TRACE_PARK:
            rest_add(events, tail, i, EVENT_PARKED);
            break;
        case LEAT_TRACE_TIMERS_BEGIN:
            rest_add(events, tail, i, EVENT_TIMERS);
            break;
        case LEAT_TRACE_STEAL:
            event_add(events, EVENT_STEAL, words[LEAT_TRACE_TIME], tail->place)->what =
                words[LEAT_TRACE_WHAT];
            break;
        case LEAT_TRACE_RUN_END:
        case LEAT_TRACE_WAKE:
        case LEAT_TRACE_TIMERS_END:
            break;
        }
    }
}

/* ---- sorting -------------------------------------------------------------------------------- */

/* Of two at one time a wait that begins comes first: it may end at that time, too. */
static bool
before(const struct event *a, const struct event *b)
{
    if (a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns;
    }
    return (a->kind == EVENT_WAIT_BEGIN) > (b->kind == EVENT_WAIT_BEGIN);
}

/* Lets the event at `top` go down to its place in a heap whose last ones come first. */
static void
sift(struct event *events, size_t top, size_t count)
{
    for (size_t child = 2 * top + 1; child < count; child = 2 * top + 1) {
        child += child + 1 < count && before(&events[child], &events[child + 1]) ? 1 : 0;
        if (!before(&events[top], &events[child])) {
            return;
        }
        struct event moved = events[top];
        events[top] = events[child];
        events[child] = moved;
        top = child;
    }
}

/* Heapsort (J. W. J. Williams 1964): qsort() may allocate, by malloc(). */
static void
sort(struct event *events, size_t count)
{
    for (size_t i = count / 2; i > 0; i--) {
        sift(events, i - 1, count);
    }
    for (size_t end = count; end > 1; end--) {
        struct event last = events[0];
        events[0] = events[end - 1];
        events[end - 1] = last;
        sift(events, 0, end - 1);
    }
}

/* ---- writing -------------------------------------------------------------------------------- */

static const char *
name_of(const struct leat_names *names, uint32_t index)
{
    const char *text = leat_names_text(names, index);
    return text == NULL ? "?" : text;
}

static void
head_write(struct leat_out *out, const char *phase, uint32_t place)
{
    leat_out_text(out, ",\n{\"ph\":\"");
    leat_out_text(out, phase);
    leat_out_text(out, "\",\"pid\":1,\"tid\":");
    leat_out_number(out, place + 1);
}

static void
time_write(struct leat_out *out, const char *name, uint64_t ns)
{
    leat_out_text(out, name);
    leat_out_us(out, ns);
}

static void
job_write(struct leat_out *out, const struct leat_engine *engine, const struct event *event)
{
    leat_out_text(out, ",\"args\":{\"job\":\"");
    leat_out_number(out, event->job);
    leat_out_text(out, "\",\"attempt\":");
    leat_out_number(out, leat_trace_field(event->what, 0));
    leat_out_text(out, ",\"queue\":");
    leat_out_string(out, name_of(&engine->queues, leat_trace_field(event->what, 2)));
}

static void
slice_write(struct leat_out *out, const struct leat_engine *engine, const struct event *event)
{
    static const char *const outcomes[] = {"running", "done", "retry", "fail", "snooze", "pending"};
    head_write(out, "X", event->place);
    time_write(out, ",\"ts\":", event->time_ns);
    time_write(out, ",\"dur\":", event->duration_ns);
    if (event->kind != EVENT_RUN) {
        leat_out_text(out, ",\"cat\":\"worker\",\"name\":");
        leat_out_text(out, event->kind == EVENT_PARKED ? "\"parked\"}" : "\"timers\"}");
        return;
    }
    bool known = event->outcome < sizeof(outcomes) / sizeof(outcomes[0]);
    leat_out_text(out, ",\"cat\":\"job\",\"name\":");
    leat_out_string(out, name_of(&engine->types, leat_trace_field(event->what, 1)));
    job_write(out, engine, event);
    leat_out_text(out, ",\"outcome\":\"");
    leat_out_text(out, known ? outcomes[event->outcome] : "invalid");
    leat_out_text(out, "\"}}");
}

/* The wait of a job: slices of one thread are inside each other, and waits are not. */
static void
wait_write(struct leat_out *out, const struct leat_engine *engine, const struct event *event)
{
    bool begins = event->kind == EVENT_WAIT_BEGIN;
    head_write(out, begins ? "b" : "e", event->place);
    time_write(out, ",\"ts\":", event->time_ns);
    leat_out_text(out, ",\"cat\":\"wait\",\"id\":\"");
    leat_out_number(out, event->job);
    leat_out_text(out, "\",\"name\":");
    leat_out_string(out, name_of(&engine->types, leat_trace_field(event->what, 1)));
    if (begins) {
        job_write(out, engine, event);
        leat_out_text(out, "}");
    }
    leat_out_text(out, "}");
}

static void
moment_write(struct leat_out *out, const struct leat_engine *engine, const struct event *event)
{
    head_write(out, "i", event->place);
    time_write(out, ",\"s\":\"t\",\"ts\":", event->time_ns);
    if (event->kind == EVENT_RETRY) {
        leat_out_text(out, ",\"cat\":\"job\",\"name\":\"retry\"");
        job_write(out, engine, event);
        leat_out_text(out, "}}");
        return;
    }
    leat_out_text(out, ",\"cat\":\"worker\",\"name\":\"steal\",\"args\":{\"worker\":");
    leat_out_number(out, leat_trace_field(event->what, 0));
    leat_out_text(out, ",\"priority\":");
    leat_out_number(out, leat_trace_field(event->what, 1));
    leat_out_text(out, ",\"items\":");
    leat_out_number(out, leat_trace_field(event->what, 2));
    leat_out_text(out, "}}");
}

static void
event_write(struct leat_out *out, const struct leat_engine *engine, const struct event *event)
{
    switch ((enum event_kind)event->kind) {
    case EVENT_RUN:
    case EVENT_PARKED:
    case EVENT_TIMERS:
        slice_write(out, engine, event);
        break;
    case EVENT_WAIT_BEGIN:
    case EVENT_WAIT_END:
        wait_write(out, engine, event);
        break;
    case EVENT_STEAL:
    case EVENT_RETRY:
        moment_write(out, engine, event);
        break;
    }
}

static void
all_write(struct leat_out *out, const struct leat_engine *engine, const struct events *events)
{
    leat_out_text(out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
                       "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\","
                       "\"args\":{\"name\":\"leat\"}}");
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        head_write(out, "M", i);
        leat_out_text(out, ",\"name\":\"thread_name\",\"args\":{\"name\":\"worker ");
        leat_out_number(out, i);
        leat_out_text(out, "\"}}");
    }
    for (size_t i = 0; i < events->count && !out->failed; i++) {
        event_write(out, engine, &events->first[i]);
    }
    leat_out_text(out, "\n]}\n");
}

/* ---- the call ------------------------------------------------------------------------------- */

static void
collect(const struct leat_engine *engine, struct leat_flight_record *records, struct events *events)
{
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        struct tail tail = {.place = i};
        tail.count = leat_flight_copy(&engine->pool.workers[i].flight, records, &tail.first);
        /* Behind the copy, so that no record is later; and what was turned off by now is off. */
        events->now_ns = leat_os_monotonic_ns();
        events->round = atom_load_rlx(&engine->pool.tracing); /* rlx: statistic */
        tail_add(events, &tail);
    }
    sort(events->first, events->count);
}

enum leat_status
leat_trace_write(struct leat_engine *engine, leat_text_sink sink, void *context)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK || sink == NULL) {
        return status == LEAT_OK ? LEAT_INVALID : status;
    }
    uint32_t slots_log2 = engine->pool.config.flight_slots_log2;
    if (slots_log2 == 0) {
        return LEAT_WRONG_STATE;
    }
    const size_t slots = (size_t)1 << slots_log2;
    struct events events = {.capacity = EVENTS_PER_RECORD * slots * engine->pool.places};
    const struct leat_memory *memory = &engine->memory;
    struct leat_flight_record *records = leat_memory_take(memory, sizeof(*records) * slots);
    events.first = leat_memory_take(memory, sizeof(*events.first) * events.capacity);
    if (records == NULL || events.first == NULL) {
        status = LEAT_NO_MEMORY;
    } else {
        struct leat_out out;
        collect(engine, records, &events);
        leat_out_init(&out, sink, context);
        all_write(&out, engine, &events);
        status = leat_out_end(&out) ? LEAT_OK : LEAT_REFUSED;
    }
    leat_memory_give(memory, events.first, sizeof(*events.first) * events.capacity);
    leat_memory_give(memory, records, sizeof(*records) * slots);
    return status;
}
