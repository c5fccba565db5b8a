/* stress_slab.c - the slab under real threads: no record has two owners, none is lost, a take says
 * none only if none was free, generations grow by two per use, used-up records retire.
 *
 * Records are plain memory that nothing else orders: the owner writes its mark and the generation
 * into it and reads them back, and the next owner reads what the last one left. So ThreadSanitizer
 * sees a record with two owners, or a missing edge give:B -> take:A, as a race. Holds I1 to I3 at
 * every moment at which no thread is inside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/slab.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS    6
#define TRIMMED_NS (UINT64_C(20) * 1000 * TEST_MS) /* for a trim that lets go of some, at most */

/* Plain. Stays from one use to the next, as the slab leaves records alone. */
struct record {
    uint64_t generation; /* of the last use; 0: none yet */
    uint64_t owner;      /* number of the thread that has it + 1; 0: nobody */
    uint64_t uses;
    uint64_t unused;
};

struct fixture {
    struct leat_slab slab;
    uint32_t share;  /* records that a thread holds at most */
    bool never_none; /* no take may fail */
    bool trims;      /* the first thread does nothing else */
    bool until_none; /* stop at the first take that fails, instead of the deadline */
    uint64_t generation_start;
    uint64_t deadline_ns;
    uint64_t seed;
    uint64_t released;       /* written by who trims */
    uint64_t taken[THREADS]; /* in all; written at the thread's end */
};

struct hand {
    struct fixture *fixture;
    struct test_prng prng;
    uint32_t number;
    uint32_t count;
    uint64_t taken;
    uint32_t *items;
};

/* ---- one thread ------------------------------------------------------------------------------ */

static void
receive(struct hand *hand, uint32_t index)
{
    struct leat_slab *slab = &hand->fixture->slab;
    CHECK(index < slab->capacity);
    struct record *record = leat_slab_record(slab, index);
    uint64_t word = atom_load_rlx(leat_slab_word(slab, index));
    uint64_t before = record->generation;
    CHECK_EQUAL(record->owner, 0);
    /* In use, and nothing but the generation. */
    CHECK_EQUAL(word & LEAT_INDEX_NONE, 0);
    CHECK_EQUAL(leat_word_generation(word),
                before == 0 ? hand->fixture->generation_start + 1 : before + 2);
    record->owner = hand->number + 1;
    record->generation = leat_word_generation(word);
    record->uses++;
    /* The owner's bits, as a job's state would be. */
    atom_store_rlx(leat_slab_word(slab, index), word | (hand->number + 1));
}

static void
give(struct hand *hand, uint32_t place)
{
    struct leat_slab *slab = &hand->fixture->slab;
    uint32_t index = hand->items[place];
    struct record *record = leat_slab_record(slab, index);
    uint64_t word = atom_load_rlx(leat_slab_word(slab, index));
    CHECK_EQUAL(record->owner, hand->number + 1);
    CHECK_EQUAL(word, leat_word_of(record->generation, hand->number + 1));
    record->owner = 0;
    hand->count--;
    hand->items[place] = hand->items[hand->count];
    leat_slab_give(slab, test_random_below(&hand->prng, 100), index);
}

/* False: none was free. */
static bool
take(struct hand *hand)
{
    uint32_t index = UINT32_MAX;
    if (!leat_slab_take(&hand->fixture->slab, test_random_below(&hand->prng, 100), &index)) {
        CHECK_EQUAL(index, UINT32_MAX);
        CHECK(!hand->fixture->never_none);
        return false;
    }
    receive(hand, index);
    hand->items[hand->count] = index;
    hand->count++;
    hand->taken++;
    return true;
}

/* Fills the hand, or empties it, up to a random mark. */
static bool
sway(struct hand *hand)
{
    uint32_t mark = test_random_below(&hand->prng, hand->fixture->share + 1);
    while (hand->count < mark) {
        if (!take(hand)) {
            return false;
        }
    }
    while (hand->count > mark) {
        give(hand, test_random_below(&hand->prng, hand->count));
    }
    return true;
}

