/* stress_deque.c - a deque under real threads: each entry that was pushed is taken once, with both
 * its words; a pop gives the newest entry that was not popped, each thief gets entries in the order
 * of their places.
 *
 * Entries are numbers of plain records that nothing else orders: the owner fills a record and
 * pushes its number; who takes the entry checks the record and marks it. So ThreadSanitizer sees an
 * entry with two takers, or a missing edge deque_push:B, deque_pop:A -> deque_steal:B, as a race.
 * Two more flows have plain notes that only positions order: what a thief wrote before a steal is
 * known to the owner's next push into a full deque (deque_steal:C -> deque_push:A), and to who
 * counts the entries (deque_steal:C, deque_pop:C -> deque_count:A, deque_pop:A -> deque_count:B).
 * Holds I1 at the end of each flow; positions start anywhere, 0 and the wrap included. */
#include "ring/deque.h"
#include "ring/os.h"

#define QUEUE(name) leat_deque##name
#define QUEUE_NAME  "stress_deque"
#include "tests/stress/stolen_body.h"

#define ENTRIES   20000 /* in one round */
#define SLOTS_MAX 256

/* Plain: only the deque's edges keep its users apart. */
struct record {
    uint64_t mixed; /* of the number */
    uint64_t place; /* position, counted from the start */
    uint32_t taken;
};

struct shape {
    uint32_t thieves;
    uint32_t slots_log2;
    uint32_t run_most; /* pushes in a row, and pops */
};

struct flow {
    struct leat_deque deque;
    struct record records[ENTRIES];
    uint32_t stack[SLOTS_MAX]; /* the owner's: pushed and not popped */
    uint32_t stack_count;
    struct shape shape;
    uint64_t start; /* position */
    uint64_t seed;
    uint64_t patience_ns; /* the round has ended by then */
    leat_atomic_u32 left; /* entries that nobody has taken yet; orders nothing */
};

/* ---- owner and thieves ----------------------------------------------------------------------- */

/* This thread has the entry, and nobody else. */
static struct record *
receive(struct flow *flow, const struct leat_deque_entry *entry)
{
    CHECK(entry->words[0] < ENTRIES);
    CHECK_EQUAL(entry->words[1], ~entry->words[0]);
    CHECK_EQUAL(entry->words[2], entry->words[0] + 1);
    CHECK_EQUAL(entry->words[3], entry->words[0] + 2);
    struct record *record = &flow->records[entry->words[0]];
    CHECK_EQUAL(record->mixed, mix(entry->words[0]));
    CHECK_EQUAL(record->taken, 0);
    record->taken = 1;
    CHECK(atom_sub_rlx(&flow->left, 1) >= 1);
    return record;
}

static void
owner_push(struct flow *flow, uint32_t number)
{
    struct leat_deque_entry entry = {{number, ~(uint64_t)number, number + 1, number + 2}};
    struct record *record = &flow->records[number];
    record->mixed = mix(number);
    record->place = atom_load_rlx(&flow->deque.bottom) - flow->start;
    if (!leat_deque_push(&flow->deque, &entry)) {
        (void)receive(flow, &entry);
        return;
    }
    /* The oldest ones in the stack may be stolen and no longer in the deque. */
    if (flow->stack_count == SLOTS_MAX) {
        flow->stack_count--;
        memmove(flow->stack, flow->stack + 1, flow->stack_count * sizeof(flow->stack[0]));
    }
    flow->stack[flow->stack_count] = number;
    flow->stack_count++;
}

/* False: empty, so all that was not popped is stolen. */
static bool
owner_pop(struct flow *flow)
{
    struct leat_deque_entry entry;
    if (!leat_deque_pop(&flow->deque, &entry)) {
        flow->stack_count = 0;
        return false;
    }
    CHECK(flow->stack_count > 0);
    flow->stack_count--;
    CHECK_EQUAL(entry.words[0], flow->stack[flow->stack_count]);
    (void)receive(flow, &entry);
    return true;
}

static void
owner(struct flow *flow)
{
    struct test_prng prng = {flow->seed};
    uint32_t made = 0;
    while (made < ENTRIES) {
        uint32_t pushes = 1 + test_random_below(&prng, flow->shape.run_most);
        uint32_t pops = 1 + test_random_below(&prng, flow->shape.run_most);
        for (uint32_t i = 0; i < pushes && made < ENTRIES; i++) {
            owner_push(flow, made);
            made++;
        }
        while (pops > 0 && owner_pop(flow)) {
            pops--;
        }
    }
    while (owner_pop(flow)) { /* ends: nobody pushes */
    }
}

