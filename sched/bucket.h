/* bucket.h - how many may begin in a time: the token bucket of a queue or a type. Who waits for a
 * token stands in a list of sched/lists.h. Why it is so: docs/design/0019.
 *
 * Source   ITU-T I.371, "Traffic control and congestion control in B-ISDN", annex A: the generic
 *          cell rate algorithm as virtual scheduling. Differs: a place is kept for who is let
 *          through, and the token is taken when it begins.
 * Roles    enter   the holder of a level's role (sched/lists.h), for one of its jobs.
 *          take    any thread, for a job that is about to begin.
 *          leave   any thread, once for each that entered: behind its take, or without one.
 *          fired   who has the bucket's timer in hand.
 *          close, fill  one thread at a time, which happens behind the one before.
 * Time     goes in marks of 2^shift to the token, a whole number of them, and a mark lasts for one
 *          to two nanoseconds, longer only where 2^60 of them would not hold the burst. What the
 *          clock says is turned into marks from the start on, each time anew and rounded down: so
 *          nothing adds up, and no rate drifts.
 * Claims   enter, take, leave, fired  lock-free: a swap fails only where another one succeeded.
 *          In any time t no more than burst + t * jobs / per_ns tokens are taken, where t is longer
 *          by one mark.
 *          No wake-up is lost. Who is turned away sets its level's bit in the swap with which it
 *          decides. Where time would help, it sets TIMED in the same swap, and whoever did that
 *          arms the timer. Where it would not, since all that the bucket can ever hold is kept for
 *          others, one of these leaves by a later swap, and sees the bit.
 *          The timer is for the next token, however many are kept; so who waits is called by the
 *          first one that it can have. Who has taken its token and not left yet counts twice: it
 *          looks, when it leaves, whether one was turned away for that.
 *          A bit stays until the first of its list enters, as in sched/gate.h.
 * I1       held: those that entered and have not left
 * I2       TIMED: the timer is armed, or its arming or its end is in the hand of one thread
 * I3       a list that waits for a token has its level's bit set, or is called already
 * I4       whoever reads `next` as a time finds the rate as it was set before that, until its
 *          section of rcu.h ends
 * Edges    bucket:B -> bucket:D   the token that was taken, to who counts what is left
 *          bucket:A -> bucket:B   the time by which one was turned away, to who leaves
 *          bucket:C -> bucket:A   the timer, to who arms it again
 *          rate:B -> rate:A       the rate
 */
#ifndef SCHED_BUCKET_H
#define SCHED_BUCKET_H

#include "ring/atomic.h"
#include "sched/limits.h"

/* Word, 64 bits
 *   63..48  wanted  levels whose list waits here
 *   32      TIMED
 *   31..0   held
 */
#define LEAT_BUCKET_WANTED_SHIFT 48
#define LEAT_BUCKET_TIMED        (UINT64_C(1) << 32)

/* Of `next`; times begin above. */
#define LEAT_BUCKET_NONE   0 /* no rate: all pass */
#define LEAT_BUCKET_CLOSED 1 /* none passes, and nobody reads the rate */
#define LEAT_BUCKET_ZERO   2 /* the start */

/* A time beyond all that clocks show. */
#define LEAT_BUCKET_NEVER_NS (UINT64_C(1) << 63)

LEAT_STATIC(LEAT_BUCKET_WANTED_SHIFT + LEAT_PRIORITY_LEVELS <= 64, "a bucket's word has them all");

/* Zeroed at first: no rate. Letters: S many writers; Q see I4. */
struct leat_bucket {
    leat_atomic_u64 word; /* S */
    leat_atomic_u64 next; /* S mark from which on the bucket is full, if nothing is taken */
    uint64_t start_ns;    /* Q */
    uint64_t per_ns;      /* Q */
    uint32_t jobs;        /* Q */
    uint32_t burst;       /* Q */
    uint32_t shift;       /* Q */
};

/* jobs in per_ns, at most one a nanosecond; burst at once. */
struct leat_bucket_rate {
    uint32_t jobs;
    uint32_t burst;
    uint64_t per_ns;
};

__extension__ typedef unsigned __int128 leat_bucket_wide;

/* ---- marks ----------------------------------------------------------------------------------- */

LEAT_INLINE uint64_t
leat_bucket_unit(const struct leat_bucket *bucket)
{
    return UINT64_C(1) << bucket->shift;
}

/* Marks in per_ns. */
LEAT_INLINE uint64_t
leat_bucket_marks(const struct leat_bucket *bucket)
{
    return (uint64_t)bucket->jobs << bucket->shift;
}

/* The mark that was passed last. */
LEAT_INLINE uint64_t
leat_bucket_mark(const struct leat_bucket *bucket, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns > bucket->start_ns ? now_ns - bucket->start_ns : 0;
    leat_bucket_wide all = (leat_bucket_wide)elapsed_ns * leat_bucket_marks(bucket);
    return LEAT_BUCKET_ZERO + (uint64_t)(all / bucket->per_ns);
}

