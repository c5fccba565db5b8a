/* batch_room.h - room for an all-or-none batch: for all its jobs, of all their queues and tenants,
 * or for none. What single jobs take of the same limits: room.h. Why it is so: docs/design/0029.
 *
 * What the jobs need is added up by queue and by tenant. The needs of queues that reject or wait
 * are taken first; one that does not fit is waited for with nothing in hand, so two batches never
 * wait for each other. The needs of queues that drop are taken last, when nothing else can refuse
 * the batch: under the locks of their trails it is counted whether enough may be dropped.
 *
 * Roles    who submits the batch, alone.
 * Claims   take   lock-free without a wait: what is given back was taken in a round in which
 *                 another thread took or gave. BLOCKING where it waits, as in room.h.
 *          claim  BLOCKING in who holds the lock of a trail, if a queue drops; else nothing is
 *                 left to do.
 *          Bounded: a batch waits for at most the shortest time of its jobs and queues, and drops
 *          at most what it counted.
 *          Smaller ones may pass by a batch that waits: it keeps no room while it does.
 */
#ifndef ENGINE_BATCH_ROOM_H
#define ENGINE_BATCH_ROOM_H

#include "engine/batch.h"

struct leat_engine;
struct leat_need;
struct leat_room_ask;

/* All zero: nothing is asked for. */
struct leat_batch_room {
    struct leat_need *needs; /* of queues in ascending order, then of their tenants */
    uint32_t queues;
    uint32_t count;
    uint64_t block_ns; /* the shortest of those that may wait */
};

/* LEAT_OK, LEAT_NO_MEMORY. What it made leat_batch_room_fini() takes. */
enum leat_status leat_batch_room_init(struct leat_engine *engine, struct leat_batch_room *room,
                                      const struct leat_batch_ask *asks, size_t count);
void leat_batch_room_fini(struct leat_engine *engine, struct leat_batch_room *room);

/* Takes room where nothing is dropped for it, and waits for it where all the queues that have none
 * let it, but not beyond the deadline, by the system's monotonic clock. LEAT_OK, LEAT_FULL,
 * LEAT_TIMEOUT, LEAT_CLOSED. Not inside a section of rcu.h. */
enum leat_status leat_batch_room_take(struct leat_engine *engine,
                                      const struct leat_batch_room *room, uint64_t deadline_ns);
/* Gives that back. */
void leat_batch_room_give(struct leat_engine *engine, const struct leat_batch_room *room);
/* Takes the rest, and drops for it. False: there is not enough to drop, and none was. pre: with the
 * rest the batch is taken in. */
bool leat_batch_room_claim(struct leat_engine *engine, const struct leat_batch_room *room);
/* It is not taken in, after all: gives back what that has taken. */
void leat_batch_room_unclaim(struct leat_engine *engine, const struct leat_batch_room *room);

/* Of one job, which leat_room_take() has refused: whether its queue drops, and enough is there to
 * be dropped. */
bool leat_batch_room_drops(struct leat_engine *engine, const struct leat_room_ask *ask);

#endif
