/* disk.c - the simulated disk, see disk.h. */
#include "tests/support/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

#define NOTHING INT64_MIN /* no fault: do it */

static struct disk *
of(void *disk)
{
    return disk;
}

static void *
block(size_t bytes)
{
    void *made = calloc(1, bytes == 0 ? 1 : bytes);
    CHECK(made != NULL);
    return made;
}

/* ---- faults --------------------------------------------------------------------------------- */

/* What an operation answers without being done; NOTHING: it is to be done. */
static int64_t
fault_of(struct disk *disk, uint32_t kind)
{
    const struct disk_fault *fault = &disk->fault;
    if (disk->operations++ >= disk->stops_at) {
        return -EIO;
    }
    if ((fault->kinds & kind) == 0) {
        return NOTHING;
    }
    uint64_t at = disk->counted++;
    bool meets = fault->for_ever ? at >= fault->at : at == fault->at;
    return meets ? fault->result : NOTHING;
}

static bool
lies(struct disk *disk)
{
    return disk->lies != 0 && test_random_below(&disk->liar, 100) < disk->lies;
}

/* ---- names ---------------------------------------------------------------------------------- */

struct disk_file *
disk_find(struct disk *disk, const char *name)
{
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = &disk->file[i];
        if (file->used && strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

static uint32_t
index_of(const struct disk *disk, const struct disk_file *file)
{
    return (uint32_t)(file - disk->file);
}

static void
name_set(struct disk *disk, struct disk_file *file, const char *name)
{
    CHECK(disk->names_count < DISK_NAMES_MAX);
    struct disk_name *change = &disk->names[disk->names_count++];
    change->file = index_of(disk, file);
    change->at = disk->operations;
    memset(file->name, 0, sizeof(file->name));
    memset(change->name, 0, sizeof(change->name));
    memcpy(file->name, name, strlen(name));
    memcpy(change->name, name, strlen(name));
}

static int
disk_directory_open(void *context, const char *path, int *directory)
{
    struct disk *disk = of(context);
    (void)path;
    if (disk->locked) {
        return -EAGAIN;
    }
    disk->locked = true;
    *directory = 0;
    return 0;
}

static void
disk_directory_close(void *context, int directory)
{
    (void)directory;
    of(context)->locked = false;
}

static int
disk_directory_sync(void *context, int directory)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_NAMES_SYNC);
    (void)directory;
    if (fault != NOTHING && fault != DISK_LIE) {
        return (int)fault;
    }
    if (fault == DISK_LIE || disk->skips_names || lies(disk)) {
        return 0;
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        memcpy(disk->file[i].lasts, disk->file[i].name, sizeof(disk->file[i].name));
    }
    disk->names_count = 0;
    return 0;
}

static int
disk_directory_list(void *context, int directory, void (*each)(void *context, const char *name),
                    void *argument)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_LIST);
    (void)directory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        if (disk->file[i].used && disk->file[i].name[0] != 0) {
            each(argument, disk->file[i].name);
        }
    }
    return 0;
}

static int
disk_create(void *context, int directory, const char *name, int *number)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_CREATE);
    (void)directory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    if (disk_find(disk, name) != NULL) {
        return -EEXIST;
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = &disk->file[i];
        if (!file->used) {
            *file = (struct disk_file){.used = true};
            name_set(disk, file, name);
            *number = (int)i;
            return 0;
        }
    }
    return -ENFILE;
}

static int
disk_open(void *context, int directory, const char *name, int *number)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_OPEN);
    (void)directory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    struct disk_file *file = disk_find(disk, name);
    *number = file == NULL ? -1 : (int)index_of(disk, file);
    return file == NULL ? -ENOENT : 0;
}

static void
disk_close(void *context, int number)
{
    (void)context;
    (void)number;
}

static int
disk_rename(void *context, int directory, const char *from, const char *to)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_RENAME);
    (void)directory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    struct disk_file *file = disk_find(disk, from);
    if (file == NULL) {
        return -ENOENT;
    }
    name_set(disk, file, to);
    return 0;
}

static int
disk_remove(void *context, int directory, const char *name)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_REMOVE);
    (void)directory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    struct disk_file *file = disk_find(disk, name);
    if (file == NULL) {
        return -ENOENT;
    }
    disk->space += file->size;
    name_set(disk, file, "");
    return 0;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static int
