/* internal.h - what the files of durable jobs share. */
#ifndef ENGINE_DURABLE_INTERNAL_H
#define ENGINE_DURABLE_INTERNAL_H

#include "engine/durable/bulk.h"
#include "engine/durable/durable.h"
#include "engine/durable/record.h"
#include "engine/durable/sealed.h"
#include "engine/intake.h"
#include "engine/wal/wal.h"

/* A job as the log has it. */
struct leat_durable_entry {
    uint64_t id;
    struct leat_durable_state state;
    uint64_t sequence;           /* of the content, as the line below */
    uint64_t state_ns;           /* when the state was written; 0: not known */
    uint64_t image_ns;           /* the same of the content */
    enum leat_status unreadable; /* LEAT_OK, or what is wrong with it */
    uint32_t image;
    uint32_t image_bytes;   /* of it in the log */
    unsigned char *content; /* or NULL */
    unsigned char *tail;    /* error, result and attempts of the state; or NULL */
    unsigned char *held;    /* the last HELD of it; or NULL */
    uint32_t content_bytes;
    uint32_t tail_bytes;
    uint32_t held_bytes;
    bool ended;
    bool claimed;                     /* CLAIMED */
    struct leat_durable_count *count; /* of a cohort that has one in the log; or NULL */
};

/* A queue as the log has it; a format 0: it has no such record. */
struct leat_durable_named {
    struct leat_durable_queue queue;
    struct leat_durable_tuning tuning;
    char name[LEAT_NAME_BYTES_MAX + 1];
};

/* A queue's records of what was set. Letters: S many writers. */
struct leat_durable_tuned {
    leat_atomic_u32 tuned;   /* S bits of enum leat_tuned */
    leat_atomic_u32 version; /* S the last one that was taken */
    leat_atomic_u32 noted;   /* S the highest one that was appended; 0: none */
};

/* A schedule as the log has it: its last record, and the last one that defines it. */
struct leat_durable_planned {
    struct leat_durable_schedule state;
    uint32_t image;       /* the version of the definition */
    unsigned char *texts; /* name, spec, zone and content */
    size_t texts_bytes;
};

/* Entries of a block: they never move, and stand in the order in which their ids came. */
#define LEAT_DURABLE_BLOCK 1024

/* The entry of an id. */
struct leat_durable_slot {
    uint32_t mark;  /* of the id */
    uint32_t entry; /* its number + 1; 0: free */
};

/* What was read. By id: open addressing, at most half full. */
struct leat_durable_table {
    struct leat_durable_slot *slots;
    size_t slots_room; /* a power of two, or 0 */
    struct leat_durable_entry **blocks;
    size_t blocks_room;
    size_t count;   /* entries */
    size_t held;    /* of HELD */
    size_t singles; /* blocks that were not taken from the bulk */
    struct leat_durable_bulk bulk;
    struct leat_durable_named *queues;
    size_t queues_room;
    size_t queues_count;
    struct leat_durable_planned *schedules; /* by name */
    size_t schedules_room;
    size_t schedules_count;
    uint64_t ceiling;
    uint64_t sequence;     /* higher than any */
    uint32_t stored_bytes; /* in the log, of the record that is read */
    uint64_t written_ns;   /* when its batch was written, by the wall clock; 0: not known */
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
    leat_atomic_u32 bound;  /* W 1: the log is within its bound, or cannot be cleaned */
    uint64_t peak;          /* O most bytes of live jobs since it had nothing to do */
};

/* Whom an open tells how far it is. */
struct leat_durable_telling {
    void (*progress)(const struct leat_recovery_progress *progress, void *context); /* or NULL */
    void *context;
    struct leat_recovery_progress now;
    uint64_t again_ns; /* not before, but at the end of a phase */
};

/* Letters: I set at open; S many writers; W the cleaner; O who opens and closes; Q under the
 * mutex; T a statistic. */
