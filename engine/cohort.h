/* cohort.h - jobs that are watched together: how many have ended and how, and jobs that come when
 * all have. Why it is so: docs/design/0030.
 *
 * A cohort is a job without a handler, which is BLOCKED until all its members have ended: each is
 * one of the `waits` of its node, and one more is for leat_cohort_close(). So all that holds of
 * graph.h holds here, and its callbacks are children of it: that of success with CANCEL, that of
 * completion with IGNORE. That of the first death is BLOCKED by an edge that is in no list, but in
 * the cohort's hands.
 *
 * Claims   enter, ended  lock-free, as graph.h. Each member is counted once, by its end.
 *          Decided once: a member enters by a swap of `waits`, which fails where that is 0; so a
 *          cohort ends behind the end of each job that entered.
 * If a thread stops for ever: as graph.h.
 */
#ifndef ENGINE_COHORT_H
#define ENGINE_COHORT_H

#include "engine/durable/record.h"
#include "engine/graph.h"

/* Letters: I set before its submit; S many writers. */
struct leat_cohort {
    uint32_t progress_every;   /* I an event each time that so many members have ended; 0: none */
    leat_atomic_u64 total;     /* S members so far */
    leat_atomic_u64 ended;     /* S those that are counted for progress_every */
    leat_atomic_u64 completed; /* S */
    leat_atomic_u64 dead;      /* S */
    leat_atomic_u64 cancelled; /* S */
    leat_atomic_pointer death; /* S struct leat_node of the job that comes at the first death */
    leat_atomic_u32 closed;    /* S 1: by leat_cohort_close() */
    bool logged;               /* I it is durable, and so are its members */
    pthread_mutex_t mutex;     /* S where it is logged: of what the log has */
    /* S under the mutex: its last numbers in the log; docs/design/0040 */
    struct leat_durable_count log;
};

/* Taken from the allocator, or NULL: no memory. */
struct leat_cohort *leat_cohort_make(struct leat_engine *engine, uint32_t progress_every,
                                     bool logged);

/* A record that nobody knows yet is a cohort from now on; `death`: the node of the job that comes
 * at the first death, or NULL. */
void leat_cohort_bind(struct leat_node *node, struct leat_cohort *cohort, struct leat_node *death);

/* For graph.c. A job that nobody knows yet, and is durable or not, becomes a member: LEAT_OK;
 * LEAT_ENDED; LEAT_WRONG_STATE (no cohort); LEAT_UNSUPPORTED (one of both is durable, the other is
 * not); else as leat_job_hold(). */
enum leat_status leat_cohort_enter(struct leat_engine *engine, leat_job_id id, bool durable);
/* A member comes back from a log, as one that is not counted. pre: nobody knows both. */
void leat_cohort_back(struct leat_node *cohort, struct leat_node *member, uint64_t id);
/* The job of its first death is yet to be called. */
bool leat_cohort_waits_for_death(const struct leat_cohort *cohort);
/* It is one, and has members, or is open; also if it has ended. */
bool leat_cohort_waits(const struct leat_engine *engine, uint32_t index);
/* It is not to be. */
void leat_cohort_leave(struct leat_engine *engine, uint64_t id, struct leat_todo *todo);
void leat_cohort_member_ended(struct leat_engine *engine, const struct leat_node *member,
                              struct leat_todo *todo);
/* As what it ends, all members having ended; and what is to be done behind that. */
enum leat_phase leat_cohort_end(const struct leat_cohort *cohort);
void leat_cohort_rest(struct leat_engine *engine, struct leat_cohort *cohort,
                      struct leat_todo *todo);
void leat_cohort_free(struct leat_engine *engine, struct leat_cohort *cohort);

#endif
