/* keys.h - order per key: jobs that name the same key run one at a time, in the order in which they
 * came. Why so: docs/design/0020.
 *
 * A job with a key has a block of its own. The block of the job that has the key stands in a table
 * of all keys; behind it, in a ring of blocks, stand those that wait for it. When that job has
 * ended, the next one's block takes its place in the table; when none waits, the key is gone. So a
 * key needs no memory beside its jobs'.
 *
 * Source   ours; a hash table of chains in 64 stripes. What is asked of a job goes into its
 *          stripe's inbox, and who finds nobody at it answers all that is there: Hendler, Incze,
 *          Shavit, Tzafrir, Flat Combining and the Synchronization-Parallelism Tradeoff, 2010.
 *          Differs: nobody waits for an answer.
 * Roles    enter   who makes a job PENDING and has its index in hand, before its gates.
 *          left    whoever ended the job, or gave it another time, by a swap of its word.
 *          retire  who takes a job that has ended from its place.
 *          Of all these, one thread for each stripe is the one that answers.
 * Claims   All lock-free: nobody waits, and a swap fails only where another one succeeded.
 *          BLOCKING in who answers: while that thread has stopped, jobs whose key is of the same
 *                 64th part neither come to run nor hand their key on, and records of those that
 *                 were cancelled are not given back. Other keys, and jobs without one, go on.
 *          One at a time: a job has the key from enter() until its end is seen by left(); in
 *                 between are all its attempts, with their delays.
 *          Order  of enter(), so that of submits by one thread; a delayed job enters when it is
 *                 due. One that gets another time before its first attempt leaves, and enters
 *                 anew. Priorities order nothing here.
 *          None is forgotten: lines are changed and words are looked at by one thread at a time,
 *                 and who swaps a job's word asks for a look behind it. So where that is answered
 *                 first, enter() sees the word; where enter() is, the look finds the job.
 *          Constant time for each that asks, but for the length of a chain; those met in a line
 *                 that have ended, each once; and what others ask meanwhile.
 * I1       HOLDS: it is in the table, once, and no other block there has its key
 * I2       WAITS: it is in the ring of one that HOLDS and has its key; its job is LINKED for this
 *          place, and in no other one
 * I3       no block is in a ring alone but one that HOLDS
 * I4       asks: not 0 where the block is in the inbox, or about to be put there; it has a hold of
 *          its record then, or LINKED
 * Edges    ask:A -> heard:A       the word, as who asked has left it
 *          life:A -> change:B          that an attempt has begun
 *          stripe:A -> stripe:B        that something is in the inbox
 *          stripe:B -> stripe:A        the lines
 * If a thread stops for ever elsewhere: one that has the index of the job which has a key holds up
 * that key.
 */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include "engine/engine_internal.h"

/* It waits for a bucket (key_rates.h). */
#define LEAT_KEY_WAITS_FOR_ROOM UINT32_MAX

enum leat_key_state {
    LEAT_KEY_OUTSIDE = 0, /* not yet, or no more */
    LEAT_KEY_WAITS,
    LEAT_KEY_HOLDS
};

/* Letters: I set by the submitter; O who answers; W who answers writes, many read; S many. */
struct leat_key {
    struct leat_key *chain;   /* O HOLDS: the next one of its bucket */
    struct leat_key *next;    /* O the ring: of the one that HOLDS, the first that WAITS */
    struct leat_key *before;  /* O the same backwards: of the one that HOLDS, the last */
    leat_atomic_u64 began_ns; /* W as begun: when its last attempt began, where keys have rates;
                                 LEAT_TIME_NEVER: not since it was counted */
    leat_atomic_u32 link;     /* S of the inbox */
    leat_atomic_u32 asks;     /* S see I4 */
    leat_atomic_u32 state;    /* W enum leat_key_state */
    uint32_t waits;           /* O for a token: its bucket + 1; LEAT_KEY_WAITS_FOR_ROOM; or 0 */
    leat_atomic_u8 begun;     /* W of who has the job in hand: an attempt began since it entered */
    uint32_t hash;            /* I */
    uint32_t index;           /* I of its job's record */
    uint8_t bytes;            /* I */
    unsigned char text[];     /* I */
};

/* LEAT_OK, or LEAT_INVALID. */
enum leat_status leat_keys_check_options(const struct leat_job_options *options);

/* Gives a record that nobody knows yet its key. The options were checked. LEAT_NO_MEMORY. */
enum leat_status leat_keys_make(struct leat_engine *engine, uint32_t index,
                                const struct leat_job_options *options);
