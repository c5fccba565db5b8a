/* stress_book.c - engine/book.h alone: threads that put ids, take them, put them back, pop them and
 * look at the ages, each as fast as it can. What stands behind an id is plain memory of who has it
 * out of its place, and so are the marks of the ages of who looks: which ThreadSanitizer watches.
 * Each id is handed out once, or stands in the book at the end; no more stand there than it has
 * places. Holds I1, I2, I3 and the edges of the header, aged:B -> aging:A among them. */
#include "engine/book.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS 4
#define IDS     UINT64_C(100000) /* of each thread */
#define MAX     6
#define ALL     (THREADS * IDS)

struct record {
    uint32_t notes; /* plain: of who has the id out of its place */
    uint32_t out;   /* plain: it was handed out for ever */
};

struct fixture {
    struct leat_book book;
    leat_atomic_u64 now_ns;
    struct record records[ALL + 1];
};

static struct fixture fixture_now;

static void
have(struct fixture *fixture, uint64_t id)
{
    if (id != 0) {
        struct record *record = &fixture->records[id];
        record->notes++;
        CHECK_EQUAL(record->out, 0);
        record->out = 1;
    }
}

static void
put(struct fixture *fixture, uint64_t id)
{
    fixture->records[id].notes++;
    have(fixture, leat_book_put(&fixture->book, id));
}

/* Some letter: it goes, or comes back to where it was, or as the newest. */
static void
take(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_book *book = &fixture->book;
    uint64_t position = leat_book_first(book) + test_random_below(prng, MAX);
    uint64_t id = leat_book_at(book, position);
    if (id == 0 || !leat_book_take(book, position, id)) {
        return;
    }
    if (test_random_below(prng, 2) == 0) {
        have(fixture, id);
        return;
    }
    fixture->records[id].notes++;
    if (!leat_book_untake(book, position, id)) {
        put(fixture, id);
    }
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_book *book = &fixture->book;
    struct test_prng prng = {number + 1};
    for (uint32_t i = 0; i < IDS; i++) {
        put(fixture, 1 + number * IDS + i);
        take(fixture, &prng);
        if (test_random_below(&prng, 4) == 0) {
            have(fixture, leat_book_pop(book, leat_book_end(book)));
        }
        uint64_t end = leat_book_look(book, atom_add_rlx(&fixture->now_ns, 1));
        CHECK(end <= leat_book_end(book));
        if (end != 0) {
            have(fixture, leat_book_pop(book, end));
        }
    }
}

static void
each_once(void **state)
{
    struct fixture *fixture = &fixture_now;
    (void)state;
    /* Each second look is one. */
    CHECK(leat_book_init(&fixture->book, MAX, UINT64_C(2) * LEAT_BOOK_PARTS));
    test_threads_run(THREADS, body, fixture);
    uint64_t standing = 0;
    for (uint64_t i = 0; i < MAX; i++) {
        uint64_t id = leat_book_at(&fixture->book, i);
        standing += id != 0 ? 1 : 0;
        have(fixture, id);
    }
    CHECK_EQUAL(leat_book_count(&fixture->book), standing);
    for (uint64_t id = 1; id <= ALL; id++) {
        CHECK_EQUAL(fixture->records[id].out, 1);
    }
    CHECK(fixture->book.marked > 1);
    leat_book_fini(&fixture->book);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
