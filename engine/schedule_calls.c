/* schedule_calls.c - the public functions of schedules: they make a schedule from what a caller
 * says, put it in, take it out, and tell of it. */
#include <stdio.h>
#include <string.h>

#include "engine/completion.h"
#include "engine/copy.h"
#include "engine/durable/durable.h"

#define SECOND_NS UINT64_C(1000000000)

LEAT_STATIC(sizeof(((struct leat_schedule_info *)0)->name) > LEAT_NAME_BYTES_MAX, "a name fits");
LEAT_STATIC(sizeof(((struct leat_schedule_info *)0)->spec) > LEAT_CRON_TEXT_MAX, "a spec fits");
LEAT_STATIC(sizeof(((struct leat_schedule_info *)0)->zone) >= LEAT_ZONE_NAME_BYTES,
            "the name of a zone fits");

/* ---- small things --------------------------------------------------------------------------- */

/* The place of a name in `sorted`, or that where it would stand. */
static uint32_t
place_of(const struct leat_schedules *schedules, const char *name, bool *found)
{
    uint32_t low = 0;
    uint32_t high = schedules->count;
    while (low < high) { /* halves */
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(schedules->sorted[middle]->told.name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < schedules->count && strcmp(schedules->sorted[low]->told.name, name) == 0;
    return low;
}

/* What is settled up to it would be beyond a clock that is set back before the next look: that
 * notices by seen_ns. */
static int64_t
now_s(struct leat_engine *engine)
{
    struct leat_schedules *schedules = &engine->schedules;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    schedules->seen_ns = now_ns > schedules->seen_ns ? now_ns : schedules->seen_ns;
    return (int64_t)(now_ns / SECOND_NS);
}

/* The check that each call by name begins with. */
static enum leat_status
name_check(const struct leat_engine *engine, const char *name)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (name == NULL || !leat_name_valid(name))) {
        status = LEAT_INVALID;
    }
    return status;
}

/* ---- making --------------------------------------------------------------------------------- */

static enum leat_status
fields_check(struct leat_schedule *known, const struct leat_schedule *given,
             struct leat_error *error)
{
    *known = leat_schedule_default();
    enum leat_status status =
        given == NULL ? LEAT_INVALID : leat_struct_read(known, sizeof(*known), given);
    if (status == LEAT_INVALID || (status != LEAT_OK && given->version == 0)) {
        return leat_error_set(error, status, "schedule", "must be set by leat_schedule_default()");
    }
    if (status != LEAT_OK) {
        return leat_error_set(error, status, "schedule",
                              "has a field that is newer than this library knows");
    }
    if (known->spec == NULL) {
        return leat_error_set(error, LEAT_INVALID, "spec", "must not be NULL");
    }
    if (known->job == NULL) {
        return leat_error_set(error, LEAT_INVALID, "job", "must not be NULL");
    }
    if ((uint32_t)known->overlap > LEAT_OVERLAP_ALLOW) {
        return leat_error_set(error, LEAT_INVALID, "overlap", "must be a leat_overlap");
    }
    if ((uint32_t)known->missed > LEAT_MISSED_ALL) {
        return leat_error_set(error, LEAT_INVALID, "missed", "must be a leat_missed");
    }
    if (known->runs_max < 1 || known->runs_max > LEAT_SCHEDULE_RUNS_MAX) {
        return leat_error_set(error, LEAT_INVALID, "runs_max", "must be 1 to 1 000");
    }
    return LEAT_OK;
}

static enum leat_status
spec_check(struct leat_cron *cron, const char *spec, struct leat_error *error)
{
    struct leat_cron_error wrong;
    char text[sizeof(error->text)];
    if (leat_cron_parse(cron, spec, &wrong)) {
        return LEAT_OK;
    }
    (void)snprintf(text, sizeof(text), "line %u, column %u: %s%s%s", wrong.line, wrong.column,
                   wrong.field, wrong.field[0] == '\0' ? "" : ": ", wrong.text);
    return leat_error_set(error, LEAT_INVALID, "spec", text);
}

