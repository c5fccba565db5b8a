/* wal.c - leat wal: looking at a log, and saving what can be saved of one. Nothing is changed in
 * the log that is looked at; a log that an engine has open is not read. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/wal/wal.h"
#include "tools/leat/verbs.h"

#define SHOWN_MAX 64 /* bytes of a record, but in JSON */

struct wal_verb {
    struct leat_out out;
    bool json;
    struct leat_wal_report report;
    struct leat_wal *to; /* salvage: where records go */
    enum leat_status failed;
};

/* On a terminal: how far the reading is; and nothing of it when that is done. */
static void
progress_show(void *context, uint64_t done, uint64_t of)
{
    (void)context;
    if (done < of) {
        (void)fprintf(stderr, "\r%u %% read", (unsigned)(done * 100 / of));
    } else {
        (void)fputs("\r          \r", stderr);
    }
    (void)fflush(stderr);
}

static struct leat_wal_config
config_of(const char *directory)
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
field(struct wal_verb *verb, const char *name, uint64_t number)
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
    leat_out_number(&verb->out, number);
}

static void
hex(struct leat_out *out, const unsigned char *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes; i++) {
        const char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
        leat_out_bytes(out, pair, sizeof(pair));
    }
}

/* One line: what was found. */
static void
report_print(struct wal_verb *verb, enum leat_status status)
{
    const struct leat_wal_report *report = &verb->report;
    const char *verdict = status == LEAT_OK ? "ok" : leat_status_text(status);
    if (verb->json) {
        leat_out_text(&verb->out, "{\"log\":");
        leat_out_string(&verb->out, verdict);
        leat_out_text(&verb->out, ",\"text\":");
        leat_out_string(&verb->out, report->text);
    } else {
        leat_out_text(&verb->out, verdict);
        leat_out_text(&verb->out, report->text[0] == 0 ? ":" : ": ");
        leat_out_text(&verb->out, report->text);
    }
    field(verb, "segments", report->segments);
    field(verb, "batches", report->batches);
    field(verb, "records", report->records);
    field(verb, "bytes", report->bytes);
    field(verb, "torn_bytes", report->torn_bytes);
    field(verb, "not_known_durable", report->batches_again);
    leat_out_text(&verb->out, verb->json ? "}\n" : "\n");
}

static int
finish(struct wal_verb *verb, enum leat_status status)
{
    report_print(verb, status);
    if (!leat_out_end(&verb->out) || fflush(stdout) != 0) {
        return leat_complain(LEAT_EXIT_SYSTEM, "standard output cannot be written");
    }
    if (status == LEAT_CORRUPT) {
        return LEAT_EXIT_DAMAGED;
    }
    return status == LEAT_OK ? LEAT_EXIT_OK : LEAT_EXIT_SYSTEM;
}

/* ---- records --------------------------------------------------------------------------------- */

static bool
record_count(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

static bool
record_print(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    struct leat_out *out = &verb->out;
    leat_out_text(out, verb->json ? "{\"record\":true" : "record");
    field(verb, "segment", place.segment);
    field(verb, "batch", place.batch);
    field(verb, "tag", record->tag);
    field(verb, "bytes", record->bytes);
    leat_out_text(out, verb->json ? ",\"data\":\"" : " data=");
    size_t shown = verb->json || record->bytes < SHOWN_MAX ? record->bytes : SHOWN_MAX;
    hex(out, record->data, shown);
    leat_out_text(out, shown < record->bytes ? "..." : "");
    leat_out_text(out, verb->json ? "\"}\n" : "\n");
    return !out->failed;
}

/* Durable one by one: this is no place to hurry. */
static bool
record_save(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    uint64_t position = 0;
    const struct leat_wal_entry entry = {record->tag, 0, record->bytes, NULL, record->data};
    (void)place;
    enum leat_status status = leat_wal_append(verb->to, &entry, 1, LEAT_WAL_FIRST, &position);
    if (status == LEAT_FULL) {
        (void)leat_wal_step(verb->to, false);
        status = leat_wal_append(verb->to, &entry, 1, LEAT_WAL_FIRST, &position);
    }
    verb->failed = status;
    return status == LEAT_OK;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

/* Of a log that is read; not where its records are printed to the same terminal. */
static struct leat_wal_config
config_of_read(const char *directory, bool prints)
{
    struct leat_wal_config config = config_of(directory);
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
    const struct leat_wal_config config = config_of_read(directory, record == record_print);
    const struct leat_wal_reader reader = {record, verb};
    return finish(verb, leat_wal_read(&config, &reader, &verb->report));
}

static int
salvage(struct wal_verb *verb, const char *from, const char *directory)
{
    static struct leat_wal to;
    struct leat_wal_report report;
    const struct leat_wal_config config = config_of_read(from, false);
    const struct leat_wal_config config_to = config_of(directory);
    const struct leat_wal_reader reader = {record_save, verb};
    const struct leat_wal_reader nothing = {record_count, verb};
    if (leat_wal_open(&to, &config_to, &nothing, &report) != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, "the new directory cannot be used as a log");
    }
    if (report.segments != 0) {
        leat_wal_close(&to);
        return leat_complain(LEAT_EXIT_USAGE, "the new directory has a log already");
    }
    verb->to = &to;
    enum leat_status status = leat_wal_salvage(&config, &reader, &verb->report);
    enum leat_status stopped = leat_wal_stop(&to);
    leat_wal_close(&to);
    if (verb->failed != LEAT_OK || stopped != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, "the new log cannot be written");
    }
    int exit_status = finish(verb, status);
    /* That it was damaged is why it was salvaged. */
    return exit_status == LEAT_EXIT_DAMAGED ? LEAT_EXIT_OK : exit_status;
}

int
leat_verb_wal(const struct leat_arguments *arguments)
{
    struct wal_verb verb = {.json = arguments->json, .failed = LEAT_OK};
    const char *name = arguments->count == 0 ? "" : arguments->words[0];
    leat_out_init(&verb.out, leat_print, NULL);
    if (strcmp(name, "verify") == 0 && arguments->count == 2) {
        return look(&verb, arguments->words[1], record_count);
    }
    if (strcmp(name, "dump") == 0 && arguments->count == 2) {
        return look(&verb, arguments->words[1], record_print);
    }
    if (strcmp(name, "salvage") == 0 && arguments->count == 3) {
        return salvage(&verb, arguments->words[1], arguments->words[2]);
    }
    return leat_complain(LEAT_EXIT_USAGE, "leat wal verify DIR, dump DIR, or salvage DIR NEW");
}
