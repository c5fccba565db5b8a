/* suspend_slab.c - ring/slab.h under the suspension test, see suspend.h: taking and giving, one and
 * several at once, with ids and with the list inside of the records, and a trim. Units are as small
 * as in a model, so that what a trimmer may have in its hand is less than all that there is. Every
 * slab is looked through once the frozen threads have gone on, and no record may be lost. */
#define LEAT_SLAB_UNIT_LOG2 1
#define LEAT_SLAB_RUN       1
#include "ring/slab.c" /* with these */

#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

#define RECORDS      8
#define RECORDS_MANY 24
#define RECORDS_TRIM 12

/* Taken and given at once. */
#define BATCH 3

struct slab_shape {
    bool link_inside;
    uint32_t own; /* records that each has to give who may be frozen */
};

struct slab_state {
    const struct suspend_subject *subject;
    const struct slab_shape *shape;
    struct leat_slab slab;
    struct {
        uint32_t records[RECORDS_MANY];
        uint32_t count;
    } hands[SUSPEND_WHO_COUNT];
    /* One thread at a time trims. A mutex has no steps, so nobody is frozen here. */
    pthread_mutex_t trimmer;
};

static void *
slab_create(const struct suspend_subject *subject)
{
    struct slab_state *state = calloc(1, sizeof(*state));
    CHECK(state != NULL);
    state->subject = subject;
    state->shape = subject->context;
    const struct leat_slab_config config = {.capacity = subject->capacity,
                                            .shards = 2,
                                            .record_bytes = 16,
                                            .link_inside = state->shape->link_inside};
    CHECK(leat_slab_init(&state->slab, &config));
    CHECK(pthread_mutex_init(&state->trimmer, NULL) == 0);
    return state;
}

static void
slab_destroy(void *subject)
{
    struct slab_state *state = subject;
    uint32_t in_use = 0;
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        in_use += state->hands[i].count;
    }
    CHECK(leat_slab_check(&state->slab, in_use, stderr));
    CHECK(pthread_mutex_destroy(&state->trimmer) == 0);
    leat_slab_fini(&state->slab);
    free(state);
}

/* ---- operations ------------------------------------------------------------------------------ */

static bool
slab_take(void *subject, uint32_t who)
{
    struct slab_state *state = subject;
    uint32_t index = 0;
    if (!leat_slab_take(&state->slab, who, &index)) {
        return false;
    }
    state->hands[who].records[state->hands[who].count] = index;
    state->hands[who].count++;
    return true;
}

static bool
slab_give(void *subject, uint32_t who)
{
    struct slab_state *state = subject;
    if (state->hands[who].count == 0) {
        return false;
    }
    state->hands[who].count--;
    leat_slab_give(&state->slab, who, state->hands[who].records[state->hands[who].count]);
    return true;
}

static bool
slab_take_n(void *subject, uint32_t who)
{
    struct slab_state *state = subject;
    uint32_t *records = state->hands[who].records + state->hands[who].count;
    uint32_t taken = leat_slab_take_n(&state->slab, who, records, BATCH);
    state->hands[who].count += taken;
    return taken != 0;
}

static bool
slab_give_n(void *subject, uint32_t who)
{
    struct slab_state *state = subject;
    uint32_t some = state->hands[who].count < BATCH ? state->hands[who].count : BATCH;
    if (some == 0) {
        return false;
    }
    state->hands[who].count -= some;
    const uint32_t *records = state->hands[who].records + state->hands[who].count;
    leat_slab_give_n(&state->slab, who, records, some);
    return true;
}

static void
release(void *context, uint32_t first, uint32_t count)
{
    const struct slab_state *state = context;
    CHECK(count != 0);
    CHECK(first + count <= state->subject->capacity);
}

