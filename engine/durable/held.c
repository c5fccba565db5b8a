/* held.c - unique keys that are held for a time, in the log: behind the end of their job a record
 * of their own says it (HELD), and one who has taken a key from another says so (CLAIMED), so that
 * an open knows whose it is. Why so: docs/design/0042. */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/labels.h"
#include "engine/unique.h"
#include "ring/rcu.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* The key of a job that holds it for a time; or NULL. */
static struct leat_claim *
timed_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    /* Such a claim is its job's for good: who brings a job back changes others only. */
    return extra != NULL && extra->durable->key_for_ns != 0 ? extra->labels->key : NULL;
}

static size_t
put(struct leat_durable_holding *holding, size_t at, const void *from, size_t bytes)
{
    memcpy(holding->texts + at, from, bytes);
    return at + bytes;
}

const struct leat_wal_entry *
leat_durable_holding_make(struct leat_engine *engine, leat_job_id id, enum leat_phase phase,
                          struct leat_durable_holding *holding)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    holding->claim = timed_of(engine, index);
    if (holding->claim == NULL) {
        return NULL;
    }
    const struct leat_claim_text text = leat_claim_text_of(holding->claim);
    uint64_t left_ns = leat_claim_left_ns(engine, text, id);
    if (left_ns == 0) {
        holding->claim = NULL;
        return NULL;
    }
    const char *type = leat_names_text(&engine->types, text.type);
    const size_t type_bytes = strlen(type) + 1;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    uint64_t for_ns = leat_job_extra(leat_job_record(engine, index))->durable->key_for_ns;
    holding->head = (struct leat_durable_held){.format = LEAT_DURABLE_FORMAT,
                                               .phase = (uint8_t)phase,
                                               .type_bytes = (uint16_t)type_bytes,
                                               .key_bytes = (uint16_t)text.bytes,
                                               .id = id.bits,
                                               .until_ns = leat_timers_after(now_ns, left_ns),
                                               .ended_ns = now_ns,
                                               .for_ns = for_ns};
    size_t bytes = put(holding, 0, type, type_bytes);
    bytes = put(holding, bytes, text.text, text.bytes);
    holding->entry = (struct leat_wal_entry){.tag = LEAT_DURABLE_HELD,
                                             .head = &holding->head,
                                             .head_bytes = sizeof(holding->head),
                                             .data = holding->texts,
                                             .data_bytes = (uint32_t)bytes};
    return &holding->entry;
}

/* How much of the log is needed for a claim, until that is forgotten. */
static void
logged(struct leat_durable *durable, struct leat_claim *claim, size_t bytes)
{
    uint32_t size = (uint32_t)leat_bytes_size(bytes);
    uint32_t was = atom_swap_rlx(&claim->logged, size);             /* rlx: ordered by drop:A */
    (void)atom_add_rlx(&durable->live_bytes, (uint64_t)size - was); /* rlx: statistic */
}

void
leat_durable_holding_said(struct leat_engine *engine, const struct leat_durable_holding *holding)
{
    if (holding->claim != NULL) {
        logged(engine->durable, holding->claim,
               (size_t)holding->entry.head_bytes + holding->entry.data_bytes);
    }
}

void
leat_durable_unheld(struct leat_engine *engine, uint32_t bytes)
{
    (void)atom_sub_rlx(&engine->durable->live_bytes, bytes); /* rlx: statistic */
}

