/* unit_leat_wal_jobs.c - the command `leat wal` on logs of jobs: each kind of record by its fields,
 * as text and as JSON, payloads only where they are asked for; and an encrypted log, without its
 * key, with another one, with its own, damaged by somebody who sets sums right, and salvaged. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/seal/seal.h"
#include "engine/wal/crc32c.h"
#include "engine/wal/format.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"

#define SEGMENT   (UINT64_C(1) << 16)
#define KEY       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY_OTHER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee"

static char directory[64];
static char key_file[80];
static char key_other[80];
static char text[1 << 16];

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_error(run, "it broke"));
    return leat_fail();
}

/* Of the shell's: what the arguments name is ours. */
static int
shell(const char *command)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    return system(command);
}

/* Runs `leat wal ARGUMENTS`; its exit status, and what it prints in `text`. */
static int
run(const char *arguments)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "'%s' wal %s > %s.out 2>&1", LEAT_PROGRAM, arguments,
                   directory);
    int status = shell(command);
    (void)snprintf(command, sizeof(command), "%s.out", directory);
    FILE *file = fopen(command, "r");
    CHECK(file != NULL);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file);
    CHECK_EQUAL(unlink(command), 0);
    return status / 256;
}

static int
run_here(const char *verb, const char *options)
{
    char arguments[256];
    (void)snprintf(arguments, sizeof(arguments), "%s %s %s", verb, directory, options);
    return run(arguments);
}

static void
key_write(char *path, const char *end, const char *key)
{
    (void)snprintf(path, 80, "%s.%s", directory, end);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, key, strlen(key)), strlen(key));
    CHECK_EQUAL(close(file), 0);
}

/* A log in which a job waits for an hour, one has ended, one is dead, and a queue was made. */
static void
setup(bool encrypted)
{
    leat_job_id id;
    leat_queue queue;
    size_t ran = 0;
    struct leat_config config = test_config();
    (void)snprintf(directory, sizeof(directory), "unit_leat_wal_jobs.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    key_write(key_file, "key", KEY);
    key_write(key_other, "other", KEY_OTHER);
    config.workers = 0;
    config.log_directory = directory;
    config.log_segment_bytes = SEGMENT;
    config.log_ring_bytes = SEGMENT / 2;
    config.log_key_file = encrypted ? key_file : NULL;
    struct leat_engine *engine = test_open(&config);
    struct leat_queue_options options = leat_queue_options_default();
    options.priority = 1;
    CHECK_OK(leat_queue_create(engine, "queue-of-work", &options, &queue));
    CHECK_OK(leat_queue_set_weight(engine, queue, 7));
    CHECK_OK(leat_queue_pause(engine, queue));
    CHECK_OK(leat_queue_resume(engine, queue));
    struct leat_job job = leat_job_default();
    job.type = test_register(engine, "type-of-work", handler, NULL);
    job.queue = queue;
    job.payload = "fruit";
    job.payload_bytes = 5;
    job.delay_ns = UINT64_C(3600) * 1000000000;
    CHECK_OK(leat_submit(engine, &job, &id));
    job.delay_ns = 0;
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_cancel(engine, id));
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_start(engine));
    while (leat_run_some(engine, 100, &ran) == LEAT_OK) {
    }
    test_close(engine);
}

static void
teardown(void)
{
    test_directory_remove(directory);
    CHECK_EQUAL(unlink(key_file), 0);
    CHECK_EQUAL(unlink(key_other), 0);
}

static bool
shows(const char *wanted)
{
    bool there = strstr(text, wanted) != NULL;
    if (!there) {
        test_say("not there: %s\nin: %s\n", wanted, text);
    }
    return there;
}

/* What is there without a key, too. */
static void
check_clear(void)
{
    CHECK(shows(" kind=image id="));
    CHECK(shows(" state=scheduled priority=1 attempts=0 crashes=0 due_unix_ns="));
    CHECK(shows(" kind=end id="));
    CHECK(shows(" kind=step id="));
    CHECK(shows(" state=dead reason=\"failed for good\" priority=1 attempts=1"));
    CHECK(shows(" error_bytes=8 result_bytes=0"));
}

static void
check_contents(void)
{
    CHECK(shows(" kind=queue queue=\"queue-of-work\" priority=1 pull=0 exact=0"));
    CHECK(shows(" kind=tuning queue=\"queue-of-work\" version=1 weight=7"));
    CHECK(shows(" kind=tuning queue=\"queue-of-work\" version=2 paused=1 weight=7"));
    CHECK(shows(" kind=tuning queue=\"queue-of-work\" version=3 paused=0 weight=7"));
    CHECK(shows(" kind=ids ceiling="));
    CHECK(shows(" type=\"type-of-work\" queue=\"queue-of-work\" max_attempts="));
    CHECK(shows(" payload_bytes=5"));
    CHECK(shows(" error=\"it broke\""));
}

