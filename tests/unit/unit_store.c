/* unit_store.c - the tests of tests/support/store_suite.h for both stores that are here: the pull
 * queue of an engine, with workers and without, and the driver of examples/store.c, which is a
 * program's own. */
#include "tests/support/store_suite.h"

#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

/* As the example has it, which sees no header but the public one. */
#include "examples/store_table.c" /* NOLINT(bugprone-suspicious-include) */

/* ---- the pull queue ------------------------------------------------------------------------- */

struct queue {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
};

static void
queue_pass(void *context, uint64_t ns)
{
    struct queue *queue = context;
    test_clock_pass(&queue->clock, queue->engine, ns);
}

static struct test_store
queue_open(void)
{
    static struct queue queue;
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    struct test_store store = {.pass = queue_pass, .context = &queue};
    leat_queue made = {0};
    memset(&queue, 0, sizeof(queue));
    test_clock_init(&queue.clock);
    test_memory_init(&queue.memory);
    config.workers = 0;
    config.clock = test_clock_of(&queue.clock);
    config.allocator = test_memory_allocator(&queue.memory);
    queue.engine = test_start(&config);
    CHECK_STATUS(leat_queue_store(queue.engine, made, &store.store), LEAT_NOT_FOUND);
    options.pull = true;
    CHECK_OK(leat_queue_create(queue.engine, "pull", &options, &made));
    CHECK_OK(leat_queue_store(queue.engine, made, &store.store));
    return store;
}

static void
queue_close(struct test_store *store)
{
    struct queue *queue = store->context;
    store->store.close(store->store.context);
    test_close(queue->engine);
    CHECK_EQUAL(test_memory_blocks(&queue->memory), 0);
}

static void
pull_queue(void **state)
{
    (void)state;
    const struct test_store_maker maker = {queue_open, queue_close};
    test_store_suite(&maker);
}

/* ---- the driver of the example -------------------------------------------------------------- */

static leat_atomic_u64 table_time;

static uint64_t
table_now(void *context)
{
    (void)context;
    return atom_load_acq(&table_time);
}

static void
table_pass(void *context, uint64_t ns)
{
    (void)context;
    (void)atom_add_rel(&table_time, ns);
}

static struct test_store
table_open(void)
{
    struct test_store store = {.pass = table_pass};
    CHECK_OK(store_table_open(table_now, NULL, &store.store));
    return store;
}

static void
table_close(struct test_store *store)
{
    store->store.close(store->store.context);
}

static void
own_driver(void **state)
{
    (void)state;
    const struct test_store_maker maker = {table_open, table_close};
    test_store_suite(&maker);
}

/* ---- mistakes ------------------------------------------------------------------------------- */

static void
no_pull_queue(void **state)
{
    (void)state;
    const struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_store store;
    leat_queue queue = {0};
    CHECK_OK(leat_queue_find(engine, "default", &queue));
    CHECK_STATUS(leat_queue_store(engine, queue, &store), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_queue_store(engine, queue, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_store(NULL, queue, &store), LEAT_INVALID);
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pull_queue),
        cmocka_unit_test(own_driver),
        cmocka_unit_test(no_pull_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