/* All of a trim. False: another one is at it. */
static bool
slab_trim(void *subject, uint32_t who)
{
    struct slab_state *state = subject;
    struct leat_slab_trim trim;
    (void)who;
    if (pthread_mutex_trylock(&state->trimmer) != 0) {
        return false;
    }
    leat_slab_trim_begin(&state->slab, &trim);
    while (leat_slab_trim_step(&state->slab, &trim, 1, release, state)) {
    }
    CHECK(pthread_mutex_unlock(&state->trimmer) == 0);
    return true;
}

/* ---- situations ------------------------------------------------------------------------------ */

/* Each that may be frozen has records to give; the rest was never used. */
static void
slab_fresh(void *subject)
{
    const struct slab_state *state = subject;
    for (uint32_t i = 0; i < state->shape->own; i++) {
        CHECK(slab_take(subject, SUSPEND_FROZEN));
        CHECK(slab_take(subject, SUSPEND_FROZEN_SECOND));
    }
}

/* None is free. */
static void
slab_none(void *subject)
{
    const struct slab_state *state = subject;
    slab_fresh(subject);
    for (uint32_t i = 2 * state->shape->own; i < state->subject->capacity; i++) {
        CHECK(slab_take(subject, i % 2 == 0 ? SUSPEND_OTHER : SUSPEND_OTHER_SECOND));
    }
}

/* All have been used, and are in the stacks that wait for their turn. */
static void
slab_given(void *subject)
{
    slab_none(subject);
    while (slab_give(subject, SUSPEND_OTHER) || slab_give(subject, SUSPEND_OTHER_SECOND)) {
    }
}

/* The stacks have changed roles. */
static void
slab_turned(void *subject)
{
    slab_given(subject);
    CHECK(slab_take(subject, SUSPEND_OTHER));
    CHECK(slab_take(subject, SUSPEND_OTHER_SECOND));
}

/* One is free, in the other shard than that of the first one. */
static void
slab_last(void *subject)
{
    slab_none(subject);
    CHECK(slab_give(subject, SUSPEND_OTHER_SECOND));
}

/* ---- subjects -------------------------------------------------------------------------------- */

static const struct slab_shape plain = {.own = 1};
static const struct slab_shape many = {.own = BATCH};
static const struct slab_shape links = {.link_inside = true, .own = BATCH};

#define SLAB(records, shape)                                                                       \
    .capacity = (records), .budget = 2000, .context = &(shape), .create = slab_create,             \
    .destroy = slab_destroy,                                                                       \
    .situations = {{"fresh", slab_fresh, 0, 0},                                                    \
                   {"none free", slab_none, 0, 0},                                                 \
                   {"given back", slab_given, 0, 0},                                               \
                   {"roles changed", slab_turned, 0, 0},                                           \
                   {"the last one", slab_last, 0, 0}}

#define TAKE .name = "take", .run = slab_take
#define GIVE .name = "give", .run = slab_give

static const struct suspend_subject single_subject = {
    .name = "slab",
    SLAB(RECORDS, plain),
    .operations = {{TAKE}, {GIVE}},
};

#define MANY                                                                                       \
    .operations = {{.name = "take_n", .run = slab_take_n},                                         \
                   {.name = "give_n", .run = slab_give_n},                                         \
                   {TAKE, .witness = true},                                                        \
                   {GIVE, .witness = true}}

static const struct suspend_subject many_subject = {
    .name = "slab, many",
    SLAB(RECORDS_MANY, many),
    MANY,
};

static const struct suspend_subject links_subject = {
    .name = "slab of links",
    SLAB(RECORDS_MANY, links),
    MANY,
};

/* Whoever takes or gives beside a trim, and the trim. */
static const struct suspend_subject trim_subject = {
    .name = "slab, trimmed",
    SLAB(RECORDS_TRIM, plain),
    .operations = {{TAKE}, {GIVE}, {.name = "trim", .run = slab_trim, .tries = true}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
one_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&single_subject));
}

static void
several_are_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&many_subject));
    CHECK(suspend_run(&links_subject));
}

static void
who_trims_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&trim_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_lock_free),
        cmocka_unit_test(several_are_lock_free),
        cmocka_unit_test(who_trims_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
