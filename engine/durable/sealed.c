/* sealed.c - see sealed.h. */
#include "engine/durable/sealed.h"

#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "engine/seal/squeeze.h"

/* ---- what is in the clear -------------------------------------------------------------------- */

static uint32_t
clear_of(uint32_t tag)
{
    if (tag == LEAT_DURABLE_JOB) {
        return sizeof(struct leat_durable_state);
    }
    return tag == LEAT_DURABLE_END ? sizeof(uint64_t) : 0;
}

/* What a sealed record is bound to. */
struct bound {
    uint32_t tag;
    unsigned char clear[sizeof(struct leat_durable_state)];
};

LEAT_STATIC(offsetof(struct bound, clear) == sizeof(uint32_t), "no padding");

static struct leat_seal_item
item_of(const struct bound *bound, uint32_t clear, const void *data, uint32_t bytes)
{
    return (struct leat_seal_item){data, bound, bytes, (uint32_t)sizeof(bound->tag) + clear};
}

/* ---- keys ------------------------------------------------------------------------------------ */

struct keys {
    struct leat_seal_source sources[LEAT_SEAL_KEYS_MAX];
    uint32_t count;
    unsigned char given[LEAT_SEAL_KEYS_MAX][LEAT_SEAL_KEY_BYTES]; /* by the host's function */
    char files[LEAT_LOG_KEY_FILE_BYTES_MAX + 1];
};

static bool
key_given(void *context, unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    memcpy(key, context, LEAT_SEAL_KEY_BYTES);
    return true;
}

/* Those of the host's function, up to the first that it has not. */
static void
keys_ask(struct keys *keys, const struct leat_config *config)
{
    while (keys->count < LEAT_SEAL_KEYS_MAX &&
           config->log_key(config->log_key_context, keys->count, keys->given[keys->count])) {
        keys->sources[keys->count] =
            (struct leat_seal_source){.key = key_given, .context = keys->given[keys->count]};
        keys->count++;
    }
}

/* "FILE:FILE". False: there are too many. */
static bool
keys_name(struct keys *keys, const char *files)
{
    char *file = keys->files;
    (void)snprintf(keys->files, sizeof(keys->files), "%s", files);
    while (file != NULL && keys->count < LEAT_SEAL_KEYS_MAX) {
        char *end = strchr(file, ':');
        keys->sources[keys->count++] = (struct leat_seal_source){.file = file};
        if (end != NULL) {
            *end++ = '\0';
        }
        file = end;
    }
    return file == NULL;
}

static enum leat_status
keys_take(struct keys *keys, const struct leat_config *config, struct leat_error *error)
{
    if (config->log_key_file != NULL && !keys_name(keys, config->log_key_file)) {
        return leat_error_set(error, LEAT_INVALID, "log_key_file", "names more than 16 files");
    }
    if (config->log_key != NULL) {
        keys_ask(keys, config);
    }
    if (config->log_key != NULL && keys->count == 0) {
        return leat_error_set(error, LEAT_REFUSED, "log_key", "gave no key");
    }
    return LEAT_OK;
}

enum leat_status
leat_sealed_open(struct leat_seal *seal, const struct leat_config *config,
                 const struct leat_memory *memory, struct leat_error *error)
{
    bool squeezes = config->log_compression == LEAT_LOG_COMPRESSION_LZ4;
    struct keys *keys = leat_memory_take(memory, sizeof(*keys));
    if (keys == NULL) {
        return leat_error_set(error, LEAT_NO_MEMORY, "log_key_file", "no memory for the keys");
    }
    enum leat_status status = keys_take(keys, config, error);
    if (status == LEAT_OK) {
        const struct leat_seal_config wanted = {
            .memory = *memory,
            .keys = keys->sources,
            .keys_count = keys->count,
            .compress_above = squeezes ? LEAT_SEAL_COMPRESS_ABOVE : LEAT_SEAL_COMPRESS_NEVER,
            .bytes_max = LEAT_SQUEEZE_BYTES_MAX,
            .takes_plain = config->log_takes_plain};
        const char *field = config->log_key_file != NULL ? "log_key_file"
                            : config->log_key != NULL    ? "log_key"
                                                         : "log_compression";
        struct leat_error said;
        status = leat_seal_open(seal, &wanted, &said);
        if (status != LEAT_OK) {
            char text[sizeof(said.text)];
            (void)snprintf(text, sizeof(text), "cannot be used: %.180s", said.text);
            (void)leat_error_set(error, status, field, text);
        }
    }
    explicit_bzero(keys, sizeof(*keys));
    leat_memory_give(memory, keys, sizeof(*keys));
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Bytes from `from` on of head and data, one behind the other. */
static void
part_copy(const struct leat_wal_entry *entry, uint32_t from, uint32_t bytes, unsigned char *to)
{
    uint32_t head = from < entry->head_bytes ? entry->head_bytes - from : 0;
    head = head < bytes ? head : bytes;
    if (head != 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): it has bytes */
        memcpy(to, (const unsigned char *)entry->head + from, head);
    }
    if (bytes != head) {
        uint32_t at = from + head - entry->head_bytes;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the same */
        memcpy(to + head, (const unsigned char *)entry->data + at, bytes - head);
    }
}

