/* suspend_writers.c - structures with one writer, ring/spsc.h and ring/flight.h, under the
 * suspension test, see suspend.h. While the producer of a ring stands still, the consumer gets all
 * that is there; while the consumer does, the producer fills it; while the writer of a recorder
 * does, its readers read what there was; and who only looks holds up nobody. Each call is counted
 * to its end: wait-free is what takes no step more, whatever the others do meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/flight.h"
#include "ring/spsc.h"
#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

#define SLOTS_LOG2 3
#define SLOTS      (1 << SLOTS_LOG2)

/* Items pushed and popped at once. */
#define BATCH 3

static void *
zeroed(size_t bytes)
{
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_round_up(bytes, LEAT_LINE_BYTES));
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    return memory;
}

/* ---- one producer, one consumer -------------------------------------------------------------- */

struct spsc_state {
    const struct suspend_subject *subject;
    struct leat_spsc ring;
    void *memory;
    /* Of those that are never frozen one at a time is at a side. A mutex has no steps. */
    pthread_mutex_t side;
    uint32_t pushed; /* items are numbers, from 1 on */
    uint32_t popped;
    uint32_t pushed_before; /* of these so many have not been told as successes yet */
    uint32_t popped_before;
};

static void *
spsc_create(const struct suspend_subject *subject)
{
    struct spsc_state *state = zeroed(sizeof(*state));
    state->subject = subject;
    state->memory = zeroed(leat_spsc_bytes(SLOTS_LOG2));
    const struct leat_ring_config config = {.slots_log2 = SLOTS_LOG2, .memory = state->memory};
    leat_spsc_init(&state->ring, &config);
    CHECK(pthread_mutex_init(&state->side, NULL) == 0);
    return state;
}

static bool
spsc_push(void *subject, uint32_t who)
{
    struct spsc_state *state = subject;
    (void)who;
    bool pushed = leat_spsc_push(&state->ring, state->pushed + 1);
    state->pushed += pushed ? 1 : 0;
    return pushed;
}

static uint32_t
push_some(struct spsc_state *state)
{
    uint32_t items[BATCH];
    for (uint32_t i = 0; i < BATCH; i++) {
        items[i] = state->pushed + 1 + i;
    }
    uint32_t pushed = leat_spsc_push_n(&state->ring, items, BATCH);
    state->pushed += pushed;
    return pushed;
}

static bool
spsc_push_n(void *subject, uint32_t who)
{
    (void)who;
    return push_some(subject) != 0;
}

static bool
spsc_pop(void *subject, uint32_t who)
{
    struct spsc_state *state = subject;
    uint32_t item = 0;
    (void)who;
    if (!leat_spsc_pop(&state->ring, &item)) {
        return false;
    }
    state->popped++;
    CHECK_EQUAL(item, state->popped);
    return true;
}

static uint32_t
pop_some(struct spsc_state *state)
{
    uint32_t items[BATCH] = {0};
    uint32_t popped = leat_spsc_pop_n(&state->ring, items, BATCH);
    for (uint32_t i = 0; i < popped; i++) {
        state->popped++;
        CHECK_EQUAL(items[i], state->popped);
    }
    return popped;
}

static bool
spsc_pop_n(void *subject, uint32_t who)
{
    (void)who;
    return pop_some(subject) != 0;
}

/* The other side, by whoever of the others is not beside another one: an item to a success, whether
 * it came alone or not. */
static bool
produce(void *subject, uint32_t who)
{
    struct spsc_state *state = subject;
    CHECK(pthread_mutex_lock(&state->side) == 0);
    bool any = state->pushed_before != 0;
    if (any) {
        state->pushed_before--;
    } else if (state->pushed % 2 == 0) {
        uint32_t pushed = push_some(state);
        any = pushed != 0;
        state->pushed_before = any ? pushed - 1 : 0;
    } else {
        any = spsc_push(state, who);
    }
    CHECK(pthread_mutex_unlock(&state->side) == 0);
    return any;
}

static bool
consume(void *subject, uint32_t who)
{
    struct spsc_state *state = subject;
    CHECK(pthread_mutex_lock(&state->side) == 0);
    bool any = state->popped_before != 0;
    if (any) {
        state->popped_before--;
    } else if (state->popped % 2 == 0) {
        uint32_t popped = pop_some(state);
        any = popped != 0;
        state->popped_before = any ? popped - 1 : 0;
    } else {
        any = spsc_pop(state, who);
    }
    CHECK(pthread_mutex_unlock(&state->side) == 0);
    return any;
}

