/* uring.c - io_uring by way of liburing, or that this build has none. */
#include "engine/wal/uring.h"

#include <errno.h>

#ifndef LEAT_URING
#    define LEAT_URING 0
#endif

#if LEAT_URING

#    include <liburing.h>

/* What is handed over: a write, and the sync behind it. */
enum part { PART_WRITE, PART_SYNC, PARTS };

struct uring {
    struct io_uring ring;
    struct leat_memory memory;
};

bool
leat_wal_uring_there(void)
{
    return true;
}

/* What a system without it, or one that forbids it, has said. */
static int
refused(int result)
{
    return result == -ENOSYS || result == -EPERM || result == -EACCES ? -EOPNOTSUPP : result;
}

int
leat_wal_uring_open(const struct leat_memory *memory, void **ring)
{
    struct uring *uring = leat_memory_take(memory, sizeof(*uring));
    if (uring == NULL) {
        return -ENOMEM;
    }
    uring->memory = *memory;
    int result = refused(io_uring_queue_init(PARTS, &uring->ring, 0));
    /* A system that may lose what it has to say is of before Linux 5.5, where links were new. */
    if (result == 0 && (uring->ring.features & IORING_FEAT_NODROP) == 0) {
        io_uring_queue_exit(&uring->ring);
        result = -EOPNOTSUPP;
    }
    if (result != 0) {
        leat_memory_give(memory, uring, sizeof(*uring));
        return result;
    }
    *ring = uring;
    return 0;
}

void
leat_wal_uring_close(void *ring)
{
    struct uring *uring = ring;
    const struct leat_memory memory = uring->memory;
    io_uring_queue_exit(&uring->ring);
    leat_memory_give(&memory, uring, sizeof(*uring));
}

/* Hands over what is prepared, and returns when all of it is done, so that what it was about is the
 * caller's again. 0, or a negative errno: it is not known what the system still does. Ends, as the
 * system ends each of them. */
static int
parts_do(struct io_uring *ring)
{
    bool taken = false;
    while (io_uring_cq_ready(ring) < PARTS) {
        int result = io_uring_submit_and_wait(ring, PARTS);
        if (result == -EINTR) {
            continue; /* either none was taken, or the wait was cut short */
        }
        if (result < 0) {
            return refused(result);
        }
        if (!taken && result != PARTS) {
            return -EIO; /* the first one alone: the other one would not wait for it */
        }
        taken = true;
    }
    return 0;
}

static void
results_take(struct io_uring *ring, int results[PARTS])
{
    struct io_uring_cqe *done[PARTS];
    unsigned count = io_uring_peek_batch_cqe(ring, done, PARTS);
    for (unsigned i = 0; i < count; i++) {
        results[done[i]->user_data] = done[i]->res;
    }
    io_uring_cq_advance(ring, count);
}

static int
write_and_sync(struct io_uring *ring, struct io_uring_sqe *write, int results[PARTS])
{
    struct io_uring_sqe *sync = io_uring_get_sqe(ring);
    if (write == NULL || sync == NULL) {
        return -EIO; /* what was left in it by a failure ended the log */
    }
    io_uring_sqe_set_flags(write, IOSQE_IO_LINK);
    io_uring_sqe_set_data64(write, PART_WRITE);
    io_uring_prep_fsync(sync, write->fd, IORING_FSYNC_DATASYNC);
    io_uring_sqe_set_data64(sync, PART_SYNC);
    int result = parts_do(ring);
    if (result == 0) {
        results_take(ring, results);
    }
    return result;
}

static int64_t
bytes_of(const struct iovec *pieces, int count)
{
    int64_t bytes = 0;
    for (int i = 0; i < count; i++) {
        bytes += (int64_t)pieces[i].iov_len;
    }
    return bytes;
}

int64_t
leat_wal_uring_write(void *ring, int file, const struct iovec *pieces, int count, uint64_t offset)
{
    struct io_uring *system = &((struct uring *)ring)->ring;
    int results[PARTS] = {-EIO, -EIO};
    do {
        struct io_uring_sqe *write = io_uring_get_sqe(system);
        if (write != NULL) {
            io_uring_prep_writev(write, file, pieces, (unsigned)count, offset);
        }
        int result = write_and_sync(system, write, results);
        if (result != 0) {
            return result;
        }
    } while (results[PART_WRITE] == -EINTR && results[PART_SYNC] == -ECANCELED);
    int written = results[PART_WRITE];
    int synced = results[PART_SYNC];
    bool cut = synced == -ECANCELED && written < bytes_of(pieces, count);
    int said = written < 0 || cut || synced == 0 ? written : synced;
    return said == -EINTR ? -EIO : said; /* a sync is not done again, as in file.c */
}

#else

bool
leat_wal_uring_there(void)
{
    return false;
}

int
leat_wal_uring_open(const struct leat_memory *memory, void **ring)
{
    (void)memory;
    (void)ring;
    return -EOPNOTSUPP;
}

void
leat_wal_uring_close(void *ring)
{
    (void)ring;
}

int64_t
leat_wal_uring_write(void *ring, int file, const struct iovec *pieces, int count, uint64_t offset)
{
    (void)ring;
    (void)file;
    (void)pieces;
    (void)count;
    (void)offset;
    return -EOPNOTSUPP;
}

#endif
