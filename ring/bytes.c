/* bytes.c - reserving, publishing and reading runs of records, see bytes.h. */
#include "ring/bytes.h"

#include <inttypes.h>
#include <string.h>

LEAT_STATIC(sizeof(leat_atomic_u64) <= LEAT_BYTES_UNIT, "a word never goes round the end");

static leat_atomic_u64 *
word_at(const struct leat_bytes *ring, uint64_t position)
{
    return (leat_atomic_u64 *)(void *)(ring->ring + (position & (ring->bytes - 1)));
}

bool
leat_bytes_init(struct leat_bytes *ring, const struct leat_memory *memory, uint64_t bytes)
{
    LEAT_ASSERT((bytes & (bytes - 1)) == 0);
    LEAT_ASSERT(bytes >= 4 * (uint64_t)LEAT_BYTES_UNIT);
    *ring = (struct leat_bytes){.bytes = bytes, .memory = *memory};
    ring->ring = leat_memory_take_lines(memory, bytes);
    return ring->ring != NULL;
}

void
leat_bytes_fini(struct leat_bytes *ring)
{
    leat_memory_give(&ring->memory, ring->ring, ring->bytes);
    ring->ring = NULL;
}

bool
leat_bytes_reserve(struct leat_bytes *ring, uint64_t size, uint64_t *position)
{
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at bytes:B */
    for (;;) {
        /* bytes:A acquire -> bytes:E.  Carries: the zeros of what was given back.
         * If relaxed: the reader's zeros could be written over the new record. */
        uint64_t head = atom_load_acq(&ring->head);
        /* An old tail may be behind a new head: then the swap fails. */
        if (tail >= head && tail + size - head > ring->bytes) {
            return false;
        }
        /* bytes:B */
        if (atom_cas_rlx(&ring->tail, &tail, tail + size)) { /* rlx: ordered by bytes:C */
            *position = tail;
            return true;
        }
    }
}

void
leat_bytes_copy(struct leat_bytes *ring, uint64_t position, uint64_t offset, const void *data,
                size_t bytes)
{
    struct leat_bytes_piece pieces[2];
    uint64_t from = position + sizeof(uint64_t) + offset;
    leat_bytes_pieces(ring, from, from + bytes, pieces);
    for (uint32_t i = 0; i < 2; i++) {
        if (pieces[i].bytes != 0) {
            memcpy(pieces[i].data, data, pieces[i].bytes);
        }
        data = (const unsigned char *)data + pieces[i].bytes;
    }
}

void
leat_bytes_publish(struct leat_bytes *ring, uint64_t position, uint64_t word)
{
    /* bytes:C release -> bytes:D.  Carries: the bytes of the record; of a unit, all records.
     * If relaxed: the reader could write out a record that is not there yet. */
    atom_store_rel(word_at(ring, position), word);
}

uint64_t
leat_bytes_head(const struct leat_bytes *ring)
{
    return atom_load_rlx(&ring->head); /* rlx: single writer */
}

uint64_t
leat_bytes_ready(const struct leat_bytes *ring, uint64_t most)
{
    uint64_t head = leat_bytes_head(ring);
    uint64_t whole = head; /* end of the last whole unit */
    uint64_t at = head;
    most = most < ring->bytes ? most : ring->bytes;
    for (;;) { /* ends at a word of 0, or behind `most`: a record takes room */
        /* bytes:D acquire -> bytes:C.  Carries: see bytes:C.
         * If relaxed: see bytes:C. */
        uint64_t word = atom_load_acq(word_at(ring, at));
        if (word == 0) {
            break;
        }
        at += leat_bytes_size(leat_bytes_data(word));
        if (at - head > most) {
            break;
        }
        whole = (word & LEAT_BYTES_MORE) != 0 ? whole : at;
    }
    return whole;
}

void
leat_bytes_pieces(const struct leat_bytes *ring, uint64_t from, uint64_t to,
                  struct leat_bytes_piece pieces[2])
{
    uint64_t start = from & (ring->bytes - 1);
    uint64_t bytes = to - from;
    uint64_t first = bytes < ring->bytes - start ? bytes : ring->bytes - start;
    pieces[0] = (struct leat_bytes_piece){ring->ring + start, first};
    pieces[1] = (struct leat_bytes_piece){ring->ring, bytes - first};
}

void
leat_bytes_give(struct leat_bytes *ring, uint64_t to)
{
    for (uint64_t at = leat_bytes_head(ring); at < to; at += LEAT_BYTES_UNIT) {
        atom_store_rlx(word_at(ring, at), 0); /* rlx: ordered by bytes:E */
        memset(word_at(ring, at) + 1, 0, LEAT_BYTES_UNIT - sizeof(uint64_t));
    }
    /* bytes:E release -> bytes:A.  Carries: see bytes:A.
     * If relaxed: see bytes:A. */
    atom_store_rel(&ring->head, to);
}

bool
leat_bytes_check(const struct leat_bytes *ring, FILE *why)
{
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    if (tail < head || tail - head > ring->bytes) {
        if (why != NULL) {
            (void)fprintf(why, "bytes: head %" PRIu64 ", tail %" PRIu64 "\n", head, tail);
        }
        return false;
    }
    for (uint64_t at = tail; at < head + ring->bytes; at += LEAT_BYTES_UNIT) {
        if (atom_load_rlx(word_at(ring, at)) != 0) { /* rlx: not shared yet */
            if (why != NULL) {
                (void)fprintf(why, "bytes: not zero at %" PRIu64 "\n", at);
            }
            return false;
        }
    }
    return true;
}
