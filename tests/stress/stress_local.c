/* stress_local.c - local queues under real threads: each item that was pushed is taken once, pops
 * and steals see a queue's own items in their order, at all sizes of the queue, with thieves whose
 * own queues are stolen from meanwhile.
 *
 * Items are numbers of plain records that nothing else orders: the producer fills its record and
 * pushes the number; who pops it, or has it in hand after a steal, checks the record and marks it
 * taken. So ThreadSanitizer sees an item with two takers, or a missing edge local_push:B,
 * local_steal:E -> local_steal:C, as a race. Two more flows have plain notes that only positions
 * order: what a thief wrote before a steal is known to the owner's next push into a full queue
 * (local_steal:D -> local_push:A), and to who counts the items (local_pop:A, local_steal:D ->
 * local_count:A). Holds I1 at the end of each flow; positions start anywhere, the wrap included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/local.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS_MAX 8
#define ITEMS_EACH  2000 /* of a producer, in one round */
#define BATCH_MAX   8

/* Plain: only the queues' edges keep its users apart. */
struct record {
    uint64_t mixed; /* of the number */
    uint32_t taken;
};

struct shape {
    uint32_t threads;
    uint32_t producers; /* the first ones; the others live on what they steal */
    uint32_t slots_log2;
    bool all_steal; /* producers too; then their items can come back to them, and out of order */
};

struct flow {
    struct leat_local queues[THREADS_MAX];
    struct record records[THREADS_MAX * ITEMS_EACH];
    struct shape shape;
    uint64_t seed;
    uint64_t patience_ns; /* the round has ended by then */
    leat_atomic_u32 left; /* items that nobody has taken yet; orders nothing */
};

struct hand {
    struct flow *flow;
    struct test_prng prng;
    uint32_t number;
    uint32_t made;              /* items */
    uint32_t last[THREADS_MAX]; /* by queue: of its owner's items, the last one taken here, + 1 */
};

static uint64_t
mix(uint32_t item)
{
    struct test_prng prng = {item};
    return test_random(&prng);
}

/* A first position: 0, shortly before the wrap, or anywhere. */
static uint64_t
any_start(struct test_prng *prng)
{
    switch (test_random_below(prng, 3)) {
    case 0:
        return 0;
    case 1:
        return 0 - (uint64_t)test_random_below(prng, 1000);
    default:
        return test_random(prng);
    }
}

static void
queue_setup(struct leat_local *local, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = leat_local_bytes(slots_log2);
    void *memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    leat_local_init(local, slots_log2, memory, start);
}

static void
queue_teardown(struct leat_local *local)
{
    CHECK(leat_local_check(local, stderr));
    free(local->slots);
}

/* ---- one thread ------------------------------------------------------------------------------ */

/* This thread has items, and nobody else. They came out of `queue`, one behind the other. */
static void
receive(struct hand *hand, uint32_t queue, const uint32_t *items, uint32_t count)
{
    struct flow *flow = hand->flow;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(items[i] < flow->shape.producers * ITEMS_EACH);
        struct record *record = &flow->records[items[i]];
        CHECK_EQUAL(record->mixed, mix(items[i]));
        CHECK_EQUAL(record->taken, 0);
        record->taken = 1;
        if (items[i] / ITEMS_EACH == queue && !flow->shape.all_steal) {
            CHECK(items[i] >= hand->last[queue]);
            hand->last[queue] = items[i] + 1;
        }
    }
    CHECK(atom_sub_rlx(&flow->left, count) >= count);
}

/* Makes some items and pushes them, if there is room. */
static void
produce(struct hand *hand)
{
    struct flow *flow = hand->flow;
    struct leat_local *own = &flow->queues[hand->number];
    uint32_t items[BATCH_MAX] = {0};
    uint32_t count = 1 + test_random_below(&hand->prng, BATCH_MAX);
    count = count > ITEMS_EACH - hand->made ? ITEMS_EACH - hand->made : count;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = hand->number * ITEMS_EACH + hand->made + i;
        flow->records[items[i]].mixed = mix(items[i]);
    }
    if (count > 0 && leat_local_push_n(own, items, count)) {
        hand->made += count;
    }
    /* Nobody else pushes there. */
    uint64_t room = leat_local_room(own);
    if (room > 0 && hand->made < ITEMS_EACH) {
        uint32_t item = hand->number * ITEMS_EACH + hand->made;
        flow->records[item].mixed = mix(item);
        CHECK(leat_local_push(own, item));
        hand->made++;
    }
}

