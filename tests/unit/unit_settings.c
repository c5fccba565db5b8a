/* unit_settings.c - settings by name: which source counts, what a file may say and where its faults
 * are, the environment, sections of queues and types, and the list. Every call that is refused
 * changes nothing, and so does one that gets no memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/limits.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

/* ---- files ---------------------------------------------------------------------------------- */

static char path[64];

static const char *
file_of(const char *text, size_t length)
{
    (void)snprintf(path, sizeof(path), "unit_settings_%d.ini", (int)getpid());
    FILE *stream = fopen(path, "we");
    CHECK(stream != NULL);
    CHECK_EQUAL(fwrite(text, 1, length, stream), length);
    CHECK(fclose(stream) == 0);
    return path;
}

static enum leat_status
load(struct leat_settings *settings, const char *text, struct leat_error *error)
{
    enum leat_status status = leat_settings_load(settings, file_of(text, strlen(text)), error);
    (void)unlink(path);
    return status;
}

static struct leat_settings *
settings_of(const struct leat_config *base)
{
    struct leat_settings *settings = NULL;
    CHECK_OK(leat_settings_create(base, &settings));
    return settings;
}

static const struct leat_config *
config_of(struct leat_settings *settings)
{
    const struct leat_config *config = NULL;
    struct leat_error error;
    enum leat_status status = leat_settings_config(settings, &config, &error);
    if (status != LEAT_OK) {
        test_say("%s\n", error.text);
    }
    CHECK_STATUS(status, LEAT_OK);
    return config;
}

/* All that is listed, as text. */
static char *
listed(const struct leat_settings *settings)
{
    char *text = calloc(1, 1 << 18);
    size_t length = 0;
    size_t count = 1;
    CHECK(text != NULL);
    for (uint32_t i = 0; count == 1; i++) {
        struct leat_knob_info info = leat_knob_info_default();
        CHECK_OK(leat_knob_list(settings, i, &info, 1, &count));
        if (count == 1) {
            length += (size_t)snprintf(text + length, (1 << 18) - length, "%s %d %s\n", info.name,
                                       (int)info.source, info.value);
        }
    }
    return text;
}

/* ---- sources -------------------------------------------------------------------------------- */

static void
sources_count_in_their_order(void **state)
{
    (void)state;
    struct leat_config base = leat_config_default();
    base.ring_slots = 128;
    base.tasks_max = 100;
    base.jobs_max = 100;
    base.types_max = 100;
    struct leat_settings *settings = settings_of(&base);
    static const char *const variables[] = {"LEAT_JOBS_MAX=102",
                                            "LEAT_TYPES_MAX=102",
                                            "HOME=/",
                                            "LEAT_PRESET=tsan",
                                            "LEAT_",
                                            "LEAT_X",
                                            NULL};
    struct leat_error error;
    /* The order of the calls does not matter. */
    CHECK_OK(leat_settings_set(settings, "types_max", "103", &error));
    CHECK_OK(leat_settings_environment(settings, variables, &error));
    CHECK_OK(load(settings, "tasks_max = 101\njobs_max = 101\ntypes_max = 101\n", &error));
    const struct leat_config *config = config_of(settings);
    CHECK_EQUAL(config->ring_slots, 128);
    CHECK_EQUAL(config->tasks_max, 101);
    CHECK_EQUAL(config->jobs_max, 102);
    CHECK_EQUAL(config->types_max, 103);
    CHECK_EQUAL(config->queues_max, 4096);
    char *text = listed(settings);
    CHECK(strstr(text, "\nring_slots 1 128\n") != NULL);
    CHECK(strstr(text, "\ntasks_max 2 101\n") != NULL);
    CHECK(strstr(text, "\njobs_max 3 102\n") != NULL);
    CHECK(strstr(text, "\ntypes_max 4 103\n") != NULL);
    CHECK(strstr(text, "\nqueues_max 0 4096\n") != NULL);
    CHECK(strstr(text, "\nLEAT_PRIORITY_LEVELS 5 ") != NULL);
    free(text);
    /* Of one source the last one counts. */
    CHECK_OK(load(settings, "tasks_max = 111\n", &error));
    CHECK_OK(leat_settings_set(settings, "types_max", "113", NULL));
    config = config_of(settings);
    CHECK_EQUAL(config->tasks_max, 111);
    CHECK_EQUAL(config->types_max, 113);
    struct leat_engine *engine = test_open(config);
    leat_settings_destroy(settings);
    test_close(engine);
}

