/* stress_mpmc.c - the bounded ring under real threads: nothing is lost, nothing comes twice, each
 * consumer sees each producer's items in order, the items of a batch stand next to each other.
 *
 * Items are indices of plain records that nothing else orders: the producer fills a record and
 * pushes its index, the consumer reads it, empties it and hands it back. So ThreadSanitizer sees a
 * missing edge push:C -> pop:A as a race. Two more flows do without the way back: in one the slot
 * itself says that a record is free again (pop:C -> push:A, push_n:A), in the other the count says
 * what a consumer did before its pop (pop:B -> count:A). Holds I1 and I2 at the end of each flow;
 * positions start anywhere, the wrap of the turn included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/mpmc.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SIDE_MAX  64 /* producers, and consumers */
#define BATCH_MAX 16

/* Plain: only the rings' edges keep its users apart. */
struct record {
    uint64_t sequence; /* of its producer, from 1 */
    uint64_t mixed;    /* of producer and sequence */
    uint32_t producer;
    uint32_t following; /* items of the same batch behind this one */
    bool full;
};

/* What one thread did; read after the threads ended. */
struct tally {
    LEAT_ALIGNED_LINE uint64_t count[SIDE_MAX]; /* by producer */
    uint64_t sum[SIDE_MAX];
    uint64_t last[SIDE_MAX]; /* sequence */
};

struct shape {
    uint32_t producers;
    uint32_t consumers;
    uint32_t slots_log2;
    uint32_t batch_max; /* 1: single items only */
};

struct flow {
    struct leat_mpmc work;
    struct leat_mpmc spare; /* indices of empty records */
    struct record *records;
    struct tally *tallies; /* producers first */
    struct shape shape;
    uint64_t deadline_ns;
    uint64_t seed;
    leat_atomic_u32 producing; /* producers at work */
};

static uint64_t
mix(uint32_t producer, uint64_t sequence)
{
    struct test_prng prng = {sequence << 8 | producer};
    return test_random(&prng);
}

static void
ring_setup(struct leat_mpmc *ring, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = leat_mpmc_bytes(slots_log2);
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_round_up(bytes, LEAT_LINE_BYTES));
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    const struct leat_ring_config config = {
        .slots_log2 = slots_log2, .memory = memory, .start = start};
    leat_mpmc_init(ring, &config);
}

static void
ring_teardown(struct leat_mpmc *ring)
{
    CHECK(leat_mpmc_check(ring, stderr));
    free(ring->ring.slots.words);
}

/* A first position: 0, shortly before the turn or the position wraps, or anywhere. */
static uint64_t
any_start(struct test_prng *prng, uint32_t slots_log2)
{
    switch (test_random_below(prng, 4)) {
    case 0:
        return 0;
    case 1:
        return (UINT64_C(1) << (LEAT_TURN_BITS - 1 + slots_log2)) - test_random_below(prng, 5000);
    case 2:
        return 0 - (uint64_t)test_random_below(prng, 5000);
    default:
        return test_random(prng);
    }
}

/* ---- many to many ---------------------------------------------------------------------------- */

/* Empty records for a batch; 0 if there is none at this moment. */
static uint32_t
take_spare(struct flow *flow, uint32_t *items, uint32_t wanted)
{
    uint32_t count = 0;
    while (count < wanted && leat_mpmc_pop(&flow->spare, &items[count])) {
        count++;
    }
    return count;
}

static void
fill(struct flow *flow, uint32_t producer, const uint32_t *items, uint32_t count)
{
    struct tally *tally = &flow->tallies[producer];
    for (uint32_t i = 0; i < count; i++) {
        struct record *record = &flow->records[items[i]];
        CHECK(!record->full);
        tally->last[producer]++;
        record->sequence = tally->last[producer];
        record->mixed = mix(producer, record->sequence);
        record->producer = producer;
        record->following = count - 1 - i;
        record->full = true;
        tally->count[producer]++;
        tally->sum[producer] += record->mixed;
    }
}

static void
produce(struct flow *flow, uint32_t number)
{
    struct test_prng prng = {flow->seed + number};
    uint32_t items[BATCH_MAX];
    /* At least a few laps, however late this thread begins. */
    uint64_t least = UINT64_C(4) << flow->shape.slots_log2;
    while (flow->tallies[number].count[number] < least || test_now_ns() < flow->deadline_ns) {
        uint32_t wanted = 1 + test_random_below(&prng, flow->shape.batch_max);
        uint32_t count = take_spare(flow, items, wanted);
        if (count == 0) {
            leat_os_yield();
            continue;
        }
        fill(flow, number, items, count);
        while (count == 1 && test_random_below(&prng, 2) == 0
                   ? !leat_mpmc_push(&flow->work, items[0])
                   : !leat_mpmc_push_n(&flow->work, items, count)) {
            leat_os_yield();
        }
    }
    (void)atom_sub_acq_rel(&flow->producing, 1);
}