struct leat_durable {
    struct leat_memory memory;           /* I */
    struct leat_wal wal;                 /* S */
    uint64_t segment_bytes;              /* I */
    struct leat_clock clock;             /* I the engine's; zeros: the system's */
    uint64_t serial;                     /* I random: of this open */
    struct leat_seal seal;               /* S what records are sealed with */
    bool seals;                          /* I it does something to them */
    struct leat_unsealed unsealed;       /* O of who reads the log: the open, then the cleaner */
    uint64_t key;                        /* O the one that seals at the open; 0: none */
    struct leat_error refusal;           /* O why a record was not taken */
    leat_atomic_u64 ceiling;             /* S ids of generations below it may be given out */
    leat_atomic_u64 sequence;            /* S of the last submit */
    leat_atomic_u64 live_bytes;          /* S of the images of jobs that have not ended */
    leat_atomic_u64 lost;                /* T notes for which there was no space, or memory */
    struct leat_durable_pace pace;       /* S */
    pthread_mutex_t mutex;               /* S of a new ceiling */
    bool closing;                        /* O from then on nothing is appended */
    uint64_t ended_before;               /* O a job whose end is revived, and in the log; or 0 */
    uint32_t life;                       /* I see leat_durable_life() */
    struct leat_durable_tuned *tuned;    /* I by queue; or NULL, as the engine is not there yet */
    uint32_t tuned_count;                /* I */
    struct leat_durable_table table;     /* O while the engine is opened */
    struct leat_durable_crashed crashed; /* O the same */
    struct leat_recovery_info found;     /* I */
    struct leat_durable_telling telling; /* O while the engine is opened */
    void *places;                        /* O mapping, or NULL */
    size_t places_bytes;                 /* O */
    struct leat_engine *engine;          /* I */
    struct leat_inbox landed;            /* S of transit.c: what is durable, or not to be */
    leat_atomic_u32 flying;              /* S submits that nobody is told of yet */
    leat_atomic_u32 calls_told;          /* S a futex: one more where such have landed */
    pthread_t cleaner;                   /* O */
    bool cleans;                         /* O the thread is there */
    leat_atomic_u32 clean_event;         /* S a futex: one more where the log has grown */
    leat_atomic_u32 clean_stop;          /* S */
    leat_atomic_u64 renew;               /* S segments up to it have records of older keys */
};

/* A later open's ids begin so much above: two for each use of a record. */
#define LEAT_DURABLE_IDS_STEP (UINT64_C(1) << 16)

/* The parents of a job that is being submitted. */
struct leat_durable_parents {
    struct leat_durable_parent *all; /* or NULL */
    uint32_t count;
};

/* Of jobs that are submitted as a whole: who waits for whom, by child. */
struct leat_durable_within {
    const struct leat_durable_unit *unit;
    uint32_t number;   /* of the job at hand */
    uint32_t *first;   /* of each job its first parent's place, and one more; or NULL */
    uint32_t *parents; /* numbers */
};

/* A job of the log. */
struct leat_revival {
    const struct leat_durable_found *found;
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
    const unsigned char *attempts_last;
    size_t attempts_bytes;
    uint32_t version;
    uint32_t image;
    uint32_t image_bytes;
    enum leat_durability durability;
    bool published;                         /* others have seen it, for certain */
    enum leat_unique_conflict conflict;     /* of its options */
    uint64_t key_for_ns;                    /* the same, if its time is not over; or 0 */
    bool used;                              /* LEAT_DURABLE_USED */
    bool counted;                           /* LEAT_DURABLE_COUNTED */
    const struct leat_durable_count *count; /* or NULL */
};

/* ---- append.c ------------------------------------------------------------------------------- */

/* Appends what has to be there: waits for room in the ring. leat_durable_last() is its position. */
enum leat_status leat_durable_append(struct leat_durable *durable,
                                     const struct leat_wal_entry *entry);
/* The same by another need, and up to LEAT_DURABLE_FEW of them as one unit. */
#define LEAT_DURABLE_FEW 3
enum leat_status leat_durable_append_as(struct leat_durable *durable,
                                        const struct leat_wal_entry *entries, uint32_t count,
                                        enum leat_wal_need need);
/* The first records of jobs, as one unit; waits for the cleaner, or without `waits` answers
 * LEAT_FULL. The entries become what is stored. */
enum leat_status leat_durable_append_first(struct leat_durable *durable,
                                           struct leat_wal_entry *entries, uint32_t count,
                                           bool waits, uint64_t *position);
/* This thread lands what is in flight, and begins with one of it: it sees to it that what it
 * appends is durable before anybody is told, so leat_durable_settle() does not wait, and says only
 * what was not appended since; and it waits as who is kicked does. */
