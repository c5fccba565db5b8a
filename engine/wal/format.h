/* format.h - what the files of the log have in them, byte by byte. Why so: docs/design/0036.
 *
 * A segment is a file of a fixed size, zeros but for what is written below. Numbers are in the byte
 * order of the machine; one of the other order is refused by the first word. Everything begins on a
 * block of 4 KiB, so that nothing that was acknowledged is ever written again.
 *
 *   block 0    struct leat_wal_segment, then zeros
 *   then       batches without a gap, each: struct leat_wal_batch, records, zeros up to a block
 *   record     as in ring/bytes.h: a word, the data, zeros up to 16 bytes
 *
 * A segment begins with the batch `first`, and batches are numbered on and on over all segments.
 * What an older segment has of that number and of later ones is void: an open writes anew what was
 * not known to be durable, and a torn batch stays where it is.
 */
#ifndef ENGINE_WAL_FORMAT_H
#define ENGINE_WAL_FORMAT_H

#include "ring/base.h"

#define LEAT_WAL_BLOCK   UINT64_C(4096)
#define LEAT_WAL_VERSION UINT32_C(1)
/* Read by a machine of the other byte order it is another number. */
#define LEAT_WAL_MAGIC UINT64_C(0x31474f4c5441454c) /* "LEATLOG1" */
#define LEAT_WAL_BATCH UINT32_C(0x4843544c)         /* "LTCH" */

/* The identity of a segment is random, so that blocks of another file are no batches of it. */
struct leat_wal_segment {
    uint64_t magic;
    uint32_t crc; /* of what stands behind it up to the end of the struct */
    uint32_t version;
    uint64_t id;
    uint64_t number;  /* of the segment, as in its name; from 1 on */
    uint64_t first;   /* batch */
    uint64_t durable; /* batches below this one were durable when the segment began */
    uint64_t oldest;  /* segment that is needed */
    uint64_t bytes;   /* of the file */
};

struct leat_wal_batch {
    uint32_t magic;
    uint32_t crc; /* of what stands behind it up to the end of the struct */
    uint64_t id;  /* of the segment */
    uint64_t number;
    uint64_t durable;  /* batches below this one were durable when it was written */
    uint64_t oldest;   /* segment that is needed */
    uint32_t bytes;    /* of its records; 0: it says only what was durable */
    uint32_t body_crc; /* of all behind the header, up to the end of its last block */
    /* When it was, by the wall clock, behind the last of its records; 0: not known, as in an older
     * log, which has zeros there. Written anew it keeps that. See docs/design/0044. */
    uint64_t written_ns;
    uint64_t zero;
};

LEAT_STATIC(sizeof(struct leat_wal_segment) == 64, "no padding");
LEAT_STATIC(sizeof(struct leat_wal_batch) == 64, "no padding, and records begin on 16 bytes");

/* Bytes in the file of a batch with so many bytes of records. */
LEAT_INLINE uint64_t
leat_wal_batch_size(uint64_t bytes)
{
    return leat_round_up(sizeof(struct leat_wal_batch) + bytes, LEAT_WAL_BLOCK);
}

/* Sets the magic, the version and the sum. */
void leat_wal_segment_seal(struct leat_wal_segment *header);
/* The same of another version, for tests. */
void leat_wal_segment_seal_as(struct leat_wal_segment *header, uint32_t version);
void leat_wal_batch_seal(struct leat_wal_batch *header);

enum leat_wal_header {
    LEAT_WAL_HEADER_VALID,
    LEAT_WAL_HEADER_FOREIGN_ORDER,   /* a machine of the other byte order wrote it */
    LEAT_WAL_HEADER_FOREIGN_VERSION, /* it is of another version */
    LEAT_WAL_HEADER_DAMAGED
};

enum leat_wal_header leat_wal_segment_judge(const struct leat_wal_segment *header);
/* The header alone is good, and of the segment. */
bool leat_wal_batch_judge(const struct leat_wal_batch *header, uint64_t id);

/* One record of a batch. */
struct leat_wal_record {
    const unsigned char *data;
    uint32_t bytes;
    uint32_t tag;
    const void *ahead; /* what was made of it before its turn, see wal.h; or NULL */
};

/* Reads the record at *offset of the `bytes` of a body, and moves *offset behind it. False: it does
 * not fit in, or is none. pre: *offset < bytes, data aligned to 8. */
bool leat_wal_record_next(const unsigned char *body, uint32_t bytes, uint32_t *offset,
                          struct leat_wal_record *record);

/* The name of a segment, "0000000000000001.wal" or with ".new"; and its number, 0 if it is none. */
void leat_wal_name(char *name, uint64_t number, bool is_new);
uint64_t leat_wal_number(const char *name, bool *is_new);

#endif