static void
texts_are_copied(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    char name[] = "first";
    CHECK_OK(leat_settings_set(settings, "worker_name", name, NULL));
    memset(name, 'x', sizeof(name) - 1);
    CHECK_TEXT(config_of(settings)->worker_name, "first");
    CHECK_OK(leat_settings_set(settings, "worker_name", "second", NULL));
    CHECK_TEXT(config_of(settings)->worker_name, "second");
    leat_settings_destroy(settings);
}

/* ---- what a file may say -------------------------------------------------------------------- */

static void
files_are_read(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    struct leat_error error;
    static const char text[] = "# a comment = not a key\n"
                               "; and another\n"
                               "\n"
                               "workers=3\r\n"
                               "  \t spin_ns\t =  5us \t\n"
                               "[engine]\n"
                               "retained_age_ns = 2h\n"
                               "payload_bytes_max = 64k\n"
                               "pinning = none\n"
                               "  [ queue   mail/out ] \n"
                               "running_max = 7\n"
                               "rate = 100/1s/10\n"
                               "full = block\n"
                               "[type mail.send]\n"
                               "timeout_ns = 5s\n"
                               "retry_kind = exponential\n"
                               "breaker_probes = 3\n"
                               "[queue mail/out]\n"
                               "block_ns = forever";
    CHECK_OK(load(settings, text, &error));
    CHECK_STATUS(error.status, LEAT_OK);
    const struct leat_config *config = config_of(settings);
    CHECK_EQUAL(config->workers, 3);
    CHECK_EQUAL(config->spin_ns, 5000);
    CHECK_EQUAL(config->retained_age_ns, UINT64_C(7200000000000));
    CHECK_EQUAL(config->payload_bytes_max, 65536);
    CHECK_EQUAL(config->pinning, LEAT_PIN_NONE);
    const struct leat_queue_options *queue = NULL;
    CHECK_OK(leat_settings_queue(settings, "mail/out", NULL, &queue));
    CHECK_EQUAL(queue->running_max, 7);
    CHECK_EQUAL(queue->rate.jobs, 100);
    CHECK_EQUAL(queue->rate.per_ns, 1000000000);
    CHECK_EQUAL(queue->rate.burst, 10);
    CHECK_EQUAL(queue->full, LEAT_FULL_BLOCK);
    CHECK_EQUAL(queue->block_ns, LEAT_FOREVER);
    const struct leat_type_options *type = NULL;
    CHECK_OK(leat_settings_type(settings, "mail.send", NULL, &type));
    CHECK_EQUAL(type->timeout_ns, UINT64_C(5000000000));
    CHECK_EQUAL(type->max_attempts, 3);
    CHECK_EQUAL(type->retry->kind, LEAT_RETRY_EXPONENTIAL);
    CHECK_EQUAL(type->retry->base, 2);
    CHECK_EQUAL(type->breaker->probes, 3);
    CHECK_EQUAL(type->breaker->calls_min, 10);
    leat_settings_destroy(settings);
}

struct fault {
    const char *text;
    const char *place; /* line and column */
    const char *field;
    const char *said; /* somewhere in the text */
};

