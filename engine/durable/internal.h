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

/* What was read. By id: open addressing, at most half full. */
struct leat_durable_table {
    struct leat_durable_entry *entries;
    size_t room; /* a power of two, or 0 */
    size_t count;
    struct leat_durable_named *queues;
    size_t queues_room;
    size_t queues_count;
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

/* How far who appends may be ahead of the cleaner, see pace.c. Letters: S many writers; W, O the
 * cleaner. */
struct leat_durable_pace {
    leat_atomic_u64 limit;  /* W of leat_wal_laid(), without what is copied */
    leat_atomic_u64 copied; /* W bytes that the cleaner has appended */
    leat_atomic_u32 asked;  /* S 1: it was told to look */
    leat_atomic_u32 event;  /* S a futex: one more where the limit has changed */
    uint64_t peak;          /* O most bytes of live jobs since it had nothing to do */
};

/* Letters: I set at open; S many writers; W the cleaner; O who opens and closes; Q under the
 * mutex; T a statistic. */
struct leat_durable {
    struct leat_memory memory;           /* I */
    struct leat_wal wal;                 /* S */
    uint64_t segment_bytes;              /* I */
    uint64_t serial;                     /* I random: of this open */
    leat_atomic_u64 ceiling;             /* S ids of generations below it may be given out */
    leat_atomic_u64 sequence;            /* S of the last submit */
    leat_atomic_u64 live_bytes;          /* S of the images of jobs that have not ended */
    leat_atomic_u64 lost;                /* T notes for which there was no space, or memory */
    struct leat_durable_pace pace;       /* S */
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
    enum leat_durability durability;
};

/* ---- note.c --------------------------------------------------------------------------------- */

/* Appends what has to be there: waits for room in the ring. */
enum leat_status leat_durable_append(struct leat_durable *durable,
                                     const struct leat_wal_entry *entry, uint64_t *position);
/* Why this thread could not append something; LEAT_OK from then on. */
enum leat_status leat_durable_failed(struct leat_durable *durable);
/* Takes a hold on a durable job; waits for who submits it. LEAT_GONE, LEAT_NOT_FOUND. */
enum leat_status leat_durable_hold(struct leat_engine *engine, leat_job_id id, uint32_t *index);
/* For the cleaner: looks at a job, on which it has a hold, and appends how it is: an image with a
 * content of `bytes`, or a step (NULL), or its end. */
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

/* ---- clean.c -------------------------------------------------------------------------------- */

bool leat_durable_clean_start(struct leat_engine *engine);
void leat_durable_clean_stop(struct leat_durable *durable);
/* The cleaner is to look. */
void leat_durable_clean_ask(struct leat_durable *durable);

/* ---- pace.c --------------------------------------------------------------------------------- */

/* Before something is appended that is not the cleaner's, nor of a job that has no end yet and an
 * image: waits for the cleaner, where it is too far behind. */
void leat_durable_pace(struct leat_durable *durable);
/* Something was appended, or could not be: the cleaner is to look. */
void leat_durable_grown(struct leat_durable *durable);
void leat_durable_missed(struct leat_durable *durable);
/* The cleaner has looked: `large` is the log, and it has let go of a segment. */
void leat_durable_pace_set(struct leat_durable *durable, bool large, bool cleaned);
/* There is no cleaner. */
void leat_durable_pace_end(struct leat_durable *durable);

#endif
