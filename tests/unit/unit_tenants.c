/* unit_tenants.c - tenants, with a lent thread: jobs and bytes of all its queues, below, at
 * and above each limit, beside the queues' own; what is told; limits that change; drops and waits
 * at a tenant's limit; names, how many, and bad input. */
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_tenant tenant;
    leat_queue queues[3]; /* of the tenant; of the tenant with two jobs at most; of nobody */
    unsigned char payload[100];
    enum leat_status waited;
    struct test_threads threads;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    (void)attempt;
    (void)context;
    return leat_done();
}

static struct fixture *
setup_of(uint32_t workers, enum leat_full_policy full)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_tenant_options options = leat_tenant_options_default();
    struct leat_queue_options queue = leat_queue_options_default();
    config.workers = workers;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    options.jobs_max = 4;
    options.bytes_max = 100;
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", &options, &fixture->tenant));
    queue.full = full;
    CHECK_OK(leat_queue_create(fixture->engine, "nobodys", NULL, &fixture->queues[2]));
    queue.tenant = fixture->tenant;
    CHECK_OK(leat_queue_create(fixture->engine, "first", &queue, &fixture->queues[0]));
    queue.waiting_max = 2;
    CHECK_OK(leat_queue_create(fixture->engine, "second", &queue, &fixture->queues[1]));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, uint32_t queue, size_t bytes)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queues[queue];
    job.payload = fixture->payload;
    job.payload_bytes = bytes;
    return leat_submit(fixture->engine, &job, NULL);
}

static struct leat_tenant_info
told(struct fixture *fixture)
{
    struct leat_tenant_info info = leat_tenant_info_default();
    CHECK_OK(leat_tenant_get(fixture->engine, fixture->tenant, &info));
    return info;
}

static void
jobs_of_all_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_REJECT);
    size_t ran = 0;
    CHECK_OK(submit(fixture, 1, 0));
    CHECK_OK(submit(fixture, 1, 0));
    CHECK_STATUS(submit(fixture, 1, 0), LEAT_FULL); /* its own limit */
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_STATUS(submit(fixture, 0, 0), LEAT_FULL);
    CHECK_OK(submit(fixture, 2, 0));
    CHECK_EQUAL(told(fixture).jobs, 4);
    CHECK_EQUAL(told(fixture).refused, 2);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(told(fixture).jobs, 3);
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_STATUS(submit(fixture, 0, 0), LEAT_FULL);
    teardown(fixture);
}

static void
bytes_of_all_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_REJECT);
    size_t ran = 0;
    CHECK_OK(submit(fixture, 0, 60));
    CHECK_STATUS(submit(fixture, 1, 41), LEAT_FULL);
    CHECK_OK(submit(fixture, 1, 40));
    CHECK_STATUS(submit(fixture, 0, 1), LEAT_FULL);
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(submit(fixture, 2, 100));
    CHECK_EQUAL(told(fixture).bytes, 100);
    CHECK_EQUAL(told(fixture).jobs, 3);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_run_some(fixture->engine, 10, &ran));
    CHECK_EQUAL(told(fixture).bytes, 0);
    CHECK_EQUAL(told(fixture).jobs, 0);
    CHECK_OK(submit(fixture, 0, 100));
    teardown(fixture);
}

static void
limits_that_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_REJECT);
    struct leat_tenant_options options = leat_tenant_options_default();
    CHECK_EQUAL(told(fixture).jobs_max, 4);
    CHECK_EQUAL(told(fixture).bytes_max, 100);
    CHECK_EQUAL(told(fixture).queues, 2);
    options.jobs_max = 1;
    CHECK_OK(leat_tenant_set_limits(fixture->engine, fixture->tenant, &options));
    CHECK_OK(submit(fixture, 0, 100));
    CHECK_STATUS(submit(fixture, 0, 0), LEAT_FULL);
    options.jobs_max = 0;
    CHECK_OK(leat_tenant_set_limits(fixture->engine, fixture->tenant, &options));
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(submit(fixture, 0, 100));
    }
    CHECK_EQUAL(told(fixture).bytes, 1100);
    teardown(fixture);
}

static void
drops_of_the_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_DROP_OLDEST);
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_STATUS(submit(fixture, 1, 0), LEAT_FULL); /* has none of its own to drop */
    CHECK_EQUAL(told(fixture).refused, 1);
    CHECK_OK(submit(fixture, 0, 0));
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queues[0], &info));
    CHECK_EQUAL(info.dropped, 1);
    CHECK_EQUAL(info.waiting, 4);
    CHECK_EQUAL(info.tenant.bits, fixture->tenant.bits);
    teardown(fixture);
}