static void
test_plain(void **state)
{
    (void)state;
    setup(false);
    CHECK_EQUAL(run_here("dump", ""), 0);
    check_clear();
    check_contents();
    CHECK(strstr(text, " payload=") == NULL && strstr(text, " data=") == NULL);
    CHECK_EQUAL(run_here("dump", "--payload"), 0);
    CHECK(shows(" payload=6672756974"));
    CHECK_EQUAL(run_here("dump", "--json --payload"), 0);
    CHECK(shows(",\"kind\":\"image\",\"id\":"));
    CHECK(shows(",\"state\":\"scheduled\",\"priority\":1,\"attempts\":0"));
    CHECK(shows(",\"type\":\"type-of-work\",\"queue\":\"queue-of-work\""));
    CHECK(shows(",\"payload\":\"6672756974\""));
    CHECK(shows(",\"error\":\"it broke\""));
    CHECK_EQUAL(run_here("verify", ""), 0);
    teardown();
}

/* Turns a bit round of what the first record has encrypted, and sets the sums right. */
static void
forge(void)
{
    char path[128];
    unsigned char *bytes = malloc(SEGMENT);
    struct leat_wal_batch batch;
    CHECK(bytes != NULL);
    (void)snprintf(path, sizeof(path), "%s/0000000000000001.wal", directory);
    int file = open(path, O_RDWR | O_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQUAL(read(file, bytes, SEGMENT), SEGMENT);
    memcpy(&batch, bytes + LEAT_WAL_BLOCK, sizeof(batch));
    uint64_t size = leat_wal_batch_size(batch.bytes);
    unsigned char *body = bytes + LEAT_WAL_BLOCK + sizeof(batch);
    body[sizeof(uint64_t) + sizeof(struct leat_seal_head)] ^= 1;
    batch.body_crc = leat_crc32c(0, body, size - sizeof(batch));
    leat_wal_batch_seal(&batch);
    memcpy(bytes + LEAT_WAL_BLOCK, &batch, sizeof(batch));
    CHECK_EQUAL(pwrite(file, bytes, SEGMENT, 0), SEGMENT);
    CHECK_EQUAL(close(file), 0);
    free(bytes);
}

static void
test_encrypted(void **state)
{
    char options[160];
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    setup(true);
    CHECK_EQUAL(run_here("verify", ""), 0);
    CHECK_EQUAL(run_here("dump", "--payload"), 0);
    check_clear();
    CHECK(shows(" kind=sealed") && shows(" refused=") && shows(" key="));
    CHECK(strstr(text, "work") == NULL && strstr(text, "broke") == NULL);
    CHECK(strstr(text, "6672756974") == NULL && strstr(text, "ceiling") == NULL);
    (void)snprintf(options, sizeof(options), "--key-file %s --payload", key_file);
    CHECK_EQUAL(run_here("dump", options), 0);
    check_clear();
    check_contents();
    CHECK(shows(" payload=6672756974") && strstr(text, "refused") == NULL);
    CHECK_EQUAL(run_here("verify", options), 0);
    (void)snprintf(options, sizeof(options), "--key-file %.70s:%.70s", key_other, key_file);
    CHECK_EQUAL(run_here("verify", options), 0);
    (void)snprintf(options, sizeof(options), "--key-file %s", key_other);
    CHECK_EQUAL(run_here("verify", options), 1);
    CHECK(shows("segment 0000000000000001, batch 1: a record is encrypted with the key "));
    CHECK_EQUAL(run_here("verify", "--key-file no-such-file"), 3);
    CHECK(shows("no-such-file: "));
    CHECK_EQUAL(run_here("verify", "--key-file"), 2);
    teardown();
}

static void
test_forged(void **state)
{
    char options[160];
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    setup(true);
    forge();
    CHECK_EQUAL(run_here("verify", ""), 0);
    (void)snprintf(options, sizeof(options), "--key-file %s", key_file);
    CHECK_EQUAL(run_here("verify", options), 1);
    CHECK(shows("segment 0000000000000001, batch 1: a record of "));
    teardown();
}

/* Without its key, and to be read with it. */
static void
test_salvaged(void **state)
{
    char options[240];
    char to[80];
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    setup(true);
    (void)snprintf(to, sizeof(to), "%s.to", directory);
    CHECK_EQUAL(mkdir(to, 0700), 0);
    CHECK_EQUAL(run_here("salvage", to), 0);
    (void)snprintf(options, sizeof(options), "verify %s --key-file %s", to, key_file);
    CHECK_EQUAL(run(options), 0);
    test_directory_remove(to);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_salvaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
