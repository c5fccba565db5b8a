/* note.c - what of jobs goes into the log while the engine runs, see durable.h. */
#include "engine/durable/internal.h"

#include <stddef.h>
#include <string.h>

#include "engine/cohort.h"
#include "engine/history.h"
#include "engine/terms.h"
#include "engine/timers.h"

/* What a record has beside its own bytes at most: another one of its unit, and what seals both. */
#define BESIDE 512

/* ---- how a job is --------------------------------------------------------------------------- */

static struct leat_job_durable *
durable_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : extra->durable;
}

/* pre: a job of the log. */
static struct leat_job_durable *
of_log(const struct leat_engine *engine, uint32_t index)
{
    struct leat_job_durable *job = durable_of(engine, index);
    LEAT_ASSERT(job != NULL);
    return job;
}

/* It waits, is dead, or is kept for its submitter. */
static bool
wanted(uint64_t word)
{
    enum leat_phase phase = leat_word_phase(word);
    bool dead = phase == LEAT_PHASE_DEAD && (word & LEAT_WORD_LINKED) != 0;
    return !leat_phase_final(phase) || dead || (word & LEAT_WORD_KEPT) != 0;
}

/* What comes back as it is: it is wanted, or others wait for it, or may read its result, or are its
 * members. Never, once its end was said. */
bool
leat_durable_comes_back(const struct leat_engine *engine, uint32_t index, uint64_t word)
{
    const struct leat_job_durable *job = of_log(engine, index);
    /* rlx: hint, re-checked at ended:A */
    bool ended = atom_load_rlx(&job->ended) != 0;
    bool used = leat_word_phase(word) != LEAT_PHASE_GONE &&
                (leat_graph_uses(engine, index) || leat_cohort_waits(engine, index));
    return (wanted(word) || used) && !ended;
}

static uint64_t
due_wall_ns(const struct leat_engine *engine, uint32_t index, struct leat_durable_state *state)
{
    struct leat_due due = leat_timers_due_of(engine, index);
    if (due.time == LEAT_TIME_WALL) {
        state->flags |= LEAT_DURABLE_WALL;
        return due.at_ns;
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    uint64_t left_ns = due.at_ns > now_ns ? due.at_ns - now_ns : 0;
    return leat_timers_after(leat_clocks_now(&engine->clocks, LEAT_TIME_WALL), left_ns);
}

/* The phase that it comes back with. */
static enum leat_phase
phase_of(uint64_t word)
{
    enum leat_phase phase = leat_word_phase(word);
    return phase == LEAT_PHASE_RUNNING || phase == LEAT_PHASE_FILLING ? LEAT_PHASE_PENDING : phase;
}

static uint8_t
reason_of(const struct leat_job_record *record, uint64_t word)
{
    if (leat_word_phase(word) == LEAT_PHASE_DEAD && (word & LEAT_WORD_EXPIRED) != 0) {
        return LEAT_REASON_EXPIRED;
    }
    return atom_load_rlx(&record->reason); /* rlx: ordered by noted:A */
}

static uint8_t
flags_of(const struct leat_job_extra *extra, bool kept)
{
    const struct leat_job_durable *job = extra->durable;
    uint32_t flags = kept ? LEAT_DURABLE_KEPT : 0;
    flags |= leat_terms_expires_ns(extra) == LEAT_FOREVER ? LEAT_DURABLE_LASTS : 0;
    /* rlx: ordered by numbered:A */
    flags |= atom_load_rlx(&job->counted) != 0 ? LEAT_DURABLE_COUNTED : 0;
    return (uint8_t)(flags | (job->durability == LEAT_DURABILITY_OS ? LEAT_DURABLE_OS : 0));
}

/* pre: a hold, or nobody else knows the job. */
static struct leat_durable_state
state_of(const struct leat_engine *engine, leat_job_id id, uint32_t index, uint64_t word)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_job_extra *extra = leat_job_extra(record);
    enum leat_phase phase = phase_of(word);
    bool running = leat_word_phase(word) == LEAT_PHASE_RUNNING;
    /* rlx: ordered by noted:A */
    uint32_t attempts = atom_load_rlx(&record->attempts);
    struct leat_durable_state state = {
        .format = LEAT_DURABLE_FORMAT,
        .phase = (uint8_t)phase,
        .level = (uint8_t)leat_job_level(record),
        .flags = flags_of(extra, (word & LEAT_WORD_KEPT) != 0),
        /* The run that is under way is one that may be repeated. */
        .attempts = (uint16_t)(running && attempts != 0 ? attempts - 1 : attempts),
        .snoozes = leat_timers_snoozes(engine, index),
        .id = id.bits,
        .crashes = atom_load_rlx(&extra->crashes), /* rlx: statistic */
    };
    if (phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING) {
        state.due_ns = due_wall_ns(engine, index, &state);
    }
    if (leat_phase_final(phase)) {
        state.reason = reason_of(record, word);
        state.flags |= wanted(word) ? 0 : LEAT_DURABLE_USED;
    }
    return state;
}

