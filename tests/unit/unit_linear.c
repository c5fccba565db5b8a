/* unit_linear.c - the checkers of histories know right from wrong: histories written by hand, each
 * with the verdict that linear.h has to give; random ones, for which trying all orders says what is
 * right; and what history_check() has to find in long ones. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/linear.h"
#include "tests/support/prng.h"

#define OPS_MAX 10

/* Operations from one moment to another; threads do not matter here. */
#define PUSH(number, from, to)                                                                     \
    {                                                                                              \
        (from), (to), (number), 0, false, true                                                     \
    }
#define FULL(number, from, to)                                                                     \
    {                                                                                              \
        (from), (to), (number), 0, false, false                                                    \
    }
#define POP(number, from, to)                                                                      \
    {                                                                                              \
        (from), (to), (number), 0, true, true                                                      \
    }
#define EMPTY(from, to)                                                                            \
    {                                                                                              \
        (from), (to), 0, 0, true, false                                                            \
    }

struct sample {
    const char *what;
    struct history_op ops[OPS_MAX]; /* those with end 0 are none */
    uint32_t capacity;
    bool right;      /* exact answers */
    bool right_busy; /* answers may also mean that the other side is busy */
};

static const struct sample samples[] = {
    {"nothing", {{0}}, 2, true, true},
    {"in and out", {PUSH(1, 1, 2), POP(1, 3, 4), EMPTY(5, 6)}, 2, true, true},
    {"empty while an item is inside", {PUSH(1, 1, 2), EMPTY(3, 4), POP(1, 5, 6)}, 2, false, false},
    {"empty while the item comes", {PUSH(1, 1, 4), EMPTY(2, 3), POP(1, 5, 6)}, 2, true, true},
    {"empty while the item leaves", {PUSH(1, 1, 2), POP(1, 3, 6), EMPTY(4, 5)}, 2, true, true},
    {"empty, an older item inside, a younger one comes",
     {PUSH(1, 1, 2), PUSH(2, 3, 6), EMPTY(4, 5), POP(1, 7, 8), POP(2, 9, 10)},
     2,
     false,
     true},
    {"empty, one item not inside after the other",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(1, 5, 8), EMPTY(6, 7), POP(2, 9, 10)},
     2,
     false,
     false},
    {"full, a place free", {PUSH(1, 1, 2), FULL(2, 3, 4), POP(1, 5, 6)}, 2, false, false},
    {"full",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), FULL(3, 5, 6), POP(1, 7, 8), POP(2, 9, 10)},
     2,
     true,
     true},
    {"full after a pop, another pop busy",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(1, 5, 6), POP(2, 7, 10), FULL(3, 8, 9)},
     2,
     false,
     true},
    {"full while the place comes free",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(1, 5, 8), FULL(3, 6, 7), POP(2, 9, 10)},
     2,
     true,
     true},
    {"more than fit",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), PUSH(3, 5, 6), POP(1, 7, 8), POP(2, 9, 10), POP(3, 11, 12)},
     2,
     false,
     false},
    {"just what fits, one at the other's time",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), PUSH(3, 5, 8), POP(1, 6, 7), POP(2, 9, 10), POP(3, 11, 12)},
     2,
     true,
     true},
    {"out of order", {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(2, 5, 6), POP(1, 7, 8)}, 2, false, false},
    {"out of order, pushed at one time",
     {PUSH(1, 1, 4), PUSH(2, 2, 3), POP(2, 5, 6), POP(1, 7, 8)},
     2,
     true,
     true},
    {"out of order, popped at one time",
     {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(2, 5, 8), POP(1, 6, 7)},
     2,
     true,
     true},
    {"an item twice", {PUSH(1, 1, 2), POP(1, 3, 4), POP(1, 5, 6)}, 2, false, false},
    {"an item twice at one time", {PUSH(1, 1, 2), POP(1, 3, 5), POP(1, 4, 6)}, 2, false, false},
    {"an item lost", {PUSH(1, 1, 2), PUSH(2, 3, 4), POP(2, 5, 6), EMPTY(7, 8)}, 2, false, false},
    {"the only item lost", {PUSH(1, 1, 2), EMPTY(3, 4)}, 2, false, false},
    {"an item that nobody pushed", {PUSH(1, 1, 2), POP(3, 3, 4)}, 2, false, false},
    {"popped before it is pushed", {POP(1, 1, 2), PUSH(1, 3, 4)}, 2, false, false},
    {"popped while it is pushed", {PUSH(1, 1, 4), POP(1, 2, 3)}, 2, true, true},
    {"two orders that cannot both be",
     {PUSH(1, 1, 5), PUSH(2, 2, 6), PUSH(3, 3, 7), POP(2, 8, 9), POP(3, 10, 11), POP(1, 12, 13)},
     4,
     true,
     true},
    /* The last: beyond history_check(). */
    {"full and empty, each possible, but not in this order",
     {PUSH(1, 1, 8), FULL(2, 2, 3), EMPTY(4, 5), POP(1, 6, 7)},
     1,
     false,
     true},
};

