/* unit_job_check.c - leat_job_check() says of each wrong field of a job and its options the same as
 * leat_submit(), and which one it is; it takes no name in. */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static struct leat_job
job_of(leat_type type)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    return job;
}

/* A field, and a value that is wrong where all others are good. */
struct wrong {
    const char *field;
    size_t offset;
    size_t bytes;
    uint64_t value;
    enum leat_status want;
};

#define OF_JOB(name) #name, offsetof(struct leat_job, name), sizeof(((struct leat_job *)0)->name)
#define OF_OPTIONS(name)                                                                           \
    "options." #name, offsetof(struct leat_job_options, name),                                     \
        sizeof(((struct leat_job_options *)0)->name)

static const struct wrong of_job[] = {
    {OF_JOB(size), 7, LEAT_INVALID},
    {OF_JOB(version), 9, LEAT_UNSUPPORTED},
    {OF_JOB(flags), 2, LEAT_UNSUPPORTED},
    {OF_JOB(reserved), 1, LEAT_UNSUPPORTED},
    {OF_JOB(priority), 99, LEAT_INVALID},
    {OF_JOB(payload_bytes), 101, LEAT_INVALID},
    {OF_JOB(max_attempts), 1 << 16, LEAT_INVALID},
    {OF_JOB(payload), 0, LEAT_INVALID},
    {OF_JOB(type), 0, LEAT_INVALID},
    {OF_JOB(type), 9, LEAT_NOT_FOUND},
    {OF_JOB(queue), 9, LEAT_NOT_FOUND},
};

static const struct wrong of_options[] = {
    {OF_OPTIONS(size), 7, LEAT_INVALID},
    {OF_OPTIONS(version), 9, LEAT_UNSUPPORTED},
    {OF_OPTIONS(run_at_ns), 1, LEAT_INVALID}, /* the job has a delay */
    {OF_OPTIONS(timeout_ns), 999999, LEAT_INVALID},
    {OF_OPTIONS(durability), 4, LEAT_INVALID},
    {OF_OPTIONS(reserved), 1, LEAT_UNSUPPORTED},
    {OF_OPTIONS(key_bytes), 0, LEAT_INVALID},
    {OF_OPTIONS(key_bytes), 129, LEAT_INVALID},
    {OF_OPTIONS(unique_key_bytes), 0, LEAT_INVALID},
    {OF_OPTIONS(unique_key_bytes), 129, LEAT_INVALID},
    {OF_OPTIONS(unique_scope), 3, LEAT_INVALID},
    {OF_OPTIONS(unique_conflict), 4, LEAT_INVALID},
    {OF_OPTIONS(unique_for_ns), 1, LEAT_INVALID},
    {OF_OPTIONS(tags_count), 17, LEAT_INVALID},
    {OF_OPTIONS(tags), 0, LEAT_INVALID},
    {OF_OPTIONS(parents_count), 65536, LEAT_INVALID},
    {OF_OPTIONS(parent_policy), 3, LEAT_INVALID},
};

static void
named(struct leat_engine *engine, const struct leat_job *job, enum leat_status want,
      const char *field)
{
    struct leat_error error;
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_submit(engine, job, NULL), want);
    CHECK_STATUS(leat_job_check(engine, job, NULL), want);
    CHECK_STATUS(leat_job_check(engine, job, &error), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK(strncmp(error.text, field, strlen(field)) == 0 && error.text[strlen(field)] == ' ');
}

/* Little-endian, as all machines Leat runs on. */
static void
fields_are_named(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_max = 100;
    struct leat_engine *engine = test_open(&config);
    struct leat_job_options terms = leat_job_options_default();
    struct leat_job good = job_of(test_register(engine, "t", done, NULL));
    const char *const tags[] = {"a", "b"};
    const leat_job_id parent = {1};
    char bytes[200];
    memset(bytes, 1, sizeof(bytes));
    good.payload = bytes;
    good.payload_bytes = 1;
    good.delay_ns = 1;
    terms.key = bytes;
    terms.key_bytes = 1;
    terms.unique_key = bytes;
    terms.unique_key_bytes = 1;
    terms.tags = tags;
    terms.tags_count = 2;
    terms.parents = &parent;
    terms.parents_count = 1;
    for (size_t i = 0; i < TEST_COUNT_OF(of_job); i++) {
        struct leat_job job = good;
        memcpy((char *)&job + of_job[i].offset, &of_job[i].value, of_job[i].bytes);
        named(engine, &job, of_job[i].want, of_job[i].field);
    }
    for (size_t i = 0; i < TEST_COUNT_OF(of_options); i++) {
        struct leat_job_options options = terms;
        struct leat_job job = good;
        job.options = &options;
        memcpy((char *)&options + of_options[i].offset, &of_options[i].value, of_options[i].bytes);
        named(engine, &job, of_options[i].want, of_options[i].field);
    }
    struct leat_error error;
    good.options = &terms;
    CHECK_OK(leat_job_check(engine, &good, &error)); /* what becomes of its parent, nobody asks */
    CHECK_STATUS(error.status, LEAT_OK);
    terms.parents = NULL;
    named(engine, &good, LEAT_INVALID, "options.parents");
    test_close(engine);
}

