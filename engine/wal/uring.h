/* uring.h - a write and the sync behind it, handed to the system by one call: io_uring, where this
 * build has liburing, and the system lets the process use it. For the system's table of file.h.
 *
 * The two are linked: the system begins the sync where the write has written all, and else cancels
 * it. A ring is of no thread: whoever has the role of the log uses it, one at a time.
 */
#ifndef ENGINE_WAL_URING_H
#define ENGINE_WAL_URING_H

#include <sys/uio.h>

#include "ring/memory.h"

/* What this build has. */
bool leat_wal_uring_there(void);
/* See leat_wal_files: ring_open, ring_close, write_synced. The memory is kept. */
int leat_wal_uring_open(const struct leat_memory *memory, void **ring);
void leat_wal_uring_close(void *ring);
int64_t leat_wal_uring_write(void *ring, int file, const struct iovec *pieces, int count,
                             uint64_t offset);

#endif
