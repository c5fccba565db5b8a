/* unit_durable_seal.c - durable jobs in a log that is compressed or encrypted: they come back, and
 * nothing of what they carry is on the disk; other keys, none, and one where there was none are
 * refused with a sentence and nothing has changed; keys change between opens and in one, and what
 * older ones have written is written anew; no nonce comes twice, whatever is cut off or copied. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/seal.h"

#define HOUR_NS (UINT64_C(3600) * 1000000000)

struct world {
    char directory[32];
    char copy[32];
    struct leat_config config;
    uint32_t keys[LEAT_SEAL_KEYS_MAX + 1]; /* by number; 0: no more */
    uint32_t asked;
    struct leat_engine *engine;
    leat_type type;
    char seen[8192]; /* payload of the last run */
    size_t seen_bytes;
    uint32_t runs;
    bool fails;
};

/* ---- worlds ---------------------------------------------------------------------------------- */

static bool
key_of(void *context, uint32_t number, unsigned char key[LEAT_LOG_KEY_BYTES])
{
    struct world *world = context;
    world->asked++;
    if (number > LEAT_SEAL_KEYS_MAX || world->keys[number] == 0) {
        return false;
    }
    const struct leat_seal_source source = seal_test_key(world->keys[number]);
    return source.key(source.context, key);
}

static void
keys_set(struct world *world, uint32_t first, uint32_t second)
{
    world->keys[0] = first;
    world->keys[1] = second;
    world->config.log_key = first == 0 ? NULL : key_of;
    world->config.log_key_context = world;
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct world *world = context;
    const void *payload = leat_run_payload(run, &world->seen_bytes);
    CHECK(world->seen_bytes <= sizeof(world->seen));
    if (world->seen_bytes != 0) {
        memcpy(world->seen, payload, world->seen_bytes);
    }
    world->runs++;
    if (world->fails) {
        CHECK_OK(leat_run_error(run, "an-error-of-its-own"));
        return leat_fail();
    }
    CHECK_OK(leat_run_result(run, "a-result-of-its-own", 19));
    return leat_done();
}

static void
world_open(struct world *world)
{
    world->config.log_directory = world->directory;
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "type-of-work", handler, world);
}

/* The open must fail; nothing has changed then. */
static enum leat_status
world_try(struct world *world, struct leat_error *error)
{
    world->config.log_directory = world->directory;
    return leat_open(&world->config, &world->engine, error);
}

static struct world *
world_make(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "unit_durable_seal.XXXXXX");
    strcpy(world->copy, "unit_durable_seal.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL && mkdtemp(world->copy) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.log_segment_bytes = UINT64_C(1) << 18;
    world->config.log_ring_bytes = UINT64_C(1) << 17;
    world->config.payload_bytes_max = UINT32_C(1) << 20;
    world->config.jobs_max = 256;
    return world;
}

static void
world_free(struct world *world)
{
    test_directory_remove(world->directory);
    test_directory_remove(world->copy);
    free(world);
}

static void
world_close(struct world *world)
{
    test_close(world->engine);
    world->engine = NULL;
    world->runs = 0;
}

/* What the process would leave behind now, in the copy. */
static void
world_copy(struct world *world)
{
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    test_directory_empty(world->copy);
    test_directory_copy(world->directory, world->copy);
}

static void
world_swap(struct world *world)
{
    char directory[sizeof(world->directory)];
    memcpy(directory, world->directory, sizeof(directory));
    memcpy(world->directory, world->copy, sizeof(directory));
    memcpy(world->copy, directory, sizeof(directory));
}

static void
world_crash(struct world *world)
{
    world_copy(world);
    world_close(world);
    world_swap(world);
}

static void
run_all(struct world *world)
{
    size_t ran = 0;
    if (test_state(world->engine) == LEAT_ENGINE_OPEN) {
        CHECK_OK(leat_start(world->engine));
    }
    while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
    }
}

static leat_job_id
submit(struct world *world, const void *payload, size_t bytes, uint64_t delay_ns)
{
    leat_job_id id;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = bytes;
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

static struct leat_recovery_info
found(struct world *world)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    CHECK_OK(leat_recovery_get(world->engine, &info));
    return info;
}