disk_allocate(void *context, int number, uint64_t bytes)
{
    struct disk *disk = of(context);
    struct disk_file *file = &disk->file[number];
    int64_t fault = fault_of(disk, DISK_ALLOCATE);
    CHECK(bytes <= DISK_BYTES_MAX);
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    if (bytes > disk->space) {
        return -ENOSPC;
    }
    disk->space -= bytes;
    file->bytes = block(bytes);
    file->synced = block(bytes);
    file->size = bytes;
    file->made_at = disk->operations;
    return 0;
}

static void
write_note(struct disk *disk, uint32_t file, uint64_t offset, const unsigned char *data,
           size_t bytes)
{
    CHECK(disk->writes_count < DISK_WRITES_MAX);
    struct disk_write *write = &disk->writes[disk->writes_count++];
    *write = (struct disk_write){.file = file, .offset = offset, .bytes = (uint32_t)bytes};
    write->at = disk->operations;
    write->data = block(bytes);
    memcpy(write->data, data, bytes);
}

/* Where to, and how. */
struct target {
    uint32_t file;
    uint64_t offset;
    int64_t fault;
};

/* Writes as the fault says. Returns the bytes. */
static int64_t
pieces_write(struct disk *disk, const struct target *target, const struct iovec *pieces, int count)
{
    struct disk_file *file = &disk->file[target->file];
    const uint64_t offset = target->offset;
    const int64_t fault = target->fault;
    uint64_t written = 0;
    for (int i = 0; i < count; i++) {
        size_t bytes = pieces[i].iov_len;
        bytes = fault == DISK_SHORT && bytes > 1 ? 1 : bytes;
        bytes = fault == DISK_HALF ? (bytes + 1) / 2 : bytes;
        if (bytes == 0) {
            continue;
        }
        CHECK(offset + written + bytes <= file->size);
        if (fault != DISK_LIE) {
            memcpy(file->bytes + offset + written, pieces[i].iov_base, bytes);
            write_note(disk, target->file, offset + written, pieces[i].iov_base, bytes);
        }
        written += bytes;
        if (fault == DISK_SHORT || fault == DISK_HALF) {
            break;
        }
    }
    file->dirty = true;
    return (int64_t)written;
}

static int64_t
disk_write_at(void *context, int number, const struct iovec *pieces, int count, uint64_t offset)
{
    struct disk *disk = of(context);
    int64_t fault = fault_of(disk, DISK_WRITE);
    if (fault < 0 && fault != NOTHING) {
        return fault;
    }
    const struct target target = {(uint32_t)number, offset, fault};
    return pieces_write(disk, &target, pieces, count);
}

static int64_t
disk_write_through(void *context, int number, const struct iovec *pieces, int count,
                   uint64_t offset)
{
    struct disk *disk = of(context);
    struct disk_file *file = &disk->file[number];
    uint32_t before = disk->writes_count;
    int64_t fault = fault_of(disk, DISK_THROUGH);
    bool done = fault == NOTHING || fault == DISK_SHORT || fault == DISK_HALF;
    if (fault == -EOPNOTSUPP) {
        return fault;
    }
    const struct target target = {(uint32_t)number, offset, done ? fault : NOTHING};
    int64_t written = pieces_write(disk, &target, pieces, count);
    done = done && !disk->skips_syncs && !(fault == NOTHING && lies(disk));
    while (done && disk->writes_count > before) {
        struct disk_write *write = &disk->writes[--disk->writes_count];
        memcpy(file->synced + write->offset, write->data, write->bytes);
        free(write->data);
    }
    return fault < 0 && fault != NOTHING ? fault : written;
}

static int64_t
disk_read_at(void *context, int number, void *to, size_t bytes, uint64_t offset)
{
    struct disk *disk = of(context);
    const struct disk_file *file = &disk->file[number];
    int64_t fault = fault_of(disk, DISK_READ);
    if (fault < 0 && fault != NOTHING) {
        return fault;
    }
    uint64_t left = offset < file->size ? file->size - offset : 0;
    size_t got = bytes < left ? bytes : (size_t)left;
    if (got != 0) {
        memcpy(to, file->bytes + offset, got);
    }
    return (int64_t)got;
}

