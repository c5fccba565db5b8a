/* unit_names.c - the table of names by itself (valid names, adding, finding, growing to its exact
 * capacity, memory given back also after a failure), and the public functions above it: types and
 * queues by name and by handle, with every status; that the checks of their options say the same as
 * who takes them, and which field is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/names.h"
#include "ring/rcu.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

#define MANY 3000

static void
name_of(char *text, size_t bytes, uint32_t number)
{
    (void)snprintf(text, bytes, "name/%u", number);
}

/* ---- the table ------------------------------------------------------------------------------ */

static void
valid_names(void **state)
{
    (void)state;
    char longest[202];
    memset(longest, 'n', sizeof(longest));
    longest[201] = '\0';
    CHECK(!leat_name_valid(longest));
    longest[200] = '\0';
    CHECK(leat_name_valid(longest));
    CHECK(!leat_name_valid(""));
    for (int c = 1; c < 256; c++) {
        char text[4] = {'a', (char)c, 'b', '\0'};
        bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       strchr("_.:/-", c) != NULL;
        CHECK(leat_name_valid(text) == allowed);
        text[0] = (char)c;
        text[1] = '\0';
        CHECK(leat_name_valid(text) == allowed);
    }
}

static void
fill_and_find(uint32_t capacity)
{
    struct test_memory memory;
    struct leat_names names;
    char text[32];
    uint64_t domain = 0;
    test_memory_init(&memory);
    struct leat_memory table = test_memory_table(&memory);
    memset(&names, 0, sizeof(names));
    CHECK(leat_names_init(&names, capacity, &table, &domain));
    for (uint32_t i = 0; i < capacity; i++) {
        uint32_t index = UINT32_MAX;
        name_of(text, sizeof(text), i);
        CHECK_EQUAL(leat_names_find(&names, text), LEAT_NAME_NONE);
        CHECK(leat_names_text(&names, i) == NULL);
        CHECK_EQUAL(leat_names_add(&names, text, &index), LEAT_NAMES_OK);
        CHECK_EQUAL(index, i);
        CHECK_EQUAL(leat_names_add(&names, text, &index), LEAT_NAMES_FOUND);
        CHECK_EQUAL(index, i);
    }
    uint32_t index = 77;
    CHECK_EQUAL(leat_names_add(&names, "one-too-many", &index), LEAT_NAMES_FULL);
    CHECK_EQUAL(index, 77);
    CHECK_EQUAL(leat_names_find(&names, "one-too-many"), LEAT_NAME_NONE);
    for (uint32_t i = 0; i < capacity; i++) {
        name_of(text, sizeof(text), i);
        CHECK_EQUAL(leat_names_find(&names, text), i);
        CHECK_TEXT(leat_names_text(&names, i), text);
    }
    CHECK(leat_names_text(&names, capacity) == NULL);
    CHECK(leat_names_text(&names, UINT32_MAX) == NULL);
    leat_names_fini(&names);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    fill_and_find(1);
    fill_and_find(2);
    /* Around the size at which the first index grows. */
    fill_and_find(31);
    fill_and_find(32);
    fill_and_find(33);
    fill_and_find(MANY);
}

/* Each allocation of init and of adding fails once: nothing is lost, nothing is half there. */
static void
no_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 0; nth < 2; nth++) {
        struct test_memory memory;
        struct leat_names names;
        uint64_t domain = 0;
        test_memory_init(&memory);
        struct leat_memory table = test_memory_table(&memory);
        memset(&names, 0, sizeof(names));
        test_memory_fail(&memory, nth, false);
        CHECK(!leat_names_init(&names, 100, &table, &domain));
        leat_names_fini(&names);
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
    }
    struct test_memory memory;
    struct leat_names names;
    uint64_t domain = 0;
    char text[32];
    test_memory_init(&memory);
    struct leat_memory table = test_memory_table(&memory);
    memset(&names, 0, sizeof(names));
    CHECK(leat_names_init(&names, MANY, &table, &domain));
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t index = 0;
        name_of(text, sizeof(text), i);
        for (uint64_t nth = 0;; nth++) {
            test_memory_fail(&memory, nth, false);
            enum leat_names_result result = leat_names_add(&names, text, &index);
            test_memory_heal(&memory);
            if (result == LEAT_NAMES_OK) {
                CHECK(nth >= 1);
                break;
            }
            CHECK_EQUAL(result, LEAT_NAMES_NO_MEMORY);
            CHECK_EQUAL(leat_names_find(&names, text), LEAT_NAME_NONE);
        }
        CHECK_EQUAL(index, i);
        CHECK_EQUAL(leat_names_find(&names, text), i);
    }
    leat_names_fini(&names);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

