/* wal.h - the log: records that are on the disk before anybody is told so.
 *
 * It knows nothing of jobs. Who uses it appends records of bytes with a tag, in units that a crash
 * leaves whole or not at all, and waits for those that must not be lost. Why so, and what a crash
 * may leave: docs/design/0036. What the files have in them: format.h.
 *
 * Roles    any thread appends and waits. One at a time has the role (role.h): it writes out what
 *          the ring (ring/bytes.h) has ready as one batch, syncs it, and says so. One thread at a
 *          time makes a segment ahead, and one cleans.
 * Claims   append  lock-free, a wake-up of the log's thread aside.
 *          wait    BLOCKING: it is what waits for the disk.
 *          A thread that stops while it appends keeps all that were behind it from becoming
 *          durable (ring/bytes.h); one that stops with the role, all.
 * Failure  A write or a sync that fails ends the log: nothing is acknowledged from then on, and the
 *          file is never synced again, as the system may have dropped what it could not write. No
 *          space for another segment is no failure. Two are made ahead: where there is no space for
 *          the second one any more, the first is the reserve: what is new is refused then, and what
 *          is appended with LEAT_WAL_LAST goes to the room that is left, but for half a segment,
 *          which is for who cleans: else nothing could make room once that is used up. Who has
 *          the role sees to that: up to there a batch goes, and no further, not even a mark.
 */
#ifndef ENGINE_WAL_WAL_H
#define ENGINE_WAL_WAL_H

#include <pthread.h>

#include "engine/leat.h"
#include "engine/wal/file.h"
#include "engine/wal/format.h"
#include "engine/wal/role.h"
#include "ring/bytes.h"
#include "ring/fifo.h"
#include "ring/inbox.h"

#define LEAT_WAL_SEGMENT_BYTES_MIN (UINT64_C(1) << 16)
#define LEAT_WAL_SEGMENT_BYTES_MAX (UINT64_C(1) << 31)
#define LEAT_WAL_RING_BYTES_MIN    (UINT64_C(1) << 14)
#define LEAT_WAL_RING_BYTES_MAX    (UINT64_C(1) << 30)

/* Records of the user's that leat_wal_when() is given, by index: their links; where in the log what
 * they wait for ends; and what is called then, with what leat_wal_wait() would have answered.
 * settled() is called by who has the role: all that becomes durable later waits for its return. It
 * may append, kick, and leat_wal_when(), but not wait. */
struct leat_wal_calls {
    leat_atomic_u32 *(*link)(void *context, uint32_t index);
    uint64_t (*position)(void *context, uint32_t index);
    void (*settled)(void *context, uint32_t index, enum leat_status status);
    void *context;
    /* Called by the log's own thread without the role, some time behind each call of settled():
     * for what may wait, or take its time. NULL: nothing is. */
    void (*behind)(void *context);
};

struct leat_wal_config {
    const struct leat_wal_files *files;
    const char *directory; /* borrowed until the open returns */
    struct leat_memory memory;
    uint64_t segment_bytes;      /* a multiple of a block */
    uint64_t ring_bytes;         /* a power of two, at most half a segment */
    uint64_t seed;               /* of the segments' identities: another one at each open; 0: the
                                    log draws one */
    uint64_t bytes_max;          /* of all files; 0: no cap. Above it there is no space for another
                                    segment, but for that of an open */
    bool late;                   /* what nobody waits for to be durable is written only, and synced
                                    10 ms after the last of it, or with its segment */
    enum leat_log_sync sync;     /* how a batch that is waited for gets to the disk */
    struct leat_wal_calls calls; /* zeros: leat_wal_when() is not used */
    /* True: the record waits until it is written only, as with leat_wal_wait_written(). Is given
     * calls.context. NULL: none does. */
    bool (*calls_written)(void *context, uint32_t index);
    /* Told at an open, or a look, how many bytes of the segments that are needed are read: behind
     * each quarter of a megabyte or less, each time more, at last all. */
    void (*progress)(void *context, uint64_t done, uint64_t of);
    void *progress_context;
    /* Threads that read, the caller among them, up to LEAT_WAL_CREW_MAX; 0 is 1. */
    uint32_t threads;
    /* What may be made of a record before its turn, by any of them, in any order, also of one that
     * is never told: into `room` bytes, aligned to 16. Returns a multiple of 16 that it has used,
     * and the record has it when it is told; 0: nothing, or there is not enough room. It asks for
     * no file. NULL: nothing is. */
    size_t (*ahead)(void *context, const struct leat_wal_record *record, void *to, size_t room);
    void *ahead_context;
    /* What the wall clock says: each batch has it. Asked by who has the role. NULL: none has it. */
    uint64_t (*wall_ns)(void *context);
    void *wall_context;
};

