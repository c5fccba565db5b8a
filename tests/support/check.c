/* check.c - saying what does not hold, and ending the test. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
test_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fflush(stderr);
}

_Noreturn void
test_fail(struct test_place place)
{
    if (gettid() == getpid()) {
        _fail(place.file, place.line);
    }
    test_say("%s:%d: failed in another thread than main\n", place.file, place.line);
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
