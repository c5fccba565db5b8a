/* unit_slab.c - the slab in one thread: exactly as many records as it has, each one once; words odd
 * while in use and even while free; free records used evenly; records retire after their last
 * generation, and their ids stay answerable. On a machine with several nodes of memory, which is
 * made up, all the same, and records stay on their node. Holds I1 to I3; shows that
 * leat_slab_check() can say no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/os.h"
#include "ring/slab.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define RECORD_BYTES 48
#define CAPACITY_MAX 4096
/* Records whose units fill a page with their bits. */
#define PAGE_OF_UNITS 32768

struct fixture {
    struct leat_slab slab;
    bool taken[CAPACITY_MAX];
    uint64_t generation[CAPACITY_MAX]; /* of the last use; 0: none yet */
    uint32_t in_use;
};

/* The nodes of the machine; NULL: as many as one. */
static const struct leat_nodes *machine;

static struct fixture *
setup(uint32_t capacity, uint32_t shards, uint64_t generation_start)
{
    struct fixture *fixture = aligned_alloc(LEAT_LINE_BYTES, sizeof(*fixture));
    const struct leat_slab_config config = {.capacity = capacity,
                                            .shards = shards,
                                            .record_bytes = RECORD_BYTES,
                                            .generation_start = generation_start,
                                            .nodes = machine};
    CHECK(fixture != NULL);
    memset(fixture, 0, sizeof(*fixture));
    CHECK(leat_slab_init(&fixture->slab, &config));
    CHECK(leat_slab_bytes(&config) >= (size_t)capacity * (RECORD_BYTES + sizeof(uint64_t)));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK(leat_slab_check(&fixture->slab, fixture->in_use, stderr));
    leat_slab_fini(&fixture->slab);
    free(fixture);
}

static uint64_t
word_of(struct fixture *fixture, uint32_t index)
{
    return atom_load_rlx(leat_slab_word(&fixture->slab, index));
}

/* Takes one record and checks its word; UINT32_MAX if there was none. */
static uint32_t
take(struct fixture *fixture, uint32_t shard)
{
    uint32_t index = UINT32_MAX;
    if (!leat_slab_take(&fixture->slab, shard, &index)) {
        CHECK_EQUAL(index, UINT32_MAX);
        return UINT32_MAX;
    }
    CHECK(index < fixture->slab.capacity);
    CHECK(!fixture->taken[index]);
    uint64_t word = word_of(fixture, index);
    uint64_t generation = leat_word_generation(word);
    CHECK_EQUAL(word, leat_word_of(generation, 0));
    CHECK_EQUAL(generation & 1, 1);
    uint64_t before = fixture->generation[index];
    CHECK_EQUAL(generation, before == 0 ? fixture->slab.generation_start + 1 : before + 2);
    fixture->generation[index] = generation;
    fixture->taken[index] = true;
    fixture->in_use++;
    return index;
}

static void
give(struct fixture *fixture, uint32_t shard, uint32_t index)
{
    CHECK(fixture->taken[index]);
    fixture->taken[index] = false;
    fixture->in_use--;
    leat_slab_give(&fixture->slab, shard, index);
}

/* ---- exact capacity ------------------------------------------------------------------------- */

static void
exhaust(uint32_t capacity, uint32_t shards)
{
    struct fixture *fixture = setup(capacity, shards, 0);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < capacity; i++) {
            CHECK(take(fixture, i) != UINT32_MAX);
        }
        for (uint32_t shard = 0; shard < shards; shard++) {
            CHECK_EQUAL(take(fixture, shard), UINT32_MAX);
        }
        CHECK(leat_slab_check(&fixture->slab, capacity, stderr));
        /* One back, one there again: from whichever shard it went to. */
        give(fixture, round, capacity / 2);
        CHECK_EQUAL(take(fixture, round + 1), capacity / 2);
        CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
        for (uint32_t i = 0; i < capacity; i++) {
            give(fixture, i / 3, i);
        }
        CHECK(leat_slab_check(&fixture->slab, 0, stderr));
    }
    teardown(fixture);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {1, 2, 3, 1023, 1024, 1025, CAPACITY_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(capacities); i++) {
        exhaust(capacities[i], 1);
        exhaust(capacities[i], 3);
        exhaust(capacities[i], LEAT_SLAB_SHARDS_MAX);
    }
}

