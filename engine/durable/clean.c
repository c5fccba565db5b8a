/* clean.c - keeping the log small: a thread appends anew what is needed of the oldest segment, and
 * lets go of that. */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/terms.h"
#include "engine/timers.h"
#include "ring/rcu.h"

#define AGAIN_NS   UINT64_C(1000000000) /* a full log is looked at again */
#define REST_NS    UINT64_C(50000000)   /* between two looks at one in vain */
#define GAIN_PARTS 2                    /* of a segment; see room_keep() */

/* ---- what is needed -------------------------------------------------------------------------- */

static const struct leat_job_durable *
durable_of(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : extra->durable;
}

/* An image is if it is the job's last one; a step if none of a later version stands in the log.
 * pre: a hold on the job. */
static bool
is_needed(const struct leat_durable_state *state, const struct leat_job_durable *job)
{
    if (job == NULL) {
        return false;
    }
    /* rlx: statistic */
    return state->image != 0 ? state->image == job->image
                             : (int32_t)(state->version - atom_load_rlx(&job->noted)) >= 0;
}

/* What of a content is by the wall clock, by that of now: it may have been set since. A job that
 * was brought back from the dead does not expire any more. */
static void
content_date(struct leat_engine *engine, leat_job_id id, uint32_t index,
             struct leat_durable_content *content)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    const uint64_t expires_ns = leat_terms_expires_ns(extra);
    const uint64_t key_ns = leat_durable_key_left_ns(engine, id, index);
    const uint64_t boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    const uint64_t wall_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    if (content->expires_ns != LEAT_FOREVER) {
        const uint64_t left_ns = expires_ns > boot_ns ? expires_ns - boot_ns : 0;
        content->expires_ns =
            expires_ns == LEAT_FOREVER ? LEAT_FOREVER : leat_timers_after(wall_ns, left_ns);
    }
    if (key_ns != LEAT_FOREVER) {
        const uint64_t until_ns = leat_timers_after(wall_ns, key_ns);
        const uint64_t submit_ns =
            until_ns > content->unique_for_ns ? until_ns - content->unique_for_ns : 0;
        content->submit_ns = submit_ns < content->submit_ns ? submit_ns : content->submit_ns;
    }
}

/* An image, with that. pre: a hold. */
static void
image_renew(struct leat_engine *engine, leat_job_id id, uint32_t index,
            const struct leat_durable_parts *parts)
{
    const uint32_t bytes = parts->state.content_bytes;
    struct leat_durable_content content;
    LEAT_ASSERT(bytes >= sizeof(content)); /* as the job has come to be */
    memcpy(&content, parts->content, sizeof(content));
    if (content.expires_ns == LEAT_FOREVER && content.unique_for_ns == 0) {
        leat_durable_write(engine, id, index, parts->content, bytes);
        return;
    }
    unsigned char *dated = leat_memory_take(&engine->memory, bytes);
    if (dated == NULL) {
        leat_durable_lose(engine->durable, LEAT_NO_MEMORY);
        return;
    }
    content_date(engine, id, index, &content);
    memcpy(dated, parts->content, bytes);
    memcpy(dated, &content, sizeof(content));
    leat_durable_write(engine, id, index, dated, bytes);
    leat_memory_give(&engine->memory, dated, bytes);
}

/* What the job is now goes to the end of the log, if the record is needed. False: nothing did. */
static bool
job_renew(struct leat_engine *engine, const struct leat_durable_parts *parts)
{
    const struct leat_durable_state *state = &parts->state;
    const leat_job_id id = {state->id};
    uint32_t index = 0;
    if (leat_durable_hold(engine, id, &index) != LEAT_OK) {
        return false;
    }
    bool needed = is_needed(state, durable_of(engine, index));
    if (needed && state->image != 0) {
        image_renew(engine, id, index, parts);
    } else if (needed) {
        leat_durable_write(engine, id, index, NULL, 0);
    }
    leat_job_unhold(engine, index);
    return needed;
}

/* As it is. */
static void
record_copy(struct leat_durable *durable, const struct leat_wal_record *record)
{
    const struct leat_wal_entry entry = {
        .tag = record->tag, .data = record->data, .data_bytes = record->bytes};
    (void)leat_durable_append(durable, &entry);
}

static bool
is_ceiling(const struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_ids ids;
    memcpy(&ids, record->data, sizeof(ids));
    return ids.ceiling >= atom_load_rlx(&durable->ceiling); /* rlx: statistic */
}

/* What is not a job's. `copies`: it goes to the end of the log, else it is only looked at. True: it
 * is needed. */
