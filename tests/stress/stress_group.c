/* stress_group.c - real workers that spawn, steal, help, sleep and wake in nested groups: trees
 * whose sums are known, sorted arrays of random data, loops in loops, groups that fail and are
 * cancelled half-way, threads outside that begin groups of their own and wait for them with and
 * without a timeout, and an engine that comes to rest in between, so that workers park. Each
 * group's memory is overwritten when its wait has answered. Holds D1 to D4 of sched/spawn.h by
 * their consequences: all that waits ends, each task runs once, and what it wrote is seen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "sched/spawn.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define OUTSIDE 2
#define KEYS    3000
#define SHAPES  5

struct flow {
    struct leat_engine *engine;
    uint64_t deadline_ns;
    uint64_t seed;
    leat_atomic_u64 rounds;
    leat_atomic_u64 steps; /* of all kinds, so that a mix of them is seen */
};

static void
group_begin(struct flow *flow, struct leat_group *group)
{
    CHECK_OK(leat_group_init(group, flow->engine));
}

static void
group_end(struct leat_group *group, enum leat_status want)
{
    CHECK_STATUS(leat_group_wait(group, LEAT_FOREVER), want);
    memset(group, 0xee, sizeof(*group));
}

/* ---- trees ---------------------------------------------------------------------------------- */

/* Children of a node and their depth are drawn from its seed, so the sum can be computed twice. */
struct node {
    struct flow *flow;
    uint64_t seed;
    uint32_t left;
    uint64_t sum;
};

static uint32_t
children_of(const struct node *node)
{
    return node->left == 0 ? 0 : 1 + (uint32_t)(node->seed >> 60) % 4;
}

static struct node
child_of(const struct node *node, uint32_t i)
{
    uint64_t seed = (node->seed + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (struct node){node->flow, seed ^ seed >> 29, node->left - 1, 0};
}

static void
tree_run(void *argument)
{
    struct node *node = argument;
    struct node children[4];
    struct leat_group group;
    uint32_t count = children_of(node);
    node->sum = node->seed;
    if (count == 0) {
        return;
    }
    group_begin(node->flow, &group);
    for (uint32_t i = 0; i < count; i++) {
        children[i] = child_of(node, i);
        CHECK_OK(leat_group_spawn(&group, tree_run, &children[i]));
    }
    group_end(&group, LEAT_OK);
    for (uint32_t i = 0; i < count; i++) {
        node->sum += children[i].sum;
    }
}

/* The same sum, without groups and without recursion: a stack of nodes still to be added. */
static uint64_t
tree_sum(const struct node *root)
{
    struct node stack[48];
    uint32_t height = 1;
    uint64_t sum = 0;
    stack[0] = *root;
    while (height > 0) {
        struct node node = stack[--height];
        sum += node.seed;
        for (uint32_t i = 0; i < children_of(&node); i++) {
            CHECK(height < TEST_COUNT_OF(stack));
            stack[height++] = child_of(&node, i);
        }
    }
    return sum;
}

static void
tree_round(struct flow *flow, struct test_prng *prng)
{
    struct node root = {flow, test_random(prng), 3 + (uint32_t)test_random_below(prng, 6), 0};
    struct leat_group group;
    group_begin(flow, &group);
    CHECK_OK(leat_group_spawn(&group, tree_run, &root));
    group_end(&group, LEAT_OK);
    CHECK_EQUAL(root.sum, tree_sum(&root));
}

/* ---- sorting -------------------------------------------------------------------------------- */

struct part {
    struct flow *flow;
    uint64_t *keys;
    uint64_t *room;
    size_t count;
};

static int
key_compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void
merge(struct part *part, size_t half)
{
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; i < part->count; i++) {
        bool takes_left =
            right == part->count || (left < half && part->keys[left] <= part->keys[right]);
        part->room[i] = part->keys[takes_left ? left++ : right++];
    }
    memcpy(part->keys, part->room, part->count * sizeof(uint64_t));
}

static void
sort_run(void *argument)
{
    struct part *part = argument;
    struct leat_group group;
    if (part->count < 16) {
        qsort(part->keys, part->count, sizeof(uint64_t), key_compare);
        return;
    }
    size_t half = part->count / 2;
    struct part left = {part->flow, part->keys, part->room, half};
    struct part right = {part->flow, part->keys + half, part->room + half, part->count - half};
    group_begin(part->flow, &group);
    CHECK_OK(leat_group_spawn(&group, sort_run, &left));
    CHECK_OK(leat_group_spawn(&group, sort_run, &right));
    group_end(&group, LEAT_OK);
    merge(part, half);
}

static void
sort_round(struct flow *flow, struct test_prng *prng)
{
    size_t count = test_random_below(prng, KEYS);
    uint64_t *keys = calloc(3 * (count + 1), sizeof(uint64_t));
    CHECK(keys != NULL);
    for (size_t i = 0; i < count; i++) {
        keys[i] = test_random_below(prng, 1000);
        keys[2 * count + i] = keys[i];
    }
    struct part whole = {flow, keys, keys + count, count};
    struct leat_group group;
    group_begin(flow, &group);
    CHECK_OK(leat_group_spawn(&group, sort_run, &whole));
    group_end(&group, LEAT_OK);
    qsort(keys + 2 * count, count, sizeof(uint64_t), key_compare);
    CHECK(memcmp(keys, keys + 2 * count, count * sizeof(uint64_t)) == 0);
    free(keys);
}

