/* tenants.h - tenants: what may wait in several queues together, and begin in a time. Which is a
 * room as a queue has one (room.h), a name, and a bucket (buckets.h) of which all jobs of its
 * queues take tokens. From the first rate on they pass the gates, as if their queue had a rate. */
#ifndef ENGINE_TENANTS_H
#define ENGINE_TENANTS_H

#include "engine/names.h"
#include "engine/room.h"

/* Letters: S many writers. */
struct leat_tenant_room {
    LEAT_ALIGNED_LINE struct leat_room room; /* S */
    leat_atomic_u32 there;                   /* S 1: it has its options */
    leat_atomic_u32 queues;                  /* S */
    leat_atomic_u64 refused;                 /* S */
    bool rated;                              /* S under the mutex: it has had a rate */
};

/* Letters: I set at open, then read-only; S many writers. */
struct leat_tenants {
    struct leat_names names;        /* S */
    struct leat_tenant_room *rooms; /* I as many as queues_max */
    size_t bytes;                   /* I */
    pthread_mutex_t mutex;          /* S of rates, and of queues that get their tenant */
};

size_t leat_tenants_bytes(const struct leat_config *concrete);
bool leat_tenants_init(struct leat_engine *engine);
void leat_tenants_fini(struct leat_engine *engine);

/* A queue has got its tenant: where that has had a rate, the queue's jobs pass the gates. Progress:
 * blocking (a mutex, a grace period). */
void leat_tenants_join(struct leat_engine *engine, uint32_t queue, leat_tenant tenant);

/* The room of a handle, or NULL: there is none. */
struct leat_tenant_room *leat_tenant_room(const struct leat_engine *engine, leat_tenant tenant);

#endif
