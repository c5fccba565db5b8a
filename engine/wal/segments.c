/* segments.c - the files of the log: made ahead, begun, left. */
#include "engine/wal/internal.h"

#include <errno.h>
#include <string.h>

#include "ring/mutex.h"

/* Of zeros that are written at once, and that are synced at once: a batch that is synced beside it
 * waits behind those on the disk, and not behind a whole segment. */
#define STEP_BYTES (UINT64_C(1) << 16)
#define SYNC_BYTES (UINT64_C(1) << 19)

static const struct leat_wal_files *
files_of(const struct leat_wal *wal)
{
    return wal->config.files;
}

enum leat_status
leat_wal_status_of(int result)
{
    switch (result) {
    case 0:
        return LEAT_OK;
    case -EAGAIN:
        return LEAT_BUSY;
    case -ENOMEM:
        return LEAT_NO_MEMORY;
    case -ENOSPC:
    case -EDQUOT:
        return LEAT_NO_SPACE;
    case -EOPNOTSUPP:
        return LEAT_UNSUPPORTED;
    case -EACCES:
    case -EPERM:
    case -EROFS:
    case -EMFILE:
    case -ENFILE:
        return LEAT_REFUSED;
    case -ENOENT:
    case -ENOTDIR:
        return LEAT_NOT_FOUND;
    default:
        return LEAT_SYSTEM;
    }
}

/* How a segment is made. */
enum making {
    MAKING_FIRST, /* nobody else syncs anything yet, and its begin syncs it */
    MAKING_NOW,   /* somebody waits for it */
    MAKING_AHEAD  /* the log may end meanwhile: then it is not wanted any more */
};

/* And syncs them, so far as that is to be. */
static int
zeros_write(const struct leat_wal *wal, int file, uint64_t bytes, enum making making)
{
    static const unsigned char zeros[STEP_BYTES];
    const struct leat_wal_files *files = files_of(wal);
    uint64_t at = 0;
    int result = 0;
    while (result == 0 && at < bytes) {
        uint64_t step = bytes - at < STEP_BYTES ? bytes - at : STEP_BYTES;
        struct iovec piece = leat_wal_piece(zeros, step);
        result = leat_wal_write_all(files, file, &piece, 1, at);
        at += step;
        const bool syncs = at == bytes || at % SYNC_BYTES == 0;
        if (result == 0 && syncs && making != MAKING_FIRST) {
            result = files->sync(files->disk, file);
        }
        if (result == 0 && syncs && making == MAKING_AHEAD && leat_wal_stopping(wal)) {
            result = -ECANCELED;
        }
    }
    return result;
}

/* As leat_wal_segment_make(), of so many bytes. */
static int
make(struct leat_wal *wal, const struct leat_wal_ahead *ahead, enum making making, int *file)
{
    const struct leat_wal_files *files = files_of(wal);
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, ahead->number, true);
    int result = files->create(files->disk, wal->directory, name, file);
    if (result != 0) {
        return result;
    }
    result = files->allocate(files->disk, *file, ahead->bytes);
    if (result == 0 && making == MAKING_AHEAD) {
        atom_store_rlx(&wal->coming, LEAT_WAL_COMING); /* rlx: statistic */
    }
    /* Written, and not only allocated: else each first write of a block changes how the file is
     * stored, and each sync has that to write, too. */
    if (result == 0) {
        result = zeros_write(wal, *file, ahead->bytes, making);
    }
    if (result != 0) {
        files->close(files->disk, *file);
        (void)files->remove(files->disk, wal->directory, name);
    }
    return result;
}

/* The same where all files have at most `most` bytes with it. */
static int
make_below(struct leat_wal *wal, struct leat_wal_ahead *ahead, uint64_t most, enum making making)
{
    const uint64_t bytes = ahead->bytes;
    leat_mutex_lock(&wal->mutex);
    bool fits = wal->held + bytes <= most;
    uint64_t number = wal->next_new;
    wal->next_new += fits ? 1 : 0;
    wal->held += fits ? bytes : 0;
    if (fits && making == MAKING_AHEAD) {
        atom_store_rlx(&wal->coming, LEAT_WAL_COMING_PERHAPS); /* rlx: statistic */
    }
    leat_mutex_unlock(&wal->mutex);
    if (!fits) {
        return -ENOSPC;
    }
    ahead->number = number;
    int result = make(wal, ahead, making, &ahead->file);
    if (result == 0) {
        return 0;
    }
    ahead->number = 0;
    leat_mutex_lock(&wal->mutex);
    wal->held -= bytes;
    leat_mutex_unlock(&wal->mutex);
    return result;
}

int
leat_wal_segment_make(struct leat_wal *wal, struct leat_wal_ahead *ahead, uint64_t bytes)
{
    *ahead = (struct leat_wal_ahead){.bytes = bytes};
    return make_below(wal, ahead, UINT64_MAX, MAKING_FIRST);
}

