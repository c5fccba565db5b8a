/* buckets.h - the token buckets of queues, types and tenants: how many attempts may begin in a
 * time. Each queue and each type has one beside its gate (gates.h), a tenant one alone, and most
 * have no rate. Why so: docs/design/0019, 0028.
 *
 * A job enters the buckets of its queue, type and tenant in the hand of the admitter, which keeps a
 * token of each for it; a worker takes all when it begins the attempt. Who finds no token waits in
 * the list of that queue, type or tenant. The first of those arms the bucket's timer, on a wheel
 * that all buckets share; it is a source of the clocks.
 *
 * Progress: lock-free, but for who sets a rate. BLOCKING in who has a timer in hand: if it stops
 * before it has armed it, or called the lists, those that wait at that bucket wait; and with the
 * role of the wheel, all that wait for a time at any bucket. Jobs without a rate do not.
 */
#ifndef ENGINE_BUCKETS_H
#define ENGINE_BUCKETS_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/mutex.h"
#include "sched/bucket.h"
#include "sched/clock.h"
#include "sched/wheel.h"

struct leat_config;
struct leat_engine;
struct leat_job_record;

/* Letters: S many writers. */
struct leat_buckets {
    struct leat_wheels wheels; /* S one, with a timer for each queue, type, tenant */
    pthread_mutex_t mutex;     /* S of those who set a rate */
};

/* False: no memory. It is a source of the clocks from then on. */
bool leat_buckets_init(struct leat_engine *engine);
void leat_buckets_fini(struct leat_engine *engine);
/* Bytes that are mapped. */
size_t leat_buckets_bytes(const struct leat_config *concrete);

/* Calls the lists whose time has come, as the clocks do. */
void leat_buckets_look(struct leat_engine *engine);

/* A rate that a bucket may have. */
bool leat_rate_valid(const struct leat_rate *rate);
/* How many at once; where none is said, as many as in the rate's time. */
LEAT_INLINE uint64_t
leat_rate_burst(const struct leat_rate *rate)
{
    return rate->burst != 0 ? rate->burst : rate->jobs;
}

/* The same, as a bucket has it. */
struct leat_bucket_rate leat_buckets_rate(const struct leat_rate *rate);

/* A job of `list` passes its bucket; `first` as in leat_gate_enter(). False: it waits there, and
 * the list will be called. *entered: there is a rate, and a token is kept for it. pre: a section of
 * rcu.h. */
bool leat_buckets_enter(struct leat_engine *engine, uint32_t list, uint32_t level, bool first,
                        bool *entered);
/* It begins, with a token, or does not. Returns the levels to call. pre: with a token, a section of
 * rcu.h. */
uint32_t leat_buckets_leave(struct leat_engine *engine, uint32_t list, bool took);
/* At most so many: of its queue, its type, its tenant. */
#define LEAT_BUCKETS_OF_JOB 3

/* An attempt is about to begin: takes a token from the bucket of each list. False: one has none,
 * and nothing has changed. pre: a section of rcu.h. */
bool leat_buckets_take(struct leat_engine *engine, const uint32_t *lists, uint32_t count);

/* What leat_queue_set_rate() and others do. pre: a valid rate; the gate of the list, or those of
 * the tenant's queues, is used, and the caller is in no section of rcu.h. */
void leat_buckets_set(struct leat_engine *engine, uint32_t list, const struct leat_rate *rate);
/* pre: the mutex. */
struct leat_rate leat_buckets_get(struct leat_engine *engine, uint32_t list);

#endif
