/* pace.h - a rate that many buckets share: the tokens that it has brought so far, as one number of
 * which each bucket remembers when it is full again. Why so: docs/design/0019.
 *
 * Source   as sched/bucket.h: virtual scheduling. Differs: buckets count in tokens, not in time, so
 *          that another rate changes what a nanosecond is worth, and no bucket.
 * Roles    at, passes, due  any thread. set  makes a new one beside the old one.
 * Claims   Nothing adds up but whole tokens and the count at which the rate was set: no rate
 *          drifts. In any time t no more than burst + t * jobs / per_ns tokens are taken, whatever
 *          the rate was before.
 * I1       a count never goes back, also not from one rate to the next
 */
#ifndef SCHED_PACE_H
#define SCHED_PACE_H

#include "sched/bucket.h"

/* Tokens, with 64 bits behind the point. */
#define LEAT_PACE_TOKEN ((leat_bucket_wide)1 << 64)

/* Letters: I before it is shared. */
struct leat_pace {
    leat_bucket_wide start; /* I the count at start_ns */
    uint64_t start_ns;      /* I */
    uint64_t since_ns;      /* I from when on there has been a rate */
    uint64_t per_ns;        /* I */
    uint32_t jobs;          /* I 0: no rate, and the count stands still */
    uint32_t burst;         /* I */
};

/* The count, rounded down. */
LEAT_INLINE leat_bucket_wide
leat_pace_at(const struct leat_pace *pace, uint64_t now_ns)
{
    if (pace->jobs == 0 || now_ns <= pace->start_ns) {
        return pace->start;
    }
    leat_bucket_wide all = (leat_bucket_wide)(now_ns - pace->start_ns) * pace->jobs;
    leat_bucket_wide part = (all % pace->per_ns << 64) / pace->per_ns;
    return pace->start + (all / pace->per_ns << 64) + part;
}

/* The first nanosecond at which the count is there. pre: there is a rate. */
LEAT_INLINE uint64_t
leat_pace_ns(const struct leat_pace *pace, leat_bucket_wide count)
{
    if (count <= pace->start) {
        return pace->start_ns;
    }
    leat_bucket_wide tokens = (count - pace->start) >> 64;
    leat_bucket_wide part = (uint64_t)(count - pace->start);
    if (tokens >= LEAT_BUCKET_NEVER_NS / 2) {
        return LEAT_BUCKET_NEVER_NS;
    }
    /* Rounded up twice, which is as once. */
    leat_bucket_wide all = tokens * pace->per_ns + ((part * pace->per_ns + UINT64_MAX) >> 64);
    leat_bucket_wide ns = pace->start_ns + (all + pace->jobs - 1) / pace->jobs;
    return ns < LEAT_BUCKET_NEVER_NS ? (uint64_t)ns : LEAT_BUCKET_NEVER_NS;
}

/* What a bucket that is full at this count has of a token, at the first moment: the count. */
LEAT_INLINE leat_bucket_wide
leat_pace_needs(const struct leat_pace *pace, leat_bucket_wide full)
{
    leat_bucket_wide spare = (leat_bucket_wide)(pace->burst - 1) << 64;
    return full > spare ? full - spare : 0;
}

/* A smaller burst than it was: no more than all of it is owed. */
LEAT_INLINE leat_bucket_wide
leat_pace_owed(const struct leat_pace *pace, leat_bucket_wide full, leat_bucket_wide now)
{
    leat_bucket_wide most = now + ((leat_bucket_wide)pace->burst << 64);
    return full < most ? full : most;
}

/* One token was taken at a time at which the count was this. */
LEAT_INLINE leat_bucket_wide
leat_pace_take(leat_bucket_wide full, leat_bucket_wide now)
{
    return (full > now ? full : now) + LEAT_PACE_TOKEN;
}

/* Another rate, jobs 0: none. Behind none all buckets are full. `old` may be NULL. */
LEAT_INLINE struct leat_pace
leat_pace_set(const struct leat_pace *old, const struct leat_bucket_rate *rate, uint64_t now_ns)
{
    struct leat_pace pace = {0};
    pace.start_ns = now_ns;
    pace.since_ns = now_ns;
    pace.per_ns = rate->per_ns;
    pace.jobs = rate->jobs;
    pace.burst = rate->burst;
    if (old != NULL) {
        pace.start = leat_pace_at(old, now_ns);
        pace.start += old->jobs == 0 ? LEAT_PACE_TOKEN << 32 : 0;
        pace.since_ns = old->jobs == 0 ? now_ns : old->since_ns;
    }
    return pace;
}

#endif
