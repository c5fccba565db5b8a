/* flight.h - a flight recorder: the last records that one thread wrote, for others to read while it
 * goes on. A new record takes the place of the oldest.
 *
 * One word says how many there were so far, and it is written last. A reader copies what is there,
 * and then looks at that word again: what the writer may have been at meanwhile does not count. So
 * no record has a number of its own, and the writer never looks at a reader.
 *
 * Source   Hans-J. Boehm, "Can seqlocks get along with programming language memory models?", 2012,
 *          for the orders. Differs: one count for all records, as of a ring that overwrites.
 * Roles    one writer at a time; any thread reads, into memory of its own.
 * Claims   write  wait-free: five stores, and no locked instruction.
 *          copy   wait-free: each slot once. What it hands out was all there at one moment in the
 *                 call. Where the writer goes round meanwhile that is less, and may be nothing.
 *          Capacity: all slots but one, which may be half written. Wrap: the count has 64 bits.
 *          ABA: none, a count does not come back. Reclamation: none.
 * I1       a record is handed out only as it was written: no word is of another one
 * I2       what is handed out is without gaps, and in the order in which it was written
 * Edges    flight:A -> flight:D   that the record which stood here does not count any more
 *          flight:B -> flight:C   the record
 * If the writer stops for ever in a record: the others are read as before.
 */
#ifndef RING_FLIGHT_H
#define RING_FLIGHT_H

#include <stdio.h>

#include "ring/atomic.h"

/* Two records are a line of cache. Models have fewer words. */
#ifndef LEAT_FLIGHT_WORDS
#    define LEAT_FLIGHT_WORDS 4
#endif

struct leat_flight_record {
    uint64_t words[LEAT_FLIGHT_WORDS];
};

/* Letters: W one writer, many readers. */
struct leat_flight_slot {
    leat_atomic_u64 words[LEAT_FLIGHT_WORDS]; /* W */
};

/* Letters: W one writer, many readers; I set at init, then read-only. */
struct leat_flight {
    LEAT_ALIGNED_LINE leat_atomic_u64 end; /* W position behind the last record */
    struct leat_flight_slot *slots;        /* I */
    uint64_t mask;                         /* I slots - 1 */
};

/* Bytes of the slots; and the same zeroed and aligned to a line, at init. `start` is the first
 * position. */
size_t leat_flight_bytes(uint32_t slots_log2);
void leat_flight_init(struct leat_flight *flight, uint32_t slots_log2, void *memory,
                      uint64_t start);

/* Checks while nobody writes that no slot has been written beyond the count, and that the first
 * words do not fall. Says on `why` (may be NULL) what is wrong. */
bool leat_flight_check(const struct leat_flight *flight, FILE *why);

LEAT_INLINE void
leat_flight_write(struct leat_flight *flight, const struct leat_flight_record *record)
{
    uint64_t at = atom_load_rlx(&flight->end); /* rlx: single writer */
    struct leat_flight_slot *slot = &flight->slots[at & flight->mask];
    for (uint32_t i = 0; i < LEAT_FLIGHT_WORDS; i++) {
        /* flight:A release -> flight:D.  Carries: the count up to here, by which the record that
         * stood here does not count any more.
         * If relaxed: a reader could take words of both for one. */
        atom_store_rel(&slot->words[i], record->words[i]);
    }
    /* flight:B release -> flight:C.  Carries: the record.
     * If relaxed: a reader could find the one that stood here before. */
    atom_store_rel(&flight->end, at + 1);
}

/* The first of the last records, where `end` is behind them: the writer may be at one slot. */
LEAT_INLINE uint64_t
leat_flight_first(const struct leat_flight *flight, uint64_t end)
{
    return end - (end < flight->mask ? end : flight->mask);
}

/* Copies the last records, the oldest first. pre: there is room for all slots but one; no more is
 * written. Returns how many, and where they begin in `records`. */
LEAT_INLINE uint64_t
leat_flight_copy(const struct leat_flight *flight, struct leat_flight_record *records,
                 const struct leat_flight_record **first)
{
    /* flight:C acquire -> flight:B.  Carries: see flight:B.
     * If relaxed: see flight:B. */
    uint64_t end = atom_load_acq(&flight->end);
    uint64_t from = leat_flight_first(flight, end);
    for (uint64_t at = from; at < end; at++) {
        const struct leat_flight_slot *slot = &flight->slots[at & flight->mask];
        for (uint32_t i = 0; i < LEAT_FLIGHT_WORDS; i++) {
            /* flight:D acquire -> flight:A.  Carries: see flight:A.
             * If relaxed: see flight:A. */
            records[at - from].words[i] = atom_load_acq(&slot->words[i]);
        }
    }
    uint64_t now = atom_load_rlx(&flight->end); /* rlx: ordered by flight:D */
    /* By then it has written over those before. */
    uint64_t lost = leat_flight_first(flight, now) - from;
    lost = lost < end - from ? lost : end - from;
    *first = records + lost;
    return end - from - lost;
}

#endif
