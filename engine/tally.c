/* tally.c - see tally.h. */
#include "engine/tally.h"

#include <string.h>

#include "engine/engine_internal.h"

/* ---- counting ------------------------------------------------------------------------------- */

void
leat_tally_share(struct leat_engine *engine, struct leat_tally_key key, enum leat_tally_what what)
{
    const struct leat_tally *tally = &engine->tally;
    struct leat_cell *cells = &tally->cells[(size_t)engine->pool.places * tally->set];
    uint32_t queue = leat_tally_cell(LEAT_BY_QUEUE, leat_tally_row(tally, key.queue));
    uint32_t type = leat_tally_cell(LEAT_BY_TYPE, leat_tally_row(tally, key.type));
    (void)atom_add_rlx(&cells[key.level].counts[what], 1); /* rlx: statistic */
    (void)atom_add_rlx(&cells[queue].counts[what], 1);     /* rlx: statistic */
    (void)atom_add_rlx(&cells[type].counts[what], 1);      /* rlx: statistic */
}

static struct leat_times *
times_of(const struct leat_tally *tally, enum leat_statistics_by by, uint32_t row)
{
    return &tally->times[by == LEAT_BY_QUEUE ? row : tally->rows + 1 + row];
}

void
leat_tally_waited(struct leat_engine *engine, struct leat_place *place,
                  const struct leat_job_record *record, uint64_t duration_ns)
{
    const struct leat_tally *tally = &engine->tally;
    uint32_t queue = leat_tally_row(tally, leat_job_queue(record));
    uint32_t type = leat_tally_row(tally, leat_job_type(record));
    leat_histogram_record(&place->queue_wait, duration_ns);
    leat_histogram_share(&times_of(tally, LEAT_BY_QUEUE, queue)->queue_wait, duration_ns);
    leat_histogram_share(&times_of(tally, LEAT_BY_TYPE, type)->queue_wait, duration_ns);
}

void
leat_tally_ran(struct leat_engine *engine, struct leat_place *place,
               const struct leat_job_record *record, uint64_t duration_ns)
{
    const struct leat_tally *tally = &engine->tally;
    uint32_t queue = leat_tally_row(tally, leat_job_queue(record));
    uint32_t type = leat_tally_row(tally, leat_job_type(record));
    leat_histogram_record(&place->run_time, duration_ns);
    leat_histogram_share(&times_of(tally, LEAT_BY_QUEUE, queue)->run_time, duration_ns);
    leat_histogram_share(&times_of(tally, LEAT_BY_TYPE, type)->run_time, duration_ns);
}

/* ---- reading -------------------------------------------------------------------------------- */

uint32_t
leat_tally_rows_max(const struct leat_engine *engine, enum leat_statistics_by by)
{
    return by == LEAT_BY_PRIORITY ? LEAT_PRIORITY_LEVELS : engine->tally.rows + 1;
}

uint32_t
leat_tally_rows(const struct leat_engine *engine, enum leat_statistics_by by)
{
    const struct leat_names *names = by == LEAT_BY_QUEUE ? &engine->queues : &engine->types;
    if (by == LEAT_BY_PRIORITY) {
        return LEAT_PRIORITY_LEVELS;
    }
    uint32_t count = atom_load_rlx(&names->count); /* rlx: statistic */
    return count <= engine->tally.rows ? count : engine->tally.rows + 1;
}

/* The row of a job's record. */
static uint32_t
row_of(const struct leat_tally *tally, enum leat_statistics_by by,
       const struct leat_job_record *record)
{
    switch (by) {
    case LEAT_BY_QUEUE:
        return leat_tally_row(tally, leat_job_queue(record));
    case LEAT_BY_TYPE:
        return leat_tally_row(tally, leat_job_type(record));
    case LEAT_BY_PRIORITY:
        break;
    }
    return leat_job_level(record);
}

