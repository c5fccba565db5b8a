/* unit_types_command.c - commands: payloads and their limits, what an exit status comes to, output
 * up to its cap, environment, directory, input, limits, descriptors and signals of the child; a
 * cancel and a timeout end the whole group, by KILL where TERM does not; nothing of a group
 * outlives its command; the death of the process ends its commands; what cannot start. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/ready.h"

static struct test_ready ready;

static void
setup(uint64_t grace_ns, size_t cap)
{
    struct leat_command_options options = leat_command_options_default();
    struct leat_type_options type = test_ready_type();
    test_ready_start(&ready);
    options.type = &type;
    options.grace_ns = grace_ns;
    options.output_bytes_max = cap;
    CHECK_OK(leat_command_register(ready.types, "command", &options, &ready.type));
    CHECK_STATUS(leat_command_register(ready.types, "command", &options, NULL), LEAT_EXISTS);
}

static struct leat_command
shell(const char *const *argv)
{
    struct leat_command command = leat_command_default();
    command.argv = argv;
    command.flags = LEAT_COMMAND_SHELL;
    return command;
}

static void
encode(const struct leat_command *command)
{
    CHECK_OK(leat_command_encode(command, ready.payload, sizeof(ready.payload), &ready.bytes));
}

static struct leat_job_info
run(const struct leat_command *command)
{
    encode(command);
    return test_ready_run(&ready);
}

static struct leat_command_result
result(void)
{
    struct leat_command_result read;
    CHECK_OK(leat_command_result_decode(ready.result, ready.result_bytes, &read));
    return read;
}

static void
writes(const char *line, const char *want)
{
    const char *const argv[] = {line, "first", NULL};
    const char *const environment[] = {"LEAT_ONE=1", NULL};
    struct leat_command command = shell(argv);
    command.environment = environment;
    command.directory = "/usr";
    command.input = "the input";
    command.input_bytes = 9;
    command.files = 20;
    command.core_bytes = 0;
    struct leat_job_info info = run(&command);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    struct leat_command_result got = result();
    if (got.output_bytes != strlen(want) || memcmp(got.output, want, got.output_bytes) != 0) {
        test_say("%s: %.*s\n", line, (int)got.output_bytes, (const char *)got.output);
    }
    CHECK_EQUAL(got.output_bytes, strlen(want));
    CHECK(memcmp(got.output, want, got.output_bytes) == 0);
    CHECK(!got.truncated);
}

static void
the_child_is_as_asked(void **state)
{
    (void)state;
    int leak = open("/dev/null", O_RDONLY); /* not closed by exec */
    CHECK(leak > 2);
    (void)signal(SIGUSR1, SIG_IGN);
    setup(100 * TEST_MS, 4096);
    writes("echo $LEAT_ONE $1; pwd; cat", "1 first\n/usr\nthe input");
    writes("ulimit -n; ulimit -c", "20\n0\n");
    writes("for i in /proc/self/fd/*; do echo -n .; done", "....");
    writes("grep -E 'Sig(Blk|Ign)' /proc/self/status",
           "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    /* A session and a group of its own: $$ is the leader of both. */
    writes("read a b c d pgrp sid r </proc/$$/stat; [ $pgrp = $$ ] && [ $sid = $$ ] && echo yes",
           "yes\n");
    test_ready_end(&ready);
    (void)signal(SIGUSR1, SIG_DFL);
    (void)close(leak);
}

static void
ends(const char *line, enum leat_job_state state, enum leat_reason reason, const char *error)
{
    static const uint8_t permanent[] = {3, 128 + SIGUSR2};
    const char *const argv[] = {line, NULL};
    struct leat_command command = shell(argv);
    command.permanent = permanent;
    command.permanent_count = 2;
    command.cpu_seconds = 60;
    struct leat_job_info info = run(&command);
    CHECK_TEXT(info.error, error);
    CHECK_EQUAL(info.state, state);
    CHECK_EQUAL(info.reason, reason);
    CHECK_EQUAL(info.attempts, reason == LEAT_REASON_ATTEMPTS ? 2 : 1);
}