static const struct fault faults[] = {
    {"workers = 257\n", "1:11: ", "workers", "workers must be 0 to 256, not '257'"},
    {"\n\n  workers = x\n", "3:13: ", "workers", "must be 0 to 256, not 'x'"},
    {"workers =\n", "1:10: ", "workers", "not ''"},
    {"wrkers = 1\n", "1:1: ", "wrkers", "did you mean 'workers'?"},
    {"nothing_like_it_at_all = 1\n", "1:1: ", "nothing_like_it_at_all", "there is no"},
    {"WORKERS = 1\n", "1:1: ", "WORKERS", "there is no 'WORKERS'"},
    {"workers = 1\ntasks_max = 64\n workers = 1\n", "3:2: ", "workers",
     "twice; the first line is 1"},
    {"[queue a]\nrunning_max=1\n[queue b]\nrunning_max=1\n[queue a]\nrunning_max=2",
     "6:1: ", "running_max", "twice; the first line is 2"},
    {"workers\n", "1:1: ", "", "neither a [section] nor key = value"},
    {"  = 3\n", "1:3: ", "", "there is no key"},
    {"[engine\n", "1:8: ", "", "']' is missing"},
    {"[]\n", "1:2: ", "", "a section is"},
    {"[engine x]\n", "1:2: ", "", "a section is"},
    {"[queue]\n", "1:2: ", "", "a section is"},
    {" [queues mail]\n", "1:3: ", "", "a section is"},
    {"[queue m ail]\nrunning_max = 1\n", "2:1: ", "running_max", "name of a queue or type"},
    {"[queue mail]\nworkers = 1\n", "2:1: ", "workers",
     "there is no 'workers' here; it belongs into [engine]"},
    {"running_max = 1\n", "1:1: ", "running_max", "belongs into [queue NAME] or [type NAME]"},
    {"[queue q]\nretry_kind = fixed\n", "2:1: ", "retry_kind", "belongs into [type NAME]"},
    {"[queue mail]\nruning_max = 1\n", "2:1: ", "runing_max", "'running_max'"},
    {"workers = 1\001\n", "1:12: ", "", "no text"},
    {"workers = 1 # one\n", "1:11: ", "workers", "not '1 # one'; a comment has its line"},
    {"workers = 1 ; one\n", "1:11: ", "workers", "not '1 ; one'; a comment has its line"},
    {"spin_ns = 5 usec\n", "1:11: ", "spin_ns", "not '5 usec'; its units are ns, us, ms, s, m, h"},
    {"memory_max = 64kb\n", "1:14: ", "memory_max", "not '64kb'; its units are B, KiB, MiB and"},
    {"ring_slots = 100\n", "1:14: ", "ring_slots", "a power of two from 64 to 1048576"},
    {"payload_bytes_inline = 8\n", "1:24: ", "payload_bytes_inline", "a multiple of 16 from 0 to"},
    {"tick_ns = 5us\n", "1:11: ", "tick_ns", "0 or 10us to 10ms"},
    {"pinning = all\n", "1:11: ", "pinning", "none, set or one"},
    {"worker_name = twelve-bytes\n", "1:15: ", "worker_name", "1 to 11 bytes"},
    {"[type t]\nretry_kind = list\n", "2:14: ", "retry_kind", "quartic, fixed or exponential"},
    {"LEAT_RING = scq\n", "1:1: ", "LEAT_RING", "chosen when Leat is built"},
};

static void
faults_have_their_place(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    CHECK_OK(leat_settings_set(settings, "tasks_max", "77", NULL));
    CHECK_OK(leat_settings_set(settings, "queue.a.waiting_max", "7", NULL));
    char *before = listed(settings);
    for (size_t i = 0; i < TEST_COUNT_OF(faults); i++) {
        struct leat_error error;
        char want[128];
        /* What stands before the fault does not count either. */
        char text[256];
        (void)snprintf(text, sizeof(text), "%s", faults[i].text);
        CHECK_STATUS(load(settings, text, &error), LEAT_INVALID);
        (void)snprintf(want, sizeof(want), "%s:%s", path, faults[i].place);
        if (strncmp(error.text, want, strlen(want)) != 0 ||
            strstr(error.text, faults[i].said) == NULL) {
            test_say("'%s': %s\n", faults[i].text, error.text);
            CHECK(false);
        }
        CHECK_STATUS(error.status, LEAT_INVALID);
        CHECK_TEXT(error.field, faults[i].field);
        CHECK_STATUS(load(settings, text, NULL), LEAT_INVALID);
        char *after = listed(settings);
        CHECK_TEXT(after, before);
        free(after);
    }
    free(before);
    leat_settings_destroy(settings);
}