/* ---- steps, ends, images --------------------------------------------------------------------- */

/* How a record is to be appended. `need` is of what is no end: that goes on longer. */
struct writing {
    const unsigned char *content; /* or NULL */
    uint32_t bytes;               /* of it */
    enum leat_wal_need need;
    const struct leat_wal_entry *with; /* one unit with it; or NULL */
};

static enum leat_wal_need
need_of_end(const struct writing *writing)
{
    return writing->need == LEAT_WAL_FIRST ? LEAT_WAL_LAST : writing->need;
}

/* One more record, or NULL. Returns how many they are. */
static uint32_t
unit_add(struct leat_wal_entry *entries, uint32_t count, const struct leat_wal_entry *with)
{
    if (with != NULL) {
        entries[count++] = *with;
    }
    return count;
}

/* Nobody waits for it. */
static bool
end_append(struct leat_engine *engine, leat_job_id id, enum leat_phase phase,
           const struct writing *writing)
{
    struct leat_durable *durable = engine->durable;
    struct leat_durable_holding holding;
    struct leat_wal_entry entries[LEAT_DURABLE_FEW] = {
        {.tag = LEAT_DURABLE_END, .head = &id.bits, .head_bytes = sizeof(id.bits)}};
    uint32_t count = unit_add(entries, 1, writing->with);
    count = unit_add(entries, count, leat_durable_holding_make(engine, id, phase, &holding));
    bool done = leat_durable_append_as(durable, entries, count, need_of_end(writing)) == LEAT_OK;
    if (done) {
        leat_durable_holding_said(engine, &holding);
        leat_wal_kick(&durable->wal);
    }
    return done;
}

static uint32_t
tail_take(struct leat_job_durable *job)
{
    /* tail:D acq_rel -> tail:A.  Carries: see tail:A.
     * If relaxed: see tail:A. */
    return atom_swap_acq_rel(&job->tail, 0);
}

static void
noted(struct leat_job_durable *job, uint32_t version)
{
    uint32_t now = atom_load_rlx(&job->noted); /* rlx: statistic */
    /* Ends: a swap fails only where another one has noted. */
    while ((int32_t)(version - now) > 0 &&
           !atom_cas_rlx(&job->noted, &now, version)) { /* rlx: statistic */
    }
}

/* What a copy of it takes beside its image. */
static void
tail_count(struct leat_durable *durable, struct leat_job_durable *job, uint32_t bytes)
{
    /* tail:A acq_rel -> tail:D.  Carries: nothing; comes before tail:B.
     * If relaxed: both could miss the other, and the bytes would be counted for ever. */
    uint32_t was = atom_swap_acq_rel(&job->tail, bytes);
    (void)atom_add_rlx(&durable->live_bytes, (uint64_t)bytes - was); /* rlx: statistic */
    /* tail:B acq_rel -> ended:A.  Carries: tail:A, where it comes first.
     * If relaxed: see tail:A. */
    if (atom_add_acq_rel(&job->ended, 0) != 0) {
        (void)atom_sub_rlx(&durable->live_bytes, tail_take(job)); /* rlx: statistic */
    }
}

