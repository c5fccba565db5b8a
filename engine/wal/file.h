/* file.h - all that the log asks of a file system, as a table of functions: so that tests put a
 * simulated disk behind it, which loses what was not synced, tears what was written and fails.
 *
 * Every function returns 0, or a number of bytes where it says so, or a negative errno. None
 * returns -EINTR, and none writes to its last argument where it fails. Directories and files are
 * numbers of the table's own.
 */
#ifndef ENGINE_WAL_FILE_H
#define ENGINE_WAL_FILE_H

#include <string.h>
#include <sys/uio.h>

#include "ring/memory.h"

#define LEAT_WAL_NAME_BYTES 32 /* of a file's name, its end included */

struct leat_wal_files {
    void *disk; /* the first argument of all */
    /* Opens a directory that exists, and locks it for this process until it is closed. -EAGAIN:
     * another one, or another open of this one, has it. */
    int (*directory_open)(void *disk, const char *path, int *directory);
    void (*directory_close)(void *disk, int directory);
    /* After 0 the names that were made, changed and removed before are so after a crash, too. */
    int (*directory_sync)(void *disk, int directory);
    /* Calls each() for every name. */
    int (*directory_list)(void *disk, int directory, void (*each)(void *context, const char *name),
                          void *context);
    /* Makes a file to read and write. -EEXIST: there is one. */
    int (*create)(void *disk, int directory, const char *name, int *file);
    /* Opens a file to read. */
    int (*open)(void *disk, int directory, const char *name, int *file);
    /* The same to read and to write. */
    int (*open_again)(void *disk, int directory, const char *name, int *file);
    void (*close)(void *disk, int file);
    /* Makes a file so many bytes long, on space that is the file's own from then on. -ENOSPC. */
    int (*allocate)(void *disk, int file, uint64_t bytes);
    /* Writes at most what the pieces have, and returns how many bytes; fewer is possible. */
    int64_t (*write_at)(void *disk, int file, const struct iovec *pieces, int count,
                        uint64_t offset);
    /* The same, and what it says is written is there after a crash, too; behind anything else
     * nothing is known of it, as behind a sync. -EOPNOTSUPP: not here. */
    int64_t (*write_through)(void *disk, int file, const struct iovec *pieces, int count,
                             uint64_t offset);
    /* What write_synced() is given. The memory is copied. -EOPNOTSUPP: not here. */
    int (*ring_open)(void *disk, const struct leat_memory *memory, void **ring);
    void (*ring_close)(void *disk, void *ring);
    /* write_at(), and sync() behind it where that has written all, by one call of the system.
     * Returns what the sync says if that failed, else what the write says: with fewer bytes than
     * all, these are written only. -EOPNOTSUPP: not here. A ring is for one thread at a time. */
    int64_t (*write_synced)(void *ring, int file, const struct iovec *pieces, int count,
                            uint64_t offset);
    /* Returns how many bytes were read: fewer at the end of the file only. */
    int64_t (*read_at)(void *disk, int file, void *to, size_t bytes, uint64_t offset);
    /* After 0 what was written to the file before is there after a crash, too. After anything else
     * nothing is known of it, and a later 0 says nothing of that. */
    int (*sync)(void *disk, int file);
    int64_t (*size)(void *disk, int file);
    int (*rename)(void *disk, int directory, const char *from, const char *to);
    int (*remove)(void *disk, int directory, const char *name);
};

/* The system's: pwritev and fdatasync, pwritev2 with RWF_DSYNC, io_uring, flock on directories. */
extern const struct leat_wal_files leat_wal_files_system;

/* A piece to be written: the type is the same as for reading, without const. */
LEAT_INLINE struct iovec
leat_wal_piece(const void *data, size_t bytes)
{
    struct iovec piece = {.iov_len = bytes};
    memcpy(&piece.iov_base, &data, sizeof(data));
    return piece;
}

/* Writes all, however short each write is. The pieces are used up. 0 or a negative errno. */
int leat_wal_write_all(const struct leat_wal_files *files, int file, struct iovec *pieces,
                       int count, uint64_t offset);

/* Another way to write: a function of the table, and its first argument. */
struct leat_wal_way {
    int64_t (*write)(void *self, int file, const struct iovec *pieces, int count, uint64_t offset);
    void *self;
};
int leat_wal_write_by(const struct leat_wal_way *way, int file, struct iovec *pieces, int count,
                      uint64_t offset);

#endif