static bool
spsc_ready(void *subject, uint32_t who)
{
    const struct spsc_state *state = subject;
    (void)who;
    (void)leat_spsc_ready(&state->ring);
    return true;
}

static bool
spsc_count(void *subject, uint32_t who)
{
    const struct spsc_state *state = subject;
    (void)who;
    CHECK(leat_spsc_count(&state->ring) <= SLOTS);
    return true;
}

static void
spsc_destroy(void *subject)
{
    struct spsc_state *state = subject;
    CHECK(leat_spsc_check(&state->ring, stderr));
    while (spsc_pop(state, SUSPEND_OTHER)) {
    }
    CHECK(leat_spsc_check(&state->ring, stderr));
    CHECK_EQUAL(state->popped, state->pushed);
    CHECK(pthread_mutex_destroy(&state->side) == 0);
    free(state->memory);
    free(state);
}

/* After some laps. */
static void
spsc_fill(void *subject, uint32_t count)
{
    struct spsc_state *state = subject;
    suspend_laps(state->subject, subject);
    while (spsc_pop(subject, SUSPEND_OTHER)) {
    }
    state->pushed_before = 0;
    state->popped_before = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(spsc_push(subject, SUSPEND_OTHER));
    }
}

static void
spsc_fresh(void *subject)
{
    (void)subject;
}

static void
spsc_empty(void *subject)
{
    spsc_fill(subject, 0);
}

static void
spsc_half(void *subject)
{
    spsc_fill(subject, SLOTS / 2);
}

/* Room for fewer than are pushed at once. */
static void
spsc_most(void *subject)
{
    spsc_fill(subject, SLOTS - 1);
}

static void
spsc_full(void *subject)
{
    spsc_fill(subject, SLOTS);
}

#define SPSC .capacity = SLOTS, .budget = 1000, .create = spsc_create, .destroy = spsc_destroy

/* Two loads and a store at most; of who looks two loads. */
#define SIDE_STEPS 3
#define LOOK_STEPS 2
#define LOOKS                                                                                      \
    {.name = "ready", .run = spsc_ready, .steps_most = LOOK_STEPS},                                \
    {                                                                                              \
        .name = "count", .run = spsc_count, .steps_most = LOOK_STEPS                               \
    }

static const struct suspend_subject producer_subject = {
    .name = "spsc, producer",
    SPSC,
    .operations = {{.name = "push", .run = spsc_push, .owner = true, .steps_most = SIDE_STEPS},
                   {.name = "push_n", .run = spsc_push_n, .owner = true, .steps_most = SIDE_STEPS},
                   {.name = "consume", .run = consume, .witness = true},
                   LOOKS},
    .situations = {{"fresh", spsc_fresh, 0, 0},
                   {"empty", spsc_empty, 0, 0},
                   {"half", spsc_half, SLOTS / 2, 0},
                   {"most", spsc_most, SLOTS - 1, 0},
                   {"full", spsc_full, SLOTS, 0}},
};

/* Items are here the slots that are free. */
static const struct suspend_subject consumer_subject = {
    .name = "spsc, consumer",
    SPSC,
    .operations = {{.name = "produce", .run = produce, .witness = true},
                   {.name = "pop", .run = spsc_pop, .owner = true, .steps_most = SIDE_STEPS},
                   {.name = "pop_n", .run = spsc_pop_n, .owner = true, .steps_most = SIDE_STEPS},
                   LOOKS},
    .situations = {{"fresh", spsc_fresh, SLOTS, 0},
                   {"empty", spsc_empty, SLOTS, 0},
                   {"half", spsc_half, SLOTS / 2, 0},
                   {"most", spsc_most, 1, 0},
                   {"full", spsc_full, 0, 0}},
};

/* ---- a flight recorder ----------------------------------------------------------------------- */

/* Copies that the readers make while the writer stands. */
#define COPIES 20