/* The first nanosecond by which a mark is passed. */
LEAT_INLINE uint64_t
leat_bucket_ns(const struct leat_bucket *bucket, uint64_t mark)
{
    uint64_t marks = leat_bucket_marks(bucket);
    leat_bucket_wide all = (leat_bucket_wide)(mark - LEAT_BUCKET_ZERO) * bucket->per_ns;
    leat_bucket_wide ns = bucket->start_ns + (all + marks - 1) / marks;
    return ns < LEAT_BUCKET_NEVER_NS ? (uint64_t)ns : LEAT_BUCKET_NEVER_NS;
}

/* Tokens that are there where `next` says so. */
LEAT_INLINE uint64_t
leat_bucket_tokens(const struct leat_bucket *bucket, uint64_t next, uint64_t now_ns)
{
    uint64_t full = (uint64_t)bucket->burst << bucket->shift;
    uint64_t end = leat_bucket_mark(bucket, now_ns) + full;
    uint64_t there = next > end ? 0 : (end - next) >> bucket->shift;
    return there < bucket->burst ? there : bucket->burst;
}

/* ---- who passes ------------------------------------------------------------------------------ */

LEAT_INLINE uint64_t
leat_bucket_next(const struct leat_bucket *bucket)
{
    /* rate:A acquire -> rate:B.  Carries: the rate.
     * If relaxed: a time could be taken for one of another rate. */
    return atom_load_acq(&bucket->next);
}

LEAT_INLINE uint32_t
leat_bucket_held(uint64_t word)
{
    return (uint32_t)word;
}

/* The levels whose lists wait. */
LEAT_INLINE uint32_t
leat_bucket_wanted(uint64_t word)
{
    return (uint32_t)(word >> LEAT_BUCKET_WANTED_SHIFT);
}

enum leat_bucket_passage {
    LEAT_BUCKET_FREE,   /* there is no rate */
    LEAT_BUCKET_PASSED, /* it entered */
    LEAT_BUCKET_SHUT,   /* its list will be called */
    LEAT_BUCKET_ARM,    /* the same, once the caller has armed the timer for leat_bucket_due_ns() */
};

/* One of a level's passes; `first` as in leat_gate_enter(). pre: a section of rcu.h, until the
 * timer is armed. */
LEAT_INLINE enum leat_bucket_passage
leat_bucket_enter(struct leat_bucket *bucket, uint64_t now_ns, uint32_t level, bool first)
{
    uint64_t bit = UINT64_C(1) << (LEAT_BUCKET_WANTED_SHIFT + level);
    for (;;) {
        /* bucket:D acquire -> bucket:B.  Carries: the tokens that were taken by who has left.
         * If relaxed: one could be let through for such a token, and be turned back. */
        uint64_t now = atom_load_acq(&bucket->word);
        uint64_t next = leat_bucket_next(bucket);
        bool time_helps = true;
        uint64_t there = 0;
        if (next == LEAT_BUCKET_NONE) {
            return LEAT_BUCKET_FREE;
        }
        if (next != LEAT_BUCKET_CLOSED) {
            time_helps = leat_bucket_held(now) < bucket->burst;
            there = leat_bucket_tokens(bucket, next, now_ns);
        }
        bool passes = leat_bucket_held(now) < there;
        uint64_t turned = now | bit | (time_helps ? LEAT_BUCKET_TIMED : 0);
        uint64_t after = passes ? (now & ~(first ? bit : 0)) + 1 : turned;
        /* bucket:A acq_rel -> bucket:B, bucket:C.  Carries: the timer, which is nobody's; what
         * time it is, to who leaves.
         * If relaxed: it could be armed while it is in a hand; see missed(). */
        if (atom_cas_acq_rel(&bucket->word, &now, after)) {
            if (passes) {
                return LEAT_BUCKET_PASSED;
            }
            bool arms = (after & ~now & LEAT_BUCKET_TIMED) != 0;
            return arms ? LEAT_BUCKET_ARM : LEAT_BUCKET_SHUT;
        }
    }
}

/* When the next token comes, if no other is taken; `now_ns` is that of the enter that was turned
 * away. Places do not count: who holds one may have taken its token, or find none. pre: as enter.
 */
LEAT_INLINE uint64_t
leat_bucket_due_ns(const struct leat_bucket *bucket, uint64_t now_ns)
{
    uint64_t next = leat_bucket_next(bucket);
    if (next == LEAT_BUCKET_NONE || next == LEAT_BUCKET_CLOSED) {
        return next == LEAT_BUCKET_NONE ? 0 : LEAT_BUCKET_NEVER_NS; /* fill is followed by a look */
    }
    uint64_t there = leat_bucket_tokens(bucket, next, now_ns);
    uint64_t spare = there < bucket->burst ? bucket->burst - there - 1 : bucket->burst;
    uint64_t before = spare << bucket->shift;
    return next - LEAT_BUCKET_ZERO <= before ? 0 : leat_bucket_ns(bucket, next - before);
}

