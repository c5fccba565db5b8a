/* room.h - how much may wait: the limits of a queue and of its tenant, in jobs and in bytes of
 * their payloads; and what the payloads of an engine may take. Why it is so: docs/design/0025.
 *
 * A job of a queue with a limit is counted while it is PENDING (LEAT_JOB_COUNTED in its record says
 * so). Its submitter takes the room before it takes a record; who comes back from a time, or for a
 * retry, takes it without asking; whoever ends the PENDING gives it back.
 *
 * Source   ours: counting semaphores whose words also say that someone waits.
 * Roles    any thread takes, gives, waits and sets limits.
 * Claims   take, give, force  lock-free: a swap fails only where another one succeeded. A
 *          take that drops is BLOCKING in who holds the lock of trail.h.
 *          wait    BLOCKING: it sleeps until room is given. No wake-up is lost: to be turned away
 *                  and to give are swaps of one word, so whoever gives by a later swap sees WAITED
 *                  and rings. BLOCKING also in who clears WAITED and stops before it rings: who
 *                  waits by then sleeps until another one rings, or to the end of its time.
 *          Exact: what was taken by asking is never more than the limit, unless that was lowered. A
 *          submit takes up to four quotas, one by one, and gives them back where one refuses: for
 *          that moment another one may be refused by what it holds; one that waits is called.
 *          A batch that is about to drop others has taken its room already, for that moment beyond
 *          the limit (batch_room.h).
 * I1       used = what the counted jobs that are PENDING, and submits under way, have taken
 * I2       who sleeps has set WAITED behind reading its bell, and the bell is rung behind each
 *          clearing of it
 * Edges    room:D -> room:B           a new limit
 *          limit:A -> options:A       limits, tenant and trail of a queue that has its first limit
 *          within:A -> within:B       a job that a handler has submitted to a queue that is closed
 */
#ifndef ENGINE_ROOM_H
#define ENGINE_ROOM_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/atomic.h"

struct leat_engine;
struct leat_trail;

/* used: 63 WAITED, 62..0 the amount. It cannot overflow: 2^26 jobs of 2^24 bytes. */
#define LEAT_QUOTA_WAITED (UINT64_C(1) << 63)

/* Zeroed at first. Letters: S many writers. */
struct leat_quota {
    leat_atomic_u64 used; /* S */
    leat_atomic_u64 most; /* S 0: no limit */
};

struct leat_room {
    struct leat_quota jobs;
    struct leat_quota bytes;
};

/* Letters: S many writers; W one writer, many readers. */
struct leat_queue_room {
    LEAT_ALIGNED_LINE struct leat_room room; /* S */
    leat_atomic_u32 tenant;                  /* W handle of its tenant, or 0; before LIMITED */
    leat_atomic_u32 full;                    /* S enum leat_full_policy */
    leat_atomic_u64 block_ns;                /* S */
    leat_atomic_u64 within;                  /* S submits of handlers while it was closed */
    leat_atomic_pointer trail;               /* S struct leat_trail, or NULL */
};

/* Letters: I set at open, then read-only; S many writers. */
struct leat_rooms {
    struct leat_queue_room *queues;               /* I by queue */
    size_t bytes;                                 /* I */
    LEAT_ALIGNED_LINE struct leat_quota payloads; /* S all that payloads have of the allocator */
};

size_t leat_rooms_bytes(const struct leat_config *concrete);
bool leat_rooms_init(struct leat_engine *engine);
void leat_rooms_fini(struct leat_engine *engine);

/* ---- a submit ------------------------------------------------------------------------------- */

struct leat_room_ask {
    uint32_t queue;
    uint32_t level;
    uint64_t bytes;
    bool waits; /* where there is no room now, the caller is going to wait for it */
    bool drops; /* others are dropped for it: pre: leat_batch_room_drops() has said so */
};

/* What a submit does that finds no room. LEAT_TIMEOUT says that it is to come again. */
enum leat_room_how {
    LEAT_ROOM_LEAVES = 0,
    LEAT_ROOM_WAITS, /* it comes again behind a while, where that may help */
    LEAT_ROOM_DROPS  /* memory is short: it drops another one of its queue, and comes again */
};

/* LEAT_OK, LEAT_FULL, or LEAT_TIMEOUT: it is to wait. */
enum leat_status leat_room_take(struct leat_engine *engine, const struct leat_room_ask *ask);
/* The same for one that comes back, whatever the limit. */
void leat_room_force(struct leat_engine *engine, uint32_t queue, uint64_t bytes);
void leat_room_give(struct leat_engine *engine, uint32_t queue, uint64_t bytes);

/* leat_submit() found a limit reached: waits for room, if it is to, but not beyond the deadline,
 * and submits. */
