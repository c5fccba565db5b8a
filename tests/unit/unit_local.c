/* unit_local.c - local queues in one thread, against naive ones: capacity exact, FIFO, batches all
 * or none, a steal takes half, rounded up, in order, and no more than its thief has room for; full
 * and empty are answered where they hold, with outputs untouched. Positions start at 0 and before
 * their wrap. Holds I1 after every step; shows that leat_local_check() can say no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/local.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define SLOTS_MAX (1U << LEAT_LOCAL_SLOTS_LOG2)

struct fixture {
    struct leat_local local;
    void *memory;
    uint32_t slots;
    uint32_t *items; /* the naive queue, oldest first */
    uint32_t count;
};

/* Positions a few steps before the wrap, and at the beginning. */
static const uint64_t starts[] = {0, UINT64_MAX - 2, UINT64_MAX - SLOTS_MAX};

/* Both ends of the range come by. */
static uint32_t
next_item(void)
{
    static uint32_t next;
    next++;
    return next % 3 == 2 ? UINT32_MAX - next / 3 : next / 3;
}

static void
setup(struct fixture *fixture, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = leat_local_bytes(slots_log2);
    memset(fixture, 0, sizeof(*fixture));
    fixture->memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(fixture->memory != NULL);
    memset(fixture->memory, 0, bytes);
    leat_local_init(&fixture->local, slots_log2, fixture->memory, start);
    fixture->slots = 1U << slots_log2;
    fixture->items = calloc(fixture->slots, sizeof(fixture->items[0]));
    CHECK(fixture->items != NULL);
}

static void
check(struct fixture *fixture)
{
    CHECK(leat_local_check(&fixture->local, stderr));
    CHECK_EQUAL(leat_local_count(&fixture->local), fixture->count);
    CHECK_EQUAL(leat_local_room(&fixture->local), fixture->slots - fixture->count);
    CHECK(leat_local_ready(&fixture->local) == (fixture->count > 0));
    uint32_t next = 0;
    CHECK(leat_local_peek(&fixture->local, &next) == (fixture->count > 0));
    CHECK(fixture->count == 0 || next == fixture->items[0]);
}

static void
teardown(struct fixture *fixture)
{
    check(fixture);
    free(fixture->memory);
    free(fixture->items);
}

/* ---- operations, and the same on the naive queue --------------------------------------------- */

static void
push(struct fixture *fixture)
{
    uint32_t item = next_item();
    bool fits = fixture->count < fixture->slots;
    CHECK(leat_local_push(&fixture->local, item) == fits);
    if (fits) {
        fixture->items[fixture->count] = item;
        fixture->count++;
    }
    check(fixture);
}

static void
push_n(struct fixture *fixture, uint32_t count)
{
    uint32_t items[SLOTS_MAX + 2];
    CHECK(count <= TEST_COUNT_OF(items));
    for (uint32_t i = 0; i < count; i++) {
        items[i] = next_item();
    }
    bool fits = fixture->count + count <= fixture->slots;
    CHECK(leat_local_push_n(&fixture->local, items, count) == fits);
    if (fits) {
        memcpy(&fixture->items[fixture->count], items, count * sizeof(items[0]));
        fixture->count += count;
    }
    check(fixture);
}

static void
drop(struct fixture *fixture, uint32_t count)
{
    fixture->count -= count;
    memmove(fixture->items, fixture->items + count, fixture->count * sizeof(fixture->items[0]));
}

static void
pop(struct fixture *fixture)
{
    uint32_t item = 12345;
    bool any = fixture->count > 0;
    CHECK(leat_local_pop(&fixture->local, &item) == any);
    CHECK_EQUAL(item, any ? fixture->items[0] : 12345);
    drop(fixture, any ? 1 : 0);
    check(fixture);
}