struct flight_state {
    const struct suspend_subject *subject;
    struct leat_flight flight;
    void *memory;
    /* Of the numbers below. It has no steps, so nobody is frozen here. */
    pthread_mutex_t mutex;
    uint64_t begun; /* records, which are numbers, from 1 on */
    uint64_t written;
};

static void *
flight_create(const struct suspend_subject *subject)
{
    struct flight_state *state = zeroed(sizeof(*state));
    state->subject = subject;
    state->memory = zeroed(leat_flight_bytes(SLOTS_LOG2));
    leat_flight_init(&state->flight, SLOTS_LOG2, state->memory, 0);
    CHECK(pthread_mutex_init(&state->mutex, NULL) == 0);
    return state;
}

static uint64_t
number_of(struct flight_state *state, const uint64_t *number, uint64_t more)
{
    CHECK(pthread_mutex_lock(&state->mutex) == 0);
    uint64_t value = *number + more;
    state->begun += number == &state->begun ? more : 0;
    state->written += number == &state->written ? more : 0;
    CHECK(pthread_mutex_unlock(&state->mutex) == 0);
    return value;
}

static uint64_t
word_of(uint64_t number, uint32_t place)
{
    return number + ((uint64_t)place << 32);
}

static bool
flight_write(void *subject, uint32_t who)
{
    struct flight_state *state = subject;
    struct leat_flight_record record;
    (void)who;
    uint64_t number = number_of(state, &state->begun, 1);
    for (uint32_t i = 0; i < LEAT_FLIGHT_WORDS; i++) {
        record.words[i] = word_of(number, i);
    }
    leat_flight_write(&state->flight, &record);
    (void)number_of(state, &state->written, 1);
    return true;
}

/* All of the last ones, but for as many as may have been written meanwhile. */
static bool
flight_copy(void *subject, uint32_t who)
{
    struct flight_state *state = subject;
    struct leat_flight_record records[SLOTS];
    const struct leat_flight_record *first = NULL;
    (void)who;
    uint64_t there = number_of(state, &state->written, 0);
    uint64_t count = leat_flight_copy(&state->flight, records, &first);
    uint64_t meanwhile = number_of(state, &state->begun, 0) - there;
    uint64_t most = there < SLOTS - 1 ? there : SLOTS - 1;
    CHECK(count + meanwhile >= most);
    for (uint64_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < LEAT_FLIGHT_WORDS; j++) {
            CHECK_EQUAL(first[i].words[j], word_of(first[0].words[0] + i, j));
        }
    }
    return true;
}

static void
flight_destroy(void *subject)
{
    struct flight_state *state = subject;
    CHECK_EQUAL(state->written, state->begun);
    CHECK(flight_copy(state, SUSPEND_OTHER));
    CHECK(leat_flight_check(&state->flight, stderr));
    CHECK(pthread_mutex_destroy(&state->mutex) == 0);
    free(state->memory);
    free(state);
}

static void
flight_fresh(void *subject)
{
    (void)subject;
}

static void
flight_some(void *subject)
{
    for (uint32_t i = 0; i < SLOTS / 2; i++) {
        CHECK(flight_write(subject, SUSPEND_OTHER));
    }
}

static void
flight_laps(void *subject)
{
    const struct flight_state *state = subject;
    suspend_laps(state->subject, subject);
}

/* A load, the words, the count; and the count, the words of all slots but one, the count. */
#define WRITE_STEPS (2 + LEAT_FLIGHT_WORDS)
#define COPY_STEPS  (2 + LEAT_FLIGHT_WORDS * (SLOTS - 1))

static const struct suspend_subject flight_subject = {
    .name = "flight recorder",
    .capacity = SLOTS,
    .budget = 1000,
    .create = flight_create,
    .destroy = flight_destroy,
    .operations = {{.name = "write", .run = flight_write, .owner = true, .steps_most = WRITE_STEPS},
                   {.name = "copy", .run = flight_copy, .steps_most = COPY_STEPS}},
    .situations = {{"fresh", flight_fresh, COPIES, 0},
                   {"some", flight_some, COPIES, 0},
                   {"after laps", flight_laps, COPIES, 0}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
either_side_is_wait_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&producer_subject));
    CHECK(suspend_run(&consumer_subject));
}

static void
a_recorder_is_wait_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&flight_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_side_is_wait_free),
        cmocka_unit_test(a_recorder_is_wait_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