void leat_durable_lands(struct leat_durable *durable);
bool leat_durable_lands_here(const struct leat_durable *durable);
/* Until that is durable, as this thread waits. */
enum leat_status leat_durable_wait_as(struct leat_durable *durable, uint64_t position);
/* This thread is the cleaner: what it appends makes room, and may take what is kept for that. */
void leat_durable_cleans(struct leat_durable *durable);
/* This thread does not wait for the cleaner: it lands, or see leat_durable_pass_begin(). */
bool leat_durable_passes(const struct leat_durable *durable);
/* The position of what this thread has appended last, and has to wait for. */
uint64_t leat_durable_last(const struct leat_durable *durable);
/* What it has appended since then is of this job, which may be one that is to be written only. */
void leat_durable_wait_less(const struct leat_durable *durable, const struct leat_job_durable *job,
                            uint64_t before);

/* ---- note.c --------------------------------------------------------------------------------- */

/* A record of the log as it was given to that. LEAT_OK, or as leat_sealed_read(). */
enum leat_status leat_durable_read(struct leat_durable *durable,
                                   const struct leat_wal_record *record,
                                   struct leat_wal_record *plain);
/* Something is not in the log, though this thread was to append it. */
void leat_durable_lose(struct leat_durable *durable, enum leat_status status);
/* How often this thread could not append something. */
uint64_t leat_durable_losses(const struct leat_durable *durable);
/* Takes a hold on a durable job; waits for who submits it. LEAT_GONE, LEAT_NOT_FOUND. */
enum leat_status leat_durable_hold(struct leat_engine *engine, leat_job_id id, uint32_t *index);
/* A durable job with that word comes back with the log. pre: a hold. */
bool leat_durable_comes_back(const struct leat_engine *engine, uint32_t index, uint64_t word);
/* For the cleaner: looks at a job, on which it has a hold, and appends how it is: an image with a
 * content of `bytes`, or a step (NULL), or its end. */
void leat_durable_write(struct leat_engine *engine, leat_job_id id, uint32_t index,
                        const unsigned char *content, uint32_t bytes);
/* The ceiling of ids, in the log and then for all. */
enum leat_status leat_durable_ceiling_set(struct leat_durable *durable, uint64_t ceiling);

/* ---- graph.c -------------------------------------------------------------------------------- */

/* LEAT_NO_MEMORY. Then, whatever it was, leat_durable_within_fini(). */
enum leat_status leat_durable_within_init(struct leat_engine *engine,
                                          const struct leat_durable_unit *unit,
                                          struct leat_durable_within *within);
void leat_durable_within_fini(struct leat_engine *engine, struct leat_durable_within *within);
/* The parents of a filled record; `within` NULL: it is submitted alone. LEAT_NO_MEMORY;
 * LEAT_UNSUPPORTED: one of them is not durable. */
enum leat_status leat_durable_parents_make(struct leat_engine *engine, uint32_t index,
                                           const struct leat_durable_within *within,
                                           struct leat_durable_parents *parents);
void leat_durable_parents_free(struct leat_engine *engine, struct leat_durable_parents *parents);
/* A filled record of the log gets its ties. LEAT_NO_MEMORY. */
enum leat_status leat_durable_ties_revive(struct leat_engine *engine,
                                          const struct leat_revival *revival, uint32_t index);
/* It is published, as BLOCKED; or as one that has ended and is there for its children. */
leat_job_id leat_durable_blocked_revive(struct leat_engine *engine,
                                        const struct leat_revival *revival,
                                        const struct leat_intake *intake, bool kept);
void leat_durable_used_revive(struct leat_engine *engine, const struct leat_revival *revival,
                              uint32_t index, bool kept);
/* All are there: they find each other, and go on. LEAT_NO_MEMORY. */
enum leat_status leat_durable_graph_revive(struct leat_engine *engine,
                                           struct leat_durable_entry *const *entries, size_t count);
/* ---- transit.c ------------------------------------------------------------------------------- */

/* For struct leat_wal_calls. */
leat_atomic_u32 *leat_durable_link(void *context, uint32_t index);
uint64_t leat_durable_position(void *context, uint32_t index);
bool leat_durable_calls_written(void *context, uint32_t index);
void leat_durable_settled(void *context, uint32_t index, enum leat_status status);
void leat_durable_landed(void *context);
/* Returns when nothing is in the air. Nobody submits. */
void leat_durable_land_all(struct leat_durable *durable);