/* Takes and gives at random; held[0 .. in_use) are the records out. Returns the takes. */
static uint64_t
operate(struct fixture *fixture, struct test_prng *prng, uint32_t *held)
{
    uint64_t takes = 0;
    for (uint32_t i = 0; i < 30000; i++) {
        uint32_t shard = test_random_below(prng, 100);
        uint32_t in_use = fixture->in_use;
        /* Phases that fill and phases that drain. */
        bool grow = test_random_below(prng, 10) < (i / 5000 % 2 == 0 ? 7 : 3);
        if (grow) {
            held[in_use] = take(fixture, shard);
            CHECK((held[in_use] == UINT32_MAX) == (in_use == fixture->slab.capacity));
            takes += fixture->in_use - in_use;
        } else if (in_use > 0) {
            uint32_t which = test_random_below(prng, in_use);
            uint32_t index = held[which];
            held[which] = held[in_use - 1];
            give(fixture, shard, index);
            CHECK_EQUAL(word_of(fixture, index) >> LEAT_INDEX_BITS & 1, 0);
        }
    }
    return takes;
}

static void
random_operations(void **state)
{
    (void)state;
    static uint32_t held[CAPACITY_MAX + 1];
    struct test_prng prng = {test_seed("unit_slab")};
    for (uint32_t round = 0; round < 12; round++) {
        uint32_t capacity = 1 + test_random_below(&prng, round % 2 == 0 ? 8 : CAPACITY_MAX);
        struct fixture *fixture = setup(capacity, 1 + test_random_below(&prng, 4), 0);
        uint64_t takes = operate(fixture, &prng, held);
        CHECK_EQUAL(leat_slab_takes(&fixture->slab), takes);
        teardown(fixture);
    }
}

/* 32 shards fill their pages to the last byte: behind them stand the words of records. */
static void
takes_are_those_of_the_shards(void **state)
{
    (void)state;
    struct fixture *fixture = setup(CAPACITY_MAX, 32, 0);
    CHECK_EQUAL(sizeof(struct leat_slab_shard) * 32 % LEAT_PAGE_BYTES, 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(take(fixture, i) != UINT32_MAX);
        CHECK_EQUAL(leat_slab_takes(&fixture->slab), i + 1);
    }
    teardown(fixture);
}

static void
records_do_not_overlap(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1025, 2, 0);
    for (uint32_t i = 0; i < 1025; i++) {
        uint32_t index = take(fixture, 0);
        unsigned char *record = leat_slab_record(&fixture->slab, index);
        CHECK_EQUAL((uintptr_t)record % 16, 0);
        for (size_t j = 0; j < RECORD_BYTES; j++) {
            CHECK_EQUAL(record[j], 0);
        }
        memset(record, (int)(index & 0xff), RECORD_BYTES);
    }
    for (uint32_t i = 0; i < 1025; i++) {
        const unsigned char *record = leat_slab_record(&fixture->slab, i);
        for (size_t j = 0; j < RECORD_BYTES; j++) {
            CHECK_EQUAL(record[j], i & 0xff);
        }
    }
    teardown(fixture);
}

/* ---- rotation ------------------------------------------------------------------------------- */