static void
pop_n(struct fixture *fixture, uint32_t most)
{
    uint32_t items[SLOTS_MAX + 2];
    memset(items, 0xab, sizeof(items));
    uint32_t count = leat_local_pop_n(&fixture->local, items, most);
    CHECK_EQUAL(count, most < fixture->count ? most : fixture->count);
    for (uint32_t i = 0; i < TEST_COUNT_OF(items); i++) {
        CHECK_EQUAL(items[i], i < count ? fixture->items[i] : 0xababababU);
    }
    drop(fixture, count);
    check(fixture);
}

static void
steal(struct fixture *victim, struct fixture *own)
{
    uint32_t first = 12345;
    uint32_t room = own->slots - own->count;
    uint32_t half = (victim->count + 1) / 2;
    uint32_t count = half > room + 1 ? room + 1 : half;
    CHECK_EQUAL(leat_local_steal(&victim->local, &own->local, &first), count);
    CHECK_EQUAL(first, count > 0 ? victim->items[0] : 12345);
    for (uint32_t i = 1; i < count; i++) {
        own->items[own->count] = victim->items[i];
        own->count++;
    }
    drop(victim, count);
    check(victim);
    check(own);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
fill_and_empty(uint32_t slots_log2, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, start);
    for (uint32_t lap = 0; lap < 4; lap++) {
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            push(&fixture);
        }
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            pop(&fixture);
        }
        /* The next lap begins in the middle of the slots. */
        push(&fixture);
        pop(&fixture);
    }
    teardown(&fixture);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LEAT_LOCAL_SLOTS_LOG2; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            fill_and_empty(log2, starts[i]);
        }
    }
}

/* Below, at and above what there is room for, and what there is. */
static void
batches_at(uint32_t slots_log2, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, start);
    for (uint32_t filled = 0; filled <= fixture.slots; filled++) {
        for (uint32_t count = 0; count <= fixture.slots + 2; count++) {
            push_n(&fixture, filled);
            push_n(&fixture, count);
            pop_n(&fixture, count);
            pop_n(&fixture, fixture.slots);
        }
    }
    teardown(&fixture);
}

static void
batches_are_all_or_none(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 4; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            batches_at(log2, starts[i]);
        }
    }
}

/* For each number of items in the victim and in the thief's own queue. */
static void
steals_at(uint32_t victim_log2, uint32_t own_log2, uint64_t start)
{
    struct fixture victim;
    struct fixture own;
    setup(&victim, victim_log2, start);
    setup(&own, own_log2, start + 1);
    for (uint32_t filled = 0; filled <= victim.slots; filled++) {
        for (uint32_t kept = 0; kept <= own.slots; kept++) {
            push_n(&victim, filled);
            push_n(&own, kept);
            steal(&victim, &own);
            steal(&victim, &own);
            pop_n(&victim, victim.slots);
            pop_n(&own, own.slots);
        }
    }
    teardown(&victim);
    teardown(&own);
}

static void
steals_take_half(void **state)
{
    (void)state;
    for (uint32_t victim_log2 = LEAT_RING_SLOTS_LOG2_MIN; victim_log2 <= 4; victim_log2++) {
        for (uint32_t own_log2 = LEAT_RING_SLOTS_LOG2_MIN; own_log2 <= 4; own_log2++) {
            for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
                steals_at(victim_log2, own_log2, starts[i]);
            }
        }
    }
}

/* The shipped size: 256 items go from hand to hand, by halves. */
static void
steals_empty_a_full_queue(void **state)
{
    (void)state;
    struct fixture victim;
    struct fixture own;
    setup(&victim, LEAT_LOCAL_SLOTS_LOG2, UINT64_MAX - 100);
    setup(&own, LEAT_LOCAL_SLOTS_LOG2, UINT64_MAX - 10);
    push_n(&victim, victim.slots);
    steal(&victim, &own);
    CHECK_EQUAL(own.count, 127);
    uint32_t steals = 1;
    while (victim.count > 0) {
        pop_n(&own, own.slots);
        steal(&victim, &own);
        steals++;
    }
    CHECK_EQUAL(steals, 9); /* 128 64 32 16 8 4 2 1 1 */
    pop_n(&own, own.slots);
    teardown(&victim);
    teardown(&own);
}