static uint32_t
count_of(const struct sample *sample)
{
    uint32_t count = 0;
    while (count < OPS_MAX && sample->ops[count].end != 0) {
        count++;
    }
    return count;
}

static void
by_hand(void **state)
{
    (void)state;
    struct linear_memory *memory = linear_memory_create();
    for (size_t i = 0; i < TEST_COUNT_OF(samples); i++) {
        const struct sample *sample = &samples[i];
        uint32_t count = count_of(sample);
        struct history_rule exact = {sample->capacity, false};
        struct history_rule busy = {sample->capacity, true};
        if (linear_check(memory, sample->ops, count, exact) != sample->right ||
            linear_check(memory, sample->ops, count, busy) != sample->right_busy) {
            test_say("wrong verdict: %s\n", sample->what);
            CHECK(false);
        }
    }
    linear_memory_destroy(memory);
}

/* ---- against all orders ---------------------------------------------------------------------- */

struct naive {
    uint32_t items[OPS_MAX];
    uint32_t first;
    uint32_t end;
};

static bool
naive_answers(struct naive *queue, const struct history_op *op, uint32_t capacity)
{
    uint32_t length = queue->end - queue->first;
    if (!op->pops) {
        bool room = length < capacity;
        if (room) {
            queue->items[queue->end] = op->item;
            queue->end++;
        }
        return op->ok == room;
    }
    if (length == 0) {
        return !op->ok;
    }
    queue->first++;
    return op->ok && queue->items[queue->first - 1] == op->item;
}

/* Does this order keep to the time, and does a queue answer so? */
static bool
order_fits(const struct history_op *ops, const uint32_t *order, uint32_t count, uint32_t capacity)
{
    struct naive queue = {{0}, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            if (ops[order[j]].end < ops[order[i]].begin) {
                return false;
            }
        }
        if (!naive_answers(&queue, &ops[order[i]], capacity)) {
            return false;
        }
    }
    return true;
}

/* The next order in the order of the dictionary; false after the last. */
static bool
next_order(uint32_t *order, uint32_t count)
{
    uint32_t turn = count;
    do {
        if (turn <= 1) {
            return false;
        }
        turn--;
    } while (order[turn - 1] > order[turn]);
    for (uint32_t low = turn, high = count - 1; low < high; low++, high--) {
        uint32_t other = order[low];
        order[low] = order[high];
        order[high] = other;
    }
    uint32_t with = turn;
    while (order[with] < order[turn - 1]) {
        with++;
    }
    uint32_t other = order[with];
    order[with] = order[turn - 1];
    order[turn - 1] = other;
    return true;
}

static bool
some_order_fits(const struct history_op *ops, uint32_t count, uint32_t capacity)
{
    uint32_t order[OPS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    do {
        if (order_fits(ops, order, count, capacity)) {
            return true;
        }
    } while (next_order(order, count));
    return false;
}

/* What a queue answered at moments in a row, each stretched to a time around its moment. */
static void
make(struct test_prng *prng, struct history_op *ops, uint32_t count, uint32_t capacity)
{
    struct naive queue = {{0}, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t moment = 100 * ((uint64_t)i + 2);
        uint32_t length = queue.end - queue.first;
        bool pops = test_random_below(prng, 2) == 0;
        ops[i] = (struct history_op){.begin = moment - test_random_below(prng, 200),
                                     .end = moment + 1 + test_random_below(prng, 200),
                                     .item = pops ? queue.items[queue.first] : i + 1,
                                     .pops = pops,
                                     .ok = pops ? length > 0 : length < capacity};
        CHECK(naive_answers(&queue, &ops[i], capacity));
    }
}

/* Changes an answer, or lets two operations change their items. */
static void
spoil(struct test_prng *prng, struct history_op *ops, uint32_t count)
{
    struct history_op *one = &ops[test_random_below(prng, count)];
    struct history_op *two = &ops[test_random_below(prng, count)];
    uint32_t item = one->item;
    switch (test_random_below(prng, 3)) {
    case 0:
        one->ok = !one->ok;
        break;
    case 1:
        one->item = two->item;
        two->item = item;
        break;
    default:
        one->begin += 50;
        one->end += 50;
        break;
    }
}

/* All pushes that were right differ in their items. */
static bool
well_formed(const struct history_op *ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!ops[i].pops && !ops[j].pops && ops[i].item == ops[j].item) {
                return false;
            }
        }
    }
    return true;
}

