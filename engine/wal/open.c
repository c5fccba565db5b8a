/* open.c - a log from the files of a directory to one that takes records; reading one; closing. */
#include "engine/wal/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "engine/wal/crc32c.h"
#include "ring/mutex.h"

static const struct leat_wal_files *
files_of(const struct leat_wal *wal)
{
    return wal->config.files;
}

static enum leat_status
config_check(const struct leat_wal_config *config)
{
    bool ring = config->ring_bytes >= LEAT_WAL_RING_BYTES_MIN &&
                config->ring_bytes <= LEAT_WAL_RING_BYTES_MAX &&
                (config->ring_bytes & (config->ring_bytes - 1)) == 0;
    bool segment = config->segment_bytes >= LEAT_WAL_SEGMENT_BYTES_MIN &&
                   config->segment_bytes <= LEAT_WAL_SEGMENT_BYTES_MAX &&
                   config->segment_bytes % LEAT_WAL_BLOCK == 0;
    return ring && segment && config->ring_bytes <= config->segment_bytes / 2 ? LEAT_OK
                                                                              : LEAT_INVALID;
}

/* ---- the fresh segment ---------------------------------------------------------------------- */

/* Gives the batches that are written anew the identity of their new segment. */
static void
tail_seal(struct leat_wal_scan *scan, const struct leat_wal_segment *header)
{
    for (uint64_t at = 0; at < scan->tail_bytes;) {
        struct leat_wal_batch batch;
        memcpy(&batch, scan->tail + at, sizeof(batch));
        batch.id = header->id;
        batch.oldest = header->oldest;
        leat_wal_batch_seal(&batch);
        memcpy(scan->tail + at, &batch, sizeof(batch));
        at += leat_wal_batch_size(batch.bytes);
    }
}

static void
file_remove(const struct leat_wal *wal, uint64_t number, bool is_new)
{
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, number, is_new);
    (void)files_of(wal)->remove(files_of(wal)->disk, wal->directory, name);
}

/* Takes what writes and syncs at once, if it is to. */
static int
synced_begin(struct leat_wal *wal)
{
    const struct leat_wal_files *files = files_of(wal);
    if (wal->config.sync == LEAT_LOG_SYNC_DSYNC) {
        wal->synced = (struct leat_wal_way){files->write_through, files->disk};
    } else if (wal->config.sync == LEAT_LOG_SYNC_IO_URING) {
        wal->synced.write = files->write_synced;
        return files->ring_open(files->disk, &wal->config.memory, &wal->synced.self);
    }
    return 0;
}

/* Whether the file system and the system do that, found out in the fresh segment itself. */
static int
synced_try(struct leat_wal *wal, const struct leat_wal_ahead *ahead, struct leat_wal_report *report)
{
    static const unsigned char zeros[LEAT_WAL_BLOCK];
    struct iovec piece = leat_wal_piece(zeros, sizeof(zeros));
    int result = synced_begin(wal);
    if (result == 0 && wal->synced.write != NULL) {
        result = leat_wal_write_by(&wal->synced, ahead->file, &piece, 1, LEAT_WAL_BLOCK);
    }
    if (result == -EOPNOTSUPP) {
        (void)snprintf(report->text, sizeof(report->text), "%s",
                       wal->config.sync == LEAT_LOG_SYNC_DSYNC
                           ? "the file system does not write through (RWF_DSYNC): log_sync must be "
                             "fdatasync there"
                           : "the system does not let this process use io_uring: log_sync must be "
                             "fdatasync, or dsync, there");
    }
    return result;
}

/* Looked at at a time. */
#define LOOK_BYTES (UINT64_C(1) << 16)