/* Nobody is at them: else there is a race. */
static void
release(void *context, uint32_t first, uint32_t count)
{
    struct fixture *fixture = context;
    for (uint32_t i = first; i < first + count; i++) {
        struct record *record = leat_slab_record(&fixture->slab, i);
        CHECK_EQUAL(record->owner, 0);
        record->unused++;
    }
    fixture->released += count;
}

static void
trim(struct fixture *fixture)
{
    struct leat_slab_trim trim;
    do {
        leat_slab_trim_begin(&fixture->slab, &trim);
        while (leat_slab_trim_step(&fixture->slab, &trim, 1000, release, fixture)) {
        }
    } while (test_now_ns() < fixture->deadline_ns);
}

static void
run(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    if (fixture->trims && number == 0) {
        trim(fixture);
        return;
    }
    struct hand hand = {.fixture = fixture, .number = number};
    hand.prng.state = fixture->seed + number;
    hand.items = calloc(fixture->share, sizeof(*hand.items));
    CHECK(hand.items != NULL);
    bool found = true;
    while (test_now_ns() < fixture->deadline_ns && (found || !fixture->until_none)) {
        found = sway(&hand);
        if (!found && hand.count > 0) {
            give(&hand, 0);
        }
    }
    while (hand.count > 0) {
        give(&hand, 0);
    }
    fixture->taken[number] = hand.taken;
    free(hand.items);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* NULL: one. */
static const struct leat_nodes *machine;

static struct fixture *
setup(uint32_t capacity, uint32_t shards, uint64_t generation_start)
{
    struct fixture *fixture = aligned_alloc(LEAT_LINE_BYTES, sizeof(*fixture));
    const struct leat_slab_config config = {.capacity = capacity,
                                            .shards = shards,
                                            .record_bytes = sizeof(struct record),
                                            .generation_start = generation_start,
                                            .nodes = machine};
    CHECK(fixture != NULL);
    memset(fixture, 0, sizeof(*fixture));
    CHECK(leat_slab_init(&fixture->slab, &config));
    fixture->generation_start = generation_start;
    fixture->seed = test_seed("stress_slab");
    return fixture;
}

/* The tests share the time. */
static uint64_t
deadline_of(uint32_t parts)
{
    return test_now_ns() + test_duration_ns() / parts;
}

/* Nobody holds a record: takes all that are free, each once, and counts them against the rest. */
static void
take_all(struct fixture *fixture)
{
    struct leat_slab *slab = &fixture->slab;
    struct hand hand = {.fixture = fixture, .number = THREADS};
    CHECK(leat_slab_check(slab, 0, stderr));
    fixture->never_none = false;
    hand.items = calloc((size_t)slab->capacity + 1, sizeof(*hand.items));
    CHECK(hand.items != NULL);
    while (take(&hand)) {
        CHECK(hand.count <= slab->capacity);
    }
    CHECK_EQUAL(hand.count + atom_load_rlx(&slab->retired), slab->capacity);
    for (uint32_t i = 0; i < slab->capacity; i++) {
        CHECK_EQUAL(leat_slab_next(slab, i), i); /* each was taken */
    }
    CHECK(leat_slab_check(slab, hand.count, stderr));
    while (hand.count > 0) {
        give(&hand, 0);
    }
    CHECK(leat_slab_check(slab, 0, stderr));
    free(hand.items);
}

static uint64_t
sum_taken(const struct fixture *fixture)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        sum += fixture->taken[i];
    }
    return sum;
}

static void
check_uses(struct fixture *fixture)
{
    uint64_t uses = 0;
    for (uint32_t i = 0; i < fixture->slab.capacity; i++) {
        const struct record *record = leat_slab_record(&fixture->slab, i);
        uses += record->uses;
    }
    CHECK_EQUAL(uses, sum_taken(fixture));
    CHECK_EQUAL(leat_slab_takes(&fixture->slab), uses);
}

static void
teardown(struct fixture *fixture)
{
    leat_slab_fini(&fixture->slab);
    free(fixture);
}

