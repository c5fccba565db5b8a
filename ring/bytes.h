/* bytes.h - a ring of bytes: any thread appends records, one thread at a time reads what stands in
 * front, in the order of their places. What the log gathers its batches in.
 *
 * Source   Martin Thompson and others, Aeron, ManyToOneRingBuffer (claim by compare-and-swap, a
 *          length that is negative until the record is there). Differs: a record may go round the
 *          end of the ring, so nothing is padded; the reader takes runs of records and not one;
 *          several records can be one unit, which the reader takes as a whole.
 * Roles    any thread reserves, fills and publishes; one thread at a time, the reader, asks what is
 *          ready and gives it back. Who is the reader may change by any order of acquire and
 *          release outside.
 * Claims   reserve  lock-free: a compare-and-swap fails only if another one succeeded.
 *          publish  wait-free.
 *          ready    BLOCKING: a thread that stops between reserve and publish keeps the reader from
 *                   all that was reserved behind it; and once the ring is full, others from
 *                   reserving.
 *          Exact capacity. Positions are 64 bits of bytes and never wrap in the life of a machine.
 * Record   a word of 8 bytes: bit 63 published, bit 62 the next record belongs to the same unit, 61
 *          to 40 a tag of the user's, 31 to 0 the bytes behind the word; then these; then zeros up
 *          to a multiple of 16. The word of what is free is zero.
 * I1       head <= tail <= head + bytes
 * I2       every word at which a record may begin between tail and head + bytes reads zero
 * Edges    bytes:C -> bytes:D   the record
 *          bytes:E -> bytes:A   the zeros of what was given back
 */
#ifndef RING_BYTES_H
#define RING_BYTES_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/memory.h"

#define LEAT_BYTES_UNIT      16
#define LEAT_BYTES_PUBLISHED (UINT64_C(1) << 63)
#define LEAT_BYTES_MORE      (UINT64_C(1) << 62)
#define LEAT_BYTES_TAG_SHIFT 40
#define LEAT_BYTES_TAG_MAX   ((UINT32_C(1) << 22) - 1)

/* Letters: I set at init, then read-only; S many writers; W one writer. */
struct leat_bytes {
    unsigned char *ring;                    /* I */
    uint64_t bytes;                         /* I a power of two */
    struct leat_memory memory;              /* I */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail; /* S reserved up to here */
    LEAT_ALIGNED_LINE leat_atomic_u64 head; /* W given back up to here; by the reader */
};

/* One of the two runs of memory that a range of the ring is. */
struct leat_bytes_piece {
    unsigned char *data;
    size_t bytes;
};

/* `bytes` is a power of two, at least 64. False: no memory. */
bool leat_bytes_init(struct leat_bytes *ring, const struct leat_memory *memory, uint64_t bytes);
void leat_bytes_fini(struct leat_bytes *ring);

/* What a record of so many bytes takes. */
LEAT_INLINE uint64_t
leat_bytes_size(uint64_t data_bytes)
{
    return leat_round_up(data_bytes + sizeof(uint64_t), LEAT_BYTES_UNIT);
}

LEAT_INLINE uint32_t
leat_bytes_data(uint64_t word)
{
    return (uint32_t)word;
}

LEAT_INLINE uint32_t
leat_bytes_tag(uint64_t word)
{
    return (uint32_t)(word >> LEAT_BYTES_TAG_SHIFT) & LEAT_BYTES_TAG_MAX;
}

LEAT_INLINE uint64_t
leat_bytes_word(uint32_t data_bytes, uint32_t tag)
{
    return LEAT_BYTES_PUBLISHED | (uint64_t)tag << LEAT_BYTES_TAG_SHIFT | data_bytes;
}

/* Reserves room for one unit of `size` bytes in all, a sum of leat_bytes_size(). False: there was a
 * moment without that much room. Progress: lock-free. */
bool leat_bytes_reserve(struct leat_bytes *ring, uint64_t size, uint64_t *position);
/* Copies to the data of the record at `position`, from its byte `offset` on. */
void leat_bytes_copy(struct leat_bytes *ring, uint64_t position, uint64_t offset, const void *data,
                     size_t bytes);
/* The record is there. Of a unit of several the first one is published last, and all but the last
 * one have LEAT_BYTES_MORE. Progress: wait-free. */
void leat_bytes_publish(struct leat_bytes *ring, uint64_t position, uint64_t word);

/* Where the whole units end that are ready, in at most `most` bytes; head if there are none. For
 * the reader. */
uint64_t leat_bytes_ready(const struct leat_bytes *ring, uint64_t most);
/* Up to where all was given back. */
uint64_t leat_bytes_head(const struct leat_bytes *ring);
/* The memory between two positions; pieces[1] has 0 bytes where it is one. For the reader. */
void leat_bytes_pieces(const struct leat_bytes *ring, uint64_t from, uint64_t to,
                       struct leat_bytes_piece pieces[2]);
/* Gives back what stands before `to`. For the reader. */
void leat_bytes_give(struct leat_bytes *ring, uint64_t to);

/* Checks I1 and I2 of a ring that nobody is at. `why` may be NULL. */
bool leat_bytes_check(const struct leat_bytes *ring, FILE *why);

#endif
