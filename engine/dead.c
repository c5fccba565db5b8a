/* dead.c - dead letters, see dead.h. */
#include "engine/dead.h"
#include "engine/durable/durable.h"

#include <string.h>

#include "engine/gates.h"
#include "engine/graph.h"
#include "engine/keys.h"
#include "engine/labels.h"
#include "engine/terms.h"
#include "engine/timers.h"
#include "ring/rcu.h"

/* A letter and its place in the book. */
struct letter {
    leat_job_id id;
    uint32_t index;
    uint64_t position;
};

static struct letter
letter_of(uint64_t id, uint64_t position)
{
    struct letter letter = {{id}, (uint32_t)(id & LEAT_INDEX_NONE), position};
    return letter;
}

/* ---- bringing one back ---------------------------------------------------------------------- */

/* What its last life has left that would end the next one: nobody reads it of a dead job. */
static void
forget(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra(record);
    atom_store_rlx(&record->notice, 0); /* rlx: ordered by change:B */
    if (extra == NULL) {
        return;
    }
    atom_store_rlx(&extra->crashes, 0); /* rlx: ordered by change:B */
    if (extra->terms != NULL) {
        /* rlx: ordered by change:B */
        atom_store_rlx(&extra->terms->expires_ns, LEAT_FOREVER);
    }
}

/* The job waits again and is in no place yet: only who looks at it, or cancels it, sees this.
 * Attempts are counted on, so that a token of an earlier one never fits; those so far count as if
 * they had been snoozed. */
static void
renew(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra(record);
    uint32_t attempts = atom_load_rlx(&record->attempts); /* rlx: single writer */
    attempts = (attempts - leat_timers_snoozes(engine, index)) & UINT16_MAX;
    leat_timers_snoozed(engine, index, (int)attempts);
    atom_store_rlx(&record->submit_ns, 0); /* rlx: ordered by change:B */
    record->returned = false;
    leat_labels_renewed(engine, index);
    struct leat_progress *progress = extra == NULL ? NULL : leat_block(&extra->progress);
    if (progress != NULL) {
        static const char none[LEAT_PROGRESS_BYTES] = "";
        leat_progress_write(progress, 0, none);
    }
    (void)atom_add_rlx(&engine->outside.dead_retried, 1); /* rlx: statistic */
}

/* It comes to the end of its lines again: that of its key, and of who is dropped first. */
static void
lines_lost(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra(record);
    leat_job_set_put_off(record);
    if (extra != NULL) {
        leat_keys_begun(engine, extra, false);
    }
}

/* pre: the caller has taken the letter out of the book; a section of rcu.h. */
static bool
revive_now(struct leat_engine *engine, uint32_t index, uint64_t holds)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_DEAD,
        .to = LEAT_PHASE_PENDING,
        .clear = LEAT_WORD_OF_ATTEMPT,
        .unless = holds | LEAT_WORD_CHANGING,
    };
    struct leat_stand stand = leat_queue_stand(leat_job_record(engine, index));
    lines_lost(engine, index);
    uint64_t before = 0;
    uint64_t after = 0;
    if (stand.counted) {
        leat_room_force(engine, stand.queue, stand.bytes);
    }
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        if (stand.counted) {
            leat_room_give(engine, stand.queue, stand.bytes);
        }
        return false;
    }
    renew(engine, index);
    leat_gates_put(engine, stand.level, stand.queue, stand.type,
                   leat_item_of(LEAT_KIND_JOB, index));
    return true;
}

/* The same for one that is due later. */
static bool
revive_later(struct leat_engine *engine, uint32_t index, struct leat_due due, uint64_t holds)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_DEAD,
        .to = LEAT_PHASE_SCHEDULED,
        .clear = LEAT_WORD_OF_ATTEMPT,
        .unless = holds | LEAT_WORD_CHANGING,
        .hold = true,
    };
    uint64_t before = 0;
    uint64_t after = 0;
    lines_lost(engine, index);
    leat_timers_set(engine, index, due);
    leat_timers_count(engine, LEAT_PHASE_SCHEDULED, 1);
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        leat_timers_count(engine, LEAT_PHASE_SCHEDULED, -1);
        return false;
    }
    renew(engine, index);
    leat_timers_arm(engine, index);
    leat_job_unhold(engine, index);
    return true;
}

