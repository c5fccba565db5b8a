/* unit_durable_threads.c - a log of jobs that is read by one thread and by four: plain, compressed
 * and encrypted; as it was left, with other keys, and with a byte of each of its segments changed.
 * What the open answers, what it says, and what it finds is the same; the threads are gone. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/wal/format.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/process.h"
#include "tests/support/seal.h"

#define BATCHES     40
#define BATCH_JOBS  16
#define BYTES       1500 /* of a payload */
#define SEGMENT     UINT64_C(65536)
#define SEGMENT_MAX 200 /* its number */

/* What an open has answered and found. */
struct answer {
    enum leat_status status;
    struct leat_error error;
    struct leat_recovery_info info;
};

struct world {
    char directory[32];
    char copy[32];
    struct leat_config config;
    uint32_t key;     /* by number; 0: none */
    uint32_t threads; /* of the engine, where one reads */
    unsigned char payload[BYTES];
    struct answer answer; /* by one thread */
    struct answer other;  /* by more */
};

static bool
key_of(void *context, uint32_t number, unsigned char key[LEAT_LOG_KEY_BYTES])
{
    const struct world *world = context;
    const struct leat_seal_source source = seal_test_key(world->key);
    return number == 0 && source.key(source.context, key);
}

static void
key_set(struct world *world, uint32_t key)
{
    world->key = key;
    world->config.log_key = key == 0 ? NULL : key_of;
    world->config.log_key_context = world;
}

static void
fill(struct world *world)
{
    struct leat_engine *engine = NULL;
    struct leat_job jobs[BATCH_JOBS];
    CHECK_OK(leat_open(&world->config, &engine, NULL));
    for (uint32_t i = 0; i < BATCHES; i++) {
        for (uint32_t j = 0; j < BATCH_JOBS; j++) {
            jobs[j] = leat_job_default();
            jobs[j].type_name = "type";
            jobs[j].payload = world->payload;
            jobs[j].payload_bytes = 1 + (i * 7 + j * 131) % BYTES;
        }
        CHECK_OK(leat_submit_batch(engine, jobs, BATCH_JOBS, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    }
    CHECK_OK(leat_close(engine));
}

static struct world *
world_make(enum leat_log_compression compression, uint32_t key)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    memcpy(world->directory, "threads.XXXXXX", 15);
    memcpy(world->copy, "threads.XXXXXX", 15);
    CHECK(mkdtemp(world->directory) != NULL);
    CHECK(mkdtemp(world->copy) != NULL);
    for (uint32_t i = 0; i < BYTES; i++) {
        world->payload[i] = (unsigned char)(i / 16);
    }
    world->config = test_config();
    world->config.workers = 0;
    world->config.jobs_max = 2 * BATCHES * BATCH_JOBS;
    world->config.log_directory = world->directory;
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 2;
    world->config.log_compression = compression;
    key_set(world, key);
    fill(world);
    world->config.log_directory = world->copy;
    return world;
}

static void
world_free(struct world *world)
{
    test_directory_empty(world->directory);
    test_directory_empty(world->copy);
    CHECK_EQUAL(rmdir(world->directory), 0);
    CHECK_EQUAL(rmdir(world->copy), 0);
    free(world);
}

/* ---- the same by one and by four ------------------------------------------------------------- */

/* Changes a byte of a file of the copy. False: there is no such file. */
static bool
byte_change(const struct world *world, uint32_t segment, uint64_t offset)
{
    char name[64];
    unsigned char byte = 0;
    (void)snprintf(name, sizeof(name), "%s/%016x.wal", world->copy, segment);
    int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    CHECK_EQUAL(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= 0x10;
    CHECK_EQUAL(pwrite(file, &byte, 1, (off_t)offset), 1);
    CHECK_EQUAL(close(file), 0);
    return true;
}

/* Opens a copy, of which a byte is changed if `segment` is not 0. False: there is no such one. */
static bool
open_by(struct world *world, uint32_t threads, uint32_t segment, struct answer *answer)
{
    struct leat_engine *engine = NULL;
    memset(answer, 0, sizeof(*answer));
    test_directory_empty(world->copy);
    test_directory_copy(world->directory, world->copy);
    if (segment != 0 &&
        !byte_change(world, segment, LEAT_WAL_BLOCK + SEGMENT / 3 * (segment % 3) + 777)) {
        return false;
    }
    world->config.log_read_threads = threads;
    uint32_t before = test_thread_count();
    answer->status = leat_open(&world->config, &engine, &answer->error);
    world->threads = threads == 1 ? test_thread_count() - before : world->threads;
    CHECK(test_threads_are(before + world->threads));
    answer->info = leat_recovery_info_default();
    if (answer->status == LEAT_OK) {
        CHECK_OK(leat_recovery_get(engine, &answer->info));
        CHECK_OK(leat_close(engine));
    }
    answer->info.read_ns = 0;
    answer->info.revived_ns = 0;
    return true;
}

/* False: there is no such segment. */
static bool
all_agree(struct world *world, uint32_t segment)
{
    struct answer *answer = &world->answer;
    struct answer *other = &world->other;
    static const uint32_t threads[] = {4, 2, 0};
    if (!open_by(world, 1, segment, answer)) {
        return false;
    }
    for (size_t i = 0; i < TEST_COUNT_OF(threads); i++) {
        CHECK(open_by(world, threads[i], segment, other));
        CHECK_STATUS(other->status, answer->status);
        CHECK_TEXT(other->error.text, answer->error.text);
        CHECK_TEXT(other->error.field, answer->error.field);
        CHECK_EQUAL(memcmp(&other->info, &answer->info, sizeof(other->info)), 0);
    }
    return true;
}

static void
world_judge(enum leat_log_compression compression, uint32_t key)
{
    struct world *world = world_make(compression, key);
    const struct answer *answer = &world->answer;
    uint32_t damaged = 0;
    CHECK(all_agree(world, 0));
    CHECK_OK(answer->status);
    CHECK_EQUAL(answer->info.jobs, BATCHES * BATCH_JOBS);
    CHECK(answer->info.segments > (compression == LEAT_LOG_COMPRESSION_NONE ? 5U : 1U));
    for (uint32_t segment = 1; segment < SEGMENT_MAX; segment++) {
        if (all_agree(world, segment)) {
            CHECK(answer->status == LEAT_OK || answer->status == LEAT_CORRUPT);
            damaged += answer->status == LEAT_CORRUPT ? 1 : 0;
        }
    }
    CHECK(damaged > 1);
    if (key != 0) {
        key_set(world, key + 1);
        CHECK(all_agree(world, 0));
        CHECK_STATUS(answer->status, LEAT_WRONG_KEY);
        key_set(world, 0);
        CHECK(all_agree(world, 0));
        CHECK(answer->status != LEAT_OK);
    }
    world_free(world);
}

static void
plain(void **state)
{
    (void)state;
    world_judge(LEAT_LOG_COMPRESSION_NONE, 0);
}

static void
encrypted(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    world_judge(LEAT_LOG_COMPRESSION_NONE, 1);
}

static void
compressed(void **state)
{
    (void)state;
    if (!leat_seal_compresses()) {
        skip();
    }
    world_judge(LEAT_LOG_COMPRESSION_LZ4, 0);
}

static void
both(void **state)
{
    (void)state;
    if (!leat_seal_compresses() || !leat_seal_encrypts()) {
        skip();
    }
    world_judge(LEAT_LOG_COMPRESSION_LZ4, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(encrypted),
        cmocka_unit_test(compressed),
        cmocka_unit_test(both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
