/* recover.c - reading a log: which batches it has, and whether what is behind them was torn off by
 * a crash or is damage. The rule is in docs/design/0036:
 *
 *   1 Every segment has a first block that is good, and the size that stands there. It was synced
 *     before the file got its name.
 *   2 All batches below the first one of the last segment were durable before that segment began:
 *     they are all there and good, or the log is damaged.
 *   3 Of the last segment, so are all batches below the highest number that any good header in it
 *     says was durable. The first one above that is not good ends the log: it was torn, and with
 *     it what stands behind it.
 */
#include "engine/wal/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/crc32c.h"

static const struct leat_wal_files *
files_of(const struct leat_wal_scan *scan)
{
    return scan->config->files;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Makes room for so many bytes; what is there stays. False: no memory. */
static bool
grow(const struct leat_wal_scan *scan, void **block, uint64_t *room, uint64_t bytes)
{
    if (bytes <= *room) {
        return true;
    }
    uint64_t wanted = bytes < 2 * *room ? 2 * *room : bytes;
    void *more = leat_memory_take(&scan->config->memory, wanted);
    if (more == NULL) {
        return false;
    }
    if (*room != 0) {
        memcpy(more, *block, *room);
        leat_memory_give(&scan->config->memory, *block, *room);
    }
    *block = more;
    *room = wanted;
    return true;
}

void
leat_wal_scan_fini(struct leat_wal_scan *scan)
{
    const struct leat_memory *memory = &scan->config->memory;
    leat_memory_give(memory, scan->found, scan->found_room);
    leat_memory_give(memory, scan->leftover, scan->leftover_room);
    leat_memory_give(memory, scan->segment, scan->segment_room);
    leat_memory_give(memory, scan->tail, scan->tail_room);
}

/* ---- what is said --------------------------------------------------------------------------- */

static enum leat_status
damaged(struct leat_wal_scan *scan, uint64_t number, uint64_t offset, const char *what)
{
    struct leat_wal_report *report = scan->report;
    report->damaged = number;
    report->damaged_offset = offset;
    report->damaged_behind = 0;
    for (uint32_t i = 0; i < scan->named; i++) {
        report->damaged_behind += scan->found[i].number > number;
    }
    (void)snprintf(report->text, sizeof(report->text),
                   "segment %016" PRIx64 ", byte %" PRIu64 ": %s", number, offset, what);
    return LEAT_CORRUPT;
}

static enum leat_status
refused(struct leat_wal_scan *scan, enum leat_status status, const char *what)
{
    (void)snprintf(scan->report->text, sizeof(scan->report->text), "%s", what);
    return status;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void
name_found(void *context, const char *name)
{
    struct leat_wal_scan *scan = context;
    bool is_new = false;
    uint64_t number = leat_wal_number(name, &is_new);
    if (number == 0) {
        return;
    }
    if (number >= scan->number_next) {
        scan->number_next = number + 1;
    }
    if (is_new) {
        void *block = scan->leftover;
        uint64_t bytes = (scan->leftover_count + 1) * sizeof(*scan->leftover);
        scan->no_memory |= !grow(scan, &block, &scan->leftover_room, bytes);
        scan->leftover = block;
        if (!scan->no_memory) {
            scan->leftover[scan->leftover_count++] = number;
        }
        return;
    }
    void *block = scan->found;
    uint64_t bytes = (scan->count + 1) * sizeof(*scan->found);
    scan->no_memory |= !grow(scan, &block, &scan->found_room, bytes);
    scan->found = block;
    if (!scan->no_memory) {
        scan->found[scan->count++] = (struct leat_wal_found){.number = number};
    }
}

static int
by_number(const void *left, const void *right)
{
    uint64_t a = ((const struct leat_wal_found *)left)->number;
    uint64_t b = ((const struct leat_wal_found *)right)->number;
    return (a > b) - (a < b);
}

/* ---- first blocks --------------------------------------------------------------------------- */

static enum leat_status
header_judge(struct leat_wal_scan *scan, const struct leat_wal_found *found, int64_t size)
{
    const struct leat_wal_segment *header = &found->header;
    switch (leat_wal_segment_judge(header)) {
    case LEAT_WAL_HEADER_VALID:
        break;
    case LEAT_WAL_HEADER_FOREIGN_ORDER:
        return refused(scan, LEAT_UNSUPPORTED,
                       "the log was written by a machine of the other byte order");
    case LEAT_WAL_HEADER_FOREIGN_VERSION:
        return refused(scan, LEAT_UNSUPPORTED, "the log has a format of another version");
    case LEAT_WAL_HEADER_DAMAGED:
        return damaged(scan, found->number, 0, "its first block is damaged");
    }
    if (header->number != found->number) {
        return damaged(scan, found->number, 0, "it is another segment than its name says");
    }
    if ((uint64_t)size != header->bytes) {
        return damaged(scan, found->number, (uint64_t)size, "its size is not what it was");
    }
    return LEAT_OK;
}

static enum leat_status
header_read(struct leat_wal_scan *scan, struct leat_wal_found *found)
{
    const struct leat_wal_files *files = files_of(scan);
    char name[LEAT_WAL_NAME_BYTES];
    int file = -1;
    leat_wal_name(name, found->number, false);
    int opened = files->open(files->disk, scan->directory, name, &file);
    if (opened != 0) {
        return leat_wal_status_of(opened);
    }
    int64_t size = files->size(files->disk, file);
    int64_t got = files->read_at(files->disk, file, &found->header, sizeof(found->header), 0);
    files->close(files->disk, file);
    if (size < 0 || got < 0) {
        return leat_wal_status_of((int)(size < 0 ? size : got));
    }
    return header_judge(scan, found, size);
}

/* ---- batches -------------------------------------------------------------------------------- */

/* Reads a whole segment. */
static enum leat_status
segment_read(struct leat_wal_scan *scan, const struct leat_wal_found *found)
{
    const struct leat_wal_files *files = files_of(scan);
    char name[LEAT_WAL_NAME_BYTES];
    int file = -1;
    void *block = scan->segment;
    if (!grow(scan, &block, &scan->segment_room, found->header.bytes)) {
        return LEAT_NO_MEMORY;
    }
    scan->segment = block;
    leat_wal_name(name, found->number, false);
    int opened = files->open(files->disk, scan->directory, name, &file);
    if (opened != 0) {
        return leat_wal_status_of(opened);
    }
    int64_t got = files->read_at(files->disk, file, scan->segment, found->header.bytes, 0);
    files->close(files->disk, file);
    if (got < 0) {
        return leat_wal_status_of((int)got);
    }
    if ((uint64_t)got != found->header.bytes) {
        return damaged(scan, found->number, (uint64_t)got, "it ends too early");
    }
    for (uint64_t at = sizeof(found->header); at < LEAT_WAL_BLOCK; at++) {
        if (scan->segment[at] != 0) {
            return damaged(scan, found->number, at, "its first block is damaged");
        }
    }
    return LEAT_OK;
}

/* The header of a batch that would stand there, if it is good. */
static bool
batch_header(const struct leat_wal_scan *scan, const struct leat_wal_found *found, uint64_t offset,
             struct leat_wal_batch *batch)
{
    if (offset + LEAT_WAL_BLOCK > found->header.bytes) {
        return false;
    }
    memcpy(batch, scan->segment + offset, sizeof(*batch));
    return leat_wal_batch_judge(batch, found->header.id) &&
           leat_wal_batch_size(batch->bytes) <= found->header.bytes - offset;
}

/* The batch `number` stands there, and is good. */
static bool
batch_good(const struct leat_wal_scan *scan, const struct leat_wal_found *found, uint64_t offset,
           uint64_t number)
{
    struct leat_wal_batch batch;
    if (!batch_header(scan, found, offset, &batch) || batch.number != number) {
        return false;
    }
    const unsigned char *body = scan->segment + offset + sizeof(batch);
    return leat_crc32c(0, body, leat_wal_batch_size(batch.bytes) - sizeof(batch)) == batch.body_crc;
}

static enum leat_status
batch_tell(struct leat_wal_scan *scan, const struct leat_wal_found *found, uint64_t offset,
           const struct leat_wal_batch *batch)
{
    const unsigned char *body = scan->segment + offset + sizeof(*batch);
    const struct leat_wal_place place = {found->number, batch->number};
    struct leat_wal_record record;
    uint32_t at = 0;
    while (at < batch->bytes) {
        if (!leat_wal_record_next(body, batch->bytes, &at, &record)) {
            return damaged(scan, found->number, offset, "its records are none");
        }
        scan->report->records++;
        if (!scan->reader->record(scan->reader->context, place, &record)) {
            return LEAT_NO_MEMORY;
        }
    }
    scan->report->batches++;
    scan->report->bytes += batch->bytes;
    return LEAT_OK;
}

/* A batch that is not known to be durable is to be written anew. */
static bool
tail_keep(struct leat_wal_scan *scan, uint64_t offset, const struct leat_wal_batch *batch)
{
    uint64_t size = leat_wal_batch_size(batch->bytes);
    void *block = scan->tail;
    if (!grow(scan, &block, &scan->tail_room, scan->tail_bytes + size)) {
        return false;
    }
    scan->tail = block;
    memcpy(scan->tail + scan->tail_bytes, scan->segment + offset, size);
    scan->tail_bytes += size;
    scan->report->batches_again++;
    return true;
}

/* The batches of a segment that was read, below `limit`. *end: behind the last good one. */
static enum leat_status
batches_tell(struct leat_wal_scan *scan, const struct leat_wal_found *found, uint64_t limit,
             uint64_t *end)
{
    uint64_t offset = LEAT_WAL_BLOCK;
    enum leat_status status = LEAT_OK;
    scan->next = found->header.first;
    while (status == LEAT_OK && scan->next < limit && batch_good(scan, found, offset, scan->next)) {
        struct leat_wal_batch batch;
        memcpy(&batch, scan->segment + offset, sizeof(batch));
        status = batch_tell(scan, found, offset, &batch);
        if (status == LEAT_OK && scan->next >= scan->durable && !tail_keep(scan, offset, &batch)) {
            status = LEAT_NO_MEMORY;
        }
        offset += leat_wal_batch_size(batch.bytes);
        scan->next++;
    }
    *end = offset;
    return status;
}

/* ---- the last segment ----------------------------------------------------------------------- */

/* What the last segment says was durable and is needed, before anything is told of the log. */
static void
last_look(struct leat_wal_scan *scan, const struct leat_wal_found *last)
{
    struct leat_wal_batch batch;
    uint64_t next = last->header.first;
    for (uint64_t at = LEAT_WAL_BLOCK; at < last->header.bytes; at += LEAT_WAL_BLOCK) {
        if (batch_header(scan, last, at, &batch) && batch.durable > scan->durable) {
            scan->durable = batch.durable;
        }
    }
    for (uint64_t at = LEAT_WAL_BLOCK; batch_good(scan, last, at, next); next++) {
        memcpy(&batch, scan->segment + at, sizeof(batch));
        scan->oldest = batch.oldest > scan->oldest ? batch.oldest : scan->oldest;
        at += leat_wal_batch_size(batch.bytes);
    }
}

/* Whole blocks behind the last good batch, up to the last one that is not zero. */
static uint64_t
torn_bytes(const struct leat_wal_scan *scan, const struct leat_wal_found *last, uint64_t end)
{
    uint64_t torn = last->header.bytes;
    for (uint64_t word = 0; torn > end; torn -= sizeof(word)) {
        memcpy(&word, scan->segment + torn - sizeof(word), sizeof(word));
        if (word != 0) {
            break;
        }
    }
    return leat_round_up(torn - end, LEAT_WAL_BLOCK);
}

static enum leat_status
last_tell(struct leat_wal_scan *scan, const struct leat_wal_found *last)
{
    uint64_t end = 0;
    enum leat_status status = segment_read(scan, last);
    if (status == LEAT_OK) {
        status = batches_tell(scan, last, UINT64_MAX, &end);
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (scan->next < scan->durable) {
        return damaged(scan, last->number, end, "a batch that was durable is damaged");
    }
    scan->report->torn_bytes = torn_bytes(scan, last, end);
    return LEAT_OK;
}

/* ---- all ------------------------------------------------------------------------------------ */

static enum leat_status
names_read(struct leat_wal_scan *scan)
{
    const struct leat_wal_files *files = files_of(scan);
    scan->number_next = 1;
    int listed = files->directory_list(files->disk, scan->directory, name_found, scan);
    if (listed != 0) {
        return leat_wal_status_of(listed);
    }
    if (scan->no_memory) {
        return LEAT_NO_MEMORY;
    }
    if (scan->count != 0) {
        qsort(scan->found, scan->count, sizeof(*scan->found), by_number);
    }
    scan->named = scan->count;
    enum leat_status status = LEAT_OK;
    for (uint32_t i = 0; status == LEAT_OK && i < scan->count; i++) {
        status = header_read(scan, &scan->found[i]);
        if (status == LEAT_CORRUPT && scan->salvages) {
            scan->count = i; /* what stands before it is what there is */
            return LEAT_OK;
        }
    }
    return status;
}

/* Which batches each segment is to have; and leaves out what is not needed any more. */
static enum leat_status
limits_set(struct leat_wal_scan *scan)
{
    uint64_t limit = UINT64_MAX;
    bool there = false;
    for (uint32_t i = scan->count; i-- > 0;) {
        struct leat_wal_found *found = &scan->found[i];
        found->limit = limit;
        limit = found->header.first < limit ? found->header.first : limit;
        found->needed = found->number >= scan->oldest;
        bool told = found->needed && (i + 1 == scan->count || found->header.first < found->limit);
        scan->bytes_needed += told ? found->header.bytes : 0;
        there = there || found->number == scan->oldest;
    }
    if (there) {
        return LEAT_OK;
    }
    enum leat_status status = damaged(scan, scan->oldest, 0, "the segment is missing");
    scan->report->damaged_behind = 0; /* those are there */
    return scan->salvages ? LEAT_OK : status;
}

/* One more was read. */
static void
segment_done(struct leat_wal_scan *scan, const struct leat_wal_found *found)
{
    const struct leat_wal_config *config = scan->config;
    scan->report->segments++;
    scan->bytes_read += found->header.bytes;
    if (config->progress != NULL) {
        config->progress(config->progress_context, scan->bytes_read, scan->bytes_needed);
    }
}

/* All segments but the last one. */
static enum leat_status
older_tell(struct leat_wal_scan *scan)
{
    enum leat_status status = LEAT_OK;
    for (uint32_t i = 0; status == LEAT_OK && i + 1 < scan->count; i++) {
        struct leat_wal_found *found = &scan->found[i];
        found->needed = found->needed && found->header.first < found->limit;
        if (found->needed) {
            uint64_t end = 0;
            status = segment_read(scan, found);
            if (status == LEAT_OK) {
                status = batches_tell(scan, found, found->limit, &end);
            }
            if (status == LEAT_OK && scan->next < found->limit) {
                status = damaged(scan, found->number, end,
                                 "a batch is damaged, or a segment behind it is missing");
            }
            segment_done(scan, found);
        }
    }
    return status;
}

/* What was told, of a log that is damaged: who salvages has seen it by then. */
static enum leat_status
verdict(const struct leat_wal_scan *scan, enum leat_status status)
{
    return status == LEAT_OK && scan->report->damaged != 0 ? LEAT_CORRUPT : status;
}

enum leat_status
leat_wal_scan_run(struct leat_wal_scan *scan)
{
    enum leat_status status = names_read(scan);
    if (status != LEAT_OK || scan->count == 0) {
        return verdict(scan, status);
    }
    const struct leat_wal_found *last = &scan->found[scan->count - 1];
    scan->durable = last->header.durable;
    scan->oldest = last->header.oldest;
    status = segment_read(scan, last);
    if (status == LEAT_OK) {
        last_look(scan, last);
    }
    if (status == LEAT_OK || (status == LEAT_CORRUPT && scan->salvages)) {
        status = limits_set(scan);
    }
    if (status == LEAT_OK) {
        status = older_tell(scan);
    }
    if (status == LEAT_OK) {
        status = last_tell(scan, last);
        segment_done(scan, last);
    }
    return verdict(scan, status);
}

enum leat_status
leat_wal_scan_segment(struct leat_wal_scan *scan, const struct leat_wal_known *known,
                      uint64_t limit)
{
    struct leat_wal_found found = {.number = known->number};
    uint64_t end = 0;
    scan->durable = UINT64_MAX;
    enum leat_status status = header_read(scan, &found);
    if (status == LEAT_OK) {
        status = segment_read(scan, &found);
    }
    if (status == LEAT_OK) {
        status = batches_tell(scan, &found, limit, &end);
    }
    if (status == LEAT_OK && scan->next < limit) {
        status = damaged(scan, found.number, end, "a batch is damaged");
    }
    return status;
}
