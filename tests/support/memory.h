/* memory.h - an allocator table for tests: counts what is out, checks that each block comes back
 * once and with its size, overwrites it then, and fails where it is told to. */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include "engine/leat.h"
#include "ring/atomic.h"
#include "ring/memory.h"

struct test_memory {
    leat_atomic_u64 calls;    /* of allocate, failed ones included */
    leat_atomic_u64 blocks;   /* out at this moment */
    leat_atomic_u64 bytes;    /* of them */
    leat_atomic_u64 fail_at;  /* this call fails, counted from 1; 0: none */
    leat_atomic_u32 for_ever; /* 1: all later ones fail too */
};

void test_memory_init(struct test_memory *memory);
struct leat_allocator test_memory_allocator(struct test_memory *memory);
/* The same for the inner functions. */
struct leat_memory test_memory_table(struct test_memory *memory);
/* The next call but `after` fails, and all later ones if `for_ever`. */
void test_memory_fail(struct test_memory *memory, uint64_t after, bool for_ever);
void test_memory_heal(struct test_memory *memory);
uint64_t test_memory_blocks(struct test_memory *memory);
uint64_t test_memory_calls(struct test_memory *memory);

#endif