/* Behind the content: of a job that has ended its text and its result, and of any its attempts. */
struct tail {
    unsigned char *block;
    size_t room;
    size_t bytes; /* of content and tail */
};

static void
tail_add(struct tail *tail, const void *from, size_t bytes)
{
    if (bytes != 0) {
        memcpy(tail->block + tail->bytes, from, bytes);
        tail->bytes += bytes;
    }
}

/* How much room attempts have: no record may be too large for the log. */
static size_t
attempts_room(const struct leat_engine *engine, size_t others)
{
    const size_t most = engine->durable->wal.batch_bytes_max;
    const size_t beside = sizeof(struct leat_durable_state) + BESIDE;
    const size_t left = most > others + beside ? most - others - beside : 0;
    return left < LEAT_DURABLE_ATTEMPTS_MAX ? left : LEAT_DURABLE_ATTEMPTS_MAX;
}

static void
tail_attempts(struct leat_engine *engine, uint32_t index, struct leat_durable_state *state,
              struct tail *tail)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    const uint32_t run = atom_load_rlx(&record->attempts); /* rlx: ordered by noted:A */
    const uint32_t under_way = run == state->attempts ? 0 : run;
    size_t bytes = leat_durable_attempts_put(engine, index, under_way, tail->block + tail->bytes,
                                             attempts_room(engine, tail->bytes));
    tail->bytes += bytes;
    state->attempts_bytes = (uint32_t)bytes;
    state->format = bytes != 0 ? LEAT_DURABLE_FORMAT_ATTEMPTS : LEAT_DURABLE_FORMAT;
}

bool
leat_durable_result_fits(const struct leat_engine *engine, uint32_t index, size_t bytes)
{
    if (engine->durable == NULL || durable_of(engine, index) == NULL) {
        return true;
    }
    const size_t beside = sizeof(struct leat_durable_state) + LEAT_ERROR_BYTES + BESIDE;
    return bytes + beside <= engine->durable->wal.batch_bytes_max;
}

/* False: no memory. */
static bool
tail_make(struct leat_engine *engine, uint32_t index, struct leat_durable_state *state,
          const struct writing *writing, struct tail *tail)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_job_extra *extra = leat_job_extra(record);
    bool late = atom_load_rlx(&record->late) != 0; /* rlx: ordered by noted:A */
    bool ended = leat_phase_final(state->phase);
    bool tried = leat_durable_attempts_any(engine, index);
    const char *error = ended ? leat_error_text(record, late) : "";
    state->error_bytes = (uint32_t)strlen(error);
    state->result_bytes = ended ? (uint32_t)extra->result_bytes : 0;
    tail->bytes = 0;
    tail->room = (size_t)state->content_bytes + state->error_bytes + state->result_bytes +
                 (tried ? LEAT_DURABLE_ATTEMPTS_MAX : 0) + 1;
    tail->block = leat_memory_take(&engine->memory, tail->room);
    if (tail->block == NULL) {
        return false;
    }
    tail_add(tail, writing->content, state->content_bytes);
    tail_add(tail, error, state->error_bytes);
    tail_add(tail, extra->result, state->result_bytes);
    if (tried) {
        tail_attempts(engine, index, state, tail);
    }
    const size_t bytes = tail->bytes - state->content_bytes;
    tail_count(engine->durable, extra->durable, (uint32_t)leat_round_up(bytes, 16));
    return true;
}

/* With what it has behind its content an image may be more than a unit can be: then a step of the
 * same version has that, which counts (table.c), and comes first. */