/* One record at a time out of many: at least LEAT_SLAB_ROTATION of them share the uses evenly. */
static void
uses_rotate(void **state)
{
    (void)state;
    const uint32_t rounds = 8;
    struct fixture *fixture = setup(CAPACITY_MAX, 1, 0);
    for (uint32_t i = 0; i < LEAT_SLAB_ROTATION * rounds; i++) {
        give(fixture, 0, take(fixture, 0));
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < CAPACITY_MAX; i++) {
        if (fixture->generation[i] != 0) {
            used++;
            CHECK_EQUAL(fixture->generation[i], 2 * rounds - 1);
        }
    }
    CHECK_EQUAL(used, LEAT_SLAB_ROTATION);
    teardown(fixture);
}

static void
small_slabs_rotate_over_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup(7, 1, 0);
    for (uint32_t i = 0; i < 7 * 5; i++) {
        give(fixture, 0, take(fixture, 0));
    }
    for (uint32_t i = 0; i < 7; i++) {
        CHECK_EQUAL(fixture->generation[i], 9);
    }
    teardown(fixture);
}

/* ---- the last generation -------------------------------------------------------------------- */

static void
records_retire(void **state)
{
    (void)state;
    /* Two uses each: LAST - 2 and LAST. */
    struct fixture *fixture = setup(5, 2, LEAT_GENERATION_LAST - 3);
    for (uint32_t uses = 0; uses < 10; uses++) {
        uint32_t index = take(fixture, uses);
        CHECK(index != UINT32_MAX);
        leat_atomic_u64 *word = leat_slab_word(&fixture->slab, index);
        atom_store_rlx(word, atom_load_rlx(word) | 9);
        give(fixture, uses, index);
        CHECK(leat_slab_check(&fixture->slab, 0, stderr));
    }
    CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
    CHECK_EQUAL(take(fixture, 1), UINT32_MAX);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_EQUAL(word_of(fixture, i), leat_word_of(LEAT_GENERATION_LAST, 9));
    }
    CHECK_EQUAL(leat_slab_takes(&fixture->slab), 10);
    teardown(fixture);
}

/* Some retire while others are in use: the capacity shrinks by exactly those. */
static void
capacity_shrinks(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 1, LEAT_GENERATION_LAST - 1);
    uint32_t first = take(fixture, 0);
    uint32_t second = take(fixture, 0);
    give(fixture, 0, first);
    uint32_t third = take(fixture, 0);
    CHECK(third != first);
    uint32_t fourth = take(fixture, 0);
    CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
    give(fixture, 0, second);
    CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
    CHECK(leat_slab_check(&fixture->slab, 2, stderr));
    give(fixture, 0, third);
    give(fixture, 0, fourth);
    teardown(fixture);
}

/* Records that nobody knows by id begin again instead. */
static void
records_without_ids_do_not_retire(void **state)
{
    (void)state;
    const struct leat_slab_config config = {.capacity = 3,
                                            .shards = 2,
                                            .record_bytes = RECORD_BYTES,
                                            .generation_start = LEAT_GENERATION_LAST - 3,
                                            .without_ids = true};
    struct leat_slab slab;
    memset(&slab, 0, sizeof(slab));
    CHECK(leat_slab_init(&slab, &config));
    for (uint32_t uses = 0; uses < 100; uses++) {
        uint32_t indexes[3] = {0};
        for (uint32_t i = 0; i < 3; i++) {
            CHECK(leat_slab_take(&slab, uses, &indexes[i]));
            uint64_t word = atom_load_rlx(leat_slab_word(&slab, indexes[i]));
            CHECK_EQUAL(leat_word_generation(word) & 1, 1);
        }
        CHECK(indexes[0] != indexes[1] && indexes[0] != indexes[2] && indexes[1] != indexes[2]);
        CHECK(!leat_slab_take(&slab, uses, &indexes[0]));
        for (uint32_t i = 0; i < 3; i++) {
            leat_slab_give(&slab, uses + i, indexes[i]);
        }
        CHECK(leat_slab_check(&slab, 0, stderr));
    }
    leat_slab_fini(&slab);
}