/* LEAT_OK; LEAT_CLOSED; LEAT_BUSY: someone else has it, or looks at it. */
static enum leat_status
retry(struct leat_engine *engine, const struct letter *letter, struct leat_due due)
{
    struct leat_book *book = &engine->dead;
    if (!leat_book_take(book, letter->position, letter->id.bits)) {
        return LEAT_BUSY;
    }
    uint64_t holds = 0;
    enum leat_status used = leat_graph_revive(engine, letter->id, &holds);
    enum leat_status status = used == LEAT_OK ? leat_labels_renew(engine, letter->index) : used;
    leat_rcu_enter();
    if (status == LEAT_OK) {
        status = leat_engine_accepts(engine) ? LEAT_OK : LEAT_CLOSED;
    }
    if (status == LEAT_OK) {
        forget(engine, letter->index);
        bool revived = due.time == 0 ? revive_now(engine, letter->index, holds)
                                     : revive_later(engine, letter->index, due, holds);
        status = revived ? LEAT_OK : LEAT_BUSY;
    }
    leat_rcu_leave(&engine->domain);
    if (status != LEAT_OK) {
        leat_labels_renewed(engine, letter->index);
    }
    if (status == LEAT_OK) {
        leat_durable_note(engine, letter->id);
    }
    if (used == LEAT_OK) {
        leat_graph_revived(engine, letter->index, holds);
    }
    if (status != LEAT_OK && !leat_book_untake(book, letter->position, letter->id.bits)) {
        leat_retention_put(engine, book, letter->index); /* as the newest one */
    }
    return status;
}

static enum leat_status
forsake(struct leat_engine *engine, const struct letter *letter)
{
    if (!leat_book_take(&engine->dead, letter->position, letter->id.bits)) {
        return LEAT_BUSY;
    }
    leat_retention_drop(engine, letter->id.bits);
    return LEAT_OK;
}

/* ---- one ------------------------------------------------------------------------------------ */

/* Where the letter stands. LEAT_BUSY: it is on its way there, or another thread has it in hand. */
static enum leat_status
find(struct leat_engine *engine, leat_job_id id, struct letter *letter)
{
    const struct leat_book *book = &engine->dead;
    struct leat_job_info info = leat_job_info_default();
    for (uint64_t at = leat_book_first(book); at < leat_book_end(book); at++) {
        /* 0 is no id, but stands where a letter was taken out. */
        if (leat_book_at(book, at) == id.bits && id.bits != 0) {
            *letter = letter_of(id.bits, at);
            return LEAT_OK;
        }
    }
    uint32_t index = 0;
    enum leat_status status = leat_get(engine, id, &info);
    if (status != LEAT_OK) {
        return status;
    }
    status = leat_job_locate(engine, id, &index);
    LEAT_ASSERT(status == LEAT_OK);
    /* rlx: statistic */
    bool linked = (atom_load_rlx(leat_slab_word(&engine->jobs, index)) & LEAT_WORD_LINKED) != 0;
    return info.state == LEAT_JOB_DEAD && linked ? LEAT_BUSY : LEAT_WRONG_STATE;
}

static enum leat_status
when_check(const struct leat_engine *engine, struct leat_when when, struct leat_due *due)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && when.delay_ns != 0 && when.run_at_ns != 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        *due = leat_timers_due(engine, when.delay_ns, when.run_at_ns);
    }
    return status;
}

enum leat_status
leat_dead_retry(struct leat_engine *engine, leat_job_id id, struct leat_when when)
{
    struct letter letter;
    struct leat_due due = {.at_ns = 0};
    enum leat_status status = when_check(engine, when, &due);
    if (status == LEAT_OK) {
        status = find(engine, id, &letter);
    }
    return leat_durable_settle(engine, status == LEAT_OK ? retry(engine, &letter, due) : status);
}

enum leat_status
leat_dead_delete(struct leat_engine *engine, leat_job_id id)
{
    struct letter letter;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = find(engine, id, &letter);
    }
    return leat_durable_settle(engine, status == LEAT_OK ? forsake(engine, &letter) : status);
}

/* ---- many ----------------------------------------------------------------------------------- */

/* Which letters are meant. */
struct search {
    struct leat_engine *engine;
    struct leat_dead_query query;
    uint64_t at;  /* position to look at next */
    uint64_t end; /* one behind the last: a letter that comes meanwhile is not for this search */
};

static enum leat_status
search_begin(struct leat_engine *engine, const struct leat_dead_query *query, struct search *search)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    search->engine = engine;
    search->query = leat_dead_query_default();
    if (query != NULL) {
        status = leat_struct_read(&search->query, sizeof(search->query), query);
    }
    uint64_t first = leat_book_first(&engine->dead);
    search->at = search->query.cursor > first ? search->query.cursor : first;
    search->end = leat_book_end(&engine->dead);
    return status;
}

static bool
meant(const struct leat_dead_query *query, const struct leat_job_info *info)
{
    return info->state == LEAT_JOB_DEAD &&
           (query->type.bits == 0 || query->type.bits == info->type.bits) &&
           (query->queue.bits == 0 || query->queue.bits == info->queue.bits) &&
           (query->reason == LEAT_REASON_NONE || query->reason == info->reason);
}