void
leat_tally_live(const struct leat_engine *engine, enum leat_statistics_by by,
                struct leat_tally_live *live)
{
    const struct leat_slab *jobs = &engine->jobs;
    /* Ends: it goes over each record once. */
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        /* tallied:A acquire -> submit:A, change:B.  Carries: the record's fields. Where they are of
         * a later job by now, that one is counted in the place of this one.
         * If relaxed: those of the job before could be read. */
        uint64_t word = atom_load_acq(leat_slab_word(jobs, i));
        enum leat_phase phase = leat_word_phase(word);
        if ((leat_word_generation(word) & 1) == 0 || phase == LEAT_PHASE_FILLING ||
            phase >= LEAT_PHASE_GONE) {
            continue;
        }
        const struct leat_job_record *record = leat_job_record(engine, i);
        struct leat_tally_live *of = &live[row_of(&engine->tally, by, record)];
        of->jobs[phase]++;
        uint64_t since_ns = atom_load_rlx(&record->submit_ns); /* rlx: ordered by tallied:A */
        bool older = of->since_ns == 0 || since_ns < of->since_ns;
        if (phase == LEAT_PHASE_PENDING && since_ns != 0 && older) {
            of->since_ns = since_ns;
        }
    }
}

static uint64_t
cell_sum(const struct leat_engine *engine, uint32_t cell, enum leat_tally_what what)
{
    const struct leat_tally *tally = &engine->tally;
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= engine->pool.places; i++) {
        /* rlx: statistic */
        sum += atom_load_rlx(&tally->cells[(size_t)i * tally->set + cell].counts[what]);
    }
    return sum;
}

uint64_t
leat_tally_sum(const struct leat_engine *engine, enum leat_tally_what what)
{
    uint64_t sum = 0;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        sum += cell_sum(engine, level, what);
    }
    return sum;
}

/* The name of a row, and its index or handle. */
static void
name_tell(const struct leat_engine *engine, uint32_t row, struct leat_statistics_row *told)
{
    const struct leat_names *names = told->by == LEAT_BY_QUEUE ? &engine->queues : &engine->types;
    told->name = "";
    if (told->by == LEAT_BY_PRIORITY) {
        told->index = row;
    } else if (row < engine->tally.rows) {
        const char *name = leat_names_text(names, row);
        told->name = name == NULL ? "" : name;
        told->index = row + 1;
    }
}

const struct leat_times *
leat_tally_times(const struct leat_engine *engine, enum leat_statistics_by by, uint32_t row)
{
    return times_of(&engine->tally, by, row);
}

void
leat_tally_tell(const struct leat_engine *engine, const struct leat_tally_live *live, uint32_t row,
                struct leat_statistics_row *told)
{
    uint32_t cell = leat_tally_cell(told->by, row);
    uint64_t now_ns = leat_os_monotonic_ns();
    name_tell(engine, row, told);
    memcpy(told->jobs, live->jobs, sizeof(told->jobs));
    told->completed = cell_sum(engine, cell, LEAT_TALLY_COMPLETED);
    told->dead = cell_sum(engine, cell, LEAT_TALLY_DEAD);
    told->cancelled = cell_sum(engine, cell, LEAT_TALLY_CANCELLED);
    told->retried = cell_sum(engine, cell, LEAT_TALLY_RETRIED);
    if (live->since_ns != 0 && live->since_ns < now_ns) {
        told->oldest_ns = now_ns - live->since_ns;
    }
    if (told->by != LEAT_BY_PRIORITY) {
        const struct leat_times *times = leat_tally_times(engine, told->by, row);
        told->queue_wait = leat_histograms_latency(leat_histograms_one(&times->queue_wait));
        told->run_time = leat_histograms_latency(leat_histograms_one(&times->run_time));
    }
}

/* ---- for hosts ------------------------------------------------------------------------------ */