static enum leat_status
zone_status(enum leat_zone_result result)
{
    switch (result) {
    case LEAT_ZONE_OK:
        return LEAT_OK;
    case LEAT_ZONE_NAME:
        return LEAT_INVALID;
    case LEAT_ZONE_MISSING:
        return LEAT_NOT_FOUND;
    case LEAT_ZONE_NO_MEMORY:
        return LEAT_NO_MEMORY;
    case LEAT_ZONE_UNREADABLE:
    case LEAT_ZONE_DAMAGED:
    case LEAT_ZONE_UNSUPPORTED:
    case LEAT_ZONE_TOO_LARGE:
        break;
    }
    return LEAT_SYSTEM;
}

static enum leat_status
zone_refuse(struct leat_error *error, enum leat_zone_result result, const char *name)
{
    char text[sizeof(error->text)];
    (void)snprintf(text, sizeof(text), "'%.100s': %s", name, leat_zone_result_text(result));
    return leat_error_set(error, zone_status(result), "zone", text);
}

/* What is wrong with a job that leat_submit_check() calls LEAT_INVALID. */
static const char *
job_fault(const struct leat_engine *engine, const struct leat_job *given)
{
    struct leat_job job = leat_job_default();
    if (leat_struct_read(&job, sizeof(job), given) != LEAT_OK) {
        return "must be set by leat_job_default()";
    }
    if (job.payload_bytes > engine->config.payload_bytes_max) {
        return "has more payload_bytes than payload_bytes_max";
    }
    if (job.payload == NULL && job.payload_bytes != 0) {
        return "has payload_bytes and no payload";
    }
    if (job.max_attempts > LEAT_ATTEMPTS_MAX) {
        return "has a max_attempts above 65 535";
    }
    if (job.completions != NULL && job.completions->engine != engine) {
        return "has a completion queue of another engine";
    }
    if (job.priority >= LEAT_PRIORITY_LEVELS && job.priority != LEAT_PRIORITY_OF_QUEUE) {
        return "has a priority that this build does not have";
    }
    if (job.queue.bits == 0 && job.queue_name != NULL && !leat_name_valid(job.queue_name)) {
        return "has a queue_name that is not valid";
    }
    if (job.type.bits == 0 && (job.type_name == NULL || !leat_name_valid(job.type_name))) {
        return "has neither a type nor a valid type_name";
    }
    return job.options != NULL ? "has options that are out of their range, or not for a schedule"
                               : "is in a queue in exact order, which does not take its priority";
}

static void
entry_free(struct leat_engine *engine, struct leat_schedule_entry *entry)
{
    leat_zone_drop(engine, entry->zone);
    leat_memory_give(&engine->memory, entry, entry->block_bytes);
}

/* A block for the job, with a copy of what it points to. */
static struct leat_schedule_entry *
entry_take(struct leat_engine *engine, const struct leat_job *job)
{
    size_t bytes = sizeof(struct leat_schedule_entry) + leat_copy_bytes(job);
    struct leat_schedule_entry *entry = leat_memory_take(&engine->memory, bytes);
    if (entry == NULL) {
        return NULL;
    }
    entry->block_bytes = bytes;
    leat_copy_make(&entry->job, job, entry->pointed);
    return entry;
}

/* What does not change before the schedule does. */
static void
entry_fill(struct leat_engine *engine, struct leat_schedule_entry *entry, const char *name,
           const struct leat_schedule *known)
{
    struct leat_schedule_info *told = &entry->told;
    int64_t begin_s = now_s(engine);
    int64_t since_s = (int64_t)(known->since_unix_ns / SECOND_NS);
    entry->overlap = known->overlap;
    entry->missed = known->missed;
    entry->runs_max = known->runs_max;
    entry->paused = known->paused;
    (void)snprintf(told->name, sizeof(told->name), "%s", name);
    (void)snprintf(told->spec, sizeof(told->spec), "%s", known->spec);
    (void)snprintf(told->zone, sizeof(told->zone), "%s", known->zone == NULL ? "UTC" : known->zone);
    told->type = entry->job.type;
    told->queue = entry->job.queue;
    told->overlap = known->overlap;
    told->missed = known->missed;
    told->runs_max = known->runs_max;
    leat_schedule_settle(&engine->schedules, entry,
                         known->since_unix_ns != 0 && since_s < begin_s ? since_s : begin_s);
}

