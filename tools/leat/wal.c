/* wal.c - leat wal: looking at a log. Nothing is changed in
 * the log that is looked at; a log that an engine has open is not read. Without a key an encrypted
 * one is looked at as far as sums and what stands in the clear go, and saved just so. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/leat/wal.h"

#define SHOWN_MAX 64 /* bytes of a record, but in JSON */

/* On a terminal: how far the reading is, where that is another percent; and nothing of it when that
 * is done. */
static void
progress_show(void *context, uint64_t done, uint64_t of)
{
    static unsigned shown = 100;
    const unsigned percent = (unsigned)(done * 100 / of);
    (void)context;
    if (done < of && percent == shown) {
        return;
    }
    shown = percent;
    if (done < of) {
        (void)fprintf(stderr, "\r%u %% read", percent);
    } else {
        (void)fputs("\r          \r", stderr);
    }
    (void)fflush(stderr);
}

struct leat_wal_config
wal_config(const char *directory)
{
    return (struct leat_wal_config){.files = &leat_wal_files_system,
                                    .directory = directory,
                                    .memory = leat_memory_default(),
                                    .segment_bytes = UINT64_C(64) << 20,
                                    .ring_bytes = UINT64_C(4) << 20,
                                    .seed = (uint64_t)time(NULL)};
}

/* ---- printing -------------------------------------------------------------------------------- */

static void
name_print(struct wal_verb *verb, const char *name)
{
    if (verb->json) {
        leat_out_text(&verb->out, ",");
        leat_out_string(&verb->out, name);
        leat_out_text(&verb->out, ":");
    } else {
        leat_out_text(&verb->out, " ");
        leat_out_text(&verb->out, name);
        leat_out_text(&verb->out, "=");
    }
}

void
wal_field(struct wal_verb *verb, const char *name, uint64_t number)
{
    name_print(verb, name);
    leat_out_number(&verb->out, number);
}

void
wal_field_text(struct wal_verb *verb, const char *name, const char *text)
{
    name_print(verb, name);
    leat_out_string(&verb->out, text);
}

void
wal_field_word(struct wal_verb *verb, const char *name, const char *word)
{
    name_print(verb, name);
    if (verb->json) {
        leat_out_string(&verb->out, word);
    } else {
        leat_out_text(&verb->out, word);
    }
}

void
wal_field_hex(struct wal_verb *verb, const char *name, const unsigned char *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t shown = verb->json || bytes < SHOWN_MAX ? bytes : SHOWN_MAX;
    name_print(verb, name);
    leat_out_text(&verb->out, verb->json ? "\"" : "");
    for (size_t i = 0; i < shown; i++) {
        const char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
        leat_out_bytes(&verb->out, pair, sizeof(pair));
    }
    leat_out_text(&verb->out, verb->json ? "\"" : shown < bytes ? "..." : "");
}

void
wal_report_print(struct wal_verb *verb, const char *verdict, const char *text)
{
    const struct leat_wal_report *report = &verb->report;
    if (verb->json) {
        leat_out_text(&verb->out, "{\"log\":");
        leat_out_string(&verb->out, verdict);
        leat_out_text(&verb->out, ",\"text\":");
        leat_out_string(&verb->out, text);
    } else {
        leat_out_text(&verb->out, verdict);
        leat_out_text(&verb->out, text[0] == 0 ? ":" : ": ");
        leat_out_text(&verb->out, text);
    }
    wal_field(verb, "segments", report->segments);
    wal_field(verb, "batches", report->batches);
    wal_field(verb, "records", report->records);
    wal_field(verb, "bytes", report->bytes);
    wal_field(verb, "torn_bytes", report->torn_bytes);
    wal_field(verb, "not_known_durable", report->batches_again);
    if (verb->ids.ceiling != 0) {
        wal_field(verb, "ceiling", verb->ids.ceiling);
    }
    leat_out_text(&verb->out, verb->json ? "}\n" : "\n");
}

static bool
is_damage(enum leat_status status)
{
    return status == LEAT_CORRUPT || status == LEAT_WRONG_KEY;
}

bool
wal_was_read(const struct wal_verb *verb, enum leat_status status)
{
    return is_damage(status) || (status == LEAT_OK && verb->report.segments != 0);
}