static bool
split_append(struct leat_engine *engine, const struct leat_durable_state *state,
             const struct tail *tail, const struct writing *writing, enum leat_wal_need need)
{
    struct leat_durable_state step = *state;
    struct leat_durable_state image = *state;
    step.image = 0;
    step.content_bytes = 0;
    image.format = LEAT_DURABLE_FORMAT;
    image.error_bytes = 0;
    image.result_bytes = 0;
    image.attempts_bytes = 0;
    struct leat_wal_entry entries[LEAT_DURABLE_FEW] = {
        {.tag = LEAT_DURABLE_JOB,
         .head = &step,
         .head_bytes = sizeof(step),
         .data = tail->block + state->content_bytes,
         .data_bytes = (uint32_t)(tail->bytes - state->content_bytes)}};
    const struct leat_wal_entry content = {.tag = LEAT_DURABLE_JOB,
                                           .head = &image,
                                           .head_bytes = sizeof(image),
                                           .data = writing->content,
                                           .data_bytes = state->content_bytes};
    uint32_t count = unit_add(entries, 1, writing->with);
    return leat_durable_append_as(engine->durable, entries, count, need) == LEAT_OK &&
           leat_durable_append_as(engine->durable, &content, 1, need) == LEAT_OK;
}

static bool
is_split(const struct leat_engine *engine, const struct tail *tail, const struct writing *writing)
{
    const size_t whole = sizeof(struct leat_durable_state) + tail->bytes + BESIDE;
    return writing->content != NULL && tail->bytes > writing->bytes &&
           whole > engine->durable->wal.batch_bytes_max;
}

/* Without memory for them a job that has not ended goes without its attempts. */
static bool
state_append(struct leat_engine *engine, uint32_t index, struct leat_durable_state *state,
             const struct writing *writing)
{
    struct tail tail = {.block = NULL};
    bool ended = leat_phase_final(state->phase);
    struct leat_wal_entry entries[LEAT_DURABLE_FEW] = {{.tag = LEAT_DURABLE_JOB,
                                                        .head = state,
                                                        .head_bytes = sizeof(*state),
                                                        .data = writing->content,
                                                        .data_bytes = state->content_bytes}};
    if (ended || leat_durable_attempts_any(engine, index)) {
        if (tail_make(engine, index, state, writing, &tail)) {
            entries[0].data = tail.block;
            entries[0].data_bytes = (uint32_t)tail.bytes;
        } else if (ended) {
            leat_durable_lose(engine->durable, LEAT_NO_MEMORY);
            return false;
        }
    }
    state->flags |= writing->with != NULL ? LEAT_DURABLE_COUNTED : 0;
    const enum leat_wal_need need = ended ? need_of_end(writing) : writing->need;
    bool done = false;
    if (LEAT_UNLIKELY(is_split(engine, &tail, writing))) {
        done = split_append(engine, state, &tail, writing, need);
    } else {
        uint32_t count = unit_add(entries, 1, writing->with);
        done = leat_durable_append_as(engine->durable, entries, count, need) == LEAT_OK;
    }
    leat_memory_give(&engine->memory, tail.block, tail.room);
    return done;
}

/* The caller alone gets true: it is the one who says that the job has ended. */
static bool
end_take(struct leat_durable *durable, struct leat_job_durable *job)
{
    /* ended:A acq_rel -> ended:A, tail:B.  Carries: see tail:A; one of those who swap gets the 0.
     * If relaxed: see tail:A. */
    if (atom_swap_acq_rel(&job->ended, 1) != 0) {
        return false;
    }
    /* rlx: statistic */
    (void)atom_sub_rlx(&durable->live_bytes, (uint64_t)job->bytes + tail_take(job));
    return true;
}

/* A job that does not come back. Also where that was said: an image may have come behind. */
static bool
end_say(struct leat_engine *engine, leat_job_id id, enum leat_phase phase,
        const struct writing *writing)
{
    (void)end_take(engine->durable, of_log(engine, (uint32_t)(id.bits & LEAT_INDEX_NONE)));
    return end_append(engine, id, phase, writing);
}

