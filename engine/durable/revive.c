/* revive.c - the jobs that a log has, made anew with the ids that they had. Nobody else is at the
 * engine yet. */
#include "engine/durable/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"
#include "engine/dead.h"
#include "engine/gates.h"
#include "engine/history.h"
#include "engine/intake.h"
#include "engine/labels.h"
#include "ring/rcu.h"

/* The entries that come back, in the order of their submits. */
struct list {
    struct leat_durable_entry **entries;
    size_t count;
    size_t bytes;
    uint32_t first; /* the lowest record of theirs */
    uint32_t end;   /* above the highest */
};

/* Jobs of one turn are revived at the same time: clocks are asked once. */
#define TURN_JOBS 64

/* What one job has in common with those before it. */
struct turn {
    uint64_t wall_ns;
    uint64_t boot_ns;
    const char *type_name; /* the last one's, and which they are; or NULL */
    const char *queue_name;
    leat_type type;
    leat_queue queue;
    bool tied; /* some have to do with others */
};

static enum leat_status
complain(struct leat_error *error, enum leat_status status, uint64_t id, const char *text)
{
    char sentence[sizeof(error->text)];
    (void)snprintf(sentence, sizeof(sentence), "has job %llu, %s", (unsigned long long)id, text);
    return leat_error_set(error, status, "log_directory", sentence);
}

static enum leat_status
unreadable(struct leat_error *error, enum leat_status status, uint64_t id)
{
    return complain(error, status, id, "which cannot be read");
}

/* ---- which ----------------------------------------------------------------------------------- */

static uint32_t
index_of(const struct leat_durable_entry *entry)
{
    return (uint32_t)(entry->id & LEAT_INDEX_NONE);
}

static int
by_sequence(const void *left, const void *right)
{
    const struct leat_durable_entry *a = *(struct leat_durable_entry *const *)left;
    const struct leat_durable_entry *b = *(struct leat_durable_entry *const *)right;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* A step whose image is missing is of a job that has ended: its end was in a segment that was
 * cleaned. */
static enum leat_status
list_make(struct leat_durable *durable, struct list *list, struct leat_error *error)
{
    struct leat_durable_table *table = &durable->table;
    list->bytes = sizeof(struct leat_durable_entry *) * table->count;
    list->entries = leat_memory_take(&durable->memory, list->bytes + 1);
    if (list->entries == NULL) {
        return leat_error_set(error, LEAT_NO_MEMORY, "log_directory", "no memory for its jobs");
    }
    bool sorted = true;
    for (size_t i = 0; i < table->count; i++) {
        struct leat_durable_entry *entry = leat_durable_table_at(table, i);
        if (entry->ended || entry->content == NULL) {
            continue;
        }
        if (entry->unreadable != LEAT_OK) {
            return unreadable(error, entry->unreadable, entry->id);
        }
        const uint32_t index = index_of(entry);
        list->first = index < list->first ? index : list->first;
        list->end = index >= list->end ? index + 1 : list->end;
        sorted = sorted && entry->sequence >= table->sequence;
        if (entry->sequence > table->sequence) {
            table->sequence = entry->sequence;
        }
        list->entries[list->count++] = entry;
    }
    if (!sorted) {
        qsort(list->entries, list->count, sizeof(struct leat_durable_entry *), by_sequence);
    }
    return LEAT_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Sets a bit for each record that a job had. Returns how many; fewer than the jobs: two had the
 * same one, or one has an id that was never given out. */
static size_t
wanted_mark(const struct leat_engine *engine, const struct list *list, unsigned char *wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t id = list->entries[i]->id;
        uint32_t index = (uint32_t)(id & LEAT_INDEX_NONE);
        unsigned char bit = (unsigned char)(1U << (index % 8));
        uint64_t generation = leat_word_generation(id);
        bool given = (generation & 1) != 0 && generation < engine->durable->table.ceiling;
        count += given && (wanted[index / 8] & bit) == 0 ? 1 : 0;
        wanted[index / 8] |= bit;
    }
    return count;
}

/* Gives records back: a bit for each. */
static void
others_give(struct leat_engine *engine, const unsigned char *others)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < engine->jobs.capacity; i++) {
        if (others[i / 8] == 0) {
            i |= 7;
        } else if ((others[i / 8] >> (i % 8) & 1) != 0) {
            leat_slab_give(&engine->jobs, 0, i);
            count++;
        }
    }
    (void)atom_add_rlx(&engine->outside.refused, count); /* rlx: statistic */
}

