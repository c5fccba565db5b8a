/* ring_body.h - what the stress tests of the rings have in common: real threads, nothing is lost,
 * nothing comes twice, each consumer sees each producer's items in order. stress_X.c includes it
 * after it named its ring by RING().
 *
 * Items are indices of plain records that nothing else orders: the producer fills a record and
 * pushes its index, the consumer reads it, empties it and hands it back. So ThreadSanitizer sees a
 * missing edge from push to pop as a race. Two more flows do without the way back: in one the slot
 * itself says that a record is free again (the edge from pop to the push of that slot), in the
 * other the count says what a consumer did before its pop. Holds the invariants at the end of each
 * flow; positions start anywhere, the wrap of the turn included. */
#ifndef TESTS_STRESS_RING_BODY_H
#define TESTS_STRESS_RING_BODY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

/* The ring: RING(_push) is its push. Where this header is compiled alone, what the library uses. */
#ifndef RING
#    include "ring/mpmc.h"
#    define RING(name) leat_mpmc##name
#    define RING_NAME  "mpmc"
#endif

/* The position at which the turn of a slot wraps. */
#ifndef RING_TURN_WRAP
#    define RING_TURN_WRAP(slots_log2) (UINT64_C(1) << (LEAT_TURN_BITS - 1 + (slots_log2)))
#endif

/* So many threads may be in calls of a ring at a time. */
#ifndef RING_THREADS_MAX
#    define RING_THREADS_MAX(slots_log2) UINT32_MAX
#endif

#define SIDE_MAX 64 /* producers, and consumers */

struct test_ring {
    struct RING() ring;
    void *memory;
};

/* Plain: only the rings' edges keep its users apart. */
struct record {
    uint64_t sequence; /* of its producer, from 1 */
    uint64_t mixed;    /* of producer and sequence */
    uint32_t producer;
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
    bool remap;
};