/* The file has so many bytes, and they are zeros. `room` is for what is read. */
static bool
is_blank(const struct leat_wal *wal, int file, uint64_t bytes, unsigned char *room)
{
    const struct leat_wal_files *files = files_of(wal);
    bool blank = files->size(files->disk, file) == (int64_t)bytes;
    for (uint64_t at = 0; blank && at < bytes; at += LOOK_BYTES) {
        const uint64_t step = bytes - at < LOOK_BYTES ? bytes - at : LOOK_BYTES;
        blank = files->read_at(files->disk, file, room, step, at) == (int64_t)step &&
                room[0] == 0 && memcmp(room, room + 1, step - 1) == 0;
    }
    return blank;
}

/* Of segments that were never begun the oldest one, if there are others: they are made one after
 * the other, so all of it was written, most often, and it needs no making. False: there is none, or
 * it is not as it should be: then it is removed with the others. */
static bool
leftover_use(struct leat_wal *wal, const struct leat_wal_scan *scan, uint64_t bytes,
             struct leat_wal_ahead *ahead)
{
    const struct leat_wal_files *files = files_of(wal);
    char name[LEAT_WAL_NAME_BYTES];
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < wal->leftover_count; i++) {
        oldest = wal->leftover[i] < wal->leftover[oldest] ? i : oldest;
    }
    if (wal->leftover_count < 2 || scan->segment_room < LOOK_BYTES) {
        return false;
    }
    *ahead = (struct leat_wal_ahead){.number = wal->leftover[oldest], .bytes = bytes};
    leat_wal_name(name, ahead->number, true);
    if (files->open_again(files->disk, wal->directory, name, &ahead->file) != 0) {
        return false;
    }
    if (!is_blank(wal, ahead->file, bytes, scan->segment)) {
        files->close(files->disk, ahead->file);
        return false;
    }
    wal->leftover[oldest] = wal->leftover[--wal->leftover_count];
    wal->held += bytes;
    return true;
}

/* On a disk that is full segments that were never begun have the space that the fresh one needs. */
static int
fresh_make(struct leat_wal *wal, const struct leat_wal_scan *scan, uint64_t bytes,
           struct leat_wal_ahead *ahead)
{
    if (leftover_use(wal, scan, bytes, ahead)) {
        return 0;
    }
    int result = leat_wal_segment_make(wal, ahead, bytes);
    if (leat_wal_status_of(result) == LEAT_NO_SPACE && wal->leftover_count != 0) {
        leat_wal_leftover_remove(wal);
        result = leat_wal_segment_make(wal, ahead, bytes);
    }
    return result;
}

/* One that begins with what was not known to be durable: that is synced before the file has a
 * name. 0, or a negative errno: then it is tried to leave no file behind, though one does no
 * harm. */
static int
fresh_begin(struct leat_wal *wal, struct leat_wal_scan *scan)
{
    struct leat_wal_ahead ahead;
    uint64_t bytes = LEAT_WAL_BLOCK + scan->tail_bytes + wal->config.ring_bytes;
    bytes = bytes < wal->config.segment_bytes ? wal->config.segment_bytes
                                              : leat_round_up(bytes, LEAT_WAL_BLOCK);
    int result = fresh_make(wal, scan, bytes, &ahead);
    if (result != 0) {
        return result;
    }
    struct leat_wal_segment header = leat_wal_segment_header(wal, &ahead);
    header.oldest = header.oldest == 0 ? header.number : header.oldest;
    atom_store_rlx(&wal->oldest, header.oldest); /* rlx: not shared yet */
    tail_seal(scan, &header);
    struct iovec piece = {scan->tail, scan->tail_bytes};
    result = synced_try(wal, &ahead, scan->report);
    if (result == 0) {
        result = leat_wal_write_all(files_of(wal), ahead.file, &piece, 1, LEAT_WAL_BLOCK);
    }
    if (result == 0) {
        result = leat_wal_segment_begin(wal, &ahead, &header);
    }
    if (result != 0) {
        files_of(wal)->close(files_of(wal)->disk, ahead.file);
        file_remove(wal, ahead.number, true);
        file_remove(wal, header.number, false);
        return result;
    }
    leat_wal_segment_enter(wal, &ahead, &header, LEAT_WAL_BLOCK + scan->tail_bytes);
    return 0;
}

