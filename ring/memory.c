/* memory.c - the allocator table's two defaults. */
#include "ring/memory.h"

#include <stdlib.h>
#include <string.h>

#ifndef LEAT_ALLOCATOR_JEMALLOC
#    define LEAT_ALLOCATOR_JEMALLOC 0
#endif

#if LEAT_ALLOCATOR_JEMALLOC

#    include <jemalloc/jemalloc.h>

/* What sizes from this one on are aligned to by themselves: they are multiples of it. */
#    define QUANTUM 16

/* jemalloc's malloc and free, by the names that the build gives them (CMakeLists.txt): their way is
 * a third as long as that of mallocx with an alignment. */
void *jemalloc_malloc(size_t bytes);
void jemalloc_free(void *block);

static void *
default_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    if (LEAT_LIKELY(alignment <= QUANTUM)) {
        return jemalloc_malloc(bytes < QUANTUM ? QUANTUM : bytes);
    }
    return mallocx(bytes, MALLOCX_ALIGN(alignment));
}

static void
default_release(void *block, size_t bytes, void *context)
{
    (void)context;
    /* The size alone, without the alignment it was taken with, may name another size class. */
    (void)bytes;
    jemalloc_free(block);
}

#    define STRING(number)  #    number
#    define TEXT_OF(number) STRING(number)

void
leat_memory_purge(void)
{
    /* Of all arenas. There is nothing to be done where it is refused. */
    (void)mallctl("arena." TEXT_OF(MALLCTL_ARENAS_ALL) ".purge", NULL, NULL, NULL, 0);
}

#else

#    ifdef __GLIBC__
#        include <malloc.h>
#    endif

static void *
default_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    /* aligned_alloc wants a multiple of the alignment. */
    return aligned_alloc(alignment, leat_round_up(bytes, alignment));
}

static void
default_release(void *block, size_t bytes, void *context)
{
    (void)context;
    (void)bytes;
    free(block);
}

void
leat_memory_purge(void)
{
#    ifdef __GLIBC__
    (void)malloc_trim(0);
#    endif
}

#endif

struct leat_memory
leat_memory_default(void)
{
    struct leat_memory memory = {
        .allocate = default_allocate, .release = default_release, .context = NULL};
    return memory;
}

static void *
take(const struct leat_memory *memory, size_t bytes, size_t alignment)
{
    LEAT_ASSERT(bytes > 0);
    void *block = memory->allocate(bytes, alignment, memory->context);
    if (block != NULL) {
        LEAT_ASSERT((uintptr_t)block % alignment == 0);
        memset(block, 0, bytes);
    }
    return block;
}

void *
leat_memory_take(const struct leat_memory *memory, size_t bytes)
{
    return take(memory, bytes, 16);
}

void *
leat_memory_take_lines(const struct leat_memory *memory, size_t bytes)
{
    return take(memory, bytes, LEAT_LINE_BYTES);
}

void
leat_memory_give(const struct leat_memory *memory, void *block, size_t bytes)
{
    if (block != NULL) {
        memory->release(block, bytes, memory->context);
    }
}