/* How the job is by its word, which was read behind the version. */
static void
word_write(struct leat_engine *engine, leat_job_id id, uint64_t word, uint32_t version,
           struct writing *writing)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    struct leat_job_durable *job = of_log(engine, index);
    struct leat_durable_counting counting;
    bool done = false;
    writing->with = leat_durable_counting_begin(engine, index, leat_word_phase(word), &counting);
    if (leat_durable_comes_back(engine, index, word)) {
        struct leat_durable_state state = state_of(engine, id, index, word);
        state.version = version;
        state.content_bytes = writing->bytes;
        state.image = writing->content == NULL ? 0 : job->image + 1;
        done = state_append(engine, index, &state, writing);
        if (done) {
            noted(job, version);
            if (writing->content != NULL) { /* the cleaner alone: others do not touch it */
                job->image++;
            }
        }
    } else {
        done = end_say(engine, id, leat_word_phase(word), writing);
    }
    leat_durable_counting_end(engine, &counting, done);
}

/* As leat_durable_write(), but for what the caller is to wait for. */
static void
write_now(struct leat_engine *engine, leat_job_id id, uint32_t index, struct writing writing)
{
    struct leat_job_durable *job = of_log(engine, index);
    /* noted:A acq_rel -> noted:A.  Carries: the swaps of those who took versions before.
     * If relaxed: a higher version could stand for an older look. */
    uint32_t version = atom_add_acq_rel(&job->version, 1) + 1;
    uint64_t word = 0;
    (void)leat_job_word_of(engine, id, &word);
    bool came_back = leat_durable_comes_back(engine, index, word);
    word_write(engine, id, word, version, &writing);
    /* It may end while its image is on the way: an end that was appended before the image does not
     * stand for it once the end's segment is gone. */
    if (writing.content != NULL && came_back && leat_job_word_of(engine, id, &word) &&
        !leat_durable_comes_back(engine, index, word)) {
        word_write(engine, id, word, version, &writing);
    }
}

void
leat_durable_write(struct leat_engine *engine, leat_job_id id, uint32_t index,
                   const unsigned char *content, uint32_t bytes)
{
    LEAT_ASSERT(content != NULL || bytes == 0);
    write_now(engine, id, index, (struct writing){content, bytes, LEAT_WAL_LAST, NULL});
}

/* Its image is in the log, and its submit is not done. */
static bool
is_on_the_way(const struct leat_engine *engine, leat_job_id id)
{
    uint64_t word = 0;
    return leat_job_word_of(engine, id, &word) && leat_word_phase(word) == LEAT_PHASE_FILLING;
}

enum leat_status
leat_durable_hold(struct leat_engine *engine, leat_job_id id, uint32_t *index)
{
    for (;;) {
        enum leat_status status = leat_job_hold_any(engine, id, LEAT_HOLDS_MAX, index);
        /* Ends: holds are given back by whoever looks at the job; who submits it goes on, unless
         * that thread stops for ever: then the log is not cleaned any more. */
        if (status != LEAT_BUSY && !is_on_the_way(engine, id)) {
            return status;
        }
        if (status == LEAT_OK) {
            leat_job_unhold(engine, *index);
        }
        leat_wal_kick(&engine->durable->wal); /* see wal.h */
        leat_os_yield();
    }
}

void
leat_durable_note_slowly(struct leat_engine *engine, leat_job_id id, bool follows)
{
    struct leat_durable *durable = engine->durable;
    uint32_t index = 0;
    if (durable->closing || id.bits == durable->ended_before) {
        return;
    }
    leat_durable_pace(durable);
    if (leat_durable_hold(engine, id, &index) != LEAT_OK) {
        return; /* gone: who gave the record back says so */
    }
    const struct leat_job_durable *job = durable_of(engine, index);
    if (job != NULL) {
        const enum leat_wal_need need = follows ? LEAT_WAL_LAST : LEAT_WAL_FIRST;
        /* A retry or a snooze that finds no space is one in memory only. */
        uint64_t before = leat_durable_last(durable);
        write_now(engine, id, index, (struct writing){NULL, 0, need, NULL});
        leat_durable_wait_less(durable, job, before);
        leat_wal_kick(&durable->wal);
    }
    leat_job_unhold(engine, index);
}