/* Records that are used one after the other, as those of a long queue are, in fewer pages. Where
 * most are not used, a huge page would be there for one of them. */
static void
records_pack(struct leat_engine *engine, const struct list *list)
{
    const uint32_t first = list->first;
    const uint32_t end = list->end;
    if (list->count == 0 || list->count < (end - first) / 2) {
        return;
    }
    leat_slab_huge(&engine->jobs, first, end - first);
    if (engine->inline_payloads != NULL) {
        const size_t each = engine->config.payload_bytes_inline;
        leat_os_huge((unsigned char *)engine->inline_payloads + first * each, (end - first) * each);
    }
}

/* There are as many records as the jobs need. */
static enum leat_status
records_check(const struct leat_engine *engine, const struct list *list, struct leat_error *error)
{
    char text[sizeof(error->text)];
    if (list->end <= engine->jobs.capacity) {
        return LEAT_OK;
    }
    (void)snprintf(text, sizeof(text), "has jobs that want a jobs_max of at least %u", list->end);
    return leat_error_set(error, LEAT_INVALID, "log_directory", text);
}

/* Takes records until all that the jobs had are taken; gives the others back. */
static enum leat_status
records_claim(struct leat_engine *engine, const struct list *list, struct leat_error *error)
{
    const struct leat_memory *memory = &engine->memory;
    records_pack(engine, list);
    size_t bytes = engine->jobs.capacity / 8 + 1;
    unsigned char *others = leat_memory_take(memory, bytes);
    unsigned char *wanted = leat_memory_take(memory, bytes);
    size_t left = wanted == NULL ? 0 : wanted_mark(engine, list, wanted);
    uint32_t index = 0;
    enum leat_status status = others == NULL || wanted == NULL ? LEAT_NO_MEMORY : LEAT_OK;
    if (status == LEAT_OK && left != list->count) {
        status = LEAT_CORRUPT;
    }
    while (status == LEAT_OK && left > 0 && leat_slab_take(&engine->jobs, 0, &index)) {
        const unsigned char bit = (unsigned char)(1U << (index % 8));
        if ((wanted[index / 8] & bit) != 0) {
            left--;
        } else {
            others[index / 8] |= bit;
        }
    }
    if (others != NULL) {
        others_give(engine, others);
    }
    leat_memory_give(memory, others, bytes);
    leat_memory_give(memory, wanted, bytes);
    for (size_t i = 0; status == LEAT_OK && i < list->count; i++) {
        uint64_t id = list->entries[i]->id;
        const uint32_t at = (uint32_t)(id & LEAT_INDEX_NONE);
        leat_atomic_u64 *word = leat_slab_word(&engine->jobs, at);
        if (engine->footprint.counted) {
            status = leat_footprint_admit(engine, at); /* it has no limit yet */
        }
        atom_store_rlx(word, leat_word_of(leat_word_generation(id), 0)); /* rlx: not shared yet */
    }
    return status == LEAT_OK
               ? LEAT_OK
               : leat_error_set(error, status, "log_directory",
                                status == LEAT_CORRUPT ? "has ids that were never given out"
                                                       : "no memory for its jobs");
}

/* ---- what a job has beside its options ------------------------------------------------------- */

static enum leat_status
error_revive(struct leat_engine *engine, uint32_t index, const struct leat_revival *revival)
{
    char text[LEAT_ERROR_BYTES] = "";
    size_t bytes =
        revival->error_bytes < sizeof(text) - 1 ? revival->error_bytes : sizeof(text) - 1;
    if (bytes == 0) {
        return LEAT_OK;
    }
    struct leat_job_errors *errors = leat_job_errors_make(engine, leat_job_record(engine, index));
    if (errors == NULL) {
        return LEAT_NO_MEMORY;
    }
    memcpy(text, revival->error, bytes);
    leat_text_copy(errors->error, text);
    return LEAT_OK;
}