/* The rest, where it lies in one piece; or NULL. */
static const unsigned char *
rest_of(const struct leat_wal_entry *entry, uint32_t clear)
{
    if (entry->head_bytes <= clear) {
        return entry->data_bytes == 0
                   ? NULL
                   : (const unsigned char *)entry->data + (clear - entry->head_bytes);
    }
    return entry->data_bytes == 0 ? (const unsigned char *)entry->head + clear : NULL;
}

enum leat_status
leat_sealed_make(struct leat_seal *seal, const struct leat_wal_entry *entry,
                 struct leat_sealed *sealed)
{
    uint32_t clear = clear_of(entry->tag);
    uint32_t bytes = entry->head_bytes + entry->data_bytes;
    struct bound bound = {.tag = entry->tag | LEAT_DURABLE_SEALED};
    LEAT_ASSERT(clear <= bytes);
    uint32_t rest = bytes - clear;
    sealed->entry = *entry;
    sealed->block = NULL;
    if (seal->secret == NULL && rest <= seal->config.compress_above) {
        return LEAT_OK;
    }
    const unsigned char *from = rest_of(entry, clear);
    bool joins = from == NULL && rest != 0;
    sealed->block_bytes = clear + leat_seal_bound(rest) + (joins ? rest : 0);
    unsigned char *to = sealed->small;
    if (sealed->block_bytes > sizeof(sealed->small)) {
        sealed->block = leat_memory_take(&seal->config.memory, sealed->block_bytes);
        to = sealed->block;
    }
    if (to == NULL) {
        return LEAT_NO_MEMORY;
    }
    part_copy(entry, 0, clear, to);
    memcpy(bound.clear, to, clear);
    if (joins) {
        unsigned char *joined = to + clear + leat_seal_bound(rest);
        part_copy(entry, clear, rest, joined);
        from = joined;
    }
    const struct leat_seal_item item = item_of(&bound, clear, from, rest);
    uint32_t stored = 0;
    enum leat_status status = leat_seal_put(seal, &item, to + clear, &stored);
    if (status != LEAT_OK) {
        leat_sealed_give(seal, sealed);
    } else if (seal->secret != NULL || stored < rest) {
        sealed->entry =
            (struct leat_wal_entry){.tag = bound.tag, .head = to, .head_bytes = clear + stored};
    }
    return status;
}

