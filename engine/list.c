/* list.c - jobs listed, searched and counted: a walk over the records in the order of their index,
 * some at a time. A job has one record from its submit to its end, so a walk that comes to each
 * record once comes to each job once, wherever it goes meanwhile. Why so: docs/design/0032.
 *
 * Most is asked of the word and of fields that are atomic, without a hold: a look writes nothing
 * that others read, and who stops in it holds nothing. Behind the look the word must be the same
 * job's yet; else what was read may be of the job that has the record now. A tag, a key, a name or
 * a submitter stands in memory that goes with the record, so these are looked at under a hold,
 * last.
 */
#include "engine/engine_internal.h"
#include "engine/keys.h"
#include "engine/labels.h"
#include "engine/sights.h"

#include <string.h>

#define STATES_ALL                                                                                 \
    ((LEAT_STATE_MASK(LEAT_JOB_CANCELLED) << 1) - LEAT_STATE_MASK(LEAT_JOB_SCHEDULED))

/* One page. */
struct walk {
    struct leat_engine *engine;
    struct leat_job_query query;
    size_t prefix_bytes;
    uint32_t left;         /* records to look at yet */
    bool times;            /* how long jobs are in their state is asked */
    bool labelled;         /* a tag, a key, a name or a submitter is */
    uint64_t boot_ns;      /* when the page began */
    uint64_t monotonic_ns; /* the same */
};

/* What is seen of a job that fits. */
struct sight {
    leat_job_id id;
    uint32_t index;
    uint32_t queue;
    uint64_t in_state_ns;
};

/* ---- what is asked under a hold -------------------------------------------------------------- */

static bool
tag_fits(const struct walk *walk, const struct leat_job_extra *extra)
{
    const struct leat_job_labels *labels = extra->labels;
    uint32_t count = labels == NULL ? 0 : labels->tags_count;
    bool found = walk->query.tag == NULL;
    for (uint32_t i = 0; !found && i < count; i++) {
        found = strcmp(labels->tags[i].text, walk->query.tag) == 0;
    }
    return found;
}

static bool
key_fits(const struct walk *walk, const struct leat_job_extra *extra)
{
    const struct leat_key *key = extra->key;
    const struct leat_job_query *query = &walk->query;
    return query->key == NULL || (key != NULL && key->bytes == query->key_bytes &&
                                  memcmp(key->text, query->key, key->bytes) == 0);
}

static bool
submitter_fits(const struct walk *walk, const struct leat_job_extra *extra)
{
    uint64_t asked = walk->query.submitter.bits;
    return asked == 0 || extra->submitter == asked;
}

static bool
name_fits(const struct walk *walk, leat_job_id id)
{
    const char *prefix = walk->query.name_prefix;
    char name[LEAT_JOB_NAME_BYTES_MAX + 1] = "";
    if (prefix == NULL) {
        return true;
    }
    enum leat_status status = leat_job_name(walk->engine, id, name, sizeof(name));
    return status == LEAT_OK && name[0] != '\0' && strncmp(name, prefix, walk->prefix_bytes) == 0;
}

static bool
labels_fit(const struct walk *walk, const struct sight *sight)
{
    struct leat_engine *engine = walk->engine;
    uint32_t index = 0;
    /* What few jobs have; most are passed by without a swap. */
    if (leat_job_extra(leat_job_record(engine, sight->index)) == NULL) {
        return false;
    }
    if (leat_job_hold(engine, sight->id, LEAT_HOLDS_TO_LOOK, &index) != LEAT_OK) {
        return false;
    }
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    bool fits = extra != NULL && submitter_fits(walk, extra) && tag_fits(walk, extra) &&
                key_fits(walk, extra) && name_fits(walk, sight->id);
    leat_job_unhold(engine, index);
    return fits;
}

/* ---- one record ------------------------------------------------------------------------------ */

