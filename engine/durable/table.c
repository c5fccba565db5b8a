/* table.c - a log that is read: what each job comes to by all its records. */
#include "engine/durable/internal.h"

#include <string.h>

#define SLOTS_FIRST  4096
#define BLOCKS_FIRST 64

/* ---- by id ----------------------------------------------------------------------------------- */

static uint64_t
mixed(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15);
}

/* Ids whose records are neighbours come one after the other, most often, and begin in neighbouring
 * slots: so many that a page, which may have to be looked up, serves some of them. */
#define NEIGHBOURS UINT64_C(16)

static size_t
first_of(const struct leat_durable_table *table, uint64_t id)
{
    const uint64_t inside = id % NEIGHBOURS;
    return ((size_t)(mixed(id - inside) >> 32) * NEIGHBOURS + inside) & (table->slots_room - 1);
}

/* The slot of an id; or the free one where it would stand. */
static struct leat_durable_slot *
slot_of(const struct leat_durable_table *table, uint64_t id)
{
    const uint64_t mix = mixed(id);
    size_t at = first_of(table, id);
    for (;;) {
        struct leat_durable_slot *slot = &table->slots[at];
        if (slot->entry == 0 || (slot->mark == (uint32_t)mix &&
                                 leat_durable_table_at(table, slot->entry - 1)->id == id)) {
            return slot;
        }
        at = (at + 1) & (table->slots_room - 1);
    }
}

const struct leat_durable_entry *
leat_durable_table_find(const struct leat_durable_table *table, uint64_t id)
{
    uint32_t entry = table->slots_room == 0 ? 0 : slot_of(table, id)->entry;
    return entry == 0 ? NULL : leat_durable_table_at(table, entry - 1);
}

static void
slots_give(const struct leat_durable *durable)
{
    const struct leat_durable_table *table = &durable->table;
    leat_memory_give(&durable->memory, table->slots,
                     sizeof(struct leat_durable_slot) * table->slots_room);
}

/* False: no memory. */
static bool
slots_grow(struct leat_durable *durable)
{
    struct leat_durable_table *table = &durable->table;
    struct leat_durable_table larger = *table;
    larger.slots_room = table->slots_room == 0 ? SLOTS_FIRST : table->slots_room * 4;
    larger.slots =
        leat_memory_take(&durable->memory, sizeof(struct leat_durable_slot) * larger.slots_room);
    if (larger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        const uint64_t id = leat_durable_table_at(table, i)->id;
        *slot_of(&larger, id) = (struct leat_durable_slot){(uint32_t)mixed(id), (uint32_t)i + 1};
    }
    slots_give(durable);
    *table = larger;
    return true;
}

static size_t
blocks_of(const struct leat_durable_table *table)
{
    return (table->count + LEAT_DURABLE_BLOCK - 1) / LEAT_DURABLE_BLOCK;
}

static void
blocks_give(const struct leat_durable *durable)
{
    const struct leat_durable_table *table = &durable->table;
    leat_memory_give(&durable->memory, table->blocks,
                     sizeof(struct leat_durable_entry *) * table->blocks_room);
}

/* One more block. False: no memory. */
static bool
block_add(struct leat_durable *durable)
{
    struct leat_durable_table *table = &durable->table;
    const size_t count = blocks_of(table);
    if (count == table->blocks_room) {
        size_t room = count == 0 ? BLOCKS_FIRST : count * 2;
        struct leat_durable_entry **blocks =
            leat_memory_take(&durable->memory, sizeof(struct leat_durable_entry *) * room);
        if (blocks == NULL) {
            return false;
        }
        if (count != 0) {
            memcpy(blocks, table->blocks, sizeof(struct leat_durable_entry *) * count);
        }
        blocks_give(durable);
        table->blocks = blocks;
        table->blocks_room = room;
    }
    if (table->blocks[count] == NULL) {
        table->blocks[count] = leat_durable_bulk_fresh(
            &table->bulk, sizeof(struct leat_durable_entry) * LEAT_DURABLE_BLOCK);
    }
    return table->blocks[count] != NULL;
}