/* Takes the writes of a file out of those that are not synced; `done`: they are on the disk. */
static void
writes_end(struct disk *disk, uint32_t number, bool done)
{
    struct disk_file *file = &disk->file[number];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->writes_count; i++) {
        struct disk_write *write = &disk->writes[i];
        if (write->file == number && done && !write->lost) {
            memcpy(file->synced + write->offset, write->data, write->bytes);
            free(write->data);
            continue;
        }
        write->lost = write->lost || (write->file == number && !done);
        disk->writes[kept++] = *write;
    }
    disk->writes_count = kept;
}

static int
disk_sync(void *context, int number)
{
    struct disk *disk = of(context);
    struct disk_file *file = &disk->file[number];
    int64_t fault = fault_of(disk, DISK_SYNC);
    if (fault == DISK_LIE || disk->skips_syncs || (fault == NOTHING && lies(disk))) {
        return 0;
    }
    writes_end(disk, (uint32_t)number, fault == NOTHING);
    if (fault != NOTHING) {
        return (int)fault;
    }
    file->size_synced = file->size;
    file->dirty = false;
    return 0;
}

static int
disk_ring_open(void *context, const struct leat_memory *memory, void **ring)
{
    int64_t fault = fault_of(of(context), DISK_RING);
    (void)memory;
    if (fault < 0 && fault != NOTHING) {
        return (int)fault;
    }
    *ring = context;
    return 0;
}

static void
disk_ring_close(void *context, void *ring)
{
    CHECK(ring == context);
}

/* The system cancels the sync where the write has not written all. */
static int64_t
disk_write_synced(void *context, int number, const struct iovec *pieces, int count, uint64_t offset)
{
    int64_t written = disk_write_at(context, number, pieces, count, offset);
    int64_t all = 0;
    for (int i = 0; i < count; i++) {
        all += (int64_t)pieces[i].iov_len;
    }
    int synced = written == all ? disk_sync(context, number) : 0;
    return synced == 0 ? written : synced;
}

static int64_t
disk_size(void *context, int number)
{
    return (int64_t)of(context)->file[number].size;
}

/* ---- a disk --------------------------------------------------------------------------------- */

void
disk_init(struct disk *disk)
{
    memset(disk, 0, sizeof(*disk));
    disk->files = (struct leat_wal_files){
        .disk = disk,
        .directory_open = disk_directory_open,
        .directory_close = disk_directory_close,
        .directory_sync = disk_directory_sync,
        .directory_list = disk_directory_list,
        .create = disk_create,
        .open = disk_open,
        .open_again = disk_open,
        .close = disk_close,
        .allocate = disk_allocate,
        .write_at = disk_write_at,
        .write_through = disk_write_through,
        .ring_open = disk_ring_open,
        .ring_close = disk_ring_close,
        .write_synced = disk_write_synced,
        .read_at = disk_read_at,
        .sync = disk_sync,
        .size = disk_size,
        .rename = disk_rename,
        .remove = disk_remove,
    };
    disk->writes = block(DISK_WRITES_MAX * sizeof(*disk->writes));
    disk->stops_at = UINT64_MAX;
    disk->space = UINT64_C(1) << 40;
}

void
disk_fini(struct disk *disk)
{
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        free(disk->file[i].bytes);
        free(disk->file[i].synced);
    }
    for (uint32_t i = 0; i < disk->writes_count; i++) {
        free(disk->writes[i].data);
    }
    free(disk->writes);
    memset(disk, 0, sizeof(*disk));
}

uint32_t
disk_names(const struct disk *disk)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        count += disk->file[i].used && disk->file[i].name[0] != 0 ? 1 : 0;
    }
    return count;
}

static void
file_copy(struct disk_file *to, const struct disk_file *from)
{
    *to = *from;
    to->bytes = NULL;
    to->synced = NULL;
    if (from->size != 0) {
        to->bytes = block(from->size);
        to->synced = block(from->size);
        memcpy(to->bytes, from->bytes, from->size);
        memcpy(to->synced, from->synced, from->size);
    }
}

static void
files_copy(struct disk *to, const struct disk *from)
{
    disk_init(to);
    to->space = from->space;
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        if (from->file[i].used) {
            file_copy(&to->file[i], &from->file[i]);
        }
    }
}

