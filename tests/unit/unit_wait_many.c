/* unit_wait_many.c - leat_wait_many(): all and any, by themselves and asleep; ids that are gone,
 * were never given out or stand there twice; the numbers of ids below, at and above the limits;
 * timeouts; handlers; an engine that stops meanwhile; structs of other ages. Holds I1 of
 * engine/crowd.h as far as a few threads show it. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define SHORT_NS (20 * TEST_MS)
#define JOBS     5
#define WAITERS  4
#define HOLDS    239
#define UNSET    ((enum leat_status)77)

struct fixture {
    struct leat_engine *engine;
    struct test_gate gates[JOBS]; /* of each job */
    leat_type held;
    leat_job_id ids[JOBS];
    struct leat_wait_set set;
    enum leat_status statuses[JOBS];
    struct leat_job_info infos[JOBS];
    size_t which;
    enum leat_status want;
    leat_atomic_u32 answered;
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    test_gate_wait(&fixture->gates[*(const uint32_t *)leat_run_payload(run, NULL)]);
    return leat_done();
}

static struct leat_wait_set
set_of(struct fixture *fixture, enum leat_wait_mode mode, uint64_t timeout_ns)
{
    struct leat_wait_set set = leat_wait_set_default();
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->statuses[i] = UNSET;
        fixture->infos[i] = leat_job_info_default();
    }
    set.ids = fixture->ids;
    set.count = JOBS;
    set.mode = mode;
    set.timeout_ns = timeout_ns;
    set.statuses = fixture->statuses;
    set.infos = fixture->infos;
    fixture->which = UNSET;
    return set;
}

static leat_job_id
bring(struct fixture *fixture, uint32_t number)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->held;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* As many workers as jobs; nothing is retained. */
static struct fixture *
setup(bool started)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = JOBS;
    config.retained_max = 0;
    config.jobs_max = 8192;
    fixture->engine = test_open(&config);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    for (uint32_t i = 0; i < JOBS; i++) {
        test_gate_init(&fixture->gates[i]);
        fixture->ids[i] = bring(fixture, i);
    }
    if (started) {
        CHECK_OK(leat_start(fixture->engine));
        for (uint32_t i = 0; i < JOBS; i++) {
            test_gate_arrivals(&fixture->gates[i], 1);
        }
    }
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        test_gate_open(&fixture->gates[i]);
    }
    test_close(fixture->engine);
    for (uint32_t i = 0; i < JOBS; i++) {
        test_gate_fini(&fixture->gates[i]);
    }
    free(fixture);
}

static bool
is_gone(void *argument)
{
    struct fixture *fixture = argument;
    struct leat_job_info info = leat_job_info_default();
    return leat_get(fixture->engine, fixture->ids[fixture->which], &info) == LEAT_GONE;
}

/* The job ends, and its record goes. */
static void
end(struct fixture *fixture, uint32_t number)
{
    test_gate_open(&fixture->gates[number]);
    fixture->which = number;
    CHECK(test_until(is_gone, fixture));
}

