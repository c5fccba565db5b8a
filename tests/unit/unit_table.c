/* unit_table.c - the table keyed by bytes in one thread: find, add, replace, remove, keys of all
 * lengths and with zeros in them; nodes are freed behind a grace period, at the latest by fini; it
 * grows and shrinks as it is filled; the hash has the values of its source; memory fails. Holds I1,
 * I2; shows that leat_table_check() can say no. */
#include <stdio.h>
#include <string.h>

#include "engine/table.h"
#include "ring/rcu.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define MANY 5000

struct item {
    struct leat_table_node node;
    uint64_t value;
};

struct fixture {
    struct test_memory memory;
    struct leat_table table;
    uint64_t domain;
};

static void
setup(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    test_memory_init(&fixture->memory);
    struct leat_memory memory = test_memory_table(&fixture->memory);
    CHECK(leat_table_init(&fixture->table, &memory, &fixture->domain));
}

static void
teardown(struct fixture *fixture)
{
    CHECK(leat_table_check(&fixture->table, stderr));
    leat_table_fini(&fixture->table);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static struct item *
make(struct fixture *fixture, const void *key, size_t bytes, uint64_t value)
{
    struct item *item = leat_table_make(&fixture->table, sizeof(*item), key, bytes);
    CHECK(item != NULL);
    item->value = value;
    return item;
}

static struct item *
find(struct fixture *fixture, const void *key, size_t bytes)
{
    return (struct item *)(void *)leat_table_find(&fixture->table, key, bytes);
}

static bool
add(struct fixture *fixture, struct item *item)
{
    return leat_table_add(&fixture->table, &item->node) == &item->node;
}

static void
drop(struct fixture *fixture, struct item *item)
{
    CHECK(leat_table_remove(&fixture->table, &item->node));
    CHECK(!leat_table_remove(&fixture->table, &item->node));
    leat_table_free(&fixture->table, &item->node);
}

static void
one_key(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture);
    struct item *first = make(&fixture, "key", 3, 1);
    struct item *second = make(&fixture, "key", 3, 2);
    leat_rcu_enter();
    CHECK(find(&fixture, "key", 3) == NULL);
    CHECK(add(&fixture, first));
    CHECK(find(&fixture, "key", 3) == first);
    CHECK(leat_table_add(&fixture.table, &second->node) == &first->node);
    CHECK(leat_table_replace(&fixture.table, &first->node, &second->node));
    leat_table_free(&fixture.table, &first->node);
    CHECK(find(&fixture, "key", 3) == second);
    CHECK_EQUAL(first->value, 1); /* until the section ends */
    struct item *third = make(&fixture, "key", 3, 3);
    CHECK(!leat_table_replace(&fixture.table, &first->node, &third->node));
    CHECK(find(&fixture, "key", 3) == second);
    drop(&fixture, second);
    CHECK(!leat_table_replace(&fixture.table, &second->node, &third->node));
    CHECK(find(&fixture, "key", 3) == NULL);
    leat_table_unmake(&fixture.table, &third->node);
    leat_rcu_leave(&fixture.domain);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 2);
    leat_table_tidy(&fixture.table);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 0);
    teardown(&fixture);
}

static void
keys_of_all_lengths(void **state)
{
    struct fixture fixture;
    unsigned char key[200] = {0};
    (void)state;
    setup(&fixture);
    leat_rcu_enter();
    for (uint32_t bytes = 0; bytes <= sizeof(key); bytes++) {
        CHECK(find(&fixture, key, bytes) == NULL);
        CHECK(add(&fixture, make(&fixture, key, bytes, bytes)));
    }
    for (uint32_t bytes = 0; bytes <= sizeof(key); bytes++) {
        CHECK_EQUAL(find(&fixture, key, bytes)->value, bytes);
        CHECK_EQUAL(find(&fixture, key, bytes)->node.key_bytes, bytes);
    }
    key[199] = 1;
    CHECK(find(&fixture, key, 200) == NULL);
    CHECK(find(&fixture, key, 199) != NULL);
    leat_rcu_leave(&fixture.domain);
    teardown(&fixture);
}