static bool
fields_fit(const struct walk *walk, const struct leat_job_record *record, uint32_t queue)
{
    const struct leat_job_query *query = &walk->query;
    if ((query->queue.bits != 0 && query->queue.bits != queue + 1) ||
        (query->type.bits != 0 && query->type.bits != leat_job_type(record) + 1) ||
        (query->priorities != 0 && (query->priorities >> leat_job_level(record) & 1) == 0)) {
        return false;
    }
    return query->tenant.bits == 0 || leat_room_tenant(walk->engine, queue) == query->tenant.bits;
}

/* Since when a job waits that is timed, before its first attempt; or 0. */
static uint64_t
timed_ns(const struct walk *walk, const struct leat_job_record *record, uint64_t word)
{
    uint64_t since_ns = atom_load_rlx(&record->submit_ns); /* rlx: statistic */
    bool first = leat_word_phase(word) == LEAT_PHASE_PENDING &&
                 atom_load_rlx(&record->attempts) == 0; /* rlx: statistic */
    bool known = first && since_ns != 0 && since_ns < walk->monotonic_ns;
    return known ? walk->monotonic_ns - since_ns : 0;
}

/* The record is of a job that fits: *sight. */
static bool
look(const struct walk *walk, uint32_t index, struct sight *sight)
{
    const struct leat_engine *engine = walk->engine;
    /* walked:A acquire -> submit:A, change:B.  Carries: the record's fields.
     * If relaxed: those of the job before could be read, and a job that fits be passed over. */
    uint64_t word = atom_load_acq(leat_slab_word(&engine->jobs, index));
    bool in_use = (leat_word_generation(word) & 1) != 0;
    uint32_t state = LEAT_STATE_MASK(leat_word_phase(word));
    if (!in_use || (state & walk->query.states) == 0) {
        return false;
    }
    const struct leat_job_record *record = leat_job_record(engine, index);
    sight->id.bits = leat_word_of(leat_word_generation(word), index);
    sight->index = index;
    sight->queue = leat_job_queue(record);
    sight->in_state_ns = 0;
    if (!fields_fit(walk, record, sight->queue)) {
        return false;
    }
    uint64_t timed = walk->times ? timed_ns(walk, record, word) : 0;
    uint64_t now = 0;
    if (!leat_job_word_of(engine, sight->id, &now) ||
        (walk->labelled && !labels_fit(walk, sight))) {
        return false;
    }
    if (walk->times) {
        uint64_t seen = leat_sights_look(engine, index, word, walk->boot_ns);
        sight->in_state_ns = seen > timed ? seen : timed;
    }
    return sight->in_state_ns >= walk->query.in_state_ns_min;
}

/* ---- a page ---------------------------------------------------------------------------------- */

/* The next job that fits. False: the page is at its end. Ends: at the last record. */
static bool
walk_next(struct walk *walk, struct sight *sight)
{
    const struct leat_slab *jobs = &walk->engine->jobs;
    uint64_t *cursor = &walk->query.cursor;
    bool found = false;
    uint32_t index = *cursor < jobs->capacity ? (uint32_t)*cursor : jobs->capacity;
    index = leat_slab_next(jobs, index);
    while (!found && walk->left > 0 && index < jobs->capacity) {
        found = look(walk, index, sight);
        index = leat_slab_next(jobs, index + 1);
        walk->left--;
    }
    *cursor = index;
    walk->query.more = index < jobs->capacity;
    return found;
}

static bool
labels_valid(struct walk *walk)
{
    const struct leat_job_query *query = &walk->query;
    size_t tag_bytes = query->tag == NULL ? 1 : strnlen(query->tag, LEAT_TAG_BYTES_MAX + 1);
    if (query->name_prefix != NULL) {
        walk->prefix_bytes = strnlen(query->name_prefix, LEAT_JOB_NAME_BYTES_MAX + 1);
    }
    bool tag = tag_bytes >= 1 && tag_bytes <= LEAT_TAG_BYTES_MAX;
    bool key = query->key == NULL ? query->key_bytes == 0
                                  : query->key_bytes >= 1 && query->key_bytes <= LEAT_KEY_BYTES_MAX;
    return tag && key && walk->prefix_bytes <= LEAT_JOB_NAME_BYTES_MAX;
}