static void
wait_now(struct fixture *fixture, const struct leat_wait_set *set, enum leat_status want,
         size_t which)
{
    CHECK_STATUS(leat_wait_many(fixture->engine, set, &fixture->which), want);
    CHECK_EQUAL(fixture->which, which);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void
asks_without_waiting(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    struct leat_wait_set set = set_of(fixture, LEAT_WAIT_ALL, 0);
    wait_now(fixture, &set, LEAT_TIMEOUT, 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_STATUS(fixture->statuses[i], LEAT_TIMEOUT);
        CHECK_EQUAL(fixture->infos[i].id.bits, fixture->ids[i].bits);
        CHECK_EQUAL(fixture->infos[i].state, LEAT_JOB_RUNNING);
    }
    set = set_of(fixture, LEAT_WAIT_ANY, 0);
    wait_now(fixture, &set, LEAT_TIMEOUT, JOBS);
    end(fixture, 0);
    end(fixture, 3);
    set = set_of(fixture, LEAT_WAIT_ALL, 0);
    wait_now(fixture, &set, LEAT_TIMEOUT, 1);
    CHECK_STATUS(fixture->statuses[0], LEAT_GONE);
    CHECK_STATUS(fixture->statuses[1], LEAT_TIMEOUT);
    CHECK_STATUS(fixture->statuses[3], LEAT_GONE);
    CHECK_EQUAL(fixture->infos[3].id.bits, fixture->ids[3].bits);
    CHECK_EQUAL(fixture->infos[3].state, 0);
    CHECK_EQUAL(fixture->infos[4].state, LEAT_JOB_RUNNING);
    set = set_of(fixture, LEAT_WAIT_ANY, LEAT_FOREVER);
    wait_now(fixture, &set, LEAT_OK, 0);
    set.ids++;
    set.count = 3;
    wait_now(fixture, &set, LEAT_OK, 2);
    /* What does not interest need not be told. */
    set.statuses = NULL;
    set.infos = NULL;
    CHECK_OK(leat_wait_many(fixture->engine, &set, NULL));
    teardown(fixture);
}

static void
times_out(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    for (uint32_t mode = LEAT_WAIT_ALL; mode <= LEAT_WAIT_ANY; mode++) {
        struct leat_wait_set set = set_of(fixture, (enum leat_wait_mode)mode, SHORT_NS);
        uint64_t before_ns = test_now_ns();
        wait_now(fixture, &set, LEAT_TIMEOUT, mode == LEAT_WAIT_ANY ? JOBS : 0);
        CHECK(test_now_ns() - before_ns >= SHORT_NS);
    }
    teardown(fixture);
}

static void
wait_asleep(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_wait_set set = fixture->set;
    size_t which = UNSET;
    set.timeout_ns = number % 2 == 0 ? LEAT_FOREVER : TEST_PATIENCE_NS;
    if (number != 0) {
        set.statuses = NULL;
        set.infos = NULL;
    }
    CHECK_STATUS(leat_wait_many(fixture->engine, &set, &which), fixture->want);
    if (number == 0) {
        fixture->which = which;
    }
    (void)atom_add_rlx(&fixture->answered, 1);
}

/* Each waiter holds the last job, so all of them. */
static bool
are_there(void *argument)
{
    struct fixture *fixture = argument;
    uint32_t index = (uint32_t)(fixture->ids[JOBS - 1].bits & LEAT_INDEX_NONE);
    uint64_t word = atom_load_rlx(leat_slab_word(&fixture->engine->jobs, index));
    return (word & LEAT_WORD_HOLDS) >= WAITERS * LEAT_WORD_HOLD;
}

/* Who came behind an end would be told less; and most of them sleep. */
static void
wait_start(struct fixture *fixture, struct test_threads *threads)
{
    test_threads_start(threads, WAITERS, wait_asleep, fixture);
    CHECK(test_until(are_there, fixture));
    test_sleep_ns(SHORT_NS);
}

/* Nothing is retained, and still each who came before the ends is told how they were. */
static void
asleep_for_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    static struct test_threads threads;
    fixture->set = set_of(fixture, LEAT_WAIT_ALL, 0);
    wait_start(fixture, &threads);
    for (uint32_t i = JOBS; i > 0; i--) {
        CHECK_EQUAL(atom_load_rlx(&fixture->answered), 0);
        test_gate_open(&fixture->gates[i - 1]);
        test_sleep_ns(SHORT_NS / 4);
    }
    test_threads_join(&threads);
    CHECK_EQUAL(fixture->which, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_STATUS(fixture->statuses[i], LEAT_OK);
        CHECK_EQUAL(fixture->infos[i].state, LEAT_JOB_COMPLETED);
        CHECK_EQUAL(fixture->infos[i].attempts, 1);
    }
    teardown(fixture);
}

/* Each of the jobs in turn is the one that ends. */
static void
asleep_for_any(void **state)
{
    (void)state;
    for (uint32_t ends = 0; ends < JOBS; ends++) {
        struct fixture *fixture = setup(true);
        static struct test_threads threads;
        fixture->set = set_of(fixture, LEAT_WAIT_ANY, 0);
        wait_start(fixture, &threads);
        CHECK_EQUAL(atom_load_rlx(&fixture->answered), 0);
        test_gate_open(&fixture->gates[ends]);
        test_threads_join(&threads);
        CHECK_EQUAL(fixture->which, ends);
        for (uint32_t i = 0; i < JOBS; i++) {
            CHECK_STATUS(fixture->statuses[i], i == ends ? LEAT_OK : LEAT_TIMEOUT);
        }
        CHECK_EQUAL(fixture->infos[ends].state, LEAT_JOB_COMPLETED);
        teardown(fixture);
    }
}