/* The link of a free record is in its first 8 bytes, and nowhere else. */
static void
links_stand_inside(void **state)
{
    (void)state;
    const struct leat_slab_config config = {.capacity = CAPACITY_MAX,
                                            .shards = 1,
                                            .record_bytes = 16,
                                            .without_ids = true,
                                            .link_inside = true};
    struct leat_slab slab;
    memset(&slab, 0, sizeof(slab));
    CHECK(leat_slab_init(&slab, &config));
    CHECK(leat_slab_bytes(&config) < CAPACITY_MAX * 16 + 2 * LEAT_PAGE_BYTES);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t index = 0;
        for (uint32_t i = 0; i < CAPACITY_MAX; i++) {
            CHECK(leat_slab_take(&slab, 0, &index));
            unsigned char *record = leat_slab_record(&slab, index);
            CHECK(round == 0 || record[8] == 0xa5); /* as its last user left it */
            memset(record, 0xa5, 16);
        }
        CHECK(!leat_slab_take(&slab, 0, &index));
        CHECK(leat_slab_check(&slab, CAPACITY_MAX, stderr));
        for (uint32_t i = 0; i < CAPACITY_MAX; i++) {
            leat_slab_give(&slab, 0, i);
        }
        CHECK(leat_slab_check(&slab, 0, stderr));
        CHECK(!leat_slab_check(&slab, 1, NULL));
    }
    leat_slab_fini(&slab);
}

/* ---- several nodes, several records --------------------------------------------------------- */

/* CPU i is on node i % 3. This machine need not have them: then binding changes nothing. */
static struct leat_nodes
three_nodes(void)
{
    struct leat_nodes nodes = {.count = 3, .numbers = {0, 1, 7}};
    for (uint32_t i = 0; i < LEAT_CPUS_MAX; i++) {
        nodes.of_cpu[i] = (uint8_t)(i % 3);
    }
    return nodes;
}

/* All records go out and come back, a few at a time, whatever the sizes. */
static void
several_at_once(const struct leat_slab_config *config, uint32_t most)
{
    static bool out[CAPACITY_MAX];
    static uint32_t indices[2 * CAPACITY_MAX];
    struct leat_slab slab;
    memset(&slab, 0, sizeof(slab));
    CHECK(leat_slab_init(&slab, config));
    for (uint32_t round = 0; round < 4; round++) {
        memset(out, 0, sizeof(out));
        uint32_t count = 0;
        uint32_t none = 0;
        while (count + most <= config->capacity) {
            CHECK_EQUAL(leat_slab_take_n(&slab, round, indices + count, most), most);
            count += most;
        }
        uint32_t left = config->capacity - count;
        /* More than there are: all that are left, then none. */
        CHECK_EQUAL(leat_slab_take_n(&slab, round, indices + count, most), left);
        CHECK_EQUAL(leat_slab_take_n(&slab, round, &none, 1), 0);
        CHECK(leat_slab_check(&slab, config->capacity, stderr));
        CHECK_EQUAL(leat_slab_takes(&slab), (uint64_t)(round + 1) * config->capacity);
        for (uint32_t i = 0; i < config->capacity; i++) {
            CHECK(indices[i] < config->capacity);
            CHECK(!out[indices[i]]);
            out[indices[i]] = true;
            memset(leat_slab_record(&slab, indices[i]), 0xff, config->record_bytes);
        }
        for (uint32_t i = 0; i < config->capacity; i += most) {
            uint32_t some = config->capacity - i < most ? config->capacity - i : most;
            leat_slab_give_n(&slab, round / 2, indices + i, some);
        }
        CHECK(leat_slab_check(&slab, 0, stderr));
    }
    /* They went back to where they belong: CPU 1 is given those of node 1. */
    while (config->nodes != NULL && leat_slab_takes(&slab) % config->capacity < slab.node_records) {
        CHECK(leat_slab_take_n(&slab, 1, indices, 1) == 1);
        CHECK_EQUAL(indices[0] / slab.node_records, 1);
    }
    leat_slab_fini(&slab);
}

