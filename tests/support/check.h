/* check.h - how tests say what must hold. A fact that does not hold ends the test it stands in; in
 * another thread than main it ends the program, since cmocka's jump works in its own thread only.
 * Everything here may be used in handlers, hooks and helper threads. */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>

#include "engine/leat.h"

struct test_place {
    const char *file;
    int line;
};

_Noreturn void test_fail(struct test_place place);
void test_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

void test_status(enum leat_status got, enum leat_status want, const char *call,
                 struct test_place place);
void test_equal(uint64_t got, uint64_t want, const char *what, struct test_place place);
void test_text(const char *got, const char *want, const char *what, struct test_place place);

/* Runs body(argument) in a child process, where a fact that does not hold ends the process. The
 * test fails if the child does not come to the end of the body within a minute. */
void test_child(void (*body)(void *argument), void *argument);
/* The same for a body that an assertion of the library must end. A fact that does not hold would
 * end it just so: there should be none in the body. */
void test_child_aborts(void (*body)(void *argument), void *argument);

/* A stream for what a leat_x_check() says, and the text that it then has; closes it. */
FILE *test_why(void);
void test_why_read(FILE *why, char *text, size_t bytes);

#define TEST_HERE ((struct test_place){__FILE__, __LINE__})

#define CHECK(fact)                                                                                \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            test_say("%s:%d: %s\n", __FILE__, __LINE__, #fact);                                    \
            test_fail(TEST_HERE);                                                                  \
        }                                                                                          \
    } while (0)

/* Unsigned numbers, ids, counts. */
#define CHECK_EQUAL(got, want) test_equal((uint64_t)(got), (uint64_t)(want), #got, TEST_HERE)
#define CHECK_TEXT(got, want)  test_text((got), (want), #got, TEST_HERE)

/* A call of the library and the status that the contract promises. */
#define CHECK_STATUS(call, want) test_status((call), (want), #call, TEST_HERE)
#define CHECK_OK(call)           test_status((call), LEAT_OK, #call, TEST_HERE)

#define TEST_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Exit status of a test that cannot run here. */
#define TEST_SKIPPED 77

#endif