/* The cancel of a job that waits ends it, too. */
static void
asleep_for_a_cancel(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    static struct test_threads threads;
    fixture->set = set_of(fixture, LEAT_WAIT_ANY, 0);
    wait_start(fixture, &threads);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[2]));
    test_threads_join(&threads);
    CHECK_EQUAL(fixture->which, 2);
    CHECK_EQUAL(fixture->infos[2].state, LEAT_JOB_CANCELLED);
    teardown(fixture);
}

static void
stop_wakes(void **state)
{
    (void)state;
    for (uint32_t mode = LEAT_WAIT_ALL; mode <= LEAT_WAIT_ANY; mode++) {
        struct fixture *fixture = setup(false);
        static struct test_threads threads;
        fixture->set = set_of(fixture, (enum leat_wait_mode)mode, 0);
        fixture->want = LEAT_CLOSED;
        wait_start(fixture, &threads);
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        test_threads_join(&threads);
        CHECK_EQUAL(fixture->which, UNSET);
        CHECK_STATUS(fixture->statuses[0], UNSET);
        CHECK_STATUS(leat_wait_many(fixture->engine, &fixture->set, NULL), LEAT_CLOSED);
        teardown(fixture);
    }
}

/* ---- ids and numbers ------------------------------------------------------------------------- */

static void
ids_that_are_none(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    end(fixture, 0);
    for (uint32_t mode = LEAT_WAIT_ALL; mode <= LEAT_WAIT_ANY; mode++) {
        struct leat_wait_set set = set_of(fixture, (enum leat_wait_mode)mode, LEAT_FOREVER);
        leat_job_id never[JOBS];
        memcpy(never, fixture->ids, sizeof(never));
        never[3].bits = 0;
        set.ids = never;
        wait_now(fixture, &set, LEAT_NOT_FOUND, 3);
        CHECK_STATUS(fixture->statuses[0], UNSET);
        CHECK_EQUAL(fixture->infos[1].id.bits, 0);
    }
    /* Nobody is held: what ends goes. */
    end(fixture, 1);
    end(fixture, 2);
    teardown(fixture);
}

/* As often as it stands there a job is looked at: 239 times at most. */
static void
ids_that_come_often(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    static leat_job_id same[HOLDS + 1];
    for (uint32_t i = 0; i <= HOLDS; i++) {
        same[i] = fixture->ids[0];
    }
    struct leat_wait_set set = set_of(fixture, LEAT_WAIT_ALL, 0);
    set.statuses = NULL;
    set.infos = NULL;
    set.ids = same;
    const size_t counts[] = {HOLDS - 1, HOLDS, HOLDS + 1};
    for (uint32_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        set.count = counts[i];
        bool many = counts[i] > HOLDS;
        wait_now(fixture, &set, many ? LEAT_BUSY : LEAT_TIMEOUT, many ? HOLDS : 0);
    }
    end(fixture, 0);
    set.count = HOLDS + 1;
    wait_now(fixture, &set, LEAT_OK, HOLDS + 1);
    teardown(fixture);
}