static void
any_operation(struct test_prng *prng, struct fixture *own, struct fixture *victim)
{
    uint32_t count = test_random_below(prng, own->slots + 2);
    switch (test_random_below(prng, 6)) {
    case 0:
        push_n(own, count);
        break;
    case 1:
        pop_n(own, count);
        break;
    case 2:
        pop(own);
        break;
    case 3:
        steal(victim, own);
        break;
    default:
        push(own);
    }
}

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_local")};
    for (uint32_t round = 0; round < 40; round++) {
        static struct fixture fixtures[3]; /* large for a stack */
        for (uint32_t i = 0; i < 3; i++) {
            uint64_t start = round % 2 == 0 ? starts[1] : test_random(&prng);
            setup(&fixtures[i], 1 + test_random_below(&prng, 6), start);
        }
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t self = test_random_below(&prng, 3);
            any_operation(&prng, &fixtures[self], &fixtures[(self + 1) % 3]);
        }
        for (uint32_t i = 0; i < 3; i++) {
            teardown(&fixtures[i]);
        }
    }
}

/* What leat_local_check() says, "" if it is content. */
static void
complaint(const struct leat_local *local, char *text, size_t bytes)
{
    FILE *why = test_why();
    bool content = leat_local_check(local, why);
    CHECK(leat_local_check(local, NULL) == content);
    test_why_read(why, text, bytes);
    CHECK(content == (text[0] == '\0'));
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[200];
    setup(&fixture, 2, UINT64_MAX - 1);
    struct leat_local *local = &fixture.local;
    push_n(&fixture, 4);
    complaint(local, text, sizeof(text));
    CHECK_TEXT(text, "");
    uint64_t tail = atom_load_rlx(&local->tail);
    atom_store_rlx(&local->tail, tail + 1);
    complaint(local, text, sizeof(text));
    CHECK_TEXT(text, "local: I1: 5 items in 4 slots\n");
    atom_store_rlx(&local->tail, tail - 5);
    complaint(local, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    atom_store_rlx(&local->tail, tail);
    teardown(&fixture);
}

static void
steal_from_oneself(void *argument)
{
    uint32_t first = 0;
    (void)leat_local_steal(argument, argument, &first);
}

/* A worker that steals from itself would put its oldest items behind the others. */
static void
nobody_steals_from_oneself(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, 0);
    push_n(&fixture, 4);
    test_child_aborts(steal_from_oneself, &fixture.local);
    teardown(&fixture);
}

static void
lines_are_apart(void **state)
{
    (void)state;
    static const size_t places[] = {offsetof(struct leat_local, slots),
                                    offsetof(struct leat_local, tail),
                                    offsetof(struct leat_local, head), sizeof(struct leat_local)};
    for (size_t i = 1; i < TEST_COUNT_OF(places); i++) {
        CHECK(places[i] - places[i - 1] >= LEAT_LINE_BYTES);
    }
    CHECK_EQUAL(sizeof(struct leat_local) % LEAT_LINE_BYTES, 0);
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LEAT_RING_SLOTS_LOG2_MAX; log2++) {
        CHECK(leat_local_bytes(log2) >= (sizeof(uint32_t) << log2) + LEAT_LINE_BYTES);
        CHECK_EQUAL(leat_local_bytes(log2) % LEAT_LINE_BYTES, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),          cmocka_unit_test(batches_are_all_or_none),
        cmocka_unit_test(steals_take_half),           cmocka_unit_test(steals_empty_a_full_queue),
        cmocka_unit_test(random_operations),          cmocka_unit_test(check_can_say_no),
        cmocka_unit_test(nobody_steals_from_oneself), cmocka_unit_test(lines_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
