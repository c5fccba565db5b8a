/* suspend_ring.c - the rings of ring/ under the suspension test, see suspend.h. It holds their
 * claims of progress: those called lock-free pass at each step, and those called blocking are
 * blocking where their headers say. Every structure is looked through, and what went in is counted
 * against what came out, once the frozen threads have gone on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/packed.h"
#include "ring/scq.h"
#include "ring/ticket.h"
#include "ring/turn.h"
#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

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

/* The calls that all algorithms have, and what they work on. */
struct ring_calls {
    size_t ring_bytes; /* of the struct */
    const char *file;  /* its header */
    size_t (*bytes)(uint32_t slots_log2);
    void (*init)(void *ring, const struct leat_ring_config *config);
    bool (*push)(void *ring, uint32_t item);
    bool (*pop)(void *ring, uint32_t *item);
    bool (*check)(const void *ring, FILE *why);
};

#define RING(name)                                                                                 \
    static void name##_init(void *ring, const struct leat_ring_config *config)                     \
    {                                                                                              \
        leat_##name##_init(ring, config);                                                          \
    }                                                                                              \
    static bool name##_push(void *ring, uint32_t item)                                             \
    {                                                                                              \
        return leat_##name##_push(ring, item);                                                     \
    }                                                                                              \
    static bool name##_pop(void *ring, uint32_t *item)                                             \
    {                                                                                              \
        return leat_##name##_pop(ring, item);                                                      \
    }                                                                                              \
    static bool name##_check(const void *ring, FILE *why)                                          \
    {                                                                                              \
        return leat_##name##_check(ring, why);                                                     \
    }                                                                                              \
    static const struct ring_calls name##_calls = {sizeof(struct leat_##name),                     \
                                                   "ring/" #name ".h",                             \
                                                   leat_##name##_bytes,                            \
                                                   name##_init,                                    \
                                                   name##_push,                                    \
                                                   name##_pop,                                     \
                                                   name##_check}

RING(packed);
RING(scq);
RING(ticket);
RING(turn);

struct ring_state {
    const struct suspend_subject *subject;
    const struct ring_calls *calls;
    void *ring;
    void *memory;
    struct ledger ledger;
};

static void *
zeroed(size_t bytes)
{
    bytes = leat_round_up(bytes, LEAT_LINE_BYTES);
    void *memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    return memory;
}

static void *
ring_create(const struct suspend_subject *subject)
{
    struct ring_state *state = calloc(1, sizeof(*state));
    CHECK(state != NULL);
    state->subject = subject;
    state->calls = subject->context;
    state->ring = zeroed(state->calls->ring_bytes);
    state->memory = zeroed(state->calls->bytes(SLOTS_LOG2));
    const struct leat_ring_config config = {.slots_log2 = SLOTS_LOG2, .memory = state->memory};
    state->calls->init(state->ring, &config);
    return state;
}

static bool
ring_push(void *subject, uint32_t who)
{
    struct ring_state *state = subject;
    uint32_t item = ledger_next(&state->ledger, who);
    if (!state->calls->push(state->ring, item)) {
        return false;
    }
    ledger_in(&state->ledger, who, item);
    return true;
}

static bool
ring_pop(void *subject, uint32_t who)
{
    struct ring_state *state = subject;
    uint32_t item = 0;
    if (!state->calls->pop(state->ring, &item)) {
        return false;
    }
    state->ledger.out[who] += item;
    return true;
}

static void
ring_destroy(void *subject)
{
    struct ring_state *state = subject;
    CHECK(state->calls->check(state->ring, stderr));
    while (ring_pop(state, SUSPEND_OTHER)) {
    }
    CHECK(state->calls->check(state->ring, stderr));
    ledger_check(&state->ledger);
    free(state->ring);
    free(state->memory);
    free(state);
}

static void
ring_fill(void *subject, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(ring_push(subject, SUSPEND_OTHER));
    }
}

static void
ring_fresh(void *subject)
{
    (void)subject;
}

/* After some laps, in the middle of one. */
static void
ring_empty(void *subject)
{
    const struct ring_state *state = subject;
    suspend_laps(state->subject, subject);
    for (uint32_t i = 0; i < SLOTS / 2 + 1; i++) {
        CHECK(ring_push(subject, SUSPEND_OTHER));
        CHECK(ring_pop(subject, SUSPEND_OTHER));
    }
}