void
disk_copy(struct disk *to, const struct disk *from)
{
    files_copy(to, from);
    for (uint32_t i = 0; i < from->writes_count; i++) {
        const struct disk_write *write = &from->writes[i];
        write_note(to, write->file, write->offset, write->data, write->bytes);
        to->writes[i].lost = write->lost;
        to->writes[i].at = write->at;
    }
    memcpy(to->names, from->names, sizeof(to->names));
    to->names_count = from->names_count;
}

/* What of one sector of a write is on the disk: all, nothing, zeros, or a part. */
static void
sector_crash(unsigned char *to, const unsigned char *from, uint32_t bytes, struct test_prng *prng)
{
    switch (test_random_below(prng, 8)) {
    case 0:
        memset(to, 0, bytes);
        break;
    case 1:
        memcpy(to, from, test_random_below(prng, bytes + 1));
        break;
    case 2:
    case 3:
    case 4:
        break;
    default:
        memcpy(to, from, bytes);
        break;
    }
}

/* Of a write, from `at` on, what is in one sector. */
static uint32_t
sector_bytes(const struct disk_write *write, uint32_t at)
{
    uint32_t sector = (uint32_t)(DISK_SECTOR - (write->offset + at) % DISK_SECTOR);
    return write->bytes - at < sector ? write->bytes - at : sector;
}

static void
write_crash(struct disk *to, const struct disk_write *write, struct test_prng *prng)
{
    unsigned char *bytes = to->file[write->file].synced;
    uint32_t all = test_random_below(prng, 4); /* often all of it or nothing */
    for (uint32_t at = 0; at < write->bytes;) {
        uint64_t offset = write->offset + at;
        uint32_t part = sector_bytes(write, at);
        if (all == 0) {
            memcpy(bytes + offset, write->data + at, part);
        } else if (all != 1) {
            sector_crash(bytes + offset, write->data + at, part, prng);
        }
        at += part;
    }
}

/* Names as by the last sync of the directory. */
static void
names_back(struct disk *to)
{
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        memcpy(to->file[i].name, to->file[i].lasts, sizeof(to->file[i].name));
    }
}

static void
name_do(struct disk *to, const struct disk_name *change)
{
    /* Two files with one name cannot be: the later change wins. */
    struct disk_file *other = change->name[0] == 0 ? NULL : disk_find(to, change->name);
    if (other != NULL) {
        memset(other->name, 0, sizeof(other->name));
    }
    memcpy(to->file[change->file].name, change->name, sizeof(change->name));
}

/* What is left is what is there, and all of it is synced. */
static void
crash_end(struct disk *to)
{
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = &to->file[i];
        file->used = file->used && file->name[0] != 0;
        if (!file->used) {
            free(file->bytes);
            free(file->synced);
            memset(file, 0, sizeof(*file));
            continue;
        }
        memcpy(file->lasts, file->name, sizeof(file->name));
        file->size_synced = file->size;
        if (file->size != 0) {
            memcpy(file->bytes, file->synced, file->size);
        }
    }
}

void
disk_crash(struct disk *to, const struct disk *from, struct test_prng *prng)
{
    files_copy(to, from);
    for (uint32_t i = 0; i < from->writes_count; i++) {
        write_crash(to, &from->writes[i], prng);
    }
    names_back(to);
    for (uint32_t i = 0; i < from->names_count; i++) {
        if (test_random_below(prng, 2) != 0) {
            name_do(to, &from->names[i]);
        }
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = &to->file[i];
        bool there = file->used && file->name[0] != 0;
        if (there && file->size_synced != file->size && test_random_below(prng, 2) == 0) {
            file->size = file->size_synced;
        }
    }
    crash_end(to);
}

/* ---- piece by piece -------------------------------------------------------------------------- */

/* The pieces that were found so far. */
struct found {
    struct disk_piece *pieces;
    uint32_t count;
};

/* In their order, which is that of the operations. */
static void
piece_note(struct found *found, struct disk_piece piece)
{
    CHECK(found->count < DISK_PIECES_MAX);
    uint32_t place = found->count++;
    while (place > 0 && found->pieces[place - 1].at > piece.at) {
        found->pieces[place] = found->pieces[place - 1];
        place--;
    }
    found->pieces[place] = piece;
}