/* ---- types ---------------------------------------------------------------------------------- */

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
types(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.types_max = 3;
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options = leat_type_options_default();
    leat_type type = {99};
    leat_type found = {99};
    const char *name = NULL;

    CHECK_STATUS(leat_type_find(engine, "a", &found), LEAT_NOT_FOUND);
    CHECK_EQUAL(found.bits, 99);
    CHECK_OK(leat_type_register(engine, "a", done, NULL, NULL, &type));
    CHECK(type.bits != 0);
    CHECK(type.bits != 99);
    CHECK_OK(leat_type_find(engine, "a", &found));
    CHECK_EQUAL(found.bits, type.bits);
    CHECK_OK(leat_type_name(engine, type, &name));
    CHECK_TEXT(name, "a");

    leat_type again = {99};
    CHECK_STATUS(leat_type_register(engine, "a", done, NULL, NULL, &again), LEAT_EXISTS);
    CHECK_EQUAL(again.bits, 99);
    CHECK_OK(leat_type_register(engine, "b", done, NULL, &options, NULL));
    CHECK_OK(leat_type_register(engine, "c", done, NULL, &options, &again));
    CHECK(again.bits != type.bits);
    CHECK_STATUS(leat_type_register(engine, "d", done, NULL, NULL, NULL), LEAT_FULL);
    CHECK_STATUS(leat_type_register(engine, "a", done, NULL, NULL, NULL), LEAT_EXISTS);
    CHECK_STATUS(leat_type_find(engine, "d", &found), LEAT_NOT_FOUND);

    static const uint32_t never[] = {0, 4, 64, 65536, UINT32_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(never); i++) {
        leat_type unknown = {never[i]};
        name = "untouched";
        CHECK_STATUS(leat_type_name(engine, unknown, &name), LEAT_NOT_FOUND);
        CHECK_TEXT(name, "untouched");
    }
    test_close(engine);
}

static void
type_options(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options = leat_type_options_default();
    CHECK_EQUAL(options.size, sizeof(options));
    CHECK_EQUAL(options.version, LEAT_STRUCT_VERSION);
    CHECK_EQUAL(options.max_attempts, 3);
    CHECK_EQUAL(options.running_max, 0);
    CHECK_EQUAL(options.timeout_ns, UINT64_C(60000000000));
    CHECK(options.retry == NULL);

    options.max_attempts = 0;
    CHECK_STATUS(leat_type_register(engine, "x", done, NULL, &options, NULL), LEAT_INVALID);
    options.max_attempts = 65536;
    CHECK_STATUS(leat_type_register(engine, "x", done, NULL, &options, NULL), LEAT_INVALID);
    options = leat_type_options_default();
    options.size = 4;
    CHECK_STATUS(leat_type_register(engine, "x", done, NULL, &options, NULL), LEAT_INVALID);
    options = leat_type_options_default();
    options.version++;
    CHECK_STATUS(leat_type_register(engine, "x", done, NULL, &options, NULL), LEAT_UNSUPPORTED);
    leat_type found = {0};
    CHECK_STATUS(leat_type_find(engine, "x", &found), LEAT_NOT_FOUND);

    options = leat_type_options_default();
    options.max_attempts = 1;
    CHECK_OK(leat_type_register(engine, "one", done, NULL, &options, NULL));
    options.max_attempts = 65535;
    CHECK_OK(leat_type_register(engine, "most", done, NULL, &options, NULL));
    /* A caller that knows only the head of the struct. */
    memset(&options, 0xff, sizeof(options));
    leat_type_options_init(&options, 8);
    CHECK_EQUAL(options.size, 8);
    CHECK_EQUAL(options.max_attempts, UINT32_MAX);
    CHECK_OK(leat_type_register(engine, "old", done, NULL, &options, NULL));
    test_close(engine);
}

/* A field, and a value that is wrong where all others are good. */
struct wrong {
    const char *field;
    size_t offset;
    size_t bytes;
    uint64_t value;
    enum leat_status want;
};

#define FIELD(of, name) #name, offsetof(struct of, name), sizeof(((struct of *)0)->name)
#define YEAR_NS         (UINT64_C(366) * 86400 * 1000000000)

static const struct wrong of_types[] = {
    {FIELD(leat_type_options, size), 7, LEAT_INVALID},
    {FIELD(leat_type_options, version), 9, LEAT_UNSUPPORTED},
    {FIELD(leat_type_options, max_attempts), 0, LEAT_INVALID},
    {FIELD(leat_type_options, max_attempts), 65536, LEAT_INVALID},
    {FIELD(leat_type_options, timeout_ns), 999999, LEAT_INVALID},
    {FIELD(leat_type_options, timeout_ns), YEAR_NS + 1, LEAT_INVALID},
    {FIELD(leat_type_options, running_max), UINT32_MAX, LEAT_INVALID},
    {FIELD(leat_type_options, batch_delay_ns), 1, LEAT_INVALID},
    {FIELD(leat_type_options, batch_max), 257, LEAT_INVALID},
};

