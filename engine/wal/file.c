/* file.c - the files of the system, see file.h. */
#include "engine/wal/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/wal/uring.h"

static int
answer(int result)
{
    return result < 0 ? -errno : 0;
}

static int
system_directory_open(void *disk, const char *path, int *directory)
{
    (void)disk;
    int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        return -errno;
    }
    if (flock(opened, LOCK_EX | LOCK_NB) < 0) {
        int why = -errno;
        (void)close(opened);
        return why;
    }
    *directory = opened;
    return 0;
}

static void
system_close(void *disk, int file)
{
    (void)disk;
    (void)close(file);
}

/* Not again where it was interrupted: whether that is safe, no standard says. */
static int
synced(int result)
{
    return result < 0 && errno == EINTR ? -EIO : answer(result);
}

static int
system_directory_sync(void *disk, int directory)
{
    (void)disk;
    return synced(fsync(directory));
}

static int
system_directory_list(void *disk, int directory, void (*each)(void *context, const char *name),
                      void *context)
{
    (void)disk;
    int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    if (stream == NULL) {
        int why = -errno;
        if (again >= 0) {
            (void)close(again);
        }
        return why;
    }
    errno = 0;
    /* The stream is this call's own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (const struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        each(context, entry->d_name);
        errno = 0;
    }
    int why = -errno;
    (void)closedir(stream);
    return why;
}

static int
system_create(void *disk, int directory, const char *name, int *file)
{
    (void)disk;
    int opened = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *file = opened < 0 ? *file : opened;
    return answer(opened);
}

static int
system_open(void *disk, int directory, const char *name, int *file)
{
    (void)disk;
    int opened = openat(directory, name, O_RDONLY | O_CLOEXEC);
    *file = opened < 0 ? *file : opened;
    return answer(opened);
}

static int
system_open_again(void *disk, int directory, const char *name, int *file)
{
    (void)disk;
    int opened = openat(directory, name, O_RDWR | O_CLOEXEC);
    *file = opened < 0 ? *file : opened;
    return answer(opened);
}

static int
system_allocate(void *disk, int file, uint64_t bytes)
{
    (void)disk;
    int result = 0;
    do {
        result = posix_fallocate(file, 0, (off_t)bytes);
    } while (result == EINTR);
    return -result;
}

static int64_t
system_write_at(void *disk, int file, const struct iovec *pieces, int count, uint64_t offset)
{
    (void)disk;
    ssize_t written = 0;
    do {
        written = pwritev(file, pieces, count, (off_t)offset);
    } while (written < 0 && errno == EINTR);
    return written < 0 ? -(int64_t)errno : written;
}

static int64_t
system_write_through(void *disk, int file, const struct iovec *pieces, int count, uint64_t offset)
{
    (void)disk;
    ssize_t written = pwritev2(file, pieces, count, (off_t)offset, RWF_DSYNC);
    if (written < 0) {
        /* Not again where it was interrupted, as a sync is not. */
        return errno == EINTR ? -EIO : errno == ENOSYS ? -EOPNOTSUPP : -(int64_t)errno;
    }
    return written;
}

static int
system_ring_open(void *disk, const struct leat_memory *memory, void **ring)
{
    (void)disk;
    return leat_wal_uring_open(memory, ring);
}

static void
system_ring_close(void *disk, void *ring)
{
    (void)disk;
    leat_wal_uring_close(ring);
}

static int64_t
system_read_at(void *disk, int file, void *to, size_t bytes, uint64_t offset)
{
    (void)disk;
    size_t got = 0;
    while (got < bytes) {
        ssize_t more = pread(file, (unsigned char *)to + got, bytes - got, (off_t)(offset + got));
        if (more == 0) {
            break;
        }
        if (more < 0 && errno != EINTR) {
            return -(int64_t)errno;
        }
        got += more < 0 ? 0 : (size_t)more;
    }
    return (int64_t)got;
}

static int
system_sync(void *disk, int file)
{
    (void)disk;
    return synced(fdatasync(file));
}

static int64_t
system_size(void *disk, int file)
{
    struct stat found;
    (void)disk;
    return fstat(file, &found) < 0 ? -(int64_t)errno : (int64_t)found.st_size;
}

static int
system_rename(void *disk, int directory, const char *from, const char *to)
{
    (void)disk;
    return answer(renameat(directory, from, directory, to));
}

static int
system_remove(void *disk, int directory, const char *name)
{
    (void)disk;
    return answer(unlinkat(directory, name, 0));
}

const struct leat_wal_files leat_wal_files_system = {
    .directory_open = system_directory_open,
    .directory_close = system_close,
    .directory_sync = system_directory_sync,
    .directory_list = system_directory_list,
    .create = system_create,
    .open = system_open,
    .open_again = system_open_again,
    .close = system_close,
    .allocate = system_allocate,
    .write_at = system_write_at,
    .write_through = system_write_through,
    .ring_open = system_ring_open,
    .ring_close = system_ring_close,
    .write_synced = leat_wal_uring_write,
    .read_at = system_read_at,
    .sync = system_sync,
    .size = system_size,
    .rename = system_rename,
    .remove = system_remove,
};

int
leat_wal_write_by(const struct leat_wal_way *way, int file, struct iovec *pieces, int count,
                  uint64_t offset)
{
    int first = 0;
    while (first < count) {
        if (pieces[first].iov_len == 0) {
            first++;
            continue;
        }
        int64_t written = way->write(way->self, file, &pieces[first], count - first, offset);
        if (written <= 0) {
            return written == 0 ? -EIO : (int)written;
        }
        offset += (uint64_t)written;
        for (size_t left = (size_t)written; left != 0;) {
            struct iovec *piece = &pieces[first];
            size_t part = left < piece->iov_len ? left : piece->iov_len;
            piece->iov_base = (unsigned char *)piece->iov_base + part;
            piece->iov_len -= part;
            left -= part;
            first += piece->iov_len == 0;
        }
    }
    return 0;
}

int
leat_wal_write_all(const struct leat_wal_files *files, int file, struct iovec *pieces, int count,
                   uint64_t offset)
{
    const struct leat_wal_way way = {files->write_at, files->disk};
    return leat_wal_write_by(&way, file, pieces, count, offset);
}
