/* crew.h - threads that help who reads a log. It lays parts of the work out, in order; whoever is
 * free does the next one, and so does it, where nobody has begun the one that it needs. They come
 * back in that order. Beside that there is an errand, which is not one of them.
 *
 * Roles    owner   one thread: lays, takes back, sends, drops, and does as the others do.
 *          helper  up to LEAT_WAL_CREW_MAX - 1: take the errand, else the next part. They are
 *                  started by the first two parts that are there at a time, have all signals
 *                  blocked, and end before the owner's fini returns. Where the system gives no
 *                  thread, there are fewer.
 * Claims   all BLOCKING: a mutex, which is held for no part. A helper that stops in one keeps the
 *          owner where it needs that one.
 * I1       back <= begun <= laid <= back + places
 * I2       part n is in place n % places, the owner's while it is not laid, then who has begun it;
 *          what one left there is passed on under the mutex
 * Edges    crew:A -> crew:B    what changed under the mutex, to who sleeps for it
 */
#ifndef ENGINE_WAL_CREW_H
#define ENGINE_WAL_CREW_H

#include <pthread.h>

#include "ring/os.h"

#define LEAT_WAL_CREW_MAX    8                       /* threads, the owner among them */
#define LEAT_WAL_CREW_PLACES (2 * LEAT_WAL_CREW_MAX) /* each has one in hand and one that waits */

struct leat_wal_crew_work {
    void (*part)(void *context, uint32_t place);
    void (*errand)(void *context);
    void *context;
};

enum leat_wal_errand {
    LEAT_WAL_ERRAND_NONE,
    LEAT_WAL_ERRAND_SENT,
    LEAT_WAL_ERRAND_BEGUN,
    LEAT_WAL_ERRAND_DONE
};

/* Letters: I; O the owner; S a futex; Q under the mutex. */
struct leat_wal_crew {
    struct leat_wal_crew_work work;           /* I */
    uint32_t places;                          /* I */
    uint32_t wanted;                          /* O helpers */
    uint32_t count;                           /* O of them there are */
    pthread_t helpers[LEAT_WAL_CREW_MAX - 1]; /* O */
    pthread_mutex_t mutex;                    /* S of what is below */
    leat_atomic_u32 event;                    /* S one more where something has changed */
    uint32_t asleep;                          /* Q who waits for a change */
    uint64_t laid;                            /* Q parts so far, as the two below */
    uint64_t begun;                           /* Q */
    uint64_t back;                            /* Q */
    bool done[LEAT_WAL_CREW_PLACES];          /* Q */
    enum leat_wal_errand errand;              /* Q */
    bool ends;                                /* Q */
};

/* `threads` with the owner; 0 is 1. Starts none yet. */
void leat_wal_crew_init(struct leat_wal_crew *crew, uint32_t threads,
                        const struct leat_wal_crew_work *work);
/* Drops what is laid and sent; ends the helpers. */
void leat_wal_crew_fini(struct leat_wal_crew *crew);
/* The place of the next part that is laid; LEAT_WAL_CREW_PLACES: none is free. */
uint32_t leat_wal_crew_place(const struct leat_wal_crew *crew);
/* Lays it. */
void leat_wal_crew_lay(struct leat_wal_crew *crew);
/* Waits until the oldest part is done, or does it. True: *place has it, until a part is laid there
 * again; false: there is none. */
bool leat_wal_crew_back(struct leat_wal_crew *crew, uint32_t *place);
/* All parts are gone: those that are begun, once they are done. */
void leat_wal_crew_drop(struct leat_wal_crew *crew);
/* pre: none is sent that was not fetched. */
void leat_wal_crew_send(struct leat_wal_crew *crew);
/* Waits until it is done, or does it. */
void leat_wal_crew_fetch(struct leat_wal_crew *crew);

#endif
