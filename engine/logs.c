/* logs.c - log lines: the limit on their rate, the engine's own, and their text. See logs.h. */
#include "engine/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/out.h"
#include "sched/civil.h"

/* Of a line of the engine's own. */
#define OWN_BYTES 160

/* ---- how many ------------------------------------------------------------------------------- */

void
leat_logs_init(struct leat_engine *engine)
{
    const uint32_t lines = engine->config.log_lines_per_s;
    const struct leat_bucket_rate rate = {lines, lines, UINT64_C(1000000000)};
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    leat_bucket_fill(&engine->logs.bucket, &rate, now_ns, lines);
    atom_init(&engine->logs.dropped, 0);
}

/* Nobody waits for a token: none is kept. The rate is never another, so this is no section. */
static bool
passes(struct leat_engine *engine)
{
    struct leat_bucket_taken taken;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    return leat_bucket_take(&engine->logs.bucket, now_ns, &taken);
}

void
leat_logs_write(struct leat_engine *engine, struct leat_log_line line)
{
    const struct leat_config *config = &engine->config;
    if (config->log_sink == NULL || line.level < config->log_level) {
        return;
    }
    if (config->log_lines_per_s != 0 && !passes(engine)) {
        (void)atom_add_rlx(&engine->logs.dropped, 1); /* rlx: statistic */
        return;
    }
    line.dropped = atom_swap_rlx(&engine->logs.dropped, 0); /* rlx: statistic */
    line.unix_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    line.type_name = leat_names_text(&engine->types, line.type.bits - 1);
    line.queue_name = leat_names_text(&engine->queues, line.queue.bits - 1);
    config->log_sink(engine, &line, config->log_context);
}

/* ---- the engine's own ------------------------------------------------------------------------ */

void
leat_logs_event(struct leat_engine *engine, const struct leat_event *event)
{
    char text[OWN_BYTES];
    struct leat_log_line line = {.id = event->id,
                                 .type = event->type,
                                 .attempt = event->attempt,
                                 .level = LEAT_LOG_WARNING,
                                 .text = leat_event_text(event->kind),
                                 .queue = event->queue,
                                 .worker = event->worker};
    if (engine->config.log_sink == NULL || (LEAT_LOGS_EVENTS & LEAT_EVENT_BIT(event->kind)) == 0) {
        return;
    }
    if (event->kind == LEAT_EVENT_THRESHOLD_RAISED || event->kind == LEAT_EVENT_THRESHOLD_CLEARED) {
        (void)snprintf(text, sizeof(text), "%s: %s is %" PRIu64 ", limit %" PRIu64, line.text,
                       leat_threshold_text(event->threshold), event->value, event->limit);
        line.text = text;
    }
    if (event->kind == LEAT_EVENT_BREAKER_CLOSED || event->kind == LEAT_EVENT_THRESHOLD_CLEARED) {
        line.level = LEAT_LOG_INFO;
    }
    leat_logs_write(engine, line);
}

/* ---- their text ------------------------------------------------------------------------------ */

/* Where a line is put. Letters cut in two at the end of the room are the reader's to see. */
struct room {
    char *buffer;
    size_t bytes;
    size_t used; /* what it would be, with more room */
};

static bool
keep(const char *text, size_t bytes, void *context)
{
    struct room *room = context;
    if (room->used < room->bytes) {
        size_t left = room->bytes - room->used;
        memcpy(room->buffer + room->used, text, bytes < left ? bytes : left);
    }
    room->used += bytes;
    return true;
}

/* One name and its value. */
struct pair {
    const char *name;
    const char *text; /* NULL: the number */
    uint64_t number;
    bool there;
};

static void
pair_write(struct leat_out *out, const struct pair *pair, bool json, bool first)
{
    leat_out_text(out, first ? "" : (json ? "," : " "));
    if (json) {
        leat_out_string(out, pair->name);
        leat_out_text(out, ":");
    } else {
        leat_out_text(out, pair->name);
        leat_out_text(out, "=");
    }
    if (pair->text == NULL) {
        leat_out_number(out, pair->number);
    } else if (json) {
        leat_out_string(out, pair->text);
    } else {
        leat_out_word(out, pair->text);
    }
}

/* By RFC 3339, to the microsecond. */
static void
time_text(uint64_t unix_ns, char *text, size_t bytes)
{
    const int64_t time_s = (int64_t)(unix_ns / 1000000000);
    const int64_t days = leat_days_of_time(time_s);
    const struct leat_date date = leat_date_of_days(days);
    const uint32_t second = (uint32_t)(time_s - days * LEAT_DAY_S);
    (void)snprintf(text, bytes, "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ", date.year, date.month,
                   date.day, second / 3600, second / 60 % 60, second % 60,
                   (unsigned)(unix_ns % 1000000000 / 1000));
}

size_t
leat_log_format(const struct leat_log_line *line, enum leat_log_format format, char *buffer,
                size_t bytes)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    char time[48];
    struct leat_out out;
    struct room room = {buffer, buffer == NULL ? 0 : bytes, 0};
    if (line == NULL || line->text == NULL || (uint32_t)line->level > LEAT_LOG_ERROR ||
        (uint32_t)format > LEAT_LOG_JSON) {
        return 0;
    }
    time_text(line->unix_ns, time, sizeof(time));
    const bool json = format == LEAT_LOG_JSON;
    const struct pair pairs[] = {
        {"time", time, 0, line->unix_ns != 0},
        {"level", levels[line->level], 0, true},
        {"msg", line->text, 0, true},
        {"job", NULL, line->id.bits, line->id.bits != 0},
        {"attempt", NULL, line->attempt, line->attempt != 0},
        {"type", line->type_name, 0, line->type_name != NULL},
        {"queue", line->queue_name, 0, line->queue_name != NULL},
        {"worker", NULL, line->worker, line->worker != LEAT_WORKER_NONE},
        {"dropped", NULL, line->dropped, line->dropped != 0},
    };
    bool first = true;
    leat_out_init(&out, keep, &room);
    leat_out_text(&out, json ? "{" : "");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i].there) {
            pair_write(&out, &pairs[i], json, first);
            first = false;
        }
    }
    leat_out_text(&out, json ? "}\n" : "\n");
    (void)leat_out_end(&out);
    if (room.bytes != 0) {
        buffer[room.used < room.bytes ? room.used : room.bytes - 1] = '\0';
    }
    return room.used;
}
