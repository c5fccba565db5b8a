/* fault_types.c - what cannot start, for good or for want of room: a program that is not there, may
 * not be run, or is none; arguments that are too large; no process, no descriptor, at each place
 * where one is needed, no room in epoll. And a server whose certificate nobody has signed. The job
 * says why, is tried again where that helps, and nothing is left behind. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ring/atomic.h"
#include "tests/support/ready.h"

/* Texts of errors and directories, in one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

static struct test_ready ready;

/* ---- failures on demand ---------------------------------------------------------------------- */

static leat_atomic_u32 forks_to_fail;
static leat_atomic_u32 fork_error;
static leat_atomic_u32 ears_until; /* this addition to an epoll fails; 0: none */

/* In place of that of libc. A function cannot return twice from a vfork(): it is a fork(). */
pid_t
vfork(void)
{
    if (atom_load_rlx(&forks_to_fail) != 0) {    /* rlx: one thread at a time */
        (void)atom_sub_rlx(&forks_to_fail, 1);   /* rlx: as before */
        errno = (int)atom_load_rlx(&fork_error); /* rlx: as before */
        return -1;
    }
    return fork();
}

/* Takes the place of epoll_ctl(), whose declaration has other names for these. */
int ears(int epoll, int operation, int fd, struct epoll_event *event) __asm__("epoll_ctl");

int
ears(int epoll, int operation, int fd, struct epoll_event *event)
{
    /* rlx: one thread at a time */
    if (operation == EPOLL_CTL_ADD && atom_load_rlx(&ears_until) != 0 &&
        atom_sub_rlx(&ears_until, 1) == 1) { /* rlx: as before */
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static uint32_t
descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    uint32_t count = 0;
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}

static void
setup(const char *const *environment)
{
    struct leat_command_options options = leat_command_options_default();
    struct leat_type_options type = test_ready_type();
    test_ready_start(&ready);
    options.type = &type;
    options.environment = environment;
    CHECK_OK(leat_command_register(ready.types, "command", &options, &ready.type));
}

static struct leat_job_info
run(const char *program, const char *directory)
{
    const char *const argv[] = {program, NULL};
    struct leat_command command = leat_command_default();
    command.argv = argv;
    command.directory = directory;
    uint32_t before = descriptors();
    CHECK_OK(leat_command_encode(&command, ready.payload, sizeof(ready.payload), &ready.bytes));
    struct leat_job_info info = test_ready_run(&ready);
    CHECK_EQUAL(descriptors(), before);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    return info;
}

static void
never_starts(const char *program, const char *directory, const char *error)
{
    struct leat_job_info info = run(program, directory);
    CHECK_TEXT(info.error, error);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_EQUAL(info.attempts, 1);
}

static void
file_write(const char *name, mode_t mode)
{
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    CHECK(fd >= 0 && write(fd, "\1\2\3\4", 4) == 4 && fchmod(fd, mode) == 0);
    (void)close(fd);
}

static void
what_is_written_wrong_fails_for_good(void **state)
{
    char folder[] = "/tmp/leat_types_XXXXXX";
    char name[64];
    char want[192];
    (void)state;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "%s/none", folder);
    setup(NULL);
    (void)snprintf(want, sizeof(want), "not started: program: %s: %s", strerror(ENOENT), name);
    never_starts(name, NULL, want);
    never_starts("leat-there-is-no-such", NULL,
                 "not started: program: No such file or directory: leat-there-is-no-such");
    never_starts("true", name, "not started: directory: No such file or directory: true");
    never_starts("/", NULL, "not started: program: Permission denied: /");
    file_write(name, 0600);
    (void)snprintf(want, sizeof(want), "not started: program: %s: %s", strerror(EACCES), name);
    never_starts(name, NULL, want);
    never_starts("true", name, "not started: directory: Not a directory: true");
    CHECK(chmod(name, 0700) == 0);
    (void)snprintf(want, sizeof(want), "not started: program: %s: %s", strerror(ENOEXEC), name);
    never_starts(name, NULL, want);
    CHECK_EQUAL(run("true", folder).state, LEAT_JOB_COMPLETED);
    test_ready_end(&ready);
    CHECK(unlink(name) == 0 && rmdir(folder) == 0);
}