static const struct wrong of_breakers[] = {
    {FIELD(leat_breaker_options, size), 7, LEAT_INVALID},
    {FIELD(leat_breaker_options, failure_percent), 101, LEAT_INVALID},
    {FIELD(leat_breaker_options, calls_min), 0, LEAT_INVALID},
    {FIELD(leat_breaker_options, window_calls), 9, LEAT_INVALID}, /* calls_min is 10 */
    {FIELD(leat_breaker_options, probes), 1025, LEAT_INVALID},
    {FIELD(leat_breaker_options, window_ns), 1, LEAT_INVALID},
    {FIELD(leat_breaker_options, open_ns), 0, LEAT_INVALID},
};

static void
type_named(struct leat_engine *engine, const struct leat_type_options *options,
           enum leat_status want, const char *field)
{
    struct leat_error error;
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_type_register(engine, "x", done, NULL, options, NULL), want);
    CHECK_STATUS(leat_type_options_check(options, &error), want);
    CHECK_STATUS(leat_type_options_check(options, NULL), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK(strncmp(error.text, field, strlen(field)) == 0 && error.text[strlen(field)] == ' ');
}

/* leat_type_options_check() says the same as a registration, and which field it is. Little-endian,
 * as all machines Leat runs on. */
static void
fields_of_types_are_named(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options;
    struct leat_error error;
    for (size_t i = 0; i < TEST_COUNT_OF(of_types); i++) {
        options = leat_type_options_default();
        memcpy((char *)&options + of_types[i].offset, &of_types[i].value, of_types[i].bytes);
        type_named(engine, &options, of_types[i].want, of_types[i].field);
    }
    for (size_t i = 0; i < TEST_COUNT_OF(of_breakers); i++) {
        struct leat_breaker_options breaker = leat_breaker_options_default();
        char field[48];
        memcpy((char *)&breaker + of_breakers[i].offset, &of_breakers[i].value,
               of_breakers[i].bytes);
        (void)snprintf(field, sizeof(field), "breaker.%s", of_breakers[i].field);
        options = leat_type_options_default();
        options.breaker = &breaker;
        type_named(engine, &options, of_breakers[i].want, field);
    }
    struct leat_retry_policy retry = leat_retry_fixed(YEAR_NS + 1);
    options = leat_type_options_default();
    options.retry = &retry;
    type_named(engine, &options, LEAT_INVALID, "retry.delay_ns");
    options = leat_type_options_default();
    options.rate = leat_rate_of(1, 0, 0);
    type_named(engine, &options, LEAT_INVALID, "rate");
    options = leat_type_options_default();
    options.key_rate = leat_rate_of(1, 1, UINT64_MAX);
    type_named(engine, &options, LEAT_INVALID, "key_rate");
    options = leat_type_options_default();
    options.batch_max = 256;
    options.batch_delay_ns = YEAR_NS;
    CHECK_OK(leat_type_options_check(&options, &error));
    CHECK_STATUS(error.status, LEAT_OK);
    test_close(engine);
}

/* ---- queues --------------------------------------------------------------------------------- */

static void
queues(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.queues_max = 3;
    struct leat_engine *engine = test_open(&config);
    leat_queue standard = {0};
    leat_queue queue = {99};
    leat_queue again = {99};
    const char *name = NULL;
    CHECK_OK(leat_queue_find(engine, "default", &standard));
    CHECK(standard.bits != 0);
    CHECK_OK(leat_queue_name(engine, standard, &name));
    CHECK_TEXT(name, "default");
    CHECK_STATUS(leat_queue_create(engine, "default", NULL, &queue), LEAT_EXISTS);
    CHECK_EQUAL(queue.bits, standard.bits);

    CHECK_STATUS(leat_queue_find(engine, "q", &again), LEAT_NOT_FOUND);
    CHECK_EQUAL(again.bits, 99);
    CHECK_OK(leat_queue_create(engine, "q", NULL, &queue));
    CHECK(queue.bits != standard.bits);
    CHECK_STATUS(leat_queue_create(engine, "q", NULL, &again), LEAT_EXISTS);
    CHECK_EQUAL(again.bits, queue.bits);
    CHECK_OK(leat_queue_create(engine, "r", NULL, &queue));
    again.bits = 99;
    CHECK_STATUS(leat_queue_create(engine, "s", NULL, &again), LEAT_FULL);
    CHECK_EQUAL(again.bits, 99);
    leat_queue never = {4};
    CHECK_STATUS(leat_queue_name(engine, never, &name), LEAT_NOT_FOUND);
    never.bits = 0;
    CHECK_STATUS(leat_queue_name(engine, never, &name), LEAT_NOT_FOUND);
    test_close(engine);
}