static enum leat_status
beside_revive(struct leat_engine *engine, uint32_t index, const struct leat_revival *revival)
{
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    if (extra == NULL) {
        return LEAT_NO_MEMORY;
    }
    extra->durable = leat_memory_take(&engine->memory, sizeof(*extra->durable));
    if (extra->durable == NULL) {
        return LEAT_NO_MEMORY;
    }
    atom_store_rlx(&extra->durable->version, revival->version); /* rlx: not shared yet */
    atom_store_rlx(&extra->durable->noted, revival->version);   /* rlx: not shared yet */
    extra->durable->image = revival->image;
    extra->durable->durability = (uint32_t)revival->durability;
    extra->durable->key_for_ns = revival->key_for_ns;
    atom_store_rlx(&extra->durable->counted, revival->counted); /* rlx: not shared yet */
    extra->durable->bytes = revival->image_bytes;
    atom_store_rlx(&extra->crashes, revival->crashes); /* rlx: not shared yet */
    uint32_t tail = (uint32_t)leat_round_up(
        revival->error_bytes + revival->result_bytes + revival->attempts_bytes, 16);
    atom_store_rlx(&extra->durable->tail, tail); /* rlx: not shared yet */
    /* rlx: statistic */
    (void)atom_add_rlx(&engine->durable->live_bytes, (uint64_t)revival->image_bytes + tail);
    if (revival->result_bytes != 0) {
        extra->result = leat_memory_take(&engine->memory, revival->result_bytes);
        if (extra->result == NULL) {
            return LEAT_NO_MEMORY;
        }
        memcpy(extra->result, revival->result, revival->result_bytes);
        extra->result_bytes = revival->result_bytes;
    }
    enum leat_status status = error_revive(engine, index, revival);
    return status == LEAT_OK ? leat_durable_attempts_revive(engine, index, revival) : status;
}

/* ---- one job --------------------------------------------------------------------------------- */

/* The present, to what was written then: where the wall clock says less, it was set back, and what
 * was left then is left yet. */
static uint64_t
now_of(const struct turn *turn, uint64_t written_ns)
{
    return turn->wall_ns > written_ns ? turn->wall_ns : written_ns;
}

static struct leat_due
due_of(const struct turn *turn, const struct leat_durable_entry *entry)
{
    const struct leat_durable_state *state = &entry->state;
    if (state->due_ns == 0) {
        return (struct leat_due){.at_ns = 0};
    }
    if ((state->flags & LEAT_DURABLE_WALL) != 0) {
        return (struct leat_due){LEAT_TIME_WALL, state->due_ns};
    }
    const uint64_t now_ns = now_of(turn, entry->state_ns);
    uint64_t left_ns = state->due_ns > now_ns ? state->due_ns - now_ns : 0;
    return (struct leat_due){LEAT_TIME_BOOT, leat_timers_after(turn->boot_ns, left_ns)};
}

/* What of its options has gone on while nobody looked. */
static void
options_age(const struct turn *turn, struct leat_durable_found *found,
            const struct leat_durable_entry *entry)
{
    const struct leat_durable_state *state = &entry->state;
    struct leat_job_options *options = &found->options;
    const uint64_t now_ns = now_of(turn, entry->image_ns);
    uint64_t age_ns = now_ns > found->submit_ns ? now_ns - found->submit_ns : 0;
    if ((state->flags & LEAT_DURABLE_LASTS) != 0) {
        options->expires_in_ns = LEAT_FOREVER;
    } else if (found->expires_ns != LEAT_FOREVER) {
        options->expires_in_ns = found->expires_ns > now_ns ? found->expires_ns - now_ns : 0;
    }
    options->unique_conflict = LEAT_UNIQUE_REJECT; /* it was asked at its submit */
    bool over = options->unique_scope == LEAT_UNIQUE_FOR_TIME && options->unique_for_ns <= age_ns;
    bool begun = options->unique_scope == LEAT_UNIQUE_UNTIL_STARTED && state->attempts != 0;
    if (over || begun) {
        options->unique_key = NULL;
        options->unique_key_bytes = 0;
        options->unique_scope = LEAT_UNIQUE_UNTIL_FINISHED;
        options->unique_for_ns = 0;
    } else if (options->unique_for_ns != 0) {
        options->unique_for_ns -= age_ns;
    }
}

static void
count(struct leat_recovery_info *found, const struct leat_durable_state *state)
{
    found->jobs++;
    found->waiting += state->phase == LEAT_PHASE_PENDING ? 1 : 0;
    found->scheduled += state->phase == LEAT_PHASE_SCHEDULED ? 1 : 0;
    found->retrying += state->phase == LEAT_PHASE_RETRYING ? 1 : 0;
    found->dead += state->phase == LEAT_PHASE_DEAD ? 1 : 0;
}

/* It ended before, and is kept. The engine counts it once more: it runs for a moment. The log has
 * that end already; where it is not kept any more, who gives the record back says so. */