static void
as_all_orders_say(void **state)
{
    (void)state;
    struct linear_memory *memory = linear_memory_create();
    struct test_prng prng = {test_seed("unit_linear")};
    uint32_t verdicts[2] = {0, 0};
    for (uint32_t i = 0; i < 20000; i++) {
        struct history_op ops[OPS_MAX];
        struct history_rule exact = {1 + test_random_below(&prng, 3), false};
        struct history_rule busy = {exact.capacity, true};
        uint32_t count = 2 + test_random_below(&prng, 5);
        make(&prng, ops, count, exact.capacity);
        CHECK(linear_check(memory, ops, count, exact));
        spoil(&prng, ops, count);
        if (!well_formed(ops, count)) {
            continue;
        }
        bool right = some_order_fits(ops, count, exact.capacity);
        CHECK(linear_check(memory, ops, count, exact) == right);
        CHECK(!right || linear_check(memory, ops, count, busy));
        verdicts[right ? 1 : 0]++;
    }
    /* Neither verdict is rare. */
    CHECK(verdicts[0] > 1000);
    CHECK(verdicts[1] > 1000);
    linear_memory_destroy(memory);
}

/* As large as they may be: 24 operations, 4 at a time. */
static void
large_ones(void **state)
{
    (void)state;
    struct linear_memory *memory = linear_memory_create();
    const struct history_rule rule = {8, false};
    struct history_op ops[LINEAR_OPS_MAX];
    for (uint32_t i = 0; i < LINEAR_OPS_MAX; i++) {
        uint32_t half = LINEAR_OPS_MAX / 2;
        bool pops = i / 4 % 2 == 1;
        uint32_t number = i / 8 * 4 + i % 4;
        CHECK(number < half);
        ops[i] = (struct history_op){.begin = 100 * (i / 4) + 1 + i % 4,
                                     .end = 100 * (i / 4) + 50 + i % 4,
                                     .item = number + 1,
                                     .pops = pops,
                                     .ok = true};
    }
    CHECK(linear_check(memory, ops, LINEAR_OPS_MAX, rule));
    /* The last pop gets the first item once more. */
    ops[LINEAR_OPS_MAX - 1].item = 1;
    CHECK(!linear_check(memory, ops, LINEAR_OPS_MAX, rule));
    linear_memory_destroy(memory);
}

/* ---- long histories -------------------------------------------------------------------------- */

static bool
check_quietly(const struct history *history, struct history_rule rule)
{
    /* What is wrong is meant to be. */
    FILE *nowhere = fopen("/dev/null", "we");
    CHECK(nowhere != NULL);
    bool right = history_check(history, rule, nowhere);
    CHECK(fclose(nowhere) == 0);
    return right;
}

static void
log_op(struct history *history, uint32_t thread, struct history_op op)
{
    struct history_log *log = &history->logs[thread];
    log->ops[log->count] = op;
    log->ops[log->count].thread = (uint16_t)thread;
    log->count++;
}

/* The sample as a long history, each operation by a thread of its own. */
static bool
check_long(const struct sample *sample, bool busy_answers)
{
    struct history history;
    history_init(&history, OPS_MAX, 1, true);
    for (uint32_t i = 0; i < count_of(sample); i++) {
        struct history_op op = sample->ops[i];
        /* A counted history begins at 0. */
        op.begin--;
        op.end--;
        log_op(&history, i, op);
    }
    bool right = check_quietly(&history, (struct history_rule){sample->capacity, busy_answers});
    history_fini(&history);
    return right;
}

/* The samples again. Those that no moment alone can refute are told to be right. */
static void
long_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(samples); i++) {
        const struct sample *sample = &samples[i];
        bool beyond = i == TEST_COUNT_OF(samples) - 1;
        if (check_long(sample, false) != (sample->right || beyond) ||
            check_long(sample, true) != (sample->right_busy || beyond)) {
            test_say("wrong verdict: %s\n", sample->what);
            CHECK(false);
        }
    }
}

/* Where the stamps of the clock are equal, the order of a thread's own calls still counts. */
static void
equal_stamps(void **state)
{
    (void)state;
    for (uint32_t first = 1; first <= 2; first++) {
        struct history history;
        history_init(&history, 2, OPS_MAX, false);
        log_op(&history, 0, (struct history_op)PUSH(1, 1, 1));
        log_op(&history, 0, (struct history_op)PUSH(2, 2, 2));
        log_op(&history, 1, (struct history_op)POP(first, 5, 5));
        log_op(&history, 1, (struct history_op)POP(3 - first, 5, 5));
        CHECK(check_quietly(&history, (struct history_rule){2, false}) == (first == 1));
        history_fini(&history);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),      cmocka_unit_test(as_all_orders_say),
        cmocka_unit_test(large_ones),   cmocka_unit_test(long_ones),
        cmocka_unit_test(equal_stamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
