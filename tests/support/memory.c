/* memory.c - see memory.h. In front of each block stands a head with its size and a mark. */
#include "tests/support/memory.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

#define MARK_OUT  UINT64_C(0x6f75745f6f75745f)
#define MARK_BACK UINT64_C(0x6261636b6261636b)

struct head {
    uint64_t mark;
    size_t bytes;
    size_t front; /* bytes before the block */
    struct test_memory *memory;
};

static void *
allocate(size_t bytes, size_t alignment, void *context)
{
    struct test_memory *memory = context;
    CHECK(bytes > 0);
    CHECK(alignment != 0);
    CHECK((alignment & (alignment - 1)) == 0);
    uint64_t call = atom_add_rlx(&memory->calls, 1) + 1;
    uint64_t fail_at = atom_load_rlx(&memory->fail_at);
    if (fail_at != 0 &&
        (call == fail_at || (call > fail_at && atom_load_rlx(&memory->for_ever) != 0))) {
        return NULL;
    }
    size_t front = alignment < sizeof(struct head) ? sizeof(struct head) : alignment;
    unsigned char *raw = aligned_alloc(front, leat_round_up(front + bytes, front));
    CHECK(raw != NULL);
    struct head head = {MARK_OUT, bytes, front, memory};
    memcpy(raw + front - sizeof(head), &head, sizeof(head));
    /* Not zero: the library must not count on it. */
    memset(raw + front, 0xa5, bytes);
    (void)atom_add_rlx(&memory->blocks, 1);
    (void)atom_add_rlx(&memory->bytes, bytes);
    return raw + front;
}

static void
release(void *block, size_t bytes, void *context)
{
    struct test_memory *memory = context;
    struct head head;
    unsigned char *place = block;
    CHECK(block != NULL);
    memcpy(&head, place - sizeof(head), sizeof(head));
    CHECK(head.mark == MARK_OUT);
    CHECK_EQUAL(bytes, head.bytes);
    CHECK(head.memory == memory);
    head.mark = MARK_BACK;
    memcpy(place - sizeof(head), &head, sizeof(head));
    memset(place, 0xdd, bytes);
    (void)atom_sub_rlx(&memory->blocks, 1);
    (void)atom_sub_rlx(&memory->bytes, bytes);
    free(place - head.front);
}

void
test_memory_init(struct test_memory *memory)
{
    atom_init(&memory->calls, 0);
    atom_init(&memory->blocks, 0);
    atom_init(&memory->bytes, 0);
    atom_init(&memory->fail_at, 0);
    atom_init(&memory->for_ever, 0);
}

struct leat_allocator
test_memory_allocator(struct test_memory *memory)
{
    struct leat_allocator allocator = {allocate, release, memory};
    return allocator;
}

struct leat_memory
test_memory_table(struct test_memory *memory)
{
    struct leat_memory table = {allocate, release, memory};
    return table;
}

void
test_memory_fail(struct test_memory *memory, uint64_t after, bool for_ever)
{
    atom_store_rlx(&memory->for_ever, for_ever ? 1 : 0);
    atom_store_rlx(&memory->fail_at, atom_load_rlx(&memory->calls) + after + 1);
}

void
test_memory_heal(struct test_memory *memory)
{
    atom_store_rlx(&memory->fail_at, 0);
}

uint64_t
test_memory_blocks(struct test_memory *memory)
{
    return atom_load_rlx(&memory->blocks);
}

uint64_t
test_memory_calls(struct test_memory *memory)
{
    return atom_load_rlx(&memory->calls);
}