static void
revive_ended(struct leat_engine *engine, const struct leat_revival *revival, uint32_t index,
             bool kept)
{
    const struct leat_ending ending = {revival->phase, revival->reason, NULL, false};
    (void)leat_intake_publish(engine, index, kept,
                              LEAT_PHASE_RUNNING | LEAT_WORD_HOLD |
                                  leat_word_attempt(revival->attempts));
    engine->durable->ended_before = revival->id.bits;
    bool ended = leat_job_end(engine, index, ending);
    LEAT_ASSERT(ended);
    engine->durable->ended_before = 0;
    leat_job_unhold(engine, index);
}

static void
revive_blocked(struct leat_engine *engine, const struct leat_revival *revival,
               const struct leat_intake *intake, bool kept)
{
    const uint64_t options = leat_queue_options(engine, intake->queue);
    leat_job_id id = leat_durable_blocked_revive(engine, revival, intake, kept);
    leat_intake_entered(engine, intake, options, id);
}

static void
revive_waiting(struct leat_engine *engine, const struct leat_revival *revival,
               const struct leat_intake *intake, bool kept)
{
    uint32_t index = intake->index;
    const uint64_t attempt = leat_word_attempt(revival->attempts);
    const uint64_t options = leat_queue_options(engine, intake->queue);
    leat_job_id id = {0};
    if (revival->phase == LEAT_PHASE_PENDING) {
        if (intake->limited) {
            leat_room_force(engine, intake->queue, intake->bytes);
        }
        id = leat_intake_publish(engine, index, kept,
                                 LEAT_PHASE_PENDING | LEAT_WORD_LINKED | attempt);
        leat_gates_put(engine, intake->level, intake->queue, intake->type,
                       leat_item_of(LEAT_KIND_JOB, index));
    } else {
        leat_timers_count(engine, revival->phase, 1);
        leat_timers_set(engine, index, revival->due);
        id = leat_intake_publish(engine, index, kept,
                                 (uint64_t)revival->phase | LEAT_WORD_LINKED | LEAT_WORD_HOLD |
                                     attempt);
        leat_timers_arm(engine, index);
        leat_job_unhold(engine, index);
    }
    LEAT_ASSERT(id.bits == revival->id.bits);
    leat_intake_entered(engine, intake, options, id);
}

/* What of the job is not in its options. LEAT_NO_MEMORY. */
static enum leat_status
revive_fill(struct leat_engine *engine, const struct leat_revival *revival, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    enum leat_status status = beside_revive(engine, index, revival);
    atom_store_rlx(&record->attempts, (uint16_t)revival->attempts); /* rlx: ordered by submit:A */
    if (status == LEAT_OK) {
        status = leat_durable_ties_revive(engine, revival, index);
    }
    if (revival->attempts != 0) {
        leat_job_set_put_off(record);
    }
    if (revival->snoozes != 0) {
        leat_timers_snoozed(engine, index, (int)revival->snoozes);
    }
    return status;
}

/* Its key and name. LEAT_EXISTS: they are another job's, and this one was never let in: whoever was
 * let in takes them. */
static enum leat_status
claims_revive(struct leat_engine *engine, const struct leat_revival *revival, uint32_t index)
{
    leat_job_id other = {0};
    if (leat_phase_final(revival->phase)) {
        return leat_labels_hold(engine, index);
    }
    if (revival->published) {
        leat_labels_insist(engine, index);
    }
    enum leat_status status = leat_labels_claim(engine, index, &other);
    if (status == LEAT_EXISTS && leat_durable_held_yields(engine, revival, other)) {
        leat_labels_insist(engine, index);
        status = leat_labels_claim(engine, index, &other);
    }
    return status;
}

/* Takes it in. pre: its record is claimed, and its word has its generation. LEAT_EXISTS: another
 * one has its key or name: its end is said. Or as leat_submit(). */