/* The cleaner is a thread of its own: it comes to it. */
static void
wait_renewed(struct world *world)
{
    struct leat_durable *durable = world->engine->durable;
    uint64_t renew = atom_load_rlx(&durable->renew); /* rlx: not shared yet */
    CHECK(renew != 0);
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t oldest = leat_wal_oldest(&durable->wal);
        if (oldest == 0 || oldest > renew) {
            return;
        }
        usleep(10000);
    }
    CHECK(false);
}

/* ---- jobs come back -------------------------------------------------------------------------- */

static const char *const secrets[] = {"type-of-work", "queue-of-work", "name-of-it",   "key-of-it",
                                      "unique-of-it", "tag-of-it",     "payload-of-it"};

static leat_job_id
submit_secrets(struct world *world)
{
    static const char *const tags[] = {"tag-of-it"};
    leat_job_id id;
    leat_queue queue;
    struct leat_queue_options queue_options = leat_queue_options_default();
    queue_options.priority = 1;
    CHECK_OK(leat_queue_create(world->engine, "queue-of-work", &queue_options, &queue));
    struct leat_job_options options = leat_job_options_default();
    options.name = "name-of-it";
    options.key = "key-of-it";
    options.key_bytes = 9;
    options.unique_key = "unique-of-it";
    options.unique_key_bytes = 12;
    options.tags = tags;
    options.tags_count = 1;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.queue = queue;
    job.payload = "payload-of-it";
    job.payload_bytes = 13;
    job.options = &options;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

/* A job with all that can be secret, its run, a crash behind each. */
static void
secrets_story(struct world *world, bool hidden)
{
    world_open(world);
    leat_job_id id = submit_secrets(world);
    world_crash(world);
    for (size_t i = 0; i < TEST_COUNT_OF(secrets); i++) {
        CHECK(test_directory_has(world->directory, secrets[i]) != hidden);
    }
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).waiting == 1);
    run_all(world);
    CHECK(world->runs == 1 && world->seen_bytes == 13);
    CHECK(memcmp(world->seen, "payload-of-it", 13) == 0);
    world->fails = true;
    leat_job_id dead = submit(world, "it dies", 7, 0);
    run_all(world);
    world_crash(world);
    CHECK(test_directory_has(world->directory, "a-result-of-its-own") != hidden);
    CHECK(test_directory_has(world->directory, "an-error-of-its-own") != hidden);
    world_open(world);
    char result[32] = "";
    size_t bytes = 0;
    CHECK(test_get(world->engine, id).state == LEAT_JOB_COMPLETED);
    CHECK_OK(leat_result(world->engine, id, result, sizeof(result), &bytes));
    CHECK(bytes == 19 && memcmp(result, "a-result-of-its-own", 19) == 0);
    CHECK(test_get(world->engine, dead).state == LEAT_JOB_DEAD);
    CHECK_TEXT(test_get(world->engine, dead).error, "an-error-of-its-own");
    world_close(world);
}

static void
nothing_of_a_job_is_on_the_disk(void **state)
{
    (void)state;
    struct world *world = world_make();
    secrets_story(world, false);
    world_free(world);
    if (!leat_seal_encrypts()) {
        skip();
    }
    world = world_make();
    keys_set(world, 1, 0);
    secrets_story(world, true);
    world_free(world);
}

static void
payload_fill(unsigned char *payload, size_t bytes, uint32_t number)
{
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (unsigned char)(number + i / 64);
    }
}

static bool
record_count(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    uint64_t *bytes = context;
    (void)place;
    *bytes += record->bytes;
    return true;
}

static uint64_t
stored_bytes(const char *directory)
{
    struct leat_wal_report report;
    uint64_t bytes = 0;
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = directory,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = UINT64_C(1) << 18,
                                           .ring_bytes = UINT64_C(1) << 17};
    const struct leat_wal_reader reader = {record_count, &bytes};
    CHECK_OK(leat_wal_read(&config, &reader, &report));
    return bytes;
}

/* So many jobs of 4 KiB that compress well: returns the bytes that they take. */
static uint64_t
large_story(struct world *world)
{
    enum { JOBS = 20, BYTES = 4096 };
    leat_job_id ids[JOBS];
    unsigned char *large = malloc(BYTES);
    CHECK(large != NULL);
    world_open(world);
    for (uint32_t i = 0; i < JOBS; i++) {
        payload_fill(large, BYTES, i);
        ids[i] = submit(world, large, BYTES, i == 0 ? 0 : HOUR_NS);
    }
    world_crash(world);
    uint64_t stored = stored_bytes(world->directory);
    world->config.log_compression = LEAT_LOG_COMPRESSION_NONE; /* reading needs no knob */
    world_open(world);
    CHECK_EQUAL(found(world).jobs, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_EQUAL(test_get(world->engine, ids[i]).payload_bytes, BYTES);
    }
    run_all(world);
    CHECK(world->runs == 1 && world->seen_bytes == BYTES);
    payload_fill(large, BYTES, 0);
    CHECK_EQUAL(memcmp(world->seen, large, BYTES), 0);
    world_close(world);
    free(large);
    return stored;
}