static enum leat_status
list_check(const struct leat_engine *engine, enum leat_statistics_by by,
           const struct leat_statistics_row *rows, size_t capacity, const size_t *count)
{
    enum leat_status status = leat_engine_check(engine);
    bool known = by == LEAT_BY_PRIORITY || by == LEAT_BY_QUEUE || by == LEAT_BY_TYPE;
    if (status == LEAT_OK && (rows == NULL || capacity == 0 || count == NULL || !known)) {
        status = LEAT_INVALID;
    }
    return status;
}

/* Rows `first` and on, each written as far as the caller's struct reaches. */
static enum leat_status
list_write(const struct leat_engine *engine, enum leat_statistics_by by,
           const struct leat_tally_live *live, struct leat_statistics_row *rows, size_t count)
{
    uint32_t head[2]; /* size and version */
    enum leat_status status = LEAT_OK;
    memcpy(head, rows, sizeof(head));
    for (uint32_t row = 0; row < count && status == LEAT_OK; row++) {
        struct leat_statistics_row told = leat_statistics_row_default();
        unsigned char *place = (unsigned char *)rows + (size_t)row * head[0];
        told.by = by;
        leat_tally_tell(engine, &live[row], row, &told);
        memcpy(place, head, sizeof(head));
        status = leat_struct_write(place, &told, sizeof(told));
    }
    return status;
}

enum leat_status
leat_statistics_list(struct leat_engine *engine, enum leat_statistics_by by,
                     struct leat_statistics_row *rows, size_t capacity, size_t *count)
{
    enum leat_status status = list_check(engine, by, rows, capacity, count);
    if (status != LEAT_OK) {
        return status;
    }
    /* What is named while it counts is not told: there is room for all that a row can be. */
    size_t there = leat_tally_rows(engine, by);
    size_t bytes = sizeof(struct leat_tally_live) * leat_tally_rows_max(engine, by);
    struct leat_tally_live *live = leat_memory_take(&engine->memory, bytes);
    if (live == NULL) {
        return LEAT_NO_MEMORY;
    }
    leat_tally_live(engine, by, live);
    there = there < capacity ? there : capacity;
    status = list_write(engine, by, live, rows, there);
    leat_memory_give(&engine->memory, live, bytes);
    if (status == LEAT_OK) {
        *count = there;
    }
    return status;
}

/* ---- open and close ------------------------------------------------------------------------- */

static size_t
rows_all(const struct leat_config *concrete)
{
    return ((size_t)concrete->statistics_rows + 1) * 2;
}

/* Even: two cells are a line. */
static size_t
set_of(const struct leat_config *concrete)
{
    return (LEAT_PRIORITY_LEVELS + rows_all(concrete) + 1) / 2 * 2;
}

static size_t
cells_bytes(const struct leat_config *concrete)
{
    return sizeof(struct leat_cell) * set_of(concrete) * (leat_config_places(concrete) + 1);
}

size_t
leat_tally_bytes(const struct leat_config *concrete)
{
    return cells_bytes(concrete) + sizeof(struct leat_times) * rows_all(concrete);
}

bool
leat_tally_init(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    struct leat_tally *tally = &engine->tally;
    tally->rows = config->statistics_rows;
    tally->set = (uint32_t)set_of(config);
    tally->cells_bytes = cells_bytes(config);
    tally->times_bytes = sizeof(struct leat_times) * rows_all(config);
    tally->cells = leat_memory_take_lines(&engine->memory, tally->cells_bytes);
    tally->times = leat_os_map(tally->times_bytes);
    for (uint32_t i = 0; tally->cells != NULL && i < engine->pool.places; i++) {
        engine->places[i].cells = &tally->cells[(size_t)i * tally->set];
    }
    return tally->cells != NULL && tally->times != NULL;
}

void
leat_tally_fini(struct leat_engine *engine)
{
    struct leat_tally *tally = &engine->tally;
    leat_memory_give(&engine->memory, tally->cells, tally->cells_bytes);
    leat_os_unmap(tally->times, tally->times_bytes);
}
