/* unit_batch_levels.c - all-or-none batches with jobs of several priorities: all are taken or none;
 * the most urgent ones come first, those of a level in their order, with keys, gates, times and
 * pull queues among them; each level takes one place of its ring. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS 100

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue;
    struct leat_job jobs[JOBS];
    uint32_t numbers[JOBS];
    leat_job_id ids[JOBS];
    enum leat_status statuses[JOBS];
    uint32_t ran[JOBS];
    uint32_t ran_count;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    fixture->ran[fixture->ran_count++] = *(const uint32_t *)leat_run_payload(attempt, NULL);
    return leat_done();
}

/* Strict priorities, one lent thread. */
static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = 0;
    config.jobs_max = 256;
    config.starvation_picks = 0;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->numbers[i] = i;
        fixture->jobs[i] = leat_job_default();
        fixture->jobs[i].type = fixture->type;
        fixture->jobs[i].payload = &fixture->numbers[i];
        fixture->jobs[i].payload_bytes = sizeof(uint32_t);
    }
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, size_t count)
{
    return leat_submit_batch(fixture->engine, fixture->jobs, count, LEAT_BATCH_ALL_OR_NONE,
                             fixture->ids, fixture->statuses);
}

static void
run_all(struct fixture *fixture)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < JOBS && leat_run_some(fixture->engine, JOBS, &ran) == LEAT_OK; i++) {
    }
}

/* Three levels, in turn: the most urgent ones first, each level in its order; also where a queue
 * has a gate, and so that all is listed. */
static void
levels(void **state)
{
    (void)state;
    for (uint32_t gated = 0; gated < 2; gated++) {
        struct fixture *fixture = setup();
        static const uint32_t of[3] = {5, 0, 2};
        static const uint32_t order[3] = {1, 2, 0};
        if (gated != 0) {
            CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
        }
        for (uint32_t i = 0; i < 60; i++) {
            fixture->jobs[i].priority = of[i % 3];
        }
        CHECK_OK(submit(fixture, 60));
        test_engine_check(fixture->engine);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 60);
        run_all(fixture);
        CHECK_EQUAL(fixture->ran_count, 60);
        for (uint32_t i = 0; i < 60; i++) {
            CHECK_EQUAL(fixture->ran[i], 3 * (i % 20) + order[i / 20]);
        }
        teardown(fixture);
    }
}

/* The same where some wait for a time, some are of a pull queue, and one is wrong. */
static void
levels_beside_others(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_reserve_options reserve = leat_reserve_options_default();
    static struct leat_lease leases[4];
    static _Alignas(16) unsigned char buffer[256];
    leat_queue pull = {0};
    size_t count = 0;
    options.pull = true;
    CHECK_OK(leat_queue_create(fixture->engine, "pull", &options, &pull));
    for (uint32_t i = 0; i < 12; i++) {
        fixture->jobs[i].priority = i % 4;
        fixture->jobs[i].delay_ns = i / 4 == 1 ? UINT64_C(3600000000000) : 0;
        fixture->jobs[i].queue = i / 4 == 2 ? pull : fixture->queue;
    }
    fixture->jobs[11].reserved = 1;
    CHECK_STATUS(submit(fixture, 12), LEAT_UNSUPPORTED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    fixture->jobs[11].reserved = 0;
    CHECK_OK(submit(fixture, 12));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 4);
    run_all(fixture);
    CHECK_EQUAL(fixture->ran_count, 4);
    reserve.queue = pull;
    reserve.max = 4;
    reserve.buffer = buffer;
    reserve.buffer_bytes = sizeof(buffer);
    CHECK_OK(leat_reserve(fixture->engine, &reserve, leases, &count));
    CHECK_EQUAL(count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(leases[i].id.bits, fixture->ids[8 + i].bits);
    }
    teardown(fixture);
}

/* The ring of a level has 64 places: beside 63 others there is one for all of the batch's. */
static void
one_place_each(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job other = fixture->jobs[JOBS - 1];
    for (uint32_t i = 0; i < 2 * 63; i++) {
        other.priority = i % 2;
        CHECK_OK(leat_submit(fixture->engine, &other, NULL));
    }
    for (uint32_t i = 0; i < 80; i++) {
        fixture->jobs[i].priority = i % 2;
    }
    CHECK_OK(submit(fixture, 80));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_waiting, 2 * 63 + 80);
    test_engine_check(fixture->engine);
    teardown(fixture);
}

/* A job with a key keeps its place among those without one; each level has an order of its own. */
static void
keys_in_their_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options[2] = {leat_job_options_default(), leat_job_options_default()};
    static const uint32_t want[] = {1, 3, 5, 7, 9, 0, 2, 4, 6, 8};
    for (uint32_t i = 0; i < 2; i++) {
        options[i].key = i == 0 ? "a" : "b";
        options[i].key_bytes = 1;
    }
    for (uint32_t i = 0; i < 10; i++) {
        fixture->jobs[i].priority = i % 2 == 0 ? 3 : 1;
    }
    fixture->jobs[2].options = &options[0];
    fixture->jobs[5].options = &options[1];
    CHECK_OK(submit(fixture, 10));
    test_engine_check(fixture->engine);
    run_all(fixture);
    CHECK_EQUAL(fixture->ran_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(fixture->ran[i], want[i]);
    }
    teardown(fixture);
}

/* Jobs of one key run as they are in the batch, whatever their levels. */
static void
one_key_over_levels(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const uint32_t of[4] = {5, 0, 3, 1};
    static const uint32_t right[4] = {2, 0, 1, 3};
    struct leat_job_options options = leat_job_options_default();
    options.key = "a";
    options.key_bytes = 1;
    for (uint32_t i = 0; i < 4; i++) {
        fixture->jobs[i].priority = of[i];
        fixture->jobs[i].options = i == 2 ? NULL : &options;
    }
    CHECK_OK(submit(fixture, 4));
    run_all(fixture);
    CHECK_EQUAL(fixture->ran_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(fixture->ran[i], right[i]);
    }
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(levels_beside_others),
        cmocka_unit_test(one_place_each),
        cmocka_unit_test(keys_in_their_order),
        cmocka_unit_test(one_key_over_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
