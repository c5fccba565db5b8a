/* unit_leat_config.c - the command `leat config`: that it names every knob, what a file and the
 * environment set, how it refuses both, its exit statuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/directory.h"

static char directory[64];
static char text[1 << 18];

/* Runs `ENVIRONMENT leat ARGUMENTS` in the directory; its exit status, and what it prints. */
static int
run(const char *environment, const char *arguments)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "%s '%s' %s", environment, LEAT_PROGRAM, arguments);
    return test_directory_run(directory, command, text, sizeof(text));
}

static void
write_file(const char *name, const char *content)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(content, file) >= 0);
    CHECK_EQUAL(fclose(file), 0);
}

static int
setup(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "unit_leat_config.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    write_file("good", "spin_ns = 20us\n[queue mail]\nrunning_max = 8\n");
    write_file("later", "spin_ns = 21us\n");
    write_file("empty", "");
    write_file("bad", "spin_ns = 20us\nspin_nss = 1\n");
    write_file("no_config", "workers = 2\nworkers_max = 1\n");
    write_file("other_knob", "log_directory = .\nlog_segment_bytes = 64k\n");
    write_file("no_log", "log_ring_bytes = 64k\nlog_sync = dsync\nlog_level = info\n");
    return 0;
}

static int
teardown(void **state)
{
    static const char *const names[] = {"good",      "later",      "empty",  "bad",
                                        "no_config", "other_knob", "no_log", "out"};
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(names); i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        CHECK_EQUAL(unlink(path), 0);
    }
    return rmdir(directory);
}

static bool
prints(const char *what)
{
    return strstr(text, what) != NULL;
}

/* ---- what is there --------------------------------------------------------------------------- */

static void
every_knob_is_named(void **state)
{
    static struct leat_knob_info info;
    size_t count = 1;
    uint32_t knobs = 0;
    (void)state;
    CHECK_EQUAL(run("", "config list"), 0);
    for (; count == 1; knobs++) {
        char line[512];
        info = leat_knob_info_default();
        CHECK_OK(leat_knob_list(NULL, knobs, &info, 1, &count));
        (void)snprintf(line, sizeof(line), "%s = %s", info.name, info.value);
        CHECK(count == 0 || (prints(line) && prints(info.text)));
    }
    uint32_t blocks = 0;
    for (const char *at = strstr(text, "\n    default "); at != NULL; blocks++) {
        at = strstr(at + 1, "\n    default ");
    }
    CHECK_EQUAL(blocks, knobs - 1);
}

static void
a_knob_says_what_it_is(void **state)
{
    (void)state;
    CHECK_EQUAL(run("LEAT_SPIN_NS=9us", "config list good"), 0);
    CHECK(prints("spin_ns = 9us, from the environment\n"));
    CHECK(
        prints("\n    default 50us, 0 to 1ms, ns, restart, LEAT_SPIN_NS, shown by knob_spin_ns\n"));
    CHECK(prints("LEAT_CLAIM_MAX = 16\n"));
    CHECK(prints("queue.mail.running_max = 8, from a file\n"));
}

static void
a_later_file_counts(void **state)
{
    (void)state;
    CHECK_EQUAL(run("", "config list good later"), 0);
    CHECK(prints("spin_ns = 21us, from a file\n"));
    CHECK_EQUAL(run("", "config list later good"), 0);
    CHECK(prints("spin_ns = 20us, from a file\n"));
}

static void
as_json(void **state)
{
    (void)state;
    CHECK_EQUAL(run("", "config list --json good"), 0);
    CHECK(prints("{\"name\":\"spin_ns\",\"value\":\"20us\",\"source\":\"file\",\"default\":"));
    CHECK(prints("\"environment\":\"LEAT_SPIN_NS\""));
    CHECK(prints("{\"name\":\"queue.mail.running_max\",\"value\":\"8\",\"source\":\"file\""));
    CHECK(prints("\"changes\":\"build\""));
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void
files_are_checked(void **state)
{
    (void)state;
    CHECK_EQUAL(run("", "config check good later"), 0);
    CHECK_TEXT(text, "");
    CHECK_EQUAL(run("", "config check good bad"), 1);
    CHECK(strncmp(text, "leat: bad:2:1: ", 15) == 0 && prints("spin_ns"));
    CHECK_EQUAL(run("", "config list bad"), 1);
    CHECK(!prints(" = "));
    CHECK_EQUAL(run("", "config check no_config"), 1); /* each is right, both together are not */
    CHECK(prints("no_config:2:15: workers_max"));
    CHECK_EQUAL(run("", "config check other_knob"), 1); /* the field that is wrong is not set */
    CHECK(prints("other_knob:2:21: log_ring_bytes must be at most half of log_segment_bytes"));
    CHECK_EQUAL(run("", "config check missing"), 3);
    CHECK_TEXT(text, "leat: missing: No such file or directory\n");
    CHECK_EQUAL(run("", "config check empty"), 0);
    CHECK_TEXT(text, "");
    CHECK_EQUAL(run("LEAT_WORKERS=many", "config list"), 1);
    CHECK(prints("environment: workers"));
}

/* A program may name the directory itself. */
static void
a_log_that_is_not_there_is_remarked(void **state)
{
    (void)state;
    CHECK_EQUAL(run("", "config check no_log"), 0);
    CHECK_TEXT(text, "leat: no_log:1:18: log_ring_bytes says nothing without a log_directory\n"
                     "leat: no_log:2:12: log_sync says nothing without a log_directory\n");
    CHECK_EQUAL(run("LEAT_LOG_DIRECTORY=.", "config check no_log"), 0);
    CHECK_TEXT(text, "");
    CHECK_EQUAL(run("LEAT_LOG_DIRECTORY=", "config check no_log"), 0);
    CHECK(prints("log_ring_bytes says nothing"));
}

static void
wrong_words(void **state)
{
    static const char *const wrong[] = {"config", "config check", "config lists", "configs"};
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(wrong); i++) {
        CHECK_EQUAL(run("", wrong[i]), 2);
        CHECK(strncmp(text, "leat: ", 6) == 0);
    }
    static const char *const unknown[][2] = {{"config check --jsn good", "option '--jsn'"},
                                             {"config list -j", "option '-j'"},
                                             {"--jsn", "option '--jsn'"},
                                             {"-v", "option '-v'"},
                                             {"configs", "verb 'configs'"}};
    for (size_t i = 0; i < TEST_COUNT_OF(unknown); i++) {
        char wanted[80];
        (void)snprintf(wanted, sizeof(wanted), "leat: no %s; leat --help names them\n",
                       unknown[i][1]);
        CHECK_EQUAL(run("", unknown[i][0]), 2);
        CHECK_TEXT(text, wanted);
    }
    CHECK_EQUAL(run("", "wal verify . --key-file"), 2);
    CHECK_TEXT(text, "leat: --key-file wants a file\n");
    static const char *const help[] = {"--help", "-h", "wal --help", "wal verify . -h",
                                       "no --help"};
    for (size_t i = 0; i < TEST_COUNT_OF(help); i++) {
        CHECK_EQUAL(run("", help[i]), 0);
        CHECK(prints("leat config list [FILE...]"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_knob_is_named),
        cmocka_unit_test(a_knob_says_what_it_is),
        cmocka_unit_test(a_later_file_counts),
        cmocka_unit_test(as_json),
        cmocka_unit_test(files_are_checked),
        cmocka_unit_test(a_log_that_is_not_there_is_remarked),
        cmocka_unit_test(wrong_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