/* The end of a job of which the caller is the only user, unless that was said. */
static void
gone_say(struct leat_engine *engine, uint32_t index, struct leat_job_durable *job)
{
    struct leat_durable *durable = engine->durable;
    if (!durable->closing && end_take(durable, job)) {
        /* rlx: single writer */
        uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
        uint64_t before = leat_durable_last(durable);
        struct leat_durable_counting counting;
        bool refused = leat_word_phase(word) == LEAT_PHASE_FILLING; /* its image may wait still */
        struct writing writing = {.need = refused ? LEAT_WAL_BACK : LEAT_WAL_LAST};
        writing.with = leat_durable_counting_begin(engine, index, job->outcome, &counting);
        const leat_job_id id = {leat_word_of(leat_word_generation(word), index)};
        bool done = end_append(engine, id, LEAT_PHASE_FILLING, &writing);
        leat_durable_counting_end(engine, &counting, done);
        leat_durable_wait_less(durable, job, before);
    }
}

void
leat_durable_refused_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_durable *job = durable_of(engine, index);
    if (job != NULL) {
        gone_say(engine, index, job);
    }
}

void
leat_durable_gone(struct leat_engine *engine, uint32_t index, struct leat_job_extra *extra)
{
    struct leat_job_durable *job = extra->durable;
    if (job == NULL) {
        return;
    }
    gone_say(engine, index, job);
    leat_memory_give(&engine->memory, job, sizeof(*job));
    extra->durable = NULL;
}

/* ---- submit ---------------------------------------------------------------------------------- */

enum leat_durability
leat_durable_of(const struct leat_engine *engine, const struct leat_job *job)
{
    const struct leat_job_options *options = job->options;
    bool says = options != NULL && options->size >= offsetof(struct leat_job_options, durability) +
                                                        sizeof(options->durability);
    bool own = says && options->durability != LEAT_DURABILITY_OF_ENGINE;
    return own ? options->durability : engine->config.durability;
}

bool
leat_durable_wants(const struct leat_engine *engine, const struct leat_job *job)
{
    return leat_durable_of(engine, job) != LEAT_DURABILITY_NONE;
}

/* Room on the stack for the state and the content of a job that is submitted alone. */
#define NEAR_BYTES 512

/* One image that is being made. */
struct image {
    struct leat_durable_state state;
    unsigned char *near; /* NEAR_BYTES, or NULL */
    unsigned char *head; /* state and content but for the payload, there or in a block */
    size_t head_bytes;
};

static void
image_free(const struct leat_engine *engine, const struct image *image)
{
    if (image->head != image->near) {
        leat_memory_give(&engine->memory, image->head, image->head_bytes);
    }
}

/* Puts the content behind the place of the state, and says how many bytes it has. */
static bool
image_content(const struct leat_engine *engine, const struct leat_durable_job *read,
              struct image *image, size_t *content)
{
    const size_t state = sizeof(image->state);
    const size_t room = image->near == NULL ? 0 : NEAR_BYTES - state;
    *content = leat_durable_content_put(read, room == 0 ? NULL : image->near + state, room);
    image->head_bytes = state + *content;
    if (*content <= room) {
        image->head = image->near;
        return true;
    }
    image->head = leat_memory_take(&engine->memory, image->head_bytes);
    if (image->head == NULL) {
        return false;
    }
    (void)leat_durable_content_put(read, image->head + state, *content);
    return true;
}

