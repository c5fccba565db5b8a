/* model_table.c - the real engine/table.c without its hash table, which is liburcu's: every
 * interleaving of threads that free nodes, and tidy, with C11 memory. A node is written before it
 * is put on the list of those removed, and as it is freed; the size is written by who changes it.
 *
 * free   two threads free a node each, and one tidies: each node is freed once, or on the list.
 * size   where one in two nodes is more than there are buckets, and less than one in sixteen; and
 *        at the limits.
 * tidy   two threads tidy: one of them frees, or each of them some; one is at the size at a time.
 * Holds I2 of engine/table.h and the edges removed:A -> removed:B and tidy:A -> tidy:B.
 */
#include <stdio.h>

#include "engine/table.h"
#include "ring/rcu.h"
#include "tests/support/explore.h"

/* Grace periods and buckets are liburcu's. */
static void model_wait(void *domain);
static void model_resize(struct cds_lfht *lfht, unsigned long buckets);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_rcu_wait   model_wait
#define cds_lfht_resize model_resize
/* NOLINTEND(readability-identifier-naming) */

#include "engine/table.c" /* NOLINT(bugprone-suspicious-include) */

#define NODES 2
#define LEAST LEAT_TABLE_LOG2_MIN

enum step { STEP_NONE, STEP_FREE, STEP_TIDY, STEP_BOTH };

struct scenario {
    const char *name;
    uint32_t before;  /* nodes that are on the list */
    uint32_t members; /* nodes in the table */
    uint32_t log2;    /* of its buckets */
    uint32_t wanted;  /* at the end */
    enum step steps[EXPLORE_THREADS_MAX];
};

struct state {
    struct leat_table table;
    struct leat_table_node nodes[NODES];
    uint32_t freed[NODES];
    uint32_t resized; /* plain: by who changes the size */
};

static struct state state_now;
static const struct scenario *scenario;

static void
model_wait(void *domain)
{
    (void)domain;
    explore_point();
}

static void
model_resize(struct cds_lfht *lfht, unsigned long buckets)
{
    (void)lfht;
    EXPLORE_CHECK(buckets == 1UL << scenario->wanted);
    explore_plain_write(&state_now.resized, "size");
    state_now.resized++;
}

static void
node_give(void *memory, size_t bytes, void *context)
{
    struct leat_table_node *node = memory;
    (void)bytes;
    (void)context;
    explore_plain_write(node, "node");
    EXPLORE_CHECK(state_now.freed[node - state_now.nodes] == 0);
    state_now.freed[node - state_now.nodes] = 1;
}

static void
free_one(struct state *state, uint32_t number)
{
    explore_plain_write(&state->nodes[number], "node");
    leat_table_free(&state->table, &state->nodes[number]);
}

static void
thread(void *argument)
{
    struct state *state = argument;
    enum step step = scenario->steps[explore_thread()];
    if (step == STEP_FREE || step == STEP_BOTH) {
        free_one(state, scenario->before + explore_thread());
    }
    if (step == STEP_TIDY || step == STEP_BOTH) {
        leat_table_tidy(&state->table);
    }
}

static void
table_setup(void *argument)
{
    struct state *state = argument;
    struct leat_table *table = &state->table;
    table->memory = (struct leat_memory){NULL, node_give, NULL};
    atom_init(&table->buckets_log2, scenario->log2);
    atom_init(&table->count, scenario->members);
    for (uint32_t i = 0; i < scenario->before; i++) {
        free_one(state, i);
    }
}

static void
table_check(void *argument)
{
    struct state *state = argument;
    struct leat_table *table = &state->table;
    uint32_t listed = 0;
    /* rlx: not shared yet */
    for (const struct leat_table_node *node = atom_load_rlx(&table->removed); node != NULL;
         node = node->removed) {
        EXPLORE_CHECK(state->freed[node - state->nodes] == 0);
        listed++;
    }
    /* rlx: not shared yet */
    EXPLORE_CHECK(atom_load_rlx(&table->removed_count) == listed);
    uint32_t there = scenario->before;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        bool frees = scenario->steps[i] == STEP_FREE || scenario->steps[i] == STEP_BOTH;
        there += frees ? 1 : 0;
    }
    EXPLORE_CHECK(state->freed[0] + state->freed[1] + listed == there);
    EXPLORE_CHECK(atom_load_rlx(&table->tidying) == 0); /* rlx: not shared yet */
    EXPLORE_CHECK(state->resized == (scenario->wanted != scenario->log2 ? 1 : 0));
    EXPLORE_CHECK(atom_load_rlx(&table->buckets_log2) == scenario->wanted);
}

static const struct scenario scenarios[] = {
    {"table_free", 0, 100, LEAST, LEAST, {STEP_FREE, STEP_FREE, STEP_TIDY}},
    {"table_tidy", 2, 100, LEAST, LEAST, {STEP_TIDY, STEP_TIDY}},
    {"table_both", 0, 100, LEAST, LEAST, {STEP_BOTH, STEP_BOTH}},
    {"table_grows", 0, 3000, LEAST, 11, {STEP_BOTH, STEP_TIDY, STEP_TIDY}},
    {"table_size", 0, 512, LEAST, LEAST, {STEP_TIDY}},
    {"table_size", 0, 513, LEAST, 9, {STEP_TIDY}},
    {"table_size", 0, 64, 10, 10, {STEP_TIDY}},
    {"table_size", 0, 63, 10, 9, {STEP_TIDY}},
    {"table_size", 0, 0, 10, LEAST, {STEP_TIDY}},
    {"table_size", 0, UINT32_MAX, LEAST, LEAT_TABLE_LOG2_MAX, {STEP_TIDY}},
};

int
main(void)
{
    bool good = true;
    for (uint32_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct explore_counts counts;
        scenario = &scenarios[i];
        struct explore_model model = {.name = scenario->name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = table_setup,
                                      .check = table_check};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->steps[j] == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