/* What the scan found that is needed on, in wal->known; and which segment is the oldest of it. */
static enum leat_status
known_take(struct leat_wal *wal, const struct leat_wal_scan *scan)
{
    for (uint32_t i = 0; i < scan->count; i++) {
        const struct leat_wal_found *found = &scan->found[i];
        /* The last one is, unless all it has is written anew. */
        bool needed = i + 1 == scan->count ? found->header.first < scan->durable : found->needed;
        if (needed && !leat_wal_known_room(wal)) {
            return LEAT_NO_MEMORY;
        }
        if (needed) {
            wal->known[wal->known_count++] =
                (struct leat_wal_known){found->number, found->header.first, found->header.bytes};
            wal->held += found->header.bytes;
        }
    }
    /* rlx: not shared yet */
    atom_store_rlx(&wal->oldest, wal->known_count == 0 ? 0 : wal->known[0].number);
    return leat_wal_known_room(wal) ? LEAT_OK : LEAT_NO_MEMORY;
}

static bool
is_known(const struct leat_wal *wal, uint64_t number)
{
    for (uint32_t i = 0; i < wal->known_count; i++) {
        if (wal->known[i].number == number) {
            return true;
        }
    }
    return false;
}

/* What a crash has left lying does no harm, and is tried once. Segments that were never begun are
 * in nobody's way even if the open fails; those that are not needed any more are so from when the
 * fresh one is there. */
void
leat_wal_leftover_remove(struct leat_wal *wal)
{
    for (uint32_t i = 0; i < wal->leftover_count; i++) {
        file_remove(wal, wal->leftover[i], true);
    }
    leat_memory_give(&wal->config.memory, wal->leftover, wal->leftover_room);
    wal->leftover = NULL;
    wal->leftover_count = 0;
}

/* They take milliseconds each: so who makes segments removes them, or a close. */
static void
leftover_take(struct leat_wal *wal, struct leat_wal_scan *scan)
{
    wal->leftover = scan->leftover;
    wal->leftover_count = scan->leftover_count;
    wal->leftover_room = scan->leftover_room;
    scan->leftover = NULL;
    scan->leftover_room = 0;
}

static void
old_remove(const struct leat_wal *wal, const struct leat_wal_scan *scan)
{
    for (uint32_t i = 0; i < scan->count; i++) {
        if (!is_known(wal, scan->found[i].number)) {
            file_remove(wal, scan->found[i].number, false);
        }
    }
}

/* From a log that was read to one that is written to. */
static enum leat_status
go_on(struct leat_wal *wal, struct leat_wal_scan *scan)
{
    wal->next_number = scan->number_next;
    wal->next_new = scan->number_next;
    wal->batch = scan->count == 0 ? 1 : scan->durable;
    wal->batch_durable = wal->batch;
    enum leat_status status = known_take(wal, scan);
    if (status == LEAT_OK) {
        leftover_take(wal, scan);
        status = leat_wal_status_of(fresh_begin(wal, scan));
    }
    if (status != LEAT_OK) {
        return status;
    }
    old_remove(wal, scan);
    wal->batch_known = wal->batch;
    wal->batch = scan->count == 0 ? 1 : scan->next;
    wal->batch_durable = wal->batch;
    wal->batch_records = wal->batch;
    /* rlx: not shared yet */
    atom_store_rlx(&wal->unmarked, wal->batch_known < wal->batch_records ? 1 : 0);
    return LEAT_OK;
}

/* Where the system has no random number yet, the time is one that was not there before. */
static uint64_t
seed_of(const struct leat_wal_config *config)
{
    uint64_t seed = config->seed;
    if (seed == 0 && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
        seed = leat_os_wall_ns();
    }
    return seed;
}

/* ---- open, read, close ---------------------------------------------------------------------- */