static void
an_exit_status_has_a_meaning(void **state)
{
    (void)state;
    setup(100 * TEST_MS, 4096);
    ends("exit 0", LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "");
    ends("echo out; echo why >&2; exit 3", LEAT_JOB_DEAD, LEAT_REASON_FAILED, "exit status 3: why");
    CHECK_EQUAL(result().exit_status, 3);
    CHECK_EQUAL(result().output_bytes, 4);
    ends("exit 4", LEAT_JOB_DEAD, LEAT_REASON_ATTEMPTS, "exit status 4");
    ends("kill -USR2 $$", LEAT_JOB_DEAD, LEAT_REASON_FAILED, "signal 12");
    CHECK_EQUAL(result().signal, SIGUSR2);
    ends("kill -KILL $$", LEAT_JOB_DEAD, LEAT_REASON_ATTEMPTS, "signal 9");
    test_ready_end(&ready);
}

static void
limited(const struct leat_command *command, uint32_t signal)
{
    struct leat_job_info info = run(command);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(result().signal, signal);
}

static void
limits_hold(void **state)
{
    (void)state;
    const char *const spin[] = {"while :; do :; done", NULL};
    const char *const file[] = {"exec head -c 100000 /dev/zero >/tmp/leat_types_$$", NULL};
    setup(100 * TEST_MS, 4096);
    struct leat_command command = shell(spin);
    command.cpu_seconds = 1;
    limited(&command, SIGXCPU);
    command = shell(file);
    command.file_bytes = 1000;
    limited(&command, SIGXFSZ);
    command = shell((const char *const[]){"exec true", NULL});
    command.memory_bytes = 100000; /* no room for the program */
    CHECK_EQUAL(run(&command).state, LEAT_JOB_DEAD);
    test_ready_end(&ready);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    CHECK(system("rm -f /tmp/leat_types_*") == 0);
}