struct flow {
    struct test_ring work;
    struct test_ring spare; /* indices of empty records */
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
ring_setup(struct test_ring *ring, uint32_t slots_log2, bool remap, uint64_t start)
{
    size_t bytes = leat_round_up(RING(_bytes)(slots_log2), LEAT_LINE_BYTES);
    ring->memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(ring->memory != NULL);
    memset(ring->memory, 0, bytes);
    const struct leat_ring_config config = {
        .slots_log2 = slots_log2, .remap = remap, .memory = ring->memory, .start = start};
    RING(_init)(&ring->ring, &config);
}

static void
ring_teardown(struct test_ring *ring)
{
    CHECK(RING(_check)(&ring->ring, stderr));
    free(ring->memory);
}

/* A first position: 0, shortly before the turn or the position wraps, or anywhere. */
static uint64_t
any_start(struct test_prng *prng, uint32_t slots_log2)
{
    switch (test_random_below(prng, 4)) {
    case 0:
        return 0;
    case 1:
        return RING_TURN_WRAP(slots_log2) - test_random_below(prng, 5000);
    case 2:
        return 0 - (uint64_t)test_random_below(prng, 5000);
    default:
        return test_random(prng);
    }
}

/* ---- many to many ---------------------------------------------------------------------------- */

static void
fill(struct flow *flow, uint32_t producer, uint32_t item)
{
    struct tally *tally = &flow->tallies[producer];
    struct record *record = &flow->records[item];
    CHECK(!record->full);
    tally->last[producer]++;
    record->sequence = tally->last[producer];
    record->mixed = mix(producer, record->sequence);
    record->producer = producer;
    record->full = true;
    tally->count[producer]++;
    tally->sum[producer] += record->mixed;
}

static void
produce(struct flow *flow, uint32_t number)
{
    uint32_t item = 0;
    /* At least a few laps, however late this thread begins. */
    uint64_t least = UINT64_C(4) << flow->shape.slots_log2;
    while (flow->tallies[number].count[number] < least || test_now_ns() < flow->deadline_ns) {
        if (!RING(_pop)(&flow->spare.ring, &item)) {
            leat_os_yield();
            continue;
        }
        fill(flow, number, item);
        while (!RING(_push)(&flow->work.ring, item)) {
            leat_os_yield();
        }
    }
    (void)atom_sub_acq_rel(&flow->producing, 1);
}

static void
consume_one(struct flow *flow, struct tally *tally, uint32_t item)
{
    struct record *record = &flow->records[item];
    uint32_t producer = record->producer;
    CHECK(record->full);
    CHECK(producer < flow->shape.producers);
    CHECK(record->sequence > tally->last[producer]);
    CHECK_EQUAL(record->mixed, mix(producer, record->sequence));
    if (flow->shape.consumers == 1) {
        CHECK_EQUAL(record->sequence, tally->last[producer] + 1);
    }
    tally->last[producer] = record->sequence;
    tally->count[producer]++;
    tally->sum[producer] += record->mixed;
    record->full = false;
    while (!RING(_push)(&flow->spare.ring, item)) {
        leat_os_yield();
    }
}

static void
consume(struct flow *flow, uint32_t number)
{
    struct tally *tally = &flow->tallies[number];
    uint32_t item = 0;
    for (;;) {
        /* Read first: no producer at work, then an empty ring stays empty. */
        bool last = atom_load_acq(&flow->producing) == 0;
        if (RING(_pop)(&flow->work.ring, &item)) {
            consume_one(flow, tally, item);
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
#define PARTS 8

static void
flow_run(struct test_prng *prng, struct shape shape)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    uint32_t threads = shape.producers + shape.consumers;
    CHECK(flow != NULL);
    /* For most rings there is no such bound. NOLINTNEXTLINE(bugprone-infinite-loop) */
    while (threads > RING_THREADS_MAX(shape.slots_log2)) {
        shape.slots_log2++;
    }
    /* Twice the records: the work ring is often full. */
    uint32_t records = UINT32_C(2) << shape.slots_log2;
    flow->shape = shape;
    flow->seed = test_random(prng);
    ring_setup(&flow->work, shape.slots_log2, shape.remap, any_start(prng, shape.slots_log2));
    ring_setup(&flow->spare, shape.slots_log2 + 1, false, any_start(prng, shape.slots_log2 + 1));
    flow->records = calloc(records, sizeof(*flow->records));
    flow->tallies = aligned_alloc(LEAT_LINE_BYTES, threads * sizeof(*flow->tallies));
    CHECK(flow->records != NULL);
    CHECK(flow->tallies != NULL);
    memset(flow->tallies, 0, threads * sizeof(*flow->tallies));
    for (uint32_t i = 0; i < records; i++) {
        CHECK(RING(_push)(&flow->spare.ring, i));
    }
    atom_init(&flow->producing, shape.producers);
    flow->deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(threads, side, flow);
    compare(flow);
    CHECK_EQUAL(RING(_count)(&flow->work.ring), 0);
    CHECK_EQUAL(RING(_count)(&flow->spare.ring), records);
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
    struct test_prng prng = {test_seed("stress_" RING_NAME)};
    flow_run(&prng, (struct shape){1, 1, 1, false});
    flow_run(&prng, (struct shape){1, 1, 6, true});
}

static void
many_to_one(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_" RING_NAME)};
    flow_run(&prng, (struct shape){3, 1, 4, false});
}

static void
oversubscribed_many(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_" RING_NAME)};
    uint32_t half = oversubscribed();
    flow_run(&prng, (struct shape){half, half, 1, false});
    flow_run(&prng, (struct shape){half, half, 3, false});
    flow_run(&prng, (struct shape){half, half, 5, true});
}

/* ---- the slot says that the record is free ---------------------------------------------------
 *
 * One producer, one consumer, no way back. Once the producer has pushed item k - 1 into a ring of
 * n slots, item k - 1 - n has been popped, and the consumer was through with all items before it.
 * So slots + 2 records in turn are enough, if the slot carries that. */

struct turns {
    struct test_ring ring;
    uint64_t *cells; /* plain: sequence of the item that stands in it, 0: empty */
    uint32_t cells_count;
    uint64_t deadline_ns;
    leat_atomic_u64 end; /* items pushed in all; UINT64_MAX: not known yet */
};

static void
turns_produce(struct turns *turns)
{
    uint64_t next = 0;
    while (test_now_ns() < turns->deadline_ns) {
        uint32_t item = (uint32_t)(next % turns->cells_count);
        CHECK_EQUAL(turns->cells[item], 0);
        next++;
        turns->cells[item] = next;
        while (!RING(_push)(&turns->ring.ring, item)) {
            leat_os_yield();
        }
    }
    atom_store_rlx(&turns->end, next);
}

static void
turns_consume(struct turns *turns)
{
    uint64_t next = 0;
    while (next != atom_load_rlx(&turns->end)) {
        uint32_t item = 0;
        if (!RING(_pop)(&turns->ring.ring, &item)) {
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
slots_say_what_is_free(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_" RING_NAME)};
    struct turns turns = {.cells_count = 16 + 2};
    ring_setup(&turns.ring, 4, false, any_start(&prng, 4));
    turns.cells = calloc(turns.cells_count, sizeof(*turns.cells));
    CHECK(turns.cells != NULL);
    atom_init(&turns.end, UINT64_MAX);
    turns.deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(2, turns_side, &turns);
    ring_teardown(&turns.ring);
    free(turns.cells);
}

/* ---- the count says what was popped ---------------------------------------------------------- */

#define NOTES 64

struct notes {
    struct test_ring ring;
    bool written[NOTES]; /* plain: by the consumer before the pop of that item */
};

static void
notes_side(void *shared, uint32_t number)
{
    struct notes *notes = shared;
    uint32_t item = 0;
    for (uint32_t i = 0; number == 0 && i < NOTES; i++) {
        notes->written[i] = true;
        CHECK(RING(_pop)(&notes->ring.ring, &item));
        CHECK_EQUAL(item, i);
    }
    uint64_t left = NOTES;
    while (number != 0 && left > 0) {
        left = RING(_count)(&notes->ring.ring);
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
    struct test_prng prng = {test_seed("stress_" RING_NAME)};
    uint64_t deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    do {
        struct notes notes;
        memset(&notes, 0, sizeof(notes));
        ring_setup(&notes.ring, 6, true, any_start(&prng, 6));
        for (uint32_t i = 0; i < NOTES; i++) {
            CHECK(RING(_push)(&notes.ring.ring, i));
        }
        test_threads_run(2, notes_side, &notes);
        ring_teardown(&notes.ring);
    } while (test_now_ns() < deadline_ns);
}

/* Tests that every ring has. */
#define RING_TESTS                                                                                 \
    cmocka_unit_test(one_to_one), cmocka_unit_test(many_to_one),                                   \
        cmocka_unit_test(oversubscribed_many), cmocka_unit_test(slots_say_what_is_free),           \
        cmocka_unit_test(the_count_says_what_was_popped)

#endif
