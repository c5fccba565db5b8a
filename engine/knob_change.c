/* knob_change.c - knobs that are changed while the engine runs: each by the function that is made
 * for it. BLOCKING, as these are. */
#include <stdio.h>
#include <string.h>

#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/names.h"
#include "engine/settings.h"
#include "engine/trace.h"

/* What is to become what. */
struct asked {
    const struct leat_knob *knob;
    struct leat_knob_value value;
    char section[LEAT_NAME_BYTES_MAX + 1]; /* of a queue or type: its name */
};

static struct leat_rate
rate_of(const struct asked *asked)
{
    const uint64_t *number = asked->value.number;
    return leat_rate_of(number[0], number[1], number[2]);
}

static enum leat_status
age_change(struct leat_engine *engine, struct leat_book *book, uint64_t age_ns)
{
    if (!leat_book_age(book, age_ns)) {
        return LEAT_BUSY;
    }
    return leat_clock_changed(engine);
}

static void
trace_change(struct leat_engine *engine, enum leat_knob_live knob, uint32_t number)
{
    leat_mutex_lock(&engine->mutex);
    if (knob == LEAT_LIVE_SAMPLE) {
        leat_trace_set_interval(engine, number);
    } else {
        leat_trace_set_mode(engine, (enum leat_trace_mode)number);
    }
    leat_mutex_unlock(&engine->mutex);
}

/* LEAT_WRONG_STATE: it is not live. */
static enum leat_status
engine_change(struct leat_engine *engine, const struct asked *asked)
{
    const uint64_t number = asked->value.number[0];
    switch (asked->knob->live) {
    case LEAT_LIVE_WORKERS:
        return leat_workers_set(engine, (uint32_t)number);
    case LEAT_LIVE_PAYLOADS:
        return leat_room_payload_limit(engine, number) ? LEAT_OK : LEAT_WRONG_STATE;
    case LEAT_LIVE_MEMORY:
        return leat_footprint_limit(engine, number) ? LEAT_OK : LEAT_WRONG_STATE;
    case LEAT_LIVE_MEMORY_MARK:
        return leat_footprint_mark(engine, (uint32_t)number) ? LEAT_OK : LEAT_WRONG_STATE;
    case LEAT_LIVE_SAMPLE:
    case LEAT_LIVE_TRACE:
        trace_change(engine, asked->knob->live, (uint32_t)number);
        return LEAT_OK;
    case LEAT_LIVE_EVENTS:
        leat_events_select(engine, (uint32_t)number);
        return LEAT_OK;
    case LEAT_LIVE_THRESHOLD_PERIOD:
        leat_thresholds_period(engine, number);
        return LEAT_OK;
    case LEAT_LIVE_THRESHOLD_DEAD:
        leat_thresholds_set(engine, LEAT_THRESHOLD_DEAD, number);
        return LEAT_OK;
    case LEAT_LIVE_THRESHOLD_WAITING:
        leat_thresholds_set(engine, LEAT_THRESHOLD_WAITING, number);
        return LEAT_OK;
    case LEAT_LIVE_THRESHOLD_FAILURES:
        leat_thresholds_set(engine, LEAT_THRESHOLD_FAILURES, number);
        return LEAT_OK;
    case LEAT_LIVE_THRESHOLD_OLDEST:
        leat_thresholds_set(engine, LEAT_THRESHOLD_OLDEST, number);
        return LEAT_OK;
    case LEAT_LIVE_RETAINED_AGE:
        return age_change(engine, &engine->finished, number);
    case LEAT_LIVE_DEAD_AGE:
        return age_change(engine, &engine->dead, number);
    case LEAT_LIVE_NO:
    case LEAT_LIVE_RUNNING_MAX:
    case LEAT_LIVE_RUNNING_MIN:
    case LEAT_LIVE_RATE:
    case LEAT_LIVE_KEY_RATE:
    case LEAT_LIVE_LIMIT:
    case LEAT_LIVE_WEIGHT:
        break;
    }
    return LEAT_WRONG_STATE;
}

/* The limits of a queue are set together: under the mutex, so that two changes are two. */
static enum leat_status
limit_change(struct leat_engine *engine, leat_queue queue, const struct asked *asked)
{
    const leat_tenant same = {0};
    struct leat_queue_options options = leat_queue_options_default();
    const uint32_t index = queue.bits - 1;
    leat_mutex_lock(&engine->mutex);
    struct leat_queue_limits limits = leat_room_limits(engine, index);
    options.waiting_max = limits.waiting_max;
    options.waiting_bytes_max = limits.waiting_bytes_max;
    options.full = limits.full;
    options.block_ns = limits.block_ns;
    leat_knob_put(asked->knob, &options, &asked->value);
    limits.waiting_max = options.waiting_max;
    limits.waiting_bytes_max = options.waiting_bytes_max;
    limits.full = options.full;
    limits.block_ns = options.block_ns;
    enum leat_status status = leat_room_check(engine, &limits, same);
    if (status == LEAT_OK) {
        status = leat_room_set(engine, index, &limits, same);
    }
    leat_mutex_unlock(&engine->mutex);
    return leat_durable_tuned(engine, index, LEAT_TUNED_LIMITS, status);
}

