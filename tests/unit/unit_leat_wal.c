/* unit_leat_wal.c - the command `leat wal` on real files: a log that is whole, one that is torn,
 * one that is damaged, one that is not there, one in use; what it prints, as text and as JSON, and
 * its exit statuses; when what is saved was written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"

#define BATCHES   3
#define FILE_NAME "0000000000000001.wal"

static char directory[64];
static char text[8192];
static struct leat_wal wal;
static uint64_t now_ns; /* 0: batches have no time */

static uint64_t
wall_ns(void *context)
{
    (void)context;
    return now_ns;
}

static struct leat_wal_config
config_of(void)
{
    return (struct leat_wal_config){.files = &leat_wal_files_system,
                                    .directory = directory,
                                    .memory = leat_memory_default(),
                                    .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
                                    .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
                                    .seed = 1,
                                    .wall_ns = wall_ns};
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
    char command[256];
    (void)snprintf(command, sizeof(command), "'%s' wal %s", LEAT_PROGRAM, arguments);
    return test_directory_run(directory, command, text, sizeof(text));
}

static void
log_open(void)
{
    struct leat_wal_report report;
    const struct leat_wal_reader reader = {record_none, NULL};
    const struct leat_wal_config config = config_of();
    CHECK_OK(leat_wal_open(&wal, &config, &reader, &report));
}

static void
setup(void)
{
    (void)snprintf(directory, sizeof(directory), "unit_leat_wal.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    log_open();
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
damage_in(const char *name, long offset)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "r+");
    CHECK(file != NULL);
    CHECK_EQUAL(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    CHECK_EQUAL(fseek(file, offset, SEEK_SET), 0);
    CHECK(fputc(byte ^ 1, file) != EOF);
    CHECK_EQUAL(fclose(file), 0);
}

static void
damage(long offset)
{
    damage_in(FILE_NAME, offset);
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
    (void)state;
    setup();
    damage((long)(2 * LEAT_WAL_BLOCK + 70));
    CHECK_EQUAL(run("verify ."), 1);
    CHECK(strstr(text, "the log is damaged: segment 0000000000000001, byte 8192: ") == text);
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK_TEXT(text, "saved: all but segment 0000000000000001 from byte 8192 on, and 0 segments "
                     "behind it; segments=1 batches=1 records=1 bytes=16 torn_bytes=0 "
                     "not_known_durable=0\n");
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
    CHECK_EQUAL(run("salvage . nowhere/new"), 3);
    CHECK_TEXT(text, "leat: the new directory cannot be made\n");
    CHECK_EQUAL(run("salvage . out"), 3);
    CHECK_TEXT(text, "leat: the new directory cannot be used as a log\n");
    teardown();
}

/* Each verb, and salvage makes nothing. */
static void
refusals_check(const char *path, const char *wanted)
{
    static const char *const forms[][2] = {
        {"verify", ""}, {"verify --json", ""}, {"dump", ""}, {"salvage", "new"}};
    char arguments[64];
    char new_path[96];
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        (void)snprintf(arguments, sizeof(arguments), "%s %s %s", forms[i][0], path, forms[i][1]);
        CHECK_EQUAL(run(arguments), 3);
        CHECK_TEXT(text, wanted);
    }
    (void)snprintf(new_path, sizeof(new_path), "%s/new", directory);
    CHECK(access(new_path, F_OK) != 0);
}

static void
test_no_log(void **state)
{
    char path[96];
    (void)state;
    setup();
    (void)snprintf(path, sizeof(path), "%s/empty", directory);
    CHECK_EQUAL(mkdir(path, S_IRWXU), 0);
    refusals_check("empty", "leat: no log here: empty\n");
    refusals_check("/etc", "leat: no log here: /etc\n");
    refusals_check("nowhere", "leat: no such directory: nowhere\n");
    refusals_check("out", "leat: not a directory: out\n");
    CHECK_EQUAL(rmdir(path), 0);
    teardown();
}

static void
test_in_use(void **state)
{
    (void)state;
    setup();
    log_open();
    refusals_check(".", "leat: another process has the log open: .\n");
    leat_wal_close(&wal);
    CHECK_EQUAL(run("verify ."), 0);
    teardown();
}

