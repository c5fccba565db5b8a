/* schedule.c - when schedules fire: moments that come and are missed, jobs that wait for the one
 * before or are refused, clocks that are set, and files of zones that change. */
#include "engine/schedule.h"

#include <string.h>

#include "engine/durable/durable.h"

#define SECOND_NS UINT64_C(1000000000)

/* Beyond it moments do not fit into nanoseconds: in the year 2554. */
#define MOMENT_LAST_S ((int64_t)(UINT64_MAX / SECOND_NS) - 1)

/* ---- heap ----------------------------------------------------------------------------------- */

static void
heap_put(struct leat_schedules *schedules, uint32_t place, struct leat_schedule_entry *entry)
{
    schedules->heap[place] = entry;
    entry->place = place;
}

/* Moves an entry to where it belongs; the others are in order. */
static void
heap_sift(struct leat_schedules *schedules, struct leat_schedule_entry *entry)
{
    struct leat_schedule_entry **heap = schedules->heap;
    uint32_t place = entry->place;
    while (place > 0 && entry->due_ns < heap[(place - 1) / 2]->due_ns) { /* up, halving */
        heap_put(schedules, place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) { /* down, doubling */
        uint32_t child = 2 * place + 1;
        if (child + 1 < schedules->count && heap[child + 1]->due_ns < heap[child]->due_ns) {
            child++;
        }
        if (child >= schedules->count || heap[child]->due_ns >= entry->due_ns) {
            break;
        }
        heap_put(schedules, place, heap[child]);
        place = child;
    }
    heap_put(schedules, place, entry);
}

static uint64_t
due_of(const struct leat_schedule_entry *entry)
{
    if (entry->paused) {
        return LEAT_TIME_NEVER;
    }
    uint64_t moment_ns = LEAT_TIME_NEVER;
    if (entry->next_s <= MOMENT_LAST_S) {
        moment_ns = entry->next_s < 0 ? 0 : (uint64_t)entry->next_s * SECOND_NS;
    }
    return entry->owed > 0 && entry->again_ns < moment_ns ? entry->again_ns : moment_ns;
}

void
leat_heap_update(struct leat_schedules *schedules, struct leat_schedule_entry *entry)
{
    entry->due_ns = due_of(entry);
    heap_sift(schedules, entry);
}

void
leat_heap_enter(struct leat_schedules *schedules, struct leat_schedule_entry *entry)
{
    LEAT_ASSERT(schedules->count < schedules->capacity);
    heap_put(schedules, schedules->count, entry);
    schedules->count++;
    leat_heap_update(schedules, entry);
}

void
leat_heap_leave(struct leat_schedules *schedules, struct leat_schedule_entry *entry)
{
    LEAT_ASSERT(schedules->heap[entry->place] == entry);
    schedules->count--;
    struct leat_schedule_entry *last = schedules->heap[schedules->count];
    if (last != entry) {
        heap_put(schedules, entry->place, last);
        heap_sift(schedules, last);
    }
}

/* ---- moments -------------------------------------------------------------------------------- */

const struct leat_zone *
leat_schedule_zone(const struct leat_schedules *schedules, const struct leat_schedule_entry *entry)
{
    return entry->zone == NULL ? &schedules->utc : &entry->zone->file.zone;
}

int64_t
leat_schedule_moment(const struct leat_schedules *schedules,
                     const struct leat_schedule_entry *entry, int64_t after_s)
{
    int64_t moment_s = LEAT_ZONE_END_S;
    bool any =
        leat_cron_next(&entry->cron, leat_schedule_zone(schedules, entry), after_s, &moment_s);
    return any && moment_s <= MOMENT_LAST_S ? moment_s : LEAT_ZONE_END_S;
}

/* The same for what was settled up to a moment. */
static void
settle(const struct leat_schedules *schedules, struct leat_schedule_entry *entry, int64_t done_s)
{
    entry->done_s = done_s;
    entry->next_s = leat_schedule_moment(schedules, entry, done_s);
}

void
leat_schedule_settle(const struct leat_schedules *schedules, struct leat_schedule_entry *entry,
                     int64_t done_s)
{
    entry->told.runs_missed += entry->owed;
    entry->owed = 0;
    entry->again_ns = 0;
    entry->patience_ns = 0;
    settle(schedules, entry, done_s);
}

/* Settles all moments up to now. Returns how many, or as many as are counted. */
static uint32_t
moments_pass(const struct leat_schedules *schedules, struct leat_schedule_entry *entry,
             int64_t now_s)
{
    uint32_t count = 0;
    while (entry->next_s <= now_s && count < LEAT_SCHEDULE_RUNS_MAX) {
        settle(schedules, entry, entry->next_s);
        count++;
    }
    if (entry->next_s <= now_s) {
        settle(schedules, entry, now_s);
    }
    return count;
}

/* ---- firing --------------------------------------------------------------------------------- */

/* Two jobs of it must not be there at once, and one is. */
static bool
job_before_lives(const struct leat_engine *engine, const struct leat_schedule_entry *entry)
{
    return entry->overlap != LEAT_OVERLAP_ALLOW && leat_job_live(engine, entry->told.last_job);
}

/* Some of its moments have come: decides how many jobs it owes for them. */
static void
moments_take(struct leat_engine *engine, struct leat_schedule_entry *entry, int64_t now_s)
{
    struct leat_schedules *schedules = &engine->schedules;
    struct leat_schedule_info *told = &entry->told;
    entry->unsaid = true;
    bool on_time = leat_schedule_moment(schedules, entry, now_s - LEAT_SCHEDULE_LATE_S) <= now_s;
    uint32_t count = moments_pass(schedules, entry, now_s);
    uint32_t runs = 1;
    if (entry->missed == LEAT_MISSED_ALL) {
        runs = count;
    } else if (entry->missed == LEAT_MISSED_SKIP && !on_time) {
        runs = 0;
    }
    told->runs_missed += count - runs;
    if (entry->overlap == LEAT_OVERLAP_SKIP && job_before_lives(engine, entry)) {
        told->runs_overlapped += runs;
        return;
    }
    /* What is still owed was refused, unless it waits for the job before. */
    if (entry->missed != LEAT_MISSED_ALL && entry->overlap != LEAT_OVERLAP_QUEUE) {
        told->runs_missed += entry->owed;
        entry->owed = 0;
    }
    uint32_t room = entry->runs_max - entry->owed;
    told->runs_missed += runs > room ? runs - room : 0;
    entry->owed += runs > room ? room : runs;
}

/* Not now: looks again after twice the time. */
static void
wait_again(struct leat_schedule_entry *entry, uint64_t now_ns)
{
    uint64_t longer_ns = 2 * entry->patience_ns;
    longer_ns = longer_ns < LEAT_SCHEDULE_AGAIN_NS_MIN ? LEAT_SCHEDULE_AGAIN_NS_MIN : longer_ns;
    longer_ns = longer_ns > LEAT_SCHEDULE_AGAIN_NS_MAX ? LEAT_SCHEDULE_AGAIN_NS_MAX : longer_ns;
    entry->patience_ns = longer_ns;
    entry->again_ns = now_ns + longer_ns;
}

/* Submits one of the jobs that it owes, if it may. False: the engine takes none any more. */
static bool
owed_submit(struct leat_engine *engine, struct leat_schedule_entry *entry, uint64_t now_ns)
{
    struct leat_schedule_info *told = &entry->told;
    if (job_before_lives(engine, entry)) {
        wait_again(entry, now_ns);
        return true;
    }
    leat_job_id id = told->last_job; /* of another one's job where that stands in its way */
    enum leat_status status = engine->durable != NULL
                                  ? leat_durable_schedule_submit(engine, entry, now_ns, &id)
                                  : leat_submit_once(engine, &entry->job, LEAT_ROOM_LEAVES, &id);
    if (status == LEAT_CLOSED && !leat_engine_accepts(engine)) {
        return false;
    }
    told->last_job = status == LEAT_OK ? id : told->last_job;
    if (status == LEAT_OK || status == LEAT_JOINED) {
        entry->owed--;
        entry->again_ns = 0;
        entry->patience_ns = 0;
        told->runs += status == LEAT_OK ? 1 : 0;
        told->runs_overlapped += status == LEAT_OK ? 0 : 1;
        told->last_unix_ns = status == LEAT_OK ? now_ns : told->last_unix_ns;
    } else {
        told->refusals++;
        told->refusal_status = status;
        wait_again(entry, now_ns);
    }
    return true;
}

static bool
serve(struct leat_engine *engine, struct leat_schedule_entry *entry, uint64_t now_ns)
{
    bool open = true;
    int64_t now_s = (int64_t)(now_ns / SECOND_NS);
    if (entry->next_s <= now_s) {
        moments_take(engine, entry, now_s);
    }
    if (entry->owed > 0) {
        open = owed_submit(engine, entry, now_ns);
    }
    leat_heap_update(&engine->schedules, entry);
    if (entry->unsaid) {
        (void)leat_durable_schedule(engine, entry, LEAT_DURABLE_SAY_STEP);
        entry->unsaid = false;
    }
    return open;
}

/* ---- clocks and zones ----------------------------------------------------------------------- */

/* The clock was set back. What is settled beyond the new time: a schedule with fixed hours waits
 * until the clock has passed it, unless the clock had been wrong by more than a day. An interval
 * goes on, after one moment that is left out, so that no two jobs are nearer than it. */
static void
set_back(const struct leat_schedules *schedules, struct leat_schedule_entry *entry, int64_t now_s)
{
    bool interval = entry->cron.every_s > 0 || (entry->cron.flags & LEAT_CRON_ELAPSED) != 0;
    int64_t first_s = leat_schedule_moment(schedules, entry, now_s);
    if (interval && first_s < entry->done_s) {
        entry->done_s = first_s;
    } else if (!interval && entry->done_s - now_s > LEAT_SCHEDULE_BACK_S) {
        entry->done_s = now_s;
    }
    entry->again_ns = 0;
}

/* Computes all next moments anew, after done_s or a zone has changed. */
static void
moments_renew(struct leat_schedules *schedules)
{
    for (uint32_t i = 0; i < schedules->count; i++) {
        struct leat_schedule_entry *entry = schedules->sorted[i];
        settle(schedules, entry, entry->done_s);
        leat_heap_update(schedules, entry);
    }
}

static bool
zones_refresh(struct leat_schedules *schedules)
{
    bool any = false;
    for (struct leat_schedule_zone *zone = schedules->zones; zone != NULL; zone = zone->next) {
        bool changed = false;
        /* Where the file is missing or damaged the old table stays, until there is a good one. */
        (void)leat_zone_file_refresh(&zone->file, &changed);
        any = any || changed;
    }
    return any;
}

enum leat_zone_result
leat_zone_use(struct leat_engine *engine, const char *name, struct leat_schedule_zone **zone)
{
    struct leat_schedules *schedules = &engine->schedules;
    if (name == NULL || strcmp(name, "UTC") == 0) {
        *zone = NULL;
        return LEAT_ZONE_OK;
    }
    struct leat_schedule_zone *found = schedules->zones;
    while (found != NULL && strcmp(found->file.name, name) != 0) {
        found = found->next;
    }
    if (found == NULL) {
        found = leat_memory_take(&engine->memory, sizeof(*found));
        if (found == NULL) {
            return LEAT_ZONE_NO_MEMORY;
        }
        enum leat_zone_result result =
            leat_zone_file_open(&found->file, &engine->memory, schedules->directory, name);
        if (result != LEAT_ZONE_OK) {
            leat_memory_give(&engine->memory, found, sizeof(*found));
            return result;
        }
        found->next = schedules->zones;
        schedules->zones = found;
    }
    found->users++;
    *zone = found;
    return LEAT_ZONE_OK;
}

void
leat_zone_drop(struct leat_engine *engine, struct leat_schedule_zone *zone)
{
    if (zone == NULL || --zone->users > 0) {
        return;
    }
    struct leat_schedule_zone **link = &engine->schedules.zones;
    while (*link != zone) { /* it is in the list */
        link = &(*link)->next;
    }
    *link = zone->next;
    leat_zone_file_close(&zone->file);
    leat_memory_give(&engine->memory, zone, sizeof(*zone));
}

/* ---- the clock's calls ---------------------------------------------------------------------- */

void
leat_schedules_lock(struct leat_schedules *schedules)
{
    leat_mutex_lock(&schedules->mutex);
}

void
leat_schedules_unlock(struct leat_schedules *schedules)
{
    uint64_t next_ns = schedules->count == 0 ? LEAT_TIME_NEVER : schedules->heap[0]->due_ns;
    if (schedules->zones != NULL && schedules->zones_ns < next_ns) {
        next_ns = schedules->zones_ns;
    }
    atom_store_rlx(&schedules->next_ns, next_ns); /* rlx: single writer */
    leat_mutex_unlock(&schedules->mutex);
}

uint64_t
leat_schedules_next(void *context)
{
    struct leat_engine *engine = context;
    if (leat_engine_state_now(engine) != LEAT_ENGINE_RUNNING) {
        return LEAT_TIME_NEVER;
    }
    return atom_load_rlx(&engine->schedules.next_ns); /* rlx: single writer */
}

/* The clock may have been set back, and files of zones may have changed. */
static void
look_around(struct leat_schedules *schedules, uint64_t now_ns)
{
    bool renew = now_ns < schedules->seen_ns;
    for (uint32_t i = 0; renew && i < schedules->count; i++) {
        set_back(schedules, schedules->sorted[i], (int64_t)(now_ns / SECOND_NS));
    }
    schedules->seen_ns = now_ns;
    if (renew || now_ns >= schedules->zones_ns) {
        renew = zones_refresh(schedules) || renew;
        schedules->zones_ns = now_ns + LEAT_SCHEDULE_ZONES_NS;
    }
    if (renew) {
        moments_renew(schedules);
    }
}

/* Serves some of what is due. False: there is no more that was due at `asked_ns`. */
static bool
look_once(struct leat_engine *engine, uint64_t asked_ns)
{
    struct leat_schedules *schedules = &engine->schedules;
    bool open = leat_engine_state_now(engine) == LEAT_ENGINE_RUNNING;
    uint32_t batch = engine->durable == NULL ? LEAT_SCHEDULE_BATCH : 1; /* waits for the cleaner */
    leat_durable_schedules_pace(engine);
    leat_schedules_lock(schedules);
    /* Asked under the mutex: of two threads the later one must not seem to come before. */
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    uint64_t until_ns = asked_ns < now_ns ? asked_ns : now_ns;
    look_around(schedules, now_ns);
    bool more = open && schedules->count > 0;
    for (uint32_t i = 0; more && i < batch; i++) {
        struct leat_schedule_entry *entry = schedules->heap[0];
        more = entry->due_ns <= until_ns && serve(engine, entry, now_ns);
    }
    leat_schedules_unlock(schedules);
    return more;
}

uint64_t
leat_schedules_look(void *context, uint64_t now_ns)
{
    while (look_once(context, now_ns)) {
        /* ends: what was due by then becomes less */
    }
    return leat_schedules_next(context);
}

/* ---- checks --------------------------------------------------------------------------------- */

static const char *
entry_wrong(const struct leat_schedules *schedules, const struct leat_schedule_entry *entry,
            uint32_t place)
{
    uint32_t parent = place == 0 ? 0 : (place - 1) / 2;
    if (entry->place != place || schedules->heap[parent]->due_ns > entry->due_ns ||
        entry->due_ns != due_of(entry)) {
        return "I1: heap";
    }
    if (entry->owed > (entry->paused ? 0 : entry->runs_max)) {
        return "I2: owed";
    }
    if (entry->next_s != leat_schedule_moment(schedules, entry, entry->done_s)) {
        return "I3: next moment";
    }
    return NULL;
}

static const char *
wrong_of(const struct leat_schedules *schedules)
{
    const char *wrong = NULL;
    uint32_t users = 0;
    uint32_t named = 0;
    for (uint32_t i = 0; i < schedules->count && wrong == NULL; i++) {
        wrong = entry_wrong(schedules, schedules->heap[i], i);
        named += schedules->heap[i]->zone != NULL;
        if (i > 0 &&
            strcmp(schedules->sorted[i - 1]->told.name, schedules->sorted[i]->told.name) >= 0) {
            wrong = "I1: names";
        }
        if (schedules->heap[schedules->sorted[i]->place] != schedules->sorted[i]) {
            wrong = "I1: places";
        }
    }
    for (const struct leat_schedule_zone *zone = schedules->zones; zone != NULL;
         zone = zone->next) {
        wrong = zone->users == 0 ? "I4: a zone nobody uses" : wrong;
        users += zone->users;
    }
    return wrong == NULL && users != named ? "I4: users of zones" : wrong;
}

bool
leat_schedules_check(const struct leat_schedules *schedules, FILE *why)
{
    const char *wrong = wrong_of(schedules);
    if (wrong != NULL && why != NULL) {
        (void)fprintf(why, "schedules: %s\n", wrong);
    }
    return wrong == NULL;
}