/* The query's handles are of something. */
static enum leat_status
handles_check(const struct walk *walk)
{
    const struct leat_job_query *query = &walk->query;
    uint32_t queue = 0;
    bool type = query->type.bits == 0 ||
                leat_names_text(&walk->engine->types, query->type.bits - 1) != NULL;
    bool tenant = query->tenant.bits == 0 || leat_tenant_room(walk->engine, query->tenant) != NULL;
    if (!type || !tenant) {
        return LEAT_NOT_FOUND;
    }
    return query->queue.bits == 0 ? LEAT_OK
                                  : leat_registry_queue_check(walk->engine, query->queue, &queue);
}

/* `outputs`: the caller's are there. `times`: the page needs them. */
static enum leat_status
walk_begin(struct walk *walk, const struct leat_job_query *query, bool outputs, bool times)
{
    struct leat_engine *engine = walk->engine;
    enum leat_status status = leat_engine_check(engine);
    walk->query = leat_job_query_default();
    if (status == LEAT_OK) {
        status = query == NULL || !outputs
                     ? LEAT_INVALID
                     : leat_struct_read(&walk->query, sizeof(walk->query), query);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_job_query *known = &walk->query;
    if ((known->states & ~STATES_ALL) != 0 || known->priorities >> leat_priority_levels() != 0 ||
        known->look_max > LEAT_LOOK_MAX || !labels_valid(walk)) {
        return LEAT_INVALID;
    }
    status = handles_check(walk);
    known->states = known->states == 0 ? STATES_ALL : known->states;
    walk->left = known->look_max == 0 ? LEAT_LOOK_DEFAULT : known->look_max;
    walk->times = times || known->in_state_ns_min != 0;
    walk->labelled = known->tag != NULL || known->key != NULL || known->name_prefix != NULL ||
                     known->submitter.bits != 0;
    if (status == LEAT_OK && walk->times) {
        status = leat_sights_make(engine) ? LEAT_OK : LEAT_NO_MEMORY;
        walk->boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
        walk->monotonic_ns = leat_os_monotonic_ns();
    }
    return status;
}

/* Where the next page goes on; the rest of the query stays as it was given. */
static enum leat_status
walk_end(const struct walk *walk, struct leat_job_query *query)
{
    struct leat_job_query moved = leat_job_query_default();
    enum leat_status status = leat_struct_read(&moved, sizeof(moved), query);
    moved.cursor = walk->query.cursor;
    moved.more = walk->query.more;
    return status == LEAT_OK ? leat_struct_write(query, &moved, sizeof(moved)) : status;
}

enum leat_status
leat_job_list(struct leat_engine *engine, struct leat_job_query *query, leat_job_id *ids,
              size_t capacity, size_t *count)
{
    struct walk walk = {.engine = engine};
    bool outputs = ids != NULL && capacity != 0 && count != NULL;
    enum leat_status status = walk_begin(&walk, query, outputs, false);
    if (status != LEAT_OK) {
        return status;
    }
    struct sight sight;
    size_t listed = 0;
    while (listed < capacity && walk_next(&walk, &sight)) {
        ids[listed++] = sight.id;
    }
    *count = listed;
    return walk_end(&walk, query);
}

/* ---- counting -------------------------------------------------------------------------------- */

static void
tally(struct leat_job_tally *one, const struct sight *sight)
{
    one->jobs++;
    if (one->longest.bits == 0 || sight->in_state_ns > one->in_state_ns_max) {
        one->in_state_ns_max = sight->in_state_ns;
        one->longest = sight->id;
    }
}

enum leat_status
leat_job_count(struct leat_engine *engine, struct leat_job_query *query,
               struct leat_job_tally *counts, size_t capacity)
{
    struct walk walk = {.engine = engine};
    enum leat_status status = walk_begin(&walk, query, counts != NULL && capacity != 0, true);
    if (status != LEAT_OK) {
        return status;
    }
    struct sight sight;
    while (walk_next(&walk, &sight)) {
        tally(&counts[0], &sight);
        if (sight.queue + 1 < capacity) {
            tally(&counts[sight.queue + 1], &sight);
        }
    }
    return walk_end(&walk, query);
}
