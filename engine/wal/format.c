/* format.c - see format.h. */
#include "engine/wal/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/wal/crc32c.h"
#include "engine/wal/file.h"
#include "ring/bytes.h"

#define DIGITS   16
#define SUFFIX   4
#define WAL_NAME (DIGITS + SUFFIX)

LEAT_STATIC(WAL_NAME < LEAT_WAL_NAME_BYTES, "a name has room");

/* Of a header, from behind its sum. */
static uint32_t
sum_of(const void *header, size_t bytes, size_t sum)
{
    const unsigned char *from = (const unsigned char *)header + sum + sizeof(uint32_t);
    return leat_crc32c(0, from, bytes - sum - sizeof(uint32_t));
}

static uint32_t
segment_sum(const struct leat_wal_segment *header)
{
    return sum_of(header, sizeof(*header), offsetof(struct leat_wal_segment, crc));
}

static uint32_t
batch_sum(const struct leat_wal_batch *header)
{
    return sum_of(header, sizeof(*header), offsetof(struct leat_wal_batch, crc));
}

void
leat_wal_segment_seal_as(struct leat_wal_segment *header, uint32_t version)
{
    header->magic = LEAT_WAL_MAGIC;
    header->version = version;
    header->crc = segment_sum(header);
}

void
leat_wal_segment_seal(struct leat_wal_segment *header)
{
    leat_wal_segment_seal_as(header, LEAT_WAL_VERSION);
}

void
leat_wal_batch_seal(struct leat_wal_batch *header)
{
    header->magic = LEAT_WAL_BATCH;
    header->crc = batch_sum(header);
}

enum leat_wal_header
leat_wal_segment_judge(const struct leat_wal_segment *header)
{
    if (header->magic == __builtin_bswap64(LEAT_WAL_MAGIC)) {
        return LEAT_WAL_HEADER_FOREIGN_ORDER;
    }
    if (header->magic != LEAT_WAL_MAGIC || header->crc != segment_sum(header)) {
        return LEAT_WAL_HEADER_DAMAGED;
    }
    return header->version == LEAT_WAL_VERSION ? LEAT_WAL_HEADER_VALID
                                               : LEAT_WAL_HEADER_FOREIGN_VERSION;
}

bool
leat_wal_batch_judge(const struct leat_wal_batch *header, uint64_t id)
{
    return header->magic == LEAT_WAL_BATCH && header->id == id && header->crc == batch_sum(header);
}

bool
leat_wal_record_next(const unsigned char *body, uint32_t bytes, uint32_t *offset,
                     struct leat_wal_record *record)
{
    uint64_t word = 0;
    if (bytes - *offset < LEAT_BYTES_UNIT) {
        return false;
    }
    memcpy(&word, body + *offset, sizeof(word));
    uint64_t size = leat_bytes_size(leat_bytes_data(word));
    if ((word & LEAT_BYTES_PUBLISHED) == 0 || size > bytes - *offset) {
        return false;
    }
    *record = (struct leat_wal_record){body + *offset + sizeof(word), leat_bytes_data(word),
                                       leat_bytes_tag(word), NULL};
    *offset += (uint32_t)size;
    return true;
}

void
leat_wal_name(char *name, uint64_t number, bool is_new)
{
    (void)snprintf(name, LEAT_WAL_NAME_BYTES, "%016" PRIx64 "%s", number, is_new ? ".new" : ".wal");
}

uint64_t
leat_wal_number(const char *name, bool *is_new)
{
    uint64_t number = 0;
    if (strlen(name) != WAL_NAME) {
        return 0;
    }
    for (uint32_t i = 0; i < DIGITS; i++) {
        char digit = name[i];
        bool decimal = digit >= '0' && digit <= '9';
        if (!decimal && !(digit >= 'a' && digit <= 'f')) {
            return 0;
        }
        number = number << 4 | (uint64_t)(decimal ? digit - '0' : digit - 'a' + 10);
    }
    *is_new = strcmp(name + DIGITS, ".new") == 0;
    /* Behind the highest one no segment could begin. */
    bool named = *is_new || strcmp(name + DIGITS, ".wal") == 0;
    return named && number != UINT64_MAX ? number : 0;
}
