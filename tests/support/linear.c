/* linear.c - see linear.h. */
#include "tests/support/linear.h"

#include <stdlib.h>

#include "tests/support/check.h"

/* An operation in the queue is the push that brought the item. */
#define ENTRY_BITS 5
#define ENTRY_MASK ((UINT64_C(1) << ENTRY_BITS) - 1)

#define NO_PUSH UINT32_MAX

LEAT_STATIC(LINEAR_OPS_MAX <= 1 << ENTRY_BITS, "an entry names any operation");
LEAT_STATIC(LINEAR_OPS_MAX + LINEAR_CAPACITY_MAX * ENTRY_BITS <= 64, "a configuration is one word");

/* What is done, and what the queue looks like after that. */
struct configuration {
    uint32_t done;
    uint32_t length;
    uint64_t queue; /* entries, the oldest lowest */
};

struct search {
    const struct history_op *ops;
    uint32_t count;
    uint32_t capacity;
    uint32_t before[LINEAR_OPS_MAX]; /* operations that ended before this one began */
    uint32_t source[LINEAR_OPS_MAX]; /* of a pop: the push of its item, or NO_PUSH */
    bool excused[LINEAR_OPS_MAX];    /* full or empty, and the other side was under way */
};

struct linear_memory *
linear_memory_create(void)
{
    struct linear_memory *memory = calloc(1, sizeof(*memory));
    CHECK(memory != NULL);
    return memory;
}

void
linear_memory_destroy(struct linear_memory *memory)
{
    free(memory);
}

/* ---- configurations that were seen ----------------------------------------------------------- */

/* True if it is new. Never 0, since something is done in it. */
static bool
remember(struct linear_memory *memory, struct configuration now)
{
    const uint32_t mask = (UINT32_C(1) << LINEAR_SEEN_LOG2) - 1;
    uint64_t key = now.queue << LINEAR_OPS_MAX | now.done;
    uint32_t place = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
    /* Ends, since half of the places stay free. */
    while (memory->seen[place] != 0) {
        if (memory->seen[place] == key) {
            return false;
        }
        place = (place + 1) & mask;
    }
    CHECK(memory->count < LINEAR_SEEN_MAX);
    memory->seen[place] = key;
    memory->places[memory->count] = place;
    memory->count++;
    return true;
}

static void
forget(struct linear_memory *memory)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        memory->seen[memory->places[i]] = 0;
    }
    memory->count = 0;
}

/* ---- the search ------------------------------------------------------------------------------ */

static void
relate(struct search *search, uint32_t i, uint32_t j, bool busy_answers)
{
    const struct history_op *op = &search->ops[i];
    const struct history_op *other = &search->ops[j];
    if (other->end < op->begin) {
        search->before[i] |= UINT32_C(1) << j;
    }
    if (op->pops && op->ok && !other->pops && other->ok && other->item == op->item) {
        CHECK(search->source[i] == NO_PUSH);
        search->source[i] = j;
    }
    if (busy_answers && !op->ok && other->pops != op->pops) {
        search->excused[i] |= other->begin < op->end && op->begin < other->end;
    }
}

/* The operation comes next: what the queue is then. False: it would not answer so. */
static bool
step(const struct search *search, uint32_t i, struct configuration *now)
{
    const struct history_op *op = &search->ops[i];
    if (!op->ok) {
        if (!search->excused[i] && now->length != (op->pops ? 0 : search->capacity)) {
            return false;
        }
    } else if (op->pops) {
        if (now->length == 0 || (now->queue & ENTRY_MASK) != search->source[i]) {
            return false;
        }
        now->queue >>= ENTRY_BITS;
        now->length--;
    } else {
        if (now->length == search->capacity) {
            return false;
        }
        now->queue |= (uint64_t)i << (ENTRY_BITS * now->length);
        now->length++;
    }
    now->done |= UINT32_C(1) << i;
    return true;
}

static bool
find(const struct search *search, struct linear_memory *memory)
{
    struct configuration path[LINEAR_OPS_MAX + 1] = {{0}};
    uint32_t next[LINEAR_OPS_MAX + 1] = {0}; /* operation to try at this depth */
    uint32_t depth = 0;
    /* Ends, since each configuration is entered once. */
    while (depth < search->count) {
        uint32_t i = next[depth];
        next[depth]++;
        if (i == search->count) {
            if (depth == 0) {
                return false;
            }
            depth--;
            continue;
        }
        struct configuration now = path[depth];
        bool possible = (now.done >> i & 1) == 0 && (search->before[i] & ~now.done) == 0;
        if (possible && step(search, i, &now) && remember(memory, now)) {
            depth++;
            path[depth] = now;
            next[depth] = 0;
        }
    }
    return true;
}

bool
linear_check(struct linear_memory *memory, const struct history_op *ops, uint32_t count,
             struct history_rule rule)
{
    struct search search = {.ops = ops, .count = count, .capacity = rule.capacity};
    CHECK(count <= LINEAR_OPS_MAX);
    CHECK(rule.capacity <= LINEAR_CAPACITY_MAX);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(ops[i].begin < ops[i].end);
        search.source[i] = NO_PUSH;
        for (uint32_t j = 0; j < count; j++) {
            relate(&search, i, j, rule.busy_answers);
        }
    }
    bool found = find(&search, memory);
    forget(memory);
    return found;
}