static int
make_more(struct leat_wal *wal, struct leat_wal_ahead *ahead, enum making making)
{
    uint64_t most = wal->config.bytes_max == 0 ? UINT64_MAX : wal->config.bytes_max;
    *ahead = (struct leat_wal_ahead){.bytes = wal->config.segment_bytes};
    return make_below(wal, ahead, most, making);
}

/* A generator of Sebastiano Vigna's, splitmix64. */
static uint64_t
identity(struct leat_wal *wal)
{
    uint64_t mixed = wal->identities += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

struct leat_wal_segment
leat_wal_segment_header(struct leat_wal *wal, const struct leat_wal_ahead *ahead)
{
    /* Numbered as they begin, and not as they are made: two may be under way at a time, and the
     * later number has to have the later batches. */
    leat_mutex_lock(&wal->mutex);
    struct leat_wal_segment header = {
        .id = identity(wal),
        .number = wal->next_number++,
        .first = wal->batch,
        .durable = wal->batch_durable,
        .oldest = atom_load_rlx(&wal->oldest), /* rlx: ordered by turn_of:A */
        .bytes = ahead->bytes,
    };
    leat_mutex_unlock(&wal->mutex);
    return header;
}

int
leat_wal_segment_begin(struct leat_wal *wal, const struct leat_wal_ahead *ahead,
                       struct leat_wal_segment *header)
{
    const struct leat_wal_files *files = files_of(wal);
    char name[LEAT_WAL_NAME_BYTES];
    char name_new[LEAT_WAL_NAME_BYTES];
    leat_wal_segment_seal(header);
    struct iovec piece = {header, sizeof(*header)};
    int result = leat_wal_write_all(files, ahead->file, &piece, 1, 0);
    if (result == 0) {
        result = files->sync(files->disk, ahead->file);
    }
    leat_wal_name(name_new, ahead->number, true);
    leat_wal_name(name, header->number, false);
    if (result == 0) {
        result = files->rename(files->disk, wal->directory, name_new, name);
    }
    return result == 0 ? files->directory_sync(files->disk, wal->directory) : result;
}

bool
leat_wal_known_room(struct leat_wal *wal)
{
    bool there = true;
    leat_mutex_lock(&wal->mutex);
    if (wal->known_count == wal->known_room) {
        size_t bytes = wal->known_room * sizeof(*wal->known);
        uint32_t room = wal->known_room == 0 ? 16 : 2 * wal->known_room;
        struct leat_wal_known *more =
            leat_memory_take(&wal->config.memory, room * sizeof(*wal->known));
        there = more != NULL;
        if (there) {
            if (bytes != 0) {
                memcpy(more, wal->known, bytes);
            }
            leat_memory_give(&wal->config.memory, wal->known, bytes);
            wal->known = more;
            wal->known_room = room;
        }
    }
    leat_mutex_unlock(&wal->mutex);
    return there;
}

void
leat_wal_segment_enter(struct leat_wal *wal, const struct leat_wal_ahead *ahead,
                       const struct leat_wal_segment *header, uint64_t offset)
{
    leat_mutex_lock(&wal->mutex);
    LEAT_ASSERT(wal->known_count < wal->known_room);
    wal->known[wal->known_count++] =
        (struct leat_wal_known){header->number, header->first, header->bytes};
    leat_mutex_unlock(&wal->mutex);
    atom_count(&wal->laid, wal->bytes - wal->offset + offset); /* rlx: single writer */
    wal->file = ahead->file;
    wal->id = header->id;
    wal->bytes = header->bytes;
    wal->offset = offset;
    atom_store_rlx(&wal->left, wal->bytes - offset); /* rlx: single writer */
}

/* pre: the mutex. */
static void
ready_count(struct leat_wal *wal)
{
    uint32_t count = (wal->ahead.number != 0 ? 1U : 0U) + (wal->reserve.number != 0 ? 1U : 0U);
    atom_store_rlx(&wal->ready, count); /* rlx: statistic */
}

/* Who has the role has found out whether there is space. One that is there ahead, or is being made,
 * counts for more: who finds none beside that has found nothing out. */
static void
space_found(struct leat_wal *wal, int result)
{
    leat_mutex_lock(&wal->mutex);
    bool none = wal->ahead.number == 0 && atom_load_rlx(&wal->coming) == 0; /* rlx: statistic */
    if (result == 0) {
        atom_store_rlx(&wal->full, 0); /* rlx: statistic */
    } else if (leat_wal_status_of(result) == LEAT_NO_SPACE && none) {
        atom_store_rlx(&wal->full, 1); /* rlx: statistic */
    }
    leat_mutex_unlock(&wal->mutex);
}

void
leat_wal_prepare_again(struct leat_wal *wal)
{
    /* used_up:A release -> ahead:A.  Carries: nothing more than the mutex does.
     * If relaxed: nothing changes. */
    (void)atom_add_rel(&wal->threads.taken, 1);
    leat_os_futex_wake(&wal->threads.taken, 1);
}

/* The segment that was made ahead, or one that is made now. */
static int
ahead_take(struct leat_wal *wal, struct leat_wal_ahead *ahead)
{
    leat_mutex_lock(&wal->mutex);
    *ahead = wal->ahead;
    wal->ahead = wal->reserve;
    wal->reserve.number = 0;
    ready_count(wal);
    leat_mutex_unlock(&wal->mutex);
    leat_wal_prepare_again(wal);
    if (ahead->number != 0) {
        return 0;
    }
    int result = make_more(wal, ahead, MAKING_NOW);
    space_found(wal, result);
    return result;
}

enum leat_status
leat_wal_segment_switch(struct leat_wal *wal)
{
    const struct leat_wal_files *files = files_of(wal);
    struct leat_wal_ahead ahead;
    if (!leat_wal_known_room(wal)) {
        return LEAT_NO_MEMORY;
    }
    int result = ahead_take(wal, &ahead);
    if (result != 0) {
        enum leat_status status = leat_wal_status_of(result);
        return status == LEAT_NO_SPACE ? status : LEAT_LOG_FAILED;
    }
    struct leat_wal_segment header = leat_wal_segment_header(wal, &ahead);
    if (leat_wal_segment_begin(wal, &ahead, &header) != 0) {
        files->close(files->disk, ahead.file);
        return LEAT_LOG_FAILED;
    }
    files->close(files->disk, wal->file);
    leat_wal_segment_enter(wal, &ahead, &header, LEAT_WAL_BLOCK);
    wal->batch_known = wal->batch_durable; /* as its first block says */
    return LEAT_OK;
}

/* It is not needed: who has the role and who makes segments ahead have both made one. */
static void
ahead_drop(struct leat_wal *wal, const struct leat_wal_ahead *made)
{
    const struct leat_wal_files *files = files_of(wal);
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, made->number, true);
    files->close(files->disk, made->file);
    (void)files->remove(files->disk, wal->directory, name);
    leat_mutex_lock(&wal->mutex);
    wal->held -= made->bytes;
    leat_mutex_unlock(&wal->mutex);
}