/* NULL: no memory. */
static struct leat_durable_entry *
entry_make(struct leat_durable *durable, uint64_t id)
{
    struct leat_durable_table *table = &durable->table;
    if (table->count * 2 >= table->slots_room && !slots_grow(durable)) {
        return NULL;
    }
    struct leat_durable_slot *slot = slot_of(table, id);
    if (slot->entry != 0) {
        return leat_durable_table_at(table, slot->entry - 1);
    }
    if (table->count % LEAT_DURABLE_BLOCK == 0 && !block_add(durable)) {
        return NULL;
    }
    *slot = (struct leat_durable_slot){(uint32_t)mixed(id), (uint32_t)++table->count};
    struct leat_durable_entry *entry = leat_durable_table_at(table, table->count - 1);
    entry->id = id;
    return entry;
}

static void
block_give(struct leat_durable *durable, unsigned char **block, uint32_t *bytes)
{
    leat_durable_bulk_give(&durable->table.bulk, &durable->memory, *block, *bytes);
    *block = NULL;
    *bytes = 0;
}

/* False: no memory. */
static bool
block_take(struct leat_durable *durable, const unsigned char *from, size_t bytes,
           unsigned char **block, uint32_t *block_bytes)
{
    block_give(durable, block, block_bytes);
    if (bytes == 0) {
        return true;
    }
    *block = leat_durable_bulk_take(&durable->table.bulk, &durable->memory, bytes);
    if (*block == NULL) {
        return false;
    }
    durable->table.singles += leat_durable_bulk_single(bytes) ? 1 : 0;
    memcpy(*block, from, bytes);
    *block_bytes = (uint32_t)bytes;
    return true;
}

