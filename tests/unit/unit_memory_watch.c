/* unit_memory_watch.c - what the watchdog of an engine's memory does: what is told and let go of
 * above the mark; records that go back behind a spike, and are counted again; numbers.
 * Holds I1 and I2 of engine/footprint.h, as unit_memory_cap does. */
#include "tests/support/memory_cap.h"

/* ---- the watchdog --------------------------------------------------------------------------- */

/* A look; without any, what is looked up stays as it was. */
static void
look(struct fixture *fixture)
{
    test_clock_pass(&fixture->clock, fixture->engine, LEAT_FOOTPRINT_LOOK_NS);
    CHECK_OK(leat_clock_changed(fixture->engine));
}

static void
told_above_the_mark(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint32_t jobs = 0;
    change(fixture, used(fixture) * 2);
    CHECK_OK(leat_knob_change(fixture->engine, "memory_soft_percent", "60", NULL));
    const uint64_t mark = used(fixture) * 2 / 100 * 60 + 100;
    look(fixture);
    CHECK_EQUAL(fixture->raised, 0);
    while (used(fixture) <= mark + PAYLOAD) {
        CHECK_OK(submit(fixture, (size_t)10 * PAYLOAD, NULL));
        jobs++;
    }
    test_clock_pass(&fixture->clock, fixture->engine, LEAT_FOOTPRINT_LOOK_NS - 1);
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_EQUAL(fixture->raised, 0);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_EQUAL(fixture->raised, 1);
    CHECK(fixture->last.value > fixture->last.limit);
    CHECK(strncmp(fixture->line, "threshold raised: bytes of memory is ", 37) == 0);
    look(fixture);
    CHECK_EQUAL(fixture->raised, 1);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, jobs);
    change(fixture, LOTS);
    CHECK_EQUAL(fixture->cleared, 1);
    teardown(fixture);
}

static void
kept_jobs_go_above_the_mark(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job_info info = leat_job_info_default();
    static leat_job_id ids[2 * LEAT_FOOTPRINT_STEP];
    const char *tags[] = {"a-tag-of-some-length"};
    config.retained_max = 4096;
    start(fixture, &config);
    options.tags = tags;
    options.tags_count = 1;
    job.type = fixture->type;
    job.options = &options;
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    run_all(fixture);
    look(fixture);
    CHECK_OK(leat_get(fixture->engine, ids[0], &info));
    const uint64_t before = used(fixture);
    /* Half a step is to go. */
    const uint64_t each =
        sizeof(struct leat_job_extra) + 100; /* roughly; the oldest ones at any rate */
    change(fixture, (before - each * LEAT_FOOTPRINT_STEP / 2) / 80 * 100);
    CHECK_STATUS(leat_get(fixture->engine, ids[0], &info), LEAT_GONE);
    CHECK_OK(leat_get(fixture->engine, ids[TEST_COUNT_OF(ids) - 1], &info));
    /* All, in more than one step. */
    change(fixture, 1);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(leat_clock_changed(fixture->engine));
    }
    CHECK_STATUS(leat_get(fixture->engine, ids[TEST_COUNT_OF(ids) - 1], &info), LEAT_GONE);
    CHECK(used(fixture) < before);
    change(fixture, LOTS);
    teardown(fixture);
}

/* The steps of a trim. */
static void
trim(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    do {
        CHECK_OK(leat_clock_changed(fixture->engine));
        CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    } while (delay_ns == 0);
}

/* Each time all records are looked at: once in a while is enough. */
static void
gives_back_once_in_a_while(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct leat_footprint *footprint = &fixture->engine->footprint;
    change(fixture, used(fixture));
    const uint64_t again_ns = footprint->back_ns;
    for (uint32_t i = 1; i < LEAT_TRIM_NS / LEAT_FOOTPRINT_LOOK_NS; i++) {
        look(fixture);
        CHECK_EQUAL(footprint->back_ns, again_ns);
    }
    look(fixture);
    look(fixture);
    CHECK_EQUAL(footprint->back_ns, again_ns + LEAT_TRIM_NS);
    teardown(fixture);
}

/* Records of a spike go back, and are counted again when they are used again: by their number, and
 * of fewer of them above the mark. */
static void
records_go_back(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    const uint32_t most = LEAT_TRIM_RECORDS + 64 * UNIT;
    const uint32_t jobs[] = {most, most, LEAT_TRIM_RECORDS / 2};
    uint64_t runs = 0;
    config.jobs_max = most;
    start(fixture, &config);
    const struct leat_footprint *footprint = &fixture->engine->footprint;
    const uint64_t before =
        used(fixture) - (uint64_t)LEAT_SLAB_ROTATION * (footprint->each + footprint->lasting);
    for (uint32_t round = 0; round < TEST_COUNT_OF(jobs); round++) {
        for (uint32_t i = 0; i < jobs[round]; i++) {
            CHECK_OK(submit(fixture, 64, NULL));
        }
        runs += jobs[round];
        CHECK(used(fixture) >= before + (uint64_t)jobs[round] * footprint->each +
                                   (uint64_t)most * footprint->lasting * (round < 2));
        run_all(fixture);
        if (round == 2) {
            look(fixture);
            trim(fixture);
            CHECK(used(fixture) >= before + (uint64_t)jobs[round] * footprint->each);
            change(fixture, used(fixture));
        }
        for (uint32_t i = 0; i < 20; i++) {
            look(fixture);
        }
        trim(fixture);
        look(fixture); /* the spike is over */
        CHECK(used(fixture) < before + (uint64_t)most * footprint->lasting + (4 << 20));
        check_bytes(fixture);
    }
    CHECK_EQUAL(fixture->runs, runs);
    change(fixture, LOTS);
    teardown(fixture);
}

/* ---- metrics -------------------------------------------------------------------------------- */

struct page {
    char text[1 << 18];
    size_t bytes;
};

static bool
page_write(const char *text, size_t bytes, void *context)
{
    struct page *page = context;
    CHECK(page->bytes + bytes < sizeof(page->text));
    memcpy(page->text + page->bytes, text, bytes);
    page->bytes += bytes;
    page->text[page->bytes] = '\0';
    return true;
}

static void
metrics(void **state)
{
    (void)state;
    static struct page page;
    char line[96];
    struct fixture *fixture = setup();
    leave(fixture, 0);
    CHECK_STATUS(submit(fixture, PAYLOAD, NULL), LEAT_FULL);
    atom_store_rlx(&fixture->engine->footprint.most, LOTS);
    CHECK_OK(leat_metrics_write(fixture->engine, LEAT_METRICS_PROMETHEUS, page_write, &page));
    (void)snprintf(line, sizeof(line), "\nleat_memory_max_bytes %llu\n", (unsigned long long)LOTS);
    CHECK(strstr(page.text, line) != NULL);
    CHECK(strstr(page.text, "\nleat_memory_refused_total 1\n") != NULL);
    CHECK(strstr(page.text, "\nleat_memory_bytes ") != NULL);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_above_the_mark),
        cmocka_unit_test(kept_jobs_go_above_the_mark),
        cmocka_unit_test(records_go_back),
        cmocka_unit_test(gives_back_once_in_a_while),
        cmocka_unit_test(metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