static void
mixed(uint32_t capacity, uint32_t shards, uint32_t share, bool never_none)
{
    struct fixture *fixture = setup(capacity, shards, 0);
    fixture->share = share;
    fixture->never_none = never_none;
    fixture->deadline_ns = deadline_of(6);
    test_threads_run(THREADS, run, fixture);
    check_uses(fixture);
    take_all(fixture);
    teardown(fixture);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* All threads together hold at most all records: each take finds one, at every moment. */
static void
a_free_record_is_found(void **state)
{
    (void)state;
    mixed(THREADS, 3, 1, true);
    mixed(THREADS * 50, 4, 50, true);
}

/* They want twice as many as there are. */
static void
exhaustion_is_exact(void **state)
{
    (void)state;
    mixed(5, 1, 2, false);
    mixed(500, 64, 170, false);
}

/* Beyond the rotation: fresh records and given ones side by side. */
static void
larger_than_the_rotation(void **state)
{
    (void)state;
    mixed(THREADS * 300, 2, 300, true);
}

/* Two nodes, made up: all records are found, also from the other node, and none is not. */
static void
nodes_share(void **state)
{
    (void)state;
    struct leat_nodes nodes = {.count = 2, .numbers = {0, 1}};
    for (uint32_t i = 0; i < LEAT_CPUS_MAX; i++) {
        nodes.of_cpu[i] = (uint8_t)(i % 2);
    }
    machine = &nodes;
    mixed(THREADS * 150, 4, 150, true);
    mixed(600, 64, 170, false);
    machine = NULL;
}

/* One thread trims, all the time: what it has not in hand is found by the others. Returns how many
 * records it let go of. */
static uint64_t
trimmed(uint32_t capacity, uint32_t share, bool never_none)
{
    struct fixture *fixture = setup(capacity, 3, 0);
    fixture->share = share;
    fixture->never_none = never_none;
    fixture->trims = true;
    fixture->deadline_ns = deadline_of(6);
    test_threads_run(THREADS, run, fixture);
    CHECK(leat_slab_check(&fixture->slab, 0, stderr));
    uint64_t released = fixture->released;
    check_uses(fixture);
    fixture->trims = false;
    take_all(fixture);
    teardown(fixture);
    return released;
}

static void
a_trim_takes_nothing(void **state)
{
    (void)state;
    const uint32_t in_hand = LEAT_SLAB_RUN << LEAT_SLAB_UNIT_LOG2;
    const uint64_t end_ns = test_now_ns() + TRIMMED_NS;
    while (trimmed((THREADS - 1) * 1000 + in_hand, 1000, true) == 0) { /* where it got no CPU */
        CHECK(test_now_ns() < end_ns);
    }
    (void)trimmed((THREADS - 1) * 64, 70, false); /* they may all be in use, always */
}

/* Every record serves exactly as often as it has generations. */
static void
records_retire(void **state)
{
    (void)state;
    const uint64_t uses = 20;
    uint64_t deadline_ns = deadline_of(6);
    do {
        struct fixture *fixture = setup(THREADS * 8, 3, LEAT_GENERATION_LAST + 1 - uses * 2);
        fixture->share = 8;
        fixture->until_none = true;
        fixture->deadline_ns = UINT64_MAX;
        test_threads_run(THREADS, run, fixture);
        /* Those who stopped early left some behind for nobody. */
        fixture->share = 1;
        while (atom_load_rlx(&fixture->slab.retired) < fixture->slab.capacity) {
            take_all(fixture);
        }
        for (uint32_t i = 0; i < fixture->slab.capacity; i++) {
            const struct record *record = leat_slab_record(&fixture->slab, i);
            CHECK_EQUAL(record->uses, uses);
            CHECK_EQUAL(record->generation, LEAT_GENERATION_LAST);
        }
        CHECK_EQUAL(leat_slab_takes(&fixture->slab), uses * fixture->slab.capacity);
        CHECK(leat_slab_check(&fixture->slab, 0, stderr));
        teardown(fixture);
    } while (test_now_ns() < deadline_ns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_record_is_found),   cmocka_unit_test(exhaustion_is_exact),
        cmocka_unit_test(larger_than_the_rotation), cmocka_unit_test(nodes_share),
        cmocka_unit_test(a_trim_takes_nothing),     cmocka_unit_test(records_retire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