enum leat_status
leat_durable_claimed_slowly(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    if (extra == NULL || extra->durable == NULL || !leat_labels_took(engine, index)) {
        return LEAT_OK;
    }
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    const uint64_t id = leat_word_of(leat_word_generation(word), index);
    struct leat_wal_entry entry = {
        .tag = LEAT_DURABLE_CLAIMED, .head = &id, .head_bytes = sizeof(id)};
    uint64_t position = 0;
    /* Not as what this thread has to wait for later: the submit waits for all there is. */
    enum leat_status status =
        leat_durable_append_first(engine->durable, &entry, 1, true, &position);
    if (status == LEAT_OK) {
        leat_durable_grown(engine->durable);
    }
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum leat_status
leat_durable_held_read(struct leat_durable_held_parts *parts, const unsigned char *data,
                       size_t bytes)
{
    struct leat_durable_held *head = &parts->head;
    if (bytes < sizeof(*head)) {
        return LEAT_CORRUPT;
    }
    memcpy(head, data, sizeof(*head));
    if (head->format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    size_t left = bytes - sizeof(*head);
    parts->type = (const char *)data + sizeof(*head);
    parts->key = data + sizeof(*head) + head->type_bytes;
    bool whole = head->id != 0 && left == (size_t)head->type_bytes + head->key_bytes &&
                 head->key_bytes != 0 && head->key_bytes <= LEAT_UNIQUE_KEY_BYTES_MAX &&
                 head->type_bytes != 0 &&
                 memchr(parts->type, 0, head->type_bytes) == parts->type + head->type_bytes - 1;
    return whole && leat_name_valid(parts->type) && head->phase < LEAT_PHASE_COUNT ? LEAT_OK
                                                                                   : LEAT_CORRUPT;
}

/* ---- back ------------------------------------------------------------------------------------ */

static enum leat_status
revive(struct leat_engine *engine, const struct leat_durable_entry *entry)
{
    struct leat_durable_held_parts parts;
    enum leat_status status = leat_durable_held_read(&parts, entry->held, entry->held_bytes);
    LEAT_ASSERT(status == LEAT_OK);
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    if (parts.head.until_ns <= now_ns || parts.head.for_ns == 0) {
        return LEAT_OK;
    }
    struct leat_job job = leat_job_default();
    struct leat_claim_text text = {.text = parts.key, .bytes = parts.head.key_bytes};
    struct leat_claim *claim = NULL;
    job.type_name = parts.type;
    status = leat_registry_type_named(engine, &job, &text.type);
    if (status == LEAT_OK) {
        uint64_t left_ns = parts.head.until_ns - now_ns;
        left_ns = left_ns < parts.head.for_ns ? left_ns : parts.head.for_ns;
        status = leat_claim_hold(engine, text, (leat_job_id){entry->id}, left_ns, &claim);
    }
    if (status == LEAT_OK) {
        logged(engine->durable, claim, entry->held_bytes);
    }
    return status;
}

/* A job whose end is not in the log, though its key is, speaks for itself. */
enum leat_status
leat_durable_held_revive(struct leat_engine *engine, struct leat_error *error)
{
    const struct leat_durable_table *table = &engine->durable->table;
    const size_t count = table->held == 0 ? 0 : table->count;
    for (size_t i = 0; i < count; i++) {
        const struct leat_durable_entry *entry = leat_durable_table_at(table, i);
        if (entry->held == NULL || entry->content != NULL) {
            continue;
        }
        enum leat_status status = revive(engine, entry);
        if (status != LEAT_OK) {
            const char *text = status == LEAT_FULL
                                   ? "has a key of a type that cannot be made: is types_max lower?"
                                   : "has a key that cannot be held: no memory";
            return leat_error_set(error, status, "log_directory", text);
        }
    }
    return LEAT_OK;
}

/* Until when a job that is there holds its key, by the wall clock: 0: not for a time. */
static uint64_t
until_of(const struct leat_durable_entry *entry)
{
    struct leat_durable_found found;
    if (entry->content == NULL ||
        leat_durable_content_read(&found, entry->content, entry->content_bytes) != LEAT_OK ||
        found.options.unique_for_ns == 0) {
        return 0;
    }
    return leat_timers_after(found.submit_ns, found.options.unique_for_ns);
}

bool
leat_durable_held_yields(const struct leat_engine *engine, const struct leat_revival *revival,
                         leat_job_id holder)
{
    struct leat_durable_held_parts parts;
    const uint64_t submit_ns = revival->found->submit_ns;
    const struct leat_durable_entry *entry =
        leat_durable_table_find(&engine->durable->table, holder.bits);
    if (entry == NULL) {
        return false;
    }
    if (entry->held == NULL || entry->content != NULL) {
        uint64_t until_ns = until_of(entry);
        return until_ns != 0 && submit_ns >= until_ns;
    }
    enum leat_status status = leat_durable_held_read(&parts, entry->held, entry->held_bytes);
    LEAT_ASSERT(status == LEAT_OK);
    bool cancelled = parts.head.phase == LEAT_PHASE_CANCELLED || parts.head.phase == 0;
    bool replaced =
        revival->conflict == LEAT_UNIQUE_REPLACE && cancelled && submit_ns <= parts.head.ended_ns;
    return replaced || submit_ns >= parts.head.until_ns;
}

/* ---- cleaning -------------------------------------------------------------------------------- */

bool
leat_durable_held_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                        bool copies)
{
    struct leat_durable_held_parts parts;
    if (leat_durable_held_read(&parts, record->data, record->bytes) != LEAT_OK) {
        return false;
    }
    struct leat_durable_held *head = &parts.head;
    const uint32_t type = leat_names_find(&engine->types, parts.type);
    const struct leat_claim_text text = {type, parts.key, head->key_bytes};
    const uint64_t left_ns =
        type == LEAT_NAME_NONE ? 0 : leat_claim_left_ns(engine, text, (leat_job_id){head->id});
    if (left_ns != 0 && copies) {
        const uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
        const uint64_t until_ns = leat_timers_after(now_ns, left_ns);
        head->until_ns = until_ns < head->until_ns ? until_ns : head->until_ns;
        const struct leat_wal_entry entry = {.tag = LEAT_DURABLE_HELD,
                                             .head = head,
                                             .head_bytes = sizeof(*head),
                                             .data = record->data + sizeof(*head),
                                             .data_bytes = record->bytes - (uint32_t)sizeof(*head)};
        (void)leat_durable_append(engine->durable, &entry);
    }
    return left_ns != 0;
}

uint64_t
leat_durable_key_left_ns(struct leat_engine *engine, leat_job_id id, uint32_t index)
{
    struct leat_claim *claim = timed_of(engine, index);
    return claim == NULL ? LEAT_FOREVER : leat_claim_left_ns(engine, leat_claim_text_of(claim), id);
}