/* Makes a schedule that is in no table yet. Under the mutex. */
static enum leat_status
entry_make(struct leat_engine *engine, const char *name, const struct leat_schedule *given,
           struct leat_schedule_entry **made, struct leat_error *error)
{
    struct leat_schedule known;
    struct leat_cron cron = {0};
    struct leat_job job;
    enum leat_status status = fields_check(&known, given, error);
    if (status == LEAT_OK) {
        status = spec_check(&cron, known.spec, error);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_schedule_zone *zone = NULL;
    enum leat_zone_result result = leat_zone_use(engine, known.zone, &zone);
    if (result != LEAT_ZONE_OK) {
        return zone_refuse(error, result, known.zone);
    }
    status = leat_submit_check(engine, known.job, &job);
    if (status != LEAT_OK) {
        leat_zone_drop(engine, zone);
        const char *what = status == LEAT_INVALID ? job_fault(engine, known.job) : NULL;
        return leat_error_set(error, status, "job", what != NULL ? what : leat_status_text(status));
    }
    struct leat_schedule_entry *entry = entry_take(engine, &job);
    if (entry == NULL) {
        leat_zone_drop(engine, zone);
        return leat_error_set(error, LEAT_NO_MEMORY, "", "no memory for the schedule");
    }
    entry->cron = cron;
    entry->zone = zone;
    entry_fill(engine, entry, name, &known);
    *made = entry;
    return LEAT_OK;
}

/* ---- add, change, remove -------------------------------------------------------------------- */

static struct leat_schedule_past
past_of(const struct leat_schedule_entry *entry)
{
    const struct leat_schedule_info *told = &entry->told;
    return (struct leat_schedule_past){.done_s = entry->done_s,
                                       .owed = entry->owed,
                                       .version = entry->version,
                                       .image = entry->image,
                                       .image_bytes = entry->image_bytes,
                                       .paused = entry->paused,
                                       .last_unix_ns = told->last_unix_ns,
                                       .last_job = told->last_job,
                                       .runs = told->runs,
                                       .runs_missed = told->runs_missed,
                                       .runs_overlapped = told->runs_overlapped,
                                       .refusals = told->refusals,
                                       .refusal_status = told->refusal_status};
}

/* All but its moments. */
static void
entry_inherit(struct leat_schedule_entry *entry, const struct leat_schedule_past *past)
{
    struct leat_schedule_info *told = &entry->told;
    entry->paused = past->paused;
    entry->version = past->version;
    entry->image = past->image;
    entry->image_bytes = past->image_bytes;
    told->last_unix_ns = past->last_unix_ns;
    told->last_job = past->last_job;
    told->runs = past->runs;
    told->runs_missed = past->runs_missed;
    told->runs_overlapped = past->runs_overlapped;
    told->refusals = past->refusals;
    told->refusal_status = past->refusal_status;
}

/* It goes on where another one was. */
static void
entry_resume(const struct leat_schedules *schedules, struct leat_schedule_entry *entry,
             const struct leat_schedule_past *past)
{
    const uint32_t most = entry->paused ? 0 : entry->runs_max;
    leat_schedule_settle(schedules, entry, past->done_s);
    entry->owed = past->owed > most ? most : past->owed;
    entry->told.runs_missed += past->owed - entry->owed;
}

/* Puts a schedule in the place of another one. */
static enum leat_status
replace(struct leat_engine *engine, uint32_t place, const struct leat_schedule *schedule,
        bool resumes, struct leat_error *error)
{
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_schedule_entry *before = schedules->sorted[place];
    struct leat_schedule_entry *entry = NULL;
    enum leat_status status = entry_make(engine, before->told.name, schedule, &entry, error);
    if (status != LEAT_OK) {
        return status;
    }
    LEAT_ASSERT(entry != NULL);
    const struct leat_schedule_past past = past_of(before);
    entry_inherit(entry, &past);
    if (resumes) {
        entry_resume(schedules, entry, &past);
    } else {
        entry->told.runs_missed += before->owed;
    }
    schedules->sorted[place] = entry;
    leat_heap_leave(schedules, before);
    leat_heap_enter(schedules, entry);
    entry_free(engine, before);
    (void)leat_durable_schedule(engine, entry, LEAT_DURABLE_SAY_ALL);
    return LEAT_OK;
}

/* Makes a new one; it is not in the log yet. */
static enum leat_status
insert(struct leat_engine *engine, const char *name, const struct leat_schedule *schedule,
       struct leat_schedule_entry **inserted, struct leat_error *error)
{
    struct leat_schedules *schedules = &engine->schedules;
    bool found = false;
    uint32_t place = place_of(schedules, name, &found);
    LEAT_ASSERT(!found);
    if (schedules->count == schedules->capacity) {
        return leat_error_set(error, LEAT_FULL, "", "there are schedules_max schedules");
    }
    enum leat_status status = entry_make(engine, name, schedule, inserted, error);
    if (status != LEAT_OK) {
        return status;
    }
    LEAT_ASSERT(*inserted != NULL);
    struct leat_schedule_entry **at = schedules->sorted + place;
    memmove(at + 1, at, sizeof(struct leat_schedule_entry *) * (schedules->count - place));
    *at = *inserted;
    leat_heap_enter(schedules, *inserted);
    return LEAT_OK;
}

static void
take_out(struct leat_engine *engine, uint32_t place)
{
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_schedule_entry **at = schedules->sorted + place;
    struct leat_schedule_entry *entry = *at;
    leat_heap_leave(schedules, entry);
    memmove(at, at + 1, sizeof(struct leat_schedule_entry *) * (schedules->count - place));
    entry_free(engine, entry);
}

static enum leat_status
add(struct leat_engine *engine, const char *name, const struct leat_schedule *schedule,
    struct leat_error *error)
{
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_schedule_entry *entry = NULL;
    bool found = false;
    uint32_t place = place_of(schedules, name, &found);
    if (found && schedules->sorted[place]->revived) {
        return replace(engine, place, schedule, true, error);
    }
    if (found) {
        return leat_error_set(error, LEAT_EXISTS, "name", "is that of another schedule");
    }
    enum leat_status status = insert(engine, name, schedule, &entry, error);
    if (status != LEAT_OK) {
        return status;
    }
    status = leat_durable_schedule(engine, entry, LEAT_DURABLE_SAY_ALL);
    if (status != LEAT_OK) { /* what is new is in the log, or is not there */
        take_out(engine, place);
        return leat_error_set(error, status, "", leat_status_text(status));
    }
    return LEAT_OK;
}

static enum leat_status
change(struct leat_engine *engine, const char *name, const struct leat_schedule *schedule,
       struct leat_error *error)
{
    bool found = false;
    uint32_t place = place_of(&engine->schedules, name, &found);
    if (!found) {
        return leat_error_set(error, LEAT_NOT_FOUND, "name", "is that of no schedule");
    }
    return replace(engine, place, schedule, false, error);
}

struct leat_schedule_entry *
leat_schedule_named(const struct leat_schedules *schedules, const char *name)
{
    bool found = false;
    uint32_t place = place_of(schedules, name, &found);
    return found ? schedules->sorted[place] : NULL;
}

enum leat_status
leat_schedule_revive(struct leat_engine *engine, const char *name,
                     const struct leat_schedule *schedule, const struct leat_schedule_past *past,
                     struct leat_error *error)
{
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_schedule_entry *entry = NULL;
    leat_schedules_lock(schedules);
    enum leat_status status = insert(engine, name, schedule, &entry, error);
    if (status == LEAT_OK) {
        LEAT_ASSERT(entry != NULL);
        entry_inherit(entry, past);
        entry_resume(schedules, entry, past);
        entry->revived = true;
        leat_heap_update(schedules, entry);
        /* So a clock that was set back meanwhile is noticed. */
        uint64_t done_ns = past->done_s < 0 ? 0 : (uint64_t)past->done_s * SECOND_NS;
        schedules->seen_ns = done_ns > schedules->seen_ns ? done_ns : schedules->seen_ns;
    }
    leat_schedules_unlock(schedules);
    return status;
}

/* Add and change: calls `how` under the mutex. */
static enum leat_status
put(struct leat_engine *engine, const char *name, const struct leat_schedule *schedule,
    struct leat_error *error,
    enum leat_status (*how)(struct leat_engine *, const char *, const struct leat_schedule *,
                            struct leat_error *))
{
    enum leat_status status = name_check(engine, name);
    if (status == LEAT_FORKED) {
        return leat_error_set(error, status, "engine", "belongs to the parent process");
    }
    if (status != LEAT_OK) {
        return leat_error_set(error, status, engine == NULL ? "engine" : "name",
                              engine == NULL ? "must not be NULL"
                                             : "must be 1 to 200 of A-Z a-z 0-9 _ . : / -");
    }
    leat_durable_schedules_pace(engine);
    leat_schedules_lock(&engine->schedules);
    status = how(engine, name, schedule, error);
    leat_schedules_unlock(&engine->schedules);
    if (status != LEAT_OK) {
        return leat_durable_settle(engine, status);
    }
    leat_clocks_changed(&engine->clocks);
    status = leat_durable_settle(engine, LEAT_OK);
    if (status != LEAT_OK) {
        return leat_error_set(error, status, "", leat_status_text(status));
    }
    return leat_error_set(error, LEAT_OK, "", "ok");
}

enum leat_status
leat_schedule_add(struct leat_engine *engine, const char *name,
                  const struct leat_schedule *schedule, struct leat_error *error)
{
    return put(engine, name, schedule, error, add);
}

enum leat_status
leat_schedule_change(struct leat_engine *engine, const char *name,
                     const struct leat_schedule *schedule, struct leat_error *error)
{
    return put(engine, name, schedule, error, change);
}

enum leat_status
leat_schedule_remove(struct leat_engine *engine, const char *name)
{
    enum leat_status status = name_check(engine, name);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_schedules *schedules = &engine->schedules;
    bool found = false;
    leat_durable_schedules_pace(engine);
    leat_schedules_lock(schedules);
    uint32_t place = place_of(schedules, name, &found);
    if (found) {
        (void)leat_durable_schedule(engine, schedules->sorted[place], LEAT_DURABLE_SAY_REMOVED);
        take_out(engine, place);
    }
    leat_schedules_unlock(schedules);
    return leat_durable_settle(engine, found ? LEAT_OK : LEAT_NOT_FOUND);
}

/* ---- pause and resume ----------------------------------------------------------------------- */

static enum leat_status
pause_set(struct leat_engine *engine, const char *name, bool paused)
{
    enum leat_status status = name_check(engine, name);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_schedules *schedules = &engine->schedules;
    bool found = false;
    leat_durable_schedules_pace(engine);
    leat_schedules_lock(schedules);
    uint32_t place = place_of(schedules, name, &found);
    if (found && schedules->sorted[place]->paused != paused) {
        struct leat_schedule_entry *entry = schedules->sorted[place];
        entry->paused = paused;
        leat_schedule_settle(schedules, entry, now_s(engine));
        leat_heap_update(schedules, entry);
        (void)leat_durable_schedule(engine, entry, LEAT_DURABLE_SAY_STEP);
    }
    leat_schedules_unlock(schedules);
    if (found) {
        leat_clocks_changed(&engine->clocks);
    }
    return leat_durable_settle(engine, found ? LEAT_OK : LEAT_NOT_FOUND);
}

enum leat_status
leat_schedule_pause(struct leat_engine *engine, const char *name)
{
    return pause_set(engine, name, true);
}

enum leat_status
leat_schedule_resume(struct leat_engine *engine, const char *name)
{
    return pause_set(engine, name, false);
}

/* ---- get, list, next ------------------------------------------------------------------------ */

static uint64_t
moment_ns(int64_t moment_s)
{
    return moment_s < 0 ? 0 : (uint64_t)moment_s * SECOND_NS;
}

static enum leat_status
tell(const struct leat_schedule_entry *entry, struct leat_schedule_info *info)
{
    struct leat_schedule_info told = entry->told;
    told.owed = entry->owed;
    told.paused = entry->paused;
    told.next_unix_ns =
        entry->paused || entry->next_s == LEAT_ZONE_END_S ? 0 : moment_ns(entry->next_s);
    return leat_struct_write(info, &told, sizeof(told));
}

enum leat_status
leat_schedule_get(struct leat_engine *engine, const char *name, struct leat_schedule_info *info)
{
    enum leat_status status = name_check(engine, name);
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_schedules *schedules = &engine->schedules;
    bool found = false;
    leat_schedules_lock(schedules);
    uint32_t place = place_of(schedules, name, &found);
    status = found ? tell(schedules->sorted[place], info) : LEAT_NOT_FOUND;
    leat_schedules_unlock(schedules);
    return status;
}

/* Tells of those from `place` on, as many as fit. */
static enum leat_status
tell_some(const struct leat_schedules *schedules, uint32_t place, struct leat_schedule_info *infos,
          size_t capacity, size_t *count)
{
    unsigned char *bytes = (unsigned char *)infos;
    size_t told = 0;
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK && told < capacity && place + told < schedules->count) {
        struct leat_schedule_info *info =
            (struct leat_schedule_info *)(void *)(bytes + infos->size * told);
        info->size = infos->size;
        info->version = infos->version;
        status = tell(schedules->sorted[place + told], info);
        told++;
    }
    if (status == LEAT_OK) {
        *count = told;
    }
    return status;
}