static void
what_compresses_is_smaller(void **state)
{
    (void)state;
    if (!leat_seal_compresses()) {
        skip();
    }
    struct world *world = world_make();
    uint64_t plain = large_story(world);
    world_free(world);
    world = world_make();
    world->config.log_compression = LEAT_LOG_COMPRESSION_LZ4;
    uint64_t compressed = large_story(world);
    world_free(world);
    CHECK(plain > UINT64_C(20) * 4096);
    CHECK(compressed < plain / 4);
    if (leat_seal_encrypts()) {
        world = world_make();
        keys_set(world, 1, 0);
        world->config.log_compression = LEAT_LOG_COMPRESSION_LZ4;
        uint64_t both = large_story(world);
        CHECK(both > compressed && both < plain / 4);
        world_free(world);
    }
}

static void
a_batch_is_one_unit(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    struct leat_job jobs[5];
    leat_job_id ids[5];
    keys_set(world, 1, 0);
    world_open(world);
    for (uint32_t i = 0; i < 5; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = "of a batch";
        jobs[i].payload_bytes = 10;
    }
    CHECK_OK(leat_submit_batch(world->engine, jobs, 5, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    world_crash(world);
    CHECK(!test_directory_has(world->directory, "of a batch"));
    world_open(world);
    CHECK(found(world).jobs == 5);
    run_all(world);
    CHECK(world->runs == 5 && world->seen_bytes == 10);
    world_close(world);
    world_free(world);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void
refused(struct world *world, enum leat_status status, const char *field, const char *words)
{
    struct leat_error error = {.status = LEAT_OK};
    uint64_t before = test_directory_digest(world->directory);
    CHECK_STATUS(world_try(world, &error), status);
    CHECK_STATUS(error.status, status);
    CHECK_TEXT(error.field, field);
    if (strstr(error.text, words) == NULL) {
        test_say("%s\n", error.text);
    }
    CHECK(strstr(error.text, words) != NULL);
    CHECK(test_directory_digest(world->directory) == before);
}

static void
other_keys_are_refused(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    keys_set(world, 1, 0);
    world_open(world);
    (void)submit(world, "one", 3, 0);
    world_close(world);
    keys_set(world, 2, 0);
    refused(world, LEAT_WRONG_KEY, "log_directory", "and the key that is given is ");
    keys_set(world, 2, 3);
    refused(world, LEAT_WRONG_KEY, "log_directory", "it is none of the 2 keys that are given");
    keys_set(world, 0, 0);
    refused(world, LEAT_WRONG_KEY, "log_directory", "and no key is given");
    world->config.log_takes_plain = true;
    refused(world, LEAT_WRONG_KEY, "log_directory", "and no key is given");
    world->config.log_takes_plain = false;
    keys_set(world, 1, 0);
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).old_key_records == 0);
    world_close(world);
    world_free(world);
}

/* Also where there are no jobs: the first record says so. */
static void
a_key_for_a_plain_log(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    world_open(world);
    world_close(world);
    keys_set(world, 1, 0);
    refused(world, LEAT_WRONG_KEY, "log_directory", "a record is not encrypted");
    keys_set(world, 0, 0);
    world_open(world);
    (void)submit(world, "payload-in-the-open", 19, 0);
    world_close(world);
    CHECK(test_directory_has(world->directory, "payload-in-the-open"));
    keys_set(world, 1, 0);
    refused(world, LEAT_WRONG_KEY, "log_directory", "log_takes_plain");
    world->config.log_takes_plain = true;
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).old_key_records >= 2);
    wait_renewed(world);
    world_close(world);
    CHECK(!test_directory_has(world->directory, "payload-in-the-open"));
    world->config.log_takes_plain = false;
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).old_key_records == 0);
    world_close(world);
    world_free(world);
}

