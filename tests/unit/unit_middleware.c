/* unit_middleware.c - functions around handlers, exactly, with a lent thread: those of all types
 * come first, in their order, then those of the type; outcomes come back the same way, and may be
 * looked at, changed, or given without the handler; what is set at the run stays; a second call of
 * leat_next_run() runs nothing. They may be added before and behind a registration, and while jobs
 * run; up to their limit. A type without any is bound to its handler as ever. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

enum way { WAY_PASS, WAY_ANSWER, WAY_CHANGE, WAY_TWICE, WAY_ADD };

struct fixture;

struct ring {
    struct fixture *fixture;
    enum way way;
    char name;
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type other;
    struct ring rings[40];
    char trace[256]; /* who was entered and left, in order */
    struct leat_outcome answer;
    struct leat_outcome seen; /* by the last ring that passed it on */
};

static void
note(struct fixture *fixture, char what)
{
    size_t length = strlen(fixture->trace);
    CHECK(length + 1 < sizeof(fixture->trace));
    fixture->trace[length] = what;
    fixture->trace[length + 1] = '\0';
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    CHECK_OK(leat_run_result(run, "r", 1));
    note(fixture, '.');
    return fixture->answer;
}

static struct leat_outcome
around(struct leat_run *run, struct leat_next *next, void *context)
{
    struct ring *ring = context;
    struct fixture *fixture = ring->fixture;
    CHECK(leat_run_engine(run) == fixture->engine);
    note(fixture, ring->name);
    if (ring->way == WAY_ANSWER) {
        CHECK_OK(leat_run_error(run, "not today"));
        return leat_fail();
    }
    if (ring->way == WAY_ADD) {
        ring->way = WAY_PASS;
        CHECK_OK(leat_type_middleware_add(fixture->engine, fixture->type, around, ring + 1));
    }
    struct leat_outcome outcome = leat_next_run(next);
    fixture->seen = outcome;
    if (ring->way == WAY_TWICE) {
        struct leat_outcome again = leat_next_run(next);
        CHECK_EQUAL(again.kind, outcome.kind);
        CHECK_EQUAL(again.delay_ns, outcome.delay_ns);
    }
    note(fixture, (char)(ring->name - 'a' + 'A'));
    return ring->way == WAY_CHANGE ? leat_done() : outcome;
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = 0;
    fixture->engine = test_start(&config);
    fixture->answer = leat_done();
    for (uint32_t i = 0; i < TEST_COUNT_OF(fixture->rings); i++) {
        fixture->rings[i] = (struct ring){fixture, WAY_PASS, (char)('a' + i % 26)};
    }
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    free(fixture);
}

static void
add(struct fixture *fixture, uint32_t ring)
{
    CHECK_OK(leat_middleware_add(fixture->engine, around, &fixture->rings[ring]));
}

static void
add_to(struct fixture *fixture, leat_type type, uint32_t ring)
{
    CHECK_OK(leat_type_middleware_add(fixture->engine, type, around, &fixture->rings[ring]));
}

static struct leat_job_info
run_one(struct fixture *fixture, leat_type type)
{
    leat_job_id id = test_submit_kept(fixture->engine, type);
    fixture->trace[0] = '\0';
    while (leat_run_some(fixture->engine, 1, NULL) == LEAT_OK) {
    }
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_OK(leat_release(fixture->engine, id));
    return info;
}

static void
traces(struct fixture *fixture, leat_type type, const char *trace)
{
    CHECK_EQUAL(run_one(fixture, type).state, LEAT_JOB_COMPLETED);
    CHECK_TEXT(fixture->trace, trace);
}

static void
in_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    traces(fixture, fixture->type, ".");
    add(fixture, 0);
    traces(fixture, fixture->type, "a.A");
    add_to(fixture, fixture->type, 1);
    traces(fixture, fixture->type, "ab.BA");
    add(fixture, 2);
    traces(fixture, fixture->type, "acb.BCA");
    add_to(fixture, fixture->type, 3);
    traces(fixture, fixture->type, "acbd.DBCA");
    fixture->other = test_register(fixture->engine, "u", handler, fixture);
    traces(fixture, fixture->other, "ac.CA");
    teardown(fixture);
}

