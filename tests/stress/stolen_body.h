/* stolen_body.h - what the stress tests of the queues that are stolen from share: where positions
 * start, how time is parted, and that positions say what was taken. stress_X.c includes it after it
 * named its queue by QUEUE(), and defines behind it what is declared here. */
#ifndef TESTS_STRESS_STOLEN_BODY_H
#define TESTS_STRESS_STOLEN_BODY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

/* The queue: QUEUE(_push) is its push. Where this header is compiled alone, the local one. */
#ifndef QUEUE
#    include "ring/local.h"
#    define QUEUE(name) leat_local##name
#    define QUEUE_NAME  "local"
#endif

typedef struct QUEUE() any_queue;

#define NOTES      64
#define NOTES_LOG2 6

/* Thread 0 owns the queue, which has NOTES slots. The owner or thread 1 takes. */
struct notes {
    any_queue queue;
    any_queue full;      /* of thread 1, where a steal asks for the thief's own */
    bool written[NOTES]; /* plain: by the taker, before it takes so many */
    bool by_pop;
};

static bool queue_push(any_queue *queue, uint32_t item);
/* Writes each note, then takes an item, NOTES times. */
static void take_with_notes(struct notes *notes);
/* Thread 0 pushes as there is room, and reads the notes; thread 1 takes. */
static void push_side(void *shared, uint32_t number);

static uint64_t
mix(uint64_t number)
{
    struct test_prng prng = {number};
    return test_random(&prng);
}

/* A first position: 0, shortly before the wrap, or anywhere. */
static uint64_t
any_start(struct test_prng *prng)
{
    switch (test_random_below(prng, 3)) {
    case 0:
        return 0;
    case 1:
        return 0 - (uint64_t)test_random_below(prng, 1000);
    default:
        return test_random(prng);
    }
}

static void
queue_setup(any_queue *queue, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = QUEUE(_bytes)(slots_log2);
    void *memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    QUEUE(_init)(queue, slots_log2, memory, start);
}

static void
queue_teardown(any_queue *queue)
{
    CHECK(QUEUE(_check)(queue, stderr));
    free(queue->slots);
}

/* The tests share the time: four flows, and the three below. */
#define PARTS 7

static uint64_t
deadline_of(void)
{
    return test_now_ns() + test_duration_ns() / PARTS;
}

/* ---- positions say what was taken ------------------------------------------------------------ */

static void
count_side(void *shared, uint32_t number)
{
    struct notes *notes = shared;
    if (number == (notes->by_pop ? 0 : 1)) {
        take_with_notes(notes);
        return;
    }
    uint64_t left = NOTES;
    while (left > 0) {
        left = QUEUE(_count)(&notes->queue);
        CHECK(left <= NOTES);
        for (uint64_t i = 0; i < NOTES - left; i++) {
            CHECK(notes->written[i]);
        }
    }
}

static void
notes_run(test_body body, bool by_pop)
{
    struct test_prng prng = {test_seed(QUEUE_NAME)};
    uint64_t deadline_ns = deadline_of();
    do {
        struct notes notes;
        memset(&notes, 0, sizeof(notes));
        notes.by_pop = by_pop;
        queue_setup(&notes.queue, NOTES_LOG2, any_start(&prng));
        queue_setup(&notes.full, 1, any_start(&prng));
        for (uint32_t i = 0; i < NOTES; i++) {
            CHECK(queue_push(&notes.queue, i));
        }
        CHECK(queue_push(&notes.full, 0));
        CHECK(queue_push(&notes.full, 0));
        test_threads_run(2, body, &notes);
        queue_teardown(&notes.queue);
        queue_teardown(&notes.full);
    } while (test_now_ns() < deadline_ns);
}

static void
room_says_what_was_stolen(void **state)
{
    (void)state;
    notes_run(push_side, false);
}

static void
the_count_says_what_was_stolen(void **state)
{
    (void)state;
    notes_run(count_side, false);
}

static void
the_count_says_what_was_popped(void **state)
{
    (void)state;
    notes_run(count_side, true);
}

#endif
