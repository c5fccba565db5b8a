/* schedules.c - schedules in the log: their definitions, what has come of their moments, and back.
 * All their records are appended under the mutex of the schedules: so the later of two is right. */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/config.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* A record that is being made. */
struct made {
    struct leat_durable_schedule head; /* the block begins with it */
    unsigned char *block;
    size_t bytes;
};

static uint16_t
text_bytes(const char *text)
{
    return (uint16_t)(strlen(text) + 1);
}

static struct leat_durable_schedule
head_of(const struct leat_schedule_entry *entry)
{
    const struct leat_schedule_info *told = &entry->told;
    return (struct leat_durable_schedule){
        .format = LEAT_DURABLE_FORMAT,
        .flags = entry->paused ? LEAT_DURABLE_PAUSED : 0,
        .overlap = (uint8_t)entry->overlap,
        .missed = (uint8_t)entry->missed,
        .name_bytes = text_bytes(told->name),
        .version = entry->version + 1,
        .runs_max = entry->runs_max,
        .owed = entry->owed,
        .refusal_status = (uint32_t)told->refusal_status,
        .done_s = entry->done_s,
        .last_unix_ns = told->last_unix_ns,
        .last_job = told->last_job.bits,
        .runs = told->runs,
        .runs_missed = told->runs_missed,
        .runs_overlapped = told->runs_overlapped,
        .refusals = told->refusals,
    };
}

static void
job_say(struct leat_durable_schedule *head, const struct leat_durable_job *read)
{
    head->delay_ns = read->job->delay_ns;
    head->run_at_ns = read->options.run_at_ns;
    head->block_ns = read->options.block_ns;
    head->job_flags = read->job->flags;
    head->priority = read->job->priority;
    head->durability = (uint32_t)read->options.durability;
}

static unsigned char *
put(unsigned char *to, const void *from, size_t bytes)
{
    if (bytes != 0) {
        memcpy(to, from, bytes);
    }
    return to + bytes;
}

/* With `read`, which is of its job, it has a definition. False: no memory. */
static bool
record_make(const struct leat_engine *engine, const struct leat_schedule_entry *entry,
            const struct leat_durable_job *read, struct made *made)
{
    const struct leat_schedule_info *told = &entry->told;
    struct leat_durable_schedule head = head_of(entry);
    size_t content = 0;
    if (read != NULL) {
        content = leat_durable_content_put(read, NULL, 0);
        head.spec_bytes = text_bytes(told->spec);
        head.zone_bytes = text_bytes(told->zone);
        head.content_bytes = (uint32_t)(content + read->job->payload_bytes);
        job_say(&head, read);
    }
    made->bytes = sizeof(head) + head.name_bytes + head.spec_bytes + head.zone_bytes +
                  (size_t)head.content_bytes;
    made->block = leat_memory_take(&engine->memory, made->bytes);
    if (made->block == NULL) {
        return false;
    }
    unsigned char *to = put(made->block + sizeof(head), told->name, head.name_bytes);
    if (read != NULL) {
        to = put(to, told->spec, head.spec_bytes);
        to = put(to, told->zone, head.zone_bytes);
        (void)leat_durable_content_put(read, to, content);
        (void)put(to + content, read->job->payload, read->job->payload_bytes);
    }
    made->head = head;
    memcpy(made->block, &head, sizeof(head));
    return true;
}

/* Its job with names, as a content has it. LEAT_UNSUPPORTED: it cannot be written. */
static enum leat_status
job_read(const struct leat_engine *engine, const struct leat_schedule_entry *entry,
         struct leat_durable_job *read)
{
    enum leat_status status = leat_durable_job_read(read, &entry->job);
    read->type = leat_names_text(&engine->types, entry->job.type.bits - 1);
    read->queue = leat_names_text(&engine->queues, entry->job.queue.bits - 1);
    return status;
}

/* How much of the log is needed for its sake. */
static void
image_is(struct leat_durable *durable, struct leat_schedule_entry *entry, uint32_t version,
         size_t bytes)
{
    uint32_t size = bytes == 0 ? 0 : (uint32_t)leat_bytes_size(bytes);
    (void)atom_add_rlx(&durable->live_bytes, size);               /* rlx: statistic */
    (void)atom_sub_rlx(&durable->live_bytes, entry->image_bytes); /* rlx: statistic */
    entry->image = version;
    entry->image_bytes = size;
}

