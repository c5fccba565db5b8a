/* rings.c - see rings.h. */
#include "tests/support/rings.h"

#include <stdlib.h>
#include <string.h>

#include "ring/mpmc.h"
#include "ring/packed.h"
#include "ring/ticket.h"
#include "ring/turn.h"
#include "tests/support/check.h"

/* ---- the family ------------------------------------------------------------------------------ */

/* The calls of one algorithm, behind a pointer that does not tell which. */
#define CALLS(name)                                                                                \
    static void name##_init(void *state, const struct leat_ring_config *config)                    \
    {                                                                                              \
        leat_##name##_init(state, config);                                                         \
    }                                                                                              \
    static bool name##_push(void *state, uint32_t item)                                            \
    {                                                                                              \
        return leat_##name##_push(state, item);                                                    \
    }                                                                                              \
    static bool name##_pop(void *state, uint32_t *item)                                            \
    {                                                                                              \
        return leat_##name##_pop(state, item);                                                     \
    }                                                                                              \
    static bool name##_check(const void *state, FILE *why)                                         \
    {                                                                                              \
        return leat_##name##_check(state, why);                                                    \
    }

#define KIND(algorithm, busy)                                                                      \
    {                                                                                              \
        .name = #algorithm, .busy_answers = (busy),                                                \
        .state_bytes = sizeof(struct leat_##algorithm), .bytes = leat_##algorithm##_bytes,         \
        .init = algorithm##_init, .push = algorithm##_push, .pop = algorithm##_pop,                \
        .check = algorithm##_check                                                                 \
    }

CALLS(packed)
CALLS(ticket)
CALLS(turn)

const struct test_ring_kind test_rings[] = {
    KIND(packed, false),
    KIND(ticket, false),
    KIND(turn, true),
};
const size_t test_rings_count = TEST_COUNT_OF(test_rings);

/* ---- rings that are wrong -------------------------------------------------------------------- */

/* Once in so many pushes, or pops, a faulty ring goes wrong: in any history of 20 operations. */
#define FAULT_EVERY 7

#define HELD_NONE UINT32_MAX
#define HELD_BUSY (UINT32_MAX - 1)

struct faulty {
    struct leat_packed ring;
    leat_atomic_u32 uses;
    leat_atomic_u32 held; /* an item that others pass; or one of the above */
};

static bool
goes_wrong(struct faulty *faulty)
{
    return atom_add_rlx(&faulty->uses, 1) % FAULT_EVERY == FAULT_EVERY - 1;
}

static void
faulty_init(void *state, const struct leat_ring_config *config)
{
    struct faulty *faulty = state;
    leat_packed_init(&faulty->ring, config);
    atom_init(&faulty->uses, 0);
    atom_init(&faulty->held, HELD_NONE);
}

static bool
faulty_push(void *state, uint32_t item)
{
    struct faulty *faulty = state;
    return leat_packed_push(&faulty->ring, item);
}

static bool
faulty_pop(void *state, uint32_t *item)
{
    struct faulty *faulty = state;
    return leat_packed_pop(&faulty->ring, item);
}

static bool
faulty_check(const void *state, FILE *why)
{
    const struct faulty *faulty = state;
    return leat_packed_check(&faulty->ring, why);
}

static bool
push_losing(void *state, uint32_t item)
{
    struct faulty *faulty = state;
    return goes_wrong(faulty) || leat_packed_push(&faulty->ring, item);
}

static bool
push_doubling(void *state, uint32_t item)
{
    struct faulty *faulty = state;
    bool pushed = leat_packed_push(&faulty->ring, item);
    if (pushed && goes_wrong(faulty)) {
        (void)leat_packed_push(&faulty->ring, item);
    }
    return pushed;
}

/* Takes two, answers the younger one and holds the older one back for a later pop. */
static bool
pop_overtaking(void *state, uint32_t *item)
{
    struct faulty *faulty = state;
    uint32_t held = atom_load_rlx(&faulty->held);
    if (held < HELD_BUSY && atom_cas_acq_rel(&faulty->held, &held, HELD_NONE)) {
        *item = held;
        return true;
    }
    held = HELD_NONE;
    if (!goes_wrong(faulty) || !atom_cas_acq_rel(&faulty->held, &held, HELD_BUSY)) {
        return leat_packed_pop(&faulty->ring, item);
    }
    uint32_t older = 0;
    bool popped = leat_packed_pop(&faulty->ring, &older);
    bool two = popped && leat_packed_pop(&faulty->ring, item);
    if (popped && !two) {
        *item = older;
    }
    atom_store_rel(&faulty->held, two ? older : HELD_NONE);
    return popped;
}

static bool
pop_giving_up(void *state, uint32_t *item)
{
    struct faulty *faulty = state;
    return !goes_wrong(faulty) && leat_packed_pop(&faulty->ring, item);
}

#define FAULTY_KIND(text, pushes, pops)                                                            \
    {                                                                                              \
        .name = (text), .state_bytes = sizeof(struct faulty), .bytes = leat_packed_bytes,          \
        .init = faulty_init, .push = (pushes), .pop = (pops), .check = faulty_check                \
    }

const struct test_ring_kind test_rings_faulty[] = {
    FAULTY_KIND("losing", push_losing, faulty_pop),
    FAULTY_KIND("doubling", push_doubling, faulty_pop),
    FAULTY_KIND("overtaking", faulty_push, pop_overtaking),
    FAULTY_KIND("giving-up", faulty_push, pop_giving_up),
};
const size_t test_rings_faulty_count = TEST_COUNT_OF(test_rings_faulty);

/* ---- any ring -------------------------------------------------------------------------------- */

const struct test_ring_kind *
test_ring_default(void)
{
    const struct test_ring_kind *kind = test_rings;
    while (kind->bytes != LEAT_MPMC(_bytes)) {
        kind++;
        CHECK(kind != test_rings + test_rings_count);
    }
    return kind;
}

const struct test_ring_kind *
test_ring_find(const char *name)
{
    for (size_t i = 0; i < test_rings_count; i++) {
        if (strcmp(test_rings[i].name, name) == 0) {
            return &test_rings[i];
        }
    }
    for (size_t i = 0; i < test_rings_faulty_count; i++) {
        if (strcmp(test_rings_faulty[i].name, name) == 0) {
            return &test_rings_faulty[i];
        }
    }
    return NULL;
}

static uint64_t
any_start(struct test_prng *prng, uint32_t slots_log2)
{
    switch (test_random_below(prng, 4)) {
    case 0:
        return 0;
    case 1:
        return (UINT64_C(1) << (LEAT_TURN_BITS - 1 + slots_log2)) - test_random_below(prng, 5000);
    case 2:
        return 0 - (uint64_t)test_random_below(prng, 5000);
    default:
        return test_random(prng);
    }
}

struct test_ring
test_ring_create(const struct test_ring_kind *kind, uint32_t slots_log2, struct test_prng *prng)
{
    /* State and slots in one block, the slots behind. */
    size_t state_bytes = leat_round_up(kind->state_bytes, LEAT_LINE_BYTES);
    size_t bytes = leat_round_up(state_bytes + kind->bytes(slots_log2), LEAT_LINE_BYTES);
    char *memory = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    const struct leat_ring_config config = {.slots_log2 = slots_log2,
                                            .remap = test_random_below(prng, 2) == 0,
                                            .memory = memory + state_bytes,
                                            .start = any_start(prng, slots_log2)};
    kind->init(memory, &config);
    return (struct test_ring){kind, memory};
}

void
test_ring_destroy(struct test_ring ring)
{
    CHECK(ring.kind->check(ring.state, stderr));
    free(ring.state);
}