static enum leat_status
image_fill(struct leat_engine *engine, uint32_t index, struct leat_durable_job *read,
           struct image *image)
{
    const struct leat_job *job = read->job;
    struct leat_durable *durable = engine->durable;
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra_make(engine, record);
    if (extra == NULL) {
        return LEAT_NO_MEMORY;
    }
    read->type = leat_names_text(&engine->types, leat_job_type(record));
    read->queue = leat_names_text(&engine->queues, leat_job_queue(record));
    read->sequence = atom_add_rlx(&durable->sequence, 1) + 1; /* rlx: statistic */
    read->submit_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    size_t content = 0;
    extra->durable = leat_memory_take(&engine->memory, sizeof(*extra->durable));
    if (extra->durable == NULL) {
        return LEAT_NO_MEMORY;
    }
    /* Until the image is appended there is nothing to be ended. rlx: single writer */
    atom_store_rlx(&extra->durable->ended, 1);
    if (!image_content(engine, read, image, &content)) {
        return LEAT_NO_MEMORY;
    }
    extra->durable->durability = (uint32_t)leat_durable_of(engine, job);
    extra->durable->key_for_ns = read->options.unique_for_ns;
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    const leat_job_id id = {leat_word_of(leat_word_generation(word), index)};
    image->state = state_of(engine, id, index, word);
    image->state.flags = flags_of(extra, (job->flags & LEAT_JOB_KEEP_RESULT) != 0);
    image->state.image = 1;
    image->state.content_bytes = (uint32_t)(content + job->payload_bytes);
    if (leat_graph_blocks(engine, index)) {
        image->state.phase = LEAT_PHASE_BLOCKED;
    } else if (job->delay_ns != 0 || read->options.run_at_ns != 0) {
        image->state.phase = LEAT_PHASE_SCHEDULED;
        image->state.flags |= read->options.run_at_ns != 0 ? LEAT_DURABLE_WALL : 0;
        image->state.due_ns = read->options.run_at_ns != 0
                                  ? read->options.run_at_ns
                                  : leat_timers_after(read->submit_ns, job->delay_ns);
    }
    memcpy(image->head, &image->state, sizeof(image->state));
    extra->durable->image = 1;
    return leat_durable_id(engine, index);
}

/* `within` NULL: it is submitted alone. */
static enum leat_status
image_make(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
           const struct leat_durable_within *within, struct image *image)
{
    struct leat_durable_job read;
    struct leat_durable_parents parents = {.all = NULL};
    enum leat_status status = leat_durable_job_read(&read, job);
    if (status == LEAT_OK) {
        status = leat_durable_parents_make(engine, index, within, &parents);
    }
    if (status == LEAT_OK) {
        read.parents = parents.all;
        read.parents_count = parents.count;
        leat_durable_watch_make(engine, within, &read.watch);
        status = image_fill(engine, index, &read, image);
    }
    leat_durable_parents_free(engine, &parents);
    return status;
}

static uint64_t
entry_bytes(const struct leat_wal_entry *entry)
{
    return (uint64_t)entry->head_bytes + entry->data_bytes;
}

/* Its image is in the log: from now on its record, once it is given back, says the end. */
static void
image_appended(struct leat_engine *engine, uint32_t index, const struct leat_wal_entry *stored)
{
    struct leat_job_durable *job = of_log(engine, index);
    job->bytes = (uint32_t)leat_bytes_size(entry_bytes(stored));
    (void)atom_add_rlx(&engine->durable->live_bytes, job->bytes); /* rlx: statistic */
    atom_store_rlx(&job->ended, 0);                               /* rlx: single writer */
}

static struct leat_wal_entry
image_entry(const struct image *image, const struct leat_job *job)
{
    return (struct leat_wal_entry){.tag = LEAT_DURABLE_JOB,
                                   .head = image->head,
                                   .head_bytes = (uint32_t)image->head_bytes,
                                   .data = job->payload,
                                   .data_bytes = (uint32_t)job->payload_bytes};
}

/* How one image is appended. */
struct beside {
    struct leat_durable_with *with; /* or NULL */
    bool waits;
};