static void
count_give(const struct leat_durable *durable, struct leat_durable_entry *entry)
{
    leat_memory_give(&durable->memory, entry->count, sizeof(*entry->count));
    entry->count = NULL;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Which of two states counts: see struct leat_durable_state. */
static bool
counts(const struct leat_durable_entry *entry, const struct leat_durable_state *state)
{
    if (entry->state.format == 0) {
        return true;
    }
    int32_t ahead = (int32_t)(state->version - entry->state.version);
    return ahead > 0 || (ahead == 0 && state->image == 0);
}

static bool
job_take(struct leat_durable *durable, const struct leat_durable_parts *parts)
{
    const struct leat_durable_state *state = &parts->state;
    struct leat_durable_entry *entry = entry_make(durable, state->id);
    if (entry == NULL) {
        return false;
    }
    if (entry->ended) {
        return true;
    }
    if (counts(entry, state)) {
        entry->state = *state;
        entry->state_ns = durable->table.written_ns;
        size_t bytes = (size_t)state->error_bytes + state->result_bytes + state->attempts_bytes;
        /* The result stands behind the error, and the attempts behind that. */
        if (!block_take(durable, parts->error, bytes, &entry->tail, &entry->tail_bytes)) {
            return false;
        }
    }
    if (state->image <= entry->image) {
        return true;
    }
    entry->image = state->image;
    entry->image_ns = durable->table.written_ns;
    entry->image_bytes = durable->table.stored_bytes;
    entry->unreadable =
        leat_durable_sequence_read(&entry->sequence, parts->content, state->content_bytes);
    return block_take(durable, parts->content, state->content_bytes, &entry->content,
                      &entry->content_bytes);
}

static bool
end_take(struct leat_durable *durable, uint64_t id)
{
    struct leat_durable_entry *entry = entry_make(durable, id);
    if (entry == NULL) {
        return false;
    }
    entry->ended = true;
    count_give(durable, entry);
    block_give(durable, &entry->content, &entry->content_bytes);
    block_give(durable, &entry->tail, &entry->tail_bytes);
    return true;
}

static bool
claimed_take(struct leat_durable *durable, uint64_t id)
{
    struct leat_durable_entry *entry = entry_make(durable, id);
    if (entry != NULL) {
        entry->claimed = true;
    }
    return entry != NULL;
}

/* Two of one job say the same. What was left when it was written is the most that it is held
 * for. */
static bool
held_take(struct leat_durable *durable, const struct leat_durable_held *held,
          const struct leat_wal_record *record)
{
    const uint64_t written_ns = durable->table.written_ns;
    struct leat_durable_entry *entry = entry_make(durable, held->id);
    durable->table.held += entry != NULL && entry->held == NULL ? 1 : 0;
    if (entry == NULL ||
        !block_take(durable, record->data, record->bytes, &entry->held, &entry->held_bytes)) {
        return false;
    }
    LEAT_ASSERT(entry->held != NULL); /* the record has bytes, as it was read */
    struct leat_durable_held bound = *held;
    const uint64_t left_ns = held->until_ns > written_ns ? held->until_ns - written_ns : 0;
    bound.for_ns = left_ns < held->for_ns ? left_ns : held->for_ns;
    memcpy(entry->held, &bound, sizeof(bound));
    return true;
}

/* The last one is right. */
static bool
count_take(struct leat_durable *durable, const struct leat_durable_count *count)
{
    struct leat_durable_entry *entry = entry_make(durable, count->id);
    if (entry == NULL || entry->ended) {
        return entry != NULL;
    }
    if (entry->count == NULL) {
        entry->count = leat_memory_take(&durable->memory, sizeof(*count));
        durable->table.singles++;
    }
    if (entry->count != NULL) {
        *entry->count = *count;
    }
    return entry->count != NULL;
}

/* The place of a queue by name. NULL: no memory. */
static struct leat_durable_named *
named_make(struct leat_durable *durable, const char *name)
{
    struct leat_durable_table *table = &durable->table;
    for (size_t i = 0; i < table->queues_count; i++) {
        if (strcmp(table->queues[i].name, name) == 0) {
            return &table->queues[i];
        }
    }
    if (table->queues_count == table->queues_room) {
        size_t room = table->queues_room == 0 ? 16 : table->queues_room * 2;
        struct leat_durable_named *queues =
            leat_memory_take(&durable->memory, sizeof(*queues) * room);
        if (queues == NULL) {
            return NULL;
        }
        if (table->queues_count != 0) {
            memcpy(queues, table->queues, sizeof(*queues) * table->queues_count);
        }
        leat_memory_give(&durable->memory, table->queues, sizeof(*queues) * table->queues_room);
        table->queues = queues;
        table->queues_room = room;
    }
    struct leat_durable_named *named = &table->queues[table->queues_count++];
    memcpy(named->name, name, strlen(name) + 1);
    return named;
}

static bool
queue_take(struct leat_durable *durable, const struct leat_durable_named *read)
{
    struct leat_durable_named *named = named_make(durable, read->name);
    if (named != NULL) {
        named->queue = read->queue;
    }
    return named != NULL;
}

static bool
tuning_take(struct leat_durable *durable, const struct leat_durable_named *read)
{
    struct leat_durable_named *named = named_make(durable, read->name);
    if (named != NULL && (named->tuning.format == 0 ||
                          (int32_t)(read->tuning.version - named->tuning.version) > 0)) {
        named->tuning = read->tuning;
    }
    return named != NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum leat_status
taken(bool there)
{
    return there ? LEAT_OK : LEAT_NO_MEMORY;
}

static enum leat_status
job_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_parts parts;
    enum leat_status status = leat_durable_parts_read(&parts, record->data, record->bytes);
    if (status == LEAT_OK && parts.state.id == 0) {
        status = LEAT_CORRUPT;
    }
    return status == LEAT_OK ? taken(job_take(durable, &parts)) : status;
}

/* Of a record that is an id: 0: it is none. */
static uint64_t
id_of(const struct leat_wal_record *record)
{
    uint64_t id = 0;
    if (record->bytes == sizeof(id)) {
        memcpy(&id, record->data, sizeof(id));
    }
    return id;
}

static enum leat_status
end_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    uint64_t id = id_of(record);
    return id == 0 ? LEAT_CORRUPT : taken(end_take(durable, id));
}