/* ---- cohort.c ------------------------------------------------------------------------------- */

/* A member that is counted by the record that is about to be appended. */
struct leat_durable_counting {
    struct leat_cohort *cohort; /* locked; NULL: nothing is to be counted */
    uint32_t index;             /* of the cohort, on which there is a hold */
    struct leat_job_durable *job;
    enum leat_phase phase;
    struct leat_durable_count count;
    struct leat_wal_entry entry;
};

/* The record at hand says that a job has ended as `phase`: what is to be one unit with it, or NULL.
 * Then leat_durable_counting_end(), in any case. */
const struct leat_wal_entry *leat_durable_counting_begin(struct leat_engine *engine, uint32_t index,
                                                         enum leat_phase phase,
                                                         struct leat_durable_counting *counting);
void leat_durable_counting_end(struct leat_engine *engine,
                               const struct leat_durable_counting *counting, bool appended);
/* What a job that is submitted is to cohorts, beside a member. `within` may be NULL. */
void leat_durable_watch_make(const struct leat_engine *engine,
                             const struct leat_durable_within *within,
                             struct leat_durable_watch *watch);
/* LEAT_CORRUPT, LEAT_UNSUPPORTED. */
enum leat_status leat_durable_count_read(struct leat_durable_count *count,
                                         const struct leat_wal_record *record);
/* For the cleaner: it is needed, and, if it `copies`, goes to the end of the log. False: it is
 * not. */
bool leat_durable_count_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                              bool copies);
/* A job of the log: what its node is to be, and then, with it. LEAT_NO_MEMORY. */
void leat_durable_watch_ties(struct leat_engine *engine, const struct leat_revival *revival,
                             struct leat_ties *ties);
enum leat_status leat_durable_watch_revive(struct leat_engine *engine,
                                           const struct leat_revival *revival, uint32_t index);

/* ---- open.c --------------------------------------------------------------------------------- */

/* For who makes the jobs of the table: so many are there. */
void leat_durable_revived(struct leat_durable *durable, uint64_t made, uint64_t found);

/* ---- attempts.c ----------------------------------------------------------------------------- */

#define LEAT_DURABLE_ATTEMPTS_MAX                                                                  \
    (LEAT_ATTEMPTS_KEPT * (sizeof(struct leat_durable_attempt) + LEAT_ERROR_BYTES - 1))

bool leat_durable_attempts_any(const struct leat_engine *engine, uint32_t index);
/* Writes the last attempts into so much room, the oldest left out where they do not fit. Returns
 * the bytes. `under_way`: the number of the run that has not ended; 0: none is. pre: a hold. */
size_t leat_durable_attempts_put(const struct leat_engine *engine, uint32_t index,
                                 uint32_t under_way, unsigned char *to, size_t room);
/* A filled record gets those that it had. LEAT_NO_MEMORY. */
enum leat_status leat_durable_attempts_revive(struct leat_engine *engine, uint32_t index,
                                              const struct leat_revival *revival);

/* ---- held.c --------------------------------------------------------------------------------- */

/* A key that is held behind the end that is about to be appended. */
struct leat_durable_holding {
    struct leat_claim *claim; /* NULL: there is none */
    struct leat_wal_entry entry;
    struct leat_durable_held head;
    unsigned char texts[LEAT_NAME_BYTES_MAX + 1 + LEAT_UNIQUE_KEY_BYTES_MAX];
};

/* What is to be one unit with the END of a job that ends as `phase` (0: not known); or NULL. Then,
 * if that was appended, leat_durable_holding_said(). pre: the caller keeps the record. */
const struct leat_wal_entry *leat_durable_holding_make(struct leat_engine *engine, leat_job_id id,
                                                       enum leat_phase phase,
                                                       struct leat_durable_holding *holding);
void leat_durable_holding_said(struct leat_engine *engine,
                               const struct leat_durable_holding *holding);
/* Holds the keys of the table, in front of its jobs. */
enum leat_status leat_durable_held_revive(struct leat_engine *engine, struct leat_error *error);
/* The key that `holder` holds was not held any more when the job was submitted; or that one was
 * cancelled for the job, which replaces it. */
bool leat_durable_held_yields(const struct leat_engine *engine, const struct leat_revival *revival,
                              leat_job_id holder);