static void
keys_change_between_opens(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    keys_set(world, 1, 0);
    world_open(world);
    leat_job_id id = submit(world, "one", 3, 0);
    world_close(world);
    keys_set(world, 2, 1);
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).old_key_records >= 2);
    wait_renewed(world);
    world_crash(world);
    keys_set(world, 1, 0);
    refused(world, LEAT_WRONG_KEY, "log_directory", "is encrypted with the key");
    keys_set(world, 2, 0);
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).old_key_records == 0);
    CHECK(test_get(world->engine, id).state == LEAT_JOB_PENDING);
    world_close(world);
    world_free(world);
}

static void
keys_change_in_an_open(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    struct leat_error error;
    keys_set(world, 1, 0);
    world_open(world);
    (void)submit(world, "by the first", 12, 0);
    CHECK_STATUS(leat_log_key_rotate(world->engine, NULL, &error), LEAT_EXISTS);
    keys_set(world, 2, 0);
    CHECK_OK(leat_log_key_rotate(world->engine, NULL, &error));
    (void)submit(world, "by the second", 13, 0);
    world_crash(world);
    refused(world, LEAT_WRONG_KEY, "log_directory", "is encrypted with the key");
    keys_set(world, 2, 1);
    world_open(world);
    CHECK(found(world).jobs == 2 && found(world).old_key_records == 2);
    wait_renewed(world);
    keys_set(world, 0, 0);
    CHECK_STATUS(leat_log_key_rotate(world->engine, NULL, NULL), LEAT_REFUSED);
    CHECK_STATUS(leat_log_key_rotate(world->engine, "no-such-file", &error), LEAT_NOT_FOUND);
    world_close(world);
    keys_set(world, 2, 0);
    world_open(world);
    CHECK(found(world).jobs == 2 && found(world).old_key_records == 0);
    run_all(world);
    CHECK(world->runs == 2);
    world_close(world);
    world_free(world);
}

/* What an old key has written goes with the segment that was written to, once that is full. */
static void
a_change_ends_the_use_of_the_old_key(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    static unsigned char payload[8192];
    keys_set(world, 1, 0);
    world_open(world);
    (void)submit(world, "by the first", 12, HOUR_NS);
    keys_set(world, 2, 0);
    CHECK_OK(leat_log_key_rotate(world->engine, NULL, NULL));
    for (uint32_t i = 0; i < 40; i++) {
        (void)submit(world, payload, sizeof(payload), HOUR_NS);
    }
    wait_renewed(world);
    world_crash(world);
    world_open(world);
    CHECK(found(world).jobs == 41 && found(world).old_key_records == 0);
    world_close(world);
    world_free(world);
}

static void
key_file_write(const char *directory, uint32_t number, char *path, size_t bytes)
{
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    const struct leat_seal_source source = seal_test_key(number);
    CHECK(source.key(source.context, key));
    (void)snprintf(path, bytes, "%s/%u.key", directory, number);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, key, sizeof(key)), sizeof(key));
    CHECK_EQUAL(close(file), 0);
}

static void
keys_in_files(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    static char paths[LEAT_SEAL_KEYS_MAX + 1][64];
    static char list[LEAT_SEAL_KEYS_MAX * 66 + 66];
    for (uint32_t i = 0; i <= LEAT_SEAL_KEYS_MAX; i++) {
        key_file_write(world->copy, 1 + i, paths[i], sizeof(paths[i]));
    }
    world->config.log_key_file = "no-such-file";
    refused(world, LEAT_NOT_FOUND, "log_key_file", "no-such-file: ");
    world->config.log_key_file = paths[0];
    world_open(world);
    (void)submit(world, "one", 3, 0);
    CHECK_OK(leat_log_key_rotate(world->engine, paths[1], NULL));
    CHECK_STATUS(leat_log_key_rotate(world->engine, NULL, NULL), LEAT_INVALID);
    (void)submit(world, "two", 3, 0);
    world_close(world);
    (void)snprintf(list, sizeof(list), "%s:%s", paths[1], paths[0]);
    world->config.log_key_file = list;
    world_open(world);
    CHECK(found(world).jobs == 2);
    world_close(world);
    list[0] = '\0';
    for (uint32_t i = 0; i < LEAT_SEAL_KEYS_MAX; i++) {
        size_t end = strlen(list);
        (void)snprintf(list + end, sizeof(list) - end, "%s%s", i == 0 ? "" : ":", paths[i]);
    }
    world_open(world);
    CHECK(found(world).jobs == 2);
    CHECK_STATUS(leat_log_key_rotate(world->engine, paths[LEAT_SEAL_KEYS_MAX], NULL), LEAT_FULL);
    world_close(world);
    (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), ":%s",
                   paths[LEAT_SEAL_KEYS_MAX]);
    refused(world, LEAT_INVALID, "log_key_file", "more than 16");
    (void)snprintf(list, sizeof(list), "%s:%s", paths[0], paths[0]);
    refused(world, LEAT_INVALID, "log_key_file", "twice");
    (void)snprintf(list, sizeof(list), "%s:", paths[0]);
    refused(world, LEAT_NOT_FOUND, "log_key_file", "the key file : ");
    world_free(world);
}