static void
output_is_cut_at_its_cap(void **state)
{
    (void)state;
    setup(100 * TEST_MS, 1000);
    for (size_t bytes = 999; bytes <= 1001; bytes++) {
        char line[96];
        (void)snprintf(line, sizeof(line), "head -c %zu /dev/zero; head -c 200000 /dev/zero >&2",
                       bytes);
        const char *const argv[] = {line, NULL};
        struct leat_command command = shell(argv);
        CHECK_EQUAL(run(&command).state, LEAT_JOB_COMPLETED);
        struct leat_command_result got = result();
        CHECK_EQUAL(got.output_total, bytes);
        CHECK_EQUAL(got.output_bytes, bytes < 1000 ? bytes : 1000);
        CHECK_EQUAL(got.error_total, 200000);
        CHECK_EQUAL(got.error_bytes, 1000);
        CHECK(got.truncated);
    }
    test_ready_end(&ready);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static char marker[64];

/* No process but this one has the marker among its arguments. */
static bool
nobody_left(void *argument)
{
    char line[128];
    (void)argument;
    (void)snprintf(line, sizeof(line), "! pgrep -f '^sleep %s' >/dev/null", marker);
    return system(line) == 0; /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

static bool
somebody_there(void *argument)
{
    return !nobody_left(argument);
}

static void
marker_set(uint32_t number)
{
    /* Seconds that no other process sleeps for. */
    (void)snprintf(marker, sizeof(marker), "1%06ld.%u", (long)getpid() % 1000000, number);
}

/* A line in which %s is the marker. */
static leat_job_id
start_group(const char *format, uint64_t timeout_ns)
{
    char line[256];
    char *at = line;
    for (const char *from = format; *from != '\0'; from++) {
        if (*from == '@') {
            at += snprintf(at, 64, "%s", marker);
        } else {
            *at++ = *from;
        }
    }
    *at = '\0';
    const char *const argv[] = {line, NULL};
    struct leat_command command = shell(argv);
    encode(&command);
    return test_ready_submit(&ready, timeout_ns);
}

static void
no_group_outlives_its_command(void **state)
{
    (void)state;
    setup(200 * TEST_MS, 1000);
    marker_set(1);
    leat_job_id id = start_group("sleep @ & sleep 0.1", LEAT_TIMEOUT_OF_TYPE);
    CHECK(test_until(somebody_there, NULL));
    CHECK_EQUAL(test_ready_wait(&ready, id).state, LEAT_JOB_COMPLETED);
    CHECK(test_until(nobody_left, NULL));
    test_ready_end(&ready);
}

static void
a_cancel_ends_the_group(void **state)
{
    (void)state;
    const char *const lines[] = {
        "sleep @ & sleep @; wait",
        "trap '' TERM; (trap '' TERM; sleep @) & while :; do sleep @; done",
        "sleep @ & trap 'exit 0' TERM; wait",
    };
    setup(200 * TEST_MS, 1000);
    for (uint32_t i = 0; i < TEST_COUNT_OF(lines); i++) {
        marker_set(10 + i);
        leat_job_id id = start_group(lines[i], LEAT_TIMEOUT_OF_TYPE);
        CHECK(test_until(somebody_there, NULL));
        CHECK_STATUS(leat_cancel(ready.engine, id), LEAT_RUNNING);
        CHECK_EQUAL(test_ready_wait(&ready, id).state, LEAT_JOB_CANCELLED);
        CHECK(test_until(nobody_left, NULL));
    }
    test_ready_end(&ready);
}

static void
time_ends_the_group(void **state)
{
    (void)state;
    setup(200 * TEST_MS, 1000);
    marker_set(20);
    leat_job_id id = start_group("trap '' TERM; sleep @; sleep @", 300 * TEST_MS);
    struct leat_job_info info = test_ready_wait(&ready, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.attempts, 2);
    CHECK_EQUAL(info.reason, LEAT_REASON_TIMEOUT);
    CHECK_TEXT(info.error, "timed out after 300 ms");
    CHECK_EQUAL(test_statistics(ready.engine).jobs_timed_out, 2);
    CHECK(test_until(nobody_left, NULL));
    test_ready_end(&ready);
}

static void
a_stop_ends_all(void **state)
{
    (void)state;
    setup(200 * TEST_MS, 1000);
    marker_set(30);
    (void)start_group("sleep @", LEAT_TIMEOUT_OF_TYPE);
    leat_job_id id = start_group("trap '' TERM; sleep @; sleep @", LEAT_TIMEOUT_OF_TYPE);
    CHECK(test_until(somebody_there, NULL));
    CHECK_OK(leat_types_stop(ready.types));
    CHECK(test_until(nobody_left, NULL));
    struct leat_job_info info = test_get(ready.engine, id);
    CHECK(info.state == LEAT_JOB_SCHEDULED || info.state == LEAT_JOB_PENDING);
    CHECK_EQUAL(info.attempts, 0);
    CHECK_STATUS(leat_command_register(ready.types, "late", NULL, NULL), LEAT_CLOSED);
    test_ready_end(&ready);
}

static void
dies(void *argument)
{
    (void)argument;
    setup(200 * TEST_MS, 1000);
    (void)start_group("exec sleep @", LEAT_TIMEOUT_OF_TYPE);
    CHECK(test_until(somebody_there, NULL));
    _exit(0);
}

static void
a_command_dies_with_its_engine(void **state)
{
    (void)state;
    marker_set(40);
    pid_t pid = fork();
    if (pid == 0) {
        dies(NULL);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
    CHECK(test_until(nobody_left, NULL));
}

/* ---- payloads -------------------------------------------------------------------------------- */

static void
refuses(const struct leat_command *command)
{
    size_t bytes = 77;
    CHECK_STATUS(leat_command_encode(command, NULL, 0, &bytes), LEAT_INVALID);
    CHECK_EQUAL(bytes, 77);
}

static void
payloads_have_limits(void **state)
{
    static const char *many[LEAT_COMMAND_STRINGS_MAX + 2];
    static unsigned char room[200000];
    static unsigned char payload[100000];
    static uint8_t codes[256];
    struct leat_command command = leat_command_default();
    struct leat_command read;
    size_t bytes = 0;
    (void)state;
    refuses(&command);
    for (size_t i = 0; i < LEAT_COMMAND_STRINGS_MAX; i++) {
        many[i] = "a=b";
    }
    command.argv = many;
    command.environment = many;
    CHECK_STATUS(leat_command_encode(&command, NULL, 0, &bytes), LEAT_FULL);
    CHECK_STATUS(leat_command_encode(&command, payload, bytes - 1, &bytes), LEAT_FULL);
    CHECK_OK(leat_command_encode(&command, payload, bytes, &bytes));
    CHECK_OK(leat_command_decode(payload, bytes, room, 2 * bytes + 16, &read));
    CHECK_TEXT(read.argv[LEAT_COMMAND_STRINGS_MAX - 1], "a=b");
    CHECK(read.argv[LEAT_COMMAND_STRINGS_MAX] == NULL);
    CHECK_STATUS(leat_command_decode(payload, bytes, room, 64, &read), LEAT_FULL);
    many[LEAT_COMMAND_STRINGS_MAX] = "a=b";
    refuses(&command);
    many[1] = NULL;
    command.environment = NULL;
    memset(codes, 1, sizeof(codes));
    command.permanent = codes;
    command.permanent_count = 255;
    CHECK_OK(leat_command_encode(&command, payload, sizeof(payload), &bytes));
    command.permanent_count = 256;
    refuses(&command);
    command.permanent_count = 1;
    codes[0] = 0;
    refuses(&command);
    command.permanent_count = 0;
    command.flags = 8;
    refuses(&command);
    command.flags = 0;
    command.directory = "";
    refuses(&command);
    command.directory = NULL;
    command.environment = (const char *const[]){"none", NULL};
    refuses(&command);
    command.environment = NULL;
    command.input = "";
    command.input_bytes = LEAT_TYPES_PAYLOAD_BYTES_MAX;
    CHECK_STATUS(leat_command_encode(&command, NULL, 0, &bytes), LEAT_FULL);
}

static void
broken_payloads_are_refused(void **state)
{
    static unsigned char room[4096];
    static unsigned char payload[512];
    const char *const argv[] = {"echo", "a", NULL};
    const char *const environment[] = {"A=b", NULL};
    struct leat_command command = leat_command_default();
    struct leat_command read;
    size_t bytes = 0;
    (void)state;
    command.argv = argv;
    command.environment = environment;
    command.directory = "/";
    command.files = 3;
    CHECK_OK(leat_command_encode(&command, payload, sizeof(payload), &bytes));
    for (size_t i = 0; i < bytes; i++) {
        CHECK(leat_command_decode(payload, i, room, sizeof(room), &read) != LEAT_FULL);
        for (int bit = 0; bit < 8; bit++) {
            payload[i] ^= (unsigned char)(1 << bit);
            enum leat_status status =
                leat_command_decode(payload, bytes, room, sizeof(room), &read);
            CHECK(status == LEAT_OK || status == LEAT_INVALID || status == LEAT_UNSUPPORTED);
            payload[i] ^= (unsigned char)(1 << bit);
        }
    }
    CHECK_STATUS(leat_command_decode(payload, bytes - 1, room, sizeof(room), &read), LEAT_INVALID);
    CHECK_OK(leat_command_decode(payload, bytes, room, sizeof(room), &read));
    CHECK_EQUAL(read.files, 3);
    setup(0, 0);
    memcpy(ready.payload, "nonsense", 8);
    ready.bytes = 8;
    struct leat_job_info info = test_ready_run(&ready);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "the payload is not one of this type");
    ready.bytes = 0;
    CHECK_EQUAL(test_ready_run(&ready).reason, LEAT_REASON_FAILED);
    test_ready_end(&ready);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_dies_with_its_engine),
        cmocka_unit_test(payloads_have_limits),
        cmocka_unit_test(broken_payloads_are_refused),
        cmocka_unit_test(the_child_is_as_asked),
        cmocka_unit_test(an_exit_status_has_a_meaning),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(output_is_cut_at_its_cap),
        cmocka_unit_test(no_group_outlives_its_command),
        cmocka_unit_test(a_cancel_ends_the_group),
        cmocka_unit_test(time_ends_the_group),
        cmocka_unit_test(a_stop_ends_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