/* Returns how many it adds to the unit. */
static uint32_t
with_entry(const struct leat_durable_with *with, const struct image *image,
           struct leat_wal_entry *entry)
{
    if (with == NULL || with->data == NULL) {
        return 0;
    }
    unsigned char *data = with->data;
    memcpy(data + with->id_offset, &image->state.id, sizeof(image->state.id));
    *entry = (struct leat_wal_entry){.tag = with->tag, .data = data, .data_bytes = with->bytes};
    return 1;
}

static enum leat_status
image_log(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
          struct beside beside, uint64_t *position)
{
    struct leat_durable *durable = engine->durable;
    unsigned char near[NEAR_BYTES];
    struct image image = {.near = near, .head = near};
    struct leat_wal_entry entries[2] = {{.tag = 0}};
    uint32_t count = 1;
    enum leat_status status = image_make(engine, index, job, NULL, &image);
    if (status == LEAT_OK) {
        entries[0] = image_entry(&image, job);
        count += with_entry(beside.with, &image, &entries[1]);
        status = leat_durable_append_first(durable, entries, count, beside.waits, position);
    }
    if (status == LEAT_OK) {
        image_appended(engine, index, &entries[0]);
        if (count == 2) {
            beside.with->done = true;
        }
        leat_durable_grown(durable);
    }
    image_free(engine, &image);
    return status;
}

enum leat_status
leat_durable_image(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
                   bool waits, uint64_t *position)
{
    return image_log(engine, index, job, (struct beside){NULL, waits}, position);
}

enum leat_status
leat_durable_image_with(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
                        struct leat_durable_with *with, uint64_t *position)
{
    return image_log(engine, index, job, (struct beside){with, true}, position);
}

static enum leat_status
images_make(struct leat_engine *engine, struct leat_durable_within *within, struct image *images,
            struct leat_wal_entry *entries, uint32_t *count)
{
    const struct leat_durable_unit *unit = within->unit;
    for (uint32_t i = 0; i < unit->count; i++) {
        const struct leat_job *job = unit->job(unit->context, i);
        uint32_t index = unit->index(unit->context, i);
        within->number = i;
        bool logged = leat_durable_wants(engine, job);
        enum leat_status status = logged ? image_make(engine, index, job, within, &images[i])
                                         : leat_durable_id(engine, index);
        if (status != LEAT_OK) {
            return status;
        }
        if (logged) {
            entries[(*count)++] = image_entry(&images[i], job);
        }
    }
    return LEAT_OK;
}

enum leat_status
leat_durable_images(struct leat_engine *engine, const struct leat_durable_unit *unit,
                    uint64_t *position)
{
    struct leat_durable *durable = engine->durable;
    const struct leat_memory *memory = &engine->memory;
    size_t images_bytes = sizeof(struct image) * unit->count;
    size_t entries_bytes = sizeof(struct leat_wal_entry) * unit->count;
    struct image *images = leat_memory_take(memory, images_bytes);
    struct leat_wal_entry *entries = leat_memory_take(memory, entries_bytes);
    uint32_t count = 0;
    struct leat_durable_within within;
    enum leat_status status = leat_durable_within_init(engine, unit, &within);
    if (status == LEAT_OK) {
        status = images == NULL || entries == NULL
                     ? LEAT_NO_MEMORY
                     : images_make(engine, &within, images, entries, &count);
    }
    leat_durable_within_fini(engine, &within);
    if (status == LEAT_OK && count != 0) {
        status = leat_durable_append_first(durable, entries, count, true, position);
    }
    const struct leat_wal_entry *stored = entries;
    for (uint32_t i = 0; images != NULL && i < unit->count; i++) {
        if (status == LEAT_OK && images[i].head != NULL) {
            image_appended(engine, unit->index(unit->context, i), stored);
            leat_durable_grown(durable);
            stored++;
        }
        image_free(engine, &images[i]);
    }
    leat_memory_give(memory, images, images_bytes);
    leat_memory_give(memory, entries, entries_bytes);
    return status;
}