static bool
other_renew(struct leat_durable *durable, const struct leat_wal_record *plain, bool copies)
{
    struct leat_engine *engine = durable->engine;
    if (plain->tag == LEAT_DURABLE_COUNT) {
        return leat_durable_count_renew(engine, plain, copies);
    }
    if (plain->tag == LEAT_DURABLE_SCHEDULE) {
        return leat_durable_schedule_renew(engine, plain, copies);
    }
    if (plain->tag == LEAT_DURABLE_HELD) {
        return leat_durable_held_renew(engine, plain, copies);
    }
    bool needed = plain->tag == LEAT_DURABLE_QUEUE ||
                  (plain->tag == LEAT_DURABLE_IDS && is_ceiling(durable, plain)) ||
                  (plain->tag == LEAT_DURABLE_TUNING && leat_durable_tuning_latest(engine, plain));
    if (needed && copies) {
        record_copy(durable, plain);
    }
    return needed;
}

static bool
record_look(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct leat_durable *durable = context;
    struct leat_durable_parts parts;
    struct leat_wal_record plain;
    bool copied = false;
    (void)place;
    if (leat_durable_read(durable, record, &plain) != LEAT_OK) {
        leat_durable_lose(durable, LEAT_NO_MEMORY);
    } else if (plain.tag == LEAT_DURABLE_JOB &&
               leat_durable_parts_read(&parts, plain.data, plain.bytes) == LEAT_OK) {
        copied = job_renew(durable->engine, &parts);
    } else {
        copied = other_renew(durable, &plain, true);
    }
    if (copied) {
        atom_count(&durable->pace.copied, leat_bytes_size(record->bytes)); /* rlx: single writer */
    }
    /* What was lost for want of space is in the old segment only, which is to stay. */
    return true;
}

/* ---- when ------------------------------------------------------------------------------------ */

static bool
is_large(struct leat_durable *durable)
{
    uint64_t live = atom_load_rlx(&durable->live_bytes); /* rlx: statistic */
    return leat_wal_oldest(&durable->wal) != 0 &&
           leat_wal_bytes(&durable->wal) > 2 * live + 2 * durable->segment_bytes;
}

/* What the oldest segment has is sealed with an older key. */
static bool
is_old(struct leat_durable *durable)
{
    uint64_t oldest = leat_wal_oldest(&durable->wal);
    return oldest != 0 && oldest <= atom_load_rlx(&durable->renew); /* rlx: ordered by clean:A */
}

/* ---- without space --------------------------------------------------------------------------- */

/* About so much of a segment will have to be appended anew. */
struct weight {
    struct leat_durable *durable;
    uint64_t bytes;
};

/* Of an END; few have more in one unit with it. */
#define END_BYTES sizeof(uint64_t)
/* A record that gets sealed only now is longer by less than this. */
#define SEALED_BYTES 64

/* Of a job with the error and the result that it has by now; nothing is appended of one that is
 * gone, and an end at most of one that is over. */
static uint64_t
job_weigh(struct leat_engine *engine, const struct leat_durable_state *state)
{
    const uint64_t content = state->image != 0 ? state->content_bytes : 0;
    const leat_job_id id = {state->id};
    uint64_t word = 0;
    uint32_t index = 0;
    if (!leat_job_word_of(engine, id, &word)) {
        return 0;
    }
    enum leat_status status = leat_job_hold_any(engine, id, LEAT_HOLDS_MAX, &index);
    if (status != LEAT_OK) {
        bool stays = status == LEAT_BUSY || leat_word_phase(word) == LEAT_PHASE_FILLING;
        return stays ? sizeof(*state) + content : END_BYTES;
    }
    const struct leat_job_durable *job = durable_of(engine, index);
    uint64_t bytes = 0;
    if (is_needed(state, job)) {
        bool stays =
            leat_job_word_of(engine, id, &word) && leat_durable_comes_back(engine, index, word);
        /* rlx: statistic */
        bytes = stays ? sizeof(*state) + content + atom_load_rlx(&job->tail) : END_BYTES;
    }
    leat_job_unhold(engine, index);
    return bytes;
}

static bool
record_weigh(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct weight *weight = context;
    struct leat_durable *durable = weight->durable;
    struct leat_durable_parts parts;
    struct leat_wal_record plain;
    uint64_t bytes = record->bytes;
    (void)place;
    if (leat_durable_read(durable, record, &plain) == LEAT_OK) {
        if (plain.tag == LEAT_DURABLE_JOB &&
            leat_durable_parts_read(&parts, plain.data, plain.bytes) == LEAT_OK) {
            bytes = job_weigh(durable->engine, &parts.state);
        } else if (!other_renew(durable, &plain, false)) {
            bytes = 0;
        }
    }
    bytes += bytes != 0 && durable->seals ? SEALED_BYTES : 0;
    weight->bytes += bytes == 0 ? 0 : leat_bytes_size(bytes);
    return true;
}

/* What is kept for this is not spent on a segment that could not be let go of then. Where the log
 * is not large, one of which at most half is needed goes all the same: that is a gain. */
