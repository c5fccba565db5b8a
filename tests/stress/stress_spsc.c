/* stress_spsc.c - the ring for one producer and one consumer under real threads, singles and many
 * at once mixed. Items are indices of plain cells that nothing else orders, used in turn: the
 * producer fills a cell before it pushes the index, the consumer empties it before it pops the next
 * one. So ThreadSanitizer sees a missing edge in either direction as a race. */
#include <stdlib.h>
#include <string.h>

#include "ring/os.h"
#include "ring/spsc.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define MANY_MAX 24
#define PARTS    4

struct flow {
    struct leat_spsc ring;
    void *memory;
    uint64_t *cells; /* plain: sequence of the item that stands in it, 0: empty */
    uint32_t cells_count;
    uint64_t seed;
    uint64_t deadline_ns;
    leat_atomic_u64 end; /* items pushed in all; UINT64_MAX: not known yet */
};

static void
produce(struct flow *flow)
{
    struct test_prng prng = {flow->seed};
    uint64_t next = 0;
    while (test_now_ns() < flow->deadline_ns) {
        uint32_t items[MANY_MAX];
        uint32_t count = 1 + test_random_below(&prng, MANY_MAX);
        for (uint32_t i = 0; i < count; i++) {
            items[i] = (uint32_t)((next + i) % flow->cells_count);
            CHECK_EQUAL(flow->cells[items[i]], 0);
            flow->cells[items[i]] = next + i + 1;
        }
        next += count;
        for (uint32_t done = 0; done < count;) {
            uint32_t more = count % 2 == 0
                                ? leat_spsc_push_n(&flow->ring, items + done, count - done)
                                : (uint32_t)leat_spsc_push(&flow->ring, items[done]);
            done += more;
            if (more == 0) {
                leat_os_yield();
            }
        }
    }
    atom_store_rlx(&flow->end, next);
}

static void
consume(struct flow *flow)
{
    struct test_prng prng = {flow->seed + 1};
    uint64_t next = 0;
    while (next != atom_load_rlx(&flow->end)) {
        uint32_t items[MANY_MAX] = {0};
        uint32_t wanted = 1 + test_random_below(&prng, MANY_MAX);
        uint32_t count = wanted % 2 == 0 ? leat_spsc_pop_n(&flow->ring, items, wanted)
                                         : (uint32_t)leat_spsc_pop(&flow->ring, items);
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQUAL(items[i], next % flow->cells_count);
            next++;
            CHECK_EQUAL(flow->cells[items[i]], next);
            flow->cells[items[i]] = 0;
        }
        if (count == 0) {
            leat_os_yield();
        }
    }
}

static void
side(void *shared, uint32_t number)
{
    if (number == 0) {
        produce(shared);
    } else {
        consume(shared);
    }
}

static void
flow_run(struct test_prng *prng, uint32_t slots_log2)
{
    struct flow flow = {.seed = test_random(prng)};
    flow.memory = aligned_alloc(LEAT_LINE_BYTES, leat_spsc_bytes(slots_log2));
    CHECK(flow.memory != NULL);
    memset(flow.memory, 0, leat_spsc_bytes(slots_log2));
    const struct leat_ring_config config = {.slots_log2 = slots_log2,
                                            .memory = flow.memory,
                                            .start = 0 - test_random_below(prng, 5000)};
    leat_spsc_init(&flow.ring, &config);
    /* In the ring, about to be pushed, and popped but not yet emptied. */
    flow.cells_count = (UINT32_C(1) << slots_log2) + MANY_MAX + MANY_MAX;
    flow.cells = calloc(flow.cells_count, sizeof(*flow.cells));
    CHECK(flow.cells != NULL);
    atom_init(&flow.end, UINT64_MAX);
    flow.deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(2, side, &flow);
    CHECK(leat_spsc_check(&flow.ring, stderr));
    CHECK_EQUAL(leat_spsc_count(&flow.ring), 0);
    free(flow.cells);
    free(flow.memory);
}

static void
one_to_one(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_spsc")};
    flow_run(&prng, 1);
    flow_run(&prng, 3);
    flow_run(&prng, 5);
    flow_run(&prng, 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_to_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
