/* internal.h - what the files of durable jobs share. */
#ifndef ENGINE_DURABLE_INTERNAL_H
#define ENGINE_DURABLE_INTERNAL_H

#include "engine/durable/durable.h"
#include "engine/durable/record.h"
#include "engine/wal/wal.h"

/* A job as the log has it. */
struct leat_durable_entry {
    uint64_t id; /* 0: the place is free */
    bool ended;
    struct leat_durable_state state;
    uint64_t sequence;
    uint32_t image;
    unsigned char *content; /* or NULL */
    size_t content_bytes;
    unsigned char *tail; /* error and result of the state; or NULL */
    size_t tail_bytes;
};

struct leat_durable_named {
    struct leat_durable_queue queue;
    char name[LEAT_NAME_BYTES_MAX + 1];
};

/* A schedule as the log has it: its last record, and the last one that defines it. */
struct leat_durable_planned {
    struct leat_durable_schedule state;
    uint32_t image;       /* the version of the definition */
    unsigned char *texts; /* name, spec, zone and content */
    size_t texts_bytes;
};

/* What was read. By id: open addressing, at most half full. */
struct leat_durable_table {
    struct leat_durable_entry *entries;
    size_t room; /* a power of two, or 0 */
    size_t count;
    struct leat_durable_named *queues;
    size_t queues_room;
    size_t queues_count;
    struct leat_durable_planned *schedules; /* by name */
    size_t schedules_room;
    size_t schedules_count;
    uint64_t ceiling;
    uint64_t sequence; /* higher than any */
    enum leat_status status;
};

/* What the process before has left in a file: ids that were in handlers. */
struct leat_durable_crashed {
    uint64_t *ids;
    size_t count;
    size_t room; /* bytes */
};

/* Letters: I set at open; S many writers; W the cleaner; O who opens and closes; Q under the
 * mutex. */
struct leat_durable {
    struct leat_memory memory;           /* I */
    struct leat_wal wal;                 /* S */
    uint64_t segment_bytes;              /* I */
    uint64_t serial;                     /* I random: of this open */
    leat_atomic_u64 ceiling;             /* S ids of generations below it may be given out */
    leat_atomic_u64 sequence;            /* S of the last submit */
    leat_atomic_u64 live_bytes;          /* S of the images of jobs that have not ended */
    leat_atomic_u64 appended;            /* S bytes so far */
    leat_atomic_u64 lost;                /* S notes for which there was no space */
    pthread_mutex_t mutex;               /* S of a new ceiling */
    bool closing;                        /* O from then on nothing is appended */
    struct leat_durable_table table;     /* O while the engine is opened */
    struct leat_durable_crashed crashed; /* O the same */
    struct leat_recovery_info found;     /* I */
    void *places;                        /* O mapping, or NULL */
    size_t places_bytes;                 /* O */
    struct leat_engine *engine;          /* I of the cleaner */
    pthread_t cleaner;                   /* O */
    bool cleans;                         /* O the thread is there */
    leat_atomic_u32 clean_event;         /* S a futex: one more where the log has grown */
    leat_atomic_u32 clean_stop;          /* S */
};

/* A later open's ids begin so much above: two for each use of a record. */
#define LEAT_DURABLE_IDS_STEP (UINT64_C(1) << 16)

/* A job of the log. */
struct leat_revival {
    const struct leat_job *job; /* with options */
    leat_job_id id;
    enum leat_phase phase;
    enum leat_reason reason;
    uint32_t attempts;
    uint32_t snoozes;
    uint32_t crashes;
    struct leat_due due;
    const char *error; /* not ended by a 0 */
    size_t error_bytes;
    const void *result;
    size_t result_bytes;
    uint32_t version;
    uint32_t image;
    uint32_t image_bytes;
};

/* ---- note.c --------------------------------------------------------------------------------- */

/* Appends what makes room or has to be there: waits for room in the ring. */
enum leat_status leat_durable_append(struct leat_durable *durable,
                                     const struct leat_wal_entry *entry, uint64_t *position);
/* Takes a hold on a durable job; waits for who submits it. LEAT_GONE, LEAT_NOT_FOUND. */
enum leat_status leat_durable_hold(struct leat_engine *engine, leat_job_id id, uint32_t *index);
/* Looks at a job, on which the caller has a hold, and appends how it is: an image with a content of
 * `bytes`, or a step (NULL), or its end. */
void leat_durable_write(struct leat_engine *engine, leat_job_id id, uint32_t index,
                        const unsigned char *content, uint32_t bytes);
/* Gives a filled record what it had beside its options. LEAT_NO_MEMORY. */
enum leat_status leat_durable_revived(struct leat_engine *engine, uint32_t index,
                                      const struct leat_revival *revival);
/* The ceiling of ids, in the log and then for all. */
enum leat_status leat_durable_ceiling_set(struct leat_durable *durable, uint64_t ceiling);

/* ---- table.c -------------------------------------------------------------------------------- */

/* For leat_wal_reader. */
bool leat_durable_table_record(void *context, struct leat_wal_place place,
                               const struct leat_wal_record *record);
void leat_durable_table_fini(struct leat_durable *durable);

/* ---- crashes.c ------------------------------------------------------------------------------ */

/* Reads what the process before has left, of this boot of the system. */
void leat_durable_crashed_read(struct leat_durable *durable);
void leat_durable_places_close(struct leat_durable *durable);

/* ---- revive.c ------------------------------------------------------------------------------- */

/* Makes the jobs of the table. */
enum leat_status leat_durable_revive(struct leat_engine *engine, struct leat_error *error);

/* ---- schedules.c ----------------------------------------------------------------------------- */

/* What a SCHEDULE says, into the table. LEAT_OK, LEAT_NO_MEMORY, LEAT_CORRUPT, LEAT_UNSUPPORTED. */
enum leat_status leat_durable_schedule_read(struct leat_durable *durable,
                                            const struct leat_wal_record *record);
void leat_durable_schedules_fini(struct leat_durable *durable);
/* Makes the schedules of the table. */
enum leat_status leat_durable_schedules_revive(struct leat_engine *engine,
                                               struct leat_error *error);
/* The cleaner has come to a SCHEDULE: what of it is needed goes to the end of the log. */
void leat_durable_schedule_renew(struct leat_engine *engine, const struct leat_wal_record *record);

/* ---- clean.c -------------------------------------------------------------------------------- */

bool leat_durable_clean_start(struct leat_engine *engine);
void leat_durable_clean_stop(struct leat_durable *durable);
/* Something was appended. */
void leat_durable_grown(struct leat_durable *durable, uint64_t bytes);

#endif