static void
too_much_fails_for_good(void **state)
{
    static char variable[300000]; /* the system has 128 KiB for one */
    const char *const environment[] = {"PATH=/usr/bin:/bin", variable, NULL};
    (void)state;
    memset(variable, 'a', sizeof(variable) - 1);
    variable[1] = '=';
    setup(environment);
    never_starts("true", NULL, "not started: program: Argument list too long: true");
    test_ready_end(&ready);
}

static void
no_process(uint32_t times, int error)
{
    char want[128];
    atom_store_rlx(&fork_error, (uint32_t)error); /* rlx: the submit publishes it */
    atom_store_rlx(&forks_to_fail, times);        /* rlx: as before */
    struct leat_job_info info = run("true", NULL);
    CHECK_EQUAL(info.attempts, 2);
    if (times == 1) {
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
        return;
    }
    (void)snprintf(want, sizeof(want), "not started: start: %s: true", strerror(error));
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_TEXT(info.error, want);
}

static void
without_a_process_it_is_tried_again(void **state)
{
    (void)state;
    setup(NULL);
    no_process(1, EAGAIN);
    no_process(2, EAGAIN);
    no_process(1, ENOMEM);
    no_process(2, ENOMEM);
    test_ready_end(&ready);
}

/* With one descriptor more each time, until there are enough. */
static void
without_descriptors_it_is_tried_again(void **state)
{
    struct rlimit before;
    uint32_t failed = 0;
    bool works = false;
    (void)state;
    setup(NULL);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int free_fd = dup(0);
    CHECK(free_fd >= 0);
    (void)close(free_fd);
    while (!works) {
        struct rlimit limit = {(rlim_t)free_fd + failed, before.rlim_max};
        const char *const argv[] = {"true", NULL};
        struct leat_command command = leat_command_default();
        command.argv = argv;
        CHECK_OK(leat_command_encode(&command, ready.payload, sizeof(ready.payload), &ready.bytes));
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        struct leat_job_info info = test_ready_run(&ready);
        CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
        int still_free = dup(0);
        CHECK_EQUAL(still_free, free_fd);
        (void)close(still_free);
        works = info.state == LEAT_JOB_COMPLETED;
        if (!works) {
            failed++;
            CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
            CHECK_EQUAL(info.attempts, 2);
            CHECK(strstr(info.error, strerror(EMFILE)) != NULL);
        }
        CHECK(failed < 64);
    }
    CHECK(failed >= 5);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    test_ready_end(&ready);
}

/* Its output, its error, its end. */
static void
without_ears_it_is_tried_again(void **state)
{
    (void)state;
    setup(NULL);
    for (uint32_t i = 1; i <= 3; i++) {
        atom_store_rlx(&ears_until, i); /* rlx: the submit publishes it */
        struct leat_job_info info = run("true", NULL);
        CHECK_EQUAL(atom_load_rlx(&ears_until), 0); /* rlx: statistic */
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
        CHECK_EQUAL(info.attempts, 2);
    }
    test_ready_end(&ready);
}

static void
an_unsigned_certificate_is_refused(void **state)
{
    struct test_server server;
    char url[64];
    char line[32] = "";
    (void)state;
    test_server_start(&server, LEAT_TEST_SERVERS "/https_server.py");
    struct leat_http_options options = leat_http_options_default();
    struct leat_type_options type = test_ready_type();
    test_ready_start(&ready);
    options.type = &type;
    CHECK_OK(leat_http_register(ready.types, "http", &options, &ready.type));
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
    struct leat_http http = leat_http_default();
    http.url = url;
    CHECK_OK(leat_http_encode(&http, ready.payload, sizeof(ready.payload), &ready.bytes));
    struct leat_job_info info = test_ready_run(&ready);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK(strstr(info.error, "certificate") != NULL);
    test_ready_end(&ready);
    /* No request has come through. */
    (void)close(server.input);
    CHECK(fgets(line, sizeof(line), server.says) != NULL);
    CHECK_TEXT(line, "0\n");
    (void)fclose(server.says);
    CHECK(waitpid(server.pid, NULL, 0) == server.pid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_wrong_fails_for_good),
        cmocka_unit_test(too_much_fails_for_good),
        cmocka_unit_test(without_a_process_it_is_tried_again),
        cmocka_unit_test(without_descriptors_it_is_tried_again),
        cmocka_unit_test(without_ears_it_is_tried_again),
        cmocka_unit_test(an_unsigned_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* NOLINTEND(concurrency-mt-unsafe) */