/* A change for which there was no memory, or no space, is not in the log, and an old record of it
 * has to stay. */
static enum leat_status
say(struct leat_engine *engine, struct leat_schedule_entry *entry,
    const struct leat_durable_job *read, uint8_t flags, enum leat_wal_need need)
{
    struct leat_durable *durable = engine->durable;
    struct made made;
    if (!record_make(engine, entry, read, &made)) {
        leat_durable_lose(durable, LEAT_NO_MEMORY);
        return LEAT_NO_MEMORY;
    }
    made.head.flags |= flags;
    memcpy(made.block, &made.head, sizeof(made.head));
    const struct leat_wal_entry record = {
        .tag = LEAT_DURABLE_SCHEDULE, .data = made.block, .data_bytes = (uint32_t)made.bytes};
    enum leat_status status = leat_durable_append_as(durable, &record, 1, need);
    if (status == LEAT_OK) {
        entry->version = made.head.version;
        if (read != NULL) {
            image_is(durable, entry, made.head.version, made.bytes);
        }
        leat_wal_kick(&durable->wal);
    }
    leat_memory_give(&engine->memory, made.block, made.bytes);
    return status;
}

/* A schedule whose job cannot be written is not in the log. */
static enum leat_status
say_what(struct leat_engine *engine, struct leat_schedule_entry *entry, enum leat_durable_say what,
         enum leat_wal_need need)
{
    struct leat_durable_job read;
    enum leat_status status = LEAT_OK;
    bool writable = job_read(engine, entry, &read) == LEAT_OK;
    if (what == LEAT_DURABLE_SAY_ALL && writable) {
        status = say(engine, entry, &read, 0, need);
    } else if (entry->image != 0 && (what == LEAT_DURABLE_SAY_REMOVED || !writable)) {
        status = say(engine, entry, NULL, LEAT_DURABLE_REMOVED, LEAT_WAL_LAST);
        image_is(engine->durable, entry, 0, 0);
    } else if (entry->image != 0) {
        status = say(engine, entry, NULL, 0, need);
    }
    return status;
}

enum leat_status
leat_durable_schedule_slowly(struct leat_engine *engine, struct leat_schedule_entry *entry,
                             enum leat_durable_say what)
{
    return engine->durable->closing ? LEAT_OK : say_what(engine, entry, what, LEAT_WAL_FIRST);
}

void
leat_durable_schedules_pace_slowly(struct leat_engine *engine)
{
    leat_durable_pace(engine->durable);
}

static enum leat_status
submit(struct leat_engine *engine, const struct leat_schedule_entry *entry,
       struct leat_durable_with *with, leat_job_id *id)
{
    leat_durable_pass_begin(engine->durable);
    enum leat_status status = leat_submit_with(engine, &entry->job, with, id);
    leat_durable_pass_end(engine->durable);
    return status;
}