/* What a field points to; and without a unique key, nothing may be said of one. */
static void
inner_fields_are_named(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    struct leat_job_options options = leat_job_options_default();
    struct leat_retry_policy retry = leat_retry_exponential(1, 1001);
    const char *tags[] = {"a", "more than thirty-two bytes, by one"};
    job.options = &options;
    options.retry = &retry;
    named(engine, &job, LEAT_INVALID, "options.retry.base");
    options.retry = NULL;
    options.tags = tags;
    options.tags_count = 2;
    named(engine, &job, LEAT_INVALID, "options.tags[1]");
    options.tags_count = 1;
    options.name = "";
    named(engine, &job, LEAT_INVALID, "options.name");
    options.name = NULL;
    options.unique_scope = LEAT_UNIQUE_UNTIL_STARTED;
    named(engine, &job, LEAT_INVALID, "options.unique_scope");
    options.unique_scope = LEAT_UNIQUE_UNTIL_FINISHED;
    options.unique_conflict = LEAT_UNIQUE_EXISTING;
    named(engine, &job, LEAT_INVALID, "options.unique_conflict");
    options.unique_conflict = LEAT_UNIQUE_REJECT;
    options.unique_key = "k";
    options.unique_key_bytes = 1;
    options.unique_scope = LEAT_UNIQUE_FOR_TIME;
    named(engine, &job, LEAT_INVALID, "options.unique_for_ns");
    test_close(engine);
}

static void
names_and_owners_are_named(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_engine *other = test_open(&config);
    struct leat_completion_queue *theirs = NULL;
    struct leat_completion_queue *ours = NULL;
    struct leat_queue_options exact = leat_queue_options_default();
    const struct leat_job good = job_of(test_register(engine, "t", done, NULL));
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = good;
    leat_queue queue = {0};
    leat_type type = {0};
    exact.order = LEAT_ORDER_EXACT;
    exact.priority = 1;
    CHECK_OK(leat_queue_create(engine, "exact", &exact, &queue));
    CHECK_OK(leat_completion_queue_create(other, 64, &theirs));
    CHECK_OK(leat_completion_queue_create(engine, 64, &ours));
    job.queue_name = "exact";
    job.priority = 2;
    named(engine, &job, LEAT_INVALID, "priority");
    job.priority = 1;
    CHECK_OK(leat_job_check(engine, &job, NULL));
    job.queue_name = "not a name";
    named(engine, &job, LEAT_INVALID, "queue_name");
    job.queue_name = "new";
    job.type.bits = 0;
    job.type_name = "not a name";
    struct leat_error error;
    CHECK_STATUS(leat_job_check(engine, &job, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "type_name");
    job.type_name = "new";
    CHECK_OK(leat_job_check(engine, &job, NULL));
    CHECK_STATUS(leat_queue_find(engine, "new", &queue), LEAT_NOT_FOUND); /* none is taken in */
    CHECK_STATUS(leat_type_find(engine, "new", &type), LEAT_NOT_FOUND);
    job = good;
    job.completions = theirs;
    named(engine, &job, LEAT_INVALID, "completions");
    job = good;
    job.options = &options;
    options.acknowledgements = theirs;
    named(engine, &job, LEAT_INVALID, "options.acknowledgements");
    options.acknowledgements = ours;
    options.cohort.bits = 1;
    named(engine, &job, LEAT_UNSUPPORTED, "options.acknowledgements");
    CHECK_OK(leat_completion_queue_destroy(theirs));
    CHECK_OK(leat_completion_queue_destroy(ours));
    test_close(other);
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_named),
        cmocka_unit_test(inner_fields_are_named),
        cmocka_unit_test(names_and_owners_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
