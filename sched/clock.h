/* clock.h - the times that an engine goes by, and the thread that waits for what comes due. Why so:
 * docs/design/0016.
 *
 * Three clocks: BOOT goes on while the machine is suspended (delays, retries, leases); WALL is the
 * time of day, which may be set (run-at, cron); MONOTONIC stands still in a suspend (how long a
 * handler has been running). They are the system's, or a host's own.
 *
 * What can come due is a source. The thread asks each of them, sleeps until the first time that one
 * of them named, by its clock, and asks again; also when the wall clock was set, and when a source
 * says that something has changed. With a host's clock, or without workers, there is no thread, and
 * whoever moves the clock, or lends a thread, asks.
 *
 * Roles    any thread says that something has changed, and asks; the thread of the clocks listens
 *          at the doorbell.
 * Claims   leat_clocks_changed  wait-free, see ring/doorbell.h: a system call only while the thread
 *          sleeps.
 *          A change is never slept through: it is made before the ring, and the thread asks the
 *          sources behind its leat_doorbell_listen().
 */
#ifndef SCHED_CLOCK_H
#define SCHED_CLOCK_H

#include "ring/doorbell.h"

#define LEAT_TIME_NEVER UINT64_MAX

/* As enum leat_clock_kind of engine/leat.h. */
enum leat_time { LEAT_TIME_BOOT = 1, LEAT_TIME_WALL, LEAT_TIME_MONOTONIC };

/* Something that can come due. Both functions are called by any thread, also by several at once. */
struct leat_clock_source {
    /* Does what is due, or sees to it that it is done. Returns when to be asked again at the
     * latest, by the clock `time`; LEAT_TIME_NEVER: not before leat_clocks_changed(). */
    uint64_t (*look)(void *context, uint64_t now_ns);
    /* When that is, without doing anything. Wait-free. */
    uint64_t (*next)(void *context);
    /* The wall clock was set, or has drifted from BOOT by LEAT_CLOCK_DRIFT_NS. May be NULL. */
    void (*moved)(void *context);
    void *context;
    enum leat_time time; /* BOOT or WALL */
};

#define LEAT_CLOCK_SOURCES_MAX 8

/* Letters: I set at init, then read-only; S many writers; Q only while started or stopped. */
struct leat_clocks {
    struct leat_clock_source sources[LEAT_CLOCK_SOURCES_MAX]; /* I */
    uint32_t count;                                           /* I */
    uint64_t (*now)(enum leat_time time, void *context);      /* I NULL: the system's */
    void *context;                                            /* I */
    struct leat_doorbell doorbell;                            /* S */
    struct leat_os_alarm alarm;                               /* I */
    leat_atomic_u64 drift;                                    /* S WALL less BOOT, as seen last */
    leat_atomic_u32 ended;                                    /* S 1: the thread is to end */
    bool opened;                                              /* I */
    bool started;                                             /* Q */
    pthread_t thread;                                         /* Q */
};

/* pre: zeroed; now and context are set, and the sources added before the start. */
enum leat_os_result leat_clocks_init(struct leat_clocks *clocks);
void leat_clocks_fini(struct leat_clocks *clocks);
void leat_clocks_add(struct leat_clocks *clocks, struct leat_clock_source source);

/* Starts the thread, where the clocks are the system's. */
enum leat_os_result leat_clocks_start(struct leat_clocks *clocks,
                                      const struct leat_os_thread_config *config);
/* Ends and joins it. Nothing if there is none. */
void leat_clocks_stop(struct leat_clocks *clocks);

uint64_t leat_clocks_now(const struct leat_clocks *clocks, enum leat_time time);
/* Asks all sources once. Returns how long from now nothing else comes due, in nanoseconds. */
uint64_t leat_clocks_look(struct leat_clocks *clocks);
/* That time, without doing anything. Progress: wait-free. */
uint64_t leat_clocks_next(const struct leat_clocks *clocks);
/* A source would now name an earlier time than when it was asked last. Progress: wait-free. */
LEAT_INLINE void
leat_clocks_changed(struct leat_clocks *clocks)
{
    leat_doorbell_ring(&clocks->doorbell);
}

#endif