static void
waiter(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    (void)number;
    fixture->waited = submit(fixture, 0, 0);
}

static bool
was_refused(void *argument)
{
    return told(argument).refused >= 2; /* at once, and when it began to wait */
}

/* By room of another queue of the tenant; by a new limit. */
static void
waits_for_the_tenant(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        struct fixture *fixture = setup_of(1, LEAT_FULL_BLOCK);
        struct leat_tenant_options options = leat_tenant_options_default();
        size_t count = 0;
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[0]));
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[1]));
        CHECK_OK(submit(fixture, 1, 0));
        CHECK_OK(submit(fixture, 1, 100));
        CHECK_OK(submit(fixture, 0, 0));
        CHECK_OK(submit(fixture, 0, 0));
        test_threads_start(&fixture->threads, 1, waiter, fixture);
        CHECK(test_until(was_refused, fixture));
        if (way == 0) {
            CHECK_OK(leat_queue_purge(fixture->engine, fixture->queues[1], &count));
            CHECK_EQUAL(count, 2);
        } else {
            CHECK_OK(leat_tenant_set_limits(fixture->engine, fixture->tenant, &options));
        }
        test_threads_join(&fixture->threads);
        CHECK_OK(fixture->waited);
        teardown(fixture);
    }
}

static void
names(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_REJECT);
    struct leat_engine *engine = fixture->engine;
    leat_tenant tenant = {0};
    const char *name = NULL;
    char text[16];
    CHECK_STATUS(leat_tenant_create(engine, "tenant", NULL, &tenant), LEAT_EXISTS);
    CHECK_EQUAL(tenant.bits, fixture->tenant.bits);
    CHECK_EQUAL(told(fixture).jobs_max, 4);
    tenant.bits = 0;
    CHECK_OK(leat_tenant_find(engine, "tenant", &tenant));
    CHECK_EQUAL(tenant.bits, fixture->tenant.bits);
    CHECK_OK(leat_tenant_name(engine, tenant, &name));
    CHECK_TEXT(name, "tenant");
    CHECK_STATUS(leat_tenant_find(engine, "other", &tenant), LEAT_NOT_FOUND);
    for (uint32_t i = 1; i < 64; i++) { /* queues_max */
        (void)snprintf(text, sizeof(text), "t%u", i);
        CHECK_OK(leat_tenant_create(engine, text, NULL, &tenant));
    }
    CHECK_EQUAL(tenant.bits, 64);
    CHECK_OK(leat_tenant_name(engine, tenant, &name)); /* the last one is as good */
    CHECK_TEXT(name, "t63");
    CHECK_STATUS(leat_tenant_create(engine, "one-more", NULL, &tenant), LEAT_FULL);
    CHECK_EQUAL(tenant.bits, 64);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FULL_REJECT);
    struct leat_engine *engine = fixture->engine;
    struct leat_tenant_options options = leat_tenant_options_default();
    struct leat_tenant_info info = leat_tenant_info_default();
    const leat_tenant none = {0};
    const leat_tenant unknown = {2};
    const leat_tenant beyond = {65};
    const leat_tenant far_beyond = {UINT32_MAX};
    leat_tenant tenant = {0};
    const char *name = NULL;
    CHECK_STATUS(leat_tenant_create(NULL, "a", NULL, &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_create(engine, NULL, NULL, &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_create(engine, "a", NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_create(engine, "a b", NULL, &tenant), LEAT_INVALID);
    options.version = 2;
    CHECK_STATUS(leat_tenant_create(engine, "a", &options, &tenant), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_tenant_set_limits(engine, fixture->tenant, &options), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_tenant_set_limits(engine, fixture->tenant, NULL), LEAT_INVALID);
    options = leat_tenant_options_default();
    CHECK_STATUS(leat_tenant_set_limits(NULL, fixture->tenant, &options), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_set_limits(engine, none, &options), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_set_limits(engine, unknown, &options), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_set_limits(engine, unknown, NULL), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_set_limits(engine, beyond, &options), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_set_limits(engine, far_beyond, &options), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_get(NULL, fixture->tenant, &info), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_get(engine, fixture->tenant, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_get(engine, unknown, &info), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_find(engine, "a b", &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_find(engine, "a", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_find(engine, NULL, &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_find(NULL, "a", &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_name(engine, fixture->tenant, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_name(engine, unknown, &name), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_find(engine, "a", &tenant), LEAT_NOT_FOUND);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_all_queues),
        cmocka_unit_test(bytes_of_all_queues),
        cmocka_unit_test(limits_that_change),
        cmocka_unit_test(drops_of_the_queue),
        cmocka_unit_test(waits_for_the_tenant),
        cmocka_unit_test(names),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