static void
several_are_exact(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 31, 32, 33, 1000};
    struct leat_nodes nodes = three_nodes();
    for (size_t i = 0; i < TEST_COUNT_OF(sizes); i++) {
        struct leat_slab_config config = {
            .capacity = CAPACITY_MAX, .shards = 3, .record_bytes = 16};
        several_at_once(&config, sizes[i]);
        config.nodes = &nodes;
        several_at_once(&config, sizes[i]);
        config.without_ids = true;
        config.link_inside = true;
        several_at_once(&config, sizes[i]);
        config.nodes = NULL;
        several_at_once(&config, sizes[i]);
        config.capacity = 32;
        config.shards = 1;
        several_at_once(&config, sizes[i]);
    }
}

/* ---- the check ------------------------------------------------------------------------------ */

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 1, 0);
    char text[200];
    uint32_t a = take(fixture, 0);
    uint32_t b = take(fixture, 0);
    give(fixture, 0, a);
    CHECK(leat_slab_check(&fixture->slab, 1, NULL));

    FILE *why = test_why();
    CHECK(!leat_slab_check(&fixture->slab, 0, why));
    CHECK(!leat_slab_check(&fixture->slab, 2, NULL));
    test_why_read(why, text, sizeof(text));
    CHECK(strstr(text, "I2") != NULL);

    /* I3: a record on the list whose word says that it is in use. */
    leat_atomic_u64 *word = leat_slab_word(&fixture->slab, a);
    uint64_t before = atom_load_rlx(word);
    atom_store_rlx(word, before + (UINT64_C(1) << LEAT_INDEX_BITS));
    CHECK(!leat_slab_check(&fixture->slab, 1, NULL));
    /* I1: a list that leads to itself. */
    atom_store_rlx(word, leat_word_of(leat_word_generation(before), a));
    CHECK(!leat_slab_check(&fixture->slab, 1, NULL));
    atom_store_rlx(word, before);
    give(fixture, 0, b);
    teardown(fixture);
}

/* ---- several nodes of memory ----------------------------------------------------------------- */

static void
nodes_are_exact(void **state)
{
    (void)state;
    struct leat_nodes nodes = three_nodes();
    machine = &nodes;
    capacity_is_exact(state);
    random_operations(state);
    machine = NULL;
}

/* Of 1 536 records each node has 512, in order. */
static void
nodes_keep_their_records(void **state)
{
    (void)state;
    struct leat_nodes nodes = three_nodes();
    machine = &nodes;
    struct fixture *fixture = setup(1536, 6, 0);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 512; i++) {
            CHECK_EQUAL(take(fixture, 4) / 512, 1);
        }
        /* Where the near ones are all out, it takes those of the next node. */
        uint32_t far = take(fixture, 4);
        CHECK_EQUAL(far / 512, 2);
        give(fixture, 1, far);
        CHECK_EQUAL(leat_slab_next(&fixture->slab, 0), 512);
        CHECK_EQUAL(leat_slab_next(&fixture->slab, 1024), 1024);
        CHECK_EQUAL(leat_slab_next(&fixture->slab, 1024 + 1), 1536);
        /* Whoever gives them. */
        for (uint32_t i = 0; i < 512; i++) {
            give(fixture, i, 512 + i);
        }
        uint32_t near = take(fixture, LEAT_CPUS_MAX * 3 + 4);
        CHECK_EQUAL(near / 512, 1);
        give(fixture, 3, near);
    }
    teardown(fixture);
    machine = NULL;
}

/* ---- trimming -------------------------------------------------------------------------------- */

/* What was released; `slab` to see that it is free. */
struct released {
    struct fixture *fixture;
    bool records[CAPACITY_MAX];
    uint32_t count;
    uint32_t calls;
};

