/* memory.h - where memory beyond the mapped slabs and rings comes from: one small table, so that
 * the library never calls malloc by name and a host may give its own functions.
 *
 * The default is jemalloc, by names of its own and without an arena flag: an interface that
 * leaves the host's malloc alone. LEAT_ALLOCATOR=system builds use malloc instead: sanitizers
 * see it, and such a library can be opened with dlopen.
 */
#ifndef RING_MEMORY_H
#define RING_MEMORY_H

#include "ring/base.h"

struct leat_memory {
    void *(*allocate)(size_t bytes, size_t alignment, void *context);
    void (*release)(void *memory, size_t bytes, void *context);
    void *context;
};

/* The table of this build. */
struct leat_memory leat_memory_default(void);

/* Zeroed memory aligned to 16 bytes, or NULL. */
void *leat_memory_take(const struct leat_memory *memory, size_t bytes);
/* The same, aligned to a line. */
void *leat_memory_take_lines(const struct leat_memory *memory, size_t bytes);
/* What this build's allocator keeps for itself goes back to the system, as far as it can. */
void leat_memory_purge(void);
/* `bytes` as taken. NULL does nothing. */
void leat_memory_give(const struct leat_memory *memory, void *block, size_t bytes);

#endif