/* `following` is what the record before had; only one consumer sees all of a batch. */
static void
consume_one(struct flow *flow, struct tally *tally, uint32_t item, uint32_t *following)
{
    struct record *record = &flow->records[item];
    uint32_t producer = record->producer;
    CHECK(record->full);
    CHECK(producer < flow->shape.producers);
    CHECK(record->sequence > tally->last[producer]);
    CHECK_EQUAL(record->mixed, mix(producer, record->sequence));
    if (flow->shape.consumers == 1) {
        CHECK_EQUAL(record->sequence, tally->last[producer] + 1);
        CHECK(*following == 0 || record->following == *following - 1);
        *following = record->following;
    }
    tally->last[producer] = record->sequence;
    tally->count[producer]++;
    tally->sum[producer] += record->mixed;
    record->full = false;
    while (!leat_mpmc_push(&flow->spare, item)) {
        leat_os_yield();
    }
}

static void
consume(struct flow *flow, uint32_t number)
{
    struct tally *tally = &flow->tallies[number];
    uint32_t following = 0;
    uint32_t item = 0;
    for (;;) {
        /* Read first: no producer at work, then an empty ring stays empty. */
        bool last = atom_load_acq(&flow->producing) == 0;
        if (leat_mpmc_pop(&flow->work, &item)) {
            consume_one(flow, tally, item, &following);
        } else if (last) {
            return;
        } else {
            leat_os_yield();
        }
    }
}

static void
side(void *shared, uint32_t number)
{
    struct flow *flow = shared;
    if (number < flow->shape.producers) {
        produce(flow, number);
    } else {
        consume(flow, number);
    }
}

static void
compare(const struct flow *flow)
{
    for (uint32_t producer = 0; producer < flow->shape.producers; producer++) {
        uint64_t count = 0;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < flow->shape.consumers; i++) {
            count += flow->tallies[flow->shape.producers + i].count[producer];
            sum += flow->tallies[flow->shape.producers + i].sum[producer];
        }
        CHECK_EQUAL(count, flow->tallies[producer].count[producer]);
        CHECK_EQUAL(sum, flow->tallies[producer].sum[producer]);
    }
}

/* All flows share the time. */
#define PARTS 10

static void
flow_run(struct test_prng *prng, struct shape shape)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    uint32_t threads = shape.producers + shape.consumers;
    /* Twice the records: the work ring is often full. */
    uint32_t records = UINT32_C(2) << shape.slots_log2;
    CHECK(flow != NULL);
    CHECK(shape.batch_max <= BATCH_MAX);
    CHECK(shape.batch_max <= records / 2);
    flow->shape = shape;
    flow->seed = test_random(prng);
    ring_setup(&flow->work, shape.slots_log2, any_start(prng, shape.slots_log2));
    ring_setup(&flow->spare, shape.slots_log2 + 1, any_start(prng, shape.slots_log2 + 1));
    flow->records = calloc(records, sizeof(*flow->records));
    flow->tallies = aligned_alloc(LEAT_LINE_BYTES, threads * sizeof(*flow->tallies));
    CHECK(flow->records != NULL);
    CHECK(flow->tallies != NULL);
    memset(flow->tallies, 0, threads * sizeof(*flow->tallies));
    for (uint32_t i = 0; i < records; i++) {
        CHECK(leat_mpmc_push(&flow->spare, i));
    }
    atom_init(&flow->producing, shape.producers);
    flow->deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(threads, side, flow);
    compare(flow);
    CHECK_EQUAL(leat_mpmc_count(&flow->work), 0);
    CHECK_EQUAL(leat_mpmc_count(&flow->spare), records);
    ring_teardown(&flow->work);
    ring_teardown(&flow->spare);
    free(flow->records);
    free(flow->tallies);
    free(flow);
}

/* Half of 4 threads per CPU. */
static uint32_t
oversubscribed(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t half = cpus < 2 ? 4 : (uint32_t)cpus * 2;
    return half > SIDE_MAX ? SIDE_MAX : half;
}

static void
one_to_one(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    flow_run(&prng, (struct shape){1, 1, 1, 1});
    flow_run(&prng, (struct shape){1, 1, 6, 1});
}

static void
one_to_one_in_batches(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    flow_run(&prng, (struct shape){1, 1, 4, 16});
}

static void
batches_stand_together(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    flow_run(&prng, (struct shape){3, 1, 4, 8});
}