void leat_keys_free(struct leat_engine *engine, struct leat_job_extra *extra);

bool leat_keys_enter_slowly(struct leat_engine *engine, uint32_t index);
void leat_keys_left_slowly(struct leat_engine *engine, uint32_t index);
bool leat_keys_retire_slowly(struct leat_engine *engine, uint32_t index);

/* The job has more than its record, which all with a key have. What is seen of a record that the
 * caller does not keep may be another job's. */
LEAT_INLINE bool
leat_keys_may(const struct leat_engine *engine, uint32_t index)
{
    /* rlx: hint, re-checked at block:A */
    return LEAT_UNLIKELY(atom_load_rlx(&leat_job_record(engine, index)->extra) != NULL);
}

/* pre: the caller keeps the record. */
LEAT_INLINE bool
leat_keys_has(const struct leat_engine *engine, uint32_t index)
{
    return leat_keys_may(engine, index) &&
           leat_job_extra(leat_job_record(engine, index))->key != NULL;
}

/* The job was just made PENDING, and the caller has its index in hand. False: from now on its key
 * has it, and puts it on when it is its turn. */
LEAT_INLINE bool
leat_keys_enter(struct leat_engine *engine, uint32_t index)
{
    return !leat_keys_has(engine, index) || leat_keys_enter_slowly(engine, index);
}

/* The job was ended, or given another time, by a swap of its word: it will stand in no line any
 * more, and not have its key, unless it has begun and not ended. Takes a hold of the caller's. */
LEAT_INLINE void
leat_keys_left(struct leat_engine *engine, uint32_t index)
{
    if (leat_keys_has(engine, index)) {
        leat_keys_left_slowly(engine, index);
    } else {
        leat_job_unhold(engine, index);
    }
}

/* The job has ended, and the caller has its index. True: it has its key yet, so that has the index
 * now, and retires it later. */
LEAT_INLINE bool
leat_keys_retire(struct leat_engine *engine, uint32_t index)
{
    return leat_keys_has(engine, index) && leat_keys_retire_slowly(engine, index);
}

/* Notes the time, where keys have rates. */
void leat_keys_note_slowly(const struct leat_engine *engine, struct leat_key *key);

LEAT_INLINE void
leat_keys_note(const struct leat_engine *engine, struct leat_key *key, bool begun)
{
    /* An attempt from before the first rate does not count. rlx: hint, re-checked at rated:A */
    if (LEAT_UNLIKELY(atom_load_rlx(&engine->key_rates) != NULL) && begun) {
        leat_keys_note_slowly(engine, key);
    }
}

/* An attempt of the job begins, or, with false, it is to be brought back from its end, and enters
 * anew. pre: the caller has its index in hand. */
LEAT_INLINE void
leat_keys_begun(struct leat_engine *engine, struct leat_job_extra *extra, bool begun)
{
    if (extra->key != NULL) {
        atom_store_rlx(&extra->key->begun, begun ? 1 : 0); /* rlx: ordered by change:B */
        leat_keys_note(engine, extra->key, begun);
    }
}

/* A hold for who ends a job, so that it can come to left() behind the swap; or 0. */
LEAT_INLINE uint64_t
leat_keys_hold(const struct leat_engine *engine, uint32_t index)
{
    return leat_keys_has(engine, index) ? LEAT_WORD_HOLD : 0;
}

/* ---- for key_rates.c ------------------------------------------------------------------------- */

/* Something of the stripe came due: as if it was asked of a job. */
void leat_keys_due(struct leat_engine *engine, uint32_t stripe);
/* A key that waited for a token looks again. pre: the role of its stripe. */
void leat_keys_again(struct leat_engine *engine, struct leat_key *key);
/* So do all of the stripe that wait for room, from *cursor on, until one sets *starved. pre: as
 * again. */
void leat_keys_starved(struct leat_engine *engine, uint32_t stripe, uint32_t *cursor,
                       const bool *starved);

/* No job of the engine is left, or none will run any more. */
void leat_keys_fini(struct leat_engine *engine);
/* Bytes of the table that are in memory. */
size_t leat_keys_resident(const struct leat_engine *engine);

/* For quiescent moments: I1 to I4, and how many keys there are; says on `why` (may be NULL) what is
 * wrong. */
bool leat_keys_check(struct leat_engine *engine, uint32_t *keys, FILE *why);

#endif