static void
release(void *context, uint32_t first, uint32_t count)
{
    struct released *released = context;
    const uint32_t unit = UINT32_C(1) << LEAT_SLAB_UNIT_LOG2;
    CHECK_EQUAL(first % unit, 0);
    CHECK_EQUAL(count % unit, 0);
    CHECK(count >= unit && count <= unit * LEAT_SLAB_RUN);
    CHECK(first + count <= released->fixture->slab.capacity);
    for (uint32_t i = first; i < first + count; i++) {
        CHECK(!released->fixture->taken[i]);
        CHECK(!released->records[i]);
        released->records[i] = true;
        memset(leat_slab_record(&released->fixture->slab, i), 0, RECORD_BYTES);
    }
    released->count += count;
    released->calls++;
}

static void
trim_all(struct released *released, uint32_t budget)
{
    struct leat_slab *slab = &released->fixture->slab;
    struct leat_slab_trim trim;
    leat_slab_trim_begin(slab, &trim);
    while (leat_slab_trim_step(slab, &trim, budget, release, released)) {
        CHECK(atom_load_rlx(&slab->trimming) == 1);
    }
    CHECK(atom_load_rlx(&slab->trimming) == 0);
    CHECK(leat_slab_check(slab, released->fixture->in_use, stderr));
}

/* Takes so many, and gives back all but each n-th. */
static struct fixture *
setup_used(uint32_t capacity, uint32_t count, uint32_t every)
{
    struct fixture *fixture = setup(capacity, 3, 0);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(take(fixture, i) != UINT32_MAX);
    }
    for (uint32_t i = 0; i < capacity; i++) {
        if (fixture->taken[i] && (every == 0 || i % every != 0)) {
            give(fixture, i, i);
        }
    }
    return fixture;
}

static void
trims_whole_units(void **state)
{
    (void)state;
    static const uint32_t budgets[] = {1, 64, 1000, UINT32_MAX};
    struct leat_nodes nodes = three_nodes();
    for (uint32_t several = 0; several < 2; several++) {
        machine = several == 0 ? NULL : &nodes;
        for (size_t i = 0; i < TEST_COUNT_OF(budgets); i++) {
            static struct released released;
            /* One unit more is not whole. */
            struct fixture *fixture = setup_used(CAPACITY_MAX - 1, CAPACITY_MAX - 1, 0);
            memset(&released, 0, sizeof(released));
            released.fixture = fixture;
            /* Some of a unit were used more often than others. */
            for (uint32_t j = 0; j < 100; j++) {
                give(fixture, j, take(fixture, 0));
            }
            uint64_t takes = leat_slab_takes(&fixture->slab);
            trim_all(&released, budgets[i]);
            CHECK_EQUAL(released.count, CAPACITY_MAX - 64);
            CHECK_EQUAL(released.calls, 2); /* of a run, and of the rest */
            CHECK(!released.records[CAPACITY_MAX - 64]);
            CHECK_EQUAL(leat_slab_takes(&fixture->slab), takes);
            /* All can be taken again, each with its next generation. */
            for (uint32_t j = 0; j < CAPACITY_MAX - 1; j++) {
                CHECK(take(fixture, j) != UINT32_MAX);
            }
            CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
            CHECK_EQUAL(leat_slab_takes(&fixture->slab), takes + CAPACITY_MAX - 1);
            teardown(fixture);
        }
    }
    machine = NULL;
}