static bool
room_keep(struct leat_durable *durable, bool large)
{
    struct weight weight = {durable, 0};
    const struct leat_wal_reader reader = {record_weigh, &weight};
    enum leat_status status = leat_wal_look(&durable->wal, &reader);
    leat_unsealed_give(&durable->seal, &durable->unsealed);
    bool gains = large || weight.bytes <= durable->segment_bytes / GAIN_PARTS;
    return status == LEAT_OK && gains && leat_wal_keep(&durable->wal, weight.bytes);
}

/* One segment. False: it could not be let go of. */
static bool
segment_renew(struct leat_durable *durable)
{
    const struct leat_wal_reader reader = {record_look, durable};
    uint64_t losses = leat_durable_losses(durable);
    enum leat_status status = leat_wal_look(&durable->wal, &reader);
    leat_unsealed_give(&durable->seal, &durable->unsealed);
    if (status != LEAT_OK || leat_durable_losses(durable) != losses) {
        leat_wal_kick(&durable->wal); /* see wal.h */
        return false;
    }
    uint64_t tail = atom_load_rlx(&durable->wal.ring.tail); /* rlx: single writer */
    return leat_wal_forget(&durable->wal, tail) == LEAT_OK;
}

/* The same, if it is wanted. */
static bool
segment_clean(struct leat_durable *durable, bool large)
{
    const bool wanted = large || is_old(durable);
    if (LEAT_LIKELY(atom_load_rlx(&durable->wal.full) == 0)) { /* rlx: statistic */
        return wanted && segment_renew(durable);
    }
    if (!room_keep(durable, wanted)) {
        return false;
    }
    bool cleaned = segment_renew(durable);
    leat_wal_keep_end(&durable->wal);
    return cleaned;
}

/* A look at a full log reads a segment, and whoever finds no space asks for one: between two in
 * vain there is some time. */
static void
rest(struct leat_durable *durable)
{
    bool full = atom_load_rlx(&durable->wal.full) != 0; /* rlx: statistic */
    uint64_t until_ns = leat_os_deadline_ns(REST_NS);
    /* rlx: ordered by clean:A */
    if (full && atom_load_rlx(&durable->clean_stop) == 0) {
        leat_os_futex_wait(&durable->clean_stop, 0, until_ns);
    }
}

/* Who finds no room asks, in front of the end that it is about. */
static uint64_t
again_ns(const struct leat_durable *durable)
{
    bool full = atom_load_rlx(&durable->wal.full) != 0; /* rlx: statistic */
    return full ? leat_os_deadline_ns(AGAIN_NS) : UINT64_MAX;
}

static void *
run(void *argument)
{
    struct leat_durable *durable = argument;
    leat_rcu_attach();
    leat_durable_cleans(durable);
    for (;;) {
        /* clean:A acquire -> clean:B.  Carries: that the log has grown, or is to stop.
         * If relaxed: the thread could sleep beside it. */
        uint32_t event = atom_load_acq(&durable->clean_event);
        if (atom_load_rlx(&durable->clean_stop) != 0) { /* rlx: ordered by clean:A */
            return NULL;
        }
        leat_durable_pace_look(durable);
        bool large = is_large(durable);
        bool cleaned = segment_clean(durable, large);
        leat_durable_pace_set(durable, large, cleaned);
        if (!cleaned) {
            rest(durable);
            leat_os_futex_wait(&durable->clean_event, event, again_ns(durable));
        }
    }
}

void
leat_durable_clean_ask(struct leat_durable *durable)
{
    /* clean:B release -> clean:A.  Carries: see clean:A.
     * If relaxed: see clean:A. */
    (void)atom_add_rel(&durable->clean_event, 1);
    leat_os_futex_wake(&durable->clean_event, 1);
}

void
leat_durable_renew(struct leat_durable *durable)
{
    uint64_t newest = leat_wal_newest(&durable->wal);
    atom_store_rlx(&durable->renew, newest); /* rlx: ordered by clean:B */
    leat_durable_clean_ask(durable);
}

bool
leat_durable_clean_start(struct leat_engine *engine)
{
    struct leat_durable *durable = engine->durable;
    struct leat_os_thread_config config = {
        .run = run, .argument = durable, .name = "leat-log-clean"};
    atom_store_rlx(&durable->clean_stop, 0); /* rlx: not shared yet */
    leat_durable_pace_begin(durable);
    durable->cleans = leat_os_thread_start(&durable->cleaner, &config) == LEAT_OS_OK;
    return durable->cleans;
}

void
leat_durable_clean_stop(struct leat_durable *durable)
{
    if (durable->cleans) {
        atom_store_rlx(&durable->clean_stop, 1); /* rlx: ordered by clean:B */
        leat_os_futex_wake(&durable->clean_stop, 1);
        leat_durable_clean_ask(durable);
        leat_os_thread_join(durable->cleaner);
        durable->cleans = false;
        leat_durable_pace_end(durable);
    }
}
