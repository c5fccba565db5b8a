/* unit_stream.c - the checker of numbered items counts exactly what is wrong with what it is given:
 * items lost, at any place of a round; items twice, to one reader or to two, in one round or a
 * later one; items made up; items out of order within a reader, and between readers that told each
 * other. And nothing is wrong with whatever a FIFO queue may give to its readers. */
#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/stream.h"

#define PRODUCERS 2
#define READERS   3
#define GOAL      200
#define ALL       (UINT64_C(2) * GOAL)

static void
setup(struct stream *stream)
{
    const uint32_t goals[PRODUCERS] = {GOAL, GOAL};
    stream_init(stream, PRODUCERS, READERS);
    stream_round_begin(stream, goals);
}

static void
note(struct stream *stream, uint32_t reader, uint32_t producer, uint32_t sequence)
{
    stream_note(stream, &stream->readers[reader], stream_item(stream, producer, sequence));
}

static void
exchange_all(struct stream *stream)
{
    /* Twice: the first reader learns what the last one told. */
    for (uint32_t i = 0; i < 2 * READERS; i++) {
        stream_exchange(stream, &stream->readers[i % READERS]);
    }
}

/* All items from one on, to the readers in turn. */
static void
note_rest(struct stream *stream, uint32_t producer, uint32_t first)
{
    for (uint32_t i = first; i < GOAL; i++) {
        note(stream, i % READERS, producer, i);
    }
}

static void
teardown(struct stream *stream, struct stream_counts wanted)
{
    stream_round_end(stream, stream->goals);
    CHECK_EQUAL(stream->counts.pushed, ALL);
    CHECK_EQUAL(stream->counts.popped, wanted.popped);
    CHECK_EQUAL(stream->counts.lost, wanted.lost);
    CHECK_EQUAL(stream->counts.duplicated, wanted.duplicated);
    CHECK_EQUAL(stream->counts.reordered, wanted.reordered);
    stream_fini(stream);
}

/* One queue, several rounds of any length: more of them than a round's number has values. */
static void
right_is_right(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_stream")};
    struct stream stream;
    uint64_t all = 0;
    stream_init(&stream, PRODUCERS, READERS);
    for (uint32_t round = 0; round < 70; round++) {
        const uint32_t goals[PRODUCERS] = {test_random_below(&prng, 1000),
                                           test_random_below(&prng, 1000)};
        uint32_t next[PRODUCERS] = {0, 0};
        stream_round_begin(&stream, goals);
        while (next[0] < goals[0] || next[1] < goals[1]) {
            uint32_t producer = test_random_below(&prng, PRODUCERS);
            uint32_t reader = test_random_below(&prng, READERS);
            if (next[producer] < goals[producer]) {
                note(&stream, reader, producer, next[producer]);
                next[producer]++;
            }
            if (test_random_below(&prng, 8) == 0) {
                stream_exchange(&stream, &stream.readers[reader]);
            }
        }
        stream_round_end(&stream, goals);
        all += goals[0] + goals[1];
    }
    CHECK_EQUAL(stream.counts.pushed, all);
    CHECK_EQUAL(stream.counts.popped, all);
    CHECK_EQUAL(stream.counts.lost, 0);
    CHECK_EQUAL(stream.counts.duplicated, 0);
    CHECK_EQUAL(stream.counts.reordered, 0);
    stream_fini(&stream);
}

static void
the_longest_round(void **state)
{
    (void)state;
    const uint32_t goals[1] = {STREAM_SEQUENCES_MAX};
    struct stream stream;
    stream_init(&stream, 1, 1);
    stream_round_begin(&stream, goals);
    for (uint32_t i = 0; i < STREAM_SEQUENCES_MAX - 1; i++) {
        note(&stream, 0, 0, i);
    }
    stream_round_end(&stream, goals);
    CHECK_EQUAL(stream.counts.lost, 1);
    CHECK_EQUAL(stream.counts.duplicated, 0);
    stream_fini(&stream);
}

static void
lost(void **state)
{
    (void)state;
    static const uint32_t places[] = {0, 1, 62, 63, 64, 127, 128, GOAL - 1};
    for (size_t i = 0; i < TEST_COUNT_OF(places); i++) {
        struct stream stream;
        setup(&stream);
        note_rest(&stream, 0, 0);
        for (uint32_t j = 0; j < GOAL; j++) {
            if (j != places[i]) {
                note(&stream, 0, 1, j);
            }
        }
        teardown(&stream, (struct stream_counts){.popped = ALL - 1, .lost = 1});
    }
}

