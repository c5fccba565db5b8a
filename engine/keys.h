/* keys.h - order per key: jobs that name the same key run one at a time, in the order in which they
 * came. Why so: docs/design/0020.
 *
 * A job with a key has a block of its own. The block of the job that has the key stands in a table
 * of all keys; behind it, in a ring of blocks, stand those that wait for it. When that job has
 * ended, the next one's block takes its place in the table; when none waits, the key is gone. So a
 * key needs no memory beside its jobs'.
 *
 * Source   ours; a hash table of chains under a mutex for each 64th part of it.
 * Roles    enter   who makes a job PENDING and has its index in hand, before its gates.
 *          left    whoever ended the job, or gave it another time, by a swap of its word.
 * Claims   BLOCKING: who is stopped inside a stripe's mutex holds up each job whose key is of that
 *                 stripe, and the threads that bring or end one. No handler or hook of the host's
 *                 runs inside it. Jobs without a key never come here.
 *          One at a time: a job has the key from enter() until left() after its end; in between
 *                 are all its attempts, with their delays.
 *          Order  of enter(), so that of submits by one thread; a delayed job enters when it is
 *                 due. One that gets another time before its first attempt leaves, and enters
 *                 anew. Priorities order nothing here.
 *          None is forgotten: being put into a line and taking the next one from it happen under
 *                 one mutex, and who swaps a job's word comes to left() behind it. So where left()
 *                 comes first, enter() sees the word; where enter() does, left() finds the job.
 *          Constant time, but for the length of a chain, and for those met in a line that were
 *                 cancelled and whose canceller has yet to come, each of them once.
 * I1       HOLDS: it is in the table, once, and no other block there has its key
 * I2       WAITS: it is in the ring of one that HOLDS and has its key; its job is LINKED for this
 *          place, and in no other one
 * I3       no block is in a ring alone but one that HOLDS
 * If a thread stops for ever outside the mutex: one that has the index of the job which has a key,
 * or the key's next in hand, holds up that key; others none.
 */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include "engine/engine_internal.h"

enum leat_key_state {
    LEAT_KEY_OUTSIDE = 0, /* not yet, or no more */
    LEAT_KEY_WAITS,
    LEAT_KEY_HOLDS
};

/* Letters: I set by the submitter; L under the mutex of its stripe. */
struct leat_key {
    struct leat_key *chain;  /* L HOLDS: the next one of its bucket */
    struct leat_key *next;   /* L the ring: of the one that HOLDS, the first that WAITS */
    struct leat_key *before; /* L the same backwards: of the one that HOLDS, the last */
    uint32_t hash;           /* I */
    uint32_t index;          /* I of its job's record */
    uint8_t state;           /* L enum leat_key_state */
    uint8_t bytes;           /* I */
    unsigned char text[];    /* I */
};

/* LEAT_OK, or LEAT_INVALID. */
enum leat_status leat_keys_check_options(const struct leat_job_options *options);

/* Gives a record that nobody knows yet its key. The options were checked. LEAT_NO_MEMORY. */
enum leat_status leat_keys_make(struct leat_engine *engine, uint32_t index,
                                const struct leat_job_options *options);
void leat_keys_free(struct leat_engine *engine, struct leat_job_extra *extra);

bool leat_keys_enter_slowly(struct leat_engine *engine, uint32_t index);
void leat_keys_left_slowly(struct leat_engine *engine, uint32_t index);

/* The job has more than its record, which all with a key have. What is seen of a record that the
 * caller does not keep may be another job's. */
LEAT_INLINE bool
leat_keys_may(const struct leat_engine *engine, uint32_t index)
{
    /* rlx: hint, re-checked at extra:A */
    return LEAT_UNLIKELY(atom_load_rlx(&leat_job_record(engine, index)->extra) != NULL);
}

/* pre: the caller keeps the record. */
LEAT_INLINE bool
leat_keys_has(const struct leat_engine *engine, uint32_t index)
{
    return leat_keys_may(engine, index) &&
           leat_job_extra(leat_job_record(engine, index))->key != NULL;
}

/* The job was just made PENDING, and the caller has its index in hand. False: it waits for its key,
 * and the caller has it no more. */
LEAT_INLINE bool
leat_keys_enter(struct leat_engine *engine, uint32_t index)
{
    return !leat_keys_has(engine, index) || leat_keys_enter_slowly(engine, index);
}

/* The job was ended, or given another time, by a swap of its word: it stands in no line any more,
 * and does not have its key, unless it has begun and not ended. May be said more than once. pre: a
 * hold, or the index in hand. */
LEAT_INLINE void
leat_keys_left(struct leat_engine *engine, uint32_t index)
{
    if (leat_keys_has(engine, index)) {
        leat_keys_left_slowly(engine, index);
    }
}

/* A hold for who ends a job, so that it can come to left() behind the swap; or 0. */
LEAT_INLINE uint64_t
leat_keys_hold(const struct leat_engine *engine, uint32_t index)
{
    return leat_keys_has(engine, index) ? LEAT_WORD_HOLD : 0;
}

/* No job of the engine is left, or none will run any more. */
void leat_keys_fini(struct leat_engine *engine);

/* For quiescent moments: I1 to I3, and how many keys there are; says on `why` (may be NULL) what is
 * wrong. */
bool leat_keys_check(struct leat_engine *engine, uint32_t *keys, FILE *why);

#endif