static void
of_one_type_only(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    fixture->other = test_register(fixture->engine, "u", handler, fixture);
    const struct leat_binding *plain = leat_binding_of(fixture->engine, fixture->other.bits - 1);
    add_to(fixture, fixture->type, 0);
    traces(fixture, fixture->type, "a.A");
    traces(fixture, fixture->other, ".");
    /* The other type pays nothing. */
    CHECK(plain == leat_binding_of(fixture->engine, fixture->other.bits - 1));
    CHECK(plain->handler == handler);
    teardown(fixture);
}

static void
answers(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    for (uint32_t i = 0; i < 3; i++) {
        add(fixture, i);
    }
    fixture->rings[1].way = WAY_ANSWER;
    struct leat_job_info info = run_one(fixture, fixture->type);
    CHECK_TEXT(fixture->trace, "abA");
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "not today");
    CHECK_EQUAL(fixture->seen.kind, LEAT_OUTCOME_FAIL);

    fixture->rings[1].way = WAY_CHANGE;
    fixture->answer = leat_retry_in(5);
    info = run_one(fixture, fixture->type);
    CHECK_TEXT(fixture->trace, "abc.CBA");
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.result_bytes, 1);
    CHECK_EQUAL(info.attempts, 1);
    teardown(fixture);
}

static void
twice(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    add(fixture, 0);
    add(fixture, 1);
    fixture->rings[0].way = WAY_TWICE;
    fixture->rings[1].way = WAY_TWICE;
    traces(fixture, fixture->type, "ab.BA");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, 1);
    teardown(fixture);
}

/* Each attempt goes through it. */
static void
retries(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    add(fixture, 0);
    fixture->answer = leat_retry_in(0);
    struct leat_job_info info = run_one(fixture, fixture->type);
    CHECK_EQUAL(info.attempts, 3);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_TEXT(fixture->trace, "a.Aa.Aa.A");
    teardown(fixture);
}

/* By a middleware, into the list that it is in: seen by the next attempt at the latest. */
static void
added_meanwhile(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    add(fixture, 0);
    fixture->rings[0].way = WAY_ADD;
    CHECK_EQUAL(run_one(fixture, fixture->type).state, LEAT_JOB_COMPLETED);
    traces(fixture, fixture->type, "ab.BA");
    teardown(fixture);
}

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    fixture->type = test_register(engine, "t", handler, fixture);
    fixture->other = test_register(engine, "u", handler, fixture);
    for (uint32_t i = 0; i < LEAT_MIDDLEWARES_MAX; i++) {
        add(fixture, i);
        add_to(fixture, fixture->type, i);
    }
    CHECK_STATUS(leat_middleware_add(engine, around, &fixture->rings[0]), LEAT_FULL);
    CHECK_STATUS(leat_type_middleware_add(engine, fixture->type, around, &fixture->rings[0]),
                 LEAT_FULL);
    CHECK_EQUAL(run_one(fixture, fixture->type).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(strlen(fixture->trace), 4 * LEAT_MIDDLEWARES_MAX + 1);
    add_to(fixture, fixture->other, 0);
    CHECK_EQUAL(run_one(fixture, fixture->other).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(strlen(fixture->trace), 2 * LEAT_MIDDLEWARES_MAX + 3);
    teardown(fixture);
}

static void
no_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    leat_type unbound = {0};
    job.type_name = "unbound";
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_OK(leat_type_find(fixture->engine, "unbound", &unbound));
    CHECK_STATUS(leat_type_middleware_add(fixture->engine, unbound, around, NULL), LEAT_NOT_FOUND);
    add(fixture, 0);
    fixture->type = test_register(fixture->engine, "unbound", handler, fixture);
    CHECK_EQUAL(fixture->type.bits, unbound.bits);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_TEXT(fixture->trace, "a.A");
    CHECK_STATUS(leat_type_register(fixture->engine, "unbound", handler, fixture, NULL, NULL),
                 LEAT_EXISTS);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order), cmocka_unit_test(of_one_type_only),
        cmocka_unit_test(answers),  cmocka_unit_test(twice),
        cmocka_unit_test(retries),  cmocka_unit_test(added_meanwhile),
        cmocka_unit_test(limits),   cmocka_unit_test(no_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