static void
all_lost(void **state)
{
    (void)state;
    struct stream stream;
    setup(&stream);
    teardown(&stream, (struct stream_counts){.lost = ALL});
}

/* To the same reader, and to another one that knows nothing of it. */
static void
twice(void **state)
{
    (void)state;
    for (uint32_t other = 0; other < READERS; other++) {
        struct stream stream;
        setup(&stream);
        note(&stream, 0, 0, 0);
        note(&stream, other, 0, 0);
        note_rest(&stream, 0, 1);
        note_rest(&stream, 1, 0);
        teardown(&stream, (struct stream_counts){.popped = ALL + 1, .duplicated = 1});
    }
}

static void
to_all_readers(void **state)
{
    (void)state;
    struct stream stream;
    setup(&stream);
    for (uint32_t i = 0; i < READERS; i++) {
        note(&stream, i, 0, 0);
    }
    note_rest(&stream, 0, 1);
    note_rest(&stream, 1, 0);
    teardown(&stream, (struct stream_counts){.popped = ALL + 2, .duplicated = 2});
}

/* Of the round before, of a producer that there is not, behind the end of the round. */
static void
made_up(void **state)
{
    (void)state;
    struct stream stream;
    setup(&stream);
    note_rest(&stream, 0, 0);
    note_rest(&stream, 1, 0);
    stream.round--;
    uint32_t before = stream_item(&stream, 0, 0);
    stream.round++;
    stream_note(&stream, &stream.readers[0], before);
    note(&stream, 0, PRODUCERS, 0);
    note(&stream, 0, 0, GOAL);
    teardown(&stream, (struct stream_counts){.popped = ALL + 3, .duplicated = 3});
}

/* A round that ends early: what was pushed is what counts. */
static void
ended_early(void **state)
{
    (void)state;
    const uint32_t goals[PRODUCERS] = {GOAL, GOAL};
    const uint32_t pushed[PRODUCERS] = {100, 64};
    struct stream stream;
    stream_init(&stream, PRODUCERS, READERS);
    stream_round_begin(&stream, goals);
    for (uint32_t i = 1; i < 100; i++) {
        note(&stream, i % READERS, 0, i);
    }
    /* Not pushed. */
    note(&stream, 0, 0, 100);
    note(&stream, 0, 1, 64);
    stream_round_end(&stream, pushed);
    CHECK_EQUAL(stream.counts.pushed, 164);
    CHECK_EQUAL(stream.counts.popped, 101);
    CHECK_EQUAL(stream.counts.lost, 65);
    CHECK_EQUAL(stream.counts.duplicated, 2);
    stream_fini(&stream);
}

static void
out_of_order_to_a_reader(void **state)
{
    (void)state;
    struct stream stream;
    setup(&stream);
    note(&stream, 1, 0, 3);
    note(&stream, 1, 0, 1);
    note(&stream, 1, 0, 2);
    note(&stream, 1, 0, 0);
    /* Those of another producer have nothing to do with it. */
    note_rest(&stream, 1, 0);
    note_rest(&stream, 0, 4);
    teardown(&stream, (struct stream_counts){.popped = ALL, .reordered = 3});
}

static void
out_of_order_between_readers(void **state)
{
    (void)state;
    for (uint32_t told = 0; told < 2; told++) {
        struct stream stream;
        setup(&stream);
        note(&stream, 0, 0, 1);
        if (told == 1) {
            exchange_all(&stream);
        }
        /* Unless it was told, the second reader may have popped it at the same time. */
        note(&stream, 1, 0, 0);
        note_rest(&stream, 0, 2);
        note_rest(&stream, 1, 0);
        teardown(&stream, (struct stream_counts){.popped = ALL, .reordered = told});
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_is_right),
        cmocka_unit_test(the_longest_round),
        cmocka_unit_test(lost),
        cmocka_unit_test(all_lost),
        cmocka_unit_test(twice),
        cmocka_unit_test(to_all_readers),
        cmocka_unit_test(made_up),
        cmocka_unit_test(ended_early),
        cmocka_unit_test(out_of_order_to_a_reader),
        cmocka_unit_test(out_of_order_between_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
