/* salvage.c - leat wal salvage: what stands before the damage of a log goes to a new one.
 *
 * An engine opens that only if it says which ids were given out: above them new ones begin. The
 * record for that may be behind the damage. So all that is good there is read for the sake of ids
 * alone; and each batch of which no more is left than that it was there may have been one that
 * raised the ceiling, by a step. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/durable/internal.h"
#include "engine/job.h"
#include "tools/leat/wal.h"

/* ---- records -------------------------------------------------------------------------------- */

static enum leat_status
append(struct wal_verb *verb, const struct leat_wal_entry *entry)
{
    uint64_t *position = &verb->position;
    enum leat_status status = leat_wal_append(verb->to, entry, 1, LEAT_WAL_FIRST, position);
    if (status == LEAT_FULL) {
        (void)leat_wal_step(verb->to, false);
        status = leat_wal_append(verb->to, entry, 1, LEAT_WAL_FIRST, position);
    }
    verb->failed = status;
    return status;
}

/* The clock of the new log: what is copied is as old as it was. */
static uint64_t
saved_ns(void *verb)
{
    return ((const struct wal_verb *)verb)->written_ns;
}

/* What was written at one time is, and nothing else with it. */
static bool
record_save(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    const struct leat_wal_entry entry = {record->tag, 0, record->bytes, NULL, record->data};
    if (place.written_ns != verb->written_ns) {
        verb->failed = leat_wal_wait_written(verb->to, verb->position, UINT64_MAX);
        verb->written_ns = place.written_ns;
    }
    return verb->failed == LEAT_OK && append(verb, &entry) == LEAT_OK;
}