/* A fault that only shows when all is put together names the line as well. */
static void
fields_that_do_not_fit(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    const struct leat_config *config = NULL;
    struct leat_error error;
    CHECK_OK(load(settings, "workers = 4\nworkers_max = 3\n", &error));
    CHECK_STATUS(leat_settings_config(settings, &config, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "workers_max");
    CHECK(strstr(error.text, ".ini:2:15: workers_max must be") != NULL);
    CHECK(config == NULL);
    CHECK_STATUS(leat_settings_config(settings, &config, NULL), LEAT_INVALID);
    CHECK_OK(leat_settings_set(settings, "workers", "3", &error));
    CHECK_EQUAL(config_of(settings)->workers_max, 3);
    CHECK_OK(leat_settings_set(settings, "durability", "os", &error));
    CHECK(config_of(settings)->durability == LEAT_DURABILITY_OS);
    CHECK_OK(leat_settings_set(settings, "log_segment_bytes", "65537B", &error));
    CHECK_STATUS(leat_settings_config(settings, &config, &error), LEAT_INVALID);
    CHECK_STATUS(error.status, LEAT_INVALID);
    CHECK_OK(leat_settings_set(settings, "log_segment_bytes", "64MiB", &error));
    CHECK_OK(leat_settings_set(settings, "log_directory", "/tmp", &error));
    CHECK_TEXT(config_of(settings)->log_directory, "/tmp");
    CHECK_OK(leat_settings_set(settings, "log_directory", "", &error));
    CHECK(config_of(settings)->log_directory == NULL);
    leat_settings_destroy(settings);
}

static void
files_have_a_size(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    struct leat_error error;
    char *text = malloc(LEAT_SETTINGS_BYTES_MAX + 2);
    CHECK(text != NULL);
    memset(text, '\n', LEAT_SETTINGS_BYTES_MAX + 1);
    memcpy(text, "workers = 3", 11); /* NOLINT(bugprone-not-null-terminated-result) */
    CHECK_STATUS(leat_settings_load(settings, file_of(text, LEAT_SETTINGS_BYTES_MAX + 1), &error),
                 LEAT_FULL);
    CHECK_STATUS(error.status, LEAT_FULL);
    CHECK_OK(leat_settings_load(settings, file_of(text, LEAT_SETTINGS_BYTES_MAX), &error));
    CHECK_EQUAL(config_of(settings)->workers, 3);
    CHECK_OK(leat_settings_load(settings, file_of(text, 0), &error)); /* sets nothing */
    CHECK_EQUAL(config_of(settings)->workers, 3);
    /* A byte of 0 does not end it. */
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
    memcpy(text, "workers = 5\n\0workers = 6\n", 25);
    CHECK_STATUS(leat_settings_load(settings, file_of(text, 25), &error), LEAT_INVALID);
    CHECK(strstr(error.text, ":2:1: ") != NULL);
    CHECK_EQUAL(config_of(settings)->workers, 3);
    (void)unlink(path);
    CHECK_STATUS(leat_settings_load(settings, path, &error), LEAT_NOT_FOUND);
    CHECK(strstr(error.text, ": No such file or directory") != NULL);
    CHECK_STATUS(leat_settings_load(settings, "/", &error), LEAT_NOT_FOUND);
    CHECK_STATUS(error.status, LEAT_NOT_FOUND);
    CHECK_TEXT(error.text, "/: Is a directory");
    free(text);
    leat_settings_destroy(settings);
}

/* ---- the environment, and one by one -------------------------------------------------------- */

static void
environment_is_read(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    struct leat_error error;
    const char *variables[] = {"LEAT_TASKS_MAX=64", NULL, NULL};
    static const char *const bad[] = {"LEAT_WORKERS=257", "LEAT_WORKERS=", "LEAT_WRKERS=1",
                                      "LEAT_TASKS_MAX=65"};
    static const char *const said[] = {"workers must be 0 to 256, not '257'", "not ''",
                                       "there is no 'LEAT_WRKERS'; did you mean 'LEAT_WORKERS'?",
                                       "twice"};
    char *before = listed(settings);
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        variables[1] = bad[i];
        CHECK_STATUS(leat_settings_environment(settings, variables, &error), LEAT_INVALID);
        if (strncmp(error.text, "environment: ", 13) != 0 || strstr(error.text, said[i]) == NULL) {
            test_say("%s: %s\n", bad[i], error.text);
            CHECK(false);
        }
        char *after = listed(settings);
        CHECK_TEXT(after, before);
        free(after);
    }
    free(before);
    CHECK(setenv("LEAT_TASKS_MAX", "99", 1) == 0); /* NOLINT(concurrency-mt-unsafe) */
    CHECK_OK(leat_settings_environment(settings, NULL, &error));
    CHECK_EQUAL(config_of(settings)->tasks_max, 99);
    CHECK(unsetenv("LEAT_TASKS_MAX") == 0); /* NOLINT(concurrency-mt-unsafe) */
    leat_settings_destroy(settings);
}