static enum leat_status
scan_directory(struct leat_wal_scan *scan, const char *directory)
{
    const struct leat_wal_files *files = scan->config->files;
    const int opened = files->directory_open(files->disk, directory, &scan->directory);
    const enum leat_status status = leat_wal_status_of(opened);
    if (status != LEAT_OK) {
        scan->directory = -1;
    }
    if (opened == -ENOENT || opened == -ENOTDIR) {
        (void)snprintf(scan->report->text, sizeof(scan->report->text), "%s: %.120s",
                       opened == -ENOENT ? "no such directory" : "not a directory", directory);
    }
    return status;
}

enum leat_status
leat_wal_open(struct leat_wal *wal, const struct leat_wal_config *config,
              const struct leat_wal_reader *reader, struct leat_wal_report *report)
{
    *report = (struct leat_wal_report){.segments = 0};
    enum leat_status status = config_check(config);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_wal_scan scan = {.config = config, .reader = reader, .report = report};
    status = scan_directory(&scan, config->directory);
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_wal_files *files = config->files;
    *wal = (struct leat_wal){
        .config = *config, .directory = scan.directory, .file = -1, .identities = seed_of(config)};
    wal->config.directory = NULL;
    wal->config.progress = NULL; /* of this open */
    wal->batch_bytes_max = config->ring_bytes / 2;
    leat_wal_keep_end(wal);
    leat_inbox_init(&wal->inbox);
    leat_fifo_init(&wal->calls);
    leat_mutex_init(&wal->mutex);
    /* Names that are there, but were not before a crash, would be gone behind the next one. */
    status = leat_wal_status_of(files->directory_sync(files->disk, scan.directory));
    if (status == LEAT_OK) {
        status = leat_wal_scan_run(&scan);
    }
    if (status == LEAT_OK) {
        bool there = leat_bytes_init(&wal->ring, &config->memory, config->ring_bytes);
        status = there ? go_on(wal, &scan) : LEAT_NO_MEMORY;
    }
    leat_wal_scan_fini(&scan);
    if (status != LEAT_OK) {
        leat_wal_close(wal);
    }
    return status;
}

static enum leat_status
read_only(const struct leat_wal_config *config, const struct leat_wal_reader *reader,
          struct leat_wal_report *report, bool salvages)
{
    *report = (struct leat_wal_report){.segments = 0};
    struct leat_wal_scan scan = {
        .config = config, .reader = reader, .report = report, .salvages = salvages};
    enum leat_status status = scan_directory(&scan, config->directory);
    if (status == LEAT_OK) {
        status = leat_wal_scan_run(&scan);
        config->files->directory_close(config->files->disk, scan.directory);
    }
    leat_wal_scan_fini(&scan);
    return status;
}

enum leat_status
leat_wal_read(const struct leat_wal_config *config, const struct leat_wal_reader *reader,
              struct leat_wal_report *report)
{
    return read_only(config, reader, report, false);
}

enum leat_status
leat_wal_salvage(const struct leat_wal_config *config, const struct leat_wal_reader *reader,
                 struct leat_wal_report *report)
{
    return read_only(config, reader, report, true);
}

void
leat_wal_close(struct leat_wal *wal)
{
    const struct leat_wal_files *files = files_of(wal);
    if (wal->file >= 0) {
        files->close(files->disk, wal->file);
    }
    if (wal->config.sync == LEAT_LOG_SYNC_IO_URING && wal->synced.self != NULL) {
        files->ring_close(files->disk, wal->synced.self);
    }
    const struct leat_wal_ahead ahead[2] = {wal->ahead, wal->reserve};
    for (uint32_t i = 0; i < 2; i++) {
        if (ahead[i].number != 0) {
            files->close(files->disk, ahead[i].file);
            file_remove(wal, ahead[i].number, true);
        }
    }
    leat_wal_leftover_remove(wal);
    files->directory_close(files->disk, wal->directory);
    leat_memory_give(&wal->config.memory, wal->known, wal->known_room * sizeof(*wal->known));
    leat_bytes_fini(&wal->ring);
    leat_mutex_fini(&wal->mutex);
}