static void
oversubscribed_singles(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    uint32_t half = oversubscribed();
    flow_run(&prng, (struct shape){half, half, 1, 1});
    flow_run(&prng, (struct shape){half, half, 5, 1});
}

static void
oversubscribed_batches(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    uint32_t half = oversubscribed();
    flow_run(&prng, (struct shape){half, half, 3, 8});
}

/* ---- the slot says that the record is free ---------------------------------------------------
 *
 * One producer, one consumer, no way back. Once the producer has pushed item k - 1 into a ring of
 * n slots, item k - 1 - n has been popped, and the consumer was through with all items before it.
 * So slots + 1 + batch records in turn are enough, if the slot carries that. */

struct turns {
    struct leat_mpmc ring;
    uint64_t *cells; /* plain: sequence of the item that stands in it, 0: empty */
    uint32_t cells_count;
    uint32_t batch;
    uint64_t deadline_ns;
    leat_atomic_u64 end; /* items pushed in all; UINT64_MAX: not known yet */
};

static void
turns_produce(struct turns *turns)
{
    uint32_t items[BATCH_MAX] = {0};
    uint64_t next = 0;
    while (test_now_ns() < turns->deadline_ns) {
        for (uint32_t i = 0; i < turns->batch; i++) {
            items[i] = (uint32_t)((next + i) % turns->cells_count);
            CHECK_EQUAL(turns->cells[items[i]], 0);
            turns->cells[items[i]] = next + i + 1;
        }
        while (turns->batch == 1 ? !leat_mpmc_push(&turns->ring, items[0])
                                 : !leat_mpmc_push_n(&turns->ring, items, turns->batch)) {
            leat_os_yield();
        }
        next += turns->batch;
    }
    atom_store_rlx(&turns->end, next);
}

static void
turns_consume(struct turns *turns)
{
    uint64_t next = 0;
    while (next != atom_load_rlx(&turns->end)) {
        uint32_t item = 0;
        if (!leat_mpmc_pop(&turns->ring, &item)) {
            leat_os_yield();
            continue;
        }
        next++;
        CHECK(item < turns->cells_count);
        CHECK_EQUAL(turns->cells[item], next);
        turns->cells[item] = 0;
    }
}

static void
turns_side(void *shared, uint32_t number)
{
    if (number == 0) {
        turns_produce(shared);
    } else {
        turns_consume(shared);
    }
}

static void
turns_run(uint32_t batch)
{
    struct test_prng prng = {test_seed("stress_mpmc")};
    struct turns turns = {.batch = batch};
    ring_setup(&turns.ring, 4, any_start(&prng, 4));
    turns.cells_count = 16 + 1 + batch;
    turns.cells = calloc(turns.cells_count, sizeof(*turns.cells));
    CHECK(turns.cells != NULL);
    atom_init(&turns.end, UINT64_MAX);
    turns.deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(2, turns_side, &turns);
    ring_teardown(&turns.ring);
    free(turns.cells);
}

static void
slots_say_what_is_free(void **state)
{
    (void)state;
    turns_run(1);
    turns_run(8);
}

/* ---- the count says what was popped ---------------------------------------------------------- */

#define NOTES 64

struct notes {
    struct leat_mpmc ring;
    bool written[NOTES]; /* plain: by the consumer before the pop of that item */
};

static void
notes_side(void *shared, uint32_t number)
{
    struct notes *notes = shared;
    uint32_t item = 0;
    for (uint32_t i = 0; number == 0 && i < NOTES; i++) {
        notes->written[i] = true;
        CHECK(leat_mpmc_pop(&notes->ring, &item));
        CHECK_EQUAL(item, i);
    }
    uint64_t left = NOTES;
    while (number != 0 && left > 0) {
        left = leat_mpmc_count(&notes->ring);
        CHECK(left <= NOTES);
        for (uint64_t i = 0; i < NOTES - left; i++) {
            CHECK(notes->written[i]);
        }
    }
}

static void
the_count_says_what_was_popped(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_mpmc")};
    uint64_t deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    do {
        struct notes notes;
        memset(&notes, 0, sizeof(notes));
        ring_setup(&notes.ring, 6, any_start(&prng, 6));
        for (uint32_t i = 0; i < NOTES; i++) {
            CHECK(leat_mpmc_push(&notes.ring, i));
        }
        test_threads_run(2, notes_side, &notes);
        ring_teardown(&notes.ring);
    } while (test_now_ns() < deadline_ns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_to_one),
        cmocka_unit_test(one_to_one_in_batches),
        cmocka_unit_test(batches_stand_together),
        cmocka_unit_test(oversubscribed_singles),
        cmocka_unit_test(oversubscribed_batches),
        cmocka_unit_test(slots_say_what_is_free),
        cmocka_unit_test(the_count_says_what_was_popped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
