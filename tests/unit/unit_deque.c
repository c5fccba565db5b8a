/* unit_deque.c - the deque in one thread, against a naive one: capacity exact, the owner's order
 * newest first, the thieves' oldest first, all words of an entry, full and empty answered where
 * they hold, with outputs untouched; a pop in vain writes nothing. Positions start at 0, where a
 * pop lowers the bottom below it, and before their wrap. Holds I1 after every step; shows that
 * leat_deque_check() can say no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ring/deque.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define SLOTS_MAX 32

struct fixture {
    struct leat_deque deque;
    void *memory;
    uint32_t slots;
    struct leat_deque_entry entries[SLOTS_MAX]; /* the naive deque, oldest first */
    uint32_t count;
    uint64_t next;
};

/* Positions a few steps before something wraps, and at the beginning. */
static const uint64_t starts[] = {
    0, 1, UINT64_MAX, UINT64_MAX - 2, UINT64_MAX - SLOTS_MAX, INT64_MAX, (uint64_t)INT64_MAX - 2};

static void
setup(struct fixture *fixture, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = leat_deque_bytes(slots_log2);
    memset(fixture, 0, sizeof(*fixture));
    fixture->memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(fixture->memory != NULL);
    memset(fixture->memory, 0, bytes);
    leat_deque_init(&fixture->deque, slots_log2, fixture->memory, start);
    fixture->slots = 1U << slots_log2;
}

static void
check(struct fixture *fixture)
{
    CHECK(leat_deque_check(&fixture->deque, stderr));
    CHECK_EQUAL(leat_deque_count(&fixture->deque), fixture->count);
    CHECK(leat_deque_ready(&fixture->deque) == (fixture->count > 0));
}

static void
teardown(struct fixture *fixture)
{
    check(fixture);
    free(fixture->memory);
}

/* ---- operations, and the same on the naive deque --------------------------------------------- */

static const struct leat_deque_entry untouched = {{12345, 54321, 2, 7}};

static void
same(const struct leat_deque_entry *got, const struct leat_deque_entry *want)
{
    for (uint32_t i = 0; i < LEAT_DEQUE_WORDS; i++) {
        CHECK_EQUAL(got->words[i], want->words[i]);
    }
}

static void
push(struct fixture *fixture)
{
    struct leat_deque_entry entry = {
        {fixture->next, UINT64_MAX - fixture->next, 5, fixture->next * 3}};
    bool fits = fixture->count < fixture->slots;
    fixture->next++;
    CHECK(leat_deque_push(&fixture->deque, &entry) == fits);
    if (fits) {
        fixture->entries[fixture->count] = entry;
        fixture->count++;
    }
    check(fixture);
}

static void
pop(struct fixture *fixture)
{
    struct leat_deque_entry entry = untouched;
    bool any = fixture->count > 0;
    CHECK(leat_deque_pop(&fixture->deque, &entry) == any);
    fixture->count -= any ? 1 : 0;
    same(&entry, any ? &fixture->entries[fixture->count] : &untouched);
    check(fixture);
}

static void
steal(struct fixture *fixture)
{
    struct leat_deque_entry entry = untouched;
    bool any = fixture->count > 0;
    enum leat_deque_answer answer = leat_deque_steal(&fixture->deque, 0, &entry);
    CHECK_EQUAL(answer, any ? LEAT_DEQUE_GOT : LEAT_DEQUE_EMPTY);
    same(&entry, any ? &fixture->entries[0] : &untouched);
    if (any) {
        fixture->count--;
        memmove(fixture->entries, fixture->entries + 1, fixture->count * sizeof(entry));
    }
    check(fixture);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Up to the limit and beyond, then down again: each of the slots + 2 takes by `take`, and one by
 * `other` in the middle. */
static void
fill_and_empty(uint32_t slots_log2, uint64_t start, void (*take)(struct fixture *),
               void (*other)(struct fixture *))
{
    struct fixture fixture;
    setup(&fixture, slots_log2, start);
    pop(&fixture);
    steal(&fixture);
    for (uint32_t lap = 0; lap < 4; lap++) {
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            push(&fixture);
        }
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            take(&fixture);
            if (i == fixture.slots / 2) {
                other(&fixture);
            }
        }
        /* The next lap begins in the middle of the slots. */
        push(&fixture);
        other(&fixture);
    }
    teardown(&fixture);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 5; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            fill_and_empty(log2, starts[i], pop, steal);
            fill_and_empty(log2, starts[i], steal, pop);
            fill_and_empty(log2, starts[i], pop, pop);
        }
    }
}