static void
a_function_is_asked_for_keys(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    keys_set(world, 1, 0);
    world->keys[0] = 0;
    refused(world, LEAT_REFUSED, "log_key", "gave no key");
    CHECK_EQUAL(world->asked, 1);
    world->asked = 0;
    for (uint32_t i = 0; i <= LEAT_SEAL_KEYS_MAX; i++) {
        world->keys[i] = i + 1;
    }
    world_open(world);
    CHECK_EQUAL(world->asked, LEAT_SEAL_KEYS_MAX);
    world_close(world);
    world->keys[1] = 0;
    world->asked = 0;
    world_open(world);
    CHECK_EQUAL(world->asked, 2);
    world_close(world);
    world_free(world);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* The largest payload that is taken. */
static uint32_t
largest(struct world *world)
{
    static unsigned char payload[UINT32_C(1) << 17];
    uint32_t least = 0; /* is taken */
    uint32_t most = sizeof(payload);
    world_open(world);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    while (most - least > 1) {
        leat_job_id id;
        job.payload_bytes = least + (most - least) / 2;
        enum leat_status status = leat_submit(world->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_INVALID);
        if (status == LEAT_OK) {
            CHECK_OK(leat_cancel(world->engine, id));
            least = (uint32_t)job.payload_bytes;
        } else {
            most = (uint32_t)job.payload_bytes;
        }
    }
    world_close(world);
    return least;
}

static void
a_job_fits_half_of_the_ring(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct world *world = world_make();
    uint32_t plain = largest(world);
    world_free(world);
    world = world_make();
    keys_set(world, 1, 0);
    uint32_t sealed = largest(world);
    world_free(world);
    CHECK_EQUAL(plain - sealed, LEAT_SEAL_OVERHEAD_BYTES);
}

/* ---- nonces ---------------------------------------------------------------------------------- */

/* Two processes go on from one state of the log, as where an end was cut off and written anew; and
 * each crashes, is opened again, and cleans. */
static void
no_nonce_comes_twice(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    static struct seal_test_nonces nonces;
    nonces.count = 0;
    struct world *world = world_make();
    keys_set(world, 1, 0);
    world_open(world);
    for (uint32_t i = 0; i < 20; i++) {
        (void)submit(world, &i, sizeof(i), i % 2 == 0 ? HOUR_NS : 0);
    }
    world_copy(world);
    world_close(world);
    for (uint32_t round = 0; round < 4; round++) {
        seal_test_nonces_read(&nonces, world->directory);
        world_open(world);
        for (uint32_t i = 0; i < 10; i++) {
            uint32_t other = 100 * round + i;
            (void)submit(world, &other, sizeof(other), HOUR_NS);
        }
        run_all(world);
        leat_durable_renew(world->engine->durable);
        usleep(20000);
        world_close(world);
        seal_test_nonces_read(&nonces, world->directory);
        world_swap(world);
    }
    CHECK(nonces.count > 100);
    CHECK_EQUAL(seal_test_nonces_repeat(&nonces), 0);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_job_is_on_the_disk),
        cmocka_unit_test(what_compresses_is_smaller),
        cmocka_unit_test(a_batch_is_one_unit),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(a_key_for_a_plain_log),
        cmocka_unit_test(keys_change_between_opens),
        cmocka_unit_test(keys_change_in_an_open),
        cmocka_unit_test(a_change_ends_the_use_of_the_old_key),
        cmocka_unit_test(keys_in_files),
        cmocka_unit_test(a_function_is_asked_for_keys),
        cmocka_unit_test(a_job_fits_half_of_the_ring),
        cmocka_unit_test(no_nonce_comes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
