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
 *
 * Several threads check batches and what the user may do ahead, a part of a segment each, and read
 * the segment behind that (crew.h). All is judged and told by the caller alone, in the order of the
 * log: so what it says does not depend on them.
 */
#include "engine/wal/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/crc32c.h"

#define PART_BYTES_MAX (UINT64_C(1) << 18)
/* For what is made ahead of a part, so many times its bytes; and so much at most, or twice as much
 * where it has grown. */
#define AHEAD_FACTOR 3
#define AHEAD_MAX    (UINT64_C(1) << 22)

#define SIZE_IS_WRONG "its size is not what it was"

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

/* The same for a whole segment, of which nothing stays: pages of the system, huge ones where there
 * are some, and not zeroed twice. */
static bool
segment_room(unsigned char **block, uint64_t *room, uint64_t bytes)
{
    if (bytes <= *room) {
        return true;
    }
    leat_os_unmap(*block, *room);
    *block = leat_os_map(bytes);
    *room = *block == NULL ? 0 : bytes;
    if (*block != NULL) {
        leat_os_huge(*block, bytes);
    }
    return *block != NULL;
}

void
leat_wal_scan_fini(struct leat_wal_scan *scan)
{
    const struct leat_memory *memory = &scan->config->memory;
    leat_memory_give(memory, scan->found, scan->found_room);
    leat_memory_give(memory, scan->leftover, scan->leftover_room);
    leat_os_unmap(scan->segment, scan->segment_room);
    leat_os_unmap(scan->coming.block, scan->coming.room);
    for (uint32_t i = 0; i < LEAT_WAL_CREW_PLACES; i++) {
        leat_memory_give(memory, scan->parts[i].ahead, scan->parts[i].ahead_room);
    }
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
header_judge(struct leat_wal_scan *scan, struct leat_wal_found *found, int64_t size)
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
        found->is_cut = true;
        return damaged(scan, found->number, (uint64_t)size, SIZE_IS_WRONG);
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

/* ---- segments ------------------------------------------------------------------------------- */

/* Bytes, zeros instead of those that were cut off; or a negative errno. */
static int64_t
segment_load(const struct leat_wal_scan *scan, const struct leat_wal_found *found, void *to)
{
    const struct leat_wal_files *files = files_of(scan);
    char name[LEAT_WAL_NAME_BYTES];
    int file = -1;
    leat_wal_name(name, found->number, false);
    int opened = files->open(files->disk, scan->directory, name, &file);
    if (opened != 0) {
        return opened;
    }
    int64_t got = files->read_at(files->disk, file, to, found->header.bytes, 0);
    files->close(files->disk, file);
    if (found->is_cut && got >= 0 && (uint64_t)got < found->header.bytes) {
        memset((unsigned char *)to + got, 0, found->header.bytes - (uint64_t)got);
        got = (int64_t)found->header.bytes;
    }
    return got;
}

/* The errand of the crew. */
static void
coming_load(void *context)
{
    struct leat_wal_scan *scan = context;
    struct leat_wal_coming *coming = &scan->coming;
    coming->got = segment_load(scan, coming->found, coming->block);
}

/* Has one read while the one before it is told, if somebody else is there to do so, and memory. */
static void
segment_send(struct leat_wal_scan *scan, const struct leat_wal_found *found)
{
    struct leat_wal_coming *coming = &scan->coming;
    if (scan->crew.wanted != 0 &&
        segment_room(&coming->block, &coming->room, found->header.bytes)) {
        coming->found = found;
        leat_wal_crew_send(&scan->crew);
    }
}

/* Waits for it. */
static int64_t
segment_fetch(struct leat_wal_scan *scan)
{
    struct leat_wal_coming *coming = &scan->coming;
    unsigned char *block = scan->segment;
    uint64_t room = scan->segment_room;
    leat_wal_crew_fetch(&scan->crew);
    scan->segment = coming->block;
    scan->segment_room = coming->room;
    coming->block = block;
    coming->room = room;
    coming->found = NULL;
    return coming->got;
}

/* Reads a whole segment. */
static enum leat_status
segment_read(struct leat_wal_scan *scan, const struct leat_wal_found *found)
{
    int64_t got = 0;
    if (scan->coming.found == found) {
        got = segment_fetch(scan);
    } else if (segment_room(&scan->segment, &scan->segment_room, found->header.bytes)) {
        got = segment_load(scan, found, scan->segment);
    } else {
        return LEAT_NO_MEMORY;
    }
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

/* ---- batches -------------------------------------------------------------------------------- */

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

/* ---- parts ---------------------------------------------------------------------------------- */

/* In front of what was made of a record ahead: its bytes. As long as they are aligned. */
#define AHEAD_HEAD 16

/* What may be made of the records of a batch before their turn, as far as there is room. */
static void
batch_ahead(const struct leat_wal_scan *scan, struct leat_wal_part *part, uint64_t offset,
            const struct leat_wal_batch *batch)
{
    const struct leat_wal_config *config = scan->config;
    const unsigned char *body = scan->segment + offset + sizeof(*batch);
    struct leat_wal_record record;
    uint32_t at = 0;
    while (part->ahead_room - part->ahead_bytes > AHEAD_HEAD && at < batch->bytes &&
           leat_wal_record_next(body, batch->bytes, &at, &record)) {
        unsigned char *to = part->ahead + part->ahead_bytes;
        uint64_t room = part->ahead_room - part->ahead_bytes - AHEAD_HEAD;
        uint64_t made = config->ahead(config->ahead_context, &record, to + AHEAD_HEAD, room);
        memcpy(to, &made, sizeof(made));
        part->ahead_bytes += AHEAD_HEAD + made;
        part->ahead_count++;
    }
}

/* A part of the crew's. */
static void
part_check(void *context, uint32_t place)
{
    const struct leat_wal_scan *scan = context;
    struct leat_wal_part *part = &((struct leat_wal_scan *)context)->parts[place];
    struct leat_wal_batch batch;
    uint64_t number = part->number;
    part->good = part->offset;
    part->ahead_bytes = 0;
    part->ahead_count = 0;
    while (part->good < part->end && batch_good(scan, scan->told, part->good, number++)) {
        memcpy(&batch, scan->segment + part->good, sizeof(batch));
        batch_ahead(scan, part, part->good, &batch);
        part->good += leat_wal_batch_size(batch.bytes);
    }
}

/* Where in a segment the next part begins. */
struct walk {
    uint64_t offset;
    uint64_t number;
    uint64_t limit; /* batches from this one on are void */
};

static bool
walk_on(const struct leat_wal_scan *scan, const struct walk *walk, struct leat_wal_batch *batch)
{
    return walk->number < walk->limit && batch_header(scan, scan->told, walk->offset, batch) &&
           batch->number == walk->number;
}

/* A part is that much or its last batch less: enough to be worth a hand-over, and small beside a
 * segment. */
static uint64_t
part_bytes(const struct leat_wal_found *found)
{
    uint64_t bytes = leat_round_up(found->header.bytes / 64, LEAT_WAL_BLOCK);
    return bytes < PART_BYTES_MAX ? bytes : PART_BYTES_MAX;
}

/* For what is made ahead; where there is no memory, there is less. */
static void
part_room(const struct leat_wal_scan *scan, struct leat_wal_part *part)
{
    uint64_t bytes = AHEAD_FACTOR * (part->end - part->offset);
    void *block = part->ahead;
    if (scan->config->ahead != NULL && scan->crew.wanted != 0 &&
        grow(scan, &block, &part->ahead_room, bytes < AHEAD_MAX ? bytes : AHEAD_MAX)) {
        part->ahead = block;
    }
}

/* Lays out as many as there are places for. */
static void
parts_lay(struct leat_wal_scan *scan, struct walk *walk)
{
    const uint64_t most = part_bytes(scan->told);
    struct leat_wal_batch batch;
    uint32_t place = leat_wal_crew_place(&scan->crew);
    while (place != LEAT_WAL_CREW_PLACES && walk_on(scan, walk, &batch)) {
        struct leat_wal_part *part = &scan->parts[place];
        part->offset = walk->offset;
        part->number = walk->number;
        do {
            walk->offset += leat_wal_batch_size(batch.bytes);
            walk->number++;
        } while (walk->offset - part->offset < most && walk_on(scan, walk, &batch));
        part->end = walk->offset;
        part_room(scan, part);
        leat_wal_crew_lay(&scan->crew);
        place = leat_wal_crew_place(&scan->crew);
    }
}

/* ---- telling -------------------------------------------------------------------------------- */

/* What is made ahead, record by record. */
struct ahead {
    const unsigned char *next;
    uint32_t left; /* records */
};

static const void *
ahead_next(struct ahead *ahead)
{
    uint64_t made = 0;
    if (ahead->left == 0) {
        return NULL;
    }
    memcpy(&made, ahead->next, sizeof(made));
    const unsigned char *found = ahead->next + AHEAD_HEAD;
    ahead->next = found + made;
    ahead->left--;
    return made == 0 ? NULL : found;
}

static enum leat_status
batch_tell(struct leat_wal_scan *scan, uint64_t offset, const struct leat_wal_batch *batch,
           struct ahead *ahead)
{
    const unsigned char *body = scan->segment + offset + sizeof(*batch);
    const struct leat_wal_place place = {scan->told->number, batch->number, batch->written_ns};
    struct leat_wal_record record;
    uint32_t at = 0;
    while (at < batch->bytes) {
        if (!leat_wal_record_next(body, batch->bytes, &at, &record)) {
            return damaged(scan, scan->told->number, offset, "its records are none");
        }
        record.ahead = ahead_next(ahead);
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

/* The good batches of a part. */
static enum leat_status
part_tell(struct leat_wal_scan *scan, const struct leat_wal_part *part)
{
    struct ahead ahead = {part->ahead, part->ahead_count};
    uint64_t offset = part->offset;
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK && offset < part->good) {
        struct leat_wal_batch batch;
        memcpy(&batch, scan->segment + offset, sizeof(batch));
        status = batch_tell(scan, offset, &batch, &ahead);
        if (status == LEAT_OK && scan->next >= scan->durable && !tail_keep(scan, offset, &batch)) {
            status = LEAT_NO_MEMORY;
        }
        offset += leat_wal_batch_size(batch.bytes);
        scan->next++;
    }
    return status;
}

/* So much of the segment that is told, beside those before it. */
static void
progress_tell(struct leat_wal_scan *scan, uint64_t bytes)
{
    const struct leat_wal_config *config = scan->config;
    const uint64_t done = scan->bytes_read + bytes;
    if (config->progress != NULL && done > scan->bytes_told && done <= scan->bytes_needed) {
        scan->bytes_told = done;
        config->progress(config->progress_context, done, scan->bytes_needed);
    }
}

/* The batches of a segment that was read, below `limit`. *end: behind the last good one. */
static enum leat_status
batches_tell(struct leat_wal_scan *scan, const struct leat_wal_found *found, uint64_t limit,
             uint64_t *end)
{
    struct walk walk = {LEAT_WAL_BLOCK, found->header.first, limit};
    enum leat_status status = LEAT_OK;
    bool good = true;
    uint32_t place = 0;
    scan->next = found->header.first;
    scan->told = found;
    *end = LEAT_WAL_BLOCK;
    parts_lay(scan, &walk);
    while (good && leat_wal_crew_back(&scan->crew, &place)) {
        const struct leat_wal_part *part = &scan->parts[place];
        status = part_tell(scan, part);
        *end = part->good;
        good = status == LEAT_OK && part->good == part->end;
        progress_tell(scan, part->good);
        parts_lay(scan, &walk);
    }
    leat_wal_crew_drop(&scan->crew);
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
    if (last->is_cut) {
        return damaged(scan, last->number, end, SIZE_IS_WRONG);
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
            /* What stands before it is what there is, and what is left of a file that was cut. */
            scan->count = scan->found[i].is_cut ? i + 1 : i;
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
        bool has = i + 1 == scan->count || found->header.first < found->limit;
        found->needed = found->number >= scan->oldest && has;
        scan->bytes_needed += found->needed ? found->header.bytes : 0;
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
    scan->report->segments++;
    if (found->header.bytes > scan->report->segment_bytes) {
        scan->report->segment_bytes = found->header.bytes;
    }
    scan->bytes_read += found->header.bytes;
    progress_tell(scan, 0);
}

/* The one to be read behind it. */
static const struct leat_wal_found *
segment_after(const struct leat_wal_scan *scan, uint32_t index)
{
    do {
        index++;
    } while (index + 1 < scan->count && !scan->found[index].needed);
    return &scan->found[index];
}

/* All segments but the last one. */
static enum leat_status
older_tell(struct leat_wal_scan *scan)
{
    enum leat_status status = LEAT_OK;
    for (uint32_t i = 0; status == LEAT_OK && i + 1 < scan->count; i++) {
        const struct leat_wal_found *found = &scan->found[i];
        if (found->needed) {
            uint64_t end = 0;
            status = segment_read(scan, found);
            if (status == LEAT_OK) {
                segment_send(scan, segment_after(scan, i));
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

static enum leat_status
all_tell(struct leat_wal_scan *scan)
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

static void
crew_begin(struct leat_wal_scan *scan, uint32_t threads)
{
    const struct leat_wal_crew_work work = {part_check, coming_load, scan};
    leat_wal_crew_init(&scan->crew, threads, &work);
}

enum leat_status
leat_wal_scan_run(struct leat_wal_scan *scan)
{
    crew_begin(scan, scan->config->threads);
    enum leat_status status = all_tell(scan);
    leat_wal_crew_fini(&scan->crew);
    return status;
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
        crew_begin(scan, 1);
        status = batches_tell(scan, &found, limit, &end);
        leat_wal_crew_fini(&scan->crew);
    }
    if (status == LEAT_OK && scan->next < limit) {
        status = damaged(scan, found.number, end, "a batch is damaged");
    }
    return status;
}