static enum leat_status
claimed_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    uint64_t id = id_of(record);
    return id == 0 ? LEAT_CORRUPT : taken(claimed_take(durable, id));
}

static enum leat_status
held_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_held_parts parts;
    enum leat_status status = leat_durable_held_read(&parts, record->data, record->bytes);
    return status == LEAT_OK ? taken(held_take(durable, &parts.head, record)) : status;
}

static enum leat_status
ids_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_ids ids = {0};
    if (record->bytes == sizeof(ids)) {
        memcpy(&ids, record->data, sizeof(ids));
    }
    if (ids.format != LEAT_DURABLE_FORMAT) {
        return ids.format == 0 ? LEAT_CORRUPT : LEAT_UNSUPPORTED;
    }
    if (ids.ceiling > durable->table.ceiling) {
        durable->table.ceiling = ids.ceiling;
    }
    return LEAT_OK;
}

static enum leat_status
queue_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_named named = {.name = ""};
    size_t head = sizeof(named.queue);
    if (record->bytes <= head || record->bytes - head > LEAT_NAME_BYTES_MAX) {
        return LEAT_CORRUPT;
    }
    memcpy(&named.queue, record->data, head);
    memcpy(named.name, record->data + head, record->bytes - head);
    if (named.queue.format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    return leat_name_valid(named.name) ? taken(queue_take(durable, &named)) : LEAT_CORRUPT;
}

static enum leat_status
tuning_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_named named = {.name = ""};
    enum leat_status status = leat_durable_tuning_read(&named, record);
    return status == LEAT_OK ? taken(tuning_take(durable, &named)) : status;
}

static enum leat_status
count_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_count count;
    enum leat_status status = leat_durable_count_read(&count, record);
    return status == LEAT_OK ? taken(count_take(durable, &count)) : status;
}

static enum leat_status
record_read(struct leat_durable *durable, const struct leat_wal_record *record)
{
    enum leat_status status = LEAT_UNSUPPORTED; /* what a later version has written */
    if (record->tag == LEAT_DURABLE_JOB) {
        status = job_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_END) {
        status = end_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_IDS) {
        status = ids_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_QUEUE) {
        status = queue_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_COUNT) {
        status = count_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_SCHEDULE) {
        status = leat_durable_schedule_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_TUNING) {
        status = tuning_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_HELD) {
        status = held_read(durable, record);
    } else if (record->tag == LEAT_DURABLE_CLAIMED) {
        status = claimed_read(durable, record);
    }
    return status;
}

bool
leat_durable_table_record(void *context, struct leat_wal_place place,
                          const struct leat_wal_record *record)
{
    struct leat_durable *durable = context;
    struct leat_wal_record plain;
    enum leat_status status = leat_durable_read(durable, record, &plain);
    durable->found.old_key_records += durable->unsealed.key != durable->key ? 1 : 0;
    durable->table.stored_bytes = record->bytes;
    durable->table.written_ns = place.written_ns;
    if (status == LEAT_OK) {
        status = record_read(durable, &plain);
    }
    durable->table.status = status;
    return status == LEAT_OK;
}

void
leat_durable_table_fini(struct leat_durable *durable)
{
    struct leat_durable_table *table = &durable->table;
    const size_t count = table->singles == 0 ? 0 : table->count;
    for (size_t i = 0; i < count; i++) {
        struct leat_durable_entry *entry = leat_durable_table_at(table, i);
        block_give(durable, &entry->content, &entry->content_bytes);
        block_give(durable, &entry->tail, &entry->tail_bytes);
        block_give(durable, &entry->held, &entry->held_bytes);
        count_give(durable, entry);
    }
    leat_durable_bulk_fini(&table->bulk);
    blocks_give(durable);
    slots_give(durable);
    leat_memory_give(&durable->memory, table->queues, sizeof(*table->queues) * table->queues_room);
    leat_durable_schedules_fini(durable);
    *table = (struct leat_durable_table){.slots = NULL};
}
