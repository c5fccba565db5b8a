/* unit_turn_n.c - leat_turn_push_n() in one thread: a batch goes in as a whole and in order, or not
 * at all, from every number of items and every place; I1 and I2 hold after it. */
#include <stdlib.h>
#include <string.h>

#include "ring/turn.h"
#include "tests/support/check.h"

#define SLOTS_LOG2 2
#define SLOTS      4

static void
batch(struct leat_turn *ring, uint32_t filled, uint32_t count)
{
    uint32_t items[SLOTS];
    uint32_t item = 0;
    for (uint32_t i = 0; i < filled; i++) {
        CHECK(leat_turn_push(ring, i));
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = filled + i;
    }
    bool fits = filled + count <= SLOTS;
    CHECK(leat_turn_push_n(ring, items, count) == fits);
    CHECK(leat_turn_check(ring, stderr));
    for (uint32_t i = 0; i < filled + (fits ? count : 0); i++) {
        CHECK(leat_turn_pop(ring, &item));
        CHECK_EQUAL(item, i);
    }
    CHECK(!leat_turn_pop(ring, &item));
}

static void
batches_are_all_or_none(void **state)
{
    (void)state;
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_turn_bytes(SLOTS_LOG2));
    CHECK(memory != NULL);
    memset(memory, 0, leat_turn_bytes(SLOTS_LOG2));
    struct leat_turn ring;
    /* The position wraps on the way. */
    const struct leat_ring_config config = {
        .slots_log2 = SLOTS_LOG2, .memory = memory, .start = UINT64_MAX - 100};
    leat_turn_init(&ring, &config);
    for (uint32_t lap = 0; lap < 16; lap++) {
        for (uint32_t filled = 0; filled <= SLOTS; filled++) {
            for (uint32_t count = 1; count <= SLOTS; count++) {
                batch(&ring, filled, count);
            }
        }
        /* Begin one slot further. */
        batch(&ring, 0, 1);
    }
    free(memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(batches_are_all_or_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