static void
grows_and_shrinks(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture);
    CHECK_EQUAL(atom_load_rlx(&fixture.table.buckets_log2), LEAT_TABLE_LOG2_MIN);
    CHECK(!leat_table_untidy(&fixture.table));
    for (uint32_t i = 0; i < MANY; i++) {
        leat_rcu_enter();
        CHECK(add(&fixture, make(&fixture, &i, sizeof(i), i)));
        leat_rcu_leave(&fixture.domain);
        CHECK(leat_table_untidy(&fixture.table) ==
              (i == 512 || i == 1024 || i == 2048 || i == 4096));
        if (leat_table_untidy(&fixture.table)) {
            leat_table_tidy(&fixture.table);
            CHECK(!leat_table_untidy(&fixture.table));
        }
    }
    CHECK_EQUAL(atom_load_rlx(&fixture.table.buckets_log2), LEAT_TABLE_LOG2_MIN + 4);
    CHECK(leat_table_check(&fixture.table, stderr));
    for (uint32_t i = 0; i < MANY; i++) {
        leat_rcu_enter();
        struct item *item = find(&fixture, &i, sizeof(i));
        CHECK_EQUAL(item->value, i);
        drop(&fixture, item);
        leat_rcu_leave(&fixture.domain);
        CHECK(leat_table_untidy(&fixture.table) ==
              (i % LEAT_TABLE_REMOVED == LEAT_TABLE_REMOVED - 1));
        if (leat_table_untidy(&fixture.table)) {
            leat_table_tidy(&fixture.table);
            CHECK_EQUAL(test_memory_blocks(&fixture.memory), MANY - 1 - i);
        }
    }
    leat_table_tidy(&fixture.table);
    CHECK_EQUAL(atom_load_rlx(&fixture.table.buckets_log2), LEAT_TABLE_LOG2_MIN);
    teardown(&fixture);
}

/* Those of its authors: the key and the input are 0, 1, 2 .. */
static void
hash_of_its_source(void **state)
{
    const uint64_t seed[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    unsigned char input[15];
    (void)state;
    for (uint32_t i = 0; i < sizeof(input); i++) {
        input[i] = (unsigned char)i;
    }
    CHECK_EQUAL(leat_table_hash(seed, input, 0), UINT64_C(0x726fdb47dd0e0e31));
    CHECK_EQUAL(leat_table_hash(seed, input, 1), UINT64_C(0x74f839c593dc67fd));
    CHECK_EQUAL(leat_table_hash(seed, input, 8), UINT64_C(0x93f5f5799a932462));
    CHECK_EQUAL(leat_table_hash(seed, input, 15), UINT64_C(0xa129ca6149be45e5));
}

static void
seeds_differ(void **state)
{
    struct fixture one;
    struct fixture other;
    (void)state;
    setup(&one);
    setup(&other);
    CHECK(memcmp(one.table.seed, other.table.seed, sizeof(one.table.seed)) != 0);
    teardown(&one);
    teardown(&other);
}

struct reader {
    struct fixture *fixture;
    struct test_gate inside;
    leat_atomic_u32 left;
};

static void
reader_or_tidier(void *shared, uint32_t number)
{
    struct reader *reader = shared;
    if (number == 0) {
        leat_rcu_enter();
        test_gate_open(&reader->inside);
        test_sleep_ns(50 * TEST_MS);
        atom_store_rlx(&reader->left, 1);
        leat_rcu_leave(&reader->fixture->domain);
    } else {
        test_gate_wait(&reader->inside);
        leat_table_tidy(&reader->fixture->table);
        CHECK_EQUAL(atom_load_rlx(&reader->left), 1);
    }
}

/* Who is in a section keeps what is removed meanwhile. */
static void
waits_for_readers(void **state)
{
    struct fixture fixture;
    struct reader reader = {.fixture = &fixture};
    (void)state;
    setup(&fixture);
    test_gate_init(&reader.inside);
    leat_rcu_enter();
    struct item *item = make(&fixture, "key", 3, 1);
    CHECK(add(&fixture, item));
    drop(&fixture, item);
    leat_rcu_leave(&fixture.domain);
    test_threads_run(2, reader_or_tidier, &reader);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 0);
    test_gate_fini(&reader.inside);
    teardown(&fixture);
}

static void
no_memory(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture);
    test_memory_fail(&fixture.memory, 0, true);
    CHECK(leat_table_make(&fixture.table, sizeof(struct item), "k", 1) == NULL);
    leat_table_unmake(&fixture.table, NULL);
    teardown(&fixture);
}

static void
check_says_no(void **state)
{
    struct fixture fixture;
    char text[256];
    (void)state;
    setup(&fixture);
    leat_rcu_enter();
    CHECK(add(&fixture, make(&fixture, "k", 1, 1)));
    leat_rcu_leave(&fixture.domain);
    atom_store_rlx(&fixture.table.count, 2);
    FILE *why = test_why();
    CHECK(!leat_table_check(&fixture.table, why));
    test_why_read(why, text, sizeof(text));
    CHECK(strstr(text, "I1, I2: 1 nodes") != NULL);
    CHECK(!leat_table_check(&fixture.table, NULL));
    atom_store_rlx(&fixture.table.count, 1);
    teardown(&fixture);
}

static void
none(void **state)
{
    struct leat_table table;
    (void)state;
    memset(&table, 0, sizeof(table));
    leat_table_fini(&table);
    CHECK(table.lfht == NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(one_key),
        cmocka_unit_test(keys_of_all_lengths),
        cmocka_unit_test(grows_and_shrinks),
        cmocka_unit_test(hash_of_its_source),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(check_says_no),
        cmocka_unit_test(waits_for_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