static void
consume(struct hand *hand)
{
    struct leat_local *own = &hand->flow->queues[hand->number];
    uint32_t items[BATCH_MAX] = {0};
    uint32_t count = 0;
    if (test_random_below(&hand->prng, 2) == 0) {
        count = leat_local_pop(own, items) ? 1 : 0;
    } else {
        count = leat_local_pop_n(own, items, 1 + test_random_below(&hand->prng, BATCH_MAX));
    }
    receive(hand, hand->number, items, count);
}

/* False: there was nothing. */
static bool
steal(struct hand *hand)
{
    struct flow *flow = hand->flow;
    uint32_t victim = test_random_below(&hand->prng, flow->shape.threads - 1);
    uint32_t item = 0;
    victim += victim >= hand->number ? 1 : 0;
    (void)leat_local_ready(&flow->queues[victim]);
    if (leat_local_steal(&flow->queues[victim], &flow->queues[hand->number], &item) == 0) {
        return false;
    }
    receive(hand, victim, &item, 1);
    return true;
}

static void
side(void *shared, uint32_t number)
{
    struct flow *flow = shared;
    struct hand hand = {.flow = flow, .number = number, .prng = {flow->seed + number}};
    while (atom_load_rlx(&flow->left) > 0) {
        bool produces = number < flow->shape.producers;
        bool steals = !produces || flow->shape.all_steal;
        uint32_t choice = test_random_below(&hand.prng, 4);
        if (choice < 2 && produces) {
            produce(&hand);
        } else if (choice < 3 || !steals) {
            consume(&hand);
        } else if (!steal(&hand)) {
            CHECK(test_now_ns() < flow->patience_ns);
            leat_os_yield();
        }
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The tests share the time. */
#define PARTS 7

static uint64_t
deadline_of(void)
{
    return test_now_ns() + test_duration_ns() / PARTS;
}

static void
flow_round(struct flow *flow, struct test_prng *prng)
{
    uint32_t items = flow->shape.producers * ITEMS_EACH;
    flow->seed = test_random(prng);
    flow->patience_ns = test_now_ns() + TEST_PATIENCE_NS;
    memset(flow->records, 0, sizeof(flow->records));
    atom_init(&flow->left, items);
    for (uint32_t i = 0; i < flow->shape.threads; i++) {
        queue_setup(&flow->queues[i], flow->shape.slots_log2, any_start(prng));
    }
    test_threads_run(flow->shape.threads, side, flow);
    for (uint32_t i = 0; i < items; i++) {
        CHECK_EQUAL(flow->records[i].taken, 1);
    }
    for (uint32_t i = 0; i < flow->shape.threads; i++) {
        CHECK_EQUAL(leat_local_count(&flow->queues[i]), 0);
        queue_teardown(&flow->queues[i]);
    }
}

static void
flow_run(struct shape shape)
{
    struct test_prng prng = {test_seed("stress_local")};
    struct flow *flow = aligned_alloc(LEAT_LINE_BYTES, sizeof(*flow));
    uint64_t deadline_ns = deadline_of();
    CHECK(flow != NULL);
    flow->shape = shape;
    do {
        flow_round(flow, &prng);
    } while (test_now_ns() < deadline_ns);
    free(flow);
}

static void
one_thief(void **state)
{
    (void)state;
    flow_run((struct shape){.threads = 2, .producers = 1, .slots_log2 = 2});
}

static void
thieves_of_thieves(void **state)
{
    (void)state;
    flow_run((struct shape){.threads = 4, .producers = 1, .slots_log2 = 4});
}

static void
everybody_steals(void **state)
{
    (void)state;
    flow_run((struct shape){.threads = 4, .producers = 4, .slots_log2 = 3, .all_steal = true});
}

static void
everybody_steals_at_shipped_size(void **state)
{
    (void)state;
    flow_run((struct shape){.threads = THREADS_MAX,
                            .producers = 3,
                            .slots_log2 = LEAT_LOCAL_SLOTS_LOG2,
                            .all_steal = true});
}

/* ---- positions say what was taken ------------------------------------------------------------ */

#define NOTES 64

/* Thread 0 owns the queue, which has NOTES slots; thread 1 takes one item at a time, since its own
 * queue is full. */
struct notes {
    struct leat_local queue;
    struct leat_local full;
    bool written[NOTES]; /* plain: by the taker, before it takes so many */
    bool by_pop;
};

static void
take_with_notes(struct notes *notes)
{
    for (uint32_t i = 0; i < NOTES; i++) {
        uint32_t item = 0;
        notes->written[i] = true;
        if (notes->by_pop && i % 2 == 0) {
            CHECK(leat_local_pop(&notes->queue, &item));
        } else if (notes->by_pop) {
            CHECK_EQUAL(leat_local_pop_n(&notes->queue, &item, 1), 1);
        } else {
            CHECK_EQUAL(leat_local_steal(&notes->queue, &notes->full, &item), 1);
        }
        CHECK_EQUAL(item, i);
    }
}

static void
push_side(void *shared, uint32_t number)
{
    struct notes *notes = shared;
    if (number == 1) {
        take_with_notes(notes);
        return;
    }
    for (uint32_t i = 0; i < NOTES; i++) {
        uint32_t items[2] = {NOTES + i, 0};
        while (i % 2 == 0 ? !leat_local_push(&notes->queue, items[0])
                          : !leat_local_push_n(&notes->queue, items, 1)) {
            leat_os_yield();
        }
        CHECK(notes->written[i]);
    }
}

static void
count_side(void *shared, uint32_t number)
{
    struct notes *notes = shared;
    if (number == (notes->by_pop ? 0 : 1)) {
        take_with_notes(notes);
        return;
    }
    uint64_t left = NOTES;
    while (left > 0) {
        left = leat_local_count(&notes->queue);
        CHECK(left <= NOTES);
        for (uint64_t i = 0; i < NOTES - left; i++) {
            CHECK(notes->written[i]);
        }
    }
}

static void
notes_run(test_body body, bool by_pop)
{
    struct test_prng prng = {test_seed("stress_local")};
    uint64_t deadline_ns = deadline_of();
    do {
        struct notes notes;
        memset(&notes, 0, sizeof(notes));
        notes.by_pop = by_pop;
        queue_setup(&notes.queue, 6, any_start(&prng));
        queue_setup(&notes.full, 1, any_start(&prng));
        for (uint32_t i = 0; i < NOTES; i++) {
            CHECK(leat_local_push(&notes.queue, i));
        }
        CHECK(leat_local_push(&notes.full, 0));
        CHECK(leat_local_push(&notes.full, 0));
        test_threads_run(2, body, &notes);
        queue_teardown(&notes.queue);
        queue_teardown(&notes.full);
    } while (test_now_ns() < deadline_ns);
}

static void
room_says_what_was_stolen(void **state)
{
    (void)state;
    notes_run(push_side, false);
}

static void
the_count_says_what_was_stolen(void **state)
{
    (void)state;
    notes_run(count_side, false);
}

static void
the_count_says_what_was_popped(void **state)
{
    (void)state;
    notes_run(count_side, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thief),
        cmocka_unit_test(thieves_of_thieves),
        cmocka_unit_test(everybody_steals),
        cmocka_unit_test(everybody_steals_at_shipped_size),
        cmocka_unit_test(room_says_what_was_stolen),
        cmocka_unit_test(the_count_says_what_was_stolen),
        cmocka_unit_test(the_count_says_what_was_popped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