/* ---- loops in loops ------------------------------------------------------------------------- */

struct square {
    struct flow *flow;
    size_t side;
    uint32_t *cells; /* plain: each is written by one piece */
};

struct row {
    struct square *square;
    size_t number;
};

static void
cells_run(size_t begin, size_t end, void *argument)
{
    const struct row *row = argument;
    for (size_t i = begin; i < end; i++) {
        row->square->cells[row->number * row->square->side + i]++;
    }
}

static void
rows_run(size_t begin, size_t end, void *argument)
{
    struct square *square = argument;
    for (size_t i = begin; i < end; i++) {
        struct row row = {square, i};
        const struct leat_range range = {0, square->side, 1 + i % 5};
        CHECK_OK(leat_parallel_for(square->flow->engine, &range, cells_run, &row));
    }
}

static void
loop_round(struct flow *flow, struct test_prng *prng)
{
    size_t side = 1 + test_random_below(prng, 60);
    struct square square = {flow, side, calloc(side * side, sizeof(uint32_t))};
    const struct leat_range range = {0, side, test_random_below(prng, 4)};
    CHECK(square.cells != NULL);
    CHECK_OK(leat_parallel_for(flow->engine, &range, rows_run, &square));
    for (size_t i = 0; i < side * side; i++) {
        CHECK_EQUAL(square.cells[i], 1);
    }
    free(square.cells);
}

/* ---- failing and cancelled ------------------------------------------------------------------- */

/* Each task spawns another one into the same group until it is cancelled. */
struct endless {
    struct flow *flow;
    struct leat_group *group;
    leat_atomic_u64 runs;
    uint64_t fails_at;
};

static void
endless_run(void *argument)
{
    struct endless *endless = argument;
    uint64_t runs = atom_add_rlx(&endless->runs, 1);
    (void)atom_add_rlx(&endless->flow->steps, 1);
    if (runs == endless->fails_at) {
        CHECK_OK(leat_group_fail(endless->group, LEAT_NO_SPACE));
    } else if (!leat_group_cancelled(endless->group)) {
        enum leat_status status = leat_group_spawn(endless->group, endless_run, endless);
        CHECK_OK(status);
    }
}

static void
fail_round(struct flow *flow, struct test_prng *prng)
{
    struct leat_group group;
    struct endless endless = {flow, &group, 0, test_random_below(prng, 500)};
    group_begin(flow, &group);
    for (uint32_t i = 0; i < 1 + test_random_below(prng, 4); i++) {
        CHECK_OK(leat_group_spawn(&group, endless_run, &endless));
    }
    group_end(&group, LEAT_NO_SPACE);
}

/* Waits in bits, then cancels. */
static void
cancel_round(struct flow *flow, struct test_prng *prng)
{
    struct leat_group group;
    struct endless endless = {flow, &group, 0, UINT64_MAX};
    group_begin(flow, &group);
    CHECK_OK(leat_group_spawn(&group, endless_run, &endless));
    if (leat_worker_current() == NULL) {
        CHECK_STATUS(leat_group_wait(&group, test_random_below(prng, TEST_MS / 4)), LEAT_TIMEOUT);
    }
    CHECK_OK(leat_group_cancel(&group));
    group_end(&group, LEAT_OK);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
one_round(struct flow *flow, struct test_prng *prng)
{
    void (*const rounds[SHAPES])(struct flow *, struct test_prng *) = {
        tree_round, sort_round, loop_round, fail_round, cancel_round};
    rounds[test_random_below(prng, SHAPES)](flow, prng);
    (void)atom_add_rlx(&flow->rounds, 1);
}

/* A round inside a task, by a seed of its own. */
struct inside {
    struct flow *flow;
    uint64_t seed;
};

static void
inside_run(void *argument)
{
    const struct inside *inside = argument;
    struct test_prng prng = {inside->seed};
    one_round(inside->flow, &prng);
}

static void
outside_thread(void *shared, uint32_t number)
{
    struct flow *flow = shared;
    struct test_prng prng = {flow->seed + number};
    while (test_now_ns() < flow->deadline_ns) {
        struct leat_group group;
        struct inside inside[3];
        group_begin(flow, &group);
        for (uint32_t i = 0; i < TEST_COUNT_OF(inside); i++) {
            inside[i] = (struct inside){flow, test_random(&prng)};
            CHECK_OK(leat_group_spawn(&group, inside_run, &inside[i]));
        }
        one_round(flow, &prng);
        group_end(&group, LEAT_OK);
        if (test_random_below(&prng, 8) == 0) {
            test_sleep_ns(test_random_below(&prng, TEST_MS / 5));
        }
    }
}

static void
mixed(uint32_t workers, uint64_t seed)
{
    struct flow flow = {.deadline_ns = test_now_ns() + test_duration_ns() / 3, .seed = seed};
    struct leat_config config = test_config();
    config.workers = workers;
    flow.engine = test_start(&config);
    test_threads_run(OUTSIDE, outside_thread, &flow);
    CHECK(atom_load_rlx(&flow.rounds) > 0);
    test_say("%u workers: %" PRIu64 " rounds\n", workers, atom_load_rlx(&flow.rounds));
    test_finish(flow.engine);
}

static void
groups_of_all_kinds(void **state)
{
    (void)state;
    uint64_t seed = test_seed("group");
    for (uint32_t workers = 1; workers <= 4; workers *= 2) {
        mixed(workers, seed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_all_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