static void
queue_options(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {99};
    CHECK_EQUAL(options.size, sizeof(options));
    CHECK_EQUAL(options.priority, LEAT_PRIORITY_NORMAL);
    options.priority = leat_priority_levels();
    CHECK_STATUS(leat_queue_create(engine, "x", &options, &queue), LEAT_INVALID);
    options.priority = LEAT_PRIORITY_OF_QUEUE;
    CHECK_STATUS(leat_queue_create(engine, "x", &options, &queue), LEAT_INVALID);
    options = leat_queue_options_default();
    options.size = 7;
    CHECK_STATUS(leat_queue_create(engine, "x", &options, &queue), LEAT_INVALID);
    options = leat_queue_options_default();
    options.version = 0;
    CHECK_STATUS(leat_queue_create(engine, "x", &options, &queue), LEAT_UNSUPPORTED);
    CHECK_EQUAL(queue.bits, 99);
    CHECK_STATUS(leat_queue_find(engine, "x", &queue), LEAT_NOT_FOUND);
    for (uint32_t level = 0; level < leat_priority_levels(); level++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "level-%u", level);
        options = leat_queue_options_default();
        options.priority = level;
        CHECK_OK(leat_queue_create(engine, name, &options, &queue));
    }
    test_close(engine);
}

/* A type and a queue are known by their names as soon as a job used them, even one that is refused
 * for another reason is free to leave no trace; a second use finds the first. */
static void
names_by_use(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = leat_job_default();
    leat_type type = {0};
    leat_queue queue = {0};
    job.type_name = "used";
    job.queue_name = "used";
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_OK(leat_type_find(engine, "used", &type));
    CHECK_OK(leat_queue_find(engine, "used", &queue));
    leat_type registered = {0};
    CHECK_OK(leat_type_register(engine, "used", done, NULL, NULL, &registered));
    CHECK_EQUAL(registered.bits, type.bits);
    leat_queue created = {0};
    CHECK_STATUS(leat_queue_create(engine, "used", NULL, &created), LEAT_EXISTS);
    CHECK_EQUAL(created.bits, queue.bits);
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

static const struct wrong of_queues[] = {
    {FIELD(leat_queue_options, size), 7, LEAT_INVALID},
    {FIELD(leat_queue_options, version), 0, LEAT_UNSUPPORTED},
    {FIELD(leat_queue_options, priority), 255, LEAT_INVALID},
    {FIELD(leat_queue_options, running_max), UINT32_MAX, LEAT_INVALID},
    {FIELD(leat_queue_options, full), 3, LEAT_INVALID},
    {FIELD(leat_queue_options, weight), 1001, LEAT_INVALID},
    {FIELD(leat_queue_options, order), 2, LEAT_INVALID},
};

static void
queue_named(struct leat_engine *engine, const struct leat_queue_options *options,
            enum leat_status want, const char *field)
{
    struct leat_error error;
    leat_queue queue = {99};
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_queue_create(engine, "x", options, &queue), want);
    CHECK_STATUS(leat_queue_options_check(options, &error), want);
    CHECK_STATUS(leat_queue_options_check(options, NULL), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK(strncmp(error.text, field, strlen(field)) == 0 && error.text[strlen(field)] == ' ');
}

static void
fields_of_queues_are_named(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_queue_options options;
    struct leat_error error;
    for (size_t i = 0; i < TEST_COUNT_OF(of_queues); i++) {
        options = leat_queue_options_default();
        memcpy((char *)&options + of_queues[i].offset, &of_queues[i].value, of_queues[i].bytes);
        queue_named(engine, &options, of_queues[i].want, of_queues[i].field);
    }
    options = leat_queue_options_default();
    options.rate = leat_rate_of(2, 1, 0);
    queue_named(engine, &options, LEAT_INVALID, "rate");
    options = leat_queue_options_default();
    options.key_rate = leat_rate_of(1, YEAR_NS + 1, 0);
    queue_named(engine, &options, LEAT_INVALID, "key_rate");
    options = leat_queue_options_default();
    options.tenant.bits = 9; /* which only an engine knows */
    CHECK_OK(leat_queue_options_check(&options, &error));
    CHECK_STATUS(error.status, LEAT_OK);
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_names),
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(types),
        cmocka_unit_test(type_options),
        cmocka_unit_test(queues),
        cmocka_unit_test(queue_options),
        cmocka_unit_test(names_by_use),
        cmocka_unit_test(fields_of_types_are_named),
        cmocka_unit_test(fields_of_queues_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
