/* unit_tags.c - tags: so many and so long below, at and above the limits; read by the handler and
 * from outside; listed in pages and counted, of jobs that wait, run, ended and are kept, and of no
 * others; refused ones change nothing. */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

#define MANY 200

struct fixture {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    uint32_t tags_seen;
    char first_seen[LEAT_TAG_BYTES_MAX + 1];
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const struct leat_tag *tags = leat_run_tags(attempt, &fixture->tags_seen);
    CHECK((tags == NULL) == (fixture->tags_seen == 0));
    CHECK(leat_run_tags(attempt, NULL) == tags);
    memset(fixture->first_seen, 0, sizeof(fixture->first_seen));
    if (tags != NULL) {
        fixture->first_seen[0] = tags[0].text[0];
    }
    return leat_done();
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 1024;
    config.retained_max = 0;
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static enum leat_status
submit(struct fixture *fixture, const char *const *tags, uint32_t count, uint32_t flags,
       leat_job_id *id)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    options.tags = tags;
    options.tags_count = count;
    job.type = fixture->type;
    job.flags = flags;
    job.options = &options;
    return leat_submit(fixture->engine, &job, id);
}

static uint64_t
count_of(struct fixture *fixture, const char *tag)
{
    uint64_t count = 77;
    CHECK_OK(leat_tag_count(fixture->engine, tag, &count));
    return count;
}

static void
run_all(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    char longest[34];
    const char *tags[17];
    leat_job_id id = {0};
    struct leat_tag copies[16];
    uint32_t count = 0;
    memset(longest, 'x', sizeof(longest));
    longest[33] = '\0';
    for (uint32_t i = 0; i < 17; i++) {
        tags[i] = "t";
    }
    CHECK_OK(submit(fixture, tags, 0, 0, NULL));
    CHECK_OK(submit(fixture, NULL, 0, 0, NULL));
    CHECK_STATUS(submit(fixture, tags, 17, 0, NULL), LEAT_INVALID);
    CHECK_STATUS(submit(fixture, NULL, 1, 0, NULL), LEAT_INVALID);
    tags[15] = longest;
    CHECK_STATUS(submit(fixture, tags, 16, 0, NULL), LEAT_INVALID);
    tags[15] = "";
    CHECK_STATUS(submit(fixture, tags, 16, 0, NULL), LEAT_INVALID);
    tags[15] = NULL;
    CHECK_STATUS(submit(fixture, tags, 16, 0, NULL), LEAT_INVALID);
    longest[32] = '\0';
    tags[15] = longest;
    CHECK_OK(submit(fixture, tags, 16, 0, &id));
    CHECK_OK(leat_job_tags(fixture->engine, id, copies, 16, &count));
    CHECK_EQUAL(count, 16);
    CHECK_TEXT(copies[0].text, "t");
    CHECK_TEXT(copies[15].text, longest);
    CHECK_EQUAL(count_of(fixture, longest), 1);
    CHECK_EQUAL(count_of(fixture, "t"), 1);
    teardown(fixture);
}