static void
ring_half(void *subject)
{
    ring_empty(subject);
    ring_fill(subject, SLOTS / 2);
}

static void
ring_full(void *subject)
{
    ring_empty(subject);
    ring_fill(subject, SLOTS);
}

/* A push of long ago has just stored its tail; a pop its head. */
static void
ring_old_tail(void *subject)
{
    const struct ring_state *state = subject;
    ring_half(subject);
    suspend_late_store(state->subject, subject, 0, state->calls->file);
}

static void
ring_old_head(void *subject)
{
    const struct ring_state *state = subject;
    ring_half(subject);
    suspend_late_store(state->subject, subject, 1, state->calls->file);
}

/* More pops than pushes: the others come to the last item, and to an empty ring. */
#define RING_DRAIN                                                                                 \
    {                                                                                              \
        .name = "drain", .run = ring_pop, .witness = true, .tries = true                           \
    }

#define RING_SITUATIONS                                                                            \
    {"fresh", ring_fresh, 0, 0}, {"empty", ring_empty, 0, 0}, {"half", ring_half, 0, 0},           \
    {                                                                                              \
        "full", ring_full, 0, 0                                                                    \
    }

static const struct suspend_subject packed_subject = {
    .name = "packed",
    .capacity = SLOTS,
    .budget = 2000,
    .context = &packed_calls,
    .create = ring_create,
    .destroy = ring_destroy,
    .operations = {{.name = "push", .run = ring_push},
                   {.name = "pop", .run = ring_pop},
                   RING_DRAIN},
    .situations = {RING_SITUATIONS,
                   {"old tail", ring_old_tail, 0, 0},
                   {"old head", ring_old_head, 0, 0}},
};

/* Its premise, no more threads in calls than it has room for items, is kept here. */
static const struct suspend_subject scq_subject = {
    .name = "scq",
    .capacity = SLOTS,
    .budget = 2000,
    .context = &scq_calls,
    .create = ring_create,
    .destroy = ring_destroy,
    .operations = {{.name = "push", .run = ring_push},
                   {.name = "pop", .run = ring_pop},
                   RING_DRAIN},
    .situations = {RING_SITUATIONS},
};

/* Between credit and ticket, and between ticket and slot. */
#define TICKET_BLOCKS                                                                              \
    "ring/ticket.h change &side->tickets", "ring/ticket.h load slot", "ring/ticket.h store slot"
/* With a credit too many, once others find the ring empty. */
#define TICKET_BLOCKS_POP "ring/ticket.h change &side->credits"

static const struct suspend_subject ticket_subject = {
    .name = "ticket",
    .capacity = SLOTS,
    .budget = 2000,
    .context = &ticket_calls,
    .create = ring_create,
    .destroy = ring_destroy,
    .operations = {{.name = "push", .run = ring_push, .blocks = {TICKET_BLOCKS}},
                   {.name = "pop", .run = ring_pop, .blocks = {TICKET_BLOCKS, TICKET_BLOCKS_POP}},
                   RING_DRAIN},
    .situations = {RING_SITUATIONS},
};

static const struct suspend_subject turn_subject = {
    .name = "turn per slot",
    .capacity = SLOTS,
    .budget = 200,
    .context = &turn_calls,
    .create = ring_create,
    .destroy = ring_destroy,
    .operations = {{.name = "push", .run = ring_push, .blocks = {"ring/turn.h store slot"}},
                   {.name = "pop", .run = ring_pop, .blocks = {"ring/turn.h store slot"}},
                   RING_DRAIN},
    .situations = {RING_SITUATIONS},
};

static void
packed_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&packed_subject));
}

static void
scq_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&scq_subject));
}

static void
turn_per_slot_is_blocking(void **state)
{
    (void)state;
    CHECK(suspend_run(&turn_subject));
}

static void
ticket_is_blocking(void **state)
{
    (void)state;
    CHECK(suspend_run(&ticket_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_is_lock_free),
        cmocka_unit_test(scq_is_lock_free),
        cmocka_unit_test(turn_per_slot_is_blocking),
        cmocka_unit_test(ticket_is_blocking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