/* Another write to this sector may be there or not. */
static bool
is_open(const struct found *found, uint32_t file, uint64_t offset)
{
    for (uint32_t i = 0; i < found->count; i++) {
        const struct disk_piece *piece = &found->pieces[i];
        if (piece->kind == DISK_PIECE_SECTOR && piece->file == file &&
            piece->offset / DISK_SECTOR == offset / DISK_SECTOR) {
            return true;
        }
    }
    return false;
}

static void
sectors_find(struct found *found, const struct disk *disk, uint32_t number)
{
    const struct disk_write *write = &disk->writes[number];
    const unsigned char *synced = disk->file[write->file].synced;
    for (uint32_t at = 0; at < write->bytes;) {
        uint64_t offset = write->offset + at;
        uint32_t part = sector_bytes(write, at);
        bool is_new = memcmp(synced + offset, write->data + at, part) != 0;
        if (is_new || is_open(found, write->file, offset)) {
            piece_note(found, (struct disk_piece){.kind = DISK_PIECE_SECTOR,
                                                  .at = write->at,
                                                  .file = write->file,
                                                  .index = number,
                                                  .offset = offset,
                                                  .bytes = part});
        }
        at += part;
    }
}

uint32_t
disk_pieces(const struct disk *disk, struct disk_piece *pieces)
{
    struct found found = {pieces, 0};
    for (uint32_t i = 0; i < disk->writes_count; i++) {
        sectors_find(&found, disk, i);
    }
    for (uint32_t i = 0; i < disk->names_count; i++) {
        const struct disk_name *change = &disk->names[i];
        piece_note(&found, (struct disk_piece){.kind = DISK_PIECE_NAME,
                                               .at = change->at,
                                               .file = change->file,
                                               .index = i});
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        const struct disk_file *file = &disk->file[i];
        if (file->used && file->size != file->size_synced) {
            piece_note(&found, (struct disk_piece){
                                   .kind = DISK_PIECE_SIZE, .at = file->made_at, .file = i});
        }
    }
    return found.count;
}

void
disk_crash_to(struct disk *to, const struct disk *from, const struct disk_piece *pieces,
              uint32_t count, const bool *there)
{
    files_copy(to, from);
    names_back(to);
    for (uint32_t i = 0; i < count; i++) {
        const struct disk_piece *piece = &pieces[i];
        struct disk_file *file = &to->file[piece->file];
        if (piece->kind == DISK_PIECE_SIZE) {
            file->size = there[i] ? file->size : file->size_synced;
        } else if (piece->kind == DISK_PIECE_NAME && there[i]) {
            name_do(to, &from->names[piece->index]);
        } else if (piece->kind == DISK_PIECE_SECTOR && there[i]) {
            const struct disk_write *write = &from->writes[piece->index];
            memcpy(file->synced + piece->offset, write->data + (piece->offset - write->offset),
                   piece->bytes);
        }
    }
    crash_end(to);
}

static bool
is_zero(const unsigned char *bytes)
{
    for (uint32_t i = 0; i < DISK_SECTOR; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

void
disk_rot(struct disk *disk, struct test_prng *prng)
{
    for (uint32_t tries = 0; tries < 500; tries++) {
        const struct disk_file *file = &disk->file[test_random_below(prng, DISK_FILES_MAX)];
        uint64_t sectors = file->used ? file->size / DISK_SECTOR : 0;
        uint64_t at =
            sectors == 0 ? 0 : test_random_below(prng, (uint32_t)sectors) * (uint64_t)DISK_SECTOR;
        if (sectors == 0 || (is_zero(file->bytes + at) && tries < 400)) {
            continue;
        }
        uint32_t bytes = test_random_below(prng, 2) == 0 ? 1 : DISK_SECTOR;
        uint32_t first = bytes == 1 ? test_random_below(prng, DISK_SECTOR) : 0;
        for (uint32_t i = first; i < first + bytes; i++) {
            unsigned char bits = (unsigned char)(1U << test_random_below(prng, 8));
            file->bytes[at + i] ^= bits;
            file->synced[at + i] ^= bits;
        }
        return;
    }
}