static void
read_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    char text[] = "a";
    const char *tags[2] = {text, "b"};
    struct leat_tag copies[2];
    uint32_t count = 77;
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, tags, 2, LEAT_JOB_KEEP_RESULT, &id));
    text[0] = 'z'; /* it was copied */
    memset(copies, 0, sizeof(copies));
    CHECK_OK(leat_job_tags(fixture->engine, id, copies, 1, &count));
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(copies[0].text, "a");
    CHECK_TEXT(copies[1].text, "");
    CHECK_OK(leat_job_tags(fixture->engine, id, NULL, 0, &count));
    run_all(fixture);
    CHECK_EQUAL(fixture->tags_seen, 2);
    CHECK_TEXT(fixture->first_seen, "a");
    CHECK_OK(leat_job_tags(fixture->engine, id, copies, 2, &count));
    CHECK_TEXT(copies[1].text, "b");
    CHECK_OK(leat_release(fixture->engine, id));
    CHECK_STATUS(leat_job_tags(fixture->engine, id, copies, 2, &count), LEAT_GONE);
    CHECK_STATUS(leat_job_tags(fixture->engine, id, NULL, 2, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_tags(fixture->engine, id, copies, 2, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_tags(NULL, id, copies, 2, &count), LEAT_INVALID);
    CHECK_OK(leat_submit(fixture->engine,
                         &(struct leat_job){.size = sizeof(struct leat_job),
                                            .version = LEAT_STRUCT_VERSION,
                                            .priority = LEAT_PRIORITY_OF_QUEUE,
                                            .type = fixture->type},
                         &id));
    CHECK_OK(leat_job_tags(fixture->engine, id, copies, 2, &count));
    CHECK_EQUAL(count, 0);
    run_all(fixture);
    CHECK_EQUAL(fixture->tags_seen, 0);
    teardown(fixture);
}

static void
counts(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const char *const ab[] = {"a", "b"};
    const char *const twice[] = {"b", "b"};
    leat_job_id kept = {0};
    leat_job_id id = {0};
    uint64_t count = 77;
    CHECK_EQUAL(count_of(fixture, "a"), 0);
    CHECK_OK(submit(fixture, ab, 2, 0, NULL));
    CHECK_OK(submit(fixture, ab, 1, LEAT_JOB_KEEP_RESULT, &kept));
    CHECK_OK(submit(fixture, twice, 2, 0, &id));
    CHECK_EQUAL(count_of(fixture, "a"), 2);
    CHECK_EQUAL(count_of(fixture, "b"), 2);
    CHECK_EQUAL(count_of(fixture, "A"), 0);
    CHECK_EQUAL(count_of(fixture, "ab"), 0);
    CHECK_OK(leat_cancel(fixture->engine, id));
    run_all(fixture);
    CHECK_EQUAL(count_of(fixture, "a"), 1); /* the kept one */
    CHECK_EQUAL(count_of(fixture, "b"), 0);
    CHECK_OK(leat_release(fixture->engine, kept));
    CHECK_EQUAL(count_of(fixture, "a"), 0);
    CHECK_STATUS(leat_tag_count(fixture->engine, NULL, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(fixture->engine, "", &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(fixture->engine, "123456789012345678901234567890123", &count),
                 LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(fixture->engine, "a", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(NULL, "a", &count), LEAT_INVALID);
    CHECK_EQUAL(count, 77);
    teardown(fixture);
}

/* The place of an id in `ids`. */
static uint32_t
number_of(const leat_job_id *ids, leat_job_id id)
{
    uint32_t number = 0;
    while (number < MANY && ids[number].bits != id.bits) {
        number++;
    }
    CHECK(number < MANY);
    return number;
}

/* Reads all pages of one size. */
static void
pages_of(struct fixture *fixture, const leat_job_id *submitted, size_t capacity)
{
    static uint32_t seen[MANY];
    static leat_job_id ids[MANY];
    struct leat_tag_cursor cursor = {"tag", 0};
    size_t count = capacity;
    size_t all = 0;
    memset(seen, 0, sizeof(seen));
    while (count == capacity) {
        CHECK_OK(leat_tag_list(fixture->engine, &cursor, ids, capacity, &count));
        for (size_t i = 0; i < count; i++) {
            uint32_t number = number_of(submitted, ids[i]);
            CHECK_EQUAL(number % 3, 0);
            CHECK_EQUAL(seen[number], 0);
            seen[number] = 1;
        }
        all += count;
    }
    CHECK_EQUAL(all, (MANY + 2) / 3);
    ids[0].bits = 77;
    CHECK_OK(leat_tag_list(fixture->engine, &cursor, ids, 1, &count));
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(ids[0].bits, 77);
}

/* Every third job has the tag; all of them come once, whatever the size of a page. */
static void
pages(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static leat_job_id submitted[MANY];
    const char *const tags[] = {"other", "tag"};
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_OK(submit(fixture, tags, i % 3 == 0 ? 2 : 1, 0, &submitted[i]));
    }
    for (size_t capacity = 1; capacity <= MANY; capacity = capacity * 3 + 1) {
        pages_of(fixture, submitted, capacity);
    }
    teardown(fixture);
}

static void
list_invalid(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    struct leat_tag_cursor cursor = {"a", UINT64_MAX};
    struct leat_tag_cursor none = {"", 0};
    leat_job_id id = {77};
    size_t count = 77;
    CHECK_STATUS(leat_tag_list(NULL, &cursor, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(engine, &none, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(engine, NULL, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(engine, &cursor, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(engine, &cursor, &id, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(engine, &cursor, &id, 1, NULL), LEAT_INVALID);
    CHECK_EQUAL(count, 77);
    CHECK_OK(leat_tag_list(engine, &cursor, &id, 1, &count));
    CHECK_EQUAL(count, 0);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits), cmocka_unit_test(read_back),    cmocka_unit_test(counts),
        cmocka_unit_test(pages),  cmocka_unit_test(list_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
