/* book.h - the last so many records of ended jobs, oldest first: an array that is written round and
 * round, in which each place can be looked at and emptied alone. Why so: docs/design/0023.
 *
 * Source   ours.
 * Roles    any thread puts, takes, reads and looks.
 * Claims   put    wait-free, in two steps: a position, and a swap there.
 *          take   wait-free: one swap of one place.
 *          pop    lock-free; its loop ends with the book.
 *          look, age  never wait; while one that has stopped is at it, nothing goes by age.
 *          Whoever swaps an id out of its place has it alone; an id is in one place at most, and
 *          never comes back once its record is gone.
 * I1       a place holds an id, whose word has LINKED for it, or 0
 * I2       `count` is how many do, but for steps under way
 * I3       at most `max` do
 * Edges    entry:A -> entry:B   what was done to the record before it was put
 *          entry:A -> entry:C   the same
 *          entry:D -> entry:B   what was done to the record while it was out
 *          aged:B -> aging:A    the marks
 * If a thread stops for ever between the steps of a put, its record is not given back; between a
 * swap of a place and the count, the count is off by one. Nobody else is held up.
 */
#ifndef ENGINE_BOOK_H
#define ENGINE_BOOK_H

#include "engine/limits.h"
#include "ring/atomic.h"

/* Where the book was at a time. Letters: O who looks. */
struct leat_book_mark {
    uint64_t at_ns; /* O */
    uint64_t next;  /* O */
};

/* Letters: I set at init, then read-only; S many writers; O who looks. */
struct leat_book {
    LEAT_ALIGNED_LINE leat_atomic_u64 next;       /* S position of the next entry, from 0 on */
    LEAT_ALIGNED_LINE leat_atomic_u64 count;      /* S */
    leat_atomic_u64 oldest;                       /* S hint: an entry before it came late, if any */
    leat_atomic_u64 *entries;                     /* I by position modulo max: an id, or 0 */
    uint32_t max;                                 /* I 0: nothing is kept */
    size_t bytes;                                 /* I */
    uint64_t age_ns;                              /* O 0: none */
    LEAT_ALIGNED_LINE leat_atomic_u32 looking;    /* S 1: a thread looks at the ages */
    leat_atomic_u64 look_ns;                      /* S when to look again */
    uint32_t marked;                              /* O marks so far */
    struct leat_book_mark marks[LEAT_BOOK_MARKS]; /* O the last ones */
};

bool leat_book_init(struct leat_book *book, uint32_t max, uint64_t age_ns);
void leat_book_fini(struct leat_book *book);
/* Bytes that are mapped. */
size_t leat_book_bytes(uint32_t max);

/* Writes an id at the end. Returns the one whose place it takes, or 0. pre: max is not 0. */
uint64_t leat_book_put(struct leat_book *book, uint64_t id);
/* Takes an id out of its place. False: it is not there any more. */
bool leat_book_take(struct leat_book *book, uint64_t position, uint64_t id);
/* Back into the place that the caller took it from. False: that is written over. */
bool leat_book_untake(struct leat_book *book, uint64_t position, uint64_t id);
/* Takes the oldest entry before `end`. Returns 0 if there is none. */
uint64_t leat_book_pop(struct leat_book *book, uint64_t end);

/* The positions of which the places may have something: first, and one behind the last. */
uint64_t leat_book_first(const struct leat_book *book);
uint64_t leat_book_end(const struct leat_book *book);
/* What stands there, or 0. */
uint64_t leat_book_at(const struct leat_book *book, uint64_t position);
uint64_t leat_book_count(const struct leat_book *book);

/* Notes where the book is, at most LEAT_BOOK_PARTS times in an age, and says up to where the
 * entries are older than that: 0 if it is not time to look, or another thread does. */
uint64_t leat_book_look(struct leat_book *book, uint64_t now_ns);
/* Another age; 0: none. False: a thread looks at the ages, and nothing has changed. */
bool leat_book_age(struct leat_book *book, uint64_t age_ns);

#endif