static void
names_are_judged(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "worker",
                                      "queue.",
                                      "queue.running_max",
                                      "queue..running_max",
                                      "type.t.",
                                      "type.t",
                                      "queue.a.rate.",
                                      "queue a.rate",
                                      "queue.a b.rate",
                                      "tenant.a.jobs_max",
                                      ".",
                                      "LEAT_CLAIM_MAX"};
    struct leat_settings *settings = settings_of(NULL);
    struct leat_error error;
    char name[LEAT_NAME_BYTES_MAX + 32];
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        CHECK_STATUS(leat_settings_set(settings, bad[i], "1", &error), LEAT_INVALID);
        CHECK_STATUS(leat_settings_set(settings, bad[i], "1", NULL), LEAT_INVALID);
    }
    /* Dots belong to the name. */
    CHECK_OK(leat_settings_set(settings, "queue.a.b.c.running_max", "1", &error));
    for (int length = LEAT_NAME_BYTES_MAX; length <= LEAT_NAME_BYTES_MAX + 1; length++) {
        memset(name, 'n', sizeof(name));
        memcpy(name, "type.", 5); /* NOLINT(bugprone-not-null-terminated-result) */
        (void)snprintf(name + 5 + length, sizeof(name) - 5 - (size_t)length, ".max_attempts");
        bool fits = length == LEAT_NAME_BYTES_MAX;
        CHECK_STATUS(leat_settings_set(settings, name, "1", &error), fits ? LEAT_OK : LEAT_INVALID);
    }
    char *text = listed(settings);
    CHECK(strstr(text, "\nqueue.a.b.c.running_max 4 1\n") != NULL);
    free(text);
    leat_settings_destroy(settings);
}

/* ---- queues and types ----------------------------------------------------------------------- */

static void
sections_go_over_structs(void **state)
{
    (void)state;
    struct leat_settings *settings = settings_of(NULL);
    struct leat_queue_options queue = leat_queue_options_default();
    struct leat_type_options type = leat_type_options_default();
    const struct leat_retry_policy fixed = leat_retry_fixed(5);
    const struct leat_queue_options *queues = NULL;
    const struct leat_type_options *types = NULL;
    CHECK_OK(leat_settings_set(settings, "queue.q.running_max", "2", NULL));
    CHECK_OK(leat_settings_set(settings, "type.t.retry_jitter_percent", "20", NULL));
    queue.running_max = 1;
    queue.waiting_max = 9;
    CHECK_OK(leat_settings_queue(settings, "q", &queue, &queues));
    CHECK_EQUAL(queues->running_max, 2);
    CHECK_EQUAL(queues->waiting_max, 9);
    CHECK_OK(leat_settings_queue(settings, "other", &queue, &queues));
    CHECK(queues == &queue);
    CHECK_OK(leat_settings_queue(settings, "other", NULL, &queues));
    CHECK(queues == NULL);
    type.retry = &fixed;
    CHECK_OK(leat_settings_type(settings, "t", &type, &types));
    CHECK_EQUAL(types->retry->kind, LEAT_RETRY_FIXED);
    CHECK_EQUAL(types->retry->delay_ns, 5);
    CHECK_EQUAL(types->retry->jitter_percent, 20);
    CHECK(types->breaker == NULL);
    CHECK_OK(leat_settings_type(settings, "q", NULL, &types));
    CHECK(types == NULL);
    queue.version = 9;
    CHECK_STATUS(leat_settings_queue(settings, "q", &queue, &queues), LEAT_UNSUPPORTED);
    type.size = 4;
    CHECK_STATUS(leat_settings_type(settings, "t", &type, &types), LEAT_INVALID);
    leat_settings_destroy(settings);
}