int
wal_unread(const struct wal_verb *verb, const char *directory, enum leat_status status)
{
    char text[512];
    const char *why = status == LEAT_OK     ? "no log here"
                      : status == LEAT_BUSY ? "another process has the log open"
                                            : leat_status_text(status);
    if (verb->report.text[0] != '\0') {
        return leat_complain(LEAT_EXIT_SYSTEM, verb->report.text);
    }
    (void)snprintf(text, sizeof(text), "%s: %.400s", why, directory);
    return leat_complain(LEAT_EXIT_SYSTEM, text);
}

int
wal_finish(struct wal_verb *verb, int status)
{
    return leat_finish(&verb->out, status);
}

/* ---- records --------------------------------------------------------------------------------- */

/* To its content, where a key is given. */
static bool
record_verify(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    struct leat_error error;
    if (verb->keyed && verb->failed == LEAT_OK &&
        wal_record_verify(verb, record, &error) != LEAT_OK) {
        verb->failed = error.status;
        (void)snprintf(verb->refusal, sizeof(verb->refusal),
                       "segment %016" PRIx64 ", batch %" PRIu64 ": %.105s", place.segment,
                       place.batch, error.text);
    }
    return true;
}

static bool
record_print(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    struct leat_out *out = &verb->out;
    leat_out_text(out, verb->json ? "{\"record\":true" : "record");
    wal_field(verb, "segment", place.segment);
    wal_field(verb, "batch", place.batch);
    if (place.written_ns != 0) {
        wal_field(verb, "written_unix_ns", place.written_ns);
    }
    wal_field(verb, "tag", record->tag);
    wal_field(verb, "bytes", record->bytes);
    wal_record_print(verb, record);
    leat_out_text(out, verb->json ? "}\n" : "\n");
    return !out->failed;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

struct leat_wal_config
wal_config_read(const char *directory, bool prints)
{
    struct leat_wal_config config = wal_config(directory);
    if (isatty(STDERR_FILENO) != 0 && !(prints && isatty(STDOUT_FILENO) != 0)) {
        config.progress = progress_show;
    }
    return config;
}

static int
look(struct wal_verb *verb, const char *directory,
     bool (*record)(void *context, struct leat_wal_place place,
                    const struct leat_wal_record *record))
{
    const struct leat_wal_config config = wal_config_read(directory, record == record_print);
    const struct leat_wal_reader reader = {record, verb};
    enum leat_status status = leat_wal_salvage(&config, &reader, &verb->report);
    if (status == LEAT_OK && verb->failed != LEAT_OK) {
        status = verb->failed;
        (void)snprintf(verb->report.text, sizeof(verb->report.text), "%s", verb->refusal);
    }
    if (!wal_was_read(verb, status)) {
        return wal_unread(verb, directory, status);
    }
    wal_report_print(verb, status == LEAT_OK ? "ok" : leat_status_text(status), verb->report.text);
    return wal_finish(verb, is_damage(status) ? LEAT_EXIT_DAMAGED : LEAT_EXIT_OK);
}

static int
verb_run(struct wal_verb *verb, const struct leat_arguments *arguments)
{
    const char *name = arguments->count == 0 ? "" : arguments->words[0];
    if (strcmp(name, "verify") == 0 && arguments->count == 2) {
        return look(verb, arguments->words[1], record_verify);
    }
    if (strcmp(name, "dump") == 0 && arguments->count == 2) {
        return look(verb, arguments->words[1], record_print);
    }
    if (strcmp(name, "salvage") == 0 && arguments->count == 3) {
        return wal_salvage(verb, arguments->words[1], arguments->words[2]);
    }
    return leat_complain(LEAT_EXIT_USAGE, "leat wal verify DIR, dump DIR, or salvage DIR NEW");
}

int
leat_verb_wal(const struct leat_arguments *arguments)
{
    static struct leat_seal seal;
    static struct leat_config config;
    struct wal_verb verb = {.json = arguments->json,
                            .payload = arguments->payload,
                            .keyed = arguments->key_file != NULL,
                            .failed = LEAT_OK,
                            .seal = &seal};
    const struct leat_memory memory = leat_memory_default();
    struct leat_error error;
    leat_config_init(&config, sizeof(config));
    config.log_key_file = arguments->key_file;
    config.log_takes_plain = true; /* a log may have changed its mind */
    leat_out_init(&verb.out, leat_print, NULL);
    if (leat_sealed_open(&seal, &config, &memory, &error) != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, error.text);
    }
    int status = verb_run(&verb, arguments);
    leat_unsealed_give(&seal, &verb.room);
    leat_seal_close(&seal);
    return status;
}