/* What take did, for who puts it back. */
struct leat_bucket_taken {
    uint64_t before;
    uint64_t after;
};

/* Takes a token, now. False: there is none. pre: a section of rcu.h. */
LEAT_INLINE bool
leat_bucket_take(struct leat_bucket *bucket, uint64_t now_ns, struct leat_bucket_taken *taken)
{
    uint64_t next = leat_bucket_next(bucket);
    uint64_t after = 0;
    do {
        if (next <= LEAT_BUCKET_CLOSED) {
            *taken = (struct leat_bucket_taken){next, next};
            return next == LEAT_BUCKET_NONE;
        }
        uint64_t mark = leat_bucket_mark(bucket, now_ns);
        uint64_t full = (uint64_t)bucket->burst << bucket->shift;
        if (next > mark + full - leat_bucket_unit(bucket)) {
            return false;
        }
        /* Of a full bucket the time so far is lost. */
        after = (next > mark ? next : mark) + leat_bucket_unit(bucket);
        *taken = (struct leat_bucket_taken){next, after};
        /* A stale time makes who counts the tokens let one through that is turned back here. The
         * rate is the same, or CLOSED. rlx: ordered by bucket:B, rate:A */
    } while (!atom_cas_rlx(&bucket->next, &next, after));
    return true;
}

/* Puts a token back, unless another one was taken since: then that could be one too many. */
LEAT_INLINE void
leat_bucket_give(struct leat_bucket *bucket, const struct leat_bucket_taken *taken)
{
    uint64_t after = taken->after;
    (void)atom_cas_rlx(&bucket->next, &after, taken->before); /* rlx: ordered by bucket:B */
}

/* One that entered has begun, or does not any more. Returns the word behind it: where it took no
 * token, or there is no timer, the levels that wait are to be called; else, those that missed(). */
LEAT_INLINE uint64_t
leat_bucket_leave(struct leat_bucket *bucket)
{
    uint64_t now = atom_load_rlx(&bucket->word); /* rlx: hint, re-checked at bucket:B */
    do {
        LEAT_ASSERT(leat_bucket_held(now) != 0);
        /* bucket:B acq_rel -> bucket:A, bucket:D.  Carries: the token that it took; when those that
         * wait were turned away, so that missed() looks at a later time.
         * If relaxed: see bucket:D; missed() could miss a token that came before. */
    } while (!atom_cas_acq_rel(&bucket->word, &now, now - 1));
    return now - 1;
}

/* One that took its token has left, as `word` says. True: between the two it may have counted
 * twice, and one was turned away for whom there is a token. Whom the timer calls in time is not
 * meant. `now_ns` was read behind the leave. pre: a section of rcu.h. */
LEAT_INLINE bool
leat_bucket_missed(const struct leat_bucket *bucket, uint64_t word, uint64_t now_ns)
{
    uint64_t next = leat_bucket_next(bucket);
    return next > LEAT_BUCKET_CLOSED &&
           leat_bucket_held(word) < leat_bucket_tokens(bucket, next, now_ns);
}

/* The timer is over, and the caller has it in hand, for the last time. Returns the levels to call.
 */
LEAT_INLINE uint32_t
leat_bucket_fired(struct leat_bucket *bucket)
{
    /* bucket:C release -> bucket:A.  Carries: that the timer is nobody's.
     * If relaxed: see bucket:A. */
    return leat_bucket_wanted(atom_and_rel(&bucket->word, ~LEAT_BUCKET_TIMED));
}

/* ---- a new rate ------------------------------------------------------------------------------ */

/* Lets none pass. Returns `next` as it was. post: one grace period later nobody reads the rate. */
LEAT_INLINE uint64_t
leat_bucket_close(struct leat_bucket *bucket)
{
    /* What orders those who set rates orders what they set. rlx: ordered by rate:B */
    return atom_swap_rlx(&bucket->next, LEAT_BUCKET_CLOSED);
}

/* Sets a rate, with so many tokens to begin with; jobs 0: none. pre: closed, and a grace period. */
LEAT_INLINE void
leat_bucket_fill(struct leat_bucket *bucket, const struct leat_bucket_rate *rate, uint64_t now_ns,
                 uint64_t tokens)
{
    uint64_t next = LEAT_BUCKET_NONE;
    if (rate->jobs != 0) {
        bucket->start_ns = now_ns;
        bucket->per_ns = rate->per_ns;
        bucket->jobs = rate->jobs;
        bucket->burst = rate->burst;
        bucket->shift = 0;
        while (leat_bucket_marks(bucket) <= rate->per_ns / 2 &&
               (uint64_t)rate->burst << bucket->shift < UINT64_C(1) << 59) {
            bucket->shift++;
        }
        next = LEAT_BUCKET_ZERO + ((rate->burst - tokens) << bucket->shift);
    }
    /* rate:B release -> rate:A.  Carries: see rate:A.
     * If relaxed: see rate:A. */
    atom_store_rel(&bucket->next, next);
}

#endif
