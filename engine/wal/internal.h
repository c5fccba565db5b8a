/* internal.h - what the files of the log share. */
#ifndef ENGINE_WAL_INTERNAL_H
#define ENGINE_WAL_INTERNAL_H

#include "engine/wal/crew.h"
#include "engine/wal/wal.h"

/* What a negative errno is in the words of a caller. */
enum leat_status leat_wal_status_of(int result);

/* ---- recover.c ------------------------------------------------------------------------------ */

/* One segment as it was found. */
struct leat_wal_found {
    uint64_t number;
    uint64_t limit; /* batches from this one on are void: a later segment has them */
    bool needed;    /* it has batches that are not */
    bool is_cut;    /* the file has another size: who salvages is told what is left */
    struct leat_wal_segment header;
};

/* Batches of a segment that follow one another by their headers. */
struct leat_wal_part {
    uint64_t number; /* of the first one */
    uint64_t offset; /* of it, and of what stands behind the last one */
    uint64_t end;
    uint64_t good;        /* the end of those that are good in all */
    unsigned char *ahead; /* what config.ahead() has made of their records, each behind a head */
    uint64_t ahead_room;
    uint64_t ahead_bytes;
    uint32_t ahead_count; /* records, from the first one on */
};

/* A segment that is read while the one before is told. */
struct leat_wal_coming {
    const struct leat_wal_found *found; /* NULL: none is */
    unsigned char *block;
    uint64_t room;
    int64_t got; /* bytes, or a negative errno */
};

/* A log that is read. */
struct leat_wal_scan {
    const struct leat_wal_config *config;
    const struct leat_wal_reader *reader;
    struct leat_wal_report *report;
    int directory;
    bool salvages;                /* goes on up to the damage, wherever that is */
    struct leat_wal_found *found; /* by number */
    uint64_t found_room;          /* bytes, as all rooms here */
    uint32_t count;
    uint32_t named;      /* the same, with those behind a damaged one */
    uint64_t bytes_read; /* of segments, of those that are needed */
    uint64_t bytes_needed;
    uint64_t bytes_told; /* of the same, by config.progress() */
    uint32_t leftover_count;
    uint64_t *leftover; /* segments that were never begun: to be removed */
    uint64_t leftover_room;
    uint64_t number_next; /* no segment has this number or a higher one */
    bool no_memory;
    unsigned char *segment; /* as it was read */
    uint64_t segment_room;
    const struct leat_wal_found *told; /* that one, while it is told */
    struct leat_wal_coming coming;
    struct leat_wal_crew crew;
    struct leat_wal_part parts[LEAT_WAL_CREW_PLACES];
    uint64_t next;       /* batch that is to come */
    uint64_t durable;    /* batches below it are known to be durable */
    uint64_t oldest;     /* segment that is needed */
    unsigned char *tail; /* the batches from `durable` on: to be written anew */
    uint64_t tail_bytes;
    uint64_t tail_room;
};

/* Reads all; as leat_wal_read(). The scan is to be given back in any case. */
enum leat_status leat_wal_scan_run(struct leat_wal_scan *scan);
/* Tells the records of one segment, below the batch `limit`. */
enum leat_status leat_wal_scan_segment(struct leat_wal_scan *scan,
                                       const struct leat_wal_known *known, uint64_t limit);
void leat_wal_scan_fini(struct leat_wal_scan *scan);

/* ---- open.c --------------------------------------------------------------------------------- */

/* Segments that a crash has left and that were never begun go. */
void leat_wal_leftover_remove(struct leat_wal *wal);

/* ---- threads.c ------------------------------------------------------------------------------ */

/* Its threads are to end. */
bool leat_wal_stopping(const struct leat_wal *wal);

/* ---- segments.c ----------------------------------------------------------------------------- */

/* A fresh file of zeros, whatever the cap is, which its begin syncs; while nobody else is at it. */
int leat_wal_segment_make(struct leat_wal *wal, struct leat_wal_ahead *ahead, uint64_t bytes);
/* Its first block, but for what seals it. pre: the role; or nobody else knows the log. */
struct leat_wal_segment leat_wal_segment_header(struct leat_wal *wal,
                                                const struct leat_wal_ahead *ahead);
/* Writes the first block; syncs; gives the file its name; syncs that. */
int leat_wal_segment_begin(struct leat_wal *wal, const struct leat_wal_ahead *ahead,
                           struct leat_wal_segment *header);
/* There is room for one more in wal->known. False: no memory. */
bool leat_wal_known_room(struct leat_wal *wal);
/* From now on batches go to that segment. pre: room for it; the role, or nobody else knows the
 * log. */
void leat_wal_segment_enter(struct leat_wal *wal, const struct leat_wal_ahead *ahead,
                            const struct leat_wal_segment *header, uint64_t offset);
/* None is ahead: makes one, or finds out that there is no space, which wal->full says. pre: the
 * role. */
void leat_wal_segment_ahead(struct leat_wal *wal);
/* The thread that makes segments ahead is to look whether there is space. */
void leat_wal_prepare_again(struct leat_wal *wal);
/* The present segment has no room: goes on to the next one. LEAT_NO_SPACE, LEAT_NO_MEMORY: not now;
 * LEAT_LOG_FAILED. pre: the role, and all is synced. */
enum leat_status leat_wal_segment_switch(struct leat_wal *wal);

/* ---- calls.c -------------------------------------------------------------------------------- */

/* Settles what is durable of leat_wal_when(); with a `status` that is neither LEAT_OK nor
 * LEAT_EMPTY, all. pre: the role. */
void leat_wal_settle(struct leat_wal *wal, enum leat_status status);
/* Calls config.calls.behind(), if anything was settled since. For the log's thread. */
bool leat_wal_behind(struct leat_wal *wal);

/* ---- writer.c ------------------------------------------------------------------------------- */

/* The log does not know yet that its last records are durable. */
bool leat_wal_is_unmarked(const struct leat_wal *wal);
/* All that was appended before is durable. As leat_wal_wait(). */
enum leat_status leat_wal_flush(struct leat_wal *wal);

/* Nobody cleans any more: until leat_wal_keep_end() nothing is kept. */
void leat_wal_keep_none(struct leat_wal *wal);
/* Writes and syncs a batch for what its header says, records or not. As leat_wal_wait(). */
enum leat_status leat_wal_say(struct leat_wal *wal);

#endif
