/* unit_heap.c - the heap of exact order against a sorted array: numbers that rise, fall, are mixed
 * or nearly all the same come out in order; one that is put back stays the first; what is added in
 * between finds its place. Holds I1 and I2 of sched/heap.h, looked at on the way; a check finds a
 * record that is out of place, a rank that is wrong, and a count. */
#include <stdlib.h>

#include "sched/heap.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define RECORDS 3000

struct fixture {
    struct leat_heap heap;
    uint32_t keys[RECORDS];
    struct leat_heap_node nodes[RECORDS];
    leat_atomic_u32 links[RECORDS];
};

static struct leat_heap_node *
node_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    return &fixture->nodes[index];
}

static bool
before(void *context, uint32_t index, uint32_t other)
{
    const struct fixture *fixture = context;
    if (fixture->keys[index] != fixture->keys[other]) {
        return fixture->keys[index] < fixture->keys[other];
    }
    return index < other;
}

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    return &fixture->links[index];
}

static struct leat_heap_links
links_of(struct fixture *fixture)
{
    return (struct leat_heap_links){node_of, before, fixture};
}

static bool
good(struct fixture *fixture)
{
    return leat_heap_check(&fixture->heap, links_of(fixture),
                           (struct leat_fifo_links){link_of, fixture}, NULL);
}

static void
add(struct fixture *fixture, uint32_t index)
{
    leat_heap_add(&fixture->heap, links_of(fixture), index);
}

static uint32_t
pop(struct fixture *fixture)
{
    uint32_t index = 0;
    CHECK(leat_heap_pop(&fixture->heap, links_of(fixture), &index));
    return index;
}

static uint32_t
rising(uint32_t i)
{
    return i;
}

static uint32_t
falling(uint32_t i)
{
    return RECORDS - i;
}

static uint32_t
mixed(uint32_t i)
{
    return i * 2654435761U;
}

static uint32_t
alike(uint32_t i)
{
    return i % 97 == 0 ? 1 : 2;
}

typedef uint32_t (*key_function)(uint32_t i);

static const key_function functions[] = {rising, falling, mixed, alike};

static struct fixture *
setup(key_function key)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    for (uint32_t i = 0; i < RECORDS; i++) {
        fixture->keys[i] = key(i);
    }
    return fixture;
}

static void
they_come_out_in_order(void **state)
{
    (void)state;
    for (size_t f = 0; f < TEST_COUNT_OF(functions); f++) {
        struct fixture *fixture = setup(functions[f]);
        CHECK(good(fixture));
        for (uint32_t i = 0; i < RECORDS; i++) {
            add(fixture, i);
            CHECK(i % 100 != 0 || good(fixture));
        }
        uint32_t last = pop(fixture);
        for (uint32_t i = 1; i < RECORDS; i++) {
            uint32_t next = pop(fixture);
            CHECK(before(fixture, last, next));
            CHECK(i % 100 != 0 || good(fixture));
            last = next;
        }
        uint32_t none = 77;
        CHECK(!leat_heap_pop(&fixture->heap, links_of(fixture), &none));
        CHECK_EQUAL(none, 77);
        free(fixture);
    }
}

/* The least of those that are in, by looking at all. */
static uint32_t
least(struct fixture *fixture, const bool *in)
{
    uint32_t found = RECORDS;
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (in[i] && (found == RECORDS || before(fixture, i, found))) {
            found = i;
        }
    }
    return found;
}

static void
they_come_and_go(void **state)
{
    (void)state;
    struct test_prng prng = {20261128};
    struct fixture *fixture = setup(mixed);
    bool *in = calloc(RECORDS, sizeof(*in));
    CHECK(in != NULL);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t index = test_random_below(&prng, RECORDS);
        if (!in[index]) {
            add(fixture, index);
            in[index] = true;
        } else if (fixture->heap.count > 0) {
            uint32_t first = pop(fixture);
            CHECK_EQUAL(first, least(fixture, in));
            in[first] = false;
            if (index % 4 == 0) {
                add(fixture, first);
                CHECK_EQUAL(pop(fixture), first);
            }
        }
    }
    CHECK(good(fixture));
    free(in);
    free(fixture);
}

static void
a_check_finds_what_is_wrong(void **state)
{
    (void)state;
    struct fixture *fixture = setup(rising);
    for (uint32_t i = 0; i < 100; i++) {
        add(fixture, i);
    }
    CHECK(good(fixture));
    uint32_t left = fixture->nodes[0].left;
    uint32_t key = fixture->keys[left];
    CHECK_EQUAL(fixture->heap.root, 0);
    fixture->keys[left] = 0;
    fixture->keys[0] = 1;
    CHECK(!good(fixture));
    fixture->keys[left] = key;
    fixture->keys[0] = 0;
    fixture->nodes[left].rank++;
    CHECK(!good(fixture));
    fixture->nodes[left].rank--;
    fixture->heap.count++;
    CHECK(!good(fixture));
    fixture->heap.count -= 2;
    CHECK(!good(fixture));
    fixture->heap.count++;
    CHECK(good(fixture));
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_out_in_order),
        cmocka_unit_test(they_come_and_go),
        cmocka_unit_test(a_check_finds_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