/* A thief that asks for a rank gets what has it, and leaves what has less. */
static void
ranks(void **state)
{
    (void)state;
    struct fixture fixture;
    struct leat_deque_entry entry = untouched;
    setup(&fixture, 2, 0);
    for (uint64_t rank = 5; rank < 8; rank++) {
        const struct leat_deque_entry pushed = {{rank, 0, 0, rank}};
        CHECK(leat_deque_push(&fixture.deque, &pushed));
        CHECK_EQUAL(leat_deque_newest(&fixture.deque), rank);
        CHECK_EQUAL(leat_deque_oldest(&fixture.deque), 5);
        CHECK(!leat_deque_empty(&fixture.deque));
    }
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 6, &entry), LEAT_DEQUE_LOW);
    same(&entry, &untouched);
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 5, &entry), LEAT_DEQUE_GOT);
    CHECK_EQUAL(entry.words[0], 5);
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 5, &entry), LEAT_DEQUE_GOT);
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 8, &entry), LEAT_DEQUE_LOW);
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 0, &entry), LEAT_DEQUE_GOT);
    CHECK_EQUAL(leat_deque_steal(&fixture.deque, 0, &entry), LEAT_DEQUE_EMPTY);
    CHECK(leat_deque_empty(&fixture.deque));
    CHECK_EQUAL(leat_deque_bottom(&fixture.deque), 3);
    teardown(&fixture);
}

/* One entry at a time, back and forth over the first positions. */
static void
the_last_entry(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
        struct fixture fixture;
        setup(&fixture, 1, starts[i]);
        for (uint32_t round = 0; round < 8; round++) {
            pop(&fixture);
            push(&fixture);
            pop(&fixture);
            pop(&fixture);
            steal(&fixture);
            push(&fixture);
            steal(&fixture);
            steal(&fixture);
        }
        teardown(&fixture);
    }
}

static void
pop_in_vain(void *argument)
{
    struct leat_deque_entry entry;
    CHECK(mprotect(argument, sizeof(struct leat_deque), PROT_READ) == 0);
    CHECK(!leat_deque_pop(argument, &entry));
}

/* A worker asks before each pick; a write would take the line from those who look for work. */
static void
asking_in_vain_writes_nothing(void **state)
{
    (void)state;
    struct leat_deque *deque = leat_os_map(sizeof(*deque));
    struct fixture fixture;
    CHECK(deque != NULL);
    setup(&fixture, 1, UINT64_MAX);
    push(&fixture);
    steal(&fixture);
    memcpy(deque, &fixture.deque, sizeof(*deque));
    test_child(pop_in_vain, deque);
    leat_os_unmap(deque, sizeof(*deque));
    teardown(&fixture);
}

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_deque")};
    for (uint32_t round = 0; round < 60; round++) {
        struct fixture fixture;
        size_t place = test_random_below(&prng, TEST_COUNT_OF(starts));
        uint64_t start = round % 2 == 0 ? starts[place] : test_random(&prng);
        setup(&fixture, 1 + test_random_below(&prng, 5), start);
        for (uint32_t i = 0; i < 3000; i++) {
            /* Phases that fill and phases that drain. */
            uint32_t pushes = i / 300 % 2 == 0 ? 6 : 4;
            uint32_t choice = test_random_below(&prng, 10);
            if (choice < pushes) {
                push(&fixture);
            } else if (choice < 8) {
                pop(&fixture);
            } else {
                steal(&fixture);
            }
        }
        teardown(&fixture);
    }
}

/* What leat_deque_check() says, "" if it is content. */
static void
complaint(const struct leat_deque *deque, char *text, size_t bytes)
{
    FILE *why = test_why();
    bool content = leat_deque_check(deque, why);
    CHECK(leat_deque_check(deque, NULL) == content);
    test_why_read(why, text, bytes);
    CHECK(content == (text[0] == '\0'));
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[200];
    setup(&fixture, 1, UINT64_MAX);
    struct leat_deque *deque = &fixture.deque;
    push(&fixture);
    push(&fixture);
    complaint(deque, text, sizeof(text));
    CHECK_TEXT(text, "");
    uint64_t bottom = atom_load_rlx(&deque->bottom);
    atom_store_rlx(&deque->bottom, bottom + 1);
    complaint(deque, text, sizeof(text));
    CHECK_TEXT(text, "deque: I1: 3 entries in 2 slots\n");
    /* As inside a pop; nobody sees a count below zero or above the slots. */
    atom_store_rlx(&deque->bottom, bottom - 3);
    complaint(deque, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    CHECK_EQUAL(leat_deque_count(deque), 0);
    atom_store_rlx(&deque->bottom, bottom + 5);
    CHECK_EQUAL(leat_deque_count(deque), 2);
    atom_store_rlx(&deque->bottom, bottom);
    teardown(&fixture);
}

static void
lines_are_apart(void **state)
{
    (void)state;
    static const size_t places[] = {offsetof(struct leat_deque, slots),
                                    offsetof(struct leat_deque, bottom),
                                    offsetof(struct leat_deque, top),
                                    offsetof(struct leat_deque, anchor), sizeof(struct leat_deque)};
    for (size_t i = 1; i < TEST_COUNT_OF(places); i++) {
        CHECK(places[i] - places[i - 1] >= LEAT_LINE_BYTES);
    }
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LEAT_RING_SLOTS_LOG2_MAX; log2++) {
        CHECK(leat_deque_bytes(log2) >=
              (sizeof(struct leat_deque_entry) << log2) + LEAT_LINE_BYTES);
        CHECK_EQUAL(leat_deque_bytes(log2) % LEAT_LINE_BYTES, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact), cmocka_unit_test(ranks),
        cmocka_unit_test(the_last_entry),    cmocka_unit_test(asking_in_vain_writes_nothing),
        cmocka_unit_test(random_operations), cmocka_unit_test(check_can_say_no),
        cmocka_unit_test(lines_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
