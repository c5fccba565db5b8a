/* tally.h - what is counted of each level, queue and type by itself: how its jobs ended, retries,
 * and how long those waited and ran that are timed. docs/design/0033 says what it costs.
 *
 * Rows   The first leat_config.statistics_rows queues have a row each, behind them all others share
 *        one; the same for types. Each level has one. So the memory and the number of rows are
 *        bounded, whatever names a host invents.
 * Cells  Counts of the ends stand in cells: each place has a set of them and is their only writer,
 *        and one more set is of all threads that are no workers.
 * Times  Histograms are shared by all places: only one job in sample_interval comes there.
 * What lives is not counted at all: a reader goes over the records.
 *
 * Roles   any thread counts, reads.
 * Claims  count  wait-free; times  lock-free, see histogram.h; the rest  wait-free.
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "engine/histogram.h"
#include "engine/job.h"
#include "ring/memory.h"

struct leat_engine;
struct leat_place;

enum leat_tally_what {
    LEAT_TALLY_COMPLETED = 0,
    LEAT_TALLY_DEAD,
    LEAT_TALLY_CANCELLED,
    LEAT_TALLY_RETRIED,
    LEAT_TALLY_COUNTS
};

/* Letters: W one writer, many readers; in the set of the others, S many writers. */
struct leat_cell {
    leat_atomic_u64 counts[LEAT_TALLY_COUNTS]; /* W */
};

/* Letters: S many writers. */
struct leat_times {
    struct leat_histogram queue_wait; /* S */
    struct leat_histogram run_time;   /* S */
};

/* Letters: I set at open, then read-only; S many writers. */
struct leat_tally {
    uint32_t rows; /* I of queues, and of types: without the one for all others */
    uint32_t set;  /* I cells of a set: an even number, so that two have no line in common */
    struct leat_cell *cells;  /* S a set of each place, and one of the others */
    struct leat_times *times; /* S of queues, then of types; in pages that are taken as they are
                                 used */
    size_t cells_bytes;       /* I */
    size_t times_bytes;       /* I */
};

/* Where a job is counted; read while the record is its own. */
struct leat_tally_key {
    uint32_t level;
    uint32_t queue;
    uint32_t type;
};

LEAT_INLINE struct leat_tally_key
leat_tally_key_of(const struct leat_job_record *record)
{
    const struct leat_tally_key key = {leat_job_level(record), leat_job_queue(record),
                                       leat_job_type(record)};
    return key;
}

LEAT_INLINE enum leat_tally_what
leat_tally_of(enum leat_phase end)
{
    LEAT_STATIC(LEAT_PHASE_DEAD == LEAT_PHASE_COMPLETED + 1, "as the enum above");
    LEAT_STATIC(LEAT_PHASE_CANCELLED == LEAT_PHASE_COMPLETED + 2, "as the enum above");
    return (enum leat_tally_what)(end - LEAT_PHASE_COMPLETED);
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* The row of a queue or type, by its index. */
LEAT_INLINE uint32_t
leat_tally_row(const struct leat_tally *tally, uint32_t index)
{
    return index < tally->rows ? index : tally->rows;
}

/* The cell of a row in its set: the levels, then queues and types in turn. */
LEAT_INLINE uint32_t
leat_tally_cell(enum leat_statistics_by by, uint32_t row)
{
    if (by == LEAT_BY_PRIORITY) {
        return row;
    }
    return LEAT_PRIORITY_LEVELS + 2 * row + (by == LEAT_BY_TYPE ? 1 : 0);
}

/* ---- counting ------------------------------------------------------------------------------- */

/* Counts one in a set of cells, whose only writer calls. */
LEAT_INLINE void
leat_tally_count(const struct leat_tally *tally, struct leat_cell *cells, struct leat_tally_key key,
                 enum leat_tally_what what)
{
    uint32_t queue = leat_tally_row(tally, key.queue);
    uint32_t type = leat_tally_row(tally, key.type);
    atom_count(&cells[key.level].counts[what], 1);
    atom_count(&cells[leat_tally_cell(LEAT_BY_QUEUE, queue)].counts[what], 1);
    atom_count(&cells[leat_tally_cell(LEAT_BY_TYPE, type)].counts[what], 1);
}

/* The same by a thread that is no worker. */
void leat_tally_share(struct leat_engine *engine, struct leat_tally_key key,
                      enum leat_tally_what what);

/* A timed job began, or ended an attempt, behind so long a time. */
void leat_tally_waited(struct leat_engine *engine, struct leat_place *place,
                       const struct leat_job_record *record, uint64_t duration_ns);
void leat_tally_ran(struct leat_engine *engine, struct leat_place *place,
                    const struct leat_job_record *record, uint64_t duration_ns);

/* ---- reading -------------------------------------------------------------------------------- */

/* Rows of a kind that there are: those of names, and the one for all others where there are any. */
uint32_t leat_tally_rows(const struct leat_engine *engine, enum leat_statistics_by by);
/* And as many as there can be. */
uint32_t leat_tally_rows_max(const struct leat_engine *engine, enum leat_statistics_by by);

/* What lives of a row's jobs; `live` has room for leat_tally_rows_max(), and is zeroed. */
struct leat_tally_live {
    uint64_t jobs[LEAT_JOB_STATES]; /* by enum leat_job_state */
    uint64_t since_ns;              /* of the one that waits longest of those timed; 0: none */
};
void leat_tally_live(const struct leat_engine *engine, enum leat_statistics_by by,
                     struct leat_tally_live *live);
/* Of all jobs. */
uint64_t leat_tally_sum(const struct leat_engine *engine, enum leat_tally_what what);
/* All that a row is to say; told->by says of what. */
void leat_tally_tell(const struct leat_engine *engine, const struct leat_tally_live *live,
                     uint32_t row, struct leat_statistics_row *told);
/* The times of a queue's row, or a type's. */
const struct leat_times *leat_tally_times(const struct leat_engine *engine,
                                          enum leat_statistics_by by, uint32_t row);

/* ---- open and close ------------------------------------------------------------------------- */

size_t leat_tally_bytes(const struct leat_config *concrete);
/* False: no memory. */
bool leat_tally_init(struct leat_engine *engine);
void leat_tally_fini(struct leat_engine *engine);

#endif
