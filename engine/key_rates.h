/* key_rates.h - how many attempts of each key may begin in a time: a token bucket for each queue or
 * type and key, there only while it is not full. Why so: docs/design/0019, 0020.
 *
 * Of the jobs of one key one has it (keys.h), so of a bucket, too, there is one user at a time: who
 * has the key is let through when there is a token for it, and the token is its own until its
 * attempt begins, or it lets go of the key. So buckets are plain memory of who holds the role of
 * the key's stripe. The worker only notes when the attempt began; the token is taken by that time
 * when the job comes back to its key: with its next attempt, or its end.
 *
 * Who finds no token stays with its key, in no list, worker or ring, and in front of its own line
 * alone; a timer of its bucket brings it back.
 *
 * Source   ours.
 * Roles    pass, settle, unwait, answer  who holds the role of the key's stripe.
 *          fired   who has the role of the wheel, with a timer in hand.
 *          set     one thread at a time, under the buckets' mutex.
 * Claims   All but set are lock-free, or as the role of a stripe. BLOCKING in who has the role of
 *          the wheel: while it has stopped, keys that wait for a token wait on.
 *          In any time t no more attempts of a key begin than burst + t * jobs / per_ns. But one
 *          that was let through before there was a rate, and finds no room for a bucket, does not
 *          count.
 *          Memory is bounded: as many buckets as jobs_max, LEAT_KEYS_RATED_MAX at most. Where all
 *          are in use, keys without one wait until one is full, and is forgotten.
 *          No wake-up is lost: who has read a rate arms its timer in the same section of rcu.h; who
 *          sets another one waits for those sections, and then brings all timers forward.
 * I1       a bucket has its timer armed, or its fire on the way to its stripe; or PINNED
 * I2       a bucket that is neither waited for nor pinned is not full, or has its timer still
 * I3       waiter: a key that HOLDS and says that it waits here; and no other place has its job
 * Edges    rated:B -> rated:A     the empty table
 *          paced:B -> paced:A     a rate
 */
#ifndef ENGINE_KEY_RATES_H
#define ENGINE_KEY_RATES_H

#include "engine/keys.h"

LEAT_INLINE bool
leat_key_rates_any(const struct leat_engine *engine)
{
    /* rated:A acquire -> rated:B.  Carries: the empty table.
     * If relaxed: an inbox could be used before it is made. */
    return LEAT_UNLIKELY(atom_load_acq(&engine->key_rates) != NULL);
}

bool leat_key_rates_pass_slowly(struct leat_engine *engine, struct leat_key *key);
void leat_key_rates_settle_slowly(struct leat_engine *engine, struct leat_key *key);
void leat_key_rates_answer_slowly(struct leat_engine *engine, uint32_t stripe);

/* It has its key, and goes on to its gates. False: it waits for a token, and comes back by
 * leat_keys_again(). pre: the role of its stripe, as in all below. */
LEAT_INLINE bool
leat_key_rates_pass(struct leat_engine *engine, struct leat_key *key)
{
    return !leat_key_rates_any(engine) || leat_key_rates_pass_slowly(engine, key);
}

/* It lets go of its key: what it began counts. */
LEAT_INLINE void
leat_key_rates_settle(struct leat_engine *engine, struct leat_key *key)
{
    if (leat_key_rates_any(engine)) {
        leat_key_rates_settle_slowly(engine, key);
    }
}

/* It waits, for a token or room, and does not any more. */
void leat_key_rates_unwait(struct leat_engine *engine, struct leat_key *key);

/* What came due for the stripe. */
LEAT_INLINE void
leat_key_rates_answer(struct leat_engine *engine, uint32_t stripe)
{
    if (leat_key_rates_any(engine)) {
        leat_key_rates_answer_slowly(engine, stripe);
    }
}

/* The time that an attempt's begin is noted with. */
uint64_t leat_key_rates_now(const struct leat_engine *engine);

/* What leat_queue_set_key_rate() and others do. LEAT_INVALID, LEAT_NO_MEMORY. */
enum leat_status leat_key_rates_set(struct leat_engine *engine, uint32_t list,
                                    const struct leat_rate *rate);

/* pre: the mutex of the buckets. */
struct leat_rate leat_key_rates_get(const struct leat_engine *engine, uint32_t list);

/* From the open on, for the thread of the clocks. */
struct leat_clock_source leat_key_rates_source(struct leat_engine *engine);
/* No job of the engine is left, or none will run any more. */
void leat_key_rates_fini(struct leat_engine *engine);
/* Bytes of the table that are in memory. */
size_t leat_key_rates_resident(const struct leat_engine *engine);

/* For quiescent moments: I1 to I3, and how many buckets there are. */
bool leat_key_rates_check(struct leat_engine *engine, uint32_t *buckets, FILE *why);
/* Of I3: the bucket that a key waits for waits for it. */
bool leat_key_rates_waits(const struct leat_engine *engine, const struct leat_key *key);

#endif
