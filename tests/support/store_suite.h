/* store_suite.h - what every store (struct leat_store) must keep to, whoever wrote it: the same
 * tests for the pull queue of an engine and for a program's own driver. */
#ifndef TESTS_SUPPORT_STORE_SUITE_H
#define TESTS_SUPPORT_STORE_SUITE_H

#include "engine/leat.h"

/* An empty store for one test, by a clock that the test moves. It takes 40 jobs, payloads of 64
 * bytes, and has a default of 3 attempts. */
struct test_store {
    struct leat_store store;
    void (*pass)(void *context, uint64_t ns); /* time goes on */
    void *context;
};

struct test_store_maker {
    struct test_store (*open)(void);
    void (*close)(struct test_store *store); /* the store, too */
};

/* Runs all of it; a fact that does not hold ends the test that it is called in. */
void test_store_suite(const struct test_store_maker *maker);

#endif
