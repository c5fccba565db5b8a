/* suspend_ring.c - the structures of ring/ under the suspension test, see suspend.h. It holds their
 * claims of progress: those called lock-free pass at each step, and those called blocking are
 * blocking where their headers say. Every structure is looked through, and what went in is counted
 * against what came out, once the frozen threads have gone on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/mpmc.h"
#include "ring/slab.h"
#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

/* ---- slab ------------------------------------------------------------------------------------ */

#define RECORDS 8

struct slab_state {
    struct leat_slab slab;
    struct {
        uint32_t records[RECORDS];
        uint32_t count;
    } hands[SUSPEND_WHO_COUNT];
};

static void *
slab_create(void)
{
    const struct leat_slab_config config = {.capacity = RECORDS, .shards = 2, .record_bytes = 16};
    struct slab_state *state = calloc(1, sizeof(*state));
    CHECK(state != NULL);
    CHECK(leat_slab_init(&state->slab, &config));
    return state;
}

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

static void
slab_destroy(void *subject)
{
    struct slab_state *state = subject;
    uint32_t in_use = 0;
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        in_use += state->hands[i].count;
    }
    CHECK(leat_slab_check(&state->slab, in_use, stderr));
    leat_slab_fini(&state->slab);
    free(state);
}

/* Each that may be frozen has a record to give; the rest was never used. */
static void
slab_fresh(void *subject)
{
    CHECK(slab_take(subject, SUSPEND_FROZEN));
    CHECK(slab_take(subject, SUSPEND_FROZEN_SECOND));
}

/* None is free. */
static void
slab_none(void *subject)
{
    slab_fresh(subject);
    for (uint32_t i = 2; i < RECORDS; i++) {
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

static const struct suspend_subject slab_subject = {
    .name = "slab",
    .capacity = RECORDS,
    .budget = 2000,
    .create = slab_create,
    .destroy = slab_destroy,
    .operations = {{.name = "take", .run = slab_take}, {.name = "give", .run = slab_give}},
    .situations = {{"fresh", slab_fresh, 0},
                   {"none free", slab_none, 0},
                   {"given back", slab_given, 0},
                   {"roles changed", slab_turned, 0},
                   {"the last one", slab_last, 0}},
};

static void
slab_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&slab_subject));
}

/* ---- rings ----------------------------------------------------------------------------------- */

#define SLOTS_LOG2 3
#define SLOTS      (1 << SLOTS_LOG2)

/* What the threads put in and took out, by thread; equal in the end. */
struct ledger {
    uint64_t in[SUSPEND_WHO_COUNT];
    uint64_t out[SUSPEND_WHO_COUNT];
    uint32_t next[SUSPEND_WHO_COUNT];
};

static uint32_t
ledger_next(struct ledger *ledger, uint32_t who)
{
    return who << 24 | (ledger->next[who] + 1);
}

static void
ledger_in(struct ledger *ledger, uint32_t who, uint32_t item)
{
    ledger->next[who]++;
    ledger->in[who] += item;
}

static void
ledger_check(const struct ledger *ledger)
{
    uint64_t in = 0;
    uint64_t out = 0;
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        in += ledger->in[i];
        out += ledger->out[i];
    }
    CHECK_EQUAL(out, in);
}

struct turn_state {
    struct leat_mpmc ring;
    struct ledger ledger;
    void *memory;
};

static const struct suspend_subject turn_subject;

static void *
turn_create(void)
{
    struct turn_state *state = aligned_alloc(LEAT_LINE_BYTES, sizeof(*state));
    size_t bytes = leat_mpmc_bytes(SLOTS_LOG2);
    CHECK(state != NULL);
    memset(state, 0, sizeof(*state));
    state->memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(state->memory != NULL);
    memset(state->memory, 0, bytes);
    leat_mpmc_init(&state->ring, SLOTS_LOG2, state->memory, 0);
    return state;
}

static bool
turn_push(void *subject, uint32_t who)
{
    struct turn_state *state = subject;
    uint32_t item = ledger_next(&state->ledger, who);
    if (!leat_mpmc_push(&state->ring, item)) {
        return false;
    }
    ledger_in(&state->ledger, who, item);
    return true;
}

static bool
turn_pop(void *subject, uint32_t who)
{
    struct turn_state *state = subject;
    uint32_t item = 0;
    if (!leat_mpmc_pop(&state->ring, &item)) {
        return false;
    }
    state->ledger.out[who] += item;
    return true;
}

static void
turn_destroy(void *subject)
{
    struct turn_state *state = subject;
    CHECK(leat_mpmc_check(&state->ring, stderr));
    while (turn_pop(state, SUSPEND_OTHER)) {
    }
    CHECK(leat_mpmc_check(&state->ring, stderr));
    ledger_check(&state->ledger);
    free(state->memory);
    free(state);
}

static void
turn_fill(struct turn_state *state, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(turn_push(state, SUSPEND_OTHER));
    }
}

static void
turn_empty(void *subject)
{
    suspend_laps(&turn_subject, subject, SLOTS + 1);
}

static void
turn_half(void *subject)
{
    turn_fill(subject, SLOTS / 2);
}

static void
turn_full(void *subject)
{
    turn_fill(subject, SLOTS);
}

static void
turn_old_tail(void *subject)
{
    turn_half(subject);
    suspend_late_store(&turn_subject, subject, 0, "ring/mpmc.h");
}

static void
turn_old_head(void *subject)
{
    turn_half(subject);
    suspend_late_store(&turn_subject, subject, 1, "ring/mpmc.h");
}

static const struct suspend_subject turn_subject = {
    .name = "turn per slot",
    .capacity = SLOTS,
    .budget = 2000,
    .create = turn_create,
    .destroy = turn_destroy,
    .operations = {{.name = "push", .run = turn_push, .blocks = {"ring/mpmc.h store slot"}},
                   {.name = "pop", .run = turn_pop, .blocks = {"ring/mpmc.h store slot"}}},
    .situations = {{"empty", turn_empty, 0},
                   {"half", turn_half, 0},
                   {"full", turn_full, 0},
                   {"old tail", turn_old_tail, 0},
                   {"old head", turn_old_head, 0}},
};

static void
turn_per_slot_is_blocking(void **state)
{
    (void)state;
    CHECK(suspend_run(&turn_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slab_is_lock_free),
        cmocka_unit_test(turn_per_slot_is_blocking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