/* One whose definition is not in the log has no record in the unit of its job. */
enum leat_status
leat_durable_schedule_submit(struct leat_engine *engine, struct leat_schedule_entry *entry,
                             uint64_t now_ns, leat_job_id *id)
{
    struct leat_durable_with with = {.data = NULL};
    struct made made;
    if (entry->image == 0) {
        return submit(engine, entry, &with, id);
    }
    if (!record_make(engine, entry, NULL, &made)) {
        return LEAT_NO_MEMORY;
    }
    made.head.owed--;
    made.head.runs++;
    made.head.last_unix_ns = now_ns;
    memcpy(made.block, &made.head, sizeof(made.head));
    with.data = made.block;
    with.bytes = (uint32_t)made.bytes;
    with.tag = LEAT_DURABLE_SCHEDULE;
    with.id_offset = (uint32_t)offsetof(struct leat_durable_schedule, last_job);
    enum leat_status status = submit(engine, entry, &with, id);
    /* What was appended for a job that was not taken in behind that is put right. */
    entry->version = with.done ? made.head.version : entry->version;
    entry->unsaid = with.done ? status != LEAT_OK : entry->unsaid || status == LEAT_OK;
    leat_memory_give(&engine->memory, made.block, made.bytes);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *
name_of(const struct leat_durable_planned *planned)
{
    return (const char *)planned->texts;
}

/* The place of a name, or that where it would stand. */
static size_t
place_of(const struct leat_durable_table *table, const char *name, bool *found)
{
    size_t low = 0;
    size_t high = table->schedules_count;
    while (low < high) { /* halves */
        size_t middle = low + (high - low) / 2;
        if (strcmp(name_of(&table->schedules[middle]), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < table->schedules_count && strcmp(name_of(&table->schedules[low]), name) == 0;
    return low;
}

/* False: no memory. */
static bool
grow(struct leat_durable *durable)
{
    struct leat_durable_table *table = &durable->table;
    size_t room = table->schedules_room == 0 ? 16 : table->schedules_room * 2;
    struct leat_durable_planned *larger =
        leat_memory_take(&durable->memory, sizeof(*larger) * room);
    if (larger == NULL) {
        return false;
    }
    if (table->schedules_count != 0) {
        memcpy(larger, table->schedules, sizeof(*larger) * table->schedules_count);
    }
    leat_memory_give(&durable->memory, table->schedules, sizeof(*larger) * table->schedules_room);
    table->schedules = larger;
    table->schedules_room = room;
    return true;
}

static void
forget(struct leat_durable *durable, size_t place)
{
    struct leat_durable_table *table = &durable->table;
    struct leat_durable_planned *at = table->schedules + place;
    leat_memory_give(&durable->memory, at->texts, at->texts_bytes);
    table->schedules_count--;
    memmove(at, at + 1, sizeof(*at) * (table->schedules_count - place));
}

/* A definition. */
static enum leat_status
define(struct leat_durable *durable, const struct leat_wal_record *record,
       const struct leat_durable_schedule *head, size_t place, bool found)
{
    struct leat_durable_table *table = &durable->table;
    struct leat_durable_planned planned = {.state = *head, .image = head->version};
    planned.texts_bytes = record->bytes - sizeof(*head);
    planned.texts = leat_memory_take(&durable->memory, planned.texts_bytes);
    if (planned.texts == NULL) {
        return LEAT_NO_MEMORY;
    }
    memcpy(planned.texts, record->data + sizeof(*head), planned.texts_bytes);
    if (found) {
        leat_memory_give(&durable->memory, table->schedules[place].texts,
                         table->schedules[place].texts_bytes);
    } else if (table->schedules_count == table->schedules_room && !grow(durable)) {
        leat_memory_give(&durable->memory, planned.texts, planned.texts_bytes);
        return LEAT_NO_MEMORY;
    } else {
        struct leat_durable_planned *at = table->schedules + place;
        memmove(at + 1, at, sizeof(*at) * (table->schedules_count - place));
        table->schedules_count++;
    }
    table->schedules[place] = planned;
    return LEAT_OK;
}

/* A step: the definition stays. */
static void
step(struct leat_durable_planned *planned, const struct leat_durable_schedule *head)
{
    const struct leat_durable_schedule before = planned->state;
    planned->state = *head;
    planned->state.spec_bytes = before.spec_bytes;
    planned->state.zone_bytes = before.zone_bytes;
    planned->state.content_bytes = before.content_bytes;
    planned->state.delay_ns = before.delay_ns;
    planned->state.run_at_ns = before.run_at_ns;
    planned->state.block_ns = before.block_ns;
    planned->state.job_flags = before.job_flags;
    planned->state.priority = before.priority;
    planned->state.durability = before.durability;
}

enum leat_status
leat_durable_schedule_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_schedule_parts parts;
    enum leat_status status = leat_durable_schedule_parts(&parts, record->data, record->bytes);
    if (status != LEAT_OK) {
        return status;
    }
    bool found = false;
    size_t place = place_of(&durable->table, parts.name, &found);
    if (parts.content != NULL) {
        return define(durable, record, &parts.head, place, found);
    }
    if (found && (parts.head.flags & LEAT_DURABLE_REMOVED) != 0) {
        forget(durable, place);
    } else if (found) {
        step(&durable->table.schedules[place], &parts.head);
    }
    return LEAT_OK; /* a step of nothing is of one that was removed: its definition was cleaned */
}

void
leat_durable_schedules_fini(struct leat_durable *durable)
{
    struct leat_durable_table *table = &durable->table;
    for (size_t i = 0; i < table->schedules_count; i++) {
        leat_memory_give(&durable->memory, table->schedules[i].texts,
                         table->schedules[i].texts_bytes);
    }
    leat_memory_give(&durable->memory, table->schedules,
                     sizeof(struct leat_durable_planned) * table->schedules_room);
}

/* ---- back ------------------------------------------------------------------------------------ */

static struct leat_schedule_past
past_of(const struct leat_durable_planned *planned)
{
    const struct leat_durable_schedule *state = &planned->state;
    size_t bytes = sizeof(*state) + planned->texts_bytes;
    struct leat_schedule_past past = {.done_s = state->done_s,
                                      .owed = state->owed,
                                      .version = state->version,
                                      .image = planned->image,
                                      .image_bytes = (uint32_t)leat_bytes_size(bytes),
                                      .paused = (state->flags & LEAT_DURABLE_PAUSED) != 0};
    past.last_unix_ns = state->last_unix_ns;
    past.last_job.bits = state->last_job;
    past.runs = state->runs;
    past.runs_missed = state->runs_missed;
    past.runs_overlapped = state->runs_overlapped;
    past.refusals = state->refusals;
    past.refusal_status = (enum leat_status)state->refusal_status;
    return past;
}

static enum leat_status
revive(struct leat_engine *engine, const struct leat_durable_planned *planned,
       struct leat_error *error)
{
    const struct leat_durable_schedule *state = &planned->state;
    const char *spec = name_of(planned) + state->name_bytes;
    const char *zone = spec + state->spec_bytes;
    const unsigned char *content = (const unsigned char *)zone + state->zone_bytes;
    struct leat_durable_found found;
    enum leat_status status = leat_durable_content_read(&found, content, state->content_bytes);
    if (status != LEAT_OK) {
        return leat_error_set(error, status, "job", "cannot be read");
    }
    found.options.expires_in_ns = found.expires_ns; /* it was written as of a submit at 0 */
    found.options.run_at_ns = state->run_at_ns;
    found.options.block_ns = state->block_ns;
    found.options.durability = (enum leat_durability)state->durability;
    found.job.delay_ns = state->delay_ns;
    found.job.flags = state->job_flags;
    found.job.priority = state->priority;
    struct leat_schedule schedule = leat_schedule_default();
    schedule.spec = spec;
    schedule.zone = zone;
    schedule.job = &found.job;
    schedule.overlap = (enum leat_overlap)state->overlap;
    schedule.missed = (enum leat_missed)state->missed;
    schedule.runs_max = state->runs_max;
    schedule.paused = (state->flags & LEAT_DURABLE_PAUSED) != 0;
    const struct leat_schedule_past past = past_of(planned);
    status = leat_schedule_revive(engine, name_of(planned), &schedule, &past, error);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&engine->durable->live_bytes, past.image_bytes); /* rlx: statistic */
    }
    return status;
}

static const char *
error_text(enum leat_status status)
{
    return status == LEAT_FULL        ? "has more schedules than schedules_max allows"
           : status == LEAT_NOT_FOUND ? "has a schedule in a time zone that is not there any more"
                                      : "has a schedule that cannot be made";
}

enum leat_status
leat_durable_schedules_revive(struct leat_engine *engine, struct leat_error *error)
{
    const struct leat_durable_table *table = &engine->durable->table;
    for (size_t i = 0; i < table->schedules_count; i++) {
        enum leat_status status = revive(engine, &table->schedules[i], error);
        if (status != LEAT_OK) {
            return leat_error_set(error, status, "log_directory", error_text(status));
        }
    }
    return LEAT_OK;
}

/* ---- cleaning -------------------------------------------------------------------------------- */

static bool
renew(struct leat_engine *engine, struct leat_schedule_entry *entry, enum leat_durable_say what)
{
    (void)say_what(engine, entry, what, LEAT_WAL_LAST);
    return true;
}

bool
leat_durable_schedule_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                            bool copies)
{
    bool needed = false;
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_durable_schedule_parts parts;
    if (leat_durable_schedule_parts(&parts, record->data, record->bytes) != LEAT_OK) {
        return false;
    }
    leat_wal_lock(&engine->durable->wal, &schedules->mutex);
    struct leat_schedule_entry *entry = leat_schedule_named(schedules, parts.name);
    if (entry != NULL && entry->image != 0) {
        if (parts.content != NULL && parts.head.version == entry->image) {
            needed = !copies || renew(engine, entry, LEAT_DURABLE_SAY_ALL);
        } else if (parts.content == NULL && parts.head.version == entry->version) {
            needed = !copies || renew(engine, entry, LEAT_DURABLE_SAY_STEP);
        }
    }
    leat_schedules_unlock(schedules);
    return needed;
}