enum leat_status
leat_schedule_list(struct leat_engine *engine, const char *after, struct leat_schedule_info *infos,
                   size_t capacity, size_t *count)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (infos == NULL || capacity == 0 || count == NULL ||
        (after != NULL && !leat_name_valid(after))) {
        return LEAT_INVALID;
    }
    struct leat_schedules *schedules = &engine->schedules;
    leat_schedules_lock(schedules);
    uint32_t place = 0;
    if (after != NULL) {
        bool found = false;
        place = place_of(schedules, after, &found);
        place += found;
    }
    status = tell_some(schedules, place, infos, capacity, count);
    leat_schedules_unlock(schedules);
    return status;
}

enum leat_status
leat_schedule_next(struct leat_engine *engine, const char *name, uint64_t *moments_unix_ns,
                   size_t capacity, size_t *count)
{
    enum leat_status status = name_check(engine, name);
    if (status != LEAT_OK) {
        return status;
    }
    if (moments_unix_ns == NULL || capacity == 0 || capacity > LEAT_SCHEDULE_RUNS_MAX ||
        count == NULL) {
        return LEAT_INVALID;
    }
    struct leat_schedules *schedules = &engine->schedules;
    bool found = false;
    leat_schedules_lock(schedules);
    uint32_t place = place_of(schedules, name, &found);
    if (found) {
        const struct leat_schedule_entry *entry = schedules->sorted[place];
        int64_t after_s = entry->paused ? now_s(engine) : entry->done_s;
        size_t listed = 0;
        int64_t next_s = leat_schedule_moment(schedules, entry, after_s);
        while (listed < capacity && next_s != LEAT_ZONE_END_S) {
            moments_unix_ns[listed] = moment_ns(next_s);
            listed++;
            next_s = leat_schedule_moment(schedules, entry, next_s);
        }
        *count = listed;
    }
    leat_schedules_unlock(schedules);
    return found ? LEAT_OK : LEAT_NOT_FOUND;
}