static void
thief(struct flow *flow)
{
    struct leat_deque_entry entry;
    uint64_t least = 0;
    while (atom_load_rlx(&flow->left) > 0) {
        switch (leat_deque_steal(&flow->deque, 0, &entry)) {
        case LEAT_DEQUE_GOT: {
            const struct record *record = receive(flow, &entry);
            CHECK(record->place >= least);
            least = record->place + 1;
            break;
        }
        case LEAT_DEQUE_EMPTY:
            CHECK(leat_deque_count(&flow->deque) <= UINT64_C(1) << flow->shape.slots_log2);
            CHECK(test_now_ns() < flow->patience_ns);
            leat_os_yield();
            break;
        case LEAT_DEQUE_LOST:
            break;
        case LEAT_DEQUE_LOW:
            CHECK(false);
            break;
        }
    }
}

static void
side(void *shared, uint32_t number)
{
    if (number == 0) {
        owner(shared);
    } else {
        thief(shared);
    }
}

static void
flow_round(struct flow *flow, struct test_prng *prng)
{
    flow->seed = test_random(prng);
    flow->patience_ns = test_now_ns() + TEST_PATIENCE_NS;
    flow->start = any_start(prng);
    flow->stack_count = 0;
    memset(flow->records, 0, sizeof(flow->records));
    atom_init(&flow->left, ENTRIES);
    queue_setup(&flow->deque, flow->shape.slots_log2, flow->start);
    test_threads_run(1 + flow->shape.thieves, side, flow);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        CHECK_EQUAL(flow->records[i].taken, 1);
    }
    CHECK_EQUAL(leat_deque_count(&flow->deque), 0);
    queue_teardown(&flow->deque);
}

static void
flow_run(struct shape shape)
{
    struct test_prng prng = {test_seed(QUEUE_NAME)};
    struct flow *flow = aligned_alloc(LEAT_LINE_BYTES, sizeof(*flow));
    uint64_t deadline_ns = deadline_of();
    CHECK(flow != NULL);
    CHECK(shape.slots_log2 <= 8);
    flow->shape = shape;
    do {
        flow_round(flow, &prng);
    } while (test_now_ns() < deadline_ns);
    free(flow);
}

/* Most entries are the last one: owner and thief meet. */
static void
one_thief_at_the_last_entry(void **state)
{
    (void)state;
    flow_run((struct shape){.thieves = 1, .slots_log2 = 1, .run_most = 2});
}

static void
thieves_at_the_last_entry(void **state)
{
    (void)state;
    flow_run((struct shape){.thieves = 3, .slots_log2 = 2, .run_most = 2});
}

static void
thieves_of_a_large_deque(void **state)
{
    (void)state;
    flow_run((struct shape){.thieves = 3, .slots_log2 = 8, .run_most = 100});
}

static void
many_thieves(void **state)
{
    (void)state;
    flow_run((struct shape){.thieves = 8, .slots_log2 = 4, .run_most = 12});
}

/* ---- notes, see stolen_body.h ---------------------------------------------------------------- */

static bool
queue_push(struct leat_deque *queue, uint32_t item)
{
    struct leat_deque_entry entry = {{item, 0}};
    return leat_deque_push(queue, &entry);
}

static void
take_with_notes(struct notes *notes)
{
    for (uint32_t i = 0; i < NOTES; i++) {
        struct leat_deque_entry entry;
        notes->written[i] = true;
        if (notes->by_pop) {
            CHECK(leat_deque_pop(&notes->queue, &entry));
            CHECK_EQUAL(entry.words[0], NOTES - 1 - i);
        } else {
            CHECK_EQUAL(leat_deque_steal(&notes->queue, 0, &entry), LEAT_DEQUE_GOT);
            CHECK_EQUAL(entry.words[0], i);
        }
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
        while (!queue_push(&notes->queue, NOTES + i)) {
            leat_os_yield();
        }
        CHECK(notes->written[i]);
    }
    struct leat_deque_entry entry;
    for (uint32_t i = NOTES; i > 0; i--) {
        CHECK(leat_deque_pop(&notes->queue, &entry));
        CHECK_EQUAL(entry.words[0], NOTES + i - 1);
    }
    CHECK_EQUAL(leat_deque_count(&notes->queue), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thief_at_the_last_entry),
        cmocka_unit_test(thieves_at_the_last_entry),
        cmocka_unit_test(thieves_of_a_large_deque),
        cmocka_unit_test(many_thieves),
        cmocka_unit_test(room_says_what_was_stolen),
        cmocka_unit_test(the_count_says_what_was_stolen),
        cmocka_unit_test(the_count_says_what_was_popped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