static void
test_version(void **state)
{
    char wanted[256];
    (void)state;
    (void)snprintf(wanted, sizeof(wanted), "'%s' --version | grep -qx 'leat %s'", LEAT_PROGRAM,
                   leat_version_text());
    CHECK_EQUAL(shell(wanted), 0);
}

/* A whole log is copied as it is; of one whose first block is damaged, what stands before. */
static void
test_salvaged(void **state)
{
    (void)state;
    setup();
    log_open();
    leat_wal_close(&wal);
    log_open();
    leat_wal_close(&wal);
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK(strstr(text, "saved: all of it; segments=") == text);
    damage((long)(2 * LEAT_WAL_BLOCK + 70));
    CHECK_EQUAL(run("salvage . other --json"), 0);
    CHECK(strstr(text,
                 "{\"log\":\"saved\",\"text\":\"all but segment 0000000000000001 from byte "
                 "8192 on, and 1 segments behind it;\",\"segments\":1,\"batches\":1,") == text);
    teardown();
}

/* One whose first block is damaged: who dumps shows what stands before it, as who saves does. */
static void
test_first_block(void **state)
{
    (void)state;
    setup();
    log_open();
    leat_wal_close(&wal);
    damage_in("0000000000000002.wal", 8);
    CHECK_EQUAL(run("dump ."), 1);
    CHECK(strstr(text, "record segment=1 batch=1 tag=1 ") == text);
    CHECK(strstr(text, "the log is damaged: segment 0000000000000002, byte 0: its first block is "
                       "damaged segments=1 batches=3 ") != NULL);
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK(strstr(text, "segment 0000000000000002 from byte 0 on, ") != NULL);
    teardown();
}

/* What is saved is as old as it was: one batch for each time. */
static void
test_times(void **state)
{
    static const char *const directories[] = {"dump .", "dump new", "dump newer"};
    static const char *const lines[] = {"batch=1 tag=1 ",
                                        "written_unix_ns=2000 tag=7 bytes=3 data=616263\n",
                                        "written_unix_ns=2000 tag=8 bytes=3 data=616263\n",
                                        "written_unix_ns=1000 tag=9 bytes=3 data=616263\n"};
    uint64_t position = 0;
    (void)state;
    setup();
    log_open();
    for (uint32_t tag = 7; tag < 10; tag++) {
        const struct leat_wal_entry entry = {tag, 0, 3, NULL, "abc"};
        now_ns = tag == 9 ? 1000 : 2000;
        CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_FIRST, &position));
        CHECK_OK(leat_wal_wait(&wal, position, UINT64_MAX));
    }
    leat_wal_close(&wal);
    now_ns = 0;
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK_EQUAL(run("salvage new newer"), 0);
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        CHECK_EQUAL(run(directories[i]), 0);
        for (size_t k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
            CHECK(strstr(text, lines[k]) != NULL);
        }
    }
    CHECK_EQUAL(run("dump new --json"), 0);
    CHECK(strstr(text, ",\"written_unix_ns\":1000,\"tag\":9,") != NULL);
    teardown();
}

/* Of a file that was cut, what is left, into segments of the size that it had. */
static void
test_cut(void **state)
{
    char path[128];
    (void)state;
    setup();
    (void)snprintf(path, sizeof(path), "%s/" FILE_NAME, directory);
    CHECK_EQUAL(truncate(path, (off_t)(2 * LEAT_WAL_BLOCK + 1000)), 0);
    CHECK_EQUAL(run("verify ."), 1);
    CHECK(strstr(text, "the log is damaged: segment 0000000000000001, byte 12288: its size is not "
                       "what it was segments=1 batches=2 records=2 ") == text);
    CHECK_EQUAL(run("dump ."), 1);
    CHECK(strstr(text, "record segment=1 batch=1 tag=1 ") == text);
    CHECK(strstr(text, "record segment=1 batch=2 tag=2 ") != NULL);
    CHECK_EQUAL(run("salvage . new"), 0);
    CHECK(strstr(text, "saved: all but segment 0000000000000001 from byte 12288 on, and 0 "
                       "segments behind it; segments=1 batches=2 records=2 ") == text);
    CHECK_EQUAL(run("dump new"), 0);
    CHECK(strstr(text, " records=2 ") != NULL);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),       cmocka_unit_test(test_torn),
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_salvaged),
        cmocka_unit_test(test_cut),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_log),      cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_version),     cmocka_unit_test(test_times),
        cmocka_unit_test(test_first_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