static enum leat_status
queue_change(struct leat_engine *engine, const struct asked *asked)
{
    leat_queue queue = {0};
    enum leat_status status = leat_queue_find(engine, asked->section, &queue);
    const uint32_t number = (uint32_t)asked->value.number[0];
    if (status != LEAT_OK) {
        return status;
    }
    if (asked->knob->live == LEAT_LIVE_RUNNING_MAX) {
        return leat_queue_set_running_max(engine, queue, number);
    }
    if (asked->knob->live == LEAT_LIVE_RUNNING_MIN) {
        return leat_queue_set_running_min(engine, queue, number);
    }
    if (asked->knob->live == LEAT_LIVE_RATE) {
        return leat_queue_set_rate(engine, queue, rate_of(asked));
    }
    if (asked->knob->live == LEAT_LIVE_KEY_RATE) {
        return leat_queue_set_key_rate(engine, queue, rate_of(asked));
    }
    if (asked->knob->live == LEAT_LIVE_WEIGHT) {
        return leat_queue_set_weight(engine, queue, number);
    }
    return limit_change(engine, queue, asked);
}

static enum leat_status
type_change(struct leat_engine *engine, const struct asked *asked)
{
    leat_type type = {0};
    enum leat_status status = leat_type_find(engine, asked->section, &type);
    const uint32_t number = (uint32_t)asked->value.number[0];
    if (status != LEAT_OK) {
        return status;
    }
    if (asked->knob->live == LEAT_LIVE_RUNNING_MAX) {
        return leat_type_set_running_max(engine, type, number);
    }
    if (asked->knob->live == LEAT_LIVE_RUNNING_MIN) {
        return leat_type_set_running_min(engine, type, number);
    }
    if (asked->knob->live == LEAT_LIVE_KEY_RATE) {
        return leat_type_set_key_rate(engine, type, rate_of(asked));
    }
    return leat_type_set_rate(engine, type, rate_of(asked));
}

/* What a name and a value ask for, by the same way as in settings: so with the same errors. */
static enum leat_status
asked_read(struct asked *asked, const char *name, const char *value, struct leat_error *error)
{
    const struct leat_memory memory = leat_memory_default();
    struct leat_draft draft = {.memory = &memory, .source = LEAT_SOURCE_FLAG};
    const struct leat_said_knob said = {.path = leat_knob_path_of(name),
                                        .value = leat_slice_of(value)};
    enum leat_status status = leat_draft_set(&draft, &said, error);
    if (status == LEAT_OK) {
        asked->knob = leat_knob_at(leat_knob_find(said.path.scope, said.path.key));
        (void)leat_knob_parse(asked->knob, said.value, &asked->value);
        memcpy(asked->section, draft.sections->name, sizeof(asked->section));
    }
    leat_draft_drop(&draft);
    return status;
}

static enum leat_status
change(struct leat_engine *engine, const struct asked *asked)
{
    switch (asked->knob->scope) {
    case LEAT_KNOB_ENGINE:
        return engine_change(engine, asked);
    case LEAT_KNOB_QUEUE:
        return queue_change(engine, asked);
    case LEAT_KNOB_TYPE:
        return type_change(engine, asked);
    case LEAT_KNOB_BUILD:
        break;
    }
    return LEAT_WRONG_STATE;
}

/* What has to have a limit from the open on, for this one to be changed; or NULL. */
static const char *
counted_by(enum leat_knob_live live)
{
    if (live == LEAT_LIVE_PAYLOADS) {
        return "payload_bytes_total_max";
    }
    return live == LEAT_LIVE_MEMORY || live == LEAT_LIVE_MEMORY_MARK ? "memory_max" : NULL;
}

/* One sentence on a change that was understood, and refused. */
static enum leat_status
refuse(const struct leat_engine *engine, const struct asked *asked, enum leat_status status,
       struct leat_error *error)
{
    const struct leat_spot nowhere = {NULL, 0, 0};
    const char *name = asked->knob->name;
    const char *counted = counted_by(asked->knob->live);
    const bool workers = asked->knob->live == LEAT_LIVE_WORKERS;
    if (status == LEAT_NOT_FOUND) {
        (void)leat_settings_refuse(error, &nowhere, name, "there is no %s '%s'",
                                   asked->knob->scope == LEAT_KNOB_QUEUE ? "queue" : "type",
                                   asked->section);
    } else if (status == LEAT_INVALID && workers) {
        (void)leat_settings_refuse(error, &nowhere, name, "%s must be 1 to workers_max (%u)", name,
                                   engine->config.workers_max);
    } else if (status == LEAT_INVALID) {
        (void)leat_settings_refuse(error, &nowhere, name,
                                   "%s cannot become that while the engine runs", name);
    } else if (status == LEAT_WRONG_STATE && counted != NULL) {
        (void)leat_settings_refuse(error, &nowhere, name,
                                   "%s cannot be changed, as %s was 0 when the engine was opened",
                                   name, counted);
    } else if (status == LEAT_WRONG_STATE && workers) {
        (void)leat_settings_refuse(error, &nowhere, name,
                                   "%s cannot be changed, as the engine has lent threads", name);
    } else {
        (void)leat_settings_refuse(error, &nowhere, name, "%s was not changed: %s", name,
                                   leat_status_text(status));
    }
    return leat_error_as(error, status);
}

enum leat_status
leat_knob_change(struct leat_engine *engine, const char *name, const char *value,
                 struct leat_error *error)
{
    struct asked asked;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (name == NULL || value == NULL)) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return leat_error_set(error, status, "", leat_status_text(status));
    }
    status = asked_read(&asked, name, value, error);
    if (status != LEAT_OK) {
        return status;
    }
    if (asked.knob->live == LEAT_LIVE_NO) {
        return leat_error_set(error, LEAT_WRONG_STATE, asked.knob->name, "needs a restart");
    }
    status = change(engine, &asked);
    return status == LEAT_OK ? leat_error_set(error, LEAT_OK, "", "ok")
                             : refuse(engine, &asked, status, error);
}
