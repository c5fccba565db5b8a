/* unit_leat_wal.c - the command `leat wal` on real files: a log that is whole, one that is torn,
 * one that is damaged; what it prints, as text and as JSON, and its exit statuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"

#define BATCHES   3
#define FILE_NAME "0000000000000001.wal"

static char directory[64];
static char text[8192];

static struct leat_wal_config
config_of(void)
{
    return (struct leat_wal_config){.files = &leat_wal_files_system,
                                    .directory = directory,
                                    .memory = leat_memory_default(),
                                    .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
                                    .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
                                    .seed = 1};
}

static bool
record_none(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

/* Of the shell's: what the arguments name is ours. */
static int
shell(const char *command)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    return system(command);
}

/* Runs `leat wal ARGUMENTS` in the directory; its exit status, and what it prints in `text`. */
static int
run(const char *arguments)
{
    char command[512];
    char path[96];
    (void)snprintf(command, sizeof(command), "cd %s && '%s' wal %s > out 2>&1", directory,
                   LEAT_PROGRAM, arguments);
    int status = shell(command);
    (void)snprintf(path, sizeof(path), "%s/out", directory);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file);
    return status / 256;
}

static void
setup(void)
{
    static struct leat_wal wal;
    struct leat_wal_report report;
    const struct leat_wal_reader reader = {record_none, NULL};
    const struct leat_wal_config config = config_of();
    (void)snprintf(directory, sizeof(directory), "unit_leat_wal.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    CHECK_OK(leat_wal_open(&wal, &config, &reader, &report));
    for (uint32_t i = 0; i < BATCHES; i++) {
        uint64_t position = 0;
        const struct leat_wal_entry entry = {i + 1, 0, 3, NULL, "abc"};
        CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_FIRST, &position));
        CHECK_OK(leat_wal_wait(&wal, position, UINT64_MAX));
    }
    leat_wal_close(&wal);
}

static void
teardown(void)
{
    char command[100];
    (void)snprintf(command, sizeof(command), "rm -r %s", directory);
    CHECK_EQUAL(shell(command), 0);
}

/* Turns a byte of the file round. */
static void
damage(long offset)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/" FILE_NAME, directory);
    FILE *file = fopen(path, "r+");
    CHECK(file != NULL);
    CHECK_EQUAL(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    CHECK_EQUAL(fseek(file, offset, SEEK_SET), 0);
    CHECK(fputc(byte ^ 1, file) != EOF);
    CHECK_EQUAL(fclose(file), 0);
}

static void
test_whole(void **state)
{
    (void)state;
    setup();
    CHECK_EQUAL(run("verify ."), 0);
    CHECK_TEXT(text, "ok: segments=1 batches=3 records=3 bytes=48 torn_bytes=0 "
                     "not_known_durable=1\n");
    CHECK_EQUAL(run("verify . --json"), 0);
    CHECK_TEXT(text, "{\"log\":\"ok\",\"text\":\"\",\"segments\":1,\"batches\":3,\"records\":3,"
                     "\"bytes\":48,\"torn_bytes\":0,\"not_known_durable\":1}\n");
    CHECK_EQUAL(run("dump ."), 0);
    CHECK(strstr(text, "record segment=1 batch=1 tag=1 bytes=3 data=616263\n") == text);
    CHECK_EQUAL(run("--json dump ."), 0);
    CHECK(strstr(text, "{\"record\":true,\"segment\":1,\"batch\":1,\"tag\":1,\"bytes\":3,"
                       "\"data\":\"616263\"}\n") == text);
    teardown();
}

static void
test_torn(void **state)
{
    (void)state;
    setup();
    damage((long)(3 * LEAT_WAL_BLOCK));
    CHECK_EQUAL(run("verify ."), 0);
    CHECK_TEXT(text, "ok: segments=1 batches=2 records=2 bytes=32 torn_bytes=4096 "
                     "not_known_durable=1\n");
    teardown();
}

static void
test_damaged(void **state)
{
    char command[100];
    (void)state;
    setup();
    damage((long)(2 * LEAT_WAL_BLOCK + 70));
    CHECK_EQUAL(run("verify ."), 1);
    CHECK(strstr(text, "the log is damaged: segment 0000000000000001, byte 8192: ") == text);
    (void)snprintf(command, sizeof(command), "mkdir %s/new", directory);
    CHECK_EQUAL(shell(command), 0);
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK_EQUAL(run("dump new"), 0);
    CHECK(strstr(text, "tag=1 bytes=3 data=616263\n") != NULL);
    CHECK(strstr(text, " records=1 ") != NULL);
    CHECK_EQUAL(run("salvage . new"), 2);
    CHECK_TEXT(text, "leat: the new directory has a log already\n");
    teardown();
}

static void
test_refused(void **state)
{
    (void)state;
    setup();
    CHECK_EQUAL(run(""), 2);
    CHECK_EQUAL(run("verify"), 2);
    CHECK_EQUAL(run("verify . ."), 2);
    CHECK_EQUAL(run("look ."), 2);
    CHECK_EQUAL(run("salvage ."), 2);
    CHECK_EQUAL(run("verify nowhere"), 3);
    CHECK_EQUAL(run("salvage . nowhere"), 3);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