/* For the cleaner: the key is held yet, and not by another job; if it `copies`, it goes to the end
 * of the log, for no longer than is left. */
bool leat_durable_held_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                             bool copies);
/* How long a durable job holds its key yet; LEAT_FOREVER: it holds none for a time. pre: a hold. */
uint64_t leat_durable_key_left_ns(struct leat_engine *engine, leat_job_id id, uint32_t index);

/* ---- table.c -------------------------------------------------------------------------------- */

/* The entry of a number below its count. */
LEAT_INLINE struct leat_durable_entry *
leat_durable_table_at(const struct leat_durable_table *table, size_t number)
{
    return &table->blocks[number / LEAT_DURABLE_BLOCK][number % LEAT_DURABLE_BLOCK];
}

/* NULL: the log has nothing of that id. */
const struct leat_durable_entry *leat_durable_table_find(const struct leat_durable_table *table,
                                                         uint64_t id);

/* For leat_wal_reader. */
bool leat_durable_table_record(void *context, struct leat_wal_place place,
                               const struct leat_wal_record *record);
void leat_durable_table_fini(struct leat_durable *durable);

/* ---- crashes.c ------------------------------------------------------------------------------ */

/* Reads what the process before has left, of this boot of the system. LEAT_NO_MEMORY, or as the
 * system refuses to read it; that there is nothing is LEAT_OK. */
enum leat_status leat_durable_crashed_read(struct leat_durable *durable);
/* Makes the places: so many bytes. LEAT_NO_SPACE, LEAT_NO_MEMORY, LEAT_REFUSED, LEAT_SYSTEM. */
enum leat_status leat_durable_places_open(struct leat_durable *durable, size_t bytes);
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
/* The cleaner has come to a SCHEDULE: what of it is needed goes to the end of the log, if it
 * `copies`. True: that is something. */
bool leat_durable_schedule_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                                 bool copies);

/* ---- tuning.c -------------------------------------------------------------------------------- */

/* False: no memory. */
bool leat_durable_tuning_init(struct leat_durable *durable, uint32_t queues);
void leat_durable_tuning_fini(struct leat_durable *durable);
/* LEAT_CORRUPT, LEAT_UNSUPPORTED. */
enum leat_status leat_durable_tuning_read(struct leat_durable_named *named,
                                          const struct leat_wal_record *record);
/* Sets what the log has of a queue whose jobs are not there yet. LEAT_NO_MEMORY, LEAT_INVALID. */
enum leat_status leat_durable_tuning_revive(struct leat_engine *engine, uint32_t queue,
                                            const struct leat_durable_tuning *tuning);
/* For the cleaner: none that is later stands in the log. */
bool leat_durable_tuning_latest(struct leat_engine *engine, const struct leat_wal_record *record);

/* ---- clean.c -------------------------------------------------------------------------------- */

bool leat_durable_clean_start(struct leat_engine *engine);
void leat_durable_clean_stop(struct leat_durable *durable);
/* What is there now is to be appended anew, as it is sealed with an older key. */
void leat_durable_renew(struct leat_durable *durable);
/* The cleaner is to look. */
void leat_durable_clean_ask(struct leat_durable *durable);

/* ---- pace.c --------------------------------------------------------------------------------- */

/* Before something is appended that is not the cleaner's, nor of a job that has no end yet and an
 * image: waits for the cleaner, where it is too far behind. */
void leat_durable_pace(struct leat_durable *durable);
/* For who does not wait: true: it would have to, and the cleaner is asked to look. */
bool leat_durable_pace_stops(struct leat_durable *durable);
/* Something was appended, or could not be: the cleaner is to look. */
void leat_durable_grown(struct leat_durable *durable);
void leat_durable_missed(struct leat_durable *durable);
/* The cleaner is about to look. */
void leat_durable_pace_look(struct leat_durable *durable);
/* It has looked: `large` is the log, and it has let go of a segment. */
void leat_durable_pace_set(struct leat_durable *durable, bool large, bool cleaned);
/* A cleaner is about to be there; when it is: waits until the log is within its bound. */
void leat_durable_pace_begin(struct leat_durable *durable);
void leat_durable_pace_bound(struct leat_durable *durable);
/* There is no cleaner. */
void leat_durable_pace_end(struct leat_durable *durable);

#endif