enum leat_status leat_room_wait(struct leat_engine *engine, const struct leat_job *given,
                                uint64_t deadline_ns, leat_job_id *id);

/* A job that was taken in by a queue whose options are not usual. */
struct leat_room_entry {
    uint64_t options; /* as they were in the section in which it was put */
    uint32_t queue;
    uint32_t level;
    bool waits; /* it is PENDING */
};

void leat_room_entered(struct leat_engine *engine, const struct leat_room_entry *entry,
                       leat_job_id id);

/* ---- for many jobs at once (batch_room.h) --------------------------------------------------- */

/* False: it does not fit; where the caller `waits` it will be called. */
bool leat_quota_take(struct leat_quota *quota, uint64_t amount, bool waits);
/* True: the caller rings. */
bool leat_quota_give(struct leat_quota *quota, uint64_t amount);
/* Takes it whatever the limit. */
void leat_quota_force(struct leat_quota *quota, uint64_t amount);

enum leat_full_policy leat_room_policy(const struct leat_engine *engine, uint32_t queue);
/* How long a submit of the job may wait; 0: not at all. */
uint64_t leat_room_block_ns(const struct leat_engine *engine, const struct leat_job *job,
                            uint32_t queue);
/* The engine and the queue take work of the calling thread. */
bool leat_room_takes_work(struct leat_engine *engine, uint32_t queue);
/* Which bell is rung for the queue, and what it says before a look at what it is rung for. */
uint32_t leat_room_bell(const struct leat_engine *engine, uint32_t queue);
uint32_t leat_room_listen(const struct leat_engine *engine, uint32_t bell);
/* Counts for its tenant, if there is one, that a limit has refused. */
void leat_room_refused(const struct leat_engine *engine, uint32_t queue);
/* NULL: nothing of the queue was to be dropped so far. */
struct leat_trail *leat_room_trail(const struct leat_engine *engine, uint32_t queue);

/* ---- payloads of the allocator -------------------------------------------------------------- */

/* LEAT_OK, LEAT_FULL, or LEAT_TIMEOUT: memory is what is short. */
enum leat_status leat_room_payload_take(struct leat_engine *engine, uint64_t bytes);
void leat_room_payload_give(struct leat_engine *engine, uint64_t bytes);
/* Another limit; 0: none. False: there was none at open, so they are not counted. */
bool leat_room_payload_limit(struct leat_engine *engine, uint64_t bytes_max);

/* ---- limits --------------------------------------------------------------------------------- */

/* LEAT_OK, LEAT_INVALID or LEAT_NOT_FOUND (the tenant). */
enum leat_status leat_room_check(const struct leat_engine *engine,
                                 const struct leat_queue_limits *limits, leat_tenant tenant);
/* Sets the limits of a queue that is there; the tenant of a new one. LEAT_OK, LEAT_NO_MEMORY. */
enum leat_status leat_room_set(struct leat_engine *engine, uint32_t queue,
                               const struct leat_queue_limits *limits, leat_tenant tenant);
/* The same, but they hold from the next leat_room_set() on, which may bring a tenant, too: no job
 * is counted for the queue and not for that. */
enum leat_status leat_room_keep(struct leat_engine *engine, uint32_t queue,
                                const struct leat_queue_limits *limits);
/* The limits that were set last. */
struct leat_queue_limits leat_room_limits(const struct leat_engine *engine, uint32_t queue);
/* Fills in what limits a queue, and what it has dropped. */
void leat_room_tell(const struct leat_engine *engine, uint32_t queue, struct leat_queue_info *info);
/* Sets both limits of a room. True: some wait for it. */
bool leat_room_limit(struct leat_room *room, uint64_t jobs_max, uint64_t bytes_max);
/* Calls who waits for room of the queue, or of its tenant. */
void leat_room_ring(struct leat_engine *engine, uint32_t queue);
void leat_room_ring_tenant(struct leat_engine *engine, leat_tenant tenant);

/* Closes a queue: behind it no submit from outside is under way. Progress: blocking. */
void leat_room_close(struct leat_engine *engine, uint32_t queue);
void leat_room_reopen(struct leat_engine *engine, uint32_t queue);
/* How many jobs handlers have submitted to it while it was closed. */
uint64_t leat_room_within(const struct leat_engine *engine, uint32_t queue);

/* The handle of the queue's tenant, or 0. */
uint32_t leat_room_tenant(const struct leat_engine *engine, uint32_t queue);

LEAT_INLINE uint64_t
leat_quota_used(const struct leat_quota *quota)
{
    return atom_load_rlx(&quota->used) & ~LEAT_QUOTA_WAITED; /* rlx: statistic */
}

LEAT_INLINE uint64_t
leat_quota_most(const struct leat_quota *quota)
{
    return atom_load_rlx(&quota->most); /* rlx: statistic */
}

#endif