static bool
record_pass(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

/* ---- ids ------------------------------------------------------------------------------------- */

/* The id that a record is of, by what is in the clear where it is sealed; or 0. */
static uint64_t
id_of(const struct leat_wal_record *record)
{
    const uint32_t tag = record->tag & ~LEAT_DURABLE_SEALED;
    struct leat_durable_state state = {.id = 0};
    struct leat_durable_held_parts held;
    if (record->tag == LEAT_DURABLE_HELD &&
        leat_durable_held_read(&held, record->data, record->bytes) == LEAT_OK) {
        return held.head.id;
    }
    if (tag == LEAT_DURABLE_JOB && record->bytes >= sizeof(state)) {
        memcpy(&state, record->data, sizeof(state));
    } else if (tag == LEAT_DURABLE_END && record->bytes >= sizeof(state.id)) {
        memcpy(&state.id, record->data, sizeof(state.id));
    }
    return state.id;
}

static bool
ids_look(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_verb *verb = context;
    struct wal_ids *ids = &verb->ids;
    struct leat_durable_ids said = {.format = 0};
    struct leat_wal_record plain = {.bytes = 0};
    const struct leat_sealed_sight sight = leat_sealed_look(verb->seal, record);
    bool read = leat_sealed_read(verb->seal, &verb->room, record, &plain) == LEAT_OK;
    const uint64_t generation = leat_word_generation(id_of(read ? &plain : record));
    (void)place;
    ids->generation = generation > ids->generation ? generation : ids->generation;
    ids->sealed = sight.seal.key != 0;
    ids->hidden = ids->hidden || !read;
    if (read && plain.tag == LEAT_DURABLE_IDS && plain.bytes == sizeof(said)) {
        memcpy(&said, plain.data, sizeof(said));
    }
    if (said.format == LEAT_DURABLE_FORMAT && said.ceiling > ids->said) {
        ids->said = said.ceiling;
    }
    return true;
}

/* Above all that may have been given out. Where no ceiling is left, each batch that the log ever
 * had may have raised it. Never more than half of what is left: a log with too few ids is of no
 * use. */
static uint64_t
ceiling_of(const struct wal_ids *ids, const struct leat_wal_gleaned *gleaned)
{
    const uint64_t step =
        LEAT_DURABLE_IDS_STEP + 2; /* an id may be above the ceiling that it raises */
    uint64_t base = ids->said > ids->generation ? ids->said : ids->generation + 1;
    uint64_t most = base < LEAT_GENERATION_LAST ? (LEAT_GENERATION_LAST - base) / 2 : 0;
    uint64_t raises = gleaned->missing + (ids->said == 0 ? gleaned->batch : 0);
    return base + (raises < most / step ? raises * step : most);
}

/* Reads what is behind the damage for its ids. A log that is whole says them itself, unless it was
 * saved by a version that did not do this. */
static enum leat_status
ids_find(struct wal_verb *verb, const struct leat_wal_config *config)
{
    struct wal_ids *ids = &verb->ids;
    struct leat_wal_gleaned gleaned = {.batch = 0};
    const struct leat_wal_reader reader = {ids_look, verb};
    bool lacks = verb->report.damaged != 0 || ids->generation >= ids->said;
    enum leat_status status = lacks ? leat_wal_glean(config, &reader, &gleaned) : LEAT_OK;
    bool any = ids->generation != 0 || ids->said != 0;
    if (lacks && any && !ids->hidden && status == LEAT_OK) {
        ids->ceiling = ceiling_of(ids, &gleaned);
    }
    return status;
}

/* In front of all, so that it is there as long as anything is. */
static enum leat_status
ids_write(struct wal_verb *verb)
{
    const struct leat_durable_ids said = {LEAT_DURABLE_FORMAT, verb->ids.ceiling};
    const struct leat_wal_entry entry = {
        .tag = LEAT_DURABLE_IDS, .head = &said, .head_bytes = sizeof(said)};
    struct leat_sealed sealed = {.entry = entry};
    if (verb->ids.ceiling == 0) {
        return LEAT_OK;
    }
    enum leat_status status =
        verb->ids.sealed ? leat_sealed_make(verb->seal, &entry, &sealed) : LEAT_OK;
    if (status == LEAT_OK) {
        status = append(verb, &sealed.entry);
        leat_sealed_give(verb->seal, &sealed);
    }
    verb->failed = status;
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* What was saved, and what was lost. */
static void
saved_print(struct wal_verb *verb)
{
    const struct leat_wal_report *report = &verb->report;
    char text[192] = "all of it;";
    if (report->damaged != 0) {
        (void)snprintf(text, sizeof(text),
                       "all but segment %016" PRIx64 " from byte %" PRIu64 " on, and %" PRIu64
                       " segments behind it;%s",
                       report->damaged, report->damaged_offset, report->damaged_behind,
                       verb->ids.hidden ? " without the key of the log no engine may open it;"
                                        : "");
    }
    wal_report_print(verb, "saved", text);
}

/* With segments as large as those of the other one, and a ring that no unit of it was too large
 * for: half a segment at most. */
static struct leat_wal_config
target_config(struct wal_verb *verb, const char *directory)
{
    struct leat_wal_config config = wal_config(directory);
    config.wall_ns = saved_ns;
    config.wall_context = verb;
    if (verb->report.segment_bytes != 0) {
        config.segment_bytes = verb->report.segment_bytes;
    }
    config.ring_bytes = LEAT_WAL_RING_BYTES_MAX;
    while (config.ring_bytes > config.segment_bytes / 2) {
        config.ring_bytes /= 2;
    }
    return config;
}

/* An empty log in a directory, which is made where it is not there. */
static int
target_open(struct wal_verb *verb, struct leat_wal *to, const char *directory)
{
    struct leat_wal_report report;
    const struct leat_wal_config config = target_config(verb, directory);
    const struct leat_wal_reader nothing = {record_pass, NULL};
    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        return leat_complain(LEAT_EXIT_SYSTEM, "the new directory cannot be made");
    }
    if (leat_wal_open(to, &config, &nothing, &report) != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, "the new directory cannot be used as a log");
    }
    if (report.segments != 0) {
        leat_wal_close(to);
        return leat_complain(LEAT_EXIT_USAGE, "the new directory has a log already");
    }
    return LEAT_EXIT_OK;
}

/* Reads twice: where there is nothing to save, nothing is made. */
int
wal_salvage(struct wal_verb *verb, const char *from, const char *directory)
{
    static struct leat_wal to;
    const struct leat_wal_config config = wal_config_read(from, false);
    const struct leat_wal_reader ids = {ids_look, verb};
    const struct leat_wal_reader reader = {record_save, verb};
    enum leat_status status = leat_wal_salvage(&config, &ids, &verb->report);
    if (!wal_was_read(verb, status)) {
        return wal_unread(verb, from, status);
    }
    status = ids_find(verb, &config);
    if (status != LEAT_OK) {
        return wal_unread(verb, from, status);
    }
    int opened = target_open(verb, &to, directory);
    if (opened != LEAT_EXIT_OK) {
        return opened;
    }
    verb->to = &to;
    if (ids_write(verb) == LEAT_OK) {
        status = leat_wal_salvage(&config, &reader, &verb->report);
    }
    enum leat_status stopped = leat_wal_stop(&to);
    leat_wal_close(&to);
    if (verb->failed != LEAT_OK || stopped != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, "the new log cannot be written");
    }
    if (!wal_was_read(verb, status)) {
        return wal_unread(verb, from, status);
    }
    saved_print(verb);
    return wal_finish(verb, LEAT_EXIT_OK);
}