static void
trims_nothing_in_use(void **state)
{
    (void)state;
    static struct released released;
    /* Each 128th stays: every other unit has one. */
    struct fixture *fixture = setup_used(CAPACITY_MAX, CAPACITY_MAX, 128);
    memset(&released, 0, sizeof(released));
    released.fixture = fixture;
    trim_all(&released, 1);
    CHECK_EQUAL(released.count, CAPACITY_MAX / 2);
    CHECK(!released.records[0]);
    CHECK(released.records[64]);
    teardown(fixture);
    /* The last run is shorter than others. */
    fixture = setup_used(40 * 64, 40 * 64, 0);
    memset(&released, 0, sizeof(released));
    released.fixture = fixture;
    trim_all(&released, 1);
    CHECK_EQUAL(released.count, 40 * 64);
    teardown(fixture);
    /* Those never used are not touched, nor an empty slab. */
    fixture = setup_used(CAPACITY_MAX, 64, 0);
    memset(&released, 0, sizeof(released));
    released.fixture = fixture;
    trim_all(&released, 1);
    CHECK_EQUAL(released.count, 64);
    CHECK_EQUAL(leat_slab_taken(&fixture->slab), 64);
    teardown(fixture);
    fixture = setup_used(CAPACITY_MAX, 0, 0);
    memset(&released, 0, sizeof(released));
    released.fixture = fixture;
    trim_all(&released, 1);
    CHECK_EQUAL(released.count, 0);
    teardown(fixture);
}

/* The bits of so many records fill a page: behind them stand the words. */
static void
last_unit_is_the_last(void **state)
{
    (void)state;
    static uint32_t indices[PAGE_OF_UNITS];
    const uint32_t capacity = TEST_COUNT_OF(indices);
    const struct leat_slab_config config = {.capacity = capacity, .shards = 1, .record_bytes = 16};
    struct leat_slab slab;
    struct leat_slab_trim trim;
    memset(&slab, 0, sizeof(slab));
    CHECK(leat_slab_init(&slab, &config));
    CHECK_EQUAL(leat_slab_take_n(&slab, 0, indices, capacity), capacity);
    leat_slab_trim_begin(&slab, &trim);
    uint32_t none = 0;
    CHECK(!leat_slab_take(&slab, 0, &none));
    while (leat_slab_trim_step(&slab, &trim, capacity, release, NULL)) {
    }
    CHECK(leat_slab_check(&slab, capacity, stderr));
    CHECK_EQUAL(leat_word_generation(atom_load_rlx(leat_slab_word(&slab, 0))), 1);
    leat_slab_fini(&slab);
}

/* What is aside is free: at each step of a trim all records can be taken, and no more. */
static void
aside_is_free(void **state)
{
    (void)state;
    static struct released released;
    struct fixture *fixture = setup_used(1000, 1000, 0);
    struct leat_slab *slab = &fixture->slab;
    struct leat_slab_trim trim;
    bool more = true;
    uint32_t steps = 0;
    leat_slab_trim_begin(slab, &trim);
    while (more) {
        memset(&released, 0, sizeof(released));
        released.fixture = fixture;
        more = leat_slab_trim_step(slab, &trim, 64, release, &released);
        uint64_t takes = leat_slab_takes(slab);
        for (uint32_t i = 0; i < 1000; i++) {
            CHECK(take(fixture, i) != UINT32_MAX);
        }
        CHECK_EQUAL(take(fixture, 0), UINT32_MAX);
        CHECK_EQUAL(leat_slab_takes(slab), takes + 1000);
        for (uint32_t i = 0; i < 1000; i++) {
            give(fixture, i, i);
        }
        steps++;
    }
    CHECK(steps > 1000 / 64);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(random_operations),
        cmocka_unit_test(takes_are_those_of_the_shards),
        cmocka_unit_test(records_do_not_overlap),
        cmocka_unit_test(uses_rotate),
        cmocka_unit_test(small_slabs_rotate_over_all),
        cmocka_unit_test(records_retire),
        cmocka_unit_test(capacity_shrinks),
        cmocka_unit_test(records_without_ids_do_not_retire),
        cmocka_unit_test(nodes_are_exact),
        cmocka_unit_test(nodes_keep_their_records),
        cmocka_unit_test(links_stand_inside),
        cmocka_unit_test(several_are_exact),
        cmocka_unit_test(trims_whole_units),
        cmocka_unit_test(trims_nothing_in_use),
        cmocka_unit_test(last_unit_is_the_last),
        cmocka_unit_test(aside_is_free),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