/* The next letter that is meant. */
static bool
search_next(struct search *search, struct letter *letter)
{
    while (search->at < search->end) {
        struct leat_job_info info = leat_job_info_default();
        uint64_t position = search->at++;
        uint64_t id = leat_book_at(&search->engine->dead, position);
        *letter = letter_of(id, position);
        if (id != 0 && leat_get(search->engine, letter->id, &info) == LEAT_OK &&
            meant(&search->query, &info)) {
            return true;
        }
    }
    return false;
}

enum leat_status
leat_dead_list(struct leat_engine *engine, struct leat_dead_query *query, leat_job_id *ids,
               size_t capacity, size_t *count)
{
    struct search search;
    struct letter letter;
    if (query == NULL || ids == NULL || capacity == 0 || count == NULL) {
        enum leat_status checked = leat_engine_check(engine);
        return checked == LEAT_OK ? LEAT_INVALID : checked;
    }
    enum leat_status status = search_begin(engine, query, &search);
    if (status != LEAT_OK) {
        return status;
    }
    size_t listed = 0;
    while (listed < capacity && search_next(&search, &letter)) {
        ids[listed++] = letter.id;
    }
    search.query.cursor = search.at;
    *count = listed;
    return leat_struct_write(query, &search.query, sizeof(search.query));
}

enum leat_status
leat_dead_retry_all(struct leat_engine *engine, const struct leat_dead_query *query,
                    struct leat_when when, size_t *count)
{
    struct search search;
    struct letter letter;
    struct leat_due due = {.at_ns = 0};
    size_t retried = 0;
    enum leat_status status = when_check(engine, when, &due);
    if (status == LEAT_OK) {
        status = search_begin(engine, query, &search);
    }
    while (status == LEAT_OK && search_next(&search, &letter)) {
        enum leat_status one = retry(engine, &letter, due);
        retried += one == LEAT_OK ? 1 : 0;
        status = one == LEAT_CLOSED ? LEAT_CLOSED : LEAT_OK;
    }
    if (count != NULL && (status == LEAT_OK || retried != 0)) {
        *count = retried;
    }
    return leat_durable_settle(engine, status);
}

enum leat_status
leat_dead_delete_all(struct leat_engine *engine, const struct leat_dead_query *query, size_t *count)
{
    struct search search;
    struct letter letter;
    size_t deleted = 0;
    enum leat_status status = search_begin(engine, query, &search);
    if (status != LEAT_OK) {
        return status;
    }
    while (search_next(&search, &letter)) {
        deleted += forsake(engine, &letter) == LEAT_OK ? 1 : 0;
    }
    if (count != NULL) {
        *count = deleted;
    }
    return leat_durable_settle(engine, LEAT_OK);
}

/* ---- payloads ------------------------------------------------------------------------------- */

/* pre: a hold on a dead job. */
static const void *
payload_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    switch ((enum leat_payload_place)leat_payload_place(record)) {
    case LEAT_PAYLOAD_RECORD:
        return record->payload.bytes;
    case LEAT_PAYLOAD_INLINE:
        return leat_job_inline(engine, index);
    case LEAT_PAYLOAD_HEAP:
        return record->payload.pointer;
    case LEAT_PAYLOAD_NONE:
        break;
    }
    return NULL;
}

enum leat_status
leat_job_payload(struct leat_engine *engine, leat_job_id id, void *buffer, size_t capacity,
                 size_t *bytes)
{
    uint32_t index = 0;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && buffer == NULL && capacity > 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    /* While the caller has the hold, a dead job stays dead. */
    if (leat_job_phase_held(engine, index) == LEAT_PHASE_DEAD) {
        const void *payload = payload_of(engine, index);
        size_t count = payload == NULL ? 0 : leat_job_payload_bytes(leat_job_record(engine, index));
        status = count <= capacity ? LEAT_OK : LEAT_FULL;
        if (status == LEAT_OK && count > 0) {
            memcpy(buffer, payload, count);
        }
        if (bytes != NULL) {
            *bytes = count;
        }
    } else {
        status = LEAT_WRONG_STATE;
    }
    leat_job_unhold(engine, index);
    return status;
}

/* ---- quarantine ----------------------------------------------------------------------------- */

bool
leat_job_quarantined(const struct leat_engine *engine, const struct leat_job_extra *extra)
{
    uint32_t after = engine->config.quarantine_after;
    return after != 0 && atom_load_rlx(&extra->crashes) >= after; /* rlx: ordered by change:A */
}

enum leat_status
leat_job_crashed(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = 0;
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    if (extra == NULL) {
        status = LEAT_NO_MEMORY;
    } else {
        (void)atom_add_rlx(&extra->crashes, 1); /* rlx: ordered by made:A */
    }
    leat_job_unhold(engine, index);
    return status;
}
