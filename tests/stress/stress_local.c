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
#include "ring/local.h"
#include "ring/os.h"

#define QUEUE(name) leat_local##name
#define QUEUE_NAME  "stress_local"
#include "tests/stress/stolen_body.h"

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
    struct test_prng prng = {test_seed(QUEUE_NAME)};
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

/* ---- notes, see stolen_body.h ---------------------------------------------------------------- */

static bool
queue_push(struct leat_local *queue, uint32_t item)
{
    return leat_local_push(queue, item);
}

/* Thread 1 takes one item at a time, since its own queue is full. */
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