/* Where a record stands: higher is later. And since when, by the wall clock: 0: not known. */
struct leat_wal_place {
    uint64_t segment;
    uint64_t batch;
    uint64_t written_ns;
};

/* What an open, or a look, found. */
struct leat_wal_report {
    uint64_t segments;
    uint64_t batches;
    uint64_t records;
    uint64_t bytes;          /* of records */
    uint64_t batches_again;  /* written anew, as they were not known to be durable */
    uint64_t segment_bytes;  /* of the largest segment */
    uint64_t torn_bytes;     /* up to the last block that is not zero behind the last batch */
    uint64_t damaged;        /* segment; 0: none */
    uint64_t damaged_offset; /* in it */
    uint64_t damaged_behind; /* segments behind it, of which nothing is told */
    char text[160];          /* a sentence: what is wrong, or "" */
};

/* Is told every record of the log, oldest first. A false ends the reading: there is no memory. */
struct leat_wal_reader {
    bool (*record)(void *context, struct leat_wal_place place,
                   const struct leat_wal_record *record);
    void *context;
};

/* A segment that is there, oldest first. */
struct leat_wal_known {
    uint64_t number;
    uint64_t first; /* batch */
    uint64_t bytes;
};

/* A segment that is ready to be used but for its first block. */
struct leat_wal_ahead {
    uint64_t number; /* in its name, while it is new; 0: none */
    uint64_t bytes;
    int file;
};

/* Of leat_wal.coming. */
#define LEAT_WAL_COMING_PERHAPS 1 /* the cap has room for it */
#define LEAT_WAL_COMING         2 /* and the disk has */

/* The log's own threads. Letters: O who starts and stops them; S many writers. */
struct leat_wal_threads {
    pthread_t writer;      /* O */
    pthread_t preparer;    /* O */
    bool run;              /* O */
    leat_atomic_u32 stop;  /* S 1: they are to end */
    leat_atomic_u32 taken; /* S one more where a segment that was made ahead is used up */
};

/* Letters: I set at open; O who has the role; S many writers; W one writer, many readers;
 * Q under the mutex. */
struct leat_wal {
    struct leat_wal_config config; /* I */
    int directory;                 /* I */
    uint64_t batch_bytes_max;      /* I of records */
    struct leat_wal_way synced;    /* I writes what is synced by that; with LEAT_LOG_SYNC_FDATASYNC
                                      there is none */
    struct leat_bytes ring;        /* S */
    struct leat_wal_role role;     /* S */
    /* Up to where what was appended is durable. */
    LEAT_ALIGNED_LINE leat_atomic_u64 durable; /* W who has the role */
    leat_atomic_u32 failed;                    /* W the same: 1 from the first failure on */
    leat_atomic_u32 full;                      /* S 1: there was no space for another segment, and
                                                  the reserve at most is there ahead */
    leat_atomic_u32 spends;                    /* W who cleans, with the role: 1: what is kept is
                                                  being spent */
    leat_atomic_u64 kept;                      /* W the same: bytes of the log that are for who
                                                  cleans, where it is full */
    leat_atomic_u64 floor;                     /* W the same: what of that is not to be spent */
    leat_atomic_u64 laid;                      /* W who has the role: see leat_wal_laid() */
    leat_atomic_u64 left;                      /* W the same: bytes of the present segment */
    leat_atomic_u32 unmarked;                  /* W the same: 1: the log does not know yet that
                                                  its last records are durable */
    LEAT_ALIGNED_LINE leat_atomic_u32 asleep;  /* S 1: the log's thread is, or is about to be; 2:
                                                  and for good */
    leat_atomic_u32 behind;                    /* S 1: config.calls.behind() is to be called */
    struct leat_inbox inbox;                   /* S what leat_wal_when() was given */
    struct leat_wal_threads threads;           /* S */
    LEAT_ALIGNED_LINE int file;                /* O of the segment that is written to */
    uint64_t id;                               /* O its identity */
    uint64_t bytes;                            /* O its size */
    uint64_t offset;                           /* O where the next batch goes */
    uint64_t batch;                            /* O the next one's number */
    uint64_t batch_durable;                    /* O batches below it are durable */
    uint64_t batch_said;                       /* O the same, as the last batch says */
    uint64_t batch_known;                      /* O the same, as it stands in the log */
    uint64_t batch_records;                    /* O none from this one on has records */
    struct leat_fifo calls;                    /* O what is not durable yet of the inbox */
    bool calls_sync;                           /* O one of these waits for more than a write */
    leat_atomic_u64 oldest;                    /* W who cleans: segment that is needed */
    pthread_mutex_t mutex;                     /* S of what is below; is held for no write */
    struct leat_wal_ahead ahead;               /* Q the one that is to be begun next */
    struct leat_wal_ahead reserve;             /* Q the one behind it */
    leat_atomic_u32 ready;                     /* S how many of both are there */
    leat_atomic_u32 coming;                    /* W who makes segments ahead: one is being made */
    bool looks;                                /* Q who has the role makes one ahead */
    uint64_t held;                             /* Q bytes of all files */
    struct leat_wal_known *known;              /* Q */
    uint32_t known_count;                      /* Q */
    uint32_t known_room;                       /* Q */
    uint64_t *leftover;      /* O of who makes segments ahead: those that were never begun */
    uint32_t leftover_count; /* O */
    uint64_t leftover_room;  /* O bytes */
    uint64_t next_number;    /* Q of a segment that begins */
    uint64_t next_new;       /* Q of one that is made */
    uint64_t identities;     /* Q state of a generator */
};