static enum leat_status
take_in(struct leat_engine *engine, const struct leat_revival *revival)
{
    struct leat_intake intake = {.index = (uint32_t)(revival->id.bits & LEAT_INDEX_NONE)};
    intake.ties.parents = revival->used ? 0 : revival->found->ties.count;
    intake.ties.noded = intake.ties.parents != 0;
    intake.ties.released = revival->phase != LEAT_PHASE_BLOCKED;
    leat_durable_watch_ties(engine, revival, &intake.ties);
    const bool cohort = revival->found->watch.is_cohort != 0;
    bool kept = (revival->job->flags & LEAT_JOB_KEEP_RESULT) != 0;
    enum leat_status status = leat_intake_check(engine, revival->job, &intake);
    if (status == LEAT_OK) {
        status = leat_intake_write(engine, revival->job, &intake);
    }
    if (status != LEAT_OK) {
        return status;
    }
    status = revive_fill(engine, revival, intake.index);
    if (status == LEAT_OK && !revival->found->plain) {
        leat_rcu_enter();
        status = claims_revive(engine, revival, intake.index);
        leat_rcu_leave(&engine->domain);
    }
    if (status != LEAT_OK) {
        if (status != LEAT_EXISTS) {
            engine->durable->closing = true; /* the open fails, and no job has ended by that */
        }
        leat_intake_refuse(engine, &intake);
    } else if (revival->used || (cohort && leat_phase_final(revival->phase))) {
        leat_durable_used_revive(engine, revival, intake.index, kept);
    } else if (leat_phase_final(revival->phase)) {
        revive_ended(engine, revival, intake.index, kept);
    } else if (revival->phase == LEAT_PHASE_BLOCKED) {
        revive_blocked(engine, revival, &intake, kept);
    } else {
        revive_waiting(engine, revival, &intake, kept);
    }
    return status;
}

static bool
same(const char *name, const char *other)
{
    return name != NULL && other != NULL && strcmp(name, other) == 0;
}

/* Type and queue of the job by what was found of the one before. */
static void
names_know(const struct turn *turn, struct leat_job *job)
{
    if (same(job->type_name, turn->type_name) && same(job->queue_name, turn->queue_name)) {
        job->type = turn->type;
        job->queue = turn->queue;
        job->type_name = NULL;
        job->queue_name = NULL;
    }
}

static void
names_learn(const struct leat_engine *engine, struct turn *turn, const struct leat_job *job,
            uint32_t index)
{
    if (job->type_name != NULL && job->queue_name != NULL) {
        const struct leat_job_record *record = leat_job_record(engine, index);
        turn->type_name = job->type_name;
        turn->queue_name = job->queue_name;
        turn->type.bits = leat_job_type(record) + 1;
        turn->queue.bits = leat_job_queue(record) + 1;
    }
}

/* How the job is by its state, too. */
static void
job_complete(const struct turn *turn, struct leat_durable_found *found,
             const struct leat_durable_entry *entry)
{
    const struct leat_durable_state *state = &entry->state;
    if (!found->plain) {
        options_age(turn, found, entry);
    }
    found->job.priority = state->level;
    found->job.flags = (state->flags & LEAT_DURABLE_KEPT) != 0 ? LEAT_JOB_KEEP_RESULT : 0;
    found->options.durability =
        (state->flags & LEAT_DURABLE_OS) != 0 ? LEAT_DURABILITY_OS : LEAT_DURABILITY_GROUP;
    if (state->phase == LEAT_PHASE_BLOCKED) {
        found->job.delay_ns = found->ties.delay_ns;
        found->options.run_at_ns = found->ties.run_at_ns;
    }
    if (found->plain) {
        found->job.options = NULL; /* durability is the record's own, see leat_durable_revived() */
    }
}