static void
numbers_of_ids(void **state)
{
    (void)state;
    static leat_job_id ids[LEAT_WAIT_MANY_MAX + 1];
    static enum leat_status statuses[LEAT_WAIT_MANY_MAX + 1];
    struct fixture *fixture = setup(false);
    for (uint32_t i = 0; i <= LEAT_WAIT_MANY_MAX; i++) {
        ids[i] = bring(fixture, i % JOBS);
    }
    struct leat_wait_set set = leat_wait_set_default();
    set.ids = ids;
    set.statuses = statuses;
    set.timeout_ns = 0;
    const size_t counts[] = {0, 1, 63, 64, 65, LEAT_WAIT_MANY_MAX, LEAT_WAIT_MANY_MAX + 1};
    for (uint32_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        bool valid = counts[i] >= 1 && counts[i] <= LEAT_WAIT_MANY_MAX;
        set.count = counts[i];
        CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL),
                     valid ? LEAT_TIMEOUT : LEAT_INVALID);
    }
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < JOBS; i++) {
        test_gate_open(&fixture->gates[i]);
    }
    set.count = LEAT_WAIT_MANY_MAX;
    set.timeout_ns = TEST_PATIENCE_NS;
    CHECK_OK(leat_wait_many(fixture->engine, &set, &fixture->which));
    CHECK_EQUAL(fixture->which, LEAT_WAIT_MANY_MAX);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_wait_many(fixture->engine, &set, NULL));
    for (uint32_t i = 0; i < LEAT_WAIT_MANY_MAX; i++) {
        CHECK_STATUS(statuses[i], LEAT_GONE);
    }
    teardown(fixture);
}

/* ---- callers and structs --------------------------------------------------------------------- */

static struct leat_outcome
waiting_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    leat_job_id self = leat_run_id(run);
    struct leat_wait_set set = leat_wait_set_default();
    set.ids = &self;
    set.count = 1;
    for (uint32_t mode = LEAT_WAIT_ALL; mode <= LEAT_WAIT_ANY; mode++) {
        set.mode = (enum leat_wait_mode)mode;
        set.timeout_ns = 1;
        CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_DEADLOCK);
        set.timeout_ns = 0;
        CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_TIMEOUT);
    }
    return leat_done();
}

static void
in_a_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    leat_type type = test_register(fixture->engine, "waiting", waiting_run, fixture);
    leat_job_id id = test_submit_kept(fixture->engine, type);
    for (uint32_t i = 0; i < JOBS; i++) {
        test_gate_open(&fixture->gates[i]);
    }
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(test_wait(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

static void
mistakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_wait_set good = set_of(fixture, LEAT_WAIT_ALL, 0);
    struct leat_wait_set set = good;
    set.ids = NULL;
    CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_INVALID);
    set = good;
    set.mode = (enum leat_wait_mode)2;
    CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_INVALID);
    set = good;
    set.size = 4;
    CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_INVALID);
    set = good;
    set.version++;
    CHECK_STATUS(leat_wait_many(fixture->engine, &set, NULL), LEAT_UNSUPPORTED);
    fixture->infos[0].size = 4;
    CHECK_STATUS(leat_wait_many(fixture->engine, &good, NULL), LEAT_INVALID);
    fixture->infos[0].size = sizeof(fixture->infos[0]);
    fixture->infos[0].version++;
    CHECK_STATUS(leat_wait_many(fixture->engine, &good, NULL), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_wait_many(fixture->engine, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_wait_many(NULL, &good, NULL), LEAT_INVALID);
    CHECK_EQUAL(fixture->statuses[0], UNSET);
    teardown(fixture);
}

/* Infos of another size lie as far apart as the first one says. */
static void
infos_of_other_ages(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    static struct {
        struct leat_job_info known;
        uint64_t unknown;
    } newer[JOBS];
    struct leat_wait_set set = set_of(fixture, LEAT_WAIT_ALL, 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        newer[i].known = leat_job_info_default();
        newer[i].unknown = i;
    }
    newer[0].known.size = sizeof(newer[0]);
    set.infos = &newer[0].known;
    wait_now(fixture, &set, LEAT_TIMEOUT, 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_EQUAL(newer[i].known.size, sizeof(newer[0]));
        CHECK_EQUAL(newer[i].known.id.bits, fixture->ids[i].bits);
        CHECK_EQUAL(newer[i].unknown, i);
    }
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_without_waiting),
        cmocka_unit_test(times_out),
        cmocka_unit_test(asleep_for_all),
        cmocka_unit_test(asleep_for_any),
        cmocka_unit_test(asleep_for_a_cancel),
        cmocka_unit_test(stop_wakes),
        cmocka_unit_test(ids_that_are_none),
        cmocka_unit_test(ids_that_come_often),
        cmocka_unit_test(numbers_of_ids),
        cmocka_unit_test(in_a_handler),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(infos_of_other_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