/* ---- open and close ------------------------------------------------------------------------- */

/* Reads the log of a directory, as leat_wal_read() does, writes anew what is not known to be
 * durable, and begins a fresh segment, whose names are durable by the return. Returns also LEAT_OK
 * where there was no log. LEAT_BUSY: another process, or another open, has it. LEAT_NOT_FOUND: no
 * such directory, or none; LEAT_NO_MEMORY, LEAT_NO_SPACE, LEAT_REFUSED, LEAT_SYSTEM, LEAT_CORRUPT,
 * LEAT_UNSUPPORTED: a later format, or another byte order, or config.sync is not to be had there;
 * report->text says what. Nothing is then open. */
enum leat_status leat_wal_open(struct leat_wal *wal, const struct leat_wal_config *config,
                               const struct leat_wal_reader *reader,
                               struct leat_wal_report *report);
/* Reads a log and changes nothing in it. The same answers. */
enum leat_status leat_wal_read(const struct leat_wal_config *config,
                               const struct leat_wal_reader *reader,
                               struct leat_wal_report *report);
/* The same of a damaged log: tells what stands before the damage, however little that is, and then
 * answers LEAT_CORRUPT. */
enum leat_status leat_wal_salvage(const struct leat_wal_config *config,
                                  const struct leat_wal_reader *reader,
                                  struct leat_wal_report *report);

/* What a damaged log has, and lacks. */
struct leat_wal_gleaned {
    uint64_t batch;   /* the highest number of a good one; 0: there is none */
    uint64_t missing; /* batches of which something is known, if only that they were there: at
                         least as many as there were, but for what is gone without a trace */
};
/* Tells the records of each batch that is good by itself, also of those that are void or behind the
 * damage, by segment: for what can be learnt of a log, not for what it says. LEAT_NO_MEMORY; or as
 * the directory and its files can be read. */
enum leat_status leat_wal_glean(const struct leat_wal_config *config,
                                const struct leat_wal_reader *reader,
                                struct leat_wal_gleaned *gleaned);
/* pre: nobody is at it. Writes nothing: what was appended and not waited for may be lost. */
void leat_wal_close(struct leat_wal *wal);

/* ---- appending ------------------------------------------------------------------------------ */

/* A record to be appended, of up to two parts, which are joined. */
struct leat_wal_entry {
    uint32_t tag; /* up to LEAT_BYTES_TAG_MAX */
    uint32_t head_bytes;
    uint32_t data_bytes;
    const void *head;
    const void *data;
};

enum leat_wal_need {
    LEAT_WAL_FIRST = 1, /* refused where there is no space for another one behind the reserve */
    LEAT_WAL_LAST,      /* goes to the room that is left: it makes more */
    LEAT_WAL_CLEAN,     /* of who cleans: to what leat_wal_keep() keeps; else as LEAT_WAL_LAST */
    LEAT_WAL_BACK       /* takes back what may wait in the ring: waits there with that */
};

/* Appends `count` records as one unit: after a crash all of them are there, or none. *position is
 * what leat_wal_wait() is given. LEAT_FULL: the ring has no room now; LEAT_INVALID: it never has so
 * much; LEAT_NO_SPACE, LEAT_LOG_FAILED. Progress: lock-free. */
enum leat_status leat_wal_append(struct leat_wal *wal, const struct leat_wal_entry *entries,
                                 uint32_t count, enum leat_wal_need need, uint64_t *position);
/* What was appended without a wait is to become durable all the same: wakes the log's thread, if
 * that sleeps. Who waits for what is behind it may sleep until then, so a thread that has appended
 * kicks in front of each wait that is not one for the log: what it waits for may wait for it. */
void leat_wal_kick(struct leat_wal *wal);
/* Takes a mutex under which others append and wait, so: kicks where it is not free. */
void leat_wal_lock(struct leat_wal *wal, pthread_mutex_t *mutex);
/* Up to where what was appended is durable; and true if that is up to there. Progress:
 * wait-free. */
uint64_t leat_wal_durable(const struct leat_wal *wal);
bool leat_wal_is_durable(const struct leat_wal *wal, uint64_t position);
/* Returns once it is durable: LEAT_OK; or LEAT_LOG_FAILED, LEAT_NO_SPACE, LEAT_TIMEOUT: then it is
 * not known whether it is, or will be. The caller may come to write for all. */
