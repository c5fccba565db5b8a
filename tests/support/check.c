/* check.c - saying what does not hold, and ending the test. */
#include "tests/support/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* True in a child of test_child(): cmocka's jump would lead into the parent's tests. */
static bool is_child;

void
test_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* clang-tidy 14 does not see va_start() here. */
    (void)vfprintf(stderr, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(arguments);
    (void)fflush(stderr);
}

_Noreturn void
test_fail(struct test_place place)
{
    if (gettid() == getpid() && !is_child) {
        _fail(place.file, place.line);
    }
    test_say("%s:%d: failed in another %s than main\n", place.file, place.line,
             is_child ? "process" : "thread");
    abort();
}

void
test_status(enum leat_status got, enum leat_status want, const char *call, struct test_place place)
{
    if (got != want) {
        test_say("%s:%d: %s\n    is %d (%s), must be %d (%s)\n", place.file, place.line, call,
                 (int)got, leat_status_text(got), (int)want, leat_status_text(want));
        test_fail(place);
    }
}

void
test_equal(uint64_t got, uint64_t want, const char *what, struct test_place place)
{
    if (got != want) {
        test_say("%s:%d: %s\n    is %ju (%#jx), must be %ju (%#jx)\n", place.file, place.line, what,
                 (uintmax_t)got, (uintmax_t)got, (uintmax_t)want, (uintmax_t)want);
        test_fail(place);
    }
}

void
test_text(const char *got, const char *want, const char *what, struct test_place place)
{
    if (got == NULL || strcmp(got, want) != 0) {
        test_say("%s:%d: %s\n    is \"%s\", must be \"%s\"\n", place.file, place.line, what,
                 got == NULL ? "(NULL)" : got, want);
        test_fail(place);
    }
}

/* How it ended, as of waitpid(). */
static int
child_run(void (*body)(void *argument), void *argument)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        is_child = true;
        (void)alarm(60);
        body(argument);
        (void)fflush(NULL);
        _exit(0);
    }
    int how = 0;
    CHECK(waitpid(pid, &how, 0) == pid);
    return how;
}

void
test_child(void (*body)(void *argument), void *argument)
{
    int how = child_run(body, argument);
    CHECK(WIFEXITED(how));
    CHECK_EQUAL(WEXITSTATUS(how), 0);
}

void
test_child_aborts(void (*body)(void *argument), void *argument)
{
    int how = child_run(body, argument);
    CHECK(WIFSIGNALED(how));
    CHECK_EQUAL(WTERMSIG(how), SIGABRT);
}

FILE *
test_why(void)
{
    FILE *why = tmpfile();
    CHECK(why != NULL);
    return why;
}

void
test_why_read(FILE *why, char *text, size_t bytes)
{
    rewind(why);
    text[fread(text, 1, bytes - 1, why)] = '\0';
    (void)fclose(why);
}