/* Puts one that was made where it is to wait. The log is full until both are there. */
static void
ahead_put(struct leat_wal *wal, const struct leat_wal_ahead *made)
{
    leat_mutex_lock(&wal->mutex);
    bool wanted = wal->ahead.number == 0 || wal->reserve.number == 0;
    if (wal->ahead.number == 0) {
        wal->ahead = *made;
    } else if (wanted) {
        wal->reserve = *made;
        atom_store_rlx(&wal->full, 0); /* rlx: statistic */
    }
    ready_count(wal);
    leat_mutex_unlock(&wal->mutex);
    if (!wanted) {
        ahead_drop(wal, made);
    }
    leat_wal_kick(wal); /* what found no space can go on */
}

void
leat_wal_segment_ahead(struct leat_wal *wal)
{
    struct leat_wal_ahead made;
    leat_mutex_lock(&wal->mutex);
    wal->looks = true;
    leat_mutex_unlock(&wal->mutex);
    int result = make_more(wal, &made, MAKING_NOW);
    if (result == 0) {
        ahead_put(wal, &made);
    } else {
        space_found(wal, result);
    }
    leat_mutex_lock(&wal->mutex);
    wal->looks = false;
    leat_mutex_unlock(&wal->mutex);
}

enum leat_status
leat_wal_prepare(struct leat_wal *wal)
{
    struct leat_wal_ahead made;
    leat_mutex_lock(&wal->mutex);
    bool there = wal->reserve.number != 0;
    leat_mutex_unlock(&wal->mutex);
    if (there) {
        return LEAT_OK;
    }
    int result = make_more(wal, &made, MAKING_AHEAD);
    if (result == 0) {
        ahead_put(wal, &made);
    }
    atom_store_rlx(&wal->coming, 0); /* rlx: statistic */
    if (result == 0) {
        return LEAT_OK;
    }
    if (leat_wal_status_of(result) != LEAT_NO_SPACE) {
        return LEAT_SYSTEM;
    }
    leat_mutex_lock(&wal->mutex);
    if (wal->reserve.number == 0 && !wal->looks) { /* else who looks has had that space */
        atom_store_rlx(&wal->full, 1);             /* rlx: statistic */
    }
    leat_mutex_unlock(&wal->mutex);
    return LEAT_NO_SPACE;
}