/* ---- memory --------------------------------------------------------------------------------- */

static enum leat_status
all_calls(const struct leat_config *base)
{
    struct leat_settings *settings = NULL;
    static const char *const variables[] = {"LEAT_WORKER_NAME=env", NULL};
    enum leat_status status = leat_settings_create(base, &settings);
    if (status == LEAT_OK) {
        status = load(settings, "worker_name = file\n[queue a]\nrunning_max = 1\n", NULL);
    }
    if (status == LEAT_OK) {
        status = leat_settings_environment(settings, variables, NULL);
    }
    if (status == LEAT_OK) {
        status = leat_settings_set(settings, "worker_name", "flag", NULL);
    }
    if (status == LEAT_OK) {
        status = leat_settings_set(settings, "type.t.max_attempts", "1", NULL);
    }
    leat_settings_destroy(settings);
    return status;
}

static void
memory_that_fails(void **state)
{
    (void)state;
    struct test_memory memory;
    test_memory_init(&memory);
    struct leat_config base = leat_config_default();
    base.allocator = test_memory_allocator(&memory);
    CHECK_OK(all_calls(&base));
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
    uint64_t calls = test_memory_calls(&memory);
    CHECK(calls >= 8);
    for (uint64_t i = 0; i < calls; i++) {
        test_memory_fail(&memory, i, false);
        CHECK_STATUS(all_calls(&base), LEAT_NO_MEMORY);
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
    }
}

/* ---- the list ------------------------------------------------------------------------------- */

static void
lists_in_pieces(void **state)
{
    (void)state;
    static struct leat_knob_info infos[200];
    static struct leat_knob_info one;
    size_t all = 0;
    size_t count = 0;
    one = leat_knob_info_default();
    infos[0] = one;
    CHECK_OK(leat_knob_list(NULL, 0, infos, TEST_COUNT_OF(infos), &all));
    CHECK(all > 80);
    CHECK(all < TEST_COUNT_OF(infos));
    CHECK_TEXT(infos[0].name, "workers");
    CHECK_TEXT(infos[0].environment, "LEAT_WORKERS");
    CHECK_TEXT(infos[0].range, "0 to 256");
    CHECK(infos[0].live);
    CHECK_OK(leat_knob_list(NULL, 7, &one, 1, &count));
    CHECK_EQUAL(count, 1);
    CHECK_TEXT(one.name, infos[7].name);
    CHECK_OK(leat_knob_list(NULL, (uint32_t)all, &one, 1, &count));
    CHECK_EQUAL(count, 0);
    CHECK_OK(leat_knob_list(NULL, UINT32_MAX, &one, 1, &count));
    CHECK_EQUAL(count, 0);
    one.version = 9;
    CHECK_STATUS(leat_knob_list(NULL, 0, &one, 1, &count), LEAT_UNSUPPORTED);
    /* A caller whose struct ends earlier. */
    memset(infos, 0x55, sizeof(infos));
    infos[0].size = (uint32_t)offsetof(struct leat_knob_info, unit);
    infos[0].version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_knob_list(NULL, 0, infos, 2, &count));
    CHECK_TEXT(infos[0].name, "workers");
    const unsigned char *bytes = (const unsigned char *)infos;
    CHECK_EQUAL(bytes[2 * (size_t)infos[0].size], 0x55);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_count_in_their_order),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(faults_have_their_place),
        cmocka_unit_test(fields_that_do_not_fit),
        cmocka_unit_test(files_have_a_size),
        cmocka_unit_test(environment_is_read),
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(sections_go_over_structs),
        cmocka_unit_test(memory_that_fails),
        cmocka_unit_test(lists_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