/* ---- init and fini -------------------------------------------------------------------------- */

bool
leat_schedules_init(struct leat_engine *engine)
{
    struct leat_schedules *schedules = &engine->schedules;
    size_t bytes = sizeof(struct leat_schedule_entry *) * engine->config.schedules_max;
    leat_mutex_init(&schedules->mutex);
    schedules->utc = leat_zone_utc();
    atom_init(&schedules->next_ns, LEAT_TIME_NEVER);
    const struct leat_clock_source source = {leat_schedules_look, leat_schedules_next, NULL, engine,
                                             LEAT_TIME_WALL};
    leat_clocks_add(&engine->clocks, source);
    schedules->capacity = engine->config.schedules_max;
    schedules->sorted = leat_memory_take(&engine->memory, bytes);
    schedules->heap = leat_memory_take(&engine->memory, bytes);
    return schedules->sorted != NULL && schedules->heap != NULL;
}

void
leat_schedules_fini(struct leat_engine *engine)
{
    struct leat_schedules *schedules = &engine->schedules;
    size_t bytes = sizeof(struct leat_schedule_entry *) * engine->config.schedules_max;
    for (uint32_t i = 0; i < schedules->count; i++) {
        entry_free(engine, schedules->sorted[i]);
    }
    leat_memory_give(&engine->memory, schedules->sorted, bytes);
    leat_memory_give(&engine->memory, schedules->heap, bytes);
    leat_mutex_fini(&schedules->mutex);
}