void
leat_sealed_give(const struct leat_seal *seal, struct leat_sealed *sealed)
{
    leat_memory_give(&seal->config.memory, sealed->block, sealed->block_bytes);
    sealed->block = NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The sealed part of a record; false: there is none. */
static bool
item_find(const struct leat_wal_record *record, struct bound *bound, struct leat_seal_item *item)
{
    uint32_t clear = clear_of(record->tag & ~LEAT_DURABLE_SEALED);
    *bound = (struct bound){.tag = record->tag};
    if ((record->tag & LEAT_DURABLE_SEALED) == 0 || record->bytes < clear) {
        return false;
    }
    memcpy(bound->clear, record->data, clear);
    *item = item_of(bound, clear, record->data + clear, record->bytes - clear);
    return true;
}

static bool
room_make(const struct leat_seal *seal, struct leat_unsealed *room, size_t bytes)
{
    if (bytes > room->bytes) {
        leat_unsealed_give(seal, room);
        room->block = leat_memory_take(&seal->config.memory, bytes);
        room->bytes = room->block == NULL ? 0 : bytes;
    }
    return bytes <= room->bytes;
}

/* What was read ahead of its turn. */
struct early {
    uint64_t key;
    struct leat_wal_record plain;
};

#define EARLY_BYTES (leat_round_up(sizeof(struct early), 16))

size_t
leat_sealed_ahead(void *seal, const struct leat_wal_record *record, void *to, size_t room)
{
    struct bound bound;
    struct leat_seal_item item;
    struct leat_seal_sight sight;
    struct early *early = to;
    uint32_t taken = 0;
    if (!item_find(record, &bound, &item) ||
        leat_seal_look(seal, item.data, item.bytes, &sight) != LEAT_OK) {
        return 0;
    }
    uint32_t clear = record->bytes - item.bytes;
    size_t head = EARLY_BYTES + clear;
    unsigned char *plain = (unsigned char *)to + EARLY_BYTES;
    if (leat_round_up(head + sight.room_bytes + 1, 16) > room ||
        leat_seal_take(seal, &item, plain + clear, sight.room_bytes, &taken) != LEAT_OK) {
        return 0;
    }
    memcpy(plain, record->data, clear);
    early->key = sight.key;
    early->plain =
        (struct leat_wal_record){plain, clear + taken, record->tag & ~LEAT_DURABLE_SEALED, NULL};
    return leat_round_up(head + taken, 16);
}

enum leat_status
leat_sealed_read(struct leat_seal *seal, struct leat_unsealed *room,
                 const struct leat_wal_record *record, struct leat_wal_record *plain)
{
    struct bound bound;
    struct leat_seal_item item;
    struct leat_seal_sight sight;
    uint32_t taken = 0;
    if (record->ahead != NULL) {
        const struct early *early = record->ahead;
        *plain = early->plain;
        room->key = early->key;
        return LEAT_OK;
    }
    room->key = 0;
    if ((record->tag & LEAT_DURABLE_SEALED) == 0) {
        *plain = *record;
        return seal->secret != NULL && !seal->config.takes_plain ? LEAT_WRONG_KEY : LEAT_OK;
    }
    if (!item_find(record, &bound, &item)) {
        return LEAT_CORRUPT;
    }
    enum leat_status status = leat_seal_look(seal, item.data, item.bytes, &sight);
    if (status != LEAT_OK) {
        return status;
    }
    uint32_t clear = record->bytes - item.bytes;
    /* One more, so that there is a place also where there are no bytes. */
    if (!room_make(seal, room, (size_t)clear + sight.room_bytes + 1)) {
        return LEAT_NO_MEMORY;
    }
    status = leat_seal_take(seal, &item, room->block + clear, sight.room_bytes, &taken);
    if (status != LEAT_OK) {
        return status;
    }
    memcpy(room->block, record->data, clear);
    room->key = sight.key;
    *plain = (struct leat_wal_record){
        .data = room->block, .bytes = clear + taken, .tag = record->tag & ~LEAT_DURABLE_SEALED};
    return LEAT_OK;
}

void
leat_unsealed_give(const struct leat_seal *seal, struct leat_unsealed *room)
{
    leat_memory_give(&seal->config.memory, room->block, room->bytes);
    room->block = NULL;
    room->bytes = 0;
}

enum leat_status
leat_sealed_explain(const struct leat_seal *seal, const struct leat_wal_record *record,
                    enum leat_status status, struct leat_error *error)
{
    struct bound bound;
    struct leat_seal_item item;
    if (item_find(record, &bound, &item)) {
        return leat_seal_explain(seal, &item, status, error);
    }
    if (status == LEAT_WRONG_KEY) {
        return leat_seal_fail(error, status,
                              "a record is not encrypted, and a key is given: log_takes_plain "
                              "lets it in, unless it was not written here");
    }
    return leat_seal_fail(error, status, "a record is too short");
}

struct leat_sealed_sight
leat_sealed_look(const struct leat_seal *seal, const struct leat_wal_record *record)
{
    struct bound bound;
    struct leat_seal_item item;
    struct leat_sealed_sight sight = {.tag = record->tag & ~LEAT_DURABLE_SEALED,
                                      .sealed = (record->tag & LEAT_DURABLE_SEALED) != 0};
    sight.clear_bytes = clear_of(sight.tag);
    sight.legible = item_find(record, &bound, &item) &&
                    leat_seal_look(seal, item.data, item.bytes, &sight.seal) == LEAT_OK;
    return sight;
}