enum leat_status leat_wal_wait(struct leat_wal *wal, uint64_t position, uint64_t deadline_ns);
/* The same, once it is written: the system has it, so that it is there if the process ends in any
 * way. A crash of the system loses what is not durable, from the end on. Mixes with
 * leat_wal_wait(). */
enum leat_status leat_wal_wait_written(struct leat_wal *wal, uint64_t position,
                                       uint64_t deadline_ns);
bool leat_wal_is_written(const struct leat_wal *wal, uint64_t position);
/* leat_wal_wait() for calls.behind(), or leat_wal_wait_written(): who is kicked must not wait as
 * others do, who trust that it looks again when the record in front is published. */
enum leat_status leat_wal_wait_behind(struct leat_wal *wal, uint64_t position, bool written);
/* As leat_wal_wait(), without a thread: the record `index` is settled (struct leat_wal_calls),
 * once, by the log's thread or who else writes, perhaps before the return. Those that one thread
 * gives are settled in its order, if it appended in that order too. Progress: lock-free, a wake-up
 * aside. */
void leat_wal_when(struct leat_wal *wal, uint32_t index);

/* ---- the log's threads ---------------------------------------------------------------------- */

/* Writes and syncs one batch, if anything is ready and nobody is at it; `mark`: also where nothing
 * is, if the last batch is not known to be durable by the log itself. With config.late a mark alone
 * syncs. True: something was written, or synced. */
bool leat_wal_step(struct leat_wal *wal, bool mark);
/* Sleeps until leat_wal_kick(), the deadline, or for no reason; not where something is ready. With
 * UINT64_MAX also until another thread has written a batch; not where the last one is unmarked. */
void leat_wal_sleep(struct leat_wal *wal, uint64_t deadline_ns);
/* Makes a segment ahead, if there are not two. LEAT_OK, LEAT_NO_SPACE; LEAT_SYSTEM: it could not,
 * which does no harm yet. One thread at a time. */
enum leat_status leat_wal_prepare(struct leat_wal *wal);

/* Starts two threads: one writes what nobody waits for, and marks the log behind 10 ms without
 * work; one makes segments ahead. False: the system refused. */
bool leat_wal_start(struct leat_wal *wal);
/* Ends them. What was appended before is durable by the return, and marked as such: LEAT_OK; or
 * LEAT_LOG_FAILED, LEAT_NO_SPACE. */
enum leat_status leat_wal_stop(struct leat_wal *wal);

/* ---- cleaning ------------------------------------------------------------------------------- */

/* The oldest segment that is not being written to; 0: there is none. */
uint64_t leat_wal_oldest(struct leat_wal *wal);
/* The one that is. */
uint64_t leat_wal_newest(struct leat_wal *wal);
/* Bytes of all segments that have begun; and of all files. */
uint64_t leat_wal_bytes(struct leat_wal *wal);
uint64_t leat_wal_held(struct leat_wal *wal);
/* Bytes of segments that were used up since the open, rests that nothing fitted in included: it
 * grows by as much as the files do. Progress: wait-free. */
uint64_t leat_wal_laid(const struct leat_wal *wal);
/* Bytes that may be appended to: of the present segment, and of those ahead. */
uint64_t leat_wal_room(const struct leat_wal *wal);
/* Tells the reader every record of the oldest segment, as a first half of cleaning: what of it is
 * still needed, the reader appends anew. LEAT_NOT_FOUND: there is none; or as leat_wal_read(). One
 * thread at a time. */
enum leat_status leat_wal_look(struct leat_wal *wal, const struct leat_wal_reader *reader);
/* Where the log is full, in front of the first half: of what is left so much is kept for it as
 * records of `bytes` come to, with those that wait already, and as much again for what comes to
 * them meanwhile. Until leat_wal_keep_end() only who cleans gets to that, with LEAT_WAL_CLEAN,
 * leat_wal_wait_cleaning() and leat_wal_forget(). False: there is not so much; an eighth of a
 * segment, and four blocks, are there only for what needs no more than that, so that a segment of
 * which next to nothing is needed can go in any case. One thread at a time; waits for who has the
 * role. */
bool leat_wal_keep(struct leat_wal *wal, uint64_t bytes);
void leat_wal_keep_end(struct leat_wal *wal);
/* As leat_wal_wait(), for who cleans. */
enum leat_status leat_wal_wait_cleaning(struct leat_wal *wal, uint64_t position);
/* The second half: what is needed of the oldest segment was appended before `position`. Waits for
 * that, says in the log that the segment is not needed, waits for that, and removes it. */
enum leat_status leat_wal_forget(struct leat_wal *wal, uint64_t position);

#endif
