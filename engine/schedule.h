/* schedule.h - the schedules of an engine: what submits jobs at the moments of cron expressions.
 *
 * They are a source of the clocks (sched/clock.h), which look when the next moment has come.
 * Everything here stands under one mutex, and nobody waits under it but for the file of a zone.
 *
 * What a schedule has to do follows from two numbers: up to done_s its moments are settled, and
 * `owed` jobs of settled moments wait to be submitted.
 *
 * I1       sorted has each schedule once, by name; heap has each once, none before its parent, and
 *          each knows its place
 * I2       owed <= runs_max; a paused schedule owes nothing
 * I3       next_s is the first moment after done_s
 * I4       each zone has as many users as schedules name it, and at least one
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <stdio.h>

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/mutex.h"
#include "sched/clock.h"
#include "sched/cron.h"

struct leat_schedule_entry;

/* A zone that schedules share. UTC has none: it has no file that could change. */
struct leat_schedule_zone {
    struct leat_zone_file file;
    struct leat_schedule_zone *next;
    uint32_t users;
};

/* Letters: I set at open; S under the mutex; W written under the mutex, many readers. */
struct leat_schedules {
    pthread_mutex_t mutex;               /* S itself */
    leat_atomic_u64 next_ns;             /* W when something is due */
    const char *directory;               /* I of tzdata; NULL: the usual one */
    struct leat_schedule_entry **sorted; /* S by name */
    struct leat_schedule_entry **heap;   /* S by due_ns */
    uint32_t capacity;                   /* I */
    uint32_t count;                      /* S */
    struct leat_schedule_zone *zones;    /* S */
    struct leat_zone utc;                /* I */
    uint64_t zones_ns;                   /* S when their files are looked at next */
    uint64_t seen_ns;                    /* S the time of the last look, or a later one */
};

/* One schedule, in a block with what its job points to. */
struct leat_schedule_entry {
    uint64_t due_ns; /* when it has to do something, or LEAT_TIME_NEVER */
    uint32_t place;  /* in the heap */
    uint32_t owed;
    int64_t done_s;
    int64_t next_s;       /* LEAT_ZONE_END_S: there is none */
    uint64_t again_ns;    /* when what it owes is tried again; 0: it may be at once */
    uint64_t patience_ns; /* how long it waited for that */
    uint32_t runs_max;
    bool paused;
    bool revived;         /* from a log, and nobody has added it since */
    bool unsaid;          /* the log does not have it as it is */
    uint32_t version;     /* of its last record in the log; 0: none */
    uint32_t image;       /* of the last one with its definition; 0: it is not in the log */
    uint32_t image_bytes; /* of that */
    enum leat_overlap overlap;
    enum leat_missed missed;
    struct leat_cron cron;
    struct leat_schedule_zone *zone; /* NULL: UTC */
    struct leat_job job;             /* with handles; what it points to is in `pointed` */
    struct leat_schedule_info told;  /* what leat_schedule_get() says; the rest it asks above */
    size_t block_bytes;
    _Alignas(16) unsigned char pointed[]; /* see copy.h */
};

/* False: no memory. */
bool leat_schedules_init(struct leat_engine *engine);
void leat_schedules_fini(struct leat_engine *engine);

/* As a source of the clocks, by the wall clock; the context is the engine. look() submits what was
 * due at `now_ns`. The clock that it reads itself may be earlier than it was before: so it notices
 * that the clock was set back. */
uint64_t leat_schedules_look(void *context, uint64_t now_ns);
uint64_t leat_schedules_next(void *context);

/* ---- what the files of schedules share; all under the mutex ---------------------------------- */

void leat_schedules_lock(struct leat_schedules *schedules);
void leat_schedules_unlock(struct leat_schedules *schedules);

const struct leat_zone *leat_schedule_zone(const struct leat_schedules *schedules,
                                           const struct leat_schedule_entry *entry);
/* The first moment after `after_s`; LEAT_ZONE_END_S: there is none. */
int64_t leat_schedule_moment(const struct leat_schedules *schedules,
                             const struct leat_schedule_entry *entry, int64_t after_s);
/* Moments up to `done_s` are settled, and nothing is owed: what was, is missed. */
void leat_schedule_settle(const struct leat_schedules *schedules, struct leat_schedule_entry *entry,
                          int64_t done_s);

void leat_heap_enter(struct leat_schedules *schedules, struct leat_schedule_entry *entry);
void leat_heap_leave(struct leat_schedules *schedules, struct leat_schedule_entry *entry);
/* Its due_ns is computed anew. */
void leat_heap_update(struct leat_schedules *schedules, struct leat_schedule_entry *entry);

/* A zone by name, one user more; NULL name and UTC: *zone is NULL. */
enum leat_zone_result leat_zone_use(struct leat_engine *engine, const char *name,
                                    struct leat_schedule_zone **zone);
void leat_zone_drop(struct leat_engine *engine, struct leat_schedule_zone *zone);

/* What a log knows of a schedule beside its definition. */
struct leat_schedule_past {
    int64_t done_s;
    uint32_t owed;
    uint32_t version;
    uint32_t image;
    uint32_t image_bytes;
    bool paused;
    uint64_t last_unix_ns;
    leat_job_id last_job;
    uint64_t runs;
    uint64_t runs_missed;
    uint64_t runs_overlapped;
    uint64_t refusals;
    enum leat_status refusal_status;
};

/* Makes a schedule that a log has; the next leat_schedule_add() of its name takes it over. Answers
 * as that. */
enum leat_status leat_schedule_revive(struct leat_engine *engine, const char *name,
                                      const struct leat_schedule *schedule,
                                      const struct leat_schedule_past *past,
                                      struct leat_error *error);
/* NULL: there is none of this name. Under the mutex. */
struct leat_schedule_entry *leat_schedule_named(const struct leat_schedules *schedules,
                                                const char *name);

/* Checks I1 to I4; says on `why` (may be NULL) what is wrong. */
bool leat_schedules_check(const struct leat_schedules *schedules, FILE *why);

#endif