static void
turn_tell(const struct leat_engine *engine, struct turn *turn)
{
    turn->wall_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    turn->boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

static enum leat_status
revive_one(struct leat_engine *engine, const struct leat_durable_entry *entry, struct turn *turn,
           struct leat_error *error)
{
    struct leat_durable *durable = engine->durable;
    const struct leat_durable_state *state = &entry->state;
    struct leat_durable_found found;
    enum leat_status status =
        leat_durable_content_read(&found, entry->content, entry->content_bytes);
    if (status != LEAT_OK) {
        durable->closing = true; /* the open fails, and no job has ended by that */
        return unreadable(error, status, entry->id);
    }
    const enum leat_unique_conflict conflict = found.options.unique_conflict;
    const uint64_t key_for_ns = found.options.unique_for_ns;
    job_complete(turn, &found, entry);
    names_know(turn, &found.job);
    const char *tail = (const char *)entry->tail;
    const struct leat_revival revival = {
        .found = &found,
        .job = &found.job,
        .id = {entry->id},
        .phase = state->phase,
        .reason = state->reason,
        .attempts = state->attempts,
        .snoozes = state->snoozes,
        .crashes = state->crashes,
        .due = due_of(turn, entry),
        .error = tail,
        .error_bytes = state->error_bytes,
        .result = tail == NULL ? NULL : tail + state->error_bytes,
        .result_bytes = state->result_bytes,
        .attempts_last =
            entry->tail == NULL ? NULL : entry->tail + state->error_bytes + state->result_bytes,
        .attempts_bytes = state->attempts_bytes,
        .version = state->version,
        .image = entry->image,
        .image_bytes = (uint32_t)leat_bytes_size(entry->image_bytes),
        .durability = found.options.durability,
        .published = entry->claimed || state->version != 0,
        .conflict = conflict,
        .key_for_ns = found.options.unique_for_ns != 0 ? key_for_ns : 0,
        .used = (state->flags & LEAT_DURABLE_USED) != 0,
        .counted = (state->flags & LEAT_DURABLE_COUNTED) != 0,
        .count = entry->count,
    };
    status = take_in(engine, &revival);
    if (status == LEAT_EXISTS) {
        durable->found.refused++; /* it was not acknowledged: its end has been said */
        return LEAT_OK;
    }
    if (status != LEAT_OK) {
        return complain(error, status, entry->id, leat_status_text(status));
    }
    names_learn(engine, turn, &found.job, index_of(entry));
    turn->tied = turn->tied || revival.used || !found.plain;
    if (!revival.used) {
        count(&durable->found, state);
    }
    return LEAT_OK;
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum leat_status
queue_revive(struct leat_engine *engine, const struct leat_durable_named *named)
{
    struct leat_queue_options options = leat_queue_options_default();
    uint32_t index = 0;
    if (named->queue.format != 0) {
        options.priority = named->queue.priority;
        options.pull = named->queue.pull != 0;
        options.order = named->queue.exact != 0 ? LEAT_ORDER_EXACT : LEAT_ORDER_FIFO;
    }
    enum leat_status status = leat_registry_queue_revive(engine, named->name, &options, &index);
    return status == LEAT_OK && named->tuning.format != 0
               ? leat_durable_tuning_revive(engine, index, &named->tuning)
               : status;
}

static enum leat_status
queues_revive(struct leat_engine *engine, struct leat_error *error)
{
    struct leat_durable *durable = engine->durable;
    for (size_t i = 0; i < durable->table.queues_count; i++) {
        enum leat_status status = queue_revive(engine, &durable->table.queues[i]);
        if (status != LEAT_OK) {
            const char *text = status == LEAT_FULL
                                   ? "has queues that cannot be made: is queues_max lower now?"
                                   : "has a queue that cannot be set as it was";
            return leat_error_set(error, status, "log_directory", text);
        }
    }
    return LEAT_OK;
}

/* Those that were in a handler when the process crashed. */
static void
crashes_count(struct leat_engine *engine)
{
    struct leat_durable *durable = engine->durable;
    for (size_t i = 0; i < durable->crashed.count; i++) {
        const leat_job_id id = {durable->crashed.ids[i]};
        if (leat_job_crashed(engine, id) == LEAT_OK) {
            durable->found.crashed++;
            leat_durable_note(engine, id);
        }
    }
}

static enum leat_status
jobs_revive(struct leat_engine *engine, const struct list *list, struct leat_error *error)
{
    struct turn turn = {.type_name = NULL};
    enum leat_status status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK && i < list->count; i++) {
        if (i % TURN_JOBS == 0) {
            turn_tell(engine, &turn);
            leat_durable_revived(engine->durable, i, list->count);
        }
        status = revive_one(engine, list->entries[i], &turn, error);
    }
    leat_durable_revived(engine->durable, list->count, list->count);
    return status == LEAT_OK && turn.tied
               ? leat_durable_graph_revive(engine, list->entries, list->count)
               : status;
}

enum leat_status
leat_durable_revive(struct leat_engine *engine, struct leat_error *error)
{
    struct leat_durable *durable = engine->durable;
    struct list list = {.first = LEAT_INDEX_NONE};
    enum leat_status status = queues_revive(engine, error);
    if (status == LEAT_OK) {
        status = list_make(durable, &list, error);
    }
    if (status == LEAT_OK) {
        status = records_check(engine, &list, error);
    }
    if (status == LEAT_OK) {
        status = records_claim(engine, &list, error);
    }
    if (status == LEAT_OK) {
        status = leat_durable_held_revive(engine, error);
    }
    atom_store_rlx(&durable->sequence, durable->table.sequence); /* rlx: not shared yet */
    if (status == LEAT_OK) {
        status = jobs_revive(engine, &list, error);
    }
    leat_memory_give(&durable->memory, list.entries, list.bytes + 1);
    if (status == LEAT_OK) {
        status = leat_durable_schedules_revive(engine, error);
    }
    if (status == LEAT_OK) {
        leat_registry_queues_revived(engine);
        crashes_count(engine);
    }
    return status;
}
